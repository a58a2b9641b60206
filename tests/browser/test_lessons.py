"""Every lesson, executed and made a page, as a reader sees it: on a laptop and on a phone, without a network."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import mathjax
import nbformat
import pytest
from browsing import LAPTOP, PHONE, ROOT, assert_accessible, chromium, give, keep_screenshot, listen
from executed import executed
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import BrowserContext, Page

from autograder.alternatives import pictures, sentences
from autograder.pages import NO_SENTENCE, LessonPage

pytestmark = pytest.mark.slow
LESSONS = sorted((ROOT / "notebooks").glob("week*/*.ipynb"))
ASSIGNMENTS = sorted((ROOT / "source").glob("week*/*.ipynb"))
# MathJax 3, which JupyterLab uses too, from a package and not from the network.
MATHJAX = Path(next(iter(mathjax.__path__)), "static", "mathjax", "es5")
# A mistake in a formula must be seen: without the packages that show its source instead.
TYPESET = r"""
window.MathJax = {
    tex: {
        inlineMath: [["$", "$"], ["\\(", "\\)"]], processEscapes: true, tags: "ams",
        packages: {"[-]": ["noerrors", "noundefined"]},
    },
    startup: { ready() {
        MathJax.startup.defaultReady();
        MathJax.startup.promise.then(() => { window.typeset = true; });
    } },
};
"""
# What is cut off: wider than its box, where the box does not scroll.
CUT_OFF = """
[...document.querySelectorAll("body *")].filter(element => {
    const hides = ["hidden", "clip"].includes(getComputedStyle(element).overflowX);
    return hides && element.scrollWidth > element.clientWidth + 1 && !element.closest("mjx-container");
}).map(element => `${element.tagName}.${element.className}: ${element.textContent.trim().slice(0, 80)}`)
"""
MISSING = "[...document.images].filter(i => !(i.complete && i.naturalWidth > 0)).map(i => i.src.slice(0, 100))"
FORMULAS = """
[...document.querySelectorAll("[data-mjx-error], merror")].map(
    error => error.closest("mjx-container").textContent.slice(0, 200) + " " + (error.dataset.mjxError || ""))
"""


def open_lesson(context: BrowserContext, notebook: NotebookNode) -> tuple[Page, list[str]]:
    """Open a notebook as a page; return it, with its formulas set, and what it complained of."""
    made, _ = LessonPage(mathjax_url="/mathjax/tex-svg-full.js", require_js_url="", jquery_url="").from_notebook_node(
        notebook, {"metadata": {"name": notebook.cells[0].source.partition("\n")[0].lstrip("# ")}}
    )
    page = context.new_page()
    page.add_init_script(TYPESET)
    complaints = listen(page)
    give(page, made, {"mathjax": MATHJAX})
    page.wait_for_function("window.typeset")
    return page, complaints


@pytest.fixture(scope="module", params=LESSONS, ids=lambda path: path.parent.name)
def lesson(request, chromium) -> Iterator[tuple[str, NotebookNode, Page, list[str]]]:
    """The name of a lesson, its executed notebook, its page, and what the page complained of."""
    notebook = executed(request.param)
    page, complaints = open_lesson(chromium, notebook)
    yield request.param.parent.name, notebook, page, complaints
    page.close()


def faults(page: Page) -> list[str]:
    """Return what a reader would trip over at the page's present width."""
    found = []
    if wider := page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"):
        found.append(f"the page is {wider} pixels wider than the window")
    found += [f"cut off: {text}" for text in page.evaluate(CUT_OFF)]
    found += [f"a picture is missing: {source}" for source in page.evaluate(MISSING)]
    found += [f"a broken formula: {text}" for text in page.evaluate(FORMULAS)]
    read = page.evaluate("[...document.querySelectorAll('.jp-RenderedMarkdown')].map(e => e.innerText).join('\\n')")
    found += [f"a formula is not set: {text}" for text in re.findall(r"\$\$.*|\\begin\{.*|\\\(.*", read)]
    return found


