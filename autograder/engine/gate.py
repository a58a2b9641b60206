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
from asyncio import new_event_loop
from collections.abc import Callable, Generator, Iterable
from opcode import opmap
from posix import _exit, getpid
from types import CodeType, FunctionType, ModuleType
from typing import Any

from autograder.engine.places import FROZEN, lies_below

_ONLY_AST, _TOP_LEVEL_AWAIT, _COROUTINE = 0x400, 0x2000, 0x80
# Read past whatever a learner's class defines under these names.
_NAME_OF = type.__dict__["__name__"].__get__
_TRACEBACK_OF = BaseException.__dict__["__traceback__"].__get__
_SET_TRACEBACK = BaseException.__dict__["__traceback__"].__set__
_AROUND = (BaseException.__dict__["__context__"].__get__, BaseException.__dict__["__cause__"].__get__)
_CLASSES_ABOVE, _SPACE_OF = type.__dict__["__mro__"].__get__, type.__dict__["__dict__"].__get__
_FLAGS_OF, _MADE_AT_RUN_TIME = type.__dict__["__flags__"].__get__, 1 << 9
_METHOD_CODE = FunctionType.__dict__["__code__"].__get__
_NAMES_OF = ModuleType.__dict__["__dict__"].__get__
_RAISE = opmap["RAISE_VARARGS"]
_NUMBERS = (int, float, bool, complex)
# Names that Python itself binds, for a warning, for `x: int = 1` and for a text at the beginning.
_BOUND_BY_PYTHON = ("__warningregistry__", "__annotations__", "__doc__")
# An error may have come through millions of calls.
_MOST_STEPS = 10_000
# Except those of every module, such as __doc__.
_BUILTIN_NAMES = {name for name in vars(builtins) if not name.startswith("_")}


def open_gate(
    channel: Any,
    imported: tuple[dict, dict, list[str], tuple[str, ...]],
    libraries: tuple[str, ...],
    own_file: str,
    audit_hook: Callable,
    class_finder: Callable,
    watch: Callable,
) -> Generator[Any, tuple[str, Any], None]:
    """Serve as the gate: answers ("waiting", None) with a bool, and ("run", namespace) by running a test.

    Args:
        channel: this end of the channel to the grader.
        imported: what `import_apart` returned.
        libraries: path prefixes of code that no learner wrote.
        own_file: file name under which this copy of the module was compiled.
        audit_hook: what makes the hook, of a copy of hook.py compiled under the same name.
        class_finder: what makes the finder, of a copy of classes.py likewise.
        watch: what goes on with watching libraries, made by a copy of watch.py in the warm process.
    """
    trusted, modules, failed, of_check = imported
    own_builtins = _own_builtins(modules)
    channel.send({"id": "ready", "failed": failed})
    _remove_raw_memory()
    snapshot, differences = watch()
    built_in = dict(own_builtins)
    # What only hidden parts of tests bind: later tests see it, learner code does not.
    private: dict[str, Any] = {}
    process = getpid()
    running, setprofile = [False], sys.setprofile
    sys.addaudithook(audit_hook(channel, libraries, own_file, snapshot, running))
    strange_classes = class_finder(libraries)
    waiting: dict | None = None
    question = yield None
    while True:
        what, argument = question
        if what == "waiting":
            waiting = channel.receive(0)
            question = yield waiting is not None
            continue
        test, waiting = waiting, None
        changed = differences()
        names = {name: value for name, value in trusted.items() if name in test["names"]}
        # A learner's `sum = 0` must not change what a test does, nor must a learner's `all`.
        theirs = {n: value for n, value in argument.items() if n not in _BUILTIN_NAMES or n in test.get("own", ())}
        namespace = {**theirs, **private, **names, "__builtins__": own_builtins}
        changing = {name: theirs[name] for name in test["changing"] if name in theirs and name not in names}
        if changing:
            namespace = _current(namespace, changing, argument)
        changed += _altered(theirs, test["constants"], test["classes"])
        # Functions that the instructor gave are those the instructor wrote.
        try:
            exec(_code_of(test["given"], own_file)[0], namespace)
        except Exception:
            # A default value, say, that is not there any more.
            changed.append("what the notebook's functions are made of")
        before = dict(namespace)
        answered: list[str] = []
        if test["watched"]:
            # Costs time at every call, so only for who writes classes with arithmetic.
            setprofile(_answers(frozenset(test["watched"]), answered.append, libraries, own_file))
        running[0] = True
        shared = _Shared(namespace, argument, names, test["answers"])
        outcome = _run(test["source"], namespace, shared, own_file, of_check, modules)
        running[0] = False
        if test["watched"]:
            setprofile(None)
        if getpid() != process:
            # The learner's code forked: the verdict is the first process's to give.
            _exit(0)
        changed += differences(not test["replaces"])
        changed += [f"the test's {name}" for name in shared.replaced]
        changed += outcome.pop("forged", ())
        if own_builtins != built_in:
            changed.append("a built-in name of the tests")
        # Some libraries bind names for whoever calls them; a test's own bindings its text tells.
        known = {*test["binds"], *_BOUND_BY_PYTHON}
        others = [name for name, new in namespace.items() if name not in before or new is not before[name]]
        if "*" not in known:
            changed += [f"the test's {name}" for name in others if name not in known]
        changed += [name for name in names if namespace.get(name) is not names[name]]
        made = strange_classes(test["methods"])[:20]
        answers = list(dict.fromkeys(answered))[:20]
        channel.send({"id": test["id"], "changed": changed[:20], "answers": answers, "made": made, **outcome})
        # What a test defines stays visible to later cells, as in an ordinary notebook.
        for name in others:
            if name not in names and name != "__builtins__":
                (private if name in test["private"] else argument)[name] = namespace[name]
        question = yield True


