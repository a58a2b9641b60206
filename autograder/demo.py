"""`make demo`: a simulated class handed in, graded and reported, in a course of its own.

Everything happens in build/demo, so an instructor's gradebook and submissions are never touched.
The answers come from each assignment's variants.py; the mishaps are those every class brings.
"""

import ast
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from autograder.course import CourseError, assignments, check_known, run_nbgrader
from autograder.engine.grade import Options, grade
from autograder.notebooks import twins
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


def run(root: Path, weeks: Sequence[str] = ()) -> int:
    """Build, hand in, grade and report; return 0 if every learner has marks and feedback.

    Args:
        root: the course.
        weeks: names of assignments; the first of the course if there are none.

    Raises:
        CourseError: an unknown assignment.
    """
    written = twins.build(root)
    print(f"notebooks: {len(written)} files rebuilt" if written else "notebooks: all up to date")
    known = assignments(root)
    check_known(weeks, known)
    chosen = list(weeks) or known[:1]
    course = make_course(root, root / "build" / "demo", chosen)
    complete = True
    for assignment in chosen:
        print(f"\n{assignment}: a class of {len(CLASS)} hands in", flush=True)
        hand_in(root, course, assignment)
        code = grade(course, Options(assignment, timeout=CELL_TIMEOUT))
        done = run_nbgrader(course, "generate_feedback", assignment)
        pages = list((course / "feedback").glob(f"*/{assignment}/*.html"))
        complete &= code == 0 and done.returncode == 0 and len(pages) == len(CLASS)
        for learner in CLASS:
            print(f"  {learner.student_id:<10} {learner.story}")
        print(f"{len(pages)} feedback pages: {course.relative_to(root)}/feedback/LEARNER/{assignment}/")
    return 0 if complete else 1


def make_course(root: Path, course: Path, weeks: Sequence[str]) -> Path:
    """Make a course directory of its own with the configuration and some assignments of the one at `root`."""
    shutil.rmtree(course, ignore_errors=True)
    course.mkdir(parents=True)
    shutil.copy(root / "nbgrader_config.py", course)
    for assignment in weeks:
        target = course / "source" / assignment
        target.mkdir(parents=True)
        for notebook in sorted((root / "source" / assignment).glob("*.ipynb")):
            shutil.copy(notebook, target)
        done = run_nbgrader(course, "generate_assignment", assignment)
        if done.returncode:
            raise CourseError(f"nbgrader generate_assignment failed:\n{done.stderr.strip()[-2000:]}")
    return course


def hand_in(root: Path, course: Path, assignment: str) -> None:
    """Put the class's submissions into submitted/, with a due date that one of them misses."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "dlcourse") as gradebook:
        gradebook.update_or_create_assignment(assignment, duedate=DUE)
    material = Material(root, course, assignment)
    for learner in CLASS:
        folder = course / "submitted" / learner.student_id / assignment
        folder.mkdir(parents=True)
        learner.hand_in(material, folder)
        handed_in = DUE + timedelta(hours=learner.hours_late or -1)
        (folder / "timestamp.txt").write_text(f"{handed_in:%Y-%m-%d %H:%M:%S} UTC", "utf-8")
