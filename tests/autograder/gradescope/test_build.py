"""Gradescope: what goes into the zip, what is accepted and how it is scored, and what the results say."""

from __future__ import annotations

import json
import stat
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.core.errors import AutograderError, SetupError
from autograder.core.results import ItemResult, Status
from autograder.course.problem import Problem, load_problem, problem_ids
from autograder.course.seed import grading_seed
from autograder.gradescope import build
from autograder.gradescope import grade as grade_module
from autograder.gradescope.build import make_zip, write_submissions
from autograder.gradescope.grade import grade, limits_within
from autograder.gradescope.requirements import CONTAINERS, Memory, Packages, measured, packages_for
from autograder.gradescope.results_json import End, Progress, results, write_results
from autograder.gradescope.settings import ListedItem, Settings, read_settings
from autograder.gradescope.submission import read_users
from autograder.grading import grade as grading
from autograder.sandbox.host import SessionLimits
from benchmarks.verify_speed import made_up_log
from tests.autograder.gradescope_room import CHECKOUT, USER, Room, solution_bytes
from tests.autograder.toy import FULL, ROOT, STANDARDIZE, graded, scores, solved, text, toy

pytestmark = pytest.mark.xdist_group("gradescope")
SEED = "drawn-for-these-tests"
PACKAGES = Packages(("torch==1",), ("numpy==1",), ("numpy==1", "torch==1"))
ME = str(USER["email"]).partition("@")[0]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip of the toy problem; which packages it needs is another test's business."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "packages_for", lambda problem, root: PACKAGES)
        patch.setenv("AUTOGRADER_SEED", SEED)
        return make_zip("toy", tmp_path_factory.mktemp("zip") / "toy.zip", root=ROOT).path


@pytest.fixture
def room(archive: Path, tmp_path: Path) -> Room:
    """A container in which nothing was handed in yet."""
    return Room(tmp_path, archive)


class Told(Progress):
    """What a grading in this process said."""

    @property
    def scores(self) -> dict[str, float]:
        """Points by code item."""
        return {item.id: item.score for item in self.items.values() if not item.manual}

    @property
    def for_staff(self) -> str:
        return "\n".join(self.staff)


def graded_here(
    room: Room,
    files: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    problem: Problem | None = None,
    runs_code: bool = True,
    **changes: Any,
) -> Told:
    """Grades files in this process, with a process for student code that is there already, if any code may run."""
    room.hand_in(files)
    settings = replace(read_settings(room.source), **changes)
    if problem is not None:
        settings = replace(settings, problem=problem.id, items=listed(problem))
        (room.source / "solutions" / f"{problem.id}.py").write_bytes(problem.path.read_bytes())
    monkeypatch.setenv("AUTOGRADER_SEED", SEED)
    host = (lambda *_: grading._host((), CHECKOUT).clone()) if runs_code else None
    monkeypatch.setattr(grade_module, "_host", host)
    told = Told()
    grade(room.base, settings, told.take_note)
    return told


def listed(problem: Problem) -> tuple[ListedItem, ...]:
    return tuple(ListedItem(item.id, "1", item.kind, item.points) for item in problem.items)


def log_bytes(student: str, problem: Problem | None = None, **changes: Any) -> bytes:
    return json.dumps({**made_up_log(problem or toy(), student), **changes}).encode()


# --- the zip ----------------------------------------------------------------------------------------------------------


def test_the_zip_holds_one_problem_and_the_seed_and_nothing_of_anybody_else(archive: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        names = zipped.namelist()
        modes = {info.filename: info.external_attr >> 16 for info in zipped.infolist()}
        scripts = {name: zipped.read(name) for name in ("setup.sh", "run_autograder")}
        seeds = zipped.read("course/seeds.txt").decode().split()
    ours = {name for name in names if name.startswith("solutions/")}
    wrong = {name for name in ours if name.startswith("solutions/variants/toy/wrong/")}
    assert wrong and ours - wrong == {"solutions/toy.py"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".db", ".ipynb", ".pyc"))]
    assert {name.split("/")[0] for name in names} == {
        *("setup.sh", "run_autograder", "settings.json", "torch.txt", "requirements.txt", "constraints.txt"),
        *("course.toml", "course", "solutions", "packages"),
    }
    assert seeds[1:] == [SEED]
    for name, script in scripts.items():
        assert stat.S_IMODE(modes[name]) == 0o755 and script.startswith(b"#!/bin/bash\n") and b"\r" not in script
    assert {stat.S_IMODE(mode) for name, mode in modes.items() if name not in scripts} == {0o644}


