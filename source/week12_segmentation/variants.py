"""Other answers to the exercises of week 12: the right ones must earn all points, the wrong ones must not.

Each cell replaces the answer cell of one exercise. The header says which, and what is different or mistaken.
"""

# %%
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse import data


class Backbone(nn.Module):
    """Stand for the given class, for the linter."""


def conv(channels, out, kernel=3, stride=1):
    """Stand for the given function, for the linter."""


def fit(net, images, semantic, loss, optimiser, schedule, epochs, batch):
    """Stand for the given function, for the linter."""


# %% label_maps right: a dictionary and loops
def colours_to_classes(picture, palette):
    number = {tuple(colour): i for i, colour in enumerate(palette.tolist())}
    rows = [[number.get(tuple(pixel), 255) for pixel in row] for row in picture.tolist()]
    return torch.tensor(rows)


def classes_to_colours(classes, palette):
    colours = palette.tolist()
    rows = [[colours[c] if c != 255 else [255, 255, 255] for c in row] for row in classes.tolist()]
    return torch.tensor(rows, dtype=torch.uint8)


# %% label_maps right: one number for each colour, and a loop over the classes
def colours_to_classes(picture, palette):
    base = torch.tensor([65_536, 256, 1])
    codes, known = (picture.long() * base).sum(-1), (palette.long() * base).sum(-1)
    classes = torch.full(codes.shape, 255)
    for i, code in enumerate(known):
        classes[codes == code] = i
    return classes


def classes_to_colours(classes, palette):
    picture = torch.full((*classes.shape, 3), 255, dtype=torch.uint8)
    for i in range(len(palette)):
        picture[classes == i] = palette[i]
    return picture


# %% label_maps right: a table of all colours, padded palette
def colours_to_classes(picture, palette):
    table = np.full((256, 256, 256), 255, dtype=np.uint8)
    table[tuple(palette.numpy().T)] = np.arange(len(palette))
    r, g, b = picture.numpy().transpose(2, 0, 1)
    return torch.from_numpy(table[r, g, b].astype(np.int64))


def classes_to_colours(classes, palette):
    white = torch.full((1, 3), 255, dtype=torch.uint8)
    return torch.cat([palette, white])[classes.clamp(max=len(palette))]


# %% label_maps wrong: the codes are computed in uint8
def colours_to_classes(picture, palette):
    codes = picture[..., 0] * 65_536 + picture[..., 1] * 256 + picture[..., 2]
    known = palette[:, 0] * 65_536 + palette[:, 1] * 256 + palette[:, 2]
    same = codes[..., None] == known
    return torch.where(same.any(-1), same.long().argmax(-1), 255)


def classes_to_colours(classes, palette):
    table = torch.full((256, 3), 255, dtype=torch.uint8)
    table[: len(palette)] = palette
    return table[classes]


# %% label_maps wrong: the sum of the three numbers
def colours_to_classes(picture, palette):
    same = picture.long().sum(-1)[..., None] == palette.long().sum(-1)
    return torch.where(same.any(-1), same.long().argmax(-1), 255)


def classes_to_colours(classes, palette):
    table = torch.full((256, 3), 255, dtype=torch.uint8)
    table[: len(palette)] = palette
    return table[classes]


# %% label_maps wrong: an unknown colour becomes class 0
def colours_to_classes(picture, palette):
    return (picture[:, :, None] == palette).all(-1).long().argmax(-1)


def classes_to_colours(classes, palette):
    table = torch.full((256, 3), 255, dtype=torch.uint8)
    table[: len(palette)] = palette
    return table[classes]


# %% label_maps wrong: one equal number is enough
def colours_to_classes(picture, palette):
    same = (picture[:, :, None] == palette).any(-1)
    return torch.where(same.any(-1), same.long().argmax(-1), 255)


def classes_to_colours(classes, palette):
    table = torch.full((256, 3), 255, dtype=torch.uint8)
    table[: len(palette)] = palette
    return table[classes]


# %% label_maps wrong: the classes stay uint8
def colours_to_classes(picture, palette):
    same = (picture[:, :, None] == palette).all(-1)
    return torch.where(same.any(-1), same.long().argmax(-1), 255).to(torch.uint8)


def classes_to_colours(classes, palette):
    table = torch.full((256, 3), 255, dtype=torch.uint8)
    table[: len(palette)] = palette
    return table[classes]


# %% label_maps wrong: 255 is painted black
def colours_to_classes(picture, palette):
    same = (picture[:, :, None] == palette).all(-1)
    return torch.where(same.any(-1), same.long().argmax(-1), 255)


def classes_to_colours(classes, palette):
    table = torch.zeros((256, 3), dtype=torch.uint8)
    table[: len(palette)] = palette
    return table[classes]


# %% label_maps wrong: 255 is not thought of
def colours_to_classes(picture, palette):
    same = (picture[:, :, None] == palette).all(-1)
    return torch.where(same.any(-1), same.long().argmax(-1), 255)


def classes_to_colours(classes, palette):
    return palette[classes]


# %% label_maps wrong: the nearest colour is taken
def colours_to_classes(picture, palette):
    h, w, _ = picture.shape
    return torch.cdist(picture.reshape(-1, 3).float(), palette.float()).argmin(1).reshape(h, w)


def classes_to_colours(classes, palette):
    table = torch.full((256, 3), 255, dtype=torch.uint8)
    table[: len(palette)] = palette
    return table[classes]


# %% random_crop right: a canvas is filled, then cut
def random_crop(image, classes, size, generator):
    height, width = size
    c, h, w = image.shape
    canvas = image.new_zeros(c, max(h, height), max(w, width))
    labels = torch.full(canvas.shape[1:], 255)
    canvas[:, :h, :w], labels[:h, :w] = image, classes
    top = torch.randint(0, canvas.shape[1] - height + 1, (1,), generator=generator).item()
    left = torch.randint(0, canvas.shape[2] - width + 1, (1,), generator=generator).item()
    rows, columns = slice(top, top + height), slice(left, left + width)
    return [canvas[:, rows, columns].clone(), labels[rows, columns].clone()]


# %% random_crop right: one number for all windows, narrow
def random_crop(image, classes, size, generator):
    down, right = (max(want - have, 0) for want, have in zip(size, classes.shape, strict=True))
    image = nn.functional.pad(image, (0, right, 0, down))
    classes = nn.functional.pad(classes, (0, right, 0, down), value=255)
    columns = classes.shape[1] - size[1] + 1
    rows = classes.shape[0] - size[0] + 1
    top, left = divmod(int(torch.randint(rows * columns, (1,), generator=generator)), columns)
    image = image.narrow(1, top, size[0]).narrow(2, left, size[1])
    return image, classes.narrow(0, top, size[0]).narrow(1, left, size[1])


# %% random_crop right: torch.rand and a floor
def random_crop(image, classes, size, generator):
    height, width = size
    right, below = max(width - image.shape[-1], 0), max(height - image.shape[-2], 0)
    image, classes = F.pad(image, (0, right, 0, below)), F.pad(classes, (0, right, 0, below), value=255)
    u, v = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
    top, left = int(u * (image.shape[1] - height + 1)), int(v * (image.shape[2] - width + 1))
    return image[:, top : top + height, left : left + width], classes[top : top + height, left : left + width]


# %% random_crop wrong: image and classes are cut in different places
def random_crop(image, classes, size, generator):
    height, width = size
    more = (0, max(width - image.shape[2], 0), 0, max(height - image.shape[1], 0))
    image, classes = F.pad(image, more), F.pad(classes, more, value=255)

    def cut(a):
        top = torch.randint(a.shape[-2] - height + 1, (), generator=generator)
        left = torch.randint(a.shape[-1] - width + 1, (), generator=generator)
        return a[..., top : top + height, left : left + width]

    return cut(image), cut(classes)


# %% random_crop wrong: the last window is never drawn
def random_crop(image, classes, size, generator):
    height, width = size
    more = (0, max(width - image.shape[2], 0), 0, max(height - image.shape[1], 0))
    image, classes = F.pad(image, more), F.pad(classes, more, value=255)
    top = torch.randint(max(image.shape[1] - height, 1), (), generator=generator)
    left = torch.randint(max(image.shape[2] - width, 1), (), generator=generator)
    return image[:, top : top + height, left : left + width], classes[top : top + height, left : left + width]


# %% random_crop wrong: the classes are padded with 0
def random_crop(image, classes, size, generator):
    height, width = size
    more = (0, max(width - image.shape[2], 0), 0, max(height - image.shape[1], 0))
    image, classes = F.pad(image, more), F.pad(classes, more)
    top = torch.randint(image.shape[1] - height + 1, (), generator=generator)
    left = torch.randint(image.shape[2] - width + 1, (), generator=generator)
    return image[:, top : top + height, left : left + width], classes[top : top + height, left : left + width]


# %% random_crop wrong: nothing is padded
def random_crop(image, classes, size, generator):
    height, width = size
    top = torch.randint(max(image.shape[1] - height, 0) + 1, (), generator=generator)
    left = torch.randint(max(image.shape[2] - width, 0) + 1, (), generator=generator)
    return image[:, top : top + height, left : left + width], classes[top : top + height, left : left + width]


# %% random_crop wrong: row and column are the same number
def random_crop(image, classes, size, generator):
    height, width = size
    more = (0, max(width - image.shape[2], 0), 0, max(height - image.shape[1], 0))
    image, classes = F.pad(image, more), F.pad(classes, more, value=255)
    room = min(image.shape[1] - height, image.shape[2] - width)
    top = left = torch.randint(room + 1, (), generator=generator)
    return image[:, top : top + height, left : left + width], classes[top : top + height, left : left + width]


# %% random_crop wrong: the generator is not used
def random_crop(image, classes, size, generator):
    height, width = size
    more = (0, max(width - image.shape[2], 0), 0, max(height - image.shape[1], 0))
    image, classes = F.pad(image, more), F.pad(classes, more, value=255)
    top = torch.randint(image.shape[1] - height + 1, ())
    left = torch.randint(image.shape[2] - width + 1, ())
    return image[:, top : top + height, left : left + width], classes[top : top + height, left : left + width]


# %% random_crop wrong: height and width are exchanged
def random_crop(image, classes, size, generator):
    width, height = size
    more = (0, max(width - image.shape[2], 0), 0, max(height - image.shape[1], 0))
    image, classes = F.pad(image, more), F.pad(classes, more, value=255)
    top = torch.randint(image.shape[1] - height + 1, (), generator=generator)
    left = torch.randint(image.shape[2] - width + 1, (), generator=generator)
    return image[:, top : top + height, left : left + width], classes[top : top + height, left : left + width]


