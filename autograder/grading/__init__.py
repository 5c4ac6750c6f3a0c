"""Grades one submission: an explicit result for each item."""
