"""Shut a freshly forked process into a sandbox: Linux namespaces, by the calls that bubblewrap makes.

A forked kernel cannot be started through the `bwrap` program, which runs a new program and so loses
what the warm process had imported. The steps are the same: a user namespace, then new mount, process,
network, IPC and host-name namespaces; a root of its own made of read-only views; no capability left.
See user_namespaces(7), mount_namespaces(7), pivot_root(2), mount_setattr(2).
"""

import contextlib
import ctypes
import errno
import os
import resource
import select
import shutil
import signal
import socket
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
_PR_SET_SECCOMP = 22
_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_SET_CHILD_SUBREAPER, _PR_SET_PDEATHSIG = 4, 24, 38, 36, 1
# mount_setattr and pivot_root by machine; the C library has no wrapper for either everywhere.
_SYSCALLS = {"x86_64": {"pivot_root": 155, "mount_setattr": 442}, "aarch64": {"pivot_root": 41, "mount_setattr": 442}}

# System calls that no notebook makes, a second wall behind the namespaces: what mounts, traces or loads code
# into the system; new namespaces, in which learner code would have rights again; and memory that counts for
# no process (memfd, System V). Numbers by machine: x86_64, aarch64.
_REFUSED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "unshare": (272, 97), "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194),
    "msgget": (68, 186), "mq_open": (240, 180), "userfaultfd": (323, 282), "perf_event_open": (298, 241),
    "bpf": (321, 280), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "kexec_load": (246, 104), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "open_by_handle_at": (304, 265),
    "quotactl": (179, 60), "acct": (163, 89), "swapon": (167, 224), "reboot": (169, 142), "syslog": (103, 116),
    "fanotify_init": (300, 262), "personality": (135, 92),
}  # fmt: skip
_CLONE = {"x86_64": (0xC000003E, 0, 56, 435), "aarch64": (0xC00000B7, 1, 220, 435)}

LEARNER_UID = 1000
HOME = "/home/learner"
SOCKETS = "/run/kernel"


class SandboxError(Exception):
    """This machine or account cannot make the sandbox; the message says which step failed."""


