"""This process's folder for temporary files, and the removal of those whose owners were killed."""

import atexit
import contextlib
import os
import shutil
import tempfile
import threading
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "ag-"
_LOCK = ".owner"

_making = threading.Lock()
_own: dict[int, tuple[Path, FileLock]] = {}


def scratch() -> Path:
    """Return the folder, made at the first call and removed when the process ends.

    Its owner holds a lock on a file in it, which ends with the owner, however that ends.
    """
    with _making:
        if os.getpid() not in _own:
            sweep()
            _own[os.getpid()] = _make()
            atexit.register(_remove)
        return _own[os.getpid()][0]


def _make() -> tuple[Path, FileLock]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = FileLock(folder / _LOCK)
        with contextlib.suppress(OSError, Timeout):
            lock.acquire(timeout=0)
            if (folder / _LOCK).exists():
                return folder, lock
        # Another process took the new folder for a dead one's.
        shutil.rmtree(folder, ignore_errors=True)


def _remove() -> None:
    folder, lock = _own.pop(os.getpid(), (None, None))
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def sweep() -> None:
    """Remove the folders of processes that are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if not (folder / _LOCK).is_file() or folder.is_symlink():
            continue
        with contextlib.suppress(OSError, Timeout), FileLock(folder / _LOCK).acquire(timeout=0):
            shutil.rmtree(folder, ignore_errors=True)
