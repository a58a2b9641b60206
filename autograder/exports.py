"""`autograder export`: marks in the files that spreadsheets, Moodle and Canvas take.

Only what must change in a roster changes: its columns, rows and other cells stay as they came, since Moodle and
Canvas find learners and assignments by them. A learner is matched with a row by an id that both have, never by
likeness; who fits no row, or more than one, is left out and named.
"""

import argparse
import html
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course import CourseError
from autograder.marks import Person, Submitted, Week, open_class
from autograder.notebooks.twins import write_atomically
from autograder.reports.command import count, file_name
from autograder.rosters import Row, canvas, figure, importable_titles, keys_of, moodle, read_roster, write_csv
from autograder.table import one_line

# Where a cell begins, here or for a program that separates cells otherwise, and begins like a formula.
_BEGINNING = re.compile(r"(^|[;,|\t\r\n])([\s\x00-\x1f\u200b-\u200f\ufeff]*)(?=[=+\-@＝＋－＠])")
_BLANKS = ("\t", "\r", "\n")


@dataclass
class Notes:
    """What is to be told after a file is written; `problems` make the exit code 3."""

    problems: list[str] = field(default_factory=list)
    # Learners by week and reason.
    unfinished: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))


def export(root: Path, options: argparse.Namespace) -> int:
    """Run `autograder export`; return the exit code that its help tells.

    Raises:
        CourseError: a week, the roster or a column does not allow it; nothing is written.
    """
    _check(options)
    with open_class(root) as book:
        weeks = [book.read(week) for week in options.week]
        people = book.people()
    notes = Notes()
    wanted = {week.name: _finished(week, options.include_unfinished, notes) for week in weeks}
    output = options.output or root / "build" / "exports" / f"{_name(options)}.csv"
    comma = options.decimal_comma
    if options.roster:
        content = _filled(weeks, wanted, people, options, notes)
    else:
        if options.format == "moodle":
            rows = _for_moodle(weeks[0], wanted[weeks[0].name], people, options, notes)
        else:
            rows = _for_spreadsheets(weeks, wanted, people, comma)
        content = write_csv(rows, ";" if comma else ",", "\r\n")
        if options.format == "csv" and not options.no_bom:
            content = "\ufeff" + content
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(output, content)
    _tell(output, wanted, notes)
    return 3 if notes.problems else 0


def _check(options: argparse.Namespace) -> None:
    if len(set(options.week)) < len(options.week):
        raise CourseError("a week is named twice")
    if options.format == "csv" and (options.roster or options.column or options.scale or options.feedback):
        raise CourseError("--roster, --column, --scale and --feedback are for --format moodle or canvas")
    if options.format == "canvas" and not options.roster:
        raise CourseError("--format canvas needs --roster: the file that Canvas exports (Gradebook > Export)")
    if options.format == "canvas" and options.feedback:
        raise CourseError("--feedback: Canvas takes no comments from a file of marks")
    if options.format == "moodle" and len(options.week) > 1:
        raise CourseError("--format moodle takes one week: an empty cell of a second one would delete a grade there")


def _name(options: argparse.Namespace) -> str:
    return file_name("+".join(options.week) + ("" if options.format == "csv" else f"-{options.format}"))


def _finished(week: Week, include: bool, notes: Notes) -> dict[str, Submitted]:
    """Return the submissions whose marks go into the file, and note the others."""
    taken = {}
    for student, submitted in week.submissions.items():
        reason = submitted.unfinished()
        if reason and not (include and submitted.graded):
            notes.unfinished[week.name, reason].append(student)
        else:
            taken[student] = submitted
    return taken


def _tell(output: Path, wanted: dict[str, dict[str, Submitted]], notes: Notes) -> None:
    if notes.unfinished:
        told = "left out, not finished (--include-unfinished takes what is graded)"
        number = sum(map(len, notes.unfinished.values()))
        lines = [f"{week}: {reason}: {', '.join(who)}" for (week, reason), who in notes.unfinished.items()]
        _list(f"{count(number, 'mark')} {told}:", lines)
    if notes.problems:
        _list(f"{count(len(notes.problems), 'thing')} to look at:", notes.problems)
    for week, taken in wanted.items():
        print(f"{week}: {count(len(taken), 'mark')}")
    print(output)


def _list(head: str, lines: Sequence[str]) -> None:
    print(f"autograder: {head}", file=sys.stderr)
    for line in lines:
        print(f"  {one_line(line)}", file=sys.stderr)


# Cells


def safe(text: str) -> str:
    """Return a text that no spreadsheet program takes for a formula.

    Excel and LibreOffice run what begins with =, +, - or @, and drop white space before it. An apostrophe in front
    makes it text (OWASP, "CSV Injection"); also behind a comma, semicolon or line end, where a program with other
    settings begins a new cell. Numbers do not pass here: they stay numbers.
    """
    # An id may be the name of a folder that is no text; the file could not be written.
    text = text.encode("utf-8", "backslashreplace").decode()
    text = _BEGINNING.sub(r"\1\2'", text)
    return f"'{text}" if text.startswith(_BLANKS) else text


