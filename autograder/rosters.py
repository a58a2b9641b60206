"""Rosters: the files in which Moodle and Canvas list learners, and take marks back.

What is said here about them was read in their own programs: Canvas's `gradebook_exporter.rb` and
`gradebook_importer.rb`, Moodle's `mod/assign/feedback/offline` (the grading worksheet) and its pages on grade import.
"""

import argparse
import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from autograder.course import CourseError
from autograder.downloads import moodle_ids
from autograder.marks import Person

# A cell may hold a learner's whole text ("Online text" of a worksheet).
_LONGEST_CELL = 50_000_000
_WITH_ID = re.compile(r"(?P<title>.*) \((?P<id>\d+)\)\s*\Z", re.DOTALL)
# Rows of Canvas that are not learners say nothing else.
_NO_LEARNER = re.compile(r"\s*(Muted|Manual Posting.*)?\s*", re.IGNORECASE | re.DOTALL)


@dataclass
class Row:
    """One learner of a roster; `ids` are all that may be theirs, `told` names them in messages."""

    cells: list[str]
    ids: frozenset[str]
    told: str


@dataclass
class Roster:
    """A table as it was in the file, and how it was written."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    delimiter: str = ","
    newline: str = "\n"
    bom: bool = False

    def column(self, *names: str) -> int | None:
        """Return the place of the first column with one of these titles, whatever their case."""
        titles = [title.strip().casefold() for title in self.header]
        return next((titles.index(name.casefold()) for name in names if name.casefold() in titles), None)

    def text(self) -> str:
        """Return it as the content of a file."""
        return ("\ufeff" if self.bom else "") + write_csv([self.header, *self.rows], self.delimiter, self.newline)


class Sheet(Protocol):
    """A roster that takes marks."""

    rows: list[Row]

    def enter(self, row: Row, week: str, mark: float, feedback: str) -> str | None:
        """Enter a mark; return why that cannot be, or None."""

    def text(self) -> str:
        """Return the content of the file."""


def read_roster(path: Path) -> Roster:
    """Read a CSV file with a header, of either separator.

    Raises:
        CourseError: it is not UTF-8, or no table.
    """
    content = path.read_bytes()
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text, bom = content.decode("utf-16"), True
        else:
            text, bom = content.decode("utf-8-sig"), content.startswith(b"\xef\xbb\xbf")
    except UnicodeDecodeError:
        raise CourseError(f"{path} is not UTF-8 text: export it anew, or save it as CSV in UTF-8") from None
    csv.field_size_limit(_LONGEST_CELL)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    try:
        table = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except csv.Error as error:
        raise CourseError(f"{path} is no CSV file: {error}") from None
    if not table:
        raise CourseError(f"{path} is empty")
    header, *rows = table
    padded = [row + [""] * (len(header) - len(row)) for row in rows]
    return Roster(path, header, padded, delimiter, "\r\n" if "\r\n" in text else "\n", bom)


def write_csv(rows: Sequence[Sequence[str]], delimiter: str, newline: str) -> str:
    """Return a table as CSV."""
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, lineterminator=newline).writerows(rows)
    return file.getvalue()


def figure(value: float, comma: bool = False) -> str:
    """Return a number with up to five decimals, as many as Moodle keeps."""
    text = f"{round(value, 5) + 0.0:.5f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if comma else text


def keys_of(person: Person) -> set[str]:
    """Return the ids by which a learner of the gradebook is found in a roster."""
    return {_key(text) for text in (person.id, person.email)} - {""}


def importable_titles(week: str, with_feedback: bool) -> list[str]:
    """Return the columns of a week in a file for Moodle's grade import."""
    return [week] + ([f"{week} feedback"] if with_feedback else [])


