"""Other answers to the exercises of week 5: the right ones must earn all points, the wrong ones must not.

Each cell replaces the answer cell of one exercise. The header says which, and what is different or mistaken.
"""

# %%
import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn

from dlcourse import data


# %% activations right: tables of functions with masks that are filled in
def _split(x, above, below):
    result = np.empty_like(x)
    up = x > 0
    result[up], result[~up] = above(x[up]), below(x[~up])
    return result


def activation(name, x):
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    table = {
        "sigmoid": (lambda t: 1 / (1 + np.exp(-t)), lambda t: np.exp(t) / (1 + np.exp(t))),
        "tanh": (np.tanh, np.tanh),
        "relu": (lambda t: t, np.zeros_like),
        "leaky_relu": (lambda t: t, lambda t: t / 100),
        "elu": (lambda t: t, lambda t: np.exp(t) - 1),
        "selu": (lambda t: scale * t, lambda t: scale * alpha * (np.exp(t) - 1)),
    }
    if name not in table:
        raise ValueError(name)
    return _split(x, *table[name])


def activation_grad(name, x):
    s = activation(name, x)  # raises for an unknown name
    if name == "sigmoid":
        return s * (1 - s)
    if name == "tanh":
        return 1 - s * s
    low = {"relu": np.zeros_like, "leaky_relu": lambda t: np.full_like(t, 0.01), "elu": np.exp}
    low["selu"] = lambda t: 1.0507009873554805 * 1.6732632423543772 * np.exp(t)
    high = 1.0507009873554805 if name == "selu" else 1.0
    return _split(x, lambda t: np.full_like(t, high), low[name])


# %% activations right: one number after the other
def _one(name, t):
    if name == "sigmoid":
        s = 1 / (1 + math.exp(-t)) if t > 0 else math.exp(t) / (1 + math.exp(t))
        return s, s * (1 - s)
    if name == "tanh":
        return math.tanh(t), 1 - math.tanh(t) ** 2
    scale = 1.0507009873554805 if name == "selu" else 1
    if name in ("elu", "selu"):
        alpha = 1.6732632423543772 if name == "selu" else 1
        return (scale * t, scale) if t > 0 else (scale * alpha * math.expm1(t), scale * alpha * math.exp(t))
    slope = {"relu": 0.0, "leaky_relu": 0.01}.get(name)
    if slope is None:
        raise ValueError(f"unknown: {name}")
    return (t, 1.0) if t > 0 else (slope * t, slope)


def activation(name, x):
    _one(name, 0.0)
    return np.array([_one(name, float(t))[0] for t in x.reshape(-1)], dtype=x.dtype).reshape(x.shape)


def activation_grad(name, x):
    _one(name, 0.0)
    return np.array([_one(name, float(t))[1] for t in x.reshape(-1)], dtype=x.dtype).reshape(x.shape)


# %% activations right: PyTorch's functions for the values, formulas for the derivatives
def activation(name, x):
    functions = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky_relu": nn.functional.leaky_relu,
        "elu": nn.functional.elu,
        "selu": torch.selu,
    }
    if name not in functions:
        raise ValueError("unknown activation")
    return functions[name](torch.tensor(x)).numpy()


def activation_grad(name, x):
    value, positive = activation(name, x), (x > 0).astype(x.dtype)
    if name == "sigmoid":
        return value * (1 - value)
    if name == "tanh":
        return 1 - value**2
    if name == "relu":
        return positive
    if name == "leaky_relu":
        return positive + (1 - positive) * x.dtype.type(0.01)
    if name == "elu":
        return positive + (1 - positive) * np.exp(np.minimum(x, 0))
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return scale * (positive + (1 - positive) * alpha * np.exp(np.minimum(x, 0)))


# %% activations wrong: sigmoid overflows for large negative entries
def activation(name, x):
    if name == "sigmoid":
        return 1 / (1 + np.exp(-x))
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


def activation_grad(name, x):
    if name == "sigmoid":
        return (1 - np.tanh(x / 2) ** 2) / 4
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))
    if name == "leaky_relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01))
    negative = np.exp(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


# %% activations wrong: the sigmoid's derivative is s + s squared
def activation(name, x):
    if name == "sigmoid":
        return (1 + np.tanh(x / 2)) / 2
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


def activation_grad(name, x):
    if name == "sigmoid":
        s = (1 + np.tanh(x / 2)) / 2
        return s * (1 + s)
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))
    if name == "leaky_relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01))
    negative = np.exp(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


# %% activations wrong: tanh's derivative without the square
def activation(name, x):
    if name == "sigmoid":
        return (1 + np.tanh(x / 2)) / 2
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


def activation_grad(name, x):
    if name == "sigmoid":
        return (1 - np.tanh(x / 2) ** 2) / 4
    if name == "tanh":
        return 1 - np.tanh(x)
    if name == "relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))
    if name == "leaky_relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01))
    negative = np.exp(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


# %% activations wrong: ReLU's derivative at 0 is 1
def activation(name, x):
    if name == "sigmoid":
        return (1 + np.tanh(x / 2)) / 2
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


def activation_grad(name, x):
    if name == "sigmoid":
        return (1 - np.tanh(x / 2) ** 2) / 4
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x >= 0, x.dtype.type(1), x.dtype.type(0))
    if name == "leaky_relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01))
    negative = np.exp(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


# %% activations wrong: ReLU's derivative is a bool array
def activation(name, x):
    if name == "sigmoid":
        return (1 + np.tanh(x / 2)) / 2
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


def activation_grad(name, x):
    if name == "sigmoid":
        return (1 - np.tanh(x / 2) ** 2) / 4
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return x > 0
    if name == "leaky_relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01))
    negative = np.exp(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


# %% activations wrong: ReLU changes its input in place
def activation(name, x):
    if name == "sigmoid":
        return (1 + np.tanh(x / 2)) / 2
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        x[x < 0] = 0
        return x
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


def activation_grad(name, x):
    if name == "sigmoid":
        return (1 - np.tanh(x / 2) ** 2) / 4
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))
    if name == "leaky_relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01))
    negative = np.exp(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


# %% activations wrong: slope 0.1 for the leaky ReLU
def activation(name, x):
    if name == "sigmoid":
        return (1 + np.tanh(x / 2)) / 2
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.1 * x)
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


def activation_grad(name, x):
    if name == "sigmoid":
        return (1 - np.tanh(x / 2) ** 2) / 4
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))
    if name == "leaky_relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0.1))
    negative = np.exp(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


# %% activations wrong: the derivative of the leaky ReLU is float64 for float32 input
def activation(name, x):
    if name == "sigmoid":
        return (1 + np.tanh(x / 2)) / 2
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


def activation_grad(name, x):
    if name == "sigmoid":
        return (1 - np.tanh(x / 2) ** 2) / 4
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))
    if name == "leaky_relu":
        return np.where(x > 0, 1.0, 0.01)
    negative = np.exp(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


# %% activations wrong: ELU's exponential overflows in the branch that is not used
def activation(name, x):
    if name == "sigmoid":
        return (1 + np.tanh(x / 2)) / 2
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    negative = np.expm1(x)
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


def activation_grad(name, x):
    if name == "sigmoid":
        return (1 - np.tanh(x / 2) ** 2) / 4
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))
    if name == "leaky_relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01))
    negative = np.exp(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


# %% activations wrong: SELU forgets the scale for positive entries
def activation(name, x):
    if name == "sigmoid":
        return (1 + np.tanh(x / 2)) / 2
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return np.where(x > 0, x, 1.0507009873554805 * 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


def activation_grad(name, x):
    if name == "sigmoid":
        return (1 - np.tanh(x / 2) ** 2) / 4
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))
    if name == "leaky_relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01))
    negative = np.exp(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


# %% activations wrong: SELU's derivative forgets alpha
def activation(name, x):
    if name == "sigmoid":
        return (1 + np.tanh(x / 2)) / 2
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


def activation_grad(name, x):
    if name == "sigmoid":
        return (1 - np.tanh(x / 2) ** 2) / 4
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))
    if name == "leaky_relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01))
    negative = np.exp(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, negative)
    raise ValueError(f"no activation is called {name!r}")


# %% activations wrong: ELU's derivative at 0 is the value minus one
def activation(name, x):
    if name == "sigmoid":
        return (1 + np.tanh(x / 2)) / 2
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


def activation_grad(name, x):
    if name == "sigmoid":
        return (1 - np.tanh(x / 2) ** 2) / 4
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))
    if name == "leaky_relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01))
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * negative)
    raise ValueError(f"no activation is called {name!r}")


# %% activations wrong: an unknown name gives None
def activation(name, x):
    if name == "sigmoid":
        return (1 + np.tanh(x / 2)) / 2
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
    return None


def activation_grad(name, x):
    if name == "sigmoid":
        return (1 - np.tanh(x / 2) ** 2) / 4
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))
    if name == "leaky_relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01))
    negative = np.exp(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * negative)
    return None


# %% activations wrong: an unknown name raises KeyError
def activation(name, x):
    if name == "sigmoid":
        return (1 + np.tanh(x / 2)) / 2
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0)
    if name == "leaky_relu":
        return np.where(x > 0, x, 0.01 * x)
    negative = np.expm1(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, x, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
    raise KeyError(f"no activation is called {name!r}")


def activation_grad(name, x):
    if name == "sigmoid":
        return (1 - np.tanh(x / 2) ** 2) / 4
    if name == "tanh":
        return 1 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))
    if name == "leaky_relu":
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01))
    negative = np.exp(np.minimum(x, 0))
    if name == "elu":
        return np.where(x > 0, 1, negative)
    if name == "selu":
        return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * negative)
    raise KeyError(f"no activation is called {name!r}")


# %% activations wrong: derivatives by automatic differentiation
def activation(name, x):
    table = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "selu": torch.selu}
    table |= {"leaky_relu": nn.functional.leaky_relu, "elu": nn.functional.elu}
    if name not in table:
        raise ValueError(name)
    return table[name](torch.tensor(x)).numpy()


def activation_grad(name, x):
    table = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "selu": torch.selu}
    table |= {"leaky_relu": nn.functional.leaky_relu, "elu": nn.functional.elu}
    if name not in table:
        raise ValueError(name)
    leaf = torch.tensor(x, requires_grad=True)
    table[name](leaf).sum().backward()
    return leaf.grad.numpy()


# %% forward right: loops over rows and torch's cross-entropy
def mlp_forward(X, params):
    Z = np.stack([row @ params["W1"] + params["b1"] for row in X])
    H = np.where(Z > 0, Z, 0)
    return [Z, H, np.einsum("nh,hk->nk", H, params["W2"]) + params["b2"]]


