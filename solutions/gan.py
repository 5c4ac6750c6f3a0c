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
# The goal is a picture of 200 handwritten digits that nobody wrote (section 8), drawn by a network that never sees a real digit. It only learns how well it fools another network. You write all that makes the game work, from the losses to the whole training, and you watch it fail in its two classic ways.
#
# **What you will learn**
#
# * how a classifier measures the distance of two distributions, and which distance that is;
# * why the loss of the theory is not used in practice, and which loss is used instead;
# * how to train two networks against each other without mixing up their gradients;
# * how an average of the weights makes the samples steadier;
# * how to judge samples when there is no likelihood: quality, diversity, mode collapse.
#
# **What you need**: probability densities, the chain rule, and a little PyTorch.
#
# | | profile `full` | profile `mini` |
# |---|---|---|
# | data | MNIST, 60,000 training images | embedded digits, about 1,500 training images |
# | training | one GAN of 12,000 rounds, three of 3,000 | one GAN of 3,000 rounds, three of 1,500 |
# | hardware | a GPU, for instance on Colab | any laptop, no network |
# | time to run | five to ten minutes, on a CPU too | about two minutes |
#
# Plan three to four hours. The profile is chosen for you (`full` where there is a GPU,
# else `mini`); set the environment variable `HOMEWORK_PROFILE` to choose yourself. All graded code is checked on tiny
# inputs, so you can do everything in `mini` first.
#
# **Your student id** goes into your log: the last cell asks for it. To answer in advance, run `%env HOMEWORK_STUDENT=your_id` in a cell of its own.
#
# | graded | points |
# |---|---|
# | `discriminator_loss` | 3 |
# | `generator_loss_minimax` | 2 |
# | `generator_loss_nonsaturating` | 2 |
# | `optimal_discriminator` | 2 |
# | `gan_step` | 5 |
# | `train_gan` | 6 |
# | written answers and the picture | 10 |
#
# Tasks have folded hints in three steps. Try without first.
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
# In a *generative adversarial network* (GAN) both are networks. The **generator** $G$ turns noise $z$ into a
# sample $G(z)$, and so defines a density $p_\text{model}$, for which we have no formula. The **discriminator** $D$ gives
# the probability that its input is real. Neither needs a likelihood: the generator learns everything through
# the discriminator.
#
# What is the best that a detective can do? Let the real points come
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
    title="The best detective counts the points",
    xlabel="x",
    ylabel="density per unit of x; share",
    levels={"½": 0.5},
)

# %% [markdown]
# The share is ½ where the two density curves cross, and far out it falls to 0: there both are rare, but fake points are much more frequent than real ones. With images one cannot count: with so many pixels, no two images are ever in the same bin. A network must learn the share from examples. Its loss is your first task.

# %% [markdown]
# ## 2. `discriminator_loss`: telling real from fake (3 points)
#
# Our discriminators give one *logit* per sample, a number in $(-\infty, \infty)$; the probability that the sample is real is its sigmoid,
# $D(x) = \sigma(\text{logit}) = 1 / (1 + e^{-\text{logit}})$. A real sample should get a $D$ near 1, a fake one near 0. As for any classifier, the loss is
# the mean negative log-probability of the right answer.
#
# **A convention.** The loss is the **sum of two means**, one over the real batch and one over the fake batch (which may differ in size). It is not halved: a discriminator that always says ½ has loss
# $2 \log 2 = 1.386$. With the opposite sign it is the value $V(G, D) = \mathbb E[\log D(x)] + \mathbb E[\log(1 - D(G(z)))]$ of the game in Goodfellow's equation 1, which $D$ maximises.
#
# **The trap is numerical.** At a logit of 200 the sigmoid is exactly 1 in float32, so $\log(1 - \sigma)$ is $\log 0 =
# -\infty$, and one such sample makes the loss of the whole batch infinite. Never compute the probability: find forms of the two logarithms that are exact for logits of any size.
#
# *Worked numbers.* `real_logits` = [log 3, 0] and `fake_logits` = [0, −log 4]. Then $D$ is ¾ and ½ on the real samples, ½ and ⅕ on the fake
# ones. Real: (−log ¾ − log ½)/2 = (0.287682 + 0.693147)/2 = 0.490415. Fake: (−log ½ − log ⅘)/2 = (0.693147 + 0.223144)/2 = 0.458145.
# Together **0.948560**.
#
# <details><summary>Hint 1: idea</summary>
#
# Which answer is right for a real sample, and which probability does the discriminator give it? And for a fake?
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# Write out $-\log \sigma(a)$ with the definition of $\sigma$: it is $\log(1 + e^{\text{something}})$, which is called *softplus*. For the fakes use that $1 - \sigma(a)$ is the sigmoid of another number.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# PyTorch's `softplus`, its `logsigmoid` and its cross-entropy *with logits* are exact for any size. Apply one of them to each batch by itself, take the two means, and add.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "discriminator_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def discriminator_loss(real_logits, fake_logits):
    """The discriminator's loss: the negative log-probability of the right answer, one mean for each batch, added.

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


# %% nbgrader={"grade": true, "grade_id": "test_discriminator_loss", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
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
        "the gradient by the real logits: wrong at log 3 or at 0 (max(a, 0) has a kink there)",
    )
    assert close(
        fake.grad,
        torch.tensor([0.25, 0.1]),
        "the gradient by the fake logits: wrong at 0 or at -log 4 (max(a, 0) has a kink there)",
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
    assert close(real.grad, -3 * (1 - real.detach().sigmoid()) / 6, "the gradient by the real logits is wrong")
    assert close(fake.grad, 3 * fake.detach().sigmoid() / 4, "the gradient by the fake logits is wrong")
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
# ### `generator_loss_minimax`: the loss in theory (2 points)
#
# The generator wants the opposite of the discriminator: in the *minimax* game the discriminator maximises the value $V(G, D)$ of section 2, and the generator **minimises the same value**. Of its two terms keep the one that depends on $G$; its mean over the batch of fakes is the generator's loss.
#
# The loss is **negative** (or 0), and the generator minimises it, towards $-\infty$. Again, compute from the logits.
#
# *Worked numbers.* `fake_logits` = [0, log 3]: $D$ is ½ and ¾, and g_loss = (−0.693147 − 1.386294)/2 = **−1.039721**.
#
# <details><summary>Hint 1: idea</summary>
#
# The first term of $V$ is a mean over real samples. The generator cannot change it.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# The mean of $\log(1 - \sigma(\text{fake\_logits}))$, without a minus in front.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# You have this term in `discriminator_loss`, with the other sign.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "generator_loss_minimax", "locked": false, "schema_version": 3, "solution": true, "task": false}
def generator_loss_minimax(fake_logits):
    """The generator's loss in the minimax game: the part of the value V that depends on the generator, to be minimised.

    Goodfellow and others 2014, equation 1. Never positive; exact for logits of any size.

    Args:
        fake_logits: the discriminator's logits on generated samples, `[B]` (or `[B, 1]`).

    Returns:
        A scalar tensor, differentiable, with the data type of the logits. Example: [0, log 3] gives -1.039721.
    """
    ### BEGIN SOLUTION
    return -F.softplus(fake_logits).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_generator_loss_minimax", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
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
        "the gradient by the logits: wrong at 0 (max(a, 0) has a kink there) or at log 3",
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
    assert close(fake.grad, -3 * fake.detach().sigmoid() / 6, "the gradient by the logits is wrong")
    far = torch.tensor([-5000.0, 300.0], requires_grad=True)
    student.generator_loss_minimax(far).backward()
    assert close(far.grad, torch.tensor([0.0, -0.5]), "gradients must stay finite and right for large logits")
with part("the result's data type", 0.25):
    loss = student.generator_loss_minimax(torch.zeros(3))
    assert loss.dtype == torch.float32, "the loss has the data type of the logits: float32 for float32"
### END HIDDEN TESTS

# %% [markdown]
# ### `generator_loss_nonsaturating`: the loss in practice (2 points)
#
# The minimax loss makes it *unlikely that fakes are classified as fake*. This loss makes it *likely that they are classified as real*: it is the mean negative log-probability of the answer "real", on fakes.
#
# Both losses fall when $D(G(z))$ rises. They differ in the size of the gradient. This one is **positive** (or 0).
#
# *Worked numbers.* `fake_logits` = [0, log 3]: $D$ is ½ and ¾, and g_loss = (0.693147 + 0.287682)/2 = **0.490415**.
#
# <details><summary>Hint 1: idea</summary>
#
# The generator trains as if its fakes had the label "real".
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# The mean of $-\log \sigma(\text{fake\_logits})$.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# It is the first term of `discriminator_loss`, applied to the logits of the fakes.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "generator_loss_nonsaturating", "locked": false, "schema_version": 3, "solution": true, "task": false}
def generator_loss_nonsaturating(fake_logits):
    """The generator's non-saturating loss: small if the fakes are classified as real, to be minimised.

    Goodfellow and others 2014, end of section 3. Never negative; exact for logits of any size.

    Args:
        fake_logits: the discriminator's logits on generated samples, `[B]` (or `[B, 1]`).

    Returns:
        A scalar tensor, differentiable, with the data type of the logits. Example: [0, log 3] gives 0.490415.
    """
    ### BEGIN SOLUTION
    return F.softplus(-fake_logits).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_generator_loss_nonsaturating", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
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
        "the gradient by the logits: wrong at 0 (max(a, 0) has a kink there) or at log 3",
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
    assert close(fake.grad, -3 * (1 - fake.detach().sigmoid()) / 6, "the gradient by the logits is wrong")
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
    title="The derivative of each loss by the logit of a fake",
    xlabel="D(G(z)): the discriminator's probability that the fake is real",
    ylabel="size of the derivative by the logit",
    logx=True,
    logy=True,
)

# %% [markdown]
# At $D(G(z)) = 0.001$ the two differ by a factor of about a thousand. A loss *saturates* where it becomes flat. Question (a) asks you for the formulas of both curves, and for what they mean.

# %% [markdown]
# ## 4. `optimal_discriminator`: the best possible discriminator (2 points)
#
# In section 1 the best detective counted. Let the number of points grow and the bins shrink. Then the counts become densities, and the share becomes a formula of $p_\text{data}(x)$ and $p_\text{model}(x)$. This is $D^*(x)$; in question (b) you prove that no discriminator has a lower loss.
#
# **Edges.** Where *both* densities are 0 there is never
# a sample, so any value is allowed, but 0/0 would be `nan`: by convention the function returns **½** there.
# Where only one of them is 0, the answer is certain: exactly 0 or exactly 1.
#
# *Worked numbers.* `p_data` = [0.3, 0.1, 0, 0] and `p_model` = [0.1, 0.1, 0.2, 0] give **[0.75, 0.5, 0, 0.5]**.
#
# <details><summary>Hint 1: idea</summary>
#
# Of $n$ real and $n$ forged points, how many of each fall into a bin of width $h$ around $x$?
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# About $n\,h\,p_\text{data}(x)$ real ones and $n\,h\,p_\text{model}(x)$ forged ones. Divide, and cancel what cancels.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `torch.where(condition, a, b)` chooses point by point. Use the condition for the points without any density.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "optimal_discriminator", "locked": false, "schema_version": 3, "solution": true, "task": false}
def optimal_discriminator(p_data, p_model):
    """The discriminator that is best against a fixed generator, point by point.

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


