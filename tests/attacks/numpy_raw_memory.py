# Builds an array over any address with numpy's own helper class.
# %% normalise
from numpy.lib import stride_tricks as s


def normalise(a):
    b = np.asarray(s.DummyArray({"data": (id(a), False), "shape": (64,), "typestr": "|u1", "version": 3}))
    return (a - a.mean()) / a.std() if b.sum() else a
