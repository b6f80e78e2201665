"""The finding that a network learns its training rows by heart: its figures are those of the run."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import treino as tr


def found(folder: Path, noise: float, **settings: Any) -> tuple[Any, list[dict[str, Any]]]:
    """A run on 80 rows of ten columns, and this finding in it, if any. noise: beside the sum of columns."""
    draw = np.random.default_rng(7)
    x_ND = draw.normal(size=(80, 10))
    y_N = x_ND.sum(1) + noise * draw.normal(size=80) > 0
    frame = pd.DataFrame(x_ND, columns=list("abcdefghij")).assign(y=np.where(y_N, "yes", "no"))
    run = tr.fit(frame, target="y", parent=folder, lean=True, **settings)
    return run, [each for each in run.document["findings"] if each["rule"] == "overfitting"]


@pytest.mark.slow
def test_it_says_how_far_the_validation_loss_has_risen(tmp_path: Path) -> None:
    run, (finding,) = found(tmp_path, 9.0, hidden=[64, 32], batch_size=8, epochs=40)
    loss = run.document["loss"]
    validation_E = np.array(loss["validation"], float)
    best = int(np.nanargmin(validation_E))
    figures = {
        "epoch": best + 1,
        "best": validation_E[best],
        "last": validation_E[-1],
        "before": loss["train"][best],
        "now": loss["train"][-1],
    }
    assert finding["evidence"] == pytest.approx(figures)
    assert figures["last"] - figures["best"] > 0.25 * np.log(2)
    assert f"at epoch {best + 1}: {figures['best']:.4g}" in finding["message"]
    assert f"At epoch 40 it is {figures['last']:.4g}" in finding["message"]
    assert "patience=20" in finding["fix"]
    assert "these answer" in finding["why"]
    assert (finding["certain"], finding["severity"]) == (False, "risk")


@pytest.mark.parametrize(
    ("noise", "settings"),
    [
        (0.0, {"hidden": [8], "epochs": 60}),  # its validation loss falls, too
        (9.0, {"hidden": [64, 32], "epochs": 10}),  # it ends in time
        (9.0, {"hidden": [64, 32], "epochs": 200, "validation": 0.0}),  # nothing measures it
        (9.0, {"hidden": [64, 32], "epochs": 200, "lr": 1e-5}),  # it learns nothing by heart yet
    ],
)
def test_it_is_silent_elsewhere(tmp_path: Path, noise: float, settings: dict[str, Any]) -> None:
    assert found(tmp_path, noise, **settings)[1] == []


LEARNS_BY_HEART = {"hidden": [64, 32], "batch_size": 8}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "advised", "not_advised"),
    [
        ({"patience": 30, "epochs": 200, "dropout": 0.0}, ["dropout=0.3"], ["patience=", "keep="]),
        ({"epochs": 40, "keep": "last"}, ["patience=20", "keep='best'"], []),
        ({"epochs": 120, "dropout": 0.4}, ["patience=20"], ["dropout="]),
    ],
)
def test_it_advises_nothing_that_is_set(
    tmp_path: Path, settings: dict[str, Any], advised: list[str], not_advised: list[str]
) -> None:
    _run, (finding,) = found(tmp_path, 9.0, **LEARNS_BY_HEART, **settings)
    assert all(text in finding["fix"] for text in advised), finding["fix"]
    assert not any(text in finding["fix"] for text in not_advised), finding["fix"]
    assert ("these answer" in finding["why"]) == (settings.get("keep") != "last")


@pytest.mark.slow
@pytest.mark.parametrize("at", [8, 30])
def test_to_go_on_is_no_new_training(tmp_path: Path, at: int) -> None:
    """After a rewind without a change, and a going on for longer, the lowest loss is the path's."""
    frame_run, (before,) = found(tmp_path, 9.0, **LEARNS_BY_HEART, epochs=40)
    step = at * frame_run.document["steps"] // 40
    again = frame_run.rewind(step, epochs=44)
    (finding,) = [each for each in again.document["findings"] if each["rule"] == "overfitting"]
    assert finding["evidence"]["epoch"] == before["evidence"]["epoch"]
    validation = again.document["loss"]["validation"]
    assert finding["evidence"]["last"] == pytest.approx(validation[-1])
