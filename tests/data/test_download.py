"""Downloads from a local server that breaks off, sends wrong bytes, fails and recovers."""

import gzip
import hashlib
import http.server
import math
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import refusal_of
from tests.waiting import HANG
from treino.data import download, load
from treino.data.download import RemoteFile, fetch
from treino.data.readers import idx

CONTENT = bytes(i * 7 % 251 for i in range(300_000))
FILE = RemoteFile("rows.gz", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class Server(http.server.ThreadingHTTPServer):
    """files: what each path holds. cut: bytes after which a path's next answers break off."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.cut: dict[str, list[int]] = {}
        self.answers: dict[str, int] = {}
        self.flows = threading.Event()  # else nothing comes after a file's first part
        self.flows.set()
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are the point."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.server.asked.append(path)
        if path in self.server.answers or path not in self.server.files:
            self.send_error(self.server.answers.get(path, 404))
            return
        content = self.server.files[path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        cuts = self.server.cut.get(path)
        end = cuts.pop(0) if cuts else len(content)
        for at in range(0, end, 1 << 16):
            self.wfile.write(content[at : min(end, at + (1 << 16))])
            self.server.flows.wait(HANG)

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.delenv("TREINO_OFFLINE", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.flows.set()
        running.shutdown()
        thread.join()


def bring(server: Server, folder: Path, *mirrors: str) -> str:
    return fetch("rows", [FILE], [f"{server.address}/{m}" for m in mirrors or ("a",)], folder)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_once_whole(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.files["a/rows.gz"] = CONTENT
    assert bring(server, tmp_path / "deep" / "er") == f"127.0.0.1:{server.server_port}"
    assert (tmp_path / "deep" / "er" / "rows.gz").read_bytes() == CONTENT
    assert left(tmp_path / "deep" / "er") == ["rows.gz"]
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("Fetching rows.gz (0.3 MB) from 127.0.0.1") == 1


def test_a_broken_connection_is_tried_again(server: Server, tmp_path: Path) -> None:
    server.files["a/rows.gz"] = CONTENT
    server.cut["a/rows.gz"] = [100_000, 200_000]
    bring(server, tmp_path)
    assert (tmp_path / "rows.gz").read_bytes() == CONTENT
    server.cut["a/rows.gz"] = [1000, 2000, 3000]
    assert "broke off after 3000 of 300000 bytes" in str(refusal_of(bring, server, tmp_path / "again"))
    assert left(tmp_path / "again") == []


def test_the_next_mirror_is_asked(server: Server, tmp_path: Path) -> None:
    server.answers["b/rows.gz"] = 500
    server.files |= {"c/rows.gz": b"<html>not here</html>", "d/rows.gz": CONTENT[:-1] + b"?"}
    server.files |= {"e/rows.gz": CONTENT + b"more", "f/rows.gz": CONTENT}
    bring(server, tmp_path, "a", "b", "c", "d", "e", "f")
    assert (tmp_path / "rows.gz").read_bytes() == CONTENT


def test_no_mirror_has_the_right_file_and_nothing_wrong_is_kept(server: Server, tmp_path: Path) -> None:
    server.answers["b/rows.gz"] = 503
    server.files |= {"c/rows.gz": CONTENT[:-1] + b"?", "d/rows.gz": CONTENT + b"more"}
    said = refusal_of(bring, server, tmp_path, "a", "b", "c", "d")
    assert (said.rule, said.status) == ("download_failed", 1)
    for reason in ("404", "503", "SHA-256", "longer than 300000 bytes"):
        assert reason in said.message
    assert "digits" in (said.hint or "")
    assert left(tmp_path) == []


def test_a_mirror_that_falls_silent_is_no_reason_to_wait(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TIMEOUT_S", 0.05)
    server.files["a/rows.gz"] = CONTENT
    server.flows.clear()
    assert "timed out" in str(refusal_of(bring, server, tmp_path))


def test_a_folder_that_can_not_be_written_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "file" in str(refusal_of(bring, server, tmp_path / "file" / "rows"))


@pytest.fixture
def small_set(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Server:
    """A small Fashion-MNIST on the server, nothing in the cache."""
    monkeypatch.setitem(idx.ROWS, "train", 60)
    monkeypatch.setitem(idx.ROWS, "t10k", 10)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("TREINO_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("TREINO_MIRROR", server.address + "/")
    for stem in idx.MNIST:
        shape = (60 if stem.startswith("train") else 10, *((28, 28) if "images" in stem else ()))
        header = b"".join(n.to_bytes(4, "big") for n in (0x800 + len(shape), *shape))
        values = bytes(random.Random(stem).choices(range(10), k=math.prod(shape)))
        server.files[f"fashion-mnist/{stem}.gz"] = gzip.compress(header + values, mtime=0)
    remotes = tuple(
        RemoteFile(path.split("/")[1], len(content), hashlib.sha256(content).hexdigest())
        for path, content in server.files.items()
    )
    monkeypatch.setitem(idx.REMOTES, "fashion-mnist", remotes)
    return server


def test_a_built_in_is_fetched_into_the_cache_and_read_from_there(small_set: Server, tmp_path: Path) -> None:
    data = load("fashion-mnist")
    assert len(data.test) == 10
    assert data.notes[0].startswith("Fetched from 127.0.0.1")
    assert left(tmp_path / "treino" / "fashion-mnist") == sorted(f"{stem}.gz" for stem in idx.MNIST)
    asked = len(small_set.asked)
    assert "Fetched" not in " ".join(load("fashion-mnist").notes)
    assert len(small_set.asked) == asked
