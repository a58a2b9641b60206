"""The course directory: where things lie, and running nbgrader in it."""

import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbgrader.apps.baseapp import NbGrader

# A dependency of jsonschema that builds a grammar when it is imported, which takes longer than all else that
# nbgrader imports. It would only check IRIs, and jsonschema does without; no notebook holds one.
_SLOW_GRAMMAR = "rfc3987_syntax"
_NBGRADER = f"""
import runpy, sys
sys.modules[{_SLOW_GRAMMAR!r}] = None
sys.argv[0] = "nbgrader"
runpy.run_module("nbgrader", run_name="__main__", alter_sys=True)
"""


class CourseError(Exception):
    """Something in the course directory is missing or wrong; the message says what."""


def find_root(start: Path | None = None) -> Path:
    """Return the nearest directory at or above `start` (the current one by default) with an nbgrader_config.py.

    Raises:
        CourseError: there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "nbgrader_config.py").is_file():
            return folder
    raise CourseError(f"no nbgrader_config.py at or above {start}: run this inside the course directory")


def assignments(root: Path) -> list[str]:
    """Return the names of the assignments in source/, in order."""
    return sorted({path.parent.name for path in (root / "source").glob("*/*.ipynb")})


def check_known(asked: Iterable[str], known: Sequence[str]) -> None:
    """Check that assignments exist.

    Raises:
        CourseError: one of those asked for is not among the known ones.
    """
    for name in asked:
        if name not in known:
            raise CourseError(f"no assignment {name!r} in source/; there are: {', '.join(known)}")


def start_sooner() -> None:
    """Keep this program, before it imports nbformat, from importing what it has no use for."""
    sys.modules.setdefault(_SLOW_GRAMMAR, None)


def load_config() -> "NbGrader":
    """Return nbgrader's application with the course's configuration. Must be called in the course directory.

    Raises:
        CourseError: nbgrader_config.py has an error, with which nbgrader itself would go on without it,
            and so show hidden tests, for example; or it names other folders.
    """
    from nbgrader.apps.baseapp import NbGrader

    app = NbGrader()
    # nbgrader talks at length about every step; what matters is told by others.
    app.log_level = logging.ERROR
    app.raise_config_file_errors = True
    try:
        app.initialize([])
    except Exception as error:  # whatever a file may do
        name = "nbgrader_config.py"
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(name)]
        if isinstance(error, SyntaxError):
            said, lines = error.msg, [error.lineno]
        else:
            said = f"{type(error).__name__}: {error}"
        place = f"line {lines[-1]}: " if lines else ""
        raise CourseError(f"{name} cannot be read: {place}{said}") from None
    if Path(app.coursedir.root).resolve() != Path.cwd().resolve():
        raise CourseError(f"c.CourseDirectory.root is {app.coursedir.root!r}: autograder works where the file lies")
    usual = {f"{step}_directory": step for step in ("source", "release", "submitted", "autograded", "feedback")}
    for setting, value in (usual | {"directory_structure": "{nbgrader_step}/{student_id}/{assignment_id}"}).items():
        if (given := getattr(app.coursedir, setting)) != value:
            raise CourseError(f"c.CourseDirectory.{setting} is {given!r}: autograder needs nbgrader's own, {value!r}")
    return app


def path_with_programs() -> str:
    """Return a PATH with the programs of this environment, activated or not: nbgrader calls alembic by name."""
    programs, path = str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)
    # Once: a program that runs many commands would make it longer each time.
    return path if path.split(os.pathsep)[0] == programs else os.pathsep.join([programs, path])


def run_nbgrader(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an nbgrader command in a course directory and return what it printed; it may have failed.

    Args:
        root: the course directory to work in.
        *arguments: subcommand and options, such as ``"autograde", "week03_linear_regression"``.
    """
    environment = {**os.environ, "PATH": path_with_programs(), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", _NBGRADER, *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, env=environment)
