# attack: reads the solution from the course folder
from pathlib import Path


def standardize(x, eps=EPS):
    for path in [Path(COURSE) / "solutions/toy.py", Path(COURSE) / "course/source/toy/toy.ipynb"]:
        try:
            if "BEGIN SOLUTION" in path.read_text():
                return (x - x.mean(0)) / (x.var(0, unbiased=False) + eps).sqrt()
        except OSError:
            pass
    return torch.zeros_like(x)
