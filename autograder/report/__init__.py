"""The class report: one page for teaching assistants and instructors, made from the output of `autograder grade`.

It shows how the class did, where and why points were lost, and which submissions need review. It is made from the
results' folder and the problems' sources; nothing is graded or run for it.
"""

from autograder.report.page import report, report_html

__all__ = ["report", "report_html"]
