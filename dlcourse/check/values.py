"""Compare one value with the expected one, part by part, so that the first difference can be named."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from dlcourse.check.errors import fail

# (relative, absolute) tolerance by dtype. A sum of n terms is off by about sqrt(n) * eps relative to
# its largest term; n up to a million and eps = 1.2e-7 give 1.2e-4 for float32. float64 has room to
# spare, so its bound leaves space for a solve with a condition number of some 1e7 instead.
# The absolute part is multiplied by the largest expected magnitude: rounding scales with the data.
_TOLERANCES = {
    torch.float16: (1e-2, 1e-3),
    torch.bfloat16: (5e-2, 1e-2),
    torch.float32: (1e-4, 1e-5),
    torch.float64: (1e-7, 1e-9),
}
# A Python float most often comes out of float32 arithmetic through `.item()`.
_FLOAT_TOLERANCE = (1e-4, 1e-6)


def value(
    actual: Any,
    expected: Any,
    name: str,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    requires_grad: bool | None = None,
    hint: str | None = None,
) -> None:
    """Check that `actual` has the type, shape, dtype and values of `expected`.

    Args:
        actual: what the learner's code gave.
        expected: what it should be: a tensor, an array, a pandas Series or DataFrame, a number, a
            string, a bool, None, or a list, tuple or dict of these.
        name: how the message calls `actual`, such as ``"linreg(X, w, b)"``.
        rtol: relative tolerance; by default derived from the dtype (1e-4 for float32, 1e-7 for float64).
        atol: absolute tolerance; by default derived from the dtype and the largest expected magnitude.
        requires_grad: for tensors: whether `actual` must (True) or must not (False) be part of an
            autograd graph; None does not ask.
        hint: where to look; without one, the commonest causes of the difference are tried.

    The type must be exact: a subclass with its own ``==`` is refused. `torch.nn.Parameter` counts as
    a tensor and `numpy.float64` as a float.

    Raises:
        CheckError: the first difference found.
    """
    _Comparison(rtol, atol, hint).compare(actual, expected, name)
    if requires_grad is not None:
        _check_requires_grad(actual, requires_grad, name, hint)


def tensor(
    actual: Any,
    name: str,
    *,
    shape: Sequence[int | None] | None = None,
    dtype: torch.dtype | None = None,
    requires_grad: bool | None = None,
    low: float | None = None,
    high: float | None = None,
    finite: bool = True,
    hint: str | None = None,
) -> None:
    """Check properties of a tensor for which more than one value is right.

    Args:
        actual: what the learner's code gave.
        name: how the message calls it.
        shape: the asked shape; `None` in a place allows any length there.
        dtype: the asked dtype.
        requires_grad: as in `value`.
        low: smallest allowed entry (inclusive).
        high: largest allowed entry (inclusive).
        finite: whether NaN and infinities are refused.
        hint: where to look.

    Raises:
        CheckError: the first property that does not hold.
    """
    _check_type(actual, torch.Tensor, name, hint)
    if shape is not None:
        fits = len(shape) == actual.dim() and all(
            want is None or want == got for want, got in zip(shape, actual.shape, strict=True)
        )
        if not fits:
            wanted = "(" + ", ".join("any" if want is None else str(want) for want in shape) + ")"
            fail(
                f"{name} has the wrong shape",
                expected=f"shape {wanted}",
                actual=f"shape {tuple(actual.shape)}",
                hint=hint or _shape_hint(tuple(actual.shape), tuple(shape)),
            )
    if dtype is not None:
        _check_dtype(actual.dtype, dtype, name, hint)
    if requires_grad is not None:
        _check_requires_grad(actual, requires_grad, name, hint)
    entries = actual.detach().cpu().to(torch.float64).numpy()
    if finite:
        _check_finite(entries, name, hint)
    if low is not None:
        _check_bound(entries, entries < low, f"every entry at least {low:g}", name, hint)
    if high is not None:
        _check_bound(entries, entries > high, f"every entry at most {high:g}", name, hint)


class _Comparison:
    """One comparison with its tolerances, walking into lists, dicts and frames."""

    def __init__(self, rtol: float | None, atol: float | None, hint: str | None) -> None:
        self.rtol = rtol
        self.atol = atol
        self.hint = hint

    def compare(self, actual: Any, expected: Any, name: str) -> None:
        if isinstance(expected, torch.Tensor):
            _check_type(actual, torch.Tensor, name, self.hint)
            self._shape(tuple(actual.shape), tuple(expected.shape), name)
            _check_dtype(actual.dtype, expected.dtype, name, self.hint)
            self._entries(_numpy(actual), _numpy(expected), name, _TOLERANCES.get(expected.dtype))
        elif isinstance(expected, np.ndarray):
            _check_type(actual, np.ndarray, name, self.hint)
            self._shape(actual.shape, expected.shape, name)
            _check_dtype(actual.dtype, expected.dtype, name, self.hint)
            self._entries(actual, expected, name, _array_tolerance(expected.dtype))
        elif isinstance(expected, pd.DataFrame):
            self._frame(actual, expected, name)
        elif isinstance(expected, pd.Series):
            _check_type(actual, pd.Series, name, self.hint)
            self._shape(actual.shape, expected.shape, name)
            self._labels(actual.index, expected.index, f"the index of {name}")
            self._column(actual, expected, name)
        elif isinstance(expected, dict):
            self._dict(actual, expected, name)
        elif isinstance(expected, (list, tuple)):
            _check_type(actual, type(expected), name, self.hint)
            if len(actual) != len(expected):
                self._fail(f"{name} has the wrong length", f"{len(expected)} items", f"{len(actual)} items")
            for i, (got, want) in enumerate(zip(actual, expected, strict=True)):
                self.compare(got, want, f"{name}[{i}]")
        elif type(expected) is float:
            _check_type(actual, float, name, self.hint)
            self._entries(np.asarray(float(actual)), np.asarray(expected), name, _FLOAT_TOLERANCE)
        else:
            _check_type(actual, type(expected), name, self.hint)
            if actual != expected:
                self._fail(f"{name} is wrong", repr(expected), _short(actual))

    def _fail(self, what: str, expected: str, actual: str, hint: str | None = None) -> None:
        fail(what, expected=expected, actual=actual, hint=self.hint or hint)

    def _shape(self, actual: tuple[int, ...], expected: tuple[int, ...], name: str) -> None:
        if actual != expected:
            self._fail(
                f"{name} has the wrong shape", f"shape {expected}", f"shape {actual}", _shape_hint(actual, expected)
            )

    def _entries(
        self, actual: np.ndarray, expected: np.ndarray, name: str, tolerance: tuple[float, float] | None
    ) -> None:
        if expected.size == 0:
            return
        exact = tolerance is None and self.rtol is None and self.atol is None
        if exact or not (_is_number(expected) and _is_number(actual)):
            wrong = np.asarray(actual != expected)
        else:
            actual, expected = actual.astype(np.float64), expected.astype(np.float64)
            if not np.isnan(expected).any():
                _check_not_nan(actual, name, self.hint)
            wrong = ~self._close(actual, expected, tolerance or (0.0, 0.0))
        if not wrong.any():
            return
        where = _first(wrong)
        place = f" at index {_index(where)}" if expected.ndim else ""
        count = f" ({int(wrong.sum())} of {wrong.size} entries differ)" if wrong.size > 1 else ""
        self._fail(
            f"{name} has a wrong value{place}{count}",
            _entry(expected, where),
            _entry(actual, where),
            _value_hint(actual, expected) if not exact else None,
        )

    def _close(self, actual: np.ndarray, expected: np.ndarray, tolerance: tuple[float, float]) -> np.ndarray:
        rtol = tolerance[0] if self.rtol is None else self.rtol
        if self.atol is not None:
            atol = self.atol
        else:
            finite = np.abs(expected[np.isfinite(expected)])
            largest = float(finite.max()) if finite.size else 0.0
            atol = tolerance[1] * (largest or 1.0)
        with np.errstate(invalid="ignore"):
            near = np.abs(actual - expected) <= atol + rtol * np.abs(expected)
        both_nan = np.isnan(actual) & np.isnan(expected)
        return np.where(np.isfinite(expected), near, (actual == expected) | both_nan)

    def _dict(self, actual: Any, expected: dict, name: str) -> None:
        _check_type(actual, type(expected), name, self.hint)
        missing = [key for key in expected if key not in actual]
        extra = [key for key in actual if key not in expected]
        if missing or extra:
            parts = [f"without {_short(missing)}"] if missing else []
            parts += [f"with the extra {_short(extra)}"] if extra else []
            self._fail(f"{name} has the wrong keys", _short(list(expected)), " and ".join(parts))
        for key, want in expected.items():
            self.compare(actual[key], want, f"{name}[{key!r}]")

    def _frame(self, actual: Any, expected: pd.DataFrame, name: str) -> None:
        _check_type(actual, pd.DataFrame, name, self.hint)
        self._labels(actual.columns, expected.columns, f"the columns of {name}")
        self._shape(actual.shape, expected.shape, name)
        self._labels(actual.index, expected.index, f"the index of {name}")
        for position, column in enumerate(expected.columns):
            self._column(actual.iloc[:, position], expected.iloc[:, position], f"{name}[{column!r}]")

    def _labels(self, actual: pd.Index, expected: pd.Index, name: str) -> None:
        if list(actual) != list(expected):
            self._fail(f"{name} is wrong", _short(list(expected)), _short(list(actual)))

    def _column(self, actual: pd.Series, expected: pd.Series, name: str) -> None:
        _check_dtype(actual.dtype, expected.dtype, name, self.hint)
        if pd.api.types.is_float_dtype(expected.dtype):
            got, want = (series.to_numpy(np.float64, na_value=np.nan) for series in (actual, expected))
            self._entries(got, want, name, _TOLERANCES[torch.float64])
            return
        wrong = ~((actual.isna() & expected.isna()) | (actual == expected).fillna(False).astype(bool)).to_numpy()
        if wrong.any():
            row = int(np.argmax(wrong))
            self._fail(
                f"{name} has a wrong value in row {row} ({int(wrong.sum())} of {len(wrong)} rows differ)",
                repr(expected.iloc[row]),
                repr(actual.iloc[row]),
            )


def _numpy(a: torch.Tensor) -> np.ndarray:
    a = a.detach().cpu()
    return (a.to(torch.float64) if a.dtype in _TOLERANCES else a).numpy()


def _array_tolerance(dtype: np.dtype) -> tuple[float, float] | None:
    names = {"float16": torch.float16, "float32": torch.float32, "float64": torch.float64}
    return _TOLERANCES[names[dtype.name]] if dtype.name in names else None


def _is_number(a: np.ndarray) -> bool:
    return a.dtype.kind in "fiu"


def _check_type(actual: Any, expected: type, name: str, hint: str | None) -> None:
    kind = type(actual)
    if kind is expected:
        return
    if expected is torch.Tensor and kind is torch.nn.Parameter:
        return
    if expected is float and kind is np.float64:
        return
    if actual is None:
        own_hint = "a function without a `return` line gives None."
    elif expected is torch.Tensor and isinstance(actual, (np.ndarray, np.generic)):
        own_hint = "this is NumPy; torch.from_numpy(a) or torch.as_tensor(a) makes a tensor (mind the dtype)."
    elif expected is torch.Tensor and isinstance(actual, (int, float)):
        own_hint = "a plain number has left the autograd graph; keep the result a tensor (no .item(), no float())."
    elif expected is np.ndarray and isinstance(actual, torch.Tensor):
        own_hint = "this is a tensor; a.numpy() (after .detach() if it carries a gradient) makes an array."
    elif expected in (int, float, bool) and isinstance(actual, (torch.Tensor, np.ndarray, np.generic)):
        own_hint = f"{expected.__name__}(x) or x.item() makes a plain Python number."
    elif expected is tuple and isinstance(actual, list):
        own_hint = "a tuple is written with round brackets or commas alone: `return a, b`."
    else:
        own_hint = None
    fail(
        f"{name} has the wrong type",
        expected=_type_name(expected),
        actual=_type_name(kind) if actual is not None else "None",
        hint=hint or own_hint,
    )


def _type_name(kind: type) -> str:
    if kind in (torch.Tensor, torch.nn.Parameter):
        return "torch." + ("Tensor" if kind is torch.Tensor else "nn.Parameter")
    module = kind.__module__.split(".")[0]
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"


def _check_dtype(actual: Any, expected: Any, name: str, hint: str | None) -> None:
    if actual == expected:
        return
    own_hint = None
    if str(expected).endswith("float32") and str(actual).endswith("float64"):
        own_hint = (
            "NumPy and pandas compute in float64; ask for dtype=torch.float32 or convert with .to(torch.float32)."
        )
    elif "float" in str(expected) and "int" in str(actual):
        own_hint = "whole numbers make an integer tensor; write 1.0 for 1, or convert with .float()."
    fail(f"{name} has the wrong dtype", expected=str(expected), actual=str(actual), hint=hint or own_hint)


def _check_requires_grad(actual: torch.Tensor, wanted: bool, name: str, hint: str | None) -> None:
    if actual.requires_grad is wanted:
        return
    if wanted:
        fail(
            f"{name} does not carry a gradient",
            expected="requires_grad is True",
            actual="requires_grad is False",
            hint=hint
            or "look for requires_grad=True that is missing, or .detach(), .data, .item() or torch.no_grad().",
        )
    fail(
        f"{name} carries a gradient and should not",
        expected="requires_grad is False",
        actual="requires_grad is True",
        hint=hint or "compute it inside `with torch.no_grad():`, or call .detach() on the result.",
    )


def _check_not_nan(entries: np.ndarray, name: str, hint: str | None) -> None:
    bad = np.isnan(entries)
    if bad.any():
        fail(
            f"{name} contains NaN (not a number)",
            expected="only numbers",
            actual=f"{int(bad.sum())} of {bad.size} entries are NaN, the first at index {_index(_first(bad))}",
            hint=hint or "0/0, inf - inf, log of a negative number and a diverging training run make NaN.",
        )


def _check_finite(entries: np.ndarray, name: str, hint: str | None) -> None:
    _check_not_nan(entries, name, hint)
    bad = np.isinf(entries)
    if bad.any():
        fail(
            f"{name} contains an infinite entry",
            expected="only finite numbers",
            actual=f"{int(bad.sum())} of {bad.size} entries are infinite, the first at index {_index(_first(bad))}",
            hint=hint or "a division by zero, log(0), exp of a large number, or a learning rate that is too large.",
        )


def _check_bound(entries: np.ndarray, wrong: np.ndarray, expected: str, name: str, hint: str | None) -> None:
    if wrong.any():
        where = _first(wrong)
        actual = f"{_entry(entries, where)} at index {_index(where)}"
        fail(f"{name} has entries outside the allowed range", expected=expected, actual=actual, hint=hint)


def _first(wrong: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))


def _index(where: tuple[int, ...]) -> str:
    return "[" + ", ".join(map(str, where)) + "]"


def _entry(a: np.ndarray, where: tuple[int, ...]) -> str:
    entry = a[where]
    return f"{entry:.7g}" if a.dtype.kind == "f" else _short(entry.item() if isinstance(entry, np.generic) else entry)


def _short(a: Any) -> str:
    text = repr(a)
    return text if len(text) <= 200 else text[:197] + "..."


def _shape_hint(actual: tuple[int, ...], expected: tuple[int | None, ...]) -> str | None:
    if len(expected) == 2 and expected[1] == 1 and len(actual) == 2 and actual[0] == actual[1] == expected[0]:
        n = expected[0]
        return (
            f"({n}, {n}) from ({n}, 1): a ({n}, 1) and a ({n},) tensor were combined, and broadcasting paired all rows."
        )
    if len(expected) == 1 and len(actual) == 2 and actual[0] == actual[1] == expected[0]:
        n = expected[0]
        return f"a ({n},) and a ({n}, 1) tensor were combined, and broadcasting paired all rows."
    if len(actual) == len(expected) and actual == tuple(reversed(expected)):
        return "the axes are swapped: transpose, or look at the order of the factors."
    if len(expected) > len(actual) and tuple(i for i in expected if i != 1) == tuple(i for i in actual if i != 1):
        return "an axis of length 1 is missing: keepdim=True, .reshape(...) or indexing with None keeps it."
    if len(expected) < len(actual) and tuple(i for i in expected if i != 1) == tuple(i for i in actual if i != 1):
        return "there is an axis of length 1 too many: .squeeze(axis) or .reshape(...) removes it."
    if not actual and expected:
        return "the result is a single number: was it summed or averaged over all entries?"
    if not expected and actual:
        return "a single number (shape ()) was asked: the sum or mean over all entries is missing."
    return None


def _value_hint(actual: np.ndarray, expected: np.ndarray) -> str | None:
    """Name a simple relation between the two arrays, if there is one: a factor, a sign, a shift, an order."""
    if not (np.isfinite(actual).all() and np.isfinite(expected).all()) or not np.any(expected):
        return None
    used = np.abs(expected) > 1e-6 * np.abs(expected).max()
    factors = actual[used] / expected[used]
    factor = float(np.median(factors))
    if np.allclose(factors, factor, rtol=1e-3) and not math.isclose(factor, 1, rel_tol=1e-2) and factor:
        if math.isclose(factor, -1, rel_tol=1e-3):
            return "the sign is wrong."
        if expected.size == 1 and not _is_simple(factor):
            return None
        return f"the result is {factor:.4g} times what was expected: look for a factor, or a sum that should be a mean."
    if expected.size > 2:
        shifts = actual - expected
        if np.allclose(shifts, shifts.flat[0], rtol=1e-3):
            return f"every entry is off by the same {shifts.flat[0]:.4g}: look for a term that is added or left out."
        if np.allclose(np.sort(actual, axis=None), np.sort(expected, axis=None), rtol=1e-4):
            return "the numbers are right but in another order."
    return None


def _is_simple(factor: float) -> bool:
    """Whether a factor is one that slips make: a small whole number or its inverse."""
    size = abs(factor)
    return any(math.isclose(size, k, rel_tol=1e-3) or math.isclose(size, 1 / k, rel_tol=1e-3) for k in range(2, 11))
