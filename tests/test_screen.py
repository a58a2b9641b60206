"""The reading of learner code: what it names, and what it leaves alone."""

import time

import jupytext
import pytest
from conftest import ROOT

from autograder.engine.cells import has_strange_coding
from autograder.engine.screen import operators, repeated, screen, special_methods, unpickled
from autograder.variants import read_variants


@pytest.mark.parametrize(
    ("code", "finding"),
    [
        ("import ctypes", "the module ctypes"),
        ("import torch\ndef f():\n    with torch.autocast('cpu'):\n        yield", "a pause within torch.autocast"),
        ("c = torch.autocast('cpu')\ndef f():\n    with c:\n        yield", "a pause within c"),
        ("from os import path, _exit", "_exit"),
        ("import numpy as np\nnp.allclose = print", "an assignment to np.allclose"),
        ("import numpy as np\nt = np.testing\nt.assert_allclose = print", "an assignment to t.assert_allclose"),
        ("import torch\na = torch\nb = a\nb._C", "b._C"),
        ("class A:\n    def __eq__(self, other):\n        return True", "a method __eq__"),
        ("class A:\n    __eq__ = print", "a method __eq__"),
        ("class A(metaclass=B): pass", "a metaclass"),
        ("t.allclose = lambda *a: True", "a method allclose that is set on one object"),
        ("def f(): pass\nt.tolist = f", "a method tolist that is set on one object"),
        ("f.__globals__", "__globals__"),
        ("getattr(f, name)", "getattr with a computed name"),
        ("list(map(getattr, a, b))", "getattr as a value"),
        ("make = type", "type as a value"),
        ("type('A', (), {})", "type with three arguments"),
        ("b.type('A', (), {})", "type with three arguments"),
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
        ("from operator import *\nattrgetter(name)", "attrgetter"),
        ("getattr(*(f, name))", "getattr with computed arguments"),
        ("getattr(f, name='x')", "getattr with computed arguments"),
        ("import dataclasses\ndataclasses.builtins.getattr(f, name)", "builtins"),
        ("import stack_data", "the module stack_data"),
        ("from dateutil.tz import six", "six"),
        ("import importlib.metadata", "the module importlib.metadata"),
        ("import asyncio\nasyncio.current_task().get_stack()", "get_stack"),
        ("import string\nstring.Formatter().get_field(name, [f], {})", "get_field"),
        ("df.style.format('{0.' + name + '}')", "format with a computed text"),
        ("text = a + b\ndf.style.highlight_max().format({'x': text})", "format with a computed text"),
        ("def show(f):\n    df.style.format(f)", "format with a computed text"),
        ("logging.Formatter('{' + name + '}', style='{')", "format with a computed text"),
        ("import logging\nF = logging.Formatter\nF(a + b, None, '{')", "format with a computed text"),
        ("functools.partial(logging.Formatter, style='{')", "a partial of a function that formats"),
        ("StrMethodFormatter(text)\ntext = a + b", "format with a computed text"),
        ("tqdm(x, bar_format='{unit.' + name + '}')", "format with a computed text"),
        ("import pandas as pd\npd.set_option('styler.format.formatter', a + b)", "format with a computed text"),
        ("from functools import wraps\nwraps(f, assigned=(name,))", "wraps with computed names"),
        ("from functools import partial, wraps\npartial(wraps, f)", "wraps as a value"),
        ("parser.parse_args([], A)", "parse_args with a place for its results"),
        ("put = parser.parse_args", "parse_args as a value"),
        ("df.query('a > @b', level=3)", "eval with a level"),
        ("np.set_printoptions(formatter={'float': spy})", "print options with a function"),
        ("np.errstate(all='call', call=spy)", "errstate with a function"),
        ("np.seterrcall(spy)", "seterrcall"),
        ("f.__annotations__['a'] = name", "__annotations__ other than to look at them"),
        ("notes = f.__annotations__", "__annotations__ other than to look at them"),
        ("class A:\n    __annotations__ = notes", "__annotations__ other than to look at them"),
        ("!echo {f.__globals__}", "__globals__"),
        ("!echo {f:{g.__globals__}}", "__globals__"),
        ("%pip install {f.__globals__}", "__globals__"),
        ("%timeit -n 1 -r 1 f.__globals__", "__globals__"),
        ("%timeit -n 1 1 f.x", "a magic line that cannot be read"),
        ("!echo {f.__globals__} {", "__globals__"),
        ("!echo $f.__globals__", "__globals__"),
        ("get_ipython().system('{#:\\nf.__globals__}')", "__globals__"),
        ("%pip install {name}", "a shell magic that is filled in"),
        ("%ls $name", "a shell magic that is filled in"),
        ("%config InlineBackend.a[f.x]=1", "get_ipython"),
        ("f.__globals__?", "__globals__"),
        ("run other.py", "get_ipython"),
        ("run (other).py", "get_ipython"),
        ("time f.__globals__", "__globals__"),
        ("autocall", "get_ipython"),
        (" # a note\n getattr(f, '__glob\\\n als__')", "__globals__"),
        ("x = '''a\\\n[nav] In [1]: '''\nimport ctypes", "the module ctypes"),
        ("def f(n):\n    n._core.numeric.isclose = g", "an assignment to n._core.numeric.isclose"),
        ("def f(n):\n    n._core.numeric.tolerance += 1", "an assignment to n._core.numeric.tolerance"),
        ("def f(n):\n    for n._core.all in g: pass", "an assignment to n._core.all"),
        ("class A:\n    def f(self, n):\n        with g as n._core.all: pass", "an assignment to n._core.all"),
        ("def f(k):\n    k.cpu = g\nimport torch\nf(torch.Tensor)", "a function that sets attributes of torch.Tensor"),
        ("def f(*, k):\n    k.cpu = g\nimport torch\nf(k=torch)", "a function that sets attributes of torch"),
        ("def f(k):\n    k.cpu = g\nimport torch\nf(*[torch])", "a function that sets attributes of torch"),
        (
            "def f(k):\n    j = k.b\n    j.c = g\ndef h(k): f(k)\nimport torch\nh(torch)",
            "a function that sets attributes of torch",
        ),
        (
            "class A:\n    def f(self, k): k.c = g\nimport torch\nA().f(torch)",
            "a function that sets attributes of torch",
        ),
        ("class A:\n    def f(self): self.c = g\nimport torch\nA.f(torch)", "a function that sets attributes of torch"),
        ("import numpy as np\nfor k in [np]:\n    k.all = f", "an assignment to k.all"),
        ("import numpy as np\nk = [np][0]\nk.all = f", "an assignment to k.all"),
        ("import numpy as np\n[np][0].all = f", "an assignment to an attribute of np"),
        ("import numpy as np\ncore(np).all = f", "an assignment to an attribute of np"),
        ("from contextlib import redirect_stdout\nclass A(redirect_stdout): ...", "a class below redirect_stdout"),
        ("import contextlib as c\nclass A(c.redirect_stderr): ...", "a class below redirect_stderr"),
        ("look._stream = 'mod' + 'ules'", "_stream"),
        ("import argparse\nargparse.Namespace(**{u + 'wrapped' + u: f})", "Namespace with computed names"),
        ("from types import SimpleNamespace as S\nS(**names)", "SimpleNamespace with computed names"),
        ("functools.partial(Bunch, **x)", "a partial of a function that formats"),
        ("pd.Series({u + 'a' + u: 1})", "Series with computed names"),
        ("parser.set_defaults(**x)", "set_defaults with computed names"),
        ("u + 'array_interface' + u", "the text array_interface"),
        ("from sympy.utilities.magic import pollute", "pollute"),
        ("mpmath.iv.make_mpf(x)", "make_mpf"),
        ("np.set_printoptions(8, 9, 3, 75, False, 'nan', 'inf', {'float_kind': f})", "print options with a function"),
        ("np.set_printoptions(*a)", "print options with a function"),
        ("torch.device('meta').__enter__()", "__enter__ by hand"),
        ("getattr(a, '__enter__')()", "__enter__ by hand"),
        ("contextlib.ExitStack().enter_context(a)", "enter_context without with"),
        ("from torch.utils.flop_counter import FlopCounterMode", "FlopCounterMode"),
        (
            "import typing\ntyping.get_type_hints(f, {'a': 1})",
            "get_type_hints of something else than a function or class of one's own",
        ),
        ("import IPython.display\nf(IPython)", "IPython as a value"),
        ("import IPython.display\nIPython.core", "IPython.core"),
        ("from asyncio import signal\nsignal.alarm", "signal.alarm"),
        ("('{0.__glo' + 'bals__}').format(f)", "__globals__"),
        ("t = '{0._' + '_globals_' + '_}'\nt.format(f)", "__globals__"),
        ("for t in ['{0.__glo' + 'bals__}']:\n    t.format(f)", "__globals__"),
        ("for t in ['{}', a + b]:\n    t.format(f)", "format with a computed text"),
        ("for t in a:\n    t.format(f)", "format with a computed text"),
        ("('{}' * n).format(f)", "format with a computed text"),
        ("torch.set_default_device(x)", "set_default_device"),
        ("torch.set_default_device('meta')", "set_default_device"),
        ("import gc\ngc.get_objects()", "gc.get_objects"),
        ("import gc\ncollect = gc.collect", "gc.collect"),
        ("import gc\nf(gc)", "gc as a value"),
        ("import gc as g\nh = g\nh.get_referrers(1)", "h.get_referrers"),
        ("import pickle\npickle.Unpickler(f)", "pickle.Unpickler"),
        ("import pickle as p\np.Unpickler(f)", "p.Unpickler"),
        ("def f(self):\n    self.equals = lambda o: True", "a method equals that is set on one object"),
        ("t.equals: object = print", "a method equals that is set on one object"),
        ("t.equals, x = print, 0", "a method equals that is set on one object"),
        ("for t.equals in (print,): ...", "a method equals that is set on one object"),
        ("with open('x') as t.equals: ...", "a method equals that is set on one object"),
        ("t.equals = functools.partial(print, 1)", "a method equals that is set on one object"),
        ("t.equals = u.all if u else 0", "a method equals that is set on one object"),
        ("class A:\n    def f(self): self.equals = print\nA.f(t)", "a method that sets attributes of something else"),
        (
            "class A:\n    def f(self): self.all = print\ng = A.f\ng(t)",
            "the method f as a value",
        ),
        ("class A:\n    def f(self, x):\n        setattr(x, 'b', 1)", "setattr"),
        ("def f(self):\n    setattr(self, 'b', 1)", "setattr"),
        ("class A:\n    def f(self, name): return getattr(self, name)", "getattr with a computed name"),
        ("class A:\n    def f(self): return getattr(self, f'_{x}')", "getattr with a computed name"),
        (
            "import torch\nclass A(torch.Tensor):\n    def f(self): self.all = print",
            "a method all that is set on one object",
        ),
        ("a.arg_constraints = {name: C()}", "an assignment to arg_constraints"),
        ("class A(D):\n    arg_constraints = {name: C()}", "arg_constraints with computed names"),
        ("D.__init__(o, validate_args=True)", "__init__ of something else"),
        ("class A:\n    def __array_finalize__(self, o): ...", "a method __array_finalize__"),
        ("def g(x):\n    # type: (keep[f.__globals__]) -> int\n    return x", "__globals__"),
        ("import numpy as np\nnp.genfromtxt(f, usemask=True)", "a masked array"),
        ("r.mask = True", "an assignment to a mask"),
        ("from dlcourse import check\ncheck.call(f, globals())", "globals"),
        ("tools.vars(f)", "vars"),
        ("class A:\n    def f(self, b):\n        for self in b: setattr(self, 'a', 1)", "setattr"),
        ("class A:\n    def f(self, b): return lambda self: setattr(self, 'a', 1)", "setattr"),
        ("class A:\n    def f(self): self.all = print\n    t = [f]", "the method f as a value"),
        ("class A:\n    def f(self): self.all = print\ngetattr(A, 'f')(t)", "the method f as a value"),
        (
            "import torch\nclass A:\n    @keep\n    def f(self): self.b = 1\nkept[0](torch.Tensor)",
            "a computed function that is passed torch.Tensor",
        ),
        (
            "import torch\nclass A:\n    def f(self, b):\n        self = b\n        self.c = 1\nA().f(torch.Tensor)",
            "a function that sets attributes of torch.Tensor",
        ),
        (
            "import torch\nfrom d2l import torch as d2l\n@d2l.add_to_class(torch.Tensor)\ndef f(t): ...",
            "add_to_class for another class than one's own",
        ),
        ("import d2l\nd2l.HyperParameters.save_hyperparameters(t)", "save_hyperparameters of something else"),
        ("class A:\n    def __new__(cls): ...", "a method __new__"),
        ("import joblib\njoblib.wrap_non_picklable_objects(f)", "wrap_non_picklable_objects"),
        ("%load_ext other", "get_ipython"),
        ("%config InlineBackend.x = [f()]", "get_ipython"),
        ("%%bash --out x\necho", "get_ipython"),
        ("import IPython\nIPython.core", "IPython.core"),
        ("import sys\nif 'a' in sys.modules['b']: ...", "modules"),
        ("import inspect\ninspect.signature(f, eval_str=True)", "signature with options"),
        ("import multiprocessing as mp\nmp.Process(target=f)", "mp.Process"),
        ("from gc import get_objects", "the module gc.get_objects"),
        ("from inspect import *", "the module inspect.*"),
        ("_i", "_i"),
        ("kind = type(x).__mro__[1]", "__mro__"),
        ("from __future__ import barry_as_FLUFL", "barry_as_FLUFL"),
        ("import sys\nsys.audit('import', x)", "sys.audit"),
        ("class A:\n    @B\n    def __match_args__(self): ...", "a method __match_args__"),
        ("match f:\n    case Function(names): pass", "a class pattern without names"),
        ("class A(float):\n    def __sub__(self, x): ...", "a class below float with a __sub__ of its own"),
        ("class A(str):\n    def lower(self): ...", "a class below str with a lower of its own"),
        ("from numpy import ndarray as N\nclass A(N):\n    all = 1", "a class below ndarray with a all of its own"),
        (
            "import torch\nT = torch.Tensor\nclass A(T):\n    all = f",
            "a class below Tensor with a all of its own",
        ),
        (
            "class M:\n    all = f\nclass A(M, np.ndarray): ...",
            "a class below ndarray with a all of its own",
        ),
        ("class A(float): ...\nclass B(A):\n    def real(self): ...", "a class below float with a real of its own"),
        ("class A(float): ...\nA.real = f", "an attribute that is set beside a class below a value"),
        ("class A: ...\nA.__sub__ = f", "__sub__ other than as a method"),
        ("from numpy.testing._private.utils import raises", "the private module numpy.testing._private.utils"),
        ("class A(type(1)): ...", "a base class computed at run time"),
        ("def make(base):\n    class A(base): ...", "a base class computed at run time"),
        ("class A(*bases): ...", "a base class computed at run time"),
        ("class K:\n    b = int\nclass A(K.b): ...", "a base class computed at run time"),
        ("class A(B, **more): ...", "a metaclass"),
        ("class A:\n    __slots__ = (name,)", "computed __slots__"),
        ("class A:\n    class __eq__: ...", "__eq__"),
        ("class A:\n    import math as __eq__", "__eq__"),
        ("class A:\n    match f:\n        case __eq__: pass", "__eq__"),
        ("class A:\n    __sub__ = f", "__sub__ other than as a method"),
        ("class A:\n    @f\n    def __sub__(self, x): ...", "a method __sub__ that is something else"),
        ("dict(__eq__=f)", "__eq__"),
        ("type(int)('A', (int,), {})", "a class of a class with three arguments"),
        ("type(type(1))", "the class of a class"),
        ("int.__class__", "the class of a class"),
        ("x.__class__.__class__", "the class of a class"),
        ("kind = type(int)\nkind('A', (int,), names | {})\nkind(*a)", "a class of a class with three arguments"),
        ("dataclasses.make_dataclass('A', [], namespace=x)", "make_dataclass"),
        ("import abc\nabc.ABCMeta('A', (), x)", "ABCMeta"),
        ("import enum\nenum.Enum('A', {name: 1})", "an enumeration with computed names"),
        ("import enum\nclass E(enum.Enum): ...\nE('A', names)", "an enumeration with computed names"),
    ],
)
def test_names_what_no_answer_needs(code, finding):
    assert f"the code uses {finding}" in screen([code], [])


