"""`autograder report`: write a page about a week or a learner."""

import difflib
import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from autograder.course import CourseError
from autograder.marks import open_class
from autograder.notebooks.twins import write_atomically
from autograder.reports.learner import LearnerPage
from autograder.reports.week import POOR, WeekPage

# So many rows of a list are open; the rest can be opened.
SHOWN = 12
# Format characters that names in some scripts need: zero-width joiner and non-joiner.
_JOINERS = "\u200c\u200d"


def report_week(root: Path, week: str, output: Path | None = None) -> Path:
    """Write the page of a week and return the file.

    Raises:
        CourseError: there is no gradebook, or the week is not in it.
    """
    with open_class(root) as book:
        page = WeekPage(book.read(week, with_failures=True), book.people())
    return _write(root, output or root / "build" / "reports" / f"{file_name(week)}.html", "week.html.j2", page)


def report_learner(root: Path, student: str, output: Path | None = None) -> Path:
    """Write the page of a learner and return the file.

    Raises:
        CourseError: there is no gradebook, or the learner is not in it.
    """
    with open_class(root) as book:
        people = book.people()
        if student not in people:
            near = difflib.get_close_matches(student, people, 3, 0.5)
            meant = f"; did you mean {', '.join(map(repr, near))}?" if near else ""
            raise CourseError(f"no learner {student!r} in the gradebook{meant}")
        weeks = [book.read(week, with_failures=True, only=student) for week in book.weeks()]
    page = LearnerPage(people[student], weeks)
    name = f"learner-{file_name(student)}.html"
    return _write(root, output or root / "build" / "reports" / name, "learner.html.j2", page)


def file_name(name: str) -> str:
    """Return a name under which a file can be made anywhere, and that no other name becomes."""
    plain = re.sub(r"[^\w.-]", "_", name)[:80].lstrip(".")
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return plain if plain and plain == name else f"{plain}-{digest}"


def printable(value: Any) -> Any:
    """Return a text in which every character can be seen: none that turns the line around or cannot be written."""
    if type(value) is not str or value.isprintable():
        return value
    return "".join(c if c.isprintable() or c in _JOINERS + "\n\t" else ascii(c)[1:-1] for c in value)


def number(value: float, digits: int = 1) -> str:
    """Return a number with at most so many decimals."""
    return f"{round(value, digits) + 0.0:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"


def percent(share: float) -> str:
    """Return a share in whole per cent."""
    return f"{100 * share:.0f} %"


def breakable(name: str) -> Markup:
    """Return a name, escaped, that may go on in the next line behind an underscore."""
    return escape(printable(name)).replace("_", Markup("_<wbr>"))


def hours(seconds: float) -> str:
    """Return how long something took, in the unit that people would use."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size * (2 if unit == "days" else 1):
            return f"{number(seconds / size)} {unit}"
    return f"{number(seconds)} s"


def count(n: int, one: str, many: str | None = None) -> str:
    """Return "1 learner" or "3 learners"."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def _write(root: Path, path: Path, template: str, page: Any) -> Path:
    environment = Environment(
        loader=PackageLoader("autograder.reports", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        # Whatever a learner wrote passes here, and is escaped afterwards.
        finalize=printable,
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "hours": hours,
        "count": count,
        "breakable": breakable,
    }
    made = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    names = {"page": page, "made": made, "SHOWN": SHOWN, "POOR": POOR}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, environment.get_template(template).render(names))
    return path
