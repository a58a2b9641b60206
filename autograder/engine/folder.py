"""A folder that a learner handed in, read within bounds: it may hold anything, as much and as deep as they like."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

# Files and folders together; the sandbox has room for twice as many, so that code can make some, too.
MOST_ENTRIES = 10_000
# Folders in folders; Python's own functions for them end somewhere near a thousand.
DEEPEST = 50
LARGEST_FOLDER = 200_000_000
_GRADED = (".ipynb", "timestamp.txt")


def read_folder(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Read the ordinary files of a folder.

    Returns:
        Their contents by path, and what was left out that the instructor should know. Links and devices always are.

    Raises:
        OSError: a file or folder cannot be read.
    """
    found, remarks, deep = [], [], False
    for number, (entry, depth) in enumerate(walk(folder)):
        if number == MOST_ENTRIES:
            remarks.append(f"of more than {MOST_ENTRIES:,} files and folders the rest was left out")
            break
        status = entry.stat(follow_symlinks=False)
        deep |= stat.S_ISDIR(status.st_mode) and depth == DEEPEST
        if stat.S_ISREG(status.st_mode):
            found.append((Path(entry.path), status.st_size))
    if deep:
        remarks.append(f"what lies more than {DEEPEST} folders deep was left out")
    files, large, left = {}, [], LARGEST_FOLDER
    for path, size in found:
        name = path.relative_to(folder).as_posix()
        if size > left:
            large.append(name)
            continue
        left -= size
        files[name] = path.read_bytes()
    if large:
        more = f" and {len(large) - 3} more" if len(large) > 3 else ""
        most = LARGEST_FOLDER // 1_000_000
        remarks.append(f"{', '.join(large[:3])}{more} left out: more than {most} MB in all")
    return files, remarks


def walk(folder: str | Path, depth: int = 0) -> Iterator[tuple[os.DirEntry, int]]:
    """Yield what lies in a folder and below it, with its depth; no link is followed.

    Files come before folders, and before other files those that are graded: nothing takes their room.
    """
    with os.scandir(folder) as listed:
        entries = sorted(listed, key=lambda entry: (not entry.name.endswith(_GRADED), entry.name))
    folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    yield from ((entry, depth) for entry in entries if not entry.is_dir(follow_symlinks=False))
    for entry in folders:
        yield entry, depth
        if depth < DEEPEST:
            yield from walk(entry.path, depth + 1)
