"""`autograder grade`: grade what is new or changed in a class, in parallel, and say what was found.

A run gathers its work, sends it through an executor (threads here, or a Dask cluster), and has one
writer, in this thread. It can be killed at any moment: the next one goes on where it was.
"""

import contextlib
import difflib
import errno
import fnmatch
import logging
import os
import shutil
import stat
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import nbformat
from filelock import FileLock, Timeout
from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.apps.baseapp import NbGrader
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import find_all_files
from sqlalchemy.exc import OperationalError, SAWarning, SQLAlchemyError

from autograder.course import CourseError, load_config
from autograder.engine.execute import Settings
from autograder.engine.gradebook import GradebookBusy, patiently, submission_time, trouble, write_grades
from autograder.engine.ledger import Ledger
from autograder.engine.plan import as_released, make_plan
from autograder.engine.released import check_as_released
from autograder.engine.report import Row, print_class, show_progress, write_record
from autograder.engine.sandbox import SandboxError
from autograder.engine.scratch import sweep
from autograder.engine.stop import Stop
from autograder.engine.submission import (
    Assignment,
    Graded,
    Master,
    Submission,
    WarmKeeper,
    fingerprint,
    leftovers,
    prepare_folder,
    put_folder,
    read_submission,
    run_submission,
)
from autograder.engine.warm import WarmProcess, start_warm, warm_set
from autograder.intake import check_submissions, not_handed_in

# What comes in while a run is under way is graded in further rounds of it, so many in all.
_ROUNDS = 3
_READ_AHEAD = 16
_NOT_YET = "not graded yet"
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


@dataclass(frozen=True)
class Options:
    """What the instructor asked for."""

    assignment: str
    students: tuple[str, ...] = ()
    jobs: int = max(1, os.cpu_count() or 1)
    timeout: int | None = None
    memory_mb: int | None = None
    force: bool = False
    scheduler: str | None = None
    sandbox: bool = True


def grade(root: Path, options: Options) -> int:
    """Run `autograder grade`; return 0 if every submission was graded, 3 if some could not be.

    Raises:
        CourseError: the course or the machine does not allow it, or stopped allowing it; the message
            says what to do. What was graded until then is kept.
        KeyboardInterrupt: the run was stopped by a signal.
    """
    for name in ("jobs", "timeout", "memory_mb"):
        if (value := getattr(options, name)) is not None and value < 1:
            raise CourseError(f"--{name.removesuffix('_mb')} must be at least 1, not {value}")
    # nbgrader builds its records in an order that SQLAlchemy comments on.
    warnings.filterwarnings("ignore", category=SAWarning)
    # nbgrader logs each trouble of the gradebook with a stack trace; here it is said in a line.
    logging.getLogger("tornado.application").setLevel(logging.CRITICAL)
    with Stop() as stop, contextlib.chdir(root):
        course = Course(root)
        course.check_known(options.assignment)
        try:
            with (
                FileLock(root / f".grading-{options.assignment}.lock").acquire(timeout=0),
                patiently(lambda: Gradebook(course.coursedir.db_url, course.coursedir.course_id)) as gradebook,
            ):
                return GradingRun(course, gradebook, options, stop).run()
        except Timeout:
            raise CourseError(f"{options.assignment} is being graded by another run") from None
        except SandboxError as error:
            raise CourseError(
                f"no sandbox could be made ({error}); `autograder doctor` says what is missing and how to get it; "
                "--no-sandbox grades without, with your rights"
            ) from None
        except (GradebookBusy, SQLAlchemyError) as error:
            raise CourseError(f"the gradebook cannot be used: {trouble(error)}; what was graded is kept") from None


