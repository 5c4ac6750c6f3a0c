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
# # Two networks play: a GAN that draws digits
#
# The goal is a picture of 200 handwritten digits that nobody wrote (section 7), drawn by a network that never sees a real digit. It only learns how well it fools another network. On the way there you write the five short functions that make the game work, and you watch it fail in its two classic ways.
#
# **What you will learn**
#
# * how a classifier measures the distance of two distributions, and which distance that is;
# * why the loss of the theory is not used in practice, and which loss is used instead;
# * how to train two networks against each other without mixing up their gradients;
# * how to judge samples when there is no likelihood: quality, diversity, mode collapse.
#
# **What you need**: probability densities, the chain rule, and a little PyTorch. The lecture helps, but the text below is complete.
#
# | | profile `full` | profile `mini` |
# |---|---|---|
# | data | MNIST, 60,000 training images | embedded digits, about 1,500 training images |
# | training | one GAN of 12,000 steps, three of 1,200 | one GAN of 3,000 steps, three of 600 |
# | hardware | a GPU, for instance on Colab | any laptop, no network |
# | time to run | about five minutes, on a CPU too | one to two minutes |
#
# Plan two to three hours for reading, writing and thinking. The profile is chosen for you (`full` where there is a GPU,
# else `mini`); set the environment variable `HOMEWORK_PROFILE` to choose yourself. All graded code is checked on tiny
# inputs, so you can do everything in `mini` first.
#
# **Your student id** goes into your log: set the environment variable `HOMEWORK_STUDENT` to it (for instance in a separate cell, `%env HOMEWORK_STUDENT=your_id`), or the log cell at the end asks for it.
#
# | graded | points |
# |---|---|
# | `discriminator_loss` | 4 |
# | `generator_loss_minimax` | 3 |
# | `generator_loss_nonsaturating` | 3 |
# | `optimal_discriminator` | 3 |
# | `gan_step` | 7 |
# | written answers and the picture | 10 |
#
# **One rule for all tasks.** Your functions leave their arguments as they are: the caller may need them again. So no `x += ...`, `x[...] = ...` or `rows.pop()` on what you were given; work on new tensors or on copies. The tests check this. Only what a docstring calls *changed in place* may change, for instance a model that your function trains.

# %% tags=["install"]
from importlib.util import find_spec

if find_spec("homework") is None:  # on Colab: installs what is missing and keeps the installed torch
    get_ipython().run_line_magic("pip", "install -q STUDENT_PACKAGE")  # noqa: F821
# On Colab, so that training continues after a disconnect: `from homework.colab import use_drive; use_drive()`

# %%
import contextlib
import copy
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

import homework
from homework import data, reference, student
from homework.arguments import modules_may_change
from homework.checks import close, fresh, has_shape, part
from homework.hand_in.log import SubmissionLog
from homework.models.judge import CONFIDENT, SHARE, judge_samples, train_judge
from homework.show import plots
from homework.train import training

run = homework.start("gan")


def near(value: torch.Tensor | float, number: float) -> bool:
    """Are all entries within 0.0001 of that number? (The tests use it to recognise known mistakes.)"""
    return bool(((torch.as_tensor(value).detach() - number).abs() < 1e-4).all())


# %% [markdown]
# The data are grey images with values between 0 and 1, `D` = 28 · 28 = 784 pixels each. `N` is the number of images in a set, `B` the number in a batch, and `K` the number of random numbers from which one image is drawn. These letters mean the same everywhere below. The *embedded digits* of `mini` are the 8 × 8 handwritten digits that come with scikit-learn, enlarged and sharpened to 28 × 28.

# %%
digits = data.digits(run)
train_pixels = digits.train_images.reshape(-1, 784).to(run.device)  # [N, 1, 28, 28] -> [N, D]
print(f"{digits.name}: {len(train_pixels):,} training images, {len(digits.test_images):,} test images")

# %% tags=["experiment"]
each_digit = torch.cat([(digits.train_labels == digit).nonzero()[:4, 0] for digit in range(10)])  # 4 of each
plots.image_grid(digits.train_images[each_digit], rows=2, columns=20, title=f"Training images ({digits.name})")

# %% [markdown]
# ## 1. The game, in one dimension
#
# A forger makes fake points on a line and mixes them, one to one, with real points. A detective sees one point $x$ at a
# time and says how probable it is that the point is real. The forger wins if the detective cannot do better than "one
# half" everywhere.
#
# In a *generative adversarial network* (Goodfellow and others 2014) both are networks. The **generator** $G$ turns noise $z$ into a
# sample $G(z)$, and so defines a density $p_\text{model}$, for which we have no formula. The **discriminator** $D$ gives
# the probability that its input is real. Neither network needs a likelihood: the generator learns everything through
# the discriminator. That is the idea of a GAN.
#
# What is the best that a detective can do? If the densities are known, this needs no network. Let the real points come
# from two bumps, at −2 and at 2 with standard deviation 0.5, and let the forger's points come from one broad bump, N(0,
# 1.5²). We draw 200,000 points of each, sort them into
# narrow bins, and *count*: what share of the points in a bin is real?
#
# **Predict, then run.** Where will that share be ½? And far out, at $x = \pm 4$, where both kinds are rare: is it 0, ½ or 1?

# %%
BUMPS = 2.0  # the real points: two bumps at -2 and 2 ...
WIDTH = 0.5  # ... with this standard deviation


