"""Predictions for pictures: folders, files and Pillow's images; contact sheets and copies of them."""

import csv
import gc
import io
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor
from torch.utils.data import TensorDataset

import treino as tr
from tests.conftest import Treino, refusal_of
from tests.quick_ends import _quick_ends  # noqa: F401
from treino.base.errors import TreinoError
from treino.data import rows_for_prediction
from treino.data.mapped_rows import MappedRows
from treino.folders.prediction_copies import copy_names
from treino.inspection.outputs import outputs_of_views, views_of

KINDS = ("disc", "ring", "bar/wide")


def drawn(kind: str, seed: int, size: tuple[int, int] = (16, 16)) -> Image.Image:
    """A bright disc, ring or bar on noise, at a place of its own."""
    r = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[:height, :width]
    far = np.hypot(y - height * r.uniform(0.45, 0.55), x - width * r.uniform(0.45, 0.55)) / min(size)
    mask = {"disc": far < 0.3, "ring": (far > 0.25) & (far < 0.4), "bar": np.abs(y - height / 2) < 3}[
        kind.partition("/")[0]
    ]
    pixels = r.integers(0, 80, (height, width, 3))
    pixels[mask] = r.integers(150, 255, 3)
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each of two classes, with pictures of 16 × 16 and of 24 × 16 pixels."""
    folder = tmp_path_factory.mktemp("pictures") / "photos"
    for kind in KINDS[:2]:
        (folder / kind).mkdir(parents=True)
        for i in range(24):
            drawn(kind, i, ((16, 16), (24, 16))[i % 2]).save(folder / kind / f"{kind}{i}.png")
    return folder


@pytest.fixture(scope="module")
def run(photos: Path) -> tr.Run:
    return tr.fit(photos, "cnn", epochs=12, seed=1, name="shapes", parent=photos.parent / "runs")


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """Pictures of other sizes and kinds without classes, some of them in a folder inside."""
    folder = tmp_path / "new"
    (folder / "more").mkdir(parents=True)
    drawn("disc", 50, (40, 30)).save(folder / "wide.png")
    drawn("ring", 51, (15, 33)).convert("L").save(folder / "grey.png")
    drawn("ring", 52).save(folder / "more" / "same.bmp")
    drawn("disc", 53, (64, 64)).save(folder / "more" / "large.tif")
    return folder


def cropped(picture: Image.Image) -> np.ndarray:
    """[C, H, W]: the middle square in 16 × 16 pixels, by Pillow."""
    width, height = picture.size
    side = min(width, height)
    box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
    small = picture.convert("RGB").resize((16, 16), Image.Resampling.BILINEAR, box)
    return np.asarray(small).transpose(2, 0, 1)


def shares_of(run: tr.Run, pixels: np.ndarray) -> Tensor:
    """The probabilities by plain arithmetic and the network alone."""
    (mean,), (scale,) = run.preparation.mean, run.preparation.scale
    x = torch.tensor((pixels / 255 - mean) / scale, dtype=torch.float32)
    with torch.no_grad():
        return torch.softmax(run.module(x), 1)


def test_a_folder_is_brought_to_the_runs_form_and_predicted(treino: Treino, run: tr.Run, flat: Path) -> None:
    document = treino("predict", run.path, flat, "--json").document
    names = ["grey.png", "more/large.tif", "more/same.bmp", "wide.png"]
    assert [each["file"] for each in document["predictions"]] == names
    wanted = shares_of(run, np.stack([cropped(Image.open(flat / name)) for name in names]))
    for each, share_C in zip(document["predictions"], wanted.tolist(), strict=True):
        assert list(each["probabilities"].values()) == pytest.approx(share_C, abs=1e-6)
        assert each["prediction"] == max(each["probabilities"], key=each["probabilities"].get)
    assert "metrics" not in document  # no folder is a class
    notes = " ".join(document["notes"])
    assert "another size, brought to the run's 16 × 16 (crop): 3" in notes
    assert "Grey pictures, for a run of pictures in colour: 1" in notes
    shown = treino("predict", run.path, flat).out
    assert re.search(r"file +prediction +probability", shown)
    assert re.search(r"more/same\.bmp +ring", shown)


def test_python_takes_folders_files_and_images_of_pillow(run: tr.Run, flat: Path) -> None:
    wanted = run.predict(flat).tolist()
    paths = [flat / name for name in ("grey.png", "more/large.tif", "more/same.bmp", "wide.png")]
    assert run.predict(paths).tolist() == wanted
    assert [run.predict(str(path)).item() for path in paths] == wanted
    images = [Image.open(path) for path in paths]
    assert run.predict(images).tolist() == wanted
    assert run.predict([images[0], paths[1]]).tolist() == wanted[:2]
    assert run.predict(images[3]).tolist() == wanted[3:]
    palette = images[3].convert("RGBA").quantize(200)
    assert run.predict(palette).tolist() == wanted[3:]


def test_labels_are_compared_where_folders_bear_the_names_of_classes(
    treino: Treino, run: tr.Run, photos: Path, tmp_path: Path
) -> None:
    document = treino("predict", run.path, photos, "--json").document
    assert (document["rows_compared"], document["training_rows"]) == (48, run.document["rows"]["train"])
    said = treino("predict", run.path, photos).out
    assert "against the labels: loss" in said
    (tmp_path / "some" / "disc").mkdir(parents=True)
    (tmp_path / "some" / "owl").mkdir()
    drawn("ring", 70).save(tmp_path / "some" / "disc" / "a.png")  # a wrong label
    drawn("disc", 71).save(tmp_path / "some" / "disc" / "b.png")
    drawn("ring", 72).save(tmp_path / "some" / "owl" / "c.png")
    document = treino("predict", run.path, tmp_path / "some", "--json").document
    assert (document["rows_compared"], document["metrics"]["accuracy"]) == (2, 0.5)
    assert "no such class: 1, the first owl/c.png (owl)" in document["notes"][-1]


def test_inputs_of_a_folder_are_never_all_in_memory(
    run: tr.Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They lie in a file with a byte for each value, which is removed afterwards."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    prepared = rows_for_prediction(photos, run.preparation)
    assert isinstance(prepared.x, MappedRows)
    (kept,) = tmp_path.rglob("*.uint8")
    assert kept.stat().st_size == 48 * 3 * 16 * 16
    assert torch.equal(torch.cat(list(prepared.x.split(7))), prepared.x[:])
    del prepared
    gc.collect()
    assert not kept.exists()


def test_bad_pictures_are_named_and_left_out_only_as_requested(
    treino: Treino, run: tr.Run, flat: Path
) -> None:
    (flat / "text.png").write_text("no picture")
    refused = treino("predict", run.path, flat)
    assert refused.status == 2
    assert "1 of 5 pictures" in refused.err
    assert "text.png" in refused.err
    assert "--skip-bad 1" in refused.err
    document = treino("predict", run.path, flat, "--skip-bad", 1, "--json").document
    assert "text.png" not in [each["file"] for each in document["predictions"]]
    assert "text.png" in document["notes"][0]
    with pytest.raises(TreinoError, match=r"None of the 1 pictures .* can be read"):
        run.predict(flat / "text.png", skip_bad=5)
    content = bytearray((flat / "wide.png").read_bytes())
    content[len(content) // 2] ^= 1
    (flat / "text.png").write_bytes(content)
    assert "text.png: it is damaged" in treino("predict", run.path, flat).err
    with Image.open(flat / "text.png") as image:
        for _again in range(2):  # the second time, Pillow itself hands out what it had decoded
            assert "None of the 1 pictures" in str(refusal_of(run.predict, [image]))


def test_what_python_leaves_out_is_warned_of(run: tr.Run, flat: Path) -> None:
    (flat / "text.png").write_text("no picture")
    with pytest.warns(UserWarning, match="text.png"):
        assert len(run.predict(flat, skip_bad=3)) == 4
    for number in -1, 1.5, "x", True:
        assert "skip_bad" in str(refusal_of(run.predict, flat, skip_bad=number))


def test_an_option_without_effect_is_refused(treino: Treino, run: tr.Run, flat: Path, tmp_path: Path) -> None:
    assert treino("predict", run.path, flat, "--skip-bad=-1").status == 2
    said = treino("predict", run.path, flat, "--tta", "--coverage", 0.9)
    assert (said.status, "not averaged" in said.err) == (2, True)
    wine = tr.fit("wine", epochs=1, parent=tmp_path / "runs", recipe="plain", lean=True)
    assert "--skip-bad 2 is of pictures" in treino("predict", wine.path, "wine", "--skip-bad", 2).err


def test_a_file_of_predictions_names_the_pictures(
    treino: Treino, run: tr.Run, flat: Path, tmp_path: Path
) -> None:
    drawn("disc", 60).save(flat / "=1+1.png")
    said = treino("predict", run.path, flat, "--to", "p.csv")
    assert said.status == 0, said.err
    rows = list(csv.reader(io.StringIO((tmp_path / "p.csv").read_text())))
    assert rows[0] == ["file", "prediction", "probability_disc", "probability_ring"]
    assert rows[1][0] == "'=1+1.png"  # no formula
    assert [row[1] for row in rows[1:]] == run.predict(flat).tolist()


def test_nothing_is_written_among_the_predicted_pictures(treino: Treino, run: tr.Run, flat: Path) -> None:
    before = sorted(flat.rglob("*"))
    for flag in (("--to", flat / "p.csv"), ("--to", flat / "more/p.html"), ("--copy-to", flat / "more")):
        refused = treino("predict", run.path, flat, *flag)
        assert (refused.status, "Give a place outside of it" in refused.err) == (2, True)
    assert sorted(flat.rglob("*")) == before


def test_copies_lie_in_a_folder_for_each_class(
    treino: Treino, run: tr.Run, flat: Path, tmp_path: Path
) -> None:
    drawn("ring", 52).save(flat / "same.bmp")  # as another in more/
    before = {path: path.read_bytes() for path in flat.rglob("*.*")}
    said = treino("predict", run.path, flat, "--copy-to", "sorted", "--to", "p.csv")
    assert said.status == 0, said.err
    assert "5 pictures copied to sorted" in said.out
    assert {path: path.read_bytes() for path in flat.rglob("*.*")} == before
    copied = {path.relative_to(tmp_path / "sorted").as_posix() for path in (tmp_path / "sorted").rglob("*.*")}
    answers = dict(
        list(csv.reader(io.StringIO((tmp_path / "p.csv").read_text())))[i][:2] for i in range(1, 6)
    )
    assert {name.partition("/")[0] for name in copied} == set(answers.values())
    for file, answer in answers.items():
        name = file.replace("/", "-") if "same" in file else Path(file).name
        assert (tmp_path / "sorted" / answer / name).read_bytes() == (flat / file).read_bytes()
    (tmp_path / "sorted" / "mine.txt").write_text("stays")
    again = treino("predict", run.path, flat, "--copy-to", "sorted", "--to", "later.csv")
    assert again.status == 2
    assert "Copies replace nothing" in again.err
    assert not (tmp_path / "later.csv").exists()


names = st.text(min_size=1, max_size=12)


@given(
    st.lists(
        st.tuples(st.lists(names.filter(lambda n: "/" not in n), min_size=1, max_size=3), st.integers(0, 2))
    ),
    st.lists(names, min_size=3, max_size=3, unique=True),
)
def test_names_of_copies_are_distinct_and_plain(
    files: list[tuple[list[str], int]], classes: list[str]
) -> None:
    pairs = {"/".join(parts): classes[number] for parts, number in files}
    copies = copy_names(list(pairs.items()), classes)
    assert list(copies) == list(pairs)
    assert len({name.casefold() for name in copies.values()}) == len(pairs)
    folders: dict[str, set[str]] = {}
    for file, name in copies.items():
        folder, _slash, base = name.partition("/")
        folders.setdefault(pairs[file], set()).add(folder)
        for part in (folder, base):
            assert part == part.strip() != ""
            assert not part.startswith(".")
            assert not set(part) & set('/\\:*?"<>|\0\n')
            assert len(part.encode()) < 255
    assert all(len(folder) == 1 for folder in folders.values())


def test_a_contact_sheet_begins_with_what_is_least_sure(
    treino: Treino, run: tr.Run, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "set" / "disc").mkdir(parents=True)
    for i in range(6):
        drawn("disc", 90 + i).save(tmp_path / "set" / "disc" / f"<b>{i}.png")
    drawn("ring", 99).save(tmp_path / "set" / "disc" / "wrong.png")
    document = treino("predict", run.path, "set", "--to", "sheet.html", "--json").document
    page = (tmp_path / "sheet.html").read_text()
    each = {p["file"].removeprefix("disc/").replace("<b>", "&lt;b&gt;"): p for p in document["predictions"]}
    shown = re.findall(r"<figure( class='wrong')?>.*?<br/>disc/(.*?)(?:<br/>|</fig)", page)
    for name in ("disc", "ring"):  # of each class the least sure first
        files = [file for _wrong, file in shown if each[file]["prediction"] == name]
        shares = [each[file]["probabilities"][name] for file in files]
        assert shares == sorted(shares)
    assert sorted(file for _wrong, file in shown) == sorted(each)
    wrong = [file for mark, file in shown if mark]
    assert wrong == [file for file, p in each.items() if p["prediction"] != "disc"]
    assert page.count("data:image/png;base64,") == 7
    assert treino("predict", run.path, "set", "--to", "sheet.png").status == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width == 1200


def test_views_are_averaged_as_probabilities(run: tr.Run, photos: Path, treino: Treino) -> None:
    """Against pictures that NumPy moves."""
    files = sorted(photos.rglob("*.png"))[:5]
    pixels = np.stack([cropped(Image.open(path)) for path in files])
    padded = np.pad(pixels, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    views = [
        padded[:, :, 1 + i : 17 + i, 1 + j : 17 + j] for i, j in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
    ]
    wanted = torch.stack([shares_of(run, view) for view in views]).mean(0)
    for path, share_C in zip(files, wanted.tolist(), strict=True):
        document = treino("predict", run.path, path, "--tta", "--json").document
        (each,) = document["predictions"]
        assert list(each["probabilities"].values()) == pytest.approx(share_C, abs=1e-5)
        assert "Averaged over 5 views" in " ".join(document["notes"])
    mirrored = [*views, *(view[..., ::-1] for view in views)]
    wanted = torch.stack([shares_of(run, view.copy()) for view in mirrored]).mean(0)
    x = run.preparation.transform(pixels.reshape(5, -1))
    net, shape = run.module, (3, 16, 16)
    output_NC = outputs_of_views(net, x, shape, views_of(shape, True), "cross_entropy", run.item_shape)
    assert torch.softmax(output_NC, 1).numpy() == pytest.approx(wanted.numpy(), abs=1e-5)


@pytest.mark.slow
def test_mistakes_are_drawn_of_a_training_on_pictures(treino: Treino, photos: Path, tmp_path: Path) -> None:
    run = tr.fit(photos, "mlp", epochs=1, parent=tmp_path / "runs")
    assert treino("plot", run.path).status == 0
    assert {path.name for path in (run.path / "pictures").iterdir()} == {"curves.png", "mistakes.png"}


@pytest.mark.slow
def test_what_is_no_picture_is_refused(treino: Treino, flat: Path, tmp_path: Path) -> None:
    wine = tr.fit("wine", epochs=1, parent=tmp_path / "runs")
    numbers = TensorDataset(torch.rand(40, 1, 16, 16), torch.arange(40) % 2)
    floats = tr.fit(numbers, "cnn", epochs=1, parent=tmp_path / "runs")
    for run in (wine, floats):
        refused = treino("predict", run.path, flat)
        assert refused.status == 2
        assert "not the pixels of pictures" in refused.err
    assert "learnt from other rows" in treino("predict", wine.path, "wine", "--tta").err
    assert "learnt from other rows" in treino("predict", wine.path, "wine", "--to", "s.png").err
    assert "Only pictures are copied" in treino("predict", wine.path, "wine", "--copy-to", "sorted").err
    assert floats.predict(np.zeros((2, 1, 16, 16), np.float32), tta=True).shape == (2,)
