# %% [markdown]
# # Good tests and bad ones
#
# What `autograder quality` must find.

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import torch

# %%
# Nobody needs this cell: it is left out when a single answer is tried.
raise RuntimeError("this cell is not needed")


# %% nbgrader={"grade": false, "grade_id": "centred", "locked": false, "schema_version": 3, "solution": true, "task": false}
def centred(x):
    """Return `x` minus the mean of each column."""
    ### BEGIN SOLUTION
    if len(x) < 1:
        return x.clone()
    return x - x.mean(dim=0, keepdim=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "centred_test", "locked": true, "points": 40, "schema_version": 3, "solution": false, "task": false}
def _test_centred():
    from dlcourse import check

    check.defined("centred", globals())
    x = torch.tensor([[1.0, 5.0], [3.0, 9.0]])
    check.value(centred(x), torch.tensor([[-1.0, -2.0], [1.0, 2.0]]), "centred(x)")
    ### BEGIN HIDDEN TESTS
    check.gradient(centred, lambda x: x - x.mean(dim=0), [torch.arange(6.0).reshape(3, 2)], "centred(x)")
    empty = torch.empty(0, 2)
    with check.unchanged("centred", x=empty):
        check.that(centred(empty) is not empty, "centred(x) is x itself", hint="return a new tensor.")
    ### END HIDDEN TESTS


_test_centred()


# %% nbgrader={"grade": false, "grade_id": "total", "locked": false, "schema_version": 3, "solution": true, "task": false}
def total(x):
    """Return the sum of `centred(x)` plus 1."""
    ### BEGIN SOLUTION
    return x.sum() * 0 + 1
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "total_test", "locked": true, "points": 60, "schema_version": 3, "solution": false, "task": false}
# Each line is a fault: a bare assertion, another exercise's answer, threads, and nothing about the shape.
assert total(torch.ones(2, 1)) > 0
assert centred(torch.ones(2, 1)).sum() == 0
assert torch.get_num_threads() == 1
