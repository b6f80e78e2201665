"""The HTTP and WebSocket addresses of the studio's server.

The server imports no torch: other processes train and draw.
"""

import asyncio
import mimetypes
import os
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from treino.base.encoding import compact_json
from treino.base.errors import Refusal, TreinoError
from treino.base.words import ENGLISH, VARIABLE, _, language, named, speaking, translation
from treino.folders import RUN_MISSING, Known, RunFolder
from treino.folders.documents.reading import read_document
from treino_studio import messages, protocol
from treino_studio.guard import error_document, refusal
from treino_studio.hub import Page, Viewer
from treino_studio.page_words import page_words
from treino_studio.protocol import Acknowledgement, HelloCommand, StudioCommand
from treino_studio.relay import OF_FOLDERS, Relay
from treino_studio.script_page import ScriptPage
from treino_studio.uploads import (
    UPLOAD_LATE,
    UPLOAD_SECONDS,
    Uploads,
    delete_named,
    document_of,
    folder_named,
    home,
)

WATCH_ONLY = Refusal(
    "This address is for watching alone.", "Who steers opens the other address that treino studio printed."
)
NO_ADDRESS = Refusal("There is nothing at this address.")
DATA_MISSING = Refusal(
    "There is no data set {name}.", "Send a table first, or choose one of those that are listed."
)
NOT_STEERING = Refusal("Another page steers, and this one watches.", "Press “Steer here” first.")
FILE_MISSING = Refusal("There is nothing at this address.")
HELLO_FIRST = Refusal(
    "The first message is hello.", "See apps/studio/docs/studio-protocol.md for what it holds."
)
PROTOCOL_VERSION = Refusal(
    "This page speaks version {page} of the protocol, and the studio version {ours}.", "Reload the page."
)
NO_SCRIPT = Refusal(
    "This studio was started without a script.", "Name it on the command line: treino studio train.py"
)

# ---- shared state


@dataclass(eq=False)
class Studio:
    """The state that all addresses share.

    start: the address of the command line's target, once it is known. end_seconds: the time that the trainer
    gets at the end to save its trainings. script: the page of the script, if the target is a script.
    known: the rows of the home page as they were read last; one request at a time reads them.
    """

    relay: Relay
    uploads: Uploads
    start: "asyncio.Future[str]"
    end_seconds: float = 30.0
    script: ScriptPage | None = None
    known: Known = field(default_factory=dict)
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _builtins: "asyncio.Task[dict[str, Any]] | None" = None

    def reading_builtins(self) -> "asyncio.Task[dict[str, Any]]":
        """The document of the built-in data sets, in English; it is read once, which takes a while."""
        if self._builtins is None or (self._builtins.done() and self._builtins.exception() is not None):
            self._builtins = asyncio.create_task(document_of("data", lang=ENGLISH))
        return self._builtins

    async def builtins(self) -> list[dict[str, Any]]:
        """The built-in data sets."""
        return list((await asyncio.shield(self.reading_builtins()))["builtins"])

    async def data(self, name: str) -> str:
        """The built-in data set, or the path of the uploaded table, that a page names.

        Raises:
            TreinoError: the name is neither; a page can't name a file.
        """
        uploaded = self.uploads.path(name)
        if uploaded is not None:
            return str(uploaded)
        if name in [each["name"] for each in await self.builtins()]:
            return name
        raise DATA_MISSING(name=name[:60])


# ---- WebSockets

HELLO_SECONDS = 30.0  # time limit for the first message of a connection
MOST_LANGUAGES = 20  # of a browser that are looked at
UNSTEERED = ("explain", "proponents")  # verbs that viewers may use without steering
UNWELCOME, REPLACED = 1008, 4000  # WebSocket close codes
REASONS = {
    RUN_MISSING.rule: 4404,
    "no_address": 4404,
    "no_script": 4404,
    "protocol_version": 4426,
}  # WebSocket close codes by the error's rule
_tasks: set[asyncio.Task[None]] = set()  # commands in progress, also of disconnected viewers


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
    """Receive and return the first message; if it is refused, send the error and return a close code."""
    number, language = None, None
    try:
        text = (await socket.receive()).get("text")
        if text is None:
            return UNWELCOME
        number = protocol.number_of(text)
        hello = protocol.read_command(kind if kind in protocol.KINDS else "home", text)
        if not isinstance(hello, HelloCommand):
            raise HELLO_FIRST()
        language = hello.language
        if hello.protocol != protocol.VERSION:
            raise PROTOCOL_VERSION(page=hello.protocol, ours=protocol.VERSION)
        if kind not in protocol.KINDS or (kind in OF_FOLDERS) != (name is not None):
            raise NO_ADDRESS()
        if name is not None:
            folder_named(name, studio.relay.folder)
        if kind == "script" and studio.script is None:
            raise NO_SCRIPT()
    except TreinoError as error:
        await socket.send_text(compact_json({"reply": number, **error_document(error, language)}).decode())
        return REASONS.get(error.rule, UNWELCOME)
    return hello


