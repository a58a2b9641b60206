"""`autograder doctor`: what it says on a machine that can, and on ones that really cannot."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT

from autograder import doctor
from autograder.cli import main

linux = pytest.mark.skipif(sys.platform != "linux", reason="sandboxes need Linux")
# In a user namespace of its own the sysctl can be set for what is below it, so that this refuses like a
# machine where an administrator has set it.
REFUSED = [
    "unshare",
    "--user",
    "--map-root-user",
    "sh",
    "-c",
    'echo 0 > /proc/sys/user/max_user_namespaces && "$@"',
    "x",
]


def possible() -> bool:
    """Whether this machine can make the sandbox, so that there is something to test."""
    return sys.platform == "linux" and not doctor._in_child(lambda: doctor._unshare(doctor._NEWUSER))


def run_refused(*arguments):
    return subprocess.run([*REFUSED, sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.skipif(not possible(), reason="no user namespaces here")
def test_a_machine_that_can(tiny, capsys):
    code = main(["--root", str(tiny), "doctor", "--json"])
    found = json.loads(capsys.readouterr().out)
    checks = {check["name"]: check for check in found["checks"]}
    failed = [check for check in found["checks"] if check["needed"] and not check["ok"]]
    assert code == 0 and found["safe"] and not failed
    assert {"limit on memory", "limit on processes", "limit on disk", "limit on network", "limit on files"} <= set(
        checks
    )
    assert not checks["gradebook"]["ok"] and "generate_assignment" in checks["gradebook"]["cure"]


@pytest.mark.slow
@linux
@pytest.mark.skipif(not possible(), reason="no user namespaces here")
def test_where_user_namespaces_are_switched_off():
    done = run_refused("-m", "autograder", "doctor")
    assert done.returncode == 1, done.stderr
    assert "FAILED  user namespace" in done.stdout and "user.max_user_namespaces=15000" in done.stdout
    assert "NOT be safe" in done.stdout


@linux
@pytest.mark.skipif(not possible(), reason="no user namespaces here")
def test_the_trial_fails_with_a_reason_where_there_is_no_sandbox():
    done = run_refused("-m", "autograder.doctor")
    assert "error" in json.loads(done.stdout), done.stderr


def test_outside_a_course_it_still_says_what_the_machine_can(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "_warm", lambda root: iter(()))
    main(["--root", str(tmp_path), "doctor"])
    assert "no nbgrader_config.py" in capsys.readouterr().out


@pytest.mark.slow
def test_a_warm_module_that_starts_a_thread_is_refused(tmp_path, monkeypatch):
    (tmp_path / "starts_a_thread.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    (tmp_path / "pyproject.toml").write_text('[tool.autograder.warm]\ndefault = ["starts_a_thread"]\n')
    monkeypatch.setattr(doctor, "assignments", lambda root: ["week"])
    monkeypatch.setattr("autograder.engine.warm.DEFAULT_WARM", ())
    monkeypatch.setattr("autograder.engine.warm._environment", lambda: {"PYTHONPATH": str(tmp_path)})
    (check,) = doctor._warm(tmp_path)
    assert not check.ok and check.needed and "threads" in check.said and "pyproject.toml" in check.cure


@pytest.mark.slow
def test_gradebooks(released):
    assert doctor._gradebook(released).ok
    import sqlite3

    with sqlite3.connect(released / "gradebook.db") as connection:
        connection.execute("update alembic_version set version_num = '50a4d84c131a'")
    check = doctor._gradebook(released)
    assert not check.ok and check.needed and "nbgrader db upgrade" in check.cure
    (released / "gradebook.db").write_bytes(b"not a database" * 100)
    assert "not a database" in doctor._gradebook(released).said
