"""The life of ``treino mcp``: how it begins, and that a training is saved whoever goes first."""

import importlib.util
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.conftest import Said
from tests.waiting import until

from apps.agents.tests.client import agent_in
from treino.folders.store import RunFolder

SCRIPT = """
import torch

net = torch.nn.Linear(2, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(20):
    x, y = torch.randn(8, 2), torch.randint(3, (8,))
    torch.nn.functional.cross_entropy(net(x).softmax(1), y).backward()
    optimizer.step()
"""
NET = "from torch import nn\n\n\ndef Net():\n    return nn.Linear(4, 3)\n"
SHADOW = "open({mark!r}, 'w').close()\n"
LONG = {"data": "iris", "hidden": [6], "epochs": 1_000_000, "patience": 0, "name": "long"}


# ---- how it begins


def test_what_it_cannot_serve_is_said(treino: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    missing = treino("mcp", "nowhere")
    assert missing.status == 2
    assert "There is no folder nowhere." in missing.err
    Path("a.csv").write_text("x\n1\n")
    assert "There is no folder a.csv." in treino("mcp", "a.csv").err
    assert treino("mcp", "--json").document["error"]["rule"] == "mcp_json"
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "mcp" else find(name))
    without = treino("mcp")
    assert without.status == 2
    assert "The package mcp is not installed." in without.err
    assert "pip install 'treino[mcp]'" in without.err


# ---- a client that speaks by hand, so that it can go as it likes


class Pipes:
    """A client without a library: lines of JSON over pipes."""

    def __init__(self, folder: Path, warm: Path) -> None:
        theirs, to_server = os.pipe()
        from_server, ours = os.pipe()
        self.server = socket.socket(socket.AF_UNIX)
        self.server.connect(str(warm))
        with (folder.parent / "stderr").open("w") as errors:
            words = "\0".join([str(folder), "mcp", "."]).encode()
            socket.send_fds(self.server, [words], [theirs, ours, errors.fileno()])
        os.close(theirs)
        os.close(ours)
        self.number = int(self.server.recv(99))
        self.stdin, self.stdout = os.fdopen(to_server, "wb"), os.fdopen(from_server, "rb")
        about = {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "a", "version": "1"},
        }
        self.send(id=1, method="initialize", params=about)
        assert self.line()["result"]["serverInfo"]["name"] == "treino"
        self.send(method="notifications/initialized")

    def wait(self) -> None:
        """Wait for the server's end."""
        while self.server.recv(99):
            pass

    def send(self, **message: Any) -> None:
        self.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.stdin.flush()

    def line(self) -> Any:
        return json.loads(self.stdout.readline())

    def train(self) -> None:
        """Begin a long training, and wait for its first progress."""
        parameters = {"name": "train", "arguments": LONG, "_meta": {"progressToken": "t"}}
        self.send(id=2, method="tools/call", params=parameters)
        while "epoch" not in self.line().get("params", {}).get("message", ""):
            pass


def left(folder: Path) -> list[psutil.Process]:
    """The processes that work in the folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def stdin_closed(client: Pipes) -> None:
    client.stdin.close()


def pipes_gone(client: Pipes) -> None:
    """As if the client was killed."""
    client.stdin.close()
    client.stdout.close()


def group_terminated(client: Pipes) -> None:
    """As clients do where a server doesn't end at once."""
    os.killpg(client.number, signal.SIGTERM)


def server_killed(client: Pipes) -> None:
    os.kill(client.number, signal.SIGKILL)


def interrupted(client: Pipes) -> None:
    os.kill(client.number, signal.SIGINT)


@pytest.fixture
def pipes(tmp_path: Path, warm: Path) -> Iterator[Pipes]:
    (tmp_path / "own").mkdir()
    client = Pipes(tmp_path / "own", warm)
    yield client
    client.server.close()  # which ends it
    for stream in (client.stdin, client.stdout):
        with suppress(BrokenPipeError):
            stream.close()


