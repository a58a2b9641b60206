"""Notebooks as HTML pages that everybody can use: with a keyboard, a screen reader, a narrow screen.

    jupyter nbconvert --execute --to autograder.pages.LessonPage notebooks/week01_data_tools/data_tools.ipynb

What nbconvert's and nbgrader's pages lack is put right in what they make, so their templates stay as they are.
`autograder.feedback.FeedbackPage` is such a page, too.
"""

import base64
from typing import Any

from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode

from autograder.alternatives import pictures, sentences

NO_SENTENCE = "No description has been provided for this image"
# Colours: at least 4.5 to 1 against the background they stand on. Code, tables and outputs that are too wide scroll
# in their own box; nbconvert cuts long lines of code off.
_STYLE = """
:root {
  --jp-cell-prompt-not-active-opacity: 1;
  --jp-cell-inprompt-font-color: #3b5bb5; --jp-cell-outprompt-font-color: #a5361a;
  --jp-mirror-editor-comment-color: #2f6363; --jp-mirror-editor-operator-color: #7d00cc;
  --jp-mirror-editor-number-color: #006b00;
  --jp-content-link-color: #0b57b0;
}
.jp-InputPrompt, .jp-OutputPrompt { color: #595959; opacity: 1; }
.jp-InputArea, .jp-OutputArea-child, .jp-InputArea-editor, .jp-MarkdownOutput, .jp-OutputArea-output { min-width: 0; }
.jp-InputArea-editor .highlight, .jp-InputArea-editor .highlight pre, .jp-OutputArea-output pre { overflow-x: auto; }
.jp-OutputArea-output pre { white-space: pre; }
.wide { overflow-x: auto; max-width: 100%; }
.MathJax_Display, mjx-container[display] { overflow-x: auto; overflow-y: hidden; max-width: 100%; }
.jp-RenderedMarkdown code, .jp-RenderedMarkdown a { overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; }
@media (max-width: 600px) {
  body.jp-Notebook { padding: 4px; }
  .jp-InputPrompt, .jp-OutputPrompt { display: none; }
}
"""


class AccessiblePage(HTMLExporter):
    """An HTML page whose pictures have the alternative texts of the notebook's authors."""

    style = _STYLE

    def from_notebook_node(self, nb: NotebookNode, resources: dict | None = None, **kw: Any) -> tuple[str, dict]:
        """Convert a notebook."""
        page, resources = super().from_notebook_node(nb, resources, **kw)
        soup = BeautifulSoup(page, features="html.parser")
        _describe(soup, nb)
        _mend(soup)
        if soup.head is not None:
            added = soup.new_tag("style")
            added.string = self.style
            soup.head.append(added)
        return str(soup), resources


def _describe(soup: BeautifulSoup, nb: NotebookNode) -> None:
    """Give the pictures of outputs their sentences."""
    texts = {}
    for cell in nb.cells:
        if cell.cell_type == "code":
            for (form, data), sentence in zip(pictures(cell), sentences(cell.source), strict=False):
                if form == "image/svg+xml":
                    data = base64.b64encode(data.encode()).decode()
                texts[f"data:{form};base64,{''.join(data.split())}"] = sentence
    for picture in soup.select("img[src^='data:image/']"):
        if sentence := texts.get("".join(picture["src"].split())):
            picture["alt"] = sentence


def _mend(soup: BeautifulSoup) -> None:
    if soup.html is not None and not soup.html.get("lang"):
        soup.html["lang"] = "en"
    # nbgrader's page has its own heading and list of marks around nbconvert's.
    whole = soup.body.find("div", class_="container", recursive=False) if soup.body is not None else None
    if whole is not None:
        for inner in whole.find_all("main"):
            inner.name = "div"
        whole.name = "main"
    # The corner of a table is no heading of anything.
    for corner in soup.find_all("th"):
        if not corner.get_text(strip=True) and not corner.find("img"):
            corner.name = "td"
    for number, table in enumerate(soup.find_all("table"), 1):
        if table.find_parent("table") is None:
            table.wrap(soup.new_tag("div", attrs=_scrolls("wide", f"table {number}")))
    # nbconvert makes a stop for the keyboard of each cell; what needs one is what scrolls.
    for wrapper in soup.select(".jp-Cell-inputWrapper[tabindex], .jp-OutputArea-output[tabindex]"):
        del wrapper["tabindex"]
    for box in soup.select(".highlight pre, .jp-OutputArea-output pre, .output pre"):
        box["tabindex"] = "0"


def _scrolls(name: str, label: str) -> dict[str, str]:
    return {"class": name, "tabindex": "0", "role": "group", "aria-label": label}


class LessonPage(AccessiblePage):
    """A lesson to read without Jupyter."""
