"""See whether code changed the data that it was given."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import torch

from dlcourse.check.arrays import to_numpy
from dlcourse.check.errors import fail
from dlcourse.check.kinds import is_missing, is_one_of, key, unwrapped


@contextmanager
def unchanged(name: str, **inputs: Any) -> Iterator[None]:
    """Check that the block inside `with` leaves the given inputs as they were.

    Args:
        name: what ran, for the message: ``"one epoch of data_iter"``.
        **inputs: tensors, arrays, frames or containers of them, under the names the message uses.

    Raises:
        CheckError: one of the inputs has another value, shape or dtype than before.
    """
    before = {label: snapshot(item) for label, item in inputs.items()}
    yield
    for label, copied in before.items():
        check_unchanged(inputs[label], copied, f"{name} changed {label} in place", None)


def snapshot(item: Any) -> Any:
    """A copy of tensors, arrays, frames and containers of them; any other object is taken as it is."""
    if isinstance(item, torch.Tensor):
        return item.detach().clone()
    if isinstance(item, np.ndarray):
        return copy.deepcopy(item) if item.dtype.hasobject else item.copy()
    if isinstance(item, (pd.DataFrame, pd.Series)):
        return item.copy()
    if isinstance(item, dict):
        return {name: snapshot(entry) for name, entry in item.items()}
    if is_one_of(type(item), (list, tuple)):
        return type(item)(snapshot(entry) for entry in item)
    if type(item) is set:
        return set(item)
    return item


def check_unchanged(now: Any, before: Any, what: str, hint: str | None) -> None:
    """Fail with the sentence `what` if `now` differs from the snapshot `before`."""
    try:
        same = _same(now, before)
    except (Exception, SystemExit):  # what cannot even be compared any more is not what it was
        same = False
    if not same:
        own_hint = "work on a copy: x = x - 1 makes a new object, while x -= 1 and x[0] = 1 change the caller's."
        fail(
            what, expected="the caller's data stay as they were", actual="they are different now", hint=hint or own_hint
        )


def _same(now: Any, before: Any) -> bool:
    if isinstance(before, torch.Tensor):
        return _same_tensor(now, before)
    if isinstance(before, np.ndarray):
        return isinstance(now, np.ndarray) and _same_array(now, before)
    if isinstance(before, (pd.DataFrame, pd.Series)):
        return type(now) is type(before) and bool(now.equals(before))
    if type(before) is dict:
        same_names = isinstance(now, dict) and [key(k) for k in now] == [key(k) for k in before]
        return same_names and all(_same(now[k], before[k]) for k in before)
    if is_one_of(type(before), (list, tuple)):
        if type(now) is not type(before) or len(now) != len(before):
            return False
        return all(_same(a, b) for a, b in zip(now, before, strict=True))
    if type(before) is set:
        return type(now) is set and {key(a) for a in now} == {key(a) for a in before}
    # A number may be a new object of the same value; of anything else the very same object must be left.
    if is_one_of(type(unwrapped(before)), (bool, int, float, complex, str, bytes)):
        return type(now) is type(before) and (now == before or (is_missing(now) and is_missing(before)))
    return now is before


def _same_tensor(now: Any, before: torch.Tensor) -> bool:
    if not isinstance(now, torch.Tensor) or (now.dtype, now.layout) != (before.dtype, before.layout):
        return False
    if before.is_nested:
        return len(now) == len(before) and all(map(_same_tensor, now.unbind(), before.unbind()))
    if now.shape != before.shape or now.device != before.device:
        return False
    return before.device.type == "meta" or _same_array(to_numpy(now), to_numpy(before))


def _same_array(now: np.ndarray, before: np.ndarray) -> bool:
    if now.shape != before.shape or now.dtype != before.dtype:
        return False
    if before.dtype.hasobject:
        return all(_same(a, b) for a, b in zip(now.flat, before.flat, strict=True))
    return bool(np.array_equal(now, before, equal_nan=before.dtype.kind in "fcmM"))
