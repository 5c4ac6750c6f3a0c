"""`python -m benchmarks.second_look`: what the second look finds and what groups save, on answers that people graded.

`--data` names a folder with two sets, tab-separated: `mohler_answers.csv` (columns `id` of the question, `answer`,
`score_me`, `score_other` of two graders; Mohler, Bunescu and Mihalcea, 2011) and `nn_exam_answers.csv` (`id`, `answer`,
`score`). The list of answers whose score is out of line uses one grader's scores only. It is right where the other
grader differs by `GAP` points or more. It is compared with lists that see less: only the lengths, or only the scores.
In the first set the last two groups of questions have 10 points and the others 5, so a second table halves their
scores.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import itertools
import os
import platform
import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograder.desk.features import Matrix, TextFeatures, order
from autograder.desk.groups import equal_groups, near_groups
from autograder.desk.normal_form import normal_form
from autograder.desk.second_look import out_of_line

GAP = 2.0
"""Two graders who differ by this many points do not agree."""
SHARES = (0.05, 0.1, 0.2)
MOST_POINTS = 5.0
"""Most points of a question in the first set; groups of questions with more have twice as many."""
GRADERS = ("score_me", "score_other")
ANSWERS, WORDS = 1000, 100
"""Size of the made-up class whose processor time is measured."""
_RANKINGS = ("similar answers", "length alone", "mean alone")


@dataclass(frozen=True)
class Question:
    """All answers to one question.

    Attributes:
        id: the question's id; what is before the dot is its group.
        forms: the answers in normal form, N of them.
        answers: the answers as the students wrote them.
        scores: grader → scores `[N]`.
        features: what is measured on `forms`.
    """

    id: str
    answers: tuple[str, ...]
    forms: tuple[str, ...]
    scores: Mapping[str, Matrix]
    features: TextFeatures


def read_questions(path: Path, graders: Sequence[str]) -> list[Question]:
    """Reads a set, question by question."""
    rows = defaultdict(list)
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            rows[row["id"]].append(row)
    found = []
    for question, own in rows.items():
        answers = tuple(row["answer"] for row in own)
        forms = tuple(map(normal_form, answers))
        scores = {grader: np.array([float(row[grader]) for row in own]) for grader in graders}
        found.append(Question(question, answers, forms, scores, TextFeatures.of(forms)))
    return found


def residuals(questions: Sequence[Question], grader: str) -> dict[str, Matrix]:
    """Ranking → how far each answer's score is out of line, all questions one after another."""
    kernels = {
        "similar answers": [question.features.kernel for question in questions],
        "length alone": [question.features.length_kernel for question in questions],
        "mean alone": [np.zeros((len(question.forms), len(question.forms))) for question in questions],
    }
    return {
        ranking: np.concatenate(
            [np.abs(out_of_line(kernel, one.scores[grader])) for kernel, one in zip(each, questions, strict=True)]
        )
        for ranking, each in kernels.items()
    }


def found_early(far: Matrix, is_disputed: Matrix, share: float) -> float:
    """The share of disputed answers among those that the list puts first."""
    first = np.argsort(-far.round(9), kind="stable")[: max(1, round(share * len(far)))]
    return float(is_disputed[first].mean())


def on_one_scale(questions: Sequence[Question]) -> list[Question]:
    """The questions with halved scores where they exceed `MOST_POINTS`."""
    exceed = {one.id.split(".")[0] for one in questions for scores in one.scores.values() if scores.max() > MOST_POINTS}
    return [
        dataclasses.replace(one, scores={grader: scores / 2 for grader, scores in one.scores.items()})
        if one.id.split(".")[0] in exceed
        else one
        for one in questions
    ]


def print_second_look(questions: Sequence[Question]) -> float:
    """Prints how many of the answers that the list puts first two graders disagree on.

    Returns:
        The share among the first 5 % by the first grader's scores.
    """
    scores = {grader: np.concatenate([one.scores[grader] for one in questions]) for grader in GRADERS}
    is_disputed = np.abs(scores[GRADERS[0]] - scores[GRADERS[1]]) >= GAP
    print(
        f"{len(is_disputed)} answers to {len(questions)} questions; the graders differ by {GAP:g} or more on "
        f"{is_disputed.mean():.1%}, of the answers on the list on"
    )
    print(f"{'list by':12}{'from':17}" + "".join(f"{f'first {share:.0%}':>11}" for share in SHARES))
    result = 0.0
    for grader in GRADERS:
        far = residuals(questions, grader)
        for ranking in _RANKINGS:
            found = [found_early(far[ranking], is_disputed, share) for share in SHARES]
            print(f"{grader:12}{ranking:17}" + "".join(f"{share:11.1%}" for share in found))
            if grader == GRADERS[0] and ranking == _RANKINGS[0]:
                result = found[0]
    return result


