"""The desk as graders use it, without HTTP: groups, order, blind second gradings, changed answers, the gradebook."""

from __future__ import annotations

import csv
import itertools
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import cohen_kappa_score

from autograder.core.counts import Counts
from autograder.core.errors import SetupError
from autograder.core.notebook_io import graded_text
from autograder.core.results import GradedLog, Grading
from autograder.core.rubric_lines import RubricLine, read, written
from autograder.desk import graders
from autograder.desk.agreement import agreement
from autograder.desk.database import now
from autograder.desk.decisions import ConflictError, Kind
from autograder.desk.desk import Desk, UnknownError
from autograder.desk.form import Form, FormError
from autograder.desk.graders import NAME_SHOWN, OPINION_WITHDRAWN, SECOND_OPINION
from autograder.desk.lists import conflicts, opinions, rows
from autograder.desk.place import Place
from autograder.desk.question import Question
from autograder.desk.recording import from_form_grader
from autograder.gradebook.database import opened, recording
from autograder.gradebook.manual import ManualScore, manual_scores, write_manual
from tests.autograder.desk.conftest import _COLOURS, ANSWERS, UNITS, Grade, GradedClass, points, save_as
from tests.autograder.graded_folder import csv_rows
from tests.autograder.toy import released

FIGURE = Place("toy", "figure_loss")


def gradebook(graded_class: GradedClass) -> dict[str, ManualScore]:
    """Student → what the gradebook has for the question."""
    with opened(graded_class.root) as book:
        return {student: given for (student, item), given in manual_scores(book, "toy").items() if item == UNITS.item}


def in_form_grader(graded_class: GradedClass, student: str, score: float, comment: str = "") -> None:
    """Enters a score as the form grader does."""
    with opened(graded_class.root) as book:
        write_manual(book, "toy", student, UNITS.item, ManualScore(score, comment))
        book.db.commit()


def logged(graded_class: GradedClass, student: str) -> Any:
    """The question in a student's log."""
    log = json.loads((graded_class.out / student / "toy" / "submission_log.json").read_text())
    return next(item for item in log["grades"]["items"] if item["id"] == UNITS.item)


def undone(desk: Desk, by: str, told: int = 0) -> dict[str, float | None]:
    """Takes back a grader's last action; returns student → score, empty if nothing was taken back."""
    found = desk.undo(by, told)
    return (
        {} if found is None or not found[2].is_done else {one.student: marks.score for one, marks in found[2].changes}
    )


def worth_three(desk: Desk, question: Question, by: str) -> None:
    """A grader makes the first item of a rubric, the only one from now on, worth 3 points."""
    old = desk.rubric(question)
    desk.change_rubric(question, old, old.with_items([replace(old.items[0], points=3)]), by, {})


def test_every_question_that_people_grade_is_there(desk: Desk) -> None:
    assert set(desk.questions) == {UNITS, FIGURE}
    assert [one.total for one in desk.progress()] == [5, 5]
    with pytest.raises(UnknownError, match="no question"):
        desk.question("toy", "written_gone")


def test_equal_answers_are_graded_once_and_can_be_graded_alone(desk: Desk, grade: Grade) -> None:
    assert sorted(grade("ada", "r1")) == ["ada", "bob"]
    assert points(desk.decisions) == {"ada": 2.0, "bob": 2.0}
    assert {saved.kind for saved in desk.decisions.standing(UNITS).values()} == {Kind.GROUP}
    assert grade("bob", "r1", "r2", alone=True) == ["bob"]
    assert points(desk.decisions) == {"ada": 2.0, "bob": 3.0}
    assert grade("ada") == ["ada"], "what is graded already keeps its score"


def test_each_open_answer_comes_once_and_blocks_follow_each_other(desk: Desk) -> None:
    question = desk.questions[UNITS]
    seen: list[str] = []
    while (ref := desk.queue.next(question, "kim", seen[-1] if seen else "")) is not None:
        seen.append(ref)
        save_as(desk, question, question.arranged().student[ref], ["r1"], "kim")
    assert len(seen) == 4, "ada and bob together"
    assert desk.progress_of(question).done == 5


