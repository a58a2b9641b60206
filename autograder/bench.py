"""`make bench`: stock `nbgrader autograde` and the engine grade the same two classes, and both are measured.

The classes have 40 learners each: `trivial`, an assignment of two one-line exercises that imports d2l as
every notebook of the course does, so that what is measured is the grader itself; and `week03`, the real
assignment of week 3 with answers of its variants.py. Both graders run on the same two cores, one after
the other, in the same minutes, with the same variables of the environment.

Stock is stock: a course directory whose nbgrader_config.py sets the course's name and nothing else, with
Jupyter's and IPython's folders empty. It is slow, so by default it grades only the first few of each class
(`stock_sample`): its seconds a submission are measured on those, after subtracting what a run costs that
finds nothing to grade (measured, too), so that its start is charged once a class, as with the engine.

What is measured:

throughput_ratio
    submissions an hour of the engine by those of stock, each for the whole class and with everything,
    the import of the program and the start of the warm process included.
overhead_cpu_s
    CPU seconds (user and system, of all threads) a submission that are not the notebook's own: what the
    kernel of the operating system counted for the whole command `autograder grade`, from its start to its
    end, that is grader, warm process, sandboxes and kernels, with their children and exits, divided by
    the class; minus the CPU that the notebooks' code cells take, tests included, when each notebook's
    source is run by bare `exec` in a process forked from one that has imported the course's modules, and
    the figures that a cell leaves are turned into pictures, as in any notebook (mean over the notebooks);
    and minus the CPU of the cells' import statements in a new process, once for the whole class, which is
    how often the engine executes them. So all that Jupyter, IPython, the gate and the sandbox add counts
    as overhead, and so does all else that the grader and the warm process load.
    The speed of a processor that others use as well changes by a third within minutes, more than this
    difference of two long times. So the bare cells are run before the engine and after it, each notebook
    once, as many at once as the engine runs.
overhead_with_imports_cpu_s
    the same with those imports counted as overhead, too.
    Counted with perf_event_open(2), which follows every child; where a machine forbids that, from
    getrusage(2) plus the run record (`cpu_source` says which).
peak_memory_mb, stock_peak_memory_mb
    the largest sum, at any moment, over all processes the command started, of what each holds, memory
    that they share divided between them (PSS of /proc/PID/smaps_rollup; where that cannot be read,
    resident minus shared pages). Files in a sandbox's temporary folder are not included.
"""

import contextlib
import ctypes
import gc
import json
import os
import random
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.pylabtools import print_figure

from autograder.course import CourseError, path_with_programs, run_nbgrader
from autograder.table import print_table

CLASS = 40
STOCK_SAMPLE = 8
JOBS = 2
TRIVIAL = Path("tests", "data", "trivial_course")
WEEK03 = "week03_linear_regression"
BARS = {"throughput_ratio": 20, "overhead_cpu_s": 0.25, "memory_above_stock_mb": 1024}
_IMPORTS = "imports.py"
_STOCK_CONFIG = "c = get_config()\nc.CourseDirectory.course_id = {name!r}\n"


@dataclass(frozen=True)
class Measured:
    """One command: how long, how much CPU in it and all it started, how much memory at most."""

    seconds: float
    cpu_s: float
    cpu_source: str
    peak_mb: float
    code: int
    output: str


def run(root: Path, *, stock_sample: int = STOCK_SAMPLE, only: tuple[str, ...] = ("trivial", "week03")) -> int:
    """Measure both classes, print a table, write bench.json; return 0 if every bar is met, else 1."""
    cores = _use_two_cores()
    result: dict = {
        "cores": cores,
        "class": CLASS,
        "jobs": JOBS,
        "load_before": os.getloadavg(),
        "bars": BARS,
    }
    build = root / "build" / "bench"
    shutil.rmtree(build, ignore_errors=True)
    sources = {"trivial": (root / TRIVIAL, "trivial"), "week03": (root, WEEK03)}
    for name in only:
        origin, assignment = sources[name]
        print(f"{name}: a class of {CLASS}, stock grades {min(stock_sample, CLASS)} of them", flush=True)
        course = _make_class(root, origin, assignment, build / name)
        result[name] = _compare(course, assignment, stock_sample)
    result["load_after"] = os.getloadavg()
    (root / "bench.json").write_text(json.dumps(result, indent=1), "utf-8")
    _print(result, only)
    missed = [f"{name}: {bar}" for name in only for bar in _missed(name, result[name])]
    for bar in missed:
        print(f"not met  {bar}")
    print("bench.json written")
    return 1 if missed else 0