def _welcome(page: Page, viewer: Viewer, hello: HelloCommand) -> str:
    content = {"reply": hello.id, "protocol": protocol.VERSION, "steers": page.steers(viewer)}
    return compact_json(content).decode()


async def _send(socket: WebSocket, page: Page, viewer: Viewer, number: int) -> None:
    """Send the messages that are due, until a new connection of the viewer replaces this one."""
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
    """Receive messages until the connection ends; pause while too many messages to the viewer are unsent."""
    while True:
        await viewer.keeps_up.wait()
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None:
            error = protocol.not_json(_("it is bytes, not text"))
            viewer.say(compact_json({"reply": None, **error_document(error, viewer.language)}).decode())
        else:
            _obey(studio, page, viewer, text)


def _obey(studio: Studio, page: Page, viewer: Viewer, text: str) -> None:
    """Handle a message: an acknowledgement, or a command, which is answered once."""
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
    """Carry out a command and answer it; a disconnected viewer gets the answer when it is back."""
    try:
        content = await _carry_out(studio, page, viewer, command)
    except TreinoError as error:
        content = error_document(error, viewer.language)
    viewer.answer(command.id, content)


async def _carry_out(studio: Studio, page: Page, viewer: Viewer, command: StudioCommand) -> dict[str, Any]:
    """Carry out a command; return the contents of the answer.

    Raises:
        TreinoError: this viewer may not send the command, or it failed.
    """
    if viewer.watches_only:
        raise WATCH_ONLY()
    if command.do == "steer":
        page.take_wheel(viewer)
        return {"steers": True}
    if command.do not in UNSTEERED and not page.steers(viewer):
        raise NOT_STEERING()
    if isinstance(command, protocol.DeleteCommand):
        await asyncio.to_thread(delete_named, command.runs, studio.relay.folder)
        return {}
    if studio.script is not None and page is studio.script.page:
        studio.script.send(command.model_dump(mode="json", exclude={"id"}))
        return {}
    if page.key == "start":  # obeyed when there is a training, and shown at once
        page.put({"state": starting(command.do == "play")})
        early: Any = command.do, getattr(command, "count", None)
        await studio.relay.pass_on(messages.PlaybackRequest(command=early))
        return {}
    request = await _request(studio, page, command)
    reply, _nothing = await studio.relay.ask(request.model_copy(update={"language": viewer.language}))
    return reply.content | ({} if reply.run is None else {"run": reply.run})


async def _request(studio: Studio, page: Page, command: Any) -> messages.ProcessRequest:
    """What the worker or the trainer is asked to do for a command."""
    if isinstance(command, protocol.TrainCommand | protocol.SweepCommand | protocol.StudyCommand):
        new: dict[str, Any] = {"data": await studio.data(command.data), "settings": command.settings}
        new["parent"] = studio.relay.folder
        if isinstance(command, protocol.TrainCommand):
            how = messages.PAUSE if command.paused else messages.PLAY
            return messages.RunRequest(**new, play_control=how, speed="watched")
        if isinstance(command, protocol.SweepCommand):
            return messages.SweepRequest(**new, space=command.space, members=command.members)
        return messages.StudyRequest(**new, batch_sizes=command.batch_sizes)
    if isinstance(command, protocol.BesideCommand):
        folder_named(command.run, studio.relay.folder)  # raises here if it is none of this folder
    return messages.CommandRequest(key=page.key, command=command)


def starting(playing: bool) -> dict[str, Any]:
    """The state of the start page, where the first training waits for its process to load torch."""
    return {"status": "starting", "playing": playing, "view": {}}


# ---- routes

PAGE = Path(__file__).parent / "page"
Handler = Callable[[Studio, Request], Awaitable[Response]]
TYPES = {  # MIME types, which this machine's own table may lack
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
}
FORMS = "weights", "script", "report", "gif", "command", "importance"  # downloads that are made from a folder
TEXTS = {"command": "text/plain; charset=utf-8", "importance": "text/json"}  # shown and not saved