def test_a_skipped_answer_comes_again_after_all_others(desk: Desk, grade: Grade) -> None:
    question = desk.questions[UNITS]
    seen = [desk.queue.next(question, "kim") or ""]
    for _ in range(4):
        seen.append(desk.queue.next(question, "kim", seen[-1]) or "")
    assert len(set(seen[:4])) == 4 and seen[4] == seen[0], "through all blocks, then the first skipped one"
    for ref in seen[1:4]:
        grade(question.arranged().student[ref], "r1")
    assert desk.queue.next(question, "kim", seen[0]) == seen[0], "the only one that is left"


def test_a_skipped_second_grading_comes_again_after_all_others(graded_class: GradedClass) -> None:
    desk = graded_class.desk(second_share=1.0)
    question = desk.questions[UNITS]
    for student in ("ada", "bob", "chen"):
        save_as(desk, question, student, ["r1"], "kim", alone=True)
    for student in ("dana", "emil"):
        save_as(desk, question, student, ["r1"], "lee")
    seen = [desk.queue.next(question, "lee") or ""]
    for _ in range(3):
        seen.append(desk.queue.next(question, "lee", seen[-1]) or "")
    assert {question.arranged().student[ref] for ref in seen[:3]} == {"ada", "bob", "chen"} and seen[3] == seen[0]


def test_figures_are_ordered_by_their_pictures(desk: Desk) -> None:
    colours = [
        _COLOURS[len(ANSWERS[student]) % 3] for block in desk.questions[FIGURE].arranged().blocks for student in block
    ]
    changes = sum(one != other for one, other in itertools.pairwise(colours))
    assert changes == len(set(colours)) - 1, "pictures of one colour follow each other"


def test_two_graders_get_different_answers(desk: Desk) -> None:
    question = desk.questions[UNITS]
    refs = [desk.queue.next(question, by) for by in ("kim", "lee", "max", "noa")]
    assert len(set(refs)) == 4 and None not in refs
    assert desk.queue.next(question, "oli") is None, "all are before others"


def test_the_name_of_an_answer_does_not_tell_the_student(desk: Desk) -> None:
    refs = desk.questions[UNITS].arranged().ref
    assert len(set(refs.values())) == 5
    assert not any(student in ref for student, ref in refs.items())
    assert refs != desk.questions[FIGURE].arranged().ref


def test_what_another_grader_saved_meanwhile_is_shown_and_kept(desk: Desk, grade: Grade) -> None:
    question = desk.questions[UNITS]
    ref = question.arranged().ref["dana"]
    before = desk.view(question, ref, "kim")
    grade("dana", "r1", by="lee")
    form = Form((), 0.0, "", "", None, before.answer.digest, 1)
    with pytest.raises(ConflictError):
        desk.save(question, ref, "kim", form)
    assert points(desk.decisions) == {"dana": 2.0}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"adjustment": 0.5}, "reason"),
        ({"reason": "nice"}, "no points"),
        ({"adjustment": float("nan"), "reason": "x"}, "not a number"),
        ({"ticks": ("r9",)}, "no item r9"),
        ({"comment": "x" * 10_001}, "10001 characters"),
        ({"version": 2}, "rubric changed"),
        ({"answer": "other"}, "answer changed"),
    ],
)
def test_what_cannot_be_saved_is_named_and_nothing_is_saved(desk: Desk, change: dict[str, Any], says: str) -> None:
    question = desk.questions[UNITS]
    ref = question.arranged().ref["dana"]
    form = Form((), 0.0, "", "", None, question.arranged().by_student["dana"].digest, 1)
    with pytest.raises(FormError, match=says):
        desk.save(question, ref, "kim", replace(form, **change))
    assert points(desk.decisions) == {}


def test_scores_and_rubric_reach_gradebook_log_page_and_table(
    desk: Desk, graded_class: GradedClass, grade: Grade
) -> None:
    grade("chen", "r1", comment="Say why.", adjustment=0.5, reason="a nice example")
    desk.recorder.record()
    assert desk.recorder.state.waiting == 0 and not desk.recorder.state.fault
    given = gradebook(graded_class)["chen"]
    assert given.points == 2.5
    lines, comment = read(given.comment)
    assert [(line.met, line.points) for line in lines] == [(True, 2), (False, 1)]
    assert comment == "Say why.\nAdjusted by +0.5: a nice example"
    item = logged(graded_class, "chen")
    assert (item["score"], item["status"], item["graded_by_hand"]) == (2.5, "partial", True)
    page = (graded_class.out / "chen" / "toy" / "feedback.html").read_text()
    for text in ("names the units", "Say why.", "a nice example"):
        assert text in page
    with (graded_class.out / "grades.csv").open() as file:
        rows = {row["student"]: float(row["score"]) for row in csv.DictReader(file)}
    assert rows["chen"] == 22.5 and rows["ada"] == 20
    log = json.loads((graded_class.out / "chen" / "toy" / "submission_log.json").read_text())
    assert log["answers"] == {"standardize": [1.0]}, "nothing else of the log is lost"


