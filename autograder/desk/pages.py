"""The desk's pages: routes, forms and templates. What they show and do is in `autograder.desk.desk`."""

from __future__ import annotations

import base64
import contextlib
import math
import re
from collections.abc import AsyncIterator, Collection
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from autograder.core.errors import AutograderError
from autograder.desk.agreement import agreement
from autograder.desk.class_answers import Answer
from autograder.desk.database import StoreError
from autograder.desk.decisions import ConflictError
from autograder.desk.desk import NAME_SHOWN, SECOND_OPINION, Desk, Form, FormError, UnknownError, View
from autograder.desk.guard import Guard
from autograder.desk.question import Question
from autograder.desk.rubric import Rubric, RubricError, RubricItem, from_yaml, merged
from autograder.desk.shown_text import MOST_CHARACTERS, shown_code, shown_markdown
from autograder.release.fill import solution_answers

_HERE = Path(__file__).resolve().parent
_MOST_FIELDS = 200
_LEAST_RESIDUAL = 0.5
"""Points by which a score must be out of line to be listed."""
_STATUS = {UnknownError: 404, ConflictError: 409, FormError: 422, RubricError: 422, StoreError: 503}


def app(desk: Desk, hosts: Collection[str], *, secure: bool = False) -> Starlette:
    """The web application of a desk."""
    pages = _Pages(desk)
    question, answer = "/{problem}/{item}", "/{problem}/{item}/a/{ref}"
    routes = [
        Mount("/static", StaticFiles(directory=_HERE / "static")),
        Route("/code.css", pages.code_style),
        Route("/", pages.overview),
        Route("/help", pages.help),
        Route("/undo", pages.undo, methods=["POST"]),
        Route(question, pages.begin),
        Route(f"{question}/rubric", pages.rubric),
        Route(f"{question}/rubric", pages.change_rubric, methods=["POST"]),
        Route(f"{question}/rubric.yaml", pages.rubric_file),
        Route(f"{question}/list", pages.listed),
        Route(f"{question}/agreement", pages.agreement),
        Route(answer, pages.answer),
        Route(answer, pages.save, methods=["POST"]),
        Route(f"{answer}/group", pages.group),
        Route(f"{answer}/group", pages.save_group, methods=["POST"]),
        Route(f"{answer}/name", pages.show_name, methods=["POST"]),
        Route(f"{answer}/opinion", pages.ask_opinion, methods=["POST"]),
        Route(f"{answer}/take-over", pages.take_over, methods=["POST"]),
        Route(f"{answer}/text", pages.whole_text),
        Route(f"{answer}/picture/{{digest}}", pages.picture),
    ]

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        desk.recorder.start()
        desk.recorder.wake()
        yield
        await run_in_threadpool(desk.close)

    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, graders=desk.graders, hosts=hosts, secure=secure)],
        exception_handlers={AutograderError: pages.failed, 404: pages.failed, 500: pages.failed},
        lifespan=lifespan,
    )


