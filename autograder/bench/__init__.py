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
    The speed of a processor that others use as well changes by a third within seconds, more than this
    difference of two long times. So the engine is stopped (SIGSTOP) every few seconds, and the bare cells
    of the next four notebooks are run meanwhile, as many at once as the engine runs. These pauses count
    neither as its seconds nor as its CPU; each notebook's cells are run at least twice.
overhead_with_imports_cpu_s
    the same with those imports counted as overhead, too.
    Counted with perf_event_open(2), which follows every child; where a machine forbids that, from
    getrusage(2) plus the run record (`cpu_source` says which).
peak_memory_mb, stock_peak_memory_mb
    the largest sum, at any moment, over all processes the command started, of what each holds, memory
    that they share divided between them (PSS of /proc/PID/smaps_rollup; where that cannot be read,
    resident minus shared pages). Files in a sandbox's temporary folder are not included.
"""

import json
import os
import random
import shutil
import sys
from pathlib import Path

import nbformat

from autograder.bench.cells import BareCells
from autograder.bench.measure import measured
from autograder.course import CourseError, run_nbgrader
from autograder.table import print_table

CLASS = 40
STOCK_SAMPLE = 8
JOBS = 2
TRIVIAL = Path("tests", "data", "trivial_course")
WEEK03 = "week03_linear_regression"
BARS = {"throughput_ratio": 20, "overhead_cpu_s": 0.25, "memory_above_stock_mb": 1024}
_STOCK_CONFIG = "c = get_config()\nc.CourseDirectory.course_id = {name!r}\n"


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
    graded = measured([sys.executable, "-m", "nbgrader", "autograde", assignment], stock, stock=True)
    sample = len(list((stock / "autograded").glob(f"*/{assignment}/*.ipynb")))
    if graded.code or sample != min(stock_sample, CLASS):
        raise CourseError(f"stock nbgrader graded {sample} of {stock_sample}:\n{graded.output[-2000:]}")
    idle = measured([sys.executable, "-m", "nbgrader", "autograde", assignment], stock, stock=True)
    marginal = (graded.seconds - idle.seconds) / sample
    stock_seconds = graded.seconds if sample == CLASS else idle.seconds + CLASS * marginal

    with BareCells(course, assignment, JOBS) as alone:
        command = [sys.executable, "-m", "autograder", "grade", assignment, "--jobs", str(JOBS)]
        engine = measured(command, course, pause=alone.run)
        alone.finish()
    (record_path,) = (course / ".autograder").glob("*.json")
    record = json.loads(record_path.read_text("utf-8"))
    if engine.code or len(record["graded"]) != CLASS:
        raise CourseError(f"the engine graded {len(record['graded'])} of {CLASS}:\n{engine.output[-2000:]}")
    suspected = [row["student"] for row in record["graded"] if row["needs_human"]]
    cpu = engine.cpu_s
    if engine.cpu_source != "perf":
        # Kernels are not anybody's waited-for children; the record has what they used.
        cpu += sum(row["cpu_s"] for row in record["graded"])
    overhead = cpu / CLASS - alone.mean
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
        "cells_cpu_s": round(alone.mean, 4),
        "cells_runs": alone.runs,
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
