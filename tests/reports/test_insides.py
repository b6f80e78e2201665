"""``treino plot --what network,…`` of whole runs, of a sweep, and of runs that can't be drawn."""

from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import treino as tr
from tests.conftest import Treino, refusal_of
from treino.api import Run
from treino.base.errors import TreinoError
from treino.inspection.outputs import confusion
from treino.reports.pictures.picture_files import draw, files_of

pytestmark = pytest.mark.usefixtures("bare")

FILES = {"network": "network.svg"} | {
    n: f"{n}.png" for n in ("weights", "confusion", "calibration", "mistakes", "importance", "dependence")
}
NASTY = "<script>alert(1)</script>"


def look(run: Run, *refused: str) -> None:
    """All pictures; those of ``refused`` are an error that says what to do instead."""
    for name in FILES:
        if name in refused:
            assert refusal_of(draw, run, [name]).hint, name
            continue
        (path,) = draw(run, [name])
        assert [path.name] == [FILES[name]] == files_of([name])
        if path.suffix == ".svg":
            assert ElementTree.parse(path).getroot().get("width")
        else:
            assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_run_and_the_best_of_a_sweep(treino: Treino) -> None:
    assert treino("train", "iris", "--epochs", 5, "--name", "one").status == 0
    said = treino("plot", "one", "--what", ",".join(FILES), "--json")
    assert [Path(p).name for p in said.document["paths"]] == list(FILES.values())
    assert all(Path(p).parent == Path("runs/one/pictures") for p in said.document["paths"])
    words = "sweep iris --space lr=1e-3..1e-1:log --members 4 --epochs 4 --fresh 0 --name many"
    found = treino(*words.split())
    assert found.status == 0, found.err
    said = treino("plot", "many", "--what", "network,parallel,confusion", "--json", "--to", "here")
    names = sorted(Path(p).name for p in said.document["paths"])
    assert names == ["confusion.png", "network.svg", "parallel.png"]
    said = treino("plot", "many", "--what", "networc")
    assert (said.status, "networc" in said.err) == (2, True)


def test_test_rows_of_a_run_that_is_to_go_on_are_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tr.fit("iris", epochs=3, out=tmp_path / "r")
    seen = []
    noted = lambda *a, **k: seen.append(k["splits"]) or confusion(*a, **k)  # noqa: E731
    monkeypatch.setattr("treino.reports.pictures.insides.confusion", noted)
    monkeypatch.setattr(Run, "status", "stopped")
    draw(run, ["confusion"])
    monkeypatch.setattr(Run, "status", "finished")
    draw(run, ["confusion"])
    assert seen == [("train", "validation"), ("train", "validation", "test")]


@pytest.mark.slow
def test_a_regression_has_residuals_and_no_confusion(treino: Treino, tmp_path: Path) -> None:
    run = tr.fit("diabetes", epochs=4, out=tmp_path / "r")
    look(run, "confusion", "calibration")
    # what can't be drawn keeps nothing else from it
    said = treino("plot", run.path, "--what", "confusion,curves,confusion", "--to", "new", "--json")
    assert (said.status, said.document["paths"]) == (2, ["new/curves.png"])
    assert [e["rule"] for e in said.document["errors"]] == [said.document["error"]["rule"]]
    assert said.document["error"]["rule"] == "confusion_of_numbers"
    assert said.err.count("no classes that could be mixed up") == 1
    Path("file").write_bytes(b"")
    said = treino("plot", run.path, "--what", "curves,weights", "--to", "file", "--json")
    assert (said.status, said.document["error"]["rule"]) == (2, "not_a_folder")


@pytest.mark.slow
def test_classes_columns_and_cells_of_all_kinds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 140
    frame = pd.DataFrame({"size $x_1$": rng.normal(size=n), NASTY: rng.choice(["a", "<b>", "$c$"], n)})
    frame["day"] = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    frame["who"] = [f"person {k}" for k in rng.integers(0, 70, n)]
    frame["y"] = np.where(frame["size $x_1$"] > 0, NASTY, '$x_1$ & "q" 🍷 葡萄酒')
    frame.loc[::9, NASTY] = None
    run = tr.fit(frame, target="y", epochs=3, out=tmp_path / "r")
    look(run)
    svg = (run.path / "pictures" / "network.svg").read_text()
    assert NASTY not in svg
    assert "&lt;script&gt;" in svg


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [[], [4] * 12])
def test_one_input_and_deep_or_linear_networks(tmp_path: Path, hidden: list[int]) -> None:
    look(tr.fit("iris", features=["petal_length"], hidden=hidden, epochs=3, out=tmp_path / "r"))


@pytest.mark.slow
def test_diverged(tmp_path: Path) -> None:
    run = tr.fit("wine", optimizer="sgd", lr=1e6, epochs=3, out=tmp_path / "r")
    assert run.status == "diverged"
    look(run, "calibration", "importance", "dependence")
    assert "not finite there" in (run.path / "pictures" / "network.svg").read_text()


