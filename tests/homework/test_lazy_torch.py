"""torch is imported by the first use of it; what waits for it is done right after its import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from homework import lazy_torch
from tests.conftest import ROOT


def printed(code: str, **environment: str) -> list[str]:
    """What a new process prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.check_output(command, text=True, timeout=300, env=variables).splitlines()


@pytest.fixture
def without_torch(tmp_path: Path) -> str:
    """A search path on which torch cannot be imported."""
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')")
    return f"{tmp_path}{os.pathsep}{ROOT}"


def test_what_waits_for_torch_is_done_after_its_import_once_and_in_the_place_of_the_stand_in() -> None:
    code = """
import sys
from homework import checks, comparison, lazy_torch, seeds
from homework.lazy_torch import is_tensor, when_imported
stand_in = lazy_torch.torch
seeds.seed_everything(1)
seeds.seed_everything(5)
when_imported(lambda: print("dropped"))()
when_imported(lambda: print("old"), "name")
when_imported(lambda: print("done"), "name")
print(is_tensor([1.0]), lazy_torch.is_grad_enabled(), checks.close([1.0], [1.0], ""), "torch" in sys.modules)
drawn = checks.torch.rand(2)
import torch
print(checks.torch is torch is comparison.torch is not stand_in, is_tensor(drawn), torch.initial_seed())
print(torch.equal(drawn, torch.rand(2, generator=torch.Generator().manual_seed(5))))
when_imported(lambda: print("now"))
"""
    assert printed(code) == ["False True True False", "done", "True True 5", "True", "now"]


def test_a_run_in_profile_grade_needs_no_torch_and_gets_torchs_device_later() -> None:
    code = """
import sys, homework
run = homework.start("vae", seed=3)
print(run.device, "torch" in sys.modules)
import torch
print(repr(run.device), torch.initial_seed())
homework.start("vae", seed=3)
"""
    assert printed(code, HOMEWORK_PROFILE="grade") == [
        "vae · profile grade · cpu · seed 3",
        "cpu False",
        "device(type='cpu') 3",
        f"vae · profile grade · cpu · seed 3 · torch {torch.__version__.split('+')[0]}",
    ]


def test_a_notebook_without_torch_runs_where_it_is_not_installed(without_torch: str, tmp_path: Path) -> None:
    code = """
import json, homework, numpy as np
from homework import lazy_torch
from homework.show import matrices, plots, surfaces
from homework.checks import close, fresh_numpy
from homework.hand_in.log import SubmissionLog
run = homework.start("toy")
print(run.size(full=3, mini=2, grade=1), lazy_torch.is_available())
plots.curves({"a": np.arange(3.0), "b": [1.0, 2.0]}, title="t", xlabel="x")
log = SubmissionLog(run, "ada")
log.answers(lambda student, draws: {"f": lambda: draws("f").arrays.normal(2), "g": lambda: np.random.rand()})
record = json.loads(log.write(LOG).read_text())
print(record["environment"]["torch"], close(record["answers"]["g"], 0.5488135, ""))
try:
    homework.checks.fresh(1)
except ImportError as error:
    print(error)
"""
    lines = printed(f"LOG = {str(tmp_path / 'log.json')!r}\n{code}", PYTHONPATH=without_torch)
    assert lines[:2] == ["toy · profile mini · cpu · seed 0", "2 False"]
    assert lines[-2:] == ["none True", "no torch here"]


def test_a_file_of_that_name_is_not_taken_for_torch(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("x = 1")
    code = (
        "from homework import lazy_torch; import torch; print(lazy_torch.is_available(), lazy_torch.is_tensor(torch))"
    )
    assert printed(code, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}") == ["False False"]


def test_values_are_recognised() -> None:
    tensor, layer = torch.zeros(2), torch.nn.Linear(1, 1)
    assert lazy_torch.is_imported() and lazy_torch.torch is torch
    assert [lazy_torch.is_tensor(value) for value in (tensor, layer, 1)] == [True, False, False]
    assert [lazy_torch.is_module(value) for value in (tensor, layer, 1)] == [False, True, False]
    assert [lazy_torch.is_dtype(value) for value in (tensor, torch.int8, "int8")] == [False, True, False]
    with lazy_torch.set_grad_enabled(False):
        assert not lazy_torch.is_grad_enabled()
