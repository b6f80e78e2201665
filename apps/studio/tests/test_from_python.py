"""A studio that Python opens: in a cell, or at a port; its errors, its end with the process."""

import gzip
import json
import subprocess
import sys
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import HANG, until

import treino as tr
from apps.studio.tests.running import FAKE
from treino.base.errors import TreinoError
from treino.training.stored_results import open_run
from treino_studio import from_python
from treino_studio.forks import Forks
from treino_studio.relay import Commands


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was told to open."""
    addresses = list[str]()
    monkeypatch.setattr(from_python, "open_browser", addresses.append)
    return addresses


@pytest.mark.slow
def test_a_run_opens_at_a_port_and_closes(opened: list[str]) -> None:
    run = tr.fit("iris", epochs=1, lean=True)
    server = run.studio()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with browser.open(opened[0], timeout=HANG) as answer:
        assert answer.url.partition("?")[0].endswith(f"/run/{run.name}")
    assert repr(server) == f"StudioServer({server.address.partition('?')[0]!r})"
    server.close()
    server.close()
    with pytest.raises(urllib.error.URLError):
        browser.open(server.address, timeout=HANG)


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        (lambda: tr.studio("train.py"), "script_missing"),
        (lambda: tr.studio("last"), "no_runs"),
        (lambda: tr.studio([1, 2]), "studio_subject"),
        (lambda: tr.studio(None, lr=0.1), "studio_setting"),
        (lambda: tr.studio("wine", lr="fast"), "lr"),
    ],
)
def test_bad_calls_begin_nothing(call: Any, rule: str, opened: list[str], tmp_path: Path) -> None:
    with pytest.raises(TreinoError) as error:
        call()
    assert rule in error.value.rule
    assert error.value.hint
    assert opened == [*tmp_path.iterdir()] == []


def test_a_cell_without_anywidget_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_python, "_in_notebook", lambda: True)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(TreinoError) as error:
        tr.studio("wine")
    assert (error.value.rule, "pip install 'treino[notebook]'" in error.value.hint) == ("no_anywidget", True)


@pytest.mark.slow
def test_a_cell_carries_its_page_what_it_is_told_and_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before fakes of the studio's processes; test_notebook_cell.py has the rest in JupyterLab."""
    pytest.importorskip("anywidget", reason="needs anywidget: pip install anywidget")
    from treino_studio.notebook_cell import StudioCell

    asked, told = tmp_path / "asked.jsonl", list[tuple[dict[str, Any], bytes]]()
    fakes = ([sys.executable, str(FAKE), name, str(asked), "64"] for name in ("worker", "trainer"))
    monkeypatch.setattr(from_python, "COMMANDS", Commands(*fakes))
    monkeypatch.setattr(from_python, "_in_notebook", lambda: True)
    monkeypatch.setattr(
        StudioCell, "send", lambda _cell, message, parts: told.append((message, b"".join(parts)))
    )
    (tmp_path / "runs/wine-1").mkdir(parents=True)
    cell = tr.studio("wine", paused=True)
    assert cell.address == "/run/wine-1"

    def say(number: int, **message: Any) -> None:
        cell._take(cell, {"view": "v", "n": number, **message}, [])

    def texts() -> list[Any]:
        return [json.loads(body or message["text"]) for message, body in told if message["is"] == "text"]

    say(1, do="page")
    (page,) = until(lambda: [body for message, body in told if message["is"] == "page"])
    assert gzip.decompress(page).lower().startswith(b"<!doctype html>")
    say(2, id=1, do="connect", path=cell.address.replace("/", "/socket/", 1))
    for number, command in enumerate(
        ({"do": "hello", "protocol": 1, "viewer": "viewer-1"}, {"do": "pause"}), 1
    ):
        say(2 + number, id=1, do="text", text=json.dumps({"id": number, **command}))
    until(lambda: {"reply": 2} in texts() and any(message["is"] == "bytes" for message, _body in told))
    assert any(each.get("state", {}).get("text") == "paused" for each in texts())
    assert [json.loads(line)["do"] for line in asked.read_text().splitlines()].count("pause") == 1
    cell.close()
    from_python._in_loop(from_python._ends.aclose())
    from_python._studios.clear()


@pytest.mark.parametrize(
    "killed", [pytest.param(False, marks=pytest.mark.release), pytest.param(True, marks=pytest.mark.slow)]
)
def test_what_trains_is_saved_and_nothing_runs_on_when_python_ends(tmp_path: Path, killed: bool) -> None:
    code = """
import os, sys, psutil
import treino as tr
from treino_studio import from_python
from_python.open_browser = lambda address: None
tr.studio("wine", epochs=100_000, patience=0)
print([child.pid for child in psutil.Process().children(recursive=True)], flush=True)
sys.stdin.read()
"""
    pipe, line = subprocess.PIPE, [sys.executable, "-c", code]
    process = subprocess.Popen(line, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert process.stdout is not None
    children = [int(pid) for pid in process.stdout.readline().strip("[]\n").split(",")]
    assert len(children) == (3 if Forks.there else 2)  # what draws, what trains, what both are forked from
    if killed:
        process.kill()
    _out, errors = process.communicate(timeout=HANG)
    assert (process.returncode == 0, "Traceback" in errors) == (not killed, False)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
    assert open_run(tmp_path / "runs/wine-1").status == "interrupted"
