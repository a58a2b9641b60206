"""The CPU time that a class's notebooks take without any grader: their code cells, run by bare `exec`."""

import contextlib
import gc
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.pylabtools import print_figure

from autograder.course import CourseError

_IMPORTS = "imports.py"
# How often each notebook is run at least.
_LEAST = 2


class BareCells:
    """A process that runs the bare cells of a class, some notebooks whenever it is asked to.

    Afterwards `imports` has the CPU seconds of the instructor's imports.

    Args:
        course: a course with submissions.
        assignment: what was handed in.
        jobs: how many notebooks run at once.
    """

    def __init__(self, course: Path, assignment: str, jobs: int) -> None:
        self.imports = 0.0
        self._jobs = jobs
        self._folder = tempfile.TemporaryDirectory(prefix="ag-bench-")
        notebooks = _write_cells(course, assignment, Path(self._folder.name))
        self._seconds: list[list[float]] = [[] for _ in range(notebooks)]
        self._next = cycle(range(notebooks))
        self._course = course

    def __enter__(self) -> "BareCells":
        command = [sys.executable, "-m", __spec__.name, self._folder.name, str(self._jobs)]
        # As many threads as the engine's kernels have: threads that wait for each other use the processor, too.
        environment = {"OMP_NUM_THREADS": "1", **os.environ}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self._process = subprocess.Popen(command, cwd=self._course, env=environment, text=True, **pipes)
        self.imports = self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        with self._folder:
            self._process.kill()
            self._process.communicate()

    def run(self) -> None:
        """Run the next notebooks of the class, two for each that runs at once."""
        numbers = list(islice(self._next, 2 * self._jobs))
        self._process.stdin.write(json.dumps(numbers) + "\n")
        self._process.stdin.flush()
        for number, seconds in zip(numbers, self._answer(), strict=True):
            self._seconds[number].append(seconds)

    def finish(self) -> None:
        """Run what was not run twice yet."""
        while self.runs < _LEAST:
            self.run()

    @property
    def runs(self) -> int:
        """How often each notebook was run at least."""
        return min(map(len, self._seconds))

    @property
    def mean(self) -> float:
        """The mean CPU seconds of a submission's cells, tests as the engine restores them."""
        return statistics.fmean(map(statistics.fmean, self._seconds))

    def _answer(self) -> Any:
        line = self._process.stdout.readline()
        if not line:
            raise CourseError(f"the cells alone could not be measured:\n{self._process.communicate()[1][-2000:]}")
        return json.loads(line)


def _write_cells(course: Path, assignment: str, folder: Path) -> int:
    """Write the code cells of each submission, and the instructor's imports, into a folder; return their number."""
    from autograder.engine.plan import is_test, make_plan
    from autograder.engine.restore import restore

    (source_path,) = (course / "source" / assignment).glob("*.ipynb")
    source = nbformat.read(source_path, as_version=4)
    # Every cell of the assignment is restored; checksums would only say which answers were never worked on.
    names = {cell.metadata.nbgrader.grade_id: "" for cell in source.cells if "nbgrader" in cell.metadata}
    paths = sorted((course / "submitted").glob(f"*/{assignment}/{source_path.name}"))
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        restore(notebook, source, names)
        tests = sum(is_test(cell) for cell in notebook.cells)
        if not tests or tests != sum(is_test(cell) for cell in source.cells):
            raise CourseError(f"{path} could not be restored: its tests would not be measured")
        cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        (folder / f"{path.parent.parent.name}.json").write_text(json.dumps(cells), "utf-8")
    (folder / _IMPORTS).write_text("\n".join(make_plan(source).imports), "utf-8")
    return len(paths)


def main(folder: str, jobs: int) -> None:
    """Print the CPU seconds of the imports; then, for each list of numbers read, those of these files' cells."""
    os.environ.setdefault("MPLBACKEND", "agg")
    statements = compile(Path(folder, _IMPORTS).read_text("utf-8"), _IMPORTS, "exec")
    # As in the warm process.
    gc.disable()
    begun = time.process_time()
    exec(statements, {})
    imports = time.process_time() - begun
    from autograder.engine.source import plain_python
    from autograder.engine.warm import DEFAULT_WARM
    from autograder.engine.zygote import warm_up

    warm_up(DEFAULT_WARM)
    notebooks = [json.loads(path.read_text("utf-8")) for path in sorted(Path(folder).glob("*.json"))]
    runs = [[plain_python(source) for source in cells] for cells in notebooks]
    print(imports, flush=True)
    while line := sys.stdin.readline():
        print(json.dumps(list(_forked_seconds([runs[number] for number in json.loads(line)], jobs))), flush=True)


def _forked_seconds(runs: list[list[str]], jobs: int) -> Iterator[float]:
    """Yield the CPU seconds of each run, as many at once as the engine has: they share caches and memory."""
    begun = deque(_fork(cells) for cells in runs[:jobs])
    for number in range(len(runs)):
        pid, read = begun.popleft()
        seconds = struct.unpack("d", os.read(read, 8))[0]
        os.close(read)
        os.waitpid(pid, 0)
        if number + jobs < len(runs):
            begun.append(_fork(runs[number + jobs]))
        yield seconds


def _fork(cells: list[str]) -> tuple[int, int]:
    """Run cells in a fork of this process; return its process id and where it will tell its CPU seconds."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(1, 2)
            space = {"__name__": "__main__", "get_ipython": lambda: None}
            begun = time.process_time()
            for source in cells:
                # A wrong answer fails its test here as well.
                with contextlib.suppress(BaseException):
                    exec(compile(source, "<cell>", "exec"), space)
                _draw_figures()
            # A forked process starts with no children's time on its account.
            children = sum(os.times()[2:4])
            os.write(write, struct.pack("d", time.process_time() - begun + children))
        finally:
            os._exit(0)
    os.close(write)
    return pid, read


def _draw_figures() -> None:
    """Draw and close what figures a cell has left, as IPython does after each cell."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    for number in pyplot.get_fignums() if pyplot else ():
        print_figure(pyplot.figure(number))
        pyplot.close(number)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