class Course:
    """An nbgrader course, as its configuration describes it. Must be made in its root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.app = load_config()
        self.coursedir = self.app.coursedir
        self.late_plugin = AssignLatePenalties(parent=self.app).plugin_class(parent=self.app)

    def check_known(self, assignment: str) -> None:
        """Raise CourseError for an assignment that has no source, with the nearest name that has one."""
        known = [name for name, path in self._matching("source", ".", None) if any(path.glob("*.ipynb"))]
        if assignment not in known:
            raise CourseError(f"no assignment {assignment!r} in source/{_nearest(assignment, known)}")

    def submissions(self, assignment: str) -> dict[str, Path]:
        """Return the submitted folders by learner, in order."""
        return dict(sorted(self._matching("submitted", None, assignment)))

    def submitted(self, student: str, assignment: str) -> Path:
        """Return the place of a submission."""
        return Path(self.coursedir.format_path(self.coursedir.submitted_directory, student, assignment))

    def graded(self, student: str, assignment: str) -> Path:
        """Return the place of a graded folder."""
        return Path(self.coursedir.format_path(self.coursedir.autograded_directory, student, assignment))

    def all_graded(self, assignment: str) -> Iterator[tuple[str, Path]]:
        """Yield learners who have a folder in autograded/, and the place of this assignment in it."""
        return self._matching("autograded", None, assignment, exist=False)

    def _matching(
        self, step: str, student: str | None, assignment: str | None, exist: bool = True
    ) -> Iterator[tuple[str, Path]]:
        """Yield what stands in the place of the one part of a path that is None, with the path."""
        mark = "\0"
        directory = getattr(self.coursedir, f"{step}_directory")
        before, _, after = self.coursedir.format_path(directory, student or mark, assignment or mark).partition(mark)
        parent, prefix = os.path.split(before)
        suffix, slash, rest = after.partition("/")
        if not os.path.isdir(parent):
            return
        for entry in os.scandir(parent):
            name = entry.name[len(prefix) : len(entry.name) - len(suffix)]
            if entry.name != prefix + name + suffix or not name or not _is_folder(entry.path):
                continue
            path = Path(entry.path + slash + rest)
            ignored = any(fnmatch.fnmatch(name, pattern) for pattern in self.coursedir.ignore)
            if not ignored and (not exist or _is_folder(path)):
                yield name, path


def _is_folder(path: str | Path) -> bool:
    """Whether there is a folder; one behind a closed folder may be, and whoever reads it will say so."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except PermissionError:
        return True
    except OSError:
        # Nothing, or links in a circle.
        return False


class Executor(Protocol):
    """Where submissions are run."""

    slots: int

    def submit(self, submission: Submission) -> "Future[Graded]":
        """Begin to run one submission."""

    def check(self) -> None:
        """Raise CourseError if nothing more can come from here. Called every second."""

    def describe(self) -> dict:
        """Return what the run record should say about it."""

    def close(self) -> None:
        """Stop everything that still runs."""


