"""Scripts of runs on folders of pictures: they read it by Pillow alone and train to the same numbers."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import treino as tr
from tests.reports.export_cases import said, well_written
from treino.data.photographs.decoding import decode
from treino.folders.prediction import predict
from treino.reports.export.formats import exported


def save(path: Path, level: int, seed: int, mode: str = "RGB") -> None:
    """Noise around a level, larger than the network's pictures, with an edge that shows how it was turned."""
    path.parent.mkdir(parents=True, exist_ok=True)
    r = np.random.default_rng(seed)
    pixels = r.integers(level, level + 90, (26 + seed % 9, 30 - seed % 7, 3)).astype(np.uint8)
    pixels[:4] = 255
    picture = Image.fromarray(pixels)
    exif = Image.Exif()
    if path.suffix == ".jpg" and seed % 3:
        exif[0x0112] = 3 + seed % 6
    if mode == "I;16":
        Image.fromarray(pixels[..., 0].astype(np.uint16) << 8 | 77).save(path)
    elif mode == "RGBA":
        picture.putalpha(Image.fromarray(pixels[..., 0]))
        picture.save(path)
    elif mode == "clear_P":
        picture.quantize(30).save(path, transparency=3)
    else:
        picture.convert(mode).save(path, exif=exif)


COLOURS = ("RGB.png", "RGB.jpg", "CMYK.jpg", "RGBA.png", "clear_P.png", "P.gif", "RGB.tif")
KINDS = (*COLOURS, "L.jpg", "I;16.png", "1.bmp", "LA.webp")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dark and light pictures, written in every way."""
    folder = tmp_path_factory.mktemp("script") / "lights"
    for i in range(44):
        mode, _dot, ending = KINDS[i % len(KINDS)].partition(".")
        save(folder / ("dark", "light")[i % 2] / f"{i}.{ending}", (40, 150)[i % 2], i, mode)
    return folder


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"net": "cnn", "channels": (4, 6), "hidden": (8,)}, marks=pytest.mark.release),
        {"net": "mlp", "fit": "pad", "loss": "bce"},
    ],
)
def test_a_script_trains_on_the_folder_to_the_same_numbers(photos: Path, settings: dict[str, Any]) -> None:
    run = tr.fit(photos, epochs=2, engine="module", parent=photos.parent / "runs", **settings)
    path = exported(run).paths[0]
    well_written(path)
    rows = list(csv.reader(io.StringIO("\n".join(said(path, "predict", str(photos))))))
    ours = predict(run, photos).each
    assert rows[0] == ["file", "prediction", "probability_dark", "probability_light"]
    assert [row[0] for row in rows[1:]] == [str(photos / each.file) for each in ours]
    shares = [list((each.probabilities or {}).values()) for each in ours]
    np.testing.assert_allclose([list(map(float, row[2:])) for row in rows[1:]], shares, rtol=1e-5, atol=1e-7)
    for words in ((), (str(photos),)):
        last = json.loads(said(path, *words)[-1])
        assert last["losses"] == run.document["loss"]["train"]
        assert last["test"]["accuracy"] == run.document["metrics"]["test"]["accuracy"]
    with pytest.raises(SystemExit, match="predict FOLDER"):
        said(path, "predict")


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_programs_pixels_are_those_of_the_training(
    photos: Path, fit: Any, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from treino.reports.export import program_data

    values = {"SHAPE": (channels, 11, 9), "CROPS": fit == "crop", "PADS": fit == "pad"}
    for name, value in values.items():
        monkeypatch.setattr(program_data, name, value)
    for file in sorted(photos.rglob("*.*")):
        _form, wanted = decode(file.read_bytes(), (channels, 11, 9), fit)
        assert (program_data.picture(file) == wanted.reshape(-1)).all(), file.name
    assert program_data.pictures_in(photos) == sorted(photos.rglob("*.*"), key=lambda p: p.as_posix())
