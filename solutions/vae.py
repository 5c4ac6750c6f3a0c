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
# # A variational autoencoder that draws digits
#
# The goal is a picture of 200 handwritten digits that nobody wrote (section 7): ten rows of twenty, drawn by a network from random numbers. You write the three functions that make it possible, and a fourth one that measures the model more exactly. Each is only a few lines long, and in each there is a classic mistake to avoid.
#
# **What you will learn**
#
# * how to send a gradient through a random draw (the reparameterisation trick);
# * why a latent-variable model is trained on a *bound* of its log-likelihood, and what the bound's two terms do;
# * how several draws make the bound tighter (importance weighting);
# * what changes when the two terms are weighted differently, and where the method fails.
#
# **What you need**: probability densities, the chain rule, and a little PyTorch. The lecture helps, but the text below is
# complete.
#
# | | profile `full` | profile `mini` |
# |---|---|---|
# | data | MNIST, 60,000 training images | embedded digits, about 1,500 training images |
# | training | 7 networks of 10,000 steps | 7 networks of 500 steps |
# | hardware | a GPU, for instance on Colab | any laptop, no network |
# | time to run | some minutes | one to two minutes |
#
# Plan three to four hours for reading, writing and thinking. The profile is chosen for you (`full` where there is a GPU,
# else `mini`); set the environment variable `HOMEWORK_PROFILE` to choose yourself. All graded code is checked on tiny
# inputs, so you can do everything in `mini` first.
#
# **Hints** are folded, in three steps: idea, formula, sketch of the code. Open one only when you are stuck.
#
# **Your student id** goes into your log: the last cell asks for it. To answer in advance, run `%env HOMEWORK_STUDENT=your_id` in a cell of its own.
#
# | graded | points |
# |---|---|
# | `sample_gaussian` | 3 |
# | `kl_standard_normal` | 4 |
# | `negative_elbo_bound` | 7 |
# | `importance_weighted_bound` | 6 |
# | written answers and the picture | 9 |
#
# **One rule for all tasks.** Your functions leave their arguments as they are: the caller may need them again. So no `x += ...`, `x[...] = ...` or `rows.pop()` on what you were given; work on new tensors or on copies. The tests check this. Only what a docstring calls *changed in place* may change, for instance a model that your function trains.

# %% tags=["install"]
from importlib.util import find_spec

if find_spec("homework") is None:  # on Colab: installs what is missing and keeps the installed torch
    get_ipython().run_line_magic("pip", "install -q STUDENT_PACKAGE")  # noqa: F821
# On Colab, so that training continues after a disconnect: `from homework.colab import use_drive; use_drive()`

# %%
import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

import homework
from homework import data, reference, student
from homework.checks import close, fresh, has_shape, part
from homework.hand_in.log import SubmissionLog
from homework.show import plots
from homework.train import training

run = homework.start("vae")
if run.profile != "full":
    torch.set_num_threads(1)  # for networks as small as those of `mini` more threads bring little speed

# %% [markdown]
# The data are grey images with values between 0 and 1, `D` = 28 · 28 = 784 pixels each. `N` is the number of images in a set, `B` the number in a batch, and `K` the number of hidden numbers (*latents*) per image. These letters mean the same everywhere below. The *embedded digits* of `mini` are the 8 × 8 handwritten digits that come with scikit-learn, enlarged and sharpened to 28 × 28.

# %%
digits = data.digits(run)
train_pixels = digits.train_images.reshape(-1, 784).to(run.device)  # [N, 1, 28, 28] -> [N, D]
test_pixels = digits.test_images.reshape(-1, 784).to(run.device)  # [N, 1, 28, 28] -> [N, D]
print(f"{digits.name}: {len(train_pixels):,} training images, {len(test_pixels):,} test images")

# %% tags=["experiment"]
each_digit = torch.cat([(digits.train_labels == digit).nonzero()[:4, 0] for digit in range(10)])  # 4 of each
plots.image_grid(digits.train_images[each_digit], rows=2, columns=20, title=f"Training images ({digits.name})")

# %% [markdown]
# ## 1. The idea, in one dimension
#
# We believe that each image $x$ has hidden causes $z$, its *latent variables*: which digit, how slanted, how thick. We
# do not observe them, so we write down a *generative model*: first $z$ is drawn from a standard normal $p(z) = N(0,
# I)$, then the image is drawn from $p(x \mid z)$. A good model makes the images that we have likely, so we want to
# maximise
#
# $$\log p(x) = \log \int p(z)\, p(x \mid z)\, dz .$$
#
# The integral runs over all $z$ and has no closed form once $p(x \mid z)$ is a network. So we approximate: for each $x$
# take a simple density $q(z \mid x)$, the *approximate posterior*. For *every* choice of $q$
#
# $$\log p(x) \;=\; \underbrace{\mathbb E_{q}\big[\log p(x \mid z)\big] - \mathrm{KL}\big(q(z \mid x) \,\|\, p(z)\big)}_{\text{evidence lower bound, ELBO}}
# \;+\; \mathrm{KL}\big(q(z \mid x) \,\|\, p(z \mid x)\big) .$$
#
# A Kullback-Leibler divergence is never negative, so the ELBO never exceeds $\log p(x)$, and it reaches it exactly when $q$ is the true posterior $p(z \mid x)$. The ELBO is $\log p(x)$ minus the divergence of $q$ from the true posterior: when the ELBO rises, the data have become likelier, or $q$ better, or both (one of the two may even get worse, if the other gains more). (To see the identity, write $p(x) = p(x, z) / p(z \mid x)$, take the logarithm, add and subtract $\log q(z \mid x)$, and average over $q$.)
#
# Before any network, let us look at the bound where everything can be computed. Take one latent, $z \sim N(0, 1)$, and one
# "pixel" $x \mid z \sim N(z, 0.5)$, where 0.5 is the variance. Then $x \sim N(0, 1.5)$, and the posterior $p(z \mid x)$ is a normal
# with the variance 1/3, for every $x$. Below, all integrals are plain sums over a fine grid.
#
# **Predict, then run.** Take $q = N(m, v)$ and $x = 1.2$. For $v = 1/3$, at which $m$ does the bound touch $\log p(x)$? And at that
# $m$: what costs more, a $q$ that is too narrow ($v = 0.02$) or one that is too wide ($v = 2$)?

# %%
grid = torch.linspace(-12, 12, 24_001, dtype=torch.float64)
TOY_X, TOY_NOISE_VARIANCE = 1.2, 0.5


def normal_log_density(z: torch.Tensor, mean: float | torch.Tensor, variance: float) -> torch.Tensor:
    """The logarithm of the density of a normal with that mean and variance at the points `z`, in nats."""
    return -0.5 * ((z - mean) ** 2 / variance + math.log(2 * math.pi * variance))


def toy_bound(m: float, v: float) -> float:
    """The ELBO of the toy model at x = 1.2 for q = N(m, v): a sum over the grid, in nats."""
    log_q = normal_log_density(grid, m, v)
    log_joint = normal_log_density(grid, 0.0, 1.0) + normal_log_density(torch.tensor(TOY_X), grid, TOY_NOISE_VARIANCE)
    return float(((log_joint - log_q) * log_q.exp()).sum() * (grid[1] - grid[0]))


toy_log_evidence = float(normal_log_density(torch.tensor(TOY_X), 0.0, 1.0 + TOY_NOISE_VARIANCE))

# %% tags=["experiment"]
means = torch.linspace(-1.0, 2.5, 71).tolist()
toy_curves = {
    f"bound, v = {label}": (means, [toy_bound(m, v) for m in means])
    for label, v in {"1/3": 1 / 3, "0.02": 0.02, "2": 2.0}.items()
}
plots.curves(
    toy_curves,
    title="The bound of the toy model at x = 1.2",
    xlabel="m, mean of the approximate posterior q",
    ylabel="nats",
    levels={"log p(x)": toy_log_evidence},
)

# %% [markdown]
# The bound never crosses the flat line, and touches it at one $q$ only, the true posterior: $m = 0.8$, $v = 1/3$. (The density of $z$ given $x$ is proportional to $e^{-z^2/2 - (x - z)^2}$, which has its peak at $z = 2x/3$.) Even at the right $m$, a
# $q$ that is too narrow ($v = 0.02$) costs 0.94 nats, and one that is too wide ($v = 2$) costs 1.60. The distance to
# the line is $\mathrm{KL}(q \,\|\, p(z \mid x))$.
#
# A **variational autoencoder** (Kingma and Welling 2014) replaces two parts of the toy model by networks: an *encoder*
# maps $x$ to the $m$ and $v$ of $q$, a *decoder* maps $z$ to the distribution of the pixels. To train them we need
# three things, and these are your first three tasks: draw $z$ so that gradients flow through the draw (section 2), compute
# the KL term (section 3), and put the bound together (section 4).

