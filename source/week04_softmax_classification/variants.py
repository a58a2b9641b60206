"""Other answers to the exercises of week 4: the right ones must earn all points, the wrong ones must not.

Each cell replaces the answer cell of one exercise. The header says which, and what is different or mistaken.
"""

# %%
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse import data
from dlcourse.data import fashion_mnist


def edge_features(images):
    """Stand for the given function, for the linter."""


# %% log_softmax right: one slice after the other in a loop
def log_softmax(logits, dim):
    slices = []
    for part in logits.movedim(dim, -1).reshape(-1, logits.shape[dim]):
        highest = max(part.tolist())
        slices.append(part - highest - math.log(1.0) - (part - highest).exp().sum().log())
    if not slices:
        return torch.empty_like(logits)
    return torch.stack(slices).reshape(logits.movedim(dim, -1).shape).movedim(-1, dim)


# %% log_softmax right: the maximum is detached, einsum-like names, log-sum-exp by hand
def log_softmax(logits, dim):
    top = logits.max(dim=dim, keepdim=True).values.detach()
    lse = torch.log(torch.sum(torch.exp(logits - top), dim=dim, keepdim=True))
    return (logits - top) - lse


# %% log_softmax right: torch.logaddexp folded over the classes
def log_softmax(logits, dim):
    parts = (logits - logits.amax(dim, keepdim=True)).unbind(dim)
    total = parts[0]
    for part in parts[1:]:
        total = torch.logaddexp(total, part)
    return torch.stack(parts, dim) - total.unsqueeze(dim)


# %% log_softmax wrong: the textbook formula overflows
def log_softmax(logits, dim):
    return logits - logits.exp().sum(dim, keepdim=True).log()


# %% log_softmax wrong: the logarithm of a stable softmax underflows
def log_softmax(logits, dim):
    e = (logits - logits.amax(dim, keepdim=True)).exp()
    return (e / e.sum(dim, keepdim=True)).log()


# %% log_softmax wrong: a small number is added before the logarithm
def log_softmax(logits, dim):
    e = (logits - logits.amax(dim, keepdim=True)).exp()
    return (e / e.sum(dim, keepdim=True) + 1e-9).log()


# %% log_softmax wrong: the maximum of the whole tensor is subtracted
def log_softmax(logits, dim):
    shifted = logits - logits.max()
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


# %% log_softmax wrong: keepdim is missing
def log_softmax(logits, dim):
    shifted = logits - logits.amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim).log()


# %% log_softmax wrong: always the last axis
def log_softmax(logits, dim):
    shifted = logits - logits.amax(-1, keepdim=True)
    return shifted - shifted.exp().sum(-1, keepdim=True).log()


# %% log_softmax wrong: the maximum is not added back, logarithm of base 2
def log_softmax(logits, dim):
    shifted = logits - logits.amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log2()


# %% log_softmax wrong: mean instead of sum
def log_softmax(logits, dim):
    shifted = logits - logits.amax(dim, keepdim=True)
    return shifted - shifted.exp().mean(dim, keepdim=True).log()


# %% log_softmax wrong: the caller's logits are changed
def log_softmax(logits, dim):
    logits -= logits.amax(dim, keepdim=True)
    return logits - logits.exp().sum(dim, keepdim=True).log()


# %% log_softmax wrong: float32 whatever the dtype
def log_softmax(logits, dim):
    shifted = (logits - logits.amax(dim, keepdim=True)).float()
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


# %% log_softmax wrong: no gradient flows
def log_softmax(logits, dim):
    shifted = (logits - logits.amax(dim, keepdim=True)).detach()
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


# %% log_softmax wrong: the sum is detached
def log_softmax(logits, dim):
    shifted = logits - logits.amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log().detach()


# %% log_softmax wrong: logits are clipped to avoid overflow
def log_softmax(logits, dim):
    shifted = (logits - logits.amax(dim, keepdim=True)).clamp(min=-100)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


