# Harmless parts of modules that hold harmful ones, and classes of libraries as arguments.
# %% extra
import argparse
import gc
import multiprocessing as mp
import pickle
import typing
from contextlib import ExitStack, suppress

from torch import nn

print(mp.cpu_count() > 0, gc.collect() >= 0)
with open("kept.pkl", "wb") as file:
    pickle.dump({"a": 1}, file)


def apply(act: object = nn.ReLU, count: int = 1) -> list:
    return [act() for _ in range(count)]


class Block(nn.Module):
    def __init__(self, act=nn.ReLU, norm=nn.Identity):
        super().__init__()
        self.act, self.norm = act(), norm()
        self.kind = act


def name_it(module, kind):
    module.kind = kind


block = Block(nn.Tanh, norm=nn.Identity)
name_it(block, nn.Tanh)
print(typing.get_type_hints(apply), apply(nn.Tanh, count=2), block.kind)
print(type(block).__mro__)
options = argparse.Namespace(**{"lr": 0.1, "epochs": 3})
torch.set_default_device("cpu")
with ExitStack() as stack:
    stack.enter_context(suppress(ValueError))
    print(options)
