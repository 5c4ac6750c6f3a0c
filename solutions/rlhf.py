# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Learning from feedback: sample, rank, learn a reward, reinforce
#
# A summarizer was trained to imitate human-written summaries. It never learned which of its *own* summaries are good. Here it learns that in two ways. First: it writes four summaries of each story, a rater ranks them, a second network, the *reward model*, learns from the rankings to give rewards, and the summarizer is trained to get high rewards. Second: it learns from the rankings directly, with one loss that you derive. Chat assistants are trained in both ways. One table compares the results.
#
# **What you will learn**
#
# * how a ranking becomes a loss, and a loss a reward model;
# * how reliable a reward model is, measured with Spearman's rank correlation;
# * how a reward for a whole text trains the probabilities of its tokens;
# * what the KL penalty is for;
# * how the reward model can be left out (*direct preference optimization*, DPO).
#
# **What you need**: softmax and cross-entropy, the idea of an encoder and a decoder, a little PyTorch. The problems `summarization` and `policy_gradient` are related; neither is required.
#
# | | profile `full` | profile `mini` |
# |---|---|---|
# | stories | XSum, 20,000 for training | made-up news, 4,000 for training |
# | summarizer | T5-small, fine-tuned (60 million weights) | a tiny T5 (0.56 million weights), fine-tuned |
# | reward model | distilled RoBERTa (82 million weights) | the tiny T5 with another head |
# | hardware | a GPU with 15 GB, for instance on Colab | any laptop, no network |
# | time to run | about an hour (an estimate for a T4) | about two minutes |
#
# Plan four hours for reading, writing and thinking. The profile is chosen for you (`full` where there is a GPU, else `mini`); set the environment variable `HOMEWORK_PROFILE` to choose yourself. All numbers in the text are those of `mini`.
#
# **Your student id** goes into your log: the last cell asks for it. To answer in advance, run `%env HOMEWORK_STUDENT=your_id` in a cell of its own.
#
# | graded | points |
# |---|---|
# | `ranking_loss` | 3 |
# | `GroupedRandomSampler` | 3.5 |
# | `spearman` | 3 |
# | `policy_gradient_loss` | 4 |
# | `shaped_rewards` | 2.5 |
# | `dpo_loss` | 4 |
# | written answers (a) and (b), and the picture | 14 |
#
# **One rule for all tasks.** Your functions leave their arguments as they are: the caller may need them again. So no `x += ...` or `x[...] = ...` on what you were given; work on new tensors or on copies. The tests check this.

# %% tags=["install"]
from importlib.util import find_spec

if find_spec("homework") is None:  # on Colab: installs what is missing and keeps the installed torch
    get_ipython().run_line_magic("pip", "install -q STUDENT_PACKAGE")  # noqa: F821
# On Colab, so that training continues after a disconnect: `from homework.colab import use_drive; use_drive()`

# %%
import collections
import copy
import itertools
import math
import random

import torch
import torch.nn.functional as F
from torch import nn

import homework
from homework import reference, student
from homework.checks import close, fresh, has_shape, part
from homework.hand_in.log import SubmissionLog
from homework.show import plots
from homework.train import training

run = homework.start("rlhf")
if run.profile != "full":
    torch.set_num_threads(1)  # for networks as small as those of `mini` more threads bring no speed

# %% [markdown]
# **Letters.** `N` documents, `K` summaries of each (K = 4), `B` summaries in a batch, `T` tokens of the longest of them, `V` tokens in the vocabulary; $x$ a document, $y = y_1 \ldots y_T$ a summary, $\pi(y \mid x)$ the probability that the summarizer (the *policy*) writes $y$, $\pi_\text{ref}$ the summarizer before this training (the *reference*), $r$ a reward, $\beta$ the weight of the penalty. New tensors that your functions make (masks, indices) must be on the device of their arguments; in `full` that is the GPU.
#
# ## 1. A toy: five summaries and a reward model with an error
#
# Suppose that there are only five summaries of a story, and the summarizer writes them with the probabilities $\pi_\text{ref}$. A reward model gives each a reward $r$, about right for the summaries that the summarizer usually writes. The fifth, nonsense, almost never occurred in its training, and its reward is wrong.
#
# | | good | clumsy | vague | wrong name | nonsense |
# |---|---|---|---|---|---|
# | $\pi_\text{ref}$ | 0.15 | 0.25 | 0.35 | 0.24999 | 0.00001 |
# | true quality | 1.0 | 0.7 | 0.4 | 0.1 | 0.0 |
# | learnt reward $r$ | 0.9 | 0.8 | 0.45 | 0.2 | **2.0** |
#
# Which summary would a policy write that maximises $\mathbb E_\pi[r]$ alone? So we ask for a high reward and penalise the distance from the reference:
#
# $$J(\pi) = \mathbb E_{y \sim \pi}[r(y)] - \beta \, \mathrm{KL}(\pi \,\|\, \pi_\text{ref}), \qquad \mathrm{KL}(\pi \,\|\, \pi_\text{ref}) = \mathbb E_{y \sim \pi}\left[\log \frac{\pi(y)}{\pi_\text{ref}(y)}\right].$$
#
# For a single story, where each probability can be set freely, the best policy is known in closed form:
#
# $$\pi_\beta(y) = \frac{1}{Z}\, \pi_\text{ref}(y) \, e^{r(y) / \beta}.$$
#
# (Insert it: $J(\pi) = \beta \log Z - \beta\, \mathrm{KL}(\pi \,\|\, \pi_\beta)$, which is largest when the last term is 0.)
#
# **Predict, then run.** Let $\beta$ fall from 10 to 0.05. What happens to the mean learnt reward, and what to the mean true quality?

# %%
TOY_REFERENCE = torch.tensor([0.15, 0.25, 0.35, 0.24999, 0.00001])
TOY_WORTH = torch.tensor([1.0, 0.7, 0.4, 0.1, 0.0])
TOY_REWARD = torch.tensor([0.9, 0.8, 0.45, 0.2, 2.0])


def toy_policy(beta: float) -> torch.Tensor:
    """The best policy for this weight of the penalty: `[5]`."""
    return torch.softmax(TOY_REFERENCE.log() + TOY_REWARD / beta, dim=0)


# %% tags=["experiment"]
toy_betas = [10 * 0.93**i for i in range(74)]
toy = [(toy_policy(beta) @ TOY_REWARD, toy_policy(beta) @ TOY_WORTH) for beta in toy_betas]
plots.curves(
    {
        "mean learnt reward": (toy_betas, [float(reward) for reward, _ in toy]),
        "mean true quality": (toy_betas, [float(worth) for _, worth in toy]),
    },
    title="The best policy for each β: learnt reward and true quality",
    xlabel="β, the weight of the KL penalty",
    ylabel="mean under the best policy for β",
    logx=True,
)

# %% [markdown]
# Read it from right to left. At first reward and quality rise together: the reward model is right about usual summaries. Below β ≈ 0.15 the learnt reward continues to rise, and the quality falls to nothing. The reward model did not get worse; the policy moved to summaries on which the reward model was never trained.
#
# ## 2. The summarizer, and four summaries of each story
#
# In `mini` the stories are made-up news; the summary says the main event in one sentence. The summarizer is a tiny T5, fine-tuned on them and **stopped early**, so that its samples still differ. In `full` it is the model that your notebook `summarization` saved, or, if there is none, T5-small is fine-tuned here.
#
# T5 writes a summary token by token. Its decoder starts with the *pad* token (that is T5's convention), and at step $t$ gives the logits for $y_t$ when it has read the document and $y_1 \ldots y_{t-1}$. The pad token only fills up rows and must never be drawn, so we set its logit to −∞, which **masks it out of the distribution**.

# %%
PER_DOCUMENT = 4  # K
SEED = run.seed + 1  # of what is drawn and trained here; section 6 shows other seeds
RANKED = run.size(full=2000, mini=700, grade=6)
HELD_OUT = run.size(full=300, mini=150, grade=4)
LONGEST_DOCUMENT, LONGEST_SUMMARY = run.size(full=(512, 48), mini=(96, 20), grade=(96, 4))
AT_ONCE = run.size(full=16, mini=50, grade=4)  # documents for which we sample at once
PREFIX = run.size(full="summarize: ", mini="", grade="")  # T5-small was pre-trained to expect it

# %% tags=["experiment"]
from transformers import AutoTokenizer, T5ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput
from transformers.utils import logging

from homework.data.stories import stories
from homework.models.cache_names import accept_both_cache_names
from homework.models.pretrained import from_pretrained
from homework.models.rater import Ranked, liking, simulated_rankings
from homework.models.reward_model import reward_model
from homework.models.rouge_scores import rouge_scores
from homework.models.summarizer import saved_summarizer_folder, summarizer_name
from homework.models.tiny_t5 import t5_name
from homework.train.batches import batches_by_length
from homework.train.precision import autocast

logging.disable_progress_bar()  # of loading weights, which would go to stderr
news = stories(run)
start_from = summarizer_name(run) or t5_name(run)
tokenizer = from_pretrained(AutoTokenizer, start_from)
summarizer = accept_both_cache_names(from_pretrained(T5ForConditionalGeneration, start_from)).to(run.device).eval()
PAD, END = tokenizer.pad_token_id, tokenizer.eos_token_id


def read(documents: list[str]) -> dict[str, torch.Tensor]:
    """Documents as `input_ids` and `attention_mask`, both `[N, T]`."""
    texts = [PREFIX + document for document in documents]
    cut = tokenizer(texts, padding=True, truncation=True, max_length=LONGEST_DOCUMENT, return_tensors="pt")
    return {name: cut[name].to(run.device) for name in ("input_ids", "attention_mask")}


print(f"{news.name}: {len(news.train):,} training stories; vocabulary {len(tokenizer):,}")

# %% [markdown]
# The next cell runs in `full` only, and only if no fine-tuned summarizer was found: it fine-tunes T5-small with the usual cross-entropy.

# %% tags=["train"]
if summarizer_name(run) is None:
    summary_ids = tokenizer(list(news.train.summaries), truncation=True, max_length=LONGEST_SUMMARY)["input_ids"]
    order = batches_by_length([len(document) for document in news.train.documents], 32, random.Random(SEED))
    optimizer = torch.optim.AdamW(summarizer.parameters(), lr=1e-4)
    loop = training.Loop(
        run, "summarizer", steps=len(order), modules={"model": summarizer, "optimizer": optimizer}, code=[start_from]
    )
    summarizer.train()
    for step in loop:
        rows = order[step]
        longest = max(len(summary_ids[row]) for row in rows)
        labels = torch.tensor([[*summary_ids[row], *[-100] * (longest - len(summary_ids[row]))] for row in rows])
        with autocast(run.device):
            loss = summarizer(**read([news.train.documents[row] for row in rows]), labels=labels.to(run.device)).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loop.record(loss=loss.detach())
    summarizer.eval()
    summarizer.save_pretrained(saved_summarizer_folder(run))
    tokenizer.save_pretrained(saved_summarizer_folder(run))

# %% [markdown]
# Sampling is a loop over tokens. The encoder reads each document once for all `K` summaries; the decoder keeps the keys and values of what it has read.


# %%
@torch.no_grad()
def sample(model, documents: list[str], per_document: int, generator=None, temperature=1.0) -> torch.Tensor:
    """Draws summaries token by token: `[N * per_document, T]`, those of the first document first.

    What follows the end token is the pad token. All randomness comes from `generator`; without it, the most likely token
    is taken at each step. The logits are divided by `temperature`: above 1, unlikely tokens are drawn more often.
    """
    story = read(documents)
    with autocast(run.device):
        states = model.get_encoder()(**story).last_hidden_state.repeat_interleave(per_document, dim=0)
    mask = story["attention_mask"].repeat_interleave(per_document, dim=0)
    token = torch.full((len(states), 1), model.config.decoder_start_token_id, device=run.device)
    written, cache = [], None
    done = torch.zeros(len(states), 1, dtype=torch.bool, device=run.device)
    while len(written) < LONGEST_SUMMARY and not bool(done.all()):
        with autocast(run.device):
            out = model(
                encoder_outputs=BaseModelOutput(states),
                attention_mask=mask,
                decoder_input_ids=token,
                past_key_values=cache,
                use_cache=True,
            )
        cache, logits = out.past_key_values, out.logits[:, -1].float()  # [N * K, V]
        logits[:, PAD] = -math.inf
        if generator is None:
            token = logits.argmax(dim=-1, keepdim=True)
        else:
            token = torch.multinomial((logits / temperature).softmax(dim=-1), 1, generator=generator)
        token = token.masked_fill(done, PAD)
        written.append(token)
        done = done | (token == END)
    return torch.cat(written, dim=1)


def texts_of(written: torch.Tensor) -> list[str]:
    """Token ids `[B, T]` as texts."""
    return tokenizer.batch_decode(written, skip_special_tokens=True)


def groups_of(documents: list[str], generator, temperature=1.0) -> list[list[str]]:
    """K summaries of each document, sampled from the summarizer."""
    found = []
    for first in range(0, len(documents), AT_ONCE):
        asked = documents[first : first + AT_ONCE]
        texts = texts_of(sample(summarizer, asked, PER_DOCUMENT, generator, temperature))
        found += [texts[i : i + PER_DOCUMENT] for i in range(0, len(texts), PER_DOCUMENT)]
    return found


def chance(number: int) -> torch.Generator:
    """A generator of random numbers on the device of this run."""
    return torch.Generator(run.device).manual_seed(1000 * SEED + number)


# %% tags=["experiment"]
held_documents = list(news.validation.documents[:HELD_OUT])
held_references = list(news.validation.summaries[:HELD_OUT])
start_samples = groups_of(held_documents, chance(2))
greedy = []
for first in range(0, len(held_documents), AT_ONCE):
    greedy += texts_of(sample(summarizer, held_documents[first : first + AT_ONCE], 1))


