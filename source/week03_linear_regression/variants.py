"""Other answers to the exercises of week 3: the right ones must earn all points, the wrong ones must not.

Each cell replaces the answer cell of one exercise. The header says which, and what is different or mistaken.
"""

# %%
import itertools
import math

import numpy as np
import pandas as pd
import torch
from d2l import torch as d2l
from torch import nn


# %% synthetic_data right: one row after the other in a loop
def synthetic_data(w, b, n, sigma, generator):
    d = len(w)
    X, y = torch.empty(n, d, dtype=w.dtype), torch.empty(n, 1, dtype=w.dtype)
    for i in range(n):
        for j in range(d):
            X[i, j] = torch.randn((), generator=generator, dtype=w.dtype)
        y[i, 0] = sum(X[i, j] * w[j, 0] for j in range(d)) + b
        y[i, 0] += sigma * torch.randn((), generator=generator, dtype=w.dtype)
    return X, y


# %% synthetic_data right: one draw for X and noise, einsum, and a list instead of a tuple
def synthetic_data(w, b, n, sigma, generator):
    drawn = torch.empty(n, w.numel() + 1, dtype=w.dtype).normal_(0, 1, generator=generator)
    X = drawn[:, :-1]
    y = torch.einsum("nd,do->no", X, w) + b + sigma * drawn[:, -1:]
    return [X, y]


# %% synthetic_data right: the noise is drawn first, with torch.normal
def synthetic_data(w, b, n, sigma, generator):
    noise = torch.normal(0.0, 1.0, (n, 1), generator=generator, dtype=w.dtype) * sigma
    X = torch.normal(0.0, 1.0, (n, w.shape[0]), generator=generator, dtype=w.dtype)
    return X, torch.addmm(noise + b, X, w)


# %% synthetic_data wrong: the generator is ignored
def synthetic_data(w, b, n, sigma, generator):
    X = torch.randn(n, len(w), dtype=w.dtype)
    return X, X @ w + b + sigma * torch.randn(n, 1, dtype=w.dtype)


# %% synthetic_data wrong: only X uses the generator, the noise the global state
def synthetic_data(w, b, n, sigma, generator):
    X = torch.randn(n, len(w), generator=generator, dtype=w.dtype)
    return X, X @ w + b + sigma * torch.randn(n, 1, dtype=w.dtype)


# %% synthetic_data wrong: labels of shape (n,)
def synthetic_data(w, b, n, sigma, generator):
    X = torch.randn(n, len(w), generator=generator, dtype=w.dtype)
    y = (X @ w).reshape(-1) + b + sigma * torch.randn(n, generator=generator, dtype=w.dtype)
    return X, y


# %% synthetic_data wrong: noise of shape (n,) is broadcast to (n, n)
def synthetic_data(w, b, n, sigma, generator):
    X = torch.randn(n, len(w), generator=generator, dtype=w.dtype)
    # (n is bounded so that the mistake cannot fill the memory)
    return X, X @ w + b + sigma * torch.randn(min(n, 5), generator=generator, dtype=w.dtype)


# %% synthetic_data wrong: one noise value for all rows
def synthetic_data(w, b, n, sigma, generator):
    X = torch.randn(n, len(w), generator=generator, dtype=w.dtype)
    return X, X @ w + b + sigma * torch.randn(1, generator=generator, dtype=w.dtype)


# %% synthetic_data wrong: sigma is taken for the variance
def synthetic_data(w, b, n, sigma, generator):
    X = torch.randn(n, len(w), generator=generator, dtype=w.dtype)
    return X, X @ w + b + math.sqrt(sigma) * torch.randn(n, 1, generator=generator, dtype=w.dtype)


# %% synthetic_data wrong: uniform features from rand
def synthetic_data(w, b, n, sigma, generator):
    X = torch.rand(n, len(w), generator=generator, dtype=w.dtype)
    return X, X @ w + b + sigma * torch.randn(n, 1, generator=generator, dtype=w.dtype)


# %% synthetic_data wrong: uniform noise with the right mean and deviation
def synthetic_data(w, b, n, sigma, generator):
    X = torch.randn(n, len(w), generator=generator, dtype=w.dtype)
    noise = (torch.rand(n, 1, generator=generator, dtype=w.dtype) - 0.5) * math.sqrt(12)
    return X, X @ w + b + sigma * noise


# %% synthetic_data wrong: float32 whatever the dtype of w
def synthetic_data(w, b, n, sigma, generator):
    X = torch.randn(n, len(w), generator=generator)
    return X, X @ w.float() + b + sigma * torch.randn(n, 1, generator=generator)


# %% synthetic_data wrong: no dtype is given, as in the lesson
def synthetic_data(w, b, n, sigma, generator):
    X = torch.randn(n, len(w), generator=generator)
    noise = sigma * torch.randn(n, 1, generator=generator)
    return X, X @ w + b + noise


# %% synthetic_data wrong: the generator is seeded inside, so every call gives the same data
def synthetic_data(w, b, n, sigma, generator):
    generator.manual_seed(generator.initial_seed())
    X = torch.randn(n, len(w), generator=generator, dtype=w.dtype)
    return X, X @ w + b + sigma * torch.randn(n, 1, generator=generator, dtype=w.dtype)


# %% synthetic_data wrong: the noise repeats the numbers of X
def synthetic_data(w, b, n, sigma, generator):
    seed = generator.initial_seed()
    X = torch.randn(n, len(w), generator=generator, dtype=w.dtype)
    noise = torch.randn(n, 1, generator=torch.Generator().manual_seed(seed), dtype=w.dtype)
    return X, X @ w + b + sigma * noise


# %% synthetic_data wrong: the global state is seeded from the generator
def synthetic_data(w, b, n, sigma, generator):
    torch.manual_seed(int(torch.randint(0, 2**31, (), generator=generator)))
    X = torch.randn(n, len(w), dtype=w.dtype)
    return X, X @ w + b + sigma * torch.randn(n, 1, dtype=w.dtype)


# %% minibatches right: a list of shuffled tensors cut by torch.split
def minibatches(X, y, batch_size, generator=None):
    if len(X) == 0:
        return []
    if generator is not None:
        order = torch.randperm(len(X), generator=generator)
        X, y = X[order], y[order]
    return list(zip(X.split(batch_size), y.split(batch_size), strict=True))


# %% minibatches right: an iterable class whose batches are lists and views
class minibatches:
    def __init__(self, X, y, batch_size, generator=None):
        self.X, self.y, self.size = X, y, batch_size
        self.order = None if generator is None else torch.randperm(len(X), generator=generator).tolist()

    def __iter__(self):
        for i in range(math.ceil(len(self.X) / self.size)):
            part = slice(i * self.size, (i + 1) * self.size)
            rows = part if self.order is None else self.order[part]
            yield [self.X[rows], self.y[rows]]


# %% minibatches right: a DataLoader over the rows, with a generator of its own if none is given
def minibatches(X, y, batch_size, generator=None):
    if not len(X):
        return iter(())
    dataset = torch.utils.data.TensorDataset(X, y)
    source = torch.Generator() if generator is None else generator
    return torch.utils.data.DataLoader(dataset, batch_size, shuffle=generator is not None, generator=source)


# %% minibatches right: random keys sorted, one row collected at a time
def minibatches(X, y, batch_size, generator=None):
    rows = list(range(X.shape[0]))
    if generator is not None:
        keys = torch.rand(len(rows), generator=generator, dtype=torch.float64).tolist()
        rows.sort(key=lambda row: keys[row])
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == batch_size:
            yield torch.stack([X[i] for i in batch]), torch.stack([y[i] for i in batch])
            batch = []
    if batch:
        yield torch.stack([X[i] for i in batch]), torch.stack([y[i] for i in batch])


