"""Texts that would be markup, in every field that a table, a run or a sweep can hold: each page shows them.

A browser opens the pages and puts the pointer on everything; nothing of the texts runs or becomes an element.
"""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import treino as tr
from tests.forging import reseal
from tests.plots.browser import chromium
from tests.waiting import HANG
from treino.base.apps import installed
from treino.cli import main
from treino.data import describe
from treino.folders import PAGE, OutputFile
from treino.folders.prediction import predict
from treino.folders.store.change import Change
from treino.folders.store.database import Database
from treino.plots.data_page import data_page
from treino.plots.notebook_cards import LiveTraining, sweep_html, training_html
from treino.reports.prediction_sheet import prediction_sheet
from treino.reports.report import report
from treino.training.stored_results import open_run
from treino_doctor.finding import Finding
from treino_doctor.ipython import findings_html

pytestmark = pytest.mark.release
NAME = "<img src=x onerror=ran()>\"' onmouseover='ran()' onfocus=\"ran()"  # what a file may be called
TEXT = f"</script><script>ran()</script></style></title><!--{NAME}"
RAN = "window.ran = () => { window.hasRun = true; }"
POINTED = """() => { for (const node of document.querySelectorAll('*'))
  for (const name of ['mouseover', 'focus']) node.dispatchEvent(new Event(name));
  return window.hasRun ?? false; }"""


class Elements(HTMLParser):
    """What no text may have become. scripts: how many the page has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts, self.bad, self.inside = 0, list[str](), list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        values = dict(attrs)
        self.bad += [f"{tag} {name}" for name in values if name.startswith("on")]
        if tag == "img" and not (values["src"] or "").startswith("data:image/"):
            self.bad.append(f"img {values['src']}")
        if values.get("srcdoc"):
            self.inside.append(str(values["srcdoc"]))

    def handle_comment(self, data: str) -> None:
        self.bad.append(data)


def assert_texts(page: str, scripts: int) -> None:
    """Nothing in the page is made of the texts; the page has so many scripts of its own."""
    elements = Elements(page)
    assert (elements.bad, elements.scripts) == ([], scripts)
    for inside in elements.inside:
        assert_texts(inside, 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def table(folder: Path) -> Path:
    """A table whose name, columns, cells and classes are such texts."""
    rng, n = np.random.default_rng(0), 120
    size = rng.normal(size=n)
    frame = pd.DataFrame({f"size {TEXT}": size, f"kind {TEXT}": [f"{TEXT}{i % 3}" for i in range(n)]})
    frame[f"day {TEXT}"] = pd.date_range("2024-01-01", periods=n).astype(str)
    frame[f"class {TEXT}"] = np.where(size > 0, f"a {TEXT}", f"b {TEXT}")
    frame.to_csv(folder / f"{NAME}.csv", index=False)
    return folder / f"{NAME}.csv"


@pytest.fixture(scope="module")
def photos(folder: Path) -> Path:
    place, rng = folder / f"photos {NAME}", np.random.default_rng(0)
    for kind in ("a", "b"):
        (place / f"{kind} {NAME}").mkdir(parents=True)
        for i in range(20):
            pixels = rng.integers(0, 120, (8, 8, 3), dtype=np.uint8) + 120 * (kind == "a")
            Image.fromarray(pixels.astype(np.uint8)).save(place / f"{kind} {NAME}" / f"{i} {NAME}.png")
    return place


@pytest.fixture(scope="module")
def pages(folder: Path, table: Path, photos: Path) -> dict[str, tuple[str, int]]:
    """Every page and card, and how many scripts it has of its own."""
    made: dict[str, tuple[str, int]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("treino_film.pictures.REPORT", 3)  # frames
        how: dict[str, Any] = {"target": f"class {TEXT}", "epochs": 3, "missing": [TEXT]}
        run = tr.fit(table, out=folder / f"run {NAME}", hidden=[4], **how)
        steered = tr.fit(table, out=folder / f"steered {NAME}", lr=0.01, **how)
        database = Database.writing(steered.path / "run.sqlite")
        database.add_change(Change(0, 1, {"lr": 0.01}, f"sender {TEXT}"))
        database.close()
        reseal(steered.path)
        steered = open_run(steered.path)
        sweep = tr.sweep(table, {"lr": "1e-3..1e-1:log"}, members=3, out=folder / f"sweep {NAME}", **how)
        study = tr.study(table, batch_sizes=[20, 40], out=folder / f"study {NAME}", **how)
        shown = tr.fit(photos, "cnn", epochs=1, out=folder / f"shown {NAME}")
        made["table"] = data_page(describe(table, f"class {TEXT}")), 0
        made["photos"] = data_page(describe(photos)), 0
        made["card of data"] = run.data._repr_html_(), 0
        made["card of photos"] = shown.data._repr_html_(), 0
        for name, each in (("run", run), ("sweep", sweep), ("study", study), ("shown", shown)):
            if name != "study":
                made[f"report of {name}"] = report([each]).read_text(), int(name != "sweep")
            made[f"card of {name}"] = each._repr_html_(), 0
        made["report of steered"] = report([steered], OutputFile("steered.html", PAGE)).read_text(), 1
        made["comparison"] = report([run, sweep.best]).read_text(), 0
        if installed("rows"):
            from treino_xray.rows_page import rows_page

            made["rows"] = rows_page(tr.rows(table, networks=8, **how)), 1
        predicted = predict(open_run(shown.path), str(photos))
        made["sheet"] = prediction_sheet(open_run(shown.path), str(photos), predicted, ".html").decode(), 0
        if installed("explain"):
            explained = tr.explain("adamw", run)
            made["explanation"] = explained.html(), 0
            made["explanation in a notebook"] = explained._repr_html_(), 0
        made["runs"] = tr.runs(folder)._repr_html_(), 0
        assert main(["plot", str(run.path), "--what", "network", "--to", "pictures"]) == 0
        (drawn,) = (folder / "pictures").glob("*.svg")
        made["drawing"] = drawn.read_text(), 0
    live = LiveTraining(TEXT, 0.5, {TEXT: TEXT}, 3.0, messages=(TEXT,))
    made["training"] = training_html(live), 0
    made["sweep in training"] = sweep_html(TEXT, 0.5, {TEXT: TEXT}, 3.0, (TEXT,)), 0
    finding = Finding(TEXT, "wrong", True, TEXT, TEXT, f"{NAME}.py", 1, None, {}, TEXT)
    made["findings"] = findings_html(TEXT, [(finding, TEXT, TEXT)], [TEXT]), 0
    return made


def test_no_text_becomes_an_element(pages: dict[str, tuple[str, int]]) -> None:
    for page, scripts in pages.values():
        assert "ran()" in page
        assert_texts(page, scripts)


def test_no_text_runs_in_a_browser(pages: dict[str, tuple[str, int]], tmp_path: Path) -> None:
    said: list[str] = []
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(1000 * HANG)
        page.add_init_script(RAN)
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if request.url.endswith("/x") else None)
        for name, (content, _scripts) in pages.items():
            path = tmp_path / ("drawing.svg" if name == "drawing" else f"{name}.html")
            whole = content.startswith("<!doctype") or name == "drawing"
            path.write_text(content if whole else f"<!doctype html><meta charset=utf-8>{content}")
            page.goto(path.as_uri())
            assert (name, page.evaluate(POINTED), said) == (name, False, [])
