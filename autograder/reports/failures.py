"""Group the messages of failed tests, so that the same mistake of many learners is one line."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from autograder.marks import Item, Key, Submitted

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+")
# Numbers, but not those in names such as Conv2d, float32 or y_2.
_NUMBER = re.compile(r"(?<![\w.])[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?(?![\w])|(?<!\w)[-+]?(nan|inf)(?!\w)")
_SEQUENCE = re.compile(r"#(,? #)*,?(?=\))|#(,? #)+")
# The parts that `dlcourse.check` gives a message.
_PART = re.compile(r"^    (expected|actual|hint): +", re.MULTILINE)
_LONGEST = 300
_LONGEST_EXAMPLE = 1500


@dataclass(frozen=True)
class Mistake:
    """One message and who read it. `what` and `hint` are as most of them read it, `example` is one in full."""

    key: Key
    ename: str
    what: str
    hint: str
    example: str
    learners: tuple[str, ...]

    @property
    def blank(self) -> bool:
        """Whether the answer was left as it is in the release: what `dlcourse.check` says then."""
        return self.ename == "CheckError" and self.what.endswith("is not written yet")


def parts(ename: str, message: str) -> tuple[str, str]:
    """Return what a message says first, and the hint it ends with ("" if there is none)."""
    message = _COLOUR.sub("", message).strip("\n")
    marks = list(_PART.finditer(message))
    what = message[: marks[0].start()] if marks else message.split("\n")[0]
    hint = next((message[mark.end() :] for mark in marks if mark[1] == "hint"), "")
    return _one_line(what) or ename, _one_line(hint)


def normalised(text: str) -> str:
    """Return a text without what differs between learners who made the same mistake: numbers and addresses.

    How many numbers stand in a row does not matter either: `shape (3, 4)` and `shape (2, 3, 4)` are alike.
    """
    return _SEQUENCE.sub("#", _NUMBER.sub("#", _ADDRESS.sub("#", text)))


def group(items: Iterable[Item], submissions: Iterable[Submitted]) -> list[Mistake]:
    """Return the messages of all failed tests, those that most learners read first."""
    order = {item.key: place for place, item in enumerate(items)}
    found: dict[tuple, dict[str, tuple[str, str, str]]] = {}
    for submitted in submissions:
        for failure in submitted.failures:
            what, hint = parts(failure.ename, failure.message)
            same = (failure.key, failure.ename, normalised(what), normalised(hint))
            full = _COLOUR.sub("", failure.message).strip("\n")[:_LONGEST_EXAMPLE] or failure.ename
            found.setdefault(same, {}).setdefault(submitted.student, (what, hint, full))
    mistakes = []
    for (key, ename, *_), read in found.items():
        (what, hint), _ = Counter((what, hint) for what, hint, _ in read.values()).most_common(1)[0]
        example = next(full for w, h, full in read.values() if (w, h) == (what, hint))
        mistakes.append(Mistake(key, ename, what, hint, example, tuple(sorted(read))))
    return sorted(mistakes, key=lambda m: (-len(m.learners), order.get(m.key, len(order)), m.what))


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