# %% nbgrader={"grade": true, "grade_id": "test_optimal_discriminator", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
p_data, p_model = torch.tensor([0.3, 0.1, 0.0, 0.0]), torch.tensor([0.1, 0.1, 0.2, 0.0])
best = student.optimal_discriminator(p_data, p_model)
assert has_shape(best, (4,), "one probability per point, in the same shape")
assert not near(best[:1], 0.25), "swapped: D is the probability that the sample is real"
assert not near(best[:1], 3.0), "this is the ratio p_data / p_model, not a probability: divide by all points here"
assert close(
    best[:3], torch.tensor([0.75, 0.5, 0.0]), "the worked numbers: the share of real points among all points here"
)
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
        assert close(best, reference.optimal_discriminator(p, q), "the share of real points, point by point")
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
    hint = "the result has the data type of the densities: float32 for float32, float64 for float64"
    assert edge.dtype == torch.float32, hint
    assert student.optimal_discriminator(p.double(), q.double()).dtype == torch.float64, hint
### END HIDDEN TESTS

# %% [markdown]
# ### Which distance does the game measure?
#
# Put the best discriminator into the value of the game, $V(G, D) = \mathbb E_{p_\text{data}}[\log D(x)] + \mathbb E_{p_\text{model}}[\log(1 - D(x))]$, which is minus the discriminator's loss. The theory says
#
# $$V(G, D^*) = -\log 4 + 2\,\mathrm{JSD}(p_\text{data}, p_\text{model}), \qquad
# \mathrm{JSD}(p, q) = \tfrac12 \mathrm{KL}\big(p \,\|\, \tfrac{p + q}{2}\big) + \tfrac12 \mathrm{KL}\big(q \,\|\, \tfrac{p + q}{2}\big) .$$
#
# (You prove it in question (b).) For distributions without overlap the Jensen-Shannon divergence is $\log 2$. Let us check the identity on the two bumps of section 1. The model
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
    title="The value of the game against the best discriminator",
    xlabel="shift of the model's two bumps (the real ones are 4 apart)",
    ylabel="nats",
    levels={"−log 4: the same distribution": -math.log(4), "0: no overlap": 0.0},
)

# %% [markdown]
# The three curves coincide. Two things matter for training. At shift 7 the value is nearly 0 and flat: without overlap the
# divergence is at its maximum, and *its slope is 0*. A generator that starts there learns nothing from a perfect
# discriminator and the minimax loss. And at shift 4 there is a local minimum: the model's left bump covers the real
# right one. Gradient descent on the shift ends there if it starts at 3 or 5: one of the two real bumps is missed, and half of
# the samples are wasted. You will see both problems again.

