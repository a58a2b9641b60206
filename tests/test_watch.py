"""What a kernel watches: each change of what tests lean on is named, and nothing else."""

import json
import subprocess
import sys

import pytest

# One process imports; each cell runs in a fork of it, as what is watched is changed.
HARNESS = """
import json, os, sys
import numpy as np, pandas as pd, torch, torch.nn as nn, torch.utils.flop_counter, warnings
from autograder.engine import watch as module
from autograder.engine.watch import prepare
if "--without-versions" in sys.argv:
    module._has_versions = lambda: False
else:
    assert module._has_versions() or sys.version_info >= (3, 12)
prepare()
watch = prepare()
_, differences = watch()
assert differences() == [], differences()
for cell in json.load(sys.stdin):
    sys.stdout.flush()
    if os.fork() == 0:
        exec(cell)
        print(json.dumps(differences()), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0
"""


def run(cells: list[str], *options: str) -> list[list[str]]:
    """Return what is found to be different after each cell."""
    done = subprocess.run(
        [sys.executable, "-c", HARNESS, *options], input=json.dumps(cells), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


CHANGES = {
    "np.finfo(float).eps = 1e9": "numpy.finfo(float64).eps",
    "np._core.numeric.isclose = max": "numpy._core.numeric.isclose",
    "np._core._methods.any = max": "numpy._core._methods.any",
    "vars(np.testing._private.utils).update(compare_unmasked=max)": "compare_unmasked",
    "torch.Tensor.cpu = max": "torch.Tensor.cpu",
    "del nn.Linear.__constants__; nn.Linear.half = max": "torch.nn.Linear.half",
    "nn.Linear.forward = max": "torch.nn.Linear.forward",
    "torch.optim.SGD.step = max": "torch.optim.SGD.step",
    "warnings.catch_warnings.__exit__ = max": "warnings.catch_warnings.__exit__",
    "sys.meta_path = []": "sys.meta_path",
    "torch.testing._comparison._DTYPE_PRECISIONS[torch.float32] = (1, 1)": "_DTYPE_PRECISIONS",
    "class T(tuple):\n    __eq__ = lambda self, other: True\n"
    "torch.testing._comparison._DTYPE_PRECISIONS[torch.float32] = T((1, 1))": "_DTYPE_PRECISIONS",
    # After a look at a change that is none of what is watched, and after one that was taken back.
    "np.new = 1; assert differences() == []; np.isclose = max": "numpy.isclose",
    "is_ = np.isclose; np.isclose = max; np.isclose = is_; assert differences() == []; np.all = max": "numpy.all",
    "del np.isclose": "numpy.isclose",
    "nn.Linear.extra = max": "torch.nn.Linear.extra",
    "np._core.fromnumeric.__dict__['len'] = max": "numpy._core.fromnumeric.len",
    "torch.utils.flop_counter.FlopCounterMode(display=False).__enter__()": "a dispatch mode",
    "torch.overrides.TorchFunctionMode().__enter__()": "a function mode",
    "torch.autograd.graph.saved_tensors_hooks(abs, abs).__enter__()": "saved_tensors_hooks",
    "torch.autocast('cpu', dtype=torch.bfloat16).__enter__()": "autocast",
    "kept = torch.inference_mode(); kept.__enter__()": "inference_mode",
    "nn.modules.module.register_module_forward_hook(print)": "_global_forward_hooks",
    "sys.modules['torch.optim.optimizer'].register_optimizer_step_pre_hook(print)": "_global_optimizer_pre_hooks",
}


# Without them each name is looked at, as Python 3.13 or another implementation needs it.
@pytest.mark.parametrize("options", [(), ("--without-versions",)], ids=["versions", "names"])
def test_what_changes_a_test_is_named(options):
    for found, (cell, name) in zip(run(list(CHANGES), *options), CHANGES.items(), strict=True):
        assert any(name in text for text in found), (cell, found)


def test_what_honest_code_does_is_not():
    cell = """
torch.set_default_device("cpu"); torch.set_default_dtype(torch.float64)
for kind in (torch.optim.SGD, torch.optim.Adam):
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.LazyLinear(1))
    net(torch.ones(1, 2)).sum().backward()
    kind(net.parameters(), lr=0.1).step()
with torch.autocast("cpu"), torch.inference_mode(), warnings.catch_warnings(record=True):
    warnings.simplefilter("always")
    net(torch.ones(1, 2))
np.set_printoptions(precision=2); torch.set_printoptions(precision=2); pd.options.display.width = 80
class Mine(nn.Linear):
    def forward(self, X): return X
torch.Tensor.note = "no function"
np.seterr(all="ignore"); torch.manual_seed(1); torch.set_num_threads(1)
"""
    assert run([cell]) == [[]]


def test_what_is_set_for_a_moment_is_an_event_unless_nothing_watched_changes():
    cell = """
seen = []
sys.addaudithook(lambda event, arguments: seen.append(arguments[1]) if event == "autograder.setattr" else None)
kept = np.allclose
np.allclose = kept
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
torch.note = "no function"
assert seen == [], seen
np.allclose = max
np.allclose = kept
torch.testing._comparison.all = any
del torch.testing._comparison.all
class Text(str):
    pass
setattr(np, Text("allclose"), kept)
assert seen == ["allclose", "all", "all", "allclose"], seen
"""
    assert run([cell]) == [[]]


def test_no_place_of_memory_by_the_name_of_a_column():
    cell = """
place = {"data": (id(np), False), "shape": (8,), "typestr": "|u1", "version": 3}
row = pd.Series({"__array_interface__": place, "size_": 3})
assert np.asarray(row).dtype == object and row.size_ == 3
"""
    assert run([cell]) == [[]]


def test_what_libraries_keep_while_a_test_runs_is_no_change_for_a_moment():
    # A comparison of pandas warns itself, and Python writes down that it did.
    cell = """
frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
pd.testing.assert_frame_equal(frame, frame.copy())
pd.testing.assert_series_equal(frame.a, frame.a)
np.testing.assert_warns(UserWarning, warnings.warn, "mine")
np.testing.assert_allclose(frame.a, [1, 2])
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    nn.utils.weight_norm(nn.Linear(2, 2))
    np.trapezoid(np.log(np.array([0.0, 1.0])))
assert told
torch.testing.assert_close(torch.svd(torch.eye(2))[1], torch.ones(2))
print(frame.describe(), np.array([1.5]), torch.ones(1), file=sys.stderr)
found = differences(True)
assert found == [], found
kept = np.allclose
vars(np).update(allclose=max)
vars(np).update(allclose=kept)
found = differences(True)
assert found == ["a name of numpy, for a moment,"], found
"""
    assert run([cell]) == [[]]


def test_masked_entries_agree_with_masked_entries_only():
    cell = """
masked, plain = np.ma.masked_array([1.0, 2.0], [True, False]), np.array([1.0, 2.0])
for compare in (np.testing.assert_allclose, np.testing.assert_array_equal, np.testing.assert_equal):
    compare(plain, plain)
    compare(masked, masked)
    compare(np.ma.masked_array(plain), plain)
    for pair in ((masked, plain), (plain, masked), (masked * 0, [7, 7])):
        try:
            compare(*pair)
        except AssertionError as error:
            assert "masked" in str(error)
        else:
            raise AssertionError(compare)
"""
    assert run([cell]) == [[]]
