"""Rosters are read, students are matched only when it is certain, and the file for Canvas has its form."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.core.errors import ExportError
from autograder.export.assignments import Assignment
from autograder.export.canvas import canvas_file
from autograder.export.csv_cells import duration_text, escaped, points_text, unescaped
from autograder.export.grades import Account, Grades, Score
from autograder.export.options import Unfinished
from autograder.export.result import Exported
from autograder.export.roster import LARGEST, Roster, canvas_numbers, read_roster
from autograder.export.roster_match import match

HEADER = "Student,ID,SIS User ID,SIS Login ID,Section,Homework 11 (70)"
POINTS = "    Points Possible,,,,,10"
Reads = Callable[..., Roster]


@pytest.fixture
def read(tmp_path: Path) -> Reads:
    """Reads a roster from a text or bytes."""

    def reads(content: str | bytes, by: str = "") -> Roster:
        path = tmp_path / "roster.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_roster(path, by)

    return reads


def canvas(*rows: str, header: str = HEADER, points: str = POINTS) -> str:
    """A Canvas gradebook."""
    return "\n".join((header, points, *rows)) + "\n"


def matched(roster: Roster, *students: str | Account, by: str = "") -> Mapping[str, int]:
    """Student → line of the roster."""
    return {student: person.line for student, person in match(accounts(*students), roster, by).rows.items()}


def accounts(*students: str | Account) -> list[Account]:
    """Accounts of the gradebook; for an id, one without address and further id."""
    return [Account(one, "", "") if isinstance(one, str) else one for one in students]


def grades_of(scores: Mapping[str, float], waiting: tuple[str, ...] = (), most: float = 10.0) -> Grades:
    """A gradebook with one problem of one item; those in `waiting` need manual grading."""
    found = {}
    for student, points in scores.items():
        waits = ("i",) if student in waiting else ()
        found[student, "p"] = Score(student, "p", (("i", points),), most, waits, None, 0.0, 0.0)
    return Grades(tuple(Account(student, "", "") for student in sorted(scores)), {"p": (("i", most),)}, found)


def homework(most: float = 10.0, *names: str) -> Assignment:
    """One assignment."""
    return Assignment("11", names or ("The title", "Homework 11", "11"), ("p",), most)


def fill(roster: Roster, grades: Grades, *assignments: Assignment, **options: object) -> Exported:
    """The Canvas file."""
    matching = match(grades.accounts, roster)
    settings = {"columns": {}, **options}
    return canvas_file(grades, assignments or (homework(),), roster, matching, **settings)  # type: ignore[arg-type]


# --- reading ----------------------------------------------------------------------------------------------------------

UMLAUT = (
    "Student;ID;SIS Login ID;Section;Homework 11 (70)\r\n    Points Possible;;;;10\r\nMüller, Jörg;7;jörg;S;1,5\r\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"])
def test_a_roster_in_the_encodings_of_spreadsheets_is_read(read: Reads, encoding: str) -> None:
    roster = read(UMLAUT.encode(encoding))
    (person,) = roster.people
    assert (person.last_name, person.first_name, person.sid, person.line) == ("Müller", "Jörg", "jörg", 3)
    assert (roster.delimiter, roster.newline, roster.marked) == (";", "\r\n", encoding == "utf-8-sig")
    assert bool(roster.notes) == (encoding == "cp1252")
    done = fill(roster, grades_of({"JÖRG": 9.25}))
    assert done.text == UMLAUT.replace("1,5", "9.25") and done.marked == roster.marked


def test_a_table_with_tabs_becomes_one_with_commas(read: Reads) -> None:
    text = canvas('"A, B",1,007,b,S,').replace(",", "\t").replace("A\t B", "A, B")
    roster = read(text.encode("utf-16"))
    assert fill(roster, grades_of({"007": 3})).text == canvas('"A, B",1,007,b,S,3')


def test_the_separator_line_of_excel_is_skipped(read: Reads) -> None:
    roster = read("sep=;\r\nstudent;email\r\n007;a@b.c\r\n")
    assert [(person.sid, person.email, person.line) for person in roster.people] == [("007", "a@b.c", 3)]


def test_quoted_line_breaks_and_delimiters_are_kept(read: Reads) -> None:
    text = canvas('"Two\nLines, ""T""",1,100,t,"S1, S2",', "Next,2,101,n,S,")
    roster = read(text)
    assert [(person.sid, person.line) for person in roster.people] == [("100", 3), ("101", 5)]
    done = fill(roster, grades_of({"100": 1, "101": 2}))
    assert done.text == text.replace('S1, S2",', 'S1, S2",1').replace("n,S,", "n,S,2")


