"""A real studio and a real browser before it: what tests do there is looked for in the run's folder."""

import json
import os
import re
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from tests.plots.browser import program
from tests.waiting import HANG, until

from treino.base.errors import TreinoError
from treino.folders.stored_run import StoredRun
from treino.training.stored_results import open_run
from treino_studio.page_messages import RunMessages

MESSAGES = TypeAdapter(RunMessages)


@contextmanager
def browser_process(browser: Any, folder: Path) -> Iterator[tuple[int, Any]]:
    """Another browser, in a group of processes of its own that signals can be sent to; -> the group's number,
    and the browser. folder: for its profile."""
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]
    line = [str(program()), *flags, f"--user-data-dir={folder}"]
    process = subprocess.Popen(
        line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    told = folder / "DevToolsActivePort"
    try:
        text = until(lambda: told.is_file() and told.read_text(), process)
        port, _, path = text.partition("\n")
        yield process.pid, browser.browser_type.connect_over_cdp(f"ws://127.0.0.1:{port}{path}")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(HANG)


@dataclass
class RealStudio:
    """A studio that serves, with its runs in ``runs``. said: what consoles complained of, and requests to
    other places."""

    process: "subprocess.Popen[str]"
    address: str
    runs: Path
    said: list[str] = field(default_factory=list)

    @property
    def site(self) -> str:
        return self.address.partition("?")[0]

    def open(self, browser: Any, path: str = "", **how: Any) -> Any:
        """A page in a context of its own; path: instead of what was named on the command line."""
        usual = {"locale": "en-US", "viewport": {"width": 1440, "height": 900}}
        return self.shown(browser.new_context(**usual | how).new_page(), path)

    def shown(self, page: Any, path: str = "") -> Any:
        """A page that goes to the studio."""
        page.set_default_timeout(1000 * HANG)
        page.on("console", lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda r: None if self._own(r.url) else self.said.append(r.url))
        page.on("websocket", self._listen)
        page.goto(self.address)
        if path:
            page.wait_for_url(lambda url: "/start" not in url)  # until its run exists
            page.goto(self.site + path)
        return page

    def _listen(self, socket: Any) -> None:
        """Note what a run's page gets that is not as the pages' types have it."""
        if "/socket/run/" in socket.url:
            socket.on("framereceived", self._heard)

    def _heard(self, text: str | bytes) -> None:
        message = json.loads(text) if isinstance(text, str) else {}
        if message.keys() & RunMessages.__annotations__.keys():
            try:
                MESSAGES.validate_python(message)
            except ValidationError as error:
                self.said.append(str(error))

    def _own(self, url: str) -> bool:
        return url.startswith((self.site, "blob:", self.site.replace("http", "ws", 1)))

    def run(self, name: str) -> StoredRun:
        """What the folder of a run holds now."""
        return open_run(self.runs / name, verify=False)

    def until(self, name: str, true: Callable[[StoredRun], Any]) -> StoredRun:
        """The run, once this holds of what its folder holds."""

        def held() -> StoredRun | None:
            with suppress(TreinoError):  # it is being written
                run = self.run(name)
                return run if true(run) else None
            return None

        return cast(StoredRun, until(held, self.process))


def commands(run: StoredRun) -> list[tuple[str, Any]]:
    """What was asked of its trainings and done, in its order."""
    return [(c.name, c.value) for c in run.folder.database.commands() if c.state == "applied"]


TREINO = (sys.executable, "-m", "treino")


@contextmanager
def real_studio(folder: Path, words: Sequence[str], program: Sequence[str] = TREINO) -> Iterator[RealStudio]:
    """``treino studio`` with these words in a folder, ended by Ctrl-C."""
    line = [*program, "studio", *words, "--no-browser", "--port", "0", "--json"]
    process = subprocess.Popen(line, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = json.loads(process.stdout.readline())["studio"]["address"]
        yield RealStudio(process, address, folder / "runs")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=HANG)


class Viewer:
    """A page that is open; its messages pass only while the test waits for the page. deaf: nothing that the
    studio says reaches it. frames: the numbers of those that have come; acknowledged: of those drawn."""

    def __init__(
        self,
        studio: RealStudio,
        browser: Any,
        run: str = "wine-1",
        query: str = "lang=en&theme=light",
        wheel: bool = True,
        **how: Any,
    ) -> None:
        self.studio, self.run, self.deaf = studio, run, False
        self.commands = list[dict[str, Any]]()
        self.frames, self.acknowledged = list[int](), list[int]()
        self.page = studio.open(browser, "home", **how)
        self.page.route_web_socket(re.compile("/socket/run/"), self._line)
        self.page.goto(f"{studio.site}run/{run}?{query}")
        self.page.wait_for_selector("main[data-frame]")
        if wheel:
            self.page.wait_for_selector("#branch:enabled")

    def _line(self, line: Any) -> None:
        server = line.connect_to_server()

        def say(text: str) -> None:
            message = json.loads(text)
            if "ack" in message:
                self.acknowledged.append(message["ack"])
            else:
                self.commands.append(message)
            server.send(text)

        def hear(message: str | bytes) -> None:
            if self.deaf:
                return
            if isinstance(message, bytes):
                (length,) = struct.unpack_from("<I", message)
                header = json.loads(message[4 : 4 + length])
                if "frame" in header:
                    self.frames.append(header["frame"])
            line.send(message)

        line.on_message(say)
        server.on_message(hear)
        self._ends = line, server

    def drop(self) -> None:
        """Cut the connection; the next one is heard."""
        self.deaf = False
        for end in self._ends:
            end.close(code=3012)

    def said(self, verb: str) -> list[dict[str, Any]]:
        """The commands with this verb, in their order."""
        return [each for each in self.commands if each["do"] == verb]

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def until(self, verb: str, count: int = 1) -> list[dict[str, Any]]:
        """So many commands with this verb, as soon as they are said."""
        self.wait(lambda: len(self.said(verb)) >= count)
        return self.said(verb)

    def wait(self, event: Callable[[], Any]) -> None:
        """Wait for an event while the page goes on."""
        until(event, self.studio.process, meanwhile=lambda: self.page.wait_for_timeout(10))


def viewers(studio: RealStudio, browser: Any, kind: type[Viewer] = Viewer) -> Iterator[Callable[..., Any]]:
    """Opens pages of runs; all are closed at the end, so that the next test steers."""
    opened: list[Viewer] = []

    def opening(*args: Any, **how: Any) -> Viewer:
        opened.append(kind(studio, browser, *args, **how))
        return opened[-1]

    yield opening
    for viewer in opened:
        viewer.page.context.close()
