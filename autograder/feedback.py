"""Feedback pages: nothing on them that learners must not see, and nothing of a learner's that runs.

Two switches in nbgrader_config.py bring back nbgrader's own pages: `c.HideGraderText.enabled = False` and
`c.FeedbackPage.harmless = False`.
"""

import base64
import binascii
import contextlib
import glob
import html
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bleach.css_sanitizer import CSSSanitizer
from bleach.sanitizer import Cleaner
from jinja2 import pass_context
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool

from autograder.course import CourseError, load_config, run_nbgrader
from autograder.engine.plan import is_test
from autograder.engine.source import HIDDEN_REGION
from autograder.outputs import IN_ANSWER, IN_HIDDEN
from autograder.pages import AccessiblePage
from autograder.table import one_line

A_TEACHER = "A teacher will look at this.\n"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_FAILED = re.compile(r"error processing assignment '.*' for student '(?P<student>.*)'")
_NUMBERED = re.compile(r"(?P<arrow>-+>)?\s*\d+\s(?P<code>.*)")


class HideGraderText(NbGraderPreprocessor):
    """Remove hidden tests and rubrics from the cells that came from the source, and from what these put out.

    nbgrader's own ClearHiddenTests stops with an error when a learner writes a region mark into an
    answer; here such text is left alone, because learners' cells hold nothing to hide.
    """

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Clear a notebook; an unclosed region is cleared to the end of its cell."""
        word = nb.metadata.get("autograder", {})
        suspected = bool(word.get("needs_human")) if isinstance(word, dict) else True
        for cell in nb.cells:
            if utils.is_locked(cell):
                _hide(cell)
            if suspected and is_test(cell):
                cell.outputs = [new_output("stream", name="stdout", text=A_TEACHER)]
        return nb, resources


def _hide(cell: NotebookNode) -> None:
    hidden = {line.strip() for match in HIDDEN_REGION.finditer(cell.source) for line in match[0].splitlines()}
    cell.source = HIDDEN_REGION.sub("", cell.source).rstrip("\n")
    if not hidden:
        return
    # What a learner's code prints while a hidden test calls it may be what the test gave it.
    cell.outputs = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    for output in cell.outputs:
        first = output.traceback[0] if output.traceback else ""
        # Only messages of `check` and of the test's own `assert` are written for learners; others quote values.
        if first == IN_ANSWER or (first == IN_HIDDEN and output.ename not in ("CheckError", "AssertionError")):
            output.evalue = ""
            output.traceback = [first, output.ename]
        elif first != IN_HIDDEN:
            output.traceback = [_without(frame, hidden) for frame in output.traceback]


def _without(frame: str, hidden: set[str]) -> str:
    """Return one part of a traceback without the hidden lines that it quotes."""
    kept = []
    for line in frame.split("\n"):
        quoted = _NUMBERED.match(_COLOUR.sub("", line))
        if quoted is None or quoted["code"].strip() not in hidden or not re.search(r"\w", quoted["code"]):
            kept.append(line)
        elif quoted["arrow"]:
            kept.append(f"{quoted['arrow']} (a hidden test)")
    return "\n".join(kept)


# What may stand in HTML by a learner: the tags that Markdown, pandas and torch make, and no others.
_TAGS = """
    a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6
    hr i img ins kbd li ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr tt u ul var