@pytest.mark.parametrize(
    "code",
    [
        "for layer in net.modules():\n    print(layer.__class__.__name__)",
        "'{:.2f} {}'.format(1, x)",
        "import torch\ndef f():\n    with open('x') as file, torch.no_grad():\n        yield from file",
        "def f(): pass\nnet.forward = f\nt.sum = x.sum()\nt.mean, t.min = stats(x)\nt.size = 3\nt.all: int",
        "class A:\n    def f(self):\n        self.mean = f\n        self.mask, self.all = None, print\n"
        "        def g(): self.any = print\ndef f(): ...",
        "class A(nn.Module):\n    def __init__(self):\n        nn.Module.__init__(self)\n"
        "        for i in range(3):\n            setattr(self, f'fc{i}', getattr(self, 'a' + b)(i))",
        "class A:\n    @property\n    def x(self):\n        self._x = 1\n        return 1\n    @x.setter\n"
        "    def x(self, v): self._x = v",
        "from d2l import torch as d2l\nclass A(d2l.Module):\n    def __init__(self, lr):\n        super().__init__()\n"
        "        self.save_hyperparameters(ignore=['x'])\n@d2l.add_to_class(A)\ndef f(self): self.x = 1\n"
        "@d2l.add_to_class(d2l.Module)\ndef g(self): ...",
        "import torch.nn as nn\nlayers = {'a': nn.ReLU}\nlayers['a'](), layers['a'](nn.ReLU)",
        "x = y  # type: ignore[attr]\ndef f(a):\n    # type: (int) -> List[int]\n    ...",
        "import sys\nA = 'google.colab' in sys.modules\nif 'net' not in globals(): net = 1",
        "from importlib.metadata import version\nfrom types import SimpleNamespace\nSimpleNamespace(mean=1).mean = 2",
        "import IPython\nIPython.display.display(x)\nimport torch\ntorch.__config__.show()",
        "import pickle\npickle.load(f), pickle.loads(b)",
        "import numpy as np\nnp.set_printoptions(formatter={'float': '{:.3f}'.format})",
        "from matplotlib_inline import backend_inline\nbackend_inline.set_matplotlib_formats('svg')",
        "%load_ext autoreload\n%autoreload 2\n%env A=1\n%mkdir -p x\n%cd x\n%config Completer.use_jedi = False",
        "%config InlineBackend.figure_formats = ['svg', 'png']\n%config InlineBackend.figure_formats = {\"svg\",}",
        "%%bash\necho {x}",
        "%%writefile mine.py\nx = 1",
        "t = 'epoch {}'\nprint(t.format(1))",
        "df.style.format('{:.1f}')",
        "type(x).__name__, isinstance(x, type(y)), list(map(type, x))",
        "getattr(x, 'shape', None)",
        "%matplotlib inline\n!pip install x\n%time f(1)\n%config InlineBackend.figure_format = 'retina'",
        "from IPython.display import display, HTML",
        "!ls {folder} $HOME {n + 1:03d} {name!r} | awk '{print $1}' ${x}",
        "%timeit -n 10 -r 3 f(1)\n%timeit -n2 -q sum(x)\n%time -5 + 3",
        "%%timeit -n 1 -r 1\nf(1)",
        "%%capture out\nprint(1)",
        "help(torch.relu)\ntorch.relu?\ntorch.relu??\nlen?",
        "def hook(m, i, o):\n    m.out = o\n    m.cache._x = i\nimport torch\nhook(torch.ones(1), 2, 3)",
        "class B(nn.Module):\n    def __init__(self, act, norm=nn.ReLU):\n        self.act = act()\n"
        "        self._n.x = norm\nimport torch.nn as nn\nB(nn.ReLU, nn.ReLU)\nB(act=nn.ReLU)",
        "import numpy as np\ndef norm(a, xp=np):\n    return xp.sqrt(a)\nnorm(1, np)\nnorm(1, xp=np)",
        "import numpy as np, torch\nfor lib in (np, torch):\n    print(lib.__version__)",
        "import torch.nn as nn\nnn.Linear(2, 2).weight = 3\ndef init(m, kind):\n    m.b = kind\n"
        "init(nn.Linear(2, 2), nn.ReLU)",
        "import torch.nn as nn\nclass A:\n    def __init__(self, a): self.a = a\nclass B(A):\n"
        "    def __init__(self):\n        super().__init__(nn.ReLU)",
        "import typing\ndef f(a: int): ...\nclass A: ...\ntyping.get_type_hints(f), typing.get_type_hints(A)",
        "import argparse\nargparse.Namespace(lr=1)\nargparse.Namespace(**{'lr': 1})\nf(**k)\nparser.set_defaults(lr=1)",
        "pd.Series({'a': 1, f'lr {x}': 2})\npd.Series({k: 1 for k in x})\npd.Series({1: 2})",
        "class A:\n    def __enter__(self): return super().__enter__()\nwith A() as a: ...",
        "with ExitStack() as stack:\n    stack.enter_context(a)",
        "from scipy import signal\nsignal.convolve2d(x, k)",
        "import scipy.signal as signal\nsignal.convolve2d(x, k)\ncode = 3\ncode.real",
        "('{:>10}' * 3).format(1, 2, 3)\n('a {}' + ' b {}').format(1, 2)\nt = 'a {}' + ' b {}'\nt.format(1, 2)",
        "for s in ['{:.2f}', '{:.3f}']:\n    print(s.format(x))",
        "import multiprocessing as mp\nmp.cpu_count()\nimport gc\ngc.collect()\nimport pickle\npickle.dump(x, f)",
        "import inspect\nprint(inspect.signature(f), type(net).__mro__)\nfor c in type(net).__mro__: ...",
        "torch.set_default_device('cpu')\nfor _i in range(3):\n    print(_i)",
        "%pwd\n%ls\n%ls data\n%ll",
        "%%html\n<b>x</b>",
        "%%latex\n$x$",
        "ls",
        "pip install x",
        "run = 3",
        "time - 3",
        "history",
        "def fmt(x): ...\ntext = '{:.1f}'\ndf.style.format(fmt)\ndf.style.format({'a': '{:.1f}', 'b': fmt})\n"
        "df.style.format(text)\ndf.style.hide().format(precision=1)",
        "logging.basicConfig(format='%(message)s', level=1)\nlogging.Formatter('{message}', style='{')",
        "from d2l.torch import *\nnet = nn.Linear(1, 1)\ngetattr(net, 'weight')",
        "from functools import wraps\ndef f(g):\n    @wraps(g)\n    def h(): ...\n    return h",
        "parser = argparse.ArgumentParser()\noptions = parser.parse_args([])",
        "print(f.__annotations__, [a for a in f.__annotations__], f.__annotations__['x'])",
        "from torch.utils import data\ndef load(data): ...\nclass D(data.Dataset): ...",
        "import torch\nM = torch.nn.Module\nclass A(M): ...\nclass B(A): ...",
        "import collections\nclass P(collections.namedtuple('P', 'x y')):\n    def __add__(self, other): ...",
        "class Stack(list):\n    def pop(self): ...\nclass V:\n    def __mul__(self, x): ...\n    __rmul__ = __mul__",
        "class Celsius(float):\n    def fahrenheit(self): ...\n    def __repr__(self): ...",
        "import enum\nclass Colour(str, enum.Enum):\n    RED = 'red'\n    def lower(self): ...\nenum.Enum('A', 'x y')",
        "import IPython.display\nIPython.display.display(x)\nfrom __future__ import annotations",
        "class A(nn.Module):\n    def f(self): self.x = 1\nA().y = 2\nclass B(A): ...",
        "class A:\n    __slots__ = ('x', 'y')\nmatch A():\n    case A(x): pass\n    case int(y): pass",
        "type(self)(1), type(x).__name__, x.__class__.__name__",
        "np.array2string(a, formatter={'float': lambda x: ''})\nnp.set_printoptions(precision=3)",
        "timeit.timeit('f(1)', number=3)\ndf.eval('a + b')\nmodel.eval()",
        "import pandas as pd\npd.options.display.max_rows = 3",
        "import matplotlib.pyplot as plt\nplt.rcParams['a'] = 1",
        "net = Net()\nnet.name = 'a'\nself._x = 1",
        '"""By `__eq__` and others."""\nx = 1',
        "def f(x:",
    ],
)
def test_leaves_ordinary_code_alone(code):
    assert screen([code], []) == []


