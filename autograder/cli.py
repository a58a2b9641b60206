"""The `autograder` command."""

import argparse
import contextlib
import gc
import os
import sys
from pathlib import Path

from autograder.course import CourseError, find_root, path_with_programs, start_sooner
from autograder.table import one_line

# 128 and the number of SIGPIPE, which not every system has.
_CLOSED_PIPE = 141
_GRADE_HELP = """\
exit codes:
  0    every submission is graded
  1    the course or this machine does not allow it; the message says what to do
  2    wrong usage
  3    some submissions could not be graded; the table and the run record say which and why
  130  stopped; what was graded is kept, and the same command goes on
  141  nobody reads the output any more (a closed pipe); as 130

Modules to import once, before kernels are forked, are found in the assignment's own imports; to choose
them, name them in the course's pyproject.toml:

  [tool.autograder.warm]
  default = ["torch", "d2l.torch"]
  week07_text = ["torch", "d2l.torch", "sentencepiece"]
"""

_REPORT_HELP = """\
exit codes:
  0  the page is written; its path is printed
  1  there is no gradebook yet, or the week or learner is not in it
  2  wrong usage

The page is one file without scripts, for a browser. It names learners and may quote hidden tests: it is for those
who teach. Learners get the pages of `nbgrader generate_feedback`.
"""

_EXPORT_HELP = """\
formats:
  csv     one row a learner, for Excel, LibreOffice and pandas; several weeks side by side
  moodle  with a grading worksheet as --roster: the same file with its Grade column filled (one week). With another
          list of participants, or none: a file for "Import > CSV file" of the gradebook
  canvas  the file that Canvas exports (Gradebook > Export) as --roster, with the weeks' columns filled

exit codes:
  0  every final mark is in the file
  1  the course, the roster or the columns do not allow it; nothing is written, the message says what to do
  2  wrong usage
  3  written, but some learners have no row or more than one, some rows have no learner, or a cell may not be
     changed; stderr lists them
Unfinished marks (a hand grade waits, or a person must look) are left out and listed, and change no exit code.
"""

