"""Follow a name to the texts that it may stand for, where all of them are written out (for reader.py).

`for name in ["ReLU", "Tanh"]: getattr(nn, name)` reaches two attributes that can be read, if nothing else ever binds
`name`. Whatever could do so without being seen here makes the answer None.
"""

import ast
import functools
from collections.abc import Callable, Iterable

from autograder.engine.bindings import folded

# Names through names: nobody writes more.
_MOST_STEPS = 8
_DISPLAYS = ast.List | ast.Tuple | ast.Set
# Magics that bind names; those that nobody knows are told anyway.
_BINDING = frozenset(("time", "timeit", "capture"))
_READING = frozenset(("len", "print", "enumerate", "zip"))
_LOOPS = ast.For | ast.AsyncFor | ast.comprehension


class Written:
    """What the names in some cells may stand for.

    Args:
        trees: the cells, all of them.
        is_plain: whether a name is Python's own here, as `zip` is unless the cells bind it.
    """

    def __init__(self, trees: Iterable[ast.Module], is_plain: Callable[[str], bool]) -> None:
        self._nodes = [node for tree in trees for node in ast.walk(tree)]
        self._plain = frozenset(filter(is_plain, _READING))

    def texts(self, node: ast.expr) -> frozenset[str] | None:
        """Return the texts that an expression may be; None if it may be something else, too."""
        return None if self._binds_unseen else self._texts(node, 0)

    def _texts(self, node: ast.expr | None, steps: int) -> frozenset[str] | None:
        if (text := folded(node)) is not None:
            return frozenset((text,))
        if steps > _MOST_STEPS:
            return None
        if isinstance(node, ast.IfExp):
            return _all([self._texts(part, steps + 1) for part in (node.body, node.orelse)])
        if isinstance(node, ast.Subscript):
            display = node.value if isinstance(node.value, _DISPLAYS) else self._steady(node.value)
            return self._items(display, steps + 1) if display is not None else None
        if not isinstance(node, ast.Name) or node.id.startswith("_"):
            # IPython binds names with an underscore.
            return None
        return _all([self._bound(node.id, *place, steps + 1) for place in self._places.get(node.id, [(None, None)])])

    def _bound(self, name: str, node: ast.AST | None, parent: ast.AST | None, steps: int) -> frozenset[str] | None:
        """Return the texts that one binding gives a name."""
        if isinstance(parent, ast.Assign):
            return self._texts(parent.value, steps)
        if isinstance(parent, _LOOPS) and node is parent.target:
            if isinstance(node, ast.Name):
                return self._items(parent.iter, steps)
            if isinstance(node, ast.Tuple) and all(isinstance(part, ast.Name) for part in node.elts):
                return _all(
                    [self._column(parent.iter, i, steps) for i, part in enumerate(node.elts) if part.id == name]
                )
        return None

    def _items(self, node: ast.expr, steps: int) -> frozenset[str] | None:
        """Return the texts that a loop over an expression gives."""
        if isinstance(node, _DISPLAYS):
            return _all([self._texts(item, steps) for item in node.elts])
        if isinstance(node, ast.Dict):
            return _all([self._texts(key, steps) for key in node.keys])
        return self._items(display, steps) if (display := self._steady(node)) is not None else None

    def _column(self, node: ast.expr, index: int, steps: int) -> frozenset[str] | None:
        """Return the texts that stand at one place of each item of an expression."""
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None
        if called in self._plain and not node.keywords:
            if called == "enumerate" and index == 1 and node.args:
                return self._items(node.args[0], steps)
            if called == "zip" and index < len(node.args):
                starred = any(isinstance(argument, ast.Starred) for argument in node.args)
                return None if starred else self._items(node.args[index], steps)
        if isinstance(node, _DISPLAYS):
            rows = [row.elts if isinstance(row, ast.Tuple | ast.List) else [] for row in node.elts]
            return _all([self._texts(row[index], steps) if index < len(row) else None for row in rows])
        return self._column(display, index, steps) if (display := self._steady(node)) is not None else None

    def _steady(self, node: ast.expr) -> ast.expr | None:
        """Return the display that a name stands for, if it is bound once and nothing can have changed it since."""
        if not isinstance(node, ast.Name):
            return None
        places = self._places.get(node.id, [])
        parent = places[0][1] if len(places) == 1 else None
        once = isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.value, _DISPLAYS)
        return parent.value if once and node.id not in self._shared else None

    @functools.cached_property
    def _places(self) -> dict[str, list[tuple[ast.AST | None, ast.AST | None]]]:
        """All bindings of each name: the target, and what binds it; (None, None) is a binding of another kind."""
        found: dict[str, list[tuple[ast.AST | None, ast.AST | None]]] = {}
        targets = {id(node.target) for node in self._nodes if isinstance(node, _LOOPS)}
        for parent in self._nodes:
            if id(parent) in targets:
                # Told with its loop.
                continue
            names = {getattr(parent, field, None) for field in ("name", "asname", "rest", "arg")}
            names = set() if isinstance(parent, ast.keyword) else names
            names |= set(parent.names) if isinstance(parent, ast.Global | ast.Nonlocal) else set()
            for name in names:
                if isinstance(name, str):
                    found.setdefault(name.partition(".")[0], []).append((None, None))
            for node in ast.iter_child_nodes(parent):
                inner = list(ast.walk(node)) if id(node) in targets else [node]
                for name in inner:
                    if isinstance(name, ast.Name) and not isinstance(name.ctx, ast.Load):
                        found.setdefault(name.id, []).append((node, parent))
        return found

    @functools.cached_property
    def _binds_unseen(self) -> bool:
        """Whether a magic may bind names that stand nowhere as names."""
        for node in self._nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                first = node.args[0] if node.args else None
                binding = not isinstance(first, ast.Constant) or first.value in _BINDING
                if node.func.attr.startswith("run_") and node.func.attr.endswith("_magic") and binding:
                    return True
        return False

    @functools.cached_property
    def _shared(self) -> frozenset[str]:
        """Names whose objects somebody else may get hold of, and change."""
        read: set[int] = set()
        for node in self._nodes:
            if isinstance(node, _LOOPS):
                read.add(id(node.iter))
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
                read.add(id(node.value))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self._plain:
                read.update(map(id, node.args))
        names = [node for node in self._nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
        return frozenset(node.id for node in names if id(node) not in read)


def _all(found: list[frozenset[str] | None]) -> frozenset[str] | None:
    """Return all texts taken together; None if there are none or one is not known."""
    return frozenset().union(*found) if found and None not in found else None
