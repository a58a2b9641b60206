"""Look for marks that depend on something other than the answer.

Whole notebooks are run in situations that the text allows, with the reference and with every right variant
in as few notebooks as hold each once. The marks must be full in all of them.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell

from autograder.engine.plan import is_test
from autograder.quality.runs import Assignment, Judge, grade_id, names_bound, names_in

SEEDS = (1, 20_261_122, 4_294_967_295)
_SEED = """\
import random as _random
import numpy as _numpy
import torch as _torch
_random.seed({seed}); _numpy.random.seed({seed}); _ = _torch.manual_seed({seed})
"""
_TWO_THREADS = "import torch as _torch\n_torch.set_num_threads(2)\n"


@dataclass(frozen=True)
class Finding:
    """Marks of one exercise that are not as they should be, in one situation."""

    exercise: str
    sentence: str


def check_fairness(assignment: Assignment, judge: Judge, names: list[str], long: Collection[str]) -> Iterator[Finding]:
    """Yield what is unfair about the tests of some exercises.

    Args:
        assignment: the assignment.
        judge: what runs its notebooks.
        names: exercises.
        long: those of them that train for long; they take part in fewer runs, one of each kind.
    """
    yield from _situations(assignment, judge, names, long)
    yield from _double_jeopardy(assignment, judge, names, long)


def _situations(assignment: Assignment, judge: Judge, names: list[str], long: Collection[str]) -> Iterator[Finding]:
    """Full marks for every right answer, whatever the seed, the threads, the order and the layer."""
    packed = _packs(assignment, names)
    # Several at once, as each of them would show alone: a finding is rare, and then easily narrowed down.
    arrangements = {
        f"with two threads and random seed {SEEDS[0]}": _two_threads,
        "with all answers first and then the tests from last to first, all of them twice, with random seeds "
        f"{SEEDS[1]} and {SEEDS[2]}": _answers_first,
    }
    runs = []
    for what, order in arrangements.items():
        for answers in packed:
            # Only the first run has the tests that take long, and the cells that only show something.
            arrange = partial(_ordered, without=long, order=order) if runs else order
            runs.append((what, answers, assignment.whole(answers, arrange=arrange)))
    visible = "with the visible tests alone, as learners have them"
    # Once is enough: each visible statement has passed for every answer, and only what hidden parts bind is missing.
    notebook = assignment.whole(packed[0], arrange=partial(_without, exercises=long), visible_only=True)
    runs.append((visible, packed[0], notebook))
    results = judge.notebooks(notebook for _, _, notebook in runs)
    seen = set()
    for (what, answers, _), verdicts in zip(runs, results, strict=True):
        for name in names:
            verdict = verdicts.get(name)
            if verdict is not None and not verdict.passed and (what, name) not in seen:
                seen.add((what, name))
                which = "the reference" if name not in answers else _sentence(assignment, name, answers[name])
                yield Finding(name, f"{which} fails {what}: {verdict.error}: {verdict.message}")


def _double_jeopardy(
    assignment: Assignment, judge: Judge, names: list[str], long: Collection[str]
) -> Iterator[Finding]:
    """Break every other exercise and see that the rest keep their marks; then find out which one is to blame.

    A training is not repeated for that where its reference has already passed in a kernel without the other answers.
    """
    alone = {name for name in long if not assignment.leans_on(name)}
    kinds = {"left blank": assignment.blank, "wrong": {n: _first_wrong(assignment, n) for n in assignment.exercises}}
    for what, sources in kinds.items():
        halves = [assignment.exercises[0::2], assignment.exercises[1::2]]
        left_out = long if what == "wrong" else alone
        arrange = partial(_without, exercises=left_out)
        notebooks = [assignment.whole({n: sources[n] for n in half}, arrange=arrange) for half in halves]
        for half, verdicts in zip(halves, judge.notebooks(notebooks), strict=True):
            hurt = [n for n in names if n not in half and n not in left_out and not verdicts[n].passed]
            if not hurt:
                continue
            single = judge.notebooks(assignment.whole({n: sources[n]}, arrange=arrange) for n in half)
            for victim, alone in zip(half, single, strict=True):
                for name in hurt:
                    if not alone[name].passed:
                        message = f"{alone[name].error}: {alone[name].message}"
                        yield Finding(name, f"{victim}, {what}, costs its marks, too: {message}")


def _without(cells: list[NotebookNode], exercises: Collection[str]) -> list[NotebookNode]:
    """Leave out the tests of some exercises, and cells that only show something (a figure, a last training)."""
    tests = {f"{name}_test" for name in exercises}
    kept: list[NotebookNode] = []
    needed: set[str] = set()
    for cell in reversed(cells):
        shows = not grade_id(cell) and not names_bound(cell.source) & needed
        if grade_id(cell) not in tests and not shows:
            kept.append(cell)
            needed |= names_in(cell.source)
    return kept[::-1]


def _first_wrong(assignment: Assignment, name: str) -> str:
    wrong = assignment.of(name, right=False)
    return wrong[0].source if wrong else assignment.blank[name]


def _packs(assignment: Assignment, names: list[str]) -> list[dict[str, str]]:
    """Return as few sets of answers as hold every right variant once; the reference stands in for the rest."""
    variants = {name: [v.source for v in assignment.of(name, right=True)] for name in names}
    most = max((len(sources) for sources in variants.values()), default=0)
    return [{n: sources[i] for n, sources in variants.items() if i < len(sources)} for i in range(max(1, most))]


def _sentence(assignment: Assignment, name: str, source: str) -> str:
    return next(f"a right answer ({v.sentence})" for v in assignment.of(name, right=True) if v.source == source)


def _ordered(
    cells: list[NotebookNode], *, without: Collection[str], order: Callable[[list], list]
) -> list[NotebookNode]:
    """Leave out some tests and put the other cells into an order."""
    return order(_without(cells, without))


def _two_threads(cells: list[NotebookNode]) -> list[NotebookNode]:
    return _before_tests(cells, _TWO_THREADS + _SEED.format(seed=SEEDS[0]))


def _answers_first(cells: list[NotebookNode]) -> list[NotebookNode]:
    tests = [cell for cell in cells if is_test(cell)][::-1]
    twice = [from_dict(cell) for cell in tests]
    found = [cell for cell in cells if not is_test(cell)]
    for seed, again in zip(SEEDS[1:], (tests, twice), strict=True):
        found += _before_tests(again, _SEED.format(seed=seed))
    return found


def _before_tests(cells: list[NotebookNode], code: str) -> list[NotebookNode]:
    """Run some code right before each test."""
    return [c for cell in cells for c in ([new_code_cell(code), cell] if is_test(cell) else [cell])]
