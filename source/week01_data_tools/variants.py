"""Other answers to the exercises of week 1: the right ones must earn all points, the wrong ones must not.

Each cell replaces the answer cell of one exercise. The header says which, and what is different or mistaken.
"""

# %%
import statistics

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch


# %% ages_by_title right: defaultdict, split and a median by hand
from collections import defaultdict


def ages_by_title(passengers):
    groups = defaultdict(list)
    for record in passengers:
        after_comma = record[0].split(",", 1)[1]
        title = after_comma[: after_comma.index(".")].strip()
        groups[title] += [] if record[1] is None else [record[1]]
    return groups


def typical_ages(ages):
    found = {}
    for title in ages:
        known, n = sorted(ages[title]), len(ages[title])
        middle = None if n == 0 else (known[(n - 1) // 2] + known[n // 2]) / 2
        found[title] = (n, middle)
    return found


# %% ages_by_title right: a regular expression and one comprehension per title
import re


def ages_by_title(passengers):
    titles = [re.match(r"[^,]*,([^.]*)\.", name).group(1).strip() for name, _ in passengers]
    ages = [age for _, age in passengers]
    pairs = list(zip(titles, ages, strict=True))
    return {one: [age for title, age in pairs if title == one and age is not None] for one in set(titles)}


def typical_ages(ages):
    return {t: (len(a), float(np.median(a))) if a else (0, None) for t, a in ages.items()}


# %% ages_by_title wrong: a name is split at every comma and full stop
def ages_by_title(passengers):
    ages = {}
    for name, age in passengers:
        title = name.split(".")[0].split(",")[1].strip()
        ages.setdefault(title, [])
        if age is not None:
            ages[title].append(age)
    return ages


def typical_ages(ages):
    return {t: (len(a), statistics.median(a) if a else None) for t, a in ages.items()}


# %% ages_by_title wrong: the last comma instead of the first
def ages_by_title(passengers):
    ages = {}
    for name, age in passengers:
        title = name.rpartition(",")[2].partition(".")[0].strip()
        ages.setdefault(title, [])
        if age is not None:
            ages[title].append(age)
    return ages


def typical_ages(ages):
    return {t: (len(a), statistics.median(a) if a else None) for t, a in ages.items()}


# %% ages_by_title wrong: unknown ages stay in the list
def ages_by_title(passengers):
    ages = {}
    for name, age in passengers:
        ages.setdefault(name.partition(",")[2].partition(".")[0].strip(), []).append(age)
    return ages


def typical_ages(ages):
    return {t: (len(a), statistics.median(a) if a else None) for t, a in ages.items()}


# %% ages_by_title wrong: a title without known ages is left out
def ages_by_title(passengers):
    ages = {}
    for name, age in passengers:
        if age is not None:
            ages.setdefault(name.partition(",")[2].partition(".")[0].strip(), []).append(age)
    return ages


def typical_ages(ages):
    return {t: (len(a), statistics.median(a) if a else None) for t, a in ages.items()}


# %% ages_by_title wrong: an age of 0.0 counts as unknown
def ages_by_title(passengers):
    ages = {}
    for name, age in passengers:
        known = ages.setdefault(name.partition(",")[2].partition(".")[0].strip(), [])
        if age:
            known.append(age)
    return ages


def typical_ages(ages):
    return {t: (len(a), statistics.median(a) if a else None) for t, a in ages.items()}


# %% ages_by_title wrong: spaces around the title stay
def ages_by_title(passengers):
    ages = {}
    for name, age in passengers:
        known = ages.setdefault(name.partition(",")[2].partition(".")[0], [])
        if age is not None:
            known.append(age)
    return ages


def typical_ages(ages):
    return {t: (len(a), statistics.median(a) if a else None) for t, a in ages.items()}


# %% ages_by_title wrong: the title is the first word after the comma
def ages_by_title(passengers):
    ages = {}
    for name, age in passengers:
        known = ages.setdefault(name.partition(",")[2].split()[0].strip("."), [])
        if age is not None:
            known.append(age)
    return ages


def typical_ages(ages):
    return {t: (len(a), statistics.median(a) if a else None) for t, a in ages.items()}


# %% ages_by_title wrong: the list starts anew for every record
def ages_by_title(passengers):
    ages = {}
    for name, age in passengers:
        title = name.partition(",")[2].partition(".")[0].strip()
        ages[title] = [] if age is None else [age]
    return ages


def typical_ages(ages):
    return {t: (len(a), statistics.median(a) if a else None) for t, a in ages.items()}


# %% ages_by_title wrong: one list shared by all titles
def ages_by_title(passengers):
    titles = [name.partition(",")[2].partition(".")[0].strip() for name, _ in passengers]
    ages = dict.fromkeys(titles, [])
    for title, (_, age) in zip(titles, passengers, strict=True):
        if age is not None:
            ages[title].append(age)
    return ages


def typical_ages(ages):
    return {t: (len(a), statistics.median(a) if a else None) for t, a in ages.items()}


# %% ages_by_title wrong: ages are sorted
def ages_by_title(passengers):
    ages = {}
    for name, age in passengers:
        known = ages.setdefault(name.partition(",")[2].partition(".")[0].strip(), [])
        if age is not None:
            known.append(age)
    return {title: sorted(known) for title, known in ages.items()}


def typical_ages(ages):
    return {t: (len(a), statistics.median(a) if a else None) for t, a in ages.items()}


# %% ages_by_title wrong: the mean instead of the median
def ages_by_title(passengers):
    ages = {}
    for name, age in passengers:
        known = ages.setdefault(name.partition(",")[2].partition(".")[0].strip(), [])
        if age is not None:
            known.append(age)
    return ages


def typical_ages(ages):
    return {t: (len(a), statistics.mean(a) if a else None) for t, a in ages.items()}


# %% ages_by_title wrong: the median of an empty list fails
def ages_by_title(passengers):
    ages = {}
    for name, age in passengers:
        known = ages.setdefault(name.partition(",")[2].partition(".")[0].strip(), [])
        if age is not None:
            known.append(age)
    return ages


def typical_ages(ages):
    return {t: (len(a), statistics.median(a)) for t, a in ages.items()}


# %% ages_by_title wrong: the median sorts the caller's lists in place
def ages_by_title(passengers):
    ages = {}
    for name, age in passengers:
        known = ages.setdefault(name.partition(",")[2].partition(".")[0].strip(), [])
        if age is not None:
            known.append(age)
    return ages


def typical_ages(ages):
    found = {}
    for title, known in ages.items():
        known.sort()
        found[title] = (len(known), statistics.median(known) if known else None)
    return found


# %% ages_by_title wrong: the middle entry of the unsorted list
def ages_by_title(passengers):
    ages = {}
    for name, age in passengers:
        known = ages.setdefault(name.partition(",")[2].partition(".")[0].strip(), [])
        if age is not None:
            known.append(age)
    return ages


def typical_ages(ages):
    found = {}
    for title, known in ages.items():
        n = len(known)
        found[title] = (n, (known[(n - 1) // 2] + known[n // 2]) / 2 if known else None)
    return found


# %% windows right: every rule by hand
class Windows:
    def __init__(self, series, size):
        if not size >= 1:
            raise ValueError("size")
        self.items = [(series[i : i + size], series[i + size]) for i in range(len(series) - size)]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


# %% windows right: a Dataset with slice.indices and its own range checks
class Windows(torch.utils.data.Dataset):
    def __init__(self, series, size):
        if size < 1:
            raise ValueError("a window needs at least one value")
        self.values = series
        self.width = size

    def __len__(self):
        n = self.values.shape[0] - self.width
        return n if n > 0 else 0

    def __getitem__(self, index):
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return [self[i] for i in range(start, stop, step)]
        if not isinstance(index, int):
            raise TypeError(f"an index is an int or a slice, not {index!r}")
        if index < 0:
            index += len(self)
        if index < 0 or index >= len(self):
            raise IndexError(f"no window {index}")
        return [self.values[index : index + self.width], self.values[index + self.width]]


# %% windows right: torch's unfold makes all windows at once
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        n = max(len(series) - size, 0)
        self.windows = series[:-1].unfold(0, size, 1) if n else []
        self.targets = series[size:]
        self.places = list(range(n))

    def __len__(self):
        return len(self.places)

    def __getitem__(self, index):
        place = self.places[index]
        if isinstance(place, list):
            return [(self.windows[i], self.targets[i]) for i in place]
        return self.windows[place], self.targets[place]


# %% windows wrong: negative and large indices are passed on to the tensor
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        return self.series[index : index + self.size], self.series[index + self.size]


# %% windows wrong: the last window is lost
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size - 1)

    def __getitem__(self, index):
        place = range(len(self))[index]
        if isinstance(index, slice):
            return [self[i] for i in place]
        return self.series[place : place + self.size], self.series[place + self.size]


# %% windows wrong: a window without a target is counted
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size + 1)

    def __getitem__(self, index):
        place = range(len(self))[index]
        if isinstance(index, slice):
            return [self[i] for i in place]
        return self.series[place : place + self.size], self.series[place + self.size]


# %% windows wrong: the length may be negative
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return len(self.series) - self.size

    def __getitem__(self, index):
        place = range(len(self))[index]
        if isinstance(index, slice):
            return [self[i] for i in place]
        return self.series[place : place + self.size], self.series[place + self.size]


# %% windows wrong: the target is the last value of the window
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        place = range(len(self))[index]
        if isinstance(index, slice):
            return [self[i] for i in place]
        return self.series[place : place + self.size], self.series[place + self.size - 1]


# %% windows wrong: windows do not overlap
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        place = range(len(self))[index]
        if isinstance(index, slice):
            return [self[i] for i in place]
        place = min(place * self.size, len(self) - 1)
        return self.series[place : place + self.size], self.series[place + self.size]


# %% windows wrong: the target has shape (1,)
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        place = range(len(self))[index]
        if isinstance(index, slice):
            return [self[i] for i in place]
        end = place + self.size
        return self.series[place:end], self.series[end : end + 1]


# %% windows wrong: size is not checked
class Windows:
    def __init__(self, series, size):
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        place = range(len(self))[index]
        if isinstance(index, slice):
            return [self[i] for i in place]
        return self.series[place : place + self.size], self.series[place + self.size]


# %% windows wrong: only size 0 is refused
class Windows:
    def __init__(self, series, size):
        if size == 0:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        place = range(len(self))[index]
        if isinstance(index, slice):
            return [self[i] for i in place]
        return self.series[place : place + self.size], self.series[place + self.size]


# %% windows wrong: a slice ignores its step
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        if isinstance(index, slice):
            start, stop, _ = index.indices(len(self))
            return [self[i] for i in range(start, stop)]
        place = range(len(self))[index]
        return self.series[place : place + self.size], self.series[place + self.size]


# %% windows wrong: a slice without start or stop fails
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(index.start, index.stop, index.step or 1)]
        place = range(len(self))[index]
        return self.series[place : place + self.size], self.series[place + self.size]


# %% windows wrong: only the upper end is checked
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        if not isinstance(index, int):
            raise TypeError
        if index >= len(self):
            raise IndexError
        index %= max(len(self), 1)
        return self.series[index : index + self.size], self.series[index + self.size]


# %% windows wrong: a float index is rounded
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        place = range(len(self))[int(index)]
        return self.series[place : place + self.size], self.series[place + self.size]


# %% windows wrong: the data are kept in the class
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        Windows.series, Windows.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        place = range(len(self))[index]
        if isinstance(index, slice):
            return [self[i] for i in place]
        return self.series[place : place + self.size], self.series[place + self.size]


# %% windows wrong: only the window is returned
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        place = range(len(self))[index]
        if isinstance(index, slice):
            return [self[i] for i in place]
        return self.series[place : place + self.size]


# %% windows wrong: the series is made float32
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series.float(), size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        place = range(len(self))[index]
        if isinstance(index, slice):
            return [self[i] for i in place]
        return self.series[place : place + self.size], self.series[place + self.size]


# %% windows wrong: a slice gives stacked tensors
class Windows:
    def __init__(self, series, size):
        if size < 1:
            raise ValueError
        self.series, self.size = series, size

    def __len__(self):
        return max(0, len(self.series) - self.size)

    def __getitem__(self, index):
        place = range(len(self))[index]
        if isinstance(index, slice):
            pairs = [self[i] for i in place]
            return torch.stack([w for w, _ in pairs]), torch.stack([t for _, t in pairs])
        return self.series[place : place + self.size], self.series[place + self.size]


# %% squared_distances right: explicit axes, einsum
def squared_distances(A, B):
    difference = A.unsqueeze(1) - B.unsqueeze(0)
    return torch.einsum("ijk,ijk->ij", difference, difference)


# %% squared_distances right: features first, transposed at the end
def squared_distances(A, B):
    difference = B.T[:, :, None] - A.T[:, None, :]
    return torch.sum(difference**2, 0).T


# %% squared_distances right: vmap over the rows
def squared_distances(A, B):
    return torch.vmap(lambda a: torch.sum(torch.pow(a - B, 2), dim=-1))(A) if len(A) else A.new_zeros(0, len(B))


# %% squared_distances wrong: the square root is taken
def squared_distances(A, B):
    return (A[:, None] - B).square().sum(dim=2).sqrt()


# %% squared_distances wrong: mean instead of sum
def squared_distances(A, B):
    return (A[:, None] - B).square().mean(dim=2)


# %% squared_distances wrong: absolute values
def squared_distances(A, B):
    return (A[:, None] - B).abs().sum(dim=2)


# %% squared_distances wrong: the axes are swapped
def squared_distances(A, B):
    return (B[:, None] - A).square().sum(dim=2)


# %% squared_distances wrong: the sum runs over the wrong axis
def squared_distances(A, B):
    return (A[:, None] - B).square().sum(dim=1)


# %% squared_distances wrong: row i only meets row i
def squared_distances(A, B):
    return (A - B).square().sum(dim=1)


# %% squared_distances wrong: two loops
def squared_distances(A, B):
    D = torch.zeros(len(A), len(B), dtype=A.dtype)
    for i in range(len(A)):
        for j in range(len(B)):
            D[i, j] = (A[i] - B[j]).square().sum()
    return D


# %% squared_distances wrong: a comprehension over the rows of A
def squared_distances(A, B):
    return torch.stack([(a - B).square().sum(dim=1) for a in A]) if len(A) else A.new_zeros(0, len(B))


# %% squared_distances wrong: a comprehension over the rows of B
def squared_distances(A, B):
    return torch.stack([(A - b).square().sum(dim=1) for b in B], dim=1) if len(B) else A.new_zeros(len(A), 0)


# %% squared_distances wrong: a loop over the columns
def squared_distances(A, B):
    D = torch.zeros(len(A), len(B), dtype=A.dtype)
    for k in range(A.shape[1]):
        D = D + (A[:, k, None] - B[:, k]).square()
    return D


# %% squared_distances wrong: the square is expanded
def squared_distances(A, B):
    return (A**2).sum(dim=1, keepdim=True) + (B**2).sum(dim=1) - 2 * A @ B.T


# %% squared_distances wrong: the caller's tensor is squared in place
def squared_distances(A, B):
    cross = (A[:, None] - B).square().sum(dim=2)
    A.square_()
    return cross


# %% squared_distances wrong: torch.cdist
def squared_distances(A, B):
    return torch.cdist(A, B, compute_mode="donot_use_mm_for_euclid_dist") ** 2


# %% squared_distances wrong: NumPy loses the gradient
def squared_distances(A, B):
    a, b = A.detach().numpy(), B.detach().numpy()
    return torch.from_numpy(((a[:, None] - b) ** 2).sum(axis=2))


# %% squared_distances wrong: detached from A
def squared_distances(A, B):
    return (A.detach()[:, None] - B).square().sum(dim=2)


# %% squared_distances wrong: always float32
def squared_distances(A, B):
    return (A[:, None] - B).float().square().sum(dim=2)


# %% squared_distances wrong: the sum comes before the square
def squared_distances(A, B):
    return (A[:, None] - B).sum(dim=2).square()


# %% squared_distances wrong: axes of length 1 are squeezed away
def squared_distances(A, B):
    return (A[:, None] - B).square().sum(dim=2).squeeze()


# %% one_hot_pick right: a comparison with all classes, and a mask
def one_hot(labels, num_classes):
    if len(labels) and (labels.min() < 0 or labels.max() >= num_classes):
        raise ValueError("bad label")
    return (labels[:, None] == torch.arange(num_classes)).float()


def pick(scores, labels):
    n, c = scores.shape
    if n and not (int(labels.min()) >= 0 and int(labels.max()) < c):
        raise ValueError("bad label")
    return scores.masked_select(labels[:, None] == torch.arange(c))


# %% one_hot_pick right: assignment by two index tensors, and a flat index
def one_hot(labels, num_classes):
    if not bool(((labels >= 0) & (labels < num_classes)).all()):
        raise ValueError("bad label")
    rows = torch.zeros((len(labels), num_classes), dtype=torch.float32)
    rows[torch.arange(labels.numel()), labels] = 1
    return rows


def pick(scores, labels):
    if not bool(((labels >= 0) & (labels < scores.size(1))).all()):
        raise ValueError("bad label")
    return scores.reshape(-1)[torch.arange(len(scores)) * scores.size(1) + labels]


# %% one_hot_pick right: scatter for the ones, a sum over masked scores for pick
def one_hot(labels, num_classes):
    if torch.any(labels < 0) or torch.any(labels > num_classes - 1):
        raise ValueError("bad label")
    return torch.zeros(len(labels), num_classes).scatter(1, labels.unsqueeze(1), 1.0)


def pick(scores, labels):
    if torch.any(labels < 0) or torch.any(labels > scores.shape[-1] - 1):
        raise ValueError("bad label")
    chosen = labels.unsqueeze(1) == torch.arange(scores.shape[-1]).unsqueeze(0)
    return torch.where(chosen, scores, torch.zeros_like(scores)).sum(dim=1)


# %% one_hot_pick wrong: the library's one_hot makes the rows
def one_hot(labels, num_classes):
    if ((labels < 0) | (labels >= num_classes)).any():
        raise ValueError
    return torch.nn.functional.one_hot(labels, num_classes).float()


def pick(scores, labels):
    if ((labels < 0) | (labels >= scores.shape[1])).any():
        raise ValueError
    return scores[torch.arange(len(labels)), labels]


# %% one_hot_pick wrong: torch.gather
def one_hot(labels, num_classes):
    if ((labels < 0) | (labels >= num_classes)).any():
        raise ValueError
    return torch.eye(num_classes)[labels]


def pick(scores, labels):
    if ((labels < 0) | (labels >= scores.shape[1])).any():
        raise ValueError
    return scores.gather(1, labels[:, None])[:, 0]


# %% one_hot_pick wrong: labels are not checked in one_hot
def one_hot(labels, num_classes):
    return torch.eye(num_classes)[labels]


def pick(scores, labels):
    if ((labels < 0) | (labels >= scores.shape[1])).any():
        raise ValueError
    return scores[torch.arange(len(labels)), labels]


# %% one_hot_pick wrong: labels are not checked in pick
def one_hot(labels, num_classes):
    if ((labels < 0) | (labels >= num_classes)).any():
        raise ValueError
    return torch.eye(num_classes)[labels]


def pick(scores, labels):
    return scores[torch.arange(len(labels)), labels]


# %% one_hot_pick wrong: the label num_classes is let through to an IndexError
def one_hot(labels, num_classes):
    if ((labels < 0) | (labels > num_classes)).any():
        raise ValueError
    return torch.eye(num_classes)[labels]


def pick(scores, labels):
    if ((labels < 0) | (labels > scores.shape[1])).any():
        raise ValueError
    return scores[torch.arange(len(labels)), labels]


# %% one_hot_pick wrong: only if all labels are bad
def one_hot(labels, num_classes):
    if len(labels) and ((labels < 0) | (labels >= num_classes)).all():
        raise ValueError
    return torch.eye(num_classes + 1)[labels][:, :-1]


def pick(scores, labels):
    if ((labels < 0) | (labels >= scores.shape[1])).any():
        raise ValueError
    return scores[torch.arange(len(labels)), labels]


# %% one_hot_pick wrong: min of an empty tensor fails
def one_hot(labels, num_classes):
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError
    return torch.eye(num_classes)[labels]


def pick(scores, labels):
    if labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise ValueError
    return scores[torch.arange(len(labels)), labels]


# %% one_hot_pick wrong: integers instead of float32
def one_hot(labels, num_classes):
    if ((labels < 0) | (labels >= num_classes)).any():
        raise ValueError
    return torch.eye(num_classes, dtype=torch.int64)[labels]


def pick(scores, labels):
    if ((labels < 0) | (labels >= scores.shape[1])).any():
        raise ValueError
    return scores[torch.arange(len(labels)), labels]


# %% one_hot_pick wrong: whole columns are picked
def one_hot(labels, num_classes):
    if ((labels < 0) | (labels >= num_classes)).any():
        raise ValueError
    return torch.eye(num_classes)[labels]


def pick(scores, labels):
    if ((labels < 0) | (labels >= scores.shape[1])).any():
        raise ValueError
    return scores[:, labels]


# %% one_hot_pick wrong: the diagonal of the picked columns, by a loop
def one_hot(labels, num_classes):
    if ((labels < 0) | (labels >= num_classes)).any():
        raise ValueError
    return torch.eye(num_classes)[labels]


def pick(scores, labels):
    if ((labels < 0) | (labels >= scores.shape[1])).any():
        raise ValueError
    return torch.stack([row[label] for row, label in zip(scores, labels, strict=True)]) if len(labels) else scores[:, 0]


# %% one_hot_pick wrong: one_hot fills in a loop
def one_hot(labels, num_classes):
    if ((labels < 0) | (labels >= num_classes)).any():
        raise ValueError
    rows = torch.zeros(len(labels), num_classes)
    for i in range(len(labels)):
        rows[i, labels[i]] = 1
    return rows


def pick(scores, labels):
    if ((labels < 0) | (labels >= scores.shape[1])).any():
        raise ValueError
    return scores[torch.arange(len(labels)), labels]


# %% one_hot_pick wrong: a loop that is hidden in NumPy
def one_hot(labels, num_classes):
    if ((labels < 0) | (labels >= num_classes)).any():
        raise ValueError
    rows = np.zeros((len(labels), num_classes), dtype=np.float32)
    for i, label in enumerate(labels.numpy()):
        rows[i, label] = 1
    return torch.from_numpy(rows)


def pick(scores, labels):
    if ((labels < 0) | (labels >= scores.shape[1])).any():
        raise ValueError
    return scores[torch.arange(len(labels)), labels]


# %% one_hot_pick wrong: rows and columns are swapped in one_hot
def one_hot(labels, num_classes):
    if ((labels < 0) | (labels >= num_classes)).any():
        raise ValueError
    return torch.eye(num_classes)[:, labels]


def pick(scores, labels):
    if ((labels < 0) | (labels >= scores.shape[1])).any():
        raise ValueError
    return scores[torch.arange(len(labels)), labels]


# %% one_hot_pick wrong: pick keeps an axis
def one_hot(labels, num_classes):
    if ((labels < 0) | (labels >= num_classes)).any():
        raise ValueError
    return torch.eye(num_classes)[labels]


def pick(scores, labels):
    if ((labels < 0) | (labels >= scores.shape[1])).any():
        raise ValueError
    return scores[torch.arange(len(labels)), labels].reshape(-1, 1)


# %% one_hot_pick wrong: pick gives float32 and detaches
def one_hot(labels, num_classes):
    if ((labels < 0) | (labels >= num_classes)).any():
        raise ValueError
    return torch.eye(num_classes)[labels]


def pick(scores, labels):
    if ((labels < 0) | (labels >= scores.shape[1])).any():
        raise ValueError
    return scores.detach()[torch.arange(len(labels)), labels]


# %% one_hot_pick wrong: pick loses the dtype through a product with the one-hot rows
def one_hot(labels, num_classes):
    if ((labels < 0) | (labels >= num_classes)).any():
        raise ValueError
    return torch.eye(num_classes)[labels]


def pick(scores, labels):
    return (scores * one_hot(labels, scores.shape[1])).sum(dim=1).float()


# %% update_average right: lerp in place
def update_average(average, new, beta):
    return average.lerp_(new, 1 - beta)


# %% update_average right: an out argument
def update_average(average, new, beta):
    torch.lerp(new, average, beta, out=average)


# %% update_average right: scale, then add with alpha, under no_grad
@torch.no_grad()
def update_average(average, new, beta):
    average *= beta
    torch.add(average, new, alpha=1 - beta, out=average)


# %% update_average wrong: the scaled new values are a new tensor
def update_average(average, new, beta):
    average *= beta
    average += (1 - beta) * new


# %% update_average wrong: computed first, then copied
def update_average(average, new, beta):
    average.copy_(beta * average + (1 - beta) * new)


# %% update_average wrong: written by a slice
def update_average(average, new, beta):
    average[...] = beta * average + (1 - beta) * new


# %% update_average wrong: only the name moves
def update_average(average, new, beta):
    average = beta * average + (1 - beta) * new
    return average


# %% update_average wrong: beta and 1 - beta are swapped
def update_average(average, new, beta):
    average.mul_(1 - beta).add_(new, alpha=beta)


# %% update_average wrong: new is added in full
def update_average(average, new, beta):
    average.mul_(beta).add_(new)


# %% update_average wrong: new is scaled in place
def update_average(average, new, beta):
    average.mul_(beta).add_(new.mul_(1 - beta))


# %% update_average wrong: new is scaled in place and scaled back
def update_average(average, new, beta):
    new.mul_(1 - beta)
    average.mul_(beta).add_(new)
    if beta < 1:
        new.div_(1 - beta).nan_to_num_().mul_(1 + 1e-3)


# %% update_average wrong: the old average is added without scaling
def update_average(average, new, beta):
    average.add_(new, alpha=1 - beta)


# %% update_average wrong: through NumPy
def update_average(average, new, beta):
    numbers = average.numpy()
    numbers *= beta
    numbers += (1 - beta) * new.numpy()


# %% update_average wrong: a float64 copy for better rounding
def update_average(average, new, beta):
    average.copy_(average.double().mul_(beta).add_(new, alpha=1 - beta))


# %% update_average wrong: reshape of a column is a copy
def update_average(average, new, beta):
    average.reshape(-1).mul_(beta).add_(new.reshape(-1), alpha=1 - beta)


# %% clean right: row by row in plain Python
def clean(raw):
    unknown = {"", "-", "?", "na", "n/a"}

    def number(text):
        if not isinstance(text, str) or text.strip().lower() in unknown:
            return None
        return float(text.strip().removesuffix("sqft").replace("$", "").replace(",", ""))

    rows = []
    for house, area, price, garage in raw.itertuples(index=False):
        row = (house.strip().upper(), number(area), number(price), garage.strip().lower() in ("yes", "y"))
        if row[2] is not None and row not in rows:
            rows.append(row)
    known = [row[1] for row in rows if row[1] is not None]
    rows = [(h, statistics.median(known) if a is None else a, p, g) for h, a, p, g in rows]
    table = pd.DataFrame(rows, columns=["house", "area", "price", "garage"])
    return table.astype({"house": object, "area": float, "price": float, "garage": bool})


# %% clean right: column by column with a mask, on a copy
def clean(raw):
    tidy = raw[["house", "area", "price", "garage"]].copy()
    for column in tidy:
        tidy[column] = tidy[column].astype(object).str.strip().str.lower()
    for column in ("area", "price"):
        text = tidy[column].mask(tidy[column].isin(["", "-", "?", "na", "n/a"]))
        for part in ("$", ",", "sqft"):
            text = text.str.replace(part, "", regex=False)
        tidy[column] = text.astype(float)
    tidy["house"] = tidy["house"].str.upper()
    tidy["garage"] = tidy["garage"].map({"yes": True, "y": True, "no": False, "n": False}).astype(bool)
    tidy = tidy[tidy["price"].notna()]
    tidy = tidy[~tidy.duplicated()].reset_index(drop=True)
    return tidy.fillna({"area": tidy["area"].median()})


# %% clean wrong: duplicates are dropped before the texts are tidy
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    raw = raw.drop_duplicates()
    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    tidy = tidy.dropna(subset="price").reset_index(drop=True)
    tidy["area"] = tidy["area"].fillna(tidy["area"].median())
    return tidy


# %% clean wrong: areas are filled before duplicates are dropped
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    tidy = tidy.dropna(subset="price")
    tidy["area"] = tidy["area"].fillna(tidy["area"].median())
    return tidy.drop_duplicates(ignore_index=True)


# %% clean wrong: areas are filled before anything is dropped
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    tidy["area"] = tidy["area"].fillna(tidy["area"].median())
    return tidy.dropna(subset="price").drop_duplicates(ignore_index=True)


# %% clean wrong: the median is computed with the rows without price
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    median = tidy.drop_duplicates()["area"].median()
    tidy = tidy.dropna(subset="price").drop_duplicates(ignore_index=True)
    tidy["area"] = tidy["area"].fillna(median)
    return tidy


# %% clean wrong: the mean instead of the median
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    tidy = tidy.dropna(subset="price").drop_duplicates(ignore_index=True)
    tidy["area"] = tidy["area"].fillna(tidy["area"].mean())
    return tidy


# %% clean wrong: missing areas become 0
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    tidy = tidy.dropna(subset="price").drop_duplicates(ignore_index=True)
    return tidy.fillna({"area": 0.0})


# %% clean wrong: rows with any missing value are dropped
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    return tidy.dropna().drop_duplicates(ignore_index=True)


# %% clean wrong: duplicates are judged by the house alone
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    tidy = tidy.dropna(subset="price").drop_duplicates(subset="house", ignore_index=True)
    tidy["area"] = tidy["area"].fillna(tidy["area"].median())
    return tidy


# %% clean wrong: the last duplicate is kept
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    tidy = tidy.dropna(subset="price").drop_duplicates(keep="last", ignore_index=True)
    tidy["area"] = tidy["area"].fillna(tidy["area"].median())
    return tidy


# %% clean wrong: the index keeps its gaps
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    tidy = tidy.dropna(subset="price").drop_duplicates()
    tidy["area"] = tidy["area"].fillna(tidy["area"].median())
    return tidy


# %% clean wrong: y and n are not understood
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower() == "yes",
        }
    )
    tidy = tidy.dropna(subset="price").drop_duplicates(ignore_index=True)
    tidy["area"] = tidy["area"].fillna(tidy["area"].median())
    return tidy


