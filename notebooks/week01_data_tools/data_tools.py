# %% [markdown]
# # Data tools
#
# Week 1. Every project starts with a table that is not ready: words where numbers should be, holes, duplicates. This
# week takes you from such tables to tidy tensors, and to a figure that you can show.

# %% tags=["setup"]
# Set-up: run this cell first. It installs what is missing, in Colab for example, and changes nothing else.
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

COURSE = os.environ.get("DLCOURSE_PACKAGE", "")
sys.path += [str(p) for p in Path.cwd().parents if (p / "dlcourse" / "__init__.py").is_file()]
for package, origin in {"dlcourse": COURSE, "d2l": "d2l==1.0.3"}.items():
    if importlib.util.find_spec(package) is not None:
        continue
    if not origin:
        raise ImportError(
            f"{package} is missing: set DLCOURSE_PACKAGE to the course's folder or wheel, then run again."
        )
    # Without dependencies: torch, numpy and the rest stay as they are (d2l would ask for versions of 2022).
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", origin]
    if (run := subprocess.run(pip, capture_output=True, text=True)).returncode:
        raise ImportError(f"{package} could not be installed; is there a network?\n{run.stderr[-500:]}")

# %% [markdown]
# ## What you will be able to do
#
# - read and write Python: lists, strings, dictionaries, tuples, loops, functions, modules, classes;
# - say what an environment is and make one with conda or pip; work in Jupyter without its traps;
# - compute with NumPy arrays and PyTorch tensors: shapes, indexing, broadcasting, writing in place;
# - clean, group and summarise a table with pandas, missing values included;
# - draw a figure that explains itself;
# - turn a raw table into float32 tensors without cheating.
#
# **Time:** about four hours of reading and trying; all cells together run in less than a minute. **Builds on:** some
# programming in any language. Nothing else.

# %% [markdown]
# Run the cells in order: click into a cell and press **Shift+Enter**. In a cell marked **Try it**, change the marked
# line and run the cell again; you cannot break anything. Answer each **Predict first** question before you open the
# answer: a wrong guess teaches more than no guess.
#
# If you know Python well, read only the questions of sections 2 to 6, and start at section 7.

# %%
print("loading the libraries: a few seconds ...")
import sys
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from dlcourse import data

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"  # distinct also for colour-blind readers
plt.rcParams.update({"figure.figsize": (7, 4), "axes.grid": True, "axes.axisbelow": True, "grid.alpha": 0.3})
print("ready")

# %% [markdown]
# ## 1. A first result
#
# On 15 April 1912 the Titanic sank. The table below holds one row for each of its 1,309 passengers. They were real
# people; we look at what happened to them with respect.
#
# Four lines answer a first question: who survived?

# %%
passengers = data.titanic()
lived = passengers["survived"] == "yes"
rates = lived.groupby([passengers["passengerClass"], passengers["sex"]]).mean().unstack()
(100 * rates).round(1)

# %% [markdown]
# The figure shows these six percentages as bars: two for each class, women plain and men hatched. Women survived more
# often in every class, and of the women of the third class only about half survived. For men, the first class
# stands out.

# %%
# alt: Bar chart of survivors in percent, for women and men of each passenger class. First class: 97 women, 34 men;
#   second: 89 and 15; third: 49 and 15. In every class, women survived far more often.
ax = (100 * rates).plot.bar(rot=0, color=[ORANGE, BLUE], edgecolor="black")
for bars, pattern in zip(ax.containers, ["", "//"], strict=True):
    ax.bar_label(bars, fmt="%.0f %%")
    for bar in bars:
        bar.set_hatch(pattern)
ax.set(xlabel="passenger class", ylabel="survivors (% of the group)", ylim=(0, 105), title="Who survived the Titanic?")
ax.legend(title=None)
plt.show()

# %% [markdown]
# Never mind the details yet: at the end of this lesson you can make such a table and such a figure. Some words of these
# two cells are explained only here. `unstack` moves the inner label of the rows to the columns. `plot.bar` lets pandas
# draw with Matplotlib. `ax.containers` lists the bars, one group for each column; `bar_label` writes the height above
# each bar, and `set_hatch` fills a bar with a pattern.

# %% [markdown]
# One warning that belongs to every figure: it shows **what** happened, not **why**. Boats were filled "women and
# children first", and the third class slept far below the boats. People decided that; nature did not.

# %% [markdown]
# ## 2. Names, numbers and strings
#
# A **name** is bound to an **object** with `=`. You do not declare a type; the object knows its own.


# %%
year = 1912
price = 7.25  # pounds for a ticket of the third class
name = "Allen, Miss. Elisabeth Walton"
survived = True
for thing in [year, price, name, survived]:
    print(type(thing).__name__, thing)