def _missed(name: str, row: dict) -> list[str]:
    missed = []
    if name == "trivial" and row["throughput_ratio"] < BARS["throughput_ratio"]:
        missed.append(f"at least {BARS['throughput_ratio']} times stock's throughput")
    if row["overhead_cpu_s"] > BARS["overhead_cpu_s"]:
        missed.append(f"at most {BARS['overhead_cpu_s']} CPU s a submission beyond the cells")
    if row["peak_memory_mb"] > row["stock_peak_memory_mb"] + BARS["memory_above_stock_mb"]:
        missed.append("peak memory below stock's plus 1 GB")
    if row.get("suspected"):
        missed.append(f"{row['suspected']} honest submissions were suspected of tampering")
    return missed


def _print(result: dict, names: tuple[str, ...]) -> None:
    rows = [
        [
            *("class", "stock s/sub", "engine s/sub", "times stock"),
            *("overhead CPU s", "with imports", "cells CPU s", "peak MB", "stock"),
        ]
    ]
    for name in names:
        row = result[name]
        rows.append(
            [
                name,
                f"{row['stock_seconds'] / CLASS:.2f}",
                f"{row['engine_seconds'] / CLASS:.2f}",
                f"{row['throughput_ratio']:.1f}",
                f"{row['overhead_cpu_s']:.3f}",
                f"{row['overhead_with_imports_cpu_s']:.3f}",
                f"{row['cells_cpu_s']:.3f}",
                f"{row['peak_memory_mb']:.0f}",
                f"{row['stock_peak_memory_mb']:.0f}",
            ]
        )
    print_table(rows)
    print(
        f"load average before {result['load_before'][0]:.2f}, after {result['load_after'][0]:.2f} (own load included)"
    )


def _use_two_cores() -> int:
    """Keep this process and all it starts on two cores, where the system can; return how many it has."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    cores = sorted(os.sched_getaffinity(0))[:JOBS]
    os.sched_setaffinity(0, cores)
    return len(cores)


def _compare(course: Path, assignment: str, stock_sample: int) -> dict:
    """Grade one class with both; the order does not matter, as neither reads what the other writes."""
    stock = _stock_course(course, assignment, min(stock_sample, CLASS))
    graded = _measured([sys.executable, "-m", "nbgrader", "autograde", assignment], stock, stock=True)
    sample = len(list((stock / "autograded").glob(f"*/{assignment}/*.ipynb")))
    if graded.code or sample != min(stock_sample, CLASS):
        raise CourseError(f"stock nbgrader graded {sample} of {stock_sample}:\n{graded.output[-2000:]}")
    idle = _measured([sys.executable, "-m", "nbgrader", "autograde", assignment], stock, stock=True)
    marginal = (graded.seconds - idle.seconds) / sample
    stock_seconds = graded.seconds if sample == CLASS else idle.seconds + CLASS * marginal

    with _Alone(course, assignment) as alone:
        alone.run()
        engine = _measured([sys.executable, "-m", "autograder", "grade", assignment, "--jobs", str(JOBS)], course)
        alone.run()
    (record_path,) = (course / ".autograder").glob("*.json")
    record = json.loads(record_path.read_text("utf-8"))
    if engine.code or len(record["graded"]) != CLASS:
        raise CourseError(f"the engine graded {len(record['graded'])} of {CLASS}:\n{engine.output[-2000:]}")
    suspected = [row["student"] for row in record["graded"] if row["needs_human"]]
    cpu = engine.cpu_s
    if engine.cpu_source != "perf":
        # Kernels are not anybody's waited-for children; the record has what they used.
        cpu += sum(row["cpu_s"] for row in record["graded"])
    cells = statistics.fmean(alone.rounds)
    overhead = cpu / CLASS - cells
    return {
        "throughput_ratio": round(stock_seconds / engine.seconds, 2),
        "overhead_cpu_s": round(overhead - alone.imports / CLASS, 4),
        "overhead_with_imports_cpu_s": round(overhead, 4),
        "peak_memory_mb": round(engine.peak_mb),
        "stock_peak_memory_mb": round(graded.peak_mb),
        "stock_sample": sample,
        # Every submission of these classes is honest.
        "suspected": len(suspected),
        "stock_seconds": round(stock_seconds, 2),
        "stock_seconds_measured": round(graded.seconds, 2),
        "stock_start_seconds": round(idle.seconds, 2),
        "stock_cpu_s": round(graded.cpu_s / sample, 3),
        "engine_seconds": round(engine.seconds, 2),
        "engine_cpu_s": round(cpu / CLASS, 4),
        "cells_cpu_s": round(cells, 4),
        # Before the engine and after it.
        "cells_rounds_cpu_s": [round(seconds, 4) for seconds in alone.rounds],
        "imports_cpu_s": round(alone.imports, 3),
        "cpu_source": engine.cpu_source,
        "load": os.getloadavg(),
    }


# The classes


def _make_class(root: Path, origin: Path, assignment: str, course: Path) -> Path:
    """Make a course with one assignment, released by nbgrader, and a class's submissions in submitted/."""
    from autograder.demo import Material
    from autograder.notebooks import twins

    (text,) = [p for p in (origin / "source" / assignment).glob("*.py") if p.name != twins.VARIANTS]
    folder = course / "source" / assignment
    folder.mkdir(parents=True)
    shutil.copy(root / "nbgrader_config.py", course)
    nbformat.write(twins.read_text(text), folder / f"{text.stem}.ipynb")
    shutil.copy(text.with_name(twins.VARIANTS), folder)
    done = run_nbgrader(course, "generate_assignment", assignment)
    if done.returncode:
        raise CourseError(f"nbgrader generate_assignment failed:\n{done.stderr.strip()[-2000:]}")
    material = Material(course, course, assignment)
    dice = random.Random(assignment)
    for number in range(CLASS):
        # Most answers right, one way or another; some wrong.
        answers = {}
        for exercise in material.exercises:
            variants = [None] + [v for v in material.variants if v.exercise == exercise]
            if (variant := dice.choice(variants)) is not None and (variant.right or dice.random() < 0.4):
                answers[exercise] = variant.source
        place = course / "submitted" / f"learner{number:02}" / assignment
        place.mkdir(parents=True)
        nbformat.write(material.solved(**answers), place / material.name)
    return course