def import_apart(
    statements: Iterable[str], pristine: Iterable[str]
) -> tuple[dict[str, Any], dict, list[str], tuple[str, ...]]:
    """Execute the instructor's imports, with copies of some packages that learner code will not find.

    Args:
        statements: the import statements of the instructor's cells; tests see these names, whatever the
            learner has bound to them.
        pristine: the packages that are loaded anew.

    Returns:
        What the statements bind, the modules of this moment by name, what failed, and the folders of the copies.
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
    packages = [getattr(modules.get(prefix), "__path__", None) for prefix in prefixes]
    return names, modules, failed, tuple(f"{folder}/" for package in packages for folder in package or ())


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


# A profile function, which anybody can ask for.
_ANSWERS = """
def of_library(file):
    return file in frozen or (file.startswith(libraries) and "/../" not in file)

def answers(frame, event, argument):
    if event != "call" or frame.f_code.co_name not in names:
        return
    name = frame.f_code.co_name
    file = frame.f_code.co_filename
    if file == own_file or of_library(file):
        # Of a test's own class or a library's.
        return
    frame = frame.f_back
    while frame is not None and of_library(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is not None and frame.f_code.co_filename == own_file:
        note(name)
"""


def _answers(
    names: frozenset[str], note: Callable[[str], None], libraries: tuple[str, ...], own_file: str
) -> Callable[[Any, str, Any], None]:
    """Return a profile function that notes which of a learner's methods a test asks, itself or through a library."""
    given = {"names": names, "note": note, "libraries": libraries, "own_file": own_file, "frozen": FROZEN}
    return _isolated(_ANSWERS, **given)["answers"]


# A function of the test looks names up in its globals, through `__getitem__` unless these are just a dict.
_CURRENT = """
class Names(dict):
    def __getitem__(self, name):
        value = get(self, name)
        if name in known and value is known[name]:
            return theirs.get(name, value)
        return value

    def __setitem__(self, name, value):
        if name in known:
            # By a statement of the test: the learner's functions see it, too.
            known[name] = value
        put(self, name, value)
"""


def _current(namespace: dict[str, Any], known: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Return a test's names, of which some are the learner's as they are now, unless the test binds them itself."""
    given = {"known": known, "theirs": theirs}
    return _isolated(_CURRENT, get=dict.__getitem__, put=dict.__setitem__, **given)["Names"](namespace)


def _isolated(source: str, **names: Any) -> dict[str, Any]:
    names |= {"__name__": "isolated", "__builtins__": dict(vars(builtins))}
    exec(compile(source, "<imports>", "exec"), names)
    return names


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

    def __init__(
        self, namespace: dict[str, Any], theirs: dict[str, Any], fixed: Iterable[str], answers: Iterable[str]
    ) -> None:
        self._namespace, self._theirs = namespace, theirs
        # What is no answer and no given data is the test's own, whatever a learner has called so beforehand.
        self._common = {name for name in answers if name in theirs and name in namespace and name not in fixed}
        # What the test's own statements have seen of these, and what came in its place behind their back.
        self._seen = {name: namespace[name] for name in fixed if name in namespace}
        self.replaced: list[str] = []

    def __getitem__(self, name: str) -> Any:
        value = self._namespace[name]
        if name in self._seen and value is not self._seen[name]:
            self.replaced.append(name)
            return self._seen[name]
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        self._namespace[name] = value
        if name in self._seen:
            self._seen[name] = value
        if name in self._common:
            self._theirs[name] = value

    def keys(self) -> Iterable[str]:
        """Return all names, for IPython's magics."""
        return self._namespace.keys()

    def __delitem__(self, name: str) -> None:
        del self._namespace[name]
        self._seen.pop(name, None)
        if name in self._common:
            self._theirs.pop(name, None)


def _altered(
    namespace: dict[str, Any], constants: dict[str, Any], classes: dict[str, dict[str, CodeType]]
) -> list[str]:
    """Return what is not as the notebook gave it any more; what is missing makes a test fail by itself."""
    found = [n for n, value in constants.items() if n in namespace and not _is_equal(namespace[n], value)]
    for name, methods in classes.items():
        if name not in namespace:
            continue
        kind = namespace[name]
        space = _SPACE_OF(kind) if type in _CLASSES_ABOVE(type(kind)) else {}
        found += [f"{name}.{method}" for method, code in methods.items() if not _has_code(space.get(method), code)]
    return [f"the given {name}" for name in found]


def _is_equal(value: Any, given: Any) -> bool:
    """Whether a value is just what was given; objects of a learner's own are not asked."""
    if type(value) is not type(given):
        return False
    if type(given) is CodeType:
        alike = value.co_code == given.co_code and value.co_names == given.co_names
        return alike and _is_equal(value.co_varnames, given.co_varnames) and _is_equal(value.co_consts, given.co_consts)
    if type(given) is tuple:
        return len(value) == len(given) and all(map(_is_equal, value, given))
    # The text tells 0.0 from -0.0; that of a set may differ by its order.
    return value == given and (type(given) is frozenset or repr(value) == repr(given))


def _has_code(method: Any, code: CodeType) -> bool:
    return type(method) is FunctionType and _is_equal(_METHOD_CODE(method), code)


def compile_test(source: str, file: str) -> tuple[CodeType, CodeType | None]:
    """Return the code of a test and that of its last expression, if it ends with one, whose value is the result.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it cannot be compiled.
    """
    # Assertions stay, however Python was started.
    tree = compile(source, file, "exec", _ONLY_AST, dont_inherit=True, optimize=0)
    last = tree.body.pop() if tree.body and type(tree.body[-1]) is Expr else None
    code = compile(tree, file, "exec", _TOP_LEVEL_AWAIT, dont_inherit=True, optimize=0)
    if last is None:
        return code, None
    return code, compile(Expression(last.value), file, "eval", _TOP_LEVEL_AWAIT, dont_inherit=True, optimize=0)


def _code_of(source: tuple[CodeType, CodeType | None] | str, file: str) -> tuple[CodeType, CodeType | None]:
    """Return what the grader has compiled; what it could not is a text, and says here why."""
    return compile_test(source, file) if type(source) is str else source


def _run(
    source: tuple[CodeType, CodeType | None] | str,
    namespace: dict[str, Any],
    shared: _Shared,
    file: str,
    of_check: tuple[str, ...],
    modules: dict[str, ModuleType],
) -> dict[str, Any]:
    """Execute a test as IPython would: the value of a last expression is the cell's result."""
    try:
        code, last = _code_of(source, file)
        _finish(eval(code, namespace, shared), code)
        result = None if last is None else _finish(eval(last, namespace, shared), last)
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
        described = _describe(error, file, namespace["__builtins__"], of_check)
        _forget_frames(error)
        return {"status": "failed", "kind": _kind_of(error, modules)[:100], **described}


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


def _describe(error: BaseException, file: str, builtins_of_tests: dict, of_check: tuple[str, ...]) -> dict[str, Any]:
    """Name, text and the lines of the test that an exception came through; never a frame's content."""
    lines, step, in_answer, steps, raised = {}, _TRACEBACK_OF(error), False, 0, False
    while step is not None and steps < _MOST_STEPS:
        steps += 1
        code = step.tb_frame.f_code
        name = code.co_filename
        # The gate's own code and the audit hook's go by the same file name.
        if name == file and step.tb_frame.f_builtins is builtins_of_tests:
            # All of them: the innermost may be visible and the call of it hidden, or a kept error's from another test.
            lines[step.tb_lineno or 0] = True
        elif name != file:
            # Whether code that sees what the test gave it had a say in the message.
            in_answer = in_answer or not lies_below(name, of_check)
        if step.tb_next is None:
            # If a test's own words did not raise it, an object of somebody else's may have handed it over.
            raised = code.co_code[step.tb_lasti] == _RAISE
        step = step.tb_next
    try:
        # A learner's exception may have a __str__ of its own.
        text = str(str(error))[:8000]
    except BaseException:
        text = ""
    name = _NAME_OF(type(error))[:100]
    return {"ename": name, "evalue": text, "lines": [*lines], "in_answer": in_answer, "raised": raised}


def _kind_of(error: BaseException, modules: dict[str, ModuleType]) -> str:
    """Return the name of the first class above an exception that is Python's or a library's, which no learner chose."""
    for kind in _CLASSES_ABOVE(type(error)):
        name, home = _NAME_OF(kind), _SPACE_OF(kind).get("__module__")
        if not _FLAGS_OF(kind) & _MADE_AT_RUN_TIME:
            return name
        known = modules.get(home) if type(home) is str and home != "__main__" else None
        if type(known) is ModuleType and _NAMES_OF(known).get(name) is kind:
            return name
    return "Exception"


def _forget_frames(error: BaseException) -> None:
    """Take the frames of a test from an exception that a learner may have kept, and from those it came with."""
    left, steps = [error], 0
    while left and steps < _MOST_STEPS:
        steps += 1
        inner = left.pop()
        if _TRACEBACK_OF(inner) is not None:
            _SET_TRACEBACK(inner, None)
            left += [around for get in _AROUND if (around := get(inner)) is not None]