def _key(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()


def _cell(cells: list[str], place: int | None) -> str:
    return cells[place].strip() if place is not None and place < len(cells) else ""


def _number(text: str) -> float | None:
    """Read a number of either decimal mark, with or without separators between thousands."""
    text = text.strip().removesuffix("%").replace("\u00a0", "").replace(" ", "")
    found = re.fullmatch(r"(-?)(\d{1,3}(?:\.\d{3})+|\d*)(?:,(\d*))?", text)
    found = found or re.fullmatch(r"(-?)(\d{1,3}(?:,\d{3})+|\d*)(?:\.(\d*))?", text)
    if not found or not re.search(r"\d", text):
        return None
    sign, whole, rest = found.groups()
    if rest is None and re.fullmatch(r"\d+[.,]\d{3}", whole):
        # One mark: that of decimals, since no maximum is so large.
        return float(sign + whole.replace(",", "."))
    return float(f"{sign}{re.sub('[.,]', '', whole) or 0}.{rest or 0}")


def _maximum(path: Path, text: str) -> float:
    if (number := _number(text)) is None:
        raise CourseError(f"{path}: the maximum {text!r} is no number")
    return number


def _has_comma(texts: Sequence[str]) -> bool:
    """Whether these numbers have a decimal comma."""
    numbers = [text.strip() for text in texts]
    return any(re.fullmatch(r"\d+,\d+", text) for text in numbers) and not any("." in text for text in numbers)


# Canvas


def canvas(roster: Roster, points: dict[str, float], asked: dict[str, str], options: argparse.Namespace) -> "Canvas":
    """Return Canvas's exported gradebook, ready for the marks of some weeks.

    Raises:
        CourseError: it is none, or a week has no column, a read-only one, or one with another maximum.
    """
    return Canvas(roster, points, asked, options)


class Canvas:
    """The file of Gradebook > Export.

    Canvas finds learners by ID (then SIS ids, then name) and assignments by the number behind their title, skips
    the rows of posting policies and points, and ignores columns that say "(read only)" there.
    """

    def __init__(
        self, roster: Roster, points: dict[str, float], asked: dict[str, str], options: argparse.Namespace
    ) -> None:
        self._roster = roster
        first = roster.header[0] if roster.header else ""
        self._id = roster.column("ID")
        if (
            not first.strip().startswith(("Student", "LastName"))
            or self._id is None
            or roster.column("Section") is None
        ):
            raise CourseError(
                f"{roster.path} is not a gradebook of Canvas (Student, ID, ..., Section): use Gradebook > Export"
            )
        self._points = next((row for row in roster.rows if "Points Possible" in row[0]), None)
        if self._points is None:
            raise CourseError(f'{roster.path} has no row "Points Possible": use the file as Canvas exported it')
        self._comma = options.decimal_comma or _has_comma(self._points)
        self._columns = {week: self._column(week, asked.get(week)) for week in points}
        if len(set(self._columns.values())) < len(self._columns):
            raise CourseError("two weeks have the same column")
        self._factors = {week: self._factor(week, points[week], options.scale) for week in points}
        self.rows = [self._row(cells) for cells in roster.rows if self._is_learner(cells)]

    def _is_learner(self, cells: list[str]) -> bool:
        # The last is the test student that Canvas lists in every course.
        return not (
            cells is self._points
            or all(_NO_LEARNER.fullmatch(cell) for cell in cells)
            or cells[0].strip() == "Student, Test"
        )

    def _row(self, cells: list[str]) -> Row:
        places = (self._id, *(self._roster.column(name) for name in ("SIS User ID", "SIS Login ID", "Integration ID")))
        ids = frozenset(key for place in places if (key := _key(_cell(cells, place))))
        names = [cells[1], cells[0]] if self._roster.header[0].strip() == "LastName" else [cells[0]]
        return Row(cells, ids, f"{' '.join(names).strip()} ({_cell(cells, self._id)})")

    def _column(self, week: str, asked: str | None) -> int:
        found = {place: match for place, title in enumerate(self._roster.header) if (match := _WITH_ID.match(title))}
        wanted = asked if asked is not None else week
        fits = [p for p, m in found.items() if wanted.strip() in (m[0].strip(), m["title"].strip(), m["id"])]
        if not fits and asked is None:
            fits = [place for place, match in found.items() if _words(match["title"]) == _words(week)]
        if len(fits) == 1:
            return fits[0]
        titles = ", ".join(repr(self._roster.header[p]) for p in (fits or found)) or "none"
        said = "more than one column" if fits else "no column"
        raise CourseError(
            f"{said} of {self._roster.path} for {wanted!r} (there: {titles}); name one with --column '{week}=TITLE', "
            "and make the assignment in Canvas first if it is not there"
        )

    def _factor(self, week: str, points: float, scale: bool) -> float:
        told = _cell(self._points, self._columns[week])
        title = self._roster.header[self._columns[week]]
        if "read only" in told:
            raise CourseError(f"{title!r} is a read-only column of Canvas")
        there = _maximum(self._roster.path, told) if told else None
        return _factor(f"{title!r} of Canvas", week, points, there, scale)

    def enter(self, row: Row, week: str, mark: float, feedback: str = "") -> str | None:
        """Enter a mark, except where Canvas has something that is none."""
        place = self._columns[week]
        if row.cells[place].strip().casefold() == "n/a":
            return "Canvas has not assigned this to the learner"
        if row.cells[place].strip().casefold() == "ex":
            return "excused in Canvas"
        row.cells[place] = figure(mark * self._factors[week], self._comma)
        return None

    def text(self) -> str:
        """Return the file for Gradebook > Import."""
        return self._roster.text()


def _words(title: str) -> list[str]:
    """Return the words and numbers of a title: those of week03_mlp and of "Week 3: MLP" are the same."""
    found = re.findall(r"\d+|[^\W\d_]+", unicodedata.normalize("NFC", title).casefold())
    return [word.lstrip("0") or "0" if word.isdigit() else word for word in found]


def _factor(where: str, week: str, points: float, there: float | None, scale: bool) -> float:
    """Return what marks are multiplied by."""
    if there is None or abs(there - points) < 1e-9:
        return 1.0
    if not scale or points <= 0:
        raise CourseError(
            f"{where} has {figure(there)} points and {week} has {figure(points)}: make them equal, or use --scale"
        )
    return there / points


# Moodle


def moodle(roster: Roster, points: dict[str, float], asked: dict[str, str], options: argparse.Namespace) -> Sheet:
    """Return Moodle's grading worksheet, or a list of participants, ready for the marks of one week.

    Raises:
        CourseError: it is neither, or the maximum is another.
    """
    if asked:
        raise CourseError("--column is for --format canvas: Moodle's files say themselves which column it is")
    ((week, maximum),) = points.items()
    if roster.column("Identifier") is not None:
        return Worksheet(roster, week, maximum, options)
    return Participants(roster, week, options)


def _moodle_row(roster: Roster, cells: list[str], number: str = "") -> Row:
    """Return a row with all ids that it may have: those of a download, and Moodle's own."""
    parts = [_cell(cells, roster.column("First name")), _cell(cells, roster.column("Last name", "Surname"))]
    name = _cell(cells, roster.column("Full name")) or " ".join(parts).strip()
    own = (_cell(cells, roster.column(*names)) for names in (["ID number"], ["Username"], ["Email address", "Email"]))
    identifier = _cell(cells, roster.column("Identifier"))
    ids = {_key(text) for text in own} | {_key(text) for text in moodle_ids(name, number)}
    # Where names are hidden from graders, the download is named by this.
    ids |= moodle_ids(identifier) if identifier else set()
    return Row(cells, frozenset(ids - {""}), f"{name} ({identifier})" if identifier else name)


class Worksheet:
    """The grading worksheet of an assignment ("View all submissions > Download grading worksheet").

    Moodle finds learners by Identifier, needs the column "Last modified (grade)" as it was, passes over empty
    grades and those above the maximum, and takes feedback as HTML.
    """

    def __init__(self, roster: Roster, week: str, points: float, options: argparse.Namespace) -> None:
        self._roster = roster
        self._grade, self._most = roster.column("Grade"), roster.column("Maximum grade")
        self._changeable, self._feedback = roster.column("Grade can be changed"), roster.column("Feedback comments")
        if self._grade is None or roster.column("Last modified (grade)") is None:
            raise CourseError(
                f"{roster.path} is not a grading worksheet of Moodle in English (Identifier, Grade, Last modified "
                "(grade), ...)"
            )
        if self._most is None:
            raise CourseError(f"{roster.path} has no maximum grade: the assignment uses a scale in Moodle, not points")
        if options.feedback and self._feedback is None:
            raise CourseError(f'{roster.path} has no column "Feedback comments": switch it on in Moodle\'s assignment')
        told = [_cell(cells, self._most) for cells in roster.rows]
        self._comma = options.decimal_comma or _has_comma(told)
        maxima = {_maximum(roster.path, text) for text in told if text}
        if len(maxima) > 1:
            raise CourseError(f"{roster.path} has more than one maximum grade")
        self._maximum = next(iter(maxima), None)
        self._factor = _factor("the worksheet of Moodle", week, points, self._maximum, options.scale)
        self.rows = []
        for cells in roster.rows:
            number = re.search(r"(\d+)\s*\Z", _cell(cells, roster.column("Identifier")))
            self.rows.append(_moodle_row(roster, cells, number[1] if number else ""))

    def enter(self, row: Row, week: str, mark: float, feedback: str) -> str | None:
        """Enter a mark, and feedback if there is any."""
        if _cell(row.cells, self._changeable).casefold() == "no":
            return "this grade cannot be changed in Moodle"
        mark *= self._factor
        if self._maximum is not None and mark > self._maximum + 1e-9:
            return f"{figure(mark)} is above the maximum, and Moodle would pass over it"
        row.cells[self._grade] = figure(mark, self._comma)
        if feedback:
            row.cells[self._feedback] = feedback
        return None

    def text(self) -> str:
        """Return the file for "Upload grading worksheet"."""
        return self._roster.text()


@dataclass
class Participants:
    """Any other list of Moodle with names or addresses, for "Import > CSV file" of the gradebook.

    Of the list only the columns stay by which the import finds learners, and of the learners those with a mark: an
    empty cell would delete a grade.
    """

    roster: Roster
    week: str
    options: argparse.Namespace
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = ("Username", "ID number", "First name", "Last name", "Surname", "Full name", "Email address", "Email")
        self._kept = [place for name in names if (place := self.roster.column(name)) is not None]
        if self.roster.column("Username", "ID number", "Email address", "Email") is None:
            raise CourseError(
                f"{self.roster.path} has none of the columns by which Moodle finds learners (Email address, "
                "ID number, Username), and is no grading worksheet"
            )
        self.rows = [_moodle_row(self.roster, cells) for cells in self.roster.rows]
        self._entered: list[list[str]] = []

    def enter(self, row: Row, week: str, mark: float, feedback: str) -> str | None:
        """Enter a mark."""
        ending = [figure(mark, self.options.decimal_comma)] + ([feedback] if self.options.feedback else [])
        self._entered.append([row.cells[place] for place in self._kept] + ending)
        return None

    def text(self) -> str:
        """Return the file for the import."""
        header = [self.roster.header[place] for place in self._kept]
        header += importable_titles(self.week, self.options.feedback)
        return write_csv([header, *self._entered], self.roster.delimiter, self.roster.newline)
