"""`autograder quality`: it finds what is wrong with tests, and the course's own tests stand up to it."""

import json
import shutil
import subprocess
import sys

import pytest
from conftest import JOBS, ROOT

from autograder.course import assignments
from autograder.quality.report import as_json, write_json, write_pages
from autograder.quality.runs import Assignment, Judge
from autograder.quality.study import BAR, study

SAMPLE = ROOT / "tests" / "data" / "quality_course"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sample():
    assignment = Assignment(SAMPLE, "sample")
    with Judge(assignment, 2) as judge:
        return study(assignment, judge, assignment.exercises)


def test_good_tests(sample):
    centred = sample.exercises[0]
    assert centred.reference.passed and not centred.blank.passed
    assert not centred.lost() and not centred.earned() and not centred.bare() and not centred.unfair
    assert {t.answer.sentence: t.verdict.layer for t in centred.wrong} == {
        "the mean of everything": "visible",
        "cut off": "hidden",
    }
    assert [reason for _, reason in centred.equivalent] == ["a column's mean has the same value for every row"]
    assert len(centred.stale) == 2 and any("return z" in text for text in centred.stale)


def test_bad_tests(sample):
    total = sample.exercises[1]
    assert [t.answer.sentence for t in total.lost()] == ["as text, which the test refuses"]
    assert [t.answer.sentence for t in total.earned()] == ["too much, which no test sees"]
    assert [t.answer.sentence for t in total.bare()] == ["negative"]
    assert ("- return x.sum() * 0 + 1", "+ return x.sum() * 0 + 2") in [t.answer.diff for t in total.survived]
    unfair = " ".join(finding.sentence for finding in total.unfair)
    assert "with two threads" in unfair and "centred, left blank, costs its marks, too" in unfair
    assert sample.kill_rate() < BAR and any("of the mutants are noticed" in text for text in sample.problems())


def test_what_was_measured_can_be_read(sample, tmp_path):
    write_json([sample], tmp_path / "new" / "quality.json")
    found = json.loads((tmp_path / "new" / "quality.json").read_text())["sample"]["total"]
    assert found == as_json([sample])["sample"]["total"]
    assert found["right"] == 2 and found["right_accepted"] == 1 and found["wrong"] == 2 and found["wrong_rejected"] == 1
    assert found["mutants"] == found["killed"] + found["equivalent"] + found["survived"] and found["blank_points"] == 0
    index, messages = write_pages([sample], tmp_path / "pages")
    assert "+ return x.sum() * 0 + 2" in index.read_text() and "<script" not in index.read_text()
    assert "negative" in messages.read_text() and "not explained" in messages.read_text()


def test_command(tmp_path):
    course = tmp_path / "course"
    shutil.copytree(SAMPLE, course)
    shutil.copy(ROOT / "nbgrader_config.py", course)
    command = [sys.executable, "-m", "autograder", "--root", str(course), "quality", "--exercise", "total"]
    options = ["--html", str(tmp_path / "pages"), "--json", str(tmp_path / "q.json"), "--no-fairness"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1, done.stderr
    assert "problem   sample total: a wrong answer is accepted: too much, which no test sees" in done.stdout
    assert (tmp_path / "pages" / "index.html").is_file() and (tmp_path / "q.json").is_file()
    wrong = subprocess.run([*command[:-1], "totale"], capture_output=True, text=True, cwd=ROOT)
    assert wrong.returncode == 1 and "no exercise 'totale'" in wrong.stderr


@pytest.mark.longest
@pytest.mark.parametrize("week", assignments(ROOT))
def test_the_weeks_stand_up_to_it(week):
    assignment = Assignment(ROOT, week)
    with Judge(assignment, JOBS) as judge:
        found = study(assignment, judge, assignment.exercises)
    assert found.problems() == []
    assert all(e.right and e.wrong and (e.killed or not e.survived) for e in found.exercises)
