"""`variants.py` and what is put together from it; the variants of the real weeks are graded elsewhere."""

import nbformat
import pytest
from conftest import ASSIGNMENT

from autograder.variants import (
    Equivalent,
    Variant,
    exercises,
    fill_answers,
    read_equivalents,
    read_variants,
    reference_answers,
)


def variants_of(tmp_path, text):
    path = tmp_path / "variants.py"
    path.write_text(text, "utf-8")
    return read_variants(path)


def learners_copy(built):
    """What nbgrader would release, near enough: each answer replaced by a stub."""
    notebook = nbformat.read(built / ASSIGNMENT.with_suffix(".ipynb"), as_version=4)
    return fill_answers(notebook, dict.fromkeys(reference_answers(notebook), "raise NotImplementedError()"))


def test_variants_come_in_file_order_with_their_whole_source(tiny):
    assert read_variants((tiny / ASSIGNMENT).with_name("variants.py")) == [
        Variant("double", True, "adds it to itself", "def double(x):\n    return x + x"),
        Variant("double", False, "right for 2 only", "def double(x):\n    return x**2"),
        Variant("circle", False, "the circumference", "def circle(radius):\n    return 2 * math.pi * radius"),
    ]


def test_blank_lines_inside_and_unusual_sentences_are_kept(tmp_path):
    text = "# %% a_1 wrong: ratio 1:2, ünï (#3)\n\nx = 1\n\n\n    # y\n\n\n# %% b right: ok\n"
    assert variants_of(tmp_path, text) == [
        Variant("a_1", False, "ratio 1:2, ünï (#3)", "x = 1\n\n\n    # y"),
        Variant("b", True, "ok", ""),
    ]


def test_crlf_gives_the_same(tmp_path):
    text = "# %%\nimport math\n\n# %% a right: one\nx = 1\ny = 2\n"
    (tmp_path / "crlf").mkdir()
    (tmp_path / "crlf" / "variants.py").write_bytes(text.replace("\n", "\r\n").encode())
    assert read_variants(tmp_path / "crlf" / "variants.py") == variants_of(tmp_path, text)


@pytest.mark.parametrize("text", ["", "import math\n", "# %%\nimport math\n"])
def test_a_file_without_variants(tmp_path, text):
    assert variants_of(tmp_path, text) == []


@pytest.mark.parametrize(
    "header",
    [
        "# %% double maybe: x",
        "# %% double right",
        "# %% double right:",
        "# %% two words right: x",
        "# %%",
        "# %% [markdown]",
        "# %%double right: x",
    ],
)
def test_a_faulty_header_is_refused_with_its_line(tmp_path, header):
    with pytest.raises(ValueError, match=r"variants\.py:4: not of the form"):
        variants_of(tmp_path, f"# %%\n# %% a right: ok\nx = 1\n{header}\ny = 2\n")


def test_exercises_are_the_code_answers_in_order(built):
    assert exercises(learners_copy(built)) == ["double", "circle"]


def test_filling_puts_code_and_text_into_their_cells_and_nowhere_else(built):
    release = learners_copy(built)
    before = nbformat.writes(release)
    filled = fill_answers(release, {"double": "def double(x): return 2 * x", "explanation": "Both axes."})
    changed = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell, old in zip(filled.cells, release.cells, strict=True)
        if cell != old
    }
    assert changed == {"double": "def double(x): return 2 * x", "explanation": "Both axes."}
    assert nbformat.writes(release) == before


@pytest.mark.parametrize("wrong", ["nowhere", "double_test", "given"])
def test_filling_a_cell_that_is_no_answer_is_refused(built, wrong):
    with pytest.raises(KeyError, match=wrong):
        fill_answers(learners_copy(built), {"double": "x = 1", wrong: "x = 2"})


def test_reference_answers_are_the_solutions_without_the_marks(built):
    answers = reference_answers(nbformat.read(built / ASSIGNMENT.with_suffix(".ipynb"), as_version=4))
    assert list(answers) == ["double", "circle", "explanation"]
    assert answers["double"] == 'def double(x):\n    """Return twice `x`."""\n    return 2 * x'
    assert "SOLUTION" not in "".join(answers.values())


def test_equivalent_mutants_are_no_variants(tmp_path):
    text = "# %% a right: one\nx = 1\n# %% a equivalent: why\n# - x = 1\n# + x = 1.0\n# %% b equivalent: also\n# - y\n"
    assert [variant.sentence for variant in variants_of(tmp_path, text)] == ["one"]
    assert read_equivalents(tmp_path / "variants.py") == [
        Equivalent("a", "why", ("- x = 1", "+ x = 1.0")),
        Equivalent("b", "also", ("- y",)),
    ]