def mlp_loss(logits, y, params, decay):
    penalty = sum(np.linalg.norm(params[name]) ** 2 for name in ("W1", "W2"))
    return nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(y)).item() + decay * penalty / 2


# %% forward right: logaddexp and a float64 result
def mlp_forward(X, params):
    Z = np.add(np.dot(X, params["W1"]), params["b1"])
    H = Z * (Z > 0)
    return Z, H, np.dot(H, params["W2"]) + params["b2"]


def mlp_loss(logits, y, params, decay):
    own = np.take_along_axis(logits, y[:, None], axis=1)
    loss = np.mean(np.logaddexp.reduce(logits, axis=1, keepdims=True) - own)
    return loss + 0.5 * decay * (np.sum(np.square(params["W1"])) + np.sum(np.square(params["W2"])))


# %% forward wrong: no bias in the second layer
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return Z, H, H @ params["W2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)


# %% forward wrong: no bias in the first layer
def mlp_forward(X, params):
    Z = X @ params["W1"]
    H = np.maximum(Z, 0)
    return Z, H, H @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)


# %% forward wrong: the logits are computed from Z
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return Z, H, Z @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)


# %% forward wrong: H and Z are returned in the other order
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return H, Z, H @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)


# %% forward wrong: ReLU works in place on Z
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0, out=Z)
    return Z, H, H @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)


# %% forward wrong: ReLU on the logits as well
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return Z, H, np.maximum(H @ params["W2"] + params["b2"], 0)


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)


# %% forward wrong: softmax overflows
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return Z, H, H @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)


# %% forward wrong: the largest logit of the whole matrix is subtracted
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return Z, H, H @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max()
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)


# %% forward wrong: a small number inside the logarithm hides large losses
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return Z, H, H @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    return float(-np.log(p[np.arange(len(y)), y] + 1e-12).mean() + decay / 2 * penalty)


# %% forward wrong: the sum over the rows instead of the mean
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return Z, H, H @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    return float((log_sum - shifted[np.arange(len(y)), y]).sum() + decay / 2 * penalty)


# %% forward wrong: the penalty without one half
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return Z, H, H @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay * penalty)


# %% forward wrong: the mean of the squared weights
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return Z, H, H @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W1"] ** 2).mean() + (params["W2"] ** 2).mean()
    return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)


# %% forward wrong: the biases are penalised too
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return Z, H, H @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (
        (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum() + (params["b1"] ** 2).sum() + (params["b2"] ** 2).sum()
    )
    return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)


# %% forward wrong: only the second matrix is penalised
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return Z, H, H @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W2"] ** 2).sum()
    return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)


# %% forward wrong: the penalty is divided by the number of rows
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return Z, H, H @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty / len(y))


# %% forward wrong: an array instead of a float
def mlp_forward(X, params):
    Z = X @ params["W1"] + params["b1"]
    H = np.maximum(Z, 0)
    return Z, H, H @ params["W2"] + params["b2"]


def mlp_loss(logits, y, params, decay):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    penalty = (params["W1"] ** 2).sum() + (params["W2"] ** 2).sum()
    return np.asarray((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)


# %% backward right: one row after the other
def mlp_backward(X, y, params, Z, H, logits, decay):
    n, k = logits.shape
    grads = {name: np.zeros_like(array) for name, array in params.items()}
    grads["X"] = np.zeros_like(X)
    for i in range(n):
        p = np.exp(logits[i] - logits[i].max())
        p = p / p.sum()
        dO = np.array([(p[c] - (c == y[i])) / n for c in range(k)])
        grads["b2"] += dO
        grads["W2"] += np.outer(H[i], dO)
        dZ = (params["W2"] @ dO) * np.where(Z[i] > 0, 1.0, 0.0)
        grads["b1"] += dZ
        grads["W1"] += np.outer(X[i], dZ)
        grads["X"][i] = params["W1"] @ dZ
    for name in ("W1", "W2"):
        grads[name] += decay * params[name]
    return grads


# %% backward right: einsum and scipy-like softmax through logarithms
def mlp_backward(X, y, params, Z, H, logits, decay):
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    G = (np.exp(log_p) - np.eye(logits.shape[1])[y]) / logits.shape[0]
    D = np.einsum("nk,hk->nh", G, params["W2"])
    D = np.where(H > 0, D, 0)
    out = dict(W2=np.einsum("nh,nk->hk", H, G) + decay * params["W2"], b2=np.einsum("nk->k", G))
    out.update(W1=np.einsum("nd,nh->dh", X, D) + decay * params["W1"], b1=np.einsum("nh->h", D))
    out["X"] = np.einsum("nh,dh->nd", D, params["W1"])
    return out


# %% backward wrong: the mean over the rows is forgotten
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    dO = exp / exp.sum(axis=1, keepdims=True)
    dO[np.arange(len(y)), y] -= 1
    dZ = dO @ params["W2"].T * (Z > 0)
    return {
        "W1": X.T @ dZ + decay * params["W1"],
        "b1": dZ.sum(axis=0),
        "W2": H.T @ dO + decay * params["W2"],
        "b2": dO.sum(axis=0),
        "X": dZ @ params["W1"].T,
    }


# %% backward wrong: the mean is taken twice
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    dO = exp / exp.sum(axis=1, keepdims=True)
    dO[np.arange(len(y)), y] -= 1
    dO /= len(y)
    dZ = dO @ params["W2"].T * (Z > 0)
    return {
        "W1": X.T @ dZ + decay * params["W1"],
        "b1": dZ.mean(axis=0),
        "W2": H.T @ dO + decay * params["W2"],
        "b2": dO.mean(axis=0),
        "X": dZ @ params["W1"].T,
    }


# %% backward wrong: ReLU's derivative is forgotten
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    dO = exp / exp.sum(axis=1, keepdims=True)
    dO[np.arange(len(y)), y] -= 1
    dO /= len(y)
    dZ = dO @ params["W2"].T
    return {
        "W1": X.T @ dZ + decay * params["W1"],
        "b1": dZ.sum(axis=0),
        "W2": H.T @ dO + decay * params["W2"],
        "b2": dO.sum(axis=0),
        "X": dZ @ params["W1"].T,
    }


# %% backward wrong: ReLU's derivative at 0 is 1
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    dO = exp / exp.sum(axis=1, keepdims=True)
    dO[np.arange(len(y)), y] -= 1
    dO /= len(y)
    dZ = dO @ params["W2"].T * (Z >= 0)
    return {
        "W1": X.T @ dZ + decay * params["W1"],
        "b1": dZ.sum(axis=0),
        "W2": H.T @ dO + decay * params["W2"],
        "b2": dO.sum(axis=0),
        "X": dZ @ params["W1"].T,
    }


# %% backward wrong: no penalty
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    dO = exp / exp.sum(axis=1, keepdims=True)
    dO[np.arange(len(y)), y] -= 1
    dO /= len(y)
    dZ = dO @ params["W2"].T * (Z > 0)
    return {
        "W1": X.T @ dZ,
        "b1": dZ.sum(axis=0),
        "W2": H.T @ dO,
        "b2": dO.sum(axis=0),
        "X": dZ @ params["W1"].T,
    }


# %% backward wrong: the penalty is divided by the number of rows
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    dO = exp / exp.sum(axis=1, keepdims=True)
    dO[np.arange(len(y)), y] -= 1
    dO /= len(y)
    dZ = dO @ params["W2"].T * (Z > 0)
    return {
        "W1": X.T @ dZ + decay / len(y) * params["W1"],
        "b1": dZ.sum(axis=0),
        "W2": H.T @ dO + decay / len(y) * params["W2"],
        "b2": dO.sum(axis=0),
        "X": dZ @ params["W1"].T,
    }


# %% backward wrong: biases decay as well
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    dO = exp / exp.sum(axis=1, keepdims=True)
    dO[np.arange(len(y)), y] -= 1
    dO /= len(y)
    dZ = dO @ params["W2"].T * (Z > 0)
    return {
        "W1": X.T @ dZ + decay * params["W1"],
        "b1": dZ.sum(axis=0) + decay * params["b1"],
        "W2": H.T @ dO + decay * params["W2"],
        "b2": dO.sum(axis=0),
        "X": dZ @ params["W1"].T,
    }


# %% backward wrong: softmax overflows
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits)
    dO = exp / exp.sum(axis=1, keepdims=True)
    dO[np.arange(len(y)), y] -= 1
    dO /= len(y)
    dZ = dO @ params["W2"].T * (Z > 0)
    return {
        "W1": X.T @ dZ + decay * params["W1"],
        "b1": dZ.sum(axis=0),
        "W2": H.T @ dO + decay * params["W2"],
        "b2": dO.sum(axis=0),
        "X": dZ @ params["W1"].T,
    }


# %% backward wrong: softmax over the rows
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    dO = exp / exp.sum(axis=0, keepdims=True)
    dO[np.arange(len(y)), y] -= 1
    dO /= len(y)
    dZ = dO @ params["W2"].T * (Z > 0)
    return {
        "W1": X.T @ dZ + decay * params["W1"],
        "b1": dZ.sum(axis=0),
        "W2": H.T @ dO + decay * params["W2"],
        "b2": dO.sum(axis=0),
        "X": dZ @ params["W1"].T,
    }


# %% backward wrong: the one-hot labels are added
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    dO = exp / exp.sum(axis=1, keepdims=True)
    dO[np.arange(len(y)), y] += 1
    dO /= len(y)
    dZ = dO @ params["W2"].T * (Z > 0)
    return {
        "W1": X.T @ dZ + decay * params["W1"],
        "b1": dZ.sum(axis=0),
        "W2": H.T @ dO + decay * params["W2"],
        "b2": dO.sum(axis=0),
        "X": dZ @ params["W1"].T,
    }


# %% backward wrong: the gradient for W2 uses Z
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    dO = exp / exp.sum(axis=1, keepdims=True)
    dO[np.arange(len(y)), y] -= 1
    dO /= len(y)
    dZ = dO @ params["W2"].T * (Z > 0)
    return {
        "W1": X.T @ dZ + decay * params["W1"],
        "b1": dZ.sum(axis=0),
        "W2": Z.T @ dO + decay * params["W2"],
        "b2": dO.sum(axis=0),
        "X": dZ @ params["W1"].T,
    }


# %% backward wrong: bias gradients with an axis too many
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    dO = exp / exp.sum(axis=1, keepdims=True)
    dO[np.arange(len(y)), y] -= 1
    dO /= len(y)
    dZ = dO @ params["W2"].T * (Z > 0)
    return {
        "W1": X.T @ dZ + decay * params["W1"],
        "b1": dZ.sum(axis=0),
        "W2": H.T @ dO + decay * params["W2"],
        "b2": dO.sum(axis=0, keepdims=True),
        "X": dZ @ params["W1"].T,
    }