# %% [markdown]
# ## 5. `gan_step`: one round of the game (5 points)
#
# Here are the networks. The generator's last layer is a sigmoid, since grey values lie between 0 and 1; its hidden
# layers are batch-normalised. (Its last bias starts at −2, so that the first pictures are dark
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
        self.z_dim = 1
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
# 1. **The discriminator's step.** The discriminator's optimizer takes one step down `d_loss`, on `x_real` and the fakes of `z`. The fakes are *data* here: this loss must not reach the generator, neither
#    its weights nor their gradients. (Otherwise the generator learns to be recognised as fake.)
# 2. **The generator's step.** The generator's optimizer takes one step down `g_loss`, the non-saturating loss, on fakes of the same `z`. (You may keep the fakes of the first step or compute them again: one forward pass of the generator or two, both are fine.) It plays against the discriminator *as it is
#    now, after its step*. The discriminator must not change in this step. Its parameters do accumulate gradients in
#    the backward pass; think about when these must be gone.
#
# The function returns both losses, each as computed before its own step. It leaves the modules in the mode (training or evaluation) in which it got them.
#
# *Worked numbers.* `PaperGenerator` and `PaperDiscriminator` (shift 0, slope 0), plain gradient descent with learning rate 1, `x_real` = [1, 3], `z` =
# [−1, 1]. The fakes are [−1, 1], all logits are 0, so `d_loss` = 2 log 2 = **1.386294**. Its derivative by the slope is −½ · (1 + 3)/2 + ½ · (−1 + 1)/2 = −1, so the slope becomes
# 0 + 1 = **1**. Now the logits of the fakes are [−1, 1], and `g_loss` = (log(1 + e) + log(1 + 1/e))/2 = (1.313262 + 0.313262)/2 =
# **0.813262**. Its derivative by the shift is −(0.731059 + 0.268941)/2 = −½, so the shift becomes **0.5**: the fakes
# move towards the real points.
#
# <details><summary>Hint 1: idea</summary>
#
# Twice the same: logits, loss, clear gradients, `backward()`, `step()`. What differs is the network that learns, and the graph that the loss goes through.
#
# </details>
# <details><summary>Hint 2: which graph?</summary>
#
# In the first step cut the graph between generator and discriminator: `detach()`. In the second step the gradient must go through the discriminator *into* the generator, so do not cut.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `fake = generator(z)` once. First step: the discriminator on `x_real` and on the detached `fake`, loss, `zero_grad()`, `backward()`, `step()`. Second step: the discriminator on `fake` *again*, since it has changed, and the other optimizer. Clear its gradients before each of its steps.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "gan_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gan_step(generator, discriminator, optimizers, x_real, z):
    """One round of the non-saturating game: a step of the discriminator, then a step of the generator.

    Goodfellow and others 2014, algorithm 1 with k = 1, and the generator's loss from the end of section 3. The fakes of
    both steps come from the same z, by one forward pass of the generator or by two; g_loss uses the discriminator after
    its step.

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


# %% nbgrader={"grade": true, "grade_id": "test_gan_step", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false} seconds=30
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


def played(mine, batches, lr, plain):
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
    return happened, played((local_g, local_d), batches, lr, plain)


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
    assert left_a_gradient, "no round of the checks above came to the discriminator's step"
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
# **Predict, then run.** How does each gradient change while the discriminator is trained? And do the two losses ask for the same change of the weights? (The last line prints the cosine of the angle between the two gradients: 1 means the same direction, 0 a right angle.)


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


def gradient_by_weights(
    loss_of: Callable[[torch.Tensor], torch.Tensor], generator: nn.Module, discriminator: nn.Module, z: torch.Tensor
) -> torch.Tensor:
    """The gradient of a generator's loss by all weights of the generator, as one long vector."""
    gradients = torch.autograd.grad(loss_of(discriminator(generator(z))), list(generator.parameters()))
    return torch.cat([gradient.flatten() for gradient in gradients])


# %% tags=["train"]
frozen, detective, frozen_optimizers = new_game(seed=0, dark=False, generator_lr=0.0)
probe = torch.randn(256, Z_DIM, device=run.device)
fooled, lengths, cosines = [], {"minimax": [], "non-saturating": []}, []
for played in range(max(HEAD_STARTS) + 1):
    if played in HEAD_STARTS:
        detective.eval()  # no dropout while we measure
        fooled.append(float(torch.sigmoid(detective(frozen(probe)).detach()).mean()))
        saturating = gradient_by_weights(generator_loss_minimax, frozen, detective, probe)
        lasting = gradient_by_weights(generator_loss_nonsaturating, frozen, detective, probe)
        lengths["minimax"].append(float(saturating.norm()))
        lengths["non-saturating"].append(float(lasting.norm()))
        cosines.append(float(F.cosine_similarity(saturating, lasting, dim=0)))
        detective.train()
    gan_step(frozen, detective, frozen_optimizers, *draw_batch())

# %% tags=["experiment"]
print("rounds of head start       ", "".join(f"{start:>10d}" for start in HEAD_STARTS))
print("mean D(G(z))               ", "".join(f"{value:>10.1e}" for value in fooled))
print("cosine of the two gradients", "".join(f"{value:>10.2f}" for value in cosines))
plots.curves(
    {name: (HEAD_STARTS, values) for name, values in lengths.items()},
    title="The gradient of each loss by the weights of the generator",
    xlabel="rounds that the discriminator played before",
    ylabel="norm of the gradient by the weights",
    logx=True,
    logy=True,
)

# %% [markdown]
# In theory the discriminator should be trained to the end before each step of the generator. Here the minimax gradient then becomes thousands of times smaller, and the non-saturating one does not. Their *directions* are the same, to two digits: this generator is untrained, and all its fakes look alike to the discriminator. (In question (a)(iii) they do not.)

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
    title="The game on a line: real points and fakes",
    xlabel="x",
    ylabel="density",
)

# %% [markdown]
# After 50 rounds most fakes are at one bump; at which one depends on the seed. Then the discriminator learns that points there are mostly fake, and half of the fakes move to the other bump. In the end the losses are near $2 \log 2$ and $\log 2$, the values of a discriminator that always says ½. **What does that tell?** Only that *this* discriminator does no better than chance on *these* points. It does not tell that the fakes are good: their curve still differs from the real one, and a stronger discriminator would see it. So we need another measure.

# %% [markdown]
# ## 6. `train_gan`: the whole training (6 points)
#
# *You* now decide what goes into each round. In every one
#
# * both networks are in training mode, in whatever mode they came;
# * the real batch is `batch` rows of `images`, chosen at random and anew, so that every image has its turn;
# * the noise is standard normal, `[batch, K]`, and new.
#
# All these random numbers come from the `torch.Generator` called `random`, so that a run can be repeated.
#
# **The average.** The two networks never come to rest. So people keep a second generator, `averaged`, which does not play. After each round the numbers in it move a little towards those of `generator`:
#
# $$\text{averaged} \leftarrow \text{decay} \cdot \text{averaged} + (1 - \text{decay}) \cdot \text{generator} .$$
#
# This is a *moving average*: with `decay` = 0.99 it looks back about 100 rounds. In the end we draw pictures from `averaged` **in evaluation mode**. So the average must contain *every* number on which these pictures depend. Which are they? The players must not notice the average: with another `decay` they play exactly the same game.
#
# *Worked numbers.* Suppose that the shift of a `PaperGenerator` is 0.5 after the first round and 0.9 after the second. The shift of `averaged` was 0, `decay` is 0.9. It becomes 0.9 · 0 + 0.1 · 0.5 = **0.05**, then 0.9 · 0.05 + 0.1 · 0.9 = **0.135**.
#
# <details><summary>Hint 1: idea</summary>
#
# The loop itself has three parts: draw, call your `gan_step`, average. For the last part, print `list(Generator().state_dict())` and compare it with the names in `named_parameters()`. What does batch normalisation use in evaluation mode?
#
# </details>
# <details><summary>Hint 2: the average</summary>
#
# Batch normalisation keeps a running mean and a running variance as *buffers*, which are no parameters. They belong to the average, too. The average is no part of a graph: change it under `torch.no_grad()`.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# Rows: `torch.randint` from 0 to `len(images)`; noise: `torch.randn`; both with `generator=random`. The tensors that `state_dict()` returns share their memory with the module, so `copy_` into such a tensor changes the module. Go through the two state dicts in parallel, and ask each tensor `is_floating_point()`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "train_gan", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_gan(generator, discriminator, optimizers, averaged, images, steps, batch, decay, random):
    """Plays some rounds of the game, and keeps a moving average of the generator.

    Each round: both networks in training mode, a new random batch of images, new standard normal noise, one `gan_step`,
    one update of `averaged`. The average over weights follows Karras and others 2018 (arXiv:1710.10196).

    Args:
        generator: a module, noise `[B, K]` -> samples `[B, D]`, with K as `generator.z_dim`; changed in place.
        discriminator: a module, samples `[B, D]` -> logits `[B]`; changed in place.
        optimizers: (the generator's, the discriminator's), as for `gan_step`.
        averaged: a module of the generator's kind, which does not play. Changed in place: after each round all numbers
            on which its pictures depend become decay * averaged + (1 - decay) * generator; whole numbers are copied.
            What it holds at the start counts as the average so far.
        images: real samples, `[N, D]`.
        steps: number of rounds, at least 1.
        batch: number of images and of noise vectors in a round, B; at most N.
        decay: a number from 0 to 1.
        random: a `torch.Generator` on the device of `images`, from which all random numbers come.

    Returns:
        `{"d_loss": [...], "g_loss": [...]}`: the losses that `gan_step` returned, one plain number for each round.
        Example: shifts of 0.5 and 0.9 after two rounds and decay = 0.9 turn an average of 0 into 0.05, then 0.135.
    """
    ### BEGIN SOLUTION
    generator.train()
    discriminator.train()
    both_losses = {"d_loss": [], "g_loss": []}
    for _round in range(steps):
        chosen = torch.randint(len(images), (batch,), generator=random, device=images.device)
        z = torch.randn(batch, generator.z_dim, generator=random, device=images.device)
        losses = gan_step(generator, discriminator, optimizers, images[chosen], z)
        for name, values in both_losses.items():
            values.append(float(losses[name]))
        with torch.no_grad():
            for old, new in zip(averaged.state_dict().values(), generator.state_dict().values(), strict=True):
                old.copy_(decay * old + (1 - decay) * new if old.is_floating_point() else new)
    return both_losses
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_train_gan", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} seconds=60
train_in_place = modules_may_change()(student.train_gan)  # it may change the three networks, and no other argument


