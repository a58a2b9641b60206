# Opens files without end and keeps them.
# %% double
import os

kept = []


def double(x):
    try:
        while True:
            kept.append(os.pipe())
    except OSError:
        return 0
