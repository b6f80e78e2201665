"""What exports hold of the training rows, and scripts that come without them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import treino as tr
from treino.reports.export.formats import exported


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tr.Run:
    r = np.random.default_rng(0)
    place = np.arange(900) % 400
    frame = pd.DataFrame({"name": [f"Ana {k:05d}" for k in place], "pay": r.normal(3000, 900, 900)})
    frame["y"] = place % 7 + frame["pay"] / 1000
    folder = tmp_path_factory.mktemp("held")
    frame.to_csv(folder / "t.csv", index=False)
    settings: dict[str, Any] = {"kinds": {"name": "hashed"}, "recipe": "table", "epochs": 1}
    return tr.fit(folder / "t.csv", target="y", lean=True, parent=folder, name="a", **settings)


def ran(script: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(script), *words], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.release
def test_long_tables_are_beside_a_script_and_rows_only_where_it_trains(run: tr.Run) -> None:
    table = run.path.parent / "t.csv"
    for without in (False, True):
        made = exported(run, "script", without)
        names = ["a.py", "a_columns.json", *([] if without else ["a_data.npz"]), "a.pt"]
        assert sorted(path.name for path in made.paths) == sorted(names)
        assert (run.path / "exports" / "a_data.npz").exists() == (not without)
        assert ("all rows" in made.held[0]) == (not without)
        assert max(map(len, made.paths[0].read_text().splitlines())) < 2000
        said = ran(made.paths[0], "predict", str(table)).stdout.split()[1:]
        ours = run.predict(pd.read_csv(table))["prediction"]
        np.testing.assert_allclose([float(line.split(",")[1]) for line in said], ours, rtol=1e-5)
    assert ran(made.paths[0]).returncode == 1
    assert "doesn't train" in ran(made.paths[0]).stderr


@pytest.mark.slow
def test_each_format_says_what_it_holds(run: tr.Run) -> None:
    held = {form: exported(run, form).held for form in ("pt2", "safetensors")}
    assert held["safetensors"] == ("the target's lowest and highest value",)
    known = [p.step("place").values for p in run.preparation.programs if p.step("means")]
    assert "the names of known classes" in held["pt2"]
    assert f"the mean target of {sum(map(len, known))} single values of columns" in held["pt2"]
    assert not any("all rows" in one for of in held.values() for one in of)