# A setup cell as the course's notebooks have it.
_SHELL = "from IPython.core.interactiveshell import InteractiveShell\n"
_SETUP = """\
import importlib, sys
sys.path += [".."]
importlib.invalidate_caches()
from dlcourse import check
%matplotlib inline"""


@pytest.mark.parametrize(
    "code",
    [
        "from math import *",
        "from math import *\nprint(vars(x))\nfor a in ['ReLU']: getattr(nn, a)",
        "from torch import *\nx = ones(3)",
        "class T(float):\n    def f(self): return 1",
        "import torch\ncheck = torch.allclose(a, b)\nif check: print(check)",
        "def check(a, b): return a == b\nlist(map(check, [1], [2]))",
        "for c in check: pass\ncheck = [1]\nprint(c)",
        "In, Out = 3, 4\nf(In, Out)",
        "from inspect import signature\nprint(signature(f))",
        "class V:\n    def __add__(self, o):\n        self.grad = 1\n        return self\n    __radd__ = __add__",
        "%rm -f x.csv",
        "%%file a.py\nx = 1",
        "%history",
        "%%javascript\nalert(1)",
        "import torch.nn as nn\nfor name in ['ReLU', 'Tanh']:\n    print(name, getattr(nn, name)())",
        "import torch.nn as nn\nacts = ['ReLU', 'Tanh']\nfor i, a in enumerate(acts):"
        "\n    getattr(nn, a)\nprint(len(acts))",
        "import torch\nopt = 'SGD'\ngetattr(torch.optim, opt)",
        "l = [getattr(nn, n) for n in ('ReLU', 'ELU')]",
        "for n, lr in [('SGD', 1), ('Adam', 2)]:\n    getattr(torch.optim, n)",
        "for n, lr in zip(names, [1]): getattr(torch.optim, n)\nnames = ['SGD']",
        "getattr(nn, 'ReLU' if fast else 'Tanh')",
        "names = ['a']\ngetattr(nn, names[0])",
        "class N(nn.Module):\n    def __init__(self):\n        setattr(self, 'fc%d' % i, 1)"
        "\n        setattr(self, 'fc{}'.format(i), 1)",
        "row = 1\n('{:.2f}' if c else '{:.3f}').format(row)",
        "df.style.format({c: '{:.1f}' for c in df.columns})",
        "import numpy as np\nnp.set_printoptions(formatter={'float': lambda x: '%.3f' % x})",
        "np.set_printoptions(formatter={'float': lambda x: f'{x:.3f}', 'int': lambda i: '{:d}'.format(i)})",
        "import torch\ntorch.set_default_dtype(torch.float32)",
        "torch.set_default_tensor_type('torch.FloatTensor')",
        "print(vars(args))\nprint(o.__dict__)\nlist(globals())\nsorted(locals())"
        "\nfor n in vars(o): pass\n'x' in vars(o)\n'x' in o.__dict__",
        "__author__ = 'x'\nprint(f.__module__, f.__qualname__)\ntry: pass\nexcept E as e: print(e.__cause__)",
        "df['a'].apply(type).value_counts()",
        "from IPython.core.display import display, HTML\ndisplay(HTML('<b>a</b>'))",
        "import torch\ntorch.set_default_dtype(torch.float64)",
        "import torch\ntorch.set_default_device(torch.device('cuda' if torch.cuda.is_available() else 'cpu'))",
        "import torch\nd = 'cuda' if torch.cuda.is_available() else 'cpu'\ntorch.set_default_device(d)",
        f"{_SHELL}InteractiveShell.ast_node_interactivity = 'all'",
    ],
)
def test_habits_of_honest_learners_are_no_findings(code):
    assert screen([code, _SETUP], [_SETUP]) == []


