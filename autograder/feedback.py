"""What a feedback page must not show: hidden tests and rubrics."""

import re

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbgrader import utils

_REGION = re.compile(r"^[^\n]*BEGIN (HIDDEN TESTS|MARK SCHEME).*?(END \1[^\n]*(\n|\Z)|\Z)", re.DOTALL | re.MULTILINE)


class HideGraderText(Preprocessor):
    """Remove hidden tests and rubrics from the cells that came from the source.

    nbgrader's own ClearHiddenTests stops with an error when a learner writes a region mark into an
    answer; here such text is left alone, because learners' cells hold nothing to hide.
    """

    def preprocess_cell(self, cell: NotebookNode, resources: dict, index: int) -> tuple[NotebookNode, dict]:
        """Clear one cell; an unclosed region is cleared to the end of the cell."""
        if "nbgrader" in cell.metadata and (
            utils.is_locked(cell) or utils.is_grade(cell) and not utils.is_solution(cell)
        ):
            cell.source = _REGION.sub("", cell.source).rstrip("\n")
        return cell, resources
