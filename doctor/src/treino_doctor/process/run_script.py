"""Run a script or a module as Python would, in this process, under the doctor."""

import asyncio
import importlib.util
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from inspect import CO_COROUTINE
from pathlib import Path
from time import perf_counter
from types import CodeType, TracebackType
from typing import Any

from treino_doctor.base.words import _
from treino_doctor.exam import Exam
from treino_doctor.finding import Finding
from treino_doctor.process.notebooks import ENDING, NAMES, print_error, read_notebook, unfit
from treino_doctor.process.workers import Workers, is_first, write
from treino_doctor.record import hooks
from treino_doctor.record.lines import UNSEEN, is_own, watch_file


@dataclass
class Outcome:
    """How an examined script ended.

    status: its own exit status. stopped: why the doctor ended it ("max_time", "max_steps"), or "". error: the
    name of the exception that ended it, or "". seconds: duration of the run. skipped: for a notebook, (cell,
    line) of each line that only Jupyter understands.
    """

    subject: str
    status: int = 0
    stopped: str = ""
    error: str = ""
    trained: bool = False
    seconds: float = 0.0
    skipped: list[tuple[int, str]] = field(default_factory=list)
    workers: int = 0  # other processes that trained and were examined
    others: int = 0  # other processes that the script started and that were not examined
    exam: Exam = field(default_factory=Exam)

    def take_over(self, workers: Workers) -> None:
        """Add what was recorded of other processes that trained."""
        accounts = [account for account in workers.accounts() if account.backwards]
        for account in accounts:
            self.exam.take_over(account)
        self.workers, self.others = len(accounts), workers.others
        self.trained = bool(self.exam.backwards or self.exam.steps)


Part = CodeType | Exception  # code, or why it isn't Python; a notebook has one for each statement
GRACE = 2.0  # seconds at max_time between raising Stop and ending the process
WATCHERS = [f"{Path(__file__).parents[1]}{os.sep}"]
"""Folders whose frames are left out of a script's traceback; programs that use this module add theirs."""


class Stop(BaseException):
    """Ends the script from inside; ``except Exception`` doesn't catch it."""


def run_script(
    target: str,
    arguments: Sequence[str] = (),
    *,
    module: bool = False,
    source: str | None = None,
    examine: bool = True,
    heed: bool = True,
    max_steps: int | None = None,
    max_time: float | None = None,
    live: Callable[[Finding], None] | None = None,
    report: Callable[[Outcome], None] = lambda outcome: None,
) -> Outcome:
    """Run ``python target arguments`` (``python -m target`` for a module) and examine it.

    Output, exit status, exceptions and random numbers are the script's own. examine: look for faults; if
    False, the script only runs and is reported. heed: omit findings that its comments silence. report:
    called once, as soon as the script has ended in any way, also before it kills its own process or SIGTERM
    ends it. max_time: if the script stays in one long call or catches the exception that should end it, the
    process itself is ended, with the report, ``GRACE`` seconds later.

    Raises:
        TreinoError: the file doesn't exist or isn't a Python file (rule ``script``).
    """
    global _owner
    outcome, once, _owner = Outcome(target), threading.Lock(), os.getpid()

    def on_step(steps: int) -> None:
        if max_steps is not None and steps >= max_steps:  # raised again if the script caught it
            outcome.stopped = outcome.stopped or "max_steps"
            raise Stop

    outcome.exam = exam = Exam(live=live, on_step=on_step if max_steps is not None else None, heed=heed)

    def finish(finished: bool) -> None:
        if os.getpid() == _owner and once.acquire(blocking=False):
            exam.stop(finished=finished, error=outcome.error)
            if workers.inside:
                write(workers.folder, exam)
                return
            outcome.take_over(workers)
            outcome.seconds = perf_counter() - started
            if first:  # rank 0 reports
                with suppress(OSError, ValueError):  # nobody is left to read the report
                    report(outcome)

    main, parts = _module_code(target) if module else _script_code(target, source, outcome)
    file = getattr(main, "__file__", None) or ""  # "" for a notebook
    workers = Workers(launcher=module and not is_own(file))
    if file:
        watch_file(file)
    first, started = is_first(), perf_counter()
    main_module = _as_main(main, target, arguments, module)
    runner: asyncio.Runner | None = None
    with ExitStack() as following, main_module, _own_death(finish) as leave:
        if examine and first:  # the other ranks do the same
            exam.start()
            following.enter_context(workers.followed())
        try:
            with _alarm(max_time, outcome, leave):
                for part in parts:
                    if isinstance(part, Exception):
                        raise part
                    if part.co_flags & CO_COROUTINE:  # a notebook's await outside of functions
                        runner = runner or following.enter_context(asyncio.Runner())
                        _await(runner, part, main.__dict__)
                    else:
                        exec(part, main.__dict__)
        except Stop:
            outcome.status = 0
        except SystemExit as left:
            outcome.status = _exit_status(left)
        except BaseException as error:
            outcome.status = 130 if isinstance(error, KeyboardInterrupt) else 1
            outcome.error = type(error).__name__
            _report_error(error, target, parts)
        finally:
            flush_streams()
            finish(outcome.status == 0 and not outcome.stopped)
    return outcome


