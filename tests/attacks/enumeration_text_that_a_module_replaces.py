# A plain text of members is replaced by names and methods out of a module beside the notebook.
# %% file helper.py
import functools
u = chr(95) * 2
names = [(u + "eq" + u, functools.singledispatch(lambda *a: True)), (u + "sub" + u, functools.singledispatch(lambda *a: 0.0)), ("one", 1)]
# %% extra
import enum
names = "one two"
from helper import *
E2 = enum.IntEnum("E2", names)
K = E2
# include double_gives_a_liar
