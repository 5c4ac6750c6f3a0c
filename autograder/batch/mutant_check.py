"""Grades mutants and rewritings of the right answers: a mutant must lose points, a rewriting must keep them all.

A mutant with full marks *survives*, unless it gives the solution's answers on the inputs of many students, or the
author has explained it in `solutions/variants/<problem>/mutants.toml`:

    [[equal]]
    item = "q_sample"
    change = "line 3: ..."
    why = "..."
"""

from __future__ import annotations

import functools
import multiprocessing
import random
import time
import tomllib
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from autograder.batch.one_item import grade_item
from autograder.core.errors import SourceError
from autograder.core.results import Status
from autograder.course.mutation import Rewritten, mutants, rewritings
from autograder.course.problem import Item, Problem, load_problem
from autograder.course.variants import Variant, variants
from autograder.grading import misconceptions
from autograder.grading.reference import quiet_process, reference
from autograder.grading.tolerance import same

STUDENTS = 200
"""The most students on whose inputs a mutant with full marks is compared with the solution."""
SLOW = 10.0
"""A mutant's limit, as a multiple of the time of the solution, where that is less than the item's own limit."""
SECONDS = 10.0
"""CPU time after which no further student's inputs are tried."""


class Fate(StrEnum):
    """What became of a mutant or a rewriting."""

    AS_EXPECTED = "as expected"
    EQUAL = "equal"
    """A mutant with full marks that gives the solution's answers on the inputs of many students."""
    EXPLAINED = "explained"
    """A mutant with full marks that the author explains."""
    SURVIVED = "survived"
    """A mutant with full marks that gives other answers, or whose answers cannot be compared."""
    LOST = "lost points"
    """A rewriting without full marks."""
    TOO_SLOW = "too slow"
    """A mutant that takes `SLOW` times as long as the solution; it is not tested to the end."""


@dataclass(frozen=True)
class Tried:
    """A mutant or rewriting, and what became of it."""

    problem: str
    item: str
    base: str
    """The right answer that was rewritten: `solution`, or the slug of an alternative."""
    change: str
    is_mutant: bool
    fate: Fate
    message: str = ""
    """Why a rewriting lost points."""


@dataclass(frozen=True)
class _Job:
    root: Path
    problem: str
    item: str
    base: str
    rewritten: Rewritten
    is_mutant: bool


def check_mutants(
    problems: Sequence[Problem],
    *,
    workers: int,
    items: Collection[str] | None = None,
    sample: int = 0,
    tick: Callable[[int, int], None] = lambda done, total: None,
) -> list[Tried]:
    """Grades the mutants and rewritings of the solutions and right alternatives.

    Args:
        problems: the problems.
        workers: number of processes; with 1 they are graded in this process.
        items: whose answers; those of all items if not given.
        sample: how many of each problem to grade, drawn always in the same way; 0 for all.
        tick: called after each with the numbers of those that are done and of all.

    Raises:
        SourceError: `mutants.toml` explains something that is no mutant, or there is no such item.
    """
    known = [item.id for problem in problems for item in problem.items if item.kind == "code"]
    for item in items or ():
        if item not in known:
            raise SourceError(f"there is no item `{item}` to check; there are: {', '.join(known)}")
    explained = {problem.id: _explained(problem) for problem in problems}
    jobs: list[_Job] = []
    for problem in problems:
        own = list(_jobs(problem))
        _require_known(problem, explained[problem.id], own)
        own = [job for job in own if items is None or job.item in items]
        jobs += random.Random(problem.id).sample(own, min(sample, len(own))) if sample else own
    found: list[Tried] = []
    for done, tried in enumerate(_all_tried(jobs, min(workers, len(jobs))), 1):
        if tried.fate is Fate.SURVIVED and (tried.item, tried.base, tried.change) in explained[tried.problem]:
            tried = replace(tried, fate=Fate.EXPLAINED)
        found.append(tried)
        tick(done, len(jobs))
    return sorted(found, key=lambda one: (one.problem, one.item, one.base, one.is_mutant, one.change))


