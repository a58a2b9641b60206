# Raises errors whose text is no valid Unicode, holds NUL and escape sequences, or cannot be made at all.
# %% double
def double(x):
    raise ValueError("\ud800\x00\x1b]0;title\x07")
# %% normalise
class Mine(Exception):
    def __str__(self):
        return "\udcff" * 3


def normalise(a):
    raise ExceptionGroup("\ud800", [Mine()])
# %% relu
def relu(t):
    raise Mine()
