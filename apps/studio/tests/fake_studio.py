"""A server that speaks the studio's protocol with recorded messages of real runs, and notes every command."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from tests.waiting import HANG

import treino_studio
from apps.studio.tests.recordings import Recording, message
from treino_studio.page_words import page_words

PAGE = Path(treino_studio.__file__).parent / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
LIMITS = "The learning rate is a number above 0 and below 1,000,000."


@dataclass
class FakeStudio:
    """recordings: by the run's name. commands: (run, command) of all viewers, in their order."""

    recordings: dict[str, Recording]
    commands: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    sockets: list[WebSocket] = field(default_factory=list)
    deaf: bool = False  # commands are taken and not answered
    port: int = 0
    loop: asyncio.AbstractEventLoop | None = None

    def said(self, verb: str) -> list[dict[str, Any]]:
        """The fields of every command with this verb."""
        return [
            {k: v for k, v in c.items() if k not in ("id", "do")}
            for _r, c in self.commands
            if c["do"] == verb
        ]

    def tell(self, content: dict[str, Any] | bytes) -> None:
        """Send something to all viewers."""

        async def send() -> None:
            for socket in self.sockets:
                await (
                    socket.send_bytes(content)
                    if isinstance(content, bytes)
                    else socket.send_text(json.dumps(content))
                )

        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(send(), self.loop).result(HANG)

    def drop(self) -> None:
        """Cut all connections."""

        async def close() -> None:
            for socket in list(self.sockets):
                await socket.close(1012)

        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(close(), self.loop).result(HANG)


