"""The grader's handle on the warm process: start it, ask it for kernels, notice when it has died."""

import array
import ast
import atexit
import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import sysconfig
import threading
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from autograder.engine.channel import Channel
from autograder.engine.sandbox import HOME, CopyError, Limits, SandboxError
from autograder.engine.zygote import MESSAGE_SIZE

DEFAULT_WARM = ("numpy", "pandas", "matplotlib.pyplot", "torch", "d2l.torch", "dlcourse.check")
# Let large tensors, and what the imports make, lie in pages of 2 MB: one fault, and in a fork one entry to copy, in
# place of 512. glibc does it where its own malloc is asked; elsewhere nothing happens.
_HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"} if sys.platform == "linux" else {}
# The file name of tests and of what runs them in a kernel: a random one, so that no learner's code can be compiled
# under it.
GATE_FILE = f"<gate {secrets.token_hex(16)}>"


@dataclass(frozen=True)
class KernelRequest:
    """What one kernel is told, beyond how to be reached."""

    limits: Limits = field(default_factory=Limits)
    work: Path | None = None
    imports: tuple[str, ...] = ()
    pristine: tuple[str, ...] = ("dlcourse.check",)


class WarmProcess:
    """A running warm process.

    Args:
        modules: what it imports before it forks anything; a missing one is noted, not fatal.
        visible: directories that kernels may read beside the Python environment (datasets, say).
        sandboxed: False forks kernels that can do what the account can do.

    Raises:
        SandboxError: it could not be started.
    """

    def __init__(
        self, modules: Sequence[str] = DEFAULT_WARM, visible: Sequence[Path] = (), *, sandboxed: bool = True
    ) -> None:
        self._launch(modules, visible, sandboxed)
        self.wait_ready()

    @classmethod
    def begin(
        cls, modules: Sequence[str] = DEFAULT_WARM, visible: Sequence[Path] = (), *, sandboxed: bool = True
    ) -> "WarmProcess":
        """Start one and return at once; it imports while the caller does something else until `wait_ready`."""
        self = cls.__new__(cls)
        self._launch(modules, visible, sandboxed)
        return self

    def _launch(self, modules: Sequence[str], visible: Sequence[Path], sandboxed: bool) -> None:
        self.read_only = environment_paths(visible)
        self.sandboxed = sandboxed
        self.missing: list[str] = []
        self._ready = False
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Only this process holds the write end: when it dies, however, every sandbox ends.
        self._lifeline_read, self._lifeline_write = os.pipe()
        os.set_inheritable(theirs.fileno(), True)
        self._process = subprocess.Popen(
            # The same course package as here, whichever copy of it the current folder (kept off the path by
            # -P) or the environment would lead to: it is this one that the sandbox shows.
            [sys.executable, "-P", "-m", "autograder.engine.zygote", str(theirs.fileno())],
            env={**_environment(), **_HUGE_PAGES, "PYTHONPATH": str(_course_package().parent)},
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        hello = {"warm": list(modules), "sandboxed": sandboxed, "gate": GATE_FILE}
        self._control.send(json.dumps(hello).encode())
        atexit.register(self.close)

    def wait_ready(self) -> None:
        """Wait until it can be asked for kernels.

        Raises:
            SandboxError: it could not be started.
        """
        if self._ready:
            return
        try:
            answer = self._receive()
            if answer["threads"] != 1:
                raise SandboxError(
                    f"an imported module started {answer['threads'] - 1} threads; forking would be unsafe"
                )
        except SandboxError:
            self.close()
            raise
        self.missing, self._ready = answer["missing"], True

    def fork(
        self, request: KernelRequest, folder: str | None, connection: dict | None
    ) -> tuple[int, Channel, socket.socket | None]:
        """Start a kernel; return its sandbox's process id, the private channel to its gate, and another connection.

        Args:
            request: what the kernel may see and use.
            folder: the one for the kernel's sockets and, without a sandbox, for its files.
            connection: jupyter_client's connection info with transport `ipc`; None for a kernel that speaks
                the language of messages.py, over the connection that is returned then.

        Raises:
            SandboxError: the sandbox could not be made, or the warm process is gone.
            CopyError: the submission's files cannot be copied.
        """
        key = secrets.token_bytes(32)
        kinds = 1 if connection else 2
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(kinds)]
        message = {
            "connection": connection,
            "folder": folder,
            "key": key.hex(),
            "environment": {**_environment(), "HOME": HOME, "TMPDIR": "/tmp"},
            "imports": request.imports,
            "pristine": request.pristine,
            "libraries": [path for path in self.read_only if path.endswith(("site-packages", "dlcourse"))],
            "view": {
                "read_only": self.read_only,
                "sockets": folder if connection else None,
                "work": str(request.work) if request.work else None,
            },
            "limits": asdict(request.limits),
        }
        ours, theirs = zip(*pairs, strict=True)
        numbers = [theirs[0].fileno(), self._lifeline_read, *(end.fileno() for end in theirs[1:])]
        descriptors = array.array("i", numbers).tobytes()
        with self._lock, contextlib.ExitStack() as unless_started:
            for end in ours:
                unless_started.callback(end.close)
            try:
                self._control.sendmsg(
                    [json.dumps(message).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)]
                )
                answer = self._receive()
            except ConnectionError as error:
                raise SandboxError(f"the warm process ended ({error})") from error
            finally:
                for end in theirs:
                    end.close()
            if "error" in answer:
                raise (CopyError if answer.get("copy") else SandboxError)(answer["error"])
            unless_started.pop_all()
        return answer["pid"], Channel(ours[0], key, side=0), None if connection else ours[1]

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def close(self) -> None:
        """End it and every sandbox it started."""
        atexit.unregister(self.close)
        if not self._ready:
            # It may still be importing; there is no kernel that would be left behind.
            self._process.kill()
        self._control.close()
        for descriptor in (self._lifeline_read, self._lifeline_write):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _receive(self) -> dict:
        try:
            message = self._control.recv(MESSAGE_SIZE)
        except OSError:
            message = b""
        if not message:
            code = self._process.wait(10)
            raise SandboxError(f"the warm process ended (exit code {code})")
        return json.loads(message)


