"""`autograder verify`: each log gets the verdict it deserves, whatever is in it, and no student code runs."""

from __future__ import annotations

import json
import math
import os
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient
from typer.testing import CliRunner

from autograder.cli.main import app
from autograder.core.errors import AutograderError
from autograder.core.notebook_io import notebook_text
from autograder.course.metric_ranges import declared_ranges
from autograder.course.problem import load_problem, problem_ids
from autograder.course.variants import variants
from autograder.grading.misconceptions import answer, asked_items, expected, known_misconceptions, with_answer
from autograder.grading.reference import reference
from autograder.grading.tolerance import same
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.sandbox import host as sandbox
from autograder.submissions.metrics import MetricVerdict
from autograder.verify.copied_answers import PROOF, RightAnswers
from autograder.verify.result import CodeVerdict, Verdict, Verified
from autograder.verify.verify import verify
from benchmarks.verify_speed import made_up_log, write_log
from homework.hand_in.expected_ranges import is_within
from homework.hand_in.source_hash import source_hash
from tests.problems.run_source import ROOT

VAE = load_problem("vae", ROOT)
GOOD = {
    "vae/test_nelbo": 100.0,
    "vae/test_kl": 13.0,
    "vae/test_rec": 87.0,
    "vae/beta_0.1_test_nelbo": 127.0,
    "vae/beta_1_test_nelbo": 100.0,
    "vae/beta_8_test_nelbo": 139.0,
}