# %% minibatches wrong: the short last batch is dropped
def minibatches(X, y, batch_size, generator=None):
    order = torch.arange(len(X)) if generator is None else torch.randperm(len(X), generator=generator)
    for i in range(len(X) // batch_size):
        rows = order[i * batch_size : (i + 1) * batch_size]
        yield X[rows], y[rows]


# %% minibatches wrong: one batch too many when the size divides n
def minibatches(X, y, batch_size, generator=None):
    order = torch.arange(len(X)) if generator is None else torch.randperm(len(X), generator=generator)
    for i in range(len(X) // batch_size + 1):
        rows = order[i * batch_size : (i + 1) * batch_size]
        yield X[rows], y[rows]


# %% minibatches wrong: X and y get different orders
def minibatches(X, y, batch_size, generator=None):
    n = len(X)
    if generator is not None:
        X, y = X[torch.randperm(n, generator=generator)], y[torch.randperm(n, generator=generator)]
    for start in range(0, n, batch_size):
        yield X[start : start + batch_size], y[start : start + batch_size]


# %% minibatches wrong: rows are drawn with replacement
def minibatches(X, y, batch_size, generator=None):
    n = len(X)
    for start in range(0, n, batch_size):
        size = min(batch_size, n - start)
        rows = torch.arange(start, start + size)
        if generator is not None:
            rows = torch.randint(0, n, (size,), generator=generator)
        yield X[rows], y[rows]


# %% minibatches wrong: shuffled by the global state
def minibatches(X, y, batch_size, generator=None):
    order = torch.arange(len(X)) if generator is None else torch.randperm(len(X))
    for start in range(0, len(X), batch_size):
        rows = order[start : start + batch_size]
        yield X[rows], y[rows]


# %% minibatches wrong: shuffled by Python's random module
import random


def minibatches(X, y, batch_size, generator=None):
    order = list(range(len(X)))
    if generator is not None:
        random.shuffle(order)
    for start in range(0, len(X), batch_size):
        rows = order[start : start + batch_size]
        yield X[rows], y[rows]


# %% minibatches wrong: seeded inside, so each epoch has the same order
def minibatches(X, y, batch_size, generator=None):
    order = torch.arange(len(X))
    if generator is not None:
        order = torch.randperm(len(X), generator=generator.manual_seed(generator.initial_seed()))
    for start in range(0, len(X), batch_size):
        rows = order[start : start + batch_size]
        yield X[rows], y[rows]


# %% minibatches wrong: always shuffled, also without a generator
def minibatches(X, y, batch_size, generator=None):
    order = torch.randperm(len(X), generator=generator)
    for start in range(0, len(X), batch_size):
        rows = order[start : start + batch_size]
        yield X[rows], y[rows]


# %% minibatches wrong: the caller's X and y are shuffled in place
def minibatches(X, y, batch_size, generator=None):
    if generator is not None:
        order = torch.randperm(len(X), generator=generator)
        X[:], y[:] = X[order], y[order]
    for start in range(0, len(X), batch_size):
        yield X[start : start + batch_size], y[start : start + batch_size]


# %% minibatches wrong: whole batches are shuffled, neighbours stay together
def minibatches(X, y, batch_size, generator=None):
    starts = list(range(0, len(X), batch_size))
    if generator is not None:
        full = [s for s in starts if s + batch_size <= len(X)]
        rest = [s for s in starts if s + batch_size > len(X)]
        starts = [full[i] for i in torch.randperm(len(full), generator=generator)] + rest
    for start in starts:
        yield X[start : start + batch_size], y[start : start + batch_size]


# %% minibatches wrong: a random rotation instead of a shuffle
def minibatches(X, y, batch_size, generator=None):
    n = len(X)
    shift = 0 if generator is None or n == 0 else int(torch.randint(1, n + 1, (), generator=generator))
    order = (torch.arange(n) + shift) % max(n, 1)
    for start in range(0, n, batch_size):
        rows = order[start : start + batch_size]
        yield X[rows], y[rows]


# %% minibatches wrong: labels are always made (m, 1) float32
def minibatches(X, y, batch_size, generator=None):
    order = torch.arange(len(X)) if generator is None else torch.randperm(len(X), generator=generator)
    for start in range(0, len(X), batch_size):
        rows = order[start : start + batch_size]
        yield X[rows], y[rows].reshape(-1, 1).float()


# %% minibatches wrong: return in the loop gives one batch only
def minibatches(X, y, batch_size, generator=None):
    order = torch.arange(len(X)) if generator is None else torch.randperm(len(X), generator=generator)
    for start in range(0, len(X), batch_size):
        rows = order[start : start + batch_size]
        return X[rows], y[rows]


# %% minibatches wrong: a loop that never ends
def minibatches(X, y, batch_size, generator=None):
    while True:
        order = torch.arange(len(X)) if generator is None else torch.randperm(len(X), generator=generator)
        for start in range(0, len(X), batch_size):
            rows = order[start : start + batch_size]
            yield X[rows], y[rows]


# %% minibatches wrong: a DataLoader without a generator draws from the global state
def minibatches(X, y, batch_size, generator=None):
    if not len(X):
        return iter(())
    dataset = torch.utils.data.TensorDataset(X, y)
    return torch.utils.data.DataLoader(dataset, batch_size, shuffle=generator is not None, generator=generator)


# %% minibatches wrong: a DataLoader cannot shuffle zero rows
def minibatches(X, y, batch_size, generator=None):
    dataset = torch.utils.data.TensorDataset(X, y)
    source = torch.Generator() if generator is None else generator
    return torch.utils.data.DataLoader(dataset, batch_size, shuffle=generator is not None, generator=source)


# %% minibatches wrong: nothing is returned
def minibatches(X, y, batch_size, generator=None):
    batches = []
    order = torch.arange(len(X)) if generator is None else torch.randperm(len(X), generator=generator)
    for start in range(0, len(X), batch_size):
        rows = order[start : start + batch_size]
        batches.append((X[rows], y[rows]))


# %% linreg_loss right: loops over columns and einsum
def linreg(X, w, b):
    total = b.expand(X.shape[0], 1)
    for j in range(X.shape[1]):
        total = total + X[:, j : j + 1] * w[j]
    return total


def squared_loss(y_hat, y):
    if tuple(y_hat.size()) != tuple(y.size()):
        raise ValueError("y_hat and y must have one shape")
    error = (y_hat - y).reshape(-1)
    return torch.einsum("i,i->", error, error) / (2 * error.numel())


# %% linreg_loss right: torch.nn.functional
def linreg(X, w, b):
    return nn.functional.linear(X, w.T, b)


def squared_loss(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError
    return 0.5 * nn.functional.mse_loss(y_hat, y)


# %% linreg_loss wrong: shapes are not compared
def linreg(X, w, b):
    return X @ w + b


def squared_loss(y_hat, y):
    return ((y_hat - y) ** 2 / 2).mean()


# %% linreg_loss wrong: labels are silently reshaped
def linreg(X, w, b):
    return X @ w + b


def squared_loss(y_hat, y):
    return ((y_hat - y.reshape(y_hat.shape)) ** 2 / 2).mean()


# %% linreg_loss wrong: only the number of entries is compared
def linreg(X, w, b):
    return X @ w + b


def squared_loss(y_hat, y):
    if y_hat.numel() != y.numel():
        raise ValueError("different sizes")
    return ((y_hat.reshape(-1) - y.reshape(-1)) ** 2 / 2).mean()


# %% linreg_loss wrong: only the rank is compared
def linreg(X, w, b):
    return X @ w + b


def squared_loss(y_hat, y):
    if y_hat.dim() != y.dim():
        raise ValueError("different ranks")
    return ((y_hat - y) ** 2 / 2).mean()


# %% linreg_loss wrong: assert gives another kind of error
def linreg(X, w, b):
    return X @ w + b


def squared_loss(y_hat, y):
    assert y_hat.shape == y.shape
    return ((y_hat - y) ** 2 / 2).mean()


# %% linreg_loss wrong: the factor one half is missing
def linreg(X, w, b):
    return X @ w + b


def squared_loss(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError("different shapes")
    return ((y_hat - y) ** 2).mean()


# %% linreg_loss wrong: sum instead of mean
def linreg(X, w, b):
    return X @ w + b


def squared_loss(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError("different shapes")
    return ((y_hat - y) ** 2 / 2).sum()


# %% linreg_loss wrong: one loss per row
def linreg(X, w, b):
    return X @ w + b


def squared_loss(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError("different shapes")
    return (y_hat - y) ** 2 / 2


# %% linreg_loss wrong: a plain number has no gradient
def linreg(X, w, b):
    return X @ w + b


def squared_loss(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError("different shapes")
    return ((y_hat - y) ** 2 / 2).mean().item()


# %% linreg_loss wrong: the labels are detached
def linreg(X, w, b):
    return X @ w + b


def squared_loss(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError("different shapes")
    return ((y_hat - y.detach()) ** 2 / 2).mean()


# %% linreg_loss wrong: predictions of shape (n,)
def linreg(X, w, b):
    return (X @ w + b).squeeze()


def squared_loss(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError("different shapes")
    return ((y_hat - y) ** 2 / 2).mean()


# %% linreg_loss wrong: the mean over rows only, right for a single column
def linreg(X, w, b):
    return X @ w + b


def squared_loss(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError("different shapes")
    return ((y_hat - y) ** 2 / 2).sum() / len(y)


# %% linreg_loss wrong: the result is made with torch.tensor, outside the graph
def linreg(X, w, b):
    return torch.tensor((X @ w + b).tolist(), dtype=X.dtype)


def squared_loss(y_hat, y):
    if y_hat.shape != y.shape:
        raise ValueError("different shapes")
    return ((y_hat - y) ** 2 / 2).mean()


# %% sgd_step right: detach shares the memory
def sgd_step(params, lr):
    for param in params:
        if param.grad is None:
            continue
        param.detach().sub_(lr * param.grad)
        param.grad = None


# %% sgd_step right: .data and a gradient of zeros
def sgd_step(params, lr):
    for i in range(len(params)):
        if params[i].grad is not None:
            params[i].data = params[i].data - lr * params[i].grad
            params[i].grad = torch.zeros_like(params[i])


# %% sgd_step right: decorator, two loops, copy_
@torch.no_grad()
def sgd_step(params, lr):
    used = [param for param in params if param.grad is not None]
    for param in used:
        param.copy_(param - lr * param.grad)
    for param in used:
        param.grad *= 0


# %% sgd_step wrong: a new tensor under a local name
def sgd_step(params, lr):
    with torch.no_grad():
        for param in params:
            if param.grad is not None:
                param = param - lr * param.grad
                param.grad = None


# %% sgd_step wrong: the list gets new tensors, the caller's stay
def sgd_step(params, lr):
    for i, param in enumerate(params):
        if param.grad is not None:
            params[i] = (param - lr * param.grad).detach().requires_grad_(True)


# %% sgd_step wrong: without no_grad
def sgd_step(params, lr):
    for param in params:
        if param.grad is not None:
            param -= lr * param.grad
            param.grad.zero_()


# %% sgd_step wrong: the gradient is not cleared
def sgd_step(params, lr):
    with torch.no_grad():
        for param in params:
            if param.grad is not None:
                param -= lr * param.grad


# %% sgd_step wrong: only the last gradient is cleared
def sgd_step(params, lr):
    with torch.no_grad():
        for param in params:
            if param.grad is not None:
                param -= lr * param.grad
        if params and params[-1].grad is not None:
            params[-1].grad.zero_()


# %% sgd_step wrong: cleared before it is used
def sgd_step(params, lr):
    with torch.no_grad():
        for param in params:
            if param.grad is not None:
                param.grad.zero_()
                param -= lr * param.grad


# %% sgd_step wrong: uphill
def sgd_step(params, lr):
    with torch.no_grad():
        for param in params:
            if param.grad is not None:
                param += lr * param.grad
                param.grad.zero_()


# %% sgd_step wrong: a gradient that is None stops the program
def sgd_step(params, lr):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad
            param.grad.zero_()


# %% sgd_step wrong: the loop ends at the first parameter without a gradient
def sgd_step(params, lr):
    with torch.no_grad():
        for param in params:
            if param.grad is None:
                break
            param -= lr * param.grad
            param.grad.zero_()


# %% sgd_step wrong: the parameter does not require a gradient afterwards
def sgd_step(params, lr):
    for param in params:
        if param.grad is not None:
            param.requires_grad_(False)
            param -= lr * param.grad
            param.grad.zero_()


# %% sgd_step wrong: divided by the length, as if it were a batch
def sgd_step(params, lr):
    with torch.no_grad():
        for param in params:
            if param.grad is not None:
                param -= lr * param.grad / len(param)
                param.grad.zero_()


# %% sgd_step wrong: torch.optim does the work
def sgd_step(params, lr):
    used = [param for param in params if param.grad is not None]
    if used:
        optimiser = torch.optim.SGD(used, lr=lr)
        optimiser.step()
        optimiser.zero_grad()


# %% sgd_step wrong: torch.optim under another name
from torch.optim import SGD as Step


def sgd_step(params, lr):
    used = [param for param in params if param.grad is not None]
    if used:
        optimiser = Step(used, lr=lr)
        optimiser.step()
        optimiser.zero_grad()


# %% train right: sums as tensors outside the graph, while loop
def train(net, loss, update, batches, num_epochs):
    history, epoch = [], 0
    while epoch < num_epochs:
        sizes, losses = [], []
        for batch in batches():
            features, labels = batch
            value = loss(net(features), labels)
            value.backward()
            losses.append(value.detach())
            sizes.append(features.shape[0])
            update()
        sizes = torch.tensor(sizes, dtype=torch.float64)
        history.append(float((torch.stack(losses).double() * sizes).sum() / sizes.sum()))
        epoch += 1
    return history


# %% train right: a helper for one epoch and numpy
def train(net, loss, update, batches, num_epochs):
    def step(X, y):
        value = loss(net(X), y)
        torch.autograd.backward(value)
        update()
        return len(X), value.item()

    def one_epoch():
        rows, values = zip(*[step(X, y) for X, y in batches()], strict=True)
        return np.average(values, weights=rows)

    return [one_epoch() for _ in range(num_epochs)]


# %% train right: the loss is measured first, and computed again for the gradient
def train(net, loss, update, batches, num_epochs):
    history = []
    for _ in range(num_epochs):
        total = rows = 0
        for X, y in batches():
            with torch.no_grad():
                total += loss(net(X), y).item() * y.shape[0]
            rows += y.shape[0]
            loss(net(X), y).backward()
            update()
        history.append(total / rows)
    return history


# %% train right: a running mean, weighted by rows
def train(net, loss, update, batches, num_epochs):
    history = [0.0] * num_epochs
    for epoch in range(num_epochs):
        seen = 0
        for X, y in iter(batches()):
            batch_loss = loss(net(X), y)
            batch_loss.backward(torch.ones_like(batch_loss))
            update()
            seen += y.size(0)
            history[epoch] += (float(batch_loss.detach()) - history[epoch]) * y.size(0) / seen
    return history


# %% train wrong: no backward
def train(net, loss, update, batches, num_epochs):
    history = []
    for _ in range(num_epochs):
        total, rows = 0.0, 0
        for X, y in batches():
            batch_loss = loss(net(X), y)
            update()
            total, rows = total + batch_loss.item() * len(y), rows + len(y)
        history.append(total / rows)
    return history


# %% train wrong: no update
def train(net, loss, update, batches, num_epochs):
    history = []
    for _ in range(num_epochs):
        total, rows = 0.0, 0
        for X, y in batches():
            batch_loss = loss(net(X), y)
            batch_loss.backward()
            total, rows = total + batch_loss.item() * len(y), rows + len(y)
        history.append(total / rows)
    return history


# %% train wrong: update before backward, also for the first batch
def train(net, loss, update, batches, num_epochs):
    history = []
    for _ in range(num_epochs):
        total, rows = 0.0, 0
        for X, y in batches():
            batch_loss = loss(net(X), y)
            update()
            batch_loss.backward()
            total, rows = total + batch_loss.item() * len(y), rows + len(y)
        history.append(total / rows)
    return history


# %% train wrong: a plain number has no backward
def train(net, loss, update, batches, num_epochs):
    history = []
    for _ in range(num_epochs):
        total, rows = 0.0, 0
        for X, y in batches():
            batch_loss = loss(net(X), y).item()
            batch_loss.backward()
            update()
            total, rows = total + batch_loss * len(y), rows + len(y)
        history.append(total / rows)
    return history


# %% train wrong: one update per epoch
def train(net, loss, update, batches, num_epochs):
    history = []
    for _ in range(num_epochs):
        total, rows = 0.0, 0
        for X, y in batches():
            batch_loss = loss(net(X), y)
            batch_loss.backward()
            total, rows = total + batch_loss.item() * len(y), rows + len(y)
        update()
        history.append(total / rows)
    return history


# %% train wrong: update before backward, always one gradient late
def train(net, loss, update, batches, num_epochs):
    history = []
    for _ in range(num_epochs):
        total, rows = 0.0, 0
        for X, y in batches():
            batch_loss = loss(net(X), y)
            if rows:
                update()
            batch_loss.backward()
            total, rows = total + batch_loss.item() * len(y), rows + len(y)
        update()
        history.append(total / rows)
    return history


# %% train wrong: the mean over batches, a short batch counts as much as a full one
def train(net, loss, update, batches, num_epochs):
    history = []
    for _ in range(num_epochs):
        values = []
        for X, y in batches():
            batch_loss = loss(net(X), y)
            batch_loss.backward()
            update()
            values.append(batch_loss.item())
        history.append(sum(values) / len(values))
    return history


# %% train wrong: the loss of the last batch
def train(net, loss, update, batches, num_epochs):
    history = []
    for _ in range(num_epochs):
        for X, y in batches():
            batch_loss = loss(net(X), y)
            batch_loss.backward()
            update()
        history.append(batch_loss.item())
    return history


# %% train wrong: one number per batch
def train(net, loss, update, batches, num_epochs):
    history = []
    for _ in range(num_epochs):
        for X, y in batches():
            batch_loss = loss(net(X), y)
            batch_loss.backward()
            update()
            history.append(batch_loss.item())
    return history


# %% train wrong: tensors in the history keep every graph
def train(net, loss, update, batches, num_epochs):
    history = []
    for _ in range(num_epochs):
        total, rows = 0.0, 0
        for X, y in batches():
            batch_loss = loss(net(X), y)
            batch_loss.backward()
            update()
            total, rows = total + batch_loss * len(y), rows + len(y)
        history.append(total / rows)
    return history


# %% train wrong: the sums are not set back to zero at the start of an epoch
def train(net, loss, update, batches, num_epochs):
    history, total, rows = [], 0.0, 0
    for _ in range(num_epochs):
        for X, y in batches():
            batch_loss = loss(net(X), y)
            batch_loss.backward()
            update()
            total, rows = total + batch_loss.item() * len(y), rows + len(y)
        history.append(total / rows)
    return history


# %% train wrong: the batches are made once, so each epoch has the same order
def train(net, loss, update, batches, num_epochs):
    history, kept = [], list(batches()) if num_epochs else []
    for _ in range(num_epochs):
        total, rows = 0.0, 0
        for X, y in kept:
            batch_loss = loss(net(X), y)
            batch_loss.backward()
            update()
            total, rows = total + batch_loss.item() * len(y), rows + len(y)
        history.append(total / rows)
    return history


# %% train wrong: one iterator for all epochs, empty from the second on
def train(net, loss, update, batches, num_epochs):
    history, once = [], iter(batches())
    for _ in range(num_epochs):
        total, rows = 0.0, 0
        for X, y in once:
            batch_loss = loss(net(X), y)
            batch_loss.backward()
            update()
            total, rows = total + batch_loss.item() * len(y), rows + len(y)
        history.append(total / rows)
    return history


# %% train wrong: the arguments of the loss are exchanged
def train(net, loss, update, batches, num_epochs):
    history = []
    for _ in range(num_epochs):
        total, rows = 0.0, 0
        for X, y in batches():
            batch_loss = loss(y, net(X))
            batch_loss.backward()
            update()
            total, rows = total + batch_loss.item() * len(y), rows + len(y)
        history.append(total / rows)
    return history


# %% train wrong: the loss is measured again after the update
def train(net, loss, update, batches, num_epochs):
    history = []
    for _ in range(num_epochs):
        total, rows = 0.0, 0
        for X, y in batches():
            loss(net(X), y).backward()
            update()
            with torch.no_grad():
                total, rows = total + loss(net(X), y).item() * len(y), rows + len(y)
        history.append(total / rows)
    return history


# %% train wrong: the history is printed and not returned
def train(net, loss, update, batches, num_epochs):
    for epoch in range(num_epochs):
        for X, y in batches():
            batch_loss = loss(net(X), y)
            batch_loss.backward()
            update()
        print(epoch, batch_loss.item())


# %% closed_form right: lstsq of torch, ones in front
def closed_form(X, y):
    A = torch.hstack([torch.ones_like(X[:, :1]), X])
    v = torch.linalg.lstsq(A, y).solution
    return v[1:], v[0]


# %% closed_form right: numpy in float64 and back
def closed_form(X, y):
    A = np.column_stack([X.double().numpy(), np.ones(len(X))])
    v, *_ = np.linalg.lstsq(A, y.double().numpy(), rcond=None)
    v = torch.from_numpy(v).to(X.dtype)
    return [v[:-1], v[-1].reshape(1)]


# %% closed_form right: singular values by hand
def closed_form(X, y):
    A = torch.cat((X, X.new_ones(X.shape[0], 1)), 1)
    U, S, Vh = torch.linalg.svd(A, full_matrices=False)
    cutoff = S.max() * max(A.shape) * torch.finfo(A.dtype).eps
    keep = cutoff < S
    v = Vh[keep].T @ ((U[:, keep].T @ y) / S[keep].reshape(-1, 1))
    return v[:-1, :], v[-1, :]


# %% closed_form right: QR where the columns are independent, else the pseudo-inverse
def closed_form(X, y):
    A = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    if torch.linalg.matrix_rank(A) == A.shape[1]:
        Q, R = torch.linalg.qr(A)
        v = torch.linalg.solve_triangular(R, Q.T @ y, upper=True)
    else:
        v = torch.linalg.pinv(A) @ y
    return v[:-1], v[-1]


# %% closed_form wrong: the inverse of the normal matrix
def closed_form(X, y):
    A = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    v = torch.linalg.inv(A.T @ A) @ A.T @ y
    return v[:-1], v[-1]


# %% closed_form wrong: the normal equation with solve
def closed_form(X, y):
    A = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    v = torch.linalg.solve(A.T @ A, A.T @ y)
    return v[:-1], v[-1]


# %% closed_form wrong: the pseudo-inverse of the normal matrix, whose condition is squared
def closed_form(X, y):
    A = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    v = torch.linalg.pinv(A.T @ A) @ A.T @ y
    return v[:-1], v[-1]


# %% closed_form wrong: a small number on the diagonal
def closed_form(X, y):
    A = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    v = torch.linalg.solve(A.T @ A + 1e-6 * torch.eye(A.shape[1], dtype=X.dtype), A.T @ y)
    return v[:-1], v[-1]


# %% closed_form wrong: no bias in the model
def closed_form(X, y):
    w = torch.linalg.lstsq(X, y).solution
    return w, torch.zeros(1, dtype=X.dtype)


# %% closed_form wrong: the means are subtracted, so the bias does not count in the length
def closed_form(X, y):
    mean, level = X.mean(dim=0, keepdim=True), y.mean()
    w = torch.linalg.pinv(X - mean) @ (y - level)
    return w, (level - mean @ w).reshape(1)


# %% closed_form wrong: float32 inside
def closed_form(X, y):
    A = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1).float()
    v = (torch.linalg.pinv(A) @ y.float()).to(X.dtype)
    return v[:-1], v[-1]


# %% closed_form wrong: the bias has no axis
def closed_form(X, y):
    A = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    v = torch.linalg.pinv(A) @ y
    return v[:-1], v[-1, 0]


# %% closed_form wrong: a slice keeps both axes of the bias
def closed_form(X, y):
    A = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    v = torch.linalg.pinv(A) @ y
    return v[:-1], v[-1:]


# %% closed_form wrong: the cutoff of the lesson's example
def closed_form(X, y):
    A = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    v = torch.linalg.lstsq(A, y, rcond=1e-3, driver="gelsy").solution
    return v[:-1], v[-1]


# %% closed_form wrong: the ones stand in front, but the bias is taken from the end
def closed_form(X, y):
    A = torch.cat([torch.ones(len(X), 1, dtype=X.dtype), X], dim=1)
    v = torch.linalg.pinv(A) @ y
    return v[:-1], v[-1]


# %% closed_form wrong: lstsq with the driver that assumes full rank
def closed_form(X, y):
    A = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    v = torch.linalg.lstsq(A, y, driver="gels").solution
    return v[:-1], v[-1]


# %% closed_form wrong: too coarse a cutoff throws away a real direction
def closed_form(X, y):
    A = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    v = torch.linalg.pinv(A, rtol=1e-5) @ y
    return v[:-1], v[-1]


# %% d2l_module right: parameters by hand
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.rate = lr
        self.w = nn.Parameter(torch.randn(num_inputs, 1) * 0.01)
        self.b = nn.Parameter(torch.zeros(1))

    def forward(self, X):
        return X @ self.w + self.b

    def loss(self, y_hat, y):
        return ((y_hat - y) ** 2 / 2).mean()

    def configure_optimizers(self):
        return torch.optim.SGD([self.w, self.b], lr=self.rate)


# %% d2l_module right: the optimiser that the book writes by hand
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.w = nn.Parameter(torch.normal(0, 0.01, (num_inputs, 1)))
        self.b = nn.Parameter(torch.zeros(1))

    def forward(self, X):
        return torch.matmul(X, self.w) + self.b

    def loss(self, y_hat, y):
        return ((y_hat - y) ** 2 / 2).mean()

    def configure_optimizers(self):
        return d2l.SGD([self.w, self.b], self.lr)


# %% d2l_module right: Sequential, and what d2l.Module inherits
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(num_inputs, 1))
        self.net[0].weight.data.normal_(0, 0.01)
        self.net[0].bias.data.fill_(0)
        self.board.display = False

    def loss(self, y_hat, y):
        return 0.5 * nn.MSELoss()(y_hat, y)


# %% d2l_module right: a lazy layer that is given its shape before the weights are set
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.LazyLinear(1)
        self.net(torch.zeros(1, num_inputs))
        self.net.weight.data.normal_(0, 0.01)
        self.net.bias.data.zero_()

    def loss(self, y_hat, y):
        return (y_hat - y).square().sum() / 2 / len(y)

    def configure_optimizers(self):
        groups = [{"params": [self.net.weight]}, {"params": [self.net.bias]}]
        return torch.optim.SGD(groups, lr=self.lr, momentum=0, weight_decay=0)


# %% d2l_module right: the loss refuses unequal shapes
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Linear(num_inputs, 1)
        nn.init.normal_(self.net.weight, 0, 0.01)
        nn.init.zeros_(self.net.bias)

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        if y_hat.shape != y.shape:
            raise ValueError("predictions and labels differ in shape")
        return ((y_hat - y) ** 2).mean() / 2

    def configure_optimizers(self):
        return torch.optim.SGD(self.net.parameters(), self.lr)


# %% d2l_module wrong: the loss has no factor one half
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Linear(num_inputs, 1)
        self.net.weight.data.normal_(0, 0.01)
        self.net.bias.data.zero_()

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        return nn.functional.mse_loss(y_hat, y)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


# %% d2l_module wrong: super().__init__() is missing
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        self.save_hyperparameters()
        self.net = nn.Linear(num_inputs, 1)
        self.net.weight.data.normal_(0, 0.01)
        self.net.bias.data.zero_()

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        return nn.functional.mse_loss(y_hat, y) / 2

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


# %% d2l_module wrong: the lazy layer draws its weights anew
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.LazyLinear(1)
        self.net.weight.data.normal_(0, 0.01)
        self.net.bias.data.fill_(0)

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        return nn.functional.mse_loss(y_hat, y) / 2

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


# %% d2l_module wrong: the layer's own start values
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Linear(num_inputs, 1)

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        return nn.functional.mse_loss(y_hat, y) / 2

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


# %% d2l_module wrong: a parameter is changed in place while autograd records
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Linear(num_inputs, 1)
        self.net.weight.normal_(0, 0.01)
        self.net.bias.zero_()

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        return nn.functional.mse_loss(y_hat, y) / 2

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


# %% d2l_module wrong: a plain tensor is put in the place of a parameter
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Linear(num_inputs, 1)
        self.net.weight = torch.normal(0, 0.01, (1, num_inputs), requires_grad=True)
        self.net.bias = torch.zeros(1, requires_grad=True)

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        return nn.functional.mse_loss(y_hat, y) / 2

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


# %% d2l_module wrong: no bias
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Linear(num_inputs, 1, bias=False)
        self.net.weight.data.normal_(0, 0.01)

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        return nn.functional.mse_loss(y_hat, y) / 2

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


# %% d2l_module wrong: the optimiser forgets the bias
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Linear(num_inputs, 1)
        self.net.weight.data.normal_(0, 0.01)
        self.net.bias.data.zero_()

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        return nn.functional.mse_loss(y_hat, y) / 2

    def configure_optimizers(self):
        return torch.optim.SGD([self.net.weight], lr=self.lr)


# %% d2l_module wrong: tensors that are not parameters
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.w = torch.normal(0, 0.01, (num_inputs, 1), requires_grad=True)
        self.b = torch.zeros(1, requires_grad=True)

    def forward(self, X):
        return X @ self.w + self.b

    def loss(self, y_hat, y):
        return ((y_hat - y) ** 2 / 2).mean()

    def configure_optimizers(self):
        return torch.optim.SGD([self.w, self.b], lr=self.lr)


# %% d2l_module wrong: plain tensors, so the optimiser finds no parameters
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.w = torch.normal(0, 0.01, (num_inputs, 1), requires_grad=True)
        self.b = torch.zeros(1, requires_grad=True)

    def forward(self, X):
        return X @ self.w + self.b

    def loss(self, y_hat, y):
        return ((y_hat - y) ** 2 / 2).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


# %% d2l_module wrong: the weights of a lazy layer are set before it has any
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.LazyLinear(1)
        nn.init.normal_(self.net.weight, 0, 0.01)
        nn.init.zeros_(self.net.bias)

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        return nn.functional.mse_loss(y_hat, y) / 2

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


# %% d2l_module wrong: the learning rate is a constant
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.net = nn.Linear(num_inputs, 1)
        self.net.weight.data.normal_(0, 0.01)
        self.net.bias.data.zero_()

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        return nn.functional.mse_loss(y_hat, y) / 2

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


# %% d2l_module wrong: momentum
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Linear(num_inputs, 1)
        self.net.weight.data.normal_(0, 0.01)
        self.net.bias.data.zero_()

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        return nn.functional.mse_loss(y_hat, y) / 2

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.5)


# %% d2l_module wrong: predictions of shape (n,), so the loss compares every pair of rows
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Linear(num_inputs, 1)
        self.net.weight.data.normal_(0, 0.01)
        self.net.bias.data.zero_()

    def forward(self, X):
        return self.net(X).reshape(-1)

    def loss(self, y_hat, y):
        return ((y_hat - y) ** 2 / 2).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


# %% d2l_module wrong: the optimiser is made but not returned
class LinearRegression(d2l.Module):
    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Linear(num_inputs, 1)
        self.net.weight.data.normal_(0, 0.01)
        self.net.bias.data.zero_()

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        return nn.functional.mse_loss(y_hat, y) / 2

    def configure_optimizers(self):
        self.optimiser = torch.optim.SGD(self.parameters(), lr=self.lr)


# %% ridge_by_decay right: the steps by hand
def ridge_by_decay(X, y, alpha, lr, num_steps):
    n, d = X.shape
    w, b = X.new_zeros(d, 1), X.new_zeros(1)
    for _ in range(num_steps):
        error = X @ w + b - y
        w, b = w - lr * (X.T @ error + alpha * w) / n, b - lr * error.mean(dim=0)
    return w, b


# %% ridge_by_decay right: the penalty in the loss and autograd.grad
def ridge_by_decay(X, y, alpha, lr, num_steps):
    n = X.shape[0]
    w = torch.zeros((X.shape[1], 1), dtype=X.dtype).requires_grad_(True)
    b = torch.zeros(1, dtype=X.dtype).requires_grad_(True)
    for _ in range(num_steps):
        objective = ((X @ w + b - y).square().sum() + alpha * w.square().sum()) / (2 * n)
        grad_w, grad_b = torch.autograd.grad(objective, [w, b])
        w = (w - lr * grad_w).detach().requires_grad_(True)
        b = (b - lr * grad_b).detach().requires_grad_(True)
    return w, b


# %% ridge_by_decay right: an nn.Linear, decay as a factor on the weights before the step
def ridge_by_decay(X, y, alpha, lr, num_steps):
    net = nn.Linear(X.shape[1], 1, dtype=X.dtype)
    nn.init.zeros_(net.weight)
    nn.init.zeros_(net.bias)
    for _ in range(num_steps):
        net.zero_grad()
        (nn.functional.mse_loss(net(X), y) / 2).backward()
        with torch.no_grad():
            net.weight *= 1 - lr * alpha / len(X)
            for param in net.parameters():
                param -= lr * param.grad
    return net.weight.detach().T, net.bias.detach()


# %% ridge_by_decay right: the parameters of an nn.Linear as they are, which still require gradients
def ridge_by_decay(X, y, alpha, lr, num_steps):
    net = nn.Linear(X.shape[1], 1, dtype=X.dtype)
    nn.init.zeros_(net.weight)
    nn.init.zeros_(net.bias)
    groups = [{"params": [net.weight], "weight_decay": alpha / X.shape[0]}, {"params": [net.bias], "weight_decay": 0}]
    optimiser = torch.optim.SGD(groups, lr=lr)
    for _ in range(num_steps):
        (nn.functional.mse_loss(net(X), y) / 2).backward()
        optimiser.step()
        optimiser.zero_grad()
    return net.weight.T, net.bias


# %% ridge_by_decay wrong: weight decay equal to alpha
def ridge_by_decay(X, y, alpha, lr, num_steps):
    w = torch.zeros(X.shape[1], 1, dtype=X.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    optimiser = torch.optim.SGD([{"params": [w], "weight_decay": alpha}, {"params": [b]}], lr=lr)
    for _ in range(num_steps):
        optimiser.zero_grad()
        (((X @ w + b - y) ** 2).mean() / 2).backward()
        optimiser.step()
    return w.detach(), b.detach()


# %% ridge_by_decay wrong: a factor 2 in the translation
def ridge_by_decay(X, y, alpha, lr, num_steps):
    w = torch.zeros(X.shape[1], 1, dtype=X.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    optimiser = torch.optim.SGD([{"params": [w], "weight_decay": 2 * alpha / len(X)}, {"params": [b]}], lr=lr)
    for _ in range(num_steps):
        optimiser.zero_grad()
        (((X @ w + b - y) ** 2).mean() / 2).backward()
        optimiser.step()
    return w.detach(), b.detach()


# %% ridge_by_decay wrong: the bias is decayed too
def ridge_by_decay(X, y, alpha, lr, num_steps):
    w = torch.zeros(X.shape[1], 1, dtype=X.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    optimiser = torch.optim.SGD([w, b], lr=lr, weight_decay=alpha / len(X))
    for _ in range(num_steps):
        optimiser.zero_grad()
        (((X @ w + b - y) ** 2).mean() / 2).backward()
        optimiser.step()
    return w.detach(), b.detach()


# %% ridge_by_decay wrong: the loss has no factor one half
def ridge_by_decay(X, y, alpha, lr, num_steps):
    w = torch.zeros(X.shape[1], 1, dtype=X.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    optimiser = torch.optim.SGD([{"params": [w], "weight_decay": alpha / len(X)}, {"params": [b]}], lr=lr)
    for _ in range(num_steps):
        optimiser.zero_grad()
        nn.functional.mse_loss(X @ w + b, y).backward()
        optimiser.step()
    return w.detach(), b.detach()


# %% ridge_by_decay wrong: both terms doubled, so only the size of the steps is wrong
def ridge_by_decay(X, y, alpha, lr, num_steps):
    w = torch.zeros(X.shape[1], 1, dtype=X.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    optimiser = torch.optim.SGD([{"params": [w], "weight_decay": 2 * alpha / len(X)}, {"params": [b]}], lr=lr)
    for _ in range(num_steps):
        optimiser.zero_grad()
        nn.functional.mse_loss(X @ w + b, y).backward()
        optimiser.step()
    return w.detach(), b.detach()


# %% ridge_by_decay wrong: gradients are never cleared
def ridge_by_decay(X, y, alpha, lr, num_steps):
    w = torch.zeros(X.shape[1], 1, dtype=X.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    optimiser = torch.optim.SGD([{"params": [w], "weight_decay": alpha / len(X)}, {"params": [b]}], lr=lr)
    for _ in range(num_steps):
        (((X @ w + b - y) ** 2).mean() / 2).backward()
        optimiser.step()
    return w.detach(), b.detach()


# %% ridge_by_decay wrong: the exact solution instead of gradient descent
def ridge_by_decay(X, y, alpha, lr, num_steps):
    mean, level = X.mean(dim=0), y.mean()
    C = X - mean
    w = torch.linalg.solve(C.T @ C + alpha * torch.eye(X.shape[1], dtype=X.dtype), C.T @ (y - level))
    return w, (level - mean @ w).reshape(1)


# %% ridge_by_decay wrong: random start
def ridge_by_decay(X, y, alpha, lr, num_steps):
    w = (0.01 * torch.randn(X.shape[1], 1, dtype=X.dtype)).requires_grad_(True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    optimiser = torch.optim.SGD([{"params": [w], "weight_decay": alpha / len(X)}, {"params": [b]}], lr=lr)
    for _ in range(num_steps):
        optimiser.zero_grad()
        (((X @ w + b - y) ** 2).mean() / 2).backward()
        optimiser.step()
    return w.detach(), b.detach()


# %% ridge_by_decay wrong: float32 parameters for float64 data
def ridge_by_decay(X, y, alpha, lr, num_steps):
    w = torch.zeros(X.shape[1], 1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.SGD([{"params": [w], "weight_decay": alpha / len(X)}, {"params": [b]}], lr=lr)
    for _ in range(num_steps):
        optimiser.zero_grad()
        (((X @ w + b - y) ** 2).mean() / 2).backward()
        optimiser.step()
    return w.detach(), b.detach()


# %% ridge_by_decay wrong: the number of columns in place of the number of rows
def ridge_by_decay(X, y, alpha, lr, num_steps):
    w = torch.zeros(X.shape[1], 1, dtype=X.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    optimiser = torch.optim.SGD([{"params": [w], "weight_decay": alpha / X.shape[1]}, {"params": [b]}], lr=lr)
    for _ in range(num_steps):
        optimiser.zero_grad()
        (((X @ w + b - y) ** 2).mean() / 2).backward()
        optimiser.step()
    return w.detach(), b.detach()


# %% k_fold_indices right: every k-th row of a shuffled order, sorted, with sets
def k_fold_indices(n, k, generator):
    if k < 2 or k > n:
        raise ValueError("k must lie between 2 and n")
    order = torch.randperm(n, generator=generator).tolist()
    folds = []
    for i in range(k):
        valid = set(order[i::k])
        train = [row for row in range(n) if row not in valid]
        folds.append((torch.tensor(train), torch.tensor(sorted(valid))))
    return folds


# %% k_fold_indices right: a shuffled order cut by tensor_split, pairs as lists
def k_fold_indices(n, k, generator):
    if not (2 <= k <= n):
        raise ValueError(f"k = {k}, n = {n}")
    parts = torch.tensor_split(torch.randperm(n, generator=generator), k)
    return [[torch.cat([*parts[:i], *parts[i + 1 :]]), parts[i]] for i in range(k)]


# %% k_fold_indices right: the larger folds come last
def k_fold_indices(n, k, generator):
    if k not in range(2, n + 1):
        raise ValueError("no such split")
    order = torch.randperm(n, generator=generator)
    cuts = [i * n // k for i in range(k + 1)]
    sizes = sorted(end - start for start, end in zip(cuts[:-1], cuts[1:], strict=True))
    parts = order.split(sizes)
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]


# %% k_fold_indices wrong: rows that are left over are in no fold
def k_fold_indices(n, k, generator):
    if not 2 <= k <= n:
        raise ValueError("bad k")
    order, size = torch.randperm(n, generator=generator), n // k
    folds = []
    for i in range(k):
        valid = order[i * size : (i + 1) * size]
        folds.append((torch.cat([order[: i * size], order[(i + 1) * size :]]), valid))
    return folds


# %% k_fold_indices wrong: cut with torch.chunk, too few folds for 5 rows and k = 4
def k_fold_indices(n, k, generator):
    if not 2 <= k <= n:
        raise ValueError("bad k")
    parts = torch.chunk(torch.randperm(n, generator=generator), k)
    return [(torch.cat(parts[:i] + parts[i + 1 :]), part) for i, part in enumerate(parts)]


# %% k_fold_indices wrong: the last fold takes all rows that are left
def k_fold_indices(n, k, generator):
    if not 2 <= k <= n:
        raise ValueError("bad k")
    order, size = torch.randperm(n, generator=generator), n // k
    folds = []
    for i in range(k):
        end = (i + 1) * size if i < k - 1 else n
        folds.append((torch.cat([order[: i * size], order[end:]]), order[i * size : end]))
    return folds


# %% k_fold_indices wrong: train holds all rows
def k_fold_indices(n, k, generator):
    if not 2 <= k <= n:
        raise ValueError("bad k")
    order = torch.randperm(n, generator=generator)
    return [(order, part) for part in torch.tensor_split(order, k)]


# %% k_fold_indices wrong: not shuffled
def k_fold_indices(n, k, generator):
    if not 2 <= k <= n:
        raise ValueError("bad k")
    parts = torch.tensor_split(torch.arange(n), k)
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]


# %% k_fold_indices wrong: shuffled anew for each fold, so folds overlap
def k_fold_indices(n, k, generator):
    if not 2 <= k <= n:
        raise ValueError("bad k")
    folds = []
    for i in range(k):
        parts = torch.tensor_split(torch.randperm(n, generator=generator), k)
        folds.append((torch.cat(parts[:i] + parts[i + 1 :]), parts[i]))
    return folds


# %% k_fold_indices wrong: only the rows inside each block are shuffled
def k_fold_indices(n, k, generator):
    if not 2 <= k <= n:
        raise ValueError("bad k")
    parts = [part[torch.randperm(len(part), generator=generator)] for part in torch.tensor_split(torch.arange(n), k)]
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]


# %% k_fold_indices wrong: the generator is ignored
def k_fold_indices(n, k, generator):
    if not 2 <= k <= n:
        raise ValueError("bad k")
    parts = torch.tensor_split(torch.randperm(n), k)
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]


# %% k_fold_indices wrong: seeded inside, so every call gives the same folds
def k_fold_indices(n, k, generator):
    if not 2 <= k <= n:
        raise ValueError("bad k")
    generator.manual_seed(0)
    parts = torch.tensor_split(torch.randperm(n, generator=generator), k)
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]


# %% k_fold_indices wrong: a generator of its own with a fixed seed, as in the lesson
def k_fold_indices(n, k, generator):
    if not 2 <= k <= n:
        raise ValueError("bad k")
    parts = torch.tensor_split(torch.randperm(n, generator=torch.Generator().manual_seed(0)), k)
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]


# %% k_fold_indices wrong: too many folds give empty ones
def k_fold_indices(n, k, generator):
    parts = torch.tensor_split(torch.randperm(n, generator=generator), k)
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]


# %% k_fold_indices wrong: a single fold is accepted
def k_fold_indices(n, k, generator):
    if k > n:
        raise ValueError("bad k")
    parts = torch.tensor_split(torch.randperm(n, generator=generator), k)
    return [(torch.cat([*parts[:i], torch.arange(0), *parts[i + 1 :]]), parts[i]) for i in range(k)]


# %% k_fold_indices wrong: boolean masks
def k_fold_indices(n, k, generator):
    if not 2 <= k <= n:
        raise ValueError("bad k")
    number = (torch.arange(n) % k)[torch.randperm(n, generator=generator)]
    return [(number != i, number == i) for i in range(k)]


# %% k_fold_indices wrong: train and valid exchanged
def k_fold_indices(n, k, generator):
    if not 2 <= k <= n:
        raise ValueError("bad k")
    parts = torch.tensor_split(torch.randperm(n, generator=generator), k)
    return [(parts[i], torch.cat(parts[:i] + parts[i + 1 :])) for i in range(k)]


# %% k_fold_indices wrong: all combinations of rows are tried in order, nothing is random
def k_fold_indices(n, k, generator):
    if not 2 <= k <= n:
        raise ValueError("bad k")
    rows = list(itertools.chain.from_iterable(range(i, n, k) for i in range(k)))
    parts = torch.tensor_split(torch.tensor(rows), k)
    return [(torch.cat(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]


# %% cv_log_rmse right: a scikit-learn pipeline
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def cv_log_rmse(features, price, folds, alpha):
    errors = []
    for train, valid in folds:
        model = make_pipeline(SimpleImputer(strategy="mean"), StandardScaler(), Ridge(alpha=alpha))
        model.fit(features.iloc[train.tolist()], np.log(price.iloc[train.tolist()]))
        predicted = model.predict(features.iloc[valid.tolist()])
        errors.append(float(root_mean_squared_error(np.log(price.iloc[valid.tolist()]), predicted)))
    return errors


# %% cv_log_rmse right: pandas for the table, torch for the fit
def cv_log_rmse(features, price, folds, alpha):
    errors = []
    for train, valid in folds:
        fit, held = features.iloc[train.numpy()].astype(float), features.iloc[valid.numpy()].astype(float)
        fill = fit.mean()
        fit, held = fit.fillna(fill), held.fillna(fill)
        mean, deviation = fit.mean(), fit.std(ddof=0).mask(lambda s: s < 1e-9, 1)
        X = torch.tensor(((fit - mean) / deviation).to_numpy(copy=True))
        X_held = torch.tensor(((held - mean) / deviation).to_numpy(copy=True))
        label = torch.tensor(price.to_numpy(dtype=float, copy=True)).log()
        bias = label[train].mean()
        # Ridge as least squares with extra rows sqrt(alpha) I.
        rows = torch.cat([X, math.sqrt(alpha) * torch.eye(X.shape[1], dtype=X.dtype)])
        target = torch.cat([label[train] - bias, torch.zeros(X.shape[1], dtype=X.dtype)])
        w = torch.linalg.lstsq(rows, target.reshape(-1, 1)).solution
        errors.append(((X_held @ w).ravel() + bias - label[valid]).square().mean().sqrt().item())
    return errors


# %% cv_log_rmse right: torch throughout
def cv_log_rmse(features, price, folds, alpha):
    table = torch.tensor(features.to_numpy(dtype=np.float64))
    label, errors = torch.tensor(np.log(price.to_numpy(dtype=np.float64))), []
    for train, valid in folds:
        filled = torch.where(table.isnan(), table[train].nanmean(dim=0), table)
        mean, deviation = filled[train].mean(dim=0), filled[train].std(dim=0, correction=0)
        deviation = torch.where(deviation < 1e-9, 1.0, deviation)
        X, X_held, b = (filled[train] - mean) / deviation, (filled[valid] - mean) / deviation, label[train].mean()
        w = torch.linalg.solve(X.T @ X + alpha * torch.eye(X.shape[1], dtype=X.dtype), X.T @ (label[train] - b))
        errors.append((X_held @ w + b - label[valid]).square().mean().sqrt().item())
    return errors


# %% cv_log_rmse wrong: missing values are filled once, with the mean of all rows
def cv_log_rmse(features, price, folds, alpha):
    table = features.fillna(features.mean()).to_numpy(dtype=np.float64)
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        mean, deviation = table[train].mean(axis=0), table[train].std(axis=0)
        deviation[deviation < 1e-9] = 1
        X, X_held = (table[train] - mean) / deviation, (table[valid] - mean) / deviation
        b = label[train].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean((X_held @ w + b - label[valid]) ** 2)))
    return errors


# %% cv_log_rmse wrong: everything is standardised once, before the folds
def cv_log_rmse(features, price, folds, alpha):
    table = features.to_numpy(dtype=np.float64)
    mean, deviation = np.nanmean(table, axis=0), np.nanstd(table, axis=0)
    deviation[deviation < 1e-9] = 1
    table = np.nan_to_num((table - mean) / deviation)
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        X, b = table[train], label[train].mean()
        C = X - X.mean(axis=0)
        w = np.linalg.solve(C.T @ C + alpha * np.eye(X.shape[1]), C.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean(((table[valid] - X.mean(axis=0)) @ w + b - label[valid]) ** 2)))
    return errors


# %% cv_log_rmse wrong: statistics from train and valid of the fold together
def cv_log_rmse(features, price, folds, alpha):
    table = features.to_numpy(dtype=np.float64)
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        both = np.concatenate([train, valid])
        fill = np.nanmean(table[both], axis=0)
        filled = np.where(np.isnan(table), fill, table)
        mean, deviation = filled[both].mean(axis=0), filled[both].std(axis=0)
        deviation[deviation < 1e-9] = 1
        X, X_held = (filled[train] - mean) / deviation, (filled[valid] - mean) / deviation
        shift, b = X.mean(axis=0), label[train].mean()
        C = X - shift
        w = np.linalg.solve(C.T @ C + alpha * np.eye(X.shape[1]), C.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean(((X_held - shift) @ w + b - label[valid]) ** 2)))
    return errors


# %% cv_log_rmse wrong: the held-out rows are standardised with their own numbers
def cv_log_rmse(features, price, folds, alpha):
    def prepare(table):
        table = np.where(np.isnan(table), np.nanmean(table, axis=0), table)
        deviation = table.std(axis=0)
        return (table - table.mean(axis=0)) / np.where(deviation < 1e-9, 1, deviation)

    table = features.to_numpy(dtype=np.float64)
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        X, X_held, b = prepare(table[train]), prepare(table[valid]), label[train].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean((X_held @ w + b - label[valid]) ** 2)))
    return errors


# %% cv_log_rmse wrong: only the missing values of held-out rows are filled with their own mean
def cv_log_rmse(features, price, folds, alpha):
    table = features.to_numpy(dtype=np.float64)
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        fit, held = features.iloc[train], features.iloc[valid]
        fit, held = fit.fillna(fit.mean()), held.fillna(held.mean()).fillna(fit.mean())
        table, held = fit.to_numpy(dtype=float), held.to_numpy(dtype=float)
        mean, deviation = table.mean(axis=0), table.std(axis=0)
        deviation = np.where(deviation < 1e-9, 1, deviation)
        X, X_held, b = (table - mean) / deviation, (held - mean) / deviation, label[train].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean((X_held @ w + b - label[valid]) ** 2)))
    return errors


# %% cv_log_rmse wrong: the standard deviation of pandas, ddof=1
def cv_log_rmse(features, price, folds, alpha):
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        fit = features.iloc[train]
        fill = fit.mean()
        fit, held = fit.fillna(fill), features.iloc[valid].fillna(fill)
        mean, deviation = fit.mean(), fit.std().mask(lambda s: s < 1e-9, 1)
        X = ((fit - mean) / deviation).to_numpy(dtype=float)
        X_held, b = ((held - mean) / deviation).to_numpy(dtype=float), label[train].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean((X_held @ w + b - label[valid]) ** 2)))
    return errors


# %% cv_log_rmse wrong: the median instead of the mean fills missing values
def cv_log_rmse(features, price, folds, alpha):
    table = features.to_numpy(dtype=np.float64)
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        filled = np.where(np.isnan(table), np.nanmedian(table[train], axis=0), table)
        mean, deviation = filled[train].mean(axis=0), filled[train].std(axis=0)
        deviation = np.where(deviation < 1e-9, 1, deviation)
        X, X_held, b = (filled[train] - mean) / deviation, (filled[valid] - mean) / deviation, label[train].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean((X_held @ w + b - label[valid]) ** 2)))
    return errors