def test_undo_and_a_changed_rubric_reach_the_gradebook_too(desk: Desk, graded_class: GradedClass, grade: Grade) -> None:
    grade("chen", "r1")
    desk.recorder.record()
    question = desk.questions[UNITS]
    worth_three(desk, question, "lee")
    desk.recorder.record()
    assert gradebook(graded_class)["chen"].points == 3
    grade("dana", "r1")
    desk.recorder.record()
    assert undone(desk, "kim") == {"dana": None}
    desk.recorder.record()
    assert gradebook(graded_class)["dana"] == ManualScore(None)
    assert logged(graded_class, "dana")["status"] == "manual"
    assert undone(desk, "kim") == {"chen": None}, "the grading that the rubric changed"


def test_a_score_from_the_form_grader_is_not_overwritten(desk: Desk, graded_class: GradedClass, grade: Grade) -> None:
    in_form_grader(graded_class, "dana", 1.5, "from the form grader")
    grade("dana", "r1")
    desk.recorder.record()
    assert gradebook(graded_class)["dana"].points == 1.5
    question = desk.questions[UNITS]
    ref = question.arranged().ref["dana"]
    conflict = desk.view(question, ref, "kim").conflict
    assert conflict is not None and conflict.points == 1.5
    assert conflicts(desk, question, "kim") == {"dana": conflict}
    desk.take_over(question, ref, "kim")
    assert desk.view(question, ref, "kim").conflict is None, "at once"
    desk.recorder.record()
    assert points(desk.decisions)["dana"] == 1.5
    assert gradebook(graded_class)["dana"].comment.endswith("from the form grader")
    assert desk.view(question, ref, "kim").conflict is None


def test_the_form_graders_score_keeps_the_items_that_its_comment_names(desk: Desk) -> None:
    rubric = desk.rubric(desk.questions[UNITS])
    first, second = rubric.items
    said = (
        f"- [x] {first.points:g}: {first.text}\n- [ ] {second.points:g}: {second.text}\n\nSay why.\nAdjusted by +1: x"
    )
    marks = from_form_grader(ManualScore(first.points + 0.5, said), rubric)
    assert (marks.ticks, marks.adjustment, marks.comment) == ((first.key,), 0.5, "Say why.")
    plain = from_form_grader(ManualScore(first.points, said), rubric)
    assert (plain.ticks, plain.adjustment, plain.reason) == ((first.key,), 0, "")
    typed = from_form_grader(ManualScore(2.0, "Nearly."), rubric)
    assert (typed.ticks, typed.adjustment, typed.comment) == ((), 2.0, "Nearly.")


def test_the_desks_score_can_win_over_the_form_graders(desk: Desk, graded_class: GradedClass, grade: Grade) -> None:
    in_form_grader(graded_class, "dana", 1.5)
    grade("dana", "r1")
    desk.recorder.record()
    grade("dana", "r1", "r2")
    desk.recorder.record()
    assert gradebook(graded_class)["dana"].points == 3, "who saw the other score and saved again meant it"


def test_without_a_gradebook_everything_is_saved_and_recorded_later(
    desk: Desk, graded_class: GradedClass, grade: Grade
) -> None:
    path = graded_class.root / "course" / "gradebook.db"
    path.rename(path.with_suffix(".away"))
    grade("dana", "r1")
    desk.recorder.record()
    assert desk.recorder.state.waiting == 1 and "no gradebook" in desk.recorder.state.fault
    path.with_suffix(".away").rename(path)
    desk.recorder.record()
    assert desk.recorder.state.waiting == 0 and gradebook(graded_class)["dana"].points == 2


def test_a_new_answer_of_a_graded_student_is_graded_again(desk: Desk, graded_class: GradedClass, grade: Grade) -> None:
    grade("dana", "r1")
    graded_class.write({**ANSWERS, "dana": "The variance has another unit."})
    question = desk.questions[UNITS]
    assert desk.progress_of(question).stale == 1
    view = desk.view(question, question.arranged().ref["dana"], "kim")
    assert view.is_stale and view.earlier == "Because everybody does it."
    grade("dana", "r2")
    assert desk.progress_of(question).stale == 0 and points(desk.decisions)["dana"] == 1.0


