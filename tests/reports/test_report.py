"""Reports of real runs: complete in one file, with the run's own figures, read by a real browser."""

import re
import shlex
from collections import Counter
from dataclasses import replace
from html import unescape
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import treino as tr
from tests.conftest import Treino
from tests.plots.browser import looked_at
from treino.api import Run
from treino.base.console import EscapingConsole
from treino.cli.sweep_view import summary
from treino.folders.store.output_files import MARKDOWN, PAGE, OutputFile
from treino.plots.report.blocks import blocks_of, markdown, plain_blocks
from treino.plots.report.run import run_blocks, run_sections
from treino.plots.report.sweep import study_blocks, sweep_blocks
from treino.reports.report import report
from treino.reports.run_report import run_report_of
from treino.settings.spec import read_settings
from treino.training.loop import JobProgress
from treino.training.search.space import read_space, space_in
from treino.training.train import train_events

NASTY = "<script>document.title='run'</script>"
TWO = ["alcohol", "color_intensity"]
SMALL = {"features": TWO, "epochs": 12, "hidden": [8], "lean": True}


@pytest.fixture
def here(tmp_path: Path, undrawn: None) -> Path:
    """Where reports are made of words alone: one test looks at their pictures, and one at a sweep's."""
    return tmp_path


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return tr.fit("wine", parent=tmp_path_factory.mktemp("reports"), **SMALL)


def text_of(page: str) -> str:
    """The words of the page below its table of contents."""
    page = page.partition("<main>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page, flags=re.S))


@pytest.mark.proof
def test_a_hostile_table_s_report_in_a_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treino_film.pictures.REPORT", 3)  # frames
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"<b>x": rng.normal(size=150), "y\"'&": rng.normal(size=150)})
    frame["kind"] = np.where(frame["<b>x"] > 0, NASTY, "fine | `code` @all")
    run = tr.fit(frame, target="kind", epochs=8, parent=tmp_path, name="hostile")
    path = report([run])
    assert path.stat().st_size < 3e6
    found = looked_at(path, scheme="dark", width=390)
    assert found.said == found.asked == []
    assert found.title == run.name  # the class's script did not run
    assert found.wide <= 390  # nothing but tables and charts is wider than a phone, and these scroll
    assert NASTY in found.text
    assert "<img class='drawn'" in path.read_text()  # dark mode turns what is drawn, not pictures of the data
    assert found.without_alt == 0
    assert found.headings[0] == "h1"
    assert {"h2", "h3"} >= set(found.headings[1:])
    assert found.lost_links == []
    page = (run.path / "exports/report.html").read_text()
    assert NASTY not in page
    d = run.document
    said = text_of(page)
    figures = d["metrics"]["test"]["accuracy"], *d["intervals"]["test"]["accuracy"]
    right, low, high = (f"{100 * figure:.1f} %" for figure in figures)
    assert f"{right} are right (95 %: {low} to {high})" in said
    assert "treino train" not in said  # no command can name rows that were in memory
    assert "class='film'" in page
    said = report([run], as_markdown=True).read_text()
    call = re.search(r"```python\nimport treino\n\n(treino.fit.*)\n```", said)
    again = eval(f"{call[1][:-1]}, parent={str(tmp_path)!r})", {"treino": tr})
    assert again.losses.tolist() == run.losses.tolist()


def test_as_markdown_it_has_the_same_figures(wine: Run) -> None:
    run = wine
    path = report([run], as_markdown=True)
    assert path == run.path / "exports/report.md"
    said = path.read_text()
    test = run.metrics["test"]
    row = next(line for line in said.splitlines() if line.startswith("| accuracy"))
    cells = row.split("|")
    assert float(cells[4]) == pytest.approx(test["accuracy"], rel=1e-3)
    from scipy.stats import binomtest  # Wilson's interval and the commonest class, by others

    y = run.data.test.y
    with torch.no_grad():
        right = int((run.module.eval()(run.data.test.x).argmax(1) == y).sum())
    assert right == round(test["accuracy"] * len(y))
    theirs = binomtest(right, len(y)).proportion_ci(method="wilson")
    ends = [float(end) for end in cells[5].split(" to ")]
    assert ends == pytest.approx([theirs.low, theirs.high], rel=1e-3)
    commonest = run.data.train.y.bincount().argmax()
    assert float(cells[6]) == pytest.approx(float((y == commonest).double().mean()), rel=1e-3)
    assert run.spec.command in said
    assert run.folder.manifest.files["model.safetensors"] in said
    assert "<" not in said
    facts = run_report_of(run, pictures=False)
    for official, parted in (
        (False, "Parted at random with seed 0, each class in the same shares"),
        (True, "The test rows are the source's own; the others"),
        (None, "Rows that were not in a part of their own"),
    ):
        assert parted in markdown("", "", run_sections(replace(facts, official=official)))


