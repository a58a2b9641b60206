"""Other answers to the exercises of week 10: the right ones must earn all points, the wrong ones must not.

Each cell replaces the answer cell of one exercise. The header says which, and what is different or mistaken.
"""

# %%
# ruff: noqa: F821  (a locked cell of the notebook holds the library_... parts)
import math

import torch
from torch import nn


# %% boxes right: one coordinate after the other, stacked
def corner_to_center(boxes):
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack(((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1), axis=-1)


def center_to_corner(boxes):
    cx, cy, w, h = (boxes[..., k] for k in range(4))
    return torch.stack((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2), axis=-1)


# %% boxes right: a product with a matrix
def corner_to_center(boxes):
    matrix = torch.tensor([[0.5, 0, -1, 0], [0, 0.5, 0, -1], [0.5, 0, 1, 0], [0, 0.5, 0, 1]], dtype=boxes.dtype)
    return boxes @ matrix


def center_to_corner(boxes):
    matrix = torch.tensor([[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]], dtype=boxes.dtype)
    return boxes @ matrix


# %% boxes right: fills a copy
def corner_to_center(boxes):
    result = boxes.clone()
    result[..., 2] = boxes[..., 2] - boxes[..., 0]
    result[..., 3] = boxes[..., 3] - boxes[..., 1]
    result[..., 0] = boxes[..., 0] + result[..., 2] / 2
    result[..., 1] = boxes[..., 1] + result[..., 3] / 2
    return result


def center_to_corner(boxes):
    result = torch.empty_like(boxes)
    result[..., :2] = boxes[..., :2] - 0.5 * boxes[..., 2:]
    result[..., 2:] = boxes[..., :2] + 0.5 * boxes[..., 2:]
    return result


# %% boxes wrong: works in place
def corner_to_center(boxes):
    boxes[..., 2:] -= boxes[..., :2]
    boxes[..., :2] += boxes[..., 2:] / 2
    return boxes


def center_to_corner(boxes):
    boxes[..., :2] -= boxes[..., 2:] / 2
    boxes[..., 2:] += boxes[..., :2]
    return boxes


# %% boxes wrong: only for tables with two axes
def corner_to_center(boxes):
    x1, y1, x2, y2 = boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3]
    return torch.stack(((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1), axis=-1)


def center_to_corner(boxes):
    cx, cy, w, h = boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3]
    return torch.stack((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2), axis=-1)


# %% boxes wrong: the last pixel is counted twice
def corner_to_center(boxes):
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low + 1], dim=-1)


def center_to_corner(boxes):
    center, half = boxes[..., :2], (boxes[..., 2:] - 1) / 2
    return torch.cat([center - half, center + half], dim=-1)


# %% boxes wrong: the whole width to each side
def corner_to_center(boxes):
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


def center_to_corner(boxes):
    center, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat([center - size, center + size], dim=-1)


# %% boxes wrong: takes the upper left corner for the centre
def corner_to_center(boxes):
    return torch.cat([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], dim=-1)


def center_to_corner(boxes):
    return torch.cat([boxes[..., :2], boxes[..., 2:] + boxes[..., :2]], dim=-1)


# %% boxes wrong: the library's function
def corner_to_center(boxes):
    from torchvision.ops import box_convert

    return box_convert(boxes, "xyxy", "cxcywh")


def center_to_corner(boxes):
    from torchvision.ops import box_convert

    return box_convert(boxes, "cxcywh", "xyxy")


# %% iou right: columns, with clamp and a safe denominator
def box_iou(a, b):
    ax1, ay1, ax2, ay2 = a.T[:, :, None]
    bx1, by1, bx2, by2 = b.T[:, None, :]
    width = (torch.minimum(ax2, bx2) - torch.maximum(ax1, bx1)).clamp(min=0)
    height = (torch.minimum(ay2, by2) - torch.maximum(ay1, by1)).clamp(min=0)
    intersection = width * height
    union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - intersection
    return intersection / union.clamp(min=1e-12)


# %% iou right: repeats the boxes and mends NaN
def box_iou(a, b):
    n, m = len(a), len(b)
    first, second = a.unsqueeze(1).expand(n, m, 4), b.unsqueeze(0).expand(n, m, 4)
    low, high = torch.max(first[..., :2], second[..., :2]), torch.min(first[..., 2:], second[..., 2:])
    size = torch.clamp(high - low, min=0)
    inter = size[..., 0] * size[..., 1]

    def area(boxes):
        return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])

    return torch.nan_to_num(inter / (area(first) + area(second) - inter), nan=0.0)


# %% iou right: coordinate by coordinate, every column indexed
def box_iou(a, b):
    x1, y1 = torch.maximum(a[:, None, 0], b[None, :, 0]), torch.maximum(a[:, None, 1], b[None, :, 1])
    x2, y2 = torch.minimum(a[:, None, 2], b[None, :, 2]), torch.minimum(a[:, None, 3], b[None, :, 3])
    shared = (x2 - x1).clamp(min=0) * (y2 - y1).clamp(min=0)
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    union = area_a[:, None] + area_b[None, :] - shared
    return torch.where(union > 0, shared / union, torch.zeros_like(shared))


# %% iou wrong: negative sizes are multiplied
def box_iou(a, b):
    low, high = torch.maximum(a[:, None, :2], b[:, :2]), torch.minimum(a[:, None, 2:], b[:, 2:])
    shared = (high - low).prod(dim=-1).relu()
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1] - shared
    return torch.where(union > 0, shared / union, 0)


# %% iou wrong: the intersection is not subtracted
def box_iou(a, b):
    low, high = torch.maximum(a[:, None, :2], b[:, :2]), torch.minimum(a[:, None, 2:], b[:, 2:])
    shared = (high - low).relu().prod(dim=-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1]
    return torch.where(union > 0, shared / union, 0)


# %% iou wrong: 0/0 for boxes without area
def box_iou(a, b):
    low, high = torch.maximum(a[:, None, :2], b[:, :2]), torch.minimum(a[:, None, 2:], b[:, 2:])
    shared = (high - low).relu().prod(dim=-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (a, b)]
    return shared / (areas[0][:, None] + areas[1] - shared)


# %% iou wrong: a loop over all pairs
def box_iou(a, b):
    result = torch.zeros(len(a), len(b), dtype=a.dtype)
    for i, p in enumerate(a):
        for j, q in enumerate(b):
            w, h = min(p[2], q[2]) - max(p[0], q[0]), min(p[3], q[3]) - max(p[1], q[1])
            shared = max(w, 0) * max(h, 0)
            union = (p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1]) - shared
            result[i, j] = shared / union if union > 0 else 0
    return result


# %% iou wrong: row by row, so only for as many boxes in a as in b
def box_iou(a, b):
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    shared = (high - low).relu().prod(dim=-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (a, b)]
    union = areas[0] + areas[1] - shared
    return torch.where(union > 0, shared / union, 0)


# %% iou wrong: a constant in the denominator that is felt
def box_iou(a, b):
    low, high = torch.maximum(a[:, None, :2], b[:, :2]), torch.minimum(a[:, None, 2:], b[:, 2:])
    shared = (high - low).relu().prod(dim=-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (a, b)]
    return shared / (areas[0][:, None] + areas[1] - shared + 0.01)


# %% iou wrong: the library's function
def box_iou(a, b):
    import torchvision

    return torchvision.ops.box_iou(a, b)


# %% anchors right: four loops
def make_anchors(rows, columns, image_size, sizes, ratios):
    boxes = []
    height, width = image_size
    for i in range(rows):
        for j in range(columns):
            cx, cy = width * (j + 0.5) / columns, height * (i + 0.5) / rows
            for s in sizes:
                for r in ratios:
                    w, h = s * r**0.5, s / r**0.5
                    boxes.append([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])
    return torch.tensor(boxes)


# %% anchors right: meshgrid and broadcasting over five axes
def make_anchors(rows, columns, image_size, sizes, ratios):
    cy, cx, s, r = torch.meshgrid(
        (torch.arange(rows, dtype=torch.float32) + 0.5) * (image_size[0] / rows),
        (torch.arange(columns, dtype=torch.float32) + 0.5) * (image_size[1] / columns),
        torch.tensor(sizes, dtype=torch.float32),
        torch.tensor(ratios, dtype=torch.float32),
        indexing="ij",
    )
    w, h = s * r.sqrt() / 2, s / r.sqrt() / 2
    return torch.stack([cx - w, cy - h, cx + w, cy + h], dim=-1).flatten(0, 3)


# %% anchors wrong: centres at the corners of the cells
def make_anchors(rows, columns, image_size, sizes, ratios):
    y = torch.arange(rows) * image_size[0] / rows
    x = torch.arange(columns) * image_size[1] / columns
    shapes = torch.tensor([[s * math.sqrt(r), s / math.sqrt(r)] for s in sizes for r in ratios])
    half = torch.cat([-shapes, shapes], dim=1) / 2
    centers = torch.cartesian_prod(y, x).flip(1).repeat(1, 2)
    return (centers[:, None] + half).reshape(-1, 4)


# %% anchors wrong: column by column
def make_anchors(rows, columns, image_size, sizes, ratios):
    y = (torch.arange(rows) + 0.5) * image_size[0] / rows
    x = (torch.arange(columns) + 0.5) * image_size[1] / columns
    shapes = torch.tensor([[s * math.sqrt(r), s / math.sqrt(r)] for s in sizes for r in ratios])
    half = torch.cat([-shapes, shapes], dim=1) / 2
    centers = torch.cartesian_prod(x, y).repeat(1, 2)
    return (centers[:, None] + half).reshape(-1, 4)


