"""`python -m benchmarks.verify_speed`: how many logs `autograder verify` checks in a second, in one process.

Writes the logs of a made-up class: of ten students six are honest, two hold a known misconception, and two handed in an
honest student's log under their own name. Then checks them and says how many came out so.
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.core.notebook_io import notebook_text
from autograder.course.problem import Problem, load_problem
from autograder.grading.misconceptions import answer, asked_items, expected, known_misconceptions
from autograder.grading.reference import Names, quiet_process, reference
from autograder.grading.tolerance import same
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.submissions.reader import LOG_NAME
from autograder.verify.result import Verdict, Verified
from autograder.verify.verify import verify

HONEST, MISTAKEN, COPYIST = "honest", "mistaken", "copyist"


def made_up_log(
    problem: Problem, student: str, *, of: str = "", wrong: Mapping[str, Names] | None = None
) -> dict[str, Any]:
    """A log as `homework.hand_in.log` writes it, with the answers of the reference.

    Args:
        problem: the problem.
        student: whose log it says it is.
        of: on whose inputs the answers are; the student's own if not given.
        wrong: item → names of a notebook that answers this item instead.
    """
    own = reference(problem)
    answers = {item.id: copy.deepcopy(expected(own, item, of or student).value) for item in asked_items(own)}
    for item_id, names in (wrong or {}).items():
        answers[item_id] = answer(own, problem.item(item_id), names, of or student)
    return {
        "schema_version": 1,
        "problem": problem.id,
        "student": student,
        "created_at": "2026-11-21T12:00:00Z",
        "profile": "mini",
        "seed": 0,
        "environment": {"python": "3.11.7", "torch": "2.6.0", "device": "cpu"},
        "answers": answers,
        "metrics": {},
        "code": {},
        "notebook_sha256": None,
    }


def write_log(folder: Path, log: Mapping[str, Any], student: str = "") -> Path:
    """Writes a log to `folder/<student>/<problem>/submission_log.json`; the student is the log's if not given."""
    path = folder / (student or str(log["student"])) / str(log["problem"]) / LOG_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(log), encoding="utf-8")
    return path


def write_class(folder: Path, problem: Problem, students: int, notebooks: bool = False) -> dict[str, str]:
    """Writes the logs of a class, on request with a solved notebook beside each, and says who did what.

    Returns:
        Student → story.
    """
    notebook = notebook_text(fill_in(released_notebook(problem), solution_answers(problem)))
    own = reference(problem)
    variants = [
        (item.id, names) for item in asked_items(own) for names in known_misconceptions(own, item).values()
    ]  # those that answer rightly on personal inputs count as honest
    stories = {}
    for number in range(students):
        student, story = f"student{number:05d}", (HONEST, HONEST, MISTAKEN, HONEST, COPYIST)[number % 5]
        log = made_up_log(problem, student)
        if story == COPYIST:
            log = made_up_log(problem, student, of=f"student{number - 1:05d}")
        elif story == MISTAKEN:
            item_id, names = variants[number // 5 % len(variants)]
            right = expected(own, problem.item(item_id), student)
            try:
                log = made_up_log(problem, student, wrong={item_id: names})
            except Exception as error:  # some wrong solutions raise, and a log says so
                log["answers"][item_id] = {"error": repr(error)[:200]}
            story = HONEST if same(log["answers"][item_id], right.value, right.precision) else MISTAKEN
        path = write_log(folder, log)
        if notebooks:
            path.with_name(f"{problem.id}.ipynb").write_text(notebook, encoding="utf-8")
        stories[student] = story
    return stories


def story_of(result: Verified) -> str:
    """What `verify` says that a student did."""
    if result.copied_from:
        return COPYIST
    return HONEST if all(item.verdict is Verdict.RIGHT for item in result.items) else MISTAKEN


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes and checks a class; exit status 1 if somebody is taken for what they are not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--problem", default="vae")
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--notebooks", action="store_true", help="with a notebook beside each log")
    options = parser.parse_args(arguments)
    print(f"Python {platform.python_version()}, {platform.machine()}, one process")
    problem = load_problem(options.problem)
    with tempfile.TemporaryDirectory() as folder, quiet_process():
        stories = write_class(Path(folder), problem, options.students, options.notebooks)
        expected.cache_clear()
        wall, cpu = time.perf_counter(), time.process_time()
        results = verify([folder])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    told = Counter((stories[result.student], story_of(result)) for result in results)
    for (was, said), number in sorted(told.items()):
        print(f"{number} {was}, {said} according to verify")
    print(
        f"{problem.id}: {len(results)} logs in {wall:.2f} s ({cpu:.2f} s of processor time): "
        f"{len(results) / wall:,.0f} logs per second, {len(results) / cpu:,.0f} of processor time"
    )
    return 1 if any(was != said for was, said in told) else 0


if __name__ == "__main__":
    raise SystemExit(main())
