"""One WebSocket of a page: hello, then commands in and messages out, until either end leaves."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from treino.errors import TreinoError
from treino.store.encoding import compact_json
from treino.studio import protocol
from treino.studio.guard import error_document
from treino.studio.hub import Page, Viewer, watch_only
from treino.studio.protocol import Acknowledgement, HelloCommand, StudioCommand, TrainCommand
from treino.studio.relay import OF_FOLDERS, Relay
from treino.studio.script_page import ScriptPage
from treino.studio.uploads import Uploads, document_of, folder_named
from treino.words import _

# ---- the state that all addresses of a studio share: pages and processes, data, the first page


@dataclass(eq=False)
class Studio:
    """One studio. start: the address of the command line's target, once it is known.

    end_seconds: for the trainer to save its trainings at the end. script: the page of the script, if the
    target is one.
    """

    relay: Relay
    uploads: Uploads
    start: "asyncio.Future[str]"
    end_seconds: float = 30.0
    script: ScriptPage | None = None
    _builtins: list[dict[str, Any]] | None = None

    async def builtins(self) -> list[dict[str, Any]]:
        """The built-in data sets, read once."""
        if self._builtins is None:
            self._builtins = (await document_of("data"))["builtins"]
        return self._builtins

    async def data(self, name: str) -> str:
        """The data that a page names: a built-in, or the path of an uploaded table.

        Raises:
            TreinoError: it is neither, as a page can't name a file.
        """
        uploaded = self.uploads.path(name)
        if uploaded is not None:
            return str(uploaded)
        if name in [each["name"] for each in await self.builtins()]:
            return name
        raise TreinoError(
            "data_missing",
            _("There is no data set {name}.").format(name=name[:60]),
            _("Send a table first, or choose one of those that are listed."),
        )


# ---- one WebSocket of a page: hello, then commands in and messages out, until either end leaves

HELLO_SECONDS = 30.0  # for the first message of a connection
UNSTEERED = ("explain",)  # verbs for viewers that don't steer
UNWELCOME, REPLACED = 1008, 4000  # codes of a closed WebSocket
REASONS = {
    "run_missing": 4404,
    "no_address": 4404,
    "no_script": 4404,
    "protocol_version": 4426,
}  # closing codes by an error's rule
_tasks: set[asyncio.Task[None]] = set()  # commands in progress, also of viewers that are gone


async def serve_socket(studio: Studio, socket: WebSocket) -> None:
    """Serve a connection to its end."""
    kind, name = socket.path_params["kind"], socket.path_params.get("name")
    await socket.accept()
    try:
        hello = await asyncio.wait_for(_hello(studio, socket, kind, name), HELLO_SECONDS)
    except (TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
        hello = UNWELCOME
    if isinstance(hello, int):
        with suppress(RuntimeError, OSError, WebSocketDisconnect):
            await socket.close(hello)
        return
    page = studio.relay.page(kind if name is None else f"{kind}/{name}")
    viewer = page.enter(hello.viewer, hello.language, socket.scope["watches_only"])
    number = viewer.connect()
    viewer.say(_welcome(page, viewer, hello))
    studio.relay.watched(page)
    try:
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(_send(socket, page, viewer, number))
            await _receive(studio, socket, page, viewer)
            sending.cancel()
    except* (WebSocketDisconnect, RuntimeError, OSError):
        pass  # the connection is lost
    finally:
        viewer.disconnect(number)
        studio.relay.watched(page)


async def _hello(studio: Studio, socket: WebSocket, kind: str, name: str | None) -> HelloCommand | int:
    """The first message; if it is refused, send the error and return a code to close with."""
    number, language = None, None
    try:
        text = (await socket.receive()).get("text")
        if text is None:
            return UNWELCOME
        number = protocol.number_of(text)
        hello = protocol.read_command(kind if kind in protocol.KINDS else "home", text)
        if not isinstance(hello, HelloCommand):
            raise TreinoError(
                "hello_first",
                _("The first message is hello."),
                _("See docs/studio-protocol.md for what it holds."),
            )
        language = hello.language
        if hello.protocol != protocol.VERSION:
            raise TreinoError(
                "protocol_version",
                _("This page speaks version {page} of the protocol, and the studio version {ours}.").format(
                    page=hello.protocol, ours=protocol.VERSION
                ),
                _("Reload the page."),
            )
        if kind not in protocol.KINDS or (kind in OF_FOLDERS) != (name is not None):
            raise TreinoError("no_address", _("There is nothing at this address."))
        if name is not None:
            folder_named(name, studio.relay.folder)
        if kind == "script" and studio.script is None:
            raise TreinoError(
                "no_script",
                _("This studio was started without a script."),
                _("Name it on the command line: treino studio train.py"),
            )
    except TreinoError as error:
        await socket.send_text(compact_json({"reply": number, **error_document(error, language)}).decode())
        return REASONS.get(error.rule, UNWELCOME)
    return hello


def _welcome(page: Page, viewer: Viewer, hello: HelloCommand) -> str:
    content = {"reply": hello.id, "protocol": protocol.VERSION, "steers": page.steers(viewer)}
    return compact_json(content).decode()


async def _send(socket: WebSocket, page: Page, viewer: Viewer, number: int) -> None:
    """Send what is due, until a new connection of the viewer replaces this one."""
    while viewer.connected == number:
        viewer.wake.clear()
        for content in page.due(viewer):
            if isinstance(content, str):
                await socket.send_text(content)
            else:
                await socket.send_bytes(content)
            if viewer.connected != number:
                break
        else:
            await viewer.wake.wait()
    await socket.close(REPLACED)


async def _receive(studio: Studio, socket: WebSocket, page: Page, viewer: Viewer) -> None:
    """Take messages until the connection ends; wait while the viewer doesn't read its answers."""
    while True:
        await viewer.keeps_up.wait()
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None:
            error = TreinoError("no_json", _("Bytes are no command."), _("Messages to the studio are texts."))
            viewer.say(compact_json({"reply": None, **error_document(error, viewer.language)}).decode())
        else:
            _obey(studio, page, viewer, text)