def test_the_packages_in_the_zip_are_whole(archive: Path, root: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        names = set(zipped.namelist())
    for package in ("autograder", "homework"):
        inside = "packages/autograder" if package == "autograder" else "packages/homework/homework"
        files = [path for path in (root / package).rglob("*") if path.is_file() and path.suffix != ".pyc"]
        wanted = {f"{inside}/{path.relative_to(root / package)}" for path in files if ".egg-info" not in str(path)}
        assert wanted <= names
    assert {"packages/autograder/pyproject.toml", "packages/homework/pyproject.toml"} <= names


@pytest.mark.kernel
def test_what_to_try_an_autograder_with(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    solved_path, untouched = write_submissions("toy", tmp_path / "try", ROOT)
    assert graded_here(room, {"toy.ipynb": solved_path.read_bytes()}, monkeypatch).scores == FULL
    told = graded_here(room, {"toy.ipynb": untouched.read_bytes()}, monkeypatch)
    assert set(told.scores.values()) == {0.0}


def test_the_same_course_gives_the_same_bytes(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "packages_for", lambda problem, root: PACKAGES)
    monkeypatch.setenv("AUTOGRADER_SEED", SEED)
    again = make_zip("toy", tmp_path / "again.zip", root=ROOT)
    assert again.path.read_bytes() == archive.read_bytes()
    monkeypatch.setenv("AUTOGRADER_SEED", "another")
    assert make_zip("toy", tmp_path / "other.zip", root=ROOT).path.read_bytes() != archive.read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minutes": 41}, "Gradescope allows 1 to 40"),
        ({"minutes": 0}, "Gradescope allows 1 to 40"),
        ({"log_alone": "believe"}, "verify or refuse"),
        ({"leaderboard": "toy/wealth"}, "no metric 'toy/wealth'"),
    ],
)
def test_settings_that_cannot_be_are_refused(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(AutograderError, match=message):
        patch.setenv("AUTOGRADER_SEED", SEED)
        make_zip("toy", tmp_path / "toy.zip", root=ROOT, **options)
    assert not (tmp_path / "toy.zip").exists()


def test_no_zip_asks_for_no_walls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_SEED", SEED)
    monkeypatch.setenv("AUTOGRADER_ISOLATION", "plain")
    with pytest.raises(AutograderError, match="plain"):
        make_zip("toy", tmp_path / "toy.zip", root=ROOT)


@pytest.mark.kernel
def test_packages_are_found_by_grading_the_solution() -> None:
    packages = packages_for("toy", ROOT)
    names = [one.partition("==")[0] for one in packages.others]
    assert [one.partition("==")[0] for one in packages.torch] == ["torch"]
    assert {"numpy", "jupytext", "nbformat", "ipython", "jsonschema", "pyseccomp"} <= set(names)
    assert not {"transformers", "torchvision", "nbgrader", "datasets", "homework-autograder"} & set(names)
    assert "+" not in "".join((*packages.torch, *packages.pins))


def test_the_command_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "packages_for", lambda problem, root: PACKAGES)
    monkeypatch.setenv("AUTOGRADER_ROOT", str(ROOT))
    monkeypatch.setenv("AUTOGRADER_SEED", SEED)
    done = CliRunner().invoke(app, ["gradescope", "toy", "--out", str(tmp_path / "toy.zip"), "--minutes", "5"])
    assert done.exit_code == 0, done.output
    assert "autograder points  20" in done.output and "5 minutes" in done.output
    assert "not measured for this problem" in done.output
    for item in toy().items:
        assert (item.kind == "code") != (f"{item.id} {item.points:g}" in done.output)


