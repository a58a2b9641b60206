"""The command line in a process of its own, for tests to kill.

DIE_AT=prepared|stored|moved|put kills it with SIGKILL at that step of storing the second submission.
"""

import os
import signal
import sys

from autograder.cli import main
from autograder.engine import grade, gradebook, submission

gradebook.PATIENCE_S = float(os.environ.get("PATIENCE", "60"))
STEPS = {"prepared": (grade, "prepare_folder"), "stored": (grade, "write_grades"), "put": (grade, "put_folder")}


def die_at(step: str) -> None:
    """Die behind a step; for `moved`, when the old folder has been moved away and the new one is not in place."""
    module, name = STEPS.get(step, (submission.os, "rename"))
    function = getattr(module, name)
    calls = []

    def wrapped(*arguments):
        result = function(*arguments)
        calls.append(1)
        if len(calls) == (3 if step == "moved" else 2):
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(module, name, wrapped)


if __name__ == "__main__":
    # However the tests themselves were started: nohup and shells make what runs in the background ignore these.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if "DIE_AT" in os.environ:
        die_at(os.environ["DIE_AT"])
    sys.exit(main())
