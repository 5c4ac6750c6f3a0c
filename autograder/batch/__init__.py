"""A class, graded on any number of machines."""
