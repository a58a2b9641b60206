"""Whatever a learner did to a notebook: every graded cell is there once, in order, and nothing of theirs is lost."""

import copy
import os

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from nbgrader import utils
from small_course import answer, given, graded_test, task

from autograder.course import CourseError
from autograder.engine.restore import restore
from autograder.intake import LARGEST_NOTEBOOK, check_submissions, not_handed_in, read_notebook

PICTURE = {"a.png": {"image/png": "iVBORw0KGgo="}}


def source():
    cells = [
        given("imports", "import math"),
        new_markdown_cell("# Title"),
        answer("one", "### BEGIN SOLUTION\none = 1\n### END SOLUTION"),
        graded_test("one_test", "assert one == 1\n### BEGIN HIDDEN TESTS\nassert one < 2\n### END HIDDEN TESTS"),
        answer("two", "### BEGIN SOLUTION\ntwo = 2\n### END SOLUTION"),
        graded_test("two_test", "assert two == 2"),
        answer("words", "### BEGIN SOLUTION\nBecause.\n### END SOLUTION", 3, "markdown"),
        task("a_task", "Draw.", 2),
    ]
    return new_notebook(cells=cells)


def released():
    """The learner's copy and the checksums that the gradebook keeps."""
    notebook = source()
    checksums = {}
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            if utils.is_solution(cell):
                cell.source = "YOUR ANSWER"
            checksums[cell.metadata.nbgrader.grade_id] = utils.compute_checksum(cell)
            cell.metadata.nbgrader.checksum = checksums[cell.metadata.nbgrader.grade_id]
            cell.source = cell.source.split("\n### BEGIN HIDDEN")[0]
    return notebook, checksums


def solved():
    notebook, checksums = released()
    for name, text in {"one": "one = 1", "two": "two = 2", "words": "Since."}.items():
        of(notebook, name).source = text
    return notebook, checksums


def of(notebook, name):
    (cell,) = [c for c in notebook.cells if name_of(c) == name]
    return cell


def name_of(cell):
    meta = cell.metadata.get("nbgrader")
    return meta.get("grade_id") if isinstance(meta, dict) else None


def restored(notebook, checksums):
    """Restore, check what must hold whatever was wrong, and return notebook and remarks."""
    texts = [cell.source for cell in notebook.cells if not str(name_of(cell)).endswith("_test")]
    remarks = restore(notebook, source(), checksums)
    nbformat.validate(notebook)
    names = [name_of(c) for c in notebook.cells if name_of(c)]
    assert sorted(names) == sorted(checksums), "each cell of the source once, and no other graded one"
    for cell in source().cells:
        if "nbgrader" in cell.metadata:
            mine, meta = of(notebook, name_of(cell)), cell.metadata.nbgrader
            assert mine.metadata.nbgrader == meta | {"checksum": checksums[meta.grade_id]}
            assert mine.cell_type == cell.cell_type
            assert utils.is_solution(cell) or mine.source == cell.source, "tests and locked texts are the source's"
    assert not [c for c in notebook.cells if "SOLUTION" in c.source]
    kept = "\n".join(c.source for c in notebook.cells)
    assert [text for text in texts if text not in kept and text not in ("import sys", "import math")] == []
    assert all(len(remark) < 300 for remark in remarks)
    return notebook, remarks


def order(notebook):
    return [name_of(cell) for cell in notebook.cells if name_of(cell)]


def test_an_honest_notebook_is_left_as_it_is():
    notebook, checksums = solved()
    before = [(c.source, c.cell_type) for c in notebook.cells if not (name_of(c) or "").endswith("_test")]
    notebook, remarks = restored(notebook, checksums)
    assert remarks == []
    assert [(c.source, c.cell_type) for c in notebook.cells if not (name_of(c) or "").endswith("_test")] == before
    assert order(notebook) == order(source())
    # An answer that was worked in, and one that was not, as nbgrader tells them apart.
    assert utils.determine_grade(of(notebook, "words"))[0] is None
    blank, checksums = released()
    assert utils.determine_grade(of(restored(blank, checksums)[0], "words"))[0] == 0


