# %% [markdown]
# # Segmentation
#
# Week 12. A classifier says what is in a picture, a detector also where. This week a network names **every pixel**.
# You will turn label pictures into numbers, make small maps large again, train an FCN and a U-Net on fashion scenes,
# draw their predictions beside the truth, and find out where they fail and why.

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
# - tell semantic, instance and panoptic segmentation apart, on one and the same scene;
# - read label maps, and crop and mirror them together with the image;
# - enlarge feature maps by interpolation, transposed convolution and unpooling, and compute each by hand;
# - build FCN, U-Net, pyramid pooling and ASPP from blocks you know, and a mask head on the same backbone;
# - score with pixel accuracy, mIoU and Dice from one table, with an ignore label;
# - explain the errors of a trained network.

# %% [markdown]
# **Time:** about four hours of reading and trying; all cells together run in two to four minutes. **Builds on:**
# convolution and receptive fields (week 7), residual networks and batch normalisation (week 8), transforms (week 9),
# boxes and IoU (week 10), Mask R-CNN and RoIAlign (week 11).

# %% [markdown]
# Run the cells in order. In a cell marked **Try it**, change the marked line and run the cell again. Answer each
# **Predict first** question before you open the answer. If there is a GPU, training uses it.

# %%
import math
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.ops import roi_align

from dlcourse import data

device = "cuda" if torch.cuda.is_available() else "cpu"
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"  # distinct also for colour-blind readers
plt.rcParams.update({"figure.figsize": (7, 4), "axes.grid": True, "grid.alpha": 0.3})
NAMES, K = data.SCENE_LABELS, len(data.SCENE_LABELS)
print(device, "with", K, "classes:", ", ".join(NAMES))

# %% [markdown]
# ## 1. Three questions about one scene
#
# | task | question | result |
# | --- | --- | --- |
# | **semantic** | which class is each pixel? | class map, int64 $(h, w)$ |
# | **instance** | which objects are there, and which pixels has each? | $r$ masks, bool $(r, h, w)$, with classes |
# | **panoptic** | both, for every pixel and without overlap | map with class and number of the object |

# %% [markdown]
# Our scenes come with all three answers. Articles of clothing lie on a photographed ground; class 0 is the
# background.

# %%
SETTING = {"items": (2, 4), "item_size": (30, 52)}  # difficulty "normal"
train_set = data.FashionScenes("train", 1600, seed=0, **SETTING)
test_set = data.FashionScenes("test", 200, seed=1, **SETTING)
image, target = test_set[0]
for name, value in {"image": image, **target}.items():
    print(f"{name:9s} {str(value.dtype):14s} {tuple(value.shape)}")
share = torch.bincount(train_set.semantic.ravel().long(), minlength=K) / train_set.semantic.numel()
print("share of the pixels:", ", ".join(f"{name} {100 * part:.0f} %" for name, part in zip(NAMES, share, strict=True)))

# %% [markdown]
# To draw class maps we give each class a colour. We look for a test scene in which two articles of the **same class**
# are close together: there the three tasks differ most.

# %%
COLOURS = torch.tensor(
    [[25, 25, 35], [230, 25, 75], [255, 225, 25], [0, 130, 200], [245, 130, 48], [145, 30, 180],
     [70, 240, 240], [250, 190, 212], [60, 180, 75], [170, 110, 40], [220, 220, 255]], dtype=torch.uint8
)  # fmt: skip


def gap(mask, other):
    """Distance between the nearest pixels of two masks."""
    return torch.cdist(mask.nonzero().float(), other.nonzero().float()).min().item()


twins = []
for i, found in enumerate(test_set.targets):
    labels = found["labels"].tolist()
    pairs = [(a, b) for a in range(len(labels)) for b in range(a) if labels[a] == labels[b]]
    twins += [(gap(found["masks"][a], found["masks"][b]), i) for a, b in pairs]
twin = min(twins)[1]
print(f"scene {twin}:", ", ".join(NAMES[label] for label in test_set.targets[twin]["labels"].tolist()))

# %% [markdown]
# The figure shows that scene four times: the image, the semantic map, the masks of the instances (each object in a
# colour of its own, with its number), and the panoptic map, which carries both. In the semantic map the two articles
# of one class have one colour, and where they touch nothing says where one ends. In the instance picture they are
# two.


# %%
# alt: One scene four times. Image: an ankle boot on the left, two pairs of trousers close together on the right.
#   Semantic: both pairs of trousers have the same colour. Instance: three objects numbered 1 to 3, each in a colour
#   of its own. Panoptic: the names ankle boot 1, trouser 1 and trouser 2, the two pairs in two shades of one colour.
def panel_of(panel, picture, title):
    panel.imshow(picture, interpolation="nearest")
    panel.set_title(title, fontsize=9)
    panel.axis("off")


def objects_picture(masks, colours, texts, panel, title):
    """Draw masks in the given colours on black, with a text on each."""
    picture = np.zeros((*masks.shape[1:], 3))
    for mask, colour in zip(masks, colours, strict=True):
        picture[mask.numpy()] = colour
    panel_of(panel, picture, title)
    for mask, text in zip(masks, texts, strict=True):
        row, column = mask.nonzero().float().mean(dim=0).tolist()
        box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8}
        panel.text(column, row, text, ha="center", va="center", fontsize=8, bbox=box)


image, target = test_set[twin]
labels, masks = target["labels"].tolist(), target["masks"]
own = plt.get_cmap("tab10").colors
numbers = [labels[: i + 1].count(label) for i, label in enumerate(labels)]
fig, panels = plt.subplots(1, 4, figsize=(14, 3.8))
panel_of(panels[0], image.movedim(0, 2), "image")
panel_of(panels[1], COLOURS[target["semantic"]], "semantic: classes")
objects_picture(masks, own[: len(masks)], [str(i + 1) for i in range(len(labels))], panels[2], "instance: objects")
names = [f"{NAMES[label]} {number}" for label, number in zip(labels, numbers, strict=True)]
class_colours = [COLOURS[label].numpy() / 255 * (1.3 - 0.3 * n) for label, n in zip(labels, numbers, strict=True)]
objects_picture(masks, np.clip(class_colours, 0, 1), names, panels[3], "panoptic: class and number")
plt.show()

# %% [markdown]
# **Predict first.** A street scene contains cars, people, sky and road. For which of them does "how many?" make
# sense?
#
# <details><summary>Answer</summary>
#
# For cars and people: they can be counted and are called *things*. Sky and road are *stuff*: regions without a
# number. Semantic segmentation treats all as stuff. Instance segmentation looks for things only. Panoptic
# segmentation gives every pixel a class, and every pixel of a thing an object as well. In our scenes the background
# is the stuff.
#
# </details>

# %% [markdown]
# ## 2. Label maps
#
# Labels are often stored as pictures: people can look at them. Each class has a colour in a **palette**; what lies
# between objects, or is unclear, gets a colour that is in no list and becomes **255**, "ignore". The network needs
# class numbers. From numbers to colours is one index operation: `COLOURS[classes]` has shape $(h, w, 3)$.