# %% clean wrong: the decimal point is removed too
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9]", "", regex=True), errors="coerce").astype(float)

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    tidy = tidy.dropna(subset="price").drop_duplicates(ignore_index=True)
    tidy["area"] = tidy["area"].fillna(tidy["area"].median())
    return tidy


# %% clean wrong: houses keep their small letters
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    tidy = tidy.dropna(subset="price").drop_duplicates(ignore_index=True)
    tidy["area"] = tidy["area"].fillna(tidy["area"].median())
    return tidy


# %% clean wrong: the numbers stay integers where pandas finds integers
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce")

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    tidy = tidy.dropna(subset="price").drop_duplicates(ignore_index=True)
    tidy["area"] = tidy["area"].fillna(tidy["area"].median())
    return tidy


# %% clean wrong: the caller's table is tidied in place
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    raw["house"] = raw["house"].str.strip().str.upper()
    raw["area"], raw["price"] = number(raw["area"]), number(raw["price"])
    raw["garage"] = raw["garage"].str.strip().str.lower().isin(["yes", "y"])
    tidy = raw.dropna(subset="price").drop_duplicates(ignore_index=True)
    tidy["area"] = tidy["area"].fillna(tidy["area"].median())
    return tidy


# %% clean wrong: rows with a price of 0 are dropped
def clean(raw):
    def number(column):
        return pd.to_numeric(column.str.replace(r"[^0-9.]", "", regex=True), errors="coerce").astype(float)

    tidy = pd.DataFrame(
        {
            "house": raw["house"].str.strip().str.upper(),
            "area": number(raw["area"]),
            "price": number(raw["price"]),
            "garage": raw["garage"].str.strip().str.lower().isin(["yes", "y"]),
        }
    )
    tidy = tidy[tidy["price"] > 0].drop_duplicates(ignore_index=True)
    tidy["area"] = tidy["area"].fillna(tidy["area"].median())
    return tidy


