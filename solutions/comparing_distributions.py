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
# # Comparing distributions: KL is not symmetric
#
# Most training makes one distribution similar to another: a classifier's predictions to the labels, a generator's
# samples to the data, a policy's actions to good behaviour. "Similar" must be measured by a number, and the usual one,
# the Kullback-Leibler divergence, is not symmetric: the divergence of $p$ from $q$ is not that of $q$ from $p$. The
# first picture of section 7 shows what that means: a target with two humps (*modes*) and two Gaussians. Each of the two
# is as close to the target as a Gaussian can be, and they hardly overlap. Both are right.
#
# **What you will learn**
#
# * what a KL divergence measures, and why its two directions differ;
# * where it is infinite, and a related divergence (Jensen-Shannon) that is always finite;
# * how a model fitted in one direction differs from a model fitted in the other, and when the usual names for this ("mode covering", "mode seeking") are wrong;
# * how to minimise a divergence from samples alone, where no grid is fine enough.
#
# **What you need**: probabilities, logarithms, the normal density, and a little PyTorch. The lecture helps, but the text below is complete.
#
# | | profile `full` | profile `mini` |
# |---|---|---|
# | data | none, all distributions are given by formulas | the same |
# | work | some hundred fits of a Gaussian | the same |
# | hardware | any laptop; no GPU is used, no network is needed | the same |
# | time to run | less than half a minute | the same |
#
# Plan two hours for reading, writing and thinking.
#
# **Your student id** goes into your log: the last cell asks for it. To answer in advance, run `%env HOMEWORK_STUDENT=your_id` in a cell of its own.
#
# | graded | points |
# |---|---|
# | `kl_divergence` | 4 |
# | `asymmetric_pair` | 1 |
# | `jensen_shannon` | 2 |
# | `fit_gaussian` | 6 |
# | `fit_by_samples` | 7 |
# | written answers | 7 |
#
# **One rule for all tasks.** Your functions leave their arguments as they are: the caller may need them again. So no `x += ...`, `x[...] = ...` or `rows.pop()` on what you were given; work on new tensors or on copies. The tests check this. Only what a docstring calls *changed in place* may change, for instance a model that your function trains.
#
# **Letters.** `C` number of outcomes; `p`, `q` their probabilities `[C]`; `N` points of a grid; $m$ and $s$ mean and
# standard deviation (*deviation* for short) of a Gaussian; `S` searches that run in parallel; `D` draws. All logarithms are
# natural, so everything is measured in *nats*.

# %% tags=["install"]
from importlib.util import find_spec

if find_spec("homework") is None:  # on Colab: installs what is missing and keeps the installed torch
    get_ipython().run_line_magic("pip", "install -q STUDENT_PACKAGE")  # noqa: F821
# On Colab, so that training continues after a disconnect: `from homework.colab import use_drive; use_drive()`

# %%
import math

import torch

import homework
from homework import reference, student
from homework.checks import close, fresh, has_shape, part
from homework.hand_in.log import SubmissionLog
from homework.show import plots
from homework.show.surfaces import surface

run = homework.start("comparing_distributions")
torch.set_num_threads(1)  # for arrays this small a second thread brings no speed

# %% [markdown]
# Everything below stays on the CPU, whatever the line above says.

# %% [markdown]
# ## 1. A toy first: two coins
#
# A fair coin shows heads and tails with probabilities $p = (\tfrac12, \tfrac12)$, a loaded one with $q = (0.9, 0.1)$.
# How different are they? That depends on what you lose if you mistake one for the other.
#
# **As a code.** The best code for outcomes with probabilities $q$ spends $-\log q_i$ nats on outcome $i$: little on what is frequent, much on what is rare. If the tosses really come from $p$,
# a toss costs $-\sum_i p_i \log q_i$ nats on average. With the code made for $p$ it would have cost $-\sum_i p_i \log p_i$. The difference is what the wrong code costs extra per toss:
#
# $$\mathrm{KL}(p \,\|\, q) = \sum_i p_i \log \frac{p_i}{q_i}
# = \tfrac12 \log \tfrac{0.5}{0.9} + \tfrac12 \log \tfrac{0.5}{0.1} = \tfrac12 (-0.5878 + 1.6094) = 0.5108 .$$
#
# The first letter says which distribution the outcomes come from, the second which one we assumed. In the other direction, with tosses of the loaded coin and a code for the fair one,
#
# $$\mathrm{KL}(q \,\|\, p) = 0.9 \log \tfrac{0.9}{0.5} + 0.1 \log \tfrac{0.1}{0.5} = 0.5290 - 0.1609 = 0.3681 .$$
#
# The first mistake is the more expensive one. The code for the loaded coin treats tails as rare, but a fair coin shows tails in half of the tosses.
#
# **As evidence.** $\log (p_i / q_i)$ measures how much outcome $i$ is evidence for $p$ and against $q$. If $p$ is true, the evidence grows by $\mathrm{KL}(p \,\|\, q)$ per
# toss on average. It reaches $\log 20$, which means 20 : 1 for the true coin, after about $\log 20 / 0.5108 \approx 6$ tosses of the fair coin and $\log 20 / 0.3681 \approx 8$ of the loaded one.
#
# **Predict, then run.** Toss each coin 3,000 times, and average the evidence for the coin that is really tossed. The evidence of one toss has the standard deviation 1.10 for the fair coin and 0.66 for the loaded one. After how many tosses is the distance between the two levels, 0.143 nats, twice its standard error?

# %% tags=["experiment"]
FAIR, LOADED = torch.tensor([0.5, 0.5]), torch.tensor([0.9, 0.1])


def running_evidence(true: torch.Tensor, other: torch.Tensor, tosses: int = 3000) -> torch.Tensor:
    """After each toss of the coin `true`: the mean so far of log true - log other, in nats, `[tosses]`."""
    outcomes = torch.multinomial(true, tosses, replacement=True, generator=torch.Generator().manual_seed(4))
    evidence = (true.log() - other.log())[outcomes]
    return evidence.cumsum(0) / torch.arange(1, tosses + 1)


fair_evidence, loaded_evidence = running_evidence(FAIR, LOADED), running_evidence(LOADED, FAIR)
toss_numbers = torch.arange(10, 3001)
plots.curves(
    {
        "the fair coin is tossed": (toss_numbers, fair_evidence[9:]),
        "the loaded coin is tossed": (toss_numbers, loaded_evidence[9:]),
    },
    band={
        "the fair coin is tossed": 1.099 / toss_numbers.sqrt(),  # one standard error
        "the loaded coin is tossed": 0.659 / toss_numbers.sqrt(),
    },
    title="Two coins: the mean evidence per toss, one run",
    xlabel="number of tosses",
    ylabel="mean evidence for the true coin (nats)",
    logx=True,
    levels={"KL(fair ‖ loaded) = 0.511": 0.5108, "KL(loaded ‖ fair) = 0.368": 0.3681},
)

# %% [markdown]
# Only the coin that is tossed has changed, and the curves settle at different heights (the bands are one standard error wide on each side). A KL divergence is an average, and the two directions average over different outcomes. The standard error of the distance is $\sqrt{1.10^2 + 0.66^2} / \sqrt n = 1.28 / \sqrt n$. It falls to half of 0.143 nats after about 320 tosses. In one run the curves can separate much earlier or later.

# %% [markdown]
# ## 2. `kl_divergence` (4 points)
#
# For probabilities $p$ and $q$ of the same `C` outcomes, both of shape `[C]`,
#
# $$\mathrm{KL}(p \,\|\, q) = \sum_{i=1}^{C} p_i\, (\log p_i - \log q_i) .$$
#
# It is never negative, and 0 only if $p = q$. But it is not a distance: it is not symmetric. Two cases need care, because on a computer $\log 0 = -\infty$:
#
# * $p_i = 0$: the outcome never happens, so it costs nothing, whatever $q_i$ is (also 0). By convention $0 \log 0 = 0$. In floating point $0 \cdot (-\infty)$ is `nan`, and one `nan` makes the whole sum `nan`.
# * $q_i = 0$ but $p_i > 0$: something happens that is impossible under $q$. No finite code word exists for it: the
#   divergence is **infinite**, and your function must return `inf`. It is tempting to add $10^{-8}$ somewhere to avoid
#   this. Then the answer depends on the $10^{-8}$.
#
# *Worked number.* $p = (\tfrac12, \tfrac12, 0)$, $q = (\tfrac14, \tfrac12, \tfrac14)$: $\tfrac12 \log 2 + 0 + 0 = 0.346574$ nats.
#
# **Your task.** Write `kl_divergence`. Inputs are float32 or float64, sum to 1, and their entries are exactly 0 or at least $10^{-6}$. Two nearly equal distributions in float32 may well give $-10^{-8}$; that is a rounding error, and allowed.


# %% nbgrader={"grade": false, "grade_id": "kl_divergence", "locked": false, "schema_version": 3, "solution": true, "task": false}
def kl_divergence(p, q):
    """The Kullback-Leibler divergence KL(p || q) in nats.

    Kullback and Leibler 1951; Cover and Thomas 2006, section 2.3.

    Args:
        p: the true probabilities, `[C]`, float32 or float64, not negative, with sum 1.
        q: the assumed probabilities, `[C]`, likewise.

    Returns:
        One number (a tensor without dimensions or a plain float); `inf` where some q_i = 0 < p_i.
        Example: p = [1/2, 1/2, 0] and q = [1/4, 1/2, 1/4] give 0.346574.
    """
    ### BEGIN SOLUTION
    happens = p > 0
    return (p[happens] * (p[happens].log() - q[happens].log())).sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_kl_divergence", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
fair, loaded = torch.tensor([0.5, 0.5]), torch.tensor([0.9, 0.1])
kl = student.kl_divergence(fair, loaded)
assert kl is not None, "the function returned None: return the number"
kl = torch.as_tensor(kl)
assert has_shape(kl, (), "return one number: the sum over the outcomes")
assert abs(float(kl) - 0.3681) > 1e-3, "that is KL(q || p): the outcomes come from p, the first argument"
assert abs(float(kl) - 0.5108 / math.log(2)) > 1e-3, "those are bits: take the natural logarithm"
assert abs(float(kl) - 0.5108 / 2) > 1e-3, "half of what it should be: sum over the outcomes, do not average"
assert abs(float(kl) - 1.2040) > 1e-3, "that is the cross-entropy: subtract the entropy of p"
assert close(kl, torch.tensor(0.510826), "the fair and the loaded coin of section 1")
assert close(student.kl_divergence(loaded, loaded), torch.tensor(0.0), "KL(p || p) is 0")
assert close(student.kl_divergence(fair.double(), loaded.double()), torch.tensor(0.510826), "the same in float64")
with part("0 log 0 = 0", 1):
    p, q = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.25, 0.5, 0.25])
    assert not math.isnan(student.kl_divergence(p, q)), (
        "nan: an outcome with p = 0 costs nothing, 0 · log 0 counts as 0"
    )
    assert close(student.kl_divergence(p, q), torch.tensor(0.346574), "the worked number")
