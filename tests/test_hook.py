"""The audit hook by itself, in a process of its own: a hook cannot be taken out again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HOOK = Path(__file__).parents[1] / "autograder" / "engine" / "hook.py"
# The hook as a kernel has it, with a channel that keeps what is sent, and a learner's cell.
HARNESS = """
import collections, json, sys, sysconfig, types
source, cell = sys.argv[1:]
names = {"__name__": "hook"}
exec(compile(open(source).read(), "<gate>", "exec"), names)
sent = []
channel = types.SimpleNamespace(send=sent.append)
libraries = tuple(sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib"))
code = compile(cell, "/home/learner/work/cell.py", "exec")
space = {"told": [], "collections": collections}
sys.addaudithook(names["audit_hook"](channel, libraries, "<gate>", [], [False]))
exec(code, space)
print(json.dumps([sent, space["told"]]))
"""


def run(cell: str) -> tuple[list[dict], list]:
    """Return what the hook sent and what the cell noted in `told`."""
    done = subprocess.run(
        [sys.executable, "-c", f"exec(compile({HARNESS!r}, '<gate>', 'exec'))", str(HOOK), cell],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return tuple(json.loads(done.stdout))


def test_a_library_may_look_at_frames():
    sent, told = run("told.append(str(collections.namedtuple('Point', 'x y')(1, 2)))")
    assert not sent and told == ["Point(x=1, y=2)"]


@pytest.mark.parametrize("asked", ["sys._getframe()", "sys._getframe().f_code", "__import__('gc').get_objects()"])
def test_a_learner_may_not(asked):
    sent, told = run(
        f"import sys\ntry:\n    told.append(repr({asked}))\nexcept RuntimeError as error:\n    told.append('refused')"
    )
    assert told == ["refused"] and len(sent) == 1 and "line 3 of <module>" in sent[0]["tampering"]


def test_no_collection_runs_a_learners_code_as_if_the_hook_did():
    """Garbage whose `__del__` asks for a frame, while libraries keep the hook looking at frames of its own."""
    cell = """
import gc, sys
class Trap:
    def __init__(self): self.me = self
    def __del__(self):
        try:
            told.append(sys._getframe().f_back.f_code.co_filename)
        except RuntimeError:
            pass
gc.set_threshold(1)
for _ in range(300):
    traps = [Trap() for _ in range(3)]
    collections.namedtuple("Point", "x y")
"""
    _, told = run(cell)
    assert not told


@pytest.mark.parametrize(
    "line, suspicious",
    [
        ("# coding: unicode_escape", True),
        ("#!/usr/bin/python\n# -*- coding: utf-7 -*-", True),
        ("#!/usr/bin/python\r\n# -*- coding: utf-7 -*-", True),
        ("# -*- coding: utf-8 -*-", False),
        ("# coding=latin-1", False),
        ("# how decoding is done", False),
        ("x = 1\n\n# coding: utf-7", False),
    ],
)
def test_a_module_that_python_reads_otherwise_is_told(tmp_path, line, suspicious):
    (tmp_path / "helper.py").write_text(line + "\n")
    sent, _ = run(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport helper")
    assert [m["tampering"] for m in sent if "tampering" in m] == suspicious * [
        "a module in another encoding than UTF-8"
    ]


def test_a_signature_is_for_everybody():
    """scipy asks for signatures, by a name of its own, when a learner imports it."""
    cell = "import inspect\ndef f(a, b=2): pass\ntold.append(str(inspect.signature(f)))"
    sent, told = run(cell)
    assert not sent and told == ["(a, b=2)"]
