"""Text twins: the `.py` is the truth, the `.ipynb` beside it is built from it.

The text format is jupytext's py:percent with the settings of `jupytext.toml` in `notebooks/` and
`source/`, the same that JupyterLab uses when it saves a paired notebook, so both ways agree.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from autograder.course import CourseError
from autograder.notebooks import managed
from autograder.notebooks.lint import Problem, lint_notebook, lint_points

FOLDERS = ("notebooks", "source")
VARIANTS = "variants.py"
# The order of keys is part of the byte-identical output: nbformat sorts them.
_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_FORMAT = "py:percent"


class TwinError(CourseError):
    """The notebooks cannot be built; the message says why, a line for each problem."""


@dataclass(frozen=True)
class Twin:
    """A notebook of the course: its text and the file built from it."""

    root: Path
    text: Path

    @property
    def notebook(self) -> Path:
        """The built .ipynb beside the text."""
        return self.text.with_suffix(".ipynb")

    @property
    def name(self) -> Path:
        """The text's path relative to the course root."""
        return self.text.relative_to(self.root)

    @property
    def graded(self) -> bool:
        """Whether this is an assignment and not a lesson."""
        return self.name.parts[0] == "source"


def find(root: Path) -> list[Twin]:
    """Return the twins of the course at `root`, in the order of their paths."""
    texts = [text for folder in FOLDERS for text in sorted((root / folder).glob("[!.]*/*.py")) if text.name != VARIANTS]
    return [Twin(root, text) for text in texts]


def read_text(path: Path) -> NotebookNode:
    """Read a percent text file as a notebook with the course's metadata and stable cell ids."""
    return to_notebook(path.read_text("utf-8"))


def to_notebook(text: str) -> NotebookNode:
    """Turn percent text into a notebook without outputs that is the same on every run.

    A graded cell's id is its grade_id; any other cell's is derived from its content, so an edit to
    one cell leaves the ids of the others as they were.
    """
    notebook = jupytext.reads(text, fmt=_FORMAT)
    notebook.metadata = nbformat.from_dict(_METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    taken: set[str] = set()
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader")
        if isinstance(meta, dict) and isinstance(meta.get("grade_id"), str):
            base = meta["grade_id"].replace("_", "-")[:60]
        else:
            base = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        number, cell_id = 1, base
        while cell_id in taken:
            number += 1
            cell_id = f"{base}-{number}"
        taken.add(cell_id)
        cell.id = cell_id
    return notebook


def to_text(notebook: NotebookNode) -> str:
    """Turn a notebook into percent text: cells, tags and nbgrader headers, and nothing else."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": _METADATA["kernelspec"],
            "jupytext": {"notebook_metadata_filter": "-all", "cell_metadata_filter": "nbgrader,tags,-all"},
        }
    )
    return jupytext.writes(notebook, fmt=_FORMAT)


def build(root: Path, *, check: bool = False, pull: bool = False, force: bool = False) -> list[Path]:
    """Build every notebook of the course whose file is not what its text says.

    Args:
        root: the course directory.
        check: write nothing; only return what would change.
        pull: where a notebook was edited after its text, take its cells into the text first.
        force: overwrite notebooks that were edited after their text.

    Returns:
        The files (relative to `root`) that were written or, with `check`, that differ.

    Raises:
        TwinError: a rule of `lint` is broken, or a notebook holds edits that its text lacks and
            neither `pull` nor `force` was asked for. Nothing is written then.
    """
    address = managed.repository_address(root)
    wanted: dict[Path, str] = {}
    problems: list[Problem] = []
    unsaved: list[Path] = []
    assignments: dict[Path, list[NotebookNode]] = {}
    for twin in find(root):
        try:
            text = twin.text.read_text("utf-8")
        except UnicodeDecodeError:
            problems.append(Problem(twin.name, 1, "not UTF-8 text"))
            continue
        if not check and not force and _edited_after(twin):
            if pull:
                edited = nbformat.read(twin.notebook, as_version=4)
                text = to_text(edited)
                problems += _losses(twin.notebook.relative_to(root), edited, to_notebook(text))
            else:
                unsaved.append(twin.notebook.relative_to(root))
        # The rules look at the text as its author sees it: filling it moves the lines.
        problems += lint_notebook(twin.name, text, to_notebook(text), graded=twin.graded)
        text = managed.fill(text, address, twin.name.with_suffix(".ipynb").as_posix())
        notebook = to_notebook(text)
        if twin.graded:
            assignments.setdefault(twin.name.parent, []).append(notebook)
        wanted[twin.text] = text
        wanted[twin.notebook] = nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"
    for folder, notebooks in assignments.items():
        problems += lint_points(folder, notebooks)
    problems += [Problem(p, 1, "has no text twin beside it in a folder of its own") for p in _orphans(root, wanted)]
    if problems:
        raise TwinError("\n".join(map(str, sorted(problems))))
    if unsaved:
        raise TwinError(
            "edited after its text twin, which lacks the edits; take them into the text with "
            "`autograder notebooks --pull`, or drop them with --force:\n" + "\n".join(p.as_posix() for p in unsaved)
        )
    different = [path for path, content in wanted.items() if not _holds(path, content)]
    if not check:
        for path in different:
            write_atomically(path, wanted[path])
        for twin in find(root):
            # JupyterLab refuses to open a text that is a second older than its notebook.
            time = twin.text.stat().st_mtime_ns
            if twin.notebook.stat().st_mtime_ns > time:
                os.utime(twin.notebook, ns=(time, time))
    return [path.relative_to(root) for path in different]


def write_atomically(path: Path, content: str) -> None:
    """Write text with LF line ends so that an interruption leaves the old file or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
        # mkstemp makes private files; these are ordinary ones.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _edited_after(twin: Twin) -> bool:
    """Whether the notebook is newer than its text and says something else."""
    if not twin.notebook.exists() or twin.notebook.stat().st_mtime <= twin.text.stat().st_mtime:
        return False
    try:
        current = to_text(nbformat.read(twin.notebook, as_version=4))
    except Exception:
        # Not a notebook (an interrupted save, a merge conflict): there is nothing to take back from it.
        return False
    return current != to_text(read_text(twin.text))


def _losses(file: Path, edited: NotebookNode, kept: NotebookNode) -> list[Problem]:
    """Return a problem if the text that was made of an edited notebook would not give its cells back."""
    for number, (old, new) in enumerate(zip_longest(_contents(edited), _contents(kept)), 1):
        if old != new:
            text = f"cell {number} cannot be written as text (a line like a cell header? an open quote?)"
            return [Problem(file, 1, text)]
    return []


def _contents(notebook: NotebookNode) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source.replace("\r\n", "\n").rstrip()) for cell in notebook.cells]


def _orphans(root: Path, wanted: Iterable[Path]) -> list[Path]:
    built = {path for path in wanted if path.suffix == ".ipynb"}
    found = {path for folder in FOLDERS for path in (root / folder).rglob("*.ipynb")} - built
    return sorted(path.relative_to(root) for path in found if ".ipynb_checkpoints" not in path.parts)


def _holds(path: Path, content: str) -> bool:
    return path.exists() and path.read_bytes() == content.encode("utf-8")
