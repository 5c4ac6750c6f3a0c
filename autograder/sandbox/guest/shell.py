"""Runs a notebook's cells as Jupyter does: in IPython's own shell, without a front end, a terminal or history files.

A cell that raises ends there, as in Jupyter. But grading has no GPU, no Google Drive and no network, so a line may fail
here that ran on the student's machine. Therefore the statements below the failed one are tried once each, and only for
names that are not defined yet (`remaining_statements`).
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextlib
import getpass
import linecache
import os
import select
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from IPython.core.autocall import ExitAutocall
from IPython.core.compilerop import CachingCompiler
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.text import LSString, SList
from traitlets.config import Config

from homework.lazy_torch import when_imported

from .bounded_stream import Bounded
from .colab import offer_colab
from .errors import cell_file, describe
from .no_gpu import names_gpu
from .remaining_statements import names_changed, remaining_statements

OUTPUT_CHARACTERS = 20_000
"""Maximum characters kept of a cell's output."""
_COMMAND_BYTES = 200_000
"""Maximum bytes kept of a shell command's output."""
_POLL_SECONDS = 0.02
_MAX_ABSENT = 10
_TIMED = "<timed exec>"
"""The file name that `%%time` gives to the code below it."""
_RUNS_ITS_BODY = ("%%time", "%%capture", "%%prun")
"""Cell magics that run the Python code below them in the notebook's namespace."""


class CellEnd(SystemExit):
    """`exit()` or `quit()` was called in a cell; it ends the cell."""


class NoInputError(RuntimeError, EOFError):
    """`input()` was called; there is no keyboard where homework is graded."""


class Cell:
    """The cell that is running: its name, text, and the line on which Python code below a cell magic begins."""

    def __init__(self, name: str, source: str) -> None:
        self.file = cell_file(name)
        self.source = source
        lines = source.split("\n")
        blank = _blank_lines(source)
        is_magic = lines[blank].strip().split(" ")[0] in _RUNS_ITS_BODY
        self.magic_lines = blank + 1 if is_magic else 0
        """Number of lines up to its cell magic; 0 if none of those that run their body."""
        self.body = "\n".join(lines[self.magic_lines :])


def _blank_lines(source: str) -> int:
    """Number of blank lines at the start, which IPython removes; 0 if all lines are blank."""
    return next((n for n, line in enumerate(source.split("\n")) if line.strip()), 0)


