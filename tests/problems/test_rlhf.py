"""The claims of the notebook on human feedback are true in `mini`, and its cells run in `full`."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from homework.data.stories import embedded_stories
from homework.models.summarizer import tiny_summarizer_folder
from tests.homework.models.test_reward_model import make_tiny_roberta
from tests.problems.local_data import local_data
from tests.problems.other_transformers import VERSIONS, tiny_t5
from tests.problems.run_source import cells_up_to, changed_source, run_source

PROBLEM = "rlhf"
MOST_KL = 4.0
"""Nats; the text says that the run with the penalty stays around 2."""
DUMP = {
    "spearman": "held_spearman",
    "ceiling": "ceiling",
    "best_beats_worst": "best_beats_worst",
    "held": "[held[:, 0].mean(), held[:, -1].mean(), held.std()]",
    "losses": "reward_losses",
    "checked": "reward_loop.history['checked']",
    "rouge": "[greedy_rouge, start_rouge]",
    "measured": "{name: {k: row[k] for k in ('reward', 'error', 'kl', 'rouge2')} for name, row in measured.items()}",
    "by_tries": "[[n, each['reward'], each['rouge2']] for n, each in by_tries.items()]",
    "ranks_as_rater": "ranks_as_rater",
    "dpo_losses": "dpo_losses",
    "leashed": "leashed_history",
    "free": "free_history",
    "hacked_share": "hacked_share",
    "toy": "[[float(r), float(w)] for r, w in toy]",
}


def check_claims(seen: dict[str, Any]) -> None:
    """What holds for any seed."""
    assert seen["spearman"] >= 0.3
    assert seen["spearman"] < seen["ceiling"]
    assert seen["best_beats_worst"] > 0.65
    best, worst, deviation = seen["held"]
    assert best > worst + 0.3 * deviation, "two hills, separate"
    tenth = len(seen["losses"]) // 10
    late = float(sum(seen["losses"][-tenth:])) / tenth
    assert late < math.log(2) - 0.03, "the rankings are learnt"
    assert seen["checked"][-1] < min(seen["checked"][0], math.log(2) - 0.05), "the held-out ones, too"
    greedy, sampled = seen["rouge"]
    assert greedy > sampled + 0.02, "there is something to gain"
    settled = seen["leashed"]["kl"][20:]
    assert 0.8 < sum(settled) / len(settled) < 2.5 and max(seen["leashed"]["kl"]) < 10, "1 to 2.5 nats on average"
    check_table(seen["measured"])
    check_experiments(seen)


def check_table(rows: dict[str, dict[str, float]]) -> None:
    """What the text says about the rows of the table."""
    start, leashed, free, dpo = (rows[label] for label in ("start", "β = 0.1", "β = 0", "DPO"))
    assert abs(start["reward"]) < 4 * start["error"] and abs(start["kl"]) < 1e-3
    assert leashed["reward"] > start["reward"] + 2 * start["error"], "the reward rises"
    assert 0 < leashed["kl"] < MOST_KL, "the penalty keeps it near"
    assert free["kl"] > 2 * leashed["kl"], "without the penalty it strays"
    assert leashed["rouge2"] > start["rouge2"] - 0.01, "with the penalty, ROUGE does not fall"
    assert free["rouge2"] < leashed["rouge2"] - 0.03, "without it, ROUGE falls"
    cool, greedy, best = (rows[f"start, {label}"] for label in ("temperature 0.5", "greedy", "best of 4"))
    for row in (cool, greedy, best):
        assert row["rouge2"] > start["rouge2"] + 0.03 and row["reward"] > start["reward"], "a gain without training"
    assert best["kl"] < leashed["kl"] and best["reward"] > leashed["reward"] - 0.05, "best of 4 gets as much reward"
    assert leashed["rouge2"] < max(cool["rouge2"], greedy["rouge2"]) + 0.01, "training gives no more than sharpening"
    assert start["reward"] + 2 * start["error"] < dpo["reward"] < leashed["reward"], "DPO raises a reward it never saw"
    assert start["rouge2"] + 0.02 < dpo["rouge2"] < cool["rouge2"] + 0.01 and dpo["kl"] < 1
    gains = {row["kl"]: (row["rouge2"] - start["rouge2"]) / row["kl"] for row in (dpo, leashed)}
    assert gains[dpo["kl"]] > gains[leashed["kl"]], "more ROUGE for each nat"
    for label in ("DPO", "β = 0.1"):
        assert rows[f"{label}, greedy"]["rouge2"] < greedy["rouge2"] + 0.01, "decoded greedily, no gain"


def check_experiments(seen: dict[str, Any]) -> None:
    """What the text says about the two experiments."""
    tries, rewards, rouges = zip(*seen["by_tries"], strict=True)
    assert tries == (1, 2, 4, 8, 16) and list(rewards) == sorted(rewards), "more tries, more reward"
    assert rouges[2] > rouges[0] + 0.02, "ROUGE rises at first"
    assert abs(rouges[4] - rouges[2]) < rouges[2] - rouges[0], "and then hardly"
    reward_model, implied, likelihood = seen["ranks_as_rater"].values()
    assert abs(reward_model - likelihood) < 0.1 and implied < reward_model


def test_every_version_of_transformers_draws_the_same_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEWORK_PROFILE", "grade")
    names = cells_up_to(PROBLEM, "sample")
    documents = list(embedded_stories().test.documents[:3])
    for seed in (None, 0):

        def drawn(model: Any, seed: int | None = seed) -> Any:
            chance = None if seed is None else torch.Generator().manual_seed(seed)
            return names["sample"](model, documents, 2, chance)

        want = drawn(tiny_t5(VERSIONS[1]))
        assert want.shape == (6, 4) and want.unique().numel() > 3
        for version in VERSIONS:
            assert torch.equal(drawn(tiny_t5(version)), want), version.__name__


@pytest.mark.kernel
@pytest.mark.long
def test_the_claims_of_the_notebook_are_true_in_mini(tmp_path: Path) -> None:
    seen = run_source(PROBLEM, "mini", tmp_path, DUMP, timeout=1800)
    check_claims(seen)
    leashed, free = seen["measured"]["β = 0.1"], seen["measured"]["β = 0"]
    assert free["reward"] > leashed["reward"] + leashed["error"], "the learnt reward is higher without the penalty"
    assert free["rouge2"] < 0.5 * leashed["rouge2"] and seen["hacked_share"] > 0.4, "one kind of news for all stories"
    rewards, worths = zip(*seen["toy"], strict=True)
    assert list(rewards) == sorted(rewards), "less penalty, more learnt reward"
    top = worths.index(max(worths))
    assert 20 < top < len(worths) - 10 and worths[-1] < 0.1 < worths[0] < worths[top]
    metrics = seen["log"]["metrics"]
    assert metrics["rlhf/spearman"]["value"] == pytest.approx(seen["spearman"], abs=1e-5)
    assert metrics["rlhf/penalty_reward"]["value"] == pytest.approx(leashed["reward"], abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_other_seeds_show_the_same(tmp_path: Path, seed: int) -> None:
    check_claims(run_source(PROBLEM, "mini", tmp_path, DUMP, seed=seed, timeout=1800))


SMALL = (
    ("full=2000", "full=6"),
    ("full=300", "full=40"),  # more than there are
    ("full=(512, 48)", "full=(96, 6)"),
    ("full=200", "full=2"),
    ("full=8, mini=16", "full=2, mini=16"),
)
"""Sizes of `full` with which a CPU is done in seconds; the cells are the same."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Stand-ins of the same architectures for what `full` fetches from the hub, and a few stories in XSum's form."""
    folder = local_data(tmp_path / "data", train=64, others=3)
    make_tiny_roberta(folder / "models" / "distilbert" / "distilroberta-base")
    return folder


