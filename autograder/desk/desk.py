"""The desk: what the pages show and do, without HTTP.

An answer is shown as a `View`; saving it takes a `Form`. Everything that is saved goes through `Decisions`, everything
that people see of a student through `Question`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.core.errors import AutograderError, SetupError
from autograder.core.student_key import student_key
from autograder.desk.class_answers import Answer, ClassAnswers
from autograder.desk.current import require_current
from autograder.desk.database import Database, default_address
from autograder.desk.decisions import ConflictError, Decisions, Draft, Kind, Marks, Saved, Undone
from autograder.desk.form import Form, FormError, marks_of
from autograder.desk.graders import NAME_SHOWN, OPINION_WITHDRAWN, RUBRIC_CHANGED, SECOND_OPINION, Graders, Noted
from autograder.desk.place import Place
from autograder.desk.question import Question
from autograder.desk.queue import Queue, is_graded
from autograder.desk.recording import Recorder, from_form_grader
from autograder.desk.rubric import Rubric
from autograder.gradebook.manual import ManualScore
from autograder.report.load import read_runs

SECOND_SHARE = 0.05
"""Share of the answers that two graders grade, without knowing of each other."""


class UnknownError(AutograderError):
    """There is no such question or answer."""


@dataclass(frozen=True)
class View:
    """An answer before a grader."""

    question: Question
    ref: str
    answer: Answer
    rubric: Rubric
    saved: Saved | None
    """The decision that counts, if there is one; for a second grader their own grading."""
    is_stale: bool
    """Whether it is about an earlier answer."""
    earlier: str
    """That answer."""
    equal: int
    """Number of answers equal to this one, with it."""
    near: int
    """Number of nearly equal ones."""
    is_second: bool
    conflict: ManualScore | None
    """What the form grader has in place of the desk's score."""
    claimed_by: str
    """Another grader who has this answer before them; empty if none has."""
    comments: tuple[str, ...]
    """Comments on other answers, the latest first."""
    asked: str
    """Who asked for a second opinion; empty if no grader did."""


@dataclass(frozen=True)
class Progress:
    """How far a question is."""

    question: Question
    done: int
    total: int
    stale: int
    """Graded answers that changed since."""
    by: Mapping[str, int]
    """Grader → answers with this grader's score."""


