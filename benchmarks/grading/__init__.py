"""How fast is grading? Our autograder, stock nbgrader and stock otter-grader on the same class, side by side."""
