"""Where the engine is fairer than stock nbgrader: each decision of the table in docs/grading.md."""

import json
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from small_course import (
    CONFIG,
    STOCK_RULES,
    answer,
    cell_of,
    copy_of,
    given,
    graded_test,
    hand_in,
    make_course,
    marks,
    released_notebook,
)

from autograder.engine.grade import Options, grade
from autograder.engine.source import plain_python, shows_result
from autograder.variants import fill_answers

ROOT = Path(__file__).parent.parent
RIGHT = {"double": "def double(x):\n    return 2 * x", "words": "Because."}
FULL = {"t1": 1, "t2": 1, "t3": 1, "warns": 1, "other": 1, "words": None}
CELLS = [
    given("imports", "import math"),
    answer("double", "### BEGIN SOLUTION\ndef double(x):\n    return 2 * x\n### END SOLUTION"),
    *(graded_test(f"t{i}", f"assert double({i}) == {2 * i}") for i in (1, 2, 3)),
    graded_test("warns", "import warnings\nwarnings.warn('mind')\nassert double(0) == 0"),
    graded_test("other", "assert math.pi > 3\nhuge if 'huge' in globals() else None"),
    answer("words", "### BEGIN SOLUTION\nSo.\n### END SOLUTION", 3, "markdown"),
]


def solved(course, extra="", at=None):
    notebook = fill_answers(released_notebook(course, "p"), RIGHT)
    if extra:
        notebook.cells.insert(len(notebook.cells) if at is None else at, new_code_cell(extra))
    return notebook


def hand_in_class(course):
    hand_in(course, "plain", "p", solved(course))
    hand_in(course, "slow", "p", solved(course, "import time\ntime.sleep(4.5)", at=0))
    hand_in(course, "endless", "p", double="def double(x):\n    while True:\n        pass", words="Because.")
    hand_in(course, "killer", "p", solved(course, "import os\nos.kill(os.getpid(), 9)", at=0))
    hand_in(course, "rebound", "p", solved(course, "math = None", at=1))
    hand_in(course, "points", "p", solved(course, "huge = 1000", at=0))
    moved = solved(course)
    moved.cells.insert(0, moved.cells.pop(moved.cells.index(cell_of(moved, "t1"))))
    moved.cells.append(moved.cells.pop(moved.cells.index(cell_of(moved, "imports"))))
    hand_in(course, "moved", "p", moved)
    damaged = solved(course)
    damaged.cells = [
        c for c in damaged.cells if c is not cell_of(damaged, "imports") and c is not cell_of(damaged, "t2")
    ]
    cell_of(damaged, "t3").metadata.nbgrader.schema_version = 99
    damaged.cells.append(nbformat.from_dict(cell_of(damaged, "double")))
    damaged.cells[-1].pop("id")
    hand_in(course, "damaged", "p", damaged)
    hand_in(course, "renamed", "p", solved(course)).rename(
        course / "submitted" / "renamed" / "ps" / "P final (2).ipynb"
    )
    (course / "submitted" / "missing" / "ps").mkdir(parents=True)
    (course / "submitted" / "missing" / "ps" / "notes.txt").write_text("sorry", "utf-8")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class graded by the engine's own rules, with the run record's rows."""
    course = make_course(tmp_path_factory.mktemp("fair") / "course", {"p": CELLS}, CONFIG.replace("= 4", "= 3"))
    hand_in_class(course)
    assert grade(course, Options("ps", jobs=2)) == 0
    (record,) = (course / ".autograder").glob("ps-*.json")
    return course, {row["student"]: row for row in json.loads(record.read_text("utf-8"))["graded"]}


@pytest.mark.slow
@pytest.mark.parametrize("student", ["plain", "slow", "rebound", "moved", "damaged", "renamed", "killer"])
def test_who_did_the_work_gets_the_points(graded, student):
    course, rows = graded
    assert marks(course, student) == FULL and rows[student]["needs_human"] == []


@pytest.mark.slow
def test_what_never_ends_costs_itself_and_no_more(graded):
    course, rows = graded
    assert marks(course, "endless") == FULL | dict.fromkeys(["t1", "t2", "t3", "warns"], 0)
    # Four tests call it: twice the limit for the first, the reserve being unused, then a limit each at most.
    assert rows["endless"]["wall_s"] < 4 * 2 * 3


@pytest.mark.slow
def test_a_result_that_is_no_number_of_points_waits_for_a_person(graded):
    assert marks(graded[0], "points") == FULL | {"other": None}


@pytest.mark.slow
def test_who_handed_in_nothing_has_a_record_of_nothing(graded):
    assert set(marks(graded[0], "missing").values()) == {0}


@pytest.mark.slow
def test_the_instructor_is_told(graded):
    said = {student: "; ".join(row["remarks"]) for student, row in graded[1].items()}
    assert said["plain"] == said["slow"] == said["rebound"] == ""
    for student, words in {
        "endless": "ran out of time",
        "killer": "ended the kernel",
        "moved": "t1",
        "damaged": "was missing",
        "renamed": "P final (2).ipynb taken for p.ipynb",
        "missing": "was not handed in",
    }.items():
        assert words in said[student] or words.replace("was", "were") in said[student], (student, said[student])


@pytest.mark.slow
def test_stock_rules_bring_stock_behaviour_back(graded, tmp_path):
    course = copy_of(graded[0], tmp_path / "course", CONFIG.replace("= 4", "= 3") + STOCK_RULES)
    begun = time.monotonic()
    assert grade(course, Options("ps", students=("plain", "slow"), force=True)) == 0
    assert marks(course, "plain") == FULL | {"warns": 0}
    (row,) = [r for r in rows_of(course) if r["student"] == "slow"]
    assert "ran out of time" in "; ".join(row["remarks"]) and time.monotonic() - begun > 3


def rows_of(course):
    newest = max((course / ".autograder").glob("ps-*.json"), key=lambda path: path.stat().st_mtime_ns)
    return json.loads(newest.read_text("utf-8"))["graded"]


def test_which_results_are_shown():
    assert shows_result("0.5") and shows_result("x = 1;\n0.5  # a; comment") and shows_result("f(';')")
    assert not shows_result("0.5;") and not shows_result("0.5;  # quiet\n\n")


def test_a_magic_around_a_test_does_not_swallow_its_error():
    assert plain_python("%%time\nassert x") == plain_python("%%capture out\nassert x") == "assert x\n"
    assert "get_ipython" in plain_python("%%bash\nexit 1")


def test_each_decision_is_documented():
    table = (ROOT / "docs" / "grading.md").read_text("utf-8").split("## Where this differs from nbgrader")[1]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    named = [line.rstrip("| ").rpartition("`")[0].rpartition("`")[2] for line in rows[2:]]
    assert len(named) > 10 and [name for name in named if f"def {name}(" not in tests] == []
