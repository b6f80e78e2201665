"""Pass requests from pages to the worker and the trainer, and their messages back to the pages."""

import asyncio
import itertools
import logging
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal, TreinoError
from treino.base.words import N_, _, language
from treino_studio import messages
from treino_studio.forks import Forks
from treino_studio.guard import error_document
from treino_studio.hub import Page
from treino_studio.messages import notice
from treino_studio.process import PYTHON, StudioProcess
from treino_studio.uploads import folder_named

PAGE_GONE = Refusal(
    "The folder {name} is gone, or part of it is, or something else lies in its place.",
    "Put it back and load this page again.",
)
STUDIO_PROCESS = Refusal(
    "The {name} has ended before it answered.",
    "Its last words are in the terminal of the studio. Try again: another one is started.",
    status=1,
)
STUDIO_PROCESS_KEEPS_ENDING = Refusal(
    "The {name} ends as soon as it is started.",
    "Its last words are in the terminal of the studio; start the studio anew.",
    rule="studio_process",
    status=1,
)

LOG = logging.getLogger("treino_studio")
DEATHS, WITHIN = 3, 60.0  # a process that dies this often within these seconds is not restarted
FOLDED_AFTER = 60.0  # seconds without viewers after which a page is closed
OF_FOLDERS = "run", "sweep", "study"  # kinds of pages that the worker serves


@dataclass(frozen=True)
class Commands:
    """The commands that start the worker and the trainer."""

    worker: Sequence[str] = (*PYTHON, "treino_studio.worker")
    trainer: Sequence[str] = (*PYTHON, "treino_studio.trainer")


@dataclass(eq=False)
class Part:
    """The worker or the trainer, over all its restarts. about: its name for messages. waiting: unanswered
    requests, by number. deaths: the times of its last deaths."""

    name: str
    about: str
    command: Sequence[str]
    process: StudioProcess | None = None
    reading: "asyncio.Task[None] | None" = None
    waiting: "dict[int, asyncio.Future[tuple[messages.Reply, bytes]]]" = field(default_factory=dict)
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))


