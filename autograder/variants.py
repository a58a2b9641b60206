"""Read `variants.py` beside an assignment: other right answers and wrong ones, as plain Python cells.

A cell starts with `# %% <exercise> right: <what is different>` or `# %% <exercise> wrong: <the mistake>`
and holds the complete source of the answer cell. The first cells, up to the first such header, are
imports that only a linter needs.

A cell that starts with `# %% <exercise> equivalent: <reason>` names a mutant of the reference that behaves
as the reference does, by the lines in which the two differ, as `autograder quality` prints them:

    # - before
    # + after
"""

import re
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode, from_dict

_HEADER = re.compile(r"^# %% (?P<exercise>\w+) (?P<verdict>right|wrong|equivalent): (?P<sentence>.+)$")


@dataclass(frozen=True)
class Variant:
    """One other answer to one exercise."""

    exercise: str
    right: bool
    sentence: str
    source: str


@dataclass(frozen=True)
class Equivalent:
    """A mutant of a reference answer that no test can tell from it: its changed lines and the reason."""

    exercise: str
    reason: str
    diff: tuple[str, ...]


def read_variants(path: Path) -> list[Variant]:
    """Return the variants of one assignment in file order.

    Raises:
        ValueError: a cell header that is not of the form above, with its line.
    """
    cells = [(header, body) for header, body in _cells(path) if header["verdict"] != "equivalent"]
    return [Variant(h["exercise"], h["verdict"] == "right", h["sentence"], body) for h, body in cells]


def read_equivalents(path: Path) -> list[Equivalent]:
    """Return the mutants that are listed as equivalent, in file order.

    Raises:
        ValueError: a cell header that is not of the form above, with its line.
    """
    cells = [(header, body) for header, body in _cells(path) if header["verdict"] == "equivalent"]
    return [
        Equivalent(h["exercise"], h["sentence"], tuple(line.removeprefix("# ") for line in body.split("\n") if line))
        for h, body in cells
    ]


def _cells(path: Path) -> list[tuple[re.Match, str]]:
    cells: list[tuple[re.Match, str]] = []
    header: re.Match | None = None
    body: list[str] = []

    def close() -> None:
        if header is not None:
            cells.append((header, "\n".join(body).strip("\n")))

    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.startswith("# %%"):
            close()
            header, body = _HEADER.match(line), []
            if header is None and (cells or line.rstrip() != "# %%"):
                raise ValueError(f"{path}:{number}: not of the form `# %% exercise right|wrong|equivalent: sentence`")
        else:
            body.append(line)
    close()
    return cells


def exercises(notebook: NotebookNode) -> list[str]:
    """Return the grade_ids of the autograded answers of a source or release notebook, in order."""
    return [cell.metadata.nbgrader.grade_id for cell in notebook.cells if _is_answer(cell)]


def fill_answers(release: NotebookNode, answers: dict[str, str]) -> NotebookNode:
    """Return a copy of a release notebook with some answer cells filled in, as a learner would hand it in.

    Args:
        release: the learner's notebook.
        answers: source of the answer cell by grade_id (code and markdown answers alike).

    Raises:
        KeyError: a grade_id without an answer cell in the notebook.
    """
    filled = from_dict(release)
    open_ids = set(answers)
    for cell in filled.cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("solution") and meta.get("grade_id") in answers:
            cell.source = answers[meta["grade_id"]]
            open_ids.discard(meta["grade_id"])
    if open_ids:
        raise KeyError(f"no answer cell for {', '.join(sorted(open_ids))}")
    return filled


def reference_answers(source: NotebookNode) -> dict[str, str]:
    """Return the reference answer by grade_id, as a learner would write it (without the region marks)."""
    answers = {}
    for cell in source.cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("solution"):
            lines = [line for line in cell.source.split("\n") if not re.search(r"### (BEGIN|END) SOLUTION", line)]
            answers[meta["grade_id"]] = "\n".join(lines)
    return answers


def _is_answer(cell: NotebookNode) -> bool:
    meta = cell.metadata.get("nbgrader", {})
    return bool(cell.cell_type == "code" and meta.get("solution") and not meta.get("grade"))
