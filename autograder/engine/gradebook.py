"""Write what a run found into nbgrader's gradebook, as `nbgrader autograde` would have.

The scores come from nbgrader's own rules applied to the executed notebook, so they are the same. There
is one writer in a run, one transaction a submission, and manual grades and comments are never touched.
"""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook, SubmittedNotebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import LateSubmissionPlugin
from sqlalchemy.exc import OperationalError

_PATIENCE_S = 60


def write_grades(
    gradebook: Gradebook,
    assignment: str,
    student: str,
    timestamp: datetime | None,
    notebooks: dict[str, tuple[NotebookNode, list[str]]],
    late_plugin: LateSubmissionPlugin,
) -> dict[str, Any]:
    """Store one submission's grades; return its score, maximum, seconds late and marks by grade_id.

    Args:
        gradebook: the open gradebook; nobody else in this run writes to it.
        assignment: name of the assignment, which must be in the gradebook.
        student: id of the learner, who is entered if new.
        timestamp: when the submission was handed in, UTC.
        notebooks: by notebook name, the executed notebook and why it needs a human (usually nothing).
        late_plugin: decides about a penalty.
    """

    def store() -> None:
        gradebook.update_or_create_student(student)
        extra = {"timestamp": timestamp} if timestamp is not None else {}
        gradebook.update_or_create_submission(assignment, student, **extra)
        for name, (notebook, reasons) in notebooks.items():
            for cell in notebook.cells:
                if utils.is_grade(cell):
                    _store_grade(gradebook, cell, name, assignment, student, reasons)
                if utils.is_solution(cell):
                    _store_comment(gradebook, cell, name, assignment, student)
        for name in notebooks:
            submitted = gradebook.find_submission_notebook(name, assignment, student)
            _store_penalty(submitted, late_plugin)
        gradebook.db.commit()

    _patiently(gradebook, store)
    submission = gradebook.find_submission(assignment, student)
    return {
        "score": submission.score,
        "max_score": submission.max_score,
        "seconds_late": submission.total_seconds_late,
        "marks": {g.name: g.score for n in submission.notebooks for g in n.grades},
        "waiting": sum(g.needs_manual_grade for n in submission.notebooks for g in n.grades),
    }


def _store_grade(
    gradebook: Gradebook, cell: NotebookNode, name: str, assignment: str, student: str, reasons: list[str]
) -> None:
    grade = gradebook.find_grade(cell.metadata.nbgrader["grade_id"], name, assignment, student)
    auto_score, _ = utils.determine_grade(cell)
    if reasons and not utils.is_solution(cell):
        # Whatever the tests said, it is not to be believed: no points until somebody has looked.
        auto_score = None
    grade.auto_score = auto_score
    grade.needs_manual_grade = grade.manual_score is not None or auto_score is None


def _store_comment(gradebook: Gradebook, cell: NotebookNode, name: str, assignment: str, student: str) -> None:
    comment = gradebook.find_comment(cell.metadata.nbgrader["grade_id"], name, assignment, student)
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


def _patiently(gradebook: Gradebook, store: Callable[[], None]) -> None:
    """Run a transaction, again for a while if another program (the form grader, say) holds the gradebook."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            store()
            return
        except OperationalError as error:
            gradebook.db.rollback()
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        except BaseException:
            gradebook.db.rollback()
            raise


def submission_time(coursedir: CourseDirectory, folder: Path) -> datetime | None:
    """Return when a submission was handed in (its timestamp.txt, UTC), or None if that is not known."""
    try:
        return coursedir.get_existing_timestamp(str(folder))
    except (ValueError, OverflowError, OSError, UnicodeDecodeError):
        return None
