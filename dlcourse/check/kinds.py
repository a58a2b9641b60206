"""What kind of thing a value is: its type, dtype, memory layout and place in the autograd graph.

Nothing here asks the value itself: `type(x)` and `is` cannot be overruled by a learner's class, while
`isinstance` reads `x.__class__`, and `in` and `==` call `__eq__`.
"""

import collections
import types
from typing import Any

import numpy as np
import pandas as pd
import torch

from dlcourse.check.errors import fail

_DICTS = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)
_FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType)
_LAZY = (types.GeneratorType, range, map, filter, zip, enumerate)
# Without dates: 5 is no stand-in for numpy.timedelta64(5, "D").
_NUMPY_SCALARS = tuple(set(np.sctypeDict.values()) - {np.object_, np.void, np.datetime64, np.timedelta64})


def is_one_of(kind: type, kinds: tuple[type, ...]) -> bool:
    """Whether `kind` is one of `kinds` itself; `in` would ask a metaclass for its opinion."""
    return any(kind is other for other in kinds)


def unwrapped(a: Any) -> Any:
    """The Python number inside a NumPy scalar; anything else as it is."""
    return a.item() if is_one_of(type(a), _NUMPY_SCALARS) else a


def is_missing(a: Any) -> bool:
    """Whether `a` is one of the four things pandas puts where there is no value."""
    return a is None or a is pd.NA or a is pd.NaT or (is_one_of(type(a), (float, np.float64)) and a != a)


def key(a: Any) -> Any:
    """A stand-in for `a` that compares types before values, so that no ``==`` of a learner's class is called."""
    if type(a) is tuple:
        return tuple(key(item) for item in a)
    if type(a) is frozenset:
        return frozenset(key(item) for item in a)
    return (id(type(a)), a)


def check_type(actual: Any, expected: type, name: str, hint: str | None) -> None:
    """Fail unless `actual` is exactly of the type `expected`, or of one that counts as it."""
    kind = type(actual)
    if not _counts_as(kind, expected):
        fail(
            f"{name}: wrong type",
            expected=type_name(expected),
            actual=type_name(kind),
            hint=hint or _type_hint(kind, expected),
        )


def _counts_as(kind: type, expected: type) -> bool:
    if kind is expected:
        return True
    if expected is torch.Tensor:
        return kind is torch.nn.Parameter
    if expected is float or expected is np.float64:
        return is_one_of(kind, (float, np.float64))
    if expected is dict:
        return is_one_of(kind, _DICTS)
    if expected is tuple or expected is torch.Size:
        # x.shape, and what torch.max(x, dim=0) gives, are tuples to anyone who reads the exercise.
        return is_one_of(kind, (tuple, torch.Size)) or getattr(torch.return_types, _name(kind), None) is kind
    for general, plain in ((np.bool_, bool), (np.integer, int), (np.floating, float), (np.str_, str)):
        if issubclass(expected, general) and is_one_of(expected, _NUMPY_SCALARS):
            return kind is plain
    return False


def _type_hint(kind: type, expected: type) -> str | None:
    from_numpy = kind is np.ndarray or is_one_of(kind, _NUMPY_SCALARS)
    if kind is type(None):
        return "a function without a `return` line gives None."
    if is_one_of(kind, _FUNCTIONS):
        return "this is a function itself, not its result: are the brackets () of a call missing?"
    if is_one_of(kind, _LAZY) and is_one_of(expected, (list, tuple, dict)):
        return f"this has not been worked out yet; {expected.__name__}(...) around it does so."
    if expected is torch.Tensor and from_numpy:
        return "this is NumPy; torch.from_numpy(a) or torch.as_tensor(a) makes a tensor (mind the dtype)."
    if expected is torch.Tensor and is_one_of(kind, (int, float)):
        return "a plain number has left the autograd graph; keep the result a tensor (no .item(), no float())."
    if expected is torch.Tensor and is_one_of(kind, (list, tuple)):
        return "torch.stack(...) or torch.cat(...) joins tensors into one; torch.tensor(...) takes plain numbers."
    if is_one_of(expected, (np.ndarray, *_NUMPY_SCALARS)) and issubclass(kind, torch.Tensor):
        return "this is a tensor; a.numpy() (after .detach() if it carries a gradient) makes an array."
    if is_one_of(expected, (int, float, bool)) and (from_numpy or issubclass(kind, torch.Tensor)):
        return f"{expected.__name__}(x) or x.item() makes a plain Python number."
    if expected is float and kind is int:
        return "2 is an int and 2.0 a float; float(x) converts."
    if expected is int and kind is float:
        return "2.0 is a float and 2 an int; // divides whole numbers, int(x) converts."
    if expected is tuple and kind is list:
        return "a tuple is written with round brackets or commas alone: `return a, b`."
    if expected is list and kind is tuple:
        return "a list is written with square brackets; list(x) converts."
    if expected is pd.DataFrame and kind is pd.Series:
        return "one column is a Series; frame[['a']] with double brackets keeps a frame."
    if expected is not object and issubclass(kind, expected):
        return f"this is a subclass of {type_name(expected)}; return a plain {type_name(expected)}."
    return None


