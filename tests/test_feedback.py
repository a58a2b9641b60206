"""What learners get to see, in their copy and in their feedback: the visible tests, no hidden one, no rubric."""

import html
import re

import nbformat
import pytest
from conftest import ASSIGNMENT, WEEK, nbgrader
from nbformat import from_dict

from autograder.feedback import HideGraderText
from autograder.variants import fill_answers, reference_answers

TEST = {"grade": True, "grade_id": "t", "locked": True, "points": 1, "schema_version": 3, "solution": False}
QUESTION = TEST | {"grade": False, "grade_id": "q"}
ANSWER = {"grade": False, "grade_id": "a", "locked": False, "schema_version": 3, "solution": True, "task": False}
GRADED_TEXT = ANSWER | {"grade": True, "points": 1}


def shown(source, nbgrader_metadata, kind="code", outputs=()):
    """Return the source of one cell and its outputs as a feedback page shows them."""
    metadata = {} if nbgrader_metadata is None else {"nbgrader": nbgrader_metadata}
    if kind == "code":
        cell = nbformat.v4.new_code_cell(source, metadata=metadata, outputs=[from_dict(output) for output in outputs])
    else:
        cell = nbformat.v4.new_markdown_cell(source, metadata=metadata)
    notebook, _ = HideGraderText()(nbformat.v4.new_notebook(cells=[cell]), {})
    return notebook.cells[0].source, notebook.cells[0].get("outputs")


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("visible = 1\n### BEGIN HIDDEN TESTS\nhidden = 2\n### END HIDDEN TESTS", "visible = 1"),
        ("### BEGIN HIDDEN TESTS\nhidden\n### END HIDDEN TESTS\nvisible = 1", "visible = 1"),
        ("if x:\n    ### BEGIN HIDDEN TESTS\n    hidden\n    ### END HIDDEN TESTS\n    y = 1", "if x:\n    y = 1"),
        (
            "a = 1\n### BEGIN HIDDEN TESTS\nhidden\n### END HIDDEN TESTS\nb = 2\n"
            "### BEGIN HIDDEN TESTS\nhidden\n### END HIDDEN TESTS\nc = 3",
            "a = 1\nb = 2\nc = 3",
        ),
        ("a = 1\n### BEGIN HIDDEN TESTS\nhidden\nhidden too", "a = 1"),
        ("### BEGIN HIDDEN TESTS\nhidden\n### END HIDDEN TESTS", ""),
        ("visible = 1\nmore = 2", "visible = 1\nmore = 2"),
    ],
    ids=["end", "start", "indented", "two", "unclosed", "all", "none"],
)
def test_hidden_tests_go_and_visible_ones_stay(source, left):
    assert shown(source, TEST)[0] == left


def test_a_rubric_goes_and_its_question_stays():
    source = "Why?\n\n### BEGIN MARK SCHEME\n10 points for it\n### END MARK SCHEME\n\nOne sentence."
    assert shown(source, QUESTION, kind="markdown")[0] == "Why?\n\n\nOne sentence."


@pytest.mark.parametrize("metadata", [ANSWER, GRADED_TEXT, None], ids=["answer", "graded answer", "own cell"])
@pytest.mark.parametrize(
    "source",
    [
        "a = 1\n### BEGIN HIDDEN TESTS\nmine = 2\n### END HIDDEN TESTS\nb = 3",
        "a = 1\n### BEGIN HIDDEN TESTS\nmine = 2",
        "### END HIDDEN TESTS\n### BEGIN MARK SCHEME\n### BEGIN HIDDEN TESTS",
    ],
    ids=["balanced", "unclosed", "jumbled"],
)
def test_a_learners_own_text_is_left_alone(source, metadata):
    assert shown(source, metadata)[0] == source


def traceback_of(*lines):
    red, plain = "\x1b[31m", "\x1b[39m"
    frame = "\n".join([f"{red}Cell In[4], line 3{plain}", *lines])
    return {
        "output_type": "error",
        "ename": "AssertionError",
        "evalue": "why",
        "traceback": [frame, "AssertionError: why"],
    }