@pytest.mark.long
@pytest.mark.kernel
@pytest.mark.parametrize("saved", [False, True], ids=["fine-tunes T5 itself", "takes the saved summarizer"])
def test_the_cells_run_in_full(tmp_path: Path, data: Path, saved: bool) -> None:
    checkpoints = tmp_path / "checkpoints"
    folder = checkpoints / "summarization" / "full" / "summarizer"
    if saved:
        shutil.copytree(tiny_summarizer_folder(), folder)
    env = {"HOMEWORK_DATA": str(data), "HOMEWORK_CHECKPOINTS": str(checkpoints)}
    dump = ["start_from", "len(train_ranked)", "type(reward_net).__name__", "len(free_history['kl'])"]
    found = run_source(PROBLEM, "full", tmp_path, dump, env | changed_source(PROBLEM, tmp_path / "copy", SMALL))
    start_from = str(folder if saved else data / "models" / "google-t5" / "t5-small")
    assert [found[name] for name in dump] == [start_from, 6, "RobertaReward", 2]
    assert (folder / "model.safetensors").is_file(), "the next start finds it"
    assert found["log"]["profile"] == "full"


@pytest.mark.long
@pytest.mark.kernel
def test_rankings_by_hand_replace_those_of_the_simulated_rater(tmp_path: Path) -> None:
    """The cells of the panel run without a front end, and saved rankings are used."""
    file = tmp_path / "checkpoints" / "rlhf" / "grade" / "rankings.jsonl"
    file.parent.mkdir(parents=True)
    summaries = ["one", "two", "three", "four"]
    line = json.dumps({"document": embedded_stories().train.documents[1], "summaries": summaries}) + "\n"
    file.write_text(line, encoding="utf-8")
    env = changed_source(PROBLEM, tmp_path / "copy", [("RANK_BY_HAND = False", "RANK_BY_HAND = True")])
    env["HOMEWORK_CHECKPOINTS"] = str(tmp_path / "checkpoints")
    found = run_source(PROBLEM, "grade", tmp_path, {"ranked": "[each.summaries for each in train_ranked]"}, env)
    assert "The ranking panel needs a notebook" in found["output"]
    assert found["ranked"][1] == summaries and len(found["ranked"]) == 6
    assert file.read_text(encoding="utf-8") == line
