"""One submission: read it from its folder, restore and run it, and put the graded folder in place."""

import fnmatch
import hashlib
import json
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.engine.execute import Execution, Settings, execute
from autograder.engine.folder import read_folder
from autograder.engine.plan import Plan
from autograder.engine.restore import restore
from autograder.engine.sandbox import SandboxError
from autograder.engine.scratch import scratch
from autograder.engine.warm import WarmProcess
from autograder.outputs import LimitOutputSize, make_writable

# Larger than any honest notebook with figures; reading one takes several times its size in memory.
LARGEST_NOTEBOOK = 50_000_000
# So often is a submission run when the warm process dies under it.
ATTEMPTS = 3


@dataclass(frozen=True)
class Master:
    """One notebook of an assignment: the instructor's version and what follows from it."""

    name: str
    source: NotebookNode
    checksums: dict[str, str]
    plan: Plan


@dataclass(frozen=True)
class Assignment:
    """What every submission of a run is graded with. It travels to other machines: no paths of this one."""

    name: str
    masters: tuple[Master, ...]
    settings: Settings
    warm: tuple[str, ...] = ()
    sandboxed: bool = True
    # Files beside the instructor's notebooks, data for example; they take the place of a learner's copies.
    files: dict[str, bytes] = field(default_factory=dict)

    def digest(self) -> bytes:
        """Return a digest of the instructor's notebooks and files: when these change, everybody is graded again."""
        digest = hashlib.sha256()
        for master in self.masters:
            digest.update(nbformat.writes(master.source).encode())
        for name, content in sorted(self.files.items()):
            digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
        return digest.digest()


@dataclass(frozen=True)
class Submission:
    """What one learner handed in, as it was at one moment: the folder may change while it is graded."""

    student: str
    fingerprint: str
    files: dict[str, bytes]
    # What of it was left out.
    remarks: tuple[str, ...] = ()


@dataclass
class Graded:
    """What became of one submission, before it is in the gradebook."""

    student: str
    fingerprint: str
    executions: dict[str, Execution] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def needs_human(self) -> list[str]:
        """Why the marks must not be believed, over all notebooks."""
        return [reason for execution in self.executions.values() for reason in execution.needs_human]

    @property
    def remarks(self) -> list[str]:
        """What the instructor should know."""
        return self.notes + [remark for execution in self.executions.values() for remark in execution.remarks]


class WarmKeeper:
    """Keeps one warm process for the threads of this program: starts it when first asked, and again if it died."""

    def __init__(self, start: Callable[[], WarmProcess] = WarmProcess) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._processes: list[WarmProcess] = []
        self._starts = 0
        self._closed = False

    def get(self) -> WarmProcess:
        """Return the living process."""
        with self._lock:
            if self._closed:
                raise SandboxError("the run is being stopped")
            if not self._processes or not self._processes[-1].alive:
                # A dead one is closed at the end only: its kernels may still live, and be at work.
                self._processes.append(self._start_patiently())
            return self._processes[-1]

    def _start_patiently(self) -> WarmProcess:
        """Start it, again if it is killed before it is ready."""
        for _ in range(ATTEMPTS):
            self._starts += 1
            try:
                return self._start()
            except SandboxError as error:
                reason = error
        raise reason

    @property
    def restarts(self) -> int:
        """How often it had to be started again."""
        return max(0, self._starts - 1)

    def close(self) -> None:
        """End it and every kernel, for good."""
        with self._lock:
            self._closed = True
            for process in self._processes:
                process.close()


def read_submission(student: str, folder: Path, digest: bytes) -> Submission:
    """Read all ordinary files of a folder; links, devices and what exceeds the bounds are left out.

    Args:
        student: whose it is.
        folder: what was handed in.
        digest: the assignment's.

    Raises:
        OSError: a file or folder cannot be read, or the folder is a link, which may lead to another's work.
    """
    if folder.is_symlink():
        raise OSError(f"{folder} is a link, which is not followed")
    files, remarks = read_folder(folder)
    return Submission(student, _fingerprint(digest, files), files, tuple(remarks))


def fingerprint(folder: Path, digest: bytes) -> str:
    """Return what `read_submission` would say is the folder's fingerprint."""
    return read_submission("", folder, digest).fingerprint


def _fingerprint(digest: bytes, files: dict[str, bytes]) -> str:
    whole = hashlib.sha256(digest)
    for name, content in sorted(files.items()):
        whole.update(name.encode(errors="surrogateescape") + b"\0" + hashlib.sha256(content).digest())
    return whole.hexdigest()


def run_submission(submission: Submission, assignment: Assignment, warm: WarmKeeper) -> Graded:
    """Restore and run every notebook of one submission.

    It must hold each notebook of the assignment as a valid file (see autograder.intake). If the warm
    process or a new kernel dies meanwhile, the submission is run again from the start.

    Raises:
        SandboxError: no kernel could be started.
        OSError: its files cannot be copied, say.
    """
    for attempt in range(1, ATTEMPTS + 1):
        process = warm.get()
        try:
            graded = _run_once(submission, assignment, process)
        except (SandboxError, OSError) as error:
            died = _has_died(process)
            if attempt < ATTEMPTS and (died or isinstance(error, SandboxError)):
                continue
            if died:
                raise RuntimeError(f"the warm process ended {ATTEMPTS} times while this was graded") from None
            raise
        if attempt > 1:
            graded.notes.append("graded again, because the process it ran in was killed")
        return graded
    raise AssertionError("not reached")


