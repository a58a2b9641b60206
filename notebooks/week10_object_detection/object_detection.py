# %% [markdown]
# # Object detection
#
# Week 10. A classifier says what a picture shows. A detector says what is *where*, for any number of objects. You will
# build one from its parts, train it, measure it honestly, and look at its mistakes.

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
# - say what detection asks, and name the parts of a detector: input, backbone, neck, head;
# - compare boxes by their overlap, lay anchors over an image, and match them to objects;
# - turn boxes into offsets and back, and remove duplicates with non-maximum suppression;
# - train a single-shot detector on two feature maps, and measure it by average precision as the COCO benchmark does;
# - sort its mistakes into kinds, which say what to improve.
#
# **Time:** about four hours of reading and trying; the cells together run for a few minutes at most. **Builds on:**
# convolutions and receptive fields (week 7), batch normalisation (week 8), augmentation (week 9), precision and recall
# (week 4).

# %% [markdown]
# Run the cells in order. In a cell marked **Try it**, change the marked line and run the cell again. Answer each
# **Predict first** question before you open the answer. If there is a GPU, training uses it.

# %%
import math
import time

import matplotlib.pyplot as plt
import torch
from d2l import torch as d2l
from matplotlib.patches import Rectangle
from torch import nn
from torchvision import ops

from dlcourse import data

torch.manual_seed(10)
device = d2l.try_gpu()
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"  # distinct also for colour-blind readers
plt.rcParams.update({"figure.figsize": (7, 4), "axes.grid": True, "grid.alpha": 0.3})
print("device:", device)

# %% [markdown]
# ## 1. What detection asks
#
# | task | question | answer for one image |
# | --- | --- | --- |
# | classification | what is it? | one class |
# | localisation | what and where, one object | one class, one box |
# | detection | what and where, all objects | any number of boxes, each with class and score |
# | segmentation (week 12) | which pixels? | a class for every pixel |
#
# The new difficulty is the third row's "any number". A network has a fixed number of outputs.

# %% [markdown]
# Our data are **fashion scenes**: clothes from Fashion-MNIST, coloured, on photographs, made from a seed. The training
# scenes use its training images, the test scenes its test images. A target is a dict with boxes (k, 4), as `x1, y1, x2,
# y2` in pixels, and labels (k,); label 0 is kept for the background.

# %%
start = time.perf_counter()
train_set = data.FashionScenes("train", 2000, seed=0)
test_set = data.FashionScenes("test", 400, seed=0)
LABELS = data.SCENE_LABELS


def boxes_and_labels(scenes):
    """Give the targets as a list of dicts without the masks, which belong to week 12."""
    return [{key: target[key] for key in ("boxes", "labels")} for target in scenes.targets]


train_targets, test_targets = boxes_and_labels(train_set), boxes_and_labels(test_set)
print(f"{time.perf_counter() - start:.1f} s; images {tuple(train_set.images.shape)}, {train_set.images.dtype}")
print(train_targets[0])

# %% [markdown]
# The figure shows six training scenes of 96 × 96 pixels with the true boxes and their classes. Objects differ in size,
# can cover one another a little, and stand before backgrounds with texture of their own.


# %%
def draw(panel, image, boxes, names, colors, style="-"):
    """Draw one image, uint8 (3, h, w), with named boxes."""
    panel.imshow(image.permute(1, 2, 0))
    panel.axis("off")
    for (x1, y1, x2, y2), name, color in zip(boxes.tolist(), names, colors, strict=True):
        frame = Rectangle((x1 - 0.5, y1 - 0.5), x2 - x1, y2 - y1, fill=False, color=color, lw=2, ls=style)
        panel.add_patch(frame)
        plain = {"facecolor": "black", "alpha": 0.6, "pad": 1, "edgecolor": "none"}
        panel.text(x1, max(y1, 5), name, color="white", fontsize=8, bbox=plain)


# alt: Six training scenes with one to four coloured clothes each, in front of dark or blurred photographs. A white
#   box with the name of its class is drawn tightly around every object; some boxes overlap.
fig, panels = plt.subplots(1, 6, figsize=(15, 3))
for i, panel in enumerate(panels):
    target = train_targets[i]
    names = [LABELS[k] for k in target["labels"].tolist()]
    draw(panel, train_set.images[i], target["boxes"], names, ["white"] * len(names))
plt.tight_layout()
plt.show()

# %% [markdown]
# **Predict first.** A network could give four numbers for a box and ten scores for its class. Why is that not enough,
# and why do twenty-eight numbers for two boxes not solve it?
#
# <details><summary>Answer</summary>
#
# The number of objects is not known. And with two slots, which object belongs into the first one? The loss would punish
# a right answer in the "wrong" slot. Anchors solve both: each slot gets a place and a size, so it is clear which object
# it answers for, and a slot can say "nothing here".
#
# </details>

# %% [markdown]
# ## 2. Input, backbone, neck, head
#
# | part | does | here |
# | --- | --- | --- |
# | input | image, scaled and normalised | (b, 3, 96, 96) |
# | backbone | turns pixels into feature maps, as a classifier does | (b, 64, 12, 12) |
# | neck | makes or mixes maps of several sizes | one more map, (b, 64, 6, 6) |
# | head | scores and offsets for each cell of each map | (b, n, 11) and (b, n, 4) |
#
# Detectors differ in these parts. In a *two-stage* detector (week 11) a first head proposes regions, a second one
# judges them. Ours, a **single-shot detector** (SSD), does all in one pass.


# %%
def block(c_in, c_out, stride):
    """Convolution 3x3, batch normalisation, ReLU."""
    conv = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU())