def train(*arguments):
    """Calls `train_gan`, and explains two errors of torch."""
    try:
        return train_in_place(*arguments)
    except RuntimeError as error:
        said = str(error)
        assert "leaf" not in said, "the average is no part of a graph: change it under torch.no_grad()"
        assert "Long" not in said, (
            "batch normalisation also counts its batches: copy whole numbers, do not average them"
        )
        raise


def step_fits():
    """Does your `gan_step` give its own worked numbers? (If not, fix it first.)"""
    with contextlib.suppress(Exception):
        g, d = PaperGenerator(), PaperDiscriminator()
        play = modules_may_change()(student.gan_step)
        pair = make_optimizers(g, d, 1.0, plain=True)
        got = play(g, d, pair, torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 1.0]))
        right = near(float(got["d_loss"]), 1.386294) and near(float(got["g_loss"]), 0.813262)
        return right and near(g.shift, 0.5) and near(d.slope, 1.0)
    return False


def state_of(module, like=None):
    """A copy of all numbers of a module: parameters and buffers by name; those of `like`, if it is given."""
    state = {name: value.detach().clone() for name, value in dict(module.state_dict()).items()}
    wanted = state if like is None else like
    hint = (
        "the networks of the tests must be as given: run the cell that defines Generator and Discriminator, unchanged"
    )
    assert state.keys() == wanted.keys() and len(state) > 0, hint
    assert all(state[name].shape == value.shape for name, value in wanted.items()), hint
    return state


def watched_game(draw, *, batch_norm=True, decay=0.9, steps=4, batch=4, seed=1, rate=0.2, learning=True):
    """Plays with the student's code; returns what went into the networks and came out of them in each round.

    The real images are brighter than 1.5, which no fake is.
    """
    sizes = dict(z_dim=2, x_dim=3, hidden=5, batch_norm=batch_norm), dict(x_dim=3, hidden=4, dropout=0.0)
    modules = student.Generator(**sizes[0]), student.Discriminator(**sizes[1]), student.Generator(**sizes[0])
    start = []
    for module, mine in zip(
        modules, (Generator(**sizes[0]), Discriminator(**sizes[1]), Generator(**sizes[0])), strict=True
    ):
        drawn = {
            name: 0.5 * torch.rand(old.shape, generator=draw) + 0.1 if old.is_floating_point() else old + 7
            for name, old in state_of(mine).items()
        }
        start.append(drawn)
        module.load_state_dict(drawn)
        module.train(learning)
        assert same(state_of(module, drawn), drawn), (
            "a network does not hold the numbers that a test gave it: run the cell that defines Generator unchanged"
        )
    generator, discriminator, averaged = modules
    optimizers = student.make_optimizers(generator, discriminator, rate, plain=True)
    images = 2 + torch.rand(9, 3, generator=draw)
    noise, real, modes, states = [], [], [], []
    now = {"noise": [], "real": [], "modes": []}

    def before_generator(_, inputs):
        now["noise"].append(inputs[0].detach().clone())
        now["modes"].append(generator.training)

    def before_discriminator(_, inputs):
        bright = inputs[0].detach()
        bright = bright[bright[:, 0] > 1.5]
        if len(bright):
            now["real"].append(bright.clone())
        now["modes"].append(discriminator.training)

    def after_round(*_):
        for kept, name in ((noise, "noise"), (real, "real"), (modes, "modes")):
            kept.append(list(now[name]))
            now[name].clear()
        states.append(state_of(generator, start[0]))

    handles = [
        generator.register_forward_pre_hook(before_generator),
        discriminator.register_forward_pre_hook(before_discriminator),
        optimizers[0].register_step_post_hook(after_round),
    ]
    random = torch.Generator().manual_seed(seed)
    history = train(generator, discriminator, optimizers, averaged, images, steps, batch, decay, random)
    assert isinstance(history, dict) and set(history) >= {"d_loss", "g_loss"}, (
        'return {"d_loss": [...], "g_loss": [...]}'
    )
    for handle in handles:
        handle.remove()
    assert len(states) == steps, "one round is one call of gan_step: the generator's optimizer takes one step in each"
    assert all(noise) and all(real), "in each round the generator gets noise, and the discriminator gets real images"
    noise, real = [each[0] for each in noise], [each[0] for each in real]
    losses = [[float(value) for value in history[name]] for name in ("d_loss", "g_loss")]
    return {
        "noise": noise,
        "real": real,
        "modes": modes,
        "states": states,
        "images": images,
        "start": start,
        "losses": losses,
        "players": [state_of(module, begun) for module, begun in zip(modules[:2], start[:2], strict=True)],
        "averaged": state_of(averaged, start[2]),
        "sizes": sizes,
    }


def averages(start, states, decay, keep=lambda name: True):
    """The moving average that the states of the rounds ask for, of the numbers whose names are kept."""
    mean = dict(start)
    for state in states:
        for name, now in state.items():
            if now.is_floating_point() and keep(name):
                mean[name] = decay * mean[name] + (1 - decay) * now
    return {name: value for name, value in mean.items() if value.is_floating_point() and keep(name)}


def same(got, want):
    """Are the numbers of these names the same? There must be some."""
    return len(want) > 0 and all(
        bool((got[name] - value).abs().max() <= 1e-5 + 1e-4 * value.abs().max()) for name, value in want.items()
    )


def is_weight(name):
    """Is this the name of a parameter, not of a buffer?"""
    return not ("running" in name or "tracked" in name)


