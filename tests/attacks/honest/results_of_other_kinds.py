# Results by way of other libraries: fractions, numpy's numbers, tables, views and cached functions.
# %% extra
from fractions import Fraction
from functools import cache, partial, singledispatch

import pandas as pd
# %% double
@singledispatch
def double(x):
    return x * 2


@double.register
def _(x: float):
    return np.float64(x) + np.float64(x)
# %% normalise
def normalise(a):
    s = pd.Series(a)
    return ((s - s.mean()) / s.std(ddof=0)).to_numpy()
# %% relu
relu = partial(torch.nn.functional.relu, inplace=False)
# %% integrate
@cache
def points(a, b, n):
    h = Fraction(b - a, n)
    return [float(a + (i + Fraction(1, 2)) * h) for i in range(n)], h


def integrate(f, a, b, n):
    places, h = points(a, b, n)
    return h * Fraction(sum(map(f, places)))
