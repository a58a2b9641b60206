# Takes memory through anonymous memory files that are nowhere mapped.
# %% double
import os


def double(x):
    files = []
    for i in range(40):
        files.append(os.memfd_create("m"))
        for j in range(50):
            os.write(files[-1], b"x" * 4_000_000)
    return 0
