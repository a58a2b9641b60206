"""Each rule of the notebooks, broken in the tiny course: refused with file and line, and nothing written."""

import pytest
from conftest import ASSIGNMENT, LESSON, snapshot

DOUBLE = '"grade_id": "double", "locked": false, "schema_version": 3, "solution": true'
DOUBLE_TEST = '"grade_id": "double_test", "locked": true, "points": 40, "schema_version": 3, "solution": false'
QUESTION = '"grade_id": "explanation_question", "locked": true, "schema_version": 3, "solution": false'
EXPLANATION = '"grade_id": "explanation", "locked": false, "points": 10'
SETUP = '# %% tags=["setup"]\n# The build fills this cell.\n'

# What is replaced by what, the text in whose line the fault is, and what is said about it.
ASSIGNMENT_FAULTS = {
    "duplicate grade_id": ('"grade_id": "circle"', '"grade_id": "double"', '"double",', "duplicate grade_id 'double'"),
    "missing grade_id": ('"grade_id": "given", ', "", '"grade": false, "locked": true', "has no 'grade_id'"),
    "grade_id not text": ('"given"', '["given"]', '["given"]', "'grade_id' in the nbgrader header must be a str"),
    "grade_id not snake_case": ('"given"', '"Given ones"', "Given ones", "must be snake_case"),
    "points on an ungraded cell": (DOUBLE, DOUBLE + ', "points": 5', DOUBLE, "points on a cell that is not graded"),
    "graded without points": ('"points": 40, ', "", '"double_test"', "needs points above 0, not None"),
    "negative points": ('"points": 40', '"points": -40', '"points": -40', "needs points above 0, not -40"),
    "zero points": ('"points": 40', '"points": 0', '"points": 0', "needs points above 0, not 0"),
    "points true": ('"points": 40', '"points": true', '"points": true', "needs points above 0, not True"),
    "points as text": ('"points": 40', '"points": "40"', '"points": "40"', "needs points above 0, not '40'"),
    "answer without tests": ('"double_test"', '"other_test"', DOUBLE, "the answer 'double' has no tests"),
    "tests without answer": (
        '"double_test"',
        '"other_test"',
        '"other_test"',
        "the tests 'other_test' belong to no answer",
    ),
    "graded flag not boolean": (
        '"grade": true, "grade_id": "double_test"',
        '"grade": 1, "grade_id": "double_test"',
        '"grade": 1',
        "'grade' in the nbgrader header must be a bool, not 1",
    ),
    "invalid JSON": (DOUBLE, DOUBLE.replace("false", "no"), '"locked": no', "not valid JSON"),
    "unclosed JSON": (DOUBLE + ', "task": false}', DOUBLE, DOUBLE, "not valid JSON"),
    "unknown key": (DOUBLE, DOUBLE + ', "remarks": ""', '"remarks"', "unknown key 'remarks'"),
    "unknown metadata": (
        '# %% nbgrader={"grade": false, "grade_id": "given"',
        '# %% collapsed=true nbgrader={"grade": false, "grade_id": "given"',
        "collapsed",
        "only nbgrader and tags, not 'collapsed'",
    ),
    "old schema": (DOUBLE, DOUBLE.replace("3", "1"), '"schema_version": 1', "schema_version must be 3, not 1"),
    "task cell": (QUESTION + ', "task": false', QUESTION + ', "task": true', QUESTION, "task cells are not used"),
    "unlocked test": (DOUBLE_TEST, DOUBLE_TEST.replace("true", "false", 1), '"double_test"', "must be locked"),
    "locked answer": (DOUBLE, DOUBLE.replace("false", "true", 1), '"grade_id": "double",', "must not be locked"),
    "code graded by itself": (
        '"grade": false, ' + DOUBLE,
        '"grade": true, "points": 5, ' + DOUBLE,
        DOUBLE,
        "graded by its test cell, not by itself",
    ),
    "tests in markdown": (
        EXPLANATION + ', "schema_version": 3, "solution": true',
        EXPLANATION.replace("false", "true") + ', "schema_version": 3, "solution": false',
        EXPLANATION.replace("false", "true"),
        "must be a code cell (tests)",
    ),
    "answer without a region": (
        "    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n",
        "    return 2 * x\n",
        DOUBLE,
        "needs a region between ### BEGIN SOLUTION",
    ),
    "region not closed": (
        "    return 2 * x\n    ### END SOLUTION\n",
        "    return 2 * x\n",
        DOUBLE,
        "BEGIN SOLUTION and END SOLUTION do not pair up",
    ),
    "region never begun": ("### BEGIN HIDDEN TESTS\n", "", DOUBLE_TEST, "BEGIN HIDDEN TESTS and END HIDDEN TESTS"),
    "region inside itself": (
        "    return 2 * x\n",
        "    ### BEGIN SOLUTION\n    return 2 * x\n",
        DOUBLE,
        "do not pair up",
    ),
    "solution in a free cell": (
        "# ## Doubling",
        "# ### BEGIN SOLUTION\n# ## Doubling\n# ### END SOLUTION",
        "-# ### BEGIN SOLUTION",
        "a SOLUTION region must stand in an answer cell",
    ),
    "hidden tests in an answer": (
        "    return 2 * x\n",
        "    return 2 * x\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\n",
        DOUBLE,
        "a HIDDEN TESTS region must stand in a graded test cell",
    ),
    "rubric in an unlocked cell": (
        QUESTION,
        QUESTION.replace("true", "false", 1),
        '"explanation_question"',
        "a MARK SCHEME region must stand in a locked markdown cell",
    ),
    "rubric in a test": (
        "secret_input = -7",
        "### BEGIN MARK SCHEME\n### END MARK SCHEME",
        DOUBLE_TEST,
        "a MARK SCHEME region must stand in a locked markdown cell",
    ),
    "no set-up cell": (SETUP, "", "^", "needs exactly one set-up cell"),
    "two set-up cells": (
        "# %% [markdown]\n# ## Doubling",
        SETUP + "\n# %% [markdown]\n# ## Doubling",
        "$setup",
        "needs exactly one set-up cell",
    ),
    "late set-up cell": (SETUP, "# %%\nx = 1\n\n" + SETUP, "$setup", "must come before every other code cell"),
    "markdown set-up cell": ('# %% tags=["setup"]', '# %% [markdown] tags=["setup"]', "[markdown] tags", "header is"),
    "set-up cell with more tags": ('tags=["setup"]', 'tags=["setup", "hide"]', '"hide"', "set-up cell's header is"),
    "text before the first header": (
        "# %% [markdown]\n# # Tiny",
        "import math\n\n# %% [markdown]\n# # Tiny",
        "^",
        "the first line must be a cell header",
    ),
    "notebook metadata": (
        "# %% [markdown]\n# # Tiny",
        "# ---\n# jupyter: {}\n# ---\n\n# %% [markdown]\n# # Tiny",
        "^",
        "the first line must be a cell header",
    ),
    "header in a string": (
        '    """Return twice `x`."""',
        '    """Return twice `x`.\n\n# %% no cell\n    """',
        "# %% no cell",
        "a cell header inside a string",
    ),
    "string never closed": (
        '    """Return twice `x`."""',
        '    """Return twice `x`.',
        DOUBLE_TEST,
        "a cell header inside a string",
    ),
    "header of another dialect": (
        "# %% [markdown]\n# ## Doubling",
        "#%% [markdown]\n# ## Doubling",
        "#%%",
        "a cell header is written `# %%`",
    ),
    "pasted picture": (
        "# ## Doubling",
        "# ## Doubling\n# ![x](attachment:image.png)",
        "-# ## Doubling",
        "a pasted picture does not go into the text",
    ),
}