# %% cv_log_rmse wrong: a constant column gives a division by zero
def cv_log_rmse(features, price, folds, alpha):
    table = features.to_numpy(dtype=np.float64)
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        filled = np.where(np.isnan(table), np.nanmean(table[train], axis=0), table)
        mean, deviation = filled[train].mean(axis=0), filled[train].std(axis=0)
        with np.errstate(all="ignore"):
            X, X_held, b = (filled[train] - mean) / deviation, (filled[valid] - mean) / deviation, label[train].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean((X_held @ w + b - label[valid]) ** 2)))
    return errors


# %% cv_log_rmse wrong: a constant column is recognised only if its deviation is exactly 0
def cv_log_rmse(features, price, folds, alpha):
    table = features.to_numpy(dtype=np.float64)
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        filled = np.where(np.isnan(table), np.nanmean(table[train], axis=0), table)
        mean, deviation = filled[train].mean(axis=0), filled[train].std(axis=0)
        deviation[deviation == 0] = 1
        X, X_held, b = (filled[train] - mean) / deviation, (filled[valid] - mean) / deviation, label[train].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean((X_held @ w + b - label[valid]) ** 2)))
    return errors


# %% cv_log_rmse wrong: a constant column is recognised only at exactly 0, with pandas
def cv_log_rmse(features, price, folds, alpha):
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        fit = features.iloc[train]
        fill = fit.mean()
        fit, held = fit.fillna(fill), features.iloc[valid].fillna(fill)
        mean, deviation = fit.mean(), fit.std(ddof=0).replace(0, 1)
        X = ((fit - mean) / deviation).to_numpy(dtype=float)
        X_held, b = ((held - mean) / deviation).to_numpy(dtype=float), label[train].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean((X_held @ w + b - label[valid]) ** 2)))
    return errors