class Relay:
    """All pages of a studio by key (``run/wine-1``, ``home``), its worker and its trainer.

    folder: the folder of runs. logs: a folder for the processes' log files.
    """

    def __init__(self, folder: Path, logs: Path, commands: Commands | None = None) -> None:
        commands = commands or Commands()
        self.folder, self._logs = folder, logs
        self.pages: dict[str, Page] = {}
        self._open: set[str] = set()  # keys of the pages that are open in the worker
        self._worker = Part("worker", N_("process that draws the pages"), commands.worker)
        self._trainer = Part("trainer", N_("process that trains"), commands.trainer)
        self._forks = Forks()
        self._numbers = itertools.count(1)
        self._ending = False
        self._timers: dict[str, asyncio.TimerHandle] = {}

    # ---- processes

    async def start(self) -> None:
        """Start the worker, so that the first page needn't wait for it."""
        await self._started(self._worker)

    async def end(self, seconds: float) -> None:
        """End both processes; the trainer gets ``seconds`` to save its trainings."""
        self._ending = True
        for timer in self._timers.values():
            timer.cancel()
        parts = [part for part in (self._trainer, self._worker) if part.process is not None]
        if self._trainer.process is not None:
            self._trainer.process.send(messages.QuitRequest())
        ends = [part.process.end(seconds if part is self._trainer else 1.0) for part in parts if part.process]
        await asyncio.gather(*ends)
        await asyncio.gather(*(part.reading for part in parts if part.reading is not None))
        await self._forks.end()

    async def _started(self, part: Part) -> StudioProcess:
        """The running process; it is started if necessary.

        Raises:
            TreinoError: the process has died too often.
        """
        if part.process is None:
            now = time.monotonic()
            if self._ending or (len(part.deaths) == DEATHS and now - part.deaths[0] < WITHIN):
                raise STUDIO_PROCESS_KEEPS_ENDING(name=_(part.about))
            log = self._logs / f"{part.name}.log"
            process = await StudioProcess.start(part.command, log, self._forks)
            part.process = process
            part.reading = asyncio.create_task(self._read(part, process))
            if part is self._worker:
                for page in self.pages.values():
                    self._show(page)
        return part.process

    async def _read(self, part: Part, process: StudioProcess) -> None:
        """Handle the messages of a process until it ends; then restart it if it is the worker."""
        async for header, body in process.messages():
            try:
                await self._take(part, messages.SERVER.validate_python(header), body)
            except Exception:  # one wrong message must not end all pages
                LOG.exception("a message of the %s: %.200s", part.name, header)
        part.process = None
        if part is self._worker:
            self._open.clear()
        for future in part.waiting.values():
            if not future.done():
                future.set_exception(self._death(part))
        part.waiting.clear()
        if self._ending:
            return
        part.deaths.append(time.monotonic())
        LOG.error("the %s has ended with status %s:", part.name, process.status)
        for line in process.last_words():
            LOG.error("  %s", line)
        for page in self.pages.values():
            self.notify(page, self._death(part))
        if part is self._worker:
            with suppress(TreinoError, OSError):
                await self._started(part)

    def _death(self, part: Part) -> TreinoError:
        return STUDIO_PROCESS(name=_(part.about))

    def notify(self, page: Page, error: TreinoError) -> None:
        """Show an error on a page, in each viewer's language."""
        for spoken in page.languages:
            document = error_document(error, spoken)["error"]
            text = f"{document['message']} {document['hint']}".strip()
            page.put(notice(text), spoken)

    # ---- requests

    async def ask(self, request: messages.ProcessRequest) -> tuple[messages.Reply, bytes]:
        """Send a request to the worker or the trainer; return the answer and its body.

        Raises:
            TreinoError: the answer is an error, too many bytes wait for the process, or it has died.
        """
        part = self._trainer if isinstance(request, messages.TrainerRequest) else self._worker
        number = next(self._numbers)
        future: asyncio.Future[tuple[messages.Reply, bytes]] = asyncio.get_running_loop().create_future()
        process = await self._started(part)
        part.waiting[number] = future
        try:
            spoken = request.language or language()
            process.send(request.model_copy(update={"id": number, "language": spoken}))
            reply, body = await future
        finally:
            for each in (self._worker, self._trainer):
                each.waiting.pop(number, None)
        if reply.error is not None:
            raise reply.error.error
        return reply, body

    async def _take(self, part: Part, message: Any, body: bytes) -> None:
        """Handle one message of a process."""
        match message:
            case messages.Reply():
                future = part.waiting.get(message.reply)
                if future is not None and not future.done():
                    future.set_result((message, body))
            case messages.PassedRequest():
                await self.pass_on(message.trainer, body)
            case messages.TrainingFailed():
                worker, name = self._worker.process, message.failed.name
                for key in self._open & {f"{kind}/{name}" for kind in OF_FOLDERS}:
                    if worker is not None:  # it checks whether the folder still exists
                        worker.send(messages.FailedRequest(key=key, error=message.error))
            case messages.PageMessage() if (page := self.pages.get(message.key)) is not None:
                page.put(message.send, message.language)
                if message.gone:
                    self._open.discard(page.key)
                    page.end("deleted")
                    self.notify(page, PAGE_GONE(name=page.key.partition("/")[2]))
                if message.fan is not None:
                    page.put_picture(body)
                if message.frame is not None:
                    page.put_frame(message.frame, body)

    async def pass_on(self, request: messages.TrainerRequest, body: bytes = b"") -> None:
        """Pass a request on to the trainer, which answers the page instead of the worker that made it."""
        future = None if request.id is None else self._worker.waiting.pop(request.id, None)
        try:
            process = await self._started(self._trainer)
            if future is not None and request.id is not None:
                self._trainer.waiting[request.id] = future
            process.send(request, body)
        except TreinoError as error:
            if future is not None and not future.done():
                future.set_exception(error)

    # ---- pages

    def page(self, key: str) -> Page:
        """The page of this key; it is created if necessary."""
        return self.pages.setdefault(key, Page(key))

    def watched(self, page: Page) -> None:
        """Update the page after a viewer has connected or disconnected."""
        page.changed("state")
        self._show(page)
        if timer := self._timers.pop(page.key, None):
            timer.cancel()
        if not page.present:
            loop = asyncio.get_running_loop()
            self._timers[page.key] = loop.call_later(FOLDED_AFTER, self._fold, page)

    def _show(self, page: Page) -> None:
        """Tell the worker the page's number of viewers; open the page first if necessary."""
        process, number = self._worker.process, len(page.present)
        if process is None or page.key.split("/")[0] not in OF_FOLDERS:
            return
        with suppress(TreinoError):
            if page.key not in self._open:
                if not number:
                    return
                run = folder_named(page.key.partition("/")[2], self.folder)
                self._open.add(page.key)
                process.send(messages.OpenRequest(key=page.key, run=run))
            process.send(messages.WatchRequest(key=page.key, viewers=number, languages=page.languages))

    def _fold(self, page: Page) -> None:
        """Close a page of the worker that has no viewers any more, and discard its messages."""
        self._timers.pop(page.key, None)
        if not page.present and page.key in self._open:
            page.clear()
            self._open.discard(page.key)
            if self._worker.process is not None:
                with suppress(TreinoError):
                    self._worker.process.send(messages.CloseRequest(key=page.key))
