"""`python -m benchmarks.training_steps`: steps of the two networks that profile `full` trains, with random weights.

A T5 of the size of `google-t5/t5-small` learns to summarize, an encoder of the size of `distilbert/distilroberta-base`
to rank, on made-up tokens of the lengths that the notebooks use. Nothing is downloaded. Prints tokens per second and,
on a GPU, the peak of its memory: a Colab T4 has 15 GB.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from typing import Any

import torch

import homework
from homework.train.precision import autocast, has_bf16

Step = Callable[[], torch.Tensor]


def t5_step(size: str, device: torch.device, batch: int) -> tuple[Any, Step, int]:
    """A T5, a function that gives the loss of a new batch, and the tokens in a batch."""
    from transformers import T5Config, T5ForConditionalGeneration

    make: Any = {"vocab_size": 32128, "num_layers": 6, "dropout_rate": 0.1, "decoder_start_token_id": 0}
    if size == "tiny":
        make |= {"d_model": 32, "d_kv": 8, "num_heads": 2, "d_ff": 64, "num_layers": 1, "vocab_size": 100}
    document, summary = (384, 64) if size == "full" else (24, 8)
    model: Any = T5ForConditionalGeneration(T5Config(**make))
    model.to(device)

    def step() -> torch.Tensor:
        x = torch.randint(3, make["vocab_size"], (batch, document), device=device)
        y = torch.randint(3, make["vocab_size"], (batch, summary), device=device)
        loss: torch.Tensor = model(input_ids=x, attention_mask=torch.ones_like(x), labels=y).loss
        return loss

    return model, step, batch * (document + summary)


def encoder_step(size: str, device: torch.device, batch: int) -> tuple[Any, Step, int]:
    """An encoder with one number as its output, the loss of ranking groups of four, and the tokens in a batch."""
    from transformers import RobertaConfig, RobertaForSequenceClassification

    make: Any = {"vocab_size": 50265, "num_hidden_layers": 6, "max_position_embeddings": 514, "num_labels": 1}
    if size == "tiny":
        make |= {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
        make |= {"vocab_size": 100}
    length = 448 if size == "full" else 32
    rows = max(4, batch // 4 * 4)
    model: Any = RobertaForSequenceClassification(RobertaConfig(**make))
    model.to(device)

    def step() -> torch.Tensor:
        x = torch.randint(3, make["vocab_size"], (rows, length), device=device)
        rewards = model(input_ids=x, attention_mask=torch.ones_like(x)).logits.float().view(-1, 4)
        better, worse = torch.triu_indices(4, 4, 1)
        loss: torch.Tensor = -torch.nn.functional.logsigmoid(rewards[:, better] - rewards[:, worse]).mean()
        return loss

    return model, step, rows * length


def measure(kind: str, size: str, steps: int, batch: int) -> str:
    """Trains for some steps; a line that says how fast that was.

    Args:
        kind: `t5` or `encoder`.
        size: `full` or `tiny`.
        steps: how many, after three that do not count.
        batch: rows in a batch.
    """
    homework.seed_everything(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    model, step, tokens = (t5_step if kind == "t5" else encoder_step)(size, device, batch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    begun, loss = 0.0, torch.zeros(())
    for number in range(steps + 3):
        if number == 3:
            if device.type == "cuda":
                torch.cuda.synchronize()
            begun = time.perf_counter()
        with autocast(device):
            loss = step()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    last = float(loss.detach())  # waits for the GPU
    seconds = time.perf_counter() - begun
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    line = f"{kind}: {millions:.1f} million parameters, batches of {batch}, {steps} steps in {seconds:.1f} s, "
    line += f"{steps * tokens / seconds:,.0f} tokens per second, last loss {last:.3f}"
    if device.type == "cuda":
        line += f", peak {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB"
    return line


def main(arguments: list[str] | None = None) -> int:
    """Prints a line for each of the two networks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_steps", description=__doc__)
    parser.add_argument("--size", choices=["full", "tiny"], default="full")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=32, help="rows in a batch")
    options = parser.parse_args(arguments)
    cuda = torch.cuda.is_available()
    device = torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
    number = "bfloat16" if has_bf16(torch.device("cuda" if cuda else "cpu")) else "float32"
    print(f"{device}, {number}, torch {torch.__version__}, Python {platform.python_version()}")
    for kind in ("t5", "encoder"):
        print(measure(kind, options.size, options.steps, options.batch), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