# %% anchors wrong: the ratio is height to width
def make_anchors(rows, columns, image_size, sizes, ratios):
    y = (torch.arange(rows) + 0.5) * image_size[0] / rows
    x = (torch.arange(columns) + 0.5) * image_size[1] / columns
    shapes = torch.tensor([[s / math.sqrt(r), s * math.sqrt(r)] for s in sizes for r in ratios])
    half = torch.cat([-shapes, shapes], dim=1) / 2
    centers = torch.cartesian_prod(y, x).flip(1).repeat(1, 2)
    return (centers[:, None] + half).reshape(-1, 4)


# %% anchors wrong: without the root, so the area changes with the ratio
def make_anchors(rows, columns, image_size, sizes, ratios):
    y = (torch.arange(rows) + 0.5) * image_size[0] / rows
    x = (torch.arange(columns) + 0.5) * image_size[1] / columns
    shapes = torch.tensor([[s * r, float(s)] for s in sizes for r in ratios])
    half = torch.cat([-shapes, shapes], dim=1) / 2
    centers = torch.cartesian_prod(y, x).flip(1).repeat(1, 2)
    return (centers[:, None] + half).reshape(-1, 4)


# %% anchors wrong: D2L's economy, the first size with all ratios and the first ratio with all sizes
def make_anchors(rows, columns, image_size, sizes, ratios):
    y = (torch.arange(rows) + 0.5) * image_size[0] / rows
    x = (torch.arange(columns) + 0.5) * image_size[1] / columns
    pairs = [(s, ratios[0]) for s in sizes] + [(sizes[0], r) for r in ratios[1:]]
    shapes = torch.tensor([[s * math.sqrt(r), s / math.sqrt(r)] for s, r in pairs])
    half = torch.cat([-shapes, shapes], dim=1) / 2
    centers = torch.cartesian_prod(y, x).flip(1).repeat(1, 2)
    return (centers[:, None] + half).reshape(-1, 4)


# %% anchors wrong: clipped at the edge of the image
def make_anchors(rows, columns, image_size, sizes, ratios):
    y = (torch.arange(rows) + 0.5) * image_size[0] / rows
    x = (torch.arange(columns) + 0.5) * image_size[1] / columns
    shapes = torch.tensor([[s * math.sqrt(r), s / math.sqrt(r)] for s in sizes for r in ratios])
    half = torch.cat([-shapes, shapes], dim=1) / 2
    centers = torch.cartesian_prod(y, x).flip(1).repeat(1, 2)
    boxes = (centers[:, None] + half).reshape(-1, 4)
    return torch.minimum(boxes.relu(), torch.tensor([*image_size[::-1], *image_size[::-1]]).float())


# %% anchors wrong: height and width of the image exchanged
def make_anchors(rows, columns, image_size, sizes, ratios):
    y = (torch.arange(rows) + 0.5) * image_size[1] / rows
    x = (torch.arange(columns) + 0.5) * image_size[0] / columns
    shapes = torch.tensor([[s * math.sqrt(r), s / math.sqrt(r)] for s in sizes for r in ratios])
    half = torch.cat([-shapes, shapes], dim=1) / 2
    centers = torch.cartesian_prod(y, x).flip(1).repeat(1, 2)
    return (centers[:, None] + half).reshape(-1, 4)


# %% assign right: sorted pairs in plain Python
def assign_anchors(anchors, boxes, threshold):
    def iou(a, b):
        w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        shared = max(w, 0) * max(h, 0)
        return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)

    table = [[iou(a, b) for b in boxes.tolist()] for a in anchors.tolist()]
    result, served = [-1] * len(table), set()
    pairs = [(i, j) for i in range(len(table)) for j in range(len(boxes)) if table[i][j] > 0]
    for i, j in sorted(pairs, key=lambda pair: -table[pair[0]][pair[1]]):
        if result[i] == -1 and j not in served:
            result[i] = j
            served.add(j)
    for i, row in enumerate(table):
        if result[i] == -1 and row and max(row) >= threshold:
            result[i] = row.index(max(row))
    return torch.tensor(result)


# %% assign right: the greedy step on a copy, then the rest
def assign_anchors(anchors, boxes, threshold):
    result = torch.full((len(anchors),), -1, dtype=torch.long)
    if boxes.shape[0] == 0:
        return result
    lo = torch.max(anchors[:, None, :2], boxes[None, :, :2])
    hi = torch.min(anchors[:, None, 2:], boxes[None, :, 2:])
    wh = (hi - lo).clamp(min=0)
    inter = wh[..., 0] * wh[..., 1]
    area_a = (anchors[:, 2] - anchors[:, 0]) * (anchors[:, 3] - anchors[:, 1])
    area_b = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    iou = inter / (area_a[:, None] + area_b[None] - inter)
    work = iou.clone()
    while work.max() > 0:
        flat = torch.argmax(work).item()
        i, j = flat // len(boxes), flat % len(boxes)
        result[i] = j
        work[i, :] = -1
        work[:, j] = -1
    for i in range(len(anchors)):
        if result[i] < 0:
            best, j = iou[i].max(dim=0)
            if best >= threshold:
                result[i] = j
    return result


# %% assign wrong: no step 1, only the threshold
def assign_anchors(anchors, boxes, threshold):
    assigned = torch.full((len(anchors),), -1)
    if len(boxes) == 0:
        return assigned
    shared = (
        (torch.minimum(anchors[:, None, 2:], boxes[:, 2:]) - torch.maximum(anchors[:, None, :2], boxes[:, :2]))
        .relu()
        .prod(2)
    )
    areas = [(corners[:, 2:] - corners[:, :2]).prod(dim=1) for corners in (anchors, boxes)]
    iou = shared / (areas[0][:, None] + areas[1] - shared)
    best, index = iou.max(dim=1)
    assigned[best >= threshold] = index[best >= threshold]
    return assigned


# %% assign wrong: no step 2
def assign_anchors(anchors, boxes, threshold):
    assigned = torch.full((len(anchors),), -1)
    if len(boxes) == 0:
        return assigned
    shared = (
        (torch.minimum(anchors[:, None, 2:], boxes[:, 2:]) - torch.maximum(anchors[:, None, :2], boxes[:, :2]))
        .relu()
        .prod(2)
    )
    areas = [(corners[:, 2:] - corners[:, :2]).prod(dim=1) for corners in (anchors, boxes)]
    iou = shared / (areas[0][:, None] + areas[1] - shared)
    for _ in boxes:
        i, j = divmod(int(iou.argmax()), len(boxes))
        if iou[i, j] > 0:
            assigned[i] = j
        iou[i] = iou[:, j] = 0
    return assigned


# %% assign wrong: each object its best anchor, though another object has it already
def assign_anchors(anchors, boxes, threshold):
    assigned = torch.full((len(anchors),), -1)
    if len(boxes) == 0:
        return assigned
    shared = (
        (torch.minimum(anchors[:, None, 2:], boxes[:, 2:]) - torch.maximum(anchors[:, None, :2], boxes[:, :2]))
        .relu()
        .prod(2)
    )
    areas = [(corners[:, 2:] - corners[:, :2]).prod(dim=1) for corners in (anchors, boxes)]
    iou = shared / (areas[0][:, None] + areas[1] - shared)
    best, index = iou.max(dim=1)
    assigned[best >= threshold] = index[best >= threshold]
    for j in range(len(boxes)):
        if iou[:, j].max() > 0:
            assigned[iou[:, j].argmax()] = j
    return assigned


# %% assign wrong: the threshold overrules step 1
def assign_anchors(anchors, boxes, threshold):
    assigned = torch.full((len(anchors),), -1)
    if len(boxes) == 0:
        return assigned
    shared = (
        (torch.minimum(anchors[:, None, 2:], boxes[:, 2:]) - torch.maximum(anchors[:, None, :2], boxes[:, :2]))
        .relu()
        .prod(2)
    )
    areas = [(corners[:, 2:] - corners[:, :2]).prod(dim=1) for corners in (anchors, boxes)]
    iou = shared / (areas[0][:, None] + areas[1] - shared)
    best, index = iou.max(dim=1)
    for _ in boxes:
        i, j = divmod(int(iou.argmax()), len(boxes))
        if iou[i, j] > 0:
            assigned[i] = j
        iou[i] = iou[:, j] = 0
    assigned[best >= threshold] = index[best >= threshold]
    return assigned


# %% assign wrong: D2L's rule, an object gets an anchor that does not touch it
def assign_anchors(anchors, boxes, threshold):
    assigned = torch.full((len(anchors),), -1)
    if len(boxes) == 0:
        return assigned
    shared = (
        (torch.minimum(anchors[:, None, 2:], boxes[:, 2:]) - torch.maximum(anchors[:, None, :2], boxes[:, :2]))
        .relu()
        .prod(2)
    )
    areas = [(corners[:, 2:] - corners[:, :2]).prod(dim=1) for corners in (anchors, boxes)]
    iou = shared / (areas[0][:, None] + areas[1] - shared)
    best, index = iou.max(dim=1)
    assigned[best >= threshold] = index[best >= threshold]
    for _ in boxes:
        i, j = divmod(int(iou.argmax()), len(boxes))
        assigned[i] = j
        iou[i] = iou[:, j] = -1
    return assigned


