"""The benchmark of training steps, in its smallest size."""

from __future__ import annotations

import re

import pytest

from benchmarks import training_steps


@pytest.mark.kernel
def test_it_says_how_fast_both_networks_train(capsys: pytest.CaptureFixture[str]) -> None:
    assert training_steps.main(["--size", "tiny", "--steps", "5", "--batch", "8"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[1:]] == ["t5", "encoder"]
    for line in lines[1:]:
        found = re.search(r"([\d,]+) tokens per second, last loss ([\d.]+)", line)
        assert found and int(found[1].replace(",", "")) > 0 and 0 < float(found[2]) < 20
