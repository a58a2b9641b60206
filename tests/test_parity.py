"""On courses without attacks the engine's marks are stock nbgrader's, cell by cell."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from conftest import nbgrader
from nbformat.v4 import new_code_cell, new_markdown_cell
from small_course import (
    CONFIG,
    STOCK_RULES,
    answer,
    cell_of,
    copy_of,
    everything,
    given,
    graded_test,
    hand_in,
    make_course,
    open_gradebook,
    released_notebook,
    task,
)

from autograder.course import assignments
from autograder.demo import Material
from autograder.demo import make_course as make_demo_course
from autograder.engine.grade import Options, grade
from autograder.variants import reference_answers

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent

TESTS = {
    "visible": "assert double(2) == 4",
    "hidden": "assert double(2) == 4\n### BEGIN HIDDEN TESTS\nassert double(-7) == -14\n### END HIDDEN TESTS",
    "partial": "points = 0.25\nif double(3) == 6:\n    points = 0.5\npoints",
    "partial_int": "1 if double(3) == 6 else 0",
    "too_little": "-0.5",
    "a_list": "[0.5]",
    "a_text": "'0.5'",
    "a_bool": "double(2) == 4",
    "an_array": "import numpy as np\nnp.float64(0.5)",
    "quiet": "0.25;",
    "none": "None",
    "prints": "print('checking')\nhelper = double(5)\nassert helper == 10",
    "later": "assert helper == 10",
    "warns": "import sys\nprint('careful', file=sys.stderr)",
    "awaits": "import asyncio\nawait asyncio.sleep(0)\nasync def soon():\n    return 4\nassert await soon() == 4",
    "awaits_points": "import asyncio\nawait asyncio.sleep(0, 0.5)",
    "timed": "%%time\nassert double(2) == 4",
    "captured": "%%capture\nassert double(2) == 4",
    "line_magic": "%matplotlib inline\nassert double(2) == 4",
    "shell": "!echo hello\nassert double(2) == 4",
    "empty": "",
    "comment": "# nothing here",
    "syntax": "def broken(:",
    "exits": "if double(2) != 4:\n    raise SystemExit(1)",
    "zero_points": "assert double(2) == 4",
    "from_given": "assert base == 2 and math.pi > 3",
    "unittest": "import unittest\nunittest.TestCase().assertEqual(double(4), 8)",
}


def notebooks():
    first = [
        given("imports", "import math\nbase = 2"),
        new_markdown_cell("# Doubling"),
        answer("double", "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"),
        *(graded_test(name, text, 0 if name == "zero_points" else 2) for name, text in TESTS.items()),
        new_code_cell("finished = True"),
    ]
    second = [
        given("question", "Why?\n\n### BEGIN MARK SCHEME\nsecret rubric\n### END MARK SCHEME", "markdown"),
        answer("words", "### BEGIN SOLUTION\nBecause.\n### END SOLUTION", 3, "markdown"),
        answer("by_hand", "# YOUR CODE HERE", 2),
        task("a_task", "Do something.\n\n### BEGIN MARK SCHEME\nrubric\n### END MARK SCHEME", 4),
        answer("triple", "### BEGIN SOLUTION\ndef triple(x):\n    return 3 * x\n### END SOLUTION"),
        graded_test("triple_test", "assert triple(2) == 6", 1.5),
    ]
    return {"first": first, "second": second}


RIGHT = "def double(x):\n    return 2 * x"
CUSTOM_LATE = """
import sys
sys.path.insert(0, {folder!r})
c.AssignLatePenalties.plugin_class = "late_rule.LateRule"
"""
LATE_RULE = """
from nbgrader.plugins import BasePlugin


