"""Gradescope: the content of the zip, the grading of a submission in this process, and `results.json`."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.core.counts import Counts
from autograder.core.errors import AutograderError, SetupError
from autograder.core.results import ItemResult, Status
from autograder.course.problem import Problem, load_problem, problem_ids
from autograder.course.seed import grading_seed
from autograder.gradescope import grade as grade_module
from autograder.gradescope.build import make_zip, write_submissions
from autograder.gradescope.grade import grade, limits_within
from autograder.gradescope.requirements import CONTAINERS, Memory, measured, packages_for
from autograder.gradescope.results_json import End, Progress, results, write_results
from autograder.gradescope.settings import ListedItem, Settings, read_settings
from autograder.gradescope.submission import look_through, read_users
from autograder.sandbox.limits import SessionLimits
from benchmarks.verify_speed import made_up_log
from tests.autograder.gradescope_room import CHECKOUT, SEED, USER, Room, solution_bytes
from tests.autograder.toy import FULL, ROOT, STANDARDIZE, graded, released, scores, solved, text, toy
from tests.autograder.warm_host import warm_host

pytestmark = pytest.mark.xdist_group("gradescope")
ME = str(USER["email"]).partition("@")[0]
NOTHING = dict.fromkeys(FULL, 0.0)
LOG = "submission_log.json"


class Told(Progress):
    """The findings of a grading in this process."""

    @property
    def scores(self) -> dict[str, float]:
        """Points by code item."""
        return {item.id: item.score for item in self.items.values() if not item.manual}

    @property
    def for_staff(self) -> str:
        return "\n".join(self.staff)


GradeHere = Callable[..., Told]


@pytest.fixture
def grade_here(room: Room, monkeypatch: pytest.MonkeyPatch) -> GradeHere:
    """Grades files in this process; the process for student code is started before, if any code may run."""

    def grades(files: dict[str, bytes], problem: Problem | None = None, runs_code: bool = True, **changes: Any) -> Told:
        room.submit(files)
        settings = replace(read_settings(room.source), **changes)
        if problem is not None:
            settings = replace(settings, problem=problem.id, items=listed(problem))
            (room.source / "solutions" / f"{problem.id}.py").write_bytes(problem.path.read_bytes())
        host = (lambda *_: warm_host().clone()) if runs_code else None
        monkeypatch.setattr(grade_module, "_host", host)
        told = Told()
        grade(room.base, settings, told.take_note)
        return told

    return grades


def listed(problem: Problem) -> tuple[ListedItem, ...]:
    return tuple(ListedItem(item.id, "1", item.kind, item.points) for item in problem.items)


def log_bytes(owner: str, problem: Problem | None = None, **changes: Any) -> bytes:
    return json.dumps({**made_up_log(problem or toy(), owner), **changes}).encode()


# --- the zip ----------------------------------------------------------------------------------------------------------


def test_the_zip_has_one_problem_and_the_seed_and_no_student_data(archive: Path) -> None:
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


def test_the_zip_has_all_files_of_both_packages(archive: Path, root: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        names = set(zipped.namelist())
    for package in ("autograder", "homework"):
        inside = "packages/autograder" if package == "autograder" else "packages/homework/homework"
        files = [path for path in (root / package).rglob("*") if path.is_file() and path.suffix != ".pyc"]
        wanted = {f"{inside}/{path.relative_to(root / package)}" for path in files if ".egg-info" not in str(path)}
        assert wanted <= names
    assert {"packages/autograder/pyproject.toml", "packages/homework/pyproject.toml"} <= names


@pytest.mark.kernel
def test_the_trial_submissions_get_full_points_and_none(grade_here: GradeHere, tmp_path: Path) -> None:
    solution, untouched = write_submissions("toy", tmp_path / "try", ROOT)
    assert grade_here({"toy.ipynb": solution.read_bytes()}).scores == FULL
    assert grade_here({"toy.ipynb": untouched.read_bytes()}).scores == NOTHING


@pytest.mark.usefixtures("no_package_search")
def test_the_same_course_gives_the_same_bytes(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_zip("toy", tmp_path / "again.zip", root=ROOT).path.read_bytes() == archive.read_bytes()
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
def test_invalid_settings_are_refused(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(AutograderError, match=message):
        make_zip("toy", tmp_path / "toy.zip", root=ROOT, **options)
    assert not (tmp_path / "toy.zip").exists()


def test_a_zip_without_isolation_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_ISOLATION", "plain")
    with pytest.raises(AutograderError, match="plain"):
        make_zip("toy", tmp_path / "toy.zip", root=ROOT)


@pytest.mark.long
@pytest.mark.kernel
def test_the_packages_are_those_that_grading_the_solution_imports() -> None:
    packages = packages_for("toy", ROOT)
    names = [one.partition("==")[0] for one in packages.others]
    assert [one.partition("==")[0] for one in packages.torch] == ["torch"]
    assert {"numpy", "jupytext", "nbformat", "ipython", "jsonschema", "pyseccomp"} <= set(names)
    assert not {"transformers", "torchvision", "nbgrader", "datasets", "homework-autograder"} & set(names)
    assert "+" not in "".join((*packages.torch, *packages.pins))


@pytest.mark.usefixtures("no_package_search")
def test_the_command_prints_the_settings_for_gradescope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(ROOT))
    done = CliRunner().invoke(app, ["gradescope", "toy", "--out", str(tmp_path / "toy.zip"), "--minutes", "5"])
    assert done.exit_code == 0, done.output
    assert "autograder points  20" in done.output and "5 minutes" in done.output
    assert "not measured for this problem" in done.output
    for item in toy().items:
        assert (item.kind == "code") != (f"{item.id} {item.points:g}" in done.output)


def test_every_measured_problem_fits_the_container_that_is_advised() -> None:
    _, figures = measured()
    assert figures and set(figures) <= set(problem_ids(CHECKOUT))
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


# --- the submission ---------------------------------------------------------------------------------------------------


@pytest.mark.kernel
def test_a_notebook_and_a_log_are_found_under_other_names_and_in_folders(grade_here: GradeHere) -> None:
    told = grade_here({"work/toy (1).ipynb": text(solved()), "submission_log (1).json": log_bytes(ME)})
    assert told.scores == FULL and told.end is End.DONE
    notes = "\n".join(told.notes)
    assert "toy (1).ipynb is not named toy.ipynb" in notes and "(1).json was used as submission_log.json" in notes
    assert "other_student" not in told.for_staff and "no_log" not in told.for_staff


@pytest.mark.kernel
def test_a_known_misconception_is_named_to_student_and_staff(grade_here: GradeHere) -> None:
    wrong = next((ROOT / "solutions/variants/toy/wrong/standardize").glob("*.py"))
    answer = "\n".join(line for line in wrong.read_text().splitlines() if not line.startswith("#")).strip()
    told = grade_here({"toy.ipynb": text(solved(standardize=answer))})
    assert told.scores["standardize"] < 12
    assert f"known misconception: standardize/{wrong.stem}" in told.for_staff
    message = told.items["standardize"].message
    assert "Likely mistake: " in message
    assert "On your per-student inputs you return an array of shape 4 × 2, as expected." in message


@pytest.mark.kernel
def test_a_log_of_another_student_beside_a_notebook_is_reported_to_staff(grade_here: GradeHere) -> None:
    told = grade_here({"toy.ipynb": text(solved()), LOG: log_bytes("bela")})
    assert told.scores == FULL
    assert "The log is for student 'bela', but was submitted by ada@uni.example" in told.for_staff
    assert "bela" not in "\n".join(told.notes)


@pytest.mark.parametrize("student", ["ada@uni.example", "Ada", "s-77", "1234"])
def test_a_log_alone_is_verified_under_each_name_of_its_student(student: str, grade_here: GradeHere) -> None:
    told = grade_here({LOG: log_bytes(student)}, runs_code=False)
    assert told.scores == FULL
    assert any("no code" in note for note in told.notes) and "log_alone" in told.for_staff
    assert all("Verified from your log" in item.message for item in told.items.values() if not item.manual)


def test_a_log_alone_earns_points_only_for_right_answers_of_its_student(grade_here: GradeHere) -> None:
    def graded_alone(log: bytes) -> Told:
        return grade_here({LOG: log}, runs_code=False)

    answers = json.loads(log_bytes(ME))["answers"]
    assert graded_alone(log_bytes(ME, answers=answers | {"Line": [0.0] * 3})).scores == {**FULL, "Line": 0.0}
    for name in ("bela", "anonymous"):
        told = graded_alone(log_bytes(name))
        assert told.scores == NOTHING and "your own name" in told.notes[-1]
    told = graded_alone(log_bytes(ME) + b"}")
    assert told.scores == NOTHING and "not JSON" in told.notes[-1]
    assert graded_alone(log_bytes("bela", student=ME)).scores == NOTHING, "a friend's answers under the own name"


def test_a_course_can_refuse_logs_alone(grade_here: GradeHere) -> None:
    told = grade_here({LOG: log_bytes(ME)}, runs_code=False, log_alone="refuse")
    assert told.scores == NOTHING and "Submit both" in told.notes[-1]


def test_a_submission_without_a_notebook_is_told_what_was_submitted(grade_here: GradeHere) -> None:
    told = grade_here({"essay.pdf": b"%PDF", "results.json": b'{"score": 100}'}, runs_code=False)
    assert told.scores == NOTHING and told.end is End.DONE
    assert "submit toy.ipynb (you submitted essay.pdf, results.json)" in told.notes[-1]
    assert "nothing" in grade_here({}, runs_code=False).notes[-1]


def test_links_are_not_followed(
    room: Room, tmp_path: Path, grade_here: GradeHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.submit({})
    (tmp_path / "elsewhere.ipynb").write_bytes(text(solved()))
    (room.submission / "toy.ipynb").symlink_to(tmp_path / "elsewhere.ipynb")
    (room.submission / "source").symlink_to(room.source, target_is_directory=True)
    monkeypatch.setattr(room, "submit", lambda files: None)
    told = grade_here({}, runs_code=False)
    assert told.scores == NOTHING and "you submitted nothing" in told.notes[-1]


@pytest.mark.kernel
def test_an_unreadable_notebook_scores_zero_with_the_reason(grade_here: GradeHere) -> None:
    told = grade_here({"toy.ipynb": b"{"})
    assert told.scores == NOTHING and "is not JSON" in told.notes[-1] and told.end is End.DONE


@pytest.mark.parametrize(
    "content", [None, "", "[]", '{"users": 3}', '{"users": [3, null, {"email": 5}]}', '{"users": [{"email": ""}]}']
)
def test_metadata_without_users_identify_no_student(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "submission_metadata.json"
    if content is not None:
        path.write_text(content)
    assert not read_users(path).known and not read_users(path).may_be("")


def test_the_notebook_with_answers_counts_whatever_its_name(tmp_path: Path) -> None:
    for name, notebook in {"toy.ipynb": released(), "work/toy (1).ipynb": solved()}.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(text(notebook))
    delivered = look_through(tmp_path / "in", toy(), tmp_path / "to")
    assert delivered.notebook.read_bytes() == text(solved())
    assert "it has the answers" in delivered.notes[-1]


def test_a_log_may_be_of_any_member_of_the_group(tmp_path: Path) -> None:
    path = tmp_path / "submission_metadata.json"
    path.write_text(json.dumps({"users": [USER, {"email": "Bela@uni.example", "id": 2, "sid": None}]}))
    users = read_users(path)
    assert users.shown == ("ada@uni.example", "Bela@uni.example")
    assert users.may_be(" bela ") and users.may_be("ADA@uni.example") and not users.may_be("None")


@pytest.mark.kernel
@pytest.mark.parametrize(("value", "shown"), [(100.0, True), (3.0, False)])
def test_the_leaderboard_shows_only_metrics_in_the_expected_range(
    value: float, shown: bool, grade_here: GradeHere
) -> None:
    vae = load_problem("vae", CHECKOUT)
    metrics = {"vae/test_nelbo": {"value": value, "stderr": None, "runs": 1}}
    files = {"vae.ipynb": solution_bytes(vae), LOG: log_bytes(ME, vae, metrics=metrics)}
    told = grade_here(files, vae, leaderboard="vae/test_nelbo", lowest_first=True)
    expected = [{"name": "vae/test_nelbo (mini)", "value": value, "order": "asc"}]
    assert told.leaderboard == (expected if shown else [])


# --- results.json -----------------------------------------------------------------------------------------------------

ITEMS = (
    ListedItem("first", "1", "code", 4.0),
    ListedItem("second", "2", "code", 6.0),
    ListedItem("written_why", "3", "written", 2.0),
)
SETTINGS = Settings("toy", "A toy problem", ITEMS, 10.0, "verify", "", False, "", "0123")
FIRST = ItemResult("first", 4.0, 4.0, Status.PASSED, "All checks passed.")


def rows_of(progress: Progress) -> dict[str, dict[str, Any]]:
    return {test["name"]: test for test in results(SETTINGS, progress)["tests"]}


def test_items_after_the_time_limit_score_zero_and_the_others_keep_their_score() -> None:
    tests = rows_of(Progress(items={"first": FIRST}, end=End.LATE))
    assert (tests["first"]["score"], tests["first"]["status"]) == (4.0, "passed")
    assert (tests["second"]["score"], tests["second"]["max_score"]) == (0.0, 6.0)
    assert tests["second"]["status"] == "failed" and "Not graded within 10 minutes" in tests["second"]["output"]
    assert {test["visibility"] for test in tests.values()} == {"visible"}


def test_items_that_need_manual_grading_have_no_score() -> None:
    test = rows_of(Progress(items={"first": FIRST}))["written_why"]
    assert "score" not in test and "max_score" not in test and "up to 2 points" in test["output"]
    missing = ItemResult("written_why", 0.0, 2.0, Status.MISSING, "Not answered.", manual=True)
    test = rows_of(Progress(items={"written_why": missing}))["written_why"]
    assert "score" not in test and test["status"] == "failed"


def test_a_bonus_adds_nothing_to_the_maximum_and_a_dropped_item_has_no_points() -> None:
    items = (
        ListedItem("first", "1", "code", 4.0, "bonus"),
        ListedItem("second", "2", "code", 6.0, "dropped"),
        ListedItem("third", "3", "code", 5.0),
        ListedItem("written_why", "4", "written", 2.0, "dropped"),
    )
    settings = replace(SETTINGS, items=items)
    first = FIRST.counted(Counts.BONUS)
    second = ItemResult("second", 6.0, 6.0, Status.PASSED, "fine").counted(Counts.DROPPED)
    tests = {
        test["name"]: test for test in results(settings, Progress(items={"first": first, "second": second}))["tests"]
    }
    assert (tests["first"]["score"], tests["first"]["max_score"]) == (4.0, 0.0) and settings.auto_points == 5.0
    for name in ("second", "written_why"):
        assert "score" not in tests[name] and "max_score" not in tests[name] and "dropped" in tests[name]["output"]


def test_after_an_error_of_the_autograder_students_see_no_total_score() -> None:
    record = results(SETTINGS, Progress(items={"first": FIRST}, end=End.FAULT, staff=["Traceback: a secret"]))
    tests = {test["name"]: test for test in record["tests"]}
    assert tests["second"]["visibility"] == "hidden", "then Gradescope shows students no total"
    assert "not your fault" in record["output"] and "secret" not in record["output"]


def test_text_of_students_is_printable_and_short() -> None:
    nasty = ItemResult("first", 1.0, 4.0, Status.FAILED, "\x1b[2J\u202e<b>\ud800" + "x" * 5000 + "\n" * 500 + "y")
    record = results(SETTINGS, Progress(items={"first": nasty}, notes=["\x07"], staff=["\x1b[31m"]))
    shown = json.dumps(record, ensure_ascii=False)
    assert shown.isprintable() and len(shown) < 5000
    assert (record["output_format"], record["test_output_format"], record["test_name_format"]) == ("text",) * 3
    assert record["stdout_visibility"] == "hidden"


@pytest.mark.parametrize("content", ["keep", None])
def test_a_link_at_the_path_of_the_results_is_replaced(content: str | None, tmp_path: Path) -> None:
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


def test_settings_can_be_read_back(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(SETTINGS.text())
    assert read_settings(tmp_path) == SETTINGS
    (tmp_path / "settings.json").write_text("{}")
    with pytest.raises(SetupError, match="make the zip again"):
        read_settings(tmp_path)


def test_limits_fit_the_memory_of_the_container() -> None:
    assert limits_within(64 * 2**30) == SessionLimits()
    small = limits_within(500 * 2**20)
    assert small.memory + small.disk <= 500 * 2**20 and small.total < 300 * 2**20
    assert small.file == small.disk < 64 * 2**20


@pytest.mark.long
@pytest.mark.kernel
def test_the_seed_in_the_zip_gives_the_scores_of_the_course(
    room: Room, grade_here: GradeHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = text(solved(standardize=STANDARDIZE + "    return x - x.mean(0)"))
    of_the_course = scores(graded(half))
    monkeypatch.delenv("AUTOGRADER_SEED")
    assert grading_seed(room.source) == SEED
    assert grade_here({"toy.ipynb": half}).scores == of_the_course
    assert 0 < sum(of_the_course.values()) < sum(FULL.values())
