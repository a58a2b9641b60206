"""`autograder export`: every mark in its place, nothing else changed, nobody guessed, no formula."""

import csv
import io
import re
from types import SimpleNamespace

import pytest
from made_class import Made, make_class

from autograder.course import CourseError
from autograder.downloads import moodle_ids, parse
from autograder.exports import match, safe
from autograder.marks import Person
from autograder.rosters import Row, _number, _words, canvas, figure, read_roster

TESTS = {"one": 60, "two": 40}
FULL, HALF = {"one": 60, "two": 40}, {"one": 60, "two": 0}


@pytest.fixture
def export(autograder, tmp_path):
    """`export(root, "ps", "--format=csv")`: code, stderr lines, the file's bytes and its rows."""

    def run(root, *arguments, delimiter=","):
        output = tmp_path / "out.csv"
        output.unlink(missing_ok=True)
        done = autograder(root, "export", *arguments, "--output", str(output))
        content = output.read_bytes() if output.exists() else None
        rows = None
        if content is not None:
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))
        err = [line.strip() for line in done.err.splitlines()]
        return SimpleNamespace(code=done.code, out=done.out, err=err, content=content, rows=rows)

    return run


def table(rows):
    head, *rest = rows
    return {row[0]: dict(zip(head, row, strict=True)) for row in rest}


# Spreadsheets


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    learners = [
        Made("ada", FULL, first_name="Ada", last_name="Lovelace", email="ada@example.org"),
        Made("ben", HALF, hours_late=3, penalty=7.5),
        Made("eve", {"one": None, "two": None}, needs_human=["torch.allclose was replaced"]),
        Made("kim", {"one": 60, "two": 1 / 3}, first_name="김", last_name="민지"),
    ]
    root = make_class(tmp_path_factory.mktemp("exports") / "c", learners, TESTS, others=["zoe"])
    make_class(root, [Made("ada", HALF), Made("kim", {**FULL, "essay": None})], TESTS, written={"essay": 5}, week="qs")
    return root


def test_a_spreadsheet_of_two_weeks(course, export):
    run = export(course, "ps", "qs")
    assert run.code == 0 and run.content.startswith(b"\xef\xbb\xbf") and run.content.count(b"\r\n") == 6
    head = ["student_id", "last_name", "first_name", "email"]
    for week in ("ps", "qs"):
        head += [week, f"{week} maximum", f"{week} late penalty", f"{week} to know"]
    assert run.rows[0] == head
    found = table(run.rows)
    assert found["ada"] | {"x": 0} == dict(zip(head, found["ada"].values(), strict=True)) | {"x": 0}
    marks = {name: (row["ps"], row["ps late penalty"], row["qs"]) for name, row in found.items()}
    assert marks == {
        "ada": ("100", "0", "60"),
        "ben": ("52.5", "7.5", ""),
        "eve": ("", "", ""),
        "kim": ("60.33333", "0", ""),
        "zoe": ("", "", ""),
    }
    assert found["kim"]["last_name"] == "민지" and found["ada"]["email"] == "ada@example.org"
    assert (found["ada"]["ps maximum"], found["ada"]["qs maximum"]) == ("100", "105")
    assert found["zoe"]["ps to know"] == "no submission" and "needs a human" in found["eve"]["ps to know"]
    assert run.err[0].startswith("autograder: 2 marks left out")
    assert run.err[1:] == [
        "ps: needs a human: torch.allclose was replaced: eve",
        "qs: 1 answer waits for a hand grade: kim",
    ]


@pytest.mark.slow
def test_marks_are_those_of_nbgraders_own_export(course, export):
    from conftest import nbgrader

    nbgrader(course, "export", "--to", "stock.csv")
    stock = list(csv.DictReader((course / "stock.csv").open(encoding="utf-8")))
    stock = {(row["assignment"], row["student_id"]): float(row["score"]) for row in stock}
    ours = table(export(course, "ps", "qs", "--include-unfinished").rows)
    for (week, student), score in stock.items():
        assert float(ours[student][week] or 0) == pytest.approx(score, abs=1e-5)


def test_with_what_can_still_change(course, export):
    run = export(course, "ps", "qs", "--include-unfinished")
    found = table(run.rows)
    assert run.code == 0 and run.err == []
    assert (found["eve"]["ps"], found["kim"]["qs"]) == ("0", "100") and "needs a human" in found["eve"]["ps to know"]


