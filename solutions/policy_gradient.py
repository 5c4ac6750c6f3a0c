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
# problem this way: its accuracy on training and on new points over 3,000 steps, beside two other rules, one that sees
# the labels, and one that makes a single, tempting mistake.
#
# The same few lines train robots, game players and language models. A classification problem is the smallest example in
# which everything about them can be measured.
#
# **What you will learn**
#
# * how the gradient of an expected reward is estimated from samples, without differentiating the reward;
# * why the action must be *sampled*, and what goes wrong with the arg-max;
# * how a baseline changes the variance of the estimate, and when it does not help;
# * what learning from rewards costs, compared with learning from labels.
#
# **What you need**: expectations, the chain rule, the softmax, and a little PyTorch. The lecture helps, but the text below is
# complete.
#
# | | profile `full` | profile `mini` |
# |---|---|---|
# | data | 1,000 training and 1,000 test points, made by a formula | the same |
# | training | 5 seeds of 3,000 steps, and the comparisons | the same |
# | hardware | any laptop; no GPU is used, no network is needed | the same |
# | time to run | about two minutes on two CPU cores | the same |
#
# Plan two hours for reading, writing and thinking.
#
# | graded | points |
# |---|---|
# | `sample_actions` | 4 |
# | `policy_gradient_loss` | 8 |
# | `train_policy` | 8 |
# | written answers and the picture | 12 |
#
# **One rule for all tasks.** Your functions leave their arguments as they are: the caller may need them again. So no `x += ...`, `x[...] = ...` or `rows.pop()` on what you were given; work on new tensors or on copies. The tests check this. Only what a docstring calls *changed in place* may change, for instance a model that your function trains.
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
# The network of this problem has 420 weights. On a GPU, starting each operation would take longer than computing it, so
# everything below stays on the CPU, whatever the line above says. The log needs your student id: set the environment
# variable `HOMEWORK_STUDENT` before you start Jupyter, or type the id when the last cell asks.

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
# draw $a$ from $\pi$, get $r(a)$, and the vector $r(a)\,(e_a - \pi)$ is an unbiased estimate of $\nabla J$. That is the
# whole idea. It needs only the reward of the arm that was pulled.
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
    title="The toy: a baseline divides the variance by six",
    ylabel="total variance of one sample",
)

# %% [markdown]
# All three estimators have the same mean; the variance falls from 3.88 to 0.64 with $b = J$, and to 0.53 with the best constant.
# A batch of 100 with the baseline is as good as one of 600 without.
#
# **What the arg-max does.** Now do not draw: always pull the arm that the policy likes best, and use the same formula. That arm is the first,
# the worst one. The update is $r(1)\,(e_1 - \pi) = (0.5, -0.3, -0.2)$: it makes the worst arm even more likely. Nothing
# corrects this, because the other arms are never pulled.

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
    title="The toy: the arg-max never leaves the worst arm",
    xlabel="step",
    ylabel="expected reward J (the arms pay 1, 2, 4)",
)

# %% [markdown]
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
# **Your task (4 points).** Write `sample_actions`. PyTorch can draw from a categorical distribution; you do not need to build that. With a `generator`, all
# randomness must come from it, so that a draw can be repeated; without one, from torch's global generator.


