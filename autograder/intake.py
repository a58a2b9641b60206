"""Look at what learners handed in before it is graded, mend what can be mended, and say so.

`nbgrader autograde` grades a file only if it has the right name and is a valid notebook; anything else
it skips with a line in its log, and a learner without any notebook gets no record at all. Here each
submission ends up with every notebook of the assignment: the learner's own under another name or
repaired, or an untouched copy of the release with a note, so that marks and a feedback page exist for
everyone. Nothing a learner handed in is deleted, and no link is followed.

What was done is remembered outside the learners' folders, with a digest of each file written there: a
note counts only for that very file.
"""

import contextlib
import difflib
import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.course import CourseError
from autograder.engine.folder import MOST_ENTRIES, walk
from autograder.engine.submission import LARGEST_NOTEBOOK
from autograder.outputs import make_writable

NOTE_TAG = "intake"
_MOST_CANDIDATES = 100
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_KEPT = re.compile(r"\.(unreadable|original)\d*$")


@dataclass(frozen=True)
class Finding:
    """Something about one submission that the instructor should know."""

    student_id: str
    text: str


@dataclass(frozen=True)
class _Note:
    """What was said about a notebook that the intake wrote, and the digest of that file."""

    text: str
    digest: str
    blank: bool


def check_submissions(root: Path, assignment: str, students: Iterable[str] | None = None) -> list[Finding]:
    """Examine and mend the submissions of one assignment.

    Running it again changes nothing and finds the same, until the learner hands in anew.

    Args:
        root: the course directory with submitted/ and release/.
        assignment: name of the assignment.
        students: only these, who have all submitted something; by default everybody.

    Returns:
        The findings by learner, in order of their ids; a flawless submission has none.

    Raises:
        CourseError: there is no release to compare with.
    """
    released = sorted((root / "release" / assignment).glob("*.ipynb"))
    if not released:
        raise CourseError(
            f"release/{assignment} holds no notebook: run `nbgrader generate_assignment {assignment}` first"
        )
    if students is None:
        folders = sorted((root / "submitted").glob(f"*/{assignment}"))
    else:
        folders = [root / "submitted" / student / assignment for student in sorted(students)]
    findings = []
    for folder in folders:
        try:
            _as_folder(folder)
            submission = _Submission(folder, released, _read_notes(root, folder))
            _write_notes(root, folder, submission.notes)
            findings += [Finding(folder.parent.name, text) for text in submission.found]
        except Exception as error:
            # What cannot be read, mended or written is one learner's mishap, not the class's.
            reason = error.strerror if isinstance(error, OSError) and error.strerror else _plain(repr(error))
            findings.append(Finding(folder.parent.name, f"the submission cannot be examined: {reason}"))
    return findings


def not_handed_in(root: Path, folder: Path) -> frozenset[str]:
    """Return the names (without `.ipynb`) of a submission's notebooks that only stand in for missing ones."""
    notes = _read_notes(root, folder)
    blank = (name for name, note in notes.items() if note.blank and _digest(folder / name) == note.digest)
    return frozenset(name.removesuffix(".ipynb") for name in blank)