def test_a_decimal_comma_and_no_mark_of_utf8(course, export):
    run = export(course, "ps", "--decimal-comma", "--no-bom", delimiter=";")
    assert run.content.startswith(b"student_id;") and table(run.rows)["ben"]["ps"] == "52,5"


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u00a0=1",
    "\ufeff=1",
    "\u200b=1",
    "＝1",
    "＋1",
    '=HYPERLINK("http://x","y")',
    "x;=1",
    "x, @y",
    "x\n-1",
    "x\t+1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_formula(text):
    made = safe(text)
    # Whatever separates cells: no cell begins with a sign, also without what programs drop before it.
    for separator in (",", ";", "\t", "|"):
        for cell in re.split(rf"[\r\n{re.escape(separator)}]", made):
            assert not cell.lstrip(" \t\u00a0\ufeff\u200b").startswith(tuple("=+-@＝＋－＠")), made
    assert made.replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize("text", ["", "ada", "Anne-Marie", "a=b", "ada@example.org", "O'Neill", "Lovelace, Ada", "3-4"])
def test_honest_text_stays_as_it_is(text):
    assert safe(text) == text


def test_a_name_that_is_no_text_can_be_written():
    assert safe("e\udcff") == "e\\udcff"


def test_a_learner_named_like_a_formula(tmp_path, export):
    bad = '=HYPERLINK("http://x";"y")'
    learners = [Made("-2+3", HALF, first_name=bad, last_name="x;@y", email="+1@x.org"), Made("@a", {"one": None})]
    root = make_class(tmp_path / "c", learners, TESTS)
    run = export(root, "ps")
    assert run.rows[1][:5] == ["'-2+3", "x;'@y", f"'{bad}", "'+1@x.org", "60"]
    for row in run.rows:
        assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in row)
    assert run.rows[1][4:7] == ["60", "100", "0"], "numbers stay numbers"
    # In a file that Moodle finds learners by, such an id cannot be written as it is: that is said.
    run = export(root, "ps", "--format=moodle")
    assert run.code == 3 and any("-2+3: begins like a formula" in line for line in run.err)


def test_numbers():
    assert [figure(x) for x in (0, -0.0, 7, 7.5, 1 / 3, 99.999999, 1e-9)] == [
        "0",
        "0",
        "7",
        "7.5",
        "0.33333",
        "100",
        "0",
    ]
    assert figure(1234.5, True) == "1234,5"
    read = {"100": 100, "100.00": 100, "7,5": 7.5, "1,234.50": 1234.5, "1.234,5": 1234.5, "1 000,0": 1000, "50%": 50}
    assert {text: _number(text) for text in read} == read
    odd = ("", "-", "EX", "(read only)", "1e5", "1.2.3.4", "1,2,3", "12.34,5", ".")
    assert [_number(text) for text in odd] == [None] * len(odd)
    assert [_number(text) for text in ("1.234", "1,234", "1.234.567", "1,234,567.5", "-0,5", ".5", "7.")] == [
        1.234, 1.234, 1234567, 1234567.5, -0.5, 0.5, 7
    ]  # fmt: skip


# Canvas

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Notes,"Week 1: PS (4711)",Essay (4712),QS (4713),Current Score,Final Score
,,,,,,Manual Posting,,,,
    Points Possible,,,,,,100.00,20.00,105.00,(read only),(read only)
"Lovelace, Ada",11,S1,ada,"A, B",,,15.00,,75.00,75.00
"=cmd|' /C calc'!A0, Ben",12,S2,ben,A,first row,33.00,EX,,,
"Noether, Emmy",13,S3,emmy,A,,N/A,,,,
"Turing, Alan",14,S4,alan,A,,EX,,,,
"Hopper, Grace",15,S5,grace,A,,12.50,,,,
"Student, Test",99,,a7f3,A,,,,,,
"""


@pytest.fixture(scope="module")
def canvas_course(tmp_path_factory):
    """Ids as `zip_collect` makes them from Canvas's downloads: the number of the user."""
    points = {"11": FULL, "12": HALF, "13": FULL, "14": FULL, "77": FULL, "15": {"one": None}}
    root = make_class(
        tmp_path_factory.mktemp("exports") / "c",
        [Made(name, given) for name, given in points.items()],
        TESTS,
        week="week01_ps",
    )
    make_class(root, [Made("11", {**FULL, "essay": 2.5})], TESTS, written={"essay": 5}, week="qs")
    return root


