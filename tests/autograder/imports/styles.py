"""Three assignments in the style of public courses: numpy with loops and arrays, pandas with a table, torch."""
# ruff: noqa: E501  (an answer stays on a line)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nbformat import NotebookNode

from tests.autograder.imports.notebooks import given, graded_by, manual, solution, text

HIDE = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"


@dataclass(frozen=True)
class Assignment:
    """An assignment, and answers by the grade id of their cell."""

    cells: list[NotebookNode]
    right: Mapping[str, str]
    wrong: Mapping[str, str]
    in_process: frozenset[str] = frozenset()
    """Items whose tests must run inside the student's process."""
    files: Mapping[str, str] = field(default_factory=dict)


def _solution(grade_id: str, signature: str, body: str) -> NotebookNode:
    inner = "\n".join(f"    {line}" for line in body.split("\n"))
    head = f'{signature}\n    """See above."""'
    return solution(f"{head}\n    ### BEGIN SOLUTION\n{inner}\n    ### END SOLUTION", grade_id)


NUMPY = Assignment(
    [
        text("# Week 2: arrays\n\nUse loops first, then numpy."),
        given("import numpy as np\nrng = np.random.default_rng(0)\ndata = rng.normal(size=(20, 3))\ntolerance = 1e-8"),
        _solution("normalize", "def normalize(x):", "return (x - x.mean(axis=0)) / x.std(axis=0)"),
        graded_by(
            "z = normalize(data)\nassert z.shape == data.shape, 'the shape must stay'\n"
            "np.testing.assert_allclose(z.mean(axis=0), 0, atol=tolerance)\n"
            + HIDE.format("np.testing.assert_allclose(z.std(axis=0), 1, atol=tolerance)"),
            "test_normalize",
            3,
        ),
        _solution(
            "pairwise",
            "def pairwise(a, b):",
            "return np.array([[np.sqrt(((p - q) ** 2).sum()) for q in b] for p in a])",
        ),
        graded_by("assert pairwise(data[:2], data[:3]).shape == (2, 3)", "pairs_shape", 1),
        graded_by(
            "expected = np.linalg.norm(data[:, None] - data[None], axis=-1)\n"
            "assert np.allclose(pairwise(data, data), expected)",
            "pairs_values",
            2,
        ),
        solution("distances = pairwise(data, data)\nnearest = distances.argsort(axis=1)[:, 1]", "nearest"),
        graded_by(
            "assert nearest.shape == (20,)\nassert nearest.dtype.kind == 'i'\n"
            + HIDE.format("assert (nearest != np.arange(20)).all()"),
            "test_nearest",
            2,
        ),
        _solution(
            "mode",
            "def mode(values):",
            "counts = {}\nfor v in values:\n    counts[v] = counts.get(v, 0) + 1\nreturn {v for v in counts if counts[v] == max(counts.values())}",
        ),
        graded_by("assert mode([1, 2, 2]) == {2}\nassert mode('ab') == {'a', 'b'}", "test_mode", 1),
        _solution("report", "def report(x):", "print(f'mean {x.mean():.2f}')"),
        graded_by(
            "from io import StringIO\nfrom contextlib import redirect_stdout\nout = StringIO()\n"
            "with redirect_stdout(out):\n    report(np.array([1.0, 2.0]))\nassert out.getvalue() == 'mean 1.50\\n'",
            "test_report",
            1,
        ),
        text("Loops or numpy?", "essay", 2),
    ],
    right={
        "normalize": "def normalize(x):\n    centred = x - np.mean(x, 0)\n    return centred / np.sqrt((centred**2).mean(0))",
        "pairwise": "pairwise = lambda a, b: np.linalg.norm(a[:, None, :] - b[None, :, :], axis=2)",
        "nearest": "d = pairwise(data, data).copy()\nnp.fill_diagonal(d, np.inf)\nnearest = np.argmin(d, axis=1)",
        "mode": "from collections import Counter\ndef mode(values):\n    c = Counter(values)\n    return set(k for k, n in c.items() if n == max(c.values()))",
        "report": "def report(x):\n    print('mean', format(x.mean(), '.2f'))",
    },
    wrong={
        "normalize": "def normalize(x):\n    return x - x.mean(axis=0)",
        "pairwise": "def pairwise(a, b):\n    return np.abs(a[:, None] - b[None]).sum(-1)",
        "nearest": "nearest = np.arange(20)",
        "mode": "def mode(values):\n    return {max(set(values), key=list(values).count)}",
        "report": "def report(x):\n    print(x.mean())",
    },
    in_process=frozenset({"report"}),
)