def test_a_share_is_graded_by_two_who_do_not_know_of_each_other(graded_class: GradedClass) -> None:
    desk = graded_class.desk(second_share=1.0)
    question = desk.questions[UNITS]
    for student in ("chen", "dana"):
        save_as(desk, question, student, ["r1"], "kim")
    ref = question.arranged().ref["dana"]
    view = desk.view(question, ref, "lee")
    assert view.is_second and view.saved is None and desk.view(question, ref, "kim").saved is not None
    save_as(desk, question, "dana", ["r2"], "lee", is_second=True)
    save_as(desk, question, "chen", ["r1"], "lee", is_second=True)
    assert points(desk.decisions) == {"chen": 2.0, "dana": 2.0}
    result = agreement(desk.decisions.seconds(UNITS))
    assert (result.answers, result.exact) == (2, 0.5) and len(result.apart) == 1
    assert desk.queue.for_second(question, "lee", desk.decisions.standing(UNITS)) == [], "no third time"


def test_a_second_grading_can_be_changed_and_taken_back_and_stays_blind(graded_class: GradedClass) -> None:
    desk = graded_class.desk(second_share=1.0)
    question = desk.questions[UNITS]
    ref = question.arranged().ref["dana"]
    save_as(desk, question, "dana", ["r1"], "kim")
    save_as(desk, question, "dana", ["r2"], "lee", is_second=True)
    own = desk.view(question, ref, "lee")
    assert own.is_second and own.saved is not None and own.saved.marks.ticks == ("r2",), "lee's own"
    save_as(desk, question, "dana", ["r1", "r2"], "lee", is_second=True)

    def pairs() -> list[tuple[float | None, float | None]]:
        return [(first.marks.score, second.marks.score) for first, second in desk.decisions.seconds(UNITS)]

    assert pairs() == [(2.0, 3.0)] and points(desk.decisions) == {"dana": 2.0}
    with pytest.raises(ConflictError):
        stale = Form((), 0.0, "", "", own.saved.id, own.answer.digest, 1, is_second=True)
        desk.save(question, ref, "lee", stale)
    old = desk.rubric(question)
    desk.change_rubric(question, old, old.with_items([replace(old.items[0], points=3), old.items[1]]), "kim", {})
    assert pairs() == [(3.0, 3.0)]
    assert undone(desk, "lee") == {"dana": 1.0} and pairs() == [(3.0, 1.0)], "the change"
    assert undone(desk, "lee") == {"dana": None} and pairs() == [] and undone(desk, "lee") == {}
    view = desk.view(question, ref, "lee")
    assert view.is_second and view.saved is None, "it waits for lee again"
    save_as(desk, question, "dana", ["r2"], "lee", is_second=True)
    assert pairs() == [(3.0, 1.0)] and points(desk.decisions) == {"dana": 3.0}
    shown = desk.view(question, ref, "lee", blind=False)
    assert shown.saved is not None and shown.saved.by == "kim", "as the page Agreement links it"
    desk.note(question, ref, "kim", SECOND_OPINION)
    save_as(desk, question, "dana", [], "lee")
    assert points(desk.decisions) == {"dana": 0.0}, "kim asked lee for a second opinion"


def test_what_a_grader_brings_back_is_the_first_graders_again(desk: Desk, grade: Grade) -> None:
    grade("dana", "r1", by="kim")
    grade("dana", "r2", by="lee")
    assert undone(desk, "lee") == {"dana": 2.0}
    question = desk.questions[UNITS]
    saved = desk.view(question, question.arranged().ref["dana"], "lee").saved
    assert saved is not None and saved.by == "kim" and desk.progress_of(question).by == {"kim": 1}
    assert [one.by for one in desk.decisions.history(UNITS, "dana")] == ["kim", "lee", "lee"], "lee took it back"
    worth_three(desk, question, "max")
    assert desk.progress_of(question).by == {"kim": 1}
    assert undone(desk, "lee") == {} and undone(desk, "kim") == {"dana": None}


def test_undo_takes_back_every_grading_of_an_answer_in_turn(desk: Desk, grade: Grade) -> None:
    grade("dana", "r1")
    grade("chen", "r1")
    grade("dana", "r2")
    assert [undone(desk, "kim") for _ in range(4)] == [{"dana": 2.0}, {"chen": None}, {"dana": None}, {}]


