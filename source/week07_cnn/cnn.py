# %% [markdown]
# # Assignment 7: Convolutional networks
#
# You write the convolution that every vision network rests on, first by hand and then as a layer; you learn a kernel
# from data, work out what a unit can see and what a layer costs, and train LeNet in its modern form on Fashion-MNIST.

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

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy
import math
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from dlcourse import data

# %% [markdown]
# ## Before you start
#
# **What is asked:** ten exercises (92 points), one explanation (4) and a weekly report (4): 100 points, about six
# hours. The lesson of week 7 prepares all of it. Each exercise is graded on its own: a mistake in one costs nothing in
# another.

# %% [markdown]
# **How to work:** replace `raise NotImplementedError()` by your code, keep the signature, run the cell, then run the
# test cell below it. Its message says what differs and where to look. Loops or library calls are welcome unless the
# exercise forbids them. Imports from the cell above are available. Before you hand in: restart the kernel, run all
# cells, and press *Validate* if your Jupyter has that button.

# %% [markdown]
# **Hidden tests.** After you hand in, more tests run. They try what the text promises in other situations: one image,
# other sizes, another dtype, another seed, inputs that must not change. They ask nothing that the text does not say.

# %% [markdown]
# **Honest work.** Discuss ideas with anybody; write the code and the sentences yourself. You may ask an AI tool for
# an explanation. If a tool or a person contributed to an answer, say in the weekly report which and for what. You
# must be able to explain every line that you hand in.

# %% [markdown]
# **Rules for all exercises.** No function changes its inputs. A shape is exact: `(h, w)` is not `(1, 1, h, w)`.
# Images are `(n, c, h, w)`: image, channel, row, column. "Float tensor" means float32 or float64; all tensors of one
# call have the same dtype, and so has the result. An "int" is a Python int. Pairs such as `stride` are
# `(vertical, horizontal)`. A result that is a pair may be a tuple or a list. All sizes are at least 1.

# %% [markdown]
# Do not use `as_strided`. It reads memory without checking bounds, and the grader puts every answer that contains it
# aside for a person. Slices, `Tensor.unfold` and `F.unfold` do the same job safely.

# %% [markdown]
# ## Exercise 1: Output sizes (7 points, 20 minutes)
#
# Most errors in convolutional networks are sizes that do not fit. The arithmetic is one line, if you know it.
#
# A kernel with `kernel` entries and dilation `dilation` **spans** `dilation * (kernel - 1) + 1` pixels. It starts at
# the left end of the padded input and moves on by `stride` pixels as long as it lies inside.

# %% [markdown]
# Write `output_size(size, kernel, stride=1, padding=0, dilation=1)`: how many positions there are along one axis of
# `size` pixels, with `padding` more at *each* end. All arguments are ints; the result is an int. If the span is longer
# than the padded input, raise `ValueError`.
#
# Write also `same_padding(kernel, dilation=1)`: the padding at each end with which, at stride 1, the output has the
# size of the input. If there is none (an even span would need half a pixel), raise `ValueError`.

# %% [markdown]
# *Examples:* `output_size(28, 5)` is `24`; `output_size(7, 3, stride=2)` is `3`; `output_size(8, 3, 2)` is `3` too: the
# last pixel is never used. `same_padding(3)` is `1`, `same_padding(3, dilation=2)` is `2`.


# %% nbgrader={"grade": false, "grade_id": "sizes", "locked": false, "schema_version": 3, "solution": true, "task": false}
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """Give the length of a convolution's or pooling's output along one axis, an int.

    Raises:
        ValueError: the kernel is longer than the padded input.
    """
    ### BEGIN SOLUTION
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} does not fit into {size} pixels")
    return room // stride + 1
    ### END SOLUTION


def same_padding(kernel, dilation=1):
    """Give the padding at each end that keeps the size at stride 1, an int.

    Raises:
        ValueError: there is no such padding.
    """
    ### BEGIN SOLUTION
    if dilation * (kernel - 1) % 2:
        raise ValueError(f"a kernel of {kernel} with dilation {dilation} spans an even number of pixels")
    return dilation * (kernel - 1) // 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "sizes_test", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
def _test_sizes():
    from dlcourse import check

    check.defined("output_size", globals())
    check.defined("same_padding", globals())

    steps = (
        "the kernel starts at pixel 0, then every stride pixels, while its span fits: the first position counts too."
    )

    def compare(expected, *args, hint=steps, **kwargs):
        shown = ", ".join([*map(str, args), *(f"{key}={number}" for key, number in kwargs.items())])
        name = f"output_size({shown})"
        check.value(check.call(output_size, *args, name=name, **kwargs), expected, name, hint=hint)

    compare(24, 28, 5)
    compare(3, 7, 3, stride=2)
    compare(3, 8, 3, 2, hint="only whole steps count: // rounds down.")
    compare(28, 28, 5, padding=2, hint="padding is added at both ends.")
    compare(6, 10, 3, dilation=2, hint="with dilation 2, three entries span five pixels: there are gaps of one pixel.")
    compare(1, 5, 5)
    compare(1, 3, 5, padding=1)

    def refuses(function, *args, why):
        name = f"{'output_size' if function is output_size else 'same_padding'}{args}"
        check.raises(ValueError, function, *args, name=name, hint=why)

    longer = "the span of the kernel is longer than the padded input."
    refuses(output_size, 4, 5, why=longer)
    refuses(output_size, 6, 3, 1, 0, 3, why=longer)

    def same(kernel, dilation, expected):
        name = f"same_padding({kernel}, {dilation})"
        odd = "what counts is dilation * (kernel - 1): an even kernel can have an odd span."
        check.value(check.call(same_padding, kernel, dilation, name=name, hint=odd), expected, name, hint=odd)

    for kernel, dilation, expected in [(3, 1, 1), (3, 2, 2), (1, 1, 0), (2, 2, 1)]:
        same(kernel, dilation, expected)
    check.value(check.call(same_padding, 7), 3, "same_padding(7)")
    refuses(same_padding, 4, 1, why="4 pixels need 1.5 pixels of padding at each end.")
    ### BEGIN HIDDEN TESTS
    for kernel, dilation in [(2, 1), (2, 3), (6, 5)]:
        refuses(same_padding, kernel, dilation, why="the span is even.")
    for kernel, dilation, expected in [(5, 3, 6), (4, 2, 3), (11, 1, 5), (1, 7, 0), (6, 4, 10)]:
        same(kernel, dilation, expected)

    # Counted, not computed: the positions at which the kernel lies inside.
    for size in (1, 2, 5, 9, 12):
        for kernel in (1, 2, 3, 5):
            for stride in (1, 2, 3, 4):
                for padding, dilation in [(0, 1), (1, 1), (0, 2), (2, 3)]:
                    span = dilation * (kernel - 1) + 1
                    starts = [s for s in range(0, size + 2 * padding, stride) if s + span <= size + 2 * padding]
                    args = (size, kernel, stride, padding, dilation)
                    if starts:
                        compare(len(starts), *args)
                    else:
                        refuses(output_size, *args, why=longer)
    compare(112, 224, 7, 2, 3, 1)
    ### END HIDDEN TESTS


_test_sizes()
print("Exercise 1: every test in this cell passed.")

# %% [markdown]
# ## Exercise 2: From a dense layer to cross-correlation (9 points, 35 minutes)
#
# A convolutional layer is a dense layer with most weights removed and the others shared. You write it both ways.
#
# 1. `corr2d(X, K)`: the cross-correlation of one image `X` `(h, w)` with one kernel `K` `(a, b)`, `a <= h`, `b <= w`,
#    float tensors. The result has shape `(h - a + 1, w - b + 1)`:
#    $Y_{ij} = \sum_{u,v} K_{uv}\,X_{i+u,\,j+v}$.
# 2. `conv_matrix(K, h, w)`: the weight matrix `M` of the *dense* layer that does the same. `X` is read row after row:
#    `M @ X.flatten()` equals `corr2d(X, K).flatten()`. Its shape is `((h - a + 1) * (w - b + 1), h * w)`.

# %% [markdown]
# Gradients flow: from `Y` to `X` and `K`, and from `M` to `K` (every copy of a weight adds its gradient).
#
# *Not allowed:* PyTorch's convolutions (`F.conv2d`, `nn.Conv2d` and their relatives).
#
# *Example:* `X = [[1., 2., 3.], [4., 5., 6.]]`, `K = [[1., 0.], [0., -1.]]`: `corr2d(X, K)` is `[[-4., -4.]]`, and
# `conv_matrix(K, 2, 3)` is `[[1., 0., 0., 0., -1., 0.], [0., 1., 0., 0., 0., -1.]]`.


# %% nbgrader={"grade": false, "grade_id": "by_hand", "locked": false, "schema_version": 3, "solution": true, "task": false}
def corr2d(X, K):
    """Give the cross-correlation of an image (h, w) with a kernel (a, b).

    Returns:
        A tensor (h - a + 1, w - b + 1).
    """
    ### BEGIN SOLUTION
    (h, w), (a, b) = X.shape, K.shape
    return sum(K[u, v] * X[u : u + h - a + 1, v : v + w - b + 1] for u in range(a) for v in range(b))
    ### END SOLUTION


def conv_matrix(K, h, w):
    """Give the weight matrix of the dense layer that does what a kernel (a, b) does to images (h, w).

    Returns:
        A tensor ((h - a + 1) * (w - b + 1), h * w).
    """
    ### BEGIN SOLUTION
    a, b = K.shape
    rows = []
    for i in range(h - a + 1):
        for j in range(w - b + 1):
            image = K.new_zeros(h, w)
            image[i : i + a, j : j + b] = K
            rows.append(image.flatten())
    return torch.stack(rows)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "by_hand_test", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
