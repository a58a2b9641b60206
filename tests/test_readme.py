"""Every command of the README, run in a copy of the checkout, with what it promises."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograder.course import path_with_programs
from autograder.variants import fill_answers, reference_answers

ROOT = Path(__file__).parent.parent
WEEK = "week03_linear_regression"
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]
pytestmark = pytest.mark.slow


def block_with(words: str) -> list[str]:
    (block,) = [block for block in BLOCKS if words in block]
    return block.splitlines()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of the repository with the environment of these tests as its .venv."""
    folder = tmp_path_factory.mktemp("readme") / "course"
    ignored = shutil.ignore_patterns(".venv", "build", ".git", "submitted", "autograded", "feedback", "gradebook.db*")
    shutil.copytree(ROOT, folder, ignore=ignored)
    stamp, needs = Path(sys.prefix) / ".complete", ("pyproject.toml", ".ci/constraints.txt", ".ci/setup")
    # Otherwise `make` in the copy would install the copy into this very environment.
    if not stamp.exists() or stamp.stat().st_mtime < max((ROOT / name).stat().st_mtime for name in needs):
        pytest.skip("needs the environment that `make setup` makes, up to date")
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PATH": path_with_programs(), **more}


def run(checkout: Path, command: str, **more: str) -> str:
    done = subprocess.run(
        command, shell=True, cwd=checkout, capture_output=True, text=True, env=environment(**more), timeout=1500
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def start_lab(checkout: Path, command: str, **more: str) -> str:
    """Start a JupyterLab that opens no browser, wait until it listens, stop it; return its log."""
    log = checkout / "lab.log"
    with log.open("w") as file:
        lab = subprocess.Popen(
            command, shell=True, cwd=checkout, stdout=file, stderr=file, env=environment(**more), start_new_session=True
        )
    try:
        deadline = time.monotonic() + 120
        while "is running at" not in log.read_text() and lab.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        if lab.poll() is None:
            os.killpg(lab.pid, signal.SIGTERM)
        lab.wait(30)
    return log.read_text()


def test_no_command_is_left_out():
    """A new command in the README needs a test here."""
    assert set(COMMANDS) == {
        "make lab",
        *block_with("pip install"),
        f"nbgrader validate release/{WEEK}/linear_regression.ipynb",
        "make demo",
        *block_with("autograder grade "),
        *block_with("autograder report "),
        "make help",
        "make quality",
        "make test",
    }


def test_make_lab_is_ready_for_nbgrader(checkout):
    log = start_lab(checkout, "make lab", LAB_ARGS="--no-browser --allow-root --port=0")
    assert "is running at" in log, log
    for extension in ("formgrader", "assignment_list", "validate_assignment"):
        assert f"nbgrader.server_extensions.{extension} | extension was successfully loaded" in log


def test_without_make(checkout, bare_environment):
    *install, lab = block_with("pip install")
    for command in install:
        run(checkout, command, **bare_environment)
    place = run(checkout.parent, "python -c 'import dlcourse, d2l; print(dlcourse.__file__)'", **bare_environment)
    assert str(checkout) in place
    log = start_lab(checkout, f"{lab} --no-browser --allow-root --port=0", **bare_environment)
    assert "is running at" in log, log


def test_validate_says_what_is_wrong(checkout):
    (command,) = block_with("validate")
    blank = run(checkout, command)
    assert "is not written yet" in blank
    solved = run(checkout, command.replace("release/", "source/"))
    assert "Success! Your notebook passes all the tests." in solved


def test_make_demo(checkout):
    out = run(checkout, "make demo")
    rows = {line.split()[0]: line for line in out.splitlines() if re.match(r"[a-z]+ +[\d-]+ ", line)}
    marks = {name: row.split() for name, row in rows.items()}
    assert len(marks) == 14
    most = marks["ada"][1]
    assert float(most) > 80
    for name in ("ada", "blaise", "carl", "ivan", "jean", "mary"):
        assert marks[name][1] == most, rows[name]
    for name in ("hedy", "katherine", "noether"):
        assert marks[name][1] == "0", rows[name]
    for name in ("dorothy", "emmy", "fei", "leonhard"):
        assert 0 < float(marks[name][1]) < float(most), rows[name]
    assert float(marks["grace"][1]) == 0, rows["grace"]
    remarks = {
        "ivan": "3 h late",
        "jean": "taken for data_tools.ipynb",
        "katherine": "is not a valid notebook",
        "leonhard": "ran out of time",
        "mary": "printed more than",
        "noether": "was not handed in",
    }
    for name, words in remarks.items():
        assert words in rows[name], rows[name]
    pages = list((checkout / "build" / "demo" / "feedback").glob("*/week01_data_tools/*.html"))
    assert len(pages) == 14
    assert not (checkout / "gradebook.db").exists()


def test_one_week_of_an_instructor(checkout):
    source = nbformat.read(checkout / "source" / WEEK / "linear_regression.ipynb", as_version=4)
    release = nbformat.read(checkout / "release" / WEEK / "linear_regression.ipynb", as_version=4)
    archive = checkout / "downloaded" / WEEK / "archive" / "download.zip"
    archive.parent.mkdir(parents=True)
    solved = nbformat.writes(fill_answers(release, reference_answers(source)))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("Ada Lovelace_4711_assignsubmission_file_/linear_regression.ipynb", solved)
        file.writestr("Emmy Noether_4712_assignsubmission_file_/homework.ipynb", nbformat.writes(release))
    for command in block_with("autograder grade "):
        run(checkout, command)
    with (checkout / "grades.csv").open(newline="") as file:
        grades = {row["student_id"]: row for row in csv.DictReader(file)}
    assert float(grades["emmy_noether"]["score"]) == 0
    assert 80 < float(grades["ada_lovelace"]["score"]) < 100, "written answers are not graded yet"
    page = (checkout / "feedback" / "ada_lovelace" / WEEK / "linear_regression.html").read_text("utf-8")
    assert "HIDDEN TESTS" not in page and "MARK SCHEME" not in page
    head = "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (grade)\n"
    rows = "Participant 4711,Ada Lovelace,,,,100.00,Yes,-\nParticipant 4712,Emmy Noether,,,,100.00,Yes,-\n"
    (checkout / "worksheet.csv").write_text(head + rows, "utf-8")
    week, learner, export = [run(checkout, command) for command in block_with("autograder report ")]
    assert "Commonest mistakes" in Path(week.strip()).read_text("utf-8")
    assert "ada_lovelace" in Path(learner.strip()).read_text("utf-8")
    assert "ada_lovelace" in export, "whose written answers are not graded yet"
    written = next(line for line in export.splitlines() if line.endswith(".csv"))
    with Path(written).open(newline="", encoding="utf-8") as file:
        assert [row["Grade"] for row in csv.DictReader(file)] == ["", "0"]


def test_make_help_and_make_test(checkout):
    out = run(checkout, "make help")
    for target in ("demo", "quality", "test", "lab", "notebooks", "release"):
        assert f"make {target}" in out
    # `make test` itself is what runs this; here only what it would run.
    assert "pytest" in run(checkout, "make --dry-run test")
    # This takes minutes, and tests/test_quality.py does the same.
    assert "autograder quality" in run(checkout, "make --dry-run quality")
