"""`autograder verify` gives each log the right verdict, whatever the log contains, and runs no student code."""

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
from autograder.course.problem import Problem, load_problem, problem_ids
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
KL = "kl_standard_normal"
GOOD = {
    "vae/test_nelbo": 100.0,
    "vae/test_kl": 13.0,
    "vae/test_rec": 87.0,
    "vae/test_bound": 95.0,
    "vae/beta_0.1_test_nelbo": 127.0,
    "vae/beta_0.7_test_nelbo": 99.0,
    "vae/beta_1_test_nelbo": 100.0,
    "vae/beta_8_test_nelbo": 139.0,
}


def log_of(
    student: str, metrics: Mapping[str, Any] | None = None, answers: Mapping[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """An honest VAE log with numbers as honest runs give them, some metrics, answers and other entries changed."""
    log = made_up_log(VAE, student)
    numbers = {name: metric(value) for name, value in GOOD.items()}
    return {
        **log,
        "metrics": {**numbers, **(metrics or {})},
        "answers": {**log["answers"], **(answers or {})},
        **changes,
    }


def metric(value: Any, **more: Any) -> dict[str, Any]:
    """One entry of the metrics of a log."""
    return {"value": value, "stderr": None, "runs": 1, **more}


def mistaken(slug: str) -> dict[str, Any]:
    """Item → names of a notebook with a known misconception, as `made_up_log` takes them; empty for no slug."""
    return {KL: known_misconceptions(reference(VAE), VAE.item(KL))[slug]} if slug else {}


def only(folder: Path, log: Mapping[str, Any]) -> Verified:
    """The result for the only log of a folder."""
    (result,) = verify([write_log(folder, log)], root=ROOT)
    return result


def kinds(result: Verified) -> list[str]:
    return [flag.kind for flag in result.flags]


def verdicts(result: Verified) -> list[Verdict]:
    return [item.verdict for item in result.items]


def write_notebook(folder: Path, name: str = "vae.ipynb", problem: Problem = VAE, **answers: str) -> Path:
    """Writes a solved notebook beside a log, some answers replaced."""
    notebook = fill_in(released_notebook(problem), {**solution_answers(problem), **answers})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(notebook_text(notebook), encoding="utf-8")
    return path


@pytest.mark.parametrize("problem_id", problem_ids(ROOT))
def test_honest_answers_to_each_problem_are_right(problem_id: str, tmp_path: Path) -> None:
    problem = load_problem(problem_id, ROOT)
    result = only(tmp_path, made_up_log(problem, "ada"))
    assert {item.id for item in result.items} == {item.id for item in problem.items if item.kind == "code"}
    assert set(verdicts(result)) == {Verdict.RIGHT}
    assert not result.flags and not result.copied_from
    assert {one.verdict for one in result.metrics} == {MetricVerdict.ABSENT}, "each problem declares metrics"


@pytest.mark.slow
@pytest.mark.parametrize("problem_id", problem_ids(ROOT))
def test_right_alternatives_give_right_answers(problem_id: str) -> None:
    problem = load_problem(problem_id, ROOT)
    own = reference(problem)
    asked = {item.id: item for item in asked_items(own)}
    for variant in variants(problem, "right"):
        if variant.item in asked:
            item, names = asked[variant.item], with_answer(own, variant)
            for student in ("ada", "bela"):
                right = expected(own, item, student)
                assert same(answer(own, item, names, student), right.value, right.precision), (variant.name, student)


@pytest.mark.long
@pytest.mark.kernel
def test_the_log_of_an_executed_notebook_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Executed as a student does it; the code in the log is that of the notebook, executed or not."""
    for name, value in (("HOMEWORK_PROFILE", "grade"), ("HOMEWORK_STUDENT", "ada"), ("PYTHONPATH", str(ROOT))):
        monkeypatch.setenv(name, value)
    path = write_notebook(tmp_path / "ada" / "vae")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "install" not in cell.metadata.get("tags", ())]
    NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}}).execute()
    nbformat.write(notebook, path)
    (result,) = verify([tmp_path], root=ROOT)
    assert result.student == "ada" and result.right == len(result.items) == 4
    assert {item.code for item in result.items} == {CodeVerdict.SAME} and not result.notes
    assert kinds(result) == ["grade_profile"] and result.metrics == ()


def test_an_honest_log_needs_no_review(tmp_path: Path) -> None:
    result = only(tmp_path, log_of("ada"))
    assert result.ok and (result.student, result.problem, result.profile) == ("ada", "vae", "mini")


def test_wrong_answers_are_named(tmp_path: Path) -> None:
    log = made_up_log(VAE, "ada", wrong=mistaken("averaged_over_batch"))
    log["answers"]["sample_gaussian"] = {"error": "NotImplementedError: sample_gaussian\x1b[2J"}
    log["answers"]["negative_elbo_bound"]["kl"] *= 1.01
    result = only(tmp_path, log)
    assert verdicts(result) == [Verdict.ERROR, Verdict.MISCONCEPTION, Verdict.WRONG, Verdict.RIGHT]
    text = {variant.slug: variant.text for variant in variants(VAE, "wrong")}["averaged_over_batch"]
    assert (result.item(KL).misconception, result.item(KL).message) == ("averaged_over_batch", text)
    assert "NotImplementedError" in result.items[0].message and "\x1b" not in result.items[0].message
    del log["answers"]["sample_gaussian"]
    (unnamed,) = verify([write_log(tmp_path, log)], root=ROOT, misconceptions=False)
    assert verdicts(unnamed) == [Verdict.MISSING, Verdict.WRONG, Verdict.WRONG, Verdict.RIGHT] and not unnamed.ok


@pytest.mark.long
def test_a_misconception_is_named_where_a_given_helper_calls_the_item(tmp_path: Path) -> None:
    problem = load_problem("summarization", ROOT)
    item = problem.item("TransformerStack")
    names = known_misconceptions(reference(problem), item)["unpadded_places_counted"]
    result = only(tmp_path, made_up_log(problem, "ada", wrong={item.id: names}))
    assert result.item(item.id).misconception == "unpadded_places_counted"


@pytest.mark.parametrize(
    "answer", ["NaN", "Infinity", None, True, [], {}, [["NaN"] * 2] * 3, [[10**400] * 2] * 3, [0.0] * 10**5]
)
def test_an_answer_that_is_no_finite_number_is_wrong(answer: Any, tmp_path: Path) -> None:
    result = only(tmp_path, log_of("ada", answers={"sample_gaussian": answer}))
    assert result.item("sample_gaussian").verdict is Verdict.WRONG and result.right == 3


def test_a_log_with_an_infinite_number_is_unusable(tmp_path: Path) -> None:
    path = write_log(tmp_path, log_of("ada", answers={"sample_gaussian": [[1e999] * 2] * 3}))
    path.write_text(path.read_text().replace("Infinity", "1e999"))
    (result,) = verify([path], root=ROOT)
    assert (result.right, result.ok, kinds(result).count("log_unusable")) == (0, False, 1)
    assert any("an infinite number at answers/sample_gaussian/0/0" in flag.message for flag in result.flags)


@pytest.mark.parametrize(("device", "factor", "right"), [("cpu", 1.0008, 3), ("cuda", 1.0008, 4), ("cuda", 1.01, 3)])
def test_answers_from_a_gpu_may_be_less_exact(device: str, factor: float, right: int, tmp_path: Path) -> None:
    log = made_up_log(VAE, "ada")
    log["answers"][KL] = [value * factor for value in log["answers"][KL]]
    log["environment"]["device"] = device.replace("cuda", "cuda (Tesla T4)")
    assert only(tmp_path, log).right == right


def test_a_copied_log_names_its_owner_and_no_other_student(tmp_path: Path) -> None:
    for student in ("ada", "bela", "chen"):
        write_log(tmp_path, log_of(student))
    write_log(tmp_path, {**log_of("dora"), "answers": made_up_log(VAE, "dora", of="bela")["answers"]})
    write_log(tmp_path, log_of("chen"), "emre")  # with the name left as it was
    results = {result.student: result for result in verify([tmp_path], root=ROOT)}
    copied_from = dict.fromkeys(("ada", "bela", "chen"), ()) | {"dora": ("bela",), "emre": ("chen",)}
    assert {student: result.copied_from for student, result in results.items()} == copied_from
    assert set(verdicts(results["dora"])) == {Verdict.COPIED}
    assert not any("bela" in item.message for item in results["dora"].items), "students may read these"
    assert kinds(results["emre"]) == ["other_student"] and not results["dora"].flags
    assert results["bela"].ok and not results["emre"].ok


def test_another_spelling_of_the_own_id_in_the_log_is_no_other_student(tmp_path: Path) -> None:
    write_log(tmp_path, log_of("ADA"), "ada")
    write_log(tmp_path, log_of("bob", answers=log_of("ADA")["answers"]), "bob")
    ada, bob = verify([tmp_path], root=ROOT)
    assert set(verdicts(ada)) == {Verdict.RIGHT} and not ada.flags and not ada.copied_from
    assert bob.copied_from == ("ADA",) and Verdict.COPIED in verdicts(bob)


@pytest.mark.parametrize("misconception", ["", "half_missing"])
def test_one_copied_answer_is_found_even_if_it_is_wrong(misconception: str, tmp_path: Path) -> None:
    log = made_up_log(VAE, "ada", wrong=mistaken(misconception))
    write_log(tmp_path, log)
    write_log(tmp_path, log_of("bela", answers={KL: log["answers"][KL]}))
    ada, bela = verify([tmp_path], root=ROOT)
    assert ada.item(KL).misconception == misconception and not ada.copied_from
    assert bela.copied_from == ("ada",) and verdicts(bela) == [
        Verdict.RIGHT,
        Verdict.COPIED,
        Verdict.RIGHT,
        Verdict.RIGHT,
    ]


def test_equal_wrong_answers_without_a_known_misconception_are_a_note_and_no_copy(tmp_path: Path) -> None:
    for student in ("ada", "bela"):
        write_log(tmp_path, log_of(student, answers={KL: [0.3678794] * 4}))
    for result in verify([tmp_path], root=ROOT):
        assert not result.copied_from and result.item(KL).verdict is Verdict.WRONG
        assert any("the same unexplained answer" in note for note in result.notes)


def test_an_honest_class_has_no_copies(tmp_path: Path) -> None:
    slugs = sorted(known_misconceptions(reference(VAE), VAE.item(KL)))
    for number in range(50):
        wrong = mistaken(slugs[number % 4] if number % 2 else "")
        write_log(tmp_path, made_up_log(VAE, f"student{number}", wrong=wrong))
    write_log(tmp_path / "again", made_up_log(VAE, "student0"))  # submitted twice
    results = verify([tmp_path, tmp_path / "again"], root=ROOT)
    assert len(results) == 51 and not any(result.copied_from for result in results)
    assert sum(result.right == 4 for result in results) >= 26


def test_equal_answers_to_items_with_few_right_answers_are_no_copies(tmp_path: Path) -> None:
    problem = load_problem("comparing_distributions", ROOT)
    ada, log = (made_up_log(problem, student) for student in ("ada", "bela"))
    log["answers"] |= {item: ada["answers"][item] for item in ("asymmetric_pair", "jensen_shannon")}
    for one in (ada, log):
        write_log(tmp_path, one)
    bela = verify([tmp_path], root=ROOT, misconceptions=False)[1]
    assert bela.copied_from == () and bela.item("asymmetric_pair").verdict is Verdict.RIGHT
    assert bela.item("jensen_shannon").verdict is Verdict.WRONG, "one number alone can be chance"


PROVES = [("vae", KL), ("early_exit", "prediction_entropy")]
PROVES_NOT = [("early_exit", item_id) for item_id in ("choose_exit", "tail_variance", "expected_macs")]
PROVES_NOT += [("diffusion", "sample_yt"), ("rlhf", "GroupedRandomSampler")]


@pytest.mark.parametrize(("problem_id", "item_id"), PROVES + PROVES_NOT)
def test_one_equal_answer_proves_a_copy_if_right_answers_differ_enough(problem_id: str, item_id: str) -> None:
    problem = load_problem(problem_id, ROOT)
    answers = RightAnswers(["ada", "bela"], partial(expected, reference(problem), problem.item(item_id)))
    assert (answers.worth >= PROOF) == ((problem_id, item_id) in PROVES), answers.worth


def test_a_log_with_a_name_outside_the_class_is_flagged(tmp_path: Path) -> None:
    for student in ("ada", "bela"):
        write_log(tmp_path, log_of("A. Lovelace"), student)
    ada, bela = verify([tmp_path], root=ROOT)
    assert ada.right == 4 and kinds(ada) == kinds(bela) == ["other_student"]
    assert "The same name is in the log of bela." in ada.flags[0].message
    assert kinds(only(tmp_path / "other", log_of("anonymous"))) == ["anonymous"]


@pytest.mark.parametrize("name", ["vae.ipynb", "vae (1).ipynb"])
def test_the_code_is_compared_with_the_notebook(name: str, tmp_path: Path) -> None:
    answers = solution_answers(VAE)
    code = {item: source_hash(source) for item, source in answers.items() if not item.startswith(("written", "figure"))}
    path = write_log(tmp_path, log_of("ada", code=code))
    for added, verdict in (("", CodeVerdict.SAME), ("\n    return 0", CodeVerdict.CHANGED)):
        write_notebook(path.parent, name, sample_gaussian=answers["sample_gaussian"] + added)
        (result,) = verify([path], root=ROOT)
        assert [item.code for item in result.items] == [verdict, CodeVerdict.SAME, CodeVerdict.SAME, CodeVerdict.SAME]
        assert result.ok == (not added) and (added or not result.notes)


def test_a_notebook_that_cannot_be_used_is_a_note_and_no_error(tmp_path: Path) -> None:
    path = write_log(tmp_path, log_of("ada", code={"sample_gaussian": "0" * 64}))
    notebook = path.parent / "vae.ipynb"
    assert verify([path], root=ROOT)[0].notes == ("No notebook beside the log.",)
    write_notebook(path.parent, problem=load_problem("early_exit", ROOT))
    for story in ("another problem's", "no notebook", "100 MiB", "a link"):
        if story == "no notebook":
            notebook.write_text(story)
        elif story != "another problem's":
            put_instead(notebook, story)
        (result,) = verify([tmp_path], root=ROOT)
        assert result.ok and result.notes[0].startswith("The code was not compared"), story


THREE = {"runs": 3, "values": [99.0, 100.0, 101.0]}
STDERR = 1 / math.sqrt(3)
RECORDS: dict[MetricVerdict, list[dict[str, Any]]] = {
    MetricVerdict.IN_BAND: [metric(100.0), metric(100.0, **THREE, stderr=STDERR), metric(100.0, values=[100.0])],
    MetricVerdict.OUTSIDE: [metric(547.2), metric(0)],
    MetricVerdict.MISSING: [metric(None)],
    MetricVerdict.INCONSISTENT: [
        *(metric(100.0, **THREE, stderr=1.0), metric(100.5, **THREE, stderr=STDERR), metric(100.0, **THREE)),
        *(metric(100.0, **{**THREE, "runs": 5}, stderr=STDERR), metric(100.0, stderr=0.1, values=[100.0])),
        *(metric(100.0, values=[]), metric(100.0, values="100"), metric(100.0, stderr=-1.0), metric(10**400)),
        *(metric(100.0, runs=2, values=[100.0, None]), metric(100.0, runs=2, values=[1e308, 1e308])),
    ],
}


@pytest.mark.parametrize(
    ("record", "verdict"), [(record, verdict) for verdict, records in RECORDS.items() for record in records]
)
def test_metrics_are_compared_with_expected_ranges_and_their_own_runs(
    record: dict[str, Any], verdict: MetricVerdict, tmp_path: Path
) -> None:
    result = only(tmp_path, log_of("ada", {"vae/test_nelbo": record}))
    found = {one.id: one for one in result.metrics}
    changed = found.pop("vae/test_nelbo")
    assert changed.verdict is verdict
    assert bool(changed.message) == (verdict is not MetricVerdict.IN_BAND) == (not result.ok)
    assert {one.verdict for one in found.values()} == {MetricVerdict.IN_BAND}


def test_declared_metrics_that_are_absent_are_named(tmp_path: Path) -> None:
    log = log_of("ada", {"vae/my_own": metric(3.0)}, profile="full")
    del log["metrics"]["vae/test_kl"], log["metrics"]["vae/beta_8_test_nelbo"]
    found = {one.id: one.verdict for one in only(tmp_path, log).metrics}
    assert found["vae/test_kl"] is MetricVerdict.ABSENT
    assert "vae/beta_8_test_nelbo" not in found, "it has no expected range in profile full"
    assert found["vae/beta_1_test_nelbo"] is found["vae/my_own"] is MetricVerdict.NO_BAND


def test_expected_ranges_contain_the_measured_numbers() -> None:
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


def put_instead(path: Path, story: str) -> None:
    """Puts something else in the place of a file, if there is one."""
    path.unlink(missing_ok=True)
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
def test_an_unusable_log_is_flagged_with_the_reason_and_the_class_is_verified(story: str, tmp_path: Path) -> None:
    write_log(tmp_path, log_of("ada"))
    path = write_log(tmp_path, log_of("bela"))
    if story in UNUSABLE:
        path.write_bytes(UNUSABLE[story])
    else:
        put_instead(path, story)
    ada, bela = verify([tmp_path], root=ROOT)
    assert ada.ok and kinds(bela) == ["log_unusable"] and (bela.student, bela.problem) == ("bela", "vae")
    assert bela.flags[0].message.isprintable() and len(bela.flags[0].message) <= 300


def test_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere = write_log(tmp_path / "elsewhere", log_of("ada")).parent
    for link, target in (("ada", elsewhere.parent), ("bela/vae", elsewhere)):
        path = tmp_path / "class" / link
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    results = verify([tmp_path / "class"], root=ROOT)
    assert [kinds(result) for result in results] == [["log_unusable"]] * 2
    assert all("link" in result.flags[0].message for result in results)


def test_logs_are_found_in_folders_and_by_path(tmp_path: Path) -> None:
    one = write_log(tmp_path / "a", log_of("ada"))
    for folder in ("b", "c"):
        (tmp_path / folder).mkdir()
    (tmp_path / "b" / "submission_log.json").write_text(json.dumps(log_of("bela")))
    assert len(verify([tmp_path / "b", tmp_path / "a", one], root=ROOT)) == 2
    for folder, said in (("nowhere", "does not exist"), ("c", r"no submission_log\.json below")):
        with pytest.raises(AutograderError, match=said):
            verify([tmp_path / folder], root=ROOT)


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


@pytest.mark.long
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_random_log_stops_the_run_or_is_right(data: st.DataObject, tmp_path: Path) -> None:
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
    text = json.dumps(result.as_json(), allow_nan=False, ensure_ascii=False).encode().decode()
    assert "\x1b" not in text and "\\u001b" not in text
    done = CliRunner().invoke(app, ["verify", str(path), "--no-misconceptions"], env={"AUTOGRADER_ROOT": str(ROOT)})
    assert done.exit_code == 1 and "\x1b" not in done.output and "\u202e" not in done.output


def test_verify_runs_no_student_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **named: Any) -> None:
        raise AssertionError("the sandbox was started")

    monkeypatch.setattr(sandbox.Host, "__init__", refuse)
    path = write_log(tmp_path, log_of("ada", code={"sample_gaussian": "0" * 64}))
    trace = tmp_path / "it_ran"
    spell = f"open({str(trace)!r}, 'w')\n"
    written = write_notebook(path.parent, sample_gaussian=spell)
    notebook = json.loads(written.read_text())
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = spell + "".join(cell["source"])
    written.write_text(json.dumps(notebook))
    (result,) = verify([tmp_path], root=ROOT)
    assert result.right == 4 and result.item("sample_gaussian").code is CodeVerdict.CHANGED
    assert not trace.exists()


def test_the_command_counts_the_logs_to_review_and_writes_the_same_file_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(ROOT))
    command = ["verify", str(tmp_path / "class")]
    write_log(tmp_path / "class", log_of("ada"))
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0 and "0 of 1 log to review" in done.stdout
    write_log(tmp_path / "class", log_of("be[red]la", profile="grade"))
    outs = [tmp_path / "first.json", tmp_path / "second.json"]
    for out in outs:
        done = CliRunner().invoke(app, [*command, "--out", str(out)])
        assert done.exit_code == 1 and "be[red]la" in done.stdout and "4 of 4" in done.stdout
    assert outs[0].read_bytes() == outs[1].read_bytes()
    written = json.loads(outs[0].read_text(encoding="utf-8"))
    assert [log["student"] for log in written["logs"]] == ["ada", "be[red]la"] and written["ok"] is False
    assert CliRunner().invoke(app, ["verify", str(tmp_path / "nowhere")]).exit_code == 2


def test_right_answers_are_computed_once_for_each_student(tmp_path: Path) -> None:
    for number in range(20):
        write_log(tmp_path, made_up_log(VAE, f"s{number}", of=f"s{number // 2}"))
    expected.cache_clear()
    steps: dict[int, int] = defaultdict(int)
    verify([tmp_path], root=ROOT, progress=lambda done, total: steps.update({done: total}))
    assert expected.cache_info().misses <= 3 * (20 + 48), "linear in the class, and a sample"
    assert steps == dict.fromkeys(range(1, 61), 60)