def type_name(kind: type) -> str:
    """The name of a type as the learner writes it: ``torch.Tensor``, ``int``, ``None``."""
    if kind is type(None):
        return "None"
    if is_one_of(kind, _FUNCTIONS):
        return "a function"
    if kind is torch.nn.Parameter:
        return "torch.nn.Parameter"
    module = type.__dict__["__module__"].__get__(kind)
    package = module.split(".")[0] if type(module) is str else ""
    return _name(kind) if package in ("", "builtins", "__main__") else f"{package}.{_name(kind)}"


def _name(kind: type) -> str:
    return type.__dict__["__name__"].__get__(kind)


def same_dtype(actual: Any, expected: Any) -> bool:
    """Whether two dtypes (of torch, NumPy or pandas) mean the same to a learner."""
    kinds = [a.kind if isinstance(a, np.dtype) else None for a in (actual, expected)]
    if kinds == ["U", "U"] or kinds == ["S", "S"]:
        return True  # '<U3' and '<U5' differ only in the room reserved for the longest string
    if isinstance(actual, pd.StringDtype) and isinstance(expected, pd.StringDtype):
        return (actual.na_value is pd.NA) == (expected.na_value is pd.NA)  # held by Python or by Arrow: no matter
    return type(actual) is type(expected) and bool(actual == expected)


def check_dtype(actual: Any, expected: Any, name: str, hint: str | None) -> None:
    """Fail unless the dtypes are the same."""
    if same_dtype(actual, expected):
        return
    got, want = str(actual), str(expected)
    tensors = isinstance(expected, torch.dtype)
    own_hint = None
    if got == want == "category":
        got, want = (f"category of {list(a.categories)}, ordered={a.ordered}" for a in (actual, expected))
    elif want.endswith("float32") and got.endswith("float64") and tensors:
        own_hint = (
            "NumPy and pandas compute in float64; ask for dtype=torch.float32 or convert with .to(torch.float32)."
        )
    elif "float" in want.lower() and "int" in got.lower():
        made = "tensor" if tensors else "column or array"
        convert = ".float()" if want == "torch.float32" else f".to({want})" if tensors else f".astype({want!r})"
        own_hint = f"whole numbers make an integer {made}; write 1.0 for 1, or convert with {convert}."
    elif want.endswith("bool"):
        own_hint = "a comparison such as x > 0 gives True and False."
    elif tensors:
        own_hint = f"convert with .to({want}), or ask for it with dtype={want} where the tensor is made."
    elif not isinstance(expected, pd.CategoricalDtype):
        own_hint = f"convert with .astype({want!r})."
    fail(f"{name}: wrong dtype", expected=want, actual=got, hint=hint or own_hint)


def check_readable(actual: torch.Tensor, layout: torch.layout, name: str, hint: str | None) -> None:
    """Fail if the tensor has no entries that could be read: meta device, nested, another memory layout."""
    if actual.is_nested:
        fail(f"{name} is a nested tensor", expected="an ordinary tensor", actual="rows of unequal length", hint=hint)
    if actual.layout != layout:
        own_hint = "a.to_dense() makes an ordinary tensor." if layout == torch.strided else None
        fail(
            f"{name}: wrong memory layout",
            expected="an ordinary (dense) tensor" if layout == torch.strided else str(layout),
            actual=str(actual.layout),
            hint=hint or own_hint,
        )
    if actual.device.type == "meta":
        own_hint = "a tensor on device='meta' has a shape and no entries; make it on the CPU."
        fail(f"{name} holds no numbers", expected="a tensor with entries", actual="device meta", hint=hint or own_hint)


def check_requires_grad(actual: torch.Tensor, wanted: bool, name: str, hint: str | None) -> None:
    """Fail unless the tensor is (or is not) part of an autograd graph, as asked."""
    if actual.requires_grad is wanted:
        return
    if wanted:
        fail(
            f"{name}: no gradient is carried",
            expected="requires_grad is True",
            actual="requires_grad is False",
            hint=hint
            or "look for requires_grad=True that is missing, or .detach(), .data, .item() or torch.no_grad().",
        )
    fail(
        f"{name}: a gradient is carried and should not be",
        expected="requires_grad is False",
        actual="requires_grad is True",
        hint=hint or "compute it inside `with torch.no_grad():`, or call .detach() on the result.",
    )
