"""The instructor's pages in a browser: what axe-core finds, at the width of a laptop and of a telephone."""

import pytest
from browsing import LAPTOP, PHONE, assert_accessible, chromium, give, keep_screenshot
from made_class import big_class, make_class

from autograder.cli import main

pytestmark = pytest.mark.slow
POINTS = dict.fromkeys(map(str, range(8)), 10)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The pages about a class of 30 and about one of its learners."""
    root = make_class(tmp_path_factory.mktemp("reports") / "course", learners := big_class(30, POINTS), POINTS)
    found = {}
    for name, asked in (("week", ["ps"]), ("learner", ["--student", learners[0].student])):
        file = root / f"{name}.html"
        assert main(["--root", str(root), "report", *asked, "--output", str(file)]) == 0
        found[name] = file.read_text("utf-8")
    return found


@pytest.mark.parametrize("width", [LAPTOP, PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize("name", ["week", "learner"])
def test_a_report_is_accessible(chromium, pages, name, width):
    page = chromium.new_page()
    page.set_viewport_size(width)
    give(page, pages[name])
    keep_screenshot(page, f"reports/{name}_{width['width']}.jpg", whole=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_accessible(page)
    page.close()
