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
# # Diffusion: destroy a picture step by step, and learn the way back
#
# Take a digit and add a little noise. Repeat this until only noise is left. Each step is so small that a network can learn to undo it. Start from pure noise, apply the learnt steps back, and you get a new digit. Each half of this notebook ends with a grid of such digits, and a film strip that shows how they come out of the noise.
#
# The first half uses black and white pixels, where the noise is a coin toss. The second half uses grey pixels and Gaussian noise, the form in which the method became famous. Both halves have the same plan: jump to any step, compute one step back given the clean image, define a loss, train, draw samples.
#
# **What you will learn**
#
# * how to jump to any step of a noise process, and how to check the jump by simulation;
# * what one step back looks like when the clean image is known (Bayes' rule), and why a network must learn it;
# * why predicting the noise and predicting the picture are the same thing;
# * how to draw samples with fewer steps, and how much quality is lost.
#
# **What you need**: conditional probabilities, normal distributions, and a little PyTorch.
#
# | | profile `full` | profile `mini` |
# |---|---|---|
# | data | MNIST, 28 × 28 pixels | embedded digits, 14 × 14 pixels |
# | training | 2 networks of 10,000 steps | 2 networks of 2,000 steps |
# | hardware | a GPU, for instance on Colab | any laptop, no network |
# | time to run | five to six minutes (estimated, section 6) | about two minutes |
#
# Plan four to five hours for reading, writing and thinking. The profile is `full` where there is a GPU, else `mini`; the environment variable `HOMEWORK_PROFILE` changes it. All graded code is checked on tiny inputs, so you can do everything in `mini` first.
#
# **Your student id** goes into your log: the last cell asks for it. To answer in advance, run `%env HOMEWORK_STUDENT=your_id` in a cell of its own.
#
# | graded | points |
# |---|---|
# | `replaced_probability` | 0.5 |
# | `sample_yt` | 2 |
# | `posterior_plus_one` | 3 |
# | `binary_diffusion_loss` | 3 |
# | `cumulative_alphas` | 0.5 |
# | `q_sample` | 2 |
# | `q_posterior` | 2 |
# | `ddpm_loss` | 1.5 |
# | `p_sample` | 1.5 |
# | `draw_samples` | 4 |
# | written answers, binary (a) to (e) | 12 |
# | written answers, Gaussian (a) and (b) | 7 |
#
# **Hints** are folded below some tasks, in three steps: the idea, the formula, a sketch of the code. Try first without them.
#
# **One rule for all tasks.** Your functions leave their arguments as they are. So no `x += ...`, `x[...] = ...` or `rows.pop()` on what you were given; work on new tensors or on copies. The tests check this.

# %% tags=["install"]
from importlib.util import find_spec

if find_spec("homework") is None:  # on Colab: installs what is missing and keeps the installed torch
    get_ipython().run_line_magic("pip", "install -q STUDENT_PACKAGE")  # noqa: F821
# On Colab, so that training continues after a disconnect: `from homework.colab import use_drive; use_drive()`

# %%
import math

import torch
import torch.nn.functional as F
from torch import nn

import homework
from homework import data, reference, student
from homework.checks import close, fresh, has_shape, part
from homework.hand_in.log import SubmissionLog
from homework.models.judge import judge_samples, train_judge
from homework.models.unet import UNet
from homework.show import plots
from homework.train import training

run = homework.start("diffusion")
if run.profile != "full":
    torch.set_num_threads(1)  # for networks as small as those of `mini` more threads bring no speed

# %% [markdown]
# **Letters.** `B` is the number of images in a batch, `T` the number of steps. Images are tensors `[B, ...]`: all dimensions after the first are pixels, for instance `[B, 1, 28, 28]` or `[B, 4]`; your functions must work for any of them. `t` is a whole number from 1 to `T`, **one for each image**, a LongTensor `[B]`. Step 0 is the clean image. Numbers that belong to the steps are in tables of length `T`; since Python counts from 0, the number of step $t$ has index `t - 1`.
#
# `per_image` in the next cell helps to multiply all pixels of an image by one number per image; you may use it in every task. (`gives` is for the tests.)


