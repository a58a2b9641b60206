"""Nothing is lost: grading runs that are killed, stopped, starved or disturbed at many moments.

Whatever happens, the next run goes on where it was, every submission ends up graded once and with the
marks of an undisturbed run, and no process, temporary file or half-written folder is left.
"""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest
from conftest import WEEK
from klass import LEARNERS, Class
from nbgrader.api import Gradebook

pytestmark = pytest.mark.slow


@pytest.fixture
def klass(released):
    made = Class(released)
    for student, answers in LEARNERS.items():
        made.hand_in(student, *answers)
    yield made
    made.close()


def test_kill_the_grader_at_many_moments(klass):
    for delay in (0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.1, 2.4):
        grader = klass.started("--force")
        time.sleep(delay)
        grader.kill()
        grader.communicate()
        klass.ended()
        klass.sound()
    klass.finish()


@pytest.mark.parametrize("step", ["prepared", "stored", "moved", "put"])
def test_kill_the_grader_between_gradebook_and_folder(klass, step):
    """The one who hands in the first version again, after a kill, must not keep the second's marks."""
    for student in list(LEARNERS)[2:]:
        shutil.rmtree(klass.course / "submitted" / student)
    few = dict(list(LEARNERS.items())[:2])
    klass.finish(few)
    for student in few:
        klass.hand_in(student, "wrong", "wrong")
    killed = klass.run(DIE_AT=step)
    assert killed.returncode == -signal.SIGKILL
    klass.ended()
    for student, answers in few.items():
        klass.hand_in(student, *answers)
    klass.finish(few)


@pytest.mark.parametrize("victim", ["warm", "sandbox", "kernel"])
def test_kill_what_the_grader_started(klass, victim):
    grader = klass.started()
    for kill in range(2):
        warm = klass.warm(grader)
        pids = [warm]
        if victim != "warm":
            pids = klass.wait_for(lambda warm=warm: klass.children(warm))
        if victim == "kernel":
            pids = klass.wait_for(lambda pid=pids[0]: klass.children(pid) if os.path.exists(f"/proc/{pid}") else [0])
        if pids[0]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pids[0], signal.SIGKILL)
        time.sleep(1 + kill)
        if grader.poll() is not None:
            break
    out, err = grader.communicate(timeout=120)
    assert grader.returncode == 0, out + err
    klass.complete()
    if victim == "warm":
        record = next(r for r in klass.records() if r["graded"])
        assert record["warm_restarts"] >= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_stop_by_a_signal(klass, number):
    # However fast this machine is, the run is not over before the signal comes.
    klass.hand_in("ada", "right", "slow")
    for delay in (0, 0.7, 1.6):
        grader = klass.started("--force")
        time.sleep(delay)
        # Ctrl-C goes to all of the group.
        os.killpg(grader.pid, number)
        _, err = grader.communicate(timeout=60)
        assert grader.returncode == 130, err
        assert err == "autograder: stopped; run the same command again to go on\n"
        klass.ended()
        assert list(klass.temporary.iterdir()) == []
        klass.sound()
        assert not list((klass.course / "autograded").glob("*/.grading-*"))
    klass.finish()


def test_what_a_stopped_run_did_not_reach_is_graded_by_the_next(klass, autograder):
    """Exports tell its marks as not graded, so they must not stay so."""
    for student in list(LEARNERS)[1:]:
        shutil.rmtree(klass.course / "submitted" / student)
    klass.hand_in("ada", "right", "slow")
    few = {"ada": LEARNERS["ada"]}
    klass.finish(few)
    grader = klass.started("--force")
    klass.wait_for(lambda: [c for p in klass.children(klass.warm(grader)) for c in klass.children(p)])
    grader.send_signal(signal.SIGINT)
    assert grader.wait(30) == 130
    assert "not graded" in autograder(klass.course, "export", WEEK).err
    assert "1 to grade" in klass.finish(few).stdout
    assert "not graded" not in autograder(klass.course, "export", WEEK).err


def test_two_graders_at_once(klass):
    first = klass.started()
    # However slow this machine is, the first is still there.
    first.send_signal(signal.SIGSTOP)
    second = klass.run()
    first.send_signal(signal.SIGCONT)
    assert second.returncode == 1
    assert second.stderr == f"autograder: {WEEK} is being graded by another run\n"
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, out + err
    klass.complete()


