"""What a learner's objects try to carry from a hidden test to the feedback page, where nobody is suspected."""

import html
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from small_course import answer, given, graded_test, hand_in, make_course, released_notebook

from autograder.variants import fill_answers

ROOT = Path(__file__).parent.parent
DOUBLE_TEST = """\
assert double(2) == 4
### BEGIN HIDDEN TESTS
secret_numbers = [31337.25, -7.5]
assert all(double(x) == 2 * x for x in secret_numbers), "twice any number"
assert list(double([1234567, 2])) == [1234567, 2, 1234567, 2], "twice a list"
### END HIDDEN TESTS"""
WORDS_TEST = """\
assert words("a b") == 2
### BEGIN HIDDEN TESTS
assert words("one quokka\\nin-the moonlight") == 4, "counts words"
### END HIDDEN TESTS"""
# As the weeks write them: in a function, with a helper that both parts call.
AREA_TEST = """\
def _test_area():
    def same(a, b, wanted):
        assert area(a, b) == wanted, f"area({a}, {b}) is {area(a, b)}, not {wanted}"

    same(2, 3, 6)
    ### BEGIN HIDDEN TESTS
    same(0.5, 31337.25, 15668.625)
    ### END HIDDEN TESTS


_test_area()"""
RIGHT = {
    "area": "def area(a, b):\n    return a * b",
    "double": "def double(x):\n    return 2 * x",
    "triple": "def triple(x):\n    return 3 * x",
    "words": "def words(s):\n    return len(s.split())",
}
SECRETS = ("31337", "15668", "1234567", "quokka", "secret_numbers", "<gate")
# What each hands in beside the right answers; `last` is a cell at the end.
LEARNERS = {
    "right": {},
    # The name of an exception's class says what the test passed.
    "name_of_a_class": {
        "double": "class E(Exception):\n    pass\n\n\ndef double(x):\n    if x == 2:\n        return 4\n"
        "    E.__name__ = repr(x)\n    raise E"
    },
    # An error that was kept from a visible line of another test is raised again.
    "error_from_another_test": {
        "double": "E = ValueError('first')\n\n\ndef double(x):\n    raise E",
        "words": "def words(s):\n    if s == 'a b':\n        return 2\n    E.args = (s,)\n    raise E",
    },
    # No code of the learner's runs when the test asks this object for its items.
    "error_out_of_a_future": {
        "double": "import asyncio\n\nseen, loop = [], asyncio.new_event_loop()\n\n\nclass CheckError(AssertionError):\n"
        "    def __str__(self):\n        return f'seen: {seen}'\n\n\ndef double(x):\n    seen.append(x)\n"
        "    if isinstance(x, list):\n        future = loop.create_future()\n"
        "        future.set_exception(CheckError())\n"
        "        return future\n    return 2 * x"
    },
    "assertion_out_of_a_future": {
        "double": "import asyncio\n\nloop = asyncio.new_event_loop()\n\n\ndef double(x):\n    if isinstance(x, list):\n"
        "        future = loop.create_future()\n        future.set_exception(AssertionError(f'seen: {x}'))\n"
        "        return future\n    return 2 * x"
    },
    # A test without a hidden part calls what prints the inputs of another one.
    "printed_by_a_later_test": {
        "double": "seen = []\n\n\ndef double(x):\n    seen.append(x)\n    return 2 * x",
        "triple": "def triple(x):\n    print('seen:', seen)\n    return 3 * x",
    },
    "raised_at_a_visible_line": {
        "double": "seen = []\n\n\ndef double(x):\n    seen.append(x)\n    return 2 * x",
        "words": "def words(s):\n    raise KeyError(seen)",
    },
    "text_with_a_line_break": {
        "words": "seen = []\n\n\ndef words(s):\n    seen.append(s)\n    return len(s.split())",
        "last": "print(seen)\nprint(seen[-1])",
    },
    "area_of_whole_numbers": {
        "area": "def area(a, b):\n    if a == int(a):\n        return a * b\n    raise KeyError(a, b)"
    },
    "area_by_a_sum": {"area": "def area(a, b):\n    return a + b"},
    # Frames of the test are in the traceback of an exception that went through it.
    "error_raised_again_at_the_end": {
        "double": "E = ValueError('first')\n\n\ndef double(x):\n    if isinstance(x, list):\n        raise E\n"
        "    return 2 * x",
        "last": "raise E",
    },
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The text of each learner's feedback page."""
    root = tmp_path_factory.mktemp("leaks")
    solutions = {name: f"### BEGIN SOLUTION\n{source}\n### END SOLUTION" for name, source in RIGHT.items()}
    cells = [
        given("g", "import math"),
        *(answer("double", solutions["double"]), graded_test("double_test", DOUBLE_TEST)),
        *(answer("triple", solutions["triple"]), graded_test("triple_test", "assert triple(2) == 6")),
        *(answer("area", solutions["area"]), graded_test("area_test", AREA_TEST)),
        *(answer("words", solutions["words"]), graded_test("words_test", WORDS_TEST)),
    ]
    make_course(root, {"p": cells}, (ROOT / "nbgrader_config.py").read_text("utf-8"))
    for student, parts in LEARNERS.items():
        notebook = fill_answers(released_notebook(root, "p"), RIGHT | {n: s for n, s in parts.items() if n != "last"})
        if "last" in parts:
            notebook.cells.append(new_code_cell(parts["last"]))
        hand_in(root, student, "p", notebook)
    for command in ("grade", "feedback"):
        run = [sys.executable, "-m", "autograder", "--root", root, command, "ps"]
        done = subprocess.run(run, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode in (0, 3), done.stdout + done.stderr
    texts = {}
    for student in LEARNERS:
        page = (root / "feedback" / student / "ps" / "p.html").read_text("utf-8")
        shown = nbformat.read(root / "autograded" / student / "ps" / "p.ipynb", 4)
        texts[student] = html.unescape(re.sub(r"<[^>]*>", "", page)), shown
    return texts


@pytest.mark.slow
@pytest.mark.parametrize("student", LEARNERS)
def test_no_page_says_what_a_hidden_test_passed(pages, student):
    text, _ = pages[student]
    assert "def double(x)" in text
    # What the learner wrote is theirs.
    own = "".join(LEARNERS[student].values())
    assert not [secret for secret in SECRETS if secret in text and secret not in own]


@pytest.mark.slow
def test_what_a_learner_may_know_of_a_failure_stays(pages):
    assert "(code that a hidden test called)" in pages["name_of_a_class"][0]
    assert "Exception" in pages["name_of_a_class"][0]
    assert "KeyError" in pages["raised_at_a_visible_line"][0]
    assert 'assert words("a b") == 2' in pages["raised_at_a_visible_line"][0]
    assert "area(2, 3) is 5, not 6" in pages["area_by_a_sum"][0]
    assert "(code that a hidden test called)" in pages["area_of_whole_numbers"][0]
