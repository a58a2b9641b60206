"""Attacks on the grader, each a learner of one class, judged from outside: marks, files, processes, text.

An attack is a file of `attacks/`: a sentence, then cells. `# %% NAME` replaces the answer NAME, `# %% extra`
stands before the first answer, `# %% last` behind the last test, and `# %% file NAME` lies beside the
notebook; a line `# include NAME` stands for `attacks/parts/NAME.py`. Every answer that an attack does not give
is wrong, so any full mark is a forged one. The files of
`attacks/honest/` look a little like attacks and must earn everything; answers they do not give are right.
"""

import base64
import contextlib
import ctypes
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
import zipfile
from pathlib import Path
from types import SimpleNamespace

import jupytext
import nbformat
import pytest
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook

from autograder.course import run_nbgrader
from autograder.variants import fill_answers, reference_answers

ROOT = Path(__file__).parent.parent
HERE = Path(__file__).with_name("attacks")
NAME, CELL_TIMEOUT = "arena", 5


def read(path: Path) -> str:
    """Return the text of an attack, with the parts that it shares with others."""
    parts = {f"# include {part.stem}\n": part.read_text("utf-8") for part in (HERE / "parts").glob("*.py")}
    text = path.read_text("utf-8")
    for line, part in parts.items():
        text = text.replace(line, part)
    assert "# include " not in text, path
    return text


ATTACKS = {path.stem: read(path) for path in sorted(HERE.glob("*.py"))}
HONEST = {path.stem: read(path) for path in sorted((HERE / "honest").glob("*.py"))}
WRONG = {
    "double": "def double(x):\n    return 0",
    "normalise": "def normalise(a):\n    return a * 0",
    "relu": "def relu(t):\n    return t * 1",
    "integrate": "def integrate(f, a, b, n):\n    return 0.0",
}
POINTS = {f"{exercise}_test": 10.0 for exercise in WRONG}
SEEN_FROM_INSIDE = (
    *(
        "look_around",
        "mount_and_unshare",
        "trace_parent",
        "network",
        "links",
        "names_that_tests_leave",
    ),
)
HIDDEN = ("quokka-in-the-moonlight", "31337.25", "7.28125")
pytestmark = pytest.mark.slow


def pieces(text: str) -> tuple[dict[str, str], list[str], list[str], dict[str, str]]:
    """Return the answers, the extra cells, the last cells and the files of an attack."""
    answers, extra, last, files = {}, [], [], {}
    for part in re.split(r"^# %% ", text, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        words, body = head.split(), body.rstrip("\n")
        if words[0] == "file":
            files[words[1]] = body + "\n"
        elif words[0] in ("extra", "last"):
            (extra if words[0] == "extra" else last).append(body)
        else:
            answers[words[0]] = body
    return answers, extra, last, files


def hand_in(course: Path, student: str, text: str, release, others: dict[str, str]) -> Path:
    answers, extra, last, files = pieces(text)
    notebook = fill_answers(release, others | answers)
    position = next(i for i, c in enumerate(notebook.cells) if c.metadata.get("nbgrader", {}).get("solution"))
    notebook.cells[position:position] = [new_code_cell(source) for source in extra]
    notebook.cells += [new_code_cell(source) for source in last]
    folder = course / "submitted" / student / NAME
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{NAME}.ipynb")
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")
    return folder


def links(folder: Path, course: Path) -> None:
    """Links to the gradebook, to /etc/passwd and to another submission, and a named pipe."""
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / "book.db").symlink_to(course / "gradebook.db")
    (folder / "other").symlink_to(course / "submitted" / "bystander")
    os.mkfifo(folder / "pipe")


def bombs(folder: Path, course: Path) -> None:
    """A zip archive of zeros, deeply nested JSON, and very many files."""
    with zipfile.ZipFile(folder / "zeros.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100_000_000))
    (folder / "deep.json").write_text("[" * 500_000)
    for number in range(2000):
        (folder / f"file{number}").write_text("")


def deep_notebook(folder: Path, course: Path) -> None:
    """A notebook whose metadata are nested more deeply than Python's JSON reader can follow."""
    path = folder / f"{NAME}.ipynb"
    path.write_text(
        path.read_text().replace('"metadata": {', '"metadata": {"a": ' + "[" * 100_000 + "]" * 100_000 + ",", 1)
    )


def own_verdicts(folder: Path, course: Path) -> None:
    """A notebook that brings results of its own: outputs, fingerprint, more points and other grade_ids."""
    path = folder / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["autograder"] = {"fingerprint": "0" * 64, "needs_human": [], "remarks": []}
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade"):
            meta["points"] = 1000
            cell.source = "10"
            cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "10"}, execution_count=1)]
    nbformat.write(notebook, path)