# %% [markdown]
# **Predict first.** The way back compares colours. Somebody writes one number for each colour,
# `65536 * r + 256 * g + b`, with the uint8 tensors of the picture. What happens?
#
# <details><summary>Answer</summary>
#
# uint8 counts modulo 256, so $256g$ and $65536r$ are 0 and only $b$ is left: all colours with the same blue are
# confused. No error is raised. Convert to int64 first.
#
# </details>

# %%
red = torch.tensor([200, 10], dtype=torch.uint8)
print("256 * r in uint8:", (256 * red).tolist(), "  in int64:", (256 * red.long()).tolist())
picture = COLOURS[target["semantic"]]
matches = (picture[0, 0] == COLOURS).all(dim=-1)  # one pixel against all classes: bool (11,)
print("the pixel", picture[0, 0].tolist(), "has the class", matches.nonzero().ravel().tolist())

# %% [markdown]
# **Never interpolate class numbers.** Half way between class 2 (trouser) and class 4 (dress) is not class 3
# (pullover). The figure shows a cut-out of a label map, enlarged four times: with nearest neighbours (left) the
# classes stay; with bilinear interpolation of the *numbers* (right) a thin seam of classes that are not there runs
# around every object, visible as rings of other colours. Images are interpolated bilinearly, label maps with
# `mode="nearest"`.

# %%
# alt: Cut-out of the label map, enlarged fourfold, with part of a boot and of the trousers. Left, nearest: each object
#   has one plain colour and edges in steps. Right, bilinear on class numbers: thin rings in the colours of other
#   classes run along the outlines of the boot and of the trousers.
part = test_set.semantic[twin][None, None, 20:68, 20:68].float()
fig, panels = plt.subplots(1, 2, figsize=(8, 4))
panel_of(panels[0], COLOURS[F.interpolate(part, scale_factor=4)[0, 0].long()], "nearest: right")
wrong = F.interpolate(part, scale_factor=4, mode="bilinear")[0, 0].round().long()
panel_of(panels[1], COLOURS[wrong], "bilinear on class numbers: wrong")
plt.show()
print("classes before:", part.unique().long().tolist(), "  after bilinear:", wrong.unique().tolist())

# %% [markdown]
# ## 3. What happens to the image happens to the labels
#
# A crop, a flip or a rotation moves pixels, so the label map must move with it: **draw the random numbers once, apply
# them twice**. A change of brightness moves nothing and leaves the labels alone. Where a crop reaches beyond the
# image, the image gets any number (0, say) and the labels get 255, because nobody knows what is there.

# %% [markdown]
# The figure shows a scene and its label map after a joint mirroring (left pair) and after the mistake of mirroring
# the image only (right pair). The loss does not complain about the second: it just trains the network on nonsense.

# %%
# alt: Two pairs of pictures. Left pair: the boot is on the right and the trousers on the left, in the image and in the
#   label map. Right pair: the image is mirrored, but in the label map the boot is still on the left, so that labels
#   and image disagree nearly everywhere.
mirrored, labels_mirrored = image.flip(2), target["semantic"].flip(1)  # width is axis 2 here and axis 1 there
fig, panels = plt.subplots(1, 4, figsize=(13, 3.5))
pairs = [(mirrored, "image, mirrored"), (labels_mirrored, "labels, mirrored")]
pairs += [(mirrored, "image, mirrored"), (target["semantic"], "labels forgotten")]
for panel, (thing, title) in zip(panels, pairs, strict=True):
    panel_of(panel, thing.movedim(0, 2) if thing.dim() == 3 else COLOURS[thing], title)
plt.show()

# %% [markdown]
# ## 4. Scores: one table, three numbers
#
# Count, over all pixels of all images, how often class $t$ was called $p$: the **confusion matrix** $\mathbf{M}$,
# $(k, k)$. For class $c$: TP is the diagonal entry, FN the rest of its row, FP the rest of its column.

# %% [markdown]
# $$\text{pixel accuracy} = \frac{\sum_c M_{cc}}{\sum M} \qquad \mathrm{IoU}_c = \frac{TP}{TP + FP + FN} \qquad
# \mathrm{Dice}_c = \frac{2\,TP}{2\,TP + FP + FN}$$
#
# **mIoU** is the mean of the IoU over the classes. IoU is the overlap of two sets divided by their union, as for
# boxes in week 10.

# %% [markdown]
# **Predict first.** A "network" calls every pixel of our test scenes background. Estimate pixel accuracy and mIoU.
#
# <details><summary>Answer</summary>
#
# The accuracy is the share of the background, the largest class by far: it sounds good. The IoU of the background is
# that same share, the ten others are 0, and the mean over eleven is small. Pixel accuracy rewards the big class; mIoU
# gives every class one vote. This is why papers report mIoU.
#
# </details>


# %%
def count(predicted, target):
    """The table M, int64 (K, K), of two int64 maps of one shape; here without an ignore label."""
    return torch.bincount((target * K + predicted).ravel(), minlength=K * K).reshape(K, K)


def iou_of(M):
    """IoU of each class, float64 (K,); NaN (0/0) for a class that is neither there nor predicted."""
    hits = M.diagonal().double()
    return hits / (M.sum(dim=0) + M.sum(dim=1) - hits)


truth = test_set.semantic.long()
M = count(torch.zeros_like(truth), truth)
print(f"all background: pixel accuracy {(M.trace() / M.sum()).item():.3f}, mIoU {iou_of(M).nanmean().item():.3f}")

# %% [markdown]
# **Dice and IoU** rank masks alike: $\mathrm{Dice} = 2\,\mathrm{IoU}/(1 + \mathrm{IoU})$. Dice is the larger number,
# so never compare one with the other. (The formula holds for one class, not for the means.)
#
# **Ignore.** Pixels with the target 255 are removed from both maps before counting, *whatever was predicted there*.
# Otherwise a network would be punished for answering where nobody knows the answer.

# %% [markdown]
# **Add tables, not scores.** The mean of the IoU of batches is not the IoU of the whole set: a class with three
# pixels in a batch would count like one with three thousand. The cell shows how far apart the two are.

# %%
generator = torch.Generator().manual_seed(0)
noisy = truth.clone()
wrong = torch.rand(truth.shape, generator=generator) < 0.05
noisy[wrong] = torch.randint(K, (int(wrong.sum()),), generator=generator)  # five of a hundred pixels are guessed
whole = iou_of(count(noisy, truth)).nanmean()
each = torch.stack([iou_of(count(a, b)).nanmean() for a, b in zip(noisy.split(4), truth.split(4), strict=True)])
print(f"IoU of the summed table {whole.item():.3f}, mean over batches of 4 scenes {each.mean().item():.3f}")
unclear = truth.clone()
unclear[:, :8] = 255  # nobody knows the upper 8 rows. Try it: 40 rows
counted = unclear != 255
print(
    "pixels counted with an ignored border:", count(noisy[counted], unclear[counted]).sum().item(), "of", truth.numel()
)

