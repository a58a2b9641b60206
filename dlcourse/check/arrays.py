"""Compare the entries of two arrays of one shape and dtype within tolerance."""

from typing import NamedTuple

import numpy as np
import torch

from dlcourse.check.errors import fail, short
from dlcourse.check.hints import value_hint

# (relative, absolute) tolerance by dtype. A sum of n terms is off by about sqrt(n) * eps relative to
# its largest term; n up to a million and eps = 1.2e-7 give 1.2e-4 for float32. float64 has room to
# spare, so its bound leaves space for a solve with a condition number of some 1e7 instead.
# The absolute part is multiplied by the largest expected magnitude: rounding scales with the data.
_TOLERANCES = {
    "float16": (1e-2, 1e-3),
    "bfloat16": (5e-2, 1e-2),
    "float32": (1e-4, 1e-5),
    "float64": (1e-7, 1e-9),
    "float128": (1e-7, 1e-9),
    "complex64": (1e-4, 1e-5),
    "complex128": (1e-7, 1e-9),
}
# A Python float most often comes out of float32 arithmetic through `.item()`.
FLOAT_TOLERANCE = (1e-4, 1e-6)


class Options(NamedTuple):
    """What the author of a test asked for; None leaves it to the dtype, or to the commonest causes."""

    rtol: float | None
    atol: float | None
    hint: str | None


def tolerance_of(dtype: torch.dtype | np.dtype) -> tuple[float, float] | None:
    """The tolerance for a dtype; None where entries must be equal."""
    return _TOLERANCES.get(str(dtype).removeprefix("torch.").lower())


def to_numpy(a: torch.Tensor) -> np.ndarray:
    """The entries of a tensor of any layout, in a dtype that NumPy knows."""
    # Called on the class: an attribute `detach` that was set on this one tensor is not asked.
    a = torch.Tensor.detach(a).cpu()
    if a.layout != torch.strided:
        a = a.to_dense()
    if a.is_quantized:
        a = a.dequantize()
    if a.is_floating_point() and a.dtype not in (torch.float32, torch.float64):
        a = a.to(torch.float32)
    return a.resolve_conj().resolve_neg().numpy()


def compare_entries(
    actual: np.ndarray, expected: np.ndarray, name: str, tolerance: tuple[float, float] | None, options: Options
) -> None:
    """Fail at the first entry that differs; the shapes are the same already."""
    if np.array_equal(actual, expected):
        return
    numbers = expected.dtype.kind in "fiuc" and actual.dtype.kind in "fiuc"
    allowed = None
    with np.errstate(all="ignore"):
        if numbers and not (tolerance is None and options.rtol is None and options.atol is None):
            wide = np.complex128 if "c" in (actual.dtype.kind, expected.dtype.kind) else np.float64
            actual, expected = actual.astype(wide), expected.astype(wide)
            if not np.isnan(expected).any():
                check_not_nan(actual, name, options.hint)
            allowed = _allowed(expected, tolerance or (0.0, 0.0), options)
            near = np.abs(actual - expected) <= allowed
            both_nan = np.isnan(actual) & np.isnan(expected)
            wrong = ~np.where(np.isfinite(expected), near, (actual == expected) | both_nan)
        elif expected.dtype.kind in "Mm":
            wrong = np.asarray((actual != expected) & ~(np.isnat(actual) & np.isnat(expected)))
        else:
            wrong = np.asarray(actual != expected)
        if not wrong.any():
            return
        own_hint = value_hint(actual, expected)
    where = first(wrong)
    got, want = _entry(actual[where]), _entry(expected[where])
    if got == want:
        got, want = short(actual[where].item()), short(expected[where].item())  # all 17 digits
    if allowed is not None:
        got += _off_by(actual[where], expected[where], allowed[where])
    count = f" ({int(wrong.sum())} of {wrong.size} entries differ)" if wrong.size > 1 else ""
    fail(f"{name}: wrong value{at(where)}{count}", expected=want, actual=got, hint=options.hint or own_hint)


def _allowed(expected: np.ndarray, tolerance: tuple[float, float], options: Options) -> np.ndarray:
    rtol = tolerance[0] if options.rtol is None else options.rtol
    atol = options.atol
    if atol is None:
        finite = np.abs(expected[np.isfinite(expected)])
        largest = float(finite.max()) if finite.size else 0.0
        atol = tolerance[1] * (largest or 1.0)
    return np.asarray(atol + rtol * np.abs(expected))


def _off_by(actual: np.number, expected: np.number, allowed: np.number) -> str:
    """For a near miss: by how much it misses. A gross difference speaks for itself."""
    difference = abs(actual - expected)
    return f"  (off by {difference:.2g}; {allowed:.2g} is allowed)" if difference <= 0.01 * abs(expected) else ""


def check_not_nan(entries: np.ndarray, name: str, hint: str | None) -> None:
    """Fail if an entry is NaN."""
    bad = np.isnan(entries)
    if bad.any():
        fail(
            f"{name}: NaN (not a number)",
            expected="only numbers",
            actual=_count(bad, "NaN"),
            hint=hint or "0/0, inf - inf, log of a negative number and a diverging training run make NaN.",
        )


def check_finite(entries: np.ndarray, name: str, hint: str | None) -> None:
    """Fail if an entry is NaN or infinite."""
    check_not_nan(entries, name, hint)
    bad = np.isinf(entries)
    if bad.any():
        fail(
            f"{name}: an infinite entry",
            expected="only finite numbers",
            actual=_count(bad, "infinite"),
            hint=hint or "a division by zero, log(0), exp of a large number, or a learning rate that is too large.",
        )


def check_bound(entries: np.ndarray, inside: np.ndarray, expected: str, name: str, hint: str | None) -> None:
    """Fail at the first entry that is not `inside` a bound."""
    wrong = np.asarray(~inside)
    if wrong.any():
        where = first(wrong)
        actual = _entry(entries[where]) + at(where)
        fail(f"{name}: entries outside the allowed range", expected=expected, actual=actual, hint=hint)


def _count(bad: np.ndarray, what: str) -> str:
    if bad.size == 1:
        return what
    return f"{int(bad.sum())} of {bad.size} entries are {what}, the first{at(first(bad))}"


def first(wrong: np.ndarray) -> tuple[int, ...]:
    """The index of the first True."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))


def at(where: tuple[int, ...]) -> str:
    """`` at index [0, 2]``, or nothing for a single number."""
    return f" at index {list(where)}" if where else ""


def _entry(entry: np.generic) -> str:
    if entry.dtype.kind in "Mm":
        return str(entry)
    return f"{entry:.7g}" if entry.dtype.kind in "fc" else short(entry.item())
