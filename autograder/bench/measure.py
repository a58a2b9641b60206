"""Measure a command with all it starts: seconds, CPU time, memory."""

import contextlib
import ctypes
import os
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.course import path_with_programs

# Seconds for which a command goes on at least between two pauses.
_SLICE_S = 2


@dataclass(frozen=True)
class Measured:
    """One command: how long, how much CPU in it and all it started, how much memory at most."""

    seconds: float
    cpu_s: float
    cpu_source: str
    peak_mb: float
    code: int
    output: str


def measured(
    command: list[str], folder: Path, *, stock: bool = False, pause: Callable[[], None] | None = None
) -> Measured:
    """Run a command in a course directory and measure it with all it starts.

    Args:
        command: the command.
        folder: the course directory.
        stock: whether it shall find no configuration of this account.
        pause: what to do while the command stands still, twice as long as it goes on between; pauses are not measured.
    """
    environment = {**os.environ, "PATH": path_with_programs(), "PYTHONWARNINGS": "ignore"}
    with tempfile.TemporaryDirectory(prefix="ag-bench-") as home, tempfile.TemporaryFile("w+") as output:
        if stock:
            # A configuration of this account must not change what stock does.
            environment |= {"JUPYTER_CONFIG_DIR": f"{home}/jupyter", "IPYTHONDIR": f"{home}/ipython"}
        memory = _MemoryWatch()
        counter = _cpu_counter()
        before, own = resource.getrusage(resource.RUSAGE_CHILDREN), time.thread_time()
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        memory.watch(process.pid)
        try:
            paused = _wait(process, pause)
        except BaseException:
            # Nobody would wait for it.
            process.kill()
            process.wait()
            memory.stop()
            raise
        seconds = time.monotonic() - started - paused
        peak = memory.stop()
        after, own = resource.getrusage(resource.RUSAGE_CHILDREN), time.thread_time() - own
        if counter is not None:
            # It counts this thread as well.
            cpu, source = struct.unpack("Q", os.read(counter, 8))[0] / 1e9 - own, "perf"
            os.close(counter)
        else:
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            source = "getrusage and run record"
        output.seek(0)
        return Measured(seconds, cpu, source, peak, process.returncode, output.read())


def _wait(process: subprocess.Popen, pause: Callable[[], None] | None) -> float:
    """Wait for a command's end; return the seconds for which it was paused."""
    paused, slice_s = 0.0, _SLICE_S if pause else None
    while True:
        try:
            process.wait(slice_s)
            return paused
        except subprocess.TimeoutExpired:
            begun = time.monotonic()
            with _standing_still(process.pid):
                pause()
            took = time.monotonic() - begun
            paused += took
            slice_s = max(_SLICE_S, took / 2)


@contextlib.contextmanager
def _standing_still(root: int) -> Iterator[None]:
    """Keep a process and all its descendants from running."""
    stopped: set[int] = set()
    # One that is not stopped yet may start another while the list is made.
    while new := family(root) - stopped:
        _send(new, signal.SIGSTOP)
        stopped |= new
    try:
        yield
    finally:
        _send(stopped, signal.SIGCONT)


def _send(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _cpu_counter() -> int | None:
    """Start counting the CPU time of this thread and of all it will start, to any depth; None where forbidden.

    Children of a sandbox are reaped by the operating system, so their times reach no parent's getrusage.
    """
    numbers = {"x86_64": 298, "aarch64": 241}
    if sys.platform != "linux" or os.uname().machine not in numbers:
        return None
    # struct perf_event_attr: a software event (1), size, the task clock (1); flag 2 is `inherit`.
    attributes = bytearray(128)
    struct.pack_into("IIQ", attributes, 0, 1, len(attributes), 1)
    struct.pack_into("Q", attributes, 40, 1 << 1)
    buffer = (ctypes.c_char * len(attributes)).from_buffer(attributes)
    descriptor = ctypes.CDLL(None).syscall(numbers[os.uname().machine], buffer, 0, -1, -1, 0)
    if descriptor < 0:
        return None
    os.set_inheritable(descriptor, False)
    return descriptor


class _MemoryWatch:
    """Sample the memory of a process and all its descendants from a thread of its own.

    The thread is started before the CPU is counted, so that its own work is in nobody's account; it
    rests ten times as long as a sample took, so that it slows either grader by little.
    """

    def __init__(self) -> None:
        self._pid: int | None = None
        self._peak = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def watch(self, pid: int) -> None:
        self._pid = pid

    def stop(self) -> float:
        self._end.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        pause = 0.05
        while not self._end.wait(pause):
            if self._pid is None:
                continue
            started = time.monotonic()
            self._peak = max(self._peak, sum(_held_mb(pid) for pid in family(self._pid)))
            pause = max(0.1, 10 * (time.monotonic() - started))


def family(root: int) -> set[int]:
    """Return a process and its descendants. A sandbox is a child of the warm process, its subreaper."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            with contextlib.suppress(OSError):
                parent = int(Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found, left = set(), [root]
    while left:
        pid = left.pop()
        found.add(pid)
        left += children.get(pid, [])
    return found


def _held_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    with contextlib.suppress(OSError, IndexError):
        _, resident, shared = map(int, Path(f"/proc/{pid}/statm").read_text().split()[:3])
        return (resident - shared) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    return 0.0
