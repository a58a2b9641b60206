"""The gate: runs graded tests inside the kernel, where learner code may have replaced anything.

A kernel executes a copy of this module in a namespace of its own, with its own copy of the built-in
names, before any learner code runs (see kernel.py). The state is in the variables of a generator, which
nothing can read without `gi_frame`, a stack frame, `gc` or a debugger hook. All of these raise audit
events (PEP 578), and an audit hook cannot be taken out again: learner code that uses them is reported to
the grader, and its attempt fails.
"""

import builtins
import sys
from _ast import Expr, Expression
from _thread import get_ident
from collections.abc import Generator, Iterable
from types import ModuleType
from typing import Any

_ONLY_AST = 0x400
# Read past whatever a learner's exception class defines under these names.
_NAME_OF = type.__dict__["__name__"].__get__
_TRACEBACK_OF = BaseException.__dict__["__traceback__"].__get__
# Modules and classes that tests lean on. Those that are loaded are compared before and after each test.
WATCHED_MODULES = (
    *("builtins", "math", "operator", "functools", "itertools", "statistics", "sys", "os", "types"),
    *("numpy", "numpy.linalg", "numpy.random", "numpy.testing", "numpy.testing._private.utils"),
    *("torch", "torch.nn", "torch.nn.functional", "torch.linalg", "torch.autograd", "torch.testing"),
    *("torch.testing._comparison", "pandas", "pandas.testing", "pandas._testing", "pandas._testing.asserters"),
    *("unittest", "unittest.case", "unittest.util", "sklearn.utils.validation"),
    *("IPython.core.interactiveshell", "ipykernel.ipkernel", "ipykernel.kernelbase", "ipykernel.zmqshell"),
)
WATCHED_CLASSES = (
    *("torch.Tensor", "torch.nn.Module", "torch.nn.Parameter", "torch.Generator", "pandas.DataFrame", "pandas.Series"),
    *("unittest.case.TestCase", "ipykernel.ipkernel.IPythonKernel", "IPython.core.interactiveshell.InteractiveShell"),
)
# Their tables of tolerances are data, which can be loosened in place.
_WITH_TABLES = ("torch.testing._comparison", "numpy.testing._private.utils")

# Except those of every module, such as __doc__.
_BUILTIN_NAMES = {name for name in vars(builtins) if not name.startswith("_")}

# Audit events by the word that a library's own code must contain to be the one that asked.
_EVENTS = {
    "sys._getframe": "_getframe",
    "sys._current_frames": "_current_frames",
    "sys._current_exceptions": "_current_exceptions",
    "sys.settrace": "settrace",
    "sys.setprofile": "setprofile",
    "sys.addaudithook": "addaudithook",
    "gc.get_objects": "get_objects",
    "gc.get_referrers": "get_referrers",
    "gc.get_referents": "get_referents",
    "code.__new__": "replace",
    "function.__new__": "FunctionType",
    "compile": "compile eval exec ast parse",
    "exec": "exec eval",
    "marshal.load": "load",
    "marshal.loads": "loads",
    "object.__getattr__": None,
    "object.__setattr__": None,
    "object.__delattr__": None,
}
# Every event whose name starts so, however it came about.
_FAMILIES = ("ctypes.",)
# Library modules through which a learner may look at frames or code: look through them at who called.
_SEE_THROUGH = tuple(
    f"/{name}.py"
    for name in ("inspect", "traceback", "bdb", "pdb", "dis", "code", "codeop", "runpy", "trace", "types", "cmd")
) + ("logging/__init__.py", "_pyrepl", "ctypes/__init__.py", "ctypes/util.py")


def open_gate(
    channel: Any, imports: Iterable[str], pristine: Iterable[str], libraries: tuple[str, ...], own_file: str
) -> Generator[Any, tuple[str, Any], None]:
    """Serve as the gate: answers ("waiting", None) with a bool, and ("run", namespace) by running a test.

    Args:
        channel: this end of the channel to the grader.
        imports: the import statements of the instructor's cells; tests see these names, whatever the
            learner has bound to them.
        pristine: packages of which tests get a copy that learner code has never seen.
        libraries: path prefixes of code that no learner wrote.
        own_file: file name under which this copy of the module was compiled.
    """
    trusted, own_builtins, failed = _import(imports, pristine)
    channel.send({"id": "ready", "failed": failed})
    snapshot = _snapshot(WATCHED_MODULES)
    sys.addaudithook(_audit_hook(channel, libraries, own_file))
    waiting: dict | None = None
    question = yield None
    while True:
        what, argument = question
        if what == "waiting":
            waiting = channel.receive(0)
            question = yield waiting is not None
            continue
        test, waiting = waiting, None
        changed = _differences(snapshot)
        names = {name: value for name, value in trusted.items() if name in test["names"]}
        namespace = {**argument, **names, "__builtins__": own_builtins}
        before = dict(namespace)
        outcome = _run(test["source"], namespace, own_file)
        changed += _differences(snapshot)
        changed += [name for name in names if namespace.get(name) is not names[name]]
        channel.send({"id": test["id"], "changed": changed[:20], **outcome})
        # What a test defines stays visible to later cells, as in an ordinary notebook.
        for name, new in namespace.items():
            if name not in names and name != "__builtins__" and (name not in before or before[name] is not new):
                argument[name] = new
        question = yield True


