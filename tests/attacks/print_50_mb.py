# Prints 50 MB in a test.
# %% double
def double(x):
    for i in range(50):
        print("y" * 1_000_000)
    return 0