def application(studio: Studio) -> Starlette:
    """The ASGI app with all addresses; ``Guard`` wraps it."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await studio.relay.start()
        yield
        await studio.relay.end(studio.end_seconds)
        if studio.script is not None:
            await studio.script.end()

    async def socket(websocket: WebSocket) -> None:
        await serve_socket(studio, websocket)

    def get(path: str, handler: Handler, method: str = "GET") -> Route:
        async def handled(request: Request) -> Response:
            try:
                return await handler(studio, request)
            except TreinoError as error:
                missing = error.rule in (RUN_MISSING.rule, FILE_MISSING.rule)
                return refusal(404 if missing else 400, error, _language(request))

        return Route(path, handled, methods=[method])

    routes = [
        *(get(path, _start) for path in ("/", "/start")),
        *(get(path, _file) for path in ("/home", "/script", "/playground")),
        *(get(f"/{kind}/{{name}}", _file) for kind in ("run", "sweep", "study")),
        get("/page/{file:path}", _file),
        get("/words/{language}", _words),
        get("/api/home", _home),
        get("/api/sweep/{name}", _document),
        get("/api/study/{name}", _document),
        get("/api/upload", _upload, "POST"),
        get("/api/describe/{data}", _describe),
        get("/api/sheet/{data}", _sheet),
        get("/api/take/{run}/{form}", _take),
        WebSocketRoute("/socket/{kind}", socket),
        WebSocketRoute("/socket/{kind}/{name}", socket),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _missing, 405: _missing})


async def _missing(request: Request, error: Exception) -> Response:
    return refusal(getattr(error, "status_code", 404), NO_ADDRESS(), _language(request))


def _language(request: Request) -> str | None:
    """The language that the browser prefers of those that the studio has; None: it names none of them."""
    wanted = list[tuple[float, str]]()
    for item in request.headers.get("accept-language", "").split(",")[:MOST_LANGUAGES]:
        name, _semicolon, weight = item.partition(";")
        number = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", weight)
        wanted.append((float(number[1]) if number else float(not weight), name.strip()))
    wanted.sort(key=lambda each: -each[0])  # of equal ones the first comes first
    return next((known for weight, name in wanted if weight > 0 and (known := named(name))), None)


# ---- handlers


async def _start(studio: Studio, request: Request) -> Response:
    """The page of the command line's target; until that has an address, the start page."""
    here = request.url.path
    where = studio.start.result() if studio.start.done() else "/start"
    if where == here:
        return await _file(studio, request)
    asked = request.url.query  # such as lang=pt, which the page that it leads to obeys
    return RedirectResponse(f"{where}?{asked}" if asked and "?" not in where else _in_language(where), 303)


def _in_language(address: str) -> str:
    """The page's address, with the language if ``--lang`` names one, such as ``--lang pt_BR``."""
    chosen = os.environ.get(VARIABLE)
    if chosen is None:
        return address
    sign = "&" if "?" in address else "?"
    return f"{'/home' if address == '/' else address}{sign}lang={named(chosen)}"


async def _file(studio: Studio, request: Request) -> Response:
    """The page, or a file of it. Only files listed in the page's folder match, so that no path escapes it."""
    files = {str(path.relative_to(PAGE)): path for path in PAGE.rglob("*") if path.is_file()}
    path = files.get(request.path_params.get("file", "index.html"))
    if path is None or path.name.startswith("."):
        raise FILE_MISSING()
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    return FileResponse(path, media_type=kind)


async def _words(studio: Studio, request: Request) -> Response:
    language = named(request.path_params["language"])
    if language is None:
        raise FILE_MISSING()
    return JSONResponse(page_words(language))


async def _home(studio: Studio, request: Request) -> Response:
    reading, version = studio.reading_builtins(), request.query_params.get("version", "")
    builtins = await studio.builtins() if reading.done() else []  # the runs needn't wait for them
    with speaking(_language(request) or language()):
        builtins = [each | {"about": translation(each["about"])} for each in builtins]
    async with studio.reading:
        of = studio.relay.folder, builtins, studio.uploads.names, studio.known, version
        content = await asyncio.to_thread(home, *of)
    return Response(content, media_type="application/json")


async def _document(studio: Studio, request: Request) -> Response:
    """The result of a sweep or study, or its present state while it is in training."""
    path = folder_named(request.path_params["name"], studio.relay.folder)
    folder = RunFolder.open(path, verify=False)
    if folder.has("result.json"):
        return JSONResponse(read_document(folder, "result.json"))
    return JSONResponse(await document_of("show", str(path)))


async def _upload(studio: Studio, request: Request) -> Response:
    if request.scope["watches_only"]:
        raise WATCH_ONLY()
    length = request.headers.get("content-length", "")
    size = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            path = await studio.uploads.save(request.query_params.get("name", ""), request.stream(), size)
    except TimeoutError:
        raise UPLOAD_LATE(seconds=UPLOAD_SECONDS) from None
    except ClientDisconnect:
        return Response(status_code=400)
    try:
        description = await document_of("data", str(path), lang=_language(request))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return JSONResponse({"data": path.name, "description": description})


async def _describe(studio: Studio, request: Request) -> Response:
    data = await studio.data(request.path_params["data"])
    return JSONResponse(await document_of("data", data, lang=_language(request)))


async def _sheet(studio: Studio, request: Request) -> Response:
    """The contact sheet of images, as PNG."""
    data = await studio.data(request.path_params["data"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.png"
        await document_of("data", data, "--to", str(path), lang=_language(request))
        return Response(path.read_bytes(), media_type="image/png")


async def _take(studio: Studio, request: Request) -> Response:
    """A file that the worker makes from a run, or how much each setting of a sweep mattered."""
    run, form = request.path_params["run"], request.path_params["form"]
    path = folder_named(run, studio.relay.folder)
    if form not in FORMS:
        raise FILE_MISSING()
    taken = messages.TakeRequest(key=f"run/{run}", run=path, form=form, language=_language(request))
    reply, body = await studio.relay.ask(taken)
    file = "".join(c if c.isalnum() or c in "-_." else "-" for c in reply.file or f"{run}-{form}")
    headers = {} if form in TEXTS else {"content-disposition": f"attachment; filename*=utf-8''{file}"}
    return Response(body, media_type=TEXTS.get(form, "application/octet-stream"), headers=headers)
