"""The logger ``treino``: what a program that embeds treino hears of its trainings."""

import logging
import os
import signal
from pathlib import Path
from typing import Any

import pytest

import treino as tr
from treino.training.loop import JobProgress

SMALL: dict[str, Any] = {"hidden": [4], "baselines": "usual"}


def heard(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """(level, message) of each record since the last call, without the folder's path."""
    records = [(r.levelname, r.getMessage().partition(": ")[2]) for r in caplog.records if r.name == "treino"]
    caplog.clear()
    return records


def test_a_training_is_heard_from_its_beginning_to_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "treino")
    rows = "".join(f"{n % 7},{n % 2 if n != 3 else ''}\n" for n in range(80))
    (tmp_path / "t.csv").write_text("a,y\n" + rows)
    fit: dict[str, Any] = {"parent": tmp_path / "runs", "target": "y", "task": "classification", **SMALL}
    tr.fit(str(tmp_path / "t.csv"), epochs=2, **fit)
    begun, *notes, saved, ended = heard(caplog)
    assert (begun, saved, ended) == (("INFO", "in training"), ("INFO", "saved"), ("INFO", "finished"))
    assert any("left out" in note for _level, note in notes), notes


def test_an_interruption_a_resumption_and_an_alert_are_heard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupt(event: Any) -> None:
        if isinstance(event, JobProgress):
            os.kill(os.getpid(), signal.SIGINT)

    caplog.set_level("INFO", "treino")
    with pytest.raises(KeyboardInterrupt):
        tr.fit("iris", parent=tmp_path, steps=3000, patience=0, watch=interrupt, name="cut", **SMALL)
    assert heard(caplog)[-2:] == [("INFO", "saved"), ("WARNING", "interrupted")]
    tr.open("cut", parent=tmp_path).resume(alerts="loss < 100: stop")
    after = heard(caplog)
    assert ("INFO", "resumed") in after
    assert any(level == "WARNING" and "loss" in message for level, message in after), after


def test_without_a_handler_it_is_silent() -> None:
    """Python's handler of last resort would write warnings to stderr."""
    assert any(isinstance(each, logging.NullHandler) for each in logging.getLogger("treino").handlers)
