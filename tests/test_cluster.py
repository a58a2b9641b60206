"""Grading on a Dask cluster: a real scheduler and workers, each a process of its own, some of them killed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest
from conftest import WEEK
from klass import LEARNERS, Class

from autograder.cli import main

pytestmark = pytest.mark.slow


class Cluster:
    """A scheduler and workers on this machine, without a dashboard, in folders outside the course."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, {**environment, "PYTHONUNBUFFERED": "1"}
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        self.workers = []

    def _start(self, what, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments]
        log = (self.folder / f"{what}.log").open("ab")
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)

    def add_worker(self):
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        worker = self._start("worker", self.address, *options, "--local-directory", str(self.folder))
        self.workers.append(worker)
        return worker

    def close(self):
        for process in [*self.workers, self.scheduler]:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


@pytest.fixture
def klass(released):
    made = Class(released)
    for student, answers in LEARNERS.items():
        made.hand_in(student, *answers)
    yield made
    made.close()


@pytest.fixture
def cluster(klass, tmp_path):
    # Not the grader's children: a mark and a temporary folder of their own.
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as temporary:
        made = Cluster(tmp_path, {**klass.environment, "LC_TEST": "cluster", "TMPDIR": temporary})
        yield made
        made.close()


def marks_and_folders(klass):
    folders = {p.relative_to(klass.course).as_posix(): p.stat().st_mode for p in klass.course.glob("autograded/*/*/*")}
    return klass.marks(), folders


def test_a_worker_that_is_killed_costs_time_only(klass, cluster):
    klass.finish()
    local = marks_and_folders(klass)
    workers = [cluster.add_worker(), cluster.add_worker()]
    grader = klass.started("--force", "--scheduler", cluster.address)
    # A worker that has started a warm process is at work on a submission.
    klass.wait_for(lambda: all(klass.children(worker.pid) for worker in workers), 60)
    time.sleep(1)
    workers[0].send_signal(signal.SIGKILL)
    cluster.add_worker()
    out, err = grader.communicate(timeout=120)
    assert grader.returncode == 0, out + err
    record = klass.records()[0]
    assert record["scheduler"] == cluster.address and len(record["workers"]) >= 2
    assert [row["student"] for row in record["graded"]] == sorted(LEARNERS)
    assert not any(row["error"] or row["needs_human"] for row in record["graded"])
    assert marks_and_folders(klass) == local
    cluster.close()
    klass.complete()


def test_a_scheduler_that_dies_leaves_what_was_graded(klass, cluster):
    cluster.add_worker()
    grader = klass.started("--scheduler", cluster.address)
    first = klass.course / "autograded"
    klass.wait_for(lambda: list(first.glob(f"*/{WEEK}")), 60)
    cluster.scheduler.kill()
    out, err = grader.communicate(timeout=60)
    assert grader.returncode == 1
    assert err == f"autograder: the Dask scheduler at {cluster.address} is gone; what was graded is kept\n"
    kept = {path.parent.name for path in first.glob(f"*/{WEEK}")}
    assert kept and f"{WEEK}: {len(kept)} of {len(LEARNERS)} graded and kept" in out
    cluster.close()
    run = klass.finish()
    assert f"{len(LEARNERS) - len(kept)} to grade" in run.stdout


def test_a_scheduler_that_cannot_be_reached(klass):
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    run = klass.run("--scheduler", address)
    assert run.returncode == 1
    assert run.stderr.startswith(f"autograder: no Dask scheduler answers at {address}: ")
    assert len(run.stderr.splitlines()) == 1
    assert not (klass.course / "autograded").exists()


def test_without_dask_installed(released, monkeypatch, capsys):
    Class(released).hand_in("ada", "right", "right")
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["--root", str(released), "grade", WEEK, "--scheduler", "tcp://127.0.0.1:1"]) == 1
    said = capsys.readouterr().err
    assert "pip install 'dask[distributed]'" in said and len(said.splitlines()) == 1


def test_stopping_the_grader_leaves_the_cluster_usable(klass, cluster):
    worker = cluster.add_worker()
    grader = klass.started("--scheduler", cluster.address)
    klass.wait_for(lambda: klass.children(worker.pid), 60)
    os.killpg(grader.pid, signal.SIGINT)
    _, err = grader.communicate(timeout=60)
    assert grader.returncode == 130
    assert err == "autograder: stopped; run the same command again to go on\n"
    run = klass.run("--scheduler", cluster.address)
    assert run.returncode == 0, run.stdout + run.stderr
    cluster.close()
    klass.complete()
