"""`.ci/setup` says in one line what is missing, and can be interrupted and repeated."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the script is for a POSIX shell")


@pytest.fixture
def checkout(tmp_path):
    """A checkout with nothing but what the script reads."""
    folder = tmp_path / "checkout"
    (folder / ".ci").mkdir(parents=True)
    for name in (".ci/setup", ".ci/constraints.txt", "pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def tools(tmp_path):
    """A PATH with the ordinary tools but no Python, to which a test adds its own."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("sh", "awk", "df", "rm", "grep", "tail", "touch", "make", "mkdir", "cat"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def add_tool(tools: Path, name: str, script: str) -> None:
    path = tools / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run(checkout: Path, tools: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))}
    return subprocess.run(
        ["sh", ".ci/setup"],
        cwd=checkout,
        env={**clean, "PATH": str(tools), "PYTHON": "", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_no_python(checkout, tools):
    done = run(checkout, tools)
    assert done.returncode == 1
    assert done.stderr.startswith("setup: needs Python 3.11 or newer")
    assert done.stderr.count("\n") == 1
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_passed_over(checkout, tools):
    # As Python 3.10 answers the script's question.
    add_tool(tools, "python3", "exit 1")
    done = run(checkout, tools)
    assert "needs Python 3.11" in done.stderr


def test_full_disk_is_found_before_anything_is_made(checkout, tools):
    add_tool(tools, "python3.11", f'exec {sys.executable} "$@"')
    add_tool(tools, "df", "printf 'Filesystem 1024-blocks Used Available\\n/dev/x 99 99 3145728 1%% /\\n'")
    done = run(checkout, tools)
    assert done.returncode == 1
    assert done.stderr == "setup: needs 9 GB of disk, 3 GB are free here\n"
    assert not (checkout / ".venv").exists()


@pytest.mark.slow
def test_no_network_and_then_again(checkout, tools):
    add_tool(tools, "python3.11", f'exec {sys.executable} "$@"')
    add_tool(tools, "df", "printf 'Filesystem 1024-blocks Used Available\\n/dev/x 99 1 99999999 1%% /\\n'")
    # A port where nothing listens stands for a machine without a network.
    offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    for _ in range(2):
        done = run(checkout, tools, **offline)
        assert done.returncode == 1
        assert done.stderr.startswith("setup: packages could not be downloaded; is there a network?")
        assert done.stderr.count("\n") == 1
        assert not (checkout / ".venv" / ".complete").exists()


@pytest.mark.slow
def test_a_broken_environment_is_made_anew(checkout, tools):
    add_tool(tools, "python3.11", f'exec {sys.executable} "$@"')
    add_tool(tools, "df", "printf 'Filesystem 1024-blocks Used Available\\n/dev/x 99 1 99999999 1%% /\\n'")
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "half-made").touch()
    run(checkout, tools, PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0")
    assert not (checkout / ".venv" / "half-made").exists()
    assert (checkout / ".venv" / "bin" / "python").exists()
