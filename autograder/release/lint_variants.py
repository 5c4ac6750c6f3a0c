"""The linter's rules about wrong solutions and right alternatives, without which `autograder check` proves nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from autograder.core.errors import SourceError
from autograder.course.problem import Problem
from autograder.course.variants import (
    PATCH,
    Variant,
    VariantError,
    VariantKind,
    read_variant,
    variant_files,
    variants_folder,
)
from autograder.release.lint import Finding

FEWEST: dict[VariantKind, int] = {"wrong": 3, "right": 2}
"""How many variants of each kind an item must have."""
_SHORTEST = 16
"""Characters of the sentence that a student reads."""
_NAMES: dict[VariantKind, str] = {"wrong": "known wrong solutions", "right": "right alternatives"}


def lint_variants(problem: Problem) -> list[Finding]:
    """The findings in a problem's variants, sorted by path."""
    known, found = [], []
    try:
        files = [(path, kind) for kind in FEWEST for path in variant_files(problem, kind)]
    except SourceError as error:
        return [Finding(problem.path, 1, "variants", str(error))]
    for path, kind in files:
        try:
            known.append(read_variant(problem, path, kind))
        except VariantError as error:
            found.append(Finding(error.path, error.line, "variants", error.what))
    few = _too_few(problem, [(kind, path.parent.name) for path, kind in files])
    return sorted([*found, *few, *(finding for one in known for finding in _findings(one))])


def _too_few(problem: Problem, known: list[tuple[VariantKind, str]]) -> Iterator[Finding]:
    for item in (item for item in problem.items if item.kind == "code"):
        for kind, fewest in FEWEST.items():
            count = known.count((kind, item.id))
            if count < fewest:
                folder = variants_folder(problem, kind) / item.id
                message = (
                    f"{item.id!r} has {count} {_NAMES[kind]}; write at least {fewest} as {folder}/<slug>.py or .diff"
                )
                yield Finding(problem.path, _line_of(problem, item.cell.source), "variants", message)


def _line_of(problem: Problem, source: str) -> int:
    return problem.text.partition(source)[0].count("\n") + 1


def _findings(variant: Variant) -> Iterator[Finding]:
    if variant.kind == "wrong" and len(variant.text) < _SHORTEST:
        message = f"the first line says only {variant.text!r}; students read it: write one sentence on what they did"
        yield Finding(variant.path, 1, "variants", message)
    try:
        tree = ast.parse(variant.source)
        compile(tree, variant.path.name, "exec", dont_inherit=True)  # sees e.g. a `return` outside of a function
    except (SyntaxError, ValueError) as error:
        what, line = getattr(error, "msg", error), getattr(error, "lineno", None) or 1
        if variant.path.suffix == PATCH:
            what, line = f"line {line} of the patched solution is {what}", 1
        yield Finding(variant.path, line, "variants", f"not valid Python: {what}; fix it")
        return
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    if variant.item not in defined:
        message = f"the file does not define {variant.item!r}; it is the whole source of that item's solution cell"
        yield Finding(variant.path, 1, "variants", message)