# %% [markdown]
# **Small objects pay for the edge.** A mask that is right but for a rim one pixel wide has, for a square of side $a$,
# the IoU $a^2/(a + 2)^2$. The figure shows it against $a$: about 0.44 at 4 pixels, 0.69 at 10, 0.91 at 40. The same
# blur at the edge that nobody sees on a large object ruins the score of a small one.

# %%
# alt: Curve of the IoU of a mask that is one pixel too wide, against the side of the object from 2 to 60 pixels: it
#   rises steeply from 0.25 to 0.7 at 10 pixels, then ever more slowly to 0.94.
side = np.arange(2, 61)
plt.plot(side, side**2 / (side + 2) ** 2, "-", color=BLUE, lw=2)
plt.gca().set(xlabel="side of the object (pixels)", ylabel="IoU, mask one pixel too wide", ylim=(0, 1))
plt.show()

# %% [markdown]
# ## 5. Making small maps large
#
# A backbone shrinks: after four halvings, one cell stands for $16 \times 16$ pixels. It knows *what* and has
# forgotten *where*. Segmentation needs the way back up. Three tools do it.

# %% [markdown]
# ### Bilinear interpolation
#
# Each new pixel is a weighted mean of its four nearest old ones. There is nothing to learn. With
# `align_corners=False`, pixel $i$ of the small row has its centre at $f\,(i + \tfrac12) - \tfrac12$ in the large row,
# $f$ being the factor. Beyond the outermost centres the value stays constant.

# %%
row = torch.tensor([[[[1.0, 3.0, 2.0]]]])  # (1, 1, 1, 3)
for mode in ("nearest", "bilinear"):
    print(f"{mode:9s}", F.interpolate(row, scale_factor=(1, 2), mode=mode).ravel().tolist())

# %% [markdown]
# ### Transposed convolution
#
# A convolution **collects**: each output is a weighted sum of a window of the input. A transposed convolution
# **scatters**: each input number adds a weighted copy of the kernel to a window of the output. `stride` is now the
# step in the *output*, so stride 2 doubles the size. Where copies overlap, they add up. By hand, in one dimension:

# %%
x, kernel, stride = [1.0, 2.0], torch.tensor([1.0, 10.0, 100.0]), 2
out = torch.zeros((len(x) - 1) * stride + len(kernel))
for i, value in enumerate(x):
    out[i * stride : i * stride + len(kernel)] += value * kernel
    print(f"after input {i}:", out.tolist())
library = F.conv_transpose1d(torch.tensor(x)[None, None], kernel[None, None], stride=stride)
print("PyTorch:      ", library.ravel().tolist())

# %% [markdown]
# Three things differ from convolution, and each is a classic mistake:
#
# 1. **Size.** $(n - 1)\,s - 2p + K$ for input $n$, stride $s$, padding $p$, kernel $K$: the formula of convolution,
#    solved for its input.
# 2. **Padding cuts.** It removes $p$ rows and columns from each side of the *output*.
# 3. **Weights** have the shape $(c_{in}, c_{out}, K, K)$, the input channel first.

# %% [markdown]
# **Why "transposed"?** A convolution is linear: flatten the image, and it is a matrix $\mathbf{C}$ times a vector.
# The transposed convolution with the same kernel is $\mathbf{C}^\top$. So it has the *shape* of an inverse, large for
# small, without being one. The figure shows $\mathbf{C}$ for a row of 7 numbers, kernel 3 and stride 2: each of the
# three rows holds the kernel, moved by two places. Read by columns, each output of the transpose collects from those
# inputs whose copies reach it.

# %%
# alt: The matrix C as a table with 3 rows and 7 columns. Row 0 holds 1, 10, 100 in columns 0 to 2, row 1 the same in
#   columns 2 to 4, row 2 in columns 4 to 6. All other entries are 0.
C = torch.stack([F.conv1d(unit[None, None], kernel[None, None], stride=2).ravel() for unit in torch.eye(7)], dim=1)
small = torch.tensor([1.0, 2.0, -1.0])
same = torch.equal(C.T @ small, F.conv_transpose1d(small[None, None], kernel[None, None], stride=2).ravel())
print("C has shape", tuple(C.shape), "and C.T @ small equals the transposed convolution:", same)
plt.figure(figsize=(5, 2.4))
plt.imshow(C, cmap="Greys", vmax=130)
for r in range(3):
    for c in range(7):
        plt.text(c, r, f"{C[r, c]:g}", ha="center", va="center", color="white" if C[r, c] > 60 else "black")
plt.gca().set(xlabel="place in the large row", ylabel="place in the small row", yticks=[0, 1, 2])
plt.grid(visible=False)
plt.show()

# %% [markdown]
# **Bilinear is a special case.** With the factor $f$, a kernel of $2f$ numbers (for even $f$) that rise and fall
# linearly, stride $f$ and padding $f/2$, the transposed convolution *is* bilinear interpolation, except at the
# border, where it sees zeros. FCN starts its layers with this kernel and lets training improve them. For $f = 2$ the
# row of weights is ¼, ¾, ¾, ¼.

# %%
g = torch.tensor([0.25, 0.75, 0.75, 0.25])
line = torch.tensor([[[4.0, 8.0, 6.0, 2.0]]])
print("transposed convolution:", F.conv_transpose1d(line, g[None, None], stride=2, padding=1).ravel().tolist())
print("interpolation:         ", F.interpolate(line, scale_factor=2, mode="linear").ravel().tolist())

# %% [markdown]
# **Checkerboards.** If the kernel size is no multiple of the stride, some outputs receive more copies than others.
# The figure shows how many copies reach each output pixel for stride 2: with kernel 3 the number alternates between
# 1, 2 and 4, a checkerboard that a network must work to undo; with kernel 4 it is 4 everywhere except at the border.

# %%
# alt: Two grey maps of how many copies reach each output pixel. Kernel 3: rows and columns alternate, so that dark
#   pixels with 4 copies lie in a grid between pixels with 2 and 1. Kernel 4: an even area with 4, framed by a border
#   with 2 and by corners with 1.
fig, panels = plt.subplots(1, 2, figsize=(9, 3.8))
for panel, size in zip(panels, (3, 4), strict=True):
    copies = F.conv_transpose2d(torch.ones(1, 1, 6, 6), torch.ones(1, 1, size, size), stride=2)[0, 0]
    shown = panel.imshow(copies, cmap="Greys", vmin=0, vmax=6)
    panel.set(title=f"kernel {size}, stride 2", xlabel="column", ylabel="row")
    panel.grid(visible=False)
    fig.colorbar(shown, ax=panel, label="copies that reach the pixel")
plt.show()

# %% [markdown]
# ### Unpooling
#
# Max-pooling keeps the largest number of a window and forgets where it stood. SegNet keeps the place as well, the
# **switch**, and on the way up puts the number back there, with zeros around it; convolutions then fill the gaps.
# PyTorch counts a switch as `row * w + column` in the plane of the input.

# %% [markdown]
# **Predict first.** A window holds only negative numbers. After pooling and unpooling, what is the largest number
# there?
#
# <details><summary>Answer</summary>
#
# 0: the zeros around the value are larger than it. Unpooling restores the place of the maximum, not its neighbours.
#
# </details>

