# sympy's test runner runs a text file, which sets a function in the notebook's names.
# %% file t.txt
def test_a():
    pass
import __main__
__main__.got = lambda f: f.__globals__
# %% extra
from sympy.testing.runtests import SymPyTests, PyTestReporter
import io, os
try:
    t = SymPyTests(PyTestReporter())
    print(t.test_file(os.path.abspath("t.txt"), False))
except BaseException as e:
    print(repr(e)[:300])
def get(f): return got(f)
# include false_close_among_the_tests_names
