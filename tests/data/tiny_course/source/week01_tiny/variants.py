# %%
import math


# %% double right: adds it to itself
def double(x):
    return x + x


# %% double wrong: right for 2 only
def double(x):
    return x**2


# %% circle wrong: the circumference
def circle(radius):
    return 2 * math.pi * radius