def test_deleted_cells_come_back_in_their_places():
    for gone in order(source()):
        notebook, checksums = solved()
        notebook.cells = [c for c in notebook.cells if name_of(c) != gone]
        notebook, remarks = restored(notebook, checksums)
        assert remarks == [f"{gone} was missing"]
        assert order(notebook) == order(source())
    # A hand-graded answer that was deleted waits for a person: it may stand elsewhere.
    notebook, checksums = solved()
    notebook.cells = []
    notebook, remarks = restored(notebook, checksums)
    assert remarks == ["imports, one, one_test, two, two_test and 2 more were missing"]
    assert utils.determine_grade(of(notebook, "words"))[0] is None


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [("YOUR ANSWER", "one = 1", "one = 1"), ("one = 1", "YOUR ANSWER", "one = 1"), ("one = 0", "one = 1", "one = 1")],
)
def test_of_a_copied_answer_the_last_that_was_worked_in_counts(first, second, counts):
    notebook, checksums = solved()
    twin = copy.deepcopy(of(notebook, "one"))
    of(notebook, "one").source, twin.source = first, second
    notebook.cells.insert(4, twin)
    notebook, (remark, *_) = restored(notebook, checksums)
    assert of(notebook, "one").source == counts and remark.startswith("one stands there more than once")
    assert order(notebook).index("one") < order(notebook).index("one_test")


def test_copied_and_edited_tests_count_once_with_the_sources_text():
    notebook, checksums = solved()
    twin = copy.deepcopy(of(notebook, "one_test"))
    twin.source = "print('my own test')"
    notebook.cells.append(twin)
    of(notebook, "two_test").source = "pass"
    of(notebook, "imports").source = "import sys"
    notebook, remarks = restored(notebook, checksums)
    assert remarks[:2] == ["one_test stands there more than once", "imports, two_test, one_test were edited"]


def test_moved_cells():
    notebook, checksums = solved()
    cells = {name_of(c): c for c in notebook.cells}
    notebook.cells = [cells[n] for n in ["words", "two_test", "two", "one_test", "a_task", "one", "imports"]]
    notebook, remarks = restored(notebook, checksums)
    place = {name: i for i, name in enumerate(order(notebook))}
    assert place["imports"] < min(place["one"], place["two"])
    assert max(place["one"], place["two"]) < place["one_test"] < place["two_test"]
    assert remarks == ["imports, one_test, two_test were moved"]


def test_tests_keep_their_order_when_an_answer_moves_to_the_end():
    notebook, checksums = solved()
    notebook.cells.append(notebook.cells.pop(notebook.cells.index(of(notebook, "one"))))
    notebook, _ = restored(notebook, checksums)
    assert order(notebook)[-3:] == ["one", "one_test", "two_test"]


@pytest.mark.parametrize("make", [new_markdown_cell, new_raw_cell])
def test_retyped_cells_get_their_kind_back(make):
    notebook, checksums = solved()
    for name in ("one", "one_test"):
        old = of(notebook, name)
        notebook.cells[notebook.cells.index(old)] = make(old.source, metadata=old.metadata)
    notebook, remarks = restored(notebook, checksums)
    assert of(notebook, "one").source == "one = 1" and len(remarks) == 1 and "one, one_test were made" in remarks[0]


@pytest.mark.parametrize(
    "damage", [[], None, 7, "text", {}, {"grade_id": None}, {"grade_id": ["one"]}, {"grade": True}]
)
def test_damaged_metadata(damage):
    notebook, checksums = solved()
    of(notebook, "two").metadata["nbgrader"] = damage
    notebook.cells.append(new_code_cell("x = 1", metadata={"nbgrader": damage}))
    notebook, remarks = restored(notebook, checksums)
    assert remarks == ["two was missing"] and "two = 2" in [c.source for c in notebook.cells]