@dataclass
class Session:
    """One viewer of one run."""

    studio: FakeStudio
    socket: WebSocket
    recording: Recording
    state: dict[str, Any]
    number: int = 0
    playing: asyncio.Task[None] | None = None

    async def send(self, **content: Any) -> None:
        await self.socket.send_text(json.dumps(content))

    async def show(self, step: int) -> None:
        known = sorted(self.recording.frames)
        near = max((s for s in known if s <= step), default=known[0])
        header, parts = self.recording.frames[near]
        self.number += 1
        header = {"frame": self.number, **header, "live": self.state["view"]["step"] is None}
        if (unit := self.state["view"]["unit"]) is not None and f"unit.{unit[0]}" in dict(parts):
            shown = header["layers"][unit[0]]["units"]
            if unit[1] in shown:
                parts = [*parts, ("unit", dict(parts)[f"unit.{unit[0]}"][shown.index(unit[1])])]
        await self.socket.send_bytes(message(header, parts))

    async def curves(self, first: int = 0) -> None:
        c, last = self.recording.curves, self.state["last_step"]
        upto = lambda entries: [e for e in entries if e["step"] <= last]  # noqa: E731
        await self.send(
            curves={
                "run": self.recording.name,
                "from": first,
                "step": c["step"][first:last],
                "loss": c["loss"][first:last],
                "epochs": upto(c["epochs"]),
                "vitals": upto(c["vitals"]),
            }
        )

    async def play(self) -> None:
        for step in sorted(s for s in self.recording.frames if s > self.state["last_step"]):
            before, self.state["last_step"] = self.state["last_step"], step
            await self.curves(before)
            await self.send(state=self.state)
            await self.show(step)
            await asyncio.sleep(0.03)
        self.state["playing"] = False
        await self.send(state=self.state)

    async def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """What the reply holds; the state that is sent after it."""
        verb, state = command["do"], self.state
        last = state["last_step"]
        if verb == "hello":
            return {"protocol": 1, "steers": state["steers"]}
        if (
            verb == "set"
            and (not isinstance(command["value"], float | int) or not 0 < command["value"] < 1e6)
            and command["name"] == "lr"
        ):
            return {"error": {"rule": "lr", "message": LIMITS, "hint": ""}}
        if verb == "set":
            state["settings"][command["name"]] = command["value"]
            state["marks"] = [m for m in state["marks"] if m["step"] != last]
            state["marks"].append(
                {"segment": 0, "step": last, "text": f"{command['name']} {command['value']}"}
            )
        if verb == "segment":
            state["settings"].update(command["changes"])
            text = " · ".join(f"{k} {v}" for k, v in command["changes"].items())
            state["marks"].append({"segment": 0, "step": last, "text": text})
        if verb == "look":
            state["view"] = {k: command[k] for k in ("step", "axes", "unit")}
        if verb in ("play", "pause"):
            state["playing"] = verb == "play"
            if self.playing:
                self.playing.cancel()
            self.playing = asyncio.create_task(self.play()) if verb == "play" else None
        if verb in ("step", "epoch"):
            state["last_step"] = min((s for s in self.recording.frames if s > last), default=last)
            await self.curves(last)
        if verb == "speed":
            state["steps_per_second"] = command["steps_per_second"]
        if verb == "explain":
            return json.loads(json.dumps(self.recording.explanation), parse_constant=lambda _name: None)
        if verb == "branch":
            return {"run": f"{state['name']}-b"}
        if verb == "steer":
            state["steers"] = True
        return {}

    async def answer(self, command: dict[str, Any]) -> None:
        reply = await self.obey(command)
        await self.send(reply=command["id"], **reply)
        await self.send(state=self.state)
        if command["do"] == "hello":
            await self.send(points=self.recording.points)
            await self.curves()
        if command["do"] in ("hello", "look", "step", "epoch", "segment"):
            view = self.state["view"]["step"]
            await self.show(self.state["last_step"] if view is None else view)
        if command["do"] == "fan":
            await self.fan(command)

    async def fan(self, command: dict[str, Any]) -> None:
        if not command["count"]:
            await self.send(fan=None)
            return
        start, count, steps = self.state["last_step"], command["count"], command["steps"]
        losses = self.recording.curves["loss"]
        base = losses[min(start, len(losses) - 1)]
        futures = []
        for k in range(count):
            rate = 10 ** (-4 + 4 * k / count)
            fall = [
                base * (0.35 + 0.65 * np.exp(-t * 40 * rate / 20)) * (1 + 0.05 * np.sin(t * k))
                for t in range(21)
            ]
            futures.append(
                {
                    "future": k,
                    "text": f"lr {rate:.2g}",
                    "changes": {"lr": float(f"{rate:.2g}")},
                    "status": "finished",
                    "worth": fall[-1],
                    "step": [start + t * steps // 20 for t in range(21)],
                    "loss": fall,
                }
            )
        futures[-1]["status"] = "diverged"
        best = min(futures[:-1], key=lambda f: f["worth"])["future"]
        await self.send(
            fan={
                "number": 1,
                "kind": command["kind"],
                "step": start,
                "steps": steps,
                "done": steps,
                "metric": "loss",
                "best": best,
                "futures": futures,
            }
        )
        frames = [self.recording.frames[s][1] for s in sorted(self.recording.frames)]
        if "winner" in dict(frames[0]):
            picked = [dict(frames[k * len(frames) // count]) for k in range(count)]
            small = [(n, np.stack([p[n][::4, ::4] for p in picked])) for n in ("winner", "margin")]
            await self.socket.send_bytes(message({"fan": 1, "shows": "plane", "step": start}, small))


def app(studio: FakeStudio) -> Starlette:
    """Its addresses."""

    def with_policy(response: Response) -> Response:
        response.headers["content-security-policy"] = POLICY
        response.headers["cache-control"] = "no-store"
        return response

    async def page(_request: Request) -> Response:
        return with_policy(FileResponse(PAGE / "index.html"))

    async def file(request: Request) -> Response:
        return with_policy(FileResponse(PAGE / request.path_params["file"]))

    async def words(request: Request) -> Response:
        return with_policy(JSONResponse(page_words(request.path_params["language"])))

    async def taken(request: Request) -> Response:
        studio.commands.append(
            (request.path_params["run"], {"do": "take", "form": request.path_params["form"]})
        )
        headers = {"content-disposition": "attachment; filename*=utf-8''wine-1.py"}
        return with_policy(PlainTextResponse("print('a script')\n", headers=headers))

    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        studio.loop = asyncio.get_running_loop()
        name = socket.path_params["name"]
        recording = studio.recordings.get(name)
        session: Session | None = None
        studio.sockets.append(socket)
        try:
            while True:
                command = json.loads(await socket.receive_text())
                if "ack" in command:
                    studio.acknowledged.append(command["ack"])
                    continue
                studio.commands.append((name, command))
                if recording is None:
                    error = {"rule": "run_missing", "message": f"There is no run {name!r} here.", "hint": ""}
                    await socket.send_text(json.dumps({"reply": command["id"], "error": error}))
                    continue
                if session is None:
                    session = Session(studio, socket, recording, deepcopy(recording.state))
                    studio.deaf = False
                elif command["do"] == "hello":  # a beat
                    await socket.send_text(json.dumps({"reply": command["id"], "protocol": 1}))
                    continue
                if not studio.deaf or command["do"] == "hello":
                    await session.answer(command)
        except (WebSocketDisconnect, RuntimeError):
            if session and session.playing:
                session.playing.cancel()
        finally:
            studio.sockets.remove(socket)

    return Starlette(
        routes=[
            Route("/run/{name}", page),
            Route("/page/{file:path}", file),
            Route("/words/{language}", words),
            Route("/api/take/{run}/{form}", taken),
            WebSocketRoute("/socket/run/{name}", socket),
        ]
    )


@contextmanager
def served(recordings: dict[str, Recording], port: int = 0) -> Iterator[FakeStudio]:
    """The studio on a port of this machine, in a thread."""
    studio = FakeStudio(recordings)
    server = uvicorn.Server(
        uvicorn.Config(app(studio), port=port, log_level="warning", ws="websockets-sansio")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    studio.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield studio
    finally:
        server.should_exit = True
        thread.join(HANG)
