"""Deprecated name of `autograder.gradebook.rubrics`, kept for code of an existing course."""

import sys
import warnings

from autograder.gradebook import rubrics

warnings.warn("autograder.rubric_cells is now autograder.gradebook.rubrics", DeprecationWarning, stacklevel=2)
sys.modules[__name__] = rubrics
