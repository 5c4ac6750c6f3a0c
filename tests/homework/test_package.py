"""The package as a whole: light to import, typed, and whole where torchvision is not."""

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


def _python(code: str, *options: str) -> str:
    done = subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_is_light_and_torchvision_imports_after_it() -> None:
    heavy = ["matplotlib", "sklearn", "torchvision", "transformers", "datasets", "jsonschema", "IPython"]
    code = (
        f"import sys, homework; print([name for name in {heavy} if name in sys.modules]); "
        "from torchvision.utils import make_grid; import torch; print(tuple(make_grid(torch.rand(4, 1, 5, 5)).shape))"
    )
    assert _python(code, "-W", "error").split("\n")[:2] == ["[]", "(3, 9, 30)"]


def test_version_exports_and_type_marker() -> None:
    assert homework.__version__.count(".") == 2
    assert set(homework.__all__) <= set(dir(homework))
    assert resources.files("homework").joinpath("py.typed").is_file()


def test_a_whole_torchvision_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.setattr(torchvision_compat, "torchvision_folder", lambda: tmp_path)
    monkeypatch.setattr(torchvision_compat, "extension_loads", lambda folder: True)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torchvision_compat, "declare_missing_operators", lambda: pytest.fail("must not act"))
    assert torchvision_compat.prepare() == ()


def test_nothing_happens_without_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.setattr(torchvision_compat, "torchvision_folder", lambda: None)
    assert torchvision_compat.prepare() == ()


def test_an_extension_that_is_missing_or_broken_does_not_load(tmp_path: Path) -> None:
    assert torchvision_compat.extension_loads(tmp_path) is False
    (tmp_path / "_C.so").write_bytes(b"not a library")
    assert torchvision_compat.extension_loads(tmp_path) is False


@pytest.mark.parametrize("name", ["_C.so", "_C_stable.so"])
def test_the_extension_is_found_under_each_of_its_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    (tmp_path / "image.so").touch()
    (tmp_path / name).touch()
    loaded: list[str] = []
    monkeypatch.setattr(torch.ops, "load_library", loaded.append)
    assert torchvision_compat.extension_loads(tmp_path)
    assert loaded == [str(tmp_path / name)]


def test_nothing_happens_where_torch_is_built_for_a_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torchvision_compat, "torchvision_folder", lambda: tmp_path)
    monkeypatch.setattr(torchvision_compat, "declare_missing_operators", lambda: pytest.fail("must not act"))
    assert torchvision_compat.prepare() == ()


def test_operators_are_declared_once() -> None:
    torchvision_compat.declare_missing_operators()
    assert torchvision_compat.declare_missing_operators() == ()
    assert all(hasattr(torch.ops.torchvision, name) for name in torchvision_compat.OPERATORS)


def test_student_is_the_notebooks_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "kl_of_a_test", "first", raising=False)
    assert homework.student.kl_of_a_test == "first"
    assert homework.reference.kl_of_a_test == "first"
    assert "kl_of_a_test" in dir(homework.student)
    monkeypatch.setattr(sys.modules["__main__"], "kl_of_a_test", "second")
    assert homework.student.kl_of_a_test == "second"


def test_a_missing_name_says_which_cell_to_run() -> None:
    with pytest.raises(AttributeError, match=r"student\.no_such_function: .*Run the cell that defines"):
        _ = homework.student.no_such_function
    assert not hasattr(NotebookNames("student"), "_repr_html_")
    assert "student" in repr(homework.student)
