"""A small file that remembers from which version of a submission each graded folder was made.

It only saves time: whatever it does not know, or what has changed since, is read from the folder itself.
"""

import contextlib
import json
import os
import tempfile
import time
from pathlib import Path

from autograder.engine.submission import recorded_fingerprint

_SAVE_EVERY_S = 2.0


class Ledger:
    """The fingerprints of one assignment's graded folders.

    Args:
        path: where it is kept.
        names: the assignment's notebooks.
    """

    def __init__(self, path: Path, names: list[str]) -> None:
        self._path, self._names = path, names
        self._saved = time.monotonic()
        self._known: dict[str, list] = {}
        with contextlib.suppress(OSError, ValueError):
            known = json.loads(path.read_text("utf-8"))
            self._known = known if isinstance(known, dict) else {}

    def fingerprint(self, student: str, target: Path) -> str | None:
        """Return the fingerprint under which the folder of a student was graded, or None."""
        state = self._state(target)
        if state is None:
            return None
        known = self._known.get(student)
        if not isinstance(known, list) or known[1:] != [state]:
            self._known[student] = known = [recorded_fingerprint(target, self._names), state]
        return known[0]

    def note(self, student: str, target: Path, fingerprint: str | None) -> None:
        """Remember a folder that has just been put in place; None is for one that must be graded again."""
        self._known[student] = [fingerprint, self._state(target)]
        if time.monotonic() - self._saved > _SAVE_EVERY_S:
            self.save()

    def save(self) -> None:
        """Write the file in one step."""
        self._saved = time.monotonic()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, new = tempfile.mkstemp(dir=self._path.parent, prefix=".")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(self._known, file)
            os.replace(new, self._path)
        except BaseException:
            os.unlink(new)
            raise

    def _state(self, target: Path) -> list | None:
        """Return what changes whenever another program replaces or edits the graded notebooks."""
        state = []
        for name in self._names:
            try:
                status = os.stat(target / f"{name}.ipynb")
            except OSError:
                return None
            state += [status.st_ino, status.st_mtime_ns, status.st_size]
        return state
