# Tests of its own: numpy's and torch's assertions, caught errors, a raised error, doctest and timing.
# %% extra
import doctest
import timeit

np.testing.assert_allclose([1.0, 2.0], [1.0, 2.0 + 1e-9], rtol=1e-6, err_msg="mine")
np.testing.assert_array_equal(np.eye(2), np.eye(2))
torch.testing.assert_close(torch.ones(2), torch.ones(2))
assert torch.allclose(torch.zeros(1), torch.zeros(1)) and torch.equal(torch.ones(1), torch.ones(1))
try:
    np.testing.assert_allclose([1.0], [2.0])
except AssertionError as error:
    print("as it should be:", len(str(error)) > 10)
try:
    raise ValueError("too small") from KeyError("a")
except (ValueError, TypeError) as error:
    print(repr(error), error.args)


def square(x):
    """Return the square.

    >>> square(3)
    9
    """
    return x * x


print(doctest.testmod(), timeit.timeit("sum(range(10))", number=5) > 0, timeit.timeit(lambda: square(2), number=5) > 0)
check.value(torch.ones(2), torch.ones(2), "mine")
