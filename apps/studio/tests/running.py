"""A studio on loopback with a fake worker, and viewers of it over real WebSockets."""

import asyncio
import http.client
import itertools
import json
import signal
import struct
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.waiting import HANG
from uvicorn.server import HANDLED_SIGNALS
from websockets.asyncio.client import ClientConnection, connect

from treino_studio.protocol import read_command
from treino_studio.relay import Commands
from treino_studio.serving import Serving, serving

FAKE = Path(__file__).parent / "fake_worker.py"


def command(do: str, **fields: Any) -> Any:
    """A command of a run's page, as the worker gets it."""
    return read_command("run", json.dumps({"id": 1, "do": do, **fields}))


@dataclass
class Bench:
    """A studio that serves, and what its processes were asked."""

    serving: Serving
    asked_file: Path

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.serving.port}"

    @property
    def cookie(self) -> str:
        return f"treino_{self.serving.port}={self.serving.guard.steer.cookie}"

    @property
    def watch_cookie(self) -> str:
        return f"treino_{self.serving.port}={self.serving.guard.watch.cookie}"

    def asked(self, do: str | None = None) -> list[dict[str, Any]]:
        """Every request to the processes so far, or those of one verb."""
        if not self.asked_file.is_file():
            return []
        found = [json.loads(line) for line in self.asked_file.read_text().splitlines()]
        return [each for each in found if do in (None, each["do"])]

    async def get(self, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> "Answered":
        """One request as a browser of ours makes it; a header of the value "" is left out."""
        own = {"Host": self.host, "Cookie": self.cookie} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }

        def ask() -> Answered:
            connection = http.client.HTTPConnection("127.0.0.1", self.serving.port, timeout=HANG)
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in own.items():
                if value:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            answered = Answered(response.status, found, response.read())
            connection.close()
            return answered

        return await asyncio.to_thread(ask)

    @asynccontextmanager
    async def socket(
        self, path: str = "/socket/run/run", cookie: str | None = None, **headers: str
    ) -> AsyncIterator[ClientConnection]:
        extra = {"Cookie": self.cookie if cookie is None else cookie} | headers
        async with connect(
            f"ws://{self.host}{path}",
            origin=None if "Origin" in headers else f"http://{self.host}",  # type: ignore[arg-type]
            additional_headers={k: v for k, v in extra.items() if v},
            compression=None,
            max_size=1 << 26,
            open_timeout=HANG,
            ping_timeout=HANG,
        ) as found:
            yield found

    @asynccontextmanager
    async def viewer(self, name: str = "viewer-1", **options: Any) -> AsyncIterator["Watcher"]:
        """A viewer that has said hello."""
        hello = {k: options.pop(k) for k in ("language", "protocol") if k in options}
        async with self.socket(**options) as socket:
            watcher = Watcher(socket)
            watcher.welcome = await watcher.ask("hello", protocol=1, viewer=name, **hello)
            yield watcher


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def rule(self) -> str:
        return str(self.document["error"]["rule"])


@dataclass
class Watcher:
    """One connection of a viewer. texts: what came that is no reply; frames: their headers."""

    socket: ClientConnection
    texts: list[dict[str, Any]] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    welcome: dict[str, Any] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def say(self, do: str, number: int | None = None, **fields: Any) -> int:
        number = next(self.numbers) if number is None else number
        await self.socket.send(json.dumps({"id": number, "do": do, **fields}))
        return number

    async def ask(self, do: str, number: int | None = None, **fields: Any) -> dict[str, Any]:
        """Say it and wait for the reply."""
        return await self.reply(await self.say(do, number, **fields))

    async def reply(self, number: int | None) -> dict[str, Any]:
        while not (found := [r for r in self.replies if r["reply"] == number]):
            await self.take()
        self.replies.remove(found[0])
        return found[0]

    async def take(self) -> None:
        """The next message."""
        message = await asyncio.wait_for(self.socket.recv(), HANG)
        if isinstance(message, bytes):
            (length,) = struct.unpack_from("<I", message)
            self.frames.append(json.loads(message[4 : 4 + length]))
            return
        document = json.loads(message)
        (self.replies if "reply" in document else self.texts).append(document)

    async def until(self, wanted: Callable[["Watcher"], Any]) -> None:
        """Take messages until it holds."""
        while not wanted(self):
            await self.take()

    def newest(self, kind: str) -> Any:
        return next((text[kind] for text in reversed(self.texts) if kind in text), None)

    async def acknowledge(self, frame: int) -> None:
        await self.socket.send(json.dumps({"ack": frame}))


Work = Callable[[Bench], Coroutine[Any, Any, None]]
Serve = Callable[[Work], None]


@asynccontextmanager
async def served(runs: Path, asked: Path, commands: Commands | None = None) -> AsyncIterator[Bench]:
    """A studio of the runs in a folder."""
    with serving(runs, port=0, commands=commands) as found:
        found.studio.start.set_result("/")
        server = asyncio.create_task(found.run())
        try:
            while not found.server.started:
                await asyncio.sleep(0.01)
            yield Bench(found, asked)
        finally:
            found.server.should_exit = True
            await server


def with_studio(folder: Path, work: Work, size: int = 64, seconds: float = HANG) -> None:
    """Serve a studio of the runs in a folder, with fakes of its processes, while ``work`` goes on."""
    asked = folder / "asked.jsonl"
    runs = folder / "runs"
    (runs / "run").mkdir(parents=True, exist_ok=True)
    fake = [[sys.executable, str(FAKE), name, str(asked), str(size)] for name in ("worker", "trainer")]

    async def main() -> None:
        async with served(runs, asked, Commands(*fake)) as bench:
            await asyncio.wait_for(work(bench), seconds)

    asyncio.run(main())


@contextmanager
def real_processes(runs: Path) -> Iterator[Serve]:
    """A studio with its own processes, which serves while a work goes on that it is given."""
    handlers = {number: signal.getsignal(number) for number in HANDLED_SIGNALS}  # which the server takes
    studio = served(runs, runs / "nothing")
    with asyncio.Runner() as runner:
        bench = runner.run(studio.__aenter__())
        try:
            yield lambda work: runner.run(asyncio.wait_for(work(bench), HANG))
        finally:
            runner.run(studio.__aexit__(None, None, None))
            for number, handler in handlers.items():
                signal.signal(number, handler)
