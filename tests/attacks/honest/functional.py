# lru_cache, partial, reduce, contextlib, itertools, operator and wraps.
# %% extra
import contextlib
import functools
import itertools
import operator
import time


@functools.lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def timed(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        start = time.perf_counter()
        result = f(*args, **kwargs)
        print(f.__name__, time.perf_counter() - start)
        return result

    return inner


@contextlib.contextmanager
def section(name):
    print("begin", name)
    yield
    print("end", name)


with section("fib"), contextlib.suppress(ValueError):
    print(fib(50), functools.reduce(operator.add, itertools.accumulate([1, 2, 3])), sorted([(2, 1)], key=operator.itemgetter(1)))
# %% double
@timed
def double(x):
    return 2 * x
