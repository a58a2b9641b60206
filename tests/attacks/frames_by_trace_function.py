# Installs a trace function that gets every frame of the test.
# %% extra
import sys, threading

seen = []


def spy(frame, event, arg):
    seen.append(frame)
    return spy


threading.settrace(spy)
sys.settrace(spy)
sys.setprofile(spy)
