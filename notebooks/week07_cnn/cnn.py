# %% [markdown]
# # Convolutional networks
#
# Week 7. A dense layer treats an image as a list of numbers. A convolution knows that pixels have neighbours, and that
# a shoe is a shoe wherever it stands. You will build this layer from its parts, look inside it, count what it costs,
# and train the network that started it all, LeNet.

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
# - derive the convolution from the dense layer, and say which two assumptions it makes;
# - compute output sizes with padding, stride and dilation in your head;
# - choose between standard, dilated, grouped, separable and deformable convolution, and count parameters and
#   multiply-adds of each;
# - pool, compute what a unit can see, and measure it;
# - train LeNet, then and now, and look at its filters, feature maps and mistakes.
#
# **Time:** about three and a half hours of reading and trying; all cells together run in one to three minutes. **Builds
# on:** autograd (week 2), cross-entropy (week 4), MLPs and initialisation (week 5), optimisers and schedules (week 6).

# %% [markdown]
# Run the cells in order. In a cell marked **Try it**, change the marked line and run the cell again. Answer each
# **Predict first** question before you open the answer.

# %%
import copy
import math
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_sample_image
from torch import nn
from torch.nn import functional as F
from torchvision.ops import deform_conv2d

from dlcourse import data

torch.manual_seed(7)
device = "cuda" if torch.cuda.is_available() else "cpu"
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"  # distinct also for colour-blind readers
plt.rcParams.update({"figure.figsize": (7, 4), "axes.grid": True, "grid.alpha": 0.3})
print("training will use:", device)


def show(panel, image, title="", **how):
    """Draw an image (h, w) in grey without axes."""
    panel.imshow(image.detach().cpu(), **{"cmap": "gray", **how})
    panel.set_title(title, fontsize=10)
    panel.axis("off")


# %% [markdown]
# ## 1. What a dense layer does not know
#
# We train a small MLP on Fashion-MNIST for three epochs, then move the *test* images a few pixels to the right. A shirt
# that stands four pixels further right is still a shirt.
#
# **Predict first.** By how much does the accuracy fall when all images move by four of their 28 pixels?
#
# <details><summary>Answer</summary>
#
# It is more than halved. The MLP learnt one weight for each pixel. What it knows about column 10 says nothing about
# column 14.
#
# </details>

# %%
X, y = (part.to(device) for part in data.fashion_mnist("train"))  # (12000, 1, 28, 28), (12000,)
X_test, y_test = (part.to(device) for part in data.fashion_mnist("test"))


def run_epoch(net, X, y, optimiser, schedule, mirror=True):
    """Train for one epoch in random order, mirroring half of the images; return the mean loss."""
    net.train()
    total = 0.0
    for rows in torch.randperm(len(X), device=X.device).split(64):
        images = X[rows]
        if mirror:
            images = torch.where(torch.rand(len(rows), 1, 1, 1, device=X.device) < 0.5, images.flip(3), images)
        loss = F.cross_entropy(net(images), y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        total += loss.item() * len(rows)
    return total / len(X)


def predict(net, X):
    """Classes of images, in evaluation mode."""
    net.eval()
    with torch.no_grad():
        return torch.cat([net(part).argmax(dim=1) for part in X.split(1000)])


# %%
def train(net, epochs, lr, X=X, y=y, report=True):
    """AdamW with a learning rate that rises to lr and falls to 0; return loss and test accuracy of each epoch."""
    net.to(device, memory_format=torch.channels_last)  # a faster order of the numbers in memory, same results
    optimiser = torch.optim.AdamW(net.parameters(), lr=lr)
    steps = epochs * math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps)
    history, start = [], time.perf_counter()
    for epoch in range(epochs):
        loss = run_epoch(net, X, y, optimiser, schedule)
        accuracy = (predict(net, X_test) == y_test).float().mean().item()
        history.append((loss, accuracy))
        if report:
            spent = time.perf_counter() - start
            print(f"epoch {epoch + 1:2d}: loss {loss:.3f}, test accuracy {accuracy:.4f}, {spent:.0f} s")
    return history


def shifted(X, pixels):
    """Move images to the right; zeros come in from the left."""
    return F.pad(X, (pixels, 0))[..., : X.shape[3]]


# %%
torch.manual_seed(7)
mlp = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
train(mlp, 3, 0.002)
shifts = range(7)
mlp_shifts = [(predict(mlp, shifted(X_test, s)) == y_test).float().mean().item() for s in shifts]
for s in shifts:
    print(f"moved by {s}: accuracy {mlp_shifts[s]:.3f}")

# %% [markdown]
# (We look at the test accuracy after each epoch to draw curves. We choose nothing by it.)

# %% [markdown]
# The second problem is size. A dense layer between two images of 28 × 28 pixels has $784 \cdot 784$ weights. For a
# photograph of a megapixel it would have $10^{12}$.

# %% [markdown]
# ## 2. Two assumptions
#
# 1. **Locality.** What is at a place in the image can be recognised from the pixels near by. All other weights are 0.
# 2. **Translation.** The same thing looks the same elsewhere. All places share the *same* weights.
#
# The next cell counts what remains.

# %%
pixels = 28 * 28
print(f"dense layer from 28 × 28 to 28 × 28:    {pixels * pixels:7d} weights")
print(f"local: each output sees 5 × 5 pixels:   {pixels * 25:7d}")
print(f"local and shared: one kernel for all:   {25:7d}")

# %% [markdown]
# A layer with both assumptions is a dense layer still, with a special weight matrix. The figure shows the 16 × 36
# matrix of a 3 × 3 kernel on images of 6 × 6 pixels: each row belongs to one of the $4 \times 4$ outputs and has
# the same nine numbers, at the places of its nine pixels; white is 0. From row to row the pattern moves one pixel to
# the right, and after four rows to the next line of the image.

# %%
# alt: A matrix of 16 rows and 36 columns in grey, white for 0. Each row holds three groups of three squares, getting
#   darker from group to group, with white between them. From row to row the pattern moves one column to the right;
#   after every four rows it moves three columns, so that it forms stairs from the upper left to the lower right.
kernel = torch.arange(1.0, 10.0).reshape(3, 3)
# One image for each pixel, with a 1 there: what the layer makes of it is one column of the matrix.
columns = F.conv2d(torch.eye(36).reshape(36, 1, 6, 6), kernel[None, None]).flatten(1)  # (36, 16)
fig, panel = plt.subplots(figsize=(8, 3.8))
panel.imshow(columns.T, cmap="gray_r")
panel.set(xlabel="input pixel, row after row", ylabel="output, row after row")
panel.grid(False)
plt.show()

