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
# # Learn the new, keep the old: continual learning
#
# The goal is one figure (section 7): what a network still knows about three tasks that it learnt one after the other. Trained in the usual way it forgets the first while it learns the third. Two methods reduce forgetting, one protects weights and one keeps a few examples, and each has its cost.
#
# **What you will learn**
#
# * how much a network forgets, why, and how that is measured;
# * how *elastic weight consolidation* (EWC) finds out which weights matter, and how the needs of several tasks fit into one penalty;
# * why the square of a mean gradient is not a mean of squared gradients, and what happens if you confuse them;
# * how to keep a uniform sample of a stream of unknown length, and what a few hundred kept examples are worth.
#
# **What you need**: classification with a network, gradients, and a little PyTorch. The lecture helps, but the text below is complete.
#
# | | profile `full` | profile `mini` |
# |---|---|---|
# | data | MNIST, 60,000 training images | embedded digits, about 1,500 training images |
# | training | 17 settings × 3 seeds, mostly 3 tasks of 3 epochs | 18 settings × 3 seeds, mostly 3 tasks of 200 steps |
# | hardware | a GPU, for instance on Colab | any laptop, no network |
# | time to run | about eight minutes on a Colab T4 (an estimate) | about two minutes |
#
# Plan three to four hours for reading, writing and thinking. The profile is chosen for you (`full` where there is a GPU,
# else `mini`); set the environment variable `HOMEWORK_PROFILE` to choose yourself. All graded code is checked on tiny
# inputs, so you can do everything in `mini` first.
#
# **Your student id** goes into your log: the last cell asks for it. To answer in advance, run `%env HOMEWORK_STUDENT=your_id` in a cell of its own.
#
# | graded | points |
# |---|---|
# | `permute_pixels` | 1.5 |
# | `average_accuracy` | 1 |
# | `forgetting` | 2 |
# | `fisher_diagonal` | 4 |
# | `ewc_penalty` | 2.5 |
# | `EWC` | 5 |
# | `RehearsalBuffer` | 4 |
# | written answers and the figure | 14 |
#
# **Hints** are folded below some tasks, in three steps: the idea, the formula, a sketch of the code. Try first without them.
#
# **One rule for all tasks.** Your functions leave their arguments as they are: the caller may need them again. So no `x += ...`, `x[...] = ...` or `rows.pop()` on what you were given; work on new tensors or on copies. The tests check this.

# %% tags=["install"]
from importlib.util import find_spec

if find_spec("homework") is None:  # on Colab: installs what is missing and keeps the installed torch
    get_ipython().run_line_magic("pip", "install -q STUDENT_PACKAGE")  # noqa: F821
# On Colab, so that training continues after a disconnect: `from homework.colab import use_drive; use_drive()`

# %%
import copy
import gc
import itertools
import math
import os
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

import homework
from homework import data, reference, student
from homework.arguments import modules_may_change
from homework.checks import close, fresh, has_shape, part
from homework.hand_in.log import SubmissionLog
from homework.show import plots
from homework.show.matrices import side_by_side
from homework.show.surfaces import surface
from homework.train import training

run = homework.start("continual_learning")


def near(value: torch.Tensor | float, number: float) -> bool:
    """Are all entries within 0.0001 of that number? (The tests use it to recognise known mistakes.)"""
    return bool(((torch.as_tensor(value).detach() - number).abs() < 1e-4).all())


# %% [markdown]
# **Letters.** `N` images in a set, `B` in a batch, `C` = 10 classes, `T` = 3 tasks, `S` random seeds. $\theta$ are the weights of a network, $\theta^*$ (the *anchor*) their values at the end of an earlier task.
#
# The images are grey digits of 28 · 28 = 784 pixels, scaled to mean 0 and standard deviation 1. The *embedded digits* of `mini` are the 8 × 8 handwritten digits that come with scikit-learn, enlarged and sharpened to 28 × 28.

# %%
digits = data.digits(run)
pixel_mean, pixel_std = digits.train_images.mean(), digits.train_images.std()
train_x = (digits.train_images - pixel_mean) / pixel_std  # [N, 1, 28, 28]
test_x = (digits.test_images - pixel_mean) / pixel_std
train_y, test_y = digits.train_labels, digits.test_labels  # [N]
print(f"{digits.name}: {len(train_x):,} training images, {len(test_x):,} test images")

# %% [markdown]
# ## 1. A toy first: two weights, two tasks
#
# The model is $\hat y = w_1 x_1 + w_2 x_2$. In task A the first input varies a lot and the second hardly (standard deviations 2 and 0.3), and the true weights are $(1, 1)$. In task B the standard deviations are 0.5 and 1, the true weights $(-1, -1)$. The loss is half the mean squared error.
#
# We learn A, and then B *without A's data*, in three ways, by gradient descent on
#
# * **naive**: the loss on B, nothing else;
# * **equal pull**: the loss on B plus $\tfrac12 c \sum_i (w_i - w_i^*)^2$, where $w^*$ are the weights after A: all weights are held equally strongly;
# * **EWC**: the loss on B plus $\tfrac12 \sum_i F_i (w_i - w_i^*)^2$: each weight is held as strongly as A needs it. Here $F_i$ is the mean of $x_i^2$ over A's data: the curvature of A's loss along $w_i$. We set $c$ to the mean of $F_1$ and $F_2$, so that both pull equally on average.
#
# **Predict, then run.** The two tasks contradict each other in both weights. Where in the plane will each of the three paths end? Is there any point that is good for both tasks?

# %%
TOY_STEPS, TOY_RATE = 400, 0.1


