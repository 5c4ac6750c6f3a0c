"""The package imports fast, is typed, works with an incomplete torchvision, and gives tests the notebook's names."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
import torch

import homework
from homework import torchvision_compat
from homework.notebook_names import NotebookNames
from tests.homework.conftest import Patch


def test_importing_loads_no_large_library_and_torchvision_imports_after_it() -> None:
    heavy = ["torch", "matplotlib", "sklearn", "torchvision", "transformers", "datasets", "jsonschema", "IPython"]
    code = (
        f"import sys, homework; print([name for name in {heavy} if name in sys.modules]); "
        "from torchvision.utils import make_grid; import torch; print(tuple(make_grid(torch.rand(4, 1, 5, 5)).shape))"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    assert subprocess.check_output(command, text=True, timeout=300).splitlines() == ["[]", "(3, 9, 30)"]


def test_the_package_has_a_version_its_exports_and_a_type_marker() -> None:
    assert homework.__version__.count(".") == 2
    assert set(homework.__all__) <= set(dir(homework))
    assert resources.files("homework").joinpath("py.typed").is_file()


@pytest.mark.parametrize(
    ("installed", "extension", "cuda"),
    [(True, True, None), (False, False, None), (True, False, "13.0")],
    ids=["complete torchvision", "no torchvision", "torch for a GPU"],
)
def test_operators_are_not_declared(
    monkeypatch: Patch, tmp_path: Path, installed: bool, extension: bool, cuda: str | None
) -> None:
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.setattr(torchvision_compat, "torchvision_folder", lambda: tmp_path if installed else None)
    monkeypatch.setattr(torchvision_compat, "extension_loads", lambda folder: extension)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torchvision_compat, "declare_missing_operators", lambda: pytest.fail("must not act"))
    assert torchvision_compat.prepare() == ()


def test_an_extension_that_is_missing_or_broken_does_not_load(tmp_path: Path) -> None:
    assert torchvision_compat.extension_loads(tmp_path) is False
    (tmp_path / "_C.so").write_bytes(b"not a library")
    assert torchvision_compat.extension_loads(tmp_path) is False


@pytest.mark.parametrize("name", ["_C.so", "_C_stable.so"])
def test_the_extension_is_found_under_each_of_its_names(monkeypatch: Patch, tmp_path: Path, name: str) -> None:
    (tmp_path / "image.so").touch()
    (tmp_path / name).touch()
    loaded: list[str] = []
    monkeypatch.setattr(torch.ops, "load_library", loaded.append)
    assert torchvision_compat.extension_loads(tmp_path)
    assert loaded == [str(tmp_path / name)]


def test_operators_are_declared_once() -> None:
    torchvision_compat.declare_missing_operators()
    assert torchvision_compat.declare_missing_operators() == ()
    assert all(hasattr(torch.ops.torchvision, name) for name in torchvision_compat.OPERATORS)


def test_student_gives_the_notebooks_own_names(monkeypatch: Patch) -> None:
    for value in ("first", "second"):
        monkeypatch.setattr(sys.modules["__main__"], "kl_of_a_test", value, raising=False)
        assert homework.student.kl_of_a_test == homework.reference.kl_of_a_test == value
    assert "kl_of_a_test" in dir(homework.student)


def test_the_error_of_a_missing_name_says_which_cell_to_run() -> None:
    with pytest.raises(AttributeError, match=r"student\.no_such_function: .*Run the cell that defines"):
        _ = homework.student.no_such_function
    assert not hasattr(NotebookNames("student"), "_repr_html_")
    assert "student" in repr(homework.student)
