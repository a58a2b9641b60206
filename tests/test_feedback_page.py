"""Feedback pages in a real browser: what learners wrote can be read, and none of it runs."""

import base64
import html
import json
import re
import shutil
import subprocess

import nbformat
import pytest
from conftest import nbgrader
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from small_course import answer, cell_of, graded_test, hand_in, make_course, open_gradebook, released_notebook

from autograder.feedback import A_TEACHER, FeedbackPage, HideGraderText, clean_html
from autograder.outputs import IN_ANSWER, IN_HIDDEN

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Each attempt would write its number into the page's title.
MARK = "void(document.title+='-ran{}')"
# In these, an unguarded page loses what stands behind them, or is left.
GREEDY = ("<style", "<noscript", "<meta", "<math", "<object", "</pre")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>{0}</script><g onload="{0}"/></svg>'
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # one pixel
IN_HTML = [
    "<script>{0}</script>",
    '<img src=x onerror="{0}">',
    '<svg onload="{0}"></svg>',
    '<iframe srcdoc="<script>parent.{0}</script>"></iframe>',
    '<iframe src="javascript:parent.{0}"></iframe>',
    '<details open ontoggle="{0}">x</details>',
    '<body onload="{0}">',
    '<input autofocus onfocus="{0}">',
    '<object data="javascript:{0}"></object><embed src="javascript:{0}">',
    '<math><mtext><table><mglyph><style><!--</style><img src=x onerror="{0}">',
    "<style>@import 'data:text/css,*{{}}';</style><a href=\"javascript:{0}\" id=clickme>click</a>",
    "</pre></div></div><script>{0}</script>",
    '<noscript><p title="</noscript><img src=x onerror={0}>">',
    '<svg><animate onbegin="{0}" attributeName=x dur=1s></svg>',
    '<meta http-equiv=refresh content="0;url=javascript:{0}"><base href="javascript:">',
    '<form action="javascript:{0}"><button id=clickme>x</button></form>',
]
IN_MARKDOWN = [
    "[click](javascript:{0})",
    '![x](x" onerror="{0})',
    "<javascript:{0}>",
    "$$</script><script>{0}</script>$$",
]


def hostile(valid=False):
    """A graded notebook in which every place that a learner can fill holds a script; how many there are."""
    count = iter(range(1000))

    def script(frame):
        return frame.format(MARK.format(next(count)))

    in_html = [frame for frame in IN_HTML if not (valid and any(word in frame for word in GREEDY))]
    cells = [new_markdown_cell(script(frame)) for frame in in_html + IN_MARKDOWN]
    outputs = [new_output("display_data", data={"text/html": script(frame)}) for frame in in_html]
    outputs += [new_output("display_data", data={"text/markdown": script(frame)}) for frame in in_html + IN_MARKDOWN]
    plain = script("<script>{0}</script>")
    outputs += [
        new_output("stream", name="stdout", text=script("</pre><script>{0}</script>\x1b[31m<script>x</script>")),
        new_output(
            "error", ename=plain, evalue=plain, traceback=[plain, f"\x1b[0;31m{script('<script>{0}</script>')}"]
        ),
        new_output("execute_result", data={"text/plain": script("<script>{0}</script>")}),
        new_output("display_data", data={"text/latex": script("$<script>{0}</script>$")}),
        new_output("display_data", data={"application/javascript": script("{0}")}),
        new_output("display_data", data={"image/svg+xml": script(SVG)}),
        new_output("display_data", data={"image/png": script('x"onerror="{0}')}),
        new_output(
            "display_data", data={"image/png": PNG}, metadata={"image/png": {"width": script('1 onload="{0}"')}}
        ),
        new_output(
            "display_data",
            data={"text/html": script("<script>{0}</script>")},
            metadata={"text/html": {"isolated": True}},
        ),
        new_output(
            "display_data", data={"application/vnd.jupyter.widget-view+json": {"model_id": plain}, "text/plain": "w"}
        ),
    ]
    code = new_code_cell(script("'</pre><script>{0}</script>'"), outputs=outputs)
    code.metadata = NotebookNode(tags=[script('"><script>{0}</script>')], magics_language=plain)
    picture = new_markdown_cell("![x](attachment:a.png)")
    payload = base64.b64encode(script(SVG).encode()).decode()
    picture.attachments = NotebookNode({"a.png": NotebookNode({"image/svg+xml": payload, 'text/html" x="': plain})})
    notebook = new_notebook(cells=[*cells, code, picture])
    if not valid:
        code["execution_count"] = script("<script>{0}</script>")
        code["id"] = script('"><script>{0}</script>')
    notebook.metadata = NotebookNode(language_info={"name": script('x"><script>{0}</script>')}, title=plain)
    return notebook, next(count)


def page_of(notebook, **settings):
    exporter = FeedbackPage(template_name="classic", mathjax_url="", require_js_url="", jquery_url="", **settings)
    return exporter.from_notebook_node(notebook)[0]


