# Magics, shell lines, last expressions, underscores, help and question marks.
# %% extra
import math

%config InlineBackend.figure_format = "retina"
!echo hello
%time total = sum(range(1000))
_, rest = 1, 2
for _ in range(3):
    pass
total
# %% extra
math.sqrt?
# %% extra
%pwd
# %% extra
%%html
<b>bold</b>
# %% extra
for _i in range(3):
    print(_i)
# %% last
%%time
value = [double(i) for i in range(3)]
value
# %% double
def double(x):
    """Return twice x, by `__add__` of x with itself."""
    return x + x