def read_notebook(path: Path) -> tuple[NotebookNode | None, str]:
    """Read a notebook of any origin.

    Returns:
        The notebook as a valid one of the current format, and what had to be mended (usually ""); or
        None and why it cannot be read.

    Raises:
        OSError: it cannot be read at this moment, or by this account; that says nothing about what it holds.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if path.is_symlink():
            return None, "a link"
        if error.errno in (errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP):
            return None, "not an ordinary file"
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return None, "a folder" if stat.S_ISDIR(status.st_mode) else "not an ordinary file"
    with open(descriptor, "rb") as file:
        content = file.read(LARGEST_NOTEBOOK + 1)
    if len(content) > LARGEST_NOTEBOOK:
        return None, f"larger than {LARGEST_NOTEBOOK // 1_000_000} MB"
    return _parse(content)


def _parse(content: bytes) -> tuple[NotebookNode | None, str]:
    remark = ""
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text, remark = content.decode("utf-16"), "it was UTF-16 text"
            if not text.lstrip().startswith("{"):
                return None, "not UTF-8 text"
        else:
            text = content.decode("utf-8")
            if text.startswith("\ufeff"):
                text, remark = text[1:], "it began with a byte-order mark"
    except UnicodeDecodeError:
        return None, "not UTF-8 text"
    try:
        faults: dict[str, Exception] = {}
        notebook = nbformat.reads(text, as_version=4, capture_validation_error=faults)
        if faults:
            raise faults["ValidationError"]
        # Such characters can be written in JSON, and in no file.
        return notebook, "it held characters that are no text" if make_writable(notebook) else remark
    except Exception as error:  # whatever a file may hold
        fault = _plain((str(error).splitlines() or [type(error).__name__])[0])
    try:
        content = json.loads(text)
        make_writable(content)
        return _mended(content), fault
    except Exception:
        return None, fault


def _mended(content: dict) -> NotebookNode:
    """Return a valid notebook with the cells' texts and metadata of one that breaks the schema.

    Outputs are left out: grading starts without any.
    """
    if not isinstance(content.get("cells"), list):
        # An older format kept them in worksheets; anything else fails here.
        content = nbformat.reads(json.dumps(content), as_version=4)
        if not content.cells or not isinstance(content.cells, list):
            raise ValueError("no cells")
    notebook = nbformat.v4.new_notebook()
    for given in content["cells"]:
        if isinstance(given, dict):
            notebook.cells.append(_mended_cell(given))
    if not notebook.cells:
        raise ValueError("no cells")
    nbformat.validate(notebook)
    return nbformat.reads(nbformat.writes(notebook), as_version=4)


def _mended_cell(given: dict) -> NotebookNode:
    """Return a valid cell with as much of one as is valid: all, or its place in the assignment, or its text."""
    source, metadata, kind = given.get("source"), given.get("metadata"), given.get("cell_type")
    source = "".join(map(str, source)) if isinstance(source, list) else "" if source is None else str(source)
    metadata = metadata if isinstance(metadata, dict) else {}
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    make = nbformat.v4.new_raw_cell if kind == "raw" else make
    own = {"nbgrader": metadata["nbgrader"]} if isinstance(metadata.get("nbgrader"), dict) else {}
    for kept, pictures in ((metadata, given.get("attachments")), (metadata, None), (own, None)):
        with contextlib.suppress(Exception):
            cell = make(source, metadata=nbformat.from_dict(kept))
            if kind != "code" and isinstance(pictures, dict):
                cell.attachments = nbformat.from_dict(pictures)
            if isinstance(given.get("id"), str) and _CELL_ID.fullmatch(given["id"]):
                cell.id = given["id"]
            nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
            return cell
    return make(source)


class _Submission:
    """One learner's folder: `found` says what is wrong with it, `notes` what was written there."""

    def __init__(self, folder: Path, released: list[Path], notes: dict[str, _Note]) -> None:
        self.folder, self.released = folder, {path.name: path for path in released}
        self.found: list[str] = []
        self.notes: dict[str, _Note] = {}
        self.taken: set[Path] = set()
        for name in self.released:
            target = folder / name
            note = notes.get(name)
            if note is not None and _digest(target) == note.digest:
                self.notes[name] = note
                self.found.append(note.text)
            elif os.path.lexists(target):
                self._check(name, target)
            else:
                self._replace(name, target)

    def _check(self, name: str, target: Path) -> None:
        notebook, fault = read_notebook(target)
        if notebook is None:
            original = _free_name(target.with_name(f"{name}.unreadable"))
            target.rename(original)
            text = f"{name} is not a valid notebook ({fault}); kept as {original.name}, graded as blank"
            self._write(name, self._blank(name, text), text, blank=False)
        elif fault:
            original = _free_name(target.with_name(f"{name}.original"))
            target.rename(original)
            text = f"{name} was not quite a valid notebook ({fault}); mended, the original is kept as {original.name}"
            self._write(name, notebook, text, blank=False)
        elif extra := [path for _, path in self._similar(name)]:
            names = ", ".join(_plain(path.relative_to(self.folder).as_posix()) for path in extra[:3])
            self.found.append(f"{names} not graded: {name} was handed in, too")

    def _replace(self, name: str, target: Path) -> None:
        similar = self._similar(name)
        if not similar:
            text = f"{name} was not handed in; graded as blank"
            self._write(name, self._blank(name, text), text, blank=True)
            return
        notebook, path = similar[0]
        self.taken.add(path)
        shown = _plain(path.relative_to(self.folder).as_posix())
        text = f"{shown} taken for {name}: it holds this assignment's cells under another name"
        self._write(name, notebook, text, blank=False)

    def _similar(self, name: str) -> list[tuple[NotebookNode, Path]]:
        """Return notebooks under other names with at least half of this one's graded cells, the best first."""
        if not (others := self._others()):
            return []
        wanted, found = _grade_ids(_must_read(self.released[name])), []
        for path in others:
            notebook = None
            with contextlib.suppress(OSError):
                notebook, _ = read_notebook(path)
            shared = len(wanted & _grade_ids(notebook)) if notebook is not None else 0
            if shared and shared >= len(wanted) / 2:
                likeness = difflib.SequenceMatcher(None, path.name, name).ratio()
                found.append((-shared, -likeness, path.as_posix(), notebook, path))
        return [(notebook, path) for *_, notebook, path in sorted(found, key=lambda f: f[:3])]

    def _others(self) -> list[Path]:
        own = {self.folder / name for name in self.released}
        found: list[Path] = []
        for entry, _ in islice(walk(self.folder), MOST_ENTRIES):
            path, name = Path(entry.path), entry.name
            hidden = any(part.startswith(".") for part in path.relative_to(self.folder).parts[:-1])
            if hidden or entry.is_dir(follow_symlinks=False) or path in own | self.taken:
                continue
            if ".ipynb" in name.lower() and not _KEPT.search(name):
                found.append(path)
            if len(found) == _MOST_CANDIDATES:
                break
        return found

    def _blank(self, name: str, text: str) -> NotebookNode:
        blank = _must_read(self.released[name])
        note = nbformat.v4.new_markdown_cell(f"**Note from the grader:** {text}.", metadata={"tags": [NOTE_TAG]})
        blank.cells.insert(0, note)
        return blank

    def _write(self, name: str, notebook: NotebookNode, text: str, *, blank: bool) -> None:
        target = self.folder / name
        made = target.with_name(f".{name}.part")
        made.unlink(missing_ok=True)
        nbformat.write(notebook, made)
        made.rename(target)
        self.notes[name] = _Note(text, _digest(target), blank)
        self.found.append(text)


