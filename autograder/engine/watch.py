"""Watches what tests lean on: functions and classes of libraries, and modes in which torch computes otherwise.

The warm process executes a copy of this module in a namespace of its own, and its kernels go on with it beside the
gate (see gate.py). The gate compares before and after each test; the guarded modules also tell when an attribute is
set in between.
"""

import builtins
import sys
from _operator import is_
from collections.abc import Callable, Iterable, Iterator
from ctypes import c_uint64
from gc import get_referents
from types import MappingProxyType, ModuleType
from typing import Any

# Those that are loaded are compared before and after each test.
WATCHED_MODULES = (
    *("builtins", "math", "operator", "functools", "itertools", "statistics", "sys", "os", "types"),
    *("contextlib", "copy", "reprlib", "warnings"),
    *("numpy", "numpy.linalg", "numpy.random", "numpy.testing", "numpy.testing._private.utils"),
    *("numpy._core", "numpy._core.numeric", "numpy._core._methods", "numpy._core.fromnumeric"),
    *("numpy._core.multiarray", "numpy._core.umath", "numpy._core.arrayprint", "numpy._core.shape_base"),
    *("torch", "torch.nn", "torch.nn.functional", "torch.linalg", "torch.autograd", "torch.testing"),
    *("torch.testing._comparison", "pandas", "pandas.testing", "pandas._testing", "pandas._testing.asserters"),
    *("unittest", "unittest.case", "unittest.util", "sklearn.utils.validation"),
    *("IPython.core.interactiveshell", "ipykernel.ipkernel", "ipykernel.kernelbase", "ipykernel.zmqshell"),
)
WATCHED_CLASSES = (
    *("torch.Tensor", "torch.nn.Module", "torch.nn.Parameter", "torch.Generator", "pandas.DataFrame", "pandas.Series"),
    *("pandas.core.generic.NDFrame", "torch.utils._device.DeviceContext", "warnings.catch_warnings"),
    *("contextlib._GeneratorContextManager", "contextlib.ExitStack", "contextlib.suppress"),
    *("unittest.case.TestCase", "ipykernel.ipkernel.IPythonKernel", "IPython.core.interactiveshell.InteractiveShell"),
)
# All their classes are watched: a test has a layer or an optimiser of its own to compare with.
_OF_CLASSES = ("torch.nn", "torch.optim", "torch.testing._comparison")
# Their tables of tolerances are data, which can be loosened in place.
_WITH_TABLES = ("torch.testing._comparison", "numpy.testing._private.utils")
# Of what Python itself imports with, only these are no functions.
_IMPORTING = ("modules", "meta_path", "path_hooks", "path_importer_cache")
# What is set and put back there is nothing unusual.
_RESTLESS = ("sys.modules", "sys", "warnings", "builtins")
# Where torch keeps what is called at every step of any layer or optimiser, in dicts of these names.
_WITH_HOOKS = {"torch.nn.modules.module": "_global_", "torch.optim.optimizer": "_global_optimizer_"}
# Except those of every module, such as __doc__.
_BUILTIN_NAMES = {name for name in vars(builtins) if not name.startswith("_")}
_MISSING = object()
# A name, the attributes, those that stay, of a module the names of built-in functions among them, tables, and of a
# class all names.
Watched = tuple[str, Any, dict[str, Any], set[str] | None, dict[str, dict], frozenset[str]]

_GUARDED = """
class Guarded(ModuleType):
    def __setattr__(self, name, value):
        known = fixed.get(number_of(self), fixed)
        if type(name) is not str or known.get(name, value) is not value:
            audit("autograder.setattr", self, name, value)
        change(self, name, value)

    def __delattr__(self, name):
        if type(name) is not str or name in fixed.get(number_of(self), ()):
            audit("autograder.setattr", self, name, None)
        remove(self, name)
"""
# Classes that answer any attribute from their data, and numpy asks an object for the place of its memory so.
_ANSWERING = (
    *(("pandas.core.generic", "NDFrame"), ("sklearn.utils._bunch", "Bunch"), ("scipy._lib._util", "_RichResult")),
    *(("traitlets.utils.bunch", "Bunch"), ("IPython.utils.ipstruct", "Struct")),
)
_REFUSING = """
def refusing(answer):
    def __getattr__(self, name):
        if name[:2] == "__":
            raise AttributeError(name)
        return answer(self, name)
    return __getattr__
"""
# `x` and `y` may stand in either order. What is compared with a masked array of its own is meant so.
_COMPARING = """
def assert_array_compare(comparison, x, y, *options, **named):
    if (isinstance(x, MaskedArray) and is_masked(x)) != (isinstance(y, MaskedArray) and is_masked(y)):
        raise AssertionError("entries are masked where the other array has numbers")
    return compare_unmasked(comparison, x, y, *options, **named)
"""