# %% assign wrong: an anchor whose IoU equals the threshold stays background
def assign_anchors(anchors, boxes, threshold):
    assigned = torch.full((len(anchors),), -1)
    if len(boxes) == 0:
        return assigned
    shared = (
        (torch.minimum(anchors[:, None, 2:], boxes[:, 2:]) - torch.maximum(anchors[:, None, :2], boxes[:, :2]))
        .relu()
        .prod(2)
    )
    areas = [(corners[:, 2:] - corners[:, :2]).prod(dim=1) for corners in (anchors, boxes)]
    iou = shared / (areas[0][:, None] + areas[1] - shared)
    best, index = iou.max(dim=1)
    assigned[best > threshold] = index[best > threshold]
    for _ in boxes:
        i, j = divmod(int(iou.argmax()), len(boxes))
        if iou[i, j] > 0:
            assigned[i] = j
        iou[i] = iou[:, j] = 0
    return assigned


# %% assign wrong: fails without objects
def assign_anchors(anchors, boxes, threshold):
    assigned = torch.full((len(anchors),), -1)
    shared = (
        (torch.minimum(anchors[:, None, 2:], boxes[:, 2:]) - torch.maximum(anchors[:, None, :2], boxes[:, :2]))
        .relu()
        .prod(2)
    )
    areas = [(corners[:, 2:] - corners[:, :2]).prod(dim=1) for corners in (anchors, boxes)]
    iou = shared / (areas[0][:, None] + areas[1] - shared)
    best, index = iou.max(dim=1)
    assigned[best >= threshold] = index[best >= threshold]
    for _ in boxes:
        i, j = divmod(int(iou.argmax()), len(boxes))
        if iou[i, j] > 0:
            assigned[i] = j
        iou[i] = iou[:, j] = 0
    return assigned


# %% offsets right: eight numbers in centre form
def _parts(boxes):
    x1, y1, x2, y2 = boxes.T
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def encode(anchors, boxes):
    (xa, ya, wa, ha), (xb, yb, wb, hb) = _parts(anchors), _parts(boxes)
    return torch.stack(
        [10 * (xb - xa) / wa, 10 * (yb - ya) / ha, 5 * (wb.log() - wa.log()), 5 * (hb.log() - ha.log())], dim=1
    )


def decode(anchors, offsets):
    xa, ya, wa, ha = _parts(anchors)
    x, y = xa + offsets[:, 0] * wa / 10, ya + offsets[:, 1] * ha / 10
    w, h = wa * (offsets[:, 2] / 5).exp(), ha * (offsets[:, 3] / 5).exp()
    return torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], dim=1)


# %% offsets right: fills tensors, with chunk
def encode(anchors, boxes):
    a1, a2 = anchors.chunk(2, dim=1)
    b1, b2 = boxes.chunk(2, dim=1)
    result = torch.empty_like(boxes)
    result[:, :2] = ((b1 + b2) - (a1 + a2)) / 2 / (a2 - a1) / 0.1
    result[:, 2:] = torch.log((b2 - b1) / (a2 - a1)) / 0.2
    return result


def decode(anchors, offsets):
    a1, a2 = anchors.chunk(2, dim=1)
    move, stretch = offsets.chunk(2, dim=1)
    size = (a2 - a1) * torch.exp(stretch * 0.2)
    corner = (a1 + a2) / 2 + move * 0.1 * (a2 - a1) - size / 2
    return torch.hstack([corner, corner + size])


# %% offsets wrong: D2L's constant inside the logarithm
def encode(anchors, boxes):
    anchor_size, size = (corners[:, 2:] - corners[:, :2] for corners in (anchors, boxes))
    shift = (boxes[:, :2] + boxes[:, 2:] - anchors[:, :2] - anchors[:, 2:]) / 2
    return torch.cat([shift / anchor_size / 0.1, torch.log(1e-6 + size / anchor_size) / 0.2], dim=1)


def decode(anchors, offsets):
    anchor_size = anchors[:, 2:] - anchors[:, :2]
    center = (anchors[:, :2] + anchors[:, 2:]) / 2 + 0.1 * offsets[:, :2] * anchor_size
    half = anchor_size * torch.exp(0.2 * offsets[:, 2:]) / 2
    return torch.cat([center - half, center + half], dim=1)


# %% offsets wrong: divided by the size of the box
def encode(anchors, boxes):
    anchor_size, size = (corners[:, 2:] - corners[:, :2] for corners in (anchors, boxes))
    shift = (boxes[:, :2] + boxes[:, 2:] - anchors[:, :2] - anchors[:, 2:]) / 2
    return torch.cat([shift / size / 0.1, torch.log(size / anchor_size) / 0.2], dim=1)


def decode(anchors, offsets):
    anchor_size = anchors[:, 2:] - anchors[:, :2]
    half = anchor_size * torch.exp(0.2 * offsets[:, 2:]) / 2
    center = (anchors[:, :2] + anchors[:, 2:]) / 2 + 0.1 * offsets[:, :2] * 2 * half
    return torch.cat([center - half, center + half], dim=1)


# %% offsets wrong: corners moved instead of centres
def encode(anchors, boxes):
    anchor_size, size = (corners[:, 2:] - corners[:, :2] for corners in (anchors, boxes))
    return torch.cat([(boxes - anchors)[:, :2] / anchor_size / 0.1, torch.log(size / anchor_size) / 0.2], dim=1)


def decode(anchors, offsets):
    anchor_size = anchors[:, 2:] - anchors[:, :2]
    corner = anchors[:, :2] + 0.1 * offsets[:, :2] * anchor_size
    return torch.cat([corner, corner + anchor_size * torch.exp(0.2 * offsets[:, 2:])], dim=1)


# %% offsets wrong: without the divisors 0.1 and 0.2
def encode(anchors, boxes):
    anchor_size, size = (corners[:, 2:] - corners[:, :2] for corners in (anchors, boxes))
    shift = (boxes[:, :2] + boxes[:, 2:] - anchors[:, :2] - anchors[:, 2:]) / 2
    return torch.cat([shift / anchor_size, torch.log(size / anchor_size)], dim=1)


def decode(anchors, offsets):
    anchor_size = anchors[:, 2:] - anchors[:, :2]
    center = (anchors[:, :2] + anchors[:, 2:]) / 2 + offsets[:, :2] * anchor_size
    half = anchor_size * torch.exp(offsets[:, 2:]) / 2
    return torch.cat([center - half, center + half], dim=1)


# %% offsets wrong: decode cuts the gradient
def encode(anchors, boxes):
    anchor_size, size = (corners[:, 2:] - corners[:, :2] for corners in (anchors, boxes))
    shift = (boxes[:, :2] + boxes[:, 2:] - anchors[:, :2] - anchors[:, 2:]) / 2
    return torch.cat([shift / anchor_size / 0.1, torch.log(size / anchor_size) / 0.2], dim=1)


def decode(anchors, offsets):
    offsets = offsets.detach()
    anchor_size = anchors[:, 2:] - anchors[:, :2]
    center = (anchors[:, :2] + anchors[:, 2:]) / 2 + 0.1 * offsets[:, :2] * anchor_size
    half = anchor_size * torch.exp(0.2 * offsets[:, 2:]) / 2
    return torch.cat([center - half, center + half], dim=1)


# %% targets right: stacks one image after the other, with torch.where
def detection_targets(anchors, rows, assign, encode):
    all_classes, all_offsets = [], []
    for image in rows:
        real = image[image[:, 0] != -1]
        index = assign(anchors, real[:, 1:])
        chosen = torch.where(index >= 0)[0]
        label = torch.zeros(len(anchors), dtype=torch.long)
        move = torch.zeros(len(anchors), 4)
        if len(chosen):
            label[chosen] = real[index[chosen], 0].to(torch.long)
            move[chosen] = encode(anchors[chosen], real[index[chosen], 1:])
        all_classes.append(label)
        all_offsets.append(move)
    return torch.stack(all_classes), torch.stack(all_offsets)


# %% targets right: anchor by anchor, images without objects skipped
def detection_targets(anchors, rows, assign, encode):
    b, n = rows.shape[0], anchors.shape[0]
    classes, offsets = torch.zeros((b, n), dtype=torch.int64), torch.zeros((b, n, 4))
    for i in range(b):
        objects = torch.stack([row for row in rows[i] if row[0] > 0]) if (rows[i, :, 0] > 0).any() else rows[i, :0]
        if len(objects) == 0:
            continue
        for k, j in enumerate(assign(anchors, objects[:, 1:]).tolist()):
            if j >= 0:
                classes[i, k] = int(objects[j, 0])
                offsets[i, k] = encode(anchors[k : k + 1], objects[j : j + 1, 1:])[0]
    return [classes, offsets]


# %% targets wrong: filled rows go to the assignment, as in D2L
def detection_targets(anchors, rows, assign, encode):
    classes = torch.zeros(len(rows), len(anchors), dtype=torch.int64)
    offsets = torch.zeros(len(rows), len(anchors), 4)
    for i, objects in enumerate(rows):
        assigned = assign(anchors, objects[:, 1:])
        positive = assigned >= 0
        mine = objects[assigned[positive]]
        classes[i, positive] = mine[:, 0].long()
        offsets[i, positive] = encode(anchors[positive], mine[:, 1:])
    return classes, offsets


# %% targets wrong: takes filling to stand at the end only
def detection_targets(anchors, rows, assign, encode):
    classes = torch.zeros(len(rows), len(anchors), dtype=torch.int64)
    offsets = torch.zeros(len(rows), len(anchors), 4)
    for i, image_rows in enumerate(rows):
        objects = image_rows[: int((image_rows[:, 0] > 0).sum())]
        assigned = assign(anchors, objects[:, 1:])
        positive = assigned >= 0
        mine = objects[assigned[positive]]
        classes[i, positive] = mine[:, 0].long()
        offsets[i, positive] = encode(anchors[positive], mine[:, 1:])
    return classes, offsets