def roster(tmp_path, text, name="roster.csv", **how):
    path = tmp_path / name
    path.write_text(text, newline="", **({"encoding": "utf-8"} | how))
    return str(path)


def test_canvas_gets_its_own_file_back_with_the_marks(canvas_course, export, tmp_path):
    path = roster(tmp_path, CANVAS)
    run = export(canvas_course, "week01_ps", "qs", "--format=canvas", "--roster", path)
    assert run.code == 3
    before = list(csv.reader(io.StringIO(CANVAS)))
    changed = {(i, j): c for i, row in enumerate(run.rows) for j, c in enumerate(row) if c != before[i][j]}
    assert changed == {(3, 6): "100", (4, 6): "60", (3, 8): "102.5"}
    assert b"\r\n" not in run.content and not run.content.startswith(b"\xef\xbb\xbf")
    assert [len(row) for row in run.rows] == [11] * 9
    assert set(run.err) == {
        "autograder: 1 mark left out, not finished (--include-unfinished takes what is graded):",
        "week01_ps: needs a human: 15",
        "autograder: 3 things to look at:",
        "77: no such learner in the roster",
        "week01_ps: 13: Canvas has not assigned this to the learner",
        "week01_ps: 14: excused in Canvas",
    }


def test_canvas_rows_without_a_submission_are_listed(canvas_course, export, tmp_path):
    path = roster(tmp_path, CANVAS + '"Curie, Marie",16,S6,marie,A,,,,,,\n')
    run = export(canvas_course, "qs", "--format=canvas", "--roster", path)
    assert run.code == 3 and "Curie, Marie (16): nothing was handed in under this name or id" in run.err
    assert not any("Student, Test" in line for line in run.err)
    only = "\n".join(line for line in CANVAS.splitlines() if not re.match(r'"(?!Love|Student)', line)) + "\n"
    run = export(canvas_course, "qs", "--format=canvas", "--roster", roster(tmp_path, only))
    assert run.code == 0 and run.err == []


def test_canvas_with_semicolons_commas_and_first_names(canvas_course, export, tmp_path):
    text = "\ufeffLastName;FirstName;ID;SIS Login ID;Section;QS (4713)\r\n    Points Possible;;;;;105,00\r\n"
    text += "Lovelace;Ada;11;ada;A;\r\n"
    run = export(canvas_course, "qs", "--format=canvas", "--roster", roster(tmp_path, text), delimiter=";")
    assert run.code == 0
    assert run.content.decode() == text.replace("A;\r\n", "A;102,5\r\n")


@pytest.mark.parametrize(
    ("change", "arguments", "said"),
    [
        (("QS (4713)", "Other (4713)"), [], "no column"),
        (("Essay (4712)", "QS (4712)"), [], "more than one column"),
        (("QS (4713)", "QS"), [], "no column"),
        (("105.00", "50.00"), [], "--scale"),
        (("105.00", "(read only)"), [], "read-only"),
        (("    Points Possible", "x"), [], "Points Possible"),
        (("Student,ID", "Name,ID"), [], "not a gradebook of Canvas"),
        (("Section", "Part"), [], "not a gradebook of Canvas"),
        ((CANVAS, ""), [], "is empty"),
        ((",Notes", ',"Notes'), [], "no CSV file"),
        (("", ""), ["--column", "qs=none"], "no column"),
        (("", ""), ["--column", "rs=QS"], "WEEK=TITLE"),
        (("", ""), ["--feedback"], "no comments"),
    ],
)
def test_what_canvas_would_misread_is_refused(canvas_course, export, tmp_path, change, arguments, said):
    path = roster(tmp_path, CANVAS.replace(*change) if change[0] else CANVAS)
    run = export(canvas_course, "qs", "--format=canvas", "--roster", path, *arguments)
    assert run.code == 1 and run.content is None and said in run.err[0] and len(run.err) == 1, run.err


def test_a_column_is_chosen_and_marks_are_converted(canvas_course, export, tmp_path):
    path = roster(tmp_path, CANVAS)
    for title in ("Essay (4712)", "Essay", "4712"):
        run = export(canvas_course, "qs", "--format=canvas", "--roster", path, "--column", f"qs={title}", "--scale")
        assert run.rows[3][7] == figure(102.5 / 105 * 20)
    run = export(
        canvas_course, "week01_ps", "qs", "--format=canvas", "--roster", path, "--column", "qs=4711", "--scale"
    )
    assert run.code == 1 and "same column" in run.err[0]