# %% random_crop wrong: padding on both sides
def random_crop(image, classes, size, generator):
    height, width = size
    across, down = max(width - image.shape[2], 0), max(height - image.shape[1], 0)
    more = (across // 2, across - across // 2, down // 2, down - down // 2)
    image, classes = F.pad(image, more), F.pad(classes, more, value=255)
    top = torch.randint(image.shape[1] - height + 1, (), generator=generator)
    left = torch.randint(image.shape[2] - width + 1, (), generator=generator)
    return image[:, top : top + height, left : left + width], classes[top : top + height, left : left + width]


# %% bilinear right: loops for the kernel, slices for the border
def bilinear_kernel(channels, factor):
    size = 2 * factor - factor % 2
    kernel = torch.zeros(channels, channels, size, size)
    for i in range(size):
        for j in range(size):
            value = (1 - abs(i - (size - 1) / 2) / factor) * (1 - abs(j - (size - 1) / 2) / factor)
            for c in range(channels):
                kernel[c, c, i, j] = value
    return kernel


def upsample(x, factor):
    n, c, h, w = x.shape
    x = torch.cat([x[:, :, :1], x, x[:, :, -1:]], dim=2)
    x = torch.cat([x[..., :1], x, x[..., -1:]], dim=3)
    y = F.conv_transpose2d(x, bilinear_kernel(c, factor).to(x.dtype), stride=factor)
    cut = factor + factor // 2
    return y[:, :, cut : cut + factor * h, cut : cut + factor * w]


# %% bilinear right: weights from the positions, without any convolution
def bilinear_kernel(channels, factor):
    size = 2 * factor - factor % 2
    g = torch.tensor([1 - abs(i - (size - 1) / 2) / factor for i in range(size)])
    kernel = torch.zeros(channels, channels, size, size)
    kernel[range(channels), range(channels)] = g[:, None] * g[None, :]
    return kernel


def upsample(x, factor):
    def along(x, dim):
        length = x.shape[dim]
        place = ((torch.arange(length * factor, dtype=x.dtype) + 0.5) / factor - 0.5).clamp(0, length - 1)
        low = place.long().clamp(max=length - 1)
        high = (low + 1).clamp(max=length - 1)
        shape = [1] * x.dim()
        shape[dim] = -1
        part = (place - low).reshape(shape)
        return x.index_select(dim, low) * (1 - part) + x.index_select(dim, high) * part

    return along(along(x, 2), 3)


# %% bilinear right: one channel after the other, nn.ConvTranspose2d
def bilinear_kernel(channels, factor):
    size = 2 * factor - factor % 2
    g = 1 - np.abs(np.arange(size) - (size - 1) / 2) / factor
    kernel = np.zeros((channels, channels, size, size), dtype=np.float32)
    for c in range(channels):
        kernel[c, c] = np.outer(g, g)
    return torch.from_numpy(kernel)


def upsample(x, factor):
    one = bilinear_kernel(1, factor).to(x.dtype)
    layer = nn.ConvTranspose2d(1, 1, len(one[0, 0]), factor, factor + factor // 2, bias=False).to(x.dtype)
    layer.weight.data.copy_(one)
    return torch.cat([layer(F.pad(x[:, i : i + 1], (1, 1, 1, 1), mode="replicate")) for i in range(x.shape[1])], dim=1)


# %% bilinear wrong: the border is dark
def bilinear_kernel(channels, factor):
    size = 2 * factor - factor % 2
    g = 1 - (torch.arange(size) - (size - 1) / 2).abs() / factor
    return torch.eye(channels)[:, :, None, None] * torch.outer(g, g)


def upsample(x, factor):
    return F.conv_transpose2d(x, bilinear_kernel(x.shape[1], factor).to(x.dtype), stride=factor, padding=factor // 2)


# %% bilinear wrong: every channel is spread over all channels
def bilinear_kernel(channels, factor):
    size = 2 * factor - factor % 2
    g = 1 - (torch.arange(size) - (size - 1) / 2).abs() / factor
    return torch.outer(g, g).expand(channels, channels, -1, -1).clone()


def upsample(x, factor):
    one = bilinear_kernel(1, factor).expand(x.shape[1], 1, -1, -1).to(x.dtype)
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    return F.conv_transpose2d(padded, one, stride=factor, padding=factor + factor // 2, groups=x.shape[1])


# %% bilinear wrong: the size is 2f also for odd factors
def bilinear_kernel(channels, factor):
    size = 2 * factor
    g = 1 - (torch.arange(size) - (size - 1) / 2).abs() / factor
    return torch.eye(channels)[:, :, None, None] * torch.outer(g, g)


def upsample(x, factor):
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    kernel = bilinear_kernel(x.shape[1], factor).to(x.dtype)
    return F.conv_transpose2d(padded, kernel, stride=factor, padding=factor + factor // 2)


# %% bilinear wrong: the centre is size // 2
def bilinear_kernel(channels, factor):
    size = 2 * factor - factor % 2
    g = 1 - (torch.arange(size) - size // 2).abs() / factor
    return torch.eye(channels)[:, :, None, None] * torch.outer(g, g)


def upsample(x, factor):
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    kernel = bilinear_kernel(x.shape[1], factor).to(x.dtype)
    return F.conv_transpose2d(padded, kernel, stride=factor, padding=factor + factor // 2)


# %% bilinear wrong: the kernel is divided by its sum, as a blur would be
def bilinear_kernel(channels, factor):
    size = 2 * factor - factor % 2
    g = 1 - (torch.arange(size) - (size - 1) / 2).abs() / factor
    return torch.eye(channels)[:, :, None, None] * torch.outer(g, g) / g.sum() ** 2


def upsample(x, factor):
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    kernel = bilinear_kernel(x.shape[1], factor).to(x.dtype) * factor**2
    return F.conv_transpose2d(padded, kernel, stride=factor, padding=factor + factor // 2)


# %% bilinear wrong: the library's interpolation
def bilinear_kernel(channels, factor):
    size = 2 * factor - factor % 2
    g = 1 - (torch.arange(size) - (size - 1) / 2).abs() / factor
    return torch.eye(channels)[:, :, None, None] * torch.outer(g, g)


def upsample(x, factor):
    return nn.Upsample(scale_factor=factor, mode="bilinear")(x)


# %% bilinear wrong: each pixel is repeated
def bilinear_kernel(channels, factor):
    size = 2 * factor - factor % 2
    g = 1 - (torch.arange(size) - (size - 1) / 2).abs() / factor
    return torch.eye(channels)[:, :, None, None] * torch.outer(g, g)


def upsample(x, factor):
    return x.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)


# %% bilinear wrong: float32 whatever the dtype
def bilinear_kernel(channels, factor):
    size = 2 * factor - factor % 2
    g = 1 - (torch.arange(size) - (size - 1) / 2).abs() / factor
    return torch.eye(channels)[:, :, None, None] * torch.outer(g, g)


def upsample(x, factor):
    padded = F.pad(x.float(), (1, 1, 1, 1), mode="replicate")
    kernel = bilinear_kernel(x.shape[1], factor)
    return F.conv_transpose2d(padded, kernel, stride=factor, padding=factor + factor // 2)


# %% transposed_conv right: a loop over the kernel, strided slices of the output
def transposed_conv2d(X, W, b, stride, padding):
    n, c_in, h, w = X.shape
    _, c_out, kh, kw = W.shape
    Y = torch.zeros(n, c_out, (h - 1) * stride + kh, (w - 1) * stride + kw, dtype=X.dtype)
    for i in range(kh):
        for j in range(kw):
            part = (X.permute(0, 2, 3, 1) @ W[:, :, i, j]).permute(0, 3, 1, 2)
            Y[:, :, i : i + (h - 1) * stride + 1 : stride, j : j + (w - 1) * stride + 1 : stride] += part
    if padding:
        Y = Y[:, :, padding:-padding, padding:-padding]
    if b is not None:
        Y = Y + b.reshape(1, -1, 1, 1)
    return Y


# %% transposed_conv right: zeros between the pixels, then windows with the flipped kernel
def transposed_conv2d(X, W, b, stride, padding):
    n, c_in, h, w = X.shape
    _, c_out, kh, kw = W.shape
    wide = X.new_zeros(n, c_in, (h - 1) * stride + 1, (w - 1) * stride + 1)
    wide[:, :, ::stride, ::stride] = X
    wide = F.pad(wide, (kw - 1, kw - 1, kh - 1, kh - 1))
    windows = wide.unfold(2, kh, 1).unfold(3, kw, 1)
    Y = torch.einsum("nchwkl,cokl->nohw", windows, W.flip(2, 3))
    Y = Y[:, :, padding : Y.shape[2] - padding, padding : Y.shape[3] - padding]
    return Y if b is None else Y + b.view(-1, 1, 1)


# %% transposed_conv right: the sum of padded copies
def transposed_conv2d(X, W, b, stride, padding):
    n, _, h, w = X.shape
    c_out, kh, kw = W.shape[1:]
    H, V = (h - 1) * stride + kh, (w - 1) * stride + kw
    total = 0
    for r in range(h):
        for s in range(w):
            copy = (X[:, :, r, s] @ W.flatten(1)).unflatten(1, (c_out, kh, kw))
            top, left = r * stride, s * stride
            total = total + F.pad(copy, (left, V - left - kw, top, H - top - kh))
    total = total[..., padding : H - padding, padding : V - padding]
    return total if b is None else total + b[None, :, None, None]


# %% transposed_conv wrong: later windows overwrite earlier ones
def transposed_conv2d(X, W, b, stride, padding):
    (n, _, h, w), (c_out, kh, kw) = X.shape, W.shape[1:]
    Y = X.new_zeros(n, c_out, (h - 1) * stride + kh, (w - 1) * stride + kw)
    for r in range(h):
        for s in range(w):
            copy = torch.einsum("nc,cokl->nokl", X[:, :, r, s], W)
            Y[:, :, r * stride : r * stride + kh, s * stride : s * stride + kw] = copy
    Y = Y[:, :, padding : Y.shape[2] - padding, padding : Y.shape[3] - padding]
    return Y if b is None else Y + b[:, None, None]


# %% transposed_conv wrong: the kernel is flipped
def transposed_conv2d(X, W, b, stride, padding):
    W = W.flip(2, 3)
    (n, _, h, w), (c_out, kh, kw) = X.shape, W.shape[1:]
    Y = X.new_zeros(n, c_out, (h - 1) * stride + kh, (w - 1) * stride + kw)
    for r in range(h):
        for s in range(w):
            copy = torch.einsum("nc,cokl->nokl", X[:, :, r, s], W)
            Y[:, :, r * stride : r * stride + kh, s * stride : s * stride + kw] += copy
    Y = Y[:, :, padding : Y.shape[2] - padding, padding : Y.shape[3] - padding]
    return Y if b is None else Y + b[:, None, None]


# %% transposed_conv wrong: padding adds rows and columns
def transposed_conv2d(X, W, b, stride, padding):
    (n, _, h, w), (c_out, kh, kw) = X.shape, W.shape[1:]
    Y = X.new_zeros(n, c_out, (h - 1) * stride + kh, (w - 1) * stride + kw)
    for r in range(h):
        for s in range(w):
            copy = torch.einsum("nc,cokl->nokl", X[:, :, r, s], W)
            Y[:, :, r * stride : r * stride + kh, s * stride : s * stride + kw] += copy
    Y = F.pad(Y, (padding, padding, padding, padding))
    return Y if b is None else Y + b[:, None, None]


# %% transposed_conv wrong: the bias is added with every window
def transposed_conv2d(X, W, b, stride, padding):
    (n, _, h, w), (c_out, kh, kw) = X.shape, W.shape[1:]
    Y = X.new_zeros(n, c_out, (h - 1) * stride + kh, (w - 1) * stride + kw)
    for r in range(h):
        for s in range(w):
            copy = torch.einsum("nc,cokl->nokl", X[:, :, r, s], W)
            if b is not None:
                copy = copy + b[:, None, None]
            Y[:, :, r * stride : r * stride + kh, s * stride : s * stride + kw] += copy
    return Y[:, :, padding : Y.shape[2] - padding, padding : Y.shape[3] - padding]


# %% transposed_conv wrong: the padding -0 empties the output
def transposed_conv2d(X, W, b, stride, padding):
    (n, _, h, w), (c_out, kh, kw) = X.shape, W.shape[1:]
    Y = X.new_zeros(n, c_out, (h - 1) * stride + kh, (w - 1) * stride + kw)
    for r in range(h):
        for s in range(w):
            copy = torch.einsum("nc,cokl->nokl", X[:, :, r, s], W)
            Y[:, :, r * stride : r * stride + kh, s * stride : s * stride + kw] += copy
    Y = Y[:, :, padding:-padding, padding:-padding]
    return Y if b is None else Y + b[:, None, None]


# %% transposed_conv wrong: the first axis of W is taken for the output
def transposed_conv2d(X, W, b, stride, padding):
    (n, _, h, w), (kh, kw) = X.shape, W.shape[2:]
    Y = X.new_zeros(n, W.shape[0], (h - 1) * stride + kh, (w - 1) * stride + kw)
    for r in range(h):
        for s in range(w):
            copy = torch.einsum("nc,ockl->nokl", X[:, :, r, s], W)
            Y[:, :, r * stride : r * stride + kh, s * stride : s * stride + kw] += copy
    Y = Y[:, :, padding : Y.shape[2] - padding, padding : Y.shape[3] - padding]
    return Y if b is None else Y + b[:, None, None]


# %% transposed_conv wrong: the gradient is lost
def transposed_conv2d(X, W, b, stride, padding):
    (n, _, h, w), (c_out, kh, kw) = X.shape, W.shape[1:]
    Y = torch.zeros(n, c_out, (h - 1) * stride + kh, (w - 1) * stride + kw, dtype=X.dtype)
    for r in range(h):
        for s in range(w):
            copy = torch.einsum("nc,cokl->nokl", X[:, :, r, s].detach(), W)
            Y[:, :, r * stride : r * stride + kh, s * stride : s * stride + kw] += copy
    Y = Y[:, :, padding : Y.shape[2] - padding, padding : Y.shape[3] - padding]
    return Y if b is None else Y + b[:, None, None]


# %% transposed_conv wrong: the library function
def transposed_conv2d(X, W, b, stride, padding):
    return F.conv_transpose2d(X, W, b, stride, padding)


# %% transposed_conv wrong: a square kernel is assumed
def transposed_conv2d(X, W, b, stride, padding):
    (n, _, h, w), (c_out, kh, _) = X.shape, W.shape[1:]
    Y = X.new_zeros(n, c_out, (h - 1) * stride + kh, (w - 1) * stride + kh)
    for r in range(h):
        for s in range(w):
            copy = torch.einsum("nc,cokl->nokl", X[:, :, r, s], W)
            Y[:, :, r * stride : r * stride + kh, s * stride : s * stride + kh] += copy
    Y = Y[:, :, padding : Y.shape[2] - padding, padding : Y.shape[3] - padding]
    return Y if b is None else Y + b[:, None, None]


# %% unpooling right: loops over the windows
def pool_with_switches(X, size):
    n, c, h, w = X.shape
    values = torch.empty(n, c, h // size, w // size, dtype=X.dtype)
    switches = torch.empty(n, c, h // size, w // size, dtype=torch.int64)
    for r in range(h // size):
        for s in range(w // size):
            window = X[:, :, r * size : (r + 1) * size, s * size : (s + 1) * size].reshape(n, c, -1)
            best = window.argmax(dim=2)
            values[:, :, r, s] = window.amax(dim=2)
            switches[:, :, r, s] = (r * size + best // size) * w + s * size + best % size
    return values, switches


def unpool(Y, switches, shape):
    n, c = Y.shape[:2]
    out = torch.zeros(n, c, shape[0] * shape[1], dtype=Y.dtype)
    for i in range(n):
        for j in range(c):
            out[i, j, switches[i, j].ravel()] = Y[i, j].ravel()
    return out.reshape(n, c, *shape)


# %% unpooling right: reshape, and arithmetic with the places
def pool_with_switches(X, size):
    n, c, h, w = X.shape
    p, q = h // size, w // size
    tiles = X[:, :, : p * size, : q * size].reshape(n, c, p, size, q, size).transpose(3, 4).flatten(4)
    values, place = tiles.max(dim=4)
    rows = torch.arange(p)[:, None] * size + place // size
    columns = torch.arange(q) * size + place % size
    return [values, rows * w + columns]


def unpool(Y, switches, shape):
    out = torch.zeros(*Y.shape[:2], *shape, dtype=Y.dtype).flatten(2)
    return out.scatter_add(2, switches.flatten(2), Y.flatten(2)).reshape(*Y.shape[:2], *shape)


# %% unpooling wrong: switches count inside the window
def pool_with_switches(X, size):
    windows = X.unfold(2, size, size).unfold(3, size, size).flatten(4)
    values, place = windows.max(dim=4)
    return values, place


def unpool(Y, switches, shape):
    zeros = Y.new_zeros(*Y.shape[:2], shape[0] * shape[1])
    return zeros.scatter(2, switches.flatten(2), Y.flatten(2)).unflatten(2, shape)


# %% unpooling wrong: the width of the pooled map instead of the image's
def pool_with_switches(X, size):
    windows = X.unfold(2, size, size).unfold(3, size, size).flatten(4)
    values, place = windows.max(dim=4)
    rows = torch.arange(windows.shape[2])[:, None] * size + place // size
    columns = torch.arange(windows.shape[3]) * size + place % size
    return values, rows * (windows.shape[3] * size) + columns


def unpool(Y, switches, shape):
    zeros = Y.new_zeros(*Y.shape[:2], shape[0] * shape[1])
    return zeros.scatter(2, switches.flatten(2), Y.flatten(2)).unflatten(2, shape)


# %% unpooling wrong: of equal maxima the last
def pool_with_switches(X, size):
    windows = X.unfold(2, size, size).unfold(3, size, size).flatten(4)
    values, place = windows.flip(4).max(dim=4)
    place = size * size - 1 - place
    rows = torch.arange(windows.shape[2])[:, None] * size + place // size
    columns = torch.arange(windows.shape[3]) * size + place % size
    return values, rows * X.shape[3] + columns


def unpool(Y, switches, shape):
    zeros = Y.new_zeros(*Y.shape[:2], shape[0] * shape[1])
    return zeros.scatter(2, switches.flatten(2), Y.flatten(2)).unflatten(2, shape)


# %% unpooling wrong: values below zero lose against the zeros
def pool_with_switches(X, size):
    windows = X.unfold(2, size, size).unfold(3, size, size).flatten(4)
    values, place = windows.max(dim=4)
    rows = torch.arange(windows.shape[2])[:, None] * size + place // size
    columns = torch.arange(windows.shape[3]) * size + place % size
    return values, rows * X.shape[3] + columns


def unpool(Y, switches, shape):
    zeros = Y.new_zeros(*Y.shape[:2], shape[0] * shape[1])
    return zeros.scatter_reduce(2, switches.flatten(2), Y.flatten(2), "amax").unflatten(2, shape)


# %% unpooling wrong: each value fills its window
def pool_with_switches(X, size):
    windows = X.unfold(2, size, size).unfold(3, size, size).flatten(4)
    values, place = windows.max(dim=4)
    rows = torch.arange(windows.shape[2])[:, None] * size + place // size
    columns = torch.arange(windows.shape[3]) * size + place % size
    return values, rows * X.shape[3] + columns


def unpool(Y, switches, shape):
    size = shape[0] // Y.shape[2]
    return Y.repeat_interleave(size, 2).repeat_interleave(size, 3)


# %% unpooling wrong: the library's functions
def pool_with_switches(X, size):
    return F.max_pool2d(X, size, return_indices=True)


def unpool(Y, switches, shape):
    return F.max_unpool2d(Y, switches, shape[0] // Y.shape[2], output_size=shape)


# %% unpooling wrong: no gradient flows back
def pool_with_switches(X, size):
    windows = X.unfold(2, size, size).unfold(3, size, size).flatten(4)
    values, place = windows.max(dim=4)
    rows = torch.arange(windows.shape[2])[:, None] * size + place // size
    columns = torch.arange(windows.shape[3]) * size + place % size
    return values, rows * X.shape[3] + columns


def unpool(Y, switches, shape):
    zeros = Y.new_zeros(*Y.shape[:2], shape[0] * shape[1])
    return zeros.scatter(2, switches.flatten(2), Y.detach().flatten(2)).unflatten(2, shape)


# %% scores right: loops over the pixels and the classes
def confusion(predicted, target, k, ignore=255):
    matrix = torch.zeros(k, k, dtype=torch.int64)
    for p, t in zip(predicted.flatten().tolist(), target.flatten().tolist(), strict=True):
        if t != ignore:
            matrix[t, p] += 1
    return matrix


def scores(matrix):
    k = len(matrix)
    iou, dice = torch.full((k,), torch.nan, dtype=torch.float64), []
    for c in range(k):
        tp = matrix[c, c].item()
        fn, fp = matrix[c].sum().item() - tp, matrix[:, c].sum().item() - tp
        if tp + fn + fp:
            iou[c] = tp / (tp + fn + fp)
            dice.append(2 * tp / (2 * tp + fn + fp))
    known = iou[~iou.isnan()]
    return {
        "iou": iou,
        "mean_dice": sum(dice) / len(dice),
        "mean_iou": float(known.mean()),
        "pixel_accuracy": matrix.trace().item() / matrix.sum().item(),
    }


# %% scores right: index_put with accumulate, and NumPy
def confusion(predicted, target, k, ignore=255):
    keep = target.to(torch.int64) != ignore
    matrix = torch.zeros(k, k, dtype=torch.int64)
    ones = torch.ones(int(keep.sum()), dtype=torch.int64)
    return matrix.index_put((target[keep].to(torch.int64), predicted[keep]), ones, accumulate=True)


def scores(matrix):
    m = matrix.numpy().astype(np.float64)
    hits, rows, columns = np.diag(m), m.sum(axis=1), m.sum(axis=0)
    with np.errstate(invalid="ignore"):
        iou, dice = hits / (rows + columns - hits), 2 * hits / (rows + columns)
    return {
        "pixel_accuracy": float(hits.sum() / m.sum()),
        "iou": torch.from_numpy(iou),
        "mean_iou": float(np.nanmean(iou)),
        "mean_dice": float(np.nanmean(dice)),
    }


# %% scores wrong: the table is transposed
def confusion(predicted, target, k, ignore=255):
    counted = target != ignore
    pairs = k * predicted[counted] + target[counted].long()
    return torch.bincount(pairs, minlength=k * k).reshape(k, k)


def scores(matrix):
    hits = matrix.diagonal().double()
    both = matrix.sum(dim=0) + matrix.sum(dim=1)
    iou = hits / (both - hits)
    return {
        "pixel_accuracy": (hits.sum() / matrix.sum()).item(),
        "iou": iou,
        "mean_iou": iou.nanmean().item(),
        "mean_dice": (2 * hits / both).nanmean().item(),
    }


# %% scores wrong: ignored pixels count as class 0
def confusion(predicted, target, k, ignore=255):
    target = torch.where(target == ignore, 0, target.long())
    return torch.bincount((k * target + predicted).ravel(), minlength=k * k).reshape(k, k)


def scores(matrix):
    hits = matrix.diagonal().double()
    both = matrix.sum(dim=0) + matrix.sum(dim=1)
    iou = hits / (both - hits)
    return {
        "pixel_accuracy": (hits.sum() / matrix.sum()).item(),
        "iou": iou,
        "mean_iou": iou.nanmean().item(),
        "mean_dice": (2 * hits / both).nanmean().item(),
    }


# %% scores wrong: 255 is built in
def confusion(predicted, target, k, ignore=255):
    counted = target != 255
    pairs = k * target[counted].long() + predicted[counted]
    return torch.bincount(pairs, minlength=k * k).reshape(k, k)


def scores(matrix):
    hits = matrix.diagonal().double()
    both = matrix.sum(dim=0) + matrix.sum(dim=1)
    iou = hits / (both - hits)
    return {
        "pixel_accuracy": (hits.sum() / matrix.sum()).item(),
        "iou": iou,
        "mean_iou": iou.nanmean().item(),
        "mean_dice": (2 * hits / both).nanmean().item(),
    }


# %% scores wrong: uint8 overflows
def confusion(predicted, target, k, ignore=255):
    counted = target != ignore
    pairs = (k * target[counted] + predicted[counted]).long()
    return torch.bincount(pairs, minlength=k * k).reshape(k, k)


def scores(matrix):
    hits = matrix.diagonal().double()
    both = matrix.sum(dim=0) + matrix.sum(dim=1)
    iou = hits / (both - hits)
    return {
        "pixel_accuracy": (hits.sum() / matrix.sum()).item(),
        "iou": iou,
        "mean_iou": iou.nanmean().item(),
        "mean_dice": (2 * hits / both).nanmean().item(),
    }


# %% scores wrong: an absent class has the IoU 0
def confusion(predicted, target, k, ignore=255):
    counted = target != ignore
    pairs = k * target[counted].long() + predicted[counted]
    return torch.bincount(pairs, minlength=k * k).reshape(k, k)


def scores(matrix):
    hits = matrix.diagonal().double()
    both = matrix.sum(dim=0) + matrix.sum(dim=1)
    iou = (hits / (both - hits)).nan_to_num()
    return {
        "pixel_accuracy": (hits.sum() / matrix.sum()).item(),
        "iou": iou,
        "mean_iou": iou.mean().item(),
        "mean_dice": (2 * hits / both).nan_to_num().mean().item(),
    }


# %% scores wrong: a class without targets is left out although it is predicted
def confusion(predicted, target, k, ignore=255):
    counted = target != ignore
    pairs = k * target[counted].long() + predicted[counted]
    return torch.bincount(pairs, minlength=k * k).reshape(k, k)


def scores(matrix):
    hits = matrix.diagonal().double()
    both = matrix.sum(dim=0) + matrix.sum(dim=1)
    iou = hits / (both - hits)
    iou[matrix.sum(dim=1) == 0] = torch.nan
    return {
        "pixel_accuracy": (hits.sum() / matrix.sum()).item(),
        "iou": iou,
        "mean_iou": iou.nanmean().item(),
        "mean_dice": (2 * hits / both)[~iou.isnan()].mean().item(),
    }


# %% scores wrong: recall instead of IoU
def confusion(predicted, target, k, ignore=255):
    counted = target != ignore
    pairs = k * target[counted].long() + predicted[counted]
    return torch.bincount(pairs, minlength=k * k).reshape(k, k)


def scores(matrix):
    hits = matrix.diagonal().double()
    both = matrix.sum(dim=0) + matrix.sum(dim=1)
    iou = hits / matrix.sum(dim=1)
    return {
        "pixel_accuracy": (hits.sum() / matrix.sum()).item(),
        "iou": iou,
        "mean_iou": iou.nanmean().item(),
        "mean_dice": (2 * hits / both).nanmean().item(),
    }


# %% scores wrong: Dice is computed from the mean IoU
def confusion(predicted, target, k, ignore=255):
    counted = target != ignore
    pairs = k * target[counted].long() + predicted[counted]
    return torch.bincount(pairs, minlength=k * k).reshape(k, k)


def scores(matrix):
    hits = matrix.diagonal().double()
    iou = hits / (matrix.sum(dim=0) + matrix.sum(dim=1) - hits)
    mean = iou.nanmean().item()
    return {
        "pixel_accuracy": (hits.sum() / matrix.sum()).item(),
        "iou": iou,
        "mean_iou": mean,
        "mean_dice": 2 * mean / (1 + mean),
    }


# %% scores wrong: the table is too small when the last class is absent
def confusion(predicted, target, k, ignore=255):
    counted = target != ignore
    t, p = target[counted].long(), predicted[counted]
    size = int(max(t.max(), p.max())) + 1
    return torch.bincount(size * t + p, minlength=size * size).reshape(size, size)


def scores(matrix):
    hits = matrix.diagonal().double()
    both = matrix.sum(dim=0) + matrix.sum(dim=1)
    iou = hits / (both - hits)
    return {
        "pixel_accuracy": (hits.sum() / matrix.sum()).item(),
        "iou": iou,
        "mean_iou": iou.nanmean().item(),
        "mean_dice": (2 * hits / both).nanmean().item(),
    }


# %% loss right: the library's ignore_index, and masked maps
def segmentation_loss(logits, target, weights, ignore=255):
    ce = F.cross_entropy(logits, target, weight=weights, ignore_index=ignore)
    mask = (target != ignore).unsqueeze(1)
    safe = torch.where(mask[:, 0], target, 0)
    truth = F.one_hot(safe, logits.shape[1]).permute(0, 3, 1, 2) * mask
    p = torch.softmax(logits, dim=1) * mask
    overlap, mass = (p * truth).sum((0, 2, 3)), p.sum((0, 2, 3)) + truth.sum((0, 2, 3))
    return ce + 1 - ((2 * overlap + 1) / (mass + 1)).mean()


# %% loss right: a loop over the classes
def segmentation_loss(logits, target, weights, ignore=255):
    keep = target != ignore
    log_p = torch.log_softmax(logits, dim=1)
    top, bottom, dice = 0, 0, 0
    for c in range(len(weights)):
        own = keep & (target == c)
        p = log_p[:, c].exp()
        top = top - weights[c] * log_p[:, c][own].sum()
        bottom = bottom + weights[c] * own.sum()
        dice = dice + (2 * p[own].sum() + 1) / (p[keep].sum() + own.sum() + 1)
    return top / bottom + (1 - dice / len(weights))


# %% loss wrong: cross-entropy alone
def segmentation_loss(logits, target, weights, ignore=255):
    return F.cross_entropy(logits, target, weight=weights, ignore_index=ignore)


# %% loss wrong: the weights are forgotten
def segmentation_loss(logits, target, weights, ignore=255):
    counted = target != ignore
    rows, classes = logits.movedim(1, -1)[counted], target[counted]
    p, truth = rows.softmax(1), F.one_hot(classes, len(weights))
    dice = (2 * (p * truth).sum(0) + 1) / (p.sum(0) + truth.sum(0) + 1)
    return F.cross_entropy(rows, classes) + 1 - dice.mean()


# %% loss wrong: ignored pixels stay in the sums of p
def segmentation_loss(logits, target, weights, ignore=255):
    ce = F.cross_entropy(logits, target, weight=weights, ignore_index=ignore)
    mask = target != ignore
    truth = F.one_hot(torch.where(mask, target, 0), logits.shape[1]).movedim(3, 1) * mask[:, None]
    p = logits.softmax(1)
    dice = (2 * (p * truth).sum((0, 2, 3)) + 1) / (p.sum((0, 2, 3)) + truth.sum((0, 2, 3)) + 1)
    return ce + 1 - dice.mean()


# %% loss wrong: ignored pixels count as class 0 in the Dice term
def segmentation_loss(logits, target, weights, ignore=255):
    ce = F.cross_entropy(logits, target, weight=weights, ignore_index=ignore)
    truth = F.one_hot(torch.where(target != ignore, target, 0), logits.shape[1]).movedim(3, 1)
    p = logits.softmax(1)
    dice = (2 * (p * truth).sum((0, 2, 3)) + 1) / (p.sum((0, 2, 3)) + truth.sum((0, 2, 3)) + 1)
    return ce + 1 - dice.mean()


# %% loss wrong: Dice image by image
def segmentation_loss(logits, target, weights, ignore=255):
    ce = F.cross_entropy(logits, target, weight=weights, ignore_index=ignore)
    mask = target != ignore
    truth = F.one_hot(torch.where(mask, target, 0), logits.shape[1]).movedim(3, 1) * mask[:, None]
    p = logits.softmax(1) * mask[:, None]
    dice = (2 * (p * truth).sum((2, 3)) + 1) / (p.sum((2, 3)) + truth.sum((2, 3)) + 1)
    return ce + 1 - dice.mean()


# %% loss wrong: the mean Dice is added instead of subtracted from 1
def segmentation_loss(logits, target, weights, ignore=255):
    counted = target != ignore
    rows, classes = logits.movedim(1, -1)[counted], target[counted]
    p, truth = rows.softmax(1), F.one_hot(classes, len(weights))
    dice = (2 * (p * truth).sum(0) + 1) / (p.sum(0) + truth.sum(0) + 1)
    return F.cross_entropy(rows, classes, weights) + dice.mean()


# %% loss wrong: the one is missing in the numerator
def segmentation_loss(logits, target, weights, ignore=255):
    counted = target != ignore
    rows, classes = logits.movedim(1, -1)[counted], target[counted]
    p, truth = rows.softmax(1), F.one_hot(classes, len(weights))
    dice = 2 * (p * truth).sum(0) / (p.sum(0) + truth.sum(0) + 1)
    return F.cross_entropy(rows, classes, weights) + 1 - dice.mean()


# %% loss wrong: the logarithm of a softmax that underflows
def segmentation_loss(logits, target, weights, ignore=255):
    counted = target != ignore
    rows, classes = logits.movedim(1, -1)[counted], target[counted]
    e = rows.exp()
    p, truth = e / e.sum(1, keepdim=True), F.one_hot(classes, len(weights))
    dice = (2 * (p * truth).sum(0) + 1) / (p.sum(0) + truth.sum(0) + 1)
    w = weights[classes]
    ce = -(w * p[torch.arange(len(classes)), classes].log()).sum() / w.sum()
    return ce + 1 - dice.mean()


# %% loss wrong: divided by the number of pixels instead of the sum of their weights
def segmentation_loss(logits, target, weights, ignore=255):
    counted = target != ignore
    rows, classes = logits.movedim(1, -1)[counted], target[counted]
    p, truth = rows.softmax(1), F.one_hot(classes, len(weights))
    dice = (2 * (p * truth).sum(0) + 1) / (p.sum(0) + truth.sum(0) + 1)
    return F.cross_entropy(rows, classes, weights, reduction="sum") / len(rows) + 1 - dice.mean()


# %% loss wrong: Dice of the classes that were chosen, without a gradient
def segmentation_loss(logits, target, weights, ignore=255):
    counted = target != ignore
    rows, classes = logits.movedim(1, -1)[counted], target[counted]
    p, truth = rows.softmax(1).detach(), F.one_hot(classes, len(weights))
    dice = (2 * (p * truth).sum(0) + 1) / (p.sum(0) + truth.sum(0) + 1)
    return F.cross_entropy(rows, classes, weights) + 1 - dice.mean()


# %% heads right: other names, another order, the kernel in a loop
class FCNHead(nn.Module):
    def __init__(self, deep, shallow, classes, factor):
        super().__init__()
        self.score_shallow = nn.Conv2d(shallow, classes, kernel_size=1)
        self.up = nn.ConvTranspose2d(classes, classes, 4, 2, 1, bias=False)
        self.score_deep = nn.Conv2d(deep, classes, kernel_size=1)
        self.factor = factor
        row = [0.25, 0.75, 0.75, 0.25]
        kernel = torch.zeros(classes, classes, 4, 4)
        for c in range(classes):
            for i in range(4):
                for j in range(4):
                    kernel[c, c, i, j] = row[i] * row[j]
        self.up.weight = nn.Parameter(kernel)

    def forward(self, x, s):
        y = self.up(self.score_deep(x)) + self.score_shallow(s)
        size = (self.factor * s.shape[2], self.factor * s.shape[3])
        return F.interpolate(y, size, mode="bilinear", align_corners=False)


class UpBlock(nn.Module):
    def __init__(self, below, skip, out):
        super().__init__()
        self.conv2, self.norm2 = nn.Conv2d(out, out, 3, padding="same", bias=False), nn.BatchNorm2d(out)
        self.conv1, self.norm1 = nn.Conv2d(below + skip, out, 3, padding="same", bias=False), nn.BatchNorm2d(out)

    def forward(self, x, s):
        n, _, h, w = s.shape
        y = torch.cat((nn.Upsample((h, w), mode="bilinear")(x), s), 1)
        y = F.relu(self.norm1(self.conv1(y)))
        return F.relu(self.norm2(self.conv2(y)))


# %% heads right: plain parameters and functions
class FCNHead(nn.Module):
    def __init__(self, deep, shallow, classes, factor):
        super().__init__()
        self.factor = factor
        self.a = nn.Parameter(torch.randn(classes, deep, 1, 1) / deep)
        self.b = nn.Parameter(torch.zeros(classes))
        self.c = nn.Parameter(torch.randn(classes, shallow, 1, 1) / shallow)
        self.d = nn.Parameter(torch.zeros(classes))
        row = torch.tensor([[0.25, 0.75, 0.75, 0.25]])
        self.e = nn.Parameter(torch.einsum("cd,ij->cdij", torch.eye(classes), row.T @ row))

    def forward(self, x, s):
        y = F.conv_transpose2d(F.conv2d(x, self.a, self.b), self.e, stride=2, padding=1)
        return nn.Upsample(scale_factor=self.factor, mode="bilinear")(y + F.conv2d(s, self.c, self.d))


class UpBlock(nn.Sequential):
    def __init__(self, below, skip, out):
        def step(channels):
            return nn.Sequential(
                nn.Conv2d(channels, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)
            )

        super().__init__(step(below + skip), step(out))

    def forward(self, x, s):
        return super().forward(torch.cat([F.interpolate(x, s.shape[-2:], mode="bilinear"), s], dim=1))


# %% heads wrong: the transposed convolution starts at random
class FCNHead(nn.Module):
    def __init__(self, deep, shallow, classes, factor):
        super().__init__()
        self.factor = factor
        self.deep, self.shallow = nn.Conv2d(deep, classes, 1), nn.Conv2d(shallow, classes, 1)
        self.up = nn.ConvTranspose2d(classes, classes, 4, stride=2, padding=1, bias=False)

    def forward(self, x, s):
        scores = self.up(self.deep(x)) + self.shallow(s)
        return F.interpolate(scores, scale_factor=self.factor, mode="bilinear")


class UpBlock(nn.Module):
    def __init__(self, below, skip, out):
        super().__init__()
        layers = []
        for channels in (below + skip, out):
            layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x, s):
        x = F.interpolate(x, size=s.shape[2:], mode="bilinear")
        return self.layers(torch.cat([x, s], dim=1))


# %% heads wrong: every class leaks into every other
class FCNHead(nn.Module):
    def __init__(self, deep, shallow, classes, factor):
        super().__init__()
        self.factor = factor
        self.deep, self.shallow = nn.Conv2d(deep, classes, 1), nn.Conv2d(shallow, classes, 1)
        self.up = nn.ConvTranspose2d(classes, classes, 4, stride=2, padding=1, bias=False)
        row = torch.tensor([0.25, 0.75, 0.75, 0.25])
        with torch.no_grad():
            self.up.weight.copy_(torch.outer(row, row).expand(classes, classes, 4, 4))

    def forward(self, x, s):
        scores = self.up(self.deep(x)) + self.shallow(s)
        return F.interpolate(scores, scale_factor=self.factor, mode="bilinear")


class UpBlock(nn.Module):
    def __init__(self, below, skip, out):
        super().__init__()
        layers = []
        for channels in (below + skip, out):
            layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x, s):
        x = F.interpolate(x, size=s.shape[2:], mode="bilinear")
        return self.layers(torch.cat([x, s], dim=1))


# %% heads wrong: x is doubled, which misses odd sizes
class FCNHead(nn.Module):
    def __init__(self, deep, shallow, classes, factor):
        super().__init__()
        self.factor = factor
        self.deep, self.shallow = nn.Conv2d(deep, classes, 1), nn.Conv2d(shallow, classes, 1)
        self.up = nn.ConvTranspose2d(classes, classes, 4, stride=2, padding=1, bias=False)
        row = torch.tensor([0.25, 0.75, 0.75, 0.25])
        with torch.no_grad():
            self.up.weight.copy_(torch.eye(classes)[:, :, None, None] * torch.outer(row, row))

    def forward(self, x, s):
        scores = self.up(self.deep(x)) + self.shallow(s)
        return F.interpolate(scores, scale_factor=self.factor, mode="bilinear")


class UpBlock(nn.Module):
    def __init__(self, below, skip, out):
        super().__init__()
        layers = []
        for channels in (below + skip, out):
            layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x, s):
        x = F.interpolate(x, scale_factor=2, mode="bilinear")
        return self.layers(torch.cat([x, s], dim=1))


# %% heads wrong: the skip comes first
class FCNHead(nn.Module):
    def __init__(self, deep, shallow, classes, factor):
        super().__init__()
        self.factor = factor
        self.deep, self.shallow = nn.Conv2d(deep, classes, 1), nn.Conv2d(shallow, classes, 1)
        self.up = nn.ConvTranspose2d(classes, classes, 4, stride=2, padding=1, bias=False)
        row = torch.tensor([0.25, 0.75, 0.75, 0.25])
        with torch.no_grad():
            self.up.weight.copy_(torch.eye(classes)[:, :, None, None] * torch.outer(row, row))

    def forward(self, x, s):
        scores = self.up(self.deep(x)) + self.shallow(s)
        return F.interpolate(scores, scale_factor=self.factor, mode="bilinear")


class UpBlock(nn.Module):
    def __init__(self, below, skip, out):
        super().__init__()
        layers = []
        for channels in (below + skip, out):
            layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x, s):
        x = F.interpolate(x, size=s.shape[2:], mode="bilinear")
        return self.layers(torch.cat([s, x], dim=1))


# %% heads wrong: a bias in the transposed convolution, nearest neighbours at the end
class FCNHead(nn.Module):
    def __init__(self, deep, shallow, classes, factor):
        super().__init__()
        self.factor = factor
        self.deep, self.shallow = nn.Conv2d(deep, classes, 1), nn.Conv2d(shallow, classes, 1)
        self.up = nn.ConvTranspose2d(classes, classes, 4, stride=2, padding=1)
        row = torch.tensor([0.25, 0.75, 0.75, 0.25])
        with torch.no_grad():
            self.up.weight.copy_(torch.eye(classes)[:, :, None, None] * torch.outer(row, row))

    def forward(self, x, s):
        return F.interpolate(self.up(self.deep(x)) + self.shallow(s), scale_factor=self.factor)


class UpBlock(nn.Module):
    def __init__(self, below, skip, out):
        super().__init__()
        layers = []
        for channels in (below + skip, out):
            layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x, s):
        x = F.interpolate(x, size=s.shape[2:], mode="bilinear")
        return self.layers(torch.cat([x, s], dim=1))


# %% heads wrong: only one convolution has its normalisation
class FCNHead(nn.Module):
    def __init__(self, deep, shallow, classes, factor):
        super().__init__()
        self.factor = factor
        self.deep, self.shallow = nn.Conv2d(deep, classes, 1), nn.Conv2d(shallow, classes, 1)
        self.up = nn.ConvTranspose2d(classes, classes, 4, stride=2, padding=1, bias=False)
        row = torch.tensor([0.25, 0.75, 0.75, 0.25])
        with torch.no_grad():
            self.up.weight.copy_(torch.eye(classes)[:, :, None, None] * torch.outer(row, row))

    def forward(self, x, s):
        scores = self.up(self.deep(x)) + self.shallow(s)
        return F.interpolate(scores, scale_factor=self.factor, mode="bilinear")


class UpBlock(nn.Module):
    def __init__(self, below, skip, out):
        super().__init__()
        self.first, self.second = nn.Conv2d(below + skip, out, 3, padding=1), nn.Conv2d(out, out, 3, padding=1)
        self.norm = nn.BatchNorm2d(out)

    def forward(self, x, s):
        x = F.interpolate(x, size=s.shape[2:], mode="bilinear")
        return self.norm(self.second(self.first(torch.cat([x, s], dim=1)).relu())).relu()


# %% heads wrong: ReLU before the normalisation
class FCNHead(nn.Module):
    def __init__(self, deep, shallow, classes, factor):
        super().__init__()
        self.factor = factor
        self.deep, self.shallow = nn.Conv2d(deep, classes, 1), nn.Conv2d(shallow, classes, 1)
        self.up = nn.ConvTranspose2d(classes, classes, 4, stride=2, padding=1, bias=False)
        row = torch.tensor([0.25, 0.75, 0.75, 0.25])
        with torch.no_grad():
            self.up.weight.copy_(torch.eye(classes)[:, :, None, None] * torch.outer(row, row))

    def forward(self, x, s):
        scores = self.up(self.deep(x)) + self.shallow(s)
        return F.interpolate(scores, scale_factor=self.factor, mode="bilinear")


class UpBlock(nn.Module):
    def __init__(self, below, skip, out):
        super().__init__()
        layers = []
        for channels in (below + skip, out):
            layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.ReLU(), nn.BatchNorm2d(out)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x, s):
        x = F.interpolate(x, size=s.shape[2:], mode="bilinear")
        return self.layers(torch.cat([x, s], dim=1))


# %% context right: functions and a loop with zip
class PyramidPooling(nn.Module):
    def __init__(self, channels, branch, bins):
        super().__init__()
        self.bins = bins
        self.convs = nn.ModuleList([nn.Conv2d(channels, branch, 1) for _ in bins])

    def forward(self, x):
        out = x
        for b, layer in zip(self.bins, self.convs, strict=True):
            y = F.relu(layer(F.adaptive_avg_pool2d(x, b)))
            out = torch.cat([out, F.interpolate(y, x.shape[-2:], mode="bilinear", align_corners=False)], dim=1)
        return out


class ASPP(nn.Module):
    def __init__(self, channels, out, rates):
        super().__init__()
        self.project = nn.Conv2d(out * (len(rates) + 2), out, 1)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, out, 1), nn.ReLU())
        self.dilated = nn.ModuleList(
            [nn.Sequential(nn.Conv2d(channels, out, 3, 1, rate, rate), nn.ReLU()) for rate in rates]
        )
        self.point = nn.Sequential(nn.Conv2d(channels, out, 1), nn.ReLU())

    def forward(self, x):
        h, w = x.shape[2:]
        whole = self.pool(x).repeat(1, 1, h, w)
        parts = [self.point(x)] + [layer(x) for layer in self.dilated] + [whole]
        return F.relu(self.project(torch.cat(parts, 1)))


# %% context right: modules in a dictionary, the mean enlarged by interpolation
class PyramidPooling(nn.Module):
    def __init__(self, channels, branch, bins):
        super().__init__()
        self.bins = tuple(bins)
        self.layers = nn.ModuleDict({str(b): nn.Conv2d(channels, branch, (1, 1)) for b in bins})

    def forward(self, x):
        def view(b):
            pooled = nn.AdaptiveAvgPool2d((b, b))(x)
            return nn.Upsample(x.shape[2:], mode="bilinear")(self.layers[str(b)](pooled).clamp(min=0))

        return torch.cat((x, *(view(b) for b in self.bins)), 1)


class ASPP(nn.Module):
    def __init__(self, channels, out, rates):
        super().__init__()
        self.rates = list(rates)
        self.first, self.whole = nn.Conv2d(channels, out, 1), nn.Conv2d(channels, out, 1)
        for r in self.rates:
            self.add_module(f"rate{r}", nn.Conv2d(channels, out, 3, dilation=r, padding="same"))
        self.last = nn.Conv2d(len(self.rates) * out + 2 * out, out, 1)

    def forward(self, x):
        parts = [self.first(x)]
        for r in self.rates:
            parts.append(self.get_submodule(f"rate{r}")(x))
        mean = self.whole(x.mean((-1, -2), keepdim=True))
        parts.append(F.interpolate(mean, x.shape[2:]))
        return torch.relu(self.last(torch.cat([torch.relu(p) for p in parts], dim=1)))


# %% context wrong: one convolution for all branches
class PyramidPooling(nn.Module):
    def __init__(self, channels, branch, bins):
        super().__init__()
        self.bins, self.layer = bins, nn.Conv2d(channels, branch, 1)

    def forward(self, x):
        views = [self.layer(F.adaptive_avg_pool2d(x, b)).relu() for b in self.bins]
        return torch.cat([x, *(F.interpolate(v, size=x.shape[2:], mode="bilinear") for v in views)], dim=1)


class ASPP(nn.Module):
    def __init__(self, channels, out, rates):
        super().__init__()
        views = [nn.Conv2d(channels, out, 1)]
        views += [nn.Conv2d(channels, out, 3, padding=r, dilation=r) for r in rates]
        self.views = nn.ModuleList(views)
        self.whole = nn.Conv2d(channels, out, 1)
        self.join = nn.Conv2d((2 + len(rates)) * out, out, 1)

    def forward(self, x):
        views = [view(x) for view in self.views]
        views.append(self.whole(x.mean(dim=(2, 3), keepdim=True)).expand_as(views[0]))
        return self.join(torch.cat(views, dim=1).relu()).relu()


# %% context wrong: the branches stand in a plain list
class PyramidPooling(nn.Module):
    def __init__(self, channels, branch, bins):
        super().__init__()
        self.branches = [
            nn.Sequential(nn.AdaptiveAvgPool2d(b), nn.Conv2d(channels, branch, 1), nn.ReLU()) for b in bins
        ]

    def forward(self, x):
        views = [F.interpolate(branch(x), size=x.shape[2:], mode="bilinear") for branch in self.branches]
        return torch.cat([x, *views], dim=1)


class ASPP(nn.Module):
    def __init__(self, channels, out, rates):
        super().__init__()
        self.views = [nn.Conv2d(channels, out, 3, padding=r, dilation=r) for r in rates]
        self.first, self.whole = nn.Conv2d(channels, out, 1), nn.Conv2d(channels, out, 1)
        self.join = nn.Conv2d((2 + len(rates)) * out, out, 1)

    def forward(self, x):
        views = [self.first(x)] + [view(x) for view in self.views]
        views.append(self.whole(x.mean(dim=(2, 3), keepdim=True)).expand_as(views[0]))
        return self.join(torch.cat(views, dim=1).relu()).relu()


# %% context wrong: the input itself is left out
class PyramidPooling(nn.Module):
    def __init__(self, channels, branch, bins):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(b), nn.Conv2d(channels, branch, 1), nn.ReLU()) for b in bins
        )

    def forward(self, x):
        views = [F.interpolate(branch(x), size=x.shape[2:], mode="bilinear") for branch in self.branches]
        return torch.cat(views, dim=1)


class ASPP(nn.Module):
    def __init__(self, channels, out, rates):
        super().__init__()
        views = [nn.Conv2d(channels, out, 1)]
        views += [nn.Conv2d(channels, out, 3, padding=r, dilation=r) for r in rates]
        self.views = nn.ModuleList(views)
        self.whole = nn.Conv2d(channels, out, 1)
        self.join = nn.Conv2d((2 + len(rates)) * out, out, 1)

    def forward(self, x):
        views = [view(x) for view in self.views]
        views.append(self.whole(x.mean(dim=(2, 3), keepdim=True)).expand_as(views[0]))
        return self.join(torch.cat(views, dim=1).relu()).relu()


# %% context wrong: windows of b pixels instead of a grid of b cells
class PyramidPooling(nn.Module):
    def __init__(self, channels, branch, bins):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(nn.AvgPool2d(b, ceil_mode=True), nn.Conv2d(channels, branch, 1), nn.ReLU()) for b in bins
        )

    def forward(self, x):
        views = [F.interpolate(branch(x), size=x.shape[2:], mode="bilinear") for branch in self.branches]
        return torch.cat([x, *views], dim=1)


class ASPP(nn.Module):
    def __init__(self, channels, out, rates):
        super().__init__()
        views = [nn.Conv2d(channels, out, 1)]
        views += [nn.Conv2d(channels, out, 3, padding=r, dilation=r) for r in rates]
        self.views = nn.ModuleList(views)
        self.whole = nn.Conv2d(channels, out, 1)
        self.join = nn.Conv2d((2 + len(rates)) * out, out, 1)

    def forward(self, x):
        views = [view(x) for view in self.views]
        views.append(self.whole(x.mean(dim=(2, 3), keepdim=True)).expand_as(views[0]))
        return self.join(torch.cat(views, dim=1).relu()).relu()


# %% context wrong: the dilation is forgotten, padding 1
class PyramidPooling(nn.Module):
    def __init__(self, channels, branch, bins):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(b), nn.Conv2d(channels, branch, 1), nn.ReLU()) for b in bins
        )

    def forward(self, x):
        views = [F.interpolate(branch(x), size=x.shape[2:], mode="bilinear") for branch in self.branches]
        return torch.cat([x, *views], dim=1)


class ASPP(nn.Module):
    def __init__(self, channels, out, rates):
        super().__init__()
        views = [nn.Conv2d(channels, out, 1)]
        views += [nn.Conv2d(channels, out, 3, padding=1) for _ in rates]
        self.views = nn.ModuleList(views)
        self.whole = nn.Conv2d(channels, out, 1)
        self.join = nn.Conv2d((2 + len(rates)) * out, out, 1)

    def forward(self, x):
        views = [view(x) for view in self.views]
        views.append(self.whole(x.mean(dim=(2, 3), keepdim=True)).expand_as(views[0]))
        return self.join(torch.cat(views, dim=1).relu()).relu()


# %% context wrong: the mean of the batch instead of the image's
class PyramidPooling(nn.Module):
    def __init__(self, channels, branch, bins):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(b), nn.Conv2d(channels, branch, 1), nn.ReLU()) for b in bins
        )

    def forward(self, x):
        views = [F.interpolate(branch(x), size=x.shape[2:], mode="bilinear") for branch in self.branches]
        return torch.cat([x, *views], dim=1)