_QUALITY_HELP = """\
exit codes:
  0  all right answers are accepted, all wrong ones rejected, a blank one earns nothing, nothing is unfair, and at
     least 95 % of the mutants that are not equivalent are noticed
  1  something must be mended; the last lines say what

A mutant that survives is a test that is missing, or a mutant that behaves as the reference does. List the
second kind in variants.py, with its changed lines as they are printed:

  # %% squared_loss equivalent: a batch is never empty here
  # - if n > 0:
  # + if n >= 0:
"""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return 0 for success, 1 for a finding or failure, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="autograder", description=__doc__)
    parser.add_argument("--root", type=Path, help="the course directory (default: the one around the current folder)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    notebooks = commands.add_parser("notebooks", help="build the .ipynb files from their text twins")
    notebooks.add_argument("--check", action="store_true", help="write nothing; fail if a file differs")
    notebooks.add_argument("--pull", action="store_true", help="take edits made in an .ipynb into its text first")
    notebooks.add_argument("--force", action="store_true", help="drop edits that only an .ipynb holds")
    notebooks.set_defaults(run=_notebooks)

    release = commands.add_parser("release", help="make release/ from source/ with nbgrader")
    release.add_argument("--check", action="store_true", help="write nothing; fail if a file differs")
    release.set_defaults(run=_release)

    intake = commands.add_parser("intake", help="mend and list damaged submissions before they are graded")
    intake.add_argument("assignment", help="name of the assignment, such as week03_linear_regression")
    intake.set_defaults(run=_intake)

    grade = commands.add_parser(
        "grade",
        help="grade what is new or changed, safely and in parallel",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_GRADE_HELP,
    )
    grade.add_argument("assignment", help="name of the assignment, such as week03_linear_regression")
    grade.add_argument(
        "--student", action="append", default=[], metavar="ID", help="only this learner; may be repeated"
    )
    grade.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1), help="submissions at a time")
    grade.add_argument("--timeout", type=int, help="seconds a cell may take")
    grade.add_argument("--memory", type=int, metavar="MB", help="memory a submission may use beyond what is shared")
    grade.add_argument("--force", action="store_true", help="grade also what has not changed")
    grade.add_argument(
        "--no-sandbox",
        action="store_true",
        help="run learners' code with your own rights: only where no sandbox can be made, and you trust them all",
    )
    grade.add_argument("--scheduler", metavar="ADDRESS", help="grade on a Dask cluster, such as tcp://HOST:8786")
    grade.set_defaults(run=_grade)

    doctor = commands.add_parser("doctor", help="what this machine can and cannot do, and how to get it")
    doctor.add_argument("--json", action="store_true", help="for machines")
    doctor.set_defaults(run=_doctor)

    bench = commands.add_parser("bench", help="measure the engine beside stock nbgrader; write bench.json")
    bench.add_argument("--stock-sample", type=int, metavar="N", help="submissions of each class that stock grades")
    bench.add_argument("--only", choices=("trivial", "week03"), help="one of the two classes")
    bench.set_defaults(run=_bench)

    feedback = commands.add_parser("feedback", help="write the feedback pages of everybody who was graded")
    feedback.add_argument("assignment", help="name of the assignment, such as week03_linear_regression")
    feedback.add_argument(
        "--student", action="append", default=[], metavar="ID", help="only this learner; may be repeated"
    )
    feedback.add_argument("--show-hidden", action="store_true", help="show hidden tests and rubrics, as nbgrader does")
    feedback.set_defaults(run=_feedback)

    quality = commands.add_parser(
        "quality",
        help="measure the tests of assignments: right answers, wrong ones, mutants",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_QUALITY_HELP,
    )
    quality.add_argument("week", nargs="*", help="names of assignments (default: all)")
    quality.add_argument(
        "--exercise", action="append", default=[], metavar="NAME", help="only this one; may be repeated"
    )
    quality.add_argument("--json", type=Path, metavar="FILE", help="also write what was measured for machines")
    quality.add_argument("--html", type=Path, metavar="FOLDER", help="where the pages go (default: build/quality)")
    quality.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1), help="answers at a time")
    quality.add_argument("--no-mutants", action="store_true", help="only the reference, the blank answer and variants")
    quality.add_argument("--all-mutants", action="store_true", help="all of them also where an answer trains for long")
    quality.add_argument("--no-fairness", action="store_true", help="only the answers themselves")
    quality.add_argument("--no-sandbox", action="store_true", help="run answers with your own rights")
    quality.set_defaults(run=_quality)

    report = commands.add_parser(
        "report",
        help="write a page about a week of the class, or about one learner",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_REPORT_HELP,
    )
    about = report.add_mutually_exclusive_group(required=True)
    about.add_argument("week", nargs="?", help="name of the assignment, such as week03_linear_regression")
    about.add_argument("--student", metavar="ID", help="a learner, over all weeks")
    report.add_argument("--output", type=Path, metavar="FILE", help="where the page goes (default: build/reports/)")
    report.set_defaults(run=_report_page)

    export = commands.add_parser(
        "export",
        help="write marks for spreadsheets, Moodle or Canvas",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_EXPORT_HELP,
    )
    export.add_argument("week", nargs="+", help="names of assignments")
    export.add_argument("--format", choices=("csv", "moodle", "canvas"), default="csv")
    export.add_argument("--output", type=Path, metavar="FILE", help="where it goes (default: build/exports/)")
    export.add_argument("--roster", type=Path, metavar="FILE", help="what Moodle or Canvas exported")
    export.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="WEEK=TITLE",
        help="the roster's column for a week, if its title is not the week's name; may be repeated",
    )
    export.add_argument("--scale", action="store_true", help="convert marks to the roster's maximum, if it differs")
    export.add_argument("--feedback", action="store_true", help="moodle: also the comments of graders")
    export.add_argument("--include-unfinished", action="store_true", help="also marks that can still change")
    export.add_argument("--decimal-comma", action="store_true", help="write 7,5 and semicolons between columns")
    export.add_argument("--no-bom", action="store_true", help="csv: without the mark by which Excel knows UTF-8")
    export.set_defaults(run=_export)

    demo = commands.add_parser("demo", help="hand in, grade and report a simulated class")
    demo.add_argument("week", nargs="*", help="names of assignments (default: the first)")
    demo.set_defaults(run=_demo)

    _open_standard_streams()
    options = parser.parse_args(argv)
    os.environ["PATH"] = path_with_programs()
    start_sooner()
    try:
        # Also where there is no course: that is one of the things it says.
        root = options.root if options.run is _doctor else find_root(options.root)
        code = options.run(root, options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Nobody reads on (`| head`), as the shell says it of other programs. Nor may Python try again at its end.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        return _CLOSED_PIPE
    except (CourseError, OSError) as error:
        # No space left, no permission, no such file: the system's words and the file say enough.
        print("\n".join(map(one_line, f"autograder: {error}".split("\n"))), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("autograder: stopped; run the same command again to go on", file=sys.stderr)
        return 130


def _open_standard_streams() -> None:
    """Make standard streams that can be written whatever they are told, also where they are closed (`>&-`)."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest that is free, so this one; sockets that get it would be taken for a standard stream.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, "w" if descriptor else "r", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A learner's id may hold what the terminal cannot show.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


# The subcommands import what they need themselves: the others then start at once.


def _notebooks(root: Path, options: argparse.Namespace) -> int:
    from autograder.notebooks import twins

    different = twins.build(root, check=options.check, pull=options.pull, force=options.force)
    return _report(different, options.check, "notebooks", len(twins.find(root)))


def _release(root: Path, options: argparse.Namespace) -> int:
    from autograder import release
    from autograder.course import assignments

    different = release.build(root, check=options.check)
    return _report([Path("release") / name for name in different], options.check, "release", len(assignments(root)))


def _report(different: list[Path], check: bool, command: str, total: int) -> int:
    for path in different:
        print(f"{'differs' if check else 'wrote'}  {path.as_posix()}")
    if check and different:
        print(f"run `make {command}` and commit the result", file=sys.stderr)
        return 1
    if not different:
        print(f"{command}: all {total} up to date")
    return 0


def _intake(root: Path, options: argparse.Namespace) -> int:
    from autograder.course import assignments, check_known, load_config
    from autograder.intake import check_submissions

    check_known([options.assignment], assignments(root))
    with contextlib.chdir(root):
        load_config()
    findings = check_submissions(root, options.assignment)
    for finding in findings:
        print(one_line(f"{finding.student_id}: {finding.text}"))
    print(f"intake: {len(findings)} findings")
    return 0


def _grade(root: Path, options: argparse.Namespace) -> int:
    if options.no_sandbox:
        print(
            "autograder: WARNING: --no-sandbox: learners' code runs with your rights; it can read your files, "
            "the gradebook and the solutions, change them, and use the network",
            file=sys.stderr,
        )
    if not options.scheduler:
        from autograder.engine.warm import begin_shared

        # Imports take longest: let them run beside this program's own.
        begin_shared(root, options.assignment, sandboxed=not options.no_sandbox)
    # What the imports make stays: no use in looking through it for garbage, now or later.
    gc.disable()
    from autograder.engine.grade import Options, grade

    gc.freeze()
    gc.enable()
    asked = Options(
        assignment=options.assignment,
        students=tuple(options.student),
        jobs=options.jobs,
        timeout=options.timeout,
        memory_mb=options.memory,
        force=options.force,
        scheduler=options.scheduler,
        sandbox=not options.no_sandbox,
    )
    return grade(root, asked)


def _doctor(root: Path | None, options: argparse.Namespace) -> int:
    from autograder import doctor

    return doctor.run(root, as_json=options.json)


def _bench(root: Path, options: argparse.Namespace) -> int:
    from autograder import bench

    chosen = {"only": (options.only,)} if options.only else {}
    return bench.run(root, stock_sample=options.stock_sample or bench.STOCK_SAMPLE, **chosen)


def _feedback(root: Path, options: argparse.Namespace) -> int:
    from autograder.feedback import make_feedback

    return make_feedback(root, options.assignment, tuple(options.student), show_hidden=options.show_hidden)


def _report_page(root: Path, options: argparse.Namespace) -> int:
    sys.modules.setdefault("rfc3987_syntax", None)  # as in _grade
    from autograder.reports.command import report_learner, report_week

    output = options.output.resolve() if options.output else None
    if options.student is not None:
        print(report_learner(root, options.student, output))
    else:
        print(report_week(root, options.week, output))
    return 0


def _export(root: Path, options: argparse.Namespace) -> int:
    sys.modules.setdefault("rfc3987_syntax", None)  # as in _grade
    from autograder.exports import export

    return export(root, options)


def _quality(root: Path, options: argparse.Namespace) -> int:
    from autograder.quality.command import measure

    return measure(root, options)


def _demo(root: Path, options: argparse.Namespace) -> int:
    from autograder import demo

    return demo.run(root, options.week)
