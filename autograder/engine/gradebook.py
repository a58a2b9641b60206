"""Write what a run found into nbgrader's gradebook, as `nbgrader autograde` would have.

The scores come from nbgrader's own rules applied to the executed notebook, so they are the same. There
is one writer in a run, one transaction a submission, and manual grades and comments are never touched.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, TypeVar

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Comment, Grade, Gradebook, InvalidEntry, SubmittedNotebook
from nbgrader.plugins import LateSubmissionPlugin
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import joinedload, undefer

PATIENCE_S = 60
# A file by a learner; a time takes about 30 bytes.
_LONGEST_TIME = 100
_T = TypeVar("_T")
_Entry = TypeVar("_Entry", Grade, Comment)


class GradebookBusy(Exception):
    """Another program holds the gradebook."""


def write_grades(
    gradebook: Gradebook,
    assignment: str,
    student: str,
    timestamp: datetime | None,
    notebooks: dict[str, tuple[NotebookNode, list[str]]],
    late_plugin: LateSubmissionPlugin,
    absent: Collection[str] = (),
) -> dict[str, Any]:
    """Store one submission's grades; return its score, maximum, seconds late and marks by grade_id.

    A grade_id that two notebooks have is told as NOTEBOOK/ID.

    Args:
        gradebook: the open gradebook; nobody else in this run writes to it.
        assignment: name of the assignment, which must be in the gradebook.
        student: id of the learner, who is entered if new.
        timestamp: when the submission was handed in, UTC.
        notebooks: by notebook name, the executed notebook and why it needs a human (usually nothing).
        late_plugin: decides about a penalty.
        absent: names of notebooks that were not handed in: nothing in them earns or awaits points.
    """

    def store() -> dict[str, Any]:
        gradebook.update_or_create_student(student)
        extra = {"timestamp": timestamp} if timestamp is not None else {}
        gradebook.update_or_create_submission(assignment, student, **extra)
        for name, (notebook, reasons) in notebooks.items():
            submitted = gradebook.find_submission_notebook(name, assignment, student)
            grades, comments = _by_name(gradebook, Grade, submitted), _by_name(gradebook, Comment, submitted)
            if name in absent:
                for grade in grades.values():
                    grade.auto_score, grade.needs_manual_grade = 0, False
                continue
            for cell in notebook.cells:
                if utils.is_grade(cell):
                    store_grade(grades[cell.metadata.nbgrader["grade_id"]], cell, suspected=bool(reasons))
                if utils.is_solution(cell) or utils.is_task(cell):
                    _store_comment(comments[cell.metadata.nbgrader["grade_id"]], cell)
        # What the penalties and the sums are computed from is in the database, not in loaded objects.
        gradebook.db.flush()
        gradebook.db.expire_all()
        for name in notebooks:
            submitted = gradebook.find_submission_notebook(name, assignment, student)
            _store_penalty(submitted, late_plugin)
        gradebook.db.flush()
        gradebook.db.expire_all()
        submission = gradebook.find_submission(assignment, student)
        found = [(n.name, name, g) for n in submission.notebooks for name, g in _by_name(gradebook, Grade, n).items()]
        # A name may stand in two notebooks.
        often = Counter(name for _, name, _ in found)
        grades = {f"{notebook}/{name}" if often[name] > 1 else name: grade for notebook, name, grade in found}
        return {
            "score": submission.score,
            "max_score": submission.max_score,
            "seconds_late": submission.total_seconds_late,
            "marks": {name: grade.score for name, grade in grades.items()},
            "waiting": sum(grade.needs_manual_grade for grade in grades.values()),
        }

    return _in_one_transaction(gradebook, store)


def _by_name(gradebook: Gradebook, kind: type[_Entry], submitted: SubmittedNotebook) -> dict[str, _Entry]:
    """Return the grades or comments of a submitted notebook by grade_id, with one query for all of them."""
    # nbgrader leaves the points a cell is worth to a query for each.
    needed = [joinedload(kind.cell), *([undefer(Grade.max_score)] if kind is Grade else [])]
    query = gradebook.db.query(kind).options(*needed).filter(kind.notebook_id == submitted.id)
    return {entry.cell.name: entry for entry in query}


def store_grade(grade: Grade, cell: NotebookNode, *, suspected: bool) -> None:
    """Store what one executed cell earned, by nbgrader's rules.

    Args:
        grade: the entry of the gradebook; the caller commits.
        cell: the graded cell.
        suspected: whatever the tests said, it is not to be believed: no points until somebody has looked.
    """
    # The gradebook's, should the source have been edited since the release.
    cell.metadata.nbgrader["points"] = grade.max_score
    try:
        auto_score, _ = utils.determine_grade(cell)
    except (ValueError, KeyError):
        # A test whose result is no possible number of points, which stops stock nbgrader.
        auto_score = None
    if suspected and not utils.is_solution(cell):
        auto_score = None
    grade.auto_score = auto_score
    grade.needs_manual_grade = grade.manual_score is not None or auto_score is None


def _store_comment(comment: Comment, cell: NotebookNode) -> None:
    unchanged = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
    comment.auto_comment = "No response." if unchanged and not utils.is_task(cell) else None


def _store_penalty(submitted: SubmittedNotebook, late_plugin: LateSubmissionPlugin) -> None:
    """As nbgrader's AssignLatePenalties: between nothing and all of the notebook's score."""
    submitted.late_submission_penalty = None
    seconds = submitted.assignment.total_seconds_late
    if seconds > 0:
        penalty = late_plugin.late_submission_penalty(submitted.student.id, submitted.score, seconds)
        if penalty is not None:
            submitted.late_submission_penalty = min(max(penalty, 0), submitted.score)


def _in_one_transaction(gradebook: Gradebook, store: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run `store` so that all that it writes comes into the gradebook, or nothing, and return its result.

    The right to write is taken first: nothing that is read for the transaction can then change before
    its end. nbgrader's own functions commit as they go; here they only flush.
    """
    session = gradebook.db

    def attempt() -> dict[str, Any]:
        try:
            session.rollback()
            if session.get_bind().dialect.name == "sqlite":
                session.execute(text("PRAGMA busy_timeout = 200"))
                session.execute(text("BEGIN IMMEDIATE"))
            session.commit = session.flush
            try:
                stored = store()
            finally:
                del session.commit
            session.commit()
        except BaseException as error:
            session.rollback()
            if isinstance(error, InvalidEntry) and isinstance(error.__context__, OperationalError):
                # nbgrader's word for any trouble, a full disk for example.
                raise error.__context__ from None
            raise
        return stored

    return patiently(attempt)


