"""Progress during training: a line that fits 80 columns, lines in a log, two runs side by side."""

import gc
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import binomtest

import treino as tr
from tests.conftest import Treino
from tests.many_networks import study_events, sweep_events
from treino.cli import main, progress
from treino.cli.screen import Screen
from treino.plots import run_sentences
from treino.settings.spec import read_settings
from treino.training.loop import JobEvent, JobProgress
from treino.training.train import train_events


def events_of(kind: str, epochs: int) -> Iterator[JobEvent]:
    settings = {"epochs": epochs, "patience": 0}
    if kind == "run":
        return train_events("wine", read_settings(settings))
    if kind == "study":
        return study_events("wine", batch_sizes="10,20", settings=settings)
    space = {"lr": "1e-3..1e-1:log"}
    return sweep_events("wine", space, settings=settings, members=4, strategy="none", fresh=0)


def drawn(console: Console, live: bool, events: Iterator[JobEvent]) -> None:
    with progress.ProgressLine(console, live) as line:
        for event in events:
            line.show(event)


LABELS = {"run": "step", "sweep": "rung", "study": r"batch \d+"}
COUNTS = {"run": r"\d+/240", "sweep": "1 / 1", "study": r"epoch \d+ of 60"}
LAST = {"run": "measuring", "sweep": "judging", "study": "measuring"}


@pytest.mark.parametrize("kind", ["run", "sweep", "study"])
def test_the_line_of_a_narrow_terminal_keeps_its_bar_and_its_time(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = io.StringIO()
    drawn(Console(file=file, width=80, force_terminal=True, color_system=None), True, events_of(kind, 60))
    lines = re.split(r"[\r\n]|\x1b\[[\d;?]*[A-Za-z]", file.getvalue())
    frames = [line for line in lines if re.search(COUNTS[kind], line)]
    assert frames
    assert all(len(line) <= 80 for line in frames)
    bar, left = rf"[━╸╺ ]{{{progress.BAR}}}", r"(\d:\d\d:\d\d|-:--:--)"
    line = rf"({LABELS[kind]}|{LAST[kind]}) +{bar} {COUNTS[kind]} +{left} (loss|best) "
    assert [frame for frame in frames if not re.match(line, frame)] == []
    assert re.search(LAST[kind], file.getvalue())


MOMENTS = {
    "run": r"epoch \d+ of 30, step \d+/120: loss \d\.\d{4}",
    "sweep": r"rung 1 / 1: best \S+  \(\d+: lr=\S+\) · networks 4 begun, \d diverged · pace ",
    "study": r"batch \d+ epoch \d+ of 30: loss \d\.\d{4}$",
}


@pytest.mark.parametrize("kind", ["run", "sweep", "study"])
def test_a_log_has_a_line_for_an_epoch_at_most_every_few_seconds(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    quiet = io.StringIO()
    drawn(Console(file=quiet, width=1000), False, events_of(kind, 2))
    assert quiet.getvalue() == ""
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    log = io.StringIO()
    drawn(Console(file=log, width=1000), False, events_of(kind, 30))
    lines = log.getvalue().splitlines()
    assert lines
    assert [line for line in lines if not re.match(MOMENTS[kind], line)] == []
    assert "validation loss" in lines[-1] or kind != "run"


@pytest.mark.parametrize("kind", ["run", "sweep", "study"])
def test_every_kind_says_in_one_way_how_to_go_on(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A second Ctrl-C, which nothing waits for; then what was saved is resumed, and once only."""
    monkeypatch.chdir(tmp_path)

    def torn() -> Iterator[JobEvent]:
        for event in events_of(kind, 3):
            yield event
            if isinstance(event, JobProgress):
                raise KeyboardInterrupt

    screen = Screen(as_json=False)
    with pytest.raises(
        KeyboardInterrupt, match=r"What was saved before is kept; go on with: treino resume wine-\S+$"
    ):
        progress.follow(torn(), screen)
    gc.collect()
    name = next(iter(Path("runs").iterdir())).name
    assert main(["resume", name]) == 0
    capfd.readouterr()
    assert main(["resume", name]) == 2
    assert f"{name} is finished: there is nothing to resume." in capfd.readouterr().err


def test_a_run_that_is_trained_elsewhere_shows_its_last_figures(
    treino: Treino, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream is left where it is: another process would see the same files."""
    events = train_events("wine", read_settings({"epochs": 100_000, "name": "long"}), checkpoint_seconds=0.0)
    for _event in zip(range(8), events, strict=False):
        pass
    shown = treino("show", "long")
    assert shown.status == 0
    assert re.search(r"Running: [\d\u202f]+ steps so far \(epochs: [1-9]", shown.out)
    assert re.search(r"last figures: training loss \d\S* · validation accuracy \d", shown.out)
    events.close()


@pytest.mark.parametrize("flags", [(), ("--ensemble", 3)])
def test_each_epoch_is_written_with_its_mean_and_deviation(treino: Treino, flags: Any) -> None:
    """As numpy has them of the recorded steps. The network and the settings come after the result."""
    trained = treino("train", "wine", "--epochs", 7, "--batch-size", 50, *flags).out
    assert trained.index("26 test rows that it") < trained.index("layer  module") < trained.index("kernel ")
    said = treino("show", "last", "--epochs").out
    found = [tuple(map(float, two)) for two in re.findall(r"^ +\d+ +(\S+) ± (\S+)", said, re.M)]
    run = tr.open("last")
    loss_ES = run.losses.astype(np.float64).reshape(7, 3)
    wanted = zip(loss_ES.mean(1), loss_ES.std(1), strict=True)
    assert found == [pytest.approx(two, abs=6e-5) for two in wanted]
    assert treino("show", "last", "last", "--epochs").status == 2


LEADS: dict[
    str, dict[tuple[float, float], bool]
] = {  # right answers of the network and of the linear model -> whether the lead can be chance
    "accuracy": {(25, 26): True, (20, 25): True, (20, 26): False, (25, 25): False, (26, 25): False},
    "rmse": {(5.0, 4.5): True, (5.0, 3.9): False, (5.0, 5.0): False, (5.0, 5.5): False},
}


@pytest.mark.parametrize("metric", LEADS)
def test_a_lead_of_a_simple_model_that_can_be_chance_is_said(metric: str, tmp_path: Path) -> None:
    """By a sign test where all rows on which the two differ speak for one; or within the interval."""
    assert [binomtest(k, k).pvalue < 0.05 for k in (run_sentences.CHANCE, run_sentences.CHANCE + 1)] == [
        False,
        True,
    ]
    rows = {"accuracy": 26, "rmse": 1}[metric]
    run = tr.fit({"accuracy": "wine", "rmse": "diabetes"}[metric], epochs=1, parent=tmp_path)
    assert run.result is not None
    for (own, linear), chance in LEADS[metric].items():
        document = run.result.model_dump(by_alias=True)
        document["metrics"]["test"][metric], document["intervals"]["test"] = own / rows, {metric: (4.0, 6.0)}
        document["baseline"] = {"linear": {**document["baseline"]["linear"], metric: linear / rows}}
        (said,) = run_sentences.headlines(type(run.result).model_validate(document))
        assert ("new rows the network may" in said) == chance
        assert metric == "rmse" or not chance or f"{linear - own} of the 26 rows" in said