def test_titles_that_are_the_same():
    assert (
        _words("week03_linear_regression")
        == _words("Week 3: Linear Regression")
        == _words("WEEK 03 – linear-regression")
    )
    assert _words("week03_mlp") != _words("week13_mlp") and _words("week03_mlp") != _words("week03_mlp_2")


def test_canvas_needs_its_file(canvas_course, export):
    run = export(canvas_course, "qs", "--format=canvas")
    assert run.code == 1 and "--roster" in run.err[0]


def test_a_file_that_is_not_utf8_is_refused(canvas_course, export, tmp_path):
    path = roster(tmp_path, CANVAS.replace("Ada", "Zoë"), encoding="latin-1")
    run = export(canvas_course, "qs", "--format=canvas", "--roster", path)
    assert run.code == 1 and "UTF-8" in run.err[0]
    assert export(canvas_course, "qs", "--format=canvas", "--roster", "/no/such").code == 1


# Matching


def test_nobody_is_guessed():
    rows = [Row([], frozenset(ids), told) for ids, told in ((["1", "ada"], "A"), (["2", "ben"], "B"), (["ben"], "C"))]
    rows.append(Row([], frozenset(["4"]), "D"))
    people = [Person(x) for x in ("ada", "ben", "adam")] + [Person("x", email="2"), Person("1")]
    matched, problems = match(rows, people)
    assert matched == {}
    assert sorted(problems) == [
        "1: A fits another learner as well; fill it in by hand",
        "D: nothing was handed in under this name or id",
        "ada: A fits another learner as well; fill it in by hand",
        "adam: no such learner in the roster",
        "ben: more than one row of the roster fits (B, C); fill it in by hand",
        "x: B fits another learner as well; fill it in by hand",
    ]


def test_canvas_ids_of_all_kinds(tmp_path):
    sheet = canvas(
        read_roster(tmp_path / roster(tmp_path, CANVAS)), {}, {}, SimpleNamespace(decimal_comma=False, scale=False)
    )
    people = [Person("11"), Person("s2"), Person("emmy"), Person("Turing, Alan")]
    matched, _ = match(sheet.rows, people)
    assert {student: row.told for student, row in matched.items()} == {
        "11": "Lovelace, Ada (11)",
        "s2": "=cmd|' /C calc'!A0, Ben (12)",
        "emmy": "Noether, Emmy (13)",
    }


# Moodle

WORKSHEET = """\
Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (submission),\
Last modified (grade),Feedback comments
Participant 101,Ada Lovelace,ada@x.org,Submitted,,100.00,Yes,"Monday, 1 January",-,
Participant 102,Kim Lee,kim1@x.org,Submitted,,100.00,Yes,-,-,old
Participant 103,Kim Lee,kim2@x.org,Submitted,,100.00,Yes,-,-,
Participant 104,Zoë O'Neill,zoe@x.org,Submitted,5.00,100.00,Yes,-,"Tuesday, 2 January",
Participant 105,José Núñez,jose@x.org,Submitted,,100.00,No,-,-,
Participant 106,李 明,li@x.org,No submission,,100.00,Yes,-,-,
"""


@pytest.fixture(scope="module")
def moodle_course(tmp_path_factory):
    """Ids as `zip_collect` makes them from Moodle's downloads; one learner has an id that only the address tells."""
    learners = [
        Made("ada_lovelace", FULL, comments={"one": "a < b\n& so on"}, hours_late=1, penalty=2.5),
        Made("kim_lee_102", HALF),
        Made("kim_lee_103", FULL),
        Made("zoë_oneill", HALF),
        Made("josé_núñez", HALF),
        Made("u42", FULL, email="LI@x.org"),
    ]
    return make_class(tmp_path_factory.mktemp("exports") / "c", learners, TESTS)


def test_moodles_worksheet_is_filled(moodle_course, export, tmp_path):
    run = export(moodle_course, "ps", "--format=moodle", "--roster", roster(tmp_path, WORKSHEET))
    before = list(csv.reader(io.StringIO(WORKSHEET)))
    changed = {(i, j): c for i, row in enumerate(run.rows) for j, c in enumerate(row) if c != before[i][j]}
    assert changed == {(1, 4): "97.5", (2, 4): "60", (3, 4): "100", (4, 4): "60", (6, 4): "100"}
    assert run.code == 3 and run.err[1:] == ["ps: josé_núñez: this grade cannot be changed in Moodle"]


