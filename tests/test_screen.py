"""The reading of learner code: what it names, and what it leaves alone."""

import pytest

from autograder.engine.screen import repeated, screen


@pytest.mark.parametrize(
    ("code", "finding"),
    [
        ("import ctypes", "the module ctypes"),
        ("from os import path, _exit", "_exit"),
        ("import numpy as np\nnp.allclose = print", "an assignment to np.allclose"),
        ("import numpy as np\nt = np.testing\nt.assert_allclose = print", "an assignment to t.assert_allclose"),
        ("import torch\na = torch\nb = a\nb._C", "b._C"),
        ("class A:\n    def __eq__(self, other):\n        return True", "a method __eq__"),
        ("class A:\n    __eq__ = print", "a method __eq__"),
        ("class A(metaclass=B): pass", "a metaclass"),
        ("f.__globals__", "__globals__"),
        ("getattr(f, name)", "getattr with a computed name"),
        ("list(map(getattr, a, b))", "getattr as a value"),
        ("make = type", "type as a value"),
        ("type('A', (), {})", "type with three arguments"),
        ("('{0.' + x + '}').format(f)", "format with a computed text"),
        ("'{0.__globals__}'.format(f)", "__globals__"),
        ("import sys\nsys.modules", "modules"),
        ("%run other.py", "get_ipython"),
        ("%config InteractiveShell.ast_node_interactivity = 'all'", "get_ipython"),
        ("%time f.__globals__", "__globals__"),
        ("%%time\nf.__globals__", "__globals__"),
        ("print(In[-1])", "In"),
        ("f.__\U0001d4f0lobals__", "__globals__"),
        ("match f:\n    case object(__globals__=g): pass", "__globals__"),
        ("x.__class__ = A", "an assignment to __class__"),
    ],
)
def test_names_what_no_answer_needs(code, finding):
    assert f"the code uses {finding}" in screen([code], [])


@pytest.mark.parametrize(
    "code",
    [
        "for layer in net.modules():\n    print(layer.__class__.__name__)",
        "'{:.2f} {}'.format(1, x)",
        "t = 'epoch {}'\nprint(t.format(1))",
        "df.style.format('{:.1f}')",
        "type(x).__name__, isinstance(x, type(y)), list(map(type, x))",
        "getattr(x, 'shape', None)",
        "%matplotlib inline\n!pip install x\n%time f(1)\n%config InlineBackend.figure_format = 'retina'",
        "from IPython.display import display, HTML",
        "import pandas as pd\npd.options.display.max_rows = 3",
        "import matplotlib.pyplot as plt\nplt.rcParams['a'] = 1",
        "net = Net()\nnet.name = 'a'\nself._x = 1",
        '"""By `__eq__` and others."""\nx = 1',
        "def f(x:",
    ],
)
def test_leaves_ordinary_code_alone(code):
    assert screen([code], []) == []


def test_allows_what_the_instructor_uses():
    assert screen(["import ctypes\nfrom x import _exit"], ["import ctypes"]) == [
        "the code uses _exit",
        "the code uses x._exit",
    ]


def test_aliases_are_followed_across_cells():
    assert screen(["n.allclose = print"], ["import numpy as n"]) == ["the code uses an assignment to n.allclose"]


@pytest.mark.parametrize("code", ["(" * 5000, "-" * 20000 + "1", "x = " + "[" * 3000 + "]" * 3000, "\0"])
def test_survives_code_that_cannot_be_read(code):
    assert screen([code], []) in ([], ["the code uses code nested too deeply to read"])


@pytest.mark.parametrize("dress", [str, lambda t: t[::-1], lambda t: t.encode().hex()])
def test_finds_literals_of_hidden_tests_in_outputs(dress):
    hidden = ["### BEGIN HIDDEN TESTS\nassert f(31337.25) == 'a long answer'\n### END HIDDEN TESTS\n"]
    assert repeated([f"seen: {dress('31337.25')}"], hidden, "") == ["31337.25"]
    assert repeated(["nothing of it: 3 f"], hidden, "") == []


def test_pasted_prompts_are_read_as_ipython_reads_them():
    assert screen(["In [1]: import ctypes"], []) and screen([">>> import ctypes"], [])
    assert screen(["import math\n!cat /etc/passwd\nimport ctypes"], [])
    assert not screen(["%matplotlib inline\nimport math"], [])


def test_what_the_instructor_uses_is_kept_apart_for_each_assignment():
    assert not screen(["import ctypes"], ["import ctypes"])
    assert screen(["import ctypes"], ["import math"])
