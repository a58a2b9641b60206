"""Bring a submitted notebook back to the form of its assignment, and say what was done.

Learners delete, copy, move, retype and edit cells that they should not; editors damage metadata. The
source notebook says which cells there are. Each of them ends up in the submission exactly once, with the
source's tests and locked texts and the learner's own answers; every other cell stays where it is.
"""

import copy

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader import utils

_KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def restore(submission: NotebookNode, source: NotebookNode, checksums: dict[str, str]) -> list[str]:
    """Restore a submission in place and return what was mended, as sentences.

    Args:
        submission: a valid notebook, of any origin.
        source: the instructor's notebook, with the tests and locked texts that were released.
        checksums: by grade_id, nbgrader's checksum of the released cell; an answer that still has it
            was never worked on.
    """
    mended: list[str] = []
    masters = {c.metadata.nbgrader.grade_id: c for c in source.cells if isinstance(c.metadata.get("nbgrader"), dict)}
    order = list(masters)
    kept: list[NotebookNode] = []
    place: dict[str, int] = {}
    for cell in submission.cells:
        grade_id = _grade_id(cell)
        if grade_id is None or grade_id not in masters or not _fits(cell, masters[grade_id]):
            if grade_id in masters and cell.cell_type == "raw":
                mended.append(f"{grade_id} was turned into raw text")
            _forget(cell)
        elif grade_id in place:
            kept_cell = kept[place[grade_id]]
            # A copied cell: the one that was worked in counts, the last one if both were.
            if _is_open(masters[grade_id]) and cell.source != kept_cell.source:
                if _untouched(kept_cell, checksums):
                    kept[place[grade_id]], cell = cell, kept_cell
                mended.append(f"{grade_id} stands there twice")
            elif cell.source != kept_cell.source or _is_open(masters[grade_id]):
                mended.append(f"{grade_id} stands there twice")
            if not _is_open(masters[grade_id]):
                continue
            _forget(cell)
        else:
            place[grade_id] = len(kept)
        kept.append(cell)
    cells = [
        _from_master(cell, masters[grade_id], checksums, mended) if (grade_id := _grade_id(cell)) in masters else cell
        for cell in kept
    ]
    _put_back(cells, masters, order, mended)
    _reorder_tests(cells, order, masters, mended)
    submission.cells = cells
    if submission.metadata.get("kernelspec", {}).get("name") != "python3":
        mended.append("another kernel was chosen")
    submission.metadata = NotebookNode(kernelspec=NotebookNode(_KERNELSPEC), language_info=NotebookNode(name="python"))
    _unique_ids(cells)
    return list(dict.fromkeys(mended))


def _grade_id(cell: NotebookNode) -> str | None:
    meta = cell.metadata.get("nbgrader")
    grade_id = meta.get("grade_id") if isinstance(meta, dict) else None
    return grade_id if isinstance(grade_id, str) else None


def _fits(cell: NotebookNode, master: NotebookNode) -> bool:
    """Whether a cell can stand for the master: of the same kind, or a kind that can be turned into it."""
    return cell.cell_type == master.cell_type or cell.cell_type in ("code", "markdown", "raw")


def _is_open(master: NotebookNode) -> bool:
    return bool(utils.is_solution(master))


def _untouched(cell: NotebookNode, checksums: dict[str, str]) -> bool:
    try:
        return checksums.get(_grade_id(cell) or "") == utils.compute_checksum(cell)
    except (KeyError, TypeError, ValueError):
        return False


def _forget(cell: NotebookNode) -> None:
    cell.metadata.pop("nbgrader", None)


def _from_master(
    cell: NotebookNode, master: NotebookNode, checksums: dict[str, str], mended: list[str]
) -> NotebookNode:
    """Return the learner's answer, or the source's text, with the source's kind and metadata."""
    grade_id = master.metadata.nbgrader.grade_id
    if cell.cell_type != master.cell_type:
        mended.append(f"{grade_id} was changed from {master.cell_type} to {cell.cell_type}")
    make = new_code_cell if master.cell_type == "code" else new_markdown_cell
    text = cell.source if _is_open(master) else master.source
    restored = make(text, metadata=copy.deepcopy(master.metadata))
    restored.id = cell.get("id", restored.id)
    if grade_id in checksums:
        restored.metadata.nbgrader["checksum"] = checksums[grade_id]
    return restored


def _put_back(cells: list[NotebookNode], masters: dict[str, NotebookNode], order: list[str], mended: list[str]) -> None:
    """Insert cells that are missing behind the cell that precedes them in the source."""
    for position, grade_id in enumerate(order):
        present = {_grade_id(cell): i for i, cell in enumerate(cells)}
        if grade_id in present:
            continue
        earlier = [present[name] for name in order[:position] if name in present]
        restored = copy.deepcopy(masters[grade_id])
        if _is_open(restored):
            restored.source = ""
            # Nothing was answered, which nbgrader recognises by the checksum.
            restored.metadata.nbgrader["checksum"] = utils.compute_checksum(restored)
        restored.pop("outputs", None)
        if restored.cell_type == "code":
            restored.outputs, restored.execution_count = [], None
        cells.insert(max(earlier) + 1 if earlier else 0, restored)
        mended.append(f"{grade_id} was missing")


def _reorder_tests(
    cells: list[NotebookNode], order: list[str], masters: dict[str, NotebookNode], mended: list[str]
) -> None:
    """Move a test that stands before an answer it follows in the source to behind that answer."""
    for position, grade_id in enumerate(order):
        master = masters[grade_id]
        if not (utils.is_grade(master) and not utils.is_solution(master)):
            continue
        present = {_grade_id(cell): i for i, cell in enumerate(cells)}
        answers = [present[name] for name in order[:position] if _is_open(masters[name])]
        last = max(answers, default=-1)
        if last > present[grade_id]:
            test = cells.pop(present[grade_id])
            cells.insert(last, test)
            mended.append(f"{grade_id} was moved before its answer")


def _unique_ids(cells: list[NotebookNode]) -> None:
    seen: set[str] = set()
    for cell in cells:
        if cell.get("id") in seen or "id" not in cell:
            cell.id = new_code_cell().id
        seen.add(cell.id)
