"""A graded class without grading: gradebook (through nbgrader's API), run records and graded notebooks."""

import functools
import json
import os
import random
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

from nbgrader import api
from nbgrader.api import Gradebook

from autograder.course import path_with_programs

DUE = datetime(2030, 1, 31, 12, 0)
CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "course"\n'


@dataclass
class Made:
    """What one learner has: points by test (None: waits), and everything else that may be known."""

    student: str
    points: dict[str, float | None]
    messages: dict[str, tuple[str, str]] = field(default_factory=dict)
    hours_late: float = -1
    penalty: float = 0
    needs_human: Sequence[str] = ()
    remarks: Sequence[str] = ()
    error: str | None = None
    wall_s: float = 3
    memory_mb: float = 400
    comments: dict[str, str] = field(default_factory=dict)
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None


def make_class(
    root: Path,
    learners: Iterable[Made],
    tests: dict[str, float],
    *,
    written: dict[str, float] | None = None,
    week: str = "ps",
    others: Sequence[str] = (),
    with_record: bool = True,
) -> Path:
    """Make a course with one graded week, or add a week to it.

    Args:
        root: the course, made if it is not there.
        learners: what they have.
        tests: points by autograded exercise, whose test is `<exercise>_test`.
        written: points by answer that is graded by hand.
        week: name of the assignment, whose one notebook is `nb`.
        others: learners who are only enrolled.
        with_record: also write a run record.
    """
    root.mkdir(parents=True, exist_ok=True)
    (root / "nbgrader_config.py").write_text(CONFIG, "utf-8")
    written = written or {}
    learners = list(learners)
    cells = [_cell(f"{name}_test") for name in tests] + [_cell(name) for name in written]
    _write(root / "source" / week / "nb.ipynb", cells)
    database = root / "gradebook.db"
    if not database.exists():
        database.write_bytes(_empty_gradebook())
    with Gradebook(f"sqlite:///{database}", "course") as book:
        _enter(book, week, learners, tests, written, others)
    for made in learners:
        cells = [_cell(f"{name}_test", made.messages.get(name)) for name in tests] + [_cell(name) for name in written]
        _write(root / "autograded" / made.student / week / "nb.ipynb", cells)
        (root / "submitted" / made.student / week).mkdir(parents=True, exist_ok=True)
    if with_record:
        write_record(root, week, learners)
    return root


@functools.cache
def _empty_gradebook() -> bytes:
    """A gradebook as nbgrader makes it, which takes it a second."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, PATH=path_with_programs()):
        Gradebook(f"sqlite:///{folder}/gradebook.db", "course").close()
        return Path(folder, "gradebook.db").read_bytes()


def _enter(book, week, learners, tests, written, others):
    book.add_assignment(week, duedate=DUE)
    book.add_notebook("nb", week)
    for name, points in tests.items():
        book.add_grade_cell(f"{name}_test", "nb", week, max_score=points, cell_type="code")
        book.add_solution_cell(name, "nb", week)
    for name, points in written.items():
        book.add_grade_cell(name, "nb", week, max_score=points, cell_type="markdown")
        book.add_solution_cell(name, "nb", week)
    for student in others:
        book.update_or_create_student(student)
    entry = book.find_assignment(week)
    (notebook,) = entry.notebooks
    graded, answers = list(notebook.grade_cells), list(notebook.solution_cells)
    # `add_submission` asks the database so often that a large class takes a minute.
    with book.db.no_autoflush:
        for made in learners:
            names = {"first_name": made.first_name, "last_name": made.last_name, "email": made.email}
            student = book.db.get(api.Student, made.student) or api.Student(id=made.student)
            for key, name in names.items():
                setattr(student, key, name or getattr(student, key))
            handed_in = DUE + timedelta(hours=made.hours_late)
            submission = api.SubmittedAssignment(assignment_id=entry.id, timestamp=handed_in)
            submission.student = student
            own = api.SubmittedNotebook(notebook_id=notebook.id, late_submission_penalty=made.penalty)
            own.assignment = submission
            for cell in graded:
                name = cell.name.removesuffix("_test")
                points = made.points.get(name, 0)
                given = {"manual_score" if name in written else "auto_score": points}
                grade = api.Grade(cell_id=cell.id, needs_manual_grade=points is None, **given)
                own.grades.append(grade)
            for cell in answers:
                own.comments.append(api.Comment(cell_id=cell.id, manual_comment=made.comments.get(cell.name)))
            book.db.add(submission)
    book.db.commit()


def write_record(root: Path, week: str, learners: Iterable[Made], later_s: float = 0, **more) -> Path:
    """Write a run record as `autograder grade` does."""
    ended = datetime.now(UTC) + timedelta(seconds=later_s)
    rows = [
        {"student": m.student, "error": m.error, "needs_human": list(m.needs_human), "remarks": list(m.remarks)}
        | ({} if m.error else {"wall_s": m.wall_s, "cpu_s": m.wall_s / 2, "memory_mb": m.memory_mb})
        for m in learners
    ]
    record = {"finished": ended.isoformat(timespec="seconds"), "assignment": week, "graded": rows, **more}
    path = root / ".autograder" / f"{week}-{ended:%Y%m%dT%H%M%S}-{os.getpid()}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record), "utf-8")
    return path


def _cell(name: str, failed: tuple[str, str] | None = None) -> dict:
    error = [{"output_type": "error", "ename": failed[0], "evalue": failed[1], "traceback": []}] if failed else []
    meta = {"nbgrader": {"grade_id": name}}
    return {"cell_type": "code", "metadata": meta, "source": "", "outputs": error, "execution_count": None}


def _write(path: Path, cells: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), "utf-8")


def big_class(n: int, tests: dict[str, float], seed: int = 0, more: Callable[[int], dict] = lambda i: {}) -> list[Made]:
    """A class of learners who differ in ability, and exercises that differ in difficulty."""
    draw = random.Random(seed)
    hints = ["use y_hat - y.", "take the mean over the batch, not over the columns.", "keep the shape (n, 1)."]
    made = []
    for i in range(n):
        ability = draw.gauss(0, 1.2)
        solved = {name: ability + draw.gauss(0, 1) > (k - len(tests) / 2) / 2 for k, name in enumerate(tests)}
        messages = {}
        for name in (name for name, right in solved.items() if not right):
            which = min(int(draw.expovariate(1)), 2)
            numbers = f"{draw.randrange(9)} of {draw.randrange(9)}"
            message = f"{name}: wrong value at index [{draw.randrange(9)}] ({numbers} entries differ)"
            message += (
                f"\n    expected: {draw.random():.4f}\n    actual:   {draw.random():.4f}\n    hint:     {hints[which]}"
            )
            messages[name] = ("CheckError", message)
        points = {name: tests[name] * solved[name] for name in tests}
        wall = draw.lognormvariate(1.3, 0.5)
        made.append(Made(f"learner{i:04d}", points, messages, wall_s=wall, memory_mb=draw.gauss(450, 30), **more(i)))
    return made