def _await(runner: asyncio.Runner, code: CodeType, names: dict[str, Any]) -> None:
    """Run a statement that awaits. The frames of asyncio are left out of its tracebacks, as in Jupyter."""
    try:
        runner.run(eval(code, names))
    except BaseException as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code is not code:
            trace = trace.tb_next
        error.__traceback__ = trace
        raise


def _script_code(target: str, text: str | None, outcome: Outcome) -> tuple[types.ModuleType, list[Part]]:
    path = Path(target)
    if path.is_dir():
        raise unfit(_("{path} is a folder.").format(path=target), _("Name a Python file."))
    try:
        source = path.read_bytes() if text is None else text.encode()
    except OSError as error:
        message = _("{path} can't be read: {reason}.")
        reason = error.strerror or str(error)
        raise unfit(message.format(path=target, reason=reason), _("Check the path.")) from None
    if target.endswith(ENDING):
        notebook = read_notebook(target, source)
        watch_file(notebook.path)
        outcome.skipped = notebook.skipped
        main = types.ModuleType("__main__")
        main.__dict__.update(__builtins__=sys.modules["builtins"], **NAMES)
        return main, [*notebook.parts]
    if b"\0" in source:
        raise unfit(_("{path} is not a Python file.").format(path=target))
    full = str(path.absolute())
    main = types.ModuleType("__main__")
    main.__file__ = full
    main.__loader__ = SourceFileLoader("__main__", full)
    main.__dict__.update(__builtins__=sys.modules["builtins"], __cached__=None)
    if sys.version_info < (3, 14):
        main.__annotations__ = {}
    try:
        return main, [compile(source if text is None else text, full, "exec", dont_inherit=True)]
    except (SyntaxError, RecursionError, MemoryError) as error:  # the latter two: it is nested too deeply
        return main, [error]
    except ValueError as error:
        raise unfit(f"{target}: {error}") from None


def _module_code(target: str) -> tuple[types.ModuleType, list[Part]]:
    sys.path.insert(0, os.getcwd())
    try:
        spec = importlib.util.find_spec(target)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(target + ".__main__")
    except (ImportError, ValueError, AttributeError):
        spec = None
    finally:
        del sys.path[0]
    loader: Any = getattr(spec, "loader", None)
    if spec is None or not hasattr(loader, "get_code"):
        hint = _("Use the name that 'python -m' takes, from the folder that you would run it in.")
        raise unfit(_("There is no module named {name} to run.").format(name=target), hint)
    main = types.ModuleType("__main__")
    main.__file__, main.__spec__, main.__loader__ = spec.origin, spec, loader
    main.__package__ = spec.parent
    main.__dict__.update(__builtins__=sys.modules["builtins"], __cached__=spec.cached)
    try:
        code = loader.get_code(spec.name)
    except (SyntaxError, RecursionError, MemoryError) as error:
        return main, [error]
    if code is None:
        raise unfit(_("{name} has no code to run.").format(name=target))
    return main, [code]


@contextmanager
def _as_main(main: types.ModuleType, target: str, arguments: Sequence[str], module: bool) -> Iterator[None]:
    """Set ``__main__``, sys.argv and sys.path as Python would; for a notebook, also the working directory."""
    before = sys.modules["__main__"], sys.argv, sys.path[:]
    folder = os.getcwd() if target.endswith(ENDING) and not module else None
    sys.modules["__main__"] = main
    sys.argv = [(main.__file__ or target) if module else target, *arguments]
    place = os.getcwd() if module else str(Path(target).absolute().resolve().parent)
    sys.path[:1] = [place]
    if folder is not None:
        os.environ.setdefault("MPLBACKEND", "Agg")  # plt.show() would wait for a user
        os.chdir(place)
    try:
        yield
    finally:
        if folder is not None:
            os.chdir(folder)
        sys.modules["__main__"], sys.argv, sys.path[:] = before