@pytest.mark.slow
@pytest.mark.parametrize("goes", [stdin_closed, pipes_gone, group_terminated, server_killed, interrupted])
def test_a_training_is_saved_and_nothing_is_left(
    pipes: Pipes, tmp_path: Path, goes: Callable[[Pipes], None]
) -> None:
    pipes.train()
    goes(pipes)
    pipes.wait()
    until(lambda: not left(tmp_path / "own"))
    run = RunFolder.open(tmp_path / "own/runs/long")
    assert run.status == "interrupted"
    assert run.has("result.json")
    assert len(run.database.losses()) > 0
    assert "Traceback" not in (tmp_path / "stderr").read_text()


def test_lines_that_are_no_messages_do_not_end_it(pipes: Pipes) -> None:
    pipes.stdin.write(b'not JSON\n{"jsonrpc": "2.0"}\n\xff\xfe\n[]\n{"id": "\\ud800"}\n')
    pipes.send(id=7, method="tools/call", params={"name": "show"})
    pipes.send(id=8, method="no/such/method")
    answers = {}
    while not {7, 8} <= answers.keys():
        answer = pipes.line()
        answers[answer.get("id")] = answer
    assert answers[7]["result"]["structuredContent"] == {"runs": []}
    assert "error" in answers[8]


# ---- code


@pytest.mark.proof
def test_a_server_of_its_own_trains_and_imports_no_file_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    mark = str(tmp_path / "mark")
    for name in ("torch", "treino", "numpy", "json", "sitecustomize", "usercustomize", "mcp", "anyio"):
        (folder / f"{name}.py").write_text(SHADOW.format(mark=mark))
    with agent_in(folder) as agent:
        assert agent.document("train", data="iris", steps=5)["status"] == "finished"
    assert not Path(mark).exists()


@pytest.mark.slow
def test_a_server_with_trust_runs_networks_and_scripts(tmp_path: Path, warm: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "net.py").write_text(NET)
    (folder / "train.py").write_text(SCRIPT)
    with agent_in(folder, "--trust", warm=warm) as agent:
        document = agent.document("train", data="iris", net="net.py:Net", steps=9, name="own")
        assert document["parameters"] == 15
        (folder / "net.py").unlink()
        refused = agent.refusal("predict", run="own", data="iris")
        assert "trust" in refused["hint"]
        assert agent.document("predict", run="own", data="iris", trust=True)["rows"] == 150
        again = agent.document("steer", action="branch", run="own", step=4, changes={"lr": 0.1}, trust=True)
        assert again["changes"][0]["sender"] == "agent"
        found = agent.document("doctor", subject="train.py", max_steps=5, arguments=["--x"])
        assert "missing_zero_grad" in [finding["rule"] for finding in found["findings"]]
        assert found["steps"] == 5


IN_WAIT = """
[doctor]
module = "evil"
[train]
out = "../outside/run"
validation = "../outside/secret.csv"
epochs = 3
[sweep]
space = ["space.toml"]
[predict]
to = "../outside/predictions.csv"
"""


@pytest.mark.proof
def test_a_file_of_options_in_the_folder_is_not_read(tmp_path: Path, warm: Path) -> None:
    """Whoever wrote it could choose for the agent what runs, and what is read and written."""
    folder, outside = tmp_path / "own", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "secret.csv").write_text("a,b\n1,2\n")
    (folder / "treino.toml").write_text(IN_WAIT)
    (folder / "space.toml").write_text('net = ["evil.py:Net"]\n')
    (folder / "evil.py").write_text("open('ran', 'w').close()\n" + NET)
    with agent_in(folder, warm=warm) as agent:
        assert agent.document("train", data="iris", hidden=[4], epochs=1, name="one")["epochs"] == 1
        agent.document("sweep", data="iris", space=["lr=0.01|0.1"], members=2, epochs=1, fresh=0)
        agent.document("predict", run="one", data="iris")
        assert agent.document("doctor")["subject"] == "installation"
    assert (folder / "runs/one").is_dir()
    assert not (folder / "ran").exists()
    assert [path.name for path in outside.iterdir()] == ["secret.csv"]