# %% [markdown]
# ## 3. Cross-correlation
#
# In two dimensions, with an image $\mathbf{X}$ $(h, w)$ and a kernel $\mathbf{K}$ $(a, b)$:
#
# $$Y_{ij} = \sum_{u=0}^{a-1} \sum_{v=0}^{b-1} K_{uv}\, X_{i+u,\,j+v} \qquad \text{shape } (h-a+1,\; w-b+1)$$
#
# Lay the kernel on the image with its corner at $(i, j)$, multiply what lies on each other, add up. In one dimension it
# fits into one line:

# %%
signal = torch.tensor([0.0, 0, 1, 1, 1, 0, 0, 2, 2, 0])
step = torch.tensor([-1.0, 1.0])
by_hand = torch.stack([(signal[i : i + 2] * step).sum() for i in range(len(signal) - 1)])
print("signal: ", signal.tolist())
print("by hand:", by_hand.tolist())
print("PyTorch:", F.conv1d(signal[None, None], step[None, None])[0, 0].tolist())

# %% [markdown]
# The kernel $(-1, 1)$ is a difference of neighbours. It answers $+1$ where the signal rises by 1 and $-2$ where it
# falls by 2: it finds **edges**.
#
# A mathematician's *convolution* turns the kernel around first: $\sum_u K_u X_{i-u}$. Networks do not, and call it
# convolution all the same. Since the kernel is learnt, it does not matter: training finds the turned one. It matters
# only when you compare with `np.convolve` or `scipy.signal.convolve`.

# %%
print("cross-correlation:", np.correlate(signal.numpy(), step.numpy(), mode="valid").tolist())
print("convolution:      ", np.convolve(signal.numpy(), step.numpy(), mode="valid").tolist())

# %% [markdown]
# ## 4. Kernels on a photograph
#
# A kernel of nine numbers can blur, sharpen or find edges. The figure shows a photograph of a Chinese temple and what
# three kernels make of it. The mean of 9 × 9 pixels blurs it. The next two show grey where nothing happens, and white
# or black at edges: one finds *vertical* edges (columns, left and right ends of the roof), the other *horizontal* ones
# (the lines of the roof).


# %%
# alt: Four pictures. A temple with curved roofs, a tree and a lake in front of the sky, in grey; the same blurred;
#   its vertical edges, a grey plane in which upright outlines stand out in white on one side and black on the other;
#   and its horizontal edges, in which the lines of the roofs stand out instead.
def photograph(name):
    """A photograph of scikit-learn: float32 (1, 3, h, w), from 0 to 1."""
    return torch.tensor(load_sample_image(name)).permute(2, 0, 1)[None].float() / 255


temple = photograph("china.jpg")
grey = temple.mean(dim=1, keepdim=True)  # (1, 1, 427, 640)
across = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])  # dark to the right: positive
kernels = {"blur": torch.full((9, 9), 1 / 81), "vertical edges": across, "horizontal edges": across.T}
fig, panels = plt.subplots(2, 2, figsize=(11, 7.6))
show(panels[0, 0], grey[0, 0], "photograph")
for panel, (name, kernel) in zip(panels.flat[1:], kernels.items(), strict=True):
    image = F.conv2d(grey, kernel[None, None])[0, 0]  # Try it: a kernel of your own
    limit = {} if name == "blur" else {"vmin": -1.5, "vmax": 1.5}
    show(panel, image, f"{name}, {tuple(image.shape)}", **limit)
plt.tight_layout()
plt.show()

# %% [markdown]
# **Predict first.** All nine entries of an edge kernel add up to 0. What does such a kernel answer on a wall of one
# colour, and what if somebody makes the whole photograph brighter by 0.2?
#
# <details><summary>Answer</summary>
#
# 0, and the same as before: a constant that is added to all pixels is multiplied by the sum of the entries, which is 0.
# That is one reason why such kernels are useful.
#
# </details>

# %% [markdown]
# ## 5. Padding and stride
#
# With a kernel of $k$ pixels an image loses $k - 1$ pixels along each axis. **Padding** adds $p$ zeros at each end.
# **Stride** $s$ moves the kernel by $s$ pixels at a time. With **dilation** $d$ (section 8) it spans
# $d(k-1)+1$ pixels. Along one axis of $n$ pixels:
#
# $$n_{\text{out}} = \left\lfloor \frac{n + 2p - d(k-1) - 1}{s} \right\rfloor + 1$$

# %% [markdown]
# **Predict first.** Which sizes come out? (a) $n = 28$, $k = 5$; (b) the same with $p = 2$; (c) $n = 224$, $k = 7$,
# $p = 3$, $s = 2$; (d) $n = 10$, $k = 3$, $s = 2$.
#
# <details><summary>Answer</summary>
#
# (a) 24; (b) 28: $p = (k-1)/2$ keeps the size, which is why kernels are odd; (c) $\lfloor 223/2 \rfloor + 1 = 112$:
# half the size; (d) $\lfloor 7/2 \rfloor + 1 = 4$. The last pixel is never used.
#
# </details>

# %%
for n, k, p, s in [(28, 5, 0, 1), (28, 5, 2, 1), (224, 7, 3, 2), (10, 3, 0, 2)]:  # Try it: other numbers
    out = nn.Conv1d(1, 1, k, stride=s, padding=p)(torch.zeros(1, 1, n)).shape[2]
    print(f"n = {n:3d}, kernel {k}, padding {p}, stride {s}: {out}")

# %% [markdown]
# Zeros are not neutral. A kernel that lies half in the padding sees an edge where the image ends. The figure shows the
# vertical edges of a plain grey image of 5 × 8 pixels with padding 1: only the left and the right border light up, dark
# on one side and bright on the other, although the image has no edges.

# %%
# alt: A small grey plane of 5 by 8 pixels. The leftmost column is black, the rightmost white, everything between is
#   one grey; the corners are a little weaker.
plain = torch.full((1, 1, 5, 8), 0.5)
fig, panel = plt.subplots(figsize=(4, 2.4))
show(panel, F.conv2d(plain, across[None, None], padding=1)[0, 0])
plt.show()
print(F.conv2d(plain, across[None, None], padding=1)[0, 0, 2].tolist())

