"""Makes the tracebacks of learners' cells as IPython does, in a fraction of the time.

A first traceback takes IPython as long as a submission of short cells, and a second or two if it goes through a
large module: it looks for the module that a cell is, which is none, among the files of all; it makes each traceback
twice, once for a notebook of its own; and it parses each file in which there is a frame, whatever its size.
"""

import inspect
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import stack_data
from IPython.core import tbtools, ultratb
from IPython.core.interactiveshell import InteractiveShell

# Lines of a file from which on the lines around a frame are shown without marking what in them was executed.
_LONG = 300


def speed_up(shell: InteractiveShell) -> None:
    """Let IPython do less for the same tracebacks, in this process."""
    name_of = shell.compile.get_code_name

    def get_code_name(*args: Any) -> str:
        name = name_of(*args)
        # Known, as of a module that is not there.
        inspect.modulesbyfile[name] = ""
        return name

    shell.compile.get_code_name = get_code_name
    shell._format_exception_for_storage = lambda *args, **kwargs: {}
    ultratb.FAST_THRESHOLD = _LONG
    of_frames = stack_data.FrameInfo.stack_data.__func__

    def up_to_a_long_file(cls: type, tb: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        return of_frames(cls, _beginning(tb) if isinstance(tb, TracebackType) else tb, *args, **kwargs)

    # IPython leaves out what comes after, but only when all of it has been read.
    stack_data.FrameInfo.stack_data = classmethod(up_to_a_long_file)


def rehearse(shell: InteractiveShell) -> None:
    """Run a cell that fails, so that what IPython loads and looks up for its first traceback is there."""
    # Where all modules lie.
    inspect.getmodule(inspect.currentframe())
    shell.run_cell("1 / 0", store_history=False)
    shell.run_cell("pass", store_history=False)


def _beginning(tb: TracebackType) -> TracebackType:
    """Return a traceback up to its first frame in a long file, but with one frame at least."""
    steps = [tb]
    while (tb := tb.tb_next) is not None and tbtools.get_line_number_of_frame(tb.tb_frame) <= _LONG:
        steps.append(tb)
    short = None
    for step in reversed(steps):
        short = TracebackType(short, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return short
