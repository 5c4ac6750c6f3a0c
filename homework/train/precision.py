"""bfloat16 where the GPU computes with it in hardware: half the memory, several times the speed, no loss scaling.

with autocast(run.device):
    loss = model(x).loss
"""

from __future__ import annotations

import torch


def has_bf16(device: torch.device) -> bool:
    """Does this device compute with bfloat16 in hardware? (Not a CPU here, and not a T4, which only emulates it.)

    Args:
        device: where the model is.
    """
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def autocast(device: torch.device) -> torch.autocast:
    """A block whose matrix products are computed in bfloat16 where `has_bf16`, else as they are.

    Args:
        device: where the model is.
    """
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bf16(device))
