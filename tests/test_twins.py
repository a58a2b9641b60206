"""Text twins through the command line, and through what JupyterLab does when it opens and saves a notebook."""

import asyncio
import difflib
import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from conftest import ASSIGNMENT, LESSON, ROOT, make_course, snapshot, touch_after
from jupyter_server.serverapp import ServerApp
from jupytext import build_async_jupytext_contents_manager_class

from autograder.notebooks import managed, twins

NOTEBOOKS = [path.with_suffix(".ipynb") for path in (LESSON, ASSIGNMENT)]
ADDRESS = "https://github.com/someone/some-course"


def read(path):
    return nbformat.read(path, as_version=4)


def edit_notebook(course, name, change):
    """Change a built notebook as an editor without jupytext does: the text stays behind."""
    path = (course / name).with_suffix(".ipynb")
    notebook = read(path)
    change(notebook)
    nbformat.write(notebook, path)
    touch_after(path, course / name)
    return path


def edit_text(course, name, old, new):
    path = course / name
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")
    touch_after(path, path)
    return path


def cell_with(notebook, text):
    (cell,) = [cell for cell in notebook.cells if text in cell.source]
    return cell


# Building


def test_build_writes_a_clean_notebook_beside_each_text(tiny, autograder):
    run = autograder(tiny, "notebooks")
    assert run.code == 0
    for name in NOTEBOOKS:
        assert f"wrote  {name.as_posix()}" in run.out
        notebook = read(tiny / name)
        nbformat.validate(notebook)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    sources = [cell.source for cell in read(tiny / NOTEBOOKS[0]).cells]
    assert sources[0].splitlines()[0] == "# Tiny lesson"
    assert sources[1] == managed.setup_cell("")
    assert sources[2].startswith("%matplotlib inline\nanswer = 6 * 7")
    assert sources[3] == "%%time\nhalve(answer)"
    assert "```python\n# %% not a header\n!ls\n```" in sources[4]
    assert sources[5].startswith('!ls\ntext = """\n- several lines\n')
    lesson = read(tiny / NOTEBOOKS[0])
    assert lesson.cells[5].metadata.tags == ["solution", "hide"]
    answer = cell_with(read(tiny / NOTEBOOKS[1]), "def double")
    assert answer.metadata.nbgrader.grade_id == "double" and answer.metadata.nbgrader.solution is True