print(7 / 2, 7 // 2, 7 % 2, 2**10)  # divide, divide and round down, remainder, power

# %% [markdown]
# A **string** is a sequence of characters, and it never changes: each method returns a new string. An **f-string**
# puts values into text.
#
# **Predict first.** After `name.upper()`, what does `name` hold?
#
# <details><summary>Answer</summary>
#
# The same as before. `upper` returns a new string; without an assignment, such as `name = name.upper()`, the result is
# lost. The same is true of most methods in pandas.
#
# </details>

# %%
name.upper()
print(name)
family, _, rest = name.partition(",")  # three parts: before, the comma, after
title = rest.partition(".")[0].strip()  # strip removes spaces at both ends
print(f"family {family!r}, title {title!r}, {len(name)} characters, {price * 2:.2f} pounds for two")
line = "3.5;4.0;n/a"
print(line.split(";"), "-".join(["x", "y"]), "$1,200".replace(",", "").removeprefix("$"))

# %% [markdown]
# ## 3. Lists, tuples, dictionaries
#
# | | written | for |
# | --- | --- | --- |
# | list | `[1, 2, 3]` | things in order, which may grow and change |
# | tuple | `(1, 2)` | a fixed group, such as a record or several results of a function |
# | dictionary | `{"a": 1}` | look up a value by a key |
# | set | `{1, 2}` | which values occur, each once |

# %%
ages = [29.0, 0.9, 2.0, 30.0, 25.0]
print(ages[0], ages[-1], ages[1:3], ages[::-1], len(ages))  # first, last, a slice, reversed, length
ages.append(48.0)  # a list changes in place
record = ("Allen", 29.0, True)
family, age, survived = record  # a tuple can be unpacked
fares = {"1st": 84, "2nd": 21, "3rd": 13}
fares["crew"] = 0  # a new key
print(fares["2nd"], fares.get("4th"), "crew" in fares, list(fares))

# %% [markdown]
# A slice `a:b` starts at `a` and stops **before** `b`, so it has `b - a` items. Counting starts at 0, and `-1` is the
# last item. A slice may reach beyond the end without an error; a single index may not.
#
# **Predict first.** `ages` has 6 items. What are `ages[2:100]`, `ages[6:]` and `ages[6]`?
#
# <details><summary>Answer</summary>
#
# The last four items; an empty list; and `IndexError`. This difference makes many mistakes silent: a slice at the wrong
# place gives fewer items, not a message.
#
# </details>

# %%
print(ages[2:100], ages[6:])  # Try it: ages[4:1:-1]
try:
    ages[6]
except IndexError as error:
    print("IndexError:", error)

# %% [markdown]
# ## 4. Control flow and functions
#
# Indentation marks what belongs together: there are no braces. `for` goes through anything that can be gone through.
# A **comprehension** builds a list or a dictionary in one line.


# %%
def group_by_length(words):
    """Return a dictionary: length -> list of the words of that length."""
    groups = {}
    for word in words:
        if len(word) not in groups:
            groups[len(word)] = []
        groups[len(word)].append(word)
    return groups


words = ["row", "tensor", "axis", "list", "set"]
print(group_by_length(words))
print([word.upper() for word in words if len(word) == 4])
print({word: len(word) for word in words})

# %% [markdown]
# The three lines "if the key is new, make an empty list; then append" are so common that dictionaries have a method for
# them: `groups.setdefault(key, []).append(item)`.
#
# **Predict first.** A colleague writes `groups = dict.fromkeys([3, 4, 6], [])` and then appends. What goes wrong?
#
# <details><summary>Answer</summary>
#
# All three keys get the **same** list. Whatever is appended for one key appears under all of them. The next cell shows
# it, and section 6 explains it.
#
# </details>

# %%
shared = dict.fromkeys([3, 4, 6], [])
shared[3].append("row")
print(shared)
for position, word in enumerate(["row", "axis"]):  # enumerate counts
    for letter, code in zip(word, word.encode(), strict=True):  # zip walks through two things at once
        if letter == "x":
            continue  # skip the rest of this round
        print(position, letter, code, end="   ")

# %% [markdown]
# A function should **refuse** input that makes no sense: an error now is better than nonsense later. `raise` stops the
# function with an exception. Choose its class so that it says what is wrong: `ValueError` for a bad value, `TypeError`
# for a wrong kind of object, `IndexError` for a position outside. `try` and `except` catch an exception.


# %%
def mean_speed(km, hours):
    if hours <= 0:
        raise ValueError(f"hours must be positive, not {hours}")
    return km / hours


print(mean_speed(120, 1.5))
try:
    mean_speed(120, -1)  # Try it: "two" for -1
except ValueError as error:
    print("ValueError:", error)

# %% [markdown]
# **Missing** is a value of its own in Python: `None`. Ask with `is`, because many things count as false:
#
# **Predict first.** Which ages are counted by `if age:`, and which by `if age is not None:`?
#
# <details><summary>Answer</summary>
#
# `if age:` leaves out `None` **and** `0.0`: a newborn child disappears from your statistics. `is not None` leaves out
# only what is unknown.
#
# </details>

# %%
known = [0.0, 29.0, None, 2.0]
print("if age:            ", [age for age in known if age])
print("if age is not None:", [age for age in known if age is not None])

# %% [markdown]
# ## 5. Modules, environments, Jupyter
#
# A **module** is a file with Python code; `import` runs it once and binds a name to it. A **package** is a folder of
# modules. What you import must be installed in the **environment** of this notebook: a folder with one Python and its
# packages. This cell asks where yours is:

# %%
import statistics
from collections import Counter

print("Python", sys.version.split()[0], "in", sys.prefix)
print("torch ", torch.__version__, "from", torch.__file__)
print(statistics.median([3, 1, 2]), Counter("tensor").most_common(2))

# %% [markdown]
# Why not one Python for everything? Project A needs pandas 2, project B pandas 3. With one environment each, neither
# breaks the other, and a result can be repeated.
#
# | | conda | pip with venv |
# | --- | --- | --- |
# | make | `conda create --name myproject python=3.11` | `python -m venv .venv` |
# | enter | `conda activate myproject` | `source .venv/bin/activate` (Windows: `.venv\Scripts\activate`) |
# | install | `conda install pandas` or `pip install pandas` | `python -m pip install pandas` |
# | write down | `conda env export > environment.yml` | `python -m pip freeze > requirements.txt` |
# | make again | `conda env create --file environment.yml` | `python -m pip install -r requirements.txt` |

# %% [markdown]
# conda also brings programs that are not Python, and Python itself; pip installs Python packages only. In one
# environment, install with conda first and with pip last: conda does not know what pip changed.
#
# The commonest trouble of newcomers: a package is installed, and yet `import` fails. Then the terminal and the notebook
# use two different environments. Compare `sys.prefix` above with `python -c "import sys; print(sys.prefix)"` in the
# terminal. Inside a notebook, `%pip install name` installs into the right one.

# %% [markdown]
# **Jupyter** keeps one Python process, the *kernel*, and sends it the cells in the order in which **you run** them, not
# in which they stand. A deleted cell leaves its names behind.
#
# - Before you trust or hand in a notebook: *Kernel → Restart and run all*.
# - `[*]` beside a cell means "running"; *Kernel → Interrupt* stops it.
# - `name?` shows the help, **Tab** completes a name, **Shift+Tab** shows the arguments.
# - The value of the last line of a cell is displayed; `print` shows the rest.

# %%
start = time.perf_counter()
total = sum(range(1_000_000))
print(f"{total:,} in {1000 * (time.perf_counter() - start):.0f} ms")  # Try it: 10_000_000
help(str.partition)

# %% [markdown]
# ## 6. Everything is an object
#
# Numbers, strings, lists, functions, modules, classes: each is an object with a type and attributes. So a function can
# stand in a list or be handed to another function.

# %%
tools = [len, max, statistics.mean]  # functions in a list: no brackets, no call
for tool in tools:
    print(f"{tool.__name__:5s}", tool([3, 1, 2]), type(tool).__name__)
print(sorted(["pear", "fig", "banana"], key=len), (255).bit_length(), type(int).__name__)

# %% [markdown]
# A name is a label on an object, not a box that contains it. `b = a` puts a second label on the same object.
#
# **Predict first.** What does the next cell print?
#
# <details><summary>Answer</summary>
#
# `[1, 2, 3, 4]` for both: there is one list with two labels. `b = b + [5]` then makes a **new** list and moves only the
# label `b`. To copy a list, write `a.copy()` or `a[:]`; for a tensor, `x.clone()`.
#
# </details>

# %%
a = [1, 2, 3]
b = a
b.append(4)
print(a, b, a is b)
b = b + [5]
print(a, b, a is b)

# %% [markdown]
# ### A class of our own
#
# A class is a recipe for objects. `__init__` runs when an object is made; `self` is the object itself. Names with two
# underscores on both sides are how Python asks an object: `len(x)` calls `x.__len__()`, and `x[i]` calls
# `x.__getitem__(i)`. An object with these two is a **sequence**: `for`, `in`, `list(...)` and PyTorch's `DataLoader`
# work with it.


# %%
class EveryNth:
    """Every n-th item of a list: a sequence that stores no copy."""

    def __init__(self, items, n):
        self.items, self.n = items, n

    def __len__(self):
        return (len(self.items) + self.n - 1) // self.n

    def __getitem__(self, index):
        if index >= len(self):
            raise IndexError(f"no item {index} of {len(self)}")
        return self.items[index * self.n]


letters = EveryNth("abcdefgh", 3)
print(len(letters), letters[1], list(letters), "g" in letters)

# %% [markdown]
# `IndexError` has a job here: the loop asks for item 0, 1, 2, … and stops at this error.
#
# **Predict first.** What do `letters[-1]` and `letters[0:2]` give?
#
# <details><summary>Answer</summary>
#
# `letters[-1]` silently gives `self.items[-3]`, the letter f, which is not the last item g. `letters[0:2]` stops with a
# `TypeError`, because a slice object is compared with a number. The next cell repairs both.
#
# </details>


# %%
class BetterNth(EveryNth):  # takes over __init__ and __len__
    """Every n-th item, with all the indices that a list allows."""

    def __getitem__(self, index):
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))  # fills in what is missing and cuts at the ends
            return [self[i] for i in range(start, stop, step)]
        if not -len(self) <= index < len(self):
            raise IndexError(f"no item {index} of {len(self)}")
        return self.items[index % len(self) * self.n]