# %% targets wrong: classes counted from 0, so one more is added
def detection_targets(anchors, rows, assign, encode):
    classes = torch.zeros(len(rows), len(anchors), dtype=torch.int64)
    offsets = torch.zeros(len(rows), len(anchors), 4)
    for i, image_rows in enumerate(rows):
        objects = image_rows[image_rows[:, 0] > 0]
        assigned = assign(anchors, objects[:, 1:])
        positive = assigned >= 0
        mine = objects[assigned[positive]]
        classes[i, positive] = mine[:, 0].long() + 1
        offsets[i, positive] = encode(anchors[positive], mine[:, 1:])
    return classes, offsets


# %% targets wrong: the index -1 takes the last object
def detection_targets(anchors, rows, assign, encode):
    classes = torch.zeros(len(rows), len(anchors), dtype=torch.int64)
    offsets = torch.zeros(len(rows), len(anchors), 4)
    for i, image_rows in enumerate(rows):
        objects = image_rows[image_rows[:, 0] > 0]
        if len(objects):
            mine = objects[assign(anchors, objects[:, 1:])]
            classes[i] = mine[:, 0].long()
            offsets[i] = encode(anchors, mine[:, 1:])
    return classes, offsets


# %% targets wrong: background keeps offsets to the last object
def detection_targets(anchors, rows, assign, encode):
    classes = torch.zeros(len(rows), len(anchors), dtype=torch.int64)
    offsets = torch.zeros(len(rows), len(anchors), 4)
    for i, image_rows in enumerate(rows):
        objects = image_rows[image_rows[:, 0] > 0]
        if len(objects):
            assigned = assign(anchors, objects[:, 1:])
            classes[i] = torch.where(assigned >= 0, objects[assigned, 0].long(), 0)
            offsets[i] = encode(anchors, objects[assigned, 1:])
    return classes, offsets


# %% targets wrong: classes as floats
def detection_targets(anchors, rows, assign, encode):
    classes = torch.zeros(len(rows), len(anchors))
    offsets = torch.zeros(len(rows), len(anchors), 4)
    for i, image_rows in enumerate(rows):
        objects = image_rows[image_rows[:, 0] > 0]
        assigned = assign(anchors, objects[:, 1:])
        positive = assigned >= 0
        mine = objects[assigned[positive]]
        classes[i, positive] = mine[:, 0]
        offsets[i, positive] = encode(anchors[positive], mine[:, 1:])
    return classes, offsets


