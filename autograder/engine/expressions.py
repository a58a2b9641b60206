"""What the parts of an expression are called, for the reader of learner code (reader.py)."""

import ast
from collections.abc import Iterator

from autograder.engine.cells import TOO_DEEP, Unreadable

# Attributes of attributes of ...: nobody writes more, and each of them is looked at with all in front of it.
_MOST_LINKS = 80


def root_name(node: ast.expr) -> str | None:
    """Return the name that an attribute or item of it is taken of."""
    links = 0
    while isinstance(node, ast.Attribute | ast.Subscript):
        node, links = node.value, links + 1
        if links > _MOST_LINKS:
            raise Unreadable(TOO_DEEP)
    return node.id if isinstance(node, ast.Name) else None


def spine(node: ast.expr) -> Iterator[ast.expr]:
    """Yield an expression and what it is an attribute, an item or a result of."""
    for _ in range(_MOST_LINKS + 1):
        yield node
        if isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return
    raise Unreadable(TOO_DEEP)


def dotted(node: ast.expr) -> str:
    """Return a name with its attributes as a text; what stands in brackets or is called is left out."""
    parts = [
        part.attr if isinstance(part, ast.Attribute) else part.id
        for part in spine(node)
        if isinstance(part, ast.Attribute | ast.Name)
    ]
    return ".".join(reversed(parts))


def last_name(node: ast.expr) -> str | None:
    """Return a name, or that of an attribute."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None


def sources(node: ast.expr) -> list[ast.expr]:
    """Return the names and attributes of names that an expression may stand for."""
    found, left = [], [node]
    while left:
        inner = left.pop()
        if isinstance(inner, ast.Name | ast.Attribute):
            found.append(inner)
        elif isinstance(inner, ast.IfExp):
            left += [inner.body, inner.orelse]
        elif isinstance(inner, ast.BoolOp):
            left += inner.values
        elif isinstance(inner, ast.NamedExpr | ast.Starred | ast.Subscript):
            left.append(inner.value)
        elif isinstance(inner, ast.List | ast.Tuple | ast.Set):
            left += inner.elts
        elif isinstance(inner, ast.Dict):
            left += inner.values
    return found
