"""Understand the folder and file names in which Moodle and Canvas hand out submissions.

`nbgrader zip_collect` unpacks what an instructor downloaded and asks `DownloadNames` about each file:
whose is it, and which notebook of the assignment.

- Moodle: `Ada Lovelace_123456_assignsubmission_file_/linear_regression.ipynb`, or without folders
  `Ada Lovelace_123456_assignsubmission_file_linear_regression.ipynb`. Moodle draws the number anew for
  each assignment, so the learner's id is the name (`ada_lovelace`), with the number behind it only
  where two learners of the download share a name.
- Canvas: `lovelaceada_123_4567_linear_regression-1.ipynb`, with `_LATE` after the name where it applies
  and `-1` for a second upload. The learner's id is the Canvas user number, which never changes.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from nbgrader.plugins import FileNameCollectorPlugin

_MOODLE = re.compile(r"^(?P<name>.+)_(?P<number>\d+)_assignsubmission_file_(?P<file>.*)$")
_CANVAS = re.compile(r"^(?P<name>[^_]+)(?P<late>_LATE)?_(?P<user>\d+)_(?P<submission>\d+)_(?P<file>.+)$")


@dataclass(frozen=True)
class Download:
    """One downloaded notebook: whose it is and what it was called."""

    path: Path
    student_id: str
    file: str
    first_name: str | None = None
    last_name: str | None = None
    late: bool = False


def parse(path: Path) -> Download | None:
    """Return whose file this is, or None if its name is neither Moodle's nor Canvas's."""
    for part, file in ((path.parent.name, path.name), (path.name, None)):
        if match := _MOODLE.match(part):
            name, number = match["name"], match["number"]
            siblings = _moodle_numbers(path.parent.parent if file else path.parent, name)
            student_id = _slug(name) if siblings <= {number} else f"{_slug(name)}_{number}"
            first, _, last = name.rpartition(" ")
            return Download(path, student_id, file or match["file"], first or None, last or None)
    if match := _CANVAS.match(path.name):
        return Download(path, match["user"], match["file"], late=bool(match["late"]))
    return None


def choose(downloads: list[Download], released: list[str]) -> dict[str, Download]:
    """Decide which of one learner's notebooks is which notebook of the assignment.

    A learner may rename the notebook, or hand in two. An exact name wins, then the name without what
    browsers and Canvas add to it (`-1`, ` (1)`), then, where the assignment has one notebook, any.

    Args:
        downloads: the notebooks of one learner.
        released: file names of the assignment's notebooks.

    Returns:
        The chosen download by released name.
    """
    chosen: dict[str, Download] = {}
    for name in released:
        fits = [(_distance(d.file, name, only=len(released) == 1), -_upload(d.file), d.file, d) for d in downloads]
        ranked = sorted((fit for fit in fits if fit[0] is not None), key=lambda fit: fit[:3])
        if ranked:
            chosen[name] = ranked[0][3]
    return chosen


class DownloadNames(FileNameCollectorPlugin):
    """The collector plugin named in nbgrader_config.py."""

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        """Return nbgrader's description of one extracted file, or None to skip it."""
        path = Path(submitted_file)
        download = parse(path)
        if download is None or path.suffix != ".ipynb":
            return None
        coursedir = self.parent.coursedir
        release = Path(coursedir.format_path(coursedir.release_directory, ".", coursedir.assignment_id))
        released = sorted(file.name for file in release.glob("*.ipynb"))
        others = [parse(file) for file in sorted(path.parent.glob("*.ipynb"))]
        mine = [other for other in others if other is not None and other.student_id == download.student_id]
        for name, chosen in choose(mine, released).items():
            if chosen.path == path:
                if chosen.file != name:
                    self.log.warning("%s handed in %r, taken for %s", download.student_id, chosen.file, name)
                if chosen.late:
                    self.log.warning("%s is marked late by Canvas", download.student_id)
                found = {"student_id": download.student_id, "file_id": name.removesuffix(".ipynb")}
                names = {"first_name": download.first_name, "last_name": download.last_name}
                return found | {key: value for key, value in names.items() if value}
        self.log.warning("%s also handed in %r, which is not used", download.student_id, download.file)
        return None


def _distance(file: str, released: str, *, only: bool) -> int | None:
    if file == released:
        return 0
    if _plain(file) == _plain(released):
        return 1
    return 2 if only else None


def _plain(file: str) -> str:
    stem = file.removesuffix(".ipynb").casefold()
    return re.sub(r"(-\d+|[ _]\(\d+\)|[ _-]copy\d*)$", "", stem)


def _upload(file: str) -> int:
    """Canvas counts further uploads of a file: the latest has the largest number."""
    match = re.search(r"-(\d+)\.ipynb$", file)
    return int(match[1]) if match else 0


def _moodle_numbers(folder: Path, name: str) -> set[str]:
    matches = (_MOODLE.match(path.name) for path in folder.iterdir()) if folder.is_dir() else ()
    return {match["number"] for match in matches if match and _slug(match["name"]) == _slug(name)}


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_").casefold()
