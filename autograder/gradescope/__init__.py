"""The bridge to Gradescope: a zip that grades one problem there like `autograder grade` here.

`build` makes the zip on the course's machine. In the container `runner` starts and monitors `grade`, which examines the
submission, and writes `results.json`. docs/gradescope.md says how an instructor uses it.
"""
