# %% [markdown]
# # Softmax classification
#
# Week 4. We predict a *class* instead of a number: which piece of clothing is on a picture, who survived a shipwreck.
# You will turn scores into probabilities, train them, measure them honestly, and see what happens when the world
# changes.

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
# - compute softmax and cross-entropy without overflow, and derive their gradient on one page;
# - train a softmax classifier from scratch and with `torch.nn`, in a few seconds, to 0.83 test accuracy and more;
# - read a confusion matrix, precision, recall and F1, and say how exact an accuracy is;
# - fit logistic regression to the Titanic and get scikit-learn's numbers;
# - compare with nearest neighbours, support vector machines, trees, naive Bayes and k-means;
# - check whether "90 % sure" is true, and repair a model after label shift.
#
# **Time:** about three and a half hours; all cells together run in less than a minute. **Builds on:** gradients and
# probability (week 2), the training loop and data splits (week 3).

# %% [markdown]
# Run the cells in order. In a cell marked **Try it**, change the marked line and run the cell again; you cannot break
# anything. Answer each **Predict first** question before you open the answer.
#
# We stay on the CPU: the model is one matrix, and 12,000 small pictures fit into memory as one tensor. (No
# `DataLoader` here: reading single pictures in worker processes would take far longer than the sums.)

# %%
print("loading PyTorch and the other libraries: a few seconds ...")
import math
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse.data import FASHION_LABELS, fashion_mnist, titanic

torch.manual_seed(4)
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"  # distinct also for colour-blind readers
plt.rcParams.update({"figure.figsize": (7, 4), "axes.grid": True, "grid.alpha": 0.3})
print("ready")

# %% [markdown]
# ## 1. The pictures
#
# Fashion-MNIST holds grey pictures of clothing, 28 × 28 pixels, in ten classes. This course carries 12,000 of them
# for training and 2,000 for the test, equally many of each class. Pixels are numbers from 0 (black) to 1 (white).
#
# The figure shows five pictures of each class, one class per column, with its name above the column. Shirts, coats and
# pullovers look alike; trousers and bags do not.

# %%
# alt: A grid of small grey images of clothes, five examples for each of the ten classes: t-shirt, trouser,
#   pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot. Examples of one class differ much, and shirts,
#   coats and pullovers look alike.
images, labels = fashion_mnist("train")
images_test, labels_test = fashion_mnist("test")
print("training images", tuple(images.shape), " labels", tuple(labels.shape), labels.dtype)

fig, axes = plt.subplots(5, 10, figsize=(12, 6.5))
for label in range(10):
    of_class = images[labels == label]
    axes[0, label].set_title(FASHION_LABELS[label], fontsize=10)
    for row in range(5):
        axes[row, label].imshow(of_class[row, 0], cmap="gray")
        axes[row, label].axis("off")
plt.show()

# %% [markdown]
# **Predict first.** The label is a number from 0 to 9. Why not use linear regression (week 3) to predict this number,
# and round it?
#
# <details><summary>Answer</summary>
#
# It would claim an order and distances: a model undecided between 0 (t-shirt) and 2 (pullover) would say 1 (trouser).
# The numbers are only names. We need one score per class.
#
# </details>

# %% [markdown]
# ## 2. One score per class, then softmax
#
# For $q$ classes we use $q$ linear models at once:
#
# $$\mathbf{Z} = \mathbf{X}\mathbf{W} + \mathbf{b}$$
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $\mathbf{X}$ | one picture per row, here 784 pixels | $(n, d)$ |
# | $\mathbf{W}$, $\mathbf{b}$ | weights, biases | $(d, q)$, $(q,)$ |
# | $\mathbf{Z}$ | scores, called **logits** | $(n, q)$ |
#
# A logit can be any number. The **softmax** makes probabilities of one row: positive, with sum 1.
#
# $$p_j = \frac{e^{z_j}}{\sum_k e^{z_k}}$$

# %%
z = torch.tensor([2.0, 1.0, -1.0])  # Try it: other logits, or add 5 to all of them
p = z.exp() / z.exp().sum()
print("logits       ", z.tolist())
print("probabilities", [round(v, 3) for v in p.tolist()], " sum", round(p.sum().item(), 6))
print("ratio of the first two:", round((p[0] / p[1]).item(), 3), "= e^(2 - 1)")

# %% [markdown]
# What the formula means:
#
# - the *difference* of two logits is the logarithm of the ratio of their probabilities; adding the same number to all
#   logits changes nothing;
# - the largest logit gets the largest probability, so for the decision alone no softmax is needed;
# - multiplying all logits by a number above 1 makes the model more certain. The inverse of that number is called the
#   **temperature**.

# %% [markdown]
# The figure shows the probabilities of the three classes for the logits 2, 1, −1 divided by a temperature $T$, for $T$
# between 0.1 and 20. For small $T$ the first class takes everything; for large $T$ all approach one third; their order
# never changes.

# %%
# alt: The probabilities of three classes with logits 2, 1 and -1 against the temperature, on a logarithmic axis. At
#   temperature 0.1 the first class has all the probability; at 1 they have about 0.7, 0.26 and 0.04; at 20 all three
#   are close to one third.
temperatures = torch.logspace(-1, 1.3, 60)
curves = torch.softmax(z / temperatures.reshape(-1, 1), dim=1)  # (60, 3)
for j, (style, color) in enumerate([("-", BLUE), ("--", ORANGE), (":", GREEN)]):
    plt.plot(temperatures, curves[:, j], style, color=color, lw=2, label=f"class {j}, logit {z[j].item():g}")
plt.xscale("log")
plt.xlabel("temperature T")
plt.ylabel("probability")
plt.legend()
plt.show()

