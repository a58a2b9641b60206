"""`autograder bench`: that it counts what it says it counts; its numbers are for `make bench` to show."""

import json
import os
import sys
import time

import pytest
from conftest import ROOT

from autograder import bench
from autograder.bench import cells, measure
from autograder.notebooks import twins

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
# A grandchild that nobody waits for does the work, as a kernel in a sandbox does.
BURN = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
read, write = os.pipe()
if os.fork() == 0:
    block = b"x" * (200 << 20)
    end = time.process_time() + 1.0
    while time.process_time() < end: pass
    time.sleep(1)
    os._exit(0)
os.close(write)
os.read(read, 1)
"""


@linux
@pytest.mark.slow
def test_a_command_is_measured_with_all_it_starts(tmp_path):
    measured = measure.measured([sys.executable, "-c", BURN], tmp_path)
    assert measured.code == 0 and measured.seconds > 1
    assert measured.peak_mb > 200
    if measured.cpu_source == "perf":
        assert 1.0 <= measured.cpu_s < 10


# A child says all the time that it runs, for a second of its own time.
TICK = """
import os, time
if os.fork() == 0:
    end = time.process_time() + 1.0
    while time.process_time() < end: open("ticks", "a").write(f"{time.monotonic()}\\n")
    os._exit(0)
os.wait()
"""


@linux
@pytest.mark.slow
def test_a_command_is_paused_with_all_it_starts_and_pauses_are_not_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "_SLICE_S", 0.3)
    pauses = []

    def pause():
        pauses.append(time.monotonic())
        time.sleep(0.5)

    begun = time.monotonic()
    measured = measure.measured([sys.executable, "-c", TICK], tmp_path, pause=pause)
    took = time.monotonic() - begun
    assert measured.code == 0 and len(pauses) > 1
    assert measured.seconds < took - 0.5 * len(pauses) + 0.3
    ticks = [float(line) for line in (tmp_path / "ticks").read_text().split()]
    # A processor takes a moment to hear of it.
    assert not [t for t in ticks for p in pauses if p + 0.05 < t < p + 0.5]
    if measured.cpu_source == "perf":
        assert measured.cpu_s < 1.6


@linux
def test_a_pause_that_fails_leaves_no_command_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "_SLICE_S", 0.3)

    def pause():
        if (tmp_path / "begun").exists():
            raise ZeroDivisionError

    write = "import os, time; open('pid', 'w').write(str(os.getpid())); os.rename('pid', 'begun'); time.sleep(60)"
    begun = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        measure.measured([sys.executable, "-c", write], tmp_path, pause=pause)
    assert time.monotonic() - begun < 50
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "begun").read_text()), 0)


@linux
def test_the_cells_alone_are_counted_with_their_children_and_failures():
    loop = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    child = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'sum(range(3_000_000))'])"
    nothing, looped, with_child = cells._forked_seconds([["pass"], ["raise SystemExit", loop], [child]], jobs=2)
    assert looped >= 0.3
    assert with_child > nothing


def test_bars():
    good = {"throughput_ratio": 20, "overhead_cpu_s": 0.25, "peak_memory_mb": 1500, "stock_peak_memory_mb": 700}
    assert bench._missed("trivial", good) == []
    bad = {"throughput_ratio": 19, "overhead_cpu_s": 0.3, "peak_memory_mb": 2000, "stock_peak_memory_mb": 700}
    assert len(bench._missed("trivial", bad)) == 3 and len(bench._missed("week03", bad)) == 2


def test_the_trivial_class_imports_d2l_as_every_notebook_does():
    (text,) = [p for p in (ROOT / bench.TRIVIAL / "source" / "trivial").glob("*.py") if p.name != twins.VARIANTS]
    assert "from d2l import torch as d2l" in text.read_text("utf-8")


@linux
@pytest.mark.slow
def test_a_whole_run_on_a_small_class(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "CLASS", 3)
    monkeypatch.setattr(bench, "_use_two_cores", lambda: 2)
    (tmp_path / "nbgrader_config.py").write_bytes((ROOT / "nbgrader_config.py").read_bytes())
    (tmp_path / "tests" / "data").mkdir(parents=True)
    os.symlink(ROOT / bench.TRIVIAL, tmp_path / bench.TRIVIAL)
    assert bench.run(tmp_path, stock_sample=1, only=("trivial",)) in (0, 1)
    found = json.loads((tmp_path / "bench.json").read_text())["trivial"]
    assert found["stock_sample"] == 1
    assert found["cells_runs"] >= 2
    assert {"throughput_ratio", "overhead_cpu_s", "peak_memory_mb", "stock_peak_memory_mb"} <= found.keys()
    stock = tmp_path / "build" / "bench" / "trivial-stock"
    assert (stock / "nbgrader_config.py").read_text() == bench._STOCK_CONFIG.format(name="dlcourse")
    assert len(list((stock / "submitted").iterdir())) == 1
