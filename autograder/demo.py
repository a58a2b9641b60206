"""`make demo`: a simulated class handed in, graded by nbgrader and reported, in a course of its own.

Everything happens in build/demo, so an instructor's gradebook and submissions are never touched.
The answers come from each assignment's variants.py; the mishaps are those every class brings.
"""

import ast
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from autograder.course import CourseError, assignments, run_nbgrader
from autograder.intake import check_submissions
from autograder.notebooks import twins
from autograder.outputs import MARK
from autograder.variants import Variant, exercises, fill_answers, read_variants, reference_answers

DUE = datetime(2030, 1, 31, 12, 0)
# An endless answer is stopped after this many seconds in each cell that calls it.
CELL_TIMEOUT = 20


@dataclass(frozen=True)
class Learner:
    """One simulated learner: a name and what happens to their submission folder."""

    student_id: str
    story: str
    hand_in: Callable[["Material", Path], None]
    hours_late: float = 0


class Material:
    """One assignment's release, reference answers and variants, ready to be put together."""

    def __init__(self, root: Path, course: Path, assignment: str) -> None:
        (source,) = sorted((root / "source" / assignment).glob("*.ipynb"))
        self.name = source.name
        self.release = nbformat.read(course / "release" / assignment / source.name, as_version=4)
        self.reference = reference_answers(nbformat.read(source, as_version=4))
        self.exercises = exercises(self.release)
        self.variants = read_variants(source.with_name(twins.VARIANTS))

    def pick(self, exercise: str, *, right: bool, number: int) -> Variant:
        """Return the variant `number` (counted round) of an exercise."""
        found = [v for v in self.variants if v.exercise == exercise and v.right == right]
        return found[number % len(found)]

    def solved(self, **answers: str) -> NotebookNode:
        """Return the release filled with the reference, but for the given answers."""
        return fill_answers(self.release, self.reference | answers)

    def varied(self, which: Callable[[int], bool], *, right: bool, number: int) -> NotebookNode:
        """Return the release with a variant in the exercises whose position `which` accepts."""
        chosen = [exercise for position, exercise in enumerate(self.exercises) if which(position)]
        return self.solved(**{e: self.pick(e, right=right, number=number).source for e in chosen})


def _write(notebook: NotebookNode, folder: Path, name: str) -> None:
    nbformat.write(notebook, folder / name)


def _varied(which: Callable[[int], bool], *, right: bool, number: int) -> Callable[[Material, Path], None]:
    return lambda m, folder: _write(m.varied(which, right=right, number=number), folder, m.name)


