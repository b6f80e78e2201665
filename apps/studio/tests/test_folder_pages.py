"""The pages of sweeps and studies in a real browser, before the real studio: over, and in progress."""

import json
import math
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import HANG, until

import treino as tr
from treino.training.stored_results import open_folder

pytestmark = pytest.mark.release
SPACE = {"lr": "1e-4..1e6:log", "hidden": [4, 16, (16, 8)], "dropout": "0..0.5"}
MEMBERS = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a sweep, of which some networks diverge, and a study."""
    place = tmp_path_factory.mktemp("studio")
    made = {"parent": place / "runs", "epochs": 40}
    tr.sweep("wine", SPACE, members=MEMBERS, fresh=3, optimizer="sgd", name="sweep", **made)
    tr.study("wine", batch_sizes=[20, 60], optimizer="sgd", lr=0.1, name="study", **made)
    return place


@contextmanager
def started(folder: Path, *words: str) -> "Iterator[subprocess.Popen[str]]":
    """A command of treino's in that folder, ended at the end."""
    line = [sys.executable, "-m", "treino", *words]
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(line, cwd=folder, text=True, **piped) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def studio(folder: Path) -> Iterator[str]:
    """The address of a studio of these; its cookie comes with it."""
    with started(folder, "studio", "--no-browser", "--port", "0") as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=HANG)


class Tab:
    """A page that is open, and what its console complained of."""

    def __init__(self, context: Any, studio: str) -> None:
        self.said: list[str] = []
        self.origin = "/".join(studio.split("/")[:3])
        self.page = context.new_page()
        self.page.set_default_timeout(1000 * HANG)
        self.page.on(
            "console", lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(studio)

    def show(self, place: str, language: str = "en", theme: str = "light") -> Any:
        self.page.goto(f"{self.origin}/{place}?lang={language}&theme={theme}")
        self.page.locator(".rows tbody tr").first.wait_for()
        return self.page

    def column(self, name: str) -> list[str]:
        """The cells below a heading."""
        heads = [
            re.sub(r"\s*[↑↓]$", "", text)
            for text in self.page.locator(".rows th[scope=col]").all_inner_texts()
        ]
        return self.page.locator(f".rows tbody tr > :nth-child({heads.index(name) + 1})").all_inner_texts()


@pytest.fixture
def tab(browser: Any, studio: str) -> Iterator[Callable[..., Tab]]:
    """A new tab; at the end no console may have complained."""
    contexts, tabs = [], []

    def opened(**how: Any) -> Tab:
        contexts.append(browser.new_context(**{"viewport": {"width": 1440, "height": 1200}, **how}))
        tabs.append(Tab(contexts[-1], studio))
        return tabs[-1]

    yield opened
    for context in contexts:
        context.close()
    assert [said for each in tabs for said in each.said] == []


def configs(folder: Path, name: str = "sweep") -> list[dict[str, Any]]:
    return list(json.loads((folder / "runs" / name / "asked.json").read_text())["configs"])


def test_the_table_of_networks_sorts_by_every_setting_and_a_brush_on_an_axis_narrows_it(
    tab: Any, folder: Path
) -> None:
    viewer = tab()
    page = viewer.show("sweep/sweep")
    best = [float(text.replace("−", "-")) for text in viewer.column("validation loss") if text != "–"]
    assert best == sorted(best)
    assert len(viewer.column("network")) == MEMBERS
    heading = page.locator("th", has_text="lr")
    for direction in ("ascending", "descending"):
        heading.get_by_role("button").click()
        assert heading.get_attribute("aria-sort") == direction
        order = sorted(
            range(MEMBERS), key=lambda m: configs(folder)[m]["lr"], reverse=direction == "descending"
        )
        assert [int(text) for text in viewer.column("network")] == order
    assert page.locator("th", has_text="as a run").get_by_role("button").count() == 0
    logs = [math.log(config["lr"]) for config in configs(folder)]
    middle = [m for m, x in enumerate(logs) if (x - min(logs)) / (max(logs) - min(logs)) >= 0.5]
    assert 5 < len(middle) < MEMBERS - 5
    page.get_by_label("Axis to narrow").select_option("lr")
    page.get_by_label("from", exact=True).fill("0.5")
    assert page.inner_text("#sweep-listed") == f"{len(middle)} of {MEMBERS}"
    assert sorted(map(int, viewer.column("network"))) == middle
    page.get_by_role("button", name="Show all").click()
    assert page.inner_text("#sweep-listed") == f"{MEMBERS} of {MEMBERS}"
    box = page.get_by_role("img", name="Settings and figure of each network").bounding_box()
    x, top, bottom = box["x"] + 60, box["y"] + 30, box["y"] + box["height"] - 38
    page.mouse.move(x, top)
    page.mouse.down()
    page.mouse.move(x, (top + bottom) / 2, steps=4)
    page.mouse.up()
    assert sorted(map(int, viewer.column("network"))) == middle
    page.mouse.click(x, bottom)
    assert page.inner_text("#sweep-listed") == f"{MEMBERS} of {MEMBERS}"


def near_a_curve(page: Any, name: str) -> None:
    """Put the pointer on a curve of a picture: look along a line across it until a box comes up."""
    box = page.get_by_role("img", name=name, exact=True).bounding_box()
    for share in range(4, 96):
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * share / 100)
        if page.locator("#tip").is_visible():
            return
    raise AssertionError(f"the pointer finds no curve in {name!r}")


