"""Show what was measured: a table, a file for machines, and pages to read in a browser."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from autograder.notebooks.twins import write_atomically
from autograder.quality.study import BAR, Exercise, Study, Tried, explained, layers, median_seconds
from autograder.table import print_table


def print_studies(studies: Sequence[Study]) -> None:
    """Print a table of the exercises, then the survivors, then what must be mended."""
    for study in studies:
        rows = [["exercise", "points", "right", "wrong", "mutants", "killed", "equiv.", "left", "visible/hidden", ""]]
        rows += [_row(exercise) for exercise in study.exercises]
        print(
            f"{study.week}: {study.kill_rate():.1%} of the mutants noticed, "
            f"{study.kernels} kernels, {study.seconds:.0f} s"
        )
        print_table(rows)
        for exercise in study.exercises:
            if exercise.left_out:
                print(f"{exercise.name} trains for long: {exercise.left_out} of its mutants were not tried")
            for tried in exercise.survived:
                print(f"survived  {exercise.name}, {tried.answer.operator}, line {tried.answer.line}")
                print("".join(f"          # {line}\n" for line in tried.answer.diff), end="")
        print()
    for problem in (text for study in studies for text in study.problems()):
        print(f"problem   {problem}")


def _row(e: Exercise) -> list[str]:
    visible, hidden = layers([*e.wrong, *e.killed])
    return [
        e.name,
        f"{e.points:g}",
        f"{len(e.right) - len(e.lost())}/{len(e.right)}",
        f"{len(e.wrong) - len(e.earned())}/{len(e.wrong)}",
        str(_made(e)),
        str(len(e.killed)),
        str(len(e.equivalent)),
        str(len(e.survived)),
        f"{visible}/{hidden}",
        "look" if e.problems() else "",
    ]


def _made(e: Exercise) -> int:
    return len(e.killed) + len(e.survived) + len(e.equivalent)


def as_json(studies: Sequence[Study]) -> dict[str, Any]:
    """Return what was measured, by week and by exercise."""
    return {study.week: {e.name: _as_dict(e) for e in study.exercises} for study in studies}


def _as_dict(e: Exercise) -> dict[str, Any]:
    visible, hidden = layers([*e.wrong, *e.killed])
    return {
        "points": e.points,
        "right": len(e.right),
        "right_accepted": len(e.right) - len(e.lost()),
        "wrong": len(e.wrong),
        "wrong_rejected": len(e.wrong) - len(e.earned()),
        "mutants": _made(e),
        "killed": len(e.killed),
        "equivalent": len(e.equivalent),
        "survived": len(e.survived),
        "left_out": e.left_out,
        "blank_points": e.points if e.blank.passed else 0,
        "reference_points": e.points if e.reference.passed else 0,
        "caught_by_visible": visible,
        "caught_by_hidden": hidden,
        "median_seconds": round(median_seconds(e), 2),
        "survivors": [
            {"operator": t.answer.operator, "line": t.answer.line, "diff": list(t.answer.diff)} for t in e.survived
        ],
        "unfair": [finding.sentence for finding in e.unfair],
        "problems": e.problems(),
    }


def write_json(studies: Sequence[Study], path: Path) -> None:
    """Write the file for machines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(as_json(studies), indent=1) + "\n")


def write_pages(studies: Sequence[Study], folder: Path) -> list[Path]:
    """Write index.html (everything at a glance) and messages.html (every failure message) into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = Environment(loader=PackageLoader("autograder.quality", "."), autoescape=True, trim_blocks=True)
    names = {"studies": studies, "bar": BAR, "layers": layers, "made": _made, "explained": explained}
    names |= {"seconds": median_seconds, "failures": _failures}
    written = []
    for page, template in (("index.html", "glance.html.j2"), ("messages.html", "messages.html.j2")):
        written.append(folder / page)
        write_atomically(written[-1], environment.get_template(template).render(names))
    return written


def _failures(e: Exercise) -> list[Tried]:
    return [tried for tried in e.wrong if not tried.verdict.passed]
