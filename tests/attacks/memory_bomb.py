# Takes memory without end.
# %% double
hold = []


def double(x):
    while True:
        hold.append(bytearray(200_000_000))
