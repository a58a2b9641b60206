"""Compare what a learner made with what was asked, and say in plain words what differs.

Every test cell of the course is written with these functions:

- `defined`: the cell of the answer was run.
- `value`: a result equals the expected one: type, shape, dtype, values within tolerance.
- `tensor`: a tensor has the asked properties where no single right value exists.
- `call`: call the learner's function; a crash, a forgotten `return` or a damaged input is explained.
- `gradient`: gradients flow through the learner's function and equal those of a reference.
- `unchanged`: a block of code leaves its inputs as they were.
- `raises`: bad input is refused with the right kind of error.
- `forbidden`: a call the exercise rules out is not made.
- `operations`: `call`, with the number of tensor operations and the largest new tensor.
- `that`: any other statement, with a sentence of its own.

A failure is a `CheckError`. Its message has the same parts each time: what was compared, what was
expected, what was found, and where to look.
"""

from dlcourse.check.calls import call, gradient, raises
from dlcourse.check.errors import CheckError, defined, that
from dlcourse.check.guards import forbidden
from dlcourse.check.inputs import unchanged
from dlcourse.check.operations import operations
from dlcourse.check.values import tensor, value

__all__ = [
    "CheckError",
    "call",
    "defined",
    "forbidden",
    "gradient",
    "operations",
    "raises",
    "tensor",
    "that",
    "unchanged",
    "value",
]