def test_every_problem_was_measured_and_fits_the_container_that_is_advised() -> None:
    command, figures = measured()
    assert set(figures) == set(problem_ids(CHECKOUT)), f"run {command}"
    for memory in figures.values():
        assert memory.own + memory.libraries < memory.container.megabytes
        assert memory.container is not CONTAINERS[0] or 0 < memory.default < 300, "half of the default time limit"
    assert Memory(500, 218, 1, 20).container is CONTAINERS[0]
    assert Memory(500, 219, 1, 20).container is CONTAINERS[1] is Memory(500, 218, 1, 0).container


def test_the_guide_shows_these_figures(root: Path) -> None:
    guide = (root / "docs" / "gradescope.md").read_text(encoding="utf-8")
    for problem, memory in measured()[1].items():
        default = f"{memory.default:g} s" if memory.default else "fails"
        figures = f"{memory.own} | {memory.libraries} | {memory.cpu:g} | {default} | {memory.container.name}"
        assert f"| `{problem}` | {figures} |" in guide


# --- what was handed in -----------------------------------------------------------------------------------------------


@pytest.mark.kernel
def test_a_notebook_under_another_name_in_a_folder_with_a_log_elsewhere(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"work/toy (1).ipynb": text(solved()), "submission_log (1).json": log_bytes(ME)}
    told = graded_here(room, files, monkeypatch)
    assert told.scores == FULL and told.end is End.DONE
    notes = "\n".join(told.notes)
    assert "toy (1).ipynb is not named toy.ipynb" in notes and "(1).json was used as submission_log.json" in notes
    assert "other_student" not in told.for_staff and "no_log" not in told.for_staff