def test_rows_without_a_student_are_skipped(read: Reads) -> None:
    rows = (",,,,,Manual Posting", "A,1,100,a,S,", ",,,,,", "", '"Student, Test",9,,deadbeef,S,', "    ,,,,,muted")
    roster = read(canvas(*rows))
    assert [(person.sid, person.is_student) for person in roster.people] == [("100", True), ("deadbeef", False)]
    assert [person.sid for person, _ in fill(roster, grades_of({"z": 1})).absent] == ["100"]


def test_the_test_student_gets_no_grade(read: Reads) -> None:
    roster = read(canvas("A,1,100,a,S,", '"Student, Test",9,,deadbeef,S,'))
    (left_out,) = fill(roster, grades_of({"100": 1, "deadbeef": 2})).left_out
    assert left_out.student == "deadbeef" and "test student" in left_out.why


def test_any_column_can_identify_students(read: Reads) -> None:
    roster = read("Matrikel;Kurs\n00123;A\n00124;B\n", "matrikel")
    assert matched(roster, "00124", "00123", by="Matrikel") == {"00123": 2, "00124": 3}
    with pytest.raises(ExportError, match="no heading in the first line"):
        read("Matrikel;Kurs\n00123;A\n", "Nummer")


@pytest.mark.parametrize(
    ("possible", "said"),
    [
        ("1,000", "can mean 1 or 1000"),
        ("1.500", "can mean 1.5 or 1500"),
        ("nan", "is not a valid number of points"),
        ("1e3", "is not a valid number of points"),
    ],
)
def test_ambiguous_points_possible_are_an_error(read: Reads, possible: str, said: str) -> None:
    roster = read(canvas("A,1,100,a,S,", points=f'    Points Possible,,,,,"{possible}"'))
    with pytest.raises(ExportError, match=said):
        fill(roster, grades_of({"100": 1}), scale=True)


def test_short_rows_are_extended_for_a_grade(read: Reads) -> None:
    assert fill(read(canvas("A,1,100", "B,2,101")), grades_of({"100": 4})).text == canvas("A,1,100,,,4", "B,2,101")


def test_canvas_names_in_two_columns_are_read(read: Reads) -> None:
    roster = read(
        "LastName,FirstName,ID,SIS Login ID,Section,Homework 11 (70)\nHopper,Grace,1,gh,S,\nStudent,Test,2,x,S,\n"
    )
    assert roster.is_canvas
    assert [(p.first_name, p.last_name, p.is_student) for p in roster.people] == [
        ("Grace", "Hopper", True),
        ("Test", "Student", False),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no heading in the first line identifies students"),
        (b"grade,points\n1,2\n", r"it has: grade, points"),
        (b"\x81\x8d,id\n", "is not text"),
        (b"student,email\n\0\0\0,b\n", "is not text"),
        (b'student,email\n"ada,b\n', "line 2: not a CSV file"),
        (b'student,email\n"ada"x,b\n', "line 2: not a CSV file"),
        (b"student\n" + b"x" * 200_000, "field larger than field limit"),
    ],
    ids=["empty", "no id", "no text", "zeros", "open quote", "text after a quote", "endless cell"],
)
def test_a_file_that_is_no_roster_is_an_error(read: Reads, content: bytes, said: str) -> None:
    with pytest.raises(ExportError, match=said):
        read(content)


