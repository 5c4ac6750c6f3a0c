"""Reads a roster: the course platform's list of students, as downloaded or saved from a spreadsheet.

It reads Canvas gradebooks, Gradescope rosters and any table with a heading that identifies students; separated by
commas, semicolons or tabs; in UTF-8, Excel's UTF-16 or Windows-1252. No cell is changed: ids stay text.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import ExportError
from autograder.core.student_key import student_key
from autograder.core.text import listed, printable

LARGEST = 64 * 1024 * 1024
"""Maximum size in bytes."""

CANVAS_ID = "id"
"""Canvas's own number of a student, which no other system uses."""

_IDS = frozenset(
    "id/student id/studentid/student number/user id/username/user name/login/login id/net id/netid/sid/sis id"
    "/sis user id/sis login id/integration id".split("/")
)
_EMAILS = frozenset("email/e mail/email address/e mail address/mail".split("/"))
_FIRST = frozenset("first name/firstname/given name".split("/"))
_LAST = frozenset("last name/lastname/surname/family name".split("/"))
_NAMES = frozenset("name/student name/full name".split("/"))
_NOT_STUDENTS = re.compile(r"instructor|teacher|ta\b|teaching|reader|observer|designer|staff", re.IGNORECASE)
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # begins with UTF-16's mark, so it comes first
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Person:
    """A student on the roster."""

    row: int
    """Index in `Roster.rows`."""
    line: int
    """Line of the file on which the row begins, counted from 1."""
    first_name: str
    last_name: str
    sid: str
    """The platform's student id; empty if it has none."""
    email: str
    section: str
    ids: tuple[tuple[str, str], ...]
    """(Normal heading, cell) of each cell that identifies the student and is not empty."""
    is_student: bool
    """False for staff and for the platform's test student."""

    @property
    def label(self) -> str:
        """Name and id, safe to print."""
        name = f"{self.first_name} {self.last_name}".strip()
        who = self.sid or self.email or next((cell for _, cell in self.ids), "")
        return printable(f"{name} ({who})" if name and who else name or who or f"line {self.line}")


@dataclass(frozen=True)
class Roster:
    """The content of a roster file."""

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """All rows below the header, unchanged; including rows that are not students."""
    people: tuple[Person, ...]
    delimiter: str
    newline: str
    marked: bool
    """Whether the file began with a UTF-8 byte order mark."""
    notes: tuple[str, ...]
    """Remarks about the file."""
    is_canvas: bool
    """Whether it has the first columns of a Canvas gradebook."""

    def column(self, heading: str) -> int:
        """The index of the first column with this heading.

        Raises:
            ExportError: there is none.
        """
        headings = [normal(each) for each in self.header]
        if normal(heading) not in headings:
            seen = listed([printable(each, 30) for each in self.header], 8)
            raise ExportError(f"{self.path} has no column {heading!r}; its columns are: {seen}.")
        return headings.index(normal(heading))


def normal(heading: str) -> str:
    """A heading in lower case, without byte order mark; underscores, hyphens and blanks become single blanks."""
    return " ".join(re.sub(r"[\s_\-]+", " ", heading.replace("\ufeff", "")).casefold().split())


def read_roster(path: Path, by: str = "") -> Roster:
    """Reads a roster.

    Args:
        by: a heading that identifies students, also if it is not a known one.

    Raises:
        ExportError: the file cannot be read as a table, or none of its headings identifies students.
    """
    text, marked, notes = _decoded(path)
    named = re.match(r"sep=(.)\r?\n", text)  # Excel writes this line
    text = text[named.end() :] if named else text
    delimiter = named.group(1) if named else _delimiter(text, by)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    skipped = 1 if named else 0
    line = skipped + 1
    try:
        for row in reader:
            if rows or any(cell.strip() for cell in row):
                rows.append(tuple(row))
                lines.append(line)
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        raise ExportError(
            f"{path}, line {line}: not a CSV file ({error}); save it again as CSV, or download it again."
        ) from None
    header = rows[0] if rows else ()
    headings = list(map(normal, header))
    if not (by and normal(by) in headings) and not {*headings} & (_IDS | _EMAILS | {"student"}):
        seen = ", ".join(printable(cell, 30) for cell in header[:8]) or "nothing"
        raise ExportError(
            f"{path}: no heading in the first line identifies students (it has: {seen}). Add one of: student, "
            "id, sid, student id, sis user id, sis login id, login id, username, email."
        )
    is_canvas = headings[:2] == ["student", "id"] or headings[:3] == ["lastname", "firstname", "id"]
    people = tuple(
        _person(number, lines[number + 1], headings, row, is_canvas)
        for number, row in enumerate(rows[1:])
        if any(cell.strip() for cell in row) and not (is_canvas and _is_about_assignments(row))
    )
    newline = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    return Roster(path, header, tuple(rows[1:]), people, delimiter, newline, marked, notes, is_canvas)


