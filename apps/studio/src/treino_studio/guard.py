"""The outermost layer of the studio's server: it admits or refuses requests and adds response headers.

Host, Origin and cookie are checked for every address, even a missing one, and for every WebSocket handshake.
Origin excludes pages of other sites and of other programs on this machine; Host excludes names that were made
to point here (DNS rebinding); the cookie excludes everybody who never had the printed address.
"""

import asyncio
import hmac
import ipaddress
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from treino.base.encoding import with_sources, without_sources
from treino.base.errors import Refusal, TreinoError
from treino.base.words import speaking
from treino_doctor.base.markup import tag

STUDIO_HOST = Refusal("This is not the address of the studio.")
STUDIO_ORIGIN = Refusal("The studio answers its own pages alone.")
STUDIO_COOKIE = Refusal(
    "This browser has not been let in, or the studio was started anew.",
    "Open the whole address that treino studio printed.",
)
STUDIO_ENDED = Refusal("The studio has ended.", "Start it again and open the address that it prints.")
DEFECT = Refusal("This is a defect of treino; please report it.")

# ---- errors


def error_document(error: TreinoError, language: str | None = None) -> dict[str, Any]:
    """``{"error": {"rule", "message", "hint"}}`` in the reader's language; None: the server's.

    Errors are raised in the server's language; their sentences keep their English source, to be translated.
    """
    with speaking(language):
        return {"error": without_sources(dict(with_sources(error.document)))}


def refusal(status: int, error: TreinoError, language: str | None = None) -> JSONResponse:
    """The response to a refused request."""
    return JSONResponse(error_document(error, language), status)


# ---- guard

LOOPBACK = "127.0.0.1", "localhost"
LOG = logging.getLogger("treino_studio")
READING = "GET", "HEAD"
COOKIE_SECONDS = 30 * 86400
HEADERS = {
    "cache-control": "no-store",
    # load from this server only, no inline code, no eval
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def _secret() -> str:
    return secrets.token_urlsafe(32)  # 256 bits


@dataclass(frozen=True)
class Key:
    """The token of a printed address, and the cookie that a browser gets in exchange for it."""

    token: str = field(default_factory=_secret)
    cookie: str = field(default_factory=_secret)


class Guard:
    """ASGI middleware. It sets ``watches_only`` in the scope to whether the browser may only watch."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        """host, port: the server's address."""
        self._app = app
        self._any_address = host in ("0.0.0.0", "::")
        self._port = port
        names = LOOPBACK if host in LOOPBACK else (f"[{host}]" if ":" in host else host, *LOOPBACK)
        self._hosts = {f"{name}:{port}" for name in names}
        self.steer, self.watch = Key(), Key()
        self._once: set[str] = set()
        self._cookie = f"treino_{port}"  # cookies are shared by all ports of a host

    def single_token(self) -> str:
        """A token for steering that works once: other users can read it in the browser's command line."""
        token = _secret()
        self._once.add(token)
        return token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        answer = self._answer(scope)
        if answer is not None:
            if scope["type"] == "websocket":
                await receive()
            await answer(scope, receive, self._with_headers(send))
            return
        try:
            await self._app(scope, receive, self._with_headers(send))
        except asyncio.CancelledError:  # the studio ends, which uvicorn would call an error of the server
            if scope["type"] != "http":
                raise
            await refusal(503, STUDIO_ENDED())(scope, receive, self._with_headers(send))
        except Exception:
            LOG.exception("%s %s", scope["type"], scope["path"])
            if scope["type"] == "http":
                await refusal(500, DEFECT())(scope, receive, self._with_headers(send))

    def _answer(self, scope: Scope) -> Response | None:
        """The response that refuses a request or exchanges its token for a cookie; None to admit it."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin1"), []).append(value.decode("latin1"))
        host, origin = headers.get("host", []), headers.get("origin", [])
        if len(host) != 1 or not self._is_host(host[0]):
            return refusal(421, STUDIO_HOST())
        reads = scope["type"] == "http" and scope["method"] in READING
        other_site = (origin or not reads) and origin != [f"http://{host[0]}"]
        # the browser marks requests of other sites and ports; who follows a link from there is welcome
        marks, follows = headers.get("sec-fetch-site", []), headers.get("sec-fetch-mode") == ["navigate"]
        if other_site or (not follows and {"cross-site", "same-site"} & {*marks}):
            return refusal(403, STUDIO_ORIGIN())
        cookies = self._cookies(headers.get("cookie", []))
        watches = any(_same(cookie, self.watch.cookie) for cookie in cookies)
        steers = any(_same(cookie, self.steer.cookie) for cookie in cookies)
        if reads and (exchange := self._exchange(scope, steers, "cross-site" in marks)) is not None:
            return exchange
        if not steers and not watches:
            return refusal(401, STUDIO_COOKIE())
        scope["watches_only"] = not steers
        return None

    def _is_host(self, host: str) -> bool:
        if host.lower() in self._hosts:
            return True
        name, _colon, port = host.rpartition(":")
        if not self._any_address or port != str(self._port):
            return False
        try:  # anybody can make a name point here, so only IP addresses are accepted
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    def _cookies(self, values: Iterable[str]) -> list[str]:
        cookies = []
        for value in values:
            jar: SimpleCookie = SimpleCookie()
            try:
                jar.load(value)
            except CookieError:
                continue
            cookies += [jar[self._cookie].value] if self._cookie in jar else []
        return cookies

    def _exchange(self, scope: Scope, steers: bool, elsewhere: bool) -> Response | None:
        """A redirect that sets the cookie and removes the token from the address; None without valid token.

        steers: whether the browser has the steering cookie. elsewhere: whether another site linked here.
        """
        query = parse_qsl(scope["query_string"].decode("latin1"), keep_blank_values=True)
        tokens = [value for name, value in query if name == "token"]
        if len(tokens) != 1:
            return None
        key = next((k for k in (self.steer, self.watch) if _same(tokens[0], k.token)), None)
        if key is None and tokens[0] in self._once:
            self._once.discard(tokens[0])
            key = self.steer
        if key is None:
            return None
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        path = scope["path"] if scope["path"].startswith("/") and scope["path"][1:2] != "/" else "/"
        where = scope.get("raw_path", b"/").decode("latin1") if path == scope["path"] else "/"
        where += f"?{rest}" if rest else ""
        response: Response
        if elsewhere:  # a redirect from another site wouldn't send a strict cookie; our own page does
            response = HTMLResponse(tag("meta", http_equiv="refresh", content=f"0;url={where}"))
        else:
            response = Response(status_code=303, headers={"location": where})
        if key is self.steer or not steers:  # a browser that steers keeps its cookie
            response.set_cookie(
                self._cookie, key.cookie, max_age=COOKIE_SECONDS, httponly=True, samesite="strict"
            )
        return response

    def _with_headers(self, send: Send) -> Send:
        async def sent(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                ours = [(k.encode(), v.encode()) for k, v in HEADERS.items()]
                others = [(k, v) for k, v in message.get("headers", ()) if k.decode().lower() not in HEADERS]
                message = {**message, "headers": [*others, *ours]}
            await send(message)

        return sent


def _same(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode("utf-8", "replace"), b.encode())