def test_a_missing_or_large_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExportError, match="cannot be read"):
        read_roster(tmp_path / "missing.csv")
    monkeypatch.setattr("autograder.export.roster.LARGEST", 10)
    (tmp_path / "large.csv").write_text("student,email\n")
    with pytest.raises(ExportError, match="check that it is the right file"):
        read_roster(tmp_path / "large.csv")
    assert LARGEST > 10


# --- matching ---------------------------------------------------------------------------------------------------------


def test_ids_match_in_any_spelling(read: Reads) -> None:
    roster = read(canvas("A,11,S100,JOS\u00c9 N,S,", "B,12,S101,bob,S,"))
    assert matched(roster, " jose\u0301  n", "BOB") == {" jose\u0301  n": 3, "BOB": 4}


def test_two_spellings_of_one_id_in_canvas_are_an_error(read: Reads) -> None:
    with pytest.raises(ExportError, match="line 4: 'ADA' is listed twice"):
        canvas_numbers(read(canvas("A,11,ada,a,S,", "B,12,ADA,b,S,")))


def test_ids_of_any_column_and_addresses_match_in_any_case(read: Reads) -> None:
    rows = ("A,11,S100,ADA@Uni.edu,S,", "B,12,S101,bob,S,", "C,13,S102,carl,S,", "D,14,S103,dora@uni.edu,S,")
    roster = read(canvas(*rows))
    others = (Account("xyz", "", "13"), Account("zyx", "Dora@Uni.Edu", ""))
    assert matched(roster, "ada@uni.EDU", " BOB ", *others) == {"ada@uni.EDU": 3, " BOB ": 4, "xyz": 5, "zyx": 6}


def test_a_canvas_number_is_not_a_university_id(read: Reads) -> None:
    roster = read(canvas("Bell,1001,77,bo,S,"))
    assert matched(roster, "1001") == {}, "a university's number that equals it by chance"
    assert matched(roster, Account("x", "", "1001")) == {"x": 3}
    assert matched(roster, "1001", by="ID") == {"1001": 3}


def test_leading_zeros_tell_ids_apart(read: Reads) -> None:
    roster = read(canvas("A,1,007,a,S,", "B,2,7,b,S,"))
    assert matched(roster, "007", "7") == {"007": 3, "7": 4}
    assert matched(roster, "0007") == {}


def test_the_beginning_of_an_address_matches_only_if_it_is_unique(read: Reads) -> None:
    bobs = ("B,2,101,bob@a.edu,S,", "C,3,102,bob@b.edu,S,")
    roster = read(canvas("A,1,100,ada@a.edu,S,", *bobs, "D,4,103,dora,S,", "E,1000,104,e,S,"))
    assert matched(roster, "Ada") == {"Ada": 3}
    assert matched(roster, "dora@home.org") == {"dora@home.org": 6}
    assert matched(roster, "ada@other.edu") == {}  # the same beginning says nothing where both are addresses
    assert matched(roster, "1000@home.org") == {}  # Canvas's own numbers are no student ids
    assert match(accounts("bob"), roster).refused == {"bob": "more than one row of the roster matches: lines 4, 5"}
    assert match(accounts("ada"), roster).by_beginning == (
        "ada was matched by the beginning of an address only: A (100), line 3 of the roster",
    )
    refused = match(accounts("ada@a.edu", "ada"), roster).refused
    assert refused == {"ada": "the address in line 3 begins the same, but is another student's"}


def test_an_address_with_another_domain_does_not_match(read: Reads) -> None:
    rows = ("John,1,1001,john.smith@uni.edu,S,", "Jane,2,1002,jsmith@gmail.com,S,", "Kim,3,1003,kim@uni.edu,S,")
    matching = match(accounts("jsmith", "kim"), read(canvas(*rows)))
    assert list(matching.rows) == ["kim"]
    assert matching.refused == {"jsmith": "the address in line 4 begins the same, but has another domain"}
    even = read(canvas(*rows[:2]))  # it is unknown which domain is the usual one
    assert match(accounts("jsmith"), even).rows == {}


