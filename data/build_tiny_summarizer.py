"""Makes `homework/embedded/tiny_summarizer`: the tiny T5, fine-tuned to summarise the embedded stories.

    python data/build_tiny_summarizer.py [--steps 150] [--out homework/embedded/tiny_summarizer]

Takes some twenty seconds on one CPU core. It stops early on purpose: a summarizer that is fine-tuned to the end writes
nearly the same summary each time that it is sampled from, and then a ranking has nothing to tell. `training.json`
records how much better the most likely summary is than a sampled one. The folder is replaced at the end, whole.
"""

from __future__ import annotations

import argparse
import platform
import random
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from build_tiny_t5 import padded, save, smoothed

import homework
from homework.data.pairs import Pairs
from homework.data.stories import SEED as STORIES_SEED
from homework.data.stories import embedded_stories
from homework.models.rouge_scores import KINDS, rouge_scores
from homework.models.summarizer import FOLDER
from homework.models.tiny_t5 import tiny_t5_folder
from homework.train.batches import batches_by_length

STEPS, BATCH = 150, 16
PEAK_RATE, WARM_UP = 3e-3, 60
LONGEST = 24
JUDGED = 200


def fine_tune(model: Any, tokenizer: Any, pairs: Pairs, *, steps: int, seed: int) -> list[float]:
    """Trains the model on documents and summaries; the loss of each step.

    Args:
        model: a T5; changed in place.
        tokenizer: its tokenizer.
        pairs: what it learns from.
        steps: how many batches.
        seed: decides which stories meet in a batch, and when.
    """
    documents, summaries = (tokenizer(list(texts))["input_ids"] for texts in (pairs.documents, pairs.summaries))
    source = random.Random(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / WARM_UP, 1 - 0.9 * step / steps)
    )
    losses: list[float] = []
    batches: list[list[int]] = []
    model.train()
    while len(losses) < steps:
        batches = batches or batches_by_length(list(map(len, documents)), BATCH, source)
        rows = batches.pop()
        inputs, labels = padded([documents[row] for row in rows], 0), padded([summaries[row] for row in rows], -100)
        loss = model(input_ids=inputs, attention_mask=(inputs != 0).long(), labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if len(losses) % 25 == 0:
            print(f"step {len(losses)}: loss {sum(losses[-25:]) / 25:.3f}", flush=True)
    model.eval()
    return losses


@torch.no_grad()
def rouge_of(model: Any, tokenizer: Any, pairs: Pairs, *, sampled: bool) -> dict[str, float]:
    """Mean ROUGE on the first stories, of the most likely next tokens (greedy) or of one sample each.

    Args:
        model: the summarizer.
        tokenizer: its tokenizer.
        pairs: stories and their summaries.
        sampled: draw each token, instead of taking the most likely one.
    """
    inputs = tokenizer(list(pairs.documents[:JUDGED]), padding=True, return_tensors="pt")
    torch.manual_seed(0)
    how = {"top_k": 0} if sampled else {}  # all tokens, with their probabilities
    written = model.generate(**inputs, max_length=LONGEST, do_sample=sampled, num_beams=1, **how)
    texts = tokenizer.batch_decode(written, skip_special_tokens=True)
    scores = [rouge_scores(*pair) for pair in zip(texts, pairs.summaries[:JUDGED], strict=True)]
    return {kind: round(sum(score[kind] for score in scores) / len(scores), 4) for kind in KINDS}


def main() -> None:
    """Builds everything."""
    from transformers import AutoTokenizer, T5ForConditionalGeneration

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FOLDER)
    asked = parser.parse_args()
    homework.seed_everything(asked.seed)
    tokenizer = AutoTokenizer.from_pretrained(tiny_t5_folder())
    model = T5ForConditionalGeneration.from_pretrained(tiny_t5_folder())
    data = embedded_stories()
    losses = fine_tune(model, tokenizer, data.train, steps=asked.steps, seed=asked.seed)
    record = {
        "batch": BATCH,
        "curve": smoothed(losses, 25),
        "parameters": sum(tensor.numel() for tensor in model.parameters()),
        "peak_learning_rate": PEAK_RATE,
        "python": platform.python_version(),
        "rouge_greedy": rouge_of(model, tokenizer, data.validation, sampled=False),
        "rouge_sampled": rouge_of(model, tokenizer, data.validation, sampled=True),
        "rouge_stories": JUDGED,
        "seed": asked.seed,
        "steps": asked.steps,
        "stories": len(data.train),
        "stories_seed": STORIES_SEED,
        "versions": {name: version(name) for name in ("tokenizers", "torch", "transformers")},
        "warm_up_steps": WARM_UP,
    }
    save(asked.out, model, tokenizer, record)
    print(
        f"{asked.out}: ROUGE-2 {record['rouge_greedy']['rouge2']} greedy, {record['rouge_sampled']['rouge2']} sampled"
    )


if __name__ == "__main__":
    main()
