# Prints without end.
# %% double
def double(x):
    while True:
        print("endless" * 100)
