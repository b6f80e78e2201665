"""Addresses, processes that die, and messages that nobody should send."""

import asyncio
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.outside import SECRET, names_of, secret_file, watched
from websockets.exceptions import ConnectionClosed, InvalidStatus

from apps.studio.tests.running import Bench, command, with_studio
from treino.base.errors import TreinoError
from treino.settings.spec import OF_FILES, Settings, names_file
from treino_studio.hub import TEXTS_UNSENT, Page
from treino_studio.messages import CommandRequest
from treino_studio.protocol import LONGEST_MESSAGE
from treino_studio.server import Studio
from treino_studio.uploads import Uploads


@pytest.mark.slow
def test_what_the_processes_say_reaches_who_asked(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        async with bench.viewer() as one:
            assert (await one.ask("fan", kind="lr", count=8, steps=10))["error"] == {
                "rule": "fan_count", "message": "No.", "hint": "Less."
            }  # fmt: skip
            asked = CommandRequest(key="run/run", command=command("fan", kind="lr", count=8, steps=10))
            with pytest.raises(TreinoError) as caught:  # for who asks on the command line
                await bench.serving.studio.relay.ask(asked)
            assert (caught.value.rule, caught.value.status) == ("fan_count", 1)
            # a resume goes from the worker to the trainer, who answers
            assert (await one.ask("play")) == {"reply": 3, "run": "wine-1"}
            (resumed,) = bench.asked("resume")
            assert resumed["process"] == "trainer"
        answered = await bench.get("/api/take/run/script")
        assert (answered.status, answered.body) == (200, b"print('hello')\n")
        assert answered.headers["content-disposition"] == "attachment; filename*=utf-8''run.py"
        (taken,) = bench.asked("take")
        assert taken["run"] == str(tmp_path / "runs" / "run")

    with_studio(tmp_path, work)


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_that_is_said(tmp_path: Path, caplog: Any) -> None:
    async def work(bench: Bench) -> None:
        async with bench.viewer() as one:
            for deaths in (1, 2):
                answered = await one.ask("stop")
                assert answered["error"]["rule"] == "studio_process"
                await one.until(lambda w: w.newest("notice"))
                assert "ended" in one.newest("notice")["text"]
                assert (await one.ask("pause")).keys() == {"reply"}  # by another one
                assert len(bench.asked("open")) == deaths + 1
            await one.ask("stop")  # the third within a minute
            assert (await one.ask("pause"))["error"]["rule"] == "studio_process"
        assert "as it was asked to" in caplog.text  # its last words

    with_studio(tmp_path, work)


PORTUGUESE = ("pt-BR", "pt", "de,pt-BR;q=0.9", "de, fr;q=0.8, pt;q=0.3", "en;q=0.4,pt-PT;q=0.7", "pt,en")
ENGLISH = (
    "pt-BR;q=0,en;q=0.1", "en-GB,pt;q=0.9", "pt;Q=0.5 , en ; q=0.6", "pt;q=x,en", "de,*", "", ";;,=,q=1",
    "x," * 5000 + "pt", "de;q=1.0,en;q=0.001",
)  # fmt: skip


def test_the_best_of_the_languages_that_a_browser_takes_is_spoken(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        for accepted in PORTUGUESE + ENGLISH:
            answered = await bench.get("/nowhere", Accept_Language=accepted)
            assert ("Não" in answered.document["error"]["message"]) == (accepted in PORTUGUESE), accepted

    with_studio(tmp_path, work)


NAMES = (
    "no", "%2e%2e", "%2e", "link", ".hidden", "file", "run%00", "a" * 300, "no:17", "run:x", "%2e%2e%5crun",
)  # fmt: skip


@pytest.mark.slow
def test_only_folders_of_runs_have_a_page(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    (runs / ".hidden").mkdir(parents=True)
    (runs / "file").touch()
    (tmp_path / "elsewhere").mkdir()
    (runs / "link").symlink_to(tmp_path / "elsewhere")

    async def work(bench: Bench) -> None:
        for name in NAMES:
            for path in (f"/api/take/{name}/script", f"/api/sweep/{name}"):
                assert (await bench.get(path)).status == 404, name
            async with bench.socket(f"/socket/run/{name}") as socket:
                await socket.send('{"id": 1, "do": "hello", "protocol": 1, "viewer": "viewer-1"}')
                assert json.loads(await socket.recv())["error"]["rule"] == "run_missing", name
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 4404
        for path in ("/socket/run/..", "/socket/run/../run", "/socket/run/%2e%2e%2frun", "/socket/run"):
            with pytest.raises((InvalidStatus, AssertionError, ConnectionClosed)):
                async with bench.viewer(path=path) as one:
                    assert "error" not in one.welcome
        assert bench.asked("open") == []

    with_studio(tmp_path, work)


def test_hello_comes_first_and_in_this_protocol(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        for message, rule, code in (
            ({"id": 1, "do": "play"}, "hello_first", 1008),
            ({"id": 1, "do": "hello", "protocol": 2, "viewer": "viewer-1"}, "protocol_version", 4426),
            ({"id": 1, "do": "hello", "protocol": 1, "viewer": "v"}, "command_field", 1008),
            ({"id": 1, "do": "hello", "protocol": 1}, "command_field", 1008),
        ):
            async with bench.socket() as socket:
                await socket.send(json.dumps(message))
                assert json.loads(await socket.recv())["error"]["rule"] == rule
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == code

    with_studio(tmp_path, work)


WRONG = (
    ('{"id": 9, "do": "set", "name": "lr", "value": "abc"}', "command_field"),
    ('{"id": 9, "do": "set", "name": "lr", "value": -1}', "lr_range"),
    ('{"id": 9, "do": "set", "name": "lr", "value": 1e400}', "command_field"),
    ('{"id": 9, "do": "set", "name": "lr", "value": NaN}', "command_field"),
    ('{"id": 9, "do": "set", "name": "beta1", "value": 1}', "beta1_range"),
    ('{"id": 9, "do": "step", "count": 1001}', "command_field"),
    ('{"id": 9, "do": "step", "count": true}', "command_field"),
    ('{"id": 9, "do": "play", "more": 1}', "command_field"),
    ('{"id": 9, "do": "segment", "changes": {"net": "evil.py:Net"}}', "setting_of_the_command_line"),
    ('{"id": 9, "do": "branch", "changes": {"validation": "/etc/passwd"}}', "setting_of_the_command_line"),
    ('{"id": 9, "do": "branch", "changes": {"out": "/tmp/x"}}', "setting_of_the_command_line"),
    ('{"id": 9, "do": "segment", "changes": {"lr": 1e999}}', "command_field"),
    ('{"id": 9, "do": "segment", "changes": {"hiden": 3}}', "unknown_setting"),
    ('{"id": 9, "do": "segment", "changes": {"hidden": "%s4"}}' % ("4," * 500), "hidden_range"),
    ('{"id": 9, "do": "beside", "run": "../run", "shown": true}', "run_missing"),
    ('{"id": 9, "do": "train", "data": "wine"}', "unknown_verb"),
    ('{"id": 9, "do": "fan", "kind": "lr", "count": 1, "steps": 10}', "command_field"),
    ('{"id": 9, "do": "__init__"}', "unknown_verb"),
    ('{"id": 9}', "no_verb"),
    ('{"id": 9, "do": ["play"]}', "no_verb"),
)  # fmt: skip


def is_portuguese(error: dict[str, str]) -> bool:
    return not {"the", "it", "is", "be", "There", "can't", "must", "has"} & {*error["message"].split()}


@pytest.mark.parametrize("language", ["en", "pt_BR"])
def test_a_wrong_command_is_answered_with_what_is_wrong(tmp_path: Path, language: str) -> None:
    async def work(bench: Bench) -> None:
        async with bench.viewer(language=language) as one:
            for text, rule in WRONG:
                await one.socket.send(text)
                error = (await one.reply(9))["error"]
                assert error["rule"] == rule, (text, error)
                assert error["message"]
                assert is_portuguese(error) == (language == "pt_BR"), (text, error)
                one.replies.clear()
            assert (await one.ask("pause", number=10)).keys() == {"reply"}
        assert {each["do"] for each in bench.asked()} <= {"open", "watch", "pause"}

    with_studio(tmp_path, work)


SCRAPS = (
    '{"id": 7', '"do":', '"set"', "1e400", "NaN", "[", "]", "{", "}", "\\ud800", "null", '"', ",", "\0", "-",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, -1, 1e308, 2**70, "", "x" * 3000, [], {}, [[]], {"do": 1}, "play", "../..", float("inf"),
)  # fmt: skip
VERBS = (
    "hello", "set", "step", "look", "segment", "branch", "fan", "adopt", "explain", "keep", "beside", "speed",
    "proponents",
)  # fmt: skip
FIELDS = (
    "id", "name", "value", "count", "step", "axes", "unit", "changes", "run", "kind", "steps", "layer", "ack",
)  # fmt: skip


def nonsense(chance: random.Random) -> str | bytes:
    """A message that nobody should send."""
    kind = chance.randrange(5)
    if kind == 0:
        return "".join(chance.choice(SCRAPS) for _ in range(chance.randrange(12)))
    if kind == 1:
        return chance.randbytes(chance.randrange(50))
    if kind == 2:
        return "[" * chance.randrange(60_000)
    message = {"id": chance.choice((*VALUES, 7)), "do": chance.choice((*VERBS, *VALUES))}
    message |= {chance.choice(FIELDS): chance.choice(VALUES) for _ in range(chance.randrange(5))}
    return json.dumps(message)


@pytest.mark.slow
def test_nonsense_is_refused_and_nothing_ends(tmp_path: Path, thorough: bool, caplog: Any) -> None:
    number = 100_000 if thorough else 3_000

    async def work(bench: Bench) -> None:
        chance = random.Random(0)
        async with bench.viewer() as one:
            for count in range(number):
                await one.socket.send(nonsense(chance))
                if count % 200 == 199:  # as fast as both ends go: a backlog would leave pings unanswered
                    assert "error" not in await one.ask("pause", number=2**40 + count)
                    del one.replies[:]
        async with bench.viewer("viewer-2") as two:
            assert (await two.ask("pause")).keys() == {"reply"}

    with_studio(tmp_path, work, seconds=1000)
    assert "Traceback" not in caplog.text
    asked = [json.loads(line) for line in (tmp_path / "asked.jsonl").read_text().splitlines()]
    assert len([each for each in asked if each["do"] == "open"]) == 1


def test_a_message_longer_than_a_picture_needs_ends_the_connection(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        async with bench.viewer() as one:
            with pytest.raises(ConnectionClosed) as closed:
                await one.ask("x" * LONGEST_MESSAGE)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009
        async with bench.viewer() as one:
            assert one.welcome["steers"]

    with_studio(tmp_path, work)


def test_who_reads_no_answers_is_read_no_further() -> None:
    page = Page("run/run")
    viewer = page.enter("viewer-1", "en", watches_only=False)
    viewer.connect()
    while viewer.keeps_up.is_set():
        viewer.say("{}")
    assert len(viewer.texts) == TEXTS_UNSENT
    sent = page.due(viewer)
    while not viewer.keeps_up.is_set():
        assert next(sent) == "{}"
    assert 0 < len(viewer.texts) < TEXTS_UNSENT


@pytest.mark.slow
def test_a_table_is_sent_described_and_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def builtins(_studio: Studio) -> list[dict[str, Any]]:
        return [{"name": "wine"}]

    monkeypatch.setattr(Studio, "builtins", builtins)
    table = b"size,price\n" + b"".join(b"%d,%d\n" % (k, 3 * k) for k in range(60))

    async def work(bench: Bench) -> None:
        own = {"Origin": f"http://{bench.host}"}
        answered = await bench.get("/api/upload?name=../../houses.CSV", "POST", table, **own)
        assert answered.status == 200, answered.body
        assert answered.document["data"] == "houses.csv"
        again = await bench.get("/api/upload?name=houses.csv", "POST", table, **own)
        assert again.document["data"] == "houses-2.csv"
        bench.serving.studio.uploads.path("houses-2.csv").unlink()
        assert answered.document["description"]["rows"] == 60
        assert (await bench.get("/api/sheet/upload-2.csv")).rule == "data_missing"
        async with bench.viewer(path="/socket/home") as home:
            trained = await home.ask("train", data="houses.csv", settings={"target": "price"}, paused=True)
            assert trained == {"reply": 2, "run": "wine-1"}
            for data in ("../houses.csv", "/etc/passwd", "upload-2.csv", str(tmp_path)):
                assert (await home.ask("train", data=data))["error"]["rule"] == "data_missing"
        (asked,) = bench.asked("train")
        assert Path(asked["data"]).read_bytes() == table
        assert asked["settings"] == {"target": "price"}
        assert not asked.get("command_line")
        assert "houses.csv" in (await bench.get("/api/home")).document["data"]
        for name, body, rule in (
            ("evil.py", table, "upload_suffix"), ("", table, "upload_suffix"), ("a.csv", b"", "upload_empty"),
        ):  # fmt: skip
            answered = await bench.get(f"/api/upload?name={name}", "POST", body, **own)
            assert (answered.status, answered.rule) == (400, rule)
        watching = {**own, "Cookie": bench.watch_cookie}
        assert (await bench.get("/api/upload?name=a.csv", "POST", table, **watching)).rule == "watch_only"
        assert bench.serving.studio.uploads.names == ["houses.csv"]

    with_studio(tmp_path, work)


def test_half_sent_requests_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treino.base.connections.HEAD_SECONDS", 0.2)
    monkeypatch.setattr("treino_studio.server.UPLOAD_SECONDS", 0.2)

    async def talk(bench: Bench, sent: str) -> bytes:
        reader, writer = await asyncio.open_connection(*bench.host.split(":"))
        writer.write(sent.encode())
        answer = await asyncio.wait_for(reader.read(), 60)
        writer.close()
        return answer

    async def work(bench: Bench) -> None:
        line = "POST /api/upload?name=a.csv HTTP/1.1\r\n"
        fields = {"Host": bench.host, "Origin": f"http://{bench.host}", "Cookie": bench.cookie}
        head = line + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        for half in "", line, head:
            assert await talk(bench, half) == b""
        answer = await talk(bench, f"{head}Content-Length: 99\r\n\r\na,b\n")
        assert b"upload_late" in answer
        assert bench.serving.studio.uploads.names == []

    with_studio(tmp_path, work)


def test_a_table_that_is_too_large_is_refused_as_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treino_studio.uploads.LARGEST", 1000)

    async def work(bench: Bench) -> None:
        own = {"Origin": f"http://{bench.host}"}
        answered = await bench.get("/api/upload?name=a.csv", "POST", b"1,2\n" * 1000, **own)
        assert answered.rule == "upload_large"
        assert bench.serving.studio.uploads.names == []

    with_studio(tmp_path, work)

    async def without_length() -> None:
        async def parts() -> Any:
            for _ in range(10):
                yield b"1,2\n" * 100

        with pytest.raises(TreinoError, match="1\u202f000 bytes"):
            await Uploads(tmp_path / "uploads").save("a.csv", parts(), None)
        assert not list((tmp_path / "uploads").iterdir())

    asyncio.run(without_length())


def outside_settings(file: Path) -> Iterator[dict[str, Any]]:
    """Settings of a page that name a file outside, in every form that a message can have."""
    for name in Settings.model_fields:
        for value in names_of(file):
            if names_file(name, value):
                yield from ({name: value}, {name: [value]}, {"epochs": 1, name: [value, 1]})


@pytest.mark.proof
def test_no_setting_of_a_page_names_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By no door, and what is said is the same whether there is such a file."""
    file = secret_file(tmp_path)
    monkeypatch.chdir(tmp_path / "own")

    async def builtins(studio: Studio) -> list[dict[str, Any]]:
        return [{"name": "wine"}]

    monkeypatch.setattr(Studio, "builtins", builtins)
    page = {"data": "wine"}
    doors: dict[str, tuple[tuple[str, dict[str, Any], str], ...]] = {
        "/socket/home": (
            ("train", page, "settings"),
            ("sweep", page | {"space": ["lr=0.1|0.2"]}, "settings"),
            ("study", page, "settings"),
        ),
        "/socket/run/run": (("segment", {}, "changes"), ("branch", {}, "changes")),
    }

    async def work(bench: Bench) -> None:
        said: dict[tuple[str, str], set[str]] = {}
        for path, verbs in doors.items():
            async with bench.viewer(path=path) as one:
                with watched(file.parent) as opened:
                    for settings in outside_settings(file):
                        for verb, fields, key in verbs:
                            error = (await one.ask(verb, **fields, **{key: settings}))["error"]
                            sentence = f"{error['message']} {error['hint']}"
                            assert SECRET not in sentence
                            name, value = list(settings.items())[-1]
                            if isinstance(value, str):  # the same of a file that is there and of none
                                plain = value.replace("nothing", "secret").replace("no.py", "net.py")
                                said.setdefault((name, plain), set()).add(sentence.replace(value, plain))
                    if path == "/socket/home":
                        for value in names_of(file):
                            for text in (f"net={value}", f"net=mlp|{value}", f"labels=a|{value}", value):
                                answer = await one.ask("sweep", data="wine", space=["lr=0.1|0.2", text])
                                assert answer["error"]["rule"] in (
                                    "setting_of_the_command_line",
                                    "space_syntax",
                                ), text
                            assert (await one.ask("train", data=value))["error"]["rule"] == "data_missing"
                    assert opened == []
        assert {name for name, _value in said} == OF_FILES.keys()
        assert {len(sentences) for sentences in said.values()} == {1}
        asked = {each["do"] for each in bench.asked()}
        assert asked <= {"open", "watch"}
        async with bench.viewer("viewer-2", path="/socket/home") as home:  # what names no file is taken
            assert "error" not in await home.ask("steer")
            settings = {"net": "mlp", "validation": "0.2", "test": 0.1, "target": "../away/secret.csv"}
            assert "error" not in await home.ask("train", data="wine", settings=settings)
            assert "error" not in await home.ask("sweep", data="wine", space=["net=mlp|cnn"])

    with_studio(tmp_path, work)
