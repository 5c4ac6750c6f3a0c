"""Checks students' logs without running student code."""
