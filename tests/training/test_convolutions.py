"""Convolutional networks through every door: what an MLP can, on pictures."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import TensorDataset

import treino as tr
from tests.conftest import Treino, refusal_of
from tests.training.test_branching import same_end
from tests.training.test_futures import check as check_futures
from treino.base.errors import TreinoError
from treino.data import BUILTINS
from treino.data.builtins import Builtin
from treino.data.table import Column, Table
from treino.engine.ensemble import Ensemble
from treino.settings.network_settings import OF_CNN
from treino.training.replay import snapshots

pytestmark = pytest.mark.usefixtures("bare")

IMAGE_NHW = load_digits().images[:200].astype(np.uint8)
CLASS_N = load_digits().target[:200]
CLASSES = tuple("0123456789")


def test_rows_of_pixels_are_pictures_for_a_convolutional_network_alone(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"steps": 300, "channels": (8, 16), "net": "cnn", "keep": "last"}
    run, usual = tr.fit("digits", out=tmp_path / "run", **asked), tr.load("digits")
    assert run.data.item_shape == (8, 8)
    assert usual.item_shape == (64,)
    assert torch.equal(run.data.train.x, usual.train.x)  # the same numbers, in another shape
    assert run.metrics["test"]["accuracy"] > 0.8
    again = tr.open(tmp_path / "run")
    assert again.data.item_shape == (8, 8)
    rows = tmp_path / "rows.csv"
    rows.write_text(",".join(usual.features) + "\n" + "0," * 63 + "0\n")
    assert len(again.predict(str(rows))) == 1
    mixed = tmp_path / "mixed.csv"  # no pictures: a column more
    mixed.write_text(
        "pixel_0_0,pixel_0_1,age,kind\n" + "".join(f"{i},{i % 3},{i * i},{'ab'[i % 2]}\n" for i in range(40))
    )
    with pytest.raises(TreinoError, match="a row here has the shape"):
        tr.fit(str(mixed), target="kind", out=tmp_path / "other", **asked)


def _read(name: str) -> Table:
    pixel_ND = (IMAGE_NHW * 15).reshape(len(IMAGE_NHW), -1)
    target = Column("target", None, np.array(CLASSES, dtype=object)[CLASS_N], categories=CLASSES)
    pixels = tuple(Column(f"pixel_{j}", pixel_ND[:, j]) for j in range(pixel_ND.shape[1]))
    more = {"target": "target", "matrix": pixel_ND, "item_shape": (1, 8, 8), "keep_constant": True}
    return Table(name, name, None, (*pixels, target), lambda row: f"row {row}", **more)


@pytest.fixture(autouse=True, scope="module")
def _tiny() -> Iterator[None]:
    """200 handwritten digits of 8 × 8 pixels, as a built-in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BUILTINS, "tiny", Builtin(200, 64, "classification", "Digits.", _read))
        yield