"""
_PLAIN_ATTRIBUTES = "align alt border colspan dir height lang open rowspan scope start title valign width"
_TAGS, _PLAIN_ATTRIBUTES = frozenset(_TAGS.split()), frozenset(_PLAIN_ATTRIBUTES.split())
# Of tables and coloured code. Others of the page's own would cover it, or pass for a mark.
_CLASS = re.compile(
    r"dataframe|highlight|anchor-link|math|[a-z]{1,2}[0-9]?|(row|col|level|data|blank)[0-9]*|index_name"
)
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*\Z")
# Only what does not load anything, cover anything or move.
_STYLES = [
    *("background-color", "border", "border-collapse", "color", "font-family", "font-size", "font-style"),
    *("font-weight", "height", "padding", "text-align", "text-decoration", "vertical-align", "width"),
]
# Dropped with what is in them; the cleaner would leave their text.
_SPEECHLESS = re.compile(r"<(script|style|template|noscript|title)\b.*?(</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
# Characters of a text that is shown as it was written.
_MOST_SHOWN = 100_000
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _allowed(tag: str, name: str, value: str) -> bool:
    if tag == "img" and name == "src":
        # One that is loaded tells a stranger who opened the page, and what its address was made of.
        return bool(_PICTURE.match(value))
    if name == "class":
        return all(_CLASS.fullmatch(word) for word in value.split())
    if tag == "a" and name == "href":
        return value.startswith(("https://", "http://", "mailto:", "#"))
    return name in _PLAIN_ATTRIBUTES or name == "style"


# Seconds of the clock for one piece of HTML or Markdown, and for all of a page. Some texts of a few kilobytes take
# hours: unclosed tags are opened anew in each paragraph, and each attribute is compared with all before it.
_PIECE_LIMIT, _PAGE_LIMIT = 5.0, 30.0


class _Slow(BaseException):
    """No library on the way takes it for an error of its own."""


@contextlib.contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise _Slow when the time is over, where the system has such alarms and this is the main thread."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: Any) -> None:
        raise _Slow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.01))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Watch:
    """What is left of the time for a page."""

    def __init__(self) -> None:
        self.left = _PAGE_LIMIT

    def made(self, make: Callable[[str], str], text: str) -> str:
        """Return what `make` makes of a text, or the text as it was written if that takes too long."""
        started = time.monotonic()
        try:
            with _within(min(self.left, _PIECE_LIMIT)):
                return make(text)
        except _Slow:
            return f"<pre>{html.escape(text[:_MOST_SHOWN])}</pre>"
        finally:
            self.left -= time.monotonic() - started


def clean_html(text: str) -> str:
    """Return HTML without anything that runs, loads anything or posts a form."""
    cleaner = Cleaner(
        tags=_TAGS,
        attributes=_allowed,
        # Checked above, together with the tag that they belong to.
        protocols={"http", "https", "mailto", "data"},
        strip=True,
        css_sanitizer=CSSSanitizer(allowed_css_properties=_STYLES),
    )
    return cleaner.clean(_SPEECHLESS.sub("", text))


# Contrast of at least 4.5 to 1, links that can be told from text without their colour, and a page for a telephone.
_STYLE = """
a, .rendered_html a { color: #1d5a91; text-decoration: underline; }
a.anchor-link { display: none; }
div.nbgrader_cell .panel-heading a, div.nbgrader_cell .panel-heading code { color: #ffffff; background: none; }
div.nbgrader_cell .panel-heading { background-color: #2a6496; height: auto; min-height: 37px; overflow: hidden; }
.highlight .c, .highlight .c1, .highlight .cm { color: #2f6363; }
.highlight .ow, .highlight .o, .highlight .nd { color: #7d00cc; }
.highlight .m, .highlight .mi, .highlight .mf, .highlight .s, .highlight .s1, .highlight .s2 { color: #9a1111; }
.highlight .ne { color: #a61717; }
.highlight .se, .highlight .si { color: #7a4a00; }
.highlight .nn, .highlight .nc, .highlight .nf { color: #0000c4; }
.highlight .bp, .highlight .nb, .highlight .k, .highlight .kn, .highlight .kc { color: #006b00; }
.ansi-red-fg { color: #b3261e; } .ansi-green-fg { color: #006d2c; } .ansi-cyan-fg { color: #00626b; }
.ansi-yellow-fg { color: #7a5300; } .ansi-blue-fg { color: #1a5fb4; } .ansi-magenta-fg { color: #8b1f8b; }
div.prompt, div.prompt.input_prompt, div.prompt.output_prompt { color: #595959; }
.wide, .highlight pre, .output pre, mjx-container[display] { overflow-x: auto; max-width: 100%; }
img { max-width: 100%; height: auto; }
code, .rendered_html a { overflow-wrap: anywhere; }
@media (max-width: 767px) {
  .container, #notebook-container { width: 100%; padding: 4px; }
  div.prompt { display: none; }
  div.cell, div.input, div.output_area, div.inner_cell, div.output_subarea { display: block; max-width: 100%; }
}
"""


# Rendering that much takes seconds; what is beyond is shown as it was written.
_MOST_WORK = 200_000_000


class FeedbackPage(AccessiblePage):
    """nbgrader's feedback page, in which what a learner wrote or put out can be read, but does not run."""

    style = _STYLE
    harmless = Bool(True, help="Whether to disarm HTML and JavaScript by learners; nbgrader does not.").tag(config=True)

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Render Markdown, and disarm what comes out: a link in Markdown can be a script as well."""
        # The time that rendering takes grows with the length times the number of formulas: minutes for a megabyte.
        self._work += len(source) * (100 + source.count("\\begin"))
        if self.harmless and self._work > _MOST_WORK:
            return f"<pre>{html.escape(source)}</pre>"
        if not self.harmless:
            return super().markdown2html(context, source)
        render = super().markdown2html
        return self._watch.made(lambda text: clean_html(render(context, text)), source)

    def _preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        self._work, self._watch = 0, _Watch()
        if self.harmless:
            disarm(nb, self._watch)
        nb, resources = super()._preprocess(nb, resources)
        if self.harmless:
            names = resources.get("nbgrader", {})
            if "notebook" in names:
                resources["nbgrader"] = names | {"notebook": html.escape(names["notebook"])}
            for cell in nb.cells:
                if "grade_id" in (meta := cell.metadata.get("nbgrader", {})):
                    meta["grade_id"] = html.escape(str(meta["grade_id"]))
        return nb, resources


def disarm(nb: NotebookNode, watch: _Watch | None = None) -> None:
    """Take from a graded notebook, in place, whatever could run in the page made of it."""
    watch = watch or _Watch()
    kept = {"autograder": nb.metadata["autograder"]} if "autograder" in nb.metadata else {}
    language = NotebookNode(name="python", pygments_lexer="ipython3")
    nb.metadata = NotebookNode(language_info=language, **kept)
    for cell in nb.cells:
        meta = cell.metadata.get("nbgrader")
        cell.metadata = NotebookNode(nbgrader=meta) if isinstance(meta, dict) else NotebookNode()
        if not _CELL_ID.fullmatch(str(cell.get("id", "x"))):
            cell["id"] = new_code_cell().id
        if cell.cell_type == "code":
            cell.execution_count = _number(cell.get("execution_count"))
            cell.outputs = [disarmed for output in cell.outputs if (disarmed := _disarmed(output, watch)) is not None]
        elif cell.cell_type == "markdown":
            cell.attachments = _attachments(cell.get("attachments"))


def _disarmed(output: NotebookNode, watch: _Watch) -> NotebookNode | None:
    """Return an output with the kinds of data that are harmless, or None."""
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return new_output("stream", name=name, text="".join(output.get("text", "")))
    if kind == "error":
        ename, evalue = str(output.get("ename", "")), str(output.get("evalue", ""))
        return new_output("error", ename=ename, evalue=evalue, traceback=[str(t) for t in output.get("traceback", [])])
    if kind not in ("display_data", "execute_result"):
        return None
    data = {}
    for name, content in output.get("data", {}).items():
        # Of lines; data of other kinds may be lists of anything.
        lines = isinstance(content, list) and all(isinstance(line, str) for line in content)
        text = "".join(content) if lines else content
        if not isinstance(text, str):
            continue
        if name in ("text/plain", "text/latex", "text/markdown", "image/svg+xml"):
            # The page escapes the first two, cleans Markdown, and shows SVG as a picture, in which nothing runs.
            data[name] = text
        elif name == "text/html":
            data[name] = watch.made(clean_html, text)
        elif name in ("image/png", "image/jpeg") and _is_base64(text):
            data[name] = text
    sizes = {}
    for name in data:
        given = output.get("metadata", {}).get(name)
        given = given if isinstance(given, dict) else {}
        kept = {side: n for side in ("width", "height") if (n := _number(given.get(side))) is not None}
        if kept:
            sizes[name] = kept
    made = new_output("display_data", data=data, metadata=sizes)
    if kind == "execute_result":
        made.output_type, made.execution_count = kind, _number(output.get("execution_count"))
    return made


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6 else None


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _attachments(given: Any) -> NotebookNode:
    kept = NotebookNode()
    for name, data in given.items() if isinstance(given, dict) else ():
        pictures = {
            kind: text
            for kind, text in (data.items() if isinstance(data, dict) else ())
            if kind in ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
            and isinstance(text, str)
            and _is_base64(text)
        }
        if pictures:
            kept[name] = NotebookNode(pictures)
    return kept


def make_feedback(root: Path, assignment: str, students: tuple[str, ...] = (), *, show_hidden: bool = False) -> int:
    """Run `autograder feedback`: write the pages of everybody who was graded anew, as marks may have changed.

    Args:
        root: the course directory.
        assignment: name of the assignment.
        students: only these; by default everybody.
        show_hidden: show hidden tests and rubrics, as nbgrader does.

    Returns:
        0 if there is a page for every graded notebook, 3 if some could not be made.

    Raises:
        CourseError: the configuration cannot be read; or nobody, or one of these, has been graded.
    """
    with contextlib.chdir(root):
        load_config()
    folders = sorted((root / "autograded").glob("*"))
    graded = {folder.name: folder / assignment for folder in folders if (folder / assignment).is_dir()}
    if missing := [student for student in students if student not in graded]:
        raise CourseError(f"{assignment} of {', '.join(missing)} has not been graded: run `autograder grade` first")
    if not graded:
        raise CourseError(f"nothing of {assignment} has been graded: run `autograder grade {assignment}` first")
    options = ["--force"] + (["--HideGraderText.enabled=False"] if show_hidden else [])
    reasons, said = {}, []
    for student in students or ("*",):
        # nbgrader takes the name for a pattern.
        pattern = glob.escape(student) if students else student
        run = run_nbgrader(root, "generate_feedback", assignment, f"--student={pattern}", *options)
        reasons |= (found := _reasons(run.stderr))
        said += run.stderr.strip().splitlines()[-1:] if run.returncode and not found else []
    pages, without = 0, []
    for student in students or graded:
        wanted = [path.stem for path in graded[student].glob("*.ipynb")]
        made = [name for name in wanted if (root / "feedback" / student / assignment / f"{name}.html").is_file()]
        pages += len(made)
        without += [student] if len(made) < len(wanted) or student in reasons else []
    print(f"{pages} feedback pages: feedback/LEARNER/{assignment}/")
    for student in without:
        reason = reasons.get(student) or ("nbgrader finds no name with a [" if "[" in student else "")
        print(one_line(f"{student}: no page could be made" + (f": {reason}" if reason else "")))
    for line in said[-5:]:
        print(one_line(line))
    return 3 if without or said else 0


def _reasons(log: str) -> dict[str, str]:
    """Return by learner the last line of the error for which nbgrader could make no page."""
    found, last = {}, ""
    for line in log.splitlines():
        if failed := _FAILED.search(line):
            found[failed["student"]] = last
        last = line.strip() or last
    return found