@pytest.mark.parametrize(
    ("code", "finding"),
    [
        ("for name in ['ReLU', '__globals__']:\n    getattr(nn, name)", "__globals__"),
        ("acts = ['ReLU']\nacts.append(x)\nfor a in acts: getattr(nn, a)", "getattr with a computed name"),
        ("acts = ['ReLU']\nb = acts\nfor a in acts: getattr(nn, a)", "getattr with a computed name"),
        ("for a in ['x']:\n    a = f()\n    getattr(nn, a)", "getattr with a computed name"),
        ("for a in ['x']:\n    a += f()\n    getattr(nn, a)", "getattr with a computed name"),
        ("from m import *\nfor a in ['x']: getattr(nn, a)", "getattr with a computed name"),
        ("%time a = 3\nfor a in ['x']: getattr(nn, a)", "getattr with a computed name"),
        ("for a in ['x']: pass\ndef f(a): getattr(nn, a)", "getattr with a computed name"),
        ("def zip(*x): return 1\nfor a, b in zip(['x'], [1]): getattr(nn, a)", "getattr with a computed name"),
        ("for a in {'x': 1}: pass\ngetattr(nn, {'a': f()}['a'])", "getattr with a computed name"),
        ("for _ in ['x']: getattr(nn, _)", "getattr with a computed name"),
        ("names = ['a']\nnames[0] = f()\ngetattr(nn, names[0])", "getattr with a computed name"),
        ("def f():\n    global a\n    a = g()\nfor a in ['x']: getattr(nn, a)", "getattr with a computed name"),
        ("f = o.signature\nfrom inspect import signature\nsignature(f, eval_str=True)", "signature with options"),
        ("from inspect import signature as s\nmap(s, x)", "s as a value"),
        ("from inspect import signature\ng = signature\ng(f, eval_str=True)", "signature with options"),
        ("('{0.a}' if c else x + y).format(f)", "format with a computed text"),
        ("np.set_printoptions(formatter={'float': lambda x: keep(x)})", "print options with a function"),
        ("np.set_printoptions(formatter={'float': lambda x, k=f(): '%s' % x})", "print options with a function"),
        ("np.set_printoptions(formatter={'float': lambda x: '%s' % [x, keep(x)]})", "print options with a function"),
        ("np.set_printoptions(formatter={'float': lambda x: f'{x:{keep(x)}}'})", "print options with a function"),
        ("class torch2: float32 = 1\ntorch.set_default_dtype(torch2.float32)", "set_default_dtype"),
        ("import torch\ntorch = T()\ntorch.set_default_dtype(torch.float32)", "set_default_dtype"),
        ("import torch\ntorch.set_default_dtype(torch.float16)", "set_default_dtype"),
        ("print = keep\nprint(globals())", "globals"),
        ("from mine import *\nprint(vars(x))", "vars"),
        ("print(vars(np).values())", "vars"),
        ("dict(vars(np))", "vars"),
        ("x = globals()", "globals"),
        ("for k, v in vars(o).items(): pass", "vars"),
        ("f.__module__ = 'torch'", "__module__"),
        ("class A:\n    def apply(self, f): return f('A', (), {})\nA().apply(type)", "type as a value"),
        ("df.apply(type, 1)", "type as a value"),
        ("%run x.py", "get_ipython"),
        ("%reset -f", "get_ipython"),
        ("%rm {x}", "a shell magic that is filled in"),
        ("from operator import *\nattrgetter(n)", "attrgetter"),
        ("import foo as attrgetter\nfrom operator import *\nattrgetter(n)", "attrgetter"),
        ("check = check\nf(inspect)\nimport inspect", "inspect as a value"),
        ("class T(float): pass\nt = T()\nt.sum = f", "an attribute that is set beside a class below a value"),
        ("setattr(self, 'fc%d' % i, 1)", "setattr"),
        ("class N:\n    def f(self):\n        setattr(self, '%s' % i, 1)", "setattr"),
        ("class N:\n    def f(self):\n        setattr(self, '{}'.format(i), 1)", "setattr"),
        (
            "class E:\n    def __radd__(self, x): return y\nclass N:\n"
            "    def f(self, k): return getattr(self, 'a' + k)\nN.f(g, E())",
            "getattr with a computed name",
        ),
        ("('{}' * n).format(f)", "format with a computed text"),
        ("class V:\n    __radd__ = keep", "__radd__ other than as a method"),
        ("from IPython.core.display import __loader__", "__loader__"),
        ("import torch\ntorch.set_default_device(torch.device('meta'))", "set_default_device"),
        ("import torch\ntorch = x\ntorch.set_default_device(torch.device('cpu'))", "set_default_device"),
        ("import torch\nd = 'cpu'\nd = f()\ntorch.set_default_device(d)", "set_default_device"),
        (f"{_SHELL}InteractiveShell.ast_node_interactivity = f", "InteractiveShell"),
        (f"{_SHELL}InteractiveShell.ast_node_interactivity = 'all'\nInteractiveShell.run_cell = f", "InteractiveShell"),
        (f"{_SHELL}for InteractiveShell.ast_node_interactivity in [f]: pass", "InteractiveShell"),
        (f"{_SHELL}InteractiveShell.instance()", "InteractiveShell"),
    ],
)
def test_what_looks_like_these_habits_is_a_finding(code, finding):
    assert f"the code uses {finding}" in screen([code, _SETUP], [_SETUP])


