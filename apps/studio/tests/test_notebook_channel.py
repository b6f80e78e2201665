"""The channel of a notebook's cell carries an application as a port would: an echo, through it and back."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from tests.waiting import HANG

from treino_studio import notebook_channel
from treino_studio.notebook_channel import PIECE, NotebookChannel


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        if text == "break":
            raise ValueError("broken")
        await (socket.send_bytes(text[1:].encode()) if text.startswith("b") else socket.send_text(text))


async def _back(request: Request) -> Response:
    body = await request.body()
    head = {
        "x-name": request.path_params["name"],
        "x-query": request.url.query,
        "x-said": request.headers["x-said"],
    }
    return Response(body[::-1], 418, headers=head, media_type="text/plain")


@pytest.fixture(autouse=True, scope="module")
def _at_once() -> Iterator[None]:
    """Without a rate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notebook_channel, "RATE", 1e15)
        yield


ECHO = Starlette(
    routes=[WebSocketRoute("/echo/{name}", _socket), Route("/back/{name}", _back, methods=["GET", "POST"])]
)


class Notebook:
    """The page's end of a channel. told: what came, its pieces joined, by view."""

    def __init__(self) -> None:
        self.channel = NotebookChannel(ECHO, self._take, lambda: b"the page")
        self.told: dict[str, list[tuple[dict[str, Any], bytes]]] = {}
        self._pieces: dict[tuple[str, Any], bytes] = {}
        self._news = asyncio.Event()
        self._number = 0

    def say(self, view: str, body: bytes = b"", **message: Any) -> None:
        self._number += 1
        self.channel.take(json.loads(json.dumps({"view": view, "n": self._number, **message})), body)

    def _take(self, message: Mapping[str, Any], buffers: list[bytes]) -> None:
        message = dict(json.loads(json.dumps(message)))
        view, key = message.pop("view"), (message.get("id"), message["is"])
        assert all(len(each) <= PIECE for each in buffers)
        whole = self._pieces.pop((view, key), b"") + b"".join(buffers)
        if message.pop("more", False):
            self._pieces[view, key] = whole
            return
        self.told.setdefault(view, []).append((message, whole))
        self._news.set()

    async def until(self, view: str, **fields: Any) -> tuple[dict[str, Any], bytes]:
        """The first message of a view with these fields; it is taken out of what was told."""
        while True:
            for each in self.told.get(view, []):
                if fields.items() <= each[0].items():
                    self.told[view].remove(each)
                    return each
            self._news.clear()
            await self._news.wait()


def run(talk: Callable[[Notebook], Awaitable[None]]) -> None:
    async def main() -> None:
        notebook = Notebook()
        await asyncio.wait_for(talk(notebook), HANG)
        notebook.channel.close()

    asyncio.run(main())


TEXTS = st.text(max_size=20) | st.integers(PIECE - 2, PIECE + 2).map(lambda n: "é" * (n // 2) + "x" * (n % 2))


@given(texts=st.lists(TEXTS.filter(lambda text: text != "break"), max_size=3))
@settings(max_examples=20, deadline=None)
def test_texts_and_bytes_come_back_whole_and_in_order(texts: list[str]) -> None:
    async def talk(notebook: Notebook) -> None:
        notebook.say("v", id=1, do="connect", path="/echo/a%20b")
        await notebook.until("v", id=1, **{"is": "open"})
        for text in texts:
            notebook.say("v", id=1, do="text", text=text)
        for text in texts:
            message, data = await notebook.until("v", id=1)
            binary = text.startswith("b")
            assert (message["is"], data.decode()) == (
                ("bytes", text[1:]) if binary else ("text", text)
            )  # fmt: skip
        notebook.say("v", id=1, do="close")
        await notebook.until("v", id=1, **{"is": "closed"})

    run(talk)


@given(body=st.binary(max_size=20) | st.integers(PIECE - 1, 2 * PIECE + 1).map(bytes))
@settings(max_examples=20, deadline=None)
def test_a_request_and_its_answer_come_whole(body: bytes) -> None:
    async def talk(notebook: Notebook) -> None:
        begin = {"do": "request", "method": "POST", "path": "/back/a%20b?c=d", "headers": {"X-Said": "yes"}}
        notebook.say("v", id=2, more=True, **begin)
        for start in range(0, max(1, len(body)), 1000):
            notebook.say("v", body[start : start + 1000], id=2, do="body", more=start + 1000 < len(body))
        message, data = await notebook.until("v", id=2)
        assert (message["is"], message["status"], data) == ("answer", 418, body[::-1])
        said = {name: message["headers"][name] for name in ("x-name", "x-query", "x-said")}
        assert said == {"x-name": "a b", "x-query": "c=d", "x-said": "yes"}
        assert message["headers"]["content-type"] == "text/plain; charset=utf-8"

    run(talk)


def test_each_view_has_its_own_messages_and_a_defect_ends_one_connection_alone(caplog: Any) -> None:
    async def talk(notebook: Notebook) -> None:
        notebook.say("a", do="page")
        assert (await notebook.until("a", **{"is": "page"}))[1] == b"the page"
        for view in "ab":
            notebook.say(view, id=1, do="connect", path="/echo/x")
            await notebook.until(view, id=1, **{"is": "open"})
        notebook.say("a", id=1, do="text", text="break")
        await notebook.until("a", id=1, **{"is": "closed"})
        notebook.say("b", id=1, do="text", text="still here")
        assert (await notebook.until("b", id=1))[1] == b"still here"
        notebook.say("a", id=1, do="text", text="to nobody")
        await notebook.until("a", id=1, **{"is": "closed"})

    run(talk)
    assert "broken" in caplog.text


def test_a_beat_tells_what_has_arrived_and_who_is_silent_is_left(monkeypatch: Any) -> None:
    monkeypatch.setattr(notebook_channel, "BEAT", 0.001)

    async def talk(notebook: Notebook) -> None:
        notebook.say("v", id=1, do="connect", path="/echo/x")
        await notebook.until("v", id=1, **{"is": "open"})
        await notebook.until("v", **{"is": "alive", "n": 1})
        notebook.say("v", do="here")
        await notebook.until("v", **{"is": "alive", "n": 2})
        monkeypatch.setattr(notebook_channel, "SILENT", 0.0)
        await notebook.until("v", id=1, **{"is": "closed"})
        monkeypatch.setattr(notebook_channel, "SILENT", HANG)
        notebook.say("v", do="here")  # it comes back
        await notebook.until("v", **{"is": "alive", "n": 3})

    run(talk)
