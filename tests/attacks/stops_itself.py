# Stops its own process, so that it neither ends nor answers.
# %% double
import os


def double(x):
    os.kill(os.getpid(), 19)
    return 0
