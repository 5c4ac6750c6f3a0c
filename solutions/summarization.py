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
# # Summarization: decode with a cache, and fine-tune instead of starting from nothing
#
# A Transformer writes a summary word by word, and each new word looks back at all words before it. You write a decoder with a cache, two ways to choose the words, the loss and the score of a summary, and a training step. Your own network learns to summarize (section 5); you measure what the cache saves (section 6) and train a T5 twice, from random and from pre-trained weights (section 7).
#
# **What you need**: attention and the Transformer (section 3 repeats what is used), and PyTorch.
#
# | | profile `full` | profile `mini` |
# |---|---|---|
# | data | XSum, 20,000 news stories of the BBC | 4,000 stories made by a grammar |
# | network | T5-small, 60 million parameters | a tiny T5, 0.6 million parameters, pre-trained on 20,000 further stories |
# | training | three times 3 epochs, batches of 32 | three times 300 steps, batches of 16 |
# | hardware | a GPU, for instance on Colab | any laptop, no network |
# | time to run | one to two hours (an estimate for a T4) | one to two minutes |
#
# Plan five hours. The profile is chosen for you (`full` where there is a GPU, else `mini`); the environment variable `HOMEWORK_PROFILE` overrides it. Graded code is checked on tiny inputs, so you can do everything in `mini` first. All numbers in the text are those of `mini`.
#
# **Your student id** goes into your log: the last cell asks for it. To answer in advance, run `%env HOMEWORK_STUDENT=your_id` in a cell of its own.
#
# | graded | points |
# |---|---|
# | `compute_rouge` | 1.5 |
# | `shift_right` | 0.5 |
# | `sequence_loss` | 1.5 |
# | `TransformerLayer` | 4.5 |
# | `TransformerStack` | 2.5 |
# | `greedy_decode` | 2 |
# | `beam_search` | 3.5 |
# | `train_step` | 4 |
# | written answers (a) to (d), and the picture | 16 |
#
# **One rule for all tasks.** Your functions leave their arguments as they are: no `x += ...`, `x[...] = ...` or `rows.pop()` on what you were given. The tests check this. Only what a docstring calls *changed in place* may change, for instance a model that you train.

# %% tags=["install"]
from importlib.util import find_spec

if find_spec("homework") is None:  # on Colab: installs what is missing and keeps the installed torch
    get_ipython().run_line_magic("pip", "install -q STUDENT_PACKAGE")  # noqa: F821
# On Colab, so that training continues after a disconnect: `from homework.colab import use_drive; use_drive()`

# %%
import contextlib
import math
import random
import textwrap
import time
from collections import Counter
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from matplotlib.patches import Patch, Rectangle
from rouge_score.tokenizers import DefaultTokenizer
from torch import nn

import homework
from homework import reference, student
from homework.arguments import modules_may_change, watched
from homework.checks import close, fresh, has_shape, part
from homework.data.stories import stories
from homework.hand_in.log import SubmissionLog
from homework.models.cache_names import accept_both_cache_names
from homework.models.pretrained import from_pretrained
from homework.models.summarizer import saved_summarizer_folder
from homework.models.tiny_t5 import t5_name
from homework.show import plots
from homework.show.notebook_figure import COLOURS, finish, new_figure
from homework.train import training
from homework.train.batches import batches_by_length

run = homework.start("summarization")
if run.profile != "full":
    torch.set_num_threads(1)  # for networks as small as those of `mini` more threads bring no speed

# %% [markdown]
# **Letters.** `B` is the number of texts in a batch, `S` the length of the documents in tokens, `T` the length of the summaries, `P` the number of tokens that are in the cache already, `V` the size of the vocabulary, `D` the width of the network, `H` the number of heads. Texts of a batch differ in length: shorter ones are padded at the end with the *pad token*. **Masks of this notebook are 1 (true) where padded.**
#
# ## 1. The task, and how it is scored
#
# The summary says in one sentence what happened. In `mini` a grammar generates the stories: one of the first four sentences tells the main event, in other words than the summary's; the others are details, older events, and quotations.


# %%
def show(label: str, text: str) -> None:
    """Prints a label and a text, broken into lines; long texts are cut."""
    print(textwrap.fill(f"{label:14s}{text[:500]}", width=110, subsequent_indent=" " * 14))


# %% tags=["train"]
data = stories(run)
print(data)
for number in range(2):
    print()
    show("story:", data.train.documents[number])
    show("summary:", data.train.summaries[number])

# %% [markdown]
# ### `compute_rouge` (1.5 points)
#
# ROUGE (Lin 2004) compares a summary with a *reference*, which a person wrote, by counting what they have in common. First both become lists of words: lower case, without punctuation, long words cut down to their stems, so that *closed* and *closes* agree. `words(text)` below does that. Then
#
# * **ROUGE-1** counts common words: each word as often as it occurs in *both* (the smaller one of its two counts);
# * **ROUGE-2** counts common pairs of neighbouring words in the same way;
# * **ROUGE-L** takes the length of the longest common subsequence: words that occur in both in the same order, gaps allowed.
#
# Let $m$ be that number. *Precision* is $m$ divided by the number of words (pairs, words) in the prediction, *recall* $m$ divided by that of the reference, and the score is their harmonic mean
#
# $$F_1 = \frac{2 \cdot \text{precision} \cdot \text{recall}}{\text{precision} + \text{recall}}, \qquad\text{and 0 if } m = 0 .$$
#
# The score of a set is the **mean over its pairs**. (ROUGE-Lsum, which splits texts into lines first, is another score.)
#
# One trap: the output of a model ends with `</s>` and is padded with `<pad>`, and `words` would read *s* and *pad*. Remove the texts in `SPECIAL` from predictions and references first.
#
# *Worked numbers.* Reference *a storm closes two schools*, prediction *two schools were closed by a storm*. Common words: 5 (all of the reference; *closes* and *closed* have the same stem), so precision 5/7, recall 5/5, ROUGE-1 = **0.8333**. Common pairs: *two school* and *a storm*, so precision 2/6, recall 2/4, ROUGE-2 = **0.4**. The longest common subsequence has 2 words (*a storm*, or *two school*), so ROUGE-L = 2 · (2/7) · (2/5) / (2/7 + 2/5) = **0.3333**: the words are right, their order is not.
#
# You may also use the package `rouge_score`, or `homework.models.rouge_metric.Rouge`.
#
# <details><summary>Hint 1: idea</summary>
#
# A `Counter` counts words or pairs. How does the longest common subsequence change when one list grows by a word?
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# Let $c_{i,j}$ be its length for the first $i$ and $j$ words of $a$ and $b$: $c_{i-1,j-1} + 1$ if $a_i = b_j$, else the larger one of $c_{i-1,j}$ and $c_{i,j-1}$.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `(Counter(a) & Counter(b)).total()` is $m$; `zip(a, a[1:])` gives pairs. Fill the table row by row.
#
# </details>

# %%
SPECIAL = ("<pad>", "</s>", "<unk>")
_split_and_stem = DefaultTokenizer(use_stemmer=True)


def words(text: str) -> list[str]:
    """The words of a text, as ROUGE counts them: lower case, letters and digits only, stemmed if longer than 3 letters."""
    return _split_and_stem.tokenize(text)


# %% nbgrader={"grade": false, "grade_id": "compute_rouge", "locked": false, "schema_version": 3, "solution": true, "task": false}
def compute_rouge(predictions, references):
    """ROUGE-1, ROUGE-2 and ROUGE-L: F1 in 0 ... 1 of stemmed words, mean over the pairs. Lin 2004.

    Args:
        predictions: N texts; those in SPECIAL do not count, at any position.
        references: N texts; `references[i]` belongs to `predictions[i]`. N is at least 1.

    Returns:
        A dict with the numbers `rouge1`, `rouge2` and `rougeL`. Example: ["two schools were closed by a storm"] and
        ["a storm closes two schools"] give 0.8333, 0.4 and 0.3333.
    """
    ### BEGIN SOLUTION

    def f1(common, predicted, wanted):
        return 2 * common / (predicted + wanted) if common else 0.0

    def common_grams(a, b, n):
        grams = [Counter(zip(*(text[i:] for i in range(n)), strict=False)) for text in (a, b)]
        return f1((grams[0] & grams[1]).total(), grams[0].total(), grams[1].total())

    def common_subsequence(a, b):
        row = [0] * (len(b) + 1)
        for word in a:
            above = row
            row = [0]
            for j, other in enumerate(b, start=1):
                row.append(above[j - 1] + 1 if word == other else max(above[j], row[-1]))
        return row[-1]

    def plain(text):
        for special in SPECIAL:
            text = text.replace(special, " ")
        return words(text)

    total = Counter()
    for prediction, wanted in zip(predictions, references, strict=True):
        a, b = plain(prediction), plain(wanted)
        total["rouge1"] += common_grams(a, b, 1)
        total["rouge2"] += common_grams(a, b, 2)
        total["rougeL"] += f1(common_subsequence(a, b), len(a), len(b))
    return {kind: total[kind] / len(predictions) for kind in ("rouge1", "rouge2", "rougeL")}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_compute_rouge", "locked": true, "points": 1.5, "schema_version": 3, "solution": false, "task": false}
storm, schools = "a storm closes two schools", "two schools were closed by a storm"
got = student.compute_rouge([schools], [storm])
assert isinstance(got, dict) and {"rouge1", "rouge2", "rougeL"} <= set(got), (
    "return a dict with the keys rouge1, rouge2 and rougeL"
)
got = {kind: float(got[kind]) for kind in ("rouge1", "rouge2", "rougeL")}
assert got["rouge1"] < 1.01, "scores lie between 0 and 1; do not multiply them by 100"
assert abs(got["rouge1"] - 5 / 7) > 1e-4, "rouge1 is the precision only: take F1, with the recall"
assert abs(got["rouge1"] - 1) > 1e-4, "rouge1 is the recall only: take F1, with the precision"
assert abs(got["rouge1"] - 4 / 6) > 1e-4, (
    "closed and closes must agree: use words(text), which stems, or use_stemmer=True"
)
assert close(got["rouge1"], 5 / 6, "the worked number of ROUGE-1: 5 common words", rtol=1e-3)
assert close(got["rouge2"], 0.4, "the worked number of ROUGE-2: 2 common pairs", rtol=1e-3)
assert abs(got["rougeL"] - 5 / 6) > 1e-4, "ROUGE-L must depend on the order of the words"
assert close(got["rougeL"], 1 / 3, "the worked number of ROUGE-L: 2 words in the same order", rtol=1e-3)
two = student.compute_rouge([schools, "nothing of the kind"], [storm, storm])
assert close(
    float(two["rouge1"]), 5 / 12, "the mean over the pairs: a pair without common words counts as 0", rtol=1e-3
)
repeated = float(student.compute_rouge(["the storm and the schools"], ["the storm closes schools"])["rouge1"])
assert close(
    repeated, 2 / 3, "a word counts as often as it occurs in both: the smaller one of its two counts", rtol=1e-3
)
gaps = float(student.compute_rouge(["two big schools"], ["two small old schools"])["rougeL"])
assert close(gaps, 4 / 7, "ROUGE-L: two ... schools is a common subsequence; gaps are allowed", rtol=1e-3)
with part("special tokens", 0.25):
    filled = student.compute_rouge([f"<pad>{schools}</s><pad><pad>"], [storm])
    assert close(
        float(filled["rouge1"]), 5 / 6, "remove <pad> and </s> from the texts: ROUGE reads them as words", rtol=1e-3
    )
with part("lines", 0.25):
    lines = student.compute_rouge(["two schools\na storm"], ["a storm\ntwo schools"])
    assert close(float(lines["rougeL"]), 0.5, "rougeL, not rougeLsum: lines do not matter", rtol=1e-3)
