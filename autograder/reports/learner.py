"""What the page of one learner shows: every week of the course."""

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.marks import Failure, Item, Mark, Person, Submitted, Week
from autograder.reports.failures import parts
from autograder.reports.psychometrics import quantile


@dataclass(frozen=True)
class Answer:
    """One exercise of one week: the mark, what its test said, and what a grader wrote."""

    item: Item
    mark: Mark | None
    failure: tuple[str, str] | None

    @property
    def state(self) -> str:
        """The mark in a word."""
        if self.mark is None:
            return "no mark"
        if self.mark.suspected:
            return "needs a human"
        if self.mark.waiting:
            return "waits for a hand grade"
        if self.mark.score >= self.item.points - 1e-9:
            return "all points"
        return "some points" if self.mark.score > 0 else "no points"


@dataclass(frozen=True)
class LearnerWeek:
    """One week of the learner; `submitted` is None if there is nothing of theirs."""

    week: Week
    submitted: Submitted | None
    median: float | None
    others: int

    @property
    def share(self) -> float | None:
        """The mark as a share of all points; None if there is no mark."""
        graded = self.submitted is not None and self.submitted.graded
        return self.submitted.final / self.week.points if graded and self.week.points > 0 else None

    def answers(self) -> list[Answer]:
        """Return every exercise, in the order of the notebook."""
        failures: dict[tuple, Failure] = {f.key: f for f in self.submitted.failures}
        return [
            Answer(
                item,
                self.submitted.marks.get(item.key),
                parts(failures[item.key].ename, failures[item.key].message) if item.key in failures else None,
            )
            for item in self.week.items
        ]

    def comments(self) -> list[tuple[str, str]]:
        """Return what was written about answers: by whom is not known, but "No response." is nbgrader's own."""
        names = {item.key: item.exercise for item in self.week.items}
        return [(names.get(key, key[1]), text) for key, text in self.submitted.comments]


class LearnerPage:
    """Everything that the template of a learner asks for."""

    def __init__(self, person: Person, weeks: Sequence[Week]) -> None:
        self.person = person
        self.weeks = [_of(person.id, week) for week in weeks]
        self.graded = [w for w in self.weeks if w.share is not None]
        self.earned = sum(w.submitted.final for w in self.graded)
        self.possible = sum(w.week.points for w in self.graded)
        self.waiting = sum(len(w.submitted.waiting) for w in self.graded)
        self.late = sum(w.submitted.seconds_late > 0 for w in self.graded)
        self.missing = sum(w.submitted is None or w.submitted.absent for w in self.weeks)


def _of(student: str, week: Week) -> LearnerWeek:
    """Compare a learner's mark with the class: all that was handed in, can be read and need not be looked at first."""
    graded = (s for s in week.submissions.values() if s.graded)
    everybody = [s for s in graded if not (s.absent or s.unreadable or s.suspected)]
    shares = [s.final / week.points for s in everybody] if week.points > 0 else []
    median = quantile(shares, 0.5) if shares else None
    return LearnerWeek(week, week.submissions.get(student), median, len(shares))