@pytest.mark.parametrize("week", sorted((ROOT / "source").glob("week*")), ids=lambda week: week.name)
def test_leaves_every_right_answer_and_lesson_of_the_course_alone(week):
    (twin,) = [path for path in week.glob("*.py") if path.name != "variants.py"]
    own = [cell.source for cell in jupytext.read(twin).cells if cell.cell_type == "code"]
    right = [variant.source for variant in read_variants(week / "variants.py") if variant.right]
    assert right
    assert [(source, found) for source in right if (found := screen([source], own))] == []
    # What a lesson shows, an answer may use.
    (lesson,) = (ROOT / "notebooks" / week.name).glob("*.py")
    assert screen([cell.source for cell in jupytext.read(lesson).cells if cell.cell_type == "code"], own) == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        *(("builtins", "getattr"), ("__builtin__", "eval"), ("operator", "attrgetter"), ("functools", "wraps")),
        *(("numpy", "allclose._implementation"), ("__main__", "train.__globals__"), ("__main__", "f.x._y")),
        *(("six", "get_function_globals"), ("pydoc", "locate"), ("os.__dict__", "x"), ("timeit", "timeit")),
        *(("joblib.externals.cloudpickle", "subimport"), ("importlib", "import_module"), ("torch.fx", "GraphModule")),
    ],
)
def test_names_what_no_pickle_needs(module, name):
    assert unpickled(module, name) == f"a pickle names {module}.{name}"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        *(("collections", "OrderedDict"), ("torch._utils", "_rebuild_tensor_v2"), ("__main__", "Net.Block")),
        *(("__main__", "format"), ("builtins", "set"), ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked")),
        *(("sklearn.tree._tree", "Tree"), ("multiprocessing.resource_sharer", "DupFd"), ("helper", "Layer")),
        ("joblib.externals.loky.process_executor", "_ResultItem"),
    ],
)
def test_leaves_ordinary_pickles_alone(module, name):
    assert unpickled(module, name) is None