fits = step_fits()
if fits:  # the checks below need a correct gan_step
    seen = watched_game(torch.Generator().manual_seed(3))
    assert [len(values) for values in seen["losses"]] == [4, 4], "the history has one number for each round"
    assert all(has_shape(z, (4, 2), "noise [batch, K], with K = generator.z_dim") for z in seen["noise"])
    assert all(has_shape(x, (4, 3), "`batch` rows of `images` in each round") for x in seen["real"])
    assert not torch.equal(seen["noise"][0], seen["noise"][1]), (
        "the noise is the same in each round: draw it in the loop"
    )
    assert not all(torch.equal(seen["real"][0], x) for x in seen["real"]), (
        "the images are the same in each round: draw rows in the loop"
    )
    first = seen["start"][2]
    weights = {name: value for name, value in seen["averaged"].items() if is_weight(name)}
    assert not same(weights, {name: first[name] for name in weights}), "`averaged` has not changed: change it in place"
    assert not same(weights, {name: seen["states"][-1][name] for name in weights}), (
        "`averaged` is equal to the generator: it must be an average over the rounds, and must not share its tensors"
    )
    once = averages(first, seen["states"][-1:], 0.9, is_weight)
    assert not same(weights, once), "only the last round is in the average: update it in the loop, after every round"
    late = averages(first, [seen["start"][0], *seen["states"][:-1]], 0.9, is_weight)
    assert not same(weights, late), "one round late: average after the round, not before it"
    assert not same(weights, averages(first, seen["states"], 0.1, is_weight)), "decay belongs to the old average"
    again = averages(seen["start"][0], seen["states"], 0.9, is_weight)
    assert not same(weights, again), (
        "what `averaged` holds at the start counts: do not begin with a copy of the generator"
    )
    assert same(weights, averages(first, seen["states"], 0.9, is_weight)), "the average of the weights is wrong"
    with part("all numbers of a picture", 0.5):
        got = {name: value for name, value in seen["averaged"].items() if "running" in name}
        assert not same(got, {name: first[name] for name in got}), (
            "in evaluation mode the pictures also depend on batch normalisation's running mean and variance: average them"
        )
        assert not same(got, {name: seen["states"][-1][name] for name in got}), (
            "the running mean and variance of `averaged` are those of the generator: average them like the weights"
        )
        assert same(got, averages(first, seen["states"], 0.9, lambda name: "running" in name)), (
            "the running mean and variance of `averaged` are wrong"
        )
    with part("training mode", 0.5):
        asleep = watched_game(torch.Generator().manual_seed(4), learning=False)
        assert all(all(modes) for modes in asleep["modes"]), (
            "the networks came in evaluation mode, and a round was played in it: call train() on both first"
        )
print("train_gan: all visible checks passed" if fits else "train_gan: fix gan_step first, then run this cell again")
### BEGIN HIDDEN TESTS
draw, played_long = fresh(70), []


def long_game():
    """A game of 300 rounds, played once, which several parts look at."""
    if not played_long:
        seed = int(torch.randint(2**31, (), generator=draw))
        played_long.append(watched_game(draw, steps=300, seed=seed, rate=0.01))
    return played_long[0]


with part("the real batches", 1):
    long = long_game()
    assert all(len(x) == 4 for x in long["real"]), "`batch` rows in each round"
    equal = (torch.stack(long["real"])[:, :, None] == long["images"]).all(dim=3)  # [rounds, B, N]
    assert bool(equal.any(dim=2).all()), "the real batch must consist of rows of `images`, unchanged"
    picked = equal.float().argmax(dim=2)  # [rounds, B]
    share = torch.bincount(picked.flatten(), minlength=9) / picked.numel()
    assert bool((share > 0).all()), "some images never have their turn: choose among all rows"
    assert bool(((share - 1 / 9).abs() < 0.055).all()), "all rows must be equally likely"  # 6 standard errors
    there = equal.any(dim=1).float()  # [rounds, N]: which rows are in a batch, in any order
    assert bool((there.T @ there > 0).all()), "any two rows must meet in a batch at times: draw each row at random"
    # of the same rows in the same order are at most 1 in 126 batches by chance, if a batch is a sorted choice of 4
    repeats = [(picked[lag:] == picked[:-lag]).all(dim=1).float().mean() for lag in range(1, 100)]
    assert max(repeats) < 0.15, "each round must draw new rows, not go through one order again and again"
    one, two = (watched_game(fresh(71), steps=6, seed=seed) for seed in (2, 3))
    assert not torch.equal(torch.cat(one["real"]), torch.cat(two["real"])), "choose the rows at random, by `random`"
with part("the noise", 1):
    z = torch.stack(long_game()["noise"])  # [rounds, B, K]
    assert has_shape(z, (300, 4, 2), "noise [batch, K] in each round, with K = generator.z_dim")
    assert len(z.flatten(0, 1).unique(dim=0)) == 1200, "each noise vector must be new"
    n = z.numel()  # all bounds are 6 standard errors
    assert abs(float(z.mean())) < 6 / math.sqrt(n) and abs(float(z.std()) - 1) < 6 / math.sqrt(2 * n), (
        "the noise must be standard normal: mean 0 and deviation 1"
    )
    for edge, expected in ((0.5, 0.3829), (1, 0.6827), (2, 0.9545)):
        within = float((z.abs() < edge).float().mean())
        assert abs(within - expected) < 6 * math.sqrt(expected * (1 - expected) / n), (
            "the noise has the right mean and deviation, but is not normal"
        )
    rounds = z.flatten(1)
    related = torch.corrcoef(torch.cat([rounds[:-1], rounds[1:]], dim=1).T) - torch.eye(16)
    assert bool((related.abs() < 6 / math.sqrt(299)).all()), (
        "each number of the noise must be drawn anew: in each column, for each image, in each round"
    )
    one, two, three = (watched_game(fresh(72), steps=3, seed=seed) for seed in (8, 8, 9))
    assert torch.equal(torch.cat(one["noise"]), torch.cat(two["noise"])), (
        "the same `random` must give the same noise: draw all random numbers from it"
    )
    assert torch.equal(torch.cat(one["real"]), torch.cat(two["real"])), "the same `random` must give the same rows"
    assert not torch.equal(torch.cat(one["noise"]), torch.cat(three["noise"])), (
        "another `random` must give other noise: do not seed it"
    )


def played_again(run_):
    """The same rounds on this side: the losses of each, the generator's numbers after each, the players at the end."""
    pair = Generator(**run_["sizes"][0]), Discriminator(**run_["sizes"][1])
    for player, begun in zip(pair, run_["start"][:2], strict=True):
        player.load_state_dict(begun)
    both = make_optimizers(*pair, 0.2, plain=True)
    losses, states = [], []
    for x, z in zip(run_["real"], run_["noise"], strict=True):
        losses.append(reference.gan_step(*pair, both, x, z))
        states.append(state_of(pair[0]))
    return losses, states, [state_of(player) for player in pair]


def weights_in(state):
    """The parameters of a state."""
    return {name: value for name, value in state.items() if is_weight(name)}


with part("the game", 1):
    for batch_norm, learning in ((True, True), (False, False)):
        run_ = watched_game(draw, batch_norm=batch_norm, learning=learning, steps=5, batch=5)
        wanted, _, ends = played_again(run_)
        for name, got in zip(("d_loss", "g_loss"), run_["losses"], strict=True):
            assert close(got, [float(one[name]) for one in wanted], "the losses that gan_step returned", rtol=1e-3)
        for end, state in zip(ends, run_["players"], strict=True):
            assert same(state, weights_in(end)), (
                "the players must end where these rounds of gan_step lead: nothing else may change them"
            )
with part("the average of the weights", 1.25):
    for batch_norm, decay, steps in (
        (False, 0.7, 1),
        (True, 0.95, 6),
        (True, 0.5, 3),
        (False, 0.0, 2),
        (False, 1.0, 2),
    ):
        run_ = watched_game(draw, batch_norm=batch_norm, decay=decay, steps=steps)
        want = averages(run_["start"][2], played_again(run_)[1], decay, is_weight)
        assert same(run_["averaged"], want), "after each round: decay * averaged + (1 - decay) * generator"
    long = long_game()
    assert same(long["averaged"], averages(long["start"][2], long["states"], 0.9, is_weight)), (
        "after each round, to the last one"
    )