# %% backward wrong: no gradient for X
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    dO = exp / exp.sum(axis=1, keepdims=True)
    dO[np.arange(len(y)), y] -= 1
    dO /= len(y)
    dZ = dO @ params["W2"].T * (Z > 0)
    return {
        "W1": X.T @ dZ + decay * params["W1"],
        "b1": dZ.sum(axis=0),
        "W2": H.T @ dO + decay * params["W2"],
        "b2": dO.sum(axis=0),
    }


# %% backward wrong: the gradient for X forgets the hidden layer's gate
def mlp_backward(X, y, params, Z, H, logits, decay):
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    dO = exp / exp.sum(axis=1, keepdims=True)
    dO[np.arange(len(y)), y] -= 1
    dO /= len(y)
    dZ = dO @ params["W2"].T * (Z > 0)
    return {
        "W1": X.T @ dZ + decay * params["W1"],
        "b1": dZ.sum(axis=0),
        "W2": H.T @ dO + decay * params["W2"],
        "b2": dO.sum(axis=0),
        "X": (dO @ params["W2"].T) @ params["W1"].T,
    }


# %% backward wrong: autograd does the work
def mlp_backward(X, y, params, Z, H, logits, decay):
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in {**params, "X": X}.items()}
    hidden = torch.relu(leaves["X"] @ leaves["W1"] + leaves["b1"])
    loss = nn.functional.cross_entropy(hidden @ leaves["W2"] + leaves["b2"], torch.tensor(y))
    loss = loss + decay / 2 * ((leaves["W1"] ** 2).sum() + (leaves["W2"] ** 2).sum())
    loss.backward()
    return {name: leaf.grad.numpy() for name, leaf in leaves.items()}


# %% gradient_check right: deep copies, flat index
def gradient_check(f, params, grads, eps):
    result = {}
    for name in params:
        copies = {key: np.array(value, order="C") for key, value in params.items()}
        flat = copies[name].reshape(-1)
        m = np.empty(flat.size)
        for i in range(flat.size):
            old = flat[i]
            flat[i] = old + eps
            up = f(copies)
            flat[i] = old - eps
            down = f(copies)
            flat[i] = old
            m[i] = (up - down) / (2 * eps)
        g = np.asarray(grads[name]).reshape(-1)
        total = math.sqrt(g @ g) + math.sqrt(m @ m)
        result[name] = 0.0 if total == 0 else math.sqrt((g - m) @ (g - m)) / total
    return result


# %% gradient_check right: in place, each entry put back
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, array in params.items():
        slopes = []
        for place in np.ndindex(array.shape):
            before = array[place]
            values = []
            for step in (eps, -eps):
                array[place] = before + step
                values.append(f(params))
            array[place] = before
            slopes.append((values[0] - values[1]) / eps / 2)
        m = np.array(slopes).reshape(array.shape)
        top, bottom = np.sqrt(np.sum((grads[name] - m) ** 2)), np.sqrt(np.sum(grads[name] ** 2)) + np.sqrt(np.sum(m**2))
        errors[name] = top / bottom if bottom > 0 else 0.0
    return errors


# %% gradient_check wrong: one-sided differences
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            step = np.zeros(values.shape)
            step[index] = eps
            rise = f({**params, name: values + step}) - f(params)
            numerical[index] = rise / eps
        size = np.linalg.norm(grads[name]) + np.linalg.norm(numerical)
        errors[name] = float(np.linalg.norm(grads[name] - numerical) / size) if size else 0.0
    return errors


# %% gradient_check wrong: divided by eps instead of two eps
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            step = np.zeros(values.shape)
            step[index] = eps
            rise = f({**params, name: values + step}) - f({**params, name: values - step})
            numerical[index] = rise / eps
        size = np.linalg.norm(grads[name]) + np.linalg.norm(numerical)
        errors[name] = float(np.linalg.norm(grads[name] - numerical) / size) if size else 0.0
    return errors


# %% gradient_check wrong: the step is fixed
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            step = np.zeros(values.shape)
            step[index] = 1e-5
            rise = f({**params, name: values + step}) - f({**params, name: values - step})
            numerical[index] = rise / 2e-5
        size = np.linalg.norm(grads[name]) + np.linalg.norm(numerical)
        errors[name] = float(np.linalg.norm(grads[name] - numerical) / size) if size else 0.0
    return errors


# %% gradient_check wrong: the absolute error
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            step = np.zeros(values.shape)
            step[index] = eps
            rise = f({**params, name: values + step}) - f({**params, name: values - step})
            numerical[index] = rise / (2 * eps)
        size = np.linalg.norm(grads[name]) + np.linalg.norm(numerical)
        errors[name] = float(np.linalg.norm(grads[name] - numerical)) if size else 0.0
    return errors


# %% gradient_check wrong: divided by the norm of the gradient only
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            step = np.zeros(values.shape)
            step[index] = eps
            rise = f({**params, name: values + step}) - f({**params, name: values - step})
            numerical[index] = rise / (2 * eps)
        size = np.linalg.norm(grads[name])
        errors[name] = float(np.linalg.norm(grads[name] - numerical) / size) if size else 0.0
    return errors


# %% gradient_check wrong: divided by the larger norm
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            step = np.zeros(values.shape)
            step[index] = eps
            rise = f({**params, name: values + step}) - f({**params, name: values - step})
            numerical[index] = rise / (2 * eps)
        size = max(np.linalg.norm(grads[name]), np.linalg.norm(numerical))
        errors[name] = float(np.linalg.norm(grads[name] - numerical) / size) if size else 0.0
    return errors


# %% gradient_check wrong: sums of absolute values instead of norms
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            step = np.zeros(values.shape)
            step[index] = eps
            rise = f({**params, name: values + step}) - f({**params, name: values - step})
            numerical[index] = rise / (2 * eps)
        size = np.abs(grads[name]).sum() + np.abs(numerical).sum()
        errors[name] = float(np.abs(grads[name] - numerical).sum() / size) if size else 0.0
    return errors


# %% gradient_check wrong: 0/0 gives NaN
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            step = np.zeros(values.shape)
            step[index] = eps
            rise = f({**params, name: values + step}) - f({**params, name: values - step})
            numerical[index] = rise / (2 * eps)
        size = np.linalg.norm(grads[name]) + np.linalg.norm(numerical)
        errors[name] = float(np.linalg.norm(grads[name] - numerical) / size)
    return errors


# %% gradient_check wrong: all names of grads are asked
def gradient_check(f, params, grads, eps):
    errors = {}
    for name in grads:
        values = params[name]
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            step = np.zeros(values.shape)
            step[index] = eps
            rise = f({**params, name: values + step}) - f({**params, name: values - step})
            numerical[index] = rise / (2 * eps)
        size = np.linalg.norm(grads[name]) + np.linalg.norm(numerical)
        errors[name] = float(np.linalg.norm(grads[name] - numerical) / size) if size else 0.0
    return errors


# %% gradient_check wrong: all entries move together
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            step = np.zeros(values.shape)
            step[...] = eps
            rise = f({**params, name: values + step}) - f({**params, name: values - step})
            numerical[index] = rise / (2 * eps)
        size = np.linalg.norm(grads[name]) + np.linalg.norm(numerical)
        errors[name] = float(np.linalg.norm(grads[name] - numerical) / size) if size else 0.0
    return errors


# %% gradient_check wrong: the largest relative error of one entry
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            step = np.zeros(values.shape)
            step[index] = eps
            rise = f({**params, name: values + step}) - f({**params, name: values - step})
            numerical[index] = rise / (2 * eps)
        size = np.linalg.norm(grads[name]) + np.linalg.norm(numerical)
        errors[name] = (
            float((np.abs(grads[name] - numerical) / (np.abs(grads[name]) + np.abs(numerical) + 1e-300)).max())
            if size
            else 0.0
        )
    return errors


# %% gradient_check wrong: one number for all names
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            step = np.zeros(values.shape)
            step[index] = eps
            rise = f({**params, name: values + step}) - f({**params, name: values - step})
            numerical[index] = rise / (2 * eps)
        size = np.linalg.norm(grads[name]) + np.linalg.norm(numerical)
        errors[name] = float(np.linalg.norm(grads[name] - numerical) / size) if size else 0.0
    return max(errors.values())


# %% gradient_check wrong: spectral norms of matrices
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            step = np.zeros(values.shape)
            step[index] = eps
            rise = f({**params, name: values + step}) - f({**params, name: values - step})
            numerical[index] = rise / (2 * eps)
        size = sum(np.linalg.norm(np.atleast_2d(a.squeeze()), 2) for a in (grads[name], numerical))
        errors[name] = (
            float(np.linalg.norm(np.atleast_2d((grads[name] - numerical).squeeze()), 2) / size) if size else 0.0
        )
    return errors


# %% gradient_check wrong: plus eps, minus two eps, plus eps leaves rounding in the parameters
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        numerical = np.zeros(values.shape)
        for index in np.ndindex(values.shape):
            values[index] += eps
            up = f(params)
            values[index] -= 2 * eps
            down = f(params)
            values[index] += eps
            numerical[index] = (up - down) / (2 * eps)
        size = np.linalg.norm(grads[name]) + np.linalg.norm(numerical)
        errors[name] = float(np.linalg.norm(grads[name] - numerical) / size) if size else 0.0
    return errors


# %% gradient_check wrong: a flat copy of a view is changed, which has no effect
def gradient_check(f, params, grads, eps):
    errors = {}
    for name, values in params.items():
        flat, numerical = values.reshape(-1), np.zeros(values.size)
        for i in range(flat.size):
            old = flat[i]
            flat[i] = old + eps
            up = f(params)
            flat[i] = old - eps
            numerical[i] = (up - f(params)) / (2 * eps)
            flat[i] = old
        difference = grads[name] - numerical.reshape(values.shape)
        size = np.linalg.norm(grads[name]) + np.linalg.norm(numerical)
        errors[name] = float(np.linalg.norm(difference) / size) if size else 0.0
    return errors


# %% initialise right: torch.empty and nn.init on the transpose
def initialise(fan_in, fan_out, scheme, generator):
    if scheme not in ("zero", "small", "xavier", "he"):
        raise ValueError(scheme)
    W = torch.empty(fan_out, fan_in)
    if scheme == "zero":
        nn.init.zeros_(W)
    elif scheme == "small":
        nn.init.normal_(W, std=0.01, generator=generator)
    elif scheme == "xavier":
        nn.init.xavier_uniform_(W, generator=generator)
    else:
        nn.init.kaiming_normal_(W, nonlinearity="relu", generator=generator)
    return W.T


