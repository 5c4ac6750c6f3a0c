"""The command line: parses arguments, calls the library, prints. Every option is an argument of the function it calls.

Exit status: 0 success; 1 it ran and found something wrong; 2 it could not run (one message on standard error); 130
interrupted with Ctrl-C. Each command imports the library when it runs, so that `autograder --help` is fast.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import autograder.core.fast_imports  # noqa: F401  (acts before anything imports jsonschema)
from autograder.cli.beside import go_on_beside_host, run_as_program
from autograder.cli.desk import desk_app
from autograder.cli.imports import import_command
from autograder.cli.inspect import inspect_command
from autograder.cli.new import new_command
from autograder.cli.regrade import regrade_command
from autograder.cli.runs import diff_command, runs_command, undo_command
from autograder.core.errors import AutograderError, CourseError, SourceError
from autograder.core.flags import FlagKind
from autograder.core.text import counted, listed, printable
from autograder.course.seed import NEW, SEED_VARIABLE, new_seed
from autograder.export.options import Form, Per, Unfinished
from autograder.sandbox.host import ANY, ISOLATION_VARIABLE


class _Group(TyperGroup):
    """Prints our own errors as one message instead of a traceback."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        if args is None:
            run_as_program()
        return super().main(args, *rest, **options)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo(
                "autograder: stopped. Finished results are saved; run the same command again to continue.", err=True
            )
            raise typer.Exit(130) from None
        except AutograderError as error:
            message = str(error)
        except OSError as error:
            if isinstance(error, BrokenPipeError) or error.filename is None:
                raise
            message = f"{error.filename}: {error.strerror}"
        typer.echo(f"autograder: {message}", err=True)
        raise typer.Exit(2)


app = typer.Typer(
    cls=_Group,
    help="Releases, checks and grades deep-learning homework.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its boxes break long paths across lines
)

app.add_typer(desk_app, name="desk")
app.command("inspect")(inspect_command)
app.command("regrade")(regrade_command)
app.command("new")(new_command)
app.command("import")(import_command)

Problems = Annotated[list[str] | None, typer.Argument(help="Problem ids, e.g. vae; all that have a source if none.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Number of worker processes; one per core if not given.")]


@app.callback()
def main(
    isolation: Annotated[
        str,
        typer.Option(
            envvar=ISOLATION_VARIABLE,
            help="Isolation level for student code: full, landlock, user or plain; the strongest that this machine "
            "offers if not given. With plain there is no sandbox: student code can read and change whatever you can.",
        ),
    ] = "",
    seed: Annotated[
        str,
        typer.Option(
            envvar=SEED_VARIABLE,
            help="Seed of the hidden inputs; the course's own seed if not given. With new, the course draws another "
            "seed and keeps it.",
        ),
    ] = "",
) -> None:
    """Releases, checks and grades deep-learning homework."""
    if isolation:
        os.environ[ISOLATION_VARIABLE] = isolation  # worker processes inherit it
    if seed == NEW:
        from autograder.course.config import root_folder

        seed = new_seed(root_folder())
    if seed:
        os.environ[SEED_VARIABLE] = seed


@app.command("doctor")
def doctor_command() -> None:
    """Tests the sandbox for student code.

    Runs small programs in the sandbox; each tries to get out. Exit status 1 if one succeeds although the isolation
    level promises that it cannot.
    """
    from autograder.cli.tables import console, doctor_table
    from autograder.course.config import root_folder
    from autograder.course.problem import in_process_notes, load_problem, problem_ids
    from autograder.sandbox.host import Host
    from autograder.sandbox.probes import examine, limits_in_words

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)  # on exit, everything that the probes left is removed

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    with Host() as host:
        findings = examine(host, root_folder())
        console().print(doctor_table(host.level, findings))
        typer.echo(limits_in_words(host))
        for refusal in host.refusals:
            typer.echo(f"not available here: {refusal}")
    for problem in problem_ids():
        with contextlib.suppress(SourceError, CourseError):  # `autograder lint` reports them
            for note in in_process_notes(load_problem(problem)):
                typer.echo(f"not covered: {note}")
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


