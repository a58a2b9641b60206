# %% [markdown]
# # Linear regression
#
# Week 3. We predict a number (a house price, a trip time) as a weighted sum of features. The model is small enough to
# understand completely, and every later week uses the same four parts: **data, model, loss, optimiser**.

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
# - write a linear model and its squared loss with the right shapes, and explain why squares;
# - solve it in one step, and recognise when that step is numerically unsafe;
# - train it with minibatch gradient descent, by hand, with `torch.nn`, with D2L's classes and with scikit-learn;
# - separate training, validation and test data, and see under- and overfitting;
# - use weight decay and K-fold cross-validation without leaking information.
#
# **Time:** about three hours of reading and trying; all cells together run in less than a minute. **Builds on:**
# tensors and broadcasting (week 1); gradients, autograd, Gaussian noise (week 2).

# %% [markdown]
# Run the cells in order. In a cell marked **Try it**, change the marked line and run the cell again; you cannot break
# anything. Answer each **Predict first** question before you open the answer: a wrong guess teaches more than no
# guess.
#
# We stay on the CPU this week. The tables here are so small that sending them to a GPU takes longer than the sums.

# %%
print("loading PyTorch and the other libraries: a few seconds ...")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn

from dlcourse.data import ames

torch.manual_seed(3)
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"  # distinct also for colour-blind readers
plt.rcParams.update({"figure.figsize": (7, 4), "axes.grid": True, "grid.alpha": 0.3})
print("ready")

# %% [markdown]
# ## 1. A picture first
#
# The Ames data describe house sales in Ames, a town in Iowa (USA), from 2006 to 2010. We begin with two columns:
# `price` in US dollars and `area`, the living area in square feet (1 square foot is about 0.093 m²).

# %%
houses = ames()
print("rows, columns:", houses.shape)
houses[["price", "area", "Overall.Qual", "Year.Built"]].head()

# %% [markdown]
# A natural first idea: two points determine a line, so take two of these houses and draw the line through them.
#
# **Predict first.** How good is such a line for the other houses? If we choose another pair, do we get nearly the
# same line?
#
# <details><summary>Answer</summary>
#
# It is perfect for two houses and can be absurd for all others: the slope depends completely on the pair. Two houses
# of similar size, such as rows 0 and 4, give the wildest line. We need a line that takes **all** houses into account.
#
# </details>

# %%
area, price = houses["area"].to_numpy(float), houses["price"].to_numpy(float)

lines = {}
for i, k in [(0, 1), (2, 4), (0, 4)]:  # Try it: other rows, 0 to 2929, of different area
    slope = (price[k] - price[i]) / (area[k] - area[i])  # dollars per square foot
    lines[f"through rows {i} and {k}"] = slope, price[i] - slope * area[i]
lines["least squares"] = np.polyfit(area, price, 1)  # section 5 explains how such a line is found

for name, (slope, intercept) in lines.items():
    error = np.abs(slope * area + intercept - price).mean()
    print(f"{name:22s} {slope:6.0f} dollars per square foot, mean absolute error {error:8,.0f} dollars")

# %% [markdown]
# The figure shows one dot per house: price rises with area, and it spreads out as houses get larger. The thin broken
# lines go through two houses each and disagree strongly. The thick solid line is the one that we will learn to
# compute.

# %%
# alt: Scatter plot of price against living area, one dot a house. Prices rise from about 100 thousand dollars at
#   800 square feet to about 350 at 3,000, and spread more the larger the houses. Three thin lines through two houses
#   each have very different slopes; the thick least-squares line runs through the middle of the cloud, between them.
ends = np.array([0, 5700])
plt.figure(figsize=(8, 4.5))
plt.scatter(area, price / 1000, s=6, color=GREY, alpha=0.4, label="one sale")
for (name, (slope, intercept)), style in zip(lines.items(), ["--", "-.", ":", "-"], strict=True):
    color, width = (BLUE, 2.5) if name == "least squares" else (ORANGE, 1.5)
    plt.plot(ends, (slope * ends + intercept) / 1000, style, color=color, lw=width, label=name)
plt.xlabel("living area (square feet)")
plt.ylabel("price (thousand dollars)")
plt.ylim(0, 1000)
plt.legend(loc="upper left")
plt.show()

# %% [markdown]
# Notice the few very large houses at the bottom right. They sold for surprisingly little. Keep them in mind: we meet
# them again at the end. And a question stays open: "best line" in which sense?

# %% [markdown]
# ## 2. The model and its shapes
#
# The model predicts a weighted sum of the features plus a constant:
#
# $$\hat{\mathbf{y}} = \mathbf{X}\mathbf{w} + b$$
#
# | symbol | meaning | shape |
# | --- | --- | --- |
# | $\mathbf{X}$ | design matrix: one row per example, one column per feature | $(n, d)$ |
# | $\mathbf{w}$ | weights | $(d, 1)$ |
# | $b$ | bias, added to every row by broadcasting | $(1,)$ |
# | $\mathbf{y}$, $\hat{\mathbf{y}}$ | labels, predictions | $(n, 1)$ |
#
# "Linear" means linear in the weights. A feature itself may be a square, a logarithm or any other function.

# %% [markdown]
# We use two features, area and overall quality (1 to 10). Their scales differ by a factor of hundreds, so we
# **standardise** each column: subtract its mean and divide by its standard deviation. Afterwards a weight answers the
# question "by how much does the price change for one standard deviation more?", and weights can be compared.


# %%
def standardise(features):
    """Return each column of a (n, d) tensor with mean 0 and standard deviation 1."""
    return (features - features.mean(dim=0)) / features.std(dim=0, correction=0)


X = standardise(torch.tensor(houses[["area", "Overall.Qual"]].to_numpy(), dtype=torch.float32))
y = torch.tensor(price / 1000, dtype=torch.float32).reshape(-1, 1)  # thousand dollars, shape (n, 1)

w = torch.tensor([[20.0], [20.0]])  # a guess
b = torch.tensor([150.0])  # a guess
y_hat = X @ w + b
print("X", tuple(X.shape), " w", tuple(w.shape), " b", tuple(b.shape), " y_hat", tuple(y_hat.shape))

# %% [markdown]
# ## 3. Squared loss
#
# The error of example $i$ is $e_i = \hat{y}_i - y_i$. Its loss is $\ell_i = \tfrac12 e_i^2$, and the loss of the
# whole data set is the mean:
#
# $$L(\mathbf{w}, b) = \frac{1}{n}\sum_{i=1}^{n} \tfrac12\,(\hat{y}_i - y_i)^2 \qquad\text{(one number)}$$
#
# The factor ½ has no deep meaning: it cancels the 2 that appears when we differentiate. For reports we use the **root
# mean squared error**, $\mathrm{RMSE} = \sqrt{2L}$, because it has the unit of the label.


# %%
def squared_loss(y_hat, y):
    """Mean of half the squared errors, a tensor of shape ()."""
    return ((y_hat - y) ** 2 / 2).mean()


def rmse(y_hat, y):
    """Root mean squared error, in the unit of y."""
    return torch.sqrt(2 * squared_loss(y_hat, y)).item()


print(f"our guess:             RMSE {rmse(y_hat, y):.1f} thousand dollars")
print(f"always the mean price: RMSE {rmse(y.mean().expand_as(y), y):.1f} thousand dollars")

# %% [markdown]
# Always compare with the simplest answer, "the mean for everyone". A model that does not beat it has learnt nothing.
#
# The figure shows the loss of a line with one feature (area) as its weight changes. It is a bowl with exactly one
# lowest point. This is why linear regression is so pleasant: there is no wrong valley in which to get stuck.

