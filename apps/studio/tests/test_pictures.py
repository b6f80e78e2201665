"""A run of pictures in the studio: what each layer sees of one picture, and a picture that the page sends."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import TensorDataset

import treino as tr
from apps.studio.tests.running import command
from treino.base.errors import TreinoError
from treino.data.mapped_rows import MappedRows
from treino_studio import run_commands
from treino_studio.image_scene import picture_of_row, picture_parts
from treino_studio.run_page import RunPage
from treino_studio.scene import PICTURES, points_of, scene, sight_of

SHAPES = {"grey": (1, 9, 12), "colour": (3, 10, 8), "wide": (1, 6, 40)}
STEPS = 6


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of grey and of coloured pictures, one of values from -2 to 2 with numbers as targets."""
    parent, torch_seed = tmp_path_factory.mktemp("pictures"), torch.Generator().manual_seed(0)
    for name, shape in SHAPES.items():
        x = torch.randint(0, 256, (60, *shape), generator=torch_seed, dtype=torch.uint8)
        y: torch.Tensor = torch.arange(60) % 3
        if name == "wide":
            x, y = 4 * x.float() / 255 - 2, torch.linspace(0, 9, 60)[:, None]
        tr.fit(
            TensorDataset(x, y), net="cnn", channels=(4, 14), hidden=(5,), batch_size=21, epochs=STEPS // 2,
            patience=0, parent=parent, name=name,
        )  # fmt: skip
    return parent


@pytest.fixture(params=SHAPES)
def page(runs: Path, request: pytest.FixtureRequest, frames: list[Any]) -> RunPage:
    return opened(runs, request.param)


def opened(runs: Path, name: str) -> RunPage:
    sent: list[Any] = []
    page = RunPage(f"run/{name}", runs / name, lambda message, _body: sent.append(message.send))
    page.viewers, page.sent = 1, sent  # type: ignore[attr-defined]
    page.open()
    return page


def do(page: RunPage, verb: str, **fields: Any) -> Mapping[str, Any]:
    """A command as the server gives it to the page."""
    page.next_drawing = 0.0
    answer = run_commands.VERBS[verb](page, command(verb, **fields))
    assert isinstance(answer, Mapping)
    return answer


def by_hooks(net: nn.Module, x: torch.Tensor, kind: type[nn.Module]) -> list[NDArray[Any]]:
    """What modules of a class give for one picture."""
    seen: list[NDArray[Any]] = []
    hooks = [
        m.register_forward_hook(lambda _m, _x, out: seen.append(out[0].detach().numpy().copy()))
        for m in net.modules()
        if isinstance(m, kind)
    ]
    with torch.no_grad():
        net.eval()(x)
    for hook in hooks:
        hook.remove()
    return seen


def as_sent(values: NDArray[Any], largest: float) -> NDArray[np.uint8]:
    return np.asarray(np.round(128 + 127 * values / (largest or 1.0)), np.uint8)


@pytest.mark.parametrize("step", [0, 2, STEPS])
def test_maps_and_numbers_are_what_hooks_see_of_the_same_weights(
    page: RunPage, frames: list[Any], step: int
) -> None:
    do(page, "look", step=step, picture=["validation", 4])
    (header, parts), run = frames[-1], page.run
    x_1D = page.data.validation.x[torch.tensor([4])]
    net = tr.open(run.path).at(step).net
    activations = by_hooks(net, x_1D.reshape(1, *SHAPES[run.name]), nn.ReLU)
    layers, largest = header["layers"], header["picture"]["largest"]
    for stage, seen in enumerate(activations[:2], 1):
        seen = seen[layers[stage - 1]["units"]]
        if run.name == "wide":  # sides above 32 are shrunk, here by means of neighbouring columns
            seen = nn.functional.adaptive_avg_pool2d(
                torch.tensor(seen)[None], (5, 32) if stage == 1 else (3, 20)
            )
            seen = seen[0].numpy()
        assert largest[str(stage)] == pytest.approx(seen.max())
        assert np.abs(parts[f"map.{stage}"].astype(int) - as_sent(seen, seen.max())).max() <= 1
    assert [layer["total"] for layer in layers] == [4, 14, 5, len(page.data.classes) or 1]
    assert len(layers[1]["units"]) == 12
    np.testing.assert_allclose(parts["value.3"], activations[2][layers[2]["units"]], rtol=1e-5)
    (out_C,) = net(x_1D.reshape(1, *SHAPES[run.name]))
    answer = out_C.softmax(0) if page.data.classes else out_C * page.data.target_scale + page.data.target_mean
    np.testing.assert_allclose(parts["answer"], answer.detach(), rtol=1e-5)


