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
        "last": np.median(validation_E[np.isfinite(validation_E)][-3:]),
        "before": loss["train"][best],
        "now": loss["train"][-1],
    }
    assert finding["evidence"] == pytest.approx(figures)
    assert figures["last"] - figures["best"] > 0.25 * np.log(2)
    assert f"at epoch {best + 1}: {figures['best']:.4g}" in finding["message"]
    assert "patience=20" in finding["fix"]
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
