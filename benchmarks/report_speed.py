"""`python -m benchmarks.report_speed`: what the class report of a large class takes, in one process.

Grades the made-up class once, then copies what grading wrote until the class is large: each copy under a name of its
own, with a picture of its own below the first figure and a helper of its own in the first answer, so that no two works
are the same. Fails if the report does not count everybody.
"""

from __future__ import annotations

import argparse
import base64
import csv
import io
import json
import platform
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_output
from PIL import Image

from autograder.batch.grade_folder import grade_folder
from autograder.batch.tables import GRADES, TIMINGS
from autograder.cli.sample_class import make_class
from autograder.core.notebook_io import graded_notebook, graded_text
from autograder.course.config import root_folder
from autograder.course.problem import Problem, load_problem
from autograder.report import report_html
from autograder.submissions.reader import LOG_NAME


def enlarge(out: Path, problem: Problem, students: int) -> None:
    """Adds copies of graded submissions until there are so many; also their lines in both tables."""
    originals = sorted(path.parent for path in out.glob(f"*/{problem.id}/{LOG_NAME}"))
    rows = {name: _rows(out / name) for name in (GRADES, TIMINGS)}
    draw = random.Random(0)
    for number in range(len(originals), students):
        original = originals[number % len(originals)]
        student = f"copy{number:05d}"
        folder = out / student / problem.id
        folder.mkdir(parents=True)
        log = json.loads((original / LOG_NAME).read_text(encoding="utf-8"))
        (folder / LOG_NAME).write_text(json.dumps({**log, "student": student}), encoding="utf-8")
        notebook = graded_notebook((original / f"{problem.id}.ipynb").read_text(encoding="utf-8"))
        _make_own(notebook, problem, draw)
        (folder / f"{problem.id}.ipynb").write_text(graded_text(notebook), encoding="utf-8")
        for table in rows.values():
            table.append({**next(row for row in table if row["student"] == original.parent.name), "student": student})
    for name, table in rows.items():
        with (out / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(table[0]))
            writer.writeheader()
            writer.writerows(table)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _make_own(notebook: NotebookNode, problem: Problem, draw: random.Random) -> None:
    """Makes a work like no other: thirty lines that do nothing, and a picture of noise."""
    code = next(item for item in problem.items if item.kind == "code")
    figure = next((item for item in problem.items if item.kind == "figure"), None)
    for cell in notebook.cells:
        if cell.id == code.cell.id:
            numbers = [draw.randrange(10**6) for _ in range(60)]
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            cell.source += "".join(f"\n_ = {a} - {b} ** 2" for a, b in pairs)
        if figure is not None and cell.id == figure.cell.id:
            cell.outputs = [new_output("display_data", {"image/png": _noise(draw)})]


def _noise(draw: random.Random) -> str:
    """A picture of 10 rows and 20 columns of small images, about as large as the students' sample grids."""
    packed = io.BytesIO()
    Image.frombytes("L", (560, 280), draw.randbytes(560 * 280)).save(packed, "PNG")
    return base64.b64encode(packed.getvalue()).decode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes a class and its report; exit status 1 if the report does not count everybody."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--problem", default="vae")
    parser.add_argument("--students", type=int, default=1000)
    options = parser.parse_args(arguments)
    root = root_folder()
    problem = load_problem(options.problem, root)
    print(f"Python {platform.python_version()}, {platform.machine()}, one process")
    with tempfile.TemporaryDirectory() as folder:
        handed_in, out = Path(folder) / "handed_in", Path(folder) / "graded"
        make_class([problem.id], handed_in, root)
        grade_folder(problem.id, handed_in, out, gradebook=False, cache=False, root=root)
        enlarge(out, problem, options.students)
        wall, cpu = time.perf_counter(), time.process_time()
        page = report_html(out, root=root)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(
        f"{problem.id}: {options.students:,} submissions in {wall:.2f} s ({cpu:.2f} s of processor time), a page of "
        f"{len(page.encode()) / 2**20:.1f} MiB; {memory:.0f} MiB of memory with all that is loaded"
    )
    return 0 if f"{options.students} submissions" in page else 1


if __name__ == "__main__":
    raise SystemExit(main())
