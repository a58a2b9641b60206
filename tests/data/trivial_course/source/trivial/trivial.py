# %% [markdown]
# # A trivial assignment
#
# Two exercises that cost nothing: what remains is the grader's own work (`autograder bench`).

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import torch
from d2l import torch as d2l
from torch import nn


# %% nbgrader={"grade": false, "grade_id": "double", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double(x):
    """Return twice `x`."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "double_test", "locked": true, "points": 50, "schema_version": 3, "solution": false, "task": false}
assert double(torch.tensor(2.0)) == 4, "twice 2 is 4"
### BEGIN HIDDEN TESTS
assert double(torch.tensor(-7.0)) == -14, "the double of a negative number"
### END HIDDEN TESTS


# %% nbgrader={"grade": false, "grade_id": "layer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def layer(inputs, outputs):
    """Return a linear layer of that size."""
    ### BEGIN SOLUTION
    return nn.Linear(inputs, outputs)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "layer_test", "locked": true, "points": 50, "schema_version": 3, "solution": false, "task": false}
assert layer(3, 2)(torch.ones(4, 3)).shape == (4, 2), "4 rows in, 4 rows out"
assert isinstance(layer(1, 1), nn.Module) and d2l.Module is not None