# %% [markdown]
# ## 6. A learnt edge detector
#
# Nobody told the eye which kernels to use. We hide a kernel, show pairs (photograph, its edges), and let gradient
# descent find it. The image is a flower; the hidden kernel is the *horizontal* edge detector.
#
# The gradient of a kernel entry is a sum over all places: shared weights collect evidence from the whole image. That is
# why one image is enough.

# %%
flower = photograph("flower.jpg").mean(dim=1, keepdim=True)[..., 130:290, 200:440]
flower = flower - flower.mean()  # without the mean, learning is much faster: try it with this line removed
target = F.conv2d(flower, across.T[None, None])
torch.manual_seed(0)
layer = nn.Conv2d(1, 1, 3, bias=False)
optimiser = torch.optim.Adam(layer.parameters(), lr=0.05)
losses, snapshots = [], {0: layer.weight.detach()[0, 0].clone()}
for update in range(1, 301):
    loss = F.mse_loss(layer(flower), target)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    losses.append(loss.item())
    if update in (20, 60, 300):
        snapshots[update] = layer.weight.detach()[0, 0].clone()
print(layer.weight.detach()[0, 0].round(decimals=2))

# %% [markdown]
# The figure shows the flower, the edges that the layer was shown, the kernel after 0, 20, 60 and 300 updates (white is
# positive, black negative), and the loss on a logarithmic axis. From random grey the kernel turns into a bright upper
# and a dark lower row, and the loss falls by many orders of magnitude.

# %%
# alt: Seven panels: a flower in grey; its horizontal edges; the kernel of 3 by 3 squares at updates 0, 20, 60 and
#   300, from irregular greys to a bright upper row, a grey middle row and a dark lower row; and the loss, which falls
#   over 300 updates on a logarithmic axis by many orders of magnitude.
fig, panels = plt.subplots(1, 7, figsize=(15, 2.6), width_ratios=[2, 2, 1, 1, 1, 1, 2])
show(panels[0], flower[0, 0], "photograph")
show(panels[1], target[0, 0], "edges", vmin=-1, vmax=1)
for panel, (update, kernel) in zip(panels[2:6], snapshots.items(), strict=True):
    show(panel, kernel, f"update {update}", vmin=-2, vmax=2)
panels[6].plot(losses, color=BLUE)
panels[6].set(yscale="log", xlabel="update", title="loss")
plt.tight_layout()
plt.show()

# %% [markdown]
# ## 7. Channels, and the 1 × 1 convolution
#
# A colour image has three channels, a hidden layer may have hundreds. A kernel then has a plane for *each input
# channel*; the products of all planes are added up to one number. Each *output channel* has a kernel of its own.
#
# | what | shape |
# | --- | --- |
# | input $\mathbf{X}$ | $(n, c_{in}, h, w)$ |
# | weight $\mathbf{W}$ | $(c_{out}, c_{in}, k, k)$ |
# | bias $\mathbf{b}$ | $(c_{out},)$ |
# | output $\mathbf{Y}$ | $(n, c_{out}, h', w')$ |

# %%
layer = nn.Conv2d(3, 8, 5, padding=2)
print("weight", tuple(layer.weight.shape), "bias", tuple(layer.bias.shape), "output", tuple(layer(temple).shape))
one = layer(temple)[0, 6, 100, 200]
patch = temple[0, :, 98:103, 198:203]  # the 3 × 5 × 5 numbers that this output sees
print("the same by hand:", torch.allclose(one, (patch * layer.weight[6]).sum() + layer.bias[6], atol=1e-5))

# %% [markdown]
# **Predict first.** A 1 × 1 kernel sees a single pixel. What is it good for?
#
# <details><summary>Answer</summary>
#
# It mixes channels. At each pixel it is a dense layer from $c_{in}$ to $c_{out}$ numbers, the same at all pixels. It
# turns many channels into few (to save work) or few into many. Turning colour into grey is a 1 × 1 convolution.
#
# </details>

# %%
mix = nn.Conv2d(3, 2, 1, bias=False)
dense = nn.Linear(3, 2, bias=False)
dense.weight.data = mix.weight.data[:, :, 0, 0]  # (2, 3)
channels_last = temple.permute(0, 2, 3, 1)  # (1, h, w, 3): nn.Linear works on the last axis
print("1 × 1 convolution = dense layer at each pixel:",
      torch.allclose(mix(temple), dense(channels_last).permute(0, 3, 1, 2), atol=1e-6))  # fmt: skip
to_grey = F.conv2d(temple, torch.full((1, 3, 1, 1), 1 / 3))
print("grey = 1 × 1 convolution:", torch.allclose(to_grey, grey, atol=1e-6))

# %% [markdown]
# ## 8. Five ways to convolve
#
# A standard 3 × 3 layer looks at nine neighbouring pixels of *all* channels. Each variant changes one thing:
#
# - **dilated:** the nine pixels stand $d$ apart. A larger view for the same nine weights. With $d > 1$ alone, pixels
#   between them are never seen;
# - **grouped:** channels are cut into $g$ blocks that do not talk to each other: $g$ times fewer weights. With
#   $g = c_{in}$ it is called **depthwise**: one kernel for each channel;
# - **separable:** depthwise (looks around, does not mix channels), then 1 × 1 (mixes channels, does not look around);
# - **deformable:** the layer computes from the image *where* its nine samples are taken.

# %% [markdown]
# The figure shows where nine samples are taken on a grid of 9 × 9 pixels, as dots. Standard: a block of 3 × 3. Dilated
# with $d = 3$: the same block stretched over 7 × 7. Deformable: the block with each dot moved by an offset of its own,
# also between pixels, where the value is interpolated from the four around it.

# %%
# alt: Three grids with nine dots each. Standard: a tight block of 3 by 3 in the middle. Dilated with d = 3: the same
#   block with gaps of three pixels. Deformable: nine dots around the middle in no regular order, also between pixels.
rows, cols = torch.meshgrid(torch.arange(-1.0, 2), torch.arange(-1.0, 2), indexing="ij")
torch.manual_seed(2)
offsets = 0.9 * torch.randn(2, 3, 3)
samples = {
    "standard": (rows, cols),
    "dilated, d = 3": (3 * rows, 3 * cols),
    "deformable": (rows + offsets[0], cols + offsets[1]),
}
fig, panels = plt.subplots(1, 3, figsize=(10, 3.4))
for panel, (name, (r, c)) in zip(panels, samples.items(), strict=True):
    panel.plot(c.flatten(), r.flatten(), "o", color=BLUE, ms=9)
    panel.set(title=name, xticks=range(-4, 5), yticks=range(-4, 5), xlim=(-4.5, 4.5), ylim=(4.5, -4.5))
    panel.set_aspect("equal")
