"""What stands beside the student's code: the wire format and the worker that runs cells and answers calls.

This folder is the only part of `autograder` that a student's process can see, so nothing in it knows of a problem,
a test or a solution, and it imports nothing from the rest of the package.
"""
