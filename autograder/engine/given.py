"""What the locked cells of a notebook give, and which of it a test relies on.

Learner code can bind the names of given cells anew, or change what they stand for. Functions are made again
for each test (gate.py), so that it sees them as the instructor wrote them. A number, a text or a class is not:
learner code may have good reasons to bind it anew, and objects of a given class are of that class only.
The gate compares these with what was given, if a test relies on them.
"""

import ast
import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import CodeType

from nbformat import NotebookNode
from nbgrader import utils

from autograder.engine.expressions import dotted
from autograder.engine.source import ONE_AT_A_TIME, bound, parse, tree_of

_CONSTANTS = (int, float, complex, bool, str, bytes, type(None))


@dataclass(frozen=True)
class Given:
    """What the locked cells of a notebook bind, once and for all.

    Attributes:
        functions: what is made again for each test: functions, also by `lambda` and `functools.partial`.
        constants: numbers, texts, and tuples of them, by name.
        classes: class statements by name.
        reads: the names that each function, class and constant uses.
    """

    functions: str = ""
    constants: dict[str, object] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    reads: dict[str, frozenset[str]] = field(default_factory=dict)

    def relied_on(self, test: str) -> tuple[dict[str, object], dict[str, dict[str, CodeType]]]:
        """Return the constants that a test relies on, and the classes, each with its methods by name.

        Args:
            test: source of the cell.
        """
        seen: set[str] = set()
        left = [*read_by(test)]
        while left:
            name = left.pop()
            if name not in seen:
                seen.add(name)
                left += self.reads.get(name, ())
        constants = {name: value for name, value in self.constants.items() if name in seen}
        return constants, {name: methods_of(text) for name, text in self.classes.items() if name in seen}


def given_by(cells: Iterable[NotebookNode]) -> tuple[Given, frozenset[str]]:
    """Return what the locked cells of a notebook give, and all names that it binds at its top level."""
    functions: dict[str, ast.stmt] = {}
    others: dict[str, ast.stmt] = {}
    rebound: set[str] = set()
    imported: set[str] = set()
    replaced: set[str] = set()
    for cell in cells:
        if (tree := tree_of(cell.source)) is None:
            continue
        replaced |= _replaced_in(tree)
        locked = utils.is_locked(cell) and not utils.is_grade(cell) and not utils.is_solution(cell)
        for node in tree.body:
            name = _single_name(node) if locked else None
            if locked and isinstance(node, ast.Import | ast.ImportFrom):
                imported |= bound(node)
            # What two statements bind is made again only if both are functions: then the last one counts.
            if name is None or name in others or (name in functions and not isinstance(node, ast.FunctionDef)):
                rebound |= bound(node)
            elif _is_function(node, imported | functions.keys()):
                functions[name] = node
            else:
                others[name] = node
    once = {name: node for name, node in others.items() if name not in rebound | functions.keys()}
    kept = {name: node for name, node in functions.items() if name not in rebound | others.keys()}
    constants = {n: node.value for n, node in once.items() if isinstance(node, ast.Assign) and _is_constant(node.value)}
    given = Given(
        "\n".join(map(ast.unparse, kept.values())),
        {name: ast.literal_eval(value) for name, value in constants.items()},
        {name: _without(replaced, node) for name, node in once.items() if isinstance(node, ast.ClassDef)},
        {name: frozenset(_loaded(node)) for name, node in (once | kept).items()},
    )
    return given, frozenset(rebound | functions.keys() | others.keys())


# The same for each submission.
@functools.lru_cache(maxsize=512)
def read_by(test: str) -> frozenset[str]:
    """Return the names that a test takes from elsewhere."""
    tree = tree_of(test)
    return frozenset() if tree is None else frozenset(_loaded(tree))


@functools.lru_cache(maxsize=256)
def methods_of(statement: str) -> dict[str, CodeType]:
    """Return the code of the methods of a class by name; not of those that a decorator may replace."""
    plain = {node.name for node in parse(statement).body[0].body if _is_plain(node)}
    with ONE_AT_A_TIME:
        whole = compile(statement, "<given>", "exec", dont_inherit=True, optimize=0)
    # Behind it may come what its bases hold, a lambda say.
    body = next(part for part in whole.co_consts if isinstance(part, CodeType))
    return {part.co_name: part for part in body.co_consts if isinstance(part, CodeType) and part.co_name in plain}


def _replaced_in(tree: ast.Module) -> set[str]:
    """Return the names of methods that a cell may put into a class after its statement."""
    names = {
        part.attr for part in ast.walk(tree) if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
    }
    return names | {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list}


def _without(methods: set[str], node: ast.ClassDef) -> str:
    kept = [part for part in node.body if not (isinstance(part, ast.FunctionDef) and part.name in methods)]
    return ast.unparse(ast.ClassDef(node.name, node.bases, node.keywords, kept or [ast.Pass()], node.decorator_list))


def _is_plain(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and not node.decorator_list


def _single_name(node: ast.stmt) -> str | None:
    """Return the one name that a statement binds, if it is a definition or a plain assignment."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return None if node.decorator_list else node.name
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id if len(bound(node)) == 1 else None
    return None


def _is_function(node: ast.stmt, known: set[str]) -> bool:
    """Whether a statement does no more than to make a function, out of names that tests have in any case."""
    if not isinstance(node, ast.Assign):
        return isinstance(node, ast.FunctionDef)
    if not isinstance(call := node.value, ast.Call):
        return isinstance(call, ast.Lambda)
    parts = [*call.args, *(keyword.value for keyword in call.keywords)]
    is_partial = dotted(call.func) in ("partial", "functools.partial")
    return is_partial and all(_is_constant(part) or _root(part) in known for part in parts)


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _is_constant(node: ast.expr) -> bool:
    try:
        return _never_changes(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False


def _never_changes(value: object) -> bool:
    return isinstance(value, _CONSTANTS) or (isinstance(value, tuple) and all(map(_never_changes, value)))


def _loaded(node: ast.AST) -> set[str]:
    """Return the names that a piece of code uses and does not bind itself, in whatever scope."""
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    own = {name.id for name in names if not isinstance(name.ctx, ast.Load)}
    own |= {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    own |= {getattr(part, "name", None) for part in ast.walk(node)}
    return {name.id for name in names} - own
