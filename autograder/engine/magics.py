"""What there is to read in magics and shell lines of learner code, for its reader (reader.py)."""

import ast
import contextlib
import re
from string import Formatter

from autograder.engine import suspicious
from autograder.engine.cells import parse_cell

# Options of %time and %timeit.
_OPTIONS = re.compile(r"\A(\s*-([rntcpqov]+\s*\d*|-[a-z-]+)(?=\s|\Z))+")
_WORD = r"(\w+|'\w+'|\"\w+\")"
_CONFIG = re.compile(
    rf"(InlineBackend|Completer|IPCompleter)\.\w+\s*=\s*({_WORD}|[\[{{(]\s*{_WORD}(\s*,\s*{_WORD})*\s*,?\s*[\]}})])\s*\Z"
)
# As in `!ls $folder`.
_DOLLAR = re.compile(r"\$([^\W\d][\w.]*)")


def magic(node: ast.Call) -> tuple[list[str], list[str]] | None:
    """Return what is strange about a harmless magic or shell line, and the texts in it that are read like cells.

    Args:
        node: any call; what is no such line, or does more than display, time and configure, gives None.
    """
    made = node.func.value if isinstance(node.func, ast.Attribute) else None
    if not (isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id == "get_ipython"):
        return None
    texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    if len(texts) != len(node.args) or node.keywords or not texts:
        return None
    if node.func.attr in ("system", "getoutput", "getoutputs"):
        # A program in the sandbox cannot reach into the kernel; what IPython fills in can.
        return [], _filled_in(texts)
    if texts[:2] in (["bash", ""], ["sh", ""]) and node.func.attr == "run_cell_magic":
        return [], []
    if texts[0] == "load_ext" and node.func.attr == "run_line_magic":
        return ([], []) if texts[1:] and texts[1].strip() in suspicious.EXTENSIONS else None
    is_known = node.func.attr in ("run_line_magic", "run_cell_magic") and texts[0] in suspicious.MAGICS
    if not is_known or len(texts) < 2:
        return None
    name, line, *body = texts
    if name == "config":
        # It runs its line.
        return ([], []) if _CONFIG.match(line) else None
    found, to_read = [], _filled_in([line])
    if name in suspicious.SHELL_MAGICS and ("{" in line or "$" in line):
        # IPython fills in what it has filled in once more, whatever text that is by then.
        found.append("a shell magic that is filled in")
    if name in ("pinfo", "pinfo2", "psource"):
        to_read.append(line)
    if name in ("time", "timeit"):
        # Options may stand before the statement, some with a value behind a space.
        statement = _OPTIONS.sub("", line)
        if parse_cell(statement) is None:
            found.append("a magic line that cannot be read")
        body = [statement, *body]
    return found, to_read + (body if name in ("time", "timeit", "capture") else [])


def unknown_magic(node: ast.Call) -> str | None:
    """Return the name of a magic that is called and does more than display, time and configure."""
    is_call = isinstance(node.func, ast.Attribute) and node.func.attr in ("run_line_magic", "run_cell_magic")
    first = node.args[0] if is_call and node.args else None
    name = first.value if isinstance(first, ast.Constant) else None
    return name if isinstance(name, str) and name not in suspicious.MAGICS else None


def _filled_in(lines: list[str]) -> list[str]:
    """Return the expressions in lines, which IPython evaluates."""
    texts, left = [], list(lines)
    while left:
        line = left.pop()
        fields = [(name, "") for name in _DOLLAR.findall(line)]
        # Up to where the line is no format any more, IPython has evaluated it.
        with contextlib.suppress(ValueError):
            for _, name, spec, _ in Formatter().parse(line):
                fields += [(name, spec or "")] if name else []
        for name, spec in fields:
            # It evaluates both as one text, for the sake of slices.
            texts += [text.strip() for text in ((name, f"{name}:{spec}") if spec else (name,))]
            left += [spec] if spec else []
    return texts