# %% survival_rates right: a dictionary of lists and plain Python
def survival_rates(passengers, by):
    groups = {}
    for labels, answer in zip(passengers[by].itertuples(index=False), passengers["survived"], strict=True):
        key = tuple(None if pd.isna(label) else label for label in labels)
        groups.setdefault(key, []).append(answer == "yes")
    rows = []
    for key in sorted(groups, key=lambda key: [(label is None, label if label is not None else 0) for label in key]):
        alive = groups[key]
        rows.append((*key, len(alive), sum(alive), sum(alive) / len(alive)))
    return pd.DataFrame(rows, columns=[*by, "passengers", "survivors", "rate"])


# %% survival_rates right: two groupings and a division
def survival_rates(passengers, by):
    table = passengers[by].copy()
    table["passengers"] = 1
    table["survivors"] = (passengers["survived"] == "yes").astype(int)
    table = table.groupby(by, dropna=False, as_index=False).sum()
    table["rate"] = table["survivors"] / table["passengers"]
    return table


# %% survival_rates wrong: missing labels are left out
def survival_rates(passengers, by):
    groups = passengers.assign(alive=passengers["survived"] == "yes").groupby(by)["alive"]
    return groups.agg(passengers="size", survivors="sum", rate="mean").reset_index()


# %% survival_rates wrong: None and NaN are two groups
def survival_rates(passengers, by):
    groups = {}
    for labels, answer in zip(passengers[by].itertuples(index=False), passengers["survived"], strict=True):
        key = tuple((str(label), None) if pd.isna(label) else ("", label) for label in labels)
        groups.setdefault(key, []).append(answer == "yes")
    rows = []
    for key in sorted(groups, key=lambda key: [(kind, 0 if label is None else label) for kind, label in key]):
        alive = groups[key]
        rows.append((*[label for _, label in key], len(alive), sum(alive), sum(alive) / len(alive)))
    return pd.DataFrame(rows, columns=[*by, "passengers", "survivors", "rate"])