plt.tight_layout()
plt.show()

# %% [markdown]
# **Groups**, made visible: six channels in, six out, two groups. We set one *input* channel at a time to 1 and look
# which *output* channels answer. The figure is a table of 6 × 6 squares, dark where there is an answer: two dark blocks
# on the diagonal for two groups, the diagonal alone for depthwise, everything for a standard layer.

# %%
# alt: Three tables of 6 by 6 squares, output against input channel. With one group all squares are dark; with two
#   groups two blocks of 3 by 3 on the diagonal are dark; with six groups only the six squares on the diagonal.
fig, panels = plt.subplots(1, 3, figsize=(9, 3))
for panel, groups in zip(panels, (1, 2, 6), strict=True):
    layer = nn.Conv2d(6, 6, 3, padding=1, groups=groups, bias=False)
    answers = layer(torch.eye(6)[:, :, None, None].expand(6, 6, 5, 5)).abs().sum(dim=(2, 3)) > 0
    show(
        panel, answers.float().T, f"groups={groups}, weight {tuple(layer.weight.shape)}", cmap="gray_r", vmin=0, vmax=1
    )
    panel.axis("on")
    panel.set(xlabel="input channel", ylabel="output channel")
    panel.grid(False)
plt.tight_layout()
plt.show()

# %% [markdown]
# **Separable** convolution bets that looking around and mixing channels can be done one after the other. Not every
# kernel can be split so. But the price is much lower:
#
# | layer, $k \times k$, output $h' \times w'$ | parameters (no bias) | multiply-adds |
# | --- | --- | --- |
# | standard | $c_{in}\, c_{out}\, k^2$ | parameters $\cdot\, h' w'$ |
# | $g$ groups | $c_{in}\, c_{out}\, k^2 / g$ | parameters $\cdot\, h' w'$ |
# | separable | $c_{in}\, k^2 + c_{in}\, c_{out}$ | parameters $\cdot\, h' w'$ |
#
# A **multiply-add** is one product that is added to a sum. Each weight is used once for each output pixel.

# %% [markdown]
# **Predict first.** 64 channels in, 64 out, 3 × 3. How many times cheaper is the separable layer?
#
# <details><summary>Answer</summary>
#
# $64 \cdot 64 \cdot 9 = 36{,}864$ against $64 \cdot 9 + 64 \cdot 64 = 4{,}672$: almost 8 times. In general the factor
# is $1/(1/c_{out} + 1/k^2)$: for 3 × 3 it is close to 9 when there are many channels.
#
# </details>

# %%
designs = {
    "standard 5 × 5": [nn.Conv2d(64, 64, 5, padding=2, bias=False)],
    "standard 3 × 3": [nn.Conv2d(64, 64, 3, padding=1, bias=False)],
    "dilated 3 × 3, d = 2": [nn.Conv2d(64, 64, 3, padding=2, dilation=2, bias=False)],
    "grouped 3 × 3, g = 4": [nn.Conv2d(64, 64, 3, padding=1, groups=4, bias=False)],
    "separable 3 × 3": [
        nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False),
        nn.Conv2d(64, 64, 1, bias=False),
    ],
    "1 × 1": [nn.Conv2d(64, 64, 1, bias=False)],
}
image, costs = torch.randn(8, 64, 28, 28), {}
print(f"{'64 to 64 channels, 28 × 28':28s} parameters  multiply-adds   time for 8 images")
for name, layers in designs.items():
    stack, weights = nn.Sequential(*layers), sum(layer.weight.numel() for layer in layers)
    with torch.no_grad():
        stack(image)
        start = time.perf_counter()
        for _ in range(5):
            stack(image)
    costs[name] = (weights, weights * 28 * 28, (time.perf_counter() - start) / 5)
    print(f"{name:28s} {weights:10,d} {costs[name][1]:14,d}   {1000 * costs[name][2]:6.1f} ms")

# %% [markdown]
# The figure draws multiply-adds (left) and measured time (right) as bars, one row for each design. Both become shorter
# downwards (but for the two equal counts of the 3 × 3 layers), not by the same factor. The separable layer needs 22
# times fewer multiply-adds than the 5 × 5 layer; on the machine where this was written it was about ten times faster.
# Depthwise layers read many numbers and compute little with each. The two 3 × 3 layers have equal counts and different
# times. **Multiply-adds are a promise, time is the proof.** Measure on the machine that matters.

# %%
# alt: Bars for six layers: standard 5 by 5, standard 3 by 3, dilated, grouped, separable and 1 by 1. Left,
#   multiply-adds: about 80 million for 5 by 5, 29 for both the standard and the dilated 3 by 3, 7 with four groups, 4
#   for separable and 3 for 1 by 1. Right, the measured time: it tends to become shorter in the same order, by other
#   factors.
fig, panels = plt.subplots(1, 2, figsize=(12, 3.2), sharey=True)
for panel, place, label in [(panels[0], 1, "million multiply-adds"), (panels[1], 2, "milliseconds for 8 images")]:
    scale = 1e-6 if place == 1 else 1e3
    panel.barh(list(costs), [cost[place] * scale for cost in costs.values()], color=BLUE)
    panel.set_xlabel(label)
panels[0].invert_yaxis()
plt.tight_layout()
plt.show()

# %% [markdown]
# **Deformable** convolution has two layers. A small convolution computes 18 numbers for each output pixel: two offsets
# (down, right) for each of the nine samples. The second layer samples the image there. Both are learnt, because
# interpolation has a gradient. It costs more time, and is used in detectors, where objects come in all shapes.

# %% [markdown]
# We check what it does with offsets that we choose: with zeros it is the standard layer; with "one pixel to the right"
# for all samples it is the standard layer of the moved image.

