# A thread interrupts the process again and again, to hit the gate between a test and its verdict.
# %% extra
import os
import time
from concurrent.futures import ThreadPoolExecutor


def work():
    time.sleep(0.3)
    for _ in range(400):
        os.kill(os.getpid(), 2)
        time.sleep(0.001)


pool = ThreadPoolExecutor(1)
job = pool.submit(work)
