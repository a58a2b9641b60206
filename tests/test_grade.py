"""`autograder grade`: what it grades, what it refuses and in which words, and its loop apart from everything else."""

import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import threading
from concurrent.futures import Future
from datetime import datetime

import nbformat
import pytest
from conftest import WEEK, nbgrader
from klass import LEARNERS, Class
from small_course import answer, graded_test, hand_in, make_course

from autograder.course import CourseError
from autograder.engine import grade, submission
from autograder.engine.folder import DEEPEST, LARGEST_FOLDER, MOST_ENTRIES
from autograder.engine.gradebook import submission_time
from autograder.engine.ledger import Ledger
from autograder.engine.scratch import scratch, sweep
from autograder.engine.stop import Stop
from autograder.engine.submission import Submission, leftovers, put_folder, read_submission

# The loop


class FakeExecutor:
    """Runs nothing; results come in the order and at the time that a test decides."""

    def __init__(self, slots):
        self.slots, self.running, self.most, self.submitted = slots, [], 0, []

    def submit(self, submission):
        future = Future()
        self.running.append((submission, future))
        self.submitted.append(submission)
        self.most = max(self.most, len(self.running))
        threading.Timer(0.001, self.answer).start()
        return future

    def answer(self):
        # The last first: the order of the results must not matter.
        submission, future = self.running.pop()
        if submission.student == "bad":
            future.set_exception(ValueError("no notebook"))
        else:
            future.set_result(submission.student.upper())

    def check(self):
        pass


def test_the_loop_hands_each_result_to_its_own_submission_and_reads_no_further_ahead_than_it_can_run():
    executor, read, found = FakeExecutor(3), [], {}

    def submissions():
        for name in [*(f"s{i}" for i in range(20)), "bad"]:
            read.append(name)
            assert len(read) - len(found) <= 3
            yield Submission(name, "", {})

    def finish(submission, future):
        found[submission.student] = future.exception() or future.result()

    grade.work_off(submissions(), executor, finish)
    assert isinstance(found.pop("bad"), ValueError)
    assert found == {f"s{i}": f"S{i}" for i in range(20)}
    assert 1 <= executor.most <= 3


def test_the_loop_stops_when_the_executor_is_lost():
    class Lost(FakeExecutor):
        def answer(self):
            pass

        def check(self):
            raise CourseError("gone")

    with pytest.raises(CourseError, match="gone"):
        grade.work_off([Submission("ada", "", {})], Lost(2), lambda *_: None)


# Pieces


@pytest.fixture
def as_in_a_terminal():
    """A background job of a shell ignores Ctrl-C, and so would the grader."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("as_in_a_terminal")
def test_a_signal_waits_for_the_end_of_a_step_and_a_second_one_does_not():
    done = []
    with pytest.raises(KeyboardInterrupt), Stop() as stop, stop.postponed():
        os.kill(os.getpid(), signal.SIGTERM)
        done.append("step")
    assert done == ["step"]
    with pytest.raises(KeyboardInterrupt), Stop() as stop, stop.postponed():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        done.append("never")
    assert done == ["step"]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_what_lies_in_a_folder_is_what_counts(tmp_path):
    folder = tmp_path / "ada"
    (folder / "data").mkdir(parents=True)
    (folder / "tiny.ipynb").write_text("{}")
    (folder / "data" / "x.csv").write_bytes(b"1")
    outside = tmp_path / "secret"
    outside.write_text("secret")
    (folder / "link").symlink_to(outside)
    os.mkfifo(folder / "pipe")
    (tmp_path / "eve").symlink_to("ada")
    with pytest.raises(OSError, match="eve is a link, which is not followed"):
        read_submission("eve", tmp_path / "eve", b"1")
    first = read_submission("ada", folder, b"1")
    assert first.files == {"tiny.ipynb": b"{}", "data/x.csv": b"1"}
    assert read_submission("ada", folder, b"1").fingerprint == first.fingerprint
    assert read_submission("ada", folder, b"2").fingerprint != first.fingerprint
    (folder / "data" / "x.csv").rename(folder / "data" / "y.csv")
    assert read_submission("ada", folder, b"1").fingerprint != first.fingerprint


def test_a_folder_is_read_within_bounds(tmp_path):
    """Also one that is deeper than Python's own functions can go."""
    deep = tmp_path
    for _ in range(DEEPEST + 1):
        deep = deep / "d"
        deep.mkdir()
    (deep.parent / "deep.txt").touch()
    (deep / "deeper.txt").touch()
    read = read_submission("ada", tmp_path, b"")
    assert [name.rpartition("/")[2] for name in read.files] == ["deep.txt"]
    assert read.remarks == ("what lies more than 50 folders deep was left out",)
    for number in range(MOST_ENTRIES + 1):
        (tmp_path / f"{number:05}").touch()
    (tmp_path / "tiny.ipynb").touch()
    read = read_submission("ada", tmp_path, b"")
    assert list(read.files) == ["tiny.ipynb", *(f"{number:05}" for number in range(MOST_ENTRIES - 1))]
    assert read.remarks == ("of more than 10,000 files and folders the rest was left out",)


