"""The grader's connection to one kernel: sends a cell, waits, and lets nbclient make outputs of what comes.

nbclient waits for each cell with four tasks and some twenty futures of asyncio, which costs the grader more
than all else it does about a cell. Here one thread polls a connection and the kernel's process.
"""

import json
import secrets
import select
import time
from collections.abc import Callable, Iterator
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from autograder.engine.messages import Broken
from autograder.engine.process import KernelProcess
from autograder.engine.sandbox import SandboxError

# How often somebody looks after the submission while a cell runs.
_LOOK_S = 0.25
# Seconds that an interrupted cell may need to end.
_END_S = 4
# Characters of printed text to which no more is added: it would be copied again and again.
_LONG = 100_000
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
    """

    def __init__(
        self, notebook: NotebookNode, process: KernelProcess, output_bytes: int, look_after: Callable[[], None]
    ) -> None:
        super().__init__(notebook, record_timing=False)
        # nbclient would answer widgets, which nobody sees here.
        self.comm_open_handlers = {}
        self.output_bytes, self.printed, self.flooded = output_bytes, 0, False
        self._process, self._look_after, self._looked = process, look_after, 0.0
        self._messages = process.messages
        self._poll = select.poll()
        for end in (self._messages, process.end):
            self._poll.register(end, select.POLLIN)

    def wait_for_ready(self, timeout: float) -> None:
        """Wait until the kernel listens.

        Raises:
            SandboxError: the kernel has ended, or says nothing for so many seconds.
        """
        end = time.monotonic() + timeout
        while not any(True for _ in self._messages.receive()):
            if time.monotonic() > end:
                raise SandboxError(f"a new kernel did not answer within {timeout:g} seconds")
            if self._messages.ended or not self._process.alive():
                raise SandboxError("a new kernel ended at once")
            self._poll.poll(1000 * _LOOK_S)

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
        # A name that no earlier cell can know.
        header = {"msg_id": secrets.token_hex(8), "msg_type": "execute_request"}
        request = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        try:
            self._messages.send(json.dumps(request).encode())
        except OSError as error:
            raise DeadKernelError(f"Kernel takes nothing: {error}") from error
        end, in_time, answer = time.monotonic() + timeout, True, None
        while answer is None:
            now = time.monotonic()
            if now >= self._looked + _LOOK_S:
                self._looked = now
                self._look_after()
            if now >= end:
                if not in_time:
                    raise CellTimeoutError.error_from_timeout_and_cell("No end", _END_S, cell)
                self._process.interrupt()
                in_time, end = False, now + _END_S
            ready = dict(self._poll.poll(1000 * max(0.0, min(end - now, _LOOK_S))))
            try:
                for message in self._received(header["msg_id"]) if self._messages.fileno() in ready else ():
                    if message["msg_type"] == "execute_reply":
                        answer = message["content"]
                    else:
                        self.process_message(message, cell, index)
            except Broken as error:
                raise DeadKernelError(f"Kernel is not understood: {error}") from error
            # Everything that an ended kernel had said is read first.
            gone = self._messages.ended or (self._process.end in ready and self._messages.fileno() not in ready)
            if gone and answer is None:
                raise DeadKernelError("Kernel died")
        count = answer.get("execution_count") if in_time else None
        # An output may have said something else.
        cell.execution_count = count if type(count) is int else None
        return in_time

    def _received(self, asked: str) -> Iterator[dict[str, Any]]:
        """Yield the messages about a cell that have come, as nbclient knows them.

        Raises:
            Broken: of what comes nothing can be read any more.
        """
        dropped = self._messages.dropped
        for message in self._messages.receive():
            kind, content = message.get("msg_type"), message.get("content")
            if message.get("about") == asked and type(kind) is str and type(content) is dict:
                header, parent = {"msg_type": kind}, {"msg_id": asked}
                yield {"header": header, "parent_header": parent, "msg_type": kind, "content": content, "buffers": []}
        self.printed += self._messages.dropped - dropped
        self.flooded |= self._messages.dropped > dropped

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """As nbclient, but for too long outputs and for messages that cannot be understood."""
        content = msg["content"]
        self.printed += _size(content)
        if self.printed > self.output_bytes and msg["msg_type"] in _OUTPUTS:
            self.flooded = True
            return None
        try:
            if msg["msg_type"] == "stream" and self._goes_on(cell.outputs, content):
                return None
            if msg["msg_type"] == "error":
                content["evalue"] = str(content.get("evalue"))[:_LONGEST_ERROR]
                content["traceback"] = [str(line)[:_LONGEST_ERROR] for line in list(content.get("traceback", ()))[:200]]
            return super().process_message(msg, cell, cell_index)
        except Exception:
            # Learner code can send any message; what cannot be understood is nobody's output.
            return None

    def _goes_on(self, outputs: list[NotebookNode], content: dict[str, Any]) -> bool:
        """Add what was printed to the output before, as JupyterLab does; return False if it is another one."""
        last = outputs[-1] if outputs and not self.clear_before_next_output else None
        if last is None or last.output_type != "stream" or last.name != content["name"] or len(last.text) > _LONG:
            return False
        last.text += str(content["text"])
        return True


def _size(content: Any) -> int:
    try:
        return sum(len(str(value)) for value in content.values())
    except RecursionError:
        return 1_000_000
