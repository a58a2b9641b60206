# Talks to the network, to services of the grader's machine and to abstract sockets.
# %% double
import socket

told = []
for family, address in ((socket.AF_INET, ("127.0.0.1", ARENA_PORT)), (socket.AF_INET, ("1.1.1.1", 53)), (socket.AF_UNIX, "\0ARENA_ABSTRACT")):
    try:
        s = socket.socket(family, socket.SOCK_STREAM)
        s.settimeout(1)
        s.connect(address)
        told.append("REACHED " + str(address))
        s.send(b"here")
    except OSError as error:
        told.append(str(error))
print(told)


def double(x):
    return 0
