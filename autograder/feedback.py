"""What a feedback page must not show: hidden tests and rubrics."""

import re

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor

_REGION = re.compile(r"^[^\n]*BEGIN (HIDDEN TESTS|MARK SCHEME).*?(END \1[^\n]*(\n|\Z)|\Z)", re.DOTALL | re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_NUMBERED = re.compile(r"(?P<arrow>-+>)?\s*\d+\s(?P<code>.*)")


class HideGraderText(NbGraderPreprocessor):
    """Remove hidden tests and rubrics from the cells that came from the source, and from their tracebacks.

    nbgrader's own ClearHiddenTests stops with an error when a learner writes a region mark into an
    answer; here such text is left alone, because learners' cells hold nothing to hide.
    """

    def preprocess_cell(self, cell: NotebookNode, resources: dict, index: int) -> tuple[NotebookNode, dict]:
        """Clear one cell; an unclosed region is cleared to the end of the cell."""
        if utils.is_locked(cell):
            hidden = {line.strip() for match in _REGION.finditer(cell.source) for line in match[0].splitlines()}
            cell.source = _REGION.sub("", cell.source).rstrip("\n")
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    output.traceback = [_without(frame, hidden) for frame in output.traceback]
        return cell, resources


def _without(frame: str, hidden: set[str]) -> str:
    """Return one part of a traceback without the hidden lines that it quotes."""
    kept = []
    for line in frame.split("\n"):
        quoted = _NUMBERED.match(_COLOUR.sub("", line))
        if quoted is None or quoted["code"].strip() not in hidden or not re.search(r"\w", quoted["code"]):
            kept.append(line)
        elif quoted["arrow"]:
            kept.append(f"{quoted['arrow']} (a hidden test)")
    return "\n".join(kept)
