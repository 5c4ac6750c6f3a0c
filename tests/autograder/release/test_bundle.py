"""The student release has what students need and no secret, and replaces only files that a bundle wrote."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.core.errors import ReleaseError
from autograder.core.files import write_bytes
from autograder.core.notebook_io import notebook_text
from autograder.core.zips import zip_of
from autograder.course.config import load_course
from autograder.course.problem import load_problem
from autograder.course.urls import clone_address, colab_address, repository_name
from autograder.release.bundle import MANIFEST, bundle
from autograder.release.leaks import secrets_in
from autograder.release.notebook import released_notebook
from autograder.release.student_files import changes_for_students, project_of_students, student_files
from tests.autograder.submissions.test_tars import tarred
from tests.autograder.toy import ROOT as FIXTURE
from tests.conftest import ROOT as REPOSITORY

GITHUB = "https://github.com/uni/toys"
SECRET = "steep = student.Line(slope=-3.0, intercept=0.5)"
"""A line of the toy problem's hidden tests."""
QUOTED = 'assert close(steep(points), -3.0 * points + 0.5, "wrong for a negative slope")'
"""Another one, with marks that JSON writes otherwise."""


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Writes files below a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def released_toy(root: Path) -> str:
    """The notebook of the toy problem for students."""
    return notebook_text(released_notebook(load_problem("toy", root)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny course with everything that a student release is made from."""
    root = tmp_path_factory.mktemp("bundle") / "root"
    shutil.copytree(FIXTURE, root, ignore=shutil.ignore_patterns("course"))
    for name in ("LICENSE", "pyproject.toml", "environment.yml", "CHANGELOG.md"):
        shutil.copy(REPOSITORY / name, root / name)
    course_file = root / "course.toml"
    course_file.write_text(course_file.read_text().replace("https://example.org/toy-course", GITHUB, 2))
    files = {
        "data/README.md": "# Cards\n",
        "data/build_x.py": "import homework\n",
        "data/raw.bin": "not for students",
        "docs/students.md": "# Doing the homework\n",
        "docs/grading.md": "# For staff\n",
        "homework/__init__.py": '__version__ = "1.2"\n',
        "homework/plots.py": "import math\n",
        "homework/py.typed": "",
        "homework/log.json": "{}",
        "homework/embedded/tiny/weights.safetensors": "\0\1",
        "homework/__pycache__/plots.pyc": "x",
        "homework/.DS_Store": "x",
        "course/seeds.txt": "secret",
    }
    write(root, files)
    write(root, {"notebooks/toy.ipynb": released_toy(root)})
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "root"))


def contents(folder: Path) -> dict[str, bytes]:
    """Path → bytes of every file in a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_students_get_the_files_of_the_release(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = bundle(out, root=root)
    files = contents(out)
    top = {".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "environment.yml", "pyproject.toml"}
    package = {"__init__.py", "embedded/tiny/weights.safetensors", "log.json", "plots.py", "py.typed"}
    others = {"data/README.md", "data/build_x.py", "docs/students.md", "notebooks/toy.ipynb"}
    assert set(files) == {MANIFEST, *top, *others, *(f"homework/{name}" for name in package)}
    assert set(done.files) | {MANIFEST} == set(files) and set(done.changed) == set(done.files)
    assert files["notebooks/toy.ipynb"] == (root / "notebooks" / "toy.ipynb").read_bytes()
    project = tomllib.loads(files["pyproject.toml"].decode())
    assert set(project) == {"build-system", "project", "tool"} and set(project["tool"]) == {"setuptools"}
    assert "optional-dependencies" not in project["project"] and len(project["project"]["dependencies"]) > 10
    assert b"nbgrader" not in files["pyproject.toml"] and b"staff" not in files["environment.yml"].lower()
    assert b"- pytorch>=" in files["environment.yml"]
    assert b"conda activate deep-learning-homework" in files["environment.yml"]


def test_the_readme_names_each_notebook_and_its_links_have_targets(root: Path, tmp_path: Path) -> None:
    bundle(tmp_path / "out", root=root)
    readme = (tmp_path / "out" / "README.md").read_text()
    title = load_problem("toy", root).title
    address = "https://colab.research.google.com/github/uni/toys/blob/main/notebooks/toy.ipynb"
    assert f"| [{title}](notebooks/toy.ipynb) | [![Open in Colab]" in readme and f"]({address})" in readme
    assert "## Homework 1: Toys" in readme and "Sunday, 17 January 2027, 23:59 (UTC+01:00)" in readme
    assert "**At first every test fails with\n   NotImplementedError**" in readme and f"git clone {GITHUB} " in readme
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", readme):
        assert (tmp_path / "out" / link).is_file(), link
    course_file = root / "course.toml"
    course_file.write_text(course_file.read_text().replace(GITHUB, "https://gitlab.example.org/uni/toys"))
    write(root, {"notebooks/toy.ipynb": released_toy(root)})
    bundle(tmp_path / "elsewhere", root=root)
    assert "colab.research" not in (tmp_path / "elsewhere" / "README.md").read_text()


def test_the_same_sources_give_the_same_bytes(root: Path, tmp_path: Path) -> None:
    zips = [tmp_path / "one.zip", tmp_path / "two.zip"]
    bundle(tmp_path / "one", root=root, zip_to=zips[0])
    again = bundle(tmp_path / "one", root=root)
    for path in root.rglob("*"):
        os.utime(path, (0, 0))
    bundle(tmp_path / "two", root=root, zip_to=zips[1])
    assert again.changed == again.removed == ()
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert zips[0].read_bytes() == zips[1].read_bytes()
    with zipfile.ZipFile(zips[0]) as archive:
        assert {f"toys/{name}" for name in again.files} == set(archive.namelist())
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("toys/homework/plots.py") == b"import math\n"


# --- nothing of the staff's -------------------------------------------------------------------------------------------


PLANTS: dict[str, tuple[str, str | bytes]] = {
    "in the package": ("homework/plots.py", f"# {SECRET}\n"),
    "in folded JSON": ("homework/log.json", json.dumps({"note": f"see\n  {QUOTED}\nthere"})),
    "in a binary file": ("homework/embedded/tiny/weights.safetensors", b"\xff\xfe\0" + SECRET.encode() + b"\0\xff"),
    "in a card": ("data/README.md", "- 2 points: names the units, or the scale, of deviation and variance\n"),
    "in the changelog": ("CHANGELOG.md", f"# Changes\n\n## 1\n\n- text: now {SECRET}\n"),
    "an import": ("homework/plots.py", "try:\n    from autograder.gradebook.rows import clamped\nexcept: pass\n"),
    "a marker": ("homework/plots.py", "### BEGIN HIDDEN TESTS\nx = 1\n### END HIDDEN TESTS\n"),
    "a name": ("homework/solutions/x.py", ""),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_secret_is_found_and_nothing_is_written(root: Path, tmp_path: Path, plant: str) -> None:
    write(root, dict([PLANTS[plant]]))
    with pytest.raises(ReleaseError, match="nothing was written, because students would see"):
        bundle(tmp_path / "out", root=root)
    assert not (tmp_path / "out").exists()


def test_secrets_in_notebooks_are_found(root: Path) -> None:
    notebook = released_notebook(load_problem("toy", root))
    notebook.cells[3].source += f"\n{SECRET}"
    found = secrets_in({"a.ipynb": notebook_text(notebook).encode()}, root)
    assert any("shows a line of a hidden tests region" in one for one in found)
    notebook.cells[3].source = "import autograder"
    assert len(secrets_in({"a.ipynb": notebook_text(notebook).encode()}, root)) == 1


def test_staff_imports_encoded_secrets_archives_and_compiled_files_are_found(root: Path) -> None:
    for source in (
        "import json, autograder",
        "import json as j, tests.toy",
        "x = 1; import solutions",
        "if x: from autograder.core.results import Status",
        "m = __import__('autograder')",
        "importlib.import_module( 'tests.x')",
    ):
        assert len(secrets_in({"homework/x.py": source.encode()}, root)) == 1, source
    for data in (
        zip_of({"x": b"1"}),
        gzip.compress(b"1"),
        lzma.compress(b"1"),
        bz2.compress(b"1"),
        tarred({"x": b"1"}),
    ):
        assert len(secrets_in({"homework/x.bin": data}, root)) == 1
    for name in ("homework/x.pyc", "homework/x.so", "homework/__pycache__/x.py", "Solutions/x.py", "a/course.toml"):
        assert len(secrets_in({name: b""}, root)) == 1, name
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        assert secrets_in({"a.txt": f"x\n{SECRET}\n".encode(encoding)}, root), encoding
    harmless = ("from tests we learn a lot", "import autograders", "we import json, which tests need", "x.tests = 1")
    for source in (*harmless, "important = 1\nimport autograde\n"):
        assert secrets_in({"homework/x.py": source.encode(), "homework/x.json": b"{ no json"}, root) == [], source


@pytest.mark.parametrize("name", ["notes.txt", "embedded.zip", "deep/er/solution.md"])
def test_an_unlisted_file_in_the_package_is_refused(root: Path, tmp_path: Path, name: str) -> None:
    write(root / "homework", {name: "private"})
    with pytest.raises(ReleaseError, match=rf"{name} does not belong to the package"):
        bundle(tmp_path / "out", root=root)


def test_a_link_in_the_package_is_refused(root: Path, tmp_path: Path) -> None:
    (root / "homework" / "more.py").symlink_to(root / "solutions" / "toy.py")
    with pytest.raises(ReleaseError, match=r"more.py is a link"):
        bundle(tmp_path / "out", root=root)


def test_a_stale_or_missing_notebook_is_refused(root: Path, tmp_path: Path) -> None:
    path = root / "notebooks" / "toy.ipynb"
    path.write_text(path.read_text().replace("References", "Literature"))
    with pytest.raises(ReleaseError, match=r"toy.ipynb does not match its source; run `autograder release toy`"):
        bundle(tmp_path / "out", root=root)
    path.unlink()
    with pytest.raises(ReleaseError, match="is missing; run"):
        bundle(tmp_path / "out", root=root)
    assert not (tmp_path / "out").exists()


# --- the folder -------------------------------------------------------------------------------------------------------


def test_a_folder_with_other_files_is_refused(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, {"thesis.tex": "years of work"})
    with pytest.raises(ReleaseError, match=r"has files that are not from a bundle \(thesis.tex\)"):
        bundle(out, root=root)
    assert contents(out) == {"thesis.tex": b"years of work"}
    with pytest.raises(ReleaseError, match="give a folder"):
        bundle(out / "thesis.tex", root=root)


def test_a_bundle_keeps_foreign_files_and_removes_its_own_old_ones(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, {".git/HEAD": "ref"})
    bundle(out, root=root)
    own = {"homework/own.py": "mine", "issue_template.md": "mine"}
    write(out, own)
    write(root, {"homework/plots.py": "import cmath\n"})
    shutil.rmtree(root / "homework" / "embedded")
    done = bundle(out, root=root)
    assert (done.changed, done.removed) == (("homework/plots.py",), ("homework/embedded/tiny/weights.safetensors",))
    assert not (out / "homework" / "embedded").exists()
    for name, content in {**own, ".git/HEAD": "ref"}.items():
        assert (out / name).read_text() == content
    write(root, {"homework/own.py": "ours"})
    with pytest.raises(ReleaseError, match=r"not as a bundle wrote them: homework/own.py\. Copy"):
        bundle(out, root=root)
    assert (out / "homework" / "own.py").read_text() == "mine"


def test_a_file_changed_by_hand_is_not_overwritten(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    bundle(out, root=root)
    changed = {"README.md": "better words", "homework/plots.py": "fixed"}
    write(out, changed)
    (root / "homework" / "plots.py").unlink()
    with pytest.raises(ReleaseError, match=r"README.md \(changed by hand\), homework/plots.py \(changed by hand\)"):
        bundle(out, root=root)
    assert (out / "README.md").read_text() == "better words"
    for name in changed:
        (out / name).unlink()
    assert bundle(out, root=root).changed == ("README.md",)


def test_links_in_the_folder_are_not_followed(root: Path, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    bundle(out, root=root)
    shutil.move(out / "homework", elsewhere)
    (out / "homework").symlink_to(elsewhere)
    (elsewhere / "plots.py").unlink()
    with pytest.raises(ReleaseError, match=r"homework/__init__.py \(a link\)"):
        bundle(out, root=root)
    assert not (elsewhere / "plots.py").exists()


FORGED = [[], {"a": 1}, *({name: "x"} for name in ("../victim", "/etc/passwd", ".git/config", ""))]


@pytest.mark.parametrize("text", ["", "[]", *(json.dumps({"files": files}) for files in FORGED)])
def test_a_forged_manifest_is_refused(root: Path, tmp_path: Path, text: str) -> None:
    write(tmp_path, {"victim": "x", f"out/{MANIFEST}": text})
    with pytest.raises(ReleaseError, match="does not say which files are from a bundle"):
        bundle(tmp_path / "out", root=root)
    assert (tmp_path / "victim").read_text() == "x"


@pytest.mark.parametrize("first", [True, False])
def test_an_interrupted_bundle_is_completed_by_the_next_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    out = tmp_path / "out"
    if not first:
        bundle(out, root=root)
    write(root / "homework", {"plots.py": "import cmath\n", "rouge.py": "import csv\n"})
    shutil.rmtree(root / "homework" / "embedded")

    def cut_off(path: Path, data: bytes) -> bool:
        if path.name == "rouge.py":
            raise KeyboardInterrupt
        return write_bytes(path, data)

    monkeypatch.setattr("autograder.release.bundle.write_bytes", cut_off)
    with pytest.raises(KeyboardInterrupt):
        bundle(out, root=root)
    monkeypatch.undo()
    bundle(out, root=root)
    bundle(tmp_path / "fresh", root=root)
    assert contents(out) == contents(tmp_path / "fresh")


def test_the_command_counts_the_files_and_names_the_secret(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    arguments = ["bundle", "toy", "--out", str(tmp_path / "out"), "--zip", str(tmp_path / "toys.zip")]
    said = CliRunner().invoke(app, arguments)
    assert (said.exit_code, said.stdout) == (0, f"15 files in {tmp_path / 'out'}, 15 of them changed\n")
    assert zipfile.is_zipfile(tmp_path / "toys.zip")
    write(root, dict([PLANTS["in the package"]]))
    refused = CliRunner().invoke(app, arguments)
    assert refused.exit_code == 2
    assert "homework/plots.py, line 1: shows a line of a hidden tests region" in refused.stderr


# --- parts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("published", "address", "name"),
    [
        ("https://github.com/uni/toys", "uni/toys/blob/main", "toys"),
        ("https://github.com/uni/toys.git", "uni/toys/blob/main", "toys"),
        ("http://www.github.com/u-n.i/to_ys/", "u-n.i/to_ys/blob/main", "to_ys"),
        ("https://github.com/uni/toys/tree/fall/2027", "uni/toys/blob/fall/2027", "toys"),
        ("https://github.com/uni", None, "uni"),
        ("https://github.com.evil.org/uni/toys", None, "toys"),
        ("https://gitlab.com/uni/toys.git", None, "toys"),
        ("https://example.org/~ada/?p=1", None, "toy_course"),
    ],
)
def test_addresses_are_derived_from_the_published_repository(published: str, address: str | None, name: str) -> None:
    course = replace(load_course(FIXTURE), published=published)
    wanted = address and f"https://colab.research.google.com/github/{address}/notebooks/vae.ipynb"
    assert (colab_address(course, "vae"), repository_name(course)) == (wanted, name)
    assert clone_address(course) == ("https://github.com/" + address.partition("/blob")[0] if address else published)


def test_the_changelog_of_students_has_only_changes_of_notebooks() -> None:
    newer = "## 2\n\nDownload again.\n\n- code: a\n- stub: `f`\n  and `g`\n- test: h\n\n"
    text = f"# Changes\n\nx\n\n{newer}## 1\n\n- code: b\n"
    assert changes_for_students(text).partition("\n\n")[2].partition("\n\n")[2] == (
        "## 2\n\nDownload again.\n\n- stub: `f`\n  and `g`\n\n## 1\n\nNo notebook changed.\n"
    )


def test_the_project_file_is_shortened_or_refused() -> None:
    text = '[project]\nname = "x"\n[project.optional-dependencies]\nstaff = ["y"]\n[tool.ruff]\nz = 1\n'
    assert tomllib.loads(project_of_students(text)) == {"project": {"name": "x"}}
    with pytest.raises(ReleaseError, match="cannot be shortened"):
        project_of_students('tool.setuptools.x = 1\n[project]\nname = "x"\n')


# --- the course of this repository ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The student release of this repository."""
    out = tmp_path_factory.mktemp("bundled") / "out"
    bundle(out, root=REPOSITORY)
    return out


@pytest.mark.kernel
def test_the_release_of_this_course_has_no_secret_and_git_takes_all_of_it(bundled: Path) -> None:
    files = contents(bundled)
    assert secrets_in(files, REPOSITORY) == []
    course = load_course(REPOSITORY)
    assert {f"notebooks/{problem}.ipynb" for problem in course.problems} <= set(files)
    assert {name.split("/")[0] for name in files if "/" in name} == {"data", "docs", "homework", "notebooks"}
    assert max(map(len, files.values())) < 5 * 1024 * 1024
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", files["README.md"].decode()):
        assert link in files
    subprocess.run(["git", "init", "-q"], cwd=bundled, check=True)
    listing = ["git", "ls-files", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(listing, cwd=bundled, capture_output=True, text=True, check=True).stdout
    assert set(listed.split("\0")) - {""} == set(files)
    assert student_files(course, course.problems).keys() | {MANIFEST} == files.keys()


@pytest.mark.long
@pytest.mark.kernel
def test_the_release_of_this_course_installs_and_its_notebooks_start(bundled: Path, tmp_path: Path) -> None:
    """As `pip install git+https://...` does it: from a copy of the repository's files, then the first code cells."""
    source, target = tmp_path / "clone", tmp_path / "target"
    shutil.copytree(bundled, source, ignore=shutil.ignore_patterns(".git"))
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [*pip, "--no-compile", "--target", str(target), str(source)]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    inside = contents(target)  # what the wheel that pip built holds
    assert {name.split("/")[0] for name in inside if ".dist-info/" not in name} == {"homework"}
    assert {name for name in contents(bundled) if name.startswith("homework/")} <= set(inside)
    assert secrets_in(inside, REPOSITORY) == []
    notebook = nbformat.read(bundled / "notebooks" / "vae.ipynb", as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert 'find_spec("homework")' in cells[0] and "homework.start" in cells[1]
    script = "\n".join((*cells[:3], "print(homework.__file__, len(train_pixels))"))
    environment = {**os.environ, "PYTHONPATH": str(target), "HOMEWORK_PROFILE": "mini", "HOMEWORK_STUDENT": "ada"}
    python = [sys.executable, "-P", "-W", "ignore", "-c", script]
    ran = subprocess.run(
        python, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == f"{target / 'homework' / '__init__.py'} 1497"
