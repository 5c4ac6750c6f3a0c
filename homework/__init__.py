"""What a homework notebook imports, grouped by what it is used for.

- `homework` itself: the run (profile, device, seed), what test cells use (`checks`, `student`, `reference`), Colab.
- `homework.data`: data sets. `homework.models`: networks. `homework.show`: figures. `homework.train`: training loops
  with checkpoints. `homework.hand_in`: the submission log.

`import homework` stays light: it imports numpy, and nothing that only some cells need (torch, matplotlib, scikit-learn,
torchvision, transformers). It also makes `import torchvision` work where a CPU build of torch stands beside a CUDA
build of torchvision (see `homework.torchvision_compat`).
"""

from __future__ import annotations

import homework.old_names
import homework.torchvision_compat  # noqa: F401  (first: acts when torchvision is imported)
from homework.notebook_names import reference, student
from homework.profiles import Run, start
from homework.seeds import seed_everything

__version__ = "0.1.0"

__all__ = ["Run", "__version__", "reference", "seed_everything", "start", "student"]
