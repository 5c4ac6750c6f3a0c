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
# # Policy gradient: learning from rewards alone
#
# A classifier usually learns from the right answers, the labels. Here it does not see them. The network chooses a
# class, and a black box answers with a reward, +3 or −1. The network has only this reward to learn from: no label, and
# no derivative, since the black box is not a formula. The goal is a figure of a network that learnt a four-class
# problem this way: its accuracy on training and on new points over 3,000 steps, beside two other rules. One of them sees
# the labels; the other one takes the most likely action instead of drawing one. In the last part, your policy walks on a
# grid, and many actions come before the reward.
#
# **What you will learn**
#
# * how the gradient of an expected reward is estimated from samples, without differentiating the reward;
# * what changes if the action is the arg-max instead of a *sample*;
# * how a baseline changes the variance of the estimate;
# * what learning from rewards costs, compared with learning from labels;
# * which actions of an episode get credit for a reward that comes later.
#
# **What you need**: expectations, the chain rule, the softmax, and a little PyTorch. The text below is complete.
#
# | | profile `full` | profile `mini` |
# |---|---|---|
# | data | 1,000 training and 1,000 test points, made by a formula | the same |
# | training | 5 seeds of 3,000 steps, and the comparisons | the same |
# | hardware | any laptop; no GPU is used, no network is needed | the same |
# | time to run | one to three minutes | the same |
#
# Plan three to four hours for reading, writing and thinking.
#
# **Your student id** goes into your log: the last cell asks for it. To answer in advance, run `%env HOMEWORK_STUDENT=your_id` in a cell of its own.
#
# | graded | points |
# |---|---|
# | `sample_actions` | 3 |
# | `policy_gradient_loss` | 6 |
# | `train_policy` | 6 |
# | `episode_losses` | 5 |
# | written answers and the picture | 12 |
#
# **Hints** are folded below the tasks, in steps: the idea, the formula, a sketch of the code. Try first without them.
#
# **One rule for all tasks.** Your functions leave their arguments as they are. So no `x += ...` or `x[...] = ...` on what you were given; work on new tensors or on copies. The tests check this. Only what a docstring calls *changed in place* may change.
#
# **Letters.** `B` batch, `C` classes (= actions), `x` inputs `[B, D]`, `logits` `[B, C]`, $\pi(a \mid x)$ = softmax of the
# logits: the *policy*, `actions` `[B]`, `rewards` `[B]`, $b$ a baseline, $\theta$ the network's weights.

# %% tags=["install"]
from importlib.util import find_spec

if find_spec("homework") is None:  # on Colab: installs what is missing and keeps the installed torch
    get_ipython().run_line_magic("pip", "install -q STUDENT_PACKAGE")  # noqa: F821
# On Colab, so that training continues after a disconnect: `from homework.colab import use_drive; use_drive()`

# %%
import math

import torch
from torch import nn

import homework
from homework import reference, student
from homework.arguments import modules_may_change
from homework.checks import close, fresh, has_shape, part
from homework.hand_in.log import SubmissionLog
from homework.show import plots
from homework.train import training

run = homework.start("policy_gradient", seed=0)
torch.set_num_threads(1)  # for matrices this small a second thread brings no speed

# %% [markdown]
# The network of this problem has 420 weights, so everything below stays on the CPU, whatever the line above says.

# %% [markdown]
# ## 1. A toy first: one softmax, three arms
#
# A slot machine has three arms that always pay 1, 2 and 4. We do not know that. Our policy has three logits and at the
# moment pulls the arms with probabilities $\pi = (0.5, 0.3, 0.2)$. We want to maximise the expected reward
#
# $$J = \sum_a \pi(a)\, r(a) = 0.5 \cdot 1 + 0.3 \cdot 2 + 0.2 \cdot 4 = 1.9.$$
#
# **The exact gradient.** For a softmax, $\partial \log \pi(a) / \partial\, \text{logits} = e_a - \pi$, where $e_a$ is the
# vector with a one at $a$. This is called the *score*. From it follows the gradient of $J$ with respect to the logits:
#
# $$\nabla J = \sum_a r(a)\, \nabla \pi(a) = \sum_a \pi(a)\, r(a)\, (e_a - \pi),
# \qquad (\nabla J)_k = \pi(k)\,\bigl(r(k) - J\bigr).$$
#
# In numbers: $\nabla J = (0.5 \cdot (-0.9),\; 0.3 \cdot 0.1,\; 0.2 \cdot 2.1) = (-0.45,\; 0.03,\; 0.42)$. Pull the third arm more often,
# at the cost of the first.
#
# **The trick.** To compute that sum one has to know the reward of *every* arm. But the middle form is an expectation:
# draw $a$ from $\pi$, get $r(a)$, and the vector $r(a)\,(e_a - \pi)$ is an unbiased estimate of $\nabla J$. It needs only the reward of the arm that was pulled.
#
# **The baseline.** The scores have mean 0, $\sum_a \pi(a)(e_a - \pi) = 0$. So one may subtract any number $b$ from the reward that
# does not depend on the arm just pulled: $(r(a) - b)(e_a - \pi)$ has the same mean. But its variance is different:
#
# $$\text{total variance}(b) = \sum_a \pi(a)\,(r(a) - b)^2\, \lVert e_a - \pi \rVert^2 - \lVert \nabla J \rVert^2.$$

# %%
ARM_PROBABILITIES = torch.tensor([0.5, 0.3, 0.2])
ARM_REWARDS = torch.tensor([1.0, 2.0, 4.0])
ARM_SCORES = torch.eye(3) - ARM_PROBABILITIES  # row a is the score of arm a, e_a - pi: [arms, logits]


def exact_gradient() -> torch.Tensor:
    """The gradient of the toy's J with respect to its three logits, `[3]`."""
    return ARM_PROBABILITIES * (ARM_REWARDS - ARM_PROBABILITIES @ ARM_REWARDS)


def exact_variance(b: float) -> float:
    """The total variance, summed over the three logits, of one sample of the estimator with baseline b."""
    second_moment = ARM_PROBABILITIES @ ((ARM_REWARDS - b) ** 2 * (ARM_SCORES**2).sum(1))
    return float(second_moment - (exact_gradient() ** 2).sum())


def simulated_gradients(b: float, draws: int = 20_000) -> torch.Tensor:
    """Samples of the estimator with baseline b, `[draws, 3]`."""
    pulled = torch.multinomial(ARM_PROBABILITIES, draws, replacement=True, generator=torch.Generator().manual_seed(1))
    return (ARM_REWARDS[pulled] - b)[:, None] * ARM_SCORES[pulled]  # [draws, 1] * [draws, 3]


# %% [markdown]
# **Predict, then run.** The baselines below are 0, the mean reward $J = 1.9$, and the value $b^\ast$ at which the formula above is smallest
# (set its derivative in $b$ to 0). By what factor will the variance fall? Will the mean change?

# %% tags=["experiment"]
squared_scores = ARM_PROBABILITIES * (ARM_SCORES**2).sum(1)
best_baseline = float((squared_scores * ARM_REWARDS).sum() / squared_scores.sum())
toy_variance = {}
print(f"exact gradient: {[round(g, 3) for g in exact_gradient().tolist()]}")
for b in (0.0, 1.9, best_baseline):
    samples = simulated_gradients(b)
    toy_variance[b] = (exact_variance(b), float(samples.var(0).sum()))
    print(f"b = {b:.3f}: mean of 20,000 samples {[round(g, 3) for g in samples.mean(0).tolist()]}", end=", ")
    print(f"total variance {toy_variance[b][0]:.3f} by the formula, {toy_variance[b][1]:.3f} in the simulation")
names = {0.0: "b = 0", 1.9: "b = J = 1.9", best_baseline: f"b* = {best_baseline:.2f}"}
plots.bars(
    {
        f"{names[b]}\n{kind}": value
        for b, pair in toy_variance.items()
        for kind, value in zip(("formula", "simulated"), pair, strict=True)
    },
    title="The toy: variance of the estimate with three baselines",
    ylabel="total variance of one sample",
)

# %% [markdown]
# All three estimators have the same mean; the variance falls from 3.88 to 0.64 with $b = J$, and to 0.53 with the best constant.
# A batch of 100 with the baseline is as good as one of 600 without.
#
# **The arg-max.** Now do not draw: always pull the arm that the policy likes best, and use the same formula.
#
# **Predict, then run.** Both rules start from $\pi = (0.5, 0.3, 0.2)$ and use no baseline. Compute the first update of the arg-max rule. Where
# will $J$ end for each rule after 200 steps?

# %% tags=["experiment"]


def toy_run(sampled: bool, steps: int = 200, batch: int = 10, rate: float = 0.1) -> list[float]:
    """Gradient ascent on the toy with sampled or arg-max arms; J before each step."""
    generator, logits, history = torch.Generator().manual_seed(2), ARM_PROBABILITIES.log(), []
    for _ in range(steps):
        pi = logits.softmax(0)
        history.append(float(pi @ ARM_REWARDS))
        arms = torch.multinomial(pi, batch, True, generator=generator) if sampled else pi.argmax().expand(batch)
        logits = logits + rate * (ARM_REWARDS[arms][:, None] * (torch.eye(3)[arms] - pi)).mean(0)
    return history


toy_sampled, toy_argmax = toy_run(sampled=True), toy_run(sampled=False)
plots.curves(
    {"sampled arms": toy_sampled, "arg-max arm": toy_argmax},
    title="The toy: two rules to choose the arm, no baseline",
    xlabel="step",
    ylabel="expected reward J (the arms pay 1, 2, 4)",
)

# %% [markdown]
# The likeliest arm is the first, the worst one. The update is $r(1)\,(e_1 - \pi) = (0.5, -0.3, -0.2)$: it makes this arm even more likely, and the
# other arms are never pulled. With the batch mean as a baseline, $r - b$ would be 0 in every step: all pulls of a batch are the
# same arm.
#
# ## 2. Sampling actions
#
# With inputs, the policy is a network: row $i$ of `logits` `[B, C]` belongs to input $x_i$, and the actions of a batch are drawn
# independently,
#
# $$a_i \sim \pi(\cdot \mid x_i), \qquad \pi(k \mid x_i) = \frac{e^{\text{logits}_{ik}}}{\sum_j e^{\text{logits}_{ij}}}.$$
#
# A worked number: for a row of logits $(0, \log 2, 0)$ the probabilities are $(\tfrac14, \tfrac12, \tfrac14)$. Of 1,000 such rows about 500 get
# action 1, and about 250 each of the others.
#
# **Your task (3 points).** Write `sample_actions`. PyTorch can draw from a categorical distribution; you do not need to build that. With a `generator`, all
# randomness must come from it, so that a draw can be repeated; without one, from torch's global generator.


# %% nbgrader={"grade": false, "grade_id": "sample_actions", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sample_actions(logits, generator=None):
    """Draws one action for each row of logits, independently, with the probabilities of the softmax.

    Sutton and Barto (2018), equation 13.2. Worked number: a row (0, log 2, 0) gives action 0, 1, 2 with probabilities
    1/4, 1/2, 1/4.

    Args:
        logits: `[B, C]`, any finite size (also 10,000); -inf marks an action that is never drawn.
        generator: a `torch.Generator` from which all randomness comes; None means torch's global generator.

    Returns:
        The actions, `[B]`, whole numbers (int64) from 0 to C - 1.
    """
    ### BEGIN SOLUTION
    probabilities = torch.softmax(logits.detach(), dim=-1)
    return torch.multinomial(probabilities, num_samples=1, generator=generator).squeeze(-1)
    ### END SOLUTION


# %% [markdown]
# For the tests: two draws with one generator.