def _test_by_hand():
    from dlcourse import check

    check.defined("corr2d", globals())
    check.defined("conv_matrix", globals())

    def refuse():
        own = "here you write the convolution yourself."
        layers = [f"torch.nn.functional.conv{kind}" for kind in ("1d", "2d", "3d")]
        layers += [f"torch.nn.functional.conv_transpose{kind}" for kind in ("1d", "2d", "3d")]
        return check.forbidden(*layers, "torch.convolution", because=own)

    def correlate(X, K, what):
        with refuse():
            return check.call(corr2d, X, K, name=f"corr2d for {what}")

    def matrix(K, h, w, what):
        with refuse():
            return check.call(conv_matrix, K, h, w, name=f"conv_matrix for {what}")

    X = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    K = torch.tensor([[1.0, 0.0], [0.0, -1.0]])
    flipped = "the first entry of K meets the first pixel of the window: nothing is flipped, and no pixel is skipped."
    Y = correlate(X, K, "the example")
    check.tensor(Y, "corr2d for the example", shape=(1, 2), dtype=torch.float32)
    check.value(Y, torch.tensor([[-4.0, -4.0]]), "corr2d for the example", hint=flipped)
    expected = torch.tensor([[1.0, 0, 0, 0, -1, 0], [0, 1, 0, 0, 0, -1]])
    check.value(matrix(K, 2, 3, "the example"), expected, "conv_matrix for the example")

    def reference(X, K):
        return F.conv2d(X[None, None], K[None, None])[0, 0]

    def random(h, w, a, b, dtype, seed):
        g = torch.Generator().manual_seed(seed)
        return torch.randn(h, w, generator=g, dtype=dtype), torch.randn(a, b, generator=g, dtype=dtype)

    def compare(h, w, a, b, dtype, seed):
        X, K = random(h, w, a, b, dtype, seed)
        what = f"an image ({h}, {w}) and a kernel ({a}, {b}), {dtype}"
        expected = reference(X, K)
        Y = correlate(X, K, what)
        check.tensor(Y, f"corr2d for {what}", shape=tuple(expected.shape), dtype=dtype)
        check.value(Y, expected, f"corr2d for {what}", hint=flipped)
        M = matrix(K, h, w, what)
        check.tensor(M, f"conv_matrix for {what}", shape=(expected.numel(), h * w), dtype=dtype)
        rows = "row (i, j) of M, reshaped to (h, w), is 0 but for a copy of K whose corner stands at (i, j)."
        copies = torch.stack([reference(e.reshape(h, w), K).flatten() for e in torch.eye(h * w, dtype=dtype)], dim=1)
        check.value(M, copies, f"conv_matrix for {what}", hint=rows)

    compare(4, 5, 2, 3, torch.float64, 0)
    lost = "the result must be computed from K with tensor operations: no .item(), .tolist(), torch.tensor(...)."

    def gradients(h, w, a, b, seed):
        X, K = random(h, w, a, b, torch.float64, seed)
        check.gradient(
            lambda X, K: correlate(X, K, "gradients"), reference, [X, K], "corr2d", names=["X", "K"], hint=lost
        )

        def weighted(K):
            return torch.stack(
                [reference(e.reshape(h, w), K).flatten() for e in torch.eye(h * w, dtype=K.dtype)], dim=1
            )

        check.gradient(lambda K: matrix(K, h, w, "gradients"), weighted, [K], "conv_matrix", names=["K"], hint=lost)

    gradients(3, 4, 2, 2, 1)
    ### BEGIN HIDDEN TESTS
    cases = [(1, 1, 1, 1), (3, 3, 3, 3), (5, 2, 1, 2), (2, 6, 2, 1), (7, 4, 3, 2), (1, 5, 1, 3)]
    for seed, case in enumerate(cases):
        compare(*case, torch.float64 if seed % 2 else torch.float32, 10 + seed)
    gradients(4, 3, 1, 3, 20)
    gradients(3, 5, 3, 2, 21)
    ### END HIDDEN TESTS


_test_by_hand()
print("Exercise 2: every test in this cell passed.")

# %% [markdown]
# ## Exercise 3: The convolution of every framework (14 points, 60 minutes)
#
# Now with channels, batches, padding, stride, dilation and groups: the function that `nn.Conv2d` calls.
#
# Write `conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1)`:
#
# - `X` `(n, c_in, h, w)`, `W` `(c_out, c_in / groups, k_h, k_w)`, `b` `(c_out,)` or `None`: float tensors;
# - `stride`, `padding`, `dilation`: pairs of ints; padding fills zeros at both ends;
# - the result equals `F.conv2d(X, W, b, stride, padding, dilation, groups)`, and so do the gradients with respect to
#   `X`, `W` and `b`.

# %% [markdown]
# With $g$ groups, the input channels are cut into $g$ blocks of equal size, in order, and so are the output channels.
# Block number $k$ of the output is computed from block number $k$ of the input only. `groups=c_in` is the **depthwise**
# convolution, a `1 × 1` kernel the **pointwise** one.
#
# Channels that do not fit raise `ValueError`: if `c_in` is not `groups * W.shape[1]`, or `c_out` is not a multiple of
# `groups`. The kernel always fits into the padded image.

# %% [markdown]
# *Not allowed:* PyTorch's convolutions. `F.pad`, `unfold`, slices with a step, `einsum` and `@` are welcome. A loop
# over the entries of the kernel is fast enough; a loop over all output pixels is slow, but allowed.
#
# *Example:* `X` is one image with one channel, `[[1., 2., 3.]]`, `W = [[[[1., 1.]]]]`, `b = [10.]`. With
# `padding=(0, 1)` the padded row is `0 1 2 3 0`, and the result `[[11., 13., 15., 13.]]` (and two axes of length 1).
# With `stride=(1, 2)` as well it is `[[11., 15.]]`.


