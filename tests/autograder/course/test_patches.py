"""A variant may be a patch of the solution; a patch that does not fit says where and what to do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from autograder.course.markers import without_markers
from autograder.course.patches import PatchError, patched
from autograder.course.problem import load_problem
from autograder.course.variants import VariantError, misconception_text, variants
from autograder.release.lint_variants import lint_variants
from tests.autograder.toy import course_copy, toy

SOLUTION = '''class Line(nn.Module):
    """A line."""

    def __init__(self, slope):
        super().__init__()
        self.slope = slope

    def forward(self, x):
        """Returns the points.

        return x
        """
        x = x + 0
        return self.slope * x

    def backward(self, x):
        """Only a docstring."""
'''


def test_lines_are_replaced_added_and_removed() -> None:
    patch = """# misconception: several
-        self.slope = slope
+        self.slope = -slope
+        self.sign = -1

         x = x + 0
-        return self.slope * x
+        return x
"""
    made = patched(SOLUTION, patch)
    assert "self.slope = -slope\n        self.sign = -1\n\n    def forward(self, x):\n" in made
    assert "        x = x + 0\n        return x\n\n    def backward(self, x):\n" in made
    assert "self.slope * x" not in made and "A line." not in made
    compile(made, "made", "exec")


def test_blank_lines_and_docstrings_of_the_solution_do_not_count() -> None:
    patch = "     def forward(self, x):\n-        x = x + 0\n"
    assert ast.dump(ast.parse(patched(SOLUTION, patch))) == ast.dump(
        ast.parse(
            SOLUTION.replace("        x = x + 0\n", "")
            .replace('    """A line."""\n', "")
            .replace('        """Returns the points.\n\n        return x\n        """\n', "")
        )
    )


@pytest.mark.parametrize(
    ("patch", "line", "message"),
    [
        (
            "# a\n-        return slope * x\n+        return x\n",
            2,
            r"no line 'return slope \* x' \(any more\); copy",
        ),
        ("-    self.slope = slope\n+    pass\n", 1, "elsewhere, or with another indentation"),
        ("\n         return x\n-        x = x + 0\n", 2, "has no line 'return x'"),
        ("-        return self.slope * x\n+\n+++ b\n@@ 1\n", 4, "a line of a patch begins with"),
        ("+        return x\n", 1, "nothing says where these lines go"),
        ("         x = x + 0\n", 1, "nothing changes here"),
        ("# a\n# b\n", 1, "the patch changes nothing"),
        ("# a\nreturn x\n", 2, "a line of a patch begins with `-`, `\\+`, a space or `#`"),
        (
            "-        x = x + 0\n+        x = x + 1\n\n-        x = x + 0\n+        x = x + 2\n",
            4,
            "another change above has some of these lines",
        ),
    ],
)
def test_a_patch_that_does_not_fit_says_why(patch: str, line: int, message: str) -> None:
    with pytest.raises(PatchError, match=message) as raised:
        patched(SOLUTION, patch)
    assert raised.value.line == line


def test_lines_that_are_there_twice_need_a_line_beside_them() -> None:
    solution = "def f(x):\n    if x:\n        return 1\n    else:\n        return 1\n"
    with pytest.raises(PatchError, match="has these lines 2 times; add a line above or below that stays"):
        patched(solution, "-        return 1\n+        return 2\n")
    assert patched(solution, "     else:\n-        return 1\n+        return 2\n").endswith("return 2\n")


def write(root: Path, patch: str, kind: str = "wrong", name: str = "flat.diff") -> Path:
    """Adds a variant of `Line` to a course."""
    path = root / "solutions" / "variants" / "toy" / kind / "Line" / name
    path.write_text(patch, encoding="utf-8")
    return path


FLAT = """# misconception: you left out the slope
-        return torch.addcmul(self.intercept, self.slope, x)
+        return self.intercept + x
"""


def test_a_variant_that_is_a_patch_is_read_as_a_whole_source(tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course")
    write(root, FLAT)
    problem = load_problem("toy", root)
    [flat] = [one for one in variants(problem, "wrong") if one.slug == "flat"]
    assert (flat.name, flat.text) == ("wrong/Line/flat", "you left out the slope")
    assert "self.intercept + x" in flat.source and "addcmul" not in flat.source
    solution = without_markers(toy().item("Line").cell.source)
    assert len(ast.parse(flat.source).body) == len(ast.parse(solution).body) == 1
    assert misconception_text(problem, "Line", "flat") == "you left out the slope"
    assert misconception_text(problem, "Line", "fla") == misconception_text(problem, "Line", "") == ""
    assert lint_variants(problem) == []


def test_the_linter_names_file_line_and_what_to_do(tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course")
    old = write(root, FLAT.replace("addcmul", "addcdiv"))
    broken = write(root, FLAT.replace("+ x\n", "+ x)\n"), name="broken.diff")
    problem = load_problem("toy", root)
    with pytest.raises(VariantError, match=r"flat\.diff:2: the solution has no line"):
        variants(problem, "wrong")
    first, second = lint_variants(problem)
    assert (first.path, first.line) == (
        broken,
        1,
    ) and "of the patched solution is unmatched ')'; fix it" in first.message
    assert (second.path, second.line) == (old, 2) and "(any more); copy the line from the solution" in second.message


def test_a_patch_and_a_whole_source_of_one_name_are_an_error(tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course")
    write(root, FLAT, name="swapped.diff")
    [finding] = lint_variants(load_problem("toy", root))
    assert "swapped.py and swapped.diff are variants of one name; rename one of them" in finding.message