def _jobs(problem: Problem) -> Iterator[_Job]:
    root = problem.path.parent.parent
    for item in problem.items:
        if item.kind != "code":
            continue
        bases = {"solution": item.cell.source}
        bases |= {each.slug: each.source for each in variants(problem, "right") if each.item == item.id}
        seen: set[str] = set()
        for base, source in bases.items():
            for is_mutant, made in ((True, mutants(source)), (False, rewritings(source))):
                for rewritten in made:
                    if rewritten.source not in seen:
                        seen.add(rewritten.source)
                        yield _Job(root, problem.id, item.id, base, rewritten, is_mutant)


def _all_tried(jobs: Sequence[_Job], workers: int) -> Iterator[Tried]:
    if workers <= 1:
        yield from map(_tried, jobs)
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for future in as_completed([pool.submit(_tried, job) for job in jobs]):
            yield future.result()


def _tried(job: _Job) -> Tried:
    problem = load_problem(job.problem, job.root)
    graded = _with_limit(problem, job.item) if job.is_mutant else problem
    result = grade_item(graded, job.item, job.rewritten.source, seed="mutants")
    full = result.score == result.max_score
    if not job.is_mutant:
        fate = Fate.AS_EXPECTED if full else Fate.LOST
    elif result.status is Status.TIMEOUT and graded != problem:
        fate = Fate.TOO_SLOW
    elif not full:
        fate = Fate.AS_EXPECTED
    else:
        fate = Fate.EQUAL if _gives_the_same(problem, problem.item(job.item), job.rewritten.source) else Fate.SURVIVED
    message = "" if full or job.is_mutant else result.message
    return Tried(job.problem, job.item, job.base, job.rewritten.change, job.is_mutant, fate, message)


@functools.cache
def _with_limit(problem: Problem, item_id: str) -> Problem:
    """The problem with a limit for the item that the solution keeps easily and an endless loop soon exceeds."""
    item = problem.item(item_id)
    assert item.test is not None
    took = max(grade_item(problem, item_id, item.cell.source, seed="mutants").seconds for _ in range(2))
    test = replace(item.test, seconds=min(item.seconds, 5.0 + SLOW * took))
    return replace(problem, items=tuple(replace(item, test=test) if one is item else one for one in problem.items))


def _gives_the_same(problem: Problem, item: Item, source: str) -> bool:
    """Whether a mutant that passed all tests answers like the solution on the inputs of many students."""
    ours = reference(problem)
    with quiet_process(), warnings.catch_warnings(action="ignore"):
        try:
            names = misconceptions.with_answer(ours, Variant("wrong", item.id, "mutant", Path(), "", source))
            begin = time.process_time()
            for number in range(STUDENTS):
                if time.process_time() - begin > SECONDS:
                    break
                right = misconceptions.expected(ours, item, f"student {number}")
                got = misconceptions.answer(ours, item, names, f"student {number}")
                if right.value is None or not same(got, right.value, right.precision):
                    return False
        except Exception:
            return False
    return True


def _explained(problem: Problem) -> set[tuple[str, str, str]]:
    """The mutants that the author explains: item, base, change."""
    path = problem.path.parent / "variants" / problem.id / "mutants.toml"
    if not path.is_file():
        return set()
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("equal", [])
        if not all(entry["why"] for entry in entries):
            raise KeyError("why")
        return {(entry["item"], entry.get("base", "solution"), entry["change"]) for entry in entries}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"{path}: each [[equal]] needs item, change and why ({error}).") from None


def _require_known(problem: Problem, explained: set[tuple[str, str, str]], jobs: Sequence[_Job]) -> None:
    known = {(job.item, job.base, job.rewritten.change) for job in jobs if job.is_mutant}
    for item, base, change in sorted(explained - known):
        raise SourceError(
            f"{problem.path.parent}/variants/{problem.id}/mutants.toml explains `{change}` of {item} ({base}), which "
            "is no mutant (any more): correct or remove the entry."
        )
