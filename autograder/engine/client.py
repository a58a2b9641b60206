"""The grader's connection to one kernel: sends a cell, waits, and lets nbclient make outputs of what comes.

nbclient waits for each cell with four tasks and some twenty futures of asyncio, which costs the grader more
than all else it does about a cell. Here one thread polls two sockets and the kernel's process.
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import zmq
from jupyter_client.session import DELIM, Session
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, CellExecutionComplete, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from autograder.engine.process import KernelProcess
from autograder.engine.sandbox import SandboxError

# How often somebody looks after the submission while a cell runs.
_LOOK_S = 0.25
# Seconds that a cell's last outputs may need after its end.
_OUTPUTS_S = 4
# The same without an answer, when the connection begins: then it is asked for one.
_ASK_S = 0.3
# Characters of an error and of each line of its traceback.
_LONGEST_ERROR = 20_000
# Bytes of one message. More is no output of an honest cell, and would have to be held whole.
_LONGEST_MESSAGE = 1 << 28
_OUTPUTS = ("stream", "display_data", "update_display_data", "execute_result")


class Client(NotebookClient):
    """Runs cells in a kernel, with a bound on what they may print.

    Args:
        notebook: the notebook that the cells are of; outputs of earlier cells may be updated.
        process: the kernel, started.
        output_bytes: characters of outputs from which on they are dropped.
        look_after: called every quarter of a second while a cell runs.
    """

    def __init__(
        self,
        notebook: NotebookNode,
        process: KernelProcess,
        output_bytes: int,
        look_after: Callable[[], None],
    ) -> None:
        super().__init__(notebook, record_timing=False)
        # nbclient would answer widgets, which nobody sees here.
        self.comm_open_handlers = {}
        self.output_bytes, self.printed, self.flooded = output_bytes, 0, False
        self._process, self._look_after, self._looked = process, look_after, 0.0
        self._session = Session(key=process.connection["key"].encode())
        context = zmq.Context.instance()
        self._shell, self._published = context.socket(zmq.DEALER), context.socket(zmq.SUB)
        self._poller = zmq.Poller()
        for socket, name in ((self._shell, "shell"), (self._published, "iopub")):
            socket.linger = 0
            socket.setsockopt(zmq.MAXMSGSIZE, _LONGEST_MESSAGE)
            socket.connect(process.address(name))
            self._poller.register(socket, zmq.POLLIN)
        self._published.subscribe(b"")
        self._poller.register(process.end, zmq.POLLIN)

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
            if not self._process.alive():
                raise SandboxError("a new kernel ended at once")
            if not self._published.poll(1000 * _ASK_S):
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
        asked = self._session.send(self._shell, "execute_request", content)["header"]["msg_id"]
        end = time.monotonic() + timeout
        replied = idle = False
        in_time = True
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
            ready = dict(self._poller.poll(1000 * max(0.0, min(end - now, _LOOK_S))))
            if self._published in ready:
                idle = self._take_outputs(asked, cell, index) or idle
            if self._shell in ready:
                for message in _messages(self._shell):
                    if _is_about(asked, message) and not replied:
                        replied, end = True, time.monotonic() + _OUTPUTS_S
                        cell.execution_count = _count(message)
            if len(ready) == 1 and self._process.end in ready and not (replied and idle):
                # Everything it had said has been read.
                raise DeadKernelError("Kernel died")
        return in_time

    def _take_outputs(self, asked: str, cell: NotebookNode, index: int) -> bool:
        """Take what has been published; return whether the cell has come to its end."""
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
        if msg["msg_type"] == "error":
            content["evalue"] = str(content.get("evalue"))[:_LONGEST_ERROR]
            content["traceback"] = [str(line)[:_LONGEST_ERROR] for line in list(content.get("traceback", ()))[:200]]
        elif self.printed > self.output_bytes and msg["msg_type"] in _OUTPUTS:
            self.flooded = True
            return None
        try:
            return super().process_message(msg, cell, cell_index)
        except CellControlSignal:
            raise
        except Exception:
            # Learner code can send any message; what cannot be understood is nobody's output.
            return None


def _messages(socket: zmq.Socket) -> Iterator[dict[str, Any]]:
    """Yield the messages that have arrived, at most a hundred, without those that cannot be read.

    Signatures are not looked at: the kernel, and so learner code in it, has the key.
    """
    for _ in range(100):
        try:
            frames = socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return
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


def _count(message: dict[str, Any]) -> int | None:
    count = message["content"].get("execution_count")
    return count if type(count) is int else None


def _is_about(asked: str, message: dict[str, Any]) -> bool:
    return message["parent_header"].get("msg_id") == asked


def _size(content: Any) -> int:
    try:
        return sum(len(str(value)) for value in content.values())
    except RecursionError:
        return 1_000_000
