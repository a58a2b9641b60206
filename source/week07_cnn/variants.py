"""Other answers to the exercises of week 7: the right ones must earn all points, the wrong ones must not.

Each cell replaces the answer cell of one exercise. The header says which, and what is different or mistaken.
"""

# %%
import copy
import math

import torch
from torch import nn
from torch.nn import functional as F

from dlcourse import data


def run_epoch(net, X, y, optimiser, schedule, batch_size=64):
    """Stand for the given function, for the linter."""


class Views(nn.Module):
    """Stand for the given class, for the linter."""


# %% sizes right: counting the positions
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    span = dilation * (kernel - 1) + 1
    positions = len(range(0, size + 2 * padding - span + 1, stride))
    if positions == 0:
        raise ValueError("the kernel does not fit")
    return positions


def same_padding(kernel, dilation=1):
    for padding in range(dilation * kernel):
        if output_size(100 * dilation * kernel, kernel, 1, padding, dilation) == 100 * dilation * kernel:
            return padding
    raise ValueError("no padding keeps the size")


# %% sizes right: math.floor, and asking PyTorch for the padding
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    span = dilation * (kernel - 1) + 1
    if span > size + 2 * padding:
        raise ValueError("too long")
    return math.floor((size + 2 * padding - span) / stride + 1)


def same_padding(kernel, dilation=1):
    padding, rest = divmod(dilation * (kernel - 1), 2)
    if rest:
        raise ValueError("even span")
    return padding


# %% sizes wrong: rounds up
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} does not fit into {size} pixels")
    return math.ceil(room / stride) + 1


def same_padding(kernel, dilation=1):
    if dilation * (kernel - 1) % 2:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} spans an even number of pixels")
    return dilation * (kernel - 1) // 2


# %% sizes wrong: a float
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} does not fit into {size} pixels")
    return room / stride + 1


def same_padding(kernel, dilation=1):
    if dilation * (kernel - 1) % 2:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} spans an even number of pixels")
    return dilation * (kernel - 1) // 2


# %% sizes wrong: padding at one end only
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    room = size + padding - dilation * (kernel - 1) - 1
    if room < 0:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} does not fit into {size} pixels")
    return room // stride + 1


def same_padding(kernel, dilation=1):
    if dilation * (kernel - 1) % 2:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} spans an even number of pixels")
    return dilation * (kernel - 1) // 2


# %% sizes wrong: dilation times the whole kernel
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * kernel
    if room < 0:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} does not fit into {size} pixels")
    return room // stride + 1


def same_padding(kernel, dilation=1):
    if dilation * (kernel - 1) % 2:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} spans an even number of pixels")
    return dilation * (kernel - 1) // 2


# %% sizes wrong: forgets the last position
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} does not fit into {size} pixels")
    return room // stride


def same_padding(kernel, dilation=1):
    if dilation * (kernel - 1) % 2:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} spans an even number of pixels")
    return dilation * (kernel - 1) // 2


# %% sizes wrong: a kernel that does not fit gives 0
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0:
        return 0
    return room // stride + 1


def same_padding(kernel, dilation=1):
    if dilation * (kernel - 1) % 2:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} spans an even number of pixels")
    return dilation * (kernel - 1) // 2


# %% sizes wrong: same padding ignores dilation
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} does not fit into {size} pixels")
    return room // stride + 1


def same_padding(kernel, dilation=1):
    if dilation * (kernel - 1) % 2:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} spans an even number of pixels")
    return (kernel - 1) // 2


# %% sizes wrong: looks at the kernel only, not at its span
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} does not fit into {size} pixels")
    return room // stride + 1


def same_padding(kernel, dilation=1):
    if kernel % 2 == 0:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} spans an even number of pixels")
    return dilation * (kernel - 1) // 2


# %% by_hand right: one output after the other
def corr2d(X, K):
    h, w = X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1
    rows = []
    for i in range(h):
        rows.append(torch.stack([(X[i : i + K.shape[0], j : j + K.shape[1]] * K).sum() for j in range(w)]))
    return torch.stack(rows)


def conv_matrix(K, h, w):
    a, b = K.shape
    M = torch.zeros((h - a + 1) * (w - b + 1), h * w, dtype=K.dtype)
    for i in range(h - a + 1):
        for j in range(w - b + 1):
            for u in range(a):
                for v in range(b):
                    M[i * (w - b + 1) + j, (i + u) * w + j + v] = K[u, v]
    return M


# %% by_hand right: unfold and einsum, padding for the matrix
def corr2d(X, K):
    a, b = K.shape
    return torch.einsum("ijuv,uv->ij", X.unfold(0, a, 1).unfold(1, b, 1), K)


def conv_matrix(K, h, w):
    a, b = K.shape
    places = [(i, j) for i in range(h - a + 1) for j in range(w - b + 1)]
    return torch.stack([F.pad(K, (j, w - b - j, i, h - a - i)).flatten() for i, j in places])


# %% by_hand right: the matrix from the response to single pixels, in-place sums
def corr2d(X, K):
    Y = torch.zeros(X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1, dtype=X.dtype)
    for u in range(K.shape[0]):
        for v in range(K.shape[1]):
            Y = Y + K[u, v] * X[u : u + Y.shape[0], v : v + Y.shape[1]]
    return Y


def conv_matrix(K, h, w):
    pixels = torch.eye(h * w, dtype=K.dtype).reshape(-1, h, w)
    return torch.stack([corr2d(pixel, K).flatten() for pixel in pixels], dim=1)


# %% by_hand wrong: a convolution: the kernel is turned around
def corr2d(X, K):
    (h, w), (a, b) = X.shape, K.shape
    return sum(K[a - 1 - u, b - 1 - v] * X[u : u + h - a + 1, v : v + w - b + 1] for u in range(a) for v in range(b))


def conv_matrix(K, h, w):
    a, b = K.shape
    rows = []
    for i in range(h - a + 1):
        for j in range(w - b + 1):
            image = K.new_zeros(h, w)
            image[i : i + a, j : j + b] = K
            rows.append(image.flatten())
    return torch.stack(rows)


# %% by_hand wrong: one position too few
def corr2d(X, K):
    (h, w), (a, b) = X.shape, K.shape
    return sum(K[u, v] * X[u : u + h - a, v : v + w - b] for u in range(a) for v in range(b))


def conv_matrix(K, h, w):
    a, b = K.shape
    rows = []
    for i in range(h - a + 1):
        for j in range(w - b + 1):
            image = K.new_zeros(h, w)
            image[i : i + a, j : j + b] = K
            rows.append(image.flatten())
    return torch.stack(rows)


# %% by_hand wrong: offsets swapped
def corr2d(X, K):
    (h, w), (a, b) = X.shape, K.shape
    return sum(K[u, v] * X[v : v + h - a + 1, u : u + w - b + 1] for u in range(a) for v in range(b))


def conv_matrix(K, h, w):
    a, b = K.shape
    rows = []
    for i in range(h - a + 1):
        for j in range(w - b + 1):
            image = K.new_zeros(h, w)
            image[i : i + a, j : j + b] = K
            rows.append(image.flatten())
    return torch.stack(rows)


# %% by_hand wrong: the numbers are taken out of the tensors: no gradient
def corr2d(X, K):
    (h, w), (a, b) = X.shape, K.shape
    return sum(K[u, v].item() * X[u : u + h - a + 1, v : v + w - b + 1] for u in range(a) for v in range(b))


def conv_matrix(K, h, w):
    a, b = K.shape
    rows = []
    for i in range(h - a + 1):
        for j in range(w - b + 1):
            image = K.new_zeros(h, w)
            image[i : i + a, j : j + b] = K
            rows.append(image.flatten())
    return torch.stack(rows)


# %% by_hand wrong: the matrix is transposed
def corr2d(X, K):
    (h, w), (a, b) = X.shape, K.shape
    return sum(K[u, v] * X[u : u + h - a + 1, v : v + w - b + 1] for u in range(a) for v in range(b))


def conv_matrix(K, h, w):
    a, b = K.shape
    rows = []
    for i in range(h - a + 1):
        for j in range(w - b + 1):
            image = K.new_zeros(h, w)
            image[i : i + a, j : j + b] = K
            rows.append(image.flatten())
    return torch.stack(rows, dim=1)


# %% by_hand wrong: the matrix has no gradient
def corr2d(X, K):
    (h, w), (a, b) = X.shape, K.shape
    return sum(K[u, v] * X[u : u + h - a + 1, v : v + w - b + 1] for u in range(a) for v in range(b))


def conv_matrix(K, h, w):
    a, b = K.shape
    rows = []
    for i in range(h - a + 1):
        for j in range(w - b + 1):
            image = K.new_zeros(h, w)
            image[i : i + a, j : j + b] = K.detach()
            rows.append(image.flatten())
    return torch.stack(rows)


# %% by_hand wrong: the matrix is float32 always
def corr2d(X, K):
    (h, w), (a, b) = X.shape, K.shape
    return sum(K[u, v] * X[u : u + h - a + 1, v : v + w - b + 1] for u in range(a) for v in range(b))