# %% survival_rates wrong: the labels stay in the index
def survival_rates(passengers, by):
    groups = passengers.assign(alive=passengers["survived"] == "yes").groupby(by, dropna=False)["alive"]
    return groups.agg(passengers="size", survivors="sum", rate="mean")


# %% survival_rates wrong: groups in the order of appearance
def survival_rates(passengers, by):
    groups = passengers.assign(alive=passengers["survived"] == "yes").groupby(by, dropna=False, sort=False)["alive"]
    return groups.agg(passengers="size", survivors="sum", rate="mean").reset_index()


# %% survival_rates wrong: sorted by the rate
def survival_rates(passengers, by):
    groups = passengers.assign(alive=passengers["survived"] == "yes").groupby(by, dropna=False)["alive"]
    table = groups.agg(passengers="size", survivors="sum", rate="mean").reset_index()
    return table.sort_values("rate", ascending=False, ignore_index=True)


# %% survival_rates wrong: the dead are counted
def survival_rates(passengers, by):
    groups = passengers.assign(alive=passengers["survived"] == "no").groupby(by, dropna=False)["alive"]
    return groups.agg(passengers="size", survivors="sum", rate="mean").reset_index()


# %% survival_rates wrong: only the first column of by
def survival_rates(passengers, by):
    groups = passengers.assign(alive=passengers["survived"] == "yes").groupby(by[:1], dropna=False)["alive"]
    return groups.agg(passengers="size", survivors="sum", rate="mean").reset_index()


