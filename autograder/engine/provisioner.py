"""Kernels for jupyter_client that are forked from a warm process into a sandbox.

Any program that starts kernels through jupyter_client (nbclient, nbconvert, nbgrader) gets such a kernel
by naming the provisioner `autograder-sandbox`; nothing else about it changes.
"""

import asyncio
import contextlib
import queue
import signal
import time
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.provisioning import KernelProvisionerBase

from autograder.engine.process import SOCKET_NAMES, KernelProcess
from autograder.engine.warm import KernelRequest, shared_warm_process

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
    """One kernel of a warm process that all kernels of this program share."""

    _process: KernelProcess | None = None

    @property
    def has_process(self) -> bool:
        """Whether a sandbox was started and not yet cleaned up."""
        return self._process is not None and self._process.has_process

    async def poll(self) -> int | None:
        """Return None while the sandbox lives, and 0 after its end (how it ended is not known here)."""
        return None if self._process is not None and self._process.alive() else 0

    async def wait(self) -> int | None:
        """Wait for the sandbox's end."""
        if self._process is not None:
            self._process.wait()
        return 0

    async def send_signal(self, signum: int) -> None:
        """Interrupt the kernel; any other signal ends the sandbox."""
        if self._process is None:
            return
        if signum == signal.SIGINT:
            self._process.interrupt()
        elif signum != 0:
            self._process.kill()

    async def kill(self, restart: bool = False) -> None:
        """End the sandbox and every process in it."""
        if self._process is not None:
            self._process.kill()

    async def terminate(self, restart: bool = False) -> None:
        """As `kill`: nothing inside deserves time to tidy up."""
        await self.kill(restart)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose the connection."""
        manager = self.parent
        if issubclass(manager.client_factory, AsyncKernelClient):
            manager.client_factory = _Connection
        key = manager.session.key.decode()
        self._process = KernelProcess(shared_warm_process(), KernelRequest(), key)
        connection = self._process.connection
        manager.transport, manager.ip = connection["transport"], connection["ip"]
        for name in SOCKET_NAMES:
            setattr(manager, f"{name}_port", connection[f"{name}_port"])
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Ask the warm process for a kernel."""
        self._process.start()
        deadline = time.monotonic() + _START_S
        while not self._process.has_sockets() and time.monotonic() < deadline and self._process.alive():
            await asyncio.sleep(0.005)
        return self.parent.get_connection_info()

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the folder of the sockets."""
        if self._process is not None:
            self._process.cleanup()
