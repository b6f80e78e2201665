"""The life of a studio: it finds a free port, prints addresses and serves until it is stopped."""

import asyncio
import errno
import logging
import os
import shutil
import signal
import socket
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from treino.base import lock
from treino.base.connections import BoundedConnection
from treino.base.errors import Refusal, TreinoError
from treino_studio.guard import Guard
from treino_studio.messages import PAUSE, PLAY, RunRequest
from treino_studio.protocol import LONGEST_MESSAGE
from treino_studio.relay import Commands, Relay
from treino_studio.script.process import ScriptProcess
from treino_studio.script_page import ScriptPage
from treino_studio.server import Studio, application, starting
from treino_studio.subject import Subject
from treino_studio.uploads import FOLDER as UPLOADS
from treino_studio.uploads import Uploads

NO_PORT = Refusal(
    "No port from {port} on is free ({reason}).",
    "Choose another one: [[port=9000]]; or [[port=0]], any that is free.",
    status=1,
)
NO_HOST = Refusal(
    "This machine has no address {host} ({reason}).",
    "Leave [[host]] out for this machine alone, or use 0.0.0.0 for all of its addresses.",
)

# ---- server

PORT = 8711
PORTS_TRIED = 50
BACKLOG = 1024
PREFIX = "treino-studio-"  # prefix of temporary folders' names


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens on this port or the next free one; port 0: on any free port.

    Raises:
        TreinoError: this machine doesn't have the address ``host``, or no port is free.
    """
    reason = ""
    for candidate in range(port, min(port + PORTS_TRIED, 65536)) if port else (0,):
        try:
            family, kind, protocol, _name, address = socket.getaddrinfo(
                host, candidate, type=socket.SOCK_STREAM
            )[0]
            listening = socket.socket(family, kind, protocol)
        except OSError as error:
            raise NO_HOST(host=host, reason=error.strerror) from None
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(address)
            listening.listen(BACKLOG)
        except OSError as error:
            listening.close()
            if error.errno == errno.EADDRNOTAVAIL:
                raise NO_HOST(host=host, reason=error.strerror) from None
            reason = error.strerror or str(error)
            continue
        return listening
    raise NO_PORT(port=port, reason=reason)


@dataclass(frozen=True)
class Serving:
    """A studio whose socket listens; it answers requests while ``run`` is awaited."""

    studio: Studio
    guard: Guard
    host: str
    port: int
    server: uvicorn.Server
    socket: socket.socket

    @property
    def address(self) -> str:
        """The address for steering."""
        return f"{self._site}/?token={self.guard.steer.token}"

    @property
    def watch_address(self) -> str:
        """The address for watching only."""
        return f"{self._site}/?token={self.guard.watch.token}"

    @property
    def browser_address(self) -> str:
        """An address for steering that works once, for the browser that this process opens."""
        return f"{self._site}/?token={self.guard.single_token()}"

    @property
    def _site(self) -> str:
        host = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    async def run(self) -> None:
        """Serve until a signal arrives or ``server.should_exit`` is set."""
        # uvicorn alone would also handle signals that this process ignores
        ignored = [s for s in HANDLED_SIGNALS if signal.getsignal(s) is signal.SIG_IGN]
        end = self.server.handle_exit

        def handle_signal(sig: int, frame: FrameType | None) -> None:
            if sig not in ignored:
                end(sig, frame)

        self.server.handle_exit = handle_signal  # type: ignore[method-assign]
        await self.server.serve([self.socket])


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A temporary folder, removed at the end. First remove the folders that killed studios have left."""
    for leftover in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, TreinoError):
            held, status = leftover / lock.NAME, os.lstat(leftover)
            own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
            # an empty lock belongs to a process that is just starting
            if own and os.lstat(held).st_size and lock.holder(held) is None:
                shutil.rmtree(leftover)
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        held = Path(name) / lock.NAME
        descriptor = lock.acquire(held)
        try:
            yield Path(name)
        finally:
            lock.release(descriptor, held, unlink=True)


@contextmanager
def studio_of(folder: Path, commands: Commands | None = None) -> Iterator[Studio]:
    """A studio for a folder of runs, with a temporary folder that is removed at the end.

    Needs a running event loop. commands: see ``Relay``.
    """
    with temporary_folder() as temporary:
        relay = Relay(folder, temporary, commands)
        yield Studio(relay, Uploads(folder / UPLOADS), asyncio.get_running_loop().create_future())


@contextmanager
def serving(
    folder: Path,
    host: str = "127.0.0.1",
    port: int = PORT,
    *,
    commands: Commands | None = None,
) -> Iterator[Serving]:
    """A studio that listens at a port. Needs a running event loop. commands: see ``Relay``.

    Raises:
        TreinoError: no port is free.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # the guard reports failures
    listening = listener(host, port)
    with listening, studio_of(folder, commands) as studio:
        actual_port = listening.getsockname()[1]
        guard = Guard(application(studio), host, actual_port)
        http: Any = BoundedConnection
        config = uvicorn.Config(
            guard,
            http=http,
            log_config=None,
            ws_max_size=LONGEST_MESSAGE,
            ws_per_message_deflate=False,  # compression would take half of a frame's time
            server_header=False,
            proxy_headers=False,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        yield Serving(studio, guard, host, actual_port, uvicorn.Server(config), listening)


# ---- what is opened


async def begun(relay: Relay, subject: Subject, settings: Mapping[str, Any], paused: bool) -> str:
    """The address of the subject's page, once its training has begun. paused: it waits before its first step.

    Raises:
        TreinoError: the training can't begin.
    """
    if subject.address:
        return subject.address
    request = RunRequest(
        data=subject.data or "",
        settings=dict(settings),
        parent=subject.folder,
        command_line=True,
        play_control=PAUSE if paused else PLAY,
        speed="watched",
    )
    page = relay.page("start")
    page.put({"state": starting(not paused), "known": known(request)})
    try:
        reply, _nothing = await relay.ask(request)
    except TreinoError as error:
        relay.notify(page, error)
        raise
    page.put({"started": reply.run})
    return f"/run/{reply.run}"


def known(request: RunRequest) -> dict[str, Any]:
    """What can be said of a training before torch is loaded: its data, and the layers that were asked for."""
    from treino.data import BUILTINS

    table = BUILTINS.get(request.data)
    size = {} if table is None else {"rows": table.rows, "columns": table.features + 1}
    return {"data": Path(request.data).name, "hidden": request.settings.get("hidden")} | size


def start_script(studio: Studio, path: str, arguments: Sequence[str] = (), **how: Any) -> ScriptProcess:
    """Run a script with the studio's page for it. how: see ``ScriptProcess.start``."""
    process = ScriptProcess.start(path, arguments, **how)
    studio.script = ScriptPage(studio.relay.page("script"), process)
    studio.script.start()
    return process