class Desk:
    """The desk over one folder of graded submissions.

    Args:
        root: the course's root folder.
        out: the folder that `autograder grade` wrote.
        problems: ids of the problems; all in the folder if empty.
        database: address of the desk's database; a file in the course's folder if empty.
        second_share: share of the answers that are graded twice.

    Raises:
        SetupError: the folder or the database cannot be used, there is nothing to grade by hand, or the folder was
            graded with other points than the source has now.
    """

    def __init__(
        self,
        root: Path,
        out: Path,
        problems: Sequence[str] = (),
        *,
        database: str = "",
        second_share: float = SECOND_SHARE,
    ) -> None:
        runs, self.notes = read_runs(out, root)
        chosen = [run for run in runs if not problems or run.problem.id in problems]
        if not chosen:
            raise SetupError(f"{out} has no graded submission of {', '.join(problems)}; grade it first.")
        self.notes += [f"{run.problem.id}: {note}" for run in chosen for note in run.notes]
        for run in chosen:
            require_current(root, run)
        self.classes = {run.problem.id: ClassAnswers(out, run) for run in chosen}
        if not any(answers.items for answers in self.classes.values()):
            raise SetupError(f"no question of {', '.join(self.classes)} is graded by hand.")
        self.database = Database(database or default_address(root))
        self.decisions = Decisions(self.database)
        self.graders = Graders(self.database)
        secret = self.graders.secret()
        self.questions = {
            Place(problem, item.id): Question(item, answers, secret)
            for problem, answers in self.classes.items()
            for item in answers.items.values()
        }
        self.recorder = Recorder(root, out, self.decisions, self.classes)
        self.queue = Queue(self.decisions, self.graders, second_share)

    def close(self) -> None:
        """Records what is left and closes the database."""
        self.recorder.stop()
        self.database.close()

    def question(self, problem: str, item: str) -> Question:
        """A question.

        Raises:
            UnknownError: there is none of that name.
        """
        found = self.questions.get(Place(problem, item))
        if found is None:
            raise UnknownError(f"there is no question {item!r} of {problem!r} here; it may have left the source.")
        return found

    def student(self, question: Question, ref: str) -> str:
        """The student of an answer.

        Raises:
            UnknownError: there is no answer of that name.
        """
        found = question.arranged().student.get(ref)
        if found is None:
            raise UnknownError("there is no such answer here; the class may have been graded again since.")
        return found

    def rubric(self, question: Question) -> Rubric:
        """A question's rubric now."""
        return self.decisions.rubric(question.place, question.source_rubric)

    def progress(self) -> list[Progress]:
        """How far each question is."""
        return [self.progress_of(question) for question in self.questions.values()]

    def progress_of(self, question: Question) -> Progress:
        """How far one question is."""
        standing, now = self.decisions.standing(question.place), question.arranged().by_student
        graded = [saved for saved in standing.values() if saved.student in now and saved.marks.score is not None]
        stale = sum(saved.answer != now[saved.student].digest for saved in graded)
        return Progress(question, len(graded) - stale, len(now), stale, Counter(saved.by for saved in graded))

    # One answer

    def view(self, question: Question, ref: str, grader: str, *, blind: bool = True) -> View:
        """An answer for a grader.

        Args:
            question: the question.
            ref: the answer's name.
            grader: who grades.
            blind: whether a grader who has graded it a second time sees that grading, and not the one that counts.

        Raises:
            UnknownError: there is no answer of that name.
        """
        arranged, student = question.arranged(), self.student(question, ref)
        standing, answer = self.decisions.standing(question.place), arranged.by_student[student]
        saved, asked = standing.get(student), self.asked(question, standing).get(student, "")
        second = self._second(question, answer, grader)
        is_second = student in self.queue.for_second(question, grader, standing)
        if is_second or (blind and second and asked in ("", grader)):
            is_second, saved = True, second
        claimed = self.graders.claimed(question.place).get(student, grader)
        is_stale = bool(saved and saved.marks.score is not None and saved.answer != answer.digest)
        return View(
            question=question,
            ref=ref,
            answer=answer,
            rubric=self.rubric(question),
            saved=saved,
            is_stale=is_stale,
            earlier=self.decisions.answer_text(saved.answer) if saved and is_stale else "",
            equal=1 if is_second else len(arranged.block[student]),
            near=len(arranged.near.get(student, ())),
            is_second=is_second,
            conflict=None if is_second else self.recorder.conflicts.get((question.place, student)),
            claimed_by="" if claimed == grader else claimed,
            comments=_comments(standing, student),
            asked=asked,
        )

    def asked(self, question: Question, standing: Mapping[str, Saved]) -> dict[str, str]:
        """Student → who asked for a second opinion and has none yet, given the decisions that count."""
        found: dict[str, Noted] = {}
        for event in self.graders.events(question.place):
            if event.kind == OPINION_WITHDRAWN:
                found.pop(event.student, None)
            elif event.kind == SECOND_OPINION:
                found[event.student] = event
        for student in found.keys() & standing.keys():
            grading, event = self.decisions.grading(standing[student]), found[student]
            if grading and grading.by != event.by and grading.id > event.after:
                del found[student]
        return {student: event.by for student, event in found.items()}

    def _second(self, question: Question, answer: Answer, grader: str) -> Saved | None:
        """A grader's own second grading of an answer as it is now."""
        found = self.decisions.second(question.place, answer.student, grader)
        return found if found and found.answer == answer.digest else None

    def back(self, question: Question, ref: str, grader: str) -> str:
        """The answer that a grader graded before this one; empty if there is none."""
        arranged = question.arranged()
        line = [
            [one for one in students if one in arranged.ref]
            for students in self.decisions.graded(question.place, grader)
        ]
        line = [students for students in line if students]
        here = next((place for place, students in enumerate(line) if arranged.student.get(ref) in students), -1)
        return arranged.ref[line[here + 1][0]] if here + 1 < len(line) else ""

    def note(self, question: Question, ref: str, grader: str, kind: str) -> None:
        """Notes that a grader saw a name, asked for a second opinion, or needs none any more."""
        self.graders.note(question.place, self.student(question, ref), grader, kind)

    def save(self, question: Question, ref: str, grader: str, form: Form) -> list[str]:
        """Saves a grading; returns the students that it counts for.

        Raises:
            ConflictError: another grader graded the answer meanwhile.
            FormError: the form cannot be saved.
            StoreError: the database cannot be used.
        """
        arranged, student = question.arranged(), self.student(question, ref)
        marks = marks_of(form, self.rubric(question))
        if form.answer != arranged.by_student[student].digest:
            raise FormError("the student's answer changed since this page was shown; look at it and save again.")
        standing = self.decisions.standing(question.place)
        second = self._second(question, arranged.by_student[student], grader)
        waits = student in self.queue.for_second(question, grader, standing)
        if waits and not form.is_second or form.is_second and not (waits or second):
            raise FormError("this answer is in another state than when the page was shown; look at it and save again.")
        if form.is_second:
            if form.seen != (second.id if second else None):
                raise ConflictError(question.place, student)
            draft = _draft(arranged.by_student[student], marks, form.seen)
            self.decisions.save(question.place, [draft], grader, Kind.SECOND)
            return [student]
        members = [student]
        if not form.alone:
            members += [
                one
                for one in arranged.block[student]
                if one != student
                and (not is_graded(standing, arranged.by_student[one]) or _same(standing, one, student))
            ]
        seen = {one: _number(standing, one) for one in members} | {student: form.seen}
        drafts = [_draft(arranged.by_student[one], marks, seen[one]) for one in members]
        kind = Kind.GROUP if len(members) > 1 else Kind.GRADE
        self.decisions.save(question.place, drafts, grader, kind)
        if form.replaces_form_grader:
            self.recorder.replace_form_grader(question.place, student)
        self.recorder.wake()
        return members

    def save_group(self, question: Question, members: Sequence[str], grader: str, form: Form) -> list[str]:
        """Saves one grading for several answers that a grader chose; those that are graded already keep theirs.

        Args:
            question: the question.
            members: name and digest of each answer, `ref:digest`.
            grader: who grades.
            form: what was entered.
        """
        arranged = question.arranged()
        standing = self.decisions.standing(question.place)
        shown = dict(member.partition(":")[::2] for member in members)
        students = [arranged.student[ref] for ref in shown if ref in arranged.student]
        if any(arranged.by_student[one].digest != shown[arranged.ref[one]] for one in students):
            raise FormError("an answer of this group changed since this page was shown; look at it and save again.")
        left = [one for one in students if not is_graded(standing, arranged.by_student[one])]
        if not left:
            raise FormError("choose at least one answer that is not graded yet.")
        marks = marks_of(form, self.rubric(question))
        drafts = [_draft(arranged.by_student[one], marks, _number(standing, one)) for one in left]
        self.decisions.save(question.place, drafts, grader, Kind.GROUP)
        self.recorder.wake()
        return left

    def take_over(self, question: Question, ref: str, grader: str) -> None:
        """Takes the form grader's score over as the desk's."""
        student = self.student(question, ref)
        given = self.recorder.conflicts.get((question.place, student))
        if given is not None:
            answer = question.arranged().by_student[student]
            marks = from_form_grader(given, self.rubric(question))
            seen = _number(self.decisions.standing(question.place), student)
            self.decisions.save(question.place, [_draft(answer, marks, seen)], grader, Kind.FORM_GRADER)
            self.recorder.conflicts.pop((question.place, student), None)
            self.recorder.wake()

    def change_rubric(
        self, question: Question, old: Rubric, new: Rubric, grader: str, renamed: Mapping[str, str]
    ) -> None:
        """Changes a rubric and regrades all answers by it; see `Decisions.change_rubric`."""
        self.decisions.change_rubric(question.place, old, new, grader, renamed)
        self.graders.note(question.place, "", grader, RUBRIC_CHANGED)
        self.recorder.wake()

    def undo(self, grader: str, told: int = 0) -> tuple[Question, str, Undone] | None:
        """Takes back a grader's last action; returns where it was.

        Args:
            grader: who takes it back.
            told: number of the grading that the grader was told of, see `Decisions.undo`.
        """
        noted = self.graders.last_noted(grader)
        undone = self.decisions.undo(grader, self.questions, noted=noted, told=told)
        if undone is None:
            return None
        self.recorder.wake()
        question = self.questions[undone.place]
        arranged = question.arranged()
        order = [student for block in arranged.blocks for student in block]
        there = [(saved, marks) for saved, marks in undone.changes if saved.student in arranged.ref]
        there.sort(key=lambda change: order.index(change[0].student))
        return question, arranged.ref[there[0][0].student] if there else "", replace(undone, changes=there)

    def found(self, question: Question, words: str, grader: str) -> list[str]:
        """Students whose answers contain all these words; or the student of exactly this id, which is noted."""
        arranged = question.arranged()
        wanted = words.casefold().split()
        by_id = [student for student in arranged.ref if student_key(student) == student_key(words.strip())]
        for student in by_id:
            self.graders.note(question.place, student, grader, NAME_SHOWN)
        texts = {student: answer.text.casefold() for student, answer in arranged.by_student.items()}
        by_text = [student for student, text in texts.items() if wanted and all(word in text for word in wanted)]
        return list(dict.fromkeys([*by_id, *by_text]))


def _same(standing: Mapping[str, Saved], one: str, other: str) -> bool:
    """Whether two answers have the same grading, so that a change of one is meant for both."""
    return one in standing and other in standing and standing[one].marks == standing[other].marks


def _number(standing: Mapping[str, Saved], student: str) -> int | None:
    return standing[student].id if student in standing else None


def _draft(answer: Answer, marks: Marks, seen: int | None) -> Draft:
    return Draft(answer.student, answer.digest, marks, seen, answer.text)


def _comments(standing: Mapping[str, Saved], student: str) -> tuple[str, ...]:
    latest = sorted(standing.values(), key=lambda saved: saved.id, reverse=True)
    found = [saved.marks.comment for saved in latest if saved.student != student and saved.marks.comment]
    return tuple(dict.fromkeys(found))[:30]
