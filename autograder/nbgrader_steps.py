"""Deprecated name of `autograder.gradebook.nbgrader_plugin`, kept for nbgrader_config.py of an existing course."""

import sys
import warnings

from autograder.gradebook import nbgrader_plugin

warnings.warn("autograder.nbgrader_steps is now autograder.gradebook.nbgrader_plugin", DeprecationWarning, stacklevel=2)
sys.modules[__name__] = nbgrader_plugin