@pytest.mark.parametrize("width", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_a_lesson_can_be_read(lesson, width):
    name, _, page, complaints = lesson
    page.set_viewport_size(width)
    keep_screenshot(page, f"lessons/{name}_{width['width']}.jpg", whole=True)
    assert not faults(page) + complaints
    assert page.locator(".jp-CodeCell").count() > 10 and page.locator("mjx-container").count() > 5
    # The contrast of thousands of pieces of code takes long to look at, and is the same at any width.
    assert_accessible(page, exceptions={} if width == LAPTOP else {"color-contrast": "looked at on the laptop"})


def without_sentence(notebook: NotebookNode) -> list[str]:
    """Return the cells whose figures and sentences do not match, each with its first line."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            drawn, said = len(pictures(cell)), sentences(cell.source)
            if drawn != len(said):
                found.append(f"{drawn} figures, {len(said)} `# alt:` comments: {cell.source.partition(chr(10))[0]}")
            found += [f"not a sentence: {text}" for text in said if len(text) < 60 or not text.endswith(".")]
    return found


def test_every_figure_is_described(lesson):
    name, notebook, page, _ = lesson
    assert not without_sentence(notebook)
    described = page.locator(".jp-OutputArea-output img").evaluate_all("all => all.map(image => image.alt)")
    assert described == [text for cell in notebook.cells if cell.cell_type == "code" for text in sentences(cell.source)]
    sheet = "".join(
        f'<figure><img src="data:{form};base64,{data}"><figcaption>{html.escape(text)}</figcaption></figure>'
        for cell in notebook.cells
        for (form, data), text in zip(pictures(cell), sentences(cell.source), strict=False)
    )
    style = (
        "body {display: grid; grid-template-columns: repeat(3, 1fr); gap: 1em} img {max-width: 100%} figure {margin: 0}"
    )
    other = page.context.new_page()
    other.set_content(f"<title>{name}</title><style>{style}</style>{sheet}")
    keep_screenshot(other, f"figures/{name}", whole=True)
    other.close()


@pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda path: path.parent.name)
def test_every_figure_of_an_assignment_is_described(assignment):
    """With the reference answers; the build holds learners' copies to the same cells."""
    assert not without_sentence(executed(assignment))


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # one pixel
FAULTS = {
    "cut off": new_markdown_cell('<div style="overflow: hidden; width: 99px"><pre>' + "x" * 99 + "</pre></div>"),
    "a picture is missing": new_markdown_cell("![a picture](nowhere.png)"),
    r"a broken formula.*\\nosuchthing": new_markdown_cell(r"so $\nosuchthing{x}$"),
    "a broken formula.*brace": new_markdown_cell(r"so $$\frac{1}{2}}$$"),
    "a formula is not set": new_markdown_cell("one $$ and no second"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_page_with_a_fault_is_noticed(chromium, fault):
    sound = new_markdown_cell("# A lesson\n\nwith $x^2$ and\n\n$$\\mathcal{N}(0, 1)$$")
    page, complaints = open_lesson(chromium, new_notebook(cells=[sound]))
    assert not faults(page) + complaints
    page.close()
    page, complaints = open_lesson(chromium, new_notebook(cells=[sound, FAULTS[fault]]))
    found = faults(page)
    assert any(re.match(fault, text) for text in found), found
    page.close()


def test_a_page_that_is_too_wide_is_noticed(chromium):
    page, _ = open_lesson(chromium, new_notebook(cells=[new_markdown_cell("# A lesson")]))
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<div style=\"width: 3000px\">wide</div>')")
    assert any(re.match("the page is [0-9]+ pixels wider", text) for text in faults(page))
    page.close()


def test_a_page_that_is_not_accessible_is_noticed(chromium):
    cell = new_code_cell("draw()", outputs=[new_output("display_data", data={"image/png": PNG})])
    page, _ = open_lesson(chromium, new_notebook(cells=[new_markdown_cell("# A lesson"), cell]))
    assert_accessible(page)
    assert page.locator("img").get_attribute("alt") == NO_SENTENCE
    assert without_sentence(new_notebook(cells=[cell])) == ["1 figures, 0 `# alt:` comments: draw()"]
    page.evaluate("document.querySelector('img').removeAttribute('alt')")
    page.evaluate("document.querySelector('h1').style.color = '#ccc'")
    with pytest.raises(AssertionError, match=r"(?s)color-contrast.*image-alt"):
        assert_accessible(page)
    assert_accessible(page, exceptions={"image-alt": "for this test", "color-contrast": "for this test"})
    page.close()


def test_sentences_are_read_from_the_comment():
    source = "# alt: First.\n#   More of it.\nplt.show()\n# other\n# alt: Second.\n# no more\nplt.show()"
    assert sentences(source) == ["First. More of it.", "Second."]
    written = nbformat.v4.new_code_cell(source)
    written.outputs = [new_output("display_data", data={"image/png": PNG, "text/plain": "<Figure>"})]
    assert pictures(written) == [("image/png", PNG)]
