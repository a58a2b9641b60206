"""One submission: read it from its folder, restore and run it, and write the graded folder."""

import fnmatch
import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.engine.execute import Execution, Settings, execute
from autograder.engine.plan import Plan
from autograder.engine.restore import restore
from autograder.engine.warm import WarmProcess
from autograder.outputs import LimitOutputSize

# Larger than any honest notebook with figures; reading one takes several times its size in memory.
LARGEST_NOTEBOOK = 50_000_000
LARGEST_FOLDER = 200_000_000


@dataclass(frozen=True)
class Master:
    """One notebook of an assignment: the instructor's version and what follows from it."""

    name: str
    source: NotebookNode
    checksums: dict[str, str]
    plan: Plan


@dataclass
class Graded:
    """What became of one submission, before it is in the gradebook."""

    student: str
    fingerprint: str
    executions: dict[str, Execution] = field(default_factory=dict)
    mended: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def needs_human(self) -> list[str]:
        """Why the marks must not be believed, over all notebooks."""
        return [reason for execution in self.executions.values() for reason in execution.needs_human]

    @property
    def remarks(self) -> list[str]:
        """What the instructor should know."""
        return self.mended + [remark for execution in self.executions.values() for remark in execution.remarks]


def fingerprint(folder: Path, masters: list[Master]) -> str:
    """Return a digest of what was handed in and of what it is graded with."""
    digest = hashlib.sha256()
    for master in masters:
        digest.update(nbformat.writes(master.source).encode())
    for path in _ordinary_files(folder):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def run_submission(folder: Path, student: str, masters: list[Master], warm: WarmProcess, settings: Settings) -> Graded:
    """Restore and run every notebook of one submission.

    The folder must hold each notebook of the assignment as a valid file (see autograder.intake).
    """
    graded = Graded(student, fingerprint(folder, masters))
    with tempfile.TemporaryDirectory(prefix="ag-work-") as temporary:
        work = Path(temporary)
        copy_files(folder, work, ignore=["*.ipynb", "timestamp.txt"])
        for master in masters:
            notebook = nbformat.read(folder / f"{master.name}.ipynb", as_version=4)
            graded.mended += restore(notebook, master.source, master.checksums)
            execution = execute(notebook, master.plan, warm, settings, work if any(work.iterdir()) else None)
            LimitOutputSize().preprocess(notebook, {})
            notebook.metadata["autograder"] = {
                "fingerprint": graded.fingerprint,
                "needs_human": execution.needs_human,
                "remarks": execution.remarks,
            }
            graded.executions[master.name] = execution
    return graded


def write_folder(graded: Graded, submitted: Path, target: Path, ignore: list[str]) -> None:
    """Put the graded folder in place in one step, as nbgrader lays it out.

    Args:
        graded: the outcome.
        submitted: the learner's folder; its other files are copied.
        target: the folder in autograded/.
        ignore: nbgrader's patterns of files to leave out.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=target.parent, prefix=".grading-"))
    try:
        copy_files(submitted, made, ignore=["*.ipynb", *ignore])
        for name, execution in graded.executions.items():
            nbformat.write(execution.notebook, made / f"{name}.ipynb")
        for path in made.rglob("*"):
            # Read-only, as nbgrader leaves them: a graded notebook is not for editing.
            path.chmod(0o755 if path.is_dir() else 0o444)
        made.chmod(0o755)
        if target.exists():
            old = Path(tempfile.mkdtemp(dir=target.parent, prefix=".grading-"))
            os.rename(target, old / "old")
            os.rename(made, target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(made, target)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def recorded_fingerprint(target: Path, masters: list[Master]) -> str | None:
    """Return the fingerprint under which a folder in autograded/ was graded, or None."""
    found = set()
    for master in masters:
        try:
            notebook = nbformat.read(target / f"{master.name}.ipynb", as_version=4)
            found.add(notebook.metadata.get("autograder", {}).get("fingerprint"))
        except Exception:  # missing, or of a run that broke off
            return None
    return found.pop() if len(found) == 1 else None


def copy_files(source: Path, target: Path, ignore: list[str]) -> None:
    """Copy ordinary files; links, devices and whatever exceeds the size limit are left out."""
    for path in _ordinary_files(source):
        place = path.relative_to(source)
        if any(fnmatch.fnmatch(part, pattern) for part in place.parts for pattern in ignore):
            continue
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / place)


def _ordinary_files(folder: Path) -> list[Path]:
    found, left = [], LARGEST_FOLDER
    for place, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_size <= left:
                left -= status.st_size
                found.append(path)
    return found