# %% cv_log_rmse wrong: square brackets with row numbers
def cv_log_rmse(features, price, folds, alpha):
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    errors = []
    for train, valid in folds:
        model = make_pipeline(SimpleImputer(), StandardScaler(), Ridge(alpha=alpha))
        model.fit(features.iloc[train.numpy()], np.log(price[train]))
        difference = model.predict(features.iloc[valid.numpy()]) - np.log(price[valid])
        errors.append(float(np.sqrt(np.mean(difference**2))))
    return errors


# %% cv_log_rmse wrong: index labels are taken for positions
def cv_log_rmse(features, price, folds, alpha):
    errors = []
    for train, valid in ((a.tolist(), b.tolist()) for a, b in folds):
        fit, held = features.loc[train], features.loc[valid]
        fill = fit.mean()
        fit, held = fit.fillna(fill), held.fillna(fill)
        mean, deviation = fit.mean(), fit.std(ddof=0).mask(lambda s: s < 1e-9, 1)
        X, X_held = ((fit - mean) / deviation).to_numpy(), ((held - mean) / deviation).to_numpy()
        label, b = np.log(price.loc[train]).to_numpy(), np.log(price.loc[train]).mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label - b))
        errors.append(math.sqrt(np.mean((X_held @ w + b - np.log(price.loc[valid]).to_numpy()) ** 2)))
    return errors


