"""What the grader knows of an assignment's notebook before it opens a submission."""

import ast
from dataclasses import dataclass, field

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbgrader import utils


@dataclass(frozen=True)
class Plan:
    """One notebook of an assignment, as the instructor wrote it.

    Attributes:
        imports: the import statements of the instructor's cells, for the gate.
        names: names bound by the top-level ones; tests see the instructor's binding of these.
        code: the source of all code cells, solutions included: what these use, learners may use.
        tests: source of the autograded test cells by grade_id.
    """

    imports: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    code: tuple[str, ...] = ()
    tests: dict[str, str] = field(default_factory=dict)


def make_plan(source: NotebookNode) -> Plan:
    """Read a source notebook (with its solutions and hidden tests)."""
    imports: dict[str, None] = {}
    names: set[str] = set()
    cells = [cell for cell in source.cells if cell.cell_type == "code"]
    for cell in cells:
        if utils.is_solution(cell):
            continue
        try:
            tree = ast.parse(plain_python(cell.source))
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)) and not getattr(node, "level", 0):
                imports[ast.unparse(node)] = None
        for node in tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    tests = {cell.metadata.nbgrader.grade_id: cell.source for cell in cells if is_test(cell)}
    return Plan(tuple(imports), frozenset(names), tuple(cell.source for cell in cells), tests)


def is_test(cell: NotebookNode) -> bool:
    """Whether a cell is code that is graded by running it."""
    return cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell)


def plain_python(source: str) -> str:
    """Return a cell's source with magics and shell lines turned into calls."""
    return TransformerManager().transform_cell(source)