# %% nbgrader={"grade": false, "grade_id": "sample_actions", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sample_actions(logits, generator=None):
    """Draws one action for each row of logits, independently, with the probabilities of the softmax.

    Formula: P(actions[i] = k) = softmax(logits[i])[k]; see Sutton and Barto (2018), equation 13.2.
    Worked number: a row (0, log 2, 0) gives action 0, 1, 2 with probabilities 1/4, 1/2, 1/4.

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


# %% nbgrader={"grade": true, "grade_id": "test_sample_actions", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
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
assert bool(((counts - torch.tensor([250, 500, 250])).abs() < 80).all()), (
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
with part("frequencies and independence", 2):
    N = 8_000
    probabilities = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.55, 0.05, 0.25, 0.15]])
    logits = probabilities.log().repeat(N, 1) + torch.linspace(-3.0, 3.0, 2 * N)[:, None]  # [2N, 4], rows alternate
    actions = student.sample_actions(logits)
    assert has_shape(actions, (2 * N,), "the result is [B], of whole numbers")
    assert not actions.is_floating_point(), "the result is [B], of whole numbers"
    assert bool(((actions >= 0) & (actions < 4)).all()), "actions lie between 0 and C - 1"
    for row in (0, 1):
        frequency = torch.bincount(actions[row::2].long(), minlength=4) / N
        spread = (probabilities[row] * (1 - probabilities[row]) / N).sqrt()
        assert bool(((frequency - probabilities[row]).abs() <= 5 * spread).all()), (
            "the frequencies are not those of the softmax of each row: right axis, no other temperature, no exploration added"
        )
    coin = student.sample_actions(torch.zeros(N, 2)).double() * 2 - 1
    assert abs(float(coin.mean())) <= 5 / math.sqrt(N), "two equal logits must be a fair coin"
    assert abs(float((coin[1:] * coin[:-1]).mean())) <= 5 / math.sqrt(N), (
        "the rows of a batch must be drawn independently"
    )
    assert abs(float((coin[: N // 2] * coin[N // 2 :]).mean())) <= 5 / math.sqrt(N / 2), "the rows must be independent"
    again = student.sample_actions(torch.zeros(N, 2)).double() * 2 - 1
    assert abs(float((again * coin).mean())) <= 5 / math.sqrt(N), "a second call must draw anew"
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
    student.torch.manual_seed(3)
    global_one = student.sample_actions(even)
    student.torch.manual_seed(3)
    assert close(student.sample_actions(even), global_one, "without a generator, draw from torch's global one")
    assert bool((from_global != global_one).float().mean() > 0.5), "without a generator every call must draw anew"
with part("very large logits and -inf", 0.5):
    extreme = torch.tensor([[1e4, -1e4, -1e4], [-1e4, -1e4, 1e4], [-1e4, 0.0, -1e4]])
    assert close(student.sample_actions(extreme), torch.tensor([0, 2, 1]), "logits of ±10,000: use a stable softmax")
    for level in (-1e4, 1e4):
        low = torch.bincount(student.sample_actions(torch.full((2000, 2), level)).long(), minlength=2)
        assert bool((low > 850).all()), "equal logits of ±10,000 are a fair coin: use a stable softmax"
    barred = torch.tensor([[0.0, -math.inf, 0.0]]).expand(500, 3)
    assert bool((student.sample_actions(barred) != 1).all()), "a logit of -inf means that the action is never drawn"
with part("one row, strided logits, logits with a gradient", 0.25):
    assert close(
        student.sample_actions(torch.tensor([[-9.0, 40.0]])), torch.tensor([1]), "a batch of one gives shape [1]"
    )
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
# With inputs, $J(\theta) = \mathbb{E}_x \sum_a \pi_\theta(a \mid x)\, r(x, a)$. Since $\nabla \pi = \pi \nabla \log \pi$ (question (a) below),
#
# $$\nabla J = \mathbb{E}_{x,\; a \sim \pi(\cdot \mid x)} \bigl[\, (r(x, a) - b)\, \nabla \log \pi_\theta(a \mid x) \bigr].$$
#
# An optimiser minimises a number, so we give it one whose gradient is the estimate of $-\nabla J$ over a batch:
#
# $$\text{loss} = -\frac1B \sum_{i=1}^{B} (r_i - b_i)\, \log \pi_\theta(a_i \mid x_i).$$
#
# The value of this loss means nothing: it may rise while the policy improves. Only its gradient counts, and the
# gradient is right only if $r$ and $b$ are treated as constants. A baseline often comes from a network; if the gradient
# also flowed through the baseline, the loss would also train the baseline to be large. So detach it (`detach`).
#
# A worked number, $B = 2$, $C = 2$: `logits = [[0, 0], [0, log 3]]`, `actions = [1, 1]`, `rewards = [3, -1]`. The probabilities of the actions taken are
# $\tfrac12$ and $\tfrac34$, so loss $= -\tfrac12 \bigl(3 \log \tfrac12 - \log \tfrac34\bigr) = 0.8959$. With baseline 1: $-\tfrac12 (2 \log \tfrac12 - 2 \log \tfrac34) = \log 1.5 = 0.4055$.
#
# **Your task (8 points).** Write `policy_gradient_loss`. Logits of ±10,000 must give finite numbers: a probability of $e^{-20000}$ is 0 in any floating-point
# format, but its logarithm is just −20,000 (`log_softmax`).


# %% nbgrader={"grade": false, "grade_id": "policy_gradient_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    """A scalar whose gradient with respect to the logits estimates minus the gradient of the expected reward.

    Formula: -(1/B) sum_i (rewards[i] - baseline[i]) log softmax(logits[i])[actions[i]]; no gradient reaches rewards or
    baseline. Sutton and Barto (2018), equation 13.11; Williams (1992), the REINFORCE update.
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