# %% initialise right: rand and randn, scaled
def initialise(fan_in, fan_out, scheme, generator):
    shape = (fan_in, fan_out)
    match scheme:
        case "zero":
            return torch.zeros(shape)
        case "small":
            return torch.randn(shape, generator=generator) / 100
        case "xavier":
            return (2 * torch.rand(shape, generator=generator) - 1) * (6 / sum(shape)) ** 0.5
        case "he":
            return torch.normal(0.0, (2 / fan_in) ** 0.5, shape, generator=generator)
    raise ValueError("unknown scheme")


# %% initialise wrong: He with fan_out
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_out))
        return W.uniform_(-a, a, generator=generator)
    if scheme == "he":
        return W.normal_(0, math.sqrt(2 / fan_out), generator=generator)
    raise ValueError(f"no scheme is called {scheme!r}")


# %% initialise wrong: the variance is given as the standard deviation
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_out))
        return W.uniform_(-a, a, generator=generator)
    if scheme == "he":
        return W.normal_(0, 2 / fan_in, generator=generator)
    raise ValueError(f"no scheme is called {scheme!r}")


# %% initialise wrong: He without the factor 2
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_out))
        return W.uniform_(-a, a, generator=generator)
    if scheme == "he":
        return W.normal_(0, math.sqrt(1 / fan_in), generator=generator)
    raise ValueError(f"no scheme is called {scheme!r}")


# %% initialise wrong: Xavier from 0 to a
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_out))
        return W.uniform_(0, a, generator=generator)
    if scheme == "he":
        return W.normal_(0, math.sqrt(2 / fan_in), generator=generator)
    raise ValueError(f"no scheme is called {scheme!r}")


# %% initialise wrong: Xavier with the bound of the deviation
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(2 / (fan_in + fan_out))
        return W.uniform_(-a, a, generator=generator)
    if scheme == "he":
        return W.normal_(0, math.sqrt(2 / fan_in), generator=generator)
    raise ValueError(f"no scheme is called {scheme!r}")


# %% initialise wrong: Xavier with fan_in twice
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_in))
        return W.uniform_(-a, a, generator=generator)
    if scheme == "he":
        return W.normal_(0, math.sqrt(2 / fan_in), generator=generator)
    raise ValueError(f"no scheme is called {scheme!r}")


# %% initialise wrong: Xavier draws normal numbers
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_out))
        return W.normal_(0, a / math.sqrt(3), generator=generator)
    if scheme == "he":
        return W.normal_(0, math.sqrt(2 / fan_in), generator=generator)
    raise ValueError(f"no scheme is called {scheme!r}")


# %% initialise wrong: He draws uniform numbers
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_out))
        return W.uniform_(-a, a, generator=generator)
    if scheme == "he":
        return W.uniform_(-math.sqrt(6 / fan_in), math.sqrt(6 / fan_in), generator=generator)
    raise ValueError(f"no scheme is called {scheme!r}")


# %% initialise wrong: variance 0.01 for the small scheme
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.1, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_out))
        return W.uniform_(-a, a, generator=generator)
    if scheme == "he":
        return W.normal_(0, math.sqrt(2 / fan_in), generator=generator)
    raise ValueError(f"no scheme is called {scheme!r}")


# %% initialise wrong: the transposed shape
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_out, fan_in)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_out))
        return W.uniform_(-a, a, generator=generator)
    if scheme == "he":
        return W.normal_(0, math.sqrt(2 / fan_in), generator=generator)
    raise ValueError(f"no scheme is called {scheme!r}")


# %% initialise wrong: the generator is ignored
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_out))
        return W.uniform_(-a, a)
    if scheme == "he":
        return W.normal_(0, math.sqrt(2 / fan_in))
    raise ValueError(f"no scheme is called {scheme!r}")


# %% initialise wrong: seeded inside
def initialise(fan_in, fan_out, scheme, generator):
    generator.manual_seed(0)
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_out))
        return W.uniform_(-a, a, generator=generator)
    if scheme == "he":
        return W.normal_(0, math.sqrt(2 / fan_in), generator=generator)
    raise ValueError(f"no scheme is called {scheme!r}")


# %% initialise wrong: one column repeated
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_out))
        return W.uniform_(-a, a, generator=generator)
    if scheme == "he":
        column = torch.randn(fan_in, 1, generator=generator) * math.sqrt(2 / fan_in)
        return column.repeat(1, fan_out)
    raise ValueError(f"no scheme is called {scheme!r}")


# %% initialise wrong: an unknown scheme gives zeros
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_out))
        return W.uniform_(-a, a, generator=generator)
    if scheme == "he":
        return W.normal_(0, math.sqrt(2 / fan_in), generator=generator)
    return W


# %% initialise wrong: a parameter that asks for a gradient
def initialise(fan_in, fan_out, scheme, generator):
    W = torch.zeros(fan_in, fan_out)
    if scheme == "zero":
        return W.requires_grad_()
    if scheme == "zero":
        return W
    if scheme == "small":
        return W.normal_(0, 0.01, generator=generator)
    if scheme == "xavier":
        a = math.sqrt(6 / (fan_in + fan_out))
        return W.uniform_(-a, a, generator=generator)
    if scheme == "he":
        return W.normal_(0, math.sqrt(2 / fan_in), generator=generator)
    raise ValueError(f"no scheme is called {scheme!r}")


# %% signal_variances right: by hand backward, through the derivative of phi
def signal_variances(X, weights, phi, V):
    signals, Z = [], X @ weights[0]
    for W in weights[1:] + [None]:
        leaf = Z.clone().requires_grad_(True)
        signals.append(leaf)
        if W is not None:
            Z = phi(leaf).detach() @ W
    grads, upstream = [], V
    for Z, W in zip(reversed(signals), reversed(weights), strict=True):
        (g,) = torch.autograd.grad(phi(Z), Z, upstream)
        grads.append(g)
        upstream = g @ W.T

    def spread(M):
        return float(((M - M.mean()) ** 2).mean())

    return [spread(Z.detach()) for Z in signals], [spread(g) for g in reversed(grads)]


def plot_variances(profiles):
    figure = plt.figure()
    ax = figure.add_subplot()
    for marker, (name, values) in zip("ov^s", profiles.items(), strict=False):
        ax.semilogy(np.arange(len(values)) + 1, values, marker=marker, label=name)
    ax.set_xlabel("Layer l")
    ax.set_ylabel("Variance of the gradient")
    ax.legend(loc="best")
    return ax


# %% signal_variances right: copies that ask for a gradient, retain_grad and backward
def signal_variances(X, weights, phi, V):
    H, kept = X.clone().requires_grad_(), []
    for W in weights:
        Z = torch.matmul(H, W)
        Z.retain_grad()
        kept.append(Z)
        H = phi(Z)
    torch.sum(H * V).backward()
    forward = [torch.var(Z.detach(), unbiased=False).item() for Z in kept]
    backward = [np.var(Z.grad.numpy()) * 1.0 for Z in kept]
    return [forward, [float(b) for b in backward]]


def plot_variances(profiles):
    plt.figure()
    for style, name in zip(("solid", "dashed", "dashdot", "dotted"), profiles, strict=False):
        plt.plot([i + 1 for i, _ in enumerate(profiles[name])], profiles[name], linestyle=style, label=name)
    plt.yscale("log")
    plt.xlabel("number of the layer")
    plt.ylabel("variance")
    plt.legend()
    return plt.gca()


# %% signal_variances right: vector-Jacobian products, and a table whose shorter columns pandas fills up
def signal_variances(X, weights, phi, V):
    signals, H = [], X
    for W in weights:
        signals.append(torch.einsum("nd,dh->nh", H, W))
        H = phi(signals[-1])
    grads, upstream = [], V
    for layer in reversed(range(len(weights))):
        _, backward = torch.func.vjp(phi, signals[layer])
        (grad,) = backward(upstream)
        grads.insert(0, grad)
        upstream = grad @ weights[layer].T
    return [Z.var(correction=0).item() for Z in signals], [g.var(correction=0).item() for g in grads]


def plot_variances(profiles):
    columns = {name: pd.Series(values, index=range(1, len(values) + 1)) for name, values in profiles.items()}
    ax = pd.DataFrame(columns).plot(logy=True, style=["o-", "s--", "^:", "D-."][: len(profiles)])
    ax.set(xlabel="layer", ylabel="variance of the entries")
    return ax


# %% signal_variances wrong: the sample variance
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).sum(), layers)
    return [[M.var(correction=1).item() for M in part] for part in (layers, grads)]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(yscale="log", xlabel="layer", ylabel="variance")
    axes.legend()
    return axes


# %% signal_variances wrong: the variance after the activation
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).sum(), layers)
    return [[phi(M).var(correction=0).item() for M in layers], [M.var(correction=0).item() for M in grads]]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(yscale="log", xlabel="layer", ylabel="variance")
    axes.legend()
    return axes


# %% signal_variances wrong: the mean square instead of the variance
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).sum(), layers)
    return [[M.square().mean().item() for M in part] for part in (layers, grads)]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(yscale="log", xlabel="layer", ylabel="variance")
    axes.legend()
    return axes


# %% signal_variances wrong: the gradients from the last layer to the first
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).sum(), layers)
    return [[M.var(correction=0).item() for M in part] for part in (layers, grads[::-1])]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(yscale="log", xlabel="layer", ylabel="variance")
    axes.legend()
    return axes


# %% signal_variances wrong: V is ignored
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad(H.sum(), layers)
    return [[M.var(correction=0).item() for M in part] for part in (layers, grads)]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(yscale="log", xlabel="layer", ylabel="variance")
    axes.legend()
    return axes


# %% signal_variances wrong: the mean instead of the sum
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).mean(), layers)
    return [[M.var(correction=0).item() for M in part] for part in (layers, grads)]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(yscale="log", xlabel="layer", ylabel="variance")
    axes.legend()
    return axes


# %% signal_variances wrong: variance of each column, then the mean
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).sum(), layers)
    return [[M.var(dim=0, correction=0).mean().item() for M in part] for part in (layers, grads)]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(yscale="log", xlabel="layer", ylabel="variance")
    axes.legend()
    return axes


# %% signal_variances wrong: the inputs ask for a gradient afterwards
def signal_variances(X, weights, phi, V):
    H, layers = X.requires_grad_(), []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).sum(), layers)
    return [[M.var(correction=0).item() for M in part] for part in (layers, grads)]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(yscale="log", xlabel="layer", ylabel="variance")
    axes.legend()
    return axes


# %% signal_variances wrong: tensors instead of floats
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).sum(), layers)
    return [[M.var(correction=0).detach() for M in part] for part in (layers, grads)]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(yscale="log", xlabel="layer", ylabel="variance")
    axes.legend()
    return axes


# %% signal_variances wrong: layers count from 0
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).sum(), layers)
    return [[M.var(correction=0).item() for M in part] for part in (layers, grads)]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(len(variances)), variances, style, label=name)
    axes.set(yscale="log", xlabel="layer", ylabel="variance")
    axes.legend()
    return axes


