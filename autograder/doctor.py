"""`autograder doctor`: what this machine can and cannot do for grading, and how to get it.

Nothing is concluded from a version number where it can be tried: each kind of namespace is made, a
sandbox is made and its limits are run into, the warm process is started.
"""

import contextlib
import ctypes
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata, util
from pathlib import Path

from autograder.course import CourseError, assignments, find_root

_NAMESPACES = {"user": 0, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x8000000, "uts": 0x4000000}
_NEWUSER = 0x10000000
_LEAST_DISK_GB, _LEAST_MEMORY_GB = 1.0, 3.0
_OTHERWISE = "or grade with --no-sandbox, where you trust every learner"
_NOT_LINUX = f"use Linux, a Linux machine of a cloud, or WSL 2 on Windows; {_OTHERWISE}"
# What a trial sandbox may use: little, so that running into it costs nothing.
_TRIAL_MB, _TRIAL_PROCESSES, _TRIAL_DISK_MB = 200, 16, 8


@dataclass(frozen=True)
class Check:
    """One thing looked at. `needed`: without it no submission should be graded here."""

    name: str
    ok: bool
    said: str
    cure: str = ""
    needed: bool = False


def run(start: Path | None, *, as_json: bool = False) -> int:
    """Look at everything, print it, return 0 if grading can be safe here and 1 if it cannot."""
    checks = []
    for check in examine(start):
        checks.append(check)
        if not as_json:
            mark = "ok" if check.ok else "FAILED" if check.needed else "note"
            print(f"{mark:<7} {check.name}: {check.said}", flush=True)
            if not check.ok and check.cure:
                print(f"        -> {check.cure}", flush=True)
    safe = all(check.ok for check in checks if check.needed)
    if as_json:
        print(json.dumps({"safe": safe, "checks": [asdict(check) for check in checks]}, indent=1))
    else:
        print("grading can be safe on this machine" if safe else "grading would NOT be safe on this machine")
    return 0 if safe else 1


def examine(start: Path | None) -> Iterator[Check]:
    """Yield every check, the cheap ones first."""
    yield _system()
    if sys.platform == "linux":
        yield from _namespaces()
        yield _pidfd()
        yield from _trial()
    yield from _space()
    yield from _packages()
    try:
        root = find_root(start)
    except CourseError as error:
        yield Check("course", False, str(error), "change to the course directory, or name it with --root")
        yield from _warm(None)
        return
    names = assignments(root)
    said = f"{root}, {len(names)} assignments in source/"
    yield Check("course", bool(names), said, "put an assignment into source/NAME/")
    yield from _warm(root)
    yield _gradebook(root)


# The operating system


def _system() -> Check:
    said = f"{platform.system()} {platform.release()} on {platform.machine()}"
    if sys.platform != "linux":
        return Check("system", False, f"{said}: sandboxes need Linux", _NOT_LINUX, needed=True)
    if platform.machine() not in ("x86_64", "aarch64"):
        return Check("system", False, f"{said}: the sandbox knows x86_64 and aarch64", _OTHERWISE, needed=True)
    release = tuple(int(n) for n in platform.release().split("-")[0].split(".")[:2] if n.isdigit())
    return Check("system", release >= (5, 12), said, "Linux 5.12 brought mount_setattr: install a newer kernel", True)