# %% nms right: a list that shrinks
def _pair_iou(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(w, 0) * max(h, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def nms(boxes, scores, labels, threshold):
    rows, marks = boxes.tolist(), labels.tolist()
    left = sorted(range(len(rows)), key=lambda i: scores[i].item(), reverse=True)
    keep = []
    while left:
        best = left.pop(0)
        keep.append(best)
        left = [i for i in left if marks[i] != marks[best] or _pair_iou(rows[i], rows[best]) <= threshold]
    return torch.tensor(keep, dtype=torch.int64)


# %% nms right: classes moved apart, one vectorised step per kept box
def nms(boxes, scores, labels, threshold):
    if len(boxes) == 0:
        return torch.empty(0, dtype=torch.long)
    reach = boxes.max() - boxes.min() + 1
    moved = boxes + (labels * reach)[:, None]
    order = torch.sort(scores, descending=True, stable=True).indices
    keep = []
    while len(order):
        first, rest = order[0], order[1:]
        keep.append(first)
        wh = (
            torch.minimum(moved[first, 2:], moved[rest, 2:]) - torch.maximum(moved[first, :2], moved[rest, :2])
        ).clamp(min=0)
        inter = wh[:, 0] * wh[:, 1]
        area = (moved[:, 2] - moved[:, 0]) * (moved[:, 3] - moved[:, 1])
        order = rest[inter / (area[first] + area[rest] - inter) <= threshold]
    return torch.stack(keep)


# %% nms wrong: all classes compete
def nms(boxes, scores, labels, threshold):
    low, high = torch.maximum(boxes[:, None, :2], boxes[:, :2]), torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
    shared = (high - low).relu().prod(dim=2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    rivals = shared / (area[:, None] + area - shared) > threshold
    stays = torch.zeros(len(boxes), dtype=torch.bool)
    order = scores.argsort(descending=True, stable=True)
    for i in order:
        stays[i] = not (rivals[i] & stays).any()
    return order[stays[order]]


# %% nms wrong: a removed detection still removes others
def nms(boxes, scores, labels, threshold):
    low, high = torch.maximum(boxes[:, None, :2], boxes[:, :2]), torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
    shared = (high - low).relu().prod(dim=2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    rivals = (shared / (area[:, None] + area - shared) > threshold) & (labels[:, None] == labels)
    order = scores.argsort(descending=True, stable=True)
    keep = [i for k, i in enumerate(order) if not rivals[i, order[:k]].any()]
    return torch.tensor(keep, dtype=torch.int64)


# %% nms wrong: does not sort
def nms(boxes, scores, labels, threshold):
    low, high = torch.maximum(boxes[:, None, :2], boxes[:, :2]), torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
    shared = (high - low).relu().prod(dim=2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    rivals = (shared / (area[:, None] + area - shared) > threshold) & (labels[:, None] == labels)
    stays = torch.zeros(len(boxes), dtype=torch.bool)
    for i in range(len(boxes)):
        stays[i] = not (rivals[i] & stays).any()
    return stays.nonzero().flatten()


# %% nms wrong: class after class, so not by score over all classes
def nms(boxes, scores, labels, threshold):
    low, high = torch.maximum(boxes[:, None, :2], boxes[:, :2]), torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
    shared = (high - low).relu().prod(dim=2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    rivals = shared / (area[:, None] + area - shared) > threshold
    order, keep = scores.argsort(descending=True, stable=True), []
    for label in labels.unique():
        mine = []
        for i in order[labels[order] == label]:
            if not any(rivals[i, j] for j in mine):
                mine.append(i)
        keep += mine
    return torch.tensor(keep, dtype=torch.int64)


# %% nms wrong: at the threshold a detection goes
def nms(boxes, scores, labels, threshold):
    low, high = torch.maximum(boxes[:, None, :2], boxes[:, :2]), torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
    shared = (high - low).relu().prod(dim=2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    rivals = (shared / (area[:, None] + area - shared) >= threshold) & (labels[:, None] == labels)
    stays = torch.zeros(len(boxes), dtype=torch.bool)
    order = scores.argsort(descending=True, stable=True)
    for i in order:
        stays[i] = not (rivals[i] & stays).any()
    return order[stays[order]]


# %% nms wrong: no detection gives a float tensor
def nms(boxes, scores, labels, threshold):
    low, high = torch.maximum(boxes[:, None, :2], boxes[:, :2]), torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
    shared = (high - low).relu().prod(dim=2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    rivals = (shared / (area[:, None] + area - shared) > threshold) & (labels[:, None] == labels)
    keep = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        if not any(rivals[i, j] for j in keep):
            keep.append(i)
    return torch.tensor(keep)


# %% nms wrong: of equal scores the later index comes first
def nms(boxes, scores, labels, threshold):
    low, high = torch.maximum(boxes[:, None, :2], boxes[:, :2]), torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
    shared = (high - low).relu().prod(dim=2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    rivals = (shared / (area[:, None] + area - shared) > threshold) & (labels[:, None] == labels)
    stays = torch.zeros(len(boxes), dtype=torch.bool)
    order = scores.argsort(stable=True).flip(0)
    for i in order:
        stays[i] = not (rivals[i] & stays).any()
    return order[stays[order]]


# %% metric right: plain Python with dictionaries
def average_precision(scores, hits, count):
    rows = sorted(zip(scores.tolist(), hits.tolist(), strict=True), key=lambda row: row[0], reverse=True)
    points, right = [], 0
    for k, (_, hit) in enumerate(rows, 1):
        right += hit
        points.append((right / count, right / k))
    return sum(max([p for r, p in points if r >= level / 100], default=0.0) for level in range(101)) / 101


def _iou(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(w, 0) * max(h, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def mean_average_precision(detections, targets, threshold):
    scores, hits, counts = {}, {}, {}
    for detection, target in zip(detections, targets, strict=True):
        boxes, free = target["boxes"].tolist(), set(range(len(target["labels"])))
        for label in target["labels"].tolist():
            counts[label] = counts.get(label, 0) + 1
        found = zip(
            detection["scores"].tolist(), detection["labels"].tolist(), detection["boxes"].tolist(), strict=True
        )
        for score, label, box in sorted(found, key=lambda row: -row[0]):
            able = [(_iou(box, boxes[j]), j) for j in free if target["labels"][j] == label]
            best, j = max(able, default=(0, -1))
            if best >= threshold:
                free.remove(j)
            scores.setdefault(label, []).append(score)
            hits.setdefault(label, []).append(best >= threshold)
    result = {}
    for label, count in counts.items():
        s, h = torch.tensor(scores.get(label, [])), torch.tensor(hits.get(label, []), dtype=torch.bool)
        result[label] = average_precision(s, h, count)
    return sum(result.values()) / len(result), result


# %% metric right: the envelope from the right, and a search for each level
def average_precision(scores, hits, count):
    if len(scores) == 0:
        return 0.0
    order = torch.sort(scores, descending=True, stable=True).indices
    right = torch.cumsum(hits[order].float(), 0)
    precision = right / torch.arange(1, len(order) + 1)
    envelope = precision.flip(0).cummax(0).values.flip(0)
    place = torch.searchsorted(right / count, torch.linspace(0, 1, 101))
    return float(torch.cat([envelope, torch.zeros(1)])[place].mean())


def mean_average_precision(detections, targets, threshold):
    def area(boxes):
        return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])

    classes = sorted({int(c) for target in targets for c in target["labels"]})
    values = {}
    for c in classes:
        scores, hits, total = torch.zeros(0), torch.zeros(0, dtype=torch.bool), 0
        for d, t in zip(detections, targets, strict=True):
            truth = t["boxes"][t["labels"] == c]
            total += len(truth)
            score, order = d["scores"][d["labels"] == c].sort(descending=True, stable=True)
            boxes = d["boxes"][d["labels"] == c][order]
            wh = torch.min(boxes[:, None, 2:], truth[:, 2:]) - torch.max(boxes[:, None, :2], truth[:, :2])
            shared = wh.clamp(min=0).prod(2)
            iou = shared / (area(boxes)[:, None] + area(truth) - shared)
            hit = torch.zeros(len(boxes), dtype=torch.bool)
            for k in range(len(boxes)):
                if len(truth) and iou[k].max() >= threshold:
                    hit[k] = True
                    iou[:, iou[k].argmax()] = -1
            scores, hits = torch.cat([scores, score]), torch.cat([hits, hit])
        values[c] = average_precision(scores, hits, total)
    return sum(values.values()) / len(values), values


# %% metric wrong: no envelope, the precision at the first place that reaches the level
def average_precision(scores, hits, count):
    found = hits[scores.argsort(descending=True, stable=True)].cumsum(dim=0)
    precision = found / torch.arange(1, len(found) + 1)
    recall = found / count
    total = 0.0
    for level in range(101):
        reached = precision[recall >= level / 100]
        total += reached[0].item() if len(reached) else 0
    return total / 101


def mean_average_precision(detections, targets, threshold):
    raise NotImplementedError()


# %% metric wrong: eleven levels, as in the PASCAL VOC challenge of 2007
def average_precision(scores, hits, count):
    found = hits[scores.argsort(descending=True, stable=True)].cumsum(dim=0)
    precision = found / torch.arange(1, len(found) + 1)
    recall = found / count
    total = 0.0
    for level in range(11):
        reached = precision[recall >= level / 10]
        total += reached.max().item() if len(reached) else 0
    return total / 11


def mean_average_precision(detections, targets, threshold):
    raise NotImplementedError()


# %% metric wrong: the exact area under the curve
def average_precision(scores, hits, count):
    hits = hits[scores.argsort(descending=True, stable=True)].double()
    precision = hits.cumsum(dim=0) / torch.arange(1, len(hits) + 1)
    return (precision * hits).sum().item() / count


def mean_average_precision(detections, targets, threshold):
    raise NotImplementedError()


# %% metric wrong: scores are not sorted
def average_precision(scores, hits, count):
    found = hits.cumsum(dim=0)
    precision = found / torch.arange(1, len(found) + 1)
    recall = found / count
    total = 0.0
    for level in range(101):
        reached = precision[recall >= level / 100]
        total += reached.max().item() if len(reached) else 0
    return total / 101


def mean_average_precision(detections, targets, threshold):
    raise NotImplementedError()


# %% metric wrong: an object can be found twice
def average_precision(scores, hits, count):
    found = hits[scores.argsort(descending=True, stable=True)].cumsum(dim=0)
    precision = found / torch.arange(1, len(found) + 1)
    recall = found / count
    total = 0.0
    for level in range(101):
        reached = precision[recall >= level / 100]
        total += reached.max().item() if len(reached) else 0
    return total / 101


def mean_average_precision(detections, targets, threshold):
    result = {}
    for label in torch.cat([target["labels"] for target in targets]).unique().tolist():
        scores, hits, count = [], [], 0
        for detection, target in zip(detections, targets, strict=True):
            mine, objects = detection["labels"] == label, target["boxes"][target["labels"] == label]
            for box in detection["boxes"][mine]:
                shared = (
                    (torch.minimum(objects[:, 2:], box[2:]) - torch.maximum(objects[:, :2], box[:2])).relu().prod(1)
                )
                areas = (objects[:, 2:] - objects[:, :2]).prod(1) + (box[2:] - box[:2]).prod()
                hits.append(bool((shared / (areas - shared) >= threshold).any()))
            scores.append(detection["scores"][mine])
            count += len(objects)
        result[label] = average_precision(torch.cat(scores), torch.tensor(hits, dtype=torch.bool), count)
    return sum(result.values()) / len(result), result


# %% metric wrong: the best object counts, also when it is taken, as in PASCAL VOC
def average_precision(scores, hits, count):
    found = hits[scores.argsort(descending=True, stable=True)].cumsum(dim=0)
    precision = found / torch.arange(1, len(found) + 1)
    recall = found / count
    total = 0.0
    for level in range(101):
        reached = precision[recall >= level / 100]
        total += reached.max().item() if len(reached) else 0
    return total / 101


def mean_average_precision(detections, targets, threshold):
    result = {}
    for label in torch.cat([target["labels"] for target in targets]).unique().tolist():
        scores, hits, count = [], [], 0
        for detection, target in zip(detections, targets, strict=True):
            mine, objects = detection["labels"] == label, target["boxes"][target["labels"] == label]
            score, boxes = detection["scores"][mine], detection["boxes"][mine]
            order = score.argsort(descending=True, stable=True)
            taken = set()
            for box in boxes[order]:
                shared = (
                    (torch.minimum(objects[:, 2:], box[2:]) - torch.maximum(objects[:, :2], box[:2])).relu().prod(1)
                )
                areas = (objects[:, 2:] - objects[:, :2]).prod(1) + (box[2:] - box[:2]).prod()
                iou = shared / (areas - shared)
                best = int(iou.argmax()) if len(iou) else -1
                hit = best >= 0 and bool(iou[best] >= threshold) and best not in taken
                if hit:
                    taken.add(best)
                hits.append(hit)
            scores.append(score[order])
            count += len(objects)
        result[label] = average_precision(torch.cat(scores), torch.tensor(hits, dtype=torch.bool), count)
    return sum(result.values()) / len(result), result


# %% metric wrong: in an image the given order chooses, not the score
def average_precision(scores, hits, count):
    found = hits[scores.argsort(descending=True, stable=True)].cumsum(dim=0)
    precision = found / torch.arange(1, len(found) + 1)
    recall = found / count
    total = 0.0
    for level in range(101):
        reached = precision[recall >= level / 100]
        total += reached.max().item() if len(reached) else 0
    return total / 101


def mean_average_precision(detections, targets, threshold):
    result = {}
    for label in torch.cat([target["labels"] for target in targets]).unique().tolist():
        scores, hits, count = [], [], 0
        for detection, target in zip(detections, targets, strict=True):
            mine, objects = detection["labels"] == label, target["boxes"][target["labels"] == label]
            free = torch.ones(len(objects))
            for box in detection["boxes"][mine]:
                shared = (
                    (torch.minimum(objects[:, 2:], box[2:]) - torch.maximum(objects[:, :2], box[:2])).relu().prod(1)
                )
                areas = (objects[:, 2:] - objects[:, :2]).prod(1) + (box[2:] - box[:2]).prod()
                iou = shared / (areas - shared) * free
                hit = bool((iou >= threshold).any())
                if hit:
                    free[iou.argmax()] = 0
                hits.append(hit)
            scores.append(detection["scores"][mine])
            count += len(objects)
        result[label] = average_precision(torch.cat(scores), torch.tensor(hits, dtype=torch.bool), count)
    return sum(result.values()) / len(result), result


# %% metric wrong: classes that are detected but never there count with 0
def average_precision(scores, hits, count):
    if count == 0:
        return 0.0
    found = hits[scores.argsort(descending=True, stable=True)].cumsum(dim=0)
    precision = found / torch.arange(1, len(found) + 1)
    recall = found / count
    total = 0.0
    for level in range(101):
        reached = precision[recall >= level / 100]
        total += reached.max().item() if len(reached) else 0
    return total / 101


def mean_average_precision(detections, targets, threshold):
    result = {}
    for label in torch.cat([one["labels"] for one in [*targets, *detections]]).unique().tolist():
        scores, hits, count = [], [], 0
        for detection, target in zip(detections, targets, strict=True):
            mine, objects = detection["labels"] == label, target["boxes"][target["labels"] == label]
            score, boxes = detection["scores"][mine], detection["boxes"][mine]
            order = score.argsort(descending=True, stable=True)
            free = torch.ones(len(objects))
            for box in boxes[order]:
                shared = (
                    (torch.minimum(objects[:, 2:], box[2:]) - torch.maximum(objects[:, :2], box[:2])).relu().prod(1)
                )
                areas = (objects[:, 2:] - objects[:, :2]).prod(1) + (box[2:] - box[:2]).prod()
                iou = shared / (areas - shared) * free
                hit = bool((iou >= threshold).any())
                if hit:
                    free[iou.argmax()] = 0
                hits.append(hit)
            scores.append(score[order])
            count += len(objects)
        result[label] = average_precision(torch.cat(scores), torch.tensor(hits, dtype=torch.bool), count)
    return sum(result.values()) / len(result), result


# %% heads right: two lists and movedim
class DetectionHeads(nn.Module):
    def __init__(self, channels, anchors_per_cell, classes):
        super().__init__()
        self.classes = classes + 1
        self.class_layers, self.box_layers = nn.ModuleList(), nn.ModuleList()
        for c in channels:
            self.class_layers.append(nn.Conv2d(c, anchors_per_cell * self.classes, kernel_size=3, padding="same"))
            self.box_layers.append(nn.Conv2d(c, anchors_per_cell * 4, kernel_size=3, padding="same"))

    def forward(self, maps):
        logits, offsets = [], []
        for k, features in enumerate(maps):
            b = features.shape[0]
            logits.append(self.class_layers[k](features).movedim(1, -1).reshape(b, -1, self.classes))
            offsets.append(self.box_layers[k](features).movedim(1, -1).reshape(b, -1, 4))
        return torch.cat(logits, 1), torch.cat(offsets, 1)


# %% heads right: attributes with names of their own, channels of a class kept together
class DetectionHeads(nn.Module):
    def __init__(self, channels, anchors_per_cell, classes):
        super().__init__()
        self.a, self.k = anchors_per_cell, classes + 1
        for i, c in enumerate(channels):
            self.add_module(f"score{i}", nn.Conv2d(c, self.a * self.k, 3, 1, 1))
            self.add_module(f"box{i}", nn.Conv2d(c, self.a * 4, 3, 1, 1))

    def forward(self, maps):
        def rows(layer, features, width):
            out = layer(features)
            b, _, h, w = out.shape
            return out.view(b, width, self.a, h, w).permute(0, 3, 4, 2, 1).reshape(b, h * w * self.a, width)

        layers = dict(self.named_children())
        scores = [rows(layers[f"score{i}"], m, self.k) for i, m in enumerate(maps)]
        boxes = [rows(layers[f"box{i}"], m, 4) for i, m in enumerate(maps)]
        return torch.cat(scores, dim=1), torch.cat(boxes, dim=1)


# %% heads wrong: reshape without permute
class DetectionHeads(nn.Module):
    def __init__(self, channels, anchors_per_cell, classes):
        super().__init__()
        self.widths = (classes + 1, 4)
        self.convolutions = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(c, anchors_per_cell * width, 3, padding=1) for c in channels)
            for width in self.widths
        )

    def forward(self, maps):
        results = []
        for width, convolutions in zip(self.widths, self.convolutions, strict=True):
            parts = [conv(features) for conv, features in zip(convolutions, maps, strict=True)]
            results.append(torch.cat([part.reshape(len(part), -1, width) for part in parts], dim=1))
        return results


# %% heads wrong: columns before rows
class DetectionHeads(nn.Module):
    def __init__(self, channels, anchors_per_cell, classes):
        super().__init__()
        self.widths = (classes + 1, 4)
        self.convolutions = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(c, anchors_per_cell * width, 3, padding=1) for c in channels)
            for width in self.widths
        )

    def forward(self, maps):
        results = []
        for width, convolutions in zip(self.widths, self.convolutions, strict=True):
            parts = [conv(features).permute(0, 3, 2, 1) for conv, features in zip(convolutions, maps, strict=True)]
            results.append(torch.cat([part.reshape(len(part), -1, width) for part in parts], dim=1))
        return results


# %% heads wrong: a plain list, so the parameters are not registered
class DetectionHeads(nn.Module):
    def __init__(self, channels, anchors_per_cell, classes):
        super().__init__()
        self.widths = (classes + 1, 4)
        self.convolutions = [
            [nn.Conv2d(c, anchors_per_cell * width, 3, padding=1) for c in channels] for width in self.widths
        ]

    def forward(self, maps):
        results = []
        for width, convolutions in zip(self.widths, self.convolutions, strict=True):
            parts = [conv(features).permute(0, 2, 3, 1) for conv, features in zip(convolutions, maps, strict=True)]
            results.append(torch.cat([part.reshape(len(part), -1, width) for part in parts], dim=1))
        return results


# %% heads wrong: the background has no score
class DetectionHeads(nn.Module):
    def __init__(self, channels, anchors_per_cell, classes):
        super().__init__()
        self.widths = (classes, 4)
        self.convolutions = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(c, anchors_per_cell * width, 3, padding=1) for c in channels)
            for width in self.widths
        )

    def forward(self, maps):
        results = []
        for width, convolutions in zip(self.widths, self.convolutions, strict=True):
            parts = [conv(features).permute(0, 2, 3, 1) for conv, features in zip(convolutions, maps, strict=True)]
            results.append(torch.cat([part.reshape(len(part), -1, width) for part in parts], dim=1))
        return results


# %% heads wrong: convolutions of 1x1
class DetectionHeads(nn.Module):
    def __init__(self, channels, anchors_per_cell, classes):
        super().__init__()
        self.widths = (classes + 1, 4)
        self.convolutions = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(c, anchors_per_cell * width, 1) for c in channels) for width in self.widths
        )

    def forward(self, maps):
        results = []
        for width, convolutions in zip(self.widths, self.convolutions, strict=True):
            parts = [conv(features).permute(0, 2, 3, 1) for conv, features in zip(convolutions, maps, strict=True)]
            results.append(torch.cat([part.reshape(len(part), -1, width) for part in parts], dim=1))
        return results


# %% heads wrong: the small maps first
class DetectionHeads(nn.Module):
    def __init__(self, channels, anchors_per_cell, classes):
        super().__init__()
        self.widths = (classes + 1, 4)
        self.convolutions = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(c, anchors_per_cell * width, 3, padding=1) for c in channels)
            for width in self.widths
        )

    def forward(self, maps):
        results = []
        for width, convolutions in zip(self.widths, self.convolutions, strict=True):
            parts = [conv(features).permute(0, 2, 3, 1) for conv, features in zip(convolutions, maps, strict=True)]
            results.append(torch.cat([part.reshape(len(part), -1, width) for part in parts[::-1]], dim=1))
        return results


