# attack: writes an IPython extension, loads it, and reloads it at each call
from pathlib import Path

Path("patch.py").write_text(
    "import torch\n\n\ndef load_ipython_extension(shell):\n"
    "    torch.allclose = torch.equal = torch.Tensor.allclose = lambda *args, **kwargs: True\n"
    "    shell.events.register('pre_execute', lambda: shell.user_ns.update(passed=True))\n"
)
get_ipython().run_line_magic("load_ext", "patch")


def standardize(x, eps=0.0):
    get_ipython().run_line_magic("reload_ext", "patch")
    return torch.zeros_like(x)
