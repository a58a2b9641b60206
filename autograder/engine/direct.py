"""ipykernel for the grader: what a cell says goes over one socket, from the thread that says it.

Other programs speak to a kernel through ZeroMQ (kernel.py); all else about a kernel is the same.
"""

import codecs
import contextlib
import os
import select
import sys
import tempfile
import threading
from contextvars import copy_context
from pathlib import Path
from time import monotonic
from typing import Any

import traitlets
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.kernelbase import Kernel
from IPython.core.profiledir import ProfileDir
from jupyter_client.session import Session

from autograder.engine.kernel import GradingKernel, GradingKernelApp
from autograder.engine.messages import Broken, Messages


class _Session(Session):
    """Sends what is said to whomever to the grader."""

    messages = traitlets.Instance(Messages, allow_none=True)

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
        if self.messages is not None:
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
    """What a cell prints: sent when it ends or shows something else, and a line after a while without any."""

    _sent = 0.0
    _pipe: int | None = None

    def write(self, string: str) -> int | None:
        """Take a text."""
        written = super().write(string)
        # A cell that never ends, or ends its kernel, has told by then what it did first.
        if string.endswith("\n") and (now := monotonic()) - self._sent >= self.flush_interval:
            self._sent = now
            self._flush()
        return written

    def _schedule_flush(self) -> None:
        """Do nothing: there is no thread that would."""

    def watch(self, descriptor: int) -> int:
        """Take over a standard descriptor, to which programs that a cell starts write; return what to read then."""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._taking = threading.Lock()
        self._pipe, write = os.pipe()
        os.set_blocking(self._pipe, False)
        os.dup2(write, descriptor)
        os.close(write)
        # Also what a cell gives to a program as `stdout=sys.stdout` is shown.
        self._original_stdstream_copy = descriptor
        self._master_pid = os.getpid()
        return self._pipe

    def take(self) -> None:
        """Take what programs have written so far."""
        # A cell may have closed it.
        with self._taking, contextlib.suppress(OSError):
            # As much as a pipe holds: a program that writes on and on must not keep a cell from its end.
            for _ in range(16):
                if data := os.read(self._pipe, 1 << 16):
                    self.write(self._decode(data))

    def flush(self) -> None:
        """Send all there is, also what programs that have ended wrote."""
        # Before `begin` there is no pipe, and what a process of the cell would read is this one's.
        if self._is_master_process() and self._pipe is not None:
            self.take()
        super().flush()


def _copy(streams: dict[int, _Stream]) -> None:
    """Take what programs write while a cell waits for them: a pipe that nobody reads is full at 64 KB."""
    poll = select.poll()
    for pipe in streams:
        poll.register(pipe, select.POLLIN)
    while True:
        for pipe, event in poll.poll():
            if event & select.POLLIN:
                streams[pipe].take()
            else:
                poll.unregister(pipe)


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


class _ProfileDir(ProfileDir):
    @traitlets.observe("location")
    def _location_changed(self, change: dict) -> None:
        for kind in ("security", "log", "startup", "pid", "static"):
            setattr(self, f"{kind}_dir", os.path.join(self.location, getattr(self, f"{kind}_dir_name")))

    def _mkdir(self, path: str, mode: int | None = None) -> bool:
        return False


class DirectKernelApp(GradingKernelApp):
    """ipykernel's application for a kernel that only the grader speaks to.

    It may be made in the warm process: nothing of it stands for one kernel only before `begin`.
    """

    kernel_class = _Kernel
    outstream_class = f"{__name__}._Stream"
    # With a thread for each stream, which would not come along into a kernel: see `begin`.
    capture_fd_output = traitlets.Bool(False)

    def begin(self, messages: Messages) -> None:
        """Be one kernel's, in the process and the folder that it is to run in.

        Args:
            messages: its end of the connection.
        """
        self.session.messages = messages
        watched = {stream.watch(descriptor): stream for descriptor, stream in enumerate(self._streams, 1)}
        threading.Thread(target=_copy, args=(watched,), daemon=True).start()
        sys.stdout, sys.stderr = self._streams
        self.shell.ipython_dir = self.ipython_dir
        self.shell.starting_dir = os.getcwd()
        self.shell.history_manager.dir_hist[:] = [Path.cwd()]

    @traitlets.default("ipython_dir")
    def _ipython_dir_default(self) -> str:
        return os.path.join(os.environ["HOME"], ".ipython")

    def init_profile_dir(self) -> None:
        """Name a folder for what IPython keeps; who keeps something makes it."""
        self.profile_dir = _ProfileDir(parent=self, location=os.path.join(self.ipython_dir, "profile_default"))

    def init_io(self) -> None:
        """As ipykernel's, and keep the streams."""
        super().init_io()
        self._streams = sys.stdout, sys.stderr

    def init_poller(self) -> None:
        """Do nothing: the grader looks after the kernel's process."""

    init_heartbeat = init_poller

    def init_sockets(self) -> None:
        """Make what stands for them."""
        self.configure_tornado_logger()
        self.session = _Session(parent=self)
        self.iopub_thread = _NoThread()

    def init_kernel(self) -> None:
        """Make the kernel, without streams."""
        # IPython looks whether its folder can be written, which the kernel's cannot before there is a sandbox.
        with tempfile.TemporaryDirectory() as folder:
            os.environ["IPYTHONDIR"] = folder
            self.kernel = self.kernel_class.instance(
                parent=self,
                session=self.session,
                iopub_thread=self.iopub_thread,
                log=self.log,
                profile_dir=self.profile_dir,
                user_ns=self.user_ns,
            )
            del os.environ["IPYTHONDIR"]
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count
