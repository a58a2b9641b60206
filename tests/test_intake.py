"""Whatever learners hand in: each gets every notebook of the assignment, a note, and loses nothing."""

import errno
import json
import os

import nbformat
import pytest
from conftest import ASSIGNMENT, WEEK, nbgrader, snapshot
from nbgrader.api import Gradebook

from autograder.intake import check_submissions
from autograder.variants import fill_answers

RIGHT = "def double(x):\n    return 2 * x"


@pytest.fixture
def course(built):
    """A tiny course with a learner's copy (the solved notebook does as well here) and one flawless submission."""
    release = built / "release" / WEEK / "tiny.ipynb"
    release.parent.mkdir(parents=True)
    release.write_bytes((built / ASSIGNMENT.with_suffix(".ipynb")).read_bytes())
    hand_in(built, "ada", "tiny.ipynb", solved(built))
    return built


def solved(course):
    return nbformat.writes(fill_answers(nbformat.read(course / "release" / WEEK / "tiny.ipynb", 4), {"double": RIGHT}))


def hand_in(course, student, name, content):
    path = course / "submitted" / student / WEEK / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def findings(course):
    return [(finding.student_id, finding.text) for finding in check_submissions(course, WEEK)]


def answer(course, student):
    notebook = nbformat.read(course / "submitted" / student / WEEK / "tiny.ipynb", as_version=4)
    nbformat.validate(notebook)
    (cell,) = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "double"]
    return cell.source


def note(course, student):
    """The first words that the learner will read in the notebook."""
    return nbformat.read(course / "submitted" / student / WEEK / "tiny.ipynb", as_version=4).cells[0].source


def contents_kept(before, after):
    """Whether each content that was handed in is still there, perhaps under another name."""
    return set(before.values()) <= set(after.values())


def test_a_flawless_submission_has_no_finding_and_stays_as_it_is(course):
    before = snapshot(course)
    assert findings(course) == []
    assert snapshot(course) == before


ODD_CELLS = {
    "tags twice": {"cell_type": "code", "source": "1", "metadata": {"tags": ["a", "a"]}, "outputs": []},
    "folded by a word": {"cell_type": "code", "source": "1", "metadata": {"collapsed": "yes"}, "outputs": []},
    "no source": {"cell_type": "code", "source": None, "metadata": {}, "outputs": []},
    "a number for a source": {"cell_type": "code", "source": 3, "metadata": {}, "outputs": []},
    "lines of all kinds": {"cell_type": "code", "source": ["a", 1], "metadata": {}, "outputs": []},
    "a number": 7,
    "nothing": None,
    "a list for a kind": {"cell_type": ["code"], "source": "1", "metadata": {}},
    "pictures of no kind": {"cell_type": "markdown", "source": "1", "metadata": {}, "attachments": {"a": 1}},
}


@pytest.mark.parametrize("cell", ODD_CELLS.values(), ids=ODD_CELLS)
def test_one_odd_cell_costs_no_other_cell(course, cell):
    content = json.loads(solved(course))
    content["cells"].insert(0, cell)
    hand_in(course, "eve", "tiny.ipynb", json.dumps(content))
    ((student, text),) = findings(course)
    assert student == "eve" and "mended" in text
    assert answer(course, "eve") == RIGHT


def test_a_file_that_cannot_be_read_now_is_left_for_later(course, monkeypatch):
    path = hand_in(course, "eve", "tiny.ipynb", solved(course))
    before, opened = snapshot(course), os.open

    def out_of_descriptors(name, *rest, **more):
        if os.fspath(name) == str(path):
            raise OSError(errno.EMFILE, "Too many open files")
        return opened(name, *rest, **more)

    monkeypatch.setattr(os, "open", out_of_descriptors)
    assert findings(course) == [("eve", "the submission cannot be examined: Too many open files")]
    monkeypatch.undo()
    assert snapshot(course) == before and findings(course) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (lambda text: text[: len(text) // 2], "not a valid notebook"),
        (lambda text: "", "not a valid notebook"),
        (lambda text: b"\xff\xfe\x00caf\xe9" + text.encode(), "not UTF-8 text"),
        (lambda text: "{}", "not a valid notebook"),
        (lambda text: "[1, 2]", "not a valid notebook"),
        (lambda text: '"a text"', "not a valid notebook"),
        (lambda text: "null", "not a valid notebook"),
        (lambda text: '{"nbformat": 4, "nbformat_minor": 5, "cells": {}, "metadata": {}}', "not a valid notebook"),
        (lambda text: '{"nbformat": 4, "nbformat_minor": 5, "cells": [1], "metadata": {}}', "not a valid notebook"),
        (lambda text: "[" * 100_000, "not a valid notebook"),
        (lambda text: "<html>Please log in</html>", "not a valid notebook"),
    ],
    ids=["truncated", "empty", "not UTF-8", "{}", "list", "text", "null", "no cells", "cell 1", "deep", "html"],
)
def test_a_broken_file_is_kept_and_graded_as_blank(course, content, why):
    path = hand_in(course, "eve", "tiny.ipynb", content(solved(course)))
    before = snapshot(course)
    ((student, text),) = findings(course)
    assert student == "eve" and why in text and "tiny.ipynb.unreadable" in text and "graded as blank" in text
    assert contents_kept(before, snapshot(course))
    assert path.with_name("tiny.ipynb.unreadable").read_bytes() == before[path.relative_to(course).as_posix()]
    assert answer(course, "eve") == answer_of_release(course) and why in note(course, "eve")