# %% [markdown]
# ## 3. Where the formula breaks
#
# **Predict first.** What does the formula give for the logits 1000, 999, 0? What should it give?
#
# <details><summary>Answer</summary>
#
# `float32` ends near $3.4 \cdot 10^{38} \approx e^{88.7}$. So $e^{1000}$ is `inf`, and `inf / inf` is NaN. The right
# answer is nearly 0.73, 0.27, 0: only differences count.
#
# </details>

# %%
big = torch.tensor([1000.0, 999.0, 0.0])
print("textbook formula:      ", (big.exp() / big.exp().sum()).tolist())
shifted = big - big.max()
stable = shifted.exp() / shifted.exp().sum()
print("largest one subtracted:", [round(v, 4) for v in stable.tolist()])
print("logarithm of that:     ", stable.log().tolist())

# %% [markdown]
# Subtracting the largest logit cures the overflow. But look at the last line: the third probability has become
# exactly 0, and its logarithm is `-inf`. The true value is about −1000, a harmless number. So we never take the
# logarithm of a probability; we compute the **log-softmax** in one go:
#
# $$\log p_j = z_j - \log\sum_k e^{z_k}, \qquad
# \log\sum_k e^{z_k} = m + \log\sum_k e^{z_k - m}, \quad m = \max_k z_k$$
#
# The second formula is called **log-sum-exp**. The largest term inside its sum is $e^0 = 1$, so neither `inf` nor
# `log(0)` can occur.


# %%
def log_softmax(logits):
    """Logarithms of the probabilities; logits (n, q), classes in the last axis."""
    m = logits.max(dim=1, keepdim=True).values  # (n, 1): keepdim, or the subtraction would not fit
    return logits - m - (logits - m).exp().sum(dim=1, keepdim=True).log()


print("ours:   ", log_softmax(big.reshape(1, 3)).tolist())
print("PyTorch:", torch.log_softmax(big.reshape(1, 3), dim=1).tolist())

# %% [markdown]
# ## 4. Cross-entropy: how surprised is the model?
#
# The loss of one example is the negative logarithm of the probability of its *true* class $y_i$:
#
# $$\ell_i = -\log p_{i,\,y_i} \qquad L = \frac1n\sum_i \ell_i$$
#
# It is called **cross-entropy**. A model that gives the truth probability 1 pays 0; whoever says 0 pays infinitely
# much. Adding logarithms multiplies probabilities: the smallest loss belongs to the weights that make all labels
# together most probable (maximum likelihood, as for the squared loss in week 3).

# %%
for p_true in (0.99, 0.9, 0.5, 0.1, 0.01, 0.0001):
    print(f"probability of the true class {p_true:7}:  loss {-math.log(p_true):6.3f}")
print(f"ten classes, no idea (1/10):           loss {math.log(10):6.3f}")

# %% [markdown]
# Remember the last number. **A fresh ten-class model should start near a loss of 2.303.** If yours starts at 8, the
# start values are too large; if it stays at 2.303, nothing is learnt.
#
# To pick $\log p_{i, y_i}$ from a table of shape `(n, q)`, use `gather`, or index with two vectors.

# %%
logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0]])
truth = torch.tensor([0, 1, 2])
log_p = log_softmax(logits)
by_index = -log_p[torch.arange(3), truth]
by_gather = -log_p.gather(1, truth.reshape(-1, 1))[:, 0]
print("losses by index: ", [round(v, 4) for v in by_index.tolist()])
print("losses by gather:", [round(v, 4) for v in by_gather.tolist()])
print("mean:", round(by_index.mean().item(), 4), " PyTorch:", round(F.cross_entropy(logits, truth).item(), 4))

# %% [markdown]
# Some rows may have no label: an unlabelled pixel, a filler word. They carry a special number, in PyTorch −100
# (`ignore_index`), and must not count: neither in the sum nor in the number by which we divide.
#
# A trap: "compute all losses, then multiply by 0 where the row does not count". If such a row holds NaN, `0 * nan` is
# still NaN. Select first, compute afterwards.

# %%
mask = torch.tensor([True, False, True])
dirty = torch.tensor([0.5, math.nan, 1.5])
print("multiplied by the mask:", ((dirty * mask).sum() / mask.sum()).item())
print("selected first:        ", dirty[mask].mean().item())

# %% [markdown]
# ## 5. The gradient, in small steps
#
# One example with logits $z_1, \dots, z_q$ and true class $y$:
#
# 1. $\ell = -z_y + \log\sum_k e^{z_k}$, from section 3;
# 2. the derivative of the first part with respect to $z_j$ is $-1$ if $j = y$, else 0: minus the **one-hot** vector
#    of the label;
# 3. the derivative of the second part is $e^{z_j} / \sum_k e^{z_k} = p_j$;
# 4. together: $\partial\ell/\partial z_j = p_j - [\,j = y\,]$.
#
# **Probability minus truth**: an error, exactly as in linear regression.

# %% [markdown]
# For all rows at once, with probabilities $\mathbf{P}$ and one-hot labels $\mathbf{Y}$, both of shape $(n, q)$, the
# chain rule gives
#
# $$\nabla_{\mathbf{W}} L = \frac1n \mathbf{X}^\top(\mathbf{P} - \mathbf{Y})\quad (d, q) \qquad\quad
# \nabla_{\mathbf{b}} L = \frac1n\sum_i (\mathbf{P} - \mathbf{Y})_i\quad (q,)$$
#
# A weight decay $\frac\lambda2\sum W_{jk}^2$ adds $\lambda\mathbf{W}$ to the first. Let us ask autograd whether we
# are right.

# %%
X_small, y_small = images[:6].flatten(start_dim=1), labels[:6]
W = (0.1 * torch.randn(784, 10)).requires_grad_()
b = torch.zeros(10, requires_grad=True)
F.cross_entropy(X_small @ W + b, y_small).backward()

with torch.no_grad():
    error = torch.softmax(X_small @ W + b, dim=1) - F.one_hot(y_small, 10)  # P - Y, (6, 10)
    by_hand_W, by_hand_b = X_small.T @ error / 6, error.mean(dim=0)
