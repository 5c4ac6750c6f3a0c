"""Decisions are saved whole, never lost, doubled or changed: on SQLite, and on PostgreSQL where it is installed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from autograder.core.errors import SetupError
from autograder.desk import graders
from autograder.desk.database import Database, StoreError, now
from autograder.desk.decisions import ConflictError, Decisions, Draft, Kind, Marks
from autograder.desk.graders import Graders
from autograder.desk.place import Place
from autograder.desk.rubric import Rubric, RubricItem, merged
from tests.autograder.desk.conftest import points
from tests.autograder.desk.postgres import address

Q = Place("toy", "written_units")
RUBRIC = Rubric((RubricItem("r1", 2, "the unit"), RubricItem("r2", 1, "the variance")), 3)


def draft(student: str, *ticks: str, seen: int | None = None, **marks: object) -> Draft:
    """A grading of an answer by the rubric."""
    return Draft(student, "digest", Marks(RUBRIC.score(ticks), ticks, **marks), seen)  # type: ignore[arg-type]


def undone(decisions: Decisions, by: str) -> list[str]:
    """Takes back a grader's last action; returns the students."""
    found = decisions.undo(by)
    return sorted(saved.student for saved, _ in found.changes) if found else []


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    made = Database(f"sqlite:///{tmp_path / 'desk.db'}" if request.param == "sqlite" else address())
    yield made
    made.close()


def test_all_decisions_of_an_action_are_saved_or_none(database: Database) -> None:
    decisions = Decisions(database)
    decisions.save(Q, [draft("ada", "r1")], "kim")
    with pytest.raises(ConflictError) as found:
        decisions.save(Q, [draft("bob", "r1"), draft("ada", "r2")], "lee", Kind.GROUP)
    assert (found.value.place, found.value.student) == (Q, "ada")
    assert points(decisions, Q) == {"ada": 2.0}
    assert len(decisions.history(Q, "bob")) == 0


def test_who_saw_an_earlier_decision_overwrites_nothing(database: Database) -> None:
    decisions = Decisions(database)
    (first,) = decisions.save(Q, [draft("ada", "r1")], "kim")
    decisions.save(Q, [draft("ada", "r1", "r2", seen=first)], "lee")
    with pytest.raises(ConflictError):
        decisions.save(Q, [draft("ada", seen=first)], "kim")
    assert points(decisions, Q) == {"ada": 3.0}
    assert [saved.by for saved in decisions.history(Q, "ada")] == ["kim", "lee"]


def test_two_graders_at_once_make_one_decision(database: Database) -> None:
    decisions = Decisions(database)

    def save(number: int) -> bool:
        try:
            decisions.save(Q, [draft("ada", "r1")], f"grader {number}")
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(save, range(16))) == 1
    assert len(decisions.history(Q, "ada")) == 1


def test_undo_takes_back_the_last_action_of_that_grader_again_and_again(database: Database) -> None:
    decisions = Decisions(database)
    decisions.save(Q, [draft("ada", "r1"), draft("bob", "r1")], "kim", Kind.GROUP)
    decisions.save(Q, [draft("chen", "r2")], "kim")
    decisions.save(Q, [draft("dana", "r2")], "lee")
    assert undone(decisions, "kim") == ["chen"]
    assert undone(decisions, "kim") == ["ada", "bob"]
    assert decisions.undo("kim") is None
    assert points(decisions, Q) == {"ada": None, "bob": None, "chen": None, "dana": 1.0}
    seen = decisions.standing(Q)["ada"].id
    decisions.save(Q, [draft("ada", "r2", seen=seen)], "kim")
    assert points(decisions, Q)["ada"] == 1.0, "an answer that was taken back can be graded again"


def test_undo_brings_the_earlier_grading_back(database: Database) -> None:
    decisions = Decisions(database)
    (first,) = decisions.save(Q, [draft("ada", "r1", comment="good")], "kim")
    decisions.save(Q, [draft("ada", seen=first)], "lee")
    decisions.undo("lee")
    marks = decisions.standing(Q)["ada"].marks
    assert (marks.score, marks.ticks, marks.comment) == (2.0, ("r1",), "good")


def test_a_changed_rubric_regrades_all_at_once_after_a_preview(database: Database) -> None:
    decisions = Decisions(database)
    decisions.save(Q, [draft("ada", "r1"), draft("bob", "r2"), draft("chen", "r1", "r2")], "kim")
    new = RUBRIC.with_items([RubricItem("r1", 1, "the unit"), RubricItem("r2", 2, "the variance")])
    preview = {saved.student: score for saved, score in decisions.preview(Q, new)}
    assert preview == {"ada": 1.0, "bob": 2.0}
    changed = decisions.change_rubric(Q, RUBRIC, new, "lee")
    assert {saved.student: score for saved, score in changed} == preview
    assert points(decisions, Q) == {"ada": 1.0, "bob": 2.0, "chen": 3.0}
    assert decisions.rubric(Q, RUBRIC) == new
    with pytest.raises(ConflictError, match="rubric was changed"):
        decisions.change_rubric(Q, RUBRIC, new, "kim")
    one, renamed = merged(new, {"r1", "r2"}, "both")
    decisions.change_rubric(Q, new, one, "lee", renamed)
    assert points(decisions, Q) == {"ada": 3.0, "bob": 3.0, "chen": 3.0}
    assert {saved.kind for saved in decisions.history(Q, "bob")} == {Kind.GRADE, Kind.RUBRIC}


