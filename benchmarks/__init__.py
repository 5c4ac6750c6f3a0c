"""Comparisons with other systems, each a package of its own; none of it is needed for grading."""
