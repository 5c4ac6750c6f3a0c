"""Stands in for `autograder` in tests of the fuzzer: writes the results of a class without grading, and one fault.

Usage: `python stand_in.py FAULT grade toy --submitted DIR --out DIR ...`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

POINTS = {"honest": (12, 8), "honest_part": (8, 8)}
NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def main(fault: str, arguments: list[str]) -> int:
    """Writes the results and returns the exit status."""
    options = dict(zip(arguments[2::2], arguments[3::2], strict=True))
    submitted, out = Path(options["--submitted"]), Path(options["--out"])
    students = sorted(path.name for path in submitted.iterdir())
    victim = next(name for name in students if name not in POINTS)
    rows = ["student,problem,score,max_score,status"]
    for student in students:
        standardize, line = POINTS.get(student, (0, 0))
        if (fault, student) in (("points", victim), ("honest", "honest_part")):
            standardize = 12
        status = "grader_error" if (fault, student) == ("error", victim) else "graded"
        rows.append(f"{student},toy,{standardize + line},25,{status}")
        points = {"standardize": standardize, "Line": line, "figure_loss": 0, "written_units": 0}
        items = [{"id": item, "score": score} for item, score in points.items()]
        broken = student == victim
        folder = out / student / "toy"
        folder.mkdir(parents=True)
        log = "{" if fault == "json" and broken else json.dumps({"grades": {"items": items}})
        (folder / "submission_log.json").write_text(log)
        (folder / "toy.ipynb").write_text(json.dumps(NOTEBOOK))
        script = "<script>" if fault == "script" and broken else ""
        (folder / "feedback.html").write_text(f"<!doctype html><html>{script}</html>")
        if fault == "files" and broken:
            (folder / "feedback.html").unlink()
    (out / "grades.csv").write_text("\n".join(row for row in rows if not (fault == "row" and row.startswith(victim))))
    if fault == "traceback":
        print('  File "/x/autograder/core/text.py", line 7, in f\nKeyError: 1', file=sys.stderr)
    if fault == "course":
        (submitted.parent / "course" / "solutions" / "toy.py").write_text("")
    return 1 if fault == "status" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
