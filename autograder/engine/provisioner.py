"""Kernels for jupyter_client that are forked from a warm process into a sandbox.

Any program that starts kernels through jupyter_client (nbclient, nbconvert, nbgrader) gets such a kernel
by naming the provisioner `autograder-sandbox`; nothing else about it changes.
"""

import contextlib
import os
import select
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Any as AnyTrait

from autograder.engine.channel import Channel
from autograder.engine.warm import KernelRequest, WarmProcess, shared_warm_process


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
            # The kernel is the one child of the sandbox's first process.
            for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
                os.kill(int(child), signal.SIGINT)
        elif signum != 0:
            await self.kill()

    async def kill(self, restart: bool = False) -> None:
        """End the sandbox and every process in it."""
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """As `kill`: nothing inside deserves time to tidy up."""
        await self.kill(restart)

    def usage(self) -> tuple[float, float]:
        """Return the CPU seconds and the largest resident megabytes of the kernel so far; zeros if it is gone."""
        try:
            (child,) = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
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
        self._folder = tempfile.mkdtemp(prefix="ag-")
        os.chmod(self._folder, 0o777)
        manager = self.parent
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
        return self.parent.get_connection_info()

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the folder of the sockets."""
        if self._folder is not None:
            if self.channel is not None:
                self.channel.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