def _cut_short(m: Material, folder: Path) -> None:
    text = nbformat.writes(m.solved())
    (folder / m.name).write_text(text[: len(text) // 2], "utf-8")


def _endless(m: Material, folder: Path) -> None:
    exercise = m.exercises[0]
    functions = [node.name for node in ast.parse(m.reference[exercise]).body if isinstance(node, ast.FunctionDef)]
    endless = "\n\n".join(f"def {name}(*args, **kwargs):\n    while True:\n        pass" for name in functions)
    _write(m.solved(**{exercise: endless}), folder, m.name)


def _noisy(m: Material, folder: Path) -> None:
    exercise = m.exercises[0]
    noisy = m.reference[exercise] + "\n\nfor _ in range(50):\n    print('x' * 1_000_000)"
    _write(m.solved(**{exercise: noisy}), folder, m.name)


def _forgot(m: Material, folder: Path) -> None:
    (folder / "notes.txt").write_text("I will hand in the notebook tomorrow.\n", "utf-8")


CLASS = [
    Learner("ada", "the reference answers", lambda m, folder: _write(m.solved(), folder, m.name)),
    Learner("blaise", "another right way everywhere", _varied(lambda i: True, right=True, number=0)),
    Learner("carl", "a third right way everywhere", _varied(lambda i: True, right=True, number=1)),
    Learner("dorothy", "one mistake, in the second exercise", _varied(lambda i: i == 1, right=False, number=0)),
    Learner("emmy", "a mistake in every other exercise", _varied(lambda i: i % 2 == 0, right=False, number=1)),
    Learner("fei", "a mistake in the remaining ones", _varied(lambda i: i % 2 == 1, right=False, number=2)),
    Learner("grace", "a mistake everywhere", _varied(lambda i: True, right=False, number=3)),
    Learner("hedy", "nothing filled in", lambda m, folder: _write(m.release, folder, m.name)),
    Learner("ivan", "right, three hours late", lambda m, folder: _write(m.solved(), folder, m.name), hours_late=3),
    Learner("jean", "right, file renamed", lambda m, folder: _write(m.solved(), folder, "my week (final) 2.ipynb")),
    Learner("katherine", "the upload broke off", _cut_short),
    Learner("leonhard", "one answer never ends", _endless),
    Learner("mary", "one answer prints 50 MB", _noisy),
    Learner("noether", "forgot the notebook", _forgot),
]


def run(root: Path) -> int:
    """Build, hand in, grade and report; return 0 if every learner of every week has marks and feedback."""
    written = twins.build(root)
    print(f"notebooks: {len(written)} files rebuilt" if written else "notebooks: all up to date")
    course = root / "build" / "demo"
    shutil.rmtree(course, ignore_errors=True)
    course.mkdir(parents=True)
    complete = True
    for assignment in assignments(root):
        complete &= _run_assignment(root, course, assignment)
    return 0 if complete else 1


def _run_assignment(root: Path, course: Path, assignment: str) -> bool:
    place = [f"--course-dir={course}", f"--CourseDirectory.source_directory={root / 'source'}"]
    _step(root, f"{assignment}: release", "generate_assignment", assignment, *place)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "dlcourse") as gradebook:
        gradebook.update_or_create_assignment(assignment, duedate=DUE)
    material = Material(root, course, assignment)
    for learner in CLASS:
        folder = course / "submitted" / learner.student_id / assignment
        folder.mkdir(parents=True)
        learner.hand_in(material, folder)
        handed_in = DUE + timedelta(hours=learner.hours_late or -1)
        (folder / "timestamp.txt").write_text(f"{handed_in:%Y-%m-%d %H:%M:%S} UTC", "utf-8")
    remarks = {f.student_id: f.text for f in check_submissions(course, assignment)}
    print(f"{assignment}: grading {len(CLASS)} submissions one after another; this takes some minutes", flush=True)
    start = time.perf_counter()
    # Some submissions fail on purpose; whether each one was graded is read from the gradebook below.
    for learner in CLASS:
        began = time.perf_counter()
        run_nbgrader(
            root,
            "autograde",
            assignment,
            f"--student={learner.student_id}",
            f"--Execute.timeout={CELL_TIMEOUT}",
            *place,
        )
        print(f"  {learner.student_id:<10} {time.perf_counter() - began:5.1f} s  {learner.story}", flush=True)
    print(f"  {len(CLASS)} submissions in {time.perf_counter() - start:.0f} s")
    _step(root, f"{assignment}: feedback", "generate_feedback", assignment, *place)
    return _report(course, assignment, material, remarks)


def _step(root: Path, title: str, *arguments: str) -> None:
    print(title, flush=True)
    done = run_nbgrader(root, *arguments)
    if done.returncode:
        raise CourseError(f"nbgrader {arguments[0]} failed:\n{done.stderr.strip()[-2000:]}")


def _report(course: Path, assignment: str, material: Material, remarks: dict[str, str]) -> bool:
    """Print the class table; return whether every learner has a submission and a feedback page."""
    complete = True
    rows = []
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "dlcourse") as gradebook:
        for learner in CLASS:
            page = course / "feedback" / learner.student_id / assignment / f"{Path(material.name).stem}.html"
            submissions = [
                s for s in gradebook.assignment_submissions(assignment) if s.student_id == learner.student_id
            ]
            complete &= bool(submissions) and page.is_file()
            notes = [remarks[learner.student_id]] if learner.student_id in remarks else []
            if not submissions:
                rows.append([learner.student_id, "-", *("-" for _ in material.exercises), "not graded"])
                continue
            (submission,) = submissions
            grades = {grade.name: grade for notebook in submission.notebooks for grade in notebook.grades}
            marks = [f"{grades[f'{e}_test'].score:g}" for e in material.exercises]
            waiting = sum(grade.needs_manual_grade for grade in grades.values())
            notes += [f"{submission.total_seconds_late / 3600:g} h late"] if submission.total_seconds_late else []
            notes += [] if page.is_file() else ["no feedback page"]
            notes += _endings(course, learner.student_id, assignment, material)
            total = f"{submission.score:g}" + (f" +{waiting}" if waiting else "")
            rows.append([learner.student_id, total, *marks, "; ".join(notes)])
        points = {g.name: g.max_score for n in gradebook.find_assignment(assignment).notebooks for g in n.grade_cells}
    head = ["learner", "marks", *(f"E{i + 1}" for i in range(len(material.exercises))), "what was wrong"]
    print(f"\n{assignment}")
    _print_table([head, *rows])
    print("\n+2 in the marks: two answers wait for a human grader")
    for position, exercise in enumerate(material.exercises, 1):
        print(f"  E{position}  {exercise} ({points[f'{exercise}_test']:g} points)")
    print(f"feedback pages: {(course / 'feedback').relative_to(course.parent.parent)}/LEARNER/{assignment}/\n")
    return complete


def _endings(course: Path, student_id: str, assignment: str, material: Material) -> list[str]:
    """Name what stopped or flooded a learner's cells, read from the graded notebook."""
    path = course / "autograded" / student_id / assignment / material.name
    if not path.is_file():
        return ["could not be run"]
    graded = nbformat.read(path, as_version=4)
    cells = [cell for cell in graded.cells if cell.cell_type == "code"]
    failed = [c.metadata.nbgrader.grade_id for c in cells if _has_error(c) and "nbgrader" in c.metadata]
    notes = [f"{grade_id} ran out of time" for grade_id in failed if _timed_out(cells, grade_id)]
    big = [c for c in cells if any(MARK in out.get("text", "") for out in c.outputs)]
    return notes + (["an answer printed too much"] if big else [])


def _has_error(cell: NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.outputs)


def _timed_out(cells: list[NotebookNode], grade_id: str) -> bool:
    outputs = [o for c in cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id for o in c.outputs]
    return any(o.output_type == "error" and o.ename in ("CellTimeoutError", "KeyboardInterrupt") for o in outputs)


def _print_table(rows: list[list[str]]) -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:-1], widths[1:-1], strict=True)), row[-1]]
        print("  ".join(cells).rstrip())