def odd_cells(folder: Path, course: Path) -> None:
    """Ids twice, metadata of a wrong kind, NaN, a number of 400 digits, lone surrogates, and a large attachment."""
    path = folder / f"{NAME}.ipynb"
    content = json.loads(path.read_text())
    odd = {"cell_type": "code", "id": "twice", "source": ["x = '\ud800'"], "outputs": [], "execution_count": None}
    content["cells"] += [
        odd | {"metadata": []},
        odd | {"metadata": {"a": float("nan"), "b": 10**400, "\ud800": "\udfff"}},
    ]
    picture = {"a.png": {"image/png": "A" * 5_000_000}}
    content["cells"].insert(
        0, {"cell_type": "markdown", "id": "twice", "source": "", "metadata": {}, "attachments": picture}
    )
    content["cells"][-3]["metadata"]["nbgrader"] = ["double"]
    path.write_text(json.dumps(content | {"nbformat_minor": 99}))


def surrogates(folder: Path, course: Path) -> None:
    """A valid notebook whose cells and metadata hold lone surrogates, which no file can."""
    path = folder / f"{NAME}.ipynb"
    content = json.loads(path.read_text())
    content["metadata"]["\udc80"] = "\ud800"
    content["cells"][0]["source"] = "\udfff"
    content["cells"][-1]["source"] = "print('\ud800')"
    path.write_text(json.dumps(content))


def odd_names(folder: Path, course: Path) -> None:
    """Names with line breaks, escape sequences, bytes that are no UTF-8, another case, and a socket among them."""
    for name in (
        b"a\nb.csv",
        b"\x1b]0;x\x07.txt",
        b"\xff\xfe.ipynb",
        b"=cmd|x.csv",
        b"ARENA.IPYNB",
        b"arena.ipynb ",
        b"-rf",
    ):
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(b"{}")
    with socket.socket(socket.AF_UNIX) as listener:
        place = os.getcwd()
        os.chdir(folder)
        listener.bind("s.ipynb")
        os.chdir(place)


def folder_as_notebook(folder: Path, course: Path) -> None:
    """A folder in the notebook's place, with the notebook in it, and a pipe that a reader would wait for."""
    path = folder / f"{NAME}.ipynb"
    content = path.read_bytes()
    path.unlink()
    path.mkdir()
    (path / "deeper").mkdir()
    (path / "deeper" / f"{NAME}.ipynb").write_bytes(content)
    os.mkfifo(path / "pipe.ipynb")


FOLDERS = {
    **{"links": links, "bombs": bombs, "deep_notebook": deep_notebook, "own_verdicts": own_verdicts},
    **{"odd_cells": odd_cells, "surrogates": surrogates, "odd_names": odd_names},
    "folder_as_notebook": folder_as_notebook,
}
# The intake puts a notebook that can be read in the place of these.
MENDED = {"deep_notebook", "odd_cells", "surrogates", "folder_as_notebook"}
LOOK = """# Reads what its folder holds.
# %% last
import os
for name in ("passwd", "book.db", "other", "pipe"):
    if os.path.lexists(name):
        print("FOUND", name)
"""


def state(root: Path) -> dict[str, tuple]:
    """Return what may not change below a folder."""
    found = {p: p.lstat() for p in sorted(root.rglob("*")) if not MENDED & set(p.parts)}
    return {str(p): (status.st_mtime_ns, status.st_size, status.st_mode) for p, status in found.items()}


