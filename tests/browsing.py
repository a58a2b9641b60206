"""What the tests in a browser share: Chromium itself, what a page complained of, and axe-core's checks.

A test takes the fixture `chromium`, or `open_page` for HTML that it has at hand. Without a browser it is skipped,
but not in continuous integration, where `.ci/browser` installs one.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SCREENSHOTS = ROOT / "build" / "screenshots"
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
# The address of pages that tests make; nothing listens there, the browser is given what it asks for.
SITE = "http://course.test/"
# All of axe-core's rules that are on by default: WCAG, levels A and AA, and its own advice ("best-practice").
AXE_RULES = {"resultTypes": ["violations"]}
# axe-core takes a table heading that is only a formula for empty: it does not count the MathML that MathJax puts
# there for screen readers.
AXE_EXCLUDED = [["th:has(mjx-container math)"]]


def find_chromium() -> str | None:
    """Return the browser that the tests use: `CHROMIUM` in the environment, or the first on the path."""
    names = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory) -> Iterator[BrowserContext]:
    """A Chromium with a new profile. It ends with the module: other tests in this process want its event loop."""
    path = find_chromium()
    if path is None:
        lack = "no Chromium or Chrome on the path; `sh .ci/browser` installs one, CHROMIUM=/path/to/it names one"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(lack)
    with sync_playwright() as playwright:
        profile = tmp_path_factory.mktemp("profile")
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=path, args=FLAGS, headless=True, viewport=LAPTOP, accept_downloads=True
        )
        context.set_default_timeout(60_000)
        yield context
        context.close()


def listen(page: Page) -> list[str]:
    """Return a list that fills with what goes wrong: errors in the console, scripts that stop, missing files."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"not loaded: {request.url[:200]}"))
    return complaints


def give(page: Page, html: str, files: dict[str, Path] | None = None) -> None:
    """Open HTML as the page of a site that has some folders of files beside it, and no network."""

    def answer(route) -> None:
        name = route.request.url.removeprefix(SITE).partition("?")[0]
        folder, _, rest = name.partition("/")
        file = (files or {}).get(folder, Path("/nowhere")) / rest
        if route.request.url == SITE:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif name == "favicon.ico":
            route.fulfill(status=204)
        elif route.request.url.startswith(SITE) and file.is_file():
            route.fulfill(path=file)
        else:
            route.abort()

    page.route("**/*", answer)
    page.goto(SITE, wait_until="load")


def assert_accessible(page: Page, *, exceptions: dict[str, str] | None = None, within: str | None = None) -> None:
    """Hold a page against axe-core's checks.

    Args:
        page: an open page.
        exceptions: rules that are not applied, each with the reason, by axe-core's name.
        within: a CSS selector; only what is inside is checked.
    """
    options = AXE_RULES | {"rules": {rule: {"enabled": False} for rule in exceptions or {}}}
    context = {"exclude": AXE_EXCLUDED} | ({"include": [[within]]} if within else {})
    found = Axe().run(page, context=context, options=options).response["violations"]
    lines = [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n"
        + "\n".join(f"    {node['target']}: {node['html'][:160]}\n" + _facts(node) for node in rule["nodes"][:4])
        + (f"\n    and {len(rule['nodes']) - 4} more" if len(rule["nodes"]) > 4 else "")
        for rule in found
    ]
    assert not lines, "\n".join(lines)


def _facts(node: dict) -> str:
    return "\n".join(f"      {line}" for line in node.get("failureSummary", "").splitlines()[:4])


def keep_screenshot(page: Page, name: str, *, whole: bool = False) -> None:
    """Keep what the page looks like in build/screenshots/, as PNG unless the name says .jpg."""
    file = SCREENSHOTS / (name if name.endswith(".jpg") else f"{name}.png")
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=file, full_page=whole)
