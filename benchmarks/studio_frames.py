"""The studio's server with a worker that only makes frames; for ``benchmarks/studio_server.py``."""

import asyncio
import json
import os
import struct
import sys
import tempfile
import time
from pathlib import Path

from treino_studio.process import Channel
from treino_studio.relay import Commands
from treino_studio.serving import serving

NAME = "run"


def frame(number: int, size: int) -> bytes:
    """A frame of the protocol with so many bytes of pictures, and the time at which it was made."""
    part = {"name": "winner", "type": "u1", "shape": [1, size]}
    text = json.dumps({"frame": number, "run": NAME, "time": time.time(), "parts": [part]}).encode()
    text += b" " * (-(4 + len(text)) % 8)
    return struct.pack("<I", len(text)) + text + bytes(size + -size % 8)


def work(rate: float, size: int) -> None:
    """A worker: ``rate`` frames a second for the page that is open, until the server ends."""
    channel, key, number, due = Channel.of_child(), "", 0, time.monotonic()
    while True:
        try:
            message = channel.receive(max(0.0, due - time.monotonic()))
        except EOFError:
            return
        if message is not None:
            if message[0]["do"] == "open":
                key = message[0]["key"]
        elif key:
            number, due = number + 1, max(due + 1 / rate, time.monotonic())
            channel.send({"key": key, "frame": number}, frame(number, size))
        else:
            due = time.monotonic() + 0.05


async def serve(rate: str, size: str) -> None:
    """A server; its port, cookie and process as the first line of stdout."""
    command = [sys.executable, "-m", "benchmarks.studio_frames", "work", rate, size]
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / NAME).mkdir()
        with serving(Path(place), port=0, commands=Commands(command, command)) as found:
            found.studio.start.set_result("/")
            print(found.port, found.guard.steer.cookie, os.getpid(), flush=True)
            await found.run()


if __name__ == "__main__":
    if sys.argv[1] == "work":
        work(float(sys.argv[2]), int(sys.argv[3]))
    else:
        asyncio.run(serve(sys.argv[2], sys.argv[3]))
