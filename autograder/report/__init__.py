"""The class report: one page for teaching assistants and instructors, made from what `autograder grade` wrote.

It says how the class did, where it fails and why, and whose work a person should look at. Everything on it is read from
the results' folder and the problems' sources; nothing is graded or run for it.
"""

from autograder.report.page import report, report_html

__all__ = ["report", "report_html"]
