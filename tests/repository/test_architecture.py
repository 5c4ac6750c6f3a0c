"""`docs/architecture.md` names the packages that exist, in their order, and files that exist."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGES = re.findall(r"^\| `([a-z.]+)` \| [A-Z].*\. \|$", PAGE, re.MULTILINE)
"""The packages of the page's table, lowest first."""


def test_its_table_names_every_package_in_the_order_of_the_linter() -> None:
    inits = (ROOT / "autograder").rglob("__init__.py")
    there = {".".join(path.parent.relative_to(ROOT / "autograder").parts) for path in inits} - {""}
    assert sorted(PACKAGES) == sorted(there)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = next(one["layers"] for one in settings["contracts"] if one.get("containers") == ["autograder"])
    assert [name for name in PACKAGES if name != "sandbox.guest"] == layers[::-1]


def test_every_package_has_a_docstring_and_is_in_the_diagram() -> None:
    diagram = PAGE.split("```")[1] + PAGE.split("```")[2].split("\n\n")[1]
    for name in PACKAGES:
        text = (ROOT / "autograder" / name.replace(".", "/") / "__init__.py").read_text(encoding="utf-8")
        assert text.startswith('"""') and len(text.split('"""')[1]) > 20, name
        assert re.search(rf"\b{re.escape(name)}\b", diagram), name


def test_the_files_that_it_names_exist() -> None:
    for path in re.findall(r"`([\w./]+/[\w.]+\.(?:py|html|toml|md))`", PAGE):
        assert (ROOT / path).is_file(), path
    for name in re.findall(r"`((?:[a-z_]+\.)+[a-z_]+)`", PAGE):
        if name.split(".")[0] in PACKAGES and not name.endswith(".toml"):
            assert (ROOT / "autograder" / f"{name.replace('.', '/')}.py").is_file() or name in PACKAGES, name


def test_the_linter_finds_an_upward_import_inside_a_function(tmp_path: Path) -> None:
    package = tmp_path / "autograder"
    for name in ("core", "cli"):
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "core" / "errors.py").write_text("def late() -> None:\n    from autograder.cli import main\n")
    (package / "cli" / "main.py").touch()
    settings = '[tool.importlinter]\nroot_package = "autograder"\n\n[[tool.importlinter.contracts]]\nname = "layers"\n'
    settings += 'type = "layers"\ncontainers = ["autograder"]\nlayers = ["cli", "core"]\n'
    (tmp_path / "pyproject.toml").write_text(settings)
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": "."}, capture_output=True, text=True)
    assert done.returncode == 1 and "autograder.core.errors -> autograder.cli.main" in done.stdout, done
