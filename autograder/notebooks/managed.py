"""The cells that the build owns: the Colab badge and the set-up cell.

They stand in every text twin, so that a twin is complete and a save in JupyterLab gives it back
unchanged, but nobody edits them there: the build writes them from one place. The repository's
address is `project.urls.Repository` in pyproject.toml; while it is not set there is no badge.
"""

import re
import tomllib
from pathlib import Path

SETUP_HEADER = '# %% tags=["setup"]'
BADGE_HEADER = '# %% [markdown] tags=["badge"]'
# What jupytext takes for the start of a cell, in all its spellings; `lint` allows the first one only.
HEADER = re.compile(r"^[ \t]*#[ \t]*(%%%*([ \t].*)?|<codecell>[ \t]*|In\[[0-9 ]*\]:?[ \t]*)$", re.MULTILINE)
_COURSE_LINE = 'COURSE = os.environ.get("DLCOURSE_PACKAGE", "")'


def repository_address(root: Path) -> str:
    """Return the public address of the repository, or an empty string while it has none."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return project.get("urls", {}).get("Repository", "").rstrip("/").removesuffix(".git")


def setup_cell(address: str) -> str:
    """Return the source of the set-up cell for a repository at `address` (may be empty)."""
    source = Path(__file__).with_name("setup_cell.py").read_text("utf-8")
    origin = f"git+{address}" if address else ""
    filled = source.replace(_COURSE_LINE, _COURSE_LINE.replace('""', f'"{origin}"'))
    return filled.rstrip("\n")


def badge_cell(address: str, notebook: str) -> str | None:
    """Return the badge that opens `notebook` (its path in the repository) in Colab; None without an address.

    An assignment's badge opens the learner's copy in release/, never the solved one in source/.
    """
    if not address.startswith("https://github.com/"):
        return None
    place = address.removeprefix("https://github.com/")
    shown = re.sub(r"^source/", "release/", notebook)
    colab = "https://colab.research.google.com"
    return f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({colab}/github/{place}/blob/main/{shown})"


def fill(text: str, address: str, notebook: str) -> str:
    """Return a twin's text with the managed cells as they must be.

    Args:
        text: the twin, starting with a cell header.
        address: the repository's address or an empty string.
        notebook: path of the .ipynb in the repository, with forward slashes.
    """
    cells = _split(text)
    cells = [cell for cell in cells if _header(cell) != BADGE_HEADER]
    badge = badge_cell(address, notebook)
    if badge is not None and cells:
        cells.insert(1, f"{BADGE_HEADER}\n# {badge}\n\n")
    return "".join(
        f"{SETUP_HEADER}\n{setup_cell(address)}\n\n" if _header(cell) == SETUP_HEADER else cell for cell in cells
    )


def _header(cell: str) -> str:
    return cell.partition("\n")[0].rstrip()


def _split(text: str) -> list[str]:
    starts = [match.start() for match in HEADER.finditer(text)]
    if not starts or starts[0] != 0:
        starts.insert(0, 0)
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