def children() -> set[int]:
    tasks = Path("/proc/self/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


def build(course: Path) -> tuple:
    shutil.copy(ROOT / "nbgrader_config.py", course)
    source = course / "source" / NAME / f"{NAME}.ipynb"
    source.parent.mkdir(parents=True)
    notebook = jupytext.read(HERE / "course" / f"{NAME}.py")
    notebook.metadata["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    nbformat.write(notebook, source)
    done = run_nbgrader(course, "generate_assignment", NAME)
    assert done.returncode == 0, done.stderr
    release = nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    return release, reference_answers(notebook)


@pytest.fixture(scope="module")
def arena(tmp_path_factory):
    """The whole class, graded in one run, with what was seen from outside."""
    base = tmp_path_factory.mktemp("arena")
    course, home = base / "course", base / "home"
    course.mkdir()
    home.mkdir()
    (base / "tmp").mkdir()
    (home / "diary.txt").write_text("INSTRUCTOR-DIARY")
    release, reference = build(course)
    listeners = [socket.socket(socket.AF_INET), socket.socket(socket.AF_UNIX)]
    listeners[0].bind(("127.0.0.1", 0))
    # An abstract address belongs to the machine: another run beside this one has its own.
    abstract = f"arena-{uuid.uuid4().hex}"
    listeners[1].bind(f"\0{abstract}")
    for listener in listeners:
        listener.listen()
        listener.setblocking(False)
    swap = {
        "ARENA_PORT": str(listeners[0].getsockname()[1]),
        "ARENA_COURSE": str(course),
        "ARENA_HOME": str(home),
        "ARENA_ABSTRACT": abstract,
    }
    for student, text in ATTACKS.items():
        for word, value in swap.items():
            text = text.replace(word, value)
        hand_in(course, student, text, release, WRONG)
    for student, text in HONEST.items():
        hand_in(course, f"honest_{student}", text, release, reference)
    hand_in(course, "bystander", "", release, reference)
    for student, change in FOLDERS.items():
        change(hand_in(course, student, LOOK, release, WRONG), course)
    chosen = os.environ.get("ARENA_ONLY")
    if chosen:
        for folder in (course / "submitted").iterdir():
            if not re.search(chosen, folder.name):
                shutil.rmtree(folder)
    # What loses its parent comes to this process, whichever session it fled to.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    # Intake mends a notebook that cannot be read, before anything of it runs.
    before = {place: state(place) for place in (course / "source", course / "release", course / "submitted")}
    names, mine = set(os.listdir("/tmp")), children()
    environment = {
        **os.environ,
        "HOME": str(home),
        "TMPDIR": str(base / "tmp"),
        "ARENA_TOKEN": "INSTRUCTOR-TOKEN",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "autograder", "--root", str(course), "grade", NAME]
    started = time.monotonic()
    run = subprocess.run(
        [*command, "--jobs", "2", "--timeout", str(CELL_TIMEOUT), "--memory", "1500"],
        capture_output=True, text=True, env=environment, cwd=ROOT,
    )  # fmt: skip
    seconds = time.monotonic() - started
    time.sleep(0.5)
    left = {pid: Path(f"/proc/{pid}/stat").read_text() for pid in children() - mine}
    after = {place: state(place) for place in before}
    records = sorted((course / ".autograder").glob("*.json"))
    rows = {row["student"]: row for row in json.loads(records[-1].read_text())["graded"]} if records else {}
    grades = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "dlcourse") as gradebook:
        for submission in gradebook.assignment_submissions(NAME):
            grades[submission.student.id] = {
                g.name: (g.auto_score, g.needs_manual_grade) for n in submission.notebooks for g in n.grades
            }
    visitors = []
    for listener in listeners:
        with contextlib.suppress(BlockingIOError):
            visitors.append(listener.accept())
        listener.close()
    new_names = set(os.listdir("/tmp")) - names
    report = os.environ.get("ARENA_REPORT")
    if report:
        Path(report).write_text(json.dumps({"seconds": seconds, "rows": rows, "out": run.stdout, "err": run.stderr}))
    return SimpleNamespace(
        course=course, run=run, seconds=seconds, left=left, before=before, after=after, rows=rows, grades=grades,
        visitors=visitors, new_names=new_names,
        students={folder.name for folder in (course / "submitted").iterdir()},
    )  # fmt: skip


def test_every_submission_is_graded(arena):
    assert arena.run.returncode == 0, arena.run.stdout[-3000:] + arena.run.stderr[-3000:]
    assert arena.rows.keys() == arena.grades.keys() == arena.students
    assert len(ATTACKS) >= 45 and len(HONEST) >= 15


@pytest.mark.parametrize("student", [*ATTACKS, *FOLDERS])
def test_attack_earns_nothing_unseen(arena, student):
    if student not in arena.grades:
        pytest.skip("not in this run")
    forged = [name for name, (score, manual) in arena.grades[student].items() if score == 10.0 and not manual]
    # An answer that is right all the same, of a learner who went looking, must have been seen.
    assert not forged, (forged, arena.rows[student])


@pytest.mark.parametrize("student", HONEST)
def test_honest_look_alike_earns_everything_and_is_not_suspected(arena, student):
    if f"honest_{student}" not in arena.grades:
        pytest.skip("not in this run")
    row = arena.rows[f"honest_{student}"]
    assert not row["needs_human"]
    assert arena.grades[f"honest_{student}"] == {name: (10.0, False) for name in POINTS}, row
    path = arena.course / "autograded" / f"honest_{student}" / NAME / f"{NAME}.ipynb"
    errors = [o.evalue for c in nbformat.read(path, 4).cells for o in c.get("outputs", []) if o.output_type == "error"]
    assert not errors
    assert "ran out of time" not in str(row)


def test_bystander_is_not_harmed(arena):
    assert arena.grades["bystander"] == {name: (10.0, False) for name in POINTS}


def test_nothing_outside_was_touched(arena):
    for place, before in arena.before.items():
        assert arena.after[place] == before
    # The grader's own libraries may keep their caches there.
    home = arena.course.parent / "home"
    assert {path.name for path in home.iterdir()} <= {"diary.txt", ".ipython", ".cache", ".config", ".local"}
    assert (home / "diary.txt").read_text() == "INSTRUCTOR-DIARY"
    assert not list((arena.course.parent / "tmp").iterdir())
    assert not {name for name in arena.new_names if re.match(r"arena|f\d+$|evil|matplotlib", name)}
    assert not arena.left
    assert not arena.visitors
    with sqlite3.connect(arena.course / "gradebook.db") as book:
        assert book.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert set(os.listdir(arena.course)) <= {
        "nbgrader_config.py", "source", "release", "submitted", "autograded", "gradebook.db", ".autograder",
        f".grading-{NAME}.lock", ".nbgrader.log",
    }  # fmt: skip


def clothes(text: str) -> set[str]:
    """Return the forms in which the attacks here smuggle a text."""
    return {text, text[::-1], text.encode().hex(), base64.b64encode(text.encode()).decode()}


def outputs(path: Path) -> dict[str, str]:
    cells = nbformat.read(path, 4).cells
    return {c.metadata.get("nbgrader", {}).get("grade_id", c.id): json.dumps(c.get("outputs", [])) for c in cells}


def test_hidden_text_is_in_no_output_of_a_learners_cell(arena):
    # What a test cell puts out is for the instructor; the feedback page leaves it out, see below.
    told = []
    for student in arena.students:
        for cell, text in outputs(arena.course / "autograded" / student / NAME / f"{NAME}.ipynb").items():
            if cell in POINTS:
                continue
            told += [(student, cell, hidden) for hidden in HIDDEN if any(form in text for form in clothes(hidden))]
    assert not told


def test_what_the_sandbox_hides(arena):
    for student in SEEN_FROM_INSIDE:
        if student in arena.students:
            text = "".join(outputs(arena.course / "autograded" / student / NAME / f"{NAME}.ipynb").values())
            for word in ("READ", "WROTE", "ALLOWED", "OPENED", "ATTACHED", "REMOVED", "LINKED", "REACHED", "FOUND"):
                assert f"{word} " not in text and f"{word}\\n" not in text, (student, word)
            assert "INSTRUCTOR-" not in text and "gradebook" not in text.replace("gradebook.db", "")


def test_feedback_hides_the_hidden_tests(arena):
    done = run_nbgrader(arena.course, "generate_feedback", NAME)
    assert done.returncode == 0, done.stderr[-3000:]
    pages = list((arena.course / "feedback").glob("*/*/*.html"))
    assert len(pages) == len(arena.students)
    # In the honest classes' figures and in pictures, any few characters may turn up by chance.
    texts = {page.parts[-3]: re.sub(r"base64,[A-Za-z0-9+/=]*", "", page.read_text("utf-8")) for page in pages}
    told = [
        (student, hidden)
        for student, text in texts.items()
        for hidden in HIDDEN
        if any(form in text for form in clothes(hidden))
    ]
    assert not told


def test_time_is_bounded(arena):
    # An answer that never ends stops one test; four tests and the start make the most.
    slow = {name: row for name, row in arena.rows.items() if row.get("wall_s", 0) > 60}
    assert not slow, slow