# %% signal_variances wrong: a linear y axis
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).sum(), layers)
    return [[M.var(correction=0).item() for M in part] for part in (layers, grads)]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(xlabel="layer", ylabel="variance")
    axes.legend()
    return axes


# %% signal_variances wrong: no legend
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).sum(), layers)
    return [[M.var(correction=0).item() for M in part] for part in (layers, grads)]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(yscale="log", xlabel="layer", ylabel="variance")
    return axes


# %% signal_variances wrong: no labels on the axes
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).sum(), layers)
    return [[M.var(correction=0).item() for M in part] for part in (layers, grads)]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(yscale="log")
    axes.legend()
    return axes


# %% signal_variances wrong: lines differ in colour only
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).sum(), layers)
    return [[M.var(correction=0).item() for M in part] for part in (layers, grads)]


def plot_variances(profiles):
    _, axes = plt.subplots(figsize=(7, 4))
    styles = ["-", "-", "-", "-"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(yscale="log", xlabel="layer", ylabel="variance")
    axes.legend()
    return axes


# %% signal_variances wrong: everything in one figure
def signal_variances(X, weights, phi, V):
    H, layers = X, []
    for W in weights:
        Z = H @ W
        layers.append(Z if Z.requires_grad else Z.requires_grad_())
        H = phi(Z)
    grads = torch.autograd.grad((H * V).sum(), layers)
    return [[M.var(correction=0).item() for M in part] for part in (layers, grads)]


def plot_variances(profiles):
    axes = plt.figure(99).gca()
    styles = ["-o", "--s", ":^", "-.d"]
    for style, (name, variances) in zip(styles, profiles.items(), strict=False):
        axes.plot(range(1, len(variances) + 1), variances, style, label=name)
    axes.set(yscale="log", xlabel="layer", ylabel="variance")
    axes.legend()
    return axes


# %% dropout right: a Bernoulli mask and where
def dropout(X, p, training, generator):
    if p < 0 or p > 1:
        raise ValueError
    if not training or p == 0:
        return X.clone()
    if p == 1:
        return torch.zeros_like(X)
    mask = torch.bernoulli(torch.full(X.shape, 1.0 - p, dtype=torch.float64), generator=generator).bool()
    return torch.where(mask, X / (1 - p), torch.zeros_like(X))


# %% dropout right: random numbers in the dtype of X, masked_fill
def dropout(X, p, training, generator):
    if not (0.0 <= p <= 1.0):
        raise ValueError("p")
    if training:
        u = torch.empty_like(X, requires_grad=False).uniform_(0, 1, generator=generator)
        return (X / max(1 - p, 1e-30)).masked_fill(u < p, 0.0)
    return 1 * X


# %% dropout wrong: not divided in training
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if not training:
        return X
    if p == 1:
        return X * 0
    kept = torch.rand(X.shape, generator=generator) >= p
    return X * kept


# %% dropout wrong: keeps with probability p
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if not training:
        return X
    if p == 1:
        return X * 0
    kept = torch.rand(X.shape, generator=generator) < p
    return X * kept / (1 - p)


# %% dropout wrong: scaled in evaluation instead
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if not training:
        return X * (1 - p)
    if p == 1:
        return X * 0
    kept = torch.rand(X.shape, generator=generator) >= p
    return X * kept


# %% dropout wrong: drops in evaluation too
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if p == 1:
        return X * 0
    kept = torch.rand(X.shape, generator=generator) >= p
    return X * kept / (1 - p)


# %% dropout wrong: p = 1 gives NaN
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if not training:
        return X
    kept = torch.rand(X.shape, generator=generator) >= p
    return X * kept / (1 - p)


# %% dropout wrong: whole rows are dropped
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if not training:
        return X
    if p == 1:
        return X * 0
    kept = torch.rand(X.shape[:1] + (1,) * (X.dim() - 1), generator=generator) >= p
    return X * kept / (1 - p)


# %% dropout wrong: the generator is ignored
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if not training:
        return X
    if p == 1:
        return X * 0
    kept = torch.rand(X.shape) >= p
    return X * kept / (1 - p)


# %% dropout wrong: seeded inside
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if not training:
        return X
    if p == 1:
        return X * 0
    generator.manual_seed(1)
    kept = torch.rand(X.shape, generator=generator) >= p
    return X * kept / (1 - p)


# %% dropout wrong: in place
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if not training:
        return X
    if p == 1:
        return X * 0
    kept = torch.rand(X.shape, generator=generator) >= p
    X *= kept / (1 - p)
    return X


# %% dropout wrong: the graph is cut
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if not training:
        return X
    if p == 1:
        return X * 0
    kept = torch.rand(X.shape, generator=generator) >= p
    return (X * kept / (1 - p)).detach()


# %% dropout wrong: always float32
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if not training:
        return X
    if p == 1:
        return X * 0
    kept = torch.rand(X.shape, generator=generator) >= p
    return (X * kept / (1 - p)).float()


# %% dropout wrong: p is only checked in training
def dropout(X, p, training, generator):
    if training and not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if not training:
        return X
    if p == 1:
        return X * 0
    kept = torch.rand(X.shape, generator=generator) >= p
    return X * kept / (1 - p)


# %% dropout wrong: random numbers are drawn in evaluation
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if not training:
        torch.rand(X.shape, generator=generator)
        return X
    if p == 1:
        return X * 0
    kept = torch.rand(X.shape, generator=generator) >= p
    return X * kept / (1 - p)


# %% dropout wrong: a fixed number of entries is dropped
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError(f"p must be between 0 and 1, not {p}")
    if not training:
        return X
    if p == 1:
        return X * 0
    order = torch.randperm(X.numel(), generator=generator)
    kept = (order >= int(p * X.numel())).reshape(X.shape)
    return X * kept / (1 - p)


# %% dropout wrong: PyTorch's own
def dropout(X, p, training, generator):
    if not 0 <= p <= 1:
        raise ValueError("p")
    return nn.functional.dropout(X, p, training)


# %% train_mlp right: a module with SGD, momentum and batch normalisation, absolute edges
def train_mlp(X, y, seed):
    generator = torch.Generator().manual_seed(seed)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(
                nn.BatchNorm1d(1176), nn.Linear(1176, 300), nn.ReLU(), nn.Dropout(0.3), nn.Linear(300, 10)
            )

        def forward(self, images):
            grid = images.reshape(-1, 28, 28)
            across = nn.functional.pad(grid.diff(dim=2).abs(), (0, 1)).reshape(-1, 14, 2, 14, 2).mean((2, 4))
            down = nn.functional.pad(grid.diff(dim=1).abs(), (0, 0, 0, 1)).reshape(-1, 14, 2, 14, 2).mean((2, 4))
            return self.layers(torch.cat([images, across.flatten(1), down.flatten(1)], dim=1))

    torch.manual_seed(seed)
    net = Net()
    steps = 14 * len(range(0, len(X), 100))
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(14):
        order = torch.randperm(len(X), generator=generator)
        for start in range(0, len(X), 100):
            rows = order[start : start + 100]
            loss = nn.functional.cross_entropy(net(X[rows]), y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


# %% train_mlp right: ReLU units without dropout, pooled pixels and edges, two networks
def train_mlp(X, y, seed):
    def look(images):
        grid = images.reshape(-1, 1, 28, 28)
        right = nn.functional.pad(grid[..., 1:] - grid[..., :-1], (0, 1))
        down = nn.functional.pad(grid[..., 1:, :] - grid[..., :-1, :], (0, 0, 0, 1))
        maps = [nn.functional.avg_pool2d(grid, 2).flatten(1)]
        maps += [nn.functional.avg_pool2d(part.clamp(min=0), 4, 2).flatten(1) for part in (right, -right, down, -down)]
        return torch.cat(maps, dim=1)

    torch.manual_seed(seed + 1000)
    T = look(X)
    centre, width = T.mean(0), T.std(0) + 0.05
    T, nets = (T - centre) / width, []
    for _ in range(2):
        net = nn.Sequential(nn.Linear(T.shape[1], 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
        optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.1)
        for epoch in range(8):
            optimiser.param_groups[0]["lr"] = 1e-3 * (1 - epoch / 8)
            for rows in torch.randperm(len(T)).split(100):
                optimiser.zero_grad()
                nn.functional.cross_entropy(net(T[rows]), y[rows]).backward()
                optimiser.step()
        nets.append(net)
    return lambda images: sum(net((look(images) - centre) / width) for net in nets)


# %% train_mlp wrong: dropout stays on
def train_mlp(X, y, seed):
    torch.manual_seed(seed)

    def features(images):
        grid = images.reshape(-1, 28, 28)
        right, down = torch.zeros_like(grid), torch.zeros_like(grid)
        right[:, :, :-1], down[:, :-1] = grid.diff(dim=2), grid.diff(dim=1)
        edges = torch.stack([right.relu(), (-right).relu(), down.relu(), (-down).relu()], dim=1)
        return torch.cat([images, edges.reshape(-1, 4, 7, 4, 7, 4).mean(dim=(3, 5)).flatten(1)], dim=1)

    known = features(X)
    mirrored = features(X.reshape(-1, 28, 28).flip(2).reshape(-1, 784))
    mean, deviation = known.mean(dim=0), known.std(dim=0) + 0.05
    known, mirrored = (known - mean) / deviation, (mirrored - mean) / deviation
    net = nn.Sequential(
        *(nn.Linear(known.shape[1], 256), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(256, 10),
    )
    epochs, batches = 10, math.ceil(len(X) / 128)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.002, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(128):
            chosen = torch.where(torch.rand(len(rows), 1) < 0.5, known[rows], mirrored[rows])
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(chosen), y[rows]).backward()
            optimiser.step()
            schedule.step()
    return lambda images: net((features(images) - mean) / deviation)


# %% train_mlp wrong: nothing is seeded
def train_mlp(X, y, seed):

    def features(images):
        grid = images.reshape(-1, 28, 28)
        right, down = torch.zeros_like(grid), torch.zeros_like(grid)
        right[:, :, :-1], down[:, :-1] = grid.diff(dim=2), grid.diff(dim=1)
        edges = torch.stack([right.relu(), (-right).relu(), down.relu(), (-down).relu()], dim=1)
        return torch.cat([images, edges.reshape(-1, 4, 7, 4, 7, 4).mean(dim=(3, 5)).flatten(1)], dim=1)

    known = features(X)
    mirrored = features(X.reshape(-1, 28, 28).flip(2).reshape(-1, 784))
    mean, deviation = known.mean(dim=0), known.std(dim=0) + 0.05
    known, mirrored = (known - mean) / deviation, (mirrored - mean) / deviation
    net = nn.Sequential(
        *(nn.Linear(known.shape[1], 256), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(256, 10),
    )
    epochs, batches = 10, math.ceil(len(X) / 128)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.002, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(128):
            chosen = torch.where(torch.rand(len(rows), 1) < 0.5, known[rows], mirrored[rows])
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(chosen), y[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda images: net((features(images) - mean) / deviation)


# %% train_mlp wrong: always the same seed
def train_mlp(X, y, seed):
    torch.manual_seed(0)

    def features(images):
        grid = images.reshape(-1, 28, 28)
        right, down = torch.zeros_like(grid), torch.zeros_like(grid)
        right[:, :, :-1], down[:, :-1] = grid.diff(dim=2), grid.diff(dim=1)
        edges = torch.stack([right.relu(), (-right).relu(), down.relu(), (-down).relu()], dim=1)
        return torch.cat([images, edges.reshape(-1, 4, 7, 4, 7, 4).mean(dim=(3, 5)).flatten(1)], dim=1)

    known = features(X)
    mirrored = features(X.reshape(-1, 28, 28).flip(2).reshape(-1, 784))
    mean, deviation = known.mean(dim=0), known.std(dim=0) + 0.05
    known, mirrored = (known - mean) / deviation, (mirrored - mean) / deviation
    net = nn.Sequential(
        *(nn.Linear(known.shape[1], 256), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(256, 10),
    )
    epochs, batches = 10, math.ceil(len(X) / 128)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.002, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(128):
            chosen = torch.where(torch.rand(len(rows), 1) < 0.5, known[rows], mirrored[rows])
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(chosen), y[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda images: net((features(images) - mean) / deviation)


# %% train_mlp wrong: class numbers instead of logits
def train_mlp(X, y, seed):
    torch.manual_seed(seed)

    def features(images):
        grid = images.reshape(-1, 28, 28)
        right, down = torch.zeros_like(grid), torch.zeros_like(grid)
        right[:, :, :-1], down[:, :-1] = grid.diff(dim=2), grid.diff(dim=1)
        edges = torch.stack([right.relu(), (-right).relu(), down.relu(), (-down).relu()], dim=1)
        return torch.cat([images, edges.reshape(-1, 4, 7, 4, 7, 4).mean(dim=(3, 5)).flatten(1)], dim=1)

    known = features(X)
    mirrored = features(X.reshape(-1, 28, 28).flip(2).reshape(-1, 784))
    mean, deviation = known.mean(dim=0), known.std(dim=0) + 0.05
    known, mirrored = (known - mean) / deviation, (mirrored - mean) / deviation
    net = nn.Sequential(
        *(nn.Linear(known.shape[1], 256), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(256, 10),
    )
    epochs, batches = 10, math.ceil(len(X) / 128)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.002, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(128):
            chosen = torch.where(torch.rand(len(rows), 1) < 0.5, known[rows], mirrored[rows])
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(chosen), y[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda images: net((features(images) - mean) / deviation).argmax(dim=1)


# %% train_mlp wrong: images are standardised with their own mean when the network is used
def train_mlp(X, y, seed):
    torch.manual_seed(seed)

    def features(images):
        grid = images.reshape(-1, 28, 28)
        right, down = torch.zeros_like(grid), torch.zeros_like(grid)
        right[:, :, :-1], down[:, :-1] = grid.diff(dim=2), grid.diff(dim=1)
        edges = torch.stack([right.relu(), (-right).relu(), down.relu(), (-down).relu()], dim=1)
        return torch.cat([images, edges.reshape(-1, 4, 7, 4, 7, 4).mean(dim=(3, 5)).flatten(1)], dim=1)

    known = features(X)
    mirrored = features(X.reshape(-1, 28, 28).flip(2).reshape(-1, 784))
    mean, deviation = known.mean(dim=0), known.std(dim=0) + 0.05
    known, mirrored = (known - mean) / deviation, (mirrored - mean) / deviation
    net = nn.Sequential(
        *(nn.Linear(known.shape[1], 256), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(256, 10),
    )
    epochs, batches = 10, math.ceil(len(X) / 128)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.002, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(128):
            chosen = torch.where(torch.rand(len(rows), 1) < 0.5, known[rows], mirrored[rows])
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(chosen), y[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda images: net((features(images) - features(images).mean(dim=0)) / deviation)


# %% train_mlp wrong: the gradients are never cleared
def train_mlp(X, y, seed):
    torch.manual_seed(seed)

    def features(images):
        grid = images.reshape(-1, 28, 28)
        right, down = torch.zeros_like(grid), torch.zeros_like(grid)
        right[:, :, :-1], down[:, :-1] = grid.diff(dim=2), grid.diff(dim=1)
        edges = torch.stack([right.relu(), (-right).relu(), down.relu(), (-down).relu()], dim=1)
        return torch.cat([images, edges.reshape(-1, 4, 7, 4, 7, 4).mean(dim=(3, 5)).flatten(1)], dim=1)

    known = features(X)
    mirrored = features(X.reshape(-1, 28, 28).flip(2).reshape(-1, 784))
    mean, deviation = known.mean(dim=0), known.std(dim=0) + 0.05
    known, mirrored = (known - mean) / deviation, (mirrored - mean) / deviation
    net = nn.Sequential(
        *(nn.Linear(known.shape[1], 256), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(256, 10),
    )
    epochs, batches = 10, math.ceil(len(X) / 128)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.002, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(128):
            chosen = torch.where(torch.rand(len(rows), 1) < 0.5, known[rows], mirrored[rows])
            nn.functional.cross_entropy(net(chosen), y[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda images: net((features(images) - mean) / deviation)


# %% train_mlp wrong: no optimiser step
def train_mlp(X, y, seed):
    torch.manual_seed(seed)

    def features(images):
        grid = images.reshape(-1, 28, 28)
        right, down = torch.zeros_like(grid), torch.zeros_like(grid)
        right[:, :, :-1], down[:, :-1] = grid.diff(dim=2), grid.diff(dim=1)
        edges = torch.stack([right.relu(), (-right).relu(), down.relu(), (-down).relu()], dim=1)
        return torch.cat([images, edges.reshape(-1, 4, 7, 4, 7, 4).mean(dim=(3, 5)).flatten(1)], dim=1)

    known = features(X)
    mirrored = features(X.reshape(-1, 28, 28).flip(2).reshape(-1, 784))
    mean, deviation = known.mean(dim=0), known.std(dim=0) + 0.05
    known, mirrored = (known - mean) / deviation, (mirrored - mean) / deviation
    net = nn.Sequential(
        *(nn.Linear(known.shape[1], 256), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(256, 10),
    )
    epochs = 10
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(128):
            chosen = torch.where(torch.rand(len(rows), 1) < 0.5, known[rows], mirrored[rows])
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(chosen), y[rows]).backward()
    net.eval()
    return lambda images: net((features(images) - mean) / deviation)


# %% train_mlp wrong: the labels are shuffled apart from the images
def train_mlp(X, y, seed):
    torch.manual_seed(seed)

    def features(images):
        grid = images.reshape(-1, 28, 28)
        right, down = torch.zeros_like(grid), torch.zeros_like(grid)
        right[:, :, :-1], down[:, :-1] = grid.diff(dim=2), grid.diff(dim=1)
        edges = torch.stack([right.relu(), (-right).relu(), down.relu(), (-down).relu()], dim=1)
        return torch.cat([images, edges.reshape(-1, 4, 7, 4, 7, 4).mean(dim=(3, 5)).flatten(1)], dim=1)

    known = features(X)
    mirrored = features(X.reshape(-1, 28, 28).flip(2).reshape(-1, 784))
    mean, deviation = known.mean(dim=0), known.std(dim=0) + 0.05
    known, mirrored = (known - mean) / deviation, (mirrored - mean) / deviation
    net = nn.Sequential(
        *(nn.Linear(known.shape[1], 256), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(256, 10),
    )
    epochs, batches = 10, math.ceil(len(X) / 128)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.002, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(128):
            chosen = torch.where(torch.rand(len(rows), 1) < 0.5, known[rows], mirrored[rows])
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(chosen), y[torch.randperm(len(y))[: len(rows)]]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda images: net((features(images) - mean) / deviation)


# %% train_mlp wrong: the weights are found on the course's data, not on X and y
def train_mlp(X, y, seed):
    torch.manual_seed(seed)
    X, y = data.fashion_mnist()
    X = X.reshape(-1, 784)

    def features(images):
        grid = images.reshape(-1, 28, 28)
        right, down = torch.zeros_like(grid), torch.zeros_like(grid)
        right[:, :, :-1], down[:, :-1] = grid.diff(dim=2), grid.diff(dim=1)
        edges = torch.stack([right.relu(), (-right).relu(), down.relu(), (-down).relu()], dim=1)
        return torch.cat([images, edges.reshape(-1, 4, 7, 4, 7, 4).mean(dim=(3, 5)).flatten(1)], dim=1)

    known = features(X)
    mirrored = features(X.reshape(-1, 28, 28).flip(2).reshape(-1, 784))
    mean, deviation = known.mean(dim=0), known.std(dim=0) + 0.05
    known, mirrored = (known - mean) / deviation, (mirrored - mean) / deviation
    net = nn.Sequential(
        *(nn.Linear(known.shape[1], 256), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.3)),
        nn.Linear(256, 10),
    )
    epochs, batches = 10, math.ceil(len(X) / 128)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.002, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(128):
            chosen = torch.where(torch.rand(len(rows), 1) < 0.5, known[rows], mirrored[rows])
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(chosen), y[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda images: net((features(images) - mean) / deviation)


# %% train_mlp wrong: softmax regression, without a hidden layer
def train_mlp(X, y, seed):
    torch.manual_seed(seed)
    net = nn.Linear(784, 10)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(5):
        for rows in torch.randperm(len(X)).split(128):
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(X[rows]), y[rows]).backward()
            optimiser.step()
    return net


# %% train_mlp wrong: a convolution
def train_mlp(X, y, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 4, 5), nn.ReLU(), nn.Flatten(), nn.Linear(2304, 10))
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for rows in torch.randperm(len(X)).split(128):
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(X[rows]), y[rows]).backward()
        optimiser.step()
    return net


# %% choose_model right: pandas, pre-computed folds, explicit best
def log_rmse(predicted, price):
    if np.shape(predicted) != np.shape(price) or np.size(price) == 0:
        raise ValueError("shapes")
    squares = [(math.log(max(p, 1.0)) - math.log(q)) ** 2 for p, q in zip(predicted, price, strict=True)]
    return math.sqrt(sum(squares) / len(squares))


def choose_model(features, price, folds, prepare, candidates):
    scores = {}
    for name, fit in candidates.items():
        scores[name] = []
        for train, valid in folds:
            rows, other = features.iloc[train.tolist()], features.iloc[valid.tolist()]
            to_tensor = prepare(rows)
            t = torch.tensor(np.log(price.iloc[train.tolist()].to_numpy(dtype=float))).float()
            model = fit(to_tensor(rows), t)
            with torch.no_grad():
                out = model(to_tensor(other))
            scores[name].append(log_rmse(torch.exp(out.double()).numpy(), price.iloc[valid.tolist()].to_numpy()))
    best, lowest = None, math.inf
    for name, values in scores.items():
        if sum(values) / len(values) < lowest:
            best, lowest = name, sum(values) / len(values)
    to_tensor = prepare(features)
    final = candidates[best](to_tensor(features), torch.tensor(np.log(price.to_numpy(dtype=float))).float())

    def predict(frame):
        with torch.no_grad():
            return final(to_tensor(frame)).double().exp().numpy()

    return [best, scores, predict]


# %% choose_model right: a class with a call for predict
def log_rmse(predicted, price):
    if predicted.shape != price.shape or predicted.size < 1:
        raise ValueError("two arrays with the same number of rows are needed")
    return np.sqrt(np.mean(np.square(np.log(np.clip(predicted, 1, None) / price))))


class _Fitted:
    def __init__(self, table, label, prepare, fit):
        self.transform = prepare(table)
        self.model = fit(self.transform(table), torch.as_tensor(label, dtype=torch.float32))

    def __call__(self, frame):
        return np.exp(np.array(self.model(self.transform(frame)).tolist(), dtype=np.float64))


def choose_model(features, price, folds, prepare, candidates):
    label, dollars = np.log(np.asarray(price, dtype=float)), np.asarray(price, dtype=float)

    def score(fit, train, valid):
        predicted = _Fitted(features.take(train), label[train], prepare, fit)(features.take(valid))
        return log_rmse(predicted, dollars[valid])

    scores = {name: [score(fit, a.numpy(), b.numpy()) for a, b in folds] for name, fit in candidates.items()}
    best = list(scores)[int(np.argmin([np.mean(values) for values in scores.values()]))]
    return best, scores, _Fitted(features, label, prepare, candidates[best])


# %% choose_model wrong: no floor of one dollar
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.abs(predicted)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.iloc[rows])
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy().astype(np.float64))

    scores = {name: [] for name in candidates}
    for train, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(log_rmse(predicted, price.to_numpy()[held]))
    best = min(scores, key=lambda name: np.mean(scores[name]))
    return best, scores, fitted(candidates[best], np.arange(len(features)))


# %% choose_model wrong: shapes are not compared
def log_rmse(predicted, price):
    if len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.iloc[rows])
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy().astype(np.float64))

    scores = {name: [] for name in candidates}
    for train, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(log_rmse(predicted, price.to_numpy()[held]))
    best = min(scores, key=lambda name: np.mean(scores[name]))
    return best, scores, fitted(candidates[best], np.arange(len(features)))


# %% choose_model wrong: the preparation sees all rows
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features)
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy().astype(np.float64))

    scores = {name: [] for name in candidates}
    for train, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(log_rmse(predicted, price.to_numpy()[held]))
    best = min(scores, key=lambda name: np.mean(scores[name]))
    return best, scores, fitted(candidates[best], np.arange(len(features)))


# %% choose_model wrong: the candidates are trained on all rows
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.iloc[rows])
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy().astype(np.float64))

    scores = {name: [] for name in candidates}
    for _, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, np.arange(len(features)))(features.iloc[held])
            scores[name].append(log_rmse(predicted, price.to_numpy()[held]))
    best = min(scores, key=lambda name: np.mean(scores[name]))
    return best, scores, fitted(candidates[best], np.arange(len(features)))


# %% choose_model wrong: train and valid exchanged
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.iloc[rows])
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy().astype(np.float64))

    scores = {name: [] for name in candidates}
    for valid, train in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(log_rmse(predicted, price.to_numpy()[held]))
    best = min(scores, key=lambda name: np.mean(scores[name]))
    return best, scores, fitted(candidates[best], np.arange(len(features)))


# %% choose_model wrong: index labels are taken for positions
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.loc[features.index[rows]])
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy().astype(np.float64))

    scores = {name: [] for name in candidates}
    for train, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(
                log_rmse(
                    predicted, price.loc[[row if row in price.index else price.index[row] for row in held]].to_numpy()
                )
            )
    best = min(scores, key=lambda name: np.mean(scores[name]))
    return best, scores, fitted(candidates[best], np.arange(len(features)))


