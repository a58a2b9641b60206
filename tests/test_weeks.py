"""Every week's tests are fair and strict: all variants through nbgrader's own grading.

A submission carries one variant in every other exercise and the reference in the rest, so each run
also shows that a wrong answer costs nothing in another exercise.
"""

from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.course import assignments, run_nbgrader
from autograder.notebooks import twins
from autograder.variants import exercises, fill_answers, read_variants, reference_answers

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow


class Week:
    """One assignment in a course of its own, ready to be handed in and graded."""

    def __init__(self, week: str, course: Path) -> None:
        self.week, self.course = week, course
        course.mkdir()
        self.place = [f"--course-dir={course}", f"--CourseDirectory.source_directory={ROOT / 'source'}"]
        done = run_nbgrader(ROOT, "generate_assignment", week, *self.place)
        assert done.returncode == 0, done.stderr
        (source,) = sorted((ROOT / "source" / week).glob("*.ipynb"))
        self.name = source.name
        self.release = nbformat.read(course / "release" / week / source.name, as_version=4)
        self.reference = reference_answers(nbformat.read(source, as_version=4))
        self.exercises = exercises(self.release)
        self.variants = read_variants(source.with_name(twins.VARIANTS))

    def grade(self, student: str, answers: dict[str, str] | None) -> dict[str, tuple[float, float]]:
        """Hand in and grade; return points and maximum by grade_id. `None` hands in the release untouched."""
        folder = self.course / "submitted" / student / self.week
        folder.mkdir(parents=True)
        filled = self.release if answers is None else fill_answers(self.release, self.reference | answers)
        nbformat.write(filled, folder / self.name)
        done = run_nbgrader(ROOT, "autograde", self.week, f"--student={student}", *self.place)
        assert done.returncode == 0, done.stderr[-3000:]
        with Gradebook(f"sqlite:///{self.course / 'gradebook.db'}", "dlcourse") as gradebook:
            submission = gradebook.find_submission(self.week, student)
            return {g.name: (g.auto_score, g.max_score) for n in submission.notebooks for g in n.grades}


@pytest.fixture(params=assignments(ROOT))
def week(request, tmp_path) -> Week:
    return Week(request.param, tmp_path / "course")


def rounds(week: Week, right: bool, parity: int) -> list[dict[str, str]]:
    """Pack the variants of every other exercise into as few submissions as hold each of them once."""
    chosen = week.exercises[parity::2]
    by_exercise = {e: [v for v in week.variants if v.exercise == e and v.right == right] for e in chosen}
    most = max(len(variants) for variants in by_exercise.values())
    return [{e: vs[number] for e, vs in by_exercise.items() if number < len(vs)} for number in range(most)]


def test_blank_earns_nothing_and_reference_everything(week):
    blank = week.grade("blank", None)
    assert all(points == 0 for points, _ in blank.values())
    full = week.grade("reference", {})
    written = {name: mark for name, mark in full.items() if not name.endswith("_test")}
    assert written and all(points is None for points, _ in written.values()), "a written answer waits for a grader"
    assert all(points == most for name, (points, most) in full.items() if name not in written)
    assert sum(most for _, most in full.values()) == 100


@pytest.mark.parametrize("parity", (0, 1))
def test_right_variants_earn_everything(week, parity):
    for number, chosen in enumerate(rounds(week, True, parity)):
        marks = week.grade(f"right{number}", {e: v.source for e, v in chosen.items()})
        for exercise in week.exercises:
            points, most = marks[f"{exercise}_test"]
            assert points == most, f"{exercise}, in a submission with: {[v.sentence for v in chosen.values()]}"


@pytest.mark.parametrize("parity", (0, 1))
def test_wrong_variants_lose_points_only_where_they_are(week, parity):
    for number, chosen in enumerate(rounds(week, False, parity)):
        marks = week.grade(f"wrong{number}", {e: v.source for e, v in chosen.items()})
        for exercise in week.exercises:
            points, most = marks[f"{exercise}_test"]
            if exercise in chosen:
                assert points < most, f"{exercise} accepts: {chosen[exercise].sentence}"
            else:
                assert points == most, f"{exercise} is right but lost points beside {list(chosen)}"
