"""Deprecated name of `autograder.export.nbgrader_plugin`, kept for scripts that use it."""

import sys
import warnings

from autograder.export import nbgrader_plugin

warnings.warn("autograder.export.plugin is now autograder.export.nbgrader_plugin", DeprecationWarning, stacklevel=2)
sys.modules[__name__] = nbgrader_plugin