class LocalExecutor:
    """Threads of this program, each with a kernel forked from one warm process."""

    def __init__(self, assignment: Assignment, jobs: int, start: Callable[[], WarmProcess] = WarmProcess) -> None:
        self.assignment, self.jobs = assignment, jobs
        # One more than can run, so that no thread waits for the writer.
        self.slots = jobs + 1
        self.warm = WarmKeeper(start)
        self.pool = ThreadPoolExecutor(jobs)

    def submit(self, submission: Submission) -> "Future[Graded]":
        """Begin to run one submission."""
        return self.pool.submit(run_submission, submission, self.assignment, self.warm)

    def check(self) -> None:
        """Threads do not get lost."""

    def describe(self) -> dict:
        """Return what the run record should say about it."""
        return {"jobs": self.jobs, "warm_restarts": self.warm.restarts}

    def close(self) -> None:
        """End every sandbox, so that no thread waits for one."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.warm.close()
        self.pool.shutdown(wait=True)


class GradingRun:
    """One run over one assignment."""

    def __init__(self, course: Course, gradebook: Gradebook, options: Options, stop: Stop) -> None:
        self.course, self.gradebook, self.options, self.stop = course, gradebook, options, stop
        self.assignment = patiently(lambda: _assignment(course, gradebook, options))
        self.digest = self.assignment.digest()
        self.records = course.root / ".autograder"
        # In a folder of its own: beside it lie the run records.
        names = [master.name for master in self.assignment.masters]
        self.ledger = Ledger(self.records / "ledger" / f"{self.assignment.name}.json", names)
        self.rows: dict[str, Row] = {}
        self.expected = 0

    def run(self) -> int:
        """Grade; return the exit code."""
        started = time.monotonic()
        sweep()
        folders = self._folders()
        self._remove_orphans(folders)
        pending = self._pending(folders, force=self.options.force)
        name = self.assignment.name
        print(f"{name}: {len(folders)} submissions, {len(pending)} to grade", flush=True)
        described: dict = {}
        try:
            if pending:
                executor = self._executor()
                try:
                    self._rounds(pending, executor)
                finally:
                    described = executor.describe()
                    executor.close()
        finally:
            kept = sum(row.error is None for row in self.rows.values())
            if self.expected and sys.exc_info()[0] is not None:
                print(f"{name}: {kept} of {self.expected} graded and kept", flush=True)
            record = self._write_down(started, len(folders), described)
        if self.rows:
            print_class(list(self.rows.values()), [(m.name, t) for m in self.assignment.masters for t in m.plan.tests])
        if record is not None:
            print(f"run record: {record.relative_to(self.course.root)}")
        return 3 if any(row.error for row in self.rows.values()) else 0

    def _executor(self) -> Executor:
        if self.options.scheduler is None:
            start = partial(start_warm, self.course.root, self.assignment.name, sandboxed=self.options.sandbox)
            return LocalExecutor(self.assignment, self.options.jobs, start)
        from autograder.engine.cluster import ClusterExecutor

        return ClusterExecutor(self.assignment, self.options.scheduler)

    def _rounds(self, pending: dict[str, Path], executor: Executor) -> None:
        """Grade what is pending, then what came in or changed meanwhile."""
        for _ in range(_ROUNDS):
            self.expected += len(pending.keys() - self.rows.keys())
            work_off(self._read(pending), executor, self._finish)
            failed = {student for student, row in self.rows.items() if row.error}
            now = self._folders(missing_ok=True)
            pending = self._pending({s: folder for s, folder in now.items() if s not in failed})
            if not pending:
                return
            print(f"{self.assignment.name}: {len(pending)} came in meanwhile", flush=True)

    # Gathering

    def _folders(self, missing_ok: bool = False) -> dict[str, Path]:
        found = self.course.submissions(self.assignment.name)
        unknown = [student for student in self.options.students if student not in found]
        if unknown and not missing_ok:
            nearest = _nearest(unknown[0], list(found))
            raise CourseError(f"no submission of {', '.join(map(repr, unknown))} for {self.assignment.name}{nearest}")
        return {s: folder for s, folder in found.items() if not self.options.students or s in self.options.students}

    def _pending(self, folders: dict[str, Path], force: bool = False) -> dict[str, Path]:
        """Return those of the folders that must be graded."""
        known = patiently(self._known)
        return {
            student: folder
            for student, folder in folders.items()
            if force or student not in known or self._is_new(student, folder)
        }

    def _known(self) -> set[str]:
        """Return the learners who have a submission in the gradebook."""
        entry = self.gradebook.find_assignment(self.assignment.name)
        query = self.gradebook.db.query(SubmittedAssignment.student_id)
        return {student for (student,) in query.filter(SubmittedAssignment.assignment_id == entry.id)}

    def _is_new(self, student: str, folder: Path) -> bool:
        target = self.course.graded(student, self.assignment.name)
        recorded = self.ledger.fingerprint(student, target)
        try:
            return recorded is None or bool(leftovers(target)) or recorded != fingerprint(folder, self.digest)
        except Exception:
            # Whatever it is, it will be said when the submission is read to be graded.
            return True

    def _remove_orphans(self, folders: dict[str, Path]) -> None:
        """Remove what a killed run left for learners who have no submission any more."""
        submitted = folders if not self.options.students else self.course.submissions(self.assignment.name)
        for student, target in self.course.all_graded(self.assignment.name):
            if student not in submitted:
                for leftover in leftovers(target):
                    shutil.rmtree(leftover, ignore_errors=True)

    def _read(self, pending: dict[str, Path]) -> Iterator[Submission]:
        """Mend and read submissions, as they are needed."""
        students = list(pending)
        for start in range(0, len(students), _READ_AHEAD):
            chunk = students[start : start + _READ_AHEAD]
            self.rows |= {student: Row(student, error=_NOT_YET) for student in chunk}
            for finding in check_submissions(self.course.root, self.assignment.name, chunk):
                self.rows[finding.student_id].remarks.append(finding.text)
            for student in chunk:
                try:
                    submission = read_submission(student, pending[student], self.digest)
                except Exception as error:  # one learner's folder must not stop the class
                    self._note_failure(student, error)
                    continue
                self.rows[student].remarks += submission.remarks
                yield submission

    # Writing

    def _finish(self, submission: Submission, future: "Future[Graded]") -> None:
        """Store one submission and note what became of it."""
        try:
            graded = future.result()
            with self.stop.postponed():
                marks = self._store(submission, graded)
                self.rows[submission.student].fill(marks, graded)
        except Exception as error:  # one submission's mishap must not stop the class
            self._note_failure(submission.student, error)
        show_progress(sum(row.error != _NOT_YET for row in self.rows.values()), self.expected)

    def _note_failure(self, student: str, error: Exception) -> None:
        self.rows[student].error = _sentence(error)
        _raise_if_general(error)

    def _store(self, submission: Submission, graded: Graded) -> dict:
        """Write the gradebook and the graded folder, so that a kill at any moment is made good by the next run."""
        name, student = self.assignment.name, submission.student
        target = self.course.graded(student, name)
        files, ignored = self.assignment.files, list(self.course.coursedir.ignore)
        made = prepare_folder(graded, submission, files, target, ignored)
        try:
            notebooks = {n: (e.notebook, e.needs_human) for n, e in graded.executions.items()}
            handed_in = self._handed_in(submission)
            absent = not_handed_in(self.course.root, self.course.submitted(student, name))
            marks = write_grades(self.gradebook, name, student, handed_in, notebooks, self.course.late_plugin, absent)
        except BaseException:
            # Nothing was written: the old folder, if there is one, still belongs to the gradebook.
            shutil.rmtree(made, ignore_errors=True)
            raise
        put_folder(made, target)
        self.ledger.note(student, target, graded.fingerprint)
        return marks

    def _handed_in(self, submission: Submission) -> datetime | None:
        """Return when a submission was handed in, or None if that is not known."""
        content = submission.files.get("timestamp.txt")
        try:
            if content is not None:
                return submission_time(content)
            unread = os.path.lexists(self.course.submitted(submission.student, self.assignment.name) / "timestamp.txt")
        except ValueError:
            unread = True
        if unread:
            self.rows[submission.student].remarks.append("timestamp.txt cannot be read")
        return None

    def _write_down(self, started: float, submissions: int, described: dict) -> Path | None:
        """Write ledger and run record. A full disk must not hide why a run ended."""
        record = {
            "assignment": self.assignment.name,
            "seconds": round(time.monotonic() - started, 3),
            "sandbox": "namespaces" if self.options.sandbox else "none",
            **described,
            "submissions": submissions,
            "graded": [row.as_dict() for _, row in sorted(self.rows.items())],
        }
        for student, row in self.rows.items():
            if row.error:
                # The record takes the place of earlier ones, so an older mark counts no more: grade it next time.
                self.ledger.note(student, self.course.graded(student, self.assignment.name), None)
        try:
            self.ledger.save()
            return write_record(self.records, self.assignment.name, record)
        except OSError as error:
            print(f"autograder: the run record could not be written: {error}", file=sys.stderr)
            return None


def work_off(submissions: Iterable[Submission], executor: Executor, finish) -> None:
    """Keep the executor busy, and call `finish(submission, future)` for each, one at a time."""
    left = iter(submissions)
    waiting: dict[Future[Graded], Submission] = {}
    while True:
        while len(waiting) < executor.slots and (submission := next(left, None)) is not None:
            waiting[executor.submit(submission)] = submission
        if not waiting:
            return
        done, _ = wait(waiting, timeout=1, return_when=FIRST_COMPLETED)
        for future in done:
            finish(waiting.pop(future), future)
        executor.check()


def _assignment(course: Course, gradebook: Gradebook, options: Options) -> Assignment:
    """Read the instructor's notebooks."""
    week, coursedir = options.assignment, course.coursedir
    try:
        notebooks = gradebook.find_assignment(week).notebooks
    except MissingEntry:
        raise CourseError(f"{week} is not in the gradebook: run `nbgrader generate_assignment {week}` first") from None
    masters = []
    for entry in sorted(notebooks, key=lambda n: n.name):
        path = Path(coursedir.format_path(coursedir.source_directory, ".", week)) / f"{entry.name}.ipynb"
        if not path.is_file():
            raise CourseError(f"{path} is missing, but the gradebook knows it as part of {week}")
        try:
            source = nbformat.read(path, as_version=4)
        except Exception as error:  # whatever a file may hold
            raise CourseError(f"{path} cannot be read: {_sentence(error)}") from None
        check_as_released(source, entry, path, week)
        stored = {cell.name: cell for cell in entry.source_cells}
        as_released(source, {name: cell.source for name, cell in stored.items()})
        masters.append(Master(entry.name, source, {n: c.checksum for n, c in stored.items()}, make_plan(source)))
    warm = tuple(warm_set(course.root, week))
    files = _support_files(course, week)
    return Assignment(week, tuple(masters), _settings(course.app, options), warm, options.sandbox, files)