def prepare() -> Callable[[], tuple[list[Watched], Callable[[], list[str]]]]:
    """Begin in the warm process; return a function that a kernel calls once it stands.

    To look at an object that is shared with the warm process copies the memory it lies in: to look at all that is
    watched would cost each kernel a third of its start.
    """
    _settle()
    _refuse_places_of_memory()
    _refuse_masks()
    lasting = list(_snapshot())
    _guard(lasting)
    lasts = _quick_look(lasting)
    left_on, constants = _modes(), _constants()

    def watch() -> tuple[list[Watched], Callable[[], list[str]]]:
        """Return what is watched, and a function that names what is no longer as it was."""
        snapshot, unchanged = lasting, lasts
        if not lasts()[0]:
            # IPython was made in the kernel itself, or its start changed something else.
            snapshot = list(_snapshot())
            unchanged = _quick_look(snapshot)
            _guard(snapshot)

        def differences(in_test: bool = False) -> list[str]:
            same, moved = unchanged()
            # What was put and put back while a test ran was for the test.
            return [*(() if same else _differences(snapshot)), *(moved if in_test else ()), *left_on(), *constants()]

        return snapshot, differences

    return watch


def _settle() -> None:
    """Let torch's optimisers do now what their classes do when the first one is made."""
    optim = sys.modules.get("torch.optim")
    for kind in list(vars(optim).values()) if optim is not None else ():
        if isinstance(kind, type) and issubclass(kind, optim.Optimizer) and kind is not optim.Optimizer:
            kind([sys.modules["torch"].nn.Parameter(sys.modules["torch"].zeros(1, 1))])


def _isolated(source: str, **names: Any) -> dict[str, Any]:
    # What learner code can get hold of is compiled apart: its `__globals__` are not the gate's.
    names |= {"__name__": "isolated", "__builtins__": dict(vars(builtins))}
    exec(compile(source, "<imports>", "exec"), names)
    return names


# One for each object, as `id` gives, but without an audit event for each.
_number_of = object.__hash__
# By a module's number, what it may not be made to hold instead of what.
_fixed: dict[int, dict[str, Any]] = {}
_raw = {"change": ModuleType.__setattr__, "remove": ModuleType.__delattr__, "number_of": _number_of}
_guarded = _isolated(_GUARDED, ModuleType=ModuleType, audit=sys.audit, fixed=_fixed, **_raw)["Guarded"]
_refusing_classes: list[type] = []


def _refuse_places_of_memory() -> None:
    refusing = _isolated(_REFUSING)["refusing"]
    for module, name in _ANSWERING:
        kind = vars(sys.modules[module]).get(name) if module in sys.modules else None
        if kind is not None and kind not in _refusing_classes:
            kind.__getattr__ = refusing(kind.__getattr__)
            _refusing_classes.append(kind)


def _refuse_masks() -> None:
    """Let numpy's comparisons for tests fail where entries are masked of one array only: these agree with anything."""
    if "numpy" not in sys.modules:
        return
    # With tests at the latest it would be there, after learner code.
    from numpy import ma
    from numpy.testing._private import utils

    space = vars(utils)
    if "compare_unmasked" not in space:
        # In the module itself, where everything is watched.
        space |= {"MaskedArray": ma.MaskedArray, "is_masked": ma.is_masked}
        space["compare_unmasked"] = space["assert_array_compare"]
        exec(compile(_COMPARING, "<imports>", "exec"), space)


def _guard(snapshot: Iterable[Watched]) -> None:
    """Let the watched modules raise an audit event whenever a watched attribute of theirs is set to something else.

    Comparing them before and after a test does not show a function that was replaced only for a moment.
    What is not watched costs nothing more: a test may catch warnings ten thousand times, and each sets four.
    """
    for name, _, fixed, *_ in snapshot:
        module = sys.modules.get(name) if name in WATCHED_MODULES else None
        if type(module) in (ModuleType, _guarded):
            # A new name that hides a built-in one is nothing that it was before, either.
            _fixed[_number_of(module)] = dict.fromkeys(_BUILTIN_NAMES - vars(module).keys()) | fixed
            module.__class__ = _guarded