# %% cv_log_rmse wrong: the error of the prices, not of their logarithms
def cv_log_rmse(features, price, folds, alpha):
    table = features.to_numpy(dtype=np.float64)
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        filled = np.where(np.isnan(table), np.nanmean(table[train], axis=0), table)
        mean, deviation = filled[train].mean(axis=0), filled[train].std(axis=0)
        deviation = np.where(deviation < 1e-9, 1, deviation)
        X, X_held, b = (filled[train] - mean) / deviation, (filled[valid] - mean) / deviation, label[train].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean((np.exp(X_held @ w + b) - np.exp(label[valid])) ** 2)))
    return errors


# %% cv_log_rmse wrong: the mean absolute error
def cv_log_rmse(features, price, folds, alpha):
    table = features.to_numpy(dtype=np.float64)
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        filled = np.where(np.isnan(table), np.nanmean(table[train], axis=0), table)
        mean, deviation = filled[train].mean(axis=0), filled[train].std(axis=0)
        deviation = np.where(deviation < 1e-9, 1, deviation)
        X, X_held, b = (filled[train] - mean) / deviation, (filled[valid] - mean) / deviation, label[train].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label[train] - b))
        errors.append(float(np.mean(np.abs(X_held @ w + b - label[valid]))))
    return errors


