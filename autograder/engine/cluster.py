"""The same grading run on a Dask cluster: submissions go to the workers as bytes, outcomes come back.

A worker needs the environment and the datasets, no part of the course. Whoever controls the scheduler
or a worker can read hidden tests and make up marks: see docs/grading.md.
"""

import atexit
import contextlib
import logging
import threading
import time
import uuid
import warnings
from concurrent.futures import Future
from functools import partial

from autograder.course import CourseError
from autograder.engine.sandbox import SandboxError
from autograder.engine.submission import Assignment, Graded, Submission, WarmKeeper, run_submission
from autograder.engine.warm import WarmProcess

_CONNECT_S = 10
# How long a run waits for a worker when there is none.
WORKERLESS_S = 60


class ClusterExecutor:
    """Workers of a Dask scheduler. The scheduler gives the work of a worker that died to another.

    Args:
        assignment: what to grade with.
        address: the scheduler's, such as `tcp://host:8786`; for `tls://` the certificates come from
            Dask's own configuration.

    Raises:
        CourseError: the scheduler cannot be reached, or `distributed` is not installed.
    """

    def __init__(self, assignment: Assignment, address: str) -> None:
        try:
            import distributed
        except ImportError:
            raise CourseError(
                "--scheduler needs Dask: pip install 'dask[distributed]' (the extra `cluster` of this package)"
            ) from None
        self.assignment, self.address = assignment, address
        # Its tasks are a few hundred kilobytes each, which it remarks on; what matters is said below.
        warnings.filterwarnings("ignore", message="Sending large graph")
        for name in logging.root.manager.loggerDict:
            if name.startswith("distributed"):
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        try:
            self._client = distributed.Client(address, timeout=_CONNECT_S, set_as_default=False)
        except Exception as error:  # no such host, refused, timed out, wrong protocol or certificate
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise CourseError(f"no Dask scheduler answers at {address}: {said}") from None
        self._killed = distributed.KilledWorker
        self._seen = time.monotonic()
        self._workers: set[str] = set()
        self.slots = 1
        self._tasks: dict[Future[Graded], distributed.Future] = {}
        self.check()

    def submit(self, submission: Submission) -> "Future[Graded]":
        """Send one submission."""
        outcome: Future[Graded] = Future()
        key = f"grade-{uuid.uuid4().hex}"
        task = self._client.submit(run_here, self.assignment, submission, key=key, pure=False)
        self._tasks[outcome] = task
        task.add_done_callback(lambda task: self._deliver(task, outcome))
        return outcome

    def _deliver(self, task, outcome: "Future[Graded]") -> None:
        """Hand on what became of a task. Runs in a thread of the client's."""
        try:
            if task.status == "cancelled":
                # The scheduler is gone; `check` says so.
                return
            graded = task.result(timeout=60)
        except self._killed:
            outcome.set_exception(RuntimeError("each worker that graded this died"))
        except ImportError as error:
            outcome.set_exception(CourseError(f"a worker lacks a part of the environment: {error}"))
        except Exception as error:
            outcome.set_exception(error)
        else:
            outcome.set_result(graded)
        finally:
            self._tasks.pop(outcome, None)

    def check(self) -> None:
        """Follow the number of workers.

        Raises:
            CourseError: the scheduler is gone, or all workers are, for a while.
        """
        if self._client.status != "running":
            raise CourseError(f"the Dask scheduler at {self.address} is gone; what was graded is kept")
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        if workers:
            self._seen = time.monotonic()
            self._workers |= set(workers)
            # Twice what can run, so that no worker waits for the next submission.
            self.slots = 2 * sum(worker["nthreads"] for worker in workers.values())
        elif time.monotonic() - self._seen > WORKERLESS_S:
            raise CourseError(f"the scheduler at {self.address} has had no worker for {WORKERLESS_S} s")

    def describe(self) -> dict:
        """Return what the run record should say about it."""
        return {"scheduler": self.address, "workers": sorted(self._workers)}

    def close(self) -> None:
        """Let go of all tasks; one that runs comes to its end on its worker, and nobody looks at it."""
        # The scheduler may be gone.
        with contextlib.suppress(Exception):
            self._client.cancel(list(self._tasks.values()), force=True)
        self._client.close(timeout=5)


_keepers: dict[tuple, WarmKeeper] = {}
_keepers_lock = threading.Lock()


def run_here(assignment: Assignment, submission: Submission) -> Graded:
    """Run one submission in a worker, with the warm process that all its threads share."""
    import distributed

    key = assignment.warm, assignment.sandboxed
    with _keepers_lock:
        if key not in _keepers:
            _keepers[key] = WarmKeeper(partial(WarmProcess, assignment.warm, sandboxed=assignment.sandboxed))
            atexit.register(_keepers[key].close)
        keeper = _keepers[key]
    try:
        return run_submission(submission, assignment, keeper)
    except SandboxError as error:
        raise SandboxError(f"on worker {distributed.get_worker().address}: {error}") from None