print("shape of the gradient for W:", tuple(by_hand_W.shape))
print("equal to autograd:", torch.allclose(by_hand_W, W.grad, atol=1e-6), torch.allclose(by_hand_b, b.grad, atol=1e-6))

# %% [markdown]
# **Predict first.** Add up the gradient of one example over the $q$ classes: $\sum_j (p_j - [\,j=y\,])$. What comes
# out, and what does it say about the biases during training?
#
# <details><summary>Answer</summary>
#
# $1 - 1 = 0$. What one class gains the others lose: if the biases start at 0, their sum stays 0. One class's scores
# could even be fixed at 0 without loss; with two classes that is logistic regression (section 10).
#
# </details>

# %% [markdown]
# ## 6. Training from scratch
#
# First we set 2,000 training images aside for validation; all decisions are made with them. The test images wait
# until the end. Then the loop of week 3: predict, loss, gradient, step. The gradient is our formula, no autograd.


# %%
def accuracy(logits, y):
    """Share of the rows whose largest logit belongs to the true class."""
    return (logits.argmax(dim=1) == y).double().mean().item()


order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
train_rows, valid_rows = order[2000:], order[:2000]
pixels = images.flatten(start_dim=1)
X_train, y_train = pixels[train_rows], labels[train_rows]
X_valid, y_valid = pixels[valid_rows], labels[valid_rows]
print("train", tuple(X_train.shape), " validation", tuple(X_valid.shape))

# %%
generator = torch.Generator().manual_seed(0)
W, b, curve = torch.zeros(784, 10), torch.zeros(10), []
start = time.process_time()
for epoch in range(15):
    total = 0.0
    for rows in torch.randperm(len(X_train), generator=generator).split(128):
        X, y = X_train[rows], y_train[rows]
        logits = X @ W + b
        total += F.cross_entropy(logits, y, reduction="sum").item()
        error = (torch.softmax(logits, dim=1) - F.one_hot(y, 10)) / len(X)
        W -= 0.03 * X.T @ error  # Try it: rate 0.001 or 0.3 instead of 0.03
        b -= 0.03 * error.sum(dim=0)
    valid_logits = X_valid @ W + b
    curve.append((total / len(X_train), F.cross_entropy(valid_logits, y_valid).item(), accuracy(valid_logits, y_valid)))
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1:2d}: training loss {curve[-1][0]:.3f}, validation accuracy {curve[-1][2]:.3f}")
print(f"{time.process_time() - start:.1f} s of CPU time")

# %% [markdown]
# The left figure shows the mean loss per epoch: training (solid) falls steadily, validation (dashed) flattens out.
# The right figure shows the validation accuracy, which climbs quickly to about 0.8 and then creeps.

# %%
# alt: Two panels over 15 epochs. Left: training and validation loss fall together from above 1, steeply at first,
#   to 0.54 and 0.58, with the validation loss slightly above from epoch 4 on. Right: validation accuracy rises from
#   0.67 to 0.81, with small setbacks.
losses = np.array(curve)  # (15, 3)
fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4))
left.plot(range(1, 16), losses[:, 0], "-o", color=BLUE, label="training")
left.plot(range(1, 16), losses[:, 1], "--s", color=ORANGE, label="validation")
left.set(xlabel="epoch", ylabel="mean cross-entropy")
left.legend()
right.plot(range(1, 16), losses[:, 2], "-o", color=GREEN)
right.set(xlabel="epoch", ylabel="validation accuracy")
plt.show()

# %% [markdown]
# What has it learnt? Each column of $\mathbf{W}$ is a picture. The figure shows the ten columns. Middle grey is a
# weight of 0. Darker pixels are negative weights: light there speaks against the class. Brighter ones are positive:
# light there speaks for it. The trouser template has a dark gap between the legs, the sandal and the
# ankle boot look for light in different places.

# %%
# alt: The weights of each of the ten classes, drawn as grey images. Vague outlines of the class can be made out:
#   the two legs of trousers, the long sleeves of pullover and shirt, the flat shapes of sandal and sneaker. Bright
#   means that a pixel speaks for the class, dark against it.
fig, axes = plt.subplots(2, 5, figsize=(11, 5))
for label, ax in enumerate(axes.ravel()):
    ax.imshow(W[:, label].reshape(28, 28), cmap="gray", vmin=-0.6, vmax=0.6)
    ax.set_title(FASHION_LABELS[label], fontsize=10)
    ax.axis("off")
plt.show()

# %% [markdown]
# ## 7. The same with `torch.nn`, and the goal of the week
#
# `nn.Linear(784, 10)` holds $\mathbf{W}$ and $\mathbf{b}$; `F.cross_entropy` takes **logits** and does log-softmax
# and picking in one stable step. So the model ends with the linear layer: **no softmax in the model**.
#
# **Predict first.** A colleague adds a softmax at the end of the model and keeps `F.cross_entropy`. Does it fail?
# What happens to the training?
#
# <details><summary>Answer</summary>
#
# There is no error. The "logits" then lie between 0 and 1, so even a perfect prediction, 1 against 0, has a loss of
# $-\log(e/(e + 9)) = 1.46$. Gradients become small and training slow.
#
# </details>

# %% [markdown]
# The function `fit` below uses three helpers of `torch.optim`:
#
# - **momentum** 0.9: the step follows a running sum of gradients, in which each older one counts 0.9 times as much as
#   the next. Directions that stay the same add up, a zigzag cancels out;
# - **`LinearLR`**: the rate falls in equal amounts from epoch to epoch, here from `lr` to 5 % of it: large steps first,
#   fine ones at the end;
# - **weight decay** (`decay`): as in week 3; here the optimiser shrinks all parameters, the bias too, which matters
#   little.


