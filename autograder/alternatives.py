"""Alternative text: the sentences that say what a figure shows, for whom cannot see it.

An author writes them in the cell that draws, as a comment:

    # alt: Scatter plot of price against area. The cloud rises to the right and widens.
    #   The least-squares line runs through its middle.

Indented lines continue the sentence; a cell with several figures has several such comments, in order. In JupyterLab,
which gives the pictures of an output no alternative text, a screen reader meets the sentence just before the
picture; in the pages made by `autograder.pages` it is the picture's own.
"""

import ast
import re
from collections.abc import Iterable

from nbformat import NotebookNode

_COMMENT = re.compile(r"^[ \t]*# alt:(?P<first>.*)\n?(?P<more>(?:^[ \t]*#  +\S.*\n?)*)", re.MULTILINE)
# In the order in which nbconvert and JupyterLab choose among the forms of one output; of these, pictures count.
_FORMS = (
    "text/html",
    "application/javascript",
    "text/markdown",
    "image/svg+xml",
    "text/latex",
    "image/png",
    "image/jpeg",
)
# What makes no picture although it is of matplotlib.
_QUIET = {"close", "get_cmap", "get_fignums", "rc", "rc_context", "set_cmap", "style", "switch_backend", "use"}
_DRAWING = {"heatmap", "plot", "show_bboxes", "show_heatmaps", "show_images", "show_list_len_pair_hist"}


def sentences(source: str) -> list[str]:
    """Return the alternative texts that stand in a cell, in order."""
    found = []
    for comment in _COMMENT.finditer(source):
        more = [line.strip().lstrip("#").strip() for line in comment["more"].splitlines()]
        found.append(" ".join(text for text in [comment["first"].strip(), *more] if text))
    return found


def pictures(cell: NotebookNode) -> list[tuple[str, str]]:
    """Return form and data of the pictures among a cell's outputs, in the order in which they are shown."""
    shown = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        form = next((form for form in _FORMS if form in data), "")
        if form.startswith("image/"):
            shown.append((form, "".join(data[form])))
    return shown


class Drawing:
    """Finds out, cell by cell in the order of a notebook, which cells draw: by calls of matplotlib or d2l at the
    top level, or of a function of the notebook that makes such calls.
    """

    def __init__(self) -> None:
        self._functions: set[str] = set()

    def draws(self, source: str) -> bool:
        """Return whether a code cell draws, as far as its text tells."""
        try:
            tree = ast.parse(re.sub(r"^[ \t]*[%!].*$", "pass", source, flags=re.MULTILINE))
        except SyntaxError:
            return False
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and any(map(self._is_drawing, _calls(node.body))):
                self._functions.add(node.name)
        calls = list(_calls(tree.body))
        if any(_dotted(call) == "plt.close" for call in calls) and not any(_dotted(c) == "plt.show" for c in calls):
            return False
        return any(map(self._is_drawing, calls))

    def _is_drawing(self, call: ast.Call) -> bool:
        owner, _, name = _dotted(call).rpartition(".")
        if owner == "plt" or owner.startswith("plt."):
            return owner == "plt" and name not in _QUIET
        return (owner == "d2l" and name in _DRAWING) or (not owner and name in self._functions)


def _calls(statements: Iterable[ast.AST]) -> Iterable[ast.Call]:
    """Return the calls that run when the statements do: none inside a function or class that is only defined."""
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            yield node
        yield from _calls(ast.iter_child_nodes(node))


def _dotted(call: ast.Call) -> str:
    names, node = [], call.func
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""
