"""The linter finds names that tests cannot have, training cells without their tag, and a table of other points."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.autograder.release.test_lint import TOY, lint_text

TABLE = """# **Minutes.** One on a laptop, in `mini` and in `full`.
#
# | graded | points |
# |---|---|
# | `standardize` | 12 |
# | `Line` | 8 |
# | written answer | 3 |
# | figure | 2 |
"""
WITH_TABLE = TOY.replace("# **Minutes.** One on a laptop, in `mini` and in `full`.\n", TABLE)
HIDDEN = "steep = student.Line(slope=-3.0, intercept=0.5)"
VISIBLE = "y = student.standardize(example_batch())"
TRAIN = '# %% tags=["train"]\nfrom'
FUNCTION = "# %%\ndef learn():\n    optimizer.step()\n\n\ndef learn_all():\n    learn()\n\n\n# %% [markdown]\n# ## 3 Tr"
PRINT = 'print("Line: all visible checks passed")\n'


def test_a_table_with_the_right_points_has_no_findings(tmp_path: Path) -> None:
    assert WITH_TABLE != TOY and lint_text(tmp_path, WITH_TABLE) == []


@pytest.mark.parametrize(
    ("rule", "old", "new", "line", "said"),
    [
        ("undefined", HIDDEN, f"{HIDDEN}\nstep(1)", "step(1)", "'step' is not defined in a cell above (did you mean"),
        ("undefined", HIDDEN, f"{HIDDEN}\nassert EPSS", "assert EPSS", "(did you mean 'EPS'?); correct the name"),
        ("undefined", VISIBLE, f"{VISIBLE}\nassert loop", "assert loop", "only in a cell that grading does not run"),
        ("undefined", VISIBLE, "y = student.standardise(example_batch())", None, "(did you mean 'standardize'?)"),
        ("undefined", HIDDEN, f"{HIDDEN}\nassert reference.Lime", "assert reference.Lime", "defines 'Lime' (did you"),
        ("undefined", 'd = draws("Line")', 'd = drams("Line")', 'd = drams("Line")', "'drams' is not defined"),
        (
            "undefined",
            VISIBLE,
            f"{VISIBLE}\nassert student.Line",
            "assert student.Line",
            "no given or solution cell above",
        ),
        ("train", TRAIN, "# %%\nfrom", "loop = training.Loop(", "`training.Loop(...)` trains, and grading would run"),
        (
            "train",
            "# %% [markdown]\n# ## 3 Tr",
            FUNCTION.replace("\n\n\n# %%", "\n\n\nlearn_all()\n\n# %%"),
            "learn_all()",
            "trains",
        ),
        (
            "visible-print",
            PRINT,
            "",
            'assert close(line(torch.tensor([0.0, 3.0])), [1.0, 7.0], "slo',
            "must end in its only",
        ),
        ("visible-print", PRINT, f'print("one")\n{PRINT}', PRINT.strip(), "end in its only print"),
        ("visible-print", PRINT, f"{PRINT}assert line\n", "assert line", "must end in its only print"),
        ("points", "`Line` | 8 |", "`Line` | 9 |", "# | `Line` | 9 |", "says 9 points, but 'Line' has 8; correct"),
        ("points", "`Line` | 8 |", "`Lime` | 8 |", "# | `Lime` | 8 |", "names 'Lime', which is no code item here"),
        ("points", "# | `Line` | 8 |\n", "", "# | graded | points |", "no row for 'Line'; add: | `Line` | 8 |"),
        ("points", "# | figure | 2 |\n", "", "# | graded | points |", "says 3 points for written answers and figures"),
    ],
)
def test_each_mistake_is_found(tmp_path: Path, rule: str, old: str, new: str, line: str | None, said: str) -> None:
    assert old in WITH_TABLE
    text = WITH_TABLE.replace(old, new, 1)
    found = [one for one in lint_text(tmp_path, text) if one.rule == rule and said in one.message]
    assert found, "\n".join(map(str, lint_text(tmp_path, text)))
    assert text.splitlines()[found[0].line - 1].strip().startswith(line or new)


def test_functions_that_train_and_experiments_need_no_tag(tmp_path: Path) -> None:
    text = TOY.replace("# %% [markdown]\n# ## 3 Tr", FUNCTION).replace(TRAIN, '# %% tags=["experiment"]\nfrom')
    assert lint_text(tmp_path, text) == []
