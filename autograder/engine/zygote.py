"""The warm process: imports what the course needs once, then forks a sandboxed kernel whenever asked.

It is a program of its own (`python -m autograder.engine.zygote FD`), started before the grader has read
any submission, gradebook or hidden test, so that nothing of them is in the memory its kernels inherit.
It speaks over one inherited socket: a JSON message asks for a kernel, the answer is the process id of
its sandbox. When the grader's end of the socket closes, for whatever reason, every kernel is killed.
"""

import array
import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence

from autograder.engine.rehearsal import rehearse
from autograder.engine.sandbox import CopyError, Limits, SandboxError, View, become_subreaper, spawn

MESSAGE_SIZE = 1 << 20
_CLOSED_BY_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
# Imported whatever the course: without these a new kernel spends most of its first half second on them.
_KERNEL_MODULES = (
    "autograder.engine.direct",
    "faulthandler",
    "ipykernel.debugger",
    "ipykernel.kernelapp",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "matplotlib_inline.backend_inline",
    "pdb",
    "tornado.platform.asyncio",
)


def main() -> None:
    """Serve requests from the socket whose descriptor is the first argument."""
    control = socket.socket(fileno=int(sys.argv[1]))
    greeting, _ = receive(control)
    if not greeting:
        return
    hello = json.loads(greeting)
    # The grader's terminal sends Ctrl-C to the whole group; the grader decides what ends here.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    become_subreaper()
    # Nobody debugs a submission: without its debugger ipykernel starts sooner, and has less to attack.
    sys.modules["debugpy"] = None
    # First of all, as in any kernel: what derives from pdb's class, doctest's does, shall have IPython's.
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.init_pdb(None)
    missing = warm_up([*hello["warm"], *_KERNEL_MODULES])
    # With what only Jupyter needs, which is imported by now.
    from autograder.engine import kernel

    kernel.compile_gate(hello["gate"])
    rehearse()
    gc.freeze()
    try:
        control.send(json.dumps({"missing": missing, "threads": len(os.listdir("/proc/self/task"))}).encode())
    except ConnectionError:
        # The grader has ended meanwhile.
        return
    with contextlib.suppress(ConnectionError):
        serve(control, sandboxed=hello.get("sandboxed", True))
    # Nothing is left to do, and to take down 2,500 modules one by one takes a quarter of a second.
    os._exit(0)


def warm_up(modules: Sequence[str]) -> list[str]:
    """Import modules and return those that could not be; then make what is loaded cheap to share.

    Objects that exist now are moved out of the garbage collector's sight: a collection in a forked
    kernel would otherwise touch, and so copy, every page of them.
    """
    missing = []
    # Nearly all that an import makes stays: looking for garbage again and again costs a fifth of its time, and
    # once at the end still a tenth.
    gc.disable()
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # whatever a module may raise, or a name that is none
            missing.append(f"{name}: {error}")
    gc.freeze()
    gc.enable()
    return missing


def serve(control: socket.socket, *, sandboxed: bool = True) -> None:
    """Answer requests until the grader's end closes; then end every sandbox."""
    from autograder.engine import kernel

    begin = start if sandboxed else start_plain
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
            request = json.loads(message)
            if kernel.prepare(request, ahead=sandboxed):
                gc.freeze()
            control.send(json.dumps(begin(request, descriptors, sandboxes)).encode())
    finally:
        for pid in sandboxes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL) if sandboxed else os.killpg(pid, signal.SIGKILL)


def start(request: dict, descriptors: list[int], sandboxes: set[int]) -> dict:
    """Fork one kernel; return its sandbox's process id or the reason why not.

    The descriptors are the kernel's end of the grader's channel, the lifeline and, if the grader itself is to
    speak to the kernel, its end of that connection.
    """

    def inside(sockets_ready: Callable[[], None]) -> None:
        from autograder.engine.kernel import run_kernel

        run_kernel(request, channel_end, *(messages_end or [None]), sockets_ready)

    channel_end, lifeline, *messages_end = descriptors
    try:
        view = View(**{**request["view"], "read_only": tuple(request["view"]["read_only"])})
        limits = Limits(**request["limits"])
        pid = spawn(view, limits, inside, keep=(channel_end, *messages_end), lifeline=lifeline)
    except (SandboxError, OSError) as error:
        return {"error": str(error), "copy": isinstance(error, CopyError)}
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    sandboxes.add(pid)
    return {"pid": pid}


def start_plain(request: dict, descriptors: list[int], kernels: set[int]) -> dict:
    """Fork one kernel without a sandbox, as the leader of a process group of its own; return its process id."""
    from autograder.engine import kernel

    channel_end, lifeline, *messages_end = descriptors
    try:
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                if sys.platform == "linux":
                    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
                keep = (0, 1, 2, channel_end, *messages_end)
                for descriptor in map(int, os.listdir("/dev/fd")):
                    if descriptor not in keep:
                        with contextlib.suppress(OSError):
                            os.close(descriptor)
                folder = request["folder"]
                kernel.SOCKETS, kernel.HOME = folder, f"{folder}/home"
                kernel.WORK = f"{kernel.HOME}/work"
                work = request["view"]["work"]
                os.mkdir(kernel.HOME)
                if work:
                    shutil.copytree(work, kernel.WORK)
                request["environment"] |= {"HOME": kernel.HOME}
                # What is cheap to limit without a sandbox: a runaway answer should not take the machine along.
                limits = Limits(**request["limits"])
                resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                kernel.run_kernel(request, channel_end, *(messages_end or [None]), lambda: None)
            except BaseException:
                os.write(2, traceback.format_exc().encode())
            finally:
                os._exit(0)
    except OSError as error:
        return {"error": str(error)}
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    kernels.add(pid)
    return {"pid": pid}


def receive(control: socket.socket) -> tuple[bytes, list[int]]:
    """Return a message and the descriptors that came with it; an empty message at the end."""
    size = array.array("i").itemsize
    try:
        # Programs that a cell starts have no use for them.
        message, ancillary, _, _ = control.recvmsg(MESSAGE_SIZE, socket.CMSG_SPACE(8 * size), _CLOSED_BY_EXEC)
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