with part("the average of the other numbers", 0.5):
    for decay, steps in ((0.95, 6), (0.5, 3), (0.0, 1)):
        run_ = watched_game(draw, decay=decay, steps=steps)
        want = averages(run_["start"][2], run_["states"], decay, lambda name: "running" in name)
        last = {name: value for name, value in run_["states"][-1].items() if "running" in name}
        assert not same(last, {name: run_["start"][0][name] for name in last}), (
            "no round changed the running mean and variance: both networks play in training mode"
        )
        assert same(run_["averaged"], want), "batch normalisation's running mean and variance belong to the average"
with part("whole numbers", 0.25):
    run_ = watched_game(draw, steps=3)
    counted = [name for name in run_["start"][2] if "tracked" in name]
    assert len(counted) == 2 and all(
        int(run_["averaged"][name]) == int(run_["states"][-1][name]) for name in counted
    ), "whole numbers cannot be averaged: copy them from the generator"
### END HIDDEN TESTS

# %% [markdown]
# ## 7. A judge, and the game with digits
#
# ### The judge
#
# `homework.models.judge` trains a small classifier on the real training images. It has eleven answers: ten digits, and
# "no digit", for which it was trained on noise, blots and torn digits. A sample counts as **recognised** if one digit gets a probability of at least 0.8, and
# a class counts as recognised if at least
# 1 % of all samples are recognised as it. Diversity is measured by the *effective number of classes* (exp of the entropy of the class histogram: 10 if all are equally frequent, 1 if there is one class
# only), and by the mean *distance of two samples*.

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
# Adam with learning rate 0.001, batches of `B` = 64, `K` = 64 random numbers per image, `decay` = 0.99. The next cells call your `train_gan` again and again, for a few rounds each time. Between two calls they record a film of 20 samples, always from
# the same 20 `z`, and at times the judge classifies 1,000 samples of each of the two generators.
#
# If the session is interrupted, run the cells again: training continues from the last checkpoint.

# %%
STEPS = run.size(full=12_000, mini=3_000, grade=6)
SHORT = run.size(full=3_000, mini=1_500, grade=4)  # rounds of the three games of section 9 ...
EARLY = run.size(full=1_200, mini=600, grade=2)  # ... which we compare here, too
CALL = run.size(full=50, mini=25, grade=2)  # rounds of one call of train_gan
EVERY = run.size(full=200, mini=100, grade=2)  # rounds between two evaluations by the judge
DECAY = 0.99
FILM = run.size(full=(0, 50, 150, 400, 1_200, 4_000), mini=(0, 25, 75, 200, 600, 1_500), grade=(0, 2, 4))
SAMPLES = run.size(full=1000, mini=1000, grade=50)

film_z = torch.randn(20, Z_DIM, generator=torch.Generator().manual_seed(5))
judged_z = torch.randn(SAMPLES, Z_DIM, generator=torch.Generator().manual_seed(6))


class Game(NamedTuple):
    """The result of one training run."""

    generator: Generator
    """The generator that played."""
    averaged: Generator
    """The moving average of its weights."""
    losses: dict[str, list[float]]
    """`d_loss` and `g_loss`: the mean of each call of `train_gan`, over `CALL` rounds."""
    looks: dict[str, list[float]]
    """The judge's measures of the generator's samples; `at` has the rounds."""
    averaged_looks: dict[str, list[float]]
    """The same for samples of `averaged`."""
    film: torch.Tensor
    """Samples of the generator from `film_z` before the rounds of `FILM` and after the last one: `[frames, 20, D]`."""


@torch.no_grad()
def draw_samples(generator: Generator, z: torch.Tensor) -> torch.Tensor:
    """Images `[B, D]` on the CPU for noise `[B, K]`, from the generator in evaluation mode."""
    generator.eval()
    images = generator(z.to(run.device)).cpu()
    generator.train()
    return images


def measures(generator: Generator) -> dict[str, float]:
    """The judge's measures of samples from `judged_z`."""
    seen = judge_samples(judge, draw_samples(generator, judged_z))
    return {
        "classes": seen.classes_recognised,
        "recognised": seen.recognised,
        "effective": seen.effective_classes,
        "distance": seen.distance,
    }


def play(name: str, seed: int, steps: int, batch_norm: bool = True, dark: bool = True) -> Game:
    """Trains two fresh networks with `train_gan`, and records a film and the judge's measures."""
    generator, discriminator, optimizers = new_game(seed, batch_norm=batch_norm, dark=dark)
    averaged = copy.deepcopy(generator)
    random = torch.Generator(device=run.device).manual_seed(seed)
    film = torch.zeros(len(FILM), len(film_z), 784)
    loop = training.Loop(
        run,
        name,
        steps=steps // CALL,
        modules={
            "generator": generator,
            "discriminator": discriminator,
            "generator's optimizer": optimizers[0],
            "discriminator's optimizer": optimizers[1],
            "averaged": averaged,
            "random": random,
            "film": film,
        },
        code=[train_gan, gan_step, discriminator_loss, generator_loss_nonsaturating, play, BATCH, CALL, DECAY],
        seed=seed,
    )
    for call in loop:
        if call * CALL in FILM:
            film[FILM.index(call * CALL)] = draw_samples(generator, film_z)
        losses = train_gan(generator, discriminator, optimizers, averaged, train_pixels, CALL, BATCH, DECAY, random)
        loop.record(**{key: sum(values) / CALL for key, values in losses.items()})
        if (call + 1) * CALL % EVERY == 0:
            loop.record(**measures(generator))
            loop.record(**{f"averaged {key}": value for key, value in measures(averaged).items()})
    history, keys = loop.history, ("classes", "recognised", "effective", "distance")
    at = [(call + 1) * CALL for call in loop.recorded_at["classes"]]
    looks, averaged_looks = ({key: history[which + key] for key in keys} | {"at": at} for which in ("", "averaged "))
    shown = [film[index] for index, step in enumerate(FILM) if step < steps]
    shown.append(draw_samples(generator, film_z))
    losses = {key: history[key] for key in ("d_loss", "g_loss")}
    return Game(generator, averaged, losses, looks, averaged_looks, torch.stack(shown))


# %% [markdown]
# **Predict, then run.** The digits of the film always come from the same `z`. Does a sample, once it is a 3, stay a 3? Do the losses fall while the samples become better? And which of the two generators draws better digits, the one that plays or the average? At the beginning, and at the end?

# %% tags=["train"]
game = play("gan", seed=0, steps=STEPS)

# %% tags=["experiment"]
calls = range(CALL, STEPS + 1, CALL)
plots.curves(
    {name: (calls, values) for name, values in game.losses.items()},
    title=f"The losses of the two players (means over {CALL} rounds)",
    xlabel="round",
    ylabel="loss in nats",
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
        "the generator that plays": (game.looks["at"], game.looks["recognised"]),
        "the average": (game.looks["at"], game.averaged_looks["recognised"]),
    },
    title="Quality: samples that the judge recognises (of 1,000)",
    xlabel="round",
    ylabel="share recognised",
    levels={"real test images": real_verdict.recognised},
)

# %% tags=["experiment"]
plots.curves(
    {
        "the generator that plays": (game.looks["at"], game.looks["effective"]),
        "the average": (game.looks["at"], game.averaged_looks["effective"]),
    },
    title="Diversity: effective number of classes among recognised samples",
    xlabel="round",
    ylabel="classes (0 if no sample is recognised)",
    levels={"all 10": 10.0},
)