print("compute_rouge: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(50)
WORDS = (
    "a the Storm storms closed closes closing schools school two in Arden arden's don't 3-1 37% said mayor's".split()
)


def random_text(longest):
    """Words of the list, some of them repeated."""
    length = int(torch.randint(2, longest + 1, (), generator=g))
    return " ".join(WORDS[int(i)] for i in torch.randint(0, len(WORDS), (length,), generator=g))


def agree(got, want, hint):
    """Are these scores the same to three digits?"""
    return close(got, want, hint, atol=1e-3)


def three(found):
    """The three numbers."""
    return [float(found[kind]) for kind in ("rouge1", "rouge2", "rougeL")]


def alone(*pair):
    """The scores of one pair."""
    return three(student.compute_rouge([pair[0]], [pair[1]]))


with part("scores", 0.75):
    for longest in (2, 3, 6, 14, 30):
        pairs = [(random_text(longest), random_text(longest)) for _ in range(9)]
        predictions, references = map(list, zip(*pairs, strict=True))
        want = three(reference.compute_rouge(predictions, references))
        scores = three(student.compute_rouge(predictions, references))
        assert agree(scores, want, "F1 of common words, of common pairs and of the longest common subsequence")
        singly = torch.tensor([alone(*pair) for pair in pairs]).mean(dim=0)
        assert agree(torch.tensor(scores), singly, "the score of a set is the mean over its pairs")
        swapped = three(student.compute_rouge(references, predictions))
        assert agree(swapped, scores, "F1 does not change when prediction and reference are swapped")
    some = random_text(9) + " arden storm"
    assert agree(alone(some, some), [1.0, 1.0, 1.0], "a text has the score 1 with itself")
    assert agree(alone("storm storm storm", "storm a"), [0.4, 0.0, 0.4], "a word counts as often as it occurs in both")
    assert agree(alone("b c. a b", "a b. b c")[2], 0.5, "rougeL uses the whole text, not single sentences")
with part("special tokens anywhere", 0.25):
    for longest in (2, 6, 14):
        texts = [[random_text(longest) for _ in range(5)] for _ in range(2)]
        predictions, references = texts
        scores = three(student.compute_rouge(predictions, references))
        dressed = [f"<pad>{text} </s><pad>" if i % 2 else f"<unk> {text}</s>" for i, text in enumerate(predictions)]
        assert agree(three(student.compute_rouge(dressed, references)), scores, "special tokens are not words")
        dressed = [f"<unk> {text}</s><pad><pad>" for text in references]
        assert agree(three(student.compute_rouge(predictions, dressed)), scores, "special tokens in a reference")
    assert agree(
        alone("a storm <unk> closes schools", "a storm closes </s>schools"),
        [1.0, 1.0, 1.0],
        ("special tokens do not count at any position, not even in the middle of a text"),
    )
with part("texts without words or without pairs of words", 0.5):
    assert agree(alone("", "storm"), [0.0, 0.0, 0.0], "an empty prediction has the score 0")
    assert agree(alone("</s>", "storm"), [0.0, 0.0, 0.0], "a prediction of special tokens only has the score 0")
    assert agree(alone("storm", "storm"), [1.0, 0.0, 1.0], "a single word has no pairs: ROUGE-2 is 0")
    short = three(student.compute_rouge(["storm", "a storm", "the"], ["storm", "a storm", "a"]))
    assert agree(short, [2 / 3, 1 / 3, 2 / 3], "the mean goes over all pairs, also over those without a pair of words")
### END HIDDEN TESTS

# %% [markdown]
# How good is a *baseline* without any model? In newspapers the first sentence (the *lead*) is a strong summary. Not in the stories of `mini`: in three of four another sentence tells the main event.
#
# **Predict, then run.** Which of the three scores will be lowest?

# %% tags=["experiment"]
TESTED = run.size(full=1000, mini=200, grade=4)
test_documents, test_summaries = list(data.test.documents[:TESTED]), list(data.test.summaries[:TESTED])
lead = [document.split(". ")[0].rstrip(".") + "." for document in test_documents]
lead_scores = compute_rouge(lead, test_summaries)
print("the first sentence as the summary: " + ", ".join(f"{k} {100 * v:.1f}" for k, v in lead_scores.items()))

# %% [markdown]
# (Reported scores are usually multiplied by 100.)
#
# ROUGE-2 is lowest: single words agree easily, pairs do not. None of the three scores understands the text: *Arden beat Belmont* and *Belmont beat Arden* have a ROUGE-1 of 1.
#
# ## 2. Teacher forcing
#
# The decoder models the probability of a summary $y_1 \ldots y_T$ given the document $x$ as a product, one factor for each token:
#
# $$P(y \mid x) = \prod_{t=1}^{T} P(y_t \mid y_1, \ldots, y_{t-1}, x) .$$
#
# In training the right summary is known, so all factors are computed in one pass: the decoder gets the right tokens as input, and at each position it must predict the *next* one. A mask prevents each position from attending to later ones.
#
# ### `shift_right` (0.5 points)
#
# At position $t$ the input must be token $t - 1$, because the label at position $t$ is token $t$. So the input is the label sequence moved to the right by one: first the *start token*, then all labels but the last. Padded positions of `labels` hold −100, which the loss ignores; as an input −100 is not a token, so put `pad_id` there.
#
# *Worked example.* `labels` = [[7, 8, 1], [9, 1, −100]], `start_id` = 5, `pad_id` = 0 → [[5, 7, 8], [5, 9, 1]]. And [[9, 1, −100, −100]] → [[5, 9, 1, 0]].


# %% nbgrader={"grade": false, "grade_id": "shift_right", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shift_right(labels, start_id, pad_id):
    """The decoder's input for teacher forcing: the start token, then all labels but the last.

    Args:
        labels: LongTensor `[B, T]`, −100 where padded; not changed.
        start_id: the token with which each summary starts.
        pad_id: the input token where labels are −100.

    Returns:
        LongTensor `[B, T]`. Example: [[9, 1, -100, -100]] with start 5 and pad 0 gives [[5, 9, 1, 0]].
    """
    ### BEGIN SOLUTION
    shifted = torch.full_like(labels, start_id)  # [B, T]
    shifted[:, 1:] = labels[:, :-1]
    return shifted.masked_fill(shifted == -100, pad_id)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_shift_right", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
labels = torch.tensor([[7, 8, 1], [9, 1, -100]])
got = student.shift_right(labels, 5, 0)
assert has_shape(got, (2, 3), "the result is a tensor [B, T], as long as labels")
assert not torch.equal(got, torch.tensor([[7, 8, 1], [9, 1, 0]])), "nothing was shifted: the input would be the label"
assert not torch.equal(got[:, 0], torch.tensor([8, 1])), "this shifts to the left; the start token must come first"
assert torch.equal(got[:, 0], torch.tensor([5, 5])), "each row begins with start_id"
assert torch.equal(got, torch.tensor([[5, 7, 8], [5, 9, 1]])), "then come all labels but the last one of the row"
padded_row = student.shift_right(torch.tensor([[9, 1, -100, -100]]), 5, 0)
assert torch.equal(padded_row, torch.tensor([[5, 9, 1, 0]])), "-100 is not a token: put pad_id there"
with part("a LongTensor", 0.25):
    assert got.dtype == torch.int64, "token ids are whole numbers: a LongTensor"
print("shift_right: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(51)
with part("shifted by one", 0.75):
    for B, T in [(3, 6), (1, 9), (4, 1), (5, 4), (2, 12)]:
        start, pad = torch.randperm(40, generator=g)[:2].tolist()
        labels = torch.randint(0, 40, (B, T), generator=g)
        lengths = torch.randint(1, T + 1, (B,), generator=g)
        labels[torch.arange(T) >= lengths[:, None]] = -100
        kept = labels.clone()
        got = student.shift_right(labels, start, pad)
        assert has_shape(got, (B, T), "a LongTensor [B, T]")
        assert bool((got[:, 0] == start).all()), "each row begins with start_id"
        assert bool((got >= 0).all()), "-100 is not a token: put pad_id there"
        assert torch.equal(got[:, 1:], kept[:, :-1].where(kept[:, :-1] != -100, pad)), (
            "all labels but the last, one position to the right, pad_id where they are -100 and nowhere else"
        )
### END HIDDEN TESTS

# %% [markdown]
# ### `sequence_loss` (1.5 points)
#
# The loss is the mean over all tokens of the batch of $-\log P(y_t \mid y_1 \ldots y_{t-1}, x)$. **Padded positions do not count**, neither in the sum nor in the number by which it is divided. It is one mean over the batch's tokens, not a mean over texts of means over tokens.
#
# *Worked numbers.* V = 2, `logits` = [[[0, 0], [log 3, 0]]]. With `labels` = [[0, 0]]: the probabilities of the right tokens are ½ and ¾, the loss is (0.693147 + 0.287682) / 2 = **0.490415**. With `labels` = [[0, −100]] only the first position counts: **0.693147**.


# %% nbgrader={"grade": false, "grade_id": "sequence_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sequence_loss(logits, labels):
    """The mean of -log P(y_t) over all positions that are not padded.

    Args:
        logits: `[B, T, V]`; those at position t belong to the label at position t.
        labels: LongTensor `[B, T]`, −100 where padded; at least one position is not.

    Returns:
        A scalar tensor in nats, differentiable. Example: [[[0, 0], [log 3, 0]]] and [[0, 0]] give 0.490415.
    """
    ### BEGIN SOLUTION
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_sequence_loss", "locked": true, "points": 1.5, "schema_version": 3, "solution": false, "task": false}
logits = torch.tensor([[[0.0, 0.0], [math.log(3.0), 0.0]]])
loss = student.sequence_loss(logits, torch.tensor([[0, 0]]))
assert has_shape(loss, (), "return a scalar tensor")
assert math.isfinite(float(loss)), (
    "the loss is NaN or infinite: is label 0 left out? It is an ordinary token, only -100 is padding"
)
assert abs(float(loss) - 0.980829) > 1e-4, "the mean over the tokens, not the sum"
assert abs(float(loss) - 0.693147) > 1e-4, "logits[:, t] already belongs to labels[:, t]: do not shift again"
assert close(
    loss, torch.tensor(0.490415), "the worked number: -log of the softmax at the label, mean over the positions"
)
loss = student.sequence_loss(logits, torch.tensor([[0, -100]]))
assert abs(float(loss) - 0.346574) > 1e-4, "divide by the number of positions that count, not by all"
assert close(loss, torch.tensor(0.693147), "padded positions (label -100) do not count")
logits = torch.zeros(2, 3, 2)
logits[0] = torch.tensor([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
loss = student.sequence_loss(logits, torch.tensor([[0, 0, 0], [1, -100, -100]]))
assert abs(float(loss) - 0.410038) > 1e-4, "one mean over all tokens of the batch, not a mean of the texts' means"
assert close(loss, torch.tensor(0.268483), "four tokens count here, all with the same weight")
with part("gradients of the worked numbers", 0.5):
    logits.requires_grad_()
    student.sequence_loss(logits, torch.tensor([[0, 0, 0], [1, -100, -100]])).backward()
    assert logits.grad is not None and bool(logits.grad[0].abs().sum() > 0), "a gradient must reach the logits"
    assert not bool(logits.grad[1, 1:].any()), "no gradient may come from padded positions"
print("sequence_loss: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(52)
with part("value and gradient", 1):
    for B, T, V in [(3, 5, 7), (1, 1, 4), (4, 8, 11), (2, 6, 3)]:
        logits = 2 * torch.randn(B, T, V, generator=g)
        labels = torch.randint(0, V, (B, T), generator=g)
        lengths = torch.randint(1, T + 1, (B,), generator=g)
        labels[torch.arange(T) >= lengths[:, None]] = -100
        kept = logits.clone()
        logits.requires_grad_()
        loss = student.sequence_loss(logits, labels)
        assert has_shape(loss, (), "a scalar")
        counted = labels != -100
        log_p = kept.log_softmax(-1).gather(2, labels.clamp(min=0)[..., None])[..., 0]
        assert close(loss, -log_p[counted].mean(), "the mean of -log P over all positions that are not padded")
        assert loss.requires_grad, "the loss must stay differentiable"
        (3 * loss).backward()
        want = 3 * (kept.softmax(-1) - F.one_hot(labels.clamp(min=0), V)) * counted[..., None] / counted.sum()
        assert close(logits.grad, want, "the gradient: softmax minus one-hot over the number of positions", atol=1e-5)
        noisy = torch.where(counted[..., None], kept, kept + 50 * torch.randn(B, T, V, generator=g))
        assert close(student.sequence_loss(noisy, labels), loss, "logits at padded positions must not matter")
        wider = torch.cat([kept, torch.randn(B, 3, V, generator=g)], dim=1)
        more = torch.cat([labels, torch.full((B, 3), -100)], dim=1)
        assert close(student.sequence_loss(wider, more), loss, "more padding must not change the loss")
with part("very large logits", 0.5):
    huge = torch.tensor([[[1e4, -1e4], [-1e4, 1e4]]])
    assert close(
        student.sequence_loss(huge, torch.tensor([[0, 0]])), torch.tensor(1e4), "logits of 10,000: a finite loss"
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 3. A decoder with a cache
#
# To write, the trained decoder predicts the first token, gets it as input, predicts the second, and so on. Which part of each prediction was already computed one step ago?
#
# **A toy.** Let position $t$ compute a mean of the values of all positions up to $t$, weighted by $e^{k_i}$: $a_t = \sum_{i \le t} e^{k_i} v_i \big/ \sum_{i \le t} e^{k_i}$, which is attention with a query that is always 1. Keys $k_i$ and values $v_i$ come from the token at position $i$ and do not depend on what follows. So when the next token comes, only *one* new pair and one new mean must be computed:

# %%
TOY_PLACES = 6


def toy_attention(tokens, cache=None):
    """The weighted means of new tokens (numbers), the cache with their keys and values, and the pairs computed."""
    keys, values = torch.sin(tokens), tokens**2  # in a network these would be projections
    past = 0
    if cache is not None:
        past = len(cache[0])
        keys, values = torch.cat([cache[0], keys]), torch.cat([cache[1], values])
    weights = keys.exp()
    means = (weights * values).cumsum(0) / weights.cumsum(0)
    return means[past:], (keys, values), len(tokens)


toy_tokens = torch.tensor([3.0, 1.0, 4.0, 1.0, 5.0, 9.0])
toy_rows, toy_cache, toy_work = [], None, [0, 0]
for place in range(TOY_PLACES):
    again, _, pairs_again = toy_attention(toy_tokens[: place + 1])
    new, toy_cache, pairs_new = toy_attention(toy_tokens[place : place + 1], toy_cache)
    toy_work = [toy_work[0] + pairs_again, toy_work[1] + pairs_new]
    toy_rows.append((float(again[-1]), float(new[-1]), *toy_work))
    print(
        f"position {place}: everything again {again[-1]:.4f}, with the cache {new[-1]:.4f};"
        f" pairs computed so far {toy_work[0]:2d} and {toy_work[1]}"
    )

# %% [markdown]
# After `T` tokens the naive way has computed T(T + 1)/2 keys, the cache T.
#
# This is right only because keys and values of a position depend on the positions *up to it*. In an encoder, where each position sees all others, a new token would change everything.
#
# ### The layer of a Transformer
#
# The layer is that of the original paper (Vaswani and others 2017), with the normalisation after each sum:
#
# $$\begin{aligned} x &\leftarrow \text{LN}\big(x + \text{SelfAttention}(x)\big) \\ x &\leftarrow \text{LN}\big(x + \text{CrossAttention}(x, \text{encoder\_out})\big) \quad\text{(in the decoder only)} \\ x &\leftarrow \text{LN}\big(x + \text{FeedForward}(x)\big) \end{aligned}$$
#
# The picture shows which keys and values a call must compute, and which ones a query may use:


# %%
def draw_mask() -> Any:
    """Which positions attend to which: one pass over six tokens, and the last call with a cache of five."""
    figure, axes = new_figure(8.4, 3.6, grid=False)
    kinds = {"computed in this call": COLOURS[0], "from the cache": COLOURS[1], "blocked": "white"}
    for left, rows, computed_from in ((0, range(6), 0), (9, [5], 5)):
        for query in rows:
            for key in range(6):
                kind = (
                    "blocked" if key > query else "computed in this call" if key >= computed_from else "from the cache"
                )
                axes.add_patch(Rectangle((left + key, query), 0.9, 0.9, facecolor=kinds[kind], edgecolor="0.5"))
    axes.legend(handles=[Patch(facecolor=c, edgecolor="0.5", label=k) for k, c in kinds.items()], loc=(0.6, 0.3))
    for left, text in ((0, "one pass over six tokens"), (9, "the call for token 5 alone")):
        axes.text(left, 6.0 - 6.1 * (left == 0) - 1.2 * (left > 0), text, va="bottom")
    axes.set(xlim=(-0.2, 15.2), ylim=(6.1, -0.7), yticks=[i + 0.45 for i in range(6)], yticklabels=range(6))
    axes.set_xticks([*(i + 0.45 for i in range(6)), *(i + 9.45 for i in range(6))], [*range(6), *range(6)])
    title = "Which keys and values a query uses, and where they come from"
    return finish(figure, axes, title, "position of the key", "position of the query")


draw_mask()

# %% [markdown]
# Attention is given. It has two parts: `keys_values` computes keys and values; calling the module computes queries and the weighted mean of the values. `blocked` is true where a query must not attend to a key.


# %%
class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention with `heads` heads of width D / heads."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def keys_values(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of the positions x `[B, S, D]`: two tensors `[B, H, S, D/H]`."""
        return self._split(self.key(x)), self._split(self.value(x))

    def forward(self, x: torch.Tensor, k: torch.Tensor, v: torch.Tensor, blocked: torch.Tensor) -> torch.Tensor:
        """Attention of the positions x `[B, T, D]` to keys k and values v `[B, H, S, D/H]`: `[B, T, D]`.

        blocked: bool, `[B, T, S]` or what broadcasts to it, e.g. `[B, 1, S]`; true where x[:, t] must not attend to s.
        """
        q = self._split(self.query(x))  # [B, H, T, D/H]
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])  # [B, H, T, S]
        scores = scores.masked_fill(blocked[:, None], torch.finfo(scores.dtype).min)
        mixed = scores.softmax(dim=3) @ v  # [B, H, T, D/H]
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)  # [B, S, D] -> [B, H, S, D/H]


# %% [markdown]
# ### `TransformerLayer` (4.5 points)
#
# Write `forward`. The same code is used in four cases:
#
# | | `is_decoder` | `past_kv` | `x` holds | may attend to |
# |---|---|---|---|---|
# | encoder | no | none | the whole document, `[B, S, D]` | all positions that are not padded |
# | decoder in training | yes | none | the whole summary, `[B, T, D]` | itself and earlier positions, not padded; and the document |
# | decoding, first call | yes | none | the first token or tokens | the same |
# | decoding, later calls | yes | of the call before | **only the new tokens**, `[B, T, D]`, often T = 1 | itself, new ones before it, all that is in the cache, not padded; and the document |
#
# * `padding_mask` `[B, P + T]` covers **all** positions, the P cached ones first, then the T new ones (without a cache P = 0).
# * `past_kv` is what your own layer returned before; no other code uses its contents. Make it a tuple of tensors whose first dimension is B, nested if you like (beam search will select rows of it). Store in it what later calls need and what no longer changes.
# * Return the pair (new states of `x` `[B, T, D]`, the cache), with None for the cache unless `use_cache` is true. Do not change `past_kv` in place: the caller may use it twice.
#
# *Worked count.* A summary of 4 tokens is decoded token by token after a document of 10. Without a cache, 1 + 2 + 3 + 4 = 10 of its positions are projected to keys and values, and 4 · 10 of the document; with the cache 4 and 10. The tests count them.
#
# <details><summary>Hint 1: idea</summary>
#
# Of an old position later calls need key and value. The document never changes, so its keys and values can be kept, too.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# New position number $i$ is position $P + i$ of the summary: in the decoder, positions $j > P + i$ are blocked, and padded ones.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `keys_values(x)`, then `torch.cat` with the cached ones, old ones first. `torch.ones(T, P + T).triu(P + 1)` marks later positions. Each of the three parts ends in `x = norm(x + part)`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "TransformerLayer", "locked": false, "schema_version": 3, "solution": true, "task": false}
class TransformerLayer(nn.Module):
    """One layer of an encoder or a decoder, with the normalisation after each sum. Vaswani et al. 2017, section 3.1."""

    def __init__(self, dim, heads, hidden, is_decoder):
        super().__init__()
        self.is_decoder = is_decoder
        self.self_attention = MultiHeadAttention(dim, heads)
        self.norm_self = nn.LayerNorm(dim)
        if is_decoder:
            self.cross_attention = MultiHeadAttention(dim, heads)
            self.norm_cross = nn.LayerNorm(dim)
        self.feed_forward = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, dim))
        self.norm_feed_forward = nn.LayerNorm(dim)

    def forward(self, x, padding_mask, encoder_out=None, encoder_padding_mask=None, use_cache=None, past_kv=None):
        """The states of the new positions after this layer.

        Args:
            x: states of the new positions, `[B, T, D]`; not changed.
            padding_mask: bool, `[B, P + T]`, true where padded, cached positions first.
            encoder_out: states of the document, `[B, S, D]`; for a decoder only.
            encoder_padding_mask: bool, `[B, S]`, true where padded; None if nothing is padded.
            use_cache: whether to return a cache.
            past_kv: the cache that the call before returned, for P positions; not changed. None: P = 0.

        Returns:
            (states `[B, T, D]`, differentiable in x, encoder_out and all weights; cache for P + T positions or None).
        """
        ### BEGIN SOLUTION
        k, v = self.self_attention.keys_values(x)  # [B, H, T, D/H]
        if past_kv is not None:
            k, v = torch.cat([past_kv[0], k], dim=2), torch.cat([past_kv[1], v], dim=2)  # [B, H, P + T, D/H]
        kept = (k, v)
        blocked = padding_mask.bool()[:, None]  # [B, 1, P + T]
        if self.is_decoder:
            new, places = x.shape[1], k.shape[2]
            later = torch.ones(new, places, dtype=torch.bool, device=x.device).triu(places - new + 1)  # j > P + i
            blocked = blocked | later  # [B, T, P + T]
        x = self.norm_self(x + self.self_attention(x, k, v, blocked))
        if self.is_decoder:
            k, v = past_kv[2:] if past_kv is not None else self.cross_attention.keys_values(encoder_out)
            kept = (*kept, k, v)
            if encoder_padding_mask is None:
                encoder_padding_mask = torch.zeros(len(x), k.shape[2], dtype=torch.bool, device=x.device)
            x = self.norm_cross(x + self.cross_attention(x, k, v, encoder_padding_mask.bool()[:, None]))
        x = self.norm_feed_forward(x + self.feed_forward(x))
        return x, kept if use_cache else None
        ### END SOLUTION


# %% [markdown]
# For the tests: random weights, the same layer in PyTorch (there one matrix makes queries, keys and values), and a count of the positions that are projected.


# %%
def layer_weights(dim: int, hidden: int, is_decoder: bool, generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Random weights of a `TransformerLayer`: name -> tensor."""
    attentions = ["self_attention", "cross_attention"] if is_decoder else ["self_attention"]
    norms = ["norm_self", "norm_cross", "norm_feed_forward"] if is_decoder else ["norm_self", "norm_feed_forward"]
    shapes = {
        f"{attention}.{each}": (dim, dim) for attention in attentions for each in ("query", "key", "value", "out")
    }
    shapes |= {"feed_forward.0": (hidden, dim), "feed_forward.2": (dim, hidden)}
    weights = {}
    for name, shape in shapes.items():
        weights[f"{name}.weight"] = 1.5 * torch.randn(shape, generator=generator) / math.sqrt(shape[1])
        weights[f"{name}.bias"] = 0.3 * torch.randn(shape[0], generator=generator)
    for name in norms:
        weights[f"{name}.weight"] = 1 + 0.3 * torch.randn(dim, generator=generator)
        weights[f"{name}.bias"] = 0.3 * torch.randn(dim, generator=generator)
    return weights


def make_layer(weights: dict[str, torch.Tensor], heads: int) -> nn.Module:
    """Your layer with these weights."""
    hidden, dim = weights["feed_forward.0.weight"].shape
    layer = TransformerLayer(dim, heads, hidden, "norm_cross.weight" in weights)
    layer.load_state_dict(weights)
    return layer.eval()


def positions_projected(weights: dict[str, torch.Tensor], heads: int, x, document) -> dict[str, int]:
    """How many positions your layer projects while it decodes x `[1, T, D]` token by token."""
    layer, counts, past = make_layer(weights, heads), {}, None
    for name in ("self_attention.key", "self_attention.value", "cross_attention.key", "cross_attention.value"):

        def count(module, inputs, result, name=name):
            counts[name] = counts.get(name, 0) + inputs[0].shape[1]

        layer.get_submodule(name).register_forward_hook(count)
    with torch.no_grad():
        for t in range(x.shape[1]):
            mask = torch.zeros(1, t + 1, dtype=torch.bool)
            _, past = layer(x[:, t : t + 1], mask, document, None, use_cache=True, past_kv=past)
    return counts


def torch_layer(weights: dict[str, torch.Tensor], heads: int) -> nn.Module:
    """PyTorch's encoder or decoder layer with these weights."""
    hidden, dim = weights["feed_forward.0.weight"].shape
    is_decoder = "norm_cross.weight" in weights
    make = nn.TransformerDecoderLayer if is_decoder else nn.TransformerEncoderLayer
    layer = make(dim, heads, hidden, dropout=0.0, batch_first=True)
    their = {"self_attention": "self_attn", "cross_attention": "multihead_attn", "norm_self": "norm1"}
    their |= {"norm_cross": "norm2", "norm_feed_forward": "norm3" if is_decoder else "norm2"}
    renamed = {}
    for last in ("weight", "bias"):
        for name in [each for each in their if f"{each}.{last}" in weights]:
            renamed[f"{their[name]}.{last}"] = weights[f"{name}.{last}"]
        for name in [each for each in their if f"{each}.out.{last}" in weights]:
            renamed[f"{their[name]}.out_proj.{last}"] = weights[f"{name}.out.{last}"]
            together = torch.cat([weights[f"{name}.{each}.{last}"] for each in ("query", "key", "value")])
            renamed[f"{their[name]}.in_proj_{last}"] = together
        renamed[f"linear1.{last}"] = weights[f"feed_forward.0.{last}"]
        renamed[f"linear2.{last}"] = weights[f"feed_forward.2.{last}"]
    layer.load_state_dict(renamed)
    return layer.eval()


def torch_states(weights, heads, x, padding_mask, encoder_out=None, encoder_padding_mask=None) -> torch.Tensor:
    """The states that PyTorch's layer with these weights gives for a whole sequence, `[B, T, D]`."""
    layer = torch_layer(weights, heads).to(x.dtype)
    if encoder_out is None:
        return layer(x, src_key_padding_mask=padding_mask)
    later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
    return layer(
        x,
        encoder_out,
        tgt_mask=later,
        tgt_key_padding_mask=padding_mask,
        memory_key_padding_mask=encoder_padding_mask,
    )


def select_rows(states: Any, rows: torch.Tensor) -> Any:
    """Cached states or encoder outputs with other rows: row i of the result is row `rows[i]` of the input.

    Takes tensors, tuples and lists of tensors, and the caches and encoder outputs of transformers (whose caches are
    changed in place and returned).
    """
    if isinstance(states, torch.Tensor):
        return states.index_select(0, rows)
    if isinstance(states, tuple | list):
        picked = [select_rows(each, rows) for each in states]
        return type(states)(*picked) if hasattr(states, "_fields") else type(states)(picked)
    if hasattr(states, "reorder_cache"):
        states.reorder_cache(rows)
        return states
    if hasattr(states, "last_hidden_state"):
        return type(states)(last_hidden_state=states.last_hidden_state.index_select(0, rows))
    if states is None:
        return None
    raise TypeError(f"a cache is made of tuples and tensors; this is {type(states).__name__}.")


# %% nbgrader={"grade": true, "grade_id": "test_TransformerLayer", "locked": true, "points": 4.5, "schema_version": 3, "solution": false, "task": false} seconds=60
g = torch.Generator().manual_seed(0)
weights = layer_weights(8, 12, True, g)
layer = student.make_layer(weights, 2)
x, document = torch.randn(2, 4, 8, generator=g), torch.randn(2, 5, 8, generator=g)
nothing_padded = torch.zeros(2, 4, dtype=torch.bool)
document_padding = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
with torch.no_grad():
    answer = layer(x, nothing_padded, document, document_padding)
    assert isinstance(answer, tuple | list) and len(answer) == 2, "return the pair (states, cache)"
    full, no_cache = answer
    with part("no cache unless it is wanted", 0.25):
        assert no_cache is None, "without use_cache=True return None in place of the cache"
    assert has_shape(full, (2, 4, 8), "the states have the shape of x, [B, T, D]")
    other_end = layer(torch.cat([x[:, :3], x[:, 3:] + 1], dim=1), nothing_padded, document, document_padding)[0]
    assert close(
        other_end[:, :3],
        full[:, :3],
        (
            "in a decoder no state may depend on later positions. padding_mask is false everywhere here: it does not block "
            "them (see the picture). And nothing but attention may mix positions"
        ),
    )
    other_document = torch.where(document_padding[..., None], document + 1, document)
    other = layer(x, nothing_padded, other_document, document_padding)[0]
    assert close(other, full, "do not attend to padded positions of the document: use encoder_padding_mask")
    other = layer(x, nothing_padded, document + 1, document_padding)[0]
    assert not torch.allclose(other, full), "a decoder must attend to the document: cross-attention with encoder_out"
    with part("no encoder_padding_mask", 0.25):
        other, unmasked = layer(x, nothing_padded, document)[0], torch.zeros(2, 5, dtype=torch.bool)
        assert close(other, layer(x, nothing_padded, document, unmasked)[0], "None means that nothing is padded")
    want = torch_states(weights, 2, x, nothing_padded, document, document_padding)
    assert close(
        full, want, "PyTorch's decoder layer gives other states: sum first, then normalise, three times", atol=1e-4
    )
    past, steps = None, []
    for t in range(4):
        mask = nothing_padded[:, : t + 1]
        states, past = layer(x[:, t : t + 1], mask, document, document_padding, use_cache=True, past_kv=past)
        assert past is not None, "with use_cache=True return the cache: the keys and values of all positions so far"
        assert has_shape(states, (2, 1, 8), "with a cache only the states of the new positions are returned")
        steps.append(states)
    assert close(steps[0], full[:, :1], "the first call must give the same states with use_cache as without", atol=1e-4)
    assert close(
        torch.cat(steps, dim=1),
        full,
        "with the cache each position must get the state of the full pass. What does a new position need of the old ones and "
        "of the document (hint 1), in which order, and to which positions may it attend (right half of the picture)?",
        atol=1e-4,
    )
    past = layer(x[:, :1], nothing_padded[:, :1], document, document_padding, use_cache=True)[1]
    use_twice = watched(layer)  # the arguments must not change
    with part("several new positions", 0.5):
        three_new = use_twice(x[:, 1:], nothing_padded, document, document_padding, use_cache=True, past_kv=past)[0]
        hint = "one position cached, three new ones: to which of the four may each new one attend? Draw it as in the picture"
        assert close(three_new, full[:, 1:], hint, atol=1e-4)
    with part("the worked count", 0.5):
        counts = student.positions_projected(weights, 2, x[:1], torch.randn(1, 10, 8, generator=g))
        assert max(counts.get(f"self_attention.{each}", 0) for each in ("key", "value")) <= 4, (
            "4 tokens, one in each call: each is projected to a key and a value once, when it is new; keep both"
        )
        assert max(counts.get(f"cross_attention.{each}", 0) for each in ("key", "value")) <= 10, (
            "a document of 10 tokens is projected to keys and values once, at the first call; keep both"
        )
    encoder_layer = student.make_layer(layer_weights(8, 12, False, g), 2)
    some_padded = torch.tensor([[False] * 4, [False] * 2 + [True] * 2])
    full = encoder_layer(x, some_padded)[0]
    other = encoder_layer(torch.where(some_padded[..., None], x + 1, x), some_padded)[0]
    assert close(other[~some_padded], full[~some_padded], "do not attend to padded positions of x: use padding_mask")
    other = encoder_layer(torch.cat([x[:, :1], x[:, 1:] + 1], dim=1), nothing_padded)[0]
    assert not torch.allclose(other[:, 0], encoder_layer(x, nothing_padded)[0][:, 0]), (
        "in an encoder each position attends to all positions, later ones too"
    )
print("TransformerLayer: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(53)


def draw_case(B, T, S, D, hidden, is_decoder):
    """Weights, states, a document and ragged masks."""
    weights = layer_weights(D, hidden, is_decoder, g)
    x, document = torch.randn(B, T, D, generator=g), torch.randn(B, S, D, generator=g)
    padding = torch.rand(B, T, generator=g) < 0.35  # anywhere: the mask must work at any position
    padding[:, 0] = False
    document_padding = torch.arange(S) >= torch.randint(1, S + 1, (B, 1), generator=g)
    return weights, x, padding, document, document_padding


CASES = [(3, 6, 5, 8, 16, 2), (1, 4, 7, 12, 8, 3), (4, 5, 3, 6, 10, 1), (2, 7, 4, 16, 32, 4)]


def decoded(case, portions, is_padded):
    """Decodes in portions of these sizes, with rows that change as in beam search; yields states, the right ones, those that count."""
    B, T, S, D, hidden, heads = case
    weights, x, padding, document, document_padding = draw_case(B, T, S, D, hidden, True)
    padding = padding & is_padded
    want = torch_states(weights, heads, x, padding, document, document_padding)
    layer = student.make_layer(weights, heads)
    past, end, rows = None, 0, torch.arange(B)
    for portion in portions:
        start, end = end, end + portion
        call = (x[rows, start:end], padding[rows, :end], document[rows], document_padding[rows])
        states, past = layer(*call, use_cache=True, past_kv=past)
        assert has_shape(states, (B, portion, D), "only the states of the new positions are returned")
        yield states, want[rows, start:end], ~padding[rows, start:end]
        mixed = torch.randint(0, B, (B,), generator=g)  # some rows are selected twice, some never
        rows, past = rows[mixed], student.select_rows(past, mixed)


with torch.no_grad(), part("as PyTorch's layers", 0.75):
    for B, T, S, D, hidden, heads in CASES:
        weights, x, padding, _, _ = draw_case(B, T, S, D, hidden, False)
        states = student.make_layer(weights, heads)(x, padding)[0]
        assert has_shape(states, (B, T, D), "the states have the shape of x")
        want = torch_states(weights, heads, x, padding)
        assert close(
            states[~padding], want[~padding], "an encoder's layer differs from PyTorch's", rtol=1e-3, atol=1e-4
        )
        weights, x, padding, document, document_padding = draw_case(B, T, S, D, hidden, True)
        none = torch.zeros_like(padding)
        states = student.make_layer(weights, heads)(x, none, document, document_padding)[0]
        want = torch_states(weights, heads, x, none, document, document_padding)
        assert close(states, want, "a decoder's layer differs from PyTorch's", rtol=1e-3, atol=1e-4)
with part("gradients, in training", 0.5):
    for (*sizes, heads), is_decoder in zip(CASES, (True, False, True, False), strict=True):
        weights, x, padding, document, document_padding = draw_case(*sizes, is_decoder)
        down, gradients = torch.randn(x.shape, generator=g), []
        weights["feed_forward.0.bias"] = 8.0 - 16 * (torch.arange(sizes[-1]) % 2)  # no ReLU is near its bend
        for side in (student, reference):
            layer = side.make_layer(weights, heads).train()
            inputs = {"x": x.clone().requires_grad_()}
            inputs |= {"encoder_out": document.clone().requires_grad_()} if is_decoder else {}
            states = layer(inputs["x"], padding, inputs.get("encoder_out"), document_padding if is_decoder else None)[0]
            assert states.requires_grad, "no gradient reaches the weights: the layer must be differentiable"
            (states * down)[~padding].sum().backward()
            places = inputs | {name: layer.get_parameter(name) for name in weights}
            gradients.append({name: place.grad for name, place in places.items()})
        for name, want in gradients[1].items():
            got = torch.zeros_like(want) if gradients[0][name] is None else gradients[0][name]
            hint = f"no gradient reaches {name}: it must not be cut off, as training needs it"
            if bool(got.any()):
                hint = f"the gradient by {name} is wrong: is a path to it cut off, or is the layer different after train()?"
            assert close(got, want, hint, rtol=1e-3, atol=1e-4 * (1 + float(want.abs().max())))
with torch.no_grad(), part("padded positions of a summary", 0.5):
    for case in CASES:
        *sizes, heads = case
        weights, x, padding, document, document_padding = draw_case(*sizes, True)
        states = student.make_layer(weights, heads)(x, padding, document, document_padding)[0]
        want = torch_states(weights, heads, x, padding, document, document_padding)
        hint = (
            "in a decoder, too, no position may attend to padded positions of x: use padding_mask, also for cached ones"
        )
        assert close(states[~padding], want[~padding], hint, rtol=1e-3, atol=1e-4)
        for states, want, counted in decoded(case, [1] * case[1], True):
            assert close(states[counted], want[counted], hint, rtol=1e-3, atol=1e-4)
with torch.no_grad(), part("nothing padded", 0.25):
    for B, T, S, D, hidden, heads in CASES:
        weights, x, padding, document, _ = draw_case(B, T, S, D, hidden, True)
        states = student.make_layer(weights, heads)(x, torch.zeros_like(padding), document)[0]
        want = torch_states(weights, heads, x, torch.zeros_like(padding), document)
        assert close(states, want, "without encoder_padding_mask nothing is padded", rtol=1e-3, atol=1e-4)
with torch.no_grad(), part("with the cache as without", 0.75):
    for case in CASES:
        for states, want, counted in decoded(case, [1] * case[1], False):
            hint = "with the cache each new position must get the same state as in the full pass"
            assert close(states[counted], want[counted], hint, rtol=1e-3, atol=1e-4)
with torch.no_grad(), part("several new positions at once", 0.5):
    for case, portions in zip(CASES, ([2, 3, 1], [1, 3], [2, 1, 2], [3, 1, 1, 2]), strict=True):
        for states, want, counted in decoded(case, portions, False):
            hint = "several new positions at once: each must get the same state as in the full pass"
            assert close(states[counted], want[counted], hint, rtol=1e-3, atol=1e-4)
with torch.no_grad(), part("no work done twice", 0.75):
    # after each call other key and value projections: what was projected before must be what it was
    for B, T, S, D, hidden, heads in CASES[:2]:
        for changed, hint in [
            ("", "before work is counted: with the cache the states differ from those of the full pass"),
            ("self_attention", "each position is projected to a key and a value once, when it is new: keep both"),
            ("cross_attention", "the document is projected to keys and values once, at the first call: keep both"),
        ]:
            weights, x, _, document, document_padding = draw_case(B, T, S, D, hidden, True)
            layers, past = [side.make_layer(weights, heads) for side in (student, reference)], [None, None]
            for t in range(T):
                for name in ("key", "value") if changed and t else ():
                    other = {"weight": torch.randn(D, D, generator=g) / D**0.5, "bias": torch.randn(D, generator=g)}
                    for layer in layers:
                        getattr(getattr(layer, changed), name).load_state_dict(other)
                call = (x[:, t : t + 1], torch.zeros(B, t + 1, dtype=torch.bool), document, document_padding)
                answers = [layer(*call, use_cache=True, past_kv=kept) for layer, kept in zip(layers, past, strict=True)]
                states, past = zip(*answers, strict=True)
                assert close(states[0], states[1], hint, rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# ### `TransformerStack` (2.5 points)
#
# Encoder and decoder are stacks: token and position embeddings, then layer after layer:
#
# $$x_t = \text{tokens}(\text{input\_ids}_t) + \text{positions}(\text{position of } t), \qquad x \leftarrow \text{layer}_1(x), \; x \leftarrow \text{layer}_2(x), \ldots$$
#
# Write `forward`. A position is padded where its token is `pad_id`. With a cache, `input_ids` has the new tokens only: what must the stack remember so that the layers get their arguments? (Do not look into the layers' caches: their contents are up to the layers.)
#
# `past_key_values` is again what your own stack returned before: tuples of tensors, batch first, nested if you like. Return the pair (states after the last layer `[B, T, D]`, cache), with None for the cache unless `use_cache` is true.
#
# *Worked example.* P = 2 tokens are cached, `input_ids` = [[7], [0]] with `pad_id` = 0. Then $x$ = tokens([7], [0]) + positions(2) in both rows, and `padding_mask` is the old mask `[2, 2]` with the column (false, true) appended.
#
# <details><summary>Hint 1: idea</summary>
#
# A layer needs the `padding_mask` of *all* P + T positions: keep the mask of the old ones in the cache, too. Each layer has its own cache.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# P is the width of the old mask. The new tokens need the rows $P, \ldots, P + T - 1$ of `positions`.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# The cache is the pair (mask, tuple of the layers' caches). `self.positions(torch.arange(P, P + T))`. Then a loop over `zip(self.layers, pasts)`; at the first call `pasts` holds None for each.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "TransformerStack", "locked": false, "schema_version": 3, "solution": true, "task": false}
class TransformerStack(nn.Module):
    """Embeddings of tokens and positions, and layers on top of each other. Vaswani et al. 2017, section 3.1 and 3.4."""

    def __init__(self, layers, vocabulary, longest, dim, pad_id):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, dim)
        self.positions = nn.Embedding(longest, dim)
        self.layers = nn.ModuleList(layers)
        self.pad_id = pad_id

    def forward(
        self,
        input_ids,
        encoder_hidden_states=None,
        encoder_padding_mask=None,
        use_cache=None,
        past_key_values=None,
    ):
        """The states of the new tokens after the last layer.

        Args:
            input_ids: the new tokens, LongTensor `[B, T]`; `pad_id` where padded.
            encoder_hidden_states: states of the document, `[B, S, D]`; for a decoder only.
            encoder_padding_mask: bool, `[B, S]`, true where padded; None if nothing is padded.
            use_cache: whether to return a cache.
            past_key_values: the cache that the call before returned, for P tokens; not changed. None: P = 0.

        Returns:
            (states `[B, T, D]`, differentiable in encoder_hidden_states and all weights; cache for P + T tokens or None).
        """
        ### BEGIN SOLUTION
        padding_mask = input_ids == self.pad_id  # [B, T]
        pasts, past_places = [None] * len(self.layers), 0
        if past_key_values is not None:
            past_mask, pasts = past_key_values
            past_places = past_mask.shape[1]
            padding_mask = torch.cat([past_mask, padding_mask], dim=1)  # [B, P + T]
        places = torch.arange(past_places, past_places + input_ids.shape[1], device=input_ids.device)  # [T]
        x = self.tokens(input_ids) + self.positions(places)  # [B, T, D]
        kept = []
        for layer, past in zip(self.layers, pasts, strict=True):
            x, present = layer(x, padding_mask, encoder_hidden_states, encoder_padding_mask, use_cache, past)
            kept.append(present)
        return x, (padding_mask, tuple(kept)) if use_cache else None
        ### END SOLUTION


# %% [markdown]
# For the tests: a stack whose layers the test computes, so this item needs no `TransformerLayer`; and a small layer with a weight.


# %%
class AskedLayer(nn.Module):
    """Has the signature of a `TransformerLayer`; `ask` gives its answers."""

    def __init__(self, ask) -> None:
        super().__init__()
        self.ask = ask

    def forward(self, x, padding_mask, encoder_out=None, encoder_padding_mask=None, use_cache=None, past_kv=None):
        """The answer of `ask`."""
        return self.ask(x, padding_mask, encoder_out, encoder_padding_mask, use_cache, past_kv)


class LinearLayer(nn.Module):
    """Has the signature of a `TransformerLayer`; multiplies by its weight `[D, D]` and adds the document's mean state."""

    def __init__(self, weight) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x, padding_mask, encoder_out=None, encoder_padding_mask=None, use_cache=None, past_kv=None):
        """The new states and no cache."""
        return x @ self.weight + encoder_out.mean(dim=1, keepdim=True), None


def make_stack(asks, tokens, positions, pad_id: int) -> nn.Module:
    """Your stack with these layers (modules, or what `ask` is) and these embeddings, `[V, D]` and `[longest, D]`."""
    layers = [ask if isinstance(ask, nn.Module) else AskedLayer(ask) for ask in asks]
    stack = TransformerStack(layers, len(tokens), len(positions), tokens.shape[1], pad_id)
    stack.tokens.weight.data.copy_(tokens)
    stack.positions.weight.data.copy_(positions)
    return stack.eval()


# %% nbgrader={"grade": true, "grade_id": "test_TransformerStack", "locked": true, "points": 2.5, "schema_version": 3, "solution": false, "task": false} seconds=60
seen = []


def note(x, padding_mask, encoder_out, encoder_padding_mask, use_cache, past_kv):
    """A layer that adds 1 and records its arguments; its cache is the sum of all states that it has seen."""
    seen.append((x.detach().clone(), padding_mask, past_kv))
    total = x.detach().sum(dim=1) + (past_kv[0] if past_kv is not None else 0)
    return x + 1, (total,) if use_cache else None


tokens, positions = torch.arange(10.0)[:, None], 100 * torch.arange(8.0)[:, None]  # D = 1
stack = student.make_stack([note, note], tokens, positions, 0)
with torch.no_grad():
    answer = stack(torch.tensor([[5, 6, 7], [5, 6, 0]]))
    assert isinstance(answer, tuple | list) and len(answer) == 2, "return the pair (states, cache)"
    full, no_cache = answer
    with part("no cache unless it is wanted", 0.25):
        assert no_cache is None, "without use_cache=True return None in place of the cache"
    assert len(seen) == 2, "each layer is called once"
    assert isinstance(seen[0][1], torch.Tensor), "give each layer the padding_mask, [B, P + T]"
    assert close(
        seen[0][0][:, :, 0],
        torch.tensor([[5.0, 106.0, 207.0], [5.0, 106.0, 200.0]]),
        ("the first layer gets tokens(input_ids) + positions(0, 1, 2, ...)"),
    )
    assert torch.equal(seen[0][1].bool(), torch.tensor([[False, False, False], [False, False, True]])), (
        "padding_mask is true where the token is pad_id"
    )
    assert close(seen[1][0], seen[0][0] + 1, "the second layer gets the states that the first one returned")
    assert close(full, seen[0][0] + 2, "the result: the states after the last layer")
    seen.clear()
    states, past = stack(torch.tensor([[5, 6], [5, 0]]), use_cache=True)
    assert past is not None, "with use_cache=True return a cache"
    states, past = watched(stack)(torch.tensor([[7], [0]]), use_cache=True, past_key_values=past)
    assert len(seen) == 4, "each layer is called once in each call of the stack"
    assert has_shape(states, (2, 1, 1), "with a cache only the states of the new tokens are returned")
    assert not torch.equal(seen[2][0][:, 0, 0], torch.tensor([7.0, 0.0])), (
        "the new token has position P = 2, not position 0: positions(P)"
    )
    assert close(seen[2][0][:, 0, 0], torch.tensor([207.0, 200.0]), "the new token has position P = 2")
    assert has_shape(seen[2][1], (2, 3), "padding_mask covers all P + T positions, the cached ones first")
    assert torch.equal(seen[2][1].bool(), torch.tensor([[False, False, False], [False, True, True]])), (
        "keep the mask of the cached positions, and append that of the new ones"
    )
    assert seen[2][2] is not None and seen[3][2] is not None, "give each layer its cache: past_kv"
    assert close(seen[2][2][0][:, 0], torch.tensor([111.0, 105.0]), "the first layer gets the cache of the first layer")
    assert close(seen[3][2][0][:, 0], torch.tensor([113.0, 107.0]), "each layer gets its own cache, not another's")
print("TransformerStack: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(54)


def real_layers(D, hidden, heads, is_decoder, count, tally):
    """Right layers that are computed here; the number of positions that each sees is recorded."""
    layers = [reference.make_layer(layer_weights(D, hidden, is_decoder, g), heads) for _ in range(count)]

    def answer(layer, index):
        def ask(x, padding_mask, encoder_out, encoder_padding_mask, use_cache, past_kv):
            tally[index] = tally.get(index, 0) + x.shape[1]
            with torch.no_grad():
                states, kept = layer(
                    x, padding_mask, encoder_out, encoder_padding_mask, use_cache=bool(use_cache), past_kv=past_kv
                )
            return states, kept

        return ask

    return [answer(layer, index) for index, layer in enumerate(layers)]


CASES = [(3, 6, 5, 8, 16, 2, 2), (1, 5, 7, 12, 8, 3, 1), (2, 7, 4, 6, 10, 1, 3)]
with torch.no_grad(), part("a full pass", 0.75):
    for B, T, S, D, hidden, heads, count in CASES:
        for is_decoder in (False, True):
            V, pad = 11, int(torch.randint(0, 11, (), generator=g))
            asks = real_layers(D, hidden, heads, is_decoder, count, {})
            tokens, positions = torch.randn(V, D, generator=g), torch.randn(T + 2, D, generator=g)
            ids = torch.randint(0, V - 1, (B, T), generator=g)
            ids = ids + (ids >= pad).long()
            ids[:, 1:][torch.rand(B, T - 1, generator=g) < 0.35] = pad
            document = torch.randn(B, S, D, generator=g) if is_decoder else None
            document_padding = torch.arange(S) >= torch.randint(1, S + 1, (B, 1), generator=g) if is_decoder else None
            states = student.make_stack(asks, tokens, positions, pad)(ids, document, document_padding)[0]
            want = reference.make_stack(asks, tokens, positions, pad)(ids, document, document_padding)[0]
            assert has_shape(states, (B, T, D), "the states have the shape [B, T, D]")
            assert close(
                states[ids != pad],
                want[ids != pad],
                ("tokens plus positions, then layer after layer with padding mask and document"),
                rtol=1e-3,
                atol=1e-4,
            )
with part("gradients, in training", 0.5):
    for B, T, S, D, _, _, count in CASES:
        ids, down = torch.randint(0, 9, (B, T), generator=g), torch.randn(B, T, D, generator=g)
        places = {"tokens.weight": torch.randn(9, D, generator=g), "positions.weight": torch.randn(T, D, generator=g)}
        places |= {f"layers.{index}.weight": torch.randn(D, D, generator=g) / D**0.5 for index in range(count)}
        tokens, positions, *matrices = [value.requires_grad_() for value in places.values()]
        documents = [torch.randn(B, S, D, generator=g).requires_grad_()]
        documents.append(documents[0].detach().clone().requires_grad_())
        want = tokens[ids] + positions
        for matrix in matrices:
            want = want @ matrix + documents[0].mean(dim=1, keepdim=True)
        layers = [student.LinearLayer(matrix.detach()) for matrix in matrices]
        stack = student.make_stack(layers, tokens.detach(), positions.detach(), 0).train()
        states = stack(ids, documents[1], torch.zeros(B, S, dtype=torch.bool))[0]
        assert close(states, want, "after train(), too: tokens plus positions, then layer after layer", atol=1e-4)
        assert states.requires_grad, "no gradient reaches the weights: the stack must be differentiable"
        for value in (states, want):
            (value * down).sum().backward()
        pairs = {name: (stack.get_parameter(name).grad, value.grad) for name, value in places.items()}
        for name, (got, want) in (pairs | {"encoder_hidden_states": (documents[1].grad, documents[0].grad)}).items():
            hint = f"no gradient reaches {name}, or a wrong one: do not cut it off, as training needs it"
            got = torch.zeros_like(want) if got is None else got
            assert close(got, want, hint, rtol=1e-3, atol=1e-4 * (1 + float(want.abs().max())))
with torch.no_grad(), part("with the cache as without", 1.5):
    for (B, T, S, D, hidden, heads, count), portions in zip(CASES, ([1] * 6, [2, 1, 2], [1, 3, 1, 2]), strict=True):
        V, pad, tally = 13, int(torch.randint(0, 13, (), generator=g)), {}
        asks = real_layers(D, hidden, heads, True, count, tally)
        tokens, positions = torch.randn(V, D, generator=g), torch.randn(T, D, generator=g)
        ids = torch.randint(0, V - 1, (B, T), generator=g)
        ids = ids + (ids >= pad).long()
        ids[:, 1:][torch.rand(B, T - 1, generator=g) < 0.35] = pad
        document = torch.randn(B, S, D, generator=g)
        document_padding = torch.arange(S) >= torch.randint(1, S + 1, (B, 1), generator=g)
        want = reference.make_stack(asks, tokens, positions, pad)(ids, document, document_padding)[0]
        stack = student.make_stack(asks, tokens, positions, pad)
        tally.clear()
        past, end, rows = None, 0, torch.arange(B)
        for portion in portions:
            start, end = end, end + portion
            call = (ids[rows, start:end], document[rows], document_padding[rows])
            states, past = stack(*call, use_cache=True, past_key_values=past)
            counted = ids[rows, start:end] != pad
            assert has_shape(states, (B, portion, D), "only the states of the new tokens are returned")
            assert close(
                states[counted],
                want[rows, start:end][counted],
                ("with the cache each new token must get the same state as in the full pass"),
                rtol=1e-3,
                atol=1e-4,
            )
            mixed = torch.randint(0, B, (B,), generator=g)
            rows, past = rows[mixed], student.select_rows(past, mixed)
        assert all(tally.get(index) == T for index in range(count)), "each layer sees each token once, when it is new"
### END HIDDEN TESTS

# %% [markdown]
# ## 4. Writing
#
# From here on a *model* is anything with the interface that the encoder-decoders of `transformers` have (T5 among them). You need these parts of it, with all arguments given by name:
#
# | | |
# |---|---|
# | `model.config.decoder_start_token_id`, `.eos_token_id`, `.pad_token_id` | the token with which each text starts, the one with which it ends, and the pad token |
# | `model.get_encoder()(input_ids=..., attention_mask=...)` | reads the documents; pass its result on unchanged |
# | `model(encoder_outputs=..., attention_mask=..., decoder_input_ids=..., past_key_values=..., use_cache=True)` | calls the decoder; with `past_key_values` of the call before, `decoder_input_ids` holds only the new tokens |
# | `.logits` of the result | `[B, T, V]`: at each given position the logits of the *next* token |
# | `.past_key_values` of the result | the cache, to be given to the next call (the first call gets None) |
#
# Newer versions of `transformers` say `cache`; the models of this notebook accept both names.
#
# `attention_mask` is a LongTensor `[B, S]`, **1 where the document is not padded**. The next cell builds such a model from your layers and stacks, and loads the pre-trained T5.


# %%
class Answer(NamedTuple):
    """The result of a model."""

    logits: torch.Tensor
    past_key_values: Any

    @property
    def cache(self) -> Any:
        """The cache under its newer name."""
        return self.past_key_values


class EncoderDecoder(nn.Module):
    """A Transformer of your layers, with the interface of transformers' encoder-decoders."""

    def __init__(
        self, vocabulary=100, dim=64, heads=4, hidden=128, layers=2, longest=160, start_id=2, end_id=1, pad_id=0
    ) -> None:
        super().__init__()

        def stack(is_decoder: bool) -> nn.Module:
            made = [TransformerLayer(dim, heads, hidden, is_decoder) for _ in range(layers)]
            return TransformerStack(made, vocabulary, longest, dim, pad_id)

        self.encoder, self.decoder = stack(is_decoder=False), stack(is_decoder=True)
        self.head = nn.Linear(dim, vocabulary)
        ids = {"decoder_start_token_id": start_id, "eos_token_id": end_id, "pad_token_id": pad_id}
        self.config = SimpleNamespace(**ids)
        accept_both_cache_names(self)

    def get_encoder(self) -> Any:
        """The encoder."""
        return self.read

    def read(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor]:
        """The states of the documents, `[B, S, D]`. (The stack finds padded positions by itself.)"""
        return (self.encoder(input_ids)[0],)

    def forward(
        self, encoder_outputs, attention_mask, decoder_input_ids, past_key_values=None, use_cache=None
    ) -> Answer:
        """Logits of the next tokens, and the cache."""
        states, past = self.decoder(
            decoder_input_ids, encoder_outputs[0], attention_mask == 0, use_cache, past_key_values
        )
        return Answer(self.head(states), past)


def load_t5() -> tuple[Any, Any]:
    """The tokenizer and the pre-trained T5 of this profile."""
    from transformers import AutoTokenizer, T5ForConditionalGeneration
    from transformers.utils import logging

    logging.disable_progress_bar()  # of loading weights, which would go to stderr
    model = accept_both_cache_names(from_pretrained(T5ForConditionalGeneration, t5_name(run)))
    return from_pretrained(AutoTokenizer, t5_name(run)), model.to(run.device).eval()


tokenizer, t5 = load_t5()

# %% [markdown]
# ### `greedy_decode` (2 points)
#
# At each position take the most probable token, until all rows have ended or `max_length` tokens are written. The first token comes after the start token, which is not part of the result.
#
# * A row has ended when it has written the end token. The end token is part of the result; after it come pad tokens, whatever the model predicts, since other rows may not have ended yet.
# * **The encoder reads the documents once**, and with the cache **each call gets one new token per row**. The tests count both.
# * The mask for the documents is 1 where `input_ids` is not the pad token.
# * No gradients (`torch.no_grad()`).
#
# *Worked example.* Two documents, `max_length` = 5, pad 0, end 1. The model's most probable tokens are 7, 8, 1 for the first and 9, 1 for the second. Result: [[7, 8, 1], [9, 1, 0]]; after three calls both have ended and the model is not called again. (Columns of pad tokens after that, up to `max_length`, are accepted.)
#
# The next cell has a model for the tests, whose next tokens follow a rule, and naive decoding, which computes everything again at each step.
#
# <details><summary>Hint 1: idea</summary>
#
# Cache and last tokens pass from call to call. A vector of booleans says which rows have ended.
#
# </details>
# <details><summary>Hint 2: what changes</summary>
#
# Take `naive_decode` below; the decoder gets `[B, 1]` instead of all tokens.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# In the loop: call the model; `logits[:, -1].argmax(dim=1)`; pad tokens for ended rows (`masked_fill`); update which have ended.
#
# </details>


# %%
class Scripted(nn.Module):
    """A model whose logits `ask` gives: `ask(document ids [R], tokens so far [R, P + T], how many are new)`.

    A document's id is its first token. `read` gets the arguments of each call of the encoder: input_ids and
    attention_mask. The decoder must get the same mask for each of its rows; it is not used further.
    """

    def __init__(self, ask, read, start_id: int, end_id: int, pad_id: int) -> None:
        super().__init__()
        self.ask, self.read, self.masks = ask, read, {}
        self.recorded = False  # were gradients recorded in any call?
        ids = {"decoder_start_token_id": start_id, "eos_token_id": end_id, "pad_token_id": pad_id}
        self.config = SimpleNamespace(**ids)
        accept_both_cache_names(self)

    def get_encoder(self) -> Any:
        """The encoder."""
        return self.encode

    def encode(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor]:
        """The documents' ids, `[B, 1, 1]`."""
        self.recorded |= torch.is_grad_enabled()
        self.read(input_ids, attention_mask)
        if not isinstance(attention_mask, torch.Tensor):
            raise ValueError("attention_mask must be a LongTensor [B, S], 1 where the document is not padded.")
        self.masks |= dict(zip(input_ids[:, 0].tolist(), attention_mask.bool().tolist(), strict=True))
        return (input_ids[:, :1, None],)

    def forward(
        self, encoder_outputs, attention_mask, decoder_input_ids, past_key_values=None, use_cache=None
    ) -> Answer:
        """Logits of the next tokens; the cache is the pair (tokens so far, documents' ids)."""
        self.recorded |= torch.is_grad_enabled()
        documents, tokens = encoder_outputs[0][:, 0, 0], decoder_input_ids
        if past_key_values is not None:
            tokens, documents = torch.cat([past_key_values[0], tokens], dim=1), past_key_values[1]
        masks = attention_mask.bool().tolist() * (len(documents) if len(attention_mask) == 1 else 1)
        if masks != [self.masks[document] for document in documents.tolist()]:
            raise ValueError(
                f"attention_mask has {len(attention_mask)} rows: for each of the {len(documents)} rows of "
                "decoder_input_ids give the decoder the mask of the document of that row."
            )
        logits = self.ask(documents, tokens, decoder_input_ids.shape[1])  # [R, T, V]
        return Answer(logits, (tokens, documents) if use_cache else None)


def drawn_logits(table: torch.Tensor, documents: torch.Tensor, tokens: torch.Tensor, new: int) -> torch.Tensor:
    """Logits `[R, new, V]` of the last positions: rows of the table, chosen by document and all tokens so far."""
    logits = []
    for place in range(tokens.shape[1] - new, tokens.shape[1]):
        row = documents
        for token in tokens[:, : place + 1].T:
            row = (row * 31 + token + 7) % len(table)
        logits.append(table[row])
    return torch.stack(logits, dim=1)


def naive_decode(model, input_ids, max_length):
    """Greedy decoding without a cache; stops like `greedy_decode`."""
    config = model.config
    attention_mask = (input_ids != config.pad_token_id).long()
    tokens = torch.full((len(input_ids), 1), config.decoder_start_token_id, device=input_ids.device)
    ended = torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
    with torch.no_grad():
        encoder_outputs = model.get_encoder()(input_ids=input_ids, attention_mask=attention_mask)
        while tokens.shape[1] <= max_length and not bool(ended.all()):
            answer = model(encoder_outputs=encoder_outputs, attention_mask=attention_mask, decoder_input_ids=tokens)
            new = answer.logits[:, -1].argmax(dim=1).masked_fill(ended, config.pad_token_id)  # [B]
            ended = ended | (new == config.eos_token_id)
            tokens = torch.cat([tokens, new[:, None]], dim=1)
    return tokens[:, 1:]


def padded(rows: list[list[int]], filler: int) -> torch.Tensor:
    """Rows of unequal length as one LongTensor `[B, longest]`."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows])


def without_padding(texts: torch.Tensor, pad_id: int) -> list[list[int]]:
    """The rows without the pad tokens at their ends."""
    rows = []
    for row in texts.tolist():
        while row and row[-1] == pad_id:
            row.pop()
        rows.append(row)
    return rows


# %% nbgrader={"grade": false, "grade_id": "greedy_decode", "locked": false, "schema_version": 3, "solution": true, "task": false}
def greedy_decode(model, input_ids, max_length):
    """Writes the most probable token at each position, with the cache.

    Args:
        model: see the table above; in evaluation mode.
        input_ids: the documents, LongTensor `[B, S]`, padded with the pad token at the end.
        max_length: the maximum number of tokens, the end token included.

    Returns:
        LongTensor `[B, T]`, T at most `max_length`: the text after the start token, the end token included, pad after it.
    """
    ### BEGIN SOLUTION
    config = model.config
    attention_mask = (input_ids != config.pad_token_id).long()  # [B, S]
    new = torch.full((len(input_ids),), config.decoder_start_token_id, device=input_ids.device)  # [B]
    ended = torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
    past, written = None, []
    with torch.no_grad():
        encoder_outputs = model.get_encoder()(input_ids=input_ids, attention_mask=attention_mask)
        for _ in range(max_length):
            answer = model(
                encoder_outputs=encoder_outputs,
                attention_mask=attention_mask,
                decoder_input_ids=new[:, None],  # [B, 1]
                past_key_values=past,
                use_cache=True,
            )
            past = answer.past_key_values
            new = answer.logits[:, -1].argmax(dim=1).masked_fill(ended, config.pad_token_id)
            written.append(new)
            ended = ended | (new == config.eos_token_id)
            if bool(ended.all()):
                break
    return torch.stack(written, dim=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_greedy_decode", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} seconds=90
SCRIPT = {3: [7, 8, 1, 6, 6], 4: [9, 1, 6, 6, 6]}  # what the model would write after a document that begins with 3, 4
asked, read = [], []


def follow(documents, tokens, new):
    """Logits that follow the script."""
    asked.append((tokens.clone(), new))
    last = tokens.shape[1] - 1
    logits = torch.zeros(len(tokens), new, 10)
    for row, document in enumerate(documents.tolist()):
        for place in range(new):
            logits[row, place, SCRIPT[document][min(last - new + 1 + place, 4)]] = 5.0
    return logits


model = student.Scripted(follow, lambda ids, mask: read.append((ids.clone(), mask)), 2, 1, 0)
documents = torch.tensor([[3, 5, 5], [4, 5, 0]])
out = student.greedy_decode(model, documents, 5)
assert isinstance(out, torch.Tensor) and out.dtype == torch.int64 and out.ndim == 2, "return a LongTensor [B, T]"
assert out[:, 0].tolist() != [2, 2], "the start token is not part of the result"
assert asked and torch.equal(asked[0][0], torch.tensor([[2], [2]])), "each text begins with decoder_start_token_id"
assert len(read) == 1, "the encoder reads the documents once, before the first token"
assert isinstance(read[0][1], torch.Tensor) and read[0][1].long().tolist() == [[1, 1, 1], [1, 1, 0]], (
    "attention_mask is 1 where the document is not padded"
)
assert [new for _, new in asked[1:]] == [1] * (len(asked) - 1), "with the cache give only the new token, [B, 1]"
assert [tokens.shape[1] for tokens, _ in asked] == list(range(1, len(asked) + 1)), (
    "pass the cache of the result on to the next call, as past_key_values"
)
assert without_padding(out, 0)[0] == [7, 8, 1], "the first row: 7, 8 and the end token"
assert without_padding(out, 0)[1] == [9, 1], "a row that has ended gets pad tokens, whatever the model predicts"
assert len(asked) <= 5, "when max_length tokens are written, do not call the model again"
with part("ends when all texts have ended", 0.5):
    assert len(asked) <= 3, "both rows have ended after three calls: do not call the model again"
short = student.greedy_decode(model, documents, 2)
assert short.tolist() == [[7, 8], [9, 1]], "at most max_length tokens, the end token included"
ids = padded(tokenizer([f"The mayor of Arden opened school {i}." for i in range(3)] + ["Arden."])["input_ids"], 0)
ids = ids.to(run.device)
got, want = student.greedy_decode(student.t5, ids, 12), naive_decode(t5, ids, 12)
assert without_padding(got, 0) == without_padding(want, 0), "on T5 the result differs from naive decoding"
print("greedy_decode: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(55)


def draw_model(V, end, pad, start, favour, mine=student):
    """A model with random logits that depend on document and all tokens; and a record of its calls."""
    diary, table = {"read": [], "new": []}, torch.randn(997, V, generator=g)
    table[:, end] += favour

    def ask(documents, tokens, new):
        diary["new"].append((len(tokens), new))
        return drawn_logits(table, documents, tokens, new)

    def note(ids, mask):
        diary["read"].append((ids.clone(), mask))

    return mine.Scripted(ask, note, start, end, pad), diary, ask


def draw_documents(B, S, pad):
    """Documents that begin with different numbers, ragged."""
    ids = torch.randint(0, 30, (B, S), generator=g)
    ids = ids + (ids >= pad).long()
    ids[:, 0] = 100 + torch.randperm(50, generator=g)[:B]
    ids[torch.arange(S) >= torch.randint(1, S + 1, (B, 1), generator=g)] = pad
    return ids


def same_texts(got, want, pad):
    """Equal except for pad tokens at the end, and a LongTensor."""
    is_long = isinstance(got, torch.Tensor) and got.ndim == 2 and got.dtype == torch.int64
    return is_long and len(got) == len(want) and without_padding(got, pad) == without_padding(want, pad)


CASES = [
    (4, 6, 9, 0, 1, 2, 7, 0.5),
    (1, 3, 5, 3, 0, 3, 9, 0.0),
    (6, 5, 20, 1, 7, 7, 12, 1.5),
    (3, 4, 8, 2, 5, 4, 6, -3.0),
]
with part("the right tokens", 1.25):
    for B, S, V, end, pad, start, longest, favour in CASES:
        model, diary, ask = draw_model(V, end, pad, start, favour)
        documents = draw_documents(B, S, pad)
        got = student.greedy_decode(model, documents, longest)
        plain = reference.Scripted(ask, lambda ids, mask: None, start, end, pad)
        want = reference.naive_decode(plain, documents, longest)
        assert same_texts(got, want, pad), "the most probable token at each position, pad tokens after the end token"
        assert got.shape[1] <= longest, "at most max_length tokens"
with part("no work done twice", 0.75):
    for B, S, V, end, pad, start, longest, favour in CASES:
        model, diary, ask = draw_model(V, end, pad, start, favour)
        documents = draw_documents(B, S, pad)
        plain = reference.Scripted(ask, lambda *_: None, start, end, pad)
        written = reference.naive_decode(plain, documents, longest).shape[1]
        diary["new"].clear()
        student.greedy_decode(model, documents, longest)
        assert len(diary["read"]) == 1, "the encoder reads the documents once"
        ids, mask = diary["read"][0]
        assert torch.equal(ids, documents) and torch.equal(torch.as_tensor(mask).bool(), documents != pad), (
            "the encoder gets all documents, and a mask that is 1 where they are not padded"
        )
        assert 0 < len(diary["new"]) <= written, (
            "one call for each token that is written, and none after all have ended"
        )
        assert all(rows <= B and new == 1 for rows, new in diary["new"]), "one new token per row and call"
with part("no gradients", 0.25):
    model, _, _ = draw_model(*CASES[0][2:6], 0.0)
    student.greedy_decode(model, draw_documents(3, 4, CASES[0][4]), 5)
    assert not model.recorded, "compute without gradients, in the encoder and in the decoder: with torch.no_grad()"
with part("on T5, as transformers does", 0.5):
    texts = [
        f"{'The storm closed schools in Arden. ' * int(n)}Two of them open."
        for n in torch.randperm(5, generator=g)[:4]  # of unequal length, so that there is padding
    ]
    ids = padded(tokenizer(texts)["input_ids"], 0)
    with torch.no_grad():
        want = t5.generate(
            input_ids=ids, attention_mask=(ids != 0).long(), max_length=17, do_sample=False, num_beams=1
        )[:, 1:]
    assert same_texts(student.greedy_decode(student.t5, ids, 16), want, 0), "transformers' generate gives other tokens"
### END HIDDEN TESTS

# %% [markdown]
# ### `beam_search` (3.5 points)
#
# The most probable token now may lead to an improbable text. Beam search keeps the `num_beams` best unfinished texts (*active hypotheses*) of each document. In each step, with $n$ = `num_beams`:
#
# 1. each of the $n$ active hypotheses is continued by each of the `V` tokens; a continuation's value is the sum of all its log-probabilities, $\sum_t \log P(y_t)$;
# 2. the $2n$ best of the $n \cdot V$ continuations of a document are considered, best first:
#    * one that ends with the end token is **finished** if it is among the $n$ best (else it is dropped). It is never continued;
#    * of the others, the $n$ best become the next active hypotheses.
#
# (So a single beam is not greedy decoding: when its text ends, the search continues with the second best token.) At the start all hypotheses of a document are the same; only one of them may be continued. When `max_length` tokens are written, the active ones count as finished as well. The result is, for each document, the finished hypothesis with the largest
#
# $$\text{score} = \frac{\sum_t \log P(y_t)}{T^{\,\text{length\_penalty}}},$$
#
# where `T` counts the written tokens, the end token included. With a penalty of 0 the sums are compared. A sum falls with each token, so among the finished texts of a document this favours short ones; with 1 the score is the mean per token. You may stop early only if this cannot change the result.
#
# With the cache, all hypotheses of all documents are the rows of one batch of B · n: row b · n + i is hypothesis i of document b. After each step rows change: some hypotheses have several continuations, some none. `select_rows(states, rows)` from above gives a cache, or the encoder's outputs, with the selected rows. The encoder still reads each document only once.
#
# *Worked example.* V = {end, a, b}, n = 2, `max_length` 3. At first P(end) = 0.1, P(a) = 0.5, P(b) = 0.4: *a* and *b* stay active. After *a*: P(end) = 0.4, P(a) = P(b) = 0.3; after *b*: P(end) = 0.9, the others 0.05. *b end* (0.36) and *a end* (0.20) are the two best continuations, so both are finished, and *a a*, *a b* (0.15 each) stay active. With `length_penalty` 1: *b end* has log(0.36)/2 = −0.511. With any continuation, *a a …* has at best log(0.15)/3 = −0.632. So the result is *b end*; greedy decoding would have written *a end*, with a probability of 0.20. The next cell draws this.
#
# <details><summary>Hint 1: idea</summary>
#
# Keep values `[B, n]`. At the start give the copies the value −∞, so they lose against every continuation of the first hypothesis.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# All continuations form `[B, n · V]`, ranked by one `topk`. Index $q$ means hypothesis $\lfloor q / V \rfloor$, continued by token $q \bmod V$.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# Repeat encoder outputs and mask with `rows` = 0, 0, …, 1, 1, … In each step: model, `log_softmax`, add the values, `topk(2n)`; keep finished texts with their scores; set the values of those that end to −∞ and take the best n; select rows of texts *and* cache.
#
# </details>


# %%
def draw_beams() -> Any:
    """The first two steps of the worked example."""
    figure, axes = new_figure(8.4, 3.9, grid=False)
    styles = {"active": ("o", COLOURS[0]), "finished": ("s", COLOURS[1]), "dropped": ("x", "0.45")}
    nodes = {
        "": (0, 3, 1.0, "active"),
        "a": (1, 4.5, 0.5, "active"),
        "b": (1, 1.5, 0.4, "active"),
        "end": (1, 0, 0.1, "dropped"),
        "a a": (2, 6, 0.15, "active"),
        "a b": (2, 5, 0.15, "active"),
        "a end": (2, 4, 0.2, "finished"),
        "b end": (2, 2.5, 0.36, "finished"),
        "b a": (2, 1.5, 0.02, "dropped"),
        "b b": (2, 0.5, 0.02, "dropped"),
    }
    for text, (x, y, p, kind) in nodes.items():
        if text:
            parent = nodes[" ".join(text.split()[:-1])]
            axes.plot([parent[0], x], [parent[1], y], color="0.75", linewidth=1, zorder=1)
        marker, colour = styles[kind]
        axes.scatter([x], [y], marker=marker, color=colour, s=70, zorder=2)
        axes.annotate(
            f"{text or 'start'}  {p:g}", (x, y), xytext=(9, -4) if x == 2 else (-6, 9), textcoords="offset points"
        )
    for kind, (marker, colour) in styles.items():
        axes.scatter([], [], marker=marker, color=colour, s=70, label=kind)
    axes.legend(loc="upper left")
    axes.set(xlim=(-0.1, 2.6), ylim=(-0.6, 6.6), xticks=[0, 1, 2], yticks=[])
    return finish(figure, axes, "Beam search with n = 2: texts and their probabilities", "tokens written", "")


draw_beams()


# %% nbgrader={"grade": false, "grade_id": "beam_search", "locked": false, "schema_version": 3, "solution": true, "task": false}
def beam_search(model, input_ids, num_beams, max_length, length_penalty=1.0):
    """Writes, for each document, the best text that beam search finds.

    Args:
        model: see the table at the beginning of this section; in evaluation mode.
        input_ids: the documents, LongTensor `[B, S]`, padded with the pad token at the end.
        num_beams: n, the number of active hypotheses of each document.
        max_length: the maximum number of tokens, the end token included.
        length_penalty: a hypothesis of T tokens has the score (sum of log P) / T ** length_penalty.

    Returns:
        LongTensor `[B, T]`, T at most `max_length`: the text after the start token, the end token included, pad after it.
    """
    ### BEGIN SOLUTION
    config, device, n, B = model.config, input_ids.device, num_beams, len(input_ids)
    attention_mask = (input_ids != config.pad_token_id).long()  # [B, S]
    repeated = torch.arange(B, device=device).repeat_interleave(n)  # [B·n]
    values = torch.full((B, n), -math.inf, device=device)
    values[:, 0] = 0.0
    texts = torch.full((B * n, 1), config.decoder_start_token_id, device=device)
    finished = [[] for _ in range(B)]  # (score, tokens)
    past = None
    with torch.no_grad():
        encoder_outputs = model.get_encoder()(input_ids=input_ids, attention_mask=attention_mask)
        encoder_outputs, attention_mask = select_rows(encoder_outputs, repeated), attention_mask[repeated]
        for length in range(1, max_length + 1):
            answer = model(
                encoder_outputs=encoder_outputs,
                attention_mask=attention_mask,
                decoder_input_ids=texts[:, -1:],
                past_key_values=past,
                use_cache=True,
            )
            log_p = answer.logits[:, -1].float().log_softmax(dim=1)  # [B·n, V]
            V = log_p.shape[1]
            best = (values[..., None] + log_p.view(B, n, V)).flatten(1).topk(min(2 * n, n * V))  # [B, 2n]
            ends = best.indices % V == config.eos_token_id
            for b, rank in ends[:, :n].nonzero().tolist():
                value = float(best.values[b, rank])
                if value > -math.inf:
                    text = texts[b * n + int(best.indices[b, rank]) // V, 1:].tolist()
                    finished[b].append((value / length**length_penalty, [*text, config.eos_token_id]))
            values, chosen = best.values.masked_fill(ends, -math.inf).topk(n, dim=1)  # [B, n]
            chosen = best.indices.gather(1, chosen)
            rows = (torch.arange(B, device=device)[:, None] * n + chosen // V).flatten()  # [B·n]
            texts = torch.cat([texts[rows], (chosen % V).view(-1, 1)], dim=1)
            longest = max_length if length_penalty > 0 else length
            could_reach = (values[:, 0] / longest**length_penalty).tolist()
            if all(done and max(done)[0] >= reach for done, reach in zip(finished, could_reach, strict=True)):
                break
            past = select_rows(answer.past_key_values, rows)
    for b in range(B):
        for row in range(b * n, (b + 1) * n):
            value = float(values.flatten()[row])
            if texts.shape[1] == max_length + 1 and value > -math.inf:
                finished[b].append((value / max_length**length_penalty, texts[row, 1:].tolist()))
    results = [max(done)[1] for done in finished]
    return padded(results, config.pad_token_id).to(device)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_beam_search", "locked": true, "points": 3.5, "schema_version": 3, "solution": false, "task": false} seconds=120
START, END, A, B_TOKEN, PAD = 4, 0, 1, 2, 3
FIRST, AFTER = [0.1, 0.5, 0.4], {A: [0.4, 0.3, 0.3], B_TOKEN: [0.9, 0.05, 0.05]}
OTHER = {A: [0.2, 0.35, 0.45], B_TOKEN: [0.02, 0.9, 0.08]}  # of a document that begins with 9
LATE = {(): [0.4, 0.35, 0.25], (A,): [0.3, 0.6, 0.1], (B_TOKEN,): AFTER[B_TOKEN], (A, A): [0.98, 0.01, 0.01]}  # with 5
asked, read, seen = [], [], []


def worked(documents, tokens, new):
    """The probabilities of the worked example, as logits; pad and start have the probability 0."""
    asked.append((len(tokens), new))
    rows = []
    for document, text in zip(documents.tolist(), tokens.tolist(), strict=True):
        if document == 9 and len(text) == 3:
            seen.append(text)
        probabilities = FIRST if len(text) == 1 else (OTHER if document == 9 else AFTER).get(text[-1], FIRST)
        if document == 5:
            probabilities = LATE.get(tuple(text[1:]), FIRST)
        rows.append([math.log(p) for p in probabilities] + [-1e9, -1e9])
    return torch.tensor(rows)[:, None].expand(-1, new, -1)


model = student.Scripted(worked, lambda ids, mask: read.append(len(ids)), START, END, PAD)
documents = torch.tensor([[7, 8]])
out = student.beam_search(model, documents, 2, 3)
assert isinstance(out, torch.Tensor) and out.dtype == torch.int64 and out.ndim == 2, "return a LongTensor [B, T]"
text = without_padding(out, PAD)[0]
assert text != [A, END], "this is the result of greedy decoding: keep num_beams hypotheses and compare whole texts"
assert text == [B_TOKEN, END], (
    "the worked example: b end. Is only one hypothesis continued at the start, where all are the same? Does T count the end "
    "token?"
)
assert read == [1], "the encoder reads each document once; repeat its outputs, do not call it again"
assert all(new == 1 for _, new in asked), "with the cache give only the new token of each row, [B·n, 1]"
assert all(rows <= 2 for rows, _ in asked), "one document with two beams has two rows"
assert without_padding(student.beam_search(model, documents, 1, 3), PAD)[0] == [A, END], "one beam: a end"
two = student.beam_search(model, torch.tensor([[7, 8], [9, 3]]), 2, 3)
assert sorted(seen) == [[START, A, B_TOKEN], [START, B_TOKEN, A]], (
    "after a document that begins with 9, first a and b are active, then b a (0.36) and a b (0.225), in changed rows. Does "
    "the cache follow, by select_rows? Is row b·n + i hypothesis i of document b?"
)
assert without_padding(two, PAD) == [[B_TOKEN, END], [A, B_TOKEN, A]], (
    "two documents: b end and a b a (0.2025). Do the texts follow when hypotheses change rows? Do active ones count at "
    "max_length?"
)
with part("length penalties", 0.5):
    short = without_padding(student.beam_search(model, documents, 3, 3, length_penalty=0.0), PAD)[0]
    assert short == [B_TOKEN, END], (
        "length_penalty 0: of all finished texts the one with the largest sum of log P, here log(0.36), whenever it ended"
    )
    long = without_padding(student.beam_search(model, documents, 3, 3, length_penalty=-2.0), PAD)[0]
    assert long == [END], "length_penalty -2: log(0.1)·1 = -2.3 beats log(0.36)·4 = -4.1"
    rank = without_padding(student.beam_search(model, torch.tensor([[9, 3]]), 2, 3, length_penalty=-2.0), PAD)[0]
    assert rank != [END], "end has rank 3 of the first continuations: it is finished only if it is among the n = 2 best"
    assert rank == [A, B_TOKEN, A], "no text ends within the n best here: the active ones count at max_length"
with part("stopping early", 0.25):
    late = without_padding(student.beam_search(model, torch.tensor([[5, 3]]), 2, 3), PAD)[0]
    assert late == [A, A, END], (
        "a document that begins with 5: end (0.4) and b end (0.225) finish first, but a a end (0.2058) has the best mean per "
        "token. Do you stop too early? What is the best score that an active hypothesis can still reach?"
    )
print("beam_search: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(56)


def scored(ask, document, text, start, penalty):
    """The score of a finished text."""
    logits = ask(torch.tensor([document]), torch.tensor([[start, *text[:-1]]]), len(text))[0]
    return float(logits.log_softmax(1)[torch.arange(len(text)), torch.tensor(text)].sum()) / len(text) ** penalty


def all_texts(V, end, longest):
    """Every text that ends, or has the maximum length."""
    open_texts, closed = [[]], []
    for _ in range(longest):
        open_texts = [[*text, token] for text in open_texts for token in range(V)]
        closed += [text for text in open_texts if text[-1] == end]
        open_texts = [text for text in open_texts if text[-1] != end]
    return closed + open_texts


def beam_model(V, end, pad, start, favour):
    """A model with random logits; where it never writes pad and start, neither does the search."""
    diary, table = {"read": 0, "rows": []}, 2 * torch.randn(997, V, generator=g)
    table[:, end] += favour

    def ask(documents, tokens, new):
        diary["rows"].append((len(tokens), new))
        return drawn_logits(table, documents, tokens, new)

    def note(ids, mask):
        diary["read"] += len(ids)
        diary["mask"] = torch.as_tensor(mask).bool()

    return ask, note, diary


def draw_ids(B, S, pad):
    """Documents that begin with different numbers, ragged."""
    ids = torch.randint(200, 230, (B, S), generator=g)
    ids[:, 0] = 100 + torch.randperm(50, generator=g)[:B]
    ids[torch.arange(S) >= torch.randint(1, S + 1, (B, 1), generator=g)] = pad
    return ids


# V, end; pad and start lie outside of the vocabulary
with part("the best text of all, where beams are many", 1):
    for V, end, longest, penalty, favour in [(3, 0, 3, 1.0, 0.0), (4, 2, 3, 0.0, 1.0), (3, 1, 4, 2.0, 1.0)]:
        ask, note, diary = beam_model(V, end, 98, 99, favour)
        ids = draw_ids(2, 3, 98)
        got = student.beam_search(student.Scripted(ask, note, 99, end, 98), ids, V**longest, longest, penalty)
        for row, document in zip(without_padding(got, 98), ids[:, 0].tolist(), strict=True):
            best = max(all_texts(V, end, longest), key=lambda text: scored(ask, document, text, 99, penalty))
            assert row == best, (
                "with so many beams no text is dropped: the best of all texts by sum of log P / T^penalty. Do you stop too "
                "early?"
            )
CASES = [
    (3, 4, 9, 0, 4, 7, 1.0, 1.0),
    (1, 3, 6, 5, 3, 9, 0.6, 0.0),
    (4, 5, 12, 1, 5, 6, 2.0, 2.0),
    (2, 3, 7, 3, 2, 8, 0.0, 1.0),
]
with part("the right beams", 1.25):
    for B, S, V, end, n, longest, penalty, favour in CASES:
        ask, note, diary = beam_model(V, end, 98, 99, favour)
        ids = draw_ids(B, S, 98)
        got = student.beam_search(student.Scripted(ask, note, 99, end, 98), ids, n, longest, penalty)
        want = reference.beam_search(reference.Scripted(ask, lambda a, b: None, 99, end, 98), ids, n, longest, penalty)
        assert isinstance(got, torch.Tensor) and got.dtype == torch.int64, "a LongTensor [B, T]"
        assert without_padding(got, 98) == without_padding(want, 98), (
            "the best finished hypothesis: do you stop too early? Are finished ones kept and not continued, scores divided by "
            "T^length_penalty?"
        )
        one = student.beam_search(student.Scripted(ask, note, 99, end, 98), ids, 1, longest, penalty)
        want = reference.beam_search(reference.Scripted(ask, lambda a, b: None, 99, end, 98), ids, 1, longest, penalty)
        assert without_padding(one, 98) == without_padding(want, 98), (
            "one beam follows the same rules: when its text ends, continue with the second best token"
        )
    for longest in (5, 7):
        end, patient, short = torch.randperm(6, generator=g)[:3].tolist()
        at_once = 0.45 + 0.1 * float(torch.rand((), generator=g))
        table = torch.full((7, 6), 0.02)  # the next token's probabilities after each token; the last row at the start
        table[patient, patient] = table[short, end] = 0.9
        table[6] = 0.05 * (1 - at_once) / 3
        table[6, [end, patient, short]] = torch.tensor([at_once, 0.6 * (1 - at_once), 0.35 * (1 - at_once)])

        def overtaken(documents, tokens, new, table=table):
            """At first the end token is most probable; one of the other texts overtakes it by its later tokens."""
            return table[tokens[:, -new:].clamp(max=6)].log()

        model = student.Scripted(overtaken, lambda ids, mask: None, 99, end, 98)
        got = student.beam_search(model, draw_ids(2, 3, 98), 2, longest)
        assert without_padding(got, 98) == [[patient] * longest] * 2, (
            "an active hypothesis can overtake finished ones by later tokens: do not stop while this may still happen"
        )
with part("negative length penalties", 0.25):
    for longest in (4, 8):
        end, a, b = torch.randperm(3, generator=g).tolist()
        at_once = 0.15 + 0.1 * float(torch.rand((), generator=g))
        table = torch.full((4, 3), 1 / 3)  # the next token's probabilities after each token; the last row at the start
        table[a] = 0.02
        table[a, end] = 0.96
        table[3, [end, a, b]] = torch.tensor([at_once, 0.9 - at_once, 0.1])

        def soon(documents, tokens, new, table=table):
            """Ending at once scores log(at_once), ending after one more token better: 2 log((0.9 - at_once) 0.96)."""
            return table[tokens[:, -new:].clamp(max=3)].log()

        got = student.beam_search(
            student.Scripted(soon, lambda ids, mask: None, 99, end, 98), draw_ids(2, 3, 98), 2, longest, -1.0
        )
        assert without_padding(got, 98) == [[a, end]] * 2, (
            "with a negative penalty a longer text scores worse: an active hypothesis does best when it ends at once, so "
            "divide its value by the present length to see whether it can still win"
        )
with part("no work done twice", 1):
    for B, S, V, end, n, longest, penalty, favour in CASES:
        ask, note, diary = beam_model(V, end, 98, 99, favour)
        ids = draw_ids(B, S, 98)
        student.beam_search(student.Scripted(ask, note, 99, end, 98), ids, n, longest, penalty)
        assert diary["read"] == B, "the encoder reads each document once"
        assert torch.equal(diary["mask"], ids != 98), "the encoder gets a mask that is 1 where documents are not padded"
        assert 0 < len(diary["rows"]) <= longest, "one call for each token that is written"
        assert all(rows <= B * n and new == 1 for rows, new in diary["rows"]), "one new token for each hypothesis"
with part("on T5, as transformers does", 1):
    texts = [
        f"{'The storm closed schools in Arden. ' * int(k)}Two of them open."
        for k in torch.randperm(5, generator=g)[:3]  # of unequal length, so that there is padding
    ]
    ids = padded(tokenizer(texts)["input_ids"], 0)
    for n, penalty in ((3, 1.0), (2, 0.5)):
        with torch.no_grad():
            want = t5.generate(
                input_ids=ids,
                attention_mask=(ids != 0).long(),
                max_length=11,
                do_sample=False,
                num_beams=n,
                length_penalty=penalty,
                early_stopping="never",
            )[:, 1:]
        got = student.beam_search(student.t5, ids, n, 10, penalty)
        assert without_padding(got, 0) == without_padding(want, 0), "transformers' generate gives other tokens"
### END HIDDEN TESTS

# %% [markdown]
# ## 5. Your own Transformer learns to write
#
# `EncoderDecoder` from section 4 is made of *your* layers. Now it learns from the stories and writes with *your* loops.
#
# ### `train_step` (4 points)
#
# A large batch may not fit into memory. So it comes as several *small batches*, whose gradients are accumulated. **The step must be exactly the one that a single batch with all these rows would make.** In 2024 well-known libraries were found to miss this when texts differ in length. Where do the lengths enter? Section 2 says over what the loss is a mean.
#
# * The model is called as in section 4, but with all right tokens at once (teacher forcing), without a cache, and with gradients: the encoder learns, too.
# * The gradient of a small batch is computed before the next one is read, so that only one batch's intermediate results are in memory.
# * *Clipping*: if the gradient of the whole batch, over all weights together, has a norm above `max_norm`, scale it to `max_norm` (`nn.utils.clip_grad_norm_`).
# * The optimizer takes one step. Gradients from before the call do not count.
#
# *Worked numbers.* In `Bigram` below, the logits of the next token are a row for the last token plus the mean of rows for the document's tokens. All weights are 0, V = 4, pad 0, end 1, start 2, and 3 is a word. Two small batches: document [3] with labels [1], document [3, 3] with labels [3, 3, 1]. All probabilities are ¼, so the loss is log 4 = **1.386294**. Plain gradient descent with rate 1 makes the start token's row **(−0.125, 0.125, −0.125, 0.125)**. The whole gradient has the norm √0.375 = 0.6124; with `max_norm` = 0.3062 the row moves half as far.
#
# <details><summary>Hint 1: idea</summary>
#
# The loss of the large batch is a sum over tokens, divided by their number. You must know the divisor before the first `backward`.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# If $n_k$ tokens of small batch $k$ count, its `sequence_loss` $\ell_k$ contributes $n_k \ell_k / \sum_j n_j$.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# Count labels that are not −100. Clear the gradients. For each pair: mask, `shift_right`, encoder, decoder, weighted loss, `backward`. Then clip, step.
#
# </details>


# %%
class Bigram(nn.Module):
    """A small model with the interface of section 4, for the tests.

    `note` is called with "read" for each batch of documents, and with "gradient" for each backward pass.
    """

    def __init__(self, vocabulary: int, start_id: int, end_id: int, pad_id: int, note=lambda _what: None) -> None:
        super().__init__()
        self.document, self.last = (nn.Embedding(vocabulary, vocabulary) for _ in range(2))
        nn.init.zeros_(self.document.weight)
        nn.init.zeros_(self.last.weight)
        ids = {"decoder_start_token_id": start_id, "eos_token_id": end_id, "pad_token_id": pad_id}
        self.config = SimpleNamespace(**ids)
        self.document.register_forward_pre_hook(lambda *_: note("read"))
        self.last.weight.register_hook(lambda _gradient: note("gradient"))
        accept_both_cache_names(self)

    def get_encoder(self) -> Any:
        """The encoder."""
        return self.read

    def read(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor]:
        """The mean over the rows of the document's tokens, `[B, 1, V]`."""
        self.mask = attention_mask
        share = attention_mask / attention_mask.sum(dim=1, keepdim=True)
        return ((share[..., None] * self.document(input_ids)).sum(dim=1, keepdim=True),)

    def forward(
        self, encoder_outputs, attention_mask, decoder_input_ids, past_key_values=None, use_cache=None
    ) -> Answer:
        """Logits of the next tokens."""
        if bool((decoder_input_ids < 0).any()):
            raise ValueError("decoder_input_ids holds -100, which is not a token: use shift_right.")
        if not torch.equal(torch.as_tensor(attention_mask).long(), self.mask.long()):
            raise ValueError("the decoder needs the attention_mask of the documents, as the encoder.")
        return Answer(self.last(decoder_input_ids) + encoder_outputs[0], None)


def make_optimizer(model: nn.Module, lr: float, adam: bool = False) -> torch.optim.Optimizer:
    """Plain gradient descent or Adam, on all weights of the model."""
    return (torch.optim.Adam if adam else torch.optim.SGD)(model.parameters(), lr=lr)


def leave_gradients(model: nn.Module) -> None:
    """Leaves gradients of 7 in the weights of the last token, as code before a step may do."""
    (7 * model.last.weight.sum()).backward()


# %% nbgrader={"grade": false, "grade_id": "train_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_step(model, optimizer, batches, max_norm):
    """One step of the optimizer on several small batches: the step of the one batch that holds all their rows.

    Args:
        model: see the table of section 4; its weights are changed in place. Leave its mode (training or evaluation) as it is.
        optimizer: of all weights of the model; takes exactly one step.
        batches: a list of pairs (input_ids `[B, S]`, labels `[B, T]`). The documents are padded with the pad token, the
            labels with −100. B, S and T differ from pair to pair; in each pair at least one label is not −100.
        max_norm: the largest norm that the gradient of all weights together may have in the step.

    Returns:
        The loss of all rows together before the step, a float in nats. Example: see the worked numbers, 1.386294.
    """
    ### BEGIN SOLUTION
    ids = model.config
    tokens = [int((labels != -100).sum()) for _, labels in batches]
    whole_loss = 0.0
    optimizer.zero_grad(set_to_none=True)
    for (input_ids, labels), counted in zip(batches, tokens, strict=True):
        real = (input_ids != ids.pad_token_id).long()  # [B, S]
        right_tokens = shift_right(labels, ids.decoder_start_token_id, ids.pad_token_id)  # [B, T]
        document_states = model.get_encoder()(input_ids=input_ids, attention_mask=real)
        answer = model(encoder_outputs=document_states, attention_mask=real, decoder_input_ids=right_tokens)
        share_of_loss = counted / sum(tokens) * sequence_loss(answer.logits, labels)
        share_of_loss.backward()
        whole_loss += share_of_loss.item()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return whole_loss
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_train_step", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} seconds=30
pairs = [
    (torch.tensor([[3]]), torch.tensor([[1]])),
    (torch.tensor([[3, 3]]), torch.tensor([[3, 3, 1]])),
]
one_step = modules_may_change()(student.train_step)  # it may change the model, and no other argument


happened = []


def note(what):
    """Records what the model is used for."""
    happened.append(what)


def in_turn(count):
    """Was each of so many small batches read once, and was its backward pass done before the next one was read?"""
    said = "".join("r" if what == "read" else "g" for what in happened)
    backward_passes = said.split("r")[1:]  # those after each time that a small batch was read
    return len(backward_passes) == count and all(backward_passes)


def worked_step(max_norm=9.0, before=None):
    """The model, the loss and the number of the optimizer's steps after one call on the worked example."""
    happened.clear()
    model, steps = student.Bigram(4, 2, 1, 0, note), []
    optimizer = student.make_optimizer(model, 1.0)
    optimizer.register_step_pre_hook(lambda *_: steps.append(1))
    if before is not None:
        before(model)
    return model, one_step(model, optimizer, pairs, max_norm), len(steps)


def row_of(model, token):
    """The weights that belong to this last token."""
    return model.last.weight.detach()[token].clone()


def helpers_fit():
    """Are your shift_right and sequence_loss right on a small case? (If not, fix them first.)"""
    with contextlib.suppress(Exception):
        moved = student.shift_right(torch.tensor([[3, 1, -100]]), 2, 0).tolist() == [[2, 3, 1]]
        loss = student.sequence_loss(torch.tensor([[[0.0, math.log(3.0)], [0.0, 0.0]]]), torch.tensor([[0, -100]]))
        return moved and abs(float(loss) - math.log(4.0)) < 1e-4
    return False


model, loss, steps = worked_step()
one_at_a_time = in_turn(2)
assert isinstance(loss, float), "return the loss as a float, for instance by .item()"
assert steps == 1, "the optimizer takes one step in all, after the last small batch"
if helpers_fit():  # the numbers below need both
    got, up = row_of(model, 2), torch.tensor([-0.125, 0.125, -0.125, 0.125])
    assert bool(got.any()), "no weight changed: a gradient must reach the weights (no torch.no_grad() here)"
    assert not torch.allclose(got, torch.tensor([-1 / 6, 1 / 3, -1 / 6, 0.0]), atol=1e-3), (
        "this is the mean of the small batches' means. The step of one large batch is another one: where do the lengths enter?"
    )
    assert not torch.allclose(got, torch.tensor([-1 / 3, 2 / 3, -1 / 3, 0.0]), atol=1e-3), (
        "the small batches' means are added: one large batch makes a smaller step"
    )
    assert not torch.allclose(got, 4 * up, atol=1e-3), "the step is too large: over what is the loss a mean?"
    assert close(
        got, up, "the worked row of the start token: the mean over all four tokens, one step down its gradient"
    )
    assert abs(loss - 2 * math.log(4.0)) > 1e-3, "the loss of all rows together is a mean, not the sum of means"
    assert close(loss, math.log(4.0), "the worked loss, of all tokens and before the step", rtol=1e-3)
    assert bool(model.document.weight.detach().any()), "the encoder learns, too: its outputs need gradients"
    half = row_of(worked_step(max_norm=0.5 * math.sqrt(0.375))[0], 2)
    assert not torch.allclose(half, up, atol=1e-3), "clip the gradient before the step: its norm is above max_norm"
    assert close(
        half, up / 2, "clip once, the accumulated gradient of all weights together, not each part alone", rtol=1e-3
    )
    with part("gradients from before the call", 0.5):
        stale = worked_step(before=student.leave_gradients)[0]
        assert close(row_of(stale, 2), up, "gradients from before the call do not count: clear them first")
with part("one small batch in memory", 0.5):
    assert one_at_a_time, "read each small batch once, and call backward for it before the next one is read"
with part("the model's mode", 0.25):
    assert model.training, "leave the model in the mode in which you got it: no train(), no eval()"
    learnt, _, _ = worked_step(before=lambda model: model.eval())
    assert not learnt.training, "leave the model in the mode in which you got it: no train(), no eval()"
print("train_step: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(57)


def draw_pairs(sizes, V, pad):
    """Small batches of these sizes [(B, S, T), ...], ragged; documents and labels never hold the pad token elsewhere."""
    made = []
    for B, S, T in sizes:
        ids, labels = (torch.randint(0, V - 1, (B, length), generator=g) for length in (S, T))
        ids, labels = ids + (ids >= pad).long(), labels + (labels >= pad).long()
        ids[torch.arange(S) >= torch.randint(1, S + 1, (B, 1), generator=g)] = pad
        labels[torch.arange(T) >= torch.randint(1, T + 1, (B, 1), generator=g)] = -100
        made.append((ids, labels))
    return made


def both_models(V, start, end, pad, lr, adam):
    """The same model here and on the student's side, with their optimizers."""
    mine, theirs = Bigram(V, start, end, pad), student.Bigram(V, start, end, pad, note)
    with torch.no_grad():
        for weight in mine.parameters():
            weight.copy_(torch.randn(weight.shape, generator=g))
    theirs.load_state_dict(mine.state_dict())
    return mine, theirs, make_optimizer(mine, lr, adam), student.make_optimizer(theirs, lr, adam)


def large_step(model, optimizer, pairs, max_norm):
    """The step of the large batch, with all rows computed before one backward; returns loss and norm."""
    config, sums, count = model.config, 0.0, 0
    for ids, labels in pairs:
        before = torch.cat([torch.full_like(labels[:, :1], config.decoder_start_token_id), labels[:, :-1]], dim=1)
        mask = (ids != config.pad_token_id).long()
        answer = model(model.read(ids, mask), mask, before.where(before != -100, config.pad_token_id))
        sums = sums + F.cross_entropy(answer.logits.transpose(1, 2), labels, reduction="sum")  # -100 is ignored
        count += int((labels != -100).sum())
    optimizer.zero_grad()
    (sums / count).backward()
    norm = math.sqrt(sum(float(weight.grad.square().sum()) for weight in model.parameters()))
    for weight in model.parameters():
        weight.grad *= min(1.0, max_norm / norm)
    optimizer.step()
    return (sums / count).item(), norm


def same_weights(mine, theirs, hint):
    """Have both models the same weights?"""
    state = dict(theirs.state_dict())
    return all(
        close(state[name].detach(), weight, hint, rtol=1e-3, atol=2e-5) for name, weight in mine.state_dict().items()
    )


CASES = [
    (7, 3, 5, 0, [(2, 3, 6), (4, 5, 2)]),
    (9, 0, 1, 4, [(1, 2, 1), (3, 4, 7), (2, 6, 3)]),
    (5, 2, 4, 1, [(3, 4, 5)]),
    (11, 6, 0, 10, [(1, 1, 9), (5, 3, 2), (1, 4, 1), (2, 2, 2)]),
]


def compare(case, lr, max_norm, rounds=1, adam=False):
    """Takes some steps on both sides; yields (models, losses) after each."""
    V, start, end, pad, sizes = case
    mine, theirs, optimizer, their_optimizer = both_models(V, start, end, pad, lr, adam)
    for _ in range(rounds):
        drawn = draw_pairs(sizes, V, pad)
        wanted, norm = large_step(mine, optimizer, drawn, max_norm)
        happened.clear()
        yield mine, theirs, one_step(theirs, their_optimizer, drawn, max_norm), wanted, norm


with part("the step of the large batch", 2):
    for case in CASES:
        for mine, theirs, _, _, _ in compare(case, 0.5, 1e3):
            assert same_weights(
                mine, theirs, "the step must be that of one batch with all rows: each token counts alike"
            )
    for mine, theirs, _, _, _ in compare(CASES[1], 0.1, 1e3, rounds=3, adam=True):
        assert same_weights(mine, theirs, "with Adam, after several calls: one step of the optimizer in each call")
with part("clipping", 1):
    for case in CASES:
        for mine, theirs, _, _, norm in compare(case, 1.0, 0.02, rounds=2):
            assert norm > 0.02
            hint = "clip the accumulated gradient of all weights together, once, to max_norm"
            assert same_weights(mine, theirs, hint)
with part("the loss", 0.75):
    for case in CASES:
        for _, _, got, wanted, _ in compare(case, 0.5, 1.0, rounds=2):
            assert close(float(got), wanted, "the loss of all rows together, before the step", rtol=1e-3)
with part("one small batch in memory, others", 0.5):
    for case in CASES:
        for _ in compare(case, 0.5, 1e3):
            assert in_turn(len(case[4])), "backward comes before the next small batch is read; each is read once"
### END HIDDEN TESTS

# %% [markdown]
# Now train; each batch comes as two halves. One trap: T5 starts each text with the *pad token*, but your stack takes it for padding. So your network starts with `<unk>`.
#
# **Predict, then run.** Your network has random weights and sees 300 batches of 16 stories. Will it write sentences? With the facts of the story? Will beam search help?


# %%
BATCH = run.size(full=32, mini=16, grade=2)
LEARNING_RATE = run.size(full=1e-4, mini=3e-3, grade=3e-3)
PREFIX = run.size(full="summarize: ", mini="", grade="")  # T5-small was trained with its task given in words
LONGEST_DOCUMENT = run.size(full=384, mini=96, grade=96)
LONGEST_SUMMARY = run.size(full=64, mini=26, grade=8)


def document_ids(documents: list[str]) -> list[list[int]]:
    """Token ids of documents, with the end token, cut to LONGEST_DOCUMENT."""
    return tokenizer([PREFIX + text for text in documents], max_length=LONGEST_DOCUMENT, truncation=True)["input_ids"]


def summary_ids(summaries: list[str]) -> list[list[int]]:
    """Token ids of summaries, with the end token, cut to LONGEST_SUMMARY."""
    return tokenizer(list(summaries), max_length=LONGEST_SUMMARY, truncation=True)["input_ids"]


def collate(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    """A batch with the model's arguments."""
    pad_id = tokenizer.pad_token_id
    input_ids = padded([row["input_ids"] for row in rows], pad_id)  # [B, S]
    labels = padded([row["labels"] for row in rows], -100)  # [B, T]
    return {
        "input_ids": input_ids,
        "attention_mask": (input_ids != pad_id).long(),
        "labels": labels,
        "decoder_input_ids": shift_right(labels, t5.config.decoder_start_token_id, pad_id),
    }


OWN_SIZE = run.size(
    full={"dim": 256, "heads": 8, "hidden": 1024, "layers": 3}, mini={"dim": 64}, grade={"dim": 16, "layers": 1}
)
OWN_RATE = run.size(full=5e-4, mini=5e-3, grade=5e-3)


def own_batches(rows: list[dict[str, list[int]]], steps: int, seed: int) -> list[list[list[int]]]:
    """For each step the numbers of the rows in its two small batches."""
    source, plan = random.Random(seed), []
    while len(plan) < steps:
        plan += batches_by_length([len(row["input_ids"]) for row in rows], BATCH, source)
    return [[half for half in (batch[::2], batch[1::2]) if half] for batch in plan[:steps]]


def train_own(name: str, rows: list[dict[str, list[int]]], seed: int = run.seed) -> tuple[nn.Module, list[float]]:
    """Your `EncoderDecoder` after STEPS of your steps, and the losses."""
    homework.seed_everything(seed)
    start_id, end_id, pad_id = tokenizer.unk_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    model = EncoderDecoder(
        t5.config.vocab_size, **OWN_SIZE, longest=LONGEST_DOCUMENT, start_id=start_id, end_id=end_id, pad_id=pad_id
    )
    for table in (each for each in model.modules() if isinstance(each, nn.Embedding)):
        nn.init.normal_(table.weight, std=0.3)
    model.to(run.device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=OWN_RATE)
    warm_up = max(1, STEPS // 10)  # the rate rises for a tenth of the steps, then falls to 0
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm_up, (STEPS - step) / (STEPS - warm_up))
    )
    code = [train_step, shift_right, sequence_loss, TransformerLayer, TransformerStack, train_own, OWN_RATE, BATCH]
    modules = {"model": model, "optimizer": optimizer, "schedule": schedule}
    loop = training.Loop(run, name, steps=STEPS, modules=modules, code=code, seed=seed)
    plan = own_batches(rows, STEPS, seed)
    for step in loop:
        parts = [collate([rows[i] for i in half]) for half in plan[step]]
        pairs = [(each["input_ids"].to(run.device), each["labels"].to(run.device)) for each in parts]
        loop.record(loss=train_step(model, optimizer, pairs, 1.0))
        schedule.step()
    return model.eval(), loop.history["loss"]


def write_summaries(model, documents: list[str], decode) -> list[str]:
    """Summaries of all documents, in their order; `decode(model, input_ids, max_length)` writes them."""
    ids, texts = document_ids(documents), [""] * len(documents)
    by_length = sorted(range(len(ids)), key=lambda i: len(ids[i]))  # little padding
    for start in range(0, len(ids), 50):
        rows = by_length[start : start + 50]
        batch = padded([ids[i] for i in rows], tokenizer.pad_token_id).to(run.device)
        written = tokenizer.batch_decode(decode(model, batch, LONGEST_SUMMARY))
        for i, text in zip(rows, written, strict=True):
            texts[i] = text
    return texts


# %% tags=["train"]
STEPS = run.size(full=3 * math.ceil(len(data.train) / BATCH), mini=300, grade=2)  # in `full` three epochs
train_rows = [
    {"input_ids": document, "labels": summary}
    for document, summary in zip(document_ids(data.train.documents), summary_ids(data.train.summaries), strict=True)
]
own, own_losses = train_own("own", train_rows)

# %% tags=["experiment"]
FEW = run.size(full=200, mini=100, grade=2)


def with_beams(model, input_ids, max_length) -> torch.Tensor:
    """Your `beam_search` with four beams."""
    return beam_search(model, input_ids, 4, max_length)


print(f"{sum(each.numel() for each in own.parameters()):,} weights")
own_texts = {
    "greedy": write_summaries(own, test_documents[:FEW], greedy_decode),
    "four beams": write_summaries(own, test_documents[:FEW], with_beams),
}
own_scores = {name: compute_rouge(texts, test_summaries[:FEW]) for name, texts in own_texts.items()}
for name, found in own_scores.items():
    print(f"{name:12s}" + ", ".join(f"{kind} {100 * value:.1f}" for kind, value in found.items()))
for number in range(min(3, FEW)):
    print()
    show("a person:", test_summaries[number])
    for name, texts in own_texts.items():
        show(f"{name}:", texts[number].replace("<pad>", "").replace("</s>", "").strip())
plots.curves(
    {"loss": own_losses},
    title="Your own network while it learns",
    xlabel="step",
    ylabel="loss, nats per token",
    smooth=20,
    levels={"all tokens alike": math.log(t5.config.vocab_size)},
)

# %% [markdown]
# The dashed line is log V. In `mini` expect a ROUGE-L from 38 to 58 for greedy decoding, and between one and eight points more for four beams (six seeds). Which words come from *this* story?
#
# ## 6. What the cache saves
#
# `make_endless()` gives a Transformer of your layers with random weights that never writes the end token, so each text reaches `max_length`. `seconds_to_write` measures one way of decoding.
#
# **Predict, then run.** How does the time for a whole text grow with its length, with and without the cache? At which length is one way twice as fast as the other? Five times?

# %%
ON_GPU = run.device.type == "cuda"  # a GPU needs more work at once before the work shows in the time
DECODED = 64 if ON_GPU else run.size(full=16, mini=16, grade=2)  # texts at once
LENGTHS = run.size(full=(8, 16, 32, 64, 128), mini=(8, 16, 32, 64, 128), grade=(2, 4))


def seconds_to_write(decode, model, input_ids, length, repeats=3):
    """Seconds of computing that `decode(model, input_ids, length)` takes, the fewest of some attempts.

    On a CPU it is the time that this process computes, so other programs on a busy machine do not count.
    """
    clock = time.perf_counter if input_ids.is_cuda else time.process_time
    taken = []
    for _ in range(repeats):
        begun = clock()
        decode(model, input_ids, length)
        if input_ids.is_cuda:
            torch.cuda.synchronize()
        taken.append(clock() - begun)
    return min(taken)


def make_endless() -> nn.Module:
    """A Transformer of your layers that never writes the end token."""
    homework.seed_everything(run.seed)
    size = {"dim": 512, "heads": 8, "hidden": 2048, "layers": 6} if ON_GPU else {"dim": 96}
    return EncoderDecoder(**size, longest=300, end_id=-1).to(run.device).eval()


# %% [markdown]
# ### Task: the picture (4 points)
#
# Draw the time to write against the length (`LENGTHS`), decoding `DECODED` documents of 40 random tokens (3 to 99) at once with the network of `make_endless()`: one curve for `naive_decode`, one for `greedy_decode`. Choose axes on which linear and quadratic growth look different, print how many times faster the cache is at each length, and check first that both write the same tokens. Say in two or three sentences (as comments) how each curve grows, why the cache saves little for short texts, and which work with the cache still grows with the length.

# %% nbgrader={"grade": true, "grade_id": "figure_decoding", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false} tags=["experiment"]
### BEGIN SOLUTION
endless = make_endless()
random_documents = torch.randint(3, 100, (DECODED, 40), generator=torch.Generator().manual_seed(run.seed))
random_documents = random_documents.to(run.device)
shortest = LENGTHS[0]
assert torch.equal(
    greedy_decode(endless, random_documents, shortest), naive_decode(endless, random_documents, shortest)
)
naive_seconds = [seconds_to_write(naive_decode, endless, random_documents, length) for length in LENGTHS]
cached_seconds = [seconds_to_write(greedy_decode, endless, random_documents, length) for length in LENGTHS]
for length, slow, fast in zip(LENGTHS, naive_seconds, cached_seconds, strict=True):
    print(f"{length:4d} tokens: {slow / fast:.1f} times faster with the cache")
# On logarithmic axes a power is a straight line, its exponent the slope: with the cache the slope is about 1 (each token
# costs the same), without it the slope rises towards 2. For short texts the cache saves little, since a call has a fixed
# cost (Python, starting the operations) that does not depend on the number of positions. With the cache one part still
# grows: each new query is compared with all keys so far, so attention is quadratic in total, but this is a small part
# of the work here.
plots.curves(
    {"naive": (list(LENGTHS), naive_seconds), "with the cache": (list(LENGTHS), cached_seconds)},
    title="Time to write, with and without the cache",
    xlabel="length of the texts in tokens",
    ylabel=f"seconds to write {DECODED} texts",
    logx=True,
    logy=True,
)
### END SOLUTION
### BEGIN MARK SCHEME
# - 1 point: both curves over the given lengths, measured with the own functions; labelled axes, logarithmic (or others on which linear and quadratic growth look different)
# - 1 point: the ratios printed, and a check that both ways write the same tokens
# - 1 point: cached about linear, naive about quadratic, consistent with the own figure (slopes, or ratios that grow with the length)
# - 1 point: fixed cost per call as the reason for short texts, or attention over all cached positions as what still grows
### END MARK SCHEME

# %% [markdown]
# ## 7. Fine-tuning compared with training from scratch
#
# Now two T5s learn to summarize: **the same architecture, the same stories in the same order, the same number of steps**, the same optimizer. They differ only in the initial weights: random ones, or those of T5, which was pre-trained on unlabelled text by *span corruption* (Raffel and others 2020): pieces of a text are removed, and the network writes them.
#
# The library's `Seq2SeqTrainer` handles batches, optimizer, learning rate and checkpoints. Your `shift_right` makes the decoder's input, your `sequence_loss` the loss.
#
# **Predict, then run.** After how many steps does the pre-trained network reach the loss that the other one has at the end? Will their ROUGE-L differ by 2 points, 10 or 20?


# %%
def loss_of(outputs, labels, num_items_in_batch=None):
    """What the trainer minimises."""
    return sequence_loss(outputs.logits, labels)


def train_summarizer(name: str, pretrained: bool, seed: int = run.seed) -> tuple[Any, tuple[list[int], list[float]]]:
    """A T5 after STEPS steps on stories and summaries, and its curve: steps and losses."""
    from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments, T5Config, T5ForConditionalGeneration

    from homework.train.transformers_trainer import fit, settings

    homework.seed_everything(seed)
    if pretrained:
        model = from_pretrained(T5ForConditionalGeneration, t5_name(run))
    else:
        model = T5ForConditionalGeneration(from_pretrained(T5Config, t5_name(run)))
    shared = settings(
        run,
        name,
        steps=STEPS,
        batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        seed=seed,
        code=[shift_right, sequence_loss, PREFIX, LONGEST_DOCUMENT, LONGEST_SUMMARY, data.name],
    )
    trainer = Seq2SeqTrainer(
        model=model,
        args=Seq2SeqTrainingArguments(**shared),
        train_dataset=train_rows,
        data_collator=collate,
        compute_loss_func=loss_of,
    )
    curve = fit(trainer, name)
    return accept_both_cache_names(model.eval()), curve


# %% tags=["train"]
from_scratch, scratch_curve = train_summarizer("from-scratch", pretrained=False)
fine_tuned, tuned_curve = train_summarizer("fine-tuned", pretrained=True)
for kept in (fine_tuned, tokenizer):  # in `full` the notebook on human feedback starts from them
    kept.save_pretrained(saved_summarizer_folder(run))

# %% tags=["experiment"]
plots.curves(
    {"from scratch": scratch_curve, "fine-tuned": tuned_curve},
    title="Two networks that differ in their first weights only",
    xlabel="step",
    ylabel="loss on training stories, nats per token",
)

# %% [markdown]
# In `mini` the fine-tuned network needs fewer than 40 steps to reach the loss that the other one has after 300, and that one is still falling.
#
# A loss is not a score. So let both write summaries of held-out stories, with your `greedy_decode`.

# %% tags=["experiment"]
written = {
    "from scratch": write_summaries(from_scratch, test_documents, greedy_decode),
    "fine-tuned": write_summaries(fine_tuned, test_documents, greedy_decode),
}
scores = {"first sentence": lead_scores}
scores |= {name: compute_rouge(texts, test_summaries) for name, texts in written.items()}
print(
    f"{'ROUGE (times 100)':20s}{'1':>8s}{'2':>8s}{'L':>8s}   {len(test_summaries)} test stories, profile {run.profile}"
)
for name, found in scores.items():
    print(f"{name:20s}" + "".join(f"{100 * found[kind]:8.1f}" for kind in ("rouge1", "rouge2", "rougeL")))

# %% [markdown]
# In `mini` expect a ROUGE-L from 42 to 53 from scratch and from 67 to 76 fine-tuned (five seeds), against 21 for the first sentence. Now look at the texts:

# %% tags=["experiment"]
for number in range(3):
    show(f"story {number}:", test_documents[number])
    show("a person:", test_summaries[number])
    for name, texts in written.items():
        show(f"{name}:", texts[number].replace("<pad>", "").replace("</s>", "").strip())
    print()

# %% [markdown]
# Look for three things: is the *kind* of event right? Are names, places and numbers those of the story? Is the sentence well formed? ROUGE counts a wrong name like any other word; for a reader it makes the summary useless.
#
# **Does beam search help?** Your `beam_search` with four beams:

# %% tags=["experiment"]
by_beams = write_summaries(fine_tuned, test_documents, with_beams)
beam_scores, greedy_scores = compute_rouge(by_beams, test_summaries), scores["fine-tuned"]
for name, found in (("greedy", greedy_scores), ("four beams", beam_scores)):
    print(f"{name:12s}" + ", ".join(f"{kind} {100 * value:.1f}" for kind, value in found.items()))

# %% [markdown]
# In `mini` four beams gain between half a point and four points of ROUGE-L (five seeds): the larger search finds slightly better texts here. The decoder has four times as many rows to compute.
#
# **Where the method fails.** ROUGE rewards the words of one reference: a faithful summary in other words scores low, a fluent one with the wrong winner scores high. And equal steps are not equal cost: pre-training has a large cost, paid once for all later tasks.

# %% [markdown]
# ## 8. Questions
#
# ### (a) From scratch (2 points)
#
# Give ROUGE-1, ROUGE-2 and ROUGE-L of the T5 trained from scratch, name the profile, and compare with the first sentence. What has it learnt, and what not? Two or three sentences.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_scratch", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Profile mini: the numbers are those of the table above, in the row "from scratch", near ROUGE-1 50, ROUGE-2 25 and ROUGE-L 48; the first sentence has about half of that, or less, in each score.
#
# It has learnt the form (every output is a well-formed summary) and often the kind of event. It has not learnt to copy: places and names are frequent ones of the training stories, not those of this story, and sometimes the kind of event is wrong as well.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: the three numbers, with the profile, fitting the own outputs, and the comparison with the first sentence
# * 1 point: an observation from the own examples of what was learnt (form, kind of event) and what not (copying the right names and numbers; in `full` hardly more than frequent phrases)
# ### END MARK SCHEME

# %% [markdown]
# ### (b) How T5 was trained (4 points)
#
# T5's authors (Raffel and others 2020) trained with *AdaFactor*, in both phases. Pre-training took 524,288 steps, with the learning rate $1 / \sqrt{\max(n, k)}$ at step $n$ and $k$ = 10,000. Fine-tuning took 262,144 steps with the constant rate 0.001. AdaFactor is like Adam, but for a weight matrix it keeps one running mean for each row and one for each column of the squared gradients, where Adam keeps one for each weight. (Leave momentum aside.)
#
# 1. Give the pre-training rate at steps 1, 10,000, 40,000 and 524,288. What is its largest value, and for how many steps?
# 2. How many running means does AdaFactor keep for a matrix of 512 × 2048 weights, and how many Adam?
# 3. Why is a rate good that is constant at first and falls later, when all weights begin at random?
# 4. Why a smaller, constant rate for fine-tuning? Compare it with the rate at the end of pre-training.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_t5", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# 1. 0.01, 0.01, 0.005 and 0.00138. The peak is 0.01, for the first 10,000 steps; then the rate falls as 1/√n.
# 2. AdaFactor 512 + 2048 = 2,560; Adam 512 · 2048 = 1,048,576, about 410 times as many.
# 3. Random weights are far from any good solution: large steps bring them there fast, and a gradient of one batch need not be exact. Near a solution the noise of the batches moves the weights about, the more the larger the step; a falling rate averages it out.
# 4. Fine-tuning starts near a good solution and has few data. A rate of 0.01 would destroy pre-trained weights before the network has learnt from the small data set. 0.001 is about the rate at which pre-training ended (0.0014), so the weights are used to steps of this size; so few steps are needed that the rate need not fall.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: 0.01, 0.01, 0.005, about 0.0014; peak 0.01 for 10,000 steps
# * 1 point: 2,560 and 1,048,576
# * 1 point: far from a solution large steps help, near it the batches' noise asks for smaller ones
# * 1 point: fine-tuning starts near a good solution that large steps would destroy (few data), and 0.001 is close to the last rate of pre-training
# ### END MARK SCHEME

# %% [markdown]
# ### (c) Fine-tuned (3 points)
#
# Give ROUGE-1, ROUGE-2 and ROUGE-L of the fine-tuned network and compare them with (a). Which of the three differs most, relatively, and why? Name one thing that both networks learn equally well in your run, and one that only the fine-tuned one can, with an example from your outputs.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_tuned", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Profile mini: the row "fine-tuned", near ROUGE-1 77, ROUGE-2 58 and ROUGE-L 71. ROUGE-2 differs most, relatively: it doubles or more, while ROUGE-1 grows by about a half. For a common pair two neighbouring words must both be right, and names, which the network from scratch gets wrong, are in many pairs.
#
# Both write grammatical sentences of the right form. Only the fine-tuned one takes places and names from the story: where the story tells of a fire at a hospital in Arden, it writes "A fire at a hospital in Arden", and the other one invents a hotel in another town. The fine-tuned one still makes mistakes in numbers, and in first names that are far from the event.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: the three numbers with the profile, fitting the own outputs, clearly above (a)
# * 1 point: which score differs most, relatively (usually ROUGE-2), with a reason (pairs need two right words in a row)
# * 1 point: something both learn, something only the fine-tuned one does, with an example from the own outputs
# ### END MARK SCHEME

# %% [markdown]
# ### (d) A large language model (3 points)
#
# Give a large language model of your choice two of the test documents above and ask for one-sentence summaries. Name the model and show prompt and outputs. **Without such a model** use the next cell, whose answers we wrote by hand in the manner of large models. Say which way you took.
#
# Compare content, form and ROUGE with the fine-tuned network's. What is the main reason for the difference in content, what for that in ROUGE?

# %% tags=["experiment"]
BY_HAND = [  # story, a person's summary, an answer as large language models give it
    (
        "The town has money for eight percent, said Ida Norman. They will stay at home for six days, the union said on "
        "Tuesday. The nurses of Marlow want nine percent more. Last year, a strike by miners in Kelsey lasted two days.",
        "Nurses in Marlow go on strike for six days.",
        "Nurses in Marlow, who are demanding a nine percent pay rise, will walk out for six days, according to their "
        "union, while the town says that it can afford only eight percent.",
    ),
    (
        "Flames came out of the roof of a hospital in Thornton on Friday. Nine people were taken to another town with "
        "burns. It is a sad day, said Clara Parker. In Selby, a fire at a school hurt nobody last month.",
        "A fire at a hospital in Thornton leaves nine people injured.",
        "Nine people suffered burns when a blaze broke out at a hospital in Thornton on Friday.",
    ),
]
their_stories, their_references, by_hand = (list(each) for each in zip(*BY_HAND, strict=True))
ours = write_summaries(fine_tuned, their_stories, greedy_decode)
for number in range(2):
    show("story:", their_stories[number])
    show("a person:", their_references[number])
    show("by hand:", by_hand[number])
    show("fine-tuned:", ours[number].replace("<pad>", "").replace("</s>", "").strip())
    print()

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_language_model", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# An answer of this form: name and version of the model; the prompt, for instance "Summarize this news story in one sentence: …"; its two outputs, word for word (or: "the two answers of the cell above"); their ROUGE; then the comparison.
#
# The large model's sentences are fluent, longer, and state the main event with the right names and numbers, and with details. The fine-tuned network writes in the style of the references and sometimes takes a number or a name from another sentence. The ROUGE of the large model is lower: it adds details and chooses other words (a blaze for a fire). The main reason for its better content is scale: many orders of magnitude more parameters and text, and training on instructions, so that it reads and copies correctly. The main reason for less overlap is that only the fine-tuned network was trained on these references.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: model named with prompt and both outputs, or the given answers named; the scores or a reason why one of them is higher
# * 1 point: a comparison of content and form that fits the shown outputs
# * 1 point: main reason: amount of parameters and training data (and instruction tuning) for content; style of the references for ROUGE
# ### END MARK SCHEME

# %% [markdown]
# ## 9. Two experiments for the curious (not graded)
#
# **Chance in writing.** Chat models draw their words. Your `greedy_decode` draws, too, if $-\log(-\log u)$ is added to each logit, with $u$ uniform in (0, 1): the arg-max is then a draw from the softmax. *Nucleus sampling* (Holtzman and others 2020) first keeps only the most probable tokens that together reach the probability `top_p`. **Predict, then run.** At which `top_p` does ROUGE-L begin to fall? How many of five texts for a story are different?


# %%
class Drawing(nn.Module):
    """A model whose arg-max is a draw from the nucleus of another model's next tokens."""

    def __init__(self, model: nn.Module, top_p: float, seed: int) -> None:
        super().__init__()
        self.model, self.top_p, self.config = model, top_p, model.config
        self.source = torch.Generator().manual_seed(seed)
        accept_both_cache_names(self)

    def get_encoder(self) -> Any:
        """The other model's encoder."""
        return self.model.get_encoder()

    def forward(self, past_key_values=None, **arguments) -> Answer:
        """Logits with noise; −∞ outside the nucleus."""
        answer = self.model(past_key_values=past_key_values, **arguments)
        logits = answer.logits[:, -1].float().cpu()
        ranked, order = logits.softmax(dim=1).sort(dim=1, descending=True)
        outside = ranked.cumsum(dim=1) - ranked >= self.top_p  # the tokens before it suffice; the first one stays
        u = torch.rand(logits.shape, generator=self.source).clamp(1e-9, 1 - 1e-7)
        noisy = (logits - (-u.log()).log()).masked_fill(outside.scatter(1, order, outside), -math.inf)
        return Answer(noisy[:, None].to(answer.logits.device), answer.past_key_values)


# %% tags=["experiment"]
drawn_scores, different = {}, {}
for top_p in (0.1, 0.5, 0.8, 0.95, 1.0):
    draws_of_story = [
        write_summaries(Drawing(fine_tuned, top_p, seed), test_documents[:FEW], greedy_decode)
        for seed in range(run.size(full=5, mini=5, grade=2))
    ]
    found = [compute_rouge(texts, test_summaries[:FEW])["rougeL"] for texts in draws_of_story]
    drawn_scores[top_p] = sum(found) / len(found)
    different[top_p] = (
        sum(len({text.replace("<pad>", "") for text in texts}) for texts in zip(*draws_of_story, strict=True)) / FEW
    )
    print(
        f"top_p {top_p:4.2f}: ROUGE-L {100 * drawn_scores[top_p]:.1f}, {different[top_p]:.1f} different texts per story"
    )

# %% [markdown]
# In `mini` (two seeds) ROUGE-L begins to fall above 0.8: it was 73 to 76 with 0.1, 0.5 and 0.8, where the standard error over 100 stories is about 2, then 72, and 70 or 71 with all tokens. But the texts differ early: of five, 1.5 were different with 0.1 and about four with 0.5.
#
# **More beams.** Twice the beams cost twice the work. **Predict, then run.** Where do the gains end? Your own network writes with 1 to 16 beams and `length_penalty` 0. Do the texts become shorter?

# %% tags=["experiment"]
beam_counts = run.size(full=(1, 2, 4, 8, 16), mini=(1, 2, 4, 8, 16), grade=(1, 2))
beam_rouge, beam_tokens = [], []
for n in beam_counts:
    texts = write_summaries(
        own, test_documents[:FEW], lambda model, ids, longest, n=n: beam_search(model, ids, n, longest, 0.0)
    )
    beam_rouge.append(compute_rouge(texts, test_summaries[:FEW])["rougeL"])
    beam_tokens.append(sum(len(words(text.replace("<pad>", "").replace("</s>", ""))) for text in texts) / FEW)
    print(f"{n:2d} beams: ROUGE-L {100 * beam_rouge[-1]:.1f}, {beam_tokens[-1]:.2f} words per text")

# %% [markdown]
# In `mini` (two seeds) nearly all of the gain came with the second beam, and the length hardly changed: 9.0 to 9.3 words with any number of beams. A penalty of 0 does favour short texts among those that one search has finished: with a penalty of 1, 16 beams wrote 9.7 words in place of 9.0 (one seed). More beams also find other texts with a larger sum, and these need not be shorter.
#
# ### What came after
#
# *LoRA* (Hu and others 2021) fine-tunes two thin matrices beside each frozen large one. *Instruction tuning* (Wei and others 2021) fine-tunes one network on many tasks told in words, so a summary needs only a prompt. For long texts the cache becomes the cost: in *grouped-query attention* (Ainslie and others 2023) several heads share keys and values, and rotary positions (Su and others 2021) are the usual position code. *Speculative decoding* (Leviathan and others 2023) lets a small network write some tokens ahead; the large one checks them in one call with several new positions.

# %% [markdown]
# ### How was it made? (not graded)
#
# Fill in what you used (lectures, papers, sites, language models), with whom you worked, and the hours. It does not count for or against you.

# %%
process = {"sources": "", "people": "", "hours": None}

# %% [markdown]
# ## 10. Your log
#
# The next cell draws your per-student inputs from your student id. The last cell asks your functions for their answers, adds your numbers and writes `submission_log.json`. Submit it with this notebook.


# %% tags=["answers"]
def personal_answers(student, draws):
    """Per-student inputs: item id -> a function that asks the student's code for its answer."""
    vocabulary = "a storm closes closed two school schools in arden mayor opened the".split()

    def sentence(d, length):
        return " ".join(vocabulary[i] for i in d.integers(0, len(vocabulary), length).tolist())

    def drawn_weights(d, dim, hidden):
        shapes = {name: each.shape for name, each in layer_weights(dim, hidden, True, torch.Generator()).items()}
        return {name: 0.5 * d.normal(*shape) + (1 if name.startswith("norm") else 0) for name, shape in shapes.items()}

    def drawn_model(d, V):
        table = 2 * d.normal(97, V)

        def ask(documents, tokens, new):
            return drawn_logits(table, documents, tokens, new)

        return student.Scripted(ask, lambda ids, mask: None, 99, 0, 98)

    def ask_compute_rouge():
        d = draws("compute_rouge")
        pairs = [(sentence(d, 6), sentence(d, 5)) for _ in range(3)]
        found = student.compute_rouge([a + "</s><pad>" for a, _ in pairs], [b for _, b in pairs])
        return {kind: float(found[kind]) for kind in ("rouge1", "rouge2", "rougeL")}

    def ask_shift_right():
        d = draws("shift_right")
        labels = d.integers(0, 20, 3, 5)
        labels[torch.arange(5) >= d.integers(1, 6, 3)[:, None]] = -100
        return student.shift_right(labels, 30, 31)

    def ask_sequence_loss():
        d = draws("sequence_loss")
        logits, labels = d.normal(3, 4, 5).requires_grad_(), d.integers(0, 5, 3, 4)
        labels[torch.arange(4) >= d.integers(1, 5, 3)[:, None]] = -100
        loss = student.sequence_loss(logits, labels)
        loss.backward()
        return {"loss": loss, "gradient": logits.grad}

    def ask_transformer_layer():
        d = draws("TransformerLayer")
        layer = student.make_layer(drawn_weights(d, 4, 6), 2)
        x, document = d.normal(2, 3, 4), d.normal(2, 3, 4)
        document_padding = torch.arange(3) >= d.integers(1, 4, 2)[:, None]
        nothing = torch.zeros(2, 3, dtype=torch.bool)
        with torch.no_grad():
            first, past = layer(x[:, :2], nothing[:, :2], document, document_padding, use_cache=True)
            last, _ = layer(x[:, 2:], nothing, document, document_padding, use_cache=True, past_kv=past)
        return torch.cat([first, last], dim=1)

    def ask_transformer_stack():
        d = draws("TransformerStack")

        def ask(x, padding_mask, encoder_out, encoder_padding_mask, use_cache, past_kv):
            shown = torch.where(padding_mask[:, -x.shape[1] :, None].bool(), 0.0, x)
            total = shown.sum(dim=1, keepdim=True) + (past_kv[0] if past_kv is not None else 0)
            return x + 0.5 * total, (total,)

        stack = student.make_stack([ask, ask], d.normal(9, 4), d.normal(6, 4), 0)
        ids = d.integers(0, 9, 2, 4)
        with torch.no_grad():
            first, past = stack(ids[:, :3], use_cache=True)
            last, _ = stack(ids[:, 3:], use_cache=True, past_key_values=past)
        return torch.cat([first, last], dim=1)

    def ask_greedy_decode():
        d = draws("greedy_decode")
        return without_padding(student.greedy_decode(drawn_model(d, 7), d.integers(0, 50, 3, 2), 8), 98)

    def ask_beam_search():
        d = draws("beam_search")
        return without_padding(student.beam_search(drawn_model(d, 7), d.integers(0, 50, 3, 2), 3, 6, 0.8), 98)

    def ask_train_step():
        d = draws("train_step")
        start, pairs = d.normal(6, 6), []
        for rows, length in ((3, 2), (1, 6)):
            labels = d.integers(1, 6, rows, length)
            labels[torch.arange(length) >= d.integers(1, length + 1, rows)[:, None]] = -100
            document = d.integers(1, 6, rows, 3)
            document[0, 2] = 0
            pairs.append((document, labels))
        answers = {}
        for name, max_norm in (("free", 50.0), ("clipped", 0.1)):
            model = student.Bigram(6, 2, 1, 0)
            model.load_state_dict({"document.weight": start, "last.weight": start})
            student.leave_gradients(model)
            answers[name] = student.train_step(model, student.make_optimizer(model, 1.0), pairs, max_norm)
            answers[f"{name} weights"] = torch.cat([model.last.weight, model.document.weight]).detach()
        return answers

    return {
        "compute_rouge": ask_compute_rouge,
        "shift_right": ask_shift_right,
        "sequence_loss": ask_sequence_loss,
        "TransformerLayer": ask_transformer_layer,
        "TransformerStack": ask_transformer_stack,
        "greedy_decode": ask_greedy_decode,
        "beam_search": ask_beam_search,
        "train_step": ask_train_step,
    }


# %% tags=["log"]
log = SubmissionLog(run)
log.bands(  # the expected range of each number, from our own runs
    {
        "summarization/lead_rouge1": {"mini": (0.18, 0.33)},
        "summarization/lead_rouge2": {"mini": (0.05, 0.17)},
        "summarization/lead_rougeL": {"mini": (0.15, 0.28)},
        "summarization/own_rougeL": {"mini": (0.3, 0.68)},
        "summarization/scratch_rouge1": {"mini": (0.35, 0.65)},
        "summarization/scratch_rouge2": {"mini": (0.12, 0.42)},
        "summarization/scratch_rougeL": {"mini": (0.33, 0.6)},
        "summarization/scratch_loss": {"mini": (0.9, 1.8)},
        "summarization/fine_tuned_rouge1": {"mini": (0.65, 0.9)},
        "summarization/fine_tuned_rouge2": {"mini": (0.42, 0.75)},
        "summarization/fine_tuned_rougeL": {"mini": (0.58, 0.85)},
        "summarization/fine_tuned_loss": {"mini": (0.15, 0.75)},
    }
)
log.answers(personal_answers)
with log.measurements():
    shared_evidence = {"steps": STEPS, "test_stories": len(test_summaries), "data": data.name}
    for name, metric in (("first sentence", "lead"), ("from scratch", "scratch"), ("fine-tuned", "fine_tuned")):
        for kind, value in scores[name].items():
            log.metric(f"summarization/{metric}_{kind}", value=value, evidence=shared_evidence)
    log.metric("summarization/own_rougeL", value=own_scores["greedy"]["rougeL"], evidence={"curve": own_losses[::10]})
    log.metric("summarization/fine_tuned_loss", value=tuned_curve[1][-1], evidence={"curve": tuned_curve[1]})
    log.metric("summarization/scratch_loss", value=scratch_curve[1][-1], evidence={"curve": scratch_curve[1]})
log.process(**process)
log_file = log.write()

# %% [markdown]
# ## References
#
# * A. Vaswani and others: *Attention Is All You Need*. NeurIPS 2017. arXiv:1706.03762. The Transformer.
# * C. Raffel and others: *Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer*. JMLR 2020. arXiv:1910.10683. T5, span corruption, and how it was trained.
# * C.-Y. Lin: *ROUGE: A Package for Automatic Evaluation of Summaries*. ACL workshop 2004.
# * S. Narayan, S. B. Cohen, M. Lapata: *Don't Give Me the Details, Just the Summary!* EMNLP 2018. arXiv:1808.08745. XSum.
# * N. Shazeer, M. Stern: *Adafactor*. ICML 2018. arXiv:1804.04235.
# * J. Ainslie and others: *GQA*. EMNLP 2023. arXiv:2305.13245. A. Holtzman and others: *The Curious Case of Neural Text Degeneration*. ICLR 2020. E. Hu and others: *LoRA*. arXiv:2106.09685. Y. Leviathan and others: *Speculative Decoding*. arXiv:2211.17192. J. Su and others: *RoFormer*. arXiv:2104.09864. J. Wei and others: *FLAN*. arXiv:2109.01652.
# * R. Pope and others: *Efficiently Scaling Transformer Inference*. MLSys 2023. arXiv:2211.05102. Costs and savings of the cache in large models.
