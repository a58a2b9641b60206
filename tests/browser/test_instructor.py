"""An instructor's week: cells seen in the panel "Create Assignment", marks given in the form grader, feedback read."""

import re
from pathlib import Path

import nbformat
import pytest
from browsing import LAPTOP, PHONE, ROOT, assert_accessible, chromium, give, keep_screenshot
from labs import copy_course, lab, nbgrader, served

from autograder.variants import fill_answers, reference_answers

pytestmark = pytest.mark.slow
WEEK, TOPIC, LEARNER = "week01_data_tools", "data_tools", "ada"
COMMENT = "Name the error message that stopped you: then we can help."


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A course in which one learner has handed in the reference answers and a report, graded by the engine."""
    folder = tmp_path_factory.mktemp("instructor")
    course = copy_course(folder / "course", folder / "exchange")
    nbgrader(course, "generate_assignment", WEEK, "--force")
    release = nbformat.read(course / "release" / WEEK / f"{TOPIC}.ipynb", 4)
    source = nbformat.read(course / "source" / WEEK / f"{TOPIC}.ipynb", 4)
    given = reference_answers(source) | {"weekly_report": "I learnt to broadcast.\n\n**Stuck:** `groupby`."}
    handed_in = course / "submitted" / LEARNER / WEEK / f"{TOPIC}.ipynb"
    handed_in.parent.mkdir(parents=True)
    nbformat.write(fill_answers(release, given), handed_in)
    nbgrader(course, "autograde", WEEK)
    return course


def test_the_panel_create_assignment_shows_what_each_cell_is(lab):
    lab.open(f"source/{WEEK}/{TOPIC}.ipynb")
    lab.page.evaluate("window.jupyterapp.commands.execute('nbgrader:open-create-assignment')")
    lab.page.locator(".nbgrader-NotebookWidget").wait_for()
    lab.page.wait_for_function("document.querySelector('.nbgrader-TotalPointsInput')?.value === '100'")
    keep_screenshot(lab.page, "lab/create_assignment")
    shown = lab.page.evaluate(
        """[...document.querySelectorAll('.nbgrader-NotebookWidget .nbgrader-CellWidget')].map(cell => [
            cell.querySelector('.nbgrader-CellId input')?.value || '', cell.querySelector('select')?.value || '',
            cell.querySelector('.nbgrader-CellPoints input')?.value || ''])"""
    )
    panel = {name: (kind, points) for name, kind, points in shown if kind}
    names = {(False, True): "solution", (True, False): "tests", (True, True): "manual", (False, False): "readonly"}
    for cell in nbformat.read(ROOT / "source" / WEEK / f"{TOPIC}.ipynb", 4).cells:
        if meta := cell.metadata.get("nbgrader"):
            kind, points = panel[meta.grade_id]
            assert kind == names[meta.grade, meta.solution], meta
            assert not meta.grade or float(points) == meta.points, meta
    assert lab.dialogs() == []


def test_a_report_is_graded_by_hand_and_the_learner_reads_why(lab, course, chromium):
    lab.open()
    lab.menu("Nbgrader", "Formgrader")
    frame = lab.page.frame_locator("iframe[src*='formgrader']").first
    frame.get_by_text("Manage Assignments").first.wait_for()
    keep_screenshot(lab.page, "lab/formgrader")
    page = lab.page
    page.goto(f"{lab.address}formgrader/gradebook/{WEEK}/{TOPIC}?token={lab.token}")
    page.get_by_text("Submission #1").first.click()
    score = page.locator("input#weekly_report.score")
    score.wait_for()
    rubric = rubric_words(course)
    assert rubric in page.locator("body").inner_text()
    score.scroll_into_view_if_needed()
    with page.expect_response(lambda answer: "/api/grade/" in answer.url and answer.request.method == "PUT") as saved:
        score.fill("3")
        score.press("Tab")
    assert saved.value.ok
    comment = page.locator("textarea#weekly_report-comment")
    with page.expect_response(lambda answer: "/api/comment/" in answer.url and answer.request.method == "PUT") as saved:
        comment.fill(COMMENT)
        comment.press("Tab")
    assert saved.value.ok
    keep_screenshot(page, "lab/graded_by_hand")
    nbgrader(course, "generate_feedback", WEEK, "--force")
    text = (course / "feedback" / LEARNER / WEEK / f"{TOPIC}.html").read_text("utf-8")
    assert "HIDDEN TESTS" not in text and "MARK SCHEME" not in text and rubric not in text
    reader = chromium.new_page()
    # The page asks for MathJax where there is a network.
    give(reader, re.sub(r'<script src="https://[^"]*"> *</script>', "", text))
    seen = reader.locator("body").inner_text()
    assert COMMENT in seen and "Score: 3.0 / 4.0" in seen and "Score: 95.0 / 100.0" in seen, seen[:500]
    for width in (LAPTOP, PHONE):
        reader.set_viewport_size(width)
        keep_screenshot(reader, f"feedback/{width['width']}", whole=True)
        assert reader.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        assert_accessible(reader)
    reader.close()


def rubric_words(course: Path) -> str:
    """Return some words of the report's rubric as they stand in a page, without Markdown."""
    cells = nbformat.read(course / "source" / WEEK / f"{TOPIC}.ipynb", 4).cells
    question = next(c for c in cells if c.metadata.get("nbgrader", {}).get("grade_id") == "weekly_report_question")
    rubric = question.source.partition("### BEGIN MARK SCHEME")[2].partition("### END MARK SCHEME")[0]
    return max(re.findall(r"[A-Za-z][A-Za-z ]+[a-z]", rubric), key=len)