def _spaces() -> Iterator[tuple[str, Any]]:
    """Yield names and attributes of what is watched."""
    for name in WATCHED_MODULES:
        if name in sys.modules:
            yield name, vars(sys.modules[name])
    classes = dict.fromkeys(WATCHED_CLASSES)
    for module in _OF_CLASSES:
        for name, kind in vars(sys.modules[module]).items() if module in sys.modules else ():
            if isinstance(kind, type) and kind.__module__.startswith("torch."):
                classes[f"{module}.{name}"] = None
    for name in classes:
        module, _, kind = name.rpartition(".")
        if isinstance(getattr(sys.modules.get(module), kind, None), type):
            yield name, getattr(sys.modules[module], kind).__dict__


def _snapshot() -> Iterator[Watched]:
    """Yield what the watched modules and classes hold: functions, classes, modules and tables."""
    # One by one: to go through all modules would copy the memory they lie in.
    fixed = {name: sys.modules[name] for name in WATCHED_MODULES if name in sys.modules}
    yield "sys.modules", sys.modules, fixed, None, {}, frozenset()
    for name, limits in _limits().items():
        yield name, vars(limits), dict(vars(limits)), None, {}, frozenset()
    for name, space in _spaces():
        if type(space) is dict:
            # Python puts one there when a line of it warns, and pandas' comparisons do.
            space.setdefault("__warningregistry__", {})
        kinds = (ModuleType, property, classmethod, staticmethod)
        fixed = {key: value for key, value in space.items() if callable(value) or isinstance(value, kinds)}
        if name == "torch":
            # Another one with each default type of numbers, and nothing that tests ask.
            fixed.pop("Storage", None)
        if name == "sys":
            fixed |= {key: space[key] for key in _IMPORTING}
        tables = {key: dict(value) for key, value in space.items() if name in _WITH_TABLES and type(value) is dict}
        # doctest leaves a name there, as an interactive session does; and warnings are noted in the other.
        for key in ("__builtins__", "__warningregistry__"):
            tables.pop(key, None)
        # A new name that hides a built-in one changes what the module's own functions do.
        hidden = _BUILTIN_NAMES & space.keys()
        # And one that hides an inherited method what the class does.
        is_class = type(space) is MappingProxyType
        yield name, space, fixed, None if is_class else hidden, tables, frozenset(space if is_class else ())


def _quick_look(snapshot: list[Watched]) -> Callable[[], tuple[bool, list[str]]]:
    """Return a function that tells that nothing is different, and what was so in between.

    At best it does so without a look at any of the names.

    To look at a name and at its value copies the memory they lie in at the first time, as kernels share it, and waits
    for it every time: most of it is not in the processor's cache.
    """
    spaces = [space for _, space, *_ in snapshot]
    same_names = [_same_names(entry) for entry in snapshot]
    tables = [(space, key, table) for _, space, _, _, held, _ in snapshot for key, table in held.items()]
    versions = _versions(spaces)
    seen, told = versions(), _has_versions()
    known = [frozenset(space) for space in spaces]
    restless = [name in _RESTLESS or name.startswith(("IPython.", "ipykernel.")) for name, *_ in snapshot]

    def unchanged() -> tuple[bool, list[str]]:
        now = versions()
        moved = []
        if now != seen:
            changed = [i for i, (new, old) in enumerate(zip(now, seen, strict=True)) if new != old]
            if not all(same_names[i]() for i in changed):
                return False, moved
            seen[:] = now
            for i in changed:
                new = [value for name, value in spaces[i].items() if name not in known[i]]
                # A part of a library that is imported later is a new name.
                if told and not restless[i] and not (new and all(type(value) is ModuleType for value in new)):
                    moved.append(f"a name of {snapshot[i][0]}, for a moment,")
                known[i] = frozenset(spaces[i])
        return all(_is_same_table(space.get(key), table) for space, key, table in tables), moved

    return unchanged


def _same_names(entry: Watched) -> Callable[[], bool]:
    """Return a function that tells that one module or class has what it had."""
    _, space, fixed, hidden, _, names = entry
    keys, values = list(fixed), list(fixed.values())

    def same() -> bool:
        try:
            if not all(map(is_, map(space.__getitem__, keys), values)):
                return False
        except KeyError:
            return False
        if names and (len(space) != len(names) or not names <= space.keys()):
            return False
        return hidden is None or _BUILTIN_NAMES & space.keys() == hidden

    return same


