# Dataclasses, named tuples, enums, properties, slots and class names.
# %% extra
import collections
import dataclasses
import enum
from typing import NamedTuple, TypeVar, Generic

T = TypeVar("T")


class Colour(enum.Enum):
    RED = 1
    BLUE = enum.auto()


@dataclasses.dataclass(frozen=True, order=True)
class Row:
    x: float
    y: float = 0.0
    tags: list = dataclasses.field(default_factory=list)

    @property
    def norm(self):
        return (self.x**2 + self.y**2) ** 0.5


class Box(Generic[T]):
    __slots__ = ("_value",)

    def __init__(self, value: T):
        self._value = value

    def __repr__(self):
        return f"{self.__class__.__name__}({self._value!r})"


Point = collections.namedtuple("Point", "x y")
print(Point(1, 2)._asdict(), Point(1, 2)._replace(x=3), Row(3, 4).norm, Colour.RED, Box(3), dataclasses.asdict(Row(1)))


class Pair(NamedTuple):
    left: int
    right: int


print(Pair(1, 2)._fields, type(Pair(1, 2)).__name__)