def test_feedback_is_html(moodle_course, export, tmp_path):
    run = export(moodle_course, "ps", "--format=moodle", "--feedback", "--roster", roster(tmp_path, WORKSHEET))
    assert run.rows[1][9] == "one: a &lt; b<br>&amp; so on<br>2.5 points taken off for being late"
    assert run.rows[2][9] == "old", "what there is nothing new for stays"
    path = roster(tmp_path, "\n".join(line.rsplit(",", 1)[0] for line in WORKSHEET.splitlines()))
    run = export(moodle_course, "ps", "--format=moodle", "--feedback", "--roster", path)
    assert run.code == 1 and "Feedback comments" in run.err[0]


def test_two_of_a_name_are_not_guessed(tmp_path, export):
    root = make_class(tmp_path / "c", [Made("kim_lee", FULL), Made("kim_lee_999", HALF)], TESTS)
    run = export(root, "ps", "--format=moodle", "--roster", roster(tmp_path, WORKSHEET))
    assert run.code == 3 and all(row[4] in ("", "5.00", "Grade") for row in run.rows)
    told = "Kim Lee (Participant 102), Kim Lee (Participant 103)"
    assert f"kim_lee: more than one row of the roster fits ({told}); fill it in by hand" in run.err
    assert "kim_lee_999: no such learner in the roster" in run.err
    assert "李 明 (Participant 106): nothing was handed in under this name or id" in run.err


@pytest.mark.parametrize(
    ("change", "arguments", "said"),
    [
        (("100.00", "10.00"), [], "--scale"),
        (("Maximum Grade", "Scale"), [], "uses a scale"),
        (("Last modified (grade)", "Zuletzt geändert (Bewertung)"), [], "in English"),
        (("5.00,100.00", "5.00,50.00"), [], "more than one maximum"),
        (("5.00,100.00", "5.00,1.2.3.4"), [], "the maximum '1.2.3.4' is no number"),
        (("", ""), ["--column", "ps=Grade"], "--column is for"),
    ],
)
def test_what_moodle_would_misread_is_refused(moodle_course, export, tmp_path, change, arguments, said):
    path = roster(tmp_path, WORKSHEET.replace(*change) if change[0] else WORKSHEET)
    run = export(moodle_course, "ps", "--format=moodle", "--roster", path, *arguments)
    assert run.code == 1 and run.content is None and said in run.err[0], run.err


def test_the_worksheets_maximum_and_decimal_comma(moodle_course, export, tmp_path):
    path = roster(tmp_path, re.sub(r"100\.00", '"20,00"', WORKSHEET).replace("5.00", '"5,00"'))
    run = export(moodle_course, "ps", "--format=moodle", "--scale", "--roster", path)
    assert [row[4] for row in run.rows[1:]] == ["19,5", "12", "20", "12", "", "20"]


def test_what_is_above_the_maximum_is_told(tmp_path, export):
    root = make_class(tmp_path / "c", [Made("ada_lovelace", {"one": 90, "two": 40})], TESTS)
    run = export(root, "ps", "--format=moodle", "--roster", roster(tmp_path, WORKSHEET))
    assert "ps: ada_lovelace: 130 is above the maximum, and Moodle would pass over it" in run.err
    assert run.rows[1][4] == "" and run.code == 3


def test_hidden_names(tmp_path, export):
    """With anonymous submissions, downloads and worksheet know participants by number alone."""
    student = parse(tmp_path / "Participant_7_assignsubmission_file" / "x.ipynb").student_id
    assert student == "participant"
    root = make_class(tmp_path / "c", [Made("participant_7", FULL), Made("participant_8", HALF)], TESTS)
    head = "Identifier,Status,Grade,Maximum Grade,Grade can be changed,Last modified (grade)\n"
    path = roster(tmp_path, head + "Participant 7,S,,100.00,Yes,-\nParticipant 8,S,,100.00,Yes,-\n")
    run = export(root, "ps", "--format=moodle", "--roster", path)
    assert run.code == 0 and [row[2] for row in run.rows[1:]] == ["100", "60"]