# %%
# alt: The loss as a function of the weight is a parabola, open to the top. It falls from 6,300 at weight -40 to its
#   lowest point, about 1,600 at weight 56, which is marked, and rises again to 6,000 at weight 150.
weights = torch.linspace(-40, 150, 100)
losses = [squared_loss(X[:, :1] * weight + y.mean(), y) for weight in weights]
best = int(torch.stack(losses).argmin())

plt.plot(weights, losses, "-", color=BLUE)
plt.plot(weights[best], losses[best], "o", color=ORANGE, ms=9, label=f"lowest on this grid: w ≈ {weights[best]:.0f}")
plt.xlabel("weight of area (thousand dollars per standard deviation)")
plt.ylabel("loss (thousand dollars, squared)")
plt.legend()
plt.show()

# %% [markdown]
# ### Why squares, and not absolute values?
#
# Suppose each label is the true value plus Gaussian noise with variance $\sigma^2$. The negative logarithm of the
# probability density of one label is then
#
# $$\frac{(y_i - \hat{y}_i)^2}{2\sigma^2} + \text{a constant}.$$
#
# So the weights that make the data most probable are the weights with the smallest sum of squares. The assumption has
# a price: under Gaussian noise a huge error is nearly impossible, so the fit tries very hard to reduce it.

# %% [markdown]
# **Predict first.** Five houses cost 120, 140, 150, 160 and 180 thousand dollars. A clerk types 1800 instead of 180.
# We must choose one number for all five. What happens to the best number for squared errors? And for absolute errors?
#
# <details><summary>Answer</summary>
#
# The best constant for squared errors is the mean, which jumps. The best constant for absolute errors is the median,
# which does not move. Squares are sensitive to outliers: check your data, or use another loss.
#
# </details>

# %%
for label, last in [("correct", 180.0), ("typing error", 1800.0)]:  # Try it: other values, for example 5000.0
    five = torch.tensor([120.0, 140.0, 150.0, 160.0, last])
    choices = torch.arange(100.0, 1500.0)  # every candidate, shape (1400,)
    errors = five.reshape(-1, 1) - choices  # shape (5, 1400)
    squares, absolute = (errors**2).sum(dim=0), errors.abs().sum(dim=0)
    best_square, best_absolute = choices[squares.argmin()], choices[absolute.argmin()]
    print(f"{label:13s} best for squares {best_square:.0f}, for absolute values {best_absolute:.0f}")

# %% [markdown]
# ## 4. The gradient, in small steps
#
# How does the loss change when one weight $w_j$ changes? Follow the chain from the inside:
#
# 1. prediction: $\hat{y}_i = \sum_j x_{ij} w_j + b$, so $\partial \hat{y}_i/\partial w_j = x_{ij}$ and
#    $\partial \hat{y}_i/\partial b = 1$;
# 2. error: $e_i = \hat{y}_i - y_i$, which has the same derivatives;
# 3. loss of one example: $\ell_i = \tfrac12 e_i^2$, so $\partial \ell_i/\partial e_i = e_i$;
# 4. chain rule: $\partial \ell_i/\partial w_j = e_i\,x_{ij}$;
# 5. mean over the rows: $\partial L/\partial w_j = \frac1n\sum_i x_{ij}\,e_i$.

# %% [markdown]
# Step 5 for all $j$ at once is a matrix product. With the error vector $\mathbf{e} = \hat{\mathbf{y}} - \mathbf{y}$
# of shape $(n, 1)$:
#
# $$\nabla_{\mathbf{w}} L = \frac1n \mathbf{X}^\top \mathbf{e}\quad (d, 1) \qquad\qquad
# \nabla_b L = \frac1n\sum_i e_i\quad (1,)$$
#
# A gradient always has the shape of the thing it belongs to. Let us ask autograd whether we are right.

# %%
w = torch.tensor([[20.0], [20.0]], requires_grad=True)
b = torch.tensor([150.0], requires_grad=True)
squared_loss(X @ w + b, y).backward()

with torch.no_grad():
    e = X @ w + b - y
    by_hand_w, by_hand_b = X.T @ e / len(X), e.mean(dim=0)
print("w: by hand", by_hand_w.ravel(), " autograd", w.grad.ravel())
print("b: by hand", by_hand_b, " autograd", b.grad)
print("equal up to rounding:", torch.allclose(by_hand_w, w.grad) and torch.allclose(by_hand_b, b.grad))

# %% [markdown]
# ## 5. The closed form: no search at all
#
# At the bottom of the bowl the gradient is zero. From $\nabla_b L = 0$ the mean error is zero. If the columns of
# $\mathbf{X}$ are centred (mean 0), this gives $b = \bar{y}$, the mean label. (Otherwise, add a column of ones to
# $\mathbf{X}$; its weight is the bias.) From $\nabla_{\mathbf{w}} L = 0$ we get the **normal equation**:
#
# $$\mathbf{X}^\top\mathbf{X}\,\mathbf{w} = \mathbf{X}^\top(\mathbf{y} - \bar{y})$$
#
# It is a system of $d$ equations; $\mathbf{X}^\top\mathbf{X}$ has shape $(d, d)$. Solve the system; do not compute an
# inverse, which costs more and is less exact.

# %%
b_best = y.mean()
w_best = torch.linalg.solve(X.T @ X, X.T @ (y - b_best))
y_hat = X @ w_best + b_best

print(f"weights: area {w_best[0].item():.1f}, quality {w_best[1].item():.1f}; bias {b_best.item():.1f}")
print(f"RMSE {rmse(y_hat, y):.1f} thousand dollars")
print("gradient at the solution:", (X.T @ (y_hat - y) / len(X)).ravel())

# %% [markdown]
# The gradient is zero up to rounding (the labels are in the hundreds and `float32` keeps about 7 digits). One step,
# and we are done. Why then should anyone iterate?
#
# - Forming $\mathbf{X}^\top\mathbf{X}$ costs about $n d^2$ operations and needs all rows; with millions of features
#   or a stream of data this is impossible.
# - Only the squared loss with a linear model has such a formula. Neural networks do not.
# - The formula can fail numerically. We look at that now.

# %% [markdown]
# ## 6. When the closed form becomes unsafe
#
# Suppose a table contains the area twice: once in square feet, once in square metres rounded to one decimal. The
# second column adds nothing but rounding errors.
#
# **Predict first.** We fit three different random halves of the rows. Will the two weights be similar each time? Will
# the prediction error be similar?
#
# <details><summary>Answer</summary>
#
# The errors are nearly the same, the weights are wild: one hugely positive, one hugely negative, and different each
# time. Only the *sum* of the two weights is determined by the data; the difference is fitted to rounding errors.
#
# </details>

# %%
feet = torch.tensor(area).reshape(-1, 1)  # float64, (n, 1)
metres = (feet * 0.09290304).round(decimals=1)
twins = standardise(torch.cat([feet, metres], dim=1))  # two nearly equal columns, (n, 2)
target = y.double() - y.double().mean()

