"""The warm process: imports what the course needs once, then forks a sandboxed kernel whenever asked.

It is a program of its own (`python -m autograder.engine.zygote FD`), started before the grader has read
any submission, gradebook or hidden test, so that nothing of them is in the memory its kernels inherit.
It speaks over one inherited socket: a JSON message asks for a kernel, the answer is the process id of
its sandbox. When the grader's end of the socket closes, for whatever reason, every kernel is killed.
"""

import array
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence

from autograder.engine.sandbox import Limits, SandboxError, View, become_subreaper, spawn

MESSAGE_SIZE = 1 << 20
# Imported whatever the course: without these a new kernel spends most of its first half second on them.
_KERNEL_MODULES = (
    "autograder.engine.kernel",
    "debugpy",
    "ipykernel.debugger",
    "ipykernel.kernelapp",
    "IPython.core.completerlib",
    "matplotlib_inline.backend_inline",
)


def main() -> None:
    """Serve requests from the socket whose descriptor is the first argument."""
    control = socket.socket(fileno=int(sys.argv[1]))
    hello = json.loads(control.recv(MESSAGE_SIZE))
    # The grader's terminal sends Ctrl-C to the whole group; the grader decides what ends here.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    become_subreaper()
    missing = warm_up([*hello["warm"], *_KERNEL_MODULES])
    control.send(json.dumps({"missing": missing, "threads": len(os.listdir("/proc/self/task"))}).encode())
    serve(control)


def warm_up(modules: Sequence[str]) -> list[str]:
    """Import modules and return those that could not be; then make what is loaded cheap to share.

    Objects that exist now are moved out of the garbage collector's sight: a collection in a forked
    kernel would otherwise touch, and so copy, every page of them.
    """
    missing = []
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as error:
            missing.append(f"{name}: {error}")
    gc.collect()
    gc.freeze()
    return missing


def serve(control: socket.socket) -> None:
    """Answer requests until the grader's end closes; then end every sandbox."""
    sandboxes: set[int] = set()
    try:
        while True:
            # A short wait, so that ended sandboxes are reaped also when nobody asks for a new one.
            ready, _, _ = select.select([control], [], [], 0.2)
            reap(sandboxes)
            if not ready:
                continue
            message, descriptors = receive(control)
            if not message:
                return
            control.send(json.dumps(start(json.loads(message), descriptors, sandboxes)).encode())
    finally:
        for pid in sandboxes:
            os.kill(pid, signal.SIGKILL)


def start(request: dict, descriptors: list[int], sandboxes: set[int]) -> dict:
    """Fork one kernel; return its sandbox's process id or the reason why not.

    The descriptors are the kernel's end of the grader's channel, and the lifeline.
    """

    def inside(sockets_ready: Callable[[], None]) -> None:
        from autograder.engine.kernel import run_kernel

        run_kernel(request, channel_end, sockets_ready)

    channel_end, lifeline = descriptors
    try:
        view = View(**{**request["view"], "read_only": tuple(request["view"]["read_only"])})
        limits = Limits(**request["limits"])
        pid = spawn(view, limits, inside, keep=(channel_end,), lifeline=lifeline)
    except (SandboxError, OSError) as error:
        return {"error": str(error)}
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    sandboxes.add(pid)
    return {"pid": pid}


def receive(control: socket.socket) -> tuple[bytes, list[int]]:
    """Return a message and the descriptors that came with it; an empty message at the end."""
    size = array.array("i").itemsize
    try:
        message, ancillary, _, _ = control.recvmsg(MESSAGE_SIZE, socket.CMSG_SPACE(8 * size))
    except ConnectionError:
        return b"", []
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % size])
    return message, list(descriptors)


def reap(sandboxes: set[int]) -> None:
    """Collect the ended sandboxes."""
    while sandboxes:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        sandboxes.discard(pid)


if __name__ == "__main__":
    main()