def print_groups_of_questions(questions: Sequence[Question]) -> None:
    """Prints for each group of questions how many of its answers are on the list, and how many are disputed."""
    far = residuals(questions, GRADERS[0])[_RANKINGS[0]]
    is_disputed = np.concatenate([np.abs(one.scores[GRADERS[0]] - one.scores[GRADERS[1]]) >= GAP for one in questions])
    numbers: dict[str, list[int]] = defaultdict(list)
    start = 0
    for question in questions:
        numbers[question.id.split(".")[0]] += range(start, start + len(question.forms))
        start += len(question.forms)
    first = set(np.argsort(-far.round(9), kind="stable")[: round(SHARES[-1] * len(far))].tolist())
    print(f"by group of questions, list by {GRADERS[0]}, first {SHARES[-1]:.0%} of all answers:")
    print(f"{'group':8}{'answers':>8}{'disputed':>10}{'on the list':>13}{'disputed there':>16}")
    for group, members in numbers.items():
        listed = [number for number in members if number in first]
        there = f"{is_disputed[listed].mean():.0%}" if listed else "-"
        print(f"{group:8}{len(members):8}{is_disputed[members].mean():10.0%}{len(listed):13}{there:>16}")


def print_groups(name: str, questions: Sequence[Question], graders: Sequence[str]) -> None:
    """Prints how many decisions groups save, and how often two answers in a group have the same score."""
    answers = sum(len(question.forms) for question in questions)
    for kind in ("equal", "near", "any two"):
        groups = [(question, group) for question in questions for group in _groups(question, kind)]
        agree = []
        for grader in graders:
            pairs = [
                question.scores[grader][one] == question.scores[grader][other]
                for question, group in groups
                for one, other in itertools.combinations(group, 2)
            ]
            agree.append(f"{grader} {np.mean(pairs):.1%}" if pairs else f"{grader} -")
        decisions = (
            ""
            if kind == "any two"
            else f"{answers} answers need {len(groups)} decisions, {answers - len(groups)} fewer; "
        )
        if kind == "near":
            decisions = f"{sum(len(group) - 1 for _, group in groups)} more answers have a nearly equal one; "
        print(f"{name}, {kind}: {decisions}same score in pairs: {', '.join(agree)}")


def _groups(question: Question, kind: str) -> list[list[int]]:
    if kind == "any two":
        return [list(range(len(question.forms)))]
    equal = equal_groups(question.answers)
    if kind == "equal":
        return equal
    return near_groups(question.forms, question.features.characters, [group[0] for group in equal])


def processor_time(questions: Sequence[Question], answers: int = ANSWERS, words: int = WORDS) -> dict[str, float]:
    """Seconds of processor time for the steps on one made-up question, with words drawn from the given answers."""
    draw = random.Random(0)
    known = [word for question in questions for answer in question.answers for word in answer.split()]
    texts = [" ".join(draw.choices(known, k=draw.randrange(words // 2, words * 3 // 2))) for _ in range(answers)]
    times = {}
    start = time.process_time()
    groups = equal_groups(texts)
    forms = [normal_form(text) for text in texts]
    times["normal form and equal groups"] = time.process_time() - start
    start = time.process_time()
    features = TextFeatures.of(forms)
    times["features"] = time.process_time() - start
    start = time.process_time()
    near_groups(forms, features.characters, [group[0] for group in groups])
    times["near groups"] = time.process_time() - start
    start = time.process_time()
    order(features.kernel)
    times["order"] = time.process_time() - start
    start = time.process_time()
    out_of_line(features.kernel, [draw.randrange(5) for _ in texts])
    times["second look"] = time.process_time() - start
    return times


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints all tables; exit status 1 if the data are missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("HOMEWORK_DATA", ".")) / "written_answers")
    parser.add_argument("--answers", type=int, default=ANSWERS, help="size of the class whose time is measured")
    options = parser.parse_args(arguments)
    paths = options.data / "mohler_answers.csv", options.data / "nn_exam_answers.csv"
    for path in paths:
        if not path.is_file():
            print(f"There is no file {path}. Name the folder with the answers with --data.")
            return 1
    print(f"Python {platform.python_version()}, {platform.machine()}, one process")
    mohler, exam = read_questions(paths[0], GRADERS), read_questions(paths[1], ["score"])
    print_second_look(mohler)
    print_groups_of_questions(mohler)
    print("with all scores from 0 to 5:")
    print_second_look(on_one_scale(mohler))
    print_groups("mohler", mohler, GRADERS)
    print_groups("nn_exam", exam, ["score"])
    times = processor_time([*mohler, *exam], options.answers)
    print(
        f"{options.answers:,} answers of about {WORDS} words: {sum(times.values()):.2f} s of processor time ("
        + ", ".join(f"{step} {seconds:.2f}" for step, seconds in times.items())
        + ")"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
