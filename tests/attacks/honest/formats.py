# Formats of every kind: nested, with names, by template, by percent, with a carriage return.
# %% extra
import string

width, digits, row = 12, 3, {"name": "loss", "value": 0.123456}
print(f"{3.14159:{width}.{digits}f}|{'a':>{width}}|{row['value']:.2%}|{width=}|{1_000_000:,}")
print("{:>{w}}".format("x", w=5), "{name}: {value:.3f}".format(**row), "{0[name]}".format(row), "%-10s|%5.2f" % ("a", 1.5))
print(string.Template("$name is $value").substitute(row), format(0.5, ".1f"), str(1.5).rjust(8), "a{}b".format(1))
for i in range(3):
    print(f"\repoch {i}", end="\r", flush=True)
print(*["a", "b"], sep=", ")
print(("{:>10}" * 3).format("a", "b", "c"), ("a {}" + " b {}").format(1, 2))
for text in ["{:.2f}", "{:.3f}"]:
    print(text.format(2.0))
