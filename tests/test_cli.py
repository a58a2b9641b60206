"""The command line itself: where it finds the course, what it says, how it ends; and `autograder release`."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ASSIGNMENT, LESSON, ROOT, WEEK, nbgrader, snapshot

from autograder.cli import main
from autograder.notebooks import twins


def test_the_course_is_found_from_a_folder_inside_it(built, monkeypatch, capsys):
    monkeypatch.chdir((built / LESSON).parent)
    assert main(["notebooks", "--check"]) == 0
    assert "all 2 up to date" in capsys.readouterr().out


def test_outside_a_course_it_says_so(tmp_path, autograder):
    run = autograder(tmp_path, "notebooks")
    assert run.code == 1 and run.out == ""
    assert run.err.startswith("autograder: no nbgrader_config.py at or above") and len(run.err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["notebooks", "--nonsense"], ["--root"]], ids=str)
def test_wrong_usage_ends_with_2_and_shows_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: autograder" in capsys.readouterr().err


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert all(command in said for command in ("notebooks", "release", "demo"))


def test_an_interruption_ends_with_130_and_one_line(built, autograder, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(twins, "build", interrupt)
    run = autograder(built, "notebooks")
    assert run.code == 130 and len(run.err.splitlines()) == 1 and "again" in run.err


@pytest.mark.parametrize("missing", ["pyproject.toml"])
def test_a_missing_file_is_named_in_one_line(built, autograder, missing):
    (built / missing).unlink()
    run = autograder(built, "notebooks")
    assert run.code == 1 and missing in run.err and len(run.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [("c.Foo = (", "'(' was never closed"), ("c.Foo = 1 / 0", "ZeroDivisionError: division by zero")],
)
@pytest.mark.parametrize("command", [["grade"], ["intake"], ["feedback"], ["export"], ["report"]], ids=lambda c: c[0])
def test_a_configuration_with_an_error_is_not_passed_over(built, autograder, command, line, said):
    """nbgrader would go on with its defaults, and its feedback shows hidden tests."""
    config = built / "nbgrader_config.py"
    number = len(config.read_text("utf-8").splitlines()) + 1
    with config.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    run = autograder(built, *command, WEEK)
    assert (run.code, run.out) == (1, "")
    assert run.err == f"autograder: nbgrader_config.py cannot be read: line {number}: {said}\n"


def test_folders_of_other_names_are_refused(built, autograder):
    with (built / "nbgrader_config.py").open("a", encoding="utf-8") as file:
        file.write("c.CourseDirectory.submitted_directory = 'handed_in'\n")
    for command in ("grade", "intake", "feedback"):
        run = autograder(built, command, WEEK)
        assert run.code == 1 and run.err == (
            "autograder: c.CourseDirectory.submitted_directory is 'handed_in': autograder needs nbgrader's own, "
            "'submitted'\n"
        )


def test_a_course_without_notebooks(tiny, autograder):
    for name in (LESSON, ASSIGNMENT, ASSIGNMENT.with_name("variants.py")):
        (tiny / name).unlink()
    assert autograder(tiny, "notebooks").out == "notebooks: all 0 up to date\n"


@pytest.mark.slow
def test_python_m_autograder_ends_with_the_code_of_the_command(tiny):
    command = [sys.executable, "-m", "autograder", "notebooks", "--check"]
    run = subprocess.run(command, cwd=tiny, capture_output=True, text=True)
    assert run.returncode == 1 and "differs" in run.stdout and "make notebooks" in run.stderr


# Releases, by nbgrader


@pytest.mark.slow
def test_release(released, autograder):
    """What `autograder release` makes is what nbgrader makes; --check only looks; leftovers go; faults are told."""
    copy = released / "release" / WEEK / "tiny.ipynb"
    by_nbgrader = copy.read_bytes()
    database = (released / "gradebook.db").read_bytes()
    (released / "release" / WEEK / "leftover.ipynb").write_text("{}", "utf-8")
    copy.unlink()
    before = snapshot(released)

    run = autograder(released, "release", "--check")
    assert run.code == 1 and "make release" in run.err
    assert run.out.splitlines() == [f"differs  release/{WEEK}/{name}" for name in ("leftover.ipynb", "tiny.ipynb")]
    assert {name: text for name, text in snapshot(released).items() if name != ".nbgrader.log"} == before

    assert autograder(released, "release").code == 0
    assert [path.name for path in (released / "release" / WEEK).iterdir()] == ["tiny.ipynb"]
    assert copy.read_bytes() == by_nbgrader
    assert (released / "gradebook.db").read_bytes() == database
    assert "release: all 1 up to date" in autograder(released, "release").out

    solution = (released / ASSIGNMENT).with_suffix(".ipynb")
    solution.write_text(solution.read_text("utf-8").replace("### END SOLUTION", "###"), "utf-8")
    run = autograder(released, "release")
    assert run.code == 1 and WEEK in run.err and "no end solution statement" in run.err.lower()
    assert copy.read_bytes() == by_nbgrader


@pytest.mark.slow
def test_nbgrader_runs_where_the_environment_is_not_activated(built, monkeypatch):
    bare = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if not (Path(p) / "alembic").exists())
    monkeypatch.setenv("PATH", bare)
    nbgrader(built, "generate_assignment", WEEK)
    assert (built / "gradebook.db").is_file()


@pytest.mark.slow
def test_grading_where_the_environment_is_not_activated(released):
    shutil.copytree(released / "release" / WEEK, released / "submitted" / "ada" / WEEK)
    (released / "gradebook.db").rename(released / "kept.db")

    def grade():
        command = [sys.executable, "-m", "autograder", "grade", WEEK]
        return subprocess.run(command, cwd=released, env={"PATH": os.defpath}, capture_output=True, text=True)

    # nbgrader makes the gradebook with a program that it calls by name.
    assert f"run `nbgrader generate_assignment {WEEK}` first" in grade().stderr
    (released / "kept.db").replace(released / "gradebook.db")
    done = grade()
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ada +0 ", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.slow
def test_nbmake_ends_with_the_time_of_each_notebook(built):
    folder = built / "notebooks" / WEEK
    shutil.copy(folder / "tiny.ipynb", folder / "again.ipynb")
    (built / "tests").mkdir()
    (built / "tests" / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--nbmake", "tests", "notebooks"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}  # what that conftest imports
    run = subprocess.run(command, cwd=built, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    *_, table = run.stdout.partition("notebooks, slowest first")
    rows = [line.split(" s  ") for line in table.splitlines() if " s  " in line]
    assert {name for _, name in rows} == {f"notebooks/{WEEK}/again.ipynb", f"notebooks/{WEEK}/tiny.ipynb"}
    seconds = [float(time) for time, _ in rows]
    assert seconds == sorted(seconds, reverse=True) and seconds[-1] > 0