def test_undo_asks_first_where_something_else_was_done_since(desk: Desk, grade: Grade) -> None:
    question = desk.questions[UNITS]
    for student in ("chen", "dana"):
        grade(student, "r1")
    desk.note(question, question.arranged().ref["emil"], "kim", SECOND_OPINION)
    asked = desk.undo("kim")
    assert asked is not None and not asked[2].is_done and asked[1] == question.arranged().ref["dana"]
    assert points(desk.decisions) == {"chen": 2.0, "dana": 2.0}
    assert undone(desk, "kim", asked[2].grading) == {"dana": None}, "the grader was told"
    assert undone(desk, "kim") == {"chen": None}, "and is asked once only"
    grade("dana", "r1")
    worth_three(desk, question, "kim")
    assert undone(desk, "kim") == {} and points(desk.decisions)["dana"] == 3.0
    grade("emil")
    desk.note(question, question.arranged().ref["emil"], "kim", NAME_SHOWN)
    assert undone(desk, "kim") == {"emil": None}, "a name that was shown changes nothing"


def test_undo_touches_no_question_of_another_desk(graded_class: GradedClass, desk: Desk) -> None:
    save_as(desk, desk.questions[FIGURE], "ada", ["r1"], "kim")
    del desk.questions[FIGURE]
    assert undone(desk, "kim") == {} and points(desk.decisions, FIGURE)["ada"] is not None


def test_going_back_follows_ones_own_gradings(desk: Desk, grade: Grade) -> None:
    question = desk.questions[UNITS]
    ref = question.arranged().ref
    grade("ada", "r1")
    grade("chen", "r1", by="lee")
    grade("dana", "r1")
    grade("emil")
    assert [desk.back(question, ref[one], "kim") for one in ("chen", "emil", "dana", "bob")] == [
        ref["emil"], ref["dana"], ref["ada"], "",
    ]  # fmt: skip
    undone(desk, "kim")
    assert desk.back(question, ref["emil"], "kim") == ref["dana"], "also after undo"
    grade("ada", "r2", alone=True)
    assert [desk.back(question, ref[one], "kim") for one in ("ada", "emil", "dana", "bob")] == [
        ref["emil"], ref["dana"], ref["bob"], "",
    ]  # fmt: skip


def test_weighted_kappa_has_its_known_values() -> None:
    def pair(a: float, b: float) -> Any:
        return tuple(type("Saved", (), {"marks": type("Marks", (), {"score": x})})() for x in (a, b))

    assert agreement([]).kappa is None and agreement([pair(1, 1)]).kappa is None
    assert agreement([pair(0, 0), pair(2, 2)]).kappa == pytest.approx(1)
    assert agreement([pair(0, 2), pair(2, 0)]).kappa == pytest.approx(-1)
    pairs = [pair(0, 0), pair(0, 1), pair(1, 1), pair(2, 1), pair(2, 2), pair(2, 2)]
    scores = [[int(one.marks.score) for one in column] for column in zip(*pairs, strict=True)]
    assert agreement(pairs).kappa == pytest.approx(cohen_kappa_score(*scores, weights="quadratic"))


def test_answers_are_found_by_words_and_by_the_students_id(desk: Desk) -> None:
    question = desk.questions[UNITS]
    assert set(desk.found(question, "DEVIATION unit", "kim")) == {"ada", "bob"}
    assert desk.found(question, "chen", "kim") == ["chen"]
    assert desk.found(question, "nothing like it", "kim") == [] == desk.found(question, " ", "kim")
    assert [(one.student, one.kind) for one in desk.graders.events(UNITS)] == [("chen", "name shown")]


def test_a_second_opinion_stays_asked_for_until_another_grader_gives_it(desk: Desk, grade: Grade) -> None:
    question = desk.questions[UNITS]
    ref = question.arranged().ref["dana"]
    grade("dana", "r1", by="kim")
    desk.note(question, ref, "kim", SECOND_OPINION)
    assert desk.asked(question, desk.decisions.standing(UNITS)) == {"dana": "kim"}
    grade("dana", "r2", by="lee")
    assert desk.asked(question, desk.decisions.standing(UNITS)) == {}
    desk.note(question, ref, "kim", SECOND_OPINION)
    assert desk.asked(question, desk.decisions.standing(UNITS)) == {"dana": "kim"}, "once more"
    desk.note(question, ref, "lee", OPINION_WITHDRAWN)
    assert desk.asked(question, desk.decisions.standing(UNITS)) == {}


