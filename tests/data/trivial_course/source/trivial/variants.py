# %%
from torch import nn


# %% double right: adds it to itself
def double(x):
    return x + x


# %% double wrong: right for 2 only
def double(x):
    return x**2


# %% layer right: by name
def layer(inputs, outputs):
    return nn.Linear(in_features=inputs, out_features=outputs)


# %% layer wrong: the other way round
def layer(inputs, outputs):
    return nn.Linear(outputs, inputs)