@app.command("release")
def release_command(problems: Problems = None) -> None:
    """Writes the students' notebooks from the sources."""
    from autograder.cli.release import release

    for released in release(problems or None):
        typer.echo(f"{released.problem}: {released.path} {'written' if released.changed else 'unchanged'}")
        if released.note:
            typer.echo(f"{released.problem}: {released.note}", err=True)


@app.command("lint")
def lint_command(problems: Problems = None) -> None:
    """Checks the markers, metadata and tests of the sources, their variants, and that `course.toml` fits them."""
    from autograder.course.config import load_course, mismatches
    from autograder.course.problem import in_process_notes, load_problem, problem_ids
    from autograder.release.lint import lint_problem
    from autograder.release.lint_variants import lint_variants

    chosen = problems or problem_ids()
    findings = []
    notes = []
    for problem in chosen:
        found = lint_problem(problem)
        with contextlib.suppress(SourceError) if found else contextlib.nullcontext():
            notes += in_process_notes(loaded := load_problem(problem))
            found += lint_variants(loaded)
        findings += [str(finding) for finding in found]
    if not problems:
        findings += mismatches(load_course(), problem_ids())
    for line in [*findings, *(f"note: {note}" for note in notes)]:
        typer.echo(line)
    typer.echo(f"{counted(len(findings), 'finding')} in {counted(len(chosen), 'source')}", err=True)
    raise typer.Exit(1 if findings else 0)


@app.command("check")
def check_command(
    problems: Problems = None,
    workers: Workers = None,
    mutants: Annotated[
        bool,
        typer.Option("--mutants", help="Instead, grade mechanical rewritings of the right answers; list survivors."),
    ] = False,
    items: Annotated[list[str] | None, typer.Option("--item", help="With --mutants: only of this item.")] = None,
    sample: Annotated[int, typer.Option(min=0, help="With --mutants: how many of each problem; 0 for all.")] = 0,
) -> None:
    """Checks that grading accepts right solutions and rejects wrong ones.

    The solution must get full marks and the untouched release no points. Each known wrong solution must lose points on
    its item only. Each right alternative must lose none. Promises in docstrings that no line of a test seems to check
    are listed, and items about whose tests nothing is proven, because they have no variants. With --mutants, right
    answers are changed in one place each: a change of the meaning must cost points, another form must not.
    """
    from autograder.cli.progress import live_progress
    from autograder.cli.tables import check_table, console, mutant_table

    os.environ.setdefault(ISOLATION_VARIABLE, ANY)  # the graded code comes from this repository, so no sandbox is fine
    if mutants:
        from autograder.cli.check import check_rewritten

        with live_progress() as watch:
            tried = check_rewritten(
                problems, workers=workers, items=items, sample=sample, progress=watch("checking mutants")
            )
        console().print(mutant_table(tried))
        raise typer.Exit(1 if any(one.fate in ("survived", "lost points") for one in tried) else 0)
    from autograder.cli.check import check, promises_without_a_check, unproven

    with live_progress() as watch:
        rows = check(problems, workers=workers, progress=watch("checking"))
    console().print(check_table(rows))
    for sentence in promises_without_a_check(problems):
        typer.echo(sentence)
    gaps = unproven(problems)
    for gap in gaps:
        typer.echo(gap)
    wrong = sum(not row.ok for row in rows)
    typer.echo(f"{len(rows) - wrong} of {len(rows)} as expected{', but not all is proven: see above' if gaps else ''}")
    raise typer.Exit(1 if wrong else 0)


