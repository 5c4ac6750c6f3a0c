# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A toy problem
#
# **Goal.** Bring data to mean 0 and variance 1, then draw a straight line through it.
#
# **Minutes.** One on a laptop, in `mini` and in `full`.

# %% tags=["install"]
from importlib.util import find_spec

if find_spec("homework") is None:  # on Colab: installs what is missing, the torch that is there stays
    get_ipython().run_line_magic("pip", "install -q STUDENT_PACKAGE")  # noqa: F821

# %%
import torch
from torch import nn

import homework
from homework import reference, student
from homework.checks import close, fresh, part

run = homework.start("toy")
EPS = 1e-5


def example_batch() -> torch.Tensor:
    """A small batch `[B, D]` for trying things out."""
    return torch.tensor([[1.0, -4.0], [3.0, 0.0], [5.0, 4.0]])


# %% [markdown]
# ## 1 Standardize
#
# For data $x$ of shape `[B, D]`, with the mean $\mu$ and the (biased) variance $\sigma^2$ taken over the batch,
# $$y = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}.$$
# For `x = [[1], [3]]` and $\varepsilon = 0$ we get `[[-1], [1]]`.


# %% nbgrader={"grade": false, "grade_id": "standardize", "locked": false, "schema_version": 3, "solution": true, "task": false}
def standardize(x: torch.Tensor, eps: float = EPS) -> torch.Tensor:
    """Brings every column to mean 0 and variance 1.

    Args:
        x: data, `[B, D]`.
        eps: added to the variance.

    Returns:
        `[B, D]`; `[[1.], [3.]]` gives about `[[-1.], [1.]]`.
    """
    ### BEGIN SOLUTION
    mu = x.mean(dim=0, keepdim=True)
    spread = ((x - mu) ** 2).mean(dim=0, keepdim=True)
    return (x - mu) / torch.sqrt(spread + eps)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_standardize", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
x = torch.tensor([[1.0], [3.0]])
assert close(student.standardize(x, eps=1e-6), [[-1.0], [1.0]], "is the variance the biased one (divided by B)?")
y = student.standardize(example_batch())
assert close(y.mean(dim=0), torch.zeros(2), "the mean of each column must be 0", atol=1e-5)
print("standardize: all visible checks passed")
### BEGIN HIDDEN TESTS
hidden_x = 5 + 3 * torch.randn(7, 4, generator=fresh(11))
with part("values", 8):
    assert close(student.standardize(hidden_x), reference.standardize(hidden_x), "wrong on other data")
    assert close(student.standardize(hidden_x * 0), torch.zeros(7, 4), "constant columns: is eps under the root?")
with part("gradient", 4):
    with_gradient = hidden_x.clone().requires_grad_()
    (student.standardize(with_gradient) ** 3).sum().backward()
    expected_x = hidden_x.clone().requires_grad_()
    (reference.standardize(expected_x) ** 3).sum().backward()
    assert close(with_gradient.grad, expected_x.grad, "the gradient must flow through mean and variance", atol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# ## 2 A line
#
# $y = a x + b$ with learnable slope $a$ and intercept $b$.


# %% nbgrader={"grade": false, "grade_id": "Line", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Line(nn.Module):
    """A straight line with learnable slope and intercept, both scalars."""

    def __init__(self, slope: float = 1.0, intercept: float = 0.0):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))
        self.intercept = nn.Parameter(torch.tensor(intercept))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Evaluates slope * x + intercept; x of any shape, the result of the same shape."""
        ### BEGIN SOLUTION
        return torch.addcmul(self.intercept, self.slope, x)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test_Line", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false} seconds=10
line = student.Line(slope=2.0, intercept=1.0)
assert close(line(torch.tensor([0.0, 3.0])), [1.0, 7.0], "slope and intercept swapped?")
print("Line: all visible checks passed")
### BEGIN HIDDEN TESTS
steep = student.Line(slope=-3.0, intercept=0.5)
points = torch.linspace(-2.0, 2.0, 9)
assert close(steep(points), -3.0 * points + 0.5, "wrong for a negative slope")
steep(points + 1.0).sum().backward()
assert close(steep.slope.grad, 9.0, "the gradient of the slope is the sum of x")
assert close(steep.intercept.grad, 9.0, "the gradient of the intercept is the number of points")
### END HIDDEN TESTS

# %% [markdown]
# ## 3 Training

# %% tags=["train"]
from homework.train import training

STEPS = run.size(full=200, mini=50, grade=2)
inputs = standardize(example_batch())[:, :1]
targets = 2.0 * inputs + 1.0
model = Line(0.0, 0.0)
optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
loop = training.Loop(
    run, "line", steps=STEPS, modules={"model": model, "optimizer": optimizer}, code=[standardize, Line]
)
for _ in loop:
    loss = ((model(inputs) - targets) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    loop.record(loss=float(loss))

# %% [markdown]
# ## 4 A figure
#
# Predict, then run: draw the loss over the steps. What shape has it on a logarithmic axis?

# %% nbgrader={"grade": true, "grade_id": "figure_loss", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false} tags=["experiment"]
from homework.show import plots

### BEGIN SOLUTION
figure = plots.curves({"training loss": loop.history["loss"]}, title="A line is learnt", xlabel="step", logy=True)
### END SOLUTION
### BEGIN MARK SCHEME
# - 1 point: the axes are labelled with quantity and unit
# - 1 point: the vertical axis is logarithmic and the curve falls
### END MARK SCHEME

# %% [markdown]
# ## 5 A question
#
# Why do we divide by the standard deviation and not by the variance?

# %% [markdown] nbgrader={"grade": true, "grade_id": "written_units", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The standard deviation carries the unit of the data, so the quotient is a pure number;
# dividing by the variance would leave one over that unit.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 2 points: names the units, or the scale, of deviation and variance
# - 1 point: says that the quotient has variance one only with the deviation
# ### END MARK SCHEME

# %% [markdown]
# ## 6 How you worked (not graded)

# %%
process = {"sources": "", "people": "", "hours": None}


# %% tags=["answers"]
def personal_answers(student, draws):
    """Inputs that belong to one student: item id -> a function that asks the student's code for its answer."""

    def standardize():
        d = draws("standardize")
        return student.standardize(d.normal(4, 2))

    def Line():
        d = draws("Line")
        return student.Line(slope=1.5, intercept=-0.5)(d.normal(3))

    return {"standardize": standardize, "Line": Line}


# %% tags=["log"]
from homework.hand_in.log import SubmissionLog

log = SubmissionLog(run)
log.answers(personal_answers)
log.metric("toy/final_loss", values=loop.history["loss"][-1:])
log.process(**process)
log.write()

# %% [markdown]
# ## References
#
# Any textbook on statistics.