def title_in_browser(page, tmp_path):
    """Open a page, press whatever can be pressed, and return its title."""
    press = "<script>document.querySelectorAll('a,button').forEach(e=>{try{e.click()}catch(x){}});</script>"
    press = re.sub(r"e=>", "function(e)", press).replace("function(e){", "function(e){")
    file = tmp_path / "page.html"
    file.write_text(page.replace("</body>", press + "</body>"), "utf-8")
    options = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    options += " --disable-component-update --disable-sync --virtual-time-budget=3000 --dump-dom"
    command = [CHROMIUM, *options.split(), f"--user-data-dir={tmp_path / 'profile'}", file.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "</html>" in run.stdout, run.stderr[-500:]
    return html.unescape(re.search(r"<title>(.*?)</title>", run.stdout, re.DOTALL)[1])


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_nothing_a_learner_wrote_runs_in_a_browser(tmp_path):
    notebook, count = hostile()
    assert count > 70
    assert "ran" not in title_in_browser(page_of(notebook), tmp_path)
    # The browser does run such things: the same page as nbgrader makes it.
    dangerous = title_in_browser(page_of(hostile(valid=True)[0], harmless=False), tmp_path)
    assert len(set(re.findall(r"ran\d+", dangerous))) > 10, dangerous


def test_no_script_stands_in_the_page():
    notebook, _ = hostile()
    page = page_of(notebook)
    own = page_of(new_notebook(cells=[new_markdown_cell("x")]))
    assert page.count("<script") == own.count("<script")
    assert (
        re.findall(r"<[^>]*\son\w+\s*=", re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.DOTALL))
        == []
    )
    for tag in ("<iframe", "<object", "<embed", "<form", "<meta http-equiv", "<base"):
        assert tag not in page.replace(own, ""), tag
    assert re.findall(r"<[a-z][^>]*=\s*[\"']?\s*javascript:", page) == []


def test_honest_work_stays():
    table = "<div><style scoped>.dataframe{color:red}</style><table border='1' class='dataframe'><tr><th>a</th></tr>"
    table += "</table></div>"
    figure = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'
    outputs = [
        new_output("display_data", data={"text/html": table}),
        new_output("display_data", data={"image/png": PNG}, metadata={"image/png": {"width": 320}}),
        new_output("display_data", data={"image/svg+xml": figure}),
        new_output("stream", name="stdout", text="a < b\n\x1b[31mred\x1b[0m"),
    ]
    markdown = "# Title\n\n**bold**, `a < b`, $x_1 < 2$, [a link](https://d2l.ai)\n\n> quoted\n\n| a |\n|---|\n| 1 |"
    page = page_of(new_notebook(cells=[new_markdown_cell(markdown), new_code_cell("x < 1", outputs=outputs)]))
    assert '<table border="1" class="dataframe"><tr><th>a</th></tr></table>'.replace("<tr>", "") in page.replace(
        "<tbody>", ""
    ).replace("</tbody>", "").replace("<tr>", "")
    assert f"data:image/png;base64,{PNG}" in page and "width=" in page
    assert base64.b64encode(figure.encode()).decode() in page
    for expected in ("<strong>bold</strong>", 'href="https://d2l.ai"', "<blockquote>", "a &lt; b", "x_1 &lt; 2", "red"):
        assert expected in page, expected
    assert "dataframe{color" not in page


def test_what_would_take_minutes_to_render_is_shown_as_it_was_written():
    formulas = "\\begin{a}" * 60_000
    page = page_of(new_notebook(cells=[new_markdown_cell("**before**"), new_markdown_cell(f"<i>{formulas}")]))
    assert "<strong>before</strong>" in page and f"<pre>&lt;i&gt;{formulas}</pre>" in page


def test_links_and_pictures_that_are_allowed():
    assert clean_html('<a href="java\nscript:x">a</a><a href="data:text/html,x">b</a>') == "<a>a</a><a>b</a>"
    kept = f'<img src="data:image/png;base64,{PNG}">'
    assert clean_html(kept) == kept
    assert "src" not in clean_html('<img src="data:text/html;base64,PHNjcmlwdD4=">')
    assert clean_html('<p style="position: fixed; color: red; background: url(http://x)">x</p>') == (
        '<p style="color: red;">x</p>'
    )


def test_nothing_is_loaded_and_nothing_covers_the_page():
    assert "src" not in clean_html('<img src="http://example.org/31337.25">')
    assert page_of(new_notebook(cells=[new_markdown_cell("![a](http://example.org/b.png)")])).count("example.org") == 0
    assert clean_html('<div class="navbar-fixed-top modal-backdrop">x</div>') == "<div>x</div>"
    assert 'class="dataframe"' in clean_html('<table border="1" class="dataframe"><tr><td>1</td></tr></table>')


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"<b class=a{i}><p>" for i in range(20_000)),
        "<p " + " ".join(f"a{i}" for i in range(100_000)) + ">",
    ],
    ids=["tags that are opened anew in each paragraph", "attributes without end"],
)
def test_html_that_would_take_hours_is_shown_as_it_was_written(text):
    """By the time for one piece, 5 s: without it neither ends within minutes."""
    cell = new_code_cell("x", outputs=[new_output("display_data", data={"text/html": text})])
    page = page_of(new_notebook(cells=[new_markdown_cell("**before**"), cell]))
    assert "<strong>before</strong>" in page and "&lt;" in page


