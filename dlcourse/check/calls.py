"""Call the learner's code in a way that turns every mishap into a message about that code."""

import importlib
import linecache
import sysconfig
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from dlcourse.check.errors import CheckError, fail
from dlcourse.check.values import value

# Where code that no learner wrote lives: this package, the standard library, installed packages.
_NOT_LEARNER = (str(Path(__file__).parent), *{sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")})


def call(
    function: Callable,
    *args: Any,
    name: str | None = None,
    keeps_inputs: bool = True,
    hint: str | None = None,
    **kwargs: Any,
) -> Any:
    """Call a learner's function and return what it gives.

    Args:
        function: the learner's function (or class, to make an object of it).
        *args: positional arguments for it.
        name: how messages call it; the function's own name by default.
        keeps_inputs: whether tensors, arrays, frames and containers among the arguments must be
            unchanged afterwards.
        hint: where to look when the call fails.
        **kwargs: keyword arguments for it.

    Raises:
        CheckError: the function is not written yet, stopped with an error, or changed an input.
    """
    name = name or getattr(function, "__name__", "the function")
    if not callable(function):
        fail(f"{name} is not a function", expected="a function", actual=type(function).__name__, hint=hint)
    inputs = {f"argument {i + 1}": arg for i, arg in enumerate(args)} | {f"argument {k}": v for k, v in kwargs.items()}
    before = {key: _snapshot(item) for key, item in inputs.items()} if keeps_inputs else {}
    try:
        result = function(*args, **kwargs)
    except CheckError:
        raise
    except NotImplementedError:
        fail(f"{name} is not written yet", hint="write your answer in place of `raise NotImplementedError()`.")
    except (Exception, SystemExit) as error:
        fail(f"{name} stopped with an error", actual=_describe(error), hint=hint)
    for key, copied in before.items():
        _check_same(inputs[key], copied, f"{name} changed its {key} in place", hint)
    return result


@contextmanager
def unchanged(name: str, **inputs: Any) -> Iterator[None]:
    """Check that the block inside `with` leaves the given inputs as they were.

    Args:
        name: what ran, for the message: ``"one epoch of data_iter"``.
        **inputs: tensors, arrays, frames or containers of them, under the names the message uses.

    Raises:
        CheckError: one of the inputs has another value, shape or dtype than before.
    """
    before = {key: _snapshot(item) for key, item in inputs.items()}
    yield
    for key, copied in before.items():
        _check_same(inputs[key], copied, f"{name} changed {key} in place", None)


def gradient(
    function: Callable[..., torch.Tensor],
    reference: Callable[..., torch.Tensor],
    inputs: Sequence[torch.Tensor],
    name: str,
    *,
    names: Sequence[str] | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    hint: str | None = None,
) -> None:
    """Check that gradients flow through `function` and equal those of `reference`.

    Both are called with copies of the float tensors in `inputs` that ask for a gradient. The output,
    of any shape, is reduced to a number with fixed uneven weights, so that a gradient which is right
    only for a plain sum is caught.

    Args:
        function: the learner's function of the inputs, giving one tensor.
        reference: a function known to be right.
        inputs: tensors to call both with; integer tensors are passed on but get no gradient.
        name: how the message calls the function.
        names: names of the inputs for the message.
        rtol: relative tolerance, as in `value`.
        atol: absolute tolerance, as in `value`.
        hint: where to look.

    Raises:
        CheckError: the call failed, the output carries no gradient, or a gradient differs.
    """
    names = names or [f"argument {i + 1}" for i in range(len(inputs))]
    expected = _gradients(reference, inputs, reference)
    actual = _gradients(lambda *args: call(function, *args, name=name, hint=hint), inputs, function, name, hint)
    for label, got, want in zip(names, actual, expected, strict=True):
        if want is None:
            continue
        if got is None:
            fail(
                f"no gradient of {name} reaches {label}",
                expected=f"a gradient of shape {tuple(want.shape)}",
                actual="none",
                hint=hint
                or "was the input copied with torch.tensor(...), .detach() or .data, or left out of the result?",
            )
        value(got, want, f"the gradient of {name} with respect to {label}", rtol=rtol, atol=atol, hint=hint)


def raises(
    error: type[Exception],
    function: Callable,
    *args: Any,
    name: str | None = None,
    hint: str | None = None,
    **kwargs: Any,
) -> None:
    """Check that `function` refuses its input with an exception of class `error`.

    Raises:
        CheckError: no exception, or one of another class.
    """
    name = name or getattr(function, "__name__", "the function")
    wanted = f"{error.__name__} is raised"
    try:
        function(*args, **kwargs)
    except error as raised:
        # NotImplementedError is a RuntimeError: an answer not yet written must not pass for a refusal.
        if isinstance(raised, NotImplementedError) and error is not NotImplementedError:
            fail(f"{name} is not written yet", hint="write your answer in place of `raise NotImplementedError()`.")
        return
    except (Exception, SystemExit) as other:
        fail(f"{name} raised the wrong kind of error", expected=wanted, actual=_describe(other), hint=hint)
    fail(f"{name} accepted input that it should refuse", expected=wanted, actual="no error", hint=hint)


@contextmanager
def forbidden(*calls: str, because: str) -> Iterator[None]:
    """Fail if the block inside `with` calls one of the named library functions or classes.

    Args:
        *calls: dotted names, such as ``"torch.optim.SGD"``.
        because: why the exercise rules it out, for the message.

    Raises:
        CheckError: one of them was called.
    """
    replaced = []

    def guard(dotted: str) -> Callable:
        def refuse(*_args: Any, **_kwargs: Any) -> None:
            fail(f"your code calls {dotted}, which this exercise does not allow", hint=because)

        return refuse

    try:
        for dotted in calls:
            module_name, _, attribute = dotted.rpartition(".")
            module = importlib.import_module(module_name)
            replaced.append((module, attribute, getattr(module, attribute)))
            setattr(module, attribute, guard(dotted))
        yield
    finally:
        for module, attribute, original in replaced:
            setattr(module, attribute, original)


def _gradients(
    function: Callable,
    inputs: Sequence[torch.Tensor],
    called: Callable,
    name: str | None = None,
    hint: str | None = None,
) -> list[torch.Tensor | None]:
    copies = [a.detach().clone().requires_grad_(a.is_floating_point()) for a in inputs]
    with torch.enable_grad():
        result = function(*copies)
        if name is not None and type(result) is not torch.Tensor:
            value(result, torch.zeros(()), name, hint=hint)
        if not result.requires_grad:
            if name is None:
                raise ValueError(f"the reference {called} gives no gradient")
            fail(
                f"no gradient flows through {name}",
                expected="a result that carries a gradient",
                actual="requires_grad is False",
                hint=hint or "look for .detach(), .data, .item(), .numpy(), torch.tensor(...) or torch.no_grad().",
            )
        weights = torch.cos(torch.arange(result.numel(), dtype=result.dtype)).reshape(result.shape)
        floats = [a for a in copies if a.requires_grad]
        found = iter(torch.autograd.grad((result * weights).sum(), floats, allow_unused=True))
    return [next(found) if a.requires_grad else None for a in copies]


def _snapshot(item: Any) -> Any:
    if isinstance(item, torch.Tensor):
        return item.detach().clone()
    if isinstance(item, (np.ndarray, pd.DataFrame, pd.Series)):
        return item.copy()
    if isinstance(item, dict):
        return {key: _snapshot(entry) for key, entry in item.items()}
    if type(item) in (list, tuple):
        return type(item)(_snapshot(entry) for entry in item)
    return item


def _check_same(now: Any, before: Any, what: str, hint: str | None) -> None:
    if not _same(now, before):
        own_hint = "work on a copy: x = x - 1 makes a new object, while x -= 1 and x[0] = 1 change the caller's."
        fail(
            what, expected="the caller's data stay as they were", actual="they are different now", hint=hint or own_hint
        )


def _same(now: Any, before: Any) -> bool:
    if isinstance(before, torch.Tensor):
        if not isinstance(now, torch.Tensor) or now.shape != before.shape or now.dtype != before.dtype:
            return False
        return bool(torch.equal(torch.nan_to_num(now.detach(), nan=1.25), torch.nan_to_num(before, nan=1.25)))
    if isinstance(before, np.ndarray):
        return now.shape == before.shape and now.dtype == before.dtype and _equal_arrays(now, before)
    if isinstance(before, (pd.DataFrame, pd.Series)):
        return bool(now.equals(before))
    if isinstance(before, dict):
        return list(now) == list(before) and all(_same(now[key], before[key]) for key in before)
    if type(before) in (list, tuple):
        return len(now) == len(before) and all(_same(a, b) for a, b in zip(now, before, strict=True))
    return True


def _equal_arrays(now: np.ndarray, before: np.ndarray) -> bool:
    return bool(np.array_equal(now, before, equal_nan=before.dtype.kind in "fc"))


def _describe(error: BaseException) -> str:
    """`ValueError: message`, with the line of the learner's own code that raised it."""
    text = f"{type(error).__name__}: {error}".strip().rstrip(":")
    own = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_NOT_LEARNER)]
    if own:
        line = linecache.getline(own[-1].filename, own[-1].lineno or 0).strip()
        if line:
            text += f"  (at your line `{line}`)"
    return text
