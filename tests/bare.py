"""A Python environment like Colab's: all packages but those of the course."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MISSING = ("dlcourse", "d2l", "autograder", "_dlcourse", "__editable__")


def run(*command: str | Path, **options) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The course's wheel, built as `pip` would build it from a checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("dlcourse-*.whl")
    return built


@pytest.fixture(scope="module")
def bare_environment(tmp_path_factory, wheel) -> dict[str, str]:
    """The environment variables of a new virtual environment; the large packages are lent from this one."""
    folder = tmp_path_factory.mktemp("bare")
    run(sys.executable, "-m", "venv", folder / "venv")
    provided = folder / "provided"
    provided.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(MISSING) and entry.name not in ("pip", "setuptools", "distutils-precedence.pth"):
            (provided / entry.name).symlink_to(entry)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    (site / "provided.pth").write_text(f"{provided}\n")
    # JupyterLab's pages and extensions are files outside site-packages.
    (folder / "venv" / "share").mkdir(exist_ok=True)
    (folder / "venv" / "share" / "jupyter").symlink_to(Path(sys.prefix) / "share" / "jupyter")
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DLCOURSE"))},
        "PATH": f"{folder / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "DLCOURSE_PACKAGE": str(wheel),
        # Data must come from the wheel: an attempt to download would go to a port where nothing listens.
        "DLCOURSE_FASHION_MNIST_URL": "http://127.0.0.1:9/",
        "DLCOURSE_CACHE": str(folder / "cache"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
