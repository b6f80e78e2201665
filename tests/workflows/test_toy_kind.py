"""A kind of column that treino has not, an angle in degrees: a package adds it, and every door takes it."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import treino as tr
from tests.conftest import Treino
from tests.workflows.drawn_tables import KINDS, NO_NUMBER, DrawnTable, Kind, Writing, frame_of
from tests.workflows.test_six_tongues import alike, asked_of, refused_alike
from treino.base.apps import entries, installed
from treino.data import rows_for_prediction
from treino.data.preparation.ways import WAYS

pytestmark = [pytest.mark.usefixtures("bare"), pytest.mark.slow]
ENTRY = """
from treino.data.column_program import ColumnProgram
from treino.data.operations import Circle, ReadNumber
from treino.data.preparation.ways import Way

def fit(fit):
    steps = ReadNumber(truth=False), Circle(of=0, period=360.0)
    return ColumnProgram(column=fit.column.name, way="angle", steps=steps, shown=(1,))

angle = Way(fit, "angle", "angle", "Angles as points of a circle: {names}.")
"""
ANGLE = Kind(lambda r, n: r.uniform(0, 360, n).round(1).tolist(), (), NO_NUMBER, "angle")
OF_KINDS = {"wind": ANGLE, "heat": KINDS["number"]}
ROWS = {name: kind.draw(np.random.default_rng(0), 300) for name, kind in OF_KINDS.items()}
ROWS["y"] = np.cos(np.radians(np.array(ROWS["wind"], dtype=float))).tolist()
NEW = {"wind": [None, -90.0, 270.0, 1e12], "heat": [20.0] * 4}
ASKED = {"kinds": {"wind": "angle"}, "target": ["y"], "recipe": "plain"}
TABLE = DrawnTable(OF_KINDS, ROWS, NEW, ("y",), ASKED, Writing(), False, (("wind", "north"),))


def look_up_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a new process does."""
    monkeypatch.delitem(sys.modules, "winds", raising=False)
    monkeypatch.setattr(WAYS, "_further", {})
    entries.cache_clear()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tr.Run:
    """Trained where the package is installed."""
    about = tmp_path / "site/winds-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: winds\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[treino.entries]\ncolumn.angle = winds:angle\n")
    (tmp_path / "site/winds.py").write_text(ENTRY)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    look_up_anew(monkeypatch)
    return tr.fit(TABLE.write(tmp_path / "t.csv", ROWS), epochs=30, parent=tmp_path, name="toy", **ASKED)


def test_all_tongues_answer_alike_without_the_package(
    run: tr.Run, treino: Treino, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Angles as points of a circle: wind." in run.data.notes
    with asked_of(tr.open(run.path), TABLE, treino, tmp_path) as asked:
        (tmp_path / "site").rename(tmp_path / "gone")
        look_up_anew(monkeypatch)
        answers = {tongue: ask(NEW) for tongue, ask in asked.items()}
        for tongue, theirs in answers.items():
            alike(tongue, theirs, answers["frame"], run.preparation.target_scale)
        refused_alike(asked, TABLE)
    turn_N = np.radians([-90.0, 270.0, 1e12 % 360])
    x_ND = rows_for_prediction(frame_of(NEW), run.preparation).x.numpy()
    np.testing.assert_allclose(x_ND[1:, :2], np.stack([np.sin(turn_N), np.cos(turn_N)], axis=1), atol=1e-4)
    assert x_ND[0, :2].tolist() == [0, 0]  # the circle's centre


@pytest.mark.release
def test_every_question_about_columns_is_answered(run: tr.Run, treino: Treino, tmp_path: Path) -> None:
    wanted = ["data", tmp_path / "t.csv", "--target", "y", "--kinds", "wind=angle"], ["report", run.path]
    drawn = [["plot", run.path, "--what", what] for what in ("importance", "dependence", "boundary")]
    for words in (*wanted, *drawn, *([verb, run.path] for verb in ("rows", "explain") if installed(verb))):
        told = treino(*words, "--json")
        assert told.status == 0, (words, told.err)
    moved = pd.DataFrame({"wind": np.random.default_rng(1).normal(0, 5, 200) % 360, "heat": 20.0})
    assert "wind" in str(run.drift(moved))