better = BetterNth("abcdefgh", 3)
print(letters[-1], better[-1], better[0:2], better[::-1])
print("ranges know the same rules:", range(3)[-1], range(3)[::-1], list(range(3)[1:99]))

# %% [markdown]
# A `DataLoader` makes shuffled batches of any such object. Weeks 3 to 13 feed every network this way.


# %%
class Squares:
    """Item i is the pair (i, i squared)."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        number = float(range(5)[index])
        return torch.tensor([number]), torch.tensor([number**2])


for x, y in torch.utils.data.DataLoader(Squares(), batch_size=2):
    print(tuple(x.shape), x.ravel().tolist(), y.ravel().tolist())

# %% [markdown]
# ## 7. Arrays and tensors
#
# A **tensor** is a block of numbers of one type, arranged along axes. A NumPy **array** is the same idea; PyTorch adds
# gradients and GPUs. Always know three things about a tensor: its **shape**, its **dtype** and the meaning of each
# **axis**.

# %%
x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])  # 2 rows, 3 columns
print(tuple(x.shape), x.dtype, x.numel(), "entries")
print(torch.arange(6).reshape(2, 3))
print(torch.zeros(2, 2), torch.linspace(0, 1, 5))
print("sum over rows", x.sum(dim=0), " over columns", x.sum(dim=1), " of all", x.sum())
print("kept axis", tuple(x.mean(dim=1, keepdim=True).shape))

# %% [markdown]
# `dim=0` means "let this axis disappear": the sum over axis 0 of a `(2, 3)` tensor has shape `(3,)`, one number for
# each column. With `keepdim=True` the axis stays, with length 1.
#
# **Predict first.** `torch.tensor([1, 2, 3])` has which dtype? And `torch.tensor([1, 2, 3]) / 2`?
#
# <details><summary>Answer</summary>
#
# int64, because you wrote whole numbers, and float32 after the division. NumPy and pandas make float64 by default,
# PyTorch float32. Networks want float32: half the memory, and fast enough everywhere.
#
# </details>

# %%
whole = torch.tensor([1, 2, 3])
array = np.array([1.0, 2.0, 3.0])
print(whole.dtype, (whole / 2).dtype, array.dtype, torch.tensor(array).dtype)
print(torch.tensor(array, dtype=torch.float32).dtype)
print(f"in float32, 0.1 is {torch.tensor(0.1).item():.12f}, and 100,000,001 becomes {torch.tensor(1e8 + 1):,.0f}")

# %% [markdown]
# `torch.from_numpy(array)` **shares** the numbers with the array, `torch.tensor(array)` copies them. `x.numpy()` shares
# too, `x.item()` takes the number out of a one-element tensor, and `x.tolist()` makes Python lists.
#
# Element by element: `+ - * / **` and functions such as `torch.exp`. A **matrix product** is written `@`.

# %%
shared = torch.from_numpy(array)
array[0] = 100.0
print("shared", shared, "  element by element", x * x, "  matrix product", x @ x.T, sep="\n")

# %% [markdown]
# ## 8. Indexing: four ways to pick
#
# | index | example | gives |
# | --- | --- | --- |
# | number | `x[1]`, `x[1, -1]` | that row, that entry: the axis disappears |
# | slice | `x[:, 1:]` | a part; a **view** on the same memory |
# | mask | `x[x > 2]` | the entries where the mask is true, a copy |
# | positions | `x[[0, 0, 1]]` | those rows, in that order, a copy |

# %%
x = torch.arange(12).reshape(3, 4)
print(x)
print("row 1", x[1], "  corner", x[-1, -1].item(), "  columns 1 and 2", x[:, 1:3].tolist())
print("even numbers", x[x % 2 == 0])
print("rows 2, 0, 0", x[[2, 0, 0]].tolist())
x[1, :] = 0  # writing works with the same four ways
x[x > 8] = -1
print(x)

# %% [markdown]
# Two position tensors are read **in pairs**: `rain[[0, 2, 2], [3, 0, 1]]` gives the entries (0, 3), (2, 0) and (2, 1).
#
# **Predict first.** `rain` has shape `(3, 4)`: three towns, four seasons. `towns` and `seasons` hold three positions
# each. What are the shapes of `rain[:, seasons]` and of `rain[towns, seasons]`?
#
# <details><summary>Answer</summary>
#
# `(3, 3)`: for every town three whole columns. And `(3,)`: one entry for each pair. Exercise 4 uses pairs for "the
# score of the right class", which every classifier needs.
#
# </details>

# %%
rain = torch.tensor([[70, 55, 40, 81], [20, 12, 3, 15], [90, 80, 85, 88]])  # mm in a month
towns, seasons = torch.tensor([0, 2, 2]), torch.tensor([3, 0, 1])
print(tuple(rain[:, seasons].shape), rain[towns, seasons])
colours = torch.tensor([[255, 0, 0], [0, 158, 115], [0, 114, 178]])  # red, green and blue light of three colours
picture = torch.tensor([1, 1, 2, 0])  # four points, each with the number of its colour
print(colours[picture])  # a table that is looked up: one row for each number
print("number -1 complains? no:", colours[torch.tensor([-1])])

# %% [markdown]
# ## 9. Broadcasting
#
# When shapes differ, PyTorch and NumPy compare them **from the right**. An axis of length 1, or a missing one, is
# repeated to fit the other. If two lengths differ and neither is 1, it is an error.
#
# | A | B | result |
# | --- | --- | --- |
# | `(3, 4)` | `(4,)` | `(3, 4)`: B is added to each row |
# | `(3, 4)` | `(3, 1)` | `(3, 4)`: B is added to each column |
# | `(3, 1)` | `(1, 4)` | `(3, 4)`: every pair |
# | `(3, 4)` | `(3,)` | error |

# %%
hours = torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1)  # a column
pay = torch.tensor([10.0, 20.0, 30.0, 40.0])  # a row
print(hours * pay)  # (3, 1) with (4,): a table of all pairs
print(tuple((hours * pay).shape))
try:
    torch.ones(3, 4) + torch.ones(3)  # Try it: torch.ones(3, 1), torch.ones(4), torch.ones(1)
except RuntimeError as error:
    print("RuntimeError:", error)

# %% [markdown]
# **Predict first.** `y_hat` has shape `(5, 1)`, `y` has shape `(5,)`. What is the shape of `y_hat - y`?
#
# <details><summary>Answer</summary>
#
# `(5, 5)`, without any message: broadcasting made every pair. It is the most expensive silent mistake in this field.
# Print shapes, and give labels the shape of predictions.
#
# </details>
#
# `x[:, None]` inserts an axis of length 1. So `a[:, None] - b[None, :]` has every difference between two lists. For
# towns at positions on a line this is a table of distances:

# %%
y_hat, y = torch.zeros(5, 1), torch.zeros(5)
print("the trap:", tuple((y_hat - y).shape))
position = torch.tensor([0.0, 3.0, 7.0])  # km along a road
print((position[:, None] - position[None, :]).abs())

# %% [markdown]
# ### No loop, please
#
# A loop in Python handles one number at a time. A tensor operation handles all of them in compiled code. The cell
# measures both for the same table of differences. A busy computer makes single runs slow by chance, so it shows the
# fastest of ten.

# %%
left, right = torch.rand(150), torch.rand(150)


def with_loop():
    return torch.tensor([[abs(a - b) for b in right.tolist()] for a in left.tolist()])


def with_broadcasting():
    return (left[:, None] - right[None, :]).abs()


for tool in [with_loop, with_broadcasting]:
    times = []
    for _ in range(10):
        start = time.perf_counter()
        tool()
        times.append(time.perf_counter() - start)
    print(f"{tool.__name__:18s} {1000 * min(times):7.3f} ms")
print("equal:", torch.allclose(with_loop(), with_broadcasting()))

# %% [markdown]
# **Subtract first.** The square $(a - b)^2 = a^2 + b^2 - 2ab$ can be computed in two ways that are equal on paper. A
# float32 number has about seven digits. Near 10,000 the square is 100,000,000, and a difference of 1 is lost in
# rounding:

# %%
a, b = torch.tensor(10_000.0), torch.tensor(10_001.0)
print("subtract first:", ((a - b) ** 2).item(), "  expanded:", (a**2 + b**2 - 2 * a * b).item())

# %% [markdown]
# ## 10. Saving memory
#
# A float32 number takes 4 bytes. A model with a billion weights takes 4 GB, and `w = w - step` needs room for a
# **second** 4 GB before the first is freed. Writing **in place** needs none: `w -= step`, methods that end in an
# underscore such as `w.mul_(2)`, and functions with `out=`. (`w[:] = w - step` writes into the old memory too, but the
# right side is first a new tensor.)

# %%
w = torch.ones(1000, 1000)
before = w.data_ptr()  # the address of the numbers
w = w - 0.5
print("w = w - 0.5   same memory:", w.data_ptr() == before)
before = w.data_ptr()
w -= 0.25
w.mul_(8)  # a method that ends in _ writes into its own tensor
torch.sqrt(w, out=w)  # a function with out= writes where you say
print("w -= 0.25     same memory:", w.data_ptr() == before, "  first entry", round(w[0, 0].item(), 4))
print(f"{w.numel():,} entries of {w.element_size()} bytes: {w.numel() * w.element_size() / 1e6:.0f} MB")

# %% [markdown]
# The price: everybody who holds a label or a view sees the change. A slice is a view, so writing into a slice changes
# the original.
#
# **Predict first.** What does the next cell print for `x`?
#
# <details><summary>Answer</summary>
#
# `[0, 9, 9, 3, 4]`: the slice shared its memory. A mask or a list of positions would have copied. When in doubt,
# `x[1:3].clone()`.
#
# </details>

# %%
x = torch.arange(5)
part = x[1:3]
part[:] = 9
copy = x[[0, 4]]  # positions: a copy
copy[:] = -1
print(x, part, copy)

# %% [markdown]
# ## 11. pandas: tables with names
#
# A **DataFrame** is a table: columns with names and types, rows with labels (the *index*). A single column is a
# **Series**. Look at every new table in the same way: size, types, holes, first rows.

# %%
print("rows, columns:", passengers.shape)
print(pd.DataFrame({"dtype": passengers.dtypes, "missing": passengers.isna().sum()}))
passengers.head(3)

# %% [markdown]
# Text has the dtype `str` in pandas 3 (`object` in older versions and in many tutorials). Never test for text by
# `dtype == object`; `select_dtypes("number")` finds the numeric columns in every version.
#
# **Picking:** `t["age"]` a column, `t[["age", "sex"]]` several, `t[mask]` rows by a condition, `t.loc[label]` by label,
# `t.iloc[position]` by position.

# %%
children = passengers[(passengers["age"] < 13) & (passengers["passengerClass"] == "3rd")]  # & is "and", with brackets
print(len(children), "children under 13 in the third class;", (children["survived"] == "yes").sum(), "survived")
shuffled = passengers.sample(frac=1, random_state=0)  # all rows (a fraction of 1) in a random, repeatable order
print("iloc[0], the first row:    ", shuffled.iloc[0]["name"])
print("loc[0], the row labelled 0:", shuffled.loc[0]["name"])
passengers.select_dtypes("number").describe().round(1).T

# %% [markdown]
# Since pandas 3, whatever you select behaves like a **copy**: changing `children` never changes `passengers`. To change
# a table, write to the table itself, with one pair of brackets: `t.loc[mask, "age"] = 30.0`. Two pairs, as in
# `t["age"][mask] = 30.0`, change nothing.

# %%
few = passengers.head(3).copy()
ages = few["age"]
ages.iloc[0] = 99.0
print("a changed selection leaves the table alone:", few["age"].tolist())
few.loc[few["sex"] == "male", "age"] = 1.0
few["senior"] = few["age"] > 20  # a new column
few

# %% [markdown]
# Tables live in files. `to_csv` writes one as text with commas, `pd.read_csv` reads it: the first line gives the names,
# an empty place becomes a missing value, and each column gets the type that fits all its entries. `sort_values` sorts
# the rows (missing values last), and `isin` asks which entries occur in a list.

# %%
flats = pd.DataFrame({"city": ["Boone", "Ames", "Ames", "Boone"], "rent": [700, 950, None, 800]})
with tempfile.TemporaryDirectory() as folder:  # a folder that is deleted afterwards
    path = Path(folder) / "flats.csv"
    flats.to_csv(path, index=False)
    print(path.read_text())
    flats = pd.read_csv(path)
print(flats.sort_values("rent"), "\n")
print("in Ames or Nevada:", flats["city"].isin(["Ames", "Nevada"]).tolist())

# %% [markdown]
# `map` translates each entry of a column by a dictionary, for example words to numbers or to true and false. It also
# takes a Series: then each entry is looked up in its index.
#
# **Predict first.** What becomes of a word that is not in the dictionary?
#
# <details><summary>Answer</summary>
#
# A missing value, without an error. Count the holes after each `map`.
#
# </details>

# %%
lamps = pd.Series(["on", "off", "broken", "on"])
print(lamps.map({"on": True, "off": False}).tolist())
highest = flats.groupby("city")["rent"].max()  # a Series: one number for each city, learnt from these flats
offers = pd.Series(["Ames", "Nevada", "Boone"])  # other flats
print(offers.map(highest).tolist())  # Nevada was never seen: decide what it should get

# %% [markdown]
# ### Split, apply, combine
#
# `groupby` splits the rows by the values of one or more columns, applies a function to each part, and puts the answers
# into one table. A share is the **mean of true and false**, because they count as 1 and 0.

# %%
lived = (passengers["survived"] == "yes").rename("lived")
by_class = lived.groupby(passengers["passengerClass"])
by_class.agg(people="size", survivors="sum", rate="mean").reset_index().round(3)

# %% [markdown]
# **Predict first.** We group by the decade of the age: `age // 10`. 263 ages are missing. Do the group sizes add up to
# 1,309?
#
# <details><summary>Answer</summary>
#
# No, to 1,046: `groupby` silently leaves out rows whose key is missing. With `dropna=False` they form a group of their
# own. Their rate, 28 %, is below the average of 38 %: that an age is missing tells something.
#
# </details>

# %%
decade = passengers["age"] // 10 * 10
print("people in groups:", lived.groupby(decade).size().sum(), "of", len(passengers))
lived.groupby(decade, dropna=False).agg(["size", "mean"]).round(2)

# %% [markdown]
# ## 12. Missing values
#
# A hole is shown as `NaN`, "not a number". It spreads: `NaN + 1` is `NaN`. And it equals nothing, not even itself, so
# `x == np.nan` finds none; `x.isna()` does. pandas skips holes in `mean()`; NumPy and PyTorch do not.

# %%
age = passengers["age"]
print("found by ==:", (age == np.nan).sum(), "  found by isna:", age.isna().sum())
print("pandas mean:", round(age.mean(), 2), "  torch mean:", torch.tensor(age.to_numpy()).mean().item())
print("missing by class, in %:")
print((100 * age.isna().groupby(passengers["passengerClass"]).mean()).round(0).to_dict())

# %% [markdown]
# The holes are not spread evenly: in the third class nearly a third of the ages is unknown. What to do?
#
# | choice | good | bad |
# | --- | --- | --- |
# | drop the rows | simple | loses people, and not at random |
# | fill with one number (median) | keeps all rows | makes an artificial peak, hides the hole |
# | fill by group | closer to the truth | needs a group that is known |
# | fill, **and** add a column "was missing" | keeps the information | one column more |
#
# The last is a good habit. A missing **label** is different: such a row can teach nothing; drop it.

# %%
median_by_class = age.groupby(passengers["passengerClass"]).transform("median")
filled = {"one median": age.fillna(age.median()), "by class": age.fillna(median_by_class)}
print("medians:", age.groupby(passengers["passengerClass"]).median().to_dict())
for label, column in filled.items():
    third = column[passengers["passengerClass"] == "3rd"].mean()
    print(f"{label:10s} mean age in the third class {third:.1f}; spread of all {column.std():.1f}")
third = age[passengers["passengerClass"] == "3rd"]
print(f"known only mean age in the third class {third.mean():.1f}; spread of all {age.std():.1f}")

# %% [markdown]
# The figure shows two histograms of the ages. The filled bars are the known ages. The thick outline is the column after
# filling with one median: it is the same, but for one artificial tower in the bar from 28 to 32 years.

# %%
# alt: Histogram of the ages, in steps of four years, before and after filling. Known ages rise to about 140 people
#   per step between 20 and 32 and fall off slowly to 80. With all holes filled by the median, the step from 28 to 32
#   shoots up to 390, three times its neighbours; the other steps stay as they were.
edges = np.arange(0, 84, 4)
plt.hist(age.dropna(), bins=edges, color=GREY, alpha=0.6, label="known ages (1,046 people)")
plt.hist(filled["one median"], bins=edges, histtype="step", lw=2, color=ORANGE, label="holes filled with the median")
plt.xlabel("age (years)")
plt.ylabel("people")
plt.title("One number for 263 people leaves a mark")
plt.legend()
plt.show()

# %% [markdown]
# ## 13. Matplotlib: a figure that explains itself
#
# `fig, ax = plt.subplots()` makes a **figure** (the sheet) and one **Axes** (a plot on it). Nearly everything is a
# method of the Axes: `ax.plot`, `ax.scatter`, `ax.bar`, `ax.hist`; then `ax.set_xlabel`, `ax.set_ylabel`,
# `ax.set_title`, `ax.legend`. (The short form `plt.plot` draws into the newest Axes.)
#
# Before a figure leaves your desk: are both axes named, with **units**? Does the y axis of percentages start at 0? Can
# it be read in **grey**, by other line styles, markers or hatches? Does the title say what one should see?

# %%
# alt: Line chart of survivors in percent over four age bands, for female and male passengers. Under 13 the two are
#   close, 61 and 54. Then female survival climbs to 90 among the oldest, while male survival drops to below 20 and
#   stays there.
bands = pd.cut(passengers["age"], [0, 13, 30, 50, 81], right=False, labels=["0-12", "13-29", "30-49", "50-80"])
share = 100 * lived.groupby([bands, passengers["sex"]], observed=True).mean().unstack()

fig, ax = plt.subplots()
for sex, style, color in [("female", "-o", ORANGE), ("male", "--s", BLUE)]:
    ax.plot(range(len(share)), share[sex], style, color=color, label=sex)  # Try it: ":^" for "--s"
ax.set_xticks(range(len(share)), share.index)
ax.set_xlabel("age (years)")
ax.set_ylabel("survivors (% of the group)")
ax.set_ylim(0, 105)
ax.set_title("Only among children were boys and girls close")
ax.legend()
plt.show()

# %% [markdown]
# The figure shows two lines over four age bands. For children under 13 they are near each other, girls a little above
# boys. For grown-ups they are far apart: women rise to about 90 %, men stay near or below 20 %. "Women and children
# first" is visible.
#
# How sure are we? Behind each point stand between about 40 and 300 people, and chance alone moves a share from $n$
# people. A single yes or no has a standard deviation of at most 1/2, so the mean of $n$ has at most $1/(2\sqrt{n})$.
# Two deviations cover about 95 % of the cases: $1/\sqrt{n}$, which is 16 points for 40 people and 6 for 300.

# %%
counts = lived.groupby([bands, passengers["sex"]], observed=True).size().unstack()
print(counts)
print("two deviations by chance alone, at most, in points:")
print((100 / np.sqrt(counts)).round(0))

# %% [markdown]
# ## 14. Cleaning: the order decides
#
# Here is a table as people type it. Each problem is easy; the art is the order.

# %%
raw = pd.DataFrame(
    {
        "city": [" ames", "Ames ", "BOONE", "boone", "Nevada"],
        "rent": ["$1,200", "1200", "n/a", "850", "?"],
        "rooms": ["3", "3 ", "2", "", "4"],
    }
)
print(raw.dtypes.astype(str).to_dict())
print("duplicates found in the raw table:", raw.duplicated().sum())
raw

# %% [markdown]
# **Predict first.** Rows 0 and 1 describe the same flat. Why does `duplicated()` find nothing? And what does
# `raw["rent"].max()` give?
#
# <details><summary>Answer</summary>
#
# The texts differ, by a space, a capital letter and a dollar sign. Tidy first, then look for duplicates. And `max`
# gives `n/a`: text is compared letter by letter. Numbers that are text sort wrongly and add up wrongly, without an
# error.
#
# </details>

# %%
print("largest rent:", raw["rent"].max())
tidy = pd.DataFrame(
    {
        "city": raw["city"].str.strip().str.title(),  # .str applies a string method to each entry
        "rent": pd.to_numeric(raw["rent"].str.replace(r"[$,]", "", regex=True), errors="coerce"),
        "rooms": pd.to_numeric(raw["rooms"], errors="coerce"),  # what is no number becomes NaN
    }
)
print("duplicates now:", tidy.duplicated().sum())
tidy = tidy.dropna(subset="rent")  # rent is the label: unknown labels teach nothing
tidy = tidy.drop_duplicates()
tidy["rooms"] = tidy["rooms"].fillna(tidy["rooms"].median())
tidy.reset_index(drop=True)

# %% [markdown]
# A rule of thumb, and the order of the cell above: **types → labels → duplicates → holes → index**. If holes are filled
# before duplicates are found, a row with a hole can become a "duplicate" of another; if duplicates are dropped later,
# they count twice in the median.
#
# `errors="coerce"` is dangerous: a typing mistake such as `12OO` silently becomes a hole. Count the holes before and
# after, and look at the texts that were lost.

# %%
suspect = pd.Series(["1200", "12OO", "n/a", "950"])
numbers = pd.to_numeric(suspect, errors="coerce")
print("texts that were lost:", suspect[numbers.isna()].tolist())

# %% [markdown]
# ## 15. From columns to features
#
# A network takes a float32 tensor of shape `(n, k)`. Two recipes cover most columns:
#
# - **numbers** are *standardised*: subtract the mean and divide by the standard deviation, so that all columns have a
#   similar size. A hole becomes 0, the mean.
# - **categories** are *one-hot* coded: one column for each value, 1 where the row has it. Numbering them 1, 2, 3 would
#   claim that value 3 is more than value 1.

# %%
print(pd.get_dummies(pd.Series(["1st", "3rd", "2nd", "1st"]), dtype=int))
x = torch.tensor([10.0, 20.0, 60.0])
print((x - x.mean()) / x.std(correction=0), " divided by n - 1:", (x - x.mean()) / x.std())

# %% [markdown]
# The two results differ: pandas and PyTorch divide by $n - 1$ unless told otherwise (`ddof=0`, `correction=0`), NumPy
# and scikit-learn by $n$. For large $n$ it hardly matters; when you compare two programs it does.
#
# ### The leak
#
# Mean, deviation, medians and the list of categories are **learnt** from data, as weights are. So learn them from the
# training rows only, and apply them to all others. Otherwise the test rows influence the model that they should judge.

# %% [markdown]
# How much can it matter? An extreme but honest demonstration: columns of pure noise, and labels by coin toss. Nothing
# can be learnt, so the honest accuracy is 50 %. We choose the 10 columns of 2,000 that fit the labels best. Once we
# choose with all rows, once with the training rows only; then the chosen columns vote on the test rows.
#
# The accuracy on 100 test rows moves by up to about ±10 points by chance (the rule $1/\sqrt{n}$ of section 13). So we
# repeat everything with 20 new tables and take the mean: 2,000 test rows, about ±2 points.
#
# **Predict first.** What accuracy will "choose with all rows" show?

# %%
generator = torch.Generator().manual_seed(0)
train, test = slice(0, 100), slice(100, 200)
ways = {"all rows (leak)": slice(None), "training rows only": train}
accuracy = {label: [] for label in ways}
for _ in range(20):
    noise = torch.randn(200, 2000, generator=generator)
    coin = torch.randint(0, 2, (200, 1), generator=generator) * 2.0 - 1  # -1 or 1
    for label, rows in ways.items():
        agreement = (noise[rows] * coin[rows]).mean(dim=0)  # (2000,)
        best = agreement.abs().argsort(descending=True)[:10]
        vote = (noise[test][:, best] * agreement[best].sign()).sum(dim=1).sign()  # (100,)
        accuracy[label].append((vote == coin[test, 0]).float().mean().item())
for label, found in accuracy.items():
    low, high = min(found), max(found)
    print(f"choose with {label:19s} accuracy {statistics.mean(found):.2f}, single tables {low:.2f} to {high:.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Well above 50 %, although there is nothing to learn: the columns were chosen because they happen to fit the test rows
# too. A mean or a median leaks less than this, but it is the same mistake, and no error message will tell you.
#
# </details>
#
# The same separation as a class: `fit` looks at the training rows and remembers, `transform` only applies. scikit-learn
# uses these two words everywhere.


# %%
class Standardiser:
    """Mean 0 and deviation 1 for numeric columns, learnt from one table, applied to any."""

    def fit(self, table):
        self.mean, self.deviation = table.mean(), table.std(ddof=0)
        return self

    def transform(self, table):
        return ((table - self.mean) / self.deviation).fillna(0)


houses = data.ames()
numbers = houses[["area", "Lot.Frontage", "Overall.Qual"]]
old, new = numbers[houses["Yr.Sold"] < 2009], numbers[houses["Yr.Sold"] >= 2009]
recipe = Standardiser().fit(old)
print("missing before:", new.isna().sum().to_dict())
print("means of the new rows:", recipe.transform(new).mean().round(3).to_dict())

# %% [markdown]
# The means of the new rows are near 0, not exactly 0, and that is right: the recipe has never seen them.
#
# Categories need care too: a value that occurs only in the test rows has no column. Decide what happens **before** it
# does. A common choice: all zeros.

# %%
zones = sorted(houses.loc[old.index, "Neighborhood"].unique())  # learnt from the training rows
unseen = set(houses.loc[new.index, "Neighborhood"]) - set(zones)
flags = torch.tensor(houses["Neighborhood"].to_numpy()[:, None] == np.array(zones, dtype=object))  # broadcasting!
print(len(zones), "columns, shape", tuple(flags.shape), " unseen later:", unseen or "none")
print("ones in each row:", flags.sum(dim=1).unique().tolist())

# %% [markdown]
# ## 16. The whole way: from a raw table to a prediction
#
# Now everything together on the Ames houses: sales until 2008 are our training rows, later sales the test rows. The
# question: what does a house cost? First the features.

# %%
train_rows = torch.tensor((houses["Yr.Sold"] < 2009).to_numpy())  # a mask, (2930,)
scaled = recipe.transform(numbers).to_numpy()  # (2930, 3), learnt from the old sales
frontage_missing = houses["Lot.Frontage"].isna().to_numpy()[:, None]
features = torch.tensor(np.column_stack([scaled, frontage_missing, flags.numpy()]), dtype=torch.float32)
price = torch.tensor(houses["price"].to_numpy(), dtype=torch.float32)  # dollars
X_train, y_train = features[train_rows], price[train_rows]
X_test, y_test = features[~train_rows], price[~train_rows]
print(
    "train", tuple(X_train.shape), " test", tuple(X_test.shape), X_train.dtype, " NaN:", features.isnan().sum().item()
)

# %% [markdown]
# The simplest prediction of all needs no training: find the most similar houses that were already sold, and take the
# mean of their prices. "Similar" means a small squared distance between two rows: the sum of the squared differences of
# all columns. We add up column by column, and broadcasting makes all pairs of houses at once. (In exercise 3 you do it
# without any loop.) If the neighbourhood differs, two one-hot columns differ by 1, which adds 2 to the distance.

# %%
distance = torch.zeros(len(X_test), len(X_train))
for ours, theirs in zip(X_test.T, X_train.T, strict=True):  # one column of each table
    distance += (ours.reshape(-1, 1) - theirs) ** 2  # (n_test, 1) with (n_train,): all pairs
print(f"{distance.numel():,} pairs of houses, {distance.numel() * 4 / 1e6:.0f} MB")
nearest = distance.argsort(dim=1)[:, :10]  # ten row numbers for each test house
predicted = y_train[nearest].mean(dim=1)  # (n_test, 10) -> (n_test,)

simple = (y_train.mean() - y_test).abs().median()
print(f"typical error, always the mean price: {simple:,.0f} dollars")
print(f"typical error, ten similar houses:    {(predicted - y_test).abs().median():,.0f} dollars")

# %% [markdown]
# The figure shows one dot for each test house: the predicted price against the true one. Most dots lie near the dashed
# diagonal, where prediction and truth are equal. The dearest houses lie below it: there are too few similar ones, and a
# mean of ten pulls them to the middle.

# %%
# alt: Scatter plot of the predicted against the true price of the houses sold in 2009 and 2010, with the line where
#   both are equal. Most houses lie close to the line between 80 and 250 thousand dollars. The most expensive ones lie
#   well below it: at a true price of 600 the prediction is about 400.
fig, ax = plt.subplots(figsize=(6, 5.5))
ax.scatter(y_test / 1000, predicted / 1000, s=8, color=BLUE, alpha=0.5, label="a house sold in 2009 or 2010")
ax.plot([0, 600], [0, 600], "--", color=ORANGE, lw=2, label="prediction = truth")
ax.set_xlabel("true price (thousand dollars)")
ax.set_ylabel("predicted price (thousand dollars)")
ax.set_title("Ten similar houses tell most of the price")
ax.set(xlim=(0, 620), ylim=(0, 620))
ax.legend(loc="upper left")
plt.show()

# %% [markdown]
# Your first prediction on real data, with a typical error about a third of the simplest answer's. In week 3 a model
# that *learns* weights will replace the neighbours.
#
# **Try it.** How many neighbours are best? Change the list. (If you choose by the test rows, which rule do you break?)

# %%
order = distance.argsort(dim=1)
for k in [1, 3, 10, 30, 100]:  # Try it
    error = (y_train[order[:, :k]].mean(dim=1) - y_test).abs().median()
    print(f"k = {k:3d}: typical error {error:8,.0f} dollars")

# %% [markdown]
# <details><summary>Answer</summary>
#
# You break the rule of the leak: a choice made with test rows makes their score too good. Honest is a third part of the
# data, the *validation* rows, only for choices. Week 3 does this properly.
#
# </details>

# %% [markdown]
# ## Summary
#
# - A name is a label on an object. In-place changes are seen by all labels and views.
# - A class with `__len__` and `__getitem__` is a sequence, and a `DataLoader` takes it.
# - Know shape, dtype and the meaning of each axis. Broadcasting compares shapes from the right; an axis of length 1
#   stretches.
# - Two index tensors are read in pairs. `-1` is a valid index, and therefore a silent mistake.
# - Clean in order: types, labels, duplicates, holes, index. `NaN` equals nothing; `groupby` drops it unless told.
# - What is learnt from data (means, medians, categories, weights) is learnt from training rows only.
# - A figure has labels, units, a title, and works in grey.

# %% [markdown]
# ## Reading
#
# - *Dive into Deep Learning* 1.0: sections 2.1 (data manipulation) and 2.2 (data preprocessing); Chinese second
#   edition: 2.1 and 2.2.
# - C. R. Harris and others (2020), "Array programming with NumPy", *Nature* 585.
# - W. McKinney (2010), "Data structures for statistical computing in Python", *SciPy 2010* (pandas).
# - J. D. Hunter (2007), "Matplotlib: a 2D graphics environment", *Computing in Science & Engineering* 9.
# - A. Paszke and others (2019), "PyTorch: an imperative style, high-performance deep learning library", *NeurIPS*.
# - H. Wickham (2014), "Tidy data", *Journal of Statistical Software* 59.
# - D. De Cock (2011), "Ames, Iowa: alternative to the Boston housing data", *Journal of Statistics Education* 19.

# %% [markdown]
# ## The assignment
#
# Ten exercises: a dictionary of lists, a class for a `DataLoader`, distances by broadcasting, one-hot and gather, an
# update in place, cleaning a raw table, rates by group, a feature class that learns from training rows only, a labelled
# figure, and the whole way from a file to tensors; then an explanation and your first weekly report.
