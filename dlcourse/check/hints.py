"""Guess from a wrong shape or wrong numbers which common slip made them."""

import math
from collections.abc import Sequence

import numpy as np

# Sorting more than this to look for a wrong order costs seconds and tells little.
_LARGE = 200_000


def shape_hint(actual: Sequence[int], expected: Sequence[int | None]) -> str | None:
    """Name the slip that turns the expected shape into the actual one, if it is a common one."""
    actual, expected = tuple(actual), tuple(expected)
    if len(actual) == 2 and actual[0] == actual[1] and expected in ((actual[0], 1), (actual[0],)):
        n = actual[0]
        return (
            f"a tensor of shape ({n}, 1) met one of shape ({n},): broadcasting combined every row with every other. "
            "Give both the same shape with .reshape(...) first."
        )
    if len(actual) == len(expected) and actual == tuple(reversed(expected)):
        return "the axes are swapped: transpose, or look at the order of the factors."
    if len(actual) == len(expected) and None not in expected and sorted(actual) == sorted(expected):
        return "the axes are in another order: .permute(...) or .transpose(...) rearranges them."
    if len(expected) > len(actual) and _without_ones(expected) == _without_ones(actual):
        return "an axis of length 1 is missing: keepdim=True, .reshape(...) or indexing with None keeps it."
    if len(expected) < len(actual) and _without_ones(expected) == _without_ones(actual):
        return "there is an axis of length 1 too many: .squeeze(axis) or .reshape(...) removes it."
    if not actual and expected:
        return "the result is a single number: was it summed or averaged over all entries?"
    if not expected and actual:
        return "a single number (shape ()) was asked: the sum or mean over all entries is missing."
    return None


def _without_ones(shape: Sequence[int | None]) -> tuple[int | None, ...]:
    return tuple(n for n in shape if n != 1)


def value_hint(actual: np.ndarray, expected: np.ndarray) -> str | None:
    """Name a simple relation between two arrays, if there is one: a factor, a sign, a shift, an order."""
    if expected.dtype.kind == "b" and actual.dtype.kind == "b":
        return "every True should be False, and every False True." if (actual == ~expected).all() else None
    if expected.dtype.kind not in "fiu" or actual.dtype.kind not in "fiu" or expected.size > _LARGE:
        return None
    whole = "f" not in (actual.dtype.kind, expected.dtype.kind)
    actual, expected = actual.astype(np.float64), expected.astype(np.float64)
    scale = np.abs(expected).max()
    if not (np.isfinite(actual).all() and np.isfinite(expected).all()) or scale == 0:
        return None
    # Scaled to at most 1, so that "close" means the same for small and for large numbers.
    actual, expected = actual / scale, expected / scale
    if expected.ndim == 2 and actual.shape == expected.T.shape and _close(actual, expected.T):
        return "the rows should be the columns: a transpose (.T) is missing, or one too many."
    used = np.abs(expected) > 1e-6
    factor = float(np.median(actual[used] / expected[used]))
    if factor and _close(actual, factor * expected, abs(factor)) and not math.isclose(factor, 1, rel_tol=1e-2):
        if math.isclose(factor, -1, rel_tol=1e-3):
            return "the sign is wrong."
        # Any two single numbers differ by some factor: only a simple one says anything, and of counts none does.
        if expected.size > 1 or (_is_simple(factor) and not whole):
            return (
                f"the result is {factor:.4g} times what was expected: "
                "look for a factor, or a sum that should be a mean (or the other way round)."
            )
    if expected.size > 2:
        shift = float((actual - expected).flat[0])
        if abs(shift) > 1e-3 and _close(actual - expected, np.full_like(expected, shift), abs(shift)):
            return f"every entry is off by the same {shift * scale:.4g}: look for a term that is added or left out."
        if _close(np.sort(actual, axis=None), np.sort(expected, axis=None)):
            return "the numbers are right but in another order."
    return None


def _close(a: np.ndarray, b: np.ndarray, size: float = 1.0) -> bool:
    return np.allclose(a, b, rtol=1e-3, atol=1e-6 * size)


def _is_simple(factor: float) -> bool:
    """Whether a factor is one that slips make: a small whole number or its inverse."""
    size = abs(factor)
    return any(math.isclose(size, k, rel_tol=1e-3) or math.isclose(size, 1 / k, rel_tol=1e-3) for k in range(2, 11))


def text_hint(actual: str, expected: str) -> str | None:
    """Say where two strings part, or which invisible difference they have."""
    if actual.strip() == expected.strip():
        return "only spaces or line ends at the beginning or the end differ."
    if actual.lower() == expected.lower():
        return "only capital and small letters differ."
    if min(len(actual), len(expected)) > 20:
        pairs = zip(actual, expected, strict=False)
        place = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(actual), len(expected)))
        start = max(place - 10, 0)
        return (
            f"the first difference is at position {place}: "
            f"{expected[start : place + 10]!r} expected, {actual[start : place + 10]!r} found."
        )
    return None