# %% [markdown]
# ## 2. `sample_gaussian`: a draw that is differentiable (3 points)
#
# The encoder gives $m$ and $v$, we draw $z \sim N(m, v)$, and the decoder turns $z$ into a loss. To improve the encoder
# we must know how the loss changes when $m$ and $v$ change, but a random draw has no derivative.
#
# The trick: draw the randomness *first*, as noise $\varepsilon \sim N(0, I)$ that does not depend on the parameters. Then compute $z$ from it, as a *function* of $m$, $v$ and $\varepsilon$. The function must give $z$ the distribution $N(m, v)$, and autograd can differentiate it by $m$ and $v$. Which function is it?
#
# In code `z`, `m`, `v` and `noise` ($\varepsilon$) all have shape `[B, K]`. **`v` is a variance.** Each image and each latent gets its own noise. Each call draws fresh noise, unless `noise` is given: then exactly
# that noise is used, which makes the function testable.
#
# *Worked number.* `m = [[1, -2]]`, `v = [[4, 0.25]]` and `noise = [[0.5, -1]]` give `z = [[2, -2.5]]`.
#
# <details><summary>Hint 1: idea</summary>
#
# Autograd cannot differentiate a draw, but it can differentiate arithmetic. Which operations on a random number change its mean, which its variance, and by how much?
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $z = m + \sqrt{v}\, \varepsilon$. So $\partial z / \partial m = 1$ and $\partial z / \partial v = \varepsilon / (2 \sqrt{v})$.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# One `if` for the missing noise, with `torch.randn_like`; then one line. Use neither `torch.normal` nor `.sample()`: no gradient passes them.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "sample_gaussian", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sample_gaussian(m, v, noise=None):
    """Draws z from N(m, diag(v)) by the reparameterisation trick.

    Kingma and Welling 2014, section 2.4. Gradients flow from z into m and v, also when the noise is drawn here.

    Args:
        m: means, `[B, K]`.
        v: variances (not deviations), positive, `[B, K]`.
        noise: standard normal numbers, `[B, K]`; fresh ones are drawn from torch's global generator if it is None.

    Returns:
        z, `[B, K]`, with the data type and on the device of `m`. Example: m = [[1, -2]], v = [[4, 0.25]] and
        noise = [[0.5, -1]] give [[2, -2.5]].
    """
    ### BEGIN SOLUTION
    if noise is None:
        noise = torch.randn_like(m)
    return m + torch.sqrt(v) * noise
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_sample_gaussian", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
m = torch.tensor([[1.0, -2.0]])
v = torch.tensor([[4.0, 0.25]])
noise = torch.tensor([[0.5, -1.0]])
z, again = student.sample_gaussian(m, v, noise=noise), student.sample_gaussian(m, v, noise=noise)
assert isinstance(z, torch.Tensor), "return z, a tensor [B, K]"
assert close(again, z, "the same `noise` gave two different draws: when `noise` is given, use it and draw nothing")
assert bool((z != m).any()), "the draw is the mean m: the `noise` that was given is not used"
assert close(z, torch.tensor([[2.0, -2.5]]), "the worked number: v is a variance, so what is the deviation of z?")
first, second = student.sample_gaussian(m, v), student.sample_gaussian(m, v)
assert has_shape(first, (1, 2), "without noise the result must still have the shape of m, [B, K]")
assert bool((first != second).any()), "two calls without noise gave the same draw: draw fresh noise in each call"
rows = student.sample_gaussian(torch.zeros(3, 2), torch.ones(3, 2))
assert bool((rows[0] != rows[1]).any()), "the images of a batch share their noise: draw [B, K] numbers, not [K]"
N = 10_000
m, v = torch.tensor([3.0, -1.0]).repeat(N, 1), torch.tensor([0.04, 9.0]).repeat(N, 1)
e = ((student.sample_gaussian(m, v) - m) / v.sqrt()).detach()
assert bool((e.mean(0).abs() <= 5 / math.sqrt(N)).all()), (
    "the mean of 10,000 draws is not m: noise drawn inside must be normal with mean 0"
)
assert bool(((e**2).mean(0).sub(1).abs() <= 6 * math.sqrt(2 / N)).all()), (
    "the variance of 10,000 draws is not v: is sqrt(v) the deviation, also where the noise is drawn inside?"
)
m = torch.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True)
v = torch.tensor([[4.0, 0.25], [1.0, 9.0]], requires_grad=True)
z = student.sample_gaussian(m, v)
assert z.requires_grad, "without `noise` no gradient reaches m and v: .sample() and detach() cut it"
z.sum().backward()
assert m.grad is not None, "no gradient reaches m"
assert close(m.grad, torch.ones(2, 2), "dz/dm must be 1, also without `noise`: torch.normal cuts the gradient")
assert v.grad is not None, "no gradient reaches v: detach() cuts it"
e = ((z - m) / v.sqrt()).detach()  # the noise that was drawn inside
assert close(v.grad, e / (2 * v.detach().sqrt()), "dz/dv must be noise / (2 sqrt(v))", rtol=1e-3, atol=1e-4)
print("sample_gaussian: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(20)
with part("with noise given", 1):
    for B, K in [(5, 3), (1, 1), (1, 7), (64, 2)]:
        m, v, noise = (torch.randn(B, K, generator=g) for _ in range(3))
        v = v.exp()
        z = student.sample_gaussian(m, v, noise)
        assert close(
            (z - m) ** 2, v * noise**2, "the squared distance of z from m is v * noise squared", rtol=1e-3, atol=1e-4
        )
        assert close(z, reference.sample_gaussian(m, v, noise), "z = m + sqrt(v) * noise, element by element")
    m, noise = torch.randn(4, 2, generator=g), torch.randn(4, 2, generator=g)
    for scale in (1e-6, 1e8):
        z = student.sample_gaussian(m, torch.full((4, 2), scale), noise)
        assert close(z, m + math.sqrt(scale) * noise, "very small and very large variances", rtol=1e-3, atol=1e-3)
    wide = torch.randn(2, 6, generator=g)
    m, noise, v = wide[:, ::2], wide[:, 1::2], wide[:, ::2].exp()
    z = student.sample_gaussian(m, v, noise=noise)
    assert close(z, m + v.sqrt() * noise, "z = m + sqrt(v) * noise, also where m is not contiguous in memory")
with part("with noise drawn inside", 0.75):
    N = 5_000
    m, v = torch.tensor([[3.0, -1.0]]).expand(N, 2).contiguous(), torch.tensor([[0.04, 9.0]]).expand(N, 2).contiguous()
    z = student.sample_gaussian(m, v)
    assert has_shape(z, (N, 2), "without noise the result has the shape of m")
    e = ((z - m) / v.sqrt()).double().detach()
    assert bool((e.mean(0).abs() <= 5 / math.sqrt(N)).all()), "the mean of many draws must be m"
    assert bool(((e**2).mean(0).sub(1).abs() <= 5 * math.sqrt(2 / N)).all()), "the variance of many draws must be v"
    assert bool(((e**4).mean(0).sub(3).abs() <= 6 * math.sqrt(96 / N)).all()), (
        "the noise must be normal, not uniform or the like"
    )
    assert abs(float((e[:, 0] * e[:, 1]).mean())) <= 5 / math.sqrt(N), "the latents of an image share their noise"
    sums = torch.fft.irfft(torch.fft.rfft(e, 2 * N, dim=0).abs() ** 2, dim=0)[1:N]  # of e[i] * e[i + lag], for each lag
    # once in 10^9 times by chance
    assert bool((sums.abs() <= 8 * math.sqrt(N)).all()), "the images of a batch share their noise"
    assert len(torch.unique(e[:, 0])) > 0.9 * N, "the images of a batch share their noise"
    again = student.sample_gaussian(m, v)
    assert bool(((again - z).abs() > 0).float().mean() > 0.9), "a second call must draw fresh noise"
with part("torch's global generator", 0.25):
    m, v = torch.zeros(3, 4), torch.ones(3, 4)

    def after(seed):
        """A draw after this seed."""
        student.torch.manual_seed(seed)
        return student.sample_gaussian(m, v)

    assert torch.equal(after(5), after(5)) and not torch.equal(after(5), after(6)), (
        "the noise comes from torch's global generator: after torch.manual_seed(5) it must be the same again"
    )
with part("gradients", 0.75):
    for given in (True, False):
        m = torch.randn(6, 3, generator=g).requires_grad_()
        v = (torch.rand(6, 3, generator=g) + 0.2).requires_grad_()
        noise = torch.randn(6, 3, generator=g)
        z = student.sample_gaussian(m, v, noise=noise) if given else student.sample_gaussian(m, v)
        assert z.requires_grad, (
            "no gradient reaches m and v: a draw of torch.normal or .sample() cannot be differentiated"
        )
        weight = torch.randn(6, 3, generator=g)
        (weight * z).sum().backward()
        e = (z.detach() - m.detach()) / v.detach().sqrt()
        assert m.grad is not None and close(m.grad, weight, "dz/dm is 1")
        assert v.grad is not None, "no gradient reaches v"
        assert close(v.grad, weight * e / (2 * v.detach().sqrt()), "dz/dv is noise / (2 sqrt(v))", rtol=1e-3, atol=1e-4)
with part("the result's data type", 0.25):
    m, v = torch.zeros(2, 3), torch.ones(2, 3)
    for z in (student.sample_gaussian(m, v), student.sample_gaussian(m, v, noise=v)):
        assert z.dtype == torch.float32, "z has the data type of m: float32 for float32"
### END HIDDEN TESTS

# %% [markdown]
# ### Is it worth it? Two estimators of one gradient
#
# There is a second way to differentiate an average over draws, the score-function estimator (you meet it again in
# reinforcement learning): $\nabla_m \mathbb E[f(z)] = \mathbb E[f(z)\, \nabla_m \log q(z)]$. It needs no derivative of
# $f$. For $f(z) = z^2$ and $z \sim N(m, v)$ the answer is known: $\mathbb E[z^2] = m^2 + v$, so the derivative by $m$ is
# $2m$.
#
# **Predict, then run.** Both estimators are right on average. For $m = 1.5$, $v = 1$: which one has the larger variance per draw?

# %% tags=["experiment"]
toy_m = torch.full((20_000, 1), 1.5, requires_grad=True)
toy_z = sample_gaussian(toy_m, torch.ones(20_000, 1))
(through_the_draw,) = torch.autograd.grad((toy_z**2).sum(), toy_m)
score = (toy_z**2 * (toy_z - toy_m) / 1.0).detach()  # f(z) times the derivative of log q(z) by m
for name, estimates in {"reparameterised": through_the_draw, "score function": score}.items():
    print(
        f"{name:16s} mean {float(estimates.mean()):6.3f} (exact 3)   deviation of one draw {float(estimates.std()):6.3f}"
    )

# %% [markdown]
# The reparameterised estimator has standard deviation 2 here, the other about 7.2 (on paper: $\sqrt{51.5625}$). To be
# as precise with the second as with one draw of the first you need thirteen draws. With ten such latents and $f(z) = \sum_k z_k^2$, for each component of the gradient, the first deviation is still 2 and the second already about 36: the score-function estimator only uses *how good* a draw was, not *in which direction* it could be better. Below, one draw per image is enough.

# %% [markdown]
# ## 3. `kl_standard_normal`: the KL term (4 points)
#
# The first term that we need is the divergence of the approximate posterior $q = N(m, \mathrm{diag}(v))$ from the prior $N(0, I)$, in nats. For one latent
#
# $$\mathrm{KL}\big(N(m, v) \,\|\, N(0, 1)\big) = \int q(z) \log\frac{q(z)}{p(z)}\, dz .$$
#
# This integral has a closed form. Derive it on paper; the code is one line. Latents are independent under $q$ and under $p$: what does that mean for an image with `K` latents? The function returns one number per image, shape `[B]`; the average over the batch is taken later.
#
# *Worked number.* One image with `m = [[1, 0]]`, `v = [[1, 4]]`: the first latent gives 0.5, the second 0.806853, the image **1.306853** nats. And where $q$ is the prior, the KL is 0.
#
# <details><summary>Hint 1: idea</summary>
#
# Write out $\log q(z) - \log p(z)$ for two normal densities. It is a polynomial in $z$, and its mean under $q$ needs only $\mathbb E_q[(z - m)^2]$ and $\mathbb E_q[z^2]$.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# The KL of one latent is $\mathbb E_q\big[-\tfrac12 \log v - \tfrac{(z - m)^2}{2 v} + \tfrac{z^2}{2}\big]$, with $\mathbb E_q[(z - m)^2] = v$ and $\mathbb E_q[z^2] = m^2 + v$.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# Element by element: half of (`m**2`, plus `v`, minus 1, minus the logarithm of `v`). Then `.sum(dim=-1)` over the latents.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "kl_standard_normal", "locked": false, "schema_version": 3, "solution": true, "task": false}
def kl_standard_normal(m, v):
    """KL(N(m, diag(v)) || N(0, I)) of each image, in nats.

    Kingma and Welling 2014, appendix B (there with the opposite sign).

    Args:
        m: means, `[B, K]`.
        v: variances (not deviations, not their logarithms), positive, `[B, K]`.

    Returns:
        One number per image, `[B]`, with the data type of `m`. Example: m = [[1, 0]] and v = [[1, 4]] give [1.306853].
    """
    ### BEGIN SOLUTION
    return 0.5 * (m**2 + v - 1 - torch.log(v)).sum(dim=-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_kl_standard_normal", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
kl = student.kl_standard_normal(torch.zeros(3, 2), torch.ones(3, 2))
assert isinstance(kl, torch.Tensor), "return a tensor with one number per image, [B]"
log_variance = (kl - (math.e - 2)).abs() < 1e-4  # what comes out for v = 1 if v is read as a log-variance
assert not bool(log_variance.any()), "you took v for the logarithm of the variance: v is the variance, use v and log v"
assert close(kl, torch.zeros(3), "q equals the prior: the KL of each of the 3 images is 0, shape [3]")
kl = student.kl_standard_normal(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 4.0]]))
assert close(
    kl,
    torch.tensor([1.306853]),
    "the worked number; sum over the latents, v is a variance, KL(q || p) and not KL(p || q)",
)
kl = student.kl_standard_normal(torch.tensor([[2.0], [-2.0]]), torch.ones(2, 1))
assert close(kl, torch.tensor([2.0, 2.0]), "for v = 1 the KL is half the squared mean, whatever its sign")
print("kl_standard_normal: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(30)
with part("value", 2.5):
    m, v = torch.randn(6, 4, generator=g), torch.randn(6, 4, generator=g).exp()
    kl = student.kl_standard_normal(m, v)
    assert has_shape(kl, (6,), "one number per image: shape [B]")
    assert bool((kl > 0).all()), "a KL divergence is positive unless q equals the prior; is the sign right?"
    assert close(student.kl_standard_normal(-m, v), kl, "the KL does not depend on the sign of m")
    halves = student.kl_standard_normal(m[:, :2], v[:, :2]) + student.kl_standard_normal(m[:, 2:], v[:, 2:])
    assert close(halves, kl, "latents are independent: the KL of all is the sum of their KLs, not the mean")
    assert close(student.kl_standard_normal(m.flip(0), v.flip(0)), kl.flip(0), "each image has a KL of its own")
    assert close(student.kl_standard_normal(m[:1], v[:1]), kl[:1], "a batch of one image gives shape [1]")
    assert close(
        student.kl_standard_normal(m[:, :1], v[:, :1]),
        reference.kl_standard_normal(m[:, :1], v[:, :1]),
        "a single latent",
    )
    q, p = torch.distributions.Normal(m.double(), v.double().sqrt()), torch.distributions.Normal(0.0, 1.0)
    z = m.double() + v.double().sqrt() * torch.randn(20_000, 6, 4, generator=g, dtype=torch.float64)
    log_ratio = (q.log_prob(z) - p.log_prob(z)).sum(-1)
    bound = 6 * log_ratio.std(0) / math.sqrt(len(z))
    assert bool(((kl.double() - log_ratio.mean(0)).abs() <= bound + 1e-4).all()), (
        "the closed form must agree with E_q[log q(z) - log p(z)], measured on draws of q"
    )
    for B, K in [(5, 3), (1, 64), (200, 2)]:
        m, v = 2 * torch.randn(B, K, generator=g), torch.randn(B, K, generator=g).exp()
        want = reference.kl_standard_normal(m, v)
        assert close(
            student.kl_standard_normal(m, v), want, "(m^2 + v - 1 - log v) / 2, summed over the latents", atol=1e-5
        )
with part("very large and very small numbers", 0.5):
    m, v = torch.tensor([[1e4, 0.0], [0.0, 0.0], [0.0, 0.0]]), torch.tensor([[1.0, 1.0], [1e-5, 1.0], [1e5, 1.0]])
    want = reference.kl_standard_normal(m, v)
    assert close(
        student.kl_standard_normal(m, v), want, "a very large mean, a very small and a very large variance", rtol=2e-3
    )
with part("gradients", 0.75):
    m = torch.randn(3, 5, generator=g).t().requires_grad_()
    v = (torch.rand(3, 5, generator=g) + 0.2).t().requires_grad_()
    kl = student.kl_standard_normal(m, v)
    assert close(kl, reference.kl_standard_normal(m, v).detach(), "m and v that are not contiguous in memory")
    assert kl.requires_grad, "the KL must stay differentiable: no detach(), no float()"
    weight = torch.tensor([1.0, -2.0, 0.5, 3.0, 1.0])
    (weight * kl).sum().backward()
    assert m.grad is not None and close(m.grad, weight[:, None] * m.detach(), "the derivative by m is m")
    assert v.grad is not None, "no gradient reaches v"
    assert close(
        v.grad, weight[:, None] * 0.5 * (1 - 1 / v.detach()), "the derivative by v is (1 - 1/v) / 2", atol=1e-5
    )
with part("the result's data type", 0.25):
    kl = student.kl_standard_normal(torch.zeros(2, 3), torch.ones(2, 3))
    assert kl.dtype == torch.float32, "the KL has the data type of m: float32 for float32"
### END HIDDEN TESTS

# %% [markdown]
# ## 4. `negative_elbo_bound`: what is minimised (7 points)
#
# Now the networks. Pixels are made binary (section 5 says how), so $x_d$ is 0 or 1 and the decoder gives one *logit* per
# pixel: the probability of a 1 is $\mu_d = \sigma(\text{logits}_d) = 1 / (1 + e^{-\text{logits}_d})$. The encoder's second
# output must be a variance, so it goes through $\mathrm{softplus}(s) = \log(1 + e^s) > 0$, plus a tiny constant.


# %%
class VAE(nn.Module):
    """A variational autoencoder for binary images, encoder and decoder each an MLP with two hidden layers.

    Args:
        z_dim: number of latents, K.
        x_dim: number of pixels, D.
        hidden: width of the hidden layers.
    """

    def __init__(self, z_dim: int = 64, x_dim: int = 784, hidden: int = 300) -> None:
        super().__init__()
        self.z_dim = z_dim
        self.encoder = nn.Sequential(
            nn.Linear(x_dim, hidden), nn.ELU(), nn.Linear(hidden, hidden), nn.ELU(), nn.Linear(hidden, 2 * z_dim)
        )
        self.decoder = nn.Sequential(
            nn.Linear(z_dim, hidden), nn.ELU(), nn.Linear(hidden, hidden), nn.ELU(), nn.Linear(hidden, x_dim)
        )

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The approximate posterior q(z | x) for images x `[B, D]`: means and variances, `[B, K]` each."""
        m, s = self.encoder(x).chunk(2, dim=-1)  # [B, 2K] -> [B, K], [B, K]
        return m, F.softplus(s) + 1e-8

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """The logits of the pixels, `[B, D]`, for latents z `[B, K]`."""
        return self.decoder(z)


class PaperVAE(nn.Module):
    """A VAE small enough to compute by hand: 3 pixels, 2 latents, the same q(z | x) for every image."""

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Means (1, 0) and variances (1, 4) for each image of x `[B, 3]`: two tensors `[B, 2]`."""
        return torch.tensor([1.0, 0.0]).repeat(len(x), 1), torch.tensor([1.0, 4.0]).repeat(len(x), 1)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """The logits (z_1 log 3, z_2, -z_2), `[B, 3]`, for latents z `[B, 2]`."""
        return torch.stack([z[..., 0] * math.log(3.0), z[..., 1], -z[..., 1]], dim=-1)


class NegativeElbo(NamedTuple):
    """The negative bound and its two terms, each a scalar tensor in nats per image: nelbo = kl + rec."""

    nelbo: torch.Tensor
    kl: torch.Tensor
    rec: torch.Tensor


# %% [markdown]
# We minimise the *negative* ELBO, averaged over the images of a batch:
#
# $$\text{nelbo} = \underbrace{\mathrm{KL}\big(q(z \mid x) \,\|\, p(z)\big)}_{\text{kl}}
# \; \underbrace{- \log p(x \mid z)}_{\text{rec, at one draw } z \sim q(z \mid x)} .$$
#
# Given $z$, the pixels are independent, and pixel $d$ is 1 with probability $\mu_d$. The average of `rec`
# over $q$ is estimated by a single draw per image, made by your `sample_gaussian`.
#
# Decide two things before you write. *Sums and means*: which of the two belongs over the pixels, over the latents, over the batch? If one of them is wrong, `kl` may count 784 times too much or too little. *Probabilities near 0 and 1*: in float32 a sigmoid of 200 is exactly 1. What is the code length of a pixel that is 0 there, and how do you compute it?
#
# *Worked numbers.* `PaperVAE`, one image `x = [[1, 0, 0]]`, `noise = [[0, 0]]`: `m` = (1, 0), `v` = (1, 4), so `z` = (1, 0),
# `logits` = (log 3, 0, 0) and $\mu$ = (¾, ½, ½). Then `rec` = **1.673976**, `kl` =
# **1.306853** from section 3, and `nelbo` = **2.980829**. With `noise = [[1, 1]]`: `z` = (2, 2), `logits` = (2 log 3, 2, −2), `rec` = **2.359217**.
#
# <details><summary>Hint 1: idea</summary>
#
# Encode `x` to `m, v` · draw `z` · decode it to `logits` · add up over latents and over pixels, because the logarithm of a product is a sum · average each term over the batch, and over nothing else.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $\text{rec} = -\sum_{d=1}^{D} \big[x_d \log \mu_d + (1 - x_d) \log (1 - \mu_d)\big]$, where $-\log \mu_d = \mathrm{softplus}(-\text{logit}_d)$ and $-\log(1 - \mu_d) = \mathrm{softplus}(\text{logit}_d)$ are exact for logits of any size.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `F.binary_cross_entropy_with_logits` with `reduction="none"` gives `[B, D]`; sum over the last dimension, then the mean. Pass `noise` on to `sample_gaussian`. Return `NegativeElbo(kl + rec, kl, rec)`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "negative_elbo_bound", "locked": false, "schema_version": 3, "solution": true, "task": false}
def negative_elbo_bound(vae, x, noise=None):
    """The negative evidence lower bound of binary images and its two terms, in nats per image.

    Kingma and Welling 2014, equation 3 with the opposite sign, with one draw of z per image and Bernoulli pixels
    (appendix C.1).

    Args:
        vae: offers `encode(x) -> (m, v)` (means and variances, `[B, K]`) and `decode(z) -> logits` (`[B, D]`).
        x: images of zeros and ones, `[B, D]`, floating point.
        noise: standard normal numbers, `[B, K]`, with which z is drawn; fresh ones if it is None.

    Returns:
        `NegativeElbo(nelbo, kl, rec)`: scalars, each in nats per image, averaged over the batch, and each
        differentiable. Example: `PaperVAE()` with x = [[1, 0, 0]] and noise = [[0, 0]] gives (2.980829, 1.306853,
        1.673976).
    """
    ### BEGIN SOLUTION
    m, v = vae.encode(x)
    z = sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).mean()
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1).mean()
    return NegativeElbo(kl + rec, kl, rec)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_negative_elbo_bound", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false} seconds=30