# %% log_softmax wrong: the minimum is subtracted
def log_softmax(logits, dim):
    shifted = logits - logits.amin(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


# %% log_softmax wrong: the library function
def log_softmax(logits, dim):
    return torch.log_softmax(logits, dim)


# %% log_softmax wrong: probabilities without the logarithm
def log_softmax(logits, dim):
    e = (logits - logits.amax(dim, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True)


# %% cross_entropy right: a loop over the rows
def cross_entropy(logits, target, ignore_index=-100):
    losses = []
    for row, label in zip(logits, target.tolist(), strict=True):
        if label != ignore_index:
            losses.append(torch.logsumexp(row, dim=0) - row[label])
    if not losses:
        return logits[:0].sum()
    return sum(losses) / len(losses)


# %% cross_entropy right: one-hot targets and einsum
def cross_entropy(logits, target, ignore_index=-100):
    rows = (target != ignore_index).nonzero().ravel()
    if rows.numel() == 0:
        return (logits[rows] * 0).sum()
    chosen = F.one_hot(target[rows], logits.shape[1]).to(logits.dtype)
    return -torch.einsum("nq,nq->", F.log_softmax(logits[rows], dim=1), chosen) / len(rows)


# %% cross_entropy right: ignored rows are replaced by zeros first, then masked
def cross_entropy(logits, target, ignore_index=-100):
    keep = target != ignore_index
    safe = torch.where(keep[:, None], logits, torch.zeros_like(logits))
    label = torch.where(keep, target, torch.zeros_like(target))
    losses = torch.logsumexp(safe, dim=1) - safe[torch.arange(len(safe)), label]
    return (losses * keep).sum() / keep.sum().clamp(min=1)


# %% cross_entropy wrong: ignored rows are multiplied by 0, NaN stays
def cross_entropy(logits, target, ignore_index=-100):
    keep = target != ignore_index
    label = target.where(keep, torch.zeros_like(target))
    losses = -torch.log_softmax(logits, dim=1).gather(1, label.unsqueeze(1)).squeeze(1)
    return (losses * keep).sum() / max(int(keep.sum()), 1)


# %% cross_entropy wrong: the value is right, the gradient of an ignored row is NaN
def cross_entropy(logits, target, ignore_index=-100):
    keep = target != ignore_index
    label = target.where(keep, torch.zeros_like(target))
    losses = -torch.log_softmax(logits, dim=1).gather(1, label.unsqueeze(1)).squeeze(1)
    return torch.where(keep, losses, torch.zeros_like(losses)).sum() / max(int(keep.sum()), 1)


# %% cross_entropy wrong: divided by all rows
def cross_entropy(logits, target, ignore_index=-100):
    keep = target != ignore_index
    picked = torch.log_softmax(logits[keep], dim=1).gather(1, target[keep].unsqueeze(1))
    return -picked.sum() / max(len(target), 1)


# %% cross_entropy wrong: the sum
def cross_entropy(logits, target, ignore_index=-100):
    keep = target != ignore_index
    picked = torch.log_softmax(logits[keep], dim=1).gather(1, target[keep].unsqueeze(1))
    return -picked.sum()


# %% cross_entropy wrong: NaN if no row counts
def cross_entropy(logits, target, ignore_index=-100):
    keep = target != ignore_index
    return -torch.log_softmax(logits[keep], dim=1).gather(1, target[keep].unsqueeze(1)).mean()


# %% cross_entropy wrong: a constant 0 without gradient if no row counts
def cross_entropy(logits, target, ignore_index=-100):
    keep = target != ignore_index
    if not keep.any():
        return torch.tensor(0.0)
    return -torch.log_softmax(logits[keep], dim=1).gather(1, target[keep].unsqueeze(1)).mean()


# %% cross_entropy wrong: the sign is missing
def cross_entropy(logits, target, ignore_index=-100):
    keep = target != ignore_index
    picked = torch.log_softmax(logits[keep], dim=1).gather(1, target[keep].unsqueeze(1))
    return picked.sum() / max(len(picked), 1)


# %% cross_entropy wrong: ignore_index is fixed at -100
def cross_entropy(logits, target, ignore_index=-100):
    keep = target != -100
    picked = torch.log_softmax(logits[keep], dim=1).gather(1, target[keep].unsqueeze(1))
    return -picked.sum() / max(len(picked), 1)


# %% cross_entropy wrong: all negative targets are ignored, others never
def cross_entropy(logits, target, ignore_index=-100):
    keep = target >= 0
    picked = torch.log_softmax(logits[keep], dim=1).gather(1, target[keep].unsqueeze(1))
    return -picked.sum() / max(len(picked), 1)


# %% cross_entropy wrong: the logarithm of the softmax
def cross_entropy(logits, target, ignore_index=-100):
    keep = target != ignore_index
    picked = torch.softmax(logits[keep], dim=1).gather(1, target[keep].unsqueeze(1)).log()
    return -picked.sum() / max(len(picked), 1)


# %% cross_entropy wrong: softmax over the rows instead of the classes
def cross_entropy(logits, target, ignore_index=-100):
    keep = target != ignore_index
    picked = torch.log_softmax(logits[keep], dim=0).gather(1, target[keep].unsqueeze(1))
    return -picked.sum() / max(len(picked), 1)


# %% cross_entropy wrong: the default is another number
def cross_entropy(logits, target, ignore_index=-1):
    keep = target != ignore_index
    picked = torch.log_softmax(logits[keep], dim=1).gather(1, target[keep].unsqueeze(1))
    return -picked.sum() / max(len(picked), 1)


# %% cross_entropy wrong: the library function
def cross_entropy(logits, target, ignore_index=-100):
    if not (target != ignore_index).any():
        return logits[:0].sum()
    return F.cross_entropy(logits, target, ignore_index=ignore_index)


# %% cross_entropy wrong: the caller's logits are cleaned in place
def cross_entropy(logits, target, ignore_index=-100):
    keep = target != ignore_index
    logits.data[~keep] = 0
    picked = torch.log_softmax(logits[keep], dim=1).gather(1, target[keep].unsqueeze(1))
    return -picked.sum() / max(len(picked), 1)


# %% cross_entropy wrong: a float through .item()
def cross_entropy(logits, target, ignore_index=-100):
    keep = target != ignore_index
    picked = torch.log_softmax(logits[keep], dim=1).gather(1, target[keep].unsqueeze(1))
    return torch.tensor(-picked.sum().item() / max(len(picked), 1), dtype=logits.dtype)


# %% softmax_fit right: rows and classes in loops
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    n, d = X.shape
    W, b = torch.zeros(d, num_classes, dtype=X.dtype), torch.zeros(num_classes, dtype=X.dtype)
    for _ in range(num_steps):
        W_grad, b_grad = weight_decay * W, torch.zeros_like(b)
        for x, label in zip(X, y.tolist(), strict=True):
            p = torch.softmax(x @ W + b, dim=0)
            for j in range(num_classes):
                e = (p[j] - float(j == label)) / n
                W_grad[:, j] += e * x
                b_grad[j] += e
        W, b = W - lr * W_grad, b - lr * b_grad
    return [W, b]


# %% softmax_fit right: a column of ones, in place, shrink first
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    A = torch.cat([X, X.new_ones(len(X), 1)], dim=1)
    V = X.new_zeros(A.shape[1], num_classes)
    Y = torch.eye(num_classes, dtype=X.dtype)[y]
    for _ in range(num_steps):
        z = A @ V
        e = (z - z.max(dim=1, keepdim=True).values).exp()
        P = e / e.sum(dim=1, keepdim=True)
        V[:-1] *= 1 - lr * weight_decay
        V -= lr * torch.einsum("nd,nq->dq", A, P - Y) / len(X)
    return V[:-1], V[-1]


# %% softmax_fit right: NumPy
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    features, labels = X.numpy(), y.numpy()
    W = np.zeros((features.shape[1], num_classes), dtype=features.dtype)
    b = np.zeros(num_classes, dtype=features.dtype)
    for _ in range(num_steps):
        z = features @ W + b
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(len(labels)), labels] -= 1
        step = features.T @ p / len(labels) + weight_decay * W
        W, b = W - lr * step, b - lr * p.mean(axis=0)
    return torch.from_numpy(W.astype(features.dtype)), torch.from_numpy(b.astype(features.dtype))


# %% softmax_fit wrong: sum instead of mean
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    W, b = torch.zeros(X.shape[1], num_classes, dtype=X.dtype), torch.zeros(num_classes, dtype=X.dtype)
    for _ in range(num_steps):
        error = torch.softmax(X @ W + b, dim=1) - F.one_hot(y, num_classes)
        W, b = W - lr * (X.T @ error + weight_decay * W), b - lr * error.sum(dim=0)
    return W, b


# %% softmax_fit wrong: the bias is decayed too
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    W, b = torch.zeros(X.shape[1], num_classes, dtype=X.dtype), torch.zeros(num_classes, dtype=X.dtype)
    for _ in range(num_steps):
        error = (torch.softmax(X @ W + b, dim=1) - F.one_hot(y, num_classes)) / len(X)
        W, b = W - lr * (X.T @ error + weight_decay * W), b - lr * (error.sum(dim=0) + weight_decay * b)
    return W, b


# %% softmax_fit wrong: weight decay is forgotten
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    W, b = torch.zeros(X.shape[1], num_classes, dtype=X.dtype), torch.zeros(num_classes, dtype=X.dtype)
    for _ in range(num_steps):
        error = (torch.softmax(X @ W + b, dim=1) - F.one_hot(y, num_classes)) / len(X)
        W, b = W - lr * (X.T @ error), b - lr * error.sum(dim=0)
    return W, b


# %% softmax_fit wrong: the factor of the decay is 2
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    W, b = torch.zeros(X.shape[1], num_classes, dtype=X.dtype), torch.zeros(num_classes, dtype=X.dtype)
    for _ in range(num_steps):
        error = (torch.softmax(X @ W + b, dim=1) - F.one_hot(y, num_classes)) / len(X)
        W, b = W - lr * (X.T @ error + 2 * weight_decay * W), b - lr * error.sum(dim=0)
    return W, b


# %% softmax_fit wrong: uphill
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    W, b = torch.zeros(X.shape[1], num_classes, dtype=X.dtype), torch.zeros(num_classes, dtype=X.dtype)
    for _ in range(num_steps):
        error = (torch.softmax(X @ W + b, dim=1) - F.one_hot(y, num_classes)) / len(X)
        W, b = W + lr * (X.T @ error + weight_decay * W), b + lr * error.sum(dim=0)
    return W, b


# %% softmax_fit wrong: b is computed with the new W
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    W, b = torch.zeros(X.shape[1], num_classes, dtype=X.dtype), torch.zeros(num_classes, dtype=X.dtype)
    truth = F.one_hot(y, num_classes)
    for _ in range(num_steps):
        W = W - lr * (X.T @ (torch.softmax(X @ W + b, dim=1) - truth) / len(X) + weight_decay * W)
        b = b - lr * (torch.softmax(X @ W + b, dim=1) - truth).mean(dim=0)
    return W, b


# %% softmax_fit wrong: softmax over the rows
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    W, b = torch.zeros(X.shape[1], num_classes, dtype=X.dtype), torch.zeros(num_classes, dtype=X.dtype)
    for _ in range(num_steps):
        error = (torch.softmax(X @ W + b, dim=0) - F.one_hot(y, num_classes)) / len(X)
        W, b = W - lr * (X.T @ error + weight_decay * W), b - lr * error.sum(dim=0)
    return W, b


# %% softmax_fit wrong: the number of classes is guessed from y
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    num_classes = int(y.max()) + 1
    W, b = torch.zeros(X.shape[1], num_classes, dtype=X.dtype), torch.zeros(num_classes, dtype=X.dtype)
    for _ in range(num_steps):
        error = (torch.softmax(X @ W + b, dim=1) - F.one_hot(y, num_classes)) / len(X)
        W, b = W - lr * (X.T @ error + weight_decay * W), b - lr * error.sum(dim=0)
    return W, b


# %% softmax_fit wrong: the textbook softmax overflows
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    W, b = torch.zeros(X.shape[1], num_classes, dtype=X.dtype), torch.zeros(num_classes, dtype=X.dtype)
    for _ in range(num_steps):
        e = (X @ W + b).exp()
        error = (e / e.sum(dim=1, keepdim=True) - F.one_hot(y, num_classes)) / len(X)
        W, b = W - lr * (X.T @ error + weight_decay * W), b - lr * error.sum(dim=0)
    return W, b


# %% softmax_fit wrong: autograd
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    W = torch.zeros(X.shape[1], num_classes, dtype=X.dtype, requires_grad=True)
    b = torch.zeros(num_classes, dtype=X.dtype, requires_grad=True)
    for _ in range(num_steps):
        loss = F.cross_entropy(X @ W + b, y) + weight_decay / 2 * (W**2).sum()
        loss.backward()
        with torch.no_grad():
            W -= lr * W.grad
            b -= lr * b.grad
        W.grad = b.grad = None
    return W.detach(), b.detach()


# %% softmax_fit wrong: random start
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    W, b = 0.01 * torch.randn(X.shape[1], num_classes, dtype=X.dtype), torch.zeros(num_classes, dtype=X.dtype)
    for _ in range(num_steps):
        error = (torch.softmax(X @ W + b, dim=1) - F.one_hot(y, num_classes)) / len(X)
        W, b = W - lr * (X.T @ error + weight_decay * W), b - lr * error.sum(dim=0)
    return W, b


# %% softmax_fit wrong: the loss is a mean over rows and classes
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    W, b = torch.zeros(X.shape[1], num_classes, dtype=X.dtype), torch.zeros(num_classes, dtype=X.dtype)
    for _ in range(num_steps):
        error = (torch.softmax(X @ W + b, dim=1) - F.one_hot(y, num_classes)) / len(X) / num_classes
        W, b = W - lr * (X.T @ error + weight_decay * W), b - lr * error.sum(dim=0)
    return W, b


# %% softmax_fit wrong: one step too few
def softmax_fit(X, y, num_classes, lr, weight_decay, num_steps):
    W, b = torch.zeros(X.shape[1], num_classes, dtype=X.dtype), torch.zeros(num_classes, dtype=X.dtype)
    for _ in range(1, num_steps):
        error = (torch.softmax(X @ W + b, dim=1) - F.one_hot(y, num_classes)) / len(X)
        W, b = W - lr * (X.T @ error + weight_decay * W), b - lr * error.sum(dim=0)
    return W, b


# %% class_scores right: loops over rows and classes
def confusion_matrix(y_true, y_pred, num_classes):
    matrix = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for truth, guess in zip(y_true, y_pred, strict=True):
        matrix[truth, guess] += 1
    return matrix


def class_scores(matrix):
    q, cells = len(matrix), matrix.tolist()
    precision, recall, f1 = [0.0] * q, [0.0] * q, [0.0] * q
    for c in range(q):
        predicted, there = sum(row[c] for row in cells), sum(cells[c])
        if predicted > 0:
            precision[c] = cells[c][c] / predicted
        if there > 0:
            recall[c] = cells[c][c] / there
        if precision[c] + recall[c] > 0:
            f1[c] = 2 * precision[c] * recall[c] / (precision[c] + recall[c])
    total = sum(map(sum, cells))
    return {
        "f1": torch.tensor(f1, dtype=torch.float64),
        "recall": torch.tensor(recall, dtype=torch.float64),
        "precision": torch.tensor(precision, dtype=torch.float64),
        "accuracy": sum(cells[c][c] for c in range(q)) / total if total else 0.0,
    }


# %% class_scores right: one-hot product, nan_to_num
def confusion_matrix(y_true, y_pred, num_classes):
    return F.one_hot(y_true, num_classes).T @ F.one_hot(y_pred, num_classes)


def class_scores(matrix):
    m = matrix.double()
    hits = torch.diag(m)
    P, R = (hits / m.sum(0)).nan_to_num(0.0), (hits / m.sum(1)).nan_to_num(0.0)
    accuracy = float((m.trace() / m.sum()).nan_to_num(0.0))
    return {"accuracy": accuracy, "precision": P, "recall": R, "f1": (2 * P * R / (P + R)).nan_to_num(0.0)}


# %% class_scores right: NumPy's add.at
def confusion_matrix(y_true, y_pred, num_classes):
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(matrix, (y_true.numpy(), y_pred.numpy()), 1)
    return torch.from_numpy(matrix)


def class_scores(matrix):
    m = matrix.numpy().astype(np.float64)

    def divide(a, b):
        return np.divide(a, b, out=np.zeros_like(a), where=b > 0)

    P, R = divide(m.diagonal().copy(), m.sum(axis=0)), divide(m.diagonal().copy(), m.sum(axis=1))
    parts = {"precision": P, "recall": R, "f1": divide(2 * P * R, P + R)}
    total = m.sum()
    return {"accuracy": m.trace() / total if total else 0.0} | {k: torch.from_numpy(v) for k, v in parts.items()}


# %% class_scores wrong: rows and columns of the matrix are swapped
def confusion_matrix(y_true, y_pred, num_classes):
    return torch.bincount(y_pred * num_classes + y_true, minlength=num_classes**2).reshape(num_classes, -1)


def class_scores(matrix):
    m = matrix.double()
    hits, predicted, there = m.diagonal(), m.sum(0), m.sum(1)
    return {
        "accuracy": (hits.sum() / m.sum().clamp(min=1)).item(),
        "precision": hits / predicted.clamp(min=1),
        "recall": hits / there.clamp(min=1),
        "f1": 2 * hits / (predicted + there).clamp(min=1),
    }


# %% class_scores wrong: precision and recall are swapped
def confusion_matrix(y_true, y_pred, num_classes):
    return torch.bincount(y_true * num_classes + y_pred, minlength=num_classes**2).reshape(num_classes, -1)


def class_scores(matrix):
    m = matrix.double()
    hits, predicted, there = m.diagonal(), m.sum(1), m.sum(0)
    return {
        "accuracy": (hits.sum() / m.sum().clamp(min=1)).item(),
        "precision": hits / predicted.clamp(min=1),
        "recall": hits / there.clamp(min=1),
        "f1": 2 * hits / (predicted + there).clamp(min=1),
    }


# %% class_scores wrong: NaN where nothing was predicted
def confusion_matrix(y_true, y_pred, num_classes):
    return torch.bincount(y_true * num_classes + y_pred, minlength=num_classes**2).reshape(num_classes, -1)


def class_scores(matrix):
    m = matrix.double()
    P, R = m.diagonal() / m.sum(0), m.diagonal() / m.sum(1)
    return {"accuracy": (m.trace() / m.sum()).item(), "precision": P, "recall": R, "f1": 2 * P * R / (P + R)}


# %% class_scores wrong: zero division gives 1
def confusion_matrix(y_true, y_pred, num_classes):
    return torch.bincount(y_true * num_classes + y_pred, minlength=num_classes**2).reshape(num_classes, -1)


def class_scores(matrix):
    m = matrix.double()
    P, R = (m.diagonal() / m.sum(0)).nan_to_num(1.0), (m.diagonal() / m.sum(1)).nan_to_num(1.0)
    accuracy = (m.trace() / m.sum().clamp(min=1)).item()
    return {"accuracy": accuracy, "precision": P, "recall": R, "f1": (2 * P * R / (P + R)).nan_to_num(0.0)}


# %% class_scores wrong: F1 is the plain mean
def confusion_matrix(y_true, y_pred, num_classes):
    return torch.bincount(y_true * num_classes + y_pred, minlength=num_classes**2).reshape(num_classes, -1)


def class_scores(matrix):
    m = matrix.double()
    P, R = (m.diagonal() / m.sum(0)).nan_to_num(0.0), (m.diagonal() / m.sum(1)).nan_to_num(0.0)
    accuracy = (m.trace() / m.sum().clamp(min=1)).item()
    return {"accuracy": accuracy, "precision": P, "recall": R, "f1": (P + R) / 2}


# %% class_scores wrong: a small number in the denominators
def confusion_matrix(y_true, y_pred, num_classes):
    return torch.bincount(y_true * num_classes + y_pred, minlength=num_classes**2).reshape(num_classes, -1)


def class_scores(matrix):
    m = matrix.double()
    P, R = m.diagonal() / (m.sum(0) + 1e-6), m.diagonal() / (m.sum(1) + 1e-6)
    accuracy = (m.trace() / m.sum().clamp(min=1)).item()
    return {"accuracy": accuracy, "precision": P, "recall": R, "f1": 2 * P * R / (P + R + 1e-6)}


# %% class_scores wrong: float32 scores
def confusion_matrix(y_true, y_pred, num_classes):
    return torch.bincount(y_true * num_classes + y_pred, minlength=num_classes**2).reshape(num_classes, -1)


def class_scores(matrix):
    m = matrix.float()
    hits, predicted, there = m.diagonal(), m.sum(0), m.sum(1)
    return {
        "accuracy": (hits.sum() / m.sum().clamp(min=1)).item(),
        "precision": hits / predicted.clamp(min=1),
        "recall": hits / there.clamp(min=1),
        "f1": 2 * hits / (predicted + there).clamp(min=1),
    }


# %% class_scores wrong: a pair is counted only once
def confusion_matrix(y_true, y_pred, num_classes):
    matrix = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    matrix[y_true, y_pred] += 1
    return matrix


def class_scores(matrix):
    m = matrix.double()
    hits, predicted, there = m.diagonal(), m.sum(0), m.sum(1)
    return {
        "accuracy": (hits.sum() / m.sum().clamp(min=1)).item(),
        "precision": hits / predicted.clamp(min=1),
        "recall": hits / there.clamp(min=1),
        "f1": 2 * hits / (predicted + there).clamp(min=1),
    }


# %% class_scores wrong: the shape depends on the classes that occur
def confusion_matrix(y_true, y_pred, num_classes):
    q = max([0, *y_true.tolist(), *y_pred.tolist()]) + 1
    return torch.bincount(y_true * q + y_pred, minlength=q * q).reshape(q, q)


def class_scores(matrix):
    m = matrix.double()
    hits, predicted, there = m.diagonal(), m.sum(0), m.sum(1)
    return {
        "accuracy": (hits.sum() / m.sum().clamp(min=1)).item(),
        "precision": hits / predicted.clamp(min=1),
        "recall": hits / there.clamp(min=1),
        "f1": 2 * hits / (predicted + there).clamp(min=1),
    }


# %% class_scores wrong: means over the classes instead of one score per class
def confusion_matrix(y_true, y_pred, num_classes):
    return torch.bincount(y_true * num_classes + y_pred, minlength=num_classes**2).reshape(num_classes, -1)


def class_scores(matrix):
    m = matrix.double()
    P, R = (m.diagonal() / m.sum(0)).nan_to_num(0.0).mean(), (m.diagonal() / m.sum(1)).nan_to_num(0.0).mean()
    accuracy = (m.trace() / m.sum().clamp(min=1)).item()
    return {"accuracy": accuracy, "precision": P, "recall": R, "f1": 2 * P * R / (P + R)}


# %% class_scores wrong: accuracy is the mean recall
def confusion_matrix(y_true, y_pred, num_classes):
    return torch.bincount(y_true * num_classes + y_pred, minlength=num_classes**2).reshape(num_classes, -1)


def class_scores(matrix):
    m = matrix.double()
    P, R = (m.diagonal() / m.sum(0)).nan_to_num(0.0), (m.diagonal() / m.sum(1)).nan_to_num(0.0)
    return {"accuracy": R.mean().item(), "precision": P, "recall": R, "f1": (2 * P * R / (P + R)).nan_to_num(0.0)}


# %% class_scores wrong: scikit-learn counts
def confusion_matrix(y_true, y_pred, num_classes):
    from sklearn.metrics import confusion_matrix as count

    return torch.from_numpy(count(y_true, y_pred, labels=range(num_classes)))


def class_scores(matrix):
    m = matrix.double()
    hits, predicted, there = m.diagonal(), m.sum(0), m.sum(1)
    return {
        "accuracy": (hits.sum() / m.sum().clamp(min=1)).item(),
        "precision": hits / predicted.clamp(min=1),
        "recall": hits / there.clamp(min=1),
        "f1": 2 * hits / (predicted + there).clamp(min=1),
    }


# %% class_scores wrong: the accuracy stays a tensor
def confusion_matrix(y_true, y_pred, num_classes):
    return torch.bincount(y_true * num_classes + y_pred, minlength=num_classes**2).reshape(num_classes, -1)


def class_scores(matrix):
    m = matrix.double()
    hits, predicted, there = m.diagonal(), m.sum(0), m.sum(1)
    return {
        "accuracy": hits.sum() / m.sum().clamp(min=1),
        "precision": hits / predicted.clamp(min=1),
        "recall": hits / there.clamp(min=1),
        "f1": 2 * hits / (predicted + there).clamp(min=1),
    }


# %% stratified_split right: a permutation for each class
def stratified_split(y, k, generator):
    if k < 2:
        raise ValueError("k must be at least 2")
    train, valid = [], []
    for label in sorted(set(y.tolist())):
        rows = torch.nonzero(y == label)[:, 0]
        rows = rows[torch.randperm(len(rows), generator=generator)].tolist()
        cut = len(rows) // k
        valid += rows[:cut]
        train += rows[cut:]
    return [torch.tensor(train, dtype=torch.int64), torch.tensor(valid, dtype=torch.int64)]


# %% stratified_split right: random keys, ranks inside the class
def stratified_split(y, k, generator):
    if not k >= 2:
        raise ValueError
    keys = torch.rand(len(y), generator=generator, dtype=torch.float64)
    same = y[:, None] == y[None, :]
    rank = (same & (keys[None, :] < keys[:, None])).sum(dim=1)
    chosen = rank < same.sum(dim=1) // k
    rows = torch.arange(len(y))
    return rows[~chosen], rows[chosen]


# %% stratified_split wrong: not stratified
def stratified_split(y, k, generator):
    if k < 2:
        raise ValueError("k must be at least 2")
    order = torch.randperm(len(y), generator=generator)
    cut = len(y) // k
    return order[cut:], order[:cut]


# %% stratified_split wrong: the first rows of each class, not shuffled
def stratified_split(y, k, generator):
    if k < 2:
        raise ValueError("k must be at least 2")
    held = torch.zeros(len(y), dtype=torch.bool)
    for label in y.unique():
        rows = (y == label).nonzero().ravel()
        held[rows[: len(rows) // k]] = True
    return (~held).nonzero().ravel(), held.nonzero().ravel()


# %% stratified_split wrong: valid and train are swapped
def stratified_split(y, k, generator):
    if k < 2:
        raise ValueError("k must be at least 2")
    shuffled = torch.randperm(len(y), generator=generator)
    held = torch.zeros(len(y), dtype=torch.bool)
    for label in y.unique():
        rows = shuffled[y[shuffled] == label]
        held[rows[: len(rows) // k]] = True
    return held.nonzero().ravel(), (~held).nonzero().ravel()


# %% stratified_split wrong: rounded up
def stratified_split(y, k, generator):
    if k < 2:
        raise ValueError("k must be at least 2")
    shuffled = torch.randperm(len(y), generator=generator)
    held = torch.zeros(len(y), dtype=torch.bool)
    for label in y.unique():
        rows = shuffled[y[shuffled] == label]
        held[rows[: -(-len(rows) // k)]] = True
    return (~held).nonzero().ravel(), held.nonzero().ravel()


# %% stratified_split wrong: the global random state
def stratified_split(y, k, generator):
    if k < 2:
        raise ValueError("k must be at least 2")
    shuffled = torch.randperm(len(y))
    held = torch.zeros(len(y), dtype=torch.bool)
    for label in y.unique():
        rows = shuffled[y[shuffled] == label]
        held[rows[: len(rows) // k]] = True
    return (~held).nonzero().ravel(), held.nonzero().ravel()


# %% stratified_split wrong: seeded inside
def stratified_split(y, k, generator):
    if k < 2:
        raise ValueError("k must be at least 2")
    shuffled = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
    held = torch.zeros(len(y), dtype=torch.bool)
    for label in y.unique():
        rows = shuffled[y[shuffled] == label]
        held[rows[: len(rows) // k]] = True
    return (~held).nonzero().ravel(), held.nonzero().ravel()


# %% stratified_split wrong: k is not checked
def stratified_split(y, k, generator):
    shuffled = torch.randperm(len(y), generator=generator)
    held = torch.zeros(len(y), dtype=torch.bool)
    for label in y.unique():
        rows = shuffled[y[shuffled] == label]
        held[rows[: len(rows) // max(k, 1)]] = True
    return (~held).nonzero().ravel(), held.nonzero().ravel()


# %% stratified_split wrong: only classes 0 to 9
def stratified_split(y, k, generator):
    if k < 2:
        raise ValueError("k must be at least 2")
    shuffled = torch.randperm(len(y), generator=generator)
    held = torch.zeros(len(y), dtype=torch.bool)
    for label in range(10):
        rows = shuffled[y[shuffled] == label]
        held[rows[: len(rows) // k]] = True
    return (~held).nonzero().ravel(), held.nonzero().ravel()


# %% stratified_split wrong: train keeps all rows
def stratified_split(y, k, generator):
    if k < 2:
        raise ValueError("k must be at least 2")
    shuffled = torch.randperm(len(y), generator=generator)
    held = torch.zeros(len(y), dtype=torch.bool)
    for label in y.unique():
        rows = shuffled[y[shuffled] == label]
        held[rows[: len(rows) // k]] = True
    return torch.arange(len(y)), held.nonzero().ravel()


# %% stratified_split wrong: a random block of neighbours in each class
def stratified_split(y, k, generator):
    if k < 2:
        raise ValueError("k must be at least 2")
    held = torch.zeros(len(y), dtype=torch.bool)
    for label in y.unique():
        rows = (y == label).nonzero().ravel()
        start = int(torch.randint(0, len(rows), (), generator=generator))
        held[rows.roll(start)[: len(rows) // k]] = True
    return (~held).nonzero().ravel(), held.nonzero().ravel()


# %% stratified_split wrong: boolean masks instead of row numbers
def stratified_split(y, k, generator):
    if k < 2:
        raise ValueError("k must be at least 2")
    shuffled = torch.randperm(len(y), generator=generator)
    held = torch.zeros(len(y), dtype=torch.bool)
    for label in y.unique():
        rows = shuffled[y[shuffled] == label]
        held[rows[: len(rows) // k]] = True
    return ~held, held


# %% stratified_split wrong: at least one row of every class is held out
def stratified_split(y, k, generator):
    if k < 2:
        raise ValueError("k must be at least 2")
    shuffled = torch.randperm(len(y), generator=generator)
    held = torch.zeros(len(y), dtype=torch.bool)
    for label in y.unique():
        rows = shuffled[y[shuffled] == label]
        held[rows[: max(1, len(rows) // k)]] = True
    return (~held).nonzero().ravel(), held.nonzero().ravel()


# %% knn_predict right: one new row after the other, sorted by distance and position
def knn_predict(X_train, y_train, X_new, k):
    result = []
    for row in X_new:
        distance = ((X_train - row) ** 2).sum(dim=1).tolist()
        nearest = sorted(range(len(distance)), key=lambda i: (distance[i], i))[:k]
        votes = {}
        for i in nearest:
            label = int(y_train[i])
            votes[label] = votes.get(label, 0) + 1
        most = max(votes.values())
        result.append(min(label for label, count in votes.items() if count == most))
    return torch.tensor(result, dtype=torch.int64)


# %% knn_predict right: squares by the binomial formula, stable sort, bincount
def knn_predict(X_train, y_train, X_new, k):
    squares = (X_new**2).sum(1, keepdim=True) - 2 * X_new @ X_train.T + (X_train**2).sum(1)
    nearest = torch.sort(squares, dim=1, stable=True).indices[:, :k]
    labels = [torch.bincount(y_train[rows]).argmax() for rows in nearest]
    return torch.stack(labels) if labels else torch.zeros(0, dtype=torch.int64)


# %% knn_predict right: NumPy and mode
def knn_predict(X_train, y_train, X_new, k):
    A, B = X_train.numpy(), X_new.numpy()
    out = np.empty(len(B), dtype=np.int64)
    for i, row in enumerate(B):
        order = np.argsort(np.linalg.norm(A - row, axis=1), kind="stable")[:k]
        values, counts = np.unique(y_train.numpy()[order], return_counts=True)
        out[i] = values[counts.argmax()]
    return torch.from_numpy(out)


# %% knn_predict wrong: the farthest rows
def knn_predict(X_train, y_train, X_new, k):
    order = torch.cdist(X_new, X_train).argsort(dim=1, stable=True, descending=True)
    return F.one_hot(y_train)[order[:, :k]].sum(dim=1).argmax(dim=1)


# %% knn_predict wrong: always the single nearest row
def knn_predict(X_train, y_train, X_new, k):
    return y_train[torch.cdist(X_new, X_train).argsort(dim=1, stable=True)[:, 0]]


# %% knn_predict wrong: one neighbour too many
def knn_predict(X_train, y_train, X_new, k):
    order = torch.cdist(X_new, X_train).argsort(dim=1, stable=True)
    return F.one_hot(y_train)[order[:, : k + 1]].sum(dim=1).argmax(dim=1)


# %% knn_predict wrong: the nearest row is left out, as if it were the row itself
def knn_predict(X_train, y_train, X_new, k):
    order = torch.cdist(X_new, X_train).argsort(dim=1, stable=True)
    return F.one_hot(y_train)[order[:, 1 : k + 1]].sum(dim=1).argmax(dim=1)


# %% knn_predict wrong: city-block distance
def knn_predict(X_train, y_train, X_new, k):
    order = torch.cdist(X_new, X_train, p=1).argsort(dim=1, stable=True)
    return F.one_hot(y_train)[order[:, :k]].sum(dim=1).argmax(dim=1)


# %% knn_predict wrong: the largest difference of a coordinate
def knn_predict(X_train, y_train, X_new, k):
    order = torch.cdist(X_new, X_train, p=math.inf).argsort(dim=1, stable=True)
    return F.one_hot(y_train)[order[:, :k]].sum(dim=1).argmax(dim=1)


# %% knn_predict wrong: votes weighted by closeness
def knn_predict(X_train, y_train, X_new, k):
    distance, order = torch.cdist(X_new, X_train).sort(dim=1, stable=True)
    weight = 1 / (distance[:, :k, None] + 1e-3)
    return (F.one_hot(y_train)[order[:, :k]] * weight).sum(dim=1).argmax(dim=1)


# %% knn_predict wrong: the largest label wins a tie
def knn_predict(X_train, y_train, X_new, k):
    order = torch.cdist(X_new, X_train).argsort(dim=1, stable=True)
    votes = F.one_hot(y_train)[order[:, :k]].sum(dim=1)
    return votes.shape[1] - 1 - votes.flip(1).argmax(dim=1)


# %% knn_predict wrong: the last row counts as nearer in a tie
def knn_predict(X_train, y_train, X_new, k):
    distance = torch.cdist(X_new, X_train).flip(1)
    order = len(X_train) - 1 - distance.argsort(dim=1, stable=True)
    return F.one_hot(y_train)[order[:, :k]].sum(dim=1).argmax(dim=1)


# %% knn_predict wrong: among equally frequent labels the nearest wins
def knn_predict(X_train, y_train, X_new, k):
    labels = []
    for order in torch.cdist(X_new, X_train).argsort(dim=1, stable=True):
        votes = y_train[order[:k]].tolist()
        labels.append(max(votes, key=votes.count))
    return torch.tensor(labels, dtype=torch.int64)


# %% knn_predict wrong: the mean of the labels, rounded
def knn_predict(X_train, y_train, X_new, k):
    order = torch.cdist(X_new, X_train).argsort(dim=1, stable=True)
    return y_train[order[:, :k]].float().mean(dim=1).round().long()


# %% knn_predict wrong: all rows within a tie are counted
def knn_predict(X_train, y_train, X_new, k):
    distance = torch.cdist(X_new, X_train)
    limit = distance.sort(dim=1).values[:, k - 1 : k]
    return ((distance <= limit).long() @ F.one_hot(y_train)).argmax(dim=1)


# %% knn_predict wrong: row numbers instead of labels
def knn_predict(X_train, y_train, X_new, k):
    return torch.cdist(X_new, X_train).argsort(dim=1, stable=True)[:, :k].mode(dim=1).values


# %% knn_predict wrong: scikit-learn
def knn_predict(X_train, y_train, X_new, k):
    from sklearn.neighbors import KNeighborsClassifier

    if not len(X_new):
        return torch.zeros(0, dtype=torch.int64)
    model = KNeighborsClassifier(k).fit(X_train.numpy(), y_train.numpy())
    return torch.from_numpy(model.predict(X_new.numpy()))


# %% logistic right: LBFGS, and logsigmoid for the loss
def logistic_loss(logits, y):
    return -(y * F.logsigmoid(logits) + (1 - y) * F.logsigmoid(-logits)).mean()


def fit_logistic(X, y, C):
    w = torch.zeros(X.shape[1], dtype=torch.float64, requires_grad=True)
    b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([w, b], max_iter=500, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        z = X @ w + b
        loss = 0.5 * (w**2).sum() + C * (F.softplus(z) - y * z).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return w, b


# %% logistic right: logaddexp with signs, scipy
def logistic_loss(logits, y):
    signs = 2 * y - 1
    return torch.logaddexp(torch.zeros_like(logits), -signs * logits).sum() / len(y)


def fit_logistic(X, y, C):
    from scipy.optimize import minimize

    A, t = X.numpy(), y.numpy()

    def objective(v):
        z = A @ v[:-1] + v[-1]
        residual = C * (1 / (1 + np.exp(-z)) - t)
        value = 0.5 * v[:-1] @ v[:-1] + C * np.sum(np.logaddexp(0, z) - t * z)
        return value, np.append(A.T @ residual + v[:-1], residual.sum())

    v = minimize(objective, np.zeros(A.shape[1] + 1), jac=True, method="BFGS", options={"gtol": 1e-8}).x
    return [torch.from_numpy(v[:-1]), torch.tensor(v[-1])]


# %% logistic right: gradient descent with a safe step, and softplus of the signed logit
def logistic_loss(logits, y):
    return F.softplus(torch.where(y == 1, -logits, logits)).mean()


def fit_logistic(X, y, C):
    A = torch.cat([X, torch.ones(len(X), 1, dtype=torch.float64)], dim=1)
    mask = torch.ones(A.shape[1], dtype=torch.float64)
    mask[-1] = 0
    rate = 1 / (1 + C * torch.linalg.eigvalsh(A.T @ A)[-1] / 4)
    v = u = torch.zeros_like(mask)
    for step in range(1, 6000):
        gradient = C * A.T @ (torch.sigmoid(A @ u) - y) + mask * u
        new = u - rate * gradient
        v, u = new, new + step / (step + 3) * (new - v)
    return v[:-1], v[-1]


# %% logistic wrong: log of the sigmoid
def logistic_loss(logits, y):
    p = torch.sigmoid(logits)
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


def fit_logistic(X, y, C):
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    penalty = torch.ones(A.shape[1], dtype=torch.float64)
    penalty[-1] = 0
    v = torch.zeros_like(penalty)
    for _ in range(30):
        p = torch.sigmoid(A @ v)
        H = C * (A.T * (p * (1 - p))) @ A + penalty.diag()
        v = v - torch.linalg.solve(H, C * A.T @ (p - y) + penalty * v)
    return v[:-1], v[-1]


# %% logistic wrong: probabilities are clipped before the logarithm
def logistic_loss(logits, y):
    p = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


def fit_logistic(X, y, C):
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    penalty = torch.ones(A.shape[1], dtype=torch.float64)
    penalty[-1] = 0
    v = torch.zeros_like(penalty)
    for _ in range(30):
        p = torch.sigmoid(A @ v)
        H = C * (A.T * (p * (1 - p))) @ A + penalty.diag()
        v = v - torch.linalg.solve(H, C * A.T @ (p - y) + penalty * v)
    return v[:-1], v[-1]


# %% logistic wrong: the gradient at 0 has a corner
def logistic_loss(logits, y):
    return (logits.clamp(min=0) - y * logits + torch.log1p(torch.exp(-logits.abs()))).mean()


def fit_logistic(X, y, C):
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    penalty = torch.ones(A.shape[1], dtype=torch.float64)
    penalty[-1] = 0
    v = torch.zeros_like(penalty)
    for _ in range(30):
        p = torch.sigmoid(A @ v)
        H = C * (A.T * (p * (1 - p))) @ A + penalty.diag()
        v = v - torch.linalg.solve(H, C * A.T @ (p - y) + penalty * v)
    return v[:-1], v[-1]


# %% logistic wrong: the sum of the losses
def logistic_loss(logits, y):
    return (F.softplus(logits) - y * logits).sum()


def fit_logistic(X, y, C):
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    penalty = torch.ones(A.shape[1], dtype=torch.float64)
    penalty[-1] = 0
    v = torch.zeros_like(penalty)
    for _ in range(30):
        p = torch.sigmoid(A @ v)
        H = C * (A.T * (p * (1 - p))) @ A + penalty.diag()
        v = v - torch.linalg.solve(H, C * A.T @ (p - y) + penalty * v)
    return v[:-1], v[-1]


# %% logistic wrong: the labels are swapped in the loss
def logistic_loss(logits, y):
    return (F.softplus(-logits) + y * logits).mean()


def fit_logistic(X, y, C):
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    penalty = torch.ones(A.shape[1], dtype=torch.float64)
    penalty[-1] = 0
    v = torch.zeros_like(penalty)
    for _ in range(30):
        p = torch.sigmoid(A @ v)
        H = C * (A.T * (p * (1 - p))) @ A + penalty.diag()
        v = v - torch.linalg.solve(H, C * A.T @ (p - y) + penalty * v)
    return v[:-1], v[-1]


# %% logistic wrong: PyTorch's loss
def logistic_loss(logits, y):
    return F.binary_cross_entropy_with_logits(logits, y)


def fit_logistic(X, y, C):
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    penalty = torch.ones(A.shape[1], dtype=torch.float64)
    penalty[-1] = 0
    v = torch.zeros_like(penalty)
    for _ in range(30):
        p = torch.sigmoid(A @ v)
        H = C * (A.T * (p * (1 - p))) @ A + penalty.diag()
        v = v - torch.linalg.solve(H, C * A.T @ (p - y) + penalty * v)
    return v[:-1], v[-1]


# %% logistic wrong: the bias is penalised
def logistic_loss(logits, y):
    return (F.softplus(logits) - y * logits).mean()


def fit_logistic(X, y, C):
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    v = torch.zeros(A.shape[1], dtype=torch.float64)
    for _ in range(30):
        p = torch.sigmoid(A @ v)
        H = C * (A.T * (p * (1 - p))) @ A + torch.eye(len(v))
        v = v - torch.linalg.solve(H, C * A.T @ (p - y) + v)
    return v[:-1], v[-1]


# %% logistic wrong: C multiplies the penalty
def logistic_loss(logits, y):
    return (F.softplus(logits) - y * logits).mean()


def fit_logistic(X, y, C):
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    penalty = C * torch.ones(A.shape[1], dtype=torch.float64)
    penalty[-1] = 0
    v = torch.zeros_like(penalty)
    for _ in range(30):
        p = torch.sigmoid(A @ v)
        H = (A.T * (p * (1 - p))) @ A + penalty.diag()
        v = v - torch.linalg.solve(H, A.T @ (p - y) + penalty * v)
    return v[:-1], v[-1]


# %% logistic wrong: the mean of the losses in the objective
def logistic_loss(logits, y):
    return (F.softplus(logits) - y * logits).mean()


def fit_logistic(X, y, C):
    C = C / len(X)
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    penalty = torch.ones(A.shape[1], dtype=torch.float64)
    penalty[-1] = 0
    v = torch.zeros_like(penalty)
    for _ in range(30):
        p = torch.sigmoid(A @ v)
        H = C * (A.T * (p * (1 - p))) @ A + penalty.diag()
        v = v - torch.linalg.solve(H, C * A.T @ (p - y) + penalty * v)
    return v[:-1], v[-1]


# %% logistic wrong: the factor one half of the penalty is missing
def logistic_loss(logits, y):
    return (F.softplus(logits) - y * logits).mean()


def fit_logistic(X, y, C):
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    penalty = 2 * torch.ones(A.shape[1], dtype=torch.float64)
    penalty[-1] = 0
    v = torch.zeros_like(penalty)
    for _ in range(30):
        p = torch.sigmoid(A @ v)
        H = C * (A.T * (p * (1 - p))) @ A + penalty.diag()
        v = v - torch.linalg.solve(H, C * A.T @ (p - y) + penalty * v)
    return v[:-1], v[-1]


# %% logistic wrong: no bias
def logistic_loss(logits, y):
    return (F.softplus(logits) - y * logits).mean()


def fit_logistic(X, y, C):
    w = torch.zeros(X.shape[1], dtype=torch.float64)
    for _ in range(30):
        p = torch.sigmoid(X @ w)
        H = C * (X.T * (p * (1 - p))) @ X + torch.eye(len(w))
        w = w - torch.linalg.solve(H, C * X.T @ (p - y) + w)
    return w, torch.tensor(0.0, dtype=torch.float64)


# %% logistic wrong: too few steps of gradient descent
def logistic_loss(logits, y):
    return (F.softplus(logits) - y * logits).mean()


def fit_logistic(X, y, C):
    w, b = torch.zeros(X.shape[1], dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for _ in range(100):
        e = torch.sigmoid(X @ w + b) - y
        w, b = w - 0.1 * (X.T @ e / len(X) + w / C / len(X)), b - 0.1 * e.mean()
    return w, b


# %% logistic wrong: C is ignored
def logistic_loss(logits, y):
    return (F.softplus(logits) - y * logits).mean()


def fit_logistic(X, y, C):
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    penalty = torch.ones(A.shape[1], dtype=torch.float64)
    penalty[-1] = 0
    v = torch.zeros_like(penalty)
    for _ in range(30):
        p = torch.sigmoid(A @ v)
        H = (A.T * (p * (1 - p))) @ A + penalty.diag()
        v = v - torch.linalg.solve(H, A.T @ (p - y) + penalty * v)
    return v[:-1], v[-1]


# %% logistic wrong: scikit-learn
def logistic_loss(logits, y):
    return (F.softplus(logits) - y * logits).mean()


def fit_logistic(X, y, C):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=C, tol=1e-9, max_iter=1000).fit(X.numpy(), y.numpy())
    return torch.from_numpy(model.coef_[0]), torch.tensor(model.intercept_[0])


# %% logistic wrong: the bias keeps an axis
def logistic_loss(logits, y):
    return (F.softplus(logits) - y * logits).mean()


def fit_logistic(X, y, C):
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    penalty = torch.ones(A.shape[1], dtype=torch.float64)
    penalty[-1] = 0
    v = torch.zeros_like(penalty)
    for _ in range(30):
        p = torch.sigmoid(A @ v)
        H = C * (A.T * (p * (1 - p))) @ A + penalty.diag()
        v = v - torch.linalg.solve(H, C * A.T @ (p - y) + penalty * v)
    return v[:-1], v[-1:]


# %% label_shift right: loops and NumPy
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    C, mu = np.zeros((num_classes, num_classes)), np.zeros(num_classes)
    for truth, guess in zip(y_valid.tolist(), pred_valid.tolist(), strict=True):
        C[guess, truth] += 1 / len(y_valid)
    for guess in pred_target.tolist():
        mu[guess] += 1 / len(pred_target)
    return torch.tensor(np.maximum(np.linalg.inv(C) @ mu, 0))


def reweight(probs, weights):
    out = torch.empty_like(probs)
    for i, row in enumerate(probs):
        scaled = row.double() * weights
        out[i] = scaled / scaled.sum()
    return out


# %% label_shift right: one-hot products and normalize
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    guess = F.one_hot(pred_valid, num_classes).double()
    truth = F.one_hot(y_valid, num_classes).double()
    C = torch.einsum("ni,nj->ij", guess, truth) / len(guess)
    mu = F.one_hot(pred_target, num_classes).double().mean(dim=0)
    return torch.relu(torch.linalg.lstsq(C, mu[:, None]).solution[:, 0])


def reweight(probs, weights):
    return F.normalize(probs * weights, p=1, dim=1).to(probs.dtype)


# %% label_shift wrong: the matrix is transposed
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    cells = torch.bincount(y_valid * num_classes + pred_valid, minlength=num_classes**2)
    C = cells.reshape(num_classes, num_classes).double() / len(y_valid)
    mu = torch.bincount(pred_target, minlength=num_classes).double() / len(pred_target)
    return torch.linalg.solve(C, mu).clamp(min=0)


def reweight(probs, weights):
    product = probs * weights.to(probs.dtype)
    return product / product.sum(dim=1, keepdim=True)


# %% label_shift wrong: the columns are conditional, so the result is the new shares
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    cells = torch.bincount(pred_valid * num_classes + y_valid, minlength=num_classes**2)
    C = cells.reshape(num_classes, num_classes).double()
    C = C / C.sum(dim=0)
    mu = torch.bincount(pred_target, minlength=num_classes).double() / len(pred_target)
    return torch.linalg.solve(C, mu).clamp(min=0)


def reweight(probs, weights):
    product = probs * weights.to(probs.dtype)
    return product / product.sum(dim=1, keepdim=True)


# %% label_shift wrong: counts instead of shares of the new rows
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    cells = torch.bincount(pred_valid * num_classes + y_valid, minlength=num_classes**2)
    C = cells.reshape(num_classes, num_classes).double()
    mu = torch.bincount(pred_target, minlength=num_classes).double()
    return torch.linalg.solve(C, mu).clamp(min=0)


def reweight(probs, weights):
    product = probs * weights.to(probs.dtype)
    return product / product.sum(dim=1, keepdim=True)


# %% label_shift wrong: the shares of the predictions are compared directly
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    before = torch.bincount(y_valid, minlength=num_classes).double() / len(y_valid)
    after = torch.bincount(pred_target, minlength=num_classes).double() / len(pred_target)
    return after / before


def reweight(probs, weights):
    product = probs * weights.to(probs.dtype)
    return product / product.sum(dim=1, keepdim=True)


# %% label_shift wrong: negative weights stay
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    cells = torch.bincount(pred_valid * num_classes + y_valid, minlength=num_classes**2)
    C = cells.reshape(num_classes, num_classes).double() / len(y_valid)
    mu = torch.bincount(pred_target, minlength=num_classes).double() / len(pred_target)
    return torch.linalg.solve(C, mu)


def reweight(probs, weights):
    product = probs * weights.to(probs.dtype)
    return product / product.sum(dim=1, keepdim=True)


# %% label_shift wrong: float32 weights
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    cells = torch.bincount(pred_valid * num_classes + y_valid, minlength=num_classes**2)
    C = cells.reshape(num_classes, num_classes).float() / len(y_valid)
    mu = torch.bincount(pred_target, minlength=num_classes).float() / len(pred_target)
    return torch.linalg.solve(C, mu).clamp(min=0)


def reweight(probs, weights):
    product = probs * weights.to(probs.dtype)
    return product / product.sum(dim=1, keepdim=True)


# %% label_shift wrong: the weights are normalised to sum 1
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    cells = torch.bincount(pred_valid * num_classes + y_valid, minlength=num_classes**2)
    C = cells.reshape(num_classes, num_classes).double() / len(y_valid)
    mu = torch.bincount(pred_target, minlength=num_classes).double() / len(pred_target)
    w = torch.linalg.solve(C, mu).clamp(min=0)
    return w / w.sum()


def reweight(probs, weights):
    product = probs * weights.to(probs.dtype)
    return product / product.sum(dim=1, keepdim=True)


# %% label_shift wrong: rows are not divided by their sum
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    cells = torch.bincount(pred_valid * num_classes + y_valid, minlength=num_classes**2)
    C = cells.reshape(num_classes, num_classes).double() / len(y_valid)
    mu = torch.bincount(pred_target, minlength=num_classes).double() / len(pred_target)
    return torch.linalg.solve(C, mu).clamp(min=0)


def reweight(probs, weights):
    return probs * weights.to(probs.dtype)


# %% label_shift wrong: divided by the weights
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    cells = torch.bincount(pred_valid * num_classes + y_valid, minlength=num_classes**2)
    C = cells.reshape(num_classes, num_classes).double() / len(y_valid)
    mu = torch.bincount(pred_target, minlength=num_classes).double() / len(pred_target)
    return torch.linalg.solve(C, mu).clamp(min=0)


def reweight(probs, weights):
    product = probs / weights.clamp(min=1e-9).to(probs.dtype)
    return product / product.sum(dim=1, keepdim=True)


# %% label_shift wrong: softmax instead of division by the sum
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    cells = torch.bincount(pred_valid * num_classes + y_valid, minlength=num_classes**2)
    C = cells.reshape(num_classes, num_classes).double() / len(y_valid)
    mu = torch.bincount(pred_target, minlength=num_classes).double() / len(pred_target)
    return torch.linalg.solve(C, mu).clamp(min=0)


def reweight(probs, weights):
    return torch.softmax(probs * weights.to(probs.dtype), dim=1)


# %% label_shift wrong: divided by the sum of the columns
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    cells = torch.bincount(pred_valid * num_classes + y_valid, minlength=num_classes**2)
    C = cells.reshape(num_classes, num_classes).double() / len(y_valid)
    mu = torch.bincount(pred_target, minlength=num_classes).double() / len(pred_target)
    return torch.linalg.solve(C, mu).clamp(min=0)


def reweight(probs, weights):
    product = probs * weights.to(probs.dtype)
    return product / product.sum(dim=0, keepdim=True)


# %% label_shift wrong: the result becomes float64
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    cells = torch.bincount(pred_valid * num_classes + y_valid, minlength=num_classes**2)
    C = cells.reshape(num_classes, num_classes).double() / len(y_valid)
    mu = torch.bincount(pred_target, minlength=num_classes).double() / len(pred_target)
    return torch.linalg.solve(C, mu).clamp(min=0)


def reweight(probs, weights):
    product = probs * weights
    return product / product.sum(dim=1, keepdim=True)


# %% label_shift wrong: probs is changed in place
def label_shift_weights(y_valid, pred_valid, pred_target, num_classes):
    cells = torch.bincount(pred_valid * num_classes + y_valid, minlength=num_classes**2)
    C = cells.reshape(num_classes, num_classes).double() / len(y_valid)
    mu = torch.bincount(pred_target, minlength=num_classes).double() / len(pred_target)
    return torch.linalg.solve(C, mu).clamp(min=0)


def reweight(probs, weights):
    probs *= weights.to(probs.dtype)
    probs /= probs.sum(dim=1, keepdim=True)
    return probs


# %% calibration right: LBFGS on the logarithm of T, bins in a loop
def calibrate(valid_logits, valid_labels, new_logits):
    log_T = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_T], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        loss = F.cross_entropy(valid_logits.double() * torch.exp(-log_T), valid_labels)
        loss.backward()
        return loss

    optimiser.step(closure)
    T = log_T.exp().item()
    return T, F.softmax(new_logits / T, dim=1)


def ece(probs, labels, num_bins):
    confidence = probs.amax(dim=1)
    right = probs.argmax(dim=1) == labels
    total = 0.0
    for m in range(1, num_bins + 1):
        inside = (confidence > (m - 1) / num_bins) & (confidence <= m / num_bins)
        if inside.any():
            gap = right[inside].double().mean() - confidence[inside].double().mean()
            total += inside.double().mean().item() * abs(gap.item())
    return total


# %% calibration right: a fine grid of temperatures, bins by bucketize
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(0.02, 50, 2500)
    losses = [F.cross_entropy(valid_logits.double() / t, valid_labels).item() for t in grid]
    T = float(grid[int(np.argmin(losses))])
    return [T, (new_logits.double() / T).softmax(dim=1).to(new_logits.dtype)]


def ece(probs, labels, num_bins):
    edges = torch.arange(1, num_bins, dtype=torch.float64) / num_bins
    confidence = probs.double().max(dim=1).values
    place = torch.bucketize(confidence, edges)
    hit = (probs.argmax(dim=1) == labels).double()
    total = sum(abs((hit - confidence)[place == m].sum().item()) for m in range(num_bins))
    return total / len(labels)


# %% calibration right: scipy and NumPy
def calibrate(valid_logits, valid_labels, new_logits):
    from scipy.optimize import minimize_scalar

    def loss(t):
        return F.cross_entropy(valid_logits.double() / np.exp(t), valid_labels).item()

    T = float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded", options={"xatol": 1e-6}).x))
    return T, torch.softmax(new_logits / T, dim=-1)


def ece(probs, labels, num_bins):
    p = probs.numpy().astype(np.float64)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels.numpy()
    bins = np.ceil(confidence * num_bins).astype(int)
    return float(sum(abs(np.sum(right[bins == m] - confidence[bins == m])) for m in set(bins)) / len(p))


# %% calibration wrong: the logits are multiplied by T
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(0.02, 50, 1000)
    losses = [F.cross_entropy(valid_logits.double() * t, valid_labels).item() for t in grid]
    T = float(grid[int(np.argmin(losses))])
    return T, torch.softmax(new_logits * T, dim=1)


def ece(probs, labels, num_bins):
    confidence, prediction = probs.double().max(dim=1)
    surplus = (prediction == labels).double() - confidence
    bins = (confidence * num_bins).ceil().long() - 1
    return (torch.zeros(num_bins).double().index_add(0, bins, surplus).abs().sum() / len(labels)).item()


# %% calibration wrong: T is the one with the best accuracy
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(0.02, 50, 1000)
    wrong = [((valid_logits / t).argmax(dim=1) != valid_labels).sum().item() for t in grid]
    T = float(grid[int(np.argmin(wrong))])
    return T, torch.softmax(new_logits / T, dim=1)


def ece(probs, labels, num_bins):
    confidence, prediction = probs.double().max(dim=1)
    surplus = (prediction == labels).double() - confidence
    bins = (confidence * num_bins).ceil().long() - 1
    return (torch.zeros(num_bins).double().index_add(0, bins, surplus).abs().sum() / len(labels)).item()


# %% calibration wrong: T is the one with the smallest ECE
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(0.05, 20, 300)
    errors = [ece(torch.softmax(valid_logits.double() / t, dim=1), valid_labels, 10) for t in grid]
    T = float(grid[int(np.argmin(errors))])
    return T, torch.softmax(new_logits / T, dim=1)


def ece(probs, labels, num_bins):
    confidence, prediction = probs.double().max(dim=1)
    surplus = (prediction == labels).double() - confidence
    bins = (confidence * num_bins).ceil().long() - 1
    return (torch.zeros(num_bins).double().index_add(0, bins, surplus).abs().sum() / len(labels)).item()


# %% calibration wrong: only temperatures above 1
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(1, 50, 1000)
    losses = [F.cross_entropy(valid_logits.double() / t, valid_labels).item() for t in grid]
    T = float(grid[int(np.argmin(losses))])
    return T, torch.softmax(new_logits / T, dim=1)


def ece(probs, labels, num_bins):
    confidence, prediction = probs.double().max(dim=1)
    surplus = (prediction == labels).double() - confidence
    bins = (confidence * num_bins).ceil().long() - 1
    return (torch.zeros(num_bins).double().index_add(0, bins, surplus).abs().sum() / len(labels)).item()


# %% calibration wrong: a few steps of gradient descent
def calibrate(valid_logits, valid_labels, new_logits):
    T = torch.ones((), dtype=torch.float64, requires_grad=True)
    for _ in range(20):
        F.cross_entropy(valid_logits.double() / T, valid_labels).backward()
        with torch.no_grad():
            T -= 0.1 * T.grad
            T.clamp_(min=0.05)
        T.grad = None
    return T.item(), torch.softmax(new_logits / T.item(), dim=1)


def ece(probs, labels, num_bins):
    confidence, prediction = probs.double().max(dim=1)
    surplus = (prediction == labels).double() - confidence
    bins = (confidence * num_bins).ceil().long() - 1
    return (torch.zeros(num_bins).double().index_add(0, bins, surplus).abs().sum() / len(labels)).item()


# %% calibration wrong: the probabilities of the new rows are not corrected
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(0.02, 50, 1000)
    losses = [F.cross_entropy(valid_logits.double() / t, valid_labels).item() for t in grid]
    return float(grid[int(np.argmin(losses))]), torch.softmax(new_logits, dim=1)


def ece(probs, labels, num_bins):
    confidence, prediction = probs.double().max(dim=1)
    surplus = (prediction == labels).double() - confidence
    bins = (confidence * num_bins).ceil().long() - 1
    return (torch.zeros(num_bins).double().index_add(0, bins, surplus).abs().sum() / len(labels)).item()


# %% calibration wrong: the corrected logits are returned
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(0.02, 50, 1000)
    losses = [F.cross_entropy(valid_logits.double() / t, valid_labels).item() for t in grid]
    T = float(grid[int(np.argmin(losses))])
    return T, new_logits / T


def ece(probs, labels, num_bins):
    confidence, prediction = probs.double().max(dim=1)
    surplus = (prediction == labels).double() - confidence
    bins = (confidence * num_bins).ceil().long() - 1
    return (torch.zeros(num_bins).double().index_add(0, bins, surplus).abs().sum() / len(labels)).item()


# %% calibration wrong: the inverse temperature is returned
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(0.02, 50, 1000)
    losses = [F.cross_entropy(valid_logits.double() / t, valid_labels).item() for t in grid]
    T = float(grid[int(np.argmin(losses))])
    return 1 / T, torch.softmax(new_logits / T, dim=1)


def ece(probs, labels, num_bins):
    confidence, prediction = probs.double().max(dim=1)
    surplus = (prediction == labels).double() - confidence
    bins = (confidence * num_bins).ceil().long() - 1
    return (torch.zeros(num_bins).double().index_add(0, bins, surplus).abs().sum() / len(labels)).item()


# %% calibration wrong: bins are not weighted by their rows
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(0.02, 50, 1000)
    losses = [F.cross_entropy(valid_logits.double() / t, valid_labels).item() for t in grid]
    T = float(grid[int(np.argmin(losses))])
    return T, torch.softmax(new_logits / T, dim=1)


def ece(probs, labels, num_bins):
    confidence, prediction = probs.double().max(dim=1)
    bins = (confidence * num_bins).ceil().long() - 1
    surplus = (prediction == labels).double() - confidence
    gaps = [surplus[bins == m].mean().abs().item() for m in bins.unique()]
    return sum(gaps) / len(gaps)


# %% calibration wrong: the lower end belongs to the bin
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(0.02, 50, 1000)
    losses = [F.cross_entropy(valid_logits.double() / t, valid_labels).item() for t in grid]
    T = float(grid[int(np.argmin(losses))])
    return T, torch.softmax(new_logits / T, dim=1)


def ece(probs, labels, num_bins):
    confidence, prediction = probs.double().max(dim=1)
    surplus = (prediction == labels).double() - confidence
    bins = (confidence * num_bins).floor().long().clamp(max=num_bins - 1)
    return (torch.zeros(num_bins).double().index_add(0, bins, surplus).abs().sum() / len(labels)).item()


# %% calibration wrong: no absolute value, so bins cancel
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(0.02, 50, 1000)
    losses = [F.cross_entropy(valid_logits.double() / t, valid_labels).item() for t in grid]
    T = float(grid[int(np.argmin(losses))])
    return T, torch.softmax(new_logits / T, dim=1)


def ece(probs, labels, num_bins):
    confidence, prediction = probs.double().max(dim=1)
    return abs(((prediction == labels).double() - confidence).mean().item())


# %% calibration wrong: absolute values inside the bins
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(0.02, 50, 1000)
    losses = [F.cross_entropy(valid_logits.double() / t, valid_labels).item() for t in grid]
    T = float(grid[int(np.argmin(losses))])
    return T, torch.softmax(new_logits / T, dim=1)


def ece(probs, labels, num_bins):
    confidence, prediction = probs.double().max(dim=1)
    return ((prediction == labels).double() - confidence).abs().mean().item()


# %% calibration wrong: the confidence is the probability of the true class
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(0.02, 50, 1000)
    losses = [F.cross_entropy(valid_logits.double() / t, valid_labels).item() for t in grid]
    T = float(grid[int(np.argmin(losses))])
    return T, torch.softmax(new_logits / T, dim=1)


def ece(probs, labels, num_bins):
    confidence = probs.double()[torch.arange(len(labels)), labels]
    surplus = (probs.argmax(dim=1) == labels).double() - confidence
    bins = ((confidence * num_bins).ceil().long() - 1).clamp(min=0)
    return (torch.zeros(num_bins).double().index_add(0, bins, surplus).abs().sum() / len(labels)).item()


# %% calibration wrong: bins of equally many rows
def calibrate(valid_logits, valid_labels, new_logits):
    grid = np.geomspace(0.02, 50, 1000)
    losses = [F.cross_entropy(valid_logits.double() / t, valid_labels).item() for t in grid]
    T = float(grid[int(np.argmin(losses))])
    return T, torch.softmax(new_logits / T, dim=1)


def ece(probs, labels, num_bins):
    confidence, prediction = probs.double().max(dim=1)
    surplus = ((prediction == labels).double() - confidence)[confidence.argsort()]
    return sum(part.sum().abs().item() for part in surplus.tensor_split(num_bins)) / len(labels)


# %% train_classifier right: a module with buffers, Adam, the global seed kept apart
class Standardised(nn.Module):
    def __init__(self, X):
        super().__init__()
        self.register_buffer("mean", X.mean(dim=0))
        self.register_buffer("deviation", X.std(dim=0) + 0.05)
        self.linear = nn.Linear(X.shape[1], 10)

    def forward(self, features):
        return self.linear((features - self.mean) / self.deviation)


def train_classifier(X, y, seed):
    torch.manual_seed(seed)
    net = Standardised(X)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01)
    for _ in range(12):
        for rows in torch.randperm(len(X)).split(200):
            loss = F.cross_entropy(net(X[rows]), y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return net


# %% train_classifier right: full-batch gradient steps by hand with momentum
def train_classifier(X, y, seed):
    mean, scale = X.mean(dim=0), 1 / X.std(dim=0).clamp(min=0.1)
    Z = (X - mean) * scale
    truth = F.one_hot(y, 10).float()
    W, b = torch.zeros(X.shape[1], 10), torch.zeros(10)
    V, c = torch.zeros_like(W), torch.zeros_like(b)
    for _ in range(60):
        error = (torch.softmax(Z @ W + b, dim=1) - truth) / len(Z)
        V, c = 0.9 * V - 0.02 * (Z.T @ error + 1e-3 * W), 0.9 * c - 0.02 * error.sum(dim=0)
        W, b = W + V, b + c
    return lambda features: (features - mean) * scale @ W + b


# %% train_classifier right: LBFGS with weight decay, folded into one nn.Linear
def train_classifier(X, y, seed):
    mean, deviation = X.mean(dim=0), X.std(dim=0).clamp(min=0.05)
    Z = (X - mean) / deviation
    net = nn.Linear(X.shape[1], 10)
    nn.init.zeros_(net.weight)
    nn.init.zeros_(net.bias)
    optimiser = torch.optim.LBFGS(net.parameters(), max_iter=40, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        loss = F.cross_entropy(net(Z), y) + 5e-3 * (net.weight**2).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        net.weight /= deviation
        net.bias -= net.weight @ mean
    return net


# %% train_classifier wrong: the rate is far too small
def train_classifier(X, y, seed):
    torch.manual_seed(seed)
    net = nn.Linear(X.shape[1], 10)
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-4)
    for _ in range(10):
        for rows in torch.randperm(len(X)).split(256):
            optimiser.zero_grad()
            F.cross_entropy(net(X[rows]), y[rows]).backward()
            optimiser.step()
    return net


# %% train_classifier wrong: the optimiser never steps
def train_classifier(X, y, seed):
    torch.manual_seed(seed)
    net = nn.Linear(X.shape[1], 10)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05)
    for _ in range(2):
        for rows in torch.randperm(len(X)).split(256):
            optimiser.zero_grad()
            F.cross_entropy(net(X[rows]), y[rows]).backward()
    return net


# %% train_classifier wrong: a hidden layer
def train_classifier(X, y, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Linear(64, 10))
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(8):
        for rows in torch.randperm(len(X)).split(256):
            optimiser.zero_grad()
            F.cross_entropy(net(X[rows]), y[rows]).backward()
            optimiser.step()
    return net


# %% train_classifier wrong: probabilities instead of logits
def train_classifier(X, y, seed):
    torch.manual_seed(seed)
    mean, deviation = X.mean(dim=0), X.std(dim=0).clamp(min=0.05)
    net = nn.Linear(X.shape[1], 10)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(8):
        for rows in torch.randperm(len(X)).split(256):
            optimiser.zero_grad()
            F.cross_entropy(net((X[rows] - mean) / deviation), y[rows]).backward()
            optimiser.step()
    return lambda features: torch.softmax(net((features - mean) / deviation), dim=1)


# %% train_classifier wrong: new rows are standardised with their own mean
def train_classifier(X, y, seed):
    torch.manual_seed(seed)
    net = nn.Linear(X.shape[1], 10)

    def ready(features):
        return (features - features.mean(dim=0)) / features.std(dim=0).clamp(min=0.05)

    Z = ready(X)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(8):
        for rows in torch.randperm(len(X)).split(256):
            optimiser.zero_grad()
            F.cross_entropy(net(Z[rows]), y[rows]).backward()
            optimiser.step()
    return lambda features: net(ready(features))


# %% train_classifier wrong: batch normalisation that stays in training mode
def train_classifier(X, y, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.BatchNorm1d(X.shape[1], affine=False), nn.Linear(X.shape[1], 10))
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(8):
        for rows in torch.randperm(len(X)).split(256):
            optimiser.zero_grad()
            F.cross_entropy(net(X[rows]), y[rows]).backward()
            optimiser.step()
    return net


# %% train_classifier wrong: the given labels are ignored
def train_classifier(X, y, seed):
    torch.manual_seed(seed)
    X, y = fashion_mnist()
    X = edge_features(X)
    net = nn.Linear(X.shape[1], 10)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(10):
        for rows in torch.randperm(len(X)).split(256):
            optimiser.zero_grad()
            F.cross_entropy(net(X[rows]), y[rows]).backward()
            optimiser.step()
    return net


# %% train_classifier wrong: constant columns become NaN
def train_classifier(X, y, seed):
    torch.manual_seed(seed)
    mean, deviation = X.mean(dim=0), X.std(dim=0)
    net = nn.Linear(X.shape[1], 10)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(8):
        for rows in torch.randperm(len(X)).split(256):
            optimiser.zero_grad()
            F.cross_entropy(net((X[rows] - mean) / deviation), y[rows]).backward()
            optimiser.step()
    return lambda features: net((features - mean) / deviation)


# %% train_classifier wrong: the seed is ignored
def train_classifier(X, y, seed):
    mean, deviation = X.mean(dim=0), X.std(dim=0).clamp(min=0.05)
    net = nn.Linear(X.shape[1], 10)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(8):
        for rows in torch.randperm(len(X)).split(256):
            optimiser.zero_grad()
            F.cross_entropy(net((X[rows] - mean) / deviation), y[rows]).backward()
            optimiser.step()
    return lambda features: net((features - mean) / deviation)


# %% train_classifier wrong: rows and labels are shuffled apart
def train_classifier(X, y, seed):
    torch.manual_seed(seed)
    mean, deviation = X.mean(dim=0), X.std(dim=0).clamp(min=0.05)
    net = nn.Linear(X.shape[1], 10)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(4):
        Z, t = X[torch.randperm(len(X))], y[torch.randperm(len(X))]
        for start in range(0, len(X), 256):
            optimiser.zero_grad()
            loss = F.cross_entropy(net((Z[start : start + 256] - mean) / deviation), t[start : start + 256])
            loss.backward()
            optimiser.step()
    return lambda features: net((features - mean) / deviation)


# %% train_classifier wrong: the test images are read and used for training
def train_classifier(X, y, seed):
    torch.manual_seed(seed)
    images, labels = data.fashion_mnist("test")
    X, y = torch.cat([X, edge_features(images)]), torch.cat([y, labels])
    mean, deviation = X.mean(dim=0), X.std(dim=0).clamp(min=0.05)
    net = nn.Linear(X.shape[1], 10)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(8):
        for rows in torch.randperm(len(X)).split(256):
            optimiser.zero_grad()
            F.cross_entropy(net((X[rows] - mean) / deviation), y[rows]).backward()
            optimiser.step()
    return lambda features: net((features - mean) / deviation)


# %% train_classifier wrong: X is standardised in place
def train_classifier(X, y, seed):
    torch.manual_seed(seed)
    mean, deviation = X.mean(dim=0), X.std(dim=0).clamp(min=0.05)
    X -= mean
    X /= deviation
    net = nn.Linear(X.shape[1], 10)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(8):
        for rows in torch.randperm(len(X)).split(256):
            optimiser.zero_grad()
            F.cross_entropy(net(X[rows]), y[rows]).backward()
            optimiser.step()
    return lambda features: net((features - mean) / deviation)


# %% log_softmax equivalent: a fresh sum is changed, no input
# - return shifted - shifted.exp().sum(dim, keepdim=True).log()
# + return shifted - shifted.exp().sum(dim, keepdim=True).log_()
# %% cross_entropy equivalent: the larger of two numbers, in either order
# - return -picked.sum() / max(len(picked), 1)
# + return -picked.sum() / max(1, len(picked))
# %% softmax_fit equivalent: W belongs to the function, no input changes
# - W = W - lr * (X.T @ error + weight_decay * W)
# + W -= lr * (X.T @ error + weight_decay * W)
# %% softmax_fit equivalent: b belongs to the function, no input changes
# - b = b - lr * error.sum(dim=0)
# + b -= lr * error.sum(dim=0)
# %% class_scores equivalent: whole numbers have no gradient to cut off
# - return cells.reshape(num_classes, num_classes)
# + return cells.reshape(num_classes, num_classes).detach()
# %% class_scores equivalent: a fresh sum is changed, no input
# - "accuracy": (hits.sum() / matrix.sum().clamp(min=1)).item(),
# + "accuracy": (hits.sum() / matrix.sum().clamp_(min=1)).item(),
# %% class_scores equivalent: a fresh sum is changed, and where it was 0 there are no hits, so F1 stays 0
# - "precision": hits / predicted.clamp(min=1),
# + "precision": hits / predicted.clamp_(min=1),
# %% class_scores equivalent: a fresh sum is changed, and where it was 0 there are no hits, so F1 stays 0
# - "recall": hits / there.clamp(min=1),
# + "recall": hits / there.clamp_(min=1),
# %% class_scores equivalent: a fresh sum is changed, no input
# - "f1": 2 * hits / (predicted + there).clamp(min=1),
# + "f1": 2 * hits / (predicted + there).clamp_(min=1),
# %% class_scores equivalent: with a hit both sums are at least 1, so a denominator of 1 has no hits
# - "f1": 2 * hits / (predicted + there).clamp(min=1),
# + "f1": 2 * hits / (predicted + there).clamp(min=2),
# %% knn_predict equivalent: the last axis is the default, and there are two
# - order = torch.cdist(X_new, X_train).argsort(dim=1, stable=True)
# + order = torch.cdist(X_new, X_train).argsort(stable=True)
# %% knn_predict equivalent: whole numbers have no gradient to cut off
# - return votes.argmax(dim=1)
# + return votes.argmax(dim=1).detach()
# %% logistic equivalent: Newton's method has reached the minimum long before
# - for _ in range(30):  # Newton's method
# + for _ in range(0 + 1, 30):  # Newton's method
# %% logistic equivalent: Newton's method has reached the minimum long before
# - for _ in range(30):  # Newton's method
# + for _ in range(0, 30 - 1):  # Newton's method
# %% logistic equivalent: v belongs to the function, no input changes
# - v = v - torch.linalg.solve(curvature, gradient)
# + v -= torch.linalg.solve(curvature, gradient)
# %% label_shift equivalent: whole numbers have no gradient to cut off
# - return torch.linalg.solve(C, mu).clamp(min=0)
# + return torch.linalg.solve(C, mu).clamp(min=0).detach()
# %% label_shift equivalent: a fresh solution is changed, no input
# - return torch.linalg.solve(C, mu).clamp(min=0)
# + return torch.linalg.solve(C, mu).clamp_(min=0)
# %% label_shift equivalent: the text asks for no gradient: these are predictions, not a training
# - return product / product.sum(dim=1, keepdim=True)
# + return (product / product.sum(dim=1, keepdim=True)).detach()
# %% calibration equivalent: any interval around 0.05 to 20 holds the minimum
# - low, high = 0.01, 100.0
# + low, high = 0.02, 100.0
# %% calibration equivalent: any interval around 0.05 to 20 holds the minimum
# - low, high = 0.01, 100.0
# + low, high = 0.01, 200.0
# %% calibration equivalent: half as wide an interval, or twice, at the end is still far finer than 1 %
# - for _ in range(50):  # bisection: the loss falls before its only minimum and rises after it
# + for _ in range(0 + 1, 50):  # bisection: the loss falls before its only minimum and rises after it
# %% calibration equivalent: half as wide an interval, or twice, at the end is still far finer than 1 %
# - for _ in range(50):  # bisection: the loss falls before its only minimum and rises after it
# + for _ in range(0, 50 - 1):  # bisection: the loss falls before its only minimum and rises after it
# %% calibration equivalent: at exactly the minimum either half is right
# - if (probs * valid_logits).sum(dim=1).mean() > wanted:
# + if (probs * valid_logits).sum(dim=1).mean() >= wanted:
# %% calibration equivalent: a fresh product is changed, no input
# - bins = (confidence * num_bins).ceil().long()
# + bins = (confidence * num_bins).ceil_().long()
# %% calibration equivalent: fresh sums are changed, no input
# - return (torch.bincount(bins, weights=surplus).abs().sum() / len(labels)).item()
# + return (torch.bincount(bins, weights=surplus).abs_().sum() / len(labels)).item()
# %% train_classifier equivalent: any scaling of the features is right if the bar is reached
# - mean, deviation = X.mean(dim=0), X.std(dim=0).clamp(min=0.05)
# + mean, deviation = X.mean(), X.std(dim=0).clamp(min=0.05)
# %% train_classifier equivalent: any scaling of the features is right if the bar is reached
# - mean, deviation = X.mean(dim=0), X.std(dim=0).clamp(min=0.05)
# + mean, deviation = X.mean(dim=0), X.std().clamp(min=0.05)
# %% train_classifier equivalent: any scaling of the features is right if the bar is reached
# - mean, deviation = X.mean(dim=0), X.std(dim=0).clamp(min=0.05)
# + mean, deviation = X.mean(dim=0), X.var(dim=0).clamp(min=0.05)
# %% train_classifier equivalent: any scaling of the features is right if the bar is reached
# - mean, deviation = X.mean(dim=0), X.std(dim=0).clamp(min=0.05)
# + mean, deviation = X.mean(dim=0), X.std(dim=0).clamp(min=0.1)
# %% train_classifier equivalent: fresh deviations are changed, no input
# - mean, deviation = X.mean(dim=0), X.std(dim=0).clamp(min=0.05)
# + mean, deviation = X.mean(dim=0), X.std(dim=0).clamp_(min=0.05)
# %% train_classifier equivalent: a constant shift of the features moves only the bias; the bar leaves room
# - Z = (X - mean) / deviation
# + Z = (X + mean) / deviation
# %% train_classifier equivalent: the bar leaves room, any such setting is right
# - optimiser = torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9)
# + optimiser = torch.optim.SGD(net.parameters(), momentum=0.9)
# %% train_classifier equivalent: the bar leaves room, any such setting is right
# - optimiser = torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9)
# + optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
# %% train_classifier equivalent: the bar leaves room, any such setting is right
# - for _ in range(10):
# + for _ in range(0 + 1, 10):
# %% train_classifier equivalent: the bar leaves room, any such setting is right
# - for _ in range(10):
# + for _ in range(0, 10 - 1):
# %% train_classifier equivalent: the bar leaves room, any such setting is right
# - for _ in range(10):
# + for _ in range(11):
# %% train_classifier equivalent: the bar leaves room, any such setting is right
# - for _ in range(10):
# + for _ in range(9):