# %%
def fit(X, y, epochs=15, lr=0.02, decay=1e-3, seed=0, last=None, num_classes=10):
    """Train softmax regression with momentum and a falling rate; return a function from rows to logits."""
    generator = torch.Generator().manual_seed(seed)
    mean, deviation = X.mean(dim=0), X.std(dim=0).clamp(min=0.05)  # from training rows; constant columns stay harmless
    Z = (X - mean) / deviation
    net = nn.Linear(X.shape[1], num_classes)  # not y.max() + 1: the last class may be missing in y
    nn.init.zeros_(net.weight)
    nn.init.zeros_(net.bias)  # so the seed decides all: PyTorch would start both at random numbers
    optimiser = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, total_iters=epochs)
    for _ in range(epochs):
        for rows in torch.randperm(len(Z), generator=generator).split(256):
            logits = net(Z[rows]) if last is None else last(net(Z[rows]))
            optimiser.zero_grad()
            F.cross_entropy(logits, y[rows]).backward()
            optimiser.step()
        schedule.step()
    return lambda rows: net((rows - mean) / deviation).detach()


for name, last in [("logits into the loss", None), ("softmax twice       ", lambda z: torch.softmax(z, dim=1))]:
    model = fit(X_train, y_train, epochs=3, last=last)
    print(f"{name}: validation accuracy after 3 epochs {accuracy(model(X_valid), y_valid):.3f}")

# %% [markdown]
# Softmax regression on raw pixels ends near 0.84 on the validation images (0.83 on the test images), whatever we do
# with the rate. A better *description* of the
# pictures helps more: how much neighbouring pixels differ. Such edges are what convolutions will learn by themselves
# in week 7. Here we compute them: 784 pixels and 364 strengths of edges make 1148 features. The classifier stays the
# same.


# %%
def edge_features(images):
    """784 pixels and 364 strengths of edges for each image, (n, 1148)."""
    right = (images[..., :, 1:] - images[..., :, :-1]).abs()  # change from a pixel to its right neighbour
    down = (images[..., 1:, :] - images[..., :-1, :]).abs()
    parts = [images, F.avg_pool2d(right, 2), F.avg_pool2d(down, 2)]
    return torch.cat([part.flatten(start_dim=1) for part in parts], dim=1)


edges = edge_features(images)
E_train, E_valid = edges[train_rows], edges[valid_rows]
for name, train_part, valid_part in [("pixels", X_train, X_valid), ("pixels and edges", E_train, E_valid)]:
    start = time.process_time()
    model = fit(train_part, y_train)
    found = accuracy(model(valid_part), y_valid)
    print(f"{name:17s} validation accuracy {found:.3f} in {time.process_time() - start:.1f} s of CPU time")

# %% [markdown]
# The validation images chose edges. **Now the goal: 0.83 on the test images within 15 s**, trained on all 12,000
# images with three seeds. This is the first time that we look at the test images.

# %%
E_test = edge_features(images_test)
for seed in range(3):
    start = time.process_time()
    classifier = fit(edges, labels, seed=seed)
    seconds = time.process_time() - start
    print(f"seed {seed}: test accuracy {accuracy(classifier(E_test), labels_test):.4f} in {seconds:.1f} s of CPU time")

# %% [markdown]
# The seeds hardly differ, because the loss is a bowl with one lowest point: the order of the batches changes the way,
# not the goal. Networks with hidden layers (week 5) will differ more.

# %% [markdown]
# ## 8. Which mistakes?
#
# The **confusion matrix** counts true class (row) against predicted class (column). Right answers stand on the
# diagonal. Conventions differ from book to book: always say which axis is which.

# %%
# alt: Confusion matrix of the ten classes, 200 test images each, true class by row and predicted class by column.
#   The diagonal is dark: from 120 right ones for shirt up to 192 for bag. The largest mistakes are shirts taken for
#   t-shirts (32) and pullovers (25), and coats taken for pullovers (18); ankle boots, sneakers and sandals are
#   confused only with each other.
guess = classifier(E_test).argmax(dim=1)
matrix = torch.bincount(labels_test * 10 + guess, minlength=100).reshape(10, 10)

fig, ax = plt.subplots(figsize=(7.5, 6.5))
ax.imshow(matrix, cmap="Greys", vmax=200)
ax.grid(False)
for i in range(10):
    for j in range(10):
        count = int(matrix[i, j])
        ax.text(j, i, count or "", ha="center", va="center", color="white" if count > 100 else "black", fontsize=9)
ax.set(xticks=range(10), yticks=range(10), xlabel="predicted class", ylabel="true class")
ax.set_xticklabels(FASHION_LABELS, rotation=45, ha="right")
ax.set_yticklabels(FASHION_LABELS)
plt.show()

# %% [markdown]
# The figure shows the matrix for 2,000 test images, 200 per row; darker means more. Trousers and bags are nearly
# always right. Shirts spread over t-shirts, pullovers and coats: four classes share most of the mistakes.
#
# Three questions about one class, with hits $h$ = the entry on the diagonal:
#
# - **precision** $P$: of those *predicted* as shirt, how many are? $h$ / sum of the column;
# - **recall** $R$: of the true shirts, how many were found? $h$ / sum of the row;
# - **F1**: $2PR/(P + R)$, high only if both are high.
#
# If a class is never predicted, its precision is 0/0. A convention is needed; in this course such a score is 0.

# %%
hits = matrix.diagonal().double()
precision = hits / matrix.sum(dim=0).clamp(min=1)
recall = hits / matrix.sum(dim=1).clamp(min=1)
f1 = 2 * hits / (matrix.sum(dim=0) + matrix.sum(dim=1)).clamp(min=1)  # the same as 2PR / (P + R)
table = pd.DataFrame({"precision": precision, "recall": recall, "F1": f1}, index=FASHION_LABELS)
print(table.round(3).to_string())
print(f"accuracy {hits.sum() / matrix.sum():.3f}, mean F1 over the classes (macro F1) {f1.mean():.3f}")

