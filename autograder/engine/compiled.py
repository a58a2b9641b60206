"""Compiles tests once for a whole class: in each kernel that would take as long as a cheap test itself."""

import functools
import re
import warnings
from types import CodeType

from autograder.engine.gate import compile_test
from autograder.engine.plan import ONE_AT_A_TIME, plain_test
from autograder.engine.warm import GATE_FILE


@functools.lru_cache(maxsize=512)
def compiled_test(source: str) -> tuple[CodeType, CodeType | None] | None:
    """Return what `gate.compile_test` makes of a test; None if the gate has to try, and to fail, itself."""
    try:
        with ONE_AT_A_TIME:
            # A test that makes Python warn is compiled where it runs, so that the warning shows in its cell. Set each
            # time, as others who catch warnings meanwhile put the filters back that they found.
            warnings.filterwarnings("error", module=re.escape(GATE_FILE))
            return compile_test(plain_test(source), GATE_FILE)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@functools.lru_cache(maxsize=64)
def compiled_given(given: str) -> CodeType:
    """Return the code of the functions that locked cells define, as `Plan.given` has them."""
    with ONE_AT_A_TIME:
        return compile(given, GATE_FILE, "exec", dont_inherit=True, optimize=0)