def _obey(studio: Studio, page: Page, viewer: Viewer, text: str) -> None:
    """Handle a message: an acknowledgement, or a command, which gets one answer."""
    number = None
    try:
        message = protocol.read_command(page.key.partition("/")[0], text)
        if isinstance(message, Acknowledgement):
            viewer.acknowledge(message.ack)
            return
        number = message.id
        if isinstance(message, HelloCommand):
            viewer.say(_welcome(page, viewer, message))
            return
        if not viewer.is_new(number):
            return
    except TreinoError as error:
        number = number or protocol.number_of(text)
        viewer.say(compact_json({"reply": number, **error_document(error, viewer.language)}).decode())
        return
    task = asyncio.create_task(_answer(studio, page, viewer, message))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _answer(studio: Studio, page: Page, viewer: Viewer, command: StudioCommand) -> None:
    """Carry out a command and answer it; the answer is kept for a viewer that is gone."""
    try:
        content = await _carry_out(studio, page, viewer, command)
    except TreinoError as error:
        content = error_document(error, viewer.language)
    viewer.answer(command.id, content)


async def _carry_out(studio: Studio, page: Page, viewer: Viewer, command: StudioCommand) -> dict[str, Any]:
    """Carry out a command; return the contents of the answer.

    Raises:
        TreinoError: this viewer may not do it, or it can't be done.
    """
    if viewer.watches_only:
        raise watch_only()
    if command.do == "steer":
        page.take_wheel(viewer)
        return {"steers": True}
    if command.do not in UNSTEERED and not page.steers(viewer):
        raise TreinoError(
            "not_steering", _("Another page steers, and this one watches."), _("Take the wheel first.")
        )
    request = {**command.fields(), "key": page.key, "language": viewer.language}
    if isinstance(command, TrainCommand) or command.do in ("sweep", "study"):
        request |= {"data": await studio.data(request["data"]), "parent": str(studio.relay.folder)}
        content, _nothing = await studio.relay.ask(request, trainer=True)
        return content
    if studio.script is not None and page is studio.script.page:
        studio.script.send(command.fields())
        return {}
    if command.do == "beside":
        request["run"] = str(folder_named(request["run"], studio.relay.folder))
    content, _nothing = await studio.relay.ask(request)
    return content
