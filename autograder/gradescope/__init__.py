"""The bridge to Gradescope: a zip that grades one problem there as `autograder grade` does here.

`zip_file` makes the zip on the course's machine. In the container `run` watches over `grade`, which examines what was
handed in, and writes `results.json`. docs/gradescope.md says how an instructor uses it.
"""