def log_of(student: str, metrics: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """An honest VAE log with numbers as honest runs give them, some of it changed."""
    numbers = {name: {"value": value, "stderr": None, "runs": 1} for name, value in GOOD.items()}
    record = made_up_log(VAE, student)
    return {**record, "metrics": {**numbers, **(metrics or {})}, **changes}


def only(folder: Path, log: Mapping[str, Any], student: str = "") -> Verified:
    """The result for one log that was handed in alone."""
    (result,) = verify([write_log(folder, log, student)], root=ROOT)
    return result


def kinds(result: Verified) -> list[str]:
    return [flag.kind for flag in result.flags]


@pytest.mark.parametrize("problem_id", problem_ids(ROOT))
def test_honest_answers_to_every_problem_are_right(problem_id: str, tmp_path: Path) -> None:
    problem = load_problem(problem_id, ROOT)
    result = only(tmp_path, made_up_log(problem, "ada"))
    assert {item.id: item.verdict for item in result.items} == {
        item.id: Verdict.RIGHT for item in problem.items if item.kind == "code"
    }
    assert not result.flags and not result.copied_from
    assert {one.verdict for one in result.metrics} == {MetricVerdict.ABSENT}, "each problem declares metrics"


@pytest.mark.slow
@pytest.mark.parametrize("problem_id", problem_ids(ROOT))
def test_other_right_code_gives_right_answers(problem_id: str) -> None:
    problem = load_problem(problem_id, ROOT)
    own = reference(problem)
    asked = {item.id: item for item in asked_items(own)}
    for variant in variants(problem, "right"):
        if variant.item in asked:
            item, names = asked[variant.item], with_answer(own, variant)
            for student in ("ada", "bela"):
                right = expected(own, item, student)
                assert same(answer(own, item, names, student), right.value, right.precision), (variant.name, student)


@pytest.mark.kernel
def test_what_a_notebook_leaves_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Executed as a student does it; the code in the log is that of the notebook, executed or not."""
    monkeypatch.setenv("HOMEWORK_PROFILE", "grade")
    monkeypatch.setenv("HOMEWORK_STUDENT", "ada")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    path = hand_in_notebook(tmp_path / "ada" / "vae")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "install" not in cell.metadata.get("tags", ())]
    NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}}).execute()
    nbformat.write(notebook, path)
    (result,) = verify([tmp_path], root=ROOT)
    assert result.student == "ada" and result.right == len(result.items) == 3
    assert {item.code for item in result.items} == {CodeVerdict.SAME} and not result.notes
    assert kinds(result) == ["grade_profile"] and result.metrics == ()


def test_an_honest_log_leaves_nothing_to_look_at(tmp_path: Path) -> None:
    result = only(tmp_path, log_of("ada"))
    assert result.ok and (result.student, result.problem, result.profile) == ("ada", "vae", "mini")


def test_wrong_answers_are_named(tmp_path: Path) -> None:
    own = reference(VAE)
    wrong = known_misconceptions(own, VAE.item("kl_standard_normal"))["averaged_over_batch"]
    log = made_up_log(VAE, "ada", wrong={"kl_standard_normal": wrong})
    log["answers"]["sample_gaussian"] = {"error": "NotImplementedError: sample_gaussian\x1b[2J"}
    log["answers"]["negative_elbo_bound"]["kl"] *= 1.01
    result = only(tmp_path, log)
    assert [item.verdict for item in result.items] == [Verdict.ERROR, Verdict.MISCONCEPTION, Verdict.WRONG]
    known = result.item("kl_standard_normal")
    text = {variant.slug: variant.text for variant in variants(VAE, "wrong")}["averaged_over_batch"]
    assert known.misconception == "averaged_over_batch" and known.message == text
    assert "NotImplementedError" in result.items[0].message and "\x1b" not in result.items[0].message
    del log["answers"]["sample_gaussian"]
    (unnamed,) = verify([write_log(tmp_path, log)], root=ROOT, misconceptions=False)
    assert [item.verdict for item in unnamed.items] == [Verdict.MISSING, Verdict.WRONG, Verdict.WRONG]
    assert not unnamed.ok


def test_a_misconception_reaches_the_helper_that_calls_the_item_by_name(tmp_path: Path) -> None:
    problem = load_problem("summarization", ROOT)
    own = reference(problem)
    item = problem.item("TransformerStack")
    names = known_misconceptions(own, item)["unpadded_places_counted"]
    result = only(tmp_path, made_up_log(problem, "ada", wrong={item.id: names}))
    assert result.item(item.id).misconception == "unpadded_places_counted"


@pytest.mark.parametrize(
    "answer", ["NaN", "Infinity", None, True, [], {}, [["NaN"] * 2] * 3, [[10**400] * 2] * 3, [0.0] * 10**5]
)
def test_what_is_no_number_is_never_right(answer: Any, tmp_path: Path) -> None:
    log = made_up_log(VAE, "ada")
    log["answers"]["sample_gaussian"] = answer
    path = write_log(tmp_path, log)
    result = verify([path], root=ROOT)[0]
    assert result.item("sample_gaussian").verdict is Verdict.WRONG and result.right == 2


def test_a_log_with_an_infinite_number_is_none(tmp_path: Path) -> None:
    log = made_up_log(VAE, "ada")
    log["answers"]["sample_gaussian"] = [[1e999, 1e999]] * 3
    path = write_log(tmp_path, log)
    path.write_text(path.read_text().replace("Infinity", "1e999"))
    result = verify([path], root=ROOT)[0]
    assert (result.right, result.ok) == (0, False)
    [flag] = [flag for flag in result.flags if flag.kind == "log_unusable"]
    assert "an infinite number at answers/sample_gaussian/0/0" in flag.message


def test_on_a_gpu_answers_may_be_less_exact(tmp_path: Path) -> None:
    log = made_up_log(VAE, "ada")
    log["answers"]["kl_standard_normal"] = [value * 1.0008 for value in log["answers"]["kl_standard_normal"]]
    assert only(tmp_path, log).right == 2
    log["environment"]["device"] = "cuda (Tesla T4)"
    assert only(tmp_path, log).right == 3
    log["answers"]["kl_standard_normal"] = [value * 1.01 for value in log["answers"]["kl_standard_normal"]]
    assert only(tmp_path, log).right == 2


def test_copies_name_their_owner_and_nobody_else(tmp_path: Path) -> None:
    for student in ("ada", "bela", "chen"):
        write_log(tmp_path, log_of(student))
    write_log(tmp_path, {**made_up_log(VAE, "dora", of="bela"), "metrics": log_of("dora")["metrics"]})
    write_log(tmp_path, log_of("chen"), "emre")  # with the name left as it was
    results = {result.student: result for result in verify([tmp_path], root=ROOT)}
    assert {student: result.copied_from for student, result in results.items()} == {
        "ada": (),
        "bela": (),
        "chen": (),
        "dora": ("bela",),
        "emre": ("chen",),
    }
    assert {item.verdict for item in results["dora"].items} == {Verdict.COPIED}
    assert not any("bela" in item.message for item in results["dora"].items), "students may read these"
    assert kinds(results["emre"]) == ["other_student"] and not results["dora"].flags
    assert results["bela"].ok and not results["emre"].ok


def test_part_of_a_log_can_be_copied(tmp_path: Path) -> None:
    write_log(tmp_path, log_of("ada"))
    log = log_of("bela")
    log["answers"]["kl_standard_normal"] = log_of("ada")["answers"]["kl_standard_normal"]
    write_log(tmp_path, log)
    bela = verify([tmp_path], root=ROOT)[1]
    assert [item.verdict for item in bela.items] == [Verdict.RIGHT, Verdict.COPIED, Verdict.RIGHT]


def test_answers_that_follow_from_anothers_misconception_are_copies(tmp_path: Path) -> None:
    names = known_misconceptions(reference(VAE), VAE.item("kl_standard_normal"))["half_missing"]
    log = made_up_log(VAE, "ada", wrong={"kl_standard_normal": names})
    write_log(tmp_path, log)
    copied = made_up_log(VAE, "bela")
    copied["answers"]["kl_standard_normal"] = log["answers"]["kl_standard_normal"]
    write_log(tmp_path, copied)
    ada, bela = verify([tmp_path], root=ROOT)
    assert ada.item("kl_standard_normal").misconception == "half_missing" and not ada.copied_from
    assert bela.copied_from == ("ada",) and bela.item("kl_standard_normal").verdict is Verdict.COPIED


def test_equal_wrong_answers_that_nothing_explains_are_a_note_and_no_copy(tmp_path: Path) -> None:
    for student in ("ada", "bela"):
        log = log_of(student)
        log["answers"]["kl_standard_normal"] = [0.3678794] * 4
        write_log(tmp_path, log)
    for result in verify([tmp_path], root=ROOT):
        assert not result.copied_from and result.item("kl_standard_normal").verdict is Verdict.WRONG
        assert any("the same unexplained answer" in note for note in result.notes)


def test_nobody_is_accused_in_an_honest_class(tmp_path: Path) -> None:
    own, item = reference(VAE), VAE.item("kl_standard_normal")
    slugs = sorted(known_misconceptions(own, item))
    for number in range(50):
        wrong = known_misconceptions(own, item)[slugs[number % 4]] if number % 2 else None
        write_log(tmp_path, made_up_log(VAE, f"student{number}", wrong={item.id: wrong} if wrong else None))
    write_log(tmp_path / "again", made_up_log(VAE, "student0"))  # handed in twice
    results = verify([tmp_path, tmp_path / "again"], root=ROOT)
    assert len(results) == 51 and not any(result.copied_from for result in results)
    assert sum(result.right == 3 for result in results) >= 26


def test_items_with_few_right_answers_prove_nothing(tmp_path: Path) -> None:
    problem = load_problem("comparing_distributions", ROOT)
    write_log(tmp_path, made_up_log(problem, "ada"))
    log = made_up_log(problem, "bela")
    of_ada = made_up_log(problem, "ada")["answers"]
    log["answers"] |= {item: of_ada[item] for item in ("asymmetric_pair", "jensen_shannon")}
    write_log(tmp_path, log)
    bela = verify([tmp_path], root=ROOT, misconceptions=False)[1]
    assert bela.copied_from == () and bela.item("asymmetric_pair").verdict is Verdict.RIGHT
    assert bela.item("jensen_shannon").verdict is Verdict.WRONG, "one number alone can be chance"


@pytest.mark.parametrize(
    ("problem_id", "item_id", "proves"),
    [
        ("vae", "kl_standard_normal", True),
        ("early_exit", "prediction_entropy", True),
        ("early_exit", "choose_exit", False),
        ("early_exit", "tail_variance", False),
        ("early_exit", "expected_macs", False),
        ("diffusion", "sample_yt", False),
        ("rlhf", "GroupedRandomSampler", False),
    ],
)
def test_what_one_answer_of_somebody_elses_is_worth(problem_id: str, item_id: str, proves: bool) -> None:
    problem = load_problem(problem_id, ROOT)
    answers = RightAnswers(["ada", "bela"], partial(expected, reference(problem), problem.item(item_id)))
    assert (answers.worth >= PROOF) == proves, answers.worth


def test_a_name_that_nobody_in_the_class_has(tmp_path: Path) -> None:
    write_log(tmp_path, log_of("A. Lovelace"), "ada")
    write_log(tmp_path, log_of("A. Lovelace"), "bela")
    ada, bela = verify([tmp_path], root=ROOT)
    assert ada.right == 3 and kinds(ada) == kinds(bela) == ["other_student"]
    assert "The same name is in the log of bela." in ada.flags[0].message
    assert kinds(only(tmp_path / "other", log_of("anonymous"))) == ["anonymous"]


def hand_in_notebook(folder: Path, name: str = "vae.ipynb", problem_id: str = "vae", **answers: str) -> Path:
    """Writes a solved notebook beside a log."""
    problem = load_problem(problem_id, ROOT)
    notebook = fill_in(released_notebook(problem), {**solution_answers(problem), **answers})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(notebook_text(notebook), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["vae.ipynb", "vae (1).ipynb"])
def test_the_code_is_compared_with_the_notebook(name: str, tmp_path: Path) -> None:
    answers = solution_answers(VAE)
    code = {item: source_hash(source) for item, source in answers.items() if not item.startswith(("written", "figure"))}
    path = write_log(tmp_path, log_of("ada", code=code))
    hand_in_notebook(path.parent, name)
    (result,) = verify([path], root=ROOT)
    assert {item.code for item in result.items} == {CodeVerdict.SAME} and result.ok and not result.notes
    hand_in_notebook(path.parent, name, sample_gaussian=answers["sample_gaussian"] + "\n    return 0")
    (result,) = verify([path], root=ROOT)
    assert [item.code for item in result.items] == [CodeVerdict.CHANGED, CodeVerdict.SAME, CodeVerdict.SAME]
    assert not result.ok


def test_a_notebook_that_cannot_be_used_is_no_error(tmp_path: Path) -> None:
    path = write_log(tmp_path, log_of("ada", code={"sample_gaussian": "0" * 64}))
    notebook = path.parent / "vae.ipynb"
    assert verify([path], root=ROOT)[0].notes == ("No notebook beside the log.",)
    for story in ("another problem's", "no notebook", "too large", "a link"):
        if story == "another problem's":
            hand_in_notebook(path.parent, "vae.ipynb", "early_exit")
        elif story == "a link":
            notebook.unlink()
            notebook.symlink_to(path)
        else:
            notebook.write_text(story)
            os.truncate(notebook, 40 * 2**20 if story == "too large" else len(story))
        (result,) = verify([tmp_path], root=ROOT)
        assert result.ok and result.notes[0].startswith("The code was not compared"), story


def metric(value: Any, **more: Any) -> dict[str, Any]:
    return {"value": value, "stderr": None, "runs": 1, **more}


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (metric(100.0), MetricVerdict.IN_BAND),
        (metric(547.2), MetricVerdict.OUTSIDE),
        (metric(0), MetricVerdict.OUTSIDE),
        (metric(None), MetricVerdict.MISSING),
        (metric(100.0, stderr=1.0, runs=3, values=[99.0, 100.0, 101.0]), MetricVerdict.INCONSISTENT),
        (metric(100.0, stderr=1 / math.sqrt(3), runs=3, values=[99.0, 100.0, 101.0]), MetricVerdict.IN_BAND),
        (metric(100.5, stderr=1 / math.sqrt(3), runs=3, values=[99.0, 100.0, 101.0]), MetricVerdict.INCONSISTENT),
        (metric(100.0, stderr=1 / math.sqrt(3), runs=5, values=[99.0, 100.0, 101.0]), MetricVerdict.INCONSISTENT),
        (metric(100.0, runs=3, values=[99.0, 100.0, 101.0]), MetricVerdict.INCONSISTENT),
        (metric(100.0, values=[100.0]), MetricVerdict.IN_BAND),
        (metric(100.0, stderr=0.1, values=[100.0]), MetricVerdict.INCONSISTENT),
        (metric(100.0, values=[]), MetricVerdict.INCONSISTENT),
        (metric(100.0, values="100"), MetricVerdict.INCONSISTENT),
        (metric(100.0, runs=2, values=[100.0, None]), MetricVerdict.INCONSISTENT),
        (metric(100.0, runs=2, values=[1e308, 1e308]), MetricVerdict.INCONSISTENT),
        (metric(100.0, stderr=-1.0), MetricVerdict.INCONSISTENT),
        (metric(10**400), MetricVerdict.INCONSISTENT),
    ],
)
def test_metrics_are_held_against_bands_and_evidence(
    record: dict[str, Any], verdict: MetricVerdict, tmp_path: Path
) -> None:
    result = only(tmp_path, log_of("ada", {"vae/test_nelbo": record}))
    found = {one.id: one for one in result.metrics}
    assert found["vae/test_nelbo"].verdict is verdict
    assert bool(found["vae/test_nelbo"].message) == (verdict is not MetricVerdict.IN_BAND) == (not result.ok)
    assert {one.verdict for name, one in found.items() if name != "vae/test_nelbo"} == {MetricVerdict.IN_BAND}


def test_metrics_that_should_be_there(tmp_path: Path) -> None:
    log = log_of("ada", {"vae/my_own": metric(3.0)}, profile="full")
    del log["metrics"]["vae/test_kl"], log["metrics"]["vae/beta_8_test_nelbo"]
    found = {one.id: one.verdict for one in only(tmp_path, log).metrics}
    assert found["vae/test_kl"] is MetricVerdict.ABSENT
    assert "vae/beta_8_test_nelbo" not in found, "nobody has measured it in profile full"
    assert found["vae/beta_1_test_nelbo"] is found["vae/my_own"] is MetricVerdict.NO_BAND


def test_bands_hold_what_was_measured() -> None:
    """A few numbers of docs/results.md, and what an untrained network gives."""
    measured = {
        ("vae/test_nelbo", "full"): (98.11, 547.2),
        ("vae/test_kl", "mini"): (13.63, 0.0),
        ("gan/effective_classes", "full"): (9.74, 1.0),
        ("continual_learning/cnn_naive/average_accuracy", "full"): (0.612, 0.1),
        ("diffusion/gaussian_mean_confidence", "full"): (0.91, 1.0),
        ("policy_gradient/train_accuracy", "mini"): (0.958, 0.1),
        ("summarization/fine_tuned_rougeL", "mini"): (0.713, 0.213),
        ("early_exit/baseline_accuracy", "mini"): (0.951, 0.1),
    }
    for (name, profile), (good, bad) in measured.items():
        band = declared_ranges(load_problem(name.split("/")[0], ROOT))[name][profile]
        assert is_within(good, band) and not is_within(bad, band)


def changed(**changes: Any) -> bytes:
    return json.dumps({**made_up_log(VAE, "bela"), **changes}).encode()


UNUSABLE: dict[str, bytes] = {
    "empty": b"",
    "not utf-8": b"\xff\xfe\x00",
    "no json": b"{",
    "a list": b"[1, 2]",
    "a nan literal": changed(answers={"sample_gaussian": math.nan}),
    "another schema": changed(schema_version=2),
    "no environment": changed(environment={}),
    "unknown problem": changed(problem="../vae\x1b[2J"),
    "a problem with a NUL": changed(problem="vae\0"),
    "deep": b"[" * 100_000,
    "deep and whole": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "a huge number": b"1" * 10_000,
    "many metrics": changed(metrics={f"m{number}": {"value": 1} for number in range(2000)}),
}


def no_file(path: Path, story: str) -> None:
    """Puts something else in the place of a log."""
    path.unlink()
    if story == "a link":
        path.symlink_to("/etc/hostname")
    elif story == "a pipe":
        os.mkfifo(path)
    elif story == "a folder":
        path.mkdir()
    else:
        path.touch()
        os.truncate(path, 100 * 2**20)


@pytest.mark.parametrize("story", [*UNUSABLE, "a link", "a pipe", "a folder", "100 MiB"])
def test_a_log_that_cannot_be_used_says_why_and_stops_nobody(story: str, tmp_path: Path) -> None:
    write_log(tmp_path, log_of("ada"))
    path = write_log(tmp_path, log_of("bela"))
    if story in UNUSABLE:
        path.write_bytes(UNUSABLE[story])
    else:
        no_file(path, story)
    ada, bela = verify([tmp_path], root=ROOT)
    assert ada.ok and kinds(bela) == ["log_unusable"] and (bela.student, bela.problem) == ("bela", "vae")
    assert bela.flags[0].message.isprintable() and len(bela.flags[0].message) <= 300


def test_links_are_not_followed(tmp_path: Path) -> None:
    write_log(tmp_path / "elsewhere", log_of("ada"))
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ada").symlink_to(tmp_path / "elsewhere" / "ada")
    (tmp_path / "class" / "bela").mkdir()
    (tmp_path / "class" / "bela" / "vae").symlink_to(tmp_path / "elsewhere" / "ada" / "vae")
    results = verify([tmp_path / "class"], root=ROOT)
    assert [kinds(result) for result in results] == [["log_unusable"]] * 2
    assert all("link" in result.flags[0].message for result in results)


def test_where_logs_are_looked_for(tmp_path: Path) -> None:
    one = write_log(tmp_path / "a", log_of("ada"))
    (tmp_path / "b").mkdir()
    two = (tmp_path / "b" / "submission_log.json").write_text(json.dumps(log_of("bela")))
    assert two and len(verify([tmp_path / "b", tmp_path / "a", one], root=ROOT)) == 2
    with pytest.raises(AutograderError, match="does not exist"):
        verify([tmp_path / "c"], root=ROOT)
    (tmp_path / "c").mkdir()
    with pytest.raises(AutograderError, match=r"no submission_log\.json below"):
        verify([tmp_path / "c"], root=ROOT)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**320), 10**320)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["NaN", "Infinity", "error", "\x1b[2J", "[red]", "\u202e", "\ud800"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)
ITEMS = st.sampled_from(["sample_gaussian", "kl_standard_normal", "negative_elbo_bound", "other"])
METRICS = st.sampled_from([*GOOD, "vae/x", "\x1b[2J"])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_log_stops_the_run_or_is_right_by_accident(data: st.DataObject, tmp_path: Path) -> None:
    log: dict[str, Any] = {
        **log_of("ada"),
        "student": data.draw(st.text(max_size=30)),
        "answers": data.draw(st.dictionaries(ITEMS, JSON, max_size=4)),
        "metrics": data.draw(
            st.dictionaries(METRICS, st.fixed_dictionaries({"value": JSON, "values": JSON, "stderr": JSON}), max_size=3)
        ),
        "code": data.draw(st.dictionaries(ITEMS, st.text(max_size=5), max_size=2)),
    }
    part = data.draw(st.sampled_from([*log, ""]))
    if part:
        log[part] = data.draw(JSON | st.just(log[part]))
    path = tmp_path / "submission_log.json"
    path.write_text(json.dumps(log).replace("NaN", '"NaN"' if data.draw(st.booleans()) else "1e999"))
    (result,) = verify([path, path], root=ROOT, misconceptions=False)
    assert result.right == 0
    text = json.dumps(result.as_json(), allow_nan=False, ensure_ascii=False)
    text.encode()
    assert "\x1b" not in text and "\\u001b" not in text
    done = CliRunner().invoke(app, ["verify", str(path), "--no-misconceptions"], env={"AUTOGRADER_ROOT": str(ROOT)})
    assert done.exit_code == 1 and "\x1b" not in done.output and "\u202e" not in done.output


def test_no_student_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **named: Any) -> None:
        raise AssertionError("the sandbox was started")

    monkeypatch.setattr(sandbox.Host, "__init__", refuse)
    path = write_log(tmp_path, log_of("ada", code={"sample_gaussian": "0" * 64}))
    trace = tmp_path / "it_ran"
    spell = f"open({str(trace)!r}, 'w')\n"
    notebook = json.loads(hand_in_notebook(path.parent, sample_gaussian=spell).read_text())
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = spell + "".join(cell["source"])
    (path.parent / "vae.ipynb").write_text(json.dumps(notebook))
    (result,) = verify([tmp_path], root=ROOT)
    assert result.right == 3 and result.item("sample_gaussian").code is CodeVerdict.CHANGED
    assert not trace.exists()


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(ROOT))
    write_log(tmp_path / "class", log_of("ada"))
    runner = CliRunner()
    done = runner.invoke(app, ["verify", str(tmp_path / "class")])
    assert done.exit_code == 0 and "0 of 1 log to review" in done.stdout
    write_log(tmp_path / "class", {**log_of("be[red]la"), "profile": "grade"})
    outs = [tmp_path / "first.json", tmp_path / "second.json"]
    for out in outs:
        done = runner.invoke(app, ["verify", str(tmp_path / "class"), "--out", str(out)])
        assert done.exit_code == 1 and "be[red]la" in done.stdout and "3 of 3" in done.stdout
    assert outs[0].read_bytes() == outs[1].read_bytes()
    written = json.loads(outs[0].read_text(encoding="utf-8"))
    assert [log["student"] for log in written["logs"]] == ["ada", "be[red]la"] and written["ok"] is False
    assert runner.invoke(app, ["verify", str(tmp_path / "nowhere")]).exit_code == 2


def test_right_answers_are_drawn_once_for_each_student(tmp_path: Path) -> None:
    for number in range(20):
        write_log(tmp_path, made_up_log(VAE, f"s{number}", of=f"s{number // 2}"))
    expected.cache_clear()
    steps: dict[int, int] = defaultdict(int)
    verify([tmp_path], root=ROOT, progress=lambda done, total: steps.update({done: total}))
    assert expected.cache_info().misses <= 3 * (20 + 48), "linear in the class, and a sample"
    assert steps == dict.fromkeys(range(1, 61), 60)