class CellCompiler(CachingCompiler):
    """Compiles code under the name of the running cell, with the cell's own line numbers."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.cell = Cell("", "")

    def cache(self, *_: Any, **__: Any) -> str:
        """Makes the lines of the running cell known to tracebacks; returns its file name."""
        lines = self.cell.source.splitlines(keepends=True)
        linecache.cache[self.cell.file] = (len(self.cell.source), None, lines, self.cell.file)
        return self.cell.file

    def __call__(self, source: Any, filename: str, *args: Any, **kwargs: Any) -> Any:
        """Compiles like `compile`; code below `%%time` belongs to the cell."""
        if filename == _TIMED and self.cell.magic_lines:
            filename = self.cell.file
        return super().__call__(source, filename, *args, **kwargs)


class NotebookShell(InteractiveShell):
    """IPython's shell for one notebook; its namespace is the module `__main__`."""

    compiler_class = CellCompiler
    compile: CellCompiler
    kernel = types.SimpleNamespace()
    """Code asks whether the shell has this to see that it runs in Jupyter."""

    @classmethod
    def create(cls) -> NotebookShell:
        """A shell with an empty namespace, which becomes IPython's current shell."""
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        config.InteractiveShell.enable_tip = False
        module = types.ModuleType("__main__")
        module.__dict__["__builtins__"] = builtins
        cls.clear_instance()
        shell = cls.instance(config=config, user_module=module)
        assert isinstance(shell, cls)
        shell.db = {}
        assert shell.extension_manager is not None
        shell.extension_manager.load_extension("storemagic")  # as a kernel does
        for name in ("exit", "quit"):
            shell.user_ns[name] = _Exit()  # type: ignore[no-untyped-call]
        shell._warm_up()
        return shell

    def _warm_up(self) -> None:
        """Runs an empty statement, which loads what IPython loads at first use; nothing of it is kept."""
        self._usual_transformers = self._transformers()
        loop = asyncio.new_event_loop()
        loop.run_until_complete(self.run_cell_async("pass", transformed_cell=self.transform_cell("pass")))
        loop.close()

    def begin(self) -> None:
        """Prepares the process for a notebook: no keyboard, imports from the working folder, a kernel's arguments."""
        sys.argv = ["ipykernel_launcher.py", "-f", "kernel.json"]
        builtins.input = getpass.getpass = _no_input
        sys.path.insert(0, "")
        offer_colab(self._note_absence)
        self._loop = asyncio.new_event_loop()
        self._absent: list[list[Any]] = []
        self._is_redirected = False

    def run(self, source: str, name: str) -> dict[str, Any]:
        """Runs one cell.

        Args:
            source: the cell's text, with its magics.
            name: the cell's id; its frames have the file name `cell_file(name)` in tracebacks.

        Returns:
            `stdout`, `stderr`: cut to `OUTPUT_CHARACTERS`.
            `raised`: None, or `describe` of the first error.
            `lost`: names that the cell would have bound and that are not defined now; None if it could not be parsed.
            `tried`: how many statements below the one that failed were run.
            `absent`: what it asked of Colab that is missing here: line, function and reason of each call.
        """
        self.compile.cell = Cell(name, source)
        self._first_error: BaseException | None = None
        self._absent = []
        if not self._is_redirected and names_gpu(source):
            self._is_redirected = True
            when_imported(_redirect_to_cpu)
        out, err = Bounded(OUTPUT_CHARACTERS), Bounded(OUTPUT_CHARACTERS)
        raised: dict[str, Any] | None = None
        lost: list[str] | None = []
        tried = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                if self._loop.is_closed():
                    self._loop = asyncio.new_event_loop()
                lost, tried = self._loop.run_until_complete(self._run(source))
            except BaseException as error:  # the student's code may have stopped the loop
                self._note(error)
            if self._first_error is not None:
                raised = describe(self._first_error)
        return {
            "stdout": out.getvalue(),
            "stderr": err.getvalue(),
            "raised": raised,
            "lost": lost,
            "tried": tried,
            "absent": self._absent[:_MAX_ABSENT],
        }

    def serve(self, answer: Callable[[], None]) -> None:
        """Calls a function that calls the notebook's functions, inside a running event loop as in Jupyter."""

        async def inside() -> None:
            answer()

        asyncio.new_event_loop().run_until_complete(inside())

    async def _run(self, source: str) -> tuple[list[str] | None, int]:
        try:
            transformed, broken = self.transform_cell(source), None
        except Exception:
            transformed, broken = source, sys.exc_info()
        result = await self.run_cell_async(
            source, store_history=True, transformed_cell=transformed, preprocessing_exc_tuple=broken
        )
        await asyncio.sleep(0)  # starts the tasks that the cell created
        self._note(result.error_before_exec or result.error_in_exec)
        if self._first_error is None:
            return [], 0
        return await self._run_rest(self._first_error, transformed)

    async def _run_rest(self, error: BaseException, transformed: str) -> tuple[list[str] | None, int]:
        """Tries the statements below the failed one; returns the names that stay undefined and how many were run."""
        cell = self.compile.cell
        try:
            if cell.magic_lines:
                transformed = self.transform_cell(cell.body)
            statements = ast.parse(transformed, cell.file).body
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            return None, 0
        line = _line_of_cell(error, cell.file)
        before = dict(self.user_ns)
        failed, below = remaining_statements(statements, line)
        tried = 0
        bound = {name for statement in failed for name in names_changed(statement)[0]}
        for statement in below:
            binds, changes = names_changed(statement)
            bound |= binds
            if isinstance(error, SystemExit):  # the student ended the cell
                continue
            if (binds | changes) <= before.keys():  # nothing that was missing
                continue
            tried += 1
            result = ExecutionResult(None)
            with self.builtin_trap, self.display_trap:
                await self.run_ast_nodes(
                    [statement], cell.file, interactivity="none", compiler=self.compile, result=result
                )
            for name in binds & before.keys():
                self.user_ns[name] = before[name]
        lost = sorted(name[:200] for name in bound if name not in self.user_ns and name != "*")
        return lost[:100], tried

    def _note(self, error: BaseException | None) -> None:
        self._first_error = self._first_error or error

    def _note_absence(self, function: str, why: str) -> None:
        frame: types.FrameType | None = sys._getframe(1)
        line = 0
        while frame is not None and not line:
            line = frame.f_lineno if frame.f_code.co_filename == self.compile.cell.file else 0
            frame = frame.f_back
        self._absent.append([line, function, why])
        print(f"{function}: {why}")

    # --- what a front end would do ------------------------------------------------------------------------------------

    def transform_cell(self, raw_cell: str) -> str:
        """Transforms like IPython, but keeps the numbers of the lines: of the cell, and of the body of a magic.

        Plain Python stays as it is, also in IPython, which takes milliseconds to see it.
        """
        cell = self.compile.cell
        above = cell.magic_lines if cell.magic_lines and raw_cell.strip() == cell.body.strip() else 0
        if "\n" in raw_cell.strip() and self._transformers() == self._usual_transformers:
            with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                ast.parse(raw_cell)
                return "\n" * above + raw_cell
        return "\n" * (above + _blank_lines(raw_cell)) + str(super().transform_cell(raw_cell))  # type: ignore[no-untyped-call]

    def _transformers(self) -> list[Any]:
        """All transformers of a cell's text; a cell may have registered its own."""
        manager = self.input_transformer_manager
        return [
            *manager.cleanup_transforms,
            *manager.line_transforms,
            *manager.token_transformers,
            *self.input_transformers_post,
        ]

    def showtraceback(self, exc_tuple: Any = None, *_: Any, **__: Any) -> None:
        """Keeps the error of the cell instead of printing it; it is reported with the cell's result."""
        self._note(exc_tuple[1] if exc_tuple else sys.exc_info()[1])

    def showsyntaxerror(self, *_: Any, **__: Any) -> None:
        """Keeps the error of the cell."""
        self._note(sys.exc_info()[1])

    def _format_exception_for_storage(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {}

    def system(self, cmd: str) -> None:
        """Runs a shell command (`!cmd`) and prints its output."""
        output, status = _run_command(self.var_expand(cmd, depth=1))  # type: ignore[no-untyped-call]
        print(output, end="")
        self.user_ns["_exit_code"] = status

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:
        """Runs a shell command and returns its output (`x = !cmd`)."""
        output, self.user_ns["_exit_code"] = _run_command(self.var_expand(cmd, depth=depth + 1))  # type: ignore[no-untyped-call]
        return SList(output.splitlines()) if split else LSString(output)

    def enable_gui(self, gui: str | None = None) -> None:
        """Does nothing: there is no window; `%matplotlib inline` asks for one."""

    def atexit_operations(self) -> None:
        """Does nothing: no history is saved."""


NotebookShell.__name__ = "ZMQInteractiveShell"  # by which code recognises that it runs in Jupyter


class _Exit(ExitAutocall):
    """`exit` and `quit` of the notebook."""

    def __call__(self, *_: Any) -> None:
        raise CellEnd("exit() ended the cell")


def _redirect_to_cpu() -> None:
    from .cpu_only import redirect_to_cpu

    redirect_to_cpu()


def _no_input(*_: Any, **__: Any) -> str:
    raise NoInputError("input() was called, but there is no keyboard where homework is graded")


def _run_command(command: str) -> tuple[str, int]:
    """Runs a command in the shell; returns its output, cut to `_COMMAND_BYTES`, and its exit status.

    What the command left in the background (`python server.py &`) is not waited for.
    """
    try:
        process = subprocess.Popen(
            command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        return f"this command cannot be run while homework is graded: {error}\n", 127
    assert process.stdout is not None
    output = bytearray()
    with process.stdout as pipe:
        while True:
            has_ended = process.poll() is not None
            if select.select([pipe], [], [], 0 if has_ended else _POLL_SECONDS)[0]:
                part = os.read(pipe.fileno(), 2**16)
                if not part:
                    break
                output += part[: _COMMAND_BYTES - len(output)]
            elif has_ended:
                break
    return output.decode(errors="replace"), process.wait()


def _line_of_cell(error: BaseException, file: str) -> int:
    """The line of the cell's statement that raised; 0 if unknown. The frames of functions in the cell do not count."""
    line = 0
    for frame, number in _frames(error):
        if frame.f_code.co_filename == file and not frame.f_code.co_flags & 0x2:  # not CO_NEWLOCALS: not a function
            line = number
    return line


def _frames(error: BaseException) -> Iterator[tuple[types.FrameType, int]]:
    step = error.__traceback__
    while step is not None:
        yield step.tb_frame, step.tb_lineno
        step = step.tb_next
