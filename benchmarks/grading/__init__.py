"""How fast is grading? Our autograder, stock nbgrader and stock otter-grader on the same class, side by side.

`python -m benchmarks.grading` grades 24 submissions of one problem with each of them, measures wall time, processor
time and memory from outside, and writes `docs/grading_speed.md`.
"""
