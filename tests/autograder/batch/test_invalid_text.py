"""Text and numbers that cannot be written as they are (half surrogate pairs, 1e999, ...) fail no submission."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import autograder
from autograder.batch.grade_folder import grade_folder
from autograder.batch.run_store import FOLDER as RUNS
from autograder.cli.main import app
from autograder.core.results import Graded, GradedLog, Outcome
from autograder.core.strict_json import MOST_DEPTH, ContentError, read_json
from autograder.core.text import well_formed
from autograder.report import report
from autograder.sandbox.guest.wire import receive_frame, send_frame
from autograder.submissions.log import read_any_log
from autograder.submissions.reader import read_cells, read_submission
from autograder.verify.verify import verify
from tests.autograder.graded_folder import csv_rows
from tests.autograder.toy import STANDARDIZE, solved, submit, text

HALF = "\ud800"
RAISES = {
    "half a pair": f"raise ValueError('{HALF.encode('unicode_escape').decode()} half a pair')",
    "half a pair in a key": "raise KeyError('\\udfff')",
    "pairs that are whole": "raise ValueError('\\U0001f600 is one')",
    "no text at all": "class Odd(Exception):\n        __str__ = lambda self: 5\n    raise Odd()",
    "a text that raises": "class Odd(Exception):\n        def __str__(self): raise self\n    raise Odd()",
    "a name of half a pair": (
        "class Odd(type):\n        __name__ = property(lambda self: '\\ud800')\n"
        "    class Error(Exception, metaclass=Odd): pass\n    raise Error('x')"
    ),
    "NUL and escapes": "raise ValueError('\\0 \\x1b[2J \\u2028 \\u202e')",
    "ten megabytes": "raise ValueError('\\ud800' * 10_000_000)",
    "returned": "return {'\\ud800': '\\udc00', ('\\ud801', 1): ['\\ud802']}",
    "printed": "print('\\ud800 printed'); return x",
}
"""Bodies of `standardize` that get no points, by what is unusual in them."""


def log_bytes(owner: str, **changes: Any) -> bytes:
    """A log with some changes, in which `...` becomes a number that JSON can write and Python cannot."""
    log = {
        "schema_version": 1,
        "problem": "toy",
        "student": owner,
        "created_at": "2026-01-02T03:04:05Z",
        "profile": "mini",
        "environment": {"python": "3.12.1", "torch": "2.9.0", "device": "cpu"},
        "answers": {},
        "metrics": {},
        **changes,
    }
    return json.dumps(log, default=lambda _: "HUGE").replace('"HUGE"', "1e999").encode()


def nested(depth: int) -> Any:
    """Lists in lists."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


ENVIRONMENT = {"python": "3", "torch": f"2{HALF}", "device": f"cpu{HALF}", HALF: HALF}
LOGS: dict[str, dict[str, Any]] = {
    "environment": {"environment": ENVIRONMENT},
    "student": {"student": f"ad{HALF}a"},
    "metric": {"metrics": {f"toy/{HALF}": {"value": 1.0, "evidence": HALF}}},
    "process": {"process": {"sources": HALF, "people": "", "hours": 10**4000}},
    "answers": {"answers": {"standardize": HALF, HALF: 1}, "code": {"standardize": HALF}},
    "when": {"created_at": f"2026-01-02T03:04:05Z{HALF}"},
    "infinite": {"metrics": {"toy/loss": {"value": ...}}},
    "infinite evidence": {"metrics": {"toy/loss": {"value": 1, "evidence": [{"a": ...}]}}},
    "huge": {"metrics": {"toy/loss": {"value": 10**400, "stderr": 10**4000, "runs": 10**4000}}},
    "deep": {"metrics": {"toy/loss": {"value": 1, "evidence": nested(MOST_DEPTH - 4)}}},
    "too deep": {"metrics": {"toy/loss": {"value": 1, "evidence": nested(900)}}},
}
UNUSABLE = {
    "infinite": "an infinite number at metrics/toy/loss/value.",
    "infinite evidence": "an infinite number at metrics/toy/loss/evidence/0/a.",
    "too deep": "levels deep",
    "when": "not a 'date-time'",
}
"""The logs that are flagged, and the messages; the notebook beside each gets full points."""


