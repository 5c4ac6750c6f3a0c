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
# # Early exit: stop computing when sure
#
# A network spends the same work on every picture, on the clear ones and on the hard ones. That is a waste: many pictures are recognised after a few layers. In this notebook a residual network gets additional outputs (*exits*) on the way, and each picture leaves at the first exit that is sure of its answer. The picture that you draw in section 9 shows accuracy against work: one trained network gives a whole curve, and you choose the point on it *after* training.
#
# **What you will learn**
#
# * when a partial result already decides the whole, in a toy where everything can be computed;
# * how to measure how sure a network is, and to train all its exits at once;
# * how to compute the later layers only for the samples that need them, and to count the work correctly;
# * how to choose the threshold for a given budget on held-out pictures;
# * what early exit saves, what it costs, and for which pictures: which leave first, and which last.
#
# **What you need**: normal distributions, convolutional networks, and a little PyTorch. The lecture helps, but the text below is complete.
#
# | | profile `full` | profile `mini` |
# |---|---|---|
# | data | CIFAR-10, 50,000 photographs, 5,000 of them held out | drawn shapes, 8,000, 2,000 of them held out |
# | networks | ResNet-18 for small pictures, with 3 early exits | the same design, narrow |
# | training | 3 networks of 10 epochs | 5 small networks of 6 epochs |
# | hardware | a GPU, for instance on Colab | any laptop, no network |
# | time to run | about 20 minutes in all (an estimate for a T4) | one to two minutes |
#
# Plan four hours for reading, writing and thinking. The profile is chosen for you (`full` where there is a GPU, else `mini`); set the environment variable `HOMEWORK_PROFILE` to choose yourself. All graded code is checked on tiny inputs, so you can do everything in `mini` first. All numbers in the text are those of `mini`.
#
# **Your student id** goes into your log: the last cell asks for it. To answer in advance, run `%env HOMEWORK_STUDENT=your_id` in a cell of its own.
#
# | graded | points |
# |---|---|
# | `tail_variance` | 0.5 |
# | `probability_negative` | 2 |
# | `prediction_entropy` | 2 |
# | `early_exit_loss` | 2.5 |
# | `choose_exit` | 2.5 |
# | `early_exit_predict` | 4.5 |
# | `expected_macs` | 1 |
# | `choose_threshold` | 5 |
# | written answers (a) and (b), and the picture | 16 |
#
# **One rule for all tasks.** Your functions leave their arguments as they are: the caller may need them again. So no `x += ...`, `x[...] = ...` or `rows.pop()` on what you were given; work on new tensors or on copies. The tests check this. Only what a docstring calls *changed in place* may change, for instance a model that your function trains.

# %% tags=["install"]
from importlib.util import find_spec

if find_spec("homework") is None:  # on Colab: installs what is missing and keeps the installed torch
    get_ipython().run_line_magic("pip", "install -q STUDENT_PACKAGE")  # noqa: F821
# On Colab, so that training continues after a disconnect: `from homework.colab import use_drive; use_drive()`

# %%
import contextlib
import math
import time
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import homework
from homework import reference, student
from homework.checks import close, fresh, has_shape, part
from homework.data.pictures import pictures_for
from homework.data.shapes import draw_shapes
from homework.hand_in.log import SubmissionLog
from homework.show import plots
from homework.show.notebook_figure import INK, finish, new_figure
from homework.train import training

run = homework.start("early_exit")
if run.profile != "full":
    torch.set_num_threads(1)  # for networks as small as those of `mini` more threads bring no speed

# %% [markdown]
# **Letters.** `B` is the number of samples in a batch, `C` the number of classes, `E` the number of exits, the final one included. Exits are numbered 0, 1, ..., `E` − 1, as Python counts.
#
# ## 1. A toy: the sign of a long sum
#
# Let $X_1, X_2, X_3, \ldots$ be independent, $X_i \sim N(0, 2^{-(i-1)})$, where the second argument is the **variance**: 1, ½, ¼, and so on. We want the *sign* of the whole sum
#
# $$Y = X_1 + X_2 + X_3 + \ldots$$
#
# but each term costs something. After $k$ terms we know the partial sum $Y_k = X_1 + \ldots + X_k$, much as a network has a partial result after $k$ layers. When may we stop?
#
# Below are five such sums. Cover the picture to the right of $k$ = 3: for how many of the five sums are you sure of the sign?

# %%
TERMS = 40  # so many that the terms left out do not matter here


def draw_terms(sums: int, generator: torch.Generator, first: int = 1) -> torch.Tensor:
    """The terms X_first, ..., X_(first + TERMS - 1) of that many sums: `[sums, TERMS]`, float64."""
    i = torch.arange(first, first + TERMS)
    return torch.randn(sums, TERMS, generator=generator, dtype=torch.float64) * torch.sqrt(0.5 ** (i - 1))


# %% tags=["experiment"]
few_sums = draw_terms(5, torch.Generator().manual_seed(3619)).cumsum(dim=1)  # [5, TERMS]
shown_terms = list(range(1, 13))
plots.curves(
    {f"sum {row + 1}": (shown_terms, few_sums[row, :12]) for row in range(5)},
    title="Five sums, term by term",
    xlabel="k, number of terms",
    ylabel="partial sum Y_k",
    levels={"0": 0.0},
)

# %% [markdown]
# ### `tail_variance`: the terms that are missing (0.5 points)
#
# After $k$ terms the tail $R_k = X_{k+1} + X_{k+2} + \ldots$ is missing. What is its variance? Find a closed form, without a loop.
#
# *Worked numbers.* Before the first term ($k = 0$) the whole sum is missing: its variance is 2. After three terms ¼ is left.
#
# <details><summary>Hint: idea and formula</summary>
#
# The variances of independent terms add up. Which is the first missing variance, and by which factor does each further one shrink? A geometric series with factor ½ adds up to twice its first term.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "tail_variance", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tail_variance(k):
    """The variance of the tail that is missing after k terms.

    Args:
        k: number of terms that are known, from 0 on: a whole number, or a LongTensor `[B]`.

    Returns:
        The variance, a floating-point number for a number and a tensor `[B]` for a tensor. Example: k = 0 gives 2,
        k = 3 gives 0.25.
    """
    ### BEGIN SOLUTION
    return 2 * 0.5**k
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_tail_variance", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
for k, want in [(0, 2.0), (1, 1.0), (2, 0.5), (3, 0.25)]:
    got = student.tail_variance(k)
    assert close(got, want, "the worked numbers: add up the variances of the terms from k + 1 on; X_1 has variance 1")
with part("a tensor of k", 0.25):
    got = student.tail_variance(torch.tensor([3, 0, 1]))
    assert has_shape(got, (3,), "a LongTensor [B] must give a tensor [B]")
    hint = "a LongTensor must give the same floating-point numbers as its entries one by one"
    assert close(got, torch.tensor([0.25, 2.0, 1.0]), hint)
