"""What libraries do only once, done in the warm process: each kernel would else spend a quarter of a second on it."""

import contextlib
import functools
import io
import sys
import warnings


def rehearse() -> None:
    """Use each library that is loaded once, so that what it reads and builds at its first use is there.

    Nothing here draws a random number, starts a thread, or leaves a figure. torch's own first uses are left to
    kernels: after a backward pass it refuses one in a forked process.
    """
    for library, use in (("matplotlib.figure", _draw), ("sklearn.base", _fit)):
        if library in sys.modules:
            # A library of another version may lack what is used here, which then costs time only.
            with contextlib.suppress(Exception), warnings.catch_warnings():
                use()


def _draw() -> None:
    """Draw a figure: fonts, the grammar of formulas and Pillow's formats take a quarter of a first figure's time."""
    from matplotlib import textpath
    from matplotlib.backends import backend_agg
    from matplotlib.figure import Figure

    # Each picture of a figure, and there are two for one that is cut to its size, has its own parser of formulas,
    # which remembers what it read. With one for all, the labels of a logarithmic axis are read once: a third of
    # what such a figure takes.
    shared = functools.cache(backend_agg.MathTextParser)
    backend_agg.MathTextParser = textpath.MathTextParser = shared
    # Without pyplot: a kernel begins without a figure.
    figure = Figure(figsize=(2, 2))
    axes = figure.add_subplot()
    axes.plot([1, 2], [1, 100], "-o")
    axes.set_yscale("log")
    # The powers of ten that losses and learning rates have most.
    axes.set_yticks([10.0**power for power in range(-4, 6)])
    axes.set_xlabel("x")
    for kind in ("png", "svg"):
        figure.savefig(io.BytesIO(), format=kind)


def _fit() -> None:
    """Fit a line: scikit-learn first looks through all installed packages for other kinds of tables."""
    from sklearn.linear_model import LinearRegression

    LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