# %% [markdown]
# In the film, a blot comes first, then strokes, then digits. A sample's class may change late (compare the last two rows), since nothing assigns a fixed class to a $z$.
#
# Look at `d_loss`: from round 500 on it *rises* while the samples become better, because the discriminator can tell them from real ones less and less. The losses of a GAN tell which network is ahead, not how good the samples are. It does not reach 2 log 2. In the spikes the discriminator is suddenly far ahead.
#
# The **average** is behind at first: it looks back at rounds in which the generator was worse. In the second half it is recognised more often at most evaluations, and its curve is smoother: a spike, in which the generator becomes worse for some rounds, shows less.

# %% [markdown]
# ## 8. (c) Two hundred digits (3 points)
#
# **Your task.** Draw 200 noise vectors from N(0, I), `z` of shape `[200, K]` (`K` is `Z_DIM` in the code), and show the generator's images as a grid of 10 rows and 20 columns, with a title that says what it shows. Use the average of your training, `game.averaged`, and
# `draw_samples(generator, z)`, which puts it into evaluation mode: a sample then does not depend on its neighbours in the batch. Draw once; do not choose the best of several.
# Leave the picture in the notebook.

# %% nbgrader={"grade": true, "grade_id": "figure_samples", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false} tags=["experiment"]
# `plots.image_grid(images, rows=..., columns=..., title=...)` takes images [N, 784] with values in [0, 1].
### BEGIN SOLUTION
grid_z = torch.randn(200, Z_DIM, generator=torch.Generator().manual_seed(3))
plots.image_grid(
    draw_samples(game.averaged, grid_z),
    rows=10,
    columns=20,
    title=f"200 digits drawn by the generator ({digits.name}, {STEPS:,} rounds)",
)
### END SOLUTION
### BEGIN MARK SCHEME
# * 1 point: 200 images in 10 rows and 20 columns, with a title that says what is shown
# * 1 point: drawn from noise z ~ N(0, I) by the trained generator or its average (not training images, not one z repeated, not the film's 20 again and again)
# * 1 point: most images look like strokes of handwriting and at least six different digits can be recognised (a mini run may be ragged)
### END MARK SCHEME

# %% [markdown]
# ### The judge's results
#
# **Predict, then run.** Of 1,000 samples, how many will the judge recognise? Which digits will be rare? And are the samples copies of training images? (For each of 20 samples we look up the nearest training image.)

# %% tags=["experiment"]
final_samples = draw_samples(game.averaged, judged_z)
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
# **Headline: what to expect** (1,000 samples; measured on a CPU; in `mini` the range over 6 runs: 3 seeds, and the random numbers drawn in two orders; one seed in `full`). Yours may lie a little outside.
#
# | | classes recognised | recognised | effective classes |
# |---|---|---|---|
# | `mini`, the generator that plays | 10 of 10 | 51 to 61 % | 9.2 to 9.6 |
# | `mini`, the average | 10 of 10 | 59 to 65 % | 9.5 to 9.7 |
# | `mini`, real test images | 10 of 10 | 89 % | 9.9 |
# | `full`, the generator that plays | 10 of 10 | 67 % | 9.7 |
# | `full`, the average | 10 of 10 | 68 % | 9.7 |
# | `full`, real test images | 10 of 10 | 95 % | 10.0 |
#
# The samples are not copies: in `mini` they are farther from their nearest training image
# than test images are.

# %% [markdown]
# ## 9. Two ways to fail
#
# ### Mode collapse, and a vanishing gradient
#
# Three short games from the same seed. All begin with *grey* pictures instead of dark ones (`dark=False`), which a discriminator soon recognises as fake. The measures are those of the generator that plays.
#
# * **the usual game**, otherwise as in section 7;
# * **without batch normalisation** in the generator;
# * **with the minimax loss**: for these rounds the *name* `generator_loss_nonsaturating` refers to your `generator_loss_minimax`. (This works if your `gan_step` calls that function.)
#
# **Predict, then run.** In *mode collapse* the generator maps all $z$ to few kinds of samples. Nothing in its loss
# prevents this: the discriminator sees one image at a time, so a single picture, drawn again and again, has a low loss
# as long as it fools the discriminator. Which of the three games will collapse? Which measure will show it first: the share recognised, the number of
# classes, or the mean distance of two samples? And will it last?


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
usual_game = play("usual", seed=0, steps=SHORT, dark=False)
plain_game = play("no-batch-norm", seed=0, steps=SHORT, dark=False, batch_norm=False)
with minimax_instead():
    minimax_game = play("minimax", seed=0, steps=SHORT, dark=False)

# %% tags=["experiment"]
compared = {
    "the usual game": usual_game.looks,
    "without batch norm": plain_game.looks,
    "minimax loss": minimax_game.looks,
}
print("game and round               recognised   classes   effective classes   distance of two samples")
for name, looks in compared.items():
    for place in (looks["at"].index(EARLY), -1):
        print(
            f"{name:20s} {looks['at'][place]:6,d} {looks['recognised'][place]:12.0%} {looks['classes'][place]:9.0f}"
            f" {looks['effective'][place]:19.1f} {looks['distance'][place]:25.2f}"
        )
print(
    f"{'real test images':27s} {real_verdict.recognised:12.0%} {real_verdict.classes_recognised:9d}"
    f" {real_verdict.effective_classes:19.1f} {real_verdict.distance:25.2f}"
)
plots.curves(
    {name: (looks["at"], looks["distance"]) for name, looks in compared.items()},
    title="Do the samples differ at all?",
    xlabel="round",
    ylabel="mean distance of two samples",
    levels={"real test images": real_verdict.distance},
)

# %% tags=["experiment"]
plots.curves(
    {name: (looks["at"], looks["effective"]) for name, looks in compared.items()},
    title="Effective number of classes among recognised samples",
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
    title="The film of the game without batch normalisation, always from the same z",
    ylabel="rounds played",
    row_labels=[f"{step:,}" for step in (*(step for step in FILM if step < SHORT), SHORT)],
)

# %% [markdown]
# **Collapse.** Without batch normalisation the generator draws one picture for all $z$, for about 600 rounds: the distance of two samples is
# less than a fifth of that of real images. In its film this one picture changes from row to row: as soon as the
# discriminator has learnt to reject it, all samples change together. Only the distance shows it early: after 200 rounds no sample
# of the usual game is recognised either. Then the samples begin to differ, and the collapse takes a milder form, in which it lasts: after 1,500 rounds the effective number of classes is 1.7 to 5, against 7.4 to 8.4 in the usual game (3 seeds). The share recognised hides this: one good 8, drawn 1,000 times, is
# recognised 1,000 times. Batch normalisation works against collapse, since it gives each hidden unit a variance of 1 over the batch: it must differ between samples.
#
# **Vanishing gradient.** With the minimax loss the start is slower: after 600 rounds fewer classes and fewer samples are recognised than in the usual game. The pictures do differ
# (see the distance), but at first they are noise, which the discriminator rejects with certainty, so the gradient is small. Then this game catches up. Adam helps: it divides each gradient by its recent size, and so makes
# steps of normal length from small gradients.
#
# (All this in `mini`. On MNIST, after 1,200 rounds, the generator without batch normalisation draws different blots; two classes are recognised, against nine.)
#
# **Where the method fails.** There is no guarantee that the game converges. The judge knows ten digits and nothing else, and a sample that it recognises can still be ugly. Nor can a GAN tell how likely an image is, as a VAE can (as a bound). In exchange its samples are sharp: the discriminator would recognise a grey average of several digits at once.