@pytest.mark.slow
def test_nothing_is_measured_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plane, the importances, the mistakes and the grid of a film are the same in all pictures of a run;
    and the trees are in its folder."""
    monkeypatch.setattr("treino_film.pictures.REPORT", 2)  # frames
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(1500, 4)), columns=list("abcd"))
    frame["kind"] = np.where(frame.a * frame.b > 0, "same", "other")
    file = tmp_path / "signs.csv"
    frame.to_csv(file, index=False)
    run = tr.open(tr.fit(file, target="kind", epochs=1, ensemble=1, parent=tmp_path).path)
    assert run.preparation.trees
    calls: Counter[str] = Counter()

    def count(name: str) -> None:
        module, _dot, function = name.rpartition(".")
        made = getattr(import_module(module), function)

        def counted(*arguments: Any, **named: Any) -> Any:
            calls[name] += 1
            return made(*arguments, **named)

        monkeypatch.setattr(name, counted)

    once = (
        "treino.reports.pictures.sight",
        "treino.reports.pictures.insides.importances",
        "treino.reports.pictures.insides.mistakes",
    )
    elsewhere = ("treino.inspection.boundary.sight", "treino.inspection.unit_responses.sight")
    for name in (*once, *elsewhere, "treino.data.preparation.fit.fit_trees"):
        count(name)
    threads = []
    page = run_report_of(run, tell=lambda *_where: threads.append(torch.get_num_threads()))
    assert not page.missing
    assert calls == dict.fromkeys(once, 1)
    assert set(threads) == {1}


def test_a_run_that_is_not_over_and_one_without_test_rows_say_so(here: Path) -> None:
    settings = read_settings({"features": TWO, "epochs": 400, "hidden": [8]})
    events = train_events("wine", settings, parent=here, checkpoint_seconds=0.0)
    for event in events:
        if isinstance(event, JobProgress):
            break
    events.close()
    (broken,) = tr.runs(here)
    assert broken.status == "interrupted"
    said = text_of(report([broken]).read_text())
    assert "This run is not over: it is interrupted" in said
    assert "treino resume" in said
    bare = tr.fit("wine", parent=here, test=0.0, **SMALL)
    said = text_of(report([bare]).read_text())
    assert "No rows were held back for a test" in said


def test_a_diverged_one_and_a_damaged_one(here: Path, treino: Treino) -> None:
    wild = tr.fit("diabetes", parent=here, optimizer="sgd", lr=1e5, epochs=5, lean=True)
    found = text_of(report([wild]).read_text())
    assert "This run diverged" in found
    assert "non_finite_loss" in found
    weights = wild.path / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(content)
    said = treino("report", str(wild.path), "--json")
    assert said.status in (1, 2)
    assert "model.safetensors" in said.document["error"]["message"]


def test_two_runs_on_the_same_rows_are_told_apart_by_the_rows(here: Path, wine: Run) -> None:
    a, b = wine, tr.fit("wine", parent=here, lr=0.1, **(SMALL | {"features": None, "name": "b"}))
    found = unescape(text_of(report([a, b], OutputFile(here / "both.html", PAGE)).read_text()))
    right = []
    for run in (a, b):
        with torch.no_grad():
            right.append((run.module(run.data.test.x).argmax(1) == run.data.test.y).numpy())
    only_a, only_b = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    n = len(right[0])
    sentence = (
        f"Of the same {n} test rows {b.name} gets {only_b} right that {a.name} gets wrong, and {a.name} "
        f"gets {only_a} right that {b.name} gets wrong"
    )
    assert sentence in found
    assert "McNemar" in found
    differing = found.partition("What differs")[2]
    assert "lr 0.003 0.1" in differing
    assert "seed 0 0" not in differing
    pair = [a, tr.fit("wine", parent=here, name="c", **SMALL)]
    same = report(pair, OutputFile(here / "same.md", MARKDOWN), as_markdown=True).read_text()
    assert "no larger a difference than chance makes (p = 1," in same


@pytest.mark.slow
def test_regressions_are_held_together_by_their_errors(here: Path) -> None:
    runs = [tr.fit("diabetes", parent=here, epochs=e, lean=True) for e in (1, 40)]
    said = text_of(report(runs, OutputFile(here / "errors.html", PAGE)).read_text())
    rmse = [run.metrics["test"]["rmse"] for run in runs]
    found = re.search(r"rmse minus diabetes-\d+'s is (-?[\d.]+)", unescape(said).replace("−", "-"))
    assert float(found[1]) == pytest.approx(rmse[1] - rmse[0], abs=0.01)
    assert "more than chance makes" in said
    runs.append(tr.fit("diabetes", parent=here, epochs=4, loss="l1", lean=True))
    said = text_of(report(runs, OutputFile(here / "losses.html", PAGE)).read_text())
    head = said.partition(runs[0].name + " Result")[0]
    assert "trained with different losses" in head
    assert "validation rmse" in head
    assert "validation loss" not in head


def test_figures_of_other_splits_are_refused(here: Path, wine: Run, treino: Treino) -> None:
    a, b = wine, tr.fit("wine", parent=here, data_seed=7, **SMALL)
    said = text_of(report([a, b], OutputFile(here / "apart.html", PAGE)).read_text())
    head = said.partition("What differs")[0]
    assert "their splits differ" in head
    assert "accuracy" not in head
    other = tr.fit("iris", parent=here, epochs=2, lean=True)
    refused = treino("report", *(str(run.path.resolve()) for run in (a, other)), "--json")
    assert (refused.status, refused.document["error"]["rule"]) == (2, "nothing_to_compare")
    nowhere = treino("report", str(a.path.resolve()), "--to", "no/such/place.html", "--json")
    assert nowhere.document["error"]["rule"] == "to_place"


@pytest.mark.slow
def test_a_sweep_s_report_chooses_by_no_test_figure(here: Path, treino: Treino) -> None:
    space = {"lr": "1e-4..1e-1:log", "hidden": "4|16,8"}
    found = tr.sweep("wine", space, members=6, epochs=10, fresh=2, parent=here, weight_decay=0.01)
    page = unescape(text_of(report([found]).read_text()))
    sentence = (found.judge or {})["sentence"]
    assert sentence[1:] in page
    assert "has the same bits as among the others" in page
    leaders = page.partition("No leaderboard holds")[0].rpartition(" Leaders ")[2]
    assert "validation accuracy" in leaders
    assert "test" not in leaders
    said = report([found], as_markdown=True).read_text()
    command = re.search(r"```sh\n(treino sweep .*)\n```", said)
    words = shlex.split(command[1])
    typed = [words[i + 1] for i, word in enumerate(words) if word == "--space"]
    assert read_space(typed) == space_in(found.spec)
    again = treino(*words[1:], "--name", "again", "--json")
    assert again.status == 0, again.err
    best = again.document["best"]
    assert best["params"] == found.document["best"]["params"]
    assert best["validation"] == found.document["best"]["validation"]


def test_several_seeds_are_reported_without_a_winner(here: Path) -> None:
    found = tr.fit("iris", seeds=3, epochs=3, parent=here)
    said = report([found], as_markdown=True).read_text()
    assert "nobody is chosen" in said
    mean = found.figures["test"]["accuracy"]["mean"]
    row = next(line for line in said.splitlines() if line.startswith("| test accuracy"))
    assert float(row.split("|")[2]) == pytest.approx(mean, rel=1e-3)


@pytest.mark.slow
def test_terminal_page_and_card_tell_the_same(here: Path) -> None:
    """Each sentence and each cell of a run's, a sweep's and a study's blocks is in whatever tells of them."""
    options: dict[str, Any] = {"parent": here, "epochs": 3}
    swept = tr.sweep("wine", space={"lr": "0.001..0.1"}, members=4, ensemble=2, **options)
    spread = tr.fit("wine", seeds=2, until="accuracy=0.5", **options)
    study = tr.study("wine", batch_sizes=[32, "full"], **options)
    told = [
        (swept, sweep_blocks(swept.result, 8)),
        (spread, sweep_blocks(spread.result, 8)),
        (study, study_blocks(study.result)),
        *((run, run_blocks(run)) for run in (swept.best, tr.fit("diabetes", **options))),
    ]
    for one, parts in told:
        console = EscapingConsole(width=10_000, no_color=True)
        with console.capture() as capture:
            console.print(summary(one, 10_000))
        pages = [one._repr_html_(), *([] if one is study else [report([one]).read_text()])]
        texts = texts_of(plain_blocks(blocks_of(parts)))
        assert len(texts) > 10
        for shown in (capture.get(), *(unescape(re.sub("<[^>]+>", " ", page)) for page in pages)):
            words = " ".join(shown.split())
            assert [text for text in texts if " ".join(text.split()) not in words] == []


def texts_of(blocks: list[dict[str, Any]]) -> list[str]:
    """Each sentence and each cell of plain blocks, and the words of headings, which the terminal wraps."""
    texts = []
    for block in blocks:
        texts += [*block.get("items", ()), block.get("text", ""), block.get("caption", "")]
        texts += [cell for row in block.get("rows", ()) for cell in row]
        texts += [word for heading in block.get("head", ()) for word in heading.split()]
    return texts