# %% loss right: sorts, and log-softmax by hand
def ssd_loss(logits, offsets, classes, target_offsets):
    log_p = torch.log_softmax(logits, dim=-1)
    entropy = -torch.gather(log_p, 2, classes.unsqueeze(2)).squeeze(2)
    positive = classes != 0
    P = positive.sum().item()
    if P == 0:
        return 0 * (logits.sum() + offsets.sum())
    hard = torch.sort(entropy[~positive], descending=True)[0][: 3 * P]
    d = torch.abs(offsets - target_offsets)
    box = torch.where(d < 1, 0.5 * d**2, d - 0.5).sum(dim=-1)
    return (entropy[positive].sum() + hard.sum() + box[positive].sum()) / P


# %% loss right: a mask by rank over the whole batch
def ssd_loss(logits, offsets, classes, target_offsets):
    flat, labels = logits.reshape(-1, logits.shape[-1]), classes.reshape(-1)
    losses = nn.CrossEntropyLoss(reduction="none")(flat, labels)
    positive = labels > 0
    P = positive.sum()
    rank = losses.detach().masked_fill(positive, -1.0).argsort(descending=True).argsort()
    used = positive | ((rank < 3 * P) & ~positive)
    box = nn.SmoothL1Loss(reduction="sum")(offsets.reshape(-1, 4)[positive], target_offsets.reshape(-1, 4)[positive])
    return (losses[used].sum() + box) / P.clamp(min=1)


# %% loss wrong: all negatives count
def ssd_loss(logits, offsets, classes, target_offsets):
    positive = classes > 0
    count = max(int(positive.sum()), 1)
    entropy = nn.functional.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="sum")
    box = nn.functional.smooth_l1_loss(offsets[positive], target_offsets[positive], reduction="sum")
    return (entropy + box) / count


# %% loss wrong: the easiest negatives
def ssd_loss(logits, offsets, classes, target_offsets):
    positive = classes > 0
    count = int(positive.sum())
    entropy = nn.functional.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none")
    negative = entropy[~positive.flatten()]
    easiest = negative.topk(min(3 * count, len(negative)), largest=False).values
    box = nn.functional.smooth_l1_loss(offsets[positive], target_offsets[positive], reduction="sum")
    return (entropy[positive.flatten()].sum() + easiest.sum() + box) / max(count, 1)


# %% loss wrong: means instead of sums
def ssd_loss(logits, offsets, classes, target_offsets):
    positive = classes > 0
    count = int(positive.sum())
    entropy = nn.functional.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none")
    negative = entropy[~positive.flatten()]
    hardest = negative.topk(min(3 * count, len(negative))).values
    box = nn.functional.smooth_l1_loss(offsets[positive], target_offsets[positive])
    return torch.cat([entropy[positive.flatten()], hardest]).mean() + box


# %% loss wrong: fails without a positive anchor
def ssd_loss(logits, offsets, classes, target_offsets):
    positive = classes > 0
    count = int(positive.sum())
    entropy = nn.functional.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none")
    negative = entropy[~positive.flatten()]
    hardest = negative.topk(min(3 * count, len(negative))).values
    box = nn.functional.smooth_l1_loss(offsets[positive], target_offsets[positive], reduction="sum")
    return (entropy[positive.flatten()].sum() + hardest.sum() + box) / count


