"""`autograder report`: its figures, its words, and that nothing a learner wrote gets into the page's HTML."""

import hashlib
import html
import json
import math
import os
import re
import shutil
import subprocess
import time
from html.parser import HTMLParser

import numpy as np
import pytest
from made_class import Made, big_class, make_class, write_record

from autograder.marks import Failure, Item, Mark, Submitted, open_class
from autograder.reports.command import file_name, hours, number, printable
from autograder.reports.failures import group, normalised, parts
from autograder.reports.psychometrics import FEWEST, difficulty, discrimination, quantile
from autograder.reports.week import WeekPage, bins, item_rows

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TESTS = {"one": 10, "two": 20}


# Statistics


def test_difficulty_is_the_mean_share_of_the_points():
    assert difficulty([10, 0, 5, 5], 10) == 0.5
    assert difficulty([], 10) is None and difficulty([1], 0) is None


def test_discrimination_is_pearsons_r_with_the_rest():
    draw = np.random.default_rng(0)
    item, rest = draw.integers(0, 2, 40) * 5.0, draw.normal(50, 9, 40)
    found = discrimination(list(item), list(rest))
    assert found.r == pytest.approx(np.corrcoef(item, rest)[0, 1], abs=1e-12)
    # Fisher's interval for r = 0.5 and n = 30, from the formula by hand: atanh 0.5 = 0.549306, 1.96/sqrt(27) = 0.3772.
    x = np.repeat([0.0, 1.0], 15)
    noise = draw.normal(size=30)
    noise -= noise.mean() + x * 2 * (noise @ (x - 0.5)) / 15 - (noise @ (x - 0.5)) / 15
    y = (x - 0.5) / np.linalg.norm(x - 0.5) + math.sqrt(3) * noise / np.linalg.norm(noise)
    found = discrimination(list(x), list(y))
    assert found.r == pytest.approx(0.5, abs=1e-9)
    assert found.interval == pytest.approx((0.1704, 0.7289), abs=1e-3)


@pytest.mark.parametrize(
    ("scores", "rests", "reason"),
    [
        ([0, 1] * 4 + [1], list(range(9)), "fewer than 10"),
        ([5] * 12, list(range(12)), "same points here"),
        ([0, 1] * 6, [7] * 12, "same points in the rest"),
        ([0.1 + 0.2, 0.3] * 6, list(range(12)), "same points here"),
    ],
)
def test_discrimination_is_not_defined(scores, rests, reason):
    found = discrimination(scores, rests)
    assert found.r is None and found.interval is None and reason in found.reason


def test_discrimination_at_its_ends():
    ends = [discrimination([0, 1] * 5, [sign * b for b in [0, 1] * 5]).r for sign in (1, -1)]
    assert ends == pytest.approx([1, -1]) and FEWEST == 10
    assert discrimination([0, 1] * 5, [0, 1] * 5).interval is None
    with pytest.raises(ValueError, match="2 scores"):
        discrimination([1, 2], [1])


@pytest.mark.parametrize("share", [0, 0.25, 0.5, 0.95, 1])
def test_quantiles_are_numpys(share):
    for values in ([3.0], [1, 2], [5, 1, 4, 4, 9, 0.5]):
        assert quantile(values, share) == pytest.approx(np.quantile(values, share))


@pytest.mark.parametrize(
    "values", [[0], [3], [0.001, 0.002], [1, 2, 3], [400, 450, 1000], [5e-7] * 3, [0, 1e9], [480.2, 519.9]]
)
def test_bins_hold_every_value_once(values):
    found = bins(values)
    assert sum(b.count for b in found) == len(values) and 1 <= len(found) <= 9
    assert found[0].low <= min(values) and max(values) <= found[-1].high * (1 + 1e-9)
    assert all(a.high == b.low for a, b in zip(found, found[1:], strict=False))


def item(name, points=10, auto=True):
    return Item("nb", f"{name}_test" if auto else name, points, auto)


def submitted(student, *marks):
    """Marks for E1, E2, ...; None waits."""
    return Submitted(student, marks={("nb", f"e{i}_test"): Mark(m or 0, m is None) for i, m in enumerate(marks, 1)})