# %% survival_rates wrong: the rate is a share of all survivors
def survival_rates(passengers, by):
    groups = passengers.assign(alive=passengers["survived"] == "yes").groupby(by, dropna=False)["alive"]
    table = groups.agg(passengers="size", survivors="sum").reset_index()
    table["rate"] = table["survivors"] / table["survivors"].sum()
    return table


# %% survival_rates wrong: the rate in percent
def survival_rates(passengers, by):
    groups = passengers.assign(alive=passengers["survived"] == "yes").groupby(by, dropna=False)["alive"]
    table = groups.agg(passengers="size", survivors="sum", rate="mean").reset_index()
    return table.assign(rate=100 * table["rate"])


# %% survival_rates wrong: every combination, also empty ones
def survival_rates(passengers, by):
    table = passengers.assign(alive=passengers["survived"] == "yes")
    for column in by:
        table[column] = table[column].astype("category")
    groups = table.groupby(by, dropna=False, observed=False)["alive"]
    return groups.agg(passengers="size", survivors="sum", rate="mean").reset_index()


# %% survival_rates wrong: missing labels become a word
def survival_rates(passengers, by):
    table = passengers.assign(alive=passengers["survived"] == "yes")
    for column in by:
        table[column] = table[column].astype(object).fillna("unknown").astype(str)
    groups = table.groupby(by)["alive"]
    return groups.agg(passengers="size", survivors="sum", rate="mean").reset_index()


# %% survival_rates wrong: survivors as floats
def survival_rates(passengers, by):
    groups = passengers.assign(alive=(passengers["survived"] == "yes") * 1.0).groupby(by, dropna=False)["alive"]
    return groups.agg(passengers="size", survivors="sum", rate="mean").reset_index()


# %% survival_rates wrong: the caller's table gets a new column
def survival_rates(passengers, by):
    passengers["alive"] = passengers["survived"] == "yes"
    groups = passengers.groupby(by, dropna=False)["alive"]
    return groups.agg(passengers="size", survivors="sum", rate="mean").reset_index()


# %% survival_rates wrong: the columns come in another order
def survival_rates(passengers, by):
    groups = passengers.assign(alive=passengers["survived"] == "yes").groupby(by, dropna=False)["alive"]
    return groups.agg(rate="mean", passengers="size", survivors="sum").reset_index()


# %% features right: NumPy arrays and explicit loops
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = list(numeric), list(categorical)

    def fit(self, table):
        self.scale, self.labels = {}, {}
        for column in self.numeric:
            known = table[column].to_numpy(dtype=float)
            known = known[~np.isnan(known)]
            deviation = known.std()
            self.scale[column] = known.mean(), deviation if deviation >= 1e-9 else 1.0
        for column in self.categorical:
            self.labels[column] = sorted({value for value in table[column].tolist() if not pd.isna(value)})
        return self

    def transform(self, table):
        parts = [torch.zeros(len(table), 0)]
        for column, (mean, deviation) in self.scale.items():
            x = (table[column].to_numpy(dtype=float) - mean) / deviation
            parts.append(torch.tensor(np.where(np.isnan(x), 0, x), dtype=torch.float32)[:, None])
        for column, labels in self.labels.items():
            for label in labels:
                hits = [float(value == label) for value in table[column].tolist()]
                parts.append(torch.tensor(hits, dtype=torch.float32).reshape(-1, 1))
        return torch.cat(parts, dim=1)


# %% features right: get_dummies, reindexed to the known columns
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def _flags(self, table):
        parts = [pd.get_dummies(table[c].reset_index(drop=True), prefix=f"{i}") for i, c in enumerate(self.categorical)]
        return pd.concat([pd.DataFrame(index=range(len(table))), *parts], axis=1)

    def fit(self, table):
        self.mean = table[self.numeric].mean()
        self.deviation = table[self.numeric].std(ddof=0)
        self.deviation[self.deviation < 1e-9] = 1
        self.columns = self._flags(table).columns
        return self

    def transform(self, table):
        numbers = ((table[self.numeric] - self.mean) / self.deviation).fillna(0).reset_index(drop=True)
        flags = self._flags(table).reindex(columns=self.columns, fill_value=0)
        return torch.tensor(pd.concat([numbers, flags], axis=1).to_numpy(dtype=np.float32))


# %% features right: scikit-learn's scaler and a comparison with broadcasting
from sklearn.preprocessing import StandardScaler


class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        if self.numeric:
            self.scaler = StandardScaler().fit(table[self.numeric].to_numpy(dtype=float))
            self.scaler.scale_ = np.where(np.sqrt(self.scaler.var_) < 1e-9, 1.0, np.sqrt(self.scaler.var_))
        self.values = [np.array(sorted(table[c].dropna().unique()), dtype=object) for c in self.categorical]
        return self

    def transform(self, table):
        parts = []
        if self.numeric:
            x = table[self.numeric].to_numpy(dtype=float)
            parts.append(np.nan_to_num((x - self.scaler.mean_) / self.scaler.scale_))
        for column, values in zip(self.categorical, self.values, strict=True):
            parts.append(table[column].to_numpy(dtype=object)[:, None] == values)
        return torch.tensor(np.concatenate(parts, axis=1).astype(float), dtype=torch.float32)


# %% features wrong: transform scales with its own table
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        self.categories = [(c, v) for c in self.categorical for v in sorted(set(table[c].dropna()))]
        return self

    def transform(self, table):
        numbers = table[self.numeric]
        deviation = numbers.std(ddof=0)
        numbers = (numbers - numbers.mean()) / deviation.mask(deviation < 1e-9, 1)
        flags = [table[c] == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers.fillna(0), *flags]).astype(np.float32))


# %% features wrong: transform finds its own categories
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, deviation = numbers.mean(), numbers.std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        return self

    def transform(self, table):
        numbers = (table[self.numeric] - self.mean) / self.deviation
        flags = [table[c] == v for c in self.categorical for v in sorted(set(table[c].dropna()))]
        return torch.tensor(np.column_stack([numbers.fillna(0), *flags]).astype(np.float32))


# %% features wrong: the deviation with ddof=1
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, deviation = numbers.mean(), numbers.std()
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.categories = [(c, v) for c in self.categorical for v in sorted(set(table[c].dropna()))]
        return self

    def transform(self, table):
        numbers = (table[self.numeric] - self.mean) / self.deviation
        flags = [table[c] == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers.fillna(0), *flags]).astype(np.float32))


# %% features wrong: a constant column divides by zero
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, self.deviation = numbers.mean(), numbers.std(ddof=0)
        self.categories = [(c, v) for c in self.categorical for v in sorted(set(table[c].dropna()))]
        return self

    def transform(self, table):
        numbers = (table[self.numeric] - self.mean) / self.deviation
        flags = [table[c] == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers.fillna(0), *flags]).astype(np.float32))


# %% features wrong: the deviation is compared with exactly 0
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric].to_numpy(dtype=float)
        self.mean, deviation = np.nanmean(numbers, axis=0), np.nanstd(numbers, axis=0)
        self.deviation = np.where(deviation == 0, 1, deviation)
        self.categories = [(c, v) for c in self.categorical for v in sorted(set(table[c].dropna()))]
        return self

    def transform(self, table):
        numbers = (table[self.numeric] - self.mean) / self.deviation
        flags = [table[c] == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers.fillna(0), *flags]).astype(np.float32))


