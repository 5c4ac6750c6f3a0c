"""Makes a problem's source from an assignment of another autograder, with a report on what became of each cell."""
