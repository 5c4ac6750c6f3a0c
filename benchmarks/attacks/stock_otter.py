"""Stock otter-grader: an autograder zip made by `otter generate`, submissions graded with `otter run`.

`otter grade` does the same in a Docker container for each submission; what it adds is a wall around the whole, not
between the student's code and the tests.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from nbformat import NotebookNode

from autograder.release.fill import fill_in, solution_answers
from benchmarks.attacks.container import KEPT, WORK, Job, run
from benchmarks.attacks.environments import environment
from benchmarks.attacks.equivalent import MARKS, nbgrader_source, otter_notebook, otter_tests, student_version
from benchmarks.attacks.records import Run
from benchmarks.attacks.stock_nbgrader import ended_by
from benchmarks.attacks.submissions import stock_submissions, write
from tests.attacks.files import Submission
from tests.autograder.toy import toy

NAME = "otter"
MAXIMUM = 20.0
SECONDS = 90.0
"""`otter run` has no time limit of its own; this one is the benchmark's."""
NOT_APPLICABLE = {
    "56_link_to_the_solution": "the solution is not on the machine that runs student code",
    "56c_link_beside_the_notebook": "only the notebook is handed in",
}


class Otter:
    """The autograder zip, made once.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self._environment = environment("otter-grader")
        problem = toy()
        source = nbgrader_source(problem)
        present = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in source.cells}
        self._answers = {name: text for name, text in solution_answers(problem).items() if name in present}
        self._released = otter_notebook(student_version(source))
        tests = folder / "tests-only" / "tests"
        tests.mkdir(parents=True)
        for name, text in otter_tests(problem).items():
            (tests / name).write_text(text, encoding="utf-8")
        (folder / "nothing").mkdir()
        made, self._base = folder / "made", folder / "base"
        command = (["otter", "generate", "-t", "tests", "-o", "autograder.zip"], WORK, 120.0)
        done = run(Job(self._environment, folder / "tests-only", folder / "nothing", [command], keep=made))
        if not (made / KEPT / "autograder.zip").is_file():
            raise RuntimeError(f"otter generate failed: {done['commands'][0]['output']}")
        self._base.mkdir()
        (made / KEPT / "autograder.zip").rename(self._base / "autograder.zip")

    def fill(self, **answers: str) -> NotebookNode:
        """The student's notebook with right answers, some replaced."""
        return fill_in(self._released, {**self._answers, **answers})

    def submissions(self) -> dict[str, Submission]:
        """All submissions."""
        words = {"COURSE": WORK, "SUBMITTED": f"{WORK}/submitted", "OUT": f"{WORK}/results"}
        return stock_submissions(self.fill, self._released, words, f"{WORK}/solution.ipynb")

    def grade(self, name: str, submission: Submission, digest: str) -> Run:
        """Grades one submission."""
        results = "results/results.json"
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            write(submission, Path(folder) / "toy.ipynb")
            arguments = ["otter", "run", "-a", "autograder.zip", "-o", "results", "toy.ipynb"]
            job = Job(
                self._environment,
                self._base,
                Path(folder),
                [(arguments, WORK, SECONDS)],
                texts=[results],
                own=["results"],
                folders=[f"{WORK}/results"],
            )
            result = run(job)
        first = result["commands"][0]
        points, shown = read_results(result["texts"][results])
        return Run(
            system=NAME,
            submission=name,
            digest=digest,
            deserved=submission.score,
            points=points,
            maximum=MAXIMUM,
            seconds=first["seconds"],
            changed=tuple(result["changed"]),
            planted=result["planted"],
            processes_left=result["processes_left"],
            connections=result["connections"],
            pages=("hidden tests",) if any(mark in shown for mark in MARKS) else (),
            stopped=ended_by(first),
            copied=bool(result["copied_secret"]),
            said=first["output"][-400:],
        )


def read_results(text: str) -> tuple[float | None, str]:
    """Points and the text that the student sees, from otter's `results.json`; None if there are no results in it."""
    try:
        tests = json.loads(text)["tests"]
        scores = [float(test["score"]) for test in tests if "score" in test]
    except (ValueError, KeyError, TypeError):
        return None, ""
    shown = "\n".join(str(test.get("output", "")) for test in tests if test.get("visibility", "visible") != "hidden")
    return (sum(scores) if scores else None), shown
