"""What locked cells give: tests see it as the instructor wrote it, or a person is told that it is not so any more."""

import sys

import pytest
from nbformat.v4 import new_notebook
from small_course import answer, given, graded_test

from autograder import doctor
from autograder.engine.execute import Settings, execute
from autograder.engine.plan import make_plan
from autograder.engine.warm import WarmProcess

possible = sys.platform == "linux" and not doctor._in_child(lambda: doctor._unshare(doctor._NEWUSER))
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not possible, reason="no sandbox can be made here")]
GIVEN = """\
import functools
import math
TOLERANCE = 1e-6
SIZES = (1, -2.5, ("a", None))
near = functools.partial(math.isclose, rel_tol=1e-9)
is_even = lambda n: n % 2 == 0
def close(a, b):
    return abs(a - b) < TOLERANCE
class Ruler:
    'Measures.'
    unit = 1
    def same(self, a, b):
        if a in {1, 2, 3} and b not in {1, 2, 3}:
            return False
        return (lambda a, b: type(a) is type(b) and a == b)(a, b)
    def length(self, thing):
        return len(thing)
class Longer(*(lambda kind: (kind,))(Ruler)):
    def length(self, thing):
        return super().length(thing) + 1
def add(kind):
    return lambda method: setattr(kind, method.__name__, method)
@add(Longer)
def half(self, thing):
    return 2
counter = 0
"""
TESTS = {
    "tolerance": "assert close(value, 1.0)",
    "direct": "assert abs(value - 1.0) < TOLERANCE",
    "near": "assert near(value, 1.0)",
    "even": "assert not is_even(3) and is_even(4)",
    "same": "assert Ruler().same(value, 1.0)",
    "longer": "assert Longer().length('ab') == 3 and Longer().half('ab') == 1",
    "sizes": "assert SIZES[1] == -2.5",
    "own": "assert (lambda SIZES: SIZES)(6) == 6",
    "counted": "assert counter == 1",
}
SOLUTION = """\
value = 1.0
counter += 1
@add(Longer)
def half(self, thing):
    return len(thing) // 2
"""
ANSWER = SOLUTION + "Ruler.width = lambda self: 1\n"


@pytest.fixture(scope="module")
def warm():
    process = WarmProcess(("math", "functools"))
    yield process
    process.close()


def grade(warm, source):
    """Return which tests passed, and why a person is asked."""
    tests = [graded_test(name, test) for name, test in TESTS.items()]
    plan = make_plan(new_notebook(cells=[given("given", GIVEN), answer("value", SOLUTION), *tests]))
    notebook = new_notebook(cells=[given("given", GIVEN), answer("value", source), *tests])
    done = execute(notebook, plan, warm, Settings(), None)
    return {name for name, passed in done.passed.items() if passed}, done.needs_human


def test_what_an_honest_answer_does_with_given_things(warm):
    # A class that is the same, methods that are more, and a name of its own that nothing given uses.
    copied = GIVEN[GIVEN.index("class Ruler") : GIVEN.index("class Longer")]
    for more in ("", copied, "Ruler.unit = 2", "GREEN = 3", "SIZES = (1, -2.5, ('a', None))"):
        assert grade(warm, ANSWER + more) == (set(TESTS), []), more


@pytest.mark.parametrize(
    ("more", "replaced"),
    {
        "TOLERANCE = 1e9": ["TOLERANCE"],
        "TOLERANCE = True": ["TOLERANCE"],
        "SIZES = 10**5000": ["SIZES"],
        "class F(float):\n    def __init__(self, x):\n        pass\nTOLERANCE = F(1e-6)": ["TOLERANCE"],
        "Ruler.same = lambda self, a, b: True": ["Ruler.same"],
        "class Ruler:\n    def same(self, a, b):\n        return True": ["Ruler.same", "Ruler.length"],
        "@add(Ruler)\ndef same(self, a, b):\n    return True": ["Ruler.same"],
        "del Longer.length": ["Longer.length"],
        "SIZES = (1, -2.5, ['a', None])": ["SIZES"],
        "SIZES = (1, -2.5)": ["SIZES"],
    }.items(),
)
def test_what_was_replaced_is_said(warm, more, replaced):
    _, said = grade(warm, f"{ANSWER}value = -7.0\n{more}")
    assert {f"the given {name} was replaced" for name in replaced} <= set(said)


def test_functions_are_made_anew(warm):
    for more in ("near = lambda *a, **k: True", "near.keywords['rel_tol'] = 1e9", "is_even = lambda n: True"):
        passed, said = grade(warm, f"{ANSWER}value = -7.0\n{more}")
        assert "near" not in passed and "even" in passed
        assert not any("near" in reason or "is_even" in reason for reason in said)


def test_functions_that_cannot_be_made_anew_are_told(warm):
    source = "SIZE = [3]\n\n\ndef size(of=SIZE[0]):\n    return of"
    notebook = new_notebook(
        cells=[given("given", source), answer("a", "del SIZE"), graded_test("t", "assert size() == 3")]
    )
    done = execute(notebook, make_plan(notebook), warm, Settings(), None)
    assert done.passed == {"t": True} and done.needs_human == ["what the notebook's functions are made of was replaced"]