# %%
weight = torch.randn(4, 1, 3, 3)
small = grey[..., 100:140, 100:140]
offset = torch.zeros(1, 18, 38, 38)  # (n, 2 · 3 · 3, h', w'): (down, right) for each of nine samples
print("offsets 0:  ", torch.allclose(deform_conv2d(small, offset, weight), F.conv2d(small, weight), atol=1e-5))
offset[:, 1::2] = 1.0  # every second number is the offset to the right
moved = F.conv2d(F.pad(small, (0, 1))[..., 1:], weight)
print("offsets 1:  ", torch.allclose(deform_conv2d(small, offset, weight), moved, atol=1e-5))
offset[:, 1::2] = 0.5  # Try it: between two pixels, the mean of both is taken
half = deform_conv2d(small, offset, weight)
print("offsets 0.5:", torch.allclose(half, (F.conv2d(small, weight) + moved) / 2, atol=1e-5))

# %% [markdown]
# ## 9. Pooling
#
# At the end a network must say *what* it sees, not at which pixel. **Pooling** summarises windows, for each channel on
# its own, without weights:
#
# - **max:** the strongest answer in the window. "Is there an edge somewhere here?"
# - **average:** the mean. Smooth, and weak for small things;
# - **stochastic:** in training, draw one of the (non-negative) values with probability proportional to its size; in
#   evaluation, their mean weighted by these probabilities. A regulariser, rarely used today;
# - **global average:** the mean over the whole map, one number for each channel. It replaces large dense layers, and
#   takes images of any size.

# %% [markdown]
# **Predict first.** A 2 × 2 window holds 0, 1, 1 and 2. What do max, average and (in evaluation) stochastic pooling
# give?
#
# <details><summary>Answer</summary>
#
# 2, and 1. The probabilities of stochastic pooling are 0, ¼, ¼, ½, so it gives $\tfrac14 + \tfrac14 + 1 = 1.5$: between
# the two others.
#
# </details>


# %%
def stochastic_pool(X, size, training):
    """Stochastic pooling of non-negative maps (n, c, h, w) in windows of size × size."""
    n, c, h, w = X.shape
    windows = X.reshape(n, c, h // size, size, w // size, size).transpose(3, 4).flatten(4)  # (n, c, h', w', size²)
    share = (windows + 1e-12) / (windows + 1e-12).sum(dim=4, keepdim=True)
    if not training:
        return (share * windows).sum(dim=4)
    chosen = torch.multinomial(share.reshape(-1, size * size), 1).reshape(*windows.shape[:4], 1)
    return windows.gather(4, chosen)[..., 0]


window = torch.tensor([[[[0.0, 1.0], [1.0, 2.0]]]])
print("max", F.max_pool2d(window, 2).item(), " average", F.avg_pool2d(window, 2).item())
print("stochastic, evaluation", stochastic_pool(window, 2, False).item())
print("stochastic, training  ", [stochastic_pool(window, 2, True).item() for _ in range(12)])

# %% [markdown]
# The figure shows the vertical edges of the temple (absolute values, a detail of 120 × 120 pixels) and what windows of
# 4 × 4 pixels make of it. With max pooling thin bright lines stay bright; average pooling makes them grey; stochastic
# pooling lies between and is grainy.

# %%
# alt: Four panels with the edges of a detail of the temple, black where there are none. The edges as thin bright
#   lines; with max pooling, coarse and bright; with average pooling, coarse and darker; with stochastic pooling, coarse
#   and grainy.
torch.manual_seed(0)
detail = F.conv2d(grey, across[None, None]).abs()[..., 100:220, 180:300]  # (1, 1, 120, 120)
pooled = {
    "edges": detail,
    "max": F.max_pool2d(detail, 4),
    "average": F.avg_pool2d(detail, 4),
    "stochastic (training)": stochastic_pool(detail, 4, True),
}
fig, panels = plt.subplots(1, 4, figsize=(13, 3.5))
for panel, (name, image) in zip(panels, pooled.items(), strict=True):
    show(panel, image[0, 0], f"{name}, {tuple(image.shape[2:])}", vmin=0, vmax=2)
plt.tight_layout()
plt.show()

# %% [markdown]
# Two traps. Padding of max pooling must be $-\infty$, not 0, or a border of negative numbers would turn into zeros.
# And pooling makes a network *tolerant* of shifts, not blind to them: a shift by one pixel can change which window an
# edge falls into.

# %% [markdown]
# ## 10. What a unit sees
#
# The **receptive field** of a unit is the part of the image that can influence it. One layer of kernel $k$ sees $k$
# pixels. Walk from the first layer to the last and keep two numbers: the field $r$ and the **jump** $j$, the distance
# of neighbouring units in pixels of the image. Both start at 1. A layer $(k, s, d)$ changes them to
#
# $$r \leftarrow r + d\,(k-1)\,j \qquad j \leftarrow j\,s$$

# %% [markdown]
# | layer | $k$, $s$, $d$ | field | jump |
# | --- | --- | --- | --- |
# | pixel | | 1 | 1 |
# | convolution 5 × 5 | 5, 1, 1 | $1 + 4 \cdot 1 = 5$ | 1 |
# | pooling 2 × 2 | 2, 2, 1 | $5 + 1 \cdot 1 = 6$ | 2 |
# | convolution 5 × 5 | 5, 1, 1 | $6 + 4 \cdot 2 = 14$ | 2 |
# | pooling 2 × 2 | 2, 2, 1 | $14 + 1 \cdot 2 = 16$ | 4 |

# %% [markdown]
# This is LeNet: its last maps see 16 of the 28 pixels, and only the dense layers behind them see everything.

# %% [markdown]
# **Predict first.** How many 3 × 3 layers without stride see as much as one 7 × 7 layer, and which is cheaper?
#
# <details><summary>Answer</summary>
#
# Three: $1 + 2 + 2 + 2 = 7$. With $c$ channels everywhere they have $27 c^2$ weights, the 7 × 7 layer $49 c^2$; and
# there are three activations instead of one. This is the idea of VGG (week 8). With dilations 1, 2, 4, three layers see
# $1 + 2 + 4 + 8 = 15$ pixels.
#
# </details>

# %% [markdown]
# Which pixels really matter? Ask autograd: the gradient of one unit in the centre with respect to the image is 0
# outside its field. The figure shows the mean size of this gradient for six random 3 × 3 layers with ReLU (left), for
# four with pooling in between (middle), and for three with dilations 1, 2, 4 (right), on images of 25 × 25 pixels.
# Brighter is more; the square root is drawn, or small values would look black.

# %% [markdown]
# The first two squares fade towards the rim: pixels in the centre reach the unit on many paths, those in a corner on
# one. So the *effective* field is smaller than the theoretical one; both are printed. The third square is nearly flat,
# with a woven pattern: with these dilations each pixel has few paths, near or far.


# %%
def influence(*layers):
    """Mean absolute gradient of the central unit over 30 random networks and images."""
    total = torch.zeros(25, 25)
    for _ in range(30):
        net = nn.Sequential(*(part for make in layers for part in make()))
        image = torch.randn(1, 1, 25, 25, requires_grad=True)
        maps = net(image)
        middle = maps.shape[2] // 2
        (grad,) = torch.autograd.grad(maps[0, :, middle, middle].sum(), image)
        total += grad[0, 0].abs() / grad.abs().sum()
    return total / 30


def conv(c_in, dilation=1):
    return lambda: (nn.Conv2d(c_in, 8, 3, padding=dilation, dilation=dilation), nn.ReLU())


pool = lambda: (nn.MaxPool2d(2),)  # noqa: E731

# %%
# alt: Three squares on black. Six layers and two layers, pooling, two layers: a bright spot in the middle that fades
#   towards its rim. Dilations 1, 2, 4: a square of nearly even brightness with a woven pattern.
torch.manual_seed(0)
stacks = {
    "six layers": (conv(1), *[conv(8)] * 5),
    "two layers, pooling, two layers": (conv(1), conv(8), pool, conv(8), conv(8)),
    "dilations 1, 2, 4": (conv(1), conv(8, 2), conv(8, 4)),
}
fig, panels = plt.subplots(1, 3, figsize=(11, 3.8))
for panel, (name, stack) in zip(panels, stacks.items(), strict=True):
    field = influence(*stack)
    show(panel, field.sqrt(), name)
    seen = (field > 0).nonzero()
    high, wide = (seen.max(dim=0).values - seen.min(dim=0).values + 1).tolist()
    half = (field.flatten().sort(descending=True).values.cumsum(0) < 0.8).sum().item() + 1
    print(f"{name}: field {high} × {wide}; 80 % of the influence comes from {half} of its {high * wide} pixels")
plt.tight_layout()
plt.show()

# %% [markdown]
# ## 11. LeNet, then and now
#
# Yann LeCun's network read the amounts on bank cheques in the 1990s. Convolutions and poolings take turns: maps become
# smaller and more numerous, and dense layers decide at the end.
#
# | | then | now |
# | --- | --- | --- |
# | activation | sigmoid: gradients vanish (week 5) | ReLU |
# | pooling | average | max |
# | normalisation | none | batch normalisation after each convolution |
# | channels | 6 and 16 | more, because computers are faster |

# %% [markdown]
# **Batch normalisation** (week 8) gives every channel mean 0 and deviation 1 over the batch, then a learnt scale and
# shift. In evaluation it uses averages from training: another reason never to forget `net.eval()`.

# %% [markdown]
# We build both from one function, one block after the other. `block` is convolution, normalisation (or none),
# activation, pooling. In the modern network the pooling comes *before* normalisation and ReLU: they then work on a
# quarter of the numbers. (ReLU and max may change places without any difference; with the normalisation the result
# differs a little.)


# %%
def block(c_in, c_out, kernel, padding, modern):
    """One stage of LeNet, old or new; halves the maps."""
    if not modern:
        return [nn.Conv2d(c_in, c_out, kernel, padding=padding), nn.Sigmoid(), nn.AvgPool2d(2)]
    conv = nn.Conv2d(c_in, c_out, kernel, padding=padding, bias=False)  # the normalisation has a shift of its own
    return [conv, nn.MaxPool2d(2), nn.BatchNorm2d(c_out), nn.ReLU()]


def make_lenet(modern, channels):
    """LeNet for (n, 1, 28, 28) with the given channels in its two stages."""
    first, second = channels
    act = nn.ReLU if modern else nn.Sigmoid
    head = [nn.Flatten(), nn.Linear(25 * second, 120), act(), nn.Linear(120, 84), act(), nn.Linear(84, 10)]
    net = nn.Sequential(*block(1, first, 5, 2, modern), *block(first, second, 5, 0, modern), *head)
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)) and not modern:
            nn.init.xavier_uniform_(layer.weight)  # the small default start would leave sigmoids asleep for long
    return net


