"""Every week from submission to gradebook: blank, right answers in other styles, mistakes.

That each variant and each mutant of an answer is judged as it should be is shown in test_quality.py, without
a gradebook, and nbmake runs the reference; here are a few submissions a week that go all the way.
"""

import json

import nbformat
import pytest
from conftest import JOBS, ROOT

from autograder.course import assignments
from autograder.demo import Material, make_course
from autograder.engine.grade import Options, grade
from autograder.notebooks import twins
from autograder.variants import Variant, fill_answers

pytestmark = pytest.mark.slow


def rounds(material: Material) -> dict[str, list[Variant]]:
    """Return two submissions: one with right variants everywhere, one with a mistake in every other exercise."""
    return {
        "right": [material.pick(e, right=True, number=0) for e in material.exercises],
        "wrong": [material.pick(e, right=False, number=0) for e in material.exercises[-1::-2]],
    }


@pytest.mark.longest
@pytest.mark.parametrize("week", assignments(ROOT))
def test_a_week_goes_all_the_way(week, tmp_path):
    """One test a week, as one grading of the submissions serves all that is looked at."""
    course = make_course(ROOT, tmp_path / "course", [week])
    material = Material(ROOT, course, week)
    packed = rounds(material)
    notebooks = {"blank": material.release}
    for name, variants in packed.items():
        notebooks[name] = fill_answers(material.release, material.reference | {v.exercise: v.source for v in variants})
    for name, notebook in notebooks.items():
        folder = course / "submitted" / name / week
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / material.name)
    # Not the usual limit: what is looked at here are marks, and a machine that runs other tests is slow.
    assert grade(course, Options(week, jobs=JOBS, timeout=600)) == 0
    (record,) = (course / ".autograder").glob("*.json")
    rows = {row["student"]: row for row in json.loads(record.read_text())["graded"]}
    assert rows.keys() == notebooks.keys()
    points = {c.metadata.nbgrader.grade_id: c.metadata.nbgrader.points for c in graded_cells(week)}
    assert sum(points.values()) == 100

    suspected = {name: row["needs_human"] for name, row in rows.items() if row["needs_human"]}
    assert not suspected, "honest answers that would be sent to a human"
    assert set(rows["blank"]["marks"].values()) == {0} and rows["blank"]["waiting"] == 0
    tested = {f"{exercise}_test" for exercise in material.exercises}
    assert rows["right"]["waiting"] == len(points.keys() - tested) > 0, "written answers wait for a person"

    lost, accepted, punished = [], [], []
    for name, variants in packed.items():
        wrong = {v.exercise: v.sentence for v in variants if not v.right}
        for exercise in material.exercises:
            full = rows[name]["marks"][f"{exercise}_test"] == points[f"{exercise}_test"]
            if exercise in wrong and full:
                accepted.append((exercise, wrong[exercise]))
            elif exercise not in wrong and not full:
                (punished if wrong else lost).append((name, exercise, wrong))
    assert not lost, "right answers that lose points"
    assert not accepted, "wrong answers that earn full points"
    assert not punished, "right answers that lose points beside wrong ones"


def graded_cells(week: str):
    for twin in twins.find(ROOT):
        if twin.graded and twin.name.parts[1] == week:
            cells = twins.read_text(twin.text).cells
            yield from (cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade"))
