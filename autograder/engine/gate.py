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
from _asyncio import _get_running_loop, _set_running_loop
from _thread import get_ident
from asyncio import new_event_loop
from collections.abc import Generator, Iterable
from posix import _exit, getpid
from types import ModuleType
from typing import Any

_ONLY_AST, _TOP_LEVEL_AWAIT, _COROUTINE = 0x400, 0x2000, 0x80
# Read past whatever a learner's class defines under these names.
_MRO_OF = type.__dict__["__mro__"].__get__
_MODULE_SPACE = ModuleType.__dict__["__dict__"].__get__
_NAME_OF = type.__dict__["__name__"].__get__
_TRACEBACK_OF = BaseException.__dict__["__traceback__"].__get__
# Where learners may put a folder named dlcourse.
_WRITABLE = ("/home/learner/", "/tmp/", "/dev/shm/")
_NUMBERS = (int, float, bool, complex)
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
    "os.fork": "fork",
    "os.forkpty": "fork",
    "object.__getattr__": None,
    "object.__setattr__": None,
    "object.__delattr__": None,
    # Raised by the guarded modules, see _guard.
    "autograder.setattr": None,
}
# Classes are renamed in all innocence.
_HARMLESS = frozenset(("__name__", "__qualname__", "__module__", "__doc__"))
# Events by the place of the name among their arguments.
_ABOUT_A_NAME = {
    "import": 0,
    "object.__getattr__": 1,
    "object.__setattr__": 1,
    "object.__delattr__": 1,
    "autograder.setattr": 1,
}
# These compile what a learner wrote, under a name of the learner's choice.
_ASKED_BY_LEARNERS = ("/IPython/core/compilerop.py", "/IPython/core/interactiveshell.py")
# Modules that give raw memory.
_RAW_MODULES = ("_cffi_backend", "_ctypes")
# Every event whose name starts so, however it came about.
_FAMILIES = ("ctypes.",)
# Library modules through which a learner may look at frames or code: look through them at who called.
_SEE_THROUGH = tuple(
    f"/{name}.py" for name in ("inspect", "bdb", "pdb", "dis", "code", "codeop", "runpy", "trace", "types", "cmd")
) + ("_pyrepl", "ctypes/__init__.py", "ctypes/util.py")
# These look at frames all the time and give only text, but for a few functions that hand out frames.
_TELLERS = ("/logging/__init__.py", "/traceback.py")
_HANDING = {"<lambda>", "currentframe", "walk_tb", "walk_stack", "_walk_tb_with_full_positions"}
# Libraries that compile texts which a learner gives them: these are read like cells.
_READERS = ("/pandas/core/computation/expr.py", "/sympy/parsing/sympy_parser.py")
_LONGEST_CODE = 60_000


def open_gate(
    channel: Any, imported: tuple[dict, dict, list[str]], libraries: tuple[str, ...], own_file: str
) -> Generator[Any, tuple[str, Any], None]:
    """Serve as the gate: answers ("waiting", None) with a bool, and ("run", namespace) by running a test.

    Args:
        channel: this end of the channel to the grader.
        imported: what `import_apart` returned.
        libraries: path prefixes of code that no learner wrote.
        own_file: file name under which this copy of the module was compiled.
    """
    trusted, modules, failed = imported
    own_builtins = _own_builtins(modules)
    channel.send({"id": "ready", "failed": failed})
    _remove_raw_memory()
    snapshot = _snapshot(WATCHED_MODULES)
    process = getpid()
    _guard(WATCHED_MODULES)
    sys.addaudithook(_audit_hook(channel, libraries, own_file, snapshot))
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
        # A learner's `sum = 0` must not change what a test does, nor must a learner's `all`.
        theirs = {n: value for n, value in argument.items() if n not in _BUILTIN_NAMES or n in test.get("own", ())}
        namespace = {**theirs, **names, "__builtins__": own_builtins}
        # Functions that the instructor gave are those the instructor wrote.
        exec(compile(test.get("given", ""), own_file, "exec"), namespace)
        before = dict(namespace)
        outcome = _run(test["source"], namespace, _Shared(namespace, argument, names), own_file)
        if getpid() != process:
            # The learner's code forked: the verdict is the first process's to give.
            _exit(0)
        changed += _differences(snapshot)
        changed += outcome.pop("forged", ())
        changed += [name for name in names if namespace.get(name) is not names[name]]
        channel.send({"id": test["id"], "changed": changed[:20], **outcome})
        # What a test defines stays visible to later cells, as in an ordinary notebook.
        for name, new in namespace.items():
            if name not in names and name != "__builtins__" and (name not in before or before[name] is not new):
                argument[name] = new
        question = yield True