class ASPP(nn.Module):
    def __init__(self, channels, out, rates):
        super().__init__()
        views = [nn.Conv2d(channels, out, 1)]
        views += [nn.Conv2d(channels, out, 3, padding=r, dilation=r) for r in rates]
        self.views = nn.ModuleList(views)
        self.whole = nn.Conv2d(channels, out, 1)
        self.join = nn.Conv2d((2 + len(rates)) * out, out, 1)

    def forward(self, x):
        views = [view(x) for view in self.views]
        views.append(self.whole(x.mean(dim=(0, 2, 3), keepdim=True)).expand_as(views[0]))
        return self.join(torch.cat(views, dim=1).relu()).relu()


# %% context wrong: no ReLU after the last convolution
class PyramidPooling(nn.Module):
    def __init__(self, channels, branch, bins):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(b), nn.Conv2d(channels, branch, 1), nn.ReLU()) for b in bins
        )

    def forward(self, x):
        views = [F.interpolate(branch(x), size=x.shape[2:], mode="bilinear") for branch in self.branches]
        return torch.cat([x, *views], dim=1)


class ASPP(nn.Module):
    def __init__(self, channels, out, rates):
        super().__init__()
        views = [nn.Conv2d(channels, out, 1)]
        views += [nn.Conv2d(channels, out, 3, padding=r, dilation=r) for r in rates]
        self.views = nn.ModuleList(views)
        self.whole = nn.Conv2d(channels, out, 1)
        self.join = nn.Conv2d((2 + len(rates)) * out, out, 1)

    def forward(self, x):
        views = [view(x) for view in self.views]
        views.append(self.whole(x.mean(dim=(2, 3), keepdim=True)).expand_as(views[0]))
        return self.join(torch.cat(views, dim=1).relu())


