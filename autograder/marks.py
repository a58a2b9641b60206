"""What a course knows about its class, read for reports and exports: gradebook, run records, graded notebooks.

Nothing is written here. Whatever a learner can choose (ids, names, file names, messages) is passed on as it
is: who shows it must escape it.
"""

import contextlib
import json
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader import api
from nbgrader.api import Gradebook
from sqlalchemy import func
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from autograder.course import CourseError
from autograder.engine.grade import Course
from autograder.engine.gradebook import GradebookBusy, patiently, trouble
from autograder.intake import not_handed_in

# A graded notebook is read for its messages only up to this size.
_LARGEST_NOTEBOOK = 100_000_000

Key = tuple[str, str]  # notebook, grade_id


@dataclass(frozen=True)
class Item:
    """One cell that earns points. `auto`: its tests give them; otherwise a person does."""

    notebook: str
    name: str
    points: float
    auto: bool
    # Whether the assignment has other notebooks.
    among: bool = False

    @property
    def key(self) -> Key:
        """What identifies it within the assignment."""
        return self.notebook, self.name

    @property
    def exercise(self) -> str:
        """The name by which people know it."""
        name = self.name.removesuffix("_test") if self.auto else self.name
        return f"{self.notebook}: {name}" if self.among else name


@dataclass(frozen=True)
class Mark:
    """What one learner has for one item. `suspected`: tests ran, and their result must not be believed."""

    score: float
    waiting: bool
    suspected: bool = False


@dataclass(frozen=True)
class Failure:
    """A test that failed: the kind of error and its message."""

    key: Key
    ename: str
    message: str


@dataclass
class Submitted:
    """One learner's submission of one assignment, with what is known of its grading."""

    student: str
    handed_in_at: datetime | None = None
    seconds_late: float = 0
    penalty: float = 0
    marks: dict[Key, Mark] = field(default_factory=dict)
    comments: list[tuple[Key, str]] = field(default_factory=list)
    # Nothing was handed in: what was graded stands in for it.
    absent: bool = False
    # In the gradebook; without this, `error` says why not.
    graded: bool = True
    error: str | None = None
    needs_human: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    wall_s: float | None = None
    cpu_s: float | None = None
    memory_mb: float | None = None
    failures: list[Failure] = field(default_factory=list)
    # When the run ended of which the record tells, in seconds since 1970.
    recorded: float = 0

    @property
    def score(self) -> float:
        """The points before a late penalty."""
        return sum(mark.score for mark in self.marks.values())

    @property
    def final(self) -> float:
        """The points after the late penalty, as nbgrader's own export has them."""
        return max(0.0, self.score - self.penalty)

    @property
    def waiting(self) -> list[Key]:
        """The items that wait for a person."""
        return [key for key, mark in self.marks.items() if mark.waiting]

    @property
    def suspected(self) -> bool:
        """Whether tests have no points because somebody must look first."""
        return any(mark.suspected for mark in self.marks.values())

    @property
    def unreadable(self) -> bool:
        """Whether blank notebooks stand in for all that was handed in: the intake says so of each."""
        blank = sum(text.endswith("graded as blank") for text in self.remarks)
        return not self.absent and 0 < len({notebook for notebook, _ in self.marks}) <= blank

    def unfinished(self) -> str | None:
        """Return why the marks are not final, or None."""
        if self.error:
            return f"not graded: {self.error}"
        if self.suspected:
            reasons = "; ".join(self.needs_human)
            return f"needs a human{': ' + reasons if reasons else ''}"
        if count := len(self.waiting):
            return f"{count} answer{'s' if count > 1 else ''} wait{'' if count > 1 else 's'} for a hand grade"
        return None


@dataclass
class Week:
    """One assignment and everybody's submissions of it, by learner."""

    name: str
    items: list[Item]
    submissions: dict[str, Submitted]
    duedate: datetime | None = None
    # When the newest run ended, as its record says, and records that could not be read.
    last_run: str | None = None
    broken_records: list[str] = field(default_factory=list)

    @property
    def points(self) -> float:
        """The largest mark without extra credit."""
        return sum(item.points for item in self.items)