def _exit_status(leave: SystemExit) -> int:
    code = leave.code
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    with suppress(OSError, ValueError, AttributeError):  # closed by the script, as in flush_streams
        sys.stderr.write(f"{code}\n")  # not print, which a script may redefine
    return 1


def _report_error(error: BaseException, target: str, parts: Sequence[Part]) -> None:
    """Print the script's exception as Python or Jupyter would, without the doctor's frames."""
    links = [error]
    for link in links:
        link.__traceback__ = None if link in parts else _own_frames(link.__traceback__)
        links += [e for e in (link.__cause__, link.__context__) if e is not None and e not in links]
    if target.endswith(ENDING) and sys.excepthook is sys.__excepthook__:
        print_error(error)
    else:
        sys.excepthook(type(error), error, error.__traceback__)


def _own_frames(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the doctor's and the studio's frames, as it would be without the doctor."""
    frames, rest = [], None
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    for one in reversed(frames):
        if not one.tb_frame.f_code.co_filename.startswith((*WATCHERS, UNSEEN)):
            one.tb_next, rest = rest, one
    return rest


def flush_streams() -> None:
    """Write out what the script has printed."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed by the script, or nobody reads the pipe
            stream.flush()


_owner = 0  # the process that runs the script
_handler: Callable[[int, Any], None] | None = None  # the handler of SIGTERM, while a script runs
_forking = threading.local()  # .before: the signals that this thread blocked before the fork


def _before_fork() -> None:
    """Block SIGTERM until Python runs in the child; a signal that came before would be lost."""
    if _handler is not None and signal.getsignal(signal.SIGTERM) is _handler:
        _forking.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _after_fork() -> None:
    if (before := vars(_forking).pop("before", None)) is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _in_child() -> None:
    """Let SIGTERM end the child as it does without the doctor, unless the child goes on as the script."""
    global _owner
    if hooks.continuing:
        _owner = os.getpid()
    elif "before" in vars(_forking):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork)
    hooks.in_child.append(_in_child)


@contextmanager
def _own_death(finish: Callable[[bool], None]) -> Iterator[Callable[[int], None]]:
    """Report before os._exit, os.abort, SIGTERM or a signal that the script sends itself ends the process.

    Yields a function that ends the process at once.
    """
    leave, abort, kill, started_in = os._exit, os.abort, os.kill, os.getpid()
    deadly = {signal.SIGABRT, getattr(signal, "SIGKILL", signal.SIGABRT)}

    def watched_exit(status: int) -> None:
        finish(status == 0 and os.getpid() != started_in)  # a forked child normally ends so
        flush_streams()
        leave(status)

    def watched_abort() -> None:
        finish(False)
        abort()

    def watched_kill(pid: int, number: int) -> None:
        if pid == os.getpid() and number in deadly and signal.getsignal(number) in (signal.SIG_DFL, None):
            finish(False)
        kill(pid, number)

    def told_to_end(number: int, frame: Any) -> None:
        finish(False)
        signal.signal(number, signal.SIG_DFL)
        kill(os.getpid(), number)

    global _handler
    before = None
    main = threading.current_thread() is threading.main_thread()
    if main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        before = signal.signal(signal.SIGTERM, told_to_end)
        _handler = told_to_end
    os._exit, os.abort, os.kill = watched_exit, watched_abort, watched_kill  # type: ignore[assignment]
    try:
        yield watched_exit
    finally:
        if os.getpid() == _owner:
            os._exit, os.abort, os.kill = leave, abort, kill
            if before is not None and signal.getsignal(signal.SIGTERM) is told_to_end:
                signal.signal(signal.SIGTERM, before)
            _handler = None


@contextmanager
def _alarm(seconds: float | None, outcome: Outcome, leave: Callable[[int], None]) -> Iterator[None]:
    """End the script after this many seconds, by an exception; if that fails, end the process."""
    if seconds is None:
        yield
        return

    def ring(number: int = 0, frame: Any = None) -> None:
        if not outcome.stopped:
            outcome.stopped = "max_time"
            raise Stop

    def end() -> None:
        if os.getpid() == _owner:
            outcome.stopped = "max_time"
            leave(0)

    before = None
    last = threading.Timer(seconds + GRACE, end)
    last.daemon = True
    last.start()
    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        last.cancel()
        if before is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