def patiently(action: Callable[[], _T]) -> _T:
    """Do something with the gradebook, again for a while if another program (the form grader, say) holds it.

    Raises:
        GradebookBusy: it was held for longer than that.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return action()
        except OperationalError as error:
            # Not in the whole message, which quotes the query: there is a column of that name.
            if "locked" not in str(error.orig):
                raise
            if time.monotonic() > deadline:
                raise GradebookBusy(f"another program has held the gradebook for {PATIENCE_S:g} s") from None
            time.sleep(0.1)


def trouble(error: Exception) -> str:
    """Return in a line what is wrong with the gradebook, and what to do about it if that is known."""
    said = str(getattr(error, "orig", error)).splitlines()[0]
    old = "no such column" in said or "no such table" in said
    return f"{said} (made by an older nbgrader? `nbgrader db upgrade` brings it up to date)" if old else said


def submission_time(content: bytes) -> datetime:
    """Return when a submission was handed in, by its timestamp.txt, UTC.

    Raises:
        ValueError: it says no time.
    """
    if len(content) > _LONGEST_TIME:
        raise ValueError("too long")
    try:
        return utils.parse_utc(content.decode("utf-8").strip())
    except (OverflowError, TypeError, AttributeError) as error:  # dateutil has many ways to fail
        raise ValueError(str(error)) from None
