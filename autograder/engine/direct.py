"""ipykernel for the grader: its messages go over one socket, and no thread but the learner's own is in the way.

Other programs speak to a kernel through ZeroMQ (kernel.py); all else about a kernel is the same.
"""

from contextvars import copy_context
from time import monotonic
from typing import Any

import traitlets
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.kernelbase import Kernel
from jupyter_client.session import Session

from autograder.engine.kernel import GradingKernel, GradingKernelApp
from autograder.engine.messages import Broken, Messages


class _Session(Session):
    """Sends what is said to whomever to the grader."""

    messages = traitlets.Instance(Messages)

    def send(
        self,
        stream: object,
        msg_or_type: dict | str,
        content: dict | None = None,
        parent: dict | None = None,
        ident: object = None,
        buffers: object = None,
        track: bool = False,
        header: dict | None = None,
        metadata: dict | None = None,
    ) -> dict[str, Any]:
        """As jupyter_client's, without buffers: these are for widgets, which nobody sees here."""
        message = msg_or_type
        if isinstance(message, str):
            message = self.msg(message, content=content, parent=parent, header=header, metadata=metadata)
        about = message["parent_header"].get("msg_id")
        said = {"msg_type": message["header"]["msg_type"], "about": about, "content": message["content"]}
        self.messages.send(self.pack(said))
        return message

    def feed_identities(self, msg_list: Any, copy: bool = True) -> tuple[list, Any]:
        """Return what the grader sent, which says nothing of who sent it."""
        return [], msg_list

    def deserialize(self, msg_list: Any, content: bool = True, copy: bool = True) -> Any:
        """Return what the grader sent, which has been read."""
        return msg_list


class _NoThread(IOPubThread):
    """Stands where ipykernel has the thread that sends: what it is to do is done at once."""

    def __init__(self) -> None:
        self.thread = self.io_loop = self.socket = None

    def schedule(self, f: Any) -> None:
        """Call a function."""
        f()


class _Stream(OutStream):
    """What a cell prints: sent when it ends or shows something else, or if there was nothing for a while."""

    _sent = 0.0

    def _schedule_flush(self) -> None:
        # A cell that never ends, or ends its kernel, has told by then what it did first.
        if (now := monotonic()) - self._sent >= self.flush_interval:
            self._sent = now
            self._flush()


class _Kernel(GradingKernel):
    # ipykernel waits after each cell for what another thread may not have sent yet.
    _execute_sleep = traitlets.Float(0.0)

    def _publish_status(self, status: str, *args: object, **kwargs: object) -> None:
        # In between, the answer to a request is its end: nothing overtakes it.
        if status == "starting":
            super()._publish_status(status, *args, **kwargs)

    def _publish_execute_input(self, *args: object) -> None:
        """Say nothing: the grader knows what it sent."""

    def start(self) -> None:
        """Listen to the grader."""
        self.shell.exit_now = False
        # Not IPython's, which looks for its debugger.
        Kernel.start(self)
        # What a cell sets in its context, the next one finds there.
        self._context = copy_context()
        self._loop = self.io_loop.asyncio_loop
        self._loop.add_reader(self.session.messages.fileno(), self._listen)

    def _listen(self) -> None:
        messages = self.session.messages
        try:
            for request in messages.receive():
                # Kept, as nothing else does until it has ended.
                self._answer = self._loop.create_task(self.shell_main(None, request), context=self._context)
        except Broken:
            self.io_loop.stop()
        if messages.ended:
            self.io_loop.stop()


class DirectKernelApp(GradingKernelApp):
    """ipykernel's application for a kernel that only the grader speaks to.

    Args:
        messages: its end of the connection.
    """

    kernel_class = _Kernel
    outstream_class = f"{__name__}._Stream"
    messages = traitlets.Instance(Messages)

    def init_poller(self) -> None:
        """Do nothing: the grader looks after the kernel's process."""

    init_heartbeat = init_poller

    def init_sockets(self) -> None:
        """Make what stands for them."""
        self.configure_tornado_logger()
        self.session = _Session(parent=self, messages=self.messages)
        self.iopub_thread = _NoThread()

    def init_kernel(self) -> None:
        """Make the kernel, without streams."""
        self.kernel = self.kernel_class.instance(
            parent=self,
            session=self.session,
            iopub_thread=self.iopub_thread,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count