class LateRule(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late / 3600
"""


def hand_in_class(course):
    both = {"triple": "def triple(x):\n    return 3 * x", "words": "Since.", "by_hand": "by = 'hand'"}
    for student in ("right", "later"):
        hand_in(course, student, "first", double=RIGHT)
        hand_in(course, student, "second", **both)
    hand_in(course, "wrong", "first", double="def double(x):\n    return x**2")
    hand_in(course, "wrong", "second", **both | {"triple": "def triple(x):\n    print('hm')\n    return 2 * x"})
    for name in ("first", "second"):
        hand_in(course, "blank", name)
    hand_in(course, "one_notebook", "first", double=RIGHT)
    # Errors and texts of the learner's own before and between.
    own = released_notebook(course, "first")
    cell_of(own, "double").source = RIGHT
    own.cells.insert(0, new_code_cell("1 / 0"))
    own.cells.insert(1, new_code_cell("def broken(:"))
    own.cells.insert(5, new_code_cell("helper = 'mine'\nprint('x' * 10)"))
    own.cells.append(new_markdown_cell("A note"))
    hand_in(course, "own_cells", "first", own)
    hand_in(course, "own_cells", "second", triple="raise RuntimeError('not yet')", words="")
    # A test deleted, locked text and tests edited, an answer of another kind, points changed.
    damaged = released_notebook(course, "first")
    damaged.cells = [c for c in damaged.cells if c.metadata.get("nbgrader", {}).get("grade_id") != "visible"]
    cell_of(damaged, "double").source = RIGHT
    cell_of(damaged, "imports").source = "base = 3"
    cell_of(damaged, "hidden").source = "pass"
    cell_of(damaged, "prints").metadata.nbgrader.points = 50
    cell_of(damaged, "later").metadata.nbgrader.locked = False
    hand_in(course, "damaged", "first", damaged)
    retyped = released_notebook(course, "second")
    cell_of(retyped, "triple").source = both["triple"]
    cell_of(retyped, "triple").cell_type = "markdown"
    for key in ("outputs", "execution_count"):
        cell_of(retyped, "triple").pop(key)
    hand_in(course, "damaged", "second", retyped)
    # One cell that never ends; the rest must still count.
    endless = released_notebook(course, "first")
    cell_of(endless, "double").source = RIGHT
    endless.cells.append(new_code_cell("while True:\n    pass"))
    hand_in(course, "endless", "first", endless)
    hand_in(course, "endless", "second", triple="def triple(x):\n    while True:\n        pass")
    for student, day in {"right": 1, "later": 3}.items():
        stamp = course / "submitted" / student / "ps" / "timestamp.txt"
        stamp.write_text(f"2030-01-0{day} 12:00:00 UTC\n", "utf-8")


def both_ways(course, tmp, config, assignment="ps"):
    """Grade copies of a course by stock nbgrader and by the engine; return the two."""
    stock = copy_of(course, tmp / "stock", config)
    ours = copy_of(course, tmp / "ours", config + STOCK_RULES)
    nbgrader(stock, "autograde", assignment)
    assert grade(ours, Options(assignment, jobs=2)) == 0
    return stock, ours


def assert_equal(stock, ours, assignment="ps"):
    expected, found = everything(stock, assignment), everything(ours, assignment)
    assert len(expected) > 10
    different = {key: (expected.get(key), found.get(key)) for key in expected | found}
    assert {key: pair for key, pair in different.items() if pair[0] != pair[1]} == {}, "(stock, engine)"


def test_odd_cells_and_a_grading_again(tmp_path):
    (tmp_path / "late_rule.py").write_text(LATE_RULE, "utf-8")
    course = make_course(tmp_path / "course", notebooks())
    hand_in_class(course)
    with open_gradebook(course) as gradebook:
        gradebook.update_or_create_assignment("ps", duedate=datetime(2030, 1, 1, 13))
    config = CONFIG + CUSTOM_LATE.format(folder=str(tmp_path))
    stock, ours = both_ways(course, tmp_path, config)
    assert_equal(stock, ours)
    said = everything(stock)
    # The comparison is of something: points of all kinds, a penalty, work for a person.
    assert said["right", "first", "partial"][0] == 0.5 and said["wrong", "first", "partial"][0] == 0.25
    assert said["right", "first", "warns"][0] == 0 and said["endless", "second", "triple_test"][0] == 0
    assert said["later", "first"][1] > 10 and said["right", "first"][1] is None
    assert said["right", "second", "words"][5] and not said["blank", "second", "words"][5]
    # What a person gave survives another grading.
    for root in (stock, ours):
        with open_gradebook(root) as gradebook:
            grade_of = {g.name: g for n in gradebook.find_submission("ps", "right").notebooks for g in n.grades}
            grade_of["words"].manual_score, grade_of["words"].needs_manual_grade = 2.5, False
            grade_of["visible"].manual_score = 1
            grade_of["hidden"].extra_credit = 0.75
            grade_of["a_task"].manual_score = 4
            gradebook.find_comment("words", "second", "ps", "right").manual_comment = "well said"
            gradebook.db.commit()
    nbgrader(stock, "autograde", "ps", "--student", "right", "--force")
    assert grade(ours, Options("ps", students=("right",), force=True)) == 0
    assert_equal(stock, ours)
    assert everything(ours)["right", "second", "words"][1] == 2.5


def test_quickstart(tmp_path):
    command = [sys.executable, "-m", "nbgrader", "quickstart", "course"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    course = tmp_path / "course"
    nbgrader(course, "generate_assignment", "ps1")
    names = [path.stem for path in sorted((course / "source" / "ps1").glob("*.ipynb"))]
    assert len(names) == 2
    for name in names:
        right = reference_answers(nbformat.read(course / "source" / "ps1" / f"{name}.ipynb", as_version=4))
        wrong = {key: text.replace("+", "-").replace("n < 1", "n > 1") for key, text in right.items()}
        hand_in(course, "right", name, assignment="ps1", **right)
        hand_in(course, "wrong", name, assignment="ps1", **wrong)
        hand_in(course, "blank", name, assignment="ps1")
    for path in course.glob("submitted/*/ps1"):
        (path / "timestamp.txt").write_text("2030-01-02 12:00:00 UTC", "utf-8")
    (course / "submitted" / "wrong" / "ps1" / "timestamp.txt").write_text("2030-01-01 12:00:00 UTC", "utf-8")
    with open_gradebook(course) as gradebook:
        gradebook.update_or_create_assignment("ps1", duedate=datetime(2030, 1, 1, 13))
    config = (course / "nbgrader_config.py").read_text("utf-8") + '\nc.LateSubmissionPlugin.penalty_method = "zero"\n'
    stock, ours = both_ways(course, tmp_path, config, "ps1")
    assert_equal(stock, ours, "ps1")
    said = everything(stock, "ps1")
    assert said["right", "problem1"] == (3, 3) and said["wrong", "problem1"][1] is None, "late costs everything"


def test_week03(tmp_path):
    week = next(name for name in assignments(ROOT) if name.startswith("week03"))
    course = make_demo_course(ROOT, tmp_path / "course", [week])
    material = Material(ROOT, course, week)
    handed_in = {
        "reference": material.solved(),
        "blank": material.release,
        "half": material.varied(lambda i: i % 2 == 0, right=False, number=1),
    }
    for student, notebook in handed_in.items():
        hand_in(course, student, Path(material.name).stem, notebook, assignment=week)
    config = 'c = get_config()\nc.CourseDirectory.course_id = "dlcourse"\nc.Execute.timeout = 120\n'
    stock, ours = both_ways(course, tmp_path, config, week)
    assert_equal(stock, ours, week)
    assert everything(stock, week)["reference", "total"][0] > everything(stock, week)["half", "total"][0] > 0


def test_the_instructors_files_take_the_place_of_a_learners(tmp_path):
    test = "assert open('data/numbers.txt').read() == 'true'\nassert open('mine.txt').read() == 'mine'"
    kept = "assert open('free.txt').read() == 'changed'"
    course = make_course(tmp_path / "course", {"p": [graded_test("reads", test), graded_test("free", kept)]})
    source = course / "source" / "ps"
    (source / "data").mkdir()
    (source / "data" / "numbers.txt").write_text("true", "utf-8")
    (source / "free.txt").write_text("as given", "utf-8")
    for student in ("cheat", "without"):
        folder = hand_in(course, student, "p").parent
        (folder / "free.txt").write_text("changed", "utf-8")
        (folder / "mine.txt").write_text("mine", "utf-8")
    (course / "submitted" / "cheat" / "ps" / "data").mkdir()
    (course / "submitted" / "cheat" / "ps" / "data" / "numbers.txt").write_text("false", "utf-8")
    config = CONFIG + 'c.Autograde.exclude_overwriting = {"ps": ["free.txt"]}\n'
    stock, ours = both_ways(course, tmp_path, config)
    expected, found = everything(stock), everything(ours)
    assert expected == found and found["cheat", "p"][0] == found["without", "p"][0] == 2
    for root in (stock, ours):
        assert (root / "autograded" / "cheat" / "ps" / "data" / "numbers.txt").read_text("utf-8") == "true"
        assert (root / "autograded" / "cheat" / "ps" / "free.txt").read_text("utf-8") == "changed"
    # Other data for everybody: everybody is graded again.
    (ours / "source" / "ps" / "data" / "numbers.txt").write_text("new", "utf-8")
    assert grade(ours, Options("ps", jobs=2)) == 0
    assert everything(ours)["without", "p"][0] == 1