def _stock_course(course: Path, assignment: str, sample: int) -> Path:
    """Copy the course as it is before grading, with nbgrader's own configuration and a part of the class."""
    stock = course.with_name(f"{course.name}-stock")
    shutil.copytree(course, stock)
    (stock / "nbgrader_config.py").write_text(_STOCK_CONFIG.format(name="dlcourse"), "utf-8")
    for folder in sorted((stock / "submitted").iterdir())[sample:]:
        shutil.rmtree(folder)
    return stock


# Measuring


def _measured(command: list[str], folder: Path, *, stock: bool = False) -> Measured:
    """Run a command in a course directory and measure it with all it starts."""
    environment = {**os.environ, "PATH": path_with_programs(), "PYTHONWARNINGS": "ignore"}
    with tempfile.TemporaryDirectory(prefix="ag-bench-") as home, tempfile.TemporaryFile("w+") as output:
        if stock:
            # A configuration of this account must not change what stock does.
            environment |= {"JUPYTER_CONFIG_DIR": f"{home}/jupyter", "IPYTHONDIR": f"{home}/ipython"}
        memory = _MemoryWatch()
        counter = _cpu_counter()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        memory.watch(process.pid)
        code = process.wait()
        seconds = time.monotonic() - started
        peak = memory.stop()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if counter is not None:
            cpu, source = struct.unpack("Q", os.read(counter, 8))[0] / 1e9, "perf"
            os.close(counter)
        else:
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            source = "getrusage and run record"
        output.seek(0)
        return Measured(seconds, cpu, source, peak, code, output.read())


def _cpu_counter() -> int | None:
    """Start counting the CPU time of this thread and of all it will start, to any depth; None where forbidden.

    Children of a sandbox are reaped by the operating system, so their times reach no parent's getrusage.
    """
    numbers = {"x86_64": 298, "aarch64": 241}
    if sys.platform != "linux" or os.uname().machine not in numbers:
        return None
    # struct perf_event_attr: a software event (1), size, the task clock (1); flag 2 is `inherit`.
    attributes = bytearray(128)
    struct.pack_into("IIQ", attributes, 0, 1, len(attributes), 1)
    struct.pack_into("Q", attributes, 40, 1 << 1)
    buffer = (ctypes.c_char * len(attributes)).from_buffer(attributes)
    descriptor = ctypes.CDLL(None).syscall(numbers[os.uname().machine], buffer, 0, -1, -1, 0)
    if descriptor < 0:
        return None
    os.set_inheritable(descriptor, False)
    return descriptor


