"""The committed course: twins and release up to date, nothing secret in the release."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from autograder import release
from autograder.course import assignments
from autograder.notebooks import twins
from autograder.variants import exercises, read_variants

ROOT = Path(__file__).parent.parent
WEEKS = assignments(ROOT)
TWINS = twins.find(ROOT)
# Long enough not to be met by chance, short enough to catch a part of a solution.
SECRET_LENGTH = 25


def test_there_is_a_course():
    assert WEEKS and {twin.name.parts[1] for twin in TWINS if not twin.graded} >= set(WEEKS)


def test_notebooks_are_what_their_texts_say():
    assert twins.build(ROOT, check=True) == []


@pytest.mark.slow
def test_release_is_what_its_sources_say():
    assert release.build(ROOT, check=True) == []


def secrets(week: str) -> dict[str, str]:
    """Lines no learner may see, with where each comes from."""
    found = {}
    for twin in TWINS:
        if twin.graded and twin.name.parts[1] == week:
            open_lines, notebook = set(), twins.read_text(twin.text)
            for cell in notebook.cells:
                hidden, region = [], None
                for line in cell.source.splitlines():
                    if mark := re.search(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)", line):
                        region = mark[2] if mark[1] == "BEGIN" else None
                    elif region:
                        hidden.append((line.strip(), region))
                    else:
                        open_lines.add(line.strip())
                meta = cell.metadata.get("nbgrader", {})
                if cell.cell_type == "markdown" and meta.get("solution"):
                    open_lines -= set(cell.source.splitlines())
                    hidden += [(line.strip(), "model answer") for line in cell.source.splitlines()]
                found |= {line: f"{region} of {meta['grade_id']}" for line, region in hidden}
            for variant in read_variants(twin.text.with_name(twins.VARIANTS)):
                found[variant.sentence] = f"variant of {variant.exercise}"
            found = {line: place for line, place in found.items() if line not in open_lines}
    return {line: place for line, place in found.items() if len(line) >= SECRET_LENGTH}


@pytest.mark.parametrize("week", WEEKS)
def test_release_holds_no_solution_hidden_test_variant_or_rubric(week):
    hidden = secrets(week)
    kinds = {place.split(" of ")[0] for place in hidden.values()}
    assert kinds == {"SOLUTION", "HIDDEN TESTS", "MARK SCHEME", "model answer", "variant"}
    files = [path for path in (ROOT / "release" / week).rglob("*") if path.is_file()]
    assert files
    for path in files:
        # Decoded, so that a line with quotes is found as well as one without.
        text = path.read_text("utf-8")
        text += "\n".join(cell.source for cell in nbformat.reads(text, as_version=4).cells)
        leaked = {line: place for line, place in hidden.items() if line in text}
        assert not leaked, path
        for mark in ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME"):
            assert mark not in text


@pytest.mark.parametrize("week", WEEKS)
def test_release_holds_notebooks_only(week):
    files = [path.name for path in (ROOT / "release" / week).rglob("*") if path.is_file()]
    assert sorted(files) == sorted(path.name for path in (ROOT / "source" / week).glob("*.ipynb"))


@pytest.mark.parametrize("week", WEEKS)
def test_every_exercise_has_enough_variants(week):
    for twin in TWINS:
        if twin.graded and twin.name.parts[1] == week:
            variants = read_variants(twin.text.with_name(twins.VARIANTS))
            names = exercises(twins.read_text(twin.text))
            assert {v.exercise for v in variants} == set(names)
            for name in names:
                mine = [v for v in variants if v.exercise == name]
                assert sum(v.right for v in mine) >= 2, name
                assert sum(not v.right for v in mine) >= 4, name
                assert len({ast.dump(ast.parse(v.source)) for v in mine}) == len(mine), f"{name}: two alike"


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name.as_posix())
def test_lessons_and_assignments_keep_to_the_format(twin):
    """The measurable part of the teaching standard: short cells."""
    notebook = twins.read_text(twin.text)
    words = sorted(len(c.source.split()) for c in notebook.cells if c.cell_type == "markdown" and not is_rubric(c))
    assert words[len(words) // 2] <= 80
    assert sum(count > 150 for count in words) <= 0.1 * len(words)
    if not twin.graded:
        lines = [
            len(c.source.splitlines()) for c in notebook.cells if c.cell_type == "code" and not c.metadata.get("tags")
        ]
        assert sum(count > 25 for count in lines) <= 0.1 * len(lines)
        text = "\n".join(c.source for c in notebook.cells)
        assert text.count("<details>") >= 4 and text.count("<details>") == text.count("</details>")


def is_rubric(cell) -> bool:
    return "BEGIN MARK SCHEME" in cell.source or cell.metadata.get("nbgrader", {}).get("solution", False)
