"""Which cells need to be redirected to the CPU."""

from __future__ import annotations

import pytest

from autograder.sandbox.guest.no_gpu import names_gpu


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("x.cuda()", True),
        ("device = 'cuda'", True),
        ("assert torch.cuda.is_available()\nx.to('cuda')", True),
        ("device = 'cuda' if torch.cuda.is_available() else 'cpu'", False),
        ('device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")', False),
        ("torch.cuda.manual_seed_all(0)", False),
        ("x = 1", False),
    ],
)
def test_only_cells_that_name_a_gpu_without_asking_for_one_are_redirected(source: str, named: bool) -> None:
    assert names_gpu(source) is named
