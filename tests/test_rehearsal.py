"""What libraries do at their first use is done in the warm process, and changes nothing that a learner could see."""

import subprocess
import sys

import pytest

PREPARE = """
import io, os, random, sys
import numpy as np, torch
import matplotlib.pyplot as plt
from autograder.engine.rehearsal import rehearse

def picture(kind):
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3], [1e-3, 0.1, 20])
    axes.set_yscale("log")
    axes.set_title(r"loss, $10^{2}$ epochs")
    there = io.BytesIO()
    figure.savefig(there, format=kind, bbox_inches="tight", metadata={"Date": None} if kind == "svg" else None)
    plt.close(figure)
    return there.getvalue()

plt.rcParams["svg.hashsalt"] = "the same each time"
"""
FIGURES = """
before = picture("png"), picture("svg")
rehearse()
from matplotlib._mathtext import Parser
read, parse = [], Parser.parse
Parser.parse = lambda self, formula, *a, **k: read.append(formula) or parse(self, formula, *a, **k)
assert (picture("png"), picture("svg")) == before
assert read == [r"loss, $10^{2}$ epochs"] * 2, read
"""
TABLES = """
import importlib.metadata
from sklearn.linear_model import Ridge
rehearse()
importlib.metadata.entry_points = None
Ridge().fit([[0.0], [1.0]], [1.0, 2.0])
"""
NOTHING_ELSE = """
import sklearn.linear_model
def state():
    return random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()
before, settings = state(), dict(plt.rcParams)
rehearse()
assert state() == before and dict(plt.rcParams) == settings
assert not plt.get_fignums()
assert not os.path.isdir("/proc/self/task") or len(os.listdir("/proc/self/task")) == 1
# After a backward pass torch refuses another one in a forked process.
if os.fork() == 0:
    (torch.ones(1, requires_grad=True) * 2).backward()
    os._exit(0)
assert os.wait()[1] == 0
"""
ALONE = """
import sys
from autograder.engine.rehearsal import rehearse
rehearse()
assert not {"matplotlib", "sklearn"} & sys.modules.keys()
"""


@pytest.mark.parametrize(
    "code",
    [PREPARE + FIGURES, PREPARE + TABLES, PREPARE + NOTHING_ELSE, ALONE],
    ids=["figures", "tables", "else", "alone"],
)
def test_first_uses(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-2000:]
