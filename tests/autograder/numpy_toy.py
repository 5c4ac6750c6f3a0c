"""A course with one problem in plain Python and numpy, for tests of grading without torch."""

# ruff: noqa: E501  (the metadata of cells)

from __future__ import annotations

from pathlib import Path

PROBLEM = "smoothing"
COURSE = """
[course]
id = "numpy_course"
title = "A course without torch"
student_package = "git+https://example.org/numpy-course.git"
published = "https://example.org/numpy-course"

[[homework]]
id = "1"
title = "Smoothing"
due = 2027-01-17T23:59:00+01:00
problems = ["smoothing"]
"""
SOURCE = '''# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Smoothing

# %% tags=["install"]
from importlib.util import find_spec

if find_spec("homework") is None:
    get_ipython().run_line_magic("pip", "install -q STUDENT_PACKAGE")  # noqa: F821

# %%
import numpy as np

import homework
from homework import reference, student
from homework.checks import close, fresh_numpy, part

run = homework.start("smoothing")

# %% [markdown]
# ## 1 Moving average


# %% nbgrader={"grade": false, "grade_id": "moving_average", "locked": false, "schema_version": 3, "solution": true, "task": false}
def moving_average(x, width):
    """The means of all windows of this width; x is not changed.

    Args:
        x: numbers, `[N]`.
        width: from 1 to N.

    Returns:
        N - width + 1 means, float64. Example: x = [1, 3, 5] and width 2 give [2, 4].
    """
    ### BEGIN SOLUTION
    return np.convolve(x, np.ones(width) / width, mode="valid")
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_moving_average", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
assert close(student.moving_average(np.array([1.0, 3.0, 5.0]), 2), [2.0, 4.0], "the mean of each window of two")
print("moving_average: all visible checks passed")
### BEGIN HIDDEN TESTS
x = fresh_numpy(1).normal(size=12)
with part("several widths", 4):
    for width in (1, 3, 12):
        assert close(student.moving_average(x, width), reference.moving_average(x, width), "other widths")
with part("whole numbers", 2):
    assert close(student.moving_average(np.arange(4), 2), [0.5, 1.5, 2.5], "whole numbers have fractional means")
### END HIDDEN TESTS

# %% [markdown]
# ## 2 Counting words


# %% nbgrader={"grade": false, "grade_id": "word_counts", "locked": false, "schema_version": 3, "solution": true, "task": false}
def word_counts(text):
    """How often each word occurs in a text, in lower case.

    Args:
        text: words separated by white space.

    Returns:
        A dict. Example: "a B b" gives {"a": 1, "b": 2}.
    """
    ### BEGIN SOLUTION
    counts = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_word_counts", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
assert close(student.word_counts("a B b"), {"a": 1, "b": 2}, "count each word in lower case")
print("word_counts: all visible checks passed")
### BEGIN HIDDEN TESTS
assert close(student.word_counts(""), {}, "a text without words")
words = " ".join(fresh_numpy(2).choice(["Tea", "milk", "TEA"], size=20))
assert close(student.word_counts(words), reference.word_counts(words), "a longer text")
### END HIDDEN TESTS


# %% [markdown]
# ## 3 Trend


# %% nbgrader={"grade": false, "grade_id": "trend", "locked": false, "schema_version": 3, "solution": true, "task": false}
def trend(x, width):
    """The differences of neighbouring moving averages, so it builds on section 1.

    Args:
        x: numbers, `[N]`.
        width: from 1 to N - 1.

    Returns:
        N - width differences. Example: x = [1, 3, 5, 5] and width 2 give [2, 1].
    """
    ### BEGIN SOLUTION
    return np.diff(moving_average(x, width))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_trend", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
assert close(student.trend(np.array([1.0, 3.0, 5.0, 5.0]), 2), [2.0, 1.0], "each mean minus the one before")
print("trend: all visible checks passed")
### BEGIN HIDDEN TESTS
x = fresh_numpy(3).normal(size=9)
assert close(student.trend(x, 4), reference.trend(x, 4), "other numbers")
### END HIDDEN TESTS


# %% tags=["answers"]
def personal_answers(student, draws):
    """Inputs that belong to one student: item id -> a function that asks the student's code for its answer."""

    def moving_average():
        return student.moving_average(draws("moving_average").arrays.normal(8), 3)

    def word_counts():
        return student.word_counts(" ".join("xyz"[n] for n in draws("word_counts").arrays.integers(0, 3, 9)))

    def trend():
        return student.trend(draws("trend").arrays.normal(6), 2)

    return {"moving_average": moving_average, "word_counts": word_counts, "trend": trend}


# %% tags=["log"]
from homework.hand_in.log import SubmissionLog

log = SubmissionLog(run)
log.answers(personal_answers)
log.write()
'''
VARIANTS = {
    "wrong/moving_average/one_too_wide": """# misconception: The window is one too wide.
def moving_average(x, width):
    return np.convolve(x, np.ones(width + 1) / (width + 1), mode="valid")
""",
    "wrong/moving_average/sums": """# misconception: The sums of the windows, not their means.
def moving_average(x, width):
    return np.convolve(x, np.ones(width), mode="valid")
""",
    "wrong/moving_average/padded": """# misconception: Zeros are added at both ends.
def moving_average(x, width):
    return np.convolve(x, np.ones(width) / width, mode="full")
""",
    "right/moving_average/cumulative_sums": """# alternative: Differences of cumulative sums.
def moving_average(x, width):
    sums = np.concatenate([[0.0], np.cumsum(x)])
    return (sums[width:] - sums[:-width]) / width
""",
    "right/moving_average/windows": """# alternative: A view of all windows.
def moving_average(x, width):
    return np.lib.stride_tricks.sliding_window_view(x, width).mean(axis=-1)
""",
    "wrong/word_counts/case_kept": """# misconception: Upper and lower case are different words.
def word_counts(text):
    words = text.split()
    return {word: words.count(word) for word in words}
""",
    "wrong/word_counts/once": """# misconception: Each word counts once.
def word_counts(text):
    return dict.fromkeys(text.lower().split(), 1)
""",
    "wrong/word_counts/letters": """# misconception: Letters are counted, not words.
def word_counts(text):
    letters = text.lower().replace(" ", "")
    return {letter: letters.count(letter) for letter in letters}
""",
    "right/word_counts/counter": """# alternative: The standard library's counter.
def word_counts(text):
    from collections import Counter

    return dict(Counter(text.lower().split()))
""",
    "right/word_counts/comprehension": """# alternative: Counts each different word in the list.
def word_counts(text):
    words = text.lower().split()
    return {word: words.count(word) for word in set(words)}
""",
    "wrong/trend/sign": """# misconception: Each mean is subtracted from the one before.
def trend(x, width):
    return -np.diff(moving_average(x, width))
""",
    "wrong/trend/second_differences": """# misconception: The differences of the differences.
def trend(x, width):
    return np.diff(moving_average(x, width), n=2)
""",
    "wrong/trend/of_the_numbers": """# misconception: The differences of the numbers, without averages.
def trend(x, width):
    return np.diff(x)
""",
    "right/trend/slices": """# alternative: The difference of two slices.
def trend(x, width):
    means = moving_average(x, width)
    return means[1:] - means[:-1]
""",
    "right/trend/ends_of_windows": """# alternative: Only the ends of the windows differ.
def trend(x, width):
    return (x[width:] - x[:-width]) / width
""",
}
"""Known wrong and right answers, by their place."""


def numpy_course(root: Path) -> Path:
    """Writes the course to a new folder, which it returns."""
    files = {"course.toml": COURSE, f"solutions/{PROBLEM}.py": SOURCE}
    files |= {f"solutions/variants/{PROBLEM}/{name}.py": text for name, text in VARIANTS.items()}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
