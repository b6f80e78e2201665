"""``treino data`` on photographs: each trouble is named by its file; counts are Pillow's and training's."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from tests.conftest import Treino, refusal_of
from treino.base.words import speaking
from treino.data import describe, load
from treino.data.photographs import prepared_pictures
from treino.plots.data_page import data_page

CLASSES = ("cat", "dog", "fox")
UNREADABLE = {
    "train/cat/cut.jpg": "it is cut off",
    "train/dog/text.png": "its content is that of no picture",
    "train/dog/empty.gif": "it is empty",
}
EQUAL = [["train/cat/0.png", "test/cat/copy.png"], ["train/cat/1.png", "test/dog/other class.png"]]
NEAR = {
    "test/cat/darker.png": "train/cat/2.png",
    "test/dog/worse.jpg": "train/dog/1.png",
    "test/fox/larger.webp": "train/fox/0.png",
}
BLANK = [["train/dog/blank.png"], ["train/fox/black.bmp"]]


def picture(rng: np.random.Generator, size: tuple[int, int] = (40, 40)) -> Image.Image:
    small = Image.fromarray(rng.integers(0, 256, (5, 5, 3)).astype(np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of train, val and test with three classes, in which the troubles above are planted."""
    root, rng = tmp_path_factory.mktemp("album") / "pets", np.random.default_rng(0)
    for part, n in (("train", 8), ("val", 3), ("test", 3)):
        for kind in CLASSES:
            (root / part / kind).mkdir(parents=True)
            for i in range(n):
                picture(rng, ((40, 40), (60, 40), (40, 50))[i % 3]).save(root / part / kind / f"{i}.png")
    train, test = root / "train", root / "test"
    shutil.copy(train / "cat/0.png", test / "cat/copy.png")
    shutil.copy(train / "cat/1.png", test / "dog/other class.png")
    ImageEnhance.Brightness(Image.open(train / "cat/2.png")).enhance(0.7).save(test / "cat/darker.png")
    Image.open(train / "dog/1.png").save(test / "dog/worse.jpg", quality=60)
    Image.open(train / "fox/0.png").resize((80, 80)).save(test / "fox/larger.webp", quality=95)
    Image.new("RGB", (40, 40), "white").save(train / "dog/blank.png")
    Image.new("L", (40, 30), 0).save(train / "fox/black.bmp")
    picture(rng).save(train / "cat/cut.jpg", quality=95)
    cut = train / "cat/cut.jpg"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    (train / "dog/text.png").write_text("a letter")
    (train / "dog/empty.gif").write_bytes(b"")
    picture(rng).convert("L").save(train / "cat/grey.png")
    picture(rng).convert("L").convert("RGB").save(train / "cat/grey in colour.png")
    Image.fromarray(rng.integers(0, 1 << 16, (40, 40)).astype(np.uint16)).save(train / "cat/sixteen.png")
    picture(rng).convert("P").save(train / "dog/palette.png")
    picture(rng).convert("CMYK").save(train / "dog/print.jpg")
    glass = picture(rng)
    glass.putalpha(128)
    glass.save(train / "fox/glass.png")
    frames = [picture(rng) for _frame in range(3)]
    frames[0].save(train / "fox/moving.gif", save_all=True, append_images=frames[1:])
    turned = Image.Exif()
    turned[0x0112] = 6
    picture(rng, (60, 40)).save(train / "fox/turned.jpg", exif=turned)
    (root / ".DS_Store").write_bytes(b"\0")
    (train / "cat/about.md").write_text("cats")
    return root


@pytest.fixture(scope="module")
def document(troubled: Path) -> dict[str, Any]:
    found = describe(str(troubled)).to_json()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    return found


def test_each_trouble_is_named_by_its_file(document: dict[str, Any]) -> None:
    images = document["images"]
    assert images["unreadable"] == UNREADABLE
    assert set(images["left_out"]) == {".DS_Store", "train/cat/about.md"}
    assert images["grey_in_colour"] == ["train/cat/grey in colour.png"]
    assert images["several_frames"] == ["train/fox/moving.gif"]
    assert images["exif_turned"] == 1
    groups = images["groups"]
    assert groups["blank"] == BLANK
    assert groups["equal"] == EQUAL
    assert groups["contradicting"] == EQUAL[1:]
    assert {other: first for first, other in groups["near"]} == NEAR
    assert (images["duplicates"], images["near_duplicates"]) == (2, 3)
    assert (images["duplicates_across"], images["near_duplicates_across"]) == (2, 3)
    said = {warning["rule"]: warning for warning in document["warnings"]}
    assert said["pictures_bad"]["row"] == "train/cat/cut.jpg"
    assert "test/dog/other class.png" in said["rows_contradict"]["hint"]
    assert "pictures_grey" in said


