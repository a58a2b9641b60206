# Comprehensions, generators, closures, star arguments, match, walrus, f-strings, formats and recursion.
# %% extra
template = "epoch {}: loss {:.3f}"
print(template.format(1, 0.5), "{0} {name}".format(1, name="x"), f"{3.14159:.2f}", "%s" % 3, "a".join(["b", "c"]))


def counter():
    count = 0

    def step():
        nonlocal count
        count += 1
        return count

    return step


def walk(tree):
    match tree:
        case {"left": left, "right": right}:
            yield from walk(left)
            yield from walk(right)
        case [x, *rest]:
            yield x
        case _:
            yield tree


step = counter()
if (n := step()) > 0:
    print(n, list(walk({"left": 1, "right": [2, 3]})), max((3, 1), key=lambda v: -v), {**{"a": 1}}, *range(2))
print(type(n), type(n).__name__, isinstance(n, int), hasattr(n, "real"), getattr(n, "imag", 0), list(map(type, [1, "a"])), __name__)
sum, list_, input = 3, [1], "a name that hides a function"
# %% integrate
def integrate(f, a, b, n):
    total, h = 0.0, (b - a) / n
    for i in range(n):
        total += f(a + (i + 0.5) * h)
    return total * h
