"""The hostile submissions of `tests/attacks/`, run against our autograder, stock nbgrader and otter-grader.

`python -m benchmarks.attacks` runs what has not run yet and writes `docs/attacks_compared.md`. Stock nbgrader and otter
run student code as whoever calls them, so here they run inside bubblewrap or not at all (`container.py`).
"""
