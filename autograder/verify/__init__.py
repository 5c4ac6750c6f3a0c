"""Logs of students, checked without running student code."""
