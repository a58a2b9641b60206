"""What instructors download from Moodle and Canvas finds its way to the right learner and notebook."""

import time
import unicodedata
import zipfile
from types import SimpleNamespace

import nbformat
import pytest
from conftest import WEEK, nbgrader
from traitlets import Any
from traitlets.config import Configurable

from autograder.downloads import DownloadNames, parse

MOODLE = "{}_{}_assignsubmission_file"


class App(Configurable):
    """As much of `nbgrader zip_collect` as a collector asks for."""

    coursedir = Any()


@pytest.fixture
def collect(tmp_path):
    """`collect([files], released=[names])`: who handed in what, as {(learner, notebook): downloaded file}."""

    def run(files, released=("tiny.ipynb",)):
        release, extracted = tmp_path / "release" / WEEK, tmp_path / "downloaded" / WEEK / "extracted"
        release.mkdir(parents=True)
        for name in released:
            (release / name).touch()
        for name in files:
            path = extracted / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        coursedir = SimpleNamespace(
            release_directory="release",
            assignment_id=WEEK,
            format_path=lambda folder, student, assignment: str(tmp_path / folder / student / assignment),
        )
        plugin = DownloadNames(parent=App(coursedir=coursedir))
        found = {}
        for name in files:
            info = plugin.collect(str(extracted / name))
            if info is not None:
                key = (info["student_id"], info["file_id"])
                assert key not in found, f"{name} and {found[key]} are both {key}"
                found[key] = name
        return found

    return run


@pytest.mark.parametrize("ending", ["", "_"], ids=["Moodle 4", "older Moodle"])
def test_moodle_with_folders(collect, ending):
    ada, alan = MOODLE.format("Ada Lovelace", 101) + ending, MOODLE.format("Alan Mathison Turing", 102) + ending
    found = collect([f"moodle/{ada}/tiny.ipynb", f"moodle/{alan}/tiny.ipynb"])
    assert found == {
        ("ada_lovelace", "tiny"): f"moodle/{ada}/tiny.ipynb",
        ("alan_mathison_turing", "tiny"): f"moodle/{alan}/tiny.ipynb",
    }


def test_moodle_without_folders(collect):
    ada, alan = MOODLE.format("Ada Lovelace", 101), MOODLE.format("Alan Turing", 102)
    found = collect([f"moodle/{ada}_tiny.ipynb", f"moodle/{alan}_tiny.ipynb"])
    assert found == {
        ("ada_lovelace", "tiny"): f"moodle/{ada}_tiny.ipynb",
        ("alan_turing", "tiny"): f"moodle/{alan}_tiny.ipynb",
    }


def test_moodle_gives_first_and_last_names(tmp_path):
    download = parse(tmp_path / MOODLE.format("Alan Mathison Turing", 102) / "tiny.ipynb")
    assert (download.first_name, download.last_name) == ("Alan Mathison", "Turing")
    single = parse(tmp_path / MOODLE.format("Plato", 103) / "tiny.ipynb")
    assert (single.first_name, single.last_name, single.student_id) == (None, "Plato", "plato")


@pytest.mark.parametrize("place", ["{}/tiny.ipynb", "{}_tiny.ipynb"], ids=["folders", "flat"])
@pytest.mark.parametrize("archives", [("moodle", "moodle"), ("group A", "group B")], ids=["one zip", "two zips"])
def test_moodle_same_name_twice_stays_two_learners(collect, place, archives):
    ada = place.format(MOODLE.format("Ada Lovelace", 101))
    other = place.format(MOODLE.format("Ada Lovelace", 102))
    alan = place.format(MOODLE.format("Alan Turing", 103))
    found = collect([f"{archives[0]}/{ada}", f"{archives[1]}/{other}", f"{archives[1]}/{alan}"])
    assert found == {
        ("ada_lovelace_101", "tiny"): f"{archives[0]}/{ada}",
        ("ada_lovelace_102", "tiny"): f"{archives[1]}/{other}",
        ("alan_turing", "tiny"): f"{archives[1]}/{alan}",
    }


def test_moodle_names_of_the_world(collect):
    names = {"José Núñez": "josé_núñez", "李 明": "李_明", "Anne-Marie O'Neill": "anne_marie_o_neill", "…": "7"}
    files = [f"m/{MOODLE.format(name, 7)}/tiny.ipynb" for name in names]
    assert [student for student, _ in collect(files)] == list(names.values())


def test_an_accent_typed_in_two_ways_is_one_learner(tmp_path):
    forms = [unicodedata.normalize(form, "José Núñez") for form in ("NFC", "NFD")]
    assert forms[0] != forms[1]
    assert len({parse(tmp_path / f"{MOODLE.format(form, 7)}_tiny.ipynb").student_id for form in forms}) == 1


def test_moodle_folders_and_archives_of_the_learners_own(collect):
    ada = MOODLE.format("Ada Lovelace", 101)
    assert collect([f"m/{ada}/my work/week 1/tiny.ipynb"]) == {
        ("ada_lovelace", "tiny"): f"m/{ada}/my work/week 1/tiny.ipynb"
    }


def test_nobody_can_hand_in_for_another(collect):
    ada, bob = MOODLE.format("Ada Lovelace", 101), MOODLE.format("Bob", 102)
    files = [f"m/{ada}/{bob}_tiny.ipynb", f"flat/{MOODLE.format('Eve', 104)}_{bob}_tiny.ipynb"]
    assert {student for student, _ in collect(files)} == {"ada_lovelace", "eve"}


