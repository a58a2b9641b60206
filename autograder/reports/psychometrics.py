"""Item statistics of classical test theory: how hard an exercise is, and how well it tells learners apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# With fewer learners a correlation says next to nothing: for n = 10 and r = 0.3, its 95 % interval is -0.41 to 0.78.
FEWEST = 10
# Half the width of a 95 % interval of the standard normal distribution.
_Z95 = 1.959964


def difficulty(scores: Sequence[float], points: float) -> float | None:
    """Return the item difficulty: the mean share of the points that an item can earn.

    p = (1/n) * sum(x_i) / m, with x_i the points of learner i and m the item's maximum. A high value means an
    easy item, which is why some call it the facility. For items that are right or wrong it is the proportion
    of right answers.

    Source: Lord, F. M., and Novick, M. R. (1968), *Statistical Theories of Mental Test Scores*, section 15.2;
    Crocker, L., and Algina, J. (1986), *Introduction to Classical and Modern Test Theory*, chapter 14.

    Args:
        scores: the learners' points for the item.
        points: the item's maximum.

    Returns:
        A number from 0 to 1 (more with extra credit), or None without learners or points.
    """
    return sum(scores) / len(scores) / points if scores and points > 0 else None


@dataclass(frozen=True)
class Discrimination:
    """A corrected item-total correlation with its 95 % interval, or why there is none."""

    r: float | None
    interval: tuple[float, float] | None = None
    reason: str = ""


def discrimination(scores: Sequence[float], rests: Sequence[float]) -> Discrimination:
    """Return the corrected item-total correlation: Pearson's r of an item with the rest of the assignment.

    r = sum((x_i - x)(y_i - y)) / sqrt(sum((x_i - x)^2) * sum((y_i - y)^2)), with x_i the points of learner i for the
    item, y_i the learner's points for all *other* items, and x, y their means. Leaving the item out of the
    total is the correction: otherwise it would correlate with itself. Near 0, or below, the item does not
    separate those who know the rest from those who do not.

    Source: Henrysson, S. (1963), "Correction of item-total correlations in item analysis", *Psychometrika* 28,
    211-218. The interval is Fisher's: tanh(atanh(r) +- 1.96 / sqrt(n - 3)); Fisher, R. A. (1921), "On the
    'probable error' of a coefficient of correlation deduced from a small sample", *Metron* 1, 3-32. It assumes
    normal scores, so for an item of right or wrong it is a rough guide.

    Args:
        scores: the learners' points for the item.
        rests: the same learners' points for the other items.

    Returns:
        r from -1 to 1; None for fewer than 10 learners, or if all have the same in the item or in the rest.
    """
    n = len(scores)
    if n != len(rests):
        raise ValueError(f"{n} scores and {len(rests)} rests")
    if n < FEWEST:
        return Discrimination(None, reason=f"fewer than {FEWEST} learners")
    x, y = math.fsum(scores) / n, math.fsum(rests) / n
    xx = math.fsum((a - x) ** 2 for a in scores)
    yy = math.fsum((b - y) ** 2 for b in rests)
    # Equal marks may differ in their last bits.
    if xx <= 1e-18 * n * max(1.0, x * x):
        return Discrimination(None, reason="everybody has the same points here")
    if yy <= 1e-18 * n * max(1.0, y * y):
        return Discrimination(None, reason="everybody has the same points in the rest")
    r = math.fsum((a - x) * (b - y) for a, b in zip(scores, rests, strict=True)) / math.sqrt(xx * yy)
    r = max(-1.0, min(1.0, r))
    if abs(r) > 1 - 1e-12:
        return Discrimination(r)
    centre, half = math.atanh(r), _Z95 / math.sqrt(n - 3)
    return Discrimination(r, (math.tanh(centre - half), math.tanh(centre + half)))


def quantile(values: Sequence[float], share: float) -> float:
    """Return a sample quantile with linear interpolation between order statistics.

    With x_(1) <= ... <= x_(n) and h = (n - 1) * share + 1, it is x_(floor h) + (h - floor h) * (x_(floor h + 1) -
    x_(floor h)). Source: Hyndman, R. J., and Fan, Y. (1996), "Sample quantiles in statistical packages", *The
    American Statistician* 50, 361-365, definition 7 (numpy's default).
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