# %% [markdown]
# **Predict first.** Where are most of LeNet's parameters, and where most of its multiply-adds: in the convolutions or
# in the dense layers?
#
# <details><summary>Answer</summary>
#
# Most parameters are in the first dense layer, most multiply-adds in the convolutions: a convolution uses each of its
# few weights hundreds of times.
#
# </details>

# %% [markdown]
# A **forward hook** is a function that a layer calls after its own work, with the layer, its inputs and its output. We
# use it to print a table without changing the network. Hooks stay until they are removed; here they stand on a copy
# (`copy.deepcopy`), which is thrown away.


# %%
def table(net):
    """Print output shape, parameters and multiply-adds of each layer with weights, for one image."""
    twin = copy.deepcopy(net).cpu().eval()  # evaluation: batch normalisation cannot train on a batch of one

    def report(layer, inputs, output):
        uses = output.shape[2:].numel()  # how often each weight is used: once per output pixel
        own = sum(p.numel() for p in layer.parameters())
        print(
            f"   {type(layer).__name__:12s} {str(tuple(output.shape)):18s} {own:7,d} {layer.weight.numel() * uses:10,d}"
        )

    for layer in twin:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(report)
    print("   layer        output             parameters multiply-adds")
    twin(torch.zeros(1, 1, 28, 28))


for name, modern, channels in [("then", False, (6, 16)), ("now", True, (16, 32))]:
    net = make_lenet(modern, channels)
    print(f"LeNet, {name}: {sum(p.numel() for p in net.parameters()):,d} parameters")
    table(net)

# %% [markdown]
# Now train. The same optimiser, schedule and images for both; six epochs for the old network, eight for the new one.
# The next two cells take half a minute to two minutes on one CPU core.

# %%
torch.manual_seed(0)
old = make_lenet(False, (6, 16))
old_history = train(old, 6, 0.004)

# %%
torch.manual_seed(0)
net = make_lenet(True, (16, 32))
history = train(net, 8, 0.004)  # Try it: 12 epochs, other channels, other seeds

