"""`autograder quality`: measure the tests of assignments and report."""

import argparse
from pathlib import Path

from autograder.course import CourseError, check_known
from autograder.engine.report import show_progress
from autograder.engine.sandbox import SandboxError
from autograder.notebooks import twins
from autograder.quality.report import print_studies, write_json, write_pages
from autograder.quality.runs import Assignment, Judge
from autograder.quality.study import Study, study


def measure(root: Path, options: argparse.Namespace) -> int:
    """Measure the weeks asked for; print, write the pages and the JSON file, and return 0 if nothing is to be mended.

    Raises:
        CourseError: an unknown week or exercise, or no sandbox on this machine.
    """
    known = sorted({twin.name.parts[1] for twin in twins.find(root) if twin.graded})
    check_known(options.week, known)
    if not known:
        raise CourseError("there is no assignment in source/")
    studies = []
    for week in options.week or known:
        try:
            studies.append(_study(root, week, options))
        except SandboxError as error:
            raise CourseError(f"{error}; `autograder doctor` says what to do") from None
    print_studies(studies)
    for page in write_pages(studies, options.html or root / "build" / "quality"):
        print(page)
    if options.json:
        write_json(studies, options.json)
    return 1 if any(s.problems() for s in studies) else 0


def _study(root: Path, week: str, options: argparse.Namespace) -> Study:
    assignment = Assignment(root, week)
    names = options.exercise or assignment.exercises
    unknown = [name for name in names if name not in assignment.exercises]
    if unknown:
        raise CourseError(f"{week} has no exercise {unknown[0]!r}; there are: {', '.join(assignment.exercises)}")
    with Judge(assignment, options.jobs, sandbox=not options.no_sandbox) as judge:
        return study(
            assignment,
            judge,
            names,
            with_mutants=not options.no_mutants,
            all_mutants=options.all_mutants,
            with_fairness=not options.no_fairness,
            progress=show_progress,
        )
