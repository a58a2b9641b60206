"""Compiles tests once for a whole class: in each kernel that would take as long as a cheap test itself."""

import functools
import re
import warnings
from types import CodeType

from autograder.engine.gate import compile_test
from autograder.engine.source import ONE_AT_A_TIME, plain_test
from autograder.engine.warm import GATE_FILE


@functools.lru_cache(maxsize=512)
def compiled(text: str) -> tuple[CodeType, CodeType | None] | None:
    """Return what `gate.compile_test` makes of plain Python; None if the gate has to try, and to fail, itself."""
    try:
        with ONE_AT_A_TIME:
            # What makes Python warn is compiled where it runs, so that the warning shows in a test's cell. Set each
            # time, as others who catch warnings meanwhile put the filters back that they found.
            warnings.filterwarnings("error", module=re.escape(GATE_FILE))
            return compile_test(text, GATE_FILE)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def compiled_test(source: str) -> tuple[CodeType, CodeType | None] | None:
    """Return the same for the source of a test's cell."""
    return compiled(plain_test(source))