def test_what_is_large_takes_no_room_from_the_notebook(tmp_path):
    names = ["a.bin", "b,\nc.bin", "d/e.bin", "f.bin"]
    (tmp_path / "d").mkdir()
    for name in names:
        with (tmp_path / name).open("wb") as file:
            file.truncate(LARGEST_FOLDER)
    for name in ("tiny.ipynb", "timestamp.txt"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "small.txt").write_text("small")
    read = read_submission("ada", tmp_path, b"")
    assert set(read.files) == {"tiny.ipynb", "timestamp.txt", "small.txt"}
    assert read.remarks == ("a.bin, b,\nc.bin, f.bin and 1 more left out: more than 200 MB in all",)


@pytest.mark.parametrize(
    ("content", "hours"),
    [
        (b"2026-03-01 10:00:00 UTC\n", 10),
        (b"2026-03-01T10:00+02:00", 8),
        *((text, None) for text in (b"", b"now", b"nan", b"2026-13-45", b"\xff", b"9" * 50, b"2026-03-01" + b" " * 99)),
    ],
    ids=str,
)
def test_when_a_submission_was_handed_in(content, hours):
    if hours is None:
        with pytest.raises(ValueError):
            submission_time(content)
    else:
        assert submission_time(content) == datetime(2026, 3, 1, hours)


def test_leftovers_of_another_assignment_are_not_touched(tmp_path):
    ours, theirs = tmp_path / "week1", tmp_path / "week1-b"
    kept = submission._new_leftover(theirs)
    old = submission._new_leftover(ours)
    made = submission._new_leftover(ours)
    assert sorted(leftovers(ours)) == sorted([old, made])
    put_folder(made, ours)
    assert ours.is_dir() and leftovers(ours) == [] and leftovers(theirs) == [kept]


def test_the_ledger_is_only_a_shortcut(tmp_path):
    def graded(value):
        target.mkdir(exist_ok=True)
        new = target / "new"
        new.write_text(json.dumps({"metadata": {"autograder": {"fingerprint": value}}}))
        new.replace(target / "tiny.ipynb")

    target, path = tmp_path / "graded", tmp_path / "ledger" / "week.json"
    graded("one")
    ledger = Ledger(path, ["tiny"])
    ledger.note("ada", target, "one")
    ledger.save()
    assert Ledger(path, ["tiny"]).fingerprint("ada", target) == "one"
    # Another program, or a run that was killed before it saved, has replaced the folder.
    graded("two")
    assert Ledger(path, ["tiny"]).fingerprint("ada", target) == "two"
    shutil.rmtree(target)
    assert Ledger(path, ["tiny"]).fingerprint("ada", target) is None
    graded("three")
    for nonsense in ("", "[]", '{"ada": 3}', '{"ada": []}', "\0"):
        path.write_text(nonsense)
        assert Ledger(path, ["tiny"]).fingerprint("ada", target) == "three"