# %% nbgrader={"grade": true, "grade_id": "test_policy_gradient_loss", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
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
    logits, actions, rewards = batch(6, 3)
    own = (logits.softmax(-1) * torch.tensor([1.0, -2.0, 0.5])).sum(-1)  # depends on the logits
    student.policy_gradient_loss(logits, actions, rewards, baseline=own).backward()
    score = torch.eye(3)[actions] - logits.detach().softmax(-1)
    assert close(
        logits.grad, -(rewards - own.detach())[:, None] * score / 6, "a gradient flowed through the baseline", atol=1e-5
    )
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
# One step, with all points at once (the batch is the whole training set):
#
# 1. logits of the current policy;
# 2. one sampled action per point;
# 3. their rewards, from *one* call `reward_oracle(x, actions)`;
# 4. the loss, its gradient, one step of Adam with learning rate `lr`;
# 5. record the mean of these rewards.
#
# A worked number: if 250 of 1,000 sampled actions are right, that step records $(250 \cdot 3 - 750)/1000 = 0$.
#
# Two choices are yours. You may use your two functions, or `torch.distributions.Categorical(logits=...)`, which offers
# `.sample()` and `.log_prob(actions)`. (A mistake in your `sample_actions` costs no points again here.) And you may use a baseline or not, for instance the mean of
# the step's rewards. (That mean contains $r_i$ itself, so it is not quite independent of $a_i$: it scales the expected
# gradient by $1 - 1/B$, here 0.999, and leaves its direction.) Some people also divide by the rewards' standard
# deviation. If you do, handle two cases: all rewards equal, and a batch with a single point. 0/0 must not turn your
# weights into `nan`.
#
# **Your task (8 points).** Write `train_policy`. It gets no labels. It must not find them out either, for instance by asking the oracle about every action in turn.


# %% nbgrader={"grade": false, "grade_id": "train_policy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_policy(model, x, reward_oracle, steps, lr):
    """Trains a policy by the policy gradient, with Adam, on full batches, from rewards and without labels.

    Each step: actions a_i sampled from softmax(model(x)), one call of the oracle, one Adam step on
    -(1/B) sum_i (r_i - b) log pi(a_i | x_i) (Williams 1992, REINFORCE). The baseline b is your choice; you may also use none.
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


# %% nbgrader={"grade": true, "grade_id": "test_train_policy", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false} seconds=40
points, labels = make_data(60, seed=5)
seen = []


def oracle(x, actions):
    """The given oracle; it also records what it was asked."""
    rewards = RewardOracle(labels)(x, actions)
    seen.append((x.clone(), actions.clone(), rewards))
    return rewards


policy = student.make_policy(seed=0)
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
with part("the loop", 2):
    policy, asked = student.make_policy(seed=3), []
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
with part("actions are sampled from the current policy", 2):
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
    assert bool(((frequency - probabilities).abs() <= 5 * spread).all()), (
        "the actions must have the policy's own probabilities: neither arg-max nor uniform nor anything between"
    )
    assert all(bool((a != b).any()) for a, b in zip(asked, asked[1:], strict=False)), "each step must draw anew"
    asked.clear()
    trained(arms([0.0, 0.0, 0.0]), torch.ones(300, 1), note, 70, 0.15)
    assert bool((asked[-1] == 2).float().mean() > 0.9), (
        "the best action must become frequent: draw from the policy as it is now, not as it was at the start"
    )
with part("learning", 2):
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
    policy = student.make_policy(seed=1)
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
# **Headline: what to expect** (mean ± standard error over 5 seeds; `full` and `mini` are the same; measured on a CPU
# with the reference solution, which uses no baseline).
#
# | | accuracy on training points | accuracy on test points |
# |---|---|---|
# | policy gradient, sampled actions | 95.8 ± 0.5 % | 83.5 ± 0.3 % |
# | policy gradient, arg-max actions (section 7) | 86.6 ± 2.1 % | 75.9 ± 1.3 % |
# | supervised (section 7) | 100.0 ± 0.0 % | 86.2 ± 0.3 % |
#
# Your sampled row may differ by one or two points with other random numbers. With the batch mean as a baseline expect about 93 % and 81 %.

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
# **What to look for.** Between steps 100 and 300 the training accuracy stays near 0.656. That is the share of the two
# frequent classes, 1 and 2: at first the network distinguishes only these two. (Of the test points 67.5 % are of these
# classes, so their curve lies above the other at first.) The rare classes 0 and 3 are found because sampling still
# tries them now and then.
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


def train_team(choose, weigh, steps: int, bonus: float = 0.0) -> dict[str, torch.Tensor]:
    """Trains a team by one rule; gives its accuracies on "train" and "test" points, `[S, evaluations]`.

    `choose` maps logits to actions, `weigh` maps rewards to weights; `bonus` is added to every reward.
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
# **What to look for.** Supervised learning is best: it fits the training points perfectly and is ahead at every
# evaluation after the start, also on the test points. Sampling comes second. The arg-max is last, by about nine points
# of training accuracy, more than four times the standard error of that difference. Its curve still rises slowly at the
# end, and its five networks differ more: which mistakes are left depends on the initial weights.
#
# Why is the arg-max behind, although an error costs it 1 and it does move away from errors? The true gradient weighs
# *every* action with its probability. The arg-max rule sees only the most likely one: where this action is wrong, the
# rule lowers its probability until another action happens to overtake it; where it is right, the rule raises it with
# weight 3, even if the network is unsure. An action that is never the most likely one is never tried. The formula is
# the same, but its mean is no longer the gradient of J, so J need not rise. In the toy it fell.

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
    {f"{stage} networks": (CONSTANTS, by_seed[:, 1:].median(0).values) for stage, by_seed in noise.items()},
    title=f"The best constant: 0 at first, near −1 later (median of {SEEDS})",
    xlabel="baseline b, rewards +3 / −1 (b = −10: as with +13 / +9, no baseline)",
    ylabel="variance / squared length of the gradient",
    logy=True,
)