def test_pictures_and_filters_keep_their_colours(page: RunPage, frames: list[Any]) -> None:
    do(page, "look", picture=["train", 7])
    (header, parts), data = frames[-1], page.data
    seen, shape = header["picture"], SHAPES[page.run.name]
    assert (seen["split"], seen["place"], seen["of"]) == ("train", 7, len(data.train))
    assert seen["row"] == int(data.train.index[7])
    raw = data.preparation.inverse(data.train.x[7:8]).reshape(shape)
    pixels = raw if data.preparation.divisor == 255 else (raw + 2) / 4 * 255
    assert np.abs(parts["picture"].astype(float) - pixels).max() < 1
    kernel = tr.open(page.run.path).module[0].weight.detach().numpy()
    units = header["layers"][0]["units"]
    scaled = [as_sent(kernel[u], np.abs(kernel[u]).max()) for u in units]
    assert np.abs(parts["tile.1"].astype(int) - np.stack(scaled)).max() <= 1


def test_a_picture_that_is_sent_is_answered_as_predict_answers(page: RunPage, frames: list[Any]) -> None:
    shape, run = SHAPES[page.run.name], tr.open(page.run.path)
    for pixel_D in np.random.default_rng(0).integers(0, 256, (3, np.prod(shape)), np.uint8):
        do(page, "draw", pixels=base64.b64encode(pixel_D.tobytes()).decode())
        header, parts = frames[-1]
        assert header["picture"]["split"] is None
        assert (parts["picture"].ravel() == pixel_D).all() or page.run.name == "wide"
        raw = pixel_D if page.data.preparation.divisor == 255 else pixel_D / 255 * 4 - 2
        said = run.predict(raw.reshape(1, *shape).astype(np.float32))[0]
        if page.data.classes:
            assert page.data.classes[int(parts["answer"].argmax())] == str(said)
        else:
            assert parts["answer"][0] == pytest.approx(said, rel=2e-2)  # the ends of the scale are sampled
    do(page, "look", step=2, picture="drawn")
    assert frames[-1][0]["picture"]["split"] is None
    do(page, "look", picture=None)
    assert frames[-1][0]["picture"]["place"] == 0


