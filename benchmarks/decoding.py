"""`python -m benchmarks.decoding`: tokens per second, decoding naively, with the cache, and as transformers does.

All write greedily, for the same documents in one batch, with random weights and without an end token, so that each
text is as long as asked for. `naive` and `cached` are the notebook's functions, on T5 and on the notebook's own
Transformer; `generate` is transformers' own, on T5. `--size tiny` has the widths of the embedded T5, `--size small`
those of `google-t5/t5-small`. On a GPU the peak of its memory is shown, too. Ratios within one run can be compared,
seconds of different runs cannot.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from typing import Any

import torch

import homework
from autograder.course.problem import load_problem
from autograder.grading.reference import reference
from homework.models.cache_names import accept_both_cache_names
from homework.train.precision import autocast, has_bf16

START, END, PAD = 0, -1, 0
T5_SIZES: dict[str, dict[str, int]] = {
    "tiny": {"vocab_size": 1507, "d_model": 96, "d_kv": 24, "num_heads": 4, "d_ff": 256, "num_layers": 2},
    "small": {"vocab_size": 32128, "d_model": 512, "d_kv": 64, "num_heads": 8, "d_ff": 2048, "num_layers": 6},
}
OWN_SIZES: dict[str, dict[str, int]] = {
    "tiny": {"vocabulary": 1507, "dim": 96, "heads": 4, "hidden": 256, "layers": 2},
    "small": {"vocabulary": 32128, "dim": 512, "heads": 8, "hidden": 2048, "layers": 6},
}
Decode = Callable[[Any, torch.Tensor, int], torch.Tensor]


def make_t5(size: str) -> Any:
    """A T5 with random weights that never ends a text."""
    from transformers import T5Config, T5ForConditionalGeneration

    ids = {"decoder_start_token_id": START, "pad_token_id": PAD, "eos_token_id": END}
    make: Any = {**T5_SIZES[size], **ids}
    model: Any = T5ForConditionalGeneration(T5Config(**make))
    model.generation_config.eos_token_id = None
    return accept_both_cache_names(model)


def generate(model: Any, documents: torch.Tensor, length: int) -> torch.Tensor:
    """What transformers writes greedily, without the start token."""
    mask = (documents != PAD).long()
    written: torch.Tensor = model.generate(
        input_ids=documents,
        attention_mask=mask,
        min_new_tokens=length,
        max_new_tokens=length,
        do_sample=False,
        num_beams=1,
    )
    return written[:, 1:]


def seconds(decode: Decode, model: Any, documents: torch.Tensor, length: int, repeats: int) -> float:
    """The shortest of some attempts."""
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        with autocast(documents.device), torch.no_grad():
            written = decode(model, documents, length)
        if documents.is_cuda:
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - begun)
        if tuple(written.shape) != (len(documents), length):
            raise RuntimeError(f"{decode}: {length} tokens were asked for, the result is {tuple(written.shape)}.")
    return min(taken)


def measure(size: str, batch: int, document: int, lengths: list[int], repeats: int) -> list[dict[str, float]]:
    """Tokens per second of each way, for each length.

    Args:
        size: `tiny` or `small`.
        batch: texts at once.
        document: tokens of each document.
        lengths: tokens of each text.
        repeats: attempts; the fastest counts.
    """
    names = reference(load_problem("summarization")).names
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    homework.seed_everything(0)
    own = names["EncoderDecoder"](
        **OWN_SIZES[size], longest=max(document, *lengths) + 1, start_id=1, end_id=END, pad_id=PAD
    )
    t5 = make_t5(size)
    ways: dict[str, tuple[Decode, Any]] = {
        "own, naive": (names["naive_decode"], own),
        "own, cached": (names["greedy_decode"], own),
        "T5, naive": (names["naive_decode"], t5),
        "T5, cached": (names["greedy_decode"], t5),
        "T5, generate": (generate, t5),
    }
    for model in (own, t5):
        model.to(device).eval()
    documents = torch.randint(2, 1000, (batch, document), generator=torch.Generator().manual_seed(0)).to(device)
    for decode, model in ways.values():
        seconds(decode, model, documents, 2, 1)  # what happens once only
    return [
        {
            name: batch * length / seconds(decode, model, documents, length, repeats)
            for name, (decode, model) in ways.items()
        }
        for length in lengths
    ]


def main(arguments: list[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decoding", description=__doc__)
    parser.add_argument("--size", choices=list(T5_SIZES), default="tiny")
    parser.add_argument("--batch", type=int, default=16, help="texts at once")
    parser.add_argument("--document", type=int, default=64, help="tokens of each document")
    parser.add_argument("--lengths", type=int, nargs="+", default=[16, 32, 64, 128], help="tokens of each text")
    parser.add_argument("--repeats", type=int, default=3, help="attempts; the fastest counts")
    options = parser.parse_args(arguments)
    rows = measure(options.size, options.batch, options.document, options.lengths, options.repeats)
    cuda = torch.cuda.is_available()
    device = torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
    number = "bfloat16" if has_bf16(torch.device("cuda" if cuda else "cpu")) else "float32"
    print(f"tokens per second, {options.size}, {options.batch} texts at once, documents of {options.document} tokens")
    print(f"{device}, {number}, torch {torch.__version__}, Python {platform.python_version()}")
    print(f"{'length':>8s}" + "".join(f"{name:>14s}" for name in rows[0]) + f"{'own: ratio':>14s}{'T5: ratio':>14s}")
    for length, row in zip(options.lengths, rows, strict=True):
        ratios = (row["own, cached"] / row["own, naive"], row["T5, cached"] / row["T5, naive"])
        print(
            f"{length:8d}" + "".join(f"{rate:14,.0f}" for rate in row.values()) + "".join(f"{r:14.1f}" for r in ratios)
        )
    if cuda:
        print(f"peak of the GPU's memory: {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