def conv_matrix(K, h, w):
    a, b = K.shape
    rows = []
    for i in range(h - a + 1):
        for j in range(w - b + 1):
            image = torch.zeros(h, w)
            image[i : i + a, j : j + b] = K
            rows.append(image.flatten())
    return torch.stack(rows)


# %% by_hand wrong: calls PyTorch's convolution
def corr2d(X, K):
    return F.conv2d(X[None, None], K[None, None])[0, 0]


def conv_matrix(K, h, w):
    a, b = K.shape
    rows = []
    for i in range(h - a + 1):
        for j in range(w - b + 1):
            image = K.new_zeros(h, w)
            image[i : i + a, j : j + b] = K
            rows.append(image.flatten())
    return torch.stack(rows)


# %% by_hand wrong: rows and columns of the image mixed up
def corr2d(X, K):
    (h, w), (a, b) = X.shape, K.shape
    return sum(K[u, v] * X[u : u + h - a + 1, v : v + w - b + 1] for u in range(a) for v in range(b))


def conv_matrix(K, h, w):
    a, b = K.shape
    rows = []
    for i in range(h - a + 1):
        for j in range(w - b + 1):
            image = K.new_zeros(w, h)
            image[j : j + b, i : i + a] = K.T
            rows.append(image.flatten())
    return torch.stack(rows)


# %% conv2d right: loops over the entries of the kernel, group after group
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    n, c_in, h, w = X.shape
    c_out, c_group, k_h, k_w = W.shape
    if c_in != groups * c_group or c_out % groups != 0:
        raise ValueError("the channels do not fit")
    padded = torch.zeros(n, c_in, h + 2 * padding[0], w + 2 * padding[1], dtype=X.dtype)
    padded[:, :, padding[0] : padding[0] + h, padding[1] : padding[1] + w] = X
    h_out = (padded.shape[2] - dilation[0] * (k_h - 1) - 1) // stride[0] + 1
    w_out = (padded.shape[3] - dilation[1] * (k_w - 1) - 1) // stride[1] + 1
    blocks = []
    for images, kernels in zip(padded.chunk(groups, dim=1), W.chunk(groups, dim=0), strict=True):
        block = 0
        for u in range(k_h):
            for v in range(k_w):
                top, left = u * dilation[0], v * dilation[1]
                part = images[:, :, top : top + (h_out - 1) * stride[0] + 1 : stride[0]]
                part = part[..., left : left + (w_out - 1) * stride[1] + 1 : stride[1]]
                block = block + torch.einsum("nchw,dc->ndhw", part, kernels[:, :, u, v])
        blocks.append(block)
    Y = torch.cat(blocks, dim=1)
    return Y if b is None else Y + b.reshape(1, -1, 1, 1)


