"""A run answers alike in six tongues: Python, the command line, a script, ONNX, a service, a page."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import treino as tr
from tests.conftest import Treino
from tests.workflows import tongues
from tests.workflows.drawn_tables import Columns, DrawnTable, drawn_tables, frame_of
from treino.data import load, rows_for_prediction, sources
from treino.data.preparation.column_cells import inputs_of, read_cells
from treino.data.preparation.new_rows import forms_of
from treino.data.readers import ReaderOptions
from treino.folders import reading_of
from treino.reports.export.formats import exported

pytest.importorskip("onnxruntime")
pytest.importorskip("treino_service")
Asked = Callable[[Columns], pd.DataFrame]
pytestmark = pytest.mark.usefixtures("bare")
SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def tab() -> Iterator[Any]:
    """Ask the page's scripts; None where node or the studio is missing."""
    node: Any = pytest.importorskip("apps.studio.tests.playground.node")
    with node.problems() as ask:
        yield ask


@contextlib.contextmanager
def asked_of(run: tr.Run, table: DrawnTable, treino: Treino, folder: Path) -> Iterator[dict[str, Asked]]:
    """How each tongue is asked for the run's answers to columns of cells."""
    script, service = (exported(run, form).paths[0] for form in ("script", "service"))
    model = service / "model.onnx"  # what the format onnx writes
    heads = list(run.predict(frame_of(table.new)))

    def path(columns: Columns) -> Path:
        return table.write(folder / "asked.csv", columns)

    example = (service / "example.sh").read_text("utf-8").partition("<<'END'\n")[2].rpartition("\nEND")[0]
    with tongues.served(service) as address:
        assert len(tongues.service(address, example.encode(), "application/json")) == 1
        yield {
            "frame": lambda columns: tongues.interpreter(run, frame_of(columns)),
            "command": lambda columns: tongues.command(treino, run, path(columns)),
            "script": lambda columns: tongues.script(script, path(columns)),
            "ONNX": lambda columns: tongues.onnx_model(model, frame_of(columns), heads),
            "service, CSV": lambda columns: tongues.service(address, path(columns).read_bytes(), "text/csv"),
            "service": lambda columns: tongues.service(address, tongues.as_json(columns), "application/json"),
        }


def check(table: DrawnTable, treino: Treino, tab: Any) -> None:
    with TemporaryDirectory() as parent:
        folder = Path(parent)
        file = table.write(folder / "table.csv", table.rows)
        # a name with a comma in it may leave open which sign is between cells
        stated = {} if table.held else {"delimiter": table.writing.delimiter}
        how = {"epochs": 2, "lean": not table.held, "hidden": [8], "batch_size": "full", "parent": folder}
        run = tr.fit(frame_of(table.rows) if table.held else file, **how, **stated, **table.asked)
        assert set(run.preparation.features) == set(table.kinds)
        same_inputs(run.refit or run, table, folder)
        with asked_of(run, table, treino, folder) as asked:
            answers = {tongue: ask(table.new) for tongue, ask in asked.items()}
            scale = max(one.target_scale for one in run.preparation.by_target)
            for tongue, theirs in answers.items():
                alike(
                    tongue, theirs, answers["frame"], scale, 1e-4 if table.asked.get("log_target") else 1e-5
                )
            refused_alike(asked, table)
        carried_out_in_the_tab(run.refit or run, table, tab)
        same_in_the_tab(table, tab, folder)


def same_inputs(run: tr.Run, table: DrawnTable, folder: Path) -> None:
    """Of a frame and of a file."""
    path = table.write(folder / "new.csv", table.new)
    ours = rows_for_prediction(frame_of(table.new), run.preparation)
    theirs = rows_for_prediction(path, run.preparation, reading_of(run))
    np.testing.assert_allclose(theirs.x, ours.x, rtol=1e-6, atol=1e-6)
    assert (theirs.missing, theirs.unknown) == (ours.missing, ours.unknown)


