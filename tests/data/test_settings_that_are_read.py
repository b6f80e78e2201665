"""A setting that the rows at hand don't read is refused with the reason, at every door."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import treino as tr
from tests.conftest import Treino, refusal_of
from treino.data import describe, load
from treino.data.source_kinds import SOURCES, source_kind
from treino.settings.data_settings import READERS, DataSettings

OWN: dict[str, Any] = {
    "target": "y",
    "features": "a",
    "kinds": {"a": "number"},
    "impute": "mean",
    "inputs": "bins",
    "bins": 8,
    "clip_inputs": 3.0,
    "target_means": True,
    "trees": 5,
    "log_target": True,
    "split_group": "a",
    "split_time": "a",
    "split_column": "a",
    "row_weights": "w",
    "image_size": "16",
    "fit": "pad",
    "skip_bad": 1,
    "labels": "labels.csv",
    "class_pattern": r"(\w)",
    "max_memory": "1GB",
    "delimiter": ";",
    "decimal": "comma",
    "encoding": "utf-8",
    "header": "yes",
    "skip": 0,
    "quote": "none",
    "dates": "day/month",
    "missing": "x",
    "sheet": "1",
}
"""A value that isn't the default of each setting that only some sources read."""


class Items(torch.utils.data.Dataset[Any]):
    def __len__(self) -> int:
        return 40

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        return torch.full((3,), float(i)), i % 2


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder, rng = tmp_path_factory.mktemp("sources"), np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=60), "w": 1.0, "y": rng.integers(0, 2, 60).astype(str)})
    frame.to_csv(folder / "rows.csv", index=False)
    for name in ("c/1.png", "c/2.png", "d/1.png", "d/2.png"):
        (folder / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8)).save(folder / "pictures" / name)
    y = rng.integers(0, 2, 40)
    return {
        "a file": str(folder / "rows.csv"),
        "a frame": frame,
        "wine": "wine",
        "pair": (frame[["a"]], y),
        "photographs": str(folder / "pictures"),
        "items": Items(),
        "arrays": ({"x": rng.normal(size=(40, 3))}, y),
        "panel": (rng.normal(size=(40, 2, 3)), y),
    }


def test_each_setting_that_not_all_sources_read_is_tried() -> None:
    assert OWN.keys() == READERS.keys() <= DataSettings.model_fields.keys()
    assert {reader for readers in READERS.values() for reader in readers} < SOURCES.keys()


@pytest.mark.parametrize("name", ["a file", "a frame", "wine", "photographs", "items", "arrays", "panel"])
def test_what_a_source_does_not_read_is_refused(sources: dict[str, Any], name: str) -> None:
    source, kind = sources[name], source_kind(sources[name])
    for setting, value in OWN.items():
        if kind in READERS[setting]:
            continue
        refused = refusal_of(load, source, **{setting: value})
        assert refused.rule in (f"{setting}_of_tables", "no_photographs"), (setting, refused)
        assert setting in refused.message
        assert "Leave it out" in refused.hint
        if kind != "arrays":
            other = {"target": value} if setting == "target" else {"target": None, setting: value}
            assert refusal_of(describe, source, **other).rule == refused.rule


def test_a_format_is_of_a_table_of_labels_alone(sources: dict[str, Any], tmp_path: Path) -> None:
    """Photographs read it where they have such a table, and only there."""
    assert refusal_of(load, sources["photographs"], test="rows.csv").rule == "test_of_tables"
    assert refusal_of(load, sources["photographs"], delimiter=";").rule == "delimiter_of_tables"
    for number in range(6):
        Image.fromarray(np.full((8, 8), number * 40, np.uint8)).save(tmp_path / f"{number}.png")
    rows = "".join(f"{number}.png;{number % 2}\n" for number in range(6))
    (tmp_path / "labels.csv").write_text("file;label\n" + rows)
    assert load(str(tmp_path), delimiter=";", target="label").classes == ("0", "1")


@pytest.mark.parametrize("door", [["train", "--epochs", 1], ["data"], ["study", "--epochs", 1],
                                  ["sweep", "--space", "lr=0.1|0.2", "--epochs", 1]])  # fmt: skip
@pytest.mark.parametrize("flag", [["--image-size", 32], ["--sheet", 2]])
def test_every_command_refuses_it(treino: Treino, door: list[Any], flag: list[Any]) -> None:
    said = treino(door[0], "wine", *door[1:], *flag, "--json")
    assert said.status == 2
    assert flag[0] in said.document["error"]["message"]
    assert not Path("runs").exists()


def test_python_refuses_it_and_a_frame_may_follow_a_file(sources: dict[str, Any], tmp_path: Path) -> None:
    """What was typed for the file of another run is void where its settings train on a frame."""
    how: dict[str, Any] = {"epochs": 1, "parent": tmp_path}
    assert refusal_of(tr.fit, sources["a frame"], target="y", skip_bad=1, **how).rule == "no_photographs"
    assert refusal_of(tr.fit, sources["items"], impute="mean", **how).rule == "impute_of_tables"
    run = tr.fit(sources["a file"], target="y", delimiter=",", **how)
    assert tr.fit(sources["a frame"], like=run, parent=tmp_path).document["target"] == "y"