def test_arithmetic_of_learners_is_told_from_the_instructors():
    vector = "class V:\n    def __add__(self, o): ...\n    def __abs__(self): ...\n    def __len__(self): ..."
    assert operators([vector], []) == ["__abs__", "__add__", "__len__"]
    assert operators([vector, "x = 1"], ["class U:\n    def __add__(self, o): ..."]) == ["__abs__", "__len__"]
    assert operators(["def add(): ..."], [vector]) == []
    assert special_methods([vector, "class U:\n    def __mul__(self, o): ...\n    __rmul__ = __mul__"]) == [
        *("__abs__", "__add__", "__len__", "__mul__", "__rmul__")
    ]


def test_allows_what_the_instructor_uses():
    assert screen(["import ctypes\nfrom x import _exit"], ["import ctypes"]) == [
        "the code uses _exit",
        "the code uses x._exit",
    ]


def test_aliases_are_followed_across_cells():
    assert "the code uses an assignment to n.allclose" in screen(["n.allclose = print"], ["import numpy as n"])


@pytest.mark.parametrize("code", ["(" * 5000, "x = " + "[" * 3000 + "]" * 3000, "\0", "x = '\ud800'", "def f(x:"])
def test_leaves_alone_what_no_kernel_runs_either(code):
    assert screen([code], []) == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("-" * 3400 + "1", "is nested too deeply to read"),
        ("x = " + "9" * 5000, "has a number too long to read"),
        ("a = % \\\n\\\n", "cannot be read"),
        ("\n".join(["!true"] * 900), "has too many magics to read"),
        ("\n".join(["print?"] * 900), "has too many magics to read"),
        ("'" + "a" * 400_000 + "'", "is too long to read"),
        ("".join(f"class A{i}(A{i + 1}, A{i + 2}): ...\n" for i in range(600)), "has too many classes to read"),
        ("def f(a): a.b = 1\nf(a)\n" * 500, "has too many functions of one name to read"),
        ("import np\nnp" + ".a" * 90, "is nested too deeply to read"),
        ("get_ipython().system('{x}')\n" * 1100, "has too many magics to read"),
    ],
)
def test_says_so_if_a_kernel_may_run_what_cannot_be_read(code, reason):
    assert screen([code], []) == [f"the code {reason}"]
    assert special_methods([code]) == []


