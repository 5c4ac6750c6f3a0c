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
# # TITLE
#
# The goal is a figure with two training curves (section 3). Both networks have ten layers, the same data and the same optimizer. The only difference: in one of them each layer divides its input by its size. You write this division and such a layer, predict what they change, and then see it.
#
# **What you will learn**
#
# * how the activations of a layer are normalised, without any knowledge of the rest of the batch;
# * what this does to the training of a deep network.
#
# **What you need**: means, square roots, and a little PyTorch.
#
# | | profiles `full` and `mini` |
# |---|---|
# | data | 512 points on two rings, made by the notebook |
# | training | two networks of 300 steps |
# | hardware | any laptop, no network |
# | time to run | a few seconds |
#
# Plan one hour for reading, writing and thinking.
#
# | graded | points |
# |---|---|
# | `rms_normalize` | 10 |
# | `NormalizedLayer` | 10 |
# | written answer and the figure | 6 |
#
# **One rule for all tasks.** Your functions leave their arguments as they are: the caller may need them again. So no `x /= ...` on what you were given; work on new tensors. The tests check this.

# %% tags=["install"]
from importlib.util import find_spec

if find_spec("homework") is None:  # on Colab: installs what is missing and keeps the installed torch
    get_ipython().run_line_magic("pip", "install -q STUDENT_PACKAGE")  # noqa: F821

# %%
import math

import torch
import torch.nn.functional as F
from torch import nn

import homework
from homework import reference, student
from homework.arguments import watched
from homework.checks import close, fresh, has_shape, part
from homework.hand_in.log import SubmissionLog
from homework.show import plots
from homework.train import training

run = homework.start("PROBLEM")
if run.profile != "full":
    torch.set_num_threads(1)  # for networks as small as these more threads bring little speed

# %% [markdown]
# ## 1. `rms_normalize`: activations of size one (10 points)
#
# Each layer of a deep network multiplies its input by a matrix. If the entries of these matrices are a little too small, the activations shrink from layer to layer, and the gradients shrink with them; if they are too large, both grow. The remedy is to divide each activation vector by its own size before the layer uses it.
#
# The size of a vector $x$ with `D` entries is here its *root mean square*. With a small number $\varepsilon$ against division by zero,
#
# $$y_i = \frac{x_i}{\sqrt{\frac{1}{D} \sum_j x_j^2 + \varepsilon}} .$$
#
# In code `x` has the shape `[..., D]`: the last dimension holds the features, and every vector along it is divided by its own size. So the result for one example does not depend on the others in the batch.
#
# *Worked number.* The mean square of `[1, 7]` is (1 + 49) / 2 = 25. So with $\varepsilon$ = 0 the result is `[0.2, 1.4]`.
#
# <details><summary>Hint 1: idea</summary>
#
# Over which dimension do you take the mean, and which shape must it have so that `x` can be divided by it?
#
# </details>
# <details><summary>Hint 2: sketch of the code</summary>
#
# One line for the mean of the squares, with `dim=-1` and `keepdim=True`; one line for the quotient.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "rms_normalize", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rms_normalize(x, eps=1e-6):
    """Divides each vector of features by its root mean square.

    Zhang and Sennrich 2019, equation 4, without the gain. The result is differentiable in x.

    Args:
        x: activations, `[..., D]`.
        eps: added to the mean square, so that a vector of zeros stays a vector of zeros.

    Returns:
        `[..., D]`, the shape of x. Example: x = [[1, 7]] and eps = 0 give [[0.2, 1.4]].
    """
    ### BEGIN SOLUTION
    mean_square = (x**2).mean(dim=-1, keepdim=True)
    return x / torch.sqrt(mean_square + eps)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_rms_normalize", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
