"""Kernels for jupyter_client that are forked from a warm process into a sandbox.

Any program that starts kernels through jupyter_client (nbclient, nbconvert, nbgrader) gets such a kernel
by naming the provisioner `autograder-sandbox`; nothing else about it changes.
"""

import asyncio
import contextlib
import os
import queue
import select
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Any as AnyTrait

from autograder.engine.channel import Channel
from autograder.engine.scratch import scratch
from autograder.engine.warm import KernelRequest, WarmProcess, shared_warm_process

_START_S = 10


class _Connection(AsyncKernelClient):
    """jupyter_client's connection without a heartbeat.

    Its thread waits for ever if learner code sends half a message through that socket. Whether the kernel
    lives is known from its process.
    """

    def start_channels(self, **channels: bool) -> None:
        super().start_channels(**{**channels, "hb": False})

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers, and until its other messages arrive here, too.

        jupyter_client's own way ends with a fifth of a second of waiting for messages that do not come.

        Raises:
            RuntimeError: the kernel has ended, or did not answer in time.
        """
        deadline = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < deadline:
            asked = self.kernel_info()
            with contextlib.suppress(queue.Empty):
                # What is published before this end has subscribed is lost: then ask again.
                while not _says_idle(await self.get_iopub_msg(timeout=0.3), asked):
                    pass
                while (reply := await self.get_shell_msg(timeout=1))["parent_header"].get("msg_id") != asked:
                    pass
                self._handle_kernel_info_reply(reply)
                return
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
        raise RuntimeError(f"Kernel didn't respond in {timeout:g} seconds")


def _says_idle(message: dict[str, Any], asked: str) -> bool:
    about = message["parent_header"].get("msg_id") == asked
    return about and message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"


class SandboxProvisioner(KernelProvisionerBase):
    """One kernel in one sandbox.

    The manager's transport must be `ipc`: a sandbox has no network, and its sockets lie in a folder
    that only the grader and this kernel see.
    """

    warm: WarmProcess = AnyTrait(help="the process to fork from; by default one shared by this program")
    pid: int | None = None
    channel: Channel | None = None
    _pidfd: int | None = None
    _folder: str | None = None
    # Pages of address space, and of memory of its own, of the warm process.
    _at_start: tuple[int, int] = (0, 0)

    @property
    def has_process(self) -> bool:
        """Whether a sandbox was started and not yet cleaned up."""
        return self._pidfd is not None

    async def poll(self) -> int | None:
        """Return None while the sandbox lives, and 0 after its end (how it ended is not known here)."""
        if self._pidfd is None:
            return 0
        ready, _, _ = select.select([self._pidfd], [], [], 0)
        return 0 if ready else None

    async def wait(self) -> int | None:
        """Wait for the sandbox's end."""
        if self._pidfd is not None:
            # After a kill this is a matter of milliseconds, so the event loop may stand still.
            select.select([self._pidfd], [], [], 10)
            os.close(self._pidfd)
            self._pidfd = None
        return 0

    async def send_signal(self, signum: int) -> None:
        """Interrupt the kernel; any other signal ends the sandbox."""
        if self._pidfd is None:
            return
        if signum == signal.SIGINT:
            with contextlib.suppress(ProcessLookupError):
                if (kernel := self._kernel()) is not None:
                    os.kill(kernel, signal.SIGINT)
        elif signum != 0:
            await self.kill()

    async def kill(self, restart: bool = False) -> None:
        """End the sandbox and every process in it."""
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                if not self.warm.sandboxed:
                    # No process namespace takes what it started along; its group is the next best thing.
                    os.killpg(self.pid, signal.SIGKILL)
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """As `kill`: nothing inside deserves time to tidy up."""
        await self.kill(restart)

    def _kernel(self) -> int | None:
        """Return the kernel's process id: the one child of the sandbox's first process, where there is a sandbox."""
        if not self.warm.sandboxed:
            return self.pid
        children = _children(self.pid)
        return children[0] if children else None

    def held_mb(self) -> float:
        """Return the megabytes that the kernel and all its processes hold beyond what was shared at its start.

        The first guess is cheap and too high, as it counts what child processes share with the kernel. If
        it is above the limit, the processes' shares (PSS) are added up; where the operating system does
        not show these to the grader (it does to root), the size of its address space tells a fork of the
        kernel, which shares the warm process's memory, from another program.
        """
        page = os.sysconf("SC_PAGE_SIZE") / (1 << 20)
        family, left = [], [kernel] if (kernel := self._kernel()) else []
        guess = likely = 0.0
        while left:
            pid = left.pop()
            left += _children(pid)
            with contextlib.suppress(OSError, ValueError):
                size, own = _own_pages(pid)
                shared = self._at_start[1] if size >= self._at_start[0] else 0
                guess += max(0, own - (self._at_start[1] if pid == kernel else 0)) * page
                likely += max(0, own - shared) * page
                family.append(pid)
        # Whatever lost its parent became a child of the sandbox's first process.
        for pid in _children(self.pid) if self.warm.sandboxed and self.pid else []:
            if pid not in family:
                with contextlib.suppress(OSError, ValueError):
                    guess += _own_pages(pid)[1] * page
                    likely += _own_pages(pid)[1] * page
                    family.append(pid)
        request = getattr(self.parent, "sandbox_request", None) or KernelRequest()
        if guess <= request.limits.memory_mb or len(family) < 2:
            return guess
        try:
            return min(guess, sum(_pss_anon_mb(pid) for pid in family))
        except (OSError, StopIteration):
            return likely

    def usage(self) -> tuple[float, float]:
        """Return the CPU seconds and the largest resident megabytes of the kernel so far; zeros if it is gone."""
        try:
            child = self._kernel()
            # Fields 14 and 15 of proc_pid_stat(5), counted behind the name in brackets; 16 and 17 are its children's.
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            cpu = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            status = Path(f"/proc/{child}/status").read_text()
            peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
        except (OSError, ValueError, StopIteration):
            return 0.0, 0.0
        return cpu, peak / 1024

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Make the folder for the sockets and choose the connection's names."""
        self._folder = tempfile.mkdtemp(dir=scratch())
        os.chmod(self._folder, 0o777)
        manager = self.parent
        if issubclass(manager.client_factory, AsyncKernelClient):
            manager.client_factory = _Connection
        manager.transport, manager.ip = "ipc", os.path.join(self._folder, "k")
        for number, name in enumerate(("shell", "iopub", "stdin", "hb", "control"), 1):
            setattr(manager, f"{name}_port", number)
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Ask the warm process for a kernel."""
        if self.warm is None:
            self.warm = shared_warm_process()
        info = self.parent.get_connection_info()
        info["key"] = info["key"].decode()
        request = getattr(self.parent, "sandbox_request", None) or KernelRequest()
        self.pid, self.channel = self.warm.fork(info, self._folder, request)
        self._pidfd = os.pidfd_open(self.pid)
        with contextlib.suppress(OSError, ValueError):
            # All of it is the warm process's, too.
            self._at_start = _own_pages(self.warm.pid)
        await self._sockets_made()
        return self.parent.get_connection_info()

    async def _sockets_made(self) -> None:
        """Wait for the kernel's sockets: a connection that finds none tries again only a tenth of a second later."""
        deadline = time.monotonic() + _START_S
        paths = [f"{self.parent.ip}-{number}" for number in range(1, 6)]
        while not all(map(os.path.exists, paths)) and time.monotonic() < deadline and await self.poll() is None:
            await asyncio.sleep(0.005)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the folder of the sockets."""
        if self._folder is not None:
            if self.channel is not None:
                self.channel.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _children(pid: int) -> list[int]:
    """Return the children of a process, those of all its threads."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found += map(int, file.read().split())
    return found


def _own_pages(pid: int) -> tuple[int, int]:
    """Return a process's pages of address space, and those in memory that are no file's."""
    size, resident, shared = map(int, Path(f"/proc/{pid}/statm").read_text().split()[:3])
    return size, resident - shared


def _pss_anon_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")) / 1024
