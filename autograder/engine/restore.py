"""Bring a submitted notebook back to the form of its assignment, and say what was done.

Learners delete, copy, move, retype and edit cells that they should not; editors damage metadata. The
source notebook says which cells there are. Each of them ends up in the submission exactly once, with the
source's tests and locked texts and the learner's own answers; every other cell stays where it is.
"""

import copy
import re

from nbformat import NotebookNode
from nbformat.corpus.words import generate_corpus_id
from nbgrader import utils

from autograder.engine.plan import is_test
from autograder.engine.source import visible_part

_KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_MISSING = "This cell (id:{}) was missing from the submission. It was added back by the grader."
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MOST_NAMED = 5


def restore(submission: NotebookNode, source: NotebookNode, checksums: dict[str, str]) -> list[str]:
    """Restore a submission in place and return what was mended, as sentences.

    Args:
        submission: a valid notebook, of any origin.
        source: the instructor's notebook, with the tests and locked texts that were released.
        checksums: by grade_id, nbgrader's checksum of the released cell; an answer that still has it
            was never worked on. A cell of the source that is not here was added after the release.
    """
    masters = {name: cell for cell in source.cells if (name := _grade_id(cell)) in checksums}
    mended: dict[str, list[str]] = {}
    chosen = _choose(submission.cells, masters, checksums, mended)
    cells = []
    for index, cell in enumerate(submission.cells):
        name = _grade_id(cell)
        if name in masters and chosen[name] == index:
            cells.append(_from_master(cell, masters[name], checksums[name], mended))
        else:
            # A cell of the learner's own, or a copy: it runs, but nothing is graded by it.
            cell.metadata.pop("nbgrader", None)
            cells.append(cell)
    _put_back(cells, masters, checksums, mended)
    _reorder(cells, masters, mended)
    submission.cells = cells
    language = _language(submission.metadata)
    submission.metadata = NotebookNode(kernelspec=NotebookNode(_KERNELSPEC), language_info=NotebookNode(name="python"))
    submission.nbformat, submission.nbformat_minor = 4, 5
    _valid_ids(cells)
    remarks = [f"{_list(names)} {_many(what) if names[1:] else what}" for what, names in mended.items()]
    return remarks + ([f"the notebook was set to {language}"] if language != "python" else [])


def _grade_id(cell: NotebookNode) -> str | None:
    meta = cell.metadata.get("nbgrader")
    grade_id = meta.get("grade_id") if isinstance(meta, dict) else None
    return grade_id if isinstance(grade_id, str) else None


def _choose(
    cells: list[NotebookNode], masters: dict[str, NotebookNode], checksums: dict[str, str], mended: dict[str, list[str]]
) -> dict[str, int]:
    """Return which of several cells with one grade_id counts: the last, or the last that was worked in."""
    copies: dict[str, list[int]] = {}
    for index, cell in enumerate(cells):
        if (name := _grade_id(cell)) in masters:
            copies.setdefault(name, []).append(index)
    chosen = {}
    for name, places in copies.items():
        worked_in = [
            i
            for i in places
            if utils.is_solution(masters[name])
            and cells[i].source.strip()
            and _checksum(cells[i].source, masters[name]) != checksums[name]
        ]
        chosen[name] = (worked_in or places)[-1]
        if len(places) > 1:
            differ = len({cells[i].source for i in worked_in}) > 1
            mended.setdefault("stands there more than once" + (", the last counts" if differ else ""), []).append(name)
    return chosen


def _checksum(text: str, master: NotebookNode) -> str:
    """Return nbgrader's checksum of the master's cell with another text in it."""
    return utils.compute_checksum(NotebookNode({**master, "source": text}))