# %% cv_log_rmse wrong: a column of ones, so the bias is penalised
def cv_log_rmse(features, price, folds, alpha):
    table = features.to_numpy(dtype=np.float64)
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        filled = np.where(np.isnan(table), np.nanmean(table[train], axis=0), table)
        mean, deviation = filled[train].mean(axis=0), filled[train].std(axis=0)
        ready = (filled - mean) / np.where(deviation < 1e-9, 1, deviation)
        ready = np.column_stack([ready, np.ones(len(ready))])
        X = ready[train]
        v = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ label[train])
        errors.append(math.sqrt(np.mean((ready[valid] @ v - label[valid]) ** 2)))
    return errors


# %% cv_log_rmse wrong: the mean of the folds instead of one number per fold
def cv_log_rmse(features, price, folds, alpha):
    table = features.to_numpy(dtype=np.float64)
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        filled = np.where(np.isnan(table), np.nanmean(table[train], axis=0), table)
        mean, deviation = filled[train].mean(axis=0), filled[train].std(axis=0)
        deviation = np.where(deviation < 1e-9, 1, deviation)
        X, X_held, b = (filled[train] - mean) / deviation, (filled[valid] - mean) / deviation, label[train].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean((X_held @ w + b - label[valid]) ** 2)))
    return float(np.mean(errors))