# %% nbgrader={"grade": false, "grade_id": "conv2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d(X, W, b=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """Cross-correlate images with kernels.

    Args:
        X: images, float tensor (n, c_in, h, w).
        W: kernels, float tensor (c_out, c_in / groups, k_h, k_w).
        b: bias, float tensor (c_out,), or None.
        stride: steps, a pair of ints.
        padding: rows and columns of zeros added at each end, a pair of ints.
        dilation: distances between the entries of a kernel, a pair of ints.
        groups: number of blocks of channels, an int.

    Returns:
        A float tensor (n, c_out, h_out, w_out).

    Raises:
        ValueError: the channels do not fit.
    """
    ### BEGIN SOLUTION
    c_out, c_group, k_h, k_w = W.shape
    if X.shape[1] != groups * c_group or c_out % groups:
        raise ValueError("the channels do not fit the kernels and groups")
    (s_h, s_w), (p_h, p_w), (d_h, d_w) = stride, padding, dilation
    padded = F.pad(X, (p_w, p_w, p_h, p_h))
    windows = padded.unfold(2, d_h * (k_h - 1) + 1, s_h).unfold(3, d_w * (k_w - 1) + 1, s_w)
    windows = windows[..., ::d_h, ::d_w].unflatten(1, (groups, c_group))
    Y = torch.einsum("ngchwuv,gdcuv->ngdhw", windows, W.unflatten(0, (groups, c_out // groups))).flatten(1, 2)
    return Y if b is None else Y + b[:, None, None]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "conv2d_test", "locked": true, "points": 14, "schema_version": 3, "solution": false, "task": false}
def _test_conv2d():
    from dlcourse import check

    check.defined("conv2d", globals())

    def mine(X, W, b=None, *settings, what="", **named):
        own = "here you write the convolution yourself."
        layers = [f"torch.nn.functional.conv{kind}" for kind in ("1d", "2d", "3d")]
        layers += [f"torch.nn.functional.conv_transpose{kind}" for kind in ("1d", "2d", "3d")]
        with check.forbidden(*layers, "torch.convolution", because=own):
            return check.call(conv2d, X, W, b, *settings, name=f"conv2d for {what}", **named)

    def random(n, c_in, c_out, size, kernel, groups, dtype, seed):
        g = torch.Generator().manual_seed(seed)
        X = torch.randn(n, c_in, *size, generator=g, dtype=dtype)
        W = torch.randn(c_out, c_in // groups, *kernel, generator=g, dtype=dtype)
        return X, W, torch.randn(c_out, generator=g, dtype=dtype)

    def compare(what, n, c_in, c_out, size, kernel, *settings, bias=True, dtype=torch.float64, hint=None, seed=0):
        groups = settings[3] if len(settings) == 4 else 1
        X, W, b = random(n, c_in, c_out, size, kernel, groups, dtype, seed)
        b = b if bias else None
        result = mine(X, W, b, *settings, what=what)
        expected = F.conv2d(X, W, b, *settings)
        check.tensor(result, f"conv2d for {what}", shape=tuple(expected.shape), dtype=dtype)
        if torch.allclose(result, expected, rtol=1e-4, atol=1e-4):
            hint = "nearly right: is some tensor float32? Make it with dtype=X.dtype."
        check.value(result, expected, f"conv2d for {what}", hint=hint)

    # The example, and one thing at a time.
    row, pair, ten = torch.tensor([[[[1.0, 2, 3]]]]), torch.tensor([[[[1.0, 1]]]]), torch.tensor([10.0])
    plain = mine(row, pair, ten, what="the example without padding")
    added = "b[o] is added to every pixel of output channel o."
    check.value(plain, torch.tensor([[[[13.0, 15]]]]), "conv2d for the example without padding", hint=added)
    padded = mine(row, pair, ten, padding=(0, 1), what="the example")
    wanted = torch.tensor([[[[11.0, 13, 15, 13]]]])
    check.value(padded, wanted, "conv2d for the example", hint="padding (0, 1) adds one column at each side, no rows.")
    strided = mine(row, pair, ten, stride=(1, 2), padding=(0, 1), what="the example with stride (1, 2)")
    check.value(strided, torch.tensor([[[[11.0, 15]]]]), "conv2d for the example with stride (1, 2)")
    compare("2 images, 3 channels in, 4 out", 2, 3, 4, (5, 6), (3, 2),
            hint="each output channel is the sum over all input channels, each with its own part of W.")  # fmt: skip
    compare("padding (2, 1)", 1, 2, 3, (4, 5), (3, 2), (1, 1), (2, 1),
            hint="pairs are (vertical, horizontal); F.pad takes the numbers for the last axis first.")  # fmt: skip
    compare("stride (2, 3)", 2, 2, 3, (7, 9), (2, 3), (2, 3),
            hint="the window moves by stride[0] rows and stride[1] columns.")  # fmt: skip
    compare("dilation (2, 3)", 2, 2, 3, (7, 9), (3, 2), (1, 1), (0, 0), (2, 3),
            hint="entry (u, v) of the kernel meets the pixel u * dilation[0] rows below and v * dilation[1] columns right.")  # fmt: skip
    blocks = "output block k uses input block k only; W[o] holds the weights for the channels of one block."
    compare("groups = 2", 2, 4, 6, (4, 5), (2, 2), (1, 1), (0, 0), (1, 1), 2, hint=blocks)
    compare("a depthwise kernel", 2, 3, 3, (5, 4), (3, 3), (1, 1), (1, 1), (1, 1), 3, bias=False, hint=blocks)

    def refuses(c_in, shape, groups):
        X, W = torch.ones(1, c_in, 5, 5), torch.ones(shape)
        name = f"conv2d of {c_in} channels with W of shape {shape}, groups = {groups}"
        hint = "compare X.shape[1] with groups * W.shape[1], and W.shape[0] with groups."
        check.raises(ValueError, conv2d, X, W, None, (1, 1), (0, 0), (1, 1), groups, name=name, hint=hint)

    refuses(3, (4, 2, 3, 3), 1)
    refuses(4, (3, 2, 3, 3), 2)
    ### BEGIN HIDDEN TESTS
    for case in [(4, (4, 1, 1, 1), 2), (1, (4, 3, 2, 2), 1), (6, (4, 2, 1, 1), 3), (2, (4, 2, 3, 3), 2)]:
        refuses(*case)
    everything = [
        ("one pixel", 1, 1, 1, (1, 1), (1, 1)),
        ("a 1 × 1 kernel, no bias", 3, 5, 2, (4, 3), (1, 1)),
        ("a kernel as large as the image", 2, 2, 3, (3, 4), (3, 4)),
        ("stride 2 that leaves pixels over", 1, 2, 2, (8, 6), (3, 3), (2, 2)),
        ("a stride longer than the kernel", 1, 1, 2, (9, 8), (1, 2), (4, 3)),
        ("padding larger than the kernel", 1, 2, 1, (2, 3), (2, 1), (1, 2), (3, 2)),
        ("everything at once", 2, 6, 4, (11, 9), (3, 2), (2, 3), (1, 2), (2, 3), 2),
        ("everything the other way", 1, 6, 9, (8, 12), (2, 3), (3, 1), (2, 0), (3, 2), 3),
        ("depthwise with two kernels a channel", 2, 3, 6, (6, 5), (3, 3), (2, 1), (1, 1), (1, 1), 3),
        ("a tall dilated kernel", 1, 2, 2, (9, 3), (4, 1), (1, 2), (0, 1), (2, 1), 1),
    ]
    for seed, (what, *case) in enumerate(everything):
        dtype = torch.float32 if seed % 2 else torch.float64
        compare(what, *case, bias=seed != 1, dtype=dtype, seed=10 + seed)

    settings = ((2, 1), (1, 2), (1, 2), 2)
    X, W, b = random(2, 4, 2, (5, 6), (2, 3), 2, torch.float64, 30)
    for names in (["X", "W", "b"], ["X", "W"]):
        check.gradient(
            lambda X, W, b=None: mine(X, W, b, *settings, what="gradients"),
            lambda X, W, b=None: F.conv2d(X, W, b, *settings),
            [X, W, b][: len(names)],
            "conv2d",
            names=names,
        )
    ### END HIDDEN TESTS


_test_conv2d()
print("Exercise 3: every test in this cell passed.")

# %% [markdown]
# ## Exercise 4: A learnt kernel (9 points, 35 minutes)
#
# Nobody designs the kernels of a network. They are learnt from examples of inputs and outputs. You do it for one.
#
# Write `learn_kernel(X, Y, shape, lr, steps)`. `X` `(n, 1, h, w)` are images, `Y` `(n, 1, h - a + 1, w - b + 1)` what
# an unknown kernel of shape `(a, b)` (= `shape`, a pair) made of them, without padding and bias; both are float
# tensors.

# %% [markdown]
# - The kernel starts with **zeros**.
# - Each of the `steps` steps is plain gradient descent on the **mean** squared error over all entries of `Y`, with
#   learning rate `lr` and all images at once.
# - The result is the pair `kernel, losses`: the kernel after the last step, `(a, b)`, dtype of `X`, without a gradient;
#   and a list of `steps` floats, the loss **before** each step.
#
# PyTorch's convolutions are allowed from here on. `steps` may be 0.

# %% [markdown]
# *Example:* `X = [[[[1., 2.]]]]`, `Y = [[[[2., 4.]]]]`, `shape = (1, 1)`, `lr = 0.1`, `steps = 2`. The first loss is
# $(4 + 16)/2 = 10$, the gradient is $\frac{2}{2}(1\cdot(-2) + 2\cdot(-4)) = -10$, the kernel becomes $1$. The second
# loss is $2.5$, the kernel becomes $1.5$. Result: `[[1.5]]` and `[10.0, 2.5]`.


# %% nbgrader={"grade": false, "grade_id": "learn_kernel", "locked": false, "schema_version": 3, "solution": true, "task": false}
def learn_kernel(X, Y, shape, lr, steps):
    """Learn a kernel by gradient descent from zeros.

    Args:
        X: images, float tensor (n, 1, h, w).
        Y: wanted outputs, float tensor (n, 1, h - a + 1, w - b + 1).
        shape: the pair (a, b).
        lr: learning rate.
        steps: number of steps.

    Returns:
        The kernel (a, b) and the list of losses before each step.
    """
    ### BEGIN SOLUTION
    K = torch.zeros(1, 1, *shape, dtype=X.dtype)
    losses = []
    for _ in range(steps):
        K.requires_grad_()
        loss = F.mse_loss(F.conv2d(X, K), Y)
        (grad,) = torch.autograd.grad(loss, K)
        K = K.detach() - lr * grad
        losses.append(loss.item())
    return K[0, 0], losses
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "learn_kernel_test", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
def _test_learn_kernel():
    from dlcourse import check

    check.defined("learn_kernel", globals())

    def learn(X, Y, shape, lr, steps, what):
        name = f"learn_kernel for {what}"
        pair = check.call(learn_kernel, X, Y, shape, lr, steps, name=name)
        two = isinstance(pair, (tuple, list)) and len(pair) == 2
        check.that(two, f"{name} must return the pair kernel, losses")
        kernel, losses = pair
        check.tensor(kernel, f"the kernel for {what}", shape=shape, dtype=X.dtype, requires_grad=False)
        check.that(type(losses) is list, f"the losses for {what} are a {type(losses).__name__}, not a list")
        check.value(len(losses), steps, f"the number of losses for {what}", hint="one loss for each step, before it.")
        plain = all(type(loss) in (float, np.float64) for loss in losses)
        check.that(plain, f"the losses for {what} are not all floats", hint=".item() makes a float.")
        clean = not X.requires_grad and X.grad is None and Y.grad is None
        check.that(clean, f"{name} left a gradient on its inputs")
        return kernel, losses

    X, Y = torch.tensor([[[[1.0, 2.0]]]]), torch.tensor([[[[2.0, 4.0]]]])
    kernel, losses = learn(X, Y, (1, 1), 0.1, 1, "one step of the example")
    start = "start from zeros; the loss is the mean, not the sum, of the squared differences."
    check.value(losses, [10.0], "the losses for one step of the example", hint=start)
    check.value(kernel, torch.tensor([[1.0]]), "the kernel for one step of the example")
    kernel, losses = learn(X, Y, (1, 1), 0.1, 2, "the example")
    fresh = "each step needs a gradient of its own: gradients of earlier steps must not be added."
    check.value(losses, [10.0, 2.5], "the losses for the example", hint=fresh)
    check.value(kernel, torch.tensor([[1.5]]), "the kernel for the example", hint=fresh)

    # Bright and dark bars; the unknown kernel finds vertical edges.
    bars = torch.ones(1, 1, 6, 8)
    bars[..., 2:6] = 0
    edge = torch.tensor([[[[1.0, -1.0]]]])
    kernel, losses = learn(bars, F.conv2d(bars, edge), (1, 2), 0.3, 200, "an edge kernel")
    check.value(kernel, edge[0, 0], "the kernel learnt for vertical edges", rtol=0, atol=0.01)

    def reference(X, Y, shape, lr, steps):
        """The gradient by hand: the error, cross-correlated with the image."""
        K, losses = torch.zeros(shape, dtype=torch.float64), []
        X, Y = X.double(), Y.double()
        for _ in range(steps):
            error = F.conv2d(X, K[None, None]) - Y
            losses.append(error.square().mean().item())
            K = K - lr * 2 / error.numel() * F.conv2d(X.transpose(0, 1), error.transpose(0, 1))[0, 0]
        return K, losses

    def compare(n, h, w, shape, lr, steps, dtype, seed, what):
        g = torch.Generator().manual_seed(seed)
        X = torch.randn(n, 1, h, w, generator=g, dtype=dtype)
        Y = torch.randn(n, 1, h - shape[0] + 1, w - shape[1] + 1, generator=g, dtype=dtype)
        kernel, losses = learn(X, Y, shape, lr, steps, what)
        wanted = reference(X, Y, shape, lr, steps)
        check.value(losses, wanted[1], f"the losses for {what}", rtol=1e-4)
        check.value(kernel, wanted[0].to(dtype), f"the kernel for {what}", rtol=1e-4)

    compare(3, 6, 5, (2, 3), 0.2, 5, torch.float32, 1, "three images and a kernel (2, 3)")
    ### BEGIN HIDDEN TESTS
    compare(1, 5, 5, (3, 3), 0.1, 1, torch.float64, 2, "one image, float64, one step")
    compare(4, 3, 9, (3, 1), 0.3, 12, torch.float64, 3, "four images and a kernel (3, 1), float64")
    compare(2, 4, 4, (4, 4), 0.05, 3, torch.float32, 4, "a kernel as large as the images")
    kernel, losses = learn(bars, F.conv2d(bars, edge), (1, 2), 0.3, 0, "no step")
    check.value(kernel, torch.zeros(1, 2), "the kernel for no step")
    ### END HIDDEN TESTS


_test_learn_kernel()
print("Exercise 4: every test in this cell passed.")

# %% [markdown]
# ### On a photograph (no points)
#
# The cell hides a kernel, shows *your* function only what it makes of a photograph, and lets it find the kernel. The
# left panel shows the photograph in grey, the middle one the edges, which are all your function gets to see. The
# kernel is printed. On the right, the loss falls against the step, on a logarithmic axis.

# %%
# alt: Three panels: a detail of a photograph of a temple in grey; its vertical edges, white or black on grey; and the
#   loss over 500 steps, which falls on a logarithmic axis.
from sklearn.datasets import load_sample_image

photograph = torch.tensor(load_sample_image("china.jpg"), dtype=torch.float32).mean(dim=2)[None, None] / 255
photograph = photograph[..., 60:180, 180:360] - photograph.mean()
secret = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])
edges = F.conv2d(photograph, secret[None, None])
found, found_losses = learn_kernel(photograph, edges, (3, 3), 1.0, 500)
print(found.round(decimals=2))
fig, panels = plt.subplots(1, 3, figsize=(13, 3))
for panel, image in zip(panels, (photograph, edges), strict=False):
    panel.imshow(image[0, 0], cmap="gray")
    panel.axis("off")
panels[2].plot(found_losses)
panels[2].set(yscale="log", xlabel="step", ylabel="loss")
plt.show()

# %% [markdown]
# ## Exercise 5: Pooling (9 points, 30 minutes)
#
# Pooling summarises a window by one number. It has no weights, and treats each channel on its own.
#
# Write `pool2d(X, size, stride, padding, mode)` for a float tensor `X` `(n, c, h, w)`. `size`, `stride` and `padding`
# are pairs of ints, `mode` is `"max"` or `"average"`; any other raises `ValueError`. Output sizes are those of exercise
# 1; `padding` is at most half of `size`, and a window always fits.

# %% [markdown]
# - `"max"`: the largest **pixel** in the window. Padding never wins, also where all pixels are negative.
# - `"average"`: the sum over the window divided by `size[0] * size[1]`. Padding counts as zeros.
#
# Write also `global_average_pool(X)`: the mean of each channel over all its pixels, shape `(n, c)`.

# %% [markdown]
# Gradients flow through all of them. (Tests of gradients have no two equal pixels in a window.)
#
# *Not allowed:* the pooling of PyTorch (`F.max_pool2d`, `F.avg_pool2d`, `F.adaptive_avg_pool2d`, their layers and
# relatives). `unfold`, `amax`, `mean`, `F.pad`, also `F.conv2d` are welcome.
#
# *Example:* one channel `[[-1., -2., -3.], [-4., -5., -6.]]`, size `(2, 2)`, stride `(1, 1)`, no padding: max
# `[[-1., -2.]]`, average `[[-3., -4.]]`. The global average is `-3.5`.


# %% nbgrader={"grade": false, "grade_id": "pooling", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pool2d(X, size, stride, padding, mode):
    """Summarise windows of each channel.

    Args:
        X: float tensor (n, c, h, w).
        size: height and width of the window.
        stride: steps, a pair of ints.
        padding: rows and columns added at each end, a pair of ints.
        mode: "max" or "average".

    Returns:
        A float tensor (n, c, h_out, w_out).

    Raises:
        ValueError: another mode.
    """
    ### BEGIN SOLUTION
    if mode not in ("max", "average"):
        raise ValueError(f"mode must be 'max' or 'average', not {mode!r}")
    fill = -math.inf if mode == "max" else 0.0
    padded = F.pad(X, (padding[1], padding[1], padding[0], padding[0]), value=fill)
    windows = padded.unfold(2, size[0], stride[0]).unfold(3, size[1], stride[1])
    return windows.amax(dim=(4, 5)) if mode == "max" else windows.mean(dim=(4, 5))
    ### END SOLUTION


def global_average_pool(X):
    """Give the mean of each channel: (n, c, h, w) becomes (n, c)."""
    ### BEGIN SOLUTION
    return X.mean(dim=(2, 3))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "pooling_test", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
def _test_pooling():
    from dlcourse import check

    check.defined("pool2d", globals())
    check.defined("global_average_pool", globals())

    def refuse():
        kinds = [f"{kind}_pool{d}d" for d in (1, 2, 3) for kind in ("max", "avg", "adaptive_avg", "adaptive_max", "lp")]
        kinds += ["fractional_max_pool2d"]
        return check.forbidden(*(f"torch.nn.functional.{kind}" for kind in kinds), because="here you pool yourself.")

    def pool(X, size, stride, padding, mode, what):
        with refuse():
            return check.call(pool2d, X, size, stride, padding, mode, name=f'pool2d, mode "{mode}", for {what}')

    def reference(X, size, stride, padding, mode):
        return (F.max_pool2d if mode == "max" else F.avg_pool2d)(X, size, stride, padding)

    hints = {
        "max": "padding must never be larger than a pixel: fill with -inf, not with 0.",
        "average": "padding counts as zeros, and every sum is divided by size[0] * size[1].",
    }

    def compare(X, size, stride, padding, mode, what):
        expected = reference(X, size, stride, padding, mode)
        hint = hints[mode] if any(padding) else None
        check.value(
            pool(X, size, stride, padding, mode, what), expected, f'pool2d, mode "{mode}", for {what}', hint=hint
        )

    def everywhere(X, what):
        with refuse():
            result = check.call(global_average_pool, X, name=f"global_average_pool for {what}")
        check.value(result, F.adaptive_avg_pool2d(X, 1)[:, :, 0, 0], f"global_average_pool for {what}")

    X = torch.tensor([[[[-1.0, -2, -3], [-4, -5, -6]]]])
    maximum = pool(X, (2, 2), (1, 1), (0, 0), "max", "the example")
    check.value(maximum, torch.tensor([[[[-1.0, -2.0]]]]), 'pool2d, mode "max", for the example')
    average = pool(X, (2, 2), (1, 1), (0, 0), "average", "the example")
    check.value(average, torch.tensor([[[[-3.0, -4.0]]]]), 'pool2d, mode "average", for the example')
    everywhere(X, "the example")

    def random(shape, dtype, seed):
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)

    X = random((2, 3, 7, 8), torch.float32, 0)
    for mode in ("max", "average"):
        compare(X, (2, 2), (2, 2), (0, 0), mode, "windows 2 × 2, stride 2")
        compare(X, (2, 3), (3, 1), (0, 0), mode, "windows 2 × 3, stride (3, 1)")
        compare(X - 9, (3, 4), (2, 2), (1, 2), mode, "negative pixels and padding (1, 2)")
    everywhere(X, "two images, three channels")
    check.raises(ValueError, pool2d, X, (2, 2), (2, 2), (0, 0), "mean", name='pool2d with mode "mean"')
    ### BEGIN HIDDEN TESTS
    for mode in ("Max", "", "avg"):
        check.raises(ValueError, pool2d, X, (2, 2), (2, 2), (0, 0), mode, name=f'pool2d with mode "{mode}"')
    cases = [
        ((1, 1, 1, 1), (1, 1), (1, 1), (0, 0)),
        ((1, 2, 6, 5), (6, 5), (1, 1), (0, 0)),
        ((3, 1, 9, 4), (3, 1), (2, 3), (1, 0)),
        ((2, 4, 5, 9), (2, 5), (1, 4), (1, 2)),
        ((1, 3, 4, 4), (1, 2), (3, 1), (0, 1)),
    ]
    for seed, (shape, *settings) in enumerate(cases):
        dtype = torch.float64 if seed % 2 else torch.float32
        X = random(shape, dtype, 10 + seed)
        what = f"shape {shape}, size {settings[0]}, stride {settings[1]}, padding {settings[2]}, {dtype}"
        for mode in ("max", "average"):
            compare(X - 3, *settings, mode, what)
        everywhere(X, what)
    X = random((2, 2, 4, 5), torch.float64, 20)
    for mode in ("max", "average"):
        settings = (2, 3), (1, 2), (1, 0), mode
        check.gradient(
            lambda X, s=settings: pool(X, *s, "gradients"), lambda X, s=settings: reference(X, *s), [X],
            f'pool2d, mode "{mode}",', names=["X"],
        )  # fmt: skip
    check.gradient(global_average_pool, lambda X: X.sum(dim=(2, 3)) / 20, [X], "global_average_pool", names=["X"])
    ### END HIDDEN TESTS


_test_pooling()
print("Exercise 5: every test in this cell passed.")

# %% [markdown]
# ## Exercise 6: What a unit sees (9 points, 40 minutes)
#
# A unit that sees 5 × 5 pixels cannot know that it looks at a shoe. The **receptive field** of a unit is the part of
# the input that can influence it. You compute it in two ways, by arithmetic and by measuring.
#
# A stack of convolutions and poolings is, along one axis, a list of tuples `(kernel, stride, padding, dilation)`, the
# first layer first.

# %% [markdown]
# 1. `receptive_field(layers)` returns two ints: `field`, the number of pixels from the first to the last that a unit of
#    the last layer sees (padding included), and `jump`, by how many pixels the fields of two neighbouring units are
#    apart.
# 2. `seen_pixels(layers, index)` returns two ints: the positions of the first and the last pixel that the unit number
#    `index` (from 0) of the last layer sees. Pixel 0 is the first one of the image; positions in the padding are
#    negative, or lie behind the end.

# %% [markdown]
# An empty list gives `(1, 1)`, and `(index, index)`: the pixel itself.
#
# *Example:* a convolution with kernel 3 and padding 1, then a pooling with kernel 2 and stride 2: `layers = [(3, 1, 1,
# 1), (2, 2, 0, 1)]`. A pooled unit sees two neighbouring units, each of which sees 3 pixels: 4 pixels together, and the
# next unit begins 2 pixels later: `(4, 2)`. Unit 0 sees the pixels −1 to 2, unit 5 the pixels 9 to 12.

# %% [markdown]
# 3. `measured_field(net, X, row, column)` finds out by asking autograd. `X` is one image `(1, c, h, w)`, a float
#    tensor; `net(X)` is `(1, c_out, h_out, w_out)`. Take the units of *all* output channels at `[row, column]`. The
#    result is four ints, `top, bottom, left, right`: the first and last row and the first and last column of `X` in
#    which, in any channel, a pixel has an influence, that is, a gradient other than 0 on the **sum** of those units.

# %% [markdown]
# Some pixel always has an influence. `X` and the parameters of `net` are as before afterwards, their `.grad` included.
#
# *Example:* for `nn.Conv2d(1, 1, 3, padding=1)`, an image 5 × 6, and the unit `[0, 3]`: `(0, 1, 2, 4)`.


# %% nbgrader={"grade": false, "grade_id": "receptive_field", "locked": false, "schema_version": 3, "solution": true, "task": false}
def receptive_field(layers):
    """Give the size of the receptive field along one axis, and the distance of two neighbouring fields, as ints.

    Args:
        layers: list of tuples (kernel, stride, padding, dilation), the first layer first.
    """
    ### BEGIN SOLUTION
    field = jump = 1
    for kernel, stride, _, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field, jump
    ### END SOLUTION


def seen_pixels(layers, index):
    """Give the first and the last pixel, two ints, that a unit of the last layer sees along one axis.

    Args:
        layers: list of tuples (kernel, stride, padding, dilation), the first layer first.
        index: number of the unit, from 0.
    """
    ### BEGIN SOLUTION
    first = last = index
    for kernel, stride, padding, dilation in reversed(layers):
        first = first * stride - padding
        last = last * stride - padding + dilation * (kernel - 1)
    return first, last
    ### END SOLUTION


def measured_field(net, X, row, column):
    """Find by gradients which pixels influence the units at one place of the output.

    Args:
        net: a function or module from (1, c, h, w) to (1, c_out, h_out, w_out).
        X: one image, float tensor (1, c, h, w).
        row, column: the place in the output.

    Returns:
        The ints top, bottom, left, right.
    """
    ### BEGIN SOLUTION
    leaf = X.clone().requires_grad_()
    (grad,) = torch.autograd.grad(net(leaf)[0, :, row, column].sum(), leaf)
    _, _, rows, columns = grad.nonzero(as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "receptive_field_test", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
def _test_receptive_field():
    from dlcourse import check

    check.defined("receptive_field", globals())
    check.defined("seen_pixels", globals())
    check.defined("measured_field", globals())

    def ints(result, count, name):
        listed = isinstance(result, (tuple, list)) and len(result) == count
        check.that(listed, f"{name} must return {count} ints")
        return list(result)

    def field(layers, expected, hint=None):
        name = f"receptive_field({layers})"
        check.value(ints(check.call(receptive_field, layers, name=name), 2, name), list(expected), name, hint=hint)

    def seen(layers, index, expected, hint=None):
        name = f"seen_pixels({layers}, {index})"
        check.value(ints(check.call(seen_pixels, layers, index, name=name), 2, name), list(expected), name, hint=hint)

    stack = [(3, 1, 1, 1), (2, 2, 0, 1)]
    field(stack, (4, 2), "the field grows by the jump before this layer's own stride.")
    field([(3, 1, 0, 1), (3, 1, 0, 1)], (5, 1), "two 3 × 3 layers see 5 pixels: each adds kernel - 1 = 2.")
    field([(2, 2, 0, 1), (3, 1, 0, 1)], (6, 2), "after a stride of 2, neighbouring units are 2 pixels apart.")
    field([(3, 1, 0, 2)], (5, 1), "three entries with dilation 2 span five pixels.")
    field([], (1, 1))
    seen(stack, 0, (-1, 2), "walk from the last layer to the first; the padding shifts the pixels to the left.")
    seen(stack, 5, (9, 12))
    seen([], 7, (7, 7))

    class Net(nn.Module):
        """Positive weights, so that no influence cancels another."""

        def __init__(self, layers, channels=2, dtype=torch.float32):
            super().__init__()
            self.convs, inputs = nn.ModuleList(), 1
            for size, stride, padding, dilation in layers:
                self.convs.append(nn.Conv2d(inputs, channels, size, stride, padding, dilation, dtype=dtype))
                inputs = channels
            with torch.no_grad():
                for weight in self.parameters():
                    weight.fill_(0.5)

        def forward(self, X):
            for conv in self.convs:
                X = conv(X)
            return X

    def measure(net, X, row, column, expected, what, hint=None):
        name = f"measured_field for {what}"
        parameters = list(net.parameters()) if isinstance(net, nn.Module) else []
        before = [None if p.grad is None else p.grad.clone() for p in parameters]
        result = ints(check.call(measured_field, net, X, row, column, name=name, hint=hint), 4, name)
        check.value(result, list(expected), name, hint=hint)
        clean = X.grad is None and not X.requires_grad
        keep = "work on a copy of X, and let torch.autograd.grad return the one gradient that you need."
        check.that(clean, f"{name} left a gradient, or requires_grad, on X", hint=keep)
        for parameter, old in zip(parameters, before, strict=True):
            same = (parameter.grad is None) if old is None else (
                parameter.grad is not None and torch.equal(parameter.grad, old))  # fmt: skip
            check.that(same, f"{name} changed the gradient of a parameter of the network", hint=keep)
            check.that(parameter.requires_grad, f"{name} froze a parameter of the network")

    one = Net([((3, 3), 1, 1, 1)])
    measure(one, torch.ones(1, 1, 5, 6), 0, 3, (0, 1, 2, 4), "the example")
    deep = Net([((3, 2), (1, 2), (1, 0), 1), ((2, 3), (2, 1), 0, (1, 2))])
    measure(deep, torch.ones(1, 1, 12, 16), 2, 1, (3, 6, 2, 11), "two layers")

    def last_channel_only(X):
        return torch.cat([0 * X[:, :1, ::2, ::2], X[:, 2:, ::2, ::2]], dim=1)

    X = torch.ones(1, 3, 6, 8)
    every = "look at all channels of the output, [0, :, row, column], and at all channels of X."
    measure(last_channel_only, X, 1, 3, (2, 2, 6, 6), "an influence in one channel only", hint=every)
    falling = lambda X: (X[:, :, :-1, 1:] - 2 * X[:, :, 1:, :-1]).sum(dim=1, keepdim=True)  # noqa: E731
    negative = "an influence may be negative: a gradient other than 0 counts, not one above 0."
    measure(falling, X, 2, 4, (2, 3, 4, 5), "a negative influence", hint=negative)
    ### BEGIN HIDDEN TESTS
    lists = [
        [(5, 1, 2, 1), (2, 2, 0, 1), (5, 1, 0, 1), (2, 2, 0, 1)],
        [(7, 2, 3, 1), (3, 2, 1, 1), (3, 1, 1, 1), (3, 2, 1, 1)],
        [(3, 1, 1, 1), (3, 1, 2, 2), (3, 1, 4, 4)],
        [(1, 3, 0, 1), (4, 1, 2, 3)],
        [(2, 1, 1, 4), (1, 2, 0, 5), (2, 2, 1, 3)],
    ]
    for layers in lists:
        # Counted: walk back from single units to the set of pixels.
        def pixels(index, layers=layers):
            units = {index}
            for kernel, stride, padding, dilation in reversed(layers):
                units = {u * stride - padding + dilation * k for u in units for k in range(kernel)}
            return min(units), max(units)

        (first, last), (after, _) = pixels(0), pixels(1)
        field(list(layers), (last - first + 1, after - first))
        for index in (0, 1, 6):
            seen(list(layers), index, pixels(index))

    g = torch.Generator().manual_seed(3)
    wide = Net([((3, 3), 1, 1, (2, 1)), ((1, 3), (1, 2), (0, 1), 1)], dtype=torch.float64)
    for parameter in wide.parameters():
        parameter.grad = torch.ones_like(parameter)
    X = torch.rand(1, 1, 9, 11, generator=g, dtype=torch.float64)
    measure(wide, X, 4, 2, (3, 7, 2, 6), "a dilated layer, float64")
    measure(wide, X, 0, 5, (1, 3, 8, 10), "a corner of the output")

    X = torch.rand(1, 3, 6, 8, generator=g)
    square = lambda X: X[:, :, 1:, 1:].square() / 2 + X[:, :, :-1, :-1]  # noqa: E731
    measure(square, X, 3, 0, (3, 4, 0, 1), "a function that is not linear")
    ### END HIDDEN TESTS


_test_receptive_field()
print("Exercise 6: every test in this cell passed.")

# %% [markdown]
# ## Exercise 7: What a design costs (10 points, 40 minutes)
#
# Parameters cost memory, **multiply-adds** cost time. A multiply-add is one product that is added to a sum. The bias,
# activations, pooling and normalisation count nothing.
#
# 1. `conv_cost(c_in, c_out, kernel, size, groups=1)`: a convolution without bias, with a square kernel (`kernel` ×
#    `kernel`) and an **output** of `size` = `(h, w)` pixels. The result is two ints, parameters and multiply-adds for
#    one image.
# 2. `separable_cost(c_in, c_out, kernel, size)`: the same for a depthwise convolution (one kernel for each of the
#    `c_in` channels) followed by a `1 × 1` convolution to `c_out` channels, both without bias and with outputs of
#    `size`.

# %% [markdown]
# *Example:* 3 × 3, 16 channels to 32, 14 × 14 pixels: standard `(4608, 903168)`, separable `(656, 128576)`: seven
# times cheaper.
#
# 3. `count_cost(net, shape)` asks a whole network. `shape` is the shape `(c, h, w)` of one image. The result is two
#    ints: the number of all parameters of `net`, each counted once, and the multiply-adds for one image of all its
#    `nn.Conv2d` and `nn.Linear` layers. A layer that is applied twice costs its multiply-adds twice. A dense
#    layer that is applied at several places, as to `(n, places, features)`, costs for each place.

# %% [markdown]
# The network is float32, on the CPU, and takes float32 batches `(n, c, h, w)`. It may hold anything, batch
# normalisation and dropout too, and be in training mode: a batch of one image with such a layer needs evaluation mode.
# Afterwards `net` is exactly as it was: its mode, its parameters and running statistics, and no hook is left on it.
# (`copy.deepcopy` and forward hooks are useful here; the lesson shows both.)
#
# *Example:* for `nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 5))` and `shape = (1, 4, 4)`:
# parameters 20 + 45 = `65`; multiply-adds 8 · 9 + 8 · 5 = `112`.


# %% nbgrader={"grade": false, "grade_id": "cost", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_cost(c_in, c_out, kernel, size, groups=1):
    """Give the parameters and the multiply-adds for one image of a convolution without bias, two ints.

    Args:
        c_in, c_out: channels.
        kernel: height and width of the kernel, an int.
        size: height and width of the output, a pair of ints.
        groups: blocks of channels; divides c_in and c_out.
    """
    ### BEGIN SOLUTION
    parameters = c_out * (c_in // groups) * kernel**2
    return parameters, parameters * math.prod(size)
    ### END SOLUTION


def separable_cost(c_in, c_out, kernel, size):
    """Give the same for a depthwise convolution followed by a 1 × 1 convolution, both without bias."""
    ### BEGIN SOLUTION
    parameters = c_in * kernel**2 + c_in * c_out
    return parameters, parameters * math.prod(size)
    ### END SOLUTION


def count_cost(net, shape):
    """Give the parameters of a network and its multiply-adds for one image of `shape` (c, h, w), two ints."""
    ### BEGIN SOLUTION
    twin, costs = copy.deepcopy(net).eval(), []
    for layer in twin.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(lambda layer, _, Y: costs.append(Y.numel() * layer.weight[0].numel()))
    twin(torch.zeros(1, *shape))
    return sum(p.numel() for p in net.parameters()), sum(costs)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "cost_test", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
def _test_cost():
    from dlcourse import check

    check.defined("conv_cost", globals())
    check.defined("separable_cost", globals())
    check.defined("count_cost", globals())

    def compare(function, args, expected, name, hint=None):
        alone = (
            "one image is enough if a copy of the network runs in evaluation mode." if function is count_cost else None
        )
        result = check.call(function, *args, name=name, hint=alone)
        two = isinstance(result, (tuple, list)) and len(result) == 2
        check.that(two, f"{name} must return two ints, parameters and multiply-adds")
        whole = not any(isinstance(number, float) for number in result)
        check.that(whole, f"{name} must return ints, not floats", hint="/ always makes a float; // does not.")
        for got, want, what in zip(result, expected, ("parameters", "multiply-adds"), strict=True):
            check.value(got, want, f"the {what} by {name}", hint=hint)

    every = "each weight is used once for each pixel of the output; size is already the output's."
    for args, expected in [((16, 32, 3, (14, 14)), (4608, 903168)), ((3, 4, 1, (5, 2)), (12, 120))]:
        compare(conv_cost, args, expected, f"conv_cost{args}", every)
    grouped = "with groups, an output channel uses c_in / groups input channels."
    compare(conv_cost, (8, 12, 3, (2, 5), 4), (216, 2160), "conv_cost(8, 12, 3, (2, 5), 4)", grouped)
    twofold = "depthwise: kernel² weights for each input channel; 1 × 1: c_in · c_out weights."
    for args, expected in [((16, 32, 3, (14, 14)), (656, 128576)), ((2, 7, 5, (1, 3)), (64, 192))]:
        compare(separable_cost, args, expected, f"separable_cost{args}", twofold)

    def count(net, shape, expected, what, hint=None):
        state = copy.deepcopy(net.state_dict())
        modes = [part.training for part in net.modules()]
        compare(count_cost, (net, shape), expected, f"count_cost for {what}", hint)
        # Hooks on a layer are entries of a dictionary that belongs to it.
        left = [type(part).__name__ for part in net.modules() if part._forward_hooks or part._forward_pre_hooks]
        check.that(
            not left, f"count_cost for {what} left a hook on {left[:1]}", hint="handle.remove(), or a deep copy."
        )
        same = [part.training for part in net.modules()] == modes
        check.that(same, f"count_cost for {what} changed the mode (training or evaluation) of the network")
        after = net.state_dict()
        for key, old in state.items():
            check.that(torch.equal(after[key], old), f"count_cost for {what} changed {key} of the network",
                       hint="in training mode, batch normalisation updates its running statistics.")  # fmt: skip
        clean = all(p.grad is None for p in net.parameters())
        check.that(clean, f"count_cost for {what} left gradients on the network")

    small = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 5))
    count(small, (1, 4, 4), (65, 112), "the example")
    normal = nn.Sequential(nn.Conv2d(2, 4, 3, 2, 1, groups=2), nn.BatchNorm2d(4), nn.Dropout(), nn.Flatten(),
                           nn.Linear(24, 3, bias=False), nn.BatchNorm1d(3))  # fmt: skip
    count(normal, (2, 4, 5), (40 + 8 + 72 + 6, 24 * 9 + 72), "a network with normalisation and dropout",
          "an output value of a convolution costs (c_in / groups) · k_h · k_w; a parameter of any layer counts.")  # fmt: skip
    ### BEGIN HIDDEN TESTS
    for args in [(6, 10, 5, (7, 3), 2), (9, 9, 2, (1, 1), 9), (1, 1, 1, (1, 6)), (4, 6, 7, (3, 8), 2)]:
        c_in, c_out, kernel, (h, w), *groups = args
        weights = nn.Conv2d(c_in, c_out, kernel, groups=(groups or [1])[0], bias=False).weight.numel()
        compare(conv_cost, args, (weights, weights * h * w), f"conv_cost{args}", grouped)
    for args in [(5, 3, 4, (2, 9)), (1, 1, 1, (4, 4)), (12, 8, 3, (5, 6))]:
        c_in, c_out, kernel, (h, w) = args
        weights = c_in * kernel * kernel + c_in * c_out
        compare(separable_cost, args, (weights, weights * h * w), f"separable_cost{args}", twofold)

    class Twice(nn.Module):
        """One convolution applied twice, a part that is never applied, and a bare parameter."""

        def __init__(self):
            super().__init__()
            self.conv, self.spare = nn.Conv2d(3, 3, (3, 1), padding=(1, 0)), nn.Linear(4, 4)
            self.inner = nn.Sequential(nn.Sequential(nn.Conv2d(3, 2, (1, 2), (2, 1), bias=False)))
            self.shift = nn.Parameter(torch.zeros(5))
            self.last = nn.Linear(6, 2)

        def forward(self, X):
            return self.last(self.inner(self.conv(self.conv(X))).transpose(1, 3).flatten(2))

    # conv: 3 · 3 · 3 + 3 = 30; spare: 20; inner: 12; shift: 5; last: 14.
    twice = "a layer that is applied twice costs twice, one that is never applied costs nothing."
    expected = (81, 2 * (3 * 6 * 5) * 9 + (2 * 3 * 4) * 6 + (4 * 2) * 6)
    count(Twice(), (3, 6, 5), expected, "a network that uses a layer twice", twice)
    count(Twice().eval(), (3, 6, 5), expected, "a network in evaluation mode", twice)
    count(nn.Conv2d(2, 3, 2, dilation=2), (2, 5, 4), (27, 3 * 3 * 2 * 8), "a single layer")
    count(nn.Conv2d(3, 1, 2), (3, 3, 4), (13, 2 * 3 * 12), "a layer with one output channel")
    shared = nn.Linear(3, 3)
    count(nn.Sequential(nn.Flatten(), shared, nn.Tanh(), shared), (3, 1, 1), (12, 18), "shared weights", twice)
    ### END HIDDEN TESTS


_test_cost()
print("Exercise 7: every test in this cell passed.")

# %% [markdown]
# ## Exercise 8: A depthwise-separable block (7 points, 25 minutes)
#
# The block that made networks small enough for telephones (MobileNet, week 8). Write
# `separable_block(c_in, c_out, kernel, stride=1, dilation=1)`. It returns an `nn.Module` that applies, in this order:
#
# | layer | settings |
# | --- | --- |
# | `nn.Conv2d`, depthwise | `c_in` to `c_in` channels, `kernel`, `stride`, `dilation`, no bias |
# | `nn.BatchNorm2d`, `nn.ReLU` | |
# | `nn.Conv2d`, 1 × 1 | `c_in` to `c_out` channels, no bias |
# | `nn.BatchNorm2d`, `nn.ReLU` | |

# %% [markdown]
# - The padding (zeros) of the depthwise layer is `dilation * (kernel - 1) / 2` at each end, so that at stride 1 the
#   size stays. The 1 × 1 layer has none. An **even** `kernel` raises `ValueError`.
# - `kernel`, `stride` and `dilation` are ints, the same for both axes.
# - The block is new: in training mode, all settings that are not named here as PyTorch gives them.
#
# *Example:* `separable_block(8, 16, 3, stride=2)` has 72 + 16 + 128 + 32 = 248 parameters, and turns `(4, 8, 9, 7)`
# into `(4, 16, 5, 4)`.


# %% nbgrader={"grade": false, "grade_id": "separable", "locked": false, "schema_version": 3, "solution": true, "task": false}
def separable_block(c_in, c_out, kernel, stride=1, dilation=1):
    """Make a depthwise-separable convolution with batch normalisation and ReLU after each part.

    Args:
        c_in, c_out: channels.
        kernel: height and width of the depthwise kernel, an odd int.
        stride, dilation: of the depthwise layer, ints.

    Raises:
        ValueError: the kernel is even.
    """
    ### BEGIN SOLUTION
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
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "separable_test", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
def _test_separable():
    from dlcourse import check

    check.defined("separable_block", globals())

    def compare(c_in, c_out, kernel, stride, dilation, size, args, named, seed):
        shown = ", ".join([*map(str, args), *(f"{key}={number}" for key, number in named.items())])
        name = f"separable_block({shown})"
        pad = 'padding="same" refuses strides; the number of pixels from exercise 1 does not.'
        block = check.call(separable_block, *args, name=name, hint=pad, **named)
        check.that(isinstance(block, nn.Module), f"{name} returned {type(block).__name__}, not an nn.Module")
        check.that(block.training, f"{name} is not in training mode")
        used = []
        for part in block.modules():
            if isinstance(part, (nn.Conv2d, nn.BatchNorm2d)):
                part.register_forward_hook(lambda part, *_: used.append(part))
        with torch.no_grad():
            check.call(block, torch.zeros(2, c_in, *size), name=f"{name} on images (2, {c_in}, {size[0]}, {size[1]})")
        convs, norms = ([part for part in used if isinstance(part, kind)] for kind in (nn.Conv2d, nn.BatchNorm2d))
        found = f"{name} applies {len(convs)} nn.Conv2d and {len(norms)} nn.BatchNorm2d, not two and two"
        check.that(len(convs) == 2 and len(norms) == 2, found)
        for part, shape, what in [
            (convs[0], (c_in, 1, kernel, kernel), "depthwise weight (first nn.Conv2d)"),
            (convs[1], (c_out, c_in, 1, 1), "1 × 1 weight (second nn.Conv2d)"),
            (norms[0], (c_in,), "weight of the first normalisation"),
            (norms[1], (c_out,), "weight of the second normalisation"),
        ]:
            hint = "groups=c_in makes one kernel for each channel." if "depthwise" in what else None
            check.value(tuple(part.weight.shape), shape, f"the shape of the {what} of {name}", hint=hint)
        wanted = c_in * kernel**2 + c_in * c_out + 2 * c_in + 2 * c_out
        total = sum(p.numel() for p in block.parameters())
        check.value(total, wanted, f"the number of parameters of {name}", hint="the convolutions have no bias.")

        # The same with functions, from the block's own weights; uneven scales, so that no layer can be left out.
        g = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for norm in norms:
                norm.weight.uniform_(0.5, 2.0, generator=g)
                norm.bias.uniform_(-1.0, 0.5, generator=g)
                norm.reset_running_stats()

        def reference(X, training):
            padding = dilation * (kernel - 1) // 2
            H = F.conv2d(X, convs[0].weight, None, stride, padding, dilation, c_in)
            for k, norm in enumerate(norms):
                mean = H.mean(dim=(0, 2, 3)) if training else torch.zeros(H.shape[1])
                variance = H.var(dim=(0, 2, 3), unbiased=False) if training else torch.ones(H.shape[1])
                H = F.batch_norm(H, mean, variance, norm.weight, norm.bias).relu()
                if k == 0:
                    H = F.conv2d(H, convs[1].weight)
            return H

        X = torch.randn(4, c_in, *size, generator=g)
        order = "depthwise, normalisation, ReLU, 1 × 1, normalisation, ReLU; look at padding and dilation too."
        with torch.no_grad():
            block.eval()
            result = check.call(block, X, name=f"{name} in evaluation mode")
            what = f"the output of {name} in evaluation mode"
            check.value(result, reference(X, False), what, rtol=1e-3, atol=1e-4, hint=order)
            block.train()
            result = check.call(block, X, name=f"{name} in training mode")
            what = f"the output of {name} in training mode"
            check.value(result, reference(X, True), what, rtol=1e-3, atol=1e-4, hint=order)

    def refuses(kernel):
        name = f"separable_block(4, 4, {kernel})"
        check.raises(ValueError, separable_block, 4, 4, kernel, name=name, hint="an even kernel has no centre.")

    compare(8, 16, 3, 2, 1, (9, 7), (8, 16, 3), {"stride": 2}, 0)
    compare(3, 5, 3, 1, 1, (6, 5), (3, 5, 3), {}, 1)
    refuses(2)
    ### BEGIN HIDDEN TESTS
    refuses(4)
    compare(2, 6, 5, 1, 2, (9, 11), (2, 6, 5), {"dilation": 2}, 2)
    compare(4, 1, 1, 3, 1, (7, 8), (4, 1, 1, 3), {}, 3)
    compare(1, 3, 7, 2, 3, (19, 20), (1, 3, 7, 2, 3), {}, 4)
    ### END HIDDEN TESTS


_test_separable()
print("Exercise 8: every test in this cell passed.")

# %% [markdown] nbgrader={"grade": false, "grade_id": "explanation_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Explanation: shuffled pixels (4 points, 15 minutes)
#
# Somebody draws **one** random order of the 784 pixels and rearranges every image of Fashion-MNIST, training and test,
# in this same order. Three networks are trained and tested on the rearranged images, each from new random weights:
#
# - **A:** an MLP on the flattened pixels;
# - **B:** LeNet in its modern form;
# - **C:** a network of 1 × 1 convolutions and ReLU only, followed by global average pooling and a linear layer.
#
# For each of the three: compared with the original images, does the test accuracy stay the same (apart from the random
# start) or fall? Say why, in about 80 to 250 words. For C, say also what this network can know about an image at all.
#
# Graded: correct (each network), complete, in your own words, with reasons.
#
# ### BEGIN MARK SCHEME
# **4 points: the mechanism is explained.** All three are right with a reason. **A** stays: every hidden unit has a
# weight of its own for each pixel and no idea of neighbours; rearranging the columns of the first weight matrix in the
# same way gives the same network, so the problem is the same. **B** falls (it need not fail completely): its kernels
# look at neighbouring pixels and use the same weights everywhere; after the shuffling, neighbours have nothing to do
# with each other, edges and parts are gone, and pooling mixes unrelated pixels. **C** stays (even exactly, for the same
# weights, up to rounding): each pixel is treated alone and the mean over all pixels does not depend on their order; it
# knows only how often which grey values occur (the histogram of grey values), nothing about shape or place. Do not
# ask for the word histogram. Small slips of language cost nothing.
# *Example:* "A: a unit has 784 own weights, so the shuffling only renames them. B: a 5 × 5 window no longer holds
# a part of a shoe but 25 unrelated pixels; shared local weights fit nothing. C: a 1 × 1 kernel sees one pixel, and the
# mean forgets the order. It sees how much of each grey there is."
#
# **2 points: right facts, a reason missing.** Two of the three are right with their reasons; or all three verdicts are
# right, but reasons are only claimed ("CNNs need structure").
# *Example:* "A stays because it has no neighbours anyway. B falls because windows are meaningless now. C also falls
# because it is a CNN."
#
# **0 points: not explained.** At most one network is right with a reason, or the text only repeats the question.
# *Example:* "All become worse because the images look like noise."
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade": true, "grade_id": "explanation", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# **A stays the same.** Each hidden unit has one weight for each of the 784 pixels, and nothing in the network says
# which pixels are neighbours. If I rearrange the columns of the first weight matrix in the same order as the pixels, I
# get the same outputs. So for every network on the original images there is an equally good one on the shuffled images,
# and random starts and gradients treat both alike.
#
# **B falls.** A convolution computes each value from a small window with the same weights at every place. That helps
# because neighbouring pixels of a photograph belong together and an edge looks the same everywhere. After the shuffling
# a window holds 25 unrelated pixels, a kernel that is useful at one place means something else at another, and
# max-pooling throws away pixels that it should not compare. The dense layers at the end save a part.
#
# **C stays the same**, with the same weights even exactly. A 1 × 1 kernel sees one pixel at a time, and the mean
# over all pixels does not depend on their order. It only knows how many pixels have which grey value. So it can
# tell a dark bag from a thin bright sandal, but it sees no shape, before the shuffling or after.

# %% [markdown]
# ## Exercise 9: LeNet, then and now (9 points, 35 minutes)
#
# Thirty years lie between these two columns, and a few thousand papers.
#
# Write `lenet()` and `modern_lenet(width=16)`. Each returns a new `nn.Module` for images `(n, 1, 28, 28)` that gives
# logits `(n, 10)` and applies the layers of its column, from top to bottom ($w$ is `width`):

# %% [markdown]
# | `lenet()` | `modern_lenet(width)` |
# | --- | --- |
# | convolution 1 → 6, 5 × 5, padding 2 | convolution 1 → $w$, 5 × 5, padding 2, no bias |
# | | `nn.BatchNorm2d` |
# | sigmoid | ReLU |
# | average pooling 2 × 2, stride 2 | max pooling 2 × 2, stride 2 |
# | convolution 6 → 16, 5 × 5 | convolution $w$ → $2w$, 5 × 5, no bias |
# | | `nn.BatchNorm2d` |
# | sigmoid | ReLU |
# | average pooling 2 × 2, stride 2 | max pooling 2 × 2, stride 2 |
# | flatten, dense 400 → 120, sigmoid | flatten, dense $50w$ → 120, ReLU |
# | dense 120 → 84, sigmoid | dense 120 → 84, ReLU |
# | dense 84 → 10 | dense 84 → 10 |
#
# The lesson's modern block pools *before* the normalisation, to save time. Here the order of the table counts.

# %% [markdown]
# - Use `nn.Conv2d`, `nn.Linear` and `nn.BatchNorm2d` for the layers with parameters. Dense layers have biases, and so
#   have the convolutions of `lenet()`.
# - In `lenet()` all weights start as Xavier's **uniform** numbers, from $-a$ to $a$ with
#   $a = \sqrt{6/(\mathrm{fan\_in} + \mathrm{fan\_out})}$, and all biases with 0. For a convolution, `fan_in` is
#   $c_{in} \cdot 5 \cdot 5$ and `fan_out` $c_{out} \cdot 5 \cdot 5$. `nn.init` has it.
# - `modern_lenet` starts as PyTorch does by itself. Both networks are in training mode.
#
# *Example:* `lenet()` has 61,706 parameters, `modern_lenet()` 120,430.


# %% nbgrader={"grade": false, "grade_id": "lenet", "locked": false, "schema_version": 3, "solution": true, "task": false}
def lenet():
    """Make LeNet-5 with sigmoids and average pooling, Xavier-uniform weights and zero biases."""
    ### BEGIN SOLUTION
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
    ### END SOLUTION


def modern_lenet(width=16):
    """Make LeNet with batch normalisation, ReLU, max pooling and more channels."""
    ### BEGIN SOLUTION
    return nn.Sequential(
        *(nn.Conv2d(1, width, 5, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 5, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(50 * width, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "lenet_test", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
def _test_lenet():
    from dlcourse import check

    check.defined("lenet", globals())
    check.defined("modern_lenet", globals())

    def build(function, *args, name):
        net = check.call(function, *args, name=name)
        check.that(isinstance(net, nn.Module), f"{name} returned {type(net).__name__}, not an nn.Module")
        check.that(all(part.training for part in net.modules()), f"{name} is not in training mode")
        return net

    def parts(net, shapes, biased, norms, name):
        """Check shapes of all weights, in the order of use; return them."""
        order = []
        kinds = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)
        for part in net.modules():
            if isinstance(part, kinds):
                part.register_forward_hook(lambda part, *_: order.append(part))
        with torch.no_grad():
            out = check.call(net, torch.zeros(2, 1, 28, 28), name=f"{name} on images (2, 1, 28, 28)")
        check.tensor(out, f"the logits of {name}", shape=(2, 10), dtype=torch.float32)
        used = [part for part in order if not isinstance(part, nn.BatchNorm2d)]
        found = [tuple(part.weight.shape) for part in used]
        check.value(found, shapes, f"the shapes of the weights of {name}, in the order of use")
        check.value([part.bias is not None for part in used], biased, f"which layers of {name} have a bias")
        between = [part for part in order if isinstance(part, nn.BatchNorm2d)]
        check.value([part.num_features for part in between], norms, f"the channels of batch normalisation in {name}")
        total = sum(p.numel() for p in net.parameters())
        wanted = sum(math.prod(s) + s[0] * has for s, has in zip(shapes, biased, strict=True)) + 2 * sum(norms)
        check.value(total, wanted, f"the number of parameters of {name}", hint="a layer that is not used?")
        return used, between

    def compare(net, used, norms, modern, name, seed):
        """Compare with functions that use the network's own weights, made large enough to matter."""
        g = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for part in used:
                fan = part.weight[0].numel()
                part.weight.normal_(0, 2 / math.sqrt(fan), generator=g)
                if part.bias is not None:
                    part.bias.normal_(0, 0.5, generator=g)
            for norm in norms:
                norm.weight.uniform_(0.5, 1.5, generator=g)
                norm.bias.uniform_(-0.5, 0.5, generator=g)
        X = torch.rand(3, 1, 28, 28, generator=g)

        def reference(X, training):
            for k, part in enumerate(used[:2]):
                X = F.conv2d(X, part.weight, part.bias, padding=2 - 2 * k)
                if modern:
                    mean = X.mean(dim=(0, 2, 3)) if training else torch.zeros(X.shape[1])
                    variance = X.var(dim=(0, 2, 3), unbiased=False) if training else torch.ones(X.shape[1])
                    X = F.batch_norm(X, mean, variance, norms[k].weight, norms[k].bias)
                X = F.max_pool2d(X.relu(), 2) if modern else F.avg_pool2d(X.sigmoid(), 2)
            X = X.flatten(1)
            for part in used[2:4]:
                X = F.linear(X, part.weight, part.bias)
                X = X.relu() if modern else X.sigmoid()
            return F.linear(X, used[4].weight, used[4].bias)

        order = "compare each row of the table with your layers: activation, pooling, order (the lesson pools earlier), the end."
        with torch.no_grad():
            for training in (False, True):
                net.train(training)
                for norm in norms:
                    norm.reset_running_stats()
                mode = "training" if training else "evaluation"
                result = check.call(net, X, name=f"{name} in {mode} mode")
                what = f"the logits of {name} in {mode} mode"
                check.value(result, reference(X, training), what, rtol=1e-3, atol=1e-3, hint=order)

    old = build(lenet, name="lenet()")
    used, norms = parts(old, [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)], [True] * 5, [], "lenet()")
    for part in used:
        zero = "the biases of all convolutions and dense layers start at 0: look in nn.init."
        what = f"a bias of lenet(), {type(part).__name__}"
        check.value(part.bias.detach(), torch.zeros_like(part.bias), what, hint=zero)
        field = part.weight[0, 0].numel() if part.weight.dim() == 4 else 1
        bound = math.sqrt(6 / (field * (part.weight.shape[0] + part.weight.shape[1])))
        shape = tuple(part.weight.shape)
        uniform = "the weights of all convolutions and dense layers start as Xavier's uniform numbers: look in nn.init."
        largest = part.weight.detach().abs().max()
        check.tensor(largest, f"the largest entry of the weight {shape} of lenet()", low=0.9 * bound,
                     high=1.0001 * bound, hint=uniform)  # fmt: skip
        spread = part.weight.detach().std() / (bound / math.sqrt(3))
        check.tensor(spread, f"the deviation of the weight {shape}, by Xavier's", low=0.8, high=1.2, hint=uniform)
    compare(old, used, norms, False, "lenet()", 0)

    def modern(args, width, seed):
        name = f"modern_lenet({', '.join(map(str, args))})"
        net = build(modern_lenet, *args, name=name)
        shapes = [(width, 1, 5, 5), (2 * width, width, 5, 5), (120, 50 * width), (84, 120), (10, 84)]
        used, norms = parts(net, shapes, [False, False, True, True, True], [width, 2 * width], name)
        compare(net, used, norms, True, name, seed)

    modern((), 16, 1)
    ### BEGIN HIDDEN TESTS
    modern((3,), 3, 2)
    modern((1,), 1, 3)
    for function, what in ((lenet, "lenet()"), (modern_lenet, "modern_lenet()")):
        first, second = (build(function, name=what) for _ in range(2))
        weights = [list(net.parameters()) for net in (first, second)]
        new = not any(a is b for a in weights[0] for b in weights[1])
        check.that(new, f"{what} called twice gives networks that share parameters")
        other = not torch.equal(weights[0][0], weights[1][0])
        check.that(other, f"{what} called twice gives the same numbers", hint="do not seed inside the function.")
    ### END HIDDEN TESTS


