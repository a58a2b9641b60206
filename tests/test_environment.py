"""The three places that name packages agree: pyproject.toml, environment.yml, .ci/constraints.txt."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# conda-forge calls the package by another name.
CONDA_NAMES = {"torch": "pytorch"}
REQUIRED = {"jupyterlab", "torch", "torchvision", "nbgrader", "matplotlib", "pandas", "scikit-learn"}


def test_pyproject_holds_the_course_packages():
    assert {Requirement(text).name for text in PROJECT["dependencies"]} == REQUIRED


def test_environment_yml_asks_for_the_same_versions():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    wanted = [Requirement(text) for text in PROJECT["dependencies"]]
    expected = {f"{CONDA_NAMES.get(r.name, r.name)}{r.specifier}" for r in wanted}
    assert set(conda) == expected | {f"python{PROJECT['requires-python']}", "pip"}


def test_constraints_satisfy_pyproject():
    lines = (ROOT / ".ci" / "constraints.txt").read_text("utf-8").splitlines()
    pins = dict(line.lower().split("==") for line in lines if line and not line.startswith("#"))
    for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]:
        requirement = Requirement(text)
        assert pins.get(requirement.name.lower()) in requirement.specifier, text


def test_every_place_installs_the_same_d2l():
    places = [".ci/setup", "environment.yml", "README.md", "autograder/notebooks/setup_cell.py"]
    found = {place: set(re.findall(r"d2l==([\d.]+)", (ROOT / place).read_text("utf-8"))) for place in places}
    assert found == dict.fromkeys(places, {version("d2l")})


@pytest.mark.parametrize("place", ["README.md", "CONTRIBUTING.md"])
def test_links_in_the_documents_lead_somewhere(place):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / place).read_text("utf-8"))
    targets += re.findall(r"`([a-z]+/[\w/.]*)`", (ROOT / place).read_text("utf-8"))
    assert targets
    # Folders that are made at work are named, too.
    made = ("submitted/", "downloaded/", "build/")
    missing = [t for t in targets if not t.startswith(made) and "NN_" not in t and not (ROOT / t).exists()]
    assert not missing