def import_apart(statements: Iterable[str], pristine: Iterable[str]) -> tuple[dict[str, Any], dict, list[str]]:
    """Execute the instructor's imports, with copies of some packages that learner code will not find.

    Args:
        statements: the import statements of the instructor's cells; tests see these names, whatever the
            learner has bound to them.
        pristine: the packages that are loaded anew.

    Returns:
        What the statements bind, the modules of this moment by name, and what failed.
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
    return names, modules, failed


def _own_builtins(modules: dict[str, ModuleType]) -> dict[str, Any]:
    """Return built-in names for the tests, with an `__import__` that knows the modules of this moment.

    An import inside a test gives what it gave before any learner code ran, whatever has been put into
    `sys.modules` since.
    """
    # The kernel's own start has added some at the end; to look at the others would cost a copy of their memory.
    for name in reversed(sys.modules):
        if name in modules:
            break
        modules[name] = sys.modules[name]
    isolated = _isolated(_TRUSTED_IMPORT, first_import=builtins.__import__, modules=modules)
    return {**vars(builtins), "__import__": isolated["trusted_import"]}


# What learner code can get hold of is compiled apart: its `__globals__` are not the gate's.
_TRUSTED_IMPORT = """
def trusted_import(name, globals=None, locals=None, fromlist=(), level=0):
    if level or name not in modules:
        return first_import(name, globals, locals, fromlist, level)
    return modules[name] if fromlist else modules[name.partition(".")[0]]
"""
_GUARDED = """
class Guarded(ModuleType):
    def __setattr__(self, name, value):
        audit("autograder.setattr", self, name, value)
        change(self, name, value)

    def __delattr__(self, name):
        audit("autograder.setattr", self, name, None)
        remove(self, name)
"""


def _isolated(source: str, **names: Any) -> dict[str, Any]:
    names |= {"__name__": "isolated", "__builtins__": dict(vars(builtins))}
    exec(compile(source, "<imports>", "exec"), names)
    return names


def _guard(watched: Iterable[str]) -> None:
    """Let the watched modules raise an audit event whenever an attribute of theirs is set.

    Comparing them before and after a test does not show a function that was replaced only for a moment.
    """
    raw = {"change": ModuleType.__setattr__, "remove": ModuleType.__delattr__}
    guarded = _isolated(_GUARDED, ModuleType=ModuleType, audit=sys.audit, **raw)["Guarded"]
    for name in watched:
        if type(sys.modules.get(name)) is ModuleType:
            sys.modules[name].__class__ = guarded


def _remove_raw_memory() -> None:
    """Take away what turns a number into memory and what no notebook needs."""
    native = sys.modules.get("torch._C")
    for name in ("_construct_storage_from_data_pointer", "_construct_CUDA_Tensor_From_Storage_And_Metadata"):
        if native is not None and hasattr(native, name):
            delattr(native, name)


def _belongs(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


class _Shared:
    """The names of a running test. What it binds anew or deletes of the learner's, the learner's functions see.

    A test may take away a function to see whether another one calls it. What the test adds is its own.
    """

    def __init__(self, namespace: dict[str, Any], theirs: dict[str, Any], fixed: Iterable[str]) -> None:
        self._namespace, self._theirs = namespace, theirs
        self._common = {name for name in theirs if name in namespace and name not in fixed}

    def __getitem__(self, name: str) -> Any:
        return self._namespace[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._namespace[name] = value
        if name in self._common:
            self._theirs[name] = value

    def keys(self) -> Iterable[str]:
        """Return all names, for IPython's magics."""
        return self._namespace.keys()

    def __delitem__(self, name: str) -> None:
        del self._namespace[name]
        if name in self._common:
            self._theirs.pop(name, None)


