"""The addresses of the studio's server. It imports no torch: training and drawing are in other processes."""

import asyncio
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from treino.documents.reading import read_document
from treino.errors import TreinoError
from treino.store import RunFolder
from treino.studio.guard import refusal
from treino.studio.hub import watch_only
from treino.studio.page_words import page_words
from treino.studio.sockets import Studio, serve_socket
from treino.studio.uploads import document_of, folder_named, home
from treino.words import _, named

PAGE = Path(__file__).parent / "page"
Handler = Callable[[Studio, Request], Awaitable[Response]]
TYPES = {  # whatever this machine's own table says
    ".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".json": "application/json",
    ".mjs": "text/javascript", ".svg": "image/svg+xml",
}  # fmt: skip
FORMS = "weights", "script", "report", "gif", "command"  # of files made from a run


def application(studio: Studio) -> Starlette:
    """The app with all addresses, to be wrapped in the guard."""

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
                missing = error.rule in ("run_missing", "file_missing")
                return refusal(404 if missing else 400, error, _language(request))

        return Route(path, handled, methods=[method])

    routes = [
        get("/", _start),
        *(get(path, _page) for path in ("/home", "/script", "/playground")),
        *(get(f"/{kind}/{{name}}", _page) for kind in ("run", "sweep", "study")),
        get("/page/{file:path}", _file),
        get("/words/{language}", _words),
        get("/api/home", _home),
        get("/api/sweep/{name}", _document),
        get("/api/study/{name}", _document),
        get("/api/upload", _upload, "POST"),
        get("/api/describe/{data}", _describe),
        get("/api/take/{run}/{form}", _take),
        WebSocketRoute("/socket/{kind}", socket),
        WebSocketRoute("/socket/{kind}/{name}", socket),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _missing, 405: _missing})


async def _missing(request: Request, error: Exception) -> Response:
    missing = TreinoError("no_address", _("There is nothing at this address."))
    return refusal(getattr(error, "status_code", 404), missing, _language(request))


def _language(request: Request) -> str | None:
    """The browser's language; None for the studio's own."""
    return named(request.headers.get("accept-language", "").split(",")[0].split(";")[0])


# ---- addresses


async def _start(studio: Studio, request: Request) -> Response:
    """The first page, once the command line's target is known."""
    where = await asyncio.shield(studio.start)
    return await _page(studio, request) if where == "/" else RedirectResponse(where, 303)


async def _page(studio: Studio, request: Request) -> Response:
    return _page_file("index.html")


async def _file(studio: Studio, request: Request) -> Response:
    return _page_file(request.path_params["file"])


def _page_file(name: str) -> FileResponse:
    """A file of the page, only from the list of existing ones."""
    files = {str(path.relative_to(PAGE)): path for path in PAGE.rglob("*") if path.is_file()}
    path = files.get(name)
    if path is None or path.name.startswith("."):
        raise TreinoError("file_missing", _("There is nothing at this address."))
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    return FileResponse(path, media_type=kind)


async def _words(studio: Studio, request: Request) -> Response:
    language = named(request.path_params["language"])
    if language is None:
        raise TreinoError("file_missing", _("There is nothing at this address."))
    return JSONResponse(page_words(language))


async def _home(studio: Studio, request: Request) -> Response:
    builtins = await studio.builtins()
    return JSONResponse(await asyncio.to_thread(home, studio.relay.folder, builtins, studio.uploads.names))


async def _document(studio: Studio, request: Request) -> Response:
    """A sweep or study: its result, or what is known while it is trained."""
    path = folder_named(request.path_params["name"], studio.relay.folder)
    folder = RunFolder.open(path, verify=False)
    if folder.has("result.json"):
        return JSONResponse(read_document(folder, "result.json"))
    return JSONResponse(await document_of("show", str(path)))


async def _upload(studio: Studio, request: Request) -> Response:
    if request.scope["watches_only"]:
        raise watch_only()
    length = request.headers.get("content-length", "")
    size = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None
    try:
        path = await studio.uploads.save(request.query_params.get("name", ""), request.stream(), size)
    except ClientDisconnect:
        return Response(status_code=400)
    try:
        description = await document_of("data", str(path))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return JSONResponse({"data": path.name, "description": description})


async def _describe(studio: Studio, request: Request) -> Response:
    return JSONResponse(await document_of("data", await studio.data(request.path_params["data"])))


async def _take(studio: Studio, request: Request) -> Response:
    """A file made from a run, by the worker."""
    run, form = request.path_params["run"], request.path_params["form"]
    path = folder_named(run, studio.relay.folder)
    if form not in FORMS:
        raise TreinoError("file_missing", _("There is nothing at this address."))
    content, body = await studio.relay.ask(
        {"do": "take", "key": f"run/{run}", "run": str(path), "form": form}
    )
    file = "".join(c if c.isalnum() or c in "-_." else "-" for c in str(content.get("file", f"{run}-{form}")))
    headers = {} if form == "command" else {"content-disposition": f"attachment; filename*=utf-8''{file}"}
    kind = "text/plain; charset=utf-8" if form == "command" else "application/octet-stream"
    return Response(body, media_type=kind, headers=headers)