# %% conv2d right: F.unfold and one matrix product
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    if X.shape[1] != groups * W.shape[1]:
        raise ValueError("input channels")
    if W.shape[0] % groups:
        raise ValueError("output channels")
    size = [(X.shape[2 + k] + 2 * padding[k] - dilation[k] * (W.shape[2 + k] - 1) - 1) // stride[k] + 1 for k in (0, 1)]
    columns = F.unfold(X, tuple(W.shape[2:]), dilation=dilation, padding=padding, stride=stride)
    columns = columns.reshape(len(X), groups, -1, columns.shape[2])
    Y = W.reshape(groups, W.shape[0] // groups, -1) @ columns
    Y = Y.reshape(len(X), W.shape[0], *size)
    if b is not None:
        Y = Y + b[None, :, None, None]
    return Y


# %% conv2d right: one output pixel after the other
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    c_out, c_group, k_h, k_w = W.shape
    if X.shape[1] != groups * c_group or c_out % groups:
        raise ValueError("channels")
    P = F.pad(X, (padding[1],) * 2 + (padding[0],) * 2)
    span_h, span_w = dilation[0] * (k_h - 1) + 1, dilation[1] * (k_w - 1) + 1
    per = c_out // groups
    channels = []
    for o in range(c_out):
        first = o // per * c_group
        rows = []
        for top in range(0, P.shape[2] - span_h + 1, stride[0]):
            row = []
            for left in range(0, P.shape[3] - span_w + 1, stride[1]):
                window = P[:, first : first + c_group, top : top + span_h : dilation[0]]
                row.append((window[..., left : left + span_w : dilation[1]] * W[o]).sum(dim=(1, 2, 3)))
            rows.append(torch.stack(row, dim=1))
        channels.append(torch.stack(rows, dim=1) + (0 if b is None else b[o]))
    return torch.stack(channels, dim=1)


# %% conv2d wrong: padding pair the wrong way round
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    c_out, c_group, k_h, k_w = W.shape
    if X.shape[1] != groups * c_group or c_out % groups:
        raise ValueError("the channels do not fit the kernels and groups")
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = stride, padding, dilation
    padded = F.pad(X, (p_h, p_h, p_w, p_w))
    windows = padded.unfold(2, d_h * (k_h - 1) + 1, s_h).unfold(3, d_w * (k_w - 1) + 1, s_w)
    windows = windows[..., ::d_h, ::d_w].unflatten(1, (groups, c_group))
    Y = torch.einsum("ngchwuv,gdcuv->ngdhw", windows, W.unflatten(0, (groups, c_out // groups))).flatten(1, 2)
    return Y if b is None else Y + b[:, None, None]


# %% conv2d wrong: padding at one end only
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    c_out, c_group, k_h, k_w = W.shape
    if X.shape[1] != groups * c_group or c_out % groups:
        raise ValueError("the channels do not fit the kernels and groups")
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = stride, padding, dilation
    padded = F.pad(X, (0, 2 * p_w, 0, 2 * p_h))
    windows = padded.unfold(2, d_h * (k_h - 1) + 1, s_h).unfold(3, d_w * (k_w - 1) + 1, s_w)
    windows = windows[..., ::d_h, ::d_w].unflatten(1, (groups, c_group))
    Y = torch.einsum("ngchwuv,gdcuv->ngdhw", windows, W.unflatten(0, (groups, c_out // groups))).flatten(1, 2)
    return Y if b is None else Y + b[:, None, None]


# %% conv2d wrong: strides swapped
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    c_out, c_group, k_h, k_w = W.shape
    if X.shape[1] != groups * c_group or c_out % groups:
        raise ValueError("the channels do not fit the kernels and groups")
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = stride, padding, dilation
    padded = F.pad(X, (p_w, p_w, p_h, p_h))
    windows = padded.unfold(2, d_h * (k_h - 1) + 1, s_w).unfold(3, d_w * (k_w - 1) + 1, s_h)
    windows = windows[..., ::d_h, ::d_w].unflatten(1, (groups, c_group))
    Y = torch.einsum("ngchwuv,gdcuv->ngdhw", windows, W.unflatten(0, (groups, c_out // groups))).flatten(1, 2)
    return Y if b is None else Y + b[:, None, None]


# %% conv2d wrong: dilation is ignored
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    c_out, c_group, k_h, k_w = W.shape
    if X.shape[1] != groups * c_group or c_out % groups:
        raise ValueError("the channels do not fit the kernels and groups")
    (s_h, s_w), (p_h, p_w) = stride, padding
    padded = F.pad(X, (p_w, p_w, p_h, p_h))
    windows = padded.unfold(2, k_h, s_h).unfold(3, k_w, s_w)
    windows = windows.unflatten(1, (groups, c_group))
    Y = torch.einsum("ngchwuv,gdcuv->ngdhw", windows, W.unflatten(0, (groups, c_out // groups))).flatten(1, 2)
    return Y if b is None else Y + b[:, None, None]


# %% conv2d wrong: channels of a group are taken in turn, not as a block
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    c_out, c_group, k_h, k_w = W.shape
    if X.shape[1] != groups * c_group or c_out % groups:
        raise ValueError("the channels do not fit the kernels and groups")
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = stride, padding, dilation
    padded = F.pad(X, (p_w, p_w, p_h, p_h))
    windows = padded.unfold(2, d_h * (k_h - 1) + 1, s_h).unfold(3, d_w * (k_w - 1) + 1, s_w)
    windows = windows[..., ::d_h, ::d_w].unflatten(1, (c_group, groups)).transpose(1, 2)
    Y = torch.einsum("ngchwuv,gdcuv->ngdhw", windows, W.unflatten(0, (groups, c_out // groups))).flatten(1, 2)
    return Y if b is None else Y + b[:, None, None]


# %% conv2d wrong: output channels of a group are taken in turn
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    c_out, c_group, k_h, k_w = W.shape
    if X.shape[1] != groups * c_group or c_out % groups:
        raise ValueError("the channels do not fit the kernels and groups")
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = stride, padding, dilation
    padded = F.pad(X, (p_w, p_w, p_h, p_h))
    windows = padded.unfold(2, d_h * (k_h - 1) + 1, s_h).unfold(3, d_w * (k_w - 1) + 1, s_w)
    windows = windows[..., ::d_h, ::d_w].unflatten(1, (groups, c_group))
    Y = torch.einsum(
        "ngchwuv,gdcuv->ngdhw", windows, W.unflatten(0, (c_out // groups, groups)).transpose(0, 1)
    ).flatten(1, 2)
    return Y if b is None else Y + b[:, None, None]


# %% conv2d wrong: the bias is forgotten
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    c_out, c_group, k_h, k_w = W.shape
    if X.shape[1] != groups * c_group or c_out % groups:
        raise ValueError("the channels do not fit the kernels and groups")
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = stride, padding, dilation
    padded = F.pad(X, (p_w, p_w, p_h, p_h))
    windows = padded.unfold(2, d_h * (k_h - 1) + 1, s_h).unfold(3, d_w * (k_w - 1) + 1, s_w)
    windows = windows[..., ::d_h, ::d_w].unflatten(1, (groups, c_group))
    Y = torch.einsum("ngchwuv,gdcuv->ngdhw", windows, W.unflatten(0, (groups, c_out // groups))).flatten(1, 2)
    return Y


# %% conv2d wrong: the bias is added along the columns
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    c_out, c_group, k_h, k_w = W.shape
    if X.shape[1] != groups * c_group or c_out % groups:
        raise ValueError("the channels do not fit the kernels and groups")
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = stride, padding, dilation
    padded = F.pad(X, (p_w, p_w, p_h, p_h))
    windows = padded.unfold(2, d_h * (k_h - 1) + 1, s_h).unfold(3, d_w * (k_w - 1) + 1, s_w)
    windows = windows[..., ::d_h, ::d_w].unflatten(1, (groups, c_group))
    Y = torch.einsum("ngchwuv,gdcuv->ngdhw", windows, W.unflatten(0, (groups, c_out // groups))).flatten(1, 2)
    return Y if b is None else Y + b.mean()


# %% conv2d wrong: channels that do not fit are not refused
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    c_out, c_group, k_h, k_w = W.shape
    if False:
        raise ValueError("the channels do not fit the kernels and groups")
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = stride, padding, dilation
    padded = F.pad(X, (p_w, p_w, p_h, p_h))
    windows = padded.unfold(2, d_h * (k_h - 1) + 1, s_h).unfold(3, d_w * (k_w - 1) + 1, s_w)
    windows = windows[..., ::d_h, ::d_w].unflatten(1, (groups, c_group))
    Y = torch.einsum("ngchwuv,gdcuv->ngdhw", windows, W.unflatten(0, (groups, c_out // groups))).flatten(1, 2)
    return Y if b is None else Y + b[:, None, None]


# %% conv2d wrong: output channels are not checked
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    c_out, c_group, k_h, k_w = W.shape
    if X.shape[1] != groups * c_group:
        raise ValueError("the channels do not fit the kernels and groups")
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = stride, padding, dilation
    padded = F.pad(X, (p_w, p_w, p_h, p_h))
    windows = padded.unfold(2, d_h * (k_h - 1) + 1, s_h).unfold(3, d_w * (k_w - 1) + 1, s_w)
    windows = windows[..., ::d_h, ::d_w].unflatten(1, (groups, c_group))
    Y = torch.einsum("ngchwuv,gdcuv->ngdhw", windows, W.unflatten(0, (groups, c_out // groups))).flatten(1, 2)
    return Y if b is None else Y + b[:, None, None]


# %% conv2d wrong: the mean over the channels instead of the sum
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    c_out, c_group, k_h, k_w = W.shape
    if X.shape[1] != groups * c_group or c_out % groups:
        raise ValueError("the channels do not fit the kernels and groups")
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = stride, padding, dilation
    padded = F.pad(X, (p_w, p_w, p_h, p_h))
    windows = padded.unfold(2, d_h * (k_h - 1) + 1, s_h).unfold(3, d_w * (k_w - 1) + 1, s_w)
    windows = windows[..., ::d_h, ::d_w].unflatten(1, (groups, c_group))
    Y = torch.einsum("ngchwuv,gdcuv->ngdhw", windows, W.unflatten(0, (groups, c_out // groups))).flatten(1, 2) / c_group
    return Y if b is None else Y + b[:, None, None]


# %% conv2d wrong: calls PyTorch's convolution
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    if X.shape[1] != groups * W.shape[1] or W.shape[0] % groups:
        raise ValueError("channels")
    return F.conv2d(X, W, b, stride, padding, dilation, groups)


# %% conv2d wrong: a new tensor cuts the gradients off
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    if X.shape[1] != groups * W.shape[1] or W.shape[0] % groups:
        raise ValueError("channels")
    columns = F.unfold(X.detach(), tuple(W.shape[2:]), dilation=dilation, padding=padding, stride=stride)
    Y = W.reshape(groups, W.shape[0] // groups, -1) @ columns.reshape(len(X), groups, -1, columns.shape[2])
    h = (X.shape[2] + 2 * padding[0] - dilation[0] * (W.shape[2] - 1) - 1) // stride[0] + 1
    Y = Y.reshape(len(X), W.shape[0], h, -1)
    return Y if b is None else Y + b[:, None, None]


# %% learn_kernel right: backward, and a step under no_grad
def learn_kernel(X, Y, shape, lr, steps):
    K = torch.zeros(shape, dtype=X.dtype, requires_grad=True)
    losses = []
    for _ in range(steps):
        K.grad = None
        loss = ((F.conv2d(X, K[None, None]) - Y) ** 2).mean()
        loss.backward()
        losses.append(loss.detach().item())
        with torch.no_grad():
            K -= lr * K.grad
    return K.detach(), losses


# %% learn_kernel right: a layer and torch.optim.SGD
def learn_kernel(X, Y, shape, lr, steps):
    layer = nn.Conv2d(1, 1, shape, bias=False, dtype=X.dtype)
    nn.init.zeros_(layer.weight)
    optimiser = torch.optim.SGD(layer.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = nn.MSELoss()(layer(X), Y)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return layer.weight.detach()[0, 0].clone(), losses


# %% learn_kernel right: the gradient by hand
def learn_kernel(X, Y, shape, lr, steps):
    a, b = shape
    windows = X[:, 0].unfold(1, a, 1).unfold(2, b, 1)
    K, losses = torch.zeros(a, b, dtype=X.dtype), []
    for _ in range(steps):
        error = torch.einsum("nijuv,uv->nij", windows, K) - Y[:, 0]
        losses.append(error.square().mean().item())
        K = K - lr * 2 / error.numel() * torch.einsum("nijuv,nij->uv", windows, error)
    return [K, losses]


# %% learn_kernel wrong: the sum of the squares
def learn_kernel(X, Y, shape, lr, steps):
    K = torch.zeros(1, 1, *shape, dtype=X.dtype)
    losses = []
    for _ in range(steps):
        K.requires_grad_()
        loss = F.mse_loss(F.conv2d(X, K), Y, reduction="sum")
        (grad,) = torch.autograd.grad(loss, K)
        K = K.detach() - lr * grad
        losses.append(loss.item())
    return K[0, 0], losses


# %% learn_kernel wrong: a random start
def learn_kernel(X, Y, shape, lr, steps):
    K = torch.randn(1, 1, *shape, dtype=X.dtype)
    losses = []
    for _ in range(steps):
        K.requires_grad_()
        loss = F.mse_loss(F.conv2d(X, K), Y)
        (grad,) = torch.autograd.grad(loss, K)
        K = K.detach() - lr * grad
        losses.append(loss.item())
    return K[0, 0], losses


# %% learn_kernel wrong: float32 always
def learn_kernel(X, Y, shape, lr, steps):
    K = torch.zeros(1, 1, *shape)
    losses = []
    for _ in range(steps):
        K.requires_grad_()
        loss = F.mse_loss(F.conv2d(X.float(), K), Y.float())
        (grad,) = torch.autograd.grad(loss, K)
        K = K.detach() - lr * grad
        losses.append(loss.item())
    return K[0, 0], losses


# %% learn_kernel wrong: the kernel carries a gradient
def learn_kernel(X, Y, shape, lr, steps):
    K = torch.zeros(1, 1, *shape, dtype=X.dtype)
    losses = []
    for _ in range(steps):
        K.requires_grad_()
        loss = F.mse_loss(F.conv2d(X, K), Y)
        (grad,) = torch.autograd.grad(loss, K)
        K = K.detach() - lr * grad
        losses.append(loss.item())
    K.requires_grad_()
    return K[0, 0], losses


# %% learn_kernel wrong: climbs instead of descending
def learn_kernel(X, Y, shape, lr, steps):
    K = torch.zeros(1, 1, *shape, dtype=X.dtype)
    losses = []
    for _ in range(steps):
        K.requires_grad_()
        loss = F.mse_loss(F.conv2d(X, K), Y)
        (grad,) = torch.autograd.grad(loss, K)
        K = K.detach() + lr * grad
        losses.append(loss.item())
    return K[0, 0], losses


# %% learn_kernel wrong: losses after each step
def learn_kernel(X, Y, shape, lr, steps):
    K = torch.zeros(1, 1, *shape, dtype=X.dtype)
    losses = []
    for _ in range(steps):
        K.requires_grad_()
        loss = F.mse_loss(F.conv2d(X, K), Y)
        (grad,) = torch.autograd.grad(loss, K)
        K = K.detach() - lr * grad
        losses.append(F.mse_loss(F.conv2d(X, K), Y).item())
    return K[0, 0], losses


# %% learn_kernel wrong: the kernel keeps its axes of length 1
def learn_kernel(X, Y, shape, lr, steps):
    K = torch.zeros(1, 1, *shape, dtype=X.dtype)
    losses = []
    for _ in range(steps):
        K.requires_grad_()
        loss = F.mse_loss(F.conv2d(X, K), Y)
        (grad,) = torch.autograd.grad(loss, K)
        K = K.detach() - lr * grad
        losses.append(loss.item())
    return K, losses


# %% learn_kernel wrong: losses are tensors
def learn_kernel(X, Y, shape, lr, steps):
    K = torch.zeros(1, 1, *shape, dtype=X.dtype)
    losses = []
    for _ in range(steps):
        K.requires_grad_()
        loss = F.mse_loss(F.conv2d(X, K), Y)
        (grad,) = torch.autograd.grad(loss, K)
        K = K.detach() - lr * grad
        losses.append(loss.detach())
    return K[0, 0], losses


# %% learn_kernel wrong: gradients of all steps are added
def learn_kernel(X, Y, shape, lr, steps):
    K = torch.zeros(1, 1, *shape, dtype=X.dtype, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = F.mse_loss(F.conv2d(X, K), Y)
        loss.backward()
        with torch.no_grad():
            K -= lr * K.grad
        losses.append(loss.item())
    return K.detach()[0, 0], losses


# %% learn_kernel wrong: Adam instead of plain gradient descent
def learn_kernel(X, Y, shape, lr, steps):
    K = torch.zeros(1, 1, *shape, dtype=X.dtype, requires_grad=True)
    optimiser, losses = torch.optim.Adam([K], lr=lr), []
    for _ in range(steps):
        loss = F.mse_loss(F.conv2d(X, K), Y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return K.detach()[0, 0], losses


# %% pooling right: loops over the windows
def pool2d(X, size, stride, padding, mode):
    if mode != "max" and mode != "average":
        raise ValueError(mode)
    n, c, h, w = X.shape
    P = torch.full((n, c, h + 2 * padding[0], w + 2 * padding[1]), -torch.inf if mode == "max" else 0.0, dtype=X.dtype)
    P[:, :, padding[0] : padding[0] + h, padding[1] : padding[1] + w] = X
    rows = []
    for i in range(0, P.shape[2] - size[0] + 1, stride[0]):
        row = []
        for j in range(0, P.shape[3] - size[1] + 1, stride[1]):
            window = P[:, :, i : i + size[0], j : j + size[1]].flatten(2)
            row.append(window.max(dim=2).values if mode == "max" else window.sum(dim=2) / (size[0] * size[1]))
        rows.append(torch.stack(row, dim=2))
    return torch.stack(rows, dim=2)


def global_average_pool(X):
    return X.flatten(2).sum(dim=2) / (X.shape[2] * X.shape[3])


# %% pooling right: the average as a depthwise convolution, the maximum over shifted images
def pool2d(X, size, stride, padding, mode):
    if mode == "average":
        c = X.shape[1]
        kernel = torch.full((c, 1, *size), 1 / (size[0] * size[1]), dtype=X.dtype)
        return F.conv2d(X, kernel, None, stride, padding, 1, c)
    if mode != "max":
        raise ValueError("unknown mode")
    P = F.pad(X, (padding[1], padding[1], padding[0], padding[0]), value=float("-inf"))
    h, w = P.shape[2] - size[0] + 1, P.shape[3] - size[1] + 1
    best = None
    for u in range(size[0]):
        for v in range(size[1]):
            part = P[:, :, u : u + h : stride[0], v : v + w : stride[1]]
            best = part if best is None else torch.maximum(best, part)
    return best


def global_average_pool(X):
    return X.mean(dim=-1).mean(dim=-1)


# %% pooling wrong: zero padding wins where pixels are negative
def pool2d(X, size, stride, padding, mode):
    if mode not in ("max", "average"):
        raise ValueError(f"mode must be 'max' or 'average', not {mode!r}")
    fill = 0.0
    padded = F.pad(X, (padding[1], padding[1], padding[0], padding[0]), value=fill)
    windows = padded.unfold(2, size[0], stride[0]).unfold(3, size[1], stride[1])
    return windows.amax(dim=(4, 5)) if mode == "max" else windows.mean(dim=(4, 5))


def global_average_pool(X):
    return X.mean(dim=(2, 3))


# %% pooling wrong: stride is ignored: windows do not overlap
def pool2d(X, size, stride, padding, mode):
    if mode not in ("max", "average"):
        raise ValueError(f"mode must be 'max' or 'average', not {mode!r}")
    fill = -math.inf if mode == "max" else 0.0
    padded = F.pad(X, (padding[1], padding[1], padding[0], padding[0]), value=fill)
    windows = padded.unfold(2, size[0], size[0]).unfold(3, size[1], size[1])
    return windows.amax(dim=(4, 5)) if mode == "max" else windows.mean(dim=(4, 5))


def global_average_pool(X):
    return X.mean(dim=(2, 3))


# %% pooling wrong: the pairs of the padding swapped
def pool2d(X, size, stride, padding, mode):
    if mode not in ("max", "average"):
        raise ValueError(f"mode must be 'max' or 'average', not {mode!r}")
    fill = -math.inf if mode == "max" else 0.0
    padded = F.pad(X, (padding[0], padding[0], padding[1], padding[1]), value=fill)
    windows = padded.unfold(2, size[0], stride[0]).unfold(3, size[1], stride[1])
    return windows.amax(dim=(4, 5)) if mode == "max" else windows.mean(dim=(4, 5))


def global_average_pool(X):
    return X.mean(dim=(2, 3))


# %% pooling wrong: sum instead of average
def pool2d(X, size, stride, padding, mode):
    if mode not in ("max", "average"):
        raise ValueError(f"mode must be 'max' or 'average', not {mode!r}")
    fill = -math.inf if mode == "max" else 0.0
    padded = F.pad(X, (padding[1], padding[1], padding[0], padding[0]), value=fill)
    windows = padded.unfold(2, size[0], stride[0]).unfold(3, size[1], stride[1])
    return windows.amax(dim=(4, 5)) if mode == "max" else windows.sum(dim=(4, 5))


def global_average_pool(X):
    return X.mean(dim=(2, 3))


# %% pooling wrong: another mode is averaged
def pool2d(X, size, stride, padding, mode):
    fill = -math.inf if mode == "max" else 0.0
    padded = F.pad(X, (padding[1], padding[1], padding[0], padding[0]), value=fill)
    windows = padded.unfold(2, size[0], stride[0]).unfold(3, size[1], stride[1])
    return windows.amax(dim=(4, 5)) if mode == "max" else windows.mean(dim=(4, 5))


def global_average_pool(X):
    return X.mean(dim=(2, 3))


# %% pooling wrong: global pooling over the channels too
def pool2d(X, size, stride, padding, mode):
    if mode not in ("max", "average"):
        raise ValueError(f"mode must be 'max' or 'average', not {mode!r}")
    fill = -math.inf if mode == "max" else 0.0
    padded = F.pad(X, (padding[1], padding[1], padding[0], padding[0]), value=fill)
    windows = padded.unfold(2, size[0], stride[0]).unfold(3, size[1], stride[1])
    return windows.amax(dim=(4, 5)) if mode == "max" else windows.mean(dim=(4, 5))


def global_average_pool(X):
    return X.mean(dim=(1, 2, 3))


# %% pooling wrong: global pooling keeps axes of length 1
def pool2d(X, size, stride, padding, mode):
    if mode not in ("max", "average"):
        raise ValueError(f"mode must be 'max' or 'average', not {mode!r}")
    fill = -math.inf if mode == "max" else 0.0
    padded = F.pad(X, (padding[1], padding[1], padding[0], padding[0]), value=fill)
    windows = padded.unfold(2, size[0], stride[0]).unfold(3, size[1], stride[1])
    return windows.amax(dim=(4, 5)) if mode == "max" else windows.mean(dim=(4, 5))


def global_average_pool(X):
    return X.mean(dim=(2, 3), keepdim=True)


# %% pooling wrong: the maximum, not the average, over the whole map
def pool2d(X, size, stride, padding, mode):
    if mode not in ("max", "average"):
        raise ValueError(f"mode must be 'max' or 'average', not {mode!r}")
    fill = -math.inf if mode == "max" else 0.0
    padded = F.pad(X, (padding[1], padding[1], padding[0], padding[0]), value=fill)
    windows = padded.unfold(2, size[0], stride[0]).unfold(3, size[1], stride[1])
    return windows.amax(dim=(4, 5)) if mode == "max" else windows.mean(dim=(4, 5))


def global_average_pool(X):
    return X.amax(dim=(2, 3))


# %% pooling wrong: padding does not count in the average
def pool2d(X, size, stride, padding, mode):
    if mode not in ("max", "average"):
        raise ValueError(mode)
    pads = (padding[1], padding[1], padding[0], padding[0])
    P = F.pad(X, pads, value=-math.inf if mode == "max" else 0.0)
    windows = P.unfold(2, size[0], stride[0]).unfold(3, size[1], stride[1])
    if mode == "max":
        return windows.amax(dim=(4, 5))
    real = F.pad(torch.ones_like(X), pads).unfold(2, size[0], stride[0]).unfold(3, size[1], stride[1])
    return windows.sum(dim=(4, 5)) / real.sum(dim=(4, 5))


def global_average_pool(X):
    return X.mean(dim=(2, 3))


# %% pooling wrong: calls PyTorch's pooling
def pool2d(X, size, stride, padding, mode):
    if mode == "max":
        return F.max_pool2d(X, size, stride, padding)
    if mode == "average":
        return F.avg_pool2d(X, size, stride, padding)
    raise ValueError(mode)


def global_average_pool(X):
    return X.mean(dim=(2, 3))


# %% receptive_field right: from the last layer back, and a mask of pixels
def receptive_field(layers):
    field, jump = 1, 1
    for kernel, stride, _padding, dilation in layers[::-1]:
        field = (field - 1) * stride + dilation * (kernel - 1) + 1
        jump = jump * stride
    return field, jump


def seen_pixels(layers, index):
    if not layers:
        return index, index
    field, jump = receptive_field(layers)
    start, step = 0, 1
    for _kernel, stride, padding, _dilation in layers:
        start -= padding * step
        step *= stride
    return start + index * jump, start + index * jump + field - 1


def measured_field(net, X, row, column):
    copied = X.detach().clone()
    copied.requires_grad = True
    total = net(copied)[..., row, column].sum()
    moved = torch.autograd.grad(total, copied)[0][0].abs().amax(dim=0) > 0
    rows = [i for i in range(moved.shape[0]) if moved[i].any()]
    columns = [j for j in range(moved.shape[1]) if moved[:, j].any()]
    return [rows[0], rows[-1], columns[0], columns[-1]]


# %% receptive_field right: sizes from the seen pixels, and a backward pass through frozen copies
def seen_pixels(layers, index):
    low = high = index
    for kernel, stride, padding, dilation in layers[::-1]:
        low, high = stride * low - padding, stride * high - padding + (kernel - 1) * dilation
    return [low, high]


def receptive_field(layers):
    (a, b), (c, _) = seen_pixels(layers, 0), seen_pixels(layers, 1)
    return [b - a + 1, c - a]


def measured_field(net, X, row, column):
    twin = copy.deepcopy(net)
    image = X.clone().requires_grad_(True)
    twin(image)[0, :, row, column].sum().backward()
    hit = (image.grad[0] != 0).any(dim=0)
    rows, columns = hit.any(dim=1).nonzero().ravel().tolist(), hit.any(dim=0).nonzero().ravel().tolist()
    return min(rows), max(rows), min(columns), max(columns)


# %% receptive_field wrong: the jump grows before the field
def receptive_field(layers):
    field = jump = 1
    for kernel, stride, _, dilation in layers:
        jump *= stride
        field += dilation * (kernel - 1) * jump
    return field, jump


def seen_pixels(layers, index):
    first = last = index
    for kernel, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel - 1)
    return first, last


def measured_field(net, X, row, column):
    leaf = X.clone().requires_grad_()
    (grad,) = torch.autograd.grad(net(leaf)[0, :, row, column].sum(), leaf)
    _, _, rows, columns = grad.nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


# %% receptive_field wrong: dilation is ignored
def receptive_field(layers):
    field = jump = 1
    for kernel, stride, _, _ in layers:
        field += (kernel - 1) * jump
        jump *= stride
    return field, jump


def seen_pixels(layers, index):
    first = last = index
    for kernel, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel - 1)
    return first, last


def measured_field(net, X, row, column):
    leaf = X.clone().requires_grad_()
    (grad,) = torch.autograd.grad(net(leaf)[0, :, row, column].sum(), leaf)
    _, _, rows, columns = grad.nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


# %% receptive_field wrong: adds the kernels
def receptive_field(layers):
    field = jump = 1
    for kernel, stride, _, dilation in layers:
        field += dilation * kernel * jump
        jump *= stride
    return field, jump


def seen_pixels(layers, index):
    first = last = index
    for kernel, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel - 1)
    return first, last


def measured_field(net, X, row, column):
    leaf = X.clone().requires_grad_()
    (grad,) = torch.autograd.grad(net(leaf)[0, :, row, column].sum(), leaf)
    _, _, rows, columns = grad.nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


# %% receptive_field wrong: strides are added, not multiplied
def receptive_field(layers):
    field = jump = 1
    for kernel, stride, _, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump += stride - 1
    return field, jump


def seen_pixels(layers, index):
    first = last = index
    for kernel, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel - 1)
    return first, last


def measured_field(net, X, row, column):
    leaf = X.clone().requires_grad_()
    (grad,) = torch.autograd.grad(net(leaf)[0, :, row, column].sum(), leaf)
    _, _, rows, columns = grad.nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


# %% receptive_field wrong: pixels are followed from the first layer to the last
def receptive_field(layers):
    field = jump = 1
    for kernel, stride, _, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field, jump


def seen_pixels(layers, index):
    first = last = index
    for kernel, stride, padding, dilation in layers:
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel - 1)
    return first, last


def measured_field(net, X, row, column):
    leaf = X.clone().requires_grad_()
    (grad,) = torch.autograd.grad(net(leaf)[0, :, row, column].sum(), leaf)
    _, _, rows, columns = grad.nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


# %% receptive_field wrong: padding is ignored
def receptive_field(layers):
    field = jump = 1
    for kernel, stride, _, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field, jump


def seen_pixels(layers, index):
    first = last = index
    for kernel, stride, _, dilation in reversed(layers):
        first = first * stride
        last = last * stride + dilation * (kernel - 1)
    return first, last


def measured_field(net, X, row, column):
    leaf = X.clone().requires_grad_()
    (grad,) = torch.autograd.grad(net(leaf)[0, :, row, column].sum(), leaf)
    _, _, rows, columns = grad.nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


# %% receptive_field wrong: one pixel too many at the end
def receptive_field(layers):
    field = jump = 1
    for kernel, stride, _, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field, jump


def seen_pixels(layers, index):
    first = last = index
    for kernel, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * kernel
    return first, last


def measured_field(net, X, row, column):
    leaf = X.clone().requires_grad_()
    (grad,) = torch.autograd.grad(net(leaf)[0, :, row, column].sum(), leaf)
    _, _, rows, columns = grad.nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


# %% receptive_field wrong: only positive influences count
def receptive_field(layers):
    field = jump = 1
    for kernel, stride, _, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field, jump


def seen_pixels(layers, index):
    first = last = index
    for kernel, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel - 1)
    return first, last


def measured_field(net, X, row, column):
    leaf = X.clone().requires_grad_()
    (grad,) = torch.autograd.grad(net(leaf)[0, :, row, column].sum(), leaf)
    _, _, rows, columns = (grad > 0).nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


# %% receptive_field wrong: only the first output channel
def receptive_field(layers):
    field = jump = 1
    for kernel, stride, _, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field, jump


def seen_pixels(layers, index):
    first = last = index
    for kernel, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel - 1)
    return first, last


def measured_field(net, X, row, column):
    leaf = X.clone().requires_grad_()
    (grad,) = torch.autograd.grad(net(leaf)[0, 0, row, column], leaf)
    _, _, rows, columns = grad.nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


# %% receptive_field wrong: only the first input channel
def receptive_field(layers):
    field = jump = 1
    for kernel, stride, _, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field, jump


def seen_pixels(layers, index):
    first = last = index
    for kernel, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel - 1)
    return first, last


def measured_field(net, X, row, column):
    leaf = X.clone().requires_grad_()
    (grad,) = torch.autograd.grad(net(leaf)[0, :, row, column].sum(), leaf)
    rows, columns = grad[0, 0].nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


# %% receptive_field wrong: row and column swapped
def receptive_field(layers):
    field = jump = 1
    for kernel, stride, _, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field, jump


def seen_pixels(layers, index):
    first = last = index
    for kernel, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel - 1)
    return first, last


def measured_field(net, X, row, column):
    leaf = X.clone().requires_grad_()
    (grad,) = torch.autograd.grad(net(leaf)[0, :, column, row].sum(), leaf)
    _, _, rows, columns = grad.nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


# %% receptive_field wrong: backward leaves gradients on the network and on X
def receptive_field(layers):
    field = jump = 1
    for kernel, stride, _, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field, jump


def seen_pixels(layers, index):
    first = last = index
    for kernel, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel - 1)
    return first, last


def measured_field(net, X, row, column):
    X.requires_grad_()
    net(X)[0, :, row, column].sum().backward()
    _, _, rows, columns = X.grad.nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


# %% receptive_field wrong: backward leaves gradients on the network
def receptive_field(layers):
    field = jump = 1
    for kernel, stride, _, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field, jump


def seen_pixels(layers, index):
    first = last = index
    for kernel, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel - 1)
    return first, last


def measured_field(net, X, row, column):
    leaf = X.clone().requires_grad_()
    net(leaf)[0, :, row, column].sum().backward()
    _, _, rows, columns = leaf.grad.nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


# %% cost right: asking layers, and hooks that are removed
def conv_cost(c_in, c_out, kernel, size, groups=1):
    weight = nn.Conv2d(c_in, c_out, kernel, groups=groups, bias=False).weight
    return weight.numel(), weight.numel() * size[0] * size[1]


def separable_cost(c_in, c_out, kernel, size):
    first, second = conv_cost(c_in, c_in, kernel, size, c_in), conv_cost(c_in, c_out, 1, size)
    return first[0] + second[0], first[1] + second[1]


def count_cost(net, shape):
    total = 0

    def note(layer, inputs, output):
        nonlocal total
        if isinstance(layer, nn.Linear):
            total += layer.in_features * layer.out_features * (output.numel() // layer.out_features)
        else:
            k_h, k_w = layer.kernel_size
            total += output.numel() * layer.in_channels // layer.groups * k_h * k_w

    handles = [m.register_forward_hook(note) for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    modes = [(m, m.training) for m in net.modules()]
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, *shape))
    for m, mode in modes:
        m.training = mode
    for handle in handles:
        handle.remove()
    return sum(p.numel() for p in net.parameters()), total


# %% cost right: a batch of two on a copy, halved; a list of parameters
def conv_cost(c_in, c_out, kernel, size, groups=1):
    h, w = size
    p = kernel * kernel * c_in * c_out // groups
    return [p, p * h * w]


def separable_cost(c_in, c_out, kernel, size):
    p = c_in * (kernel * kernel + c_out)
    return [p, p * size[0] * size[1]]


def count_cost(net, shape):
    twin = copy.deepcopy(net)
    twin.eval()
    found = []

    def hook(layer, inputs, output):
        per_value = layer.weight.shape[1:].numel()
        found.append(per_value * output.numel() // 2)

    for layer in twin.modules():
        if type(layer) in (nn.Conv2d, nn.Linear):
            layer.register_forward_hook(hook)
    with torch.inference_mode():
        twin(torch.randn(2, *shape, generator=torch.Generator().manual_seed(0)))
    parameters = 0
    for p in net.parameters():
        parameters += p.numel()
    return parameters, sum(found)


# %% cost wrong: groups are ignored
def conv_cost(c_in, c_out, kernel, size, groups=1):
    parameters = c_out * c_in * kernel**2
    return parameters, parameters * math.prod(size)


def separable_cost(c_in, c_out, kernel, size):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * math.prod(size)


def count_cost(net, shape):
    twin, costs = copy.deepcopy(net).eval(), []
    for layer in twin.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(lambda layer, _, Y: costs.append(Y.numel() * layer.weight[0].numel()))
    twin(torch.zeros(1, *shape))
    return sum(p.numel() for p in net.parameters()), sum(costs)


# %% cost wrong: kernel instead of its square
def conv_cost(c_in, c_out, kernel, size, groups=1):
    parameters = c_out * (c_in // groups) * kernel
    return parameters, parameters * math.prod(size)


def separable_cost(c_in, c_out, kernel, size):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * math.prod(size)


def count_cost(net, shape):
    twin, costs = copy.deepcopy(net).eval(), []
    for layer in twin.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(lambda layer, _, Y: costs.append(Y.numel() * layer.weight[0].numel()))
    twin(torch.zeros(1, *shape))
    return sum(p.numel() for p in net.parameters()), sum(costs)


# %% cost wrong: multiply-adds without the pixels
def conv_cost(c_in, c_out, kernel, size, groups=1):
    parameters = c_out * (c_in // groups) * kernel**2
    return parameters, parameters * size[0]


def separable_cost(c_in, c_out, kernel, size):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * math.prod(size)


def count_cost(net, shape):
    twin, costs = copy.deepcopy(net).eval(), []
    for layer in twin.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(lambda layer, _, Y: costs.append(Y.numel() * layer.weight[0].numel()))
    twin(torch.zeros(1, *shape))
    return sum(p.numel() for p in net.parameters()), sum(costs)


# %% cost wrong: depthwise kernels for the output channels
def conv_cost(c_in, c_out, kernel, size, groups=1):
    parameters = c_out * (c_in // groups) * kernel**2
    return parameters, parameters * math.prod(size)


def separable_cost(c_in, c_out, kernel, size):
    parameters = c_out * kernel**2 + c_in * c_out
    return parameters, parameters * math.prod(size)


def count_cost(net, shape):
    twin, costs = copy.deepcopy(net).eval(), []
    for layer in twin.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(lambda layer, _, Y: costs.append(Y.numel() * layer.weight[0].numel()))
    twin(torch.zeros(1, *shape))
    return sum(p.numel() for p in net.parameters()), sum(costs)


# %% cost wrong: the network is run in training mode
def conv_cost(c_in, c_out, kernel, size, groups=1):
    parameters = c_out * (c_in // groups) * kernel**2
    return parameters, parameters * math.prod(size)


def separable_cost(c_in, c_out, kernel, size):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * math.prod(size)


def count_cost(net, shape):
    twin, costs = copy.deepcopy(net), []
    for layer in twin.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(lambda layer, _, Y: costs.append(Y.numel() * layer.weight[0].numel()))
    twin(torch.zeros(1, *shape))
    return sum(p.numel() for p in net.parameters()), sum(costs)


# %% cost wrong: hooks stay on the network
def conv_cost(c_in, c_out, kernel, size, groups=1):
    parameters = c_out * (c_in // groups) * kernel**2
    return parameters, parameters * math.prod(size)


def separable_cost(c_in, c_out, kernel, size):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * math.prod(size)


def count_cost(net, shape):
    twin, costs = net.eval(), []
    for layer in twin.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(lambda layer, _, Y: costs.append(Y.numel() * layer.weight[0].numel()))
    twin(torch.zeros(1, *shape))
    return sum(p.numel() for p in net.parameters()), sum(costs)


# %% cost wrong: only parameters with a weight matrix
def conv_cost(c_in, c_out, kernel, size, groups=1):
    parameters = c_out * (c_in // groups) * kernel**2
    return parameters, parameters * math.prod(size)


def separable_cost(c_in, c_out, kernel, size):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * math.prod(size)


def count_cost(net, shape):
    twin, costs = copy.deepcopy(net).eval(), []
    for layer in twin.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(lambda layer, _, Y: costs.append(Y.numel() * layer.weight[0].numel()))
    twin(torch.zeros(1, *shape))
    return sum(p.numel() for p in net.parameters() if p.dim() > 1), sum(costs)


# %% cost wrong: linear layers cost nothing
def conv_cost(c_in, c_out, kernel, size, groups=1):
    parameters = c_out * (c_in // groups) * kernel**2
    return parameters, parameters * math.prod(size)


def separable_cost(c_in, c_out, kernel, size):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * math.prod(size)


def count_cost(net, shape):
    twin, costs = copy.deepcopy(net).eval(), []
    for layer in twin.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda layer, _, Y: costs.append(Y.numel() * layer.weight[0].numel()))
    twin(torch.zeros(1, *shape))
    return sum(p.numel() for p in net.parameters()), sum(costs)


# %% cost wrong: each layer counts once, used or not
def conv_cost(c_in, c_out, kernel, size, groups=1):
    parameters = c_out * (c_in // groups) * kernel**2
    return parameters, parameters * math.prod(size)


def separable_cost(c_in, c_out, kernel, size):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * math.prod(size)


def count_cost(net, shape):
    seen = set()
    twin, costs = copy.deepcopy(net).eval(), []
    for layer in twin.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(
                lambda layer, _, Y: (
                    costs.append(Y.numel() * layer.weight[0].numel() if layer not in seen else 0) or seen.add(layer)
                )
            )
    twin(torch.zeros(1, *shape))
    return sum(p.numel() for p in net.parameters()), sum(costs)


# %% cost wrong: one multiply-add for each output value
def conv_cost(c_in, c_out, kernel, size, groups=1):
    parameters = c_out * (c_in // groups) * kernel**2
    return parameters, parameters * math.prod(size)


def separable_cost(c_in, c_out, kernel, size):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * math.prod(size)


def count_cost(net, shape):
    twin, costs = copy.deepcopy(net).eval(), []
    for layer in twin.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(lambda layer, _, Y: costs.append(Y.numel()))
    twin(torch.zeros(1, *shape))
    return sum(p.numel() for p in net.parameters()), sum(costs)


# %% cost wrong: biases are counted as multiply-adds
def conv_cost(c_in, c_out, kernel, size, groups=1):
    parameters = c_out * (c_in // groups) * kernel**2
    return parameters, parameters * math.prod(size)


def separable_cost(c_in, c_out, kernel, size):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * math.prod(size)


def count_cost(net, shape):
    twin, costs = copy.deepcopy(net).eval(), []
    for layer in twin.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(lambda layer, _, Y: costs.append(Y.numel() * (layer.weight[0].numel() + 1)))
    twin(torch.zeros(1, *shape))
    return sum(p.numel() for p in net.parameters()), sum(costs)


# %% cost wrong: hooks are not removed and the mode is lost
def conv_cost(c_in, c_out, kernel, size, groups=1):
    parameters = c_out * (c_in // groups) * kernel**2
    return parameters, parameters * math.prod(size)


def separable_cost(c_in, c_out, kernel, size):
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * math.prod(size)


def count_cost(net, shape):
    costs = []
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(lambda layer, _, Y: costs.append(Y.numel() * layer.weight[0].numel()))
    net.eval()
    net(torch.zeros(1, *shape))
    return sum(p.numel() for p in net.parameters()), sum(costs)


# %% separable right: a module of its own
class Block(nn.Module):
    def __init__(self, c_in, c_out, kernel, stride, dilation):
        super().__init__()
        same = dilation * (kernel - 1) // 2
        self.depthwise = nn.Conv2d(
            c_in, c_in, kernel, stride=stride, padding=same, dilation=dilation, groups=c_in, bias=False
        )
        self.norm = nn.BatchNorm2d(c_in)
        self.pointwise = nn.Conv2d(c_in, c_out, kernel_size=1, bias=False)
        self.norm2 = nn.BatchNorm2d(c_out)

    def forward(self, X):
        return F.relu(self.norm2(self.pointwise(F.relu(self.norm(self.depthwise(X))))))


def separable_block(c_in, c_out, kernel, stride=1, dilation=1):
    if not kernel % 2:
        raise ValueError("even kernel")
    return Block(c_in, c_out, kernel, stride, dilation)


# %% separable right: two sequential halves from one helper
def _half(conv, channels):
    return nn.Sequential(conv, nn.BatchNorm2d(channels), nn.ReLU(inplace=True))


def separable_block(c_in, c_out, kernel, stride=1, dilation=1):
    if kernel // 2 * 2 == kernel:
        raise ValueError(f"kernel {kernel} is even")
    settings = {"stride": stride, "dilation": dilation, "padding": kernel // 2 * dilation}
    depthwise = nn.Conv2d(c_in, c_in, (kernel, kernel), groups=c_in, bias=False, **settings)
    return nn.Sequential(_half(depthwise, c_in), _half(nn.Conv2d(c_in, c_out, (1, 1), bias=False), c_out))


# %% separable wrong: not depthwise: groups forgotten
def separable_block(c_in, c_out, kernel, stride=1, dilation=1):
    if kernel % 2 == 0:
        raise ValueError(f"the kernel must be odd, not {kernel}")
    padding = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(c_in, c_in, kernel, stride, padding, dilation, bias=False),
        nn.BatchNorm2d(c_in),
        nn.ReLU(),
        nn.Conv2d(c_in, c_out, 1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


# %% separable wrong: padding ignores dilation
def separable_block(c_in, c_out, kernel, stride=1, dilation=1):
    if kernel % 2 == 0:
        raise ValueError(f"the kernel must be odd, not {kernel}")
    padding = kernel // 2
    return nn.Sequential(
        nn.Conv2d(c_in, c_in, kernel, stride, padding, dilation, groups=c_in, bias=False),
        nn.BatchNorm2d(c_in),
        nn.ReLU(),
        nn.Conv2d(c_in, c_out, 1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


# %% separable wrong: the convolutions have biases
def separable_block(c_in, c_out, kernel, stride=1, dilation=1):
    if kernel % 2 == 0:
        raise ValueError(f"the kernel must be odd, not {kernel}")
    padding = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(c_in, c_in, kernel, stride, padding, dilation, groups=c_in),
        nn.BatchNorm2d(c_in),
        nn.ReLU(),
        nn.Conv2d(c_in, c_out, 1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


# %% separable wrong: the stride stands at the 1 × 1 layer
def separable_block(c_in, c_out, kernel, stride=1, dilation=1):
    if kernel % 2 == 0:
        raise ValueError(f"the kernel must be odd, not {kernel}")
    padding = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(c_in, c_in, kernel, 1, padding, dilation, groups=c_in, bias=False),
        nn.BatchNorm2d(c_in),
        nn.ReLU(),
        nn.Conv2d(c_in, c_out, 1, stride, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


# %% separable wrong: no ReLU in the middle
def separable_block(c_in, c_out, kernel, stride=1, dilation=1):
    if kernel % 2 == 0:
        raise ValueError(f"the kernel must be odd, not {kernel}")
    padding = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(c_in, c_in, kernel, stride, padding, dilation, groups=c_in, bias=False),
        nn.BatchNorm2d(c_in),
        nn.Conv2d(c_in, c_out, 1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


# %% separable wrong: no ReLU at the end
def separable_block(c_in, c_out, kernel, stride=1, dilation=1):
    if kernel % 2 == 0:
        raise ValueError(f"the kernel must be odd, not {kernel}")
    padding = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(c_in, c_in, kernel, stride, padding, dilation, groups=c_in, bias=False),
        nn.BatchNorm2d(c_in),
        nn.ReLU(),
        nn.Conv2d(c_in, c_out, 1, bias=False),
        nn.BatchNorm2d(c_out),
    )


# %% separable wrong: ReLU before the normalisation
def separable_block(c_in, c_out, kernel, stride=1, dilation=1):
    if kernel % 2 == 0:
        raise ValueError(f"the kernel must be odd, not {kernel}")
    padding = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(c_in, c_in, kernel, stride, padding, dilation, groups=c_in, bias=False),
        nn.ReLU(),
        nn.BatchNorm2d(c_in),
        nn.Conv2d(c_in, c_out, 1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


# %% separable wrong: even kernels are not refused
def separable_block(c_in, c_out, kernel, stride=1, dilation=1):
    padding = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(c_in, c_in, kernel, stride, padding, dilation, groups=c_in, bias=False),
        nn.BatchNorm2d(c_in),
        nn.ReLU(),
        nn.Conv2d(c_in, c_out, 1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


# %% separable wrong: in evaluation mode
def separable_block(c_in, c_out, kernel, stride=1, dilation=1):
    if kernel % 2 == 0:
        raise ValueError(f"the kernel must be odd, not {kernel}")
    padding = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(c_in, c_in, kernel, stride, padding, dilation, groups=c_in, bias=False),
        nn.BatchNorm2d(c_in),
        nn.ReLU(),
        nn.Conv2d(c_in, c_out, 1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    ).eval()


# %% separable wrong: 1 × 1 first, then depthwise
def separable_block(c_in, c_out, kernel, stride=1, dilation=1):
    if kernel % 2 == 0:
        raise ValueError(f"the kernel must be odd, not {kernel}")
    padding = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
        nn.Conv2d(c_out, c_out, kernel, stride, padding, dilation, groups=c_out, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


# %% lenet right: modules with functional activations
class _Old(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.d1, self.d2, self.d3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)
        for layer in (self.c1, self.c2, self.d1, self.d2, self.d3):
            nn.init.xavier_uniform_(layer.weight)
            layer.bias.data.zero_()

    def forward(self, X):
        X = F.avg_pool2d(torch.sigmoid(self.c1(X)), 2)
        X = F.avg_pool2d(torch.sigmoid(self.c2(X)), 2).flatten(1)
        return self.d3(torch.sigmoid(self.d2(torch.sigmoid(self.d1(X)))))


class _New(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.stage1 = nn.Sequential(nn.Conv2d(1, w, 5, padding=2, bias=False), nn.BatchNorm2d(w))
        self.stage2 = nn.Sequential(nn.Conv2d(w, 2 * w, 5, bias=False), nn.BatchNorm2d(2 * w))
        self.head = nn.ModuleList([nn.Linear(50 * w, 120), nn.Linear(120, 84), nn.Linear(84, 10)])

    def forward(self, X):
        for stage in (self.stage1, self.stage2):
            X = F.relu(F.max_pool2d(stage(X), 2))
        X = X.reshape(len(X), -1)
        for layer in self.head[:2]:
            X = layer(X).relu()
        return self.head[2](X)


def lenet():
    return _Old()


def modern_lenet(width=16):
    return _New(width)


# %% lenet right: initialisation by hand and by apply
def _start(layer):
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        c_out, c_in = layer.weight.shape[:2]
        bound = math.sqrt(6 / ((c_out + c_in) * layer.weight[0, 0].numel()))
        with torch.no_grad():
            layer.weight.copy_((2 * torch.rand(layer.weight.shape) - 1) * bound)
            layer.bias.fill_(0.0)


def lenet():
    layers, sizes = [], [(1, 6, 2), (6, 16, 0)]
    for c_in, c_out, padding in sizes:
        layers += [nn.Conv2d(c_in, c_out, 5, 1, padding), nn.Sigmoid(), nn.AvgPool2d(2, 2)]
    layers += [nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)]
    net = nn.Sequential(*layers)
    net.apply(_start)
    return net


def modern_lenet(width=16):
    layers = []
    for c_in, c_out, padding in [(1, width, 2), (width, 2 * width, 0)]:
        layers += [nn.Conv2d(c_in, c_out, 5, padding=padding, bias=False), nn.BatchNorm2d(c_out)]
        layers += [nn.ReLU(inplace=True), nn.MaxPool2d(2, 2)]
    layers += [nn.Flatten(), nn.Linear(width * 50, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]
    return nn.Sequential(*layers)


# %% lenet wrong: a sigmoid after the last layer
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10), nn.Sigmoid()),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def modern_lenet(width=16):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


# %% lenet wrong: max pooling in the old network
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def modern_lenet(width=16):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


# %% lenet wrong: ReLU in the old network
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def modern_lenet(width=16):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


# %% lenet wrong: default initialisation
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.zeros_(layer.bias)
    return net


def modern_lenet(width=16):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


# %% lenet wrong: Xavier's normal instead of uniform
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def modern_lenet(width=16):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


# %% lenet wrong: He instead of Xavier
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def modern_lenet(width=16):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


# %% lenet wrong: biases not zero
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
    return net


def modern_lenet(width=16):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


# %% lenet wrong: convolutions keep their start
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def modern_lenet(width=16):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


# %% lenet wrong: convolutions with a bias in the modern network
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def modern_lenet(width=16):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


# %% lenet wrong: no normalisation after the second convolution
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def modern_lenet(width=16):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


# %% lenet wrong: average pooling in the modern network
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def modern_lenet(width=16):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


# %% lenet wrong: a softmax at the end of the modern network
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def modern_lenet(width=16):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10), nn.Softmax(dim=1)),
    )


# %% lenet wrong: the width is fixed
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def modern_lenet(width=16):
    width = 16
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


# %% lenet wrong: pooling before the normalisation
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def modern_lenet(width=16):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(width), nn.ReLU()),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


# %% lenet wrong: one network for everybody
def lenet():
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def _modern(width):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


_kept = {}


def modern_lenet(width=16):
    if width not in _kept:
        _kept[width] = _modern(width)
    return _kept[width].train()


# %% train_lenet right: a module, SGD with momentum, the loop written out
class _Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 16, 5, padding=2, bias=False)
        self.second = nn.Conv2d(16, 32, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(16), nn.BatchNorm2d(32)
        self.head = nn.Sequential(
            nn.Linear(1568, 120), nn.BatchNorm1d(120), nn.ReLU(), nn.Dropout(0.3), nn.Linear(120, 10)
        )

    def features(self, X):
        X = F.relu(self.norm1(F.max_pool2d(self.first(X), 2)))
        X = F.relu(self.norm2(F.max_pool2d(self.second(X), 2)))
        return self.head(X.flatten(1))

    def forward(self, X):
        if self.training:
            return self.features(X)
        moved = [X, X.roll(1, 2), X.roll(-1, 2), X.roll(1, 3), X.roll(-1, 3)]
        return torch.stack([self.features(view) + self.features(view.flip(3)) for view in moved]).mean(dim=0)


def train_lenet(X, y, seed):
    torch.manual_seed(seed)
    net = _Net().to(memory_format=torch.channels_last)
    epochs, batches = 13, math.ceil(len(X) / 64)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.05, total_steps=epochs * batches)
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for rows in order.chunk(batches):
            flipped = torch.rand(len(rows), 1, 1, 1) < 0.5
            images = torch.where(flipped, X[rows].flip(3), X[rows])
            images = images.roll(torch.randint(-1, 2, (2,)).tolist(), (2, 3))
            loss = F.cross_entropy(net(images), y[rows], label_smoothing=0.05)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return net


# %% train_lenet right: the network of exercise 9, AdamW, layers in a list
def train_lenet(X, y, seed):
    torch.manual_seed(seed)
    layers = []
    for c_in, c_out, padding in [(1, 16, 2), (16, 32, 0)]:
        layers += [nn.Conv2d(c_in, c_out, 5, padding=padding, bias=False), nn.BatchNorm2d(c_out)]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Linear(800, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]
    net, epochs = nn.Sequential(*layers), 15
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.004)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.004, total_steps=epochs * math.ceil(len(X) / 64))
    for _ in range(epochs):
        run_epoch(net, X, y, optimiser, schedule)
    views = Views(net)
    views.eval()
    return views


# %% train_lenet wrong: the network stays in training mode
def train_lenet(X, y, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(32), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(1568, 120), nn.BatchNorm1d(120), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(120, 10),
    ).to(memory_format=torch.channels_last)
    epochs, batches = 11, math.ceil(len(X) / 64)
    optimiser = torch.optim.SGD(net.parameters(), momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.05, total_steps=epochs * batches)
    for _ in range(epochs):
        run_epoch(net, X, y, optimiser, schedule)
    return Views(net)


# %% train_lenet wrong: the seed is fixed
def train_lenet(X, y, seed):
    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(32), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(1568, 120), nn.BatchNorm1d(120), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(120, 10),
    ).to(memory_format=torch.channels_last)
    epochs, batches = 11, math.ceil(len(X) / 64)
    optimiser = torch.optim.SGD(net.parameters(), momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.05, total_steps=epochs * batches)
    for _ in range(epochs):
        run_epoch(net, X, y, optimiser, schedule)
    return Views(net).eval()


# %% train_lenet wrong: the weights do not follow from the seed
def train_lenet(X, y, seed):
    net = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(32), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(1568, 120), nn.BatchNorm1d(120), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(120, 10),
    ).to(memory_format=torch.channels_last)
    epochs, batches = 11, math.ceil(len(X) / 64)
    optimiser = torch.optim.SGD(net.parameters(), momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.05, total_steps=epochs * batches)
    for _ in range(epochs):
        run_epoch(net, X, y, optimiser, schedule)
    return Views(net).eval()


# %% train_lenet wrong: far too few epochs
def train_lenet(X, y, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(32), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(1568, 120), nn.BatchNorm1d(120), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(120, 10),
    ).to(memory_format=torch.channels_last)
    epochs, batches = 1, math.ceil(len(X) / 64)
    optimiser = torch.optim.SGD(net.parameters(), momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.05, total_steps=epochs * batches)
    for _ in range(epochs):
        run_epoch(net, X, y, optimiser, schedule)
    return Views(net).eval()


# %% train_lenet wrong: an MLP
def train_lenet(X, y, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.002)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.002, total_steps=10 * math.ceil(len(X) / 64))
    for _ in range(10):
        run_epoch(net, X, y, optimiser, schedule)
    return net.eval()


# %% train_lenet wrong: LeNet with sigmoids and the default start
def train_lenet(X, y, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1.0)
    for _ in range(10):
        run_epoch(net, X, y, optimiser, schedule)
    return net.eval()


# %% train_lenet wrong: probabilities of the classes as a function, not a module
def train_lenet(X, y, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(288, 10))
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.002)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1.0)
    run_epoch(net, X, y, optimiser, schedule)
    return lambda images: net(images).softmax(dim=1)


# %% train_lenet wrong: loads the data itself
def train_lenet(X, y, seed):
    torch.manual_seed(seed)
    X, y = data.fashion_mnist("train")
    net = nn.Sequential(nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(288, 10))
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.002)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1.0)
    run_epoch(net, X, y, optimiser, schedule)
    return net.eval()


# %% sizes equivalent: kernel - 1 and kernel + 1 are both even or both odd
# - if dilation * (kernel - 1) % 2:
# + if dilation * (kernel + 1) % 2:

# %% learn_kernel equivalent: a squared difference is the same in either order
# - loss = F.mse_loss(F.conv2d(X, K), Y)
# + loss = F.mse_loss(Y, F.conv2d(X, K))

# %% receptive_field equivalent: the mean has a gradient other than 0 where the sum has one
# - (grad,) = torch.autograd.grad(net(leaf)[0, :, row, column].sum(), leaf)
# + (grad,) = torch.autograd.grad(net(leaf)[0, :, row, column].mean(), leaf)

# %% cost equivalent: the cost does not depend on the pixels
# - twin(torch.zeros(1, *shape))
# + twin(torch.ones(1, *shape))

# %% train_lenet equivalent: the order of the numbers in memory changes the speed, not the results
# - ).to(memory_format=torch.channels_last)
# + ).to()

# %% train_lenet equivalent: the order of the numbers in memory changes the speed, not the results
# - ).to(memory_format=torch.channels_last)
# + )