def alike(tongue: str, theirs: pd.DataFrame, ours: pd.DataFrame, scale: float, share: float = 1e-5) -> None:
    """Numbers within 1e-5 of the target's unit, or this share (a learnt logarithm turns sums into factors);
    words the same. A tongue may tell less than ours: no ends."""
    assert set(theirs) <= set(ours), tongue
    always = ("prediction", "probability", "quantile", "deviation")
    assert {name for name in ours if name.startswith(always)} <= set(theirs), tongue
    for name in theirs:
        if pd.api.types.is_float_dtype(ours[name]):
            both = [frame[name].astype(float).replace([np.inf, -np.inf], np.nan) for frame in (theirs, ours)]
            near = {"rtol": share, "atol": 1e-5 * scale, "err_msg": f"{tongue}: {name}"}
            np.testing.assert_allclose(*both, **near)  # JSON has null for what is not finite
        else:
            assert list(map(str, theirs[name])) == list(map(str, ours[name])), (tongue, name)


def refused_alike(asked: dict[str, Asked], table: DrawnTable) -> None:
    """By the name of the column that is missing, or that holds what it can't."""
    first = next(iter(table.kinds))
    without = {name: cells for name, cells in table.new.items() if name != first}
    for tongue in set(asked) - {"ONNX"}:  # which has no words
        with pytest.raises(tongues.RefusedError, match=re.escape(first)):
            asked[tongue](without)
        for name, cell in table.wrong:
            cells = list(table.new[name])
            cells[len(cells) // 2] = cell
            with pytest.raises(tongues.RefusedError, match=re.escape(f"'{name}'")):
                asked[tongue](dict(table.new) | {name: cells})


def carried_out_in_the_tab(run: tr.Run, table: DrawnTable, tab: Any) -> int:
    """How many of the stored programs the page can carry out: it gets the same inputs of new cells."""
    programs = run.preparation.programs
    reading = ReaderOptions(forms=forms_of(run.preparation, None), keep_empty=True)
    new = sources.read(frame_of(table.new), reading, least_columns=1)
    cells = [read_cells(program, new.column(program.column), new.place) for program in programs]
    asked = [
        [
            None if cell == "" or cell != cell else {0: "no", 1: "Yes"}[cell] if program.truth else cell
            for cell in own
        ]
        for program, own in zip(programs, cells, strict=True)
    ]
    answers = tab(programs=[program.to_json() for program in programs], cells=asked)
    known = [k for k, answer in enumerate(answers) if answer is not None]
    for k in known:
        np.testing.assert_allclose(
            np.hstack([np.array(step).reshape(len(cells[k]), -1) for step in answers[k]]),
            inputs_of(programs[k], cells[k]),
            rtol=1e-6,
            atol=1e-6,
        )
    return len(known)


def same_in_the_tab(table: DrawnTable, tab: Any, folder: Path) -> None:
    """The page fits programs of its own, of numbers, truth values and some classes: they are treino's."""
    own = [name for name, kind in table.kinds.items() if kind.tab]
    if not own:
        return
    how = {"features": own, "normalise": table.asked.get("normalise", True)}
    target, writing = table.targets[0], table.writing
    reading = {"delimiter": writing.delimiter, "decimal": "," if writing.comma else ".", "header": True}
    text = (folder / "table.csv").read_text("utf-8")
    options = {"file": "t.csv", **reading}
    theirs = tab(text=text, options=options, target=target, problem={"data_seed": 0, **how})
    assert "rule" not in theirs, theirs
    data = load(folder / "table.csv", target=target, data_seed=0, delimiter=writing.delimiter, **how)
    assert theirs["programs"] == json.loads(json.dumps([p.to_json() for p in data.preparation.programs]))
    for rows, part in zip(data.splits.values(), theirs["parts"], strict=True):
        assert rows.x.numpy().tobytes().hex() == part["x"]


@pytest.mark.proof
@settings(max_examples=2, phases=[Phase.generate], suppress_health_check=SUPPRESSED)
@given(table=drawn_tables(every=True))
def test_six_tongues_answer_alike(table: DrawnTable, treino: Treino, tab: Any) -> None:
    check(table, treino, tab)


@pytest.mark.release
@settings(max_examples=150, phases=[Phase.generate], suppress_health_check=SUPPRESSED)
@given(table=drawn_tables(most_classes=700))
def test_six_tongues_answer_alike_whatever_is_drawn(table: DrawnTable, treino: Treino, tab: Any) -> None:
    check(table, treino, tab)
