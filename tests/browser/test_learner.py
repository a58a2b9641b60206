"""A learner's week in JupyterLab, as `make lab` starts it: each release opens, answers are tested, Validate helps."""

import shutil
from pathlib import Path

import nbformat
import pytest
from browsing import ROOT, chromium, keep_screenshot
from labs import NOTEBOOK, OPTIONS, Lab, copy_course, lab, nbgrader, running_lab, served

from autograder.variants import read_variants, reference_answers

pytestmark = pytest.mark.slow
WEEK, TOPIC = "week01_data_tools", "data_tools"
RELEASES = sorted(ROOT.glob("release/week*/*.ipynb"))
RIGHT, WRONG = "ages_by_title", "windows"


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("learner")
    return copy_course(folder / "course", folder / "exchange")


# JupyterLab makes a cell when it comes into view: scroll to each, and wait until its text and formulas are there.
LOOK_THROUGH = f"""async () => {{
    const notebook = {NOTEBOOK}.content, blank = [];
    const text = cell => cell.model.sharedModel.source;
    const formula = cell => /\\$[^$]+\\$/.test(text(cell).replace(/`[^`]*`/g, ""));
    const shown = cell => {{
        if (cell.model.type !== "markdown") return cell.node.querySelector(".cm-content");
        const output = cell.node.querySelector(".jp-MarkdownOutput");
        return output?.textContent.trim() && (!formula(cell) || output.querySelector("mjx-container"));
    }};
    let formulas = 0, broken = [];
    for (const [index, cell] of notebook.widgets.entries()) {{
        await notebook.scrollToItem(index);
        for (const start = Date.now(); !shown(cell) && Date.now() - start < 10000;)
            await new Promise(resolve => setTimeout(resolve, 10));
        if (!shown(cell)) blank.push(text(cell).slice(0, 80));
        formulas += cell.node.querySelectorAll("mjx-container").length;
        for (const error of cell.node.querySelectorAll(".jp-MarkdownOutput :is(merror, [data-mjx-error])"))
            broken.push(error.textContent);
    }}
    return {{cells: notebook.widgets.length, blank, formulas, broken}};
}}"""


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.parent.name)
def test_each_release_opens_and_says_what_is_missing(lab, release):
    week = release.parent.name
    lab.open(f"release/{week}/{release.name}")
    found = lab.page.evaluate(LOOK_THROUGH)
    assert found["blank"] == [] and found["broken"] == [] and found["formulas"] > 0, found
    assert found["cells"] == len(nbformat.read(release, 4).cells)
    keep_screenshot(lab.page, f"lab/{week}")
    cells = lab.cells()
    first = next(k for k, cell in enumerate(cells) if cell["solution"] and cell["kind"] == "code")
    for index in [k for k in range(first) if cells[k]["kind"] == "code"]:
        assert "Error" not in lab.run(index)
    lab.run(first)
    said = lab.run(lab.index(f"{cells[first]['id']}_test"))
    assert "is not written yet" in said, said
    keep_screenshot(lab.page, f"lab/{week}_not_written_yet")
    assert lab.dialogs() == [] and lab.complaints() == []


def answers(*, wrong: bool) -> dict[str, str]:
    """One right answer and, for another exercise, a wrong or the right one."""
    reference = reference_answers(nbformat.read(ROOT / "source" / WEEK / f"{TOPIC}.ipynb", 4))
    variants = read_variants(ROOT / "source" / WEEK / "variants.py")
    right = next(variant.source for variant in variants if variant.exercise == RIGHT and variant.right)
    mistake = next(variant.source for variant in variants if variant.exercise == WRONG and not variant.right)
    return {RIGHT: right, WRONG: mistake if wrong else reference[WRONG]}


def test_a_right_and_a_wrong_answer(lab):
    lab.open(f"release/{WEEK}/{TOPIC}.ipynb")
    cells = lab.cells()
    for index in [k for k in range(lab.index(RIGHT)) if cells[k]["kind"] == "code"]:
        lab.run(index)
    for exercise, answer in answers(wrong=True).items():
        lab.write(lab.index(exercise), answer)
        assert "Error" not in lab.run(lab.index(exercise))
    assert "Error" not in lab.run(lab.index(f"{RIGHT}_test"))
    said = lab.run(lab.index(f"{WRONG}_test"))
    keep_screenshot(lab.page, "lab/wrong_answer")
    assert "CheckError" in said and "AssertionError:\n" not in said, said
    message = said.strip().splitlines()[-1]
    lab.write(lab.index(WRONG), answers(wrong=False)[WRONG])
    lab.run(lab.index(WRONG))
    assert "Error" not in lab.run(lab.index(f"{WRONG}_test"))
    lab.write(lab.index(WRONG), answers(wrong=True)[WRONG])
    lab.save()
    lab.page.locator("jp-button.validate-button, button.validate-button").first.click()
    dialog = lab.page.locator(".nbgrader-ErrorDialog")
    dialog.wait_for(timeout=180_000)
    keep_screenshot(lab.page, "lab/validate")
    text = dialog.inner_text()
    assert "The following cell failed" in text and message[:60] in text, text
    # The exercises that are still empty fail, too; the right one does not.
    assert f"_test_{WRONG}" in text and f"_test_{RIGHT}" not in text, text
    lab.page.locator(".jp-Dialog button").first.click()


def test_fetch_submit_and_feedback_through_the_exchange(chromium, course, tmp_path):
    """With the exchange on one machine, in the panel "Assignment List"; the instructor works with commands."""
    for command in (["generate_assignment", WEEK, "--force"], ["release_assignment", WEEK, "--force"]):
        nbgrader(course, *command)
    shutil.copy(course / "nbgrader_config.py", tmp_path)
    config = (course / "nbgrader_config.py").read_text("utf-8").splitlines()
    exchange = next(line for line in config if line.startswith("c.Exchange.root"))
    (tmp_path / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = 'dlcourse'\n{exchange}\n", "utf-8"
    )
    command = ["jupyter", "lab", *OPTIONS.split()]
    with running_lab(tmp_path, command, JUPYTER_CONFIG_DIR=str(tmp_path / "config")) as place:
        lab = Lab(chromium, place)
        lab.open()
        lab.menu("Nbgrader", "Assignment List")
        lab.page.locator("#released_assignments_list .item_status button:text-is('Fetch')").click()
        submit = lab.page.locator("#fetched_assignments_list .item_status button:text-is('Submit')")
        submit.wait_for()
        assert (tmp_path / WEEK / f"{TOPIC}.ipynb").is_file()
        keep_screenshot(lab.page, "lab/exchange_fetched")
        submit.click()
        lab.page.locator("#submitted_assignments_list .list_item").first.wait_for()
        keep_screenshot(lab.page, "lab/exchange_submitted")
        nbgrader(course, "collect", WEEK)
        nbgrader(course, "autograde", WEEK)
        nbgrader(course, "generate_feedback", WEEK)
        nbgrader(course, "release_feedback", WEEK)
        lab.page.locator("#refresh_assignments_list").click()
        fetch = lab.page.locator("#submitted_assignments_list button:text-is('Fetch Feedback')").first
        fetch.click()
        lab.page.locator("#submitted_assignments_list a:has-text('view feedback')").first.wait_for()
        (page,) = (tmp_path / WEEK / "feedback").rglob("*.html")
        assert "Score: 0.0 / 100" in page.read_text("utf-8")
        assert lab.dialogs() == []
        lab.page.close()
