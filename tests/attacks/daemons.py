# Leaves daemons behind, in sessions of their own, and fills the shared memory with files.
# %% double
import os

os.system("setsid sh -c 'sleep 300 & exec sleep 300' > /dev/null 2>&1 &")
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "300"])
    os._exit(0)
for i in range(3000):
    open(f"/dev/shm/f{i}", "w").close()


def double(x):
    return 0