def canvas_numbers(roster: Roster, by: str = "") -> dict[str, str]:
    """Returns Canvas's number of a student → the student's id.

    Args:
        by: the heading of the ids; if empty, the roster's student id, else the login, else the e-mail address.

    Raises:
        ExportError: it is not a Canvas gradebook, has no such heading, or two students have the same id.
    """
    headings = [normal(heading) for heading in roster.header]
    if not roster.is_canvas:
        raise ExportError(f"{roster.path} is not a Canvas gradebook: its first columns are not Student and ID.")
    if by:
        roster.column(by)  # raises if there is none
    found: dict[str, str] = {}
    keys = set()
    for person in roster.people:
        cells = dict(zip(headings, (cell.strip() for cell in roster.rows[person.row]), strict=False))
        student = cells.get(normal(by), "") if by else person.sid or person.email
        if not person.is_student or not student or not cells.get(CANVAS_ID):
            continue
        if student_key(student) in keys:
            raise ExportError(
                f"{roster.path}, line {person.line}: {student!r} is listed twice; choose another column with --by."
            )
        keys.add(student_key(student))
        found[cells[CANVAS_ID]] = student
    return found


def _decoded(path: Path) -> tuple[str, bool, tuple[str, ...]]:
    """The text of a file, whether it had a UTF-8 byte order mark, and remarks."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ExportError(f"the roster {path} cannot be read: {error.strerror or error}.") from None
    if len(data) > LARGEST:
        raise ExportError(f"the roster {path} has more than {LARGEST >> 20} MiB; check that it is the right file.")
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "")
    if not encoding and b"\0" in data[:200]:  # UTF-16 without its mark: every other byte of ASCII text is zero
        encoding = "utf-16-le" if data[1:200:2].count(0) > data[0:200:2].count(0) else "utf-16-be"
    notes: tuple[str, ...] = ()
    try:
        try:
            text = data.decode(encoding or "utf-8")
        except UnicodeDecodeError:
            if encoding:
                raise
            text = data.decode("cp1252")
            notes = (f"{path} is not UTF-8; it was read as Windows-1252. Check that names are correct.",)
    except UnicodeDecodeError as error:
        raise ExportError(f"the roster {path} is not text ({error.reason}); save it as CSV in UTF-8.") from None
    if "\0" in text:
        raise ExportError(f"the roster {path} is not text; save it as CSV in UTF-8.")
    return text, encoding == "utf-8-sig", notes


def _delimiter(text: str, by: str) -> str:
    """Comma, semicolon or tab: the delimiter with the most known headings in the first line."""
    names = _IDS | _EMAILS | _FIRST | _LAST | {normal(by)}

    def known(delimiter: str) -> tuple[int, int]:
        try:
            header = next((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row), [])
        except csv.Error:
            return 0, 0
        return sum(normal(cell) in names for cell in header), len(header)

    return max(",;\t", key=known)


def _person(number: int, line: int, headings: list[str], row: tuple[str, ...], is_canvas: bool) -> Person:
    cells: dict[str, str] = {}
    ids: list[tuple[str, str]] = []
    for heading, cell in zip(headings, map(str.strip, row), strict=False):
        cells.setdefault(heading, cell)
        is_id = heading in _IDS or heading in _EMAILS or (heading == "student" and not is_canvas)
        if is_id and cell:
            ids.append((heading, cell))

    def first_of(names: frozenset[str] | tuple[str, ...]) -> str:
        return next((cells[name] for name in cells if name in names and cells[name]), "")

    first, last = first_of(_FIRST), first_of(_LAST)
    whole = first_of(("student",)) if is_canvas else first_of(_NAMES)
    if not (first or last) and "," in whole:  # `Last, First`
        last, _, first = map(str.strip, whole.partition(","))
    elif not (first or last):
        first, _, last = whole.rpartition(" ") if " " in whole else (whole, "", "")
    email = first_of(_EMAILS) or next((cell for _, cell in ids if "@" in cell), "")
    is_test = is_canvas and (last.casefold(), first.casefold()) == ("student", "test")  # of a teacher's student view
    sid = first_of(("sid", "sis user id", "student id", "studentid", "student number")) or next(
        (cell for heading, cell in ids if "@" not in cell and not (is_canvas and heading == CANVAS_ID)), ""
    )
    section = first_of(("section", "sections"))
    is_staff = _NOT_STUDENTS.match(cells.get("role", "")) is not None
    return Person(number, line, first, last, sid, email, section, tuple(ids), not (is_test or is_staff))


def _is_about_assignments(row: tuple[str, ...]) -> bool:
    """Whether this row of a Canvas gradebook is not a student's: points possible, or what is muted."""
    if "points possible" in row[0].casefold():
        return True
    cells = [cell.strip().casefold() for cell in row if cell.strip()]
    return all(cell == "muted" or cell.startswith("manual posting") for cell in cells)