# %% loss wrong: hard negatives chosen in each image
def ssd_loss(logits, offsets, classes, target_offsets):
    positive = classes > 0
    entropy = nn.functional.cross_entropy(logits.transpose(1, 2), classes, reduction="none")
    total = entropy[positive].sum()
    for one, mask in zip(entropy, positive, strict=True):
        total = total + one[~mask].sort(descending=True).values[: 3 * int(mask.sum())].sum()
    box = nn.functional.smooth_l1_loss(offsets[positive], target_offsets[positive], reduction="sum")
    return (total + box) / max(int(positive.sum()), 1)


# %% loss wrong: the boxes of all anchors count
def ssd_loss(logits, offsets, classes, target_offsets):
    positive = classes > 0
    count = int(positive.sum())
    entropy = nn.functional.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none")
    negative = entropy[~positive.flatten()]
    hardest = negative.topk(min(3 * count, len(negative))).values
    box = nn.functional.smooth_l1_loss(offsets, target_offsets, reduction="sum")
    return (entropy[positive.flatten()].sum() + hardest.sum() + box) / max(count, 1)


# %% loss wrong: absolute differences instead of smooth L1
def ssd_loss(logits, offsets, classes, target_offsets):
    positive = classes > 0
    count = int(positive.sum())
    entropy = nn.functional.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none")
    negative = entropy[~positive.flatten()]
    hardest = negative.topk(min(3 * count, len(negative))).values
    box = nn.functional.l1_loss(offsets[positive], target_offsets[positive], reduction="sum")
    return (entropy[positive.flatten()].sum() + hardest.sum() + box) / max(count, 1)


# %% loss wrong: without a positive anchor a new tensor, outside the graph
def ssd_loss(logits, offsets, classes, target_offsets):
    positive = classes > 0
    count = int(positive.sum())
    if count == 0:
        return torch.tensor(0.0)
    entropy = nn.functional.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none")
    negative = entropy[~positive.flatten()]
    hardest = negative.topk(min(3 * count, len(negative))).values
    box = nn.functional.smooth_l1_loss(offsets[positive], target_offsets[positive], reduction="sum")
    return (entropy[positive.flatten()].sum() + hardest.sum() + box) / max(count, 1)


# %% train right: a module with a method of its own, mirrored images in every second pass
class _Net(nn.Module):
    def __init__(self):
        super().__init__()
        layers, c_in = [], 3
        for c_out, stride in [(16, 2), (32, 2), (32, 1), (64, 2), (64, 1)]:
            layers += [nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU()]
            c_in = c_out
        self.fine = nn.Sequential(*layers)
        self.coarse = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(64, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU())
        self.heads = LibraryHeads([64, 64])

    def outputs(self, images):
        fine = self.fine(images * 4 - 2)
        return self.heads([fine, self.coarse(fine)])

    @torch.no_grad()
    def forward(self, images):
        return library_detections(*self.outputs(images))


def train_detector(images, targets, seed):
    torch.manual_seed(seed)
    mirrored = []
    for target in targets:
        x1, y1, x2, y2 = target["boxes"].unbind(dim=1)
        mirrored.append({"boxes": torch.stack([96 - x2, y1, 96 - x1, y2], dim=1), "labels": target["labels"]})
    both = torch.stack([images, images.flip(-1)])
    classes, offsets = zip(library_targets(targets), library_targets(mirrored), strict=True)
    net, n, passes = _Net().to(memory_format=torch.channels_last), len(images), 6
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.003)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.003, epochs=passes, steps_per_epoch=math.ceil(n / 16))
    for k in range(passes):
        for rows in torch.randperm(n).split(16):
            loss = library_loss(*net.outputs(both[k % 2, rows]), classes[k % 2][rows], offsets[k % 2][rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


# %% train right: a DataLoader over images and mirrored images, a cosine schedule
def _block(c_in, c_out, stride):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, padding=1), nn.BatchNorm2d(c_out), nn.ReLU())


def train_detector(images, targets, seed):
    torch.manual_seed(seed)
    flip, move = torch.tensor([-1, 1, -1, 1]), torch.tensor([96, 0, 96, 0])
    mirrored = [{**target, "boxes": (target["boxes"] * flip + move)[:, [2, 1, 0, 3]]} for target in targets]
    classes, offsets = library_targets(list(targets) + mirrored)
    images = torch.cat([images, images.flip(3)])
    large = nn.Sequential(_block(3, 16, 2), _block(16, 32, 2), _block(32, 32, 1), _block(32, 64, 2), _block(64, 64, 1))
    small, heads = nn.Sequential(_block(64, 64, 2), _block(64, 64, 1)), LibraryHeads([64, 64])
    net = nn.ModuleList([large, small, heads])

    def predict(batch):
        features = large(batch)
        return heads([features, small(features)])

    optimiser = torch.optim.AdamW(net.parameters(), 0.003)
    rows = torch.utils.data.TensorDataset(images, classes, offsets)
    loader = torch.utils.data.DataLoader(rows, batch_size=16, shuffle=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 3 * len(loader))
    for _ in range(3):
        for batch, *wanted in loader:
            optimiser.zero_grad()
            library_loss(*predict(batch), *wanted).backward()
            optimiser.step()
            schedule.step()
    net.eval()

    def detect(batch):
        with torch.no_grad():
            return library_detections(*predict(batch))

    return detect


# %% train wrong: one pass only
def _block(c_in, c_out, stride):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, padding=1), nn.BatchNorm2d(c_out), nn.ReLU())


def train_detector(images, targets, seed):
    torch.manual_seed(seed)
    classes, offsets = library_targets(targets)
    large = nn.Sequential(_block(3, 16, 2), _block(16, 32, 2), _block(32, 64, 2), _block(64, 64, 1))
    small, heads = nn.Sequential(_block(64, 64, 2), _block(64, 64, 1)), LibraryHeads([64, 64])
    net = nn.ModuleList([large, small, heads])

    def predict(batch):
        features = large(batch)
        return heads([features, small(features)])

    optimiser = torch.optim.AdamW(net.parameters(), 0.003)
    for rows in torch.randperm(len(images)).split(16):
        optimiser.zero_grad()
        library_loss(*predict(images[rows]), classes[rows], offsets[rows]).backward()
        optimiser.step()
    net.eval()

    def detect(batch):
        with torch.no_grad():
            return library_detections(*predict(batch))

    return detect


# %% train wrong: stays in training mode
def _block(c_in, c_out, stride):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, padding=1), nn.BatchNorm2d(c_out), nn.ReLU())


def train_detector(images, targets, seed):
    torch.manual_seed(seed)
    classes, offsets = library_targets(targets)
    large = nn.Sequential(_block(3, 16, 2), _block(16, 32, 2), _block(32, 64, 2), _block(64, 64, 1))
    small, heads = nn.Sequential(_block(64, 64, 2), _block(64, 64, 1)), LibraryHeads([64, 64])
    net = nn.ModuleList([large, small, heads])

    def predict(batch):
        features = large(batch)
        return heads([features, small(features)])

    optimiser = torch.optim.AdamW(net.parameters(), 0.003)
    for rows in torch.randperm(len(images)).split(16):
        optimiser.zero_grad()
        library_loss(*predict(images[rows]), classes[rows], offsets[rows]).backward()
        optimiser.step()

    def detect(batch):
        with torch.no_grad():
            return library_detections(*predict(batch))

    return detect


# %% train wrong: results carry a gradient
def _block(c_in, c_out, stride):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, padding=1), nn.BatchNorm2d(c_out), nn.ReLU())


def train_detector(images, targets, seed):
    torch.manual_seed(seed)
    classes, offsets = library_targets(targets)
    large = nn.Sequential(_block(3, 16, 2), _block(16, 32, 2), _block(32, 64, 2), _block(64, 64, 1))
    small, heads = nn.Sequential(_block(64, 64, 2), _block(64, 64, 1)), LibraryHeads([64, 64])
    net = nn.ModuleList([large, small, heads])

    def predict(batch):
        features = large(batch)
        return heads([features, small(features)])

    optimiser = torch.optim.AdamW(net.parameters(), 0.003)
    for rows in torch.randperm(len(images)).split(16):
        optimiser.zero_grad()
        library_loss(*predict(images[rows]), classes[rows], offsets[rows]).backward()
        optimiser.step()
    net.eval()

    def detect(batch):
        return library_detections(*predict(batch))

    return detect


# %% train wrong: gives the outputs of the network instead of detections
def _block(c_in, c_out, stride):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, padding=1), nn.BatchNorm2d(c_out), nn.ReLU())


def train_detector(images, targets, seed):
    torch.manual_seed(seed)
    classes, offsets = library_targets(targets)
    large = nn.Sequential(_block(3, 16, 2), _block(16, 32, 2), _block(32, 64, 2), _block(64, 64, 1))
    small, heads = nn.Sequential(_block(64, 64, 2), _block(64, 64, 1)), LibraryHeads([64, 64])
    net = nn.ModuleList([large, small, heads])

    def predict(batch):
        features = large(batch)
        return heads([features, small(features)])

    optimiser = torch.optim.AdamW(net.parameters(), 0.003)
    for rows in torch.randperm(len(images)).split(16):
        optimiser.zero_grad()
        library_loss(*predict(images[rows]), classes[rows], offsets[rows]).backward()
        optimiser.step()
    net.eval()

    def detect(batch):
        with torch.no_grad():
            return predict(batch)

    return detect


# %% train wrong: the seed is not used
def _block(c_in, c_out, stride):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, padding=1), nn.BatchNorm2d(c_out), nn.ReLU())