def test_the_folder_of_a_living_process_is_not_swept_away(monkeypatch, tmp_path):
    own = scratch()
    (own / "work").mkdir(exist_ok=True)
    dead = own.parent / "ag-dead-for-the-test"
    dead.mkdir()
    (dead / ".owner").touch()
    sweep()
    assert (own / "work").is_dir() and not dead.exists()


# The command line


@pytest.fixture(scope="module")
def klass(released_once, tmp_path_factory):
    made = Class(shutil.copytree(released_once, tmp_path_factory.mktemp("klass") / "course"))
    yield made
    made.close()


@pytest.fixture
def empty(klass):
    """The class with nothing handed in and nothing graded."""
    for name in ("submitted", "autograded", ".autograder"):
        shutil.rmtree(klass.course / name, ignore_errors=True)
    with sqlite3.connect(klass.course / "gradebook.db") as database:
        for table in ("grade", "comment", "submitted_notebook", "submitted_assignment", "student"):
            database.execute(f"delete from {table}")
    return klass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["week01_tyni"], "no assignment 'week01_tyni' in source/; did you mean 'week01_tiny'?"),
        (["nonsense"], "no assignment 'nonsense' in source/; there are: week01_tiny"),
        ([WEEK, "--student=blaize"], f"no submission of 'blaize' for {WEEK}; did you mean 'blaise'?"),
        ([WEEK, "--jobs=0"], "--jobs must be at least 1, not 0"),
        ([WEEK, "--timeout=-3"], "--timeout must be at least 1, not -3"),
        ([WEEK, "--memory=0"], "--memory must be at least 1, not 0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refusals_are_one_line(empty, autograder, arguments, said):
    empty.hand_in("blaise", "right", "right")
    run = autograder(empty.course, "grade", *arguments)
    assert (run.code, run.out, run.err) == (1, "", f"autograder: {said}\n")
    assert not (empty.course / "autograded").exists()


@pytest.mark.slow
def test_an_assignment_that_was_never_released(empty, autograder):
    shutil.copytree(empty.course / "source" / WEEK, empty.course / "source" / "week02_new")
    run = autograder(empty.course, "grade", "week02_new")
    shutil.rmtree(empty.course / "source" / "week02_new")
    assert run.code == 1 and "run `nbgrader generate_assignment week02_new` first" in run.err


def edit(path, name, change):
    notebook = nbformat.read(path, as_version=4)
    change(notebook, next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name))
    path.chmod(0o644)
    nbformat.write(notebook, path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda _, cell: cell.metadata.nbgrader.update(grade_id="new"),
            "double_test is missing; new is not in the gradebook: put it back, or run `nbgrader generate_assignment "
            f"{WEEK} --force`, which works as long as nothing of {WEEK} has been graded",
        ),
        (
            lambda notebook, cell: notebook.cells.remove(cell),
            "double_test is missing: put it back, or run `nbgrader generate_assignment "
            f"{WEEK} --force`, which works as long as nothing of {WEEK} has been graded",
        ),
        (
            lambda _, cell: cell.metadata.nbgrader.update(solution=True, locked=False),
            "double_test is a graded answer, and was a test: put it back, or run `nbgrader generate_assignment "
            f"{WEEK} --force`, which works as long as nothing of {WEEK} has been graded",
        ),
        (
            lambda _, cell: cell.metadata.nbgrader.update(points=30),
            "double_test has 30 points, and had 40: put it back, or run `nbgrader generate_assignment "
            f"{WEEK} --force` to use the new points",
        ),
        (lambda _, cell: cell.update(source="assert True"), None),
    ],
    ids=["renamed", "deleted", "another kind", "points", "text"],
)
def test_a_source_that_was_edited_since_the_release(empty, autograder, change, said):
    source = empty.course / "source" / WEEK / "tiny.ipynb"
    content = source.read_bytes()
    edit(source, "double_test", change)
    run = autograder(empty.course, "grade", WEEK)
    source.write_bytes(content)
    assert (run.code, run.err) == (
        (1, f"autograder: {source} was edited since the release: {said}\n") if said else (0, "")
    )


