"""A JupyterLab as a person starts it, and the few things that tests do in it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsing import ROOT, listen
from playwright.sync_api import BrowserContext, Page

from autograder.course import path_with_programs

# JupyterLab lends its application object to the page: the tests find cells with it, and wait for what it does.
OPTIONS = "--no-browser --allow-root --port=0 --LabApp.expose_app_in_browser=True"
NOTEBOOK = "window.jupyterapp.shell.currentWidget"
# The service workers of JupyterLab's pages and things of the browser's own are no complaint of a notebook's.
HARMLESS = re.compile(r"favicon|service-worker|WebSocket|ResizeObserver|not loaded: .*/api/|ERR_ABORTED", re.IGNORECASE)


def copy_course(folder: Path, exchange: Path) -> Path:
    """Copy the checkout, with the environment of these tests as its .venv and an exchange of its own."""
    ignored = shutil.ignore_patterns(".venv", "build", ".git", "submitted", "autograded", "feedback", "gradebook.db*")
    shutil.copytree(ROOT, folder, ignore=ignored)
    for name in ("pyproject.toml", ".ci/constraints.txt", ".ci/setup"):
        # Never newer than the environment: `make` in the copy would install the copy into it.
        os.utime(folder / name, (0, 0))
    (folder / ".venv").symlink_to(sys.prefix)
    exchange.mkdir()
    exchange.chmod(0o777)
    with (folder / "nbgrader_config.py").open("a", encoding="utf-8") as file:
        file.write(f"\nc.Exchange.root = {str(exchange)!r}\n")
    return folder


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment with the tested programs first on the path."""
    return {**os.environ, "PATH": path_with_programs(), **more}


def nbgrader(folder: Path, *arguments: str) -> str:
    """Run a plain nbgrader command, which must succeed; return what it printed."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment(), timeout=600)
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


@contextmanager
def running_lab(folder: Path, command: list[str], **more: str) -> Iterator[tuple[str, str]]:
    """Start a JupyterLab; give its address and its token; stop it."""
    log = folder / "lab.log"
    with log.open("w") as file:
        lab = subprocess.Popen(
            command, cwd=folder, stdout=file, stderr=file, env=environment(**more), start_new_session=True
        )
    try:
        deadline = time.monotonic() + 180
        while not (found := re.search(r"(http://(?:localhost|127\.0\.0\.1):\d+/)\S*\?token=(\w+)", log.read_text())):
            assert lab.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield found[1], found[2]
    finally:
        if lab.poll() is None:
            os.killpg(lab.pid, signal.SIGTERM)
        lab.wait(60)


class Lab:
    """One page of a browser with JupyterLab in it."""

    def __init__(self, context: BrowserContext, place: tuple[str, str]) -> None:
        self.address, self.token = place
        self.page: Page = context.new_page()
        self._complaints = listen(self.page)

    def complaints(self) -> list[str]:
        """Return the errors in the console that are about what is on the page."""
        return [text for text in self._complaints if not HARMLESS.search(text)]

    def open(self, path: str = "") -> None:
        """Open JupyterLab, or a notebook in it, and wait until it is there."""
        name = re.sub(r"\W", "-", path) or "start"
        tree = f"/tree/{path}" if path else ""
        self.page.goto(f"{self.address}lab/workspaces/{name}{tree}?reset&token={self.token}")
        self.page.wait_for_function("window.jupyterapp && window.jupyterapp.started")
        self.page.evaluate("window.jupyterapp.restored")
        if path:
            self.page.wait_for_function(f"{NOTEBOOK}?.context?.path === {path!r} && {NOTEBOOK}.context.isReady")
            self.page.evaluate(f"{NOTEBOOK}.revealed")
            self.page.wait_for_function(f"{NOTEBOOK}.sessionContext.session?.kernel?.status === 'idle'")

    def dialogs(self) -> list[str]:
        """Return the texts of the dialogs that stand open."""
        return self.page.locator(".jp-Dialog").all_inner_texts()

    def menu(self, name: str, item: str) -> None:
        """Choose from JupyterLab's main menu."""
        self.page.locator(f"#jp-MainMenu .lm-MenuBar-itemLabel:text-is('{name}')").click()
        self.page.locator(f".lm-Menu-itemLabel:text-is('{item}')").click()

    def cells(self) -> list[dict]:
        """Return the open notebook's cells: kind, grade_id, whether graded and whether an answer."""
        return self.page.evaluate(
            f"""() => {NOTEBOOK}.content.widgets.map(cell => {{
                const meta = cell.model.getMetadata("nbgrader") || {{}};
                return {{kind: cell.model.type, id: meta.grade_id, grade: !!meta.grade, solution: !!meta.solution}};
            }})"""
        )

    def index(self, grade_id: str) -> int:
        """Return the place of a graded cell."""
        return next(k for k, cell in enumerate(self.cells()) if cell["id"] == grade_id)

    def select(self, index: int) -> None:
        """Bring a cell into view and the cursor into its editor."""
        self.page.evaluate(
            f"""async index => {{
                const notebook = {NOTEBOOK}.content;
                notebook.activeCellIndex = index;
                await notebook.scrollToItem(index, "start");
                await notebook.activeCell.ready;
                notebook.mode = "edit";
                notebook.activeCell.editor.focus();
            }}""",
            index,
        )

    def write(self, index: int, text: str) -> None:
        """Replace what stands in a cell, with the keyboard."""
        self.select(index)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)
        written = f"text => {NOTEBOOK}.content.activeCell.model.sharedModel.source === text"
        self.page.wait_for_function(written, arg=text)

    def run(self, index: int) -> str:
        """Run a cell, wait for it, and return the text that stands under it."""
        self.select(index)
        done = self.page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")
        assert done is not None
        return self.page.evaluate(f"{NOTEBOOK}.content.activeCell.outputArea.node.innerText")

    def save(self) -> None:
        """Save the open notebook."""
        self.page.evaluate(f"{NOTEBOOK}.context.save()")

    def close(self) -> None:
        """End the open notebook's kernel and close the page."""
        kernel = "window.jupyterapp?.shell.currentWidget?.sessionContext"
        self.page.evaluate(f"(async () => {{ const kernel = {kernel}; if (kernel) await kernel.shutdown(); }})()")
        self.page.close()


@pytest.fixture(scope="module")
def served(course: Path) -> Iterator[tuple[str, str]]:
    """The address and the token of a JupyterLab for the module's `course`, started as the README says."""
    with running_lab(course, ["make", "lab", f"LAB_ARGS={OPTIONS}"]) as place:
        yield place


@pytest.fixture
def lab(chromium: BrowserContext, served: tuple[str, str]) -> Iterator[Lab]:
    """A new page of that JupyterLab."""
    page = Lab(chromium, served)
    yield page
    page.close()