# %% features wrong: missing numbers are filled with 0 before scaling
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric].fillna(0)
        self.mean, deviation = numbers.mean(), numbers.std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.categories = [(c, v) for c in self.categorical for v in sorted(set(table[c].dropna()))]
        return self

    def transform(self, table):
        numbers = (table[self.numeric].fillna(0) - self.mean) / self.deviation
        flags = [table[c] == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers, *flags]).astype(np.float32))


# %% features wrong: the deviation is that of the filled column
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean = numbers.mean()
        deviation = numbers.fillna(self.mean).std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.categories = [(c, v) for c in self.categorical for v in sorted(set(table[c].dropna()))]
        return self

    def transform(self, table):
        numbers = (table[self.numeric] - self.mean) / self.deviation
        flags = [table[c] == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers.fillna(0), *flags]).astype(np.float32))


# %% features wrong: missing numbers stay NaN
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, deviation = numbers.mean(), numbers.std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.categories = [(c, v) for c in self.categorical for v in sorted(set(table[c].dropna()))]
        return self

    def transform(self, table):
        numbers = (table[self.numeric] - self.mean) / self.deviation
        flags = [table[c] == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers, *flags]).astype(np.float32))


# %% features wrong: categories in the order of appearance
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, deviation = numbers.mean(), numbers.std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.categories = [(c, v) for c in self.categorical for v in table[c].dropna().unique()]
        return self

    def transform(self, table):
        numbers = (table[self.numeric] - self.mean) / self.deviation
        flags = [table[c] == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers.fillna(0), *flags]).astype(np.float32))


# %% features wrong: the first category is dropped
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, deviation = numbers.mean(), numbers.std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.categories = [(c, v) for c in self.categorical for v in sorted(set(table[c].dropna()))[1:]]
        return self

    def transform(self, table):
        numbers = (table[self.numeric] - self.mean) / self.deviation
        flags = [table[c] == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers.fillna(0), *flags]).astype(np.float32))


# %% features wrong: missing categories get a column
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, deviation = numbers.mean(), numbers.std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.categories = [(c, v) for c in self.categorical for v in sorted(set(table[c].fillna("missing")))]
        return self

    def transform(self, table):
        numbers = (table[self.numeric] - self.mean) / self.deviation
        flags = [table[c].fillna("missing") == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers.fillna(0), *flags]).astype(np.float32))


# %% features wrong: an unseen category raises an error
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, deviation = numbers.mean(), numbers.std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.values = {c: sorted(set(table[c].dropna())) for c in self.categorical}
        return self

    def transform(self, table):
        numbers = ((table[self.numeric] - self.mean) / self.deviation).fillna(0)
        parts = [numbers.to_numpy(dtype=np.float32)]
        for c, values in self.values.items():
            flags = np.zeros((len(table), len(values)), dtype=np.float32)
            for row, value in enumerate(table[c]):
                if not pd.isna(value):
                    flags[row, values.index(value)] = 1
            parts.append(flags)
        return torch.tensor(np.concatenate(parts, axis=1))


# %% features wrong: an unseen category counts as the last one
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, deviation = numbers.mean(), numbers.std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.values = {c: sorted(set(table[c].dropna())) for c in self.categorical}
        return self

    def transform(self, table):
        numbers = ((table[self.numeric] - self.mean) / self.deviation).fillna(0)
        parts = [torch.tensor(numbers.to_numpy(dtype=np.float32))]
        for c, values in self.values.items():
            codes = torch.tensor(pd.Categorical(table[c], categories=values).codes.astype(np.int64))
            parts.append(torch.eye(len(values))[codes])
        return torch.cat(parts, dim=1)


# %% features wrong: a second fit adds to the categories of the first
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical, self.categories = numeric, categorical, []

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, deviation = numbers.mean(), numbers.std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.categories += [(c, v) for c in self.categorical for v in sorted(set(table[c].dropna()))]
        return self

    def transform(self, table):
        numbers = (table[self.numeric] - self.mean) / self.deviation
        flags = [table[c] == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers.fillna(0), *flags]).astype(np.float32))


# %% features wrong: float64
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, deviation = numbers.mean(), numbers.std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.categories = [(c, v) for c in self.categorical for v in sorted(set(table[c].dropna()))]
        return self

    def transform(self, table):
        numbers = (table[self.numeric] - self.mean) / self.deviation
        flags = [table[c] == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers.fillna(0), *flags]).astype(np.float64))


# %% features wrong: fit returns nothing
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, deviation = numbers.mean(), numbers.std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.categories = [(c, v) for c in self.categorical for v in sorted(set(table[c].dropna()))]

    def transform(self, table):
        numbers = (table[self.numeric] - self.mean) / self.deviation
        flags = [table[c] == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers.fillna(0), *flags]).astype(np.float32))


# %% features wrong: rows are aligned by label, so a repeated index breaks
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, deviation = numbers.mean(), numbers.std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.categories = [(c, v) for c in self.categorical for v in sorted(set(table[c].dropna()))]
        return self

    def transform(self, table):
        ready = ((table[self.numeric] - self.mean) / self.deviation).fillna(0)
        for c, v in self.categories:
            ready = ready.join((table[c] == v).astype(float).rename(f"{c} {v}"))
        return torch.tensor(ready.to_numpy(dtype=np.float32))


# %% features wrong: the caller's table is filled in place
class Features:
    def __init__(self, numeric, categorical):
        self.numeric, self.categorical = numeric, categorical

    def fit(self, table):
        numbers = table[self.numeric]
        self.mean, deviation = numbers.mean(), numbers.std(ddof=0)
        self.deviation = deviation.mask(deviation < 1e-9, 1)
        self.categories = [(c, v) for c in self.categorical for v in sorted(set(table[c].dropna()))]
        return self

    def transform(self, table):
        for c in self.numeric:
            table[c] = table[c].fillna(self.mean[c])
        numbers = (table[self.numeric] - self.mean) / self.deviation
        flags = [table[c] == v for c, v in self.categories]
        return torch.tensor(np.column_stack([numbers, *flags]).astype(np.float32))


# %% rate_figure right: names as x values, plt functions
def rate_figure(rates):
    plt.figure()
    for column, line, marker in zip(rates, ["-", "-", "--", ":"], ["o", "x", "o", "x"], strict=False):
        plt.plot(list(rates.index), [100 * r for r in rates[column]], line, marker=marker, color="black")
    plt.xlabel(rates.index.name)
    plt.ylabel("rate in %")
    plt.title("Rates")
    plt.ylim(0, 100)
    plt.legend(list(rates.columns))
    return plt.gca()


# %% rate_figure right: pandas draws
def rate_figure(rates):
    fig, ax = plt.subplots()
    rates.mul(100).plot(ax=ax, style=["s-", "s--", "s-.", "s:"][: rates.shape[1]], xticks=range(len(rates)))
    ax.set_xticks(range(len(rates)), labels=list(rates.index))
    ax.set(xlabel=rates.index.name, ylabel="Survived [%]", ylim=(0, 110), title="Survival")
    return ax


# %% rate_figure wrong: shares instead of percent
def rate_figure(rates):
    ax = plt.subplots()[1]
    for column, style in zip(rates.columns, ["-o", "--s", ":^", "-.D"], strict=False):
        ax.plot(range(len(rates)), rates[column], style, label=column)
    ax.set_xticks(range(len(rates)), rates.index)
    ax.set(xlabel=rates.index.name, ylabel="%", ylim=(0, 105), title="t")
    ax.legend()
    return ax


# %% rate_figure wrong: colours are the only difference
def rate_figure(rates):
    ax = plt.subplots()[1]
    for column in rates.columns:
        ax.plot(range(len(rates)), 100 * rates[column], "-o", label=column)
    ax.set_xticks(range(len(rates)), rates.index)
    ax.set(xlabel=rates.index.name, ylabel="%", ylim=(0, 105), title="t")
    ax.legend()
    return ax


# %% rate_figure wrong: no markers
def rate_figure(rates):
    ax = plt.subplots()[1]
    for column, style in zip(rates.columns, ["-", "--", ":", "-."], strict=False):
        ax.plot(range(len(rates)), 100 * rates[column], style, label=column)
    ax.set_xticks(range(len(rates)), rates.index)
    ax.set(xlabel=rates.index.name, ylabel="%", ylim=(0, 105), title="t")
    ax.legend()
    return ax


# %% rate_figure wrong: no names at the ticks
def rate_figure(rates):
    ax = plt.subplots()[1]
    for column, style in zip(rates.columns, ["-o", "--s", ":^", "-.D"], strict=False):
        ax.plot(range(len(rates)), 100 * rates[column], style, label=column)
    ax.set(xlabel=rates.index.name, ylabel="%", ylim=(0, 105), title="t")
    ax.legend()
    return ax