def toy_task(deviations: Sequence[float], truth: Sequence[float], seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs `[1000, 2]` with these standard deviations, and the targets `[1000]` of the true weights."""
    x = torch.randn(1000, 2, generator=torch.Generator().manual_seed(seed)) * torch.tensor(deviations)
    return x, x @ torch.tensor(truth)


def toy_loss(w: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Half the mean squared error of weights `[..., 2]`: `[...]`."""
    return 0.5 * ((w @ x.T - y) ** 2).mean(dim=-1)


def toy_path(
    start: torch.Tensor, x: torch.Tensor, y: torch.Tensor, pull: torch.Tensor, anchor: torch.Tensor
) -> torch.Tensor:
    """The weights `[TOY_STEPS + 1, 2]` of gradient descent from `start`; `pull` `[2]` holds each weight at its anchor."""
    path = [start]
    for _ in range(TOY_STEPS):
        slope = (path[-1] @ x.T - y) @ x / len(x) + pull * (path[-1] - anchor)
        path.append(path[-1] - TOY_RATE * slope)
    return torch.stack(path)


toy_a, toy_b = toy_task((2.0, 0.3), (1.0, 1.0), seed=1), toy_task((0.5, 1.0), (-1.0, -1.0), seed=2)
nothing = torch.zeros(2)
after_a = toy_path(nothing, *toy_a, nothing, nothing)[-1]
toy_fisher = (toy_a[0] ** 2).mean(dim=0)
pulls = {"naive": nothing, "equal pull": toy_fisher.mean().expand(2), "EWC": toy_fisher}
toy_paths = {name: toy_path(after_a, *toy_b, pull, after_a) for name, pull in pulls.items()}

# %% tags=["experiment"]
across, up = torch.linspace(-1.6, 1.8, 120), torch.linspace(-1.6, 1.6, 110)
plane = torch.stack(torch.meshgrid(across, up, indexing="xy"), dim=-1)  # [110, 120, 2]
toy_losses = {name: [float(toy_loss(path[-1], *task)) for task in (toy_a, toy_b)] for name, path in toy_paths.items()}
print("              loss on A   loss on B   sum")
for name, (on_a, on_b) in {"after A": [float(toy_loss(after_a, *t)) for t in (toy_a, toy_b)], **toy_losses}.items():
    print(f"{name:12s}  {on_a:9.2f}   {on_b:9.2f}   {on_a + on_b:.2f}")
surface(
    across,
    up,
    toy_loss(plane, *toy_a),
    title="Learning B, seen on the loss of A: which path stays in the valley?",
    xlabel="w1 (A needs it)",
    ylabel="w2 (A hardly needs it)",
    height="loss on task A",
    highest=8.0,
    paths=torch.stack(list(toy_paths.values())),
    marks={
        "after A": (float(after_a[0]), float(after_a[1])),
        **{name: (float(path[-1, 0]), float(path[-1, 1])) for name, path in toy_paths.items()},
    },
)

# %% [markdown]
# Dark is good for A. The naive path goes all the way to B's optimum, up A's slope. The equal pull holds *both* weights back: $w_1$, where that is right, but also $w_2$, which goes only a third of the way, and so B is learnt badly. EWC moves along the dark valley: it lets $w_2$ change for B, since A hardly needs it, and keeps $w_1$. Of the three it has the lowest sum of the two losses, although it never saw A's data again. It stored only two numbers $F_i$ and two numbers $w^*_i$.
#
# A network has thousands of weights instead of two. The question is the same: which of them does the old task need?

# %% [markdown]
# ## 2. `permute_pixels`: three tasks from one data set (1.5 points)
#
# A *permuted* task shuffles the 784 pixels of each image: all images of a task in **the same** way, each task in a different way. The labels stay. For a network that does not use neighbourhoods of pixels each task is as hard as the original, but the weights that solve one task are of little use for the next.
#
# `permute_pixels(images, seed)` draws one permutation of the 784 positions from the seed, uniformly among all, and applies it to the pixels of all `images` `[B, 1, 28, 28]`. So:
#
# * the same seed gives the same permutation, in each call and for any `B` (training and test images of a task must agree); another seed gives another permutation;
# * `images` do not change, and neither does torch's global generator: draw from your own generator, such as `torch.Generator().manual_seed(seed)`. If each call re-seeded the global one, it would change all later draws from it.
#
# *Small example.* With 4 pixels instead of 784, the permutation (2, 0, 3, 1) makes [a, b, c, d] into [c, a, d, b], for every image.
#
# Some tests check side effects of your code. This helper is for them. (In the tests, `student.name` is whatever `name` is in your notebook.)


# %%
def leaves_alone(function: Callable[..., Any], *arguments: Any) -> bool:
    """Does a call of the function change neither its arguments (tensors, dicts, modules) nor torch's global generator?"""

    def state(thing: Any) -> Any:
        return dict(thing.state_dict()) if isinstance(thing, nn.Module) else thing

    def same(one: Any, other: Any) -> bool:
        if isinstance(one, dict):
            return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
        return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other

    given = [each if isinstance(each, nn.Module) else copy.deepcopy(each) for each in arguments]
    before, chance = copy.deepcopy([state(each) for each in given]), torch.get_rng_state()
    function(*given)
    unchanged = all(same(was, state(each)) for was, each in zip(before, given, strict=True))
    return unchanged and torch.equal(chance, torch.get_rng_state())


# %% nbgrader={"grade": false, "grade_id": "permute_pixels", "locked": false, "schema_version": 3, "solution": true, "task": false}
def permute_pixels(images, seed):
    """The images with their 784 pixels shuffled, all in the same way, which depends only on the seed.

    Args:
        images: `[B, 1, 28, 28]`; not changed.
        seed: a whole number of at least 0; the permutation is uniform among all of the 784 positions.

    Returns:
        `[B, 1, 28, 28]`, with the data type of `images`. Torch's global generator is not changed.
    """
    ### BEGIN SOLUTION
    order = torch.randperm(784, generator=torch.Generator().manual_seed(seed)).to(images.device)
    return images.flatten(1)[:, order].reshape(images.shape)  # [B, 784] -> [B, 1, 28, 28]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_permute_pixels", "locked": true, "points": 1.5, "schema_version": 3, "solution": false, "task": false}
images = torch.arange(2 * 784.0).reshape(2, 1, 28, 28)  # all pixels differ; the second image is the first plus 784
got = student.permute_pixels(images.clone(), 5)
assert has_shape(got, images.shape, "return a tensor of the same shape as the images")
values = got.flatten(1).sort(dim=1).values
assert torch.equal(values, images.flatten(1)), "each image keeps its own 784 pixel values; only their positions change"
assert not torch.equal(got, images), "no pixel moved"
assert torch.equal(got[1] - got[0], torch.full((1, 28, 28), 784.0)), "every image must be permuted in the same way"
assert torch.equal(student.permute_pixels(images, 5), got), "the same seed must give the same permutation in each call"
assert not torch.equal(student.permute_pixels(images, 6), got), "another seed must give another permutation"
first_row, first_column = got[0, 0, 0], got[0, 0, :, 0]  # where did their pixels come from?
assert len((first_row // 28).unique()) > 1 and len((first_column % 28).unique()) > 1, (
    "whole rows or columns moved together: draw one permutation of all 784 positions"
)
with part("what a call must not change", 0.5):
    hint = "a call must change neither the images nor torch's global generator: use a copy, and your own generator"
    assert student.leaves_alone(student.permute_pixels, images.clone(), 5), hint
    assert student.permute_pixels(images.long(), 5).dtype == torch.int64, "the data type of the images must not change"
    hint = "no network can be trained on an inference tensor: do not use torch.inference_mode()"
    assert not got.is_inference(), hint
print("permute_pixels: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(10)
number = torch.arange(784.0).reshape(1, 1, 28, 28)
row, column = torch.arange(784) // 28, torch.arange(784) % 28
together = torch.triu(row[:, None] == row, diagonal=1)  # pairs of positions in the same row
stacked = torch.triu(column[:, None] == column, diagonal=1)
drawn = [0, *torch.randint(1, 2**31 - 1, (8,), generator=g).tolist()]
with part("one permutation of all pixels", 2):
    for seed in drawn:
        order = student.permute_pixels(number, seed).flatten().long()  # which pixel is at each position
        assert torch.equal(order.sort().values, torch.arange(784)), "no pixel may be lost or doubled"
        inks = torch.randn(5, 1, 28, 28, generator=g)
        moved = student.permute_pixels(inks, seed)
        assert moved.dtype == inks.dtype and moved.shape == inks.shape, "shape and data type must not change"
        assert torch.equal(moved.flatten(1), inks.flatten(1)[:, order]), (
            "one permutation for all images and batch sizes"
        )
        assert torch.equal(student.permute_pixels(inks[:1], seed), moved[:1]), "the batch size must not matter"
        for pairs, what in ((together, row), (stacked, column)):
            left, right = pairs.nonzero().T
            kept = (what[order][left] == what[order][right]).double().mean()
            assert bool(kept < 0.1), "shuffle all 784 positions together: whole rows or columns still stay together"
    seeds = range(drawn[1] % 10**6, drawn[1] % 10**6 + 300)
    orders = torch.stack([student.permute_pixels(number, seed).flatten().long() for seed in seeds])  # [300, 784]
    for apart in (100, 256, 1000, 2**16, 10**6, 2**20, 2**24, 2**30):
        other = student.permute_pixels(number, seeds[0] + apart).flatten().long()
        assert not torch.equal(other, orders[0]), "another seed gives another permutation, also one that is far away"
    same_place = (orders[1:] == orders[:-1]).double().mean()
    assert bool(same_place < 0.01), "different seeds, even consecutive ones, must give unrelated permutations"
    fixed = (orders == torch.arange(784)).sum(dim=1).double().mean()
    assert bool((fixed - 1).abs() < 5 / math.sqrt(300)), (
        "a uniform permutation leaves one pixel at its position on average"
    )
    first = torch.stack([row[orders[:, 0]], column[orders[:, 0]], row[orders[:, 400]], column[orders[:, 400]]]).double()
    bound = 5 * math.sqrt((28**2 - 1) / 12 / 300)
    assert bool(((first.mean(dim=1) - 13.5).abs() < bound).all()), "every pixel must be able to go to every position"
with part("nothing else changes, for any seed", 0.5):
    for seed in drawn:
        inks = torch.randn(3, 1, 28, 28, generator=g)
        assert student.leaves_alone(student.permute_pixels, inks, seed), (
            "images and torch's global generator must not change"
        )
### END HIDDEN TESTS


# %% tags=["experiment"]
def neighbours_alike(images: torch.Tensor) -> float:
    """The correlation of the values of two neighbouring pixels."""
    pairs = torch.stack([images[..., :-1].flatten(), images[..., 1:].flatten()])
    return float(torch.corrcoef(pairs)[0, 1])


each_digit = torch.cat([(digits.test_labels == digit).nonzero()[:2, 0] for digit in range(10)])  # 2 of each
shown = digits.test_images[each_digit]
looks = {"original": shown, **{f"seed {seed}": permute_pixels(shown, seed) for seed in (1, 2)}}
alike = {name: neighbours_alike(images) for name, images in looks.items()}
print("correlation of neighbouring pixels:", ", ".join(f"{name} {value:.2f}" for name, value in alike.items()))
plots.image_grid(
    torch.cat(list(looks.values())),
    rows=3,
    columns=20,
    title="The same 20 digits: original, and in two permuted tasks",
    row_labels=list(looks),
)

# %% [markdown]
# To you, the lower rows are noise, but all the information is still there, at other positions. Only the *neighbourhoods* are lost: a pixel next to a bright one is bright only as often as any other.

# %% [markdown]
# ## 3. How to measure forgetting
#
# After each task we measure the accuracy on the test images of **every** task. This gives a matrix `acc` `[T, T]`: `acc[i, j]` is the accuracy on task `j` after training on task `i` (both count from 0). The last row is what the network knows at the end. The literature computes two numbers from it (Lopez-Paz and Ranzato 2017, Chaudhry and others 2018).
#
# ### `average_accuracy` (1 point)
#
# The *average accuracy* answers: how good is the final network over all tasks, the last one included? Each task counts equally.
#
# *Worked numbers*, also for the next item:
#
# | after task | on task 0 | on task 1 | on task 2 |
# |---|---|---|---|
# | 0 | 0.81 | 0.12 | 0.07 |
# | 1 | 0.93 | 0.74 | 0.16 |
# | 2 | 0.52 | 0.63 | 0.95 |
#
# The average accuracy is **0.7**.


# %%
WORKED_ACC = torch.tensor([[0.81, 0.12, 0.07], [0.93, 0.74, 0.16], [0.52, 0.63, 0.95]])


# %% nbgrader={"grade": false, "grade_id": "average_accuracy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def average_accuracy(acc):
    """The mean accuracy over all tasks at the end of training.

    Args:
        acc: `[T, T]`; `acc[i, j]` is the accuracy on task j after training on task i.

    Returns:
        A scalar tensor (or a number). Example: `WORKED_ACC` gives 0.7.
    """
    ### BEGIN SOLUTION
    return acc[-1].mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_average_accuracy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
got = torch.as_tensor(student.average_accuracy(WORKED_ACC)).float()
assert got.shape == (), "return one number for the whole matrix"
assert not near(got, WORKED_ACC.diag().mean()), (
    "this is the diagonal: each task right after it was learnt, not at the end"
)
assert not near(got, WORKED_ACC.mean()), "this is the mean of the whole matrix: what counts is the accuracy at the end"
assert not near(got, WORKED_ACC[:, -1].mean()), (
    "this is the mean of the last column: rows are the tasks learnt so far, columns the tasks tested"
)
assert not near(got, WORKED_ACC[-1, :-1].mean()), "the last task counts, too"
assert close(got, torch.tensor(0.7), "the worked numbers: all tasks at the end, the last task included")
print("average_accuracy: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(20)
for T in (1, 2, 3, 5, 8):
    acc = torch.rand(T, T, generator=g)
    got = torch.as_tensor(student.average_accuracy(acc)).float()
    assert got.shape == (), "a scalar"
    assert close(got, reference.average_accuracy(acc), "the mean of the last row, for any number of tasks")
    other = torch.cat([torch.rand(T - 1, T, generator=g), acc[-1:]])
    assert close(torch.as_tensor(student.average_accuracy(other)).float(), got, "only the last row may matter")
    assert student.leaves_alone(student.average_accuracy, acc.clone()), "the matrix must not change"
### END HIDDEN TESTS

# %% [markdown]
# ### `forgetting` (2 points)
#
# A low average does not say whether tasks were forgotten or never learnt. *Forgetting* compares each task with the network's own best on it: the best accuracy that the task ever had, at any time, minus its accuracy at the end. It is averaged over all tasks **but the last**, after which no training follows.
#
# "Ever" includes the end, so forgetting is never negative; it is 0 when each earlier task is at its best at the end. Later training may also *improve* an earlier task.
#
# *Worked number.* For the matrix above, forgetting is **0.26**.


# %% nbgrader={"grade": false, "grade_id": "forgetting", "locked": false, "schema_version": 3, "solution": true, "task": false}
def forgetting(acc):
    """Forgetting: how much the earlier tasks have lost since their best time, on average.

    Chaudhry and others 2018, with the end included among the times at which a task may be at its best.

    Args:
        acc: `[T, T]` with T at least 2; `acc[i, j]` is the accuracy on task j after training on task i.

    Returns:
        A scalar tensor (or a number), at least 0. Example: `WORKED_ACC` gives 0.26.
    """
    ### BEGIN SOLUTION
    earlier = acc[:, :-1]  # [T, T - 1]
    return (earlier.max(dim=0).values - earlier[-1]).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_forgetting", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
got = torch.as_tensor(student.forgetting(WORKED_ACC)).float()
assert got.shape == (), "return one number for the whole matrix"
assert not near(got, 0.52 / 3), "the last task does not count: divide by T - 1"
assert not near(got, 0.2), "the best is not always on the diagonal: task 0 was best after task 1"
assert not near(got, 0.52), "average over the earlier tasks, do not add them up"
assert not near(got, -0.26), "best minus end, not end minus best"
assert close(
    got, torch.tensor(0.26), "the worked numbers: for tasks 0 and 1, the best accuracy ever minus that at the end"
)
risen = torch.tensor([[0.8, 0.1], [0.9, 0.7]])
assert close(
    torch.as_tensor(student.forgetting(risen)).float(),
    torch.tensor(0.0),
    "a task that is best at the end is not forgotten",
)
with part("the whole column", 0.5):
    early = torch.tensor([[0.9, 0.8, 0.1], [0.9, 0.7, 0.1], [0.9, 0.6, 0.5]])
    assert close(
        torch.as_tensor(student.forgetting(early)).float(),
        torch.tensor(0.1),
        "task 1 was best before it was learnt: the best is the largest number of the whole column",
    )
print("forgetting: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(30)
with part("value", 2):
    for T in (2, 3, 4, 7):
        for rises in (False, True):
            acc = 0.4 + 0.3 * torch.rand(T, T, generator=g)
            acc = torch.where(
                torch.ones(T, T).tril() > 0, acc, 0.2 * torch.rand(T, T, generator=g)
            )  # not learnt: chance
            if rises:  # the first task is best at the end
                acc[-1, 0] = 0.95
            got = torch.as_tensor(student.forgetting(acc)).float()
            assert got.shape == (), "a scalar"
            assert bool(got >= -1e-6), (
                "never negative: the end counts among the times at which a task may be at its best"
            )
            assert close(
                got,
                reference.forgetting(acc),
                "best of the column minus last row, averaged over all tasks but the last",
            )
            assert close(torch.as_tensor(student.forgetting(acc + 0.01)).float(), got, "a constant cancels", atol=1e-5)
            last = acc.clone()
            last[:, -1] = torch.rand(T, generator=g)
            assert close(torch.as_tensor(student.forgetting(last)).float(), got, "the last task must not matter")
            assert student.leaves_alone(student.forgetting, acc.clone()), "the matrix must not change"
        whole = torch.full((T, T), 0.7)
        assert close(torch.as_tensor(student.forgetting(whole)).float(), torch.tensor(0.0), "nothing lost: 0")
        whole[-1] = 0.0
        assert close(
            torch.as_tensor(student.forgetting(whole)).float(),
            torch.tensor(0.7),
            "everything lost: forgetting is the best accuracy",
        )
with part("best before it was learnt", 0.5):
    for T in (3, 5):
        acc = torch.rand(T, T, generator=g)
        acc[0, 1:] = 1.0
        assert close(
            torch.as_tensor(student.forgetting(acc)).float(),
            reference.forgetting(acc),
            "the best is the largest number of the whole column, also above the diagonal",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## 4. Naive training
#
# We compare two networks of about equal size. `ConvNet` slides small filters over the image: the filters are *shared* by all positions. `MLP` has separate weights for each pixel.


# %%
class ConvNet(nn.Module):
    """Two convolutions of stride 2, then two linear layers: images `[B, 1, 28, 28]` to logits `[B, C]`."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, channels, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(channels, 2 * channels, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Flatten(),  # [B, 2 · channels, 7, 7] -> [B, 2 · channels · 49]
            nn.Linear(2 * channels * 49, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 10),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `[B, C]`."""
        return self.layers(x)


class MLP(nn.Module):
    """Three linear layers: images `[B, 1, 28, 28]` to logits `[B, C]`."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),  # [B, 1, 28, 28] -> [B, 784]
            nn.Linear(784, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 10),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `[B, C]`."""
        return self.layers(x)


CHANNELS, HIDDEN = run.size(full=(8, 64), mini=(6, 32), grade=(2, 8))
NETWORKS = {"CNN": lambda: ConvNet(CHANNELS, HIDDEN), "MLP": lambda: MLP(HIDDEN)}
for name, network in NETWORKS.items():
    print(f"{name}: {sum(w.numel() for w in network().parameters()):,} weights")

# %% [markdown]
# `train_on_tasks` below is the whole experiment: it learns `TASKS` permuted tasks one after the other and returns `acc`. With `lam` = 0 and `capacity` = 0 it is naive training. The other two methods use your classes of sections 5 and 6; you do not need them yet.
#
# The comparison is fair: for one seed all methods have the same permutations, the same initial weights, the same number of steps, and the same batches of the current task in the same order (the batches have their own generator, `order`).

# %%
TASKS = 3
BATCH = run.size(full=256, mini=32, grade=8)
STEPS = run.size(full=3 * 60_000 // 256, mini=200, grade=3)  # full: three epochs
LEARNING_RATE, MOMENTUM = 0.01, 0.9
SEEDS = run.size(full=(0, 1, 2), mini=(0, 1, 2), grade=(0, 1))
FISHER_IMAGES = run.size(full=2000, mini=500, grade=20)


def task_images(images: torch.Tensor, seed: int, task: int) -> torch.Tensor:
    """The images of one task of one run, on the device: each run has its own permutations."""
    return permute_pixels(images, 1000 * seed + task).to(run.device)


def learn(
    model: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    order: torch.Generator,
    more: Callable[[], torch.Tensor | float] = lambda: 0.0,
) -> None:
    """Trains on one task for `STEPS` steps on the cross-entropy of batches plus `more()`."""
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    for _ in range(STEPS):
        rows = torch.randint(len(y), (BATCH,), generator=order).to(run.device)
        loss = F.cross_entropy(model(x[rows]), y[rows]) + more()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """The share of images `[N, 1, 28, 28]` that the network gives their label."""
    return float((model(x).argmax(dim=1) == y).float().mean())


def train_on_tasks(
    network: Callable[[], nn.Module],
    seed: int,
    lam: float = 0.0,
    capacity: int = 0,
    frozen: int = 0,
    tasks: int = TASKS,
) -> torch.Tensor:
    """Learns all tasks in order and measures all tasks after each.

    Args:
        network: makes a fresh network.
        seed: of permutations, initial weights and batches.
        lam: weight of the EWC penalty; 0 means none.
        capacity: number of examples in the rehearsal buffer; 0 means none.
        frozen: number of the network's first layers that are no longer trained after the first task.
        tasks: T, the number of tasks.

    Returns:
        `acc` `[T, T]`: `acc[i, j]` is the accuracy on the test images of task j after training on task i.
    """
    homework.seed_everything(seed)
    model = network().to(run.device)
    y, known_y = train_y.to(run.device), test_y.to(run.device)
    order = torch.Generator().manual_seed(seed)
    buffer = RehearsalBuffer(capacity, seed) if capacity else None
    ewc = EWC(lam) if lam else None
    acc = torch.zeros(tasks, tasks)

    def more() -> torch.Tensor | float:
        """EWC: the penalty. Rehearsal: the loss on `BATCH` kept examples."""
        extra = ewc.penalty(model) if ewc is not None else 0.0
        if buffer is not None and len(buffer):
            old_x, old_y = buffer.sample(BATCH)
            extra = extra + F.cross_entropy(model(old_x), old_y)
        return extra

    for task in range(tasks):
        x = task_images(train_x, seed, task)
        learn(model, x, y, order, more)
        if ewc is not None:
            ewc.after_task(model, fisher_diagonal(model, x[:FISHER_IMAGES], y[:FISHER_IMAGES]))
        if buffer is not None:
            buffer.add(x, y)
        if frozen:
            model.layers[:frozen].requires_grad_(False)
        acc[task] = torch.tensor([accuracy(model, task_images(test_x, seed, j), known_y) for j in range(tasks)])
    return acc


# %% [markdown]
# The next function repeats this for several settings and all seeds. After a disconnect it continues with the setting and the seed at which it stopped.


# %%
def run_settings(
    name: str, settings: Mapping[str, tuple[Any, ...]], code: Sequence[Callable[..., Any]] = (), tasks: int = TASKS
) -> dict[str, torch.Tensor]:
    """Trains each setting with each seed.

    Args:
        name: names the runs.
        settings: label -> (network, lam, capacity), and `frozen` if it is not 0.
        code: further functions on which the result depends: if they change, training starts anew.
        tasks: T, the number of tasks.

    Returns:
        Label -> the matrices `acc` of all seeds, `[S, T, T]`.
    """
    jobs = [(label, seed) for label in settings for seed in SEEDS]
    found = torch.zeros(len(jobs), tasks, tasks)
    plain = [[label, *setting] for label, setting in settings.items()]
    sizes = [CHANNELS, HIDDEN, BATCH, STEPS, LEARNING_RATE, MOMENTUM, FISHER_IMAGES, list(SEEDS)]
    loop = training.Loop(
        run,
        name,
        steps=len(jobs),
        modules={"found": found},
        code=[permute_pixels, learn, train_on_tasks, ConvNet, MLP, *code, plain, sizes],
    )
    for step in loop:
        label, seed = jobs[step]
        network, *setting = settings[label]
        found[step] = train_on_tasks(NETWORKS[network], seed, *setting, tasks=tasks)
        loop.record(accuracy=average_accuracy(found[step]), forgetting=forgetting(found[step]))
    return dict(zip(settings, found.split(len(SEEDS)), strict=True))


def mean_and_error(numbers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard error over the first dimension (the seeds)."""
    return numbers.mean(dim=0), numbers.std(dim=0) / math.sqrt(len(numbers))


def of_each(measure: Callable[[torch.Tensor], Any], matrices: torch.Tensor) -> torch.Tensor:
    """A measure of each of the matrices `[S, T, T]`: `[S]`."""
    return torch.stack([torch.as_tensor(measure(acc)) for acc in matrices])


def at_once(acc: torch.Tensor) -> torch.Tensor:
    """The mean accuracy on a task right after it was learnt, over the tasks after the first (plasticity)."""
    return acc.diag()[1:].mean()


def report(results: Mapping[str, torch.Tensor]) -> None:
    """Prints average accuracy and forgetting of each setting, mean ± standard error over the seeds."""
    print(f"over {len(SEEDS)} seeds               average accuracy    forgetting       new tasks, just learnt")
    for label, matrices in results.items():
        cells = [mean_and_error(of_each(measure, matrices)) for measure in (average_accuracy, forgetting, at_once)]
        print(f"{label:26s}" + "".join(f"    {float(mean):.3f} ± {float(error):.3f}" for mean, error in cells))


# %% [markdown]
# **Predict, then run.** Which task will be forgotten most at the end, and will it fall to chance (0.1)? And which network will forget more: the one that shares its filters among all positions, or the one with separate weights for each pixel?

# %% tags=["train"]
naive_runs = run_settings("naive", {"CNN, naive": ("CNN", 0.0, 0), "MLP, naive": ("MLP", 0.0, 0)})


# %%
def draw_matrices(results: Mapping[str, torch.Tensor], title: str) -> Any:
    """The mean accuracy matrix of each setting with its standard error, on one colour scale from 0 to 1."""
    means = {label: mean_and_error(matrices) for label, matrices in results.items()}
    names = [f"task {task}" for task in range(TASKS)]
    return side_by_side(
        {label: mean for label, (mean, _) in means.items()},
        title,
        "tested on",
        "after training on",
        errors={label: error for label, (_, error) in means.items()},
        row_labels=names,
        column_labels=names,
        low=0.0,
        high=1.0,
        scale="accuracy on test images",
    )


# %% tags=["experiment"]
report(naive_runs)
draw_matrices(naive_runs, "Naive training of two networks")

# %% [markdown]
# Read a column downwards: the number on the diagonal is the accuracy just after learning, those below it show what is left. Above the diagonal the network guesses.
#
# Each task is learnt well while it is trained on: the diagonal is high. The rest is for you to explain, in question (a).
#
# The CNN forgets much more than the MLP. A quick explanation is that all tasks share its few filters, and each new task overwrites them. Section 8 tests whether that is true.
#
# From here on we work with the CNN, where forgetting is larger.

# %% [markdown]
# ## 5. Elastic weight consolidation
#
# Which weights does a task need? Near the weights $\theta^*$ found for the old task, its loss (minus the log-likelihood, per sample) rises by about $\tfrac12 \sum_i F_i (\theta_i - \theta_i^*)^2$, if we neglect interactions between weights. $F_i$ is the curvature of that loss along weight $i$, and $\theta^*$ is where it is lowest. This is the toy of section 1. (Kirkpatrick and others 2017 derive it as a Gaussian approximation of the posterior over the weights.)
#
# Curvature needs second derivatives, but for a likelihood we can avoid them: the expected curvature of $-\log p$ equals the expected *square of its first derivative*. This is the **Fisher information**, and it needs gradients only.
#
# ### `fisher_diagonal`: which weights matter (4 points)
#
# $F_i$ is the expectation of the square of $\partial \log p_\theta(y \mid x) / \partial \theta_i$, where $p_\theta(y \mid x)$ is the softmax of the network's logits at the label $y$. Estimate the expectation from the samples $(x_n, y_n)$, with their true labels. Mind the order of "square" and "average".
#
# *Which Fisher is this?* The **empirical** one. The Fisher information proper takes the expectation over labels drawn from the network's own $p_\theta(y \mid x)$. The two agree where the network's probabilities are right; ours needs only the data, and is what most implementations use.
#
# *Details that matter.*
#
# * The network is in **evaluation mode** while the gradients are taken (dropout off, batch normalisation with its running statistics: otherwise the gradient of one sample would depend on chance, or on the other samples of the batch). Afterwards it is in the same mode as before, and its weights and buffers have not changed.
# * The result has an entry, of the weight's shape, for each parameter with `requires_grad`, under its name in `named_parameters()`. Frozen parameters have none. No entry carries a graph.
# * `N` may be any number of at least 1. All samples' gradients at once may not fit in memory (on MNIST 2,000 samples × 54,000 weights are 400 MB): work in chunks or one by one.
#
# *Worked numbers.* `PaperNet` has the logits [slope · x + shift, 0] for a number x, both parameters start at 0, so both classes have probability ½. Two samples: x = 1 with label 0, and x = 3 with label 1. The derivative of the log-likelihood by the first logit is ½ for label 0 and −½ for label 1. The result is $F_\text{slope}$ = **1.25** and $F_\text{shift}$ = **0.25**.
#
# <details><summary>Hint 1: idea</summary>
#
# Work out the two numbers above by hand, with one gradient for each sample. If the shift comes out as 0, you averaged before you squared: the gradients of the two samples cancel, although both samples depend on the shift.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $$F_i = \frac1N \sum_{n=1}^{N} \Big( \frac{\partial}{\partial \theta_i} \log p_\theta(y_n \mid x_n) \Big)^2 $$
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `loss.backward()` on a batch gives only the sum of the gradients. Loop over the samples with one `torch.autograd.grad` each: slow, and good enough here. Or: `torch.func.grad(f)` gives the gradient of a scalar `f` by its first argument (which may be a dict of tensors), `torch.func.vmap(g, in_dims=(None, 0, 0))` applies `g` to each sample, and `torch.func.functional_call(model, weights, (x,))` is `model(x)` with other weights. (Inside `vmap` a label cannot be an index in square brackets; `F.cross_entropy` takes it.)
#
# </details>


# %%
class PaperNet(nn.Module):
    """A network small enough to compute by hand: numbers `[B, 1]` to logits `[B, 2]` = [slope · x + shift, 0]."""

    def __init__(self, slope: float = 0.0, shift: float = 0.0) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))
        self.shift = nn.Parameter(torch.tensor(shift))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `[B, 2]`."""
        return torch.cat([self.slope * x + self.shift, torch.zeros_like(x)], dim=1)


class SmallNet(nn.Module):
    """A network for tests, with dropout and batch normalisation: `[B, 4]` to logits `[B, 3]`; 10 · hidden weights."""

    def __init__(self, hidden: int = 5) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(4, hidden),
            nn.BatchNorm1d(hidden),
            nn.Tanh(),
            nn.Dropout(0.5),
            nn.Linear(hidden, 3, bias=False),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `[B, 3]`."""
        return self.layers(x)


PAPER_X, PAPER_Y = torch.tensor([[1.0], [3.0]]), torch.tensor([0, 1])


# %% nbgrader={"grade": false, "grade_id": "fisher_diagonal", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fisher_diagonal(model, x, y):
    """The diagonal of the empirical Fisher information, estimated from the samples.

    Kirkpatrick and others 2017. The model is in evaluation mode meanwhile; afterwards it is unchanged, its mode
    included.

    Args:
        model: a module, inputs `[N, ...]` to logits `[N, C]`.
        x: inputs, `[N, ...]`; N is at least 1.
        y: true labels, `[N]`, int64.

    Returns:
        A dict, name -> tensor of the parameter's shape, without graph: an entry for each of `named_parameters()` that
        requires a gradient. Example: `PaperNet()` on `PAPER_X`, `PAPER_Y` gives slope 1.25 and shift 0.25.
    """
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    weights = {name: weight.detach() for name, weight in model.named_parameters() if weight.requires_grad}

    def log_likelihood(weights, x_n, y_n):
        logits = torch.func.functional_call(model, weights, (x_n[None],))  # [1, C]
        return -F.cross_entropy(logits, y_n[None])

    gradient_of_each = torch.func.vmap(torch.func.grad(log_likelihood), in_dims=(None, 0, 0))
    fisher = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for x_chunk, y_chunk in zip(x.split(100), y.split(100), strict=True):
        for name, gradient in gradient_of_each(weights, x_chunk, y_chunk).items():  # [chunk, ...]
            fisher[name] += (gradient**2).sum(dim=0) / len(x)
    model.train(was_training)
    return fisher
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_fisher_diagonal", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} seconds=30
got = student.fisher_diagonal(student.PaperNet(), PAPER_X, PAPER_Y)
assert isinstance(got, dict) and set(got) == {"slope", "shift"}, "return a dict: parameter's name -> tensor"
assert not near(got["slope"], 0.25), "this is the square of the mean gradient: square the gradient of each sample first"
assert not near(got["slope"], 1.0), (
    "neither the square of the summed gradient nor absolute values: square each sample's gradient, then average"
)
if near(got["slope"], 2.5):  # for two samples a sum and a division by N - 1 are the same
    four = student.fisher_diagonal(student.PaperNet(), PAPER_X.repeat(2, *[1] * (PAPER_X.ndim - 1)), PAPER_Y.repeat(2))
    assert not near(four["slope"], 5 / 3), "divide the sum of the squares by N, not by N - 1: it is their mean"
    raise AssertionError("the squares are summed: take their mean over the samples")
assert not near(got["slope"], 0.3125), "these are gradients of the probability: take gradients of its logarithm"
assert close(got["slope"], torch.tensor(1.25), "the worked numbers, slope: mean over samples of the squared gradient")
assert close(got["shift"], torch.tensor(0.25), "the worked numbers, shift: mean over samples of the squared gradient")
with part("a result without a graph", 0.5):
    assert not got["slope"].requires_grad, "the result must not carry a graph: detach it"
    hint = "no penalty can be computed from inference tensors: do not use inference_mode()"
    assert not got["slope"].is_inference(), hint
net = student.SmallNet()
some_x, some_y = torch.linspace(-2, 2, 24).reshape(6, 4), torch.tensor([0, 1, 2, 2, 1, 0])
once, again = student.fisher_diagonal(net, some_x, some_y), student.fisher_diagonal(net, some_x, some_y)
assert set(once) == {"layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "layers.4.weight"}, (
    "an entry for every parameter, biases too, under its name in named_parameters()"
)
assert has_shape(once["layers.0.weight"], (5, 4), "each entry has the shape of its parameter")
assert all(torch.equal(once[name], again[name]) for name in once), (
    "two calls differ: put the model into evaluation mode, otherwise dropout is random"
)
with part("the model's mode", 0.5):
    assert net.training, "the model was in training mode and must be in it again afterwards"
    net.eval()
    student.fisher_diagonal(net, some_x, some_y)
    assert not net.training, "the model was in evaluation mode and must still be in it"
print("fisher_diagonal: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(40)


def pair_of_nets(scale=1.0):
    """The same network on both sides, the local one in float64; running statistics are not those of any batch."""
    local, theirs = SmallNet().double(), student.SmallNet()
    with torch.no_grad():
        for weight in local.parameters():
            weight.copy_(scale * torch.randn(weight.shape, generator=g))
        local.layers[1].running_mean.copy_(torch.randn(5, generator=g))
        local.layers[1].running_var.copy_(0.5 + torch.rand(5, generator=g))
    theirs.load_state_dict(local.state_dict())
    return local.eval(), theirs


def one_by_one(local, x, y):
    """The expected result: a backward pass for each sample."""
    total = {name: torch.zeros_like(weight) for name, weight in local.named_parameters() if weight.requires_grad}
    for x_n, y_n in zip(x, y, strict=True):
        loss = -torch.log_softmax(local(x_n[None]), dim=1)[0, y_n]
        gradients = torch.autograd.grad(loss, [w for w in local.parameters() if w.requires_grad])
        for name, gradient in zip(total, gradients, strict=True):
            total[name] += gradient**2 / len(x)
    return total


with part("one gradient per sample", 2.5):
    for N in (1, 2, 37, 150):
        local, theirs = pair_of_nets()
        x, y = torch.randn(N, 4, generator=g), torch.randint(0, 3, (N,), generator=g)
        got = student.fisher_diagonal(theirs, x, y)
        want = one_by_one(local, x.double(), y)
        assert isinstance(got, dict) and set(got) == set(want), "one entry for each parameter, under its name"
        for name, value in want.items():
            assert got[name].shape == value.shape, "each entry has the shape of its parameter"
            assert close(
                got[name], value, "mean over samples of the squared gradient of log p(y | x)", rtol=1e-3, atol=1e-6
            )
    twice = student.fisher_diagonal(theirs, torch.cat([x, x]), torch.cat([y, y]))
    for name, value in got.items():
        assert close(twice[name], value, "a mean: the same data twice must give the same result", rtol=1e-3, atol=1e-6)
    # one entry by finite differences of the log-likelihood
    x, y = x[:3], y[:3]
    local, theirs = pair_of_nets()
    got = student.fisher_diagonal(theirs, x, y)["layers.0.weight"][2, 1]
    halves = []
    with torch.no_grad():
        for step in (1e-6, -1e-6):
            local.layers[0].weight[2, 1] += step
            halves.append(torch.log_softmax(local(x.double()), dim=1)[torch.arange(3), y])
            local.layers[0].weight[2, 1] -= step
    slopes = (halves[0] - halves[1]) / 2e-6
    assert close(got, (slopes**2).mean(), "an entry is the mean of squared derivatives", rtol=1e-3, atol=1e-6)
with part("sure networks and images", 0.75):
    paper = student.PaperNet(slope=500.0)
    got = student.fisher_diagonal(paper, PAPER_X, torch.tensor([0, 0]))
    assert close(got["slope"], torch.tensor(0.0), "sure and right: no gradient, and no nan or infinity either")
    got = student.fisher_diagonal(paper, PAPER_X, torch.tensor([1, 1]))
    assert close(got["slope"], torch.tensor(5.0), "sure and wrong: the gradient must not vanish; use log_softmax")
    pictures, labels = torch.randn(3, 1, 28, 28, generator=g), torch.randint(0, 10, (3,), generator=g)
    local, theirs = ConvNet(2, 4), student.ConvNet(2, 4)
    theirs.load_state_dict(local.state_dict())
    got, want = student.fisher_diagonal(theirs, pictures, labels), one_by_one(local, pictures, labels)
    for name, value in want.items():
        assert close(got[name], value, "a convolutional network", rtol=1e-3, atol=1e-7)
with part("the model is left as it was", 0.75):
    local, theirs = pair_of_nets()
    x, y = torch.randn(8, 4, generator=g), torch.randint(0, 3, (8,), generator=g)
    for mode in (True, False):
        theirs.train(mode)
        assert student.leaves_alone(student.fisher_diagonal, theirs, x, y), (
            "weights, running statistics, data and torch's global generator must not change"
        )
        assert theirs.training is mode, "the model must be in the same mode as before"
    before = student.fisher_diagonal(theirs, x, y)
    theirs.layers[0].requires_grad_(False)
    got = student.fisher_diagonal(theirs, x, y)
    wanted = {name for name, _ in local.named_parameters() if not name.startswith("layers.0.")}
    assert isinstance(got, dict) and set(got) == wanted, "frozen parameters have no entry"
    for name, value in got.items():
        assert close(value, before[name], "with some parameters frozen the entries of the others change", rtol=1e-3)
### END HIDDEN TESTS

# %% [markdown]
# ### A tempting shortcut, and what it measures
#
# Why not take the gradient that a batch gives anyway, and square that? For a batch of `B` samples with gradients $g_n$,
#
# $$\Big(\frac1B \sum_n g_n\Big)^2 \quad\text{is on average}\quad \bar g^2 + \frac{\overline{g^2} - \bar g^2}{B} , \qquad\text{not}\qquad \overline{g^2} ,$$
#
# for each weight by itself; a bar means the average over all data.
#
# **Predict, then run.** We train the CNN on one task and add up all entries of the shortcut for batches of 1, 4, 16, ... images, the same images throughout. What is $\bar g$ at the end of training, and so the slope in a doubly logarithmic plot? Does the second curve, the shortcut times `B`, stay at 1?

# %% tags=["train"]
homework.seed_everything(0)
one_task_net = NETWORKS["CNN"]().to(run.device)
one_task_x, one_task_y = task_images(train_x, 0, 0), train_y.to(run.device)
learn(one_task_net, one_task_x, one_task_y, torch.Generator().manual_seed(0))
fisher_images = one_task_x[:FISHER_IMAGES], one_task_y[:FISHER_IMAGES]
one_task_fisher = fisher_diagonal(one_task_net, *fisher_images)


# %%
def squared_batch_gradient(model: nn.Module, x: torch.Tensor, y: torch.Tensor, batch: int) -> torch.Tensor:
    """The shortcut: the square of each batch's mean gradient, averaged over the batches; all weights in one row."""
    squares = []
    for rows in torch.arange(len(y)).split(batch):
        if len(rows) == batch:  # an incomplete last batch is left out
            gradients = torch.autograd.grad(F.cross_entropy(model(x[rows]), y[rows]), list(model.parameters()))
            squares.append(torch.cat([gradient.flatten() for gradient in gradients]) ** 2)
    return torch.stack(squares).mean(dim=0)


# %% tags=["experiment"]
per_sample = torch.cat([value.flatten() for value in one_task_fisher.values()])
BATCHES = run.size(full=(4, 16, 64, 256, 1024), mini=(4, 16, 64, 250), grade=(4, 10))
short_cuts = {batch: squared_batch_gradient(one_task_net, *fisher_images, batch) for batch in (1, *BATCHES)}
print(
    f"sum of all entries, one gradient per sample: {float(per_sample.sum()):.4f}, largest entry {float(per_sample.max()):.3f}"
)
for batch, short_cut in short_cuts.items():
    ratio = float(short_cut.sum() / per_sample.sum())
    agreement = float(torch.corrcoef(torch.stack([per_sample, short_cut]))[0, 1])
    print(
        f"batches of {batch:5d}: {ratio:8.4f} of it, times B {ratio * batch:6.2f}; correlation with the Fisher {agreement:.2f}"
    )
share_left = {batch: float(short_cut.sum() / per_sample.sum()) for batch, short_cut in short_cuts.items()}
plots.curves(
    {
        "square of the batch's mean gradient": (list(share_left), list(share_left.values())),
        "the same, times B": (list(share_left), [batch * share for batch, share in share_left.items()]),
    },
    title="The shortcut against the batch size",
    xlabel="batch size B (images)",
    ylabel="sum of all entries / that of the Fisher",
    logx=True,
    logy=True,
    levels={"one gradient per sample": 1.0},
)

# %% [markdown]
# With batches of one image the shortcut *is* the Fisher. For larger batches it falls, at first nearly like $1/B$. Rescaled by `B` it has about the right size for small batches. For large ones it is too large: training was stopped before $\bar g$ was exactly 0, so $\bar g^2$ dominates. It shows the direction of further training, not curvature, and the entries agree less and less with the Fisher's.

# %% [markdown]
# ### `ewc_penalty`: one earlier task (2.5 points)
#
# EWC adds to the loss of the new task λ times the estimated rise of an earlier task's loss, in the form given at the beginning of this section. `fisher` and `anchor` are dicts of tensors; the sum runs over all entries of all the weights that `fisher` names. The penalty acts like a spring on each weight, as stiff as the old task needs it. The gradient must reach the *model* and nothing else. `anchor` is only read.
#
# *Worked numbers.* `PaperNet(slope=2.0, shift=1.0)`, `fisher` = {slope: 1.25, shift: 0.25}, `anchor` = {slope: 0.5, shift: 0}, `lam` = 4: the penalty is **6.125**, its derivative by the slope **7.5**, by the shift **1**.
#
# <details><summary>Hint 1: idea</summary>
#
# `dict(model.named_parameters())` gives the weights by name. Each name in `fisher` contributes one number.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# For the worked numbers: 4/2 · (1.25 · 1.5² + 0.25 · 1²) = 6.125.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# A sum over `fisher.items()`; each term multiplies the entry by the squared distance of weight and anchor and calls `.sum()`. No `detach`, no `float`.
#
# </details>


# %%
def gradients_of(model: nn.Module) -> dict[str, torch.Tensor | None]:
    """The gradients of a model's parameters (for tests): name -> tensor, or None."""
    return {name: None if w.grad is None else w.grad.clone() for name, w in model.named_parameters()}


# %% nbgrader={"grade": false, "grade_id": "ewc_penalty", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ewc_penalty(model, fisher, anchor, lam):
    """The EWC penalty of one earlier task.

    Kirkpatrick and others 2017, equation 3.

    Args:
        model: a module; theta are its parameters as they are now.
        fisher: name -> tensor of the parameter's shape; parameters that it does not name have no penalty.
        anchor: name -> tensor of the parameter's shape: theta*, copies, only read here.
        lam: the weight, a number of at least 0.

    Returns:
        A scalar tensor, differentiable by the model's parameters. Example: see the worked numbers, 6.125.
    """
    ### BEGIN SOLUTION
    weights = dict(model.named_parameters())
    return lam / 2 * sum((f * (weights[name] - anchor[name]) ** 2).sum() for name, f in fisher.items())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_ewc_penalty", "locked": true, "points": 2.5, "schema_version": 3, "solution": false, "task": false}
net = student.PaperNet(slope=2.0, shift=1.0)
stiffness = {"slope": torch.tensor(1.25), "shift": torch.tensor(0.25)}
at = {"slope": torch.tensor(0.5), "shift": torch.tensor(0.0)}
got = student.ewc_penalty(net, stiffness, at, 4.0)
assert has_shape(got, (), "return a scalar tensor")
assert not near(got, 0.0), "0: is the model compared with itself instead of with the anchor?"
assert not near(got, 12.25), "twice too large: where is the factor 1/2?"
assert not near(got, 1.53125), "where is lam?"
assert not near(got, 3.0625), "half of what it should be: is lam / 2 missing, or is this a mean instead of a sum?"
assert not near(got, 6.5), "each difference must be weighted by its Fisher entry"
assert close(got, torch.tensor(6.125), "the worked numbers: lam / 2 times the sum of F (theta - theta*)^2")
assert got.requires_grad, "no gradient reaches the model: detach() and float() cut it"
got.backward()
slopes = student.gradients_of(net)
assert slopes["slope"] is not None and slopes["shift"] is not None, (
    "the gradient must reach every parameter of the model"
)
assert close(slopes["slope"], torch.tensor(7.5), "the derivative is lam F (theta - theta*)")
assert close(slopes["shift"], torch.tensor(1.0), "the derivative is lam F (theta - theta*)")
with part("anchor, Fisher and model are only read", 0.5):
    assert student.leaves_alone(student.ewc_penalty, net, stiffness, at, 4.0), "one of them changed: work on copies"
    assert net.training, "the model's mode changed: the penalty needs neither train() nor eval()"
print("ewc_penalty: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(50)
local = SmallNet()
names = [name for name, _ in local.named_parameters()]
shapes = {name: weight.shape for name, weight in local.named_parameters()}


def random_weights():
    """A tensor for each parameter."""
    return {name: torch.randn(shape, generator=g) for name, shape in shapes.items()}


def draw_case():
    """A network on the student's side, its weights, an anchor and Fisher entries; the dicts in different orders."""
    theirs, now, at = student.SmallNet(), random_weights(), random_weights()
    theirs.load_state_dict({**local.state_dict(), **now})
    stiffness = {name: value**2 for name, value in reversed(random_weights().items())}
    return theirs, now, at, stiffness


def penalty(now, at, stiffness, lam):
    """The penalty, a number."""
    return lam / 2 * sum(float((f * (now[name] - at[name]) ** 2).sum()) for name, f in stiffness.items())


with part("value and gradient", 2):
    for lam in (0.3, 2.0, 1000.0, 3):
        theirs, now, at, stiffness = draw_case()
        got = student.ewc_penalty(theirs, stiffness, at, lam)
        assert has_shape(got, (), "a scalar")
        hint = "the sum over all entries of all parameters that `fisher` names, each found by its name"
        assert close(got.detach(), torch.tensor(penalty(now, at, stiffness, lam)), hint, rtol=1e-4)
        assert got.requires_grad, "the penalty must stay differentiable"
        got.backward()
        slopes = student.gradients_of(theirs)
        for name in names:
            assert slopes[name] is not None, "the gradient must reach every parameter, biases too"
            pull = lam * stiffness[name] * (now[name] - at[name])
            assert close(slopes[name], pull, "the gradient is lam F (theta - theta*)", rtol=1e-4)
        home = student.ewc_penalty(theirs, stiffness, now, lam)
        assert close(torch.as_tensor(home).detach(), torch.tensor(0.0), "at the anchor the penalty is 0")
        double = student.ewc_penalty(theirs, {name: 2 * value for name, value in stiffness.items()}, at, lam)
        assert close(double.detach(), 2 * got.detach(), "twice the Fisher, twice the penalty", rtol=1e-4)
with part("weights without an entry, lam = 0", 0.5):
    theirs, now, at, stiffness = draw_case()
    assert student.leaves_alone(student.ewc_penalty, theirs, stiffness, at, 2.0), (
        "anchor, Fisher and model are only read"
    )
    some = {name: stiffness[name] for name in names[:2]}
    got, want = student.ewc_penalty(theirs, some, at, 3.0).detach(), torch.tensor(penalty(now, at, some, 3.0))
    assert close(got, want, "weights that `fisher` does not name have no penalty", rtol=1e-4)
    none = student.ewc_penalty(theirs, stiffness, at, 0.0)
    assert isinstance(none, torch.Tensor), "lam = 0: the penalty is a tensor, as always"
    assert close(none.detach(), torch.tensor(0.0), "lam = 0: no penalty")
### END HIDDEN TESTS

# %% [markdown]
# ### `EWC`: all earlier tasks in one penalty (5 points)
#
# Now put the pieces together for any number of tasks. The training loop calls your object like this:
#
# * `ewc = EWC(lam)` before the first task;
# * `ewc.penalty(model)` in every step: a scalar tensor, the **sum of the penalties of all finished tasks**, each with its own Fisher and its own anchor. It depends on the weights of `model` as they are now, and is 0 before the first task is finished;
# * `ewc.after_task(model, fisher)` when a task ends: the model's weights are that task's $\theta^*$, and `fisher` is what `fisher_diagonal` gives for it (the same names each time). Afterwards the training of the next task changes the weights *of the same model object*.
#
# And one condition: the object may keep only a fixed number of tensors for each weight, **however many tasks there are**, and nothing in files. A list with a Fisher and an anchor of every task is not allowed: after 100 tasks it would be 200 times as large as the network. Why is it possible to keep less, and still compute the exact sum? Think about one single weight first, and then about the values that the entries of a Fisher can have in a network with ReLU.
#
# *Worked numbers*, with `lam` = 4. Task 0 ends at slope 0 and shift 0, its Fisher is 1.25 and 0.25. Task 1 ends at slope 1 and shift −2, its Fisher is 1 and 0.25. At slope 2 and shift 1 the penalty of task 0 alone is 10.5, and that of both is **17**; the derivative of the latter by the slope is **14**, by the shift **4**.
#
# <details><summary>Hint 1: idea</summary>
#
# As a function of one weight, the penalty of one task is a parabola. What is the sum of two parabolas, and how many numbers describe it?
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# With $a_t$ for the anchors and $F_t$ for the Fisher entries of one weight, $\sum_t F_t (\theta - a_t)^2 = \theta^2 \sum_t F_t - 2 \theta \sum_t F_t a_t + \sum_t F_t a_t^2$. If you prefer to complete the square: the new anchor is the mean of the $a_t$ with the weights $F_t$, and a constant remains, which the value needs and the gradient does not.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# A weight that no task needs has an entry of exactly 0 in each Fisher. Keep a dict for each of the sums. `after_task` takes *copies* of the weights (`detach().clone()`; the parameters themselves would move with the network), and adds to each sum. If you divide by $\sum_t F_t$, decide what happens where it is 0. Before the first task return `torch.zeros(())`.
#
# </details>


# %%
def bytes_alive() -> int:
    """The bytes of all tensors, arrays, texts, numbers and containers of this process, and of the files in this folder.

    A difference of two calls is what was kept in between: in attributes, containers, closures, variables or files.
    """
    own = (gc.collect, gc.get_objects, gc.get_referents, os.scandir)
    assert all(type(function) is type(len) for function in own), (
        "the notebook replaced functions of the module gc or os"
    )
    gc.collect()
    measured = {"TensorBase", "StorageBase", "ndarray", "array", "bytes", "bytearray", "BytesIO", "StringIO"}
    measured |= {"str", "int", "float", "list", "tuple", "dict", "set", "frozenset", "deque"}
    layer = gc.get_objects()  # before the containers below are made: they would count, too
    bases: dict[type, Any] = {}  # type -> the one of these that it is based on
    seen: set[int] = set()
    sizes: dict[int, int] = {}  # by address: several tensors may share their numbers
    while layer:
        layer = [thing for thing in layer if id(thing) not in seen]
        seen.update(id(thing) for thing in layer)
        for thing in layer:
            kind = type(thing)
            if kind not in bases:
                bases[kind] = next((base for base in type.mro(kind)[::-1] if base.__name__ in measured), None)
            base = bases[kind]
            if base is None:
                continue
            if base.__name__ not in ("TensorBase", "StorageBase"):
                sizes[id(thing)] = base.__sizeof__(thing)
                continue
            try:
                storage = base.untyped_storage(thing) if base.__name__ == "TensorBase" else thing
                storage_base = next(base for base in type.mro(type(storage)) if base.__name__ == "StorageBase")
                sizes[storage_base.data_ptr(storage)] = storage_base.nbytes(storage)
            except (RuntimeError, NotImplementedError):  # e.g. a sparse tensor
                sizes[id(thing)] = base.numel(thing) * base.element_size(thing)
        # what the collector does not list itself: it is in something that it lists
        layer = [thing for thing in gc.get_referents(*layer) if not gc.is_tracked(thing)]
    # without the notebook, which may be saved at any time
    files = [file for file in os.scandir() if file.is_file() and not file.name.endswith(".ipynb")]
    return sum(sizes.values()) + sum(file.stat().st_size for file in files)


def end_and_overwrite(ewc: Any, model: nn.Module, fisher: dict[str, torch.Tensor]) -> None:
    """Ends a task and then writes −1 over the caller's Fisher."""
    mine = {name: entries.clone() for name, entries in fisher.items()}
    ewc.after_task(model, mine)
    for entries in mine.values():
        entries.fill_(-1)


def for_paper(slope: float, shift: float) -> dict[str, torch.Tensor]:
    """Weights of a `PaperNet`, for `load_state_dict`, or their Fisher entries."""
    return {"slope": torch.tensor(slope), "shift": torch.tensor(shift)}


# %% nbgrader={"grade": false, "grade_id": "EWC", "locked": false, "schema_version": 3, "solution": true, "task": false}
class EWC:
    """The sum of the EWC penalties of all finished tasks, in memory that does not grow with their number.

    Methods: `after_task(model, fisher)` when a task ends, with its Fisher, name -> tensor of the parameter's shape;
    `penalty(model)` -> scalar tensor, differentiable by the model's parameters. `lam` is a number of at least 0.
    Neither method changes the model or the Fisher. Example: the worked numbers, 10.5 after one task and 17 after two.
    """

    def __init__(self, lam):
        ### BEGIN SOLUTION
        self.lam, self.stiffness, self.middle = lam, {}, {}
        self.lowest = torch.zeros(())  # of the sum of all parabolas
        ### END SOLUTION

    def after_task(self, model, fisher):
        """Adds the task that the model has just learnt; its weights are theta*. Keeps copies."""
        ### BEGIN SOLUTION
        for name, weight in model.named_parameters():
            if name in fisher:
                end, new = weight.detach().clone(), fisher[name]
                old, middle = self.stiffness.get(name, torch.zeros_like(new)), self.middle.get(name, end)
                share = torch.where(new > 0, new / (old + new), 0.0)
                self.stiffness[name], self.middle[name] = old + new, middle + share * (end - middle)
                self.lowest = self.lowest + (old * share * (end - middle) ** 2).sum()
        ### END SOLUTION

    def penalty(self, model):
        """The sum over all finished tasks, at the model's present weights; 0 if there are none."""
        ### BEGIN SOLUTION
        total = self.lowest
        for name, weight in model.named_parameters():
            if name in self.stiffness:
                total = total + (self.stiffness[name] * (weight - self.middle[name]) ** 2).sum()
        return self.lam / 2 * total
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_EWC", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false} seconds=30
ewc, net = student.EWC(4.0), student.PaperNet()
none = ewc.penalty(net)
assert isinstance(none, torch.Tensor), "before the first task the penalty is a tensor, too: torch.zeros(())"
assert has_shape(none, (), "the penalty is a scalar tensor") and near(none, 0.0), "no finished task, no penalty"
first_fisher, second_fisher = for_paper(1.25, 0.25), for_paper(1.0, 0.25)
ewc.after_task(net, first_fisher)
assert near(ewc.penalty(net), 0.0), "right after the first task the weights are at their anchor: the penalty is 0"
net.load_state_dict(for_paper(2.0, 1.0))
got = ewc.penalty(net)
assert not near(got, 0.0), "the weights changed and the penalty is still 0: did the anchor move with them? Copy it"
assert not near(got, 42.0) and not near(got, 2.625), "lam must count exactly once"
assert not near(got, 21.0), "twice too large: is the factor 1/2 missing?"
assert close(got, torch.tensor(10.5), "the worked numbers: one finished task")
net.load_state_dict(for_paper(1.0, -2.0))
ewc.after_task(net, second_fisher)
net.load_state_dict(for_paper(2.0, 1.0))
got = ewc.penalty(net)
assert has_shape(got, (), "the penalty is a scalar tensor")
assert not near(got, 6.5), "only the newest task counts: its Fisher and anchor must not replace those of task 0"
assert not near(got, 10.5), "only the first task counts"
assert not near(got, 13.5), "the whole Fisher holds the weights at the newest anchor: task 0 has an anchor of its own"
assert not near(got, 19.0), "the whole Fisher holds the weights at the first anchor: task 1 has an anchor of its own"
assert not near(got, 8.5), "this is the mean of the two penalties: add them"
assert not near(got, 14.125), "the anchors count equally: a task that needs a weight more pulls it more"
assert not near(got, 7.0), (
    "a task's Fisher goes with its own anchor: are the newest anchor and Fisher mixed with the old?"
)
assert got.requires_grad, "no gradient reaches the model: detach() and float() cut it"
got.backward()
slopes = student.gradients_of(net)
assert slopes["slope"] is not None and slopes["shift"] is not None, "the gradient must reach every parameter"
hint = "the worked numbers: the derivative is the sum over both tasks of lam F (theta - theta*)"
assert close(slopes["slope"], torch.tensor(14.0), hint, rtol=1e-3)
assert close(slopes["shift"], torch.tensor(4.0), hint, rtol=1e-3)
with part("the value of the sum", 0.5):
    hint = "the value is too small, by a constant: the sum of two parabolas is not 0 at its minimum"
    assert not near(got, 134 / 9), hint
    assert close(got, torch.tensor(17.0), "the worked numbers: two finished tasks", rtol=1e-3)
with part("weights that no task needs", 0.5):
    unused, idle = student.EWC(4.0), student.PaperNet()
    hint = "a second object begins without tasks: store nothing in the class itself"
    assert near(unused.penalty(idle), 0.0), hint
    for _ in range(2):
        unused.after_task(idle, for_paper(0.0, 0.25))
    idle.load_state_dict(for_paper(3.0, 1.0))
    held = unused.penalty(idle)
    assert not bool(held.isnan()), "nan: the slope has F = 0 in both tasks, and 0 / 0 is nan"
    hint = "the slope has F = 0 in both tasks: only the shift has a penalty, twice 4/2 · 0.25 · 1"
    assert close(held, torch.tensor(1.0), hint, rtol=1e-3)
with part("memory", 1):
    many, wide, mine = student.EWC(1.0), student.SmallNet(1000), SmallNet(1000)
    kept = [student.bytes_alive()]
    for times in (2, 18):
        for _ in range(times):  # each task ends at other weights, with another Fisher
            at, entries = ({name: torch.rand_like(w) for name, w in mine.named_parameters()} for _ in range(2))
            wide.load_state_dict({**mine.state_dict(), **at})
            many.after_task(wide, entries)
        kept.append(student.bytes_alive())
    hint = "the object must keep at least two numbers for each weight, as tensors in its own attributes; they were not found"
    assert kept[1] - kept[0] > 0.9 * 2 * 4 * 10_000, hint
    hint = "after two tasks your object keeps more than 16 numbers for each weight: reserve no room for later tasks"
    assert kept[1] - kept[0] < 16 * 8 * 10_000, hint
    hint = "after 18 more tasks your code keeps more memory: do not keep a Fisher and an anchor for each task"
    assert kept[2] - kept[1] < 4 * 10_000, hint
with part("what a call must not change", 0.5):
    hint = "the penalty is asked in every step: asking must change neither the object nor the model"
    assert close(ewc.penalty(net), got.detach(), hint) and student.leaves_alone(ewc.penalty, net), hint
    hint = "after_task must change neither the model nor the Fisher that it gets: no += on it"
    assert student.leaves_alone(ewc.after_task, net, second_fisher), hint
    own = student.EWC(4.0)
    modules_may_change()(student.end_and_overwrite)(own, student.PaperNet(), first_fisher)  # `own` may be a module
    hint = "the caller overwrote its Fisher after after_task, and your penalty changed: keep copies"
    assert close(own.penalty(net), torch.tensor(10.5), hint)
print("EWC: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(55)
shape_of = {name: weight.shape for name, weight in SmallNet().named_parameters()}


def anywhere():
    """Random weights for a `SmallNet`."""
    return {name: torch.randn(shape, generator=g) for name, shape in shape_of.items()}


def one_more(ewc, theirs, idle=0.0):
    """Ends a task somewhere: tells the student's object, and returns its Fisher and anchor; a share `idle` has F = 0."""
    ends, entries = anywhere(), anywhere()
    for name, value in entries.items():
        entries[name] = value**2 * (torch.rand(value.shape, generator=g) >= idle)
    theirs.load_state_dict({**SmallNet().state_dict(), **ends})
    ewc.after_task(theirs, entries)
    return entries, ends


def moved_to(now):
    """Another `SmallNet` of the student's side, with these weights."""
    theirs = student.SmallNet()
    theirs.load_state_dict({**SmallNet().state_dict(), **now})
    return theirs


def agrees(got, want, hint):
    """Equal up to rounding?"""
    return close(torch.as_tensor(got).detach().double(), torch.as_tensor(want).double(), hint, rtol=2e-3, atol=1e-3)


def sum_of(tasks, now, lam):
    """All penalties, one by one."""
    terms = [f[name].double() * (now[name].double() - at[name].double()) ** 2 for f, at in tasks for name in f]
    return lam / 2 * sum(float(term.sum()) for term in terms)


with part("the gradient, after any number of tasks", 2):
    for T, lam in ((1, 2.0), (2, 0.7), (3, 30.0), (6, 3)):
        ewc, theirs, tasks = student.EWC(lam), student.SmallNet(), []
        for _ in range(T):
            tasks.append(one_more(ewc, theirs))
            now = anywhere()
            net = moved_to(now)
            ewc.penalty(net).backward()
            slopes = student.gradients_of(net)
            for name, at_now in now.items():
                pull = lam * sum(f[name].double() * (at_now - at[name]).double() for f, at in tasks)
                assert slopes[name] is not None, "the gradient must reach every parameter, biases too"
                assert agrees(slopes[name], pull, "the gradient is the sum over all finished tasks")
    first, second = student.EWC(1.0), student.EWC(1.0)  # they must not share what they store
    tasks = [one_more(first, student.SmallNet())]
    one_more(second, student.SmallNet())
    now = anywhere()
    assert agrees(first.penalty(moved_to(now)), sum_of(tasks, now, 1.0), "two objects of the class share their tasks")
with part("the value, after any number of tasks", 1):
    for T, lam in ((1, 0.5), (2, 3), (4, 10.0)):
        ewc, theirs, tasks = student.EWC(lam), student.SmallNet(), []
        for _ in range(T):
            tasks.append(one_more(ewc, theirs))
            for now in (anywhere(), tasks[-1][1]):
                got = ewc.penalty(moved_to(now))
                assert has_shape(got, (), "a scalar")
                assert agrees(got, sum_of(tasks, now, lam), "the value is the sum of the penalties of all tasks")
    idle = student.EWC(0.0)
    one_more(idle, student.SmallNet())
    none = idle.penalty(moved_to(anywhere()))
    assert isinstance(none, torch.Tensor) and agrees(none, 0.0, "lam = 0: no penalty"), "a tensor, as always"
with part("weights that a task does not need", 1):
    for shares in ([1.0, 1.0, 0.0], [0.0, 1.0], [1.0, 0.0, 1.0, 0.0], [0.6, 0.6, 0.6]):
        ewc, theirs = student.EWC(2.0), student.SmallNet()
        tasks, now = [one_more(ewc, theirs, share) for share in shares], anywhere()
        hint = "an entry of 0 must neither give nan nor change what the other tasks need"
        net = moved_to(now)
        got = ewc.penalty(net)
        assert agrees(got, sum_of(tasks, now, 2.0), hint)
        got.backward()
        slopes = student.gradients_of(net)
        for name in now:
            assert slopes[name] is not None, "the gradient must reach every parameter, biases too"
            pull = 2.0 * sum(f[name].double() * (now[name] - at[name]).double() for f, at in tasks)
            assert agrees(slopes[name], pull, hint)
    some, theirs = student.EWC(2.0), student.SmallNet()
    (f, at), now = one_more(student.EWC(2.0), theirs), anywhere()
    f = {name: f[name] for name in list(f)[1:3]}
    some.after_task(theirs, f)
    hint = "weights that the Fisher does not name have no penalty"
    assert agrees(some.penalty(moved_to(now)), sum_of([(f, at)], now, 2.0), hint)
with part("fixed memory, and nothing else changes", 1):
    many, theirs, mine = student.EWC(1.0), student.SmallNet(1000), SmallNet(1000)
    kept = [student.bytes_alive()]
    for times in (1, 12):
        for _ in range(times):
            at, f = ({name: torch.rand(w.shape, generator=g) for name, w in mine.named_parameters()} for _ in range(2))
            theirs.load_state_dict({**mine.state_dict(), **at})
            many.after_task(theirs, f)
        kept.append(student.bytes_alive())
    assert kept[1] - kept[0] > 0.9 * 2 * 4 * 10_000, (
        "what the object keeps was not found: use tensors in its attributes"
    )
    assert kept[1] - kept[0] < 16 * 8 * 10_000, "the object keeps too much after one task: is room reserved for others?"
    assert kept[2] - kept[1] < 4 * 10_000, "the memory must not grow with the number of tasks"
    ewc, theirs, now = student.EWC(0.1), student.SmallNet(), anywhere()
    tasks = [one_more(ewc, theirs) for _ in range(35 + int(torch.randint(10, (), generator=g)))]
    hint = "after very many tasks, too, the value is the sum of the penalties of all tasks"
    assert agrees(ewc.penalty(moved_to(now)), sum_of(tasks, now, 0.1), hint)
    theirs = student.SmallNet()
    ewc, (f, at), now = student.EWC(1.5), one_more(student.EWC(1.0), theirs), anywhere()
    tasks = []
    for mode in (True, False):
        theirs.train(mode)
        modules_may_change()(student.end_and_overwrite)(ewc, theirs, f)
        tasks.append((f, at))
        hint = "after_task must keep copies of the Fisher, and the sum must not change when it is asked"
        for _ in range(2):
            assert agrees(ewc.penalty(moved_to(now)), sum_of(tasks, now, 1.5), hint)
        assert student.leaves_alone(ewc.after_task, theirs, f), "model, Fisher and global generator must not change"
        tasks.append((f, at))
        assert student.leaves_alone(ewc.penalty, theirs), "the model must not change"
        assert theirs.training is mode, "the model must be in the same mode as before"
### END HIDDEN TESTS

# %% tags=["experiment"]
across = torch.linspace(-1.0, 2.0, 61)
merged, paper = EWC(4.0), PaperNet()
parabolas = {}
for end, entries in ((0.0, for_paper(1.25, 0.25)), (1.0, for_paper(1.0, 0.25))):
    paper.load_state_dict(for_paper(end, -2.0 * end))
    alone = EWC(4.0)
    for each in (alone, merged):
        each.after_task(paper, entries)
    points = [PaperNet(float(slope), -1.0) for slope in across]
    parabolas[f"task {len(parabolas)} alone"] = across, torch.stack([alone.penalty(p).detach() for p in points])
parabolas["your sum"] = across, torch.stack([merged.penalty(point).detach() for point in points])
plots.curves(
    parabolas,
    title="The penalty of two tasks along one weight",
    xlabel="slope of PaperNet (its shift is −1)",
    ylabel="penalty, λ = 4",
)

# %% [markdown]
# ### What λ does
#
# **Predict, then run.** λ = 0 is naive training. What does a larger λ do to the accuracy on the earlier tasks at the end (*stability*), and to the accuracy on a new task right after it was learnt (*plasticity*)? Is there a λ that is best for both, and what happens for a very large λ?

# %% tags=["train"]
LAMBDAS = run.size(full=(1.0, 10.0, 30.0, 100.0, 1000.0), mini=(0.1, 1.0, 10.0, 30.0, 100.0, 1000.0), grade=(1.0, 10.0))
ewc_runs = run_settings("ewc", {f"EWC, λ = {lam:g}": ("CNN", lam, 0) for lam in LAMBDAS}, code=[fisher_diagonal, EWC])


# %%
def against(results: Mapping[str, torch.Tensor], values: Sequence[float], title: str, xlabel: str) -> Any:
    """Two figures against a setting, with bands of one standard error: accuracies, and forgetting.

    Settings that would compress the scale are left out; the table has them.
    """
    pairs = zip(values, results.values(), strict=True)
    drawn = [(value, matrices) for value, matrices in pairs if of_each(at_once, matrices).mean() > 0.5]
    figures = {
        "accuracy on test images": {"new tasks, just learnt": at_once, "average at the end": average_accuracy},
        "forgetting": {"forgetting": forgetting},
    }
    figure = None
    for ylabel, measures in figures.items():
        cells = {
            label: [mean_and_error(of_each(measure, matrices)) for _, matrices in drawn]
            for label, measure in measures.items()
        }
        label, measure = list(measures.items())[-1]
        figure = plots.curves(
            {name: ([value for value, _ in drawn], [mean for mean, _ in found]) for name, found in cells.items()},
            title=f"{title}: {ylabel}",
            xlabel=xlabel,
            ylabel=ylabel,
            band={name: [error for _, error in found] for name, found in cells.items()},
            logx=True,
            levels={f"{label}, naive": of_each(measure, naive_runs["CNN, naive"]).mean()},
        )
    return figure


# %% tags=["experiment"]
report({"CNN, naive": naive_runs["CNN, naive"], **ewc_runs})
best_ewc = max(ewc_runs, key=lambda label: float(of_each(average_accuracy, ewc_runs[label]).mean()))
best_lam = LAMBDAS[list(ewc_runs).index(best_ewc)]
print(f"best: {best_ewc}")
against(ewc_runs, LAMBDAS, "EWC", "λ, the weight of the penalty")

# %% [markdown]
# The largest λ is in the table and not in the figure, where it would compress the scale. The cell below prints a number that you need for question (c), which asks you to explain all this.

# %% tags=["experiment"]
print(f"largest entry of the Fisher after the first task of one run: {float(per_sample.max()):.2f}")

# %% [markdown]
# ## 6. Rehearsal
#
# The other method is older and simpler: keep some examples of the past tasks, and train on them together with the new ones. In `train_on_tasks` each step adds the mean cross-entropy of `BATCH` kept examples to that of the current batch.
#
# ### `RehearsalBuffer`: a uniform sample of all examples so far (4 points)
#
# Which examples should the buffer keep, if there is room for `capacity` and it is unknown how many will come? At any time, the buffer must hold a **uniform sample** of all examples added so far: each set of `capacity` examples is equally likely, whether they came early or late, in large portions or small ones. If it favours the newest, the oldest task is forgotten again; if it keeps the first ones, later tasks are never rehearsed.
#
# One pass is enough, without keeping the stream (*reservoir sampling*, Vitter 1985). Find out with which probability example number `s` must enter a full buffer, and which example then has to leave, so that all are equally likely again. Any algorithm with this result is accepted.
#
# What the class must do:
#
# * `RehearsalBuffer(capacity, seed)`: room for `capacity` examples, at least 1. All its randomness comes from `seed`: two buffers with the same seed and the same calls hold and return the same, and torch's global generator does not change. (Otherwise rehearsal would change the batches.)
# * `add(x, y)`: adds the examples `x` `[B, ...]`, `y` `[B]`, one after the other; any `B`. It keeps copies: the caller may overwrite `x` and `y` afterwards.
# * `sample(n)`: `n` *different* examples of those that it holds, drawn uniformly, as `(x [n, ...], y [n])`, each `x` with its `y`; if it holds fewer than `n`, all of them, in any order. They are copies, with the device and the data type of the added examples. Sampling does not change the buffer. It is not called while the buffer is empty.
# * `len(buffer)`: the number of examples it holds now, never more than `capacity`.
#
# *Worked number.* Capacity 3, and 12 examples are added: at the end each of them is held with probability 3/12 = ¼, the first as well as the last.
#
# <details><summary>Hint 1: idea</summary>
#
# As long as there is room, keep everything. After that, decide for each new example by itself: keep it or not, and if so, at the place of which old one?
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# Example `s` must be held with probability capacity/s. An old one was held with probability capacity/(s − 1), and must now be held with capacity/s = capacity/(s − 1) · (1 − 1/s): each old one leaves with probability 1/s.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# Draw a whole number `j` uniformly from 0 to `s` − 1. If `j` < `capacity`, the new example replaces the one at index `j`, else it is discarded. `random.Random(seed)` or `torch.Generator().manual_seed(seed)`, made once, is the buffer's own source of chance.
#
# </details>
#
# Here are some helpers for the tests.


# %%
def size_of(buffer: Any) -> int:
    """The length of a buffer."""
    return len(buffer)


def kept_by(seeds: Sequence[int], capacity: int, portions: Sequence[int]) -> torch.Tensor:
    """Fills a buffer for each seed with examples 0, 1, 2, ... in portions of these sizes; returns their contents `[S, kept]`."""
    kept = []
    for seed in seeds:
        buffer = RehearsalBuffer(capacity, seed)
        for y in torch.arange(sum(portions)).split(list(portions)):
            buffer.add(y[:, None].float(), y)
        kept.append(buffer.sample(capacity)[1].sort().values)
    return torch.stack(kept)


def samples_of(buffer: Any, n: int, times: int) -> torch.Tensor:
    """The labels of many samples of size n: `[times, n]`."""
    return torch.stack([buffer.sample(n)[1] for _ in range(times)])


def add_and_overwrite(buffer: Any, x: torch.Tensor, y: torch.Tensor) -> None:
    """Adds examples and then writes −1 over the caller's tensors."""
    x, y = x.clone(), y.clone()
    buffer.add(x, y)
    x.fill_(-1), y.fill_(-1)


def sample_and_overwrite(buffer: Any, n: int) -> None:
    """Writes −1 over a sample."""
    x, y = buffer.sample(n)
    x.fill_(-1), y.fill_(-1)


# %% nbgrader={"grade": false, "grade_id": "RehearsalBuffer", "locked": false, "schema_version": 3, "solution": true, "task": false}
class RehearsalBuffer:
    """Holds a uniform sample, of at most `capacity`, of all the examples that were ever added.

    Vitter 1985, algorithm R. Methods: `add(x, y)` with `[B, ...]` and `[B]`, `sample(n)` -> (x `[n, ...]`, y `[n]`)
    without replacement (all that is held if that is fewer than n), `len(buffer)`. All randomness comes from `seed`.
    """

    def __init__(self, capacity, seed):
        ### BEGIN SOLUTION
        self.capacity = capacity
        self.random = random.Random(seed)
        self.seen = 0
        self.kept = []  # pairs (x_n, y_n)
        ### END SOLUTION

    def __len__(self):
        ### BEGIN SOLUTION
        return len(self.kept)
        ### END SOLUTION

    def add(self, x, y):
        """Adds examples x `[B, ...]` with labels y `[B]`, one after the other; keeps copies."""
        ### BEGIN SOLUTION
        for pair in zip(x, y, strict=True):
            self.seen += 1
            if len(self.kept) < self.capacity:
                self.kept.append(tuple(part.clone() for part in pair))
                continue
            place = self.random.randrange(self.seen)
            if place < self.capacity:
                self.kept[place] = tuple(part.clone() for part in pair)
        ### END SOLUTION

    def sample(self, n):
        """Draws n different ones of the kept examples (all if there are fewer): x `[n, ...]`, y `[n]`."""
        ### BEGIN SOLUTION
        chosen = self.random.sample(self.kept, min(n, len(self.kept)))
        return torch.stack([x_n for x_n, _ in chosen]), torch.stack([y_n for _, y_n in chosen])
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_RehearsalBuffer", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false} seconds=60
buffer = student.RehearsalBuffer(5, seed=1)
assert student.size_of(buffer) == 0, "a new buffer is empty"
y = torch.arange(3)
buffer.add(10.0 + y[:, None], y)
assert student.size_of(buffer) == 3, "as long as there is room, everything is kept"
got = buffer.sample(2)
assert isinstance(got, tuple | list) and len(got) == 2, "sample(n) returns the pair (x, y)"
assert all(isinstance(each, torch.Tensor) for each in got), "sample(n) returns two tensors, x and y"
assert has_shape(got[0], (2, 1), "sample(n): x [n, ...] and y [n]")
assert has_shape(got[1], (2,), "sample(n): x [n, ...] and y [n]")
assert torch.equal(got[0][:, 0], 10.0 + got[1]), "each x must come with its own y"
assert all(len(set(row)) == 2 for row in student.samples_of(buffer, 2, 20).tolist()), (
    "draw different examples, without replacement"
)
assert sorted(buffer.sample(99)[1].tolist()) == [0, 1, 2], (
    "if n is more than it holds, sample returns all that it holds"
)
y = torch.arange(3, 20)
buffer.add(10.0 + y[:, None], y)
assert student.size_of(buffer) == 5, "a buffer never holds more than its capacity"
kept = student.kept_by(range(400), 3, [5, 1, 6])  # 12 examples, room for 3
assert has_shape(kept, (400, 3), "a full buffer holds `capacity` examples")
assert len(kept.unique(dim=0)) > 1, (
    "all seeds hold the same: are the first examples never replaced, or is the seed not used?"
)
often = torch.bincount(kept.flatten(), minlength=12) / 400  # each should be near 1/4
assert bool((often[-2:] < 0.4).all()), (
    "the newest examples are favoured: accept example s with probability capacity / s"
)
assert bool((often[:3] < 0.4).all()), "the first examples are favoured: later ones must be able to replace them"
assert bool((often - 0.25).abs().max() < 0.11), "each of the 12 examples should be in about a quarter of the buffers"
with part("no more than its capacity", 0.5):
    large = student.RehearsalBuffer(10, seed=2)
    came = [student.bytes_alive()]
    for B in (20, 300):
        large.add(torch.rand(B, 1000), torch.arange(B))
        came.append(student.bytes_alive())
    hint = "the buffer must keep 10 examples, as tensors in its own attributes; they were not found"
    assert came[1] - came[0] > 0.9 * 10 * 4 * 1000, hint
    hint = "after 300 more examples your code keeps more memory: the buffer must forget those that it does not hold"
    assert came[2] - came[1] < 20_000, hint
with part("copies", 0.5):
    mine, y = student.RehearsalBuffer(5, seed=1), torch.arange(3)
    modules_may_change()(student.add_and_overwrite)(mine, 10.0 + y[:, None], y)  # the buffer may be a module
    held = mine.sample(2)
    assert bool((held[1] >= 0).all()), "the caller's tensors were overwritten, and so was the buffer: keep copies"
    hint = "no network can be trained on an inference tensor: do not use torch.inference_mode()"
    assert not held[0].is_inference(), hint
with part("data types", 0.25):
    kept_as = student.RehearsalBuffer(2, seed=3)
    kept_as.add(torch.ones(4, 2, dtype=torch.float64), torch.ones(4, dtype=torch.int32))
    x, y = kept_as.sample(2)
    assert x.dtype == torch.float64 and y.dtype == torch.int32, "a sample has the data types of the added examples"
with part("the seed", 0.25):
    hint = "the same seed must hold the same examples"
    assert torch.equal(kept[:9], student.kept_by(range(9), 3, [5, 1, 6])), hint
    hint = "torch's global generator must not change"
    assert student.leaves_alone(buffer.add, torch.zeros(2, 1), torch.zeros(2).long()), hint
print("RehearsalBuffer: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(60)
start = int(torch.randint(0, 10**6, (), generator=g))


def share_of(sets, size):
    """How often each example is held, and each pair of examples together: `[size]`, `[size, size]`."""
    inside = torch.zeros(len(sets), size, dtype=torch.float64)
    inside.scatter_(1, sets, 1.0)
    return inside.mean(dim=0), inside.T @ inside / len(sets)


with part("what it holds is a uniform sample", 1.25):
    hint = "the same seed must hold the same examples, whatever was called before"
    for capacity, portions in [(3, [12]), (3, [1] * 12), (4, [2, 7, 1]), (1, [3, 3]), (2, [6])]:
        size, S = sum(portions), 1000
        kept = student.kept_by(range(start, start + S), capacity, portions)
        assert has_shape(kept, (S, capacity), "a full buffer holds `capacity` examples")
        for n in torch.randint(0, S, (3,), generator=g).tolist():
            again = student.RehearsalBuffer(capacity, start + n)
            for y in torch.arange(size).split(portions):
                again.add(y[:, None].float(), y)
            assert torch.equal(again.sample(capacity)[1].sort().values, kept[n]), hint
        assert bool((kept[:, 1:] > kept[:, :-1]).all()), "no example may be held, or drawn into one sample, twice"
        single, pairs = share_of(kept, size)
        p = capacity / size
        worst = (single - p).abs().max()
        assert bool(worst < 6 * math.sqrt(p * (1 - p) / S)), (
            "each example must be held equally often, early or late, whatever the sizes of the portions"
        )
        if capacity > 1:
            q = p * (capacity - 1) / (size - 1)
            off = pairs[~torch.eye(size, dtype=torch.bool)]
            assert bool((off - q).abs().max() < 6 * math.sqrt(q * (1 - q) / S)), (
                "each pair of examples must be held together equally often, neighbours no more than others"
            )
with part("sampling and bookkeeping", 0.75):
    for capacity, portions in [(8, [3, 2]), (5, [5, 9]), (6, [1, 1, 1, 30])]:
        buffer = student.RehearsalBuffer(capacity, start)
        added = 0
        for B in portions:
            y = torch.arange(added, added + B)
            pictures = y[:, None, None] + torch.tensor([[0.0, 0.25], [0.5, 0.75]])
            buffer.add(pictures, y)
            added += B
            assert student.size_of(buffer) == min(added, capacity), "len: all that was added, up to the capacity"
        held = set(buffer.sample(capacity)[1].tolist())
        assert len(held) == min(added, capacity) and held <= set(range(added)), "different examples, all of them added"
        for n in (1, 2, capacity, capacity + 7):
            x, y = buffer.sample(n)
            assert len(x) == len(y) == min(n, len(held)), "n examples, or all that it holds"
            assert len(set(y.tolist())) == len(y) and set(y.tolist()) <= held, "different examples, and held ones only"
            assert x.dtype == torch.float32 and y.dtype == torch.int64, "data types must not change"
            assert tuple(x.shape[1:]) == (2, 2) and torch.equal(x[:, 0, 0], y.float()), "each x with its own y"
            assert torch.equal(x[:, 1, 1], y.float() + 0.75), "each x must be complete"
        labels = student.samples_of(buffer, 2, 800)
        single, pairs = share_of(labels, added)
        p, q = 2 / len(held), 2 / (len(held) * (len(held) - 1))
        for example in held:
            assert bool((single[example] - p).abs() < 6 * math.sqrt(p * (1 - p) / 800)), "sample must draw uniformly"
        off = torch.stack([pairs[i, j] for i, j in itertools.combinations(sorted(held), 2)])
        assert bool((off - q).abs().max() < 6 * math.sqrt(q * (1 - q) / 800)), (
            "sample must draw each pair equally often"
        )
        rows = labels.sort(dim=1).values
        equal = [float((rows[lag:] == rows[:-lag]).all(dim=1).double().mean()) for lag in range(1, 60)]
        # by chance 0.1 or less
        assert max(equal) < 0.4, "each call must draw anew, and not go through the pairs in turn"
        assert set(buffer.sample(capacity)[1].tolist()) == held, "sampling must not change what is held"
with part("seeds and copies", 0.5):
    first, second = student.RehearsalBuffer(4, start), student.RehearsalBuffer(4, start)
    for B in (3, 6, 9):  # in turn: they must not draw from a generator that both share
        x, y = torch.randn(B, 2, generator=g), torch.randint(0, 10**6, (B,), generator=g)
        first.add(x, y)
        second.add(x, y)
    for n in (4, 2, 3):
        one, other = first.sample(n), second.sample(n)
        assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1]), (
            "two buffers with one seed and the same calls must hold and return the same: each needs its own generator"
        )
    assert student.leaves_alone(student.RehearsalBuffer, 4, start), "torch's global generator must not change"
    assert student.leaves_alone(first.add, x, y), "torch's global generator must not change, and neither must x and y"
    assert student.leaves_alone(first.sample, 2), "torch's global generator must not change"
    buffer = student.RehearsalBuffer(3, start)
    for B in (2, 30):
        modules_may_change()(student.add_and_overwrite)(buffer, torch.ones(B, 2), torch.ones(B).long())
    assert bool((buffer.sample(3)[0] == 1).all()), "the caller overwrote its tensors after add: keep copies"
    student.sample_and_overwrite(buffer, 3)
    assert bool((buffer.sample(3)[0] == 1).all()), "a sample was overwritten, and so was the buffer: return copies"
### END HIDDEN TESTS

# %% [markdown]
# **Predict, then run.** The two earlier tasks together have 120,000 images on MNIST (about 3,000 in `mini`). How many of them must be kept to halve the forgetting? And does keeping more cost plasticity?

# %% tags=["train"]
CAPACITIES = run.size(full=(100, 300, 1000), mini=(30, 100, 500), grade=(5, 10))
rehearsal_runs = run_settings(
    "rehearsal", {f"rehearsal, {size} kept": ("CNN", 0.0, size) for size in CAPACITIES}, code=[RehearsalBuffer]
)

# %% tags=["experiment"]
report({"CNN, naive": naive_runs["CNN, naive"], **rehearsal_runs})
best_rehearsal = list(rehearsal_runs)[-1]
against(
    rehearsal_runs,
    CAPACITIES,
    "Rehearsal",
    "examples kept, all earlier tasks together",
)

# %% [markdown]
# With more examples there is less forgetting. Compare the curve of the new tasks with EWC's.

# %% [markdown]
# ## 7. All three methods side by side
#
# First the numbers, with what each method stores of the past.

# %% tags=["experiment"]
compared = {
    "naive": naive_runs["CNN, naive"],
    best_ewc: ewc_runs[best_ewc],
    best_rehearsal: rehearsal_runs[best_rehearsal],
}
report(compared)
pairs = {label: of_each(average_accuracy, matrices) for label, matrices in compared.items()}
for better, worse in itertools.pairwise(reversed(compared)):
    gap, error = mean_and_error(pairs[better] - pairs[worse])
    print(f"{better} minus {worse}, seed by seed: {float(gap):.3f} ± {float(error):.3f}")
weights_in_all = sum(w.numel() for w in one_task_net.parameters())
print(f"stored, EWC: two or three numbers for each of {weights_in_all:,} weights")
print(f"stored, rehearsal: {CAPACITIES[-1] * 784:,} grey values of one byte and {CAPACITIES[-1]} labels")

# %% [markdown]
# ### The figure (2 points)
#
# Draw the accuracy matrices of the three methods (`compared`) side by side, on one colour scale, with a title that names the data and says what the figure shows.

# %% nbgrader={"grade": true, "grade_id": "figure_matrices", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false} tags=["experiment"]
# `draw_matrices(results, title)` takes a dict: name -> the matrices of all seeds `[S, T, T]`, such as `compared`.
### BEGIN SOLUTION
draw_matrices(compared, f"Three tasks in a row ({digits.name}): what is left of each, for three methods")
### END SOLUTION
### BEGIN MARK SCHEME
# * 1 point: three matrices of the CNN (naive, the best λ, the largest buffer) on one scale, rows and columns named, title
# * 1 point: the diagonal is high in all three; below it the first column falls clearly for naive training only (rehearsal keeps task 1 as well, EWC less)
### END MARK SCHEME

# %% [markdown]
# **What to expect.** In `mini`, three seeds are few: naive training varies much. Seeds 0 to 2, which you used, happen to be alike, and better than most: naive training has an average accuracy of about 0.81 there, and its printed standard error of 0.01 is far too small. (With the deviation below it would be $0.06 / \sqrt 3 = 0.035$.) From 16 seeds, mean ± *standard deviation*:
#
# | | average accuracy | forgetting | task 0 at the end | task 1 at the end |
# |---|---|---|---|---|
# | naive | 0.74 ± 0.06 | 0.29 ± 0.09 | 0.55 ± 0.13 | 0.73 ± 0.08 |
# | EWC, λ = 10 | 0.87 ± 0.02 | 0.08 ± 0.03 | 0.89 ± 0.04 | 0.81 ± 0.05 |
# | 500 kept | 0.93 ± 0.01 | 0.02 ± 0.01 | 0.92 ± 0.01 | 0.93 ± 0.02 |
#
# So EWC protects task 0 well and task 1 much less; rehearsal protects both. On MNIST, over 3 seeds, where each task is trained longer: average accuracy 0.61 ± 0.01 naive, 0.85 ± 0.01 with λ = 10 and 0.915 ± 0.002 with 1,000 kept examples; forgetting 0.50, 0.11 and 0.05 (± standard error).
#
# **Limits of this comparison.** EWC's parabola approximates the loss around one point, for each weight by itself: far from $\theta^*$, or where weights interact, it protects too much or too little. λ was chosen on the same test images on which we report (a fair study would choose it on a separate task, and a continual learner has no later tasks on which to choose it). With permuted pixels the network does not know which task an image is from, and need not know: the tasks share their labels. Where new tasks bring new classes, EWC alone does much worse (van de Ven and Tolias 2019).

# %% [markdown]
# ## 8. The other network
#
# **Predict, then run.** The MLP forgot less when it was trained naively. We train it with the λ that was best for the CNN, and with the largest buffer. Can the two methods still improve it?

# %% tags=["train"]
mlp_runs = run_settings(
    "mlp",
    {f"MLP, EWC, λ = {best_lam:g}": ("MLP", best_lam, 0), f"MLP, {best_rehearsal}": ("MLP", 0.0, CAPACITIES[-1])},
    code=[fisher_diagonal, EWC, RehearsalBuffer],
)

# %% tags=["experiment"]
report({**naive_runs, best_ewc: ewc_runs[best_ewc], best_rehearsal: rehearsal_runs[best_rehearsal], **mlp_runs})
draw_matrices(
    {"CNN, naive": naive_runs["CNN, naive"], "MLP, naive": naive_runs["MLP, naive"], **mlp_runs},
    "The MLP, naive and with the two methods",
)

# %% [markdown]
# ### Why does the CNN forget more?
#
# Section 4 named a quick explanation: each new task overwrites the few filters that all tasks share. Three changed networks, trained naively, test it:
#
# * **CNN, frozen**: the CNN, but after the first task its filters no longer change;
# * **CNN, unshared**: the CNN, but with filters of its own at every position;
# * **MLP, pixels + 1**: the MLP, but 1 is added to each pixel. The cell also prints the mean cosine between images of tasks 0 and 1, as the first *linear* layer of each network receives them: 0 means orthogonal, 1 the same direction.
#
# **Predict, then run.** What must happen to forgetting in each if the quick explanation is right?


# %%
class Unshared(nn.Module):
    """A convolution 5 × 5 of stride 2 with filters of its own at each position: `[B, inputs, n, n]` to `[B, outputs, n/2, n/2]`."""

    def __init__(self, inputs: int, outputs: int, size: int) -> None:
        super().__init__()
        self.size, bound = size // 2, (25 * inputs) ** -0.5  # as nn.Conv2d
        self.filters = nn.Parameter((2 * torch.rand(self.size**2, 25 * inputs, outputs) - 1) * bound)
        self.biases = nn.Parameter((2 * torch.rand(self.size**2, 1, outputs) - 1) * bound)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features `[B, outputs, n/2, n/2]`."""
        patches = F.unfold(x, 5, padding=2, stride=2).permute(2, 0, 1).contiguous()  # [positions, B, 25 · inputs]
        found = torch.bmm(patches, self.filters) + self.biases  # [positions, B, outputs]
        return found.permute(1, 2, 0).unflatten(2, (self.size, self.size))


class PlusOne(nn.Module):
    """Adds 1 to each number."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The same shape."""
        return x + 1.0


def unshared_net() -> nn.Module:
    """The CNN with unshared filters."""
    net = ConvNet(CHANNELS, HIDDEN)
    net.layers[0], net.layers[2] = Unshared(1, CHANNELS, 28), Unshared(CHANNELS, 2 * CHANNELS, 14)
    return net


def mlp_plus_one() -> nn.Module:
    """The MLP on pixels plus 1."""
    net = MLP(HIDDEN)
    net.layers.insert(0, PlusOne())
    return net


NETWORKS |= {"unshared": unshared_net, "plus one": mlp_plus_one}


def overlap(layers: nn.Module) -> float:
    """The mean cosine between test images of task 0 and of task 1 (of the first seed), behind these layers."""
    with torch.no_grad():
        first, second = (F.normalize(layers(task_images(test_x, 0, task)).flatten(1), dim=1) for task in (0, 1))
    return float((first @ second.T).mean())


# %% tags=["train"]
cause_runs = run_settings(
    "cause",
    {
        "CNN, frozen": ("CNN", 0.0, 0, 4),
        "CNN, unshared": ("unshared", 0.0, 0),
        "MLP, pixels + 1": ("plus one", 0.0, 0),
    },
    code=[Unshared, PlusOne],
)

# %% tags=["experiment"]
report({**naive_runs, **cause_runs})
overlaps = {"CNN": one_task_net.layers[:5], "MLP": nn.Identity(), "MLP, pixels + 1": PlusOne()}
overlaps = {name: overlap(layers) for name, layers in overlaps.items()}
print("cosine between tasks, input of the first linear layer:", ", ".join(f"{k} {v:.2f}" for k, v in overlaps.items()))
lost = {
    label: mean_and_error(of_each(forgetting, matrices)) for label, matrices in {**naive_runs, **cause_runs}.items()
}
plots.bars(
    {label.replace(", ", "\n"): mean for label, (mean, _) in lost.items()},
    {label.replace(", ", "\n"): error for label, (_, error) in lost.items()},
    title="Forgetting of five networks, trained naively",
    ylabel="forgetting",
)

# %% [markdown]
# ## 9. Questions
#
# ### (a) What is forgotten? (3 points)
#
# Look at the matrix of naive training of the CNN. Which task is forgotten how much (numbers with standard errors), and why does the network forget at all, although it has enough weights to learn all three tasks at once? How do you know that its weights are enough for all three?

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_naive", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# (Numbers of a `mini` run, mean ± standard error over 3 seeds.) Task 0 is at 0.92 ± 0.01 when it was learnt, 0.77 ± 0.04 after task 1 and 0.67 ± 0.03 at the end; task 1 falls from 0.94 ± 0.01 to 0.80 ± 0.03; task 2, just learnt, is at 0.96. Forgetting is 0.20 ± 0.02.
#
# The loss of the current task contains no term of the old ones. Its gradient moves every weight that lowers it, also those on which the old tasks depend (the weights are shared by all tasks), and nothing counteracts this. The old tasks' loss may rise steeply in the direction of these steps. The accuracy falls with each further task; it stays above chance in these runs.
#
# It is not a lack of capacity: with rehearsal the same network, with the same number of steps, is good at all three tasks at once. So there are weights that are good for all three tasks; naive training has no reason to find them.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: numbers from the own matrix, with standard errors: the first task loses most, the second less, the last (just learnt) nothing
# * 1 point: why: the loss of the current task alone is minimised, all weights are shared, nothing holds those that old tasks need
# * 1 point: enough capacity is shown by a run that is good at all three (rehearsal, or training on all tasks together); a statement without evidence does not count
# ### END MARK SCHEME

# %% [markdown]
# ### (b) MLP against CNN (2 points)
#
# How much better or worse is the MLP than the CNN on these tasks (numbers with standard errors)? What do the three changed networks of section 8, and the cosines, say about the quick explanation, "the shared filters are overwritten"? Propose a better one. Which of the experiments would contradict yours, if it had come out differently?

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_networks", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Better (`mini`, mean ± standard error over 3 seeds): naively trained, the MLP has an average accuracy of 0.908 ± 0.008 and forgetting of 0.065 ± 0.008, the CNN 0.807 ± 0.010 and 0.201 ± 0.015.
#
# The quick explanation is wrong: with its filters frozen after the first task, nothing shared is overwritten in them, and the CNN forgets as much or more. And the MLP with pixels + 1 shares nothing and forgets far more than the MLP.
#
# A better one: what counts is whether a new task can be learnt in weights that the old task's images hardly use. In the MLP, images of two tasks are nearly orthogonal (cosine about 0), so a change of the first layer for one hardly changes its output for the other. The constant 1 gives them a common direction (about 0.5), and forgetting rises. The CNN's features have a cosine of about 0.5 in front of the linear layers as well, and its filters are the same at all positions, so they cannot adapt to single pixels: the linear layers must learn the new task, on overlapping inputs. Filters of its own at each position give the CNN such separate weights, and it forgets much less. If the CNN with unshared filters had forgotten as much as the CNN, or the MLP with pixels + 1 as little as the MLP, this explanation would be wrong.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: the MLP does better (higher average accuracy, less forgetting), with own numbers; the frozen filters contradict the quick explanation
# * 1 point: an explanation that fits all experiments (overlap of what the layers receive, separate weights for single pixels that the other task hardly uses), and an outcome that would contradict it
# ### END MARK SCHEME

# %% [markdown]
# ### (c) The hyperparameter of EWC (4 points)
#
# (i) Give average accuracy and forgetting for at least four λ, and say what λ does. (ii) What happens when λ is too small, and when it is too large? Use the words *plasticity* and *stability* and point to the figures under *What λ does*. (iii) At the largest λ the accuracy falls to chance, for old tasks as well. Why is this not what "too much stability" would look like, and what is the reason? Estimate the λ from which on it must happen. You may use: gradient descent with learning rate $\eta$ and momentum $\mu$ diverges on a parabola $\tfrac12 k \theta^2$ with $k > 2(1 + \mu)/\eta$. (iv) Another student squares the mean gradient of batches of 256 images instead of single gradients. What would their best λ be, roughly, compared with yours, and what else is different?

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_lambda", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# (i) In `mini`, average accuracy and forgetting: λ = 1: 0.869 and 0.113; λ = 10: 0.885 and 0.077; λ = 30: 0.881 and 0.059; λ = 100: 0.836 and 0.093; naive: 0.807 and 0.201 (standard errors between 0.01 and 0.04).
#
# λ weighs the old tasks' loss (its parabola) against the loss of the new one: the stiffness of the springs is λF.
#
# (ii) Too small: plastic but not stable. New tasks are learnt as well as naively, old ones are forgotten. Too large: stable but not plastic. In the figure the curve of the new tasks, measured just after they were learnt, falls: weights that they need are held. The best average lies between.
#
# (iii) A network that is too stable would keep its old tasks and fail on new ones. Here the old ones are lost too: gradient descent itself diverges. Along weight i the penalty has the curvature λF_i, so it overshoots from λ = 2(1 + μ)/(η max F) on: 380 divided by the largest entry, which the notebook prints (in `mini`, about 0.7: λ ≈ 500). A smaller learning rate (or clipping) would allow a larger λ.
#
# (iv) The squares of means are smaller by up to B (by exactly that if the mean gradient is 0; we measured a factor of 50 at B = 250), so they would need a λ larger by 50 to 256. Moreover their entries agree less with the Fisher's, since the remaining mean gradient reflects unfinished training and not curvature, and λ depends on a batch size that should not matter.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: a table or figure with at least four λ, average accuracy and forgetting, and λ as the weight of the old tasks against the new one
# * 1 point: too small: plasticity without stability, forgetting; too large: stability without plasticity, the new tasks are no longer learnt; refers to the curve of the new tasks
# * 1 point: collapse at the largest λ: old tasks are lost too, steps overshoot, not a trade-off; the estimate λ = 2(1 + μ)/(η max F) with the own largest entry
# * 1 point: λ larger, by up to the batch size, 256 (or by the factor read off the own figure); and at least one further difference (dependence on the batch size, the remaining mean gradient, another ranking of the weights)
# ### END MARK SCHEME

# %% [markdown]
# ### (d) Rehearsal: for and against (3 points)
#
# Compare rehearsal with EWC: what is each better at? Discuss accuracy, memory, time per step, and data that may not be kept. What happens to each when there are 100 tasks instead of 3?

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_rehearsal", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# For rehearsal: the highest average accuracy and the least forgetting in our runs; it is simple, has no λ to tune, needs no assumption about the loss (EWC's parabola) and does not make learning unstable; more examples help and do not hurt the new tasks. Its memory is fixed by choice.
#
# Against it: it must keep real data, which privacy, licences or contracts may forbid (medical images, users' texts), and the network can overfit a small buffer. Each step handles two batches, about twice the time. EWC stores no data, only a few numbers for each weight; its penalty costs little per step, plus one pass of single gradients after each task.
#
# With 100 tasks: the buffer stays as large but holds only 1/100 of its examples per task, so each old task is rehearsed rarely; it must grow, or forgetting returns. EWC, with the sums merged, needs no more memory and time per step, but its Fisher is a sum over all tasks, so the network becomes stiffer with each, until nothing new can be learnt; and the approximations of 100 tasks add up.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: accuracy and forgetting compared with own numbers, and one further advantage of rehearsal (simple, no λ, no loss of plasticity)
# * 1 point: disadvantages: keeps data (privacy, licences), memory, about twice the time per step, overfitting of a small buffer (at least two); EWC keeps no data
# * 1 point: 100 tasks: fewer kept examples per task; for EWC fixed memory with merged sums, but a Fisher that grows with each task and ever less plasticity
# ### END MARK SCHEME

# %% [markdown]
# (The figure of section 7 is also graded like a question.)
#
# ## 10. Stretch (not graded)
#
# ### Six tasks instead of three
#
# Both methods get three more tasks, with the best λ and the largest buffer from above. Which tasks does each of them fail on: the oldest, the middle ones, or the newest? Would another λ help?

# %% tags=["train"]
many_runs = run_settings(
    "six",
    {f"CNN, {best_ewc}": ("CNN", best_lam, 0), f"CNN, {best_rehearsal}": ("CNN", 0.0, CAPACITIES[-1])},
    code=[fisher_diagonal, EWC, RehearsalBuffer],
    tasks=2 * TASKS,
)

# %% tags=["experiment"]
curves = {}
for label, matrices in many_runs.items():
    curves[f"{label}: just learnt"] = torch.stack([acc.diag() for acc in matrices])
    curves[f"{label}: at the end"] = matrices[:, -1]
plots.curves(
    {label: mean_and_error(values)[0] for label, values in curves.items()},
    title="Six tasks: each when it was learnt, and at the end",
    xlabel="task",
    ylabel="accuracy on its test images",
    band={label: mean_and_error(values)[1] for label, values in curves.items()},
)

# %% [markdown]
# ### Where is the knowledge lost?
#
# The next cell trains the CNN naively on three tasks and then gives some layers back the weights that they had after task 0. Put all layers back, and task 0 is as good as it was. Which part must be put back, the filters or the linear layers? Does the answer fit your explanation in question (b)?

# %% tags=["train"]
PARTS = {
    "nothing": (),
    "filters": (0, 2),
    "first linear layer": (5,),
    "both linear layers": (5, 7),
    "all": (0, 2, 5, 7),
}
restored = torch.zeros(len(SEEDS), len(PARTS))
for row, seed in enumerate(SEEDS):
    homework.seed_everything(seed)
    net, order = NETWORKS["CNN"]().to(run.device), torch.Generator().manual_seed(seed)
    learn(net, task_images(train_x, seed, 0), train_y.to(run.device), order)
    young = copy.deepcopy(net)
    for task in range(1, TASKS):
        learn(net, task_images(train_x, seed, task), train_y.to(run.device), order)
    for column, places in enumerate(PARTS.values()):
        mixed = copy.deepcopy(net)
        for place in places:
            mixed.layers[place].load_state_dict(young.layers[place].state_dict())
        restored[row, column] = accuracy(mixed, task_images(test_x, seed, 0), test_y.to(run.device))

# %% tags=["experiment"]
middle, error = mean_and_error(restored)
plots.bars(
    {name.replace(" linear", "\nlinear"): value for name, value in zip(PARTS, middle, strict=True)},
    {name.replace(" linear", "\nlinear"): value for name, value in zip(PARTS, error, strict=True)},
    title="Task 0 after three tasks, with some layers put back",
    xlabel="layers put back to their state after task 0",
    ylabel="accuracy on task 0",
)

# %% [markdown]
# ### What came after
#
# *Online EWC* (Schwarz and others 2018) keeps one Fisher that fades, and the newest anchor only. *Synaptic intelligence* (Zenke and others 2017) measures the importance of a weight during training, from how much its changes lowered the loss. *GEM* and *A-GEM* (Lopez-Paz and Ranzato 2017, Chaudhry and others 2019) use kept examples as constraints: a step must not raise the loss on them. For large pre-trained models, one often freezes the network and learns a few *prompt* vectors (Wang and others 2022) or *LoRA* matrices (Hu and others 2021) for each task. *Continual pre-training* of language models mixes a share of old text into the new (Ibrahim and others 2024): rehearsal, as you wrote it.
#
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

    def matrix(d, T):
        """A matrix of accuracies as continual learning gives it: low above the diagonal."""
        learnt, chance = d.uniform(0.4, 0.9, T, T), d.uniform(0.0, 0.2, T, T)
        return torch.where(torch.ones(T, T).tril() > 0, learnt, chance)

    def ask_permute_pixels():
        d = draws("permute_pixels")
        images, seed = d.uniform(0.0, 1.0, 3, 1, 28, 28), int(d.integers(1, 10_000, 1)[0])
        images[1] = images[0]
        got = student.permute_pixels(images, seed)  # any permutation is allowed
        return {
            "values": bool(torch.equal(got.flatten(1).sort(dim=1).values, images.flatten(1).sort(dim=1).values)),
            "alike": bool(torch.equal(got[0], got[1])),
            "again": bool(torch.equal(student.permute_pixels(images[:2], seed), got[:2])),
            "moved": bool((got == images).float().mean() < 0.1),
            "other_seed": bool((student.permute_pixels(images, seed + 1) == got).float().mean() < 0.1),
        }

    def ask_average_accuracy():
        return torch.as_tensor(student.average_accuracy(matrix(draws("average_accuracy"), 4)))

    def ask_forgetting():
        return torch.as_tensor(student.forgetting(matrix(draws("forgetting"), 4)))

    def ask_fisher_diagonal():
        d = draws("fisher_diagonal")
        net = student.SmallNet()
        state = {name: value for name, value in dict(net.state_dict()).items()}
        new = {name: d.normal(*value.shape) for name, value in state.items() if name.split(".")[1] != "1"}
        net.load_state_dict({**state, **new})
        fisher = student.fisher_diagonal(net, d.normal(5, 4), d.integers(0, 3, 5))
        return {name: fisher[name] for name in ("layers.0.weight", "layers.0.bias", "layers.4.weight")}

    def ask_ewc_penalty():
        d = draws("ewc_penalty")
        slope, shift = d.normal(2).tolist()
        net = student.PaperNet(slope, shift)
        stiffness = {name: d.uniform(0.1, 2.0, 1)[0] for name in ("slope", "shift")}
        at = {name: d.normal(1)[0] for name in ("slope", "shift")}
        loss = student.ewc_penalty(net, stiffness, at, 3.0)
        loss.backward()
        return {"penalty": loss, "gradients": student.gradients_of(net)}

    def ask_EWC():  # noqa: N802  (named after its item)
        d = draws("EWC")
        ewc, net = student.EWC(3.0), student.PaperNet()
        for _ in range(3):
            net.load_state_dict({"slope": d.normal(1)[0], "shift": d.normal(1)[0]})
            ewc.after_task(net, {"slope": d.uniform(0.1, 2.0, 1)[0], "shift": d.uniform(0.1, 2.0, 1)[0]})
        now = student.PaperNet(*d.normal(2).tolist())
        loss = ewc.penalty(now)
        loss.backward()
        return {"penalty": loss, "gradients": student.gradients_of(now)}

    def ask_RehearsalBuffer():  # noqa: N802  (named after its item)
        d = draws("RehearsalBuffer")
        start, early = int(d.integers(0, 10_000, 1)[0]), int(d.integers(1, 9, 1)[0])
        kept = student.kept_by(range(start, start + 2000), 3, [early, 10 - early])
        often = torch.bincount(kept.flatten(), minlength=10) / 2000
        # 0.3 is right; 2,000 buffers are off by less than 0.05, so the rounded share is always the same
        return {"held": list(kept.shape), "often": [round(float(share), 1) for share in often]}

    return {
        "permute_pixels": ask_permute_pixels,
        "average_accuracy": ask_average_accuracy,
        "forgetting": ask_forgetting,
        "fisher_diagonal": ask_fisher_diagonal,
        "ewc_penalty": ask_ewc_penalty,
        "EWC": ask_EWC,
        "RehearsalBuffer": ask_RehearsalBuffer,
    }


# %% tags=["log"]
log = SubmissionLog(run)
log.bands(  # the expected range of each number, from our own runs
    {
        "continual_learning/cnn_naive/average_accuracy": {"full": (0.45, 0.8), "mini": (0.65, 0.92)},
        "continual_learning/cnn_naive/forgetting": {"full": (0.25, 0.75), "mini": (0.05, 0.4)},
        "continual_learning/mlp_*/average_accuracy": {"full": (0.7, 0.99), "mini": (0.8, 0.99)},
        "continual_learning/ewc_lambda_1000/average_accuracy": {"full": (0.05, 0.5), "mini": (0.05, 0.5)},
        "continual_learning/ewc_*/average_accuracy": {"full": (0.6, 0.95), "mini": (0.65, 0.97)},
        "continual_learning/rehearsal_*/average_accuracy": {"full": (0.75, 0.98), "mini": (0.75, 0.98)},
        "continual_learning/*/forgetting": {"full": (0, 1), "mini": (0, 1)},
    }
)
log.answers(personal_answers)
with log.measurements():
    for label, matrices in {**naive_runs, **ewc_runs, **rehearsal_runs, **mlp_runs}.items():
        key = "continual_learning/" + "_".join(label.replace(",", "").replace("λ =", "lambda").split()).lower()
        log.metric(f"{key}/average_accuracy", values=of_each(average_accuracy, matrices).tolist(), evidence=matrices)
        log.metric(f"{key}/forgetting", values=of_each(forgetting, matrices).tolist())
log.process(**process)
log_file = log.write()

# %% [markdown]
# ## References
#
# * M. McCloskey, N. J. Cohen: *Catastrophic Interference in Connectionist Networks: The Sequential Learning Problem*.
#   Psychology of Learning and Motivation 24, 1989.
# * J. Kirkpatrick and others: *Overcoming catastrophic forgetting in neural networks*. PNAS 114, 2017. arXiv:1612.00796. EWC.
# * F. Kunstner, L. Balles, P. Hennig: *Limitations of the Empirical Fisher Approximation for Natural Gradient Descent*.
#   NeurIPS 2019. arXiv:1905.12558. Which Fisher is which.
# * J. S. Vitter: *Random Sampling with a Reservoir*. ACM Transactions on Mathematical Software 11, 1985.
# * D. Lopez-Paz, M. Ranzato: *Gradient Episodic Memory for Continual Learning*. NeurIPS 2017. arXiv:1706.08840. Average accuracy.
# * A. Chaudhry and others: *Riemannian Walk for Incremental Learning*. ECCV 2018. arXiv:1801.10112. Forgetting.
# * G. M. van de Ven, A. S. Tolias: *Three scenarios for continual learning*. 2019. arXiv:1904.07734.
# * Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: *Gradient-Based Learning Applied to Document Recognition*. Proceedings of the
#   IEEE, 1998. MNIST.
