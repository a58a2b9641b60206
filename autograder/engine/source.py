"""The text of a cell: what is hidden of it, what it is as plain Python, and which names it binds."""

import ast
import functools
import re
import threading
from tokenize import COMMENT, DEDENT, ENDMARKER, NEWLINE, NL, TokenError, generate_tokens

from IPython.core.inputtransformer2 import TransformerManager

# Text that learners never get: from a line with the first mark to one with the second, or to the end.
HIDDEN_REGION = re.compile(
    r"^[^\n]*BEGIN (HIDDEN TESTS|MARK SCHEME).*?(END \1[^\n]*(\n|\Z)|\Z)", re.DOTALL | re.MULTILINE
)
# Cell magics around a test that swallow its error, or time it: the test runs without them.
_WRAPPER = re.compile(r"\A\s*%%(time|capture)\b[^\n]*\n")
# Ways to bind names that are written nowhere.
_BINDS_BY_TEXT = re.compile(r"\bexec\(|\b(globals|locals|vars)\(\)\s*[.\[]|\bget_ipython\(|^\s*%", re.MULTILINE)
# Python 3.11 counts the depth of a syntax tree for all threads together, and fails if two of them parse at once.
ONE_AT_A_TIME = threading.Lock()


def parse(source: str) -> ast.Module:
    """Parse Python; threads may call this at the same time.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it cannot be parsed.
    """
    with ONE_AT_A_TIME:
        return ast.parse(source)


# A plan looks at each cell more than once.
@functools.lru_cache(maxsize=256)
def tree_of(source: str) -> ast.Module | None:
    """Return a cell as a syntax tree; None if it is no Python."""
    try:
        return parse(plain_python(source))
    except SyntaxError:
        return None


def bound(node: ast.stmt) -> set[str]:
    """Return the names that a statement binds at the top level (and a few more from inside of loops)."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in inner.names}
        elif isinstance(inner, ast.FunctionDef | ast.ClassDef):
            names.add(inner.name)
    return names


# The tests are the same for a whole class, and IPython's transformation is slow.
@functools.lru_cache(maxsize=512)
def plain_test(source: str) -> str:
    """Return a test's source as `plain_python` does."""
    return plain_python(source)


@functools.lru_cache(maxsize=512)
def bindings_of(source: str) -> frozenset[str]:
    """Return every name that a test may bind, in functions and patterns of it, too; "*" if its text does not tell."""
    tree = tree_of(_WRAPPER.sub("", source)) or ast.Module([], [])
    names = {name for node in tree.body for name in bound(node)}
    for node in ast.walk(tree):
        names |= {getattr(node, field) for field in ("name", "rest") if isinstance(getattr(node, field, None), str)}
    if _BINDS_BY_TEXT.search(source):
        names.add("*")
    return frozenset(names)


def plain_python(source: str) -> str:
    """Return a cell's source with magics and shell lines turned into calls."""
    return TransformerManager().transform_cell(_WRAPPER.sub("", source))


def shows_result(source: str) -> bool:
    """Whether the value of a cell's last expression is put out: not if a semicolon stands behind it."""
    try:
        tokens = list(generate_tokens(iter(source.splitlines(keepends=True)).__next__))
    except (SyntaxError, TokenError):
        return True
    solid = [token for token in tokens if token.type not in (COMMENT, NEWLINE, NL, DEDENT, ENDMARKER)]
    return not (solid and solid[-1].string == ";")


def visible_part(source: str) -> str:
    """Return the text of a locked cell without hidden tests and rubrics: what learners got."""
    return HIDDEN_REGION.sub("", source).strip()
