"""The code that runs in the sandbox: confinement, the wire format, and the servers that run cells and answer calls.

This folder is the only part of `autograder` that student code can read. So it contains nothing about problems, tests or
solutions, and imports nothing from the rest of the package.
"""