def test_forms_and_counts_are_those_that_pillow_reads(troubled: Path, document: dict[str, Any]) -> None:
    sizes, formats, modes, counts = Counter(), Counter(), Counter(), Counter()
    for path in troubled.rglob("*.*"):
        name = path.relative_to(troubled).as_posix()
        if path.is_file() and name not in (*UNREADABLE, *document["images"]["left_out"]):
            with Image.open(path) as image:
                sizes[(40, 60) if path.stem == "turned" else image.size] += 1
                formats[image.format] += 1
                modes[image.mode] += 1
                counts[tuple(name.split("/")[:2])] += 1
    images = document["images"]
    assert {(width, height): n for width, height, n in images["sizes"]} == sizes
    assert (images["formats"], images["modes"]) == (formats, modes)
    area = sorted(width * height for width, height in sizes.elements())
    of_three = [np.prod(images[name]) for name in ("smallest", "median", "largest")]
    assert of_three == [area[0], area[(len(area) - 1) // 2], area[-1]]
    for part, name in (("train", "train"), ("val", "validation"), ("test", "test")):
        assert images["class_rows"][name] == [counts[part, kind] for kind in CLASSES]


def test_training_refuses_what_the_description_lists_and_then_tells_the_same(
    troubled: Path, document: dict[str, Any]
) -> None:
    assert refusal_of(load, str(troubled)).rule == "pictures_bad"
    data = load(str(troubled), skip_bad=len(UNREADABLE))
    assert data.images.to_json() == document["images"]


def test_a_drawn_split_and_the_description_count_the_same_images(troubled: Path, tmp_path: Path) -> None:
    album = shutil.copytree(troubled / "val", tmp_path / "album")
    for name, factor in (("0", 1.0), ("1", 1.0), ("2", 0.6)):
        ImageEnhance.Brightness(Image.open(album / f"cat/{name}.png")).enhance(factor).save(
            album / f"cat/{name} again.png"
        )
    Image.new("RGB", (40, 40)).save(album / "dog/black.png")
    data = load(str(album))
    assert (data.images.duplicates, data.images.near_duplicates) == (2, 1)
    assert data.images.duplicates_across == data.images.near_duplicates_across == 0
    (note,) = (note for note in data.notes if "almost equal" in note)
    assert re.findall(r"\d+", note) == ["3"]
    assert data.images.flagged["blank"][0].places[0].startswith("dog/black.png (")
    assert data.place(0) == "cat/0 again.png"
    assert "cat/2" in data._repr_html_()


@pytest.mark.parametrize("runs", [False, True])
def test_pixels_are_kept_where_training_finds_them_or_not_at_all(
    troubled: Path, treino: Treino, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: bool
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "temporary").mkdir()
    if runs:
        (tmp_path / "runs").mkdir()
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    said = treino("data", str(troubled), "--image-size", "16")
    assert said.status == 0
    assert ("runs/.prepared" in said.out) == runs
    left = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert bool(left) == runs
    assert all(path.is_relative_to(tmp_path / "runs/.prepared") for path in left)
    if runs:
        monkeypatch.setattr(prepared_pictures, "decode", None)
        data = load(str(troubled), image_size=(16, 16), skip_bad=3, cache=tmp_path / "runs/.prepared")
        assert data.item_shape == (3, 16, 16)


def test_reasons_that_were_kept_are_told_in_the_readers_language(troubled: Path, tmp_path: Path) -> None:
    english = describe(str(troubled), cache=tmp_path).to_json()["images"]["unreadable"]
    with speaking("pt_BR"):
        kept = describe(str(troubled), cache=tmp_path).to_json()["images"]["unreadable"]
    assert english == UNREADABLE
    assert kept.keys() == UNREADABLE.keys()
    assert not set(kept.values()) & set(UNREADABLE.values())


def test_a_table_of_labels_is_described_with_or_without_a_target(treino: Treino, tmp_path: Path) -> None:
    rng, folder = np.random.default_rng(5), tmp_path / "flat"
    folder.mkdir()
    rows = ["name,kind,weight,patient,day"]
    for i in range(12):
        picture(rng).save(folder / f"{i}.png")
        rows.append(f"{i}.png,{('cat', 'dog')[i % 2]},{i / 4},p{i // 3},2024-01-{30 - i}")
    (folder / "labels.csv").write_text("\n".join([*rows, "gone.png,cat,1,p0,"]))
    open_question = treino("data", "flat", "--json").document
    assert open_question["target"] is None
    assert "kind" in open_question["likely_targets"]
    assert open_question["images"]["rows"] == {"all": 12}
    assert list(open_question["images"]["unreadable"]) == ["gone.png"]
    weighed = treino("data", "flat", "--target", "weight", "--split-group", "patient", "--json").document
    assert (weighed["task"], weighed["images"]["class_rows"]) == ("regression", {})
    assert weighed["images"]["rows"] == {"train": 6, "validation": 3, "test": 3}
    by = "--split-group", r"^(\d)", "--split-time", "day"
    dated = treino("data", "flat", "--target", "kind", *by).out
    assert "test from 2024-01-30 to 2024-01-30" in dated
    named = treino("data", "flat", "--target", "kind", "--labels", "flat/labels.csv", "--json").document
    assert named["class_rows"] == [6, 6]


def test_the_page_shows_flagged_images_and_escapes_their_names(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for kind in ("a", "<b>"):
        (tmp_path / "album" / kind).mkdir(parents=True)
        for i in range(4):
            picture(rng).save(tmp_path / "album" / kind / f"{i}.png")
    album = tmp_path / "album"
    shutil.copy(album / "a/0.png", album / "<b>/<script>.png")
    page = data_page(describe(str(album)))
    assert "<script>" not in page
    assert "&lt;b&gt;/&lt;script&gt;.png" in page
    assert page.count("<img ") == 2 + 1  # the classes, and one pair