paper = student.PaperVAE()
x = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
noise = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
m, v = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[1.0, 4.0], [1.0, 4.0]])
one = student.negative_elbo_bound(paper, x[:1], noise=noise[:1])
assert hasattr(one, "nelbo") and hasattr(one, "kl") and hasattr(one, "rec"), "return NegativeElbo(nelbo, kl, rec)"
assert all(isinstance(term, torch.Tensor) for term in (one.nelbo, one.kl, one.rec)), "return tensors, not plain numbers"
assert has_shape(one.nelbo, (), "nelbo, kl and rec are scalars: average over the batch, also over a batch of one")
want = student.kl_standard_normal(m[:1], v[:1]).mean()
swapped = bool((one.rec - want).abs() < 1e-4) and not bool((one.kl - want).abs() < 1e-4)
assert not swapped, "kl and rec are swapped: the order is NegativeElbo(nelbo, kl, rec)"
assert close(one.nelbo, one.kl + one.rec, "nelbo = kl + rec; check the order in the named tuple, and the signs")
assert close(one.kl, want, "kl: your kl_standard_normal, averaged over the batch")
z = student.sample_gaussian(m, v, noise=noise)
if z.shape == m.shape and bool(((z - torch.tensor([[1.0, 0.0], [2.0, 2.0]])).abs() < 1e-4).all()):
    # the numbers below need a correct sample_gaussian; while yours is wrong, fix it first
    again, moved = (student.negative_elbo_bound(paper, x[:1], noise=e) for e in (noise[:1], noise[1:]))
    assert close(again.rec, one.rec, "the same `noise` gave two different rec: pass `noise` on to sample_gaussian")
    assert bool((moved.rec - one.rec).abs() > 0.01), "rec does not depend on `noise`: decode the draw z, not the mean m"
    assert not bool((one.rec - 1.673976 / 3).abs() < 1e-4), "rec is a mean over the pixels: it must be their sum"
    assert close(one.rec, torch.tensor(1.673976), "the worked number with noise 0: -log p(x | z), summed over pixels")
    assert close(moved.rec, torch.tensor(2.359217), "the worked number with noise 1: -log p(x | z), summed over pixels")
    both = student.negative_elbo_bound(paper, x, noise=noise)
    assert close(both.rec, torch.tensor(4.115209), "two images, with rec 1.673976 and 6.556441: average over the batch")
    try:
        free = [student.negative_elbo_bound(paper, x).rec for _ in range(2)]
    except RuntimeError as error:
        raise AssertionError("without `noise`: fresh noise has the shape of m, [B, K], not that of x") from error
    assert bool(free[0] != free[1]), "two calls without noise gave the same rec: draw fresh noise in each call"
    with part("logits far from 0", 1):
        far = torch.tensor([[-200 / math.log(3.0) - 1, 100.0]])  # makes the logits -200, 200 and -200
        pixels = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        wrong, right = (student.negative_elbo_bound(paper, rows, noise=far).rec for rows in (pixels[:1], pixels[1:]))
        hint = "logits of -200 and 200: compute from the logits, their sigmoid is rounded to 0 and 1"
        assert close(wrong, torch.tensor(400.0), hint)
        assert close(right, torch.tensor(0.0), hint)
