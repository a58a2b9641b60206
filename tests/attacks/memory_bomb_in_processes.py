# Lets many processes take as much memory as one is allowed.
# %% double
import os


def double(x):
    for i in range(30):
        os.system("python -c 'import time; b = bytearray(1_500_000_000); time.sleep(60)' &")
    import time

    time.sleep(60)
    return 0
