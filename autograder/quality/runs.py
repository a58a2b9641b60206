"""Run single answers of an assignment through the grading engine, without a gradebook.

The engine that grades learners runs them. Only the cells that an exercise needs are in a notebook: imports,
given functions, and what else binds a name that the answer or its tests use. A few answers to the same
exercise follow each other in one kernel, each with the tests behind it, so neither a new kernel nor the
cells before cost anything for each of them. The reference comes last: if it fails there, if anything is
out of the ordinary, or if a verdict is not as expected, the answers are run again in kernels of their own.
"""

import ast
import functools
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbgrader.preprocessors import ClearSolutions

from autograder.course import CourseError
from autograder.engine.execute import Settings, execute
from autograder.engine.plan import is_test, make_plan
from autograder.engine.source import bound, parse, plain_python, visible_part
from autograder.engine.submission import WarmKeeper
from autograder.engine.warm import start_warm
from autograder.notebooks import twins
from autograder.outputs import IN_ANSWER, IN_HIDDEN
from autograder.variants import Variant, exercises, read_equivalents, read_variants, reference_answers

# Failures that leave no doubt who is to blame, also among other answers.
_ORDINARY = ("", "CheckError")
# A mutant may take this many times as long as the reference, and never less than the second number.
SLOWER, LEAST_S = 10, 10
# Whole notebooks are run to see whether marks change; on a busy machine, two threads may train for minutes.
PATIENT_S = 600


@dataclass(frozen=True)
class Verdict:
    """What the tests of one exercise said.

    Attributes:
        passed: whether all of them passed.
        layer: which tests failed: "visible", "hidden", or "" if none did.
        error: name of the exception, "" if none.
        message: its text.
        seconds: how long it took, a share of the kernel's start and end included.
        cpu_s: how much of the processor it used, counted in the same way.
        suspected: why the engine would send the answer to a human.
    """

    passed: bool
    layer: str = ""
    error: str = ""
    message: str = ""
    seconds: float = 0.0
    cpu_s: float = 0.0
    suspected: tuple[str, ...] = ()


class Assignment:
    """One assignment with its reference, variants and known equivalent mutants."""

    def __init__(self, root: Path, week: str) -> None:
        texts = [twin.text for twin in twins.find(root) if twin.graded and twin.name.parts[1] == week]
        if len(texts) != 1:
            raise CourseError(f"{week} has {len(texts)} notebooks in source/; quality is measured for one")
        (text,) = texts
        self.root, self.week = root, week
        self.notebook = twins.read_text(text)
        self.plan = make_plan(self.notebook)
        self.exercises = exercises(self.notebook)
        self.reference = {n: a for n, a in reference_answers(self.notebook).items() if n in self.exercises}
        # With the marks of the solution, which say what a mutant may change.
        self.answers = {grade_id(c): c.source for c in self.notebook.cells if grade_id(c) in self.exercises}
        self.blank = _blank(self.notebook)
        variants = text.with_name(twins.VARIANTS)
        self.variants: list[Variant] = read_variants(variants)
        self.equivalents = read_equivalents(variants)

    def of(self, exercise: str, *, right: bool) -> list[Variant]:
        """Return the right or the wrong variants of an exercise."""
        return [v for v in self.variants if v.exercise == exercise and v.right == right]

    def sequence(self, exercise: str, answers: Iterable[str]) -> NotebookNode:
        """Return a notebook of the cells that one exercise needs, with several answers, each before the tests.

        Args:
            exercise: whose answers they are.
            answers: sources of the answer cell.
        """
        answers = list(answers)
        places = {grade_id(cell): i for i, cell in enumerate(self.notebook.cells) if grade_id(cell)}
        answer, test = self.notebook.cells[places[exercise]], self.notebook.cells[places[f"{exercise}_test"]]
        needed = names_in(test.source).union(*map(names_in, answers))
        before = []
        for cell in reversed(self.notebook.cells[: places[f"{exercise}_test"]]):
            if cell.cell_type != "code" or is_test(cell) or cell is answer or not names_bound(cell.source) & needed:
                continue
            needed |= names_in(cell.source)
            before.append(self._cell(cell, {}, visible_only=False))
        tried = [self._cell(cell, {exercise: source}, False) for source in answers for cell in (answer, test)]
        return self._notebook([*reversed(before), *tried])

    def leans_on(self, exercise: str) -> set[str]:
        """Return the other exercises whose answers stand in the kernel when the reference of this one is run."""
        cells = self.sequence(exercise, [self.reference[exercise]]).cells
        return {grade_id(cell) for cell in cells} & set(self.exercises) - {exercise}

    def whole(
        self, answers: dict[str, str], *, arrange: Callable[[list], list] = list, visible_only: bool = False
    ) -> NotebookNode:
        """Return the whole notebook with these answers; `arrange` may put its code cells into another order."""
        cells = [c for c in self.notebook.cells if c.cell_type == "code"]
        return self._notebook(arrange([self._cell(cell, answers, visible_only) for cell in cells]))

    def _cell(self, cell: NotebookNode, answers: dict[str, str], visible_only: bool) -> NotebookNode:
        copy = from_dict(cell)
        if grade_id(cell) in self.exercises:
            copy.source = answers.get(grade_id(cell), self.reference[grade_id(cell)])
        elif visible_only and is_test(cell):
            copy.source = visible_part(cell.source)
        return copy

    def _notebook(self, cells: Iterable[NotebookNode]) -> NotebookNode:
        return from_dict({**self.notebook, "cells": [from_dict(cell) for cell in cells]})


