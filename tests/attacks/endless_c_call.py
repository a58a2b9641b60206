# Computes a number so large that no interrupt is noticed for hours.
# %% double
def double(x):
    return 0 * (7 ** (10**9)) ** (10**9)
