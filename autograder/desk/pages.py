"""The desk's pages: routes, forms and templates. What they show and do is in `autograder.desk.desk`."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator, Collection
from typing import Any
from urllib.parse import quote, urlencode

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
from autograder.desk.beside_answer import model_answer, numbers, task_of
from autograder.desk.class_answers import Answer
from autograder.desk.database import StoreError
from autograder.desk.decisions import ConflictError
from autograder.desk.desk import Desk, UnknownError
from autograder.desk.form import FormError, digest_of, entered_rows, read_form, read_rubric, shown_marks
from autograder.desk.graders import NAME_SHOWN, OPINION_WITHDRAWN, SECOND_OPINION
from autograder.desk.guard import Guard
from autograder.desk.lists import conflicts, opinions, rows
from autograder.desk.question import Question
from autograder.desk.rubric import Rubric, RubricError
from autograder.desk.shown_text import MOST_CHARACTERS, shown_code, shown_markdown
from autograder.desk.templating import HERE, code_style, templates

_MOST_FIELDS = 200
_STATUS = {UnknownError: 404, ConflictError: 409, FormError: 422, RubricError: 422, StoreError: 503}


def app(desk: Desk, hosts: Collection[str], *, secure: bool = False) -> Starlette:
    """The web application of a desk."""
    pages = _Pages(desk)
    question, answer = "/{problem}/{item}", "/{problem}/{item}/a/{ref}"
    routes = [
        Mount("/static", StaticFiles(directory=HERE / "static")),
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
        Route(f"{answer}/no-opinion", pages.withdraw_opinion, methods=["POST"]),
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
        return await run_in_threadpool(self._overview, request)

    async def help(self, request: Request) -> Response:
        """The keys."""
        return self._page(request, "help.html")

    async def undo(self, request: Request) -> Response:
        """Takes back the last action."""
        told = str((await _form(request)).get("told", ""))
        number = int(told) if told.isdecimal() and len(told) < 16 else 0
        found = await run_in_threadpool(self._desk.undo, request.scope["grader"], number)
        if found is None:
            return _to("/", "undone=0")
        question, ref, undone = found
        if not ref:
            raise UnknownError("the answer of your last grading is not in this class any more.")
        saved, marks = undone.changes[0]
        said = {"was": f"{saved.marks.score:g}", "now": "" if marks.score is None else f"{marks.score:g}"}
        done = {"undone": len(undone.changes)} if undone.is_done else {"told": undone.grading}
        return _to(_answer_url(question, ref), urlencode({**done, **said}))

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
        return Response(code_style(), media_type="text/css")

    # A question

    async def begin(self, request: Request) -> Response:
        """Goes to the next answer to grade."""
        question = self._question(request)
        after = request.query_params.get("after", "")
        ref = await run_in_threadpool(self._desk.queue.next, question, request.scope["grader"], after)
        if ref is None:
            progress = await run_in_threadpool(self._desk.progress_of, question)
            asked = await run_in_threadpool(opinions, self._desk, question, request.scope["grader"])
            return self._page(request, "done.html", question=question, progress=progress, opinions=asked)
        saved = request.query_params.get("saved", "")
        told = f"saved={saved}&" if saved.isdigit() else ""
        query = "only=1" if ref == after else f"{told}from={quote(after)}" if after else ""
        return _to(_answer_url(question, ref), query)

    async def listed(self, request: Request) -> Response:
        """A list of answers: found by words, out of line, or with a second opinion asked for."""
        question, kind = self._question(request), request.query_params.get("kind", "search")
        words = request.query_params.get("q", "")
        found = await run_in_threadpool(rows, self._desk, question, kind, words, request.scope["grader"])
        return self._page(request, "list.html", question=question, kind=kind, words=words, rows=found)

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
            saved = await run_in_threadpool(self._desk.save, question, ref, grader, read_form(data))
        except (ConflictError, FormError, StoreError) as error:
            return await run_in_threadpool(self._answer_page, request, question, ref, grader, data, error)
        return _to(_question_url(question), f"after={ref}&saved={len(saved)}")

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
            saved = await run_in_threadpool(self._desk.save_group, question, members, grader, read_form(data))
        except (ConflictError, FormError, StoreError) as error:
            return await run_in_threadpool(self._group_page, request, question, ref, grader, data, error)
        return _to(_question_url(question), f"after={ref}&saved={len(saved)}")

    async def show_name(self, request: Request) -> Response:
        """Shows the student's name, and notes that; what was entered stays."""
        return await self._noted(request, NAME_SHOWN)

    async def ask_opinion(self, request: Request) -> Response:
        """Asks for a second opinion; what was entered stays."""
        return await self._noted(request, SECOND_OPINION)

    async def withdraw_opinion(self, request: Request) -> Response:
        """Says that no second opinion is needed any more; what was entered stays."""
        return await self._noted(request, OPINION_WITHDRAWN)

    async def _noted(self, request: Request, kind: str) -> Response:
        question, ref, grader = self._asked(request)
        data = await _form(request)
        await run_in_threadpool(self._desk.note, question, ref, grader, kind)
        page = await run_in_threadpool(self._answer_page, request, question, ref, grader, data, None, kind)
        page.headers["hx-push-url"] = "false"  # the browser stays at the answer's address
        return page

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

    def _overview(self, request: Request) -> Response:
        progress, grader = self._desk.progress(), request.scope["grader"]
        asked = {one.question.place: opinions(self._desk, one.question, grader) for one in progress}
        return self._page(request, "overview.html", progress=progress, notes=self._desk.notes, opinions=asked)

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
        blind = "standing" not in request.query_params if entered is None else bool(entered.get("second"))
        view = self._desk.view(question, ref, grader, blind=blind)
        if error is None:
            self._desk.graders.claim(question.place, view.answer.student, grader)
        student = view.answer.student
        base = f"{_answer_url(question, ref)}/picture"
        names = [one for one in question.answers.items.values() if one is not question.item]
        others = question.answers.all_of(student)
        past = self._desk.decisions.history(question.place, student) if not view.is_second else []
        return self._page(
            request,
            "answer.html",
            status=200 if error is None else _STATUS[type(error)],
            view=view,
            question=question,
            marks=shown_marks(view.saved, entered),
            shown=self._text(view.answer, question.is_code, question, ref),
            earlier=shown_code(view.earlier) if question.is_code else shown_markdown(view.earlier, {}),
            model=model_answer(question),
            task=shown_markdown(task_of(question), {}),
            others=[(one.id, self._text(others[one.id], one.cell.cell_type == "code", question, ref)) for one in names],
            numbers=numbers(question, student),
            evidence=[
                (
                    section.title,
                    [(one, "") if isinstance(one, str) else ("", f"{base}/{one.digest}") for one in section.outputs],
                )
                for section in question.answers.evidence(student, question.item.id)
            ],
            history=past,
            back=request.query_params.get("from") or self._desk.back(question, ref, grader),
            other=view.saved if isinstance(error, ConflictError) and error.student == student else None,
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
        if entered is None:  # an answer that lacks words of the other one is no equal of it
            ticked = {ref for ref, parts, _, _ in members if ("", True) not in parts}
        else:
            ticked = {str(one).partition(":")[0] for one in entered.getlist("member")}
        return self._page(
            request,
            "group.html",
            status=200 if error is None else _STATUS[type(error)],
            view=view,
            question=question,
            members=members,
            ticked=ticked,
            marks=shown_marks(None, entered),
            message="" if error is None else str(error),
        )

    def _changed_rubric(self, request: Request, question: Question, form: FormData) -> Response:
        old = self._desk.rubric(question)
        try:
            if str(form.get("version")) != str(old.version):
                raise RubricError(
                    "this rubric was changed meanwhile, by another grader or in another tab; change it again."
                )
            new, renamed = read_rubric(old, form)
        except RubricError as error:
            return self._rubric_page(
                request, question, old, message=str(error), entered=entered_rows(form), merges=form.getlist("merge")
            )
        previewed = digest_of(new, renamed)
        if form.get("apply") and form.get("previewed") == previewed:
            self._desk.change_rubric(question, old, new, request.scope["grader"], renamed)
            return _to(f"{_question_url(question)}/rubric", "changed=1")
        changes = self._desk.decisions.preview(question.place, new, renamed)
        refs = question.arranged().ref
        rows = sorted(
            (refs[saved.student], saved.marks.score, after) for saved, after in changes if saved.student in refs
        )
        return self._rubric_page(
            request,
            question,
            old,
            message="you changed it after the preview; nothing is saved yet: here is the new preview."
            if form.get("apply")
            else "",
            new=new,
            changes=rows,
            previewed=previewed,
            merges=form.getlist("merge"),
            entered=entered_rows(form) or [(item.key, f"{item.points:g}", item.text) for item in new.items],
        )

    def _rubric_page(
        self, request: Request, question: Question, rubric: Rubric, *, message: str = "", **preview: Any
    ) -> Response:
        rows = [(item.key, f"{item.points:g}", item.text) for item in rubric.items]
        values = {"new": None, "merges": [], "entered": rows, **preview}
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
        grader = request.scope.get("grader", "")
        found = [
            (one, len(conflicts(self._desk, one, grader))) for one in self._desk.questions.values() if status < 500
        ]
        text = (
            templates()
            .get_template(template)
            .render(
                grader=grader,
                state=self._desk.recorder.state,
                conflicts=[(question, number) for question, number in found if number],
                url=_question_url,
                params=request.query_params,
                **values,
            )
        )
        return HTMLResponse(text, status_code=status)


async def _form(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=_MOST_FIELDS)


def _question_url(question: Question) -> str:
    return f"/{quote(question.place.problem)}/{quote(question.place.item)}"


def _answer_url(question: Question, ref: str) -> str:
    return f"{_question_url(question)}/a/{quote(ref)}"


def _to(url: str, query: str = "") -> Response:
    return RedirectResponse(f"{url}?{query}" if query else url, status_code=303)
