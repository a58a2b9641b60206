"""One kernel in one sandbox, as the grader sees it: start it, watch what it uses, interrupt it, end it."""

import contextlib
import os
import select
import shutil
import signal
import tempfile
from pathlib import Path

from autograder.engine.channel import Channel
from autograder.engine.messages import Messages
from autograder.engine.scratch import scratch
from autograder.engine.warm import KernelRequest, WarmProcess

# Seconds in which a kernel must take what is sent to it.
_TAKES_S = 30
SOCKET_NAMES = ("shell", "iopub", "stdin", "hb", "control")


class KernelProcess:
    """A kernel that is forked from a warm process.

    Args:
        warm: the process to fork from.
        request: what the kernel may see and use.
        key: what its messages are signed with, for a kernel that jupyter_client is to speak to. Its transport is
            `ipc` then: a sandbox has no network, and its sockets lie in a folder that only this process and the
            kernel see. Without a key, its messages come over a connection that nobody else sees (messages.py).
    """

    def __init__(self, warm: WarmProcess, request: KernelRequest, key: str | None = None) -> None:
        self.warm, self.request = warm, request
        self.connection: dict | None = None
        self._folder: str | None = None
        if key is not None or not warm.sandboxed:
            self._folder = tempfile.mkdtemp(dir=scratch())
            os.chmod(self._folder, 0o777)
        if key is not None:
            self.connection = {
                "transport": "ipc",
                "ip": os.path.join(self._folder, "k"),
                **{f"{name}_port": number for number, name in enumerate(SOCKET_NAMES, 1)},
                "key": key,
                "signature_scheme": "hmac-sha256",
            }
        self.pid: int | None = None
        self.channel: Channel | None = None
        self.messages: Messages | None = None
        self._pidfd: int | None = None
        # Pages of address space, and of memory of its own, of the warm process.
        self._at_start = (0, 0)

    def start(self) -> None:
        """Ask the warm process for the kernel. With sockets, it can be spoken to as soon as `has_sockets` says so.

        Raises:
            SandboxError: the sandbox could not be made, or the warm process is gone.
            CopyError: the submission's files cannot be copied.
        """
        self.pid, self.channel, end = self.warm.fork(self.request, self._folder, self.connection)
        if end is not None:
            self.messages = Messages(end, _TAKES_S)
        self._pidfd = os.pidfd_open(self.pid)
        with contextlib.suppress(OSError, ValueError):
            # All of it is the warm process's, too.
            self._at_start = _own_pages(self.warm.pid)

    def has_sockets(self) -> bool:
        """Whether its sockets are there: a connection that finds none tries again only a tenth of a second later."""
        base, numbers = self.connection["ip"], (self.connection[f"{name}_port"] for name in SOCKET_NAMES)
        return all(os.path.exists(f"{base}-{number}") for number in numbers)

    @property
    def has_process(self) -> bool:
        """Whether a sandbox was started and not yet waited for."""
        return self._pidfd is not None

    @property
    def end(self) -> int | None:
        """A descriptor that can be read when the sandbox has ended; None before its start and after `wait`."""
        return self._pidfd

    def alive(self) -> bool:
        """Whether the sandbox has not ended."""
        return self._pidfd is not None and not select.select([self._pidfd], [], [], 0)[0]

    def wait(self) -> None:
        """Wait for the end of a sandbox that was killed, a matter of milliseconds."""
        if self._pidfd is not None:
            select.select([self._pidfd], [], [], 10)
            os.close(self._pidfd)
            self._pidfd = None

    def interrupt(self) -> None:
        """Stop the cell that runs, as the stop button does."""
        if self._pidfd is not None and (kernel := self._kernel()) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(kernel, signal.SIGINT)

    def kill(self) -> None:
        """End the sandbox and every process in it."""
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                if not self.warm.sandboxed:
                    # No process namespace takes what it started along; its group is the next best thing.
                    os.killpg(self.pid, signal.SIGKILL)
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def cleanup(self) -> None:
        """Close the connections and remove the folder."""
        for end in (self.channel, self.messages):
            if end is not None:
                end.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _kernel(self) -> int | None:
        """Return the kernel's process id."""
        return next(iter(self._first_children()), None)

    def _first_children(self) -> list[int]:
        """Return the children of the sandbox's first process; without a sandbox the kernel alone."""
        return _children(self.pid) if self.warm.sandboxed else [self.pid]

    def held_mb(self) -> float:
        """Return the megabytes that the kernel and all its processes hold beyond what was shared at its start.

        The first guess is cheap and too high, as it counts what child processes share with the kernel. If
        it is above the limit, the processes' shares (PSS) are added up; where the operating system does
        not show these to the grader (it does to root), the size of its address space tells a fork of the
        kernel, which shares the warm process's memory, from another program.
        """
        page = os.sysconf("SC_PAGE_SIZE") / (1 << 20)
        # The kernel is the first; whatever lost its parent became a child of the sandbox's first process, too.
        kernel, *orphans = self._first_children() or [None]
        family, left = [], [kernel] if kernel else []
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
        for pid in orphans:
            if pid not in family:
                with contextlib.suppress(OSError, ValueError):
                    guess += _own_pages(pid)[1] * page
                    likely += _own_pages(pid)[1] * page
                    family.append(pid)
        if guess <= self.request.limits.memory_mb or len(family) < 2:
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