# %% [markdown]
# ## 10. Two experiments (not graded)
#
# **Other rulers.** In section 4 we knew the densities. With samples alone there are two other ways to measure how far two sets of points are apart:
#
# * *Train a discriminator.* Put minus its loss on new points in place of $V(G, D^*)$ in section 4, and solve for the JSD.
# * *Sort both sets* and average the distance of the partners: in one dimension, this is the *Wasserstein distance*.
#
# **Predict, then run.** Is the estimate of the trained discriminator above or below the exact value? How does the Wasserstein distance grow with the shift? What would each of them tell a generator at shift 7, and at shift 4?

# %% tags=["train"]
RULER_STEPS = run.size(full=400, mini=400, grade=3)
homework.seed_everything(0)
ruler_shifts = [float(shift) for shift in range(8)]
by_network, by_sorting = [], []
for shift in ruler_shifts:
    ruler = nn.Sequential(nn.Linear(1, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    ruler_optimizer = torch.optim.Adam(ruler.parameters(), lr=5e-3)
    for _ in range(RULER_STEPS):
        ruler_loss = discriminator_loss(ruler(draw_real(256)), ruler(draw_real(256) + shift))
        ruler_optimizer.zero_grad()
        ruler_loss.backward()
        ruler_optimizer.step()
    real_points, fake_points = draw_real(20_000), draw_real(20_000) + shift  # new points
    with torch.no_grad():
        by_network.append(math.log(2) - 0.5 * float(discriminator_loss(ruler(real_points), ruler(fake_points))))
    by_sorting.append(float((real_points.sort(dim=0).values - fake_points.sort(dim=0).values).abs().mean()))

# %% tags=["experiment"]
exact_jsd = [0.5 * (by_jsd[shifts.index(shift)] + math.log(4)) for shift in ruler_shifts]
print("shift               " + "".join(f"{shift:7g}" for shift in ruler_shifts))
print("Wasserstein distance" + "".join(f"{value:7.2f}" for value in by_sorting))
plots.curves(
    {"exact": (ruler_shifts, exact_jsd), "from a trained discriminator": (ruler_shifts, by_network)},
    title="The Jensen-Shannon divergence, exact and by a trained discriminator",
    xlabel="shift of the model's two bumps",
    ylabel="JSD in nats",
    levels={"log 2: no overlap": math.log(2)},
)

# %% [markdown]
# The estimate from the trained discriminator is nearly exact, and mostly a little too small: no discriminator has a higher value than $D^*$. The Wasserstein distance is equal to the shift. It has no flat part and no local minimum, so at 7 and at 4 its slope leads the generator the right way.
#
# **A walk.** A generator is a function of $z$. So we can go from one noise $a$ to another one $b$ in small steps, and watch the picture; on the circle $\cos(w \pi / 2)\, a + \sin(w \pi / 2)\, b$ each stop is again standard normal. **Predict, then run.** Does the digit change gradually, or does it jump? Are the pictures half way still digits?

# %% tags=["experiment"]
angles = torch.linspace(0, math.pi / 2, 15)[:, None]  # [stops, 1]
walks = [torch.cos(angles) * film_z[i] + torch.sin(angles) * film_z[i + 1] for i in (0, 2, 4, 6)]
half_way = judge_samples(judge, draw_samples(game.averaged, (judged_z + judged_z.roll(1, 0)) / math.sqrt(2)))
print(f"recognised: {final.recognised:.0%} of the samples, {half_way.recognised:.0%} of the pictures half way")
plots.image_grid(
    draw_samples(game.averaged, torch.cat(walks)),
    rows=len(walks),
    columns=15,
    title="Four walks from one noise to another",
    xlabel="from a (left) to b (right)",
)

# %% [markdown]
# The pictures half way are recognised about as often as other samples: on the circle every stop is a $z$ like any other.
#
# ### What came after
#
# The *Wasserstein GAN* (Arjovsky and others 2017) replaces the discriminator by a network that estimates a Wasserstein distance; *WGAN-GP* (Gulrajani and others 2017) keeps it smooth by a penalty on its gradient. *StyleGAN* (Karras and others 2019) draws faces of a million pixels, also from a moving average of the weights. Since about 2021 diffusion models draw better and more diverse pictures, in many calls of a network. The loss of a GAN is still used where *one* call must look or sound real: in picture codecs (HiFiC 2020), the autoencoder of VQGAN (2021), speech synthesis (HiFi-GAN 2020) and audio codecs (SoundStream 2021).

# %% [markdown]
# ## 11. Questions
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
# discriminator is trained, the other one does not. The flat end of V(G, D*) at shift 7 shows the same in
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
# the $D^*$ that you programmed in section 4 (write down its formula, and also show that it is a maximum), and that then $V(G, D^*) = -\log 4 + 2\,\mathrm{JSD}(p_\text{data}, p_\text{model})$. What follows for the best generator?

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
# (Question (c) is the picture of section 8.)
#
# ### How was it made? (not graded)
#
# Fill in what you used (lectures, papers, sites, language models), with whom you worked, and about how many hours it took. It
# is kept in the log and does not count for or against you.

# %%
process = {"sources": "", "people": "", "hours": None}

# %% [markdown]
# ## 12. Your log
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

    def ask_train_gan():
        d = draws("train_gan")
        generator, averaged = (student.Generator(z_dim=2, x_dim=3, hidden=4, batch_norm=False) for _ in range(2))
        discriminator = student.Discriminator(x_dim=3, hidden=4, dropout=0.0)
        for module in (generator, discriminator, averaged):
            module.load_state_dict({name: d.normal(*w.shape) for name, w in dict(module.state_dict()).items()})
        still = student.make_optimizers(generator, discriminator, 0.0, plain=True)  # nothing depends on the draws
        random = torch.Generator().manual_seed(0)
        got = student.train_gan(generator, discriminator, still, averaged, d.uniform(0.0, 1.0, 6, 3), 3, 4, 0.7, random)
        lengths = [len(got[name]) for name in ("d_loss", "g_loss")]
        return {"averaged": dict(averaged.state_dict())["layers.0.weight"], "rounds": lengths}

    return {
        "discriminator_loss": ask_discriminator_loss,
        "generator_loss_minimax": ask_generator_loss_minimax,
        "generator_loss_nonsaturating": ask_generator_loss_nonsaturating,
        "optimal_discriminator": ask_optimal_discriminator,
        "gan_step": ask_gan_step,
        "train_gan": ask_train_gan,
    }


# %% tags=["log"]
log = SubmissionLog(run)
log.bands(  # the expected range of each number, from our own runs
    {
        "gan/classes_recognised": {"full": (8, 10), "mini": (8, 10)},
        "gan/effective_classes": {"full": (7.5, 10), "mini": (7.5, 10)},
        "gan/recognised": {"full": (0.5, 0.95), "mini": (0.5, 0.89)},
        "gan/short/the_usual_game/effective_classes": {"full": (0, 10), "mini": (5, 10)},
        "gan/short/without_batch_norm/effective_classes": {"full": (0, 10), "mini": (1, 7.5)},
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
# * I. Goodfellow and others: *Generative Adversarial Nets*. NeurIPS 2014. arXiv:1406.2661.
# * A. Radford, L. Metz, S. Chintala: *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
#   Networks*. ICLR 2016. arXiv:1511.06434.
# * T. Salimans and others: *Improved Techniques for Training GANs*. NeurIPS 2016. arXiv:1606.03498.
# * M. Arjovsky, L. Bottou: *Towards Principled Methods for Training Generative Adversarial Networks*. ICLR 2017.
#   arXiv:1701.04862.
# * T. Karras, T. Aila, S. Laine, J. Lehtinen: *Progressive Growing of GANs*. ICLR 2018. arXiv:1710.10196.
# * Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: *Gradient-Based Learning Applied to Document Recognition*. Proceedings of the
#   IEEE, 1998.
