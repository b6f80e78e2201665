"""A later file is read as the training file was written; where it may be read in two ways, it is refused."""

import csv
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import treino as tr
from tests.conftest import Treino, refusal_of
from treino.reports.export.formats import exported
from treino.sklearn import Regressor
from treino.training.stored_results import open_run

SIGNS = {"comma": ",", "point": "."}
NEW = pd.DataFrame({"a": [4.105, 18.707], "b": [3.654, 2.271]})


def rows(count: int = 80) -> pd.DataFrame:
    r = np.random.default_rng(7)
    frame = pd.DataFrame({"a": r.uniform(2, 20, count), "b": r.uniform(0, 5, count)}).round(3)
    return frame.assign(y=(3 * frame["a"] + frame["b"]).round(3))


def as_written(frame: pd.DataFrame, sign: str) -> pd.DataFrame:
    """All numbers as text with three decimals."""
    return frame.map(lambda value: f"{value:.3f}".replace(".", sign))


def text_of(frame: pd.DataFrame, delimiter: str, quoting: int = csv.QUOTE_MINIMAL) -> str:
    return frame.to_csv(index=False, sep=delimiter, quoting=quoting)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tr.Run]:
    folder = tmp_path_factory.mktemp("trained")
    trained = {}
    for name, sign in SIGNS.items():
        path = folder / f"{name}.csv"
        path.write_text(text_of(as_written(rows(), sign), ";"))
        trained[name] = tr.fit(str(path), target="y", epochs=1, ensemble=1, parent=folder / "runs", name=name)
    return trained


def later(folder: Path, sign: str) -> dict[str, Any]:
    """The new rows in every sort of source, with this decimal sign."""
    frame, sources = as_written(NEW, sign), {}
    texts = {
        "semicolons": text_of(frame, ";"),
        "tabs": text_of(frame, "\t"),
        "quoted": text_of(frame, ",", csv.QUOTE_ALL),
        "one row": text_of(frame.head(1), ";"),
        "a column more": text_of(frame.assign(note="x"), ";"),
    }
    for name, text in texts.items():
        sources[name] = folder / f"{name}.csv"
        sources[name].write_text(text)
    frame.to_json(folder / "new.jsonl", lines=True, orient="records")
    frame.to_excel(folder / "new.xlsx", index=False)
    return {n: str(p) for n, p in sources.items()} | {
        "JSON lines": str(folder / "new.jsonl"),
        "workbook": str(folder / "new.xlsx"),
        "frame": frame,
    }


@pytest.mark.slow
@pytest.mark.parametrize("sign", SIGNS.values())
@pytest.mark.parametrize("trained", SIGNS)
def test_three_decimals_are_never_thousands(
    runs: dict[str, tr.Run], trained: str, sign: str, tmp_path: Path
) -> None:
    run = runs[trained]
    true = run.predict(NEW)["prediction"].tolist()
    for name, source in later(tmp_path, sign).items():
        if sign == SIGNS[trained]:
            found = run.predict(source)
            found = (found["prediction"] if name == "frame" else found).tolist()
            assert found == pytest.approx(true[: len(found)]), name
        else:
            refused = refusal_of(run.predict, source)
            assert refused.rule == "decimal_open", name
            assert f"'4{SIGNS[trained]}105' or '4105'" in refused.hint


@pytest.mark.slow
def test_so_says_the_command(runs: dict[str, tr.Run], treino: Treino, tmp_path: Path) -> None:
    source = later(tmp_path, ".")["semicolons"]
    said = treino("predict", runs["comma"].path, source)
    assert said.status == 2
    assert "'4.105' in line 2: with decimals, or groups of thousands?" in said.err
    with_proof = tmp_path / "proof.csv"
    with_proof.write_text("a;b\n4.105;3.6\n")
    said = treino("predict", runs["comma"].path, with_proof)
    assert said.status == 0
    assert "read with a decimal point; the training rows have a decimal comma" in " ".join(said.out.split())


def test_groups_of_thousands_stay_groups_where_the_training_rows_have_them(tmp_path: Path) -> None:
    frame = rows().assign(price=lambda f: f["a"] * 1000)
    text = as_written(frame[["a", "y"]], ",").assign(
        price=[f"{v:,.2f}".translate(str.maketrans(",.", ".,")) for v in frame["price"]]
    )
    path, new = tmp_path / "prices.csv", tmp_path / "new.csv"
    path.write_text(text_of(text, ";"))
    run = tr.fit(str(path), target="y", epochs=1, ensemble=1, parent=tmp_path / "runs", name="grouped")
    new.write_text("a;price\n4,105;4.105\n")
    assert run.predict(str(new))[0] == pytest.approx(
        run.predict(pd.DataFrame({"a": [4.105], "price": [4105.0]}))["prediction"][0]
    )
    new.write_text("a;price\n4.105;4.105\n")
    with pytest.raises(tr.TreinoError, match=r"column 'a' holds '4\.105'") as refused:
        run.predict(str(new))
    assert refused.value.rule == "decimal_open"