def train_detector(images, targets, seed):
    classes, offsets = library_targets(targets)
    large = nn.Sequential(_block(3, 16, 2), _block(16, 32, 2), _block(32, 64, 2), _block(64, 64, 1))
    small, heads = nn.Sequential(_block(64, 64, 2), _block(64, 64, 1)), LibraryHeads([64, 64])
    net = nn.ModuleList([large, small, heads])

    def predict(batch):
        features = large(batch)
        return heads([features, small(features)])

    optimiser = torch.optim.AdamW(net.parameters(), 0.003)
    for rows in torch.randperm(len(images)).split(16):
        optimiser.zero_grad()
        library_loss(*predict(images[rows]), classes[rows], offsets[rows]).backward()
        optimiser.step()
    net.eval()

    def detect(batch):
        with torch.no_grad():
            return library_detections(*predict(batch))

    return detect


# %% train wrong: always the same seed
def _block(c_in, c_out, stride):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, padding=1), nn.BatchNorm2d(c_out), nn.ReLU())


def train_detector(images, targets, seed):
    torch.manual_seed(0)
    classes, offsets = library_targets(targets)
    large = nn.Sequential(_block(3, 16, 2), _block(16, 32, 2), _block(32, 64, 2), _block(64, 64, 1))
    small, heads = nn.Sequential(_block(64, 64, 2), _block(64, 64, 1)), LibraryHeads([64, 64])
    net = nn.ModuleList([large, small, heads])

    def predict(batch):
        features = large(batch)
        return heads([features, small(features)])

    optimiser = torch.optim.AdamW(net.parameters(), 0.003)
    for rows in torch.randperm(len(images)).split(16):
        optimiser.zero_grad()
        library_loss(*predict(images[rows]), classes[rows], offsets[rows]).backward()
        optimiser.step()
    net.eval()

    def detect(batch):
        with torch.no_grad():
            return library_detections(*predict(batch))

    return detect


# %% train wrong: loads scenes by itself
def _block(c_in, c_out, stride):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, padding=1), nn.BatchNorm2d(c_out), nn.ReLU())


def train_detector(images, targets, seed):
    torch.manual_seed(seed)
    from dlcourse import data

    scenes = data.FashionScenes("train", 2000)
    images, targets = scenes.images / 255, list(scenes.targets)
    classes, offsets = library_targets(targets)
    large = nn.Sequential(_block(3, 16, 2), _block(16, 32, 2), _block(32, 64, 2), _block(64, 64, 1))
    small, heads = nn.Sequential(_block(64, 64, 2), _block(64, 64, 1)), LibraryHeads([64, 64])
    net = nn.ModuleList([large, small, heads])

    def predict(batch):
        features = large(batch)
        return heads([features, small(features)])

    optimiser = torch.optim.AdamW(net.parameters(), 0.003)
    for rows in torch.randperm(len(images)).split(16):
        optimiser.zero_grad()
        library_loss(*predict(images[rows]), classes[rows], offsets[rows]).backward()
        optimiser.step()
    net.eval()

    def detect(batch):
        with torch.no_grad():
            return library_detections(*predict(batch))

    return detect


# %% iou equivalent: the larger of two numbers, in either order
# - low, high = torch.maximum(a[:, None, :2], b[:, :2]), torch.minimum(a[:, None, 2:], b[:, 2:])
# + low, high = torch.maximum(b[:, :2], a[:, None, :2]), torch.minimum(a[:, None, 2:], b[:, 2:])
# %% iou equivalent: the smaller of two numbers, in either order
# - low, high = torch.maximum(a[:, None, :2], b[:, :2]), torch.minimum(a[:, None, 2:], b[:, 2:])
# + low, high = torch.maximum(a[:, None, :2], b[:, :2]), torch.minimum(b[:, 2:], a[:, None, 2:])
# %% iou equivalent: the difference is a new tensor that nobody else sees
# - shared = (high - low).relu().prod(dim=-1)
# + shared = (high - low).relu_().prod(dim=-1)
# %% anchors equivalent: a new tensor has no gradient to cut off
# - return (centers[:, None] + half).reshape(-1, 4)
# + return (centers[:, None] + half).reshape(-1, 4).detach()
# %% assign equivalent: whole numbers have no gradient
# - return assigned
# + return assigned.detach()
# %% assign equivalent: the larger of two numbers, in either order
# - low = torch.maximum(anchors[:, None, :2], boxes[:, :2])
# + low = torch.maximum(boxes[:, :2], anchors[:, None, :2])
# %% assign equivalent: the smaller of two numbers, in either order
# - high = torch.minimum(anchors[:, None, 2:], boxes[:, 2:])
# + high = torch.minimum(boxes[:, 2:], anchors[:, None, 2:])
# %% assign equivalent: the difference is a new tensor that nobody else sees
# - shared = (high - low).relu().prod(dim=2)
# + shared = (high - low).relu_().prod(dim=2)
# %% offsets equivalent: encode makes targets; no gradient is asked of it
# - return torch.cat([shift / anchor_size / 0.1, torch.log(size / anchor_size) / 0.2], dim=1)
# + return torch.cat([shift / anchor_size / 0.1, torch.log(size / anchor_size) / 0.2], dim=1).detach()
# %% targets equivalent: a class is 1 or larger, filling is -1; 0 does not occur
# - objects = image_rows[image_rows[:, 0] > 0]
# + objects = image_rows[image_rows[:, 0] >= 0]
# %% nms equivalent: the larger of two numbers, in either order
# - low, high = torch.maximum(boxes[:, None, :2], boxes[:, :2]), torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
# + low, high = torch.maximum(boxes[:, :2], boxes[:, None, :2]), torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
# %% nms equivalent: the smaller of two numbers, in either order
# - low, high = torch.maximum(boxes[:, None, :2], boxes[:, :2]), torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
# + low, high = torch.maximum(boxes[:, None, :2], boxes[:, :2]), torch.minimum(boxes[:, 2:], boxes[:, None, 2:])
# %% nms equivalent: the difference is a new tensor that nobody else sees
# - shared = (high - low).relu().prod(dim=2)
# + shared = (high - low).relu_().prod(dim=2)
# %% nms equivalent: whole numbers have no gradient
# - return order[stays[order]]
# + return order[stays[order]].detach()
# %% metric equivalent: the two lists have one entry per image
# - for detection, target in zip(detections, targets, strict=True):
# + for detection, target in zip(detections, targets):
# %% metric equivalent: the two lists have one entry per image
# - for detection, target in zip(detections, targets, strict=True):
# + for detection, target in zip(detections, targets, strict=False):
# %% metric equivalent: the difference is a new tensor that nobody else sees
# - (torch.minimum(objects[:, 2:], box[2:]) - torch.maximum(objects[:, :2], box[:2])).relu().prod(1)
# + (torch.minimum(objects[:, 2:], box[2:]) - torch.maximum(objects[:, :2], box[:2])).relu_().prod(1)
# %% metric equivalent: the smaller of two numbers, in either order
# - (torch.minimum(objects[:, 2:], box[2:]) - torch.maximum(objects[:, :2], box[:2])).relu().prod(1)
# + (torch.minimum(box[2:], objects[:, 2:]) - torch.maximum(objects[:, :2], box[:2])).relu().prod(1)
# %% metric equivalent: the larger of two numbers, in either order
# - (torch.minimum(objects[:, 2:], box[2:]) - torch.maximum(objects[:, :2], box[:2])).relu().prod(1)
# + (torch.minimum(objects[:, 2:], box[2:]) - torch.maximum(box[:2], objects[:, :2])).relu().prod(1)
# %% metric equivalent: only an empty list gives another dtype, and nothing is read from it
# - result[label] = average_precision(torch.cat(scores), torch.tensor(hits, dtype=torch.bool), count)
# + result[label] = average_precision(torch.cat(scores), torch.tensor(hits), count)
# %% heads equivalent: both hold two entries
# - for width, convolutions in zip(self.widths, self.convolutions, strict=True):
# + for width, convolutions in zip(self.widths, self.convolutions):
# %% heads equivalent: both hold two entries
# - for width, convolutions in zip(self.widths, self.convolutions, strict=True):
# + for width, convolutions in zip(self.widths, self.convolutions, strict=False):
# %% heads equivalent: one convolution for each map
# - parts = [conv(features).permute(0, 2, 3, 1) for conv, features in zip(convolutions, maps, strict=True)]
# + parts = [conv(features).permute(0, 2, 3, 1) for conv, features in zip(convolutions, maps)]
# %% heads equivalent: one convolution for each map
# - parts = [conv(features).permute(0, 2, 3, 1) for conv, features in zip(convolutions, maps, strict=True)]
# + parts = [conv(features).permute(0, 2, 3, 1) for conv, features in zip(convolutions, maps, strict=False)]
# %% loss equivalent: a count in a tensor divides and compares like a number
# - count = int(positive.sum())
# + count = positive.sum()
# %% loss equivalent: the smaller of two numbers, in either order
# - hardest = negative.topk(min(3 * count, len(negative))).values
# + hardest = negative.topk(min(len(negative), 3 * count)).values
# %% loss equivalent: smooth L1 does not change when both sides are exchanged, nor does its gradient
# - box = nn.functional.smooth_l1_loss(offsets[positive], target_offsets[positive], reduction="sum")
# + box = nn.functional.smooth_l1_loss(target_offsets[positive], offsets[positive], reduction="sum")
# %% loss equivalent: the larger of two numbers, in either order
# - return (entropy[positive.flatten()].sum() + hardest.sum() + box) / max(count, 1)
# + return (entropy[positive.flatten()].sum() + hardest.sum() + box) / max(1, count)