@dataclass(frozen=True)
class Person:
    """A learner of the gradebook."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""

    @property
    def name(self) -> str:
        """First and last name, as far as they are known."""
        return f"{self.first_name} {self.last_name}".strip()


class ClassBook:
    """A course's gradebook and records, open for reading. Made by `open_class`."""

    def __init__(self, course: Course, gradebook: Gradebook) -> None:
        self.course, self._book = course, gradebook

    def weeks(self) -> list[str]:
        """Return the assignments of the gradebook, in order of their names."""
        return sorted(name for (name,) in self._book.db.query(api.Assignment.name))

    def people(self) -> dict[str, Person]:
        """Return all learners by id."""
        rows = self._book.db.query(
            api.Student.id, api.Student.first_name, api.Student.last_name, api.Student.email
        ).order_by(api.Student.id)
        return {row[0]: Person(row[0], *(text or "" for text in row[1:])) for row in rows}

    def read(self, week: str, *, with_failures: bool = False, only: str | None = None) -> Week:
        """Read an assignment.

        Args:
            week: name of the assignment.
            with_failures: also read the graded notebooks, for the messages of failed tests.
            only: of this learner alone the graded notebooks are read.

        Raises:
            CourseError: the gradebook does not know it.
        """
        if week not in (known := self.weeks()):
            listed = ", ".join(known) or "none"
            raise CourseError(f"{week} is not in the gradebook; there are: {listed}")
        entry = self._book.find_assignment(week)
        read = Week(week, self._items(entry), self._submissions(entry), entry.duedate)
        self._add_marks(entry, read)
        self._add_records(read)
        for student, submitted in read.submissions.items():
            wanted = with_failures and only in (None, student)
            self._add_notebooks(read, submitted, with_failures=wanted)
        return read

    def _items(self, entry: api.Assignment) -> list[Item]:
        order = {key: place for place, key in enumerate(self._order(entry.name))}
        items, several = [], len(entry.notebooks) > 1
        for notebook in entry.notebooks:
            answers = {cell.name for cell in notebook.solution_cells}
            for cell in [*notebook.grade_cells, *notebook.task_cells]:
                auto = isinstance(cell, api.GradeCell) and cell.cell_type == "code" and cell.name not in answers
                items.append(Item(notebook.name, cell.name, cell.max_score or 0, auto, several))
        return sorted(items, key=lambda item: (order.get(item.key, len(order)), item.key))

    def _order(self, week: str) -> Iterator[Key]:
        """Yield the cells of the instructor's notebooks, in order: the gradebook does not know it."""
        coursedir = self.course.coursedir
        folder = Path(coursedir.format_path(coursedir.source_directory, ".", week))
        for path in sorted(folder.glob("*.ipynb")):
            for cell in _cells(path):
                yield path.stem, _grade_id(cell)

    def _submissions(self, entry: api.Assignment) -> dict[str, Submitted]:
        table = api.SubmittedAssignment
        rows = self._book.db.query(table.student_id, table.timestamp, table.extension).filter(
            table.assignment_id == entry.id
        )
        found = {}
        for student, timestamp, extension in rows.order_by(table.student_id):
            late = 0.0
            if timestamp is not None and entry.duedate is not None:
                due = entry.duedate + extension if extension is not None else entry.duedate
                late = max(0.0, (timestamp - due).total_seconds())
            found[student] = Submitted(student, timestamp, late)
        return found

    def _add_marks(self, entry: api.Assignment, week: Week) -> None:
        """Enter grades, comments and penalties, with one query for each."""
        auto = {item.key for item in week.items if item.auto}
        submission, notebook, cell = api.SubmittedAssignment, api.SubmittedNotebook, api.BaseCell
        penalties = (
            self._book.db.query(submission.student_id, func.sum(notebook.late_submission_penalty))
            .join(notebook, notebook.assignment_id == submission.id)
            .filter(submission.assignment_id == entry.id)
            .group_by(submission.student_id)
        )
        for student, penalty in penalties:
            week.submissions[student].penalty = penalty or 0.0
        grade = api.Grade
        for student, name, cell_name, score, auto_score, manual, waiting in self._of_cells(
            entry, grade, (grade.score, grade.auto_score, grade.manual_score, grade.needs_manual_grade)
        ).order_by(cell.id):
            key = (name, cell_name)
            suspected = bool(waiting) and auto_score is None and manual is None and key in auto
            week.submissions[student].marks[key] = Mark(score or 0.0, bool(waiting), suspected)
        for student, name, cell_name, text in self._of_cells(entry, api.Comment, (api.Comment.comment,)):
            if text:
                week.submissions[student].comments.append(((name, cell_name), text))

    def _of_cells(self, entry: api.Assignment, kind: type, columns: tuple):
        submission, notebook, cell = api.SubmittedAssignment, api.SubmittedNotebook, api.BaseCell
        return (
            self._book.db.query(submission.student_id, api.Notebook.name, cell.name, *columns)
            .select_from(kind)
            .join(cell, kind.cell_id == cell.id)
            .join(notebook, kind.notebook_id == notebook.id)
            .join(api.Notebook, notebook.notebook_id == api.Notebook.id)
            .join(submission, notebook.assignment_id == submission.id)
            .filter(submission.assignment_id == entry.id)
        )

    def _add_records(self, week: Week) -> None:
        """Enter what the runs noted: of each learner the newest row, as a later run holds only what it graded."""
        records, week.broken_records = read_records(self.course.root / ".autograder", week.name)
        week.last_run = next((str(record.get("finished")) for record in records if record.get("finished")), None)
        seen: set[str] = set()
        for finished, row in ((record.get("finished"), row) for record in records for row in record["graded"]):
            student = row.get("student")
            if not isinstance(student, str) or student in seen:
                continue
            seen.add(student)
            error = row.get("error")
            if student not in week.submissions:
                if not error or not self._lies_there("submitted", student, week.name):
                    continue  # its submission was removed since
                week.submissions[student] = Submitted(student, graded=False)
            submitted = week.submissions[student]
            submitted.error = str(error) if error else None
            submitted.recorded = _seconds(finished)
            submitted.needs_human, submitted.remarks = _texts(row.get("needs_human")), _texts(row.get("remarks"))
            submitted.wall_s, submitted.cpu_s, submitted.memory_mb = (
                _measured(row.get(name)) for name in ("wall_s", "cpu_s", "memory_mb")
            )
        week.submissions = dict(sorted(week.submissions.items()))

    def _lies_there(self, step: str, student: str, week: str) -> bool:
        with contextlib.suppress(OSError, ValueError):
            coursedir = self.course.coursedir
            place = coursedir.format_path(getattr(coursedir, f"{step}_directory"), student, week)
            return Path(place).is_dir()
        return False

    def _add_notebooks(self, week: Week, submitted: Submitted, *, with_failures: bool) -> None:
        """Enter what only the folders say: whether anything was handed in, and the messages of failed tests."""
        names = {item.notebook for item in week.items}
        with contextlib.suppress(OSError, ValueError):
            absent = not_handed_in(self.course.root, self.course.submitted(submitted.student, week.name))
            submitted.absent = submitted.graded and bool(names) and names <= absent
        if not submitted.graded:
            return
        self._prefer_newer(week, submitted, names)
        if not with_failures:
            return
        tests = {item.key for item in week.items if item.auto}
        for name in sorted(names):
            with contextlib.suppress(OSError, ValueError):
                path = self.course.graded(submitted.student, week.name) / f"{name}.ipynb"
                for cell in _cells(path):
                    if (key := (name, _grade_id(cell))) in tests and (failure := _failure(key, cell)):
                        submitted.failures.append(failure)

    def _prefer_newer(self, week: Week, submitted: Submitted, names: set[str]) -> None:
        """Believe the graded notebooks if they are newer than the record: `nbgrader autograde` writes no record."""
        newer = []
        for name in sorted(names):
            with contextlib.suppress(OSError, ValueError):
                path = self.course.graded(submitted.student, week.name) / f"{name}.ipynb"
                # A record is written after the notebooks of its run, and tells whole seconds.
                if path.stat().st_mtime > submitted.recorded + 1:
                    newer.append(path)
        if not newer:
            return
        said = [meta for path in newer if isinstance(meta := _metadata(path).get("autograder"), dict)]
        submitted.error = submitted.wall_s = submitted.cpu_s = submitted.memory_mb = None
        submitted.needs_human = [text for meta in said for text in _texts(meta.get("needs_human"))]
        submitted.remarks = [text for meta in said for text in _texts(meta.get("remarks"))]