# %% context wrong: the cells are enlarged without interpolation
class PyramidPooling(nn.Module):
    def __init__(self, channels, branch, bins):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(b), nn.Conv2d(channels, branch, 1), nn.ReLU()) for b in bins
        )

    def forward(self, x):
        return torch.cat([x, *(F.interpolate(branch(x), size=x.shape[2:]) for branch in self.branches)], dim=1)


class ASPP(nn.Module):
    def __init__(self, channels, out, rates):
        super().__init__()
        views = [nn.Conv2d(channels, out, 1)]
        views += [nn.Conv2d(channels, out, 3, padding=r, dilation=r) for r in rates]
        self.views = nn.ModuleList(views)
        self.whole = nn.Conv2d(channels, out, 1)
        self.join = nn.Conv2d((2 + len(rates)) * out, out, 1)

    def forward(self, x):
        views = [view(x) for view in self.views]
        views.append(self.whole(x.mean(dim=(2, 3), keepdim=True)).expand_as(views[0]))
        return self.join(torch.cat(views, dim=1).relu()).relu()


# %% instances right: a list of layers, gather, and a sorted list of objects
class MaskHead(nn.Module):
    def __init__(self, channels, hidden, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, hidden, 3, 1, 1)
        self.conv2 = nn.Conv2d(hidden, hidden, 3, 1, 1)
        self.deconv = nn.ConvTranspose2d(hidden, hidden, 2, 2)
        self.logits = nn.Conv2d(hidden, classes, 1)

    def forward(self, x):
        for layer in (self.conv1, self.conv2, self.deconv):
            x = F.relu(layer(x))
        return self.logits(x)


