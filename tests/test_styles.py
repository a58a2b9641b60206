"""Tests as instructors of many courses write them: a right answer passes all of them, and nobody is suspected.

What the engine watches while a test runs is the test's own doing here: it patches, captures, warns, compares, sets
defaults, starts threads, and imports what nobody has imported yet.
"""

import json
import re
import subprocess
import sys

import nbformat
import pytest
from conftest import ROOT
from small_course import answer, given, graded_test, hand_in, make_course

PIECES = dict(
    re.findall(
        r"^# %% (\w+)\n(.*?)\s*(?=^# %% |\Z)",
        (ROOT / "tests/data/styles_of_tests.py").read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
)
GIVEN, ANSWER = PIECES.pop("given"), PIECES.pop("answer")
WRONG = ANSWER.replace("return a + b", "return [a]").replace("text.upper()", "text")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """What was said of each learner, and which tests failed."""
    root = tmp_path_factory.mktemp("styles")
    hidden = "\n### BEGIN HIDDEN TESTS\nassert True\n### END HIDDEN TESTS"
    solution = f"### BEGIN SOLUTION\n{ANSWER}\n### END SOLUTION"
    # One that ends with the number of its points stays as it is.
    tests = [graded_test(name, body if name == "points" else body + hidden) for name, body in PIECES.items()]
    cells = [given("given", GIVEN), answer("all", solution), *tests]
    make_course(root, {"p": cells}, (ROOT / "nbgrader_config.py").read_text("utf-8"))
    for student, source in (("right", ANSWER), ("wrong", WRONG)):
        hand_in(root, student, "p", all=source)
    run = [sys.executable, "-m", "autograder", "--root", root, "grade", "ps", "--timeout", "60"]
    done = subprocess.run(run, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    (record,) = (root / ".autograder").glob("*.json")
    said = {row["student"]: row for row in json.loads(record.read_text("utf-8"))["graded"]}
    failed = {}
    for student in said:
        notebook = nbformat.read(root / "autograded" / student / "ps" / "p.ipynb", 4)
        errors = {
            c.metadata.nbgrader.grade_id: [o for o in c.outputs if o.output_type == "error"] for c in notebook.cells
        }
        failed[student] = {name: found[0].evalue for name, found in errors.items() if found}
    return said, failed


def test_a_right_answer_passes_every_test_unsuspected(graded):
    said, failed = graded
    assert failed["right"] == {}
    assert said["right"]["needs_human"] == [] and said["right"]["remarks"] == []
    assert said["right"]["score"] == len(PIECES)


def test_a_wrong_one_fails_those_that_look_at_it_unsuspected(graded):
    said, failed = graded
    failing = failed["wrong"].keys()
    assert failing >= {"unittest_runner", "patched_print", "pytest", "numpy_testing", "torch_testing", "thread", "hash"}
    assert all(re.search(r"\b(add|shout)\b", PIECES[name]) for name in failing)
    assert said["wrong"]["needs_human"] == [] and said["wrong"]["score"] < said["right"]["score"] - len(failing) + 1