for half in range(3):
    rows = torch.randperm(len(twins))[: len(twins) // 2]
    part, part_target = twins[rows], target[rows]
    w_twins = torch.linalg.solve(part.T @ part, part.T @ part_target)
    error = rmse(twins @ w_twins, target)
    print(f"half {half}: weights {w_twins[0].item():9.1f} {w_twins[1].item():9.1f}   RMSE on all rows {error:.1f}")

# %% [markdown]
# The **condition number** measures this danger: the largest singular value divided by the smallest (week 2). It says
# how much a small relative change in the input can be magnified in the solution. Forming $\mathbf{X}^\top\mathbf{X}$
# **squares** it.

# %%
print(f"condition number: area and quality       {torch.linalg.cond(X).item():12.1f}")
print(f"condition number: area twice             {torch.linalg.cond(twins).item():12.1f}")
print(f"the same, after forming X^T X            {torch.linalg.cond(twins.T @ twins).item():12.1f}")
print(f"float32 can resolve about 1 part in      {1 / torch.finfo(torch.float32).eps:12.1f}")

# %% [markdown]
# When the condition number of the system that we solve comes near the last number printed, `float32` has no correct
# digits left. What one does instead:
#
# - **remove** one of two columns that say the same: the best cure when you know the data;
# - **`torch.linalg.lstsq`**: works on $\mathbf{X}$ by QR factorisation, so the number is not squared. With `rcond` it
#   also ignores directions whose singular value is below `rcond` times the largest one;
# - **ridge**: add $\lambda$ to the diagonal of $\mathbf{X}^\top\mathbf{X}$ (section 15);
# - at least calculate in `float64`.

# %%
t32, target32 = twins.float(), target.float()
ridge_matrix = t32.T @ t32 + 1.0 * torch.eye(2)  # Try it: replace 1.0 by 0.01 or 1000.0
fits = {
    "normal equation, float32": torch.linalg.solve(t32.T @ t32, t32.T @ target32),
    "lstsq, float64": torch.linalg.lstsq(twins, target).solution,
    "lstsq, float32, rcond=0.001": torch.linalg.lstsq(t32, target32, rcond=1e-3, driver="gelsy").solution,
    "ridge, float32": torch.linalg.solve(ridge_matrix, t32.T @ target32),
}
for name, solution in fits.items():
    error = rmse(twins @ solution.double(), target)
    print(f"{name:28s} weights {solution[0].item():9.1f} {solution[1].item():9.1f}   RMSE {error:.1f}")

# %% [markdown]
# All four predict equally well. The first two lines should be the same mathematical answer, but `float32` lost it.
# The last two share the weight between the twins, as a human would.
#
# `rcond=1e-3` was right only because the difference of the twins is rounding noise. Where such a difference is real,
# this cutoff loses it: to keep it, `rcond` must be smaller than 1 / condition number. The default is
# `torch.finfo(dtype).eps` times the larger of $n$ and $d$: for our 2,930 rows about $7 \cdot 10^{-13}$ in `float64`,
# but $3 \cdot 10^{-4}$ in `float32`; fewer rows give a smaller cutoff.

# %% [markdown]
# Remember: with nearly equal columns a **prediction** may be fine while a **weight** means nothing. Never write
# "feature A lowers the price" in a paper without looking at the condition number.

# %% [markdown]
# ## 7. Data whose truth we know
#
# To test a training program, use data for which you know the answer. We invent bicycle trips. The time in minutes
# depends on three standardised features (distance, headwind, number of traffic lights), with known weights, plus a
# little Gaussian noise:
#
# $$\mathbf{y} = \mathbf{X}\mathbf{w} + b + \boldsymbol\epsilon,\qquad \epsilon_i \sim \mathcal{N}(0, \sigma^2)$$


# %%
def make_trips(w, b, n, sigma, seed):
    """Features (n, d) and trip times (n, 1) in minutes from a known linear model."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(n, len(w), generator=generator)
    noise = sigma * torch.randn(n, 1, generator=generator)
    return features, features @ w + b + noise


w_true, b_true = torch.tensor([[6.0], [2.0], [-1.5]]), 20.0
trips, minutes = make_trips(w_true, b_true, n=1005, sigma=0.1, seed=1)
print("features", tuple(trips.shape), " times", tuple(minutes.shape))
print(f"first trip: {minutes[0].item():.2f} minutes")

# %% [markdown]
# A generator of our own (`torch.Generator`) keeps the data the same whatever other cells draw.
#
# **How exactly can any method find the weights?** With independent features of variance 1, each weight has a random
# error of about $\sigma/\sqrt{n}$, here roughly 0.003. Asking for more is asking for noise.

# %% [markdown]
# ### Minibatches
#
# The full gradient reads every row for one small step. A **minibatch** of, say, 32 rows gives a noisy but unbiased
# estimate for a small fraction of the cost. In each **epoch** (one pass through the data) we:
#
# - shuffle again, so that batches differ from epoch to epoch;
# - visit every row exactly once;
# - keep the last batch, even if it is shorter.


# %%
def minibatches(X, y, batch_size):
    """Yield (features, labels) of random rows; every call shuffles anew; the last batch may be short."""
    order = torch.randperm(len(X))
    for start in range(0, len(X), batch_size):
        rows = order[start : start + batch_size]  # slicing beyond the end is safe
        yield X[rows], y[rows]


sizes = [len(labels) for _, labels in minibatches(trips, minutes, batch_size=32)]
print("batches:", len(sizes), " sizes of the last three:", sizes[-3:], " rows in total:", sum(sizes))
for epoch in range(2):
    features, labels = next(minibatches(trips, minutes, batch_size=32))
    print(f"epoch {epoch}: first three times", [round(value, 1) for value in labels[:3, 0].tolist()])

# %% [markdown]
# **Predict first.** Why must `X` and `y` be indexed with the *same* `rows`? What would a model learn if each was
# shuffled on its own?
#
# <details><summary>Answer</summary>
#
# Features would meet the labels of other trips. No relation is left, so the weights go to 0 and the bias to the mean
# time. The program runs without an error; only the loss, which stays high, gives the mistake away.
#
# </details>

# %% [markdown]
# ## 8. Stochastic gradient descent by hand
#
# One step on a minibatch of $m$ rows ($m$ is the batch size), with learning rate $\eta$ (a positive number):
#
# $$\mathbf{w} \leftarrow \mathbf{w} - \eta\,\nabla_{\mathbf{w}} L_{\text{batch}} \qquad\quad
# b \leftarrow b - \eta\,\nabla_b L_{\text{batch}}$$
#
# First a broken attempt. It looks exactly like the formula:

# %%
w = torch.zeros(3, 1, requires_grad=True)
squared_loss(trips @ w, minutes).backward()
try:
    w -= 0.1 * w.grad
except RuntimeError as error:
    print("RuntimeError:", error)

# %% [markdown]
# Autograd records every operation on `w`, and it refuses to change in place something that it must still
# differentiate. The update is not part of the model, so we switch recording off with `torch.no_grad()`.
#
# After the step we set the gradient to zero, because `backward()` **adds** to what is already there.


# %%
def sgd_step(params, lr):
    """Move each parameter against its gradient, in place, and clear the gradient."""
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad
            param.grad.zero_()


def train(X, y, lr, epochs, batch_size=32, loss_fn=squared_loss, seed=0):
    """Minibatch SGD; return w (d, 1), b (1,) and the loss of every batch."""
    torch.manual_seed(seed)
    w = torch.normal(0, 0.01, (X.shape[1], 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    history = []
    for _ in range(epochs):
        for features, labels in minibatches(X, y, batch_size):
            loss = loss_fn(features @ w + b, labels)
            loss.backward()
            sgd_step([w, b], lr)
            history.append(loss.item())
    return w.detach(), b.detach(), history


# %% [markdown]
# Read the loop again: **predict, loss, backward, step**. Every network in this course is trained by these four lines.
# `loss.item()` takes the plain number, so that the recorded graph can be freed.

# %%
w_hand, b_hand, history = train(trips, minutes, lr=0.1, epochs=5)
print("true weights ", w_true.ravel().tolist(), " bias", b_true)
print("found weights", [round(value, 3) for value in w_hand.ravel().tolist()], " bias", round(b_hand.item(), 3))

# %% [markdown]
# The figure shows the loss of each minibatch on a logarithmic axis. It falls quickly along a nearly straight line,
# then stays near the dashed line: the loss that the noise alone causes, $\sigma^2/2$. No honest model gets below it
# for long.

# %%
# alt: The loss of each minibatch over 160 steps, on a logarithmic scale. It falls in an almost straight line from
#   over 200 to 0.005 within 65 steps, then fluctuates around the broken line that marks the noise level.
plt.plot(history, "-", color=BLUE, lw=1, label="loss of each minibatch")
plt.axhline(0.1**2 / 2, ls="--", color=ORANGE, label="noise level σ²/2")
plt.yscale("log")
plt.xlabel("step (32 trips each)")
plt.ylabel("loss (minutes, squared)")
plt.legend()
plt.show()

# %% [markdown]
# ## 9. Choosing the learning rate
#
# **Predict first.** We train for three epochs with learning rates 0.003, 0.1 and 2.1. What will the three loss curves
# look like?
#
# <details><summary>Answer</summary>
#
# 0.003 goes down, but slowly: it has not arrived after three epochs. 0.1 arrives in about two epochs. With 2.1 each
# step jumps across the valley and lands higher on the other side: the loss grows without limit.
#
# </details>

# %%
# alt: The loss over 95 steps for three learning rates, on a logarithmic scale; all start near 200. With 0.003 it
#   has come down only to about 100 at the end. With 0.1 it reaches 0.005 within 60 steps and stays there. With 2.1 it
#   explodes past 100,000 within ten steps.
for lr, style, color in [(0.003, ":", GREY), (0.1, "-", BLUE), (2.1, "--", ORANGE)]:  # Try it: replace 2.1 by 1.0
    _, _, curve = train(trips, minutes, lr=lr, epochs=3)
    plt.plot(curve, style, color=color, lw=1.8, label=f"learning rate {lr}")
plt.yscale("log")
plt.ylim(1e-3, 1e5)
plt.xlabel("step (32 trips each)")
plt.ylabel("loss (minutes, squared)")
plt.legend()
plt.show()

# %% [markdown]
# The figure shows three curves: the dotted one (0.003) sinks slowly, the solid one (0.1) drops and stays at the noise
# level, the dashed one (2.1) climbs out of the frame.
#
# There is a limit. Full-batch descent is stable only if $\eta < 2/\lambda_{\max}$, where $\lambda_{\max}$ is the
# largest eigenvalue of $\mathbf{X}^\top\mathbf{X}/n$. (The bias counts as a weight on a column of ones.) Minibatches
# need somewhat less. Standardised, unrelated features have $\lambda_{\max} \approx 1$. Raw features do not:

# %%
raw_area = torch.tensor(area, dtype=torch.float32).reshape(-1, 1)  # square feet, not standardised
for name, features in [("standardised", standardise(raw_area)), ("raw square feet", raw_area)]:
    largest = torch.linalg.eigvalsh(features.T @ features / len(features))[-1].item()
    _, _, curve = train(features, y, lr=0.1, epochs=1)
    print(f"{name:16s} largest stable rate {2 / largest:.1e}   loss at step 1, 2, 4, 8:", end=" ")
    print("  ".join(f"{curve[step]:.1e}" for step in (0, 1, 3, 7)))

# %% [markdown]
# The same code with the same learning rate explodes, only because of a unit. If your loss becomes `inf` or `nan`:
# first look at the scale of the features, then divide the learning rate by 10.

# %% [markdown]
# ## 10. The broadcast trap
#
# This is the most common silent mistake of the week. Someone stores the labels with shape `(n,)` instead of `(n, 1)`.
#
# **Predict first.** `y_hat` has shape `(1005, 1)` and `labels` has shape `(1005,)`. What is the shape of
# `y_hat - labels`?
#
# <details><summary>Answer</summary>
#
# `(1005, 1005)`. Broadcasting treats `(1005,)` as one row and compares **every** prediction with **every** label. The
# mean of this table is a number, so nothing fails.
#
# </details>

# %%
y_hat = trips @ w_hand + b_hand  # (1005, 1), almost perfect predictions
flat = minutes.reshape(-1)  # (1005,): the mistake
print("shape of the difference:", tuple((y_hat - flat).shape))
print(f"loss, right shapes: {squared_loss(y_hat, minutes).item():.4f}")
print(f"loss, broadcast:    {squared_loss(y_hat, flat).item():.4f}")

w_trap, b_trap, _ = train(trips, flat, lr=0.1, epochs=5)
print("trained with the mistake: weights", [round(value, 2) for value in w_trap.ravel().tolist()], end=" ")
print(f"bias {b_trap.item():.2f}; mean time {minutes.mean().item():.2f}")

# %% [markdown]
# A perfect model gets a terrible loss, and a model trained this way forgets the features: its weights stay near 0 and
# it predicts the mean for everybody.
#
# How to catch it: check the shapes inside the loss, and read warnings. PyTorch's own loss warns but continues:

# %%
import warnings


def checked_loss(y_hat, y):
    """Squared loss that refuses to broadcast."""
    if y_hat.shape != y.shape:
        raise ValueError(f"predictions {tuple(y_hat.shape)} and labels {tuple(y.shape)} must have the same shape")
    return ((y_hat - y) ** 2 / 2).mean()


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    nn.MSELoss()(y_hat, flat)
print("nn.MSELoss warns:  ", str(caught[0].message)[:88], "...")
try:
    checked_loss(y_hat, flat)
except ValueError as error:
    print("checked_loss stops:", error)

# %% [markdown]
# ## 11. Mean here, sum there
#
# Some programs take the **mean** of the losses in a batch, others the **sum**. The lowest point is the same. The
# gradient is not: the sum is larger by the batch size $m$. So a learning rate that is right for one is wrong for the
# other by a factor of $m$.


# %%
def summed_loss(y_hat, y):
    """Sum of half the squared errors."""
    return ((y_hat - y) ** 2 / 2).sum()


for name, loss_fn, lr in [
    ("mean, rate 0.1", squared_loss, 0.1),
    ("sum,  rate 0.1", summed_loss, 0.1),
    ("sum,  rate 0.1/32", summed_loss, 0.1 / 32),
]:
    w_end, b_end, _ = train(trips, minutes, lr=lr, epochs=3, loss_fn=loss_fn)
    print(f"{name:18s} weights {[f'{v:.3g}' for v in w_end.ravel().tolist()]}  bias {b_end.item():.4g}")

# %% [markdown]
# The mean has another advantage: the step of a short last batch is about as large as any other, and you may change the
# batch size without the loss values changing their meaning. Each row of the short batch then counts more in its step.
# To report the mean loss of an epoch, in which all rows count alike, weight each batch by its number of rows.
#
# When you compare two papers or two programs, ask three things: mean or sum? With the factor ½ or without? Over which
# axis?

# %% [markdown]
# ## 12. The same with `torch.nn` and `torch.optim`
#
# PyTorch has each of our parts ready:
#
# | by hand | PyTorch |
# | --- | --- |
# | `minibatches` | `DataLoader` of a `TensorDataset` |
# | `X @ w + b` | `nn.Linear(3, 1)` |
# | `squared_loss` | `nn.MSELoss()`, **without** the factor ½ |
# | `sgd_step` | `torch.optim.SGD`: `step()`, then `zero_grad()` |

# %%
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
loader = DataLoader(TensorDataset(trips, minutes), batch_size=32, shuffle=True)
net = nn.Linear(3, 1)
optimiser = torch.optim.SGD(net.parameters(), lr=0.05)
mse = nn.MSELoss()

for _ in range(5):
    for features, labels in loader:
        loss = mse(net(features), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
print("weight shape", tuple(net.weight.shape), " weights", net.weight.data, " bias", net.bias.data)

# %% [markdown]
# **Predict first.** Two details: why 0.05 here and 0.1 before? And why does `net.weight` have shape `(1, 3)` while
# our `w` has `(3, 1)`?
#
# <details><summary>Answer</summary>
#
# `nn.MSELoss` has no ½, so its gradient is twice ours; half the learning rate gives the same steps. `nn.Linear`
# stores one row per *output* and computes `X @ weight.T + bias`; the numbers are the same, transposed.
#
# </details>

# %% [markdown]
# ## 13. D2L's three classes
#
# Loops like this repeat in every project. D2L therefore divides the work, like many larger libraries do:
#
# | class | is responsible for | you write |
# | --- | --- | --- |
# | `d2l.DataModule` | where batches come from | `get_dataloader(train)` |
# | `d2l.Module` | model, loss, optimiser choice | `__init__`, `loss`, `configure_optimizers` |
# | `d2l.Trainer` | the loop over epochs and batches | nothing: `Trainer(max_epochs)` and `fit` |
#
# Importing `d2l` can take several seconds, because it loads much else.

# %%
print("importing d2l ...")
from d2l import torch as d2l

print("done")


class TripData(d2l.DataModule):
    """The last 205 trips are kept for validation."""

    def __init__(self, X, y, batch_size=32, num_train=800):
        super().__init__()
        self.save_hyperparameters()  # stores every argument: self.X, self.y, self.batch_size, ...

    def get_dataloader(self, train):
        rows = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader((self.X, self.y), train, rows)


# %% [markdown]
# The module below inherits two things. `forward` calls `self.net`. `training_step` computes the loss and hands it to
# `plot`, which draws a moving figure (`self.board`, a `ProgressBoard`).
#
# Redrawing that figure takes most of the time of such a small training. With `board.display = False` the board still
# **collects** the numbers, and we draw them once, at the end.


# %%
class TripModel(d2l.Module):
    """Linear regression for D2L's Trainer."""

    def __init__(self, num_inputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Linear(num_inputs, 1)
        self.board.display = False

    def loss(self, y_hat, y):
        return ((y_hat - y) ** 2 / 2).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


torch.manual_seed(0)
model, data = TripModel(3, lr=0.03), TripData(trips, minutes)
trainer = d2l.Trainer(max_epochs=10)
trainer.fit(model, data)
print("weights", model.net.weight.data, " bias", model.net.bias.data)

# %% [markdown]
# The figure shows the collected losses: training (solid) and validation (dashed with dots) fall together to the noise
# level. A point of the training curve is a mean over half an epoch, while the model is still changing; a point of the
# validation curve is measured at the end of an epoch. This is why training may lie *above* validation at first.

# %%
# alt: Training and validation loss over ten epochs, on a logarithmic scale. The two lie on top of each other and
#   fall in a straight line from over 100 to 0.01 by epoch 7, then flatten out near 0.005.
for (name, points), style, color in zip(model.board.data.items(), ["-", "--o"], [BLUE, ORANGE], strict=True):
    plt.plot([p.x for p in points], [p.y for p in points], style, color=color, ms=4, label=name.replace("_", " "))
plt.yscale("log")
plt.xlabel("epoch")
plt.ylabel("loss (minutes, squared)")
plt.legend()
plt.show()

# %% [markdown]
# Two surprises in D2L 1.0.3. With a single training batch per epoch the board collects no training points, without
# any message. And `d2l.LinearRegressionScratch` has the factor ½ in its loss, `d2l.LinearRegression` does not: the
# same learning rate means different steps.
#
# Next, **scikit-learn**, which solves the problem in one line with a least-squares routine. All our methods should
# now agree.

# %%
from sklearn.linear_model import LinearRegression

sk = LinearRegression().fit(trips.numpy(), minutes.numpy())
ones = torch.cat([trips, torch.ones(len(trips), 1)], dim=1)  # the bias as a weight on a column of ones
closed = torch.linalg.lstsq(ones, minutes).solution
methods = {
    "truth": [*w_true.ravel().tolist(), b_true],
    "closed form": closed.ravel().tolist(),
    "SGD by hand": [*w_hand.ravel().tolist(), b_hand.item()],
    "torch.nn": [*net.weight.data.ravel().tolist(), net.bias.item()],
    "d2l (800 trips)": [*model.net.weight.data.ravel().tolist(), model.net.bias.item()],
    "scikit-learn": [*sk.coef_.ravel(), sk.intercept_.item()],
}
pd.DataFrame(methods, index=["distance", "headwind", "lights", "bias"]).T.round(3)

# %% [markdown]
# All rows agree within about one hundredth. Closed form and scikit-learn are the same calculation. SGD keeps
# trembling around that answer because each minibatch has its own gradient; a smaller learning rate near the end
# reduces it (week 6).
#
# **What does each tool give you?** By hand: understanding. `torch.nn`: any model. D2L: less repetition. scikit-learn:
# the fastest honest baseline. Start with the baseline.

# %% [markdown]
# ## 14. Three kinds of data, under- and overfitting
#
# | part | used for | how often you may look |
# | --- | --- | --- |
# | training | fitting the weights | always |
# | validation | choosing models, degrees, learning rates | often, but each choice makes its score a little too good |
# | test | one honest estimate for the report | once, at the very end |
#
# If you choose the model with the test data, its score is too good: you selected the lucky one.

# %% [markdown]
# A small experiment: the air temperature during one day, measured 20 times with noise of 1 °C. We fit polynomials of
# degree $k$: the features are $1, t, t^2, \dots, t^k$. The model is still linear *in the weights*, so the same least
# squares works.


# %%
def temperature(t):
    """Invented true temperature in °C at time t, from -1 (midnight) to 1 (the next midnight)."""
    return 15 - 6 * torch.cos(3.1 * t + 0.6) * torch.exp(-0.5 * t) + 2 * t


def powers(t, degree):
    """Columns 1, t, ..., t**degree: shape (n, degree + 1)."""
    return t.reshape(-1, 1) ** torch.arange(degree + 1)


def measure(n, seed):
    """Times (n,) and noisy temperatures (n, 1) in °C."""
    generator = torch.Generator().manual_seed(seed)
    t = torch.rand(n, generator=generator, dtype=torch.float64) * 2 - 1
    return t, (temperature(t) + torch.randn(n, generator=generator, dtype=torch.float64)).reshape(-1, 1)


t_train, y_train = measure(20, seed=5)
t_valid, y_valid = measure(500, seed=6)  # a luxury that real projects rarely have

# %% [markdown]
# **Predict first.** Degrees 1, 3 and 15: which has the smallest error on the 20 training points? Which would you
# trust at a time between them?
#
# <details><summary>Answer</summary>
#
# Degree 15 has the smallest training error; each added column can only lower it. But between the points it swings.
# Degree 1 cannot bend at all: it **underfits**. Degree 15 follows the noise: it **overfits**. Degree 3 is the one to
# trust.
#
# </details>

# %%
# alt: Three panels with the same 20 temperature measurements over a day, the true curve, and a fitted polynomial.
#   Degree 1: a straight line that misses the morning minimum. Degree 3: a smooth curve close to the truth. Degree 15:
#   passes through nearly every measurement but swings wildly between them, far beyond the axis.
fine = torch.linspace(-1, 1, 300, dtype=torch.float64)
fig, panels = plt.subplots(1, 3, figsize=(12, 3.8), sharey=True)
for panel, degree in zip(panels, (1, 3, 15), strict=True):  # Try it: other degrees between 0 and 19
    w_poly = torch.linalg.lstsq(powers(t_train, degree), y_train).solution
    train_error = rmse(powers(t_train, degree) @ w_poly, y_train)
    panel.plot(12 * (fine + 1), temperature(fine), "--", color=GREY, label="truth")
    panel.plot(12 * (fine + 1), powers(fine, degree) @ w_poly, "-", color=BLUE, label="fit")
    panel.plot(12 * (t_train + 1), y_train, "o", color=ORANGE, ms=5, label="measurements")
    panel.set(title=f"degree {degree}: training RMSE {train_error:.2f} °C", xlabel="hour of the day", ylim=(0, 30))
panels[0].set_ylabel("temperature (°C)")
panels[0].legend()
plt.show()

# %% [markdown]
# The figure shows the three fits. Left: a straight line misses the shape. Middle: a curve close to the truth. Right:
# a curve through nearly every point, with wild swings between them that leave the frame.
#
# Now all degrees at once. The next figure shows the RMSE against the degree: the training error (circles) only falls;
# the validation error (squares) falls, then rises steeply, most of all near midnight, where there are no training
# points. The dashed line is the noise of 1 °C.

# %%
# alt: Training and validation error against the degree of the polynomial, on a logarithmic scale. The training
#   error only falls, from 5 to 0.3 degrees. The validation error falls to 1.4 at degree 3, just above the noise level
#   of 1, then grows without end, to nearly a million at degree 15.
degrees = list(range(16))
errors = {"training": [], "validation": []}
for degree in degrees:
    w_poly = torch.linalg.lstsq(powers(t_train, degree), y_train).solution
    errors["training"].append(rmse(powers(t_train, degree) @ w_poly, y_train))
    errors["validation"].append(rmse(powers(t_valid, degree) @ w_poly, y_valid))

plt.plot(degrees, errors["training"], "-o", color=BLUE, label="training")
plt.plot(degrees, errors["validation"], "--s", color=ORANGE, label="validation")
plt.axhline(1, ls=":", color=GREY, label="noise")
plt.yscale("log")
plt.xlabel("degree of the polynomial")
plt.ylabel("RMSE (°C)")
plt.legend()
plt.show()
print("degree with the lowest validation error:", int(np.argmin(errors["validation"])))

# %% [markdown]
# How to read such curves in practice:
#
# - both errors high, close together: **underfitting**. Add features or a larger model;
# - training low, validation much higher: **overfitting**. Get more data, a smaller model, or regularise;
# - training error below the noise level: the model has started to memorise.
#
# **Try it.** Above, change `measure(20, seed=5)` to 200 measurements and run again: the validation error stays low up
# to much higher degrees. Overfitting is a relation between model *and* amount of data.

# %% [markdown]
# ## 15. Weight decay (ridge)
#
# Overfitted polynomials have huge weights that cancel each other, as the twins did in section 6. So we charge for
# large weights:
#
# $$L(\mathbf{w}, b) + \frac{\lambda}{2}\lVert\mathbf{w}\rVert^2, \qquad \lambda \ge 0 \text{ (one number)}$$
#
# The penalty adds $\lambda\mathbf{w}$ to the gradient, so each step first shrinks the weights by the factor
# $1 - \eta\lambda$: they **decay**. Setting the gradient to zero, with centred data, gives
#
# $$\left(\mathbf{X}^\top\mathbf{X} + n\lambda\mathbf{I}\right)\mathbf{w} = \mathbf{X}^\top(\mathbf{y} - \bar{y}).$$
#
# Here $\mathbf{I}$ is the $(d, d)$ identity. The matrix is now safely invertible.

# %% [markdown]
# ### One penalty, three conventions
#
# | program | minimises | adds to the diagonal |
# | --- | --- | --- |
# | our loss, `weight_decay=λ` | $\frac{1}{2n}\sum e_i^2 + \frac{\lambda}{2}\lVert\mathbf{w}\rVert^2$ | $n\lambda$ |
# | scikit-learn, `alpha=α` | $\sum e_i^2 + \alpha\lVert\mathbf{w}\rVert^2$ | $\alpha$ |
# | `MSELoss`, `weight_decay=λ` | $\frac{1}{n}\sum e_i^2 + \frac{\lambda}{2}\lVert\mathbf{w}\rVert^2$ | $n\lambda/2$ |
#
# Multiply the first row by $2n$ and compare: $\alpha = n\lambda$. In the third row $\alpha = n\lambda/2$. Here $n$ is
# the number of training rows, also with minibatches.

# %% [markdown]
# **Do not decay the bias.** The penalty says "prefer small effects". A bias is not an effect but a level: the mean
# trip takes 20 minutes, and pulling that towards 0 is simply wrong.
#
# **Predict first.** We use 40 trips and $\lambda = 0.5$. About what bias results if it is decayed like the weights?
#
# <details><summary>Answer</summary>
#
# Much less than 20. With features of mean 0 the bias alone minimises $\frac12(b - \bar{y})^2 + \frac\lambda2 b^2$, so
# $b = \bar{y}/(1 + \lambda)$, a third lower: about 13 minutes.
#
# </details>

# %%
from sklearn.linear_model import Ridge

few, few_minutes, lam = trips[:40], minutes[:40], 0.5


def fit_decayed(decay_bias):
    """Full-batch SGD with weight decay; return weights and bias as one list."""
    torch.manual_seed(0)
    net = nn.Linear(3, 1)
    groups = [{"params": [net.weight], "weight_decay": lam}, {"params": [net.bias], "weight_decay": lam * decay_bias}]
    optimiser = torch.optim.SGD(groups, lr=0.3)
    for _ in range(300):
        optimiser.zero_grad()
        squared_loss(net(few), few_minutes).backward()
        optimiser.step()
    return [*net.weight.data.ravel().tolist(), net.bias.item()]


# %% [markdown]
# `torch.optim` accepts **parameter groups**, each with its own settings; that is how the bias escapes. (This equality
# holds for SGD. Adam treats the penalty differently; week 6 explains it.)

# %%
n = len(few)
centred, level = few - few.mean(dim=0), few_minutes.mean()
w_ridge = torch.linalg.solve(centred.T @ centred + n * lam * torch.eye(3), centred.T @ (few_minutes - level))
b_ridge = level - (few.mean(dim=0) @ w_ridge).item()
sk = Ridge(alpha=n * lam).fit(few.numpy(), few_minutes.numpy().ravel())

rows = {
    "closed form": [*w_ridge.ravel().tolist(), b_ridge.item()],
    "torch, bias not decayed": fit_decayed(decay_bias=0),
    "scikit-learn, alpha = n λ": [*sk.coef_, sk.intercept_],
    "torch, bias decayed (wrong)": fit_decayed(decay_bias=1),
    "no penalty (truth)": [*w_true.ravel().tolist(), b_true],
}
pd.DataFrame(rows, index=["distance", "headwind", "lights", "bias"]).T.round(3)

# %% [markdown]
# Three programs, one answer; their bias is not exactly 20, because the weights shrank and the features of these 40
# trips do not have mean 0 exactly. In the wrong row the weights are damaged too: they try to do the work of the bias.
#
# Notice that the penalty also pulls *good* weights towards 0: it exchanges some bias (systematic error) for less
# variance. That pays off when there are few rows or many columns. Let us use it on the polynomial of degree 15.

# %%
columns, columns_valid = powers(t_train, 15)[:, 1:], powers(t_valid, 15)[:, 1:]  # no column of ones
centre = columns.mean(dim=0)
lambdas = np.logspace(-9, 2, 45)
paths, curves = [], {"training": [], "validation": []}
for value in lambdas:
    centred = columns - centre
    matrix = centred.T @ centred + len(columns) * value * torch.eye(15, dtype=torch.float64)
    weights = torch.linalg.solve(matrix, centred.T @ (y_train - y_train.mean()))
    paths.append(weights.ravel())
    curves["training"].append(rmse(centred @ weights + y_train.mean(), y_train))
    curves["validation"].append(rmse((columns_valid - centre) @ weights + y_train.mean(), y_valid))
paths = torch.stack(paths)  # (45, 15)

# %% [markdown]
# The figure has two panels with $\lambda$ on a logarithmic axis. Left: the 15 weights (four of them named) start with
# values up to about a thousand, on a vertical axis that is logarithmic outside -1 to 1, and shrink to 0 as $\lambda$
# grows. Right: the training error (solid) only rises; the validation error (dashed) first falls, is best at a
# moderate $\lambda$, and rises again.

# %%
# alt: Two panels over lambda, from tiny to 100. Left: the weights of the powers of t. With little decay many are in
#   the hundreds, of both signs; as lambda grows all shrink towards zero, the high powers first. Right: the training
#   error rises slowly all the way; the validation error falls from several hundred to a minimum of about 1.4 near
#   lambda 0.002, then rises to meet the training error.
fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4))
for j in range(15):
    left.plot(lambdas, paths[:, j], "-", color="#BBBBBB", lw=1)
