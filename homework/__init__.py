"""What a homework notebook imports: profile and device, seeds, data, plots, training with checkpoints, and the log.

`import homework` stays light: it imports torch and numpy, and nothing that only some cells need (matplotlib,
scikit-learn, torchvision, transformers). It also makes `import torchvision` work where a CPU build of torch stands
beside a CUDA build of torchvision (see `homework.torchvision_compat`).
"""

from __future__ import annotations

import homework.torchvision_compat  # noqa: F401  (first: must have acted before anything imports torchvision)
from homework.notebook_names import reference, student
from homework.profiles import Run, start
from homework.seeds import seed_everything

__version__ = "0.1.0"

__all__ = ["Run", "__version__", "reference", "seed_everything", "start", "student"]
