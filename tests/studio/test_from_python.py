"""A studio that Python opens outside a notebook: its page at a port, its errors, its end with the process."""

import subprocess
import sys
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

import treino as tr
from tests.waiting import HANG, until
from treino.errors import TreinoError
from treino.folders import open_run
from treino.studio import from_python


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
        assert answer.url.endswith(f"/run/{run.name}")
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
@pytest.mark.parametrize("killed", [False, True])
def test_what_trains_is_saved_and_nothing_runs_on_when_python_ends(tmp_path: Path, killed: bool) -> None:
    code = """
import os, sys, psutil
import treino as tr
from treino.studio import from_python
from_python.open_browser = lambda address: None
tr.studio("wine", epochs=100_000, patience=0)
print([child.pid for child in psutil.Process().children(recursive=True)], flush=True)
sys.stdin.read()
"""
    pipe, line = subprocess.PIPE, [sys.executable, "-c", code]
    process = subprocess.Popen(line, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert process.stdout is not None
    children = [int(pid) for pid in process.stdout.readline().strip("[]\n").split(",")]
    assert len(children) == 2  # what draws, what trains
    if killed:
        process.kill()
    _out, errors = process.communicate(timeout=HANG)
    assert (process.returncode == 0, "Traceback" in errors) == (not killed, False)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
    assert open_run(tmp_path / "runs/wine-1").status == "interrupted"
