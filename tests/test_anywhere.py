"""The notebooks where nothing of the course is installed, as in Colab: a bare environment and a wheel."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bare import run

from autograder.engine.plan import make_plan
from autograder.notebooks import twins

ROOT = Path(__file__).parent.parent
NOTEBOOKS = twins.find(ROOT)
FIRST_WEEK = [twin for twin in NOTEBOOKS if twin.name.parts[1] == NOTEBOOKS[0].name.parts[1]]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def colab(bare_environment) -> dict[str, str]:
    """A bare environment whose kernel is its own."""
    kernels = Path(python_of(bare_environment)).parent.parent / "kernels"
    run(python_of(bare_environment), "-m", "ipykernel", "install", "--prefix", kernels, "--name", "python3")
    return {**bare_environment, "JUPYTER_PATH": str(kernels / "share" / "jupyter")}


def python_of(environment: dict[str, str]) -> Path:
    return Path(environment["PATH"].split(os.pathsep)[0]) / "python"


def setup_source(notebook: Path) -> str:
    cells = nbformat.read(notebook, as_version=4).cells
    (source,) = [cell.source for cell in cells if "setup" in cell.metadata.get("tags", [])]
    return source


def test_the_wheel_holds_the_data_and_no_assignment(wheel):
    names = run(sys.executable, "-m", "zipfile", "-l", wheel).stdout
    for data in ("ames.csv", "titanic.csv", "fashion_mnist.npz", "fashion_scenes.npz", "ames.md"):
        assert f"dlcourse/_datasets/{data}" in names
    assert "week0" not in names and "variants" not in names.replace("autograder/variants.py", "")
    assert wheel.stat().st_size < 12_000_000


def test_set_up_installs_what_is_missing_and_nothing_else(colab, tmp_path):
    python = python_of(colab)
    listing = (python, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check")
    before = set(run(*listing, env=colab).stdout.split())
    assert not {line for line in before if line.startswith(("d2l=", "dlcourse="))}
    script = tmp_path / "setup_cell.py"
    script.write_text(setup_source(NOTEBOOKS[0].notebook))
    first = run(python, script, env=colab, cwd=tmp_path)
    after = set(run(*listing, env=colab).stdout.split())
    assert {line.split("=")[0] for line in after - before} == {"d2l", "dlcourse"}
    assert before <= after
    assert first.stdout == first.stderr == ""
    # Everything is there now: nothing is installed, so no network is needed.
    offline = {**colab, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PATH": ""}
    again = run(python, script, env=offline, cwd=tmp_path)
    assert again.stdout == again.stderr == ""


def test_set_up_says_what_to_do_where_the_course_cannot_be_found(colab, tmp_path):
    python = python_of(colab)
    script = tmp_path / "setup_cell.py"
    hidden = 'import sys\nsys.modules["dlcourse"] = None\nimport importlib.util\n'
    hidden += "importlib.util.find_spec = lambda name: None\n"
    script.write_text(hidden + setup_source(NOTEBOOKS[0].notebook))
    for origin, words in (("", "set DLCOURSE_PACKAGE"), ("/no/such/wheel.whl", "dlcourse could not be installed")):
        environment = {**colab, "DLCOURSE_PACKAGE": origin}
        done = subprocess.run([python, script], env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 1
        assert words in done.stderr.splitlines()[-1] + done.stderr


@pytest.mark.parametrize("twin", FIRST_WEEK, ids=lambda twin: twin.name.as_posix())
def test_the_notebook_runs_outside_the_course(twin, colab, tmp_path):
    notebook = nbformat.read(twin.notebook, as_version=4)
    nbformat.write(notebook, tmp_path / twin.notebook.name)
    python = python_of(colab)
    convert = (python, "-m", "nbconvert", "--to", "notebook", "--execute", "--output", "done.ipynb", twin.notebook.name)
    run(*convert, env=colab, cwd=tmp_path)
    done = nbformat.read(tmp_path / "done.ipynb", as_version=4)
    outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    assert len(done.cells) == len(notebook.cells)
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]


def test_what_all_notebooks_import_and_load_is_there_outside_the_course(colab, tmp_path):
    """The set-up cell, the same in all, and then every import and every dataset of every notebook, in one process."""
    notebooks = [nbformat.read(twin.notebook, as_version=4) for twin in NOTEBOOKS]
    imports = {line for notebook in notebooks for line in make_plan(notebook).imports}
    assert {"import torch", "from d2l import torch as d2l"} <= imports
    loads = [f"data.{name}()" for name in ("fashion_mnist", "ames", "titanic")] + ["data.FashionScenes('train', 4)"]
    script = tmp_path / "everything.py"
    code = [setup_source(NOTEBOOKS[0].notebook), *sorted(imports), "from dlcourse import data", *loads]
    script.write_text("\n".join(code))
    done = run(python_of(colab), script, env=colab, cwd=tmp_path)
    assert done.stderr == ""


def test_no_cell_but_the_first_looks_for_files_of_the_course():
    for twin in NOTEBOOKS:
        code = [cell.source for cell in nbformat.read(twin.notebook, as_version=4).cells if cell.cell_type == "code"]
        for source in code[1:]:
            assert not re.search(r"datasets/|notebooks/|source/|\.parents\b", source), twin.name
