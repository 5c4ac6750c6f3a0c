"""Shows staff why an item lost points: each check, its inputs, what the student's code gave and what was expected.

It grades one submission again in the sandbox, with the seed of the earlier grading, and changes no record. What it
shows contains hidden tests and must not reach students.
"""