@app.command("intake")
def intake_command(
    source: Annotated[
        Path,
        typer.Argument(
            exists=True,
            help="A folder or zip with a folder, zip or notebook per student, or a course platform's download.",
        ),
    ],
    problem: Annotated[str, typer.Option(help="Problem id, e.g. vae.")],
    to: Annotated[Path, typer.Option(help="Folder for `autograder grade --submitted`.")],
    times: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="The platform's submission times: CSV with the columns student, time."
        ),
    ] = None,
    roster: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Canvas's exported gradebook; needed to name the students of files from Download Submissions.",
        ),
    ] = None,
    by: Annotated[str, typer.Option(help="The roster column with the student ids.")] = "",
) -> None:
    """Sorts submissions into the folders that `grade` reads.

    Writes <student>/<problem>/<problem>.ipynb for each student and prints what it had to change or skip. Exit status 1
    if a submission needs review: there is no usable notebook, it has another form than .ipynb, or two have different
    answers.
    """
    from autograder.course.problem import load_problem
    from autograder.export.roster import canvas_numbers, read_roster
    from autograder.submissions.intake import import_class
    from autograder.submissions.timestamps import read_times

    numbers = canvas_numbers(read_roster(roster, by), by) if roster else None
    taken = import_class(source, load_problem(problem), to, read_times(times) if times else None, numbers)
    for one in taken:
        for note in one.notes:
            typer.echo(f"{one.student}: {printable(note, 300)}")
        if one.ask_for:
            typer.echo(f"{one.student}: ask for {one.ask_for}")
    typer.echo(f"{counted(sum(bool(one.notebook) for one in taken), 'notebook')} in {to}", err=True)
    if review := [printable(one.student) for one in taken if one.needs_review]:
        typer.echo(f"{counted(len(review), 'submission')} to review: {listed(review, 10)}", err=True)
    raise typer.Exit(1 if review else 0)


@app.command("grade")
def grade_command(
    problem: Annotated[str, typer.Argument(help="Problem id, e.g. vae.")],
    submitted: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="Folder with <student>/<problem>/<problem>.ipynb.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for logs, feedback pages and grades.csv.")],
    workers: Workers = None,
    scheduler: Annotated[
        str, typer.Option(help="Grade on the workers of this Dask scheduler, e.g. tcp://10.0.0.5:8786.")
    ] = "",
    cache: Annotated[bool, typer.Option(help="Use cached results of earlier runs where nothing changed.")] = True,
    gradebook: Annotated[bool, typer.Option(help="Record the results in course/gradebook.db too.")] = True,
    yes: Annotated[bool, typer.Option("--yes", help="Overwrite earlier results without asking.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change for whom; write no results.")
    ] = False,
) -> None:
    """Grades one problem for all students in a folder.

    Ctrl-C stops it; the same command continues where it stopped. Where the folder has earlier results, it shows for
    whom which score goes up or down, and asks before it writes. Without a terminal it writes if no student loses
    points.
    """
    from autograder.batch.fault_files import FOLDER
    from autograder.batch.grade_folder import grade_folder
    from autograder.cli.changes import Question, overruled_lines
    from autograder.cli.progress import live_progress
    from autograder.cli.release import release_if_out_of_date
    from autograder.cli.tables import GradeLine, console, grades_table
    from autograder.core.results import Outcome

    with live_progress() as watch:
        question = Question(problem, yes=yes, dry_run=dry_run, paused=watch.paused)
        graded = grade_folder(
            problem,
            submitted,
            out,
            workers=workers,
            scheduler=scheduler,
            cache=cache,
            gradebook=gradebook,
            progress=watch(f"grading {problem}"),
            confirm=question,
            prepare=(lambda: release_if_out_of_date(problem)) if gradebook else None,
            dry_run=dry_run,
        )
    if question.is_refused:
        typer.echo("nothing was written", err=True)
        raise typer.Exit(1)
    if dry_run:
        before = "" if question.was_asked else "; there are no earlier results"
        typer.echo(f"{counted(len(graded), 'submission')} graded, nothing was written (--dry-run){before}")
        raise typer.Exit(0)
    console().print(grades_table(problem, [GradeLine(one.log, one.seconds) for one in graded]))
    from_cache = sum(one.log.has(FlagKind.CACHED) for one in graded)
    if from_cache:
        typer.echo(f"{from_cache} of {len(graded)} fully or partly from the cache; --no-cache grades all again")
    typer.echo(f"{out / 'grades.csv'}")
    typer.echo(f"autograder report --out {out}   # makes one page about the class")
    for line in overruled_lines(one.log for one in graded):
        typer.echo(line, err=True)
    failed = sum(one.log.outcome is Outcome.GRADER_ERROR for one in graded)
    if failed:
        typer.echo(
            f"The autograder failed on {counted(failed, 'submission')} (status grader_error): read the tracebacks in "
            f"{out / FOLDER}, then run the same command again.",
            err=True,
        )
    faults = {fault for one in graded for fault in one.log.test_faults}
    for fault in sorted(faults):
        typer.echo(f"{fault} It cost no student points; then run the same command again.", err=True)
    raise typer.Exit(1 if failed or faults else 0)


