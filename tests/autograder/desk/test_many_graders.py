"""Eight graders at once lose nothing and grade nothing twice, and a large class is arranged and shown quickly."""

from __future__ import annotations

import os
import random
import statistics
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.desk.decisions import ConflictError, Kind
from autograder.desk.desk import Desk
from autograder.desk.form import FormError
from tests.autograder.desk.conftest import UNITS, browser, points, save_as
from tests.autograder.desk.postgres import address
from tests.autograder.graded_folder import log_of, write_student, write_tables

WORDS = "the deviation has unit of data variance quotient pure number would have one over mean because scale".split()


def large(out: Path, number: int) -> Path:
    """A graded folder with answers of made-up words, a fifth of them equal to another one."""
    draw, logs, text = random.Random(3), [], ""
    for student in range(number):
        if student % 5 != 4:
            text = " ".join(draw.choice(WORDS) for _ in range(draw.randint(20, 120)))
        log = log_of(f"student{student:04}")
        write_student(out, log, {UNITS.item: text})
        logs.append(log)
    write_tables(out, logs)
    return out


MINUTES = float(os.environ.get("DESK_MINUTES", "0.1"))
"""How long eight graders work: grade what is left, then change what they or others gave."""


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_eight_graders_at_once_lose_nothing_and_double_nothing(kind: str, course: Path, tmp_path: Path) -> None:
    where = f"sqlite:///{tmp_path / 'desk.db'}" if kind == "sqlite" else address()
    desk = Desk(course, large(tmp_path / "graded", 200), database=where, second_share=0.0)
    question = desk.questions[UNITS]
    end = time.monotonic() + 60 * MINUTES
    early: Counter[str] = Counter()
    """Conflicts of each grader about answers that they got from the queue: none should be before two graders. Once the
    queue is empty, graders change answers that another one may have again after an undo."""
    is_empty = threading.Event()

    def work(name: str) -> Counter[str]:
        draw, done = random.Random(name), Counter[str]()
        while (ref := desk.queue.next(question, name)) is not None or time.monotonic() < end:
            if ref is None:
                is_empty.set()
            student = question.arranged().student[ref] if ref else f"student{draw.randrange(200):04}"
            try:
                saved = save_as(desk, question, student, ["r1"] * draw.randint(0, 1), name, alone=ref is None)
                done["saved"] += len(saved)
            except (ConflictError, FormError):  # another grader saved between the look and the save
                done["conflicts"] += 1
                early[name] += not is_empty.is_set()
            if draw.random() < 0.1:
                try:
                    undone = desk.decisions.undo(name)
                    done["undone"] += len(undone.changes) if undone else 0
                except ConflictError:
                    done["conflicts"] += 1
        return done

    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(work, "abcdefgh"), Counter())
    for name in "abcdefgh":  # what was taken back last; one of them may still have it before them
        while (ref := desk.queue.next(question, name)) is not None:
            done["saved"] += len(save_as(desk, question, question.arranged().student[ref], [], name))
    found = desk.decisions.standing(UNITS)
    assert len(found) == 200 and None not in points(desk.decisions).values()
    assert not sum(early.values()), "no answer was before two graders"
    kinds: Counter[Kind] = Counter()
    for student in found:
        history = desk.decisions.history(UNITS, student)
        line = [saved.replaces for saved in history]
        assert line == [None, *(saved.id for saved in history[:-1])], "one line, no fork"
        assert history[-1].id == found[student].id
        kinds.update(saved.kind for saved in history)
    assert kinds[Kind.GRADE] + kinds[Kind.GROUP] == done["saved"] and kinds[Kind.UNDO] == done["undone"]
    print(f"{kind}: {MINUTES:g} minutes, {dict(done)}")
    desk.database.close()


@pytest.mark.long
def test_a_class_of_a_thousand_is_arranged_in_five_seconds_and_a_page_takes_a_tenth(
    course: Path, tmp_path: Path
) -> None:
    desk = Desk(course, large(tmp_path / "graded", 1000), second_share=0.05)
    question = desk.questions[UNITS]
    len(question.arranged().answers)
    began = time.process_time()
    assert len(question.arranged().blocks) <= 800
    assert len(question.arranged().near) >= 0
    assert time.process_time() - began <= 5
    with browser(desk) as page:
        page.get("/toy/written_units")  # imports what pages need
        took = []
        for _ in range(20):
            began = time.process_time()
            assert page.get("/toy/written_units").status_code == 200
            took.append(time.process_time() - began)
    print(f"median {statistics.median(took):.3f} s")
    assert statistics.median(took) <= 0.2, "two requests: the way to the next answer, and its page"
