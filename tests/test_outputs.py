"""What a cell prints is cut to a size that can be saved and shown."""

import pytest
from nbformat.v4 import new_code_cell, new_output

from autograder.outputs import MARK, LimitOutputSize


def limited(*outputs, **limits):
    cell = new_code_cell("pass", outputs=list(outputs))
    return LimitOutputSize(**limits).preprocess_cell(cell, {}, 0)[0].outputs


def test_a_long_line_is_cut_and_says_so():
    (output,) = limited(new_output("stream", text="x" * 50_000_000))
    assert len(output.text) < 101_000 and output.text.endswith(f"x\n{MARK}\n")


def test_many_prints_share_one_limit():
    outputs = limited(*(new_output("stream", text="y" * 60) for _ in range(3)), max_characters=100)
    assert [output.text.count("y") for output in outputs] == [60, 40, 0]
    assert MARK not in outputs[0].text and MARK in outputs[1].text


@pytest.mark.parametrize("text", ["", "short\n", "z" * 100])
def test_ordinary_output_is_left_alone(text):
    (output,) = limited(new_output("stream", text=text), max_characters=100)
    assert output.text == text


def test_errors_and_pictures_are_bounded_too():
    error = new_output("error", ename="E", evalue="e" * 500, traceback=["t" * 500])
    picture = new_output("display_data", data={"image/png": "p" * 500})
    kept = new_output("display_data", data={"image/png": "p" * 50})
    error, picture, kept = limited(error, picture, kept, max_characters=100, max_data=100)
    assert len(error.evalue) == 100 and len(error.traceback[0]) == 100
    assert picture.data == {"text/plain": MARK}
    assert kept.data == {"image/png": "p" * 50}
