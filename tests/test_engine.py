"""The engine's kernels: how they start, what ends them, what is said then, and that nothing is left behind."""

import dataclasses
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_notebook
from small_course import answer, graded_test

from autograder import doctor
from autograder.engine.compiled import compiled_test
from autograder.engine.execute import Settings, execute
from autograder.engine.given import Given
from autograder.engine.plan import make_plan
from autograder.engine.sandbox import CopyError, Limits, SandboxError
from autograder.engine.submission import WarmKeeper
from autograder.engine.warm import WarmProcess, begin_shared, start_warm, warm_set

possible = sys.platform == "linux" and not doctor._in_child(lambda: doctor._unshare(doctor._NEWUSER))
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not possible, reason="no sandbox can be made here")]
LITTLE = ("math",)


@pytest.fixture(scope="module")
def warm():
    process = WarmProcess(LITTLE)
    yield process
    process.close()


def cells(*sources):
    """A cell for each source; one that starts with `test ` is a graded test named after the word behind it."""
    made = []
    for number, source in enumerate(sources):
        if source.startswith("test "):
            name, _, body = source.removeprefix("test ").partition("\n")
            made.append(graded_test(name, body))
        else:
            made.append(answer(f"answer{number}", source))
    return new_notebook(cells=made)


def run(process, *sources, **settings):
    notebook = cells(*sources)
    return execute(notebook, make_plan(notebook), process, Settings(**settings), None)


def family(pid):
    """The process ids of a process and all it started."""
    from autograder.bench.measure import family as members

    return members(pid) if pid else set()