@pytest.mark.slow
def test_points_that_were_changed_are_used_when_nbgrader_knows_them(empty, autograder):
    """Also if something was handed in."""
    empty.hand_in("ada", "right", "wrong")
    assert autograder(empty.course, "grade", WEEK).code == 0
    source, release = (empty.course / step / WEEK / "tiny.ipynb" for step in ("source", "release"))
    kept = {path: path.read_bytes() for path in (source, release, empty.course / "gradebook.db")}
    edit(source, "double_test", lambda _, cell: cell.metadata.nbgrader.update(points=30))
    nbgrader(empty.course, "generate_assignment", WEEK, "--force")
    run = autograder(empty.course, "grade", WEEK)
    marks = empty.marks()
    for path, content in kept.items():
        path.write_bytes(content)
    assert run.code == 0 and "1 to grade" in run.out and marks["ada"]["double_test"] == 30


@pytest.mark.slow
@pytest.mark.parametrize("present", [False, True], ids=["no folder", "empty folder"])
def test_nothing_handed_in(empty, autograder, present):
    if present:
        (empty.course / "submitted" / "ada").mkdir(parents=True)
    run = autograder(empty.course, "grade", WEEK)
    assert run.code == 0 and f"{WEEK}: 0 submissions, 0 to grade" in run.out and run.err == ""


@pytest.mark.slow
def test_odd_names_and_students_named_twice(empty):
    odd = ["a b", "Ünïcødé 学生", 'o\'neill "quoted"', "-dash", ".dot", "[x]*?", "tab\there", "a;drop table grade"]
    for number, student in enumerate(odd):
        empty.hand_in(student, *list(LEARNERS.values())[number % 4])
    # What is no learner, and what nbgrader is told to ignore.
    (empty.course / "submitted" / ".ipynb_checkpoints" / WEEK).mkdir(parents=True)
    (empty.course / "submitted" / "README.txt").write_text("not a learner")
    twice = empty.run("--student=-dash", "--student=-dash", "--student", ".dot")
    assert twice.returncode == 0, twice.stdout + twice.stderr
    assert "2 submissions, 2 to grade" in twice.stdout and set(empty.marks()) == {"-dash", ".dot"}
    run = empty.run()
    assert run.returncode == 0, run.stdout + run.stderr
    assert "8 submissions, 6 to grade" in run.stdout and "tab\\there" in run.stdout
    empty.complete({student: list(LEARNERS.values())[number % 4] for number, student in enumerate(odd)})


@pytest.mark.slow
def test_one_submission_that_cannot_be_graded_stops_nobody(empty, monkeypatch, autograder):
    for student in ("ada", "blaise", "carl"):
        empty.hand_in(student, "right", "wrong")
    real = grade.read_submission

    def unreadable(student, folder, digest):
        if student == "blaise":
            raise PermissionError(13, "Permission denied", str(folder / "tiny.ipynb"))
        return real(student, folder, digest)

    monkeypatch.setattr(grade, "read_submission", unreadable)
    run = autograder(empty.course, "grade", WEEK)
    assert run.code == 3
    assert "not graded: PermissionError" in run.out and "Permission denied" in run.out
    assert set(empty.marks()) == {"ada", "carl"}
    assert {row["student"]: bool(row["error"]) for row in empty.records()[0]["graded"]} == {
        "ada": False,
        "blaise": True,
        "carl": False,
    }
    monkeypatch.undo()
    run = autograder(empty.course, "grade", WEEK)
    assert run.code == 0 and "3 submissions, 1 to grade" in run.out