def draw_real(n: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Points `[n, 1]` of the two bumps."""
    side = 2 * torch.randint(0, 2, (n, 1), generator=generator) - 1
    return BUMPS * side + WIDTH * torch.randn(n, 1, generator=generator)


def normal_density(x: torch.Tensor, mean: float, deviation: float) -> torch.Tensor:
    """The density of a normal at the points `x`."""
    return torch.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * math.sqrt(2 * math.pi))


def real_density(x: torch.Tensor) -> torch.Tensor:
    """The density of the real points at the points `x`."""
    return 0.5 * normal_density(x, -BUMPS, WIDTH) + 0.5 * normal_density(x, BUMPS, WIDTH)


# %% tags=["experiment"]
DRAWN, BINS, REACH = 200_000, 100, 5.0
toy_generator = torch.Generator().manual_seed(1)
real_counts = torch.histc(draw_real(DRAWN, toy_generator), BINS, -REACH, REACH)
fake_counts = torch.histc(1.5 * torch.randn(DRAWN, generator=toy_generator), BINS, -REACH, REACH)
middles = torch.linspace(-REACH, REACH, 2 * BINS + 1)[1::2]
counted_share = real_counts / (real_counts + fake_counts)
per_unit = 1 / (DRAWN * 2 * REACH / BINS)  # a count as a density
plots.curves(
    {
        "real": (middles, real_counts * per_unit),
        "forged": (middles, fake_counts * per_unit),
        "share real": (middles, counted_share),
    },
    title="The best detective counts: what share of the points here is real?",
    xlabel="x",
    ylabel="density; share of the points in a bin",
    levels={"½": 0.5},
)

# %% [markdown]
# The share is ½ exactly where the two density curves cross, and far out it falls to 0: there both are rare, but fake points are much more frequent than real ones. Only the *ratio* of the densities matters. With images one cannot count, since no two images are ever in the same bin; there a network must learn the share from examples. Its loss is your first task. The generator's losses are the second, the best possible discriminator is the third, and the game itself is the last.

# %% [markdown]
# ## 2. `discriminator_loss`: telling real from fake (4 points)
#
# Our discriminators give one *logit* per sample, a number in $(-\infty, \infty)$; the probability that the sample is real is its sigmoid,
# $D(x) = \sigma(\text{logit}) = 1 / (1 + e^{-\text{logit}})$. A real sample should get a $D$ near 1, a fake one near 0. As for any classifier, the loss is
# the negative log-probability of the right answer:
#
# $$\text{d\_loss} = -\frac1B \sum_{i=1}^{B} \log \sigma(\text{real\_logits}_i) \;-\; \frac1{B'} \sum_{j=1}^{B'} \log\big(1 - \sigma(\text{fake\_logits}_j)\big) .$$
#
# It is the **sum of two means**, one over the real batch and one over the fake batch (which may differ in size). It is not halved: a discriminator that always says ½ has loss
# $2 \log 2 = 1.386$. With the opposite sign it is the value $V(G, D)$ of the game in Goodfellow's equation 1, which $D$ maximises.
#
# The trap is numerical. At a logit of 200 the sigmoid is exactly 1 in float32, so $\log(1 - \sigma)$ is $\log 0 =
# -\infty$, and one such sample makes the loss of the whole batch infinite. Compute from the logits: $-\log \sigma(a) =
# \log(1 + e^{-a}) = \mathrm{softplus}(-a)$, and $1 - \sigma(a) = \sigma(-a)$. PyTorch's `softplus`, its `logsigmoid`
# and its
# cross-entropy *with logits* are exact for any size.
#
# *Worked numbers.* `real_logits` = [log 3, 0] and `fake_logits` = [0, −log 4]. Then $D$ is ¾ and ½ on the real samples, ½ and ⅕ on the fake
# ones. Real: (−log ¾ − log ½)/2 = (0.287682 + 0.693147)/2 = 0.490415. Fake: (−log ½ − log ⅘)/2 = (0.693147 + 0.223144)/2 = 0.458145.
# Together **0.948560**.


# %% nbgrader={"grade": false, "grade_id": "discriminator_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def discriminator_loss(real_logits, fake_logits):
    """The discriminator's loss: mean of -log sigmoid(real_logits) plus mean of -log(1 - sigmoid(fake_logits)).

    Goodfellow and others 2014, equation 1 with the opposite sign. Exact for logits of any size.

    Args:
        real_logits: the discriminator's logits on real samples, `[B]` (or `[B, 1]`).
        fake_logits: its logits on generated samples, `[B']` (or `[B', 1]`); the two batches may differ in size.

    Returns:
        A scalar tensor, differentiable, with the data type of the logits. Example: [log 3, 0] and [0, -log 4] give
        0.948560.
    """
    ### BEGIN SOLUTION
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_discriminator_loss", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
real, fake = torch.tensor([math.log(3.0), 0.0]), torch.tensor([0.0, -math.log(4.0)])
loss = student.discriminator_loss(real, fake)
assert isinstance(loss, torch.Tensor), "return a tensor, not a Python or NumPy number: no .item(), no float()"
assert has_shape(loss, (), "return a scalar: average over each batch")
assert not near(loss, 0.948560 / 2), "halved: the loss is the sum of the two means, not their mean"
assert not near(loss, 2 * 0.948560), "the loss is summed over the batch: average it"
assert not near(loss, 2.191013), "labels swapped: real samples have the label 1, fakes 0"
assert close(loss, torch.tensor(0.948560), "the worked numbers; logits go in, so apply the sigmoid once, not twice")
uneven = student.discriminator_loss(torch.zeros(5), torch.full((3,), math.log(3.0)))
assert close(uneven, torch.tensor(3 * math.log(2.0)), "5 real and 3 fake samples: each batch has its own mean")
with part("logits far from 0", 0.5):
    hint = "logits of 200: compute from the logits; their sigmoid is rounded to 0 and 1, and its logarithm is infinite or cut off"
    sure = torch.tensor([200.0])
    assert close(student.discriminator_loss(sure, -sure), torch.tensor(0.0), hint)
    assert close(student.discriminator_loss(-sure, sure), torch.tensor(400.0), hint)
with part("gradients of the worked numbers", 0.5):
    real, fake = real.requires_grad_(), fake.requires_grad_()
    loss = student.discriminator_loss(real, fake)
    assert loss.requires_grad, "no gradient reaches the logits: detach() and float() cut it"
    loss.backward()
    assert close(
        real.grad,
        torch.tensor([-0.125, -0.25]),
        "the derivative by a real logit is -(1 - D) / B (at 0, too: max(a, 0) has a kink there)",
    )
    assert close(
        fake.grad,
        torch.tensor([0.25, 0.1]),
        "the derivative by a fake logit is D / B (at 0, too: max(a, 0) has a kink there)",
    )
print("discriminator_loss: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(20)
with part("value", 1.5):
    for B, other in [(1, 1), (7, 3), (64, 64), (2, 500)]:
        real, fake = 3 * torch.randn(B, generator=g), 3 * torch.randn(other, generator=g)
        loss = student.discriminator_loss(real, fake)
        assert has_shape(loss, (), "a scalar")
        assert bool(loss > 0), "the negative logarithm of a probability is positive; is the sign right?"
        assert close(
            loss, reference.discriminator_loss(real, fake), "mean over the real batch plus mean over the fake batch"
        )
        assert close(
            student.discriminator_loss(-fake, -real),
            loss,
            "changing the sign of all logits and swapping the batches changes nothing",
        )
        right = torch.distributions.Bernoulli(logits=real.double()).log_prob(torch.ones(B).double()).mean()
        wrong = torch.distributions.Bernoulli(logits=fake.double()).log_prob(torch.zeros(other).double()).mean()
        assert close(loss, -(right + wrong), "the negative log-probability of the right answers")
        columns = student.discriminator_loss(real[:, None], fake[:, None])
        assert close(columns, loss, "logits [B, 1] must give the same scalar: mean over all entries")
        twice = student.discriminator_loss(real.repeat(3), fake)
        assert close(twice, loss, "each batch has its own mean: repeating the real batch changes nothing")
with part("very large logits", 0.5):
    for size in (100.0, 1e4, 1e30):
        sure = torch.tensor([size, -size])
        assert close(student.discriminator_loss(sure, -sure), torch.tensor(size), "very large logits of both signs")
        assert close(
            student.discriminator_loss(sure[:1], -sure[:1]),
            torch.tensor(0.0),
            "answers that are sure and right have loss 0",
        )
with part("gradients", 0.5):
    real = (2 * torch.randn(6, generator=g)).requires_grad_()
    fake = (2 * torch.randn(4, generator=g)).requires_grad_()
    loss = student.discriminator_loss(real, fake)
    assert loss.requires_grad, "the loss must stay differentiable"
    (3 * loss).backward()
    assert real.grad is not None and fake.grad is not None, "a gradient must reach the logits of both batches"
    assert close(real.grad, -3 * (1 - real.detach().sigmoid()) / 6, "the derivative by a real logit is -(1 - D) / B")
    assert close(fake.grad, 3 * fake.detach().sigmoid() / 4, "the derivative by a fake logit is D / B")
    far = torch.tensor([-300.0, 300.0, 5000.0], requires_grad=True)
    student.discriminator_loss(far, far.detach()).backward()
    assert close(far.grad, torch.tensor([-1 / 3, 0.0, 0.0]), "gradients must stay finite and right for large logits")
with part("the result's data type", 0.5):
    loss = student.discriminator_loss(torch.zeros(3), torch.zeros(2))
    assert loss.dtype == torch.float32, "the loss has the data type of the logits: float32 for float32"
### END HIDDEN TESTS

# %% [markdown]
# ## 3. Two losses for the generator
#
# ### `generator_loss_minimax`: the loss in theory (3 points)
#
# The generator wants the opposite of the discriminator. Of the discriminator's value $V(G, D) = \mathbb E[\log D(x)] + \mathbb E[\log(1 - D(G(z)))]$ only the second
# term depends on $G$, so in the *minimax* game $G$ minimises
#
# $$\text{g\_loss} = \frac1B \sum_{j=1}^{B} \log\big(1 - \sigma(\text{fake\_logits}_j)\big) .$$
#
# Mind the sign: this is the mean of the logarithm of a probability, so it is **negative** (or 0). The generator
# minimises it, towards $-\infty$, by pushing $D(G(z))$ towards 1. Again, compute from the logits.
#
# *Worked numbers.* `fake_logits` = [0, log 3]: $D$ is ½ and ¾, so g_loss = (log ½ + log ¼)/2 = (−0.693147 − 1.386294)/2 = **−1.039721**.


# %% nbgrader={"grade": false, "grade_id": "generator_loss_minimax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def generator_loss_minimax(fake_logits):
    """The generator's loss in the minimax game: the mean of log(1 - sigmoid(fake_logits)), to be minimised.

    Goodfellow and others 2014, equation 1. Never positive; exact for logits of any size.

    Args:
        fake_logits: the discriminator's logits on generated samples, `[B]` (or `[B, 1]`).

    Returns:
        A scalar tensor, differentiable, with the data type of the logits. Example: [0, log 3] gives -1.039721.
    """
    ### BEGIN SOLUTION
    return -F.softplus(fake_logits).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_generator_loss_minimax", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
fake = torch.tensor([0.0, math.log(3.0)])
loss = student.generator_loss_minimax(fake)
assert isinstance(loss, torch.Tensor), "return a tensor, not a Python or NumPy number: no .item(), no float()"
assert has_shape(loss, (), "return a scalar: average over the batch")
assert not near(loss, 1.039721), "the sign: it is the mean of log(1 - D), which is negative"
assert not near(loss, -2 * 1.039721), "the loss is summed over the batch: average it"
assert not near(loss.abs(), 0.490415), "this is log D: the minimax loss has log(1 - D)"
assert close(loss, torch.tensor(-1.039721), "the worked numbers; logits go in, so apply the sigmoid once, not twice")
with part("logits far from 0", 0.5):
    hint = (
        "logits of 200: compute from the logits; 1 - sigmoid is rounded to 0 and its logarithm is infinite or cut off"
    )
    assert close(student.generator_loss_minimax(torch.tensor([200.0, -200.0])), torch.tensor(-100.0), hint)
with part("gradients of the worked numbers", 0.5):
    fake = fake.requires_grad_()
    loss = student.generator_loss_minimax(fake)
    assert loss.requires_grad, "no gradient reaches the logits: detach() and float() cut it"
    loss.backward()
    assert close(
        fake.grad,
        torch.tensor([-0.25, -0.375]),
        "the derivative by a logit is -D / B (at 0, too: max(a, 0) has a kink there)",
    )
print("generator_loss_minimax: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(30)
with part("value", 1.5):
    for B in (1, 5, 300):
        fake = 3 * torch.randn(B, generator=g)
        loss = student.generator_loss_minimax(fake)
        assert has_shape(loss, (), "a scalar")
        assert bool(loss < 0), "the logarithm of a probability is negative; is the sign right?"
        assert close(loss, reference.generator_loss_minimax(fake), "the mean of log(1 - sigmoid(logit))")
        wanted = torch.distributions.Bernoulli(logits=fake.double()).log_prob(torch.zeros(B).double()).mean()
        assert close(loss, wanted, "the mean log-probability that the fakes are classified as fake")
        assert close(student.generator_loss_minimax(fake[:, None]), loss, "logits [B, 1] must give the same scalar")
        assert close(
            student.generator_loss_minimax(fake.repeat(4)), loss, "the same batch four times has the same mean"
        )
        assert bool(student.generator_loss_minimax(fake + 1) < loss), (
            "the higher D is on the fakes, the smaller the loss"
        )
with part("very large logits", 0.5):
    for size in (100.0, 1e4, 1e30):
        assert close(student.generator_loss_minimax(torch.tensor([size])), torch.tensor(-size), "very large logits")
        assert close(
            student.generator_loss_minimax(torch.tensor([-size])), torch.tensor(0.0), "very negative logits give 0"
        )
with part("gradients", 0.25):
    fake = (2 * torch.randn(6, generator=g)).requires_grad_()
    loss = student.generator_loss_minimax(fake)
    assert loss.requires_grad, "the loss must stay differentiable"
    (3 * loss).backward()
    assert fake.grad is not None, "no gradient reaches the logits"
    assert close(fake.grad, -3 * fake.detach().sigmoid() / 6, "the derivative by a logit is -D / B")
    far = torch.tensor([-5000.0, 300.0], requires_grad=True)
    student.generator_loss_minimax(far).backward()
    assert close(far.grad, torch.tensor([0.0, -0.5]), "gradients must stay finite and right for large logits")
with part("the result's data type", 0.25):
    loss = student.generator_loss_minimax(torch.zeros(3))
    assert loss.dtype == torch.float32, "the loss has the data type of the logits: float32 for float32"
### END HIDDEN TESTS

# %% [markdown]
# ### `generator_loss_nonsaturating`: the loss in practice (3 points)
#
# The minimax loss makes it *unlikely that fakes are classified as fake*. This loss makes it *likely that they are classified as real*:
#
# $$\text{g\_loss} = -\frac1B \sum_{j=1}^{B} \log \sigma(\text{fake\_logits}_j) .$$
#
# Both losses fall when $D(G(z))$ rises, so both push in the same direction. They differ in the size of the gradient, as you will see below. This one is **positive** (or 0).
#
# *Worked numbers.* `fake_logits` = [0, log 3]: $D$ is ½ and ¾, so g_loss = (−log ½ − log ¾)/2 = (0.693147 + 0.287682)/2 = **0.490415**.


# %% nbgrader={"grade": false, "grade_id": "generator_loss_nonsaturating", "locked": false, "schema_version": 3, "solution": true, "task": false}
def generator_loss_nonsaturating(fake_logits):
    """The generator's non-saturating loss: the mean of -log sigmoid(fake_logits), to be minimised.

    Goodfellow and others 2014, end of section 3. Never negative; exact for logits of any size.

    Args:
        fake_logits: the discriminator's logits on generated samples, `[B]` (or `[B, 1]`).

    Returns:
        A scalar tensor, differentiable, with the data type of the logits. Example: [0, log 3] gives 0.490415.
    """
    ### BEGIN SOLUTION
    return F.softplus(-fake_logits).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_generator_loss_nonsaturating", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
fake = torch.tensor([0.0, math.log(3.0)])
loss = student.generator_loss_nonsaturating(fake)
assert isinstance(loss, torch.Tensor), "return a tensor, not a Python or NumPy number: no .item(), no float()"
assert has_shape(loss, (), "return a scalar: average over the batch")
assert not near(loss, -0.490415), "the sign: the generator minimises -log D, which is positive"
assert not near(loss, 2 * 0.490415), "the loss is summed over the batch: average it"
assert not near(loss.abs(), 1.039721), "this is log(1 - D), the saturating loss: here it is log D"
assert close(loss, torch.tensor(0.490415), "the worked numbers; logits go in, so apply the sigmoid once, not twice")
with part("logits far from 0", 0.5):
    hint = "logits of -200: compute from the logits; their sigmoid is rounded to 0 and its logarithm is infinite or cut off"
    assert close(student.generator_loss_nonsaturating(torch.tensor([200.0, -200.0])), torch.tensor(100.0), hint)
with part("gradients of the worked numbers", 0.5):
    fake = fake.requires_grad_()
    loss = student.generator_loss_nonsaturating(fake)
    assert loss.requires_grad, "no gradient reaches the logits: detach() and float() cut it"
    loss.backward()
    assert close(
        fake.grad,
        torch.tensor([-0.25, -0.125]),
        "the derivative by a logit is -(1 - D) / B (at 0, too: max(a, 0) has a kink there)",
    )
print("generator_loss_nonsaturating: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(40)
with part("value", 1.5):
    for B in (1, 5, 300):
        fake = 3 * torch.randn(B, generator=g)
        loss = student.generator_loss_nonsaturating(fake)
        assert has_shape(loss, (), "a scalar")
        assert bool(loss > 0), "the negative logarithm of a probability is positive; is the sign right?"
        assert close(loss, reference.generator_loss_nonsaturating(fake), "the mean of -log sigmoid(logit)")
        wanted = torch.distributions.Bernoulli(logits=fake.double()).log_prob(torch.ones(B).double()).mean()
        assert close(loss, -wanted, "minus the mean log-probability that the fakes are classified as real")
        assert close(
            student.generator_loss_nonsaturating(fake[:, None]), loss, "logits [B, 1] must give the same scalar"
        )
        assert close(
            student.generator_loss_nonsaturating(fake.repeat(4)), loss, "the same batch four times has the same mean"
        )
        assert bool(student.generator_loss_nonsaturating(fake + 1) < loss), (
            "the higher D is on the fakes, the smaller the loss"
        )
with part("very large logits", 0.5):
    for size in (100.0, 1e4, 1e30):
        assert close(
            student.generator_loss_nonsaturating(torch.tensor([-size])), torch.tensor(size), "very negative logits"
        )
        assert close(
            student.generator_loss_nonsaturating(torch.tensor([size])), torch.tensor(0.0), "very large logits give 0"
        )
with part("gradients", 0.25):
    fake = (2 * torch.randn(6, generator=g)).requires_grad_()
    loss = student.generator_loss_nonsaturating(fake)
    assert loss.requires_grad, "the loss must stay differentiable"
    (3 * loss).backward()
    assert fake.grad is not None, "no gradient reaches the logits"
    assert close(fake.grad, -3 * (1 - fake.detach().sigmoid()) / 6, "the derivative by a logit is -(1 - D) / B")
    far = torch.tensor([-5000.0, 300.0], requires_grad=True)
    student.generator_loss_nonsaturating(far).backward()
    assert close(far.grad, torch.tensor([-0.5, 0.0]), "gradients must stay finite and right for large logits")
with part("the result's data type", 0.25):
    loss = student.generator_loss_nonsaturating(torch.zeros(3))
    assert loss.dtype == torch.float32, "the loss has the data type of the logits: float32 for float32"
### END HIDDEN TESTS

# %% [markdown]
# ### How large are their gradients?
#
# Everything the generator learns depends on one number per sample: the derivative of its loss by the logit of that sample. We compute it by autograd from your two functions, for logits from −9 to 4.
#
# **Predict, then run.** At the start of training the discriminator recognises every fake: $D(G(z))$ is perhaps 0.001. Which of the
# two losses then gives the larger gradient, and by what factor?

# %% tags=["experiment"]
logits = torch.linspace(-9, 4, 131, requires_grad=True)
gradient_by_loss = {}
for name, loss_of in {"minimax": generator_loss_minimax, "non-saturating": generator_loss_nonsaturating}.items():
    total = sum(loss_of(logit[None]) for logit in logits)  # each logit is a batch by itself
    (gradient,) = torch.autograd.grad(total, logits)
    gradient_by_loss[name] = gradient.abs()
taken_for_real = torch.sigmoid(logits.detach())  # D(G(z))
plots.curves(
    {name: (taken_for_real, size) for name, size in gradient_by_loss.items()},
    title="The gradient of the minimax loss vanishes exactly where the generator is bad",
    xlabel="D(G(z)): the discriminator's probability that the fake is real",
    ylabel="size of the derivative by the logit",
    logx=True,
    logy=True,
)

# %% [markdown]
# The minimax loss has a derivative of size $D(G(z))$, the non-saturating one of size $1 - D(G(z))$. At
# $D(G(z)) = 0.001$ that is a factor of 999. The minimax loss *saturates* (becomes flat) exactly where the fakes are bad
# and there is most to learn; the other loss becomes flat only where they are perfect.

# %% [markdown]
# ## 4. `optimal_discriminator`: the best possible discriminator (3 points)
#
# In section 1 the best detective counted. Where the densities are known, the counts become
#
# $$D^*(x) = \frac{p_\text{data}(x)}{p_\text{data}(x) + p_\text{model}(x)} ,$$
#
# and question (b) asks you to prove that no discriminator has a lower loss. Where *both* densities are 0 there is never
# a sample, so any value is allowed, but 0/0 would be `nan`: by convention the function returns **½** there.
# Where only one of them is 0, the answer is certain: exactly 0 or exactly 1.
#
# *Worked numbers.* `p_data` = [0.3, 0.1, 0, 0] and `p_model` = [0.1, 0.1, 0.2, 0] give **[0.75, 0.5, 0, 0.5]**.


# %% nbgrader={"grade": false, "grade_id": "optimal_discriminator", "locked": false, "schema_version": 3, "solution": true, "task": false}
def optimal_discriminator(p_data, p_model):
    """The discriminator that is best against a fixed generator: p_data / (p_data + p_model), point by point.

    Goodfellow and others 2014, proposition 1.

    Args:
        p_data: the density of the real samples at some points, not negative, any shape.
        p_model: the density of the generated samples at the same points, same shape.

    Returns:
        The probability that a sample at that point is real, same shape and data type; ½ where both densities are 0.
        Example: [0.3, 0.1, 0, 0] and [0.1, 0.1, 0.2, 0] give [0.75, 0.5, 0, 0.5].
    """
    ### BEGIN SOLUTION
    both = p_data + p_model
    return torch.where(both > 0, p_data / both, 0.5)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_optimal_discriminator", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
p_data, p_model = torch.tensor([0.3, 0.1, 0.0, 0.0]), torch.tensor([0.1, 0.1, 0.2, 0.0])
best = student.optimal_discriminator(p_data, p_model)
assert has_shape(best, (4,), "one probability per point, in the same shape")
assert not near(best[:1], 0.25), "swapped: D is the probability that the sample is real"
assert not near(best[:1], 3.0), "this is the ratio p_data / p_model: D is a probability, p_data / (p_data + p_model)"
assert close(best[:3], torch.tensor([0.75, 0.5, 0.0]), "the worked numbers: p_data / (p_data + p_model)")
with part("where both densities are 0", 0.5):
    assert bool(torch.isfinite(best).all()), "0/0 is nan: where both densities are 0 the answer is one half"
    assert close(best[3:], torch.tensor([0.5]), "where both densities are 0 the answer is one half, by convention")
with part("small densities", 0.5):
    assert float(best[2]) == 0, "exactly 0 where there are only fakes: do not clamp, and add no constant"
    tiny = student.optimal_discriminator(1e-12 * p_data[:3], 1e-12 * p_model[:3])
    assert close(tiny, best[:3], "only the ratio of the densities matters, however small they are: add no constant")
print("optimal_discriminator: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(50)
with part("value", 1.5):
    for shape in [(1,), (7,), (3, 4), (2, 3, 5)]:
        p, q = torch.rand(shape, generator=g) + 0.01, torch.rand(shape, generator=g) + 0.01
        best = student.optimal_discriminator(p, q)
        assert has_shape(best, shape, "the shape of the densities")
        assert bool(((best > 0) & (best < 1)).all()), "a probability"
        assert close(best, reference.optimal_discriminator(p, q), "p_data / (p_data + p_model), point by point")
        assert close(
            best + student.optimal_discriminator(q, p), torch.ones(shape), "swapping real and fake turns D into 1 - D"
        )
        assert close(
            student.optimal_discriminator(p, p.clone()), torch.full(shape, 0.5), "equal densities cannot be told apart"
        )
        value = p * best.log() + q * (1 - best).log()
        for step in (-0.003, 0.003):
            other = best + step
            assert bool((p * other.log() + q * (1 - other).log() < value).all()), (
                "a slightly different discriminator is better: yours is not the best one"
            )
    x = torch.linspace(-3, 3, 61)
    best = student.optimal_discriminator(normal_density(x, 1.0, 1.0), normal_density(x, -1.0, 1.0))
    assert close(best, torch.sigmoid(2 * x), "two normals of equal width: a logistic curve", rtol=1e-3)
with part("limits", 0.5):
    for scale in (1e-25, 1e25):
        p, q = torch.rand(9, generator=g) + 0.01, torch.rand(9, generator=g) + 0.01
        scaled = student.optimal_discriminator(scale * p, scale * q)
        assert close(scaled, reference.optimal_discriminator(p, q), "only the ratio of the densities matters")
    p, q = torch.tensor([[0.0, 2.0], [0.0, 5.0]]), torch.tensor([[3.0, 0.0], [0.0, 5.0]])
    edge = student.optimal_discriminator(p, q)
    assert edge.tolist() == [[0.0, 1.0], [0.5, 0.5]], (
        "exactly 0 where there are only fakes, exactly 1 where there are only real samples, ½ where there are none"
    )
    assert edge.dtype == torch.float32, "the result has the data type of the densities: float32 for float32"
### END HIDDEN TESTS

# %% [markdown]
# ### Which distance does the game measure?
#
# Put the best discriminator into the value of the game, $V(G, D) = \mathbb E_{p_\text{data}}[\log D(x)] + \mathbb E_{p_\text{model}}[\log(1 - D(x))]$, which is minus the discriminator's loss. The theory says
#
# $$V(G, D^*) = -\log 4 + 2\,\mathrm{JSD}(p_\text{data}, p_\text{model}), \qquad
# \mathrm{JSD}(p, q) = \tfrac12 \mathrm{KL}\big(p \,\|\, \tfrac{p + q}{2}\big) + \tfrac12 \mathrm{KL}\big(q \,\|\, \tfrac{p + q}{2}\big) .$$
#
# So a generator that plays against the best discriminator minimises the Jensen-Shannon divergence, which is 0 for equal
# distributions and $\log 2$ for distributions without overlap. Let us check it on the two bumps of section 1. The model
# has the same two bumps, shifted to the right. We compute the right side by sums over a fine grid, and the left side in
# two ways: by sums, and from 4,000 samples of each kind with your `discriminator_loss`.
#
# **Predict, then run.** At shift 0 the value is $-\log 4$. Does it rise all the way from there? What happens at shift
# 4, where the model's left bump lies on the real right bump? What is the slope at shift 7, and what would a generator
# learn there?


# %%
def kl_on_grid(p: torch.Tensor, q: torch.Tensor, width: float) -> float:
    """KL(p || q) in nats, of densities on a grid with that cell width; q must be positive where p is."""
    return float((torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum()) * width


# %% tags=["experiment"]
grid = torch.linspace(-10, 18, 28_001, dtype=torch.float64)
cell = float(grid[1] - grid[0])
shifts = [0.25 * step for step in range(29)]
by_jsd, by_sums, by_samples = [], [], []
for shift in shifts:
    p, q = real_density(grid), real_density(grid - shift)
    mixture = 0.5 * (p + q)
    jsd = 0.5 * kl_on_grid(p, mixture, cell) + 0.5 * kl_on_grid(q, mixture, cell)
    by_jsd.append(-math.log(4) + 2 * jsd)
    best = optimal_discriminator(p, q)
    not_best = optimal_discriminator(q, p)  # 1 - D*, without rounding where D* is nearly 1
    by_sums.append(float((torch.special.xlogy(p, best) + torch.special.xlogy(q, not_best)).sum()) * cell)
    real_points = draw_real(4000, toy_generator).double()[:, 0]
    fake_points = draw_real(4000, toy_generator).double()[:, 0] + shift
    best_logits = [
        torch.logit(optimal_discriminator(real_density(x), real_density(x - shift)), eps=1e-12)  # finite at D* = 1, too
        for x in (real_points, fake_points)
    ]
    by_samples.append(-discriminator_loss(*best_logits).item())
worst_gap = max(abs(left - right) for left, right in zip(by_sums, by_jsd, strict=True))
sample_gap = max(abs(left - right) for left, right in zip(by_samples, by_jsd, strict=True))
print(f"largest difference of the two sides: {worst_gap:.1e} by sums, {sample_gap:.3f} from samples")
plots.curves(
    {
        "V(G, D*), by sums": (shifts, by_sums),
        "V(G, D*), from samples": (shifts, by_samples),
        "−log 4 + 2 JSD": (shifts, by_jsd),
    },
    title="Against the best discriminator the game measures the Jensen-Shannon divergence",
    xlabel="shift of the model's two bumps (the real ones are 4 apart)",
    ylabel="nats",
    levels={"−log 4: the same distribution": -math.log(4), "0: no overlap": 0.0},
)

# %% [markdown]
# The three curves coincide. Two things matter for training. Beyond shift 6 the value is flat at 0: without overlap the
# divergence is at its maximum, and *its slope is 0*. A generator that starts there learns nothing from a perfect
# discriminator and the minimax loss. And at shift 4 there is a local minimum: the model's left bump covers the real
# right one, and gradient descent from shift 3 or 5 gets stuck there: one of the two real bumps is missed, and half of
# the samples are wasted. You will see both problems again.

# %% [markdown]
# ## 5. `gan_step`: one round of the game (7 points)
#
# Here are the networks. The generator's last layer is a sigmoid, since grey values lie between 0 and 1; its hidden
# layers are batch-normalised, and section 8 shows why. (Its last bias starts at −2, so that the first pictures are dark
# like the background of real ones.) The discriminator gives a logit, and has dropout so that it does not memorise the
# training images.


# %%
class Generator(nn.Module):
    """Turns noise z `[B, K]` into images `[B, D]` with values in (0, 1): an MLP with two hidden layers.

    Args:
        z_dim: number of random numbers per image, K.
        x_dim: number of pixels, D.
        hidden: width of the hidden layers.
        batch_norm: are the hidden layers normalised over the batch?
        dark: do the images start dark (as most pixels of a digit are), or grey?
    """

    def __init__(
        self, z_dim: int = 64, x_dim: int = 784, hidden: int = 256, batch_norm: bool = True, dark: bool = True
    ) -> None:
        super().__init__()
        self.z_dim = z_dim
        layers: list[nn.Module] = []
        for inputs in (z_dim, hidden):
            layers += [nn.Linear(inputs, hidden), *([nn.BatchNorm1d(hidden)] if batch_norm else []), nn.ReLU()]
        pixels = nn.Linear(hidden, x_dim)
        if dark:
            nn.init.constant_(pixels.bias, -2.0)
        self.layers = nn.Sequential(*layers, pixels, nn.Sigmoid())

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Images `[B, D]` for noise `[B, K]`."""
        return self.layers(z)


class Discriminator(nn.Module):
    """Gives one logit per image, `[B]`, for images `[B, D]`: an MLP with two hidden layers.

    Args:
        x_dim: number of pixels, D.
        hidden: width of the hidden layers.
        dropout: share of the hidden units that are switched off at random in training.
    """

    def __init__(self, x_dim: int = 784, hidden: int = 256, dropout: float = 0.3) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs in (x_dim, hidden):
            layers += [nn.Linear(inputs, hidden), nn.LeakyReLU(0.2), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden, 1), nn.Flatten(0))  # [B, D] -> [B, 1] -> [B]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `[B]` for images `[B, D]`; their sigmoid is the probability that an image is real."""
        return self.layers(x)