with part("infinite", 1):
    p, q = torch.tensor([0.5, 0.25, 0.25]), torch.tensor([0.75, 0.25, 0.0])
    kl = float(student.kl_divergence(p, q))
    assert kl > 0 and math.isinf(kl), (
        "an outcome of p is impossible under q: the answer is inf, not a large number and not nan"
    )
print("kl_divergence: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(20)


def pmf(C, spread=1.5, dtype=torch.float64):
    """Random probabilities of C outcomes, all above 1e-6."""
    return (spread * torch.randn(C, generator=g, dtype=dtype)).clamp(-5, 5).softmax(0)


def kl_of(p, q):
    """The student's answer as a plain number."""
    answer = torch.as_tensor(student.kl_divergence(p, q))
    assert has_shape(answer, (), "return one number, for every C")
    return float(answer)


with part("laws", 2):
    p, q = pmf(6), pmf(6)
    draws = torch.multinomial(p, 40_000, replacement=True, generator=g)
    evidence = (p.log() - q.log())[draws]
    assert abs(kl_of(p, q) - float(evidence.mean())) <= 6 * float(evidence.std()) / 200, (
        "the mean of log p - log q over outcomes drawn from p must be KL(p || q)"
    )
    for C in (2, 5, 40):
        p, q = pmf(C), pmf(C)
        assert kl_of(p, q) > 0 and kl_of(q, p) > 0, "KL is positive for different distributions"
        assert abs(kl_of(p, p)) <= 1e-5, "KL(p || p) is 0"
        order = torch.randperm(C, generator=g)
        assert close(kl_of(p[order], q[order]), kl_of(p, q), "the order of the outcomes does not matter")
        uniform = torch.full((C,), 1 / C, dtype=torch.float64)
        entropy = float(-(p * p.log()).sum())
        assert close(kl_of(p, uniform), math.log(C) - entropy, "from the uniform one: log C minus the entropy, in nats")
    p, q, p2, q2 = pmf(3), pmf(3), pmf(4), pmf(4)
    both = kl_of(torch.outer(p, p2).flatten(), torch.outer(q, q2).flatten())
    assert close(both, kl_of(p, q) + kl_of(p2, q2), "the KL of independent pairs is the sum of both KLs", rtol=1e-3)
    merged = kl_of(*(torch.stack([r[0] + r[1], r[2], r[3]]) for r in (p2, q2)))
    assert merged <= kl_of(p2, q2), "merging outcomes must not increase the KL"
with part("values", 0.5):
    for C in (2, 3, 17, 1000):
        for dtype in (torch.float32, torch.float64):
            p, q = pmf(C, dtype=dtype), pmf(C, dtype=dtype)
            want = float(reference.kl_divergence(p.double(), q.double()))
            assert close(kl_of(p, q), want, "sum of p (log p - log q), in nats", rtol=1e-3, atol=1e-5)
with part("exact values", 0.5):
    for C in (2, 17, 1000):
        p, q = pmf(C), pmf(C)
        hint = "add no constant to a probability or in a logarithm: the value is a little off"
        assert close(kl_of(p, q), float(reference.kl_divergence(p, q)), hint, rtol=5e-6)
        assert abs(kl_of(p, p)) <= 1e-9, hint
    p = pmf(50, dtype=torch.float32)
    q = p * (1 + 1e-5 * torch.tensor([1.0, -1.0]).repeat(25))
    q = q / q.sum()
    assert abs(kl_of(p, q)) <= 1e-6, "nearly equal distributions in float32: nearly 0"
    assert close(kl_of(torch.tensor([1.0, 0.0]), torch.tensor([1e-6, 1 - 1e-6])), -math.log(1e-6), "a sure outcome")
    assert abs(kl_of(torch.tensor([1.0]), torch.tensor([1.0]))) <= 1e-6, "a single outcome"
with part("zeros", 1):
    for dtype in (torch.float32, torch.float64):
        p, q = pmf(5, dtype=dtype), pmf(5, dtype=dtype)
        want = kl_of(p, q)
        hole = torch.zeros(2, dtype=dtype)
        padded = kl_of(torch.cat([p, hole]), torch.cat([q, hole]))
        assert close(padded, want, "outcomes impossible under both change nothing: 0 log 0 = 0", atol=1e-5)
        p, q = torch.cat([hole, p]), torch.cat([hole + 0.25, q / 2])
        assert close(kl_of(p, q), want + math.log(2), "outcomes with p = 0 cost nothing", atol=1e-5)
        assert kl_of(q, p) == math.inf, "p = 0 where q > 0: KL(q || p) is infinite, exactly inf"
        one, other = torch.eye(3, dtype=dtype)[:2]
        assert kl_of(one, other) == math.inf, "nothing in common: inf"
        assert abs(kl_of(one, one)) <= 1e-6, "KL(p || p) is 0, also with zeros"
        rare = torch.tensor([1 - 1e-6, 1e-6, 0.0], dtype=dtype)
        assert kl_of(rare, one) == math.inf, "an outcome with q = 0 makes it inf, however rare it is under p"
### END HIDDEN TESTS

# %% [markdown]
# ## 3. `asymmetric_pair` (1 point)
#
# Infinity is the extreme case of the asymmetry. Find a pair of distributions with $\mathrm{KL}(p \,\|\, q)$ finite and $\mathrm{KL}(q \,\|\, p)$ infinite.
#
# **Your task.** Write `asymmetric_pair`, which takes no arguments and returns your two tensors. Any `C` of at least 2 is allowed. Use exact zeros; $10^{-30}$ is not zero. Question (a) below asks you to explain your pair.


# %% nbgrader={"grade": false, "grade_id": "asymmetric_pair", "locked": false, "schema_version": 3, "solution": true, "task": false}
def asymmetric_pair():
    """Two distributions p and q with KL(p || q) finite and KL(q || p) infinite.

    Cover and Thomas 2006, section 2.3, on the convention for zeros.

    Returns:
        (p, q): two tensors `[C]` of the same length, C at least 2, not negative, each with sum 1. As an example of the form
        only: (tensor([0.5, 0.5]), tensor([0.9, 0.1])), for which both divergences are finite.
    """
    ### BEGIN SOLUTION
    return torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_asymmetric_pair", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
pair = student.asymmetric_pair()
assert isinstance(pair, tuple | list | torch.Tensor) and len(pair) == 2, "return the pair (p, q)"
p, q = (torch.as_tensor(each, dtype=torch.float64).detach() for each in pair)
assert p.shape == q.shape and p.dim() == 1 and len(p) >= 2, "p and q have the same shape [C], with C at least 2"
assert bool(((p >= 0) & (q >= 0)).all()), "probabilities are not negative"
assert close(torch.stack([p.sum(), q.sum()]), torch.ones(2), "the probabilities of each of the two must sum to 1")
forward_infinite, backward_infinite = bool(((p > 0) & (q == 0)).any()), bool(((q > 0) & (p == 0)).any())
assert forward_infinite or backward_infinite, "both divergences are finite: an infinite one needs an exact zero"
assert not (forward_infinite and backward_infinite), "both divergences are infinite: one of the two must be finite"
assert backward_infinite, "the wrong order: KL(p || q) must be the finite one"
print("asymmetric_pair: all visible checks passed")
### BEGIN HIDDEN TESTS
assert math.isfinite(float(reference.kl_divergence(p, q))), "KL(p || q) must be finite"
assert float(reference.kl_divergence(q, p)) == math.inf, "KL(q || p) must be infinite"
assert math.isfinite(float(reference.kl_divergence(q, (p + q) / 2))), "p and q must be numbers, none of them inf or nan"
### END HIDDEN TESTS

# %% [markdown]
# ## 4. `jensen_shannon` (2 points)
#
# Is there a divergence that is symmetric and always finite? I toss a fair coin that you cannot see. If it shows heads, I
# draw an outcome from $p$, else from $q$, and tell you this outcome. How much do you learn about the coin? The
# outcomes follow the mixture $r = \tfrac12 (p + q)$, and the answer is the **Jensen-Shannon divergence**,
#
# $$\mathrm{JSD}(p, q) = \tfrac12\, \mathrm{KL}(p \,\|\, r) + \tfrac12\, \mathrm{KL}(q \,\|\, r), \qquad r = \tfrac12 (p + q) .$$
#
# It is symmetric by definition, and always finite (question (a) asks why). It is between 0 nats (equal distributions: the
# outcome says nothing) and $\log 2 = 0.6931$ nats (no common outcome: the outcome tells which side the coin shows, and
# that is $\log 2$ nats of information).
#
# *Worked number.* $p = (1, 0)$, $q = (\tfrac12, \tfrac12)$: $r = (\tfrac34, \tfrac14)$, $\mathrm{KL}(p \,\|\, r) = \log \tfrac43 = 0.2877$,
# $\mathrm{KL}(q \,\|\, r) = \tfrac12 \log \tfrac23 + \tfrac12 \log 2 = 0.1438$, so $\mathrm{JSD} = 0.2158$ nats.
#
# **Your task.** Write `jensen_shannon`. You may call your `kl_divergence`; a mistake in it costs no points again here. The same inputs are allowed as there.


# %% nbgrader={"grade": false, "grade_id": "jensen_shannon", "locked": false, "schema_version": 3, "solution": true, "task": false}
def jensen_shannon(p, q):
    """The Jensen-Shannon divergence in nats.

    Lin 1991, with equal weights (there in bits). Not its square root, which is also in use.

    Args:
        p: probabilities, `[C]`, float32 or float64, not negative, with sum 1; entries may be 0.
        q: likewise.

    Returns:
        One number (a tensor without dimensions or a plain float), from 0 to log 2.
        Example: p = [1, 0] and q = [1/2, 1/2] give 0.215762.
    """
    ### BEGIN SOLUTION
    entropies = torch.special.entr(torch.stack([(p + q) / 2, p, q])).sum(-1)  # [3]; entr(r) = -r log r, 0 at 0
    return entropies[0] - (entropies[1] + entropies[2]) / 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_jensen_shannon", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
p, q = torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])
jsd = student.jensen_shannon(p, q)
assert jsd is not None, "the function returned None: return the number"
jsd = torch.as_tensor(jsd)
assert has_shape(jsd, (), "return one number")
assert not math.isnan(float(jsd)), "nan: p has a zero here, and 0 · log 0 counts as 0"
assert abs(float(jsd) - 0.4315) > 1e-3, "twice too large: each of the two KLs counts one half"
assert float(jsd) > 0, "negative: does your mixture r sum to 1?"
assert abs(float(jsd) - 0.2158 / math.log(2)) > 1e-3, "those are bits: take the natural logarithm"
assert abs(float(jsd) - 0.4645) > 1e-3, "that is the square root of the divergence: leave the root out"
assert math.isfinite(float(jsd)), (
    "infinite: both KLs compare with the mixture, KL(p || r) and KL(q || r), with r as the second argument"
)
assert close(jsd, torch.tensor(0.215762), "the worked number: r = (p + q) / 2, then the mean of KL(p || r), KL(q || r)")
assert close(student.jensen_shannon(q, p), jsd, "it must be symmetric")
assert close(student.jensen_shannon(p, p), torch.tensor(0.0), "equal distributions: 0")
with part("float64", 0.5):
    assert close(student.jensen_shannon(p.double(), q.double()), torch.tensor(0.215762), "the same in float64")
