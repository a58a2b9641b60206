"""Measure the tests of one assignment: what they accept, what they reject, and whom they treat unfairly."""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from autograder.quality.fairness import Finding, check_fairness
from autograder.quality.mutants import Mutant, mutants
from autograder.quality.runs import LEAST_S, PATIENT_S, SLOWER, Assignment, Judge, Verdict, grade_id
from autograder.variants import Variant

# Of the mutants that are not equivalent, at least so many must be noticed, in every assignment.
BAR = 0.95
# So many answers share a kernel, and the reference comes last; where it takes longer than this, a kernel for each
# answer costs less.
_AT_A_TIME, _ALONE_CPU_S = 8, 3.0
# Where a reference trains for longer than this, not all of its mutants are tried: as many as this much training
# allows, between so few and so many, spread over the answer's lines.
TRAINING_CPU_S, MUTANTS_CPU_S, FEWEST, MOST = 1.5, 120.0, 4, 20
# Tests that take longer than this take part in fewer whole notebooks, one of each kind.
LONG_CPU_S = 4.0


@dataclass(frozen=True)
class Tried:
    """One answer and what its tests said."""

    answer: Variant | Mutant
    verdict: Verdict


@dataclass
class Exercise:
    """What was measured about one exercise."""

    name: str
    points: float
    reference: Verdict
    blank: Verdict
    right: list[Tried] = field(default_factory=list)
    wrong: list[Tried] = field(default_factory=list)
    killed: list[Tried] = field(default_factory=list)
    survived: list[Tried] = field(default_factory=list)
    equivalent: list[tuple[Mutant, str]] = field(default_factory=list)
    # Mutants that were made and not tried, see TRAINING_CPU_S.
    left_out: int = 0
    unfair: list[Finding] = field(default_factory=list)
    # Listed as equivalent, but no such mutant is made any more, or a test tells it from the reference.
    stale: list[str] = field(default_factory=list)

    def lost(self) -> list[Tried]:
        """Return the right answers that are not accepted."""
        return [tried for tried in self.right if not tried.verdict.passed or tried.verdict.suspected]

    def earned(self) -> list[Tried]:
        """Return the wrong answers that are accepted."""
        return [tried for tried in self.wrong if tried.verdict.passed]

    def bare(self) -> list[Tried]:
        """Return the wrong answers whose failure is not explained by a message of `dlcourse.check`."""
        return [t for t in self.wrong if not t.verdict.passed and not explained(t.verdict)]

    def problems(self) -> list[str]:
        """Return what must be mended before the tests can be trusted, as sentences."""
        found = []
        if not self.reference.passed:
            found.append(f"the reference does not pass: {self.reference.message}")
        if self.blank.passed:
            found.append("the blank answer earns points")
        found += [f"a right answer is rejected: {t.answer.sentence}: {_why(t.verdict)}" for t in self.lost()]
        found += [f"a wrong answer is accepted: {t.answer.sentence}" for t in self.earned()]
        found += [f"a failure is not explained: {t.answer.sentence}: {_why(t.verdict)}" for t in self.bare()]
        found += [f"unfair: {finding.sentence}" for finding in self.unfair]
        found += [f"variants.py lists as equivalent, but it is none: {text}" for text in self.stale]
        return found


@dataclass
class Study:
    """What was measured about one assignment."""

    week: str
    exercises: list[Exercise]
    seconds: float
    kernels: int

    def kill_rate(self) -> float:
        """Return the share of the mutants that are not equivalent which a test noticed; 1 if there are none."""
        killed = sum(len(e.killed) for e in self.exercises)
        survived = sum(len(e.survived) for e in self.exercises)
        return killed / (killed + survived) if killed + survived else 1.0

    def problems(self) -> list[str]:
        """Return what must be mended, as sentences; nothing for tests that can be trusted."""
        found = [f"{self.week} {e.name}: {text}" for e in self.exercises for text in e.problems()]
        if self.kill_rate() < BAR:
            found.append(f"{self.week}: {self.kill_rate():.1%} of the mutants are noticed, less than {BAR:.0%}")
        return found


def explained(verdict: Verdict) -> bool:
    """Whether a failure says in words of `dlcourse.check` what is wrong, or that time ran out."""
    return verdict.error in ("CheckError", "CellTimeoutError") and bool(verdict.message.strip())


@dataclass(frozen=True)
class _Item:
    kind: str
    answer: Variant | Mutant | None
    source: str


@dataclass(frozen=True)
class _Task:
    """Answers to one exercise that are run one after the other."""

    exercise: str
    items: list[_Item]
    limit: float | None


def _split(exercise: str, items: list[_Item], limit: float | None, reference: Verdict) -> list[_Task]:
    size = _AT_A_TIME if reference.cpu_s < _ALONE_CPU_S else 1
    return [_Task(exercise, items[i : i + size], limit) for i in range(0, len(items), size)]