# %% choose_model wrong: prices instead of their logarithms are learnt
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.iloc[rows])
        t = torch.tensor(price.to_numpy()[rows], dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy().astype(np.float64))

    scores = {name: [] for name in candidates}
    for train, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(log_rmse(predicted, price.to_numpy()[held]))
    best = min(scores, key=lambda name: np.mean(scores[name]))
    return best, scores, fitted(candidates[best], np.arange(len(features)))


# %% choose_model wrong: logarithms are returned by predict
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.iloc[rows])
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: model(transform(frame)).detach().numpy().astype(np.float64)

    scores = {name: [] for name in candidates}
    for train, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(log_rmse(np.exp(predicted), price.to_numpy()[held]))
    best = min(scores, key=lambda name: np.mean(scores[name]))
    return best, scores, fitted(candidates[best], np.arange(len(features)))


# %% choose_model wrong: the smallest single fold decides
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.iloc[rows])
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy().astype(np.float64))

    scores = {name: [] for name in candidates}
    for train, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(log_rmse(predicted, price.to_numpy()[held]))
    best = min(scores, key=lambda name: min(scores[name]))
    return best, scores, fitted(candidates[best], np.arange(len(features)))


# %% choose_model wrong: the last fold decides
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.iloc[rows])
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy().astype(np.float64))

    scores = {name: [] for name in candidates}
    for train, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(log_rmse(predicted, price.to_numpy()[held]))
    best = min(scores, key=lambda name: scores[name][-1])
    return best, scores, fitted(candidates[best], np.arange(len(features)))