def test_a_request_is_open_again_when_its_answer_is_taken_back(desk: Desk, grade: Grade) -> None:
    question = desk.questions[UNITS]
    ref = question.arranged().ref["dana"]
    for asker in ("kim", "max"):
        grade("dana", "r1", by="kim")
        desk.note(question, ref, asker, SECOND_OPINION)
        grade("dana", "r2", by="lee")
        assert desk.asked(question, desk.decisions.standing(UNITS)) == {}
        assert undone(desk, "lee") == {"dana": 2.0}
        assert desk.asked(question, desk.decisions.standing(UNITS)) == {"dana": asker}
    worth_three(desk, question, "noa")
    assert desk.asked(question, desk.decisions.standing(UNITS)) == {"dana": "max"}, "a rubric is no opinion"
    assert [opinions(desk, question, by) for by in ("kim", "lee", "max")] == [1, 1, 0]
    assert [row.said for row in rows(desk, question, "opinions", "", "max")] == [
        "asked by you: another grader gives it"
    ]


def test_a_clock_that_is_set_back_hides_no_request_for_a_second_opinion(
    desk: Desk, grade: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = desk.questions[UNITS]
    grade("dana", "r1", by="kim")
    monkeypatch.setattr(graders, "now", lambda: now() - timedelta(hours=2))
    desk.note(question, question.arranged().ref["dana"], "lee", SECOND_OPINION)
    assert desk.asked(question, desk.decisions.standing(UNITS)) == {"dana": "lee"}


def test_equal_answers_stay_together_when_they_are_graded_again(desk: Desk, grade: Grade) -> None:
    assert set(grade("ada", "r1")) == {"ada", "bob"}
    assert set(grade("bob", "r2")) == {"ada", "bob"} and points(desk.decisions) == {"ada": 1.0, "bob": 1.0}
    assert grade("ada", "r1", alone=True) == ["ada"]
    assert grade("ada", "r1", "r2") == ["ada"], "bob's grading is another one now"
    assert points(desk.decisions) == {"ada": 3.0, "bob": 1.0}


def test_new_words_of_a_rubric_reach_the_pages_of_all(desk: Desk, graded_class: GradedClass, grade: Grade) -> None:
    grade("chen", "r1")
    desk.recorder.record()
    question = desk.questions[UNITS]
    old = desk.rubric(question)
    new = old.with_items([replace(old.items[0], text="names both units, in other words"), *old.items[1:]])
    assert desk.decisions.change_rubric(UNITS, old, new, "kim") == [], "no score changes"
    desk.recorder.record()
    page = (graded_class.out / "chen" / "toy" / "feedback.html").read_text(encoding="utf-8")
    assert "names both units, in other words" in page and not desk.recorder.conflicts


def test_students_who_are_graded_while_the_desk_runs_are_there(desk: Desk, graded_class: GradedClass) -> None:
    question = desk.questions[UNITS]
    assert len(question.arranged().answers) == len(ANSWERS)
    graded_class.write({"fay": "The deviation, since its unit fits.", "emil": "I have an answer now."})
    arranged = question.arranged()
    assert {"fay", "emil"} <= {one.student for one in arranged.answers if not one.is_blank}
    save_as(desk, question, "fay", ["r1"], "kim")
    desk.recorder.record()
    assert desk.recorder.state.waiting == 0 and gradebook(graded_class)["fay"].points == 2
    assert {row["student"] for row in csv_rows(graded_class.out / "grades.csv")} >= {*ANSWERS, "fay"}
    (graded_class.out / "gil" / "toy").mkdir(parents=True)
    assert "gil" not in question.arranged().ref, "its log is not there yet"


def test_lists_tell_a_second_grader_no_score(graded_class: GradedClass) -> None:
    desk = graded_class.desk(second_share=1.0)
    question = desk.questions[UNITS]
    save_as(desk, question, "chen", ["r1"], "kim")
    for kind, words in (("search", "variance"), ("search", "chen"), ("conflicts", ""), ("second-look", "")):
        assert "points" not in " ".join(row.said for row in rows(desk, question, kind, words, "lee"))
    assert [row.said for row in rows(desk, question, "search", "variance", "kim")] == ["2 points"]


def test_a_folder_with_nothing_to_grade_by_hand_says_so(tmp_path: Path, graded_class: GradedClass) -> None:
    with pytest.raises(SetupError, match="is not a folder"):
        Desk(graded_class.root, tmp_path / "nowhere")
    with pytest.raises(SetupError, match="no graded submission of vae"):
        Desk(graded_class.root, graded_class.out, ["vae"])


def test_rubric_and_comment_survive_as_one_text() -> None:
    lines = (RubricLine(True, 1.5, "names\nboth"), RubricLine(False, -1, "x [y]"))
    text = written(lines, "- and\nmore")
    found, comment = read(text)
    assert found == (RubricLine(True, 1.5, "names both"), lines[1]) and comment == "- and\nmore"
    assert read("typed by hand: - [x] 1: x") == ((), "typed by hand: - [x] 1: x")
    assert read("") == ((), "") and written((), "x") == "x"


def test_undo_gives_the_earlier_grading_its_score_by_todays_rubric(desk: Desk, grade: Grade) -> None:
    grade("dana", "r2")
    grade("dana", "r1", by="lee")
    question = desk.questions[UNITS]
    old = desk.rubric(question)
    desk.decisions.change_rubric(UNITS, old, old.with_items([old.items[0], replace(old.items[1], points=2)]), "lee")
    assert desk.undo("lee") is not None
    assert points(desk.decisions) == {"dana": 2.0}
    assert desk.decisions.standing(UNITS)["dana"].marks.ticks == ("r2",)


def test_one_student_without_a_row_keeps_no_other_from_the_gradebook(
    desk: Desk, graded_class: GradedClass, grade: Grade
) -> None:
    with opened(graded_class.root) as book:
        book.remove_submission("toy", "chen")
    grade("chen", "r1")
    grade("dana", "r1")
    desk.recorder.record()
    assert desk.recorder.state.waiting == 1 and "no rows for 1" in desk.recorder.state.fault
    assert "chen" not in desk.recorder.state.fault
    assert logged(graded_class, "dana")["score"] == 2


def test_what_a_crash_left_out_is_published_at_the_next_start(
    desk: Desk, graded_class: GradedClass, grade: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("autograder.desk.recording.write_grades", lambda *_: 1 / 0)
        grade("dana", "r1")
        with pytest.raises(ZeroDivisionError):
            desk.recorder.record()
    again = graded_class.desk(second_share=0.0)
    again.recorder.record()
    assert logged(graded_class, "dana")["score"] == 2 and again.recorder.state.waiting == 0
    assert csv_rows(graded_class.out / "grades.csv")[3]["score"] == "22"


def test_a_comment_cannot_pass_for_a_rubric_item() -> None:
    for lines in ((), (RubricLine(True, 1, "x"),)):
        assert read(written(lines, "- [x] 3: everything right"))[0] == lines


def test_unreadable_notebooks_are_named_and_never_graded_together(desk: Desk, graded_class: GradedClass) -> None:
    for student in ("chen", "dana"):
        (graded_class.out / student / "toy" / "toy.ipynb").write_text("{")
    question = desk.questions[UNITS]
    arranged = question.arranged()
    assert "cannot be read" in arranged.by_student["chen"].text and not arranged.by_student["chen"].is_blank
    assert arranged.block["chen"] == ["chen"]


def test_a_dropped_question_is_not_offered(graded_class: GradedClass) -> None:
    path = graded_class.root / "course.toml"
    line = 'problems = ["toy", "not_written_yet"]\n'
    path.write_text(path.read_text().replace(line, f'{line}drop = ["toy/written_units"]\n'))
    with pytest.raises(SetupError, match=r"graded with other points .*written_units: 3, in the source dropped"):
        graded_class.desk()
    log = {student: load_log(graded_class, student) for student in ANSWERS}
    with recording(graded_class.root) as record:
        for student, found in log.items():
            items = (item.counted(Counts.DROPPED) if item.id == "written_units" else item for item in found.items)
            dropped = record(Grading(replace(found, items=tuple(items)), graded_text(released())))
            (graded_class.out / student / "toy" / "submission_log.json").write_text(dropped.as_text())
    desk = graded_class.desk()
    assert [place.item for place in desk.questions] == ["figure_loss"]


def load_log(graded_class: GradedClass, student: str) -> GradedLog:
    """The log of a student."""
    path = graded_class.out / student / "toy" / "submission_log.json"
    return GradedLog.from_json(json.loads(path.read_text()))