print("jensen_shannon: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(30)


def pmf(C, dtype=torch.float64):
    """Random probabilities of C outcomes, all above 1e-6."""
    return (1.5 * torch.randn(C, generator=g, dtype=dtype)).clamp(-5, 5).softmax(0)


def jsd_of(p, q):
    """The student's answer as a plain number."""
    answer = torch.as_tensor(student.jensen_shannon(p, q))
    assert has_shape(answer, (), "return one number, for every C")
    return float(answer)


for C in (2, 3, 30):
    p, q = pmf(C), pmf(C)
    jsd = jsd_of(p, q)
    assert 1e-4 < jsd < math.log(2), "it lies between 0 and log 2, and is positive for different distributions"
    assert close(jsd_of(q, p), jsd, "it must be symmetric", rtol=1e-9)
    assert abs(jsd_of(p, p)) <= 1e-9, "equal distributions: 0"
    # what an outcome tells about the coin: mutual information of coin and outcome
    joint = torch.stack([p, q]) / 2  # [2, C]
    told = float((joint * (joint / (joint.sum(0) * joint.sum(1, keepdim=True))).log()).sum())
    assert close(jsd, told, "half of KL(p || r) and half of KL(q || r), r = (p + q) / 2, in nats", rtol=1e-7)
    assert close(jsd, float(reference.jensen_shannon(p, q)), "the value is wrong", rtol=1e-7)
    single = (pmf(C, torch.float32), pmf(C, torch.float32))
    want = float(reference.jensen_shannon(*(each.double() for each in single)))
    assert close(jsd_of(*single), want, "the same in float32", rtol=1e-4, atol=1e-5)
    p, q = torch.cat([p, 0 * p]), torch.cat([0 * q, q])
    assert close(jsd_of(p, q), math.log(2), "nothing in common: log 2, neither infinite nor nan", rtol=1e-7)
    weight = 0.3
    mixed = (1 - weight) * p + weight * q  # q's share of the joint distribution lies on outcomes with p = 0
    h = torch.tensor([weight, 1 - weight], dtype=torch.float64)
    r = torch.tensor([weight / 2, 1 - weight / 2], dtype=torch.float64)
    binary = float(-(r * r.log()).sum() + 0.5 * (h * h.log()).sum())
    assert close(jsd_of(p, mixed), binary, "outcomes that are possible under only one of the two", rtol=1e-7)
    hole = torch.zeros(2, dtype=torch.float64)
    padded = jsd_of(torch.cat([p, hole]), torch.cat([mixed, hole]))
    assert close(padded, binary, "outcomes impossible under both change nothing", rtol=1e-7)
one, other = torch.eye(4)[:2]
assert close(jsd_of(one, other), math.log(2), "two certain, different outcomes: log 2", rtol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# ### Distributions that no longer overlap
#
# Take two normal distributions of deviation 1, with means at distance $d$. Between normal distributions of equal deviation $s$ the KL divergence is $d^2 / (2 s^2)$ (here both directions happen to be equal).
#
# **Predict, then run.** One is the generator's distribution, the other that of the data, and the generator follows the gradient of the divergence by $d$. At which distance is the gradient of the JSD largest? At which distance has it fallen to a tenth of that?

# %% tags=["experiment"]
LINE = torch.linspace(-8, 16, 2401, dtype=torch.float64)


def bell(mean: float) -> torch.Tensor:
    """The pmf of a normal distribution of deviation 1 on the line's points, `[2401]`."""
    return (-0.5 * (LINE - mean) ** 2).softmax(0)


distances = torch.linspace(0, 8, 65, dtype=torch.float64)
apart = {
    "KL": [float(kl_divergence(bell(0.0), bell(float(d)))) for d in distances],
    "JSD": [float(jensen_shannon(bell(0.0), bell(float(d)))) for d in distances],
}
slopes = torch.tensor(apart["JSD"]).diff() / distances.diff()  # between neighbouring distances
between = (distances[1:] + distances[:-1]) / 2
plots.curves(
    {"KL(p ‖ q), d² / 2": (distances[1:], apart["KL"][1:]), "JSD(p, q)": (distances[1:], apart["JSD"][1:])},
    title="Two bells move apart",
    xlabel="distance d of the means (deviations)",
    ylabel="divergence (nats)",
    logy=True,
    levels={"log 2": math.log(2)},
)

# %% tags=["experiment"]
steepest = int(slopes.argmax())
flat = float(between[(slopes < slopes.max() / 10) & (between > between[steepest])][0])
print(
    f"the JSD grows fastest at d = {float(between[steepest]):.1f}; its slope falls to a tenth of that at d = {flat:.1f}"
)
plots.curves(
    {"slope of the KL": (between, between), "slope of the JSD": (between, slopes)},
    title="What a generator would follow: the slope of each divergence",
    xlabel="distance d of the means (deviations)",
    ylabel="slope (nats per deviation)",
    logy=True,
)

# %% [markdown]
# The JSD is bounded, and so it must become flat: from a distance of about 5 deviations on there is hardly any gradient. A
# generator that is far from the data would learn nothing. (This is one reason why the first GAN paper trains the
# generator with another loss.) The KL continues as $d^2/2$, 32 nats at the right edge, with a slope that grows. But the KL can be infinite, as in section 2.

# %% [markdown]
# ## 5. `fit_gaussian` (6 points)
#
# Now $p$ is a complicated density on a line and $q$ a Gaussian with mean $m$ and deviation $s$, both free. We want $q$ as close to $p$ as possible, but in which direction?
#
# * **forward**: make $\mathrm{KL}(p \,\|\, q)$ small. The average is over $p$.
# * **reverse**: make $\mathrm{KL}(q \,\|\, p)$ small. The average is over $q$ itself.
#
# What each of them punishes is question (b); think about it before you see the first picture of section 7.
#
# **On a grid.** We know $p$ only through `log_p`, its log-density at the points $x_1 < \dots < x_N$ of an evenly spaced
# `grid` `[N]`, and only **up to a constant** (as for most targets in practice, for instance an unnormalised posterior). A
# sum over the points then replaces the integral. So turn both into probabilities of the `N` points. With $\ell_i$ for
# `log_p[i]`:
#
# $$p_i = \frac{e^{\ell_i}}{\sum_j e^{\ell_j}}, \qquad
# q_i = \frac{e^{-(x_i - m)^2 / (2 s^2)}}{\sum_j e^{-(x_j - m)^2 / (2 s^2)}},$$
#
# and use the formula of section 2 on them. Work with logarithms throughout: the constant in `log_p` may be as large as
# $\pm 10^4$, and in the tails $e^{\ell_i}$ is 0 on a computer although $\ell_i$ is an ordinary number such as −2,000 (use
# `torch.log_softmax`). In the tests the grid has 400 to 2,500 points, reaches far beyond the fit on both sides, and is
# much finer than the narrowest hump.
#
# **Forward has a formula.** $\mathrm{KL}(p \,\|\, q) = \text{const} - \sum_i p_i \log q(x_i)$, with $\log q(x) = -\log
# s - (x - m)^2 / (2 s^2) + \text{const}$. Set the derivatives with respect to $m$ and $s$ to 0, and you find the best
# Gaussian for any $p$. `log_p` may be $-\infty$ at some points here ($p = 0$ there).
#
# **Reverse has no formula.** Minimise by gradient descent
#
# $$F(m, s) = \mathrm{KL}(q \,\|\, p) = \sum_i q_i\, (\log q_i - \log p_i) .$$
#
# `log_p` is finite here; with $p = 0$ somewhere, $F$ would be infinite for every Gaussian. $F$ may have several minima, so one descent is not enough. Run it from several
# starts and return the **lowest** minimum. If two are equally low (a symmetric target), either is accepted. The grid may have any position and any scale, so take the starts from `log_p` and `grid`, not fixed numbers.
#
# *Worked number.* The target is $\log p(x) = x - e^x$, a skewed hump. Under a Gaussian $q$ the expected values are $\mathbb E_q[x] = m$ and $\mathbb E_q[e^x] = e^{m + s^2/2}$, so the reverse objective is
#
# $$F(m, s) = -\log s - m + e^{m + s^2/2} + \text{const} .$$
#
# $\partial F / \partial m = -1 + e^{m + s^2/2} = 0$, and with this $\partial F / \partial s = -1/s + s = 0$. So $s = 1$
# and $m = -\tfrac12$. The forward fit of the same target has $m = -0.5772$ and $s = 1.2825$. The peak is at 0, and
# neither fit has its mean there.
#
# Two tools are given: `mixture` for log-densities, and `descend` for gradient descent. `descend` runs many searches in parallel, from `S` starts, and measures each step in units of the current $s$, so that you need not tune a learning rate. You may use it or write your own.


# %%
GRID = torch.linspace(-10, 10, 1001, dtype=torch.float64)  # [N], with spacing 0.02


def mixture(grid, weights, means, stds):
    """The log-density at the points of `grid` `[N]` of a mixture of normals; the three lists have one entry for each hump."""
    humps = [
        math.log(w / s) - 0.5 * math.log(2 * math.pi) - 0.5 * ((grid - m) / s) ** 2
        for w, m, s in zip(weights, means, stds, strict=True)
    ]
    return torch.logsumexp(torch.stack(humps), dim=0)  # [humps, N] -> [N]


def descend(objective, mean, std, steps=300, rate=0.2):
    """Minimises objective(mean, std) by gradient descent from S starts at once, in the mean and in log std.

    Args:
        objective: maps means `[S]` and deviations `[S]` to the values to be minimised, `[S]`; differentiable, entry by entry.
        mean: where the searches start, `[S]`, float64.
        std: likewise, positive, `[S]`, float64.
        steps: number of steps.
        rate: 1 would reach the minimum of a parabola in one step; no step is longer than a fifth of the deviation.

    Returns:
        The paths, `[S, steps + 1, 2]`: mean and deviation before the first step, after the first step, and so on.
    """
    mean, std = (torch.as_tensor(each, dtype=torch.float64).detach() for each in (mean, std))
    if mean.shape != std.shape or mean.dim() != 1 or objective(mean, std).shape != mean.shape:
        raise ValueError(
            "descend: mean and std have one number for each start, [S], and so has objective(mean, std). To compare [S] "
            "searches with [N] points, give each search a row: mean[:, None] has shape [S, 1]."
        )
    mean, log_std = mean.clone(), std.log()
    path = [torch.stack([mean, log_std.exp()], dim=-1)]
    for _ in range(steps):
        mean.requires_grad_()
        log_std.requires_grad_()
        slopes = torch.autograd.grad(objective(mean, log_std.exp()).sum(), (mean, log_std))
        with torch.no_grad():
            s = log_std.exp()
            mean = mean - s * (rate * s * slopes[0]).clamp(-0.2, 0.2)
            log_std = log_std - (rate * slopes[1] / 2).clamp(-0.2, 0.2)
            path.append(torch.stack([mean, log_std.exp()], dim=-1))
    return torch.stack(path, dim=1)


# %% [markdown]
# **Your task.** Write `fit_gaussian`. The tests allow an error of 2 % of the best deviation, in the mean as in the deviation: formula or descent, both are fine, if the descent has converged. A call should take no longer than three seconds.
#
# <details><summary>Hint 1: idea</summary>
#
# Forward: which Gaussian has the highest mean of $\log q$ under $p$? It is the maximum-likelihood fit to a sample, with the weights $p_i$ in place of $1/N$. Reverse: the objective is a function of two numbers, and each start may lead to another minimum. In which region of the line, and at which widths, could a good $q$ lie?
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# Forward: $\sum_i p_i (x_i - m) / s^2 = 0$ and $\sum_i p_i \bigl[(x_i - m)^2 / s^3 - 1 / s\bigr] = 0$. Solve the first for $m$, then the second for $s$. Reverse: $F$ as above, with $\log q_i$ and $\log p_i$ from `log_softmax`; the sum over $i$ needs no special case, since $\log p_i$ is finite.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `.double()` first, then `log_softmax`. Inside the function define `reverse_kl(m, s)` for `m`, `s` of shape `[S]`: `m[:, None]` against `grid` gives `[S, N]`, a sum over the last dimension gives `[S]`. Starts: several means across the region where $p$ has its mass (the forward fit tells where), deviations smaller than the forward one. `descend(...)[:, -1]` has the ends `[S, 2]`: ask `reverse_kl` for their values, and return the end with the lowest.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "fit_gaussian", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fit_gaussian(log_p, grid, direction):
    """Mean and deviation of the Gaussian q that is closest to the target p, in the given direction.

    "forward" makes KL(p || q) small, "reverse" makes KL(q || p) small: the lowest minimum, or either of two equally low ones.
    Bishop 2006, section 10.1.2. Both distributions count as probabilities of the grid's points.

    Args:
        log_p: log-density of the target up to a constant, `[N]`, float32 or float64; -inf (p = 0) in "forward" only.
        grid: the points, `[N]`, evenly spaced, ascending, of the same data type.
        direction: "forward" or "reverse".

    Returns:
        (mean, std): two numbers (plain or tensors without dimensions); std is the deviation, not the variance.
        Example: log_p = grid - exp(grid) gives (-0.577, 1.28) forward and (-0.5, 1.0) reverse.
    """
    ### BEGIN SOLUTION
    x, log_p = grid.double(), torch.log_softmax(log_p.double(), dim=0)
    log_p = log_p.clamp(min=-1e8)  # where p = 0: very low, but a number
    p = log_p.exp()
    mean = (p * x).sum()
    std = (p * (x - mean) ** 2).sum().sqrt()
    if direction == "forward":
        return float(mean), float(std)

    def reverse_kl(m, s):  # [S], [S] -> [S]
        log_q = torch.log_softmax(-0.5 * ((x - m[:, None]) / s[:, None]) ** 2, dim=-1)  # [S, N]
        return (log_q.exp() * (log_q - log_p)).sum(-1)

    starts = mean + std * torch.linspace(-1.5, 1.5, 7, dtype=x.dtype)
    ends = descend(reverse_kl, starts, std.expand(7) / 3)[:, -1]  # [S, 2]
    best = ends[reverse_kl(ends[:, 0], ends[:, 1]).argmin()]
    return float(best[0]), float(best[1])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_fit_gaussian", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} seconds=180
def fitted(log_p, grid, direction):
    """The student's mean and deviation as plain numbers."""
    answer = student.fit_gaussian(log_p, grid, direction)
    assert isinstance(answer, tuple | list | torch.Tensor) and len(answer) == 2, "return (mean, std)"
    mean, std = (float(torch.as_tensor(number).detach()) for number in answer)
    assert math.isfinite(mean) and math.isfinite(std), "mean or deviation is nan or infinite: use log_softmax"
    assert std > 0, "a deviation is positive"
    return mean, std


def agree(got, *wants):
    """Is the fit within 2 % of the deviation of one of these?"""
    return any(abs(got[0] - m) <= 0.02 * s and abs(got[1] - s) <= 0.02 * s for m, s in wants)


def cost(log_p, fit):
    """KL(q || p) of a fit on `GRID`, in nats."""
    log_q = torch.log_softmax(-0.5 * ((GRID - fit[0]) / fit[1]) ** 2, dim=0)
    return float((log_q.exp() * (log_q - torch.log_softmax(log_p, dim=0))).sum())


def yours(fit):
    """For messages: what the function returned."""
    return f" (yours: mean {fit[0]:.3f}, deviation {fit[1]:.3f})"


three_humps = mixture(GRID, (0.3, 0.25, 0.45), (-2.5, 0.5, 3.0), (0.4, 0.4, 0.4))
skewed_grid = torch.linspace(-16, 6, 1101, dtype=torch.float64)
skewed = skewed_grid - skewed_grid.exp()
fit = fitted(-0.5 * ((GRID - 1) / 1.5) ** 2, GRID, "forward")
assert abs(fit[1] - 2.25) > 0.03, "that is the variance: the second number is the deviation, its square root"
assert agree(fit, (1.0, 1.5)), "the target is a Gaussian, with mean 1 and deviation 1.5: so is the fit" + yours(fit)
with part("forward, three humps and a skewed one", 1):
    fit = fitted(three_humps, GRID, "forward")
    assert abs(fit[0]) < 10, "a mean outside of the grid: exp(log_p) must be normalised to probabilities" + yours(fit)
    assert fit[1] > 2, "that is not the minimum of KL(p || q), whose average is over p. Directions swapped?" + yours(
        fit
    )
    assert agree(fit, (0.725, 2.371)), "forward on three humps: set both derivatives to 0" + yours(fit)
    fit = fitted(skewed, skewed_grid, "forward")
    assert agree(fit, (-0.5772, 1.2825)), "forward on the skewed hump: mean -0.577, deviation 1.28" + yours(fit)
with part("reverse, three humps and a skewed one", 1):
    fit = fitted(three_humps, GRID, "reverse")
    assert not agree(fit, (0.725, 2.371)), "that is the forward fit: reverse has another objective"
    paid = cost(three_humps, fit)
    assert paid < 1, (
        f"reverse: there is a Gaussian with KL(q || p) = 0.797 nats; for yours it is {paid:.3f}. "
        "One descent can end in a higher minimum: use other starts, too, and compare" + yours(fit)
    )
    assert paid < 0.7985, "reverse: near the minimum of KL(q || p), but not at it; has the descent converged?" + yours(
        fit
    )
    fit = fitted(skewed, skewed_grid, "reverse")
    assert not agree(fit, (0.0, 1.0)), (
        "that is the peak and its curvature (a Laplace approximation); minimise KL(q || p) itself"
    )
    assert agree(fit, (-0.5, 1.0)), "reverse, the worked number: mean -1/2, deviation 1" + yours(fit)
with part("a constant in log_p", 0.5):
    hint = "adding 10,000 to log_p changes nothing about p: normalise with log_softmax"
    assert agree(fitted(skewed + 1e4, skewed_grid, "forward"), (-0.5772, 1.2825)), hint
    assert agree(fitted(skewed + 1e4, skewed_grid, "reverse"), (-0.5, 1.0)), hint
print("fit_gaussian: all visible checks passed")
### BEGIN HIDDEN TESTS
grid = torch.linspace(-12, 12, 1501, dtype=torch.float64)
shift = float(torch.rand((), generator=fresh(40))) - 0.5  # the position of the targets is drawn


def shifted(weights, means, stds):
    """The mixture, moved by the shift."""
    return mixture(grid, weights, [m + shift for m in means], stds)


with part("forward", 2):
    for weights, means, stds in [
        ((0.2, 0.8), (-3.0, 1.0), (0.5, 1.0)),
        ((0.3, 0.3, 0.4), (-4.0, 0.0, 3.0), (0.4, 1.0, 0.6)),
        ((1.0,), (-2.0,), (0.3,)),
    ]:
        log_p = shifted(weights, means, stds)
        mean = sum(w * (m + shift) for w, m in zip(weights, means, strict=True))
        second = sum(w * ((m + shift) ** 2 + s**2) for w, m, s in zip(weights, means, stds, strict=True))
        fit = fitted(log_p, grid, "forward")
        assert agree(fit, (mean, math.sqrt(second - mean**2))), "the forward fit has mean and deviation of the target"
        assert agree(fit, reference.fit_gaussian(log_p, grid, "forward")), "forward: wrong on a mixture"
    box = torch.where((grid > 1) & (grid < 5), 0.0, -math.inf)
    assert agree(fitted(box, grid, "forward"), (3.0, 4 / math.sqrt(12))), "log_p may be -inf: p = 0 there, 0 log 0 = 0"
    assert agree(fitted(grid - grid.abs() * 3, grid, "forward"), (0.25, math.sqrt(1 / 4 + 1 / 16))), (
        "forward, two slopes"
    )
with part("reverse, one hump", 1):
    for mean, std in [(1.5 + shift, 1.2), (-3.0 + shift, 0.25)]:  # the second one: exp(log_p) is 0 on part of the grid
        log_p = -0.5 * ((grid - mean) / std) ** 2
        assert agree(fitted(log_p, grid, "reverse"), (mean, std)), (
            "the target is a Gaussian itself. Is a probability that underflows to 0 used in a logarithm?"
        )
    pit = torch.linspace(-6, 6, 1201, dtype=torch.float64)  # E_q[(x/2)^16] = 15!! (s/2)^16, with 15!! = 2,027,025
    assert agree(fitted(-((pit / 2) ** 16), pit, "reverse"), (0.0, 2 * (16 * 2_027_025) ** (-1 / 16))), (
        "log p = -(x/2)^16: average over q, not over p, and do not clamp log p: it counts in the tails, too"
    )
    a, steep = 3.0, torch.linspace(-8, 5, 1301, dtype=torch.float64)
    want = (math.log(a) - 1 / (2 * a), 1 / math.sqrt(a))
    assert agree(fitted(a * steep - steep.exp(), steep, "reverse"), want), "reverse on a skewed hump"
    mirrored = fitted((a * steep - steep.exp()).flip(0), -steep.flip(0), "reverse")
    assert agree(mirrored, (-want[0], want[1])), "the mirror image of a target has the mirror image of its fit"
with part("reverse, several humps", 2):
    log_p = shifted((0.5, 0.5), (-2.0, 4.0), (0.75, 0.75))
    mean, std = reference.fit_gaussian(log_p, grid, "reverse")
    fit = fitted(log_p, grid, "reverse")
    assert agree(fit, (mean, std), (2.0 + 2 * shift - mean, std)), (
        "two equal humps: the fit is one of them, with nearly its deviation"
    )
    far = fitted(log_p, 100 + 3 * grid, "reverse")
    assert agree(far, *((100 + 3 * m, 3 * std) for m in (mean, 2.0 + 2 * shift - mean))), (
        "the same humps far from 0 and at another scale: take the starts from log_p and grid"
    )
    for side in (1, -1):  # the mean lies on the lightest hump; the heaviest is on either side
        log_p = shifted((0.3, 0.25, 0.45), (-5.0 * side, 0.8 * side, 5.0 * side), (0.6, 1.2, 0.6))
        fit = fitted(log_p, grid, "reverse")
        assert agree(fit, reference.fit_gaussian(log_p, grid, "reverse")), (
            "three humps: use starts far to both sides, too"
        )
    for side in (1, -1):  # a narrow hump, which has the highest peak, and a wide one, which has most of the probability
        fit = fitted(shifted((0.25, 0.75), (-5.0 * side, 2.0 * side), (0.2, 1.2)), grid, "reverse")
        assert agree(fit, (2.0 * side + shift, 1.2)), (
            "a narrow hump and a heavy one: the highest peak need not be the lowest minimum; use starts elsewhere, too"
        )
with part("constants and data types", 0.5):
    log_p = shifted((0.7, 0.3), (-2.0, 2.5), (0.8, 0.6))
    for direction in ("forward", "reverse"):
        want = reference.fit_gaussian(log_p, grid, direction)
        assert agree(fitted(log_p - 1e4, grid, direction), want), "log_p - 10,000 is the same target"
        assert agree(fitted(log_p.float() + 8.0, grid.float(), direction), want), (
            "the same in float32, a constant added"
        )
### END HIDDEN TESTS

# %% [markdown]
# ## 6. `fit_by_samples` (7 points)
#
# A grid works on a line. With ten variables it would need $N^{10}$ points. But the reverse divergence is an average **over $q$**, and from a Gaussian $q$ we can draw. So an average over draws can replace the sum over the grid:
#
# $$\mathrm{KL}(q \,\|\, p) = \mathbb E_{z \sim q}\bigl[\log q(z) - \log p(z)\bigr] = -\log s - \mathbb E_{z \sim q}\bigl[\log p(z)\bigr] + \text{const} .$$
#
# ($\mathbb E_q[\log q]$ is minus the entropy of a Gaussian, which is $\log s$ plus a constant.) One obstacle is left. We want the gradient by $m$ and $s$, but they only say *where* the draws come from; a drawn number has no gradient. The way out is to write a draw as a function of $m$ and $s$, and of noise that does not depend on them:
#
# $$z = m + s\, \varepsilon, \qquad \varepsilon \sim N(0, 1) .$$
#
# Now autograd can go through $z$ to $m$ and $s$. This is the *reparametrisation trick*; variational autoencoders and the policies of continuous control are trained with it.
#
# *Worked number.* The target of section 5, $\log p(x) = x - e^x$, with $m = 0$, $s = 1$ and the two draws $\varepsilon$ = (0.5, −0.5): the estimate is $-\log 1 - \tfrac12 \bigl[(0.5 - e^{0.5}) + (-0.5 - e^{-0.5})\bigr] = 1.127626$. Its gradient is $0.127626$ by $m$ and $-0.739453$ by $\log s$. A step of gradient descent with rate 0.1 gives $m = -0.012763$ and $\log s = 0.073945$.
#
# **Your task.** Write `fit_by_samples`: start at the given mean and deviation, and repeat. In each step draw fresh noise, estimate the divergence from your draws, and take a step that makes it smaller. How many draws, how many steps, which optimizer and which rates are your choice. The tests allow an error of 10 % of the best deviation; a call should take less than two seconds. There is one search only, from the given start: of several minima it finds a near one, and that is right here. Ask `log_p` only at your draws; the tests look at the points.
#
# <details><summary>Hint 1: the idea</summary>
#
# It is a training loop with two parameters. The "batch" of each step is a fresh draw of $\varepsilon$.
# </details>
#
# <details><summary>Hint 2: which parameters?</summary>
#
# A deviation must stay positive. Let the optimizer change $\log s$ instead of $s$.
# </details>
#
# <details><summary>Hint 3: it does not become accurate enough</summary>
#
# With a constant rate the result keeps moving around the minimum. Use more draws (100 or more), a rate that falls to 0, or the average over the last steps.
# </details>


# %%
class Humps:
    """The log-density, up to a constant, of equally heavy normal humps: a function of points `[D]`."""

    def __init__(self, means, stds, constant=0.0):
        self.means, self.stds, self.constant = means, stds, constant

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Log-densities `[D]` at the points x `[D]`."""
        each = [-0.5 * ((x - m) / s) ** 2 - math.log(s) for m, s in zip(self.means, self.stds, strict=True)]
        return torch.logsumexp(torch.stack(each), dim=0) + self.constant  # [humps, D] -> [D]


class Skewed:
    """log p(x) = a x - exp(x), up to a constant; with a = 1 the target of section 5."""

    def __init__(self, a=1.0, constant=0.0):
        self.a, self.constant = a, constant

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Log-densities `[D]` at the points x `[D]`."""
        return self.a * x - x.exp() + self.constant


class Asked(torch.autograd.Function):
    """Makes a function differentiable if it gives three numbers for each point: its value, its slope, its curvature."""

    @staticmethod
    def forward(x, ask):
        """Asks for the numbers at the points x."""
        return ask(x.detach())

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Keeps slopes and curvatures for the gradient."""
        ctx.save_for_backward(*output[1:])

    @staticmethod
    def backward(ctx, by_value, by_slope, _):
        """The gradient by x."""
        slope, curvature = ctx.saved_tensors
        return by_value * slope + by_slope * curvature, None

    @staticmethod
    def vmap(_info, in_dims, x, ask):
        """Each point counts by itself, in any shape."""
        return Asked.apply(x, ask), (in_dims[0],) * 3


class Unknown:
    """A log-density without a formula: a test tells its values and its gradient for the points at which it is asked."""

    def __init__(self, ask):
        self.ask = ask

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Log-densities `[D]` at the points x `[D]`."""
        return Asked.apply(x, self.ask)[0]


# %% nbgrader={"grade": false, "grade_id": "fit_by_samples", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fit_by_samples(log_p, mean, std, generator=None):
    """Mean and deviation of a Gaussian q with a small KL(q || p), found with draws from q.

    Kingma and Welling 2014, section 2.4, for the trick; here q has one dimension.

    Args:
        log_p: a function from points `[D]`, for any D, to the target's log-densities `[D]`, up to a constant; finite and
            smooth everywhere.
        mean: where the search starts, a number; at most five deviations of the target away from the minimum.
        std: likewise, positive; the best deviation lies between 0.2 and 5.
        generator: a `torch.Generator` from which all noise comes; None means torch's global generator.

    Returns:
        (mean, std): two numbers (plain or tensors without dimensions); std is the deviation.
        Example: log_p(x) = x - exp(x), from mean 0 and std 1, gives about (-0.5, 1.0).
    """
    ### BEGIN SOLUTION
    steps, draws = 600, 256
    parameters = torch.tensor([float(mean), math.log(float(std))], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([parameters], lr=0.1)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        m, log_s = parameters
        z = m + log_s.exp() * torch.randn(draws, generator=generator, dtype=torch.float64)  # [D]
        divergence = -log_s - log_p(z).mean()
        optimizer.zero_grad()
        divergence.backward()
        optimizer.step()
        falling.step()
    m, log_s = parameters.detach()
    return float(m), float(log_s.exp())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_fit_by_samples", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false} seconds=180
def from_draws(log_p, mean, std, seed):
    """The student's mean and deviation as plain numbers."""
    answer = student.fit_by_samples(log_p, mean, std, torch.Generator().manual_seed(seed))
    assert isinstance(answer, tuple | list | torch.Tensor) and len(answer) == 2, "return (mean, std)"
    m, s = (float(torch.as_tensor(number).detach()) for number in answer)
    assert math.isfinite(m) and math.isfinite(s), "mean or deviation is nan or infinite: are the steps too large?"
    return m, s


def roughly(got, *wants):
    """Is the fit within 10 % of the deviation of one of these?"""
    return any(abs(got[0] - m) <= 0.1 * s and abs(got[1] - s) <= 0.1 * s for m, s in wants)


def told(fit):
    """For messages: what the function returned."""
    return f" (yours: mean {fit[0]:.3f}, deviation {fit[1]:.3f})"


def slope_of_skewed(a=1.0, constant=0.0):
    """Of a x - exp(x): a function from points to values, slopes and curvatures."""
    return lambda x: (a * x - x.exp() + constant, a - x.exp(), -x.exp())


def slope_of_humps(means, stds, constant=0.0):
    """Of equally heavy normal humps: a function from points `[D]` to values, slopes and curvatures."""
    m, s = (torch.tensor(each, dtype=torch.float64)[:, None] for each in (means, stds))

    def numbers(x):
        each = -0.5 * ((x - m) / s) ** 2 - s.log()  # [humps, D]
        share, down = each.softmax(dim=0), (m - x) / s**2
        slope = (share * down).sum(dim=0)
        return each.logsumexp(dim=0) + constant, slope, (share * (down**2 - s**-2)).sum(dim=0) - slope**2

    return numbers


class Points:
    """A target on this side: answers what is asked, and keeps the points, at most 200 of each call."""

    def __init__(self, numbers):
        self.numbers, self.calls = numbers, []
        self.target = student.Unknown(self.answer)

    def answer(self, x):
        """Value, slope and curvature of the log-density at each point, like x in shape and data type."""
        assert isinstance(x, torch.Tensor) and x.is_floating_point(), "ask log_p for a tensor of points"
        points = x.detach().flatten().double()
        self.calls.append(points[:200])
        return tuple(each.reshape(x.shape).to(x.dtype) for each in self.numbers(points))

    def fit(self, mean, std, seed):
        """The student's fit; its points must be draws from q, which has come near the fit in the last quarter of the calls."""
        self.calls.clear()
        fit = from_draws(self.target, mean, std, seed)
        self.are_draws(fit)
        return fit

    def are_draws(self, fit):
        """Fails unless the points look like draws from Gaussians that end near the fit."""
        late = torch.cat(self.calls[3 * len(self.calls) // 4 :] or [torch.zeros(0)])
        assert len(late.unique()) >= 50, (
            "your function asks log_p for fewer than 50 points: estimate the divergence from draws"
        )
        hint = "the points at which your function asks log_p must be draws from q, the present Gaussian: no grid"
        assert float((late.mean() - fit[0]).abs()) < fit[1] and 0.4 * fit[1] < float(late.std()) < 2.5 * fit[1], hint
        off = late - late.mean()
        # the kurtosis: 3 for draws from one Gaussian, 1.8 for a grid; 6 standard errors below 2.3
        assert float((off**4).mean() / (off**2).mean() ** 2) > 2.3 - 6 * math.sqrt(24 / len(late)), hint

    def are_fresh(self):
        """Fails if a late step uses the noise of an early one."""
        later = self.calls[len(self.calls) // 4 :]
        change = float((self.spread_out(later) - self.spread_out(later[::-1])).abs().mean())
        # fresh noise gives 0.07 or more on average, and by chance less than 0.004 in less than one of 10^9 times
        assert change > 0.004, "two steps use the same noise: draw it anew in each step"

    def spread_out(self, calls):
        """Quantiles of the first 50 or more points of these calls, standardised."""
        sizes = torch.tensor([len(points) for points in calls]).cumsum(dim=0)
        points = torch.cat(calls[: int((sizes < 50).sum()) + 1])
        levels = torch.linspace(0.02, 0.98, 25, dtype=torch.float64)
        return torch.quantile((points - points.mean()) / points.std(), levels)


fit = from_draws(student.Skewed(), 0.0, 1.0, 1)
assert fit[1] > 0, "a deviation is positive: did you return its logarithm, or let the optimizer change s itself?"
assert fit != (0.0, 1.0), (
    "nothing has moved: does a gradient reach m and s? z = m + s · ε, without detach() or .sample()"
)
assert abs(fit[0] + 0.5) > 0.1 or abs(fit[1]) > 0.1, "that is log s: return the deviation itself" + told(fit)
assert fit[1] > 0.3, "the deviation goes to 0: the term -log s is missing, q shrinks to the peak of p" + told(fit)
assert fit[1] < 3, "the deviation grows without end: does log p(z) get a gradient by s?" + told(fit)
assert not roughly(fit, (-0.5772, 1.2825)), "that is the forward fit: the draws must come from q" + told(fit)
assert roughly(fit, (-0.5, 1.0)), "the target of section 5 has the reverse fit (-1/2, 1)" + told(fit)
with part("two humps", 1):
    humps = Points(slope_of_humps((-2.0, 3.0), (0.6, 0.6)))
    left, right = humps.fit(-1.5, 1.0, 2), humps.fit(2.5, 1.0, 3)
    assert roughly(left, (-2.0, 0.6)) and roughly(right, (3.0, 0.6)), (
        "start at the given mean and deviation: from -1.5 the search ends on the left hump, from 2.5 on the right one"
        + told(left)
        + told(right)
    )
with part("the generator", 0.5):
    assert from_draws(student.Skewed(), 0.0, 1.0, 4) == from_draws(student.Skewed(), 0.0, 1.0, 4), (
        "equal generators must give equal results: pass `generator` to every draw"
    )
with part("a target without a formula", 0.5):
    fit = Points(slope_of_skewed()).fit(0.0, 1.0, 6)
    assert roughly(fit, (-0.5, 1.0)), "the same target, of which only values and gradients are known" + told(fit)
print("fit_by_samples: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(50)
place = float(4 * torch.rand((), generator=g) - 2)


with part("one hump", 2):
    for mean, std, start in [
        (place, 0.2, (place + 1, 1.0)),
        (10 + place, 5.0, (place, 2.0)),
        (place, 1.0, (place - 5, 0.5)),
    ]:
        fit = Points(slope_of_humps((mean,), (std,))).fit(*start, 5)
        assert roughly(fit, (mean, std)), (
            "the target is a Gaussian itself: q must find it from each start, and deviations from 0.2 to 5"
        )
    a = 2 + float(torch.rand((), generator=g))
    want = (math.log(a) - 1 / (2 * a), 1 / math.sqrt(a))
    fit = Points(slope_of_skewed(a)).fit(0.0, 1.0, 6)
    assert roughly(fit, want), "a skewed hump: minimise -log s minus the mean of log p(z) over draws from q"
with part("from any seed", 1):
    a = 0.8 + 0.4 * float(torch.rand((), generator=g))
    skewed_one = Points(slope_of_skewed(a))
    for seed in range(7, 10):
        fit = skewed_one.fit(-2.0, 0.5, seed)
        skewed_one.are_fresh()
        assert roughly(fit, (math.log(a) - 1 / (2 * a), 1 / math.sqrt(a))), (
            "the result depends on the noise: draw fresh noise in each step, use enough draws, and let the steps get smaller"
        )
with part("constants and other targets", 1):
    a = 0.8 + 0.4 * float(torch.rand((), generator=g))
    fit = Points(slope_of_skewed(a, 1e4)).fit(0.0, 1.0, 12)
    assert roughly(fit, (math.log(a) - 1 / (2 * a), 1 / math.sqrt(a))), "a constant in log_p changes nothing"
    pair = Points(
        slope_of_humps((-0.5, 0.5), (1.0, 1.0), -50.0)
    )  # so close that there is a single minimum, in the middle
    x = torch.linspace(-8, 8, 1601, dtype=torch.float64)
    log_pair = torch.logaddexp(-0.5 * (x - 0.5) ** 2, -0.5 * (x + 0.5) ** 2)
    want = reference.fit_gaussian(log_pair, x, "reverse")
    assert roughly(pair.fit(1.0, 0.6, 13), want), "two near humps: one Gaussian covers both"
with part("where the noise comes from", 1.5):
    student.torch.manual_seed(1)
    expected = student.torch.rand(3)
    student.torch.manual_seed(1)
    a = 0.8 + 0.4 * float(torch.rand((), generator=g))
    want, noisy = (math.log(a) - 1 / (2 * a), 1 / math.sqrt(a)), Points(slope_of_skewed(a))
    once = noisy.fit(0.0, 1.0, 14)
    assert close(student.torch.rand(3), expected, "with a generator, do not use torch's global one")
    first = noisy.calls[0]
    assert once != noisy.fit(0.0, 1.0, 15), "another generator must give another result: is the noise drawn?"
    assert not torch.equal(first, noisy.calls[0]), "another generator must give other points: draw them from it"
    ends = []
    for seed in (2, 2, 3):
        student.torch.manual_seed(seed)
        noisy.calls.clear()
        m, s = student.fit_by_samples(noisy.target, 0.0, 1.0)
        ends.append((float(torch.as_tensor(m).detach()), float(torch.as_tensor(s).detach())))
        noisy.are_draws(ends[-1])
        noisy.are_fresh()
    assert ends[0] == ends[1] != ends[2], "without a generator, the noise comes from torch's global one"
    assert roughly(ends[0], want), "without a generator the result is as good"
### END HIDDEN TESTS

# %% [markdown]
# **Predict, then run.** How much does the result vary if each step uses 256, 16 or 4 draws? The table shows ten searches each, with plain steps of falling size.


# %% tags=["experiment"]
def noisy_search(draws: int, seed: int, steps: int = 400) -> tuple[float, float]:
    """The end of one search on the skewed target with so many draws per step: mean and deviation."""
    noise = torch.Generator().manual_seed(seed)
    m, log_s = torch.zeros(2, dtype=torch.float64)
    for step in range(steps):
        e = torch.randn(draws, generator=noise, dtype=torch.float64)
        z = m + log_s.exp() * e
        slope = z.exp() - 1  # of -log p(z)
        rate = 0.05 * (1 - step / steps)
        m, log_s = m - rate * slope.mean(), log_s - rate * ((slope * log_s.exp() * e).mean() - 1)
    return float(m), float(log_s.exp())


DRAWS = (256, 16, 4)
ends_by_draws = {
    draws: torch.tensor([noisy_search(draws, seed, run.size(full=400, mini=400, grade=5)) for seed in range(10)])
    for draws in DRAWS
}
for draws, found in ends_by_draws.items():
    print(
        f"{draws:3d} draws: mean {found[:, 0].mean():.3f} ± {found[:, 0].std():.3f}, deviation {found[:, 1].mean():.3f} ± {found[:, 1].std():.3f}"
    )

# %% [markdown]
# The spread falls roughly with the root of the number of draws, and four draws per step already come near the minimum: the noise of many small steps averages out. (With a single draw some searches fail here, because $e^z$ is sometimes huge. A variational autoencoder uses one draw per image, but averages over a batch of images.)

# %% [markdown]
# ## 7. Two fits of one target
#
# **Predict, then run.** Two equal humps of deviation 0.8 at −2.5 and 2.5. Draw both fits on paper first.

# %% tags=["experiment"]
HUMPS = mixture(GRID, (0.5, 0.5), (-2.5, 2.5), (0.8, 0.8))


def density(mean: float, std: float) -> torch.Tensor:
    """The density of a normal at the points of `GRID`, `[N]`."""
    return mixture(GRID, (1.0,), (mean,), (std,)).exp()


fits = {
    way: tuple(float(torch.as_tensor(number).detach()) for number in fit_gaussian(HUMPS, GRID, way))
    for way in ("forward", "reverse")
}
shown = GRID.abs() <= 8
plots.curves(
    {
        "target p": (GRID[shown], HUMPS.exp()[shown]),
        "forward: least KL(p ‖ q)": (GRID[shown], density(*fits["forward"])[shown]),
        "reverse: least KL(q ‖ p)": (GRID[shown], density(*fits["reverse"])[shown]),
    },
    title="Two Gaussians, each as close to the target as possible",
    xlabel="x",
    ylabel="density",
)

# %% [markdown]
# The forward fit covers both humps (*mass covering*, *mode covering*): its own peak lies in the valley, where the target
# has almost no mass. The reverse fit chooses one hump (*mode seeking*) and ignores the other. Which hump it is depends
# on where the search starts.
#
# **Predict, then run.** How large is the divergence of each fit in its own direction, and in the other one?

# %% tags=["experiment"]


def kl_both_ways(log_p: torch.Tensor, mean: torch.Tensor, std: torch.Tensor) -> dict[str, torch.Tensor]:
    """KL(p || q) ("forward") and KL(q || p) ("reverse") of Gaussians q on `GRID`, in nats; mean and std `[S]` -> `[S]`."""
    log_p = torch.log_softmax(log_p, dim=0)
    log_q = torch.log_softmax(-0.5 * ((GRID - mean[:, None]) / std[:, None]) ** 2, dim=-1)  # [S, N]
    return {
        "forward": (log_p.exp() * (log_p - log_q)).sum(-1),
        "reverse": (log_q.exp() * (log_q - log_p)).sum(-1),
    }


fit_means, fit_stds = torch.tensor(list(fits.values()), dtype=torch.float64).T
prices = kl_both_ways(HUMPS, fit_means, fit_stds)
print("                KL(p ‖ q)  KL(q ‖ p)   (nats)")
for row, (way, (mean, std)) in enumerate(fits.items()):
    paid = "".join(f"{float(prices[direction][row]):10.3f} " for direction in ("forward", "reverse"))
    print(f"{way} fit    {paid}   mean {mean:z6.3f}, deviation {std:.3f}")

# %% [markdown]
# Each fit is the best in its own direction and poor in the other. The reverse fit has $\mathrm{KL}(q \,\|\, p) = 0.690$, just below $\log 2 = 0.693$: on its hump, $q \approx 2 p$, because $q$ has all its mass where $p$ has half. In the forward direction the same fit costs 8.7 nats: half the outcomes come from a hump that is nearly impossible under $q$.
#
# ### The landscape, and several starts
#
# The next two figures are maps: mean across, deviation upwards, dark where the divergence is small. The lines are searches by `descend`, each from its own ring.
#
# **Predict, then run.** How many minima has the forward map? And the reverse map?

# %% tags=["experiment"]
MAP_POINTS = run.size(full=81, mini=81, grade=5)
MAP_MEANS = torch.linspace(-6, 6, MAP_POINTS, dtype=torch.float64)
MAP_STDS = torch.logspace(math.log10(0.25), math.log10(6), MAP_POINTS, dtype=torch.float64)
STARTS = torch.tensor(
    [[-5.0, 0.4], [-5.0, 4.0], [-1.5, 0.4], [-1.2, 1.5], [0.3, 5.0], [1.2, 1.5], [1.5, 0.4], [5.0, 4.0], [5.0, 0.4]],
    dtype=torch.float64,
)  # [S, 2]


def searches(log_p: torch.Tensor, way: str, starts: torch.Tensor, steps: int = 300) -> torch.Tensor:
    """Paths of `descend` from starts `[S, 2]` in one direction, `[S, steps + 1, 2]`."""
    return descend(lambda m, s: kl_both_ways(log_p, m, s)[way], starts[:, 0], starts[:, 1], steps)


def landscape(log_p: torch.Tensor, way: str) -> torch.Tensor:
    """The divergence at all means (across) and deviations (down) of the map, `[MAP_POINTS, MAP_POINTS]`."""
    means, stds = torch.meshgrid(MAP_MEANS, MAP_STDS, indexing="xy")
    return kl_both_ways(log_p, means.flatten(), stds.flatten())[way].reshape(means.shape)


paths = {way: searches(HUMPS, way, STARTS) for way in ("forward", "reverse")}
surface(
    MAP_MEANS,
    MAP_STDS,
    landscape(HUMPS, "forward"),
    title="Forward: KL(p ‖ q), and where nine searches end",
    xlabel="mean of q",
    ylabel="deviation of q (logarithmic)",
    height="KL(p ‖ q) (nats), cut off at 3",
    highest=3.0,
    logy=True,
    paths=paths["forward"],
    marks={"covers both humps": tuple(paths["forward"][0, -1].tolist())},
)

# %% tags=["experiment"]
ends = paths["reverse"][:, -1]  # [S, 2]
minima = {
    "left hump": ends[ends[:, 0] < -1].mean(0),
    "middle": ends[ends[:, 0].abs() < 1].mean(0),
    "right hump": ends[ends[:, 0] > 1].mean(0),
}
for name, (mean, std) in minima.items():
    price = float(kl_both_ways(HUMPS, mean[None], std[None])["reverse"])
    print(f"{name:10s} mean {float(mean):z6.3f}, deviation {float(std):.3f}, KL(q ‖ p) = {price:.3f} nats")
surface(
    MAP_MEANS,
    MAP_STDS,
    landscape(HUMPS, "reverse"),
    title="Reverse: KL(q ‖ p), and where the same nine searches end",
    xlabel="mean of q",
    ylabel="deviation of q (logarithmic)",
    height="KL(q ‖ p) (nats), cut off at 3",
    highest=3.0,
    logy=True,
    paths=paths["reverse"],
    marks={name: tuple(at.tolist()) for name, at in minima.items()},
)

# %% [markdown]
# The forward map has one minimum, and all searches find it. The reverse map has **three**: one on each hump, and a
# third one in the middle, which covers both humps although the direction is reverse. It is a true minimum, only a worse
# one: 0.95 nats against 0.69. Several of the searches end there, and it is hard to say in advance which. So "the reverse
# KL seeks modes" is true of the lowest minimum here. It need not be true of the minimum that your optimizer finds.
#
# ### From which distance on does the reverse fit choose one hump?
#
# Let the humps have deviation 1 and move apart. For each distance, one search starts in the middle, one on a hump.
#
# **Predict, then run.** Humps at ±2 are clearly two humps. What is the best reverse fit there?

# %% tags=["experiment"]
HALF_DISTANCES = torch.linspace(0.5, 4, run.size(full=57, mini=57, grade=3), dtype=torch.float64)
branches = {name: torch.zeros(len(HALF_DISTANCES), 3, dtype=torch.float64) for name in ("middle", "hump")}
for place, half in enumerate(HALF_DISTANCES.tolist()):
    target = mixture(GRID, (0.5, 0.5), (-half, half), (1.0, 1.0))
    begin = torch.tensor([[0.0, math.hypot(1.0, half)], [half, 1.0]], dtype=torch.float64)
    arrived = searches(target, "reverse", begin, 500)[:, -1]  # [2, 2]
    price = kl_both_ways(target, arrived[:, 0], arrived[:, 1])["reverse"]
    for name, found, paid in zip(("middle", "hump"), arrived, price, strict=True):
        branches[name][place] = torch.stack([found[0], found[1], paid])
separate = branches["hump"][:, 0] > 0.5  # for smaller distances, the search from the hump ends in the middle, too
plots.curves(
    {
        "minimum in the middle": (HALF_DISTANCES, branches["middle"][:, 2]),
        "minimum on a hump": (HALF_DISTANCES[separate], branches["hump"][separate, 2]),
    },
    title="Reverse: the minima while two humps move apart",
    xlabel="half the distance of the humps (in their deviations)",
    ylabel="KL(q ‖ p) at the minimum (nats)",
)

# %% tags=["experiment"]
lower = separate & (branches["hump"][:, 2] < branches["middle"][:, 2])  # here the fit on a hump is the best one
plots.curves(
    {
        "forward fit": (HALF_DISTANCES, (1 + HALF_DISTANCES**2).sqrt()),
        "best reverse fit, in the middle": (HALF_DISTANCES[~lower], branches["middle"][~lower, 1]),
        "best reverse fit, on a hump": (HALF_DISTANCES[lower], branches["hump"][lower, 1]),
    },
    title="The deviation of the best fit while two humps move apart",
    xlabel="half the distance of the humps (in their deviations)",
    ylabel="deviation of q",
)

# %% [markdown]
# Up to a half distance of about 2.4 deviations there is no minimum on a hump at all, and the reverse fit covers both,
# much like the forward one: with humps at ±2 it has mean 0 and deviation 2.05, the forward fit 2.24. Then a second
# minimum appears near a hump, at 0.66 nats, higher than the one in the middle. From about 2.8 on it is the lower one: the
# best fit jumps from the middle to a hump. The minimum in the middle remains, and a search can end there.
#
# ## 8. Where this occurs in machine learning
#
# | what is trained | what it minimises | so it tends to |
# |---|---|---|
# | anything by maximum likelihood: classifiers, language models | forward KL from data to model (plus the entropy of the data, a constant) | cover: give all data some probability, and also some to what is not data |
# | the approximate posterior $q(z \mid x)$ of a variational autoencoder | reverse KL from $q(z \mid x)$ to the true posterior | choose: too small a variance, or one of several explanations |
# | the generator of the first GAN, against a perfect discriminator | JSD of data and samples, times 2, minus log 4 | do neither: where data and samples do not overlap, there is hardly any gradient |
# | a policy $\pi$ that maximises $\mathbb E_\pi[r] - \beta\, \mathrm{KL}(\pi \,\Vert\, \pi_0)$ | reverse KL from $\pi$ to $\pi_0\, e^{r / \beta}$, normalised | choose: few answers, all of them good |
#
# The first row is easily checked. Maximum likelihood takes samples from $p$ and finds the $m$ and $s$ that make them most likely. For a Gaussian these are the samples' mean and deviation.

# %% tags=["experiment"]
draws_of_target = GRID[
    torch.multinomial(HUMPS.softmax(0), 5000, replacement=True, generator=torch.Generator().manual_seed(6))
]
likeliest = (float(draws_of_target.mean()), float(draws_of_target.std(correction=0)))
print(f"maximum likelihood on 5,000 samples: mean {likeliest[0]:z6.3f}, deviation {likeliest[1]:.3f}")
print(f"forward fit:                         mean {fits['forward'][0]:z6.3f}, deviation {fits['forward'][1]:.3f}")
sample_scores = {}
for way, (mean, std) in fits.items():
    sample_scores[way] = float(mixture(draws_of_target, (1.0,), (mean,), (std,)).mean())
    print(f"mean log-likelihood of the samples under the {way} fit: {sample_scores[way]:.2f} nats")

# %% [markdown]
# **Where this stops being true.** With one mean and one deviation the model is far from the target, so the direction
# decides everything. A model that is rich enough to equal the target makes both divergences 0, and the direction
# no longer matters for the optimum, only for the training. And neither direction is "better". Cover if a missed case is
# expensive, as in a warning system. Choose if a wrong sample is expensive, as in a generated text.
#
# **What came after.** f-GANs (Nowozin and others 2016) train a generator with any divergence of a whole family, and Wasserstein GANs (Arjovsky and others 2017) with a distance that keeps its gradient where the distributions do not overlap. Rényi divergences (Li and Turner 2016; before them Minka 2005) have one number that goes from covering to choosing. When a small language model learns from a large one, the direction is a choice, too: MiniLLM (Gu and others 2024) uses the reverse one.

# %% [markdown]
# ## 9. Questions
#
# ### (a) Finite and infinite (3 points)
#
# Give the two distributions of your `asymmetric_pair`. Compute the finite divergence by hand. Why is the other one infinite: what happens if you use that code, and why does more data not help? Finally, what would the
# Jensen-Shannon divergence of your pair be, and why must it be finite? About 100 words.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_infinite", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# $p = (1, 0)$, a coin that always shows heads, and $q = (\tfrac12, \tfrac12)$. $\mathrm{KL}(p \,\|\, q) = 1 \cdot \log \frac{1}{1/2} + 0 = \log 2 = 0.693$ nats: with the code for a fair coin, each of the sure outcomes still costs a word of $\log 2$ nats.
#
# $\mathrm{KL}(q \,\|\, p)$ contains the term $\tfrac12 \log \frac{1/2}{0}$, which is infinite. A code made for $p$ has no word of finite length for tails, but tails come in half of the tosses; the first one already costs infinitely much. More tosses do not average that away: one infinite term makes the mean infinite, however rare it is.
#
# $\mathrm{JSD} = 0.216$ nats. The mixture $r = (\tfrac34, \tfrac14)$ is at least half of $p$ and half of $q$ everywhere, so the ratios $p / r$ and $q / r$ are at most 2 and each KL at most $\log 2$.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: a valid pair, and the finite divergence computed correctly with its unit (nats; any pair of full marks in `asymmetric_pair`)
# * 1 point: infinite because an outcome that happens has probability 0 in the second argument (no finite code word, log ratio infinite); the mean stays infinite however rare or many the tosses
# * 1 point: JSD of the pair, right value, and finite because the mixture is positive wherever p or q is (ratios at most 2, bound log 2)
# ### END MARK SCHEME

# %% [markdown]
# ### (b) Which is which? (4 points)
#
# Another target has a narrow, high hump on the left, with 30 % of the mass, and a broad, low one on the right, with 70 %. Two Gaussians were fitted to it, free in mean and deviation: one by the forward, one by the reverse divergence.

# %% tags=["experiment"]
LOPSIDED = mixture(GRID, (0.3, 0.7), (-2.0, 1.5), (0.25, 0.9))
PLOTS = {"plot 1": (1.48, 0.93), "plot 2": (0.45, 1.78)}
shown = GRID.abs() <= 6
plots.curves(
    {"target p": (GRID[shown], LOPSIDED.exp()[shown]), "q": (GRID[shown], density(*PLOTS["plot 1"])[shown])},
    title="Plot 1: forward or reverse?",
    xlabel="x",
    ylabel="density",
)

# %% tags=["experiment"]
plots.curves(
    {"target p": (GRID[shown], LOPSIDED.exp()[shown]), "q": (GRID[shown], density(*PLOTS["plot 2"])[shown])},
    title="Plot 2: forward or reverse?",
    xlabel="x",
    ylabel="density",
)

# %% [markdown]
# Answer in about 150 words:
#
# * Which plot is which? Derive it from the two formulas: in which regions of the line does each of them punish $q$, and how hard?
# * In plot 1, $q$ sits on the hump that is not the higher one. Why that one? Estimate the divergence that this fit makes small, for a $q$ that copies either hump.
# * If a search for such a fit starts on the high hump with a small deviation, where does it end, and what does that say about a single start?

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_directions", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Plot 1 is the reverse fit, plot 2 the forward one. In $\mathrm{KL}(p \,\|\, q) = \sum p \log (p / q)$ the average is over p: a region with p > 0 and q ≈ 0 costs nearly infinitely much, while q > 0 where p ≈ 0 costs nothing there (only mass that is missing elsewhere). So q must cover both humps,
# and the optimum has the mean and deviation of p, as in plot 2. In $\mathrm{KL}(q \,\|\, p) = \sum q \log (q / p)$ the average is over q: mass of q in the valley or beyond, where p ≈ 0, costs very much; a hump where q ≈ 0 costs nothing. So q covers one hump only, as in plot 1.
#
# A copy of a hump of weight w has q ≈ p / w there, so $\mathrm{KL}(q \,\|\, p) \approx \log (1 / w)$: log (1 / 0.7) = 0.36 nats on the broad one, log (1 / 0.3) = 1.20 on the narrow one. Mass counts, not height.
#
# From the high hump with a small deviation the search stays there, at the local minimum of 1.20 nats: the reverse objective has several minima, so one needs several starts and must compare the values.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: plot 1 reverse, plot 2 forward
# * 1 point: reason from the formulas for both: forward averages over p and punishes q ≈ 0 where p > 0 (covers, matches mean and deviation); reverse averages over q and punishes q > 0 where p ≈ 0 (chooses)
# * 1 point: log (1 / weight): 0.36 against 1.20 nats, the heavier hump wins, not the higher
# * 1 point: stays on the high hump, a local minimum; so several starts, compared by their values
# ### END MARK SCHEME

# %% [markdown]
# ### How was it made? (not graded)
#
# Fill in what you used (lectures, papers, sites, language models), with whom you worked, and about how many hours it took. It
# is kept in the log and does not count for or against you.

# %%
process = {"sources": "", "people": "", "hours": None}

# %% [markdown]
# ## 10. Your log
#
# The next cell defines your per-student inputs: they are drawn from your student id. The last cell asks your functions for
# their answers, adds your measured numbers and writes `submission_log.json`. Submit it together with this notebook.


# %% tags=["answers"]
def personal_answers(student, draws):
    """Per-student inputs: item id -> a function that asks the student's code for its answer."""

    def ask_kl_divergence():
        d = draws("kl_divergence")
        p, q = d.uniform(0.1, 1.0, 6), d.uniform(0.1, 1.0, 6)
        p[d.integers(0, 6, 1)] = 0.0
        p, q = p / p.sum(), q / q.sum()
        return [float(student.kl_divergence(*pair)) for pair in ((p, q), (q, p), (q, q.flip(0)))]

    def ask_asymmetric_pair():
        p, q = (torch.as_tensor(each, dtype=torch.float64) for each in student.asymmetric_pair())
        # each student may choose another pair, so the answer has only what all correct pairs have in common
        return {
            "sums": [round(float(p.sum()), 3), round(float(q.sum()), 3)],
            "negative": bool((p < 0).any() or (q < 0).any()),
            "infinite": [bool(((p > 0) & (q == 0)).any()), bool(((q > 0) & (p == 0)).any())],
        }

    def ask_jensen_shannon():
        d = draws("jensen_shannon")
        p, q = d.uniform(0.0, 1.0, 5), d.uniform(0.0, 1.0, 5)
        p[d.integers(0, 5, 1)] = 0.0
        return float(student.jensen_shannon(p / p.sum(), q / q.sum()))

    def ask_fit_gaussian():
        d = draws("fit_gaussian")
        centre, half = int(d.integers(-2, 3)), int(d.integers(3, 5))
        grid = torch.linspace(-16, 16, 1601, dtype=torch.float64)
        humps = torch.logaddexp(-0.5 * (grid - centre - half) ** 2, -0.5 * (grid - centre + half) ** 2)
        skewed = (grid - centre) - (grid - centre).exp()
        answer = {}
        for direction in ("forward", "reverse"):
            for name, log_p in (("humps", humps), ("skewed", skewed)):
                fit = student.fit_gaussian(log_p, grid, direction)
                mean, std = (float(torch.as_tensor(number).detach()) for number in fit)
                off = mean - centre if name == "skewed" else abs(mean - centre)  # either of two equal humps is right
                # rounded to halves: every fit within 2 % gives the same answer
                answer[f"{direction}, {name}"] = [centre, round(2 * off) / 2, round(2 * std) / 2]
        return answer

    def ask_fit_by_samples():
        d = draws("fit_by_samples")
        centre, deviation = int(d.integers(-3, 4)), int(d.integers(1, 4))
        fit = student.fit_by_samples(
            student.Humps((centre,), (deviation,)),
            centre + 0.5 * deviation,
            1.5,
            torch.Generator().manual_seed(1),
        )
        # rounded: every fit within 10 % gives the same answer
        mean, std = (float(torch.as_tensor(number).detach()) for number in fit)
        return [round(mean / deviation - centre / deviation) + centre, round(std)]

    return {
        "kl_divergence": ask_kl_divergence,
        "asymmetric_pair": ask_asymmetric_pair,
        "jensen_shannon": ask_jensen_shannon,
        "fit_gaussian": ask_fit_gaussian,
        "fit_by_samples": ask_fit_by_samples,
    }


# %% tags=["log"]
log = SubmissionLog(run)
log.bands(  # the expected range of each number, from our own runs
    {
        "comparing_distributions/forward_fit_kl": {"full": (0.48, 0.53), "mini": (0.48, 0.53)},
        "comparing_distributions/reverse_fit_kl": {"full": (0.68, 0.72), "mini": (0.68, 0.72)},
        "comparing_distributions/reverse_minimum_in_the_middle": {"full": (0.93, 0.97), "mini": (0.93, 0.97)},
    }
)
log.answers(personal_answers)
with log.measurements():
    for way, (mean, std) in fits.items():
        row = list(fits).index(way)
        log.metric(
            f"comparing_distributions/{way}_fit_kl",
            float(prices[way][row]),
            evidence={"mean": mean, "std": std, "ends of all searches": paths[way][:, -1].tolist()},
        )
    log.metric(
        "comparing_distributions/reverse_minimum_in_the_middle",
        float(kl_both_ways(HUMPS, *minima["middle"][:, None])["reverse"]),
        evidence={
            "half distances": HALF_DISTANCES.tolist(),
            **{name: b[:, 2].tolist() for name, b in branches.items()},
        },
    )
log.process(**process)
written_to = log.write()

# %% [markdown]
# ## References
#
# * S. Kullback, R. A. Leibler: *On Information and Sufficiency*. Annals of Mathematical Statistics 22, 1951.
# * T. M. Cover, J. A. Thomas: *Elements of Information Theory*, 2nd edition, Wiley 2006, chapter 2.
# * J. Lin: *Divergence Measures Based on the Shannon Entropy*. IEEE Transactions on Information Theory 37, 1991.
# * C. M. Bishop: *Pattern Recognition and Machine Learning*, Springer 2006, section 10.1.2.
# * T. Minka: *Divergence Measures and Message Passing*. Microsoft Research, technical report MSR-TR-2005-173, 2005.
# * I. Goodfellow and others: *Generative Adversarial Nets*. NeurIPS 2014. arXiv:1406.2661.
# * S. Nowozin, B. Cseke, R. Tomioka: *f-GAN*. NeurIPS 2016. arXiv:1606.00709.
# * M. Arjovsky, S. Chintala, L. Bottou: *Wasserstein GAN*. ICML 2017. arXiv:1701.07875.
# * Y. Li, R. Turner: *Rényi Divergence Variational Inference*. NeurIPS 2016. arXiv:1602.02311.
# * Y. Gu, L. Dong, F. Wei, M. Huang: *MiniLLM*. ICLR 2024. arXiv:2306.08543.
# * D. P. Kingma, M. Welling: *Auto-Encoding Variational Bayes*. ICLR 2014. arXiv:1312.6114.