print("tail_variance: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(30)
ks = torch.randint(1, 25, (6,), generator=g)
with part("each further term", 0.5):
    for k in [*ks.tolist(), 40]:
        got, before = student.tail_variance(k), student.tail_variance(k - 1)
        assert close(got * 2, before, "each further term halves the variance of the tail")
        assert close(
            before - got,
            0.5 ** (k - 1),
            "term k has the variance 2^-(k - 1), so the variance of the tail falls by this",
        )
        assert close(got, reference.tail_variance(k), "2 * 2^(-k)", atol=1e-15)
    N, k = 20_000, int(ks[0])
    tails = draw_terms(N, g, first=k + 1).sum(dim=1)
    measured = float(tails.square().mean()) / float(torch.as_tensor(student.tail_variance(k)))
    assert abs(measured - 1) <= 5.5 * math.sqrt(2 / N), "simulated tails must have that variance"
with part("tensors of k", 0.25):
    assert close(student.tail_variance(ks), reference.tail_variance(ks), "a LongTensor [B] gives [B]", atol=1e-12)
### END HIDDEN TESTS

# %% [markdown]
# ### `probability_negative`: how sure is the sign? (2 points)
#
# Suppose that the first $k$ terms add up to $Y_k = m$. How likely is it that the whole sum is *not* positive, $P(Y \le 0 \mid Y_k = m)$? Express it with $\Phi$, the distribution function of $N(0, 1)$, and with your `tail_variance`. Question (a) asks for the derivation.
#
# For early exit the *small* probabilities matter, and rounding easily destroys them. Computed in float32 as $\tfrac12 (1 + \operatorname{erf}(a/\sqrt2))$, $\Phi(-4.8) = 7.933 \cdot 10^{-7}$ comes out as $8.047 \cdot 10^{-7}$, and $\Phi(-6) = 9.9 \cdot 10^{-10}$ as 0. (`torch.distributions.Normal.cdf` and `torch.special.ndtr` compute it like this.) Which form keeps the digits? The result has the data type of `m`.
#
# *Worked numbers.* $m = 1$, $k = 1$: **0.158655**. $m = -1$, $k = 3$: **0.977250**. $m = 4.8$, $k = 1$: **7.933274 · 10⁻⁷**.
#
# <details><summary>Hint 1: idea</summary>
#
# Write $Y$ as the known part plus the tail. The tail is normal. How far below its mean must it fall, counted in its standard deviations?
#
# </details>
# <details><summary>Hint 2: small probabilities</summary>
#
# $1 - 0.9999992$ has lost its digits before you see it. Compute the small number itself, with the complement: $\Phi(a) = \tfrac12 \operatorname{erfc}(-a / \sqrt2)$.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `torch.erfc` takes a tensor. `tail_variance(k)` is a number if `k` is a number, and a tensor if `k` is a tensor: `** 0.5` takes the square root of both, and `torch.as_tensor(..., dtype=m.dtype)` gives the data type of `m`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "probability_negative", "locked": false, "schema_version": 3, "solution": true, "task": false}
def probability_negative(m, k):
    """The probability that the whole sum is not positive if the first k terms sum to m: P(Y <= 0 | Y_k = m).

    Args:
        m: partial sums, a floating-point tensor `[B]` (float32 or float64); not changed.
        k: number of terms that are known: one whole number for all, or a LongTensor `[B]`.

    Returns:
        Probabilities, `[B]`, with the data type of `m`, exact to many digits also where they are very small. Example:
        m = [1, 4.8] and k = 1 give [0.158655, 7.933274e-07].
    """
    ### BEGIN SOLUTION
    m = torch.as_tensor(m)
    deviation = torch.as_tensor(tail_variance(k), dtype=m.dtype, device=m.device).sqrt()
    return 0.5 * torch.erfc(m / (math.sqrt(2) * deviation))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_probability_negative", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
def own_tail_fits():
    """Is your tail_variance right for the worked numbers? (If not, fix it first.)"""
    with contextlib.suppress(Exception):
        return all(abs(float(student.tail_variance(k)) - 2 * 0.5**k) < 1e-6 for k in (1, 3))
    return False


m = torch.tensor([1.0, 4.8])
p = student.probability_negative(m, 1)
assert has_shape(p, (2,), "return a tensor with one probability for each m, [B]")
if own_tail_fits():
    assert abs(float(p[0]) - 0.841345) > 1e-3, "this is P(Y > 0): for a positive m a negative sum is unlikely"
    assert abs(float(p[0]) - 0.078650) > 1e-4, (
        "too small: erf, erfc and Φ do not measure the distance from 0 in the same unit (see the text above)"
    )
    assert close(p[:1], torch.tensor([0.158655]), "the worked number for m = 1, k = 1", rtol=1e-4)
    p = student.probability_negative(torch.tensor([-1.0]), 3)
    assert abs(float(p) - 0.999968) > 1e-5, "k = 3: the unit is wrong. In what must m be counted? (hint 1)"
    assert close(p, torch.tensor([0.977250]), "the worked number for m = -1, k = 3")
    with part("a tensor of k", 0.25):
        p = student.probability_negative(torch.tensor([1.0, -1.0]), torch.tensor([1, 3]))
        assert close(p, torch.tensor([0.158655, 0.977250]), "k may be a LongTensor, one for each m")
    with part("a small probability", 0.5):
        p, want = student.probability_negative(m[1:], 1), torch.tensor([7.933274e-7])
        hint = "m = 4.8, k = 1: the small probability has lost its digits; see hint 2"
        assert close(p, want, hint, rtol=1e-3, atol=0)
print("probability_negative: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(31)


def negative(m, k):
    """The probability, from the variance of the tail, 2 / 2^k."""
    return 0.5 * torch.special.erfc(m.double() / (4 * 0.5 ** torch.as_tensor(k).double()).sqrt())


with part("closed form", 1.25):
    for k in (2, 3, int(torch.randint(4, 12, (), generator=g)), 40):
        deviation = math.sqrt(2 * 0.5**k)
        m = deviation * 2 * torch.randn(9, generator=g)
        p = student.probability_negative(m, k)
        assert close(p, negative(m, k), "Phi(-m / standard deviation of the tail)", rtol=2e-4, atol=1e-30)
        opposite = student.probability_negative(-m, k)
        assert close(p + opposite, torch.ones(9), "the probabilities for m and for -m add up to 1")
        order = student.probability_negative(m.sort().values, k)
        assert bool((order.diff() <= 0).all()) and bool(order.diff().min() < 0), "the larger m, the less likely"
        assert close(
            student.probability_negative(torch.zeros(2), k),
            torch.full((2,), 0.5),
            "for m = 0 both signs are equally likely",
        )
    N, k = 20_000, int(torch.randint(2, 5, (), generator=g))
    start = (2 * 0.5**k) ** 0.5 * (2 * float(torch.rand((), generator=g)) - 1)
    share = float((start + draw_terms(N, g, first=k + 1).sum(dim=1) <= 0).double().mean())
    p = float(student.probability_negative(torch.tensor([start]), k)[0])
    assert abs(share - p) <= 5.5 * math.sqrt(0.25 / N), "simulated sums must be negative that often"
with part("small probabilities", 0.5):
    for k in (2, 6, 21):
        far = math.sqrt(2 * 0.5**k) * torch.tensor([4.0, 6.0, 7.4, 8.5])
        p, hint = student.probability_negative(far, k), "very small probabilities keep their digits"
        assert close(p, negative(far, k), hint, rtol=2e-3, atol=1e-30)
with part("each its own k", 0.25):
    k = torch.randint(2, 12, (7,), generator=g)
    m = torch.randn(7, generator=g) * (2 * 0.5**k).sqrt()
    assert close(student.probability_negative(m, k), negative(m, k), "each m with its own k", rtol=2e-4, atol=1e-30)
with part("the result's data type", 0.25):
    for k in (3, torch.tensor([1, 3])):
        for dtype in (torch.float32, torch.float64):
            p = student.probability_negative(torch.tensor([1.0, -1.0], dtype=dtype), k)
            assert p.dtype == dtype, "the result has the data type of m: float32 for float32, float64 for float64"
### END HIDDEN TESTS

# %% [markdown]
# ### Is the formula right? And what does it save?
#
# First a check: we draw sums, take those whose partial sum is near $m$, and count how many end below 0. Then the early exit itself: **stop at the first $k$ at which the probability of the wrong sign is below ε**, that is, at which the smaller one of $P(Y \le 0)$ and $P(Y > 0)$ is.
#
# **Predict, then run.** How many terms are needed on average if one sign in a hundred may be wrong? One in ten thousand?

# %%
TOY_SUMS = run.size(full=200_000, mini=200_000, grade=2000)
EPSILONS = (0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4)


@torch.no_grad()
def stop_when_sure(partial_sums: torch.Tensor, epsilon: float) -> tuple[float, float, float]:
    """Stops each of the sums `[N, TERMS]` when sure: (mean number of terms, share of wrong signs, share after 2)."""
    used = torch.full((len(partial_sums),), TERMS)
    for k in range(TERMS - 1, 0, -1):  # backwards, so that the first k at which we are sure is written last
        p = probability_negative(partial_sums[:, k - 1], k)
        used[torch.minimum(p, 1 - p) < epsilon] = k
    at_stop = partial_sums.gather(1, used[:, None] - 1)[:, 0]  # [N]
    wrong = (at_stop <= 0) != (partial_sums[:, -1] <= 0)
    return float(used.double().mean()), float(wrong.double().mean()), float((used <= 2).double().mean())


# %% tags=["experiment"]
many_sums = draw_terms(TOY_SUMS, torch.Generator().manual_seed(5)).cumsum(dim=1)  # [N, TERMS]
toy_checks = []
print("  k       m     formula   counted")
for k, m in [(1, 0.5), (2, 0.5), (2, -1.0), (4, 0.25)]:
    near_m = (many_sums[:, k - 1] - m).abs() < 0.05
    counted = float((many_sums[near_m, -1] <= 0).double().mean())
    formula = float(probability_negative(torch.tensor([m]), k)[0])
    toy_checks.append((formula, counted, int(near_m.sum())))
    print(f"{k:3d}  {m:6.2f}  {formula:10.4f}{counted:10.4f}")
toy_stops = {epsilon: stop_when_sure(many_sums, epsilon) for epsilon in EPSILONS}
print("\n     ε     mean terms    wrong signs    decided after at most 2 terms")
for epsilon, (terms, wrong, after_two) in toy_stops.items():
    print(f"{epsilon:6g}   {terms:12.2f}  {wrong:13.5f}    {after_two:12.0%}")
fixed = list(range(1, 13))  # for comparison: every sum stops after the same number of terms
fixed_wrong = [float(((many_sums[:, k - 1] <= 0) != (many_sums[:, -1] <= 0)).double().mean()) for k in fixed]
plots.curves(
    {
        "each stops when sure": ([terms for terms, _, _ in toy_stops.values()], [w for _, w, _ in toy_stops.values()]),
        "all stop after the same k": (fixed, fixed_wrong),
    },
    title="Wrong signs against the number of terms",
    xlabel="mean number of terms used",
    ylabel="share of wrong signs",
    logy=True,
)

# %% [markdown]
# The share of wrong signs stays below ε, as the formula says. With ε = 0.01 a sum needs between four and five terms on average, and has more than ten times fewer wrong signs than if all sums stop after five. Keep the table: question (a) asks what it says about networks.
#
# Networks are next. Section 3 says how sure a network is of its answer, and section 9 measures how reliable that is.

# %% [markdown]
# ## 2. The pictures
#
# In `mini` there are six kinds of drawn figures: circle, square, rectangle, right triangle, heart, ellipse. Each has a known *difficulty* between 0 and 1. A harder figure is smaller, fainter and noisier, the bar across it is wider, and rectangles and ellipses are less elongated (so that an ellipse is almost a circle). Most figures are easy. In `full` the pictures are CIFAR-10's photographs, whose difficulty is unknown. Some training pictures are held out: no network is trained on them, and section 9 chooses the threshold with them.

# %%
pictures = pictures_for(run)
CHANNELS, CLASSES = pictures.train_images.shape[1], len(pictures.names)
HELD_OUT = run.size(full=5000, mini=2000, grade=20)
all_x, all_y = pictures.train_images.to(run.device), pictures.train_labels.to(run.device)
train_x, train_y = all_x[:-HELD_OUT], all_y[:-HELD_OUT]
valid_x, valid_y = all_x[-HELD_OUT:], all_y[-HELD_OUT:]
test_x, test_y = pictures.test_images.to(run.device), pictures.test_labels.to(run.device)
print(f"{pictures.name}: {len(train_x):,} training pictures, {CLASSES} classes")
print(f"held out: {len(valid_x):,} validation pictures for the threshold, {len(test_x):,} test pictures")

# %% tags=["experiment"]
if pictures.test_difficulty is not None:
    by_level = {level: draw_shapes(120, seed=6, difficulty=level) for level in (0.0, 0.25, 0.5, 0.75, 1.0)}
    each = [torch.cat([s.images[s.labels == kind][:3] for kind in range(CLASSES)]) for s in by_level.values()]
    rows, row_labels = torch.cat(each), [f"{level:g}" for level in by_level]
else:
    rows = torch.cat([pictures.test_images[pictures.test_labels == kind][:10] for kind in range(CLASSES)])
    row_labels = list(pictures.names)
names_above = None if pictures.test_difficulty is None else [n for name in pictures.names for n in ("", name, "")]
plots.image_grid(
    rows,
    rows=len(row_labels),
    columns=len(rows) // len(row_labels),
    title=f"{pictures.name}, one row for each {'class' if pictures.test_difficulty is None else 'difficulty'}",
    row_labels=row_labels,
    column_labels=names_above,
)

# %% [markdown]
# ## 3. `prediction_entropy`: how sure is an exit? (2 points)
#
# An exit gives logits, one for each class; the softmax makes probabilities $p_1, \ldots, p_C$ of them. How sure is it? We measure the entropy of the prediction,
#
# $$H(p) = -\sum_{c=1}^{C} p_c \log p_c, \qquad 0 \log 0 = 0,$$
#
# with the natural logarithm, so in *nats*. It is 0 if one class has all the probability, and at most $\log C$, where all classes are equally likely. **Small entropy means sure.**
#
# How to read it: $e^H$ is the number of *equally likely* classes with the same entropy. 0.69 nats are as much doubt as a coin, between two classes; 1 nat is as much as between 2.7 classes.
#
# The trap is numerical. Logits of ±1,000 are possible. There a softmax is rounded to 0 and 1, the logarithm of such a 0 is $-\infty$, and $0 \cdot \infty$ is `nan`.
#
# *Worked numbers.* Logits [log 2, 0, 0] are probabilities ½, ¼, ¼: $H$ = ½ log 2 + 2 · ¼ log 4 = 1.5 log 2 = **1.039721**. Equal logits for three classes: log 3 = **1.098612**. Logits [1000, 0, −1000]: **0**.
#
# <details><summary>Hint 1: idea</summary>
#
# Do not take the logarithm of a number that was rounded to 0. The logarithm of a softmax can be written without the softmax.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $\log p_c = z_c - \log \sum_j e^{z_j}$ is finite for all finite logits, and $p_c = e^{\log p_c}$.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `torch.log_softmax(logits, dim=1)` computes it. Multiply by its exponential, add over the classes, change the sign.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "prediction_entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def prediction_entropy(logits):
    """The entropy of the softmax of each row, in nats.

    Args:
        logits: one row for each sample, `[B, C]`, of any size.

    Returns:
        Entropies, `[B]`, between 0 (sure) and log C. Example: [[log 2, 0, 0]] gives [1.039721].
    """
    ### BEGIN SOLUTION
    log_p = torch.log_softmax(logits, dim=1)
    return -(log_p.exp() * log_p).sum(dim=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_prediction_entropy", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
logits = torch.tensor([[math.log(2.0), 0.0, 0.0], [0.0, 0.0, 0.0]])
h = student.prediction_entropy(logits)
assert has_shape(h, (2,), "return one entropy for each row, [B]")
assert not bool((h < -1e-6).any()), "an entropy is not negative, but the logarithm of a probability is: change the sign"
assert abs(float(h[0]) - 1.5) > 1e-3, "this is in bits: take the natural logarithm"
assert close(h, torch.tensor([1.039721, 1.098612]), "the worked numbers: softmax first, then -sum p log p over classes")
shifted = student.prediction_entropy(logits + 7.0)
assert close(
    shifted, h, "adding the same number to all logits changes nothing: use the softmax, not the logits themselves"
)
with part("logits of ±1,000", 0.5):
    sure = student.prediction_entropy(torch.tensor([[1000.0, 0.0, -1000.0], [-300.0, 300.0, 0.0]]))
    assert close(sure, torch.zeros(2), "logits of ±1,000 have entropy 0: 0 log 0 is 0, not nan")
print("prediction_entropy: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(32)
with part("entropies", 2):
    for B, C, scale in [(5, 4, 1.0), (1, 2, 3.0), (3, 10, 5.0), (70, 3, 0.3), (6, 20, 2.0), (4, 1, 1.0)]:
        logits = scale * torch.randn(B, C, generator=g)
        h = student.prediction_entropy(logits)
        assert has_shape(h, (B,), "one entropy for each row, [B]")
        assert close(h, reference.prediction_entropy(logits), "-sum p log p, in nats", atol=1e-5)
        slow = [-sum(p * math.log(p) for p in row) for row in logits.double().softmax(1).tolist()]
        assert close(h, torch.tensor(slow), "-sum p log p, in nats", atol=1e-5)
        assert bool(((h >= -1e-6) & (h <= math.log(C) + 1e-5)).all()), "an entropy lies between 0 and log C"
        assert close(
            student.prediction_entropy(logits.flip(1)), h, "the order of the classes does not matter", atol=1e-5
        )
        alone = torch.cat([student.prediction_entropy(logits[i : i + 1]) for i in range(B)])
        assert close(alone, h, "the other samples of the batch do not matter", atol=1e-5)
        shift = 50 * torch.randn(B, 1, generator=g)
        assert close(
            student.prediction_entropy(logits + shift),
            h,
            "adding a number to all logits of a row changes nothing",
            atol=1e-3,
        )
        flat = student.prediction_entropy(shift.repeat(1, C))
        assert close(flat, torch.full((B,), math.log(C)), "equal logits have entropy log C", atol=1e-5)
    # two independent predictions: the entropy of the pair is the sum of the entropies
    a, b = torch.randn(1, 3, generator=g), torch.randn(1, 4, generator=g)
    pair = (a[:, :, None] + b[:, None, :]).reshape(1, 12)
    both = student.prediction_entropy(a) + student.prediction_entropy(b)
    assert close(student.prediction_entropy(pair), both, "entropies of independent predictions add up", atol=1e-5)
with part("logits of any size", 0.5):
    for size in (90.0, 1e4, 1e30):
        logits = torch.tensor([[size, -size, 0.0], [-size, -size, size], [0.0, 0.0, -size]])
        want = torch.tensor([0.0, 0.0, math.log(2.0)])
        assert close(student.prediction_entropy(logits), want, "very large logits of both signs", atol=1e-5)
    nearly = torch.tensor([[12.0, 0.0]])
    want = reference.prediction_entropy(nearly.double())
    assert close(student.prediction_entropy(nearly), want, "nearly sure: 8e-5 nats", rtol=0.02)
### END HIDDEN TESTS

# %% [markdown]
# ## 4. A residual network with exits
#
# Here is the complete network. A **block** is two convolutions and a shortcut around them (He and others 2016). Blocks are grouped into **stages**; each stage is followed by a **head** that turns its features into logits:
#
# $$\text{exit}_i(x) = \text{heads}_i\big(\text{stages}_i(\ldots \text{stages}_1(\text{stages}_0(x)))\big).$$
#
# The last head is the usual one of a ResNet: average over all positions, then one linear layer. The early heads see features that are still local, so each has its own convolution first (as in BranchyNet, Teerapittayanon and others 2016). That is work, too: remember this for section 7.


# %%
class Block(nn.Module):
    """Two convolutions and a shortcut around them: `[B, inputs, H, W]` -> `[B, width, H / stride, W / stride]`."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        same = inputs == width and stride == 1
        projection = nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        self.shortcut = nn.Identity() if same else projection

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features `[B, width, H / stride, W / stride]` for features `[B, inputs, H, W]`."""
        h = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.shortcut(x) + self.norm2(self.conv2(h)))


class Staged(nn.Module):
    """Any network of stages, with a head after each; your functions may use only `stages` and `heads`."""

    def __init__(self, stages: list[nn.Module], heads: list[nn.Module]) -> None:
        super().__init__()
        self.stages, self.heads = nn.ModuleList(stages), nn.ModuleList(heads)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The logits `[B, C]` of all exits, the last one last."""
        exit_logits = []
        for stage, head in zip(self.stages, self.heads, strict=True):
            x = stage(x)
            exit_logits.append(head(x))
        return exit_logits


class Design(NamedTuple):
    """The sizes of a network, one entry for each stage."""

    widths: tuple[int, ...]
    """Number of channels."""
    blocks: tuple[int, ...]
    """Number of blocks."""
    strides: tuple[int, ...]
    """The stride of the stage's first block."""
    shrink_first: bool
    """Does the stem reduce 32 x 32 pixels to 8 x 8 at once? (That makes the network much cheaper.)"""
    head_width: int
    """Number of channels of the early heads."""


def make_stages(design: Design, channels: int) -> list[nn.Module]:
    """The stages: the first one has a stem in front of its blocks."""
    stages, inputs = [], design.widths[0]
    size, stride, pool = (5, 2, [nn.MaxPool2d(2)]) if design.shrink_first else (3, 1, [])
    layers = [nn.Conv2d(channels, inputs, size, stride, padding=size // 2, bias=False), nn.BatchNorm2d(inputs)]
    layers += [nn.ReLU(), *pool]
    for width, blocks, stride in zip(design.widths, design.blocks, design.strides, strict=True):
        for number in range(blocks):
            layers.append(Block(inputs, width, stride if number == 0 else 1))
            inputs = width
        stages.append(nn.Sequential(*layers))
        layers = []
    return stages


def plain_head(width: int, classes: int) -> nn.Module:
    """The head of a ResNet: `[B, width, H, W]` -> `[B, classes]`."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))


def early_head(width: int, hidden: int, classes: int) -> nn.Module:
    """A head with its own convolution: `[B, width, H, W]` -> `[B, classes]`."""
    look = nn.Sequential(nn.Conv2d(width, hidden, 3, 2, padding=1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU())
    return nn.Sequential(look, plain_head(hidden, classes))


def make_resnet(design: Design) -> Staged:
    """An ordinary ResNet: all blocks in one stage, with one head."""
    return Staged([nn.Sequential(*make_stages(design, CHANNELS))], [plain_head(design.widths[-1], CLASSES)])


def make_early_exit_resnet(design: Design) -> Staged:
    """The same ResNet with an early head after every stage but the last."""
    heads = [early_head(width, design.head_width, CLASSES) for width in design.widths[:-1]]
    return Staged(make_stages(design, CHANNELS), [*heads, plain_head(design.widths[-1], CLASSES)])


# %%
BIG = run.size(
    full=Design((64, 128, 256, 512), (2, 2, 2, 2), (1, 2, 2, 2), False, 128),  # ResNet-18 for 32 x 32 pixels
    mini=Design((16, 24, 32, 48), (1, 1, 2, 2), (1, 1, 2, 1), True, 32),
    grade=Design((4, 4, 6, 6), (1, 1, 1, 1), (1, 1, 2, 1), True, 4),
)
SMALL = run.size(
    full=Design((40, 80, 160, 320), (2, 2, 2, 2), (1, 2, 2, 2), False, 80),  # 39 % of the MACs of BIG
    mini=Design((8, 12, 16, 24), (1, 1, 2, 2), (1, 1, 2, 1), True, 32),
    grade=Design((2, 2, 4, 4), (1, 1, 1, 1), (1, 1, 2, 1), True, 4),
)
EXITS = len(BIG.widths)

# %% tags=["experiment"]
figure, axes = new_figure(8.4, 3.3, grid=False)
box = {"boxstyle": "round,pad=0.5", "edgecolor": INK}


def arrow(start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draws an arrow between two places of the picture."""
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0})


axes.text(-0.85, 0, "picture", ha="center", va="center", color=INK)
arrow((-0.55, 0), (-0.32, 0))
for i in range(EXITS):
    axes.text(i, 0, f"stage {i}", ha="center", va="center", bbox={**box, "facecolor": "#CFE3F2"})
    axes.text(i, 1, f"head {i}", ha="center", va="center", bbox={**box, "facecolor": "#FBE3D0"})
    arrow((i, 0.24), (i, 0.76))
    arrow((i, 1.24), (i, 1.72))
    axes.text(i, 1.95, "sure? answer" if i < EXITS - 1 else "always answer", ha="center", va="center", color=INK)
    if i < EXITS - 1:
        arrow((i + 0.32, 0), (i + 0.68, 0))
        axes.text(i + 0.5, -0.28, "else: go on", ha="center", va="center", color=INK, fontsize=9)
axes.set(xlim=(-1.2, EXITS - 0.4), ylim=(-0.7, 2.2), xticks=[], yticks=[])
axes.spines[:].set_visible(False)
finish(figure, axes, "A picture goes from stage to stage until a head is sure", "", "")

# %% [markdown]
# ## 5. `early_exit_loss`: train all exits at once (2.5 points)
#
# Each exit is a classifier with the usual cross-entropy: the mean over the batch of $-\log$ of the probability of the right class. The network is trained on their weighted sum. The sum is divided neither by the number of exits nor by the sum of the weights. **The last exit stands last** in the list, and its weight last in `weights`. We shall use 1 for the last and 0.3 for the others: the early stages must mainly serve the later ones. Gradients of an early exit reach only the stages up to it; the first stage gets gradients from all exits.
#
# *Worked number.* Two exits, one sample of class 0. `exit_logits` = [[[0, 0]], [[log 3, 0]]], `weights` = [0.3, 1]. The first exit gives class 0 the probability ½: log 2 = 0.693147. The last one gives ¾: −log ¾ = 0.287682. Together **0.495626**.
#
# <details><summary>Hint: formula and sketch of the code</summary>
#
# $L = \sum_{i=0}^{E-1} \text{weights}_i \cdot \text{cross-entropy}(\text{exit\_logits}_i, y)$, where `F.cross_entropy` already takes the mean over the batch. The result stays a tensor, so that gradients flow.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "early_exit_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def early_exit_loss(exit_logits, y, weights):
    """The weighted sum over exits of the mean cross-entropy of each.

    Teerapittayanon, McDanel and Kung 2016, section 3.2.

    Args:
        exit_logits: a list of E tensors `[B, C]`, the last exit last; not changed.
        y: the right classes, LongTensor `[B]`.
        weights: E numbers, in the same order.

    Returns:
        A scalar tensor, differentiable. Example: [[[0, 0]], [[log 3, 0]]], y = [0] and weights = [0.3, 1] give 0.495626.
    """
    ### BEGIN SOLUTION
    losses = [weight * F.cross_entropy(logits, y) for logits, weight in zip(exit_logits, weights, strict=True)]
    return torch.stack(losses).sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_early_exit_loss", "locked": true, "points": 2.5, "schema_version": 3, "solution": false, "task": false}
first, last = torch.tensor([[0.0, 0.0]]), torch.tensor([[math.log(3.0), 0.0]])
loss = student.early_exit_loss([first, last], torch.tensor([0]), [0.3, 1.0])
assert has_shape(loss, (), "return a scalar tensor")
assert abs(float(loss) - 0.779452) > 1e-4, "the weights are in reverse order: weights[i] belongs to exit_logits[i]"
assert abs(float(loss) - 0.495626 / 1.3) > 1e-4, "do not divide by the sum of the weights"
assert abs(float(loss) - 0.495626 / 2) > 1e-4, "do not divide by the number of exits"
assert close(loss, torch.tensor(0.495626), "the worked number: each weight times the mean cross-entropy of its exit")
twice = student.early_exit_loss([first.repeat(4, 1), last.repeat(4, 1)], torch.zeros(4, dtype=torch.long), [0.3, 1.0])
assert close(twice, loss, "the mean over the batch: four equal samples have the loss of one")
with part("gradients of the worked number", 0.5):
    first.requires_grad_(), last.requires_grad_()
    loss = student.early_exit_loss([first, last], torch.tensor([0]), [0.3, 1.0])
    assert loss.requires_grad, "a gradient must reach the logits: stay in torch, without float(), .item() or .detach()"
    loss.backward()
    assert first.grad is not None and last.grad is not None, "a gradient must reach the logits of every exit"
    assert close(
        first.grad, 0.3 * torch.tensor([[-0.5, 0.5]]), "the gradient at the first exit: weight · (softmax − one-hot)"
    )
    assert close(
        last.grad, torch.tensor([[-0.25, 0.25]]), "the gradient at the last exit: weight · (softmax − one-hot)"
    )
print("early_exit_loss: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(33)


def drawn():
    """Logits, classes and weights of several sizes."""
    for E, B, C in [(3, 5, 4), (1, 3, 2), (4, 1, 6), (2, 7, 3), (5, 2, 10), (8, 70, 12)]:
        exit_logits = [2 * torch.randn(B, C, generator=g) for _ in range(E)]
        yield exit_logits, torch.randint(0, C, (B,), generator=g), (0.1 + torch.rand(E, generator=g)).tolist()


with part("value", 1.5):
    for exit_logits, y, weights in drawn():
        loss = student.early_exit_loss(exit_logits, y, weights)
        assert has_shape(loss, (), "a scalar")
        want = sum(
            w * -z.double().log_softmax(1)[torch.arange(len(y)), y].mean()
            for w, z in zip(weights, exit_logits, strict=True)
        )
        assert close(loss, want, "the weighted sum over exits of the mean cross-entropy")
        parts = [student.early_exit_loss([z], y, [1.0]) for z in exit_logits]
        mixed = sum(w * each for w, each in zip(weights, parts, strict=True))
        assert close(loss, mixed, "each exit has its own loss and its own weight")
        thrice = student.early_exit_loss(exit_logits, y, tuple(3 * w for w in weights))
        assert close(thrice, 3 * loss, "linear in the weights")
        silent = [0.0] * (len(weights) - 1) + [1.0]
        alone = student.early_exit_loss(exit_logits, y, silent)
        assert close(alone, parts[-1], "an exit with weight 0 does not count")
with part("gradients", 0.5):
    for exit_logits, y, weights in drawn():
        leaves = [z.clone().requires_grad_() for z in exit_logits]
        loss = student.early_exit_loss(leaves, y, weights)
        assert loss.requires_grad, "the loss must stay differentiable"
        (2 * loss).backward()
        for leaf, z, w in zip(leaves, exit_logits, weights, strict=True):
            want = 2 * w * (z.softmax(1) - F.one_hot(y, z.shape[1])) / len(y)
            assert leaf.grad is not None and close(
                leaf.grad, want, "each exit's gradient: weight · (softmax − one-hot) / B"
            )
with part("very large logits", 0.5):
    large = [torch.tensor([[1e4, -1e4]]), torch.tensor([[-1e4, 1e4]])]
    loss = student.early_exit_loss(large, torch.tensor([0]), [1.0, 0.5])
    assert close(loss, torch.tensor(1e4), "logits of 10,000 must give a finite loss: use the cross-entropy with logits")
### END HIDDEN TESTS

# %% [markdown]
# ## 6. Leaving
#
# ### `choose_exit`: the first exit that is sure (2.5 points)
#
# A sample leaves at the **first** exit whose entropy is **below** the threshold (strictly), and at the last exit if none is. The later exits do not count: in real use they are never computed for this sample. So with `threshold` = 0 all samples leave at the last exit (no entropy is below 0), and with a threshold above $\log C$ all leave at exit 0.
#
# *Worked example.* Three exits, threshold 0.5. Entropies [0.9, 0.4, 0.1] → exit 1 (the first one below, not the smallest one). [0.3, 0.8, 0.9] → exit 0. [0.9, 0.8, 0.7] → none is sure, exit 2, the last.
#
# <details><summary>Hint: idea and sketch of the code</summary>
#
# Make a table `[E, B]` of truth values, sure or not; for the last exit the answer is always yes. Of several equal values `argmax` gives the first.
#
# </details>


# %%
def entropies_fit(ask) -> bool:
    """Is this prediction_entropy right for some easy rows? (If yours is not, fix it first.)"""
    with contextlib.suppress(Exception):
        rows = torch.tensor([[0.0, 0.0], [2.0, 0.0], [9.0, 0.0], [0.0, 1.0], [0.0, -6.0], [1e4, 0.0]])
        own = ask(rows)
        return bool(((own - torch.tensor([0.6931, 0.3653, 0.0012, 0.5822, 0.0173, 0.0])).abs() < 1e-3).all())
    return False


# %% nbgrader={"grade": false, "grade_id": "choose_exit", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose_exit(exit_logits, threshold):
    """The exit at which each sample leaves: the first whose entropy is below the threshold, else the last.

    Args:
        exit_logits: a list of E tensors `[B, C]`, the last exit last; not changed.
        threshold: entropy in nats; an exit is sure if its entropy is strictly below.

    Returns:
        Numbers of exits, 0 ... E - 1, LongTensor `[B]`.
    """
    ### BEGIN SOLUTION
    sure = torch.stack([prediction_entropy(logits) < threshold for logits in exit_logits])  # [E, B]
    sure[-1] = True
    return sure.int().argmax(dim=0)  # [B]; of equal values, argmax gives the first
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_choose_exit", "locked": true, "points": 2.5, "schema_version": 3, "solution": false, "task": false}
UNSURE, HALF, SURE = [0.0, 0.0], [2.0, 0.0], [9.0, 0.0]  # entropies 0.69, 0.37 and 0.001
exit_logits = [
    torch.tensor([UNSURE, SURE, UNSURE, HALF]),
    torch.tensor([HALF, UNSURE, UNSURE, UNSURE]),
    torch.tensor([SURE, UNSURE, HALF, UNSURE]),
]
exits = student.choose_exit(exit_logits, 0.5)
assert has_shape(exits, (4,), "return one exit for each sample, [B]")
assert exits.dtype == torch.int64, "numbers of exits are whole numbers, a LongTensor"
if entropies_fit(student.prediction_entropy):  # the checks below need correct entropies
    assert close(exits[1:2], torch.tensor([0]), "sure means *small* entropy; exits are numbered from 0")
    assert close(
        exits[:1],
        torch.tensor([1]),
        "the first exit below the threshold counts, not the last such one, nor the one with the least entropy",
    )
    assert close(
        exits, torch.tensor([1, 0, 2, 0]), "the first exit whose entropy is below the threshold, else the last"
    )
    with part("no exit is sure", 0.5):
        unsure = student.choose_exit([torch.tensor([UNSURE]), torch.tensor([UNSURE])], 0.5)
        assert close(unsure, torch.tensor([1]), "if no exit is sure, the sample leaves at the last exit")
        exact = student.choose_exit([torch.tensor([[1e4, 0.0]]), torch.tensor([UNSURE])], 0.0)
        assert close(
            exact, torch.tensor([1]), "threshold 0: no entropy is *below* 0, so all samples leave at the last exit"
        )
print("choose_exit: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(34)


def exits_fit(got, exit_logits, threshold):
    """Are the exits right, wherever no entropy is too near to the threshold to tell?"""
    entropies = torch.stack([-(z.log_softmax(1).exp() * z.log_softmax(1)).sum(1) for z in exit_logits])  # [E, B]
    below = entropies < threshold
    below[-1] = True
    clear = ((entropies[:-1] - threshold).abs() > 1e-3).all(dim=0)  # [B]
    return torch.equal(got[clear], below.int().argmax(dim=0)[clear])


with part("the first exit below the threshold", 1.5):
    for E, B, C in [(4, 60, 5), (2, 30, 3), (3, 1, 10), (5, 80, 2), (1, 4, 3), (8, 150, 12)]:
        scale = 3 * torch.rand(E, B, 1, generator=g)
        exit_logits = list(scale * torch.randn(E, B, C, generator=g))
        asked = [0.3 * math.log(C), 0.6 * math.log(C), 0.9 * math.log(C), 0.05]
        answers = [student.choose_exit(exit_logits, threshold) for threshold in asked]
        for exits, threshold in zip(answers, asked, strict=True):
            assert has_shape(exits, (B,), "a LongTensor [B]")
            assert exits.dtype == torch.int64, "a LongTensor [B]"
            assert exits_fit(exits, [z.double() for z in exit_logits], threshold), "the first exit below the threshold"
            if E > 1:
                tail_exits = student.choose_exit(exit_logits[1:], threshold)
                assert torch.equal(torch.where(exits > 0, tail_exits + 1, 0), exits), (
                    "for a sample that does not leave at exit 0, the result must be the same without exit 0"
                )
            some = student.choose_exit([z[:1] for z in exit_logits], threshold)
            assert torch.equal(some, exits[:1]), "a sample's exit does not depend on the other samples"
with part("thresholds that all or none are below", 0.5):
    exit_logits = [torch.randn(9, 4, generator=g) for _ in range(3)]
    assert torch.equal(student.choose_exit(exit_logits, -1e9), torch.full((9,), 2)), "no exit is that sure"
    assert torch.equal(student.choose_exit(exit_logits, 1e6), torch.zeros(9).long()), "every exit is that sure"
with part("very large logits", 0.5):
    sure = [torch.tensor([[500.0, -500.0], [0.0, 800.0]]) for _ in range(3)]
    assert torch.equal(student.choose_exit(sure, 0.0), torch.tensor([2, 2])), "below means strictly below"
    assert torch.equal(student.choose_exit(sure, 0.5), torch.zeros(2).long()), (
        "logits of ±500 are sure and leave at once: their entropy is 0, not nan"
    )
### END HIDDEN TESTS

# %% [markdown]
# ### `early_exit_predict`: do not compute what is not needed (4.5 points)
#
# `choose_exit` looks at the logits of all exits, so all of them had to be computed: nothing is saved. Now save the work. Predict the classes and the exits of a batch so that
#
# * a sample leaves where `choose_exit` would let it leave, with the class that this head finds most likely;
# * no stage and no head sees a sample that has left already, and none sees a sample twice (a hidden test counts the rows);
# * each stage continues from the features of the stage before it;
# * result $b$ belongs to input $b$, although the batch shrinks on the way;
# * nothing more is computed when no sample is left;
# * no gradients are recorded (`torch.no_grad()`): nothing is trained here, and a graph would keep all features in memory.
#
# The caller has put the network into evaluation mode (`model.eval()`), so that batch normalisation does not depend on the other samples of the batch; leave it in this mode. Of `model` you may use only `model.stages` and `model.heads`, two lists of the same length.
#
# *Worked example.* A small network, built in the test cell: both stages multiply by 2, both heads give the logits (0, feature). Inputs [4], [0.5], [−3], threshold 0.1. After stage 0 the features are 8, 1, −6, the entropies 0.003, 0.582, 0.017. Samples 0 and 2 leave with classes 1 and 0. Stage 1 sees *one* row, the feature 1, and doubles it to 2: entropy 0.365, not below 0.1, but at the last exit all samples leave. So `predictions` = [1, 1, 0], `exits` = [0, 1, 0].
#
# <details><summary>Hint 1: idea</summary>
#
# After some samples have left, row 3 of the features is no longer sample 3. Keep, next to the features, the numbers of the samples that they belong to.
#
# </details>
# <details><summary>Hint 2: one step</summary>
#
# Run the stage and its head on what is left. A mask says who leaves; at the last exit it is all true. Write the answers of those who leave at the places of their numbers, and keep features and numbers of the others.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `numbers = torch.arange(len(x))` before the loop; in it `predictions[numbers[leave]] = ...`, then `numbers, features = numbers[~leave], features[~leave]`. On a GPU all of these belong on `x.device`.
#
# </details>


# %%
class Matrix(nn.Module):
    """A layer small enough to compute by hand: multiplies each row by a fixed matrix."""

    def __init__(self, weight) -> None:
        super().__init__()
        self.register_buffer("weight", torch.as_tensor(weight))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Rows `[B, outputs]` for rows `[B, inputs]`."""
        return x @ self.weight


class Watched(nn.Module):
    """Calls `note` with the input, whether gradients are recorded and the mode, then passes the input on to `layer`."""

    def __init__(self, layer, note) -> None:
        super().__init__()
        self.layer, self.note = layer, note

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The layer's output for x."""
        self.note(x.detach().clone(), torch.is_grad_enabled(), self.training)
        return self.layer(x)


# %% nbgrader={"grade": false, "grade_id": "early_exit_predict", "locked": false, "schema_version": 3, "solution": true, "task": false}
def early_exit_predict(model, x, threshold):
    """Predicts with early exits; later stages are computed only for the samples that still need them.

    Args:
        model: has `stages` and `heads`, of the same length, and is and stays in evaluation mode; exit i is
            heads[i](stages[i](... stages[0](x))).
        x: inputs, `[B, ...]`; not changed.
        threshold: a sample leaves at the first exit whose entropy is strictly below this, else at the last.

    Returns:
        (predictions, exits): the predicted class and the exit of each sample, in the order of x, LongTensors `[B]`.
    """
    ### BEGIN SOLUTION
    predictions = torch.zeros(len(x), dtype=torch.long, device=x.device)
    exits = torch.zeros(len(x), dtype=torch.long, device=x.device)
    waiting = torch.arange(len(x), device=x.device)  # the indices in x of the samples that have not left
    features, last = x, len(model.stages) - 1
    with torch.no_grad():
        for i, (stage, head) in enumerate(zip(model.stages, model.heads, strict=True)):
            features = stage(features)
            logits = head(features)
            leaves = prediction_entropy(logits) < threshold
            if i == last:
                leaves = torch.ones_like(leaves)
            predictions[waiting[leaves]] = logits[leaves].argmax(dim=1)
            exits[waiting[leaves]] = i
            waiting, features = waiting[~leaves], features[~leaves]
            if len(waiting) == 0:
                break
    return predictions, exits
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_early_exit_predict", "locked": true, "points": 4.5, "schema_version": 3, "solution": false, "task": false} seconds=30
seen = {"stage 0": [], "head 0": [], "stage 1": [], "head 1": []}
recorded = []


def watch(name, weight):
    """A layer of the worked example that records the rows it sees."""

    def note(rows, gradients, _):
        seen[name].append(rows[:, 0].tolist())
        recorded.append(gradients)

    return student.Watched(student.Matrix(torch.tensor(weight)), note)


model = student.Staged(
    [watch("stage 0", [[2.0]]), watch("stage 1", [[2.0]])],
    [watch("head 0", [[0.0, 1.0]]), watch("head 1", [[0.0, 1.0]])],
)
model.eval()
answer = student.early_exit_predict(model, torch.tensor([[4.0], [0.5], [-3.0]]), 0.1)
assert isinstance(answer, tuple | list) and len(answer) == 2, "return (predictions, exits), two tensors"
predictions, exits = answer
assert isinstance(predictions, torch.Tensor) and isinstance(exits, torch.Tensor), "predictions and exits are tensors"
assert tuple(predictions.shape) == tuple(exits.shape) == (3,), (
    "predictions and exits have one entry for each sample, [B]"
)
if entropies_fit(student.prediction_entropy):  # the checks below need correct entropies
    assert close(
        exits, torch.tensor([0, 1, 0]), "the worked example: which sample leaves where? (predictions come first)"
    )
    assert close(predictions, torch.tensor([1, 1, 0]), "the worked example: is each answer at the place of its sample?")
    with part("no more work, in the worked example", 0.5):
        rows = {name: sum(map(len, calls)) for name, calls in seen.items()}
        assert rows["stage 0"] == 3 and rows["head 0"] == 3, (
            "stage 0 and head 0 must see each of the three samples once"
        )
        assert rows["stage 1"] == 1, "stage 1 must see one row: the features of the one sample that has not left"
        assert seen["stage 1"] == [[1.0]], "stage 1 continues from the features of stage 0, not from x"
        assert rows["head 1"] == 1, "head 1 must see one row only"
with part("no gradients", 0.5):
    assert recorded, "the stages and heads of the model were not called"
    assert not any(recorded), "compute without gradients: with torch.no_grad()"
print("early_exit_predict: all visible checks passed")
### BEGIN HIDDEN TESTS
# Networks made of call-backs: the first feature is the number of a sample, the last counts the stages that it went through.
# The logits of each exit are drawn beforehand, so that it is known where each sample must leave.
g = fresh(35)


def build(tables, shape):
    """A network whose exit i gives sample b the logits tables[i][b]; and a record of the rows each stage and head saw."""
    diary = {"stages": [[] for _ in tables], "heads": [[] for _ in tables], "order": True, "shape": True, "mode": True}

    def make_stage(i):
        def stage(x):
            diary["stages"][i] += x.flatten(1)[:, 0].round().long().tolist()
            diary["order"] &= bool((x.flatten(1)[:, -1] == i).all())
            diary["shape"] &= x.shape[1:] == shape
            x = x.clone()
            x.flatten(1)[:, -1] += 1
            return x

        return stage

    def make_head(i):
        def head(x):
            numbers = x.flatten(1)[:, 0].round().long()
            diary["heads"][i] += numbers.tolist()
            diary["order"] &= bool((x.flatten(1)[:, -1] == i + 1).all())
            diary["shape"] &= x.shape[1:] == shape
            return tables[i][numbers]

        return head

    def note(rows, gradients, training):
        diary["mode"] &= training is False

    watched = [[student.Watched(make(i), note) for i in range(len(tables))] for make in (make_stage, make_head)]
    network = student.Staged(*watched)
    network.eval()
    return network, diary


def entropies_of(tables):
    """The entropy of each exit for each sample, `[E, B]`."""
    return torch.stack([-(z.log_softmax(1).exp() * z.log_softmax(1)).sum(1) for z in tables])


def wanted(tables, threshold):
    """The exit of each sample, `[B]`."""
    below = entropies_of(tables) < threshold
    below[-1] = True
    return below.int().argmax(dim=0)


def clear_of(tables, thresholds):
    """The tables without the samples whose entropy is too near to a threshold, renumbered."""
    distances = torch.stack([(entropies_of(tables) - threshold).abs() for threshold in thresholds])  # [N, E, B]
    keep = (distances > 1e-3).flatten(0, 1).all(dim=0)
    return [z[keep] for z in tables]


def ask(tables, threshold, shape=(2,)):
    """Asks for a prediction; gives the answer, the record, and the samples' numbers in the order of the batch."""
    numbers = torch.randperm(len(tables[0]), generator=g)
    network, diary = build(tables, shape)
    x = torch.zeros(len(numbers), *shape)
    x.flatten(1)[:, 0] = numbers.float()
    predictions, exits = student.early_exit_predict(network, x, threshold)
    diary["mode"] &= network.training is False
    assert tuple(predictions.shape) == tuple(exits.shape) == (len(numbers),), "one entry for each sample, [B]"
    assert predictions.dtype == exits.dtype == torch.int64, "LongTensors"
    return predictions, exits, diary, numbers


def draw_tables(E, B, C, thresholds):
    """Logits of all exits for at most B samples, some sure and some not."""
    scale = 5 * torch.rand(E, B, 1, generator=g)
    return clear_of(list(scale * torch.randn(E, B, C, generator=g)), thresholds)


CASES = [(7, 100, 5), (2, 30, 3), (3, 25, 10), (1, 6, 3), (5, 50, 2)]
with part("predictions and exits", 1.5):
    for E, B, C in CASES:
        thresholds = [0.15 * math.log(C), 0.5 * math.log(C), 0.85 * math.log(C)]
        tables = draw_tables(E, B, C, thresholds)
        for threshold in thresholds:
            predictions, exits, diary, numbers = ask(tables, threshold)
            assert torch.equal(exits, wanted(tables, threshold)[numbers]), (
                "each sample leaves at the first exit whose entropy is below the threshold, else at the last"
            )
            logits = torch.stack(tables)[exits, numbers]  # [B, C]
            assert torch.equal(predictions, logits.argmax(dim=1)), (
                "the prediction of a sample is the arg-max at the exit where it leaves, at the sample's own place"
            )
            assert diary["order"], "exit i is heads[i](stages[i](... stages[0](x))): every stage once, in order"
tables = draw_tables(3, 20, 4, [0.7])
with part("pictures", 0.5):
    predictions, exits, diary, numbers = ask(tables, 0.7, shape=(2, 3, 4))
    assert diary["shape"], (
        "inputs are `[B, ...]`: give them to the stages as they are, e.g. as pictures; do not flatten"
    )
    assert torch.equal(exits, wanted(tables, 0.7)[numbers]), "the exits of pictures, [B, C, H, W]"
    assert torch.equal(predictions, torch.stack(tables)[exits, numbers].argmax(dim=1)), "the predictions of pictures"
with part("the mode of the network", 0.25):
    _, _, diary, _ = ask(tables, 0.7)
    assert diary["mode"], "the network is in evaluation mode and must stay in it: do not call train()"
with part("no more work than needed", 1.25):
    for E, B, C in CASES:
        thresholds = [0.2 * math.log(C), 0.6 * math.log(C)]
        tables = draw_tables(E, B, C, thresholds)
        for threshold in thresholds:
            _, exits, diary, numbers = ask(tables, threshold)
            assert torch.equal(exits, wanted(tables, threshold)[numbers]), (
                "each sample leaves at the first exit whose entropy is below the threshold, else at the last"
            )
            for i in range(E):
                inside = numbers[exits >= i].sort().values.tolist()
                assert sorted(diary["stages"][i]) == inside, (
                    "a stage must see the samples that have not left before it, each once, and no others"
                )
                assert sorted(diary["heads"][i]) == inside, (
                    "a head must see the samples that have not left before it, each once, and no others"
                )
with part("all leave, none leaves", 0.75):
    E, B, C = 4, 12, 3
    unsure = list(0.05 * torch.randn(E, B, C, generator=g))
    certain = [20.0 * F.one_hot(torch.randint(0, C, (B,), generator=g), C).float() for _ in range(E)]
    predictions, exits, diary, numbers = ask(certain, 1e9)
    assert not bool(exits.any()), "if every sample is sure at exit 0, all leave there"
    later = [*diary["stages"][1:], *diary["heads"][1:]]
    assert not any(map(len, later)), "if no sample is left, nothing more is computed"
    assert torch.equal(predictions, certain[0][numbers].argmax(1)), "predictions of exit 0"
    predictions, exits, diary, numbers = ask(unsure, -1e9)
    assert bool((exits == E - 1).all()), "a sample of which no exit is sure leaves at the last exit"
    assert torch.equal(predictions, unsure[-1][numbers].argmax(1)), "predictions of the last exit"
    assert [len(rows) for rows in diary["stages"]] == [B] * E, "each stage sees each sample once"
    for threshold in (0.0, -1e9):  # every entropy is exactly 0
        _, exits, _, _ = ask([20 * z for z in certain], threshold)
        hint = "a sample leaves if its entropy is strictly below the threshold, not if it equals it; none is below 0"
        assert bool((exits == E - 1).all()), hint
    _, exits, _, _ = ask([50 * z for z in certain], 0.5)
    assert not bool(exits.any()), "logits of 1,000 are sure: their entropy is 0, not nan"
    for tables, threshold, where in ((certain, 1e9, 0), (unsure, -1e9, E - 1)):
        predictions, exits, _, _ = ask([z[:1] for z in tables], threshold)
        assert has_shape(exits, (1,), "a batch of one sample")
        assert int(exits) == where, "a batch of one sample"
### END HIDDEN TESTS

# %% [markdown]
# ## 7. `expected_macs`: count the work (1 point)
#
# Work is counted in *multiply-accumulate operations* (MACs): one multiplication and one addition. A library counts them for us: `FlopCounterMode` watches the matrix products and convolutions of a forward pass and counts two FLOPs for each MAC. (Normalisation and ReLU are small beside them and not counted.) We count **for one sample**, for each exit, **with all heads that were computed before it**: a sample that leaves at exit 2 has also cost heads 0 and 1.


# %%
@torch.no_grad()
def count_macs(model: Staged, sample: torch.Tensor) -> torch.Tensor:
    """MACs that one sample `[1, ...]` needs if it leaves at exit 0, 1, ...: `[E]`, heads on the way included."""
    model.eval()
    counts = []
    with FlopCounterMode(display=False) as counter:
        for stage, head in zip(model.stages, model.heads, strict=True):
            sample = stage(sample)
            head(sample)
            counts.append(counter.get_total_flops() // 2)
    return torch.tensor(counts, dtype=torch.float64)


# %%
baseline_macs = float(count_macs(make_resnet(BIG), torch.zeros(1, CHANNELS, 32, 32))[-1])
small_macs = float(count_macs(make_resnet(SMALL), torch.zeros(1, CHANNELS, 32, 32))[-1])
macs_per_exit = count_macs(make_early_exit_resnet(BIG), torch.zeros(1, CHANNELS, 32, 32))  # [E]
print(f"baseline             {baseline_macs:14,.0f} MACs for each picture")
print(f"smaller network      {small_macs:14,.0f}   {small_macs / baseline_macs:5.1%} of the baseline")
for i, macs in enumerate(macs_per_exit.tolist()):
    print(f"leaving at exit {i}    {macs:14,.0f}   {macs / baseline_macs:5.1%}")

# %% [markdown]
# A sample that leaves at the last exit costs *more* than the baseline: the early heads are not free. The cost of a data set is the mean over its samples, each with the work up to *its* exit. `macs_per_exit` is cumulative already, as above.
#
# *Worked number.* `macs_per_exit` = [10, 25, 60], `exits` = [0, 0, 2, 1]: **26.25**.


# %% nbgrader={"grade": false, "grade_id": "expected_macs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def expected_macs(exits, macs_per_exit):
    """The mean number of MACs over samples that leave at these exits.

    Args:
        exits: the exit of each sample, LongTensor `[B]`.
        macs_per_exit: MACs of a sample that leaves at exit 0, 1, ... (cumulative): a tensor `[E]` or a list of numbers.

    Returns:
        A scalar: a number or a tensor without dimensions. Example: [0, 0, 2, 1] and [10, 25, 60] give 26.25.
    """
    ### BEGIN SOLUTION
    macs_per_exit = torch.as_tensor(macs_per_exit, dtype=torch.float64, device=exits.device)
    return macs_per_exit[exits].mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_expected_macs", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
exits, table = torch.tensor([0, 0, 2, 1]), torch.tensor([10.0, 25.0, 60.0])
got = torch.as_tensor(student.expected_macs(exits, table))
assert has_shape(got, (), "return one number: the mean over the samples")
assert abs(float(got) - 105) > 1e-3, "this is the sum over the samples: take the mean"
assert abs(float(got) - 60) > 1e-3, "each sample costs the work up to its own exit; no sample waits for the slowest"
assert abs(float(got) - 37.5) > 1e-3, "macs_per_exit is cumulative already: do not add it up again"
assert close(float(got), 26.25, "the worked number: the mean of macs_per_exit at each sample's exit")
with part("a list of numbers", 0.25):
    assert close(float(student.expected_macs(exits, [10, 25, 60])), 26.25, "macs_per_exit may be a list of numbers")
print("expected_macs: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(36)
with part("the mean of the work", 1.5):
    for E, B in [(4, 50), (3, 1), (1, 7), (6, 400)]:
        table = (1e6 * torch.rand(E, generator=g)).cumsum(0).round()
        exits = torch.randint(0, E, (B,), generator=g)
        got = torch.as_tensor(student.expected_macs(exits, table))
        assert has_shape(got, (), "one number")
        want = sum(table[i].item() for i in exits.tolist()) / B
        assert close(float(got), want, "the mean of macs_per_exit at each sample's exit")
        for i in range(E):
            alone = float(student.expected_macs(torch.full((5,), i), table))
            assert close(alone, table[i].item(), "if all leave at one exit, it costs what that exit costs")
        both = float(student.expected_macs(torch.cat([exits, torch.zeros(B).long()]), table))
        assert close(both, (want + table[0].item()) / 2, "the same number of samples added that leave at exit 0")
        assert close(
            float(student.expected_macs(exits.flip(0), table)), want, "the order of the samples does not matter"
        )
    huge = float(student.expected_macs(torch.full((3000,), 1), torch.tensor([2.0e9, 7.0e10])))
    assert close(huge, 7.0e10, "large counts")
with part("lists", 0.25):
    table, exits = (1e6 * torch.rand(5, generator=g)).cumsum(0).round(), torch.randint(0, 5, (30,), generator=g)
    want = float(table[exits].mean())
    for dtype in (float, int):
        numbers = [dtype(macs) for macs in table.tolist()]
        assert close(float(student.expected_macs(exits, numbers)), want, "macs_per_exit may be a list of numbers")
### END HIDDEN TESTS

# %% [markdown]
# ## 8. `choose_threshold`: spend a budget (5 points)
#
# Which threshold? In practice there is a *budget*: a sample may cost at most so many MACs on average. Within it we want the highest accuracy. The answer is chosen on **validation** pictures, which were held out from training. Test pictures must not choose anything, or the reported accuracy is too good.
#
# Write a function that gets the logits of all exits for the validation samples, and finds the best threshold:
#
# 1. Only thresholds count whose mean MACs are **at most** the budget (exactly the budget is allowed).
# 2. Of these, take one with the **highest accuracy**. A sample is right if the exit where it leaves predicts its class.
# 3. If several are equally accurate, take one with the **fewest MACs**.
# 4. If not even the cheapest choice fits, raise a `ValueError`.
#
# The rules for leaving are those of section 6. *All* thresholds compete, not those of a grid. If several give every sample the same exit, you may return any of them. Section 9 asks your function about 2,000 pictures: compute only once what does not depend on the threshold.
#
# *Worked example.* Four samples, two exits, `macs_per_exit` = [10, 30].
#
# | sample | 0 | 1 | 2 | 3 |
# |---|---|---|---|---|
# | entropy at exit 0 | 0.1 | 0.3 | 0.3 | 0.6 |
# | exit 0 is | right | right | right | wrong |
# | exit 1 is | right | right | wrong | right |
#
# With a budget of 100, every threshold above 0.3 and up to 0.6 is right: all four answers are correct, for 15 MACs on average. A budget of 15 gives the same. A budget of 12 leaves only one choice: all samples leave at exit 0, so any threshold above 0.6 is right. A budget of 9 is impossible.
#
# <details><summary>Hint 1: idea</summary>
#
# Move the threshold up from 0. Nearly always nothing happens. When does an exit change? So how many *different* results are there, at most?
#
# </details>
# <details><summary>Hint 2: which thresholds to try</summary>
#
# The exits change only where the threshold passes an entropy of an early exit. One threshold from each interval between neighbouring, distinct entropies is enough, for instance the middle. Do not forget the two ends: no sample leaves early, all leave at exit 0.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# Compute before the loop, once: `entropies` and `right`, both `[E, N]`. `entropies[:-1].unique()` is sorted. For each threshold find the exits `[N]`; `macs_per_exit[exits].mean()` is the cost and `right.gather(0, exits[None]).sum()` the number of right answers. Compare pairs (right answers, −cost).
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "choose_threshold", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose_threshold(exit_logits, y, macs_per_exit, budget):
    """The threshold with the highest accuracy on these samples among all whose mean MACs are at most the budget.

    Args:
        exit_logits: a list of E tensors `[N, C]`, the last exit last, with E at least 2; not changed.
        y: the right classes, LongTensor `[N]`.
        macs_per_exit: MACs of a sample that leaves at exit 0, 1, ... (cumulative, increasing): a tensor `[E]` or a list
            of numbers.
        budget: mean MACs that a sample may cost at most.

    Returns:
        A finite number, for `choose_exit`. Of several equally accurate thresholds, one with the fewest MACs.

    Raises:
        ValueError: no threshold costs so little.
    """
    ### BEGIN SOLUTION
    costs = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    entropies = torch.stack([prediction_entropy(z) for z in exit_logits]).double()  # [E, N]
    right = torch.stack([z.argmax(dim=1) == y for z in exit_logits])
    levels = entropies[:-1].unique()  # sorted; the exits change only there
    tries = torch.cat([levels[:1] / 2, (levels[:-1] + levels[1:]) / 2, levels[-1:] + 1])
    best, chosen = (-1, 0.0), None
    for threshold in tries.tolist():
        leaves = entropies < threshold
        leaves[-1] = True
        at = leaves.int().argmax(dim=0)
        cost = float(costs[at].mean())
        result = (int(right.gather(0, at[None]).sum()), -cost)
        if cost <= budget and result > best:
            best, chosen = result, threshold
    if chosen is None:
        raise ValueError("the budget is below the cost of exit 0")
    return chosen
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_choose_threshold", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
gaps = torch.tensor([3.866343, 2.327063, 2.327063, 0.907008])  # the logits of two classes: entropies 0.1, 0.3, 0.3, 0.6
exit_logits = [
    torch.stack([gaps, torch.zeros(4)], dim=1) * torch.tensor([[1.0], [1.0], [1.0], [-1.0]]),
    torch.tensor([[2.9, 0.0], [1.4, 0.0], [0.0, 1.6], [4.7, 0.0]]),
]
y, table = torch.zeros(4, dtype=torch.long), torch.tensor([10.0, 30.0])
if entropies_fit(student.prediction_entropy):  # the checks below need correct entropies
    threshold = student.choose_threshold(exit_logits, y, table, 100.0)
    assert isinstance(threshold, float | int | torch.Tensor), "return one number, the threshold"
    assert has_shape(torch.as_tensor(threshold), (), "return one number, the threshold")
    threshold = float(threshold)
    assert math.isfinite(threshold), "return a finite number: any one above all entropies lets all samples leave"
    below = exit_logits[0].log_softmax(1)
    below = -(below.exp() * below).sum(1).double()  # the entropies of exit 0
    assert not threshold <= float(below[0]), (
        "budget 100: with this threshold no sample leaves early. Is more work always more accurate? Count the right answers"
        " in the table"
    )
    assert not threshold > 0.6001, (
        "budget 100: this threshold lets all samples leave at exit 0. The budget is a limit; within it the accuracy"
        " decides, and each sample counts with the answer of the exit where it leaves"
    )
    assert threshold > float(below[1]), (
        "budget 100: samples 1 and 2 must leave at exit 0, too. With which thresholds do they? (What happens at an entropy"
        " of exactly the threshold?)"
    )
    try:
        exact = float(student.choose_threshold(exit_logits, y, table, 15.0))
    except ValueError:
        exact = 0.0
    assert exact > float(below[2]) and exact < 0.6001, (
        "budget 15: three samples for 10 MACs and one for 30 cost 15 on average, and a budget may be used up exactly"
        " (the mean counts, not the most expensive sample; macs_per_exit is cumulative already)"
    )
    with part("all must leave", 0.5):
        try:
            cheap = float(student.choose_threshold(exit_logits, y, table, 12.0))
        except ValueError:
            cheap = 0.0
        hint = "budget 12: it is enough if all samples leave at exit 0, with any finite threshold above every entropy"
        assert math.isfinite(cheap) and cheap > 0.5999, hint
    with part("equally accurate", 0.5):
        three = [z[[0, 1, 1]] for z in exit_logits]  # all right at both exits
        cheap = float(student.choose_threshold(three, y[:3], table, 100.0))
        assert cheap > float(below[1]), "equally accurate with less work: take the fewest MACs"
    with part("impossible", 0.25):
        for budget in (9.0, 0.0):
            refused = False
            try:
                student.choose_threshold(exit_logits, y, table, budget)
            except ValueError:
                refused = True
            assert refused, f"a budget of {budget:g}: not even exit 0 is cheap enough; raise a ValueError"
print("choose_threshold: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(37)


def all_entropies(exit_logits):
    """The entropy of each exit for each sample, `[E, N]`, in float64."""
    return torch.stack([-(z.log_softmax(1).exp() * z.log_softmax(1)).sum(1) for z in [z.double() for z in exit_logits]])


def outcome(exit_logits, exits, y, table):
    """The number of right answers and the mean MACs if the samples leave at these exits."""
    chosen = torch.stack(list(exit_logits))[exits, torch.arange(len(y))].argmax(1)
    return int((chosen == y).sum()), sum(table[i] for i in exits.tolist()) / len(y)


def exits_of(entropies, threshold):
    """The first exit below the threshold, else the last."""
    below = entropies < threshold
    below[-1] = True
    return below.int().argmax(dim=0)


def all_outcomes(exit_logits, y, table):
    """The outcomes of all thresholds."""
    entropies = all_entropies(exit_logits)
    levels = sorted({-1.0, *entropies[:-1].flatten().tolist(), 9.0})
    middles = [(low + high) / 2 for low, high in zip(levels[:-1], levels[1:], strict=True)]
    return [outcome(exit_logits, exits_of(entropies, middle), y, table) for middle in middles]


def is_best(exit_logits, y, table, budget, outcomes):
    """Is the student's threshold one of the best within the budget?"""
    given = student.choose_threshold(exit_logits, y, torch.tensor(table), budget)
    assert has_shape(torch.as_tensor(given), (), "one number")
    given = float(given)
    assert math.isfinite(given), "a finite number"
    best = max((right, -cost) for right, cost in outcomes if cost <= budget + 1e-9)
    # as choose_exit decides, or with room for rounding where the threshold equals an entropy at which a sample stays
    ways = [
        student.choose_exit(exit_logits, given),
        exits_of(all_entropies(exit_logits), given - min(2e-6, abs(given) / 2)),
    ]
    found = [outcome(exit_logits, exits, y, table) for exits in ways]
    return any(right == best[0] and abs(cost + best[1]) < 1e-6 * cost for right, cost in found)


def draw_case(E, N, C, low, high):
    """Logits of all exits, whose entropies are not too close to tell them apart, and classes that are often right."""
    while True:
        scale = low + (high - low) * torch.rand(E, N, 1, generator=g)
        exit_logits = list(scale * torch.rand(E, N, C, generator=g).argsort(dim=2).eq(C - 1))
        exit_logits = [z + 0.02 * torch.randn(N, C, generator=g) for z in exit_logits]
        levels = all_entropies(exit_logits)[:-1].flatten().sort().values
        if float(levels.diff().min()) > 1e-5:
            break
    at = torch.randint(0, E, (N,), generator=g)
    y = torch.stack(exit_logits)[at, torch.arange(N)].argmax(1)
    return exit_logits, y, (1 + 50 * torch.rand(E, generator=g)).round().cumsum(0).tolist()


def draw_budgets(outcomes):
    """Budgets between the costs that are possible, and one that allows everything."""
    costs = sorted({cost for _, cost in outcomes})
    at = torch.randperm(len(costs) - 1, generator=g)[:4].tolist()
    return [*((costs[i] + costs[i + 1]) / 2 for i in at), 2 * costs[-1]]


with part("the best threshold", 2):
    for E, N, C in [(2, 12, 3), (3, 20, 4), (4, 25, 6), (7, 20, 3), (2, 30, 10), (3, 1, 3)]:
        exit_logits, y, table = draw_case(E, N, C, 0.5, 5.0)
        for budget in draw_budgets(outcomes := all_outcomes(exit_logits, y, table)):
            assert is_best(exit_logits, y, table, budget, outcomes), (
                "of all thresholds whose mean MACs are at most the budget, one with the highest accuracy, and of these"
                " one with the fewest MACs"
            )
    for E, N, C in [(2, 10, 4), (3, 12, 10)]:
        exit_logits, _, table = draw_case(E, N, C, 0.5, 5.0)
        y = exit_logits[-1].argmax(1)
        exit_logits[:-1] = [-z for z in exit_logits[:-1]]  # the early exits are unsure and mostly wrong
        outcomes = all_outcomes(exit_logits, y, table)
        assert is_best(exit_logits, y, table, 2 * table[-1], outcomes), (
            "it may be best that no sample leaves early, if the budget allows it"
        )
    gaps = torch.linspace(0.5, 4.0, 600)
    exit_logits = [torch.stack([gaps, torch.zeros(600)], dim=1), torch.stack([torch.zeros(600), gaps], dim=1)]
    for k in torch.randint(50, 550, (4,), generator=g).tolist():  # exit 0 is right for the k surest of 600 samples only
        y = (torch.arange(600) < 600 - k).long()
        outcomes = [(600, (k * 10.0 + (600 - k) * 30.0) / 600)]
        assert is_best(exit_logits, y, [10.0, 30.0], 100.0, outcomes), (
            "many samples: all thresholds compete, not those of a grid and not the first ones only"
        )
with part("entropies close to 0", 0.75):
    for E, N, C in [(2, 20, 3), (3, 15, 4), (4, 12, 6)]:
        exit_logits, y, table = draw_case(E, N, C, 8.0, 11.0)
        for budget in draw_budgets(outcomes := all_outcomes(exit_logits, y, table)):
            assert is_best(exit_logits, y, table, budget, outcomes), (
                "all entropies are close to 0 and to each other: a grid of thresholds misses the best one"
            )
    for k in range(2, 8):  # exit 0 is right for the k surest samples only: one threshold is best, between two entropies
        exit_logits, _, table = draw_case(2, 9, 3, 9.6, 10.0)
        exit_logits[1] = exit_logits[0].roll(1, dims=1)
        is_sure = all_entropies(exit_logits)[0].argsort().argsort() < k
        y = torch.where(is_sure, exit_logits[0].argmax(1), exit_logits[1].argmax(1))
        assert is_best(exit_logits, y, table, 2 * table[-1], all_outcomes(exit_logits, y, table)), (
            "the best threshold lies between two entropies that are close to each other: a grid of thresholds misses it"
        )
with part("equal entropies", 0.5):
    for E, N, C in [(2, 5, 3), (3, 6, 4)]:
        exit_logits, y, table = draw_case(E, N, C, 0.5, 5.0)
        exit_logits = [z.repeat(3, 1) for z in exit_logits]
        exit_logits[-1] = exit_logits[-1][torch.randperm(3 * N, generator=g)]
        y = torch.randint(0, C, (3 * N,), generator=g)
        for budget in draw_budgets(outcomes := all_outcomes(exit_logits, y, table)):
            assert is_best(exit_logits, y, table, budget, outcomes), "samples with the same entropy leave together"
    certain = 1000.0 * F.one_hot(torch.tensor([0, 0, 1, 1]), 3).float()  # entropy exactly 0
    exit_logits = [certain, certain.flip(0)]
    for y, budget in (([1, 1, 0, 0], 30), ([0, 0, 1, 1], 30), ([1, 1, 0, 0], 29), ([1, 1, 1, 0], 30)):
        outcomes = all_outcomes(exit_logits, torch.tensor(y), [10.0, 30.0])
        assert is_best(exit_logits, torch.tensor(y), [10.0, 30.0], budget, outcomes), "entropies of exactly 0"
with part("budgets that fit exactly", 0.5):
    for E, C in [(2, 3), (3, 4), (4, 5)]:
        exit_logits, y, table = draw_case(E, 16, C, 0.5, 5.0)
        table = [8.0 * macs for macs in table]
        outcomes = all_outcomes(exit_logits, y, table)
        for _, cost in [outcomes[0], outcomes[-1], *outcomes[1:-1:6]]:
            assert is_best(exit_logits, y, table, cost, outcomes), "a budget may be used up exactly"
        for budget in (0.9995 * cost for _, cost in outcomes[:-1:6] if 0.9995 * cost > table[0]):
            assert is_best(exit_logits, y, table, budget, outcomes), "a budget may not be exceeded, not even a little"
        refused = False
        try:
            student.choose_threshold(exit_logits, y, table, table[0] - 0.5)
        except ValueError:
            refused = True
        assert refused, "a budget below the MACs of exit 0 is impossible: raise a ValueError"
with part("a list of MACs", 0.25):
    exit_logits, y, table = draw_case(3, 10, 4, 0.5, 5.0)
    for budget in draw_budgets(outcomes := all_outcomes(exit_logits, y, table)):
        answers = [student.choose_threshold(exit_logits, y, way, budget) for way in (torch.tensor(table), table)]
        hint = "macs_per_exit may be a list of numbers"
        assert is_best(exit_logits, y, table, budget, outcomes), hint
        assert close(float(answers[0]), float(answers[1]), hint)
### END HIDDEN TESTS

# %% [markdown]
# ## 9. The networks, one comparison
#
# We train three kinds of networks, **each from fresh weights, on the same pictures, for the same number of epochs, with the same optimizer**:
#
# * the **baseline**, a ResNet with one output;
# * the **early-exit network**, the same ResNet with early heads, trained with your loss (weights 0.3, ..., 0.3, 1);
# * a **smaller ResNet**, narrower and just as deep: the simple way to save work. In `mini` it is trained three times, with three seeds, to show how much such a number varies.
#
# Pictures are mirrored at random while training; that does not change the class.

# %%
EPOCHS, BATCH = run.size(full=10, mini=6, grade=1), run.size(full=128, mini=64, grade=16)
LEARNING_RATE = run.size(full=2e-3, mini=5e-3, grade=5e-3)
STEPS = EPOCHS * len(train_x) // BATCH
WEIGHTS = [0.3] * (EXITS - 1) + [1.0]
SMALL_SEEDS = run.size(full=(0,), mini=(0, 1, 2), grade=(0,))


def train_network(name: str, make, design: Design, weights: list[float], seed: int = 0) -> tuple[Staged, list[float]]:
    """Trains a fresh network on the weighted loss of its exits; returns it in evaluation mode, and its losses."""
    homework.seed_everything(seed)
    model = make(design).to(run.device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=STEPS, pct_start=0.2)
    loop = training.Loop(
        run,
        name,
        steps=STEPS,
        modules={"model": model, "optimizer": optimizer, "scheduler": scheduler},
        code=[early_exit_loss, Block, Staged, design, weights, BATCH, LEARNING_RATE],
        seed=seed,
    )
    for _ in loop:
        rows = torch.randint(len(train_x), (BATCH,), device=run.device)
        mirror = torch.rand(BATCH, 1, 1, 1, device=run.device) < 0.5
        x = torch.where(mirror, train_x[rows].flip(-1), train_x[rows])  # [B, channels, 32, 32]
        loss = early_exit_loss(model(x), train_y[rows], weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        loop.record(loss=loss)
    return model.eval(), loop.history["loss"]


@torch.no_grad()
def all_logits(model: Staged, x: torch.Tensor) -> list[torch.Tensor]:
    """The logits of all exits for many inputs: a list of `[N, C]`."""
    chunks = [model(chunk) for chunk in x.split(500)]
    return [torch.cat(each) for each in zip(*chunks, strict=True)]


def accuracy(predictions: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of correct predictions."""
    return float((predictions == labels).double().mean())


def points_with_error(values: torch.Tensor) -> tuple[float, float]:
    """The mean of one number for each picture and its standard error, both in percentage points."""
    values = 100 * values.double()
    return float(values.mean()), float(values.std() / math.sqrt(len(values)))


# %% tags=["train"]
baseline, _ = train_network("baseline", make_resnet, BIG, [1.0])
early_exit, _ = train_network("early-exit", make_early_exit_resnet, BIG, WEIGHTS)
smaller = [train_network(f"small-{seed}", make_resnet, SMALL, [1.0], seed)[0] for seed in SMALL_SEEDS]

# %% tags=["experiment"]
baseline_logits = all_logits(baseline, test_x)[-1]  # [N, C]
exit_logits = all_logits(early_exit, test_x)  # E times [N, C]
valid_logits = [z.cpu() for z in all_logits(early_exit, valid_x)]
small_logits = [all_logits(each, test_x)[-1] for each in smaller]
baseline_right = baseline_logits.argmax(1) == test_y  # [N]
exit_right = torch.stack([z.argmax(1) == test_y for z in exit_logits])  # [E, N]
small_right = torch.stack([z.argmax(1) == test_y for z in small_logits])  # [seeds, N]
baseline_accuracy = float(baseline_right.double().mean())
exit_accuracies = exit_right.double().mean(dim=1).tolist()
small_accuracies = small_right.double().mean(dim=1).tolist()
small_accuracy = sum(small_accuracies) / len(small_accuracies)
rows = {"baseline": baseline_right}
rows |= {f"exit {i}, all samples": right for i, right in enumerate(exit_right)}
rows |= {f"smaller network, seed {seed}": right for seed, right in zip(SMALL_SEEDS, small_right, strict=True)}
print("test accuracy, with the standard error of one measurement")
for name, right in rows.items():
    print(f"{name:24s} {points_with_error(right)[0]:6.1f} ± {points_with_error(right)[1]:.1f} %")

# %% [markdown]
# These are the accuracies if *all* samples use the same exit. Two networks that differ by less than about two standard errors may as well be equally good.
#
# **Predict, then run.** Let the threshold grow from 0 to $\log C$. What happens to the MACs, and what to the accuracy? Which falls first?

# %%
MOST = math.log(CLASSES)  # no entropy is larger
THRESHOLDS = [0.0, *torch.logspace(-4, math.log10(MOST), 120).tolist(), MOST + 0.01]


class Result(NamedTuple):
    """What early exit achieves on some pictures."""

    threshold: float
    """`nan` where another rule than a threshold decides."""
    accuracy: float
    macs: float
    shares: list[float]
    """Share of the samples that leave at each exit."""
    change: float
    """Accuracy minus that of the network's own last exit, in percentage points."""
    error: float
    """Standard error of the change."""
    right: torch.Tensor
    """Whether each sample is classified correctly, `[N]`."""


@torch.no_grad()
def measure(
    exits: torch.Tensor, exit_logits: list[torch.Tensor], labels: torch.Tensor, threshold: float = math.nan
) -> Result:
    """The result if each sample leaves at the given exit, from logits that were computed once."""
    chosen = torch.stack(exit_logits)[exits, torch.arange(len(exits), device=exits.device)]  # [N, C]
    right = chosen.argmax(1) == labels
    shares = (torch.bincount(exits, minlength=EXITS) / len(exits)).tolist()
    change = points_with_error(right.double() - (exit_logits[-1].argmax(1) == labels).double())
    macs = float(expected_macs(exits, macs_per_exit))
    return Result(threshold, float(right.double().mean()), macs, shares, *change, right)


def measure_at(threshold: float, exit_logits: list[torch.Tensor], labels: torch.Tensor) -> Result:
    """The result of early exit at one threshold."""
    return measure(choose_exit(exit_logits, threshold), exit_logits, labels, threshold)


# %% tags=["experiment"]
curve = [measure_at(threshold, exit_logits, test_y) for threshold in THRESHOLDS]
print("threshold  = classes   accuracy     MACs   leave at exit", "".join(f"{i:8d}" for i in range(EXITS)))
for threshold in (0.0, 0.001, 0.01, 0.1, 0.3, 0.6, 1.0, MOST + 0.01):
    at = measure_at(threshold, exit_logits, test_y)
    shares = "".join(f"{share:8.1%}" for share in at.shares)
    print(
        f"{threshold:9.3f} {math.exp(threshold):10.2f} {at.accuracy:10.1%} {at.macs / baseline_macs:8.1%}   {'':13s} {shares}"
    )
plots.curves(
    {"early exit": (THRESHOLDS[1:], [at.macs / baseline_macs for at in curve[1:]])},
    title="Work against the threshold",
    xlabel="threshold (nats, logarithmic axis)",
    ylabel="mean MACs, share of the baseline's",
    logx=True,
    levels={"baseline": 1.0},
)

# %% tags=["experiment"]
plots.curves(
    {"early exit ± standard error": (THRESHOLDS[1:], [at.change for at in curve[1:]])},
    band={"early exit ± standard error": [at.error for at in curve[1:]]},
    title="Change of accuracy against the threshold",
    xlabel="threshold (nats, logarithmic axis)",
    ylabel="percentage points",
    logx=True,
    levels={"the same network, all at the last exit": 0.0},
)

# %% [markdown]
# The second column of the table is $e^{\text{threshold}}$. A threshold of 1 looks small, but such an exit may still hesitate between 2.7 classes. Is such a large doubt good enough to answer? Compare with the accuracies in your table.
#
# ### The threshold for a budget
#
# The curves above come from test pictures, so they must not choose the threshold. Your `choose_threshold` gets the validation pictures and four budgets. The first one is the work of the smaller network: the two spend the same.
#
# **Predict, then run.** Will the accuracy grow with the budget? Will the work on *test* pictures stay within it?

# %% tags=["experiment"]
same_work = max(small_macs, float(macs_per_exit[0]))
budgets = [same_work, *(share * baseline_macs for share in (0.35, 0.5, 1.0))]
chosen_for = {}
print("budget   threshold  = classes    validation pictures      test pictures")
for budget in budgets:
    if budget >= macs_per_exit[0]:
        threshold = float(choose_threshold(valid_logits, valid_y.cpu(), macs_per_exit, budget))
        chosen_for[budget] = found = [
            measure_at(threshold, valid_logits, valid_y.cpu()),
            measure_at(threshold, exit_logits, test_y),
        ]
        shown = "".join(f"   {at.accuracy:6.1%}, {at.macs / baseline_macs:5.1%} MACs" for at in found)
        print(f"{budget / baseline_macs:6.1%} {threshold:11.3f} {math.exp(threshold):10.2f} {shown}")
careful = chosen_for[same_work][1]
gains = [points_with_error(careful.right.double() - right.double()) for right in small_right]
print("\nat the work of the smaller network: accuracy of early exit minus that of the smaller network, seed by seed")
print(", ".join(f"{mean:+.1f} ± {error:.1f}" for mean, error in gains), "percentage points")

# %% [markdown]
# In `mini` the largest budgets are not used up: beyond some point more work brings no more right answers, and your function takes the cheaper threshold. And a budget is kept on the pictures that chose the threshold. On others the work differs by a few percent, here upwards: the test pictures are a little harder than the validation pictures.
#
# **Headline: what to expect in `mini`** (eight seeds; the standard error of one accuracy is 0.4 points).
#
# | | test accuracy |
# |---|---|
# | baseline | 94.0 to 95.0 % |
# | early-exit network, all at the last exit | 94.0 to 94.7 % |
# | early-exit network, all at exit 0 | 86.9 to 90.2 % |
# | smaller network | 92.5 to 94.0 % |
#
# `full` needs a GPU and has not been run by the authors of this notebook. What an earlier course reported for a shorter training on CIFAR-10: baseline 55 to 65 %, early exit 46 to 56 %, 60 to 80 % of the pictures leave early, MACs down to 50 to 60 %, smaller network 45 to 55 %.

# %% [markdown]
# ### Is the work really saved?
#
# So far all logits were computed, and the work was only calculated. Now `early_exit_predict` predicts the test pictures, and a hook counts the pictures that each stage really sees. (The seconds are those of one run on your machine: MACs are not time. Sorting out rows costs time, too, and a GPU likes large batches.)

# %% tags=["experiment"]
rows_seen = [0] * EXITS


def count_rows(i: int):
    """A hook that counts the pictures that stage i sees."""

    def hook(module, inputs, output) -> None:
        rows_seen[i] += len(output)

    return hook


hooks = [stage.register_forward_hook(count_rows(i)) for i, stage in enumerate(early_exit.stages)]
begin = time.perf_counter()
answers = [early_exit_predict(early_exit, chunk, careful.threshold) for chunk in test_x.split(500)]
seconds_early = time.perf_counter() - begin
for hook in hooks:
    hook.remove()
predictions, exits = (torch.cat(each) for each in zip(*answers, strict=True))
begin = time.perf_counter()
all_logits(baseline, test_x)
seconds_baseline = time.perf_counter() - begin
agreement = float((exits == choose_exit(exit_logits, careful.threshold)).double().mean())
predicted_accuracy = accuracy(predictions, test_y)
predicted_macs = float(expected_macs(exits, macs_per_exit))
print(
    f"threshold {careful.threshold:.3f}: accuracy {predicted_accuracy:.1%}, {predicted_macs / baseline_macs:.1%} of the MACs"
)
print("pictures seen by each stage:", ", ".join(f"{rows:,}" for rows in rows_seen))
print(f"same exits as from the logits of all exits: {agreement:.2%}")
print(f"seconds: {seconds_early:.2f} with early exit, {seconds_baseline:.2f} for the baseline")

# %% tags=["experiment"]
top_probability = torch.stack([z.softmax(1).max(1).values for z in exit_logits])  # [E, N]
exit_entropies = torch.stack([prediction_entropy(z) for z in exit_logits])  # [E, N]
leaving = []
print("exit   leave here   accuracy of those   mean confidence   mean entropy   accuracy of all here")
for i in range(EXITS):
    here = exits == i
    row = [float(here.double().mean())]
    row += [
        float(each[here].double().mean()) for each in (predictions == test_y, top_probability[i], exit_entropies[i])
    ]
    leaving.append(row)
    print(f"{i:4d} {row[0]:12.1%} {row[1]:19.1%} {row[2]:17.1%} {row[3]:14.3f} {exit_accuracies[i]:22.1%}")

# %% [markdown]
# Compare the two accuracies in each row. What do you find at exit 0, and what at the last exit? Question (b) asks why.
#
# ### Is the confidence honest?
#
# A network is *calibrated* if it is right in 70 % of the cases in which its confidence is 70 %. The next figure sorts all test pictures by their confidence at an exit into groups (0 to 0.1, 0.1 to 0.2, ...), and shows how often each group is right, ± one standard error. Groups with fewer than 20 pictures are left out. Above the diagonal an exit is *underconfident*: it is right more often than it says. Below, it is *overconfident*.
#
# **Predict, then run.** Large networks tend to be overconfident (Guo and others 2017). Take the test pictures for which an exit has a confidence of 60 to 80 %. How many of them does exit 0 classify rightly, and how many the last exit?


# %%
def calibration(logits: torch.Tensor, labels: torch.Tensor) -> tuple[list, list, list]:
    """Mean confidence, accuracy and its standard error of the pictures with confidence 0 to 0.1, 0.1 to 0.2, ..."""
    confidence, predicted = logits.softmax(1).max(1)
    right, group = (predicted == labels).double(), (10 * confidence).long().clamp(max=9)
    means, shares, errors = [], [], []
    for number in range(10):
        of = group == number
        count = int(of.sum())
        if count >= min(20, len(labels) // 10):  # fewer say little
            share = float(right[of].mean())
            means.append(float(confidence[of].mean()))
            shares.append(share)
            errors.append(math.sqrt(share * (1 - share) / count))
    return means, shares, errors


def show_calibration(all_exits: dict[str, torch.Tensor], title: str):
    """Draws accuracy against confidence for some exits."""
    found = {name: calibration(logits, test_y) for name, logits in all_exits.items()}
    return plots.curves(
        {
            **{name: each[:2] for name, each in found.items()},
            "calibrated": (diagonal := torch.linspace(0.25, 1, 20), diagonal),
        },
        band={name: each[2] for name, each in found.items()},
        title=title,
        xlabel="mean confidence of the group",
        ylabel="share that is right",
    )


# %% tags=["experiment"]
overconfidence = [
    float(z.softmax(1).max(1).values.mean()) - value for z, value in zip(exit_logits, exit_accuracies, strict=True)
]
print("mean confidence minus accuracy, exit by exit:", ", ".join(f"{gap:+.3f}" for gap in overconfidence))
show_calibration({"exit 0": exit_logits[0], "last exit": exit_logits[-1]}, "Confidence and accuracy on test pictures")

# %% [markdown]
# In `mini` exit 0 is strongly underconfident: its mean confidence is more than ten percentage points below its accuracy. The last exit is much closer to the diagonal. With a confidence of 60 to 80 %, exit 0 is right in more than nine of ten cases, the last exit in about two of three. So *one* threshold means different risks at different exits.
#
# ### The picture (4 points)
#
# Draw accuracy (vertical) against MACs as a share of the baseline's (horizontal): the curve of early exit over all thresholds, and in the same axes the baseline and the smaller networks as single points. The numbers are in `curve`, `baseline_macs`, `baseline_accuracy`, `small_macs`, `small_accuracies`; `plots.curves` takes `{label: (x, values)}`, where a single value is drawn as a point. Then answer in the cell below, as a comment, in two or three sentences: where does the curve bend, and which of the three kinds of networks would you choose for which budget?

# %% nbgrader={"grade": true, "grade_id": "figure_tradeoff", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false} tags=["experiment"]
### BEGIN SOLUTION
# Going left from the full network, the curve stays level for a long while, at the height of the baseline, and bends
# down at about a third of the baseline's MACs, where most pictures leave at exit 0: the savings before the bend cost no
# accuracy. For a large budget the baseline is as good as early exit; for a middle one I take early exit just before the
# bend; at the budget of the smaller network the two are equally good within the errors, and below the MACs of exit 0
# early exit is not possible, so there I take a small network.
plots.curves(
    {
        "early exit, one network": ([at.macs / baseline_macs for at in curve], [at.accuracy for at in curve]),
        "baseline": ([1.0], [baseline_accuracy]),
        **{
            f"smaller network, seed {seed}": ([small_macs / baseline_macs], [value])
            for seed, value in zip(SMALL_SEEDS, small_accuracies, strict=True)
        },
    },
    title="One network, a whole curve: accuracy against work",
    xlabel="mean MACs for each picture, as a share of the baseline's",
    ylabel="accuracy on test pictures",
)
### END SOLUTION
### BEGIN MARK SCHEME
# - 1 point: the curve of early exit over at least ten thresholds, from all-at-the-last-exit to all-at-exit-0
# - 1 point: baseline and smaller network as points in the same axes; labelled axes, MACs as a share or with a unit
# - 1 point: says where accuracy begins to fall (a share of MACs or a threshold that fits the own curve)
# - 1 point: a choice for a small, a middle and a large budget that fits the own figure (none need be early exit)
### END MARK SCHEME

# %% [markdown]
# ### Which pictures leave early?
#
# In `mini` the difficulty of each picture is known, since we drew it; the network was not told. (In `full` it is unknown. As a substitute we use the loss of the *baseline*, another network, on the picture, as a rank from 0 to 1.)
#
# **Predict, then run.** Will the exits follow the difficulty?


# %%
def ranks(values: torch.Tensor) -> torch.Tensor:
    """The rank of each value, 1 for the smallest; equal ones share their mean rank: `[N]`, float64."""
    _, place, counts = values.unique(return_inverse=True, return_counts=True)
    last = counts.cumsum(0).double()
    return (last - (counts - 1) / 2)[place]


def rank_correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    """Spearman's coefficient: the correlation of the ranks; `nan` where one of the two is constant."""
    pair = torch.stack([ranks(a), ranks(b)])
    centred = pair - pair.mean(dim=1, keepdim=True)
    return float((centred[0] * centred[1]).sum() / (centred.norm(dim=1).prod()))


# %% tags=["experiment"]
if pictures.test_difficulty is not None:
    difficulty, difficulty_name = pictures.test_difficulty, "difficulty with which it was drawn"
else:
    baseline_losses_here = F.cross_entropy(baseline_logits, test_y, reduction="none").cpu()
    difficulty = (ranks(baseline_losses_here) - 1).float() / (len(test_y) - 1)
    difficulty_name = "difficulty (rank of the baseline's loss)"
exits_on_cpu = exits.cpu()
difficulty_correlation = rank_correlation(difficulty.double(), exits_on_cpu.double())
print(f"rank correlation of difficulty and exit: {difficulty_correlation:.2f}")
BINS = run.size(full=10, mini=10, grade=3)
in_bin = (difficulty * BINS).long().clamp(max=BINS - 1)
middles = [(i + 0.5) / BINS for i in range(BINS)]
occupied = [i for i in range(BINS) if bool((in_bin == i).any())]
plots.curves(
    {
        f"exit {exit_number}": (
            [middles[i] for i in occupied],
            [float((exits_on_cpu[in_bin == i] == exit_number).double().mean()) for i in occupied],
        )
        for exit_number in range(EXITS)
    },
    title=f"Difficulty and exit, threshold {careful.threshold:.2f}",
    xlabel=difficulty_name,
    ylabel="share that leaves at this exit",
)

# %% tags=["experiment"]
shown_classes = list(range(CLASSES))[:6]
first_leavers, last_leavers = [], []
for kind in shown_classes:
    of_kind = (test_y.cpu() == kind).nonzero()[:, 0]
    by_first_entropy = of_kind[exit_entropies[0].cpu()[of_kind].argsort()]
    by_smallest_entropy = of_kind[exit_entropies[:-1].cpu().min(dim=0).values[of_kind].argsort()]
    first_leavers.append(by_first_entropy[:3])
    last_leavers.append(by_smallest_entropy[-3:])
leavers = torch.cat([*first_leavers, *last_leavers])
plots.image_grid(
    pictures.test_images[leavers],
    rows=2,
    columns=3 * len(shown_classes),
    title="Pictures that leave first and pictures that leave last, three of each class",
    row_labels=["first", "last"],
    column_labels=[name for kind in shown_classes for name in ("", pictures.names[kind], "")],
)

# %% [markdown]
# The upper row shows the pictures that leave at exit 0 even with the smallest thresholds, the lower row those that stay to the end even with large ones. What do the pictures of each row have in common? Could you name the classes in the lower row?
#
# **Where the method fails.** An exit can be sure and wrong, and then no later layer corrects it. A threshold that was chosen on validation pictures fits pictures of the same kind only: choose again when the pictures change. MACs are not seconds: on a GPU a batch that shrinks from stage to stage may save less time than work, and where a batch must be finished together, its slowest sample decides.
#
# ### Two experiments (not graded)
#
# **Honest exits.** Dividing logits by a *temperature* $T$ changes the confidence and not the predicted class. $T > 1$ makes an exit less sure, $T < 1$ more. The next cell looks for the $T$ of each exit that gives the validation pictures the lowest cross-entropy (Guo and others 2017). The derivative of the cross-entropy with respect to $\beta = 1/T$ never decreases, so bisection finds its zero. **Predict, then run.** Which exit needs the smallest $T$? All exits then mean the same by "70 %". Will early exit become more accurate for the same work?


# %%
def best_temperature(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The temperature between 0.05 and 20 with the lowest cross-entropy on these samples."""
    own = logits.gather(1, labels[:, None])[:, 0]  # the logits of the right classes
    low, high = 1 / 20, 20.0
    for _ in range(40):
        beta = math.sqrt(low * high)
        expected = ((beta * logits).softmax(1) * logits).sum(1)
        low, high = (low, beta) if float((expected - own).mean()) > 0 else (beta, high)
    return 1 / beta


# %% tags=["experiment"]
temperatures = [best_temperature(z, valid_y.cpu()) for z in valid_logits]
print("temperatures:", ", ".join(f"{temperature:.2f}" for temperature in temperatures))
honest_logits = [z / temperature for z, temperature in zip(exit_logits, temperatures, strict=True)]
honest_overconfidence = [
    float(z.softmax(1).max(1).values.mean()) - value for z, value in zip(honest_logits, exit_accuracies, strict=True)
]
print("mean confidence minus accuracy, exit by exit:", ", ".join(f"{gap:+.3f}" for gap in honest_overconfidence))
honest_curve = [measure_at(threshold, honest_logits, test_y) for threshold in THRESHOLDS]


def best_within(found: list[Result], macs: float) -> float:
    """The highest accuracy for at most so many MACs; `nan` if there is none."""
    return max((at.accuracy for at in found if at.macs <= macs), default=math.nan)


within = [max(share * baseline_macs, float(macs_per_exit[0])) for share in (0.2, 0.25, 0.3, 0.35, 0.5)]
honest_gain = [best_within(honest_curve, macs) - best_within(curve, macs) for macs in within]
for macs, gain in zip(within, honest_gain, strict=True):
    print(f"up to {macs / baseline_macs:.0%} of the MACs: accuracy changes by {100 * gain:+.1f} percentage points")
show_calibration({"exit 0": honest_logits[0], "last exit": honest_logits[-1]}, "The same, with temperatures")

# %% [markdown]
# In `mini` the confidences become nearly honest, and the accuracy for the same work changes by about one point at most, in either direction. Why so little? Which order does a temperature leave as it is, and which can it change?
#
# **Without a threshold.** Zhou and others (2020) let a sample leave as soon as two exits in a row predict the same class. They call the number of agreements *patience*. No confidence is needed. **Predict, then run.** Compared with the entropy at the same work: better or worse? And at which exit can no sample leave?


# %%
def first_agreement(exit_logits: list[torch.Tensor]) -> torch.Tensor:
    """The first exit that predicts the same class as the exit before it, else the last: LongTensor `[N]`."""
    votes = torch.stack([z.argmax(1) for z in exit_logits])  # [E, N]
    same = votes[1:] == votes[:-1]
    same[-1] = True
    return 1 + same.int().argmax(dim=0)


# %% tags=["experiment"]
patient = measure(first_agreement(exit_logits), exit_logits, test_y)
entropy_accuracy = best_within(curve, patient.macs)
print(f"two exits in a row agree: accuracy {patient.accuracy:.1%} for {patient.macs / baseline_macs:.1%} of the MACs")
print(f"entropy, no more work:    accuracy {entropy_accuracy:.1%}")

# %% [markdown]
# In `mini` the entropy wins by a little, with every seed that we tried. Patience always needs a second exit. Which of the two would you trust when the pictures change?
#
# ### What came after
#
# Language models leave early, too. *CALM* (Schuster and others 2022) lets each word leave the decoder at its own layer, with a threshold chosen such that the whole text stays good enough. *LayerSkip* (Elhoushi and others 2024) trains with an exit loss at all layers; the early layers then draft several words and the later ones check them. That is a form of *speculative decoding* (Leviathan and others 2023): a cheap model drafts, the full one checks all drafted words in one pass, and the distribution of the text does not change. *Mixture of depths* (Raposo and others 2024) turns the question around: each block processes a fixed number of words and lets the others pass, so the work is known in advance.

# %% [markdown]
# ## 10. Questions
#
# ### (a) The toy (6 points)
#
# Let $Y$, $Y_k$ be as in section 1. (i) Derive the formula that your `probability_negative` computes, with the variance of the tail; say where independence and where the normal distribution is used. (ii) How large is it for $Y_1 = 5$? (iii) And for $Y_{40} = 10^{-5}$? This value is very near 0: is its sign nevertheless certain, and why? (iv) What does this say about early exit in networks, and in what does a network differ from the toy? About 150 words and the formulas.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_toy", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# (i) Y = Y_k + R_k with R_k = X_{k+1} + X_{k+2} + …. R_k and Y_k have no terms in common, so R_k is independent of Y_k: given Y_k = m, Y is m + R_k with R_k distributed as before. A sum of independent normals is normal; its mean is 0 and its variance the sum of the variances, 2^{-k}(1 + ½ + ¼ + …) = 2·2^{-k}. So P(Y ≤ 0 | Y_k = m) = P(R_k ≤ −m) = Φ(−m/√(2·2^{-k})).
#
# (ii) k = 1: the deviation is 1, so Φ(−5) = 2.9 · 10⁻⁷.
#
# (iii) k = 40: the deviation is √(2 · 2⁻⁴⁰) = 1.35 · 10⁻⁶, so Φ(−10⁻⁵/1.35 · 10⁻⁶) = Φ(−7.4) = 6 · 10⁻¹⁴, below 10⁻¹⁰. What is near and what is far depends on the tail: 10⁻⁵ is 7.4 standard deviations of the tail. After many terms even a small value keeps its sign.
#
# (iv) One may stop as soon as the partial result is large compared with what the rest can still change; that happens early for clear cases and late for close ones, so the work should depend on the sample. In the toy the probability of an error is known exactly. A network's confidence is learnt, may be wrong, and later layers do not simply add smaller and smaller terms.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: tail independent of Y_k, so that conditioning only shifts it by m
# * 1 point: tail normal with variance 2·2^{-k} (geometric series), and the step to Φ
# * 1 point: (ii) 2.9 · 10⁻⁷ (2.8 to 2.9 · 10⁻⁷)
# * 1 point: (iii) below 10⁻¹⁰ (about 6 · 10⁻¹⁴), with the reason: compared with the tail's deviation of 1.35 · 10⁻⁶ the value is far from 0
# * 1 point: (iv) stop when the partial result decides; effort depends on the sample
# * 1 point: (iv) a difference between network and toy: confidence of a network is learnt and may be wrong, or the layers' contributions need not shrink
# ### END MARK SCHEME

# %% [markdown]
# ### (b) The networks (6 points)
#
# Give your numbers, name the profile, and answer: (i) the accuracy of the ResNet (baseline); (ii) the accuracy of the early-exit network with all samples at the last exit, **and** at the threshold that `choose_threshold` chose for the work of the smaller network; (iii) for each exit, at that threshold: the share of the samples that leave there, the mean confidence and the accuracy on them; why is this accuracy so different from that of all samples at the same exit? (iv) the ratio of MACs to the baseline's at that threshold, on test pictures; and over which factor of ten (0.001 to 0.01, 0.01 to 0.1, 0.1 to 1) the MACs fall most: what does this say about the entropies? (v) the accuracy of the smaller ResNet, how much it varies, and its MACs; (vi) at the same work (the threshold that the validation pictures chose for the MACs of the smaller network), is early exit better on test pictures than the smaller network, by more than twice the standard error? From which threshold in `curve` downwards is it more accurate than the mean of the smaller networks, and what does it cost there? Which of the two ways to save would you recommend? About 150 words.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_networks", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Profile mini; the numbers are those of my outputs in section 9. (i) The baseline's accuracy is the first row of the first table.
# (ii) At its last exit the early-exit network has nearly the accuracy of the baseline; at the threshold for the work of the smaller
# network about one point less.
#
# (iii) The shares are in the table of the exits: about four in five leave at exit 0, and their accuracy there (98 %) is far higher than that
# of all pictures would be at this exit, while their mean confidence is lower (about 86 %): exit 0 is underconfident. The pictures that reach the last
# exit are the hard ones: there the accuracy is the lowest, below one half, although this exit is the best of all.
#
# (iv) The ratio of MACs is printed, a little above a quarter. They fall most from 0.1 to 1 nats: that is where the entropies of exit 0 lie;
# at 0.1 few pictures leave there, at 1 most.
#
# (v) Accuracy and MACs of the smaller network are printed above, for three seeds (26 % of the baseline's MACs); they differ by up to one point.
# (vi) At the same work the difference is below two standard errors with most of the seeds: no clear winner. Early exit is more accurate from a threshold of about 0.8
# nats downwards, for 30 % of the baseline's MACs or a little more. I recommend early exit where the budget may change or the full
# accuracy is sometimes needed: one training gives the whole curve; the smaller network where memory or the worst case matters, or the budget
# is small and fixed.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: (i) baseline accuracy with the profile (in `full`: any value that fits the own outputs)
# * 1 point: (ii) both accuracies of the early-exit network, measured at its own exits (not the baseline's number again)
# * 1 point: (iii) the shares of the exits (adding up to 1) with confidence and accuracy, and the reason: easy pictures leave early, so accuracy there is above that of all pictures at this exit, and only hard ones reach the last
# * 1 point: (iv) ratio of MACs at the threshold, and the factor of ten with the largest fall in the own table, with the reason: there most entropies of the early exits lie
# * 1 point: (v) accuracy (with the spread over seeds or the standard error) and MACs of the smaller network
# * 1 point: (vi) compares at the same work with the standard error, names a threshold and its MACs from the own curve (or that there is none), and a recommendation that follows from the numbers
# ### END MARK SCHEME

# %% [markdown]
# ### How was it made? (not graded)
#
# Fill in what you used (lectures, papers, sites, language models), with whom you worked, and about how many hours it took. It is kept in the log and does not count for or against you.

# %%
process = {"sources": "", "people": "", "hours": None}

# %% [markdown]
# ## 11. Your log
#
# The next cell defines your per-student inputs: they are drawn from your student id. The last cell asks your functions for their answers, adds your measured numbers and writes `submission_log.json`. Submit it together with this notebook.


# %% tags=["answers"]
def personal_answers(student, draws):
    """Per-student inputs: item id -> a function that asks the student's code for its answer."""

    def ask_tail_variance():
        d = draws("tail_variance")
        return student.tail_variance(d.integers(0, 20, 5))

    def ask_probability_negative():
        d = draws("probability_negative")
        return student.probability_negative(0.5 * d.normal(5), d.integers(1, 8, 5))

    def ask_prediction_entropy():
        d = draws("prediction_entropy")
        return student.prediction_entropy(2 * d.normal(4, 5))

    def ask_early_exit_loss():
        d = draws("early_exit_loss")
        exit_logits = [d.normal(4, 3).requires_grad_() for _ in range(3)]
        loss = student.early_exit_loss(exit_logits, d.integers(0, 3, 4), d.uniform(0.2, 1.0, 3).tolist())
        loss.backward()
        return {"loss": loss, "gradients": [each.grad for each in exit_logits]}

    def ask_choose_exit():
        d = draws("choose_exit")
        return student.choose_exit([1.5 * d.normal(8, 3) for _ in range(4)], 0.5)

    def ask_early_exit_predict():
        d = draws("early_exit_predict")
        stages = [student.Matrix(0.7 * d.normal(4, 4)) for _ in range(3)]
        heads = [student.Matrix(0.7 * d.normal(4, 3)) for _ in range(3)]
        model = student.Staged(stages, heads)
        model.eval()
        predictions, exits = student.early_exit_predict(model, d.normal(8, 4), 0.6)
        return {"predictions": predictions, "exits": exits}

    def ask_expected_macs():
        d = draws("expected_macs")
        return student.expected_macs(d.integers(0, 4, 9), d.uniform(1.0, 100.0, 4).cumsum(0))

    def ask_choose_threshold():
        d = draws("choose_threshold")
        exit_logits = [2 * d.normal(12, 3) for _ in range(3)]
        threshold = student.choose_threshold(exit_logits, d.integers(0, 3, 12), [10, 25, 60], 30.0)
        log_p = torch.stack(exit_logits[:-1]).log_softmax(2)
        return (-(log_p.exp() * log_p).sum(2) < float(threshold)).cumsum(0) > 0  # who has left by each early exit

    return {
        "tail_variance": ask_tail_variance,
        "probability_negative": ask_probability_negative,
        "prediction_entropy": ask_prediction_entropy,
        "early_exit_loss": ask_early_exit_loss,
        "choose_exit": ask_choose_exit,
        "early_exit_predict": ask_early_exit_predict,
        "expected_macs": ask_expected_macs,
        "choose_threshold": ask_choose_threshold,
    }


# %% tags=["log"]
log = SubmissionLog(run)
log.bands(  # the expected range of each number, from our own runs
    {
        "early_exit/baseline_accuracy": {"mini": (0.88, 0.99)},
        "early_exit/small_accuracy": {"mini": (0.85, 0.98)},
        "early_exit/accuracy": {"mini": (0.85, 0.98)},
        "early_exit/macs_ratio": {"mini": (0.2, 0.4)},
    }
)
log.answers(personal_answers)
with log.measurements():
    sizes = {"steps": STEPS, "test_pictures": len(test_x)}
    log.metric("early_exit/baseline_accuracy", value=baseline_accuracy, evidence={**sizes, "macs": baseline_macs})
    evidence = {**sizes, "macs": small_macs, "by_seed": small_accuracies}
    log.metric("early_exit/small_accuracy", value=small_accuracy, evidence=evidence)
    evidence = {**sizes, "by_exit": exit_accuracies, "macs": macs_per_exit.tolist(), "shares": careful.shares}
    log.metric("early_exit/accuracy", value=predicted_accuracy, evidence={**evidence, "threshold": careful.threshold})
    log.metric("early_exit/macs_ratio", value=predicted_macs / baseline_macs, evidence={"rows_seen": rows_seen})
log.process(**process)
log_file = log.write()

# %% [markdown]
# ## References
#
# * S. Teerapittayanon, B. McDanel, H. T. Kung: *BranchyNet: Fast Inference via Early Exiting from Deep Neural Networks*. ICPR 2016. arXiv:1709.01686. Exits with their own heads, the joint loss, the entropy as criterion.
# * K. He, X. Zhang, S. Ren, J. Sun: *Deep Residual Learning for Image Recognition*. CVPR 2016. arXiv:1512.03385.
# * T. Schuster and others: *Confident Adaptive Language Modeling*. NeurIPS 2022. arXiv:2207.07061.
# * W. Zhou and others: *BERT Loses Patience: Fast and Robust Inference with Early Exit*. NeurIPS 2020. arXiv:2006.04152.
# * M. Elhoushi and others: *LayerSkip: Enabling Early Exit Inference and Self-Speculative Decoding*. ACL 2024. arXiv:2404.16710.
# * Y. Leviathan, M. Kalman, Y. Matias: *Fast Inference from Transformers via Speculative Decoding*. ICML 2023. arXiv:2211.17192.
# * D. Raposo and others: *Mixture-of-Depths: Dynamically allocating compute in transformer-based language models*. 2024. arXiv:2404.02258.
# * G. Huang and others: *Multi-Scale Dense Networks for Resource Efficient Image Classification*. ICLR 2018. arXiv:1703.09844. Why early features make poor classifiers, and a design against it.
# * C. Guo, G. Pleiss, Y. Sun, K. Weinberger: *On Calibration of Modern Neural Networks*. ICML 2017. arXiv:1706.04599. Confidence and accuracy can differ.
# * A. Krizhevsky: *Learning Multiple Layers of Features from Tiny Images*. 2009. CIFAR-10.