class PaperGenerator(nn.Module):
    """A generator small enough to compute by hand: G(z) = z + shift, numbers `[B]` to numbers `[B]`; the shift starts at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(0.0))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Fakes `[B]` for noise `[B]`."""
        return z + self.shift


class PaperDiscriminator(nn.Module):
    """A discriminator small enough to compute by hand: logit = slope · x, numbers `[B]` to logits `[B]`; the slope starts at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `[B]` for points `[B]`."""
        return self.slope * x


def make_optimizers(
    generator: nn.Module, discriminator: nn.Module, lr: float, generator_lr: float | None = None, plain: bool = False
) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """The two optimizers of a game, the generator's first.

    Args:
        generator: the module that the first one updates.
        discriminator: the module that the second one updates.
        lr: learning rate of both.
        generator_lr: another learning rate for the generator; 0 freezes it.
        plain: plain gradient descent instead of Adam, for computing by hand.
    """
    rates = (lr if generator_lr is None else generator_lr, lr)
    modules = (generator, discriminator)
    if plain:
        first, second = (torch.optim.SGD(m.parameters(), lr=rate) for m, rate in zip(modules, rates, strict=True))
    else:  # Adam with a short memory for the gradient, as usual for GANs (Radford and others 2016)
        first, second = (
            torch.optim.Adam(m.parameters(), lr=rate, betas=(0.5, 0.999))
            for m, rate in zip(modules, rates, strict=True)
        )
    return first, second


