"""What a grading run tells: progress, the table of the class, and the run record for machines."""

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autograder.engine.submission import Graded
from autograder.table import one_line, print_table


@dataclass
class Row:
    """What became of one submission; `error` says why it was not graded."""

    student: str
    error: str | None = None
    needs_human: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def fill(self, marks: dict[str, Any], graded: Graded) -> None:
        """Enter a submission that is stored."""
        executions = list(graded.executions.values())
        self.error, self.needs_human = None, graded.needs_human
        self.remarks = self.remarks + graded.remarks
        self.details = marks | {
            "wall_s": round(sum(e.wall_s for e in executions), 3),
            "cpu_s": round(sum(e.cpu_s for e in executions), 3),
            "memory_mb": round(max((e.memory_mb for e in executions), default=0)),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return it for the run record."""
        row = asdict(self)
        return row | row.pop("details")


def show_progress(done: int, total: int) -> None:
    """Draw the progress bar, on a terminal."""
    if sys.stderr.isatty():
        filled = 30 * done // max(1, total)
        bar = "#" * filled + "-" * (30 - filled)
        print(f"\r[{bar}] {done}/{total} ", end="\n" if done == total else "", file=sys.stderr, flush=True)


def print_class(rows: list[Row], tests: list[tuple[str, str]]) -> None:
    """Print the table of the class; `tests` are the autograded cells in order, each with its notebook's name."""
    table = [["learner", "marks", *(f"E{i + 1}" for i in range(len(tests))), "to know"]]
    for row in sorted(rows, key=lambda row: row.student):
        if row.error:
            notes = "; ".join([f"not graded: {row.error}", *row.remarks])
            table.append([row.student, "-", *("-" for _ in tests), notes])
            continue
        found = row.details
        notes = [f"NEEDS A HUMAN: {'; '.join(row.needs_human)}"] if row.needs_human else []
        notes += [f"{found['seconds_late'] / 3600:g} h late"] if found["seconds_late"] else []
        total = f"{found['score']:g}" + (f" +{found['waiting']}" if found["waiting"] else "")
        marks = [f"{found['marks'].get(f'{notebook}/{name}', found['marks'].get(name)):g}" for notebook, name in tests]
        table.append([row.student, total, *marks, "; ".join(notes + row.remarks)])
    print_table([[one_line(cell) for cell in cells] for cells in table])
    print("(+n: so many answers wait for a human grader)")
    for number, (_, name) in enumerate(tests, 1):
        print(f"  E{number}  {name.removesuffix('_test')}")


def write_record(folder: Path, assignment: str, record: dict[str, Any]) -> Path:
    """Write what a run did, for machines, and return the file."""
    folder.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = folder / f"{assignment}-{now:%Y%m%dT%H%M%S}-{os.getpid()}.json"
    new = path.with_suffix(".new")
    try:
        new.write_text(json.dumps({"finished": now.isoformat(timespec="seconds"), **record}, indent=1), "utf-8")
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    return path
