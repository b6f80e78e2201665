"""``treino studio`` as a process: what it prints, trains, refuses, and leaves behind."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
from tests.conftest import Said
from tests.waiting import HANG, ignored, until

import treino as tr


@contextmanager
def studio(
    folder: Path, *words: str, arguments: Sequence[str] = ()
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The program, once it listens, and what it says of itself."""
    command = [sys.executable, "-m", "treino", "studio", *words, "--no-browser", "--json", "--", *arguments]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def ask(document: dict[str, Any], address: str, **headers: str) -> http.client.HTTPMessage:
    """The headers of the answer, which leads elsewhere."""
    with closing(http.client.HTTPConnection("127.0.0.1", document["studio"]["port"], timeout=HANG)) as found:
        found.request("GET", address, headers=headers)
        answer = found.getresponse()
        answer.read()
    assert answer.status == 303
    return answer.headers


def cookie(document: dict[str, Any]) -> str:
    """What a browser has after opening the address."""
    parts = urlsplit(document["studio"]["address"])
    assert len(parse_qs(parts.query)["token"][0]) == 43
    return str(ask(document, f"{parts.path}?{parts.query}")["set-cookie"]).partition(";")[0]


def first_page(document: dict[str, Any]) -> str:
    """Where the first page leads, once it is there, in the language of the tests."""
    of_browser = cookie(document)

    def address() -> str | None:
        found, _sign, query = str(ask(document, "/", Cookie=of_browser)["location"]).partition("?")
        assert query == "lang=en"
        asked = str(ask(document, "/?lang=pt", Cookie=of_browser)["location"])
        assert asked.partition("?")[2] == "lang=pt"  # who asks for a language of his own keeps it
        return None if found == "/start" else found

    return until(address)


@pytest.mark.release
def test_a_training_is_saved_at_ctrl_c(tmp_path: Path) -> None:
    words = ["wine", "--epochs", "10000000", "--patience", "0", "--name", "one", "--port", "0"]
    with studio(tmp_path, *words) as (process, document):
        assert document["studio"].keys() == {"address", "watch_address", "port", "pid"}
        assert first_page(document) == "/run/one"
        until(lambda: len(tr.open(tmp_path / "runs" / "one", verify=False).losses))
        os.kill(document["studio"]["pid"], signal.SIGINT)
        out, err = process.communicate(timeout=HANG)
        assert process.returncode == 130, err
        assert out == ""
        assert "Traceback" not in err
    run = tr.open(tmp_path / "runs" / "one")
    assert run.status == "interrupted"
    assert run.steps > 0


@pytest.mark.slow
def test_a_training_goes_on_where_the_studio_is_killed(tmp_path: Path) -> None:
    words = "--steps", "6000", "--hidden", "128,128", "--patience", "0", "--name", "one", "--port", "0"
    with studio(tmp_path, "wine", *words) as (process, document):
        assert first_page(document) == "/run/one"
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        until(lambda: tr.open(tmp_path / "runs" / "one", verify=False).status == "finished")
        assert len(tr.open(tmp_path / "runs" / "one").losses) == 6_000
        until(lambda: not any(child.is_running() for child in children))


@pytest.mark.release
def test_what_is_wrong_with_the_data_ends_the_studio(tmp_path: Path) -> None:
    with studio(tmp_path, "wein", "--port", "0") as (process, _document):
        _out, err = process.communicate(timeout=HANG)
        assert process.returncode == 2
        assert "wein" in err
        assert "wine" in err
        assert "Traceback" not in err


@pytest.mark.slow
def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with studio(tmp_path, "--port", str(port)) as (process, document):
            assert document["studio"]["port"] > port
            process.send_signal(signal.SIGTERM)
            _out, err = process.communicate(timeout=HANG)
            assert process.returncode == 130
            assert f"Port {port} is taken" in err


@pytest.mark.slow
def test_a_studio_in_the_background_ends_neither_with_its_neighbour_nor_with_its_terminal(
    tmp_path: Path,
) -> None:
    with ignored(signal.SIGINT, signal.SIGHUP), studio(tmp_path, "--port", "0") as (process, document):
        assert cookie(document)  # it answers, so it has taken its signals
        for number in (signal.SIGINT, signal.SIGHUP):
            process.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        assert cookie(document)
        process.send_signal(signal.SIGTERM)
        _out, err = process.communicate(timeout=HANG)
        assert process.returncode == 130, err


@pytest.mark.release
def test_a_script_gets_its_arguments_and_ends_with_the_studio(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "import pathlib, torch, sys\n"
        "net = torch.nn.Linear(3, 1); optimizer = torch.optim.SGD(net.parameters(), lr=0.01)\n"
        "assert sys.argv[1:] == ['--epochs', '3']\n"
        "for step in range(100000):\n"
        "    optimizer.zero_grad(); net(torch.ones(4, 3)).square().mean().backward(); optimizer.step()\n"
        "    pathlib.Path('trains').touch()\n"
    )
    words = ["train.py", "--port", "0"]
    with studio(tmp_path, *words, arguments=["--epochs", "3"]) as (process, document):
        assert first_page(document) == "/script"
        until((tmp_path / "trains").is_file)
        children = psutil.Process(process.pid).children()
        (script,) = [each for each in children if "treino_studio.script.runner" in each.cmdline()]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=HANG)
        assert not script.is_running()


@pytest.mark.parametrize(
    ("words", "rule", "said"),
    [
        (["wine", "--lr", "abc"], "lr_type", "abc"),
        (["wine", "--lr", "-1"], "lr_range", "-1"),
        (["train.py"], "script_missing", "train.py"),
        (["last"], "no_runs", "runs"),
        (["--paused"], "studio_flag", "--paused"),
        (["--epochs", "3"], "studio_flag", "--epochs"),
        (["wine", "--replay", "x"], "studio_flag", "--replay"),
        (["wine", "--", "x"], "studio_flag", "x"),
        (["wine", "--port", "70000"], "port_range", "70000"),
        (["wine", "--port", "a"], "usage", "--port"),
        (["wine", "--host", "203.0.113.77"], "no_host", "203.0.113.77"),
    ],
)
def test_bad_input(treino: Callable[..., Said], words: list[str], rule: str, said: str) -> None:
    answer = treino("studio", "--json", "--no-browser", *words)
    assert answer.status == 2
    assert answer.document["error"]["rule"] == rule
    assert said in answer.document["error"]["message"]
    assert "Traceback" not in answer.err


@pytest.mark.slow
def test_the_server_imports_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys, treino_studio.verb, treino_studio.serving, treino_studio.script_page;"
        "print([name for name in ('torch', 'numpy', 'pandas', 'sklearn') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