for power, style, color in [(1, "-", BLUE), (2, "--", ORANGE), (8, ":", GREEN), (15, "-.", "black")]:
    left.plot(lambdas, paths[:, power - 1], style, color=color, lw=2, label=f"weight of t^{power}")
left.legend()
left.set(xscale="log", yscale="symlog", xlabel="λ", ylabel="weight (°C)")
right.plot(lambdas, curves["training"], "-", color=BLUE, label="training")
right.plot(lambdas, curves["validation"], "--", color=ORANGE, label="validation")
right.axhline(1, ls=":", color=GREY, label="noise")
right.set(xscale="log", yscale="log", xlabel="λ", ylabel="RMSE (°C)")
right.legend()
plt.show()

# %% [markdown]
# So we can keep the flexible model and let $\lambda$ decide how much of its freedom is used. Standardise features
# before you penalise them: otherwise a feature measured in millimetres is punished less than the same one in metres.

# %% [markdown]
# ## 16. K-fold cross-validation
#
# With 20 measurements, nobody can spare 500 more for validation. **K-fold cross-validation** uses every row for both
# purposes, at different times:
#
# 1. shuffle the rows and cut them into $K$ parts (folds) of nearly equal size;
# 2. for each fold: train on the other $K - 1$ folds, measure the error on this one;
# 3. average the $K$ errors.
#
# The price: $K$ trainings instead of one.


