"""Shut a freshly forked process into a sandbox: Linux namespaces, by the calls that bubblewrap makes.

A forked kernel cannot be started through the `bwrap` program, which runs a new program and so loses
what the warm process had imported. The steps are the same: a user namespace, then new mount, process,
network, IPC and host-name namespaces; a root of its own made of read-only views; no capability left.
See user_namespaces(7), mount_namespaces(7), pivot_root(2), mount_setattr(2).
"""

import contextlib
import ctypes
import os
import resource
import select
import shutil
import signal
import struct
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_CLONE_NEW = {
    "user": 0x10000000,
    "mount": 0x20000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "ipc": 0x8000000,
    "uts": 0x4000000,
}
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID, _MOUNT_ATTR_NODEV = 1, 2, 4
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_MNT_DETACH = 2
_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_SET_CHILD_SUBREAPER, _PR_SET_PDEATHSIG = 4, 24, 38, 36, 1
# mount_setattr and pivot_root by machine; the C library has no wrapper for either everywhere.
_SYSCALLS = {"x86_64": {"pivot_root": 155, "mount_setattr": 442}, "aarch64": {"pivot_root": 41, "mount_setattr": 442}}

LEARNER_UID = 1000
HOME = "/home/learner"
SOCKETS = "/run/kernel"


class SandboxError(Exception):
    """This machine or account cannot make the sandbox; the message says which step failed."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use."""

    memory_mb: int = 2048
    processes: int = 64
    open_files: int = 512
    disk_mb: int = 256
    cpu_s: int = 900


@dataclass(frozen=True)
class View:
    """What the inside can see: read-only paths, at their own places; the folder for the kernel's sockets;
    and a folder whose content is copied to where the notebook runs."""

    read_only: tuple[str, ...]
    sockets: str
    work: str | None = None


