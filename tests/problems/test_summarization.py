"""The claims of the summarization notebook are true in `mini`."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder.course.problem import load_problem
from autograder.grading.reference import reference
from homework.data.stories import labelled
from tests.problems.local_data import local_data, stand_in_for_t5
from tests.problems.other_transformers import VERSIONS, tiny_t5
from tests.problems.run_source import ROOT, run_source

PROBLEM = "summarization"
REAL_STORIES = ROOT.parent / "shared" / "datasets" / "xsum"


def test_the_first_sentence_tells_the_main_event_in_one_story_of_four() -> None:
    made = [story for part in labelled().values() for story in part]
    first = sum(story.main == 0 for story in made) / len(made)
    assert 0.23 < first < 0.27
    assert all(story.main <= 3 for story in made)


def test_every_version_of_transformers_writes_the_same_tokens() -> None:
    names = reference(load_problem(PROBLEM, ROOT)).names
    texts = ["The mayor of Arden opened a school.", "Two people were hurt in Belmont.", "Arden."]
    documents = names["padded"](names["tokenizer"](texts)["input_ids"], 0)
    for decode in (names["greedy_decode"], lambda *asked: names["beam_search"](*asked[:2], 3, asked[2])):
        want = decode(names["t5"], documents, 10)
        assert len(set(want.flatten().tolist())) > 5
        for version in VERSIONS:
            assert torch.equal(decode(tiny_t5(version), documents, 10), want), version.__name__


DUMP = {
    "toy": "toy_rows",
    "scores": "scores",
    "greedy": "greedy_scores",
    "beams": "beam_scores",
    "naive": "naive_seconds",
    "cached": "cached_seconds",
    "lengths": "list(LENGTHS)",
    "scratch_curve": "scratch_curve",
    "tuned_curve": "tuned_curve",
    "copied": "{name: copies(texts) for name, texts in written.items()}",
    "same": "[same_tokens(n) for n in (8, 64)]",
    "logits_apart": "logits_apart()",
    "own": "own_scores",
    "own_losses": "own_losses",
    "own_copied": "{name: copies(texts) for name, texts in own_texts.items()}",
    "vocabulary": "t5.config.vocab_size",
    "different": "different",
    "drawn": "{str(top_p): score for top_p, score in drawn_scores.items()}",
    "more_beams": "[beam_rouge, beam_tokens]",
    "by_hand": "[compute_rouge(texts, their_references)['rougeL'] for texts in (by_hand, ours)]",
}
HELPERS = """
import re

def place_of(summary):
    found = re.search(r" in ([A-Z][a-z]+)", summary)
    return found and found[1]

def copies(texts):
    pairs = [(place_of(s), t) for s, t in zip(test_summaries, texts) if place_of(s)]
    return sum(place in text for place, text in pairs) / len(pairs)

def same_tokens(n):
    return torch.equal(naive_decode(endless, random_documents, n), greedy_decode(endless, random_documents, n))