# %% [markdown]
# One round has two steps, each with fresh gradients, and always in this order:
#
# 1. **The discriminator's step.** Make fakes from `z`, compute `d_loss` = `discriminator_loss` of the logits on `x_real` and on the fakes, and let the
#    discriminator's optimizer take one step. The fakes are *data* here: this loss must not reach the generator, neither
#    its weights nor their gradients. (Otherwise the generator learns to be recognised as fake. Cut the graph with
#    `detach()`, or make the fakes without a graph.)
# 2. **The generator's step.** Compute the logits of the fakes of the same `z` again with the discriminator *as it is
#    now, after its step*, compute `g_loss` = `generator_loss_nonsaturating` of these logits, and let the generator's
#    optimizer take one step. The discriminator must not change in this step. Its parameters do accumulate gradients in
#    the backward pass, and these must be cleared before its next step.
#
# The function returns both losses, each as computed before its own step. It leaves the modules in the mode (training or evaluation) in which it got them.
#
# *Worked numbers.* `PaperGenerator` and `PaperDiscriminator` (shift 0, slope 0), plain gradient descent with learning rate 1, `x_real` = [1, 3], `z` =
# [−1, 1]. The fakes are [−1, 1], all logits are 0, so `d_loss` = 2 log 2 = **1.386294**. Its derivative by the slope is −½ · (1 + 3)/2 + ½ · (−1 + 1)/2 = −1, so the slope becomes
# 0 + 1 = **1**. Now the logits of the fakes are [−1, 1], and `g_loss` = (log(1 + e) + log(1 + 1/e))/2 = (1.313262 + 0.313262)/2 =
# **0.813262**. Its derivative by the shift is −(0.731059 + 0.268941)/2 = −½, so the shift becomes **0.5**: the fakes
# move towards the real points. (With the discriminator from before its step, g_loss would be log 2 and the shift would
# not change.)


# %% nbgrader={"grade": false, "grade_id": "gan_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gan_step(generator, discriminator, optimizers, x_real, z):
    """One round of the non-saturating game: a step of the discriminator, then a step of the generator.

    Goodfellow and others 2014, algorithm 1 with k = 1, and the generator's loss from the end of section 3. The fakes of
    both steps come from the same z; g_loss uses the discriminator after its step.

    Args:
        generator: a module, noise `[B', K]` -> samples `[B', D]`; changed in place.
        discriminator: a module, samples `[B, D]` -> logits `[B]`; changed in place.
        optimizers: (the generator's, the discriminator's), each with `zero_grad()` and `step()`.
        x_real: real samples, `[B, D]`.
        z: noise, `[B', K]`.

    Returns:
        `{"d_loss": ..., "g_loss": ...}`: plain numbers (or scalar tensors), each loss as it was before its step.
        Example: the paper networks with rate 1, x_real = [1, 3] and z = [-1, 1] give 1.386294 and 0.813262.
    """
    ### BEGIN SOLUTION
    generator_optimizer, discriminator_optimizer = optimizers
    fake = generator(z)
    d_loss = discriminator_loss(discriminator(x_real), discriminator(fake.detach()))
    discriminator_optimizer.zero_grad()
    d_loss.backward()
    discriminator_optimizer.step()

    g_loss = generator_loss_nonsaturating(discriminator(fake))
    generator_optimizer.zero_grad()
    g_loss.backward()
    generator_optimizer.step()
    return {"d_loss": d_loss.item(), "g_loss": g_loss.item()}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_gan_step", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false} seconds=30
