"""Grades a class on one machine or many."""