# %%
def per_image(values: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Shapes one number per image so that it multiplies whole images: `[B]` -> `[B, 1, ..., 1]` for images `[B, ...]`."""
    return values.reshape(-1, *[1] * (images.ndim - 1))


def gives(name: str, call, expected: torch.Tensor) -> bool:
    """Does the call of an earlier function give these numbers? Only then can a later test use it."""
    try:
        return close(call(), expected, "")
    except Exception:
        print(f"{name} is not right yet: checks that depend on it are skipped here")
        return False


# %% [markdown]
# **The data.** In `full` these are the MNIST digits, unchanged. In `mini` they are the digits that come with scikit-learn, averaged over squares of 2 × 2, which gives 14 × 14 pixels. `enlarged` converts back to 28 × 28, for the *judge*, a classifier that tells which digits the samples show.

# %%
digits = data.digits(run)
SIZE = run.size(full=28, mini=14, grade=14)  # pixels along one side


def shrunk(images: torch.Tensor) -> torch.Tensor:
    """Images of the size used here: `[N, 1, 28, 28]` -> `[N, 1, SIZE, SIZE]`, values in [0, 1]."""
    return F.avg_pool2d(images, 28 // SIZE)


def enlarged(images: torch.Tensor) -> torch.Tensor:
    """Back to 28 x 28 with smooth edges, for the judge: `[N, 1, SIZE, SIZE]` -> `[N, 1, 28, 28]`, cut to [0, 1]."""
    if SIZE < 28:
        images = F.interpolate(images, size=(28, 28), mode="bicubic", align_corners=False)
    return images.clamp(0, 1)


grey_images = shrunk(digits.train_images)  # [N, 1, SIZE, SIZE], values in [0, 1]
binary_images = torch.where(grey_images > 0.5, 1.0, -1.0)  # [N, 1, SIZE, SIZE], -1 and +1
scaled_images = 2 * grey_images - 1  # [N, 1, SIZE, SIZE], values in [-1, 1]
print(f"{digits.name}: {len(grey_images):,} training images of {SIZE} x {SIZE} pixels")

# %% tags=["experiment"]
each_digit = torch.cat([(digits.train_labels == digit).nonzero()[:2, 0] for digit in range(10)])  # 2 of each
plots.image_grid(
    torch.cat([grey_images[each_digit], (grey_images[each_digit] > 0.5).float()]),
    rows=2,
    columns=20,
    title=f"Training images ({digits.name}), {SIZE} x {SIZE} pixels",
    row_labels=["grey", "binary"],
)

# %% [markdown]
# # First half: coins
#
# ## 1. One pixel, many coins
#
# A pixel is $+1$ (white) or $-1$ (black). At each step it flips with a small probability $\delta$, independently for each pixel and each step. This is the *forward process*:
#
# $$P(Y_t = -Y_{t-1}) = \delta, \qquad 0 \le \delta \le \tfrac12 .$$
#
# This half of the notebook uses a second view of the same process. **To flip with probability $\delta$ is the same as to replace the pixel, with probability $2\delta$, by the toss of a fair coin**: half of these tosses give the same value as before, so the value changes with probability $\tfrac12 \cdot 2\delta = \delta$. The advantage: a flip depends on the value before, a fair coin does not. A replaced pixel no longer depends on the past.
#
# **Predict, then run.** Below, 20,000 white pixels go through 100 steps with $\delta$ = 0.02. How many are white after 17 steps, and how many after 100?

# %%
T_BINARY = run.size(full=100, mini=100, grade=6)
DELTA = 0.02  # probability of a flip in one step


def flip_step_by_step(y0: torch.Tensor, steps: int, delta: float, generator: torch.Generator) -> list[torch.Tensor]:
    """The forward process by its definition: Y_0, Y_1, ..., Y_steps, each a tensor like y0."""
    path = [y0]
    for _ in range(steps):
        flips = torch.rand(y0.shape, generator=generator) < delta
        path.append(torch.where(flips, -path[-1], path[-1]))
    return path


# %% tags=["experiment"]
toy_path = flip_step_by_step(torch.ones(20_000), T_BINARY, DELTA, torch.Generator().manual_seed(1))
toy_white = [float((y > 0).float().mean()) for y in toy_path]
plots.curves(
    {"20,000 simulated pixels": toy_white},
    title=f"White pixels, flipped step by step (δ = {DELTA:g})",
    xlabel="step t",
    ylabel="share of white pixels",
)

# %% [markdown]
# ## 2. `replaced_probability`: was the pixel replaced? (½ point)
#
# In the second view, let $r_t$ be the probability that a pixel has been replaced **at least once** in steps 1 to $t$. Find a formula for $r_t$. The steps are independent of each other.
#
# *Worked numbers.* For $\delta$ = 0.1: $r_0 = 0$, $r_1 = 0.2$, $r_2 = 0.36$, $r_3 = 0.488$. Note that $r_1$ is $2\delta$ and not $\delta$: half of the replaced pixels keep their value. For $\delta = \tfrac12$ every step is a fair coin, so $r_t = 1$ from the first step on.
#
# <details><summary>Hint: idea and formula</summary>
#
# The probability that one step does not replace the pixel is $1 - 2\delta$. For $t$ independent steps, multiply. So $r_t = 1 - (1 - 2\delta)^t$.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "replaced_probability", "locked": false, "schema_version": 3, "solution": true, "task": false}
def replaced_probability(t, delta):
    """The probability r_t that a pixel was replaced by a fair coin at least once in steps 1 ... t.

    Sohl-Dickstein and others 2015, the binomial process of table App.1, in our notation.

    Args:
        t: numbers of steps, whole numbers from 0 on, `[B]`.
        delta: probability of a flip in one step, a number from 0 to 1/2.

    Returns:
        Probabilities, `[B]`, floating point. Example: t = [0, 1, 2] and delta = 0.1 give [0, 0.2, 0.36].
    """
    ### BEGIN SOLUTION
    return 1 - (1 - 2 * delta) ** t
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_replaced_probability", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
t = torch.tensor([0, 1, 2, 3])
r = student.replaced_probability(t, 0.1)
assert has_shape(r, (4,), "return a tensor with one probability for each t, [B]")
assert r.is_floating_point(), "probabilities are floating-point numbers"
assert abs(float(r[1]) - 0.1) > 1e-3, (
    "after one step: a pixel is replaced with probability 2 delta. With delta it *changes*: half of the coins change nothing"
)
assert abs(float(r[2]) - 0.64) > 1e-3, "this is the probability that the pixel was *not* replaced"
assert close(r, torch.tensor([0.0, 0.2, 0.36, 0.488]), "the worked numbers: replaced at least once in t steps")
assert close(
    student.replaced_probability(t, 0.5),
    torch.tensor([0.0, 1.0, 1.0, 1.0]),
    "delta = 1/2 replaces every pixel at every step; with t = 0 nothing is replaced",
)
print("replaced_probability: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(50)
for _ in range(3):
    delta = 0.02 + 0.45 * float(torch.rand((), generator=g))
    s, t = torch.randint(0, 15, (6,), generator=g), torch.randint(0, 15, (6,), generator=g)
    r = student.replaced_probability(t, delta)
    assert bool(((r >= -1e-6) & (r <= 1 + 1e-6)).all()), "a probability lies between 0 and 1"
    escaped = (1 - student.replaced_probability(s, delta)) * (1 - r)
    assert close(
        1 - student.replaced_probability(s + t, delta),
        escaped,
        "not replaced in s + t steps means: not replaced in s steps, and then not in t more",
        rtol=1e-3,
        atol=1e-5,
    )
    assert close(r, reference.replaced_probability(t, delta), "1 - (1 - 2 delta)^t", atol=1e-5)
N, delta = 20_000, 0.05 + 0.25 * float(torch.rand((), generator=g))
y = torch.ones(N)
for t in range(1, 6):
    y = torch.where(torch.rand(N, generator=g) < delta, -y, y)
    changed = float((y < 0).float().mean())
    half = float(student.replaced_probability(torch.tensor([t]), delta)[0]) / 2
    assert abs(changed - half) <= 5 * math.sqrt(0.25 / N), (
        "flipping pixels step by step must change half of those that the formula calls replaced"
    )
for delta in (0.0, 0.2, 0.5):
    assert close(
        student.replaced_probability(torch.tensor([0]), delta), torch.zeros(1), "with t = 0 nothing is replaced"
    )
for t in (1, 7, 5000):
    place = torch.tensor([t])
    assert close(student.replaced_probability(place, 0.0), torch.zeros(1), "with delta = 0 nothing is ever replaced")
    assert close(student.replaced_probability(place, 0.5), torch.ones(1), "delta = 1/2 replaces at every step")
assert close(student.replaced_probability(torch.tensor([5000]), 0.04), torch.ones(1), "in the end all are replaced")
### END HIDDEN TESTS

# %% [markdown]
# Your formula against the simulation of section 1: a replaced pixel is black with probability ½.

# %% tags=["experiment"]
formula_white = 1 - replaced_probability(torch.arange(T_BINARY + 1), DELTA) / 2
white_gap = float((formula_white - torch.tensor(toy_white)).abs().max())
print(f"share of white pixels: formula and simulation differ by at most {white_gap:.4f}")

# %% [markdown]
# ## 3. `sample_yt`: jump to step t (2 points)
#
# Training needs millions of noisy images, from every step. To simulate $t$ steps for each of them would be slow. The second view gives a jump to any $t$, with two coins per pixel:
#
# 1. a coin that says yes with probability $r_t$ decides whether the pixel has been replaced at all;
# 2. if yes, a fair coin gives its value, $-1$ or $+1$; if no, the pixel keeps its value from $Y_0$.
#
# `t` holds one step for **each image**: `r` has shape `[B]`, and `per_image(r, y0)` applies it to all pixels of the image. Every pixel needs its own coins. With a `generator` all randomness must come from it, so that a draw can be repeated; without one, it comes from torch's global generator. `torch.rand(shape, generator=generator)` accepts `None`, too; make the coins on the device of `y0` (`device=y0.device`).
#
# *Worked number.* White pixels, $\delta$ = 0.1, $t$ = 3: a share of $r_3$ = 0.488 is replaced, half of these turn black. So 24.4 % are black, and 75.6 % are still white.


# %% nbgrader={"grade": false, "grade_id": "sample_yt", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sample_yt(y0, t, delta, generator=None):
    """Draws Y_t given Y_0 in one jump, without simulating the steps between.

    Args:
        y0: clean images of -1 and +1, `[B, ...]`, float32 or float64; not changed.
        t: the step of each image, LongTensor `[B]`, from 1 on.
        delta: probability of a flip in one step, a number from 0 to 1/2.
        generator: a `torch.Generator` from which all randomness comes; None means torch's global generator.

    Returns:
        Y_t, images of -1 and +1 with the shape and data type of `y0`.
    """
    ### BEGIN SOLUTION
    replaced = per_image(replaced_probability(t, delta), y0)
    is_replaced = torch.rand(y0.shape, generator=generator, device=y0.device) < replaced
    coin = (torch.rand(y0.shape, generator=generator, device=y0.device) < 0.5).to(y0.dtype) * 2 - 1
    return torch.where(is_replaced, coin, y0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_sample_yt", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
square = torch.ones(300, 300)  # 300 images of 300 pixels: a mistake in the shapes raises no error here
far = student.sample_yt(square, torch.arange(300) // 10 + 1, 0.1)  # early steps first, late ones last
assert has_shape(far, (300, 300), "return Y_t, with the shape of y0")
black = (far < 0).float()
assert float(black[:10].mean() - black[:, :10].mean()) < 0.1, (
    "r [B] was applied along the pixels, not along the images: use per_image(r, y0), which has the shape [B, 1, ..., 1]"
)
N = 2000
y0 = torch.tensor([1.0, -1.0, 1.0])[:, None].repeat(1, N)  # three images of N equal pixels
t = torch.tensor([3, 3, 100])
clean = y0.clone()
yt = student.sample_yt(y0, t, 0.1)
assert close(y0, clean, "you changed y0 itself: work on a copy")
assert has_shape(yt, (3, N), "return Y_t, with the shape of y0")
assert bool((yt.abs() == 1).all()), "pixels are -1 or +1: map a coin of 0 and 1 to -1 and +1"
assert bool((yt != y0).any()), "not one pixel has changed"
if gives("replaced_probability", lambda: student.replaced_probability(t, 0.1), 1 - 0.8**t):
    # the checks below need a correct replaced_probability; while yours is wrong, fix it first
    changed = (yt != y0).float().mean(dim=1)  # [3]
    assert abs(float(changed[0]) - 0.488) > 0.05, (
        "you flip with probability r_t: a replaced pixel gets a fair coin, and half of the coins change nothing"
    )
    assert abs(float(changed[0] - changed[1])) < 0.08, (
        "black pixels must change as often as white ones; is the second coin independent of the first?"
    )
    assert abs(float(changed[0]) - 0.244) < 0.06, (
        "the worked number: after 3 steps 24.4 % of the pixels have changed; has each pixel its own coins?"
    )
    assert abs(float(changed[2]) - 0.5) < 0.07, "after 100 steps half have changed; has each image its own t?"
with part("equal generators", 0.25):
    first, second = (student.sample_yt(y0, t, 0.1, generator=torch.Generator().manual_seed(3)) for _ in "ab")
    assert close(first, second, "equal generators must give equal draws: pass `generator` to every coin")
images = student.sample_yt(torch.ones(2, 1, 4, 4), torch.tensor([1, 9]), 0.1)
assert has_shape(images, (2, 1, 4, 4), "images [B, 1, H, W] must work, too: use per_image")
print("sample_yt: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(51)


def replaced(t, delta):
    """The share of pixels that are replaced."""
    return 1 - (1 - 2 * delta) ** t.double()


N = 12_000
with part("the result's data type", 0.25):
    for dtype in (torch.float32, torch.float64):
        got = student.sample_yt(torch.ones(2, 5, dtype=dtype), torch.tensor([1, 2]), 0.1).dtype
        assert got == dtype, "Y_t has the data type of y0: float32 for float32, float64 for float64"
with part("what is drawn", 1.5):
    for delta in (0.03, 0.05 + 0.2 * float(torch.rand((), generator=g))):
        t = torch.cat([torch.tensor([1, 2, 40]), torch.randint(3, 12, (3,), generator=g)])
        given = torch.Generator().manual_seed(int(torch.randint(0, 10**6, (), generator=g)))
        for sign, generator in ((1.0, None), (-1.0, None), (1.0, given), (-1.0, given)):
            y0 = torch.full((6, N), sign)
            yt = student.sample_yt(y0, t, delta, generator)
            assert has_shape(yt, (6, N), "pixels of -1 and +1, shaped like y0")
            assert bool((yt.abs() == 1).all()), "pixels of -1 and +1, shaped like y0"
            changed, r = (yt != y0).double().mean(dim=1), replaced(t, delta)
            assert bool(((changed - r / 2).abs() <= 6.5 * (r / 2 * (1 - r / 2) / N + 1e-9).sqrt()).all()), (
                "the share of changed pixels must be half of r_t, for each image with its own t, for white and for black, with and without a generator"
            )
    y0 = (torch.rand(5, 400, generator=g) < 0.5).float() * 2 - 1
    t = torch.tensor([1, 2, 3, 9, 30])
    assert close(student.sample_yt(y0, t, 0.0), y0, "with delta = 0 nothing changes")
    walked = y0[:1].repeat(2000, 1)
    for _ in range(4):
        walked = torch.where(torch.rand(walked.shape, generator=g) < 0.1, -walked, walked)
    jumped = student.sample_yt(y0[:1].repeat(2000, 1), torch.full((2000,), 4), 0.1)
    apart = jumped.mean(dim=0) - walked.mean(dim=0)  # [400]
    assert bool((apart.abs() <= 6 * math.sqrt(2 / 2000)).all()), "the jump must agree with a simulation step by step"
with part("independent coins", 1):
    t = torch.full((4,), 300)
    y = student.sample_yt(torch.ones(4, N), t, 0.1)
    assert bool((y.mean(dim=1).abs() <= 6 / math.sqrt(N)).all()), "after very many steps each pixel is a fair coin"
    t = torch.full((4,), 3)
    given = torch.Generator().manual_seed(int(torch.randint(0, 10**6, (), generator=g)))
    y, again, third = (student.sample_yt(torch.ones(4, N), t, 0.1, by).double() for by in (None, None, given))
    off, other = y - y.mean(), again - again.mean()
    for each in (off, third - third.mean()):
        hint = "pixels share their coins"
        assert bool(((each[:, 1:] * each[:, :-1]).mean(dim=1).abs() <= 6 / math.sqrt(N)).all()), hint
        hint = "the images share their coins"
        assert bool(((each[1:] * each[:-1]).mean(dim=1).abs() <= 6 / math.sqrt(N)).all()), hint
    assert bool(((off * other).mean(dim=1).abs() <= 6 / math.sqrt(N)).all()), "a second call must draw anew"
    for shape in ((1, 2, 2), (2, 1, 8)):
        y = student.sample_yt(torch.ones(N, *shape), torch.full((N,), 3), 0.1).double().flatten(1)  # [N, D]
        off = y - y.mean()
        together = off.T @ off / N  # [D, D]
        apart = together - torch.diag(together.diagonal())
        assert bool((apart.abs() <= 6 / math.sqrt(N)).all()), "in small pictures, too, each pixel has its own coins"
    small = torch.ones(3, 400)
    student.torch.manual_seed(1)
    one = student.sample_yt(small, t[:3], 0.1, generator=torch.Generator().manual_seed(7))
    other = student.sample_yt(small, t[:3], 0.1, generator=torch.Generator().manual_seed(8))
    student.torch.manual_seed(2)
    two = student.sample_yt(small, t[:3], 0.1, torch.Generator().manual_seed(7))
    assert close(one, two, "with a generator, all randomness must come from it")
    assert bool((one != other).float().mean() > 0.05), "another generator must give another draw"
    student.torch.manual_seed(3)
    from_global = student.sample_yt(small, t[:3], 0.1)
    student.torch.manual_seed(3)
    assert close(student.sample_yt(small, t[:3], 0.1), from_global, "without a generator, use torch's global one")
    unlike = student.sample_yt(small, t[:3], 0.1)
    assert bool((unlike != from_global).float().mean() > 0.05), "without a generator every call must draw anew"
    student.torch.manual_seed(4)
    expected = student.torch.rand(5)
    student.torch.manual_seed(4)
    student.sample_yt(small, t[:3], 0.1, generator=torch.Generator().manual_seed(7))
    assert close(student.torch.rand(5), expected, "with a generator, do not use torch's global one")
    for shape in ((3, 5), (3, 1, 4, 4), (1, 2, 3)):
        y = student.sample_yt(torch.ones(shape), torch.full(shape[:1], 2), 0.2)
        assert has_shape(y, shape, "images of any shape [B, ...] must work")
### END HIDDEN TESTS

# %% [markdown]
# ### A film of the forward process
#
# **Predict, then run.** From which step on can you no longer recognise the digit?

# %% tags=["experiment"]
DOWN = [t for t in (0, 2, 4, 8, 12, 17, 22, 30, 42, 60, 100) if t <= T_BINARY]
some = binary_images[each_digit[::2][:4]]  # four digits
coins = torch.Generator().manual_seed(2)
noisy_rows = [
    torch.cat([sample_yt(y0[None], torch.tensor([t]), DELTA, coins) if t else y0[None] for t in DOWN]) for y0 in some
]
plots.image_grid(
    (torch.cat(noisy_rows) + 1) / 2,
    rows=len(some),
    columns=len(DOWN),
    title=f"Four digits in the forward process (δ = {DELTA:g})",
    xlabel="step t",
    column_labels=[str(t) for t in DOWN],
)

# %% [markdown]
# At $t$ = 8 nearly three pixels in ten are coins, and still one can see the digit: several neighbouring pixels together tell more than each pixel alone. A network must use this.

# %% [markdown]
# ## 4. `posterior_plus_one`: one step back, given the clean image (3 points)
#
# Given $Y_t$, what was $Y_{t-1}$? The answer depends on the distribution of digits, for which there is no formula. But if we know the clean pixel $Y_0$, Bayes' rule gives the answer, pixel by pixel:
#
# $$P(Y_{t-1} = +1 \mid Y_t = y_t, Y_0 = y_0) = \frac{P(Y_t = y_t \mid Y_{t-1} = +1)\; P(Y_{t-1} = +1 \mid Y_0 = y_0)}{\displaystyle\sum_{s \in \{-1, +1\}} P(Y_t = y_t \mid Y_{t-1} = s)\; P(Y_{t-1} = s \mid Y_0 = y_0)} .$$
#
# The two factors:
#
# * one step forward: $P(Y_t = y_t \mid Y_{t-1} = s)$ is $1 - \delta$ if $y_t = s$ and $\delta$ if not;
# * a jump of **$t - 1$** steps: $P(Y_{t-1} = s \mid Y_0 = y_0)$ is $1 - \tfrac12 r_{t-1}$ if $s = y_0$ and $\tfrac12 r_{t-1}$ if not.
#
# Both $y_t$ and $y_0$ can be $+1$ or $-1$, and all four combinations occur.
#
# *Worked numbers.* $\delta$ = 0.1, $t$ = 3, $y_0 = +1$. The jump of 2 steps leaves the pixel white with probability $1 - 0.18 = 0.82$. For $y_t = -1$: $\frac{0.1 \cdot 0.82}{0.1 \cdot 0.82 + 0.9 \cdot 0.18} = \frac{0.082}{0.244} = 0.336066$. For $y_t = +1$: $\frac{0.9 \cdot 0.82}{0.9 \cdot 0.82 + 0.1 \cdot 0.18} = 0.976190$. At $t$ = 1 the jump has no steps, and the answer is exactly 1 for $y_0 = +1$ and exactly 0 for $y_0 = -1$.


# %% nbgrader={"grade": false, "grade_id": "posterior_plus_one", "locked": false, "schema_version": 3, "solution": true, "task": false}
def posterior_plus_one(yt, y0, t, delta):
    """P(Y_{t-1} = +1 | Y_t, Y_0) for each pixel, by Bayes' rule over the two values of Y_{t-1}.

    Question (d) asks for the derivation; compare Austin and others 2021, equation 3.

    Args:
        yt: noisy images of -1 and +1, `[B, ...]`, floating point.
        y0: clean images of -1 and +1, `[B, ...]`; either sign.
        t: the step of each image, LongTensor `[B]`, from 1 on.
        delta: probability of a flip in one step, a number above 0 and at most 1/2.

    Returns:
        Probabilities, `[B, ...]`. Example: y0 = +1, t = 3 and delta = 0.1 give 0.336066 for yt = -1 and 0.976190 for
        yt = +1; t = 1 gives 1 for y0 = +1 and 0 for y0 = -1.
    """
    ### BEGIN SOLUTION
    c = 1 - 2 * delta
    kept = per_image(c ** (t - 1), y0)
    white = (1 + c * yt) * (1 + kept * y0)
    black = (1 - c * yt) * (1 - kept * y0)
    return white / (white + black)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_posterior_plus_one", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
yt, y0 = torch.tensor([[-1.0, 1.0]]), torch.tensor([[1.0, 1.0]])
p = student.posterior_plus_one(yt, y0, torch.tensor([3]), 0.1)
assert has_shape(p, (1, 2), "return one probability for each pixel, [B, ...]")
if gives(
    "replaced_probability",
    lambda: student.replaced_probability(torch.tensor([0, 2, 29]), 0.1),
    torch.tensor([0.0, 0.36, 0.998453]),
):
    # if you use replaced_probability, these checks need it; while yours is wrong, fix it first
    assert abs(float(p[0, 0]) - 0.256303) > 1e-3, "the jump from Y_0 has t - 1 steps, not t"
    assert abs(float(p[0, 0]) - 0.5) > 1e-3, "the jump from Y_0 has t - 1 steps; one step with delta would be t = 2"
    assert abs(float(p[0, 0]) - 0.164948) > 1e-3, (
        "half of the replaced pixels look like Y_0 again: they differ from it with r_{t-1} / 2"
    )
    assert close(
        p, torch.tensor([[0.336066, 0.976190]]), "the worked numbers: Bayes' rule over the two values of Y_{t-1}"
    )
    q = student.posterior_plus_one(-yt, -y0, torch.tensor([3]), 0.1)
    assert close(q, 1 - p, "with black and white exchanged, p becomes 1 - p; is y0 = -1 treated as +1?")
    both = torch.tensor([[1.0, -1.0, 1.0, -1.0]])
    p = student.posterior_plus_one(torch.tensor([[1.0, 1.0, -1.0, -1.0]]), both, torch.tensor([1]), 0.1)
    assert close(p, (both + 1) / 2, "at t = 1 the pixel before is Y_0 itself, whatever Y_t is")
    p = student.posterior_plus_one(torch.ones(2, 1), torch.ones(2, 1), torch.tensor([1, 30]), 0.1)
    assert has_shape(p, (2, 1), "each image has its own step t: use per_image")
    assert bool((p[0] > p[1]).all()), "each image has its own step t"
images = student.posterior_plus_one(torch.ones(2, 1, 3, 3), torch.ones(2, 1, 3, 3), torch.tensor([1, 30]), 0.1)
assert has_shape(images, (2, 1, 3, 3), "images [B, 1, H, W] must work, too: use per_image")
print("posterior_plus_one: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(52)
signs = torch.tensor([[1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0]])
yt, y0 = signs[0].repeat(9, 1), signs[1].repeat(9, 1)
with part("Bayes' rule by counting", 2):
    for _ in range(4):
        delta = 0.02 + 0.45 * float(torch.rand((), generator=g))
        t = torch.tensor([1, 2, 3, 4, 5, 7, 10, 20, int(torch.randint(3, 30, (), generator=g))])
        p = student.posterior_plus_one(yt, y0, t, delta)
        assert has_shape(p, (9, 4), "one probability for each pixel")
        hint = "Bayes' rule over the two values of Y_{t-1}, for all signs and steps"
        assert close(p, reference.posterior_plus_one(yt, y0, t, delta), hint, atol=1e-5)
        step = torch.tensor([[1 - delta, delta], [delta, 1 - delta]], dtype=torch.float64)  # places: -1, +1
        for row in range(9):
            jump = torch.linalg.matrix_power(step, int(t[row]) - 1)
            for column in range(4):
                end, start = int(yt[row, column] > 0), int(y0[row, column] > 0)
                before = jump[start] * step[:, end]
                want = float(before[1] / before.sum())
                assert close(float(p[row, column]), want, "Bayes' rule over the two values of Y_{t-1}", atol=1e-5)
    for _ in range(2):  # summed over Y_t it must be the jump of t - 1 steps
        delta, t = 0.05 + 0.3 * float(torch.rand((), generator=g)), torch.arange(1, 10)
        c = (1 - 2 * delta) ** t[:, None].double()
        white = torch.tensor([[1.0, -1.0]]).repeat(9, 1)  # y0
        up = student.posterior_plus_one(torch.ones(9, 2), white, t, delta).double()
        down = student.posterior_plus_one(-torch.ones(9, 2), white, t, delta).double()
        mean = (1 + c * white) / 2 * up + (1 - c * white) / 2 * down
        assert close(
            mean, (1 + c / (1 - 2 * delta) * white) / 2, "averaged over Y_t: the jump of t - 1 steps", rtol=1e-3
        )
with part("limits", 1):
    for shape in ((2, 1, 3, 3), (1, 1), (3, 5)):
        a, b = (torch.where(torch.rand(shape, generator=g) < 0.5, 1.0, -1.0) for _ in range(2))
        t = torch.randint(1, 9, shape[:1], generator=g)
        p = student.posterior_plus_one(a, b, t, 0.2)
        assert has_shape(p, shape, "images of any shape [B, ...]")
        assert close(p, reference.posterior_plus_one(a, b, t, 0.2), "images of any shape [B, ...]", atol=1e-5)
    delta = 0.02 + 0.4 * float(torch.rand((), generator=g))
    late = student.posterior_plus_one(yt, y0, torch.full((9,), 4000), delta)
    want = torch.where(yt > 0, 1 - delta, delta)
    assert close(late, want, "after very many steps Y_0 has no influence: P is 1 - delta or delta")
    first = student.posterior_plus_one(yt, y0, torch.ones(9, dtype=torch.long), delta)
    assert close(first, (y0 + 1) / 2, "at t = 1 the pixel before is Y_0 itself")
    coins = student.posterior_plus_one(yt, y0, torch.arange(1, 10), 0.5)
    want = torch.where(torch.arange(1, 10)[:, None] == 1, (y0 + 1) / 2, torch.full((9, 4), 0.5))
    assert close(coins, want, "delta = 1/2: a fair coin from t = 2 on, Y_0 at t = 1")
    p = student.posterior_plus_one(yt, y0, torch.arange(1, 10), delta)
    q = student.posterior_plus_one(-yt, -y0, torch.arange(1, 10), delta)
    assert close(p + q, torch.ones(9, 4), "black and white must be treated in the same way", atol=1e-5)
    near = student.posterior_plus_one(yt[:, :1], y0[:, :1], torch.arange(1, 10), 0.01)
    assert bool((near > 0.97).all()), "tiny delta, Y_t and Y_0 both white: nearly sure"
### END HIDDEN TESTS

# %% [markdown]
# ### The closed form against simulation
#
# We let 200,000 white pixels flip, step by step, and at each $t$ sort them by their value **now**. Among those that are white now, how many were white a step ago? And among those that are black now?
#
# **Predict, then run.** At $t$ = 1 both answers are 1, since all pixels start white. What is the answer at $t$ = 2 for a pixel that is black now? Which values do the two curves approach for large $t$?


# %%
def simulated_posterior(y0: float, steps: int, delta: float, count: int) -> dict[int, list[float]]:
    """P(Y_{t-1} = +1 | Y_t, Y_0 = y0) counted on simulated pixels: value of Y_t -> its curve over t = 1 ... steps."""
    path = flip_step_by_step(torch.full((count,), y0), steps, delta, torch.Generator().manual_seed(3))
    pairs = list(zip(path[1:], path[:-1], strict=True))  # (Y_t, Y_{t-1})
    return {now: [float((before[y == now] > 0).float().mean()) for y, before in pairs] for now in (1, -1)}


# %% tags=["experiment"]
posterior_steps = torch.arange(1, T_BINARY + 1)
counted = simulated_posterior(1.0, T_BINARY, DELTA, run.size(full=200_000, mini=200_000, grade=5_000))
derived = {
    now: posterior_plus_one(torch.full((T_BINARY, 1), now), torch.ones(T_BINARY, 1), posterior_steps, DELTA)[:, 0]
    for now in (1.0, -1.0)
}
posterior_gap = max(abs(float(derived[now][i]) - counted[int(now)][i]) for now in derived for i in range(T_BINARY))
print(f"largest distance between formula and simulation: {posterior_gap:.4f}")
plots.curves(
    {
        "white now, formula": (posterior_steps, derived[1.0]),
        "white now, simulated": (posterior_steps, counted[1]),
        "black now, formula": (posterior_steps, derived[-1.0]),
        "black now, simulated": (posterior_steps, counted[-1]),
    },
    title="Was the pixel white a step ago? (it was white at the start)",
    xlabel="step t",
    ylabel="probability that it was white",
    logx=True,
    levels={f"{1 - DELTA:g}": 1 - DELTA, f"{DELTA:g}": DELTA},
)

# %% [markdown]
# The formula and the simulation coincide. Question (d) asks you to explain both ends of the curves.

# %% [markdown]
# ## 5. `binary_diffusion_loss`: learning the reverse process (3 points)
#
# The network does not know $Y_0$. It sees $Y_t$ and $t$, all pixels at once, and gives one *logit* per pixel: $Q = \sigma(\text{logit})$ is its probability that the pixel was white a step ago. $Q$ should be close to the target $P = P(Y_{t-1} = +1 \mid Y_t, Y_0)$ of section 4. The loss of a pixel is the Kullback-Leibler divergence of the two coins, $\mathrm{KL}(P \,\|\, Q)$, in nats, with $P$ first. It is **summed over the pixels of an image and averaged over the batch**.
#
# Why this loss? Take the sum of these divergences over all steps $t$, and add $\mathrm{KL}(q(Y_T \mid Y_0) \,\|\, \text{fair coins})$, a term that no weight changes. On average over the noise, this is an upper bound on the negative log-likelihood of the image. We draw one $t$ per image at random instead of computing the sum. The loss is smallest where $Q$ is the mean of $P$ over the distribution of $Y_0$ given $Y_t$. That mean is $P(Y_{t-1} = +1 \mid Y_t)$, the reverse process that we want.
#
# Two traps: $\sigma(200)$ is exactly 1 in float32, and the logarithm of $1 - \sigma(200)$ is $-\infty$. At $t$ = 1 the targets are exactly 0 or 1, and $P \log P$ must be 0 there, not NaN.
#
# *Worked numbers.* One image with two pixels, `y0 = [[1, 1]]`, `yt = [[-1, 1]]`, `t = [3]`, $\delta$ = 0.1, so $P$ = (0.336066, 0.976190) as above. With `logits = [[0, log 3]]`, $Q$ = (½, ¾). The divergences of the two pixels are 0.054756 and 0.201324, together **0.256080** nats.
#
# <details><summary>Hint 1: idea</summary>
#
# A divergence is a cross-entropy minus an entropy. Only the cross-entropy contains $Q$, and it can be computed from the logits, without $\sigma$.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $$\mathrm{KL}(P \,\|\, Q) = P \log \frac PQ + (1 - P) \log \frac{1 - P}{1 - Q} .$$
#
# Both terms count. Collect what contains $Q$: $-P \log Q - (1 - P) \log (1 - Q)$.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `F.binary_cross_entropy_with_logits(logits, p, reduction="none")` is the part with $Q$, for any targets `p` from 0 to 1. `torch.xlogy(p, p)` is $P \log P$, with $0 \log 0 = 0$. Add up, then `.flatten(1).sum(dim=1).mean()`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "binary_diffusion_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def binary_diffusion_loss(logits, yt, y0, t, delta):
    """The mean over the batch of the sum over pixels of KL(P || Q), in nats.

    P = P(Y_{t-1} = +1 | Y_t, Y_0), Q = sigmoid(logits); Sohl-Dickstein and others 2015, equation 14, one t per image.

    Args:
        logits: the network's logits of Y_{t-1} = +1, `[B, ...]`, any finite size.
        yt: noisy images of -1 and +1, `[B, ...]`.
        y0: clean images of -1 and +1, `[B, ...]`.
        t: the step of each image, LongTensor `[B]`, from 1 on.
        delta: probability of a flip in one step, a number above 0 and at most 1/2.

    Returns:
        A tensor without dimensions, differentiable in `logits`. Example: logits = [[0, log 3]], yt = [[-1, 1]],
        y0 = [[1, 1]], t = [3], delta = 0.1 give 0.256080.
    """
    ### BEGIN SOLUTION
    p = posterior_plus_one(yt, y0, t, delta)
    cross_entropy = F.binary_cross_entropy_with_logits(logits, p, reduction="none")
    negative_entropy = torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)
    return (cross_entropy + negative_entropy).flatten(1).sum(dim=1).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_binary_diffusion_loss", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
logits, t = torch.tensor([[0.0, math.log(3.0)]]), torch.tensor([3])
yt, y0 = torch.tensor([[-1.0, 1.0]]), torch.tensor([[1.0, 1.0]])
loss = student.binary_diffusion_loss(logits, yt, y0, t, 0.1)
assert has_shape(loss, (), "the loss is one number, a tensor without dimensions")
p = torch.tensor([[0.336066, 0.976190]])
if gives("posterior_plus_one", lambda: student.posterior_plus_one(yt, y0, t, 0.1), p):
    # the numbers below need a correct posterior_plus_one; while yours is wrong, fix it first
    assert abs(float(loss) - 0.128040) > 1e-3, (
        "you averaged over the pixels: sum over pixels, average over the batch only"
    )
    assert abs(float(loss) - 0.447019) > 1e-3, "this is KL(Q || P); the loss is KL(P || Q)"
    assert abs(float(loss) - 1.006987) > 1e-3, "this is the cross-entropy: the entropy of P is missing"
    assert abs(float(loss) - 0.123789) > 1e-3, (
        "this is only half of the sum, P log (P / Q): add the term of 1 - P. F.kl_div gives one term for each entry"
    )
    assert abs(float(loss) - 0.061894) > 1e-3, (
        "this is only half of the sum, P log (P / Q), and averaged over the pixels: add the term of 1 - P, and sum"
    )
    assert close(loss, torch.tensor(0.256080), "the worked numbers: KL(P || Q), summed over the two pixels")
    twice = student.binary_diffusion_loss(*(torch.cat([each, each]) for each in (logits, yt, y0)), t.repeat(2), 0.1)
    assert close(twice, loss, "the same image twice gives the same mean: average over the batch")
    exact = student.binary_diffusion_loss(torch.logit(p), yt, y0, t, 0.1)
    assert abs(float(exact)) < 1e-5, "where Q equals P the loss is 0; do you use logits as probabilities?"
    with part("t = 1", 0.5):
        first = student.binary_diffusion_loss(logits, yt, y0, torch.tensor([1]), 0.1)
        assert math.isfinite(float(first)), "at t = 1 the targets are 0 and 1: 0 log 0 must count as 0 (torch.xlogy)"
    with part("logits far from 0", 0.5):
        far = student.binary_diffusion_loss(torch.tensor([[-200.0, 200.0]]), yt, y0, torch.tensor([1]), 0.1)
        assert close(
            far, torch.tensor(200.0), "logits of -200 and 200: compute from the logits, their sigmoid is rounded"
        )
print("binary_diffusion_loss: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(53)


def target(yt, y0, t, delta):
    """P of each pixel."""
    return reference.posterior_plus_one(yt.double(), y0.double(), t, delta)


def divergence(p, logits):
    """The mean over the batch of the summed KL(P || Q), from its definition, with logarithms of both sides of Q."""
    terms = torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)
    terms = terms - p * F.logsigmoid(logits.double()) - (1 - p) * F.logsigmoid(-logits.double())
    return terms.flatten(1).sum(1).mean()


def draw(shape):
    """Random signs for yt and y0, logits, and steps from 1 to 6."""
    yt, y0 = (torch.where(torch.rand(shape, generator=g) < 0.5, 1.0, -1.0) for _ in range(2))
    return 2 * torch.randn(shape, generator=g), yt, y0, torch.randint(1, 7, shape[:1], generator=g)


with part("the divergence", 1.5):
    for shape in ((1, 6), (5, 1, 3, 3), (40, 7)):
        delta = 0.03 + 0.3 * float(torch.rand((), generator=g))
        logits, yt, y0, t = draw(shape)
        loss = student.binary_diffusion_loss(logits, yt, y0, t, delta)
        assert has_shape(loss, (), "the loss is one number")
        p = target(yt, y0, t, delta)
        hint = "KL(P || Q) in nats, summed over the pixels and averaged over the batch, with P from yt, y0 and t"
        assert close(loss, divergence(p, logits), hint, atol=1e-4)
        assert bool(loss > 0), "a divergence is positive unless Q equals P"
        best = torch.logit(p.clamp(1e-6, 1 - 1e-6)).float()
        assert bool(student.binary_diffusion_loss(best, yt, y0, t, delta) < loss), (
            "the loss is smallest where Q equals P"
        )
    logits, yt, y0, _ = draw((6, 5))
    t = torch.ones(6, dtype=torch.long)
    cross_entropy = F.softplus(-y0 * logits).sum(1).mean()
    hint = "at t = 1 the loss is the cross-entropy with the clean image"
    assert close(student.binary_diffusion_loss(logits, yt, y0, t, 0.1), cross_entropy, hint)
with part("large logits and gradients", 0.5):
    logits, yt, y0, t = draw((4, 6))
    t[0] = 1
    large = 1e4 * torch.sign(logits)
    loss = student.binary_diffusion_loss(large, yt, y0, t, 0.1)
    hint = "logits of size 10,000: compute from the logits, not from clamped probabilities"
    assert close(loss, divergence(target(yt, y0, t, 0.1), large), hint)
    logits, yt, y0, t = draw((5, 4))
    t[1] = 1
    want = (torch.sigmoid(logits) - target(yt, y0, t, 0.2)) / 5
    logits.requires_grad_()
    loss = student.binary_diffusion_loss(logits, yt, y0, t, 0.2)
    assert loss.requires_grad, "the loss must be differentiable in the logits"
    loss.backward()
    hint = "the gradient by a logit is (Q - P) / B; is something detached, or averaged over pixels?"
    assert close(logits.grad, want, hint, atol=1e-4)
    far = (torch.where(y0 > 0, 500.0, -500.0)).requires_grad_()
    student.binary_diffusion_loss(far, yt, y0, t, 0.2).backward()
    assert far.grad is not None and bool(torch.isfinite(far.grad).all()), "gradients stay finite for large logits"
### END HIDDEN TESTS

# %% [markdown]
# ## 6. Training the first half
#
# **The network** is a small U-Net (`homework/models/unet.py`). Its fine layers (14 × 14 positions) see strokes, its coarse layers (7 × 7) see the whole picture, and every block gets the step $t$ as a vector of sines and cosines. Both halves use the same class.
#
# **Its output.** For each pixel the log odds of $Y_{t-1} = +1$. A part of this need not be learnt. Let $u$ be the log odds that a pixel was white *in the clean picture*, given the **other** pixels. The jump of $t - 1$ steps multiplies the expected value $\tanh(u / 2)$ by $c^{\,t-1}$, with $c = 1 - 2\delta$. The pixel's own value $y_t$ is independent evidence, and log odds of independent evidence add up:
#
# $$\text{logit} = y_t \log \frac{1 - \delta}{\delta} + \log \frac{1 + c^{\,t-1} \tanh(u/2)}{1 - c^{\,t-1} \tanh(u/2)} .$$
#
# The U-Net outputs $u$. That $u$ depends on the other pixels only is our intention; nothing enforces it, since the U-Net sees all pixels.
#
# **Which steps it is trained on.** For each image we draw two uniform numbers from 1 to $T$ and use the smaller one as $t$. So early steps occur more often, and they weigh more than in the bound of section 5.
#
# **How long it takes.** In `mini` each half trains for about 45 seconds on a slow laptop. `full` is an estimate for a T4 on Colab, not a measurement: 20,000 steps of about 10 ms, so three to four minutes for both halves and five to six for the notebook.

# %%
BINARY_STEPS = run.size(full=10_000, mini=2_000, grade=3)
BATCH = run.size(full=128, mini=64, grade=8)


class StepBack(nn.Module):
    """The learnt step back: logits of Y_{t-1} = +1, from a U-Net whose output we read as u, the clean pixel's log odds."""

    def __init__(self, unet: UNet, delta: float) -> None:
        super().__init__()
        self.unet = unet
        self.delta = delta

    def forward(self, yt: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Logits `[B, 1, H, W]` for noisy images yt of -1 and +1 and their steps t `[B]`."""
        survives = per_image((1 - 2 * self.delta) ** (t - 1), yt)  # c^(t-1)
        expected = survives * torch.tanh(self.unet(yt, t) / 2) * (1 - 1e-6)  # of Y_{t-1}, without y_t
        own = yt * math.log((1 - self.delta) / self.delta)
        return own + torch.log1p(expected) - torch.log1p(-expected)


def new_unet() -> UNet:
    """An untrained network of this profile's size."""
    return UNet(
        size=SIZE, channels=run.size(full=32, mini=8, grade=4), hidden=run.size(full=1024, mini=512, grade=16)
    ).to(run.device)


def train(name: str, model: nn.Module, steps: int, loss_of_batch, code: list) -> list[float]:
    """Trains with Adam; the learning rate rises for a tenth of the steps and then falls to 0. Returns the losses."""
    optimizer = torch.optim.Adam(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.99), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps + 1, pct_start=0.1)
    loop = training.Loop(
        run,
        name,
        steps=steps,
        modules={"model": model, "optimizer": optimizer, "schedule": schedule},
        code=[*code, train, BATCH, SIZE],
    )
    for _ in loop:
        loss = loss_of_batch()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        loop.record(loss=loss.detach())
    return loop.history["loss"]


PEAK_RATE = run.size(full=2e-3, mini=6e-3, grade=1e-3)
black_and_white = binary_images.to(run.device)  # [N, 1, SIZE, SIZE], -1 and +1


def binary_batch_loss() -> torch.Tensor:
    """The loss of a fresh batch: random images, a random step for each (early ones more often), fresh coins."""
    y0 = black_and_white[torch.randint(len(black_and_white), (BATCH,), device=run.device)]
    t = torch.randint(1, T_BINARY + 1, (2, BATCH), device=run.device).amin(dim=0)  # the smaller of two draws
    yt = sample_yt(y0, t, DELTA)
    return binary_diffusion_loss(step_back(yt, t), yt, y0, t, DELTA)


# %% [markdown]
# **Predict, then run.** The untrained network gives $u$ near 0 (between −0.23 and 0.23 with 50 seeds), so its logit depends almost only on the pixel itself. The first line below is its loss. What share of it will be left after training: about a half, a tenth to a fifth, or less than a hundredth?

# %% tags=["train"]
homework.seed_everything(run.seed)
step_back = StepBack(new_unet(), DELTA)
with torch.no_grad():
    untrained_loss = sum(float(binary_batch_loss()) for _ in range(20)) / 20
print(f"before training: {untrained_loss:.2f} nats per image and step")
binary_losses = train(
    "binary",
    step_back,
    BINARY_STEPS,
    binary_batch_loss,
    [replaced_probability, sample_yt, posterior_plus_one, binary_diffusion_loss, StepBack, DELTA, T_BINARY],
)
step_back = step_back.eval()

# %% tags=["experiment"]
plots.curves(
    {"loss of each batch": binary_losses},
    title="Training the first half",
    xlabel="training step",
    ylabel="KL(P ‖ Q), nats per image and step",
    smooth=run.size(full=200, mini=50, grade=0),
    logy=True,
)

# %% [markdown]
# In `mini` about a seventh is left. The loss cannot reach 0: even the best $Q$ is only a mean of many different $P$ (section 5).
#
# ### Which steps are hard?
#
# **Predict, then run.** At $t$ = 1 there is hardly any noise; at large $t$ hardly anything of the picture is left. At which step is the loss on test images largest?

# %% tags=["train"]
test_grey = shrunk(digits.test_images)[:300]  # [M, 1, SIZE, SIZE]
test_binary = torch.where(test_grey > 0.5, 1.0, -1.0).to(run.device)


@torch.no_grad()
def binary_loss_at(t: int) -> float:
    """The loss of the trained network at one step, on test images, in nats per image."""
    steps = torch.full((len(test_binary),), t, device=run.device)
    yt = sample_yt(test_binary, steps, DELTA)
    return float(binary_diffusion_loss(step_back(yt, steps), yt, test_binary, steps, DELTA))


binary_loss_by_step = [binary_loss_at(t) for t in range(1, T_BINARY + 1)]

# %% tags=["experiment"]
plots.curves(
    {"test images": (range(1, T_BINARY + 1), binary_loss_by_step)},
    title="First half: the loss at each step",
    xlabel="step t",
    ylabel="KL(P ‖ Q), nats per image",
)

# %% [markdown]
# The loss is by far the largest in the first steps. Question (e) asks you to explain the curve.
#
# ### Drawing samples
#
# Toss a fair coin for every pixel; this is a good approximation of $Y_T$ ($(1 - 2\delta)^T$ = 0.017). Then go back: at each step, draw every pixel with the probability that the network gives.

# %%
COUNT = run.size(full=1000, mini=500, grade=8)  # samples for the judge


@torch.no_grad()
def draw_binary(count: int, seed: int, keep: tuple[int, ...] = ()) -> tuple[torch.Tensor, dict[int, torch.Tensor]]:
    """Goes back from fair coins: the samples Y_0 `[count, 1, SIZE, SIZE]` in {0, 1}, and Y_t for each t in `keep`."""
    coins = torch.Generator().manual_seed(seed)
    shape = (count, 1, SIZE, SIZE)
    y, kept = torch.where(torch.rand(shape, generator=coins) < 0.5, 1.0, -1.0), {}
    for t in range(T_BINARY, 0, -1):
        if t in keep:
            kept[t] = (y + 1) / 2
        white = torch.sigmoid(step_back(y.to(run.device), torch.full((count,), t, device=run.device))).cpu()
        y = torch.where(torch.rand(shape, generator=coins) < white, 1.0, -1.0)
    return (y + 1) / 2, kept


# %% tags=["train"]
judge = train_judge(digits, steps=run.size(full=1500, mini=600, grade=2), device=run.device)
binary_samples, _ = draw_binary(COUNT, seed=1)
binary_verdict = judge_samples(judge, enlarged(binary_samples))
binary_real = judge_samples(judge, enlarged((test_grey > 0.5).float()))

# %% tags=["experiment"]
plots.image_grid(
    binary_samples,
    rows=5,
    columns=20,
    title=f"First half: samples drawn from coins ({digits.name}, {BINARY_STEPS:,} training steps)",
)

# %% tags=["experiment"]
BACK = tuple(t for t in (100, 80, 60, 48, 38, 30, 22, 15, 8, 4, 1) if t <= T_BINARY)
film_end, film = draw_binary(4, seed=2, keep=BACK)
plots.image_grid(
    torch.stack([*(film[t] for t in BACK), film_end], dim=1).flatten(0, 1),  # [4, frames, ...] -> [4 · frames, ...]
    rows=4,
    columns=len(BACK) + 1,
    title="First half: the reverse process of four samples",
    xlabel="step t",
    column_labels=[*map(str, BACK), "0"],
)

# %% [markdown]
# ### The judge's results
#
# A classifier that was trained on real digits, and on pictures of no digit at all, reads the samples (`homework/models/judge.py`). It gives a *confidence*, the probability of the likeliest digit; a sample counts as *recognised* from 0.8 on; and a class counts as found when at least one in a hundred samples is recognised as it. The numbers for real test images are there for comparison.


# %% tags=["experiment"]
def show_judgement(samples, real, half: str):
    """Prints the judge's numbers for samples and for real images; draws the histogram of the recognised samples."""
    print("              classes found   mean confidence   recognised")
    for name, verdict in {"samples": samples, "test images": real}.items():
        print(
            f"{name:12s}  {verdict.classes_recognised:8d} of 10   {verdict.mean_confidence:15.2f}   {verdict.recognised:10.0%}"
        )
    return plots.bars(
        {str(digit): float(count) for digit, count in enumerate(samples.histogram)},
        title=f"{half} half: recognised among {COUNT:,} samples",
        xlabel="digit",
        ylabel="samples",
    )


show_judgement(binary_verdict, binary_real, "First")

# %% [markdown]
# ## 7. Questions on the first half
#
# ### (a) Everything is replaced in the end (2 points)
#
# Show, with the second view of section 1, that a given pixel is replaced at some time with probability 1, for every $0 < \delta \le \tfrac12$. Then take an image of $n$ pixels: bound the probability that after $t$ steps some pixel has *not* been replaced, and say to which distribution $Y_t$ converges. About 80 words and a formula or two.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_binary_a", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# One step replaces a pixel with probability $2\delta > 0$, independently of all other steps. The probability that it is not replaced in $t$ steps is $(1 - 2\delta)^t$, which goes to 0. A pixel that is never replaced is not replaced in $t$ steps, for every $t$, so the probability of this is at most $(1 - 2\delta)^t$ for every $t$, that is 0. (On average it takes $1/(2\delta)$ steps.)
#
# For $n$ pixels the union bound holds: some pixel has not been replaced after $t$ steps with probability at most $n (1 - 2\delta)^t \to 0$. When all are replaced, the image consists of $n$ independent fair coins and is independent of $Y_0$; so $Y_t$ converges to the uniform distribution over all $2^n$ images.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: not being replaced in t independent steps has probability (1 − 2δ)^t, which goes to 0, for δ > 0
# * 1 point: all n pixels: union bound n (1 − 2δ)^t or the product (1 − (1 − 2δ)^t)^n; the limit is independent fair coins, for any Y_0
# ### END MARK SCHEME

# %% [markdown]
# ### (b) How many coins are enough? (2 points)
#
# The jump of section 3 draws $Y_t$ with two coins per pixel. (i) Several replacements may have happened in $t$ steps; why may the second coin be fair all the same? (ii) Draw $Y_t$ from $Y_0$ with **one** coin per pixel, for any $t$. Give its probability, and show that the result has the same distribution for either sign of the pixel. About 80 words.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_binary_b", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# (i) If the pixel was replaced at least once, only the **last** replacement counts, since it overwrites all earlier ones. Each replacement is a fair coin that does not depend on earlier values. So the second coin is fair, whatever their number.
#
# (ii) With the two coins the value changes if the pixel is replaced and the fair coin gives the other value: with probability $\tfrac12 r_t = \tfrac12 (1 - (1 - 2\delta)^t)$, the same for white and black. A pixel has only two values, so this number determines the distribution of $Y_t$ given $Y_0$. Hence one coin is enough: flip the pixel with probability $\tfrac12 r_t$.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: only the last replacement counts and it is a fair coin, independent of earlier values
# * 1 point: one coin: flip with probability r_t / 2, with the reason (replaced, and the fair coin gives the other value; the same for both signs)
# ### END MARK SCHEME

# %% [markdown]
# ### (c) Which activation? (1 point)
#
# The output activation is a sigmoid for each pixel. What does it guarantee about the output? What would a softmax over the pixels get wrong, and what tanh, although the pixels are −1 and +1? Why does the loss still take logits? About 60 words.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_binary_c", "locked": false, "points": 1, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The sigmoid gives one number between 0 and 1 for each pixel by itself, the probability of +1; the probability of −1 is one minus that. With a softmax over the pixels the probabilities of all pixels would sum to 1, but each pixel may be white or not, independently of the others. A tanh lies between −1 and 1 and is not a probability (it would be the expected value, and (1 + tanh(u/2))/2 is the sigmoid again). The loss takes logits because a sigmoid rounds to exactly 0 or 1 for large logits, and its logarithm would be infinite.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: a probability for each pixel by itself, which neither a softmax over the pixels nor tanh gives, and logits in the loss for numerical stability
# ### END MARK SCHEME

# %% [markdown]
# ### (d) The step back (4 points)
#
# Derive one formula for $P(Y_{t-1} = +1 \mid Y_t = y_t, Y_0 = y_0)$ that holds for both signs of $y_t$ and $y_0$. Use $c = 1 - 2\delta$, and say where you use the Markov property (the process has no memory). Then explain three cases with your formula: $t = 1$; $t \to \infty$; $\delta = \tfrac12$ with $t > 1$. About 120 words and the formulas.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_binary_d", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Bayes' rule, everything given $Y_0 = y_0$:
#
# $$P(Y_{t-1} = s \mid y_t, y_0) = \frac{P(y_t \mid Y_{t-1} = s, y_0)\, P(Y_{t-1} = s \mid y_0)}{P(y_t \mid y_0)} .$$
#
# The process has no memory: $P(y_t \mid Y_{t-1} = s, y_0) = P(y_t \mid Y_{t-1} = s)$, which is $1 - \delta$ or $\delta$, in one formula $\tfrac12 (1 + c s y_t)$ with $c = 1 - 2\delta$. From section 3 with $t - 1$ steps, $P(Y_{t-1} = s \mid y_0) = \tfrac12 (1 + c^{t-1} s y_0)$. Hence
#
# $$P(Y_{t-1} = +1 \mid y_t, y_0) = \frac{(1 + c y_t)(1 + c^{t-1} y_0)}{(1 + c y_t)(1 + c^{t-1} y_0) + (1 - c y_t)(1 - c^{t-1} y_0)} = \frac12 \left(1 + \frac{c\, y_t + c^{t-1} y_0}{1 + c^t y_t y_0}\right).$$
#
# $t = 1$: $c^0 = 1$, so one of $1 \pm y_0$ is 0, and the result is 1 for $y_0 = +1$ and 0 for $y_0 = -1$: the pixel before is $Y_0$. $t \to \infty$: $c^{t-1} \to 0$ leaves $\tfrac12 (1 + c y_t)$, which is $1 - \delta$ for a white and $\delta$ for a black pixel. $\delta = \tfrac12$: $c = 0$, and $c^{t-1} = 0$ for $t > 1$, so $\tfrac12$.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: Bayes' rule with both values of Y_{t−1} in the denominator, and the Markov property named where it is used
# * 1 point: the jump has t − 1 steps (not t), the last step has δ
# * 1 point: a correct formula for all four combinations of signs
# * 1 point: the three limits: y_0 itself at t = 1; 1 − δ or δ for t → ∞; ½ for δ = ½
# ### END MARK SCHEME

# %% [markdown]
# ### (e) Which mistakes the loss penalises (3 points)
#
# (i) For which kind of mistake is $\mathrm{KL}(P \,\|\, Q)$ unbounded, and which mistake costs little? (ii) What does the loss become at $t = 1$? (iii) How do the targets $P$ change **on average** as $t$ grows, and does every single target change in this way? Compare with *label smoothing*, where a classifier is trained with targets such as 0.95 and 0.05 instead of 1 and 0. Refer to your figure of the loss against $t$. About 150 words.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_binary_e", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# (i) The term $P \log (P/Q)$ goes to infinity where $Q \to 0$ while $P > 0$ (and likewise $1 - Q \to 0$ while $1 - P > 0$): the network is sure and wrong, it rules out a value that is possible. Being unsure where $P$ is sure costs little: at most $\log 2$ per pixel with $Q = \tfrac12$.
#
# (ii) At $t = 1$ the posterior is 1 or 0 according to $Y_0$. The entropy of $P$ is 0, and the KL is the cross-entropy between the clean image and $Q$: plain classification of each pixel.
#
# (iii) For $t > 1$ the targets lie strictly between 0 and 1 and end at $1 - \delta$ or $\delta$, according to $Y_t$ alone. On average they become softer: their mean entropy rises from 0 at $t = 1$ towards that of a coin with $\delta$. A single target need not: where $y_t \ne y_0$ it is exactly ½ at $t = 2$, the softest possible, and later harder. So it is like label smoothing whose strength grows with $t$ on average, and it is not chosen by hand but follows from Bayes' rule. Soft targets do not reward extreme logits. In the figure the loss is largest at $t = 1$ and falls towards 0: since $P$ depends less and less on $Y_0$, the network lacks less and less information.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: unbounded where Q rules out a value that P allows (sure and wrong); bounded by log 2 per pixel for being unsure
# * 1 point: at t = 1 P is 0 or 1, its entropy is 0, the loss is the cross-entropy with the clean image
# * 1 point: for growing t targets soften on average, towards 1 − δ and δ, like label smoothing with a strength that follows from t, but not each (½ at t = 2 where y_t ≠ y_0, later harder; any example); refers to the own figure
# ### END MARK SCHEME

# %% [markdown]
# # Second half: Gaussian noise
#
# ## 8. The same method with grey pixels
#
# Pixels are now grey values, brought from $[0, 1]$ to $[-1, 1]$. Each step *shrinks* the pixel a little and *adds noise*:
#
# $$x_t = \sqrt{\gamma_t}\; x_{t-1} + \sqrt{\beta_t}\; \varepsilon_t, \qquad \gamma_t = 1 - \beta_t, \quad \varepsilon_t \sim N(0, I),$$
#
# with small numbers $\beta_1, \dots, \beta_T$ between 0 and 1 that grow from step to step (the *schedule*). Why shrink at all? If $x_{t-1}$ has variance 1, then $x_t$ has variance $\gamma_t + \beta_t = 1$ again: the picture fades, the noise grows, and the variance stays 1.
#
# ## 9. `cumulative_alphas`: how much of the picture is left (½ point)
#
# In $t$ steps the picture is multiplied by $\sqrt{\gamma_1} \cdots \sqrt{\gamma_t} = \sqrt{\bar\alpha_t}$, where
#
# $$\bar\alpha_t = \prod_{s=1}^{t} \gamma_s = \prod_{s=1}^{t} (1 - \beta_s) .$$
#
# Before the first step nothing is lost: $\bar\alpha_0 = 1$. This value is not in the table.
#
# *Worked numbers.* `betas = [0.1, 0.2, 0.5]`: $\bar\alpha$ = (0.9, 0.9 · 0.8, 0.9 · 0.8 · 0.5) = (0.9, 0.72, 0.36).


# %% nbgrader={"grade": false, "grade_id": "cumulative_alphas", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cumulative_alphas(betas):
    """The table of alpha_bar_t for t = 1 ... T.

    Ho, Jain and Abbeel 2020, section 2.

    Args:
        betas: the share of noise that each step adds, `[T]`, each between 0 and 1; `betas[0]` belongs to t = 1.

    Returns:
        alpha_bar, `[T]`; index t - 1 belongs to step t. Example: [0.1, 0.2, 0.5] gives [0.9, 0.72, 0.36].
    """
    ### BEGIN SOLUTION
    return torch.cumprod(1 - betas, dim=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_cumulative_alphas", "locked": true, "points": 0.5, "schema_version": 3, "solution": false, "task": false}
betas = torch.tensor([0.1, 0.2, 0.5])
alphas_bar = student.cumulative_alphas(betas)
assert has_shape(alphas_bar, (3,), "return a tensor [T], one number for each step; alpha_bar_0 is not kept")
assert abs(float(alphas_bar[0]) - 1.0) > 1e-3, (
    "index 0 belongs to t = 1, where 1 - beta_1 is left; alpha_bar_0 is not kept"
)
assert abs(float(alphas_bar[1]) - 0.8) > 1e-3, "these are the single factors 1 - beta_t: take the running product"
assert close(alphas_bar, torch.tensor([0.9, 0.72, 0.36]), "the worked numbers: the running product of 1 - beta")
print("cumulative_alphas: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(60)
for T in (1, 2, 7, 300):
    betas = 0.01 + 0.5 * torch.rand(T, generator=g) / T
    alphas_bar = student.cumulative_alphas(betas)
    assert has_shape(alphas_bar, (T,), "one number for each step")
    assert close(alphas_bar[:1], 1 - betas[:1], "the first is 1 - beta_1", rtol=1e-5)
    ratio = alphas_bar[1:] / alphas_bar[:-1]
    assert close(ratio, 1 - betas[1:], "each step multiplies by its own 1 - beta_t", rtol=1e-4)
    assert close(alphas_bar, reference.cumulative_alphas(betas), "the running product of 1 - beta")
betas = torch.linspace(0.001, 0.2, 40)
assert close(
    student.cumulative_alphas(betas), torch.exp(torch.log1p(-betas).cumsum(0)), "the running product", rtol=1e-3
)
assert close(student.cumulative_alphas(torch.zeros(4)), torch.ones(4), "without noise everything survives")
x, paths = torch.ones(20_000), []  # the mean of x_t is sqrt(alpha_bar_t) x_0
betas = 0.05 + 0.3 * torch.rand(5, generator=g)
for beta in betas:
    x = (1 - beta).sqrt() * x + beta.sqrt() * torch.randn(len(x), generator=g)
    paths.append(x.mean())
assert bool(((student.cumulative_alphas(betas).sqrt() - torch.stack(paths)).abs() <= 6 / math.sqrt(len(x))).all()), (
    "a simulation step by step must leave sqrt(alpha_bar_t) of the picture"
)
### END HIDDEN TESTS

# %% [markdown]
# ## 10. `q_sample`: jump to step t (2 points)
#
# All $t$ steps together are like one step with a single noise term (question (a) asks you to show it):
#
# $$x_t = \sqrt{\bar\alpha_t}\; x_0 + \sqrt{1 - \bar\alpha_t}\; \varepsilon, \qquad \varepsilon \sim N(0, I) .$$
#
# Note the square roots: $\bar\alpha_t$ and $1 - \bar\alpha_t$ are shares of the **variance**. And note the index: the number of step $t$ has index `t - 1`.
#
# *Worked number.* With the schedule above, $t$ = 3: $\sqrt{0.36} = 0.6$ and $\sqrt{0.64} = 0.8$. For $x_0 = 1$ and `noise` = −0.5: $x_3 = 0.6 - 0.4 = 0.2$.


# %% nbgrader={"grade": false, "grade_id": "q_sample", "locked": false, "schema_version": 3, "solution": true, "task": false}
def q_sample(x0, t, alphas_bar, noise):
    """Draws x_t given x_0 in one jump, with the given noise.

    Ho, Jain and Abbeel 2020, equation 4.

    Args:
        x0: clean images, `[B, ...]`.
        t: the step of each image, LongTensor `[B]`, from 1 to T.
        alphas_bar: `[T]`, as `cumulative_alphas` gives it; index t - 1 belongs to step t.
        noise: standard normal numbers, shaped like `x0`.

    Returns:
        x_t, shaped like `x0`. Example: alphas_bar = [0.9, 0.72, 0.36], t = 3, x0 = 1 and noise = -0.5 give 0.2.
    """
    ### BEGIN SOLUTION
    survives = per_image(alphas_bar[t - 1], x0)
    return survives.sqrt() * x0 + (1 - survives).sqrt() * noise
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_q_sample", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
alphas_bar = torch.tensor([0.9, 0.72, 0.36])
x0, noise = torch.tensor([[1.0], [1.0], [0.0]]), torch.tensor([[-0.5], [0.0], [2.0]])
first = student.q_sample(torch.ones(1, 1), torch.tensor([1]), alphas_bar, torch.zeros(1, 1))
assert has_shape(first, (1, 1), "return x_t, with the shape of x0")
assert abs(float(first) - 0.72**0.5) > 1e-4 and abs(float(first) - 0.72) > 1e-4, (
    "alphas_bar[t] is one step too far: the number of step t has index t - 1"
)
square = student.q_sample(torch.ones(3, 3), torch.tensor([1, 2, 3]), alphas_bar, torch.zeros(3, 3))
assert has_shape(square, (3, 3), "return x_t, with the shape of x0")
assert abs(float(square[0, 2]) - 0.6) > 1e-4, (
    "alpha_bar [B] was applied along the pixels, not along the images: use per_image"
)
xt = student.q_sample(x0, torch.tensor([3, 1, 2]), alphas_bar, noise)
assert has_shape(xt, (3, 1), "return x_t, with the shape of x0")
assert abs(float(xt[0]) - 0.04) > 1e-4, "the roots are missing: alpha_bar and 1 - alpha_bar are shares of the variance"
assert close(xt[:1], torch.tensor([[0.2]]), "the worked number: sqrt(alpha_bar_t) x0 + sqrt(1 - alpha_bar_t) noise")
assert close(
    xt[1:2], torch.tensor([[0.9**0.5]]), "without noise sqrt(alpha_bar_t) x0 is left; has each image its own t?"
)
assert close(xt[2:], torch.tensor([[2 * 0.28**0.5]]), "a grey picture: only sqrt(1 - alpha_bar_t) noise is left")
images = student.q_sample(torch.zeros(2, 1, 3, 3), torch.tensor([1, 3]), alphas_bar, torch.ones(2, 1, 3, 3))
assert has_shape(images, (2, 1, 3, 3), "images [B, 1, H, W] must work, too: use per_image")
with part("a tensor for a loss", 0.25):
    assert not xt.is_inference(), "no loss can be computed from an inference tensor: do not use torch.inference_mode()"
print("q_sample: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(61)
with part("the jump", 1.75):
    for shape in ((4, 5), (3, 1, 4, 4), (1, 2), (7, 7)):
        T = 9
        betas = 0.02 + 0.3 * torch.rand(T, generator=g)
        alphas_bar = torch.cumprod(1 - betas, 0)
        x0, noise = (4 * torch.randn(shape, generator=g) for _ in range(2))
        t = torch.randint(1, T + 1, shape[:1], generator=g)
        t[0] = T
        t[-1] = T if len(t) == 1 else 1
        xt = student.q_sample(x0, t, alphas_bar, noise)
        assert has_shape(xt, shape, "x_t has the shape of x0")
        assert close(
            xt,
            reference.q_sample(x0, t, alphas_bar, noise),
            "sqrt(alpha_bar_t) x0 + sqrt(1 - alpha_bar_t) noise",
            atol=1e-5,
        )
        none = torch.zeros(shape)
        assert close(
            student.q_sample(x0, t, alphas_bar, none) + student.q_sample(none, t, alphas_bar, noise),
            xt,
            "x_t is the sum of a part of x0 and a part of the noise",
            atol=1e-5,
        )
    N = 30_000
    start = 0.3 + float(torch.rand((), generator=g))
    x = torch.full((N,), start)
    for beta in betas[:6]:
        x = (1 - beta).sqrt() * x + beta.sqrt() * torch.randn(N, generator=g)
    jumped = student.q_sample(
        torch.full((N, 1), start),
        torch.full((N,), 6),
        alphas_bar,
        torch.randn(N, 1, generator=g),
    )[:, 0]
    spread = 6 * math.sqrt(2 / N)
    assert abs(float(jumped.mean() - x.mean())) <= spread, (
        "the mean of the jump must be that of a simulation step by step"
    )
    assert abs(float(jumped.var() / x.var()) - 1) <= 2 * spread, (
        "the variance of the jump must be that of the simulation"
    )
    unit = torch.randn(N, 1, generator=g)
    kept = student.q_sample(unit, torch.full((N,), 4), alphas_bar, torch.randn(N, 1, generator=g))
    assert abs(float(kept.var()) - 1) <= 2 * spread, "pixels of variance 1 keep variance 1"
### END HIDDEN TESTS

# %% [markdown]
# **Predict, then run.** Our schedule grows linearly from $0.1 / T$ to $10 / T$ over the $T$ steps. At which step is half of the variance noise?

# %%
T_GAUSS = run.size(full=500, mini=100, grade=30)
BETAS = torch.linspace(0.1 / T_GAUSS, 10 / T_GAUSS, T_GAUSS)  # [T]

# %% tags=["experiment"]
ALPHAS_BAR = cumulative_alphas(BETAS)  # [T]
steps_axis = list(range(1, T_GAUSS + 1))
half_lost = int((ALPHAS_BAR >= 0.5).sum())
print(
    f"half of the variance is noise after step {half_lost} of {T_GAUSS}; in the end {float(ALPHAS_BAR[-1]):.4f} is left"
)
plots.curves(
    {"picture, ᾱ": (steps_axis, ALPHAS_BAR), "noise, 1 − ᾱ": (steps_axis, 1 - ALPHAS_BAR)},
    title="Picture and noise, as shares of the variance",
    xlabel="step t",
    ylabel="share of the variance",
)

# %% tags=["experiment"]
DOWN_GAUSS = [max(1, round(T_GAUSS * share)) for share in (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1)]
clean = scaled_images[each_digit[::2][:4]]  # four digits
one_noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(4))
columns_of_noise = [clean] + [q_sample(clean, torch.full((4,), t), ALPHAS_BAR, one_noise) for t in DOWN_GAUSS]
plots.image_grid(
    (torch.stack(columns_of_noise, dim=1).flatten(0, 1) + 1) / 2,  # [4, columns, 1, H, W] -> [4 · columns, 1, H, W]
    rows=4,
    columns=len(columns_of_noise),
    title="Four digits in the forward process with Gaussian noise",
    xlabel="step t",
    column_labels=["0", *map(str, DOWN_GAUSS)],
)

# %% [markdown]
# ## 11. `q_posterior`: one step back, given the clean image (2 points)
#
# As in the first half: if we know $x_0$, we can calculate the step back. Bayes' rule multiplies two normal densities in $x_{t-1}$,
#
# $$q(x_{t-1} \mid x_t, x_0) \;\propto\; \underbrace{q(x_t \mid x_{t-1})}_{\text{one step}} \cdot \underbrace{q(x_{t-1} \mid x_0)}_{\text{a jump of } t - 1 \text{ steps}} ,$$
#
# and a product of normal densities is a normal density again. Find its mean and its variance; question (b) asks for the derivation. The mean has one factor for $x_0$ and one for $x_t$. Note carefully which $\bar\alpha$ belongs to step $t - 1$ and which to step $t$.
#
# A test for every such formula: at $t = 1$ the mean must be $x_0$ itself and the variance 0, since $x_{t-1}$ **is** $x_0$. So your code must handle $\bar\alpha_0 = 1$: `alphas_bar[t - 2]` at $t = 1$ would silently take the *last* number of the table.
#
# The function gets `betas` and computes what it needs. It returns a pair: `mean`, shaped like `xt`, and `variance`, one number per image in the shape `[B, 1, ..., 1]` that `per_image` gives (a variance that is already expanded to all pixels is accepted, too).
#
# *Worked numbers.* `betas = [0.1, 0.2, 0.5]`, $t$ = 3: the factor of $x_0$ is $0.662913$, that of $x_t$ is $0.309359$, the variance is $0.21875$. For $x_0 = 1$ and $x_3 = 0.2$ the mean is $0.724784$.
#
# <details><summary>Hint 1: idea</summary>
#
# Write the logarithm of the product as $-\tfrac A2 x_{t-1}^2 + B x_{t-1} + \text{const}$. Then the variance is $1 / A$ and the mean is $B / A$. Use $\bar\alpha_t = \gamma_t \bar\alpha_{t-1}$.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $$\text{mean} = \frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t}\, x_0 + \frac{\sqrt{\gamma_t}\, (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t}\, x_t,
# \qquad \text{variance} = \frac{\beta_t\, (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t} .$$
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# Compute `alphas_bar` from `betas`. Make a second table `before` of the same length: a 1, then all but the last number of `alphas_bar` (`torch.cat`). Take index `t - 1` of all three tables, each with `per_image`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "q_posterior", "locked": false, "schema_version": 3, "solution": true, "task": false}
def q_posterior(x0, xt, t, betas):
    """Mean and variance of the normal distribution of x_{t-1} given x_t and x_0.

    Question (b) asks for the derivation. Ho, Jain and Abbeel 2020, equations 6 and 7.

    Args:
        x0: clean images, `[B, ...]`.
        xt: noisy images, `[B, ...]`.
        t: the step of each image, LongTensor `[B]`, from 1 to T.
        betas: `[T]`; index t - 1 belongs to step t.

    Returns:
        (mean, variance): `[B, ...]`, and `[B, 1, ..., 1]` with as many dimensions. Example: betas = [0.1, 0.2, 0.5],
        t = 3, x0 = 1 and xt = 0.2 give 0.724784 and 0.21875; t = 1 gives x0 and 0.
    """
    ### BEGIN SOLUTION
    alphas_bar = cumulative_alphas(betas)
    before = torch.cat([torch.ones_like(alphas_bar[:1]), alphas_bar[:-1]])  # alpha_bar_{t-1} at index t - 1
    beta, now, earlier = (per_image(table[t - 1], xt) for table in (betas, alphas_bar, before))
    mean = (earlier.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - earlier) * xt) / (1 - now)
    return mean, beta * (1 - earlier) / (1 - now)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_q_posterior", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
betas = torch.tensor([0.1, 0.2, 0.5])
x0, xt, t = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.2, 1.0]]), torch.tensor([3])
found = student.q_posterior(x0, xt, t, betas)
assert isinstance(found, tuple | list | torch.Tensor) and len(found) == 2, "return a pair: mean, variance"
mean, variance = found
assert has_shape(mean, (1, 2), "the mean has the shape of xt")
assert tuple(variance.shape) in ((1, 1), (1, 2)), "the variance has one number per image, shaped [B, 1, ..., 1]"
if gives("cumulative_alphas", lambda: student.cumulative_alphas(betas), torch.tensor([0.9, 0.72, 0.36])):
    # the numbers below need a correct cumulative_alphas; while yours is wrong, fix it first
    assert abs(float(mean[0, 1]) - 0.707107) > 1e-4, (
        "the factor of xt: one alpha_bar belongs to the wrong step. Which step does each density of the product bring? (hint 1)"
    )
    assert close(mean[:, 1:], torch.tensor([[0.309359]]), "the worked number, the factor of xt")
    assert abs(float(mean[0, 0]) - 0.530622) > 1e-4, (
        "the factor of x0: one alpha_bar belongs to the wrong step. By which density does x0 enter the product?"
    )
    assert close(mean[:, :1], torch.tensor([[0.724784]]), "the worked number: the mean")
    assert abs(float(variance[0, 0]) - 0.467707) > 1e-4, (
        "this is the standard deviation: return the variance, without the root"
    )
    assert close(variance[0, 0], torch.tensor(0.21875), "the worked number: the variance")
    with part("t = 1", 0.5):
        mean, variance = student.q_posterior(x0, xt, torch.tensor([1]), betas)
        assert close(
            mean, x0, "at t = 1 the mean is x0 itself: alpha_bar_0 is 1, not the last entry of the table", atol=1e-5
        )
        assert close(variance + 0 * mean, torch.zeros(1, 2), "at t = 1 the variance is 0: alpha_bar_0 is 1", atol=1e-6)
