"""Finds classes that came to be while a notebook ran, with methods that stand in no text.

The reader of learner code (reader.py) names methods with which an object answers comparisons, if it sees
them. A class can also be made by a call, out of names put together at run time. A kernel executes a copy
of this module beside the gate's (see gate.py). No class is asked anything.
"""

import gc
import sys
from collections.abc import Callable, Iterable
from types import FunctionType, MethodDescriptorType, ModuleType, WrapperDescriptorType
from typing import Any

from autograder.engine.places import lies_below

_MRO_OF, _SPACE_OF = type.__dict__["__mro__"].__get__, type.__dict__["__dict__"].__get__
_NAME_OF, _MODULE_SPACE = type.__dict__["__name__"].__get__, ModuleType.__dict__["__dict__"].__get__
# One for each object, as `id` gives, but without an audit event for each.
_NUMBER_OF = object.__hash__
# More new objects than this are looked at once only: they belong to libraries that a cell has imported.
_MANY = 5_000


def class_finder(libraries: tuple[str, ...]) -> Callable[[Iterable[str]], list[str]]:
    """Return a function that names the strange methods of classes made since its last call.

    It takes the names of the methods that are strange, if they stand in no text.

    Args:
        libraries: path prefixes of code that no learner wrote.
    """
    # What exists now is out of the collector's sight, and so need not be looked at again.
    gc.freeze()
    seen: set[int] = set()
    # Each with how many names it has, and with its methods of those names: a class may be given others later.
    # They are kept, too, lest another class gets the number of one that was seen.
    known: dict[int, tuple[type, int, dict[str, Any]]] = {}

    def find(methods: Iterable[str]) -> list[str]:
        objects = gc.get_objects()
        kinds = list(map(type, objects))
        numbers = list(map(_NUMBER_OF, kinds))
        each = dict(zip(numbers, kinds, strict=True))
        makers = {number for number, kind in each.items() if _is_below(kind, type)}
        made = [thing for thing, number in zip(objects, numbers, strict=True) if number in makers]
        new = [kind for kind in made if _NUMBER_OF(kind) not in seen]
        if len(objects) > _MANY:
            gc.freeze()
        del objects, kinds, numbers, each
        seen.update(map(_NUMBER_OF, new))
        new += [kind for kind, size, had in known.values() if _is_changed(_SPACE_OF(kind), size, had)]
        strange, found = frozenset(methods), []
        for kind in new:
            space = _SPACE_OF(kind)
            had = {name: method for name, method in space.items() if type(name) is str and name in strange}
            known[_NUMBER_OF(kind)] = (kind, len(space), had)
            if had and not _is_librarys(kind, space, libraries):
                names = [name for name, method in had.items() if not _is_plain(name, method, libraries)]
                found += [f"{_NAME_OF(kind)[:80]}.{name}" for name in names]
        return found

    return find


def _is_changed(space: Any, size: int, had: dict[str, Any]) -> bool:
    return len(space) != size or any(space.get(name) is not method for name, method in had.items())


def _is_librarys(kind: type, space: Any, libraries: tuple[str, ...]) -> bool:
    """Return whether a class is found in the library module that it says it is from."""
    module = space.get("__module__")
    place = sys.modules.get(module) if type(module) is str else None
    if place is None or not _is_below(type(place), ModuleType):
        return False
    names = _MODULE_SPACE(place)
    file = names.get("__file__")
    return type(file) is str and lies_below(file, libraries) and names.get(_NAME_OF(kind)) is kind


def _is_plain(name: str, method: Any, libraries: tuple[str, ...]) -> bool:
    """Return whether a method was written by a library, or by dataclasses, which compare field by field."""
    if type(method) in (staticmethod, classmethod):
        method = method.__func__
    if type(method) is FunctionType:
        file = method.__code__.co_filename
        return file == "<string>" or (lies_below(file, libraries) and _wraps_plain(method, libraries, 3))
    if type(method) in (WrapperDescriptorType, MethodDescriptorType):
        return method.__name__ == name
    # A mock that a test patches something with: what it answers, somebody has yet to say.
    mock = sys.modules.get("unittest.mock")
    return method is None or (mock is not None and type(method) is _MODULE_SPACE(mock).get("MagicProxy"))


def _wraps_plain(function: FunctionType, libraries: tuple[str, ...], steps: int) -> bool:
    """Return whether a library's function, as far as can be seen, calls no function of somebody else's."""
    held = [vars(function).get("__wrapped__")]
    for cell in function.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:
            continue
        held += list(content.values()) if type(content) is dict else [content]
    inner = [thing for thing in held if type(thing) is FunctionType]
    return steps == 0 or all(
        lies_below(thing.__code__.co_filename, libraries) and _wraps_plain(thing, libraries, steps - 1)
        for thing in inner
    )


def _is_below(kind: type, base: type) -> bool:
    return any(above is base for above in _MRO_OF(kind))
