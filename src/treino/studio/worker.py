"""The process that reads runs for the studio's pages: states, curves and frames from their folders.

It writes only commands to trainings, and the sign that somebody watches.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from treino.errors import TreinoError
from treino.store import RunFolder
from treino.studio import run_commands, sweep_page
from treino.studio.folder_page import identity, in_pieces
from treino.studio.process import Channel
from treino.studio.run_commands import TrainerRequest
from treino.studio.run_page import RunPage, Send
from treino.studio.sweep_page import StudyPage, SweepPage
from treino.words import VARIABLE, _, speaking

GLANCE = 0.002  # seconds between two looks at folders that are watched
REST = 0.25  # seconds, if nobody watches
SLICE = 0.03  # seconds of idle work at a time

Pages = RunPage | SweepPage | StudyPage
VERBS: Mapping[str, Mapping[str, Any]] = {
    "run": run_commands.VERBS,
    **sweep_page.VERBS,
}


class Worker:
    """All open pages, by their keys. channel: to the studio's server."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.pages: dict[str, Pages] = {}
        self._notices: dict[str, str] = {}  # the last notice of each page

    def run(self) -> None:
        """Serve until the server ends."""
        more = False
        while True:
            watching = any(page.viewers for page in self.pages.values())
            message = self.channel.receive(0.0 if more else GLANCE if watching else REST)
            if message is not None:
                self._obey(message[0])
                continue
            more = False
            for key in list(self.pages):
                more = self._show(key) or more

    def _show(self, key: str) -> bool:
        """Let a page send what is new; -> whether there is something to do for it that can wait."""
        page = self._page(key)
        try:
            return page is not None and not page.tick() and page.idle(SLICE)
        except TreinoError as error:
            self._trouble(key, error)
            return False

    def _page(self, key: str) -> Pages | None:
        """The page of that key. It is closed where its folder is gone, or something else lies in its place:
        another folder, or a link, which nobody has let in."""
        page = self.pages.get(key)
        if page is not None and (page.identity is None or identity(page.path) != page.identity):
            self._close(key)
            return None
        return page

    def _close(self, key: str) -> None:
        """Its folder is gone, which the server says."""
        del self.pages[key]
        self.channel.send({"key": key, "gone": True})

    def _trouble(self, key: str, error: TreinoError) -> None:
        """Say it on a page, once for as long as it lasts; where it is that the folder is being deleted, the
        page is closed instead."""
        if (page := self._page(key)) is None:
            return
        if in_pieces(page.path):
            self._close(key)
        else:
            self._notice(key, error)

    def _obey(self, request: dict[str, Any]) -> None:
        verb, key, number = request["do"], request.get("key", ""), request.get("id")
        try:
            with speaking(request.get("language")):
                self._do(verb, key, request, number)
        except TreinoError as error:
            if number is not None:
                self.channel.send({"reply": number, "error": error.document})
            else:
                (self._notice if verb == "open" else self._trouble)(key, error)
        except Exception:  # a defect of ours on one page must not end the others
            traceback.print_exc()
            if number is not None:
                self.channel.send({"reply": number, "error": defect()})

    def _do(self, verb: str, key: str, request: dict[str, Any], number: int | None) -> None:
        if verb == "open" and number is None:  # the page of a sweep has a verb of that name
            self._notices.pop(key, None)
            self.pages[key] = opened(key, Path(request["run"]), self.channel.send)
        elif verb == "close":
            self.pages.pop(key, None)
        elif verb == "failed":
            self._notices.pop(key, None)
            raise TreinoError(**request["error"])
        elif verb == "watch":
            if (page := self._page(key)) is not None:
                before, page.viewers = page.viewers, int(request["viewers"])
                languages = list(request.get("languages") or ["en"])
                if not before or languages != page.languages:
                    self._notices.pop(key, None)
                    page.languages = languages
                    page.open()
        elif verb == "take":
            threading.Thread(target=self._take, args=(request, number), daemon=True).start()
        elif (page := self._page(key)) is not None:
            self._answer(page, request, number)
        else:
            raise TreinoError("page_closed", _("This page is not open any more."), _("Load it again."))

    def _answer(self, page: Pages, request: dict[str, Any], number: int | None) -> None:
        answer = VERBS[page.key.partition("/")[0]][request["do"]](page, request)
        if isinstance(answer, TrainerRequest):
            language = request.get("language")
            self.channel.send({"trainer": {**answer.fields, "id": number, "language": language}})
        else:
            self.channel.send({"reply": number, **answer})

    def _take(self, request: Mapping[str, Any], number: int | None) -> None:
        """Have a process make a file, and answer with it."""
        command = [sys.executable, "-m", "treino.studio.take", request["run"], request["form"]]
        spoken = {**os.environ, VARIABLE: request.get("language") or "en"}
        made = subprocess.run(command, capture_output=True, env=spoken, check=False)
        head, _newline, body = made.stdout.partition(b"\n")
        if made.returncode or not head:
            sys.stderr.buffer.write(made.stderr)
            self.channel.send({"reply": number, "error": defect()})
        else:
            self.channel.send({"reply": number, **json.loads(head)}, body)

    def _notice(self, key: str, error: TreinoError) -> None:
        """Show an error on a page, once while it lasts."""
        text = f"{error.message} {error.hint}".strip()
        if self._notices.get(key) != text:
            self._notices[key] = text
            self.channel.send({"key": key, "send": {"notice": {"kind": "warning", "text": text}}})


def opened(key: str, path: Path, send: Send) -> Pages:
    """Open the page of that key, if the folder is of its kind.

    Raises:
        TreinoError: the folder is of another kind; or as the pages.
    """
    kind = key.partition("/")[0]
    if kind == "run":
        return RunPage(key, path, send)
    actual = RunFolder.open(path, verify=False).kind
    if actual != kind:
        raise TreinoError(
            "page_kind",
            _("{name} has another kind of page.").format(name=path.name),
            _("Open it at {address}").format(address=f"/{actual}/{path.name}"),
        )
    return (SweepPage if kind == "sweep" else StudyPage)(key, path, send)


def defect() -> dict[str, str]:
    """The error for a defect of treino, whose traceback is in the studio's terminal."""
    return {"rule": "studio_defect", "message": _("The studio failed here."), "hint": ""}


def main() -> None:
    """Serve the studio that started this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the studio's, which ends the channel
    os.nice(5)  # must not slow the training down
    torch.set_num_threads(1)  # several threads would wait for cores that a training uses
    try:
        Worker(Channel.of_child()).run()
    except (EOFError, BrokenPipeError):
        sys.exit(0)


if __name__ == "__main__":
    main()
