"""The studio's application over a notebook's own channel, in place of a port.

It passes the page's messages to the application as ASGI events, as uvicorn does with the data of a port.
A message is an object with bytes beside it. ``view`` is a place where the page is shown, ``id`` one WebSocket
or request of it.

| from the page | |
|---|---|
| ``{"view", "do": "page"}`` | to send the page |
| ``{"view", "id", "do": "connect", "path"}`` | to open a WebSocket |
| ``{"view", "id", "do": "text", "text"}`` and ``"close"`` | a message on it, and its end |
| ``{"view", "id", "do": "request", "method", "path", "headers", "more"}`` | a request |
| ``{"view", "id", "do": "body", "more"}`` and bytes | a piece of its body |
| ``{"view", "do": "here"}`` and ``"gone"`` | the view is still there, or is there no more |

| to the page | |
|---|---|
| ``{"view", "is": "page"}`` and bytes | the page: gzip of HTML |
| ``{"view", "id", "is": "open"}`` and ``"closed"`` | a WebSocket's beginning and end |
| ``{"view", "id", "is": "text" or "bytes", "more"}`` and bytes | a piece of a message on it |
| ``{"view", "id", "is": "answer", "status", "headers", "more"}`` and bytes | a piece of an answer |
| ``{"view", "is": "alive", "n"}`` | every second: the message N of the view has arrived |

The messages of a view are numbered, in ``n``. The page learns from ``alive`` that the kernel lives, and from
its N that the kernel is busy: while a cell runs, the kernel sends but receives nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.types import ASGIApp

LOG = logging.getLogger("treino_studio")
RATE = 800_000  # bytes per second over all channels: above a million, Jupyter's server drops messages
PIECE = 1 << 18  # maximum bytes of one message
BEAT = 1.0  # seconds
SILENT = 180.0  # seconds after which a silent view is considered gone

Event = MutableMapping[str, Any]
Send = Callable[[Mapping[str, Any], list[bytes]], None]


@dataclass
class CellView:
    """One place where the page is shown. number: its last message's. heard: the time of that message."""

    name: str
    number: int = 0
    heard: float = 0.0
    connections: "dict[int, asyncio.Queue[Event]]" = field(default_factory=dict)


class NotebookChannel:
    """The views of one cell. send: sends a message to all of them. page: makes the page, gzip of HTML.

    All work happens in the running event loop.
    """

    _free = 0.0  # the time at which the next message of any channel may be sent

    def __init__(self, application: ASGIApp, send: Send, page: Callable[[], bytes]) -> None:
        self._application, self._send, self._page = application, send, page
        self._views: dict[str, CellView] = {}
        self._is_open = True
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, message: Mapping[str, Any], body: bytes = b"") -> None:
        """Take a message of the page."""
        name, verb, number = str(message["view"]), message["do"], int(message.get("id", 0))
        if verb == "gone":
            self._leave(self._views.pop(name, CellView(name)))
            return
        if not self._views:
            self._start(self._beat())
        view = self._views.setdefault(name, CellView(name))
        view.number = int(message["n"])
        view.heard = asyncio.get_running_loop().time()
        if verb == "page":
            self._start(self._say(view, {"is": "page"}, self._page()))
        elif verb in ("connect", "request"):
            connection = view.connections[number] = asyncio.Queue()
            connection.put_nowait(_event(message, b""))
            self._start(self._serve(view, number, _scope(message), connection))
        elif number in view.connections:
            view.connections[number].put_nowait(_event(message, body))
        elif verb == "text":  # the view was considered gone
            self._start(self._say(view, {"id": number, "is": "closed"}))

    def close(self) -> None:
        """End all views; nothing is sent any more."""
        self._is_open = False
        while self._views:
            self._leave(self._views.popitem()[1])

    def _leave(self, view: CellView) -> None:
        for connection in view.connections.values():
            connection.put_nowait({"type": "websocket.disconnect", "code": 1001})

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _beat(self) -> None:
        """Tell the views that the kernel lives, and close those that are silent."""
        while self._views:
            now = asyncio.get_running_loop().time()
            for view in list(self._views.values()):
                if now - view.heard > SILENT:
                    self._leave(self._views.pop(view.name))
                else:
                    self._send({"view": view.name, "is": "alive", "n": view.number}, [])
            await asyncio.sleep(BEAT)

    async def _serve(
        self, view: CellView, number: int, scope: dict[str, Any], connection: "asyncio.Queue[Event]"
    ) -> None:
        """Have the application serve a WebSocket or a request to its end."""
        head: dict[str, Any] = {"status": 500, "headers": {}}

        async def send(event: Event) -> None:
            kind = event["type"]
            if kind == "websocket.accept":
                await self._say(view, {"id": number, "is": "open"})
            elif kind == "websocket.send":
                text = event.get("text")
                what = "bytes" if text is None else "text"
                await self._say_all(
                    view, {"id": number, "is": what}, event["bytes"] if text is None else text.encode()
                )
            elif kind == "http.response.start":
                head["status"] = event["status"]
                head["headers"] = {k.decode("latin1"): v.decode("latin1") for k, v in event["headers"]}
            elif kind == "http.response.body":
                message = {"id": number, "is": "answer", **head}
                await self._say_all(view, message, event.get("body", b""), event.get("more_body", False))

        try:
            await self._application(scope, connection.get, send)
        except Exception:
            LOG.exception("%s %s", scope["type"], scope["path"])
        await self._say(view, {"id": number, "is": "closed"})
        view.connections.pop(number, None)

    async def _say_all(
        self, view: CellView, message: Mapping[str, Any], body: bytes, more: bool = False
    ) -> None:
        """Send a message in pieces. more: whether further bytes follow these."""
        for start in range(0, max(1, len(body)), PIECE):
            end = start + PIECE
            await self._say(view, {**message, "more": more or end < len(body)}, body[start:end])

    async def _say(self, view: CellView, message: Mapping[str, Any], body: bytes = b"") -> None:
        """Send a message to a view when the rate of all channels allows it."""
        now = asyncio.get_running_loop().time()
        wait = NotebookChannel._free - now
        NotebookChannel._free = max(NotebookChannel._free, now) + len(body) / RATE
        if wait > 0:
            await asyncio.sleep(wait)
        if self._is_open:
            self._send({"view": view.name, **message}, [body] if body else [])


def _scope(message: Mapping[str, Any]) -> dict[str, Any]:
    """The ASGI scope of a WebSocket or a request. Whoever has the kernel may steer."""
    address = urlsplit(str(message["path"]))
    headers = [(k.lower().encode(), v.encode()) for k, v in message.get("headers", {}).items()]
    scope = {
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "server": None,
        "client": None,
        "root_path": "",
        "path": unquote(address.path),
        "raw_path": address.path.encode(),
        "query_string": address.query.encode(),
        "headers": headers,
        "watches_only": False,
    }
    if message["do"] == "connect":
        return {"type": "websocket", "scheme": "ws", "subprotocols": [], **scope}
    return {"type": "http", "scheme": "http", "method": message["method"], **scope}


def _event(message: Mapping[str, Any], body: bytes) -> Event:
    """The ASGI event for a message."""
    verb = message["do"]
    if verb == "connect":
        return {"type": "websocket.connect"}
    if verb == "text":
        return {"type": "websocket.receive", "text": str(message["text"])}
    if verb == "close":
        return {"type": "websocket.disconnect", "code": 1000}
    return {"type": "http.request", "body": body, "more_body": bool(message["more"])}
