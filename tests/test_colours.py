"""The colours of the figures stay apart for people who see fewer of them, and in greyscale print.

Sources: simulation by the matrices for full severity of Machado, Oliveira and Fernandes, "A physiologically-based
model for simulation of color vision deficiency", IEEE TVCG 15(6), 2009; sRGB and its conversion to XYZ (D65) from
IEC 61966-2-1; CIELAB and its distance from CIE 015:2018 (CIE 1976 colour difference).
"""

import itertools
import re

import matplotlib as mpl
import numpy as np
import pytest
from conftest import ROOT

SIMULATIONS = {
    "all colours": np.eye(3),
    "no red cones (protanopia)": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green cones (deuteranopia)": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no blue cones (tritanopia)": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
# Lighter ones fill areas, behind lines and beside text.
LIGHT = 75.0
# A difference of 2.3 can just be seen side by side; thin lines far apart need several times as much.
APART = 15.0
SOURCES = sorted([*ROOT.glob("notebooks/week*/*.py"), *ROOT.glob("source/week*/*.py")])


def lab(colour: str, simulation: np.ndarray) -> np.ndarray:
    """Return the CIELAB coordinates of "#RRGGBB" as a person with this kind of sight sees it."""
    srgb = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    ratio = TO_XYZ @ np.clip(simulation @ linear, 0, 1) / TO_XYZ.sum(axis=1)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def too_close(colours: list[str]) -> list[str]:
    """Return the pairs that somebody could not tell apart."""
    return [
        f"{a} and {b} for {name}: {distance:.1f}"
        for a, b in itertools.combinations(colours, 2)
        for name, simulation in SIMULATIONS.items()
        if (distance := float(np.linalg.norm(lab(a, simulation) - lab(b, simulation)))) < APART
    ]


def test_the_measure():
    assert lab("#FFFFFF", np.eye(3)) == pytest.approx([100, 0, 0], abs=0.1)
    # Published CIELAB coordinates of the sRGB primaries.
    assert lab("#FF0000", np.eye(3)) == pytest.approx([53.2, 80.1, 67.2], abs=0.2)
    assert lab("#0000FF", np.eye(3)) == pytest.approx([32.3, 79.2, -107.9], abs=0.2)
    # Matplotlib's own cycle is not safe: its green and its red, for example.
    tab10 = [mpl.colors.to_hex(colour) for colour in mpl.colormaps["tab10"].colors]
    assert any("#2ca02c and #d62728" in pair for pair in too_close(tab10))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_colours_of_figures_stay_apart(source):
    colours = dict.fromkeys(c.upper() for c in re.findall(r"[\"'](#[0-9A-Fa-f]{6})[\"']", source.read_text("utf-8")))
    assert too_close([colour for colour in colours if lab(colour, np.eye(3))[0] < LIGHT]) == []