def _as_folder(path: Path) -> None:
    """Make a folder of a file or link that stands in a submission folder's place, with the file or link in it."""
    if path.is_symlink() or not path.is_dir():
        aside = _free_name(path.with_name(f"{path.name}.handed-in"))
        path.rename(aside)
        path.mkdir()
        aside.rename(path / path.name)


def _must_read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def _free_name(path: Path) -> Path:
    """Return `path` or, where an earlier broken hand-in lies there, the same with a number."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.name}{number}")
    return free


def _grade_ids(notebook: NotebookNode) -> set[str]:
    metas = (cell.metadata.get("nbgrader") for cell in notebook.cells)
    return {meta["grade_id"] for meta in metas if isinstance(meta, dict) and isinstance(meta.get("grade_id"), str)}


def _plain(text: str) -> str:
    """Return a learner's text fit for one line of a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)[:120]


def _digest(path: Path) -> str | None:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _notes_file(root: Path, folder: Path) -> Path:
    return root / ".autograder" / "intake" / folder.name / f"{folder.parent.name}.json"


def _read_notes(root: Path, folder: Path) -> dict[str, _Note]:
    try:
        stored = json.loads(_notes_file(root, folder).read_text("utf-8"))
        return {name: _Note(**note) for name, note in stored.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_notes(root: Path, folder: Path, notes: dict[str, _Note]) -> None:
    file = _notes_file(root, folder)
    if not notes:
        file.unlink(missing_ok=True)
    elif notes != _read_notes(root, folder):
        file.parent.mkdir(parents=True, exist_ok=True)
        made = file.with_suffix(".part")
        made.write_text(json.dumps({name: asdict(note) for name, note in notes.items()}, indent=1), "utf-8")
        made.replace(file)