def _support_files(course: Course, week: str) -> dict[str, bytes]:
    """Return the files beside the instructor's notebooks that nbgrader would put over a learner's."""
    coursedir = course.coursedir
    folder = Path(coursedir.format_path(coursedir.source_directory, ".", week))
    kept = course.app.config.get("Autograde", {}).get("exclude_overwriting", {}).get(week, [])
    found = {}
    for path in map(Path, find_all_files(str(folder), [*coursedir.ignore, "*.ipynb"])):
        if (name := path.relative_to(folder).as_posix()) not in kept:
            try:
                found[name] = path.read_bytes()
            except OSError as error:
                raise CourseError(f"{path} cannot be read: {_sentence(error)}") from None
    return found


def _settings(app: NbGrader, options: Options) -> Settings:
    """Limits from the command line, else from nbgrader_config.py, else the defaults."""
    rules = app.config.get("SandboxedExecute", {}).get("stock_rules", False)
    settings = Settings(stock_rules=bool(rules))
    configured = app.config.get("Execute", {}).get("timeout")
    if configured is not None and (not isinstance(configured, int) or isinstance(configured, bool) or configured < 0):
        raise CourseError(f"nbgrader_config.py: c.Execute.timeout must be a number of seconds, not {configured!r}")
    timeout = options.timeout or configured
    if timeout:
        settings = replace(settings, cell_timeout=timeout, notebook_timeout=max(settings.notebook_timeout, 2 * timeout))
    if options.memory_mb:
        settings = replace(settings, limits=replace(settings.limits, memory_mb=options.memory_mb))
    return settings


def _raise_if_general(error: Exception) -> None:
    """Raise what would happen to every other submission as well; return for a mishap of one."""
    if isinstance(error, (CourseError, SandboxError, GradebookBusy)):
        raise error
    full = isinstance(error, OSError) and error.errno in _NO_SPACE
    if full or (isinstance(error, OperationalError) and any(w in str(error.orig) for w in ("full", "disk I/O"))):
        said = error.orig if isinstance(error, OperationalError) else error
        raise CourseError(f"{said}; make room and run the same command again: what was graded is kept") from None
    if isinstance(error, OperationalError):
        raise error


def _sentence(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.4)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(sorted(known)[:20]) or 'none'}"