def _is_same_table(now: Any, table: dict) -> bool:
    # A number of a learner's class could say that it equals any other.
    return type(now) is dict and len(now) == len(table) and all(now.get(key) is value for key, value in table.items())


def _versions(spaces: list[Any]) -> Callable[[], list[Any]]:
    """Return a function that gives a number for each namespace, another one after any change of it (PEP 509)."""
    dicts = [get_referents(space)[0] if type(space) is MappingProxyType else space for space in spaces]
    if not _has_versions():
        return lambda: [object() for _ in dicts]
    places = [_version_of(space) for space in dicts]
    return lambda: [place.value for place in places]


def _version_of(space: dict) -> c_uint64:
    # After the number of references, the type and the number of items.
    return c_uint64.from_address(id(space) + 3 * 8)


def _has_versions() -> bool:
    """Whether this Python numbers the states of a dict, at the place where CPython 3.11 does."""
    if sys.implementation.name != "cpython" or sys.maxsize < 2**32:
        return False
    probe: dict[str, Any] = {"a": 1, "b": 2}
    place = _version_of(probe)
    seen = [place.value]
    for change in (
        lambda: probe.__setitem__("a", 3),
        lambda: probe.__setitem__("c", 4),
        lambda: probe.__delitem__("b"),
        lambda: probe.update(a=5),
        lambda: probe.setdefault("d", 6),
        lambda: probe.pop("d"),
    ):
        change()
        seen.append(place.value)
    return len(set(seen)) == len(seen) and place.value == seen[-1]


def _differences(snapshot: Iterable[Watched]) -> list[str]:
    """Return the names in watched modules and classes that are no longer what they were."""
    found = []
    for name, space, fixed, hidden, tables, names in snapshot:
        found += [f"{name}.{key}" for key, value in fixed.items() if space.get(key, _MISSING) is not value]
        if names:
            found += [f"{name}.{key}" for key in space.keys() - names if callable(space[key])]
        if hidden is not None:
            found += [f"{name}.{key}" for key in (_BUILTIN_NAMES & space.keys()) - hidden]
        found += [f"{name}.{key}" for key, table in tables.items() if not _is_same_table(space.get(key), table)]
    return found


def _limits() -> dict[str, Any]:
    """Return numpy's one object for each precision, of which tests make tolerances, by its name."""
    numpy = sys.modules.get("numpy")
    kinds = (numpy.float16, numpy.float32, numpy.float64) if numpy is not None else ()
    return {f"numpy.finfo({kind.__name__})": numpy.finfo(kind) for kind in kinds}


def _constants() -> Callable[[], list[str]]:
    """Return a function that names numpy's constants that are no longer what they were: their memory can be written."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return list
    held = {"numpy.True_": numpy.True_, "numpy.False_": numpy.False_}
    for place, limits in _limits().items():
        held |= {f"{place}.{name}": getattr(limits, name) for name in ("eps", "max", "min", "tiny")}
    before = {name: value.tobytes() for name, value in held.items()}
    return lambda: [name for name, value in held.items() if value.tobytes() != before[name]]


def _modes() -> Callable[[], list[str]]:
    """Return a function that names what makes torch compute otherwise, and that a `with` block would have ended."""
    torch = sys.modules.get("torch")
    if torch is None:
        return list
    native = torch._C
    dispatched, functions = native._len_torch_dispatch_stack, native._len_torch_function_stack
    function_at = native._get_function_stack_at
    saved = native._autograd._top_saved_tensors_default_hooks
    cast, inference = native.is_autocast_enabled, native.is_inference_mode_enabled
    # A default device is such a mode, too.
    device = vars(sys.modules["torch.utils._device"])["DeviceContext"]
    hooks = [
        (f"{module}.{name}", vars(sys.modules[module]), name, len(hooked))
        for module, prefix in _WITH_HOOKS.items()
        for name, hooked in (vars(sys.modules[module]).items() if module in sys.modules else ())
        if name.startswith(prefix) and isinstance(hooked, dict)
    ]

    def left_on() -> list[str]:
        found = []
        if dispatched():
            found.append("torch's way with operations (a dispatch mode)")
        if any(type(function_at(place)) is not device for place in range(functions())):
            found.append("torch's way with functions (a function mode)")
        if saved(True) is not None:
            found.append("what torch keeps for gradients (saved_tensors_hooks)")
        if cast("cpu"):
            found.append("torch's precision (autocast)")
        if inference():
            found.append("torch's recording of gradients (inference_mode)")
        found += [place for place, space, name, number in hooks if len(space[name]) != number]
        return found

    return left_on