def _run(source: str, namespace: dict[str, Any], shared: _Shared, file: str) -> dict[str, Any]:
    """Execute a test as IPython would: the value of a last expression is the cell's result."""
    try:
        tree = compile(source, file, "exec", _ONLY_AST)
        last = tree.body.pop() if tree.body and type(tree.body[-1]) is Expr else None
        _finish(eval(code := compile(tree, file, "exec", _TOP_LEVEL_AWAIT), namespace, shared), code)
        result = None
        if last is not None:
            code = compile(Expression(last.value), file, "eval", _TOP_LEVEL_AWAIT)
            result = _finish(eval(code, namespace, shared), code)
        if result is None or type(result) in _NUMBERS:
            return {"status": "passed", "result": None if result is None else str(repr(result))[:200]}
        # Points are read from this text. An object of another kind may say anything about itself.
        text = str(repr(result))[:200]
        try:
            float(text)
        except ValueError:
            return {"status": "passed", "result": text}
        return {"status": "passed", "result": text, "forged": ["the number that is the test's result"]}
    except BaseException as error:
        return {"status": "failed", **_describe(error, file)}


def _finish(value: Any, code: Any) -> Any:
    """Return the value of executed code; code with a top-level await is run in an event loop of its own."""
    if not code.co_flags & _COROUTINE:
        return value
    results = []

    async def run() -> None:
        results.append(await value)

    around = _get_running_loop()
    _set_running_loop(None)
    loop = new_event_loop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
        _set_running_loop(around)
    # An event loop that was tampered with may have left out the test.
    return results[0]


def _describe(error: BaseException, file: str) -> dict[str, Any]:
    """Name, text and the last line of the test that an exception passed through; never a frame's content."""
    line, step, in_answer = 0, _TRACEBACK_OF(error), False
    while step is not None:
        name = step.tb_frame.f_code.co_filename
        if name == file and step.tb_frame.f_globals is not globals():
            line = step.tb_lineno
        elif name != file:
            # Whether code that sees what the test gave it had a say in the message.
            in_answer = in_answer or "/dlcourse/" not in name or name.startswith(_WRITABLE)
        step = step.tb_next
    try:
        # A learner's exception may have a __str__ of its own.
        text = str(str(error))[:8000]
    except BaseException:
        text = ""
    return {"ename": _NAME_OF(type(error))[:100], "evalue": text, "line": line, "in_answer": in_answer}


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


def _is_no(value: Any) -> bool:
    return value is None or value is False


def _is_below(kind: type, base: type) -> bool:
    """Return whether a class has another one above it, without asking the class."""
    return any(above is base for above in _MRO_OF(kind))