# %% [markdown]
# **Predict first.** Of 1,000 patients, 10 are ill. A test program says "healthy" for everybody. What is its accuracy?
# Its recall for "ill"?
#
# <details><summary>Answer</summary>
#
# Accuracy 0.99, recall 0. With unequal classes, accuracy praises those who ignore the rare class. Report precision
# and recall of the class that matters, and always the simplest answer beside your model.
#
# </details>

# %% [markdown]
# ## 9. Generalisation: how sure is that number?
#
# The test accuracy is a mean of 2,000 answers, right (1) or wrong (0). Its **standard error** is
#
# $$\sqrt{\frac{a\,(1 - a)}{n}}$$
#
# for accuracy $a$ on $n$ independent images. Twice this number is a fair margin.

# %%
a = accuracy(classifier(E_test), labels_test)
for n in (100, 2000, 10_000, 1_000_000):  # Try it: how many images does a margin of 0.1 points need?
    print(f"accuracy {a:.3f} on {n:9,} images: margin ± {200 * math.sqrt(a * (1 - a) / n):.2f} points")

# %% [markdown]
# So two models that differ by half a point cannot be told apart with 2,000 images. This holds for **one** look.
# Whoever tries 50 models on the test images and reports the best one reports luck as well: the test set has become a
# validation set.
#
# The second question: how far is the training accuracy from the test accuracy? The difference is the **generalisation
# gap**. It shrinks with more data and grows with the freedom of the model.

# %%
sizes, gap = [100, 300, 1000, 3000, 10_000], []
for n in sizes:
    model = fit(E_train[:n], y_train[:n], epochs=40 if n < 3000 else 12)
    gap.append((accuracy(model(E_train[:n]), y_train[:n]), accuracy(model(E_valid), y_valid)))
    print(f"{n:6d} training images: training {gap[-1][0]:.3f}, validation {gap[-1][1]:.3f}")

# %% [markdown]
# The figure shows accuracy against the number of training images, on a logarithmic axis. Training (solid) starts at
# 1.0 and falls; validation (dashed) rises. Between them lies the gap. With 100 images and 11,480 weights the model
# knows its training images by heart.

# %%
# alt: Training and validation accuracy against the number of training images, 100 to 10,000, on a logarithmic axis.
#   Training accuracy falls from 1.00 to 0.93, validation accuracy rises from 0.72 to 0.88: the gap between the two
#   closes as data are added.
plt.plot(sizes, [pair[0] for pair in gap], "-o", color=BLUE, label="training")
plt.plot(sizes, [pair[1] for pair in gap], "--s", color=ORANGE, label="validation")
plt.xscale("log")
plt.xlabel("number of training images")
plt.ylabel("accuracy")
plt.legend()
plt.show()

# %% [markdown]
# A split should keep the class shares, above all in small tables: otherwise a rare class may be missing in one part.
# Such a split is called **stratified**: split each class on its own. scikit-learn does it with `train_test_split(...,
# stratify=y)`; in the assignment you write one.

# %% [markdown]
# ## 10. Two classes: logistic regression
#
# With two classes, one logit $z$ is enough: fix the other at 0. The softmax becomes the **sigmoid**
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}} \qquad \text{probability of class 1}$$
#
# and the cross-entropy becomes the **logistic loss**, for a label $y$ of 0 or 1:
#
# $$\ell = -y\log\sigma(z) - (1 - y)\log(1 - \sigma(z)) = \log(1 + e^{z}) - y\,z$$
#
# The last form needs no probability. PyTorch's `softplus(z)` is a safe $\log(1 + e^z)$.

# %%
for value in (0.0, 30.0, 200.0):
    z = torch.tensor(value)
    naive = -torch.log(1 - torch.sigmoid(z))  # the label is 0
    print(f"logit {value:5}: naive {naive.item():8.4f}   softplus {F.softplus(z).item():8.4f}")

# %% [markdown]
# The naive form is already infinite at 30: in `float32`, $\sigma(30)$ is exactly 1.
#
# Now real people: the 1,309 passengers of the Titanic, which sank in 1912. We predict survival from sex, class and
# age. The age of 263 people is unknown. We fill it with the median and add a column that says so, because *who* has
# no recorded age is not random.

# %%
people = titanic()
print("survived, by sex and class:")
print(people.assign(alive=people["survived"] == "yes").groupby(["sex", "passengerClass"])["alive"].mean().round(2))
rng = np.random.default_rng(0)
rows = rng.permutation(len(people))  # the file is sorted by class: shuffle before you split
fit_rows, held_rows = rows[300:], rows[:300]
median = people["age"].iloc[fit_rows].median()  # from training rows only
table = pd.DataFrame(
    {
        "female": people["sex"] == "female",
        "second class": people["passengerClass"] == "2nd",
        "third class": people["passengerClass"] == "3rd",
        "age": people["age"].fillna(median),
        "age unknown": people["age"].isna(),
    }
).astype(float)
table = (table - table.iloc[fit_rows].mean()) / table.iloc[fit_rows].std(ddof=0)

# %% [markdown]
# scikit-learn's `LogisticRegression(C=1.0)` minimises
#
# $$\tfrac12\lVert\mathbf{w}\rVert^2 + C\sum_i \ell_i$$
#
# Note: a **sum**, and `C` multiplies the loss. A *large* `C` means *little* penalty, the opposite of `alpha` in week
# 3. We write the same objective in torch and minimise it with **LBFGS**, an optimiser for small smooth problems: it
# calls our `closure` (loss and gradient) as often as it needs.

# %%
from sklearn.linear_model import LogisticRegression

T_fit = torch.tensor(table.iloc[fit_rows].to_numpy())
alive = torch.tensor((people["survived"] == "yes").to_numpy(), dtype=torch.float64)
t_fit, t_held = alive[fit_rows], alive[held_rows]
w = torch.zeros(5, dtype=torch.float64, requires_grad=True)
bias = torch.zeros((), dtype=torch.float64, requires_grad=True)
optimiser = torch.optim.LBFGS([w, bias], max_iter=200, tolerance_grad=1e-8, line_search_fn="strong_wolfe")