@pytest.mark.slow
def test_two_builds_in_two_places_and_processes_are_byte_identical(built, tmp_path):
    other = make_course(tmp_path / "another place" / "course")
    environment = {**os.environ, "PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-m", "autograder", "notebooks"]
    run = subprocess.run(command, cwd=other / "source", env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert snapshot(other) == snapshot(built)


def test_a_second_build_writes_nothing(built, autograder):
    times = {path: path.stat().st_mtime_ns for path in built.rglob("*")}
    run = autograder(built, "notebooks")
    assert (run.code, run.out) == (0, "notebooks: all 2 up to date\n")
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*")} == times


def test_check_names_what_differs_and_writes_nothing(tiny, autograder):
    before = snapshot(tiny)
    run = autograder(tiny, "notebooks", "--check")
    assert run.code == 1
    assert {line.split()[1] for line in run.out.splitlines()} == {
        p.as_posix() for p in [LESSON, ASSIGNMENT, *NOTEBOOKS]
    }
    assert "make notebooks" in run.err
    assert snapshot(tiny) == before


def test_check_after_one_edit_names_that_notebook_only(built, autograder):
    assert autograder(built, "notebooks", "--check").code == 0
    edit_text(built, LESSON, "6 * 7", "7 * 6")
    before = snapshot(built)
    run = autograder(built, "notebooks", "--check")
    assert (run.code, run.out) == (1, f"differs  {NOTEBOOKS[0].as_posix()}\n")
    assert snapshot(built) == before


def test_an_edit_leaves_the_ids_of_the_other_cells(built, autograder):
    before = read(built / NOTEBOOKS[0]).cells
    edit_text(built, LESSON, "# %%\nhalve(answer) == 21", "# %%\nhalve(8)\n\n# %%\nhalve(answer) == 21")
    assert autograder(built, "notebooks").code == 0
    after = read(built / NOTEBOOKS[0]).cells
    assert [cell.id for cell in after if cell.source != "halve(8)"] == [cell.id for cell in before]
    assert len({cell.id for cell in after}) == len(after) == len(before) + 1


def test_a_graded_cell_keeps_its_id_when_its_text_changes(built, autograder):
    edit_text(built, ASSIGNMENT, "return 2 * x", "return x * 2")
    assert autograder(built, "notebooks").code == 0
    assert cell_with(read(built / NOTEBOOKS[1]), "return x * 2").id == "double"


def test_equal_cells_get_different_ids(built, autograder):
    edit_text(built, LESSON, "halve(answer) == 21", "halve(3)\n\n# %%\nhalve(3)")
    assert autograder(built, "notebooks").code == 0
    nbformat.validate(read(built / NOTEBOOKS[0]))
    ids = [cell.id for cell in read(built / NOTEBOOKS[0]).cells if cell.source == "halve(3)"]
    assert len(set(ids)) == 2


def test_a_checkout_with_crlf_gives_the_same_notebook(built, autograder):
    expected = (built / NOTEBOOKS[1]).read_bytes()
    text = (built / ASSIGNMENT).read_bytes()
    (built / ASSIGNMENT).write_bytes(text.replace(b"\n", b"\r\n"))
    (built / NOTEBOOKS[1]).unlink()
    assert autograder(built, "notebooks").code == 0
    assert (built / NOTEBOOKS[1]).read_bytes() == expected
    assert (built / ASSIGNMENT).read_bytes() == text


def test_an_interrupted_write_leaves_the_old_file_and_no_litter(built, autograder, monkeypatch):
    edit_text(built, LESSON, "6 * 7", "7 * 6")
    before = snapshot(built)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    run = autograder(built, "notebooks")
    assert run.code == 1 and "No space left on device" in run.err and "Traceback" not in run.err
    assert snapshot(built) == before
    monkeypatch.undo()
    assert autograder(built, "notebooks").code == 0
    assert "7 * 6" in (built / NOTEBOOKS[0]).read_text("utf-8")


def test_one_faulty_text_keeps_all_others_from_being_written(built, autograder):
    edit_text(built, LESSON, "6 * 7", "7 * 6")
    edit_text(built, ASSIGNMENT, '"points": 50', '"points": 51')
    before = snapshot(built)
    run = autograder(built, "notebooks")
    assert run.code == 1 and "101" in run.err
    assert snapshot(built) == before


@pytest.mark.parametrize("place", ["notebooks/week01_tiny/left.ipynb", "source/left.ipynb", "notebooks/a/b/left.ipynb"])
def test_a_notebook_without_text_is_refused(built, autograder, place):
    (built / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(built / NOTEBOOKS[0], built / place)
    before = snapshot(built)
    run = autograder(built, "notebooks")
    assert run.code == 1 and f"{place}:1: has no text twin" in run.err
    assert snapshot(built) == before


def test_checkpoints_of_jupyterlab_are_nobodys_twin(built, autograder):
    folder = built / "notebooks" / ".ipynb_checkpoints"
    folder.mkdir()
    shutil.copy(built / NOTEBOOKS[0], folder / "tiny-checkpoint.ipynb")
    shutil.copy(built / LESSON, folder / "tiny-checkpoint.py")
    assert autograder(built, "notebooks", "--check").code == 0


def test_a_text_that_is_not_utf8_is_named(built, autograder):
    (built / LESSON).write_bytes((built / LESSON).read_bytes() + b"# caf\xe9\n")
    run = autograder(built, "notebooks")
    assert run.code == 1 and f"{LESSON.as_posix()}:1: not UTF-8" in run.err


# Edits made in the notebook alone


def swap_numbers(notebook):
    cell = cell_with(notebook, "6 * 7")
    cell.source = cell.source.replace("6 * 7", "7 * 6")


def test_an_edited_notebook_is_not_overwritten(built, autograder):
    edit_notebook(built, LESSON, swap_numbers)
    before = snapshot(built)
    run = autograder(built, "notebooks")
    assert run.code == 1
    assert NOTEBOOKS[0].as_posix() in run.err and NOTEBOOKS[1].as_posix() not in run.err
    assert "--pull" in run.err and "--force" in run.err
    assert snapshot(built) == before


def test_force_drops_the_edit(built, autograder):
    before = snapshot(built)
    edit_notebook(built, LESSON, swap_numbers)
    assert autograder(built, "notebooks", "--force").code == 0
    assert snapshot(built) == before


def test_pull_takes_every_kind_of_edit_into_the_text(built, autograder):
    code, markdown = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    tagged = {"tags": ["keep", "ünï code"]}
    added = [
        markdown("## Neu: ä, λ, 学, 🎉\n\n- a\n  - b  \n\n# %% not a header\n\n$$x^2$$"),
        markdown('"""\nno string\n"""', metadata=tagged),
        code("%matplotlib inline\nimport os\n!ls -l *.py\n%time halve(3)\nprint?"),
        code("%%bash\necho '# %% not a header'"),
        code('s = """\nlines\n\n\nwith gaps\n"""\n# a comment\n#another', metadata=tagged),
        code("# %matplotlib inline\n# !ls\n# [markdown]"),
        code(""),
        code("x = 1  # %% here\n\n\ny = 2\n\n\n"),
        markdown("last\n\n\n"),
    ]
    path = edit_notebook(built, LESSON, lambda notebook: notebook.cells.extend(added))
    edited = [(cell.cell_type, cell.source, cell.metadata.get("tags")) for cell in read(path).cells]
    run = autograder(built, "notebooks", "--pull")
    assert run.code == 0, run.err
    assert [(cell.cell_type, cell.source, cell.metadata.get("tags")) for cell in read(path).cells] == edited
    assert "echo '# %% not a header'" in (built / LESSON).read_text("utf-8")
    assert autograder(built, "notebooks", "--check").code == 0


def test_pull_adds_exactly_the_edit_to_the_text(built, autograder):
    old = (built / LESSON).read_text("utf-8")
    edit_notebook(built, LESSON, swap_numbers)
    assert autograder(built, "notebooks", "--pull").code == 0
    assert (built / LESSON).read_text("utf-8") == old.replace("6 * 7", "7 * 6")


def test_pull_takes_an_nbgrader_header_set_in_the_notebook(built, autograder):
    def change(notebook):
        cell_with(notebook, "assert double").metadata.nbgrader.points = 30
        cell_with(notebook, "assert math").metadata.nbgrader.points = 60

    old = (built / ASSIGNMENT).read_text("utf-8")
    edit_notebook(built, ASSIGNMENT, change)
    assert autograder(built, "notebooks", "--pull").code == 0
    new = (built / ASSIGNMENT).read_text("utf-8")
    assert new == old.replace('"points": 40', '"points": 30').replace('"points": 50', '"points": 60')


@pytest.mark.parametrize(
    "source",
    ["# %% a cell in a cell\nx = 1", "x = 1\n# %%", "#%%\nx = 1", "# In[1]:\nx = 1", 's = "a\u2028b"', 'open = """\n'],
)
def test_pull_refuses_what_the_text_cannot_hold(built, autograder, source):
    path = edit_notebook(built, LESSON, lambda nb: nb.cells.append(nbformat.v4.new_code_cell(source)))
    edit_notebook(built, LESSON, lambda nb: nb.cells.append(nbformat.v4.new_code_cell("the_end = 1")))
    before = snapshot(built)
    run = autograder(built, "notebooks", "--pull")
    assert run.code == 1 and f"{path.relative_to(built).as_posix()}:1: cell 8 cannot be written as text" in run.err
    assert snapshot(built) == before


def test_pull_refuses_a_pasted_picture(built, autograder):
    cell = nbformat.v4.new_markdown_cell(
        "![plot](attachment:plot.png)", attachments={"plot.png": {"image/png": "aGk="}}
    )
    path = edit_notebook(built, LESSON, lambda nb: nb.cells.append(cell))
    run = autograder(built, "notebooks", "--pull")
    assert run.code == 1 and "a pasted picture" in run.err
    assert "attachments" in read(path).cells[-1]


def test_outputs_and_counts_alone_are_no_edit(built, autograder):
    clean = snapshot(built)

    def run_all(notebook):
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                cell.execution_count = number
                cell.outputs = [nbformat.v4.new_output("stream", text="an output\n")]

    edit_notebook(built, LESSON, run_all)
    assert autograder(built, "notebooks", "--check").out == f"differs  {NOTEBOOKS[0].as_posix()}\n"
    assert autograder(built, "notebooks").code == 0
    assert snapshot(built) == clean


def test_a_notebook_that_is_none_any_more_is_built_anew(built, autograder):
    clean = snapshot(built)
    path = built / NOTEBOOKS[0]
    path.write_text("<<<<<<< HEAD\n" + path.read_text("utf-8")[:500], "utf-8")
    touch_after(path, built / LESSON)
    assert autograder(built, "notebooks").code == 0
    assert snapshot(built) == clean


# The cells that the build owns


def set_address(course, address):
    text = (course / "pyproject.toml").read_text("utf-8")
    (course / "pyproject.toml").write_text(text.replace('# Repository = ""', f'Repository = "{address}"'), "utf-8")


@pytest.mark.parametrize("address", [ADDRESS, ADDRESS + "/", ADDRESS + ".git"])
def test_with_an_address_every_notebook_gets_a_badge_and_a_place_to_install_from(tiny, autograder, address):
    set_address(tiny, address)
    assert autograder(tiny, "notebooks").code == 0
    places = {NOTEBOOKS[0]: "notebooks/week01_tiny/tiny.ipynb", NOTEBOOKS[1]: "release/week01_tiny/tiny.ipynb"}
    for name, shown in places.items():
        link = f"(https://colab.research.google.com/github/someone/some-course/blob/main/{shown})"
        title, badge, *_ = read(tiny / name).cells
        assert title.source.startswith("# Tiny ")
        assert badge.cell_type == "markdown" and badge.metadata.tags == ["badge"] and badge.source.endswith(link)
        text = (tiny / name).with_suffix(".py").read_text("utf-8")
        assert text.count(link) == 1 and text.index("# # Tiny") < text.index(link) < text.index('tags=["setup"]')
        setup = cell_with(read(tiny / name), "DLCOURSE_PACKAGE")
        assert f'os.environ.get("DLCOURSE_PACKAGE", "git+{ADDRESS}")' in setup.source


def test_without_an_address_there_is_neither_and_taking_it_away_removes_both(built, autograder):
    without = snapshot(built)
    for name in [LESSON, ASSIGNMENT, *NOTEBOOKS]:
        text = (built / name).read_text("utf-8")
        assert "colab.research" not in text and "git+" not in text and "badge" not in text
    set_address(built, ADDRESS)
    assert autograder(built, "notebooks").code == 0
    assert autograder(built, "notebooks", "--check").code == 0
    assert snapshot(built) != without
    (built / "pyproject.toml").write_bytes(without["pyproject.toml"])
    assert autograder(built, "notebooks").code == 0
    assert snapshot(built) == without


def test_an_address_elsewhere_gives_a_place_to_install_from_and_no_dead_badge(tiny, autograder):
    set_address(tiny, "https://git.example.org/someone/some-course")
    assert autograder(tiny, "notebooks").code == 0
    text = (tiny / LESSON).read_text("utf-8")
    assert "git+https://git.example.org/someone/some-course" in text and "colab.research" not in text


@pytest.mark.parametrize("address", ["", ADDRESS])
@pytest.mark.parametrize("name", [LESSON, ASSIGNMENT], ids=lambda name: name.parts[0])
def test_filling_twice_is_filling_once(tiny, address, name):
    once = managed.fill((tiny / name).read_text("utf-8"), address, name.with_suffix(".ipynb").as_posix())
    assert managed.setup_cell(address) in once
    assert managed.fill(once, address, name.with_suffix(".ipynb").as_posix()) == once


@pytest.mark.parametrize("header", ["#%%", "  # %% x", "# In[3]:", "# <codecell>"])
def test_filling_the_set_up_cell_never_swallows_the_next_cell(tiny, header):
    text = (tiny / LESSON).read_text("utf-8").replace("# %%\n# %matplotlib", f"{header}\n# %matplotlib")
    assert header in text
    assert "answer = 6 * 7" in managed.fill(text, "", "notebooks/week01_tiny/tiny.ipynb")


def test_an_edit_in_the_set_up_cell_is_undone(built, autograder):
    clean = snapshot(built)
    edit_text(built, LESSON, "import importlib.util\n", "import importlib.util\nimport this\n")
    assert autograder(built, "notebooks").code == 0
    assert snapshot(built) == clean


# JupyterLab: jupytext's contents manager over the one that this jupyter_server uses


class Lab:
    """JupyterLab's file side: open a notebook as the browser gets it, save what the browser sends back."""

    def __init__(self, root):
        base = ServerApp.contents_manager_class.default_value
        self.manager = build_async_jupytext_contents_manager_class(base)(root_dir=str(root))

    def open(self, path):
        model = asyncio.run(self.manager.get(path.as_posix(), type="notebook"))
        return json.loads(json.dumps(model["content"]))

    def save(self, path, content):
        model = {"type": "notebook", "format": "json", "content": nbformat.from_dict(json.loads(json.dumps(content)))}
        asyncio.run(self.manager.save(model, path.as_posix()))


@pytest.fixture
def lab(monkeypatch, tmp_path):
    for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return Lab


def run_in_browser(content):
    """What JupyterLab adds to a notebook whose cells were run."""
    content["metadata"]["language_info"] = {"name": "python", "version": "3.11.2", "file_extension": ".py"}
    content["metadata"]["widgets"] = {"state": {}}
    for number, cell in enumerate(content["cells"], 1):
        cell["metadata"]["editable"] = True
        cell["metadata"]["slideshow"] = {"slide_type": ""}
        if cell["cell_type"] == "code":
            cell["metadata"]["trusted"] = True
            cell["metadata"]["execution"] = {"iopub.status.idle": "2030-01-31T12:00:00Z"}
            cell["execution_count"] = number
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "a line of output\n"}]