def test_a_gradebook_that_another_program_holds(klass):
    held = sqlite3.connect(klass.course / "gradebook.db", isolation_level=None)
    held.execute("begin exclusive")
    # From before the start, for longer than SQLite itself waits: patience.
    grader = klass.start()
    time.sleep(8)
    assert grader.poll() is None
    held.execute("rollback")
    line = grader.stdout.readline()
    assert "6 to grade" in line
    # In the middle of the run, for a while.
    held.execute("begin exclusive")
    time.sleep(3)
    held.execute("rollback")
    out, err = grader.communicate(timeout=60)
    assert grader.returncode == 0, out + err
    klass.complete()
    # For longer than the patience.
    grader = klass.started("--force", PATIENCE="1")
    held.execute("begin exclusive")
    out, err = grader.communicate(timeout=60)
    held.execute("rollback")
    assert grader.returncode == 1
    assert err == (
        "autograder: the gradebook cannot be used: another program has held the gradebook for 1 s;"
        " what was graded is kept\n"
    )
    klass.finish()


def test_beside_the_form_grader(klass):
    """A session that was opened before the run writes a manual grade and a comment in the middle of it."""
    klass.finish()
    with Gradebook(f"sqlite:///{klass.course / 'gradebook.db'}", "dlcourse") as form_grader:
        names = [("double_test", "tiny", WEEK, student) for student in LEARNERS]
        grades = [form_grader.find_grade(*name) for name in names]
        comments = [form_grader.find_comment("double", *name[1:]) for name in names]
        assert {grade.manual_score for grade in grades} == {None}
        grader = klass.started("--force")
        for number, (grade, comment) in enumerate(zip(grades, comments, strict=True)):
            grade.manual_score, comment.manual_comment = number + 1, f"comment {number}"
            form_grader.db.commit()
            time.sleep(0.4)
        out, err = grader.communicate(timeout=60)
        assert grader.returncode == 0, out + err
    with Gradebook(f"sqlite:///{klass.course / 'gradebook.db'}", "dlcourse") as after:
        assert [after.find_grade(*name).manual_score for name in names] == [1, 2, 3, 4, 5, 6]
        found = [after.find_comment("double", *name[1:]).comment for name in names]
        assert found == [f"comment {number}" for number in range(6)]
    klass.complete()


def test_submissions_that_change_and_appear_during_the_run(klass):
    klass.hand_in("ada", "right", "slow")
    grader = klass.started()
    klass.wait_for(lambda: [c for p in klass.children(klass.warm(grader)) for c in klass.children(p)])
    klass.hand_in("ada", "wrong", "wrong", extra="second version")
    klass.hand_in("zeno", "right", "right")
    out, err = grader.communicate(timeout=60)
    assert grader.returncode == 0, out + err
    assert f"{WEEK}: 2 came in meanwhile" in out
    assert len(klass.records()[0]["graded"]) == 7
    graded = klass.course / "autograded" / "ada" / WEEK / "notes.txt"
    assert graded.read_text("utf-8") == "second version"
    klass.complete({**LEARNERS, "ada": ("wrong", "wrong"), "zeno": ("right", "right")})


def test_a_full_disk(klass, tmp_path):
    """The course lies on a file system of its own, which is full, then has room for a part, then for all."""
    script = r"""
        set -e
        mount -t tmpfs -o size=3m,nr_inodes=2000 none "$disk"
        cp -r "$course/." "$disk"
        run() { code=0; "$@" --root "$disk" grade "$week" >"$out/$stage.out" 2>"$out/$stage.err" || code=$?
                echo $code >"$out/$stage.code"; }
        for room in 0 40 150; do
            rm -f "$disk/filler"
            free=$(df -k --output=avail "$disk" | tail -1)
            dd if=/dev/zero of="$disk/filler" bs=1k count=$((free - room)) 2>/dev/null
            stage=$room; run "$@"
        done
        rm "$disk/filler"
        stage=all; run "$@"
        rm -rf "$course"
        cp -r "$disk" "$course"
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    (klass.course / ".nbgrader.log").unlink(missing_ok=True)
    environment = klass.environment | {
        "disk": str(disk), "course": str(klass.course), "out": str(tmp_path), "week": WEEK
    }  # fmt: skip
    share = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    if subprocess.run([*share, "mount", "-t", "tmpfs", "none", str(disk)], capture_output=True).returncode:
        pytest.skip("no private file system can be mounted here")
    command = [*share, "bash", "-c", script, "bash", *klass.command()[:2]]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    codes = {stage: (tmp_path / f"{stage}.code").read_text().strip() for stage in ("0", "40", "150", "all")}
    errors = {stage: (tmp_path / f"{stage}.err").read_text() for stage in codes}
    assert codes["all"] == "0", errors
    assert codes["0"] == "1", errors
    for stage, code in codes.items():
        assert code in "01"
        assert "Traceback" not in errors[stage] and len(errors[stage].splitlines()) <= 2 * int(code)
    klass.complete()