class _MemoryWatch:
    """Sample the memory of a process and all its descendants from a thread of its own.

    The thread is started before the CPU is counted, so that its own work is in nobody's account; it
    rests ten times as long as a sample took, so that it slows either grader by little.
    """

    def __init__(self) -> None:
        self._pid: int | None = None
        self._peak = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def watch(self, pid: int) -> None:
        self._pid = pid

    def stop(self) -> float:
        self._end.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        pause = 0.05
        while not self._end.wait(pause):
            if self._pid is None:
                continue
            started = time.monotonic()
            self._peak = max(self._peak, sum(_held_mb(pid) for pid in _family(self._pid)))
            pause = max(0.1, 10 * (time.monotonic() - started))


def _family(root: int) -> set[int]:
    """Return a process and its descendants. A sandbox is a child of the warm process, its subreaper."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            with contextlib.suppress(OSError):
                parent = int(Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found, left = set(), [root]
    while left:
        pid = left.pop()
        found.add(pid)
        left += children.get(pid, [])
    return found


def _held_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    with contextlib.suppress(OSError, IndexError):
        _, resident, shared = map(int, Path(f"/proc/{pid}/statm").read_text().split()[:3])
        return (resident - shared) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    return 0.0


# The CPU time of the cells alone


class _Alone:
    """A process that runs the bare cells of a class whenever it is asked to.

    Afterwards `rounds` has the mean CPU seconds of a submission's cells, tests as the engine restores
    them, for each time it was asked, and `imports` those of the instructor's imports.
    """

    def __init__(self, course: Path, assignment: str) -> None:
        self.rounds: list[float] = []
        self.imports = 0.0
        self._folder = tempfile.TemporaryDirectory(prefix="ag-bench-")
        _write_cells(course, assignment, Path(self._folder.name))
        self._course = course

    def __enter__(self) -> "_Alone":
        command = [sys.executable, "-m", "autograder.bench", self._folder.name]
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
        """Run the cells of each submission once."""
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        self.rounds.append(statistics.fmean(self._answer()))

    def _answer(self) -> Any:
        line = self._process.stdout.readline()
        if not line:
            raise CourseError(f"the cells alone could not be measured:\n{self._process.communicate()[1][-2000:]}")
        return json.loads(line)


def _write_cells(course: Path, assignment: str, folder: Path) -> None:
    """Write the code cells of each submission, and the instructor's imports, into a folder."""
    from autograder.engine.plan import is_test, make_plan
    from autograder.engine.restore import restore

    (source_path,) = (course / "source" / assignment).glob("*.ipynb")
    source = nbformat.read(source_path, as_version=4)
    # Every cell of the assignment is restored; checksums would only say which answers were never worked on.
    names = {cell.metadata.nbgrader.grade_id: "" for cell in source.cells if "nbgrader" in cell.metadata}
    for path in sorted((course / "submitted").glob(f"*/{assignment}/{source_path.name}")):
        notebook = nbformat.read(path, as_version=4)
        restore(notebook, source, names)
        tests = sum(is_test(cell) for cell in notebook.cells)
        if not tests or tests != sum(is_test(cell) for cell in source.cells):
            raise CourseError(f"{path} could not be restored: its tests would not be measured")
        cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        (folder / f"{path.parent.parent.name}.json").write_text(json.dumps(cells), "utf-8")
    (folder / _IMPORTS).write_text("\n".join(make_plan(source).imports), "utf-8")


def _main(folder: str) -> None:
    """Print the CPU seconds of the imports; then, for each line read, those of the cells of each file in the folder."""
    os.environ.setdefault("MPLBACKEND", "agg")
    statements = compile(Path(folder, _IMPORTS).read_text("utf-8"), _IMPORTS, "exec")
    # As in the warm process.
    gc.disable()
    begun = time.process_time()
    exec(statements, {})
    imports = time.process_time() - begun
    from autograder.engine.plan import plain_python
    from autograder.engine.warm import DEFAULT_WARM
    from autograder.engine.zygote import warm_up

    warm_up(DEFAULT_WARM)
    notebooks = [json.loads(path.read_text("utf-8")) for path in sorted(Path(folder).glob("*.json"))]
    runs = [[plain_python(source) for source in cells] for cells in notebooks]
    print(imports, flush=True)
    while sys.stdin.readline():
        print(json.dumps(list(_forked_seconds(runs, JOBS))), flush=True)


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
    _main(sys.argv[1])