def study(
    assignment: Assignment,
    judge: Judge,
    names: Iterable[str],
    *,
    with_mutants: bool = True,
    all_mutants: bool = False,
    with_fairness: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Study:
    """Run everything for some exercises of an assignment.

    Args:
        assignment: the assignment.
        judge: what runs its answers.
        names: exercises.
        with_mutants: also mutate the reference answers.
        all_mutants: try all mutants also where the reference trains for long.
        with_fairness: also look for marks that change for reasons other than the answer.
        progress: called with how many of the answers are done, and how many there are.
    """
    started = time.monotonic()
    names = list(names)
    first = judge.answers((name, [(assignment.reference[name], True)], PATIENT_S) for name in names)
    references = {name: verdicts[0] for name, verdicts in zip(names, first, strict=True)}
    tasks: list[_Task] = []
    made = {name: mutants(assignment.answers[name]) if with_mutants else [] for name in names}
    chosen = {name: made[name] if all_mutants else _few(made[name], references[name]) for name in names}
    for name in names:
        variants = [
            _Item("right" if v.right else "wrong", v, v.source) for v in assignment.variants if v.exercise == name
        ]
        blank = _Item("blank", None, assignment.blank[name])
        tried = [_Item("mutant", m, m.source) for m in chosen[name]]
        # Variants keep the engine's own limit, but where the reference shows that this machine needs longer.
        patient = _limit(references[name])
        tasks += _split(name, [blank, *variants], max(patient, judge.settings.cell_timeout), references[name])
        tasks += _split(name, tried, patient, references[name])
    # Long ones first, so that the last minutes are not spent on a single one.
    tasks.sort(key=lambda task: -references[task.exercise].seconds)
    total, done, results = sum(len(task.items) for task in tasks), 0, []
    equivalent = {(e.exercise, e.diff) for e in assignment.equivalents}

    def passes(exercise: str, item: _Item) -> bool:
        """Whether an answer should pass its tests."""
        return item.kind == "right" or (item.kind == "mutant" and (exercise, item.answer.diff) in equivalent)

    asked = ((t.exercise, [(item.source, passes(t.exercise, item)) for item in t.items], t.limit) for t in tasks)
    for verdicts in judge.answers(asked):
        results.append(verdicts)
        done += len(verdicts)
        progress(done, total)
    found = {name: Exercise(name, _points(assignment, name), references[name], references[name]) for name in names}
    for task, verdicts in zip(tasks, results, strict=True):
        for item, verdict in zip(task.items, verdicts, strict=True):
            _note(found[task.exercise], item.kind, item.answer, verdict, assignment)
    for name in names:
        found[name].left_out = len(made[name]) - len(chosen[name])
        if with_mutants:
            diffs = {mutant.diff for mutant in made[name]}
            listed = [e for e in assignment.equivalents if e.exercise == name]
            found[name].stale += [" ".join(e.diff) for e in listed if e.diff not in diffs]
        for kind in ("killed", "survived"):
            getattr(found[name], kind).sort(key=lambda tried: tried.answer.line)
    if with_fairness:
        long = [name for name in names if references[name].cpu_s >= LONG_CPU_S]
        for finding in check_fairness(assignment, judge, names, long):
            found[finding.exercise].unfair.append(finding)
    return Study(assignment.week, list(found.values()), time.monotonic() - started, judge.kernels)


def _note(exercise: Exercise, kind: str, answer: Variant | Mutant | None, verdict: Verdict, week: Assignment) -> None:
    if kind == "blank":
        exercise.blank = verdict
    elif kind == "mutant":
        reasons = [e.reason for e in week.equivalents if e.exercise == exercise.name and e.diff == answer.diff]
        if not verdict.passed:
            exercise.killed.append(Tried(answer, verdict))
            exercise.stale += [" ".join(answer.diff)] if reasons else []
        elif reasons:
            exercise.equivalent.append((answer, reasons[0]))
        else:
            exercise.survived.append(Tried(answer, verdict))
    else:
        getattr(exercise, kind).append(Tried(answer, verdict))


def _points(assignment: Assignment, name: str) -> float:
    (test,) = [cell for cell in assignment.notebook.cells if grade_id(cell) == f"{name}_test"]
    return test.metadata.nbgrader.points


def _few(made: list[Mutant], reference: Verdict) -> list[Mutant]:
    few = max(FEWEST, min(MOST, int(MUTANTS_CPU_S / max(reference.cpu_s, 0.01))))
    if reference.cpu_s < TRAINING_CPU_S or len(made) <= few:
        return made
    return [made[i * len(made) // few] for i in range(few)]


def _limit(reference: Verdict) -> float:
    return max(LEAST_S, SLOWER * reference.seconds)


def _why(verdict: Verdict) -> str:
    if verdict.suspected:
        return f"it would be sent to a human: {'; '.join(verdict.suspected)}"
    return f"{verdict.error}: {verdict.message}"


def layers(tried: Iterable[Tried]) -> tuple[int, int]:
    """Return how many answers the visible tests caught, and how many only the hidden ones."""
    caught = [t.verdict.layer for t in tried if not t.verdict.passed]
    return caught.count("visible"), caught.count("hidden")


def median_seconds(exercise: Exercise) -> float:
    """Return the median time of an answer to an exercise."""
    times = [t.verdict.seconds for t in (*exercise.right, *exercise.wrong, *exercise.killed, *exercise.survived)]
    return statistics.median(times) if times else exercise.reference.seconds
