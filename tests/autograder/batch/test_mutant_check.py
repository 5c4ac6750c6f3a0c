"""`autograder check --mutants` finds what hidden tests do not check, and rewritings that lose points."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.batch import mutant_check
from autograder.batch.mutant_check import Fate, check_mutants
from autograder.cli.main import app
from autograder.core.errors import SourceError
from autograder.core.results import ItemResult, Status
from autograder.course.mutation import Rewritten
from autograder.course.problem import load_problem
from tests.autograder.toy import ROOT as TOY
from tests.autograder.toy import course_copy
from tests.conftest import ROOT

pytestmark = pytest.mark.kernel


def test_a_mutant_that_gives_other_answers_and_gets_full_marks_is_a_survivor(monkeypatch: pytest.MonkeyPatch) -> None:
    full = ItemResult("kl_standard_normal", 6.0, 6.0, Status.PASSED, "")
    monkeypatch.setattr(mutant_check, "grade_item", lambda *_, **__: full)
    vae = load_problem("vae", ROOT)
    jobs = [job for job in mutant_check._jobs(vae) if job.item == full.id and job.base == "solution"]
    fates = {
        job.rewritten.change.partition(": ")[2] or job.rewritten.change: mutant_check._tried(job).fate for job in jobs
    }
    assert fates["m ** 2 + v - 1 - torch.log(v) -> m ** 2 + v - 1 + torch.log(v)"] is Fate.SURVIVED
    assert fates["the work is done in a helper"] is Fate.AS_EXPECTED
    lost = dataclasses.replace(full, score=1.0, message="why")
    monkeypatch.setattr(mutant_check, "grade_item", lambda *_, **__: lost)
    rewriting = next(job for job in jobs if not job.is_mutant)
    assert (mutant_check._tried(rewriting).fate, mutant_check._tried(rewriting).message) == (Fate.LOST, "why")


def test_a_mutant_that_does_not_end_is_given_up_before_the_items_limit() -> None:
    endless = Rewritten("endless", "def standardize(x, eps=0.0):\n    while True:\n        pass")
    job = mutant_check._Job(TOY, "toy", "standardize", "solution", endless, is_mutant=True)
    begin = time.monotonic()
    assert mutant_check._tried(job).fate is Fate.TOO_SLOW
    assert time.monotonic() - begin < load_problem("toy", TOY).item("standardize").seconds / 2


@pytest.mark.long
def test_a_place_that_no_test_checks_is_named_until_it_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = course_copy(tmp_path / "course")
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    source = root / "solutions" / "toy.py"
    text = source.read_text(encoding="utf-8")
    begin = text.index("def standardize(")
    body = text.index("    ### BEGIN SOLUTION", begin)
    source.write_text(
        text[:body] + "    ### BEGIN SOLUTION\n    unused = 7\n" + text[body:].split("\n", 1)[1], encoding="utf-8"
    )
    said = CliRunner().invoke(app, ["check", "toy", "--mutants", "--workers", "1"])
    problem = load_problem("toy", root)
    tried = check_mutants([problem], workers=1)
    unused = [one for one in tried if one.change.endswith("7 -> 8")]
    assert [one.fate for one in unused] == [Fate.EQUAL], said.output
    entry = f'[[equal]]\nitem = "standardize"\nchange = "{unused[0].change}"\nwhy = "nothing uses it"\n'
    table = root / "solutions" / "variants" / "toy" / "mutants.toml"
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text(entry, encoding="utf-8")
    assert {one.item for one in check_mutants([problem], workers=1, items=["standardize"], sample=3)} == {"standardize"}
    with pytest.raises(SourceError, match="no item `lime` to check; there are: standardize, Line"):
        check_mutants([problem], workers=1, items=["lime"])
    table.write_text(entry.replace("7 -> 8", "7 -> 9"), encoding="utf-8")
    with pytest.raises(SourceError, match=r"mutants.toml explains `line \d+: 7 -> 9` of standardize .*is no mutant"):
        check_mutants([problem], workers=1)
    table.write_text(entry.replace("why", "because"), encoding="utf-8")
    with pytest.raises(SourceError, match=r"each \[\[equal\]\] needs item, change and why"):
        check_mutants([problem], workers=1)