PANDAS = Assignment(
    [
        text("# Rents\n\nThe file `rents.csv` has a row for each flat."),
        given("import pandas as pd\nimport matplotlib.pyplot as plt\nrents = pd.read_csv('rents.csv')\nrents.head()"),
        solution("n_flats = len(rents)\ncities = sorted(rents['city'].unique())", "explore"),
        graded_by("assert n_flats == 6\nassert cities == ['Bern', 'Ulm']", "test_explore", 1),
        solution("clean = rents.dropna(subset=['rent']).copy()\nclean['per_room'] = clean.rent / clean.rooms", "clean"),
        graded_by("assert 'per_room' in clean.columns\nassert len(clean) == 5", "clean_visible", 1),
        graded_by(
            HIDE.format("assert clean.rent.notna().all()\nassert abs(clean.per_room.iloc[0] - 400) < 1e-9"),
            "clean_hidden",
            2,
        ),
        _solution("by_city", "def by_city(frame):", "return frame.groupby('city').rent.mean()"),
        graded_by(
            "result = by_city(clean)\nassert isinstance(result, pd.Series)\nassert set(result.index) == {'Bern', 'Ulm'}\n"
            + HIDE.format(
                "small = pd.DataFrame({'city': ['A', 'A', 'B'], 'rent': [1.0, 3.0, 5.0]})\n"
                "pd.testing.assert_series_equal(by_city(small), pd.Series({'A': 2.0, 'B': 5.0}), check_names=False)"
            ),
            "test_by_city",
            3,
        ),
        solution("ax = by_city(clean).plot.bar(ylabel='rent in EUR')", "plot"),
        graded_by("assert ax.get_ylabel() == 'rent in EUR'\nassert len(ax.patches) == 2", "test_plot", 1),
        manual("clean.rent.hist()", "histogram", 2),
    ],
    right={
        "explore": "n_flats = rents.shape[0]\ncities = ['Bern', 'Ulm']",
        "clean": "clean = rents[rents.rent.notnull()].assign(per_room=lambda f: f.rent / f.rooms)",
        "by_city": "def by_city(frame):\n    return frame.pivot_table(index='city', values='rent')['rent']",
        "plot": "fig, ax = plt.subplots()\nmeans = by_city(clean)\nax.bar(means.index, means.values)\nax.set_ylabel('rent in EUR')",
    },
    wrong={
        "explore": "n_flats = 5\ncities = ['Bern', 'Ulm']",
        "clean": "clean = rents.fillna(0)\nclean['per_room'] = clean.rent / clean.rooms",
        "by_city": "def by_city(frame):\n    return frame.groupby('city').rent.max()",
        "plot": "ax = by_city(clean).plot.bar(ylabel='rent')",
    },
    in_process=frozenset({"ax"}),
    files={"rents.csv": "city,rooms,rent\nBern,2,800\nBern,3,1500\nUlm,1,\nUlm,2,700\nUlm,3,900\nBern,1,700\n"},
)

TORCH = Assignment(
    [
        text("# A linear model"),
        given(
            "import torch\nfrom torch import nn\ntorch.manual_seed(0)\nx = torch.linspace(-1, 1, 21).unsqueeze(1)\ny = 2 * x + 1"
        ),
        solution(
            "class Linear(nn.Module):\n    def __init__(self, n_in, n_out):\n        super().__init__()\n"
            "        self.weight = nn.Parameter(torch.zeros(n_out, n_in))\n        self.bias = nn.Parameter(torch.zeros(n_out))\n\n"
            "    def forward(self, x):\n        return x @ self.weight.T + self.bias",
            "linear",
        ),
        graded_by(
            "model = Linear(1, 1)\nassert model(x).shape == (21, 1)\nassert sum(p.numel() for p in model.parameters()) == 2",
            "test_linear",
            2,
        ),
        _solution("mse", "def mse(got, want):", "return ((got - want) ** 2).mean()"),
        graded_by(
            "a = torch.tensor([1.0, 2.0], requires_grad=True)\nloss = mse(a, torch.zeros(2))\nassert loss.item() == 2.5\n"
            + HIDE.format("loss.backward()\nassert torch.allclose(a.grad, torch.tensor([1.0, 2.0]))"),
            "test_mse",
            2,
        ),
        solution(
            "def fit(model, x, y, steps=200, lr=0.5):\n    optimizer = torch.optim.SGD(model.parameters(), lr=lr)\n"
            "    for _ in range(steps):\n        optimizer.zero_grad()\n        mse(model(x), y).backward()\n        optimizer.step()\n"
            "    return model",
            "fit",
        ),
        graded_by(
            "fitted = fit(Linear(1, 1), x, y)\nassert mse(fitted(x), y) < 1e-3\n"
            + HIDE.format("assert abs(fitted.weight.item() - 2) < 0.1\nassert abs(fitted.bias.item() - 1) < 0.1"),
            "test_fit",
            4,
        ),
    ],
    right={
        "linear": "class Linear(nn.Module):\n    def __init__(self, n_in, n_out):\n        super().__init__()\n"
        "        self.inner = nn.Linear(n_in, n_out)\n        self.weight, self.bias = self.inner.weight, self.inner.bias\n\n"
        "    def forward(self, x):\n        return self.inner(x)",
        "mse": "mse = nn.MSELoss()",
        "fit": "def fit(model, x, y, steps=100):\n    opt = torch.optim.Adam(model.parameters(), lr=0.1)\n    for _ in range(steps):\n"
        "        opt.zero_grad()\n        loss = mse(model(x), y)\n        loss.backward()\n        opt.step()\n    return model",
    },
    wrong={
        "linear": "class Linear(nn.Module):\n    def __init__(self, n_in, n_out):\n        super().__init__()\n"
        "        self.weight = nn.Parameter(torch.zeros(n_out, n_in))\n\n    def forward(self, x):\n        return x @ self.weight.T",
        "mse": "def mse(got, want):\n    return ((got - want) ** 2).sum()",
        "fit": "def fit(model, x, y):\n    return model",
    },
)
