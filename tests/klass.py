"""A small class for the tests of grading runs: hand in, run the command line, look at what came of it."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import nbformat
from conftest import ROOT, WEEK

DOUBLE = {"right": "def double(x):\n    return 2 * x", "wrong": "def double(x):\n    return x + 2"}
# Half a second each, so that there is something to interrupt.
CIRCLE = {
    "right": "import time\ntime.sleep(0.5)\n\ndef circle(r):\n    return math.pi * r**2",
    "wrong": "def circle(r):\n    return 2 * r",
    "slow": "import time\ntime.sleep(4)\n\ndef circle(r):\n    return math.pi * r**2",
}
LEARNERS = {
    "ada": ("right", "right"),
    "blaise": ("wrong", "right"),
    "carl": ("right", "wrong"),
    "emmy": ("wrong", "wrong"),
    "fei": ("right", "right"),
    "hedy": ("wrong", "right"),
}
POINTS = {"double_test": 40, "circle_test": 50}


def expected(learners):
    """The marks that these answers earn, by learner and test."""
    return {
        name: {"double_test": 40 * (double == "right"), "circle_test": 50 * (circle != "wrong")}
        for name, (double, circle) in learners.items()
    }


class Class:
    """A course with submissions, whose graders keep their temporary files apart and can be recognised."""

    def __init__(self, course: Path) -> None:
        self.course, self.mark = course, uuid.uuid4().hex
        with (course / "pyproject.toml").open("a", encoding="utf-8") as file:
            # Nothing to import: these runs shall start fast.
            file.write("\n[tool.autograder.warm]\ndefault = []\n")
        # Short: the path of a socket may have 107 characters.
        self.temporary = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
        # LC_ is what a kernel inherits of its grader's environment.
        self.environment = {**os.environ, "LC_TEST": self.mark, "TMPDIR": str(self.temporary), "OMP_NUM_THREADS": "1"}

    def hand_in(self, student, double, circle, extra=None):
        notebook = nbformat.read(self.course / "release" / WEEK / "tiny.ipynb", as_version=4)
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = {"double": DOUBLE[double], "circle": CIRCLE[circle]}.get(grade_id, cell.source)
        folder = self.course / "submitted" / student / WEEK
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, folder / "tiny.ipynb")
        (folder / "notes.txt").write_text(extra or student, "utf-8")

    def command(self, *arguments):
        return [sys.executable, str(ROOT / "tests" / "grader.py"), "--root", str(self.course), "grade", *arguments]

    def start(self, *arguments, **environment):
        """Start a grader in a process group of its own."""
        return subprocess.Popen(
            self.command(WEEK, "--jobs=2", *arguments),
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def started(self, *arguments, **environment):
        """Start a grader and return when it is about to grade."""
        grader = self.start(*arguments, **environment)
        line = grader.stdout.readline()
        assert "to grade" in line, line + grader.stderr.read()
        return grader

    def run(self, *arguments, **environment):
        grader = self.start(*arguments, **environment)
        out, err = grader.communicate(timeout=120)
        return subprocess.CompletedProcess(grader.args, grader.returncode, out, err)

    def processes(self):
        """The process ids of everything that a grader of this class has started, and of graders."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def children(self, pid):
        """The children of a process, whichever of its threads started them."""
        try:
            lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
        except OSError:
            return []
        return [int(child) for text in lists for child in text.split()]

    def warm(self, grader, timeout=30):
        """Wait for the grader's warm process, and return its id."""
        return self.wait_for(lambda: self.children(grader.pid), timeout)[0]

    def wait_for(self, condition, timeout=30):
        end = time.monotonic() + timeout
        while not (found := condition()):
            assert time.monotonic() < end, "what was waited for did not come"
            time.sleep(0.02)
        return found

    def ended(self):
        """Wait until nothing runs any more."""
        self.wait_for(lambda: not self.processes(), 20)

    def marks(self):
        with sqlite3.connect(self.course / "gradebook.db") as database:
            rows = database.execute(
                "select s.student_id, b.name, g.auto_score from grade g join submitted_notebook n on g.notebook_id ="
                " n.id join submitted_assignment s on n.assignment_id = s.id join base_cell b on g.cell_id = b.id"
            ).fetchall()
        marks = {}
        for student, name, score in rows:
            if name in POINTS:
                # Each once: a submission that was entered twice would show here.
                assert name not in marks.setdefault(student, {})
                marks[student][name] = score
        return marks

    def records(self):
        """The run records, the newest first."""
        paths = sorted((self.course / ".autograder").glob("*.json"), key=lambda p: p.stat().st_mtime_ns, reverse=True)
        return [json.loads(path.read_text()) for path in paths]

    def sound(self):
        """The gradebook is whole, and in autograded/ stands nothing half-written."""
        with sqlite3.connect(self.course / "gradebook.db") as database:
            assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
        for folder in (self.course / "autograded").glob(f"*/{WEEK}"):
            notebook = nbformat.read(folder / "tiny.ipynb", as_version=4)
            assert notebook.metadata.autograder.fingerprint and (folder / "notes.txt").read_bytes()

    def finish(self, learners=LEARNERS):
        """Grade what is left over, then check that all is as if nothing had happened."""
        self.sound()
        run = self.run()
        assert run.returncode == 0, run.stdout + run.stderr
        self.complete(learners)
        return run

    def complete(self, learners=LEARNERS):
        self.sound()
        assert self.marks() == expected(learners)
        graded = {folder.parent.name for folder in (self.course / "autograded").glob("*/*") if folder.name == WEEK}
        assert graded == set(learners)
        assert {path.name for path in (self.course / "autograded").glob("*/*")} == {WEEK}
        self.ended()
        left = [str(path) for path in self.temporary.rglob("*")]
        assert not left, left
        again = self.run()
        assert again.returncode == 0 and f"{len(learners)} submissions, 0 to grade" in again.stdout

    def close(self):
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        shutil.rmtree(self.temporary, ignore_errors=True)