def test_no_decision_can_be_changed_or_removed(database: Database) -> None:
    decisions = Decisions(database)
    decisions.save(Q, [draft("ada", "r1")], "kim")
    engine = create_engine(database.address)
    for statement in ("UPDATE decision SET score = 3", "DELETE FROM decision"):
        with pytest.raises(DBAPIError, match="only added"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()
    assert points(decisions, Q) == {"ada": 2.0}


def test_a_second_grading_does_not_count(database: Database) -> None:
    decisions = Decisions(database)
    decisions.save(Q, [draft("ada", "r1")], "kim")
    decisions.save(Q, [draft("ada", "r2")], "lee", Kind.SECOND)
    assert points(decisions, Q) == {"ada": 2.0}
    ((first, second),) = decisions.seconds(Q)
    assert (first.by, first.marks.score, second.by, second.marks.score) == ("kim", 2.0, "lee", 1.0)


def test_both_gradings_follow_a_changed_rubric(database: Database) -> None:
    decisions = Decisions(database)
    decisions.save(Q, [draft("ada", "r1"), draft("bob", "r1")], "kim")
    decisions.save(Q, [draft("ada", "r2")], "lee", Kind.SECOND)
    new = RUBRIC.with_items([RubricItem("r1", 1, "the unit"), RubricItem("r2", 0.5, "the variance")])
    decisions.change_rubric(Q, RUBRIC, new, "kim")
    one, renamed = merged(new, {"r1", "r2"}, "both")
    decisions.change_rubric(Q, new, one, "kim", renamed)
    ((first, second),) = decisions.seconds(Q)
    assert (first.by, first.marks.score, second.by, second.marks.score) == ("kim", 1.5, "lee", 1.5)
    decisions.save(
        Q, [replace(draft("ada"), seen=first.id, marks=replace(draft("ada").marks, rubric_version=3))], "max"
    )
    ((first, _),) = decisions.seconds(Q)
    assert (first.by, first.marks.score) == ("kim", 1.5), "what others decide later is no first grading"
    assert points(decisions, Q)["bob"] == 1.5


def test_a_claim_keeps_others_away_until_it_ends_or_the_clock_jumps(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = Graders(database)
    start = now()
    assert people.claim(Q, "ada", "kim") and people.claim(Q, "ada", "kim") and not people.claim(Q, "ada", "lee")
    assert people.claimed(Q) == {"ada": "kim"}
    for jump in (graders.CLAIM * 1.1, -graders.CLAIM):
        monkeypatch.setattr(graders, "now", lambda jump=jump: start + jump)
        assert people.claimed(Q) == {}
    assert people.claim(Q, "ada", "lee")


def test_only_the_latest_link_of_a_grader_works(database: Database) -> None:
    people = Graders(database)
    old, new = people.invite("kim"), people.invite("kim")
    assert (people.grader(old), people.grader(new), people.grader("")) == (None, "kim", None)
    own = [people.admit("kim"), people.admit("kim")]
    assert [people.grader(token) for token in (*own, new)] == ["kim"] * 3, "to start a desk again ends no earlier link"
    assert Graders(database).grader(own[0]) is None, "it ends with its process"


def _save_for_ever(where: str) -> None:
    decisions = Decisions(Database(where))
    for number in range(100_000):
        decisions.save(Q, [draft(f"a{number}", "r1"), draft(f"b{number}", "r1")], "kim", Kind.GROUP)


def test_a_process_that_is_killed_while_it_saves_leaves_whole_actions(tmp_path: Path) -> None:
    where = f"sqlite:///{tmp_path / 'desk.db'}"
    opened = Database(where)
    process = multiprocessing.get_context("spawn").Process(target=_save_for_ever, args=(where,))
    process.start()
    while len(points(Decisions(opened), Q)) < 20 and process.is_alive():
        time.sleep(0.01)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    found = Decisions(opened).standing(Q)
    opened.close()
    assert len(found) >= 20
    assert all(f"b{name[1:]}" in found for name in found if name.startswith("a")), "both of an action, or none"


def test_a_locked_database_says_what_to_do_and_saves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.desk.database._WAIT_SECONDS", 0.1)
    path = tmp_path / "desk.db"
    database = Database(f"sqlite:///{path}")
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="nothing was saved.*locked.*in a moment"):
        Decisions(database).save(Q, [draft("ada", "r1")], "kim")
    assert points(Decisions(database), Q) == {}, "reading goes on"
    other.close()
    Decisions(database).save(Q, [draft("ada", "r1")], "kim")
    database.close()


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database" * 1000)
    with pytest.raises(SetupError, match="damaged"):
        Database(f"sqlite:///{tmp_path / 'text.db'}")
    with pytest.raises(SetupError, match="cannot be opened"):
        Database("no address")
    with pytest.raises(SetupError, match=r"kim:\*\*\*@") as found:
        Database("postgresql+psycopg://kim:secret@127.0.0.1:1/desk")
    assert "secret" not in str(found.value)
    with pytest.raises(SetupError, match="make the file and its folder writable"):
        Database(f"sqlite:///{tmp_path / 'nowhere' / 'desk.db'}")
