"""Count what a learner's code does with tensors: for exercises about loops and about memory."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from dlcourse.check.calls import call
from dlcourse.check.crashes import name_of


class Operations(NamedTuple):
    """What a call gave, and what it cost."""

    result: Any
    count: int
    """Number of tensor operations; a loop over rows makes it grow with the rows."""
    largest: int
    """Entries of the largest tensor that was made, views of the arguments and in-place results left out."""


def operations(
    function: Callable,
    *args: Any,
    name: str | None = None,
    keeps_inputs: bool = True,
    hint: str | None = None,
) -> Operations:
    """Call a learner's function as `call` does, and count its tensor operations.

    What is done outside PyTorch, on NumPy arrays or Python numbers, is not seen.

    Args:
        function: the learner's function.
        *args: positional arguments for it.
        name: as in `call`.
        keeps_inputs: as in `call`.
        hint: as in `call`.

    Raises:
        CheckError: what `call` raises.
    """
    counter = _Counter({a.untyped_storage().data_ptr() for a in _tensors(args)})

    def counted(*args: Any) -> Any:
        with counter:
            return function(*args)

    wrapped = counted if callable(function) else function
    result = call(wrapped, *args, name=name or name_of(function), keeps_inputs=keeps_inputs, hint=hint)
    return Operations(result, counter.count, counter.largest)


class _Counter(TorchDispatchMode):
    def __init__(self, given: set[int]) -> None:
        super().__init__()
        self.given = given
        self.count = self.largest = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.count += 1
        made = [a.numel() for a in _tensors(result) if a.untyped_storage().data_ptr() not in self.given]
        self.largest = max([self.largest, *made])
        return result


def _tensors(item: Any) -> Iterator[torch.Tensor]:
    """The dense tensors in a result or an argument."""
    if isinstance(item, torch.Tensor):
        if item.layout == torch.strided:
            yield item
    elif isinstance(item, (list, tuple)):
        for part in item:
            yield from _tensors(part)
