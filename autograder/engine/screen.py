"""Read learner code before it runs, and name what no honest answer needs.

The gate (gate.py) notices most tampering while it happens. What it cannot notice needs names that have no
place in an answer: attributes such as `__globals__`, objects that claim to equal everything, IPython's
hooks. Whatever the instructor's own notebook uses is never held against a learner. A finding costs
nothing by itself: it sends the submission to a human.
"""

import ast
import base64
import functools
import textwrap
from collections.abc import Iterable

from autograder.engine import suspicious
from autograder.engine.bindings import Bindings, bindings, is_dunder, is_installed
from autograder.engine.reader import found_in, parse_cell


def screen(learner_cells: Iterable[str], instructor_cells: Iterable[str]) -> list[str]:
    """Return what in a learner's cells a human should look at, as sentences.

    Args:
        learner_cells: source of the code cells that a learner could write.
        instructor_cells: source of all code cells of the instructor's notebook, solutions included; what
            these use is allowed.
    """
    allowed, shared = _instructors(tuple(instructor_cells))
    trees = [tree for source in learner_cells if (tree := parse_cell(source))]
    found = dict.fromkeys(name for name in found_in(trees, bindings(trees, shared)) if name not in allowed)
    return [f"the code uses {name}" for name in found]


# The same for every submission of a class; a run is about one assignment.
@functools.lru_cache(maxsize=8)
def _instructors(cells: tuple[str, ...]) -> tuple[frozenset[str], Bindings]:
    """Return what the instructor's cells use that would be suspicious, and what their names stand for."""
    trees = [tree for source in cells if (tree := parse_cell(source))]
    names = bindings(trees)
    return frozenset(found_in(trees, names)), names


def operators(learner_cells: Iterable[str], instructor_cells: Iterable[str]) -> list[str]:
    """Return the arithmetic that classes of a learner have and none of the instructor's has."""
    own = {name for source in learner_cells for name in _answering(source)}
    return sorted(own.difference(*map(_answering, instructor_cells))) if own else []


def _answering(source: str) -> set[str]:
    # A glance first: hardly any learner writes these.
    tree = parse_cell(source) if "def __" in source else None
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)] if tree else []
    return {function.name for function in functions} & suspicious.ANSWERING


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
    for source in hidden:
        tree = parse_cell(textwrap.dedent(source))
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str | float | int):
                text = node.value if isinstance(node.value, str) else repr(node.value)
                if len(text) >= (12 if isinstance(node.value, str) else 7) and text not in visible:
                    literals.add(text)
    return {
        form: text
        for text in literals
        for form in (text, text[::-1], text.encode().hex(), base64.b64encode(text.encode()).decode())
    }