def mask_loss(logits, labels, masks):
    index = labels[:, None, None, None].expand(-1, 1, *logits.shape[2:])
    own = logits.gather(1, index).squeeze(1)
    return (F.softplus(own) - own * masks).mean()


def panoptic(masks, labels, scores):
    result = torch.zeros(masks.shape[1:], dtype=torch.int64)
    taken = torch.zeros_like(masks[0]) if len(masks) else None
    count = {}
    for i in sorted(range(len(labels)), key=lambda i: (-scores[i].item(), i)):
        free = masks[i] & ~taken
        if free.sum().item() <= masks[i].sum().item() / 2:
            continue
        label = int(labels[i])
        count[label] = count.get(label, 0) + 1
        result = torch.where(free, 1000 * label + count[label], result)
        taken = taken | free
    return result


# %% instances right: a loop over the regions, NumPy for the map
class MaskHead(nn.Sequential):
    def __init__(self, channels, hidden, classes):
        super().__init__(
            nn.Conv2d(channels, hidden, 3, padding="same"),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, hidden, 3, padding="same"),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(hidden, hidden, kernel_size=2, stride=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, classes, kernel_size=1),
        )


def mask_loss(logits, labels, masks):
    bce = nn.BCEWithLogitsLoss()
    losses = [bce(logits[i, c], masks[i].to(logits.dtype)) for i, c in enumerate(labels.tolist())]
    return torch.stack(losses).mean()