def test_a_list_of_participants(moodle_course, export, tmp_path):
    text = "First name,Surname,ID number,Institution,Email address,Course total\n"
    text += "Ada,Lovelace,7,X,ada@x.org,-\nJosé,Núñez,8,X,jose@x.org,3\nMarie,Curie,9,X,m@x.org,-\n"
    run = export(moodle_course, "ps", "--format=moodle", "--feedback", "--roster", roster(tmp_path, text))
    assert run.rows == [
        ["ID number", "First name", "Surname", "Email address", "ps", "ps feedback"],
        ["7", "Ada", "Lovelace", "ada@x.org", "97.5", run.rows[1][5]],
        ["8", "José", "Núñez", "jose@x.org", "60", ""],
    ]
    assert run.code == 3 and "Marie Curie: nothing was handed in under this name or id" in run.err
    run = export(moodle_course, "ps", "--format=moodle", "--roster", roster(tmp_path, "First name,Surname\nAda,L\n"))
    assert run.code == 1 and "none of the columns" in run.err[0]


def test_moodle_without_a_list(course, export):
    run = export(course, "ps", "--format=moodle")
    assert run.rows[0] == ["Username", "First name", "Last name", "Email address", "ps"]
    assert run.rows[1] == ["ada", "Ada", "Lovelace", "ada@example.org", "100"]
    # Who has no mark yet has no row: an empty cell would delete the grade that Moodle has.
    assert [row[0] for row in run.rows[1:]] == ["ada", "ben", "kim"] and run.code == 0
    run = export(course, "ps", "qs", "--format=moodle")
    assert run.code == 1 and "one week" in run.err[0]


NAMES = ["Ada Lovelace", "Zoë O'Neill", "José Núñez", "李 明", "A_B C", 'Al "Bo" Cy', "N/A: <x>", "Dr. Kim, Lee", "…"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("others", [0, 1])
def test_a_download_and_its_roster_give_the_same_id(tmp_path, name, others):
    """Moodle leaves characters out of names of files that it shows in lists."""
    in_files = re.sub(r"[\x00-\x1f\x7f&<>\"`|':\\/]", "", name.replace("_", " "))
    for number in range(101, 102 + others):
        (tmp_path / "m" / f"{in_files}_{number}_assignsubmission_file").mkdir(parents=True)
    found = parse(tmp_path / "m" / f"{in_files}_101_assignsubmission_file" / "x.ipynb").student_id
    assert found in moodle_ids(name, "101")


# The command


def test_wrong_usage(course, export, capsys):
    for arguments, said in (
        (["rs"], "there are: ps, qs"),
        (["ps", "ps"], "twice"),
        (["ps", "--roster", "x"], "--roster"),
        (["ps", "--scale"], "--scale"),
    ):
        run = export(course, *arguments)
        assert run.code == 1 and said in run.err[0] and run.content is None
    for arguments in ([], ["ps", "--format=blackboard"]):
        with pytest.raises(SystemExit) as end:
            export(course, *arguments)
        assert end.value.code == 2
    with pytest.raises(SystemExit):
        export(course, "--help")
    assert re.search(r"exit codes:\n  0 .*\n  1 .*\n.*\n?  2 .*\n  3 ", capsys.readouterr().out)


def test_where_it_writes(course, autograder):
    run = autograder(course, "export", "ps")
    assert run.out.splitlines()[-1] == str(course / "build" / "exports" / "ps.csv")
    run = autograder(course, "export", "ps", "qs", "--include-unfinished")
    assert run.out.splitlines()[:2] == ["ps: 4 marks", "qs: 2 marks"]
    assert len(list((course / "build" / "exports").glob("ps_qs-*.csv"))) == 1


def test_a_roster_is_read_as_it_was_written(tmp_path):
    for newline in ("\n", "\r\n"):
        for delimiter in (",", ";", "\t"):
            rows = [["a", "b c", "d"], ['say "x"', f"with {delimiter} it", "two\nlines"], ["", " s ", "é"]]
            text = io.StringIO(newline="")
            csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(rows)
            path = tmp_path / "r.csv"
            path.write_bytes(text.getvalue().encode())
            found = read_roster(path)
            assert [found.header, *found.rows] == rows and found.text() == text.getvalue()
    path.write_bytes("a,b\n1,2\n".encode("utf-16"))
    assert read_roster(path).rows == [["1", "2"]]
    path.write_bytes(b"")
    with pytest.raises(CourseError, match="empty"):
        read_roster(path)
