"""Plain `nbgrader autograde` and `nbgrader validate`, with nothing but the course's nbgrader_config.py."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from conftest import nbgrader
from nbformat.v4 import new_code_cell
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
    marks,
    released_notebook,
)

from autograder.course import run_nbgrader
from autograder.engine.grade import Options, grade
from autograder.variants import fill_answers

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
OURS = (ROOT / "nbgrader_config.py").read_text("utf-8")
NO_SANDBOX = """
from autograder.engine import warm
from autograder.engine.sandbox import SandboxError

def refuse(*args, **kwargs):
    raise SandboxError("unshare: Operation not permitted")

warm.WarmProcess.__init__ = refuse
"""
RIGHT = {"double": "def double(x):\n    return 2 * x", "words": "Because."}
CELLS = [
    given("imports", "from d2l import torch as d2l\nimport torch"),
    answer("double", "### BEGIN SOLUTION\ndef double(x):\n    return 2 * x\n### END SOLUTION"),
    graded_test(
        "double_test",
        "assert double(2) == 4\n### BEGIN HIDDEN TESTS\nassert double(-7) == -14\n### END HIDDEN TESTS",
        3,
    ),
    graded_test("partial", "0.5 * (double(1) == 2)", 2),
    answer("words", "### BEGIN SOLUTION\nSo.\n### END SOLUTION", 3, "markdown"),
]
THIEF = """
import os
for place in [{root!r}, "/root", "/work/shared", "..", "../..", "/tmp"]:
    found = os.listdir(place) if os.path.isdir(place) else []
    print("SEEN", place, [name for name in found if name in ("gradebook.db", "source", "submitted", ".bashrc")])
for path in [{root!r} + "/gradebook.db", {root!r} + "/source/ps/p.ipynb", "shortcut", "data.txt"]:
    try:
        print("READ", path, open(path, "rb").read(40))
    except OSError as error:
        print("REFUSED", path)
try:
    open({root!r} + "/submitted/right/ps/p.ipynb", "w").write("{{}}")
except OSError:
    print("REFUSED writing")
print("ENV", "SECRET_TOKEN" in os.environ)
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A released course with a class that has handed in."""
    course = make_course(tmp_path_factory.mktemp("native") / "course", {"p": CELLS}, OURS)
    hand_in(course, "right", "p", **RIGHT)
    hand_in(course, "wrong", "p", double="def double(x):\n    return x**2", words="Hm.")
    hand_in(course, "blank", "p")
    return course


def test_same_marks_as_stock_and_as_the_grade_command_and_faster(course, tmp_path):
    stock = copy_of(course, tmp_path / "stock", CONFIG.replace('"course"', '"dlcourse"').replace("= 4", "= 60"))
    native = copy_of(course, tmp_path / "native", OURS + STOCK_RULES)
    engine = copy_of(course, tmp_path / "engine", OURS + STOCK_RULES)
    seconds = {}
    for root in (stock, native):
        begun = time.monotonic()
        nbgrader(root, "autograde", "ps")
        seconds[root.name] = time.monotonic() - begun
    assert grade(engine, Options("ps")) == 0
    assert everything(native) == everything(stock) == everything(engine)
    assert marks(native, "right") == {"double_test": 3, "partial": 0.5, "words": None}
    assert seconds["native"] < seconds["stock"], seconds


def test_learners_code_sees_nothing_and_suspects_get_no_points(course, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    root = shutil.copytree(course, tmp_path / "course")
    shutil.rmtree(root / "submitted")
    thief = fill_answers(released_notebook(root, "p"), RIGHT)
    thief.cells.append(new_code_cell(THIEF.format(root=str(root))))
    folder = hand_in(root, "thief", "p", thief).parent
    (folder / "shortcut").symlink_to(root / "gradebook.db")
    (folder / "data.txt").write_text("my data", "utf-8")
    hand_in(root, "forger", "p", **RIGHT | {"double": RIGHT["double"] + "\ntorch.allclose = lambda *a, **k: True"})
    (root / "submitted" / "linker" / "ps").mkdir(parents=True)
    (root / "submitted" / "linker" / "ps" / "p.ipynb").symlink_to(root / "source" / "ps" / "p.ipynb")
    run = run_nbgrader(root, "autograde", "ps")
    assert run.returncode != 0 and "is a link" in run.stderr
    assert not (root / "autograded" / "linker").exists() or not list((root / "autograded" / "linker").rglob("*.ipynb"))
    cells = nbformat.read(root / "autograded" / "thief" / "ps" / "p.ipynb", as_version=4).cells
    said = "".join(output.get("text", "") for output in cells[-1].outputs)
    assert said.count("READ") == 1 and "b'my data'" in said and said.count("REFUSED") == 4 and "ENV False" in said
    assert [line for line in said.splitlines() if "SEEN" in line and not line.endswith("[]")] == []
    assert marks(root, "thief")["double_test"] == 3
    assert marks(root, "forger") == {"double_test": None, "partial": None, "words": None}
    nbgrader(root, "generate_feedback", "ps")
    assert "A teacher will look at this" in (root / "feedback" / "forger" / "ps" / "p.html").read_text("utf-8")


def test_without_a_sandbox_it_refuses_unless_told_otherwise(course, tmp_path):
    root = copy_of(course, tmp_path / "course", OURS + NO_SANDBOX)
    run = run_nbgrader(root, "autograde", "ps", "--student", "right")
    assert run.returncode != 0
    for word in ("Operation not permitted", "autograder doctor", "allow_without_sandbox"):
        assert word in run.stderr, word
    assert not list(root.glob("autograded/*/ps/*.ipynb")), "a run that refuses leaves nothing that looks graded"
    with (root / "nbgrader_config.py").open("a") as file:
        file.write("c.SandboxedExecute.allow_without_sandbox = True\n")
    nbgrader(root, "autograde", "ps", "--student", "right")
    assert marks(root, "right")["double_test"] == 3
    graded = nbformat.read(root / "autograded" / "right" / "ps" / "p.ipynb", as_version=4)
    assert graded.metadata.autograder.sandbox == "none"


def test_validate_works_as_ever_without_a_sandbox(course, tmp_path):
    root = copy_of(course, tmp_path / "course", OURS + NO_SANDBOX)
    for answers, word in ((RIGHT, "Partial credit"), ({"double": "def double(x):\n    return 1"}, "AssertionError")):
        mine = fill_answers(released_notebook(root, "p"), answers)
        if answers is RIGHT:
            mine.cells.remove(cell_of(mine, "partial"))
            word = "Success"
        nbformat.write(mine, root / "mine.ipynb")
        run = subprocess.run(
            [sys.executable, "-m", "nbgrader", "validate", "mine.ipynb"], cwd=root, capture_output=True, text=True
        )
        assert word in run.stdout, run.stdout + run.stderr