def test_two_rows_for_a_student_or_two_students_for_a_row_are_refused(read: Reads) -> None:
    roster = read(canvas("A,5,100,a,S,", "B,6,101,100,S,", "C,7,102,c@x,S,", "D,8,103,c@x,S,"))
    both = match(accounts("100", "c@x", "A", "a"), roster)
    assert both.rows == {}
    assert both.refused == {
        "100": "more than one row of the roster matches: lines 3, 4",
        "c@x": "more than one row of the roster matches: lines 5, 6",
        "A": "A, a: all of them match line 3 of the roster",
        "a": "A, a: all of them match line 3 of the roster",
    }
    assert matched(roster, "100", by="sis user id") == {"100": 3}
    assert matched(roster, "100", by="SIS Login ID") == {"100": 4}
    with pytest.raises(ExportError, match="no column 'Matricle'; its columns are: Student, ID"):
        match([], roster, "Matricle")


def test_a_second_cell_decides_between_rows_and_a_contradiction_is_refused(read: Reads) -> None:
    roster = read("sid,email\n1,same@x\n2,same@x\n3,other@x\n")
    assert matched(roster, Account("2", "same@x", "")) == {"2": 3}
    refused = match([Account("2", "other@x", "")], roster).refused
    assert refused == {"2": "id and address match different rows of the roster: lines 3, 4"}


def test_empty_cells_match_no_student(read: Reads) -> None:
    roster = read(canvas("A,,,,S,", "B,,,,S,"))
    assert matched(roster, "", Account("x", "", ""), "@") == {}
    assert match(accounts("x"), roster).refused == {"x": "not on the roster"}


# --- Canvas -----------------------------------------------------------------------------------------------------------


def test_the_column_is_found_by_title_or_homework_or_option(read: Reads) -> None:
    header = HEADER.removesuffix("Homework 11 (70)") + "{},Homework 11 Final Score"
    row, points = "A,1,100,a,S,,", POINTS + ",(read only)"
    for heading in ("the  TITLE (5)", "Homework 11 (70)", "homework-11", "11", "11 (12)"):
        text = canvas(row, header=header.format(heading), points=points)
        assert fill(read(text), grades_of({"100": 1})).text == text.replace("S,,", "S,1,"), heading
    no_column = {"Something (99)": r".*it has 'Something \(99\)'. name one with --column", "Quiz about cats (11)": ""}
    for heading, said in no_column.items():
        with pytest.raises(ExportError, match=f"no column for 11 {said}"):
            fill(read(canvas(row, header=header.format(heading), points=points)), grades_of({"100": 1}))
    text = canvas(row, header=header.format("Something (99)"), points=points)
    for said in ("Something", "99", "something (99)"):
        assert fill(read(text), grades_of({"100": 1}), columns={"11": said}).written == 1
    text = canvas(row, header=header.format("The title (1),Homework 11 (2)"), points=POINTS + ",10,(read only)")
    with pytest.raises(ExportError, match="more than one column could be 11: 'The title"):
        fill(read(text), grades_of({"100": 1}))
    assert fill(read(text), grades_of({"100": 1}), columns={"11": "2"}).written == 1


def test_two_assignments_never_share_a_column(read: Reads) -> None:
    other = Assignment("12", ("Homework 11",), ("p",), 10.0)
    with pytest.raises(ExportError, match="11 and 12 have the same column"):
        fill(read(canvas("A,1,100,a,S,")), grades_of({"100": 1}), homework(), other)


def test_other_points_possible_are_refused_or_scaled(read: Reads) -> None:
    text = canvas("A,1,100,a,S,", points="    Points Possible,,,,,100")
    with pytest.raises(ExportError, match="Canvas has 100 points for 'Homework 11 .70.', the gradebook 30 for 11"):
        fill(read(text), grades_of({"100": 10}, most=30.0), homework(30.0))
    done = fill(read(text), grades_of({"100": 10}, most=30.0), homework(30.0), scale=True)
    assert done.text == text.replace("a,S,", "a,S,33.33") and "scaled by 3.333" in done.notes[0]

    def with_points(points: str) -> Roster:
        return read(canvas("A,1,100,a,S,", points=f"    Points Possible,,,,,{points}"))

    for points, said in {"0": "points", "1.5.x": "points", "(read only)": "Canvas computes the column"}.items():
        with pytest.raises(ExportError, match=said):
            fill(with_points(points), grades_of({"100": 1}), scale=True)
    for points in ('"10,00"', "10.0", ""):
        assert fill(with_points(points), grades_of({"100": 1})).written == 1