def invalid_ids() -> bytes:
    """A solved notebook with invalid cell ids, and one more cell with invalid grade id, text and outputs."""
    notebook = json.loads(text(solved()))
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"{HALF}{number}"
    notebook["cells"].append(
        {
            "cell_type": "code",
            "id": HALF,
            "metadata": {"nbgrader": {"grade_id": HALF, "grade": True, "solution": True, "points": 3}},
            "source": f"# {HALF}\nprint('{HALF}')",
            "outputs": [{"output_type": "stream", "name": "stdout", "text": HALF}],
        }
    )
    return json.dumps(notebook).encode()


@dataclass(frozen=True)
class Class:
    """A class that was graded, with the gradebook."""

    root: Path
    submitted: Path
    out: Path
    graded: list[Graded]

    def log(self, student: str) -> GradedLog:
        """The log of one student."""
        return next(one.log for one in self.graded if one.log.student == student)


@pytest.fixture(scope="module")
def class_(tmp_path_factory: pytest.TempPathFactory, released_course: Path) -> Iterator[Class]:
    folder = tmp_path_factory.mktemp("invalid")
    root, submitted = Path(shutil.copytree(released_course, folder / "root")), folder / "in"
    for name, body in RAISES.items():
        submit(submitted, name, solved(standardize=f"{STANDARDIZE}    {body}"))
    for name, changes in LOGS.items():
        submit(submitted, f"log {name}", solved(), log_bytes(f"log {name}", **changes))
    submit(submitted, "ids", invalid_ids())
    submit(submitted, "a cell that raises", solved(standardize="raise ValueError('\\ud800')"))
    for data in (b"toy\xff.ipynb", b"toy\x1b[2J.zip"):
        path = submitted / "names" / "toy" / os.fsdecode(data)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_ROOT", str(root))
        graded = grade_folder("toy", submitted, folder / "out", workers=2, root=root)
        yield Class(root, submitted, folder / "out", graded)


@pytest.mark.long
@pytest.mark.kernel
def test_each_submission_gets_the_points_of_its_answers(class_: Class) -> None:
    got = {one.log.student: (one.log.outcome, one.log.score) for one in class_.graded}
    expected = {name: (Outcome.GRADED, 8.0) for name in (*RAISES, "a cell that raises")}
    expected |= {f"log {name}": (Outcome.GRADED, 20.0) for name in LOGS}
    expected |= {"ids": (Outcome.GRADED, 20.0), "names": (Outcome.MISSING, 0.0)}
    assert got == expected
    written = {row["student"]: float(row["score"]) for row in csv_rows(class_.out / "grades.csv")}
    assert written == {name: score for name, (_, score) in expected.items()}


@pytest.mark.long
@pytest.mark.kernel
@pytest.mark.parametrize("name", LOGS)
def test_only_a_log_that_cannot_be_used_is_flagged(class_: Class, name: str) -> None:
    flags = [flag.message for flag in class_.log(f"log {name}").flags if flag.kind == "log_unusable"]
    assert len(flags) == (name in UNUSABLE) and all(UNUSABLE[name] in flag for flag in flags), flags


@pytest.mark.long
@pytest.mark.kernel
def test_invalid_characters_in_a_message_are_replaced(class_: Class) -> None:
    assert "? half a pair" in class_.log("half a pair").item("standardize").message
    assert "\U0001f600 is one" in class_.log("pairs that are whole").item("standardize").message
    assert "toy\\udcff.ipynb, toy\\x1b[2J.zip" in class_.log("names").items[0].message


@pytest.mark.long
@pytest.mark.kernel
def test_all_written_files_are_utf_8_and_strict_json(class_: Class) -> None:
    kept = class_.out / RUNS  # the run before, compressed
    for path in (path for path in class_.out.rglob("*") if path.is_file() and kept not in path.parents):
        written = path.read_bytes().decode("utf-8")
        if path.suffix in (".json", ".ipynb"):
            read_json(written.encode())
    assert not list(class_.out.rglob("*.part")) and not (class_.out / "errors").exists()