class Words(nn.Module):
    """Takes numbers of words, of which there are ten, and no other number."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.out = nn.Parameter(torch.zeros(10, 4)), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if bool((x != x.round()).any()):
            raise ValueError("these are no words\nat all")
        return self.out(self.words[x.long()].mean(1))


class Bare(nn.Module):
    """Has weights, and no layer."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x * 1.0) @ self.weight


@pytest.mark.slow
def test_networks_and_data_of_ones_own(tmp_path: Path) -> None:
    words = torch.randint(0, 10, (90, 7), generator=torch.Generator().manual_seed(0))
    y = (words.float().mean(1) > 4.5).long()
    run = tr.fit(TensorDataset(words, y), Words(), epochs=2, out=tmp_path / "words")
    with pytest.raises(TreinoError, match="ValueError: these are no words") as said:
        draw(run, ["network"])
    assert "at all" not in str(said.value)
    x = torch.randn(90, 3, generator=torch.Generator().manual_seed(0))
    loader = DataLoader(TensorDataset(x, (x[:, 0] > 0).long()), batch_size=16)
    assert draw(tr.fit(loader, epochs=2, out=tmp_path / "loader"), ["network", "confusion", "importance"])
    bare = tr.fit(TensorDataset(x, (x[:, 0] > 0).long()), Bare(), epochs=2, out=tmp_path / "bare")
    assert draw(bare, ["network", "confusion"])
    with pytest.raises(TreinoError):
        draw(bare, ["weights"])


def texts(rows: int) -> pd.DataFrame:
    """Rows with a text and a number, whose class hangs a little on both."""
    rng = np.random.default_rng(rows)
    words = ["river", "stone", "chair", "table", "cold", "bitter", "grey", "walk"]
    drawn = [" ".join(rng.choice(words, 9)) for _row in range(rows)]
    frame = pd.DataFrame({"a remark": drawn, "size": rng.normal(size=rows)})
    frame["kind"] = np.where(frame["size"] + rng.normal(size=rows) > 0, "A", "B")
    frame["price"] = frame["size"] + rng.normal(size=rows)
    return frame


@pytest.mark.slow
@pytest.mark.parametrize(("target", "left_out"), [("kind", "price"), ("price", "kind")])
def test_mistakes_on_rows_with_texts(tmp_path: Path, target: str, left_out: str) -> None:
    """Terms of a text have an importance, and are no columns that a mistake could show."""
    frame = texts(120).drop(columns=left_out)
    frame["another remark"] = frame["a remark"].sample(frac=1, random_state=0).to_numpy()
    run = tr.fit(
        frame, target=target, recipe="plain", kinds={"a remark": "text"}, epochs=2, out=tmp_path / "r"
    )
    assert len(draw(run, ["mistakes", "importance", "dependence"])) == 3


@pytest.mark.slow
@pytest.mark.parametrize("what", ["mistakes", "importance"])
def test_a_picture_with_a_defect_costs_itself_alone(
    treino: Treino, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """In ``plot`` and in the report the others are there; the defect is named, and ends with status 1."""

    def broken(*_shown: object, **_more: object) -> None:
        raise ValueError("tuple.index(x)")

    assert treino("train", "iris", "--epochs", 2, "--name", "r").status == 0
    monkeypatch.setattr(f"treino.reports.pictures.insides.{what}_figure", broken)
    said = treino("plot", "r", "--what", f"{what},curves", "--json")
    assert (said.status, [Path(p).name for p in said.document["paths"]]) == (1, ["curves.png"])
    assert said.document["error"]["rule"] == "defect"
    assert f"{what} can't be drawn: ValueError: tuple.index(x)" in said.err
    assert "Traceback" in said.err
    assert "report it" in said.err
    said = treino("report", "r", "--json")
    page = unescape(Path(said.document["path"]).read_text())
    title = {"mistakes": "Mistakes", "importance": "Feature importance"}[what]
    assert said.status == 1
    assert [e["rule"] for e in said.document["errors"]] == ["defect"]
    for told in (said.err, page):
        assert f"{title} can't be drawn: ValueError: tuple.index(x)" in told
    assert "Traceback" in said.err
    assert "Traceback" not in page
    assert "Calibration" in page


@pytest.mark.slow
def test_a_defect_isn_t_the_network_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the user's own network computes well, what a drawing raises is no fault of the network."""
    x = torch.randn(90, 3, generator=torch.Generator().manual_seed(0))
    run = tr.fit(TensorDataset(x, (x[:, 0] > 0).long()), Bare(), epochs=1, lean=True, out=tmp_path / "bare")
    monkeypatch.setattr("treino.reports.pictures.insides.confusion_figure", lambda _shown: [][0])
    with pytest.raises(TreinoError, match="confusion can't be drawn: IndexError") as error:
        draw(run, ["confusion"])
    assert (error.value.rule, error.value.status) == ("defect", 1)
