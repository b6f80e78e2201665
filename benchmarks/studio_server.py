"""Frames from the studio's server: how many, how old, to one viewer, to 50, to 1,000, and to a slow one.

Server, worker and viewers are three processes on loopback. The worker makes frames that hold the time of
their making; a viewer acknowledges each frame when it has it, or a slow one when it has drawn it.
"""

import asyncio
import base64
import json
import os
import resource
import struct
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil

from benchmarks.result import Result, Table

SIZE = 72_000  # bytes of a frame of a table with two hidden layers
SECONDS = 8.0
WARM = 2.0
MEGABYTE = 2**20


@dataclass
class Viewed:
    """What one viewer got. ages: seconds from a frame's making to when the viewer had it, or had drawn it."""

    ages: list[float] = field(default_factory=list)


async def view(
    port: int, cookie: str, number: int, viewed: Viewed, begin: float, draw_s: float, place: str = "run/run"
) -> None:
    """A viewer, without a library: its own work must not be what is measured. place: of its page."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    try:
        await _view(reader, writer, port, cookie, number, viewed, begin, draw_s, place)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _view(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    port: int,
    cookie: str,
    number: int,
    viewed: Viewed,
    begin: float,
    draw_s: float,
    place: str,
) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /socket/{place} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
        f"Cookie: treino_{port}={cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101"), answer
    say(writer, {"id": 1, "do": "hello", "protocol": 1, "viewer": f"viewer-{number}"})
    while True:
        opcode, length = await reader.readexactly(2)
        if length == 126:
            (length,) = struct.unpack(">H", await reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", await reader.readexactly(8))
        data = await reader.readexactly(length)
        if opcode != 0x82:
            continue
        header = json.loads(data[4 : 4 + struct.unpack_from("<I", data)[0]])
        if draw_s:
            await asyncio.sleep(draw_s)
        now = time.time()
        if now > begin:
            viewed.ages.append(now - header["time"])
        say(writer, {"ack": header["frame"]})


def say(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    """A text in one masked frame; the mask is zero, which the protocol allows."""
    text = json.dumps(message).encode()
    assert len(text) < 126
    writer.write(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)


def measure(viewers: int, rate: float, seconds: float, draw_s: float = 0.0) -> tuple[list[Viewed], float]:
    """-> what each viewer got, and the largest memory of the server in bytes."""
    command = [sys.executable, "-m", "benchmarks.studio_frames", "serve", str(rate), str(SIZE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port, cookie, pid = process.stdout.readline().split()
        views = [Viewed() for _ in range(viewers)]
        memory = 0.0

        async def main() -> None:
            nonlocal memory
            begin = time.time() + WARM + viewers / 200
            tasks = [
                asyncio.create_task(view(int(port), cookie, number, viewed, begin, draw_s))
                for number, viewed in enumerate(views)
            ]
            server = psutil.Process(int(pid))
            while time.time() < begin + seconds:
                await asyncio.sleep(0.5)
                memory = max(memory, server.memory_info().rss)
            for task in tasks:
                task.cancel()
            for failure in await asyncio.gather(*tasks, return_exceptions=True):
                if not isinstance(failure, asyncio.CancelledError):
                    raise RuntimeError("a viewer was lost") from failure

        try:
            asyncio.run(main())
        finally:
            process.terminate()
            process.wait()
    return views, memory


CASES = (  # what, viewers, frames a second, seconds to draw one, budget of the median age, of the 99th in 100
    ("one viewer", 1, 60.0, 0.0, 0.020, 0.100),
    ("50 viewers", 50, 20.0, 0.0, 0.050, 0.200),
    ("1,000 viewers", 1000, 10.0, 0.0, None, 1.0),
    ("one that draws 5 frames a second", 1, 60.0, 0.2, None, 0.5),
)


def run(quick: bool) -> Result:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    rows, figures = [], dict[str, Any]()
    for what, viewers, rate, draw_s, median_s, last_s in CASES:
        views, memory = measure(viewers, rate, 2.0 if quick else SECONDS, draw_s)
        ages = np.concatenate([viewed.ages for viewed in views])
        share = min(len(viewed.ages) for viewed in views) / (2.0 if quick else SECONDS)
        median, last = np.quantile(ages, [0.5, 0.99])
        kept = (median_s is None or median <= median_s) and last <= last_s
        kept &= memory < 300 * MEGABYTE
        budget = f"{'' if median_s is None else f'{1000 * median_s:.0f} / '}{1000 * last_s:.0f} ms"
        cells = (
            what, f"{rate:.0f}", f"{share:.1f}", f"{1000 * median:.0f} ms", f"{1000 * last:.0f} ms",
            f"{1000 * ages.max():.0f} ms", f"{memory / MEGABYTE:.0f} MB", budget, "yes" if kept else "no",
        )  # fmt: skip
        rows.append(cells)
        figures[what] = f"{1000 * median:.0f} / {1000 * last:.0f} ms"
    heads = ("", "made a second", "got a second", "age", "99 in 100", "oldest", "server", "budget", "kept")
    return Result(
        (Table("Frames from the studio's server", heads, tuple(rows)),),
        f"Frames of {SIZE:,} bytes for {SECONDS:.0f} seconds. Age: from a frame's making in the worker to "
        "when a viewer had it (had drawn it, of the slow one). Got a second: by the viewer that got least. "
        "Server: its largest memory, for which the budget is 300 MB. The viewers share the machine's cores "
        "with it.",
        ("What the worker takes to make a frame, and the browser to draw it.",),
        figures=figures,
    )
