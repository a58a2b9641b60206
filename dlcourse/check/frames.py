"""Compare pandas objects: labels first, then column by column."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from dlcourse.check.arrays import Options, compare_entries, tolerance_of
from dlcourse.check.errors import fail, short
from dlcourse.check.hints import shape_hint
from dlcourse.check.kinds import check_dtype, check_type, is_missing, is_one_of, key, type_name, unwrapped

_INDEXES = (
    *(pd.Index, pd.RangeIndex, pd.MultiIndex, pd.CategoricalIndex),
    *(pd.DatetimeIndex, pd.TimedeltaIndex, pd.PeriodIndex, pd.IntervalIndex),
)


def compare_frame(actual: Any, expected: pd.DataFrame, name: str, options: Options, compare: Callable) -> None:
    """Fail at the first difference between two frames; `compare` is used for entries that are objects."""
    check_type(actual, pd.DataFrame, name, options.hint)
    _columns(actual.columns, expected.columns, name, options.hint)
    _rows(actual, expected, name, options)
    for position, column in enumerate(expected.columns):
        _column(actual.iloc[:, position], expected.iloc[:, position], f"{name}[{column!r}]", options, compare)


def compare_series(actual: Any, expected: pd.Series, name: str, options: Options, compare: Callable) -> None:
    """Fail at the first difference between two series; their names do not matter."""
    check_type(actual, pd.Series, name, options.hint)
    # A new object around the same data: an attribute that was set on `actual` itself is left behind.
    actual = pd.Series(actual)
    _rows(actual, expected, name, options)
    _column(actual, expected, name, options, compare)


def compare_index(actual: Any, expected: pd.Index, name: str, hint: str | None) -> None:
    """Fail at the first label that differs; how pandas stores the labels does not matter."""
    if not is_one_of(type(actual), _INDEXES):
        fail(f"{name}: wrong type", expected="pandas.Index", actual=type_name(type(actual)), hint=hint)
    if len(actual) != len(expected):
        fail(f"{name}: wrong length", expected=f"{len(expected)} labels", actual=f"{len(actual)}", hint=hint)
    _labels(actual, expected, name, hint)


def _rows(actual: Any, expected: Any, name: str, options: Options) -> None:
    if actual.shape != expected.shape:
        fail(
            f"{name}: wrong shape",
            expected=f"shape {expected.shape}",
            actual=f"shape {actual.shape}",
            hint=options.hint or shape_hint(actual.shape, expected.shape),
        )
    _labels(actual.index, expected.index, f"the index of {name}", options.hint)


def _columns(actual: pd.Index, expected: pd.Index, name: str, hint: str | None) -> None:
    got, want = _keys(actual), _keys(expected)
    if got == want:
        return
    missing = [label for label, k in zip(expected, want, strict=True) if k not in got]
    extra = [label for label, k in zip(actual, got, strict=True) if k not in want]
    if missing or extra:
        parts = [f"without {short(missing)}"] if missing else []
        parts += [f"with the extra {short(extra)}"] if extra else []
        found = " and ".join(parts)
    else:
        found = short(list(actual))
        hint = hint or "the columns are in another order: frame[['a', 'b']] puts them in the order of the list."
    fail(f"{name}: wrong columns", expected=short(list(expected)), actual=found, hint=hint)


def _labels(actual: pd.Index, expected: pd.Index, name: str, hint: str | None) -> None:
    if isinstance(actual.dtype, np.dtype) and actual.dtype.kind != "O" and actual.equals(expected):  # the quick way
        return
    kinds = [a.dtype.kind if pd.api.types.is_numeric_dtype(a) else "O" for a in (actual, expected)]
    if all(kind in "iuf" for kind in kinds) and "f" in kinds:
        # 0 and 0.0 are the same label; a label that was computed may be off by a rounding.
        got, want = (a.to_numpy(np.float64, na_value=np.nan) for a in (actual, expected))
        same = np.isclose(got, want, rtol=1e-12, atol=0, equal_nan=True).tolist()
    else:
        same = [a == b for a, b in zip(_keys(actual), _keys(expected), strict=True)]
    if all(same):
        return
    row = same.index(False)
    if sorted(map(short, actual)) == sorted(map(short, expected)):
        own_hint = "the labels are right but in another order."
    else:
        own_hint = "rows keep their label when others are dropped or sorted; .reset_index(drop=True) numbers them anew."
    fail(
        f"{name}: wrong label at row {row} ({same.count(False)} of {len(same)} labels differ)",
        expected=short(unwrapped(expected[row])),
        actual=short(unwrapped(actual[row])),
        hint=hint or own_hint,
    )


def _keys(index: pd.Index) -> list:
    def one(label: Any) -> Any:
        if type(label) is tuple:
            return tuple(one(part) for part in label)
        return "missing" if is_missing(label) else key(unwrapped(label))

    return [one(label) for label in index]


def _column(actual: pd.Series, expected: pd.Series, name: str, options: Options, compare: Callable) -> None:
    if not _same_time(actual.dtype, expected.dtype):
        check_dtype(actual.dtype, expected.dtype, name, options.hint)
    kind = getattr(expected.dtype, "kind", "O")
    if pd.api.types.is_float_dtype(expected.dtype):
        got, want = (series.to_numpy(np.float64, na_value=np.nan) for series in (actual, expected))
        compare_entries(got, want, name, tolerance_of(expected.dtype), options)
    elif isinstance(expected.dtype, np.dtype) and kind != "O":
        got, want = (series.to_numpy() for series in (actual, expected))
        compare_entries(got, want, name, None, options)
    else:
        _objects(actual, expected, name, options, compare)


def _same_time(actual: Any, expected: Any) -> bool:
    """Whether both are dates or both durations: seconds or nanoseconds inside is for pandas to decide."""
    kinds = [a.kind if isinstance(a, np.dtype) else None for a in (actual, expected)]
    if kinds == ["M", "M"] or kinds == ["m", "m"]:
        return True
    zoned = [isinstance(a, pd.DatetimeTZDtype) for a in (actual, expected)]
    return all(zoned) and str(actual.tz) == str(expected.tz)


def _objects(actual: pd.Series, expected: pd.Series, name: str, options: Options, compare: Callable) -> None:
    if isinstance(expected.dtype, pd.StringDtype) and actual.array.equals(expected.array):
        return
    rows = zip(actual.astype(object).array, expected.astype(object).array, strict=True)
    for row, (got, want) in enumerate(rows):
        if is_missing(got) and is_missing(want):
            continue
        if is_missing(got) or is_missing(want):
            expected_text, actual_text = (
                "a missing value" if is_missing(a) else short(unwrapped(a)) for a in (want, got)
            )
            fail(f"{name}: wrong value in row {row}", expected=expected_text, actual=actual_text, hint=options.hint)
        compare(unwrapped(got), unwrapped(want), f"{name} in row {row}")