class CopyError(OSError):
    """The files of one submission cannot be copied into a sandbox; others may well be."""


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
    """What the inside can see: read-only paths, at their own places; a folder for the kernel's sockets; and a
    folder whose content is copied to where the notebook runs."""

    read_only: tuple[str, ...]
    sockets: str | None = None
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

    def restrict(self, target: str, attributes: int, *, below: bool = True) -> None:
        """Set mount attributes on a mount and, usually, all below it."""
        # struct mount_attr: attr_set, attr_clr, propagation, userns_fd.
        packed = struct.pack("QQQQ", attributes, 0, 0, 0)
        number = self._numbers["mount_setattr"]
        result = self._c.syscall(
            number, _AT_FDCWD, target.encode(), _AT_RECURSIVE if below else 0, packed, ctypes.c_size_t(len(packed))
        )
        self.check(result, f"mount_setattr {target}")

    def prctl(self, option: int, value: int) -> None:
        self.check(self._c.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")

    def refuse_calls(self) -> None:
        """Install a filter (seccomp(2)) that refuses the system calls above, for good and for all children."""
        machine, column, clone, clone3 = _CLONE[os.uname().machine]
        load, equal, at_least, any_bit, give = 0x20, 0x15, 0x35, 0x45, 0x06
        allow, kill, refuse, unknown = 0x7FFF0000, 0x80000000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
        numbers = [pair[column] for pair in _REFUSED.values()]
        namespaces = sum(_CLONE_NEW.values()) | 0x2000000  # and control groups
        # (code, if true skip, if false skip, value); the offsets are those of struct seccomp_data.
        program = [
            (load, 0, 0, 4), (equal, 1, 0, machine), (give, 0, 0, kill),
            # No calls by the numbers of the x32 interface.
            (load, 0, 0, 0), (at_least, 0, 1, 0x40000000), (give, 0, 0, unknown),
            # Its flags lie in memory, where a filter cannot look; the C library then uses clone.
            (equal, 0, 1, clone3), (give, 0, 0, unknown),
        ]  # fmt: skip
        for number in numbers:
            program += [(equal, 0, 1, number), (give, 0, 0, refuse)]
        program += [(equal, 0, 3, clone), (load, 0, 0, 16), (any_bit, 0, 1, namespaces), (give, 0, 0, refuse)]
        program += [(give, 0, 0, allow)]
        packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
        header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(packed)))
        self.check(
            self._c.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(2), ctypes.c_void_p(ctypes.addressof(header)), 0, 0),
            "seccomp",
        )

    def bound_capabilities(self) -> None:
        """Let no program that is started gain a capability. Needs one itself, so it comes first."""
        for capability in range(64):
            if self._c.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
                break

    def drop_capabilities(self) -> None:
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
            sockets stand in SOCKETS; when that returns, nothing but the temporary folder can be written.
        keep: descriptors that the inside may use; all others but the standard ones are closed there.
        lifeline: a descriptor that becomes readable when the sandbox must end, such as the read end of
            a pipe whose write end only the grader holds.

    Raises:
        SandboxError: a step failed; nothing is left behind.
        CopyError: it is the copy of `view.work` that failed.
    """
    report_read, report_write = os.pipe()
    mapped_read, mapped_write = os.pipe()
    try:
        first = _fork_into_namespaces()
    except SandboxError:
        for descriptor in (report_read, report_write, mapped_read, mapped_write):
            os.close(descriptor)
        raise
    if first == 0:
        try:
            os.close(report_read)
            os.close(mapped_write)
            _first(view, limits, inside, keep, lifeline, report_write, mapped_read)
        except BaseException as error:
            kind = "C" if isinstance(error, CopyError) else "E"
            with contextlib.suppress(OSError):
                os.write(report_write, f"{kind}{error}".encode(errors="backslashreplace")[:4000])
            if kind == "E":
                traceback.print_exc()
        finally:
            os._exit(1)
    os.close(report_write)
    os.close(mapped_read)
    text = b""
    try:
        _map_users(first)
        os.write(mapped_write, b"M")
        while chunk := os.read(report_read, 4096):
            text += chunk
    except OSError as error:
        text = f"E{error}".encode()
    finally:
        os.close(report_read)
        os.close(mapped_write)
        if not text.startswith(b"P"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(first, signal.SIGKILL)
            os.waitpid(first, 0)
    if text.startswith(b"P"):
        return first
    if text.startswith(b"C"):
        raise CopyError(text[1:].decode(errors="replace"))
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


def _fork_into_namespaces() -> int:
    """Fork, as os.fork does, with the child as the first process of new namespaces of every kind.

    One clone(2) in place of fork, unshare and fork: the warm process is large, and each copy of its page
    tables costs as much as all else in here.
    """
    flags = signal.SIGCHLD
    for flag in _CLONE_NEW.values():
        flags |= flag
    # PyDLL keeps the interpreter's lock, as os.fork does.
    library, number = ctypes.PyDLL(None, use_errno=True), {"x86_64": 56, "aarch64": 220}.get(os.uname().machine)
    if number is None:
        raise SandboxError(f"no sandbox for {os.uname().machine} processors")
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = library.syscall(ctypes.c_long(number), ctypes.c_ulong(flags), None, None, None, None)
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    error = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise SandboxError(f"clone: {os.strerror(error)}")
    return pid


def _build_root(libc: _Libc, view: View, limits: Limits) -> None:
    # What is made here must be readable for the learner's account, whatever the instructor's own files are.
    os.umask(0o022)
    # An environment may be a link to elsewhere; where it leads is known only from the outside.
    places = {path: os.path.realpath(path) for path in view.read_only}
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
    for path in sorted(places, key=len):
        _bind(libc, f"/old{places[path]}", new + path, fixed)
    for name in ("null", "zero", "full", "random", "urandom"):
        _bind(libc, f"/old/dev/{name}", f"{new}/dev/{name}", _MOUNT_ATTR_NOSUID)
    os.makedirs(f"{new}/etc", exist_ok=True)
    Path(f"{new}/etc/passwd").write_text(f"learner:x:{LEARNER_UID}:{LEARNER_UID}::{HOME}:/bin/sh\n")
    if view.work is not None:
        try:
            _copy(f"/old{view.work}", f"{new}{HOME}/work", limits.disk_mb << 20)
        except (OSError, RecursionError) as error:
            said = error.strerror if isinstance(error, OSError) else error
            raise CopyError(f"the files cannot be copied into the sandbox: {said}") from None
    if view.sockets is not None:
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


def _first(
    view: View, limits: Limits, inside: Callable, keep: tuple[int, ...], lifeline: int | None, report: int, mapped: int
) -> None:
    """Be process 1: build the root, start the learner's process, close the socket folder, wait for the end."""
    libc = _Libc()
    if os.read(mapped, 1) != b"M":
        raise SandboxError("the user map could not be written")
    _build_root(libc, view, limits)
    libc.mount("proc", "/new/proc", "proc", _MS_NOSUID | _MS_NODEV)
    libc.pivot_root("/new", "/new/home")
    # The old root now lies over /home; take it away with everything of the outside.
    libc.umount("/home")
    # Without root's rights, learner code runs as the account that owns the new root.
    libc.restrict("/", _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV, below=False)
    os.chdir(HOME)
    os.write(report, b"P")
    # Whatever the warm process holds (its control socket above all) ends here.
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2 and descriptor not in keep and descriptor != lifeline:
            with contextlib.suppress(OSError):
                os.close(descriptor)
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            ours.close()
            if lifeline is not None:
                os.close(lifeline)
            _confine(libc, limits)

            def sockets_ready() -> None:
                theirs.send(b"R")
                # On a busy machine the learner's first cell would else run before the folder is closed.
                if theirs.recv(1) != b"C":
                    raise SandboxError("the folder of the sockets could not be closed")
                theirs.close()

            inside(sockets_ready)
        except BaseException:
            # To the real descriptor: a kernel that got far enough has replaced sys.stderr.
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(0)
    theirs.close()
    for descriptor in keep:
        os.close(descriptor)
    libc.prctl(_PR_SET_DUMPABLE, 0)
    if ours.recv(1) == b"R" and view.sockets is not None:
        libc.restrict(SOCKETS, _MOUNT_ATTR_RDONLY)
    libc.drop_capabilities()
    # Orphans are reaped by the kernel from here on.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with contextlib.suppress(ConnectionError):
        ours.send(b"C")
    ours.close()
    ends = [os.pidfd_open(child)] + ([lifeline] if lifeline is not None else [])
    select.select(ends, [], [])
    # When process 1 ends, the kernel kills all others of its namespace.
    os._exit(0)


_LARGEST = 1 << 62


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
        # This account may have a lower limit already, and no right to a higher one.
        allowed = resource.getrlimit(kind)[1]
        most = min(most, _LARGEST if allowed == resource.RLIM_INFINITY else allowed)
        resource.setrlimit(kind, (most, most))
    libc.bound_capabilities()
    if os.geteuid() == 0:
        os.setgroups([])
    os.setresgid(LEARNER_UID, LEARNER_UID, LEARNER_UID)
    os.setresuid(LEARNER_UID, LEARNER_UID, LEARNER_UID)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1)
    libc.drop_capabilities()
    with contextlib.suppress(SandboxError):
        # A few systems do without such filters; the namespaces stand by themselves.
        libc.refuse_calls()
    # No debugger, and no /proc/self/mem, can reach into the kernel from its own children.
    libc.prctl(_PR_SET_DUMPABLE, 0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
