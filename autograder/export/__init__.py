"""Exports grades from nbgrader's gradebook to the course platform.

`grades` reads the gradebook, `assignments` defines assignments, `roster` and `roster_match` find each student on the
platform's list, `canvas`, `gradescope_csv` and `plain` make the files, `export` runs one export from end to end.
"""