x_real, z = torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 1.0])
g, d = student.PaperGenerator(), student.PaperDiscriminator()
optimizers = student.make_optimizers(g, d, 1.0, plain=True)
diary = []


def note(who):
    """A hook that an optimizer calls at the start of its step: records its name and the gradient of the shift."""

    def write(*_):
        diary.append((who, None if g.shift.grad is None else float(g.shift.grad)))

    return write


def losses_fit():
    """Do your two losses give their own worked numbers and derivatives? (If not, fix them first.)"""
    log3, log4 = math.log(3.0), math.log(4.0)
    points = [torch.tensor(each, requires_grad=True) for each in ([log3, 0.0], [0.0, -log4], [0.0, log3])]
    with contextlib.suppress(Exception):
        d_loss = student.discriminator_loss(points[0], points[1])
        g_loss = student.generator_loss_nonsaturating(points[2])
        slopes = torch.cat(torch.autograd.grad(d_loss + g_loss, points))
        right = torch.tensor([-0.125, -0.25, 0.25, 0.1, -0.25, -0.125])
        return near(d_loss, 0.948560) and near(g_loss, 0.490415) and near(slopes - right, 0.0)
    return False


optimizers[0].register_step_pre_hook(note("generator"))
optimizers[1].register_step_pre_hook(note("discriminator"))
one_round = modules_may_change()(student.gan_step)  # it may change the two networks, and no other argument
got = one_round(g, d, optimizers, x_real, z)
assert isinstance(got, dict) and set(got) >= {"d_loss", "g_loss"}, 'return {"d_loss": ..., "g_loss": ...}'
with part("the modules' mode", 0.5):
    assert g.training and d.training, "leave both modules in the mode in which you got them: no train(), no eval()"
movers = [who for who, _ in diary]
assert movers[:1] != ["generator"], (
    "first the discriminator's step, then the generator's; optimizers = (the generator's, the discriminator's)"
)
assert movers == ["discriminator", "generator"], "each optimizer takes exactly one step, the discriminator's first"
fits = losses_fit()
d_loss, g_loss = (torch.as_tensor(got[name]).detach().float() for name in ("d_loss", "g_loss"))
if fits:  # the numbers below need correct losses
    assert not near(d_loss, 0.813262), "d_loss and g_loss are swapped"
    assert close(d_loss, torch.tensor(1.386294), "the worked d_loss: as it was before the discriminator's step")
    assert close(
        d.slope.detach(), torch.tensor(1.0), "the slope after the round: one step down d_loss, none down g_loss"
    )
    assert not near(g_loss, 0.693147), "g_loss must use the discriminator after its step, not before"
    assert not near(g_loss, -0.813262), "this is the saturating loss: use generator_loss_nonsaturating"
    assert close(
        g_loss, torch.tensor(0.813262), "the worked g_loss: on fakes of the same z, before the generator's step"
    )
    assert close(g.shift.detach(), torch.tensor(0.5), "the shift after the round; the fakes must not be detached here")
before = None if g.shift.grad is None else float(g.shift.grad)
diary.clear()
one_round(g, d, optimizers, x_real, z)
reached = diary[0][1]
with part("no gradient for the generator in the first step", 0.5):
    assert reached is None or reached == 0 or reached == before, (
        "the discriminator's loss left a gradient in the generator: detach the fakes in the first step"
    )
if fits:
    assert close(d.slope.detach(), torch.tensor(0.686813), "the slope after a second round: are old gradients cleared?")
print("gan_step: all visible checks passed")
### BEGIN HIDDEN TESTS
draw = fresh(60)


def right_d(real, fake):
    """The discriminator's loss, written out once more."""
    return -(F.logsigmoid(real).mean() + F.logsigmoid(-fake).mean())


def right_g(fake):
    """The generator's loss, written out once more."""
    return -F.logsigmoid(fake).mean()


def networks(batch_norm):
    """The same two networks on both sides: (local generator, local discriminator, theirs, theirs)."""
    sizes = dict(z_dim=2, x_dim=3, hidden=5, batch_norm=batch_norm), dict(x_dim=3, hidden=4, dropout=0.0)
    local = Generator(**sizes[0]), Discriminator(**sizes[1])
    theirs = student.Generator(**sizes[0]), student.Discriminator(**sizes[1])
    for mine, other in zip(local, theirs, strict=True):
        with torch.no_grad():
            for weight in mine.parameters():
                weight.copy_(0.8 * torch.randn(weight.shape, generator=draw))
        other.load_state_dict(mine.state_dict())
    return *local, *theirs


def play(mine, batches, lr, plain):
    """The result of rounds: after each, the two losses and the weights of both."""
    generator, discriminator = (copy.deepcopy(module) for module in mine)
    first, second = make_optimizers(generator, discriminator, lr, plain=plain)
    rounds = []
    for x, noise in batches:
        d_loss = right_d(discriminator(x), discriminator(generator(noise).detach()))
        second.zero_grad()
        d_loss.backward()
        second.step()
        g_loss = right_g(discriminator(generator(noise)))
        first.zero_grad()
        g_loss.backward()
        first.step()
        weights = [[weight.detach().clone() for weight in m.parameters()] for m in (discriminator, generator)]
        rounds.append(([d_loss.item(), g_loss.item()], *weights))
    return rounds


def weights_of(module, names):
    """The parameters of a module on the student's side, in order."""
    state = dict(module.state_dict())
    return [state[name].detach().clone() for name in names]


def gradient_of(generator):
    """The gradient of a generator's first layer; None if there is none."""
    gradient = generator.layers[0].weight.grad
    return None if gradient is None else gradient.clone()


def agree(got, want, rtol=1e-4):
    """Are these numbers the same?"""
    try:
        return close(got, want, "", rtol=rtol, atol=rtol / 10)
    except AssertionError:
        return False


left_a_gradient = []


def rounds_with(batch_norm, plain, lr, sizes, learning=True, stale=False):
    """Runs some rounds with the student's code, if `stale` with old gradients; returns the results and the expected ones."""
    local_g, local_d, their_g, their_d = modules = networks(batch_norm)
    for module in modules:
        module.train(learning)
    optimizers = student.make_optimizers(their_g, their_d, lr, plain=plain)
    at_steps, happened = [], []
    names = [[name for name, _ in module.named_parameters()] for module in (local_d, local_g)]

    def watch(*_):
        """At the discriminator's step: has its loss left a gradient in the generator?"""
        at_steps.append([gradient_of(their_g), weights_of(their_g, names[1])])

    optimizers[1].register_step_pre_hook(watch)
    if stale:
        theirs = their_d(their_g(torch.randn(4, 2, generator=draw)))
        theirs.sum().backward()
    batches = [
        (
            torch.rand(B, 3, generator=draw),
            torch.randn(other, 2, generator=draw),
        )
        for B, other in sizes
    ]
    for x, noise in batches:
        start = gradient_of(their_g), weights_of(their_g, names[1])
        at_steps.clear()
        their_g.train(learning), their_d.train(learning)  # a round that changes the mode loses points elsewhere
        got = one_round(their_g, their_d, optimizers, x, noise)
        assert len(at_steps) == 1, "the discriminator's optimizer takes one step in each round"
        (grad, weights), (old_grad, old_weights) = at_steps[0], start
        assert agree(weights, old_weights), "the generator changed before the discriminator's step"
        clean = grad is None or not bool(grad.any()) or (old_grad is not None and torch.equal(grad, old_grad))
        left_a_gradient.append(not clean)
        numbers = [float(torch.as_tensor(got[name]).detach()) for name in ("d_loss", "g_loss")]
        happened.append((numbers, weights_of(their_d, names[0]), weights_of(their_g, names[1])))
    return happened, play((local_g, local_d), batches, lr, plain)


with part("the discriminator's step", 1.75):
    for batch_norm, sizes in [(False, (6, 6)), (True, (4, 7)), (False, (1, 1))]:
        happened, wanted = rounds_with(batch_norm, True, 0.3, [sizes])
        assert agree(happened[0][0][0], wanted[0][0][0]), (
            "d_loss: mean over the real batch plus mean over the fakes of z, before the step"
        )
        assert agree(happened[0][1], wanted[0][1]), (
            "the discriminator after the round: one step down d_loss, and none that the generator's loss asks for"
        )
with part("the generator's step", 2.75):
    for batch_norm, sizes in [(False, (6, 6)), (True, (4, 7)), (False, (1, 1))]:
        happened, wanted = rounds_with(batch_norm, True, 0.3, [sizes])
        assert agree(happened[0][0][1], wanted[0][0][1]), (
            "g_loss: non-saturating, on the fakes of the same z, with the discriminator after its step"
        )
        assert agree(happened[0][2], wanted[0][2]), "the generator after the round: one step down g_loss"
with part("round after round", 1):
    # Adam without batch norm: it would blow up the rounding errors of biases that batch norm cancels
    for batch_norm, plain, lr in [(True, True, 0.2), (False, True, 0.2), (False, False, 0.01)]:
        happened, wanted = rounds_with(batch_norm, plain, lr, [(5, 5), (8, 5), (5, 8), (6, 6)])
        assert agree(happened[:1], wanted[:1], rtol=1e-3), "several rounds in a row: already the first one is wrong"
        assert agree(happened, wanted, rtol=1e-3), (
            "the first round is right, a later one is wrong: clear the gradients before each step, in both networks"
        )
    happened, wanted = rounds_with(False, True, 0.2, [(5, 5)], stale=True)
    assert agree(happened, wanted, rtol=1e-3), (
        "with gradients left over from before the round it is wrong: clear them before each step, in both networks"
    )
with part("in evaluation mode", 0.25):
    happened, wanted = rounds_with(True, True, 0.2, [(5, 5), (8, 5)], learning=False)
    assert agree(happened, wanted, rtol=1e-3), (
        "modules that come in evaluation mode: the round gives other numbers, so it changes their mode: no train(), no eval()"
    )
with part("no gradient for the generator in any first step", 0.25):
    assert not any(left_a_gradient), (
        "the discriminator's loss leaves a gradient in the generator: detach the fakes there"
    )
### END HIDDEN TESTS

# %% [markdown]
# ### The gradients when the discriminator has a head start
#
# Back to the two generator losses, now in a real network. We let the discriminator play some rounds of your `gan_step`
# against a generator that is frozen (its learning rate is 0), and then compute the norm of the gradient of each loss by
# *all weights of the generator*.
#
# **Predict, then run.** How does each gradient change when the discriminator is trained better? Does a better discriminator teach better?


