"""Training scripts as people write them, and a server's side that watches and steers one."""

import hashlib
import os
import socket
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import HANG

from treino_studio.script.commands import buttons
from treino_studio.script.json_socket import VARIABLE
from treino_studio.script.process import ScriptProcess
from treino_studio.script.run import run

Message = dict[str, Any]
Send = Callable[[Message], object]
Answer = Callable[[Message, Send], None]

PRELUDE = """
import os, sys, hashlib, torch
import treino as tr
torch.manual_seed(0)
x = torch.randn(32, 5); y = x.sum(1, keepdim=True)
from torch import nn
net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))
def digest():
    return hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in net.parameters())).hexdigest()
def loss_of():
    return (net(x) - y).pow(2).mean()
def train(steps, after=lambda step: None):
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        after(step)
"""
ADAM = "optimizer = torch.optim.Adam(net.parameters(), lr=0.01)\n"


def script(folder: Path, text: str, *, prelude: str = PRELUDE, name: str = "train.py") -> Path:
    path = folder / name
    path.write_text(prelude + textwrap.dedent(text))
    return path


@dataclass
class Seen:
    """What a server saw of a script. out, err: of the script's process."""

    messages: list[Message] = field(default_factory=list)
    status: int | None = None
    out: str = ""
    err: str = ""

    def all(self, key: str) -> list[Any]:
        return [m[key] for m in self.messages if key in m]

    @property
    def steps(self) -> list[Message]:
        return [m for m in self.messages if "step" in m]

    @property
    def losses(self) -> list[Any]:
        return [loss for m in self.steps for loss in m["losses"]]


def nothing(message: Message, send: Send) -> None:
    """A server that only reads."""


def apart(path: Path, *args: str, answer: Answer = nothing, **options: Any) -> Seen:
    """Run a script in a process of its own, as the studio does."""
    seen = Seen()
    with (
        (path.parent / "out").open("w+") as out,
        (path.parent / "err").open("w+") as err,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("treino_studio.script.process.ENDING", HANG)  # to be closed is none of its ends
        process = ScriptProcess.start(path, args, stdout=out, stderr=err, **options)
        end = threading.Timer(HANG, process.close)
        end.start()
        for message in process.messages():
            seen.messages.append(message)
            answer(message, process.send)
        end.cancel()
        seen.status = process.close()
        seen.out, seen.err = ((path.parent / name).read_text() for name in ("out", "err"))
    return seen


def here(
    path: Path,
    *args: str,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer = nothing,
    **options: Any,
) -> Seen:
    """Run a script in this process, whose torch is there already; the server is a thread."""
    import json

    ours, theirs = socket.socketpair()
    buttons.clear()
    seen = Seen()

    def serve() -> None:
        with ours.makefile("r") as lines:
            for line in lines:
                seen.messages.append(message := json.loads(line))
                answer(message, lambda command: ours.sendall(json.dumps(command).encode() + b"\n"))

    server = threading.Thread(target=serve)
    server.start()
    with monkeypatch.context() as patch:
        patch.setattr("treino_studio.script.session.LAST_SECONDS", HANG)
        patch.setenv(VARIABLE, str(os.dup(theirs.fileno())))
        theirs.close()
        seen.status = run(str(path), args, **options)
    server.join()
    ours.close()
    return seen


def at_first_step(*commands: Message) -> Answer:
    """Send these once the first step is seen."""
    waiting = [*commands]

    def answer(message: Message, send: Send) -> None:
        if "step" in message:
            while waiting:
                send(waiting.pop(0))

    return answer


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def weights(said: str) -> str:
    """The last line of an output: the digest of a script's weights."""
    return said.splitlines()[-1]