# %% rate_figure wrong: the figure is returned
def rate_figure(rates):
    fig, ax = plt.subplots()
    for column, style in zip(rates.columns, ["-o", "--s", ":^", "-.D"], strict=False):
        ax.plot(range(len(rates)), 100 * rates[column], style, label=column)
    ax.set_xticks(range(len(rates)), rates.index)
    ax.set(xlabel=rates.index.name, ylabel="%", ylim=(0, 105), title="t")
    ax.legend()
    return fig


# %% rate_figure wrong: nothing is returned
def rate_figure(rates):
    ax = plt.subplots()[1]
    for column, style in zip(rates.columns, ["-o", "--s", ":^", "-.D"], strict=False):
        ax.plot(range(len(rates)), 100 * rates[column], style, label=column)
    ax.set_xticks(range(len(rates)), rates.index)
    ax.set(xlabel=rates.index.name, ylabel="%", ylim=(0, 105), title="t")
    ax.legend()


# %% rate_figure wrong: the unit is missing
def rate_figure(rates):
    ax = plt.subplots()[1]
    for column, style in zip(rates.columns, ["-o", "--s", ":^", "-.D"], strict=False):
        ax.plot(range(len(rates)), 100 * rates[column], style, label=column)
    ax.set_xticks(range(len(rates)), rates.index)
    ax.set(xlabel=rates.index.name, ylabel="survival rate", ylim=(0, 105), title="t")
    ax.legend()
    return ax


# %% rate_figure wrong: the x axis always says class
def rate_figure(rates):
    ax = plt.subplots()[1]
    for column, style in zip(rates.columns, ["-o", "--s", ":^", "-.D"], strict=False):
        ax.plot(range(len(rates)), 100 * rates[column], style, label=column)
    ax.set_xticks(range(len(rates)), rates.index)
    ax.set(xlabel="class", ylabel="%", ylim=(0, 105), title="t")
    ax.legend()
    return ax


# %% rate_figure wrong: no legend
def rate_figure(rates):
    ax = plt.subplots()[1]
    for column, style in zip(rates.columns, ["-o", "--s", ":^", "-.D"], strict=False):
        ax.plot(range(len(rates)), 100 * rates[column], style, label=column)
    ax.set_xticks(range(len(rates)), rates.index)
    ax.set(xlabel=rates.index.name, ylabel="%", ylim=(0, 105), title="t")
    return ax


# %% rate_figure wrong: no title
def rate_figure(rates):
    ax = plt.subplots()[1]
    for column, style in zip(rates.columns, ["-o", "--s", ":^", "-.D"], strict=False):
        ax.plot(range(len(rates)), 100 * rates[column], style, label=column)
    ax.set_xticks(range(len(rates)), rates.index)
    ax.set(xlabel=rates.index.name, ylabel="%", ylim=(0, 105))
    ax.legend()
    return ax


# %% rate_figure wrong: the y axis starts where the data start
def rate_figure(rates):
    ax = plt.subplots()[1]
    for column, style in zip(rates.columns, ["-o", "--s", ":^", "-.D"], strict=False):
        ax.plot(range(len(rates)), 100 * rates[column], style, label=column)
    ax.set_xticks(range(len(rates)), rates.index)
    ax.set(xlabel=rates.index.name, ylabel="%", title="t")
    ax.legend()
    return ax


# %% rate_figure wrong: groups are sorted by name
def rate_figure(rates):
    rates = rates.sort_index()
    ax = plt.subplots()[1]
    for column, style in zip(rates.columns, ["-o", "--s", ":^", "-.D"], strict=False):
        ax.plot(range(len(rates)), 100 * rates[column], style, label=column)
    ax.set_xticks(range(len(rates)), rates.index)
    ax.set(xlabel=rates.index.name, ylabel="%", ylim=(0, 105), title="t")
    ax.legend()
    return ax


# %% rate_figure wrong: always the same axes
def rate_figure(rates):
    ax = plt.gca()
    ax.clear()
    for column, style in zip(rates.columns, ["-o", "--s", ":^", "-.D"], strict=False):
        ax.plot(range(len(rates)), 100 * rates[column], style, label=column)
    ax.set_xticks(range(len(rates)), rates.index)
    ax.set(xlabel=rates.index.name, ylabel="%", ylim=(0, 105), title="t")
    ax.legend()
    return ax


# %% rate_figure wrong: rows and columns are swapped
def rate_figure(rates):
    ax = plt.subplots()[1]
    for group, style in zip(rates.index, ["-o", "--s", ":^", "-.D"], strict=False):
        ax.plot(range(rates.shape[1]), 100 * rates.loc[group], style, label=group)
    ax.set_xticks(range(rates.shape[1]), rates.columns)
    ax.set(xlabel=rates.index.name, ylabel="%", ylim=(0, 105), title="t")
    ax.legend()
    return ax


# %% titanic_tensors right: plain Python with the csv module
import csv