def closure():
    optimiser.zero_grad()
    z = T_fit @ w + bias
    objective = 0.5 * (w**2).sum() + 1.0 * (F.softplus(z) - t_fit * z).sum()  # Try it: C = 0.01 here and below
    objective.backward()
    return objective


optimiser.step(closure)
logistic = LogisticRegression(C=1.0, tol=1e-8).fit(T_fit.numpy(), t_fit.numpy())
comparison = pd.DataFrame({"torch": w.detach(), "scikit-learn": logistic.coef_[0]}, index=table.columns)
print(comparison.round(4).to_string())
print(f"bias: torch {bias.item():.4f}, scikit-learn {logistic.intercept_[0]:.4f}")

# %%
T_held = torch.tensor(table.iloc[held_rows].to_numpy())
right = ((T_held @ w + bias > 0) == (t_held == 1)).double().mean().item()
print(f"accuracy on 300 held-out passengers {right:.3f} ± {2 * math.sqrt(right * (1 - right) / 300):.3f}")
print(f"the simplest answer, nobody survived: {1 - t_held.mean().item():.3f}")
print("factor on the odds for one standard deviation more:")
print(comparison["torch"].map(math.exp).round(2).to_string())

# %% [markdown]
# A weight changes the logarithm of the **odds** $p/(1-p)$, so $e^w$ is a factor on the odds. Being a woman and
# travelling first class multiplied the chance to live. This describes decisions that people made in 1912 ("women and
# children first", where each class slept), not nature, and it says nothing about people today.

# %% [markdown]
# ## 11. Other classifiers, with scikit-learn
#
# **k nearest neighbours** needs no training: find the $k$ training rows with the smallest distance and let them vote.
# A small $k$ follows every accident of the data, a large $k$ blurs the classes. All the work comes at prediction
# time.

# %%
near_train, near_labels = X_train[:4000], y_train[:4000]
distance = torch.cdist(X_valid, near_train)  # Euclidean, (2000, 4000)
nearest = distance.argsort(dim=1)[:, :200]
for k in (1, 3, 5, 15, 50, 200):  # Try it: other k
    votes = F.one_hot(near_labels[nearest[:, :k]], 10).sum(dim=1)  # (2000, 10)
    print(f"k = {k:3d}: validation accuracy {accuracy(votes, y_valid):.3f}")

# %% [markdown]
# Five more ideas in a sentence or two each:
#
# - **SVM** (support vector machine): of all boundaries between two classes, take the one with the widest free strip on
#   both sides. Only the rows at or inside the strip decide where it lies (the support vectors); a kernel, here
#   $e^{-\gamma\lVert\mathbf{x} - \mathbf{x}'\rVert^2}$, makes it curved, and a larger `C` forgives fewer rows on the
#   wrong side;
# - **decision tree**: questions such as "pixel 300 above 0.4?", one after the other, easy to read and quick to
#   overfit;
# - **random forest**: the vote of many trees, each on a random part of rows and columns;
# - **naive Bayes**: Bayes' rule (week 2) as if, within a class, all features were independent. For pixels this is
#   clearly false, and it still beats guessing;
# - **logistic regression**: ours, for comparison.
#
# All have the same interface: `fit(X, y)`, `predict(X)`, `score(X, y)`.

# %%
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

models = {
    "logistic regression": LogisticRegression(C=0.01, max_iter=300),
    "SVM, RBF kernel": SVC(C=5),
    "decision tree": DecisionTreeClassifier(random_state=0),
    "random forest": RandomForestClassifier(60, random_state=0),
    "naive Bayes": GaussianNB(var_smoothing=0.03),
}
A, c = X_train[:3000].numpy(), y_train[:3000].numpy()
A_valid, c_valid = X_valid[:1000].numpy(), y_valid[:1000].numpy()
print("trained on 3,000 images      training  validation  CPU time")
for name, model in models.items():
    start = time.process_time()
    scores = model.fit(A, c).score(A[:1000], c[:1000]), model.score(A_valid, c_valid)
    print(f"{name:27s} {scores[0]:9.3f} {scores[1]:11.3f} {time.process_time() - start:7.1f} s")

# %% [markdown]
# Read both columns. The tree and the forest are perfect on their training rows; that alone says nothing. The forest
# generalises, the single tree does not. Differences of less than about two points are within the margin of 1,000
# images.
#
# And without labels? **k-means** groups rows: place $k$ centres, give each row to its nearest centre, move each
# centre to the mean of its rows, repeat. The figure shows the ten centres found without any label. Several look like
# one class; others mix classes, and no centre knows a name.

# %%
# alt: The ten cluster centres found by k-means, drawn as grey images, each with its most frequent class and that
#   class's share. Some look like one article: a bag (98 percent), an ankle boot (88 percent), a sneaker (70 percent).
#   Others are blurred mixtures: a pullover-like shape with 27 percent, a smear called sandal with 39 percent.
from sklearn.cluster import KMeans

clusters = KMeans(10, n_init=2, random_state=0).fit(A)
fig, axes = plt.subplots(2, 5, figsize=(11, 5.2))
for j, ax in enumerate(axes.ravel()):
    members = np.bincount(c[clusters.labels_ == j], minlength=10)
    ax.imshow(clusters.cluster_centers_[j].reshape(28, 28), cmap="gray")
    ax.set_title(f"{FASHION_LABELS[members.argmax()]}: {100 * members.max() / members.sum():.0f} %", fontsize=10)
    ax.axis("off")
plt.show()

# %% [markdown]
# Above each centre stands the class that is most frequent among its members, and its share. Bags and boots come out
# well. Shirts, coats and pullovers share centres: k-means groups by brightness of pixels, not by meaning.