@pytest.mark.kernel
def test_a_mistake_that_is_known_is_named_to_student_and_staff(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = next((ROOT / "solutions/variants/toy/wrong/standardize").glob("*.py"))
    answer = "\n".join(line for line in wrong.read_text().splitlines() if not line.startswith("#")).strip()
    told = graded_here(room, {"toy.ipynb": text(solved(standardize=answer))}, monkeypatch)
    assert told.scores["standardize"] < 12
    assert f"known misconception: standardize/{wrong.stem}" in told.for_staff
    said = told.items["standardize"].message
    assert "Likely mistake: " in said
    assert "On your per-student inputs you return an array of shape 4 × 2, as expected." in said


@pytest.mark.kernel
def test_a_log_of_somebody_else_beside_a_notebook_is_for_staff_to_see(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = graded_here(room, {"toy.ipynb": text(solved()), "submission_log.json": log_bytes("bela")}, monkeypatch)
    assert told.scores == FULL
    assert "The log is for student 'bela', but was submitted by ada@uni.example" in told.for_staff
    assert "bela" not in "\n".join(told.notes)


@pytest.mark.parametrize("student", ["ada@uni.example", "Ada", "s-77", "1234"])
def test_a_log_alone_is_verified_under_any_of_ones_own_names(
    room: Room, student: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = graded_here(room, {"submission_log.json": log_bytes(student)}, monkeypatch, runs_code=False)
    assert told.scores == FULL
    assert any("no code" in note for note in told.notes) and "log_alone" in told.for_staff
    assert all("Verified from your log" in item.message for item in told.items.values() if not item.manual)


def test_a_log_alone_earns_only_what_is_right_and_ones_own(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = json.loads(log_bytes(ME))
    wrong["answers"]["Line"] = [0.0, 0.0, 0.0]
    told = graded_here(room, {"submission_log.json": json.dumps(wrong).encode()}, monkeypatch, runs_code=False)
    assert told.scores == {**FULL, "Line": 0.0}
    for name in ("bela", "anonymous"):
        told = graded_here(room, {"submission_log.json": log_bytes(name)}, monkeypatch, runs_code=False)
        assert set(told.scores.values()) == {0.0} and "your own name" in told.notes[-1]
    told = graded_here(room, {"submission_log.json": log_bytes(ME) + b"}"}, monkeypatch, runs_code=False)
    assert set(told.scores.values()) == {0.0} and "not JSON" in told.notes[-1]
    copied = {**made_up_log(toy(), "bela"), "student": ME}
    told = graded_here(room, {"submission_log.json": json.dumps(copied).encode()}, monkeypatch, runs_code=False)
    assert set(told.scores.values()) == {0.0}, "a friend's answers under one's own name"


def test_a_course_can_refuse_logs_alone(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    told = graded_here(room, {"submission_log.json": log_bytes(ME)}, monkeypatch, runs_code=False, log_alone="refuse")
    assert set(told.scores.values()) == {0.0} and "Submit both" in told.notes[-1]


def test_where_there_is_no_notebook_the_student_reads_what_was_there(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = graded_here(room, {"essay.pdf": b"%PDF", "results.json": b'{"score": 100}'}, monkeypatch, runs_code=False)
    assert set(told.scores.values()) == {0.0} and told.end is End.DONE
    assert "submit toy.ipynb (you submitted essay.pdf, results.json)" in told.notes[-1]
    assert "nothing" in graded_here(room, {}, monkeypatch, runs_code=False).notes[-1]


def test_links_are_not_followed(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room.hand_in({})
    outside = tmp_path / "elsewhere.ipynb"
    outside.write_bytes(text(solved()))
    (room.submission / "toy.ipynb").symlink_to(outside)
    (room.submission / "source").symlink_to(room.source, target_is_directory=True)
    monkeypatch.setattr(room, "hand_in", lambda files: None)
    told = graded_here(room, {}, monkeypatch, runs_code=False)
    assert set(told.scores.values()) == {0.0} and "you submitted nothing" in told.notes[-1]


@pytest.mark.kernel
def test_a_notebook_that_cannot_be_read_says_why(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    told = graded_here(room, {"toy.ipynb": b"{"}, monkeypatch)
    assert set(told.scores.values()) == {0.0} and "is not JSON" in told.notes[-1] and told.end is End.DONE


@pytest.mark.parametrize(
    "content", [None, "", "[]", '{"users": 3}', '{"users": [3, null, {"email": 5}]}', '{"users": [{"email": ""}]}']
)
def test_metadata_that_say_nothing_name_nobody(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "submission_metadata.json"
    if content is not None:
        path.write_text(content)
    assert not read_users(path).known and not read_users(path).may_be("")


def test_anybody_of_a_group_may_have_written_the_log(tmp_path: Path) -> None:
    path = tmp_path / "submission_metadata.json"
    path.write_text(json.dumps({"users": [USER, {"email": "Bela@uni.example", "id": 2, "sid": None}]}))
    users = read_users(path)
    assert users.shown == ("ada@uni.example", "Bela@uni.example")
    assert users.may_be(" bela ") and users.may_be("ADA@uni.example") and not users.may_be("None")


@pytest.mark.kernel
@pytest.mark.parametrize(("value", "shown"), [(100.0, True), (3.0, False)])
def test_the_leaderboard_shows_a_number_only_where_honest_runs_have_it(
    value: float, shown: bool, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = load_problem("vae", CHECKOUT)
    metrics = {"vae/test_nelbo": {"value": value, "stderr": None, "runs": 1}}
    files = {"vae.ipynb": solution_bytes(vae), "submission_log.json": log_bytes(ME, vae, metrics=metrics)}
    told = graded_here(room, files, monkeypatch, vae, leaderboard="vae/test_nelbo", lowest_first=True)
    expected = [{"name": "vae/test_nelbo (mini)", "value": value, "order": "asc"}]
    assert told.leaderboard == (expected if shown else [])


# --- results.json -----------------------------------------------------------------------------------------------------

SETTINGS = Settings(
    problem="toy",
    title="A toy problem",
    items=(
        ListedItem("first", "1", "code", 4.0),
        ListedItem("second", "2", "code", 6.0),
        ListedItem("written_why", "3", "written", 2.0),
    ),
    minutes=10.0,
    log_alone="verify",
    leaderboard="",
    lowest_first=False,
    isolation="",
    seed="0123",
)
FIRST = ItemResult("first", 4.0, 4.0, Status.PASSED, "All checks passed.")


def rows_of(progress: Progress) -> dict[str, dict[str, Any]]:
    return {test["name"]: test for test in results(SETTINGS, progress)["tests"]}


def test_what_was_not_reached_keeps_what_was_done() -> None:
    tests = rows_of(Progress(items={"first": FIRST}, end=End.LATE))
    assert (tests["first"]["score"], tests["first"]["status"]) == (4.0, "passed")
    assert (tests["second"]["score"], tests["second"]["max_score"]) == (0.0, 6.0)
    assert tests["second"]["status"] == "failed" and "Not graded within 10 minutes" in tests["second"]["output"]
    assert {test["visibility"] for test in tests.values()} == {"visible"}


def test_points_that_people_give_are_left_to_them() -> None:
    test = rows_of(Progress(items={"first": FIRST}))["written_why"]
    assert "score" not in test and "max_score" not in test and "up to 2 points" in test["output"]
    missing = ItemResult("written_why", 0.0, 2.0, Status.MISSING, "Not answered.", manual=True)
    test = rows_of(Progress(items={"written_why": missing}))["written_why"]
    assert "score" not in test and test["status"] == "failed"


def test_after_a_fault_of_ours_no_total_score_is_shown() -> None:
    record = results(SETTINGS, Progress(items={"first": FIRST}, end=End.FAULT, staff=["Traceback: a secret"]))
    tests = {test["name"]: test for test in record["tests"]}
    assert tests["second"]["visibility"] == "hidden", "then Gradescope shows students no total"
    assert "not your fault" in record["output"] and "secret" not in record["output"]


def test_nothing_a_student_wrote_steers_the_page() -> None:
    nasty = ItemResult("first", 1.0, 4.0, Status.FAILED, "\x1b[2J\u202e<b>\ud800" + "x" * 5000 + "\n" * 500 + "y")
    record = results(SETTINGS, Progress(items={"first": nasty}, notes=["\x07"], staff=["\x1b[31m"]))
    shown = json.dumps(record, ensure_ascii=False)
    assert shown.isprintable() and len(shown) < 5000
    assert (record["output_format"], record["test_output_format"], record["test_name_format"]) == ("text",) * 3
    assert record["stdout_visibility"] == "hidden"


@pytest.mark.parametrize("content", ["keep", None])
def test_a_link_in_the_place_of_the_results_is_replaced(content: str | None, tmp_path: Path) -> None:
    folder, victim = tmp_path / "results", tmp_path / "victim"
    folder.mkdir()
    write_results(folder, SETTINGS, Progress())
    kept = content or (folder / "results.json").read_text()  # a link to the same text, too
    victim.write_text(kept)
    (folder / "results.json").unlink()
    (folder / "results.json").symlink_to(victim)
    write_results(folder, SETTINGS, Progress())
    assert victim.read_text() == kept and not (folder / "results.json").is_symlink()
    assert json.loads((folder / "results.json").read_text())["tests"]


def test_settings_come_back_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(SETTINGS.text())
    assert read_settings(tmp_path) == SETTINGS
    (tmp_path / "settings.json").write_text("{}")
    with pytest.raises(SetupError, match="make the zip again"):
        read_settings(tmp_path)


def test_limits_fit_the_container_and_are_the_usual_ones_where_there_is_plenty() -> None:
    assert limits_within(64 * 2**30) == SessionLimits()
    small = limits_within(500 * 2**20)
    assert small.memory + small.disk <= 500 * 2**20 and small.total < 300 * 2**20
    assert small.file == small.disk < 64 * 2**20


@pytest.mark.kernel
def test_the_seed_in_the_zip_gives_the_scores_of_the_course(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOGRADER_SEED")
    assert grading_seed(room.source) == SEED
    half = text(solved(standardize=STANDARDIZE + "    return x - x.mean(0)"))
    told = graded_here(room, {"toy.ipynb": half}, monkeypatch)
    assert told.scores == scores(graded(half))
    assert 0 < sum(told.scores.values()) < sum(FULL.values())