def panoptic(masks, labels, scores):
    result = np.zeros(masks.shape[1:], dtype=np.int64)
    count = np.zeros(100, dtype=np.int64)
    for i in np.argsort(-scores.numpy(), kind="stable"):
        mask = masks[i].numpy()
        free = mask & (result == 0)
        if free.sum() * 2 > mask.sum():
            c = int(labels[i])
            count[c] += 1
            result[free] = 1000 * c + count[c]
    return torch.from_numpy(result)


# %% instances wrong: the loss over all channels
class MaskHead(nn.Module):
    def __init__(self, channels, hidden, classes):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(channels, hidden, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(hidden, hidden, 3, padding=1), nn.ReLU()),
            *(nn.ConvTranspose2d(hidden, hidden, 2, stride=2), nn.ReLU()),
            nn.Conv2d(hidden, classes, 1),
        )

    def forward(self, x):
        return self.layers(x)


def mask_loss(logits, labels, masks):
    truth = torch.zeros_like(logits)
    truth[torch.arange(len(labels)), labels] = masks.to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, truth)


def panoptic(masks, labels, scores):
    result = torch.zeros(masks.shape[1:], dtype=torch.int64)
    kept = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        free = masks[i] & (result == 0)
        if 2 * free.sum() > masks[i].sum():
            kept.append(labels[i].item())
            result[free] = 1000 * kept[-1] + kept.count(kept[-1])
    return result