# %% cv_log_rmse wrong: the caller's table is filled in place
def cv_log_rmse(features, price, folds, alpha):
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        fill = features.iloc[train].mean()
        for column in features.columns:
            features[column] = features[column].fillna(fill[column])
        fit, held = features.iloc[train], features.iloc[valid]
        mean, deviation = fit.mean(), fit.std(ddof=0).mask(lambda s: s < 1e-9, 1)
        X = ((fit - mean) / deviation).to_numpy(dtype=float)
        X_held, b = ((held - mean) / deviation).to_numpy(dtype=float), label[train].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean((X_held @ w + b - label[valid]) ** 2)))
    return errors


# %% cv_log_rmse wrong: rows with missing values are dropped
def cv_log_rmse(features, price, folds, alpha):
    table = features.to_numpy(dtype=np.float64)
    label, errors = np.log(price.to_numpy(dtype=np.float64)), []
    complete = ~np.isnan(table).any(axis=1)
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        train, valid = train[complete[train]], valid[complete[valid]]
        mean, deviation = table[train].mean(axis=0), table[train].std(axis=0)
        deviation = np.where(deviation < 1e-9, 1, deviation)
        X, X_held, b = (table[train] - mean) / deviation, (table[valid] - mean) / deviation, label[train].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label[train] - b))
        errors.append(math.sqrt(np.mean((X_held @ w + b - label[valid]) ** 2)))
    return errors