LESSON_FAULTS = {
    "nbgrader cell": (
        "# %%\nhalve(answer)",
        '# %% nbgrader={"grade": false}\nhalve(answer)',
        "nbgrader=",
        "a lesson has no nbgrader cells",
    ),
    "figure without a sentence": (
        "# %%\nhalve(answer)",
        '# %% tags=["a"]\nimport matplotlib.pyplot as plt\n\nplt.plot([1])',
        'tags=["a"]',
        "a cell that draws says what its figure shows",
    ),
    "figure of a function without a sentence": (
        "# %%\nhalve(answer)",
        '# %%\ndef show(x):\n    plt.plot(x)\n\n\n# %% tags=["a"]\nfor k in range(2):\n    show(k)',
        'tags=["a"]',
        "a cell that draws says what its figure shows",
    ),
    "no set-up cell": (SETUP, "", "^", "needs exactly one set-up cell"),
    "title in a header": (
        "# %% [markdown]\n# ## Predict",
        "# %% Predict [markdown]\n# ## Predict",
        "%% Predict",
        "only nbgrader and tags, not 'title'",
    ),
}


def refuse(course, autograder, name, fault):
    """Break one rule; return the printed problems after checking that nothing was written."""
    old, new, where, _ = fault
    text = (course / name).read_text("utf-8")
    assert text.count(old) >= 1
    text = text.replace(old, new, 1)
    (course / name).write_text(text, "utf-8")
    before = snapshot(course)
    run = autograder(course, "notebooks")
    assert run.code == 1 and run.out == ""
    assert snapshot(course) == before
    check = autograder(course, "notebooks", "--check")
    assert (check.code, check.err) == (1, run.err)
    return run.err, line_of(text, where)