def test_excused_students_stay_excused(read: Reads) -> None:
    text = canvas("A,1,100,a,S,EX", "B,2,101,b,S,N/A", "C,3,102,c,S,1")
    done = fill(read(text), grades_of({"100": 1, "101": 2, "102": 3}))
    assert done.text == text.replace("S,1\n", "S,3\n") and not done.left_out
    assert done.notes == (
        "100 is excused from 'Homework 11 (70)' in Canvas; the cell keeps EX",
        "101 does not have 'Homework 11 (70)' in Canvas; the cell keeps N/A",
    )


def test_unfinished_grades_do_not_change_the_cell(read: Reads) -> None:
    text = canvas("A,1,100,a,S,8", "B,2,101,b,S,")
    grades = grades_of({"100": 1, "101": 2}, waiting=("100",))
    done = fill(read(text), grades)
    assert done.text == text.replace("b,S,", "b,S,2")
    assert [(one.student, one.why) for one in done.left_out] == [("100", "needs manual grading: p/i")]
    done = fill(read(text), grades, unfinished=Unfinished.INCLUDE)
    assert done.text == text.replace("S,8", "S,1").replace("b,S,", "b,S,2") and not done.left_out


def test_a_roster_of_another_platform_is_no_canvas_gradebook(read: Reads) -> None:
    with pytest.raises(ExportError, match="is not a Canvas gradebook"):
        fill(read("First Name,Last Name,SID,Email\nA,B,100,a@x\n"), grades_of({"100": 1}))


# --- cells ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        *[
            (text, f"'{text}")
            for text in ("=1+1", "+1", "-1", "@x", "\tx", "\rx", " =x", "'=x", "''@x", "\uff1dx", "\n")
        ],
        ("a;=1+1", "a;'=1+1"),
        ("a\t+1", "a\t'+1"),
        ("a;b\r\n @x", "a;b\r'\n' @x"),
        ('a; "=1', "a;' \"=1"),
        ("\r=x", "'\r'=x"),
        ("=1;'=1", "'=1;''=1"),
        ("a;b-c,=1", "a;b-c,=1"),
        *[(text, text) for text in ("", "ada", "007", "'t Hooft", "a=b", "o'neil", "1-2", "ada@uni.edu")],
    ],
)
def test_only_formulas_are_escaped(text: str, cell: str) -> None:
    """Also after semicolons and tabs: a spreadsheet that expects these as delimiters cuts our cells there."""
    assert escaped(text) == cell and unescaped(cell) == text


@settings(max_examples=60)
@given(st.text(alphabet="'=+-@\t\n\"; a0") | st.text())
def test_escaping_is_reversible_and_leaves_no_formula(text: str) -> None:
    cell = escaped(text)
    assert unescaped(cell) == text
    assert not cell.startswith(("\t", "\r"))
    for part in re.split(r"[;\t\r\n]", cell):
        assert not part.lstrip(' "').startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize(
    ("points", "text"), [(0, "0"), (-0.0, "0"), (12, "12"), (7.5, "7.5"), (40 / 3, "13.33"), (100, "100"), (1e-9, "0")]
)
def test_points_have_two_decimals_at_most(points: float, text: str) -> None:
    assert points_text(points) == text


def test_lateness_can_be_more_than_a_day() -> None:
    assert (duration_text(0), duration_text(93_784.9)) == ("00:00:00", "26:03:04")


def test_a_csv_reader_reads_the_file_for_canvas(read: Reads) -> None:
    roster = read(canvas("A,1,100,a,S,"))
    again = list(csv.reader(fill(roster, grades_of({"100": 1})).text.splitlines()))
    assert again[0] == list(roster.header) and again[2][-1] == "1"
