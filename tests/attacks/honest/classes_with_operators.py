# Classes with arithmetic, length, items, calls, iteration and text of their own, beside and inside the answers.
# %% extra
class Vector:
    def __init__(self, *values):
        self.values = values

    def __add__(self, other):
        return Vector(*(a + b for a, b in zip(self.values, other.values)))

    def __sub__(self, other):
        return Vector(*(a - b for a, b in zip(self.values, other.values)))

    def __mul__(self, factor):
        return Vector(*(factor * v for v in self.values))

    __rmul__ = __mul__

    def __abs__(self):
        return sum(v * v for v in self) ** 0.5

    def __neg__(self):
        return -1 * self

    def __len__(self):
        return len(self.values)

    def __getitem__(self, i):
        return self.values[i]

    def __iter__(self):
        return iter(self.values)

    def __contains__(self, value):
        return value in self.values

    def __repr__(self):
        return f"Vector{self.values}"

    def __call__(self, x):
        return [v * x for v in self]


class Stack(list):
    def push(self, item):
        self.append(item)

    def pop(self):
        return super().pop(-1)


print(Vector(1, 2) + Vector(3, 4), abs(-Vector(3, 4)), 2 * Vector(1, 1), len(Vector(1)), Vector(1)(3), 1 in Vector(1))
# %% double
class Doubler:
    def __call__(self, x):
        stack = Stack()
        stack.push(x + x)
        return stack.pop()


double = Doubler()
