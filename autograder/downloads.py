"""Understand the folder and file names in which Moodle and Canvas hand out submissions.

`nbgrader zip_collect` unpacks what an instructor downloaded and asks `DownloadNames` about each file:
whose is it, and which notebook of the assignment.

- Moodle: `Ada Lovelace_123456_assignsubmission_file/linear_regression.ipynb` (before version 4.1 with
  `_` behind `file`; folders and archives of the learner's own may follow), or without folders
  `Ada Lovelace_123456_assignsubmission_file_linear_regression.ipynb`. Moodle draws the number anew for
  each assignment, so the learner's id is the name (`ada_lovelace`), with the number behind it only
  where two learners of the download share a name.
- Canvas: `lovelaceada_123_4567_linear_regression-1.ipynb`, with `_LATE` after the name where it applies
  and `-1` for a second upload. The learner's id is the Canvas user number, which never changes.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from nbgrader.plugins import FileNameCollectorPlugin

_MOODLE = re.compile(r"^(?P<name>.+?)_(?P<number>\d+)_assignsubmission_file(_(?P<file>.*))?$")
_CANVAS = re.compile(r"^(?P<name>[^_]+)(?P<late>_LATE)?_(?P<user>\d+)_(?P<submission>\d+)_(?P<file>.+)$")
# What Moodle removes from a name before it names a file by it.
_NOT_IN_FILES = re.compile(r"[\x00-\x1f\x7f&<>\"`|':\\/]")


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
    owner = _owner(path)
    if owner is None:
        return None
    place, match = owner
    if match.re is _CANVAS:
        return Download(path, match["user"], match["file"], late=bool(match["late"]))
    name, number = match["name"], match["number"]
    alone = _moodle_numbers(place, name) <= {number}
    student_id = _slug(name) if alone and _slug(name) else f"{_slug(name)}_{number}".strip("_")
    first, _, last = name.rpartition(" ")
    return Download(path, student_id, path.name if place != path else match["file"], first or None, last or None)


def moodle_ids(name: str, number: str = "") -> set[str]:
    """Return the ids that `parse` may give the learner of a full name in Moodle, by which rosters are matched.

    Args:
        name: the full name as Moodle shows it; in names of files it leaves out some characters.
        number: the number behind the name in the download, if it is known.
    """
    slugs = {_slug(name), _slug(_NOT_IN_FILES.sub("", name))}
    numbered = {f"{slug}_{number}".strip("_") for slug in slugs} if number else set()
    return (slugs | numbered) - {""}


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
        free = [d for d in downloads if d.file == name or d.file not in released]
        fits = [(_distance(d.file, name, only=len(released) == 1), -_upload(d.file), d.file, d) for d in free]
        ranked = sorted((fit for fit in fits if fit[0] is not None), key=lambda fit: fit[:3])
        if ranked:
            chosen[name] = ranked[0][3]
    return chosen


class DownloadNames(FileNameCollectorPlugin):
    """The collector plugin named in nbgrader_config.py."""

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        """Return nbgrader's description of one extracted file, or None to skip it."""
        path = Path(submitted_file)
        owner, download = _owner(path), parse(path)
        if owner is None or download is None or path.suffix != ".ipynb":
            return None
        coursedir = self.parent.coursedir
        release = Path(coursedir.format_path(coursedir.release_directory, ".", coursedir.assignment_id))
        released = sorted(file.name for file in release.glob("*.ipynb"))
        folder = owner[0] if owner[0].is_dir() else owner[0].parent
        mine = [parse(file) for file in sorted(folder.rglob("*.ipynb")) if _same(owner, _owner(file))]
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


def _owner(path: Path) -> tuple[Path, re.Match] | None:
    """Return the file or folder whose name says whose `path` is, and what it says.

    The outermost folder decides: what lies in it was named by the learner, perhaps like a download.
    """
    if path.name.startswith("._"):
        return None  # the shadow of a file in an archive made by macOS
    for place in reversed((path, *path.parents)):
        match = _MOODLE.match(place.name)
        if match and (place != path or match["file"]):
            return place, match
    match = _CANVAS.match(path.name)
    return (path, match) if match else None


def _same(owner: tuple[Path, re.Match], other: tuple[Path, re.Match] | None) -> bool:
    keys = ("user",) if owner[1].re is _CANVAS else ("name", "number")
    return other is not None and owner[1].re is other[1].re and owner[1].group(*keys) == other[1].group(*keys)


def _distance(file: str, released: str, *, only: bool) -> int | None:
    if file == released:
        return 0
    stem = re.escape(released.removesuffix(".ipynb").casefold())
    if re.fullmatch(rf"{stem}(-\d+|[ _]\(\d+\)|[ _-]copy\d*)*\.ipynb", file.casefold()):
        return 1
    return 2 if only else None


def _upload(file: str) -> int:
    """Canvas counts further uploads of a file: the latest has the largest number."""
    match = re.search(r"-(\d+)\.ipynb$", file)
    return int(match[1]) if match else 0


def _moodle_numbers(place: Path, name: str) -> set[str]:
    """Return the numbers behind one name in all archives of the download (one for each group, perhaps)."""
    matches = (_MOODLE.match(path.name) for path in place.parent.parent.glob("*/*"))
    return {match["number"] for match in matches if match and _slug(match["name"]) == _slug(name)}


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", unicodedata.normalize("NFC", name)).strip("_").casefold()
