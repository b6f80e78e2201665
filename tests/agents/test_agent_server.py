"""The life of ``treino mcp``: how it begins, and that a training is saved whoever goes first."""

import importlib.util
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.agents.client import COMMAND, agent_in, environment
from tests.agents.test_agent_tools import NET, SCRIPT
from tests.conftest import Said
from tests.waiting import until
from treino.store import RunFolder

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

    def __init__(self, folder: Path) -> None:
        with (folder.parent / "stderr").open("w") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, str(folder)],
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        about = {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "a", "version": "1"},
        }
        self.send(id=1, method="initialize", params=about)
        assert self.line()["result"]["serverInfo"]["name"] == "treino"
        self.send(method="notifications/initialized")

    def send(self, **message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def line(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

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
    assert client.process.stdin is not None
    client.process.stdin.close()


def pipes_gone(client: Pipes) -> None:
    """As if the client was killed."""
    stdin_closed(client)
    assert client.process.stdout is not None
    client.process.stdout.close()


def group_terminated(client: Pipes) -> None:
    """As clients do where a server doesn't end at once."""
    os.killpg(client.process.pid, signal.SIGTERM)


def server_killed(client: Pipes) -> None:
    client.process.kill()


def interrupted(client: Pipes) -> None:
    client.process.send_signal(signal.SIGINT)


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    (tmp_path / "own").mkdir()
    client = Pipes(tmp_path / "own")
    yield client
    client.process.kill()
    client.process.wait()
    for stream in (client.process.stdin, client.process.stdout):
        assert stream is not None
        with suppress(BrokenPipeError):
            stream.close()


@pytest.mark.slow
@pytest.mark.parametrize("goes", [stdin_closed, pipes_gone, group_terminated, server_killed, interrupted])
def test_a_training_is_saved_and_nothing_is_left(
    pipes: Pipes, tmp_path: Path, goes: Callable[[Pipes], None]
) -> None:
    pipes.train()
    goes(pipes)
    pipes.process.wait(600)
    until(lambda: not left(tmp_path / "own"))
    run = RunFolder.open(tmp_path / "own/runs/long")
    assert run.status == "interrupted"
    assert run.has("result.json")
    assert len(run.database.losses()) > 0
    assert "Traceback" not in (tmp_path / "stderr").read_text()


@pytest.mark.slow
def test_lines_that_are_no_messages_do_not_end_it(pipes: Pipes) -> None:
    assert pipes.process.stdin is not None
    pipes.process.stdin.write(b'not JSON\n{"jsonrpc": "2.0"}\n\xff\xfe\n[]\n{"id": "\\ud800"}\n')
    values = [r'"a\udfff"', "[" * 400 + "]" * 400, "[" * 90_000 + "]" * 90_000, "7" * 6000]
    for number, value in enumerate(values, 20):  # none is answered by nothing
        pipes.process.stdin.write(
            b'{"jsonrpc": "2.0", "id": %d, "method": "tools/call", "params": {"name": "show", '
            b'"arguments": {"run": %s}}}\n' % (number, value.encode())
        )
        pipes.process.stdin.flush()
        answer = pipes.line()
        assert (answer["id"], "can't be read" in answer["error"]["message"]) == (number, True)
    pipes.send(id=7, method="tools/call", params={"name": "show"})
    pipes.send(id=8, method="no/such/method")
    answers = {}
    while not {7, 8} <= answers.keys():
        answer = pipes.line()
        answers[answer.get("id")] = answer
    assert answers[7]["result"]["structuredContent"] == {"runs": []}
    assert "error" in answers[8]


# ---- code


@pytest.mark.slow
def test_files_in_the_folder_are_not_imported(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    mark = str(tmp_path / "mark")
    for name in ("torch", "treino", "numpy", "json", "sitecustomize", "usercustomize", "mcp", "anyio"):
        (folder / f"{name}.py").write_text(SHADOW.format(mark=mark))
    with agent_in(folder) as agent:
        agent.document("train", data="iris", steps=5)
        agent.document("show", run="last", picture=["curves"])
    assert not Path(mark).exists()


@pytest.mark.slow
def test_a_server_with_trust_runs_networks_and_scripts(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "net.py").write_text(NET)
    (folder / "train.py").write_text(SCRIPT)
    with agent_in(folder, "--trust") as agent:
        document = agent.document("train", data="iris", net="net.py:Net", steps=9, name="own")
        assert document["parameters"] == 15
        (folder / "net.py").unlink()
        refused = agent.refusal("predict", run="own", data="iris")
        assert "trust" in refused["hint"]
        assert agent.document("predict", run="own", data="iris", trust=True)["rows"] == 150
        again = agent.document("steer", action="branch", run="own", step=4, changes={"lr": 0.1}, trust=True)
        assert again["changes"][0]["sender"] == "agent"
        rules = [f["rule"] for f in agent.document("doctor", subject="train.py")["findings"]]
        assert "missing_zero_grad" in rules
        assert agent.document("doctor", subject="train.py", max_steps=5, arguments=["--x"])["steps"] == 5