# %% [markdown]
# ## 12. Is "90 % sure" right nine times out of ten?
#
# A model is **calibrated** if its confidence (its largest probability) agrees with its accuracy. We train longer
# without weight decay on 1,000 images, as people do, and sort the validation images into ten bins by confidence.


# %%
def reliability(probs, y, bins=10):
    """For each bin that is not empty: rows, accuracy, mean confidence. Bin m is ((m - 1)/bins, m/bins]."""
    confidence, prediction = probs.double().max(dim=1)
    place = (confidence * bins).ceil().clamp(1, bins)  # rounding must not open a bin of its own
    result = []
    for m in place.unique():
        inside = place == m
        result.append((inside.sum().item(), (prediction == y)[inside].double().mean(), confidence[inside].mean()))
    return np.array(result)


def ece(probs, y, bins=10):
    """Expected calibration error: mean gap between accuracy and confidence, weighted by rows."""
    rows, right, sure = reliability(probs, y, bins).T
    return (rows * np.abs(right - sure)).sum() / rows.sum()


overfit = fit(E_train[:1000], y_train[:1000], epochs=150, lr=0.05, decay=0.0)
half, other = slice(0, 1000), slice(1000, 2000)  # one half fits the temperature, the other checks it
probs = torch.softmax(overfit(E_valid[other]), dim=1)
print(f"accuracy {accuracy(probs, y_valid[other]):.3f}, mean confidence {probs.max(dim=1).values.mean():.3f}")
print(f"expected calibration error {ece(probs, y_valid[other]):.3f}")

# %% [markdown]
# Far too sure: once the training images are right, larger weights still lower the training loss, so the weights grow
# and grow. The cure changes no decision: divide all logits by one **temperature** $T$ and choose the $T$ with the
# smallest cross-entropy on *validation* data. One number cannot overfit much. (The training data would choose the
# smallest $T$ of all: there, being sure is right.)
#
# The temperature changes only the probabilities. Weight decay, used *during* training, keeps the weights small: then
# the training loss has a lowest point. It changes mainly the probabilities, and some decisions as well.

# %%
grid = np.geomspace(0.3, 30, 200)  # neighbours differ by 2 %: fine for a look, too coarse for an exact T


def best_temperature(logits, y):
    return float(grid[np.argmin([F.cross_entropy(logits / t, y).item() for t in grid])])


T = best_temperature(overfit(E_valid[half]), y_valid[half])
T_wrong = best_temperature(overfit(E_train[:1000]), y_train[:1000])
cooled = torch.softmax(overfit(E_valid[other]) / T, dim=1)
print(f"temperature from validation data {T:.2f}, from training data {T_wrong:.2f}")
print(f"accuracy {accuracy(cooled, y_valid[other]):.3f}, expected calibration error {ece(cooled, y_valid[other]):.3f}")

# %% [markdown]
# The figure shows accuracy against confidence, one mark per bin; honest probabilities lie on the dotted diagonal.
# Before (crosses, dashed) the marks lie far below it: too sure. With the temperature (circles, solid) they are close
# to it.

# %%
# alt: Accuracy against mean confidence, bin by bin, with the diagonal where the two agree. Before, most points lie
#   far below the diagonal: at a confidence of 0.85 only 0.58 are right. With temperature the points lie on the
#   diagonal or slightly above it.
plt.figure(figsize=(5.5, 5))
plt.plot([0, 1], [0, 1], ":", color="black", label="honest")
for name, values, style, color in [("before", probs, "--x", ORANGE), ("with temperature", cooled, "-o", BLUE)]:
    bins = reliability(values, y_valid[other])
    bins = bins[bins[:, 0] >= 10]  # a bin with a handful of images says nothing
    plt.plot(bins[:, 2], bins[:, 1], style, color=color, label=name)
plt.xlabel("mean confidence of the bin")
plt.ylabel("accuracy in the bin")
plt.legend()
plt.show()

# %% [markdown]
# ## 13. When the world changes: distribution shift
#
# A test accuracy is a promise about pictures *like the test pictures*. Let $\mathbf{x}$ be a picture and $y$ its
# class. Three ways to break the promise:
#
# - **covariate shift**: other $\mathbf{x}$, the same rule from $\mathbf{x}$ to $y$ (a darker camera);
# - **label shift**: other shares of the classes, but within a class the pictures look as before (winter: more coats);
# - **concept shift**: the rule itself changes (what counts as spam).
#
# **Predict first.** Our classifier has 0.86 on the test images. We shift each picture to the right by 1, 2 or 3
# pixels. A person sees no difference. And the model?
#
# <details><summary>Answer</summary>
#
# It has a weight for every *position*. Moved pictures meet the wrong weights, and the accuracy falls steeply.
# Convolutions (week 7) cure this particular weakness.
#
# </details>

# %%
changes = {f"moved by {s} pixels": images_test.roll(s, dims=3) for s in (0, 1, 2, 3)}
changes |= {"half as bright": images_test * 0.5, "mirrored": images_test.flip(3)}
for name, changed in changes.items():  # Try it: add images_test + 0.1 * torch.randn_like(images_test)
    print(f"{name:18s} accuracy {accuracy(classifier(edge_features(changed)), labels_test):.3f}")

# %% [markdown]
# Under covariate shift one can sometimes reweight the training rows: rows that are $r$ times as frequent in the new
# world get the weight $r = p_{\text{new}}(\mathbf{x}) / p_{\text{old}}(\mathbf{x})$ in the loss (**importance
# weighting**). This needs an estimate of $r$, for example from a classifier "old or new?", and overlap of both
# worlds: no weight helps where the old data have no rows at all.
#
# The cell below estimates the mean loss in a new world with 80 % bright images, from images of the old one. The same
# product in the training loop trains for the new world.