def _audit_hook(channel: Any, libraries: tuple[str, ...], own_file: str, snapshot: list) -> Any:
    """Return a hook that reports introspection by learner code, and makes it fail."""
    about_a_name = _ABOUT_A_NAME
    events, families, see_through, tellers = _EVENTS, _FAMILIES, _SEE_THROUGH, _TELLERS
    getframe, ident = sys._getframe, get_ident
    fixed = {id(space): (name, known) for name, space, known, _, _ in snapshot}
    inside: set[int] = set()
    deeper: set[int] = set()
    reports = [0]
    native = (*libraries, "/usr/", "/lib")

    def who(frame: Any, event: str, word: str) -> str | None:
        """Return the place in learner code that asked for this; None if it was a library for its own purposes."""
        words = set(word.split())
        while frame is not None:
            code = frame.f_code
            file = code.co_filename
            if file == own_file or file == "<imports>":
                return None
            if not file.startswith(libraries) and not file.startswith("<frozen"):
                return f"line {frame.f_lineno} of {code.co_name}"
            if file.endswith(tellers):
                # Not asked for its truth: that would run a learner's code in here.
                if code.co_name not in _HANDING and _is_no(frame.f_locals.get("capture_locals")):
                    return None
                words = _HANDING
                if code.co_name in _HANDING and frame.f_back and frame.f_back.f_code.co_filename == file:
                    words = set()
            elif file.endswith(see_through):
                # inspect, ctypes and their like ask for whoever called them, by their function's or class's name.
                words = {*code.co_qualname.split("."), *(("compile", "exec") if event == "compile" else ())}
            elif any(w in code.co_names or w in code.co_consts for w in words):
                # A library looks at frames for its own purposes. It must be its own code that asks, not
                # a function of the learner's choice that it calls back.
                return None
            elif event.startswith("ctypes.") and "ctypes" in frame.f_globals:
                return None
            frame = frame.f_back
        return None

    def judge(event: str, arguments: tuple, frame: Any) -> str | None:
        """Return what is wrong with an event, or None."""
        if event in about_a_name and type(arguments[about_a_name[event]]) is not str:
            # Events can be raised by anybody, with objects that act when they are looked at.
            return "with a name that is no text"
        if event == "import":
            # Native code of the learner's own could do anything.
            if type(arguments[1]) is str and not arguments[1].startswith(native):
                return f"native module {arguments[0]}"
            if arguments[0] not in _RAW_MODULES:
                return None
            place = who(frame, event, arguments[0])
            return f"{arguments[0]} at {place}" if place else None
        path = arguments[0] if event == "ctypes.dlopen" and type(arguments[0]) is str else ""
        if "/" in path and not path.startswith(native):
            return "native library"
        if event == "marshal.loads" and frame.f_code.co_name == "_compile_bytecode":
            # Nobody can read compiled code, and it can claim to come from any file.
            path = frame.f_locals.get("bytecode_path")
            if path is not None and (type(path) is not str or not path.startswith(libraries)):
                return "compiled code"
        if event == "autograder.setattr":
            if not _is_below(type(arguments[0]), ModuleType):
                return "of no module"
            # Asked by whoever set the attribute, not by the guarded class.
            frame = frame.f_back
            name, known = fixed.get(id(_MODULE_SPACE(arguments[0])), ("", {}))
            if arguments[1] not in known or known[arguments[1]] is arguments[2]:
                return None
        word = events.get(event, event.rpartition(".")[2]) or arguments[1]
        place = who(frame, event, word)
        if place is not None:
            return f"{word.split()[0]} at {place}"
        if event == "compile":
            if type(arguments[1]) is str and claims(arguments[1], frame.f_code.co_filename):
                return "of code under the name of a library"
            if arguments[0] is not None:
                show(arguments[0], arguments[1], frame)
        return None

    def claims(file: str, asked_by: str) -> bool:
        """Return whether code would pass for a library's, or for the gate's, without being loaded from there."""
        if not asked_by.endswith(_ASKED_BY_LEARNERS):
            return False
        library = file.endswith(".py") and file.startswith(libraries)
        return library or file in (own_file, "<imports>") or file.startswith("<frozen")

    def show(source: Any, file: Any, frame: Any) -> None:
        """Send the grader code that stands in no cell: of modules beside the notebook and of texts for `eval`."""
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            if type(file) is not str or file.startswith(libraries):
                return
        else:
            steps = 0
            while frame is not None and not frame.f_code.co_filename.endswith(_READERS):
                frame, steps = frame.f_back, steps + 1
                if steps > 3:
                    return
            if frame is None:
                return
        text = source if type(source) is str else str(source, "utf-8", "replace") if type(source) is bytes else ""
        if text:
            channel.send({"code": text[:_LONGEST_CODE], "cut": len(text) > _LONGEST_CODE})

    def hook(event: str, arguments: tuple) -> None:
        if event not in events and event != "import" and not event.startswith(families):
            return
        if event == "object.__setattr__" and arguments[1] in _HARMLESS:
            return
        me = ident()
        if me in inside:
            # Of the hook's own doing, usually.
            if me in deeper:
                return
            deeper.add(me)
            try:
                mine = getframe(1).f_code.co_filename == own_file
            finally:
                deeper.discard(me)
            if mine:
                return
            raise RuntimeError("this is not available while a notebook is graded")
        inside.add(me)
        try:
            found = judge(event, arguments, getframe(1))
            if found is None:
                return
            if reports[0] < 20:
                reports[0] += 1
                channel.send({"tampering": f"{event} {found}"})
        finally:
            inside.discard(me)
        raise RuntimeError("this is not available while a notebook is graded")

    return hook
