"""`autograder grade`: grade what is new or changed in a class, in parallel, and say what was found."""

import json
import logging
import os
import sys
import time
import warnings
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from filelock import FileLock, Timeout
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps.baseapp import NbGrader
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.exc import SAWarning

from autograder.course import CourseError
from autograder.engine.execute import Settings
from autograder.engine.gradebook import submission_time, write_grades
from autograder.engine.plan import make_plan
from autograder.engine.sandbox import SandboxError
from autograder.engine.submission import (
    Graded,
    Master,
    fingerprint,
    recorded_fingerprint,
    run_submission,
    write_folder,
)
from autograder.engine.warm import WarmProcess
from autograder.intake import check_submissions
from autograder.table import print_table


@dataclass(frozen=True)
class Options:
    """What the instructor asked for."""

    assignment: str
    students: tuple[str, ...] = ()
    jobs: int = max(1, os.cpu_count() or 1)
    timeout: int | None = None
    memory_mb: int | None = None
    force: bool = False


class GradingRun:
    """One run over one assignment of the course at `root`."""

    def __init__(self, root: Path, options: Options) -> None:
        self.root, self.options = root, options
        os.chdir(root)
        self.app = NbGrader()
        # nbgrader talks at length about every step; what matters is in the table.
        self.app.log_level = logging.ERROR
        self.app.initialize([])
        self.coursedir = self.app.coursedir
        self.settings = _settings(self.app, options)
        self.late_plugin = AssignLatePenalties(parent=self.app).plugin_class(parent=self.app)
        self.rows: list[dict] = []

    def run(self) -> int:
        """Grade; return 0 if every submission was graded, 3 if some could not be."""
        # nbgrader builds its records in an order that SQLAlchemy comments on.
        warnings.filterwarnings("ignore", category=SAWarning)
        week = self.options.assignment
        lock = FileLock(self.root / f".grading-{week}.lock")
        try:
            with lock.acquire(timeout=0), Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
                return self._run(gradebook)
        except Timeout:
            raise CourseError(f"{week} is being graded by another run") from None

    def _run(self, gradebook: Gradebook) -> int:
        started = time.monotonic()
        week = self.options.assignment
        masters = self._masters(gradebook)
        findings: dict[str, list[str]] = {}
        for finding in check_submissions(self.root, week):
            findings.setdefault(finding.student_id, []).append(finding.text)
        folders = self._folders()
        pending = {
            student: folder for student, folder in folders.items() if self._is_new(student, folder, masters, gradebook)
        }
        print(f"{week}: {len(folders)} submissions, {len(pending)} to grade", flush=True)
        try:
            if pending:
                self._grade(pending, masters, gradebook, findings)
        finally:
            record = self._record(started, len(folders))
        failed = [row for row in self.rows if row["error"]]
        if self.rows:
            self._print(masters)
        print(f"run record: {record.relative_to(self.root)}")
        return 3 if failed else 0

    def _masters(self, gradebook: Gradebook) -> list[Master]:
        week = self.options.assignment
        try:
            notebooks = gradebook.find_assignment(week).notebooks
        except MissingEntry:
            raise CourseError(
                f"{week} is not in the gradebook: run `nbgrader generate_assignment {week}` first"
            ) from None
        masters = []
        for entry in sorted(notebooks, key=lambda n: n.name):
            path = Path(self.coursedir.format_path(self.coursedir.source_directory, ".", week)) / f"{entry.name}.ipynb"
            if not path.is_file():
                raise CourseError(f"{path} is missing, but the gradebook knows it as part of {week}")
            source = nbformat.read(path, as_version=4)
            stored = {cell.name: cell for cell in entry.source_cells}
            _as_released(source, stored)
            masters.append(Master(entry.name, source, {n: c.checksum for n, c in stored.items()}, make_plan(source)))
        return masters

    def _folders(self) -> dict[str, Path]:
        pattern = self.coursedir.format_path(self.coursedir.submitted_directory, "*", self.options.assignment)
        found = {path.parent.name: path for path in sorted(Path("/").glob(pattern.lstrip("/"))) if path.is_dir()}
        unknown = [student for student in self.options.students if student not in found]
        if unknown:
            raise CourseError(f"no submission of {', '.join(unknown)} for {self.options.assignment}")
        chosen = self.options.students or found
        return {student: found[student] for student in chosen}

    def _target(self, student: str) -> Path:
        return Path(self.coursedir.format_path(self.coursedir.autograded_directory, student, self.options.assignment))

    def _is_new(self, student: str, folder: Path, masters: list[Master], gradebook: Gradebook) -> bool:
        if self.options.force:
            return True
        try:
            gradebook.find_submission(self.options.assignment, student)
        except MissingEntry:
            return True
        return recorded_fingerprint(self._target(student), masters) != fingerprint(folder, masters)

    def _grade(
        self, pending: dict[str, Path], masters: list[Master], gradebook: Gradebook, findings: dict[str, list[str]]
    ) -> None:
        warm = WarmProcess()
        pool = ThreadPoolExecutor(self.options.jobs)
        try:
            futures: dict[Future[Graded], str] = {
                pool.submit(run_submission, folder, student, masters, warm, self.settings): student
                for student, folder in pending.items()
            }
            waiting = set(futures)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    self._finish(futures[future], future, pending, gradebook, findings)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            # Ends every sandbox, so that no thread waits for one.
            warm.close()
            pool.shutdown(wait=True, cancel_futures=True)

    def _finish(
        self,
        student: str,
        future: Future[Graded],
        pending: dict[str, Path],
        gradebook: Gradebook,
        findings: dict[str, list[str]],
    ) -> None:
        """Store one submission: first the gradebook, then the folder whose fingerprint says that it is done."""
        row = {"student": student, "error": None, "needs_human": [], "remarks": findings.get(student, [])}
        self.rows.append(row)
        try:
            graded = future.result()
            folder = pending[student]
            notebooks = {name: (e.notebook, e.needs_human) for name, e in graded.executions.items()}
            time_in = submission_time(self.coursedir, folder)
            row |= write_grades(gradebook, self.options.assignment, student, time_in, notebooks, self.late_plugin)
            write_folder(graded, folder, self._target(student), list(self.coursedir.ignore))
            row["needs_human"] = graded.needs_human
            row["remarks"] = row["remarks"] + graded.remarks
            row |= {
                "wall_s": round(sum(e.wall_s for e in graded.executions.values()), 3),
                "cpu_s": round(sum(e.cpu_s for e in graded.executions.values()), 3),
                "memory_mb": round(max(e.memory_mb for e in graded.executions.values())),
            }
        except SandboxError:
            raise
        except Exception as error:  # one submission's mishap must not stop the class
            row["error"] = f"{type(error).__name__}: {error}"[:500]
        if sys.stderr.isatty():
            print(f"\r{len(self.rows)}/{len(pending)} graded ", end="", file=sys.stderr, flush=True)

    def _record(self, started: float, submissions: int) -> Path:
        """Write what this run did, for machines."""
        folder = self.root / ".autograder"
        folder.mkdir(exist_ok=True)
        now = datetime.now(UTC)
        record = {
            "assignment": self.options.assignment,
            "finished": now.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - started, 3),
            "jobs": self.options.jobs,
            "sandbox": "namespaces",
            "submissions": submissions,
            "graded": sorted(self.rows, key=lambda row: row["student"]),
        }
        path = folder / f"{self.options.assignment}-{now:%Y%m%dT%H%M%S}-{os.getpid()}.json"
        path.write_text(json.dumps(record, indent=1), "utf-8")
        return path

    def _print(self, masters: list[Master]) -> None:
        tests = [name for master in masters for name in master.plan.tests]
        if sys.stderr.isatty():
            print(file=sys.stderr)
        table = [["learner", "marks", *(f"E{i + 1}" for i in range(len(tests))), "to know"]]
        for row in sorted(self.rows, key=lambda row: row["student"]):
            if row["error"]:
                table.append([row["student"], "-", *("-" for _ in tests), f"not graded: {row['error']}"])
                continue
            notes = [f"NEEDS A HUMAN: {'; '.join(row['needs_human'])}"] if row["needs_human"] else []
            notes += [f"{row['seconds_late'] / 3600:g} h late"] if row["seconds_late"] else []
            total = f"{row['score']:g}" + (f" +{row['waiting']}" if row["waiting"] else "")
            marks = [f"{row['marks'][name]:g}" for name in tests]
            table.append([row["student"], total, *marks, "; ".join(notes + row["remarks"])])
        print_table(table)
        print("(+n: so many answers wait for a human grader)")
        for number, name in enumerate(tests, 1):
            print(f"  E{number}  {name.removesuffix('_test')}")


def _as_released(source: NotebookNode, stored: dict) -> None:
    """Put in the texts of the gradebook: what learners got, should the source have been edited since."""
    for cell in source.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in stored and not cell.metadata.nbgrader.get("solution"):
            cell.source = stored[grade_id].source


def _settings(app: NbGrader, options: Options) -> Settings:
    """Limits from the command line, else from nbgrader_config.py, else the defaults."""
    settings = Settings()
    configured = app.config.get("Execute", {}).get("timeout")
    timeout = options.timeout or configured
    if timeout:
        settings = replace(settings, cell_timeout=timeout, notebook_timeout=max(settings.notebook_timeout, 2 * timeout))
    if options.memory_mb:
        settings = replace(settings, limits=replace(settings.limits, memory_mb=options.memory_mb))
    return settings


def grade(root: Path, options: Options) -> int:
    """Run `autograder grade`; return its exit code.

    Raises:
        CourseError: the course or the machine does not allow it; the message says what to do.
    """
    try:
        return GradingRun(root, options).run()
    except SandboxError as error:
        raise CourseError(
            f"this machine cannot make the sandbox ({error}); `autograder doctor` says what is missing"
        ) from None