x = torch.tensor([[1.0, 7.0], [3.0, 3.0]])
y = student.rms_normalize(x, eps=0.0)
assert isinstance(y, torch.Tensor), "return a tensor [..., D]"
assert has_shape(y, (2, 2), "the result has the shape of x")
assert close(y[0], [0.2, 1.4], "the worked number: divide by the square root of the mean of the squares")
assert close(y[1], [1.0, 1.0], "the second vector: is each vector divided by its own size, not by one of the batch?")
assert close(student.rms_normalize(torch.zeros(1, 3)), torch.zeros(1, 3), "zeros must stay zeros: is eps added?")
print("rms_normalize: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(1)
with part("values", 5):
    for shape in [(5, 3), (1, 1), (2, 4, 6), (7,)]:
        x = 3 * torch.randn(*shape, generator=g)
        assert close(student.rms_normalize(x), reference.rms_normalize(x), "other shapes and values")
    x = 2 + torch.randn(4, 8, generator=g)
    size = (student.rms_normalize(x) ** 2).mean(dim=-1)
    assert close(size, torch.ones(4), "the mean square of each result must be 1", rtol=1e-3)
with part("eps", 2):
    x = torch.full((2, 3), 0.01)
    assert close(student.rms_normalize(x, eps=0.0021), x / math.sqrt(0.0022), "eps is added below the square root")
    x = 1e-3 * torch.randn(3, 5, generator=g)
    assert close(student.rms_normalize(x), reference.rms_normalize(x), "very small vectors: the default of eps")
with part("gradient", 3):
    x = torch.randn(4, 3, generator=g)
    weights = torch.randn(4, 3, generator=g)
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    (weights * student.rms_normalize(ours)).sum().backward()
    (weights * reference.rms_normalize(theirs)).sum().backward()
    assert ours.grad is not None, "no gradient reaches x"
    assert close(ours.grad, theirs.grad, "the gradient must flow through the root mean square too", atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# ## 2. `NormalizedLayer`: a layer that normalises its input (10 points)
#
# After the division all vectors have the same size. So that the network can still choose how strongly it uses each feature, a learnable *gain* $g$ multiplies them, entry by entry; at the start it is 1. Then come a linear map and a ReLU:
#
# $$\text{layer}(x) = \max\big(0,\; W\,(g \odot \text{rms\_normalize}(x)) + b\big) .$$
#
# The constructor is given. In code `x` has the shape `[B, inputs]`, `gain` the shape `[inputs]`, and the result `[B, outputs]`. Use your `rms_normalize` with its default `eps`. (For your points here it need not be right.)
#
# *Worked number.* One output, $W$ = `[[5, 1]]`, $b$ = 0 and $g$ = `[1, 2]`: for $x$ = `[1, 7]` the normalised vector is `[0.2, 1.4]`, with the gain `[0.2, 2.8]`, and the result is `[3.8]`. For $x$ = `[-1, -7]` it is `[0]`.
#
# <details><summary>Hint: idea</summary>
#
# Read the formula from the inside to the outside: normalise, gain, linear map, ReLU.
#
# </details>


# %% nbgrader={"grade": false, "grade_id": "NormalizedLayer", "locked": false, "schema_version": 3, "solution": true, "task": false}
class NormalizedLayer(nn.Module):
    """Normalises its input, multiplies it by a learnable gain, and applies a linear map and a ReLU.

    Args:
        inputs: number of input features.
        outputs: number of output features.
    """

    def __init__(self, inputs, outputs):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(inputs))
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        """Returns the activations `[B, outputs]` for x `[B, inputs]`; see the formula above."""
        ### BEGIN SOLUTION
        return F.relu(self.linear(self.gain * rms_normalize(x)))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_NormalizedLayer", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
weights = {"gain": [1.0, 2.0], "linear.weight": [[5.0, 1.0]], "linear.bias": [0.0]}
layer = student.NormalizedLayer(2, 1)
layer.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
if torch.allclose(student.rms_normalize(torch.tensor([1.0, 7.0])), torch.tensor([0.2, 1.4])):  # else solve task 1 first
    y = layer(torch.tensor([[1.0, 7.0], [-1.0, -7.0]]))
    assert has_shape(y, (2, 1), "the result has the shape [B, outputs]")
    assert close(y[0], [3.8], "the worked number: normalise, gain, linear map, ReLU, in this order")
    assert close(y[1], [0.0], "the second worked number: a negative sum becomes 0")
print("NormalizedLayer: all visible checks passed")
### BEGIN HIDDEN TESTS
g = fresh(2)
sizes = {"gain": (4,), "linear.weight": (3, 4), "linear.bias": (3,)}
weights = {name: torch.randn(*shape, generator=g) for name, shape in sizes.items()}
layer, right = student.NormalizedLayer(4, 3), reference.NormalizedLayer(4, 3)
layer.load_state_dict(weights)
right.load_state_dict(weights)
with part("values", 6):
    for scale in (0.01, 1.0, 100.0):
        x = scale * torch.randn(16, 4, generator=g)
        assert close(watched(layer)(x), right(x), "other weights and inputs", rtol=1e-3, atol=1e-4)
with part("gradients", 4):
    x = torch.randn(16, 4, generator=g)
    layer(x).sum().backward()
    right(x).sum().backward()
    assert layer.gain.grad is not None, "no gradient reaches the gain"
    assert close(layer.gain.grad, right.gain.grad, "the gradient of the gain", rtol=1e-3, atol=1e-4)
    assert close(layer.linear.weight.grad, right.linear.weight.grad, "the gradient of W", rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# ## 3. Two deep networks
#
# The task: points in the plane lie on one of two rings, and the network says on which one. Both networks have ten layers; in one of them the eight layers in the middle normalise their input.


# %%
def two_rings(count, generator):
    """Returns points on two rings, `[count, 2]`, and the ring of each, 0 or 1, `[count]`."""
    ring = (torch.arange(count) % 2).float()
    radius = 1 + ring + 0.15 * torch.randn(count, generator=generator)
    angle = 2 * math.pi * torch.rand(count, generator=generator)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1), ring


def deep_network(normalized, width=32, depth=8):
    """Returns a network with `depth` layers between the first and the last one."""
    middle = [
        NormalizedLayer(width, width) if normalized else nn.Sequential(nn.Linear(width, width), nn.ReLU())
        for _ in range(depth)
    ]
    return nn.Sequential(nn.Linear(2, width), nn.ReLU(), *middle, nn.Linear(width, 1))


STEPS = run.size(full=300, mini=300, grade=2)


def train(name, normalized):
    """Trains one network; returns its loss at each step."""
    homework.seed_everything(run.seed)
    points, ring = two_rings(512, torch.Generator().manual_seed(run.seed))
    network = deep_network(normalized)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    code = [rms_normalize, NormalizedLayer, two_rings, deep_network, train]
    loop = training.Loop(run, name, steps=STEPS, modules={"network": network, "optimizer": optimizer}, code=code)
    for _ in loop:
        loss = F.binary_cross_entropy_with_logits(network(points)[:, 0], ring)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loop.record(loss=loss.detach())
    return loop.history["loss"]


# %% [markdown]
# **Predict, then run.** At the start a network knows nothing, and its loss is near $\log 2 \approx 0.69$. How far does each of the two come in 300 steps?

# %% tags=["train"]
losses = {
    "without normalisation": train("without", normalized=False),
    "with normalisation": train("with", normalized=True),
}

# %% [markdown]
# ### The figure (3 points)
#
# Draw both curves into one figure with `plots.curves`: the loss over the steps, with a logarithmic vertical axis, a title and a name for each axis. Mark the loss of guessing, $\log 2$, with `levels`.

# %% nbgrader={"grade": true, "grade_id": "figure_training", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false} tags=["experiment"]
### BEGIN SOLUTION
plots.curves(
    losses,
    title="A network of ten layers learns two rings",
    xlabel="step",
    ylabel="training loss (nats per point)",
    logy=True,
    levels={"guessing": math.log(2)},
)
### END SOLUTION
### BEGIN MARK SCHEME
# - 1 point: both curves in one figure, with a legend that says which is which
# - 1 point: a logarithmic vertical axis, and the level of guessing
# - 1 point: a title, and a name for each axis
### END MARK SCHEME

# %% [markdown]
# With normalisation the loss falls below 0.01 within 300 steps; without it stays at 0.693 (six seeds each). Nothing is wrong with the second network: with other starting weights it learns as well. With PyTorch's own ones each layer passes on activations that differ less and less between two inputs, until the bias is all that is left.

# %% [markdown]
# ## 4. A question
#
# ### Ten times as large (3 points)
#
# Suppose that all activations `x` that enter a `NormalizedLayer` become ten times as large. What happens to its result, and what to the gradient of the loss with respect to `x`? Derive both from the formula of section 1 with $\varepsilon$ = 0, and say what follows for a deep network. About 80 words.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_scale", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# With $\varepsilon = 0$ numerator and denominator both grow by the factor ten: $f(10\,x) = f(x)$, so the result does not change.
#
# Differentiating both sides gives $10\, f'(10\,x) = f'(x)$: the gradient with respect to `x` becomes a tenth.
#
# So the size of what the layers below compute does not matter: it can neither vanish nor explode on its way up, and large activations get proportionally smaller gradients.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 1 point: the result does not change, since the factor cancels
# - 1 point: the gradient becomes a tenth, with a derivation
# - 1 point: the size of the activations cannot grow or shrink from layer to layer
# ### END MARK SCHEME

# %% [markdown]
# ### How was it made? (not graded)
#
# Fill in what you used (lectures, papers, sites, language models), with whom you worked, and about how many hours it took. It is kept in the log and does not count for or against you.

# %%
process = {"sources": "", "people": "", "hours": None}

# %% [markdown]
# ## 5. Your log
#
# The next cell defines your per-student inputs: they are drawn from your student id. The last cell asks your code for its answers, adds your measured numbers and writes `submission_log.json`. Submit it together with this notebook.


# %% tags=["answers"]
def personal_answers(student, draws):
    """Per-student inputs: item id -> a function that asks the student's code for its answer."""

    def ask_rms_normalize():
        d = draws("rms_normalize")
        return student.rms_normalize(d.normal(3, 4))

    def ask_NormalizedLayer():  # noqa: N802
        d = draws("NormalizedLayer")
        layer = student.NormalizedLayer(4, 3)
        layer.load_state_dict({name: d.normal(*weight.shape) for name, weight in dict(layer.state_dict()).items()})
        return layer(d.normal(5, 4))

    return {"rms_normalize": ask_rms_normalize, "NormalizedLayer": ask_NormalizedLayer}


# %% tags=["log"]
log = SubmissionLog(run)
log.bands(  # the expected range of each number, from runs with six seeds
    {
        "PROBLEM/loss_without": {"mini": (0.68, 0.70)},
        "PROBLEM/loss_with": {"mini": (0.001, 0.01)},
    }
)
log.answers(personal_answers)
with log.measurements():
    for name, curve in zip(("without", "with"), losses.values(), strict=True):
        log.metric(f"PROBLEM/loss_{name}", value=curve[-1], evidence={"first": curve[0], "steps": STEPS})
log.process(**process)
log_file = log.write()

# %% [markdown]
# ## References
#
# * B. Zhang, R. Sennrich: *Root Mean Square Layer Normalization*. NeurIPS 2019. arXiv:1910.07467.
# * J. L. Ba, J. R. Kiros, G. E. Hinton: *Layer Normalization*. 2016. arXiv:1607.06450.
