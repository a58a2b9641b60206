"""Each notebook is executed once in a test run, by nbmake or by the test of its page, whichever comes first."""

import hashlib
import json
import os
import uuid
from pathlib import Path

import nbformat
import nbmake.pytest_items
from filelock import FileLock
from nbformat import NotebookNode
from nbmake.nb_result import NotebookError, NotebookResult
from nbmake.nb_run import NotebookRun

ROOT = Path(__file__).resolve().parent.parent
STORE = ROOT / "build" / "executed"
# pytest-xdist gives all its workers one name for the run.
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
TIMEOUT = 300


class StoredRun(NotebookRun):
    """nbmake's own run of a notebook, whose result is kept; a second one in the same test run takes it from there."""

    def execute(self) -> NotebookResult:
        return self._execute(lambda stamp: stamp.get("run") == RUN)

    def execute_unless_unchanged(self) -> NotebookResult:
        """Take the result of an earlier test run, too, if neither the notebook nor `dlcourse` has changed since."""
        return self._execute(lambda stamp: stamp.get("run") == RUN or stamp.get("key") == self._key())

    def _execute(self, usable) -> NotebookResult:
        source = Path(self.filename).resolve()
        # A notebook that a test made somewhere else is that test's own business.
        if not source.is_relative_to(ROOT) or source.is_relative_to(STORE):
            return super().execute()
        kept = STORE / source.relative_to(ROOT)
        kept.parent.mkdir(parents=True, exist_ok=True)
        stamp = kept.with_suffix(".json")
        with FileLock(f"{kept}.lock"):
            if stamp.is_file() and usable(found := json.loads(stamp.read_text("utf-8"))):
                error = NotebookError(**found["error"]) if found["error"] else None
                return NotebookResult(nbformat.read(kept, as_version=4), error)
            stamp.unlink(missing_ok=True)
            result = super().execute()
            nbformat.write(result.nb, kept)
            error = vars(result.error) if result.error else None
            stamp.write_text(json.dumps({"run": RUN, "key": self._key(), "error": error}), "utf-8")
            return result

    def _key(self) -> str:
        package = sorted((ROOT / "dlcourse").rglob("*.py"))
        texts = [Path(self.filename), *package, ROOT / "datasets" / "checksums.sha256"]
        return hashlib.sha256(b"\0".join(path.read_bytes() for path in texts)).hexdigest()


def install() -> None:
    """Let nbmake's items keep what they execute."""
    nbmake.pytest_items.NotebookRun = StoredRun


def executed(notebook: Path) -> NotebookNode:
    """Return a notebook of the course with its outputs, as nbmake got them."""
    result = StoredRun(notebook, TIMEOUT).execute_unless_unchanged()
    assert result.error is None, f"{notebook} does not run: {result.error.summary}"
    return result.nb