SMALL: dict[str, Any] = {
    "net": "cnn",
    "channels": [4],
    "augment": "shift",
    "steps": 12,
    "seed": 3,
    "threads": 1,
}
EVERY = shlex.split(
    "--channels 4,8 --kernel 3,5 --stride 1,2 --padding 1,2 --pool average,none "
    "--head average --blocks 1 --group-norm 2 --hidden 6 --activation tanh --dropout 0.1 "
    "--init xavier --threads 1"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tr.Run:
    found = tr.fit("tiny", parent=tmp_path_factory.mktemp("runs"), **SMALL)
    assert isinstance(found, tr.Run)
    return found


def equal(a: Any, b: Any) -> bool:
    return a.keys() == b.keys() and all(torch.equal(t, b[name]) for name, t in a.items())


def test_every_flag_says_a_layer_and_the_folder_knows_them(treino: Treino) -> None:
    words = ("--net", "cnn", *EVERY, "--steps", 3)
    assert {f"--{name.replace('_', '-')}" for name in OF_CNN} <= set(EVERY)
    assert treino("train", "tiny", *words, "--name", "a").status == 0
    kept = tr.open("a")
    kinds = [type(m).__name__ for m in kept.module]
    assert " ".join(kinds) == (
        "Conv2d GroupNorm Tanh Residual Tanh AvgPool2d Conv2d GroupNorm Tanh Residual Tanh "
        "AdaptiveAvgPool2d Flatten Dropout Linear Tanh Dropout Linear"
    )
    second = kept.module[6]
    assert (second.kernel_size, second.stride, second.padding) == ((5, 5), (2, 2), (2, 2))
    assert (kept.spec.net, kept.item_shape) == ("cnn", (1, 8, 8))
    assert treino("train", "--like", "a", "--name", "b").status == 0
    assert equal(tr.open("b").tensors, kept.tensors)
    rows = torch.tensor(IMAGE_NHW[:5] * 15 / 255.0, dtype=torch.float32)[:, None]
    mean, scale = (
        torch.tensor(v, dtype=torch.float32) for v in (kept.preparation.mean, kept.preparation.scale)
    )
    share_NC = kept.module((rows - mean) / scale).softmax(1)
    predicted = kept.predict(IMAGE_NHW[:5].reshape(5, -1) * 15)
    assert [int(name) for name in predicted] == share_NC.argmax(1).tolist()


WRONG: list[tuple[tuple[str, ...], str, str]] = [
    (("--net", "mlp", "--pool", "none"), "cnn_settings", "--net cnn"),
    (("--net", "cnn", "--kernel", "4"), "kernel_choice", "3, 5"),
    (("--net", "cnn", "--kernel", "3,3"), "kernel_count", "--channels"),
    (("--net", "cnn", "--padding", "big"), "padding_type", "same"),
    (("--net", "cnn", "--padding", "5"), "padding_range", "Use e.g. 2"),
    (("--net", "cnn", "--channels", "none"), "channels_empty", "16, 32"),
    (("--net", "cnn", "--channels", "4,4,4,4"), "cnn_size", "--pool none"),
    (("--net", "cnn", "--group-norm", "5"), "group_norm_range", "divides"),
    (("--net", "cnn", "--group-norm", "4", "--batch-norm"), "norms_two", "one"),
    (("--net", "cnn", "--gates", "3"), "cnn_gates", "Leave"),
    (("--net", "mlp", "--augment", "shift"), "augment_net", "--net cnn"),
    (("--net", "cnn", "--augment", "shift,rotate=-1"), "augment_range", "--augment rotate=10"),
    (("--net", "cnn", "--recipe", "table"), "recipe_and_net", "Leave"),
    (("--net", "net.py:Net", "--channels", "3"), "net_and_layers", "--channels"),
]


@pytest.mark.parametrize(("words", "rule", "word"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_value_is_refused_with_the_next_move(
    treino: Treino, tmp_path: Path, words: tuple[str, ...], rule: str, word: str
) -> None:
    (tmp_path / "net.py").write_text("from torch import nn\nNet = nn.Linear(64, 10)\n")
    said = treino("train", "tiny", *words, "--steps", 1, "--json")
    assert (said.status, said.document["error"]["rule"]) == (2, rule)
    assert word in said.document["error"]["hint"]
    assert not (tmp_path / "runs").exists()


def test_a_table_is_refused_and_mlp_is_what_it_was(treino: Treino) -> None:
    refused = treino("train", "iris", "--net", "cnn", "--json").document["error"]
    assert (refused["rule"], "--net mlp" in refused["hint"]) == ("cnn_rows", True)
    for name, words in (("a", ()), ("b", ("--net", "mlp"))):
        assert treino("train", "iris", *words, "--recipe", "plain", "--epochs", 2, "--name", name).status == 0
    assert equal(tr.open("a").tensors, tr.open("b").tensors)


ALL_KINDS = "shift=2,crop,rotate,brightness,contrast,cutout,mixup"


def test_from_any_step_it_goes_on_and_its_layers_stay(run: tr.Run) -> None:
    same_end(run.at(7).branch(), run)
    dropped = run.at(7).branch(dropout=0.3)
    assert [type(m) for m in dropped.module].count(nn.Dropout) == 1
    np.testing.assert_array_equal(dropped.losses[:7], run.losses[:7])
    assert not np.array_equal(dropped.losses[7:], run.losses[7:])
    for name, value in (("hidden", [3]), ("channels", [8]), ("activation", "tanh"), ("net", "mlp")):
        refused = refusal_of(run.at(7).branch, **{name: value})
        assert (refused.rule, "MLP" in refused.message) == ("branch_setting", True)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> tr.Run:
    """With all that can be done to pictures."""
    more = {"augment": ALL_KINDS, "flip": True, "steps": 24, "every": 5}
    found = tr.fit("tiny", parent=tmp_path_factory.mktemp("runs"), **SMALL | more)
    assert isinstance(found, tr.Run)
    return found


@pytest.mark.slow
def test_all_changes_of_pictures_are_played_again_branched_and_found_like_before(
    treino: Treino, changed: tr.Run
) -> None:
    assert changed.settings["augment"] == (
        "shift=2,crop=0.2,rotate=10,brightness=0.2,contrast=0.2,cutout=0.3,mixup=0.2"
    )
    assert changed.settings["flip"]
    same_end(changed.at(7).branch(), changed)
    check_futures(changed, 5, [{"lr": 0.05}, {}], 7)
    for at in snapshots(changed, [0, 11]):
        output = at.trained_net(at.batch.x_BD.view(-1, 1, 8, 8))
        assert at.loss_function(output, at.batch.y_B).item() == pytest.approx(
            changed.losses[at.step], rel=1e-5
        )
    assert treino("train", "--like", changed.path, "--name", "again").status == 0
    assert equal(tr.open("again").tensors, changed.tensors)


@pytest.mark.slow
def test_networks_of_a_sweep_may_differ_in_what_is_done_to_pictures(treino: Treino) -> None:
    space = ("--space", "augment=none|shift,cutout=0.2", "--space", "flip=true|false", "--sampler", "grid")
    more = ("--channels", 4, "--epochs", 1, "--fresh", 0, "--threads", 1, "--name", "s")
    words = ("sweep", "tiny", "--net", "cnn", *space, *more)
    assert treino(*words).status == 0
    board = {entry["member"]: entry["params"] for entry in tr.open("s").document["leaderboard"]}
    assert {(p["augment"], p["flip"]) for p in board.values()} == {
        (augment, flip) for augment in ("none", "shift,cutout=0.2") for flip in (True, False)
    }
    for member in list(board)[:2]:
        assert treino("train", "--like", f"s:{member}", "--name", f"alone-{member}").status == 0
        assert equal(tr.open(f"alone-{member}").tensors, tr.open("s").member(member).tensors)


@pytest.mark.slow
def test_a_population_for_each_shape_and_every_network_as_if_alone(treino: Treino, tmp_path: Path) -> None:
    space = ["channels=4|4,8", "dropout=0|0.2|0.4", "kernel=3|5"]
    more = {"members": 6, "epochs": 1, "fresh": 0, "top": 6, "ensemble": 4, "threads": 1, "name": "s"}
    found = tr.sweep("tiny", space, net=tr.cnn(8, 4, hidden=[5]), **more)
    board = {entry["member"]: entry["params"] for entry in found.document["leaderboard"]}
    assert len({(p["channels"], p["kernel"]) for p in board.values()}) > 1
    for member in list(board)[:2]:
        assert treino("train", "--like", f"s:{member}", "--name", f"again-{member}").status == 0
        assert equal(tr.open(f"again-{member}").tensors, found.member(member).tensors)
    together = found.predict(IMAGE_NHW.reshape(200, -1) * 15, top=3)
    assert len(together) == 200


def test_a_sweep_of_both_kinds_lets_equal_kinds_answer_together(tmp_path: Path) -> None:
    space = {"net": ["mlp", "cnn"], "lr": [1e-3, 1e-2]}
    more = {"members": 4, "epochs": 1, "top": 4, "ensemble": 3, "fresh": 0}
    found = tr.sweep("tiny", space, parent=tmp_path, **more)
    board = {entry["member"]: entry["params"]["net"] for entry in found.document["leaderboard"]}
    chosen = (found.document["ensemble"] or {"members": [found.document["best"]["member"]]})["members"]
    assert set(board.values()) == {"mlp", "cnn"}
    assert len({board[member] for member in chosen}) == 1
    assert "net" in str(refusal_of(found.predict, IMAGE_NHW.reshape(200, -1), top=4))


@pytest.mark.slow
def test_ensembles_seeds_folds_and_studies(tmp_path: Path) -> None:
    together = tr.fit("tiny", parent=tmp_path, ensemble=3, **SMALL | {"dropout": 0.3, "dropout_spread": True})
    assert isinstance(tr.open(together.path).module, Ensemble)
    same_end(together.at(5).branch(), together)
    for more in ({"seeds": 2}, {"folds": 2}):
        found = tr.fit("tiny", tr.cnn(4), parent=tmp_path, steps=2, threads=1, **more)
        assert {entry["status"] for entry in found.document["leaderboard"]} == {"finished"}
    rows = tr.study("tiny", tr.cnn(4), batch_sizes=[20, 50], epochs=1, threads=1, parent=tmp_path).document[
        "rows"
    ]
    assert len(rows) == 2
    found = tr.fit("tiny", tr.cnn(4, pool="none"), lr="auto", steps=2, threads=1, parent=tmp_path)
    assert found.spec.resolved.pool == ("none",)


def test_pictures_of_one_s_own(tmp_path: Path) -> None:
    image_NHW, y = torch.tensor(IMAGE_NHW / 16.0, dtype=torch.float32), torch.tensor(CLASS_N)
    flat = tr.fit(TensorDataset(image_NHW, y), tr.cnn(4), steps=3, threads=1, parent=tmp_path)
    own = tr.fit(TensorDataset(image_NHW[:, None], y), tr.cnn(4), steps=3, threads=1, parent=tmp_path)
    assert flat.item_shape == own.item_shape == (1, 8, 8)
    assert equal(flat.tensors, own.tensors)
    assert flat.metrics == own.metrics
    with pytest.raises(TreinoError, match="last axis"):
        tr.fit(TensorDataset(image_NHW[..., None], y), tr.cnn(4), steps=3, threads=1, parent=tmp_path)


def test_an_estimator_learns_from_pictures() -> None:
    x_NCHW = IMAGE_NHW[:, None] / 16.0
    estimator = clone(tr.Classifier(net=tr.cnn(8), epochs=30, lr=0.01, threads=1, random_state=0))
    assert estimator.fit(x_NCHW, CLASS_N).score(x_NCHW, CLASS_N) > 0.8
    assert estimator.module_(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    with pytest.raises(ValueError, match="pictures"):
        tr.Classifier(net=tr.cnn(8)).fit(x_NCHW.reshape(200, -1), CLASS_N)