_test_lenet()
print("Exercise 9: every test in this cell passed.")

# %% [markdown]
# ## Exercise 10: LeNet that reaches the bar (9 points, 40 minutes)
#
# Everything together, on real images.
#
# The cell below is given. `run_epoch` trains a network for one epoch. It mirrors each image with probability ½, moves
# each batch by at most one pixel, and makes one step of the optimiser **and of the schedule** after each batch.
#
# `Views(net)` makes of a *trained* network one that looks at each image ten times, mirrored or not, in place or moved
# by one pixel, and adds the logits. It costs no training, and gains up to half a point of accuracy. (The lesson looked
# twice.)


# %% nbgrader={"grade": false, "grade_id": "run_epoch", "locked": true, "schema_version": 3, "solution": false, "task": false}
def run_epoch(net, X, y, optimiser, schedule, batch_size=64):
    """Train for one epoch on images X (n, 1, 28, 28) and classes y (n,), in random order; return the mean loss."""
    net.train()
    total = 0.0
    # The smallest number of batches with at most batch_size images; they are equally large, or differ by one.
    for rows in torch.randperm(len(X)).tensor_split(math.ceil(len(X) / batch_size)):
        mirrored = torch.rand(len(rows), 1, 1, 1) < 0.5
        images = torch.where(mirrored, X[rows].flip(3), X[rows])
        r, c = torch.randint(3, (2,)).tolist()
        images = F.pad(images, (1, 1, 1, 1))[..., r : r + 28, c : c + 28]
        loss = F.cross_entropy(net(images), y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        total += loss.item() * len(rows)
    return total / len(X)


class Views(nn.Module):
    """A trained network that adds its logits of ten views of each image: mirrored or not, in place or moved by a pixel."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.train(net.training)  # a new module is in training mode, whatever it holds

    def forward(self, X):
        padded = F.pad(torch.cat([X, X.flip(3)]), (1, 1, 1, 1))
        corners = [(1, 1), (0, 1), (2, 1), (1, 0), (1, 2)]
        logits = sum(self.net(padded[..., r : r + 28, c : c + 28]) for r, c in corners)
        return logits[: len(X)] + logits[len(X) :]


# %% [markdown]
# Write `train_lenet(X, y, seed)`. `X` is `(n, 1, 28, 28)`, float32 from 0 to 1, `y` is `(n,)`, int64, classes 0 to 9;
# `n` is at least 256. Train a convolutional network on them and return it, an `nn.Module` that takes images
# `(m, 1, 28, 28)` and gives logits `(m, 10)`, float32.

# %% [markdown]
# - **The bar:** trained on the 12,000 images of Fashion-MNIST, at least **89 %** of the 2,000 test images are right.
#   Such a training takes about 30 to 100 seconds of processor time, by machine and load; the test refuses more than
#   180, counted in the thread that calls your function (`time.thread_time()`). The test cell trains five times, four
#   of them on at most 1,000 images.
# - The same data and seed give the same network (up to rounding), another seed another one. `torch.manual_seed(seed)`
#   is allowed here.
# - What you return is in **evaluation** mode, so that the logits of an image do not depend on the images beside it.
# - It learns from what it is given: with renamed classes and 1,000 images it still reaches 70 %.

# %% [markdown]
# *Not allowed:* trained weights from elsewhere, and loading data inside the function. Stay on the CPU. Build the
# network inside the function (copying lines of exercise 9 is fine): then this exercise does not depend on that one.
#
# *Advice.* The modern LeNet, about twelve epochs, batches of 64, and a learning rate that `OneCycleLR` raises and
# lowers to 0: for `AdamW` to 0.004, for `SGD` with Nesterov momentum 0.9 and weight decay 0.0005 to 0.05. Return
# `Views(net).eval()`. In our runs such networks had between 89.3 and 90.4 % right; with 13 epochs of `AdamW` and much
# dropout we once saw 88.3 %.
#
# If the time is short: `net.to(memory_format=torch.channels_last)`; max pooling *before* the normalisation and ReLU;
# 3 × 3 kernels with padding 1; one dense layer less. Against overfitting: batch normalisation and dropout after the
# first dense layer. Keep training images aside for your own choices: the test images measure, they do not choose.

# %% [markdown]
# *Example:* `train_lenet(X[:256], y[:256], 0)(X[:5])` has shape `(5, 10)`.


# %% nbgrader={"grade": false, "grade_id": "train_lenet", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_lenet(X, y, seed):
    """Train a convolutional network on images.

    Args:
        X: images, float32 (n, 1, 28, 28), from 0 to 1.
        y: classes, int64 (n,), 0 to 9.
        seed: an int from which all randomness follows.

    Returns:
        An nn.Module from images (m, 1, 28, 28) to logits (m, 10), in evaluation mode.
    """
    ### BEGIN SOLUTION
    torch.manual_seed(seed)
    net = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(32), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(1568, 120), nn.BatchNorm1d(120), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(120, 10),
    ).to(memory_format=torch.channels_last)
    epochs, batches = 11, -(-len(X) // 64)  # rounded up
    optimiser = torch.optim.SGD(net.parameters(), momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.05, total_steps=epochs * batches)
    for _ in range(epochs):
        run_epoch(net, X, y, optimiser, schedule)
    return Views(net).eval()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "train_lenet_test", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
def _test_train_lenet():
    from dlcourse import check, data

    check.defined("train_lenet", globals())

    X, y = data.fashion_mnist("train")
    X_test, y_test = data.fashion_mnist("test")

    def fit(X, y, seed):
        rules = "everything is learnt from the images that the function is given."
        with check.forbidden("dlcourse.data.fashion_mnist", "dlcourse.data.fashion_mnist_loader", because=rules):
            net = check.call(train_lenet, X, y, seed, name=f"train_lenet with {len(X)} images, seed {seed}")
        check.that(isinstance(net, nn.Module), f"train_lenet returned {type(net).__name__}, not an nn.Module")
        ready = "the last line is `return Views(net).eval()`; without Views, `net.eval()` and `return net`."
        check.that(not any(part.training for part in net.modules()), "the network is in training mode", hint=ready)
        return net

    def logits(net, X, what):
        with torch.no_grad():
            out = check.call(net, X, name=f"the trained network on {what}")
        check.tensor(out, f"the logits of {what}", shape=(len(X), 10), dtype=torch.float32)
        return out

    def accuracy(net, X, y):
        return (logits(net, X, f"{len(X)} images").argmax(dim=1) == y).to(torch.float32).mean().item()

    # Quick checks with 256 images: shapes, the same seed, another seed.
    net = fit(X[:256], y[:256], 3)
    first = logits(net, X_test[:50], "50 images")
    seeded = "every random number (weights, order, mirroring) must follow from seed: set it first of all."
    again = logits(fit(X[:256], y[:256], 3), X_test[:50], "50 images")
    check.value(again, first, "the logits after training again with the same seed", rtol=1e-2, atol=1e-2, hint=seeded)
    other = logits(fit(X[:256], y[:256], 4), X_test[:50], "50 images")
    check.that(not torch.allclose(other, first), "another seed gave the same network", hint="use seed for the weights.")
    names = torch.tensor([3, 7, 0, 9, 5, 1, 8, 2, 6, 4])
    right = accuracy(fit(X[:1000], names[y[:1000]], 1), X_test, names[y_test])
    what = f"with renamed classes and 1,000 images, the accuracy is {right:.3f}, below 0.70"
    check.that(right >= 0.70, what, hint="everything must be learnt from X and y; see the advice.")

    start, clock = time.thread_time(), time.perf_counter()
    net = fit(X, y, 0)
    used, wall = time.thread_time() - start, time.perf_counter() - clock
    right = accuracy(net, X_test, y_test)
    print(f"test accuracy {right:.4f}; training took {wall:.1f} s ({used:.1f} s of processor time)")
    check.that(used <= 180, f"training took {used:.0f} s of processor time; at most 180 are allowed")
    check.that(right >= 0.89, f"the test accuracy is {right:.4f}, below 0.89", hint="see the advice in the text.")
    ### BEGIN HIDDEN TESTS
    alone = logits(net, X_test[:1], "one image")
    crowd = logits(net, X_test[:64], "64 images")[:1]
    check.value(alone, crowd, "the logits of one image alone", rtol=1e-3, atol=1e-3)
    ### END HIDDEN TESTS


_test_train_lenet()
print("Exercise 10: every test in this cell passed.")

# %% [markdown]
# ### Look inside your network (no points)
#
# The cell trains *your* network once more, on 1,000 images only, and draws its first kernels (upper row, each scaled to
# its own range, black is the smallest weight) and what they make of one test image (lower row). Some kernels answer to
# edges of one direction, some to flat areas. Which ones do you recognise?

# %%
# alt: Two rows of small squares, in grey. Upper row: the first kernels of your network, of few pixels each. Lower
#   row: what each kernel makes of one test image, an ankle boot; in some maps its outline is bright, in others its
#   area.
X_some, y_some = data.fashion_mnist("train")
small_net = train_lenet(X_some[:1000], y_some[:1000], 0)
first_conv = next(part for part in small_net.modules() if isinstance(part, nn.Conv2d))
with torch.no_grad():
    maps = first_conv(data.fashion_mnist("test")[0][:1])[0]
count = min(8, len(maps))
fig, panels = plt.subplots(2, count, figsize=(1.6 * count, 3.4), squeeze=False)
for k in range(count):
    panels[0, k].imshow(first_conv.weight[k, 0].detach(), cmap="gray")
    panels[1, k].imshow(maps[k], cmap="gray")
    for panel in panels[:, k]:
        panel.axis("off")
plt.show()

# %% [markdown] nbgrader={"grade": false, "grade_id": "weekly_report_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## Weekly report (4 points, 15 minutes)
#
# Write 80 to 200 words in three parts:
#
# 1. **What I learnt:** at least one thing that you can now do or explain, with a result or an observation of your own
#    (a number, a plot, an error message and its cause).
# 2. **What I am stuck on:** one precise question. What did you try? If nothing is open, name the point that cost you
#    most and how you solved it.
# 3. **What I do next:** one concrete step for the coming week.
#
# Add a line on help: which person or AI tool contributed to which exercise, or "none".
#
# Graded: all parts present, specific to your own work. Success is not graded, and neither is your English.
#
# ### BEGIN MARK SCHEME
# **4 points: specific.** All three parts and the line on help are there. Part 1 has an observation that can only come
# from doing the work (a number, a message, a figure); part 2 says what exactly is unclear or was hard, and what was
# tried; part 3 is a step one could check off.
# *Example:* "My conv2d was right for one group and wrong for two: I had cut the kernels along the wrong axis. ... With
# width 32 my LeNet took twice as long and gained 0.3 points; I tried two seeds and do not know if that is luck. ... On
# Monday I count the multiply-adds of both. Help: none."
#
# **2 points: general or incomplete.** One part or the line on help is missing, or the parts are there but two of them
# are so general that they would fit any week.
# *Example:* "I learnt convolution. Groups were difficult. Next week I continue with modern networks. Help: none."
#
# **0 points: no report.** Two or more parts missing, or only a list of the exercises, or text that is not about this
# week.
# *Example:* "Everything was fine, I finished all exercises."
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade": true, "grade_id": "weekly_report", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# **What I learnt.** I can predict the size of every feature map before I run a network. My first network for exercise
# 10 stopped with "mat1 and mat2 shapes cannot be multiplied (64x512 and 800x120)": I had forgotten the padding of the
# first layer, so the second pooling gave 4 × 4 and not 5 × 5. In exercise 7 a separable 3 × 3 layer from 16 to 32
# channels needed seven times fewer multiply-adds than a standard one.
#
# **What I am stuck on.** My receptive fields by arithmetic and by gradients agree, but the gradient in the corners of
# the field is hundreds of times smaller than in the centre. I plotted it for three networks. How large is the field
# that really counts?
#
# **What I do next.** I measure this for LeNet before and after training, and draw both maps, before Thursday.
#
# **Help.** An AI tool explained `unfold` to me (exercise 3). The rest is mine.
