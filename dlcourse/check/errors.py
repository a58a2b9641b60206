"""The one kind of failure a learner sees, and how it reads."""

import reprlib
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

# No part of a message is longer than this, whatever a learner's code returns or raises.
_LONGEST = 500

_repr = reprlib.Repr()
_repr.maxlist = _repr.maxtuple = _repr.maxdict = _repr.maxset = _repr.maxfrozenset = 12
_repr.maxstring = _repr.maxother = _repr.maxlong = 120


class CheckError(AssertionError):
    """A learner's result is not what was asked; the message says how it differs and where to look."""

    def _render_traceback_(self) -> list[str]:
        # IPython calls this instead of printing the frames of the test and of this package: none of
        # them is the learner's code, and the frames of a hidden test must not be shown.
        return [f"CheckError: {self}"]


def fail(what: str, *, expected: str | None = None, actual: str | None = None, hint: str | None = None) -> NoReturn:
    """Raise a `CheckError` whose parts stand on lines of their own."""
    lines = [_part(what)]
    if expected is not None:
        lines.append(f"    expected: {_part(expected)}")
    if actual is not None:
        lines.append(f"    actual:   {_part(actual)}")
    if hint:
        lines.append(f"    hint:     {hint}")
    raise_alone(CheckError("\n".join(lines)))


def raise_alone(error: CheckError) -> NoReturn:
    """Raise `error` with no trace of the exception that is being handled.

    The message says already what matters of it. And when the learner's exception is an `ExceptionGroup`,
    IPython, which looks for one in the context, would print every frame of the test.
    """
    try:
        raise error
    finally:
        error.__context__ = None


def that(condition: bool, what: str, *, hint: str | None = None) -> None:
    """Fail with the sentence `what` unless `condition` is exactly `True`.

    Exactly: an object of a learner's own class may claim to be true, and a one-element tensor is
    true for reasons of its own. Write the comparison so that it yields a bool (of Python or NumPy).

    Raises:
        CheckError: `condition` is `False`.
        TypeError: `condition` is not a bool (a mistake in the test, not in the answer).
    """
    if isinstance(condition, np.bool_):
        condition = bool(condition)
    if condition is True:
        return
    if condition is not False:
        raise TypeError(f"check.that needs a bool, got {type(condition).__name__}; wrap the comparison in bool(...)")
    fail(what, hint=hint)


def defined(name: str, names: Mapping[str, Any]) -> None:
    """Check that the answer cell of an exercise was run.

    Args:
        name: what the exercise asks for, a function say.
        names: the notebook's names: `globals()`.

    Raises:
        CheckError: the name is not there.
    """
    if name not in names:
        fail(f"{name} is not defined", hint="run the cell of your answer first.")


def clip(text: str, longest: int = _LONGEST) -> str:
    """Shorten a text that would fill the screen, keeping its beginning and its end."""
    return text if len(text) <= longest else text[: longest - 60] + " ... " + text[-50:]


def _part(text: str) -> str:
    return clip(text).replace("\n", "\n        ")  # further lines stand below the first, indented


def short(a: Any) -> str:
    """`repr`, but brief however large the object is, and harmless if its class has a broken `__repr__`."""
    try:
        return _repr.repr(a)
    except (Exception, SystemExit):
        return "an object that cannot be printed"