def _from_master(cell: NotebookNode, master: NotebookNode, checksum: str, mended: dict[str, list[str]]) -> NotebookNode:
    """Return the learner's answer, or the source's text, with the source's kind and metadata."""
    name = master.metadata.nbgrader.grade_id
    answer = bool(utils.is_solution(master))
    if cell.cell_type != master.cell_type:
        mended.setdefault(f"was made a {cell.cell_type} cell", []).append(name)
    elif not answer and visible_part(cell.source.replace("\r\n", "\n")) != visible_part(master.source):
        mended.setdefault("was edited", []).append(name)
    restored = _new_cell(master, cell.source if answer else master.source, checksum)
    if answer and restored.cell_type == "markdown" and isinstance(cell.get("attachments"), dict):
        restored.attachments = cell.attachments
    if "id" in cell:
        restored.id = cell.id
    return restored


def _new_cell(master: NotebookNode, text: str, checksum: str) -> NotebookNode:
    # Not by nbformat's functions for new cells, which look whether each is valid: the master's is. What has no id
    # gets one in the end.
    cell = NotebookNode(cell_type="markdown", source=text)
    cell.metadata = copy.deepcopy(master.metadata)
    if master.cell_type == "code":
        cell |= {"cell_type": "code", "outputs": [], "execution_count": None}
    cell.metadata.nbgrader["checksum"] = checksum
    return cell


def _put_back(
    cells: list[NotebookNode],
    masters: dict[str, NotebookNode],
    checksums: dict[str, str],
    mended: dict[str, list[str]],
) -> None:
    """Insert cells that are missing behind the cells that precede them in the source."""
    present = {_grade_id(cell) for cell in cells}
    earlier: set[str] = set()
    for name, master in masters.items():
        if name not in present:
            text = master.source
            if utils.is_solution(master):
                # Not the released text: the answer may stand in a cell of the learner's own, so where
                # points are given by hand, a person looks.
                text = ("# " if master.cell_type == "code" else "") + _MISSING.format(name)
            place = max((i for i, cell in enumerate(cells) if _grade_id(cell) in earlier), default=-1)
            cells.insert(place + 1, _new_cell(master, text, checksums[name]))
            mended.setdefault("was missing", []).append(name)
        earlier.add(name)


def _reorder(cells: list[NotebookNode], masters: dict[str, NotebookNode], mended: dict[str, list[str]]) -> None:
    """Undo moves that take away what a cell needs: what is given comes first, a test after its answer."""
    code = [name for name, master in masters.items() if master.cell_type == "code"]
    order = {name: number for number, name in enumerate(code)}
    numbers = [order.get(_grade_id(cell) or "", -1) for cell in cells]

    def others(wanted: range) -> list[int]:
        return [i for i, number in enumerate(numbers) if number in wanted]

    def move(name: str, place: int, to: int) -> None:
        for what in (cells, numbers):
            what.insert(to, what.pop(place))
        mended.setdefault("was moved", []).append(name)

    for name, number in reversed(order.items()):
        if utils.is_locked(masters[name]) and not utils.is_grade(masters[name]):
            (place,) = others(range(number, number + 1))
            first = min(others(range(number + 1, len(order))), default=place)
            if first < place:
                move(name, place, first)
    for name, number in order.items():
        if is_test(masters[name]):
            (place,) = others(range(number, number + 1))
            last = max(others(range(number)), default=place)
            if last > place:
                move(name, place, last)


def _language(metadata: NotebookNode) -> str:
    """Return the language that a notebook says it is in: Python unless it says something else."""
    for key, name in (("kernelspec", "language"), ("language_info", "name")):
        section = metadata.get(key)
        language = section.get(name) if isinstance(section, dict) else None
        if isinstance(language, str) and language and language.lower() not in ("python", "python3", "ipython"):
            return language[:20]
    return "python"


def _list(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _many(what: str) -> str:
    return what.replace("was ", "were ").replace("stands", "stand").replace("made a", "made").replace("cell", "cells")


def _valid_ids(cells: list[NotebookNode]) -> None:
    seen: set[str] = set()
    for cell in cells:
        given = cell.get("id")
        if not isinstance(given, str) or not _CELL_ID.fullmatch(given) or given in seen:
            cell.id = generate_corpus_id()
        seen.add(cell.id)
