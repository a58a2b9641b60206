"""Refuse calls that an exercise rules out."""

import importlib
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dlcourse.check.crashes import is_library, own_line_now, test_file
from dlcourse.check.errors import CheckError, clip, raise_alone

_ABSENT = object()
# Py_TPFLAGS_IMMUTABLETYPE: types written in C, which do not let their `__init__` be replaced.
_IMMUTABLE = 1 << 8


@contextmanager
def forbidden(*calls: str, because: str) -> Iterator[None]:
    """Fail if the block inside `with` calls one of the named library functions or classes.

    The functions are replaced for the time of the block, also under other names that they have in the
    notebook (``from torch.nn.functional import softmax``). Of a class, making an object is refused, which
    includes objects of its subclasses; ``isinstance`` keeps working. A call is refused as well when
    another library function makes it, except for Python's own functions (``"builtins.sum"``), which every library uses.

    Args:
        *calls: dotted names, such as ``"torch.optim.SGD"`` or ``"torch.Tensor.backward"``.
        because: why the exercise rules it out, for the message.

    Raises:
        CheckError: one of them was called, even if the code under test caught the error.
    """
    made: list[CheckError] = []
    replaced: list[tuple[Any, str, Any]] = []
    tests = test_file()

    def guard(dotted: str, original: Callable) -> Callable:
        def refuse(*args: Any, **kwargs: Any) -> Any:
            if dotted.startswith("builtins.") and is_library(sys._getframe(1).f_code.co_filename):
                return original(*args, **kwargs)
            what = f"your code calls {dotted}, which this exercise does not allow{own_line_now(tests)}"
            made.append(CheckError(f"{clip(what)}\n    hint:     {because}"))
            raise_alone(made[-1])

        return refuse

    def replace(owner: Any, attribute: str, new: Callable) -> None:
        # Of a method that is inherited, nothing stands in the class itself: then the new one is removed again.
        old = vars(owner).get(attribute, _ABSENT)
        setattr(owner, attribute, new)
        replaced.append((owner, attribute, old))

    try:
        for dotted in calls:
            owner, attribute = _find(dotted)
            original = getattr(owner, attribute)
            new = guard(dotted, original)
            if isinstance(original, type) and not original.__flags__ & _IMMUTABLE:
                replace(original, "__init__", new)
                continue
            if isinstance(original, type) and owner is sys.modules["builtins"]:
                raise TypeError(f"{dotted} is a type that Python itself needs: it cannot be forbidden")
            replace(owner, attribute, new)
            notebook = sys.modules["__main__"]
            for alias in [name for name, item in vars(notebook).items() if item is original]:
                replace(notebook, alias, new)
        yield
    finally:
        for owner, attribute, old in reversed(replaced):
            if old is _ABSENT:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, old)
        if made:
            raise_alone(made[0])


def _find(dotted: str) -> tuple[types.ModuleType | type, str]:
    """The module or class that holds the last part of a dotted name."""
    *parts, attribute = dotted.split(".")
    for end in range(len(parts), 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            owner = getattr(owner, part)
        return owner, attribute
    raise ValueError(f"{dotted!r} is not the full name of a function, such as 'torch.optim.SGD'")