# %% [markdown]
# The figure shows training loss (left) and test accuracy (right) against the epoch. The old network (dashed, squares)
# starts slowly: in its first epoch the loss stays near $\ln 10 = 2.3$, the loss of guessing, for a long time. The
# modern one (solid, dots) reaches in one epoch what the old one needs several for, and ends far above it. Its curve
# bends at about epoch 3, just after the learning rate is largest; the last epochs, with small steps, add the last
# points.

# %%
# alt: Two panels against the epoch for LeNet then (dashed, 6 epochs) and now (solid, 8 epochs). Left, the training
#   loss: then starts far higher than now, and both fall. Right, the test accuracy: now lies clearly above then in every
#   epoch and rises to about 0.9.
fig, panels = plt.subplots(1, 2, figsize=(11, 3.8))
for points, style, color, name in [(old_history, "--s", ORANGE, "then"), (history, "-o", BLUE, "now")]:
    for panel, values in zip(panels, zip(*points, strict=True), strict=True):
        panel.plot(range(1, len(values) + 1), values, style, color=color, label=f"LeNet, {name}")
panels[0].set(xlabel="epoch", ylabel="training loss")
panels[1].set(xlabel="epoch", ylabel="test accuracy")
panels[1].legend(loc="lower right")
plt.show()

# %% [markdown]
# ## 12. Filters and feature maps
#
# What did the first layer learn? The figure shows its 16 kernels of 5 × 5 (white positive, black negative, each scaled
# to its own range). They are small and noisy. Still, many have a bright and a dark side, or a dark bar: edge detectors
# of several directions, as on the photograph. Nobody designed them.

# %%
# alt: Sixteen squares of 5 by 5 pixels in two rows, the kernels of the first layer. They are noisy; many have a
#   bright and a dark side, or a dark bar, in several directions.
net = net.cpu()
kernels = net[0].weight.detach()[:, 0]
fig, panels = plt.subplots(2, 8, figsize=(11, 3))
for panel, kernel in zip(panels.flat, kernels, strict=True):
    show(panel, kernel)
plt.show()

# %% [markdown]
# **Feature maps** are the outputs of a layer for one image. The next figure has three rows for a sneaker, a dress and a
# bag: the image, then eight channels after the first block (14 × 14), then eight after the second (5 × 5). The first
# maps still look like the item. Most show its rims on one side: only the left, or only the lower ones; one or two show
# its inside. The second maps are coarse: each says in which region a *combination* of edges was found. Many places
# are black: not here.

# %%
# alt: Three rows, for a sneaker, a dress and a bag. Each starts with the image; eight maps of 14 by 14 pixels follow,
#   in which the item can still be recognised, mostly by the rims on one side; then eight coarse maps of 5 by 5 pixels,
#   many of them mostly black, which only show regions.
images = X_test.cpu()
chosen = [int((y_test == k).nonzero()[0]) for k in (7, 3, 8)]
with torch.no_grad():
    first = net[:4](images[chosen])  # (3, 16, 14, 14)
    second = net[:8](images[chosen])  # (3, 32, 5, 5)
widths = [1, 0.4, *8 * [1], 0.4, *8 * [1]]  # two narrow, empty columns keep the three groups apart
fig, panels = plt.subplots(3, 19, figsize=(15, 2.8), width_ratios=widths)
for gap in panels[:, [1, 10]].flat:
    gap.axis("off")
for row, i in enumerate(chosen):
    show(panels[row, 0], images[i, 0])
    for k in range(8):
        show(panels[row, 2 + k], first[row, k])
        show(panels[row, 11 + k], second[row, k], cmap="Greys_r")
panels[0, 2].set_title("first block, 14 × 14", loc="left", fontsize=10)
panels[0, 11].set_title("second block, 5 × 5", loc="left", fontsize=10)
plt.subplots_adjust(wspace=0.08, hspace=0.08)
plt.show()

# %% [markdown]
# What does a unit of the *second* block look for? We let it choose: the next cell finds, among all test images, the
# places where a channel answers most, and cuts out the 16 × 16 pixels of its receptive field (section 10). The figure
# shows, for four channels in four rows, the six patches with the strongest answers. Patches in a row share something:
# in our run one channel likes a shoulder with a half sleeve, one the gap between sleeve and body, one a waist that
# widens downwards, and one two trouser legs.

# %%
# alt: Four rows of six cut-outs of 16 by 16 pixels, one row for each channel. Most cut-outs of a row resemble each
#   other: they show similar parts of garments in similar places, such as two trouser legs.
with torch.no_grad():
    maps = torch.cat([net[:8](part) for part in images.split(500)])  # (2000, 32, 5, 5)
padded = F.pad(images, (2, 2, 2, 2))  # the first layer's padding: now all fields lie inside
busy = maps.amax(dim=(2, 3)).mean(dim=0).argsort(descending=True)[:4]
fig, panels = plt.subplots(4, 6, figsize=(7, 4.8))
for row, channel in zip(panels, busy.tolist(), strict=True):
    strongest, places = maps[:, channel].flatten(1).max(dim=1)  # the best place of each image
    for panel, i in zip(row, strongest.argsort(descending=True)[:6].tolist(), strict=True):
        r, c = divmod(places[i].item(), 5)
        show(panel, padded[i, 0, 4 * r : 4 * r + 16, 4 * c : 4 * c + 16], vmin=0, vmax=1)
plt.show()

# %% [markdown]
# ## 13. Mistakes, and the shift again
#
# The figure is the confusion matrix of the modern LeNet on the test images: rows are the true classes, columns the
# answers, numbers are images (200 in each row). The diagonal holds most of each row, about 190 for trousers, bags and
# shoes. The worst row is the shirt with about 140: it is taken for a T-shirt, a pullover or a coat.

# %%
# alt: Confusion matrix of ten classes, numbers on shades of grey. The diagonal is dark, with about 190 of 200 for
#   trousers, bags and shoes, and palest for the shirt, with about 140. Shirts are taken for T-shirts, pullovers and
#   coats; most other squares are near 0.
guess = predict(net, images)
truth = y_test.cpu()
confusion = torch.bincount(10 * truth + guess, minlength=100).reshape(10, 10)
fig, panel = plt.subplots(figsize=(6.4, 5.6))
panel.imshow(confusion, cmap="Greys", vmax=250)
for t in range(10):
    for g in range(10):
        panel.text(g, t, confusion[t, g].item(), ha="center", va="center", fontsize=8,
                   color="white" if confusion[t, g] > 120 else "black")  # fmt: skip
