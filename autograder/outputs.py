"""Keep what a cell printed to a size that a notebook and a feedback page can carry."""

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer

MARK = "... Output truncated ..."
# First line of the traceback of a test that failed where learners must not look.
IN_HIDDEN = "----> (a hidden test)"
IN_ANSWER = "----> (code that a hidden test called)"


class LimitOutputSize(NbGraderPreprocessor):
    """Cut the text of a cell's outputs to a number of characters.

    nbgrader's LimitOutput counts lines: one line of 50 MB passes it, into the graded notebook and on to
    the feedback page.
    """

    max_characters = Integer(100_000, help="characters of printed text kept for each cell").tag(config=True)
    max_data = Integer(5_000_000, help="characters kept of a picture or other rich output").tag(config=True)

    def preprocess_cell(self, cell: NotebookNode, resources: dict, index: int) -> tuple[NotebookNode, dict]:
        """Cut one cell's outputs; a picture that is too large is replaced by a sentence."""
        left = self.max_characters
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                text = "".join(output.text)
                output.text = text if len(text) <= left else f"{text[:left]}\n{MARK}\n"
                left = max(0, left - len(text))
            elif output.output_type == "error":
                output.traceback = [line[: self.max_characters] for line in output.traceback]
                output.evalue = output.evalue[: self.max_characters]
            elif any(len(str(data)) > self.max_data for data in output.get("data", {}).values()):
                output.data = NotebookNode({"text/plain": MARK})
        return cell, resources


def texts_in(node: object) -> list[str]:
    """Return all texts within an output, at any depth, as they will be read."""
    found: list[str] = []
    left = [node]
    while left:
        part = left.pop()
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, dict):
            left += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            # A text may stand there in lines.
            found += ["".join(part)] if part and all(isinstance(line, str) for line in part) else []
            left += part
    return found


def make_writable(node: dict | list) -> bool:
    """Replace, in place and at any depth, characters that no file can hold (lone surrogates).

    Returns:
        Whether there were any.
    """
    found = False
    left: list[dict | list] = [node]
    while left:
        place = left.pop()
        for key, value in list(place.items() if isinstance(place, dict) else enumerate(place)):
            if isinstance(value, dict | list):
                left.append(value)
            elif isinstance(value, str) and not _is_writable(value):
                place[key] = value.encode("utf-8", "replace").decode()
                found = True
            if isinstance(key, str) and not _is_writable(key):
                place[key.encode("utf-8", "replace").decode()] = place.pop(key)
                found = True
    return found


def _is_writable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