def mean_rouge2(texts: list[str], references: list[str]) -> float:
    """Mean ROUGE-2 (0 to 1) of N * K texts against N references."""
    each = len(texts) // len(references)
    return sum(rouge_scores(text, references[i // each])["rouge2"] for i, text in enumerate(texts)) / len(texts)


start_rouge = mean_rouge2(list(itertools.chain(*start_samples)), held_references)
greedy_rouge = mean_rouge2(greedy, held_references)
print(f"ROUGE-2 on held-out stories: greedy {greedy_rouge:.3f}, sampled {start_rouge:.3f}\n")
for document, texts, by_person in zip(held_documents[:2], start_samples, held_references, strict=False):
    print(f"{document[:600]}\n   written by a person: {by_person}")
    for text in texts:
        print(f"   sampled:             {text}")
    print()

# %% [markdown]
# ## 3. Rankings
#
# It is easier to say which of two texts is better than to rate one with a number, so people are asked to **rank**. You cannot rank hundreds of stories for a homework, so by default a *simulated rater* does. Its score is a mix of ROUGE scores against the reference, the summary that a person wrote (ROUGE-2 counts word pairs in common), plus some noise, since people are not reliable either:
#
# $$\text{score} = 0.2 \cdot \text{ROUGE-1} + 0.6 \cdot \text{ROUGE-2} + 0.2 \cdot \text{ROUGE-L} + \text{noise}.$$
#
# The reward model sees stories, summaries and their order, neither the reference nor the score. The summaries to be ranked are drawn at a *temperature* of 1.3, that is, with all logits divided by 1.3: then they differ more.

# %%
TEMPERATURE = 1.3  # of the summaries that are ranked; everywhere else it is 1
RANK_BY_HAND = False  # True: you rank some stories yourself, in the panel below; the simulated rater ranks the others

# %% tags=["experiment"]
train_documents, train_references = list(news.train.documents[:RANKED]), list(news.train.summaries[:RANKED])
train_samples = groups_of(train_documents, chance(1), TEMPERATURE)
held_samples = groups_of(held_documents, chance(4), TEMPERATURE)
train_ranked = simulated_rankings(train_documents, train_samples, train_references, seed=1)
held_ranked = simulated_rankings(held_documents, held_samples, held_references, seed=2)
print("from best to worst:", *train_ranked[0].summaries, f"written by a person: {train_references[0]}", sep="\n   ")

# %% [markdown]
# **You may rank yourself.** Set `RANK_BY_HAND` to `True`, run the three cells from there again, click the summaries from best to worst, and run the cell after the panel. Each ranking is saved at once, in `checkpoints/rlhf/<profile>/rankings.jsonl`.

# %% tags=["experiment"]
if RANK_BY_HAND:
    from homework.show.ranking_panel import RankingPanel, rankings_file

    panel = RankingPanel(train_documents, train_samples, rankings_file(run))
    panel.show()

# %% tags=["experiment"]
if RANK_BY_HAND:
    by_hand = {ranked.document: ranked for ranked in panel.rankings()}
    train_ranked = [by_hand.get(ranked.document, ranked) for ranked in train_ranked]
    print(f"{len(by_hand)} stories ranked by hand, the others by the simulated rater")

# %% [markdown]
# ## 4. From rankings to rewards
#
# ### `ranking_loss`: the better one should get the higher reward (3 points)
#
# The reward model gives each summary a number. Of two summaries $i$ and $j$ of one document, how likely is it that a rater prefers $i$? In the Bradley-Terry model this probability depends only on the difference of the rewards:
#
# $$P(i \text{ before } j) = \sigma(r_i - r_j), \qquad \sigma(z) = \frac{1}{1 + e^{-z}}.$$
#
# We maximise the probability of what was observed. A ranking of $K$ summaries, **best first**, says of every pair which of the two the rater prefers. The loss is minus the logarithm of the probability of one such judgement, averaged over the pairs of a document and then over the $N$ documents. Rewards are never compared across documents. A model that gives all summaries the same reward has the loss log 2 = 0.693. Loss and gradient must be finite for any finite rewards.
#
# *Worked numbers.* Rewards [[2, 1, 0]] have the loss **0.251151**. In the wrong order, [[0, 1, 2]], it is **1.584484**.
#
# <details><summary>Hint 1: idea</summary>
#
# Best first means that the rater preferred column $i$ to column $j$ whenever $i < j$. How many such pairs has a row? Each is a yes-or-no event with a known probability.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $$L = \frac1N \sum_{n=1}^{N} \; \frac{2}{K(K-1)} \sum_{i < j} -\log \sigma\big(r_{n,i} - r_{n,j}\big), \qquad r = \text{grouped\_rewards } [N, K].$$
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `torch.triu_indices(K, K, offset=1)` gives all $i < j$. Take the two columns, subtract, and average. $\log \sigma$ in one step is `F.logsigmoid`: $\sigma(-200)$ is rounded to 0, and the logarithm of 0 is −∞.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "ranking_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ranking_loss(grouped_rewards):
    """Minus the log-probability of the rater's judgements, the mean over the pairs of a document and over documents.

    Bradley-Terry model; Ouyang and others 2022, equation 1.

    Args:
        grouped_rewards: rewards of K >= 2 summaries of each document, best first: floating-point tensor `[N, K]`; not
            changed.

    Returns:
        A scalar tensor, differentiable. Example: [[2, 1, 0]] gives 0.251151.
    """
    ### BEGIN SOLUTION
    K = grouped_rewards.shape[1]
    i, j = torch.triu_indices(K, K, offset=1, device=grouped_rewards.device)
    return -F.logsigmoid(grouped_rewards[:, i] - grouped_rewards[:, j]).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_ranking_loss", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
loss = student.ranking_loss(torch.tensor([[2.0, 1.0, 0.0]]))
assert has_shape(loss, (), "return a scalar tensor")
assert float(loss) >= 0, "the loss is -log of a probability, so it is positive: is the minus missing?"
assert abs(float(loss) - 1.584484) > 1e-3, "the best one comes first: r_i - r_j with i before j, not the reverse"
assert abs(float(loss) - 0.753452) > 1e-3, "take the mean over the pairs, not their sum"
assert abs(float(loss) - 0.313262) > 1e-3, "all pairs i < j count, not only neighbours"
assert abs(float(loss) - 0.220095) > 1e-3, "all pairs i < j count equally, not only those with the best one"
assert abs(float(loss) - 0.917817) > 1e-3, "count each pair once, the better one first: (j, i) is not another pair"
assert abs(float(loss) - 0.472149) > 1e-3, "do not pair a summary with itself: i < j, without the diagonal"
assert abs(float(loss) - 0.083717) > 1e-3, "divide by the number of pairs, not by the number of all K x K cells"
assert abs(float(loss)) > 1e-3, (
    "0 for a right order: -log sigma(r_i - r_j) is positive at any distance; a hinge, max(0, ...), is not"
)
assert close(loss, torch.tensor(0.251151), "the worked number: -log of the sigmoid of each difference, averaged")
assert close(student.ranking_loss(torch.tensor([[0.0, 1.0, 2.0]])), torch.tensor(1.584484), "[[0, 1, 2]], wrong order")
both = student.ranking_loss(torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 2.0]]))
assert close(both, torch.tensor(0.917817), "the mean over documents (rows), each with its own pairs")
with part("rewards far apart", 0.5):
    far = student.ranking_loss(torch.tensor([[-300.0, 300.0]]))
    assert close(far, torch.tensor(600.0), "rewards far apart: take log sigma in one step, with F.logsigmoid")
with part("a gradient where rewards are equal", 0.5):
    rewards = torch.zeros(1, 2, requires_grad=True)
    loss = student.ranking_loss(rewards)
    assert loss.requires_grad, "a gradient must reach the rewards: stay in torch, without float(), .item() or .detach()"
    loss.backward()
    assert close(
        rewards.grad,
        torch.tensor([[-0.5, 0.5]]),
        "the gradient pushes the better one up and the worse one down, also where both rewards are equal",
    )
