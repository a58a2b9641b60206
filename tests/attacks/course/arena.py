# %% [markdown]
# # Arena
#
# Four exercises, each tested in another way. Attacks on the grader are handed in as answers to it.

# %% nbgrader={"grade": false, "grade_id": "given", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math

import numpy as np
import torch
from dlcourse import check


def close(left, right):
    """Return whether two numbers are nearly equal."""
    return math.isclose(left, right, rel_tol=1e-6)


# %% nbgrader={"grade": false, "grade_id": "double", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double(x):
    """Return twice `x`."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "double_test", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
assert double(2) == 4, "twice 2 is 4"
assert isinstance(double(3), int)
### BEGIN HIDDEN TESTS
hidden_numbers = [31337.25, -7.5]
SECRET = "quokka-in-the-moonlight"
assert all(abs(double(x) - 2 * x) < 1e-9 for x in hidden_numbers), "twice any number"
assert len(double([1, 2])) == 4
assert type(double("ab")) is str
assert close(double(0.125), 0.25)
### END HIDDEN TESTS


# %% nbgrader={"grade": false, "grade_id": "normalise", "locked": false, "schema_version": 3, "solution": true, "task": false}
def normalise(a):
    """Return the array with mean 0 and standard deviation 1."""
    ### BEGIN SOLUTION
    return (a - a.mean()) / a.std()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "normalise_test", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
given = np.array([1.0, 2.0, 3.0])
np.testing.assert_allclose(normalise(given), [-1.22474487, 0.0, 1.22474487], rtol=1e-6)
### BEGIN HIDDEN TESTS
hidden_array = np.random.default_rng(20231).normal(3, 2, 50)
hidden_expected = (hidden_array - hidden_array.mean()) / hidden_array.std()
np.testing.assert_allclose(normalise(hidden_array.copy()), hidden_expected, err_msg="quokka-in-the-moonlight")
assert np.allclose(normalise(hidden_array.copy()), hidden_expected)
### END HIDDEN TESTS


# %% nbgrader={"grade": false, "grade_id": "relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu(t):
    """Return the tensor with 0 where it is negative."""
    ### BEGIN SOLUTION
    return torch.clamp(t, min=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "relu_test", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
check.value(relu(torch.tensor([-1.0, 2.0])), torch.tensor([0.0, 2.0]), "relu of [-1, 2]")
### BEGIN HIDDEN TESTS
hidden_tensor = torch.linspace(-3, 3, 61)
hidden_positive = hidden_tensor * (hidden_tensor > 0)
assert torch.allclose(relu(hidden_tensor.clone()), hidden_positive), "a whole range"
torch.testing.assert_close(relu(hidden_tensor.clone()), hidden_positive)
check.value(relu(hidden_tensor.clone()), hidden_positive, "relu of a range")
assert (relu(hidden_tensor.clone()) == hidden_positive).all()
### END HIDDEN TESTS


# %% nbgrader={"grade": false, "grade_id": "integrate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def integrate(f, a, b, n):
    """Return the integral of `f` from `a` to `b` by the midpoint rule with `n` pieces."""
    ### BEGIN SOLUTION
    h = (b - a) / n
    return h * sum(f(a + (i + 0.5) * h) for i in range(n))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "integrate_test", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
points = 4 * close(integrate(lambda x: 2 * x, 0, 1, 10), 1.0)
### BEGIN HIDDEN TESTS
hidden_factor = 7.28125


def polynomial(k):
    """Keep a secret in a closure."""
    secret = "quokka-in-the-moonlight"
    return lambda x: k * x + 0 * len(secret)


points += 6 * close(integrate(polynomial(hidden_factor), 0, 2, 8), 14.5625)
### END HIDDEN TESTS
points