app.command("diff")(diff_command)
app.command("undo")(undo_command)
app.command("runs")(runs_command)


@app.command("grade-one")
def grade_one_command(
    notebook: Annotated[Path, typer.Argument(help="The submitted notebook.")],
    problem: Annotated[str, typer.Option(help="Problem id, e.g. vae.")],
    student: Annotated[str | None, typer.Option(help="Student id; taken from the notebook's log if not given.")] = None,
) -> None:
    """Grades one notebook and prints the graded log as JSON.

    Exit status 1 if the autograder itself failed on it, with the traceback on standard error, or if a test has an
    error of its own, which a flag names.
    """
    go_on_beside_host(problem)
    from autograder import grade
    from autograder.core.results import Outcome

    with _nothing_else_on_stdout():
        log = grade(problem, notebook, student=student)
    typer.echo(log.as_text(), nl=False)
    raise typer.Exit(1 if log.outcome is Outcome.GRADER_ERROR or log.test_faults else 0)


@app.command("verify")
def verify_command(
    logs: Annotated[
        list[Path], typer.Argument(metavar="LOG", help="Logs, or folders with <student>/<problem>/submission_log.json.")
    ],
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="File for the results as JSON.")] = None,
    misconceptions: Annotated[
        bool, typer.Option(help="Name the known misconception behind each wrong answer; takes extra time.")
    ] = True,
) -> None:
    """Checks logs that students wrote, without running their code.

    Compares the answers with the reference's on the same student's inputs, the code with the notebook beside the log,
    the measured numbers with their expected ranges, and the students with each other. Exit status 1 if a log needs
    review.
    """
    from autograder.cli.progress import live_progress
    from autograder.cli.tables import console, logs_table
    from autograder.core.results import Step
    from autograder.verify.result import write_results
    from autograder.verify.verify import verify

    with live_progress() as watch:
        watcher = watch("checking logs, in three steps each")
        results = verify(logs, misconceptions=misconceptions, progress=lambda done, total: watcher(Step(done, total)))
    console().print(logs_table(results))
    if out:
        write_results(results, out)
    fine = sum(one.ok for one in results)
    typer.echo(f"{len(results) - fine} of {counted(len(results), 'log')} to review")
    raise typer.Exit(0 if fine == len(results) else 1)


@app.command("report")
def report_command(
    out: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The folder that `grade` wrote to.")],
) -> None:
    """Writes report.html: the class's results, frequent errors, and submissions that need review.

    One page about all problems in the folder. It grades and runs nothing.
    """
    from autograder.report import report

    typer.echo(f"{report(out)}")


@app.command("query")
def query_command(
    sql: Annotated[str, typer.Argument(help="A question: SELECT item, avg(score) FROM items GROUP BY item")] = "",
    out: Annotated[Path, typer.Option(file_okay=False, help="The folder that `grade` wrote to.")] = Path("graded"),
    csv: Annotated[
        Path | None, typer.Option(dir_okay=False, allow_dash=True, help="File for the answer as CSV; - prints it.")
    ] = None,
    columns: Annotated[bool, typer.Option("--columns", help="Lists the tables and columns and ends.")] = False,
) -> None:
    """Answers a question about a graded class: its logs as tables, asked in SQL. Needs no database server."""
    from autograder.cli.tables import answer_table, columns_table, console
    from autograder.core.files import write_atomically
    from autograder.course.config import root_folder
    from autograder.export.csv_cells import cell_text, csv_text
    from autograder.gradebook.database import submission_times
    from autograder.report.query import TABLES, query

    if columns or not sql:
        console().print(columns_table(TABLES))
        return
    root = root_folder()
    answer = query(sql, out, root, lambda problem: submission_times(root, problem))
    for note in answer.notes:
        typer.echo(note, err=True)
    if csv is None:
        console().print(answer_table(answer.columns, answer.rows))
        typer.echo(counted(len(answer.rows), "row"))
        return
    text = csv_text([answer.columns, *(map(cell_text, row) for row in answer.rows)])
    if str(csv) == "-":
        typer.echo(text, nl=False)
    else:
        write_atomically(csv, text)
        typer.echo(f"{counted(len(answer.rows), 'row')} in {csv}")