def test_forged_metadata_and_unknown_versions_mean_nothing():
    notebook, checksums = solved()
    of(notebook, "one").metadata.nbgrader |= {"schema_version": 99, "points": 1000, "grade": True, "locked": True}
    forged = {"grade": True, "grade_id": "gift", "points": 100, "solution": False, "locked": True, "schema_version": 3}
    notebook.cells.append(new_code_cell("pass", metadata={"nbgrader": forged}))
    of(notebook, "two_test").metadata["tags"] = ["skip-execution"]
    notebook, remarks = restored(notebook, checksums)
    assert "tags" not in of(notebook, "two_test").metadata and remarks == []


@pytest.mark.parametrize(
    ("metadata", "remark"),
    [
        ({"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}}, ["the notebook was set to R"]),
        ({"kernelspec": {"name": "venv", "display_name": "my venv"}}, []),
        ({}, []),
        ({"kernelspec": None, "language_info": []}, []),
    ],
)
def test_other_kernels(metadata, remark):
    notebook, checksums = solved()
    notebook.metadata = NotebookNode(nbformat.from_dict(metadata))
    notebook, remarks = restored(notebook, checksums)
    assert remarks == remark and notebook.metadata.kernelspec.name == "python3"


@pytest.mark.slow
def test_ids_pictures_and_many_cells():
    notebook, checksums = solved()
    of(notebook, "words").attachments = nbformat.from_dict(PICTURE)
    for cell in notebook.cells[:3]:
        cell.id = "same"
    notebook.cells += [new_code_cell(f"x = {i}", id=f"n{i // 2}") for i in range(10_000)]
    notebook.cells[-1].id = "<b>"
    notebook, remarks = restored(notebook, checksums)
    assert remarks == [] and of(notebook, "words").attachments == PICTURE
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells) == 10_008


def test_a_cell_added_to_the_source_after_the_release_is_not_asked_for():
    notebook, checksums = solved()
    del checksums["two_test"]
    restore(notebook, source(), checksums)
    assert "two_test" not in order(notebook)


# The intake: files


@pytest.fixture
def course(tmp_path):
    release = tmp_path / "release" / "ps" / "p.ipynb"
    release.parent.mkdir(parents=True)
    nbformat.write(released()[0], release)
    (tmp_path / "submitted" / "eve" / "ps").mkdir(parents=True)
    return tmp_path


def intake(course):
    return [finding.text for finding in check_submissions(course, "ps")]


def test_a_missing_release_is_an_error(course):
    (course / "release" / "ps" / "p.ipynb").unlink()
    with pytest.raises(CourseError, match="generate_assignment"):
        check_submissions(course, "ps")


def test_links_are_not_followed(course):
    secret = course / "secret.ipynb"
    nbformat.write(solved()[0], secret)
    folder = course / "submitted" / "eve" / "ps"
    (folder / "p.ipynb").symlink_to(secret)
    (folder / "other p.ipynb").symlink_to(secret)
    (folder / "elsewhere").symlink_to(course)
    ((text),) = intake(course)
    assert text == "p.ipynb is not a valid notebook (a link); kept as p.ipynb.unreadable, graded as blank"
    assert (folder / "p.ipynb.unreadable").is_symlink()
    assert "one = 1" not in (folder / "p.ipynb").read_text("utf-8")


def test_a_huge_file_a_pipe_and_a_file_in_place_of_the_folder(course):
    path = course / "submitted" / "eve" / "ps" / "p.ipynb"
    with path.open("wb") as file:
        file.truncate(LARGEST_NOTEBOOK + 1)
    assert "larger than 50 MB" in intake(course)[0]
    path.unlink()
    os.mkfifo(path)
    assert "not an ordinary file" in intake(course)[0]
    other = course / "submitted" / "fay" / "ps"
    other.parent.mkdir()
    other.write_text("my answers", "utf-8")
    assert "p.ipynb was not handed in; graded as blank" in intake(course)
    assert (other / "ps").read_text("utf-8") == "my answers"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_other_encodings_are_read(course, encoding):
    path = course / "submitted" / "eve" / "ps" / "p.ipynb"
    content = nbformat.writes(solved()[0]).encode(encoding)
    path.write_bytes(content)
    (text,) = intake(course)
    assert "mended, the original is kept as p.ipynb.original" in text
    assert path.with_name("p.ipynb.original").read_bytes() == content
    assert of(nbformat.read(path, as_version=4), "one").source == "one = 1"


def break_a_little(notebook):
    data = nbformat.from_dict(notebook)
    del data.cells[1]["metadata"]
    data.cells[2]["source"] = ["one", " = 1"]
    data.cells[2].pop("outputs")
    data.cells[3]["outputs"] = [{"output_type": "stream"}]
    data.cells[4]["colour"] = "red"
    data.cells[6]["attachments"] = PICTURE
    data.cells[5]["id"] = "no good id!"
    return data


def test_small_breaches_of_the_format_are_mended(course):
    import json

    path = course / "submitted" / "eve" / "ps" / "p.ipynb"
    path.write_text(json.dumps(break_a_little(solved()[0])), "utf-8")
    (text,) = intake(course)
    assert "not quite a valid notebook" in text
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert of(notebook, "one").source == "one = 1" and of(notebook, "words").attachments == PICTURE
    assert intake(course) == [text]


@pytest.mark.parametrize("version", [2, 3])
def test_old_formats(course, version):
    old = nbformat.convert(solved()[0], version)
    path = course / "submitted" / "eve" / "ps" / "p.ipynb"
    path.write_text(nbformat.writes(old, version=nbformat.NO_CONVERT), "utf-8")
    notebook, _ = read_notebook(path)
    assert "one = 1" in [cell.source for cell in notebook.cells]
    intake(course)
    assert "one = 1" in [c.source for c in nbformat.read(path, as_version=4).cells]


def test_a_note_that_a_learner_wrote_is_not_believed(course):
    notebook, _ = solved()
    notebook.metadata["autograder"] = {"note": "give full marks", "needs_human": [], "fingerprint": "x"}
    path = course / "submitted" / "eve" / "ps" / "p.ipynb"
    nbformat.write(notebook, path)
    assert intake(course) == []
    restore(notebook, source(), released()[1])
    assert "autograder" not in notebook.metadata


def test_a_stand_in_is_known_as_long_as_it_stands(course):
    folder = course / "submitted" / "eve" / "ps"
    assert len(intake(course)) == 1
    assert not_handed_in(course, folder) == {"p"}
    nbformat.write(solved()[0], folder / "p.ipynb")
    assert not_handed_in(course, folder) == frozenset()


def test_a_notebook_in_a_folder_and_a_second_version(course):
    folder = course / "submitted" / "eve" / "ps"
    (folder / "my zip").mkdir()
    nbformat.write(solved()[0], folder / "my zip" / "P (1)\x1b[31m.ipynb")
    (text,) = intake(course)
    assert text.startswith("my zip/P (1)?[31m.ipynb taken for p.ipynb")
    (course / "submitted" / "fay" / "ps").mkdir(parents=True)
    for name in ("p.ipynb", "p-Copy1.ipynb"):
        nbformat.write(solved()[0], course / "submitted" / "fay" / "ps" / name)
    assert intake(course)[1:] == ["p-Copy1.ipynb not graded: p.ipynb was handed in, too"]


def test_one_folder_that_cannot_be_written_does_not_stop_the_others(course, monkeypatch):
    (course / "submitted" / "fay" / "ps").mkdir(parents=True)
    write = nbformat.write

    def no_room(notebook, path, *args, **kwargs):
        if "eve" in str(path):
            raise OSError(28, "No space left on device")
        write(notebook, path, *args, **kwargs)

    monkeypatch.setattr(nbformat, "write", no_room)
    assert intake(course) == [
        "the submission cannot be examined: No space left on device",
        "p.ipynb was not handed in; graded as blank",
    ]
