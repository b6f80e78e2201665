"""The studio as Python calls it, ``treino.studio("wine")`` or ``run.studio()``: in a cell or in a browser.

It lives in a thread with its own event loop, because a running cell keeps the kernel's loop busy.
"""

import asyncio
import atexit
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from starlette.applications import Starlette

from treino.base.console import kernel_shell
from treino.base.errors import Refusal
from treino.settings import read_settings
from treino_studio.browser import open_browser
from treino_studio.relay import Commands
from treino_studio.server import Studio, application
from treino_studio.serving import Serving, begun, serving, start_script, studio_of
from treino_studio.subject import Subject, subject_of

STUDIO_SETTING = Refusal(
    "{setting} is for data to train on, not for {what}.", "Leave it out; or train: {call}"
)
STUDIO_SUBJECT = Refusal(
    "The studio can't show an object of type {kind}.",
    "It takes a run, sweep or study, or the name of data, such as 'wine' or 'table.csv'.",
)
NO_ANYWIDGET = Refusal(
    "The studio in a notebook's cell needs anywidget, which is not installed.",
    "Install it, then restart the kernel: pip install 'treino[notebook]'",
)

T = TypeVar("T")
SECONDS = 4.0  # time for trainings to be saved at the end of this process
# a kernel is often killed: its trainings are saved then, too, and don't go on by themselves
COMMANDS = Commands(trainer=(*Commands().trainer, "--ends-with-studio"))


def studio(shown: Any = None, *, paused: bool = False, **settings: Any) -> Any:
    """Watch and steer one network while it trains: in a notebook's cell, elsewhere in a browser.

    shown: a ``Run``, ``Sweep`` or ``Study``, its name or path (it may be in progress); the name of data to
    train on, with ``settings`` as for ``fit``; a script; None: all runs in ``./runs``. paused: wait
    before the first step of a training on data.

    Raises:
        TreinoError: nothing of that name, with the rule that ``treino studio`` gives, or the training can't
            begin; in a notebook, also if anywidget is missing.
    """
    target = _target(shown)
    in_cell = _in_notebook()
    if in_cell:
        try:
            import anywidget  # noqa: F401
        except ImportError:
            raise NO_ANYWIDGET() from None
    subject = subject_of(target, settings)
    if settings and subject.data is None:
        raise STUDIO_SETTING(
            setting=next(iter(settings)), what=target or "runs", call='treino.studio("wine", lr=0.01)'
        )
    read_settings({k: v for k, v in settings.items() if (k, v) != ("lr", "auto")})
    if not in_cell:
        return _in_loop(_serve(subject, settings, paused))
    from treino_studio.notebook_cell import StudioCell

    app, address = _in_loop(_open(subject, settings, paused))
    cell = StudioCell(app, address, _loop().call_soon_threadsafe)
    _loop().call_soon_threadsafe(_ends.callback, cell.channel.close)
    return cell


def _target(shown: Any) -> str | None:
    """Return the object's name for a command line: its path, perhaps with a network's number."""
    if shown is None or isinstance(shown, (str, Path)):
        return None if shown is None else str(shown)
    path, row = getattr(shown, "path", None), getattr(shown, "row", None)
    if not isinstance(path, Path):
        raise STUDIO_SUBJECT(kind=type(shown).__name__)
    return str(path) if row is None else f"{path}:{row.number}"


def _in_notebook() -> bool:
    """Whether the caller is a cell of Jupyter, VS Code, Colab or marimo."""
    marimo = sys.modules.get("marimo")
    return kernel_shell() is not None or (marimo is not None and marimo.running_in_notebook())


# ---- the loop

_ends = AsyncExitStack()  # closed when this process ends


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """The loop of all studios of this process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="treino studio", daemon=True).start()
    atexit.register(_end)
    return loop


def _end() -> None:
    with suppress(RuntimeError):  # a script has already ended: no new thread can start, and none is needed
        _in_loop(_ends.aclose())


def _in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in the loop, and wait for its result; Ctrl-C ends the wait."""
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        raise


# ---- in a cell

_studios: dict[Path, tuple[Studio, Starlette]] = {}  # by their folders of runs


async def _open(subject: Subject, settings: dict[str, Any], paused: bool) -> tuple[Starlette, str]:
    """The application of the studio of the subject's folder, and the address of the subject's page."""
    folder = subject.folder.resolve()
    if subject.data is not None and Path(subject.data).exists():  # the trainer may be in another folder
        subject = replace(subject, data=str(Path(subject.data).resolve()))
    if subject.script is not None or folder not in _studios:
        studio = _ends.enter_context(studio_of(folder, COMMANDS))
        studio.end_seconds = SECONDS
        app = application(studio)
        await _ends.enter_async_context(app.router.lifespan_context(app))
        if subject.script is not None:
            atexit.register(start_script(studio, subject.script).close)
            return app, subject.address
        _studios[folder] = studio, app
    studio, app = _studios[folder]
    return app, await begun(studio.relay, subject, settings, paused)


# ---- in a browser


class StudioServer:
    """A studio that listens at a port of this machine until this process ends. address: for a browser."""

    def __init__(self, serving: Serving, close: Callable[[], object]) -> None:
        self.address, self._close = serving.address, close

    def close(self) -> None:
        """End the studio and save its trainings. Further calls do nothing."""
        self._close()

    def __repr__(self) -> str:
        return f"StudioServer({self.address.partition('?')[0]!r})"


async def _serve(subject: Subject, settings: dict[str, Any], paused: bool) -> StudioServer:
    """Serve the subject's page, and open a browser on it."""
    stack = AsyncExitStack()
    serves = stack.enter_context(serving(subject.folder.resolve(), commands=COMMANDS))
    serves.studio.end_seconds = SECONDS
    task = asyncio.create_task(serves.run())

    async def end() -> None:
        serves.server.should_exit = True
        await task
        await stack.aclose()

    _ends.push_async_callback(end)
    try:
        if subject.script is not None:
            atexit.register(start_script(serves.studio, subject.script).close)
        serves.studio.start.set_result(await begun(serves.studio.relay, subject, settings, paused))
    except BaseException:
        await end()
        raise
    open_browser(serves.browser_address)
    return StudioServer(serves, lambda: _in_loop(end()))