# %%
HEAD_STARTS = run.size(full=(1, 3, 10, 30, 100, 300), mini=(1, 3, 10, 30, 100, 300), grade=(1, 2))
HIDDEN, Z_DIM = run.size(full=256, mini=256, grade=16), 64
BATCH, LEARNING_RATE = run.size(full=64, mini=64, grade=8), 1e-3


def new_game(
    seed: int, *, batch_norm: bool = True, dark: bool = True, generator_lr: float | None = None
) -> tuple[Generator, Discriminator, tuple[torch.optim.Optimizer, torch.optim.Optimizer]]:
    """Seeds everything and makes two fresh networks with their optimizers."""
    homework.seed_everything(seed)
    generator = Generator(Z_DIM, hidden=HIDDEN, batch_norm=batch_norm, dark=dark).to(run.device)
    discriminator = Discriminator(hidden=HIDDEN).to(run.device)
    return generator, discriminator, make_optimizers(generator, discriminator, LEARNING_RATE, generator_lr)


def draw_batch() -> tuple[torch.Tensor, torch.Tensor]:
    """A batch of training images `[B, D]` and noise `[B, K]`."""
    rows = torch.randint(len(train_pixels), (BATCH,), device=run.device)
    return train_pixels[rows], torch.randn(BATCH, Z_DIM, device=run.device)


def gradient_length(
    loss_of: Callable[[torch.Tensor], torch.Tensor], generator: nn.Module, discriminator: nn.Module, z: torch.Tensor
) -> float:
    """The norm of the gradient of a generator's loss by all weights of the generator."""
    gradients = torch.autograd.grad(loss_of(discriminator(generator(z))), list(generator.parameters()))
    return math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))


# %% tags=["train"]
frozen, detective, frozen_optimizers = new_game(seed=0, dark=False, generator_lr=0.0)
probe = torch.randn(256, Z_DIM, device=run.device)
fooled, lengths = [], {"minimax": [], "non-saturating": []}
for played in range(max(HEAD_STARTS) + 1):
    if played in HEAD_STARTS:
        detective.eval()  # no dropout while we measure
        fooled.append(float(torch.sigmoid(detective(frozen(probe)).detach()).mean()))
        lengths["minimax"].append(gradient_length(generator_loss_minimax, frozen, detective, probe))
        lengths["non-saturating"].append(gradient_length(generator_loss_nonsaturating, frozen, detective, probe))
        detective.train()
    gan_step(frozen, detective, frozen_optimizers, *draw_batch())

# %% tags=["experiment"]
print("rounds of head start       ", "".join(f"{start:>10d}" for start in HEAD_STARTS))
print("mean D(G(z))               ", "".join(f"{value:>10.1e}" for value in fooled))
plots.curves(
    {name: (HEAD_STARTS, values) for name, values in lengths.items()},
    title="The better the discriminator, the smaller the gradient of the minimax loss",
    xlabel="rounds that the discriminator played before",
    ylabel="norm of the gradient by the weights",
    logx=True,
    logy=True,
)

# %% [markdown]
# In theory the discriminator should be trained to the end before each step of the generator. In practice the minimax
# gradient then vanishes. The non-saturating loss keeps its gradient, but the norm alone is not enough: when the two
# distributions do not overlap, the direction of that gradient is nearly arbitrary.

# %% [markdown]
# ### The whole game on a line
#
# Before the images, 1,000 rounds on the two bumps of section 1, with small networks. Here we can see both densities.
#
# **Predict, then run.** Which bump will the generator learn first? When everything is learnt, what values will the two losses have?

