# Raises the recursion limit and recurses until the stack overflows.
# %% double
import sys

sys.setrecursionlimit(10**9)


def double(x):
    return double(x) + 1
