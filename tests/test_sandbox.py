"""The sandbox from inside: what can be seen, written, used and reached, as root and as an ordinary account."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROBE = """
import encodings.idna, errno, json, os, resource, socket, subprocess, sys, time
sys.path.insert(0, {root!r})
from autograder.engine.sandbox import Limits, SandboxError, View, become_subreaper, spawn

def attempt(action):
    try:
        action()
        return "done"
    except OSError as error:
        return errno.errorcode[error.errno]

def look():
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    def call(number, *rest):
        ctypes.set_errno(0)
        return "done" if libc.syscall(number, *rest) >= 0 else errno.errorcode[ctypes.get_errno()]
    status = dict(l.split(":", 1) for l in open("/proc/self/status").read().splitlines())
    return {{
        "root": sorted(os.listdir("/")), "home": os.listdir("/home/learner"), "tmp": os.listdir("/tmp"),
        "work": sorted(os.listdir("/home/learner/work")),
        "processes": len([p for p in os.listdir("/proc") if p.isdigit()]),
        "network": open("/proc/net/dev").read().count(":"),
        "connect": attempt(lambda: socket.create_connection(("127.0.0.1", {port}), 1)),
        "uid": os.getuid(), "caps": status["CapEff"].strip() + status["CapBnd"].strip(),
        "nnp": status["NoNewPrivs"].strip(),
        "fds": sorted(map(int, os.listdir("/proc/self/fd")))[:-1],
        "write_usr": attempt(lambda: open("/usr/x", "w")), "write_root": attempt(lambda: open("/x", "w")),
        "write_tmp": attempt(lambda: open("/tmp/x", "w")),
        "seen": attempt(lambda: open({seen!r})), "write_seen": attempt(lambda: open({seen!r}, "w")),
        "unseen": attempt(lambda: open({unseen!r})), "shadow": attempt(lambda: open("/etc/shadow")),
        "init_environ": attempt(lambda: open("/proc/1/environ").read()),
        "init_mem": attempt(lambda: open("/proc/1/mem")),
        "own_mem": attempt(lambda: open("/proc/self/mem")), "kill_init": attempt(lambda: os.kill(1, 9)),
        "memfd": attempt(lambda: os.memfd_create("x")),
        "unshare": "done" if libc.unshare(0x10000000) == 0 else "refused",
        "disk": attempt(lambda: open("/tmp/full", "wb").write(bytes(40_000_000))),
        "files": attempt(lambda: [os.open("/dev/null", 0) for _ in range(200)]),
        "limits": [resource.getrlimit(getattr(resource, "RLIMIT_" + k))[1] for k in ("NPROC", "NOFILE", "CPU")],
        "memory": attempt_memory(),
    }}

def attempt_memory():
    try:
        bytearray(600_000_000)
        return "done"
    except MemoryError:
        return "MemoryError"

def inside(ready):
    ready()
    # At once: the folder is closed by another process.
    write_sockets = attempt(lambda: open("/run/kernel/x", "w"))
    found = look() | {{"write_sockets": write_sockets}}
    os.write(told_write, json.dumps(found).encode())
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
    os._exit(0)

become_subreaper()
told_read, told_write = os.pipe()
secret = os.open({unseen!r}, os.O_RDONLY)
limits = Limits(memory_mb=300, processes=20, open_files=64, disk_mb=16, cpu_s=50)
pid = spawn(View(tuple({visible!r}), {sockets!r}, {work!r}), limits, inside, keep=(told_write,))
os.close(told_write)
text = b""
while chunk := os.read(told_read, 65536):
    text += chunk
os.waitpid(pid, 0)
print(text.decode())
"""
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="Linux namespaces")]


def accounts():
    found = [pytest.param([], id="this-account")]
    if os.geteuid() == 0 and shutil.which("setpriv"):
        command = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--inh-caps=-all"]
        found.append(pytest.param(command, id="ordinary-account"))
    return found


@pytest.mark.parametrize("become", accounts())
def test_inside(become, tmp_path):
    # pytest's own folders are closed to other accounts.
    base = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    try:
        for name in ("visible", "sockets", "work"):
            (base / name).mkdir()
            (base / name).chmod(0o777)
        (base / "visible" / "data.txt").write_text("data")
        (base / "secret.txt").write_text("secret")
        (base / "work" / "notes.txt").write_text("notes")
        (base / "work" / "link").symlink_to(base / "secret.txt")
        base.chmod(0o755)
        # The package, where any account can read it.
        shutil.copytree(ROOT / "autograder", base / "code" / "autograder")
        visible = ("/usr", "/lib", "/lib64", "/bin", sys.base_prefix, str(base / "visible"))
        probe = PROBE.format(
            root=str(base / "code"), port=1, seen=str(base / "visible" / "data.txt"),
            unseen=str(base / "secret.txt"), visible=visible, sockets=str(base / "sockets"), work=str(base / "work"),
        )  # fmt: skip
        python = os.path.realpath(sys.executable)
        started = time.monotonic()
        run = subprocess.run([*become, python, "-c", probe], capture_output=True, text=True, timeout=60)
        if become and "unshare" in run.stderr + run.stdout and "permitted" in run.stderr:
            pytest.skip("no user namespaces for ordinary accounts here")
        assert run.returncode == 0 and run.stdout.strip(), run.stderr
        found = json.loads(run.stdout)
        # A process that fled into a session of its own ends with the first process all the same.
        assert time.monotonic() - started < 30
        assert list((base / "sockets").iterdir()) == []
    finally:
        shutil.rmtree(base)
    assert set(found["root"]) <= {
        *("bin", "dev", "etc", "home", "lib", "lib64", "proc", "run", "tmp", "usr"),
        *(base.parts[1], Path(sys.base_prefix).parts[1]),
    }  # fmt: skip
    assert found["work"] == ["notes.txt"] and found["tmp"] in ([], [base.name])
    assert found["processes"] == 2 and found["uid"] == 1000 and found["nnp"] == "1"
    assert set(found["caps"]) == {"0"}
    assert found["network"] == 1 and found["connect"] != "done"
    assert found["seen"] == found["write_tmp"] == "done"
    assert found["write_seen"] in ("EROFS", "EACCES") and found["write_usr"] in ("EROFS", "EACCES")
    assert found["write_root"] in ("EROFS", "EACCES") and found["write_sockets"] == "EROFS"
    assert found["unseen"] == found["shadow"] == "ENOENT"
    # That it got so far shows that killing process 1 had no effect, whatever the call said.
    for name in ("init_environ", "init_mem", "own_mem", "memfd"):
        assert found[name] in ("EACCES", "EPERM"), name
    assert found["unshare"] == "refused"
    assert found["disk"] in ("ENOSPC", "EFBIG") and found["files"] == "EMFILE" and found["memory"] == "MemoryError"
    assert found["limits"] == [20, 64, 50]
    # Standard streams, what was handed over, and nothing of the outside.
    assert len(found["fds"]) <= 5
