"""bfloat16 on GPUs with hardware support: half the memory, several times the speed, no loss scaling.

with autocast(run.device):
    loss = model(x).loss
"""

from __future__ import annotations

import torch


def has_bf16(device: torch.device) -> bool:
    """Does this device support bfloat16 in hardware? (False for a CPU, and for a T4, which only emulates it.)

    Args:
        device: device of the model.
    """
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def autocast(device: torch.device) -> torch.autocast:
    """A context that computes matrix products in bfloat16 if `has_bf16`, else in the usual precision.

    Args:
        device: device of the model.
    """
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bf16(device))
