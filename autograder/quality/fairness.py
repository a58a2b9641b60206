"""Look for marks that depend on something other than the answer.

Whole notebooks are run in situations that the text allows, with the reference and with every right variant
in as few notebooks as hold each once. The marks must be full in all of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell

from autograder.engine.plan import is_test
from autograder.quality.runs import Assignment, Judge

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


def check_fairness(assignment: Assignment, judge: Judge, names: list[str]) -> Iterator[Finding]:
    """Yield what is unfair about the tests of some exercises."""
    yield from _situations(assignment, judge, names)
    yield from _double_jeopardy(assignment, judge, names)


def _situations(assignment: Assignment, judge: Judge, names: list[str]) -> Iterator[Finding]:
    """Full marks for every right answer, whatever the seed, the threads, the order and the layer."""
    packed = _packs(assignment, names)
    # Several at once, as each of them would show alone: a finding is rare, and then easily narrowed down.
    arrangements: dict[str, Callable[[list], list]] = {
        f"with two threads and random seed {SEEDS[0]}": _before_tests(_TWO_THREADS + _SEED.format(seed=SEEDS[0])),
        f"with all answers first, the tests from last to first, and random seed {SEEDS[1]}": lambda cells: (
            _before_tests(_SEED.format(seed=SEEDS[1]))(_answers_first(cells))
        ),
        f"when every test is run a second time, with random seed {SEEDS[2]}": lambda cells: _before_tests(
            _SEED.format(seed=SEEDS[2])
        )(_tests_twice(cells)),
    }
    runs = [
        (what, answers, assignment.whole(answers, arrange=arrange))
        for what, arrange in arrangements.items()
        for answers in packed
    ]
    visible = "with the visible tests alone, as learners have them"
    runs += [(visible, answers, assignment.whole(answers, visible_only=True)) for answers in packed]
    results = judge.notebooks(notebook for _, _, notebook in runs)
    seen = set()
    for (what, answers, _), verdicts in zip(runs, results, strict=True):
        for name in names:
            verdict = verdicts[name]
            if not verdict.passed and (what, name) not in seen:
                seen.add((what, name))
                which = "the reference" if name not in answers else _sentence(assignment, name, answers[name])
                yield Finding(name, f"{which} fails {what}: {verdict.error}: {verdict.message}")


def _double_jeopardy(assignment: Assignment, judge: Judge, names: list[str]) -> Iterator[Finding]:
    """Break every other exercise and see that the rest keep their marks; then find out which one is to blame."""
    kinds = {"left blank": assignment.blank, "wrong": {n: _first_wrong(assignment, n) for n in assignment.exercises}}
    for what, sources in kinds.items():
        halves = [assignment.exercises[0::2], assignment.exercises[1::2]]
        notebooks = [assignment.whole({name: sources[name] for name in half}) for half in halves]
        for half, verdicts in zip(halves, judge.notebooks(notebooks), strict=True):
            hurt = [name for name in names if name not in half and not verdicts[name].passed]
            if not hurt:
                continue
            single = judge.notebooks(assignment.whole({n: sources[n]}) for n in half)
            for victim, alone in zip(half, single, strict=True):
                for name in hurt:
                    if not alone[name].passed:
                        message = f"{alone[name].error}: {alone[name].message}"
                        yield Finding(name, f"{victim}, {what}, costs its marks, too: {message}")


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


def _before_tests(code: str) -> Callable[[list[NotebookNode]], list[NotebookNode]]:
    """Run some code right before each test."""

    def arrange(cells: list[NotebookNode]) -> list[NotebookNode]:
        return [c for cell in cells for c in ([new_code_cell(code), cell] if is_test(cell) else [cell])]

    return arrange


def _answers_first(cells: list[NotebookNode]) -> list[NotebookNode]:
    return [c for c in cells if not is_test(c)] + [c for c in reversed(cells) if is_test(c)]


def _tests_twice(cells: list[NotebookNode]) -> list[NotebookNode]:
    return [c for cell in cells for c in ([cell, from_dict(cell)] if is_test(cell) else [cell])]