def test_the_pointer_on_a_curve_tells_its_network_and_a_click_chooses_it(tab: Any, folder: Path) -> None:
    page = tab().show("sweep/sweep")
    for name in (
        "Settings and figure of each network",
        "Training loss",
        "On validation rows: loss",
    ):
        near_a_curve(page, name)
        head = page.locator("#tip .head").inner_text()
        member = int(head.removeprefix("network "))
        pairs = page.locator("#tip .pair").all_inner_texts()
        told = dict(pair.split("\n", 1) for pair in pairs)
        config = configs(folder)[member]
        assert float(told["lr"].replace("\u202f", "").replace("−", "-")) == pytest.approx(
            config["lr"], rel=1e-3
        )
        hidden = config["hidden"] if isinstance(config["hidden"], list) else [config["hidden"]]
        assert told["hidden"] == ",".join(map(str, hidden))
        chosen = page.locator(".rows [aria-pressed=true]")
        page.mouse.down()
        page.mouse.up()
        chosen.wait_for()
        assert chosen.all_inner_texts() == [str(member)]
        page.mouse.down()
        page.mouse.up()
        chosen.wait_for(state="detached")
    page.locator(".rows .own").first.press("Enter")
    chosen.wait_for()
    assert page.evaluate("document.activeElement.className") == "quiet own"


def test_a_sweep_in_progress_is_watched_by_two_stopped_by_one_and_judged(tab: Any, folder: Path) -> None:
    spaces = ["--space", "lr=1e-3..1e5:log", "--space", "hidden=4|8"]
    numbers = ["--members", "3000", "--epochs", "30000", "--fresh", "3"]
    how = ["--optimizer", "sgd", "--strategy", "none", "--patience", "0", "--name", "live"]
    with started(folder, "sweep", "wine", *spaces, *numbers, *how) as process:
        wait_for_a_checkpoint(folder / "runs/live", process)
        viewer, other = tab(), tab()
        page, second = viewer.show("sweep/live"), other.show("sweep/live")
        page.locator(".head", has_text="in progress").wait_for()
        page.locator(".head", has_text=re.compile(r"\d+ (s|min) left")).wait_for()
        assert 0 < float(page.locator("progress").get_attribute("value")) < 1
        assert second.get_by_role("button", name="Stop and judge").is_hidden()
        second.get_by_role("button", name="Steer here").click()
        second.get_by_role("button", name="Stop and judge").wait_for()
        page.get_by_role("button", name="Stop and judge").wait_for(state="hidden")
        second.get_by_role("button", name="Stop and judge").click()
        page.locator("#sweep-result .strong").wait_for()
        page.locator(".head", has_text="stopped").wait_for()
        assert process.wait(HANG) == 0
        assert page.locator("progress").is_hidden()
    assert json.loads((folder / "runs/live/result.json").read_text())["status"] == "stopped"