class _Libc:
    """The few system calls used here, each failing with a sentence."""

    def __init__(self) -> None:
        self._c = ctypes.CDLL(None, use_errno=True)
        numbers = _SYSCALLS.get(os.uname().machine)
        if numbers is None:
            raise SandboxError(f"no sandbox for {os.uname().machine} processors")
        self._numbers = numbers

    def check(self, result: int, what: str) -> int:
        if result < 0:
            error = ctypes.get_errno()
            raise SandboxError(f"{what}: {os.strerror(error)}")
        return result

    def unshare(self, flags: int) -> None:
        self.check(self._c.unshare(flags), "unshare")

    def mount(self, source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
        arguments = [text.encode() if text is not None else None for text in (source, target, kind)]
        encoded = data.encode() if data is not None else None
        self.check(self._c.mount(*arguments, ctypes.c_ulong(flags), encoded), f"mount {target}")

    def umount(self, target: str) -> None:
        self.check(self._c.umount2(target.encode(), _MNT_DETACH), f"umount {target}")

    def pivot_root(self, new: str, old: str) -> None:
        self.check(self._c.syscall(self._numbers["pivot_root"], new.encode(), old.encode()), "pivot_root")

    def restrict(self, target: str, attributes: int) -> None:
        """Set mount attributes on a mount and all below it."""
        # struct mount_attr: attr_set, attr_clr, propagation, userns_fd.
        packed = struct.pack("QQQQ", attributes, 0, 0, 0)
        number = self._numbers["mount_setattr"]
        result = self._c.syscall(
            number, _AT_FDCWD, target.encode(), _AT_RECURSIVE, packed, ctypes.c_size_t(len(packed))
        )
        self.check(result, f"mount_setattr {target}")

    def prctl(self, option: int, value: int) -> None:
        self.check(self._c.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")

    def drop_capabilities(self) -> None:
        for capability in range(64):
            if self._c.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
                break
        # capset(2), version 3: a header and two sets of effective, permitted, inheritable.
        header = struct.pack("II", 0x20080522, 0)
        self.check(self._c.capset(header, struct.pack("IIIIII", 0, 0, 0, 0, 0, 0)), "capset")


def become_subreaper() -> None:
    """Let orphaned grandchildren be waited for by this process."""
    _Libc().prctl(_PR_SET_CHILD_SUBREAPER, 1)


def spawn(
    view: View,
    limits: Limits,
    inside: Callable[[Callable[[], None]], None],
    *,
    keep: tuple[int, ...] = (),
    lifeline: int | None = None,
) -> int:
    """Fork a process into a new sandbox and run `inside` there; return the sandbox's process id.

    Must be called from a process with one thread. The returned process is the first of its process
    namespace: when it ends, by itself or by SIGKILL, everything in the sandbox is killed by the
    kernel. It becomes a child of the caller if that called `become_subreaper`.

    Args:
        view: what the inside can see.
        limits: what it may use.
        inside: runs in the sandbox with every limit in force. It is given a function to call once its
            sockets stand in SOCKETS; after that, nothing but the temporary folder can be written.
        keep: descriptors that the inside may use; all others but the standard ones are closed there.
        lifeline: a descriptor that becomes readable when the sandbox must end, such as the read end of
            a pipe whose write end only the grader holds.

    Raises:
        SandboxError: a step failed; nothing is left behind.
    """
    report_read, report_write = os.pipe()
    mapped_read, mapped_write = os.pipe()
    middle = os.fork()
    if middle == 0:
        try:
            os.close(report_read)
            os.close(mapped_write)
            _middle(view, limits, inside, keep, lifeline, report_write, mapped_read)
        except BaseException as error:
            os.write(report_write, f"E{error}".encode()[:4000])
        finally:
            os._exit(1)
    os.close(report_write)
    os.close(mapped_read)
    try:
        if os.read(report_read, 1) == b"U":
            _map_users(middle)
            os.write(mapped_write, b"M")
        text = b""
        while chunk := os.read(report_read, 4096):
            text += chunk
    finally:
        os.close(report_read)
        os.close(mapped_write)
        os.waitpid(middle, 0)
    if text.startswith(b"P"):
        return int(text[1:])
    raise SandboxError(text.removeprefix(b"E").decode(errors="replace") or "the sandbox could not be started")


def _map_users(pid: int) -> None:
    """Say who the inside is outside: with root's rights, nobody; otherwise the account itself."""
    root = os.geteuid() == 0
    # As root, 0 stays 0 while the sandbox is built; the learner's code then runs as 65534.
    users = f"0 0 1\n{LEARNER_UID} 65534 1\n" if root else f"{LEARNER_UID} {os.geteuid()} 1\n"
    groups = f"0 0 1\n{LEARNER_UID} 65534 1\n" if root else f"{LEARNER_UID} {os.getegid()} 1\n"
    if not root:
        Path(f"/proc/{pid}/setgroups").write_text("deny")
    Path(f"/proc/{pid}/uid_map").write_text(users)
    Path(f"/proc/{pid}/gid_map").write_text(groups)


def _middle(
    view: View, limits: Limits, inside: Callable, keep: tuple[int, ...], lifeline: int | None, report: int, mapped: int
) -> None:
    """Enter the namespaces and build the root, then fork the first process of the new process namespace."""
    libc = _Libc()
    flags = 0
    for flag in _CLONE_NEW.values():
        flags |= flag
    libc.unshare(flags)
    os.write(report, b"U")
    if os.read(mapped, 1) != b"M":
        raise SandboxError("the user map could not be written")
    _build_root(libc, view, limits)
    first = os.fork()
    if first:
        os.write(report, b"P%d" % first)
        os._exit(0)
    try:
        _first(libc, limits, inside, keep, lifeline)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _build_root(libc: _Libc, view: View, limits: Limits) -> None:
    libc.mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    # Two turns, as bubblewrap does it: the old root moves aside, so that even /tmp can be seen from
    # there, and the new one is built beside it.
    libc.mount("tmpfs", "/tmp", "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=0755")
    os.makedirs("/tmp/new")
    os.makedirs("/tmp/old")
    libc.pivot_root("/tmp", "/tmp/old")
    os.chdir("/")
    new = "/new"
    libc.mount("tmpfs", new, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=0755,size=1m")
    # One size-limited file system holds everything that can be written.
    space = f"mode=0755,size={limits.disk_mb}m,nr_inodes=20000"
    os.makedirs(new + "/home")
    libc.mount("tmpfs", f"{new}/home", "tmpfs", _MS_NOSUID | _MS_NODEV, space)
    for inner, outer in ((HOME, HOME), ("/home/tmp", "/tmp"), ("/home/shm", "/dev/shm")):
        os.makedirs(new + inner, exist_ok=True)
        os.chmod(new + inner, 0o1777)
        if inner != outer:
            _bind(libc, new + inner, new + outer, 0)
    # After that, so that a course that lies below /tmp can be seen there.
    fixed = _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV
    for path in sorted(set(view.read_only), key=len):
        _bind(libc, f"/old{path}", new + path, fixed)
    for name in ("null", "zero", "full", "random", "urandom"):
        _bind(libc, f"/old/dev/{name}", f"{new}/dev/{name}", _MOUNT_ATTR_NOSUID)
    os.makedirs(f"{new}/etc", exist_ok=True)
    Path(f"{new}/etc/passwd").write_text(f"learner:x:{LEARNER_UID}:{LEARNER_UID}::{HOME}:/bin/sh\n")
    if view.work is not None:
        _copy(f"/old{view.work}", f"{new}{HOME}/work", limits.disk_mb << 20)
    _bind(libc, f"/old{view.sockets}", new + SOCKETS, _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV)
    os.makedirs(f"{new}/proc")


def _bind(libc: _Libc, source: str, target: str, attributes: int) -> None:
    if not os.path.exists(source):
        return
    if os.path.islink(target):
        return
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target):
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    libc.mount(source, target, None, _MS_BIND | _MS_REC)
    if attributes:
        libc.restrict(target, attributes)


def _copy(source: str, target: str, most: int) -> None:
    """Copy ordinary files, up to a size, so that the inside may change them; links are left out."""
    left = most // 2
    for folder, _, names in os.walk(source):
        place = os.path.join(target, os.path.relpath(folder, source))
        os.makedirs(place, exist_ok=True)
        os.chmod(place, 0o777)
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path) or (size := os.path.getsize(path)) > left:
                continue
            left -= size
            shutil.copyfile(path, os.path.join(place, name))
            os.chmod(os.path.join(place, name), 0o666)


def _first(libc: _Libc, limits: Limits, inside: Callable, keep: tuple[int, ...], lifeline: int | None) -> None:
    """Be process 1: finish the root, start the learner's process, close the socket folder, wait for the end."""
    libc.mount("proc", "/new/proc", "proc", _MS_NOSUID | _MS_NODEV)
    libc.pivot_root("/new", "/new/home")
    # The old root now lies over /home; take it away with everything of the outside.
    libc.umount("/home")
    os.chdir(HOME)
    # Whatever the warm process holds (its control socket above all) ends here.
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2 and descriptor not in keep and descriptor != lifeline:
            with contextlib.suppress(OSError):
                os.close(descriptor)
    ready_read, ready_write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(ready_read)
            if lifeline is not None:
                os.close(lifeline)
            _confine(libc, limits)

            def sockets_ready() -> None:
                os.write(ready_write, b"R")
                os.close(ready_write)

            inside(sockets_ready)
        except BaseException:
            # To the real descriptor: a kernel that got far enough has replaced sys.stderr.
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(0)
    os.close(ready_write)
    for descriptor in keep:
        os.close(descriptor)
    libc.prctl(_PR_SET_DUMPABLE, 0)
    if os.read(ready_read, 1) == b"R":
        libc.restrict(SOCKETS, _MOUNT_ATTR_RDONLY)
    libc.drop_capabilities()
    # Orphans are reaped by the kernel from here on.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    ends = [os.pidfd_open(child)] + ([lifeline] if lifeline is not None else [])
    select.select(ends, [], [])
    # When process 1 ends, the kernel kills all others of its namespace.
    os._exit(0)


def _confine(libc: _Libc, limits: Limits) -> None:
    """Give up every right and set the limits."""
    megabyte = 1 << 20
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    for kind, most in (
        # What the warm process had mapped is shared and does not count.
        (resource.RLIMIT_AS, used + limits.memory_mb * megabyte),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_FSIZE, limits.disk_mb * megabyte),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        resource.setrlimit(kind, (most, most))
    if os.geteuid() == 0:
        os.setgroups([])
    os.setresgid(LEARNER_UID, LEARNER_UID, LEARNER_UID)
    os.setresuid(LEARNER_UID, LEARNER_UID, LEARNER_UID)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1)
    libc.drop_capabilities()
    # No debugger, and no /proc/self/mem, can reach into the kernel from its own children.
    libc.prctl(_PR_SET_DUMPABLE, 0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
