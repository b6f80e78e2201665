"""The home page: runs found, sorted, coloured and deleted in a real browser; and who may delete what."""

import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from tests.waiting import HANG, until

import treino as tr
from apps.studio.tests.browsing import AXE, LAYOUT
from apps.studio.tests.real_studio import RealStudio, real_studio
from apps.studio.tests.running import Bench, with_studio
from treino.folders.store import RunFolder

RATES = 0.01, 0.03, 0.1
MANY = 260  # folders, more than are made at once


def files(folder: Path) -> dict[str, bytes]:
    """What lies below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sealed(parent: Path, name: str) -> None:
    with RunFolder.create(parent=parent, name=name) as folder:
        folder.seal("finished")


def test_only_who_steers_deletes_and_only_runs(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for name in ("one", "two"):
        sealed(runs, name)
    (runs / "notes").mkdir()
    (runs / "notes/mine.txt").write_text("mine")
    sealed(tmp_path / "elsewhere", "three")
    (runs / "link").symlink_to(tmp_path / "elsewhere/three")
    (runs / ".uploads").mkdir()

    async def work(bench: Bench) -> None:
        before = files(tmp_path)
        async with bench.viewer(path="/socket/home") as home:
            for name in (
                "notes",
                "link",
                ".uploads",
                "..",
                "../elsewhere/three",
                "one:0",
                "one/",
                "",
                "none",
            ):
                answer = await home.ask("delete", runs=["two", name])
                assert answer["error"]["rule"] in ("run_missing", "command_field"), name
            assert (await home.ask("delete", runs=[]))["error"]["rule"] == "command_field"
            async with bench.viewer("viewer-2", path="/socket/home") as other:
                answer = await other.ask("delete", runs=["one"])
                assert answer["error"]["rule"] == "not_steering"
            watching = {"path": "/socket/home", "cookie": bench.watch_cookie}
            async with bench.viewer("viewer-3", **watching) as watcher:
                assert (await watcher.ask("delete", runs=["one"]))["error"]["rule"] == "watch_only"
            with RunFolder.create(parent=runs, name="busy"):
                answer = await home.ask("delete", runs=["one", "busy"])
                assert answer["error"]["rule"] == "run_busy"
            shutil.rmtree(runs / "busy")
            after = {name: body for name, body in files(tmp_path).items() if name != "asked.jsonl"}
            assert after == {name: body for name, body in before.items() if name != "asked.jsonl"}
            assert (await home.ask("delete", runs=["one"])).keys() == {"reply"}
            assert sorted(os.listdir(runs)) == [".uploads", "link", "notes", "run", "two"]

    with_studio(tmp_path, work)


def test_what_has_not_changed_is_not_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "runs"
    sealed(runs, "one")

    async def builtins(*_words: str, lang: str) -> dict[str, Any]:
        return {"builtins": [{"name": "wine", "about": "Three cultivars of wine by 13 measurements."}]}

    monkeypatch.setattr("treino_studio.server.document_of", builtins)

    async def work(bench: Bench) -> None:
        first = (await bench.get("/api/home")).document
        while not first["builtins"]:  # they come later than the runs
            first = (await bench.get("/api/home")).document
        assert [run["run"] for run in first["runs"]] == ["one"]
        again = (await bench.get(f"/api/home?version={first['version']}")).document
        assert again == {"version": first["version"]}
        with RunFolder.open(runs / "one").lock() as folder:
            folder.unseal()
            news = (await bench.get(f"/api/home?version={first['version']}")).document
            assert [run["status"] for run in news["runs"]] == ["running"]
            folder.seal("stopped")
        news = (await bench.get(f"/api/home?version={news['version']}")).document
        assert [run["status"] for run in news["runs"]] == ["stopped"]

    with_studio(tmp_path, work)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    """A studio of many runs with three learning rates."""
    place = tmp_path_factory.mktemp("home")
    for number, lr in enumerate(RATES):
        tr.fit("wine", lr=lr, hidden=4 + number, epochs=2, name=f"net-{number}", parent=place / "runs")
    for number in range(len(RATES), MANY):
        shutil.copytree(place / f"runs/net-{number % 3}", place / f"runs/net-{number}")
    with real_studio(place, []) as found:
        yield found
    assert found.said == []


@pytest.fixture(autouse=True)
def closing(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close the pages of a test, which ask for the data's description."""
    yield
    if "browser" in request.fixturenames:
        for context in request.getfixturevalue("browser").contexts:
            context.close()


def home(studio: RealStudio, browser: Any, path: str = "home", **how: Any) -> Any:
    page = studio.open(browser, path, **how)
    page.locator(".rows tbody tr[data-row]").first.wait_for()
    return page


def cells(page: Any, name: str) -> list[str]:
    """What the rows that are made show below a heading."""
    heads = [text.rstrip(" ↑↓\n") for text in page.locator(".rows th[scope=col]").all_inner_texts()]
    return [
        text.strip()
        for text in page.locator(
            f".rows tr[data-row] > :nth-child({heads.index(name) + 1})"
        ).all_inner_texts()
    ]


def re_exact(name: str) -> Any:
    return re.compile(rf"^{name}\s*[↑↓]?$")


def rate(number: int) -> float:
    return RATES[number % 3]