@pytest.mark.long
@pytest.mark.kernel
def test_report_verify_and_a_second_batch_handle_the_class(class_: Class, caplog: pytest.LogCaptureFixture) -> None:
    again = grade_folder("toy", class_.submitted, class_.out, workers=2, root=class_.root)
    first, second = ([(one.log.student, one.log.score) for one in batch] for batch in (class_.graded, again))
    assert first == second
    assert "gradebook" not in caplog.text
    path = class_.out / "ids" / "toy" / "submission_log.json"
    for data in (b'"device": "\\ud800"', b'"device": 1e999'):
        path.write_bytes(path.read_bytes().replace(b'"device": "cpu"', data))
        page = report(class_.out, root=class_.root)
        assert "half a pair" in page.read_text(encoding="utf-8")
    checked = verify([class_.submitted], root=class_.root)
    assert len(checked) == len(LOGS)
    assert sum(any(flag.kind == "log_unusable" for flag in one.flags) for one in checked) == len(UNUSABLE)


@pytest.mark.long
@pytest.mark.kernel
@pytest.mark.parametrize("name", ["half a pair", "log environment", "log infinite"])
def test_one_submission_alone_is_graded(class_: Class, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(class_.root))
    path = class_.submitted / name / "toy" / "toy.ipynb"
    done = CliRunner().invoke(app, ["grade-one", str(path), "--problem", "toy", "--student", f"x{HALF}"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["student"] == "x?"
    assert autograder.grade("toy", path, root=class_.root).outcome is Outcome.GRADED


# --- reading and writing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ours", [HALF, "\udfff", "a\ud800b", "\udc00\ud800"])
def test_surrogate_halves_become_question_marks(ours: str) -> None:
    assert well_formed(ours) == "".join("?" if "\ud800" <= letter <= "\udfff" else letter for letter in ours)
    assert well_formed("é\U0001f600\0") == "é\U0001f600\0"


def test_a_frame_has_well_formed_text() -> None:
    near, far = socket.socketpair()
    with near, far:
        send_frame(near, {HALF: [HALF, {"key": "\udc00"}], "whole": "\U0001f600 \\ud800"})
        assert receive_frame(far)[0] == {"?": ["?", {"key": "?"}], "whole": "\U0001f600 \\ud800"}


def test_json_is_read_strictly() -> None:
    assert read_json(b'\xef\xbb\xbf{"\\ud800": ["\\udc00", 1e-999, -0.0, "\\ud83d\\ude00"]}') == {
        "?": ["?", 0.0, 0.0, "\U0001f600"]
    }
    assert read_json(json.dumps(nested(MOST_DEPTH)).encode())
    for data in (b"[1e999]", b'{"a": -1e999}', json.dumps(nested(MOST_DEPTH + 1)).encode(), b"[" * 10**6):
        with pytest.raises(ContentError):
            read_json(data)
    for data in (b"NaN", b"Infinity", b"", b"\xff", b'"\xed\xa0\x80"', b"1" * 5000):
        with pytest.raises(ValueError) as caught:
            read_json(data)
        assert not isinstance(caught.value, ContentError)


def test_the_content_of_a_log_can_be_written_again() -> None:
    for name, changes in LOGS.items():
        log, flags = read_any_log(log_bytes("ada", **changes))
        assert bool(log) == (name not in UNUSABLE), flags
        json.dumps([log, [flag.message for flag in flags]], ensure_ascii=False, allow_nan=False, indent=1).encode()


def test_cells_and_file_names_are_text(tmp_path: Path) -> None:
    for cell in read_cells(invalid_ids(), "toy.ipynb"):
        "".join((cell.source, cell.grade_id, cell.cell_id, cell.cell_type)).encode()
    folder = tmp_path / os.fsdecode(b"a\xff")
    folder.mkdir()
    (folder / os.fsdecode(b"b\xff.zip")).write_bytes(b"")
    submission = read_submission(folder / os.fsdecode(b"\xff.ipynb"))
    assert submission.fault is not None and "b\\udcff.zip" in submission.fault[1]
    (submission.name + submission.fault[1]).encode()