@pytest.mark.slow
def test_folders_of_odd_sizes_and_kinds_stop_nobody(empty):
    for student in ("ada", "bob", "carl", "dan", "eve", "fay"):
        empty.hand_in(student, "right", "wrong")
    submitted = empty.course / "submitted"
    junk = submitted / "bob" / WEEK / "junk"
    junk.mkdir()
    for number in range(10_100):
        (junk / f"{number}").touch()
    deep = submitted / "carl" / WEEK / ("d/" * 1100)
    subprocess.run(["mkdir", "-p", str(deep)], check=True)
    os.mkfifo(submitted / "dan" / WEEK / "timestamp.txt")
    (submitted / "eve" / WEEK / "timestamp.txt").symlink_to("/dev/zero")
    shutil.rmtree(submitted / "fay" / WEEK)
    (submitted / "fay" / WEEK).symlink_to(f"../ada/{WEEK}")
    # And an account whose files nobody else may read.
    kept = os.umask(0o077)
    run, again = empty.run(), empty.run()
    os.umask(kept)
    # Python's own function does not get to the bottom.
    subprocess.run(["rm", "-r", str(submitted / "carl" / WEEK / "d")], check=True)
    assert (run.returncode, run.stderr) == (again.returncode, again.stderr) == (0, "")
    assert "6 submissions, 6 to grade" in run.stdout and "6 submissions, 0 to grade" in again.stdout
    assert re.search("bob +40 +40 +0 +of more than 10,000 files and folders the rest was left out", run.stdout)
    assert re.search("carl +40 +40 +0 +what lies more than 50 folders deep was left out", run.stdout)
    for student in ("dan", "eve"):
        assert re.search(f"{student} +40 +40 +0 +timestamp.txt cannot be read", run.stdout)
    assert re.search("fay +0 +0 +0 +tiny.ipynb was not handed in; graded as blank", run.stdout)
    assert (submitted / "fay" / WEEK / WEEK).is_symlink() and list((submitted / "ada").iterdir())


@pytest.mark.slow
def test_standard_streams_that_are_closed_or_that_nobody_reads(empty):
    empty.hand_in("ada", "right", "wrong")
    command = shlex.join(empty.command(WEEK, "--jobs=1"))

    def shell(ending):
        script = f"set -o pipefail; {command} {ending}"
        return subprocess.run(["bash", "-c", script], env=empty.environment, capture_output=True, text=True)

    for ending in ("--force <&- >&- 2>&-", "--force 2>&-"):
        run = shell(ending)
        assert (run.returncode, run.stderr) == (0, "")
        assert empty.marks()["ada"]["double_test"] == 40
    run = shell("| true")
    assert (run.returncode, run.stderr) == (141, "")


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission(empty, autograder):
    for student in ("ada", "blaise"):
        empty.hand_in(student, "right", "wrong")
    folder = empty.course / "submitted" / "blaise" / WEEK
    folder.chmod(0)
    run = autograder(empty.course, "grade", WEEK)
    folder.chmod(0o755)
    assert run.code == 3 and "Permission denied" in run.out and set(empty.marks()) == {"ada"}


@pytest.mark.slow
def test_a_gradebook_that_is_none(empty, autograder):
    gradebook = empty.course / "gradebook.db"
    content = gradebook.read_bytes()
    gradebook.write_bytes(b"this is not a database, whatever its name says" * 100)
    run = autograder(empty.course, "grade", WEEK)
    gradebook.write_bytes(content)
    assert run.code == 1 and run.err == (
        "autograder: the gradebook cannot be used: file is not a database; what was graded is kept\n"
    )