print("ranking_loss: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(70)
with part("value and gradient", 2.5):
    for N, K in [(5, 4), (1, 2), (3, 7), (40, 3), (1, 12), (6, 2)]:
        rewards = 2 * torch.randn(N, K, generator=g)
        kept = rewards.clone()
        rewards.requires_grad_()
        loss = student.ranking_loss(rewards)
        assert has_shape(loss, (), "a scalar")
        pairs = [
            math.log1p(math.exp(row[j] - row[i]))
            for row in kept.tolist()
            for i, j in itertools.combinations(range(K), 2)
        ]
        assert close(loss, torch.tensor(sum(pairs) / len(pairs)), "the mean over documents of the mean over pairs")
        assert close(loss, reference.ranking_loss(kept), "the mean over documents of the mean over pairs")
        assert loss.requires_grad, "the loss must stay differentiable"
        (3 * loss).backward()
        want = torch.zeros(N, K)
        for i, j in itertools.combinations(range(K), 2):
            push = 3 * torch.sigmoid(kept[:, j] - kept[:, i]) / (N * K * (K - 1) / 2)
            want[:, i] -= push
            want[:, j] += push
        assert rewards.grad is not None and close(rewards.grad, want, "the gradient, for both of each pair", atol=1e-6)
        shifted = kept + 20 * torch.randn(N, 1, generator=g)
        assert close(
            student.ranking_loss(shifted), loss, "adding a number to all rewards of a document changes nothing"
        )
        alone = torch.stack([student.ranking_loss(kept[n : n + 1]) for n in range(N)]).mean()
        assert close(alone, loss, "the mean over documents; no pair across documents")
        best = kept.sort(dim=1, descending=True).values
        assert bool(student.ranking_loss(best) <= loss.detach() + 1e-6), "the right order has the smallest loss"
    same = torch.full((2, 4), float(torch.randn((), generator=g)), requires_grad=True)
    flat = student.ranking_loss(same)
    assert close(flat, torch.tensor(math.log(2)), "equal rewards: log 2")
    flat.backward()
    want = torch.tensor([-3.0, -1.0, 1.0, 3.0]).repeat(2, 1) / 24
    assert close(same.grad, want, "equal rewards: the gradient must not be 0, or training never begins")
with part("very large differences", 0.5):
    for size in (200.0, 1e4):
        rewards = torch.tensor([[-size, size, 0.0]], requires_grad=True)
        loss = student.ranking_loss(rewards)
        assert close(loss, torch.tensor((2 * size + size + 0) / 3), "very large differences must give a finite loss")
        loss.backward()
        hint = "very large differences must give a finite and right gradient, for both of each pair"
        assert close(rewards.grad, torch.tensor([[-2.0, 1.0, 1.0]]) / 3, hint, atol=1e-6)
        right = student.ranking_loss(torch.tensor([[size, 0.0, -size]]))
        assert bool(right >= 0) and bool(right < 1e-6), "the right order with a wide margin has loss 0"
### END HIDDEN TESTS

# %% [markdown]
# ### `GroupedRandomSampler`: shuffle the stories, not the summaries (3.5 points)
#
# The loss needs the K summaries of one document next to each other and in their order; the training needs the documents in random order. PyTorch's `DataLoader` takes the order from a *sampler*: an object with a length that gives one index after the other. Our data are one long list, the summaries of document 0 from best to worst, then those of document 1, and so on. With `group_size` = K, group $n$ consists of the indices $nK, nK + 1, \ldots, nK + K - 1$.
#
# Write a class with these properties:
#
# * `GroupedRandomSampler(data_source, group_size=4, generator=None)` takes anything that has a length, a multiple of `group_size`. If it is not a multiple, **raise a `ValueError`** at once: an incomplete group would shift all later groups;
# * iterating over it gives each index **once**, as a plain number; every K consecutive indices are one whole group, in ascending order; the groups come in random order, **anew in each pass**, all orders equally likely. With a `generator` all randomness comes from it, without one from torch's global generator. A pass that stops early does not change the next one;
# * `len(...)` is the number of indices in a pass: the length of `data_source`.
#
# *Worked example.* 6 items, `group_size` = 2: a pass may give 2, 3, 4, 5, 0, 1.
#
# <details><summary>Hint 1: idea</summary>
#
# Only the groups are in random order. Each pass needs a state of its own, which a generator function has.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# Group $n$ begins at $nK$ and ends before $(n + 1)K$; there are `len(data_source)` / K groups.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# In `__iter__`, for each group of `torch.randperm(groups, generator=generator).tolist()`, `yield from range(...)`.
#
# </details>


# %%
def one_pass(sampler) -> list[int]:
    """All indices of one pass."""
    indices = list(sampler)
    if any(isinstance(index, list | tuple | range) for index in indices):
        raise TypeError("a pass gives whole groups: it must give one index after the other")
    return [int(index) for index in indices]


def passes_of(sampler, count: int) -> list[list[int]]:
    """All indices of each of several passes."""
    return [one_pass(sampler) for _ in range(count)]


def kinds_of(sampler) -> list[str]:
    """The names of the types of the indices of one pass."""
    return sorted({type(index).__name__ for index in sampler})


def length_of(sampler) -> int:
    """The result of len()."""
    return len(sampler)


def first_of(sampler, count: int) -> list[int]:
    """The first indices of a pass that then stops early."""
    return [int(index) for index in itertools.islice(iter(sampler), count)]


# %% nbgrader={"grade": false, "grade_id": "GroupedRandomSampler", "locked": false, "schema_version": 3, "solution": true, "task": false}
class GroupedRandomSampler:
    """Indices for a DataLoader: whole groups of consecutive indices, the groups in random order, anew in each pass.

    Args:
        data_source: anything with a length that is a multiple of group_size.
        group_size: how many consecutive indices belong together, K.
        generator: a torch.Generator from which all randomness comes; None means torch's global generator.

    Raises:
        ValueError: the length is not a multiple of group_size.
    """

    def __init__(self, data_source, group_size=4, generator=None):
        ### BEGIN SOLUTION
        if len(data_source) % group_size:
            raise ValueError(f"{len(data_source)} items cannot be cut into groups of {group_size}.")
        self.data_source, self.group_size, self.generator = data_source, group_size, generator
        ### END SOLUTION

    def __iter__(self):
        ### BEGIN SOLUTION
        groups = torch.randperm(len(self.data_source) // self.group_size, generator=self.generator)
        for group in groups.tolist():
            yield from range(group * self.group_size, (group + 1) * self.group_size)
        ### END SOLUTION

    def __len__(self):
        ### BEGIN SOLUTION
        return len(self.data_source)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_GroupedRandomSampler", "locked": true, "points": 3.5, "schema_version": 3, "solution": false, "task": false}
items = list(range(100, 140))
sampler = student.GroupedRandomSampler(items, group_size=4)
indices = student.one_pass(sampler)
assert min(indices) < 100, "a pass gives indices, counted from 0, not the items of data_source"
assert sorted(indices) == list(range(40)), "a pass gives each index 0 ... len - 1 exactly once"
blocks = [indices[i : i + 4] for i in range(0, 40, 4)]
assert all(min(block) // 4 == max(block) // 4 for block in blocks), "a group was split: shuffle groups, not items"
assert all(block == sorted(block) for block in blocks), (
    "within a group the order is from best to worst: do not shuffle it"
)
assert indices != list(range(40)), "the groups are never shuffled"
second = student.one_pass(sampler)
assert sorted(second) == list(range(40)), "the second pass, too, gives each index once: start anew in __iter__"
student.first_of(sampler, 6)
assert sorted(student.one_pass(sampler)) == list(range(40)), "a pass that stops early must not change the next one"
assert second != indices, "the second pass must be shuffled anew: draw in __iter__, not in __init__"
assert student.one_pass(student.GroupedRandomSampler(items)) not in (indices, second), (
    "use no fixed seed if no generator is given"
)
assert student.length_of(sampler) == 40, "len() is the number of indices, not of groups"
pairs = student.one_pass(student.GroupedRandomSampler(list(range(6)), 2))
assert sorted(pairs[::2]) == [0, 2, 4], "another group_size: groups start at multiples of it"
with part("plain numbers", 0.25):
    kinds = student.kinds_of(sampler)
    assert kinds and {*kinds} <= {"int", "int64", "int32"}, (
        "an index is a plain number, not a tensor: use .tolist() or int()"
    )
with part("equal generators", 0.25):
    one, two = (
        student.one_pass(student.GroupedRandomSampler(list(range(80)), 4, torch.Generator().manual_seed(5)))
        for _ in "ab"
    )
    assert one == two, "equal generators must give equal orders: pass `generator` on"
with part("draws of the global generator", 0.25):
    passes = []
    for _ in "ab":
        student.torch.manual_seed(5)
        passes.append(student.one_pass(student.GroupedRandomSampler(list(range(80)), 4)))
    assert passes[0] == passes[1], (
        "without a generator, torch.manual_seed(5) twice must give equal passes: draw with torch, not with random or NumPy"
    )
with part("a length that is no multiple of group_size", 0.5):
    refused = False
    try:
        student.GroupedRandomSampler(list(range(10)), group_size=4)
    except ValueError:
        refused = True
    assert refused, "10 items are not whole groups of 4: raise a ValueError when the sampler is made"
print("GroupedRandomSampler: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(71)
with part("whole groups", 1.5):
    for K, groups in [(4, 9), (2, 150), (3, 12), (1, 25), (5, 1), (7, 6)]:
        sampler = student.GroupedRandomSampler(list(range(100, 100 + K * groups)), group_size=K)
        for _ in range(3):
            indices = student.one_pass(sampler)
            assert sorted(indices) == list(range(K * groups)), "each index once, counted from 0"
            for block in (indices[i : i + K] for i in range(0, K * groups, K)):
                assert block == list(range(block[0], block[0] + K)) and block[0] % K == 0, (
                    "whole groups, in their order"
                )
        assert student.length_of(sampler) == K * groups, "len() is the number of indices"
        student.first_of(sampler, K + 1)
        assert len(student.one_pass(sampler)) == K * groups, "a pass that stops early must not shorten the next one"
    for length, K in [(7, 2), (3, 4), (9, 4), (11, 3)]:
        refused = False
        try:
            student.GroupedRandomSampler(list(range(length)), K)
        except ValueError:
            refused = True
        assert refused, "a length that is not a multiple of group_size: ValueError when the sampler is made"


with part("any data with a length", 0.25):
    assert sorted(student.one_pass(student.GroupedRandomSampler("storms", 2))) == list(range(6)), (
        "data_source is anything that has a length, a text too: use nothing but len(data_source)"
    )


def even(values, kinds):
    """Does each column of `values` [passes, columns] hold all of 0 ... kinds - 1 equally often, up to chance?"""
    often, each = F.one_hot(values, kinds).sum(dim=0).double(), len(values) / kinds  # [columns, kinds]
    free = values.shape[1] * (kinds - 1)
    # chi-squared: by chance above this once in 10^8 times (Laurent and Massart with x = 20)
    return float(((often - each) ** 2 / each).sum()) < free + 2 * math.sqrt(20 * free) + 40


def check_orders(generator):
    """All orders must be equally likely, of few groups and of many."""
    for groups, passes in ((4, 480), (12, 120), (30, 120)):
        sampler = student.GroupedRandomSampler(list(range(2 * groups)), 2, generator)
        orders = torch.tensor(student.passes_of(sampler, passes))[:, ::2] // 2  # [passes, groups]
        if groups == 4:
            every = list(itertools.permutations(range(groups)))
            numbers = torch.tensor([[every.index(tuple(order))] for order in orders.tolist()])
            hint = "all orders must be equally likely: some orders of the groups never occur, or too often"
            assert even(numbers, len(every)), hint
        else:
            assert even(orders, groups), "many groups: each group must be at each position equally often"
            hint = "many groups: each group must be followed by each other group equally often"
            assert even((orders[:, 1:] - orders[:, :-1]) % groups - 1, groups - 1), hint
        same = float((orders[1:] == orders[:-1]).double().mean())
        # 6 standard errors: a pass has one group at its old position, on average, with variance 1
        assert abs(same * groups - 1) < 6 / math.sqrt(passes - 1), "each pass must be shuffled anew"


with part("random order", 1):
    check_orders(None)
with part("a given generator", 0.5):
    number = int(torch.randint(0, 10**6, (), generator=g))
    check_orders(torch.Generator().manual_seed(number))
    data = list(range(120))

    def with_seed(seed):
        """A sampler with a generator of that seed."""
        return student.GroupedRandomSampler(data, 3, generator=torch.Generator().manual_seed(seed))

    student.torch.manual_seed(1)
    one, other = student.one_pass(with_seed(number)), student.one_pass(with_seed(number + 1))
    student.torch.manual_seed(2)
    assert student.one_pass(with_seed(number)) == one, "with a generator, all randomness must come from it"
    assert other != one, "another generator must give another order"
    kept = with_seed(number)
    assert student.one_pass(kept) != student.one_pass(kept), "with a generator, too, each pass is shuffled anew"
    begun = student.first_of(kept, 60)
    assert student.one_pass(kept)[:60] != begun, "after a pass that stops early, too, there is a new order"
    used = torch.Generator().manual_seed(number)
    torch.rand(5, generator=used)
    assert student.one_pass(student.GroupedRandomSampler(data, 3, used)) != one, (
        "draw from the given generator, not from a new one with its seed"
    )
with part("no generator: torch's global one", 0.25):
    data = list(range(120))
    student.torch.manual_seed(3)
    one = student.one_pass(student.GroupedRandomSampler(data, 3))
    student.torch.manual_seed(3)
    assert student.one_pass(student.GroupedRandomSampler(data, 3)) == one, "without a generator: torch's global one"
    student.torch.manual_seed(4)
    assert student.one_pass(student.GroupedRandomSampler(data, 3)) != one, "without a generator: torch's global one"
### END HIDDEN TESTS

# %% [markdown]
# ### `spearman`: does the reward model rank as the rater does? (3 points)
#
# A rank correlation is easier to interpret than the loss. For one document, let $a_k$ be the rank of the $k$-th reward among the K rewards (1 for the smallest), and $b_k$ the rank that the rater gave: best first means $b = (K, K - 1, \ldots, 1)$. Spearman's coefficient is the correlation of the two,
#
# $$\rho = \frac{\sum_k (a_k - \bar a)(b_k - \bar b)}{\sqrt{\sum_k (a_k - \bar a)^2} \sqrt{\sum_k (b_k - \bar b)^2}},$$
#
# 1 if the rewards fall from left to right, −1 if they rise, about 0 if they are unrelated to the ranking. **Equal rewards share their mean rank**: rewards (5, 5, 1, 0) have the ranks (3.5, 3.5, 2, 1). If all K rewards are equal, they give no ranking and the formula is 0/0: **then ρ = 0**. `spearman` gives the mean of ρ over the rows.
#
# *Worked numbers.* [[3, 2, 1, 0]] gives **1**, [[0, 1, 2, 3]] gives **−1**. [[2, 3, 1, 0]] gives **0.8**, [[5, 5, 1, 0]] gives **0.948683**. All four rows together: **0.437171**.
#
# <details><summary>Hint 1: idea</summary>
#
# Sorting twice gives ranks, but cuts through equal rewards. Counting does not: compare each reward with each of the same row.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $a_k$ = (how many rewards are smaller) + (how many are equal, itself included, + 1) / 2. Both means are $(K + 1) / 2$.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `rewards[:, None, :] < rewards[:, :, None]` is `[N, K, K]`; sum over the last axis. Centre both ranks; where the product of the two norms is 0, put 0 with `torch.where`, and divide by a clamped product.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "spearman", "locked": false, "schema_version": 3, "solution": true, "task": false}
def spearman(rewards):
    """The mean over documents of Spearman's rank correlation between the rewards and the rater's order.

    Args:
        rewards: rewards of K >= 2 summaries of each document, best first: floating-point tensor `[N, K]`; not changed.

    Returns:
        A number (or scalar tensor) between -1 and 1; equal rewards share their mean rank, and a row of equal rewards
        counts 0. Example: [[2, 3, 1, 0]] gives 0.8.
    """
    ### BEGIN SOLUTION
    K = rewards.shape[1]
    smaller = (rewards[:, None, :] < rewards[:, :, None]).double().sum(dim=2)  # [N, K]
    equal = (rewards[:, None, :] == rewards[:, :, None]).double().sum(dim=2)
    a = smaller + (equal + 1) / 2 - (K + 1) / 2  # ranks, centred
    b = torch.arange(K, 0, -1, dtype=torch.float64, device=rewards.device) - (K + 1) / 2  # [K]
    size = a.norm(dim=1) * b.norm()
    rho = torch.where(size > 0, (a * b).sum(dim=1) / size.clamp(min=1e-12), 0.0)
    return rho.mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_spearman", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
falling = float(student.spearman(torch.tensor([[3.0, 2.0, 1.0, 0.0]])))
assert abs(falling + 1) > 1e-3, "best first: rewards that fall from left to right agree with the rater, +1"
assert close(falling, 1.0, "rewards that fall from left to right: 1")
assert close(float(student.spearman(torch.tensor([[0.0, 1.0, 2.0, 3.0]]))), -1.0, "rewards that rise: −1")
swapped = float(student.spearman(torch.tensor([[2.0, 3.0, 1.0, 0.0]])))
assert close(swapped, 0.8, "the worked number; (0.67 would be Kendall's coefficient)")
uneven = float(student.spearman(torch.tensor([[100.0, 2.0, 1.0, 0.0]])))
assert close(uneven, 1.0, "only ranks count, not how far apart the rewards are")
tied = float(student.spearman(torch.tensor([[5.0, 5.0, 1.0, 0.0]])))
assert close(tied, 0.948683, "equal rewards share their mean rank: (3.5, 3.5, 2, 1)")
with part("a row of equal rewards", 0.5):
    flat = float(student.spearman(torch.tensor([[7.0, 7.0, 7.0, 7.0]])))
    assert close(flat, 0.0, "a row of equal rewards counts 0, not nan")
rows = torch.tensor([[3.0, 2.0, 1.0, 0.0], [0.0, 1.0, 2.0, 3.0], [2.0, 3.0, 1.0, 0.0], [5.0, 5.0, 1.0, 0.0]])
assert close(float(student.spearman(rows)), 0.437171, "the mean over rows; ranks within each row")
with part("a row of equal rewards among others", 0.5):
    half = float(student.spearman(torch.tensor([[7.0, 7.0, 7.0], [2.0, 1.0, 0.0]])))
    assert close(
        half, 0.5, "a row of equal rewards counts 0: it is part of the mean, and does not change the other rows"
    )
print("spearman: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(72)


def slow_spearman(row):
    """One row, written out."""
    K = len(row)
    a = [sum(other < r for other in row) + (row.count(r) + 1) / 2 - (K + 1) / 2 for r in row]
    b = [(K - 1) / 2 - k for k in range(K)]
    size = math.sqrt(sum(v * v for v in a) * sum(v * v for v in b))
    return sum(v * w for v, w in zip(a, b, strict=True)) / size if size else 0.0


with part("without equal rewards", 2):
    for N, K in [(6, 4), (1, 2), (4, 9), (9, 3), (1, 4), (12, 5)]:
        ranks = torch.stack([torch.randperm(K, generator=g) for _ in range(N)])  # all different
        rewards = (ranks + 0.8 * torch.rand(N, K, generator=g)) * 10 ** (2 * torch.rand(N, 1, generator=g) - 1)
        kept = rewards.clone()
        got = float(student.spearman(rewards))
        assert close(got, sum(map(slow_spearman, kept.tolist())) / N, "the rank correlation", atol=1e-5)
        assert close(got, float(reference.spearman(kept)), "the rank correlation", atol=1e-5)
        assert close(float(student.spearman(-kept)), -got, "negating the rewards changes the sign", atol=1e-5)
        assert close(float(student.spearman(kept.flip(1))), -got, "reversing the order changes the sign", atol=1e-5)
        assert close(float(student.spearman(kept**3)), got, "only the order of rewards counts", atol=1e-5)
        shift = torch.randint(-50, 50, (N, 1), generator=g)
        assert close(
            float(student.spearman(ranks.float() + shift)),
            float(student.spearman(ranks.float())),
            "rank each row by itself",
            atol=1e-5,
        )
    assert close(
        float(student.spearman(torch.arange(6.0).flip(0)[None].repeat(3, 1))), 1.0, "falling rewards: 1", atol=1e-5
    )
    ranks = torch.stack([torch.randperm(12, generator=g) for _ in range(40)])
    got, want = (float(student.spearman(rewards)) for rewards in (1000 + ranks / 4096, ranks.float()))
    assert close(want, sum(map(slow_spearman, ranks.tolist())) / 40, "the mean over many rows", atol=1e-5)
    assert close(got, want, "rewards that differ by a little are not equal", atol=1e-5)
with part("rewards that are equal", 1):
    for N, K, levels in [(8, 4, 2), (5, 6, 3), (10, 3, 2), (1, 5, 3), (3, 7, 3)]:
        rewards = torch.randint(0, levels, (N, K), generator=g).float() - 0.5
        rewards[0] = torch.tensor([levels - 1.5] + [0.5] * (levels - 2) + [-0.5] * (K - levels + 1))  # ties for certain
        want = sum(map(slow_spearman, rewards.tolist())) / N
        assert close(float(student.spearman(rewards)), want, "equal rewards share their mean rank", atol=1e-5)
    for value in (0.0, -3.0, 1e6):
        assert close(
            float(student.spearman(torch.full((2, 4), value))), 0.0, "a row of equal rewards counts 0", atol=1e-6
        )
    mixed = torch.tensor([[1.0, 1.0, 1.0], [2.0, 1.0, 0.0]])
    assert close(float(student.spearman(mixed)), 0.5, "a row of equal rewards counts 0, and is counted", atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# ### Training the reward model
#
# In `mini` the reward model is the summarizer itself with another head. In `full` it is a RoBERTa that reads story and summary and has a single output. Either way, `reward_net(documents, summaries)` takes N documents and N · K summaries (K for each, one after the other) and gives rewards `[N * K]`. The training loop uses your sampler and your loss.

# %%
REWARD_EPOCHS = run.size(full=3, mini=2, grade=1)
GROUPS_PER_BATCH = run.size(full=4, mini=8, grade=3)
REWARD_RATE = run.size(full=2e-5, mini=1e-3, grade=1e-3)
CHECKED = run.size(full=100, mini=60, grade=2)  # held-out stories for the curve during training


def ranked_batches(ranked: list[Ranked], epochs: int, generator) -> list[list[int]]:
    """The order of training: for each batch the indices of its summaries in one long list, K after K."""
    places = range(PER_DOCUMENT * len(ranked))
    sampler = GroupedRandomSampler(places, group_size=PER_DOCUMENT, generator=generator)
    loader = torch.utils.data.DataLoader(places, batch_size=GROUPS_PER_BATCH * PER_DOCUMENT, sampler=sampler)
    return [batch.tolist() for _ in range(epochs) for batch in loader]


def batch_of(ranked: list[Ranked], places: list[int]) -> tuple[list[str], list[str]]:
    """The documents of a batch, and all their summaries, each K from best to worst."""
    documents = [ranked[place // PER_DOCUMENT].document for place in places[::PER_DOCUMENT]]
    return documents, [ranked[place // PER_DOCUMENT].summaries[place % PER_DOCUMENT] for place in places]


def train_reward_model(ranked: list[Ranked], checked: list[Ranked], seed: int) -> tuple[nn.Module, training.Loop]:
    """A reward model trained on rankings; its loss at each step, and eight times the loss of the rankings `checked`."""
    homework.seed_everything(seed)
    net = reward_model(run)
    order = ranked_batches(ranked, REWARD_EPOCHS, torch.Generator().manual_seed(seed))
    pause = max(1, len(order) // 8)
    optimizer = torch.optim.AdamW(net.parameters(), lr=REWARD_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min((k + 1) / 20, 1 - k / len(order)))
    loop = training.Loop(
        run,
        "reward",
        steps=len(order),
        modules={"net": net, "optimizer": optimizer, "schedule": schedule},
        code=[ranking_loss, GroupedRandomSampler, [each.summaries for each in ranked]],
        seed=seed,
    )
    for step in loop:
        documents, summaries = batch_of(ranked, order[step])
        with autocast(run.device):
            rewards = net(documents, summaries)  # [N * K]
        loss = ranking_loss(rewards.float().reshape(-1, PER_DOCUMENT))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        loop.record(loss=loss.detach())
        if step % pause == pause - 1:
            loop.record(checked=ranking_loss(rewards_by_rank(net, checked)))
    return net, loop


@torch.no_grad()
def rewards_of(net, documents: list[str], summaries: list[str]) -> torch.Tensor:
    """Rewards `[N * K]` of K summaries for each document, on the CPU."""
    each, found = len(summaries) // len(documents), []
    for first in range(0, len(documents), AT_ONCE):
        last = first + AT_ONCE
        with autocast(run.device):
            found.append(net(documents[first:last], summaries[first * each : last * each]).float().cpu())
    return torch.cat(found)


def rewards_by_rank(net, ranked: list[Ranked]) -> torch.Tensor:
    """Rewards of ranked summaries, `[N, K]`, best first."""
    texts = [text for each in ranked for text in each.summaries]
    return rewards_of(net, [each.document for each in ranked], texts).reshape(-1, PER_DOCUMENT)


# %% tags=["train"]
reward_net, reward_loop = train_reward_model(train_ranked, held_ranked[:CHECKED], SEED)

# %% tags=["experiment"]
held = rewards_by_rank(reward_net, held_ranked)  # [N, K]
held_spearman = float(spearman(held))
best_beats_worst = float((held[:, 0] > held[:, -1]).double().mean())
likings = [[liking(text, by) for text in each.summaries] for each, by in zip(held_ranked, held_references, strict=True)]
ceiling = float(spearman(torch.tensor(likings)))
print(
    f"held-out rankings: Spearman {held_spearman:.2f}; the best gets more reward than the worst in {best_beats_worst:.0%}"
)
print(f"(a model that knew the rater's score without the noise would reach {ceiling:.2f})")
reward_losses = torch.tensor(reward_loop.history["loss"])
width = max(1, len(reward_losses) // 8)
learnt = {"training rankings, mean of the steps before": reward_losses.unfold(0, width, width).mean(dim=1)}
learnt["held-out rankings"] = reward_loop.history["checked"]
plots.curves(
    {label: ([width * (i + 1) for i in range(len(losses))], losses) for label, losses in learnt.items()},
    title="The reward model during training",
    xlabel="step",
    ylabel="ranking loss",
    levels={"all rewards equal: log 2": math.log(2)},
)

# %% [markdown]
# In `mini` we measured 0.41, 0.48 and 0.40 for three seeds, where the best possible value, given the noise of the rater, is 0.80. In `full` expect less, about 0.26 (reported by the course that this problem goes back to; we have not measured it).
#
# **Predict, then run.** Imagine the histogram of the rewards of the summaries ranked *best* on the held-out stories, and in the same axes the histogram of those ranked *worst*. How much will they overlap, with this Spearman coefficient?

# %% tags=["experiment"]
plots.histograms(
    {"ranked best": held[:, 0], "ranked worst": held[:, -1]},
    title="Learnt rewards of the summaries that the rater ranked best and worst",
    xlabel="learnt reward",
    ylabel="share of held-out stories",
)

# %% [markdown]
# The histograms differ, and overlap widely. The reward model is right on average and wrong about many single cases. Part of the overlap means nothing: rewards of different stories are not comparable, since only differences within a story were trained. The share printed above compares within stories.
#
# ## 5. Reinforce
#
# ### `policy_gradient_loss`: one reward for a whole text (4 points)
#
# The mean reward of what the summarizer writes should grow. Nothing can be differentiated through a sampled word, but the *probability* of what was sampled can be. Question (a) asks for the derivation of
#
# $$\nabla\, \mathbb E_{y \sim \pi}[r(y)] = \mathbb E_{y \sim \pi}\big[r(y)\, \nabla \log \pi(y \mid x)\big] .$$
#
# Write a **loss whose gradient is the estimate of minus this gradient** from the B drawn summaries; the value of the loss means nothing. You get `logits` `[B, T, V]`, where `logits[b, t]` already belongs to `generated[b, t]`, so do not shift anything: the decoder was given the start token and $y_1 \ldots y_{T-1}$. Four conventions:
#
# * **The pad token is masked out** of the distribution, as in sampling: these must be the probabilities with which the text was drawn. Do not change `logits` itself.
# * **Padded positions do not count.** A position is padded where `generated` is `pad_token_id` *or* `label_pad_token_id` (−100, with which labels are padded by many libraries; it is not a valid index). No padding may cause `nan`, neither in the loss nor in the gradient.
# * The log-probability of a summary belongs to the whole summary: it is not divided by the number of tokens. Over the batch, take the mean.
# * The rewards are constants: **no gradient** flows into them.
#
# *Worked number.* V = 3, pad token 0, a summary of two tokens and one padded position: `generated` = [[1, 2, 0]], `logits` = [[[5, log 3, 0], [0, 0, 0], [1, 2, 3]]], `rewards` = [2]. The third position is not counted. Loss: **1.961659**.
#
# <details><summary>Hint 1: idea</summary>
#
# $\log \pi(y \mid x)$ is a sum over the tokens. Compute the log-probabilities of all tokens at once, then pick those that were drawn.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $$L = \frac1B \sum_{b=1}^{B} - r_b \sum_{t \text{ not padded}} \log P\big(y_{b,t} \mid y_{b,1}, \ldots, y_{b,t-1}, x_b\big) .$$
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# Set the pad token's logit to −∞ with `masked_fill`, then `log_softmax` (in one step; a softmax of 0 has the logarithm −∞). Pick with `gather`. Before it, replace the padded tokens by a valid one that is not the pad token; after it, set their terms to 0 with `masked_fill` or `where`: a product would be 0 · ∞ = `nan`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "policy_gradient_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def policy_gradient_loss(logits, generated, rewards, pad_token_id, label_pad_token_id=-100):
    """A loss whose gradient estimates that of minus the expected reward; the mean over the batch.

    Williams 1992 (REINFORCE), for sequences.

    Args:
        logits: the decoder's logits for each position, `[B, T, V]`; logits[b, t] belongs to generated[b, t]; not changed.
        generated: the sampled tokens, LongTensor `[B, T]`; not changed.
        rewards: one number for each sequence, `[B]`; treated as constants.
        pad_token_id: never drawn, so it is masked out of the distribution; these positions of `generated` do not count.
        label_pad_token_id: these positions of `generated` do not count, either.

    Returns:
        A scalar tensor, differentiable in the logits. Example: the worked number above gives 1.961659.
    """
    ### BEGIN SOLUTION
    barred = torch.arange(logits.shape[-1], device=logits.device) == pad_token_id  # [V]
    log_p = torch.log_softmax(logits.masked_fill(barred, -math.inf), dim=-1)  # [B, T, V]
    padded = (generated == pad_token_id) | (generated == label_pad_token_id)  # [B, T]
    harmless = 1 if pad_token_id == 0 else 0
    chosen = log_p.gather(2, generated.masked_fill(padded, harmless)[..., None])[..., 0]  # [B, T]
    sequence = chosen.masked_fill(padded, 0.0).sum(dim=1)  # [B]
    return -(rewards.detach() * sequence).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_policy_gradient_loss", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
logits = torch.tensor([[[5.0, math.log(3.0), 0.0], [0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]], requires_grad=True)
generated, rewards = torch.tensor([[1, 2, 0]]), torch.tensor([2.0], requires_grad=True)
loss = student.policy_gradient_loss(logits, generated, rewards, 0)
assert has_shape(loss, (), "return a scalar tensor")
assert not bool(loss.isnan()), "nan: 0 · ∞? A padded position has log-probability −∞; use masked_fill, not a product"
assert not bool(loss.isinf()), "infinite: a padded position was counted, the pad token has probability 0"
value = float(loss.detach())
assert abs(value + 1.961659) > 1e-3, "the sign: the loss must fall when a rewarded text gets more likely"
assert abs(value - 10.0532) > 1e-2, "the pad token still takes part in the softmax: set its logit to −∞ first"
assert abs(value - 1.961659 / 2) > 1e-3, "sum over the tokens, do not take their mean"
assert abs(value - 1.961659 / 3) > 1e-3, "sum over the tokens, do not divide by T"
assert abs(value - 4.58818) > 1e-3, "the padded position was counted: set its term to 0, for both padding tokens"
assert abs(value - 2.772589) > 1e-3, "do not shift: logits[b, t] already belongs to generated[b, t]"
assert close(
    loss, torch.tensor(1.961659), "the worked number: log_softmax over V, then the entries of the generated tokens"
)
with part("logits far apart", 0.5):
    steep = student.policy_gradient_loss(torch.tensor([[[0.0, 300.0, -300.0]]]), torch.tensor([[2]]), torch.ones(1), 0)
    assert close(
        steep, torch.tensor(600.0), "logits far apart: compute the logarithm of the softmax in one step, log_softmax"
    )
assert loss.requires_grad, "a gradient must reach the logits: stay in torch, without float(), .item() or .detach()"
loss.backward()
want = torch.tensor([[[0.0, -0.5, 0.5], [0.0, 1.0, -1.0], [0.0, 0.0, 0.0]]])
assert close(
    logits.grad, want, "the gradient of the logits: r (softmax − one-hot), and 0 where padded and for the pad token"
)
assert rewards.grad is None or not bool(rewards.grad.any()), "no gradient may flow into the rewards: they are constants"
labels = student.policy_gradient_loss(logits.detach(), torch.tensor([[1, 2, -100]]), torch.tensor([2.0]), 0)
assert close(
    labels, torch.tensor(1.961659), "−100 marks a padded position, too: do not count it, and do not use it as an index"
)
written = torch.tensor([[1, 2, 0], [2, 0, 0]])
two = student.policy_gradient_loss(logits.detach().repeat(2, 1, 1), written, torch.tensor([2.0, 0.0]), 0)
assert abs(float(two) - 1.183562) > 1e-3, "each sequence has its own reward: [B] times [B], not [B, 1] times [B]"
assert close(two, torch.tensor(1.961659 / 2), "the mean over the batch; each sequence has its own reward")
moved = student.policy_gradient_loss(
    logits.detach()[:, :, [1, 2, 0]], torch.tensor([[0, 1, 2]]), torch.tensor([2.0]), 2
)
assert close(moved, torch.tensor(1.961659), "the pad token is pad_token_id, here 2; 0 is an ordinary token")
with part("another label_pad_token_id", 0.25):
    hint = "label_pad_token_id is -1 here: compare `generated` with it. It may be any number; neither 0 nor -100 is special"
    swapped, ends_in_it = logits.detach()[:, :, [1, 2, 0]], torch.tensor([[0, 1, -1]])
    try:
        filled = student.policy_gradient_loss(swapped, ends_in_it, torch.tensor([2.0]), 2, label_pad_token_id=-1)
    except (RuntimeError, IndexError) as error:
        raise AssertionError(f"{hint} ({error})") from error
    assert close(filled, torch.tensor(1.961659), hint)
print("policy_gradient_loss: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(73)


def draw_batch(B, T, V, pad):
    """Logits, tokens and rewards; rows end in padding of their own length, the first has none, the last some."""
    logits = 2 * torch.randn(B, T, V, generator=g)
    generated = torch.randint(0, V - 1, (B, T), generator=g)
    generated = generated + (generated >= pad).long()  # never the pad token
    lengths = torch.randint(1, T + 1, (B,), generator=g)
    lengths[0] = T
    if B > 1 and T > 1:
        lengths[-1] = int(torch.randint(1, T, (), generator=g))
    padded = torch.arange(T) >= lengths[:, None]
    return logits, generated, padded, torch.randn(B, generator=g)


def by_hand(logits, generated, padded, rewards, pad):
    """The loss and its gradient of the logits, position by position."""
    B, T, V = logits.shape
    total, gradient = 0.0, torch.zeros_like(logits)
    for b in range(B):
        for t in range(T):
            if not padded[b, t]:
                others = [v for v in range(V) if v != pad]
                p = logits[b, t, others].softmax(0)
                place = others.index(int(generated[b, t]))
                total -= float(rewards[b] * p[place].log()) / B
                gradient[b, t, others] = rewards[b] * (p - F.one_hot(torch.tensor(place), V - 1)) / B
    return torch.tensor(total), gradient


with part("value and gradient", 3):
    for B, T, V, pad in [(4, 6, 5, 0), (1, 1, 3, 0), (3, 4, 7, 6), (6, 3, 4, 2), (2, 8, 9, 1)]:
        logits, generated, padded, rewards = draw_batch(B, T, V, pad)
        generated = generated.masked_fill(padded, pad)
        kept = logits.clone(), generated.clone(), rewards.clone()
        logits.requires_grad_(), rewards.requires_grad_()
        loss = student.policy_gradient_loss(logits, generated, rewards, pad)
        assert has_shape(loss, (), "a scalar")
        want, gradient = by_hand(kept[0], kept[1], padded, kept[2], pad)
        assert close(loss, want, "the mean over the batch of −r Σ log P(y_t)", atol=1e-5)
        assert close(
            loss, reference.policy_gradient_loss(*kept, pad), "the mean over the batch of −r Σ log P(y_t)", atol=1e-5
        )
        assert loss.requires_grad, "the loss must stay differentiable"
        (2 * loss).backward()
        assert close(logits.grad, 2 * gradient, "the gradient of the logits", atol=1e-5)
        assert rewards.grad is None or not bool(rewards.grad.any()), "no gradient may flow into the rewards"
        louder = kept[0].clone()
        louder[:, :, pad] += 5
        assert close(
            student.policy_gradient_loss(louder, kept[1], kept[2], pad),
            want,
            "the pad token's logit must not matter",
            atol=1e-5,
        )
        shifted = kept[0] + 10 * torch.randn(B, T, 1, generator=g)
        assert close(
            student.policy_gradient_loss(shifted, kept[1], kept[2], pad),
            want,
            "adding a number to all logits changes nothing",
            atol=1e-5,
        )
        assert close(
            student.policy_gradient_loss(kept[0], kept[1], -3 * kept[2], pad),
            -3 * want,
            "linear in the rewards",
            atol=1e-5,
        )
        rows = [
            student.policy_gradient_loss(kept[0][b : b + 1], kept[1][b : b + 1], kept[2][b : b + 1], pad)
            for b in range(B)
        ]
        assert close(torch.stack(rows).mean(), want, "the mean over the sequences", atol=1e-5)
with part("padding", 1.5):
    for B, T, V, pad, filler in [
        (4, 6, 5, 0, -100),
        (3, 5, 4, 3, -100),
        (5, 4, 6, 0, -1),
        (2, 3, 8, 2, 99),
        (40, 12, 6, 1, 4),
    ]:
        logits, generated, padded, rewards = draw_batch(B, T, V, pad)
        padded = padded | (generated == filler)  # a filler in the vocabulary pads in the middle, too
        want, gradient = by_hand(logits, generated, padded, rewards, pad)
        mixed = generated.masked_fill(padded, pad)
        last = slice((B - 1) % 2, None, 2)  # every other row, the last one included
        mixed[last] = generated[last].masked_fill(padded[last], filler)
        logits.requires_grad_()
        loss = student.policy_gradient_loss(logits, mixed, rewards, pad, filler)
        assert close(
            loss,
            want,
            "padded positions are not counted: compare `generated` with pad_token_id and with label_pad_token_id",
            atol=1e-5,
        )
        loss.backward()
        assert close(logits.grad, gradient, "padded positions get no gradient, and never nan", atol=1e-5)
        more = torch.cat([logits.detach(), torch.randn(B, 2, V, generator=g)], dim=1)
        longer = torch.cat([mixed, torch.full((B, 2), pad)], dim=1)
        assert close(
            student.policy_gradient_loss(more, longer, rewards, pad, filler),
            want,
            "more padding changes nothing",
            atol=1e-5,
        )
    logits, generated, padded, rewards = draw_batch(3, 4, 5, 0)
    generated = generated.masked_fill(padded, 0)
    generated[1] = 0
    padded[1] = True
    assert close(
        student.policy_gradient_loss(logits, generated, rewards, 0),
        by_hand(logits, generated, padded, rewards, 0)[0],
        "an empty sequence adds nothing",
        atol=1e-5,
    )
    large = torch.tensor([[[0.0, 1e4, -1e4], [0.0, -1e4, 1e4]]], requires_grad=True)
    loss = student.policy_gradient_loss(large, torch.tensor([[1, 1]]), torch.tensor([1.0]), 0)
    assert close(loss, torch.tensor(2e4), "logits of ±10,000: compute the logarithm of the softmax in one step")
    loss.backward()
    assert bool(large.grad.isfinite().all()), "logits of ±10,000 must give a finite gradient"
### END HIDDEN TESTS

# %% [markdown]
# The same function also *measures* log-probabilities of whole summaries: the next cell does it for the policy and for the reference, and section 8 differentiates the result. So your function must be right before you go on.


# %%
def logits_for(model, documents: list[str], written: torch.Tensor) -> torch.Tensor:
    """The model's logits for each token of the K summaries of each document: `[N * K, T, V]`."""
    story = read(documents)
    per_document = len(written) // len(documents)
    start = torch.full_like(written[:, :1], model.config.decoder_start_token_id)
    with autocast(run.device):
        states = model.get_encoder()(**story).last_hidden_state.repeat_interleave(per_document, dim=0)
        logits = model(
            encoder_outputs=BaseModelOutput(states),
            attention_mask=story["attention_mask"].repeat_interleave(per_document, dim=0),
            decoder_input_ids=torch.cat([start, written[:, :-1]], dim=1),
        ).logits
    return logits.float()


def log_probabilities(logits: torch.Tensor, written: torch.Tensor) -> torch.Tensor:
    """log pi(y | x) of each sequence, `[B]`, measured with `policy_gradient_loss`."""
    one = torch.ones(1, device=logits.device)
    rows = range(len(written))
    return -torch.stack([policy_gradient_loss(logits[b : b + 1], written[b : b + 1], one, PAD) for b in rows])


# %% [markdown]
# ### `shaped_rewards`: the KL penalty (2.5 points)
#
# From the toy we know what to maximise, $J(\pi) = \mathbb E_\pi[r] - \beta\, \mathrm{KL}(\pi \| \pi_\text{ref})$. Both terms are expectations over what the policy writes. So $J(\pi) = \mathbb E_\pi[\tilde r]$ for another reward $\tilde r(y)$: the given one, and a penalty that you can compute for each drawn summary from its two log-probabilities. Find it.
#
# Then subtract a **baseline**: the mean of $\tilde r$ over the batch, the summary itself included. Without it, if all rewards were positive, *all* drawn summaries would become more likely; with it, those better than the average of the batch become more likely and the others less. The result is a **constant** for the loss: no gradient may flow through it into any argument. (That is right although $\log \pi$ depends on the weights: the missing part has mean 0, by the argument of question (a), part iv.)
#
# *Worked number.* `rewards` = [1, 2], `logprobs` = [−2, −5], `ref_logprobs` = [−4, −4], `beta` = 0.5. Result: **[−1.25, 1.25]**.
#
# <details><summary>Hint 1: idea</summary>
#
# Write the KL divergence as an expectation over $y \sim \pi$ and put both expectations under one sign. A summary that became more likely than under the reference must lose reward.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $$\tilde r(y) = r(y) - \beta \big(\log \pi(y \mid x) - \log \pi_\text{ref}(y \mid x)\big), \qquad \text{shaped}_b = \tilde r_b - \frac1B \sum_{c=1}^{B} \tilde r_c .$$
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# One line for $\tilde r$ with `.detach()`, one that subtracts `.mean()`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "shaped_rewards", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shaped_rewards(rewards, logprobs, ref_logprobs, beta):
    """Rewards with the KL penalty in them, minus their mean over the batch; constants.

    Stiennon and others 2020, section 3.4 (without the baseline).

    Args:
        rewards: rewards of B summaries, `[B]`.
        logprobs: log-probabilities of the whole summaries under the policy, `[B]`.
        ref_logprobs: the same under the reference, `[B]`.
        beta: weight of the penalty, a number from 0 on.

    Returns:
        `[B]`, without gradient. Example: [1, 2], [-2, -5], [-4, -4] and 0.5 give [-1.25, 1.25].
    """
    ### BEGIN SOLUTION
    shaped = (rewards - beta * (logprobs - ref_logprobs)).detach()
    return shaped - shaped.mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_shaped_rewards", "locked": true, "points": 2.5, "schema_version": 3, "solution": false, "task": false}
rewards, logprobs, ref_logprobs = torch.tensor([1.0, 2.0]), torch.tensor([-2.0, -5.0]), torch.tensor([-4.0, -4.0])
got = student.shaped_rewards(rewards, logprobs, ref_logprobs, 0.5)
assert has_shape(got, (2,), "return one number for each summary, [B]")
assert abs(float(got.sum())) < 1e-4, "the mean over the batch is not subtracted, or not after the penalty"
assert abs(float(got[1]) + 0.25) > 1e-3, (
    "the sign of the penalty: with this one the policy would gain by leaving the reference"
)
assert abs(float(got[1]) - 0.5) > 1e-3, "the log-probabilities have no effect: the penalty is missing (see hint 1)"
assert abs(float(got[1]) - 2.0) > 1e-3, "beta has no effect on the penalty: look at J again"
assert abs(float(got[1]) - 2.5) > 1e-3, "take the mean over all B, the summary itself included"
assert close(got, torch.tensor([-1.25, 1.25]), "the worked number")
alone = student.shaped_rewards(rewards, logprobs, ref_logprobs, 0.0)
assert close(alone, torch.tensor([-0.5, 0.5]), "beta = 0: the rewards minus their mean")
with part("a constant", 0.5):
    inputs = [each.clone().requires_grad_() for each in (rewards, logprobs, ref_logprobs)]
    constant = student.shaped_rewards(*inputs, 0.5)
    assert not constant.requires_grad, "the result is a constant: detach it"
    assert not constant.is_inference(), (
        "backward() of a loss with this result fails: use detach() or torch.no_grad(), not torch.inference_mode()"
    )
print("shaped_rewards: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(74)
with part("value", 2):
    for B, apart in ((2, 2), (5, 40), (1, 2), (80, 2)):
        rewards = 3 * torch.randn(B, generator=g) + 4
        ref_logprobs = -30 * torch.rand(B, generator=g) - 1
        logprobs = ref_logprobs + apart * torch.randn(B, generator=g)
        beta = float(torch.rand((), generator=g)) + 0.1
        kept = [each.clone() for each in (rewards, logprobs, ref_logprobs)]
        got = student.shaped_rewards(rewards, logprobs, ref_logprobs, beta)
        assert has_shape(got, (B,), "one number for each summary, [B]")
        raw = [r - beta * (p - q) for r, p, q in zip(*(each.tolist() for each in kept), strict=True)]
        want = torch.tensor([each - sum(raw) / B for each in raw])
        assert close(got, want, "rewards − beta (logprobs − ref_logprobs), minus the mean over the batch", atol=1e-4)
        assert close(
            got, reference.shaped_rewards(*kept, beta), "rewards − beta (logprobs − ref_logprobs), centred", atol=1e-4
        )
        assert close(got.mean(), torch.tensor(0.0), "the mean over the batch is 0", atol=1e-4)
        moved = student.shaped_rewards(rewards + 7, logprobs, ref_logprobs - 3, beta)
        assert close(moved, got, "adding a number to all rewards changes nothing", atol=1e-4)
        alone = student.shaped_rewards(rewards, logprobs, ref_logprobs, 0.0)
        assert close(alone, rewards - rewards.mean(), "beta = 0: no penalty", atol=1e-4)
        double = student.shaped_rewards(rewards, logprobs, ref_logprobs, 2 * beta)
        assert close(double - alone, 2 * (got - alone), "the penalty grows with beta", atol=1e-4)
    same = torch.tensor([2.0, 2.0])
    assert close(student.shaped_rewards(same, -same, -same, 0.3), torch.zeros(2), "equal rewards: zeros, not nan")
with part("no gradient through any argument", 0.5):
    kept = [torch.randn(5, generator=g) for _ in range(3)]
    for which in range(3):
        inputs = [each.clone() for each in kept]
        inputs[which].requires_grad_()
        assert not student.shaped_rewards(*inputs, 0.4).requires_grad, "no gradient may flow through the result"
### END HIDDEN TESTS

# %% [markdown]
# ### The training
#
# Each step: take some stories, sample K summaries of each from the *current* policy, compute their rewards, shape them, and make one optimiser step. The references are used for the curve of ROUGE-2 only. The rewards are standardised once, with mean and standard deviation at the start; so a reward of 1 is one standard deviation above the start.
#
# There is one more baseline: the reward model was only trained on differences *within* a story, so the mean reward of the K summaries of a story is subtracted first.

# %%
RL_STEPS = run.size(full=200, mini=60, grade=2)
RL_DOCUMENTS = run.size(full=8, mini=16, grade=2)  # stories in a step, with K summaries each
RL_RATE = run.size(full=2e-5, mini=3e-3, grade=3e-3)
BETA = 0.1


def reinforce(name: str, beta: float, seed: int) -> tuple[nn.Module, dict[str, list[float]]]:
    """A copy of the summarizer trained on rewards; and reward, KL and ROUGE-2 of its samples at each step."""
    policy = copy.deepcopy(summarizer)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=RL_RATE, weight_decay=0.0)
    draw = torch.Generator(run.device).manual_seed(seed)
    lengths = [len(document) for document in news.train.documents]
    source, order = random.Random(seed), []
    while len(order) < RL_STEPS:
        order += batches_by_length(lengths, RL_DOCUMENTS, source)
    loop = training.Loop(
        run,
        name,
        steps=RL_STEPS,
        modules={"policy": policy, "optimizer": optimizer, "draw": draw},
        code=[policy_gradient_loss, shaped_rewards, beta, [round(float(r), 3) for r in held.flatten()[:40]]],
        seed=seed,
    )
    for step in loop:
        rows = order[step]
        documents = [news.train.documents[row] for row in rows]
        written = sample(policy, documents, PER_DOCUMENT, draw)  # [B, T]
        texts = texts_of(written)
        rewards = (rewards_of(reward_net, documents, texts) - reward_mean) / reward_deviation
        with torch.no_grad():
            ref_logprobs = log_probabilities(logits_for(summarizer, documents, written), written)
        logits = logits_for(policy, documents, written)
        logprobs = log_probabilities(logits.detach(), written)
        by_story = rewards.reshape(-1, PER_DOCUMENT)
        better = (by_story - by_story.mean(dim=1, keepdim=True)).flatten()  # than the other summaries of the story
        shaped = shaped_rewards(better.to(run.device), logprobs, ref_logprobs, beta)
        loss = policy_gradient_loss(logits, written, shaped, PAD)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
        rouge = mean_rouge2(texts, [news.train.summaries[row] for row in rows])
        loop.record(reward=rewards.mean(), kl=(logprobs - ref_logprobs).mean(), rouge2=rouge)
    return policy, loop.history


# %% [markdown]
# **Predict, then run.** Two trainings differ only in β: 0.1 in one, 0 in the other. In which one does the learnt reward rise more? In which one does the ROUGE-2 rise more? What will the summaries of the second look like?

# %% tags=["train"]
start_rewards = rewards_of(reward_net, held_documents, list(itertools.chain(*start_samples)))  # [N * K]
reward_mean, reward_deviation = float(start_rewards.mean()), float(start_rewards.std())
leashed, leashed_history = reinforce("policy-penalty", BETA, SEED)
free, free_history = reinforce("policy-free", 0.0, SEED)

# %% [markdown]
# ## 6. The results
#
# First the numbers, on held-out stories, with the standard error over stories. Three rows need no training: sampling at temperature 0.5, *greedy* decoding (always the most likely token; its KL is the mean of $-\log \pi_\text{ref}$), and the *best of 4* samples by the reward model (its KL is at most log 4 − ¾).


# %%
@torch.no_grad()
def measure(policy, temperature: float = 1.0) -> dict:
    """Rewards (standardised), KL to the summarizer in nats, ROUGE-2 and texts; temperature 0 is greedy decoding."""
    generator, rewards, kls, texts = chance(3) if temperature else None, [], [], []
    for first in range(0, len(held_documents), AT_ONCE):
        documents = held_documents[first : first + AT_ONCE]
        written = sample(policy, documents, PER_DOCUMENT if temperature else 1, generator, temperature)
        before = log_probabilities(logits_for(summarizer, documents, written), written)
        own = torch.zeros_like(before)  # of a greedy policy, which gives its summary the probability 1
        if temperature:
            own = log_probabilities(logits_for(policy, documents, written) / temperature, written)
        kls.append((own - before).cpu())
        texts += texts_of(written)
        rewards.append(rewards_of(reward_net, documents, texts[-len(written) :]))
    standardised = (torch.cat(rewards) - reward_mean) / reward_deviation
    return summed_up(standardised.reshape(len(held_documents), -1), float(torch.cat(kls).mean()), texts)


def summed_up(rewards: torch.Tensor, kl: float, texts: list[str]) -> dict:
    """One row of the table, from rewards `[N, K]` and N * K texts."""
    by_story = rewards.mean(dim=1)
    return {
        "reward": float(by_story.mean()),
        "error": float(by_story.std() / math.sqrt(len(by_story))),
        "kl": kl,
        "rouge2": mean_rouge2(texts, held_references[: len(rewards)]),
        "texts": texts,
        "rewards": rewards,
    }


def best_of(n: int, rewards: torch.Tensor, texts: list[str]) -> dict:
    """The row of a policy that draws n summaries with `rewards` `[N, K]` and keeps the one with the highest reward."""
    each = rewards.reshape(-1, n)  # K / n tries for each story
    kept = [texts[n * row + int(place)] for row, place in enumerate(each.argmax(dim=1))]
    return summed_up(each.amax(dim=1).reshape(len(rewards), -1), math.log(n) - (n - 1) / n, kept)


def print_table() -> None:
    """Prints what `measured` holds."""
    print(f"{'':26s}{'learnt reward':>16s}{'KL (nats)':>12s}{'ROUGE-2':>10s}")
    for label, found in measured.items():
        reward = f"{found['reward']:.2f} ± {found['error']:.2f}"
        print(f"{label:26s}{reward:>16s}{found['kl']:12.2f}{found['rouge2']:10.3f}")


# %% tags=["experiment"]
measured = {"start": measure(summarizer), "start, temperature 0.5": measure(summarizer, 0.5)}
measured["start, greedy"] = measure(summarizer, 0)
measured["start, best of 4"] = best_of(PER_DOCUMENT, measured["start"]["rewards"], measured["start"]["texts"])
measured |= {f"β = {BETA}": measure(leashed), "β = 0": measure(free)}
print_table()
for number in range(2):
    print(f"\n{held_documents[number][:400]}\n   written by a person: {held_references[number]}")
    for label in ("start", f"β = {BETA}", "β = 0"):
        print(f"   {label:20s} {measured[label]['texts'][PER_DOCUMENT * number]}")

# %% tags=["experiment"]
SMOOTH = max(1, RL_STEPS // 10)
plots.curves(
    {f"β = {BETA}": leashed_history["reward"], "β = 0": free_history["reward"]},
    title="The training objective: the learnt reward",
    xlabel="step",
    ylabel="mean learnt reward (standard deviations)",
    smooth=SMOOTH,
    levels={"the start": 0.0},
)

# %% tags=["experiment"]
plots.curves(
    {f"β = {BETA}": leashed_history["kl"], "β = 0": free_history["kl"]},
    title="The distance from the summarizer",
    xlabel="step",
    ylabel="KL(π ‖ reference), nats for each summary",
    smooth=SMOOTH,
)

# %% tags=["experiment"]
plots.curves(
    {f"β = {BETA}": leashed_history["rouge2"], "β = 0": free_history["rouge2"]},
    title="The true goal: ROUGE-2 against the references",
    xlabel="step",
    ylabel="mean ROUGE-2 of the samples",
    smooth=SMOOTH,
    levels={"the start": start_rouge},
)

# %% [markdown]
# With the penalty the learnt reward rises, and the KL stays between about 1 and 2.5 nats on average (single steps vary, up to 8). Without it the KL grows to many times that, and ROUGE-2, the true goal, falls below the start. **What does it write?** The next cell counts how the summaries begin.

# %% tags=["experiment"]


def beginnings(texts: list[str], words: int = 3) -> collections.Counter[str]:
    """How often the texts begin with which words."""
    return collections.Counter(" ".join(text.split()[:words]) for text in texts)


by_persons = beginnings(held_references)
for label in (f"β = {BETA}", "β = 0"):
    texts = measured[label]["texts"]
    print(f"{label}: the most frequent beginnings, and how often the references of the same stories begin so")
    for words, count in beginnings(texts).most_common(4):
        print(f"   {count / len(texts):6.1%} {by_persons[words] / len(held_references):6.1%}   {words} ...")
hacked_share = beginnings(measured["β = 0"]["texts"]).most_common(1)[0][1] / len(measured["β = 0"]["texts"])

# %% [markdown]
# In our run, the policy without penalty announced that *a new stadium opens* for 52 % of the stories, also for stories about strikes; only 0.7 % of the references say so. This is **reward hacking**: the learnt reward is not what we want; it is only correlated with it, until a policy is optimised for it. With another seed another reward model is trained, which has other weaknesses, and the policy does not always find them so fast. Held-out stories in `mini`, three seeds:
#
# | | learnt reward | KL | ROUGE-2 |
# |---|---|---|---|
# | start | 0.05, −0.01, −0.01 | 0 | 0.52, 0.51, 0.50 |
# | start, temperature 0.5 | 0.22, 0.20, 0.24 | 0.3 | 0.58, 0.56, 0.58 |
# | start, greedy | 0.24, 0.28, 0.26 | 3.5 | 0.60, 0.60, 0.60 |
# | start, best of 4 | 0.49, 0.42, 0.46 | ≤ 0.64 | 0.58, 0.60, 0.59 |
# | β = 0.1 | 0.40, 0.35, 0.45 | 1.8, 2.4, 0.8 | 0.55, 0.56, 0.58 |
# | β = 0 | 0.82, 0.50, 0.38 | 26, 17, 9 | 0.16, 0.46, 0.47 |
#
# **Does the policy with the penalty write better summaries?** Its samples have a higher ROUGE-2 than those of the start. But with a low temperature, or decoded greedily, the start has no less, without any training; and the best of 4 gets as much reward, for four samples a summary. So these numbers cannot tell the training from mere *sharpening*: likely tokens become more likely. What they do show is the effect of the penalty.
#
# ## 7. The picture (4 points)
#
# Draw, for the two trainings, the optimised reward and the true goal **against the distance**: horizontally $\sqrt{\mathrm{KL}}$ (as Gao and others 2022 do), vertically the learnt reward and, in a second figure or in the same one, ROUGE-2. The numbers are in `leashed_history` (with the penalty) and `free_history` (without), lists with one value for each step under `reward`, `kl` and `rouge2`. Single steps are noisy: average over some steps first. (An estimated KL may be slightly negative; clamp it at 0.) `plots.scatter` takes points `[N, 2]` and a word for each of them. Then answer in the cell below, as a comment, in three or four sentences: from which distance on do reward and ROUGE-2 diverge, how far does the run with the penalty go, and where would you stop if you knew only the reward and the KL?

# %% nbgrader={"grade": true, "grade_id": "figure_overoptimisation", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false} tags=["experiment"]
### BEGIN SOLUTION
# Up to a distance of about 2 the reward rises and ROUGE-2 does not fall; beyond 3 or 4 ROUGE-2 of the free run falls
# while its reward does not. The run with the penalty hardly goes further than 2: its ROUGE-2 stays. Without references
# I would stop at a small KL that is fixed beforehand: neither reward nor KL shows the point where the summaries get
# worse, so I would also read samples.
WINDOW = max(1, RL_STEPS // 20)


def averaged(values: list[float]) -> torch.Tensor:
    """Means over windows of steps."""
    return torch.tensor(values).unfold(0, WINDOW, WINDOW).mean(dim=1)


def against_distance(name: str, ylabel: str):
    """Draws one value of both trainings against the distance."""
    points, words = [], []
    for word, history in ((f"β = {BETA}", leashed_history), ("β = 0", free_history)):
        distance = averaged(history["kl"]).clamp(min=0).sqrt()
        points.append(torch.stack([distance, averaged(history[name])], dim=1))
        words += [word] * len(distance)
    return plots.scatter(
        torch.cat(points), words, f"{name} against the distance from the start", "√KL to the start (√nats)", ylabel
    )


against_distance("reward", "learnt reward (standard deviations)").show_now()
against_distance("rouge2", "ROUGE-2")
### END SOLUTION
### BEGIN MARK SCHEME
# - 1 point: learnt reward against √KL (or KL) for both trainings, averaged over steps
# - 1 point: ROUGE-2 against the same axis, in the same or a second figure; axes labelled
# - 1 point: says from which distance on reward and ROUGE-2 diverge, and how far the run with the penalty goes, fitting the own figure
# - 1 point: a rule for stopping that uses neither references nor ROUGE (a KL budget fixed beforehand, reading or ranking samples anew, a second reward model, …), with a reason
### END MARK SCHEME

# %% [markdown]
# **Where the method fails.** A reward model is only as good as its rankings, and these come from few raters on few stories. In practice one ranks samples of the *new* policy, trains the reward model again, and continues. And a simulated rater is only a simple model of a person.
#
# ## 8. Without a reward model: DPO
#
# Can the policy learn from the rankings directly? Rafailov and others (2023) saw that you already have what you need:
#
# * **From section 1**: for a reward $r$ and a weight $\beta$, the best policy is $\pi(y \mid x) = \frac{1}{Z(x)}\, \pi_\text{ref}(y \mid x)\, e^{r(x, y) / \beta}$. Here $Z(x)$ is a sum over all summaries of the story $x$, which cannot be computed.
# * **From section 4**: the Bradley-Terry model, the probability that a rater prefers one summary to another, given their rewards.
#
# Read the first formula backwards: *every* policy is the best one for some reward, its **implied reward**. So a policy and the reference together say how likely the rater's judgements are, and the policy can be trained to make them likely, without a reward model and without sampling.
#
# <svg viewBox="0 0 560 90" width="560" role="img" aria-label="Upper way: rankings, reward model, policy gradient on new samples, policy. Lower way: rankings, dpo_loss, policy."><path d="M80 34L140 18H440L484 34" fill="none" stroke="#0072B2"/><path d="M80 54L140 70H440L484 54" fill="none" stroke="#D55E00" stroke-dasharray="6 3"/><g fill="#fff" stroke="#333"><path d="M2 28h78v32H2zM484 28h70v32h-70z"/><path d="M136 4h104v28H136zM262 4h180v28H262z" stroke="#0072B2"/><path d="M236 56h86v28h-86z" stroke="#D55E00"/></g><g font-family="sans-serif" font-size="12" text-anchor="middle" fill="#333"><text x="41" y="48">rankings</text><text x="188" y="22">reward model</text><text x="352" y="22">policy gradient, new samples</text><text x="279" y="74">dpo_loss</text><text x="519" y="48">policy</text></g></svg>
#
# ### `dpo_loss`: derive it (4 points)
#
# You get B pairs of summaries, the chosen and the rejected one of a story each, with their log-probabilities under the policy and under the reference. Derive the loss:
#
# 1. Solve the first formula for $r$. What happens to $Z(x)$ when two summaries of the same story are compared?
# 2. The rater may err: with probability `flip`, independently of everything else, the rater names the *wrong* one of the two. In which two ways can the summary that we know as *chosen* have been named? Write down the probability of what was observed.
# 3. The loss is minus the logarithm of this probability, averaged over the B pairs.
#
# Conventions: gradients reach the policy's log-probabilities only, the reference is a constant. Loss and gradient must be finite and right for any finite log-probabilities (those of long texts are far from 0), with `flip` = 0 and with `flip` > 0.
#
# *Worked numbers.* One pair: `policy_chosen` = [−2], `policy_rejected` = [−3], `ref_chosen` = [−4], `ref_rejected` = [−3.5], `beta` = 0.5. Loss: **0.386871**; with `flip` = 0.1 it is **0.441077**.
#
# <details><summary>Hint 1: idea</summary>
#
# The implied reward of a summary says how much more likely the policy makes it than the reference does. $Z(x)$ is the same for both summaries of a story. For step 2: either the rater prefers the chosen one and does not err, or prefers the other one and errs.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# The implied reward is $\beta \log \frac{\pi(y \mid x)}{\pi_\text{ref}(y \mid x)} + \beta \log Z(x)$. With the difference $z$ of the two implied rewards, chosen minus rejected, and $\varepsilon$ = `flip`,
#
# $$P(\text{chosen is named}) = (1 - \varepsilon)\, \sigma(z) + \varepsilon\, \sigma(-z).$$
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# Compute $z$ from the four arguments, two of them with `.detach()`. Both terms of $P$ can be written as exponentials: $\log \big((1 - \varepsilon)\, \sigma(z)\big)$ is a sum of two logarithms, one of them `F.logsigmoid(z)`. `torch.logaddexp` adds two numbers that are given by their logarithms. The logarithm of `flip` = 0 needs a case of its own.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "dpo_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, beta, flip=0.0):
    """Minus the log-probability that the rater names the chosen summaries, the mean over the pairs.

    Rafailov and others 2023, equation 7, where the rater never errs.

    Args:
        policy_chosen: log-probabilities of the chosen summaries under the policy, `[B]`.
        policy_rejected: those of the rejected summaries, `[B]`.
        ref_chosen: log-probabilities of the chosen summaries under the reference, `[B]`; constants.
        ref_rejected: those of the rejected summaries, `[B]`; constants.
        beta: weight of the KL penalty, a positive number.
        flip: probability that the rater names the wrong one of the two, a number from 0 on and below 1/2.

    Returns:
        A scalar tensor, differentiable in the first two arguments. Example: the worked numbers above.
    """
    ### BEGIN SOLUTION
    gain_chosen, gain_rejected = policy_chosen - ref_chosen.detach(), policy_rejected - ref_rejected.detach()
    margin = beta * (gain_chosen - gain_rejected)  # [B]
    no_error = F.logsigmoid(margin)
    if flip == 0:
        return -no_error.mean()
    return -torch.logaddexp(math.log1p(-flip) + no_error, math.log(flip) + F.logsigmoid(-margin)).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_dpo_loss", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
pair = [torch.tensor([value]) for value in (-2.0, -3.0, -4.0, -3.5)]
try:
    loss = student.dpo_loss(*pair, 0.5)
except ValueError as error:
    raise AssertionError(f"flip = 0, the default, must work, too ({error})") from error
assert has_shape(loss, (), "return a scalar tensor")
value = float(loss)
assert value > 0, "the loss is minus the logarithm of a probability, so it is positive: is the minus missing?"
for mistaken, hint in [
    (0.474077, "the reference has no effect on the loss: does your reward come from the first formula?"),
    (0.201413, "beta has no effect on the loss: solve the first formula for r once more"),
    (0.100707, "beta only scales the loss; it must also decide how sure the judgement is"),
    (0.048587, "beta acts the wrong way round: solve the first formula for r once more"),
    (1.136871, "training with this loss would make the *rejected* summary more likely: which arguments are exchanged?"),
    (0.313262, "the rejected summary has no effect on the loss: what does a rater compare?"),
    (0.679179, "this is the probability of step 2; step 3 is missing"),
]:
    assert abs(abs(value) - mistaken) > 1e-4, hint
assert close(loss, torch.tensor(0.386871), "the worked number, flip = 0")
doubled = [torch.cat([each, other]) for each, other in zip(pair, [pair[1], pair[0], pair[3], pair[2]], strict=True)]
assert close(student.dpo_loss(*doubled, 0.5), torch.tensor(0.761871), "the mean over the pairs, not the sum")
with part("a gradient for the policy only", 0.5):
    learning = [each.clone().requires_grad_() for each in pair]
    loss = student.dpo_loss(*learning, 0.5)
    assert loss.requires_grad, "a gradient must reach the policy: stay in torch, without float(), .item() or .detach()"
    loss.backward()
    assert close(learning[0].grad, torch.tensor([-0.160411]), "the chosen summary must become more likely")
    assert close(learning[1].grad, torch.tensor([0.160411]), "the rejected summary must become less likely")
    for constant in learning[2:]:
        assert constant.grad is None or not bool(constant.grad.any()), "the reference is a constant: detach it"
with part("a rater who errs", 0.5):
    erring = student.dpo_loss(*pair, 0.5, flip=0.1)
    value = float(erring)
    assert abs(value - 0.386871) > 1e-4, "flip has no effect"
    assert abs(value - 0.461871) > 1e-4, "the two ways of step 2 lead to the same observation: what is its probability?"
    assert abs(value - 1.030981) > 1e-4, "flip and 1 - flip are exchanged: flip is the probability of an error"
    assert close(erring, torch.tensor(0.441077), "the worked number with flip = 0.1")
with part("a large difference", 0.5):
    far = [torch.tensor([each]) for each in (-900.0, -100.0, -100.0, -100.0)]
    assert close(
        student.dpo_loss(*far, 0.5),
        torch.tensor(400.0),
        "a large difference: the same problem as with rewards far apart in section 4",
    )
print("dpo_loss: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(75)


def rater_says(margin, flip):
    """Minus log-probability of one judgement and its derivative by the margin, in double precision."""
    p = 1 / (1 + math.exp(-margin))
    named = (1 - flip) * p + flip * (1 - p)
    return -math.log(named), -(1 - 2 * flip) * p * (1 - p) / named


def check_dpo(flip_of):
    """Value, gradient and what must not matter, for random pairs."""
    for B in (1, 4, 40, 2):
        beta, flip = 0.1 + float(torch.rand((), generator=g)), flip_of()
        four = [-20 * torch.rand(B, generator=g) - 1 for _ in range(4)]
        kept = [each.clone() for each in four]
        for each in four:
            each.requires_grad_()
        loss = student.dpo_loss(*four, beta, flip)
        assert has_shape(loss, (), "a scalar")
        a, b, c, d = (each.double().tolist() for each in kept)
        said = [rater_says(beta * ((a[i] - c[i]) - (b[i] - d[i])), flip) for i in range(B)]
        want = torch.tensor(sum(each for each, _ in said) / B)
        assert close(loss, want, "minus the log-probability of the judgement, the mean over the pairs", atol=1e-5)
        assert close(loss, reference.dpo_loss(*kept, beta, flip), "minus the log-probability", atol=1e-5)
        assert loss.requires_grad, "the loss must stay differentiable"
        (2 * loss).backward()
        slopes = torch.tensor([2 * beta * slope / B for _, slope in said])
        assert close(four[0].grad, slopes, "the gradient of the chosen summary", atol=1e-6)
        assert close(four[1].grad, -slopes, "the gradient of the rejected summary", atol=1e-6)
        for constant in four[2:]:
            assert constant.grad is None or not bool(constant.grad.any()), "the reference is a constant"
        shifted = [kept[0] + 3, kept[1] + 3, kept[2] - 2, kept[3] - 2]
        assert close(student.dpo_loss(*shifted, beta, flip), want, "what both summaries share cancels", atol=1e-4)
        alone = torch.stack([student.dpo_loss(*(each[i : i + 1] for each in kept), beta, flip) for i in range(B)])
        assert close(alone.mean(), want, "the mean over the pairs", atol=1e-5)
        still = student.dpo_loss(kept[2], kept[3], kept[2], kept[3], beta, flip)
        assert close(still, torch.tensor(math.log(2)), "a policy that is still the reference has the loss log 2")


with part("a rater who never errs", 1.5):
    check_dpo(lambda: 0.0)
with part("a rater who errs sometimes", 1):
    check_dpo(lambda: 0.02 + 0.4 * float(torch.rand((), generator=g)))
with part("very large differences", 0.5):
    for flip in (0.0, 0.2, 1e-4):
        for size in (300.0, 1e4):
            four = [torch.tensor([each, 0.0]) for each in (-size, 0.0, 0.0, 0.0)]
            four[0].requires_grad_()
            loss = student.dpo_loss(*four, 1.0, flip)
            far = -math.log(flip) if flip else size
            assert close(loss, torch.tensor((far + math.log(2)) / 2), "very large differences must give a finite loss")
            loss.backward()
            want = torch.tensor([0.0 if flip else -0.5, -0.25 * (1 - 2 * flip)])
            assert close(four[0].grad, want, "very large differences must give the right gradient", atol=1e-6)
            certain = (four[2] + size).requires_grad_()
            right = student.dpo_loss(certain, *four[1:], 1.0, flip)
            assert close(right, torch.tensor(-math.log1p(-flip)), "a judgement that is certain", atol=1e-5)
            right.backward()
            assert close(certain.grad, torch.zeros(2), "a judgement that is certain has the gradient 0", atol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# ### The training
#
# The same rankings as for the reward model, one pass, and again your sampler: each group of K summaries gives K (K − 1) / 2 pairs. The log-probabilities come from your `policy_gradient_loss`, so padding does not count.
#
# **Predict, then run.** DPO only sees the summaries that the *start* wrote, at temperature 1.3. Which policy will get the higher learnt reward, on which DPO was never trained? Which will have the higher ROUGE-2?

# %%
DPO_RATE = run.size(full=1e-5, mini=3e-4, grade=3e-4)
DPO_BETA, DPO_FLIP = 0.1, 0.0


def tokens_of(texts: list[str]) -> torch.Tensor:
    """Texts as token ids `[B, T]`, padded."""
    cut = tokenizer(texts, padding=True, truncation=True, max_length=LONGEST_SUMMARY, return_tensors="pt")
    return cut["input_ids"].to(run.device)


def prefer(ranked: list[Ranked], seed: int) -> tuple[nn.Module, list[float]]:
    """A copy of the summarizer trained with `dpo_loss` on all pairs of the rankings, and its loss at each step."""
    policy = copy.deepcopy(summarizer)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=DPO_RATE, weight_decay=0.0)
    order = ranked_batches(ranked, 1, torch.Generator().manual_seed(seed))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min((k + 1) / 20, 1 - k / len(order)))
    better, worse = torch.triu_indices(PER_DOCUMENT, PER_DOCUMENT, offset=1, device=run.device)
    loop = training.Loop(
        run,
        "dpo",
        steps=len(order),
        modules={"policy": policy, "optimizer": optimizer, "schedule": schedule},
        code=[dpo_loss, policy_gradient_loss, GroupedRandomSampler, DPO_BETA, DPO_FLIP, ranked],
        seed=seed,
    )
    for step in loop:
        documents, summaries = batch_of(ranked, order[step])
        written = tokens_of(summaries)
        own = log_probabilities(logits_for(policy, documents, written), written).reshape(-1, PER_DOCUMENT)
        with torch.no_grad():
            before = log_probabilities(logits_for(summarizer, documents, written), written).reshape(-1, PER_DOCUMENT)
        four = (each[:, places].flatten() for each in (own, before) for places in (better, worse))
        loss = dpo_loss(*four, DPO_BETA, DPO_FLIP)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        loop.record(loss=loss.detach())
    return policy, loop.history["loss"]


# %% tags=["train"]
preferring, dpo_losses = prefer(train_ranked, SEED)

# %% tags=["experiment"]
measured |= {"DPO": measure(preferring), "DPO, greedy": measure(preferring, 0)}
measured[f"β = {BETA}, greedy"] = measure(leashed, 0)
print_table()

# %% [markdown]
# In our three seeds DPO raised the learnt reward, which it never saw, and ROUGE-2, at a KL below 1: more ROUGE-2 for each nat than reinforcement, and less reward. But again the start at temperature 0.5 has as high a ROUGE-2, and with greedy decoding no trained policy is clearly better than the start. Rows without training belong into every such table.
#
# ## 9. Stretch: two experiments (not graded)
#
# **Best of n against training.** The reward model can be used without any training of the policy: draw n summaries, keep the one with the highest learnt reward. Its distance from the start is small, at most $\log n - (n - 1) / n$ nats, but every summary costs n samples. **Predict, then run.** For n = 1, 2, 4, 8 and 16, what do the learnt reward and ROUGE-2 do? Does ROUGE-2 fall again for large n, as it did in the training without a penalty?

# %% tags=["experiment"]
TRIES = run.size(full=(1, 2, 4, 8, 16), mini=(1, 2, 4, 8, 16), grade=(1, 2))
FEW = min(len(held_documents), run.size(full=60, mini=60, grade=2))  # stories
tried = []
for first in range(0, FEW, AT_ONCE):
    stories_now = held_documents[first : min(first + AT_ONCE, FEW)]
    tried += texts_of(sample(summarizer, stories_now, TRIES[-1], chance(6)))
tried_rewards = (rewards_of(reward_net, held_documents[:FEW], tried) - reward_mean) / reward_deviation
by_tries = {n: best_of(n, tried_rewards.reshape(-1, TRIES[-1]), tried) for n in TRIES}
same_stories = {  # the rows of the table, on these stories
    label: (
        float(measured[label]["rewards"][:FEW].mean()),
        mean_rouge2(measured[label]["texts"][: FEW * each], held_references[:FEW]),
    )
    for label, each in ((f"β = {BETA}", PER_DOCUMENT), ("start, greedy", 1))
}
for n, found in by_tries.items():
    print(
        f"best of {n:2d}: learnt reward {found['reward']:.2f}, KL at most {found['kl']:.2f}, ROUGE-2 {found['rouge2']:.3f}"
    )
for label, (reward, rouge) in same_stories.items():
    print(f"{label}: learnt reward {reward:.2f}, ROUGE-2 {rouge:.3f}")
plots.curves(
    {"best of n": (TRIES, [found["rouge2"] for found in by_tries.values()])},
    title="Best of n samples of the start, chosen by the reward model",
    xlabel="n, samples for each summary",
    ylabel="mean ROUGE-2 on held-out stories",
    logx=True,
    levels={label: rouge for label, (_, rouge) in same_stories.items()},
)

# %% [markdown]
# In our two seeds ROUGE-2 rose by 0.07 to 0.08 up to n = 4 and then stayed within 0.015 of that, while the learnt reward rose with every doubling, more and more slowly. From n = 2 on it is above that of the policy trained with β = 0.1. Best of n only chooses among texts that the start writes anyway, so it cannot stray as far as a trained policy. And greedy decoding, for a single text, has a ROUGE-2 of 0.58 on these stories, nearly as much.
#
# **The policy as a reward model.** A policy trained with DPO has an implied reward, which you derived. It can rank summaries as the reward model does. **Predict, then run.** Which of the three ranks the held-out summaries most as the rater does: the reward model, the implied reward of the DPO policy, or simply the log-probability under the start?

# %% tags=["experiment"]
with torch.no_grad():
    held_texts, rows = [text for each in held_ranked for text in each.summaries], PER_DOCUMENT * AT_ONCE
    both = [[], []]
    for first in range(0, len(held_texts), rows):
        written = tokens_of(held_texts[first : first + rows])
        documents = held_documents[first // PER_DOCUMENT : first // PER_DOCUMENT + AT_ONCE]
        for found, model in zip(both, (preferring, summarizer), strict=True):
            found.append(log_probabilities(logits_for(model, documents, written), written).cpu())
    own, before = (torch.cat(found).reshape(-1, PER_DOCUMENT) for found in both)
ranks_as_rater = {
    "reward\nmodel": held_spearman,
    "implied\nreward": float(spearman(own - before)),
    "log π of\nthe start": float(spearman(before)),
}
print(
    "Spearman coefficients: "
    + ", ".join(f"{name} {value:.2f}".replace("\n", " ") for name, value in ranks_as_rater.items())
)
plots.bars(
    ranks_as_rater,
    title="Agreement with the rater",
    ylabel="Spearman coefficient",
)

# %% [markdown]
# In our three seeds the likelihood under the start ranked about as well as the reward model that was trained on 700 rankings (less than 0.1 apart), and the implied reward somewhat worse. A training towards such a reward has little to gain beyond sharpening.
#
# ### What came after
#
# InstructGPT (Ouyang and others 2022) used *PPO* (Schulman and others 2017), which takes several careful steps on each batch of samples, with a learnt baseline. *DPO* (Rafailov and others 2023) needs neither samples nor a reward model. *RLAIF* (Bai and others 2022) lets a language model judge in place of people. *GRPO* (Shao and others 2024) takes several samples of the same question, and their mean as the baseline, as you did. Where an answer can be checked, as in mathematics or programs, the check replaces the reward model: *verifiable rewards* (for instance DeepSeek-AI 2025).

# %% [markdown]
# ## 10. Questions
#
# ### (a) The policy gradient of sequence generation (5 points)
#
# Let $\pi_\theta(y \mid x) = \prod_t \pi_\theta(y_t \mid y_{<t}, x)$ and $J(\theta) = \mathbb E_{y \sim \pi_\theta(\cdot \mid x)}[R(y)]$. (i) Derive $\nabla_\theta J = \mathbb E\big[R(y) \sum_t \nabla_\theta \log \pi_\theta(y_t \mid y_{<t}, x)\big]$; say where the derivative of $R$ would appear and why it does not. (ii) Why can one not simply differentiate through the sampled summary, as through the noise of a variational autoencoder? (iii) All tokens of a summary get the same reward, both good and bad ones. Why is the gradient still right on average, and what is the disadvantage? (iv) Show that a baseline $b$ that does not depend on $y$ leaves the gradient's mean unchanged. About 150 words and the formulas.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_gradient", "locked": false, "points": 5, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# (i) J = Σ_y π(y|x) R(y), a finite sum over all summaries. R(y) is a number for each y; it does not contain θ. So ∇J = Σ_y R(y) ∇π(y|x), and since ∇π = π ∇log π, ∇J = Σ_y π(y|x) R(y) ∇log π(y|x) = E[R(y) ∇log π(y|x)]. The logarithm of the product is a sum: ∇log π(y|x) = Σ_t ∇log π(y_t | y_<t, x). A derivative of R would appear with a factor ∂y/∂θ; but θ changes only the probabilities, not the summaries themselves.
#
# (ii) The noise of a VAE enters z = m + s·ε, which is a smooth function of m and s. A token is one of V: a small change of θ leaves the drawn token unchanged, or makes it jump. The derivative is 0 or does not exist. Besides, the reward may come from a person, and has no derivative.
#
# (iii) On average a token is weighted by the mean reward of all summaries that begin as this one does and continue with this token, compared with those that continue with other tokens; the effect of the other tokens cancels in the mean, but adds noise. The disadvantage is variance: many samples for little signal.
#
# (iv) E[b ∇log π(y|x)] = b Σ_y ∇π(y|x) = b ∇ Σ_y π(y|x) = b ∇1 = 0.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: (i) ∇π = π ∇log π used to write the gradient as an expectation over samples
# * 1 point: (i) the logarithm of the product over tokens is a sum; R does not depend on θ
# * 1 point: (ii) tokens are discrete: no derivative of a draw (or: no reparametrisation with a smooth function)
# * 1 point: (iii) right on average (a token is weighted by the mean reward of the summaries that contain it), but with a large variance
# * 1 point: (iv) E[∇log π] = ∇ Σ π = 0, so the baseline adds 0 on average
# ### END MARK SCHEME

# %% [markdown]
# ### (b) Policy gradient and cross-entropy (5 points)
#
# Fine-tuning minimises the cross-entropy $-\sum_t \log \pi_\theta(y^*_t \mid y^*_{<t}, x)$ for a reference $y^*$. (i) Write `policy_gradient_loss` for one sequence as a cross-entropy; what is the target, and what is the role of the reward? With which targets and rewards are the two losses the same? (ii) What happens if the reward is 0, and what if it is negative? (iii) Name two differences that remain: where do the targets come from, and what do they depend on during training? (iv) What can the policy gradient learn that cross-entropy on the references cannot, and why does one still begin with cross-entropy? About 150 words.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_cross_entropy", "locked": false, "points": 5, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# (i) It is r times the cross-entropy with the generated tokens as targets: −r Σ_t log π(y_t | y_<t, x). The summary that the policy drew replaces the reference, and the reward is the weight of the example. With y = y\* and r = 1 for all examples the two are the same.
#
# (ii) Reward 0: no gradient, the summary is ignored. Negative: the cross-entropy is *raised*, the policy learns to write this less. (With rewards of 0 and 1 the policy trains only on its own good samples.)
#
# (iii) The targets are the policy's own samples, not the references. So they change while the policy changes: the mean is taken over the distribution of the current θ, and old samples come from a wrong distribution. Also, the decoder then reads its own prefixes, as in use, and not those of the references (no teacher forcing).
#
# (iv) It can learn from ratings of its own texts alone, without references; it learns from its own mistakes, and it can optimise whole-text qualities such as ROUGE or human preferences. But with random weights all samples are nonsense with nearly the same reward: there is no signal. Cross-entropy first brings the policy to a state in which its samples differ in quality.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: (i) reward-weighted cross-entropy with the own sample as target
# * 1 point: (i) the same for y = y\* and reward 1
# * 1 point: (ii) 0 is ignored; a negative reward makes the sample less likely
# * 1 point: (iii) targets are drawn from the policy itself, hence change with it (on-policy); own prefixes instead of those of the references
# * 1 point: (iv) learns from ratings of its own texts (or of whole texts, non-differentiable measures), and starts with cross-entropy because from random weights there is no signal
# ### END MARK SCHEME

# %% [markdown]
# ### How was it made? (not graded)
#
# What you used, with whom you worked, and the hours. It does not count for or against you.

# %%
process = {"sources": "", "people": "", "hours": None}

# %% [markdown]
# ## 11. Your log
#
# The next cell draws inputs from your student id. The last cell asks your functions for their answers, adds your measured numbers and writes `submission_log.json`. Submit it together with this notebook.


# %% tags=["answers"]
def personal_answers(student, draws):
    """Per-student inputs: item id -> a function that asks the student's code for its answer."""

    def ask_ranking_loss():
        d = draws("ranking_loss")
        rewards = d.normal(4, 4).requires_grad_()
        loss = student.ranking_loss(rewards)
        loss.backward()
        return {"loss": loss, "gradient": rewards.grad}

    def ask_sampler():
        d = draws("GroupedRandomSampler")
        size, groups = d.integers(2, 6, 1).tolist()[0], d.integers(3, 8, 1).tolist()[0]
        sampler = student.GroupedRandomSampler(list(range(size * groups)), size)
        indices = student.one_pass(sampler)
        blocks = sorted(indices[i : i + size] for i in range(0, size * groups, size))  # in any order
        return {"length": student.length_of(sampler), "groups": blocks}

    def ask_spearman():
        d = draws("spearman")
        return {
            "different": student.spearman(d.normal(5, 4)),
            "with equal ones": student.spearman(d.integers(0, 3, 6, 4).float()),
        }

    def ask_policy_gradient_loss():
        d = draws("policy_gradient_loss")
        logits = d.normal(3, 4, 5).requires_grad_()
        generated = d.integers(1, 5, 3, 4)
        generated[0, 2:] = 0
        generated[1, 3:] = -100
        loss = student.policy_gradient_loss(logits, generated, d.normal(3), 0)
        loss.backward()
        return {"loss": loss, "gradient": logits.grad}

    def ask_shaped_rewards():
        d = draws("shaped_rewards")
        return student.shaped_rewards(d.normal(5), -d.uniform(1.0, 9.0, 5), -d.uniform(1.0, 9.0, 5), 0.3)

    def ask_dpo_loss():
        d = draws("dpo_loss")
        policy, before = [-d.uniform(1.0, 9.0, 5) for _ in "cr"], [-d.uniform(1.0, 9.0, 5) for _ in "cr"]
        policy[0].requires_grad_()
        loss = student.dpo_loss(*policy, *before, 0.4)
        loss.backward()
        return {"loss": loss, "gradient": policy[0].grad, "flip": student.dpo_loss(*before, *before, 0.4, flip=0.2)}

    return {
        "ranking_loss": ask_ranking_loss,
        "GroupedRandomSampler": ask_sampler,
        "spearman": ask_spearman,
        "policy_gradient_loss": ask_policy_gradient_loss,
        "shaped_rewards": ask_shaped_rewards,
        "dpo_loss": ask_dpo_loss,
    }


# %% tags=["log"]
log = SubmissionLog(run)
log.bands(  # the expected range of each number, from our own runs
    {
        "rlhf/spearman": {"mini": (0.25, 0.8)},
        "rlhf/start_reward": {"mini": (-0.4, 0.4)},
        "rlhf/start_rouge2": {"mini": (0.4, 0.65)},
        "rlhf/penalty_reward": {"mini": (0.1, 1)},
        "rlhf/penalty_rouge2": {"mini": (0.42, 0.7)},
        "rlhf/free_reward": {"mini": (0.15, 2)},
        "rlhf/free_rouge2": {"mini": (0, 0.6)},
        "rlhf/dpo_reward": {"mini": (0.05, 1)},
        "rlhf/dpo_rouge2": {"mini": (0.42, 0.7)},
    }
)
log.answers(personal_answers)
with log.measurements():
    sizes = {"ranked": len(train_documents), "held_out": len(held_documents), "steps": RL_STEPS}
    log.metric("rlhf/spearman", value=held_spearman, evidence={**sizes, "best_beats_worst": best_beats_worst})
    for label, key in (("start", "start"), ("penalty", f"β = {BETA}"), ("free", "β = 0"), ("dpo", "DPO")):
        found = {name: measured[key][name] for name in ("reward", "error", "kl", "rouge2")}
        log.metric(f"rlhf/{label}_reward", value=found["reward"], stderr=found["error"], evidence=found)
        log.metric(f"rlhf/{label}_rouge2", value=found["rouge2"], evidence={"texts": measured[key]["texts"][:2]})
log.process(**process)
log_file = log.write()

# %% [markdown]
# ## References
#
# * N. Stiennon and others: *Learning to summarize from human feedback*. NeurIPS 2020. arXiv:2009.01325.
# * L. Ouyang and others: *Training language models to follow instructions with human feedback*. NeurIPS 2022. arXiv:2203.02155.
# * R. Rafailov and others: *Direct Preference Optimization: Your Language Model is Secretly a Reward Model*. NeurIPS 2023. arXiv:2305.18290.
# * R. J. Williams: *Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning*. Machine Learning 8, 1992.
# * L. Gao, J. Schulman, J. Hilton: *Scaling Laws for Reward Model Overoptimization*. ICML 2023. arXiv:2210.10760.
