"""The process that serves the studio's pages with states, curves and frames, read from the runs' folders.

Into the folders it writes only commands to trainings, and the signal that a training has viewers.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from treino.base.errors import Refusal, TreinoError
from treino.base.words import VARIABLE, _, speaking
from treino.folders import RunFolder
from treino_studio import messages, run_commands, sweep_page
from treino_studio.folder_page import Send, identity, in_pieces
from treino_studio.messages import notice
from treino_studio.process import Channel
from treino_studio.run_page import RunPage
from treino_studio.sweep_page import StudyPage, SweepPage

PAGE_KIND = Refusal("{name} has another kind of page.", "Open it at {address}")
PAGE_CLOSED = Refusal("This page is not open any more.", "Load it again.")

GLANCE = 0.002  # seconds between two checks of the folders while pages have viewers
REST = 0.25  # the same without viewers
SLICE = 0.03  # seconds of idle work between two checks

Pages = RunPage | SweepPage | StudyPage
VERBS: Mapping[str, Mapping[str, Any]] = {
    "run": run_commands.VERBS,
    **sweep_page.VERBS,
}


class Worker:
    """All open pages by key. channel: the channel to the studio's server."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.pages: dict[str, Pages] = {}
        self._notices: dict[str, str] = {}  # the last notice of each page
        self._later = deque[dict[str, Any]]()  # requests that came while one was carried out

    def run(self) -> None:
        """Serve until the server ends."""
        more = False
        while True:
            watching = any(page.viewers for page in self.pages.values())
            if not self._later:
                message = self.channel.receive(0.0 if more else GLANCE if watching else REST)
                self._later.extend([] if message is None else [message[0]])
            if self._later:
                self._obey(self._later.popleft())
                continue
            more = False
            for key in list(self.pages):
                more = self._show(key) or more

    def _looks_elsewhere(self, key: str) -> bool:
        """Whether a newer look at the page waits to be answered."""
        while (message := self.channel.receive(0.0)) is not None:
            self._later.append(message[0])
        return any(
            each.get("key") == key and each.get("command", {}).get("do") == "look" for each in self._later
        )

    def _show(self, key: str) -> bool:
        """Let a page send its changes or, without any, do idle work; return whether idle work is left."""
        page = self._page(key)
        try:
            return page is not None and not page.tick() and page.idle(SLICE)
        except TreinoError as error:
            self._trouble(key, error)
            return False

    def _page(self, key: str) -> Pages | None:
        """The page of this key, or None. The page is closed if its folder is gone, or if another folder or a
        link lies in its place, which nobody has admitted."""
        page = self.pages.get(key)
        if page is not None and (page.identity is None or identity(page.path) != page.identity):
            self._close(key)
            return None
        return page

    def _close(self, key: str) -> None:
        """Close a page whose folder is gone, and tell the server, which tells the viewers."""
        del self.pages[key]
        self.channel.send(messages.PageMessage(key=key, gone=True))

    def _trouble(self, key: str, error: TreinoError) -> None:
        """Show an error on a page, as ``_notice``; if the folder is being deleted, close the page instead."""
        if (page := self._page(key)) is None:
            return
        if in_pieces(page.path):
            self._close(key)
        else:
            self._notice(key, error)

    def _obey(self, header: dict[str, Any]) -> None:
        """Carry out a request of the server, and answer it if it has a number."""
        number, key = header.get("id"), str(header.get("key"))
        try:
            request = messages.WORKER.read(header)
            with speaking(request.language):
                self._do(request)
        except TreinoError as error:
            if number is not None:
                self._reply(number, error)
            else:
                (self._trouble if key in self.pages else self._notice)(key, error)
        except (EOFError, BrokenPipeError):  # the server has ended
            raise
        except Exception:  # a defect on one page must not end the other pages
            traceback.print_exc()
            self._reply(number, defect())

    def _do(self, request: messages.AnyWorkerRequest) -> None:
        key = request.key
        match request:
            case messages.OpenRequest():
                self._notices.pop(key, None)
                made = self.pages[key] = opened(key, request.run, self.channel.send)
                if isinstance(made, RunPage):
                    made.looks_elsewhere = partial(self._looks_elsewhere, key)
            case messages.CloseRequest():
                self.pages.pop(key, None)
            case messages.FailedRequest():
                self._notices.pop(key, None)
                raise request.error.error
            case messages.WatchRequest():
                if (page := self._page(key)) is not None:
                    before, page.viewers = page.viewers, request.viewers
                    languages = request.languages or ["en"]
                    if not before or languages != page.languages:
                        self._notices.pop(key, None)
                        page.languages = languages
                        page.open()
            case messages.TakeRequest():
                threading.Thread(target=self._take, args=(request,), daemon=True).start()
            case messages.CommandRequest():
                if (page := self._page(key)) is None:
                    raise PAGE_CLOSED()
                self._answer(page, request)

    def _answer(self, page: Pages, request: messages.CommandRequest) -> None:
        obey = VERBS[page.key.partition("/")[0]][request.command.do]
        answer = obey(page, request.command)
        if isinstance(answer, messages.TrainerRequest):
            passed: Any = answer.model_copy(update={"id": request.id, "language": request.language})
            self.channel.send(messages.PassedRequest(trainer=passed), answer.state)
        else:
            self._reply(request.id, content=answer)

    def _reply(self, number: int | None, error: TreinoError | None = None, **answer: Any) -> None:
        """Answer a request, if it has a number."""
        if number is not None:
            failure = None if error is None else messages.ErrorMessage.of(error)
            self.channel.send(messages.Reply(reply=number, error=failure, **answer))

    def _take(self, request: messages.TakeRequest) -> None:
        """Make a file in another process, whose page is told how far it is, and answer with the file."""
        words = [str(request.run), request.form, request.key, str(request.id)]
        command = [sys.executable, "-m", "treino_studio.take", *words]
        spoken = {**os.environ, VARIABLE: request.language or "en"}
        message = None
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=spoken) as process:
            assert process.stdout is not None
            for line in process.stdout:
                message = messages.SERVER.validate_python(json.loads(line))
                if isinstance(message, messages.Reply):
                    break
                self.channel.send(message)
            body = process.stdout.read()
        if process.returncode or not isinstance(message, messages.Reply):
            self._reply(request.id, defect())
        else:
            self.channel.send(message, body)

    def _notice(self, key: str, error: TreinoError) -> None:
        """Show an error on a page, unless it is the last one that was shown there."""
        text = f"{error.message} {error.hint}".strip()
        if self._notices.get(key) != text:
            self._notices[key] = text
            self.channel.send(messages.PageMessage(key=key, send=notice(text)))


def opened(key: str, path: Path, send: Send) -> Pages:
    """Open the page of this key for the folder in ``path``.

    Raises:
        TreinoError: the folder is of another kind than the page, or as the classes of pages.
    """
    kind = key.partition("/")[0]
    if kind == "run":
        return RunPage(key, path, send)
    actual = RunFolder.open(path, verify=False).kind
    if actual != kind:
        raise PAGE_KIND(name=path.name, address=f"/{actual}/{path.name}")
    return (SweepPage if kind == "sweep" else StudyPage)(key, path, send)


def defect() -> TreinoError:
    """The error for a defect of treino; the traceback is in the studio's terminal."""
    return TreinoError("studio_defect", _("The studio failed here."), status=1)


def main() -> None:
    """Serve the studio that started this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the server, which then ends the channel
    os.nice(5)  # so that trainings aren't slowed down
    torch.set_num_threads(1)  # more threads would wait for cores that trainings use
    try:
        Worker(Channel.of_child()).run()
    except (EOFError, BrokenPipeError):
        sys.exit(0)


if __name__ == "__main__":
    main()