@pytest.mark.slow
def test_a_gradebook_of_an_older_nbgrader_and_a_timeout_that_is_none(empty, autograder):
    kept = {path: path.read_bytes() for path in (empty.course / "gradebook.db", empty.course / "nbgrader_config.py")}
    with sqlite3.connect(empty.course / "gradebook.db") as database:
        database.execute("alter table source_cell rename column checksum to other")
    old = autograder(empty.course, "grade", WEEK)
    (empty.course / "gradebook.db").write_bytes(kept[empty.course / "gradebook.db"])
    with (empty.course / "nbgrader_config.py").open("a", encoding="utf-8") as file:
        file.write('c.Execute.timeout = "long"\n')
    timeout = autograder(empty.course, "grade", WEEK)
    for path, content in kept.items():
        path.write_bytes(content)
    assert old.code == 1 and "no such column: " in old.err and "`nbgrader db upgrade`" in old.err
    assert (timeout.code, timeout.err) == (
        1,
        "autograder: nbgrader_config.py: c.Execute.timeout must be a number of seconds, not 'long'\n",
    )


@pytest.mark.slow
def test_only_what_is_new_or_changed_is_graded(empty, autograder):
    for student in ("ada", "blaise"):
        empty.hand_in(student, "right", "wrong")
    assert "2 to grade" in autograder(empty.course, "grade", WEEK).out
    assert "0 to grade" in autograder(empty.course, "grade", WEEK).out
    empty.hand_in("ada", "right", "wrong", extra="another note")
    assert "1 to grade" in autograder(empty.course, "grade", WEEK).out
    assert "2 to grade" in autograder(empty.course, "grade", WEEK, "--force").out
    shutil.rmtree(empty.course / "autograded" / "blaise")
    assert "1 to grade" in autograder(empty.course, "grade", WEEK).out
    with sqlite3.connect(empty.course / "gradebook.db") as database:
        database.execute("delete from submitted_assignment where student_id = 'ada'")
    assert "1 to grade" in autograder(empty.course, "grade", WEEK).out
    empty.complete({"ada": ("right", "wrong"), "blaise": ("right", "wrong")})


@pytest.mark.slow
def test_a_huge_class_is_not_read_again(empty, monkeypatch, autograder):
    """2,000 graded folders: with the ledger no notebook is parsed, and without it each graded one once."""
    empty.hand_in("s0000", "right", "wrong")
    assert autograder(empty.course, "grade", WEEK).code == 0
    for number in range(1, 2000):
        for step in ("submitted", "autograded"):
            target = empty.course / step / f"s{number:04}" / WEEK
            shutil.copytree(empty.course / step / "s0000" / WEEK, target)
    with sqlite3.connect(empty.course / "gradebook.db") as database:
        database.execute(
            "insert into student (id) with recursive n(i) as (select 1 union all select i+1 from n where i < 1999)"
            " select printf('s%04d', i) from n"
        )
        database.execute(
            "insert into submitted_assignment (id, assignment_id, student_id) select s.id, a.assignment_id, s.id"
            " from student s, submitted_assignment a where s.id != 's0000'"
        )
    parsed = []
    real = submission.json.loads
    monkeypatch.setattr(submission.json, "loads", lambda text: parsed.append(1) or real(text))
    monkeypatch.setattr(grade, "check_submissions", lambda *_: pytest.fail("submissions were examined"))
    assert "2000 submissions, 0 to grade" in autograder(empty.course, "grade", WEEK).out
    assert len(parsed) > 1999
    parsed.clear()
    assert "2000 submissions, 0 to grade" in autograder(empty.course, "grade", WEEK).out
    assert len(parsed) < 100


@pytest.mark.slow
def test_two_notebooks_with_tests_of_one_name(tmp_path, autograder):
    cells = [answer("a", "x = 1"), graded_test("t", "assert x == 1", 2)]
    course = make_course(tmp_path / "c", {"p": cells, "q": cells})
    (course / "pyproject.toml").write_text("[tool.autograder.warm]\ndefault = []\n", "utf-8")
    hand_in(course, "ada", "p", a="x = 1")
    hand_in(course, "ada", "q", a="x = 2")
    run = autograder(course, "grade", "ps")
    assert run.code == 0 and re.search(r"ada +2 +2 +0$", run.out, re.MULTILINE), run.out
