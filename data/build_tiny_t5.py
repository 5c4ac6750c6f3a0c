"""Makes `homework/embedded/tiny_t5`: a tokenizer and a tiny T5, pre-trained by span corruption on made-up stories.

    python data/build_tiny_t5.py [--steps 20000] [--out homework/embedded/tiny_t5] [--restart]

Takes about twenty minutes on one free CPU core.
When it is interrupted, the same command goes on from the last checkpoint (`checkpoints/`, every 30 seconds). The
folder is replaced at the end, whole.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import random
import shutil
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import homework
from homework.data.span_corruption import corrupt_spans
from homework.data.stories import SEED as STORIES_SEED
from homework.data.stories import unlabelled
from homework.models.tiny_t5 import FOLDER
from homework.profiles import Run
from homework.train.training import Loop

SENTINELS = 32
VOCABULARY = 2_000  # more than enough: once each word of the stories is one token, nothing is left to merge
STEPS, BATCH = 20_000, 16
PEAK_RATE, WARM_UP = 0.02, 50  # times the size of each parameter: see pretrain
MAKE: dict[str, Any] = {
    "d_model": 96,
    "d_kv": 24,
    "num_heads": 4,
    "d_ff": 256,
    "num_layers": 2,
    "num_decoder_layers": 2,
    "dropout_rate": 0.0,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "decoder_start_token_id": 0,
}


def train_tokenizer(texts: list[str], vocabulary: int = VOCABULARY) -> Any:
    """A byte-pair tokenizer with T5's special tokens: first `<pad>`, `</s>`, `<unk>`, at the end the sentinels.

    Args:
        texts: what it is learned from.
        vocabulary: how many tokens it has in all, or fewer if the texts do not have so many pieces.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "</s>", "<unk>"]
    sentinels = [f"<extra_id_{number}>" for number in reversed(range(SENTINELS))]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()]
    )
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - SENTINELS,
        special_tokens=special,
        initial_alphabet=[chr(code) for code in range(ord("!"), ord("~") + 1)],  # so that any English text can be read
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(sentinels)
    end = tokenizer.token_to_id("</s>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", end)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        additional_special_tokens=list(reversed(sentinels)),
        model_max_length=512,
        clean_up_tokenization_spaces=False,
    )


def new_model(tokenizer: Any) -> Any:
    """A tiny T5 with random weights.

    Args:
        tokenizer: whose tokens it reads and writes.
    """
    from transformers import T5Config, T5ForConditionalGeneration

    return T5ForConditionalGeneration(T5Config(vocab_size=len(tokenizer), **MAKE))


def batch_of(texts: list[list[int]], step: int, seed: int, sentinels: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (0 where padded) and labels (−100 where padded) of one step; the same ones for the same step and seed.

    Args:
        texts: the stories' token ids, without end token.
        step: which step.
        seed: of the whole training.
        sentinels: ids of the sentinel tokens, first one first.
    """
    source = random.Random(f"{seed} {step}")
    chosen = [source.choice(texts) for _ in range(BATCH)]
    pairs = [corrupt_spans(text, sentinels=sentinels, end=1, source=source) for text in chosen]
    return padded([pair[0] for pair in pairs], 0), padded([pair[1] for pair in pairs], -100)


def padded(rows: list[list[int]], filler: int) -> torch.Tensor:
    """One tensor `[B, T]` of rows that differ in length."""
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows])


def rate_at(step: int, steps: int) -> float:
    """The learning rate: a linear warm-up, then a cosine down to a hundredth of the peak."""
    if step < WARM_UP:
        return PEAK_RATE * (step + 1) / WARM_UP
    done = (step - WARM_UP) / max(1, steps - WARM_UP)
    return PEAK_RATE * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def pretrain(model: Any, tokenizer: Any, texts: list[str], *, steps: int, seed: int, restart: bool = False) -> Loop:
    """Trains the model by span corruption; the loop's history has the loss of each step.

    Args:
        model: what `new_model` gave.
        tokenizer: what `train_tokenizer` gave.
        texts: the stories.
        steps: how many batches.
        seed: decides which stories and spans.
        restart: starts anew, whatever checkpoint there is.
    """
    ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
    sentinels = tokenizer.convert_tokens_to_ids([f"<extra_id_{number}>" for number in range(SENTINELS)])
    # AdaFactor scales its steps by the size of each parameter: T5's embeddings start at deviation 1, its matrices well
    # below. After 200 steps the loss was 3.3 with it and 4.0 with AdamW at 2.5e-3 for all.
    optimizer = torch.optim.Adafactor(model.parameters(), lr=PEAK_RATE)
    loop = Loop(
        Run("tiny_t5", "mini", torch.device("cpu"), seed),
        "pretrain",
        steps=steps,
        modules={"model": model, "optimizer": optimizer},
        code=[corrupt_spans, batch_of, rate_at, {"stories": STORIES_SEED, "tokens": sum(map(len, ids))}],
        restart=restart,
    )
    model.train()
    for step in loop:
        inputs, labels = batch_of(ids, step, seed, sentinels)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, steps)
        loss = model(input_ids=inputs, attention_mask=(inputs != 0).long(), labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loop.record(loss=loss.detach())
    return loop


def save(folder: Path, model: Any, tokenizer: Any, record: dict[str, Any]) -> None:
    """Writes model, tokenizer and `training.json` into a new folder that then takes the old one's place."""
    fresh = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    model.generation_config.max_length = 32
    model.save_pretrained(fresh)
    tokenizer.save_pretrained(fresh)
    config = {  # in the words that transformers 4 and 5 both understand
        "additional_special_tokens": [f"<extra_id_{number}>" for number in range(SENTINELS)],
        "clean_up_tokenization_spaces": False,
        "eos_token": tokenizer.eos_token,
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": tokenizer.model_max_length,
        "pad_token": tokenizer.pad_token,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": tokenizer.unk_token,
    }
    _write_json(fresh / "tokenizer_config.json", config)
    _write_json(fresh / "training.json", record)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def smoothed(losses: list[float], every: int) -> dict[str, list[float]]:
    """The mean loss of each `every` steps, and the step at which each mean ends."""
    ends = [*range(every, len(losses) + 1, every)]
    return {"step": ends, "loss": [round(sum(losses[end - every : end]) / every, 4) for end in ends]}


def main() -> None:
    """Builds everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--restart", action="store_true", help="start anew, whatever checkpoint there is")
    asked = parser.parse_args()
    homework.seed_everything(asked.seed)
    texts = [story.document for story in unlabelled()]
    tokenizer = train_tokenizer(texts)
    model = new_model(tokenizer)
    parameters = sum(tensor.numel() for tensor in model.parameters())
    print(f"{len(texts):,} stories, {len(tokenizer):,} tokens, {parameters:,} parameters", flush=True)
    begun = time.monotonic()
    loop = pretrain(model, tokenizer, texts, steps=asked.steps, seed=asked.seed, restart=asked.restart)
    record = {
        "batch": BATCH,
        "curve": smoothed(loop.history["loss"], 100),
        "parameters": parameters,
        "peak_learning_rate": PEAK_RATE,
        "python": platform.python_version(),
        "seconds_of_last_run": round(time.monotonic() - begun),
        "seed": asked.seed,
        "steps": asked.steps,
        "stories": len(texts),
        "stories_seed": STORIES_SEED,
        "versions": {name: version(name) for name in ("tokenizers", "torch", "transformers")},
        "warm_up_steps": WARM_UP,
    }
    save(asked.out, model, tokenizer, record)
    print(f"{asked.out}: loss {record['curve']['loss'][-1]:.3f}")


if __name__ == "__main__":
    main()
