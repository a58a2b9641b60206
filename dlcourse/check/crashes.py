"""Put an exception of the learner's code into words, with the learner's own line."""

import linecache
import sys
import sysconfig
import traceback
import types
from pathlib import Path
from typing import Any, NoReturn

from dlcourse.check.errors import clip, fail
from dlcourse.check.kinds import type_name

# Where code that no learner wrote lives: this course, the standard library, installed packages.
_NOT_LEARNER = (
    str(Path(__file__).parents[1]),
    *{sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")},
    "<frozen",
)
_NOT_WRITTEN = "write your answer in place of `raise NotImplementedError()`."


def explain(name: str, error: BaseException, hint: str | None) -> NoReturn:
    """Fail because the learner's code, called as `name`, raised `error`."""
    kind = type(error)  # isinstance would ask `error.__class__`
    frames = _frames(error)
    if issubclass(kind, NotImplementedError) and frames and not is_library(frames[-1][0].f_code.co_filename):
        # Only a stub of the learner's: PyTorch raises the same class for operations it does not have.
        unwritten = frames[-1][0].f_code.co_name
        if unwritten.startswith(("_", "<")) or unwritten in name:
            fail(f"{name} is not written yet", hint=_NOT_WRITTEN)
        fail(f"{name} needs {unwritten}, which is not written yet", hint=_NOT_WRITTEN)
    own_hint = None
    if issubclass(kind, RecursionError):
        own_hint = "the function calls itself without ever coming to an end."
    elif issubclass(kind, SystemExit):
        own_hint = "exit() and sys.exit() end the whole program; use return to leave a function."
    elif issubclass(kind, TypeError) and all(is_library(frame.f_code.co_filename) for frame, _ in frames[:2]):
        # It was raised by the call itself, before the first line of the function ran.
        own_hint = "the function is called with the arguments that the exercise names; keep the given `def` line."
    fail(f"{name} stopped with an error", actual=describe(error), hint=hint or own_hint)


def describe(error: BaseException) -> str:
    """`ValueError: message`, with the line of the learner's own code that raised it."""
    kind = type_name(type(error)).rpartition(".")[2]
    try:
        message = str(error)
    except (Exception, SystemExit):
        message = "(its message cannot be shown)"
    text = clip(f"{kind}: {message}".strip().rstrip(":"), 350)  # room for the line
    lines = [(frame.f_code.co_filename, number) for frame, number in _frames(error)]
    return text + _own_line(lines, test_file())


def _frames(error: BaseException) -> list[tuple[types.FrameType, int]]:
    return list(traceback.walk_tb(BaseException.__traceback__.__get__(error)))


def own_line_now(tests: str | None) -> str:
    """The learner's line that is running at this moment, as `describe` writes it."""
    lines = [(frame.f_code.co_filename, number) for frame, number in traceback.walk_stack(sys._getframe(1))]
    return _own_line(lines[::-1], tests)


def _own_line(lines: list[tuple[str, int | None]], tests: str | None) -> str:
    """The innermost line that is neither a library's nor the test's: a hidden test must not show itself."""
    own = [(file, number) for file, number in lines if not is_library(file) and file != tests]
    line = linecache.getline(own[-1][0], own[-1][1] or 0).strip() if own else ""
    if len(line) > 120:
        line = line[:117] + "..."
    return f"  (at your line `{line}`)" if line else ""


def test_file() -> str | None:
    """The file, or notebook cell, from which this package was called."""
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_stack(sys._getframe(1))]
    return next((file for file in files if not is_library(file)), None)


def is_library(file: str) -> bool:
    """Whether a file belongs to Python, an installed package or this course."""
    return file.startswith(_NOT_LEARNER) or "site-packages" in file or "dist-packages" in file


def name_of(function: Any) -> str:
    """What to call a function whose name was not given."""
    try:
        name = function.__name__
    except (Exception, SystemExit):
        name = None
    return name if type(name) is str else "the function"