def answer_of_release(course):
    release = nbformat.read(course / "release" / WEEK / "tiny.ipynb", as_version=4)
    return next(c.source for c in release.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "double")


def test_a_folder_in_place_of_the_file(course):
    hand_in(course, "eve", "tiny.ipynb/notes.txt", "in here")
    before = snapshot(course)
    ((_, text),) = findings(course)
    assert "tiny.ipynb is not a valid notebook (a folder)" in text
    assert contents_kept(before, snapshot(course))
    assert answer(course, "eve") == answer_of_release(course)


def test_a_renamed_notebook_is_found_among_others(course):
    other = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])
    hand_in(course, "eve", "a first try.ipynb", nbformat.writes(other))
    hand_in(course, "eve", "broken.ipynb", "{")
    hand_in(course, "eve", "my week (final) 2.ipynb", solved(course))
    before = snapshot(course)
    ((_, text),) = findings(course)
    assert "my week (final) 2.ipynb taken for tiny.ipynb" in text
    assert answer(course, "eve") == RIGHT
    after = snapshot(course)
    assert {name: after[name] for name in before} == before


def test_a_notebook_of_another_week_is_not_taken(course):
    other = nbformat.reads(solved(course), as_version=4)
    for cell in other.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.grade_id = "other_" + cell.metadata.nbgrader.grade_id
    hand_in(course, "eve", "other week.ipynb", nbformat.writes(other))
    ((_, text),) = findings(course)
    assert text == "tiny.ipynb was not handed in; graded as blank"


@pytest.mark.parametrize("files", [{}, {"notes.txt": "tomorrow"}], ids=["nothing", "a note"])
def test_a_missing_notebook_is_graded_as_blank(course, files):
    (course / "submitted" / "eve" / WEEK).mkdir(parents=True)
    for name, content in files.items():
        hand_in(course, "eve", name, content)
    assert findings(course) == [("eve", "tiny.ipynb was not handed in; graded as blank")]
    assert answer(course, "eve") == answer_of_release(course)
    assert "was not handed in" in note(course, "eve")


def test_an_old_notebook_is_read_as_it_is(course):
    old = nbformat.v4.downgrade(nbformat.reads(solved(course), as_version=4))
    assert old.nbformat == 3
    hand_in(course, "eve", "tiny.ipynb", nbformat.writes(old, version=nbformat.NO_CONVERT))
    before = snapshot(course)
    assert findings(course) == []
    assert snapshot(course) == before
    assert answer(course, "eve") == RIGHT


def hand_in_every_mishap(course):
    hand_in(course, "blank", "tiny.ipynb", "")
    hand_in(course, "cut", "tiny.ipynb", solved(course)[:300])
    hand_in(course, "folder", "tiny.ipynb/notes.txt", "in here")
    hand_in(course, "forgot", "notes.txt", "tomorrow")
    hand_in(course, "renamed", "mine.ipynb", solved(course))


def test_a_second_look_changes_nothing_and_finds_the_same(course):
    hand_in_every_mishap(course)
    first = findings(course)
    assert [student for student, _ in first] == ["blank", "cut", "folder", "forgot", "renamed"]
    after = snapshot(course)
    assert findings(course) == first
    assert snapshot(course) == after


def test_handing_in_anew_replaces_the_note(course):
    hand_in(course, "eve", "tiny.ipynb", "")
    assert len(findings(course)) == 1
    hand_in(course, "eve", "tiny.ipynb", solved(course))
    assert findings(course) == []
    assert answer(course, "eve") == RIGHT


def test_two_broken_hand_ins_are_both_kept(course):
    for content in ("first {", "second {", "third {"):
        hand_in(course, "eve", "tiny.ipynb", content)
        assert len(findings(course)) == 1
    kept = {path.read_bytes() for path in (course / "submitted" / "eve" / WEEK).glob("*.unreadable*")}
    assert kept == {b"first {", b"second {", b"third {"}


def test_other_assignments_are_left_alone(course):
    path = course / "submitted" / "eve" / "week02_other" / "tiny.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text("{", "utf-8")
    assert findings(course) == []
    assert path.read_text("utf-8") == "{"


def test_names_that_are_no_text_are_shown_in_a_line(course, autograder):
    """Neither moves the terminal's cursor, nor ends in a stack trace where it cannot be encoded."""
    hand_in(course, "eve\x1b[2J\udcff", "notes.txt", "tomorrow")
    run = autograder(course, "intake", WEEK)
    assert run.code == 0 and run.out.startswith("eve\\x1b[2J\\udcff: tiny.ipynb was not handed in")
    run = autograder(course, "grade", "a\x1bb")
    assert run.code == 1 and "\x1b" not in run.err and "a\\x1bb" in run.err


@pytest.mark.slow
def test_nbgrader_grades_everyone_after_the_intake(released):
    hand_in_every_mishap(released)
    hand_in(released, "ada", "tiny.ipynb", solved(released))
    check_submissions(released, WEEK)
    nbgrader(released, "autograde", WEEK)
    with Gradebook(f"sqlite:///{released / 'gradebook.db'}", "dlcourse") as gradebook:
        scores = {s.student_id: s.score for s in gradebook.assignment_submissions(WEEK)}
    assert scores == {"ada": 40, "blank": 0, "cut": 0, "folder": 0, "forgot": 0, "renamed": 40}
