"""What the grader knows of an assignment's notebook before it opens a submission."""

import ast
import functools
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbgrader import utils

from autograder.engine.given import Given, given_by
from autograder.engine.source import HIDDEN_REGION, bound, tree_of, visible_part


@dataclass(frozen=True)
class Plan:
    """One notebook of an assignment, as the instructor wrote it.

    Attributes:
        imports: the import statements of the instructor's cells, for the gate.
        names: names bound by the top-level ones; tests see the instructor's binding of these.
        code: the source of all code cells, solutions included: what these use, learners may use.
        tests: source of the autograded test cells by grade_id.
        given: what locked cells give, which tests see as the instructor wrote it.
        own: every name that the notebook binds; of built-in names, tests see a learner's only if it is here.
        answers: names that cells other than tests bind; what a test binds anew of these, learner code sees.
        changing: names of answers that functions of answers bind (`global counter`); a running test sees their values.
        private: names that only hidden parts of tests bind; learner code never sees these.
    """

    imports: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    code: tuple[str, ...] = ()
    tests: dict[str, str] = field(default_factory=dict)
    given: Given = field(default_factory=Given)
    own: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()
    changing: frozenset[str] = frozenset()
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


def make_plan(source: NotebookNode) -> Plan:
    """Read a source notebook (with its solutions and hidden tests)."""
    imports: dict[str, None] = {}
    names: set[str] = set()
    cells = [cell for cell in source.cells if cell.cell_type == "code"]
    for cell in cells:
        if utils.is_solution(cell):
            continue
        if (tree := tree_of(cell.source)) is None:
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)) and not getattr(node, "level", 0):
                imports[ast.unparse(node)] = None
        for node in tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    tests = {cell.metadata.nbgrader.grade_id: cell.source for cell in cells if is_test(cell)}
    given, own = given_by(cells)
    answers, changing, private = _told_apart(cells)
    sources = tuple(cell.source for cell in cells)
    return Plan(tuple(imports), frozenset(names), sources, tests, given, own, answers, changing, private)


def _told_apart(cells: list[NotebookNode]) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return the names bound outside of tests, those that functions of answers bind, and those of hidden parts only."""
    answers: set[str] = set()
    given: set[str] = set()
    changing: set[str] = set()
    shown: set[str] = set()
    hidden: set[str] = set()
    for cell in cells:
        whole = tree_of(cell.source) or ast.Module([], [])
        if not is_test(cell):
            names = {name for node in whole.body for name in bound(node)}
            if utils.is_solution(cell):
                answers |= names
                changing.update(name for node in ast.walk(whole) if isinstance(node, ast.Global) for name in node.names)
            else:
                given |= names
            continue
        hidden |= {name for node in whole.body for name in bound(node)}
        # A visible part that is no Python by itself has to be taken for all of it.
        visible = tree_of(visible_part(cell.source)) or whole
        shown |= {name for node in visible.body for name in bound(node)}
    return frozenset(answers | given), frozenset(changing - given), frozenset(hidden - shown - answers - given)


def is_test(cell: NotebookNode) -> bool:
    """Whether a cell is code that is graded by running it."""
    return cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell)


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
