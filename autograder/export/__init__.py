"""Grades on their way out: from nbgrader's gradebook to the course platform.

`scores` reads, `assignments` says what counts as one assignment, `roster` and `matching` find each student on the
platform's own list, `canvas`, `gradescope_csv` and `plain` make the files, `exporting` does one export from end to end.
"""