# %% cv_log_rmse wrong: the table is joined with the prices by label
def cv_log_rmse(features, price, folds, alpha):
    joined = pd.concat([features, np.log(price).rename("log_price")], axis=1)
    errors = []
    for train, valid in ((a.numpy(), b.numpy()) for a, b in folds):
        fit, held = joined.iloc[train], joined.iloc[valid]
        fill = fit.mean()
        fit, held = fit.fillna(fill), held.fillna(fill)
        mean, deviation = fit.mean(), fit.std(ddof=0).mask(lambda s: s < 1e-9, 1)
        X = ((fit - mean) / deviation).drop(columns="log_price").to_numpy(dtype=float)
        X_held = ((held - mean) / deviation).drop(columns="log_price").to_numpy(dtype=float)
        label, b = fit["log_price"].to_numpy(), fit["log_price"].mean()
        w = np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ (label - b))
        errors.append(math.sqrt(np.mean((X_held @ w + b - held["log_price"].to_numpy()) ** 2)))
    return errors


# %% synthetic_data equivalent: noise that is rounded to single precision has the same distribution
# - noise = sigma * torch.randn(n, 1, generator=generator, dtype=w.dtype)
# + noise = sigma * torch.randn(n, 1, generator=generator)
# %% synthetic_data equivalent: the normal distribution is symmetric
# - return X, X @ w + b + noise
# + return X, X @ w + b - noise
# %% linreg_loss equivalent: the words of the error are free
# - raise ValueError(f"predictions {tuple(y_hat.shape)} and labels {tuple(y.shape)} differ in shape")
# + raise ValueError(f"predictions {y_hat.shape} and labels {tuple(y.shape)} differ in shape")
# %% linreg_loss equivalent: the words of the error are free
# - raise ValueError(f"predictions {tuple(y_hat.shape)} and labels {tuple(y.shape)} differ in shape")
# + raise ValueError(f"predictions {tuple(y_hat.shape)} and labels {y.shape} differ in shape")
# %% d2l_module equivalent: the square of a difference is symmetric
# - return nn.functional.mse_loss(y_hat, y) / 2
# + return nn.functional.mse_loss(y, y_hat) / 2
# %% ridge_by_decay equivalent: the text allows results that require gradients
# - return w.detach(), b.detach()
# + return w, b.detach()
# %% ridge_by_decay equivalent: the text allows results that require gradients
# - return w.detach(), b.detach()
# + return w.detach(), b
# %% cv_log_rmse equivalent: NumPy takes a tensor of integers as an index
# - fit, held = table[train_rows.numpy()], table[valid_rows.numpy()]
# + fit, held = table[train_rows], table[valid_rows.numpy()]
# %% cv_log_rmse equivalent: NumPy takes a tensor of integers as an index
# - fit, held = table[train_rows.numpy()], table[valid_rows.numpy()]
# + fit, held = table[train_rows.numpy()], table[valid_rows]
# %% cv_log_rmse equivalent: NumPy takes a tensor of integers as an index
# - target = label[train_rows.numpy()]
# + target = label[train_rows]
# %% cv_log_rmse equivalent: NumPy takes a tensor of integers as an index
# - difference = held @ weights + bias - label[valid_rows.numpy()]
# + difference = held @ weights + bias - label[valid_rows]
# %% cv_log_rmse equivalent: a deviation of exactly 1e-9 does not occur
# - deviation = np.where(deviation < 1e-9, 1, deviation)
# + deviation = np.where(deviation <= 1e-9, 1, deviation)
# %% cv_log_rmse equivalent: any bound between rounding errors and the data serves
# - deviation = np.where(deviation < 1e-9, 1, deviation)
# + deviation = np.where(deviation < 2e-09, 1, deviation)
# %% cv_log_rmse equivalent: a constant column is zero after centring, whatever it is divided by
# - deviation = np.where(deviation < 1e-9, 1, deviation)
# + deviation = np.where(deviation < 1e-9, 2, deviation)
# %% cv_log_rmse equivalent: the columns are centred, so a constant added to the labels changes no weight
# - weights = np.linalg.solve(fit.T @ fit + alpha * np.eye(fit.shape[1]), fit.T @ (target - bias))
# + weights = np.linalg.solve(fit.T @ fit + alpha * np.eye(fit.shape[1]), fit.T @ (target + bias))
