# Type hints, read back, with names as texts and classes that come later.
# %% extra
from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from typing import Any, Optional, Union


class Node:
    value: int
    next: Optional[Node] = None

    def walk(self) -> Iterator["Node"]:
        yield self


Number = Union[int, float]


def apply(f: Callable[[Number], Number], x: "Number") -> Any:
    return f(x)


print(typing.get_type_hints(apply), typing.get_type_hints(Node), apply.__annotations__, apply(lambda v: v, 1), apply.__name__)