# %%
x = torch.tensor([[[[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 7.0, 6.0]]]])
top, switches = F.max_pool2d(x, 2, return_indices=True)
print("maxima", top.ravel().tolist(), " switches", switches.ravel().tolist())
print(F.max_unpool2d(top, switches, 2)[0, 0])

# %% [markdown]
# The figure compares the three on one test image that was pooled four times by 2 (to $6 \times 6$) and brought back:
# nearest neighbours give blocks, bilinear interpolation a blur, unpooling with switches scattered points at the
# right places. What was lost on the way down cannot come back from the small map alone. The networks that follow
# therefore also use the larger maps they passed on the way.

# %%
# alt: Five grey pictures. The image, with boot and trousers; its 6 by 6 pixels after four poolings; nearest: the same
#   36 blocks at full size; bilinear: a blur without edges; unpooling: black, with some single bright points.
grey = image.mean(dim=0)[None, None]
small, places = grey, []
for _ in range(4):
    small, where = F.max_pool2d(small, 2, return_indices=True)
    places.append(where)
back = small
for where in reversed(places):
    back = F.max_unpool2d(back, where, 2)
fig, panels = plt.subplots(1, 5, figsize=(15, 3.3))
shown = {"image, grey": grey, "after four poolings": small, "nearest": F.interpolate(small, scale_factor=16)}
shown |= {"bilinear": F.interpolate(small, scale_factor=16, mode="bilinear"), "unpooling": back}
for panel, (title, picture) in zip(panels, shown.items(), strict=True):
    panel.imshow(picture[0, 0], cmap="gray", vmin=0, vmax=1)
    panel.set_title(title, fontsize=9)
    panel.axis("off")
plt.show()

# %% [markdown]
# ## 6. One backbone, different heads
#
# A **backbone** turns an image into maps; a **head** turns maps into an answer. The same backbone serves a classifier
# (average, linear layer), a detector (boxes per cell), a semantic head (classes per pixel) and a mask head (a mask
# per object). Ours has a stem with stride 2 and three stages; for images $(b, 3, 96, 96)$ and width $w$:
#
# | map | shape | one cell stands for |
# | --- | --- | --- |
# | 0 | $(b, w, 48, 48)$ | $2 \times 2$ pixels |
# | 1 | $(b, 2w, 24, 24)$ | $4 \times 4$ |
# | 2 | $(b, 4w, 12, 12)$ | $8 \times 8$ |
# | 3 | $(b, 8w, 6, 6)$ | $16 \times 16$ |


# %%
def conv(channels, out, kernel=3, stride=1):
    """Convolution, batch normalisation, ReLU."""
    layer = nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(out), nn.ReLU())