def _run_once(submission: Submission, assignment: Assignment, process: WarmProcess) -> Graded:
    graded = Graded(submission.student, submission.fingerprint)
    with tempfile.TemporaryDirectory(dir=scratch(), prefix="work-", ignore_cleanup_errors=True) as temporary:
        work = Path(temporary)
        write_files(_placed(submission.files, assignment.files), work, ignore=["*.ipynb", "timestamp.txt"])
        for master in assignment.masters:
            content = submission.files.get(f"{master.name}.ipynb")
            if content is None:
                raise FileNotFoundError(f"{master.name}.ipynb is missing, or is not an ordinary file")
            # Whether it is valid the intake has looked.
            notebook = nbformat.convert(nbformat.reader.reads(content.decode("utf-8")), 4)
            make_writable(notebook)
            graded.notes += restore(notebook, master.source, master.checksums)
            used = work if any(work.iterdir()) else None
            execution = execute(notebook, master.plan, process, assignment.settings, used)
            LimitOutputSize().preprocess(notebook, {})
            make_writable(notebook)
            notebook.metadata["autograder"] = {
                "fingerprint": graded.fingerprint,
                "needs_human": execution.needs_human,
                "remarks": execution.remarks,
            }
            graded.executions[master.name] = execution
    return graded


def _has_died(process: WarmProcess) -> bool:
    """Whether the process is gone. Its sockets close a moment before that can be seen."""
    for _ in range(20):
        if not process.alive:
            return True
        time.sleep(0.05)
    return False


# The graded folder. A new one is made beside the old one under a name of its own, then the gradebook is
# written, then it takes the old one's place. While that name exists, folder and gradebook may differ,
# so the next run grades such a submission again, whatever the fingerprints say.


def _placed(theirs: dict[str, bytes], masters: dict[str, bytes]) -> dict[str, bytes]:
    """Return a learner's files with the instructor's in their places, also where one has a folder and one a file."""
    folders = {parent.as_posix() for name in masters for parent in Path(name).parents}
    kept = {
        name: content
        for name, content in theirs.items()
        if name not in folders and not any(parent.as_posix() in masters for parent in Path(name).parents)
    }
    return kept | masters


def prepare_folder(
    graded: Graded, submission: Submission, files: dict[str, bytes], target: Path, ignore: list[str]
) -> Path:
    """Make the graded folder beside its place, as nbgrader lays it out, and return it.

    Args:
        graded: the outcome.
        submission: what was handed in; its other files are copied.
        files: the instructor's, which take the place of the learner's.
        target: the folder's place in autograded/.
        ignore: nbgrader's patterns of files to leave out.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    made = _new_leftover(target)
    try:
        write_files(_placed(submission.files, files), made, ignore=["*.ipynb", *ignore])
        for name, execution in graded.executions.items():
            # nbformat would look once more whether it is valid, and cut each text into lines, which takes five times
            # as long.
            text = json.dumps(execution.notebook, ensure_ascii=False, indent=1, sort_keys=True)
            (made / f"{name}.ipynb").write_text(text + "\n", "utf-8")
        for path in made.rglob("*"):
            # Read-only, as nbgrader leaves them: a graded notebook is not for editing.
            path.chmod(0o755 if path.is_dir() else 0o444)
        made.chmod(0o755)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return made


def put_folder(made: Path, target: Path) -> None:
    """Put a prepared folder in place, and remove the old one and what killed runs left beside it."""
    if target.exists():
        os.rename(target, _new_leftover(target) / "old")
    os.rename(made, target)
    for leftover in leftovers(target):
        shutil.rmtree(leftover, ignore_errors=True)


def leftovers(target: Path) -> list[Path]:
    """Return the folders beside a graded folder's place that a run has not finished with."""
    # Exactly what mkdtemp makes: the folder is shared by all assignments.
    pattern = re.compile(re.escape(_prefix(target)) + "[a-z0-9_]{8}")
    try:
        return [Path(entry) for entry in os.scandir(target.parent) if pattern.fullmatch(entry.name)]
    except FileNotFoundError:
        return []


def _new_leftover(target: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=target.parent, prefix=_prefix(target)))


def _prefix(target: Path) -> str:
    return f".grading-{target.name}-"


def recorded_fingerprint(target: Path, names: list[str]) -> str | None:
    """Return the fingerprint under which a folder in autograded/ was graded, or None."""
    found = set()
    for name in names:
        try:
            notebook = json.loads((target / f"{name}.ipynb").read_text("utf-8"))
            found.add(notebook["metadata"]["autograder"]["fingerprint"])
        except Exception:  # missing, or graded by another program
            return None
    return found.pop() if len(found) == 1 else None


def write_files(files: dict[str, bytes], target: Path, ignore: list[str]) -> None:
    """Write files below `target`, except those with a part of their path among the patterns."""
    for name, content in files.items():
        place = Path(name)
        if any(fnmatch.fnmatch(part, pattern) for part in place.parts for pattern in ignore):
            continue
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        (target / place).write_bytes(content)
