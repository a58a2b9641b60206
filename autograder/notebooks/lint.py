"""The rules a notebook of the course must follow, each broken one reported with file and line.

nbgrader itself finds some of these late (when the assignment is generated) and some never: an answer
nobody tests, points that do not add up to 100, a rubric that would reach the learner.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from jupytext.stringparser import StringParser
from nbformat import NotebookNode

from autograder.alternatives import Drawing, sentences
from autograder.notebooks.managed import HEADER, SETUP_HEADER

POINTS_TOTAL = 100
_KEYS = {"grade": bool, "grade_id": str, "locked": bool, "schema_version": int, "solution": bool, "task": bool}
# jupytext notes the blank lines between cells; the rest must survive a save in JupyterLab.
_CELL_METADATA = {"nbgrader", "tags", "lines_to_next_cell"}
_REGIONS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")


@dataclass(frozen=True, order=True)
class Problem:
    """One broken rule, at a line of a text twin."""

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file.as_posix()}:{self.line}: {self.text}"


def header_lines(text: str) -> tuple[list[int], list[int]]:
    """Return the 1-based line numbers of the cell headers in a percent text, and of those inside a string."""
    headers: list[int] = []
    quoted: list[int] = []
    parser = StringParser("python")
    for number, line in enumerate(text.splitlines(), 1):
        if HEADER.match(line) and parser.is_quoted():
            quoted.append(number)
        elif HEADER.match(line):
            headers.append(number)
            parser = StringParser("python")
        parser.read_line(line)
    return headers, quoted


def lint_notebook(file: Path, text: str, notebook: NotebookNode, *, graded: bool) -> list[Problem]:
    """Return the rules that one notebook breaks.

    Args:
        file: the text twin, for the report.
        text: its content.
        notebook: the notebook read from it.
        graded: whether it is an assignment (source/) or a lesson (notebooks/).
    """
    lines, quoted = header_lines(text)
    if not text.startswith("# %%"):
        return [Problem(file, 1, "the first line must be a cell header: `# %% [markdown]`")]
    if quoted:
        return [Problem(file, line, "a cell header inside a string: is a quote not closed?") for line in quoted]
    if len(lines) != len(notebook.cells):
        return [Problem(file, 1, f"{len(lines)} cell headers but {len(notebook.cells)} cells")]
    problems: list[Problem] = []
    cells = list(zip(lines, notebook.cells, strict=True))
    source_lines = text.splitlines()
    for line, cell in cells:
        header = source_lines[line - 1]
        if "nbgrader" in header and not isinstance(cell.metadata.get("nbgrader"), dict):
            problems.append(Problem(file, line, "the nbgrader header is not valid JSON"))
        elif unknown := sorted(cell.metadata.keys() - _CELL_METADATA):
            problems.append(Problem(file, line, f"a cell header holds only nbgrader and tags, not {unknown[0]!r}"))
        if not header.startswith("# %%"):
            problems.append(Problem(file, line, "a cell header is written `# %%`"))
        if "(attachment:" in cell.source:
            problems.append(Problem(file, line, "a pasted picture does not go into the text: link to a file"))
        if "nbgrader" in cell.metadata and not graded:
            problems.append(Problem(file, line, "a lesson has no nbgrader cells: move the exercise to source/"))
    drawing = Drawing()
    for line, cell in cells:
        if cell.cell_type == "code" and drawing.draws(cell.source) and not sentences(cell.source):
            text = "a cell that draws says what its figure shows, to whom cannot see it: `# alt: ...`"
            problems.append(Problem(file, line, text))
    setups = [line for line, cell in cells if "setup" in cell.metadata.get("tags", [])]
    if len(setups) != 1:
        text = f"needs exactly one set-up cell (`{SETUP_HEADER}`), found {len(setups)}"
        problems.append(Problem(file, setups[1] if setups else 1, text))
    elif source_lines[setups[0] - 1].rstrip() != SETUP_HEADER:
        problems.append(Problem(file, setups[0], f"the set-up cell's header is `{SETUP_HEADER}`"))
    elif setups[0] > min(line for line, cell in cells if cell.cell_type == "code"):
        problems.append(Problem(file, setups[0], "the set-up cell must come before every other code cell"))
    if graded:
        graded_cells = [(line, cell) for line, cell in cells if isinstance(cell.metadata.get("nbgrader"), dict)]
        for line, cell in graded_cells:
            problems += [Problem(file, line, text) for text in _cell_problems(cell)]
        problems += [Problem(file, line, text) for line, text in _id_problems(graded_cells)]
        for line, cell in cells:
            problems += [Problem(file, line, text) for text in _region_problems(cell)]
    return sorted(problems)


def lint_points(folder: Path, notebooks: list[NotebookNode]) -> list[Problem]:
    """Return a problem if the graded cells of one assignment do not add up to 100 points."""
    cells = [cell.metadata.get("nbgrader", {}) for notebook in notebooks for cell in notebook.cells]
    points = [meta.get("points", 0) for meta in cells if isinstance(meta, dict) and meta.get("grade")]
    total = sum(p for p in points if isinstance(p, (int, float)))
    if total == POINTS_TOTAL:
        return []
    return [Problem(folder, 1, f"the points add up to {total:g}, not to {POINTS_TOTAL}")]


def _cell_problems(cell: NotebookNode) -> list[str]:
    meta = cell.metadata.nbgrader
    found = []
    for key, kind in _KEYS.items():
        if key not in meta:
            found.append(f"the nbgrader header has no {key!r}")
        elif type(meta[key]) is not kind:
            found.append(f"{key!r} in the nbgrader header must be a {kind.__name__}, not {meta[key]!r}")
    found += [f"unknown key {key!r} in the nbgrader header" for key in meta if key not in _KEYS and key != "points"]
    if found:
        return found
    if meta.schema_version != 3:
        found.append(f"schema_version must be 3, not {meta.schema_version}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", meta.grade_id):
        found.append(f"grade_id {meta.grade_id!r} must be snake_case")
    if meta.task:
        found.append("task cells are not used: write a locked question and a graded markdown answer")
    points = meta.get("points")
    if meta.grade and (type(points) not in (int, float) or points <= 0):
        found.append(f"a graded cell needs points above 0, not {points!r}")
    if not meta.grade and points is not None:
        found.append("points on a cell that is not graded")
    if meta.grade and not meta.solution and not meta.locked:
        found.append("a test cell must be locked")
    if meta.solution and meta.locked:
        found.append("an answer cell must not be locked")
    if meta.grade and not meta.solution and cell.cell_type != "code":
        found.append("a graded cell without an answer must be a code cell (tests)")
    if meta.grade and meta.solution and cell.cell_type == "code":
        found.append("a code answer is graded by its test cell, not by itself")
    if meta.solution and cell.cell_type == "code" and "### BEGIN SOLUTION" not in cell.source:
        found.append("an answer cell needs a region between ### BEGIN SOLUTION and ### END SOLUTION")
    return found


def _id_problems(cells: list[tuple[int, NotebookNode]]) -> list[tuple[int, str]]:
    """Duplicates, and answers and tests that do not belong together."""
    found = []
    cells = [(line, cell) for line, cell in cells if isinstance(cell.metadata.nbgrader.get("grade_id"), str)]
    tests = {cell.metadata.nbgrader.get("grade_id") for _, cell in cells if _is_test(cell)}
    answers = {cell.metadata.nbgrader.get("grade_id") for _, cell in cells if _is_answer(cell)}
    seen = set()
    for line, cell in cells:
        grade_id = cell.metadata.nbgrader.get("grade_id")
        if grade_id in seen:
            found.append((line, f"duplicate grade_id {grade_id!r}"))
        seen.add(grade_id)
        if _is_answer(cell) and f"{grade_id}_test" not in tests:
            found.append((line, f"the answer {grade_id!r} has no tests: a graded cell {grade_id}_test is missing"))
        if _is_test(cell) and grade_id.removesuffix("_test") not in answers:
            found.append((line, f"the tests {grade_id!r} belong to no answer cell"))
    return found


def _is_answer(cell: NotebookNode) -> bool:
    meta = cell.metadata.nbgrader
    return bool(cell.cell_type == "code" and meta.get("solution") and not meta.get("grade"))


def _is_test(cell: NotebookNode) -> bool:
    meta = cell.metadata.nbgrader
    return bool(meta.get("grade") and not meta.get("solution"))


def _region_problems(cell: NotebookNode) -> list[str]:
    """Unbalanced regions, and regions nbgrader would not remove from such a cell."""
    meta = cell.metadata.get("nbgrader")
    meta = meta if isinstance(meta, dict) else {}
    homes = {
        "SOLUTION": ("an answer cell", bool(meta.get("solution"))),
        "HIDDEN TESTS": ("a graded test cell", bool(meta.get("grade") and not meta.get("solution"))),
        # Only a locked cell's text is kept in the gradebook, from where graders get the rubric back.
        "MARK SCHEME": ("a locked markdown cell", bool(meta.get("locked") and cell.cell_type == "markdown")),
    }
    found = []
    for region in _REGIONS:
        marks = re.findall(rf"(BEGIN|END) {region}", cell.source)
        if marks != ["BEGIN", "END"] * (len(marks) // 2):
            found.append(f"BEGIN {region} and END {region} do not pair up")
        where, allowed = homes[region]
        if marks and not allowed:
            found.append(f"a {region} region must stand in {where}")
    return found