def test_a_traceback_quotes_no_hidden_line_and_keeps_the_rest():
    source = "visible = f(1)\n### BEGIN HIDDEN TESTS\nsecret = -7\nassert f(secret)\n### END HIDDEN TESTS"
    error = traceback_of(
        "\x1b[32m      1\x1b[39m visible = f(\x1b[32m1\x1b[39m)",
        "      2 ### BEGIN HIDDEN TESTS",
        "      3 secret = -\x1b[32m7\x1b[39m",
        "\x1b[32m----> \x1b[39m\x1b[32m4\x1b[39m \x1b[38;5;28;01massert\x1b[39;00m f(secret)",
    )
    _, (output,) = shown(source, TEST, outputs=[error])
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
    assert "secret" not in text and "HIDDEN" not in text
    assert "visible = f(1)" in text and "----> (a hidden test)" in text and text.endswith("AssertionError: why")


def test_a_traceback_of_a_visible_test_is_untouched():
    error = traceback_of("      1 x = 0", "----> 2 assert f(2)")
    source = "x = 0\nassert f(2)\n### BEGIN HIDDEN TESTS\nassert f(3)\n### END HIDDEN TESTS"
    _, (output,) = shown(source, TEST, outputs=[error])
    assert output.traceback == error["traceback"]


def test_outputs_of_a_learners_cell_are_untouched():
    error = traceback_of("----> 1 f(3)")
    stream = {"output_type": "stream", "name": "stdout", "text": "f(3)"}
    _, outputs = shown("### BEGIN HIDDEN TESTS\nf(3)\n### END HIDDEN TESTS", ANSWER, outputs=[error, stream])
    assert outputs == [error, stream]


# Through nbgrader itself

HIDDEN = ["secret_input", "HIDDEN TESTS", "MARK SCHEME", "10 points for the word"]


@pytest.mark.slow
def test_the_release_holds_no_hidden_test_no_rubric_and_no_other_file(released):
    files = [path for path in (released / "release").rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["tiny.ipynb"]
    text = files[0].read_text("utf-8")
    assert "visible: twice 2 is 4" in text and "square* of the radius" in text and "NotImplementedError" in text
    assert [secret for secret in [*HIDDEN, "2 * x", "radius**2", "scaling both axes"] if secret in text] == []


@pytest.mark.slow
def test_feedback_by_nbgrader(released):
    release = nbformat.read(released / "release" / WEEK / "tiny.ipynb", as_version=4)
    right = reference_answers(nbformat.read(released / ASSIGNMENT.with_suffix(".ipynb"), as_version=4))
    wrong = {"double": "def double(x):\n    return x**2\n\n\n### BEGIN HIDDEN TESTS\nin_the_answer = 1"}
    for student, answers in {"ada": right, "eve": right | wrong}.items():
        notebook = fill_answers(release, answers)
        own = "own_before = 1\n### BEGIN HIDDEN TESTS\nown_between = 2\n### END HIDDEN TESTS\nown_after = 3"
        notebook.cells.append(nbformat.v4.new_code_cell(own))
        notebook.cells.append(nbformat.v4.new_markdown_cell("### BEGIN MARK SCHEME\nown_remark"))
        path = released / "submitted" / student / WEEK / "tiny.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    nbgrader(released, "autograde", WEEK)
    graded = (released / "autograded" / "eve" / WEEK / "tiny.ipynb").read_text("utf-8")
    assert graded.count("secret_input") >= 2, "there must be something to hide"
    nbgrader(released, "generate_feedback", WEEK)
    for student in ("ada", "eve"):
        page = (released / "feedback" / student / WEEK / "tiny.html").read_text("utf-8")
        text = html.unescape(re.sub(r"<[^>]+>", "", page))
        for expected in ("visible: twice 2 is 4", "own_before", "own_between", "own_after", "own_remark", "Why does"):
            assert expected in text, expected
        # The learner's own cells may show the marks, the source's cells not: nothing hidden stands anywhere.
        assert "secret_input" not in text and "10 points for the word" not in text
        assert text.count("BEGIN HIDDEN TESTS") == (2 if student == "eve" else 1)
    assert "in_the_answer" in text and "the double of a negative number" in text and "(a hidden test)" in text
