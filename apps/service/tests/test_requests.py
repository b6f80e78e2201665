"""Requests that are broken, half sent or hostile: each has its answer, and costs no more than its size."""

import gzip
import json
import os
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.conftest import Treino
from tests.quick_ends import _quick_ends  # noqa: F401
from tests.waiting import until

import treino as tr
from apps.service.tests.test_service import module_of, refused, sent
from treino.reports.export.formats import exported
from treino_service.request_rows import RequestError, Rows, csv_rows, json_rows

pytest.importorskip("onnxruntime")
ROW = {"alcohol": 13.0, "hue": 1.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The service folder of a run."""
    parent = tmp_path_factory.mktemp("requests") / "runs"
    common: Any = {"epochs": 1, "recipe": "plain", "lean": True, "name": "wine"}
    run = tr.fit("wine", features=[*ROW], parent=parent, **common)
    return exported(run, "service").paths[0]


@pytest.fixture(scope="module")
def module(folder: Path) -> Any:
    return module_of(folder / "app.py")


@pytest.fixture(scope="module")
def served(module: Any) -> TestClient:
    return TestClient(module.app, "http://localhost", client=("127.0.0.1", 1))


@contextmanager
def listening(module: Any) -> Iterator[tuple[str, int]]:
    """Where the app of an exported module answers."""
    server = module.server(module.app)
    with socket.create_server(("127.0.0.1", 0)) as own:
        thread = threading.Thread(target=server.run, args=([own],))
        thread.start()
        yield own.getsockname()
        server.should_exit = True
        thread.join()


@pytest.fixture
def address(module: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """The same, with time limits that a test can wait for."""
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(module, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(module, "MOST_CONNECTIONS", 8)
    with listening(module) as address:
        yield address


def head(method: str = "POST /predict", **more: Any) -> bytes:
    fields = {"host": "localhost", "content-type": "application/json"} | more
    lines = [f"{method} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def talk(address: tuple[str, int], *parts: bytes) -> bytes:
    """All that is answered until the other end closes the connection."""
    with socket.create_connection(address, timeout=60) as sent:
        for part in parts:
            sent.sendall(part)
        answer = b""
        while part := sent.recv(1 << 16):
            answer += part
        return answer


BODY = json.dumps(ROW).encode()


@pytest.mark.parametrize(
    "half",
    [b"", b"POST", b"POST /predict HTTP/1.1\r\nhost: localhost\r\n", head()[:-2]],
    ids=["nothing", "method", "lines", "no end"],
)
def test_a_half_sent_head_ends(half: bytes, address: tuple[str, int]) -> None:
    assert talk(address, half) == b""
    whole = head("GET /health")  # a second one on a connection that answered
    assert talk(address, whole + half).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("length", [{"content_length": 99}, {"transfer_encoding": "chunked"}])
def test_a_half_sent_body_is_refused(length: dict[str, Any], address: tuple[str, int]) -> None:
    part = b'5\r\n[{"al' if "transfer_encoding" in length else b'[{"al'
    answer = talk(address, head(**length), part)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"rule":"body_late"' in answer
    assert talk(address, head("GET /health", **length)).startswith(b"HTTP/1.1 200")


def test_more_connections_than_allowed_are_told(address: tuple[str, int]) -> None:
    idle = [socket.create_connection(address) for _n in range(8)]
    assert talk(address).startswith(b"HTTP/1.1 503")
    for each in idle:
        each.close()
    health = head("GET /health", connection="close")
    until(lambda: talk(address, health).startswith(b"HTTP/1.1 200"))


def test_who_leaves_in_the_middle_costs_no_line(
    address: tuple[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    for part in b"", b"[", b'[{"alcohol": 1', BODY:
        with closing(socket.create_connection(address)) as sent:
            sent.sendall(head(content_length=99) + part)
    with closing(socket.create_connection(address)) as sent:
        sent.sendall(head(content_length=len(BODY)) + BODY)  # its answer is not awaited
    assert talk(address, head("GET /health", connection="close")).startswith(b"HTTP/1.1 200")
    assert not [record for record in caplog.records if record.exc_info]


OURS = "localhost LOCALHOST:80 127.0.0.1:65535 127.8.8.8 [::1] [::1]:8000"
OTHERS = (
    "[::1 ::1 localhost:abc localhost: localhost:999999 localhost,a.org localhost@a.org é.org:1:2 "
    "a.org@localhost http://localhost localhost/ 127.0.0.1.a.org 0.0.0.0 2130706433 [::ffff:10.0.0.1]"
)


def test_this_machine_is_asked_by_its_name(served: TestClient) -> None:
    for host in OURS.split():
        assert served.post("/predict", json=ROW, headers={"host": host}).status_code == 200
    for host in (*OTHERS.split(), "", "local host"):
        refused(served.post("/predict", json=ROW, headers={"host": host.encode("latin-1")}), 421, "host")


@pytest.mark.parametrize(
    "hosts", [[], ["localhost", "localhost"], ["localhost", "example.org"], ["example.org", "localhost"]]
)
def test_a_request_has_one_host(hosts: list[str], address: tuple[str, int]) -> None:
    lines = "".join(f"host: {host}\r\n" for host in hosts)
    for version in "1.0", "1.1":
        body = f"POST /predict HTTP/{version}\r\n{lines}content-type: application/json\r\n"
        answer = talk(address, f"{body}content-length: {len(BODY)}\r\n\r\n".encode() + BODY)
        assert answer.split()[1] in (b"400", b"421")


def test_a_body_is_neither_packed_nor_in_another_encoding(served: TestClient) -> None:
    for packed, status in {"gzip": 415, "GZIP": 415, "br, gzip": 415, "aes": 415, "identity": 200}.items():
        content = BODY if status == 200 else gzip.compress(BODY)
        headers = {"content-type": "application/json", "content-encoding": packed}
        answer = served.post("/predict", content=content, headers=headers)
        assert answer.status_code == status
        assert status == 200 or answer.json()["error"]["rule"] == "content_encoding"
    for charset, status in {"utf-8": 200, '"UTF-8"': 200, "latin-1": 415, "utf-16": 415}.items():
        headers = {"content-type": f"application/json; charset={charset}"}
        assert served.post("/predict", content=BODY, headers=headers).status_code == status


def test_a_token_is_compared_by_its_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for token in b"plain", "secrét".encode(), b"\xff\xfe\x80", b"a b":
        monkeypatch.setenv("TREINO_TOKEN", os.fsdecode(token))
        with listening(module_of(folder / "app.py")) as address:
            for sent, status in {b"Bearer " + token: b"200", b"Bearer x": b"401", token: b"401"}.items():
                own = head(host="example.org", content_length=len(BODY), connection="close")[:-2]
                answer = talk(address, own + b"authorization: " + sent + b"\r\n\r\n" + BODY)
                assert answer.split()[1] == status


VARIABLES = {
    "TREINO_MOST_ROWS": ["abc", "-1", "0", "1e4", "1_000", "١٢", "9" * 30, "2147483648", "3.0", "nan"],
    "TREINO_MOST_BYTES": ["ten", "-5", "0", "1 MB", "9223372036854775808"],
    "TREINO_TOKEN": [" a", "a\n", "a\rb", "\x7f", "\t"],
}


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_that_can_t_be_obeyed_is_refused(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in VARIABLES[name]:
        monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            module_of(folder / "app.py")
        assert ended.value.code == 2
        assert name in capsys.readouterr().err
    monkeypatch.setenv(name, "")  # as if it weren't set
    module_of(folder / "app.py")


def test_the_verb_refuses_it_too(folder: Path, treino: Treino, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (value, *_more) in VARIABLES.items():
        with monkeypatch.context() as own:
            own.setenv(name, value)
            said = treino("serve", folder.parents[1], "--port=0")
        assert (said.status, name in said.err, "defect" in said.err) == (2, True, False)


# ---- bodies


def read(text: str, form: str = "json", most: int = 10_000) -> Rows:
    rows = Rows(ROW, most)
    json_rows(text, rows) if form == "json" else csv_rows(text, ",;", rows)
    return rows


BODIES: dict[str, Callable[[], str]] = {
    "a name of its own for each row": lambda: json.dumps([{f"k{i}": 1} for i in range(60_000)]),
    "nine names for each": lambda: json.dumps([{f"k{i}/{j}": 1 for j in range(9)} for i in range(9_000)]),
    "no names": lambda: json.dumps([{}] * 200_000),
    "blank lines": lambda: "alcohol,hue\n" + "\n" * 500_000,
    "a wide header": lambda: ",".join(map(str, range(100_000))) + "\n",
    "short lines": lambda: "alcohol,hue\n" + "1,2\n" * 100_000,
}


@pytest.mark.parametrize("body", BODIES)
def test_memory_is_bounded_by_the_size_of_the_body(body: str) -> None:
    text = BODIES[body]()
    tracemalloc.start()
    with suppress(RequestError):  # one row too many
        assert read(text, "json" if text[0] in "[{" else "csv").count <= 10_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25 * len(text) + 2_000_000


CELL = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUE = st.recursive(CELL, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
TABLE = st.lists(st.dictionaries(st.sampled_from(["alcohol", "hue", "a", 'b"', "rows"]), VALUE), max_size=5)


@given(rows=TABLE, wrapped=st.sampled_from(["rows", "", "late"]), indent=st.sampled_from([None, 1]))
def test_rows_are_those_that_json_has(rows: list[dict[str, Any]], wrapped: str, indent: int | None) -> None:
    """Read one by one, they equal those that are read at once."""
    document: Any = {"rows": {"rows": rows, "more": 1}, "late": {"more": 1, "rows": rows}}.get(wrapped, rows)
    own = read(json.dumps(document, indent=indent))
    names = {name for row in rows for name in row}
    assert own.count == len(rows)
    assert own.columns == {name: [row.get(name) for row in rows] for name in names & ROW.keys()}
    assert {*own.others} == names - ROW.keys()


@given(text=st.text(alphabet='[]{},:"rows1 \n', max_size=14) | st.just('{"rows":[{}],}'))
def test_only_json_is_read(text: str) -> None:
    for whole in text, f'{{"rows": [{{}}]{text}', f"[{{}}{text}", f"[{{}}]{text}":
        with suppress(RequestError):
            read(whole)
            json.loads(whole)


def test_numbers_beyond_all_bounds_are_refused_by_their_column(served: TestClient) -> None:
    for number in "1e999", "-1e999", "9" * 500, "9" * 100_000, "1" + "0" * 310:
        answer = sent(served, f'[{{"alcohol": {number}, "hue": 1}}]')
        refused(answer, 422, "feature_infinite", "alcohol")
    for number in "NaN", "Infinity", "-Infinity", "0x1", "01", "+1", ".5":
        refused(sent(served, f'[{{"alcohol": {number}, "hue": 1}}]'), 400, "json")
