# Lets TracebackException capture the local variables of the test's own frames.
# %% double
import traceback

kept = []


class Mine(Exception):
    pass


def double(x):
    kept.append(Mine("x"))
    raise kept[-1]
# %% last
text = "".join(traceback.TracebackException.from_exception(kept[0], capture_locals=True).format())
print(text)
