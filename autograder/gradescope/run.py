"""Deprecated name of `autograder.gradescope.runner`, kept for a course's own `run_autograder`."""

import sys
import warnings

from autograder.gradescope import runner

warnings.warn("autograder.gradescope.run is now autograder.gradescope.runner", DeprecationWarning, stacklevel=2)
if __name__ == "__main__":
    sys.exit(runner.main(sys.argv[1:]))
sys.modules[__name__] = runner
