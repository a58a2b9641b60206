"""Compare one value with the expected one, part by part, so that the first difference can be named."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import torch

from dlcourse.check.arrays import (
    FLOAT_TOLERANCE,
    Options,
    at,
    check_bound,
    check_finite,
    compare_entries,
    to_numpy,
    tolerance_of,
)
from dlcourse.check.errors import CheckError, fail, short
from dlcourse.check.frames import compare_frame, compare_index, compare_series
from dlcourse.check.hints import shape_hint, text_hint
from dlcourse.check.kinds import (
    check_dtype,
    check_readable,
    check_requires_grad,
    check_type,
    key,
    type_name,
    unwrapped,
)


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

    The type must be exact: a subclass with its own ``==`` is refused. These count as the type beside
    them: `torch.nn.Parameter` (a tensor), `numpy.float64` (a float), `torch.Size` and PyTorch's
    named results (a tuple), `OrderedDict`, `defaultdict` and `Counter` (a dict). Where `expected` is a
    NumPy scalar, the Python number will do.

    Raises:
        CheckError: the first difference found.
    """
    with _readable(actual, name, hint):
        _Comparison(Options(rtol, atol, hint), requires_grad).compare(actual, expected, name)


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
    with _readable(actual, name, hint):
        check_type(actual, torch.Tensor, name, hint)
        check_readable(actual, torch.strided, name, hint)
        if shape is not None:
            _check_shape(tuple(actual.shape), tuple(shape), name, hint)
        if dtype is not None:
            check_dtype(actual.dtype, dtype, name, hint)
        if requires_grad is not None:
            check_requires_grad(actual, requires_grad, name, hint)
        entries = to_numpy(actual)
        if finite:
            check_finite(entries, name, hint)
        if (low is not None or high is not None) and entries.dtype.kind == "c":
            fail(f"{name}: wrong dtype", expected="real numbers", actual=str(actual.dtype), hint=hint)
        if low is not None:
            check_bound(entries, entries >= low, f"every entry at least {low:g}", name, hint)
        if high is not None:
            check_bound(entries, entries <= high, f"every entry at most {high:g}", name, hint)


def _check_shape(actual: tuple[int, ...], wanted: tuple[int | None, ...], name: str, hint: str | None) -> None:
    fits = len(wanted) == len(actual) and all(
        want is None or want == got for want, got in zip(wanted, actual, strict=True)
    )
    if not fits:
        lengths = ", ".join("any" if want is None else str(want) for want in wanted)
        fail(
            f"{name}: wrong shape",
            expected=f"shape ({lengths}{',' if len(wanted) == 1 else ''})",
            actual=f"shape {actual}",
            hint=hint or shape_hint(actual, wanted),
        )


@contextmanager
def _readable(actual: Any, name: str, hint: str | None) -> Iterator[None]:
    """Turn a failure of the comparison itself into a message: a result it cannot read is not the expected one."""
    try:
        # Nor may it warn: nbgrader gives no points to a test cell that writes to stderr.
        # A torch function mode that was left switched on must not answer for the tensors either.
        with warnings.catch_warnings(), torch._C.DisableTorchFunction():
            warnings.simplefilter("ignore")
            yield
    except CheckError:
        raise
    except (Exception, SystemExit) as error:
        fail(
            f"{name} cannot be compared with what was expected",
            actual=f"{type_name(type(actual))}; reading it stopped with {type_name(type(error))}",
            hint=hint,
        )