class Backbone(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.stem = conv(3, width, 5, 2)
        stages = [nn.Sequential(nn.MaxPool2d(2), conv(width, 2 * width))]
        stages += [nn.Sequential(nn.MaxPool2d(2), conv(c, 2 * c), conv(2 * c, 2 * c)) for c in (2 * width, 4 * width)]
        self.stages = nn.ModuleList(stages)

    def forward(self, x):
        maps = [self.stem(x)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps


for i, m in enumerate(Backbone(16)(torch.zeros(2, 3, 96, 96))):
    print(f"map {i}: {tuple(m.shape)}")

# %% [markdown]
# ## 7. FCN: a classifier slid over the image
#
# Long, Shelhamer and Darrell (2015) saw that the last linear layer of a classifier is a $1 \times 1$ convolution:
# apply it to a map of any size, and every cell gets scores. A **fully convolutional network** has no other layers, so
# it takes images of any size.

# %% [markdown]
# - **FCN-32s:** scores of the last map, enlarged to the image. Right about *what*, coarse about *where*.
# - **FCN-16s, FCN-8s:** the scores are doubled in size, the scores of the next larger map are **added**, and so on.
#   Adding is possible because scores mean the same on every map.


# %%
class FCN(nn.Module):
    """Scores of the last `levels` maps, joined by addition; logits (b, K, h/2, w/2)."""

    def __init__(self, width, levels):
        super().__init__()
        self.backbone, self.levels = Backbone(width), levels
        self.score = nn.ModuleList(nn.Conv2d(width * 2**i, K, 1) for i in range(4))

    def forward(self, x):
        maps = self.backbone(x)
        scores = self.score[3](maps[3])
        for i in (2, 1, 0):
            scores = F.interpolate(scores, scale_factor=2, mode="bilinear")
            if i > 3 - self.levels:
                scores = scores + self.score[i](maps[i])
        return scores


print(tuple(FCN(16, 4)(torch.zeros(2, 3, 64, 160)).shape), "for images of 64 x 160: no layer asks for a fixed size")

# %% [markdown]
# ## 8. U-Net: the way up is a network too
#
# Ronneberger and others (2015) join **features**, not scores: enlarge the deep map, **concatenate** it with the map
# of the same size from the way down, and let a convolution decide what to take from each. Drawn, the way down and the
# way up make the letter U. The skips carry edges, the deep path carries meaning.

# %% [markdown]
# | | FCN | U-Net |
# | --- | --- | --- |
# | joins | scores, by addition | features, by concatenation |
# | channels on the way up | $k$ | as many as on the way down |
# | cost of the way up | almost none | a good quarter of the parameters, more than half of the multiplications |


# %%
class UNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.backbone = Backbone(width)
        self.reduce = nn.ModuleList(nn.Conv2d(2 * c, c, 1) for c in (width, 2 * width, 4 * width))
        self.up = nn.ModuleList(conv(2 * c, c) for c in (width, 2 * width, 4 * width))
        self.head = nn.Conv2d(width, K, 1)

    def forward(self, x):
        maps = self.backbone(x)
        y = maps[3]
        for i in (2, 1, 0):
            y = F.interpolate(self.reduce[i](y), scale_factor=2, mode="bilinear")
            y = self.up[i](torch.cat([y, maps[i]], dim=1))
        return self.head(y)


for name, net in [("FCN", FCN(16, 4)), ("U-Net", UNet(16))]:
    ways = sum(p.numel() for p in net.parameters()) - sum(p.numel() for p in net.backbone.parameters())
    print(f"{name}: {sum(p.numel() for p in net.parameters()):,} parameters, {ways:,} of them on the way up")

# %% [markdown]
# ## 9. The loss
#
# Segmentation is classification of every pixel, so the loss is cross-entropy over all pixels: logits $(b, k, h, w)$,
# targets $(b, h, w)$; PyTorch's `F.cross_entropy` takes exactly these shapes, with `ignore_index=255`.

# %% [markdown]
# Most pixels are background, and the mean over pixels listens to the majority. Two cures are used together:
#
# - **Weights:** each pixel's loss is multiplied by the weight of its class; a small one for the background.
# - **Dice loss:** one minus the mean over classes of a soft Dice. TP becomes $\sum p\,t$, with the probabilities $p$
#   and the targets $t$ (0 or 1, or shares): it has a gradient, and every class counts the same.

# %% [markdown]
# **Predict first.** A class is missing in a batch, and the network gives it no probability. Which Dice is that? What
# if the network gives it a little probability at a few pixels?
#
# <details><summary>Answer</summary>
#
# 0/0, which is NaN, and one NaN ruins all weights. With a little probability it is 0, the worst value, for an almost
# perfect answer. Adding 1 to numerator and denominator turns the first into 1 and the second into nearly 1. Summing
# over the batch instead of over single images makes missing classes rarer.
#
# </details>

# %%
WEIGHTS = torch.tensor([0.3] + [1.0] * (K - 1), device=device)


def plain_loss(logits, shares):
    return F.cross_entropy(logits, shares)


def dice_loss(logits, shares):
    """Weighted cross-entropy plus soft Dice over the batch; shares (b, K, h, w) are the targets (see below)."""
    p = logits.softmax(dim=1)
    overlap, total = (p * shares).sum(dim=(0, 2, 3)), (p + shares).sum(dim=(0, 2, 3))  # (K,) each
    return F.cross_entropy(logits, shares, WEIGHTS) + 1 - ((2 * overlap + 1) / (total + 1)).mean()


# %% [markdown]
# ## 10. Training
#
# Our networks give logits at half the size. We compare them there, which is four times cheaper, and enlarge only the
# final map. But what is the class of a cell of $2 \times 2$ pixels at an edge? Two answers: the class of one of its
# pixels, or the **share** of each class, such as ½ shirt and ½ background.

# %% [markdown]
# **Predict first.** Suppose a network learnt its targets perfectly. Which mIoU does it reach after enlarging, in each
# case?
#
# <details><summary>Answer</summary>
#
# The centre of a cell lies between its pixels. A label taken from one pixel is half a pixel off, and it gives a cell
# that an edge divides to one side as a whole. The cell below shows what that costs: several points of mIoU, lost
# before training begins. Shares remember where the edge runs through the cell.
#
# </details>


# %%
def shares_of(classes, step=2):
    """Share of each class in cells of step x step pixels: float (n, K, h/step, w/step)."""
    return F.avg_pool2d(F.one_hot(classes.long(), K).movedim(3, 1).float(), step)


few = truth[:50]
single = F.one_hot(few[:, 1::2, 1::2], K).movedim(3, 1).float()  # the lower right pixel of each cell
for name, targets in [("one pixel of each cell", single), ("shares", shares_of(few))]:
    best = F.interpolate(targets, scale_factor=2, mode="bilinear").argmax(dim=1)
    print(f"a perfect network, trained on {name}: mIoU {iou_of(count(best, few)).nanmean().item():.3f}")

# %% [markdown]
# `F.cross_entropy` takes shares in the place of classes (its weighted mean then divides by the number of cells, not by
# the sum of the weights). Do not wait for a loss of 0: where the shares are ½ and ½, the right answer $p$ = ½ still has
# the cross-entropy $\ln 2$ and the Dice $2 \cdot ¼ / (½ + ½) = ½$.

# %% [markdown]
# Two more habits keep training fast on a CPU: the data stay
# in memory as uint8, and `channels_last` stores the channels of a pixel side by side, an order that suits
# convolutions.


# %%
def train(net, loss, epochs, rate=0.01, batch=16, seed=0):
    """Train on train_set with AdamW and one cycle of the learning rate; return the losses of all batches."""
    generator = torch.Generator().manual_seed(seed)
    net = net.to(device, memory_format=torch.channels_last).train()
    n, losses, clock = len(train_set), [], time.perf_counter()
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    steps = epochs * math.ceil(n / batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    for epoch in range(epochs):
        for rows in torch.randperm(n, generator=generator).split(batch):
            x = (train_set.images[rows].float() / 255).to(device, memory_format=torch.channels_last)
            y = shares_of(train_set.semantic[rows]).to(device)
            if torch.rand((), generator=generator) < 0.5:
                x, y = x.flip(3), y.flip(3)  # mirrored together
            value = loss(net(x), y)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            schedule.step()
            losses.append(value.item())
        recent = np.mean(losses[-len(losses) // (epoch + 1) :])
        print(f"epoch {epoch + 1}: loss {recent:.3f}, {time.perf_counter() - clock:.0f} s")
    return losses


@torch.no_grad()
def predict(net, images):
    """Class maps int64 (n, h, w) for uint8 images (n, 3, h, w)."""
    net.eval()  # batch normalisation: stored statistics
    found = []
    for part in images.split(50):
        logits = net((part.float() / 255).to(device, memory_format=torch.channels_last))
        found.append(F.interpolate(logits, scale_factor=2, mode="bilinear").argmax(dim=1).cpu())
    return torch.cat(found)


# %% [markdown]
# **Predict first.** An FCN is trained for one epoch, once with plain cross-entropy, once with weights and Dice. Which
# one has the higher pixel accuracy, which one the higher mIoU?
#
# <details><summary>Answer</summary>
#
# The run below decides. What to look at: with plain cross-entropy the safest class is the background, which the
# accuracy likes; mIoU shows how many of the other ten classes are found at all.
#
# </details>

# %%
tables = {}
for name, loss in [("plain cross-entropy", plain_loss), ("weights + Dice", dice_loss)]:
    torch.manual_seed(0)
    net = FCN(16, 4)
    train(net, loss, epochs=1)
    M = count(predict(net, test_set.images), truth)
    print(f"{name}: pixel accuracy {(M.trace() / M.sum()).item():.3f}, mIoU {iou_of(M).nanmean().item():.3f}")

# %% [markdown]
# Now both networks in earnest, with weights and Dice. It takes about a minute.

# %%
torch.manual_seed(0)
nets = {"FCN": FCN(16, 4), "U-Net": UNet(16)}
curves, found = {}, {}
for name, net in nets.items():
    print(name)
    curves[name] = train(net, dice_loss, epochs=3)  # Try it: more epochs
    found[name] = predict(net, test_set.images)
    tables[name] = count(found[name], truth)
    M = tables[name]
    print(f"{name}: pixel accuracy {(M.trace() / M.sum()).item():.3f}, mIoU {iou_of(M).nanmean().item():.3f}")

# %% [markdown]
# The left panel shows the loss against the step, averaged over 25 steps: both fall quickly at
# first and slowly later; in our run U-Net's stays above FCN's. The right panel shows the IoU of each class on the
# test scenes, one bar per network.

# %%
# alt: Left, the smoothed loss of FCN and U-Net against the step: both fall, quickly at first; U-Net's starts higher and
#   stays above FCN's. Right, bars of the IoU of each class for both networks: background is close to 1, trouser and
#   bag are high, shirt, sandal and pullover are among the lowest.
fig, (left, right) = plt.subplots(1, 2, figsize=(13, 4.4))
for (name, losses), style, shift in zip(curves.items(), ["--", "-"], [-0.2, 0.2], strict=True):
    smooth = np.convolve(losses, np.ones(25) / 25, mode="valid")
    left.plot(smooth, ls=style, color=ORANGE if name == "FCN" else BLUE, label=name)
    scores_of = iou_of(tables[name])
    hatch = "//" if name == "FCN" else ""
    right.bar(np.arange(K) + shift, scores_of, 0.4, color=ORANGE if name == "FCN" else BLUE, hatch=hatch, label=name)
left.set(xlabel="step", ylabel="loss (mean of 25 steps)")
right.set(ylabel="IoU", ylim=(0, 1))
right.set_xticks(range(K), NAMES, rotation=60, ha="right")
left.legend()
right.legend(loc="lower right")
plt.show()

# %% [markdown]
# ## 11. Predictions beside the truth
#
# Numbers first, then always pictures. Five test scenes: image, truth, FCN, U-Net, and in the last row the pixels
# where U-Net is wrong (white).

# %%
# alt: Five test scenes in columns; rows: image, truth, FCN, U-Net, U-Net wrong. Both networks find nearly every
#   article, with blurred edges; a sandal that lies on a coat is missed. In the last row white lines trace the outlines
#   of the articles, and a few articles are white patches as a whole: a boot was called a bag.
fig, panels = plt.subplots(5, 5, figsize=(12, 12))
for i, column in enumerate(panels.T):
    rows = [test_set.images[i].movedim(0, 2), COLOURS[truth[i]], COLOURS[found["FCN"][i]], COLOURS[found["U-Net"][i]]]
    rows.append((found["U-Net"][i] != truth[i])[..., None].expand(-1, -1, 3).float())
    titles = [", ".join(NAMES[v] for v in test_set.targets[i]["labels"].tolist()), "", "", "", ""]
    for panel, picture, title in zip(column, rows, titles, strict=True):
        panel_of(panel, picture, "")
        panel.set_title(title, fontsize=6)
for panel, name in zip(panels[:, 0], ["image", "truth", "FCN", "U-Net", "U-Net wrong"], strict=True):
    panel.text(-6, 48, name, rotation=90, ha="center", va="center")
plt.show()

# %% [markdown]
# Look for three things. Thin lines along the outlines in the last row: the edge is a pixel off. Filled patches: an
# article, or a part of it, has the wrong name; nothing in a semantic network says that one object has one name.
# And articles of one class that touch: they become one region.

# %% [markdown]
# If FCN's mIoU is higher in your run, as it was in ours, do not conclude that FCN is the better design. U-Net has more
# layers between the loss and the backbone, and three epochs are few: its loss begins to fall later, and training ends
# before it is low. Train both for more epochs and see whether the distance shrinks.

# %% [markdown]
# ### Where it fails, and why
#
# Three suspects: **edges** (the maps are coarse), **classes** (the patch is found, the name is wrong), **size**
# (small articles). We measure each. First the edges: the error rate of pixels by their distance from the nearest edge
# of the truth.


# %%
# alt: Share of wrong pixels against the distance from the nearest edge, 1 to 8 pixels, for FCN and U-Net. Both fall
#   steeply from about a third at 1 pixel to half of that at 2, then slowly, and drop to almost 0 at 8 or more.
def edge_distance(classes, most):
    """Distance of each pixel to the nearest other class, in steps of one pixel up to `most`; int64 (n, h, w)."""
    distance = torch.full(classes.shape, most)
    reach = classes[:, None].float()
    for d in range(most - 1, 0, -1):  # from far to near, so that the nearest one stays
        size = 2 * d + 1
        high, low = F.max_pool2d(reach, size, 1, d), -F.max_pool2d(-reach, size, 1, d)
        distance[(high != low)[:, 0]] = d
    return distance


distance = edge_distance(truth, 8)
for name, style, color in [("FCN", "--s", ORANGE), ("U-Net", "-o", BLUE)]:
    wrong = found[name] != truth
    plt.plot(range(1, 9), [wrong[distance == d].float().mean() for d in range(1, 9)], style, color=color, label=name)
plt.gca().set(
    xlabel="distance from the nearest edge (pixels; 8 means 8 or more)", ylabel="share of wrong pixels", ylim=(0, None)
)
plt.legend()
plt.show()

# %% [markdown]
# The figure shows the share of wrong pixels against the distance from the nearest edge. Right at an edge, roughly one
# pixel in three is wrong; far from every edge, hardly any. Two reasons: the logits have half the size of the image,
# and along its edge an article is blended with the ground. In between the curve falls slowly: there the error is not
# the outline but the name.

# %% [markdown]
# Next the classes. The figure shows U-Net's confusion matrix, each row divided by its sum: row = truth, column =
# prediction, dark = many. The diagonal is what is right.

# %%
# alt: Confusion matrix of U-Net, 11 by 11, darkness for the share of the row. The diagonal is darkest, most of all for
#   background, trouser and bag. Off the diagonal, fields among t-shirt, pullover, coat and shirt stand out, some
#   between sandal and sneaker, and small shares of most articles in the column of the background.
M = tables["U-Net"]
shares = M / M.sum(dim=1, keepdim=True)
plt.figure(figsize=(6.5, 5.5))
plt.imshow(shares, cmap="Greys", vmin=0, vmax=1)
for t in range(K):
    for p in range(K):
        if shares[t, p] >= 0.05:
            color = "white" if shares[t, p] > 0.5 else "black"
            plt.text(p, t, f"{100 * shares[t, p]:.0f}", ha="center", va="center", color=color, fontsize=8)
plt.xticks(range(K), NAMES, rotation=60, ha="right")
plt.yticks(range(K), NAMES)
plt.gca().set(xlabel="predicted", ylabel="true (numbers: percent of the row, from 5 on)")
plt.grid(visible=False)
plt.show()
articles = M[1:, 1:]
print(f"article pixels called an article: {(articles.sum() / M[1:].sum()).item():.3f}")
print(f"of these, with the right name:    {(articles.trace() / articles.sum()).item():.3f}")

# %% [markdown]
# Nearly all article pixels are called *some* article. The second number, clearly lower, says how many of these have
# the right name. Look for the dark fields off the diagonal: tops (pullover, shirt, t-shirt, coat) are called each
# other, as in week 4, and no way up can cure it. Better features can: longer training, more articles, a pretrained
# backbone. Or one joins classes that are hard to keep apart, as you do in the assignment. In the first column stand
# the pixels that are lost to the background: thin parts such as straps and handles.

# %% [markdown]
# And the size: for each article, the share of its visible pixels that U-Net names rightly, grouped by the number of
# visible pixels.

# %%
area, hit = [], []
for i, found_target in enumerate(test_set.targets):
    for mask, label in zip(found_target["masks"], found_target["labels"].tolist(), strict=True):
        area.append(mask.sum().item())
        hit.append((found["U-Net"][i][mask] == label).float().mean().item())
area, hit = np.array(area), np.array(hit)
bounds = np.quantile(area, [0, 0.25, 0.5, 0.75, 1])
quarter = np.searchsorted(bounds[1:-1], area, side="right")  # 0 to 3; each article is in one group only
for i, (low, high) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
    group = hit[quarter == i]
    print(f"{low:5.0f} to {high:5.0f} visible pixels: {100 * group.mean():.0f} % of the pixels right, "
          f"{100 * (group < 0.1).mean():.0f} % of the articles missed or misnamed as a whole")  # fmt: skip

# %% [markdown]
# Compare the first line with the last. A network that fails on small objects shows a clear slope here. Our smallest
# articles still cover more than a hundred pixels, so the slope is slight here, or there is none. Measure before you
# change a network: without a slope, finer maps will not help.

# %% [markdown]
# ## 12. Wider views: dilation, DeepLab, PSPNet
#
# To name a pixel one must see its surroundings. Pooling widens the view but costs resolution. **Dilation** widens it
# for free: a $3 \times 3$ kernel with rate $r$ looks at pixels $r$ apart, 9 weights over a window of $2r + 1$.
# Padding $r$ keeps the size.

# %% [markdown]
# The figure shows which inputs can influence one output (black: can) after three $3 \times 3$ layers. Rates 1, 1, 1:
# a square of 7. Rates 1, 2, 4: a full square of 15, with the same number of weights. Rates 4, 4, 4: a square of 25
# with holes, the **gridding** effect: neighbours in the output look at disjoint inputs.

# %%
# alt: Three maps of the inputs that one output can see. Rates 1, 1, 1: a small black square, 7 pixels wide. Rates 1, 2,
#   4: a full black square, 15 wide. Rates 4, 4, 4: single black points, four pixels apart, 7 in a row and 7 in a
#   column.
fig, panels = plt.subplots(1, 3, figsize=(11, 3.9))
for panel, rates in zip(panels, ([1, 1, 1], [1, 2, 4], [4, 4, 4]), strict=True):
    x = torch.zeros(1, 1, 33, 33, requires_grad=True)
    y = x
    for r in rates:  # Try it: other rates
        y = F.conv2d(y, torch.ones(1, 1, 3, 3), padding=r, dilation=r)
    (reach,) = torch.autograd.grad(y[0, 0, 16, 16], x)
    panel.imshow(reach[0, 0] > 0, cmap="Greys")
    panel.set(title=f"rates {rates}", xlabel="column", ylabel="row")
    panel.grid(visible=False)
plt.show()

# %% [markdown]
# **DeepLab** is this idea, four times improved:
#
# | version | year | new |
# | --- | --- | --- |
# | v1 | 2015 | dilated convolutions for the last poolings: maps at 1/8, not 1/32; a random field sharpens edges |
# | v2 | 2016 | **ASPP**, atrous spatial pyramid pooling: dilated convolutions with several rates side by side |
# | v3 | 2017 | ASPP with a 1×1 branch, batch normalisation and the mean of the whole image; no random field |
# | v3+ | 2018 | a small decoder as in U-Net: v3's output, enlarged, joined with an early map; separable convolutions |

# %% [markdown]
# With a rate as large as the map, a dilated $3 \times 3$ kernel has only its centre inside: it degenerates to a $1
# \times 1$ convolution. This is why v3 added the image mean. In ASPP all branches see the same input and keep its
# size, are concatenated, and a $1 \times 1$ convolution joins them.

# %% [markdown]
# **PSPNet** (2017) takes another way to the same end: average the map over grids of $1 \times 1$, $2 \times 2$, $3
# \times 3$ and $6 \times 6$ cells, reduce the channels by a $1 \times 1$ convolution, enlarge each to the size of the
# map and concatenate all with the map itself. A pixel then knows what is in the whole image, in its quarter, and so
# on.

# %% [markdown]
# The figure shows one channel of U-Net's last backbone map for a test scene ($6 \times 6$) and its averages over
# three grids.

# %%
# alt: Four coloured maps. The map of 6 by 6 cells has a few bright cells, the others are dark. The average over 1 x 1
#   cell is one even colour; those over 2 x 2 and 3 x 3 cells change gently, brightest on the side of the bright cells.
with torch.no_grad():
    deep = nets["U-Net"].backbone((test_set.images[:1].float() / 255).to(device))[3].cpu()
channel = int(deep[0].std(dim=(1, 2)).argmax())
fig, panels = plt.subplots(1, 4, figsize=(12, 3.2))
panel_of(panels[0], deep[0, channel], f"map, channel {channel}")
for panel, b in zip(panels[1:], (1, 2, 3), strict=True):
    view = F.interpolate(F.adaptive_avg_pool2d(deep, b), size=deep.shape[2:], mode="bilinear")
    panel.imshow(view[0, channel], vmin=deep[0, channel].min(), vmax=deep[0, channel].max())
    panel.set_title(f"averages over {b} x {b} cells, enlarged", fontsize=9)
    panel.axis("off")
plt.show()

# %% [markdown]
# **Predict first.** PSPNet's branches average over the whole image. What becomes of them if you train on crops of
# half the size and predict on whole images?
#
# <details><summary>Answer</summary>
#
# The branch with one cell then averages over other contents than in training: more background, more objects. The
# numbers shift, and the score falls a little. Predict on windows of the size of the crops, or train on large crops.
#
# </details>

# %% [markdown]
# ## 13. Instances: a mask head on the same backbone
#
# Mask R-CNN (week 11) detects boxes first and asks for each box: which pixels belong to the object? RoIAlign cuts a
# map of fixed size out of the backbone for each box. A small head (convolutions, one transposed convolution, a $1
# \times 1$ convolution) gives **one mask per class**, and only the channel of the box's class is trained. So the
# masks of different classes do not compete: the class was decided elsewhere.

# %% [markdown]
# We keep U-Net's features **frozen**, before its last layer, put a mask head on them, and use the true boxes in the
# place of a detector's. Training takes some seconds.

# %%
unet = nets["U-Net"].eval()


@torch.no_grad()
def features(images):
    """U-Net's last features (b, w, h/2, w/2), before the 1x1 convolution that makes classes of them."""
    kept = []
    handle = unet.head.register_forward_pre_hook(lambda module, inputs: kept.append(inputs[0]))
    unet((images.float() / 255).to(device, memory_format=torch.channels_last))
    handle.remove()
    return kept[0].contiguous()


mask_head = nn.Sequential(
    *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()),
    *(nn.ConvTranspose2d(32, 32, 2, stride=2), nn.ReLU()),
    nn.Conv2d(32, K, 1),
).to(device)
regions = roi_align(
    features(test_set.images[:2]), [t["boxes"].to(device) for t in test_set.targets[:2]], 12, 0.5, aligned=True
)
print("regions", tuple(regions.shape), "-> masks", tuple(mask_head(regions).shape))

# %% [markdown]
# The target of a region is its true mask, cut out with the same box and brought to $24 \times 24$: RoIAlign on the
# mask itself does it. The loss is the binary cross-entropy of the one channel that belongs to the class.


# %%
def batch_of(rows):
    """Regions (r, w, 12, 12), their classes (r,) and masks (r, 24, 24) of some training scenes."""
    targets = [train_set.targets[i] for i in rows]
    boxes, labels = [t["boxes"].to(device) for t in targets], torch.cat([t["labels"] for t in targets]).to(device)
    cut = roi_align(features(train_set.images[rows]), boxes, 12, 0.5, aligned=True)
    one_by_one = [b[:, None] for t in boxes for b in t.split(1)]  # each mask is an image of its own
    masks = torch.cat([t["masks"] for t in targets]).float()[:, None].to(device)
    wanted = roi_align(masks, [b[:, 0] for b in one_by_one], 24, 1.0, aligned=True)[:, 0] > 0.5
    return cut, labels, wanted


torch.manual_seed(0)
optimiser = torch.optim.AdamW(mask_head.parameters(), 0.003)
for step, rows in enumerate(torch.randperm(600).split(12)):
    cut, labels_of, wanted = batch_of(rows.tolist())
    own_channel = torch.arange(len(labels_of), device=device), labels_of
    logits = mask_head(cut)[own_channel]  # (r, 24, 24): the channel of the class
    loss = F.binary_cross_entropy_with_logits(logits, wanted.float())
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    if step % 10 == 0:
        right = ((logits > 0) == wanted).float().mean().item()
        print(f"step {step}: loss {loss.item():.3f}, pixels right inside the boxes {right:.3f}")

# %% [markdown]
# To use a mask, it is enlarged to the size of its box and pasted into the image. Then the same scene again as in
# section 1: image, semantic prediction, instance prediction and the truth of the instances. The semantic head melts
# the two articles of one class into one region; the mask head keeps them apart, because each box is asked on its own.


# %%
# alt: The scene with boot and trousers. Semantic head: the two pairs of trousers are one region of one class. Mask
#   head: boot and both pairs are three objects in three colours, numbered, with a probability on each. They resemble
#   the true instances on the right, with smoother edges.
@torch.no_grad()
def instance_masks(index):
    """Masks bool (r, h, w) of a test scene, from the true boxes and classes, and their mean probabilities."""
    t = test_set.targets[index]
    cut = roi_align(features(test_set.images[index : index + 1]), [t["boxes"].to(device)], 12, 0.5, aligned=True)
    p = mask_head(cut)[torch.arange(len(t["labels"])), t["labels"]].sigmoid().cpu()
    masks = torch.zeros_like(t["masks"])
    for mask, small, (x1, y1, x2, y2) in zip(masks, p, t["boxes"].long().tolist(), strict=True):
        mask[y1:y2, x1:x2] = F.interpolate(small[None, None], size=(y2 - y1, x2 - x1), mode="bilinear")[0, 0] > 0.5
    certainty = torch.stack([small[small > 0.5].mean() if (small > 0.5).any() else small.max() for small in p])
    return masks, certainty


masks, certainty = instance_masks(twin)
target = test_set.targets[twin]
fig, panels = plt.subplots(1, 4, figsize=(14, 3.8))
panel_of(panels[0], test_set.images[twin].movedim(0, 2), "image")
panel_of(panels[1], COLOURS[found["U-Net"][twin]], "semantic head")
order = range(1, len(masks) + 1)
objects_picture(
    masks,
    own[: len(masks)],
    [f"{n}: {c:.2f}" for n, c in zip(order, certainty.tolist(), strict=True)],
    panels[2],
    "mask head",
)
objects_picture(target["masks"], own[: len(masks)], list(map(str, order)), panels[3], "true instances")
plt.show()

# %% [markdown]
# The two articles of one class, one region for the semantic head, are two objects for the mask head; the number
# beside each is its mean probability. Two limits: a mask has $24 \times 24$ cells however large the box is, and we
# gave it the true boxes and classes. With a detector in front, its misses and wrong names come on top.

# %% [markdown]
# **Panoptic.** Masks of a mask head may overlap, and a pixel can have only one owner. The usual rule: take the
# objects by falling score, give each the pixels that are still free, leave out what has lost too much, and fill the
# rest with stuff. The cell below does the first two steps only, and leaves no object out; you write the whole rule in
# the assignment.

# %%
overlap = (masks.sum(dim=0) > 1).sum().item()
owner = torch.zeros(masks.shape[1:], dtype=torch.int64)
for i in certainty.argsort().tolist():  # the most certain one is painted last and wins
    owner[masks[i]] = 1000 * int(target["labels"][i]) + i + 1
print(f"pixels claimed by two objects: {overlap}")
print("panoptic numbers:", owner.unique().tolist(), " classes:", (owner // 1000).unique().tolist())

# %% [markdown]
# ## Summary
#
# - Semantic: a class for each pixel. Instance: a mask for each thing. Panoptic: both, without overlap.
# - What moves the image moves the labels; class numbers are never interpolated; 255 is never counted.
# - One confusion matrix, summed over all batches, gives pixel accuracy, IoU and Dice. Accuracy flatters the
#   background.
# - Up again: bilinear (nothing learnt), transposed convolution (copies of the kernel, added), unpooling (switches).
# - FCN adds scores, U-Net concatenates features; dilation, ASPP and pyramid pooling widen the view.
# - Weights and Dice make small classes heard.
# - Errors sit at edges and in the names of whole articles; measure which before you change the network.

# %% [markdown]
# ### Common mistakes
#
# | what you see | likely cause | cure |
# | --- | --- | --- |
# | everything is background | plain cross-entropy, few steps | class weights, Dice |
# | rings of strange classes around objects | labels interpolated bilinearly | `mode="nearest"` |
# | loss falls, scores do not | image cropped or flipped without labels | one draw for both |
# | "target out of bounds" for 255 | `ignore_index` not set | `ignore_index=255` |
# | mIoU differs from the paper's code | mean of batches; absent classes as 0 | sum the tables; leave NaN out |
# | checkerboard in the output | kernel no multiple of the stride | kernel 4, stride 2 |
# | shapes differ by one at a skip | odd size, doubled | interpolate to the size of the skip |

# %% [markdown]
# ### Read more
#
# - *Dive into Deep Learning*, English 1.0: sections 14.9 to 14.11; Chinese second edition: 13.9 to 13.11.
# - J. Long, E. Shelhamer, T. Darrell (2015), *Fully convolutional networks for semantic segmentation*.
# - O. Ronneberger, P. Fischer, T. Brox (2015), *U-Net*; V. Badrinarayanan and others (2017), *SegNet*.
# - L.-C. Chen and others: *DeepLab* v1 (2015), v2 (2016), v3 (2017), v3+ (2018).
# - H. Zhao and others (2017), *Pyramid scene parsing network* (PSPNet).
# - K. He and others (2017), *Mask R-CNN*; A. Kirillov and others (2019), *Panoptic segmentation*.
# - F. Milletari and others (2016), *V-Net* (the Dice loss); A. Odena and others (2016), *Deconvolution and
#   checkerboard artifacts*.

# %% [markdown]
# ### What the assignment asks
#
# 1. Colours to classes and back.
# 2. One random crop for image and labels.
# 3. The bilinear kernel, and upsampling equal to PyTorch's.
# 4. Transposed convolution by hand.
# 5. Max-pooling with switches, and unpooling.
# 6. Confusion matrix with an ignore label; pixel accuracy, mIoU, Dice.
# 7. Weighted cross-entropy plus Dice.
# 8. FCN's head and U-Net's block.
# 9. Pyramid pooling and ASPP.
# 10. A mask head, its loss, and the panoptic map.
# 11. A network that reaches an mIoU of 0.80.

# %% [markdown]
# And in your own words: one explanation, and a weekly report. Start today with exercises 1 and 2.