class _Pages:
    """One method for each route.

    Args:
        desk: the desk.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # The whole desk

    async def overview(self, request: Request) -> Response:
        """All questions, and how far they are."""
        progress = await run_in_threadpool(self._desk.progress)
        return self._page(request, "overview.html", progress=progress, notes=self._desk.notes)

    async def help(self, request: Request) -> Response:
        """The keys."""
        return self._page(request, "help.html")

    async def undo(self, request: Request) -> Response:
        """Takes back the last action."""
        undone = await run_in_threadpool(self._desk.undo, request.scope["grader"])
        if undone is None:
            raise FormError("there is nothing of yours to take back.")
        question, ref = undone
        return _to(_answer_url(question, ref), "undone=1")

    async def failed(self, request: Request, error: Exception) -> Response:
        """What went wrong, and what to do."""
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), None)
        status = status or int(getattr(error, "status_code", 500))
        if isinstance(error, AutograderError):
            message = str(error)
        elif status == 404:
            message = "there is no such page."
        else:
            message = "the desk failed; nothing was saved. The terminal shows the error."
        return self._page(request, "failed.html", status=status, message=message)

    async def code_style(self, request: Request) -> Response:
        """The colours of code."""
        return Response(_code_style(), media_type="text/css")

    # A question

    async def begin(self, request: Request) -> Response:
        """Goes to the next answer to grade."""
        question = self._question(request)
        after = request.query_params.get("after", "")
        ref = await run_in_threadpool(self._desk.next, question, request.scope["grader"], after)
        if ref is None:
            progress = await run_in_threadpool(self._desk.progress_of, question)
            return self._page(request, "done.html", question=question, progress=progress)
        return _to(_answer_url(question, ref), f"saved=1&from={quote(after)}" if after else "")

    async def listed(self, request: Request) -> Response:
        """A list of answers: found by words, out of line, or with a second opinion asked for."""
        question, kind = self._question(request), request.query_params.get("kind", "search")
        words = request.query_params.get("q", "")
        rows = await run_in_threadpool(self._rows, question, kind, words, request.scope["grader"])
        return self._page(request, "list.html", question=question, kind=kind, words=words, rows=rows)

    async def agreement(self, request: Request) -> Response:
        """How far graders agree."""
        question = self._question(request)
        pairs = await run_in_threadpool(self._desk.decisions.seconds, question.place)
        ref = question.arranged().ref
        return self._page(request, "agreement.html", question=question, result=agreement(pairs), pairs=pairs, refs=ref)

    async def rubric(self, request: Request) -> Response:
        """The rubric, to be changed."""
        question = self._question(request)
        rubric = await run_in_threadpool(self._desk.rubric, question)
        return self._rubric_page(request, question, rubric)

    async def change_rubric(self, request: Request) -> Response:
        """Previews or applies a change of the rubric."""
        question, form = self._question(request), await _form(request)
        return await run_in_threadpool(self._changed_rubric, request, question, form)

    async def rubric_file(self, request: Request) -> Response:
        """The rubric as a file."""
        question = self._question(request)
        rubric = await run_in_threadpool(self._desk.rubric, question)
        name = f"{question.place.problem}-{question.place.item}-rubric.yaml"
        headers = {"content-disposition": f'attachment; filename="{quote(name)}"'}
        return PlainTextResponse(rubric.as_yaml(), headers=headers)

    # An answer

    async def answer(self, request: Request) -> Response:
        """An answer and its rubric."""
        question, ref, grader = self._asked(request)
        return await run_in_threadpool(self._answer_page, request, question, ref, grader)

    async def save(self, request: Request) -> Response:
        """Saves a grading and goes to the next answer."""
        question, ref, grader = self._asked(request)
        data = await _form(request)
        try:
            await run_in_threadpool(self._desk.save, question, ref, grader, _entered(data))
        except (ConflictError, FormError, StoreError) as error:
            return await run_in_threadpool(self._answer_page, request, question, ref, grader, data, error)
        return _to(_question_url(question), f"after={ref}")

    async def group(self, request: Request) -> Response:
        """An answer with all that are nearly equal."""
        question, ref, grader = self._asked(request)
        return await run_in_threadpool(self._group_page, request, question, ref, grader)

    async def save_group(self, request: Request) -> Response:
        """Saves one grading for the chosen answers of a group."""
        question, ref, grader = self._asked(request)
        data = await _form(request)
        members = [str(one) for one in data.getlist("member")]
        try:
            await run_in_threadpool(self._desk.save_group, question, members, grader, _entered(data))
        except (ConflictError, FormError, StoreError) as error:
            return await run_in_threadpool(self._group_page, request, question, ref, grader, data, error)
        return _to(_question_url(question), f"after={ref}")

    async def show_name(self, request: Request) -> Response:
        """Shows the student's name, and notes that; what was entered stays."""
        return await self._noted(request, NAME_SHOWN)

    async def ask_opinion(self, request: Request) -> Response:
        """Asks for a second opinion; what was entered stays."""
        return await self._noted(request, SECOND_OPINION)

    async def _noted(self, request: Request, kind: str) -> Response:
        question, ref, grader = self._asked(request)
        data = await _form(request)
        student = self._desk.student(question, ref)
        await run_in_threadpool(self._desk.graders.note, question.place, student, grader, kind)
        return await run_in_threadpool(self._answer_page, request, question, ref, grader, data, None, kind)

    async def take_over(self, request: Request) -> Response:
        """Takes the form grader's score over."""
        question, ref, grader = self._asked(request)
        await run_in_threadpool(self._desk.take_over, question, ref, grader)
        return _to(_answer_url(question, ref))

    async def whole_text(self, request: Request) -> Response:
        """A long answer as plain text."""
        question = self._question(request)
        student = self._desk.student(question, request.path_params["ref"])
        return PlainTextResponse(question.arranged().by_student[student].text)

    async def picture(self, request: Request) -> Response:
        """A picture in an answer; its type was checked when it was graded, and it is served as nothing else."""
        question = self._question(request)
        student = self._desk.student(question, request.path_params["ref"])
        pictures = await run_in_threadpool(question.answers.pictures, student)
        found = pictures.get(request.path_params["digest"])
        if found is None:
            raise UnknownError("there is no such picture.")
        return Response(base64.b64decode(found.data), media_type=found.mime)

    # Inside

    def _question(self, request: Request) -> Question:
        return self._desk.question(request.path_params["problem"], request.path_params["item"])

    def _asked(self, request: Request) -> tuple[Question, str, str]:
        """The question, the answer's name and the grader of a request."""
        return self._question(request), request.path_params["ref"], request.scope["grader"]

    def _answer_page(
        self,
        request: Request,
        question: Question,
        ref: str,
        grader: str,
        entered: FormData | None = None,
        error: AutograderError | None = None,
        noted: str = "",
    ) -> Response:
        view = self._desk.view(question, ref, grader)
        if error is None:
            self._desk.graders.claim(question.place, view.answer.student, grader)
        student = view.answer.student
        names = [one for one in question.answers.items.values() if one is not question.item]
        others = question.answers.all_of(student)
        past = self._desk.decisions.history(question.place, student) if not view.is_second else []
        return self._page(
            request,
            "answer.html",
            status=200 if error is None else _STATUS[type(error)],
            view=view,
            question=question,
            marks=_shown_marks(view, entered),
            shown=self._text(view.answer, question.is_code, question, ref),
            earlier=shown_code(view.earlier) if question.is_code else shown_markdown(view.earlier, {}),
            model=_model_answer(question),
            task=shown_markdown(task_of(question), {}),
            others=[(one.id, self._text(others[one.id], one.cell.cell_type == "code", question, ref)) for one in names],
            numbers=_numbers(question, student),
            evidence=[
                (one, "") if isinstance(one, str) else ("", f"{_answer_url(question, ref)}/picture/{one.digest}")
                for one in question.answers.evidence(student, question.item.id)
            ],
            history=past,
            name=student if noted == NAME_SHOWN else "",
            asked_now=noted == SECOND_OPINION,
            progress=self._desk.progress_of(question),
            message="" if error is None else str(error),
        )

    def _group_page(
        self,
        request: Request,
        question: Question,
        ref: str,
        grader: str,
        entered: FormData | None = None,
        error: AutograderError | None = None,
    ) -> Response:
        from autograder.desk.groups import marked_differences

        view = self._desk.view(question, ref, grader)
        if view.is_second:
            raise UnknownError("this answer is graded on its own.")
        ticked = None if entered is None else {str(one).partition(":")[0] for one in entered.getlist("member")}
        arranged, standing = question.arranged(), self._desk.decisions.standing(question.place)
        own = view.answer
        members = [
            (
                arranged.ref[student],
                marked_differences(arranged.by_student[student].text[:MOST_CHARACTERS], own.text[:MOST_CHARACTERS]),
                standing.get(student),
                arranged.by_student[student].digest,
            )
            for student in [*arranged.block[own.student], *arranged.near.get(own.student, ())]
        ]
        return self._page(
            request,
            "group.html",
            status=200 if error is None else _STATUS[type(error)],
            view=view,
            question=question,
            members=members,
            ticked=ticked,
            marks=_shown_marks(view, entered),
            message="" if error is None else str(error),
        )

    def _rows(self, question: Question, kind: str, words: str, grader: str) -> list[tuple[str, str, str]]:
        """(name of an answer, what to say of it, the begin of its text)."""
        from autograder.desk.second_look import second_look

        arranged, standing = question.arranged(), self._desk.decisions.standing(question.place)
        told: dict[str, str] = {}
        if kind == "second-look":
            graded = [
                one
                for one in arranged.answers
                if one.student in standing and standing[one.student].marks.score is not None
            ]
            places = [index for index, one in enumerate(arranged.answers) if one in graded]
            scores = [float(standing[one.student].marks.score or 0.0) for one in graded]
            kernel = arranged.kernel[places][:, places]
            for index, residual in second_look(kernel, scores)[: max(5, len(scores) // 10)]:
                if abs(residual) < _LEAST_RESIDUAL:
                    break
                side = "above" if residual > 0 else "below"
                said = f"{scores[index]:g} points, {abs(residual):.1f} {side} similar answers"
                told[arranged.ref[graded[index].student]] = said
        elif kind == "opinions":
            told = {
                arranged.ref[student]: f"asked by {by}" for student, by in self._desk.asked(question, standing).items()
            }
        elif kind == "conflicts":
            told = {
                arranged.ref[student]: f"{given.points} points in the form grader"
                for (place, student), given in list(self._desk.recorder.conflicts.items())
                if place == question.place
            }
        elif words:
            for ref in self._desk.found(question, words, grader):
                saved = standing.get(arranged.student[ref])
                told[ref] = (
                    "not graded" if saved is None or saved.marks.score is None else f"{saved.marks.score:g} points"
                )
        texts = {arranged.ref[one.student]: " ".join(one.text.split())[:200] for one in arranged.answers}
        return [(ref, said, texts[ref]) for ref, said in list(told.items())[:200]]

    def _changed_rubric(self, request: Request, question: Question, form: FormData) -> Response:
        old = self._desk.rubric(question)
        try:
            if str(form.get("version")) != str(old.version):
                raise RubricError("another grader changed the rubric meanwhile; here it is, change it again.")
            new, renamed = _new_rubric(old, form)
        except RubricError as error:
            return self._rubric_page(request, question, old, message=str(error))
        if form.get("apply"):
            self._desk.decisions.change_rubric(question.place, old, new, request.scope["grader"], renamed)
            self._desk.recorder.wake()
            return _to(f"{_question_url(question)}/rubric", "changed=1")
        changes = self._desk.decisions.preview(question.place, new, renamed)
        refs = question.arranged().ref
        rows = [(refs[saved.student], saved.marks.score, after) for saved, after in changes if saved.student in refs]
        fields = [(name, value) for name, value in form.multi_items() if name not in ("version", "apply")]
        return self._rubric_page(request, question, old, new=new, changes=rows, fields=fields)

    def _rubric_page(
        self, request: Request, question: Question, rubric: Rubric, *, message: str = "", **preview: Any
    ) -> Response:
        values = {"new": None, "changes": [], "fields": [], **preview}
        status = 422 if message else 200
        return self._page(
            request, "rubric.html", status=status, question=question, rubric=rubric, message=message, **values
        )

    def _text(self, answer: Answer, is_code: bool, question: Question, ref: str) -> dict[str, Any]:
        base = f"{_answer_url(question, ref)}/picture"
        found = question.answers.pictures(answer.student) if answer.pictures else {}
        named = {found[one].name: f"{base}/{one}" for one in answer.pictures if one in found and found[one].name}
        loose = [f"{base}/{one}" for one in answer.pictures if one in found and not found[one].name]
        html = shown_code(answer.text) if is_code else shown_markdown(answer.text, named)
        return {
            "html": html,
            "pictures": loose,
            "is_blank": answer.is_blank,
            "is_cut": len(answer.text) > MOST_CHARACTERS,
        }

    def _page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        text = (
            _templates()
            .get_template(template)
            .render(
                grader=request.scope.get("grader", ""),
                state=self._desk.recorder.state,
                url=_question_url,
                params=request.query_params,
                **values,
            )
        )
        return HTMLResponse(text, status_code=status)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _code_style() -> str:
    from pygments.formatters import HtmlFormatter

    light, dark = (HtmlFormatter(style=name).get_style_defs(".code") for name in ("xcode", "github-dark"))
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


async def _form(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=_MOST_FIELDS)


def _entered(data: FormData) -> Form:
    """The form of an answer.

    Raises:
        FormError: a field is not what the page sends.
    """

    def number(name: str, otherwise: str) -> float:
        text = str(data.get(name, "")).strip().replace(",", ".").replace("−", "-") or otherwise
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise FormError(f"{text[:20]!r} is not a number of points; write e.g. -0.5.")
        return found

    seen = str(data.get("seen", ""))
    return Form(
        ticks=tuple(str(key) for key in data.getlist("tick")),
        adjustment=number("adjustment", "0"),
        reason=str(data.get("reason", "")),
        comment=str(data.get("comment", "")).replace("\r\n", "\n"),
        seen=int(seen) if re.fullmatch("[0-9]{1,15}", seen) else None,
        answer=str(data.get("answer", "")),
        version=int(number("version", "0")),
        alone=bool(data.get("alone")),
        is_second=bool(data.get("second")),
        replaces_form_grader=bool(data.get("replaces")),
    )


def _shown_marks(view: View, entered: FormData | None) -> dict[str, Any]:
    """What stands in the form: what was entered but not saved, or what was saved."""
    if entered is not None:
        return {
            "ticks": {str(key) for key in entered.getlist("tick")},
            "adjustment": str(entered.get("adjustment", "")),
            "reason": str(entered.get("reason", "")),
            "comment": str(entered.get("comment", "")),
        }
    saved = view.saved
    if saved is None or saved.marks.score is None:
        return {"ticks": set(), "adjustment": "", "reason": "", "comment": ""}
    marks = saved.marks
    adjustment = f"{marks.adjustment:g}" if marks.adjustment else ""
    return {"ticks": set(marks.ticks), "adjustment": adjustment, "reason": marks.reason, "comment": marks.comment}


def _new_rubric(old: Rubric, form: FormData) -> tuple[Rubric, dict[str, str]]:
    """The rubric that a form describes; and old key → key of the item that takes its place."""
    if str(form.get("yaml", "")).strip():
        return from_yaml(str(form["yaml"]), old), {}
    items: list[RubricItem] = []
    columns = [[str(value).strip() for value in form.getlist(name)] for name in ("key", "text", "points")]
    if len({len(column) for column in columns}) > 1:
        raise RubricError("the form is not complete; open the page again.")
    for key, text, points in zip(*columns, strict=True):
        if not text and not points:
            continue  # a line that was emptied is removed
        try:
            number = float(points.replace(",", ".").replace("−", "-"))
        except ValueError:
            raise RubricError(f"{points[:20]!r} is not a number of points; write e.g. 1.5.") from None
        fresh = Rubric((*old.items, *items), old.most).new_key()
        items.append(RubricItem(key or fresh, number, text))
    chosen = [str(key) for key in form.getlist("merge")]
    new = old.with_items(items)
    if not chosen:
        return new, {}
    joined = " / ".join(item.text for item in new.items if item.key in chosen)
    one, renamed = merged(Rubric(new.items, new.most, old.version), chosen, joined)
    return one, renamed


def task_of(question: Question) -> str:
    """The question as students read it: the text cell above the answer."""
    cells = question.answers.problem.cells
    place = next(number for number, cell in enumerate(cells) if cell is question.item.cell)
    above = (cell.source for cell in reversed(cells[:place]) if cell.cell_type == "markdown" and not cell.grade_id)
    return next(above, "")


def _model_answer(question: Question) -> Markup:
    text = solution_answers(question.answers.problem)[question.item.id]
    return shown_code(text) if question.is_code else shown_markdown(text, {})


def _numbers(question: Question, student: str) -> Any:
    from autograder.course.metric_ranges import declared_ranges
    from autograder.submissions.metrics import metrics_in_words  # imports torch

    log = question.answers.logs[student]
    return metrics_in_words(log.metrics, declared_ranges(question.answers.problem), log.profile)


def _question_url(question: Question) -> str:
    return f"/{quote(question.place.problem)}/{quote(question.place.item)}"


def _answer_url(question: Question, ref: str) -> str:
    return f"{_question_url(question)}/a/{quote(ref)}"


def _to(url: str, query: str = "") -> Response:
    return RedirectResponse(f"{url}?{query}" if query else url, status_code=303)