# %%
def kfold(n, k, seed=0):
    """Yield (training rows, validation rows) k times; every row is validated exactly once."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    folds = torch.tensor_split(order, k)  # sizes differ by at most one
    for i in range(k):
        yield torch.cat([fold for j, fold in enumerate(folds) if j != i]), folds[i]


for train_rows, valid_rows in kfold(n=10, k=3):
    print("train", sorted(train_rows.tolist()), "  validate", sorted(valid_rows.tolist()))

# %% [markdown]
# **Predict first.** Which degree will 5-fold cross-validation choose with only the 20 measurements? Exactly the same
# as the 500 validation points chose?
#
# <details><summary>Answer</summary>
#
# Often the same or a neighbour, but this is not certain. Each fold holds four points, so the estimate is noisy. It is
# good enough to reject degree 1 and degree 15, and not good enough to separate neighbours. Report the spread, not
# only the mean.
#
# </details>

# %%
for degree in (0, 1, 2, 3, 4, 5, 6, 8, 10, 15):
    fold_errors = []
    for fit_rows, check_rows in kfold(len(t_train), k=5):  # Try it: k=20 (leave one out)
        w_poly = torch.linalg.lstsq(powers(t_train[fit_rows], degree), y_train[fit_rows]).solution
        fold_errors.append(rmse(powers(t_train[check_rows], degree) @ w_poly, y_train[check_rows]))
    mean, low, high = np.mean(fold_errors), min(fold_errors), max(fold_errors)
    print(f"degree {degree:2d}: mean RMSE {mean:8.3g} °C   folds from {low:5.2g} to {high:8.3g}")

# %% [markdown]
# ## 17. Leakage: a score too good to be true
#
# **Leakage** means that something from the validation rows reached the fitting. Here is a case that really happens.
# We take 100 houses and describe each by 2,000 **lottery numbers**: pure noise. We keep the 20 columns that correlate
# best with the price, then cross-validate a linear model. The score is $R^2$: 1 is perfect, 0 is as good as always
# saying the mean, below 0 is worse.

# %%
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.model_selection import KFold, cross_val_score

rng = np.random.default_rng(0)
sample = houses.sample(100, random_state=0)
lottery = rng.normal(size=(100, 2000))  # knows nothing about houses
log_price = np.log(sample["price"].to_numpy())
folds = KFold(5, shuffle=True, random_state=0)

selected = SelectKBest(f_regression, k=20).fit_transform(lottery, log_price)  # the mistake: all 100 rows were used
leaky = cross_val_score(LinearRegression(), selected, log_price, cv=folds, scoring="r2")
print(f"R² of lottery numbers: {leaky.mean():.2f}")

# %% [markdown]
# **Predict first.** Lottery numbers seem to explain house prices! Cross-validation was used. Where is the mistake,
# and what should the honest $R^2$ be?
#
# <details><summary>Answer</summary>
#
# The 20 columns were chosen with all 100 prices, so with the validation prices too. Among 2,000 random columns some
# fit any 100 prices by luck, in all folds. Honest: 0 or less, because 20 useless weights add error.
#
# </details>

# %%
from sklearn.pipeline import make_pipeline

honest_model = make_pipeline(SelectKBest(f_regression, k=20), LinearRegression())  # Try it: k=5
honest = cross_val_score(honest_model, lottery, log_price, cv=folds, scoring="r2")
print(f"selection outside the folds (leaky): R² {leaky.mean():5.2f}")
print(f"selection inside each fold (honest): R² {honest.mean():5.2f}")

# %% [markdown]
# A scikit-learn **Pipeline** is one object made of steps. In each fold, `fit` runs all steps on the training rows
# only; the validation rows are only transformed.
#
# The rule: **everything that learns from data goes inside the fold**: means and deviations, filled-in missing values,
# selected columns, category averages, the choice of $\lambda$. Some leaks (a mean) change little, some (selection,
# labels) change everything; do not try to guess which.

# %% [markdown]
# ## 18. A real result: what is a house in Ames worth?
#
# We predict the **logarithm** of the price. Price errors are proportional: 10,000 dollars is much for a small house
# and little for a large one. An error of $\delta$ in the logarithm is a factor $e^\delta$ in the price; for small
# $\delta$ this is nearly $100\,\delta$ per cent.
#
# First, one fifth of the sales becomes the test set. (In a real project this is the very first step, before any
# picture.)

# %%
from sklearn.model_selection import train_test_split

columns = [
    "area",
    "Overall.Qual",
    "Overall.Cond",
    "Year.Built",
    "Total.Bsmt.SF",
    "Garage.Area",
    "Lot.Area",
    "Fireplaces",
]
work, test = train_test_split(houses, test_size=0.2, random_state=0)
work_log = np.log(work["price"])
print("sales to work with:", len(work), "  test sales:", len(test))
print("missing values:", {name: int(count) for name, count in houses[columns].isna().sum().items() if count})

# %% [markdown]
# The areas and lot sizes (`.SF` is square feet) are numbers, quality and condition are grades from 1 to 10. Two
# columns have one missing value each. The pipeline fills it with the median, standardises and fits ridge, all inside
# each fold.
#
# We report the median error in per cent and the share of houses within 10 % of their price.

# %%
from sklearn.impute import SimpleImputer
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import StandardScaler


def per_cent_errors(log_prediction, log_label):
    """Error of the price in per cent; positive: predicted too high."""
    return 100 * (np.exp(log_prediction - log_label) - 1)


print("alpha        RMSE of log   median error   within 10 %")
for alpha in (0.1, 10, 100, 1000, 10000):  # Try it: other values
    price_model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), Ridge(alpha=alpha))
    predicted = cross_val_predict(price_model, work[columns], work_log, cv=folds)
    off = per_cent_errors(predicted, work_log)
    log_rmse = np.sqrt(np.mean((predicted - work_log) ** 2))
    print(f"{alpha:7}   {log_rmse:12.3f} {off.abs().median():12.1f} % {100 * (off.abs() < 10).mean():11.0f} %")
same = per_cent_errors(work_log.mean(), work_log).abs()  # the simplest answer: one price for all
print(f"  same   {work_log.std():12.3f} {same.median():12.1f} % {100 * (same < 10).mean():11.0f} %")

# %% [markdown]
# Eight numbers per house bring the typical error to under one tenth of the price. The penalty hardly matters until it
# is very large: with thousands of rows and eight columns there is little to overfit. An honest remark like this is a
# result too.
#
# Now look at the mistakes. These predictions come from `cross_val_predict`: each house is predicted by a model that
# has not seen it.

# %%
# alt: Scatter plot of the residuals of the logarithmic price against the predicted price. Most points, of normal
#   sales and of others, lie in an even band within 0.3 around zero. Below zero stand some houses of the other kinds
#   of sale: two near -1.65, and one extreme at -2.9 whose predicted price is near three million dollars.
price_model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), Ridge(alpha=10))
predicted = cross_val_predict(price_model, work[columns], work_log, cv=folds)
residual = work_log - predicted
normal = (work["Sale.Condition"] == "Normal").to_numpy()

plt.scatter(np.exp(predicted[normal]) / 1000, residual[normal], s=8, color=BLUE, alpha=0.4, label="normal sale")
plt.scatter(np.exp(predicted[~normal]) / 1000, residual[~normal], s=16, marker="x", color=ORANGE, label="other sale")
plt.axhline(0, color="black", lw=1)
plt.xscale("log")
plt.xlabel("predicted price (thousand dollars, logarithmic)")
plt.ylabel("log(price) − predicted log(price)")
plt.legend()
plt.show()

# %% [markdown]
# The figure shows the residual (true minus predicted logarithm) against the predicted price. Most dots form an even
# band around 0. The points far below are houses that sold for much less than predicted, and many are crosses: sales
# that were not normal. One house stands alone at the far right, with an absurd prediction.

# %%
worst = residual.abs().sort_values(ascending=False).index[:8]
table = work.loc[worst, ["price", "area", "Overall.Qual", "Year.Built", "Neighborhood", "Sale.Condition"]].copy()
table.insert(1, "predicted", np.exp(work_log[worst] - residual[worst]).round(-2).astype(int))
table

# %% [markdown]
# What the worst mistakes tell us:
#
# - One huge new house of the best quality in Edwards was a **Partial** sale: not completed when it was last assessed.
#   The recorded price may not pay for the finished house. It is one of the dots at the bottom right of our first
#   figure.
# - **Abnorml** sales (forced sales, trades) and **Family** sales do not follow the market.
# - All these were predicted too *high*. Something that we did not measure made them cheap.
#
# These are possible reasons, not proofs. The next step would be to read the records.

# %% [markdown]
# May we now delete the bad points? Not because they are badly predicted: then any model would look good. But you may
# restrict the **question**, by a rule known before the sale and stated in the report: "we predict normal market
# sales". De Cock, who published the data, suggests a similar rule for houses above 4,000 square feet.
#
# Now the test set, once.

# %%
test_log = np.log(test["price"])
price_model.fit(work[columns], work_log)
off = per_cent_errors(price_model.predict(test[columns]), test_log)
usual = test["Sale.Condition"] == "Normal"
print(f"test, all sales:     median error {off.abs().median():.1f} %")
print(f"test, normal sales:  median error {off[usual].abs().median():.1f} % (a narrower question)")
print(f"test, within 10 % of the price: {100 * (off.abs() < 10).mean():.0f} % of all houses")
weights = pd.Series(price_model[-1].coef_, index=columns).sort_values(ascending=False)
print("\nfactor on the price for one standard deviation more:")
print(np.exp(weights).round(3).to_string())

# %% [markdown]
# The test error is close to the cross-validated one: the estimate was honest. The factors describe *this model*, not
# causes: adding a fireplace does not by itself raise the price by that factor, because houses with fireplaces differ
# in other ways too.
#
# You have trained, checked and criticised a real model. Every project in this course repeats these steps.

# %% [markdown]
# ## Summary
#
# - Model $\hat{\mathbf{y}} = \mathbf{X}\mathbf{w} + b$; the squared loss belongs to Gaussian noise and is sensitive
#   to outliers.
# - The gradient is $\mathbf{X}^\top\mathbf{e}/n$; setting it to zero gives the normal equation.
# - Nearly equal columns: predictions fine, weights meaningless. Use `lstsq`, ridge, or remove a column.
# - Training is predict, loss, backward, step; the learning rate depends on the scale of the features.
# - Training data fit, validation data choose, test data report once.
# - Weight decay shrinks weights, not the bias; scikit-learn's $\alpha = n\lambda$ for D2L's loss.
# - Everything that learns from data goes inside the fold.

# %% [markdown]
# ### Common mistakes
#
# | what you see | likely cause | cure |
# | --- | --- | --- |
# | weights near 0, bias = mean | `(n, 1) - (n,)`, or `X`, `y` shuffled apart | compare shapes; one index for both |
# | loss `inf` or `nan` | raw features, rate too large, sum for mean | standardise; divide the rate by 10 |
# | "leaf Variable … in-place" | update outside `no_grad` | `with torch.no_grad():` |
# | `grad` is `None` after a step | `w = w - …` made a new tensor | `w -= …` |
# | training becomes unstable after some steps | gradients never set to zero | `zero_grad()` every step |
# | ridge differs from scikit-learn | factor $n$ or ½; bias decayed | $\alpha = n\lambda$; parameter groups |
# | score too good | leakage | Pipeline inside the folds |

# %% [markdown]
# ### Read more
#
# - *Dive into Deep Learning*, English 1.0: sections 3.1 to 3.7; Chinese second edition: 3.1 to 3.3, 4.4, 4.5.
# - A.-M. Legendre (1805), *Nouvelles méthodes pour la détermination des orbites des comètes*, and C. F. Gauss (1809),
#   *Theoria motus corporum coelestium*: least squares.
# - H. Robbins, S. Monro (1951), *A stochastic approximation method*.
# - A. E. Hoerl, R. W. Kennard (1970), *Ridge regression: biased estimation for nonorthogonal problems*.
# - M. Stone (1974), *Cross-validatory choice and assessment of statistical predictions*.
# - D. De Cock (2011), *Ames, Iowa: alternative to the Boston housing data as an end of semester regression project*.

# %% [markdown]
# ### What the assignment asks
#
# 1. Make synthetic data.
# 2. Write a minibatch iterator.
# 3. Prediction and loss with exact shapes.
# 4. SGD by hand.
# 5. A training loop that recovers the weights.
# 6. The closed form, also when it is ill-conditioned.
# 7. The same model as a `d2l.Module`.
# 8. Ridge equal to scikit-learn's.
# 9. Split rows into K folds.
# 10. Cross-validation on Ames without leakage.
#
# And in your own words: one explanation, and a short weekly report (what you learnt, what you are stuck on, what you
# do next).
#
# If a test fails, read its message first: it says what was compared. Start today with exercises 1 to 3; they are
# short.