def test_an_item_is_compared_with_the_others_without_itself():
    items = [item("e1"), item("e2"), item("e3")]
    draw = np.random.default_rng(1)
    marks = draw.integers(0, 11, (20, 3)).astype(float)
    rows = item_rows(items, [submitted(f"l{i}", *row) for i, row in enumerate(marks)])
    for k, row in enumerate(rows):
        rest = marks.sum(1) - marks[:, k]
        assert row.discrimination.r == pytest.approx(np.corrcoef(marks[:, k], rest)[0, 1])
        assert row.share == pytest.approx(marks[:, k].mean() / 10)
        assert (row.full, row.none) == ((marks[:, k] == 10).sum(), (marks[:, k] == 0).sum())


def test_who_waits_is_missing_and_not_nought():
    items = [item("e1"), item("e2"), item("e3")]
    draw = np.random.default_rng(2)
    marks = [list(map(float, row)) for row in draw.integers(0, 11, (24, 3))]
    for row in marks[:8]:
        row[2] = None
    rows = item_rows(items, [submitted(f"l{i}", *row) for i, row in enumerate(marks)])
    graded = np.array(marks[8:])
    assert (rows[2].n, rows[2].waits) == (16, 8)
    assert rows[2].share == pytest.approx(graded[:, 2].mean() / 10)
    assert rows[2].discrimination.r == pytest.approx(np.corrcoef(graded[:, 2], graded[:, 0] + graded[:, 1])[0, 1])
    # The waiting item is in nobody's rest: not in that of those who have it, either.
    everybody = np.array([row[:2] for row in marks])
    assert rows[0].discrimination.r == pytest.approx(np.corrcoef(everybody.T)[0, 1])
    alone = item_rows([item("e1")], [submitted(f"l{i}", i) for i in range(12)])
    assert alone[0].discrimination.r is None and "nothing else" in alone[0].discrimination.reason


# Messages

CHECK = "f(x): wrong value at index [2] (3 of 4 entries differ)"
CHECK += "\n    expected: 1.25\n    actual:   nan\n    hint:     mean."


def test_the_parts_of_a_message():
    assert parts("CheckError", CHECK) == ("f(x): wrong value at index [2] (3 of 4 entries differ)", "mean.")
    assert parts("KeyError", "") == ("KeyError", "")
    assert parts("ValueError", "\x1b[31mred\x1b[0m\nmore") == ("red", "")
    assert len(parts("ValueError", "x" * 5000)[0]) == 300


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("at index [2] (3 of 4 entries differ)", "at index [0, 1] (1 of 60 entries differ)"),
        ("shape (3, 1) is wrong", "shape (5,) is wrong"),
        ("loss is 0.25 and not -1e-05", "loss is nan and not 3"),
        ("<Thing at 0x7f12ab>", "<Thing at 0x7f99ff>"),
    ],
)
def test_the_same_mistake_with_other_numbers(one, other):
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Conv2d is missing", "Conv1d is missing"),
        ("dtype float32", "dtype float64"),
        ("x_1 is wrong", "x_2 is wrong"),
        ("the mean is wrong", "the sum is wrong"),
    ],
)
def test_names_with_digits_are_not_numbers(one, other):
    assert normalised(one) != normalised(other)


def test_mistakes_are_grouped_and_counted_by_learner():
    def failing(student, key, message, ename="CheckError"):
        return Submitted(student, failures=[Failure(("nb", key), ename, message)])

    class_ = [failing(f"l{i}", "e1_test", CHECK.replace("3 of 4", f"{i} of 9")) for i in range(3)]
    class_ += [failing("m", "e1_test", CHECK.replace("mean.", "sum.")), failing("n", "e2_test", CHECK)]
    class_ += [failing("o", "e1_test", "f is not written yet")]
    # A learner whose answer raises an error with our words is not taken for one who left the answer blank.
    class_ += [failing("p", "e1_test", "f is not written yet", "RuntimeError")]
    found = group([item("e1"), item("e2")], class_)
    assert [len(m.learners) for m in found] == [3, 1, 1, 1, 1]
    assert found[0].learners == ("l0", "l1", "l2") and found[0].hint == "mean." and "expected" in found[0].example
    assert [m.blank for m in found].count(True) == 1