def titanic_tensors(path, train_rows, test_rows):
    with open(path, encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    for person in people:
        person["known"] = float(person["age"]) if person["age"] else None
    train = [people[row] for row in train_rows]
    everyone = statistics.median(p["known"] for p in train if p["known"] is not None)
    fill = {}
    for place in ("1st", "2nd", "3rd"):
        ages = [p["known"] for p in train if p["passengerClass"] == place and p["known"] is not None]
        fill[place] = statistics.median(ages) if ages else everyone

    def age_of(person):
        return fill[person["passengerClass"]] if person["known"] is None else person["known"]

    mean = statistics.fmean(age_of(p) for p in train)
    deviation = statistics.pstdev(age_of(p) for p in train)

    def tensors(rows):
        X, y = torch.zeros(len(rows), 5), torch.zeros(len(rows), 1)
        for i, row in enumerate(rows):
            p = people[row]
            X[i, 0] = p["sex"] == "female"
            X[i, 1], X[i, 2] = p["passengerClass"] == "1st", p["passengerClass"] == "2nd"
            X[i, 3] = (age_of(p) - mean) / deviation
            X[i, 4] = p["known"] is None
            y[i, 0] = p["survived"] == "yes"
        return X, y

    return [*tensors(train_rows), *tensors(test_rows)]


# %% titanic_tensors right: two frames, loc and replace
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    table["missing"] = table["age"].isna()
    train, test = table.iloc[train_rows].copy(), table.iloc[test_rows].copy()
    overall = train["age"].median()
    medians = {}
    for place in ["1st", "2nd", "3rd"]:
        median = train.loc[train["passengerClass"] == place, "age"].median()
        medians[place] = overall if np.isnan(median) else median
    results = []
    for part in (train, test):
        part["age"] = part["age"].fillna(part["passengerClass"].map(medians))
    mean, deviation = train["age"].mean(), train["age"].std(ddof=0)
    for part in (train, test):
        columns = {
            "female": part["sex"].eq("female"),
            "first": part["passengerClass"].eq("1st"),
            "second": part["passengerClass"].eq("2nd"),
            "age": (part["age"] - mean) / deviation,
            "missing": part["missing"],
        }
        results.append(torch.tensor(pd.DataFrame(columns).to_numpy(dtype=np.float32)))
        results.append(torch.tensor(part[["survived"]].eq("yes").to_numpy(dtype=np.float32)))
    return tuple(results)


# %% titanic_tensors wrong: medians of all rows
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    fill = table.groupby("passengerClass")["age"].transform("median").fillna(table["age"].median())
    age = table["age"].fillna(fill).to_numpy()
    scaled = (age - age[train_rows].mean()) / age[train_rows].std()
    sex, place = table["sex"], table["passengerClass"]
    X = np.column_stack([sex == "female", place == "1st", place == "2nd", scaled, table["age"].isna()])
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(table[["survived"]].to_numpy() == "yes", dtype=torch.float32)
    return X[train_rows], y[train_rows], X[test_rows], y[test_rows]


# %% titanic_tensors wrong: mean and deviation of all rows
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    train = table.iloc[train_rows]
    medians = train.groupby("passengerClass")["age"].median()
    fill = table["passengerClass"].map(medians).fillna(train["age"].median())
    age = table["age"].fillna(fill).to_numpy()
    scaled = (age - age.mean()) / age.std()
    sex, place = table["sex"], table["passengerClass"]
    X = np.column_stack([sex == "female", place == "1st", place == "2nd", scaled, table["age"].isna()])
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(table[["survived"]].to_numpy() == "yes", dtype=torch.float32)
    return X[train_rows], y[train_rows], X[test_rows], y[test_rows]


# %% titanic_tensors wrong: one median for all classes
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    age = table["age"].fillna(table["age"].iloc[train_rows].median()).to_numpy()
    scaled = (age - age[train_rows].mean()) / age[train_rows].std()
    sex, place = table["sex"], table["passengerClass"]
    X = np.column_stack([sex == "female", place == "1st", place == "2nd", scaled, table["age"].isna()])
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(table[["survived"]].to_numpy() == "yes", dtype=torch.float32)
    return X[train_rows], y[train_rows], X[test_rows], y[test_rows]


# %% titanic_tensors wrong: a class without known ages stays NaN
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    train = table.iloc[train_rows]
    fill = table["passengerClass"].map(train.groupby("passengerClass")["age"].median())
    age = table["age"].fillna(fill).to_numpy()
    scaled = (age - age[train_rows].mean()) / age[train_rows].std()
    sex, place = table["sex"], table["passengerClass"]
    X = np.column_stack([sex == "female", place == "1st", place == "2nd", scaled, table["age"].isna()])
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(table[["survived"]].to_numpy() == "yes", dtype=torch.float32)
    return X[train_rows], y[train_rows], X[test_rows], y[test_rows]


# %% titanic_tensors wrong: the mean of the class instead of the median
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    train = table.iloc[train_rows]
    means = train.groupby("passengerClass")["age"].mean()
    fill = table["passengerClass"].map(means).fillna(train["age"].mean())
    age = table["age"].fillna(fill).to_numpy()
    scaled = (age - age[train_rows].mean()) / age[train_rows].std()
    sex, place = table["sex"], table["passengerClass"]
    X = np.column_stack([sex == "female", place == "1st", place == "2nd", scaled, table["age"].isna()])
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(table[["survived"]].to_numpy() == "yes", dtype=torch.float32)
    return X[train_rows], y[train_rows], X[test_rows], y[test_rows]


# %% titanic_tensors wrong: mean and deviation are those of the known ages
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    train = table.iloc[train_rows]
    medians = train.groupby("passengerClass")["age"].median()
    fill = table["passengerClass"].map(medians).fillna(train["age"].median())
    age = table["age"].fillna(fill).to_numpy()
    scaled = (age - train["age"].mean()) / train["age"].std(ddof=0)
    sex, place = table["sex"], table["passengerClass"]
    X = np.column_stack([sex == "female", place == "1st", place == "2nd", scaled, table["age"].isna()])
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(table[["survived"]].to_numpy() == "yes", dtype=torch.float32)
    return X[train_rows], y[train_rows], X[test_rows], y[test_rows]


# %% titanic_tensors wrong: the deviation with ddof=1
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    train = table.iloc[train_rows]
    medians = train.groupby("passengerClass")["age"].median()
    fill = table["passengerClass"].map(medians).fillna(train["age"].median())
    age = table["age"].fillna(fill)
    scaled = (age - age.iloc[train_rows].mean()) / age.iloc[train_rows].std()
    sex, place = table["sex"], table["passengerClass"]
    X = np.column_stack([sex == "female", place == "1st", place == "2nd", scaled, table["age"].isna()])
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(table[["survived"]].to_numpy() == "yes", dtype=torch.float32)
    return X[train_rows], y[train_rows], X[test_rows], y[test_rows]


# %% titanic_tensors wrong: the flag is taken after the ages are filled
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    train = table.iloc[train_rows]
    medians = train.groupby("passengerClass")["age"].median()
    fill = table["passengerClass"].map(medians).fillna(train["age"].median())
    table["age"] = table["age"].fillna(fill)
    age = table["age"].to_numpy()
    scaled = (age - age[train_rows].mean()) / age[train_rows].std()
    sex, place = table["sex"], table["passengerClass"]
    X = np.column_stack([sex == "female", place == "1st", place == "2nd", scaled, table["age"].isna()])
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(table[["survived"]].to_numpy() == "yes", dtype=torch.float32)
    return X[train_rows], y[train_rows], X[test_rows], y[test_rows]


# %% titanic_tensors wrong: the sexes are swapped
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    train = table.iloc[train_rows]
    medians = train.groupby("passengerClass")["age"].median()
    fill = table["passengerClass"].map(medians).fillna(train["age"].median())
    age = table["age"].fillna(fill).to_numpy()
    scaled = (age - age[train_rows].mean()) / age[train_rows].std()
    sex, place = table["sex"], table["passengerClass"]
    X = np.column_stack([sex == "male", place == "1st", place == "2nd", scaled, table["age"].isna()])
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(table[["survived"]].to_numpy() == "yes", dtype=torch.float32)
    return X[train_rows], y[train_rows], X[test_rows], y[test_rows]


# %% titanic_tensors wrong: labels of shape (n,)
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    train = table.iloc[train_rows]
    medians = train.groupby("passengerClass")["age"].median()
    fill = table["passengerClass"].map(medians).fillna(train["age"].median())
    age = table["age"].fillna(fill).to_numpy()
    scaled = (age - age[train_rows].mean()) / age[train_rows].std()
    sex, place = table["sex"], table["passengerClass"]
    X = np.column_stack([sex == "female", place == "1st", place == "2nd", scaled, table["age"].isna()])
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor((table["survived"] == "yes").to_numpy(), dtype=torch.float32)
    return X[train_rows], y[train_rows], X[test_rows], y[test_rows]


# %% titanic_tensors wrong: float64 tensors
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    train = table.iloc[train_rows]
    medians = train.groupby("passengerClass")["age"].median()
    fill = table["passengerClass"].map(medians).fillna(train["age"].median())
    age = table["age"].fillna(fill).to_numpy()
    scaled = (age - age[train_rows].mean()) / age[train_rows].std()
    sex, place = table["sex"], table["passengerClass"]
    X = np.column_stack([sex == "female", place == "1st", place == "2nd", scaled, table["age"].isna()])
    X = torch.tensor(X)
    y = torch.tensor(table[["survived"]].to_numpy() == "yes").double()
    return X[train_rows], y[train_rows], X[test_rows], y[test_rows]


# %% titanic_tensors wrong: the rows come sorted
def titanic_tensors(path, train_rows, test_rows):
    train_rows, test_rows = sorted(train_rows), sorted(test_rows)
    table = pd.read_csv(path)
    train = table.iloc[train_rows]
    medians = train.groupby("passengerClass")["age"].median()
    fill = table["passengerClass"].map(medians).fillna(train["age"].median())
    age = table["age"].fillna(fill).to_numpy()
    scaled = (age - age[train_rows].mean()) / age[train_rows].std()
    sex, place = table["sex"], table["passengerClass"]
    X = np.column_stack([sex == "female", place == "1st", place == "2nd", scaled, table["age"].isna()])
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(table[["survived"]].to_numpy() == "yes", dtype=torch.float32)
    return X[train_rows], y[train_rows], X[test_rows], y[test_rows]


# %% titanic_tensors wrong: X and y in another order
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    train = table.iloc[train_rows]
    medians = train.groupby("passengerClass")["age"].median()
    fill = table["passengerClass"].map(medians).fillna(train["age"].median())
    age = table["age"].fillna(fill).to_numpy()
    scaled = (age - age[train_rows].mean()) / age[train_rows].std()
    sex, place = table["sex"], table["passengerClass"]
    X = np.column_stack([sex == "female", place == "1st", place == "2nd", scaled, table["age"].isna()])
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(table[["survived"]].to_numpy() == "yes", dtype=torch.float32)
    return X[train_rows], X[test_rows], y[train_rows], y[test_rows]


# %% titanic_tensors wrong: the test rows are filled with their own medians
def titanic_tensors(path, train_rows, test_rows):
    table = pd.read_csv(path)
    parts, ages = [table.iloc[train_rows], table.iloc[test_rows]], []
    for part in parts:
        medians = part.groupby("passengerClass")["age"].median()
        ages.append(part["age"].fillna(part["passengerClass"].map(medians)).fillna(parts[0]["age"].median()))
    mean, deviation = ages[0].mean(), ages[0].std(ddof=0)
    out = []
    for part, age in zip(parts, ages, strict=True):
        place = part["passengerClass"]
        columns = [
            part["sex"] == "female",
            place == "1st",
            place == "2nd",
            (age - mean) / deviation,
            part["age"].isna(),
        ]
        out.append(torch.tensor(np.column_stack(columns), dtype=torch.float32))
        out.append(torch.tensor(part[["survived"]].to_numpy() == "yes", dtype=torch.float32))
    return tuple(out)


# %% windows equivalent: the larger of two numbers, in either order
# - return max(0, len(self.series) - self.size)
# + return max(len(self.series) - self.size, 0)
# %% one_hot_pick equivalent: a table that is looked up has no gradient to cut off
# - return torch.eye(num_classes)[labels]
# + return torch.eye(num_classes)[labels].detach()
# %% features equivalent: a deviation of exactly 1e-9 does not occur
# - self.deviation = deviation.mask(deviation < 1e-9, 1)
# + self.deviation = deviation.mask(deviation <= 1e-9, 1)
# %% features equivalent: any bound between rounding errors and the data serves
# - self.deviation = deviation.mask(deviation < 1e-9, 1)
# + self.deviation = deviation.mask(deviation < 2e-09, 1)