def test_a_module_may_not_mean_something_else_than_its_text():
    assert has_strange_coding("# coding: unicode_escape\nx") and has_strange_coding("#\n# -*- coding: utf-7 -*-")
    assert not has_strange_coding("# -*- coding: utf-8 -*-\n") and not has_strange_coding("# one-hot encoding: rows")
    assert not has_strange_coding("x = 1\n\n# coding: utf-7")


def test_reads_the_other_cells_if_one_cannot_be_read():
    findings = screen(["-" * 3400 + "1", "import ctypes"], [])
    assert findings == ["the code is nested too deeply to read", "the code uses the module ctypes"]


def test_whatever_the_reader_stumbles_over_becomes_a_finding(monkeypatch):
    monkeypatch.setattr("autograder.engine.screen.found_in", lambda *_: {}["a"])
    assert screen(["x = 1"], ["y = 1"]) == ["the code cannot be read"]


@pytest.mark.parametrize(
    "code",
    [
        "get_ipython().run_line_magic()",
        "get_ipython().run_line_magic('time')",
        "get_ipython().run_cell_magic('time')",
        "get_ipython().system()",
    ],
)
def test_magics_without_what_they_need_are_no_magics(code):
    assert screen([code], []) == ["the code uses get_ipython"]


@pytest.mark.parametrize(
    "code",
    [
        "f(" + "x.y," * 90_000 + ")" + ".format()" * 60,
        "import numpy as np\nnp[" + "x.y," * 90_000 + "]" + ".a" * 60,
        "import enum\n" + "".join(f"class A{i}(A{i + 1}): ...\n" for i in range(298)) + "class A298(enum.Enum): ...",
        "class A(A): ...\n" * 300,
        "".join(f"a{i} = a{i + 1}\n" for i in range(20_000)) + "import numpy as a20000",
        ("np" + ".a" * 75 + "=1\n") * 2500,
        ("np" + ".a(1)" * 37 + "\n") * 2000,
        "\n".join(["!true"] * 170),
        "!echo " + "{a:" * 300 + "}" * 300,
    ],
)
def test_reading_takes_seconds_at_most(code):
    # If the beginning of a long expression is looked at again and again, it takes minutes.
    started = time.process_time()
    screen([code], [])
    assert time.process_time() - started < 10


@pytest.mark.parametrize("dress", [str, lambda t: t[::-1], lambda t: t.encode().hex()])
def test_finds_literals_of_hidden_tests_in_outputs(dress):
    hidden = ["### BEGIN HIDDEN TESTS\nassert f(31337.25) == 'a long answer'\n### END HIDDEN TESTS\n"]
    assert repeated([f"seen: {dress('31337.25')}"], hidden, "") == ["31337.25"]
    assert repeated(["nothing of it: 3 f"], hidden, "") == []
    # Who is asked for a long_answer may print its name with brackets.
    hidden = ["g('long_answer()', 'a long answer')"]
    assert repeated(["long_answer() gives a long answer"], hidden, "def long_answer(): a") == ["a long answer"]


def test_pasted_prompts_are_read_as_ipython_reads_them():
    assert screen(["In [1]: import ctypes"], []) and screen([">>> import ctypes"], [])
    assert screen(["import math\n!cat /etc/passwd\nimport ctypes"], [])
    assert not screen(["%matplotlib inline\nimport math"], [])


def test_what_the_instructor_uses_is_kept_apart_for_each_assignment():
    assert not screen(["import ctypes"], ["import ctypes"])
    assert screen(["import ctypes"], ["import math"])
