"""The grader's connection to one kernel: sends a cell, waits, and lets nbclient make outputs of what comes.

nbclient waits for each cell with four tasks and some twenty futures of asyncio, which costs the grader more
than all else it does about a cell. Here one thread polls two sockets and the kernel's process.
"""

import json
import select
import time
from collections.abc import Callable, Iterator
from typing import Any

from jupyter_client.session import DELIM, Session
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, CellExecutionComplete, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from autograder.engine.process import KernelProcess
from autograder.engine.sandbox import SandboxError
from autograder.engine.wire import Broken, Wire

# How often somebody looks after the submission while a cell runs.
_LOOK_S = 0.25
# Seconds that a cell's last outputs may need after its end.
_OUTPUTS_S = 4
# The same without an answer, when the connection begins: then it is asked for one.
_ASK_S = 0.3
# Characters of an error and of each line of its traceback.
_LONGEST_ERROR = 20_000
_OUTPUTS = ("stream", "display_data", "update_display_data", "execute_result")


class Client(NotebookClient):
    """Runs cells in a kernel, with a bound on what they may print.

    Args:
        notebook: the notebook that the cells are of; outputs of earlier cells may be updated.
        process: the kernel, started.
        output_bytes: characters of outputs from which on they are dropped.
        look_after: called every quarter of a second while a cell runs.
        timeout: seconds in which the kernel must take what is sent to it.

    Raises:
        SandboxError: the kernel does not answer.
    """

    def __init__(
        self,
        notebook: NotebookNode,
        process: KernelProcess,
        output_bytes: int,
        look_after: Callable[[], None],
        timeout: float,
    ) -> None:
        super().__init__(notebook, record_timing=False)
        # nbclient would answer widgets, which nobody sees here.
        self.comm_open_handlers = {}
        self.output_bytes, self.printed, self.flooded = output_bytes, 0, False
        self._process, self._look_after, self._looked = process, look_after, 0.0
        self._session = Session(key=process.connection["key"].encode())
        self._shell = Wire(process.path("shell"), "DEALER", timeout)
        self._published = Wire(process.path("iopub"), "SUB", timeout)
        self._poll = select.poll()
        for end in (self._shell, self._published, process.end):
            self._poll.register(end, select.POLLIN)

    def close(self) -> None:
        """Close the connection, not the kernel."""
        self._shell.close()
        self._published.close()

    def wait_for_ready(self, timeout: float) -> None:
        """Wait until what the kernel publishes arrives here.

        Raises:
            SandboxError: the kernel has ended, or says nothing for so many seconds.
        """
        end = time.monotonic() + timeout
        # ipykernel greets a new subscriber (XPUB, Jupyter enhancement proposal 65); one that does not is asked.
        while not any(True for _ in _messages(self._published)):
            if time.monotonic() > end:
                raise SandboxError(f"a new kernel did not answer within {timeout:g} seconds")
            if self._published.ended or not self._process.alive():
                raise SandboxError("a new kernel ended at once")
            if not select.select([self._published], [], [], _ASK_S)[0]:
                self._session.send(self._shell, "kernel_info_request")

    def run_cell(self, cell: NotebookNode, index: int, timeout: float) -> bool:
        """Run one cell; its outputs are put into it. Return whether it ended in time, without an interruption.

        Args:
            cell: a code cell.
            index: its place in the notebook.
            timeout: seconds after which it is interrupted.

        Raises:
            DeadKernelError: the kernel has ended.
            CellTimeoutError: the kernel does not say that the cell has ended.
        """
        cell.outputs, self.clear_before_next_output = [], False
        if not cell.source.strip() or self.skip_cells_with_tag in cell.metadata.get("tags", []):
            return True
        content = {"code": cell.source, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": False, "stop_on_error": False}
        try:
            asked = self._session.send(self._shell, "execute_request", content)["header"]["msg_id"]
        except OSError as error:
            raise DeadKernelError(f"Kernel takes nothing: {error}") from error
        end = time.monotonic() + timeout
        replied = idle = False
        in_time, count = True, None
        while not (replied and idle):
            now = time.monotonic()
            if now >= self._looked + _LOOK_S:
                self._looked = now
                self._look_after()
            if now >= end:
                if replied:
                    raise CellTimeoutError.error_from_timeout_and_cell("No end of its outputs", _OUTPUTS_S, cell)
                self._process.interrupt()
                # Its answer comes late, if at all; only that of the next cell counts then.
                replied, in_time, end = True, False, now + _OUTPUTS_S
            ready = dict(self._poll.poll(1000 * max(0.0, min(end - now, _LOOK_S))))
            try:
                if self._published.fileno() in ready:
                    idle = self._take_outputs(asked, cell, index) or idle
                for message in _messages(self._shell) if self._shell.fileno() in ready else ():
                    if _is_about(asked, message) and not replied:
                        replied, end = True, time.monotonic() + _OUTPUTS_S
                        count = message["content"].get("execution_count")
            except Broken as error:
                raise DeadKernelError(f"Kernel is not understood: {error}") from error
            gone = self._process.end in ready or self._shell.ended or self._published.ended
            if gone and not (replied and idle):
                # Everything it had said has been read.
                raise DeadKernelError("Kernel died")
        # An output may have said something else.
        cell.execution_count = count if type(count) is int else None
        return in_time

    def _take_outputs(self, asked: str, cell: NotebookNode, index: int) -> bool:
        """Take what has been published; return whether the cell has come to its end."""
        dropped = self._published.dropped
        idle = self._take_messages(asked, cell, index)
        self.printed += self._published.dropped - dropped
        self.flooded |= self._published.dropped > dropped
        return idle

    def _take_messages(self, asked: str, cell: NotebookNode, index: int) -> bool:
        for message in _messages(self._published):
            if not _is_about(asked, message):
                continue
            try:
                self.process_message(message, cell, index)
            except CellExecutionComplete:
                return True
        return False

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """As nbclient, but for too long outputs and for messages that cannot be understood."""
        content = msg["content"]
        # What was sent to it, the kernel only repeats.
        self.printed += 0 if msg["msg_type"] in ("execute_input", "status") else _size(content)
        if self.printed > self.output_bytes and msg["msg_type"] in _OUTPUTS:
            self.flooded = True
            return None
        try:
            if msg["msg_type"] == "error":
                content["evalue"] = str(content.get("evalue"))[:_LONGEST_ERROR]
                content["traceback"] = [str(line)[:_LONGEST_ERROR] for line in list(content.get("traceback", ()))[:200]]
            return super().process_message(msg, cell, cell_index)
        except CellControlSignal:
            raise
        except Exception:
            # Learner code can send any message; what cannot be understood is nobody's output.
            return None


def _messages(wire: Wire) -> Iterator[dict[str, Any]]:
    """Yield the messages that have arrived, without those that cannot be read.

    Signatures are not looked at: the kernel, and so learner code in it, has the key.

    Raises:
        Broken: of what comes nothing can be read any more.
    """
    for frames in wire.messages():
        try:
            begin = frames.index(DELIM) + 2
            header, parent, _, content = map(json.loads, frames[begin : begin + 4])
            kind = header["msg_type"]
            readable = type(kind) is str and type(parent) is dict and type(content) is dict
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if readable:
            buffers = frames[begin + 4 :]
            yield {"header": header, "parent_header": parent, "msg_type": kind, "content": content, "buffers": buffers}


def _is_about(asked: str, message: dict[str, Any]) -> bool:
    return message["parent_header"].get("msg_id") == asked


def _size(content: Any) -> int:
    try:
        return sum(len(str(value)) for value in content.values())
    except RecursionError:
        return 1_000_000