# %%
losses = F.cross_entropy(classifier(E_test), labels_test, reduction="none")  # one loss for each image, (2000,)
bright = images_test.mean(dim=(1, 2, 3)) > 0.3
share = bright.double().mean()
r = torch.where(bright, 0.8 / share, 0.2 / (1 - share))  # new share / old share of images like this one
print(f"{share:.0%} of the test images are bright: mean loss {losses.mean():.3f}, weighted {(r * losses).mean():.3f}")

# %% [markdown]
# Label shift is easier. With $w_j$ = new share / old share of class $j$, the corrected probabilities are
#
# $$p_{\text{new}}(j \mid \mathbf{x}) \propto w_j\; p_{\text{old}}(j \mid \mathbf{x})$$

# %% [markdown]
# But who tells us $w$, if the new rows have no labels? The model's own mistakes do. Let $C_{ij}$ be the share of
# validation rows predicted as $i$ with true class $j$, and $\mu_i$ the share of *new* rows predicted as $i$. Within a
# class the pictures look as before, so each class still makes its typical mistakes, only $w_j$ times as often:
#
# $$\sum_j C_{ij}\, w_j = \mu_i$$
#
# Ten equations, ten unknowns. Let winter come: mostly pullovers, coats and ankle boots.

# %%
season = torch.tensor([2, 4, 20, 2, 20, 1, 6, 3, 4, 20]) * 10  # test images of each class, 200 at most
winter = torch.cat([(labels_test == j).nonzero().ravel()[: season[j]] for j in range(10)])
y_winter = labels_test[winter]
autumn_model = fit(E_train, y_train)  # has seen equally many of each class
valid_guess = autumn_model(E_valid).argmax(dim=1)
winter_probs = torch.softmax(autumn_model(E_test[winter]), dim=1)

C = torch.bincount(valid_guess * 10 + y_valid, minlength=100).reshape(10, 10).double() / len(y_valid)
mu = torch.bincount(winter_probs.argmax(dim=1), minlength=10).double() / len(winter)
weights = torch.linalg.solve(C, mu).clamp(min=0)  # by chance an estimate may fall below 0
old_share = torch.bincount(y_valid, minlength=10).double() / len(y_valid)
true_weights = torch.bincount(y_winter, minlength=10).double() / len(winter) / old_share
corrected = winter_probs * weights
corrected = corrected / corrected.sum(dim=1, keepdim=True)
print(pd.DataFrame({"true": true_weights, "estimated": weights}, index=FASHION_LABELS).round(2).T.to_string())
print(f"winter accuracy: before {accuracy(winter_probs, y_winter):.3f}, corrected {accuracy(corrected, y_winter):.3f}")

# %% [markdown]
# Without a single winter label the accuracy rises. The method trusts its assumption, though: if winter coats also
# *look* different, the equations are wrong. Check with a few labelled new rows whenever you can get them.

# %% [markdown]
# ## Summary
#
# - Softmax turns logits into probabilities; only differences of logits count. Work with log-softmax and log-sum-exp,
#   never with the logarithm of a probability.
# - Cross-entropy is $-\log p$ of the true class; its gradient is probability minus truth.
# - `F.cross_entropy` takes logits: no softmax in the model. A fresh ten-class model starts near 2.303.
# - Accuracy hides which mistakes are made; precision, recall and the confusion matrix show them. State the convention
#   for 0/0.
# - An accuracy has a standard error; the test set is for one look.
# - Logistic regression is softmax with two classes; scikit-learn's `C` multiplies the *sum* of the losses.
# - Calibrate with one temperature, fitted on validation data.
# - Name the kind of shift before you correct for it.

# %% [markdown]
# ### Common mistakes
#
# | what you see | likely cause | cure |
# | --- | --- | --- |
# | loss NaN or `inf` | log of a softmax, exp of large logits | `log_softmax`, `cross_entropy` on logits |
# | loss stays near 1.5, gradients small | softmax twice | remove it from the model |
# | loss stays at 2.303 | rate far too small; labels shuffled apart | larger rate; one index for both |
# | loss NaN only with ignored rows | `0 * nan` | select rows first |
# | precision "nan" | class never predicted | a convention, such as 0 |
# | great accuracy, useless model | rare class ignored | recall, confusion matrix, simplest answer |
# | weights differ from scikit-learn | mean for sum, `C` inverted, bias penalised | write the objective down |
# | temperature far below 1, or at the end of the grid | fitted on training data | validation data |

# %% [markdown]
# ### Read more
#
# - *Dive into Deep Learning*, English 1.0: sections 4.1 to 4.7; Chinese second edition: 3.4 to 3.7 and 4.9.
# - D. R. Cox (1958), *The regression analysis of binary sequences*.
# - T. Cover, P. Hart (1967), *Nearest neighbor pattern classification*.
# - C. Cortes, V. Vapnik (1995), *Support-vector networks*. L. Breiman (2001), *Random forests*.
# - H. Xiao, K. Rasul, R. Vollgraf (2017), *Fashion-MNIST: a novel image dataset for benchmarking machine learning
#   algorithms*.
# - C. Guo, G. Pleiss, Y. Sun, K. Weinberger (2017), *On calibration of modern neural networks*.
# - Z. Lipton, Y.-X. Wang, A. Smola (2018), *Detecting and correcting for label shift with black box predictors*.

# %% [markdown]
# ### What the assignment asks
#
# 1. A stable log-softmax.
# 2. Cross-entropy with rows that do not count.
# 3. Softmax regression from scratch.
# 4. Confusion matrix, precision, recall, F1.
# 5. A stratified split.
# 6. The k nearest neighbours.
# 7. Logistic loss, and logistic regression equal to scikit-learn's on the Titanic.
# 8. Label shift: estimate and correct.
# 9. Temperature and expected calibration error.
# 10. A classifier for Fashion-MNIST that reaches the goal.
#
# And in your own words: one explanation, and a short weekly report. Start today with exercises 1 and 2; they are
# short.