def test_the_rest_of_the_scene_is_computed_once_for_many_pictures(
    page: RunPage, frames: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    frames.clear()
    monkeypatch.setattr("treino_studio.run_page.scene", None)  # it must not be called
    for place in range(4):
        do(page, "look", picture=["validation", place])
    assert [header["picture"]["place"] for header, _parts in frames] == [0, 1, 2, 3]


@pytest.mark.parametrize("name", SHAPES)
def test_mistakes_say_where_they_lie(
    runs: Path, frames: list[Any], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(PICTURES, "validation", 6)  # a sample of nine rows
    page = opened(runs, name)
    _header, parts = frames[-1]
    rows, count = page.data.validation, len(parts["digits"])
    places = parts["digit.place"].astype(int)
    assert count == len(places) > 0
    assert rows.index[places].tolist() == parts["digit.index"].tolist()
    for n, place in enumerate(places):
        do(page, "look", picture=["validation", int(place)])
        header, seen = frames[-1]
        assert header["picture"]["true"] == pytest.approx(parts["digit.true"][n], rel=1e-4)
        assert (seen["picture"] == parts["digits"][n]).all()
        if page.data.classes:
            np.testing.assert_allclose(seen["answer"], parts["digit.probability"][n], rtol=1e-4, atol=1e-6)
        else:
            assert seen["answer"][0] == pytest.approx(parts["digit.value"][n], rel=1e-4)


def test_rows_on_disk_are_shown_the_same(page: RunPage, tmp_path: Path) -> None:
    data, snapshot = page.data, tr.open(page.run.path).at(STEPS)
    mapped = {}
    for split, rows in data.splits.items():
        array = np.memmap(tmp_path / split, np.float32, "w+", shape=tuple(rows.x.shape))
        array[:] = rows.x
        array.flush()
        there = np.memmap(tmp_path / split, np.float32, "r", shape=tuple(rows.x.shape))
        mapped[split] = replace(rows, x=MappedRows(there))  # type: ignore[arg-type]
    shown = []
    for each in (data, replace(data, **mapped)):
        sight = sight_of(snapshot.net, each, None, page.run.item_shape)
        assert sight.scale is not None
        parts = scene(snapshot.net, each, sight, page.run.loss_function, page.run.item_shape)[1]
        seen = picture_of_row(each, "train", 3)
        net, shape = snapshot.net, page.run.item_shape
        parts += picture_parts(net, net, sight.scale, seen, sight.drawn_layers, shape, None)[1]
        shown.append({name: part.tolist() for name, part in parts} | points_of(sight, each))
    assert shown[0] == shown[1]


def test_examples_are_of_their_classes_and_all_rows_are_counted(page: RunPage) -> None:
    page.open()
    page.tick()
    (points,) = [each["points"] for each in page.sent if "points" in each]  # type: ignore[attr-defined]
    examples, data = points["examples"], page.data
    shape = (-1, *examples["shape"])
    pixels = np.frombuffer(base64.b64decode(examples["pixels"]), np.uint8).reshape(shape)
    assert len(pixels) == sum(group["shown"] for group in examples["groups"]) == 15
    if not data.classes:
        true = [value for group in examples["groups"] for value in group["true"]]
        assert true == sorted(true)
        return
    raw = data.preparation.inverse(data.train.x).round().astype(np.uint8).reshape(shape)
    known = {picture.tobytes(): int(c) for picture, c in zip(raw, data.train.y, strict=True)}
    assert [known[picture.tobytes()] for picture in pixels] == sorted([0, 1, 2] * 5)
    counts = [sum(group["rows"].values()) for group in examples["groups"]]
    assert counts == [20, 20, 20]


@pytest.mark.parametrize(
    ("verb", "fields", "rule"),
    [
        ("draw", {"pixels": "AAAA"}, "picture_length"),
        ("draw", {"pixels": "no base64!"}, "picture_base64"),
        ("look", {"picture": ["validation", 9]}, "picture_missing"),
        ("look", {"picture": ["train", 10**9]}, "picture_missing"),
        ("look", {"picture": ["elsewhere", 0]}, "command_field"),
        ("look", {"picture": ["train", -1]}, "command_field"),
        ("draw", {"pixels": 5}, "command_field"),
        ("draw", {"pixels": "A" * (1 << 20)}, "command_field"),
    ],
)
def test_what_is_no_picture_is_refused_and_the_view_stays(
    runs: Path, frames: list[Any], verb: str, fields: dict[str, Any], rule: str
) -> None:
    page = opened(runs, "grey")
    do(page, "look", picture=["validation", 3])
    with pytest.raises(TreinoError) as caught:
        do(page, verb, **fields)
    assert caught.value.rule == rule
    assert page.look.picture == ("validation", 3)
    assert page.drawing is None


def test_pictures_faster_than_the_rate_are_refused(
    runs: Path, frames: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_commands, "DRAWINGS", 1e-6)  # the next may come in eleven days
    page, pixels = opened(runs, "grey"), base64.b64encode(bytes(9 * 12)).decode()
    assert run_commands.draw(page, command("draw", pixels=pixels)) == {}
    with pytest.raises(TreinoError) as caught:
        run_commands.draw(page, command("draw", pixels=pixels))
    assert caught.value.rule == "picture_rate"


def test_test_rows_are_shown_only_when_the_run_is_over(
    runs: Path, frames: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(runs, "grey")
    do(page, "look", picture=["test", 2])
    assert frames[-1][0]["picture"]["split"] == "test"
    monkeypatch.setattr("treino_studio.run_commands.OVER", ())
    with pytest.raises(TreinoError) as caught:
        do(page, "look", picture=["test", 2])
    assert caught.value.rule == "picture_unseen"


def test_rows_of_a_table_can_not_be_drawn(tmp_path: Path, frames: list[Any]) -> None:
    tr.fit("iris", parent=tmp_path, epochs=1, lean=True, name="iris")
    page = opened(tmp_path, "iris")
    with pytest.raises(TreinoError) as caught:
        do(page, "draw", pixels="AAAA")
    assert caught.value.rule == "picture_run"
    do(page, "look", picture=["train", 0])
    assert "picture" not in frames[-1][0]
