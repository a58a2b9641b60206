"""The kernel inside the sandbox: ipykernel, except that graded tests are run by the gate.

What is here serves the grader and any other program that starts kernels; direct.py is for the grader only.

Learner code shares this process and may replace anything it can reach, so whatever Jupyter's messages
say about a test is not believed. The grader sends each test over a private channel; the gate runs it and
answers there. A gate that was bypassed gives no answer, and no answer means that a human must look.
"""

import builtins
import contextlib
import os
import socket
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, ModuleType, SimpleNamespace
from typing import Any

import ipykernel.ipkernel
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp

from autograder.engine import tracebacks
from autograder.engine.gate import import_apart
from autograder.engine.messages import Messages
from autograder.engine.sandbox import HOME, SOCKETS

WORK = f"{HOME}/work"
# Made in the warm process, once for all kernels: each of them would spend a third of its start on these.
_own_file = ""
_codes: dict[str, CodeType] = {}
_prepared: dict[tuple, tuple] = {}
_watch: ModuleType | None = None
_begin_to_watch: Callable | None = None
_own_modules: list[str] = []
_app: IPKernelApp | None = None
# Where an environment behind a link really lies can be told only outside of the sandbox.
_places = {sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
_libraries = tuple(_places | {os.path.realpath(place) for place in _places})
_MAIN = SimpleNamespace(parent_thread=threading.main_thread())


class GradingKernel(IPythonKernel):
    """An IPython kernel that lets the gate run a cell when the grader has sent a test for it."""

    gate: Callable

    async def do_execute(self, code, silent, *args, **kwargs):
        """Run a cell, or the test that waits in the channel."""
        if not self.gate(("waiting", None)):
            # ipykernel asks the thread for subshells, which is not there, before it runs a cell with an `await`.
            self.shell_channel_thread = _MAIN
            try:
                return await super().do_execute(code, silent, *args, **kwargs)
            finally:
                self.shell_channel_thread = None
        with contextlib.suppress(StopIteration):
            self.gate(("run", self.shell.user_ns))
        # Figures that the test drew are shown as after any other cell.
        self.shell.events.trigger("post_execute")
        return {"status": "ok", "execution_count": self.execution_count, "user_expressions": {}, "payload": []}


class GradingKernelApp(IPKernelApp):
    """ipykernel's application with that kernel, without files about a connection."""

    kernel_class = GradingKernel

    def parse_command_line(self, argv: list[str] | None = None) -> None:
        """Do nothing: there are no arguments, and building a parser for them takes 10 ms."""

    def load_config_file(self, *args: object, **kwargs: object) -> None:
        """Do nothing: there is none in a new home."""

    def init_connection_file(self) -> None:
        """Do nothing: who asked for the kernel knows how to connect."""

    log_connection_info = write_connection_file = init_connection_file

    def init_control(self, context: object) -> None:
        """Go without the thread for subshells, which only a person at a keyboard would open."""
        super().init_control(context)
        self.shell_channel_thread = None

    def _configure_logging(self) -> None:
        """Do nothing: nobody reads a log here, and to look at every logger copies the memory it lies in."""

    def init_code(self) -> None:
        """Run nothing: there are no start-up files in a new home."""
        self.shell.user_ns_hidden.update(self.shell.user_ns)
        # A view, not a set of its own: to count each of 2,500 names once more would copy the memory they lie in.
        self.shell._sys_modules_keys = sys.modules.keys()


def compile_gate(file: str) -> None:
    """Compile in the warm process what each kernel executes a copy of, under the file name that the grader chose."""
    global _own_file
    _own_file = file
    for name in ("channel", "hook", "classes", "watch", "gate"):
        _codes[name] = compile(Path(__file__).with_name(f"{name}.py").read_text("utf-8"), file, "exec")


def prepare(request: dict, *, ahead: bool) -> bool:
    """Do in the warm process what each kernel would have to; return whether there was something to do.

    Args:
        request: what warm.py says about the kernel.
        ahead: whether the kernels' environment is known already, as it is the same for all in a sandbox.
    """
    global _app, _watch, _begin_to_watch, _own_modules
    key = _imports_of(request)
    if key in _prepared:
        return False
    _prepared[key] = import_apart(*key)
    if ahead and _app is None and request["connection"] is None:
        _app = _make_ahead(request)
    # Anew, for what is loaded by now.
    _watch = _watch or _private_copy("watch", _codes)
    _begin_to_watch = _watch.prepare()
    # Here, since to go through all modules in a kernel would copy the memory their names lie in.
    _own_modules = [name for name in sys.modules if name.startswith("autograder.engine")]
    return True


def _make_ahead(request: dict) -> IPKernelApp:
    """Make the application in the warm process, and leave that as it was, but for its environment."""
    was = sys.stdout, sys.stderr, sys.excepthook, sys.displayhook
    path = sys.path.copy()
    _set_environment(request)
    try:
        app = _make(request)
        tracebacks.rehearse(app.shell)
        return app
    finally:
        sys.stdout, sys.stderr, sys.excepthook, sys.displayhook = was
        # A kernel looks for modules in its folder first; that of this process is the instructor's.
        sys.path[:] = path
        for name in ("last_type", "last_value", "last_traceback"):
            vars(sys).pop(name, None)


def _set_environment(request: dict) -> None:
    os.environ.clear()
    os.environ.update(request["environment"])


def _make(request: dict) -> IPKernelApp:
    """Make ipykernel's application."""
    if request["connection"] is None:
        # Imported by now, with what it needs of this module.
        from autograder.engine.direct import DirectKernelApp

        app = DirectKernelApp.instance()
    else:
        app = GradingKernelApp.instance()
        app.load_connection_info({**request["connection"], "ip": f"{SOCKETS}/k"})
    app.config.HistoryManager.enabled = False
    with _without_module_list():
        app.initialize([])
    # Shell lines (`!ls`) usually run under a terminal of their own, which the sandbox does not have.
    app.shell.system = app.shell.system_raw
    for name in ("transform_cell", "should_run_async"):
        setattr(app.shell, name, _asked_twice(getattr(app.shell, name)))
    _show_figures()
    tracebacks.speed_up(app.shell)
    return app


def _imports_of(request: dict) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(request["imports"]), tuple(request["pristine"])


def run_kernel(request: dict, channel_end: int, messages_end: int | None, sockets_ready: Callable[[], None]) -> None:
    """Be the kernel until the sandbox ends. Called in the forked process, with every limit in force.

    Args:
        request: what warm.py says about the kernel.
        channel_end: the descriptor of the private channel.
        messages_end: that of the grader's connection; None for a kernel that has sockets instead.
        sockets_ready: to be called when nothing more is written to the folder of the sockets.
    """
    if _app is None:
        _set_environment(request)
    os.makedirs(WORK, exist_ok=True)
    os.chdir(WORK)
    sys.path.insert(0, "")
    # The grader's terminal is not for learners to write to; only a failed start is told there.
    terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        app = _app or _make(request)
        if messages_end is not None:
            app.begin(Messages(socket.socket(fileno=messages_end)))
        app.kernel.gate = _open_gate(request, channel_end)
    except BaseException:
        os.dup2(terminal, 2)
        raise
    finally:
        os.close(terminal)
        os.close(nowhere)
    sockets_ready()
    app.start()


def _asked_twice(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives the second time what it gave the first time, if asked for the same cell in a row.

    ipykernel asks IPython what a cell is in plain Python and whether it has an `await`, and IPython then asks itself.
    """
    last: list[Any] = []

    def answer(raw_cell: str, *args: Any, **kwargs: Any) -> Any:
        known = last.copy()
        last.clear()
        if known and known[0] is raw_cell:
            return known[1]
        found = ask(raw_cell, *args, **kwargs)
        last[:] = raw_cell, found
        return found

    return answer


def _show_figures() -> None:
    """Let figures appear under their cells, if the warm process has loaded what draws them in a notebook.

    That module prepares IPython when it is imported, and in the warm process there was no IPython yet.
    """
    inline = sys.modules.get("matplotlib_inline.backend_inline")
    if inline is not None:
        inline._enable_matplotlib_integration()


@contextlib.contextmanager
def _without_module_list() -> Iterator[None]:
    """Keep ipykernel from listing the files of all modules for a debugger.

    That touches, and so copies, the memory of 2,500 modules: a quarter of a kernel's start.
    """
    own = ipykernel.ipkernel.sys
    short = ModuleType("sys")
    vars(short).update({**vars(own), "modules": {}})
    ipykernel.ipkernel.sys = short
    try:
        yield
    finally:
        ipykernel.ipkernel.sys = own


def _open_gate(request: dict, channel_end: int) -> Callable:
    global _own_file, _codes, _prepared, _watch, _begin_to_watch
    own_file, codes, imported, watch = _own_file, _codes, _prepared[_imports_of(request)], _begin_to_watch
    del _own_file, _codes, _prepared, _watch, _begin_to_watch
    channel_module = _private_copy("channel", codes)
    end = socket.socket(fileno=channel_end)
    channel = channel_module.Channel(end, bytes.fromhex(request.pop("key")), side=1)
    gate_module = _private_copy("gate", codes)
    libraries = (*_libraries, *request["libraries"], str(Path(__file__).parent))
    audit_hook = _private_copy("hook", codes).audit_hook
    class_finder = _private_copy("classes", codes).class_finder
    gate = gate_module.open_gate(channel, imported, libraries, own_file, audit_hook, class_finder, watch)
    next(gate)
    # Nothing else refers to the copies: their names are in no module that learner code can reach.
    for name in _own_modules:
        del sys.modules[name]
    return gate.send


def _private_copy(name: str, codes: dict[str, CodeType]) -> ModuleType:
    """Execute a module again, with its own copy of the built-in names, and without a place in sys.modules."""
    module = ModuleType(name)
    vars(module)["__builtins__"] = dict(vars(builtins))
    exec(codes[name], vars(module))
    return module
