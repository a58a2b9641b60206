"""Make release/ from source/: the learners' copies, through `nbgrader generate_assignment` itself."""

import shutil
import tempfile
from pathlib import Path

from autograder.course import CourseError, assignments, run_nbgrader


def build(root: Path, *, check: bool = False) -> list[str]:
    """Regenerate the learner's copy of every assignment.

    The gradebook is not touched: an instructor's own `nbgrader generate_assignment WEEK` enters the
    assignment there. Everything is generated in a temporary folder first, so an error leaves
    release/ as it was.

    Args:
        root: the course directory.
        check: write nothing; only return what would change.

    Returns:
        Paths relative to release/ that were written or removed or, with `check`, that differ.

    Raises:
        CourseError: nbgrader refused an assignment; the message holds its words.
    """
    with tempfile.TemporaryDirectory(prefix="release-") as temporary:
        made = Path(temporary)
        for assignment in assignments(root):
            run = run_nbgrader(
                root, "generate_assignment", assignment, "--no-db", f"--CourseDirectory.release_directory={made}"
            )
            if run.returncode:
                raise CourseError(f"nbgrader could not generate {assignment}:\n{run.stderr.strip()[-2000:]}")
        new, old = _contents(made), _contents(root / "release")
        different = sorted(name for name in new.keys() | old.keys() if new.get(name) != old.get(name))
        if not check:
            for name in different:
                target = root / "release" / name
                if name in new:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(made / name, target)
                else:
                    target.unlink()
        return different


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".ipynb_checkpoints" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