# %% tags=["train"]
TOY_STEPS = run.size(full=1000, mini=1000, grade=6)
TOY_NOISE = 4  # random numbers for one point
TOY_STAGES = run.size(full=(50, 1000), mini=(50, 1000), grade=(2, 6))
homework.seed_everything(0)
toy_networks = [
    nn.Sequential(nn.Linear(inputs, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    for inputs in (TOY_NOISE, 1)
]
toy_networks[1].append(nn.Flatten(0))  # the discriminator gives logits [B]
toy_optimizers = make_optimizers(*toy_networks, lr=1e-3)
toy_points, toy_losses = {}, []
for played in range(1, TOY_STEPS + 1):
    toy_losses.append(gan_step(*toy_networks, toy_optimizers, draw_real(128), torch.randn(128, TOY_NOISE)))
    if played in TOY_STAGES:
        with torch.no_grad():
            toy_points[played] = toy_networks[0](torch.randn(20_000, TOY_NOISE))[:, 0]

# %% tags=["experiment"]
TOY_BINS = 40
toy_middles = torch.linspace(-REACH, REACH, 2 * TOY_BINS + 1)[1::2]
toy_share_left = {played: float((points < 0).float().mean()) for played, points in toy_points.items()}
toy_last = {name: sum(each[name] for each in toy_losses[-100:]) / len(toy_losses[-100:]) for name in toy_losses[0]}
print("share of the fakes left of 0: " + ", ".join(f"{s:.0%} after {n} rounds" for n, s in toy_share_left.items()))
print(
    f"mean losses of the last rounds: d_loss {toy_last['d_loss']:.3f} (2 log 2 = {2 * math.log(2):.3f}), "
    f"g_loss {toy_last['g_loss']:.3f} (log 2 = {math.log(2):.3f})"
)
plots.curves(
    {
        "real": (toy_middles, real_density(toy_middles)),
        **{
            f"fakes after {played} rounds": (
                toy_middles,
                torch.histc(points, TOY_BINS, -REACH, REACH) / len(points) / (2 * REACH / TOY_BINS),
            )
            for played, points in toy_points.items()
        },
    },
    title="First one bump, then both",
    xlabel="x",
    ylabel="density",
)

# %% [markdown]
# After 50 rounds most fakes are at one bump: there the output of the discriminator, still a weak one, was highest. Then the discriminator
# learns that points there are mostly fake, and half of the fakes move to the other bump. (Their shape within a bump is
# not right, and does not converge: when all fakes move together the discriminator follows, and they move again.) In the
# end the losses are near $2 \log 2$ and $\log 2$, the values of a discriminator that always says ½. **Here success
# means that the losses stay constant**, but the losses also stay constant when both networks are equally bad: the
# losses of a GAN tell which network is winning, not how good the samples are. So we need another measure.

# %% [markdown]
# ## 6. A judge, and the training
#
# ### The judge
#
# `homework.models.judge` trains a small classifier on the real training images. It has eleven answers: ten digits, and
# "no digit", for which it was trained on noise, blots and torn digits. So a low confidence in all ten digits means that
# the image is probably no digit. A sample counts as **recognised** if one digit gets a probability of at least 0.8, and
# a class counts as recognised if at least
# 1 % of all samples are recognised as it. Two numbers measure diversity: the *effective number of classes* (exp of the entropy of the class histogram: 10 if all are equally frequent, 1 if there is one class
# only), and the mean *distance of two samples of the same class*, which is 0 when they are all the same.

# %% tags=["train"]
judge = train_judge(digits, steps=run.size(full=2000, mini=600, grade=4), device=run.device)
real_verdict = judge_samples(judge, digits.test_images)
judge_accuracy = float((real_verdict.labels == digits.test_labels).float().mean())
noise_verdict = judge_samples(judge, torch.rand(1000, 784, generator=torch.Generator().manual_seed(2)))

# %% tags=["experiment"]
print(f"the judge reads {judge_accuracy:.1%} of the test images correctly")
print(
    f"mean confidence: {real_verdict.mean_confidence:.2f} on test images, {noise_verdict.mean_confidence:.2f} on noise"
)
print(f"test images it recognises (confidence of at least {CONFIDENT:g}): {real_verdict.recognised:.0%}")
print(f"distance of two test images of the same class: {real_verdict.distance_within:.2f}")

# %% [markdown]
# ### The training
#
# Adam with learning rate 0.001, batches of `B` = 64, `K` = 64 random numbers per image. Each round is one call of your `gan_step`. During training we record a film of 20 samples, always from
# the same 20 `z`, and at regular intervals the judge classifies 1,000 samples.
#
# **While you wait.** You see a progress bar. If the session is interrupted, run the cells again: training continues from the last checkpoint.

# %%
STEPS = run.size(full=12_000, mini=3_000, grade=6)
SHORT = run.size(full=1_200, mini=600, grade=4)  # rounds of the three games of section 8
EVERY = run.size(full=200, mini=100, grade=2)  # rounds between two evaluations by the judge
FILM = run.size(full=(0, 50, 150, 400, 1_200, 4_000), mini=(0, 25, 75, 200, 600, 1_500), grade=(0, 2, 4))
SAMPLES = run.size(full=1000, mini=1000, grade=50)

film_z = torch.randn(20, Z_DIM, generator=torch.Generator().manual_seed(5))
judged_z = torch.randn(SAMPLES, Z_DIM, generator=torch.Generator().manual_seed(6))


class Game(NamedTuple):
    """The result of one training run."""

    generator: Generator
    """The trained generator."""
    losses: dict[str, list[float]]
    """`d_loss` and `g_loss` of each round."""
    looks: dict[str, list[float]]
    """The judge's measures; `at` has the rounds."""
    film: torch.Tensor
    """Samples from `film_z` before the rounds of `FILM` and after the last one: `[frames, 20, D]`."""


@torch.no_grad()
def draw_samples(generator: Generator, z: torch.Tensor) -> torch.Tensor:
    """Images `[B, D]` on the CPU for noise `[B, K]`, from the generator in evaluation mode."""
    generator.eval()
    images = generator(z.to(run.device)).cpu()
    generator.train()
    return images


def train_gan(name: str, seed: int, steps: int, batch_norm: bool = True, dark: bool = True) -> Game:
    """Plays some rounds of `gan_step` between two fresh networks, and records a film and the judge's measures."""
    generator, discriminator, optimizers = new_game(seed, batch_norm=batch_norm, dark=dark)
    film = torch.zeros(len(FILM), len(film_z), 784)
    loop = training.Loop(
        run,
        name,
        steps=steps,
        modules={
            "generator": generator,
            "discriminator": discriminator,
            "generator's optimizer": optimizers[0],
            "discriminator's optimizer": optimizers[1],
            "film": film,
        },
        code=[gan_step, discriminator_loss, generator_loss_nonsaturating, train_gan, BATCH],
        seed=seed,
    )
    for step in loop:
        if step in FILM:
            film[FILM.index(step)] = draw_samples(generator, film_z)
        loop.record(**gan_step(generator, discriminator, optimizers, *draw_batch()))
        if (step + 1) % EVERY == 0:
            seen = judge_samples(judge, draw_samples(generator, judged_z))
            loop.record(
                classes=seen.classes_recognised,
                recognised=seen.recognised,
                effective=seen.effective_classes,
                within=seen.distance_within,
                distance=seen.distance,
            )
    history = loop.history
    looks = {key: history[key] for key in ("classes", "recognised", "effective", "within", "distance")}
    looks["at"] = [step + 1 for step in loop.recorded_at["classes"]]
    shown = [film[index] for index, step in enumerate(FILM) if step < steps]
    shown.append(draw_samples(generator, film_z))
    return Game(generator, {key: history[key] for key in ("d_loss", "g_loss")}, looks, torch.stack(shown))


# %% [markdown]
# **Predict, then run.** The digits of the film always come from the same `z`. Does a sample, once it is a 3, stay a 3? Which appears first, strokes or a recognisable class? And do the losses fall?

# %% tags=["train"]
game = train_gan("gan", seed=0, steps=STEPS)

# %% tags=["experiment"]
plots.curves(
    game.losses,
    title="The losses tell which network is winning, not how good the samples are",
    xlabel="round",
    ylabel="loss in nats",
    smooth=run.size(full=200, mini=50, grade=0),
    levels={"2 log 2: D says ½ to all": 2 * math.log(2), "log 2": math.log(2)},
)

# %% tags=["experiment"]
plots.image_grid(
    game.film.flatten(0, 1),
    rows=len(game.film),
    columns=len(film_z),
    title="The film: 20 samples, always from the same z",
    ylabel="rounds played",
    row_labels=[f"{step:,}" for step in (*FILM, STEPS)],
)

# %% tags=["experiment"]
plots.curves(
    {
        "classes recognised": (game.looks["at"], game.looks["classes"]),
        "effective number of classes": (game.looks["at"], game.looks["effective"]),
    },
    title="The judge's measures on 1,000 samples during training: diversity",
    xlabel="round",
    ylabel="classes of 10",
    levels={"all 10": 10.0},
)

# %% tags=["experiment"]
plots.curves(
    {
        "share of the samples recognised": (game.looks["at"], game.looks["recognised"]),
    },
    title="The judge's measures on 1,000 samples during training: quality",
    xlabel="round",
    ylabel="share",
    levels={"real test images": real_verdict.recognised},
)

# %% [markdown]
# In the second half of training the losses hardly move, apart from short spikes where one network is suddenly ahead, while by the judge's measures the samples still become better and more diverse. In the film, a blot comes first, then strokes, then digits. A sample's class may change late (look at the columns from round 600 on), since nothing assigns a fixed class to a $z$.

# %% [markdown]
# ## 7. (c) Two hundred digits (3 points)
#
# **Your task.** Draw 200 noise vectors from N(0, I), `z` of shape `[200, K]` (`K` is `Z_DIM` in the code), and show the generator's images as a grid of 10 rows and 20 columns, with a title that says what it shows. Use the trained generator, `game.generator`, and
# `draw_samples(generator, z)`, which puts it into evaluation mode: then batch normalisation uses the averages of
# training, and a sample does not depend on its neighbours. Draw once, and do not choose the best picture of several.
# Leave the picture in the notebook: it is graded by hand.

# %% nbgrader={"grade": true, "grade_id": "figure_samples", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false} tags=["experiment"]
# `plots.image_grid(images, rows=..., columns=..., title=...)` takes images [N, 784] with values in [0, 1].
### BEGIN SOLUTION
grid_z = torch.randn(200, Z_DIM, generator=torch.Generator().manual_seed(3))
plots.image_grid(
    draw_samples(game.generator, grid_z),
    rows=10,
    columns=20,
    title=f"200 digits drawn by the generator ({digits.name}, {STEPS:,} rounds)",
)
### END SOLUTION
### BEGIN MARK SCHEME
# * 1 point: 200 images in 10 rows and 20 columns, with a title that says what is shown
# * 1 point: drawn from noise z ~ N(0, I) by the trained generator (not training images, not one z repeated, not the film's 20 again and again)
# * 1 point: most images look like strokes of handwriting and at least six different digits can be recognised (a mini run may be ragged)
### END MARK SCHEME

# %% [markdown]
# ### The judge's results
#
# **Predict, then run.** Of 1,000 samples, how many will the judge recognise? Which digits will be rare? And are the samples copies of training images? (For each of 20 samples we look up the nearest training image.)

# %% tags=["experiment"]
final_samples = draw_samples(game.generator, judged_z)
final = judge_samples(judge, final_samples)
print(f"recognised: {final.recognised:.0%} of the samples, {real_verdict.recognised:.0%} of the test images")
print(f"classes recognised (at least {SHARE:.0%} of all samples): {final.classes_recognised} of 10")
print(f"effective number of classes: {final.effective_classes:.1f} of 10")
print(
    f"distance of two of the same class: {final.distance_within:.2f}; test images: {real_verdict.distance_within:.2f}"
)
plots.bars(
    {str(digit): float(count) for digit, count in enumerate(final.histogram)},
    title=f"The digits on {SAMPLES:,} samples, according to the judge",
    xlabel="digit",
    ylabel="samples recognised as it",
)

# %% tags=["experiment"]
known = digits.train_images[:10_000].reshape(-1, 784)
nearest = torch.cdist(final_samples, known).min(dim=1)
nearest_of_tests = torch.cdist(digits.test_images[:1000].reshape(-1, 784), known).min(dim=1).values
sample_distance, test_distance = float(nearest.values.mean()), float(nearest_of_tests.mean())
print(f"distance to the nearest training image: {sample_distance:.2f} for samples, {test_distance:.2f} for test images")
plots.image_grid(
    torch.cat([final_samples[:20], known[nearest.indices[:20]]]),
    rows=2,
    columns=20,
    title="Samples, and the nearest training image of each",
    row_labels=["sample", "nearest"],
)

# %% [markdown]
# **Headline: what to expect** (1,000 samples; measured on a CPU; mean ± standard error over 4 seeds in `mini`, one seed in `full`).
#
# | profile | classes recognised | recognised | effective classes | distance within a class |
# |---|---|---|---|---|
# | `mini`, embedded digits, 3,000 rounds | 10 of 10, each seed | 59 ± 1 % | 9.6 ± 0.1 | 6.4 ± 0.1 |
# | real test images, `mini` | 10 of 10 | 89 % | 9.9 | 6.8 |
# | `full`, MNIST, 12,000 rounds | 10 of 10 | 64 % | 9.7 | 8.7 |
# | real test images, `full` | 10 of 10 | 95 % | 10.0 | |
#
# The judge recognises about six samples in ten as a digit; the others are ragged or lie between two digits. All ten classes occur, but not equally often. And the samples are not copies: in `mini` they are farther from their nearest training image
# than test images do, 4.5 against 3.5.

# %% [markdown]
# ## 8. Two ways to fail
#
# ### Mode collapse, and a vanishing gradient
#
# Three short games from the same seed. All three begin with *grey* pictures instead of dark ones (`dark=False`: the usual initialisation), which a discriminator recognises as fake at once.
#
# * **the usual game**, otherwise as in section 6;
# * **without batch normalisation** in the generator;
# * **with the minimax loss**: for these rounds the *name* `generator_loss_nonsaturating` refers to your `generator_loss_minimax`. (This works if your `gan_step` calls `generator_loss_nonsaturating`. If you wrote the loss out
#   there instead, the third game will look like the first.)
#
# **Predict, then run.** In *mode collapse* the generator maps all $z$ to few kinds of samples. Nothing in its loss
# prevents this: the discriminator sees one image at a time, so a single picture, drawn again and again, has a low loss
# as long as it fools the discriminator. Which measure will show it at once: the share recognised, the number of
# classes, or the mean distance of two samples?


# %%
@contextlib.contextmanager
def minimax_instead() -> Iterator[None]:
    """Within the block, the notebook's name `generator_loss_nonsaturating` refers to the minimax loss."""
    global generator_loss_nonsaturating
    usual, generator_loss_nonsaturating = generator_loss_nonsaturating, generator_loss_minimax
    try:
        yield
    finally:
        generator_loss_nonsaturating = usual


# %% tags=["train"]
usual_game = train_gan("usual", seed=0, steps=SHORT, dark=False)
plain_game = train_gan("no-batch-norm", seed=0, steps=SHORT, dark=False, batch_norm=False)
with minimax_instead():
    minimax_game = train_gan("minimax", seed=0, steps=SHORT, dark=False)

# %% tags=["experiment"]
compared = {
    "the usual game": usual_game.looks,
    "without batch norm": plain_game.looks,
    "minimax loss": minimax_game.looks,
}
print(f"after {SHORT:,} rounds     recognised   classes   effective classes   distance of two samples")
for name, looks in compared.items():
    print(
        f"{name:22s} {looks['recognised'][-1]:11.0%} {looks['classes'][-1]:9.0f} {looks['effective'][-1]:19.1f}"
        f" {looks['distance'][-1]:25.2f}"
    )
print(
    f"{'real test images':22s} {real_verdict.recognised:11.0%} {real_verdict.classes_recognised:9d}"
    f" {real_verdict.effective_classes:19.1f} {real_verdict.distance:25.2f}"
)
plots.curves(
    {name: (looks["at"], looks["distance"]) for name, looks in compared.items()},
    title="Collapse: do the samples differ at all?",
    xlabel="round",
    ylabel="mean distance of two samples",
    levels={"real test images": real_verdict.distance},
)

# %% tags=["experiment"]
plots.curves(
    {name: (looks["at"], looks["effective"]) for name, looks in compared.items()},
    title="Coverage: the effective number of classes among recognised samples",
    xlabel="round",
    ylabel="classes (0 if no sample is recognised)",
    levels={"all 10": 10.0},
)

# %% tags=["experiment"]
plots.image_grid(
    torch.cat([usual_game.film[-1], plain_game.film[-1], minimax_game.film[-1]]),
    rows=3,
    columns=len(film_z),
    title=f"After {SHORT:,} rounds, from the same 20 z",
    row_labels=["usual", "no batch norm", "minimax"],
)

# %% tags=["experiment"]
plots.image_grid(
    plain_game.film.flatten(0, 1),
    rows=len(plain_game.film),
    columns=len(film_z),
    title="The film of the game without batch normalisation: one picture for all z",
    ylabel="rounds played",
    row_labels=[f"{step:,}" for step in (*(step for step in FILM if step < SHORT), SHORT)],
)

# %% [markdown]
# **Collapse.** Without batch normalisation the generator draws one picture for all $z$: the distance of two samples is
# less than a tenth of that of real images. From row to row of its film this one picture changes: as soon as the
# discriminator has learnt to reject it, all samples change together. Batch normalisation works against this, since it
# makes the hidden units of a batch differ by construction. Only the distance shows it early: after 300 rounds no sample
# of the usual game is recognised either. And the share recognised alone can mislead: one good 8, drawn 1,000 times, is
# recognised 1,000 times.
#
# (These are the numbers of `mini`. On MNIST, after 1,200 rounds, the generator without batch normalisation draws different blots, but only two classes are recognised, against nine.)
#
# **Vanishing gradient.** With the minimax loss nothing is recognised for most of these rounds. The pictures do differ
# (see the distance), but at first they are noise: the discriminator rejects them with certainty, so the generator gets
# almost no gradient. It learns at all only because of Adam, which divides each gradient by its recent size and so makes
# steps of normal length from tiny gradients. Started from dark pictures, where the discriminator becomes sure later,
# the minimax game does nearly as well as the usual one; try it.
#
# **Where the method fails.** No single number shows how far training has come, and there is no guarantee that it converges: the two networks may oscillate, and with a learning rate of 0.002 our game once broke down after it had been good. The judge knows ten digits and nothing else; it was trained on the same
# images as the GAN, and a sample that it recognises can still be ugly. Nor can a GAN tell how likely it thinks an image is, as a VAE can (as a bound). In exchange its samples are sharp: the discriminator would recognise a grey average of several digits, as a VAE gives, at once.

# %% [markdown]
# ## 9. Questions
#
# ### (a) The gradient that vanishes (4 points)
#
# Write $a$ for the logit of a fake, so $D(G(z)) = \sigma(a)$. (i) Derive the derivatives of $\log(1 - \sigma(a))$ and
# of $-\log \sigma(a)$ by $a$. (ii) What happens to each when the discriminator is sure that the sample is fake, and why
# is that a problem exactly when the generator most needs to learn? Refer to two of your figures. (iii) Both losses fall
# as $D(G(z))$ rises, so they agree on the direction for a single sample. What does the non-saturating loss change for a
# *batch* in which some fakes are better than others? About 150 words and the formulas.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_vanishing", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# (i) σ'(a) = σ(a)(1 − σ(a)). So d/da log(1 − σ(a)) = −σ(a)(1 − σ(a))/(1 − σ(a)) = −σ(a) = −D, and d/da (−log σ(a)) = −(1 − σ(a)) = −(1 − D).
#
# (ii) If the discriminator is sure, D → 0: the minimax derivative −D goes to 0, the non-saturating one to −1. By the chain rule every weight's gradient contains this
# factor, so with the minimax loss the generator does not change. That is the situation at the start of training, when
# fakes are easily distinguished from real images, and whenever the discriminator gets ahead: the worse the fakes, the
# less they are corrected, and the discriminator only becomes surer. The figure of the derivative against D(G(z)) shows
# the factor (999 at D = 0.001), the head-start figure shows it in the weights: the minimax gradient vanishes as the
# discriminator is trained, the other one does not. The flat ends of V(G, D*) at shifts beyond 6 show the same in
# theory.
#
# (iii) It re-weights the samples. The minimax loss weighs the gradient of each fake by D: those that already fool the discriminator count most, hopeless ones hardly. The non-saturating loss weighs
# it by 1 − D: the bad ones count most. So the direction of a batch's gradient differs, not only its length. (The fixed point, D = ½ everywhere, is the same; the non-saturating game is no longer zero-sum and does not minimise the Jensen-Shannon divergence.)
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: both derivatives, −D and −(1 − D), with the step that leads to them
# * 1 point: for D → 0 the minimax derivative vanishes and the other has size 1; chain rule: it is a factor of every weight's gradient
# * 1 point: a problem at the start and whenever the discriminator is ahead (least correction where fakes are worst); refers to two own figures
# * 1 point: the losses weigh the samples of a batch differently (by D against by 1 − D), so also the direction changes, or: no longer the minimax game / another objective
# ### END MARK SCHEME

# %% [markdown]
# ### (b) The best discriminator, and what the game measures (3 points)
#
# For a fixed generator with density $p_\text{model}$, show that $V(G, D) = \mathbb E_{p_\text{data}}[\log D(x)] + \mathbb E_{p_\text{model}}[\log(1 - D(x))]$ is largest for
# $D^* = p_\text{data} / (p_\text{data} + p_\text{model})$ (also show that it is a maximum), and that then $V(G, D^*) = -\log 4 + 2\,\mathrm{JSD}(p_\text{data}, p_\text{model})$. What follows for the best generator?

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_optimum", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Write p for p_data and q for p_model. V is one integral, V = ∫ [p(x) log D(x) + q(x) log(1 − D(x))] dx, and D(x) may be chosen for each x by itself. So maximise f(y) = p log y + q log(1 − y) over y in (0, 1) for fixed p, q ≥ 0 (not both 0). f'(y) = p/y − q/(1 − y) = 0 gives
# p(1 − y) = q y, so y = p/(p + q). f''(y) = −p/y² − q/(1 − y)² < 0: f is strictly concave, the point is the only maximum. (If p = 0 or q = 0 the supremum is at y = 0 or 1, the same formula.)
#
# Substitute it, with m = (p + q)/2: D* = p/(2m) and 1 − D* = q/(2m), so V(G, D*) = E_p[log p/(2m)] + E_q[log q/(2m)] = −log 2 + KL(p ‖ m) − log 2 + KL(q ‖ m) = −log 4 + 2 JSD(p, q).
#
# JSD is a mean of two KL divergences, so it is never negative, and it is 0 only if p = m = q. Hence the smallest value of max_D V is −log 4, reached exactly when p_model = p_data; then D* = ½ everywhere.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: pointwise maximisation of p log y + q log(1 − y), with the derivative set to 0, giving D*, and a reason why it is a maximum (second derivative or concavity)
# * 1 point: D* substituted, the factor ½ of the mixture taken out as −log 2 twice, the two KL terms recognised as 2 JSD
# * 1 point: JSD ≥ 0 with equality only for equal distributions; so the best generator has p_model = p_data, value −log 4, D* = ½
# ### END MARK SCHEME

# %% [markdown]
# (Question (c) is the picture of section 7.)
#
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

    def loss_and_gradients(loss_of, *logits):
        """The loss, and its gradient by each of the logits."""
        logits = [each.requires_grad_() for each in logits]
        loss = loss_of(*logits)
        loss.backward()
        return {"loss": loss, "gradients": [each.grad for each in logits]}

    def ask_discriminator_loss():
        d = draws("discriminator_loss")
        return loss_and_gradients(student.discriminator_loss, 2 * d.normal(5), 2 * d.normal(3))

    def ask_generator_loss_minimax():
        d = draws("generator_loss_minimax")
        return loss_and_gradients(student.generator_loss_minimax, 2 * d.normal(5))

    def ask_generator_loss_nonsaturating():
        d = draws("generator_loss_nonsaturating")
        return loss_and_gradients(student.generator_loss_nonsaturating, 2 * d.normal(5))

    def ask_optimal_discriminator():
        d = draws("optimal_discriminator")
        real, fake = d.uniform(0.1, 2.0, 6), d.uniform(0.1, 2.0, 6)
        none = torch.zeros(1)
        return student.optimal_discriminator(torch.cat([real, none, none]), torch.cat([fake, fake[:1], none]))

    def ask_gan_step():
        d = draws("gan_step")
        generator = student.Generator(z_dim=2, x_dim=3, hidden=4, batch_norm=False)
        discriminator = student.Discriminator(x_dim=3, hidden=4, dropout=0.0)
        for module in (generator, discriminator):
            module.load_state_dict({name: d.normal(*w.shape) for name, w in dict(module.state_dict()).items()})
        optimizers = student.make_optimizers(generator, discriminator, 0.2, plain=True)
        rounds = []
        for _ in range(2):
            got = student.gan_step(generator, discriminator, optimizers, d.uniform(0.0, 1.0, 6, 3), d.normal(5, 2))
            rounds.append({name: torch.as_tensor(got[name]).detach() for name in ("d_loss", "g_loss")})
        states = [dict(module.state_dict()) for module in (generator, discriminator)]
        return {
            "rounds": rounds,
            "generator": states[0]["layers.0.weight"],
            "discriminator": states[1]["layers.0.weight"],
        }

    return {
        "discriminator_loss": ask_discriminator_loss,
        "generator_loss_minimax": ask_generator_loss_minimax,
        "generator_loss_nonsaturating": ask_generator_loss_nonsaturating,
        "optimal_discriminator": ask_optimal_discriminator,
        "gan_step": ask_gan_step,
    }


# %% tags=["log"]
log = SubmissionLog(run)
log.bands(  # the expected range of each number, from our own runs
    {
        "gan/classes_recognised": {"full": (8, 10), "mini": (8, 10)},
        "gan/effective_classes": {"full": (7.5, 10), "mini": (7.5, 10)},
        "gan/recognised": {"full": (0.5, 0.95), "mini": (0.45, 0.89)},
        "gan/short/the_usual_game/effective_classes": {"full": (0, 10), "mini": (2, 10)},
        "gan/short/*": {"full": (0, 10), "mini": (0, 10)},
    }
)
log.answers(personal_answers)
with log.measurements():
    evidence = {
        "steps": STEPS,
        "samples": SAMPLES,
        "histogram": final.histogram.tolist(),
        "judge_accuracy": judge_accuracy,
    }
    log.metric("gan/classes_recognised", value=final.classes_recognised, evidence=evidence)
    log.metric("gan/effective_classes", value=final.effective_classes, evidence=evidence)
    log.metric("gan/recognised", value=final.recognised, evidence=evidence)
    for name, looks in compared.items():
        key = name.replace(" ", "_")
        log.metric(f"gan/short/{key}/effective_classes", value=looks["effective"][-1], evidence=looks)
log.process(**process)
log_file = log.write()

# %% [markdown]
# ## References
#
# * I. Goodfellow and others: *Generative Adversarial Nets*. NeurIPS 2014. arXiv:1406.2661. The game, its optimum, and the non-saturating loss.
# * A. Radford, L. Metz, S. Chintala: *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
#   Networks*. ICLR 2016. arXiv:1511.06434. Batch normalisation, and Adam with a short memory.
# * T. Salimans and others: *Improved Techniques for Training GANs*. NeurIPS 2016. arXiv:1606.03498. Judging samples by a
#   classifier; remedies for mode collapse.
# * M. Arjovsky, L. Bottou: *Towards Principled Methods for Training Generative Adversarial Networks*. ICLR 2017.
#   arXiv:1701.04862. Why a better discriminator gives a worse gradient.
# * L. Mescheder, A. Geiger, S. Nowozin: *Which Training Methods for GANs do actually Converge?* ICML 2018. arXiv:1801.04406.
# * Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: *Gradient-Based Learning Applied to Document Recognition*. Proceedings of the
#   IEEE, 1998. MNIST.
