# %% [markdown]
# # Tiny assignment
#
# Two exercises and one explanation.

# %% tags=["setup"]
# The build fills this cell.

# %% nbgrader={"grade": false, "grade_id": "given", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math

# %% [markdown]
# ## Doubling


# %% nbgrader={"grade": false, "grade_id": "double", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double(x):
    """Return twice `x`."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "double_test", "locked": true, "points": 40, "schema_version": 3, "solution": false, "task": false}
assert double(2) == 4, "visible: twice 2 is 4"
### BEGIN HIDDEN TESTS
secret_input = -7
assert double(secret_input) == -14, "the double of a negative number"
### END HIDDEN TESTS


# %% nbgrader={"grade": false, "grade_id": "circle", "locked": false, "schema_version": 3, "solution": true, "task": false}
def circle(radius):
    """Return the area of a circle."""
    ### BEGIN SOLUTION
    return math.pi * radius**2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "circle_test", "locked": true, "points": 50, "schema_version": 3, "solution": false, "task": false}
assert math.isclose(circle(1), math.pi), "visible: the unit circle"

# %% [markdown] nbgrader={"grade": false, "grade_id": "explanation_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Why does the area grow with the *square* of the radius?
#
# ### BEGIN MARK SCHEME
# 10 points for the word scaling.
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade": true, "grade_id": "explanation", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# A reference sentence about scaling both axes.
