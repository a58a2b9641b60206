"""Read learner code before it runs, and name what no honest answer needs.

The gate (gate.py) notices most tampering while it happens. What it cannot notice needs names that have no
place in an answer: attributes such as `__globals__`, objects that claim to equal everything, IPython's
hooks. Whatever the instructor's own notebook uses is never held against a learner. A finding costs
nothing by itself: it sends the submission to a human.
"""

import ast
import base64
import functools
import html
import re
import textwrap
from collections.abc import Iterable

from autograder.engine import suspicious
from autograder.engine.bindings import Bindings, bindings, is_dunder, is_installed
from autograder.engine.cells import Unreadable, parse_cell, parse_cells, readable
from autograder.engine.reader import found_in

_WORD = re.compile(r"\w+")


def screen(learner_cells: Iterable[str], instructor_cells: Iterable[str]) -> list[str]:
    """Return what in a learner's cells a human should look at, as sentences.

    Args:
        learner_cells: source of the code cells that a learner could write.
        instructor_cells: source of all code cells of the instructor's notebook, solutions included; what
            these use is allowed.
    """
    try:
        given = tuple(instructor_cells)
        allowed, shared = _instructors(given)
        trees, unread = parse_cells(learner_cells, given)
        found = dict.fromkeys(name for name in found_in(trees, bindings(trees, shared)) if name not in allowed)
    except Unreadable as reason:
        return [f"the code {reason}"]
    except Exception:
        # Whatever the reader stumbles over was not written to be read.
        return ["the code cannot be read"]
    return [*(f"the code {reason}" for reason in dict.fromkeys(unread)), *(f"the code uses {name}" for name in found)]


# The same for every submission of a class; a run is about one assignment.
@functools.lru_cache(maxsize=8)
def _instructors(cells: tuple[str, ...]) -> tuple[frozenset[str], Bindings]:
    """Return what the instructor's cells use that would be suspicious, and what their names stand for."""
    trees, _ = parse_cells(cells)
    names = bindings(trees)
    return frozenset(found_in(trees, names)), names


def operators(learner_cells: Iterable[str], instructor_cells: Iterable[str]) -> list[str]:
    """Return the arithmetic that classes of a learner have and none of the instructor's has."""
    own = suspicious.ANSWERING.intersection(special_methods(learner_cells))
    return sorted(own.difference(special_methods(instructor_cells))) if own else []


def special_methods(cells: Iterable[str]) -> list[str]:
    """Return the methods with a meaning to Python that stand in some cells."""
    found: set[str] = set()
    for source in readable(cells)[0]:
        found |= _special_methods(source)
    return sorted(found)


# The instructor's cells are the same for a whole class.
@functools.lru_cache(maxsize=512)
def _special_methods(source: str) -> frozenset[str]:
    # A glance first: few cells have any.
    try:
        tree = parse_cell(source) if "__" in source else None
    except Unreadable:
        # The screen says so.
        tree = None
    nodes = list(ast.walk(tree)) if tree else []
    names = [node.name for node in nodes if isinstance(node, ast.FunctionDef)]
    # `__rmul__ = __mul__`
    names += [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return frozenset(filter(is_dunder, names))


def unpickled(module: str, name: str) -> str | None:
    """Return what is wrong with something that a pickle names, as a sentence; None if nothing is."""
    parts = name.split(".")
    places = [".".join(module.split(".")[: end + 1]) for end in range(module.count(".") + 1)]
    loky = module.startswith("joblib.externals.loky")
    wrong = (
        any(map(is_dunder, [*parts, *module.split(".")[1:]]))
        or any(part.startswith("_") for part in parts if len(parts) > 1)
        or not suspicious.ATTRIBUTES.isdisjoint(parts)
        or (not suspicious.REACHING.isdisjoint(parts) and places[0] != "__main__")
        or any(place in suspicious.MODULES and place not in suspicious.PICKLED for place in places if not loky)
        or (places[0] not in suspicious.LIBRARIES and is_installed(places[0]))
    )
    return f"a pickle names {module}.{name}"[:200] if wrong else None


def repeated(outputs: Iterable[str], hidden: Iterable[str], visible: str) -> list[str]:
    """Return the literals of hidden tests that a learner's own cells put out, plainly or lightly dressed.

    What a test passes to a function can be kept and shown by a later cell. A secret that was
    enciphered cannot be found so; see docs/grading.md. What stands in the `visible` text as well is no
    secret, and a short word or number may come from anywhere.
    """
    forms = _forms(tuple(hidden), visible)
    found = [text for output in outputs for form, text in forms.items() if form in output]
    return list(dict.fromkeys(found))


@functools.lru_cache(maxsize=8)
def _forms(hidden: tuple[str, ...], visible: str) -> dict[str, str]:
    """Return the forms in which the literals of hidden tests may be put out, each with its literal."""
    literals: set[str] = set()
    shown = frozenset(_WORD.findall(visible))
    for source in hidden:
        trees, _ = parse_cells([textwrap.dedent(source)])
        for node in (node for tree in trees for node in ast.walk(tree)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes | float | int):
                value = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
                text = value if isinstance(value, str) else repr(value)
                # "softmax()" is none where softmax is asked for.
                is_known = text in visible or (len(words := _WORD.findall(text)) <= 3 and shown.issuperset(words))
                if len(text) >= (12 if isinstance(value, str) else 7) and not is_known:
                    literals.add(text)
    return {
        form: text
        for text in literals
        for form in (
            *(text, text[::-1], text.encode().hex(), base64.b64encode(text.encode()).decode()),
            # As a list shows it, or a page.
            *(repr(text)[1:-1], html.escape(text)),
        )
    }