REAL = [twin.name for twin in twins.find(ROOT)]


@pytest.fixture(scope="module")
def real_course(tmp_path_factory):
    """The repository's own notebooks, built in a copy a while after their texts were written."""
    root = tmp_path_factory.mktemp("real") / "course"
    root.mkdir()
    for name in ("pyproject.toml", "nbgrader_config.py"):
        shutil.copy(ROOT / name, root / name)
    for folder in twins.FOLDERS:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for twin in twins.find(root):
        os.utime(twin.text, (1.7e9, 1.7e9))
    twins.build(root, force=True)
    return root


def check_round_trip(lab, course, name, opened_as):
    """Open, save, run, save, edit one cell, save; the text must hold that edit and nothing else."""
    text, notebook, opened = course / name, (course / name).with_suffix(".ipynb"), name.with_suffix(opened_as)
    before = text.read_bytes()
    jupyter = lab(course)

    content = jupyter.open(opened)
    jupyter.save(opened, content)
    assert text.read_bytes() == before

    content = jupyter.open(opened)
    run_in_browser(content)
    jupyter.save(opened, content)
    assert "a line of output" in notebook.read_text("utf-8")
    assert text.read_bytes() == before

    content = jupyter.open(opened)
    own = [cell for cell in content["cells"] if not {"setup", "badge"} & set(cell["metadata"].get("tags", []))]
    edited = own[len(own) // 2]
    edited["source"] += "\nAn edit: ä 🎉" if edited["cell_type"] == "markdown" else "\nan_edit = 'ä 🎉'"
    jupyter.save(opened, content)
    after = text.read_text("utf-8").splitlines()
    _, _, *changes = difflib.unified_diff(before.decode("utf-8").splitlines(), after, n=0, lineterm="")
    changes = [line for line in changes if not line.startswith("@@")]
    assert changes in (["+# An edit: ä 🎉"], ["+an_edit = 'ä 🎉'"])

    assert twins.build(course) == [notebook.relative_to(course)]
    assert edited["source"] in [cell.source for cell in read(notebook).cells]
    assert "a line of output" not in notebook.read_text("utf-8")
    assert text.read_text("utf-8").splitlines() == after


def test_there_are_real_notebooks_to_test():
    assert {name.parts[0] for name in REAL} == set(twins.FOLDERS)


@pytest.mark.slow
@pytest.mark.parametrize("opened_as", [".ipynb", ".py"])
@pytest.mark.parametrize("name", REAL, ids=lambda name: name.as_posix())
def test_jupyterlab_round_trip(lab, real_course, tmp_path, name, opened_as):
    course = tmp_path / "course"
    shutil.copytree(real_course / name.parent, course / name.parent)
    shutil.copy(real_course / name.parts[0] / "jupytext.toml", course / name.parts[0])
    shutil.copy(real_course / "pyproject.toml", course)
    check_round_trip(lab, course, name, opened_as)


@pytest.mark.parametrize("opened_as", [".ipynb", ".py"])
@pytest.mark.parametrize("name", [LESSON, ASSIGNMENT], ids=lambda name: name.as_posix())
def test_jupyterlab_round_trip_of_the_tiny_course(lab, built, name, opened_as):
    check_round_trip(lab, built, name, opened_as)


def test_the_badge_survives_jupyterlab(lab, tiny, autograder):
    set_address(tiny, ADDRESS)
    assert autograder(tiny, "notebooks").code == 0
    check_round_trip(lab, tiny, ASSIGNMENT, ".ipynb")