panel.set_xticks(range(10), data.FASHION_LABELS, rotation=60, ha="right")
panel.set_yticks(range(10), data.FASHION_LABELS)
panel.set(xlabel="answer", ylabel="true class")
panel.grid(False)
plt.show()
print(f"test accuracy {(guess == truth).float().mean().item():.4f}")

# %% [markdown]
# The figure shows the eight mistakes of which the network was surest, with the true name, what it said, and its
# probability: almost 1, and wrong. A network trained until its training loss is small believes itself too much
# (calibration, week 4). And some of the labels are hard to believe.

# %%
# alt: Eight test images in a row, each with its true class, the class that the network said, and a probability near
#   1. Most were taken for a class that looks alike: one upper garment for another, or one kind of shoe for another.
with torch.no_grad():
    sure, said = net(images).softmax(dim=1).max(dim=1)
wrong = (said != truth).nonzero().ravel()
worst = wrong[sure[wrong].argsort(descending=True)[:8]]
fig, panels = plt.subplots(1, 8, figsize=(13, 2.5))
for panel, i in zip(panels, worst.tolist(), strict=True):
    true, answer = data.FASHION_LABELS[truth[i]], data.FASHION_LABELS[said[i]]
    show(panel, images[i, 0], f"true: {true}\nsaid: {answer}\n{sure[i]:.2f}", cmap="gray_r")
plt.show()

# %% [markdown]
# **Look twice.** A mirrored shirt is a shirt. Adding the logits of an image and of its mirror image averages out a part
# of the network's errors. It costs no training, only a second pass at prediction.

# %%
with torch.no_grad():
    twice = (net(images) + net(images.flip(3))).argmax(dim=1)
print(f"once {(guess == truth).float().mean().item():.4f}, twice {(twice == truth).float().mean().item():.4f}")

# %% [markdown]
# And the images that move? **Predict first.** A convolution is *equivariant*: move the image, and the maps move along.
# Is the accuracy of LeNet now the same for all shifts?
#
# <details><summary>Answer</summary>
#
# No, but it falls more slowly than the MLP's. The maps move along, but the dense layers behind them still have a weight
# for each place of the 5 × 5 map. Only global average pooling in their place would make the network (nearly) blind to
# shifts. Training on shifted images helps too (week 9).
#
# </details>

# %% [markdown]
# The figure shows test accuracy against the shift in pixels for the MLP of section 1 (dashed, squares) and LeNet
# (solid, dots). Both fall. LeNet stays above.

# %%
# alt: Test accuracy against a shift of 0 to 6 pixels to the right. Both curves fall. The MLP, dashed, falls steeply
#   and lies below LeNet, solid, at every shift.
net_shifts = [(predict(net, shifted(images, s)) == truth).float().mean().item() for s in shifts]
fig, panel = plt.subplots(figsize=(6.5, 3.6))
panel.plot(shifts, mlp_shifts, "--s", color=ORANGE, label="MLP")
panel.plot(shifts, net_shifts, "-o", color=BLUE, label="LeNet, now")
panel.set(xlabel="shift to the right (pixels)", ylabel="test accuracy", ylim=(0, 1))
panel.legend()
plt.show()

# %% [markdown]
# ## Summary
#
# - A convolution is a dense layer with local, shared weights. It is equivariant: move the image, and the map moves.
# - $n_{\text{out}} = \lfloor (n + 2p - d(k-1) - 1)/s \rfloor + 1$. Print shapes when in doubt.
# - Channels are summed; groups do not talk; 1 × 1 mixes; separable is both, one after the other; dilated sees further;
#   deformable learns where to look.
# - Pooling keeps what and forgets where. Field $r$ and jump $j$ say what a unit can see.
# - Parameters cost memory, multiply-adds time; convolutions have few of the first and many of the second. Measure.
# - ReLU, max pooling, batch normalisation and a good schedule turn LeNet from 1998 into a network that is hard to beat
#   in a minute.

# %% [markdown]
# ### Common mistakes
#
# | what you see | likely cause | cure |
# | --- | --- | --- |
# | "mat1 and mat2 shapes cannot be multiplied" | wrong size before the first dense layer | print the shape |
# | "expected input[...] to have 1 channels" | channel axis missing, or last | `X[:, None]`, `permute(0, 3, 1, 2)` |
# | a dark or bright frame in the maps | zero padding looks like an edge | ignore it, or `padding_mode="reflect"` |
# | accuracy jumps from call to call | batch normalisation in training mode | `net.eval()` |
# | loss stays at 2.303 | sigmoids with a small start | Xavier, or ReLU |
# | separable network not faster | memory, not arithmetic, is the limit | measure; larger batches |
# | the hidden kernel comes out turned around | convolution against cross-correlation | turn one: `K.flip(0, 1)` |

# %% [markdown]
# ### Read more
#
# - *Dive into Deep Learning*, English 1.0: sections 7.1 to 7.6; Chinese second edition: chapter 6.
# - Y. LeCun and others (1998), *Gradient-based learning applied to document recognition*: LeNet.
# - M. Zeiler, R. Fergus (2013), *Stochastic pooling for regularization of deep convolutional neural networks*.
# - M. Lin and others (2014), *Network in network*: 1 × 1 convolutions and global average pooling.
# - F. Yu, V. Koltun (2016), *Multi-scale context aggregation by dilated convolutions*.
# - W. Luo and others (2016), *Understanding the effective receptive field in deep convolutional neural networks*.
# - F. Chollet (2017), *Xception*; A. Howard and others (2017), *MobileNets*: separable convolutions.
# - J. Dai and others (2017), *Deformable convolutional networks*.

# %% [markdown]
# ### What the assignment asks
#
# 1. Output sizes, and the padding that keeps a size.
# 2. Cross-correlation by hand, and the dense layer that does the same.
# 3. A convolution with padding, stride, dilation, channels and groups, equal to PyTorch's.
# 4. A learnt kernel.
# 5. Max, average and global average pooling.
# 6. The receptive field, computed and measured.
# 7. Parameters and multiply-adds of layers and of whole networks.
# 8. A depthwise-separable block.
# 9. LeNet, then and now.
# 10. A LeNet that reaches 89 % on Fashion-MNIST.
#
# And in your own words: one explanation, and a weekly report. Start today with exercises 1 and 2.
