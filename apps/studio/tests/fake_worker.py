"""A worker and trainer for tests: speaks the channel, makes small frames, trains nothing.

Its arguments: ``worker`` or ``trainer``, the file into which it writes what it is asked to do, bytes of a
frame.
"""

import json
import os
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import RootModel

from treino_studio.process import Channel


def frame(number: int, size: int) -> bytes:
    """A frame of the protocol with ``size`` bytes of the part ``winner``."""
    header = {
        "frame": number, "run": "run", "segment": 0, "step": number, "live": True, "time": time.time(),
        "shows": "plane", "parts": [{"name": "winner", "type": "u1", "shape": [1, size]}],
    }  # fmt: skip
    text = json.dumps(header).encode()
    text += b" " * (-(4 + len(text)) % 8)
    return struct.pack("<I", len(text)) + text + bytes(size) + b"\0" * (-size % 8)


class FakeWorker:
    """What a worker does, for pages of runs that need not exist."""

    def __init__(self, name: str, asked: Path, size: int) -> None:
        self.name, self.asked, self.size = name, asked, size
        self.channel = Channel.of_child()
        self.frames = 0

    def run(self) -> None:
        with suppress(EOFError):
            while (message := self.channel.receive(None)) is not None:
                self.obey(message[0])

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        self.channel.send(RootModel(header), body)

    def send_frame(self, key: str) -> None:
        self.frames += 1
        self.send({"key": key, "frame": self.frames}, frame(self.frames, self.size))

    def obey(self, request: dict[str, Any]) -> None:
        if request["do"] == "command":
            command = request.pop("command")
            request |= {name: value for name, value in command.items() if name != "id"}
        with self.asked.open("a") as file:
            file.write(json.dumps({"process": self.name, **request}) + "\n")
        key, number = request.get("key", ""), request.get("id")
        match request["do"]:
            case "open":
                self.send({"key": key, "send": {"state": {"kind": "run", "playing": False}}})
                self.send({"key": key, "send": {"points": {"rows": []}}})
                curves = {"run": "run", "from": 0, "step": [1, 2], "loss": [0.5, float("nan")]}
                self.send({"key": key, "send": {"curves": curves}})
                self.send_frame(key)
            case "close":
                pass
            case "quit":
                sys.exit()
            case "play":  # as a worker asks the trainer to go on with a run that was stopped
                self.send({"trainer": {"do": "resume", "run": request["key"], "id": number}})
            case "pause":
                state = {"kind": "run", "playing": False, "text": "paused"}
                self.send({"key": key, "language": "en", "send": {"state": state}})
                state |= {"text": "em pausa"}
                self.send({"key": key, "language": "pt_BR", "send": {"state": state}})
                self.send({"reply": number})
            case "step":
                more = {"run": "run", "from": 2, "step": [3], "loss": [0.25]}
                self.send({"key": key, "send": {"curves": more}})
                self.send_frame(key)
                self.send({"reply": number, "content": {"count": request["count"]}})
            case "stop":
                print("as it was asked to", file=sys.stderr)
                os._exit(7)
            case "look":  # the answer takes a while
                time.sleep(0.3)
                self.send({"reply": number})
            case "take":
                self.send({"reply": number, "file": "run.py"}, b"print('hello')\n")
            case "train" | "resume":
                self.send({"reply": number, "run": "wine-1"})
            case "fan":
                error = {"rule": "fan_count", "message": "No.", "hint": "Less.", "status": 1}
                self.send({"reply": number, "error": error})
            case _ if number is not None:
                self.send({"reply": number})


if __name__ == "__main__":
    FakeWorker(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])).run()