HIDDEN = "visible = 1\n### BEGIN HIDDEN TESTS\nassert f(7) == 8\n### END HIDDEN TESTS"


def hidden_cell(traceback, source=HIDDEN, suspected=(), ename="ValueError"):
    cell = graded_test("t", source)
    error = new_output("error", ename=ename, evalue=traceback[-1], traceback=traceback)
    cell.outputs = [new_output("stream", name="stdout", text="called with 7"), error]
    notebook = new_notebook(cells=[cell])
    notebook.metadata["autograder"] = {"needs_human": list(suspected)}
    return HideGraderText()(notebook, {})[0].cells[0]


def test_what_learner_code_puts_out_in_a_hidden_test_is_not_shown():
    cell = hidden_cell([IN_ANSWER, "ValueError: got 7"])
    assert "7" not in str(cell.outputs) and "ValueError" in str(cell.outputs) and "f(7)" not in cell.source
    # The message of the instructor's own check stays, what learner code printed does not.
    cell = hidden_cell([IN_HIDDEN, "AssertionError: try a negative one"], ename="AssertionError")
    assert "try a negative one" in str(cell.outputs) and "called" not in str(cell.outputs)
    assert "7" not in str(hidden_cell([IN_HIDDEN, "KeyError: 7"], ename="KeyError").outputs)
    cell = hidden_cell(["----> 1 visible = 1", "ValueError: got 7"], "visible = 1")
    assert "called with 7" in str(cell.outputs) and "got 7" in str(cell.outputs)


def test_a_suspected_submission_shows_no_outputs_of_tests():
    cell = hidden_cell(["----> 1 x"], "visible = 1", suspected=["torch.allclose was replaced"])
    assert [output.text for output in cell.outputs] == [A_TEACHER]


@pytest.mark.slow
def test_the_feedback_command(tmp_path, autograder):
    from conftest import ROOT

    cells = [
        graded_test(
            "t", "print('seen by the class')\n### BEGIN HIDDEN TESTS\nassert 0, 'told'\n### END HIDDEN TESTS", 2
        )
    ]
    course = make_course(tmp_path / "c", {"p": cells}, (ROOT / "nbgrader_config.py").read_text("utf-8"))
    own = released_notebook(course, "p")
    own.cells.insert(0, new_markdown_cell("<script>alert(1)</script>\n\n**mine**"))
    assert cell_of(own, "t")
    hand_in(course, "<b>eve", "p", own)
    assert autograder(course, "feedback", "ps").code == 1
    nbgrader(course, "autograde", "ps")
    run = autograder(course, "feedback", "ps")
    assert run.code == 0 and "1 feedback pages" in run.out
    page = (course / "feedback" / "<b>eve" / "ps" / "p.html").read_text("utf-8")
    assert "alert(1)" not in page and "<strong>mine</strong>" in page and "told" in page
    assert "HIDDEN" not in page and "assert 0" not in html.unescape(re.sub("<[^>]*>", "", page))
    assert autograder(course, "feedback", "ps", "--student", "<b>eve", "--show-hidden").code == 0
    page = (course / "feedback" / "<b>eve" / "ps" / "p.html").read_text("utf-8")
    assert "BEGIN HIDDEN TESTS" in page
    assert nbformat.read(course / "autograded" / "<b>eve" / "ps" / "p.ipynb", 4).metadata.autograder.needs_human == []


@pytest.mark.slow
def test_why_there_is_no_page_is_told(tmp_path, autograder):
    from conftest import ROOT

    course = make_course(
        tmp_path / "c", {"p": [answer("a", "x = 1")]}, (ROOT / "nbgrader_config.py").read_text("utf-8")
    )
    odd = {"application/json": [1], "text/plain": "x"}
    outputs = {
        "ada": [new_output("display_data", data=odd)],
        "b\x1b*": [],
        "[x]": [],
        "eve": [],
    }
    for student, made in outputs.items():
        notebook = released_notebook(course, "p")
        notebook.cells[0].outputs = made
        path = course / "autograded" / student / "ps" / "p.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook) if student != "eve" else "nothing", "utf-8")
    with open_gradebook(course) as gradebook:
        for student in outputs:
            gradebook.add_student(student)
            gradebook.add_submission("ps", student)
    run = autograder(course, "feedback", "ps")
    assert run.code == 3 and run.out.splitlines() == [
        "2 feedback pages: feedback/LEARNER/ps/",
        "[x]: no page could be made: nbgrader finds no name with a [",
        "eve: no page could be made: nbformat.reader.NotJSONError: Notebook does not appear to be JSON: 'nothing'",
    ]
    run = autograder(course, "feedback", "ps", "--student", "b\x1b*", "--student", "ada")
    assert run.code == 0 and run.out == "2 feedback pages: feedback/LEARNER/ps/\n"
    run = autograder(course, "feedback", "**x")
    assert run.code == 1 and run.err.startswith("autograder: nothing of **x has been graded")
