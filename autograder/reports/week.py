"""What the page of a week shows, computed from the class."""

import itertools
import math
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autograder.marks import Item, Mark, Person, Submitted, Week
from autograder.reports.failures import Mistake, group
from autograder.reports.psychometrics import Discrimination, difficulty, discrimination, quantile

# Below this, an exercise separates poorly: the rule of thumb of Ebel, R. L., and Frisbie, D. A. (1991),
# *Essentials of Educational Measurement*, 5th edition.
POOR = 0.2
# Left, top, width and height of the plot's area.
PLOT = (52, 14, 332, 212)
_KINDS = [
    ("not handed in", "was not handed in"),
    ("unreadable", "is not a valid notebook|cannot be examined"),
    ("ran out of time", "ran out of time"),
    ("ended early", "ended the kernel|memory"),
    ("too much output", "printed more than"),
    ("mended", "mended|not quite a valid|moved|came back|missing|copied|edited|set to|taken for"),
]


@dataclass(frozen=True)
class Bin:
    """One column of a histogram: [low, high), the last one with its upper end. `open` ones may still change."""

    low: float
    high: float
    settled: int
    open: int = 0

    @property
    def count(self) -> int:
        """All that fall in it."""
        return self.settled + self.open


@dataclass(frozen=True)
class ItemRow:
    """One exercise in figures. `n` learners are counted; `waits` more wait for a hand grade."""

    label: str
    item: Item
    n: int
    waits: int
    share: float | None
    full: int
    none: int
    discrimination: Discrimination

    @property
    def poor(self) -> bool:
        """Whether it hardly tells learners apart."""
        return self.discrimination.r is not None and self.discrimination.r < POOR


@dataclass(frozen=True)
class Summary:
    """Numbers in five words."""

    n: int
    mean: float
    sd: float | None
    low: float
    first: float
    median: float
    third: float
    high: float


@dataclass(frozen=True)
class Remark:
    """Something that a run noted about a submission."""

    student: str
    kind: str
    text: str


@dataclass
class Dot:
    """A point of the plot, in its coordinates."""

    x: float
    y: float
    poor: bool
    labels: list[str]
    below: bool = False

    @property
    def label(self) -> str:
        """What stands beside it."""
        return " ".join(self.labels)

    def place(self) -> tuple[float, float, str]:
        """Return where its label stands, and how: above or below it, a long one at its side."""
        if len(self.labels) > 2:
            return (
                (self.x - 9, self.y + 4, "end") if self.x > PLOT[0] + PLOT[2] / 2 else (self.x + 9, self.y + 4, "start")
            )
        return self.x, self.y + (19 if self.below else -9), "middle"


class WeekPage:
    """Everything that the template of a week asks for."""

    def __init__(self, week: Week, people: dict[str, Person]) -> None:
        self.week, self.people = week, people
        everybody = list(week.submissions.values())
        self.graded = [s for s in everybody if s.graded]
        self.failed = [s for s in everybody if s.error]
        self.absent = [s for s in self.graded if s.absent]
        self.suspected = [s for s in self.graded if s.suspected]
        # Reasons that are noted, though somebody has given the marks since.
        self.looked_at = [s for s in self.graded if s.needs_human and not s.suspected]
        self.unreadable = [s for s in self.graded if s.unreadable and not s.suspected]
        self.counted = [s for s in self.graded if not (s.absent or s.suspected or s.unreadable)]
        self.open = [s for s in self.counted if s.waiting]
        self.late = sorted((s for s in self.graded if s.seconds_late > 0), key=lambda s: -s.seconds_late)
        self.without = [person for person in people.values() if person.id not in week.submissions]
        self.marks = summary([s.final for s in self.counted])
        self.bins = mark_bins(self.counted, week.points)
        self.items = item_rows(week.items, self.counted)
        self.measured = sum(row.discrimination.r is not None for row in self.items)
        found = group(week.items, [s for s in self.graded if not (s.absent or s.unreadable)])
        self.mistakes: list[Mistake] = [mistake for mistake in found if not mistake.blank]
        self.left_blank = [mistake for mistake in found if mistake.blank]
        self.labels = {row.item.key: row.label for row in self.items}
        self.exercises = {item.key: item.exercise for item in week.items}
        self.remarks = sorted(remarks(everybody), key=lambda r: (r.kind == "other", r.kind, r.student))
        self.wall = Measure.of(everybody, "wall_s", "s")
        self.memory = Measure.of(everybody, "memory_mb", "MB")

    def name(self, student: str) -> str:
        """Return a learner's name, or nothing if the gradebook has none."""
        return self.people[student].name if student in self.people else ""

    def share(self, submitted: Submitted) -> float | None:
        """Return a mark as a share of all points."""
        return submitted.final / self.week.points if self.week.points > 0 else None

    def shade(self, row: ItemRow, mark: Mark | None) -> int:
        """Return how dark a cell of the table of the class is, from 0 to 4."""
        if mark is None or mark.waiting or row.item.points <= 0:
            return 0
        return max(0, min(4, int(4 * mark.score / row.item.points + 1e-9)))

    def left_out(self) -> str:
        """Say who does not count in figures, and why."""
        groups = [
            (len(self.absent), "handed in nothing"),
            (len(self.unreadable), "handed in what cannot be read"),
            (len(self.suspected), "must be looked at first"),
        ]
        return ", ".join(f"{n} who {why}" for n, why in groups if n)

    def hardest_and_easiest(self) -> tuple[ItemRow, ItemRow] | None:
        """Return the two ends, of the items that are graded for everybody (if there are such)."""
        rated = [row for row in self.items if row.share is not None]
        rated = [row for row in rated if not row.waits] or rated
        ordered = sorted(rated, key=lambda row: row.share)
        return (ordered[0], ordered[-1]) if len(ordered) > 1 else None

    def dots(self) -> list["Dot"]:
        """Return the points of the plot of difficulty and discrimination; items in one place share a point."""
        dots: list[Dot] = []
        for row in self.items:
            if row.share is None or row.discrimination.r is None:
                continue
            x = PLOT[0] + PLOT[2] * min(row.share, 1)
            y = PLOT[1] + PLOT[3] * (1 - max(row.discrimination.r, -0.5)) / 1.5
            near = next((d for d in dots if abs(d.x - x) < 16 and abs(d.y - y) < 13 and d.poor == row.poor), None)
            if near:
                near.labels.append(row.label)
            else:
                dots.append(Dot(x, y, row.poor, [row.label]))
        dots.sort(key=lambda dot: dot.x)
        for before, dot in itertools.pairwise(dots):
            dot.below = not before.below and dot.x - before.x < 26 and abs(dot.y - before.y) < 20
        return dots

    def waiting_by_item(self) -> list[tuple[ItemRow, list[str]]]:
        """Return for each item that waits for a hand grade, whose answers wait."""
        return [(row, [s.student for s in self.open if row.item.key in s.waiting]) for row in self.items if row.waits]