@app.command("export")
def export_command(
    form: Annotated[Form, typer.Argument(help="Format of the file.")],
    to: Annotated[Path, typer.Option(dir_okay=False, help="The file to write.")],
    roster: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="The platform's list of students: Canvas's exported gradebook, "
            "Gradescope's roster, or a CSV file with ids or addresses.",
        ),
    ] = None,
    assignment: Annotated[
        list[str] | None,
        typer.Option(help="A homework or a problem; may be repeated. All with submissions if not given."),
    ] = None,
    per: Annotated[Per, typer.Option(help="Whether each homework or each problem gets a column.")] = Per.HOMEWORK,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=HEADING", help="Canvas: the column of a homework or problem if it has another name."),
    ] = None,
    by: Annotated[str, typer.Option(help="The only roster column to match students by.")] = "",
    unfinished: Annotated[
        Unfinished, typer.Option(help="What to do with grades that need manual grading.")
    ] = Unfinished.LEAVE,
    scale: Annotated[bool, typer.Option("--scale", help="Canvas: scale grades to the points in Canvas.")] = False,
    student: Annotated[list[str] | None, typer.Option(help="Export only this student; may be repeated.")] = None,
) -> None:
    """Exports grades from the gradebook to the course platform.

    Exit status 1 if a grade is not in the file: its student is not on the roster or fits several rows, or it needs
    manual grading. FILE.unmatched.csv lists all of them. FILE.comments.csv has what graders wrote: comments and rubric
    items.
    """
    from autograder.export.export import Request, columns_of, export

    request = Request(
        form,
        to,
        roster=roster,
        assignments=assignment or (),
        per=per,
        columns=columns_of(column or ()),
        by=by,
        unfinished=unfinished,
        scale=scale,
        students=student or (),
    )
    done = export(request)
    for message in done.messages():
        typer.echo(message, err=True)
    typer.echo(f"{counted(done.exported.written, 'grade')} in {done.path}")
    if done.beside.comments:
        typer.echo(f"comments and rubric items: {done.beside.comments}")
    if done.beside.unmatched:
        typer.echo(
            f"{len(done.exported.left_out)} left out, {len(done.exported.absent)} without a submission: "
            f"{done.beside.unmatched}"
        )
    raise typer.Exit(0 if done.complete else 1)


@app.command("feedback-zip")
def feedback_zip_command(
    problem: Annotated[str, typer.Argument(help="Problem id, e.g. vae.")],
    submitted: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="The folder that `intake` wrote; it has the names.")
    ],
    out: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The folder that `grade` wrote to.")],
    to: Annotated[Path, typer.Option(dir_okay=False, help="The zip to write.")],
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Include pages on which an item needs manual grading.")
    ] = False,
) -> None:
    """Makes a zip of the feedback pages for upload to the course platform.

    The files have the names of the platform's download, by which Canvas, Moodle and Brightspace find the students. Exit
    status 1 if a student who submitted is not in the zip; the command names them.
    """
    from autograder.report.feedback_zip import write_feedback_zip

    made = write_feedback_zip(problem, submitted, out, to, unfinished=unfinished)
    for note in made.notes:
        typer.echo(note, err=True)
    for student, why in made.left_out:
        typer.echo(f"left out: {printable(student)}: {why}", err=True)
    names = listed(made.platforms, 5) or "their folders"
    typer.echo(f"{counted(len(made.students), 'feedback page')} in {made.path}, under the names of {names}")
    if made.left_out or made.absent:
        typer.echo(f"{len(made.left_out)} left out, {len(made.absent)} submitted nothing")
    raise typer.Exit(1 if made.left_out else 0)