def warm_set(root: Path, assignment: str) -> tuple[str, ...]:
    """Return the modules to import before kernels of an assignment are forked.

    pyproject.toml in the course's root may name them, an assignment at a time or for all (`default`):

        [tool.autograder.warm]
        default = ["torch", "d2l.torch"]
        week07_text = ["torch", "d2l.torch", "sentencepiece"]

    Otherwise they are what the course always needs, and what the import statements of the assignment's own
    notebooks name, also those inside functions. A module that is not in the set costs each learner who uses it
    its import, and nothing else.
    """
    # Whatever stands there otherwise: it is the file of other programs as well.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        text = (root / "pyproject.toml").read_text("utf-8")
        configured = tomllib.loads(text).get("tool", {}).get("autograder", {}).get("warm", {})
        chosen = configured.get(assignment, configured.get("default"))
        if isinstance(chosen, list) and all(isinstance(name, str) for name in chosen):
            return tuple(chosen)
    names = dict.fromkeys(DEFAULT_WARM)
    for path in sorted((root / "source" / assignment).glob("*.ipynb")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            for cell in json.loads(path.read_text("utf-8"))["cells"]:
                if cell["cell_type"] == "code":
                    names |= dict.fromkeys(_imported("".join(cell["source"])))
    return tuple(names)


def _imported(source: str) -> list[str]:
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return []
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return names + [n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module and not n.level]


def _course_package() -> Path:
    """Return where the course package that this program would import lies."""
    import dlcourse

    return Path(dlcourse.__file__).resolve().parent


def environment_paths(visible: Sequence[Path] = ()) -> tuple[str, ...]:
    """Return the paths a kernel must see to run Python with the installed packages, and no others.

    The course package itself is one of them, but not the checkout around it, where the solutions are.
    """
    paths = {Path(p) for p in ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/fonts", "/etc/localtime")}
    paths |= {Path(sys.prefix), Path(sys.base_prefix)}
    paths |= {Path(sysconfig.get_path(kind)) for kind in ("stdlib", "purelib", "platlib")}
    package = _course_package()
    paths |= {package, package.parent / "datasets"}
    paths |= {Path(p).resolve() for p in visible}
    existing = sorted({str(path) for path in paths if path.exists()}, key=len)
    outer: list[str] = []
    for path in existing:
        if not any(path == other or path.startswith(other + "/") for other in outer):
            outer.append(path)
    return tuple(outer)


def _environment() -> dict[str, str]:
    """Return the variables a kernel gets: how to run, and nothing of the instructor's own."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("OMP_", "OPENBLAS_", "MKL_", "LC_"))}
    return {
        "OMP_NUM_THREADS": "1",
        # Where a notebook asks for more threads, they sleep while they wait: other submissions need the processor.
        "OMP_WAIT_POLICY": "PASSIVE",
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "PYTHONDONTWRITEBYTECODE": "1",
        # The debugger that ipykernel loads warns about frozen modules; nobody debugs here.
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "NBGRADER_EXECUTION": "autograde",
        **kept,
    }


_shared: WarmProcess | None = None
_shared_lock = threading.Lock()


def shared_warm_process() -> WarmProcess:
    """Return this program's warm process, started at the first call and again if it has died."""
    global _shared
    with _shared_lock:
        if _shared is None or not _shared.alive:
            if _shared is not None:
                _shared.close()
            _shared = WarmProcess()
        return _shared


_begun: dict[tuple, WarmProcess] = {}


def begin_shared(root: Path, assignment: str, *, sandboxed: bool = True) -> None:
    """Let the warm process of an assignment start while this program does something else; `start_warm` takes it."""
    modules = warm_set(root, assignment)
    _begun[root, assignment, sandboxed] = WarmProcess.begin(modules, sandboxed=sandboxed)


def start_warm(root: Path, assignment: str, *, sandboxed: bool = True) -> WarmProcess:
    """Return a new warm process for an assignment, the one that was begun for it if there is one.

    Raises:
        SandboxError: it could not be started.
    """
    begun = _begun.pop((root, assignment, sandboxed), None)
    if begun is None:
        return WarmProcess(warm_set(root, assignment), sandboxed=sandboxed)
    begun.wait_ready()
    return begun