class _Comparison:
    """One comparison with its tolerances, walking into lists, dicts and frames."""

    def __init__(self, options: Options, requires_grad: bool | None = None) -> None:
        self.options = options
        self.hint = options.hint
        self.requires_grad = requires_grad

    def compare(self, actual: Any, expected: Any, name: str) -> None:
        if isinstance(expected, torch.Tensor):
            self._tensor(actual, expected, name)
        elif isinstance(expected, np.ndarray):
            check_type(actual, np.ndarray, name, self.hint)
            self._shape(actual.shape, expected.shape, name)
            self._array(actual, expected, name)
        elif isinstance(expected, pd.DataFrame):
            compare_frame(actual, expected, name, self.options, self.compare)
        elif isinstance(expected, pd.Series):
            compare_series(actual, expected, name, self.options, self.compare)
        elif isinstance(expected, pd.Index):
            compare_index(actual, expected, name, self.hint)
        elif isinstance(expected, dict):
            check_type(actual, type(expected), name, self.hint)
            self._keys(actual, expected, f"{name}: wrong keys")
            for k, want in expected.items():
                self.compare(actual[k], want, f"{name}[{short(k)}]")
        elif isinstance(expected, (set, frozenset)):
            check_type(actual, type(expected), name, self.hint)
            self._keys(actual, expected, f"{name}: wrong elements")
        elif isinstance(expected, (list, tuple)):
            self._sequence(actual, expected, name)
        else:
            check_type(actual, type(expected), name, self.hint)
            self._scalar(unwrapped(actual), unwrapped(expected), name)

    def _tensor(self, actual: Any, expected: torch.Tensor, name: str) -> None:
        check_type(actual, torch.Tensor, name, self.hint)
        check_readable(actual, expected.layout, name, self.hint)
        self._shape(tuple(actual.shape), tuple(expected.shape), name)
        check_dtype(actual.dtype, expected.dtype, name, self.hint)
        compare_entries(to_numpy(actual), to_numpy(expected), name, tolerance_of(expected.dtype), self.options)
        if self.requires_grad is not None:
            check_requires_grad(actual, self.requires_grad, name, self.hint)

    def _shape(self, actual: tuple[int, ...], expected: tuple[int, ...], name: str) -> None:
        if actual != expected:
            own_hint = shape_hint(actual, expected)
            self._fail(f"{name}: wrong shape", f"shape {expected}", f"shape {actual}", own_hint)

    def _array(self, actual: np.ndarray, expected: np.ndarray, name: str) -> None:
        check_dtype(actual.dtype, expected.dtype, name, self.hint)
        if expected.dtype.names:
            for field in expected.dtype.names:
                self._array(actual[field], expected[field], f"{name}[{field!r}]")
        elif expected.dtype.hasobject:
            # `!=` on object arrays would ask every entry; each is compared on its own instead.
            for where in np.ndindex(expected.shape):
                self.compare(actual[where], expected[where], f"{name}{at(where)}")
        else:
            compare_entries(actual, expected, name, tolerance_of(expected.dtype), self.options)

    def _sequence(self, actual: Any, expected: Sequence, name: str) -> None:
        check_type(actual, type(expected), name, self.hint)
        if len(actual) != len(expected):
            self._fail(f"{name}: wrong length", _items(len(expected)), _items(len(actual)))
        for i, (got, want) in enumerate(zip(actual, expected, strict=True)):
            self.compare(got, want, f"{name}[{i}]")

    def _keys(self, actual: Any, expected: Any, what: str) -> None:
        found, wanted = {key(k) for k in actual}, {key(k) for k in expected}
        missing = [k for k in expected if key(k) not in found]
        extra = [k for k in actual if key(k) not in wanted]
        if missing or extra:
            parts = [f"without {short(missing)}"] if missing else []
            parts += [f"with the extra {short(extra)}"] if extra else []
            self._fail(what, short(list(expected)), " and ".join(parts))

    def _scalar(self, actual: Any, expected: Any, name: str) -> None:
        loose = self.options.rtol is not None or self.options.atol is not None
        if type(expected) in (float, complex) or (type(expected) is int and loose and abs(expected) < 2**53):
            tolerance = None if type(expected) is int else FLOAT_TOLERANCE
            compare_entries(np.asarray(actual), np.asarray(expected), name, tolerance, self.options)
        elif actual is not expected and actual != expected:
            own_hint = text_hint(actual, expected) if type(expected) is str else None
            self._fail(f"{name}: wrong value", short(expected), short(actual), own_hint)

    def _fail(self, what: str, expected: str, actual: str, hint: str | None = None) -> None:
        fail(what, expected=expected, actual=actual, hint=self.hint or hint)


def _items(n: int) -> str:
    return "1 item" if n == 1 else f"{n} items"
