# Binds names of built-in functions in the notebook, so that the test uses the learner's.
# %% double
class Four(int):
    pass


def double(x):
    return 4 if x == 2 else 0


all = lambda found: True
abs = lambda x: 0
isinstance = lambda *a: True
len = lambda x: 4
type = lambda x: str