# %% choose_model wrong: no final fit on all rows
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.iloc[rows])
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy().astype(np.float64))

    scores = {name: [] for name in candidates}
    for train, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(log_rmse(predicted, price.to_numpy()[held]))
    best = min(scores, key=lambda name: np.mean(scores[name]))
    return best, scores, fitted(candidates[best], folds[0][0].numpy())


# %% choose_model wrong: the last of equals is chosen
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.iloc[rows])
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy().astype(np.float64))

    scores = {name: [] for name in candidates}
    for train, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(log_rmse(predicted, price.to_numpy()[held]))
    best = min(reversed(scores), key=lambda name: np.mean(scores[name]))
    return best, scores, fitted(candidates[best], np.arange(len(features)))


# %% choose_model wrong: every candidate is fitted again at the end
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.iloc[rows])
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy().astype(np.float64))

    scores = {name: [] for name in candidates}
    for train, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(log_rmse(predicted, price.to_numpy()[held]))
    best = min(scores, key=lambda name: np.mean(scores[name]))
    final = {name: fitted(fit, np.arange(len(features))) for name, fit in candidates.items()}
    return best, scores, final[best]


# %% choose_model wrong: mean scores instead of one per fold
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.iloc[rows])
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy().astype(np.float64))

    scores = {name: [] for name in candidates}
    for train, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(log_rmse(predicted, price.to_numpy()[held]))
    best = min(scores, key=lambda name: np.mean(scores[name]))
    scores = {name: [float(np.mean(values))] for name, values in scores.items()}
    return best, scores, fitted(candidates[best], np.arange(len(features)))


# %% choose_model wrong: float32 predictions
def log_rmse(predicted, price):
    if predicted.shape != price.shape or len(price) == 0:
        raise ValueError(f"shapes {predicted.shape} and {price.shape}: two equal ones with rows are needed")
    difference = np.log(np.maximum(predicted, 1)) - np.log(price)
    return float(np.sqrt((difference**2).mean()))


def choose_model(features, price, folds, prepare, candidates):
    def fitted(fit, rows):
        transform = prepare(features.iloc[rows])
        t = torch.tensor(np.log(price.to_numpy()[rows]), dtype=torch.float32)
        model = fit(transform(features.iloc[rows]), t)
        return lambda frame: np.exp(model(transform(frame)).detach().numpy())

    scores = {name: [] for name in candidates}
    for train, valid in folds:
        held = valid.numpy()
        for name, fit in candidates.items():
            predicted = fitted(fit, train.numpy())(features.iloc[held])
            scores[name].append(log_rmse(predicted, price.to_numpy()[held]))
    best = min(scores, key=lambda name: np.mean(scores[name]))
    return best, scores, fitted(candidates[best], np.arange(len(features)))


# %% house_prices right: a module with two hidden layers and Adam, the file written line by line
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(X.shape[1], 48), nn.ReLU(), nn.Dropout(dropout))
            self.second = nn.Sequential(nn.Linear(48, 32), nn.ReLU(), nn.Dropout(dropout))
            self.head = nn.Linear(32, 1)

        def forward(self, rows):
            return self.head(self.second(self.body(rows))).squeeze(1) * deviation + mean

    net = Net()
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.008, weight_decay=weight_decay)
    for epoch in range(30):
        for group in optimiser.param_groups:
            group["lr"] = 0.008 * (1 - epoch / 30)
        order = torch.randperm(len(X))
        for start in range(0, len(X), 64):
            rows = order[start : start + 64]
            loss = ((net(X[rows]) - t[rows]) / deviation).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    net.eval()
    return net


def write_predictions(path, ids, predicted):
    ids, predicted = [int(i) for i in ids], [float(price) for price in predicted]
    if len(ids) != len(predicted) or len(set(ids)) != len(ids):
        raise ValueError("ids")
    for price in predicted:
        if not (0 < price < math.inf):
            raise ValueError("price")
    with open(path, "w", encoding="utf-8") as file:
        file.write("Id,SalePrice\n")
        for i, price in zip(ids, predicted, strict=True):
            file.write(f"{i},{price:.2f}\n")