# %% instances wrong: a sigmoid that saturates, then the logarithm
class MaskHead(nn.Module):
    def __init__(self, channels, hidden, classes):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(channels, hidden, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(hidden, hidden, 3, padding=1), nn.ReLU()),
            *(nn.ConvTranspose2d(hidden, hidden, 2, stride=2), nn.ReLU()),
            nn.Conv2d(hidden, classes, 1),
        )

    def forward(self, x):
        return self.layers(x)


def mask_loss(logits, labels, masks):
    p = logits[torch.arange(len(labels)), labels].sigmoid()
    return -(torch.where(masks, p, 1 - p)).log().mean()


def panoptic(masks, labels, scores):
    result = torch.zeros(masks.shape[1:], dtype=torch.int64)
    kept = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        free = masks[i] & (result == 0)
        if 2 * free.sum() > masks[i].sum():
            kept.append(labels[i].item())
            result[free] = 1000 * kept[-1] + kept.count(kept[-1])
    return result


# %% instances wrong: the objects in the order given
class MaskHead(nn.Module):
    def __init__(self, channels, hidden, classes):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(channels, hidden, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(hidden, hidden, 3, padding=1), nn.ReLU()),
            *(nn.ConvTranspose2d(hidden, hidden, 2, stride=2), nn.ReLU()),
            nn.Conv2d(hidden, classes, 1),
        )

    def forward(self, x):
        return self.layers(x)


def mask_loss(logits, labels, masks):
    own = logits[torch.arange(len(labels)), labels]
    return F.binary_cross_entropy_with_logits(own, masks.to(own.dtype))


def panoptic(masks, labels, scores):
    result = torch.zeros(masks.shape[1:], dtype=torch.int64)
    kept = []
    for i in range(len(scores)):
        free = masks[i] & (result == 0)
        if 2 * free.sum() > masks[i].sum():
            kept.append(labels[i].item())
            result[free] = 1000 * kept[-1] + kept.count(kept[-1])
    return result


# %% instances wrong: the lowest score wins, later objects paint over earlier ones
class MaskHead(nn.Module):
    def __init__(self, channels, hidden, classes):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(channels, hidden, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(hidden, hidden, 3, padding=1), nn.ReLU()),
            *(nn.ConvTranspose2d(hidden, hidden, 2, stride=2), nn.ReLU()),
            nn.Conv2d(hidden, classes, 1),
        )

    def forward(self, x):
        return self.layers(x)


def mask_loss(logits, labels, masks):
    own = logits[torch.arange(len(labels)), labels]
    return F.binary_cross_entropy_with_logits(own, masks.to(own.dtype))


def panoptic(masks, labels, scores):
    result = torch.zeros(masks.shape[1:], dtype=torch.int64)
    kept = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        kept.append(labels[i].item())
        result[masks[i]] = 1000 * kept[-1] + kept.count(kept[-1])
    return result


# %% instances wrong: one counter for all classes
class MaskHead(nn.Module):
    def __init__(self, channels, hidden, classes):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(channels, hidden, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(hidden, hidden, 3, padding=1), nn.ReLU()),
            *(nn.ConvTranspose2d(hidden, hidden, 2, stride=2), nn.ReLU()),
            nn.Conv2d(hidden, classes, 1),
        )

    def forward(self, x):
        return self.layers(x)


def mask_loss(logits, labels, masks):
    own = logits[torch.arange(len(labels)), labels]
    return F.binary_cross_entropy_with_logits(own, masks.to(own.dtype))


def panoptic(masks, labels, scores):
    result = torch.zeros(masks.shape[1:], dtype=torch.int64)
    kept = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        free = masks[i] & (result == 0)
        if 2 * free.sum() > masks[i].sum():
            kept.append(labels[i].item())
            result[free] = 1000 * kept[-1] + len(kept)
    return result


# %% instances wrong: left-out objects are counted
class MaskHead(nn.Module):
    def __init__(self, channels, hidden, classes):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(channels, hidden, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(hidden, hidden, 3, padding=1), nn.ReLU()),
            *(nn.ConvTranspose2d(hidden, hidden, 2, stride=2), nn.ReLU()),
            nn.Conv2d(hidden, classes, 1),
        )

    def forward(self, x):
        return self.layers(x)


def mask_loss(logits, labels, masks):
    own = logits[torch.arange(len(labels)), labels]
    return F.binary_cross_entropy_with_logits(own, masks.to(own.dtype))


def panoptic(masks, labels, scores):
    result = torch.zeros(masks.shape[1:], dtype=torch.int64)
    seen = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        free = masks[i] & (result == 0)
        seen.append(labels[i].item())
        if 2 * free.sum() > masks[i].sum():
            result[free] = 1000 * seen[-1] + seen.count(seen[-1])
    return result


# %% instances wrong: exactly half is enough
class MaskHead(nn.Module):
    def __init__(self, channels, hidden, classes):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(channels, hidden, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(hidden, hidden, 3, padding=1), nn.ReLU()),
            *(nn.ConvTranspose2d(hidden, hidden, 2, stride=2), nn.ReLU()),
            nn.Conv2d(hidden, classes, 1),
        )

    def forward(self, x):
        return self.layers(x)


def mask_loss(logits, labels, masks):
    own = logits[torch.arange(len(labels)), labels]
    return F.binary_cross_entropy_with_logits(own, masks.to(own.dtype))


def panoptic(masks, labels, scores):
    result = torch.zeros(masks.shape[1:], dtype=torch.int64)
    kept = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        free = masks[i] & (result == 0)
        if 2 * free.sum() >= masks[i].sum():
            kept.append(labels[i].item())
            result[free] = 1000 * kept[-1] + kept.count(kept[-1])
    return result


# %% instances wrong: bilinear upsampling in the place of the transposed convolution
class MaskHead(nn.Module):
    def __init__(self, channels, hidden, classes):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(channels, hidden, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(hidden, hidden, 3, padding=1), nn.ReLU()),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.Conv2d(hidden, classes, 1),
        )

    def forward(self, x):
        return self.layers(x)


def mask_loss(logits, labels, masks):
    own = logits[torch.arange(len(labels)), labels]
    return F.binary_cross_entropy_with_logits(own, masks.to(own.dtype))


def panoptic(masks, labels, scores):
    result = torch.zeros(masks.shape[1:], dtype=torch.int64)
    kept = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        free = masks[i] & (result == 0)
        if 2 * free.sum() > masks[i].sum():
            kept.append(labels[i].item())
            result[free] = 1000 * kept[-1] + kept.count(kept[-1])
    return result


# %% instances wrong: a sigmoid at the end of the head
class MaskHead(nn.Module):
    def __init__(self, channels, hidden, classes):
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(channels, hidden, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(hidden, hidden, 3, padding=1), nn.ReLU()),
            *(nn.ConvTranspose2d(hidden, hidden, 2, stride=2), nn.ReLU()),
            *(nn.Conv2d(hidden, classes, 1), nn.Sigmoid()),
        )

    def forward(self, x):
        return self.layers(x)


def mask_loss(logits, labels, masks):
    own = logits[torch.arange(len(labels)), labels]
    return F.binary_cross_entropy_with_logits(own, masks.to(own.dtype))


def panoptic(masks, labels, scores):
    result = torch.zeros(masks.shape[1:], dtype=torch.int64)
    kept = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        free = masks[i] & (result == 0)
        if 2 * free.sum() > masks[i].sum():
            kept.append(labels[i].item())
            result[free] = 1000 * kept[-1] + kept.count(kept[-1])
    return result


# %% train_segmenter right: a way up that adds, as a feature pyramid does, and a loop of its own
class SceneNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.backbone = Backbone(width)
        self.side = nn.ModuleList([nn.Conv2d(2 * width * 2**i, width * 2**i, 1) for i in range(3)])
        self.mix = nn.ModuleList([conv(width * 2**i, width * 2**i) for i in range(3)])
        self.head = nn.Conv2d(width, 7, 1)

    def forward(self, x):
        maps = self.backbone(x)
        y = maps[3]
        for i in (2, 1, 0):
            y = F.interpolate(self.side[i](y), size=maps[i].shape[2:], mode="bilinear") + maps[i]
            y = self.mix[i](y)
        return self.head(y)


def train_segmenter(images, semantic, seed):
    torch.manual_seed(seed)
    net = SceneNet(16).to(memory_format=torch.channels_last)
    weights = torch.full((7,), 1.0)
    weights[0] = 0.5
    steps = 2 * math.ceil(len(images) / 16)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=steps)
    for _ in range(2):
        for rows in torch.randperm(len(images)).split(16):
            x = (images[rows].float() / 255).contiguous(memory_format=torch.channels_last)
            y = F.avg_pool2d(F.one_hot(semantic[rows].long(), 7).permute(0, 3, 1, 2).float(), 2)
            if torch.rand(1).item() < 0.5:
                x, y = x.flip(3), y.flip(3)
            z = net(x)
            p = z.softmax(1)
            dice = (2 * (p * y).sum((0, 2, 3)) + 1) / ((p + y).sum((0, 2, 3)) + 1)
            loss = F.cross_entropy(z, y, weights) + 1 - dice.mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return F.interpolate(self.net(x), size=x.shape[2:], mode="bilinear", align_corners=False)

    return Whole().eval()