def _import(statements: Iterable[str], pristine: Iterable[str]) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Execute the instructor's imports; return what they bind, built-in names for the tests, and what failed.

    Some packages are loaded anew, as copies that learner code will not find. The built-in names are a
    copy, too, with an `__import__` that knows the modules of this moment: an import inside a test gives
    what it gave before any learner code ran, whatever has been put into `sys.modules` since.
    """
    prefixes = tuple(pristine)
    loaded = {name: sys.modules.pop(name) for name in list(sys.modules) if _belongs(name, prefixes)}
    names: dict[str, Any] = {}
    failed: list[str] = []
    try:
        for statement in statements:
            try:
                exec(compile(statement, "<imports>", "exec"), names)
            except Exception as error:
                failed.append(f"{statement}: {error}")
        modules = dict(sys.modules)
    finally:
        for name in [name for name in sys.modules if _belongs(name, prefixes)]:
            del sys.modules[name]
        sys.modules.update(loaded)
    names.pop("__builtins__", None)
    first_import = builtins.__import__

    def trusted_import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        if level or name not in modules:
            return first_import(name, globals, locals, fromlist, level)
        return modules[name] if fromlist else modules[name.partition(".")[0]]

    return names, {**vars(builtins), "__import__": trusted_import}, failed


def _belongs(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def _run(source: str, namespace: dict[str, Any], file: str) -> dict[str, Any]:
    """Execute a test as IPython would: the value of a last expression is the cell's result."""
    try:
        tree = compile(source, file, "exec", _ONLY_AST)
        last = tree.body.pop() if tree.body and type(tree.body[-1]) is Expr else None
        exec(compile(tree, file, "exec"), namespace)
        result = None
        if last is not None:
            result = eval(compile(Expression(last.value), file, "eval"), namespace)
        return {"status": "passed", "result": None if result is None else str(repr(result))[:200]}
    except BaseException as error:
        return {"status": "failed", **_describe(error, file)}


def _describe(error: BaseException, file: str) -> dict[str, Any]:
    """Name, text and the last line of the test that an exception passed through; never a frame's content."""
    line, step = 0, _TRACEBACK_OF(error)
    while step is not None:
        if step.tb_frame.f_code.co_filename == file and step.tb_frame.f_globals is not globals():
            line = step.tb_lineno
        step = step.tb_next
    try:
        # A learner's exception may have a __str__ of its own.
        text = str(str(error))[:8000]
    except BaseException:
        text = ""
    return {"ename": _NAME_OF(type(error))[:100], "evalue": text, "line": line}


def _snapshot(names: Iterable[str]) -> list[tuple[str, Any, dict, set, dict]]:
    """Remember what the watched modules and classes hold: functions, classes, modules and tables."""
    spaces: list[tuple[str, Any]] = [("sys.modules", sys.modules)]
    for name in names:
        if name in sys.modules:
            spaces.append((name, vars(sys.modules[name])))
    for name in WATCHED_CLASSES:
        module, _, kind = name.rpartition(".")
        if isinstance(getattr(sys.modules.get(module), kind, None), type):
            spaces.append((name, getattr(sys.modules[module], kind).__dict__))
    kept = []
    for name, space in spaces:
        kinds = (ModuleType, property, classmethod, staticmethod)
        fixed = {key: value for key, value in space.items() if callable(value) or isinstance(value, kinds)}
        if name == "sys.modules":
            fixed = {key: value for key, value in fixed.items() if key in names}
        tables = {key: dict(value) for key, value in space.items() if name in _WITH_TABLES and type(value) is dict}
        # A new name that hides a built-in one changes what the module's own functions do.
        hidden = _BUILTIN_NAMES & space.keys()
        kept.append((name, space, fixed, hidden, tables))
    return kept


def _differences(snapshot: list[tuple[str, Any, dict, set, dict]]) -> list[str]:
    """Return the names in watched modules and classes that are no longer what they were."""
    found = []
    missing = object()
    for name, space, fixed, hidden, tables in snapshot:
        found += [f"{name}.{key}" for key, value in fixed.items() if space.get(key, missing) is not value]
        found += [f"{name}.{key}" for key in (_BUILTIN_NAMES & space.keys()) - hidden]
        found += [f"{name}.{key}" for key, table in tables.items() if space.get(key) != table]
    return found


def _audit_hook(channel: Any, libraries: tuple[str, ...], own_file: str) -> Any:
    """Return a hook that reports introspection by learner code, and makes it fail."""
    events, families, see_through = _EVENTS, _FAMILIES, _SEE_THROUGH
    getframe, ident = sys._getframe, get_ident
    inside: set[int] = set()
    reports = [0]

    def who(frame: Any, word: str) -> str | None:
        words = word.split()
        while frame is not None:
            code = frame.f_code
            file = code.co_filename
            if file == own_file or file == "<imports>":
                return None
            if not file.startswith(libraries) and not file.startswith("<frozen"):
                return f"line {frame.f_lineno} of {code.co_name}"
            if file.endswith(see_through):
                # inspect, traceback and their like ask for whoever called them, by their function's name.
                words = [code.co_name]
            elif any(w in code.co_names or w in code.co_consts for w in words):
                # A library looks at frames for its own purposes. It must be its own code that asks, not
                # a function of the learner's choice that it calls back.
                return None
            frame = frame.f_back
        return None

    def hook(event: str, arguments: tuple) -> None:
        if event not in events:
            if not event.startswith(families):
                return
            word = event.rpartition(".")[2]
        else:
            word = events[event] or arguments[1]
        me = ident()
        if me in inside:
            return
        inside.add(me)
        try:
            place = who(getframe(1), word)
            if place is None:
                return
            if reports[0] < 20:
                reports[0] += 1
                channel.send({"tampering": f"{event} {word.split()[0]} at {place}"})
        finally:
            inside.discard(me)
        raise RuntimeError("this is not available while a notebook is graded")

    return hook