# %% house_prices right: decay by hand and a mask for dropout
def house_mlp(X, t, weight_decay, dropout, seed):
    generator = torch.Generator().manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target, d = (t - mean) / deviation, X.shape[1]
    W1 = (torch.randn(d, 64, generator=generator) * math.sqrt(1 / d)).requires_grad_()
    W2 = (torch.randn(64, 1, generator=generator) * math.sqrt(1 / 64)).requires_grad_()
    b1, b2 = torch.zeros(64, requires_grad=True), torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.Adam([W1, b1, W2, b2], lr=0.01)
    epochs = 20
    for epoch in range(epochs):
        rate = 0.01 * (1 - epoch / epochs)
        optimiser.param_groups[0]["lr"] = rate
        for rows in torch.randperm(len(X), generator=generator).split(64):
            H = (X[rows] @ W1 + b1).relu()
            H = H * (torch.rand(H.shape, generator=generator) >= dropout) / (1 - dropout)
            loss = ((H @ W2 + b2)[:, 0] - target[rows]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            with torch.no_grad():
                for W in (W1, W2):
                    W *= 1 - rate * weight_decay
            optimiser.step()
    return lambda rows: ((rows @ W1 + b1).relu() @ W2 + b2)[:, 0].detach() * deviation + mean


def write_predictions(path, ids, predicted):
    table = pd.DataFrame({"Id": list(ids), "SalePrice": list(predicted)}) if len(ids) == len(predicted) else None
    if table is None or table["Id"].duplicated().any():
        raise ValueError("ids and prices do not match")
    price = table["SalePrice"].astype(float)
    if not np.isfinite(price).all() or (price <= 0).any():
        raise ValueError("faulty price")
    Path(path).write_text(table.to_csv(index=False), encoding="utf-8")


# %% house_prices wrong: weight decay is ignored
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": 0},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows) * deviation + mean


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (np.isfinite(predicted) & (predicted > 0)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).to_csv(path, index=False)


# %% house_prices wrong: only the output layer decays, weakly
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[3].weight], "weight_decay": weight_decay / 100},
        {"params": [net[0].weight, net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows) * deviation + mean


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (np.isfinite(predicted) & (predicted > 0)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).to_csv(path, index=False)


# %% house_prices wrong: dropout is ignored
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(0), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": weight_decay},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows) * deviation + mean


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (np.isfinite(predicted) & (predicted > 0)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).to_csv(path, index=False)


# %% house_prices wrong: dropout stays on in predictions
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": weight_decay},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
            optimiser.step()
            schedule.step()
    return lambda rows: net(rows) * deviation + mean


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (np.isfinite(predicted) & (predicted > 0)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).to_csv(path, index=False)


# %% house_prices wrong: the labels are not standardised
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": weight_decay},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), t[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows)


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (np.isfinite(predicted) & (predicted > 0)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).to_csv(path, index=False)


# %% house_prices wrong: the standardisation is not undone
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": weight_decay},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows)


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (np.isfinite(predicted) & (predicted > 0)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).to_csv(path, index=False)


# %% house_prices wrong: nothing is seeded
def house_mlp(X, t, weight_decay, dropout, seed):
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": weight_decay},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows) * deviation + mean


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (np.isfinite(predicted) & (predicted > 0)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).to_csv(path, index=False)


# %% house_prices wrong: broadcasting (m, 1) against (m,)
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": weight_decay},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]).expand(-1, len(rows)), target[rows].expand(len(rows), -1)).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows)[:, 0] * deviation + mean


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (np.isfinite(predicted) & (predicted > 0)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).to_csv(path, index=False)


# %% house_prices wrong: the row numbers are written too
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": weight_decay},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows) * deviation + mean


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (np.isfinite(predicted) & (predicted > 0)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).to_csv(path)


# %% house_prices wrong: a double id is written
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": weight_decay},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows) * deviation + mean


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if not (np.isfinite(predicted) & (predicted > 0)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).to_csv(path, index=False)


# %% house_prices wrong: NaN is written
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": weight_decay},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows) * deviation + mean


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (~(predicted <= 0) & ~np.isinf(predicted)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).to_csv(path, index=False)


# %% house_prices wrong: negative prices are written
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": weight_decay},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows) * deviation + mean


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (np.isfinite(predicted)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).to_csv(path, index=False)


# %% house_prices wrong: Series are joined by their labels
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": weight_decay},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows) * deviation + mean


def write_predictions(path, ids, predicted):
    given = ids, predicted
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (np.isfinite(predicted) & (predicted > 0)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": given[0], "SalePrice": given[1]}).to_csv(path, index=False)


# %% house_prices wrong: lines are sorted by id
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": weight_decay},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows) * deviation + mean


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (np.isfinite(predicted) & (predicted > 0)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).sort_values("Id").to_csv(path, index=False)


# %% house_prices wrong: the file is written before it is checked
def house_mlp(X, t, weight_decay, dropout, seed):
    torch.manual_seed(seed)
    mean, deviation = t.mean(), t.std()
    target = (t - mean) / deviation
    net = nn.Sequential(nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(dropout), nn.Linear(64, 1), nn.Flatten(0))
    groups = [
        {"params": [net[0].weight, net[3].weight], "weight_decay": weight_decay},
        {"params": [net[0].bias, net[3].bias], "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    epochs, batches = 12, math.ceil(len(X) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return lambda rows: net(rows) * deviation + mean


def write_predictions(path, ids, predicted):
    ids, predicted = np.asarray(ids), np.asarray(predicted, dtype=float)
    Path(path).write_text("Id,SalePrice")
    if len(ids) != len(predicted):
        raise ValueError(f"{len(ids)} ids and {len(predicted)} prices")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("an id occurs twice")
    if not (np.isfinite(predicted) & (predicted > 0)).all():
        raise ValueError("a price is not a finite number above 0")
    pd.DataFrame({"Id": ids, "SalePrice": predicted}).to_csv(path, index=False)


# %% activations equivalent: the larger of two numbers, in either order
# - return np.maximum(x, 0)
# + return np.maximum(0, x)
# %% activations equivalent: at 0 both branches give 0
# - return np.where(x > 0, x, 0.01 * x)
# + return np.where(x >= 0, x, 0.01 * x)
# %% activations equivalent: the smaller of two numbers, in either order
# - negative = np.expm1(np.minimum(x, 0))
# + negative = np.expm1(np.minimum(0, x))
# %% activations equivalent: only the values at x <= 0 are used, and no bound below 700 overflows
# - negative = np.expm1(np.minimum(x, 0))
# + negative = np.expm1(np.minimum(x, 1))
# %% activations equivalent: at 0 both branches give 0
# - return np.where(x > 0, x, negative)
# + return np.where(x >= 0, x, negative)
# %% activations equivalent: at 0 both branches give 0
# - return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * negative)
# + return 1.0507009873554805 * np.where(x >= 0, x, 1.6732632423543772 * negative)
# %% activations equivalent: the condition itself becomes 1 and 0 of that dtype
# - return np.where(x > 0, x.dtype.type(1), x.dtype.type(0))
# + return np.where(x.dtype.type(1), x > 0, x.dtype.type(0))
# %% activations equivalent: the smaller of two numbers, in either order
# - negative = np.exp(np.minimum(x, 0))
# + negative = np.exp(np.minimum(0, x))
# %% activations equivalent: only the values at x <= 0 are used, and no bound below 700 overflows
# - negative = np.exp(np.minimum(x, 0))
# + negative = np.exp(np.minimum(x, 1))
# %% activations equivalent: exp(0) is 1
# - return np.where(x > 0, 1, negative)
# + return np.where(x >= 0, 1, negative)
# %% activations equivalent: exp(0) is 1, and that is what stands there for every positive x
# - return np.where(x > 0, 1, negative)
# + return np.where(x > 1, 1, negative)
# %% forward equivalent: the larger of two numbers, in either order
# - H = np.maximum(Z, 0)
# + H = np.maximum(0, Z)
# %% forward equivalent: a float64 of NumPy is a float
# - return float((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)
# + return ((log_sum - shifted[np.arange(len(y)), y]).mean() + decay / 2 * penalty)
# %% gradient_check equivalent: every entry is written later
# - numerical = np.zeros(values.shape)
# + numerical = np.ones(values.shape)
# %% gradient_check equivalent: a float64 of NumPy is a float
# - errors[name] = float(np.linalg.norm(grads[name] - numerical) / size) if size else 0.0
# + errors[name] = (np.linalg.norm(grads[name] - numerical) / size) if size else 0.0
# %% initialise equivalent: a new tensor has no gradient to cut off
# - return W
# + return W.detach()
# %% initialise equivalent: a new tensor has no gradient to cut off
# - return W.normal_(0, 0.01, generator=generator)
# + return W.normal_(0, 0.01, generator=generator).detach()
# %% initialise equivalent: a new tensor has no gradient to cut off
# - return W.uniform_(-a, a, generator=generator)
# + return W.uniform_(-a, a, generator=generator).detach()
# %% initialise equivalent: a new tensor has no gradient to cut off
# - return W.normal_(0, math.sqrt(2 / fan_in), generator=generator)
# + return W.normal_(0, math.sqrt(2 / fan_in), generator=generator).detach()
# %% signal_variances equivalent: the size of the figure is free
# - _, axes = plt.subplots(figsize=(7, 4))
# + _, axes = plt.subplots()
# %% signal_variances equivalent: the size of the figure is free
# - _, axes = plt.subplots(figsize=(7, 4))
# + _, axes = plt.subplots(figsize=(8, 4))
# %% signal_variances equivalent: the size of the figure is free
# - _, axes = plt.subplots(figsize=(7, 4))
# + _, axes = plt.subplots(figsize=(6, 4))
# %% signal_variances equivalent: the size of the figure is free
# - _, axes = plt.subplots(figsize=(7, 4))
# + _, axes = plt.subplots(figsize=(7, 5))
# %% signal_variances equivalent: the size of the figure is free
# - _, axes = plt.subplots(figsize=(7, 4))
# + _, axes = plt.subplots(figsize=(7, 3))
# %% signal_variances equivalent: False is what zip does by itself
# - for style, (name, variances) in zip(styles, profiles.items(), strict=False):
# + for style, (name, variances) in zip(styles, profiles.items()):
# %% dropout equivalent: exactly p is drawn once in 16 million times
# - kept = torch.rand(X.shape, generator=generator) >= p
# + kept = torch.rand(X.shape, generator=generator) > p
# %% choose_model equivalent: the larger of two numbers, in either order
# - difference = np.log(np.maximum(predicted, 1)) - np.log(price)
# + difference = np.log(np.maximum(1, predicted)) - np.log(price)
# %% choose_model equivalent: a float64 of NumPy is a float
# - return float(np.sqrt((difference**2).mean()))
# + return np.sqrt((difference**2).mean())
# %% choose_model equivalent: pandas takes a tensor of integers as an index
# - predicted = fitted(fit, train.numpy())(features.iloc[held])
# + predicted = fitted(fit, train)(features.iloc[held])
# %% choose_model equivalent: every candidate has the same number of folds
# - best = min(scores, key=lambda name: np.mean(scores[name]))
# + best = min(scores, key=lambda name: np.sum(scores[name]))
# %% house_prices equivalent: the square of a difference is symmetric
# - nn.functional.mse_loss(net(X[rows]), target[rows]).backward()
# + nn.functional.mse_loss(target[rows], net(X[rows])).backward()
