"""Finds the gradebook's students on the roster; uses only certain matches and reports all others.

The gradebook's ids are names of folders; a platform has its own ids. A student matches a row if their id, e-mail
address or platform id is one of its cells, in any spelling (`core.student_key`). A student also matches if an id on one
side is the part before the `@` of an address on the other side, no other student has it, and the address has the domain
of most addresses on the roster: `jsmith@gmail.com` is not the university's `jsmith`. Such matches are reported.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autograder.core.student_key import student_key
from autograder.core.text import printable
from autograder.export.grades import Account
from autograder.export.roster import CANVAS_ID, Person, Roster


@dataclass(frozen=True)
class Matching:
    """The students who were found, and those who were not."""

    rows: Mapping[str, Person]
    """Student id in the gradebook → the student's row."""
    refused: Mapping[str, str]
    """Student id → why no row was chosen."""
    by_beginning: tuple[str, ...] = ()
    """Sentences for staff about matches by the part before the `@` only."""


def match(accounts: Iterable[Account], roster: Roster, by: str = "") -> Matching:
    """Finds each student of the gradebook on the roster.

    Args:
        by: the only heading of the roster to compare; if empty, all headings that identify students.

    Raises:
        ExportError: the roster has no heading `by`.
    """
    accounts = tuple(accounts)
    exact, local = _by_text(roster, by)
    found: dict[str, set[Person]] = {}
    refused: dict[str, str] = {}
    for account in accounts:
        sets = [exact[key] for key in _keys(account) if key in exact]
        if sets:
            common = set.intersection(*sets)
            found[account.id] = common or set.union(*sets)
            if not common:
                refused[account.id] = f"id and address match different rows of the roster: {_lines(found[account.id])}"
    taken = set[Person]().union(*found.values())
    weak: dict[str, set[Person]] = {}
    for account in accounts:
        keys = _local_keys(account)
        hits = set[Person]().union(*(local[key] for key in keys if key in local))
        if account.id in found or not hits:
            continue
        weak[account.id] = hits
        foreign_keys = {_ELSEWHERE + key[1:] for key in keys if key.startswith(_BEGINNING)}
        if hits <= set[Person]().union(*(local[key] for key in foreign_keys if key in local)):
            refused[account.id] = f"the address in {_lines(hits)} begins the same, but has another domain"
        if hits & taken:
            refused[account.id] = f"the address in {_lines(hits & taken)} begins the same, but is another student's"
    found |= weak
    students_of = defaultdict[Person, list[str]](list)
    for student, persons in found.items():
        if student in refused:
            continue
        if len(persons) > 1:
            refused[student] = f"more than one row of the roster matches: {_lines(persons)}"
        else:
            students_of[next(iter(persons))].append(student)
    rows = {}
    for person, students in students_of.items():
        if len(students) > 1:
            names = ", ".join(map(printable, sorted(students)))
            refused |= {student: f"{names}: all of them match line {person.line} of the roster" for student in students}
        elif not person.is_student:
            refused[students[0]] = f"line {person.line} of the roster is staff or the platform's test student"
        else:
            rows[students[0]] = person
    refused |= {account.id: "not on the roster" for account in accounts if account.id not in found}
    by_beginning = tuple(
        f"{printable(student)} was matched by the beginning of an address only: {rows[student].label}, "
        f"line {rows[student].line} of the roster"
        for student in sorted(weak)
        if student in rows
    )
    return Matching(rows, refused, by_beginning)


def _by_text(roster: Roster, by: str) -> tuple[dict[str, set[Person]], dict[str, set[Person]]]:
    """Returns text → persons with it in a cell, and text → persons with it before the `@` of an address or as an id."""
    cells = [(person, heading, cell) for person in roster.people for heading, cell in person.ids]
    if by:
        column = roster.column(by)
        long_enough = [person for person in roster.people if column < len(roster.rows[person.row])]
        cells = [(person, by, roster.rows[person.row][column].strip()) for person in long_enough]
    exact, local = defaultdict[str, set[Person]](set), defaultdict[str, set[Person]](set)
    usual = _usual_domain(cell for _, _, cell in cells)
    for person, heading, cell in cells:
        if not cell:
            continue
        if heading == CANVAS_ID and roster.is_canvas and not by:
            exact[_OF_CANVAS + student_key(cell)].add(person)
            continue
        exact[student_key(cell)].add(person)
        local[_BEGINNING + _local(cell) if "@" in cell else student_key(cell)].add(person)
        if "@" in cell and _domain(cell) != usual:
            local[_ELSEWHERE + _local(cell)].add(person)
    return exact, local


_BEGINNING = "\0"
"""Prefix of the part before an `@`: it matches a whole id, but not the same part of another address."""
_ELSEWHERE = "\2"
"""The same for an address outside the usual domain; it matches nothing."""
_OF_CANVAS = "\1"
"""Prefix of Canvas's own number of a person, which may equal a university's number by chance."""


def _keys(account: Account) -> set[str]:
    keys = {student_key(text) for text in (account.id, account.email, account.lms_user_id) if text.strip()}
    return keys | {_OF_CANVAS + student_key(account.lms_user_id)} if account.lms_user_id.strip() else keys


def _local_keys(account: Account) -> set[str]:
    """The keys of an account in the second mapping of `_by_text`."""
    texts = [text for text in (account.id, account.email) if text.strip()]
    return {_local(text) if "@" in text else _BEGINNING + student_key(text) for text in texts}


def _local(address: str) -> str:
    return student_key(address.partition("@")[0])


def _domain(address: str) -> str:
    return student_key(address.rpartition("@")[2])


def _usual_domain(cells: Iterable[str]) -> str:
    """The domain of more than half of the addresses; empty if there is none."""
    domains = Counter(_domain(cell) for cell in cells if "@" in cell)
    domain, count = next(iter(domains.most_common(1)), ("", 0))
    return domain if 2 * count > domains.total() else ""


def _lines(persons: Iterable[Person]) -> str:
    numbers = sorted(person.line for person in persons)
    return f"line {numbers[0]}" if len(numbers) == 1 else f"lines {', '.join(map(str, numbers[:10]))}"