def test_small_things():
    assert [number(x) for x in (0, 12.0, 12.34, -0.0, 99.96)] == ["0", "12", "12.3", "0", "100"]
    assert [hours(s) for s in (30, 90, 5400, 129600, 259200)] == ["30 s", "1.5 min", "1.5 h", "36 h", "3 days"]
    assert file_name("week03_mlp") == "week03_mlp" and file_name("李明") == "李明"
    odd = [file_name(name) for name in ("../x", "..x", "/x", "a/b", "a\\b", "", "." * 9, "<b>", "x" * 300)]
    assert len(set(odd)) == len(odd)
    assert all(re.fullmatch(r"[\w-][\w.-]*", name) and len(name) < 100 for name in odd)
    assert (
        printable("a\u202eb\x00\udc80\nc") == "a\\u202eb\\x00\\udc80\nc" and printable("نامه\u200cها") == "نامه\u200cها"
    )


# Reading the class


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Four learners: all right; one mistake, late; suspected; nothing but a hand grade missing."""
    learners = [
        Made("ada", {"one": 10, "two": 20, "essay": 8}, first_name="Ada", last_name="Lovelace"),
        Made("ben", {"one": 10, "two": 0, "essay": 4}, {"two": ("CheckError", CHECK)}, hours_late=3, penalty=2.5),
        Made("eve", {"one": None, "two": None, "essay": 8}, needs_human=["torch.allclose was replaced"]),
        Made("kim", {"one": 10, "two": 20, "essay": None}, comments={"essay": "well put"}),
    ]
    root = tmp_path_factory.mktemp("reports") / "c"
    return make_class(root, learners, TESTS, written={"essay": 10}, others=["zoe"])


@pytest.fixture
def course(made, tmp_path):
    """A copy of it that a test may change."""
    return shutil.copytree(made, tmp_path / "c")


def week_of(root, week="ps", **more):
    with open_class(root) as book:
        return book.read(week, with_failures=True, **more)


def page_of(root, week="ps"):
    with open_class(root) as book:
        return WeekPage(book.read(week, with_failures=True), book.people())


def test_the_class_is_read_as_nbgrader_has_it(course):
    from nbgrader.api import Gradebook

    week = week_of(course)
    assert [i.exercise for i in week.items] == ["one", "two", "essay"] and week.points == 40
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "course") as book:
        for entry in book.assignment_submissions("ps"):
            mine = week.submissions[entry.student_id]
            assert (mine.score, mine.penalty) == (entry.score, entry.late_submission_penalty)
            assert bool(mine.waiting) == bool(entry.needs_manual_grade)
            assert mine.seconds_late == entry.total_seconds_late
    assert week.submissions["ben"].final == 11.5
    assert week.submissions["kim"].comments == [(("nb", "essay"), "well put")]
    assert {s: x.unfinished() for s, x in week.submissions.items()} == {
        "ada": None,
        "ben": None,
        "eve": "needs a human: torch.allclose was replaced",
        "kim": "1 answer waits for a hand grade",
    }


def test_who_counts_in_figures(course):
    page = page_of(course)
    assert {s.student for s in page.counted} == {"ada", "ben", "kim"}
    assert page.marks.n == 3 and page.marks.mean == pytest.approx((38 + 11.5 + 30) / 3)
    assert [(b.settled, b.open) for b in page.bins if b.count] == [(1, 0), (0, 1), (1, 0)]
    assert [p.id for p in page.without] == ["zoe"]
    assert [s.student for s in page.late] == ["ben"]
    assert [(row.label, students) for row, students in page.waiting_by_item()] == [("E3", ["kim"])]


def test_of_each_learner_the_newest_record_counts(course):
    """A later run holds only what it graded."""
    write_record(course, "ps", [Made("ben", {}, remarks=["two_test ran out of time"], wall_s=99)], later_s=60)
    write_record(course, "ps-more", [Made("ada", {}, wall_s=7777)], later_s=120)
    (course / ".autograder" / "ps-broken.json").write_text("{", "utf-8")
    (course / ".autograder" / "ps-odd.json").write_text('{"assignment": "ps", "graded": [3, {"student": []}]}', "utf-8")
    week = week_of(course)
    odd = {"student": "kim", "wall_s": float("inf"), "cpu_s": float("nan"), "memory_mb": "1", "remarks": 3}
    path = course / ".autograder" / "ps-20990101T000000-1.json"
    path.write_text(json.dumps({"finished": "2099-01-01T00:00:00+00:00", "assignment": "ps", "graded": [odd]}), "utf-8")
    week = week_of(course)
    kim = week.submissions["kim"]
    assert (kim.wall_s, kim.cpu_s, kim.memory_mb, kim.remarks) == (None, None, None, [])
    assert week.broken_records == ["ps-broken.json"]
    assert week.submissions["ben"].wall_s == 99 and week.submissions["ben"].remarks == ["two_test ran out of time"]
    assert week.submissions["ada"].wall_s == 3 and week.submissions["eve"].needs_human


def test_an_error_of_a_newer_run_is_told_and_a_newer_grading_is_believed(course):
    write_record(course, "ps", [Made("ada", {}, error="SandboxError: gone"), Made("new", {}, error="x")], later_s=60)
    (course / "submitted" / "new" / "ps").mkdir(parents=True)
    week = week_of(course)
    assert week.submissions["ada"].unfinished() == "not graded: SandboxError: gone"
    assert not week.submissions["new"].graded
    shutil.rmtree(course / "submitted" / "new")
    assert "new" not in week_of(course).submissions
    # `nbgrader autograde` writes no record, only the notebook.
    notebook = course / "autograded" / "ada" / "ps" / "nb.ipynb"
    content = json.loads(notebook.read_text())
    content["metadata"]["autograder"] = {"needs_human": [], "remarks": ["one_test ran out of time"]}
    notebook.write_text(json.dumps(content))
    later = time.time() + 3600
    os.utime(notebook, (later, later))
    ada = week_of(course).submissions["ada"]
    assert (ada.error, ada.wall_s, ada.remarks) == (None, None, ["one_test ran out of time"])


def test_a_suspicion_ends_when_somebody_has_given_the_marks(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "course") as book:
        for grade in book.find_submission_notebook("nb", "ps", "eve").grades:
            grade.manual_score, grade.needs_manual_grade = 5, False
        book.db.commit()
    page = page_of(course)
    assert page.suspected == [] and [s.student for s in page.looked_at] == ["eve"]
    assert page.week.submissions["eve"].unfinished() is None


def test_what_stands_in_for_nothing_is_no_mark(course):
    notes = course / ".autograder" / "intake" / "ps"
    notes.mkdir(parents=True)
    folder = course / "submitted" / "ben" / "ps"
    (folder / "nb.ipynb").write_text("{}", "utf-8")
    digest = hashlib.sha256(b"{}").hexdigest()
    note = {"nb.ipynb": {"text": "nb.ipynb was not handed in; graded as blank", "digest": digest, "blank": True}}
    (notes / "ben.json").write_text(json.dumps(note), "utf-8")
    write_record(
        course, "ps", [Made("ada", {}, remarks=["nb.ipynb is not a valid notebook (x); graded as blank"])], later_s=9
    )
    page = page_of(course)
    assert [s.student for s in page.absent] == ["ben"] and [s.student for s in page.unreadable] == ["ada"]
    assert {s.student for s in page.counted} == {"kim"} and page.mistakes == []


@pytest.mark.parametrize("content", ["", "[]", '{"cells": 3}', '{"cells": [1, {"metadata": 2}, {"outputs": {}}]}', "["])
def test_a_damaged_graded_notebook_only_lacks_messages(course, content):
    (course / "autograded" / "ben" / "ps" / "nb.ipynb").write_text(content, "utf-8")
    assert week_of(course).submissions["ben"].failures == []


# The pages


class Reader(HTMLParser):
    """The text of a page, its elements, and whatever is not well made."""

    VOID = frozenset(["meta", "br", "wbr", "rect", "line", "circle"])

    def __init__(self, page):
        super().__init__()
        self.stack, self.faults, self.tags, self.ids, self.headings, self.text = [], [], [], [], [], []
        self.feed(page)
        self.faults += self.stack

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "p" in self.stack and tag in ("p", "div", "details", "table", "ul", "ol", "pre", "figure", "section"):
            self.faults.append(f"<{tag}> in <p>")
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.faults.append(f"</{tag}>")

    def handle_data(self, data):
        if self.stack and self.stack[-1] != "style":
            self.text.append(data)

    def said(self):
        return " ".join(" ".join(self.text).split())


def well_made(page):
    """Check what every page must have, and return its reader."""
    reader = Reader(page)
    assert reader.faults == [] and len(set(reader.ids)) == len(reader.ids)
    assert ("html", {"lang": "en"}) in reader.tags and reader.headings[0] == 1 and reader.headings.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(reader.headings, reader.headings[1:], strict=False)), reader.headings
    names = {tag for tag, _ in reader.tags}
    assert not names & {"script", "iframe", "img", "link", "object", "form", "base"}
    for tag, attributes in reader.tags:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        assert "src" not in attributes and attributes.get("href", "#").startswith("#"), (tag, attributes)
        assert attributes.get("href", "#x")[1:] in [*reader.ids, "x"]
        if tag == "th":
            assert attributes.get("scope") in ("row", "col")
        if attributes.get("role") == "img":
            assert attributes.get("aria-label") or attributes.get("aria-labelledby") in reader.ids
        if attributes.get("class") == "wide":
            assert attributes["tabindex"] == "0" and attributes["aria-label"]
    return reader


def report(autograder, root, *arguments):
    output = root.parent / "page.html"
    run = autograder(root, "report", *arguments, "--output", str(output))
    assert run.code == 0 and run.out.splitlines() == [str(output)], run.err
    return output.read_text("utf-8")


def test_the_page_of_a_week_says_its_numbers_in_words(course, autograder):
    said = well_made(report(autograder, course, "ps")).said()
    for words in (
        "3 marks out of 40 points: mean 26.5",
        "1 of these waits for a hand grade and can still rise",
        "Left out: 1 who must be looked at first",
        "The hardest is E2 two with 67 % of the points, the easiest E1 one with 100 %",
        "not defined: fewer than 10 learners",
        "torch.allclose was replaced",
        "f(x): wrong value at index [2]",
        "Hint given: mean.",
        "Late by",
        "2.5 points",
        "In the gradebook, and without a submission: zoe",
        "4 submissions: median 3 s, 95 % need at most 3 s",
        "Ada Lovelace",
    ):
        assert words in said, words


def test_the_page_of_a_learner(course, autograder):
    make_class(course, [Made("ben", {"one": 10, "two": 20})], TESTS, week="qs")
    make_class(course, [Made("ada", {"one": 10, "two": 20})], TESTS, week="rs")
    said = well_made(report(autograder, course, "--student", "ben")).said()
    for words in ("41.5 of 70 points in 2 graded weeks (59 %)", "3 h late", "2.5 points taken off", "no submission"):
        assert words in said, words
    assert "f(x): wrong value" in said and "all points" in said and "no points" in said
    said = well_made(report(autograder, course, "--student", "kim")).said()
    assert "essay: well put" in said and "1 answer waits for a person" in said
    said = well_made(report(autograder, course, "--student", "eve")).said()
    assert "Needs a human: torch.allclose was replaced" in said
    well_made(report(autograder, course, "--student", "zoe"))


def test_where_it_writes_and_what_it_refuses(course, autograder, tmp_path):
    run = autograder(course, "report", "ps")
    assert run.out.strip() == str(course / "build" / "reports" / "ps.html")
    run = autograder(course, "report", "--student", "ada")
    assert run.out.strip() == str(course / "build" / "reports" / "learner-ada.html")
    run = autograder(course, "report", "pq")
    assert run.code == 1 and "there are: ps" in run.err
    run = autograder(course, "report", "--student", "adda")
    assert run.code == 1 and "did you mean 'ada'" in run.err
    for arguments in (["report"], ["report", "ps", "--student", "ada"]):
        with pytest.raises(SystemExit) as end:
            autograder(course, *arguments)
        assert end.value.code == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(course / "nbgrader_config.py", empty)
    run = autograder(empty, "report", "ps")
    assert run.code == 1 and "no gradebook yet" in run.err and not (empty / "gradebook.db").exists()


def test_nobody_and_one_learner(tmp_path, autograder):
    root = make_class(tmp_path / "c", [], TESTS, with_record=False)
    said = well_made(report(autograder, root, "ps")).said()
    assert "No marks yet" in said and "Nobody is graded yet" in said and "nobody yet" in said
    make_class(root, [Made("solo", {"one": 10, "two": 0})], TESTS, week="qs")
    said = well_made(report(autograder, root, "qs")).said()
    assert "There is one mark: 10 of 30 points." in said
    make_class(root, [Made("solo", {})], {}, week="rs")
    assert "no graded cells" in well_made(report(autograder, root, "rs")).said()
    well_made(report(autograder, root, "--student", "solo"))


SCRIPT = "<script>document.title='ran'</script>"
HOSTILE = [
    SCRIPT,
    '"><img src=x onerror="document.title=\'ran\'">',
    "</pre></details><svg onload=alert(1)>",
    "{{7*7}}&lt;",
]


def hostile_class(tmp_path):
    """Markup in every place that a learner can fill."""
    learners = [
        Made(
            # A folder's name has no slash.
            f"<b onclick=x>{i}&\"'",
            {"one": 10, "two": 0},
            {"two": (bad, f"{bad}\n    hint:     {bad}")},
            hours_late=i,
            remarks=[f"{bad} is not a valid notebook", bad],
            needs_human=[bad],
            comments={"two": bad},
            first_name=bad,
            last_name="\u202eevil\x07",
            email=bad,
        )
        for i, bad in enumerate(HOSTILE)
    ]
    learners[0].points = {"one": None, "two": None}
    learners[1].error = SCRIPT
    return make_class(tmp_path / "c", learners, TESTS, others=[SCRIPT.replace("/", "")])


def test_nothing_of_a_learner_is_markup(tmp_path, autograder):
    root = hostile_class(tmp_path)
    names = [f"<b onclick=x>{i}&\"'" for i in range(len(HOSTILE))]
    pages = [report(autograder, root, "ps")] + [report(autograder, root, "--student", name) for name in names]
    for page in pages:
        well_made(page)
        for bad in ("<script", "<img", "<svg onload", "<b onclick", "\u202e", "\x07", "49&lt;"):
            assert bad not in page, bad
    # They can be read.
    assert all(html.escape(bad, quote=False) in pages[0].replace("&#34;", '"').replace("&#39;", "'") for bad in HOSTILE)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_nothing_runs_in_a_browser(tmp_path, autograder):
    from test_feedback_page import title_in_browser

    root = hostile_class(tmp_path)
    assert title_in_browser(report(autograder, root, "ps"), tmp_path) == "ps: the class"


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
@pytest.mark.parametrize("width", [500, 1280])
def test_the_page_is_no_wider_than_the_window(tmp_path, autograder, width):
    """Wide tables move inside their own frames. (Chromium makes no window narrower than 500 pixels.)"""
    learners = big_class(15, dict.fromkeys(["x" * 40, *map(str, range(12))], 8))
    learners[0].needs_human, learners[0].points = ["y" * 300], {}
    root = make_class(tmp_path / "c", learners, dict.fromkeys(["x" * 40, *map(str, range(12))], 8))
    page = report(autograder, root, "ps").replace("default-src 'none';", "")
    page = page.replace("details>", "section>").replace("<details", "<section")
    measure = "<script>document.title=document.documentElement.scrollWidth</script></body>"
    file = tmp_path / "wide.html"
    file.write_text(page.replace("</body>", measure), "utf-8")
    options = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    options += f" --disable-component-update --disable-sync --hide-scrollbars --window-size={width},900 --dump-dom"
    command = [CHROMIUM, *options.split(), f"--user-data-dir={tmp_path / 'profile'}", file.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert int(re.search(r"<title>(\d+)</title>", run.stdout)[1]) == width


@pytest.mark.slow
def test_five_hundred_learners(tmp_path, autograder):
    tests = {f"exercise_{k}": 10 for k in range(9)}
    root = make_class(tmp_path / "c", big_class(500, tests), tests, written={"essay": 10})
    started = time.process_time()
    page = report(autograder, root, "ps")
    assert time.process_time() - started < 15
    reader = well_made(page)
    assert "500 marks out of 100 points" in reader.said() and len(page) < 1_000_000
    # Long lists are folded away: what is open is short.
    folded = re.sub(r"<details>.*?</details>", "", re.sub(r"<td class=\"text\"><details>", "", page), flags=re.DOTALL)
    assert len(re.findall("<tr>", folded)) < 150
    assert "None of the 9 measured is below 0.2" in reader.said()