@dataclass(frozen=True)
class Measure:
    """How long the runs took, or how much memory."""

    unit: str
    summary: Summary
    p95: float
    bins: list[Bin]
    largest: list[tuple[str, float]]

    @classmethod
    def of(cls, submissions: Iterable[Submitted], name: str, unit: str) -> "Measure | None":
        """Measure what run records hold; None if there are none."""
        values = [(s.student, v) for s in submissions if (v := getattr(s, name)) is not None]
        if not values:
            return None
        numbers = [v for _, v in values]
        largest = sorted(values, key=lambda v: (-v[1], v[0]))[:10]
        return cls(unit, summary(numbers), quantile(numbers, 0.95), bins(numbers), largest)


def summary(values: Sequence[float]) -> Summary | None:
    """Return mean, standard deviation (of the sample, n - 1) and quartiles, or None without values."""
    if not values:
        return None
    sd = statistics.stdev(values) if len(values) > 1 else None
    five = [quantile(values, share) for share in (0, 0.25, 0.5, 0.75, 1)]
    return Summary(len(values), statistics.fmean(values), sd, *five)


def mark_bins(submissions: Sequence[Submitted], points: float) -> list[Bin]:
    """Return ten bins of the share of points; the last also holds marks above the maximum (extra credit)."""
    counts = [[0, 0] for _ in range(10)]
    for submitted in submissions if points > 0 else ():
        place = max(0, min(9, int(10 * submitted.final / points + 1e-9)))
        counts[place][bool(submitted.waiting)] += 1
    return [Bin(10 * i, 10 * i + 10, *counted) for i, counted in enumerate(counts)]


def bins(values: Sequence[float], most: int = 8) -> list[Bin]:
    """Return at most `most` bins of equal, round width from 0 or just below the smallest value to the largest."""
    low, high = min(values), max(values)
    low = 0.0 if low < high / 3 else low
    raw = (high - low) / most or abs(high) / 2 or 1.0
    magnitude = 10.0 ** math.floor(math.log10(raw))
    width = next(step * magnitude for step in (1, 2, 2.5, 5, 10) if step * magnitude >= raw * (1 - 1e-9))
    start = width * int(low / width + 1e-9)
    number = max(1, int((high - start) / width + 1e-9) + 1)
    counts = [0] * number
    for value in values:
        counts[min(number - 1, int((value - start) / width + 1e-9))] += 1
    return [Bin(round(start + i * width, 9), round(start + (i + 1) * width, 9), n) for i, n in enumerate(counts)]


def item_rows(items: Sequence[Item], counted: Sequence[Submitted]) -> list[ItemRow]:
    """Return the figures of every item.

    An answer that waits for a hand grade is missing, not 0: its learner does not count for the item. The rest,
    with which an item is correlated, is the sum of the other items for which no learner waits, so that it is
    made of the same items for everybody.
    """
    waits = {item.key: sum(s.marks[item.key].waiting for s in counted if item.key in s.marks) for item in items}
    settled = [item.key for item in items if not waits[item.key]]
    totals = {s.student: sum(s.marks[key].score for key in settled if key in s.marks) for s in counted}
    rows = []
    for place, item in enumerate(items, 1):
        having = [s for s in counted if item.key in s.marks and not s.marks[item.key].waiting]
        scores = [s.marks[item.key].score for s in having]
        own = item.key in settled
        if len(settled) - own < 1:
            told = Discrimination(None, reason="nothing else is graded to compare it with")
        else:
            rests = [totals[s.student] - (s.marks[item.key].score if own else 0) for s in having]
            told = discrimination(scores, rests)
        share = difficulty(scores, item.points)
        full = sum(score >= item.points - 1e-9 for score in scores)
        none = sum(score <= 0 for score in scores)
        rows.append(ItemRow(f"E{place}", item, len(scores), waits[item.key], share, full, none, told))
    return rows


def remarks(submissions: Iterable[Submitted]) -> Iterable[Remark]:
    """Yield what was noted about submissions, with its kind."""
    for submitted in submissions:
        for text in submitted.remarks:
            kind = next((kind for kind, pattern in _KINDS if re.search(pattern, text)), "other")
            yield Remark(submitted.student, kind, text)