def gone(pids, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        left = {pid for pid in pids if Path(f"/proc/{pid}").exists()}
        if not left:
            return True
        time.sleep(0.1)
    return False


def test_files_that_cannot_be_copied_are_one_submissions_trouble(warm, tmp_path):
    for number in range(20_001):
        (tmp_path / f"{number}").touch()
    notebook = cells("a = 1")
    with pytest.raises(CopyError, match="No space left on device"):
        execute(notebook, make_plan(notebook), warm, Settings(), tmp_path)
    assert run(warm, "a = 1", "test one\nassert a == 1").passed == {"one": True}


# Figures


@pytest.mark.parametrize("modules", [("matplotlib.pyplot",), ("matplotlib.pyplot", "d2l.torch")], ids=["pyplot", "d2l"])
def test_figures_appear_under_their_cells(modules):
    """Also where the warm process has loaded what draws them, as d2l does."""
    process = WarmProcess(modules)
    try:
        result = run(
            process,
            "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
            "plt.plot([2, 1]);",
            "test drawn\nplt.plot([1, 1])",
        )
    finally:
        process.close()
    assert result.passed == {"drawn": True} and not result.needs_human
    for cell in result.notebook.cells:
        assert [output.data.keys() for output in cell.outputs if "image/png" in output.get("data", {})], cell.source


# A cell that ends its kernel, or does not end


def test_a_cell_that_kills_the_kernel_costs_only_itself(warm):
    result = run(warm, "a = 1", "import os\nos._exit(3)", "b = 2", "test both\nassert a + b == 3")
    assert result.passed == {"both": True}
    assert result.remarks == ["answer1 ended the kernel"]


def test_a_cell_that_never_ends_is_interrupted_and_the_rest_goes_on(warm):
    result = run(warm, "a = 1", "while True: pass", "b = 2", "test both\nassert a + b == 3", cell_timeout=2)
    assert result.passed == {"both": True} and result.remarks == ["answer1 ran out of time"]


def test_a_message_of_no_end_does_not_fill_the_graders_memory(warm):
    endless = (
        "end = get_ipython().kernel.session.messages._socket\n"
        "piece = bytes([0, 0, 0, 1]) + bytes(8) + b'\\1' + bytes(1 << 16)\n"
        "while True: end.send(piece)"
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = run(warm, "a = 1", endless, "b = 2", "test both\nassert a + b == 3")
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 300
    assert result.passed == {"both": True}
    assert "answer1 printed more than 200 MB and was ended" in result.remarks


def test_one_print_of_too_much_costs_only_what_it_printed(warm):
    result = run(warm, "a = 1", "b = 2\nprint('x' * 150_000_000)\nc = 3", "test all_three\nassert a + b == c")
    assert result.passed == {"all_three": True}
    assert result.remarks == ["printed more than 10 MB; the rest was dropped"]


def test_what_threads_processes_and_programs_print_is_shown(warm):
    cells = {
        "print('one', 'two')\nprint('three')": "one two\nthree\n",
        "!echo shell": "shell\n",
        # More than a pipe holds.
        "import os, subprocess, sys\nos.system('head -c 300000 /dev/zero | tr \\\\\\\\0 x')": "x" * 300_000,
        "done = subprocess.run(['echo', 'given'], stdout=sys.stdout)": "given\n",
        "from multiprocessing import get_context\ndef child(): print('child')\n"
        "p = get_context('fork').Process(target=child)\np.start()\np.join()": "child\n",
        "import threading\nt = threading.Thread(target=lambda: print('thread'))\nt.start()\nt.join()": "thread\n",
        "print('é' * 100_000, end='')": "é" * 100_000,
    }
    result = run(warm, *cells)
    for cell, printed in zip(result.notebook.cells, cells.values(), strict=True):
        texts = [output.text for output in cell.outputs if output.output_type == "stream"]
        assert texts == [printed], cell.source
    (shown,) = run(warm, "import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c')").notebook.cells
    said = [(output.name, output.text) for output in shown.outputs]
    assert said == [("stdout", "a\n"), ("stderr", "b\n"), ("stdout", "c\n")]


def test_messages_that_mean_nothing_are_nobodys_output(warm):
    strange = (
        "kernel = get_ipython().kernel\n"
        "def say(kind, content):\n"
        "    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())\n"
        "deep = None\n"
        "for _ in range(800): deep = [deep]\n"
        "say('error', {'traceback': 5})\n"
        "say('error', {'evalue': deep, 'traceback': [deep]})\n"
        "say('stream', {})\n"
        "say('display_data', {'data': 5, 'transient': 5})\n"
        "say('execute_result', {'data': {}, 'execution_count': deep})\n"
        "say('comm_open', {'data': 5})\n"
        "say('nonsense', {})\n"
        "b = 2"
    )
    result = run(warm, "a = 1", strange, "test both\nassert a + b == 3")
    assert result.passed == {"both": True} and result.remarks == []


def test_a_kernel_that_closes_its_connection_is_replaced(warm):
    closing = "get_ipython().kernel.session.messages.close()\nimport time\ntime.sleep(1)"
    result = run(warm, "a = 1", closing, "b = 2", "test both\nassert a + b == 3", cell_timeout=20)
    assert result.passed == {"both": True} and result.wall_s < 20


def test_a_cell_may_wait_for_what_runs_beside_it(warm):
    # ipykernel takes another way for a cell with an `await` outside of a function.
    waiting = "import asyncio\nawait asyncio.sleep(0)\na = [await asyncio.sleep(0, i) for i in range(3)]"
    result = run(warm, waiting, "b = 2", "test both\nassert a == [0, 1, 2] and b == 2", cell_timeout=5)
    assert result.passed == {"both": True} and result.remarks == []
    endless = "import asyncio\nawait asyncio.sleep(1000)"
    result = run(warm, "a = 1", endless, "b = 2", "test both\nassert a + b == 3", cell_timeout=2)
    assert result.passed == {"both": True} and result.remarks == ["answer1 ran out of time"]


def test_tests_are_compiled_before_their_kernel_unless_that_has_something_to_say(warm):
    bodies = {
        "plain": "b = a\nassert b == 1\nb",
        "warned": "assert (a is 1) in (True, False)",
        "broken": "assert a == 1\nassert (",
        "raised": "b = a\n\nassert b == 2, f'a is {b}'",
        "waited": "import asyncio\nassert await asyncio.sleep(0, a) == 1",
        "magic": "%time c = a\nassert c == 1",
    }
    assert [name for name, body in bodies.items() if compiled_test(body) is None] == ["warned", "broken"]
    notebook = cells("a = 1", *(f"test {name}\n{body}" for name, body in bodies.items()))
    result = execute(notebook, make_plan(notebook), warm, Settings(), None)
    assert result.passed == {name: name not in ("broken", "raised") for name in bodies} and result.needs_human == []
    outputs = {cell.metadata.nbgrader.grade_id: cell.outputs for cell in notebook.cells[1:]}
    assert "SyntaxWarning" in str(outputs["warned"])
    assert outputs["broken"][0].ename == "SyntaxError"
    assert outputs["raised"][0].evalue == "a is 1" and "> 3 assert" in str(outputs["raised"][0].traceback)


def test_given_code_that_makes_python_warn_is_given_all_the_same(warm):
    # A second notebook of an assignment comes when the first one's tests have been compiled.
    assert compiled_test("assert True") is not None
    notebook = cells("a = 1", "test one\nassert given(1)")
    plan = dataclasses.replace(make_plan(notebook), given=Given("def given(x):\n    return x is 1"))
    assert execute(notebook, plan, warm, Settings(), None).passed == {"one": True}


def test_a_test_sees_what_an_answer_counts_while_it_runs(warm):
    count = "counter = 0\ndef count():\n    global counter, math\n    counter += 1\n    math = None\n    return counter"
    test = "test counted\nassert count() == 1 and counter == 1\nassert count() == 2 and counter == 2"
    function = (
        "test function\ndef test():\n    assert count() == 3 and counter == 3\n    assert count() == counter\ntest()"
    )
    own = "test own\nimport math\ncounter = 5\nassert count() == 6 and counter == 6\nassert math.pi > 3"
    later = "test later\nassert count() == 7 and counter == 7"
    result = run(warm, count, test, function, own, later)
    assert result.passed == {"counted": True, "function": True, "own": True, "later": True} and result.needs_human == []


def test_mocks_and_doctests_of_a_test_are_no_suspicion():
    source = (
        "def ask():\n    'Ask.\\n\\n    >>> 1 + 1\\n    2\\n    '\n    return input('name? ')\n"
        "def shout(text):\n    print(text.upper())"
    )
    mocked = (
        "test mocked\nfrom unittest import mock\nwith mock.patch('builtins.input', return_value='Bo') as asked:\n"
        "    assert ask() == 'Bo'\nasked.assert_called_once()\n"
        "with mock.patch('builtins.print') as printed:\n    shout('a')\nprinted.assert_called_once_with('A')"
    )
    # What has imported doctest already, as numpy's tests do, must not have taken another class of pdb's.
    process = WarmProcess(("math", "doctest"))
    try:
        result = run(process, source, mocked, "test docs\nimport doctest\nassert doctest.testmod() == (0, 1)")
    finally:
        process.close()
    assert result.passed == {"mocked": True, "docs": True} and result.needs_human == []


def test_assertions_stay_in_tests_when_python_is_told_to_leave_them_out():
    script = (
        "from autograder.engine.compiled import compiled_test\nassert False\nexec(compiled_test('assert 1 == 2')[0])"
    )
    done = subprocess.run([sys.executable, "-O", "-c", script], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.rstrip().endswith("AssertionError")


def test_a_cell_is_made_plain_python_as_it_would_be_without_a_memory_of_the_one_before(warm):
    # The same text twice, with a transformer set in between; and one that cannot be transformed.
    change = (
        "get_ipython().input_transformers_cleanup.append(lambda lines: [l.replace('b = 1', 'b = 2') for l in lines])"
    )
    notebook = cells("b = 1", "print('first', b)", change, "b = 1", "print('second', b)")
    execute(notebook, make_plan(notebook), warm, Settings(), None)
    said = "".join(output.text for cell in notebook.cells for output in cell.outputs if "text" in output)
    assert "first 1" in said and "second 2" in said
    fails = "def fail(lines):\n    raise SyntaxError('not so')\nget_ipython().input_transformers_cleanup.append(fail)"
    notebook = cells(fails, "b = 1")
    execute(notebook, make_plan(notebook), warm, Settings(), None)
    assert [output.ename for output in notebook.cells[1].outputs] == ["SyntaxError"]


def test_swallowing_the_interrupt_does_not_help(warm):
    stubborn = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    result = run(warm, "a = 1", stubborn, "b = 2", "test both\nassert a + b == 3", cell_timeout=2)
    assert result.passed == {"both": True}
    assert result.remarks == ["answer1 ran out of time"]


def test_a_kernel_that_answers_no_more_after_an_endless_cell_is_replaced(warm, monkeypatch):
    # As happened once, when a cell had taken all memory: each later cell took seconds to do nothing.
    monkeypatch.setattr("autograder.engine.execute._Run._still_answers", lambda self: False)
    endless = "c = 3\nwhile True: pass"
    result = run(
        warm, "a = 1", endless, "b = 2", "test both\nassert a + b == 3 and 'c' not in globals()", cell_timeout=2
    )
    assert result.passed == {"both": True} and result.remarks == ["answer1 ran out of time"]


def test_a_kernel_that_still_answers_stays(warm):
    endless = "c = 3\nwhile True: pass"
    result = run(warm, "a = 1", endless, "b = 2", "test all_three\nassert a + b == c", cell_timeout=2)
    assert result.passed == {"all_three": True} and result.remarks == ["answer1 ran out of time"]
    # What asks the kernel is no part of the notebook.
    assert [cell.source for cell in result.notebook.cells[:3]] == ["a = 1", endless, "b = 2"]


def test_the_notebook_has_a_limit_of_its_own(warm):
    endless = ["import time\ntime.sleep(60)"] * 4
    result = run(warm, *endless, "test last\nassert True", cell_timeout=3, notebook_timeout=5)
    assert result.passed == {"last": False} and "the notebook ran out of time" in result.remarks


def test_a_flood_of_output_is_cut_and_costs_nothing(warm):
    flood = "for _ in range(30): print('x' * 100_000)"
    result = run(warm, flood, "a = 1", "test one\nassert a == 1", output_bytes=1_000_000)
    assert result.passed == {"one": True} and "printed more than 1 MB; the rest was dropped" in result.remarks
    kept = sum(len(o.get("text", "")) for c in result.notebook.cells for o in c.outputs)
    assert kept <= 1_000_000


@pytest.mark.parametrize(
    "flood",
    [
        "from IPython.display import display\nfor _ in range(9): display({}, raw=True, metadata={'a': 'b' * 400_000})",
        "raise Exception('b' * 3_000_000)",
    ],
)
def test_what_goes_with_an_output_is_cut_too(warm, flood):
    result = run(warm, flood, "a = 1", "test one\nassert a == 1", output_bytes=1_000_000)
    assert result.passed == {"one": True}
    assert sum(len(str(o)) for c in result.notebook.cells for o in c.outputs) <= 1_100_000


def test_an_endless_flood_of_output_is_ended(warm):
    flood = "while True: print('x' * 100_000)"
    result = run(warm, flood, "a = 1", "test one\nassert a == 1", output_bytes=1_000_000, cell_timeout=60)
    assert result.passed == {"one": True}
    assert "answer0 printed more than 20 MB and was ended" in result.remarks


def test_memory_of_one_process_is_limited(warm):
    result = run(warm, "block = bytearray(2 << 30)", "a = 1", "test one\nassert a == 1", limits=Limits(memory_mb=1000))
    assert result.passed == {"one": True}
    assert result.notebook.cells[0].outputs[0].ename == "MemoryError"


def test_memory_of_all_processes_together_is_limited(warm):
    many = """
import subprocess, sys, time
big = "import time; block = bytearray(b'x') * (300 << 20); time.sleep(60)"
for _ in range(5):
    subprocess.Popen([sys.executable, "-c", big])
time.sleep(60)
"""
    result = run(warm, "a = 1", many, "test one\nassert a == 1", limits=Limits(memory_mb=1000), cell_timeout=50)
    assert result.passed == {"one": True}
    assert result.remarks == ["answer1 used more than 1000 MB of memory"]


# The warm process


def test_a_module_that_is_missing_is_noted_and_kernels_still_start():
    process = WarmProcess(("math", "no_such_module", ""))
    try:
        assert len(process.missing) == 2 and "no_such_module" in process.missing[0]
        assert run(process, "a = 1", "test one\nassert a == 1").passed == {"one": True}
    finally:
        process.close()


def test_after_the_warm_process_was_killed_a_new_one_is_started():
    keeper = WarmKeeper(lambda: WarmProcess(LITTLE))
    try:
        first = keeper.get()
        os.kill(first.pid, signal.SIGKILL)
        assert gone({first.pid}) or not first.alive
        while first.alive:
            time.sleep(0.05)
        with pytest.raises(SandboxError):
            run(first, "a = 1")
        second = keeper.get()
        assert second is not first and keeper.restarts == 1
        assert run(second, "a = 1", "test one\nassert a == 1").passed == {"one": True}
    finally:
        keeper.close()


def test_one_that_still_imports_is_ended_at_once(tmp_path):
    (tmp_path / "source" / "week").mkdir(parents=True)
    begin_shared(tmp_path, "week")
    begin_shared(tmp_path, "week2")
    ready = start_warm(tmp_path, "week")
    assert ready.alive and ready.missing == []
    ready.close()
    from autograder.engine import warm

    unused = warm._begun.pop((tmp_path, "week2", True))
    unused.close()
    assert not unused.alive


def test_the_warm_set_comes_from_the_course_or_from_the_assignments_imports(tmp_path):
    folder = tmp_path / "source" / "week"
    folder.mkdir(parents=True)
    code = "import csv, json.decoder\nfrom email import message\nfrom . import x\ndef f():\n    import wave"
    nbformat.write(new_notebook(cells=[new_code_cell(code), new_code_cell("%broken")]), folder / "a.ipynb")
    found = warm_set(tmp_path, "week")
    assert {"csv", "json.decoder", "email", "torch", "wave"} <= set(found) and "x" not in found
    for nonsense in (b"[tool.autograder]\nwarm = 3", b"tool = 3", b"\xff", b"["):
        (tmp_path / "pyproject.toml").write_bytes(nonsense)
        assert warm_set(tmp_path, "week") == found
    (tmp_path / "pyproject.toml").write_text('[tool.autograder.warm]\ndefault = ["a"]\nweek = ["b", "c"]\n')
    assert warm_set(tmp_path, "week") == ("b", "c") and warm_set(tmp_path, "other") == ("a",)


# Nothing is left


def test_processes_and_folders_are_gone_after_a_run():
    before = set(Path(tempfile.gettempdir()).glob("ag-*/*"))
    process = WarmProcess(LITTLE)
    leaving = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\nopen('/tmp/left', 'w').write('x')"
    )
    run(process, leaving, "a = 1", "test one\nassert a == 1")
    assert gone(family(process.pid) - {process.pid})
    process.close()
    assert gone({process.pid})
    new = set(Path(tempfile.gettempdir()).glob("ag-*/*")) - before
    assert not [path for path in new if path.parent.name not in os.listdir(tempfile.gettempdir())]
    assert not Path("/tmp/left").exists()


# Without a sandbox, and through other programs


def test_names_that_a_test_binds_in_other_ways_are_its_own(warm):
    result = run(
        warm,
        "a = 1",
        "test warned\n'''A text.'''\nimport warnings\nwarnings.warn('mind')\ncount: int = a\nassert count == 1",
        "test computed\nglobals()['b'] = a\nexec('c = b')\nassert c == 1",
    )
    assert result.passed == {"warned": True, "computed": True} and not result.needs_human


def test_names_that_a_library_binds_for_the_test_are_noticed(warm):
    answer = "import collections, functools, sympy\n"
    answer += "bind = functools.partial(sympy.var, 'all', cls=sympy.Function)\n"
    answer += "def double(x):\n    return collections.defaultdict(bind)"
    done = run(warm, answer, "test t\nd = double(1)\nd['a']\nassert all([False])\nfor i, (j, *k) in []: pass")
    assert done.needs_human == ["the test's all was replaced"]
    own = "test t\ndef f(): ...\ntry: 1 / 0\nexcept ZeroDivisionError as e: x = y = 2\nmatch x:\n    case z: pass\n"
    assert run(warm, "", own + "import json as j\n[w := 1]\nwith open('/dev/null') as h: del y").needs_human == []


def test_arithmetic_of_learners_is_noticed_where_a_test_relies_on_it(warm):
    answer = "class V:\n    def __sub__(self, other): return V()\n    def __abs__(self): return 0.0\nabs(V() - V())\n"
    answer += "def own(): return abs(V() - V())\ndef given(): return V()"

    def reasons(test):
        plan = make_plan(cells("", f"test t\n{test}"))
        done = execute(cells(answer, f"test t\n{test}"), plan, warm, Settings(), None)
        assert done.passed == {"t": True}
        return done.needs_human

    assert reasons("assert own() == 0 and len([given()]) == 1") == []
    relied = [f"a test relies on the method {name} of a learner's class" for name in ("__sub__", "__abs__")]
    assert reasons("assert abs(given() - 1) < 1") == relied
    assert reasons("import statistics\nassert statistics.fabs(1) and list(map(abs, [given()])) == [0]") == relied[1:]


def test_without_a_sandbox_the_gate_still_judges():
    process = WarmProcess(LITTLE, sandboxed=False)
    try:
        result = run(
            process, "a = 1", "import os\nos._exit(3)", "while True: pass", "test one\nassert a == 1", cell_timeout=2
        )
        assert result.passed == {"one": True} and not result.needs_human
        assert result.remarks == ["answer1 ended the kernel", "answer2 ran out of time"]
        assert gone(family(process.pid) - {process.pid})
    finally:
        process.close()


@pytest.fixture
def registered(tmp_path):
    """An environment in which the entry point of pyproject.toml is installed, and a kernelspec that names it."""
    import tomllib

    (name, entry), *_ = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
        "jupyter_client.kernel_provisioners"
    ].items()
    metadata = tmp_path / "installed" / "ag_test-0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: ag-test\nVersion: 0\n")
    (metadata / "entry_points.txt").write_text(f"[jupyter_client.kernel_provisioners]\n{name} = {entry}\n")
    spec = {
        "argv": ["unused"],
        "display_name": "Sandboxed",
        "language": "python",
        "metadata": {"kernel_provisioner": {"provisioner_name": name}},
    }
    kernel = tmp_path / "jupyter" / "kernels" / "sandboxed"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps(spec))
    path = os.pathsep.join([str(metadata.parent), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "JUPYTER_PATH": str(tmp_path / "jupyter"), "SECRET_OF_MINE": "s"}


PLAIN = (
    "import os\nprint(os.getcwd(), 'SECRET_OF_MINE' in os.environ, os.path.exists('/work/main/source'), os.getuid())"
)


def test_nbconvert_execute_uses_it(registered, tmp_path):
    nbformat.write(new_notebook(cells=[new_code_cell(PLAIN)]), tmp_path / "plain.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output", "done.ipynb"]
    command += ["--ExecutePreprocessor.kernel_name=sandboxed", "plain.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, env=registered, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    (cell,) = nbformat.read(tmp_path / "done.ipynb", as_version=4).cells
    assert cell.outputs[0].text == "/home/learner/work False False 1000\n"


def test_nbclient_uses_it(registered, tmp_path):
    nbformat.write(new_notebook(cells=[new_code_cell(PLAIN)]), tmp_path / "plain.ipynb")
    program = (
        "import nbformat, nbclient\n"
        "nb = nbformat.read('plain.ipynb', as_version=4)\n"
        "nbclient.NotebookClient(nb, kernel_name='sandboxed').execute()\n"
        "print(nb.cells[0].outputs[0].text)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=registered, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("/home/learner/work False False 1000")


def test_a_traceback_is_ipythons_and_does_not_wait_for_large_files(warm):
    parsed = "from stack_data.core import Source\nprint(list(vars(Source).get('__source_cache_with_lines', ())))"
    fails = "import numpy as np\ndef total(values):\n    return np.linalg.inv(values)\n\ntotal(np.zeros((2, 2)))"
    result = run(warm, fails, "for _ in range(2):\n    a = 1 / 0", "def broken(:", parsed)
    library, own, syntax, last = (cell.outputs[0] for cell in result.notebook.cells)
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(library.traceback))
    assert "----> 5 total(np.zeros((2, 2)))" in text and "----> 3     return np.linalg.inv(values)" in text
    assert re.search(r"_linalg.py:\d+, in inv\(a\)\n", text) and text.endswith("LinAlgError: Singular matrix")
    assert "----> 2     a = 1 / 0" in re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(own.traceback))
    assert syntax.ename == "SyntaxError"
    # A module of thousands of lines.
    assert "_linalg" not in last.text
