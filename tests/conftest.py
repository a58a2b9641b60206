"""What several test files share: a tiny course made anew for each test, and the times of the notebooks."""

import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import executed
import pytest
from bare import bare_environment, wheel  # noqa: F401 - fixtures
from xdist.scheduler import LoadFileScheduling

from autograder.cli import main
from autograder.course import run_nbgrader

ROOT = Path(__file__).resolve().parent.parent
TINY = ROOT / "tests" / "data" / "tiny_course"
# Under pytest-xdist, a worker has one of the cores.
JOBS = 1 if "PYTEST_XDIST_WORKER" in os.environ else 2
WEEK = "week01_tiny"
LESSON = Path("notebooks", WEEK, "tiny.py")
ASSIGNMENT = Path("source", WEEK, "tiny.py")


def pytest_configure(config):
    """Keep what nbmake executes, for the tests of the pages."""
    executed.install()


def pytest_collection_modifyitems(items):
    """Put the longest first, and the tests of pages last: nbmake's runs of the notebooks are measured then."""
    items.sort(key=lambda item: ("test_lessons.py" in item.nodeid, not item.get_closest_marker("longest")))


class _ByFile(LoadFileScheduling):
    """The tests of a file go to one worker, which makes once what they share; those of a whole week go singly."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if "[week" in nodeid else super()._split_scope(nodeid)


# xdist's own `loadgroup` would do, but has no effect with pytest 9.2, whose node ids it cannot change.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Share the tests out among the workers."""
    return _ByFile(config, log)


def pytest_terminal_summary(terminalreporter):
    """Print how long each notebook took that ran under nbmake, the slowest first."""
    reports = [r for outcome in ("passed", "failed") for r in terminalreporter.stats.get(outcome, [])]
    times = [(r.duration, r.nodeid.split("::")[0]) for r in reports if r.when == "call" and ".ipynb::" in r.nodeid]
    if times:
        terminalreporter.section("notebooks, slowest first")
        for seconds, name in sorted(times, reverse=True):
            terminalreporter.write_line(f"{seconds:7.1f} s  {name}")


def make_course(root: Path) -> Path:
    """Copy the tiny course, not yet built, with the repository's own configuration of nbgrader and jupytext."""
    shutil.copytree(TINY, root)
    for name in ("nbgrader_config.py", "notebooks/jupytext.toml", "source/jupytext.toml"):
        shutil.copy(ROOT / name, root / name)
    return root


def snapshot(root: Path) -> dict[str, bytes]:
    """Return the content of every file below `root`."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def touch_after(path: Path, other: Path) -> None:
    """Make `path` a few seconds newer than `other`."""
    later = other.stat().st_mtime + 5
    os.utime(path, (later, later))


def nbgrader(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a real nbgrader command in the course, as an instructor does; it must succeed."""
    run = run_nbgrader(root, *arguments)
    assert run.returncode == 0, run.stderr[-3000:]
    return run


@pytest.fixture
def tiny(tmp_path):
    """A tiny course whose notebooks are not built yet."""
    return make_course(tmp_path / "course")


@pytest.fixture
def autograder(capsys):
    """The command line: `autograder(root, "notebooks", "--check")` gives its code and what it printed."""

    def run(root, *arguments):
        capsys.readouterr()
        code = main(["--root", str(root), *arguments])
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return run


@pytest.fixture
def built(tiny, autograder):
    """A tiny course with its notebooks."""
    run = autograder(tiny, "notebooks")
    assert run.code == 0, run.err
    return tiny


@pytest.fixture(scope="session")
def released_once(tmp_path_factory):
    """A tiny course with notebooks and learners' copies, made once; tests take `released`."""
    course = make_course(tmp_path_factory.mktemp("released") / "course")
    assert main(["--root", str(course), "notebooks"]) == 0
    nbgrader(course, "generate_assignment", WEEK)
    return course


@pytest.fixture
def released(released_once, tmp_path):
    """A tiny course, released by nbgrader, with its gradebook. Slow."""
    return shutil.copytree(released_once, tmp_path / "released")