@app.command("bundle")
def bundle_command(
    out: Annotated[
        Path, typer.Option(file_okay=False, help="A new folder, an empty clone, or the folder of an earlier bundle.")
    ],
    problems: Problems = None,
    zip_to: Annotated[Path | None, typer.Option("--zip", dir_okay=False, help="A zip file for the same files.")] = None,
) -> None:
    """Writes the student release: notebooks, the package homework and the other files of the public repository.

    Fails if a line of a solution, hidden test or rubric would be in it, if a notebook differs from what its source
    releases now, or if a file in the folder is not from an earlier bundle.
    """
    from autograder.release.bundle import bundle

    done = bundle(out, problems or None, zip_to=zip_to)
    for name in done.removed:
        typer.echo(f"removed: {name}")
    typer.echo(f"{counted(len(done.files), 'file')} in {out}, {len(done.changed)} of them changed")


@app.command("gradescope")
def gradescope_command(
    problem: Annotated[str, typer.Argument(help="Problem id, e.g. vae.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="The zip to upload to Gradescope.")],
    minutes: Annotated[float, typer.Option(help="The assignment's time limit on Gradescope.")] = 10.0,
    log_alone: Annotated[
        str, typer.Option(help="A log without a notebook: verify its answers, or refuse it.", metavar="verify|refuse")
    ] = "verify",
    leaderboard: Annotated[
        str, typer.Option(help="Id of the metric in the students' logs to show on the leaderboard.")
    ] = "",
    lowest_first: Annotated[bool, typer.Option(help="Lower values are better on the leaderboard.")] = False,
    package: Annotated[
        list[str] | None, typer.Option(help="Another package for the image, as a pip requirement; may be repeated.")
    ] = None,
    try_with: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder for a solved and an untouched notebook, for Test Autograder."),
    ] = None,
) -> None:
    """Makes the zip that grades one problem on Gradescope.

    Prints which container to choose and which questions to add for manual grading.
    """
    from autograder.gradescope.build import advice, make_zip, write_submissions

    made = make_zip(
        problem,
        out,
        minutes=minutes,
        log_alone=log_alone,
        leaderboard=leaderboard,
        lowest_first=lowest_first,
        extra=package or (),
    )
    for line in advice(made):
        typer.echo(line)
    if try_with:
        solved, untouched = write_submissions(problem, try_with)
        typer.echo(f"  to test it with    {solved} (all points from tests), {untouched} (no points)")


@app.command("demo")
def demo_command(
    problems: Problems = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the run; course/demo if not given.")] = None,
    workers: Workers = None,
) -> None:
    """Releases all problems and grades a made-up class."""
    from autograder.cli.demo import demo
    from autograder.cli.progress import live_progress
    from autograder.cli.tables import console, grades_table

    os.environ.setdefault(ISOLATION_VARIABLE, ANY)  # the graded code comes from this repository, so no sandbox is fine
    with live_progress() as watch:
        results = demo(problems or (), out, workers=workers, progress=lambda problem: watch(f"grading {problem}"))
    screen = console()
    for result in results:
        screen.print(grades_table(result.problem, result.lines))
        for label in ("grades_csv", "submission_log", "feedback"):
            typer.echo(f"{label.replace('_', ' '):>16}  {getattr(result, label)}")
        for line in result.lines:
            for surprise in line.surprises or ():
                typer.echo(f"not as expected: {line.log.student}: {surprise}")
        typer.echo()
    for path in {result.report for result in results}:
        typer.echo(f"{'class report':>16}  {path}")
    students = sum(len(result.lines) for result in results)
    bad = sum(bool(line.surprises) for result in results for line in result.lines)
    typer.echo(f"{students - bad} of {students} submissions came out as expected")
    raise typer.Exit(1 if bad else 0)


@contextlib.contextmanager
def _nothing_else_on_stdout() -> Iterator[None]:
    """Sends whatever this process or its children print on standard output to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


if __name__ == "__main__":
    app()