@pytest.mark.release
def test_another_language_keeps_what_was_chosen(studio: RealStudio, browser: Any) -> None:
    page = home(studio, browser)
    page.locator("#home-data").select_option("iris")
    page.locator("#home-target option[value=petal_width]").wait_for(state="attached")
    page.locator("#home-target").select_option("petal_width")
    page.locator("#home-second").select_option("petal_length")
    page.locator("#home-space").fill("lr=0.1|0.2")
    page.locator("#home-paused").check()
    names = "['data', 'target', 'first', 'second', 'space']"
    fields = f"{names}.map((name) => document.getElementById(`home-${{name}}`).value)"
    before = page.evaluate(fields)
    assert before[0::3] == ["iris", "petal_length"]
    for says in ("Treinar", "Train"):
        page.locator("#language").click()
        page.locator("#home-train:not(:disabled)", has_text=says).wait_for()
        assert page.evaluate(fields) == before
        assert page.locator("#home-paused").is_checked()


@pytest.mark.release
def test_runs_are_found_by_their_names_data_and_settings(studio: RealStudio, browser: Any) -> None:
    page = home(studio, browser)
    for words, fit in (
        ("lr=0.03", lambda n: rate(n) == 0.03),
        ("LR=0.1 wine net-25", lambda n: rate(n) == 0.1 and f"net-{n}".startswith("net-25")),
        ("nothing has this", lambda n: False),
    ):
        page.get_by_label("Search").fill(words)
        wanted = sum(map(fit, range(MANY)))
        page.locator("#home-listed", has_text=f"{wanted} of {MANY}").wait_for()
        assert all(fit(int(name.removeprefix("net-"))) for name in cells(page, "name"))
    page.get_by_label("Search").fill("")
    page.locator("#home-listed", has_text=f"{MANY} in all").wait_for()


@pytest.mark.release
def test_columns_and_their_order_are_chosen_and_remembered(studio: RealStudio, browser: Any) -> None:
    page = home(studio, browser)
    page.locator("summary", has_text="Columns").click()
    for name in ("lr", "accuracy, validation"):
        page.get_by_role("checkbox", name=name, exact=True).check()
    page.get_by_role("checkbox", name="kind", exact=True).uncheck()
    page.keyboard.press("Escape")
    for _down in range(2):
        page.locator("th").get_by_role("button", name=re_exact("lr")).click()
    assert set(cells(page, "lr")) == {"0.1"}
    page.reload()
    page.locator(".rows tbody tr[data-row]").first.wait_for()
    heads = [text.rstrip(" ↑↓\n") for text in page.locator(".rows th[scope=col]").all_inner_texts()]
    assert "kind" not in heads
    assert heads[-2:] == ["accuracy, validation", "lr"]
    assert set(cells(page, "lr")) == {"0.1"}
    figure = json.loads((studio.runs / "net-2/result.json").read_text())["metrics"]["validation"]["accuracy"]
    assert float(cells(page, "accuracy, validation")[0]) == pytest.approx(figure, rel=1e-3)


@pytest.mark.release
def test_nothing_is_deleted_before_the_question_is_answered(studio: RealStudio, browser: Any) -> None:
    page = home(studio, browser)
    page.get_by_label("Search").fill("net-10")
    for name in ("net-10", "net-100"):
        page.get_by_role("checkbox", name=f"Choose {name}", exact=True).check()
    before = files(studio.runs)
    page.locator("#home-delete", has_text="Delete 2").click()
    assert "net-10, net-100" in page.inner_text("dialog[open]")
    assert page.evaluate("document.activeElement.textContent") == "Don't delete"
    page.keyboard.press("Escape")
    assert files(studio.runs) == before
    page.locator("#home-delete").click()
    page.get_by_role("button", name="Don't delete").click()
    assert files(studio.runs) == before
    page.locator("#home-delete").click()
    page.locator("#delete-yes").click()
    page.get_by_role("link", name="net-100", exact=True).wait_for(state="detached")
    kept = {k: v for k, v in before.items() if k.split("/")[0] not in ("net-10", "net-100")}
    assert files(studio.runs) == kept
    assert sorted(cells(page, "name")) == sorted(f"net-10{k}" for k in range(1, 10))
    for number in (10, 100):  # as they were, for the other tests
        shutil.copytree(studio.runs / f"net-{number % 3 + 3}", studio.runs / f"net-{number}")


@pytest.mark.release
def test_nothing_hinders_who_reads_the_question_and_the_columns_with_other_means(
    studio: RealStudio, browser: Any, axe: str
) -> None:
    how = {"viewport": {"width": 390, "height": 900}, "bypass_csp": True}
    page = home(studio, browser, "home?lang=pt_BR&theme=dark", **how)
    page.get_by_role("checkbox").nth(1).check()
    page.locator("#home-delete").click()
    page.evaluate(axe)
    assert [v for v in page.evaluate(AXE) if v[0] in ("serious", "critical")] == []
    page.keyboard.press("Escape")
    page.locator("summary").last.click()
    assert [v for v in page.evaluate(AXE) if v[0] in ("serious", "critical")] == []
    assert page.evaluate(LAYOUT) == []


SLOW = """import sys, time
from pathlib import Path
import treino_studio.server as server
from treino.cli import main

def home(*_of):
    Path("asked").touch()
    while not Path("answered").exists():
        time.sleep(0.01)

server.home = home
sys.exit(main(sys.argv[1:]))
"""


def test_home_is_told_of_a_studio_that_ends_before_it_answers(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    with real_studio(tmp_path, [], (sys.executable, "slow.py")) as studio:
        opener = build_opener(HTTPCookieProcessor())
        opener.open(studio.address, timeout=HANG).close()
        with ThreadPoolExecutor() as pool:
            asked = pool.submit(opener.open, f"{studio.site}api/home", timeout=HANG)
            until((tmp_path / "asked").exists, studio.process)
            studio.process.send_signal(signal.SIGINT)
            told = asked.exception()
            (tmp_path / "answered").touch()
    assert isinstance(told, HTTPError)
    assert (told.code, json.load(told)["error"]["rule"]) == (503, "studio_ended")