class Features(nn.Module):
    """Backbone and neck: images (b, 3, 96, 96) to maps (b, 64, 12, 12) and (b, 64, 6, 6)."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(
            block(3, 16, 2), block(16, 32, 2), block(32, 32, 1), block(32, 64, 2), block(64, 64, 1)
        )
        self.neck = nn.Sequential(block(64, 64, 2), block(64, 64, 1))

    def forward(self, images):
        large = self.backbone((images - 0.45) / 0.25)
        return [large, self.neck(large)]


maps = Features()(torch.zeros(2, 3, 96, 96))
print([tuple(m.shape) for m in maps], "parameters:", sum(p.numel() for p in Features().parameters()))

# %% [markdown]
# A cell of the 12 × 12 map stands for 8 × 8 pixels, a cell of the 6 × 6 map for 16 × 16. What a cell sees is its
# receptive field (week 7): it grows by `(kernel - 1) · (product of earlier strides)` per layer. It must be as large as
# the objects it answers for.

# %%
field, step = 1, 1
for layer, stride in enumerate([2, 2, 1, 2, 1, 2, 1], 1):
    field, step = field + 2 * step, step * stride
    if layer in (5, 7):
        print(f"after layer {layer}: one cell is {step} pixels apart from the next and sees {field} x {field} pixels")

# %% [markdown]
# ## 3. Boxes, and how well two agree
#
# A box is stored as corners `x1, y1, x2, y2` or as centre and size `cx, cy, w, h`. Corners are good for areas and
# overlap, centres for moving and stretching. Here `x2` and `y2` are exclusive, so the width is `x2 - x1`. Libraries
# differ: a third form, `x1, y1, w, h`, is used by COCO's files. Mixing them up is the most frequent mistake of all.

# %% [markdown]
# **Intersection over union** (IoU) is the shared area divided by the area of both together: 1 for equal boxes, 0 for
# boxes that do not touch, whatever their size.
#
# **Predict first.** Two equal squares, one moved to the right by half its width. What is the IoU?
#
# <details><summary>Answer</summary>
#
# One third. They share half a square, and together they cover one and a half. People expect one half. The usual bar of
# 0.5 is stricter than it sounds.
#
# </details>

# %%
a, b = (10.0, 10.0, 30.0, 30.0), (20.0, 10.0, 40.0, 30.0)
shared_width = min(a[2], b[2]) - max(a[0], b[0])
shared_height = min(a[3], b[3]) - max(a[1], b[1])
shared = shared_width * shared_height
union = 20 * 20 + 20 * 20 - shared
print(f"shared {shared:.0f}, union {union:.0f}, IoU {shared / union:.3f}")
print("torchvision:", ops.box_iou(torch.tensor([a]), torch.tensor([b])).item())
print("product of two negative sizes:", (15 - 30) * (15 - 30), "- clamp each at 0 first, or boxes far apart overlap")

# %% [markdown]
# The figure shows the IoU of a square with a copy that is moved along the diagonal, for sides of 8, 24 and 48 pixels.
# Moving by 2 pixels leaves a large box at 0.85 but brings a small one down to 0.39: small objects are hard to hit.

# %%
# alt: Three falling curves: IoU of a square with a moved copy, from 1 without a move. The larger the square, the
#   slower the fall. Side 48 stays above 0.5 up to a move of 8 pixels; side 24 crosses 0.5 at a good 4 pixels, side
#   8 before 2 pixels, and it ends at 0.
shift = torch.linspace(0, 8, 33)
for side, style, color in [(48, "-", BLUE), (24, "--", ORANGE), (8, ":", "black")]:
    moved = torch.stack([shift, shift, shift + side, shift + side], dim=1)
    iou = ops.box_iou(torch.tensor([[0.0, 0.0, side, side]]), moved)[0]
    plt.plot(shift, iou, style, color=color, lw=2, label=f"side {side} pixels")
    print(f"side {side}: IoU {iou[8].item():.2f} after 2 pixels")
plt.axhline(0.5, color=GREY, lw=1)
plt.xlabel("moved by (pixels, right and down)")
plt.ylabel("IoU with the original")
plt.legend()
plt.show()

# %% [markdown]
# ## 4. Anchors
#
# An **anchor** is a box at a fixed place, written down before any image is seen. Every cell of a feature map gets
# a few, of different sizes and shapes. The network then answers two questions for each anchor: what is here (or
# nothing), and how must the anchor move and stretch to fit?
#
# A size $s$ and a ratio $r$ of width to height give the width $s\sqrt{r}$ and the height $s/\sqrt{r}$, so that the area
# stays $s^2$.


# %%
def grid_anchors(cells, size, ratios=(0.5, 1.0, 2.0), image=96):
    """Anchors of one size on a square map: corners (cells * cells * len(ratios), 4)."""
    r = torch.tensor(ratios)
    shape = torch.stack([size * r.sqrt(), size / r.sqrt()], dim=1)  # (ratios, 2): width, height
    place = (torch.arange(cells) + 0.5) * image / cells
    y, x = torch.meshgrid(place, place, indexing="ij")
    center = torch.stack([x, y], dim=2).reshape(-1, 1, 2)  # row by row
    return torch.cat([center - shape / 2, center + shape / 2], dim=2).reshape(-1, 4)


anchors = torch.cat([grid_anchors(12, 26.0), grid_anchors(6, 40.0)])  # Try it: other sizes, then run the next cells
print("anchors:", tuple(anchors.shape), "= (12 * 12 + 6 * 6) cells * 3 shapes")

# %% [markdown]
# The figure shows the centres of both grids (dots) and the three anchors of one cell of each: 26 pixels on the fine
# grid, left, and 40 pixels on the coarse one, right. Anchors at the edge reach over the image; that does no harm.

# %%
# alt: Two panels show one scene, with the cell centres as a grid of dots: 12 by 12 left, 6 by 6 right. In each, three
#   boxes have one of the centres in common: a tall one (1:2), a square (1:1) and a wide one (2:1) of equal area.
#   The boxes of the coarse grid are larger.
fig, panels = plt.subplots(1, 2, figsize=(9, 4.4))
for panel, part, cell, title in [
    (panels[0], anchors[:432], 5 * 12 + 5, "12 x 12 cells, size 26"),
    (panels[1], anchors[432:], 2 * 6 + 3, "6 x 6 cells, size 40"),
]:
    draw(panel, train_set.images[1], part[3 * cell : 3 * cell + 3], ["1:2", "1:1", "2:1"], [BLUE, ORANGE, GREEN])
    panel.plot((part[::3, 0] + part[::3, 2]) / 2, (part[::3, 1] + part[::3, 3]) / 2, ".", color="white", ms=3)
    panel.set_title(title)
plt.tight_layout()
plt.show()

# %% [markdown]
# Are these anchors good enough? For every true box, take its best anchor. What IoU does it have? An object whose best
# anchor has an IoU of 0.3 starts badly. This check costs a second and should come before any training.

# %%
chosen_sets = {
    "both maps": anchors,
    "only 12 x 12": anchors[:432],
    "only 6 x 6": anchors[432:],
    "only squares": torch.cat([grid_anchors(12, 26.0, (1.0,)), grid_anchors(6, 40.0, (1.0,))]),
}
all_boxes = torch.cat([target["boxes"] for target in train_targets])
for name, some in chosen_sets.items():
    best = ops.box_iou(all_boxes, some).max(dim=1).values
    low = (best < 0.5).float().mean()
    print(f"{name:13s} {len(some):4d} anchors: median best IoU {best.median():.2f}, below 0.5: {low:.1%}")

# %% [markdown]
# **Predict first.** Why not a million anchors of all sizes, so that each object has a perfect one?
#
# <details><summary>Answer</summary>
#
# Nearly all would be background. Computing costs more, there are more chances for a false alarm, and the few positive
# anchors drown. Offsets repair an imperfect anchor; it only has to be near.
#
# </details>

# %% [markdown]
# ## 5. Matching anchors and objects
#
# For training, each anchor needs a label. Two rules, as in the SSD paper:
#
# 1. every object gets its best anchor, even if the IoU is low: no object may be without one;
# 2. every other anchor whose best IoU is at least 0.5 joins that object.
#
# All others are background, class 0. In the assignment you write D2L's stricter form of rule 1, in which two objects
# cannot want the same anchor.


# %%
def match(boxes, anchors, threshold=0.5):
    """Give for each anchor the index of its object, or -1: int64 (n,)."""
    if len(boxes) == 0:
        return torch.full((len(anchors),), -1)
    iou = ops.box_iou(boxes, anchors)  # (k, n)
    best, owner = iou.max(dim=0)
    owner[best < threshold] = -1
    owner[iou.argmax(dim=1)] = torch.arange(len(boxes))
    return owner


example = next(i for i, target in enumerate(train_targets) if len(target["labels"]) == 3)
owner = match(train_targets[example]["boxes"], anchors)
counts = [int((owner == k).sum()) for k in range(3)]
print(f"{len(anchors)} anchors, {sum(counts)} positive: {counts} for each object")

# %% [markdown]
# The figure shows the scene three times, each time with one object (white, dashed) and the anchors that were matched to
# it. They lie around the object, some larger, some smaller.

# %%
# alt: One scene three times. In each panel a white dashed box marks one object, and orange boxes around it are the
#   anchors that belong to it: all of them cover most of the object, and stick out on one side or another. The title
#   gives class and number; the objects have different numbers of anchors.
fig, panels = plt.subplots(1, 3, figsize=(11, 3.8))
for k, panel in enumerate(panels):
    mine = anchors[owner == k]
    draw(panel, train_set.images[example], mine, [""] * len(mine), [ORANGE] * len(mine))
    x1, y1, x2, y2 = train_targets[example]["boxes"][k].tolist()
    panel.add_patch(Rectangle((x1 - 0.5, y1 - 0.5), x2 - x1, y2 - y1, fill=False, color="white", lw=3, ls="--"))
    panel.set_title(f"{LABELS[train_targets[example]['labels'][k]]}: {len(mine)} anchors")
plt.tight_layout()
plt.show()

# %% [markdown]
# ### A defect to learn from
#
# Images hold different numbers of objects. D2L fills the shorter lists with rows of −1 and hands them, filling
# included, to `d2l.multibox_target`. Rule 1 then finds a "best anchor" for each filling row too.
#
# **Predict first.** One image, one object, two rows of filling. The mask should be 1 for the anchors of the object
# only. What do you expect to see?

# %%
row = torch.tensor(
    [[1.0, 0.3, 0.3, 0.6, 0.7]]
)  # class and corners; D2L counts classes from 0 and uses 0 to 1 for pixels
filling = torch.full((2, 5), -1.0)
for what, rows in [("without filling", row), ("with two rows of filling", torch.cat([row, filling]))]:
    offset, mask, label = d2l.multibox_target(anchors[None] / 96, rows[None])
    offset, mask = offset.reshape(-1, 4), mask.reshape(-1, 4)[:, 0]
    nonsense = (mask > 0) & (label[0] == 0)
    print(f"{what}: {int(mask.sum())} anchors in the box loss, {int(nonsense.sum())} of them background")
    for k in nonsense.nonzero().flatten().tolist():
        print("    anchor", k, "shall learn the offsets", [round(v, 1) for v in offset[k].tolist()])

# %% [markdown]
# Each row of filling pulls one background anchor into the box loss, with the offset −69.1 for width and height: five
# times the logarithm of the small constant that D2L adds because a box of filling has no size. In every image with
# fewer objects than the fullest one, the loss of the boxes is dominated by such nonsense. Nothing crashes, the loss
# even falls; the boxes only become worse. Below we match each image with its real objects only; exercise 6 makes you
# keep filling out.

# %% [markdown]
# ## 6. Offsets
#
# The network predicts how to move and stretch an anchor $(x_a, y_a, w_a, h_a)$ into a box $(x, y, w, h)$:
#
# $$\left(\frac{x-x_a}{0.1\,w_a},\; \frac{y-y_a}{0.1\,h_a},\; \frac{\ln(w/w_a)}{0.2},\; \frac{\ln(h/h_a)}{0.2}\right)$$
#
# - Divided by the size of the anchor: "a tenth of my width to the left" is the same for small and large anchors.
# - The logarithm makes "twice as wide" and "half as wide" opposite numbers, and no prediction can give a negative
#   width.
# - 0.1 and 0.2 bring the numbers to a size near 1, as standardising does (week 3).


# %%
def to_offsets(anchors, boxes):
    """Offsets (n, 4) from each anchor to the box in the same row."""
    a, b = (ops.box_convert(corners, "xyxy", "cxcywh") for corners in (anchors, boxes))
    return torch.cat([10 * (b[:, :2] - a[:, :2]) / a[:, 2:], 5 * (b[:, 2:] / a[:, 2:]).log()], dim=1)


def to_boxes(anchors, offsets):
    """Boxes (..., 4), corners, from anchors (n, 4) and offsets (..., n, 4)."""
    a = ops.box_convert(anchors, "xyxy", "cxcywh")
    center, size = a[:, :2] + offsets[..., :2] * a[:, 2:] / 10, a[:, 2:] * (offsets[..., 2:] / 5).exp()
    return torch.cat([center - size / 2, center + size / 2], dim=-1)


positive = owner >= 0
wanted = train_targets[example]["boxes"][owner[positive]]
t = to_offsets(anchors[positive], wanted)
for name, numbers in [("mean", t.mean(dim=0)), ("deviation", t.std(dim=0))]:
    print(f"offsets, {name}:", [round(v, 2) for v in numbers.tolist()])
print("there and back: largest error", f"{(to_boxes(anchors[positive], t) - wanted).abs().max():.1e} pixels")

# %% [markdown]
# Matching and offsets do not depend on the network, so we compute the targets of all 2,000 images once, before
# training: `classes` (2000, n) and `offsets` (2000, n, 4). We do the same for the mirrored images: an easy way to have
# twice as many (week 9). A box is mirrored too: its left edge becomes 96 minus its old right edge.


# %%
def make_targets(targets, anchors):
    """Classes int64 (len(targets), n), 0 for background, and offsets (len(targets), n, 4)."""
    classes = torch.zeros(len(targets), len(anchors), dtype=torch.int64)
    offsets = torch.zeros(len(targets), len(anchors), 4)
    for i, target in enumerate(targets):
        owner = match(target["boxes"], anchors)
        chosen = owner >= 0
        classes[i, chosen] = target["labels"][owner[chosen]]
        offsets[i, chosen] = to_offsets(anchors[chosen], target["boxes"][owner[chosen]])
    return classes, offsets


def mirrored(targets, width=96):
    """The same objects in images that are flipped left to right."""
    sign, shift = torch.tensor([-1, 1, -1, 1]), torch.tensor([width, 0, width, 0])
    return [{**t, "boxes": (t["boxes"] * sign + shift)[:, [2, 1, 0, 3]]} for t in targets]


start = time.perf_counter()
pairs = [make_targets(targets, anchors) for targets in (train_targets, mirrored(train_targets))]
classes, offsets = (torch.cat(parts) for parts in zip(*pairs, strict=True))
images = torch.cat([train_set.images, train_set.images.flip(3)])  # uint8: a quarter of the memory of float32
print(f"{time.perf_counter() - start:.1f} s: classes {tuple(classes.shape)}, offsets {tuple(offsets.shape)}")
print(f"positive anchors per image: {(classes > 0).sum(dim=1).float().mean():.1f} of {len(anchors)}")

# %% [markdown]
# ## 7. Heads, and why several maps
#
# A head is a 3×3 convolution. On a map with $A$ anchors per cell it gives $A \cdot 11$ channels of class scores (ten
# classes and background), and another one $A \cdot 4$ channels of offsets. Its output must be rearranged from (b,
# channels, rows, columns) to (b, anchors, 11). **The channels go last before the reshape**: otherwise places and
# channels are mixed, the shapes fit, and training fails quietly.

# %% [markdown]
# One map would have to serve small and large objects. A cell of the fine map sees little context; a cell of the coarse
# one cannot tell two small neighbours apart. **Multiscale detection** gives each map the objects of its size. The SSD
# of the paper has six maps, ours two: the longer side of our objects is mostly 28 to 48 pixels.


# %%
class Detector(nn.Module):
    """Features, and two convolutions for each of the maps: images to logits (b, n, 11) and offsets (b, n, 4)."""

    def __init__(self, shapes=3):
        super().__init__()
        self.features = Features()
        self.scores = nn.ModuleList(nn.Conv2d(64, 11 * shapes, 3, padding=1) for _ in range(2))
        self.moves = nn.ModuleList(nn.Conv2d(64, 4 * shapes, 3, padding=1) for _ in range(2))

    @staticmethod
    def rows(layer, features, width):
        """Apply a head; put its channels last, then one row per anchor: (b, anchors of this map, width)."""
        return layer(features).permute(0, 2, 3, 1).reshape(len(features), -1, width)

    def forward(self, images):
        maps = self.features(images)
        logits = [self.rows(layer, m, 11) for layer, m in zip(self.scores, maps, strict=True)]
        moves = [self.rows(layer, m, 4) for layer, m in zip(self.moves, maps, strict=True)]
        return torch.cat(logits, dim=1), torch.cat(moves, dim=1)


logits, moves = Detector()(torch.zeros(2, 3, 96, 96))
print(tuple(logits.shape), tuple(moves.shape), "for", len(anchors), "anchors")

# %% [markdown]
# ## 8. The loss, and the flood of background
#
# Two losses are added: cross-entropy for the class of an anchor, and smooth L1 for the offsets of *positive* anchors.
# (Smooth L1 is $d^2/2$ near 0 and $|d| - 1/2$ further away, so one very bad box does not dominate.)
#
# **Predict first.** A network that answers "background, 99 %" for every anchor: how good is its accuracy, counted over
# anchors?
#
# <details><summary>Answer</summary>
#
# As large as the share of background: the cell prints it. Learning with all anchors alike first learns exactly this
# answer, and the gradient of the few objects is lost in the sum over easy background.
#
# </details>

# %%
share = (classes == 0).float().mean().item()
print(f"background: {share:.1%} of all anchors, {share / (1 - share):.0f} for each positive one")
easy, hard, object_loss = -math.log(0.99), -math.log(0.3), -math.log(0.01)
print(f"loss of one easy background anchor {easy:.3f}, of a hard one {hard:.2f}, of a missed object {object_loss:.2f}")

# %% [markdown]
# **Hard-negative mining** keeps, for each positive anchor, only three background anchors: those with the largest loss,
# which look most like an object. The easy rest is left out. Other cures: a small weight for the background, or the
# focal loss (week 11), which plays down what is already easy.
#
# The sum is divided by the number of positive anchors, not by all anchors. So the loss is one "per positive anchor", of
# similar size whatever the number of anchors; divided by all, the few objects would give a tiny gradient.


# %%
def detection_loss(logits, moves, classes, offsets):
    """Give the two parts of the loss, each divided by the number of positive anchors."""
    positive = classes > 0  # (b, n)
    entropy = nn.functional.cross_entropy(logits.transpose(1, 2), classes, reduction="none")  # (b, n)
    # Rank the background anchors of each image by their loss: 0 for the hardest.
    rank = entropy.detach().masked_fill(positive, -1).argsort(dim=1, descending=True).argsort(dim=1)
    mined = ~positive & (rank < 3 * positive.sum(dim=1, keepdim=True))
    box = nn.functional.smooth_l1_loss(moves[positive], offsets[positive], reduction="sum")
    count = positive.sum().clamp(min=1)
    return entropy[positive | mined].sum() / count, box / count


# %% [markdown]
# ## 9. Training
#
# Six passes over the scenes, each scene as it is or mirrored, in batches of 16, with AdamW and a learning rate that
# rises and falls (week 6). A line appears after each pass, with the time that has gone by.

# %%
EPOCHS, BATCH, RATE = 6, 16, 3e-3  # Try it: 2 epochs, or a rate of 3e-4
torch.manual_seed(0)
net = Detector().to(device)
optimiser = torch.optim.AdamW(net.parameters(), lr=RATE)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * 2000 // BATCH)
history, start = [], time.perf_counter()
for epoch in range(EPOCHS):
    total = torch.zeros(2)
    for rows in torch.randperm(2000).split(BATCH):
        rows = rows + 2000 * torch.randint(2, (len(rows),))  # the image, or the mirrored one
        batch = images[rows].to(device) / 255
        parts = detection_loss(*net(batch), classes[rows].to(device), offsets[rows].to(device))
        optimiser.zero_grad()
        sum(parts).backward()
        optimiser.step()
        schedule.step()
        total += torch.stack(parts).detach().cpu() * len(rows) / 2000
    history.append(total.tolist())
    print(f"pass {epoch + 1}: class loss {total[0]:.2f}, box loss {total[1]:.2f}, {time.perf_counter() - start:.0f} s")

# %% [markdown]
# The figure shows both parts of the loss after each pass, the class loss above the box loss. A loss alone does not say
# how many objects are found; for that we need detections first, and then a measure.

# %%
# alt: Class loss and box loss after each pass. Both fall steeply between the first and the second pass and slowly
#   afterwards; the class loss stays above the box loss throughout.
passes = range(1, len(history) + 1)
plt.plot(passes, [row[0] for row in history], "o-", color=BLUE, label="class loss")
plt.plot(passes, [row[1] for row in history], "s--", color=ORANGE, label="box loss")
plt.xlabel("pass")
plt.ylabel("loss per positive anchor")
plt.ylim(bottom=0)
plt.legend()
plt.show()

# %% [markdown]
# ## 10. From outputs to detections: non-maximum suppression
#
# For an image, keep each pair of anchor and class with a probability above 0.05 and move the anchor by its offsets.
# One object has many positive anchors, so it is found many times.
#
# **Non-maximum suppression** (NMS): take the detection with the largest score, remove all others of its class whose IoU
# with it is larger than a threshold, and go on with the next one that is left.

# %% [markdown]
# **Predict first.** What happens if the threshold is very high (0.9), or very low (0.1)?
#
# <details><summary>Answer</summary>
#
# High: duplicates stay, and each is a false alarm. Low: a second object of the same class that stands close to the
# first is removed, and so is missed.
#
# </details>


# %%
@torch.no_grad()
def raw_outputs(net, images):
    """Probabilities (m, n, 11) and boxes (m, n, 4) for uint8 images (m, 3, 96, 96), 100 at a time."""
    net.eval()
    parts = [net(some.to(device) / 255) for some in images.split(100)]
    probabilities = torch.cat([logits.softmax(dim=2).cpu() for logits, _ in parts])
    return probabilities, torch.cat([to_boxes(anchors, moves.cpu()) for _, moves in parts])


def detections_of(probability, boxes, least=0.05, overlap=0.45):
    """Give the detections of one image, best first, as a dict of boxes (k, 4), scores (k,), labels (k,)."""
    place, label = (probability[:, 1:] > least).nonzero(as_tuple=True)
    label = label + 1
    score = probability[place, label]
    keep = ops.batched_nms(boxes[place], score, label, overlap)  # classes do not compete; sorted by score
    return {"boxes": boxes[place][keep], "scores": score[keep], "labels": label[keep]}


probabilities, found_boxes = raw_outputs(net, test_set.images)
for overlap in (0.99, 0.9, 0.45, 0.1):
    counts = [len(detections_of(p, b, 0.3, overlap)["scores"]) for p, b in zip(probabilities, found_boxes, strict=True)]
    print(f"NMS threshold {overlap}: {sum(counts) / len(counts):.2f} detections per scene with a score above 0.3")
print(f"true objects per scene: {sum(len(t['labels']) for t in test_targets) / len(test_targets):.2f}")

# %% [markdown]
# The figure shows one test scene: left, all boxes with a score above 0.3 before suppression, a bundle for each object;
# right, after it, one box for each object and class. An object that could be two things, such as pullover or coat, may
# keep two boxes: classes do not compete.

# %%
# alt: One test scene twice. Left, before suppression: a thick bundle of nearly equal orange boxes around each object.
#   Right, after it: one box for each object and class, labelled with class and score.
shown = max(range(60), key=lambda i: int((probabilities[i, :, 1:] > 0.3).sum()))
fig, panels = plt.subplots(1, 2, figsize=(9, 4.5))
for panel, overlap, title in [(panels[0], 0.999, "before"), (panels[1], 0.45, "after suppression")]:
    found = detections_of(probabilities[shown], found_boxes[shown], 0.3, overlap)
    names = [
        f"{LABELS[k]} {s:.2f}" if overlap < 0.9 else "" for k, s in zip(found["labels"], found["scores"], strict=True)
    ]
    draw(panel, test_set.images[shown], found["boxes"], names, [ORANGE] * len(names))
    panel.set_title(f"{title}: {len(names)} boxes")
plt.tight_layout()
plt.show()

# %% [markdown]
# ### On scenes that it has never seen
#
# The figure shows eight test scenes. White, dashed: the truth. Orange, solid: detections with a score of at least 0.5,
# with class and score.

# %%
# alt: Eight test scenes. Nearly every white dashed box (an object) is closely surrounded by an orange one with class
#   and score. Some objects have no orange box or one with a wrong class, most often where objects cover one
#   another.
detections = [detections_of(p, b) for p, b in zip(probabilities, found_boxes, strict=True)]
fig, panels = plt.subplots(2, 4, figsize=(14, 7.2))
for i, panel in enumerate(panels.flat):
    sure = detections[i]["scores"] >= 0.5
    pairs = zip(detections[i]["labels"][sure], detections[i]["scores"][sure], strict=True)
    names = [f"{LABELS[k]} {s:.2f}" for k, s in pairs]
    truth = test_targets[i]["boxes"]
    draw(panel, test_set.images[i], truth, [""] * len(truth), ["white"] * len(truth), "--")
    draw(panel, test_set.images[i], detections[i]["boxes"][sure], names, [ORANGE] * len(names))
plt.tight_layout()
plt.show()

# %% [markdown]
# ## 11. Average precision
#
# Is that good? A detection is a **hit** if it has the right class and an IoU of at least 0.5 with an object that no
# better detection has taken. Everything else is a **false positive**; an object without a hit is a **miss**.
#
# Then precision and recall (week 4) depend on the score from which on we believe a detection. So we go through *all*
# detections of a class, best score first, and note precision and recall after each one.

# %% [markdown]
# A small table by hand: five detections of one class, in all images together, and four objects.
#
# | score | hit? | precision | recall |
# | --- | --- | --- | --- |
# | 0.95 | yes | 1/1 | 1/4 |
# | 0.90 | no | 1/2 | 1/4 |
# | 0.80 | yes | 2/3 | 2/4 |
# | 0.60 | yes | 3/4 | 3/4 |
# | 0.30 | no | 3/5 | 3/4 |
#
# **Average precision** (AP) is the area under this curve, where each recall takes the best precision that is still
# reached at this recall *or a larger one*: 1 up to 1/4, then 3/4 up to 3/4, then 0.

# %% [markdown]
# The COCO benchmark reads the curve at the 101 recalls 0, 0.01, …, 1 and averages; older ones took 11 points (PASCAL
# VOC 2007) or the exact area. The numbers differ in the third digit, enough to change a ranking: always say which one
# it is. Here: `26 · 1 + 50 · 0.75 = 63.5`, divided by 101: 0.629. The exact area is 0.625.
#
# **mAP@0.5** is the mean over the classes. COCO's main number averages over IoU thresholds from 0.5 to 0.95 as well.


# %%
def precision_recall(detections, targets, label, threshold=0.5):
    """Precision and recall of one class after each detection, best score first, in all images."""
    ranked, count = [], 0
    for found, target in zip(detections, targets, strict=True):
        truth = target["boxes"][target["labels"] == label]
        count += len(truth)
        mine = found["labels"] == label
        scores, order = found["scores"][mine].sort(descending=True, stable=True)
        iou = ops.box_iou(found["boxes"][mine][order], truth)
        for k, score in enumerate(scores.tolist()):
            hit = len(truth) > 0 and bool(iou[k].max() >= threshold)
            if hit:
                iou[:, iou[k].argmax()] = -1  # this object is taken
            ranked.append((score, hit))
    ranked.sort(key=lambda pair: -pair[0])  # stable: equal scores keep the order of the images
    hits = torch.tensor([hit for _, hit in ranked], dtype=torch.float64).cumsum(dim=0)
    return hits / torch.arange(1, len(hits) + 1), hits / count


# %%
def area_101(precision, recall):
    """The mean over the recalls 0, 0.01, ..., 1 of the best precision at this recall or a larger one."""
    best = torch.cat([precision.flip(0).cummax(dim=0).values.flip(0), torch.zeros(1)])
    return best[torch.searchsorted(recall, torch.arange(101, dtype=torch.float64) / 100)].mean().item()


def ap_by_class(detections, targets):
    """AP at IoU 0.5 of each class that occurs in the targets."""
    present = sorted({label for target in targets for label in target["labels"].tolist()})
    return {label: area_101(*precision_recall(detections, targets, label)) for label in present}


table = torch.tensor([1, 0.5, 2 / 3, 0.75, 0.6]), torch.tensor([0.25, 0.25, 0.5, 0.75, 0.75], dtype=torch.float64)
print(f"the table by hand: {area_101(*table):.4f}")
by_class = ap_by_class(detections, test_targets)
mean_ap = sum(by_class.values()) / len(by_class)
print(f"mAP@0.5 on {len(test_targets)} test scenes: {mean_ap:.3f}")

# %% [markdown]
# The left panel of the figure shows precision against recall for the best and the worst class: a good curve stays at
# the top until far to the right. The right panel shows the AP of every class, the smallest at the bottom. Are the last
# ones those that week 4 to 8 confused as well (shirt, coat, pullover)? Then naming is the problem, not locating.

# %%
# alt: Left, precision against recall: the curve of the best class stays near 1 and drops only at the right edge; that
#   of the worst class sinks earlier and ends before recall 1. Right, bars with the average precision of the ten
#   classes in falling order from the top, and a dashed line at the mean.
fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4))
order = sorted(by_class, key=by_class.get)
for label, style, color in [(order[-1], "-", BLUE), (order[0], "--", ORANGE)]:
    precision, recall = precision_recall(detections, test_targets, label)
    left.plot(recall, precision, style, color=color, lw=2, label=LABELS[label])
left.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
left.legend(loc="lower left")
right.barh([LABELS[k] for k in order], [by_class[k] for k in order], color=GREY)
right.axvline(mean_ap, color="black", ls="--")
right.set(xlabel="average precision at IoU 0.5", xlim=(0, 1), title=f"mean (dashed): {mean_ap:.2f}")
plt.tight_layout()
plt.show()

# %% [markdown]
# Three cautions.
#
# - AP sees only the *order* of the scores. A detector whose scores are all halved has the same AP.
# - A detection that ranks below all others never harms the AP, so benchmarks keep hundreds per image. A user wants
#   few: choose a score threshold on validation scenes for that.
# - The number says nothing about *which* mistakes are made. That comes now.

# %% [markdown]
# ## 12. What goes wrong: kinds of mistakes
#
# Take the detections with a score of at least 0.5. Each false positive belongs to one of four kinds:
#
# | kind | definition | points to |
# | --- | --- | --- |
# | duplicate | right class, IoU ≥ 0.5, but the object is taken | NMS threshold |
# | wrong class | IoU ≥ 0.5 with an object of another class | features, more data |
# | poor overlap | right class, IoU from 0.1 to 0.5 | offsets, anchors |
# | background | all else | more hard negatives |


# %%
def judge(found, target, least=0.5):
    """Give a kind for each detection of one image with score >= least, and a bool per object: was it found?"""
    sure = found["scores"] >= least
    boxes, labels = found["boxes"][sure], found["labels"][sure]
    iou = ops.box_iou(boxes, target["boxes"])
    taken, kinds = torch.zeros(len(target["labels"]), dtype=torch.bool), []
    for k, label in enumerate(labels):
        same = target["labels"] == label
        free = iou[k] * (same & ~taken)
        if free.max() >= 0.5:
            taken[free.argmax()] = True
            kinds.append("hit")
        elif (iou[k] * same).max() >= 0.5:
            kinds.append("duplicate")
        elif iou[k].max() >= 0.5:
            kinds.append("wrong class")
        else:
            kinds.append("poor overlap" if (iou[k] * same).max() >= 0.1 else "background")
    return boxes, labels, kinds, taken


judged = [judge(*pair) for pair in zip(detections, test_targets, strict=True)]
kinds = [kind for _, _, some, _ in judged for kind in some]
KINDS = ["hit", "wrong class", "poor overlap", "duplicate", "background"]
for kind in KINDS:
    print(f"{kind:13s} {kinds.count(kind):4d}  {kinds.count(kind) / len(kinds):6.1%} of {len(kinds)} detections")
missed = sum(int((~taken).sum()) for *_, taken in judged)
print(f"missed        {missed:4d}  {missed / sum(len(t['labels']) for t in test_targets):6.1%} of all objects")

# %% [markdown]
# The figure shows false positives, two of each kind where there are as many: the truth in white, dashed, with its
# class; the mistake in orange with what the detector says.

# %%
# alt: Up to eight test scenes, each with one false positive in orange; its kind stands in the title. Wrong class: the
#   box fits, the name does not. Poor overlap: the box lies beside the object or covers half of it. Duplicate: a
#   second box on a found object. Background: a box between or across objects.
examples = [
    (kind, i, k)
    for kind in KINDS[1:]
    for i, k in [(i, k) for i, (_, _, some, _) in enumerate(judged) for k, found in enumerate(some) if found == kind][
        :2
    ]
]
fig, panels = plt.subplots(2, 4, figsize=(14, 7.6))
for panel in panels.flat:
    panel.axis("off")
for panel, (kind, i, k) in zip(panels.T.flat, examples, strict=False):
    boxes, labels, _, _ = judged[i]
    names = [LABELS[label] for label in test_targets[i]["labels"].tolist()]
    draw(panel, test_set.images[i], test_targets[i]["boxes"], names, ["white"] * len(names), "--")
    draw(panel, test_set.images[i], boxes[k : k + 1], [LABELS[labels[k]]], [ORANGE])
    panel.set_title(kind)
plt.tight_layout()
plt.show()

# %% [markdown]
# Which classes are taken for which? The cell lists the most frequent confusions among the "wrong class" detections.

# %%
confused = {}
for (boxes, labels, some, _), target in zip(judged, test_targets, strict=True):
    best = ops.box_iou(boxes, target["boxes"]).argmax(dim=1) if len(boxes) else []
    for k, kind in enumerate(some):
        if kind == "wrong class":
            pair = LABELS[target["labels"][best[k]]], LABELS[labels[k]]
            confused[pair] = confused.get(pair, 0) + 1
for (true, said), number in sorted(confused.items(), key=lambda item: -item[1])[:6]:
    print(f"{number:3d} times: {true} called {said}")

# %% [markdown]
# And the misses? We compare missed and found objects: their size, and how much another object's box overlaps theirs.

# %%
taken = torch.cat([row[3] for row in judged])
side = torch.cat([((t["boxes"][:, 2:] - t["boxes"][:, :2]).prod(dim=1)).sqrt() for t in test_targets])
pairwise = [ops.box_iou(t["boxes"], t["boxes"]) - torch.eye(len(t["boxes"])) for t in test_targets]
crowd = torch.cat([iou.max(dim=1).values for iou in pairwise])  # the largest IoU with another object
for name, group in [
    ("smallest quarter", side <= side.quantile(0.25)),
    ("largest quarter", side >= side.quantile(0.75)),
    ("alone", crowd == 0),
    ("overlapped, IoU above 0.1", crowd > 0.1),
]:
    print(f"{name:26s} {int(group.sum()):4d} objects, missed {(~taken[group]).float().mean():.1%}")

# %% [markdown]
# The figure shows missed objects in white, dashed, with their true class. Look for a cause in each: small, covered, at
# the edge, or found but with another class (then it counts as a false positive as well).

# %%
# alt: Six test scenes, each with one missed object in a white dashed box with its true class. Several of them are
#   partly covered by another object.
lost = [(i, k) for i, row in enumerate(judged) for k in (~row[3]).nonzero().flatten().tolist()]
fig, panels = plt.subplots(1, 6, figsize=(15, 3.2))
for panel in panels:
    panel.axis("off")
for panel, (i, k) in zip(panels, lost[:: max(len(lost) // 6, 1)], strict=False):
    name = LABELS[test_targets[i]["labels"][k]]
    draw(panel, test_set.images[i], test_targets[i]["boxes"][k : k + 1], [name], ["white"], "--")
plt.tight_layout()
plt.show()

# %% [markdown]
# ## 13. One number, many thresholds
#
# The last choice is the score from which on a user sees a detection. The figure shows precision and recall over all
# classes for every score threshold. Which threshold is right depends on the use: a shop's search may show a wrong box;
# a robot that grasps may not.

# %%
# alt: Two curves over the score threshold from 0.05 to 0.95. Precision rises steadily, recall falls, slowly at first
#   and quickly at the end; they cross not far from the middle.
rows = []
for least in torch.linspace(0.05, 0.95, 19).tolist():
    results = [judge(found, target, least) for found, target in zip(detections, test_targets, strict=True)]
    said = [kind for _, _, some, _ in results for kind in some]
    objects = torch.cat([row[3] for row in results])
    rows.append((least, said.count("hit") / len(said), objects.float().mean().item()))
plt.plot([r[0] for r in rows], [r[1] for r in rows], "-", color=BLUE, lw=2, label="precision")
plt.plot([r[0] for r in rows], [r[2] for r in rows], "--", color=ORANGE, lw=2, label="recall")
plt.xlabel("score threshold")
plt.ylabel("share")
plt.ylim(0, 1)
plt.legend(loc="lower center")
plt.show()

# %% [markdown]
# ## Summary
#
# - Anchors turn "any number of objects" into a fixed number of questions; matching says who answers for which object.
# - Offsets are relative to the anchor and must be inverted exactly; filling rows must never be matched.
# - Nearly all anchors are background: mine hard negatives, and divide by the number of positive anchors.
# - Several maps serve several sizes. Non-maximum suppression leaves one detection per object, class by class.
# - mAP@0.5 counts hits by falling score; say which variant you use. Then look at the mistakes by kind.

# %% [markdown]
# ### Common mistakes
#
# | what you see | likely cause | cure |
# | --- | --- | --- |
# | loss falls, mAP stays near 0 | reshape without permute; anchors in another order | channels last, then reshape |
# | all boxes slightly off | centres at the corner of the cell; inverse is not exact | + 0.5; test there and back |
# | box loss is huge | filling rows matched; sum not divided | real rows only; divide by positives |
# | says background everywhere | no mining, mean over all anchors | hard negatives 3:1 |
# | IoU above 1 or negative | sizes not clamped at 0; `x, y, w, h` mixed up | clamp; convert once, at the border |
# | neighbours vanish | NMS over all classes, or threshold too low | class by class, about 0.5 |
# | mAP of others not reached | another AP variant; detections cut at 0.5 | keep low scores; name the variant |

# %% [markdown]
# ### Read more
#
# - *Dive into Deep Learning*, English 1.0: sections 14.3 to 14.7; Chinese second edition: 13.3 to 13.7.
# - W. Liu and others (2016), *SSD: Single shot multibox detector*.
# - S. Ren and others (2015), *Faster R-CNN*: where anchors come from.
# - M. Everingham and others (2010), *The PASCAL visual object classes challenge*; T. Lin and others (2014), *Microsoft
#   COCO*: the two ways to measure.
# - D. Hoiem and others (2012), *Diagnosing error in object detectors*: kinds of mistakes.
# - A. Shrivastava and others (2016), *Training region-based object detectors with online hard example mining*.

# %% [markdown]
# ### What the assignment asks
#
# 1. Corners and centres.
# 2. The IoU of all pairs, without a loop.
# 3. Anchors on a feature map.
# 4. The assignment of anchors, in which no two objects share one.
# 5. Offsets and their exact inverse.
# 6. Targets for a batch with filling.
# 7. Non-maximum suppression.
# 8. Average precision and mAP, as COCO computes them.
# 9. Heads on several maps.
# 10. The loss with hard negatives.
# 11. A detector that reaches an mAP@0.5 of 0.85.
#
# And in your own words: one explanation, and a weekly report. Start today with exercises 1 and 2.