def line_of(text, where):
    """Return the last line that holds `where`; with `-` before it, the line above: the header."""
    if where == "^":
        return 1
    lines = text.splitlines()
    wanted = where.removeprefix("-").replace("$setup", 'tags=["setup"]')
    last = max(number for number, line in enumerate(lines, 1) if wanted in line)
    return last - where.startswith("-")


@pytest.mark.parametrize("fault", ASSIGNMENT_FAULTS.values(), ids=ASSIGNMENT_FAULTS)
def test_faulty_assignment(tiny, autograder, fault):
    said, line = refuse(tiny, autograder, ASSIGNMENT, fault)
    assert any(f"{ASSIGNMENT.as_posix()}:{line}: " in p and fault[3] in p for p in said.splitlines()), said


@pytest.mark.parametrize("fault", LESSON_FAULTS.values(), ids=LESSON_FAULTS)
def test_faulty_lesson(tiny, autograder, fault):
    said, line = refuse(tiny, autograder, LESSON, fault)
    assert any(f"{LESSON.as_posix()}:{line}: " in p and fault[3] in p for p in said.splitlines()), said


def test_the_tiny_course_itself_breaks_no_rule(tiny, autograder):
    assert autograder(tiny, "notebooks").code == 0


@pytest.mark.parametrize(("points", "total"), [(39.5, "99.5"), (41, "101")])
def test_points_that_do_not_add_up_to_100(tiny, autograder, points, total):
    said, _ = refuse(tiny, autograder, ASSIGNMENT, ('"points": 40', f'"points": {points}', "^", ""))
    assert f"source/week01_tiny:1: the points add up to {total}, not to 100" in said


def test_points_may_be_halves_and_are_added_over_all_notebooks_of_the_assignment(tiny, autograder):
    text = (tiny / ASSIGNMENT).read_text("utf-8")
    halved = text
    for whole, half in (("40", "20.5"), ("50", "24.5"), ("10", "5")):
        halved = halved.replace(f'"points": {whole}', f'"points": {half}')
    (tiny / ASSIGNMENT).write_text(halved, "utf-8")
    assert "the points add up to 50, not to 100" in autograder(tiny, "notebooks").err
    (tiny / ASSIGNMENT).with_name("second.py").write_text(halved, "utf-8")
    run = autograder(tiny, "notebooks")
    assert run.code == 0, run.err


def test_all_faults_are_named_at_once(tiny, autograder):
    lesson = (tiny / LESSON).read_text("utf-8").replace(SETUP, "")
    (tiny / LESSON).write_text(lesson, "utf-8")
    fault = ('"points": 40, ', "", "^", "")
    said, _ = refuse(tiny, autograder, ASSIGNMENT, fault)
    assert LESSON.as_posix() in said and "needs points above 0" in said and "add up to 60" in said
    assert "Traceback" not in said


def test_a_cell_magic_is_no_header(tiny, autograder):
    text = (tiny / LESSON).read_text("utf-8")
    assert "# %%\n# %%time\n" in text
    assert autograder(tiny, "notebooks").code == 0