def logits_apart():
    ids = random_documents[:4]
    tokens = torch.randint(3, 100, (4, 24), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    with torch.no_grad():
        states = endless.get_encoder()(input_ids=ids, attention_mask=mask)
        full = endless(encoder_outputs=states, attention_mask=mask, decoder_input_ids=tokens).logits
        past, steps = None, []
        for t in range(24):
            answer = endless(states, mask, tokens[:, t : t + 1], past, True)
            past = answer.past_key_values
            steps.append(answer.logits)
    return float((torch.cat(steps, 1) - full).abs().max())
"""


@pytest.mark.kernel
@pytest.mark.long
def test_the_claims_of_the_notebook_are_true_in_mini(tmp_path: Path) -> None:
    asked = {name: f"(exec({HELPERS!r}, globals()), {expression})[1]" for name, expression in DUMP.items()}
    seen = run_source(PROBLEM, "mini", tmp_path, asked, timeout=1800)
    for again, new, pairs_again, pairs_new in seen["toy"]:
        assert again == pytest.approx(new, rel=1e-5) and pairs_again == pairs_new * (pairs_new + 1) // 2
    check_decoding(seen)
    check_scores(seen["scores"])
    (steps, tuned), (_, scratch) = seen["tuned_curve"], seen["scratch_curve"]
    assert min(loss for step, loss in zip(steps, tuned, strict=True) if step < 40) < scratch[-1]
    assert scratch[-1] < 0.95 * scratch[len(scratch) // 2], "the network from scratch is still learning"
    assert seen["copied"]["fine-tuned"] > 0.7 > 0.4 > seen["copied"]["from scratch"], "whose places they name"
    assert 0.005 < seen["beams"]["rougeL"] - seen["greedy"]["rougeL"] < 0.04
    check_own(seen["own"], seen["own_losses"], seen["vocabulary"])
    assert max(seen["own_copied"].values()) < 0.4
    counts = list(seen["different"].values())
    assert counts[0] + 1 < counts[1] < counts[-1], "a larger nucleus gives more different texts"
    assert seen["drawn"]["0.5"] > seen["drawn"]["1.0"] + 0.01, "and draws from all tokens cost ROUGE"
    first, *more = seen["drawn"].values()
    assert all(abs(first - each) < 0.05 for each in more[:2]), "up to 0.8 the nucleus hardly matters"
    rouge, tokens = seen["more_beams"]
    assert rouge[1] > rouge[0] + 0.01 and max(rouge) - rouge[1] < 0.04, "the second beam brings most of the gain"
    assert max(tokens) - min(tokens) < 0.5, "with more beams the texts do not become shorter"
    by_hand, ours = seen["by_hand"]
    assert by_hand < ours, "other words cost ROUGE, right facts do not save it"
    names = [f"{name}_{kind}" for name in ("lead", "scratch", "fine_tuned") for kind in ("rouge1", "rouge2", "rougeL")]
    assert {f"summarization/{name}" for name in names} <= set(seen["log"]["metrics"])


def check_decoding(seen: dict[str, Any]) -> None:
    """The cache changes no number and saves time, the more the longer the text (CPU time)."""
    assert all(seen["same"]) and seen["logits_apart"] < 1e-4
    naive, cached = (dict(zip(seen["lengths"], seen[name], strict=True)) for name in ("naive", "cached"))
    ratio = {n: naive[n] / cached[n] for n in naive}
    assert ratio[32] > 1.5 and ratio[64] > 2 and ratio[128] > 4
    assert ratio[8] < ratio[32] < ratio[128]
    assert naive[128] / naive[64] > 3 > 2.7 > cached[128] / cached[64], "slopes near 2 and near 1"


def check_own(scores: dict[str, dict[str, float]], losses: list[float], vocabulary: int) -> None:
    """The student's own network learns to write, and beam search helps it."""
    greedy, beams = scores["greedy"]["rougeL"], scores["four beams"]["rougeL"]
    assert 0.38 < greedy < 0.58 and 0.01 < beams - greedy < 0.08
    assert losses[0] == pytest.approx(math.log(vocabulary), abs=0.4)
    assert sum(losses[-30:]) / 30 < 1.1


def check_scores(scores: dict[str, dict[str, float]]) -> None:
    """Fine-tuning beats training from scratch, which beats the first sentence; pairs of words differ most."""
    lead, scratch, tuned = (scores[name] for name in ("first sentence", "from scratch", "fine-tuned"))
    assert tuned["rougeL"] > scratch["rougeL"] + 0.15
    assert scratch["rougeL"] > lead["rougeL"] + 0.15
    assert lead["rouge2"] < lead["rougeL"] < lead["rouge1"] < 0.3
    assert 0.20 < lead["rougeL"] < 0.22 and 0.42 < scratch["rougeL"] < 0.53 and 0.67 < tuned["rougeL"] < 0.76
    growth = {kind: tuned[kind] / scratch[kind] for kind in tuned}
    assert growth["rouge2"] > 1.9 > 1.75 > growth["rouge1"] > 1.3
    assert lead["rouge1"] / scratch["rouge1"] < 0.55


@pytest.mark.slow
def test_other_seeds_give_the_same_order(tmp_path: Path) -> None:
    trained = "train_summarizer(f'seed-{seed}', name == 'fine-tuned', seed)[0]"
    score = f"compute_rouge(write_summaries({trained}, test_documents, greedy_decode), test_summaries)"
    names = "('from scratch', 'fine-tuned')"
    gain = (
        "{seed: compute_rouge(write_summaries(model, test_documents, with_beams), test_summaries)['rougeL']"
        " - compute_rouge(write_summaries(model, test_documents, greedy_decode), test_summaries)['rougeL']"
        " for seed in (1, 2) for model in [train_summarizer(f'beams-{seed}', True, seed)[0]]}"
    )
    learnt = (
        "[({name: compute_rouge(write_summaries(model, test_documents[:FEW], decode), test_summaries[:FEW])"
        " for name, decode in (('greedy', greedy_decode), ('four beams', with_beams))}, losses)"
        " for seed in (1, 2, 3, 4) for model, losses in [train_own(f'own-{seed}', train_rows, seed)]]"
    )
    asked = f"[{{'first sentence': lead_scores, **{{name: {score} for name in {names}}}}} for seed in (1, 2)]"
    dump = {"scores": asked, "gain": gain, "own": learnt, "vocabulary": DUMP["vocabulary"]}
    seen = run_source(PROBLEM, "mini", tmp_path, dump, timeout=3600)
    for scores in seen["scores"]:
        check_scores(scores)
    assert all(0.005 < each < 0.04 for each in seen["gain"].values())
    for scores, losses in seen["own"]:
        check_own(scores, losses, seen["vocabulary"])


def test_the_numbers_of_question_b() -> None:
    rates = [1 / math.sqrt(max(n, 10_000)) for n in (1, 10_000, 40_000, 524_288)]
    assert rates == pytest.approx([0.01, 0.01, 0.005, 0.00138], rel=2e-3)
    assert (512 + 2048, 512 * 2048, 512 * 2048 // (512 + 2048)) == (2560, 1_048_576, 409)


def in_full(data: Path, tmp_path: Path, asked: list[str]) -> dict[str, Any]:
    """Runs the notebook in `full` on a CPU, with this data folder."""
    where = {"HOMEWORK_DATA": str(data), "CUDA_VISIBLE_DEVICES": ""}
    return run_source(PROBLEM, "full", tmp_path / "run", asked, where, timeout=7200)


@pytest.mark.long
@pytest.mark.kernel
def test_full_runs_from_local_files_to_the_log(tmp_path: Path) -> None:
    asked = ["data.name", "STEPS", "len(train_rows)", "saved_summarizer_folder(run).joinpath('config.json').is_file()"]
    found = in_full(local_data(tmp_path / "data", train=40, others=40), tmp_path, asked)
    assert [found[each] for each in asked] == ["XSum", 6, 40, True]
    assert found["log"]["metrics"]["summarization/fine_tuned_rougeL"]["value"] >= 0


@pytest.mark.slow
@pytest.mark.skipif(not REAL_STORIES.is_dir(), reason="the real stories are not on this machine")
def test_full_runs_on_real_stories_with_a_tiny_model(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "xsum").mkdir(parents=True)
    for split in ("train", "validation", "test"):
        shutil.copy(REAL_STORIES / f"{split}.jsonl", data / "xsum" / f"{split}.jsonl")
    stand_in_for_t5(data)
    found = in_full(data, tmp_path, ["scores", "tuned_curve"])
    assert set(found["scores"]) == {"first sentence", "from scratch", "fine-tuned"}
    assert found["tuned_curve"][1][-1] < found["tuned_curve"][1][0]
