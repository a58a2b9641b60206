"""Call the learner's code in a way that turns every mishap into a message about that code."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from dlcourse.check.crashes import describe, explain, name_of
from dlcourse.check.errors import CheckError, fail
from dlcourse.check.inputs import check_unchanged, snapshot
from dlcourse.check.kinds import check_readable, check_type, type_name
from dlcourse.check.values import value


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
    name = name or name_of(function)
    if not callable(function):
        fail(f"{name} is not a function", expected="a function", actual=type_name(type(function)), hint=hint)
    inputs = {f"argument {i + 1}": arg for i, arg in enumerate(args)} | {f"argument {k}": v for k, v in kwargs.items()}
    before = {key: snapshot(item) for key, item in inputs.items()} if keeps_inputs else {}
    try:
        result = function(*args, **kwargs)
    except (CheckError, KeyboardInterrupt):  # a refused call, and the stop button
        raise
    except BaseException as error:
        explain(name, error, hint)
    for key, copied in before.items():
        check_unchanged(inputs[key], copied, f"{name} changed its {key} in place", hint)
    return result


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
    wanted_output, expected = _gradients(reference, inputs)
    if not wanted_output.requires_grad:
        raise ValueError(f"the reference {reference} gives no gradient")

    def called(*args: torch.Tensor) -> torch.Tensor:
        result = call(function, *args, name=name, hint=hint)
        _check_output(result, wanted_output, name, hint)
        return result

    try:
        _, actual = _gradients(called, inputs)
    except (CheckError, KeyboardInterrupt):
        raise
    except BaseException as error:
        explain(f"the backward pass through {name}", error, hint)
    for label, got, want in zip(names, actual, expected, strict=True):
        _check_gradient(got, want, name, label, (rtol, atol), hint)


def _check_output(result: torch.Tensor, wanted: torch.Tensor, name: str, hint: str | None) -> None:
    """Fail if no gradient can be asked of what the learner's function gave."""
    check_type(result, torch.Tensor, name, hint)
    check_readable(result, wanted.layout, name, hint)
    if not result.requires_grad:
        fail(
            f"no gradient flows through {name}",
            expected="a result that carries a gradient",
            actual="requires_grad is False",
            hint=hint or "look for .detach(), .data, .item(), .numpy(), torch.tensor(...) or torch.no_grad().",
        )
    if result.numel() != wanted.numel():  # compared entry by entry, such gradients would only puzzle
        value(result, wanted, name, hint=hint)


def _check_gradient(
    got: torch.Tensor | None,
    want: torch.Tensor | None,
    name: str,
    label: str,
    tolerance: tuple[float | None, float | None],
    hint: str | None,
) -> None:
    # None means that the result does not depend on the input: a gradient of zeros says the same.
    if got is None and want is not None and want.count_nonzero():
        fail(
            f"no gradient of {name} reaches {label}",
            expected=f"a gradient of shape {tuple(want.shape)}",
            actual="none",
            hint=hint or "was the input copied with torch.tensor(...), .detach() or .data, or left out of the result?",
        )
    if got is None:
        return
    if want is None:
        if got.count_nonzero():
            fail(
                f"a gradient of {name} reaches {label} and should not",
                expected="no gradient, or zeros",
                actual=f"a gradient of shape {tuple(got.shape)}",
                hint=hint or f"the result must not depend on {label}, or treat it as a constant: .detach().",
            )
        return
    rtol, atol = tolerance
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
    name = name or name_of(function)
    wanted = f"{error.__name__} is raised"
    try:
        function(*args, **kwargs)
    except (CheckError, KeyboardInterrupt):
        raise
    except BaseException as raised:
        # NotImplementedError is a RuntimeError: an answer not yet written must not pass for a refusal.
        if issubclass(type(raised), NotImplementedError) and error is not NotImplementedError:
            explain(name, raised, hint)
        if not issubclass(type(raised), error):
            fail(f"{name} raised the wrong kind of error", expected=wanted, actual=describe(raised), hint=hint)
        return
    fail(f"{name} accepted input that it should refuse", expected=wanted, actual="no error", hint=hint)


def _gradients(
    function: Callable[..., torch.Tensor], inputs: Sequence[torch.Tensor]
) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
    """What `function` gives for copies of `inputs`, and the gradient of a weighted sum of it for each of them."""
    copies = [a.detach().clone().requires_grad_(a.is_floating_point()) for a in inputs]
    with torch.enable_grad():
        result = function(*copies)
        if not result.requires_grad:
            return result, [None for _ in copies]
        numbers = torch.view_as_real(result) if result.is_complex() else result.to_dense()
        weights = torch.cos(torch.arange(numbers.numel(), dtype=torch.float64)).to(numbers).reshape(numbers.shape)
        floats = [a for a in copies if a.requires_grad]
        found = iter(torch.autograd.grad((numbers * weights).sum(), floats, allow_unused=True))
    gradients = [next(found) if a.requires_grad else None for a in copies]
    # An embedding with sparse=True gives a sparse gradient of the same value.
    return result, [g if g is None else g.to_dense() for g in gradients]
