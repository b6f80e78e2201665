"""Progress during training: a line that fits 80 columns, lines in a log, two runs side by side."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tests.conftest import Said
from treino import words
from treino.cli import progress
from treino.spec import read_settings
from treino.training.train import training


def told(console: Console, shown: bool, epochs: int) -> None:
    settings = read_settings({"epochs": epochs, "name": f"of-{epochs}"})
    with progress.moving_line(console, shown) as tell:
        for event in training("wine", settings):
            tell(event)


def test_the_line_of_a_narrow_terminal_keeps_its_bar_and_its_time(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    file = io.StringIO()
    told(Console(file=file, width=80, force_terminal=True, color_system=None), True, 300)
    frames = [
        line for line in re.split(r"[\r\n]|\x1b\[[\d;?]*[A-Za-z]", file.getvalue()) if "/1\u202f200" in line
    ]
    assert frames
    assert all(len(line) <= 80 for line in frames)
    line = rf"step [━╸╺ ]{{{progress.BAR}}} [\d\u202f]+/1\u202f200 (\d:\d\d:\d\d|-:--:--) loss "
    assert all(re.match(line, frame) for frame in frames)


def test_a_log_has_a_line_for_an_epoch_at_most_every_few_seconds(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    quiet = io.StringIO()
    told(Console(file=quiet, width=1000), False, 2)
    assert quiet.getvalue() == ""
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    log = io.StringIO()
    told(Console(file=log, width=1000), False, 30)
    lines = log.getvalue().splitlines()
    assert lines
    assert all(re.match(r"epoch \d+ of 30, step \d+/120: loss \d\.\d{4}", line) for line in lines)
    assert "validation loss" in lines[-1]


@pytest.mark.slow
def test_two_runs_side_by_side_show_values_as_they_are_typed(treino: Callable[..., Said]) -> None:
    for name, hidden in (("a", "8,4"), ("b", "16")):
        treino("train", "wine", "--epochs", 2, "--hidden", hidden, "--name", name)
    shown = treino("show", "a", "b").out
    assert re.search(r"hidden +8, 4 +16 *\n", shown)
    assert not re.search(r"[\[\]']|True|False|None", shown)
    assert max(map(len, shown.splitlines())) < 140


@pytest.mark.slow
def test_a_layer_has_one_number_everywhere(treino: Callable[..., Said]) -> None:
    trained = treino("train", "wine", "--epochs", 2, "--name", "a").out
    rows = re.findall(r"^(\d+) +(\d+) +Linear", trained, re.M)
    assert rows == [("0", "0"), ("1", "2"), ("2", "4")]
    for number, module in rows:
        explained = treino("explain", "adam", "a", "--step", 1, "--weight", f"{number},0,0").out
        assert f"layer {number} (module {module})" in explained
    treino("report", "a", "--markdown", "--to", "a.md")
    report = Path("a.md").read_text()
    for number, module in rows:
        assert re.search(rf"\| {number} \| {module} \| Linear", report)
    assert words.language() == "en"


@pytest.mark.slow
def test_a_run_that_is_trained_elsewhere_shows_its_last_figures(
    treino: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream is left where it is: another process would see the same files."""
    events = training("wine", read_settings({"epochs": 100_000, "name": "long"}), checkpoint_seconds=0.0)
    for _event in zip(range(8), events, strict=False):
        pass
    shown = treino("show", "long")
    assert shown.status == 0
    assert re.search(r"running: [\d\u202f]+ steps so far \(epochs: [1-9]", shown.out)
    assert re.search(r"last figures: training loss \d\S* · validation accuracy \d", shown.out)
    events.close()
