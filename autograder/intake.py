"""Look at what learners handed in before it is graded, mend what can be mended, and say so.

`nbgrader autograde` grades a file only if it has the right name and is a valid notebook; anything else
it skips with a line in its log, and a learner without any notebook gets no record at all. Here each
submission ends up with every notebook of the assignment: the learner's own under another name, or an
untouched copy of the release with a note, so that marks and a feedback page exist for everyone.
Nothing a learner handed in is deleted.
"""

from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

NOTE_TAG = "intake"


@dataclass(frozen=True)
class Finding:
    """Something about one submission that the instructor should know."""

    student_id: str
    text: str


def check_submissions(root: Path, assignment: str) -> list[Finding]:
    """Examine and mend the submissions of one assignment.

    Running it again changes nothing and finds the same, until the learner hands in anew.

    Args:
        root: the course directory with submitted/ and release/.
        assignment: name of the assignment.

    Returns:
        The findings by learner, in order of their ids; a flawless submission has none.
    """
    released = sorted((root / "release" / assignment).glob("*.ipynb"))
    findings = []
    for folder in sorted((root / "submitted").glob(f"*/{assignment}")):
        for text in _mend(folder, released):
            findings.append(Finding(folder.parent.name, text))
    return findings


def _mend(folder: Path, released: list[Path]) -> list[str]:
    found = []
    for master in released:
        target = folder / master.name
        if target.exists():
            notebook, fault = _read(target)
            if notebook is not None:
                note = _note_of(notebook)
                if note:
                    found.append(note)
                continue
            original = _free_name(target.with_suffix(".ipynb.unreadable"))
            target.rename(original)
            text = f"{master.name} is not a valid notebook ({fault}); kept as {original.name}, graded as blank"
            _write_blank(target, master, text)
            found.append(text)
            continue
        renamed = _find_renamed(folder, master, {m.name for m in released})
        if renamed is not None:
            notebook = nbformat.read(renamed, as_version=4)
            text = f"{renamed.name} taken for {master.name}: it holds this assignment's cells under another name"
            notebook.metadata["autograder"] = {"note": text}
            nbformat.write(notebook, target)
        else:
            text = f"{master.name} was not handed in; graded as blank"
            _write_blank(target, master, text)
        found.append(text)
    return found


def _read(path: Path) -> tuple[NotebookNode | None, str]:
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except UnicodeDecodeError:
        return None, "not UTF-8 text"
    except IsADirectoryError:
        return None, "a folder"
    except Exception as error:  # whatever a file may hold
        return None, (str(error).splitlines() or [type(error).__name__])[0][:120]
    return notebook, ""


def _free_name(path: Path) -> Path:
    """Return `path` or, where an earlier broken hand-in lies there, the same with a number."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}{number}")
    return free


def _grade_ids(notebook: NotebookNode) -> set[str]:
    metas = (cell.metadata.get("nbgrader") for cell in notebook.cells)
    return {meta["grade_id"] for meta in metas if isinstance(meta, dict) and isinstance(meta.get("grade_id"), str)}


def _find_renamed(folder: Path, master: Path, taken: set[str]) -> Path | None:
    """Return the notebook that shares most graded cells with `master`, if it shares at least half of them."""
    wanted = _grade_ids(nbformat.read(master, as_version=4))
    best, best_shared = None, len(wanted) / 2
    for path in sorted(folder.glob("*.ipynb")):
        if path.name in taken:
            continue
        notebook, _ = _read(path)
        shared = len(wanted & _grade_ids(notebook)) if notebook is not None else 0
        if shared >= best_shared and shared:
            best, best_shared = path, shared + 1
    return best


def _write_blank(target: Path, master: Path, text: str) -> None:
    blank = nbformat.read(master, as_version=4)
    note = nbformat.v4.new_markdown_cell(f"**Note from the grader:** {text}.", metadata={"tags": [NOTE_TAG]})
    blank.cells.insert(0, note)
    blank.metadata["autograder"] = {"note": text}
    nbformat.write(blank, target)


def _note_of(notebook: NotebookNode) -> str | None:
    meta = notebook.metadata.get("autograder")
    note = meta.get("note") if isinstance(meta, dict) else None
    return note if isinstance(note, str) else None
