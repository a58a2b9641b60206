"""The kernel inside the sandbox: ipykernel, except that graded tests are run by the gate.

Learner code shares this process and may replace anything it can reach, so whatever Jupyter's messages
say about a test is not believed. The grader sends each test over a private channel; the gate runs it and
answers there. A gate that was bypassed gives no answer, and no answer means that a human must look.
"""

import builtins
import contextlib
import json
import os
import secrets
import socket
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp

from autograder.engine.sandbox import HOME, SOCKETS

WORK = f"{HOME}/work"
# Read while the warm process can still see them: the sandbox shows nothing of this package.
_SOURCES = {name: Path(__file__).with_name(f"{name}.py").read_text("utf-8") for name in ("channel", "gate")}
_CONNECTION_FILE = f"{HOME}/.connection.json"


class GradingKernel(IPythonKernel):
    """An IPython kernel that lets the gate run a cell when the grader has sent a test for it."""

    gate: Callable

    async def do_execute(self, code, silent, *args, **kwargs):
        """Run a cell, or the test that waits in the channel."""
        if not self.gate(("waiting", None)):
            return await super().do_execute(code, silent, *args, **kwargs)
        with contextlib.suppress(StopIteration):
            self.gate(("run", self.shell.user_ns))
        # Figures that the test drew are shown as after any other cell.
        self.shell.events.trigger("post_execute")
        return {"status": "ok", "execution_count": self.execution_count, "user_expressions": {}, "payload": []}


class GradingKernelApp(IPKernelApp):
    """ipykernel's application with that kernel."""

    kernel_class = GradingKernel

    def log_connection_info(self) -> None:
        """Say nothing: the grader knows how to connect."""


def run_kernel(request: dict, channel_end: int, sockets_ready: Callable[[], None]) -> None:
    """Be the kernel until the sandbox ends. Called in the forked process, with every limit in force."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.makedirs(WORK, exist_ok=True)
    os.chdir(WORK)
    sys.path.insert(0, "")
    connection = {**request["connection"], "ip": f"{SOCKETS}/k"}
    with open(_CONNECTION_FILE, "w") as file:
        json.dump(connection, file)
    app = GradingKernelApp.instance(connection_file=_CONNECTION_FILE)
    app.config.HistoryManager.enabled = False
    app.initialize([])
    os.unlink(_CONNECTION_FILE)
    app.kernel.gate = _open_gate(request, channel_end)
    sockets_ready()
    app.start()


def _open_gate(request: dict, channel_end: int) -> Callable:
    # A random file name, so that no learner's code can be compiled under it.
    own_file = f"<gate {secrets.token_hex(16)}>"
    channel_module = _private_copy("channel", own_file)
    end = socket.socket(fileno=channel_end)
    channel = channel_module.Channel(end, bytes.fromhex(request.pop("key")), side=1)
    gate_module = _private_copy("gate", own_file)
    libraries = tuple({os.path.realpath(sysconfig.get_path(k)) for k in ("stdlib", "platstdlib", "purelib", "platlib")})
    libraries += tuple({sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")})
    libraries += (*request["libraries"], str(Path(__file__).parent))
    gate = gate_module.open_gate(channel, request["imports"], request["pristine"], libraries, own_file)
    next(gate)
    # Nothing else refers to the copies: their names are in no module that learner code can reach.
    for name in [name for name in sys.modules if name.startswith("autograder.engine")]:
        del sys.modules[name]
    return gate.send


def _private_copy(name: str, file: str) -> ModuleType:
    """Execute a module again, with its own copy of the built-in names, and without a place in sys.modules."""
    module = ModuleType(name)
    vars(module)["__builtins__"] = dict(vars(builtins))
    exec(compile(_SOURCES[name], file, "exec"), vars(module))
    return module