@pytest.mark.slow
def test_what_was_stated_in_training_is_not_forced_on_a_later_file(tmp_path: Path) -> None:
    path = tmp_path / "stated.csv"
    path.write_text(text_of(as_written(rows(), ","), ";"))
    run = tr.fit(str(path), target="y", decimal="comma", epochs=1, parent=tmp_path / "runs", name="stated")
    source = later(tmp_path, ".")["semicolons"]
    assert refusal_of(run.predict, source).rule == "decimal_open"


@pytest.mark.release
def test_the_exported_script_refuses_them_too(runs: dict[str, tr.Run], tmp_path: Path) -> None:
    for name, own in SIGNS.items():
        script = exported(open_run(runs[name].path), "script").paths[0]
        for sign in SIGNS.values():
            new = tmp_path / "new.csv"
            new.write_text(text_of(as_written(NEW, sign), ";"))
            done = subprocess.run(
                [sys.executable, str(script), "predict", str(new)],
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode == 0) == (sign == own)
            if sign == own:
                found = [float(row["prediction"]) for row in csv.DictReader(io.StringIO(done.stdout))]
                assert found == pytest.approx(runs[name].predict(NEW)["prediction"].tolist(), rel=1e-4)


@pytest.mark.slow
def test_estimators_read_text_as_the_rows_they_learnt_from() -> None:
    frame = rows()
    fitted = Regressor(epochs=1, ensemble=1).fit(as_written(frame[["a", "b"]], ","), frame["y"])
    assert fitted.predict(as_written(NEW, ",")).tolist() == pytest.approx(fitted.predict(NEW).tolist())
    with pytest.raises(ValueError, match="with decimals, or groups of thousands"):
        fitted.predict(as_written(NEW, "."))


@pytest.mark.slow
def test_dates_and_words_for_nothing_are_those_of_the_training_file(treino: Treino, tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=80, freq="4D")
    path, new = tmp_path / "days.csv", tmp_path / "new.csv"
    frame = rows().assign(d=days.strftime("%d/%m/%Y"), a=lambda f: f["a"].astype(str))
    frame.loc[3, "a"] = "n.d."
    path.write_text(text_of(frame, ","))
    run = tr.fit(str(path), target="y", epochs=1, ensemble=1, parent=tmp_path / "runs", name="days")
    known = run.predict(pd.DataFrame({"a": [4.105, np.nan], "b": [1.5, 1.5], "d": ["2024-03-02"] * 2}))
    new.write_text("a,b,d\n4.105,1.5,02/03/2024\nn.d.,1.5,02/03/2024\n")
    assert run.predict(str(new)).tolist() == pytest.approx(known["prediction"].tolist())
    new.write_text("a,b,d\n4.105,1.5,03/02/2024\n4.105,1.5,03/25/2024\n")
    assert run.predict(str(new))[0] == pytest.approx(known["prediction"][0])
    said = " ".join(treino("predict", run.path, new).out.split())
    assert "The dates of these rows are read as month/day; those of the training rows are day/month" in said


@pytest.mark.slow
def test_codes_of_a_run_are_codes_in_a_later_file_and_in_what_is_written(
    treino: Treino, tmp_path: Path
) -> None:
    """A version may look like grouped thousands, by itself and beside decimal points."""
    codes = ["1.101.203", "12.345", "2.204.117"]
    path, new, to = tmp_path / "codes.csv", tmp_path / "new.csv", tmp_path / "to.csv"
    frame = rows().assign(version=[codes[i % 3] for i in range(80)])
    path.write_text(text_of(frame, ","))
    run = tr.fit(
        str(path), target="y", kinds="version=category", epochs=1, parent=tmp_path / "runs", name="codes"
    )
    new.write_text(text_of(frame.drop(columns="y").head(6), ","))
    said = treino("predict", run.path, new, "--to", to)
    assert said.status == 0, said.err
    written = pd.read_csv(to, dtype=str)
    assert written["version"].tolist() == frame["version"].head(6).tolist()
    assert written["prediction"].astype(float).tolist() == pytest.approx(run.predict(str(new)).tolist())