class Judge:
    """Runs notebooks of an assignment, a few at a time. A context manager: its end ends every kernel."""

    def __init__(self, assignment: Assignment, jobs: int, *, sandbox: bool = True) -> None:
        self.assignment = assignment
        self.settings = Settings()
        self.kernels = 0
        self._warm = WarmKeeper(lambda: start_warm(assignment.root, assignment.week, sandboxed=sandbox))
        self._pool = ThreadPoolExecutor(jobs)

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._warm.close()

    def answers(self, tasks: Iterable[tuple[str, list[tuple[str, bool]], float | None]]) -> Iterator[list[Verdict]]:
        """Yield, in order, the verdicts on lists of answers.

        Args:
            tasks: exercise; sources of the answer cell, each with whether it should pass; and the seconds that a
                cell may take (None for the engine's own limit).
        """
        return self._pool.map(self._answers, tasks)

    def notebooks(self, notebooks: Iterable[NotebookNode]) -> Iterator[dict[str, Verdict]]:
        """Yield, in order, each notebook's verdicts by exercise; where a test stands twice, both must pass."""
        return self._pool.map(self._whole, notebooks)

    def _answers(self, task: tuple[str, list[tuple[str, bool]], float | None]) -> list[Verdict]:
        exercise, answers, limit = task
        if len(answers) == 1:
            return [self._alone(exercise, answers[0][0], limit)]
        sources = [source for source, _ in answers] + [self.assignment.reference[exercise]]
        *verdicts, last = [verdict for _, verdict in self._run(self.assignment.sequence(exercise, sources), limit)]
        ordinary = last.passed and not last.suspected
        return [
            verdict
            if ordinary and verdict.passed == expected and verdict.error in _ORDINARY
            else self._alone(exercise, source, limit)
            for (source, expected), verdict in zip(answers, verdicts, strict=True)
        ]

    def _alone(self, exercise: str, source: str, limit: float | None) -> Verdict:
        ((_, verdict),) = self._run(self.assignment.sequence(exercise, [source]), limit)
        return verdict

    def _whole(self, notebook: NotebookNode) -> dict[str, Verdict]:
        verdicts: dict[str, Verdict] = {}
        for exercise, verdict in self._run(notebook, PATIENT_S):
            if exercise not in verdicts or verdicts[exercise].passed:
                verdicts[exercise] = verdict
        return verdicts

    def _run(self, notebook: NotebookNode, limit: float | None) -> list[tuple[str, Verdict]]:
        """Run one notebook; return exercise and verdict for each test cell."""
        tests = [cell for cell in notebook.cells if is_test(cell)]
        names = [grade_id(cell).removesuffix("_test") for cell in tests]
        for number, cell in enumerate(tests):
            # The engine keeps its verdicts by these names.
            cell.metadata.nbgrader.grade_id = f"test_{number}"
        settings = self.settings
        if limit is not None:
            most = max(60, round(2 * limit + 10 * len(tests)))
            settings = replace(settings, cell_timeout=max(1, round(limit)), notebook_timeout=most)
        started = time.monotonic()
        done = execute(notebook, self.assignment.plan, self._warm.get(), settings, None)
        share = max(1, len(tests))
        common = {
            "seconds": (time.monotonic() - started) / share,
            "cpu_s": done.cpu_s / share,
            "suspected": tuple(done.needs_human),
        }
        self.kernels += 1
        tested = [cell for cell in done.notebook.cells if is_test(cell)]
        return [(name, _verdict(cell, done.passed, common)) for name, cell in zip(names, tested, strict=True)]


def _verdict(cell: NotebookNode, passed: dict[str, bool], common: dict[str, Any]) -> Verdict:
    if passed.get(grade_id(cell)):
        return Verdict(True, **common)
    error = next((output for output in cell.outputs if output.output_type == "error"), None)
    if error is None:
        return Verdict(False, "visible", "NoVerdict", "", **common)
    where = error.traceback[0] if error.traceback else ""
    layer = "hidden" if where in (IN_HIDDEN, IN_ANSWER) else "visible"
    return Verdict(False, layer, error.ename, error.evalue, **common)


def grade_id(cell: NotebookNode) -> str:
    """Return a cell's name in the gradebook, "" if it has none."""
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def _blank(notebook: NotebookNode) -> dict[str, str]:
    """Return the answer cells as learners get them."""
    released, _ = ClearSolutions().preprocess(from_dict(notebook), {})
    return {grade_id(cell): cell.source for cell in released.cells if grade_id(cell) in exercises(notebook)}


def _tree(source: str) -> ast.Module:
    try:
        return parse(plain_python(source))
    except SyntaxError:
        return ast.Module([], [])


@functools.cache
def names_in(source: str) -> frozenset[str]:
    """Return every name that a cell mentions, also as a text, as in `check.defined("f", globals())`."""
    found = set()
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            found.add(node.value)
    return frozenset(found)


@functools.cache
def names_bound(source: str) -> frozenset[str]:
    """Return every name that a cell binds at its top level."""
    return frozenset().union(*map(bound, _tree(source).body))