# %% [markdown]
# **What to look for.** *Fresh:* with a constant of 10 in the rewards the noise is far larger than the signal (2 to 4
# times the squared gradient, against 0.05 to 0.09 without it); the batch mean removes that. At +3 / −1 the batch mean
# changes almost nothing: a policy that draws all classes with equal probability has mean reward 0, so the rewards are
# centred already. That choice of rewards *is* a baseline.
#
# *Trained:* a surprise. At +3 / −1 the batch mean makes the gradient *noisier*. Your numbers depend on your own training rule: in ours, trained without a baseline, 2.5 to 7 became 40 to 110; in networks trained with the batch mean, about 1 became 8 to 15.
# Now nearly all points give +3, and the noise comes from rare mistakes: at a point about which the network is almost
# sure, a wrong action happens to be drawn. Only then is the score $e_a - \pi$ long. Such a mistake has weight −1
# without baseline, but $-1 - 2.8$ with the mean reward 2.8, and $3.8^2 \approx 14$. The best constant of the toy,
# $b^\ast$, takes this into account: it weighs each reward with the squared length of the score. Here the long scores
# belong to the mistakes, so $b^\ast$ lies near −1, the reward of a mistake, and with $b = -1$ the noise is about 1 to
# 3. "Subtract the mean reward" is a rule of thumb that removes a constant, not the best baseline.
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
# at least as good (80 % against 78 %). Also, noise is not the only effect: Adam divides by the size of the recent
# gradients, so the noise also changes the size of its steps.
#
# *Arg-max:* the same constant, which has no meaning, decides between success and failure. With +13 and +9 the most
# likely action is always reinforced, right or wrong, and the networks learn nothing (24 %). With the batch mean, on the
# other hand, the arg-max rule does very well on the training points (88 %), better than sampling after the same number
# of steps. This is an honest result, and a warning. Subtracting a mean near 3 turns the rule into "leave the right ones
# alone, push the wrong ones away", which is how the perceptron learns; for a deterministic reward with few actions it
# is a good rule. But it is no estimate of $\nabla J$: the mean of an unbiased estimate does not depend on $b$, and this
# one does. Where rewards are noisy, or the best policy is itself random, or there are many actions (words, for
# instance), the rule fails.
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
# no longer drawn. So a mistake that is made with certainty tends to stay; in our run 9 of 10 of the remaining mistakes
# were of that kind. Two more limits: each sample tells only about one action, so the number of samples needed grows
# with the number of actions; and a reward that is nearly always the same gives no direction.

# %% [markdown]
# ## 8. Questions
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
# is kept in the log and does not count for or against you.

# %%
process = {"sources": "", "people": "", "hours": None}

# %% [markdown]
# ## 9. Your log
#
# The next cell defines your per-student inputs: they are drawn from your student id. The last cell asks your functions for
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

    return {
        "sample_actions": ask_sample_actions,
        "policy_gradient_loss": ask_policy_gradient_loss,
        "train_policy": ask_train_policy,
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
