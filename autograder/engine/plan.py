"""What the grader knows of an assignment's notebook before it opens a submission."""

import ast
import functools
import re
import threading
from dataclasses import dataclass, field
from tokenize import COMMENT, DEDENT, ENDMARKER, NEWLINE, NL, TokenError, generate_tokens

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbgrader import utils

# Text that learners never get: from a line with the first mark to one with the second, or to the end.
HIDDEN_REGION = re.compile(
    r"^[^\n]*BEGIN (HIDDEN TESTS|MARK SCHEME).*?(END \1[^\n]*(\n|\Z)|\Z)", re.DOTALL | re.MULTILINE
)
# Cell magics around a test that swallow its error, or time it: the test runs without them.
_WRAPPER = re.compile(r"\A\s*%%(time|capture)\b[^\n]*\n")
# Ways to bind names that are written nowhere.
_BINDS_BY_TEXT = re.compile(r"\bexec\(|\b(globals|locals|vars)\(\)\s*[.\[]|\bget_ipython\(|^\s*%", re.MULTILINE)


@dataclass(frozen=True)
class Plan:
    """One notebook of an assignment, as the instructor wrote it.

    Attributes:
        imports: the import statements of the instructor's cells, for the gate.
        names: names bound by the top-level ones; tests see the instructor's binding of these.
        code: the source of all code cells, solutions included: what these use, learners may use.
        tests: source of the autograded test cells by grade_id.
        given: the functions that locked cells define, which tests see as the instructor wrote them.
        own: every name that the notebook binds; of built-in names, tests see a learner's only if it is here.
        answers: names that cells other than tests bind; what a test binds anew of these, learner code sees.
        private: names that only hidden parts of tests bind; learner code never sees these.
    """

    imports: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    code: tuple[str, ...] = ()
    tests: dict[str, str] = field(default_factory=dict)
    given: str = ""
    own: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()
    private: frozenset[str] = frozenset()

    # Asked for by each submission.
    @functools.cached_property
    def hidden_parts(self) -> tuple[str, ...]:
        """The hidden parts of all tests."""
        return tuple(match[0] for test in self.tests.values() for match in HIDDEN_REGION.finditer(test))

    @functools.cached_property
    def visible_code(self) -> str:
        """All code that is in no hidden part."""
        return "\n".join(HIDDEN_REGION.sub("", source) for source in self.code)


# Python 3.11 counts the depth of a syntax tree for all threads together, and fails if two of them parse at once.
ONE_AT_A_TIME = threading.Lock()


def parse(source: str) -> ast.Module:
    """Parse Python; threads may call this at the same time.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it cannot be parsed.
    """
    with ONE_AT_A_TIME:
        return ast.parse(source)


def make_plan(source: NotebookNode) -> Plan:
    """Read a source notebook (with its solutions and hidden tests)."""
    imports: dict[str, None] = {}
    names: set[str] = set()
    cells = [cell for cell in source.cells if cell.cell_type == "code"]
    for cell in cells:
        if utils.is_solution(cell):
            continue
        if (tree := _tree(cell.source)) is None:
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)) and not getattr(node, "level", 0):
                imports[ast.unparse(node)] = None
        for node in tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    tests = {cell.metadata.nbgrader.grade_id: cell.source for cell in cells if is_test(cell)}
    given, own = _given(cells)
    answers, private = _told_apart(cells)
    sources = tuple(cell.source for cell in cells)
    return Plan(tuple(imports), frozenset(names), sources, tests, given, own, answers, private)


def _told_apart(cells: list[NotebookNode]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names bound outside of tests, and those bound in hidden parts only."""
    answers: set[str] = set()
    shown: set[str] = set()
    hidden: set[str] = set()
    for cell in cells:
        whole = _tree(cell.source) or ast.Module([], [])
        if not is_test(cell):
            answers |= {name for node in whole.body for name in bound(node)}
            continue
        hidden |= {name for node in whole.body for name in bound(node)}
        # A visible part that is no Python by itself has to be taken for all of it.
        visible = _tree(visible_part(cell.source)) or whole
        shown |= {name for node in visible.body for name in bound(node)}
    return frozenset(answers), frozenset(hidden - shown - answers)


# A plan looks at each cell more than once.
@functools.lru_cache(maxsize=256)
def _tree(source: str) -> ast.Module | None:
    try:
        return parse(plain_python(source))
    except SyntaxError:
        return None


def _given(cells: list[NotebookNode]) -> tuple[str, frozenset[str]]:
    """Return the functions of locked cells, and all names that the notebook binds at its top level."""
    given: dict[str, str] = {}
    rebound: set[str] = set()
    for cell in cells:
        if (tree := _tree(cell.source)) is None:
            continue
        locked = utils.is_locked(cell) and not utils.is_grade(cell) and not utils.is_solution(cell)
        for node in tree.body:
            if locked and isinstance(node, ast.FunctionDef) and not node.decorator_list:
                given[node.name] = ast.unparse(node)
            else:
                rebound |= bound(node)
    return "\n".join(text for name, text in given.items() if name not in rebound), frozenset(rebound | given.keys())


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
    tree = _tree(_WRAPPER.sub("", source)) or ast.Module([], [])
    names = {name for node in tree.body for name in bound(node)}
    for node in ast.walk(tree):
        names |= {getattr(node, field) for field in ("name", "rest") if isinstance(getattr(node, field, None), str)}
    if _BINDS_BY_TEXT.search(source):
        names.add("*")
    return frozenset(names)


def is_test(cell: NotebookNode) -> bool:
    """Whether a cell is code that is graded by running it."""
    return cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell)


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


def as_released(source: NotebookNode, texts: dict[str, str]) -> None:
    """Put in the gradebook's texts: what learners got, should the source have been edited since.

    Args:
        source: the instructor's notebook; changed in place.
        texts: by grade_id, the source of each cell that the gradebook knows.
    """
    for cell in source.cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade_id") in texts and not meta.get("solution"):
            cell.source = texts[meta["grade_id"]]