# Files of our own


def _for_spreadsheets(
    weeks: Sequence[Week], wanted: dict[str, dict[str, Submitted]], people: dict[str, Person], comma: bool
) -> list[list[str]]:
    head = ["student_id", "last_name", "first_name", "email"]
    for week in weeks:
        head += [safe(week.name), safe(f"{week.name} maximum"), safe(f"{week.name} late penalty")]
        head += [safe(f"{week.name} to know")]
    rows = [head]
    for student in sorted(people.keys() | {s for week in weeks for s in week.submissions}):
        person = people.get(student) or Person(student)
        row = [safe(text) for text in (student, person.last_name, person.first_name, person.email)]
        for week in weeks:
            submitted = week.submissions.get(student)
            taken = student in wanted[week.name]
            row.append(figure(submitted.final, comma) if taken else "")
            row.append(figure(week.points, comma))
            row.append(figure(submitted.penalty, comma) if taken else "")
            row.append(safe(_to_know(submitted)))
        rows.append(row)
    return rows


def _to_know(submitted: Submitted | None) -> str:
    if submitted is None:
        return "no submission"
    return submitted.unfinished() or ("handed in nothing" if submitted.absent else "")


def _for_moodle(
    week: Week, wanted: dict[str, Submitted], people: dict[str, Person], options: argparse.Namespace, notes: Notes
) -> list[list[str]]:
    """Return a file for Moodle's "Import > CSV file"; who has no mark has no row: an empty cell deletes a grade."""
    rows = [["Username", "First name", "Last name", "Email address", *importable_titles(week.name, options.feedback)]]
    for student, submitted in wanted.items():
        person = people.get(student) or Person(student)
        row = [safe(text) for text in (student, person.first_name, person.last_name, person.email)]
        if (row[0], row[3]) != (student, person.email):
            notes.problems.append(f"{student}: begins like a formula and got an apostrophe; enter this mark by hand")
        row.append(figure(submitted.final, options.decimal_comma))
        rows.append(row + ([feedback(submitted, week)] if options.feedback else []))
    return rows


def feedback(submitted: Submitted, week: Week) -> str:
    """Return what graders wrote about the answers, and a late penalty, as HTML: Moodle takes nothing else."""
    names = {item.key: item.exercise for item in week.items}
    lines = [f"{names.get(key, key[1])}: {text}" for key, text in submitted.comments if text != "No response."]
    if submitted.penalty:
        lines.append(f"{figure(submitted.penalty)} points taken off for being late")
    return safe("<br>".join(html.escape(line).replace("\n", "<br>") for line in lines))


# Rosters


def _filled(weeks: Sequence[Week], wanted, people: dict[str, Person], options, notes: Notes) -> str:
    """Return a roster with the marks of all weeks in it."""
    roster = read_roster(options.roster)
    points = {week.name: week.points for week in weeks}
    make = canvas if options.format == "canvas" else moodle
    sheet = make(roster, points, _asked(options, weeks), options)
    students = sorted({s for week in weeks for s in week.submissions})
    matched, problems = match(sheet.rows, [people.get(s) or Person(s) for s in students])
    notes.problems += problems
    for week in weeks:
        for student, submitted in wanted[week.name].items():
            if student in matched:
                text = feedback(submitted, week) if options.feedback else ""
                if problem := sheet.enter(matched[student], week.name, submitted.final, text):
                    notes.problems.append(f"{week.name}: {student}: {problem}")
    return sheet.text()


def _asked(options: argparse.Namespace, weeks: Iterable[Week]) -> dict[str, str]:
    asked = {}
    for text in options.column:
        name, equals, title = text.partition("=")
        if not equals or name not in {week.name for week in weeks}:
            raise CourseError(f"--column {text!r}: write WEEK=TITLE, with a week that is exported")
        asked[name] = title
    return asked


def match(rows: Sequence[Row], people: Sequence[Person]) -> tuple[dict[str, Row], list[str]]:
    """Match learners with the rows of a roster by ids that both have.

    Returns:
        The row by learner; and what did not work out: no row, more than one, or a row for two.
    """
    by_id: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        for key in row.ids:
            by_id[key].append(row)
    found: dict[str, list[Row]] = {}
    for person in people:
        candidates = {id(row): row for key in keys_of(person) for row in by_id[key]}
        found[person.id] = list(candidates.values())
    claims = Counter(id(row) for candidates in found.values() for row in candidates)
    matched, problems, touched = {}, [], set()
    for student, candidates in found.items():
        touched |= {id(row) for row in candidates}
        if not candidates:
            problems.append(f"{student}: no such learner in the roster")
        elif len(candidates) > 1:
            where = ", ".join(row.told for row in candidates)
            problems.append(f"{student}: more than one row of the roster fits ({where}); fill it in by hand")
        elif claims[id(candidates[0])] > 1:
            problems.append(f"{student}: {candidates[0].told} fits another learner as well; fill it in by hand")
        else:
            matched[student] = candidates[0]
    problems += [f"{row.told}: nothing was handed in under this name or id" for row in rows if id(row) not in touched]
    return matched, problems