def _namespaces() -> Iterator[Check]:
    for name, flag in _NAMESPACES.items():
        error = _in_child(lambda flag=flag: _unshare(_NEWUSER | flag))
        if name == "user" and error:
            yield Check("user namespace", False, f"unshare: {error}", _userns_cure(), needed=True)
            return
        cure = "the kernel was built without it, or a container's seccomp profile forbids it"
        yield Check(f"{name} namespace", not error, error or "can be made", cure, needed=True)


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _userns_cure() -> str:
    """Return the command that allows user namespaces, judged by what forbids them here."""
    found = []
    if _setting("/proc/sys/user/max_user_namespaces") == "0":
        found.append("sudo sysctl -w user.max_user_namespaces=15000  (for good: in /etc/sysctl.d/90-userns.conf)")
    if _setting("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        found.append("Debian: sudo sysctl -w kernel.unprivileged_userns_clone=1")
    if _setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        found.append(
            "Ubuntu 24.04 and newer: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor "
            f"profile with `userns,` for {os.path.realpath(sys.executable)}"
        )
    if _contained():
        found.append(
            "container: docker or podman run --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
            "--security-opt systempaths=unconfined (Kubernetes: seccompProfile Unconfined, procMount Unmasked)"
        )
    return "; ".join([*found, _OTHERWISE])


def _setting(path: str) -> str | None:
    with contextlib.suppress(OSError):
        return Path(path).read_text().strip()
    return None


def _contained() -> bool:
    """Whether this is a container, or something else that filters system calls."""
    status = _setting("/proc/self/status") or ""
    return any(Path(p).exists() for p in ("/.dockerenv", "/run/.containerenv")) or "\nSeccomp:\t2" in status


def _in_child(action: Callable[[], None]) -> str:
    """Try something in a child process; return why it failed, or nothing."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except BaseException as error:
            os.write(write, (getattr(error, "strerror", None) or str(error)).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        said = answer.read()
    os.waitpid(pid, 0)
    return said


def _pidfd() -> Check:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (OSError, AttributeError) as error:
        return Check(
            "pidfd", False, str(error), "Linux 5.3 brought pidfd_open: a newer kernel, or container rules", True
        )
    return Check("pidfd", True, "can be opened", needed=True)


# A sandbox, tried


def _trial() -> Iterator[Check]:
    """Make a sandbox in a program of its own and run into each limit."""
    command = [sys.executable, "-m", "autograder.doctor"]
    package = str(Path(__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
        found = json.loads(done.stdout)
    except (ValueError, subprocess.TimeoutExpired) as error:
        yield Check("sandbox", False, f"the trial failed: {error}", _userns_cure(), needed=True)
        return
    if "error" in found:
        yield Check("sandbox", False, found["error"], _userns_cure(), needed=True)
        return
    yield Check("sandbox", True, "can be made", needed=True)
    words = {
        "memory": f"{_TRIAL_MB} MB a process",
        "processes": f"{_TRIAL_PROCESSES} processes",
        "disk": f"{_TRIAL_DISK_MB} MB of files",
        "network": "no network",
        "files": "nothing of the instructor's files",
    }
    for name, what in words.items():
        said = found.get(name, "not tried")
        cure = "report this with `uname -a`: the sandbox was made, but does not hold"
        yield Check(f"limit on {name}", said == "held", f"{what}: {said}", cure, needed=True)


def _run_trial() -> None:
    """Be the program of the trial: print what held as JSON."""
    from autograder.engine.sandbox import HOME, Limits, SandboxError, View, become_subreaper, spawn
    from autograder.engine.warm import environment_paths

    limits = Limits(memory_mb=_TRIAL_MB, processes=_TRIAL_PROCESSES, disk_mb=_TRIAL_DISK_MB)
    read, write = os.pipe()
    # A file of the account's own, and what every account has or this course keeps from learners.
    with tempfile.NamedTemporaryFile(prefix="ag-doctor-", delete=False) as file:
        secret = file.name
    watched = [secret, "/etc/shadow", "/var/log", "/root/.bashrc", os.path.expanduser("~/.bashrc")]
    watched += [str(Path(__file__).parent), str(Path(__file__).parent.parent / "source")]

    def inside(sockets_ready: Callable[[], None]) -> None:
        sockets_ready()
        tries = {"memory": _try_memory, "processes": _try_processes, "disk": lambda: _try_disk(HOME)}
        tries |= {"network": _try_network, "files": lambda: _try_files(watched)}
        found = {name: _held(attempt) for name, attempt in tries.items()}
        os.write(write, json.dumps(found).encode())

    with tempfile.TemporaryDirectory(prefix="ag-doctor-") as sockets:
        os.chmod(sockets, 0o777)
        try:
            become_subreaper()
            pid = spawn(View(environment_paths(), sockets), limits, inside, keep=(write,))
        except (SandboxError, OSError) as error:
            print(json.dumps({"error": str(error)}))
            os.unlink(secret)
            return
        os.close(write)
        with os.fdopen(read) as answer:
            text = answer.read()
        os.waitpid(pid, 0)
        os.unlink(secret)
    print(text or json.dumps({"error": "the process in the sandbox ended at once"}))


def _held(attempt: Callable[[], str | None]) -> str:
    try:
        return attempt() or "held"
    except Exception as error:  # whatever a limit raises that was not expected
        return f"unclear: {error}"


def _try_memory() -> str | None:
    try:
        block = bytearray((_TRIAL_MB + 100) << 20)
    except MemoryError:
        return None
    return f"{len(block) >> 20} MB could be taken"


def _try_processes() -> str | None:
    children = []
    try:
        for _ in range(4 * _TRIAL_PROCESSES):
            pid = os.fork()
            if pid == 0:
                # It ends with the sandbox.
                while True:
                    with contextlib.suppress(BaseException):
                        os.read(os.pipe()[0], 1)
            children.append(pid)
    except BlockingIOError:
        return None
    finally:
        for pid in children:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
    return f"{len(children)} could be started"


def _try_disk(home: str) -> str | None:
    try:
        for number in range(4):
            Path(home, f"big{number}").write_bytes(bytes((_TRIAL_DISK_MB - 2) << 20))
    except OSError:
        return None
    finally:
        for path in Path(home).glob("big*"):
            path.unlink()
    return "more could be written"


def _try_network() -> str | None:
    names = [name for _, name in socket.if_nameindex() if name != "lo"]
    if names:
        return f"there are the interfaces {', '.join(names)}"
    try:
        # An address for examples, RFC 5737: nothing is sent where there is no network.
        socket.create_connection(("192.0.2.1", 9), timeout=1).close()
    except OSError as error:
        return None if error.strerror == "Network is unreachable" else f"unclear: {error}"
    return "a connection was made"


def _try_files(watched: list[str]) -> str | None:
    seen = [path for path in watched if os.path.exists(path)]
    try:
        Path("/usr/written").write_text("")
        seen.append("/usr can be written")
    except OSError:
        pass
    return f"it sees {', '.join(seen)}" if seen else None


# Room, packages, the course


def _space() -> Iterator[Check]:
    free = shutil.disk_usage(tempfile.gettempdir()).free / 1e9
    yield Check("disk", free >= _LEAST_DISK_GB, f"{free:.1f} GB free in {tempfile.gettempdir()}", "make room there")
    fields = dict(line.split(":", 1) for line in (_setting("/proc/meminfo") or "").splitlines())
    if "MemAvailable" in fields:
        available = int(fields["MemAvailable"].split()[0]) / 1e6
        cure = "grade with --jobs 1 and a lower --memory"
        yield Check("memory", available >= _LEAST_MEMORY_GB, f"{available:.1f} GB free", cure)


def _packages() -> Iterator[Check]:
    try:
        version = metadata.version("nbgrader")
        good = version.startswith("0.9.") and int(version.split(".")[2]) >= 5
        yield Check(
            "nbgrader", good, version, "the engine was tested with 0.9.5 and newer 0.9: pip install nbgrader~=0.9.5"
        )
    except (metadata.PackageNotFoundError, ValueError, IndexError):
        yield Check("nbgrader", False, "not installed", "make setup", needed=True)
    found = util.find_spec("d2l") is not None
    yield Check("d2l", found, "installed" if found else "not installed", "pip install --no-deps d2l==1.0.3")


def _warm(root: Path | None) -> Iterator[Check]:
    """Start the warm process with the modules of every assignment; it starts no sandbox."""
    from autograder.engine.sandbox import SandboxError
    from autograder.engine.warm import DEFAULT_WARM, WarmProcess, warm_set

    modules = dict.fromkeys(DEFAULT_WARM)
    for name in assignments(root) if root else ():
        modules |= dict.fromkeys(warm_set(root, name))
    try:
        warm = WarmProcess(tuple(modules), sandboxed=sys.platform == "linux")
    except (SandboxError, OSError) as error:
        cure = "find the module that starts threads and take it out of [tool.autograder.warm] in pyproject.toml"
        yield Check("warm process", False, str(error), cure, needed=True)
        return
    warm.close()
    missing = "; ".join(warm.missing)
    said = f"lacks {missing}" if missing else f"{len(modules)} modules imported, one thread"
    yield Check("warm process", not missing, said, "install what is missing, or take it out of the assignment")


def _gradebook(root: Path) -> Check:
    import logging

    from nbgrader.apps.baseapp import NbGrader
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    with contextlib.chdir(root):
        app = NbGrader()
        app.log_level = logging.CRITICAL
        app.initialize([])
        url = make_url(app.coursedir.db_url)
        shown = url.render_as_string(hide_password=True)
        if url.drivername.startswith("sqlite") and not Path(url.database or "").exists():
            cure = "it is made by `nbgrader generate_assignment`"
            return Check("gradebook", False, f"{shown} does not exist yet", cure)
        try:
            engine = create_engine(url)
            with engine.connect() as connection:
                version = connection.execute(text("select version_num from alembic_version")).scalar()
            engine.dispose()
        except (SQLAlchemyError, ImportError) as error:
            said = str(getattr(error, "orig", error)).splitlines()[0]
            cure = (
                "look at CourseDirectory.db_url, the server and its rights; for an old gradebook: nbgrader db upgrade"
            )
            return Check("gradebook", False, f"{shown}: {said}", cure, needed=True)
    wanted = _newest_revision()
    if wanted is not None and version != wanted:
        said = f"{shown} is of version {version}, this nbgrader wants {wanted}"
        return Check("gradebook", False, said, "copy it, then: nbgrader db upgrade", needed=True)
    return Check("gradebook", True, f"{shown}, version {version}", needed=True)


def _newest_revision() -> str | None:
    import nbgrader
    from alembic.script import ScriptDirectory

    folder = Path(nbgrader.__file__).parent / "alembic"
    return ScriptDirectory(str(folder)).get_current_head() if folder.is_dir() else None


if __name__ == "__main__":
    _run_trial()
