"""``treino serve`` in a process of its own, and the exported folder in an environment without treino."""

import ast
import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.conftest import Treino
from tests.quick_ends import _quick_ends  # noqa: F401
from tests.waiting import until

import treino as tr
from treino.base import connections
from treino.data import cell_forms, load, plain_cells
from treino.folders.prediction import predict
from treino.reports.export.formats import exported
from treino_service import environment, request_rows, verb

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of the wines, in runs/."""
    folder = tmp_path_factory.mktemp("parent")
    tr.fit("wine", epochs=3, parent=folder / "runs", name="wine", recipe="plain", lean=True)
    return folder


def asked(address: str, path: str, rows: Any = None, token: str = "") -> tuple[int, Any]:
    """The status and the document of an answer."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    data = None if rows is None else json.dumps(rows).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(address + path, data, headers)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def _answers(address: str) -> bool:
    with suppress(OSError):
        return asked(address, "/health")[0] == 200
    return False


def test_what_is_served_is_the_file_that_is_written(
    parent: Path, treino: Treino, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the modules by which treino reads cells, whole."""
    ran, run = list[str](), lambda _sockets: None
    app = {"app": None, "server": lambda _app: SimpleNamespace(run=run)}
    monkeypatch.setattr(verb, "run_path", lambda path: ran.append(path) or app)
    said = treino("serve", parent / "runs/wine", "--port", 0, "--json")
    assert (said.status, ran) == (0, [f"{said.document['service']['path']}/app.py"])
    packed = ast.parse(Path(ran[0]).read_text("utf-8")).body
    for module in cell_forms, plain_cells, connections, environment, request_rows:
        whole = ast.parse(inspect.getsource(module)).body[1:]
        own = [node for node in whole if not str(getattr(node, "module", "")).startswith("treino")]
        first = next(n for n, node in enumerate(packed) if ast.dump(node) == ast.dump(own[-1])) + 1
        assert [*map(ast.dump, packed[first - len(own) : first])] == [*map(ast.dump, own)], module
    assert not any(str(getattr(node, "module", "")).startswith("treino") for node in packed)


@contextmanager
def served(folder: Path, *flags: str, **environment: str) -> Iterator[tuple["subprocess.Popen[str]", Any]]:
    """A process that serves, and the document that it printed."""
    words = [sys.executable, "-m", "treino", "serve", "wine", "--port", "0", "--json", *flags]
    process = subprocess.Popen(
        words,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    assert process.stdout is not None
    try:
        yield process, json.loads(process.stdout.readline())["service"]
    finally:
        process.kill()
        process.communicate()


def example_of(address: str) -> Any:
    post = asked(address, "/openapi.json")[1]["paths"]["/predict"]["post"]
    return post["requestBody"]["content"]["application/json"]["example"]


@pytest.mark.release
def test_it_answers_until_ctrl_c(parent: Path) -> None:
    with served(parent) as (process, document):
        address = document["address"]
        assert address.startswith("http://127.0.0.1:")
        assert document["token"] is None
        assert asked(address, "/health") == (200, {"status": "ok"})
        assert asked(address, "/predict", example_of(address))[1]["rows"] == 1
        half = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))
        half.sendall(b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n[")
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=60)
        assert (process.returncode, "The service has ended." in err, "Traceback" in err) == (130, True, False)
        half.close()
        with pytest.raises(OSError, match="refused"):
            asked(address, "/health")


@pytest.mark.release
def test_others_need_the_token(parent: Path) -> None:
    with served(parent, "--host", "0.0.0.0") as (_process, document):
        address = document["address"].replace("0.0.0.0", "127.0.0.1")
        rows = example_of(address)
        assert len(document["token"]) > 30
        assert asked(address, "/predict", rows)[0] == 401
        assert asked(address, "/predict", rows, document["token"])[0] == 200
    with served(parent, TREINO_TOKEN="own") as (_process, document):
        assert document["token"] == "own"
        assert asked(document["address"], "/metadata")[0] == 401
        assert asked(document["address"], "/metadata", token="own")[1]["run"] == "wine"


def test_an_address_that_can_t_be_had_is_a_sentence(parent: Path, treino: Treino) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = treino("serve", parent / "runs/wine", "--port", port)
        assert (said.status, f"Port {port} of 127.0.0.1 can't be used" in said.err) == (1, True)
    for port in 70000, -1:
        assert treino("serve", parent / "runs/wine", f"--port={port}").status == 2
    for host in "no.such.host.invalid", "192.0.2.1":
        said = treino("serve", parent / "runs/wine", "--host", host)
        assert (said.status, "can't be used" in said.err, "Traceback" in said.err) == (1, True, False)


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has pip and nothing else."""
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder, with_pip=True, symlinks=True)
    return folder / "bin/python"


@pytest.mark.release
@pytest.mark.skipif(sys.platform != "linux", reason="paths of virtual environments are Linux's")
def test_the_folder_needs_its_requirements_alone(parent: Path, alone: Path) -> None:
    """A thousand rows, and twenty requests at once."""
    run = tr.open(parent / "runs/wine")
    folder = exported(run, "service").paths[0]
    pip = [alone, "-m", "pip", "install", "-q", "--no-compile", "-r", folder / "requirements.txt"]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode and "No matching distribution" not in done.stderr:
        pytest.skip(f"needs PyPI: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [alone, "-I", folder / "app.py", "--port", port]
    process = subprocess.Popen([*map(str, words)], cwd=parent, stderr=subprocess.PIPE)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(address), process)
        data = load("wine", validation=0, test=0)
        x_ND = data.preparation.inverse(data.train.x)
        names = data.features
        rows = [
            dict(zip(names, map(float, x_ND[n % len(x_ND)] * (1 + n / 9999)), strict=True))
            for n in range(1000)
        ]
        lines = parent / "rows.jsonl"
        lines.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        wanted = predict(run, lines).to_json()["predictions"]
        status, document = asked(address, "/predict", rows)
        assert (status, document["rows"]) == (200, 1000)
        parts = [rows[first : first + 50] for first in range(0, 1000, 50)]
        with ThreadPoolExecutor(20) as pool:
            answers = [*pool.map(lambda part: asked(address, "/predict", part)[1]["predictions"], parts)]
        for got in document["predictions"], [one for answer in answers for one in answer]:
            for one, own in zip(got, wanted, strict=True):
                assert one["prediction"] == own["prediction"]
                assert one["probabilities"] == pytest.approx(own["probabilities"], abs=1e-5)
        assert asked(address, "/predict", [rows[0]] * 10_001)[0] == 413
        assert asked(address, "/predict", [rows[0] | {"hue": "red"}])[1]["error"]["column"] == "hue"
    finally:
        process.kill()
        process.communicate()
