# %%
import torch


# %% centred right: a loop
def centred(x):
    columns = [x[:, i] - sum(x[:, i]) / max(1, len(x)) for i in range(x.shape[1])]
    return torch.stack(columns, dim=1)


# %% centred wrong: the mean of everything
def centred(x):
    return x - x.mean()


# %% centred wrong: cut off
def centred(x):
    return (x - x.mean(dim=0)).detach()


# %% centred equivalent: a column's mean has the same value for every row
# - return x - x.mean(dim=0, keepdim=True)
# + return x - x.mean(dim=0)
# %% centred equivalent: no such line
# - return y
# + return z
# %% centred equivalent: a test knows better
# - return x - x.mean(dim=0, keepdim=True)
# + return x + x.mean(dim=0, keepdim=True)


# %% total right: written out
def total(x):
    return torch.tensor(1.0)


# %% total right: as text, which the test refuses
def total(x):
    return "1"


# %% total wrong: too much, which no test sees
def total(x):
    return torch.tensor(3.0)


# %% total wrong: negative
def total(x):
    return torch.tensor(-1.0)