def test_canvas(collect):
    files = [
        "submissions/lovelaceada_11_9001_tiny.ipynb",
        "submissions/turingalan_LATE_12_9002_tiny.ipynb",
        "submissions/hoppergrace_13_9003_tiny-1.ipynb",
        "submissions/noetheremmy_14_9004_my_own_tiny_v2.ipynb",
        "submissions/李明_15_9005_tiny.ipynb",
    ]
    found = collect(files)
    assert found == {(str(number), "tiny"): name for number, name in zip(range(11, 16), files, strict=True)}


def test_canvas_says_who_is_late(tmp_path):
    late = parse(tmp_path / "turingalan_LATE_12_9002_tiny.ipynb")
    assert (late.student_id, late.file, late.late) == ("12", "tiny.ipynb", True)
    assert parse(tmp_path / "turingalan_12_9002_LATE_tiny.ipynb").late is False


def test_canvas_resubmission_wins_by_its_number(collect):
    files = [f"s/lovelaceada_11_900{n}_tiny-{n}.ipynb" for n in (1, 10, 2)]
    assert collect(files) == {("11", "tiny"): files[1]}


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (["tiny.ipynb", "zzz.ipynb"], "tiny.ipynb"),
        (["aaa.ipynb", "tiny (1).ipynb"], "tiny (1).ipynb"),
        (["aaa.ipynb", "tiny-Copy1.ipynb"], "tiny-Copy1.ipynb"),
        (["aaa.ipynb", "Tiny.ipynb"], "Tiny.ipynb"),
        (["aaa.ipynb", "tiny-2 (1).ipynb"], "tiny-2 (1).ipynb"),
        (["final.ipynb"], "final.ipynb"),
    ],
)
@pytest.mark.parametrize(
    "before", ["m/" + MOODLE.format("Ada", 1) + "/", "m/" + MOODLE.format("Ada", 1) + "_", "c/ada_1_2_"]
)
def test_which_of_a_learners_notebooks_is_taken(collect, files, chosen, before):
    found = collect([before + name for name in files])
    assert list(found.values()) == [before + chosen]


def test_an_assignment_of_two_notebooks(collect):
    files = ["c/ada_1_2_part-2.ipynb", "c/bob_2_3_part-1-1.ipynb", "c/bob_2_4_part-2.ipynb", "c/eve_3_5_mine.ipynb"]
    found = collect(files, released=["part-1.ipynb", "part-2.ipynb"])
    assert found == {("1", "part-2"): files[0], ("2", "part-1"): files[1], ("2", "part-2"): files[2]}


def test_other_files_are_left_out(collect):
    ada = MOODLE.format("Ada", 1)
    files = [
        f"m/{ada}/data.csv",
        "c/ada_1_2_report.pdf",
        "c/readme.ipynb",
        f"m/{MOODLE.format('Bob', 2).replace('file', 'onlinetext')}/onlinetext.html",
        f"__MACOSX/m/._{ada}_tiny.ipynb",
    ]
    assert collect(files) == {}


def test_a_big_class_is_sorted_in_a_moment(collect):
    files = [f"m/{MOODLE.format(f'Learner {n}', n)}_tiny.ipynb" for n in range(100)]
    started = time.monotonic()
    assert len(collect(files)) == 100
    assert time.monotonic() - started < 10


@pytest.mark.slow
def test_zip_collect(released):
    release = released / "release" / WEEK / "tiny.ipynb"

    def notebook(of):
        changed = nbformat.read(release, as_version=4)
        changed.metadata["of"] = of
        return nbformat.writes(changed)

    archive = released / "downloaded" / WEEK / "archive"
    archive.mkdir(parents=True)
    inner = archive / "work.zip"
    with zipfile.ZipFile(inner, "w") as zipped:
        zipped.writestr("tiny.ipynb", notebook("zipped"))
    with zipfile.ZipFile(archive / "moodle.zip", "w") as moodle:
        moodle.writestr(f"{MOODLE.format('Ada Lovelace', 101)}/tiny.ipynb", notebook("ada"))
        moodle.writestr(f"{MOODLE.format('José Núñez', 102)}_/final (2).ipynb", notebook("josé"))
        moodle.writestr(f"{MOODLE.format('Kim Lee', 103)}/tiny.ipynb", notebook("kim 103"))
        moodle.writestr(f"{MOODLE.format('Kim Lee', 104)}/tiny.ipynb", notebook("kim 104"))
        moodle.write(inner, f"{MOODLE.format('Zoe Zipper', 105)}/work.zip")
        moodle.writestr(f"{MOODLE.format('Ada Lovelace', 101)}/notes.txt", "not a notebook")
    inner.unlink()
    with zipfile.ZipFile(archive / "canvas.zip", "w") as canvas:
        canvas.writestr("turingalan_LATE_12_9002_tiny.ipynb", notebook("alan"))
        canvas.writestr("hoppergrace_13_9003_tiny-1.ipynb", notebook("grace"))
        canvas.writestr("noetheremmy_14_9004_my_own_week.ipynb", notebook("emmy"))

    run = nbgrader(released, "zip_collect", WEEK)
    handed_in = {
        path.parts[-3]: nbformat.read(path, as_version=4).metadata["of"]
        for path in (released / "submitted").glob(f"*/{WEEK}/tiny.ipynb")
    }
    assert handed_in == {
        "ada_lovelace": "ada",
        "josé_núñez": "josé",
        "kim_lee_103": "kim 103",
        "kim_lee_104": "kim 104",
        "zoe_zipper": "zipped",
        "12": "alan",
        "13": "grace",
        "14": "emmy",
    }
    assert "12 is marked late by Canvas" in run.stderr
    assert "handed in 'final (2).ipynb', taken for tiny.ipynb" in run.stderr
