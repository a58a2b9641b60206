"""The one kind of failure a learner sees, and how it reads."""

from typing import NoReturn


class CheckError(AssertionError):
    """A learner's result is not what was asked; the message says how it differs and where to look."""

    def _render_traceback_(self) -> list[str]:
        # IPython calls this instead of printing the frames of the test and of this package: none of
        # them is the learner's code, and the frames of a hidden test must not be shown.
        return [f"CheckError: {self}"]


def fail(what: str, *, expected: str | None = None, actual: str | None = None, hint: str | None = None) -> NoReturn:
    """Raise a `CheckError` whose parts stand on lines of their own."""
    lines = [what]
    if expected is not None:
        lines.append(f"    expected: {expected}")
    if actual is not None:
        lines.append(f"    actual:   {actual}")
    if hint:
        lines.append(f"    hint:     {hint}")
    raise CheckError("\n".join(lines))


def that(condition: bool, what: str, *, hint: str | None = None) -> None:
    """Fail with the sentence `what` unless `condition` is exactly `True`.

    Exactly: an object of a learner's own class may claim to be true, and a one-element tensor is
    true for reasons of its own. Write the comparison so that it yields a Python bool.

    Raises:
        CheckError: `condition` is `False`.
        TypeError: `condition` is not a bool (a mistake in the test, not in the answer).
    """
    if condition is True:
        return
    if condition is not False:
        raise TypeError(f"check.that needs a bool, got {type(condition).__name__}; wrap the comparison in bool(...)")
    fail(what, hint=hint)
