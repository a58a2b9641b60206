# Lines that learners copy from answers on the web: star imports, layers by name, own names that are also others'.
# %% extra
from inspect import signature
from math import *

import numpy as np
import pandas as pd
import torch
from IPython.core.display import HTML
from torch import nn

__author__ = "a learner"
np.set_printoptions(formatter={"float": lambda x: "%.3f" % x})
torch.set_default_dtype(torch.float32)
activations = ["ReLU", "Tanh"]
for name in activations:
    print(name, getattr(nn, name)()(torch.tensor([-1.0, 1.0])))
for name, rate in [("SGD", 0.1), ("Adam", 0.01)]:
    print(getattr(torch.optim, name)([torch.zeros(1, requires_grad=True)], lr=rate))
check = floor(2.5) == 2
if check:
    print(check, len(activations), np.array([1.0, 2.0]))
In, Out = 3, 4
print(nn.Linear(In, Out), signature(nn.Linear), nn.Linear.__qualname__, HTML("<b>bold</b>"))
print(pd.Series([1, "a"]).apply(type))
# %% extra
class Temperature(float):
    def in_fahrenheit(self):
        return self * 9 / 5 + 32


class Bag:
    def __init__(self, *items):
        self.items = items

    def __contains__(self, item):
        return item in self.items


class Net(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        for i in range(2):
            setattr(self, "fc%d" % i, nn.Linear(width, width))
        setattr(self, "out{}".format(1), nn.Linear(width, 1))

    def forward(self, x):
        for i in range(2):
            x = getattr(self, "fc%d" % i)(x)
        return self.out1(x)


print(Temperature(20).in_fahrenheit(), 3 in Bag(1, 2, 3), Net()(torch.zeros(1, 3)).shape)
print(vars(Bag(1)), Bag(2).__dict__, len(list(globals())) > 3)
for key in vars(Bag(3)):
    print(key)
try:
    raise ValueError("a") from KeyError("b")
except ValueError as error:
    print(error.__cause__)
# %% extra
%%file notes_of_mine.txt
A few words.
# %% extra
%rm notes_of_mine.txt
# %% extra
from IPython.core.interactiveshell import InteractiveShell

InteractiveShell.ast_node_interactivity = "all"
torch.set_default_device("cuda" if torch.cuda.is_available() else "cpu")
torch.set_default_dtype(torch.float64)
