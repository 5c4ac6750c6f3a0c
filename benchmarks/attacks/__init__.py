"""The hostile submissions of `tests/attacks/`, run against our autograder, stock nbgrader and otter-grader.

Stock nbgrader and otter run student code as the user who calls them, so here they run inside bubblewrap or not at all
(`container.py`).
"""