@contextlib.contextmanager
def open_class(root: Path) -> Iterator[ClassBook]:
    """Open the class of a course.

    Raises:
        CourseError: there is no gradebook yet, or it cannot be used.
    """
    warnings.filterwarnings("ignore", category=SAWarning)
    with contextlib.chdir(root):
        course = Course(root)
        url = make_url(course.coursedir.db_url)
        if url.drivername.startswith("sqlite") and url.database and not Path(url.database).is_file():
            # nbgrader would make an empty one.
            raise CourseError("there is no gradebook yet: grade something first (`autograder grade WEEK`)")
        try:
            with patiently(lambda: Gradebook(course.coursedir.db_url, course.coursedir.course_id)) as gradebook:
                yield ClassBook(course, gradebook)
        except (GradebookBusy, SQLAlchemyError) as error:
            raise CourseError(f"the gradebook cannot be used: {trouble(error)}") from None


def read_records(folder: Path, week: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the run records of an assignment, the newest first, and the names of files that cannot be read."""
    records, broken = [], []
    for path in sorted(folder.glob("*.json")):
        if not path.name.startswith(f"{week}-"):
            continue
        try:
            record = json.loads(path.read_text("utf-8"))
            # Of week "one", not of week "one-more".
            if record["assignment"] == week:
                record["graded"] = [row for row in record["graded"] if isinstance(row, dict)]
                records.append((str(record.get("finished", "")), path.name, record))
        except (OSError, ValueError, KeyError, TypeError):
            broken.append(path.name)
    return [record for *_, record in sorted(records, key=lambda r: r[:2], reverse=True)], broken


def _cells(path: Path) -> list[dict]:
    """Return the cells of a notebook; none if it is not there or is no notebook."""
    cells = _notebook(path).get("cells")
    return [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []


def _metadata(path: Path) -> dict:
    metadata = _notebook(path).get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _notebook(path: Path) -> dict:
    """Return what a file holds; nothing if it is not there or is no notebook."""
    try:
        content = json.loads(path.read_bytes()) if path.stat().st_size <= _LARGEST_NOTEBOOK else None
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _seconds(finished: Any) -> float:
    try:
        return datetime.fromisoformat(str(finished)).timestamp()
    except ValueError:
        return 0


def _grade_id(cell: dict) -> str:
    meta = cell.get("metadata")
    meta = meta.get("nbgrader") if isinstance(meta, dict) else None
    return str(meta.get("grade_id", "")) if isinstance(meta, dict) else ""


def _failure(key: Key, cell: dict) -> Failure | None:
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else []:
        if isinstance(output, dict) and output.get("output_type") == "error":
            return Failure(key, str(output.get("ename", "")), str(output.get("evalue", "")))
    return None


def _measured(value: Any) -> float | None:
    """Return a measured number; None for whatever else a record may hold."""
    return float(value) if isinstance(value, int | float) and 0 <= value < math.inf else None


def _texts(value: Any) -> list[str]:
    return [str(text) for text in value] if isinstance(value, list) else []