# %%
def draw_twice(logits: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two calls of `sample_actions`, with one generator for both."""
    generator = torch.Generator().manual_seed(seed)
    return sample_actions(logits, generator=generator), sample_actions(logits, generator=generator)


# %% nbgrader={"grade": true, "grade_id": "test_sample_actions", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
sure = student.sample_actions(torch.tensor([[50.0, 0.0, 0.0], [100.0, 0.0, 0.0]]))
assert has_shape(sure, (2,), "the result must have shape [B]: one action for each row, and no other dimension")
assert not sure.is_floating_point(), "actions are whole numbers (int64)"
assert bool((sure == 0).all()), (
    "a logit of 50 against 0 makes action 0 certain. Is the softmax over the actions of each row (dim=-1), not over the batch (dim=0)?"
)
single = student.sample_actions(torch.tensor([[0.0, 50.0]]))
assert has_shape(single, (1,), "a batch of one gives shape [1]: remove the last dimension only, squeeze(-1)")
drawn = student.sample_actions(torch.tensor([[0.0, math.log(2), 0.0]]).expand(1000, 3))
counts = torch.bincount(drawn.long(), minlength=3)
assert bool((counts > 0).all()), "some action was never drawn: sample, do not take the arg-max"
assert bool(((counts - torch.tensor([250, 500, 250])).abs() < 95).all()), (
    "the worked number: 1/4, 1/2, 1/4. Are these the probabilities of one softmax of the logits?"
)
with part("logits of ±10,000", 0.5):  # if this call raises, exp(logits) has overflowed; torch.softmax does not
    large = student.sample_actions(torch.tensor([[1e4, -1e4], [-1e4, 1e4]]))
    assert close(large, torch.tensor([0, 1]), "logits of ±10,000 must work: use a stable softmax")
with part("equal generators", 0.25):
    first, second = (
        student.sample_actions(torch.zeros(50, 4), generator=torch.Generator().manual_seed(3)) for _ in "ab"
    )
    assert close(first, second, "equal generators must give equal actions: pass `generator` on")
print("sample_actions: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(29)


def new_generator():
    """A generator with a seed of its own."""
    return torch.Generator().manual_seed(int(torch.randint(2**31, (), generator=g)))


with part("frequencies and independence", 2):  # all bounds are 6 standard errors or more
    N = 6_000
    probabilities = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.55, 0.05, 0.25, 0.15]])
    logits = probabilities.log().repeat(N, 1) + torch.linspace(-3.0, 3.0, 2 * N)[:, None]  # [2N, 4], rows alternate
    for generator_for_call in (lambda: None, new_generator):
        actions = student.sample_actions(logits, generator=generator_for_call())
        assert has_shape(actions, (2 * N,), "the result is [B], of whole numbers")
        assert not actions.is_floating_point(), "the result is [B], of whole numbers"
        assert bool(((actions >= 0) & (actions < 4)).all()), "actions lie between 0 and C - 1"
        for row in (0, 1):
            frequency = torch.bincount(actions[row::2].long(), minlength=4) / N
            spread = (probabilities[row] * (1 - probabilities[row]) / N).sqrt()
            assert bool(((frequency - probabilities[row]).abs() <= 6 * spread).all()), (
                "the frequencies are not those of the softmax of each row, with and without a generator: right axis, no other "
                "temperature, no exploration added"
            )
        coin, again = (
            student.sample_actions(torch.zeros(N, 2), generator=generator_for_call()).double() * 2 - 1 for _ in "ab"
        )
        assert abs(float(coin.mean())) <= 6 / math.sqrt(N), "two equal logits must be a fair coin"
        sums = torch.fft.irfft(torch.fft.rfft(coin, 2 * N).abs() ** 2)[1:N]  # of coin[i] * coin[i + lag], for each lag
        assert float(sums.abs().max()) <= 7.5 * math.sqrt(N), "the rows of a batch must be drawn independently"
        assert abs(float((again * coin).mean())) <= 6 / math.sqrt(N), "a second call must draw anew"
with part("generators", 0.5):
    even = torch.zeros(300, 5)
    student.torch.manual_seed(1)
    one = student.sample_actions(even, generator=torch.Generator().manual_seed(7))
    other_stream = student.sample_actions(even, generator=torch.Generator().manual_seed(8))
    from_global = student.sample_actions(even)
    student.torch.manual_seed(2)
    two = student.sample_actions(even, torch.Generator().manual_seed(7))
    assert close(one, two, "with a generator, all randomness must come from it")
    sure = student.sample_actions(torch.tensor([[50.0, 0.0, 0.0], [100.0, 0.0, 0.0]]), torch.Generator().manual_seed(9))
    assert bool((sure == 0).all()), "with a generator, too, the probabilities are those of the softmax of each row"
    assert bool((one != other_stream).float().mean() > 0.5), "another generator must give other actions"
    first, second = student.draw_twice(even, new_generator().initial_seed())
    assert bool((first != second).float().mean() > 0.5), (
        "a second call with the same generator must draw anew: draw from the generator itself, not from its seed"
    )
    student.torch.manual_seed(3)
    global_one = student.sample_actions(even)
    student.torch.manual_seed(3)
    assert close(student.sample_actions(even), global_one, "without a generator, draw from torch's global one")
    assert bool((from_global != global_one).float().mean() > 0.5), "without a generator every call must draw anew"
with part("very large logits and -inf", 0.5):
    extreme = torch.tensor([[1e4, -1e4, -1e4], [-1e4, -1e4, 1e4], [-1e4, 0.0, -1e4]])
    assert close(student.sample_actions(extreme), torch.tensor([0, 2, 1]), "logits of ±10,000: use a stable softmax")
    barred = torch.tensor([[0.0, -math.inf, 0.0], [-2e4, -math.inf, -2e4]]).repeat(250, 1)
    for generator_for_call in (lambda: None, new_generator):
        for level in (-1e4, 1e4):
            coin = student.sample_actions(torch.full((2000, 2), level), generator=generator_for_call())
            low = torch.bincount(coin.long(), minlength=2)
            assert bool((low > 850).all()), "equal logits of ±10,000 are a fair coin: use a stable softmax"
        drawn = student.sample_actions(barred, generator=generator_for_call())
        assert bool((drawn != 1).all()), "a logit of -inf means that the action is never drawn"
with part("one row, strided logits, logits with a gradient", 0.25):
    one = student.sample_actions(torch.tensor([[-9.0, 40.0]]))
    assert close(one, torch.tensor([1]), "a batch of one gives shape [1]")
    assert one.dtype == torch.int64, "actions are whole numbers of type int64"
    table = torch.full((4, 6), -60.0)
    table[[0, 1, 2, 3], [4, 0, 2, 4]] = 60.0
    assert close(
        student.sample_actions(table[:, ::2]), torch.tensor([2, 0, 1, 2]), "logits that are not contiguous in memory"
    )
    tall = torch.full((3, 4), -60.0)
    tall[[1, 0, 2, 1], [0, 1, 2, 3]] = 60.0
    assert close(
        student.sample_actions(tall.T.requires_grad_()), torch.tensor([1, 0, 2, 1]), "logits that carry a gradient"
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 3. The loss whose gradient is the policy gradient
#
# With inputs, $J(\theta) = \mathbb{E}_x \sum_a \pi_\theta(a \mid x)\, r(x, a)$. For each input the estimate of section 1 holds: in the logits of $x_i$ it is
# $(r_i - b_i)\,(e_{a_i} - \pi(\cdot \mid x_i))$, with the action $a_i$ that was drawn, its reward $r_i$ and a baseline $b_i$. (Question (b)
# asks for the derivation with any weights $\theta$.)
#
# An optimiser minimises a number. So we need a number, `loss`, whose gradient in the logits is *minus the mean of these
# vectors over the batch*. PyTorch then carries the gradient on to the weights. Which number is it? Section 1 says of what the score is the gradient.
#
# The value of this loss means nothing: it may rise while the policy improves. Only its gradient counts. It is
# right only if $r$ and $b$ are constants for the optimiser. A baseline often comes from a network, and no gradient of this loss may reach that network.
#
# A worked number, $B = 2$, $C = 2$: `logits = [[0, 0], [0, log 3]]`, `actions = [1, 1]`, `rewards = [3, -1]`. The probabilities of the actions taken are
# $\tfrac12$ and $\tfrac34$; the loss is 0.8959 and its gradient `[[0.75, -0.75], [-0.125, 0.125]]`. With baseline 1 the loss is 0.4055.
#
# **Your task (6 points).** Write `policy_gradient_loss`. Logits of ±10,000 must give finite numbers: a probability of $e^{-20000}$ is 0 in any floating-point
# format, but its logarithm is just −20,000.
#
# <details><summary>Hint 1: idea</summary>
#
# $e_a - \pi$ is the gradient of $\log \pi(a)$ in the logits. Multiply this logarithm by a number that has no gradient.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $$\text{loss} = -\frac1B \sum_{i=1}^{B} (r_i - b_i)\, \log \pi_\theta(a_i \mid x_i).$$
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `torch.log_softmax` over the actions, `gather` the entry of each row's action and bring it to `[B]`. `torch.as_tensor(...)` makes tensors of plain numbers, `detach()` cuts gradients. Check the shapes before you multiply.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "policy_gradient_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    """A scalar whose gradient with respect to the logits estimates minus the gradient of the expected reward.

    The estimate is a mean over the batch. No gradient reaches rewards or baseline. Williams (1992), the REINFORCE update.
    Worked number: logits [[0, 0], [0, log 3]], actions [1, 1], rewards [3, -1] give 0.8959; with baseline 1, 0.4055.

    Args:
        logits: `[B, C]`, any finite size.
        actions: `[B]`, int64, the actions that were taken.
        rewards: `[B]`, the rewards of these actions.
        baseline: None (the same as 0), a number, a tensor with one element and no dimension, or `[B]`.

    Returns:
        The loss: a tensor without dimensions, differentiable in `logits`.
    """
    ### BEGIN SOLUTION
    log_probabilities = torch.log_softmax(logits, dim=-1)  # [B, C]
    log_taken = log_probabilities.gather(-1, actions.unsqueeze(-1)).squeeze(-1)  # [B]
    advantage = rewards if baseline is None else rewards - baseline
    return -(torch.as_tensor(advantage).detach() * log_taken).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_policy_gradient_loss", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3)]], requires_grad=True)
actions, rewards = torch.tensor([1, 1]), torch.tensor([3.0, -1.0])
loss = student.policy_gradient_loss(logits, actions, rewards)
assert has_shape(loss, (), "the loss is one number, a tensor without dimensions: take the mean over the batch")
value = loss.item()
assert abs(value + 0.8959) > 1e-3, "the sign: an optimiser makes the loss small, and we want large rewards"
assert abs(value - 1.7918) > 1e-3, "twice too large: take the mean over the batch, not the sum"
assert abs(value + 0.3750) > 1e-3, "take the log of the probability of the action"
assert abs(value - 0.4904) > 1e-3, (
    "each reward belongs to its own action. A column [B, 1] times a row [B] is a table [B, B]: bring both to [B]"
)
assert close(
    loss,
    torch.tensor(0.8959),
    "the worked number: log_softmax over each row's actions, times that row's reward",
    rtol=1e-3,
)
loss.backward()
assert close(
    logits.grad,
    torch.tensor([[0.75, -0.75], [-0.125, 0.125]]),
    "its gradient is -(r - b) (e_a - pi) / B: the optimiser minimises, so the sign matters",
)
with part("a constant baseline", 0.5):
    try:
        loss = student.policy_gradient_loss(logits, actions, rewards, baseline=1.0)
    except AttributeError as error:
        raise AssertionError("baseline may be a plain number, which has no detach(): see torch.as_tensor") from error
    assert close(
        loss, torch.tensor(0.4055), "the worked number with baseline 1: it is subtracted from the reward", rtol=1e-3
    )
    value = torch.tensor([0.5, 2.0], requires_grad=True)
    student.policy_gradient_loss(logits, actions, rewards, baseline=value).backward()
    assert value.grad is None or not bool(value.grad.any()), "a gradient reached the baseline: detach it"
with part("logits of ±10,000", 0.5):
    large = student.policy_gradient_loss(torch.tensor([[1e4, -1e4]]), torch.tensor([1]), torch.tensor([1.0]))
    assert close(large, torch.tensor(2e4), "logits of ±10,000: log(softmax) is log 0 there, log_softmax is finite")
print("policy_gradient_loss: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(30)


def batch(B, C):
    """Random logits, actions and rewards."""
    logits = (2 * torch.randn(B, C, generator=g)).requires_grad_()
    return logits, torch.randint(C, (B,), generator=g), 1 + 2 * torch.randn(B, generator=g)


with part("value", 2.5):
    for B, C in [(7, 4), (1, 3), (64, 2), (5, 5), (3, 1)]:
        logits, actions, rewards = batch(B, C)
        loss = student.policy_gradient_loss(logits, actions, rewards)
        assert has_shape(loss, (), "one number for the whole batch")
        want = -(rewards * torch.log_softmax(logits, -1)[torch.arange(B), actions]).mean()
        assert close(loss, want, "mean over the batch of -r log pi(a): each reward with its own action", atol=1e-5)
        assert close(
            loss, reference.policy_gradient_loss(logits, actions, rewards), "wrong on a random batch", atol=1e-5
        )
    extreme = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [0.0, 3e4, 1.0]])
    actions, rewards = torch.tensor([1, 0, 1]), torch.tensor([1.0, -2.0, 5.0])
    loss = student.policy_gradient_loss(extreme, actions, rewards)
    want = torch.tensor((2e4 - 2 * (2e4 + math.log(2))) / 3)
    assert close(loss, want, "logits of ±10,000: the log of a softmax overflows, log_softmax does not")
with part("gradient", 3):
    logits, actions, rewards = batch(9, 4)
    student.policy_gradient_loss(logits, actions, rewards).backward()
    score = torch.eye(4)[actions] - logits.detach().softmax(-1)
    assert close(logits.grad, -rewards[:, None] * score / 9, "the gradient is -r (e_a - pi) / B", atol=1e-5)
    logits, _, _ = batch(5, 3)
    table = 2 * torch.randn(5, 3, generator=g)  # the reward of every action
    pi, expected = logits.softmax(-1), torch.zeros(5, 3)
    for action in range(3):
        leaf = logits.detach().clone().requires_grad_()
        student.policy_gradient_loss(leaf, torch.full((5,), action), table[:, action], baseline=0.7).backward()
        expected += pi.detach()[:, action : action + 1] * leaf.grad
    (pi * table).sum(-1).mean().backward()
    assert close(
        expected, -logits.grad, "averaged over the actions, the gradient must be minus that of E[r]", atol=1e-5
    )
    wide = torch.randn(4, 6, generator=g).requires_grad_()
    actions, rewards = torch.tensor([0, 2, 1, 2]), torch.tensor([1.0, -1.0, 3.0, 0.5])
    student.policy_gradient_loss(wide[:, ::2], actions, rewards).backward()
    score = torch.eye(3)[actions] - wide.detach()[:, ::2].softmax(-1)
    assert close(wide.grad[:, ::2], -rewards[:, None] * score / 4, "logits that are not contiguous", atol=1e-5)
    extreme = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    student.policy_gradient_loss(extreme, torch.tensor([1, 1]), torch.tensor([2.0, 2.0])).backward()
    assert close(extreme.grad, torch.tensor([[1.0, -1.0], [0.0, 0.0]]), "the gradient at logits of ±10,000")
    logits, actions, rewards = batch(4, 3)
    rewards.requires_grad_()
    student.policy_gradient_loss(logits, actions, rewards).backward()
    assert rewards.grad is None or not bool(rewards.grad.any()), "a gradient reached the rewards: detach them"
    assert bool(logits.grad.any()), "no gradient reached the logits"
with part("baseline", 1.5):
    for B, C in [(8, 4), (1, 2)]:
        logits, actions, rewards = batch(B, C)
        log_taken = torch.log_softmax(logits, -1)[torch.arange(B), actions]
        constant = torch.tensor(1.7)
        each = torch.randn(B, generator=g)
        for b in (1.7, constant, each, -3, rewards.mean()):
            loss = student.policy_gradient_loss(logits, actions, rewards, baseline=b)
            assert has_shape(loss, (), "with a baseline, too, the loss is one number")
            assert close(
                loss, -((rewards - b) * log_taken).mean(), "the baseline is subtracted from the reward", atol=1e-5
            )
        zero = student.policy_gradient_loss(logits, actions, rewards, rewards)
        assert close(zero, torch.zeros(()), "a baseline equal to the rewards leaves 0")
    logits, actions, rewards = batch(6, 3)
    value = torch.randn(6, generator=g).requires_grad_()
    student.policy_gradient_loss(logits, actions, rewards, baseline=value).backward()
    assert value.grad is None or not bool(value.grad.any()), "a gradient reached the baseline: detach it"
    for one_number in (False, True):
        logits, actions, rewards = batch(6, 3)
        own = (logits.softmax(-1) * torch.tensor([1.0, -2.0, 0.5])).sum(-1)  # depends on the logits
        own = own.mean() if one_number else own
        student.policy_gradient_loss(logits, actions, rewards, baseline=own).backward()
        score = torch.eye(3)[actions] - logits.detach().softmax(-1)
        want = -(rewards - own.detach())[:, None] * score / 6
        assert close(logits.grad, want, "a gradient flowed through the baseline", atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# ## 4. The task
#
# Points $x$ are uniform in the cube $[-2.2, 2.2]^8$. The first ball is the set of points whose squared distance from
# $\mathbf 1 = (1, \dots, 1)$ is at most 20, the second the same around $-\mathbf 1$. Each ball contains about half of
# the cube, and they overlap. A point is in neither, only in the first, only in the second, or in both: classes 0, 1, 2,
# 3.
#
# The network chooses a class; the reward is +3 if it is right, −1 if not. The labels are hidden in a `RewardOracle`.
# You may only ask it for rewards. The mean reward tells which share $p$ of the sampled actions is right: mean reward $=
# 3p - (1 - p) = 4p - 1$. A policy that draws all classes with equal probability has $p = \tfrac14$ and mean reward 0.

# %%
CLASSES, DIMENSIONS = 4, 8


def make_data(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Points `[n, 8]`, uniform in [-2.2, 2.2], and their classes `[n]`, 0 to 3: in which of the two balls they lie."""
    x = 4.4 * torch.rand(n, DIMENSIONS, generator=torch.Generator().manual_seed(seed)) - 2.2
    in_first = ((x - 1) ** 2).sum(1) <= 20
    in_second = ((x + 1) ** 2).sum(1) <= 20
    return x, in_first.long() + 2 * in_second.long()


class RewardOracle:
    """Knows the classes of a batch of points and answers with rewards only."""

    def __init__(self, labels: torch.Tensor, right: float = 3.0, wrong: float = -1.0):
        self._labels, self._right, self._wrong = labels, right, wrong

    def __call__(self, x: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """Rewards `[B]` of actions `[B]` (whole numbers) taken at the points x `[B, 8]`."""
        if actions.shape != self._labels.shape or len(x) != len(actions):
            raise ValueError(f"the oracle needs one action per point, [{len(self._labels)}], not {list(actions.shape)}")
        if actions.is_floating_point():
            raise ValueError("actions are whole numbers; pass what sample_actions returned")
        return torch.where(actions == self._labels, self._right, self._wrong)


def make_policy(seed: int) -> nn.Sequential:
    """A fresh network 8-32-4 that gives logits `[B, 4]`; the same seed gives the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(DIMENSIONS, 32), nn.ReLU(), nn.Linear(32, CLASSES))


@torch.no_grad()
def accuracy(policy: nn.Module, x: torch.Tensor, labels: torch.Tensor) -> float:
    """How often the policy's most likely action is the class: an evaluation does not explore."""
    return float((policy(x).argmax(-1) == labels).float().mean())


train_x, train_labels = make_data(1000, seed=0)
test_x, test_labels = make_data(1000, seed=1)
print("training points per class:", torch.bincount(train_labels).tolist())
print("test points per class:    ", torch.bincount(test_labels).tolist())
always_2 = float((test_labels == 2).float().mean())
print(
    f"a policy that always chooses class 2, the most frequent in training, is right on {always_2:.1%} of the test points"
)

# %% [markdown]
# ## 5. The training loop
#
# One step uses all points at once (the batch is the whole training set), asks the oracle **once**, makes one step of Adam with learning rate
# `lr`, and records the mean of the rewards that it got. If 250 of 1,000 actions of a step are right, it records $(250 \cdot 3 - 750)/1000 = 0$.
#
# Two choices are yours. You may use your two functions, or `torch.distributions.Categorical(logits=...)`. (A mistake in your
# `sample_actions` costs no points again here.) And you may use a baseline or not, for instance the mean of
# the step's rewards. (That mean contains $r_i$ itself, so it is not quite independent of $a_i$: it scales the expected
# gradient by $1 - 1/B$, here 0.999, and leaves its direction.) Some people also divide by the rewards' standard
# deviation. If you do, handle two cases: all rewards equal, and a batch with a single point. 0/0 must not turn your
# weights into `nan`. The rest is fixed: every row counts with its own reward, the loss has no other term, its gradient is not
# clipped, and Adam has its default settings and the same `lr` in all steps.
#
# **Your task (6 points).** Write `train_policy`. It gets no labels. It must not find them out either, for instance by asking the oracle about every action in turn.
#
# <details><summary>Hint 1: idea</summary>
#
# The data of a step come from the policy as it is in this step. So the forward pass, the draw and the question to the oracle are all inside the loop. What has to live longer than one step?
#
# </details>
# <details><summary>Hint 2: the order</summary>
#
# Logits; actions; rewards; loss; gradient (the old one removed); step of Adam; record.
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# `torch.optim.Adam(model.parameters(), lr=lr)` before the loop, since it keeps running means of the gradients. In the loop: `sample_actions(logits)`, `reward_oracle(x, actions)`, `policy_gradient_loss(...)`, then `zero_grad`, `backward`, `step`. Append `float(rewards.mean())`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "train_policy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_policy(model, x, reward_oracle, steps, lr):
    """Trains a policy by the policy gradient, with Adam, on full batches, from rewards and without labels.

    Williams 1992, REINFORCE. The baseline is your choice; you may also use none. The loss has no other term, and apart
    from lr Adam has its default settings.
    Worked number: 250 of 1,000 actions right (+3), the others wrong (-1): the step's entry is 0.0.

    Args:
        model: a module that maps `[B, D]` to logits `[B, C]`; changed in place.
        x: inputs, `[B, D]`.
        reward_oracle: called once per step as `reward_oracle(x, actions)` with actions `[B]`, int64; returns rewards `[B]`.
        steps: number of Adam steps, at least 1.
        lr: Adam's learning rate.

    Returns:
        A list with one number per step: the mean of the rewards of this step's actions.
    """
    ### BEGIN SOLUTION
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    mean_rewards = []
    for _ in range(steps):
        policy = torch.distributions.Categorical(logits=model(x), validate_args=False)
        actions = policy.sample()  # [B]
        rewards = reward_oracle(x, actions)
        loss = -(rewards * policy.log_prob(actions)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean_rewards.append(float(rewards.mean()))
    return mean_rewards
    ### END SOLUTION


# %% [markdown]
# For the tests: a report of each gradient of a weight.


# %%
def report_gradients(linear: nn.Linear, note) -> None:
    """Calls `note` with each gradient that a backward pass gives the weight of this layer."""

    def tell(gradient: torch.Tensor) -> None:
        note(gradient.clone())

    linear.weight.register_hook(tell)


# %% nbgrader={"grade": true, "grade_id": "test_train_policy", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false} seconds=40
points, labels = make_data(60, seed=5)
seen = []


def oracle(x, actions):
    """The given oracle; it also records what it was asked."""
    rewards = RewardOracle(labels)(x, actions)
    seen.append((x.clone(), actions.clone(), rewards))
    return rewards


def fresh_policy(seed):
    """The given network on the student's side, with the weights of the one here."""
    mine, policy = make_policy(seed), student.make_policy(seed)
    policy.load_state_dict(mine.state_dict())
    hint = "`make_policy` must be as given: run its cell unchanged"
    assert close(policy(points).detach(), mine(points).detach(), hint)
    return policy


policy = fresh_policy(seed=0)
before = policy(points).detach().clone()
trained = modules_may_change()(student.train_policy)  # it may change the policy, and no other argument
history = trained(policy, points, oracle, 12, 1e-2)
assert len(seen) == 12, "ask the oracle once per step"
assert len(history) == 12, "return a list with one number per step"
assert close(
    [float(r) for r in history],
    [float(rewards.mean()) for _, _, rewards in seen],
    "entry t is the mean of the rewards of the actions of step t",
)
assert bool((policy(points) != before).any()), "the policy did not change: does the optimiser have its parameters?"


def arms(weights):
    """A policy without inputs, its logits being the weights (for x = 1)."""
    linear = student.torch.nn.Linear(1, len(weights), bias=False)
    linear.load_state_dict({"weight": torch.tensor(weights, dtype=torch.float32)[:, None]})
    return linear


def weights_of(linear):
    """A copy of the weights."""
    return linear.weight.detach().clone()[:, 0]


with part("equal rewards", 1):
    for B in (30, 1):
        w = arms([0.3, -0.2, 0.1])
        history = trained(w, torch.ones(B, 1), lambda x, a: torch.full(a.shape, 2.0), 1, 0.05)
        assert bool(torch.isfinite(weights_of(w)).all()), (
            "equal rewards, or a single one, made the weights nan: their standard deviation is 0 or undefined, so guard the division"
        )
asked, first_arms = [], ARM_PROBABILITIES.log().tolist()  # as in section 1: the worst arm is the likeliest


def pull(x, actions):
    """Pays 1, 2 or 4 and records the arms."""
    asked.append(actions.clone())
    return ARM_REWARDS[actions]


history = trained(arms(first_arms), torch.ones(200, 1), pull, 100, 0.15)
assert len(asked[0].unique()) == 3, (
    "200 pulls missed an arm of probability 0.2: sample the actions, do not take the arg-max"
)
assert float(history[-1]) > 3.5, (
    "arms that pay 1, 2, 4: after 100 steps it must pull the third. Drawn anew in each step? Your `lr`? The loss's sign?"
)
with part("Adam", 1):
    w, pays = arms([0.0, 0.0, 0.0]), torch.tensor([-1.0, -1.0, 2.0])
    trained(w, torch.ones(1000, 1), lambda x, a: pays[a], 1, 0.05)
    assert close(weights_of(w), torch.tensor([-0.05, -0.05, 0.05]), "the first step of Adam has size lr", rtol=0.03)
    w, calls = arms([0.0, 0.0, 0.0]), []

    def once(x, actions):
        """Pays in the first step, later nothing."""
        calls.append(1)
        return pays[actions] * (len(calls) == 1)

    trained(w, torch.ones(1000, 1), once, 40, 0.05)
    size = weights_of(w).abs()
    assert bool((size < 20 * 0.05).all()), "old gradients are added to new ones: call zero_grad() in each step"
    assert bool((size > 2 * 0.05).all()), (
        "after a step Adam's momentum moves the weights a little further: make one Adam before the loop, not in it"
    )
print("train_policy: all visible checks passed")
### BEGIN HIDDEN TESTS
with part("the loop", 1.5):
    policy, asked = fresh_policy(seed=3), []
    some, _ = make_data(37, seed=6)
    pay = torch.randn(15, 37, generator=fresh(40))  # rewards from which nothing can be learnt

    def lottery(x, actions):
        """Pays at random."""
        asked.append((x.clone(), actions.clone()))
        return pay[len(asked) - 1]

    history = trained(policy, some, lottery, steps=15, lr=1e-3)
    assert len(asked) == 15 and len(history) == 15, "one call of the oracle and one entry per step"
    assert close([float(r) for r in history], pay.mean(1).tolist(), "the entry of a step is the mean of its rewards")
    assert all(tuple(x.shape) == (37, 8) and bool((x == some).all()) for x, _ in asked), "the oracle gets all of x"
    assert all(tuple(a.shape) == (37,) and not a.is_floating_point() for _, a in asked), (
        "actions are [B], whole numbers"
    )
    assert all(bool(((a >= 0) & (a < 4)).all()) for _, a in asked), "actions lie between 0 and C - 1"
    single = trained(arms([0.0, 0.0]), torch.ones(5, 1), lambda x, a: a.float() * 0 + 1.5, 1, 0.1)
    assert close([float(r) for r in single], [1.5], "with steps=1 the list has one entry")


def replayed(rewards, lr):
    """Trains a policy with a logit of its own for each row and action; repeats it with the gradients that were used.

    Args:
        rewards: what the oracle pays, `[T, B]`, whatever the actions.
        lr: Adam's learning rate.

    Returns:
        For each step the actions' log-probabilities, the gradient by the logits and the score; the weights that follow
        at the end; and the student's.
    """
    T, B = rewards.shape
    mine, theirs = nn.Linear(B, 4, bias=False), student.torch.nn.Linear(B, 4, bias=False)
    mine.weight.data = 2 * torch.rand(4, B, generator=g) - 1  # no action has a probability above 0.72
    theirs.load_state_dict(mine.state_dict())
    actions, gradients = [], []

    def pay(x, chosen):
        """Records the actions, after which the gradient of the step arrives, and pays."""
        actions.append(chosen.clone())
        gradients.append(torch.zeros(4, B))
        return rewards[len(actions) - 1]

    def note(gradient):
        """Adds to the gradient of the step."""
        assert actions, "ask the oracle before the backward pass"
        gradients[-1] += gradient

    student.report_gradients(theirs, note)
    trained(theirs, torch.eye(B), pay, T, lr)
    assert len(actions) == T, "ask the oracle once per step"
    adam, steps = torch.optim.Adam(mine.parameters(), lr=lr), []
    for chosen, gradient in zip(actions, gradients, strict=True):
        log_pi = mine.weight.detach().T.log_softmax(-1)  # [B, C]; x is the identity
        taken = log_pi.gather(-1, chosen[:, None])[:, 0]
        steps.append((taken, gradient.T, torch.eye(4)[chosen] - log_pi.exp()))
        mine.weight.grad = gradient
        adam.step()
    return steps, mine.weight.detach(), theirs.weight.detach()


g, B = fresh(41), 40
with part("the gradient", 1.25):
    for paid in (0, 2):  # earlier steps pay little, so that a baseline from their rewards is nearly 0 for each row
        rewards = 0.01 * torch.randn(paid + 1, B, generator=g)
        rewards[paid] *= 10_000
        steps = replayed(rewards, 0.0)[0]
        for _, gradient, score in steps:
            weight = -(gradient * score).sum(-1) / (score**2).sum(-1)  # r - b, times one factor for all rows
            largest = float(gradient.abs().max())
            assert float((gradient + weight[:, None] * score).abs().max()) <= 1e-3 * largest, (
                "in the logits of a row the gradient is a multiple of e_a - pi, with the action a that the oracle was "
                "asked about: has the loss another term?"
            )
        _, gradient, score = steps[paid]
        weight = -(gradient * score).sum(-1) / (score**2).sum(-1)
        assert bool(weight.any()), "no gradient reaches the logits"
        assert int((weight == 0).sum()) <= 2, "some rows do not count: the loss is a mean over all rows of x"
        centred = rewards[paid] - rewards[paid].mean()
        factor = (weight * centred).sum() / (centred**2).sum()
        assert float(factor) > 0, "large rewards must make their actions likelier: the sign of the loss"
        rest = weight - weight.mean() - factor * centred
        assert float(rest.abs().max()) <= 0.05 * float(factor * centred.abs().mean()), (
            "each row counts in proportion to its own reward minus a baseline: the reward itself, not its rank, sign or "
            "another function of it"
        )
with part("every step of Adam", 0.75):
    for steps, lr, size in ((12, 0.05, 1.0), (3, 30.0, 1.0), (5, 0.05, 1000.0)):
        pay = 1 + torch.randn(steps, B, generator=g)
        pay[0] *= size  # a large gradient, then small ones
        made, want, got = replayed(pay, lr)
        assert all(float(taken.min()) > -25 for taken, _, _ in made), (  # never by chance: e^-25 for each action
            "draw the actions from the policy as it is in this step, not as it was one step before"
        )
        assert close(
            got,
            want,
            "each step is one step of Adam with the gradient of the loss: default settings, the same lr, no decay, no clipping",
            rtol=1e-3,
            atol=1e-4 * lr,
        )
with part("actions are sampled from the current policy", 1.5):
    probabilities, asked = torch.tensor([0.6, 0.1, 0.3]), []

    def note(x, actions):
        """Records the actions and pays something."""
        asked.append(actions.clone())
        return actions.float() + 0.5

    trained(
        arms(probabilities.log().tolist()), torch.ones(1600, 1), note, 10, 0.0
    )  # a learning rate of 0: the weights stay
    frequency = torch.bincount(torch.cat(asked).long(), minlength=3) / 16_000
    spread = (probabilities * (1 - probabilities) / 16_000).sqrt()
    assert bool((frequency > 0).all()), "some actions are never tried: sample from the policy, do not take the arg-max"
    assert bool(((frequency - probabilities).abs() <= 6 * spread).all()), (
        "the actions must have the policy's own probabilities: neither arg-max nor uniform nor anything between"
    )
    assert all(bool((a != b).any()) for a, b in zip(asked, asked[1:], strict=False)), "each step must draw anew"
    asked.clear()
    trained(arms([0.0, 0.0, 0.0]), torch.ones(300, 1), note, 70, 0.15)
    assert bool((asked[-1] == 2).float().mean() > 0.9), (
        "the best action must become frequent: draw from the policy as it is now, not as it was at the start"
    )
with part("learning", 1):
    start, pays = torch.tensor([0.7, 0.2, 0.1]).log(), torch.tensor([2.0, 3.0, 4.0])
    w = arms(start.tolist())
    trained(w, torch.ones(10_000, 1), lambda x, a: pays[a], 1, 0.05)
    moved = weights_of(w) - start
    assert bool(moved[0] < 0) and bool((moved[1:] > 0).all()), (
        "the likeliest arm pays least, so its logit must fall: is it the log-probability, not the probability?"
    )
    w, pays = arms(start.tolist()), torch.tensor([-2.0, -1.0, 3.0])
    trained(w, torch.ones(10_000, 1), lambda x, a: pays[a], 1, 0.05)
    moved = weights_of(w) - start
    assert bool(moved[0] < 0) and bool((moved[1:] > 0).all()), (
        "an arm whose reward is negative, but better than the mean, must become likelier: do negative rewards count in full?"
    )
    context = torch.eye(3).repeat(50, 1)  # [150, 3]
    wanted = torch.tensor([2, 0, 1]).repeat(50)
    linear = student.torch.nn.Linear(3, 3)
    history = trained(linear, context, lambda x, a: (a == wanted).float(), 80, 0.15)
    assert bool((linear(context).argmax(-1) == wanted).all()), (
        "each input must learn its own action from its own reward"
    )
    assert float(history[-1]) > 0.9, "the mean reward must rise to nearly 1 on three easy inputs"
    points, labels = make_data(200, seed=8)
    other = (labels + 1) % 4
    policy = fresh_policy(seed=1)
    history = trained(policy, points, lambda x, a: torch.where(a == other, 3.0, -1.0), 120, 0.03)
    right = (policy(points).argmax(-1) == other).float().mean()
    assert bool(right > 0.5), "follow the rewards, not the classes of make_data: here another action is paid for"
    assert sum(map(float, history[-20:])) / 20 > sum(map(float, history[:5])) / 5 + 0.6, "the mean reward must rise"
### END HIDDEN TESTS

# %% [markdown]
# ## 6. Training
#
# Five networks with five seeds, each trained by your `train_policy`. The oracle of each network, a `Diary`, also
# evaluates: at every 50th call it measures the network's accuracy on training and on test points. (The evaluation takes
# the arg-max action. Training does not.)
#
# **Predict, then run.** Where will the accuracy on the training points start, and where will it end? Will the test points follow?

# %%
STEPS = run.size(full=3000, mini=3000, grade=3)
SHORT_STEPS = run.size(full=600, mini=600, grade=3)
SEEDS = run.size(full=5, mini=5, grade=2)
EVERY = run.size(full=50, mini=50, grade=1)
LEARNING_RATE = 2e-3


class Diary(nn.Module):
    """An oracle that evaluates a policy at every `EVERY`-th call; it keeps the accuracies as buffers `[evaluations]`."""

    def __init__(self, policy: nn.Module, labels: torch.Tensor):
        super().__init__()
        self.policy, self.oracle, self.calls = policy, RewardOracle(labels), 0
        self.register_buffer("on_train", torch.zeros(STEPS // EVERY + 1))
        self.register_buffer("on_test", torch.zeros(STEPS // EVERY + 1))

    def forward(self, x: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """The oracle's rewards; evaluates first where it is time to."""
        if self.calls % EVERY == 0:
            self.examine()
        self.calls += 1
        return self.oracle(x, actions)

    def examine(self) -> None:
        """Records the accuracies on training and test points."""
        self.on_train[self.calls // EVERY] = accuracy(self.policy, train_x, train_labels)
        self.on_test[self.calls // EVERY] = accuracy(self.policy, test_x, test_labels)


# %% tags=["train"]
diaries = nn.ModuleList([Diary(make_policy(seed), train_labels) for seed in range(SEEDS)])
loop = training.Loop(
    run,
    "five-policies",
    steps=SEEDS,
    modules={"diaries": diaries},
    code=[sample_actions, policy_gradient_loss, train_policy, Diary, make_data, make_policy, STEPS, LEARNING_RATE],
)
for seed in loop:
    homework.seed_everything(100 + seed)
    diary = diaries[seed]
    mean_rewards = train_policy(diary.policy, train_x, diary, STEPS, LEARNING_RATE)
    diary.examine()
    loop.record(last_mean_reward=mean_rewards[-1], train_accuracy=diary.on_train[-1], test_accuracy=diary.on_test[-1])

sampled_train = torch.stack([diary.on_train for diary in diaries])  # [seeds, evaluations]
sampled_test = torch.stack([diary.on_test for diary in diaries])  # [seeds, evaluations]
examined_at = EVERY * torch.arange(STEPS // EVERY + 1)  # the steps of the evaluations


# %%
def standard_error(values: torch.Tensor) -> torch.Tensor:
    """Standard error of the mean over the seeds: `[seeds, ...]` to `[...]`."""
    return values.std(0) / math.sqrt(len(values))


def mean_and_error(values: torch.Tensor) -> str:
    """The mean over seeds with its standard error, in percent, as text."""
    return f"{100 * float(values.mean()):5.1f} ± {100 * float(standard_error(values)):.1f} %"


# %% tags=["experiment"]
print(f"after {STEPS:,} steps, mean ± standard error over {SEEDS} seeds:")
print("  training points", mean_and_error(sampled_train[:, -1]))
print("  test points    ", mean_and_error(sampled_test[:, -1]))

# %% [markdown]
# With our solution, which uses no baseline, these are 96.1 ± 0.5 % and 84.0 ± 0.4 %. Yours may differ by one or two points with other random
# numbers, and by a few more with a baseline (section 7 measures what a baseline does).

# %% [markdown]
# ### (c) The accuracy plot (3 points)
#
# Draw the accuracy on the training points and on the test points against the step, as the mean over your seeds, with a band of one standard error. The numbers
# are in `sampled_train` and `sampled_test` (`[seeds, evaluations]`) and `examined_at`. `plots.curves` draws this: it
# takes `{label: (x, values)}`, and `band={label: standard errors}`. Then write one sentence in the cell below, as a
# comment: what does the gap between the two curves at the end show?

# %% nbgrader={"grade": true, "grade_id": "figure_accuracy", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false} tags=["experiment"]
### BEGIN SOLUTION
# At the end the training curve lies well above the other: the network continues to fit the 1,000 training points, and
# part of that does not generalise to new points. That is ordinary overfitting; it has nothing to do with learning from
# rewards.
plots.curves(
    {"training points": (examined_at, sampled_train.mean(0)), "test points": (examined_at, sampled_test.mean(0))},
    band={"training points": standard_error(sampled_train), "test points": standard_error(sampled_test)},
    title=f"Policy gradient with sampled actions, {SEEDS} seeds",
    xlabel="step",
    ylabel="accuracy (fraction right)",
)
### END SOLUTION
### BEGIN MARK SCHEME
# - 1 point: both curves, against the step, averaged over at least 3 seeds, with a band or error bars
# - 1 point: labelled axes; the training accuracy ends at 92 % or more, the test accuracy at 79 % or more
# - 1 point: the sentence names overfitting (or generalisation to unseen points) as what the gap shows
### END MARK SCHEME

# %% [markdown]
# **What to look for.** Around step 200 the training accuracy stays near 0.656. That is the share of the two
# frequent classes, 1 and 2: at first the network distinguishes only these two. (Of the test points 67.9 % are of these
# classes, so their curve lies above the other at first.) Sampling still tries the rare classes 0 and 3 now and then.
#
# ## 7. Experiments
#
# ### Three learning rules for one network
#
# The score of a softmax is $e_a - \pi$, so every rule so far has the same update: $w_i\,(e_{a_i} - \pi)$, averaged over the batch. The rules differ in the action $a_i$
# and the weight $w_i$ only:
#
# | rule | action $a_i$ | weight $w_i$ |
# |---|---|---|
# | policy gradient | drawn from the policy | $r_i - b$ |
# | arg-max "policy gradient" | the most likely action | $r_i - b$ |
# | supervised, cross-entropy | the label | 1 |
#
# Supervised learning is the special case in which the action is the label and its reward is 1. To save time, `train_team` trains the networks of all seeds
# side by side; they do not influence each other.


# %%
class Team(nn.Module):
    """Networks of the shape of `make_policy`, side by side: x `[N, 8]` to logits `[S, N, 4]` for S seeds."""

    def __init__(self, seeds: int):
        super().__init__()
        policies = [make_policy(seed) for seed in range(seeds)]
        self.weights = nn.ParameterList()
        for layer in (0, 2):
            self.weights.append(torch.stack([policy[layer].weight.detach().T for policy in policies]))  # [S, in, out]
            self.weights.append(
                torch.stack([policy[layer].bias.detach() for policy in policies])[:, None]
            )  # [S, 1, out]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `[S, N, 4]` for inputs `[N, 8]`."""
        hidden = torch.relu(x @ self.weights[0] + self.weights[1])
        return hidden @ self.weights[2] + self.weights[3]


def draw(logits: torch.Tensor) -> torch.Tensor:
    """The rule of the policy gradient: an action for each row, `[S, N, C]` to `[S, N]`."""
    return sample_actions(logits.flatten(0, 1)).view(logits.shape[:-1])


def most_likely(logits: torch.Tensor) -> torch.Tensor:
    """The arg-max rule: the most likely action for each row, `[S, N, C]` to `[S, N]`."""
    return logits.argmax(-1)


def told(logits: torch.Tensor) -> torch.Tensor:
    """The supervised rule: the labels, whatever the policy says; `[S, N]`."""
    return train_labels.expand(logits.shape[:-1])


def as_paid(rewards: torch.Tensor) -> torch.Tensor:
    """No baseline: the weight is the reward."""
    return rewards


def minus_mean(rewards: torch.Tensor) -> torch.Tensor:
    """The batch mean (of each seed) as the baseline, `[S, N]`."""
    return rewards - rewards.mean(-1, keepdim=True)


def always_one(rewards: torch.Tensor) -> torch.Tensor:
    """The weights of cross-entropy."""
    return torch.ones_like(rewards)


def train_team(choose, weigh, steps: int, bonus: float | torch.Tensor = 0.0) -> dict[str, torch.Tensor]:
    """Trains a team by one rule; gives its accuracies on "train" and "test" points, `[S, evaluations]`.

    `choose` maps logits to actions, `weigh` maps rewards to weights; `bonus`, a number or `[N]`, is added to the rewards.
    """
    homework.seed_everything(0)
    team = Team(SEEDS)
    adam = torch.optim.Adam(team.parameters(), lr=LEARNING_RATE)
    notes: dict[str, list[torch.Tensor]] = {"train": [], "test": []}
    for step in range(steps + 1):
        if step % EVERY == 0:
            with torch.no_grad():
                notes["train"].append((team(train_x).argmax(-1) == train_labels).float().mean(-1))
                notes["test"].append((team(test_x).argmax(-1) == test_labels).float().mean(-1))
        logits = team(train_x)  # [S, N, C]
        with torch.no_grad():
            taken = choose(logits)
            weight = weigh(torch.where(taken == train_labels, 3.0, -1.0) + bonus)
            score = nn.functional.one_hot(taken, CLASSES) - logits.softmax(-1)
        adam.zero_grad()
        logits.backward(-weight[..., None] * score / len(train_x))  # minus the estimate of the gradient of J
        adam.step()
    return {name: torch.stack(values, dim=1) for name, values in notes.items()}


# %% [markdown]
# **Predict, then run.** All networks start from the same weights as yours. Which of the three is fastest? Which ends
# highest on the training points? The arg-max rule gets −1 for each error, so it does learn from errors: is that enough?

# %% tags=["train"]
argmax = train_team(most_likely, as_paid, STEPS)
supervised = train_team(told, always_one, STEPS)

# %% tags=["experiment"]
for name, on_train, on_test in [
    ("sampled actions", sampled_train, sampled_test),
    ("arg-max actions", argmax["train"], argmax["test"]),
    ("supervised     ", supervised["train"], supervised["test"]),
]:
    print(f"{name}: training points {mean_and_error(on_train[:, -1])}, test points {mean_and_error(on_test[:, -1])}")
print("training points, each seed by itself:")
print("  sampled", [round(a, 3) for a in sampled_train[:, -1].tolist()])
print("  arg-max", [round(a, 3) for a in argmax["train"][:, -1].tolist()])

# %% tags=["experiment"]
rules = {"supervised": supervised["train"], "sampled actions": sampled_train, "arg-max actions": argmax["train"]}
plots.curves(
    {name: (examined_at, values.mean(0)) for name, values in rules.items()},
    band={name: standard_error(values) for name, values in rules.items()},
    title=f"Training points: three rules, the same networks, {SEEDS} seeds",
    xlabel="step",
    ylabel="accuracy (fraction right)",
)

# %% tags=["experiment"]
rules = {"supervised": supervised["test"], "sampled actions": sampled_test, "arg-max actions": argmax["test"]}
plots.curves(
    {name: (examined_at, values.mean(0)) for name, values in rules.items()},
    band={name: standard_error(values) for name, values in rules.items()},
    title=f"Test points: three rules, the same networks, {SEEDS} seeds",
    xlabel="step",
    ylabel="accuracy (fraction right)",
)

# %% [markdown]
# **What to look for.** Our numbers, mean ± standard error over 5 seeds (`full` and `mini` are the same):
#
# | | training points | test points |
# |---|---|---|
# | policy gradient, sampled actions | 96.1 ± 0.5 % | 84.0 ± 0.4 % |
# | arg-max actions, no baseline | 87.2 ± 1.7 % | 76.7 ± 0.9 % |
# | supervised | 100.0 ± 0.0 % | 86.1 ± 0.3 % |
#
# Sampling beats the arg-max by about nine points of training accuracy, more than twice the standard error of that difference.
# The arg-max curve still rises slowly at the end, and its five networks differ more. The arg-max rule gets −1 for an error,
# so it does leave errors. But an action that is never the most likely one is never tried. And where the most likely action is right, it is raised with
# weight 3, even if the network is unsure. Question (b) asks what this rule estimates.

# %% [markdown]
# ### The baseline, measured
#
# How noisy is the gradient of the real network? We draw actions many times for the same weights, compute the gradient each time, and take the total variance (the sum over
# all 420 weights), relative to the squared length of the exact gradient: for fresh networks and for your trained ones,
# with the batch mean and with constant baselines. One of these is −10. It is the same as rewards raised by 10, +13 /
# +9, without a baseline: $3 - (-10) = 13$. A constant added to all rewards does not change which policy is best.
#
# **Predict, then run.** At +3 / −1, does the batch mean help a fresh network? (What is the mean reward of a policy that draws all classes with equal probability?) And a trained one? Which constant is best for each?


# %%
def gradient_noise(policy: nn.Module, baselines: list[float | None], draws: int) -> list[float]:
    """For each baseline the total variance of the gradient estimate, in units of the squared length of the exact gradient.

    Rewards are +3 and -1; the actions are drawn anew `draws` times. A baseline of None means the batch mean.
    """
    generator = torch.Generator().manual_seed(4)
    oracle = RewardOracle(train_labels)
    weights = list(policy.parameters())
    estimates: list[list[torch.Tensor]] = [[] for _ in baselines]
    for _ in range(draws):
        logits = policy(train_x)
        actions = sample_actions(logits, generator=generator)
        rewards = oracle(train_x, actions)
        for b, found in zip(baselines, estimates, strict=True):
            loss = policy_gradient_loss(logits, actions, rewards, rewards.mean() if b is None else b)
            gradient = torch.autograd.grad(loss, weights, retain_graph=True)
            found.append(torch.cat([g.flatten() for g in gradient]))
    # the exact gradient needs the labels: J = mean of 4 pi(label) - 1
    right = policy(train_x).softmax(-1).gather(-1, train_labels[:, None])
    exact = torch.cat([g.flatten() for g in torch.autograd.grad((4 * right - 1).mean(), weights)])
    return [float(torch.stack(found).var(0).sum() / (exact**2).sum()) for found in estimates]


# %% tags=["experiment"]
DRAWS = run.size(full=60, mini=60, grade=3)
CONSTANTS = [-10.0, -5.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]
networks = {"fresh": [make_policy(seed) for seed in range(SEEDS)], "trained": [diary.policy for diary in diaries]}
noise = {
    stage: torch.tensor([gradient_noise(policy, [None, *CONSTANTS], DRAWS) for policy in policies])
    for stage, policies in networks.items()
}  # [seeds, batch mean and the constants]
for stage, by_seed in noise.items():
    for column, name in [(0, "batch mean"), (6, "b = 0"), (5, "b = -1"), (1, "b = -10 (as +13 / +9)")]:
        values = "  ".join(f"{value:7.2f}" for value in by_seed[:, column].tolist())
        print(f"{stage:7s} networks, {name:23s}, by seed: {values}")

# %% tags=["experiment"]
plots.curves(
    {f"{stage} networks": (CONSTANTS, by_seed[:, 1:].mean(0)) for stage, by_seed in noise.items()},
    band={f"{stage} networks": standard_error(by_seed[:, 1:]) for stage, by_seed in noise.items()},
    title=f"Noise of the gradient by baseline, {SEEDS} networks, ± standard error",
    xlabel="baseline b, rewards +3 / −1 (b = −10: as with +13 / +9, no baseline)",
    ylabel="variance / squared length of the gradient",
    logy=True,
)

# %% [markdown]
# **What to look for.** *Fresh:* with a constant of 10 in the rewards the noise is far larger than the signal: 2 to 5
# times the squared gradient, against less than 0.2 without it. The batch mean removes that. At +3 / −1 the batch mean
# changes almost nothing: a policy that draws all classes with equal probability has mean reward 0, so the rewards are
# centred already. That choice of rewards *is* a baseline.
#
# *Trained:* at +3 / −1 the batch mean makes the gradient *noisier*, in each of our five networks at least eight times. (Your numbers depend on your own training rule; ours used no baseline.)
# Now nearly all points give +3, and most of the noise comes from rare draws: at a point about which the network is almost
# sure, another action is drawn, usually a wrong one. Only then is the score $e_a - \pi$ long. Such a mistake has weight −1
# without baseline, but $-1 - 2.8$ with the mean reward 2.8, and $3.8^2 \approx 14$. The best constant of the toy,
# $b^\ast$, takes this into account: it weighs each reward with the squared length of the score. Of our nine constants the best one is
# −1 here, the reward of a mistake. "Subtract the mean reward" is a rule of thumb that removes a constant; it is not the best baseline.
#
# **Predict, then run.** And the accuracies, after 600 steps? (With the batch mean, sampling at +3 / −1 is left out: the constant cancels, so
# it is the same as at +13 / +9.)

# %% tags=["train"]
short_run = SHORT_STEPS // EVERY + 1  # evaluations
after_short = {
    "sampled\n+3 / −1\nno baseline": sampled_train[:, :short_run][:, -1],
    "sampled\n+13 / +9\nno baseline": train_team(draw, as_paid, SHORT_STEPS, bonus=10.0)["train"][:, -1],
    "sampled\n+13 / +9\nbatch mean": train_team(draw, minus_mean, SHORT_STEPS, bonus=10.0)["train"][:, -1],
    "arg-max\n+3 / −1\nno baseline": argmax["train"][:, :short_run][:, -1],
    "arg-max\n+3 / −1\nbatch mean": train_team(most_likely, minus_mean, SHORT_STEPS)["train"][:, -1],
    "arg-max\n+13 / +9\nno baseline": train_team(most_likely, as_paid, SHORT_STEPS, bonus=10.0)["train"][:, -1],
}

# %% tags=["experiment"]
for name, values in after_short.items():
    print(f"{name.replace(chr(10), ', '):33s} {mean_and_error(values)}")
plots.bars(
    {name: float(values.mean()) for name, values in after_short.items()},
    errors={name: float(standard_error(values)) for name, values in after_short.items()},
    title=f"Training points after {SHORT_STEPS:,} steps: what a constant in the reward does",
    xlabel="actions, rewards (right / wrong), baseline",
    ylabel="accuracy (fraction right)",
)

# %% [markdown]
# **What to look for.** *Sampled:* with the batch mean the constant cancels; without it, the constant costs about 12
# points of accuracy (66 % against 78 %). Where the rewards are centred from the start, training without a baseline is
# about as good (80 %), and after 3,000 steps it is better: 96 % on the training points and 84 % on the test points, against 93 to 94 % and about 81 % with the batch mean. Noise is not the only effect: Adam divides by the size of the recent
# gradients, so the noise also changes the size of its steps.
#
# *Arg-max:* the same constant, which has no meaning, decides between success and failure. With +13 and +9 the most
# likely action is always reinforced, right or wrong, and the networks learn nothing (24 %). With the batch mean, on the
# other hand, the arg-max rule does very well on the training points: 89 % here, better than sampling after the same number
# of steps, and after 3,000 steps 99.9 %. So the arg-max is not always worse. Subtracting a mean reward
# turns it into "leave the right ones alone, push the wrong ones away", which is how the perceptron learns. But it is no
# estimate of $\nabla J$: the mean of an unbiased estimate does not depend on $b$, and this one does. It works where one number separates good
# rewards from bad ones at all points. The first experiment at the end of section 8 takes that away.
#
# ### The remaining mistakes
#
# **Predict, then run.** Your trained networks still classify a few in a hundred training points wrongly. How sure are they about these points: in doubt, or certain?

# %% tags=["experiment"]
with torch.no_grad():
    probabilities = torch.stack([diary.policy(train_x).softmax(-1) for diary in diaries])  # [S, N, C]
wrong = probabilities.argmax(-1) != train_labels  # [S, N]
of_label = probabilities.gather(-1, train_labels.expand(SEEDS, -1)[..., None]).squeeze(-1)  # [S, N]
certain = float((of_label[wrong] < 0.01).float().mean())
print(f"{float(wrong.float().mean()):.1%} of the training points are classified wrongly.")
print(f"There, the wrong class has probability {float(probabilities.amax(-1)[wrong].mean()):.3f} on average;")
print(f"in {certain:.0%} of these cases the right class has a probability below 1 %.")

# %% [markdown]
# **Where the method fails.** A policy that has become certain stops exploring: the score $e_a - \pi$ of an action with $\pi(a) = 1$ is 0, and the right action is
# no longer drawn. So a mistake that is made with certainty tends to stay; most of the remaining mistakes are of that kind. Two more limits: each sample tells only about one action, so the number of samples needed grows
# with the number of actions; and a reward that is nearly always the same gives no direction.

# %% [markdown]
# ## 8. Episodes: which action gets the credit?
#
# So far each action had its own reward at once. A player or a language model acts many times, and each action changes what comes next. An *episode*
# is a sequence of states, actions and rewards, $s_0, a_0, r_0, s_1, a_1, r_1, \dots$ with $a_t \sim \pi_\theta(\cdot \mid s_t)$; $r_t$ is paid after
# action $a_t$, and may depend on everything up to then. The goal is the expected *discounted return*
#
# $$J(\theta) = \mathbb{E}\Bigl[\sum_k \gamma^k r_k\Bigr], \qquad 0 \le \gamma \le 1,$$
#
# a sum over the steps of the episode. A reward that comes late counts less. The probability of an episode is a product: the
# policy's probabilities of the actions times the environment's probabilities of the states. Only the first depend on $\theta$, so the trick of section 1 gives
#
# $$\nabla J = \mathbb{E}\Bigl[\Bigl(\sum_k \gamma^k r_k\Bigr) \Bigl(\sum_t \nabla \log \pi_\theta(a_t \mid s_t)\Bigr)\Bigr].$$
#
# This is right, and noisy: it multiplies *every* reward with *every* score. Three ideas make it a method.
#
# 1. **Credit.** Multiply out. In some of the products the reward was paid *before* the action was drawn. What is their mean? Leave them
#    out. Write what is left with the *return from step t on*, $G_t = r_t + \gamma\, r_{t+1} + \gamma^2 r_{t+2} + \dots$: it is
#    discounted from step $t$, not from the start. What is the weight of the score of step $t$?
# 2. **Values.** A second table or network, the *critic*, predicts $G_t$ from the state $s_t$, with the squared error as its loss. Its predictions $V(s_t)$ are the
#    baseline: how much better than expected was the return from here? The targets $G_t$ are constants for the critic, and its predictions are constants for the policy.
# 3. **Ends.** Episodes have different lengths, but a batch is a table `[B, T]`. `alive[i, t]` says whether episode $i$ took step $t$. The
#    other cells are *padding*: the numbers there mean nothing.
#
# A worked number: $B = 1$, $T = 3$, $C = 2$, all logits 0, $\gamma = 0.5$, `rewards = [[1, 6, 7]]`, `values = [[0.5, 1.5, 10]]`, and the episode ends after two
# steps. Then $G_0 = 4$ and $G_1 = 6$. The policy loss is 3.9856 and the value loss is 16.25.
#
# **Your task (5 points).** Write `episode_losses`. The gradient of the policy loss in the logits must be an unbiased estimate of $-\nabla J$: the mean over
# the `B` episodes. Before you divide by anything else, or leave out a factor, ask whether the mean is still $-\nabla J$. The value loss is the mean over all steps taken in the batch.
#
# <details><summary>Hint 1: idea</summary>
#
# A reward paid before step $t$ does not depend on $a_t$, and the score has mean 0: these products only add noise. Compute $G_t$ from the last step backwards: how does $G_t$ follow from $r_t$ and $G_{t+1}$? $J$ discounts from the start of the episode, $G_t$ and $V(s_t)$ from step $t$. Something is left over.
#
# </details>
# <details><summary>Hint 2: formula</summary>
#
# $G_t = r_t + \gamma\, G_{t+1}$ and $\sum_{k \ge t} \gamma^k r_k = \gamma^t G_t$, so
#
# $$\text{policy loss} = -\frac1B \sum_{i} \sum_{t\ \text{alive}} \gamma^t \bigl(G_{it} - V(s_{it})\bigr) \log \pi_\theta(a_{it} \mid s_{it}).$$
#
# </details>
# <details><summary>Hint 3: sketch of the code</summary>
#
# Set padded rewards to 0. Go through `reversed(range(T))` with one running number per episode, and `torch.stack` the results in the right order. `gamma ** torch.arange(T)` has the factors, also for `gamma = 0`. Multiply by `alive`, sum over steps, mean over episodes. For the value loss choose the cells with `[alive]`.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "episode_losses", "locked": false, "schema_version": 3, "solution": true, "task": false}
def episode_losses(logits, values, actions, rewards, alive, gamma):
    """The loss of the policy and the loss of the critic for a batch of episodes.

    The gradient of the policy loss in the logits is an unbiased estimate of minus the gradient of the expected discounted
    return J, a mean over the B episodes. Each action gets credit only for rewards of its own step and later ones, and the values are the
    baseline. The value loss is the mean squared error of the values, over all steps taken, as predictions of the return
    from their step on, discounted from that step. Sutton and Barto (2018), section 13.4.

    Args:
        logits: the policy's logits at each step, `[B, T, C]`.
        values: the critic's predictions at each step, `[B, T]`. No gradient of the policy loss reaches them.
        actions: the actions taken, `[B, T]`, int64, from 0 to C - 1 (in padding, too).
        rewards: the rewards paid after the actions, `[B, T]`. No gradient of either loss reaches them.
        alive: `[B, T]`, bool: True for the steps taken, at least the first; then False, which is padding. The logits, values and
            rewards there are any finite numbers, and must not matter. Episodes may have hundreds of steps.
        gamma: the discount, a number from 0 to 1, both included; the reward of step 0 has weight 1 in J (0 ** 0 is 1).

    Returns:
        (policy loss, value loss), two tensors without dimensions; the first is differentiable in `logits`, the second in
        `values`. Example: logits zeros [1, 3, 2], values [[0.5, 1.5, 10]], actions [[0, 1, 0]], rewards [[1, 6, 7]],
        alive [[True, True, False]] and gamma = 0.5 give (3.9856, 16.25).
    """
    ### BEGIN SOLUTION
    T = rewards.shape[1]
    paid = torch.where(alive, rewards, 0).detach()
    returns, following = [], torch.zeros_like(paid[:, 0])
    for t in reversed(range(T)):
        following = paid[:, t] + gamma * following
        returns.append(following)
    targets = torch.stack(returns[::-1], dim=1)  # [B, T]
    chosen = torch.log_softmax(logits, dim=-1).gather(-1, actions[..., None])[..., 0]  # [B, T]
    discount = gamma ** torch.arange(T, dtype=targets.dtype)
    weight = torch.where(alive, discount * (targets - values.detach()), 0)
    return -(weight * chosen).sum(dim=1).mean(), ((values - targets)[alive] ** 2).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_episode_losses", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
flat = torch.zeros(1, 3, 2)
values, rewards = torch.tensor([[0.5, 1.5, 10.0]]), torch.tensor([[1.0, 6.0, 7.0]])
actions, alive = torch.tensor([[0, 1, 0]]), torch.tensor([[True, True, False]])
both = student.episode_losses(flat, values, actions, rewards, alive, 0.5)
assert isinstance(both, tuple | list) and len(both) == 2, "return two losses, (policy loss, value loss)"
for loss in both:
    assert has_shape(loss, (), "each loss is one number, a tensor without dimensions")
in_logs = float(both[0]) / math.log(2)  # all probabilities are 1/2, so this is the sum of the weights
for mistaken, mistake in [
    (-5.75, "the sign: an optimiser makes the loss small, and we want a large return"),
    (8.0, "the later step has too large a weight: J discounts from the start of the episode, but G and V do not"),
    (4.75, "the second action got credit for the first reward, which was paid before it"),
    (6.0, "the second action got credit for the first reward, which was paid before it"),
    (6.75, "the second action got credit for the first reward, which was paid before it"),
    (3.0, "the second action got credit for the first reward, which was paid before it"),
    (2.75, "the first action must also get credit for the second reward, which was paid after it"),
    (1.75, "the returns are computed from the last step on: bring them back to the order of the steps"),
    (2.25, "the reward of the own step has weight 1 in G_t"),
    (3.5, "the target is the return that was paid, not the own reward plus the next value"),
    (5.0, "V(s_t) predicts a return that is discounted from step t: bring G and V to the same scale, then subtract"),
    (9.25, "the reward in the padding was counted: the episode ended after two steps"),
    (3.25, "the padded step itself was counted: leave its log-probability out of the sum"),
    (8.75, "the returns are not discounted"),
    (11.0, "the rewards are not discounted at all"),
    (2.875, "the mean over steps is not an estimate of -grad J: J sums over the steps of an episode"),
    (5.75 / 3, "the mean over steps is not an estimate of -grad J: J sums over the steps of an episode"),
    (7.0, "is the value of its step subtracted from each return?"),
]:
    assert abs(in_logs - mistaken) > 1e-3, mistake
assert close(both[0], torch.tensor(3.985596), "the worked number: the policy loss", rtol=1e-3)
two = [torch.cat([table, table]) for table in (flat, values, actions, rewards)]
short = torch.tensor([[True, True, False], [True, False, False]])  # the second episode has one step: G = 1, V = 0.5
unequal = student.episode_losses(*two, short, 0.5)
assert abs(float(unequal[0]) / math.log(2) - 6.25 / 3) > 1e-3, (
    "divide the sum by the number of episodes, not by the number of steps in the batch: that number depends on the policy"
)
assert close(
    unequal[0], torch.tensor(2.166085), "two episodes, of two and of one step: a mean over episodes", rtol=1e-3
)
with part("the value loss", 0.75):
    assert abs(float(both[1]) - 10.833333) > 1e-3, "the mean is over the steps taken, not over all cells of the table"
    assert abs(float(both[1]) - 32.5) > 1e-3, "the value loss is a mean, not a sum"
    for mistaken in (7.25, 8.65625, 11.1875):
        assert abs(float(both[1]) - mistaken) > 1e-3, "the value of step t predicts G_t, discounted from step t only"
    assert close(both[1], torch.tensor(16.25), "the worked number: the value loss, over the two steps taken", rtol=1e-3)
    assert close(
        unequal[1], torch.tensor(10.916667), "the value loss is a mean over all steps taken in the batch", rtol=1e-3
    )
    guess, wish = values.clone().requires_grad_(), flat.clone().requires_grad_()
    value_loss = student.episode_losses(wish, guess, actions, rewards, alive, 0.5)[1]
    assert value_loss.requires_grad, "the value loss must be differentiable in the values"
    value_loss.backward()
    assert close(guess.grad, torch.tensor([[-3.5, -4.5, 0.0]]), "the gradient of the value loss in the values")
with part("no gradient from the policy loss to the values", 0.5):
    guess, wish = values.clone().requires_grad_(), flat.clone().requires_grad_()
    policy_loss = student.episode_losses(wish, guess, actions, rewards, alive, 0.5)[0]
    assert policy_loss.requires_grad, "the policy loss must be differentiable in the logits"
    policy_loss.backward()
    assert guess.grad is None or not bool(guess.grad.any()), "the policy loss trains the critic: detach the values"
    assert wish.grad is not None and bool(wish.grad.any()), "no gradient reached the logits"
with part("no gradient to the rewards", 0.25):
    guess, wish, paid = (table.clone().requires_grad_() for table in (values, flat, rewards))
    sum(student.episode_losses(wish, guess, actions, paid, alive, 0.5)).backward()
    assert paid.grad is None or not bool(paid.grad.any()), (
        "a gradient reached the rewards: the returns are constants for both losses, so detach `rewards`"
    )
with part("gamma = 0 and gamma = 1", 0.25):
    for gamma, wanted in [(0.0, (0.346574, 10.25)), (1.0, (7.624619, 31.25))]:
        found = student.episode_losses(flat, values, actions, rewards, alive, gamma)
        hint = f"gamma = {gamma:g}: its powers are 1, gamma, gamma^2, with 0^0 = 1; do not divide by them"
        assert close(torch.stack(list(found)), torch.tensor(wanted), hint, rtol=1e-3)
print("episode_losses: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(50)


def episodes(B, T, C):
    """Random episodes with ends at random steps, and padding that is large."""
    lengths = torch.randint(1, T + 1, (B, 1), generator=g)
    alive = torch.arange(T) < lengths
    logits, values, rewards = (torch.randn(*shape, generator=g) for shape in ((B, T, C), (B, T), (B, T)))
    padding = (~alive).float()
    return (
        (logits + 30 * padding[..., None] * torch.randn(B, T, C, generator=g)).requires_grad_(),
        (values + 50 * padding).requires_grad_(),
        torch.randint(C, (B, T), generator=g),
        1 + rewards + 70 * padding,
        alive,
    )


def by_hand(logits, values, actions, rewards, alive, gamma):
    """Both losses, reward by reward."""
    policy_sum, errors = torch.zeros(()), []
    log_pi = torch.log_softmax(logits, -1)
    for i, length in enumerate(alive.sum(1).tolist()):
        for t in range(length):
            after = sum(gamma ** (k - t) * float(rewards[i, k].detach()) for k in range(t, length))
            policy_sum = policy_sum - gamma**t * (after - float(values[i, t].detach())) * log_pi[i, t, actions[i, t]]
            errors.append((values[i, t] - after) ** 2)
    return policy_sum / len(alive), torch.stack(errors).mean()


with part("random batches", 1.25):
    for B, T, C, gamma in [(6, 5, 3, 0.8), (1, 1, 2, 0.5), (4, 7, 2, 0.95), (3, 4, 4, 0.3)]:
        batch = episodes(B, T, C)
        got = student.episode_losses(*batch, gamma)
        want = by_hand(*batch, gamma)
        assert has_shape(got[0], (), "the policy loss is one number")
        hint = "the policy loss on a random batch: credit from the own step on, discount, baseline, padding, mean over episodes"
        assert close(got[0], want[0], hint, rtol=1e-3, atol=1e-4)
        assert close(got[0], reference.episode_losses(*batch, gamma)[0], hint, rtol=1e-3, atol=1e-4)
        (slope,) = torch.autograd.grad(got[0], batch[0])
        (true_slope,) = torch.autograd.grad(want[0], batch[0])
        assert close(slope, true_slope, "the gradient of the policy loss in the logits", rtol=1e-3, atol=1e-4)
with part("unbiased: averaged over all episodes of a small game", 1):
    table = torch.randn(2, 2, generator=g)  # logits of two actions in two states
    pays = torch.randn(3, 2, 2, generator=g)  # reward by step, state, action
    baseline = torch.randn(3, 2, generator=g)
    gamma, leaf = 0.7, table.clone().requires_grad_()
    pi, J, mean_slope = leaf.softmax(-1), torch.zeros(()), torch.zeros(2, 2)
    for number in range(8):
        moves = [number // 4, number // 2 % 2, number % 2]
        states, alive, chance, gain = [0], [True], torch.ones(()), 0.0
        for t, move in enumerate(moves):  # the next state is the action; action 1 in state 1 ends the game
            if alive[t]:
                gain += gamma**t * float(pays[t, states[t], move])
            chance = chance * (pi[states[t], move] if alive[t] else 0.5)  # padding is filled by a coin
            alive.append(alive[t] and not (states[t] == 1 and move == 1))
            states.append(move)
        states, alive = torch.tensor(states[:3]), torch.tensor([alive[:3]])
        J = J + chance * gain
        seen = table[states][None].clone().requires_grad_()
        paid = pays[torch.arange(3), states, torch.tensor(moves)][None]
        inputs = seen, baseline[torch.arange(3), states][None], torch.tensor([moves]), paid, alive
        student.episode_losses(*inputs, gamma)[0].backward()
        assert seen.grad is not None, "no gradient reached the logits"
        mean_slope.index_add_(0, states, chance.detach() * seen.grad[0])
    (exact,) = torch.autograd.grad(J, leaf)
    assert close(mean_slope, -exact, "averaged over all episodes, the gradient must be -grad J", rtol=1e-3, atol=1e-5)
with part("the value loss on random batches", 0.5):
    for B, T, gamma in [(5, 6, 0.9), (2, 1, 0.4), (3, 3, 0.0), (4, 3, 1.0)]:
        batch = episodes(B, T, 3)
        got, want = student.episode_losses(*batch, gamma)[1], by_hand(*batch, gamma)[1]
        assert close(got, want, "the value loss: mean over the steps taken of (V - G)^2", rtol=1e-3, atol=1e-4)
        (slope,) = torch.autograd.grad(got, batch[1])
        (true_slope,) = torch.autograd.grad(want, batch[1])
        assert close(slope, true_slope, "the gradient of the value loss in the values", rtol=1e-3, atol=1e-4)
with part("large padding, gamma of 0 and 1", 0.25):
    for gamma in (0, 1, 0.0, 1.0):
        batch = episodes(5, 4, 3)
        got, want = student.episode_losses(*batch, gamma), by_hand(*batch, gamma)
        assert close(got[0], want[0], "gamma = 0 or gamma = 1, with large numbers in the padding", rtol=1e-3, atol=1e-4)
        assert close(got[1], want[1], "gamma = 0 or gamma = 1, with large numbers in the padding", rtol=1e-3, atol=1e-4)
    batch = *episodes(2, 200, 2)[:4], torch.ones(2, 200, dtype=torch.bool)
    got, want = student.episode_losses(*batch, 0.5), by_hand(*batch, 0.5)
    for loss, other in zip(got, want, strict=True):
        assert close(loss, other, "200 steps: gamma^t is rounded to 0, so do not divide by it", rtol=1e-3)
with part("no gradient to the rewards, and none to padded cells", 0.25):
    logits, values, actions, rewards, alive = episodes(5, 4, 3)
    rewards.requires_grad_()
    (sum(student.episode_losses(logits, values, actions, rewards, alive, 0.9))).backward()
    assert rewards.grad is None or not bool(rewards.grad.any()), (
        "returns are constants: no gradient reaches the rewards"
    )
    assert not bool(logits.grad[~alive].any()), "padded logits must get no gradient"
    assert not bool(values.grad[~alive].any()), "padded values must get no gradient"
### END HIDDEN TESTS

# %% [markdown]
# ### A walk along the holes
#
# The policy starts in the lower left corner and wants to reach the goal in the lower right one. Between them are three
# holes. Each step costs 0.05, the goal pays 1, a hole costs 2; both end the episode, and so does the 30th step. The floor is slippery: with
# probability 0.1 the step goes in a random direction. A step against the wall stays in place.


# %%
ROWS, COLUMNS, TIME_LIMIT, DISCOUNT = 4, 5, 30, 0.95
START, GOAL, HOLES = 15, 19, [16, 17, 18]  # cells, counted row by row
ARROWS = "↑→↓←"  # actions 0 to 3


class Grid:
    """The walk: 20 cells, four actions, `slip` = the probability of a random direction."""

    def __init__(self, slip: float = 0.1):
        moves = ((-1, 0), (0, 1), (1, 0), (0, -1))
        places = [divmod(cell, COLUMNS) for cell in range(ROWS * COLUMNS)]
        self.slip = slip
        self.target = torch.tensor(
            [
                [min(max(r + dr, 0), ROWS - 1) * COLUMNS + min(max(c + dc, 0), COLUMNS - 1) for dr, dc in moves]
                for r, c in places
            ]
        )  # [cells, actions]: where a step leads
        self.pays = torch.full((ROWS * COLUMNS,), -0.05)  # for entering a cell
        self.pays[GOAL], self.pays[HOLES] = 1.0, -2.0
        self.ends = self.pays.abs() >= 1

    def play(self, logits: torch.Tensor, count: int, generator: torch.Generator) -> list[torch.Tensor]:
        """Plays episodes with the policy's logits `[cells, 4]`: states, actions, rewards, alive, each `[count, 30]`."""
        state, running, steps = torch.full((count,), START), torch.ones(count, dtype=torch.bool), []
        for _ in range(TIME_LIMIT):
            action = sample_actions(logits[state], generator)
            slips = torch.rand(count, generator=generator) < self.slip
            direction = torch.where(slips, torch.randint(4, (count,), generator=generator), action)
            entered = self.target[state, direction]
            steps.append((state, action, self.pays[entered], running))
            state, running = torch.where(running, entered, state), running & ~self.ends[entered]
        return [torch.stack(column, dim=1) for column in zip(*steps, strict=True)]

    def values(self, logits: torch.Tensor | None = None) -> torch.Tensor:
        """The exact expected return of a policy from each cell, `[cells]`; without logits, of the best policy."""
        value = torch.zeros(ROWS * COLUMNS)
        for _ in range(TIME_LIMIT):
            entering = (self.pays + DISCOUNT * value * ~self.ends)[self.target]  # [cells, 4]
            action_value = (1 - self.slip) * entering + self.slip * entering.mean(-1, keepdim=True)
            value = action_value.amax(-1) if logits is None else (logits.softmax(-1) * action_value).sum(-1)
        return value


def draw_grid(numbers: torch.Tensor, title: str, logits: torch.Tensor | None = None):
    """Draws one number per cell `[cells]`, and below it the most likely action with its probability."""
    shown = numbers.clone()
    shown[[GOAL, *HOLES]] = math.nan
    figure = plots.heatmap(shown.view(ROWS, COLUMNS), title=title, fmt="")
    axes = figure.axes[0]
    axes.set(xticks=[], yticks=[])
    middle = (shown.nan_to_num(-math.inf).max() + shown.nan_to_num(math.inf).min()) / 2
    for cell in range(ROWS * COLUMNS):
        word = {GOAL: "goal\n+1", **dict.fromkeys(HOLES, "hole\n−2")}.get(cell, f"{float(numbers[cell]):.2f}")
        if cell == START:
            word = f"start\n{word}"
        if logits is not None and cell not in (GOAL, *HOLES):
            probability, action = logits[cell].softmax(-1).max(-1)
            word += f"\n{ARROWS[int(action)]} {float(probability):.0%}"
        bright = cell in (GOAL, *HOLES) or bool(shown[cell] > middle)
        axes.text(
            cell % COLUMNS,
            cell // COLUMNS,
            word,
            ha="center",
            va="center",
            fontsize=9,
            color="black" if bright else "white",
        )
    return figure


# %% tags=["experiment"]
even_policy = torch.zeros(ROWS * COLUMNS, 4)
draw_grid(Grid().values(even_policy), "Expected return from each cell at the start")

# %% [markdown]
# The policy is a table of logits, one row per cell, and the critic a table of values. `learn` plays 8 episodes, asks for the loss, makes one step of Adam, 200 times. Three rules:
# the whole return for every action (the formula above, by your `policy_gradient_loss`); your `episode_losses` with all values 0; and your `episode_losses` with a learned critic. Since we know the grid, we can
# compute $J$ exactly for each policy on the way. No rule uses that knowledge.
#
# **Predict, then run.** Which rules come near the best policy within 200 updates? Which difference is larger, that of the credit or that of the critic?

# %%
UPDATES = run.size(full=200, mini=200, grade=2)
EPISODES = 8  # per update
WHOLE, OWN, CRITIC = "whole return", "from the own step on", "from the own step on, critic"


def whole_return_loss(logits, actions, rewards, alive):
    """The loss of the first formula: every action gets the discounted return of the whole episode."""
    total = (rewards * alive) @ DISCOUNT ** torch.arange(TIME_LIMIT)  # [B]
    loss = policy_gradient_loss(logits[alive], actions[alive], total[:, None].expand_as(rewards)[alive])
    return loss * alive.sum() / len(alive)  # a sum over steps, a mean over episodes


def policy_loss_of(rule, logits, values, actions, rewards, alive):
    """The loss of one of the three rules; with the critic, also its own loss."""
    if rule == WHOLE:
        return whole_return_loss(logits, actions, rewards, alive)
    if rule == OWN:
        return episode_losses(logits, torch.zeros_like(rewards), actions, rewards, alive, DISCOUNT)[0]
    return sum(episode_losses(logits, values, actions, rewards, alive, DISCOUNT))


def learn(grid: Grid, rule: str, seed: int) -> dict[str, torch.Tensor]:
    """Trains a table policy by a rule; gives J before each update and at the end, and both tables."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.zeros(ROWS * COLUMNS, 4, requires_grad=True)
    values = torch.zeros(ROWS * COLUMNS, requires_grad=True)
    adam = torch.optim.Adam([logits, values], lr=0.05)
    reached = [grid.values(logits.detach())[START]]
    for _ in range(UPDATES):
        states, actions, rewards, alive = grid.play(logits.detach(), EPISODES, generator)
        adam.zero_grad()
        policy_loss_of(rule, logits[states], values[states], actions, rewards, alive).backward()
        adam.step()
        reached.append(grid.values(logits.detach())[START])
    return {"J": torch.stack(reached), "logits": logits.detach(), "values": values.detach()}


# %% tags=["train"]
walks = {rule: [learn(Grid(), rule, seed) for seed in range(SEEDS)] for rule in (WHOLE, OWN, CRITIC)}

# %% tags=["experiment"]
walked = {rule: torch.stack([walk["J"] for walk in found]) for rule, found in walks.items()}  # [seeds, updates + 1]
plots.curves(
    {rule: J.mean(0) for rule, J in walked.items()},
    band={rule: standard_error(J) for rule, J in walked.items()},
    title=f"The walk: three rules, {SEEDS} seeds, ± standard error",
    xlabel="updates of 8 episodes",
    ylabel="exact expected return J",
    levels={"best policy": Grid().values()[START]},
)

# %% tags=["experiment"]
last_walk = walks[CRITIC][0]
draw_grid(last_walk["values"], "After training: critic's values, likeliest actions", last_walk["logits"])

# %% [markdown]
# **What to look for.** With the whole return the policy learns slowest. To give credit only from the own step on helps more
# than the critic, which first has to learn its values. The critic makes a further, smaller gain, which is clear in the first half; at the end it is within the error of five seeds. The exploring policy still falls
# into a hole now and then, so $J$ stays below the best one. In the last picture, look at the row beside the holes: how sure is the policy there, and where does it lead?
#
# **Predict, then run.** How noisy are the three estimates? As in section 7 we measure the total variance, here of one episode, relative to the squared length of the exact
# gradient: for the policy at the start, and for those trained with the critic. The baseline is the exact value of each cell.

# %% tags=["experiment"]
BATCHES = run.size(full=40, mini=40, grade=2)


def episode_noise(grid: Grid, logits: torch.Tensor, rule: str) -> float:
    """Total variance of one episode's gradient estimate, in units of the squared length of the exact gradient."""
    generator, leaf, found, count = torch.Generator().manual_seed(6), logits.clone().requires_grad_(), [], 200
    (exact,) = torch.autograd.grad(grid.values(leaf)[START], leaf)
    cell_values = grid.values(logits)
    for _ in range(BATCHES):
        states, actions, rewards, alive = grid.play(logits, count, generator)
        loss = policy_loss_of(rule, leaf[states], cell_values[states], actions, rewards, alive)
        found.append(torch.autograd.grad(loss, leaf)[0])
    return count * float(torch.stack(found).var(0).sum() / (exact**2).sum())


networks_of_walks = {"at the start": [even_policy], "trained": [walk["logits"] for walk in walks[CRITIC]]}
walk_noise = {
    stage: {rule: [episode_noise(Grid(), logits, rule) for logits in policies] for rule in (WHOLE, OWN, CRITIC)}
    for stage, policies in networks_of_walks.items()
}
for stage, by_rule in walk_noise.items():
    for rule, found in by_rule.items():
        print(f"{stage:12s} {rule:30s}", "  ".join(f"{value:6.1f}" for value in found))

# %% [markdown]
# At the start the three estimates rank as expected, and a good baseline saves nine tenths of the noise. For our five trained policies there is a surprise: credit from the own step on, *without* values, is noisier
# than the whole return. The products that we left out have mean 0, but they are correlated with those that we kept, and so they may cancel noise. With the values, the estimate is about as noisy as with the whole return, or less.
#
# ### Two experiments (not graded)
#
# **A bonus that depends on the point.** Points with $x_1 > 0$ now pay 10 more, whatever the action: +13 / +9 there, +3 / −1 elsewhere. Both rules subtract the batch mean, as in section 7.
# **Predict, then run.** Which action is best at each point? Which of the two rules still learns, and why?

# %% tags=["experiment"]
per_point = 10.0 * (train_x[:, 0] > 0)  # [N]
after_bonus = {
    "sampled\nbatch mean": train_team(draw, minus_mean, SHORT_STEPS, bonus=per_point)["train"][:, -1],
    "arg-max\nbatch mean": train_team(most_likely, minus_mean, SHORT_STEPS, bonus=per_point)["train"][:, -1],
}
plots.bars(
    {name: float(values.mean()) for name, values in after_bonus.items()},
    errors={name: float(standard_error(values)) for name, values in after_bonus.items()},
    title=f"A bonus of 10 at half of\nthe points, {SHORT_STEPS:,} steps",
    ylabel="accuracy on training points",
)

# %% [markdown]
# What baseline $b(x)$ would help the arg-max rule here?
#
# **A floor that is not slippery.** Now the shortest way, right beside the holes, is the best one: it takes 6 steps. **Predict, then run.** All five seeds use your loss with the critic. Do all of them
# find the short way? Think of an early policy that still explores.

# %% tags=["experiment"]
dry = [learn(Grid(slip=0.0), CRITIC, seed) for seed in range(SEEDS)]
dry_best = float(Grid(slip=0.0).values()[START])
for seed, walk in enumerate(dry):
    lengths = Grid(slip=0.0).play(walk["logits"], 500, torch.Generator().manual_seed(7))[3].sum(1).float()
    print(
        f"seed {seed}: J = {float(walk['J'][-1]):.2f} (best policy {dry_best:.2f}), {float(lengths.mean()):.1f} steps"
    )

# %% [markdown]
# While a policy explores, a hole is near in each step of the short way, so the detour is safer *for this policy*. In our run one seed of five became
# sure of it before it found the short way. Where a policy is almost certain, the gradient is almost 0, and it stays for a long time.
#
# ### What came after
#
# *Actor-critic* methods replace $G_t$ partly by the critic's own predictions, which trades variance for bias. *TRPO* (Schulman and others 2015) bounds how far one update may move the policy; *PPO* (2017) gets a similar effect by
# clipping a ratio of probabilities, and may use the same episodes for several steps. With it language models were trained from human ratings
# (Ouyang and others 2022), the subject of the problem `rlhf`. *GRPO* (Shao and others 2024) drops the critic: the baseline is the mean reward of several answers to the same question, much like a $b(x)$. It also divides by
# the length of each answer; Liu and others (2025) show that this is a bias, the one that your visible test looks for. Many programs also drop the factor $\gamma^t$; what they follow is then not the gradient of $J$
# (Nota and Thomas 2020).

# %% [markdown]
# ## 9. Questions
#
# Question (c) was the plot in section 6; (a), (b) and (d) follow here.
#
# ### (a) The trick (2 points)
#
# Let $p_\theta(a)$ be a probability that depends smoothly on $\theta$, with $p_\theta(a) > 0$. Show that
# $p_\theta(a)\, \nabla_\theta \log p_\theta(a) = \nabla_\theta\, p_\theta(a)$, and conclude that the score $\nabla_\theta \log p_\theta(a)$ has mean 0. Two or three lines.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_log_trick", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# By the chain rule $\nabla \log p = \nabla p / p$ wherever $p > 0$; multiplying by $p$ gives $p \nabla \log p = \nabla p$. Summed over all
# actions, $\sum_a p(a) \nabla \log p(a) = \sum_a \nabla p(a) = \nabla \sum_a p(a) = \nabla 1 = 0$, and the left side is the mean of the score.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: chain rule for the logarithm, then multiplication by p (positive p mentioned or plain)
# * 1 point: sum over actions, gradient and sum exchanged, probabilities sum to the constant 1
# ### END MARK SCHEME

# %% [markdown]
# ### (b) The estimator (4 points)
#
# Start from $J(\theta) = \mathbb{E}_x \sum_a \pi_\theta(a \mid x)\, r(x, a)$. One point each, about 150 words in all:
#
# * Derive $\nabla J$ as an expectation over $x$ and $a \sim \pi_\theta$. Where does the derivation show that the reward need not be differentiable?
# * Which estimator follows that needs only a batch of inputs, one sampled action for each, and their rewards?
# * Where is it used that the actions are drawn from $\pi_\theta$, and what does the same formula estimate when the arg-max is taken instead?
# * Show that a baseline $b(x)$, a fixed function of the input, leaves the estimator unbiased. (The batch mean need not be discussed.)

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_estimator", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The reward does not depend on $\theta$ for a given action, so only $\pi$ is differentiated, and (a) turns the sum into an expectation:
# $\nabla J = \mathbb{E}_x \sum_a r(x, a) \nabla \pi(a \mid x) = \mathbb{E}_x \sum_a \pi(a \mid x)\, r(x, a) \nabla \log \pi(a \mid x) = \mathbb{E}_{x,\, a \sim \pi}[r(x, a) \nabla \log \pi(a \mid x)]$.
# The mean over a batch, $\frac1B \sum_i r(x_i, a_i) \nabla \log \pi(a_i \mid x_i)$ with $a_i \sim \pi(\cdot \mid x_i)$, has this expectation.
#
# That the weight of each action in the sum is $\pi(a \mid x)$ is what allows replacing the sum by a draw from $\pi$.
# With the arg-max all weight is on one action $a^\ast(x)$: the formula then gives $\mathbb{E}_x[r(x, a^\ast) \nabla
# \log \pi(a^\ast \mid x)]$, one term of the sum without its weight. It is the gradient of J only where the policy is
# already certain. It even depends on constants added to $r$.
#
# For the baseline: $\mathbb{E}_{a \sim \pi}[b(x) \nabla \log \pi(a \mid x)] = b(x) \sum_a \nabla \pi(a \mid x) = b(x) \nabla 1 = 0$, so subtracting it changes the variance only.
#
# Only $\log \pi$, our own network, is differentiated; the reward enters as a number.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: derivation by (a) up to the expectation over x and a; the reward is only a factor, so no derivative of it is needed
# * 1 point: the mean over the batch as the estimator, with actions drawn from the policy
# * 1 point: sampling gives each action its weight in the sum; the arg-max formula misses the other actions (biased)
# * 1 point: the baseline's term has mean 0 because the score has mean 0 for each x
# ### END MARK SCHEME

# %% [markdown]
# ### (d) Rewards or labels (3 points)
#
# Compare your policy gradient with supervised learning on the same data: speed (steps to 90 % on the training points), stability (over seeds, or from step to step), and the final value on training and on test points. Give numbers from your
# run. What is the reason for each difference, and when would you still use the policy gradient? About 150 words.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_supervised", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Speed: in my run supervised learning reaches 90 % on the training points after 500 steps, the policy gradient after 1,300. Final values after 3,000 steps: training points 100.0 % against 95.8 ± 0.5 %,
# test points 86.2 ± 0.3 % against 83.5 ± 0.3 % (mean ± standard error over 5 seeds). Stability: both curves are smooth and similar for all seeds, the supervised one more so; after step 2,000 it no longer moves on the training points.
#
# A label says for each point what would be right; a reward only rates the one action that was drawn. Most early draws are wrong and tell only what not to do, so there is less information per step. The gradient is an estimate from one
# draw per point and noisy, while that of cross-entropy is exact on the full batch. And where the policy has become certain of a wrong class, the right one is never drawn again, which keeps the final value below 100 %.
#
# I would use the policy gradient where there are no labels, only a rating of what was done (games, robots, people who rate answers), or where the quantity of interest cannot be differentiated.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# * 1 point: numbers from the own run for speed (steps to 90 %) and final values on training and test points
# * 1 point: reasons: a label says what is right for every action, a reward only rates the sampled one; sampling makes the gradient noisy
# * 1 point: stability addressed (spread over seeds or steps), and a use: rewards without labels, or not differentiable
# ### END MARK SCHEME

# %% [markdown]
# ### How was it made? (not graded)
#
# Fill in what you used (lectures, papers, sites, language models), with whom you worked, and about how many hours it took. It
# is kept in the log and not graded.

# %%
process = {"sources": "", "people": "", "hours": None}

# %% [markdown]
# ## 10. Your log
#
# The next cell defines your per-student inputs, drawn from your student id. The last cell asks your functions for
# their answers, adds your measured numbers and writes `submission_log.json`. Submit it together with this notebook.


# %% tags=["answers"]
def personal_answers(student, draws):
    """Per-student inputs: item id -> a function that asks the student's code for its answer."""

    def ask_sample_actions():
        d = draws("sample_actions")
        frequencies = []
        for _ in range(3):
            first, second = d.integers(1, 5, 2).tolist()
            tenths = torch.tensor([first, second, 10 - first - second])  # probabilities in tenths, each at least 1/10
            other = tenths.flip(0)
            logits = torch.stack([tenths, other]).log().repeat(20_000, 1)  # rows alternate between two policies
            actions = student.sample_actions(logits, generator=torch.Generator().manual_seed(5))
            counts = torch.bincount(actions[::2].long().reshape(-1), minlength=3)
            # 20,000 draws: the share of an action is off by less than 0.02, so the rounded one is always the same
            frequencies.append([round(float(count) / 20_000, 1) for count in counts])
        return frequencies

    def ask_policy_gradient_loss():
        d = draws("policy_gradient_loss")
        logits = d.normal(5, 3).requires_grad_()
        loss = student.policy_gradient_loss(
            logits, d.integers(0, 3, 5), d.normal(5), baseline=logits.mean(-1) + d.normal(5)
        )
        loss.backward()
        return {"loss": loss, "gradient": logits.grad}

    def ask_train_policy():
        d = draws("train_policy")
        wanted = d.integers(0, 4, 6).repeat(40)  # the action that is paid for, by input
        policy = student.torch.nn.Linear(6, 4)
        policy.load_state_dict({"weight": torch.zeros(4, 6), "bias": torch.zeros(4)})
        x = torch.eye(6).repeat(40, 1)  # [240, 6]
        history = student.train_policy(policy, x, lambda x, actions: (actions == wanted).float(), 150, 0.1)
        return {"entries": len(list(history)), "learnt": policy(torch.eye(6)).argmax(-1)}

    def ask_episode_losses():
        d = draws("episode_losses")
        logits, values = d.normal(3, 4, 2).requires_grad_(), d.normal(3, 4)
        alive = torch.arange(4) < d.integers(1, 5, 3)[:, None]
        losses = student.episode_losses(logits, values, d.integers(0, 2, 3, 4), d.normal(3, 4) + 1, alive, 0.8)
        losses[0].backward()
        return {"policy": losses[0], "values": losses[1], "gradient": logits.grad}

    return {
        "sample_actions": ask_sample_actions,
        "policy_gradient_loss": ask_policy_gradient_loss,
        "train_policy": ask_train_policy,
        "episode_losses": ask_episode_losses,
    }


# %% tags=["log"]
log = SubmissionLog(run)
log.bands(  # the expected range of each number, from our own runs
    {
        "policy_gradient/train_accuracy": {"full": (0.9, 0.99), "mini": (0.9, 0.99)},
        "policy_gradient/test_accuracy": {"full": (0.76, 0.9), "mini": (0.76, 0.9)},
        "policy_gradient/argmax_train_accuracy": {"full": (0.7, 0.95), "mini": (0.7, 0.95)},
        "policy_gradient/argmax_test_accuracy": {"full": (0.62, 0.88), "mini": (0.62, 0.88)},
        "policy_gradient/supervised_train_accuracy": {"full": (0.98, 1), "mini": (0.98, 1)},
        "policy_gradient/supervised_test_accuracy": {"full": (0.8, 0.92), "mini": (0.8, 0.92)},
        "policy_gradient/noise_removed_by_baseline": {"full": (10, None), "mini": (10, None)},
        "policy_gradient/walk_return": {"full": (0.05, 0.25), "mini": (0.05, 0.25)},
    }
)
log.answers(personal_answers)
with log.measurements():
    for prefix, on_train, on_test in [
        ("", sampled_train, sampled_test),
        ("argmax_", argmax["train"], argmax["test"]),
        ("supervised_", supervised["train"], supervised["test"]),
    ]:
        for where, values in [("train", on_train), ("test", on_test)]:
            log.metric(
                f"policy_gradient/{prefix}{where}_accuracy",
                values=values[:, -1].tolist(),
                evidence={"steps": STEPS, "curve": values.mean(0).tolist()},
            )
    log.metric(
        "policy_gradient/noise_removed_by_baseline",
        values=(noise["fresh"][:, 1] / noise["fresh"][:, 0]).tolist(),
        evidence={f"{stage}, batch mean and b = -10 to 3": by_seed.tolist() for stage, by_seed in noise.items()},
    )
    log.metric(
        "policy_gradient/walk_return",
        values=walked[CRITIC][:, -1].tolist(),
        evidence={rule: J.mean(0).tolist() for rule, J in walked.items()},
    )
log.process(**process)
written_to = log.write()

# %% [markdown]
# ## References
#
# * R. J. Williams: *Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning*. Machine Learning 8,
#   1992. REINFORCE, with the baseline.
# * R. S. Sutton, A. G. Barto: *Reinforcement Learning: An Introduction*, 2nd edition, MIT Press 2018, chapter 13.
# * R. S. Sutton, D. McAllester, S. Singh, Y. Mansour: *Policy Gradient Methods for Reinforcement Learning with Function
#   Approximation*. NeurIPS 1999.
# * E. Greensmith, P. L. Bartlett, J. Baxter: *Variance Reduction Techniques for Gradient Estimates in Reinforcement Learning*.
#   Journal of Machine Learning Research 5, 2004. The best baseline.
# * D. P. Kingma, J. Ba: *Adam: A Method for Stochastic Optimization*. ICLR 2015. arXiv:1412.6980.
# * J. Schulman and others: *Trust Region Policy Optimization*. ICML 2015. arXiv:1502.05477. *Proximal Policy Optimization
#   Algorithms*. 2017. arXiv:1707.06347.
# * C. Nota, P. S. Thomas: *Is the Policy Gradient a Gradient?* AAMAS 2020. arXiv:1906.07073.
# * L. Ouyang and others: *Training Language Models to Follow Instructions with Human Feedback*. NeurIPS 2022. arXiv:2203.02155.
# * Z. Shao and others: *DeepSeekMath*. 2024. arXiv:2402.03300. GRPO.
# * Z. Liu and others: *Understanding R1-Zero-Like Training: A Critical Perspective*. 2025. arXiv:2503.20783.