def test_networks_are_added_to_a_sweep_that_is_over_and_to_one_that_trains(tab: Any, folder: Path) -> None:
    tr.sweep(
        "wine", SPACE, members=40, epochs=20, fresh=3, optimizer="sgd", name="grown", parent=folder / "runs"
    )
    viewer = tab()
    page = viewer.show("sweep/grown")
    said = page.inner_text("#sweep-result .strong")
    page.get_by_label("How many networks to add").fill("11")
    page.get_by_role("button", name="Add networks").click()
    page.locator("#sweep-listed", has_text="51 of 51").wait_for()
    page.locator(".head", has_text="finished").wait_for()
    page.locator("#sweep-result", has_text="11 networks were added when the first 40 had been").wait_for()
    assert said[1:] in page.inner_text("#sweep-result")
    assert sorted(map(int, viewer.column("network"))) == list(range(51))
    page.locator("#language").click()
    page.locator("#sweep-result", has_text=re.compile("já tinham sido julgadas.*: acurácia")).wait_for()
    page.locator("#language").click()
    numbers = ["--members", "4000", "--epochs", "20000", "--patience", "0", "--fresh", "3"]
    how = ["--space", "lr=1e-3..1:log", "--hidden", "4", "--strategy", "none", "--name", "fed"]
    with started(folder, "sweep", "wine", *numbers, *how) as process:
        wait_for_a_checkpoint(folder / "runs/fed", process)
        page = viewer.show("sweep/fed")
        page.get_by_role("button", name="Add networks").click()
        page.locator("#sweep-listed", has_text=re.compile("2\\s000 of 4\\s016")).wait_for()
        page.locator("#sweep-out", has_text=re.compile("2\\s016 more are left out")).wait_for()
        page.get_by_role("button", name="Stop and judge").click()
        added = re.compile("16 networks were added to the first 4\\s000")
        page.locator("#sweep-result", has_text=added).wait_for()
        assert process.wait(HANG) == 0


def test_a_study_shows_its_curves_over_each_other_and_concludes(tab: Any, folder: Path) -> None:
    viewer = tab()
    page = viewer.show("study/study")
    rows = open_folder(folder / "runs/study").rows
    assert viewer.column("batch") == ["20", "60"]
    assert [float(text.partition(" ")[0]) for text in viewer.column("accuracy")] == pytest.approx(
        [r["accuracy"][-1] for r in rows], rel=1e-3
    )
    said = page.locator("#study-answers li").all_inner_texts()
    assert (
        said[: len(open_folder(folder / "runs/study").answers)] == open_folder(folder / "runs/study").answers
    )
    for name in ("Training loss", "Loss on measured rows", "accuracy"):
        near_a_curve(page, name)
        assert page.locator("#tip .pair span").all_inner_texts() == ["batch 20", "batch 60"]
    epoch = int(page.locator("#tip .head").inner_text().removeprefix("Epoch "))
    figures = [float(text) for text in page.locator("#tip b").all_inner_texts()]
    assert figures == pytest.approx([r["accuracy"][epoch - 1] for r in rows], rel=1e-3)
    behind = page.get_by_role("table", name="accuracy").get_by_role("row").last
    until(lambda: behind.get_by_role("cell").count() == 2, meanwhile=lambda: page.wait_for_timeout(10))
    last = [float(text) for text in behind.get_by_role("cell").all_inner_texts()]
    assert last == pytest.approx([r["accuracy"][-1] for r in rows], rel=1e-3)
    page.locator("th", has_text="batch").get_by_role("button").dblclick()
    assert viewer.column("batch") == ["60", "20"]
    page.locator("#language").click()
    page.locator("h2", has_text="Conclusões").wait_for()


def wait_for_a_checkpoint(run: Path, process: "subprocess.Popen[str]") -> None:
    """Look until there is one."""
    until(lambda: any(run.glob("checkpoint/*.safetensors")), process)