print("negative_elbo_bound: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(40)
local = VAE(z_dim=3, x_dim=12, hidden=8)
state = {name: 0.4 * torch.randn(weight.shape, generator=g) for name, weight in local.state_dict().items()}
usual = {name: weight.clone() for name, weight in state.items()}
local.load_state_dict(state)
vae = student.VAE(z_dim=3, x_dim=12, hidden=8)
vae.load_state_dict(state)


def kl_term(m, v):
    """The KL term."""
    posterior = torch.distributions.Normal(m, v.sqrt())
    return torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(-1).mean()


def rec_term(model, x, z):
    """The reconstruction term at the draw z."""
    return -torch.distributions.Bernoulli(logits=model.decode(z)).log_prob(x).sum(-1).mean()


with part("the two terms", 3):
    for B in (1, 4, 37):
        x = (torch.rand(B, 12, generator=g) < 0.4).float()
        noise = torch.randn(B, 3, generator=g)
        with torch.no_grad():
            m, v = local.encode(x)
            kl, rec = kl_term(m, v), rec_term(local, x, m + v.sqrt() * noise)
        got = student.negative_elbo_bound(vae, x, noise=noise)
        assert close(got.kl, kl, "kl: sum over the latents, mean over the batch, with m and v from encode(x)")
        assert close(
            got.rec, rec, "rec: -log p(x | z) with logits = decode(z), summed over pixels, averaged over the batch"
        )
        assert close(got.nelbo, got.kl + got.rec, "nelbo is the plain sum kl + rec", atol=1e-5)
        assert bool(got.rec > 0), "rec is a code length: positive"
        assert tuple(got.nelbo.shape) == tuple(got.kl.shape) == tuple(got.rec.shape) == (), "all three are scalars"
    got = student.negative_elbo_bound(vae, x, noise)
    assert close(got.rec, rec, "noise may be given as a positional argument, too")
    doubled = student.negative_elbo_bound(vae, torch.cat([x, x]), noise=torch.cat([noise, noise]))
    assert close(
        doubled.nelbo, got.nelbo, "the same batch twice must give the same mean: average over the batch", atol=1e-4
    )

with part("logits far from 0, exactly", 0.5):
    # logits of +-10,000: exact from logits, infinite or cut off from probabilities
    extreme = {name: 0 * weight if name.startswith("decoder.4") else weight for name, weight in state.items()}
    extreme["decoder.4.bias"] = torch.tensor([1e4, -1e4, 30.0, -30.0] * 3)
    sharp = student.VAE(z_dim=3, x_dim=12, hidden=8)
    sharp.load_state_dict(extreme)
    x = torch.tensor([[1.0, 0.0] * 6, [0.0, 1.0] * 6])
    got = student.negative_elbo_bound(sharp, x, noise=torch.zeros(2, 3))
    assert close(
        got.rec,
        torch.tensor(0.5 * 3 * 20_060.0),
        "logits of size 10,000: compute from the logits, not from clamped probabilities",
    )
    extreme["decoder.4.bias"] = torch.tensor([1e4, -1e4, 1e4, -1e4] * 3)
    sharp.load_state_dict(extreme)
    got = student.negative_elbo_bound(sharp, x[:1], noise=torch.zeros(1, 3))
    assert close(got.rec, torch.tensor(0.0), "a reconstruction that is certain and correct costs 0 nats", atol=1e-4)

with part("gradients", 1.5):
    x = (torch.rand(5, 12, generator=g) < 0.5).float()
    noise = torch.randn(5, 3, generator=g)
    got = student.negative_elbo_bound(vae, x, noise=noise)
    assert got.nelbo.requires_grad and got.rec.requires_grad, "nelbo, kl and rec must stay differentiable"
    (got.nelbo + 2 * got.kl).backward()  # weights kl by 3 and rec by 1
    picks = [(0, "encoder"), (4, "encoder"), (0, "decoder"), (4, "decoder")]
    grads = [getattr(vae, half)[layer].weight.grad for layer, half in picks]
    assert all(grad is not None for grad in grads), "no gradient reaches the encoder or the decoder"
    layers = [getattr(local, half)[layer].weight for layer, half in picks]
    m, v = local.encode(x)
    wants = torch.autograd.grad(3 * kl_term(m, v) + rec_term(local, x, m + v.sqrt() * noise), layers)
    for grad, want in zip(grads, wants, strict=True):
        hint = "the gradient of the bound by the weights is wrong: is z or one of the terms detached?"
        assert close(grad, want, hint, atol=1e-5)

with part("noise drawn inside", 1):
    N = 2000
    # all noise is drawn inside: variances of 0.05, 0.13 and 4, and a decoder whose loss tells widths apart: logits |z|
    usual["encoder.4.weight"] *= 0.0
    usual["encoder.4.bias"] = torch.tensor([0.1, -0.2, 0.3, -3.0, -2.0, 4.0])
    usual.update({name: 0.1 * weight for name, weight in usual.items() if name.startswith("decoder")})
    both_signs = torch.cat([torch.eye(3), -torch.eye(3)])  # [6, 3]
    usual["decoder.0.weight"][:6] += both_signs
    usual["decoder.2.weight"][:6, :6] += torch.eye(6)
    usual["decoder.4.weight"][:, :6] += both_signs.abs().t().repeat(4, 1)
    local.load_state_dict(usual)
    vae.load_state_dict(usual)
    x = torch.zeros(N, 12)
    with torch.no_grad():
        m, v = local.encode(x)
    recs = [student.negative_elbo_bound(vae, x).rec.detach() for _ in range(4)]
    assert all(bool(torch.isfinite(rec)) for rec in recs), "without noise the terms must be finite, too"
    with torch.no_grad():
        z = m[:1] + v[:1].sqrt() * torch.randn(100_000, 3, generator=g)
        each = -torch.distributions.Bernoulli(logits=local.decode(z)).log_prob(x[:1]).sum(-1)
    bound = 6 * float(each.std()) / math.sqrt(N)
    assert len({float(rec) for rec in recs}) > 1, "each call without noise must draw fresh noise"
    assert all(abs(float(rec) - float(each.mean())) <= bound for rec in recs), (
        "without `noise` each image needs its own draw from N(m, v)"
    )
    free = student.negative_elbo_bound(vae, x)
    assert close(free.kl, kl_term(m, v), "kl is the same with and without `noise`")
    assert close(free.nelbo, free.kl + free.rec, "without `noise`, too, nelbo is kl + rec", atol=1e-5)
    assert free.nelbo.requires_grad, "without `noise`, too, nelbo must stay differentiable: training calls it so"
    vae.zero_grad()
    free.nelbo.backward()
    wants = []
    for _ in range(25):  # the same gradient with noise of ours: at 9 deviations no right answer fails
        m, v = local.encode(x)
        bound = kl_term(m, v) + rec_term(local, x, m + v.sqrt() * torch.randn(N, 3, generator=g))
        wants.append(torch.autograd.grad(bound, local.encoder[4].bias)[0])
    wants = torch.stack(wants)
    assert bool(((vae.encoder[4].bias.grad - wants.mean(0)).abs() < 9 * wants.std(0)).all()), (
        "without `noise` the gradient by the encoder's weights is wrong: z must be a function of m and v"
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 5. Training
#
# **Binary pixels.** MNIST is grey, our decoder predicts zeros and ones. We read a grey value as a probability: a pixel
# of 0.7 becomes a 1 in 70 of 100 draws. The training images are drawn anew each time they are used (*dynamic
# binarisation*), so no two epochs are the same and the network cannot memorise an image. The test images are drawn
# once, from a fixed generator, so that all students measure on the same images.
#
# **Optimiser.** Adam with learning rate 0.001, batches of `B` = 100, `K` = 64 latents. Several networks are trained
# that differ only in their seed: one run alone proves little.
#
# **While you wait.** You see a progress bar for each network. If the session is interrupted, run the cells again:
# training continues from the last checkpoint.

# %%
STEPS = run.size(full=10_000, mini=500, grade=3)
SEEDS = run.size(full=3, mini=3, grade=1)
BATCH, LEARNING_RATE, Z_DIM = 100, 1e-3, 64

test_x = torch.bernoulli(digits.test_images.reshape(-1, 784), generator=torch.Generator().manual_seed(1))
test_x = test_x.to(run.device)  # [N, D], zeros and ones


def train_vae(name: str, seed: int, beta: float = 1.0) -> tuple[VAE, dict[str, list[float]]]:
    """Trains one network on rec + beta * kl and returns it with its history (`nelbo`, `kl`, `rec` at each step)."""
    homework.seed_everything(seed)
    vae = VAE(z_dim=Z_DIM).to(run.device)
    optimizer = torch.optim.Adam(vae.parameters(), lr=LEARNING_RATE)
    loop = training.Loop(
        run,
        name,
        steps=STEPS,
        modules={"model": vae, "optimizer": optimizer},
        code=[sample_gaussian, kl_standard_normal, negative_elbo_bound, train_vae, BATCH, beta],
        seed=seed,
    )
    for _ in loop:
        rows = torch.randint(len(train_pixels), (BATCH,), device=run.device)
        x = torch.bernoulli(train_pixels[rows])  # [B, D]
        bound = negative_elbo_bound(vae, x)
        loss = bound.rec + beta * bound.kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loop.record(nelbo=bound.nelbo.detach(), kl=bound.kl.detach(), rec=bound.rec.detach())
    return vae, loop.history


@torch.no_grad()
def measure_terms(vae: VAE, draws_per_image: int = 5) -> NegativeElbo:
    """The three terms on the test images, each averaged over some draws of z, with the same noise for every network."""
    generator = torch.Generator().manual_seed(2)
    totals = torch.zeros(3, dtype=torch.float64)
    for _ in range(draws_per_image):
        for x in test_x.split(1000):
            noise = torch.randn(len(x), vae.z_dim, generator=generator).to(run.device)
            totals += len(x) * torch.stack(list(negative_elbo_bound(vae, x, noise=noise))).double().cpu()
    return NegativeElbo(*(totals / (draws_per_image * len(test_x))))


def mean_and_error(values: list[float]) -> str:
    """The mean with its standard error over runs, as text; the error needs at least two runs."""
    spread = torch.tensor(values, dtype=torch.float64)
    error = f" ± {float(spread.std()) / math.sqrt(len(values)):.2f}" if len(values) > 1 else ""
    return f"{float(spread.mean()):.2f}{error}"


# %% [markdown]
# **Predict, then run.** A network that knows nothing gives each pixel the probability ½. How many nats is that for 784
# pixels? Sketch how each of the two terms will move, over the first 100 steps and then until the end.

# %% tags=["train"]
untrained_terms = measure_terms(VAE(z_dim=Z_DIM).to(run.device))
trained = [train_vae("vae", seed) for seed in range(SEEDS)]
terms = [measure_terms(vae) for vae, _ in trained]

# %% tags=["experiment"]
print(
    f"untrained network: negative ELBO {float(untrained_terms.nelbo):.1f} nats per test image; 784 log 2 = {784 * math.log(2):.1f}"
)
print(f"after {STEPS:,} steps, mean ± standard error over {SEEDS} runs:")
for term, meaning in {"nelbo": "negative ELBO", "kl": "KL term", "rec": "reconstruction term"}.items():
    print(f"  {meaning:20s} {mean_and_error([float(getattr(each, term)) for each in terms])}")

# %% [markdown]
# **Headline: what to expect on the test images** (nats per image, mean ± standard error over 3 seeds; measured on a
# CPU).
#
# | profile | negative ELBO | KL term | reconstruction term |
# |---|---|---|---|
# | `full`, MNIST, 10,000 steps | 98.1 ± 0.2 | 24.9 ± 0.1 | 73.2 ± 0.2 |
# | `mini`, embedded digits, 500 steps | 101.0 ± 0.5 | 13.6 ± 0.1 | 87.3 ± 0.6 |
#
# ### The two terms over training

# %% tags=["experiment"]
history = trained[0][1]
named = {"KL term": history["kl"], "reconstruction term": history["rec"], "negative ELBO": history["nelbo"]}
plots.curves(
    {name: values[:100] for name, values in named.items()},
    title="The first 100 steps (seed 0)",
    xlabel="step",
    ylabel="nats per training image",
)

# %% tags=["experiment"]
SKIP = run.size(full=20, mini=20, grade=1)  # the first steps, shown above
plots.curves(
    {name: (range(SKIP, STEPS), values[SKIP:]) for name, values in named.items()},
    title=f"The two terms from step {SKIP} on (seed 0, logarithmic axis)",
    xlabel="step",
    ylabel="nats per training image",
    smooth=run.size(full=200, mini=10, grade=0),
    logy=True,
)

# %% [markdown]
# The reconstruction term starts near 784 log 2 = 543 nats. In `mini` it falls to about 155 within 30 steps, which is hardly more than the 152 nats of a fixed image, the mean of all training images: so far the latents have paid for almost nothing. In the first ten steps, while it falls by more than 300 nats, the KL term jumps to about 90 (with other seeds, to 80). Then it falls to about 4. After about 100 steps it grows again while the negative ELBO falls: now each nat of KL saves several nats of reconstruction.

# %% [markdown]
# ## 6. `importance_weighted_bound`: a tighter bound (6 points)
#
# Section 5 measured a bound. Can we get nearer to $-\log p(x)$ without training again? Write $p(x)$ as an average over $q$:
#
# $$p(x) = \int p(z)\, p(x \mid z)\, dz = \mathbb E_{z \sim q}\Big[\underbrace{\frac{p(x \mid z)\, p(z)}{q(z \mid x)}}_{\text{weight } w(z)}\Big] .$$
#
# For each image we draw $z_1, \dots, z_M$ from $q(z \mid x)$, independently of each other. The mean of their weights estimates $p(x)$ without bias. The logarithm is concave, so by Jensen's inequality
#
# $$\mathbb E\Big[\log \frac1M \sum_{i=1}^{M} w(z_i)\Big] \;\le\; \log p(x) .$$
#
# For $M = 1$ the left side is the ELBO. It never falls when $M$ grows, and it tends to $\log p(x)$ if the weights do not vary too wildly (Burda and others 2016). So $M$ draws give a tighter bound for the same network.
#
# **Your task.** Estimate the *negative* of this bound from `samples` = $M$ draws per image, and average it over the images of the batch. The result must be differentiable, because one can also train on it (section 10). Images have `D` = 784 pixels, so $p(x \mid z)$ can be smaller than $e^{-104}$, which float32 rounds to 0: think about the order of your operations.
#
# `encode` and `decode` take rows, `[N, D]` and `[N, K]`, and so does your `sample_gaussian`; `noise` has shape `[M, B, K]`.
#
# *Worked numbers.* `PaperVAE`, one image `x = [[1, 0, 0]]`. With one draw, `noise = [[[0, 0]]]` gives **1.480829** and `noise = [[[1, 1]]]` gives **4.666070**; both draws together, `samples = 2`, give **2.133441**. Compute the first one by hand. Section 4 gave 2.980829 for the same image and the same noise. Why do the two differ, although both estimate the same bound?
#
# <details><summary>Hint 1: idea</summary>
#
# Work out three densities at the draw $z$: the prior, the approximate posterior and the pixels. They give $\log w$ for each draw and image, `[M, B]`: a sum over latents and pixels. (At a single draw, $\log q(z \mid x) - \log p(z)$ replaces your closed-form KL, which is its mean; it may be negative.) Then, for each image, take the logarithm of the mean of $M$ weights, without computing a weight. Average over the batch last.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $\log N(z; m, v) = -\tfrac12 \log(2 \pi v) - \tfrac{(z - m)^2}{2v}$ for each latent, and the prior has $m = 0$, $v = 1$. With $\ell_i = \log w(z_i)$ and their largest value $\ell_{\max}$: $\log \tfrac1M \sum_i e^{\ell_i} = \ell_{\max} + \log \sum_i e^{\ell_i - \ell_{\max}} - \log M$.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# Encode once. Repeat the rows of `m`, `v` and `x`, with `repeat(samples, 1)`: row `i * B + b` belongs to draw `i` of image `b`, as in `noise.reshape(-1, K)`. Draw, decode, compute `log_w` for all rows, then `reshape(samples, -1)`. `torch.logsumexp` over the draws, minus `math.log(samples)`; the mean; the sign.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "importance_weighted_bound", "locked": false, "schema_version": 3, "solution": true, "task": false}
def importance_weighted_bound(vae, x, samples, noise=None):
    """The negative importance-weighted bound of binary images, in nats per image.

    Burda, Grosse and Salakhutdinov 2016 (arXiv:1509.00519), section 3, with the opposite sign.

    Args:
        vae: offers `encode(x) -> (m, v)` (means and variances, `[N, K]`) and `decode(z) -> logits` (`[N, D]`), for x
            `[N, D]` and z `[N, K]`.
        x: images of zeros and ones, `[B, D]`, floating point.
        samples: draws per image, M, at least 1.
        noise: standard normal numbers, `[M, B, K]`, with which the draws are made; fresh ones if it is None.

    Returns:
        A differentiable scalar, averaged over the batch. Example: `PaperVAE()` with x = [[1, 0, 0]], samples = 2 and
        noise = [[[0, 0]], [[1, 1]]] gives 2.133441.
    """
    ### BEGIN SOLUTION
    m, v = vae.encode(x)
    m, v, pixels = (rows.repeat(samples, 1) for rows in (m, v, x))  # [B, ...] -> [M * B, ...]
    z = sample_gaussian(m, v, None if noise is None else noise.reshape(m.shape))
    log_pixels = -F.binary_cross_entropy_with_logits(vae.decode(z), pixels, reduction="none").sum(dim=-1)
    log_ratio = ((z - m) ** 2 / v + torch.log(v) - z**2).sum(dim=-1) / 2  # log p(z) - log q(z | x)
    log_w = (log_pixels + log_ratio).reshape(samples, -1)  # [M * B] -> [M, B]
    return (math.log(samples) - torch.logsumexp(log_w, dim=0)).mean()
    ### END SOLUTION


# %%
DRAWS = [1, 2, 5, 10, 20, 50, 100]


class ToyVAE(nn.Module):
    """A VAE whose evidence can be computed: 8 pixels that all have the sum of the latents as logit, and a fixed q(z | x).

    Args:
        m: the means of q(z | x), one for each latent.
        v: its variances.
    """

    def __init__(self, m: list[float], v: list[float]) -> None:
        super().__init__()
        self.m, self.v = torch.tensor(m), torch.tensor(v)

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The same means and variances for each image of x `[B, 8]`: two tensors `[B, K]`."""
        return self.m.repeat(len(x), 1), self.v.repeat(len(x), 1)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """The logits, `[B, 8]`, for latents z `[B, K]`."""
        return z.sum(dim=-1, keepdim=True).expand(*z.shape[:-1], 8)


# %% nbgrader={"grade": true, "grade_id": "test_importance_weighted_bound", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} seconds=30
paper = student.PaperVAE()
x = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
noise = torch.tensor([[[0.0, 0.0], [1.0, 0.0]], [[1.0, 1.0], [0.0, -1.0]]])  # [M, B, K] = [2, 2, 2]
try:
    first, second = (student.importance_weighted_bound(paper, x[:1], 1, noise=noise[[i]][:, :1]) for i in (0, 1))
except (RuntimeError, ValueError) as error:
    hint = "two shapes do not fit (see the error above): M draws of B images are M * B rows of z, so x needs M * B rows, too"
    raise AssertionError(hint) from error
assert has_shape(first, (), "return a scalar: the average over the batch, also over a batch of one")
assert abs(float(first) + 1.480829) > 1e-4, "the sign: return the negative of the bound, as in section 4"
assert abs(float(first) - 2.980829) > 1e-4, (
    "this is kl + rec with the closed form of the KL; the weight needs log q(z | x) - log p(z) at the draw z itself"
)
assert abs(float(first) - 2.173976) > 1e-4, "log v is missing: a normal density has a factor 1 / sqrt(2 pi v)"
assert min(abs(float(first) + 0.357048), abs(float(first) - 3.318706)) > 1e-4, "2 pi must be in both normal densities"
assert abs(float(first) - 0.787682) > 1e-4, "v is a variance; the deviation of q(z | x) is its root"
assert abs(float(first) + 0.857048) > 1e-4, "the prior p(z) is missing in the weight"
assert abs(float(first) - 4.011853) > 1e-4, "the density q(z | x), by which the weight is divided, is missing"
assert abs(float(first) - 0.364845) > 1e-4, "a log-likelihood is a sum over the pixels, not their mean"
again = student.importance_weighted_bound(paper, x[:1], 1, noise=noise[:1, :1])
assert close(again, first, "the same `noise` gave two different bounds: when `noise` is given, use it and draw nothing")
assert abs(float(first) - 1.867123) > 1e-4, "the ratio is upside down: w = p(x | z) p(z) / q(z | x)"
assert close(first, torch.tensor(1.480829), "the worked number: one draw with noise 0; densities of p(z), q(z | x), x")
assert close(second, torch.tensor(4.666070), "the worked number: one draw with noise 1; v is a variance, z the draw")
both = student.importance_weighted_bound(paper, x[:1], 2, noise=noise[:, :1])
assert abs(float(both) - 3.073450) > 1e-4, "the mean of two logarithms is the ELBO again: first the mean, then the log"
assert abs(float(both) - 1.440294) > 1e-4, "the weights are added up: the bound needs their mean, so - log M is missing"
assert close(both, torch.tensor(2.133441), "the worked number with two draws: -log of the mean of the two weights")
same = student.importance_weighted_bound(paper, x[:1], 5, noise=noise[:1, :1].repeat(5, 1, 1))
assert close(same, first, "five equal draws have the bound of one: their mean weight is the weight of each")
apart = [student.importance_weighted_bound(paper, x[i : i + 1], 2, noise=noise[:, i : i + 1]) for i in (0, 1)]
batch = student.importance_weighted_bound(paper, x, 2, noise=noise)
assert close(
    batch, (apart[0] + apart[1]) / 2, "two images: keep the draws of each image together, average over images last"
)
with part("weights that float32 rounds to 0", 0.5):
    far = torch.tensor([[[-200 / math.log(3.0) - 1, 100.0]], [[-200 / math.log(3.0) - 1, 100.0]]])
    bound = student.importance_weighted_bound(paper, x[:1], 2, noise=far)
    assert bool(torch.isfinite(bound)), "the weights are too small for float32: never leave the logarithm (logsumexp)"
    assert close(
        bound, torch.tensor(15216.76), "two equal, tiny weights: add nothing to them, stay with logarithms", rtol=1e-3
    )
free = [student.importance_weighted_bound(paper, x, 3) for _ in range(2)]
assert bool(free[0] != free[1]), "two calls without noise gave the same bound: draw fresh noise in each call"
wide = student.ToyVAE([0.0], [4.0])
few, many = (student.importance_weighted_bound(wide, torch.ones(500, 8), draws) for draws in (1, 20))
assert float(many) < float(few) - 0.5, "20 draws gave no lower number than one: each draw needs noise of its own"
print("importance_weighted_bound: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(50)
local = VAE(z_dim=3, x_dim=12, hidden=8)
state = {name: 0.4 * torch.randn(weight.shape, generator=g) for name, weight in local.state_dict().items()}
local.load_state_dict(state)
vae = student.VAE(z_dim=3, x_dim=12, hidden=8)
vae.load_state_dict(state)


def bounds_of(model, x, noise):
    """The bound of each image by its definition: densities from torch.distributions, draw by draw."""
    m, v = model.encode(x)
    logs = []
    for eps in noise:
        z = m + v.sqrt() * eps
        prior, posterior = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(m, v.sqrt())
        log_x = torch.distributions.Bernoulli(logits=model.decode(z)).log_prob(x).sum(-1)
        logs.append(log_x + (prior.log_prob(z) - posterior.log_prob(z)).sum(-1))
    return math.log(len(noise)) - torch.stack(logs).logsumexp(0)


with part("one draw", 1):
    for B in (1, 4, 37):
        x = (torch.rand(B, 12, generator=g) < 0.4).float()
        noise = torch.randn(1, B, 3, generator=g)
        got = student.importance_weighted_bound(vae, x, 1, noise=noise)
        assert has_shape(got, (), "a scalar, the average over the batch")
        hint = "one draw: -log p(x | z) - log p(z) + log q(z | x), summed over pixels and latents"
        assert close(got, bounds_of(local, x, noise).mean().detach(), hint)
with part("several draws", 2):
    for M, B in ((2, 5), (5, 2), (3, 3), (8, 1), (40, 6)):
        x = (torch.rand(B, 12, generator=g) < 0.4).float()
        noise = torch.randn(M, B, 3, generator=g)
        got = student.importance_weighted_bound(vae, x, M, noise)
        want = bounds_of(local, x, noise).mean().detach()
        assert close(
            got, want, "several draws: the logarithm of the mean weight of each image, averaged over the images"
        )
        order = torch.randperm(M, generator=g)
        got = student.importance_weighted_bound(vae, x, M, noise=noise[order])
        assert close(got, want, "the order of the draws does not matter")
with part("weights of very different size", 0.5):
    extreme = {name: 300 * weight if name.startswith("decoder.4") else weight for name, weight in state.items()}
    sharp, sharper = student.VAE(z_dim=3, x_dim=12, hidden=8), VAE(z_dim=3, x_dim=12, hidden=8)
    x = torch.tensor([[1.0, 0.0] * 6, [0.0, 1.0] * 6])
    noise = torch.randn(4, 2, 3, generator=g)
    sharp.load_state_dict(extreme)
    sharper.load_state_dict(extreme)
    got = student.importance_weighted_bound(sharp, x, 4, noise=noise)
    assert close(
        got,
        bounds_of(sharper, x, noise).mean().detach(),
        "weights that differ by factors of e^100 and more: stay with logarithms",
    )
with part("gradients", 1):
    x = (torch.rand(5, 12, generator=g) < 0.5).float()
    noise = torch.randn(4, 5, 3, generator=g)
    tight = student.importance_weighted_bound(vae, x, 4, noise=noise)
    assert tight.requires_grad, "the bound must stay differentiable"
    tight.backward()
    picks = [(0, "encoder"), (4, "encoder"), (0, "decoder"), (4, "decoder")]
    grads = [getattr(vae, half)[layer].weight.grad for layer, half in picks]
    assert all(grad is not None for grad in grads), "no gradient reaches the encoder or the decoder"
    wants = torch.autograd.grad(
        bounds_of(local, x, noise).mean(), [getattr(local, half)[layer].weight for layer, half in picks]
    )
    for grad, want in zip(grads, wants, strict=True):
        hint = "the gradient of the bound by the weights is wrong: is z, m, v or a density detached?"
        assert close(grad, want, hint, rtol=1e-3, atol=1e-5)
with part("noise drawn inside", 1):
    N, M = 10_000, 4
    means, variances = torch.randn(2, generator=g).tolist(), (2 * torch.rand(2, generator=g) + 1).tolist()
    toy, here = student.ToyVAE(means, variances), ToyVAE(means, variances)
    ones = torch.tensor([[1.0] * 6 + [0.0] * 2]).repeat(N, 1)
    for draws in (1, M):
        simulated = bounds_of(here, ones, torch.randn(draws, N, 2, generator=g))
        got = [student.importance_weighted_bound(toy, ones, draws) for _ in range(4)]
        bound = 6 * float(simulated.std()) * math.sqrt(2 / N)
        assert len({float(value) for value in got}) > 1, "each call without noise must draw fresh noise"
        assert all(abs(float(value) - float(simulated.mean())) <= bound for value in got), (
            "without `noise` each draw, image and latent needs standard normal noise of its own"
        )
    x = (torch.rand(2000, 12, generator=g) < 0.5).float()
    vae.zero_grad()
    bound = student.importance_weighted_bound(vae, x, 3)
    assert bound.requires_grad, "without `noise`, too, the bound must stay differentiable"
    bound.backward()
    free, bias = vae.encoder[4].bias.grad, local.encoder[4].bias
    draws = [torch.randn(3, 2000, 3, generator=g) for _ in range(25)]
    wants = torch.stack([torch.autograd.grad(bounds_of(local, x, one).mean(), bias)[0] for one in draws])
    assert bool(((free - wants.mean(0)).abs() < 9 * wants.std(0)).all()), (  # no right answer is so far away
        "without `noise` the gradient by the encoder's weights is wrong: z must be a function of m and v"
    )
    width = 24 / 4000
    line = torch.linspace(-12, 12, 4001, dtype=torch.float64)
    log_joint = torch.distributions.Normal(0.0, 1.0).log_prob(line) + 6 * F.logsigmoid(line) + 2 * F.logsigmoid(-line)
    exact = -float(torch.logsumexp(log_joint, 0) + math.log(width))
    got = student.importance_weighted_bound(student.ToyVAE([0.7], [0.8]), ones[:500], 400)
    assert abs(float(got) - exact) < 0.02, "with many draws and a wide q the bound must be near -log p(x)"
### END HIDDEN TESTS

# %% [markdown]
# ### A narrow q and a wide q
#
# First a case in which $\log p(x)$ is known: `ToyVAE` with one latent, and an image with six ones. The true posterior has mean 0.72 and variance 0.38, and its $p(x)$ is a sum over the grid of section 1. We take two wrong $q$ with the right mean: a narrow one ($v$ = 0.023) and a wide one ($v$ = 2.3).

# %% tags=["experiment"]
toy_evidence = normal_log_density(grid, 0.0, 1.0) + 6 * F.logsigmoid(grid) + 2 * F.logsigmoid(-grid)
toy_limit = -float(toy_evidence.exp().sum().log() + (grid[1] - grid[0]).log())
WIDTHS = {"narrow q, v = 0.023": 0.023, "wide q, v = 2.3": 2.3}
near = (grid > -3) & (grid < 5)
densities = {name: normal_log_density(grid[near], 0.72, width).exp() for name, width in WIDTHS.items()}
densities["true posterior"] = (toy_evidence[near] + toy_limit).exp()
plots.curves(
    {name: (grid[near], values) for name, values in densities.items()},
    title="The toy model: its posterior, and two wrong q",
    xlabel="z",
    ylabel="density",
)

# %% [markdown]
# With $M$ = 1 the narrow one is the better of the two: its bound is off by 0.9 nats, that of the wide one by 1.4.
#
# **Predict, then run.** Which of the two is nearer to $-\log p(x)$ with $M$ = 5, and with $M$ = 100?

# %% tags=["experiment"]
REPEATS = run.size(full=4000, mini=4000, grade=20)
toy_images = torch.tensor([[1.0] * 6 + [0.0] * 2]).repeat(REPEATS, 1)  # the same image many times: a precise average
toy_bounds = {}
for name, width in WIDTHS.items():
    generator = torch.Generator().manual_seed(0)
    noises = [torch.randn(count, REPEATS, 1, generator=generator) for count in DRAWS]
    toy = ToyVAE([0.72], [width])
    toy_bounds[name] = [float(importance_weighted_bound(toy, toy_images, len(noise), noise=noise)) for noise in noises]
plots.curves(
    {name: (DRAWS, values) for name, values in toy_bounds.items()},
    title="The negative bound of the toy model, averaged over many repetitions",
    xlabel="draws per image, M",
    ylabel="nats",
    logx=True,
    levels={"-log p(x)": toy_limit},
)

# %% [markdown]
# The wide $q$ overtakes at $M$ = 2: with a few draws some of them hit the posterior, and the weights tell which. The narrow $q$ hardly ever draws where the posterior still has mass, and no weight can repair what was never drawn. With $M$ = 100 it is still 0.4 to 0.5 nats away.
#
# ### Your own network
#
# Now your networks on (at most 1,000) test images. **Predict, then run.** By how many nats does $M$ = 100 lower the number of section 5: a hundredth, one, five? Has the curve become flat at $M$ = 100?

# %%
MOST_DRAWS = run.size(full=100, mini=100, grade=2)
draws_tried = [count for count in DRAWS if count <= MOST_DRAWS]


@torch.no_grad()
def measure_bound(vae: VAE, draws: int) -> float:
    """The negative importance-weighted bound on the first 1,000 test images, with the same noise for every network."""
    generator, total = torch.Generator().manual_seed(6), 0.0
    images = test_x[:1000]
    for x in images.split(100):
        noise = torch.randn(draws, len(x), vae.z_dim, generator=generator).to(run.device)
        total += len(x) * float(importance_weighted_bound(vae, x, draws, noise=noise))
    return total / len(images)


# %% tags=["train"]
bounds_by_draws = torch.tensor(
    [[measure_bound(vae, count) for count in draws_tried] for vae, _ in trained]
)  # [runs, M]

# %% tags=["experiment"]
for count, values in zip(draws_tried, bounds_by_draws.T, strict=True):
    print(f"M = {count:3d}: negative bound {mean_and_error(values.tolist())}")
plots.curves(
    {"your networks": (draws_tried, bounds_by_draws.mean(dim=0))},
    band={"your networks": bounds_by_draws.std(dim=0, correction=0) / max(1, SEEDS - 1) ** 0.5},
    title=f"One network, several bounds (mean ± standard error over {SEEDS} runs)",
    xlabel="draws per image, M",
    ylabel="negative bound, nats per test image",
    logx=True,
)

# %% [markdown]
# In `mini` a hundred draws lower the number by 5 to 6 nats, to 95.3 ± 0.6 for our three seeds, and the first five draws bring more than half of this. (In one `full` run 97.9 fell to 92.9.) The network is the same: only our knowledge of it has changed. The curve is not flat yet (500 draws lower it by another 0.3 to 0.6 nats), so $-\log p(x)$ is lower still.
# %% [markdown]
# ## 7. Drawing from the model (3 points)
#
# Now we use the generative model of section 1: draw $z \sim N(0, I)$, decode it, and look at the pixels. No image and
# no encoder is involved.
#
# **Your task.** In the cell below, draw 200 latents from the prior and show them as a grid of 10 rows and 20 columns. Show
# the *probabilities* $\mu$ (which `pixel_probabilities` gives), not zeros and ones drawn from them: the decoder's pixels are
# independent given $z$, so drawn pixels show noise that says nothing about the model. Use the network of seed 0,
# `trained[0][0]`, draw once, and do not choose the best picture of several. (Running the cell again may change the picture; you may seed a generator, but need not.) The figure needs a title that says what it shows. Then run the cell and leave the picture in the notebook: it is graded by hand.


# %%
@torch.no_grad()
def pixel_probabilities(vae: VAE, z: torch.Tensor) -> torch.Tensor:
    """The probability of a 1 for each pixel, `[B, 784]`, on the CPU, for latents z `[B, K]`."""
    return torch.sigmoid(vae.decode(z.to(run.device))).cpu()


# %% nbgrader={"grade": true, "grade_id": "figure_samples", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false} tags=["experiment"]
# `plots.image_grid(images, rows=..., columns=..., title=...)` takes images [N, 784] with values in [0, 1].
### BEGIN SOLUTION
prior_draws = torch.randn(200, Z_DIM, generator=torch.Generator().manual_seed(3))
samples = pixel_probabilities(trained[0][0], prior_draws)
plots.image_grid(
    samples, rows=10, columns=20, title=f"200 digits drawn from the model ({digits.name}, {STEPS:,} steps)"
)
### END SOLUTION
### BEGIN MARK SCHEME
# * 1 point: 200 images in 10 rows and 20 columns, with a title that says what is shown
# * 1 point: drawn from the prior N(0, I) through the decoder, shown as probabilities (smooth grey, no pixel noise); not reconstructions
# * 1 point: most images look like strokes of handwriting and at least six different digits can be recognised (a mini run may be blurred)
### END MARK SCHEME

# %% [markdown]
# ### Are they digits, and are they new?
#
# Our eyes are generous, so let us also compare with the training images. A nearest-neighbour classifier reads each
# sample: the majority among its five nearest training images is its digit. Two numbers tell how reliable this
# classifier is: how often it is right on test images, and how often its five neighbours agree.
#
# **Predict, then run.** Will all ten digits be drawn equally often? Will a sample be nearer to its nearest training image than a
# test image is, or farther?


# %%
def nearest_digits(images: torch.Tensor, k: int = 5) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Classifies images by their k nearest training images (of the first 10,000).

    Args:
        images: `[N, D]`, values in [0, 1].
        k: number of neighbours that vote.

    Returns:
        The majority's digit `[N]`, the share of neighbours that agree with it `[N]`, and the distance to the nearest `[N]`.
    """
    known, labels = digits.train_images[:10_000].reshape(-1, 784), digits.train_labels[:10_000]
    distances, rows = torch.cdist(images, known).topk(k, largest=False)  # [N, k]
    votes = F.one_hot(labels[rows], 10).sum(dim=1)  # [N, k, 10] -> [N, 10]
    return votes.argmax(dim=1), votes.max(dim=1).values / k, distances[:, 0]


# %% tags=["experiment"]
drawn = pixel_probabilities(trained[0][0], torch.randn(1000, Z_DIM, generator=torch.Generator().manual_seed(4)))
drawn_digit, drawn_agreement, drawn_distance = nearest_digits(drawn)
test_pictures = digits.test_images[:1000].reshape(-1, 784)
judged, judged_agreement, judged_distance = nearest_digits(test_pictures)
judge_accuracy = float((judged == digits.test_labels[:1000]).float().mean())
class_counts = torch.bincount(drawn_digit, minlength=10).tolist()
print(f"the classifier reads {judge_accuracy:.1%} of the test images correctly")
print(
    f"neighbours agree: {float(judged_agreement.mean()):.0%} on test images, {float(drawn_agreement.mean()):.0%} on samples"
)
print(
    f"distance to the nearest training image: {float(judged_distance.mean()):.2f} for test images, {float(drawn_distance.mean()):.2f} for samples"
)
plots.bars(
    {str(digit): float(count) for digit, count in enumerate(class_counts)},
    title="1,000 samples, read by their nearest neighbours",
    xlabel="digit",
    ylabel="samples",
)

# %% tags=["experiment"]
shown = torch.cdist(drawn[:20], digits.train_images[:10_000].reshape(-1, 784)).argmin(dim=1)
plots.image_grid(
    torch.cat([drawn[:20], digits.train_images[shown].reshape(-1, 784)]),
    rows=2,
    columns=20,
    title="Samples, and the nearest training image of each",
    row_labels=["sample", "nearest"],
)

# %% [markdown]
# In `mini` every digit occurs, and none fills more than a fifth of the samples, but they are not equally frequent. The neighbours of a sample agree less often than those of a test image. And a sample is *farther* from its nearest training image than a test image is, 3.9 against 3.5.
#
# If the model copied its training images, the two rows would be the same. The samples are softer than real digits: where
# the decoder is unsure it gives a grey average, since that minimises a sum of independent pixel losses. Some samples
# are no digit at all: between the regions of the latent space that the codes of training images occupy there are others, and the prior draws from there, too. Both are properties of the method, not mistakes in
# your code.

# %% [markdown]
# ## 8. Experiments
#
# ### Interpolating between two digits
#
# Take two test images, encode both to their means, and go along the straight line from one to the other. (We take images that are reconstructed well, so that both ends are readable.)
#
# **Predict, then run.** Fading one photograph into another shows both at half strength in the middle. What will the
# decoder show in the middle of the line?

# %% tags=["experiment"]
WALK = 12
pairs = [(2, 6), (1, 7), (0, 4)]
rows_of_walks = []
with torch.no_grad():
    codes, _ = trained[0][0].encode(test_x)  # [N, K]
    losses = F.binary_cross_entropy_with_logits(trained[0][0].decode(codes), test_x, reduction="none").sum(dim=1).cpu()
    t = torch.linspace(0, 1, WALK, device=run.device)[:, None]  # [WALK, 1]
    for pair in pairs:  # of each digit the test image that is reconstructed best
        start, end = (int(losses.where(digits.test_labels == digit, math.inf).argmin()) for digit in pair)
        rows_of_walks.append(pixel_probabilities(trained[0][0], (1 - t) * codes[start] + t * codes[end]))
        rows_of_walks.append(((1 - t) * test_pixels[start] + t * test_pixels[end]).cpu())
plots.image_grid(
    torch.cat(rows_of_walks),
    rows=2 * len(pairs),
    columns=WALK,
    title="Interpolation in latent space, compared with cross-fading of the pixels",
    row_labels=["latents", "pixels"] * len(pairs),
)

# %% [markdown]
# In the latent rows, strokes move, open and close, and the images between look more or less like handwriting.
# Cross-fading only ever shows the two end images, one over the other. (The ends of the latent rows are reconstructions,
# so they are softer than the test images beside them.)
#
# ### Weighting the KL term: β
#
# The two terms need not have the same weight: train with the loss $\text{rec} + \beta\,\text{kl}$ (Higgins and others 2017).
#
# **Predict, then run.** For β = 0.1, 0.7, 1 and 8: which network has the best reconstructions, and which the best samples? Which has the lowest negative ELBO on test images (always reported with weight 1), and which the lowest bound with 100 draws? How many of the 64 latents does each use? (We call a latent *used* if its KL is at least $\frac12 \log \frac43$ = 0.14 nats: narrowing the variance from 1 to ¾ costs that much if the $m$ spread so that the average over all images stays the prior.)

# %% tags=["train"]
BETAS = (0.1, 0.7, 1.0, 8.0)
USED_FROM = 0.5 * math.log(4 / 3)  # nats
by_beta = {beta: trained[0] if beta == 1.0 else train_vae(f"beta{beta:g}", seed=0, beta=beta) for beta in BETAS}
terms_by_beta = {beta: measure_terms(vae) for beta, (vae, _) in by_beta.items()}
tight_by_beta = {beta: measure_bound(vae, MOST_DRAWS) for beta, (vae, _) in by_beta.items()}


# %%
@torch.no_grad()
def kl_per_latent(vae: VAE) -> torch.Tensor:
    """The KL of each latent, averaged over the test images, largest first: `[K]`, in nats."""
    m, v = vae.encode(test_x)  # [N, K] each
    each = [kl_standard_normal(m[:, [k]], v[:, [k]]).mean() for k in range(vae.z_dim)]
    return torch.stack(each).sort(descending=True).values.cpu()


# %% tags=["experiment"]
latents_by_beta = {beta: kl_per_latent(vae) for beta, (vae, _) in by_beta.items()}
print(f"   β    negative ELBO      KL     rec    latents used    bound, {MOST_DRAWS} draws")
for beta in BETAS:
    each = terms_by_beta[beta]
    used = int((latents_by_beta[beta] >= USED_FROM).sum())
    print(
        f"{beta:4g}    {float(each.nelbo):13.1f}  {float(each.kl):6.1f}  {float(each.rec):6.1f}"
        f"    {used:3d} of {Z_DIM}    {tight_by_beta[beta]:17.1f}"
    )

# %% tags=["experiment"]
plots.curves(
    {f"β = {beta:g}": (list(range(1, Z_DIM + 1)), latents_by_beta[beta]) for beta in BETAS},
    title="Which latents are used: KL of each, largest first",
    xlabel="latent, sorted",
    ylabel="nats per test image",
    logy=True,
    levels={f"used from {USED_FROM:.2f} nats": USED_FROM},
)

# %% tags=["experiment"]
with torch.no_grad():
    originals = test_x[:20]
    rows_of_images = [originals.cpu()]
    rows_of_images += [pixel_probabilities(vae, vae.encode(originals)[0]) for vae, _ in by_beta.values()]
plots.image_grid(
    torch.cat(rows_of_images),
    rows=1 + len(BETAS),
    columns=20,
    title="Test images and their reconstructions",
    row_labels=["image", *(f"β = {beta:g}" for beta in BETAS)],
)

# %% tags=["experiment"]
same_draws = torch.randn(20, Z_DIM, generator=torch.Generator().manual_seed(5))
plots.image_grid(
    torch.cat([pixel_probabilities(vae, same_draws) for vae, _ in by_beta.values()]),
    rows=len(BETAS),
    columns=20,
    title="Samples from the same draws of the prior",
    row_labels=[f"β = {beta:g}" for beta in BETAS],
)

# %% [markdown]
# Which figures surprised you? Question (b) asks you to explain them. One point is easily misread: the reported number has weight 1, but the network with the lowest one need not be trained with β = 1. In `mini`, β = 0.7 has a lower negative ELBO than β = 1 for each of the six seeds that we tried, by 0.7 to 2.4 nats, and a lower bound with 100 draws. After 500 steps the loss still falls, and with the cheaper KL term the network uses more latents by then. (In `full`, one run each, β = 1 was better: 98.3 against 98.8.) Some authors raise β slowly from 0 to 1 during training (Sønderby and others 2016).
#
# **Where the method fails.** Samples are blurred. All numbers reported are *bounds*. Many latents stay unused even at β = 1: a latent that saves fewer nats of reconstruction than its KL costs is switched off, and then the decoder has no reason to use it (*posterior collapse*). And the standard errors above are over seeds only; they do not say how the numbers would change with other test images.

# %% [markdown]
# ## 9. Questions
#
# ### (a) The three numbers (3 points)
#
# Give the mean and the standard error over your runs of the negative ELBO, the KL term and the reconstruction term on the test images, and name the profile and the number of runs. Read the two terms as parts of a message that sends a test image: which information does each pay for? And suppose that another network has a negative ELBO 2 nats lower than yours: does it follow that it makes the test images more likely? Use your bounds with more draws. About 120 words.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_terms", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The numbers are those of the headline table for my profile, each as mean ± standard error over 3 runs, in nats per test
# image; the negative ELBO is the sum of the other two.
#
# The KL term measures how far q(z | x) is from the prior on average: the nats that the latents use to distinguish this image from others. The reconstruction term is the expected code length of the pixels once z is known: the information that is not in the latents.
#
# It does not follow. The sum is an upper bound of −log p(x), and the gap KL(q(z | x) ‖ p(z | x)) may differ between networks. With 100 draws my number falls by more than 5 nats for the same network, so its gap is at least as large: 2 nats less may be a smaller gap or a better model. The standard error is over seeds only; it says nothing about other test sets.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: three means with standard errors, the profile and the number of runs; kl + rec = nelbo up to rounding; values near the headline table
# * 1 point: KL term as distance of q(z | x) from the prior (information carried by z), reconstruction term as code length or negative log-likelihood of the pixels given z
# * 1 point: it does not follow: the sum only bounds −log p(x) from above, and the gap differs between networks; own bounds with more draws show that the gap is larger than 2 nats
# ### END MARK SCHEME

# %% [markdown]
# ### (b) The two ends of β (3 points)
#
# Suppose you trained with β = 0, and then with β → ∞. For each: what would training do to the encoder's $m$ and $v$, what would reconstructions look like, and what would samples from the prior look like? Which of your figures for β = 0.1 and β = 8 show the beginning of it? And for which β is the objective, $-(\text{rec} + \beta\,\text{kl})$ averaged over $q$, a lower bound of $\log p(x)$ for every model and every $q$, and when can it equal $\log p(x)$? About 150 words.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_beta", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# β = 0 leaves only the reconstruction term, and noise in z only hurts it: the encoder shrinks v towards 0 and spreads
# the m of different images far apart. The result is an ordinary autoencoder: the sharpest reconstructions, and poor
# samples,
# since N(0, I) is not where the codes are. The rows with β = 0.1 show the beginning of it: best reconstructions, highest KL,
# least digit-like samples.
#
# β → ∞ forces the KL to 0: m = 0 and v = 1 for every image, so z carries no information. The decoder can only give the
# mean image, the same for all reconstructions and all samples. The rows with β = 8 go that way: hardly any latent used, soft and similar images.
#
# The objective is the ELBO minus (β − 1) KL. For β ≥ 1 that is a lower bound of log p(x). With β = 1 it touches when q is the true posterior. With β > 1 it is looser by (β − 1) KL, and touches only if that KL is 0 as well: q = posterior = prior, so z says nothing about x. With β < 1 part of the KL is missing, and the objective can lie above log p(x): no bound.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: β = 0: v shrinks, codes spread, an autoencoder; good reconstructions, poor samples from the prior
# * 1 point: β → ∞: q equals the prior, KL 0, z ignored; everything decoded to the mean image
# * 1 point: refers to own figures, and says: a bound for β ≥ 1 (looser above 1), none in general for β < 1; touches for β = 1 where q is the posterior, for β > 1 only if q is posterior and prior at once (z unused)
# ### END MARK SCHEME

# %% [markdown]
# ## 10. Two experiments for the curious (not graded)
#
# **Train on the tighter bound.** If the bound with $M$ draws is nearer to $\log p(x)$, why not maximise that one? The next cell trains a network on your `importance_weighted_bound` with $M$ = 5. **Predict, then run.** Compared with section 5: is its negative ELBO ($M$ = 1) lower or higher? Its bound with 100 draws? Will it use more latents or fewer?


# %%
def train_tighter(name: str, seed: int, draws: int = 5) -> VAE:
    """Trains one network on the importance-weighted bound, with the settings of `train_vae`."""
    homework.seed_everything(seed)
    vae = VAE(z_dim=Z_DIM).to(run.device)
    optimizer = torch.optim.Adam(vae.parameters(), lr=LEARNING_RATE)
    code = [sample_gaussian, importance_weighted_bound, train_tighter, BATCH, draws]
    modules = {"model": vae, "optimizer": optimizer}
    for _ in training.Loop(run, name, steps=STEPS, modules=modules, code=code, seed=seed):
        rows = torch.randint(len(train_pixels), (BATCH,), device=run.device)
        optimizer.zero_grad()
        importance_weighted_bound(vae, torch.bernoulli(train_pixels[rows]), draws).backward()
        optimizer.step()
    return vae


# %% tags=["train"]
tighter = train_tighter("tighter", seed=0)

# %% tags=["experiment"]
trained_on = {"ELBO": trained[0][0], "M = 5": tighter}
elbo_of = {name: float(measure_terms(vae).nelbo) for name, vae in trained_on.items()}
tight_of = {name: measure_bound(vae, MOST_DRAWS) for name, vae in trained_on.items()}
used_of = {name: int((kl_per_latent(vae) >= USED_FROM).sum()) for name, vae in trained_on.items()}
print(f"trained on    negative ELBO    bound, {MOST_DRAWS} draws    latents used")
for name in trained_on:
    print(f"{name:10s}    {elbo_of[name]:13.1f}    {tight_of[name]:16.1f}    {used_of[name]:12d}")

# %% [markdown]
# Two networks, two bounds, two winners: which of the two models would you call better, and why may its $q(z \mid x)$ be a worse approximation if $M$ draws are allowed?
#
# **Draw from where the codes are.** The prior says where samples come from, the encoder says where the images are. If they disagree, we can replace the prior after training: encode the training images, draw one $z$ for each, and fit one normal distribution with a full covariance matrix to these codes. **Predict, then run.** For which β does this help most? Does it help for β = 8?


# %% tags=["experiment"]
@torch.no_grad()
def refitted_draws(vae: VAE, count: int) -> torch.Tensor:
    """Draws from a normal distribution with mean and covariance of the codes of training images, `[count, K]`."""
    generator = torch.Generator().manual_seed(8)
    m, v = (each.cpu() for each in vae.encode((train_pixels[:10_000] > 0.5).float()))  # [N, K] each
    codes = m + v.sqrt() * torch.randn(m.shape, generator=generator)
    root = torch.linalg.cholesky(torch.cov(codes.T) + 1e-4 * torch.eye(vae.z_dim))
    return codes.mean(dim=0) + torch.randn(count, vae.z_dim, generator=generator) @ root.T


prior_codes = torch.randn(500, Z_DIM, generator=torch.Generator().manual_seed(7))
distance_of = {}
for beta, (vae, _) in by_beta.items():
    pictures = [pixel_probabilities(vae, codes) for codes in (prior_codes, refitted_draws(vae, 500))]
    distance_of[beta] = [float(nearest_digits(each)[2].mean()) for each in pictures]
print(f"distance to the nearest training image; test images: {float(judged_distance.mean()):.2f}")
for beta, (before, after) in distance_of.items():
    print(f"β = {beta:3g}    prior {before:.2f}    refitted {after:.2f}")
plots.image_grid(
    torch.cat(
        [
            pixel_probabilities(by_beta[0.1][0], codes[:20])
            for codes in (prior_codes, refitted_draws(by_beta[0.1][0], 20))
        ]
    ),
    rows=2,
    columns=20,
    title="Samples of the network with β = 0.1",
    row_labels=["prior", "refitted"],
)

# %% [markdown]
# ### What came after
#
# The last experiment is the seed of much later work: first learn good codes with a cheap KL term, then learn their distribution. *VQ-VAE* (van den Oord and others 2017) makes the codes discrete and learns their order with an autoregressive network. *Latent diffusion* (Rombach and others 2022) trains a diffusion model on the codes of an autoencoder, often one whose KL term has a tiny weight. *Hierarchical VAEs* (NVAE, Vahdat and Kautz 2020; Child 2021) go the other way: they keep the one bound and stack many layers of latents, with sharp images as a result.

# %% [markdown]
# ### How was it made? (not graded)
#
# Fill in what you used (lectures, papers, sites, language models), with whom you worked, and about how many hours it took. It
# is kept in the log and does not count for or against you.

# %%
process = {"sources": "", "people": "", "hours": None}

# %% [markdown]
# ## 11. Your log
#
# The next cell defines your per-student inputs: they are drawn from your student id. The last cell asks your functions for
# their answers, adds your measured numbers and writes `submission_log.json`. Submit it together with this notebook.


# %% tags=["answers"]
def personal_answers(student, draws):
    """Per-student inputs: item id -> a function that asks the student's code for its answer."""

    def ask_sample_gaussian():
        d = draws("sample_gaussian")
        return student.sample_gaussian(d.normal(3, 2), d.uniform(0.2, 3.0, 3, 2), noise=d.normal(3, 2))

    def ask_kl_standard_normal():
        d = draws("kl_standard_normal")
        return student.kl_standard_normal(d.normal(4, 3), d.uniform(0.2, 3.0, 4, 3))

    def ask_negative_elbo_bound():
        d = draws("negative_elbo_bound")
        vae = student.VAE(z_dim=2, x_dim=6, hidden=4)
        vae.load_state_dict({name: d.normal(*weight.shape) for name, weight in dict(vae.state_dict()).items()})
        return student.negative_elbo_bound(vae, d.binary(5, 6), noise=d.normal(5, 2))

    def ask_importance_weighted_bound():
        d = draws("importance_weighted_bound")
        vae = student.VAE(z_dim=2, x_dim=6, hidden=4)
        vae.load_state_dict({name: d.normal(*weight.shape) for name, weight in dict(vae.state_dict()).items()})
        return student.importance_weighted_bound(vae, d.binary(5, 6), 3, noise=d.normal(3, 5, 2))

    return {
        "sample_gaussian": ask_sample_gaussian,
        "kl_standard_normal": ask_kl_standard_normal,
        "negative_elbo_bound": ask_negative_elbo_bound,
        "importance_weighted_bound": ask_importance_weighted_bound,
    }


# %% tags=["log"]
log = SubmissionLog(run)
log.bands(  # the expected range of each number, from our own runs
    {
        "vae/test_nelbo": {"full": (94, 104), "mini": (92, 115)},
        "vae/test_kl": {"full": (20, 30), "mini": (9, 20)},
        "vae/test_rec": {"full": (66, 82), "mini": (75, 103)},
        "vae/test_bound": {"mini": (88, 106)},
        "vae/beta_0.1_test_nelbo": {"mini": (105, 155)},
        "vae/beta_0.7_test_nelbo": {"mini": (91, 113)},
        "vae/beta_1_test_nelbo": {"mini": (92, 115)},
        "vae/beta_8_test_nelbo": {"mini": (115, 170)},
    }
)
log.answers(personal_answers)
with log.measurements():
    for term in ("nelbo", "kl", "rec"):
        values = [float(getattr(each, term)) for each in terms]
        log.metric(
            f"vae/test_{term}", values=values, evidence={"values": values, "steps": STEPS, "test_images": len(test_x)}
        )
    log.metric(
        "vae/test_bound", values=bounds_by_draws[:, -1].tolist(), evidence={"draws": MOST_DRAWS, "test_images": 1000}
    )
    for beta in BETAS:
        evidence = {term: float(getattr(terms_by_beta[beta], term)) for term in ("nelbo", "kl", "rec")}
        log.metric(f"vae/beta_{beta:g}_test_nelbo", value=evidence["nelbo"], evidence=evidence)
log.process(**process)
log_file = log.write()

# %% [markdown]
# ## References
#
# * D. P. Kingma, M. Welling: *Auto-Encoding Variational Bayes*. ICLR 2014. arXiv:1312.6114. The bound, the trick, appendices B
#   and C.1.
# * D. J. Rezende, S. Mohamed, D. Wierstra: *Stochastic Backpropagation and Approximate Inference in Deep Generative Models*.
#   ICML 2014. arXiv:1401.4082. The same idea, found at the same time.
# * I. Higgins and others: *β-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework*. ICLR 2017.
# * Y. Burda, R. Grosse, R. Salakhutdinov: *Importance Weighted Autoencoders*. ICLR 2016. arXiv:1509.00519. Tighter bounds, and
#   the reporting of unused latents.
# * C. K. Sønderby and others: *Ladder Variational Autoencoders*. NeurIPS 2016. arXiv:1602.02282. Raising β during training.
# * Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: *Gradient-Based Learning Applied to Document Recognition*. Proceedings of the
#   IEEE, 1998. MNIST.