both = student.q_posterior(torch.ones(2, 1, 3, 3), torch.ones(2, 1, 3, 3), torch.tensor([2, 3]), betas)
assert has_shape(both[0], (2, 1, 3, 3), "images [B, 1, H, W] must work, too: use per_image")
print("q_posterior: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(62)


def conditioned(betas, t, x0, xt):
    """Mean and variance for one step t, by conditioning the joint normal of (x_{t-1}, x_t) given x_0."""
    x0, xt, betas = x0.double(), xt.double(), betas.double()
    alphas_bar = torch.cumprod(1 - betas, 0)
    earlier = alphas_bar[t - 2] if t > 1 else torch.ones(())
    beta, now = betas[t - 1], alphas_bar[t - 1]
    between = (1 - beta).sqrt() * (1 - earlier)
    mean = earlier.sqrt() * x0 + between / (1 - now) * (xt - now.sqrt() * x0)
    return mean, 1 - earlier - between**2 / (1 - now)


def agree(got, want):
    """Are mean and variance those?"""
    try:
        close(got[0], want[0], "", rtol=1e-3, atol=3e-5)
        return close(got[1] + 0 * got[0], want[1] + 0 * want[0], "", rtol=1e-3, atol=1e-6)
    except AssertionError:
        return False


T = 8
with part("Bayes' rule", 1.5):
    for _ in range(3):
        betas = 0.01 + 0.1 * torch.rand(T, generator=g)
        for t in range(2, T + 1):
            x0, xt = (torch.randn(2, 3, generator=g) for _ in range(2))
            got = student.q_posterior(x0, xt, torch.full((2,), t), betas)
            assert has_shape(got[0], (2, 3), "the mean has the shape of xt")
            assert agree(got, conditioned(betas, t, x0, xt)), (
                "mean and variance of x_{t-1} given x_t and x_0: which factor has t - 1, which has t, which the roots?"
            )
    N, t = 40_000, 4
    start = float(torch.randn((), generator=g))
    x = torch.full((N, 1), start)
    for beta in betas[:t]:
        before, x = x, (1 - beta).sqrt() * x + beta.sqrt() * torch.randn(N, 1, generator=g)
    mean, variance = student.q_posterior(torch.full((N, 1), start), x, torch.full((N,), t), betas)
    rest = (before - mean) / (variance + 0 * mean).sqrt()
    assert abs(float(rest.mean())) <= 6 / math.sqrt(N), "in a simulation x_{t-1} has another mean"
    assert abs(float((rest * x).mean())) <= 6 * float(x.abs().max()) / math.sqrt(N), "the part of xt is wrong"
    assert abs(float((rest**2).mean()) - 1) <= 6 * math.sqrt(2 / N), "in a simulation the variance is different"
with part("the first step, and a step for each image", 1):
    for shape in ((3, 2), (2, 1, 3, 3), (4, 4)):
        x0, xt = (torch.randn(shape, generator=g) for _ in range(2))
        mean, variance = student.q_posterior(x0, xt, torch.ones(shape[0], dtype=torch.long), betas)
        assert close(mean, x0, "at t = 1 the mean is x0 itself", rtol=1e-3, atol=1e-5)
        assert close(variance + 0 * mean, torch.zeros(shape), "at t = 1 the variance is 0", atol=1e-6)
        t = torch.randint(2, T + 1, shape[:1], generator=g)
        for first in (None, 0, -1):  # the image that is at t = 1 while the others are not
            if first is not None:
                t[first] = 1
            got = student.q_posterior(x0, xt, t, betas)
            rows = [conditioned(betas, int(step), x0[row], xt[row]) for row, step in enumerate(t)]
            assert all(agree((got[0][row], (got[1] + 0 * got[0])[row]), want) for row, want in enumerate(rows)), (
                "each image has its own step t: one may be at t = 1 while others are not"
            )
            t[t == 1] = T
### END HIDDEN TESTS

# %% [markdown]
# ### The closed form against simulation, and against a formula that is wrong
#
# Let 200,000 pixels start at $x_0 = 1$ and simulate them to $t$ = 5, with a short schedule. Sort them into narrow bins by their value now, and compute in each bin their mean value **one step before**. This is the posterior mean, measured. The figure also shows your formula, and the same formula with a common mistake, $1 - \bar\alpha_t$ instead of $1 - \bar\alpha_{t-1}$ in the factor of $x_t$.
#
# **Predict, then run.** Is the line of the wrong formula steeper or flatter than the right one? The second figure shows both factors of $x_t$ at each step of our schedule: is the mistake larger early or late in the process?

# %% tags=["experiment"]
PROOF_T = 5
proof_betas = torch.tensor([0.02, 0.05, 0.1, 0.15, 0.2])  # a short schedule, so that one step can be seen
walk = torch.Generator().manual_seed(5)
x_now = torch.ones(run.size(full=200_000, mini=200_000, grade=20_000))
for beta in proof_betas:
    x_before, x_now = x_now, (1 - beta).sqrt() * x_now + beta.sqrt() * torch.randn(x_now.shape, generator=walk)
edges = torch.linspace(-0.6, 2.0, 14)
middles = (edges[1:] + edges[:-1]) / 2  # [13]
bins = torch.bucketize(x_now, edges)  # 1 ... 13 inside
in_bins = [x_before[bins == number] for number in range(1, len(edges))]
simulated_mean = torch.stack([values.mean() for values in in_bins])
proof_t = torch.full((len(middles),), PROOF_T)
formula_mean, formula_variance = q_posterior(torch.ones(len(middles), 1), middles[:, None], proof_t, proof_betas)
proof_bar = cumulative_alphas(proof_betas)
wrong_mean = (
    proof_bar[-2].sqrt() * proof_betas[-1] / (1 - proof_bar[-1]) + (1 - proof_betas[-1]).sqrt() * middles
)  # 1 - alpha_bar_t cancels out
residue = (
    x_before
    - q_posterior(torch.ones(len(x_now), 1), x_now[:, None], proof_t[:1].expand(len(x_now)), proof_betas)[0][:, 0]
)
simulated_variance = float(residue.var())
proof_gap = float((formula_mean[:, 0] - simulated_mean).abs().max())
wrong_gap = float((wrong_mean - simulated_mean).abs().max())
print(f"variance: {float(formula_variance[0]):.5f} by the formula, {simulated_variance:.5f} in the simulation")
print(f"mean, largest distance to the simulation: {proof_gap:.3f} for the formula, {wrong_gap:.3f} for the wrong one")
plots.curves(
    {
        "simulated": (middles, simulated_mean),
        "formula": (middles, formula_mean[:, 0]),
        "wrong formula, 1 − ᾱ(t) for 1 − ᾱ(t−1)": (middles, wrong_mean),
    },
    title="The value of a pixel one step before (start at 1, t = 5)",
    xlabel="value now",
    ylabel="mean value one step before",
)

# %% tags=["experiment"]
right_factor = q_posterior(torch.zeros(T_GAUSS, 1), torch.ones(T_GAUSS, 1), torch.arange(1, T_GAUSS + 1), BETAS)[0][
    :, 0
]
wrong_factor = (1 - BETAS).sqrt()  # with 1 - ᾱ(t) for 1 - ᾱ(t-1), the fraction cancels out
plots.curves(
    {"formula": (steps_axis, right_factor), "wrong formula": (steps_axis, wrong_factor)},
    title="The factor of the value now in the mean one step before",
    xlabel="step t",
    ylabel="factor of the value now",
    logx=True,
)

# %% [markdown]
# The formula and the simulation coincide. The wrong formula keeps too much of the present value. At $t$ = 1 the right factor is 0, since the pixel before is $x_0$, and the wrong one is $\sqrt{\gamma_1}$. Late in the process the two factors hardly differ.
#
# ## 12. `ddpm_loss`: predict the noise (1½ points)
#
# The network sees $x_t$ and $t$. It could predict $x_0$ for `q_posterior`. But in the jump of section 10, $x_t$ and the tables are known, so $\varepsilon$ determines $x_0$, and vice versa. Ho and others found that it works best to predict the noise, with the simplest loss, the mean squared error:
#
# $$\text{loss} = \text{mean over images and pixels of } \bigl(\varepsilon - \text{model}(x_t, t)\bigr)^2 .$$
#
# `model(xt, t)` is any function with these two arguments, images `[B, ...]` and steps `[B]`, that returns its prediction of the noise, shaped like `xt`. The noise is given; make $x_t$ from it with your `q_sample`.
#
# *Worked number.* The predictor below returns $0.5\, x_t + 0.1\, t$. With $\bar\alpha$ = (0.9, 0.72, 0.36), $t$ = 3, `x0 = [[1, 0]]` and `noise = [[-0.5, 1]]`: $x_3$ = (0.2, 0.8), the predictions are (0.4, 0.7), the errors $0.9^2$ = 0.81 and $0.3^2$ = 0.09, the loss **0.45**.


# %%
class PaperPredictor(nn.Module):
    """A noise predictor small enough to compute by hand: `slope` times x_t plus `drift` times t."""

    def __init__(self, slope: float = 0.5, drift: float = 0.1) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))
        self.drift = nn.Parameter(torch.tensor(drift))

    def forward(self, xt: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """The predicted noise, shaped like xt `[B, ...]`, for steps t `[B]`."""
        return self.slope * xt + per_image(self.drift * t, xt)


# %% nbgrader={"grade": false, "grade_id": "ddpm_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ddpm_loss(model, x0, t, alphas_bar, noise):
    """The mean over images and pixels of the squared error of the predicted noise.

    Ho, Jain and Abbeel 2020, equation 14.

    Args:
        model: `model(xt, t)` predicts the noise in xt `[B, ...]` at the steps t `[B]`, shaped like xt.
        x0: clean images, `[B, ...]`.
        t: the step of each image, LongTensor `[B]`, from 1 to T.
        alphas_bar: `[T]`; index t - 1 belongs to step t.
        noise: standard normal numbers, shaped like `x0`, with which x_t is made.

    Returns:
        A tensor without dimensions, differentiable in the model's weights. Example: `PaperPredictor()` with
        x0 = [[1, 0]], t = [3], alphas_bar = [0.9, 0.72, 0.36] and noise = [[-0.5, 1]] gives 0.45.
    """
    ### BEGIN SOLUTION
    xt = q_sample(x0, t, alphas_bar, noise)
    return F.mse_loss(model(xt, t), noise)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_ddpm_loss", "locked": true, "points": 1.5, "schema_version": 3, "solution": false, "task": false}
alphas_bar = torch.tensor([0.9, 0.72, 0.36])
x0, noise, t = torch.tensor([[1.0, 0.0]]), torch.tensor([[-0.5, 1.0]]), torch.tensor([3])
loss = student.ddpm_loss(student.PaperPredictor(), x0, t, alphas_bar, noise)
assert has_shape(loss, (), "the loss is one number, a tensor without dimensions")
if gives("q_sample", lambda: student.q_sample(x0, t, alphas_bar, noise), torch.tensor([[0.2, 0.8]])):
    # the numbers below need a correct q_sample; while yours is wrong, fix it first
    assert abs(float(loss.detach()) - 0.425) > 1e-4, (
        "you compared the prediction with x0: the model predicts the noise, not the picture"
    )
    assert abs(float(loss.detach()) - 1.09) > 1e-4, "the model gets the noisy image x_t of q_sample, not x0"
    assert abs(float(loss.detach()) - 0.9) > 1e-4, (
        "you summed over the pixels: the loss is the mean over images and pixels"
    )
    assert abs(float(loss.detach()) - 0.45**0.5) > 1e-4, "take no root: the loss is the mean of the squared errors"
    assert close(loss, torch.tensor(0.45), "the worked number: the error of the predicted noise, squared, averaged")


def all_knowing(xt, t):
    """Predicts exactly the noise that was added."""
    return noise


assert float(student.ddpm_loss(all_knowing, x0, t, alphas_bar, noise)) < 1e-9, (
    "a model that predicts the noise exactly has loss 0"
)
print("ddpm_loss: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(63)
T = 12
alphas_bar = torch.cumprod(1 - 0.02 - 0.2 * torch.rand(T, generator=g), 0)
for shape in ((1, 5), (4, 1, 3, 3), (30, 2)):
    x0, noise = (torch.randn(shape, generator=g) for _ in range(2))
    t = torch.randint(1, T, shape[:1], generator=g)
    slope, drift = torch.randn(2, generator=g).tolist()
    model = student.PaperPredictor(slope, drift)
    loss = student.ddpm_loss(model, x0, t, alphas_bar, noise)
    assert has_shape(loss, (), "the loss is one number")
    asked = []

    def watched(xt, t, asked=asked):
        """Records its arguments, and predicts something."""
        asked.append((xt, t))
        return 2 * xt + 1

    watched_loss = student.ddpm_loss(watched, x0, t, alphas_bar, noise)
    assert asked, "the loss does not call the model"
    shown, told = (
        torch.cat(each)[: len(t)] for each in zip(*asked, strict=True)
    )  # it may call the model image by image
    assert close(told, t, "the model must get the step t of each image, unchanged: model(xt, t)")
    later = t.double().reshape(-1, *[1] * (len(shape) - 1))
    xt = reference.q_sample(x0, t, alphas_bar, noise)
    assert close(shown, xt, "the model must get x_t, the noisy image of q_sample", atol=3e-5)
    hint = "the mean over images and pixels of the squared error of the noise, predicted from x_t"
    assert close(watched_loss, ((2 * xt + 1 - noise) ** 2).mean(), hint)
    off = slope * xt + drift * later - noise
    assert close(loss, (off**2).mean(), hint)
    assert loss.requires_grad, "the loss must be differentiable in the model's weights"
    loss.backward()
    assert model.slope.grad is not None, "no gradient reaches the model"
    assert close(model.slope.grad, (2 * off * xt).mean(), "the gradient by the model's weights is wrong", rtol=1e-3)
### END HIDDEN TESTS

# %% [markdown]
# ## 13. `p_sample`: one learnt step back (1½ points)
#
# Now put the pieces together:
#
# 1. The model predicts the noise in $x_t$. Solve the jump of section 10 for the picture; this gives an estimate $\hat x_0$.
# 2. Use $\hat x_0$ as if it were $x_0$, and draw $x_{t-1}$ from the normal distribution of section 11, with the given `noise`.
#
# Use the variance of section 11. (Ho and others also tried $\beta_t$; here it counts as wrong.) At $t$ = 1 the result is $\hat x_0$ **without any noise**. Do not clamp $\hat x_0$ to $[-1, 1]$.
#
# *Worked numbers.* `betas = [0.1, 0.2, 0.5]`, $t$ = 3, $x_3$ = 0.2, prediction 0.5 · 0.2 + 0.1 · 3 = 0.4: $\hat x_0 = -0.2$, the mean is $-0.070711$, and with `noise` = 1 the result is $0.396996$.
#
# <details><summary>Hint 1: idea</summary>
#
# Your `q_posterior` gives mean and variance for any $x_0$. A normal variable is its mean plus its standard deviation times standard normal noise.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $$\hat x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\;\, \text{model}(x_t, t)}{\sqrt{\bar\alpha_t}}, \qquad x_{t-1} = \text{mean}(\hat x_0, x_t) + \sqrt{\text{variance}} \cdot \text{noise} .$$
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `alpha_bar = per_image(cumulative_alphas(betas)[t - 1], xt)`, then $\hat x_0$, then `mean, variance = q_posterior(...)`. At $t$ = 1 the variance is 0, so the noise vanishes by itself.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "p_sample", "locked": false, "schema_version": 3, "solution": true, "task": false}
def p_sample(model, xt, t, betas, noise):
    """Draws x_{t-1}: the posterior of section 11 with the model's estimate of x_0; no noise at t = 1.

    Ho, Jain and Abbeel 2020, algorithm 2, with the variance of equation 7.

    Args:
        model: `model(xt, t)` predicts the noise in xt, shaped like xt.
        xt: noisy images, `[B, ...]`.
        t: the step of each image, LongTensor `[B]`, from 1 to T.
        betas: `[T]`; index t - 1 belongs to step t.
        noise: standard normal numbers, shaped like `xt`; they do not matter where t = 1.

    Returns:
        x_{t-1}, shaped like `xt`. Example: `PaperPredictor()` with betas = [0.1, 0.2, 0.5], t = [3], xt = [[0.2]] and
        noise = [[1]] gives 0.396996; with noise = [[0]] it gives -0.070711.
    """
    ### BEGIN SOLUTION
    alpha_bar = per_image(cumulative_alphas(betas)[t - 1], xt)
    x0 = (xt - (1 - alpha_bar).sqrt() * model(xt, t)) / alpha_bar.sqrt()
    mean, variance = q_posterior(x0, xt, t, betas)
    return mean + variance.sqrt() * noise
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_p_sample", "locked": true, "points": 1.5, "schema_version": 3, "solution": false, "task": false}
betas = torch.tensor([0.1, 0.2, 0.5])
xt, t = torch.tensor([[0.2]]), torch.tensor([3])
paper = student.PaperPredictor()
quiet, loud = (student.p_sample(paper, xt, t, betas, torch.full((1, 1), level)) for level in (0.0, 1.0))
assert has_shape(quiet, (1, 1), "return x_{t-1}, with the shape of xt")
both = torch.tensor([3, 1])
posterior = torch.tensor([[[0.724784], [1.0]], [[0.21875], [0.0]]])  # mean and variance at t = 3 and t = 1, for x0 = 1
if gives("cumulative_alphas", lambda: student.cumulative_alphas(betas), torch.tensor([0.9, 0.72, 0.36])) and gives(
    "q_posterior", lambda: torch.stack(student.q_posterior(torch.ones(2, 1), xt.repeat(2, 1), both, betas)), posterior
):
    # the numbers below need correct cumulative_alphas and q_posterior; while yours are wrong, fix them first
    assert close(quiet, torch.tensor([[-0.070711]]), "the worked number with noise 0: the mean", rtol=1e-3, atol=1e-5)
    scale = float((loud - quiet).detach())
    assert abs(scale - 0.21875) > 1e-3, (
        "the noise is multiplied by the standard deviation: the root of the variance is missing"
    )
    assert abs(scale - 0.5**0.5) > 1e-3, "this is sqrt(beta_t): use the variance of section 11"
    assert close(loud, torch.tensor([[0.396996]]), "the worked number with noise 1", rtol=1e-3, atol=1e-5)
    far = student.p_sample(paper, torch.tensor([[8.0]]), t, betas, torch.zeros(1, 1))
    assert close(
        far, torch.tensor([[7.513014]]), "a bright pixel, x_t = 8: do not clamp the picture to [-1, 1]", rtol=1e-3
    )
    pair = student.p_sample(paper, xt.repeat(2, 1), torch.tensor([1, 3]), betas, torch.ones(2, 1))
    assert close(
        pair[1:], loud, "each image has its own t: one at t = 1 must not remove the noise of the others", rtol=1e-3
    )
    with part("no noise at t = 1", 0.25):
        quiet, loud = (student.p_sample(paper, xt, torch.tensor([1]), betas, torch.full((1, 1), e)) for e in (0.0, 1.0))
        assert close(loud, quiet, "no noise at the last step, t = 1", atol=1e-5)
images = student.p_sample(paper, torch.zeros(2, 1, 3, 3), torch.tensor([2, 3]), betas, torch.ones(2, 1, 3, 3))
assert has_shape(images, (2, 1, 3, 3), "images [B, 1, H, W] must work, too: use per_image")
print("p_sample: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(64)


def step_back(predict, xt, t, betas, noise):
    """x_{t-1}, by the form of the mean that has no x_0 in it."""
    table = torch.cumprod(1 - betas, 0)
    before = torch.cat([torch.ones(1), table[:-1]])
    now, earlier, beta = (each[t - 1].reshape(-1, *[1] * (xt.ndim - 1)) for each in (table, before, betas))
    mean = (xt - beta / (1 - now).sqrt() * predict(xt, t)) / (1 - beta).sqrt()
    return mean + (beta * (1 - earlier) / (1 - now)).sqrt() * noise


T, SHAPES = 9, ((4, 3), (3, 1, 3, 3), (1, 2))


def draw_case(shape):
    """Betas, x_t, steps above 1, noise, a made-up noise predictor, and the list of what it was asked."""
    betas = 0.01 + 0.08 * torch.rand(T, generator=g)
    xt, noise = (torch.randn(shape, generator=g) for _ in range(2))
    t = torch.randint(2, T + 1, shape[:1], generator=g)
    t[-1] = 2  # the last step with noise
    slope, drift = torch.randn(2, generator=g).tolist()
    asked = []

    def predict(xt, t):
        asked.append((xt, t))
        return slope * xt + drift * t.float().reshape(-1, *[1] * (len(shape) - 1))

    return betas, xt, t, noise, predict, asked


with part("a step back", 1.25):
    for shape in SHAPES:
        betas, xt, t, noise, predict, asked = draw_case(shape)
        for level in (1.0, 0.0):
            asked.clear()
            got = student.p_sample(predict, xt, t, betas, level * noise)
            assert asked, "p_sample does not call the model"
            shown, told = (
                torch.cat(each)[: len(t)] for each in zip(*asked, strict=True)
            )  # it may call the model image by image
            assert close(told, t, "the model must get the step t of each image: model(xt, t)")
            assert close(shown, xt, "the model must get xt unchanged")
            assert has_shape(got, shape, "x_{t-1} has the shape of xt")
            hint = "mean of section 11 at the model's x_0, plus the square root of the variance times noise, with the t of each image"
            assert close(got, step_back(predict, xt, t, betas, level * noise), hint, rtol=1e-3, atol=1e-4)
with part("the last step", 0.5):
    for shape in SHAPES:
        betas, xt, t, noise, predict, _ = draw_case(shape)
        first = torch.ones(shape[0], dtype=torch.long)
        got, again = (student.p_sample(predict, xt, first, betas, level * noise) for level in (1.0, -3.0))
        assert close(got, again, "no noise at the last step, t = 1", atol=1e-3)
        want = step_back(predict, xt, first, betas, noise)
        assert close(got, want, "at t = 1 the result is the model's x_0", rtol=1e-3, atol=1e-4)
        t[0] = 1
        got, want = student.p_sample(predict, xt, t, betas, noise), step_back(predict, xt, t, betas, noise)
        hint = "each image has its own step t: one may be at t = 1 while others are not"
        assert close(got, want, hint, rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# ## 14. Training the second half
#
# The same network class, another loss. The plan has *not* changed: take clean images, draw a $t$ for each, jump to that step, call the network, compute the loss.

# %%
GAUSS_STEPS = run.size(full=10_000, mini=2_000, grade=3)
grey = scaled_images.to(run.device)


def gaussian_batch_loss() -> torch.Tensor:
    """The loss of a fresh batch: random images, a random step for each, fresh noise."""
    x0 = grey[torch.randint(len(grey), (BATCH,), device=run.device)]
    t = torch.randint(1, T_GAUSS + 1, (BATCH,), device=run.device)
    return ddpm_loss(noise_net, x0, t, alphas_bar_there, torch.randn_like(x0))


# %% tags=["train"]
alphas_bar_there = cumulative_alphas(BETAS).to(run.device)
homework.seed_everything(run.seed)
noise_net = new_unet()
gauss_losses = train(
    "gaussian",
    noise_net,
    GAUSS_STEPS,
    gaussian_batch_loss,
    [cumulative_alphas, q_sample, ddpm_loss, BETAS.tolist()],
)
noise_net = noise_net.eval()

# %% tags=["experiment"]
plots.curves(
    {"loss of each batch": gauss_losses},
    title="Training the second half",
    xlabel="training step",
    ylabel="mean squared error of the noise",
    smooth=run.size(full=200, mini=50, grade=0),
    logy=True,
)

# %% [markdown]
# **Predict, then run.** A network that always predicts 0 has loss 1, since the noise has variance 1. At which end of the process is the noise easiest to predict: where there is little noise, or where there is almost only noise?

# %% tags=["train"]
test_images = (2 * test_grey - 1).to(run.device)


@torch.no_grad()
def gauss_loss_at(t: int) -> float:
    """The loss of the trained network at one step, on test images."""
    steps = torch.full((len(test_images),), t, device=run.device)
    return float(ddpm_loss(noise_net, test_images, steps, alphas_bar_there, torch.randn_like(test_images)))


loss_steps = sorted({max(1, round(T_GAUSS * i / 50)) for i in range(51)})
gauss_loss_by_step = [gauss_loss_at(t) for t in loss_steps]

# %% tags=["experiment"]
plots.curves(
    {"test images": (loss_steps, gauss_loss_by_step)},
    title="Second half: the loss at each step",
    xlabel="step t",
    ylabel="mean squared error of the noise",
    logy=True,
    levels={"always predicting 0": 1.0},
)

# %% [markdown]
# The noise is hardest to predict where there is little of it, and easy where almost only noise is left: at $t = T$ the answer is nearly $x_t$ itself. The plain mean squared error gives every $t$ the same weight. The bound on the log-likelihood would weigh the first steps far more; Ho and others found that the pictures are better with equal weights.
#
# ### Drawing samples
#
# Start from $x_T \sim N(0, I)$ and call `p_sample` $T$ times.


# %%
@torch.no_grad()
def draw_gaussian(count: int, seed: int, keep: tuple[int, ...] = ()) -> tuple[torch.Tensor, dict[int, torch.Tensor]]:
    """Goes back from noise: samples `[count, 1, SIZE, SIZE]`, about in [0, 1], and the images at each t in `keep`."""
    generator = torch.Generator().manual_seed(seed)
    shape, table = (count, 1, SIZE, SIZE), BETAS.to(run.device)
    x, kept = torch.randn(shape, generator=generator).to(run.device), {}
    for t in range(T_GAUSS, 0, -1):
        if t in keep:
            kept[t] = (x.cpu() + 1) / 2
        noise = torch.randn(shape, generator=generator).to(run.device)
        x = p_sample(noise_net, x, torch.full((count,), t, device=run.device), table, noise)
    return (x.cpu() + 1) / 2, kept


# %% tags=["train"]
gauss_samples, _ = draw_gaussian(COUNT, seed=1)
gauss_verdict = judge_samples(judge, enlarged(gauss_samples))
gauss_real = judge_samples(judge, enlarged(test_grey))

# %% tags=["experiment"]
plots.image_grid(
    gauss_samples,
    rows=5,
    columns=20,
    title=f"Second half: samples drawn from Gaussian noise ({digits.name}, {GAUSS_STEPS:,} training steps)",
)

# %% tags=["experiment"]
BACK_GAUSS = tuple(sorted({max(1, round(T_GAUSS * i / 100)) for i in (2, 6, 10, 16, 24, 32, 40, 55, 75, 100)}))[::-1]
film_end, film = draw_gaussian(4, seed=2, keep=BACK_GAUSS)
plots.image_grid(
    torch.stack([*(film[t] for t in BACK_GAUSS), film_end], dim=1).flatten(0, 1),
    rows=4,
    columns=len(BACK_GAUSS) + 1,
    title="Second half: the reverse process of four samples",
    xlabel="step t",
    column_labels=[*map(str, BACK_GAUSS), "0"],
)

# %% tags=["experiment"]
show_judgement(gauss_verdict, gauss_real, "Second")

# %% [markdown]
# ## 15. `draw_samples`: fewer steps with DDIM (4 points)
#
# A sample costs $T$ calls of the network. Can we leave out steps? Song, Meng and Ermon (2021) noticed that the loss of section 12 uses only the jumps $q(x_t \mid x_0)$, not the steps between them. So every reverse process with the same jumps can use the same network, without new training. Theirs goes from step $t$ to any earlier step $s$. It estimates the picture $\hat x_0$ as in section 13, and jumps from it to step $s$. The jump uses the noise that the network predicted, with a factor $c$, and adds new noise with variance $\sigma^2$:
#
# $$x_s = \sqrt{\bar\alpha_s}\;\hat x_0 + c \cdot \text{model}(x_t, t) + \sigma \cdot \text{noise}, \qquad
# \sigma^2 = \eta^2\, \frac{1 - \bar\alpha_s}{1 - \bar\alpha_t} \Bigl(1 - \frac{\bar\alpha_t}{\bar\alpha_s}\Bigr) .$$
#
# Find $c \ge 0$ yourself. Treat the predicted noise as standard normal and independent of the new noise: both together must have the variance that $x_s$ has in the jump $q(x_s \mid x_0)$ of section 10.
#
# The number $\eta$, from 0 to 1, sets the share of new noise. With $\eta = 0$ there is none: the sample is a *function* of $x_T$ (DDIM). With $\eta = 1$ and $s = t - 1$, the jump is exactly your `p_sample` (put in $\bar\alpha_t = \bar\alpha_{t-1} \gamma_t$; a cell below checks it).
#
# **Your task** is the whole sampler. `times` is a list of steps in decreasing order. It begins with the step of `x` and ends with the step of the result, for instance `[100, 50, 0]`. Jump number $i$, from 0 on, goes from `times[i]` to `times[i + 1]` with the noise `noises[i]`. All images are at the same step; the model still gets one step for each image, a LongTensor `[B]`. The table has no $\bar\alpha_0$, which is 1. Do not clamp $\hat x_0$.
#
# *Worked numbers.* $\bar\alpha$ = (0.9, 0.72, 0.36, 0.18), the predictor $0.5\, x_t + 0.1\, t$, $x_3$ = 0.2.
#
# * From $t$ = 3 to $s$ = 1 with $\eta$ = 0: the prediction is 0.4, $\hat x_0 = (0.2 - 0.8 \cdot 0.4) / 0.6 = -0.2$, and $x_1 = 0.948683 \cdot (-0.2) + 0.316228 \cdot 0.4 = -0.063246$.
# * The same with $\eta$ = 1 and `noise` = 1: $\sigma^2 = \frac{0.1}{0.64} \cdot (1 - \frac{0.36}{0.9}) = 0.09375$, and $x_1 = -0.189737 + 0.079057 \cdot 0.4 + 0.306186 = 0.148072$.
# * `times = [3, 1, 0]`, $\eta$ = 0: from $x_1 = -0.063246$, where the prediction is 0.068377, to $x_0 = -0.089460$.
#
# <details><summary>Hint 1: idea</summary>
#
# One loop over the pairs of neighbours in `times`. Each pass needs two numbers of the table, one call of the model, $\hat x_0$ and $\sigma^2$. The result of a pass is the `x` of the next one.
#
# </details>
# <details><summary>Hint 2: the factor, and the last jump</summary>
#
# $c^2 + \sigma^2 = 1 - \bar\alpha_s$, so $c = \sqrt{1 - \bar\alpha_s - \sigma^2}$.
#
# Put $\bar\alpha_0 = 1$ in front of the table. Then index $t$ belongs to step $t$, for 0 too. With $s = 0$ the formula gives $\sigma^2 = 0$ and $x_0 = \hat x_0$.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `for t, s, noise in zip(times[:-1], times[1:], noises):` with `now, then = table[t], table[s]`. The steps for the model: `torch.full((len(x),), t, device=x.device)`. Return `x` after the loop.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "draw_samples", "locked": false, "schema_version": 3, "solution": true, "task": false}
def draw_samples(model, x, times, alphas_bar, eta, noises):
    """Goes back from step times[0] to step times[-1], one jump for each pair of neighbours in `times`.

    Song, Meng and Ermon 2021 (arXiv:2010.02502), equations 12 and 16.

    Args:
        model: `model(xt, t)` predicts the noise in xt `[B, ...]` at the steps t, LongTensor `[B]`.
        x: images at step times[0], `[B, ...]`.
        times: list of at least two whole numbers, strictly decreasing, from at most T to at least 0.
        alphas_bar: `[T]`, as `cumulative_alphas` gives it; index t - 1 belongs to step t.
        eta: share of new noise, a number from 0 (DDIM) to 1.
        noises: standard normal numbers, `[len(times) - 1, B, ...]`; noises[i] is for the jump to times[i + 1].

    Returns:
        The images at step times[-1], shaped like `x`. Example: `PaperPredictor()`, x = [[0.2]], times = [3, 1],
        alphas_bar = [0.9, 0.72, 0.36, 0.18] and noises = [[[1]]] give -0.063246 for eta = 0 and 0.148072 for eta = 1.
    """
    ### BEGIN SOLUTION
    table = torch.cat([torch.ones_like(alphas_bar[:1]), alphas_bar])  # index t belongs to step t
    for t, s, noise in zip(times[:-1], times[1:], noises, strict=True):
        now, then = table[t], table[s]
        error = model(x, torch.full((len(x),), t, device=x.device))
        x0 = (x - (1 - now).sqrt() * error) / now.sqrt()
        sigma2 = eta**2 * (1 - then) / (1 - now) * (1 - now / then)
        x = then.sqrt() * x0 + (1 - then - sigma2).clamp(min=0).sqrt() * error + sigma2.sqrt() * noise
    return x
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_draw_samples", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
alphas_bar = torch.tensor([0.9, 0.72, 0.36, 0.18])
asked = []


def recorder(xt, t):
    """Predicts 0.5 x_t + 0.3, and records the steps it is asked for."""
    asked.append(t)
    return 0.5 * xt + 0.3


one = torch.ones(1, 1, 1)
jump = student.draw_samples(recorder, torch.tensor([[0.2]]), [3, 1], alphas_bar, 0.0, one)
assert has_shape(jump, (1, 1), "return the images at step times[-1], with the shape of x")
assert len(asked) == 1, "one jump asks the model once"
assert has_shape(asked[0], (1,), "the model gets one step for each image, a LongTensor [B]: torch.full")
assert int(asked[0][0]) != 1, "wrong order: a jump starts at times[0], the larger step, and the model is asked there"
assert int(asked[0][0]) == 3, "the model must get t = times[i], the step of x"
assert abs(float(jump) + 0.2) > 1e-4, "this is the estimate of x_0: jump from it to step s"
assert abs(float(jump) - 0.041954) > 1e-4, (
    "alpha_bar of the wrong step: the jump must end at s = times[i + 1]. To which step does alphas_bar[s] belong?"
)
assert abs(float(jump) + 0.112771) > 1e-4 and abs(float(jump) + 0.236234) > 1e-4, (
    "alpha_bar of the wrong step: in alphas_bar, index t - 1 belongs to step t"
)
assert abs(float(jump) - 0.126491) > 1e-4, "with eta = 0 the jump uses the predicted noise and no new noise"
assert close(jump, torch.tensor([[-0.063246]]), "the worked numbers: from 3 to 1 with eta = 0", rtol=1e-3)
bright = student.draw_samples(recorder, torch.tensor([[8.0]]), [3, 1], alphas_bar, 0.0, one)
assert close(bright, torch.tensor([[8.569770]]), "a bright pixel, x_t = 8: do not clamp x_0 to [-1, 1]", rtol=1e-3)
with part("new noise", 0.5):
    noisy = student.draw_samples(recorder, torch.tensor([[0.2]]), [3, 1], alphas_bar, 1.0, one)
    assert abs(float(noisy) - 0.242941) > 1e-4, (
        "the variance of x_s is too large: the predicted and the new noise together must have that of a jump to step s"
    )
    assert abs(float(noisy) + 0.064364) > 1e-4, (
        "the variance of the new noise is sigma^2; with which factor is it multiplied?"
    )
    assert close(noisy, torch.tensor([[0.148072]]), "the worked numbers: from 3 to 1 with eta = 1", rtol=1e-3)
with part("the jump to step 0", 0.5):
    for eta in (0.0, 1.0):
        last = student.draw_samples(recorder, torch.tensor([[0.2]]), [3, 0], alphas_bar, eta, one)
        hint = "at s = 0 the result is the estimate of x_0: alpha_bar_0 is 1, not the last number of the table"
        assert close(last, torch.tensor([[-0.2]]), hint, rtol=1e-3)
with part("several jumps", 0.5):
    paper = student.PaperPredictor()
    path = student.draw_samples(paper, torch.tensor([[0.2]]), [3, 1, 0], alphas_bar, 0.0, torch.zeros(2, 1, 1))
    assert close(path, torch.tensor([[-0.089460]]), "the worked numbers: from 3 to 1, then to 0", rtol=1e-3)
images = student.draw_samples(recorder, torch.zeros(2, 1, 3, 3), [4, 2, 1], alphas_bar, 0.5, torch.ones(2, 2, 1, 3, 3))
assert has_shape(images, (2, 1, 3, 3), "images [B, 1, H, W] must work, too")
print("draw_samples: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(65)


def jumps(predict, x, times, alphas_bar, eta, noises):
    """The sampler in float64, by its definition."""
    table = torch.cat([torch.ones(1).double(), alphas_bar.double()])
    x = x.double()
    for place, (t, s) in enumerate(zip(times[:-1], times[1:], strict=True)):
        error = predict(x, torch.full((len(x),), t))
        x0 = (x - (1 - table[t]) ** 0.5 * error) / table[t] ** 0.5
        sigma = eta * ((1 - table[s]) / (1 - table[t]) * (1 - table[t] / table[s])) ** 0.5
        x = (
            table[s] ** 0.5 * x0
            + (1 - table[s] - sigma**2).clamp(min=0) ** 0.5 * error
            + sigma * noises[place].double()
        )
    return x


T = 10


def draw_case(shape, count):
    """A table, images, noises, a made-up noise predictor and what it was asked."""
    alphas_bar = torch.cumprod(1 - 0.03 - 0.15 * torch.rand(T, generator=g), 0)
    x, noises = torch.randn(shape, generator=g), torch.randn((count, *shape), generator=g)
    slope, drift = (0.3 + 0.5 * torch.rand(2, generator=g)).tolist()
    asked = []

    def predict(xt, t):
        asked.append((xt, t))
        return slope * xt + 0.2 * drift * t.float().reshape(-1, *[1] * (len(shape) - 1))

    return alphas_bar, x, noises, predict, asked


def agrees(got, want, hint):
    """Does the result have the right shape and numbers?"""
    assert has_shape(got, want.shape, "the result has the shape of x")
    return close(got.double(), want, hint, rtol=1e-3, atol=1e-4)


with part("one jump without new noise", 1):
    for shape, times in (((4, 3), [7, 3]), ((3, 1, 3, 3), [10, 9]), ((1, 2), [2, 1]), ((2, 5), [10, 1])):
        alphas_bar, x, noises, predict, asked = draw_case(shape, 1)
        got = student.draw_samples(predict, x, times, alphas_bar, 0.0, noises)
        assert asked, "draw_samples does not call the model"
        shown, told = (torch.cat(each)[: len(x)] for each in zip(*asked, strict=True))
        assert close(told, torch.full((len(x),), times[0]), "the model must get the step t = times[i] of each image")
        assert told.dtype == torch.int64, "the model gets the steps as a LongTensor [B]"
        assert close(shown, x, "the model must get x unchanged")
        assert agrees(got, jumps(predict, x, times, alphas_bar, 0.0, noises), "the jump from t to s with eta = 0")
        other = student.draw_samples(predict, x, times, alphas_bar, 0.0, -2 * noises)
        assert close(other, got, "with eta = 0 the noise does not matter", atol=1e-5)
with part("one jump with new noise", 0.75):
    for shape, times in (((4, 3), [7, 3]), ((3, 1, 3, 3), [10, 5]), ((2, 2), [3, 1])):
        alphas_bar, x, noises, predict, _ = draw_case(shape, 1)
        for eta in (0.3 + 0.5 * float(torch.rand((), generator=g)), 1.0):
            got = student.draw_samples(predict, x, times, alphas_bar, eta, noises)
            hint = "the jump from t to s with new noise: sigma^2 with eta^2, once under the root, once as a factor"
            assert agrees(got, jumps(predict, x, times, alphas_bar, eta, noises), hint)
    betas = 0.03 + 0.15 * torch.rand(T, generator=g)
    for t in (2, 6, 10):
        got = student.draw_samples(predict, x, [t, t - 1], torch.cumprod(1 - betas, 0), 1.0, noises)
        want = reference.p_sample(predict, x, torch.full((len(x),), t), betas, noises[0]).double()
        assert agrees(got, want, "with eta = 1 and s = t - 1 the jump is p_sample")
    N, picture = 40_000, float(torch.randn((), generator=g))

    def knows(xt, t):
        """The noise in x_t when the picture is known."""
        kept = alphas_bar[t - 1].reshape(-1, *[1] * (xt.ndim - 1))
        return (xt - kept.sqrt() * picture) / (1 - kept).sqrt()

    for eta in (0.0, 0.6, 1.0):
        start = alphas_bar[8].sqrt() * picture + (1 - alphas_bar[8]).sqrt() * torch.randn(4, N // 4, generator=g)
        got = student.draw_samples(knows, start, [9, 4], alphas_bar, eta, torch.randn(1, 4, N // 4, generator=g))
        spread = 6 * math.sqrt(2 / N)
        assert abs(float(got.var() / (1 - alphas_bar[3])) - 1) <= spread, (
            "if the model knows the picture, x_s must have the variance 1 - alpha_bar_s, for every eta"
        )
with part("several jumps, down to 0", 0.75):
    for shape, times in (((4, 3), [10, 6, 5, 1]), ((3, 1, 3, 3), [8, 4, 2, 0]), ((1, 2), [*range(10, 1, -1), 0])):
        alphas_bar, x, noises, predict, asked = draw_case(shape, len(times) - 1)
        for eta in (0.0, 0.4, 1.0):
            asked.clear()
            got = student.draw_samples(predict, x, times, alphas_bar, eta, noises)
            told = torch.cat([t for _, t in asked])
            want = torch.tensor(times[:-1]).repeat_interleave(len(x))
            hint = "the model is asked at times[0], times[1], ..., in this order, and never at times[-1]"
            assert close(told, want, hint)
            hint = "every jump starts at the result of the one before and has its own noise, noises[i]"
            assert agrees(got, jumps(predict, x, times, alphas_bar, eta, noises), hint)
### END HIDDEN TESTS

# %% [markdown]
# The next cell draws images with your sampler, and checks that $\eta$ = 1 with $s = t - 1$ is your `p_sample`.


# %%
@torch.no_grad()
def draw_ddim(x: torch.Tensor, steps: int, eta: float = 0.0, seed: int = 0, times: list | None = None) -> torch.Tensor:
    """Goes back from x = x_T to pictures, in jumps of equal length or along given times.

    Args:
        x: standard normal numbers, `[B, 1, SIZE, SIZE]`.
        steps: number of jumps of equal length, at most T.
        eta: 0 for DDIM, 1 for as much new noise as in `p_sample`.
        seed: of the noise, which only matters for eta > 0.
        times: the steps themselves, from T to 0; then `steps` is not used.

    Returns:
        Samples, `[B, 1, SIZE, SIZE]`, about in [0, 1], on the CPU.
    """
    generator = torch.Generator().manual_seed(seed)
    times = times or torch.linspace(T_GAUSS, 0, steps + 1).round().long().tolist()
    if eta > 0:
        noises = torch.stack([torch.randn(x.shape, generator=generator) for _ in times[1:]])
    else:
        noises = torch.zeros(()).expand(len(times) - 1, *x.shape)
    table = cumulative_alphas(BETAS).to(run.device)
    return (draw_samples(noise_net, x.to(run.device), times, table, eta, noises.to(run.device)).cpu() + 1) / 2


# %% tags=["experiment"]
probe, probe_noise = torch.randn(2, 2, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(6)).to(run.device)
probe_t = T_GAUSS // 2
with torch.no_grad():
    jumped = draw_samples(noise_net, probe, [probe_t, probe_t - 1], alphas_bar_there, 1.0, probe_noise[None])
    steps_of_probe = torch.full((len(probe),), probe_t, device=run.device)
    walked = p_sample(noise_net, probe, steps_of_probe, BETAS.to(run.device), probe_noise)
same_step_gap = float((jumped - walked).abs().max())
print(f"with η = 1 and s = t - 1, draw_samples and p_sample differ by at most {same_step_gap:.1e}")

# %% [markdown]
# **Predict, then run.** Which of the two samplers is better with fewer steps, the one that adds noise at every jump or the one that never does? From how many steps on would you call the samples good?

# %% tags=["train"]
LEAPS = sorted({max(1, T_GAUSS // part) for part in (1, 2, 5, 10, 20, 50)})
same_start = torch.randn(COUNT // 2, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(7))
by_leaps = {
    eta: {
        steps: judge_samples(judge, enlarged(draw_ddim(same_start, steps, eta)))
        for steps in LEAPS
        if eta == 0 or steps < T_GAUSS
    }
    for eta in (0.0, 1.0)
}
by_leaps[1.0][T_GAUSS] = gauss_verdict  # with all steps this is p_sample: the samples of section 14

# %% tags=["experiment"]
print("steps   DDIM: confidence, classes   with noise: confidence, classes")
for steps in LEAPS:
    ddim, noisy = by_leaps[0.0][steps], by_leaps[1.0][steps]
    print(
        f"{steps:5d}   {ddim.mean_confidence:16.2f}, {ddim.classes_recognised:7d}"
        f"   {noisy.mean_confidence:22.2f}, {noisy.classes_recognised:7d}"
    )
plots.curves(
    {
        "DDIM, η = 0": (LEAPS, [by_leaps[0.0][steps].mean_confidence for steps in LEAPS]),
        "with noise, η = 1": (LEAPS, [by_leaps[1.0][steps].mean_confidence for steps in LEAPS]),
    },
    title=f"Steps against quality ({len(same_start)} samples each)",
    xlabel="calls of the network per sample",
    ylabel="judge's mean confidence",
    logx=True,
    levels={"test images": gauss_real.mean_confidence},
)

# %% tags=["experiment"]
twelve = same_start[:12]


def twelve_samples(eta: float):
    """Draws the samples from the same twelve x_T, one row for each number of steps."""
    return plots.image_grid(
        torch.cat([draw_ddim(twelve, steps, eta) for steps in LEAPS[::-1]]),
        rows=len(LEAPS),
        columns=12,
        title=f"Twelve samples with fewer and fewer steps, η = {eta:g}",
        xlabel="each column starts from the same noise",
        row_labels=[f"{steps} steps" for steps in LEAPS[::-1]],
    )


twelve_samples(0.0)

# %% tags=["experiment"]
twelve_samples(1.0)

# %% [markdown]
# With $\eta$ = 0 the columns hardly change from row to row: each $x_T$ determines one digit, and a tenth of the steps gives nearly the same one. With $\eta$ = 1 each row shows other digits, because every jump draws new noise. In `mini` both are still good with a tenth of the steps and get worse with fewer. (In `mini` the sampler with noise was a little better from about 20 steps on, DDIM with 2 and 5. In `full`, one run, noise gave 0.90 and DDIM 0.85 with ten of 500 steps. In the literature, with larger networks, DDIM is clearly better with few steps.) With 2 steps a jump predicts the average of all digits that are possible for this noise, and the average of digits is grey.
#
# **Headline: what to expect.** The judge's mean confidence, in `mini` (500 samples, 250 for DDIM, 3 seeds) and in `full` (1,000 samples, 500 for DDIM, one seed). Ten of ten classes are found each time.
#
# | | `mini` | `full` |
# |---|---|---|
# | first half, coins | 0.83 to 0.84 | 0.90 |
# | test images, black and white | 0.93 to 0.94 | 0.96 |
# | second half, Gaussian, all steps | 0.84 to 0.87 | 0.91 |
# | second half, DDIM, a tenth of the steps | 0.78 to 0.80 | 0.88 |
# | test images, grey | 0.95 | 0.96 |
#
# **Where the method fails.** The judge is more confident on real test images than on samples, in both halves; look for samples that are not digits, and for strokes that are interrupted. In the first half the pixels of one step are drawn independently of each other, given $Y_t$, which is right only for small steps. And a sample costs a hundred calls of the network in `mini`, where a GAN or a VAE needs one.
#
# ### Two experiments (not graded)
#
# **Which steps to keep?** With few jumps we may choose their places. Song and others also tried times that are close together at small $t$: with $n$ jumps, $t_i \approx T\,(i/n)^2$. **Predict, then run.** Are 10 jumps better with equal distances or with these? And 5 jumps?


# %% tags=["experiment"]
def squared_times(steps: int) -> list[int]:
    """Decreasing times from T to 0 that are closer together at small t."""
    return sorted({round(T_GAUSS * (i / steps) ** 2) for i in range(steps + 1)}, reverse=True)


few = [max(1, T_GAUSS // part) for part in (10, 20)] if T_GAUSS >= 100 else [5]
spacing = {
    name: [judge_samples(judge, enlarged(draw_ddim(same_start, n, times=times(n)))).mean_confidence for n in few]
    for name, times in {"equal distances": lambda n: None, "close together at small t": squared_times}.items()
}
for name, confidence in spacing.items():
    shown = ", ".join(f"{value:.2f} with {n} jumps" for n, value in zip(few, confidence, strict=True))
    print(f"{name:26s} mean confidence {shown}")

# %% [markdown]
# In our run the two differed by 0.01 only. Did you expect more?
#
# **Between two digits.** With $\eta$ = 0 a sample is a function of $x_T$. So we can move from one noise $a$ to another one $b$, and watch the digit change. The first row uses straight averages $(1 - w)\,a + w\,b$, the second row $\cos(w \pi / 2)\,a + \sin(w \pi / 2)\,b$. **Predict, then run.** What is the variance of the pixels of both mixtures at $w = \tfrac12$? What does the network make of a noise that has too little variance?

# %% tags=["experiment"]
weights = torch.linspace(0, 1, 9)[:, None, None, None]  # [9, 1, 1, 1]


def both_mixtures(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Straight averages and mixtures on the circle, for each of the weights: `[9, ...]` each."""
    angles = weights * math.pi / 2
    return (1 - weights) * a + weights * b, torch.cos(angles) * a + torch.sin(angles) * b


middles_of = {
    "straight": (same_start[0::2] + same_start[1::2]) / 2,
    "circle": (same_start[0::2] + same_start[1::2]) / math.sqrt(2),
}
between_variance = {name: float(values.var()) for name, values in middles_of.items()}
print(
    f"variance in the middle: {between_variance['straight']:.2f} straight, {between_variance['circle']:.2f} on the circle"
)
straight, on_the_circle = both_mixtures(same_start[2], same_start[7 % len(same_start)])
between = draw_ddim(torch.cat([straight, on_the_circle]), max(1, T_GAUSS // 5))
plots.image_grid(
    between,
    rows=2,
    columns=9,
    title="From one noise to another, drawn with η = 0",
    xlabel="share w of the second noise",
    row_labels=["straight", "circle"],
    column_labels=[f"{float(w):g}" for w in weights.flatten()],
)

# %% [markdown]
# ### What came after
#
# *Classifier-free guidance* (Ho and Salimans 2022) trains one network with and without a label or a text, and amplifies the difference of the two predictions. *Latent diffusion* (Rombach and others 2022) runs the process on the codes of an autoencoder, which makes large pictures affordable. *Flow matching* (Lipman and others 2023) learns the velocity of a deterministic path from noise to data, with a loss as simple as yours. *Consistency models* (Song and others 2023) learn to jump from any point of such a path to its end in one call.
#
# ## 16. Questions on the second half
#
# ### (a) The jump in closed form (3 points)
#
# Show that $q(x_t \mid x_0) = N\bigl(\sqrt{\bar\alpha_t}\, x_0,\; (1 - \bar\alpha_t) I\bigr)$ for $x_t = \sqrt{\gamma_t}\, x_{t-1} + \sqrt{\beta_t}\, \varepsilon_t$ with *different* $\beta_t$. Say which property of normal variables you use. What is the limit for $t \to \infty$, and what condition on the $\beta_t$ does it need? About 80 words and the formulas.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_gaussian_a", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# By induction. $t = 1$: $x_1 = \sqrt{\gamma_1}\, x_0 + \sqrt{\beta_1}\,\varepsilon_1$, and $\bar\alpha_1 = \gamma_1$, $1 - \bar\alpha_1 = \beta_1$. Suppose $x_{t-1} = \sqrt{\bar\alpha_{t-1}}\, x_0 + \sqrt{1 - \bar\alpha_{t-1}}\;\varepsilon$ with standard normal $\varepsilon$. Then
#
# $$x_t = \sqrt{\gamma_t \bar\alpha_{t-1}}\; x_0 + \sqrt{\gamma_t (1 - \bar\alpha_{t-1})}\;\varepsilon + \sqrt{\beta_t}\;\varepsilon_t .$$
#
# The first factor is $\sqrt{\bar\alpha_t}$. The last two terms are independent normal variables with mean 0; their sum is normal and the variances add up: $\gamma_t - \gamma_t \bar\alpha_{t-1} + \beta_t = 1 - \bar\alpha_t$.
#
# As $t \to \infty$, if $\bar\alpha_t \to 0$, this converges to $N(0, I)$, for any $x_0$. Since $\log \bar\alpha_t = \sum_s \log(1 - \beta_s)$, that needs $\sum_s \beta_s = \infty$; with finite $T$: a sum large enough.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: mean: the product of the factors √γ is √ᾱ_t, with a different γ for each step
# * 1 point: variance: independent normals add, γ_t (1 − ᾱ_{t−1}) + β_t = 1 − ᾱ_t, and the sum is normal
# * 1 point: limit N(0, I) when ᾱ_t → 0, that is when the β add up to infinity (or: T and β large enough that ᾱ_T ≈ 0)
# ### END MARK SCHEME

# %% [markdown]
# ### (b) The step back by Bayes' rule (4 points)
#
# Derive the mean and variance of $q(x_{t-1} \mid x_t, x_0)$: write down the two densities, collect the coefficients of $x_{t-1}^2$ and $x_{t-1}$, and complete the square. Check your result at $t = 1$. Which test without random numbers detects $1 - \bar\alpha_t$ instead of $1 - \bar\alpha_{t-1}$ in the factor of $x_t$ at any $t$?

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_gaussian_b", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# For one pixel, with $x = x_{t-1}$: $q(x_t \mid x, x_0) = q(x_t \mid x)$ by the Markov property, so
#
# $$\log q(x \mid x_t, x_0) = -\frac{(x_t - \sqrt{\gamma_t}\, x)^2}{2 \beta_t} - \frac{(x - \sqrt{\bar\alpha_{t-1}}\, x_0)^2}{2 (1 - \bar\alpha_{t-1})} + \text{const} = -\frac{A}{2} x^2 + B x + \text{const}$$
#
# with
#
# $$A = \frac{\gamma_t}{\beta_t} + \frac{1}{1 - \bar\alpha_{t-1}} = \frac{\gamma_t - \bar\alpha_t + \beta_t}{\beta_t (1 - \bar\alpha_{t-1})} = \frac{1 - \bar\alpha_t}{\beta_t (1 - \bar\alpha_{t-1})}, \qquad B = \frac{\sqrt{\gamma_t}}{\beta_t} x_t + \frac{\sqrt{\bar\alpha_{t-1}}}{1 - \bar\alpha_{t-1}} x_0 ,$$
#
# where $\gamma_t \bar\alpha_{t-1} = \bar\alpha_t$ and $\gamma_t + \beta_t = 1$. A quadratic log-density is normal with variance $1/A$ and mean $B/A$:
#
# $$\frac1A = \frac{\beta_t (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t}, \qquad \frac BA = \frac{\sqrt{\gamma_t} (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t} x_t + \frac{\sqrt{\bar\alpha_{t-1}} \beta_t}{1 - \bar\alpha_t} x_0 .$$
#
# $t = 1$: $\bar\alpha_0 = 1$ gives variance 0, no part of $x_t$, and the factor of $x_0$ is $\beta_1 / (1 - \gamma_1) = 1$. A further test: average over $x_t$, whose mean is $\sqrt{\bar\alpha_t}\, x_0$; the result must be the mean of the jump, $\sqrt{\bar\alpha_{t-1}}\, x_0$. With the right formula it is; with $1 - \bar\alpha_t$ in the factor of $x_t$ it is larger. At $t = 1$ the wrong formula would give $x_0 + \sqrt{\gamma_1}\, x_1$.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: product of one step and a jump of t − 1 steps, with the Markov property
# * 1 point: coefficient of x²: γ/β + 1/(1 − ᾱ_{t−1}), simplified with ᾱ_t = γ_t ᾱ_{t−1}; the variance
# * 1 point: coefficient of x and the mean, both factors right
# * 1 point: t = 1 checked (mean x_0, variance 0) and another test that distinguishes the formulas at t > 1 (average over x_t, or conditioning the joint normal)
# ### END MARK SCHEME

# %% [markdown]
# ### How was it made? (not graded)
#
# Fill in what you used (lectures, papers, sites, language models), with whom you worked, and about how many hours it took. It
# is kept in the log and does not count for or against you.

# %%
process = {"sources": "", "people": "", "hours": None}

# %% [markdown]
# ## 17. Your log
#
# The next cell defines your per-student inputs: they are drawn from your student id. The last cell asks your functions for
# their answers, adds your measured numbers and writes `submission_log.json`. Submit it together with this notebook.


# %% tags=["answers"]
def personal_answers(student, draws):
    """Per-student inputs: item id -> a function that asks the student's code for its answer."""

    def steps(d, count, last):
        """Random steps from 1 to `last`, the first of them 1."""
        t = d.integers(1, last + 1, count)
        t[0] = 1
        return t

    def ask_replaced_probability():
        d = draws("replaced_probability")
        return student.replaced_probability(steps(d, 4, 30), float(d.uniform(0.02, 0.4, 1)[0]))

    def ask_sample_yt():
        d = draws("sample_yt")
        y0 = 2 * d.binary(3, 2000) - 1
        changed = student.sample_yt(y0, steps(d, 3, 10), 0.5) != y0
        return (
            changed.float().mean() - 0.5
        ).abs() < 0.1  # a fair coin for every pixel: the draws themselves may differ

    def ask_posterior_plus_one():
        d = draws("posterior_plus_one")
        delta = float(d.uniform(0.05, 0.4, 1)[0])
        return student.posterior_plus_one(2 * d.binary(4, 5) - 1, 2 * d.binary(4, 5) - 1, steps(d, 4, 12), delta)

    def ask_binary_diffusion_loss():
        d = draws("binary_diffusion_loss")
        yt, y0 = 2 * d.binary(4, 5) - 1, 2 * d.binary(4, 5) - 1
        return student.binary_diffusion_loss(d.normal(4, 5), yt, y0, steps(d, 4, 12), 0.1)

    def ask_cumulative_alphas():
        return student.cumulative_alphas(draws("cumulative_alphas").uniform(0.01, 0.4, 6))

    def ask_q_sample():
        d = draws("q_sample")
        alphas_bar = torch.cumprod(1 - d.uniform(0.02, 0.3, 8), 0)
        return student.q_sample(d.normal(3, 4), steps(d, 3, 8), alphas_bar, d.normal(3, 4))

    def ask_q_posterior():
        d = draws("q_posterior")
        mean, variance = student.q_posterior(d.normal(3, 4), d.normal(3, 4), steps(d, 3, 8), d.uniform(0.02, 0.3, 8))
        return mean, variance + 0 * mean

    def ask_ddpm_loss():
        d = draws("ddpm_loss")
        alphas_bar = torch.cumprod(1 - d.uniform(0.02, 0.3, 8), 0)
        model = student.PaperPredictor(0.7, 0.05)
        return student.ddpm_loss(model, d.normal(3, 4), steps(d, 3, 8), alphas_bar, d.normal(3, 4))

    def ask_p_sample():
        d = draws("p_sample")
        model = student.PaperPredictor(0.7, 0.05)
        return student.p_sample(model, d.normal(3, 4), steps(d, 3, 8), d.uniform(0.02, 0.3, 8), d.normal(3, 4))

    def ask_draw_samples():
        d = draws("draw_samples")
        alphas_bar = torch.cumprod(1 - d.uniform(0.02, 0.3, 8), 0)
        times = [8, 6, int(d.integers(2, 6, 1)[0]), 1]
        model = student.PaperPredictor(0.7, 0.05)
        return student.draw_samples(model, d.normal(3, 4), times, alphas_bar, 0.5, d.normal(3, 3, 4))

    return {
        "replaced_probability": ask_replaced_probability,
        "sample_yt": ask_sample_yt,
        "posterior_plus_one": ask_posterior_plus_one,
        "binary_diffusion_loss": ask_binary_diffusion_loss,
        "cumulative_alphas": ask_cumulative_alphas,
        "q_sample": ask_q_sample,
        "q_posterior": ask_q_posterior,
        "ddpm_loss": ask_ddpm_loss,
        "p_sample": ask_p_sample,
        "draw_samples": ask_draw_samples,
    }


# %% tags=["log"]
log = SubmissionLog(run)
log.bands(  # the expected range of each number, from our own runs
    {
        "diffusion/binary_mean_confidence": {"full": (0.8, 0.97), "mini": (0.72, 0.95)},
        "diffusion/gaussian_mean_confidence": {"full": (0.8, 0.97), "mini": (0.72, 0.95)},
        "diffusion/ddim_tenth_mean_confidence": {"full": (0.75, 0.97), "mini": (0.65, 0.95)},
        "diffusion/*_classes": {"full": (8, 10), "mini": (8, 10)},
        "diffusion/posterior_gap": {"full": (0, 0.03), "mini": (0, 0.03)},
    }
)
log.answers(personal_answers)
with log.measurements():
    for half, verdict, count, steps in (
        ("binary", binary_verdict, COUNT, BINARY_STEPS),
        ("gaussian", gauss_verdict, COUNT, GAUSS_STEPS),
        ("ddim_tenth", by_leaps[0.0][max(1, T_GAUSS // 10)], len(same_start), GAUSS_STEPS),
    ):
        evidence = {"histogram": verdict.histogram.tolist(), "samples": count, "training_steps": steps}
        log.metric(f"diffusion/{half}_mean_confidence", value=verdict.mean_confidence, evidence=evidence)
        log.metric(f"diffusion/{half}_classes", value=verdict.classes_recognised, evidence=evidence)
    log.metric(
        "diffusion/posterior_gap", value=posterior_gap, evidence={"wrong_formula_gap": wrong_gap, "gap": proof_gap}
    )
log.process(**process)
log_file = log.write()

# %% [markdown]
# ## References
#
# * J. Sohl-Dickstein, E. Weiss, N. Maheswaranathan, S. Ganguli: *Deep Unsupervised Learning using Nonequilibrium
#   Thermodynamics*. ICML 2015. arXiv:1503.03585. The origin of the method, with both kinds of noise.
# * J. Ho, A. Jain, P. Abbeel: *Denoising Diffusion Probabilistic Models*. NeurIPS 2020. arXiv:2006.11239. The second half.
# * J. Song, C. Meng, S. Ermon: *Denoising Diffusion Implicit Models*. ICLR 2021. arXiv:2010.02502. Section 15.
# * J. Austin, D. Johnson, J. Ho, D. Tarlow, R. van den Berg: *Structured Denoising Diffusion Models in Discrete
#   State-Spaces*. NeurIPS 2021. arXiv:2107.03006. Pixels with more than two values.
# * O. Ronneberger, P. Fischer, T. Brox: *U-Net: Convolutional Networks for Biomedical Image Segmentation*. MICCAI 2015.
#   arXiv:1505.04597.
# * T. Salimans and others: *Improved Techniques for Training GANs*. NeurIPS 2016. arXiv:1606.03498. The judge.
# * J. Ho, T. Salimans: *Classifier-Free Diffusion Guidance*. 2022. arXiv:2207.12598.
# * R. Rombach and others: *High-Resolution Image Synthesis with Latent Diffusion Models*. CVPR 2022. arXiv:2112.10752.
# * Y. Lipman and others: *Flow Matching for Generative Modeling*. ICLR 2023. arXiv:2210.02747.
# * Y. Song and others: *Consistency Models*. ICML 2023. arXiv:2303.01469.