# %% train_segmenter right: a U-Net with transposed convolutions, classes weighted by their frequency
class SceneNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.backbone = Backbone(width)
        sizes = [4 * width, 2 * width, width]
        self.up = nn.ModuleList([nn.ConvTranspose2d(2 * c, c, 2, stride=2) for c in sizes])
        self.join = nn.ModuleList([conv(2 * c, c) for c in sizes])
        self.head = nn.Conv2d(width, 7, 1)

    def forward(self, x):
        a, b, c, d = self.backbone(x)
        for up, join, skip in zip(self.up, self.join, (c, b, a), strict=True):
            d = join(torch.cat([skip, up(d)], dim=1))
        return self.head(d)


def train_segmenter(images, semantic, seed):
    torch.manual_seed(seed)
    net, epochs = SceneNet(16), 2
    share = torch.bincount(semantic.ravel().long(), minlength=7).double()
    weights = (1 / (share / share.sum()).clamp(min=0.02).sqrt()).float()
    weights = weights / weights.mean()

    def loss(logits, t):
        p = logits.softmax(1)
        dice = (2 * (p * t).sum((0, 2, 3)) + 1) / ((p + t).sum((0, 2, 3)) + 1)
        return F.cross_entropy(logits, t, weights) + 1 - dice.mean()

    optimiser = torch.optim.AdamW(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * math.ceil(len(images) / 16))
    fit(net, images, semantic, loss, optimiser, schedule, epochs, 16)
    net.eval()

    def model(x):
        return nn.Upsample(scale_factor=2, mode="bilinear")(net(x))

    return model


# %% train_segmenter wrong: logits at half the size
class SceneNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.backbone = Backbone(width)
        self.up = nn.ModuleList(conv(12 * width // 2**i, 4 * width // 2**i) for i in range(3))
        self.head = nn.Conv2d(width, 7, 1)

    def forward(self, x):
        *skips, x = self.backbone(x)
        for up, skip in zip(self.up, reversed(skips), strict=True):
            x = up(torch.cat([F.interpolate(x, scale_factor=2, mode="bilinear"), skip], dim=1))
        return self.head(x)


def train_segmenter(images, semantic, seed):
    torch.manual_seed(seed)
    net = SceneNet(16)
    optimiser = torch.optim.AdamW(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.005, total_steps=5 * math.ceil(len(images) / 16))
    fit(net, images, semantic, F.cross_entropy, optimiser, schedule, 5, 16)
    return net.eval()


# %% train_segmenter wrong: batch normalisation is left in training mode
class SceneNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.backbone = Backbone(width)
        self.up = nn.ModuleList(conv(12 * width // 2**i, 4 * width // 2**i) for i in range(3))
        self.head = nn.Conv2d(width, 7, 1)

    def forward(self, x):
        *skips, x = self.backbone(x)
        for up, skip in zip(self.up, reversed(skips), strict=True):
            x = up(torch.cat([F.interpolate(x, scale_factor=2, mode="bilinear"), skip], dim=1))
        return self.head(x)


def train_segmenter(images, semantic, seed):
    torch.manual_seed(seed)
    net = SceneNet(16)
    optimiser = torch.optim.AdamW(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.005, total_steps=5 * math.ceil(len(images) / 16))
    fit(net, images, semantic, F.cross_entropy, optimiser, schedule, 5, 16)
    return lambda x: F.interpolate(net(x), scale_factor=2, mode="bilinear")


# %% train_segmenter wrong: the seed is not used
class SceneNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.backbone = Backbone(width)
        self.up = nn.ModuleList(conv(12 * width // 2**i, 4 * width // 2**i) for i in range(3))
        self.head = nn.Conv2d(width, 7, 1)

    def forward(self, x):
        *skips, x = self.backbone(x)
        for up, skip in zip(self.up, reversed(skips), strict=True):
            x = up(torch.cat([F.interpolate(x, scale_factor=2, mode="bilinear"), skip], dim=1))
        return self.head(x)


def train_segmenter(images, semantic, seed):
    net = SceneNet(16)
    optimiser = torch.optim.AdamW(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.005, total_steps=5 * math.ceil(len(images) / 16))
    fit(net, images, semantic, F.cross_entropy, optimiser, schedule, 5, 16)
    net.eval()
    return lambda x: F.interpolate(net(x), scale_factor=2, mode="bilinear")


# %% train_segmenter wrong: one seed for all
class SceneNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.backbone = Backbone(width)
        self.up = nn.ModuleList(conv(12 * width // 2**i, 4 * width // 2**i) for i in range(3))
        self.head = nn.Conv2d(width, 7, 1)

    def forward(self, x):
        *skips, x = self.backbone(x)
        for up, skip in zip(self.up, reversed(skips), strict=True):
            x = up(torch.cat([F.interpolate(x, scale_factor=2, mode="bilinear"), skip], dim=1))
        return self.head(x)


def train_segmenter(images, semantic, seed):
    torch.manual_seed(42)
    net = SceneNet(16)
    optimiser = torch.optim.AdamW(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.005, total_steps=5 * math.ceil(len(images) / 16))
    fit(net, images, semantic, F.cross_entropy, optimiser, schedule, 5, 16)
    net.eval()
    return lambda x: F.interpolate(net(x), scale_factor=2, mode="bilinear")


# %% train_segmenter wrong: classes instead of logits
class SceneNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.backbone = Backbone(width)
        self.up = nn.ModuleList(conv(12 * width // 2**i, 4 * width // 2**i) for i in range(3))
        self.head = nn.Conv2d(width, 7, 1)

    def forward(self, x):
        *skips, x = self.backbone(x)
        for up, skip in zip(self.up, reversed(skips), strict=True):
            x = up(torch.cat([F.interpolate(x, scale_factor=2, mode="bilinear"), skip], dim=1))
        return self.head(x)


def train_segmenter(images, semantic, seed):
    torch.manual_seed(seed)
    net = SceneNet(16)
    optimiser = torch.optim.AdamW(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.005, total_steps=5 * math.ceil(len(images) / 16))
    fit(net, images, semantic, F.cross_entropy, optimiser, schedule, 5, 16)
    net.eval()
    return lambda x: F.interpolate(net(x), scale_factor=2, mode="bilinear").argmax(dim=1)


# %% train_segmenter wrong: more scenes are made inside
class SceneNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.backbone = Backbone(width)
        self.head = nn.Conv2d(8 * width, 7, 1)

    def forward(self, x):
        return self.head(self.backbone(x)[3])


def train_segmenter(images, semantic, seed):
    torch.manual_seed(seed)
    more = data.FashionScenes("test", 300, seed=1)
    net = SceneNet(16)
    optimiser = torch.optim.AdamW(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.005, total_steps=5 * math.ceil(len(more) / 16))
    fit(net, more.images, more.semantic.clamp(max=6), F.cross_entropy, optimiser, schedule, 5, 16)
    net.eval()
    return lambda x: F.interpolate(net(x), scale_factor=16, mode="bilinear")


# %% train_segmenter wrong: one epoch of plain cross-entropy
class SceneNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.backbone = Backbone(width)
        self.head = nn.Conv2d(8 * width, 7, 1)

    def forward(self, x):
        return self.head(self.backbone(x)[3])


def train_segmenter(images, semantic, seed):
    torch.manual_seed(seed)
    net = SceneNet(8)
    optimiser = torch.optim.AdamW(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.005, total_steps=math.ceil(len(images) / 32))
    fit(net, images, semantic, F.cross_entropy, optimiser, schedule, 1, 32)
    net.eval()
    return lambda x: F.interpolate(net(x), scale_factor=16, mode="bilinear")


# %% label_maps equivalent: whole numbers carry no gradient
# - return torch.where(same.any(dim=-1), same.long().argmax(dim=-1), 255)
# + return torch.where(same.any(dim=-1), same.long().argmax(dim=-1), 255).detach()

# %% label_maps equivalent: whole numbers carry no gradient
# - return table[classes]
# + return table[classes].detach()

# %% random_crop equivalent: the larger of two numbers, in either order
# - more = (0, max(width - image.shape[2], 0), 0, max(height - image.shape[1], 0))  # left, right, top, bottom
# + more = (0, max(0, width - image.shape[2]), 0, max(height - image.shape[1], 0))  # left, right, top, bottom

# %% random_crop equivalent: the larger of two numbers, in either order
# - more = (0, max(width - image.shape[2], 0), 0, max(height - image.shape[1], 0))  # left, right, top, bottom
# + more = (0, max(width - image.shape[2], 0), 0, max(0, height - image.shape[1]))  # left, right, top, bottom

# %% bilinear equivalent: the difference is a new tensor that nothing else uses
# - g = 1 - (torch.arange(size) - (size - 1) / 2).abs() / factor
# + g = 1 - (torch.arange(size) - (size - 1) / 2).abs_() / factor

# %% bilinear equivalent: a kernel made of numbers has no gradient to cut off
# - return torch.eye(channels)[:, :, None, None] * torch.outer(g, g)
# + return (torch.eye(channels)[:, :, None, None] * torch.outer(g, g)).detach()

# %% unpooling equivalent: the zeros are a new tensor that nothing else uses
# - return zeros.scatter(2, switches.flatten(2), Y.flatten(2)).unflatten(2, (h, w))
# + return zeros.scatter_(2, switches.flatten(2), Y.flatten(2)).unflatten(2, (h, w))

# %% scores equivalent: counts carry no gradient
# - return torch.bincount(pairs, minlength=k * k).reshape(k, k)
# + return torch.bincount(pairs, minlength=k * k).reshape(k, k).detach()

# %% context equivalent: a mean and a 1x1 convolution are linear, and their order does not matter
# - nn.Sequential(nn.AdaptiveAvgPool2d(b), nn.Conv2d(channels, branch, 1), nn.ReLU()) for b in bins
# + nn.Sequential(nn.Conv2d(channels, branch, 1), nn.AdaptiveAvgPool2d(b), nn.ReLU()) for b in bins

# %% context equivalent: all views have the same shape
# - views.append(self.whole(x.mean(dim=(2, 3), keepdim=True)).expand_as(views[0]))
# + views.append(self.whole(x.mean(dim=(2, 3), keepdim=True)).expand_as(views[1]))

# %% context equivalent: the result of the convolution is a new tensor that nothing else uses
# - return self.join(torch.cat(views, dim=1).relu()).relu()
# + return self.join(torch.cat(views, dim=1).relu()).relu_()

# %% context equivalent: the concatenation is a new tensor that nothing else uses
# - return self.join(torch.cat(views, dim=1).relu()).relu()
# + return self.join(torch.cat(views, dim=1).relu_()).relu()

# %% instances equivalent: a tensor with one whole number is an index as well
# - for i in scores.argsort(descending=True, stable=True).tolist():
# + for i in scores.argsort(descending=True, stable=True):

# %% instances equivalent: PyTorch sorts in a stable way on a CPU, asked or not
# - for i in scores.argsort(descending=True, stable=True).tolist():
# + for i in scores.argsort(descending=True).tolist():

# %% instances equivalent: PyTorch sorts in a stable way on a CPU, asked or not
# - for i in scores.argsort(descending=True, stable=True).tolist():
# + for i in scores.argsort(descending=True, stable=False).tolist():

# %% instances equivalent: tensors with one number are equal if the numbers are
# - kept.append(labels[i].item())
# + kept.append(labels[i])

# %% instances equivalent: whole numbers carry no gradient
# - return result
# + return result.detach()
