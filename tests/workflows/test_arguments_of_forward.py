"""Rows that are arrays with axes, or several arrays: what a network's forward gets, and targets with axes."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import treino as tr
from tests.conftest import refusal_of
from treino.data.rows import order
from treino.engine.devices import torch_threads
from treino.engine.losses import Loss
from treino.folders.prediction import predict
from treino.inspection.intervals import intervals
from treino.reports.export.formats import exported
from treino.reports.pictures.picture_files import draw

N, T, WORDS = 90, 6, 12
random = np.random.default_rng(0)
X = random.normal(5.0, 2.0, (N, T, 3)).astype(np.float32)
LENGTHS = random.integers(1, T + 1, N)
TOKENS = random.integers(1, WORDS, (N, T))
PAD = np.arange(T) >= LENGTHS[:, None]
TOKENS[PAD] = 0
Y = (X[:, 0, 0] > 5).astype(int)
TAGS = np.where(PAD, -100, TOKENS % 3)
IMAGES = random.normal(size=(40, 1, 8, 8)).astype(np.float32)


class Panel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.out = nn.LSTM(3, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, x: Tensor, lengths: Tensor) -> Any:
        rows = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return self.out(self.lstm(rows)[1][0][-1])


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.out = nn.Embedding(WORDS, 4), nn.Linear(4, 2)

    def forward(self, tokens: Tensor) -> Any:
        assert tokens.dtype == torch.long
        return self.out(self.words(tokens).mean(1))


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, 8)
        self.mixed = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.out = nn.Linear(8, 3)

    def forward(self, tokens: Tensor, pad: Tensor) -> Any:
        assert (tokens.dtype, pad.dtype) == (torch.long, torch.bool)
        return self.out(self.mixed(self.words(tokens), src_key_padding_mask=pad)).movedim(-1, 1)


class Towers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.panel, self.words = nn.LazyLinear(4), nn.Embedding(WORDS, 4)
        self.out = nn.Linear(8, 2)

    def forward(self, x: Tensor, tokens: Tensor) -> Any:
        return self.out(torch.cat([self.panel(x.flatten(1)), self.words(tokens).mean(1)], 1))


class Field(nn.Module):
    """Values in the axes of a target."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(T * 3, 20)

    def forward(self, x: Tensor) -> Any:
        return self.out(x.flatten(1)).unflatten(1, (4, 5))


class Summed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wide, self.out = nn.Linear(T * 3, 8), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Any:
        return self.out(self.wide(x.flatten(1)).relu())


PANEL: dict[str, Any] = {"x": X, "lengths": LENGTHS}
TAGGED: dict[str, Any] = {"tokens": TOKENS, "pad": PAD}
CASES: dict[str, tuple[Any, type[nn.Module]]] = {
    "panel": ((PANEL, Y), Panel),
    "tokens": (((TOKENS,), Y), Words),
    "tags": ((TAGGED, TAGS), Tagger),
    "towers": (((X, TOKENS), Y), Towers),
    "values": (({"x": X}, random.normal(3, 9, (N, 4, 5))), Field),
    "pixels": ((IMAGES, (IMAGES[:, 0] > 0).astype(int)), lambda: nn.Conv2d(1, 2, 3, padding=1)),  # type: ignore[dict-item]
}


@pytest.fixture
def fitted(tmp_path: Path) -> Any:
    def fit(source: Any, net: Any, **asked: Any) -> Any:
        torch.manual_seed(0)
        made = net() if isinstance(net, type) or (callable(net) and not isinstance(net, nn.Module)) else net
        given = {"epochs": 3, "batch_size": 16, "lr": 0.01, "keep": "last"} | asked
        return tr.fit(source, made, parent=tmp_path / "runs", **given)

    return fit


# ---- the training is the plain loop


def arguments(name: str, x: Tensor) -> tuple[Tensor, ...]:
    """The arrays in prepared rows, by hand."""
    if name == "panel":
        return x[:, : T * 3].reshape(-1, T, 3), x[:, T * 3].long()
    if name == "tokens":
        return (x.long(),)
    if name == "tags":
        return x[:, :T].long(), x[:, T:].bool()
    if name == "towers":
        return x[:, : T * 3].reshape(-1, T, 3), x[:, T * 3 :].long()
    return (x.reshape(-1, *((1, 8, 8) if name == "pixels" else (T, 3))),)


@pytest.mark.parametrize("name", CASES)
def test_a_training_has_the_bits_of_the_plain_loop(name: str, fitted: Any) -> None:
    source, make = CASES[name]
    run = fitted(source, make)
    data, axes = tr.load(source), np.shape(source[1])[1:]
    torch.manual_seed(0)
    net = make()
    net(*arguments(name, data.train.x[:2]))  # lazy layers
    if name == "towers":
        net.load_state_dict(run.at(0).net.state_dict())
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    with torch_threads(1):
        for row_B in (part for epoch in range(3) for part in order(len(data.train), 0, epoch).split(16)):
            x, y = data.train.x[row_B], data.train.y[row_B].reshape(-1, *axes)
            optimizer.zero_grad()
            out = net(*arguments(name, x))
            loss = F.mse_loss(out, y) if name == "values" else F.cross_entropy(out, y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    near = 1e-6 if name == "pixels" else 0.0  # oneDNN rounds a convolution's gradient by where memory lies
    assert run.losses.tolist() == pytest.approx(losses, rel=0, abs=near)
    for key, t in net.state_dict().items():
        assert torch.allclose(t, run.module.state_dict()[key], rtol=0, atol=near)


def test_bf16_is_torchs_autocast_and_its_loss_is_said_beside_float32s(fitted: Any) -> None:
    source, name = (({"x": X}, Y), "values")
    run = fitted(source, Summed, precision="bf16")
    data = tr.load(source)
    torch.manual_seed(0)
    net = Summed()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for row_B in (part for epoch in range(3) for part in order(len(data.train), 0, epoch).split(16)):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.cross_entropy(net(*arguments(name, data.train.x[row_B])), data.train.y[row_B])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert run.losses.tolist() == losses
    assert (run.settings["precision"], run.settings["engine"]) == ("bf16", "module")
    held, in_float32 = run.data.validation, run.metrics["validation"]["loss"]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        low = F.cross_entropy(run.module(held.x).double(), held.y).item()
    (note,) = [note for note in run.document["notes"] if "bf16" in note]
    assert f"{low:.6g} in bf16" in note
    assert f"{in_float32:.6g} in" in note
    assert low != in_float32
    assert run.verify()["verdict"] == "equal"
    assert refusal_of(lambda: exported(run, "script")).rule == "export_precision"
    for engine in ("lanes", "batched"):
        refused = refusal_of(lambda engine=engine: tr.fit("wine", precision="bf16", engine=engine))
        assert refused.rule == "precision_engine"


# ---- a run's folder, new rows, another process's bits


@pytest.mark.slow
@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", CASES)
def test_a_run_is_opened_verified_and_predicts_in_the_shape_of_its_target(name: str, fitted: Any) -> None:
    (x, y), make = CASES[name]
    run = fitted((x, y), make)
    again: Any = tr.open(run.path, net=make())
    answer = again.predict(x)
    assert answer.shape == np.shape(y)
    assert np.array_equal(answer, run.predict(x))
    assert run.verify()["verdict"] == "equal"
    compared = predict(again, (x, y)).comparison
    assert compared is not None
    assert compared.rows_compared == len(y)
    data = run.data
    assert data.train.x.shape == again.data.train.x.shape
    assert torch.equal(data.train.y, again.data.train.y)


def test_the_networks_arguments_by_hand_give_what_the_rows_give(fitted: Any) -> None:
    run = fitted((PANEL, Y), Panel)
    mean, deviation = X[run.data.train.index].mean((0, 1)), X[run.data.train.index].std((0, 1))
    x = torch.from_numpy((X - mean) / deviation)
    by_hand = run.module(x, torch.from_numpy(LENGTHS)).argmax(1).numpy()
    assert np.array_equal(by_hand, run.predict({"lengths": LENGTHS, "x": X}))
    plain = fitted((PANEL, Y), Panel, normalise=False)
    assert torch.equal(plain.data.train.x[:, : T * 3], torch.from_numpy(X[plain.data.train.index]).flatten(1))


@pytest.mark.slow
def test_whole_numbers_stay_whole_for_an_embedding_however_they_come(fitted: Any) -> None:
    tensors = torch.from_numpy(TOKENS), torch.from_numpy(Y)
    sources = [(TOKENS, Y), tensors, TensorDataset(*tensors), ({"tokens": TOKENS}, Y)]
    runs = [fitted(source, Words) for source in sources]
    assert len({tuple(run.losses.tolist()) for run in runs}) == 1
    made = tr.fit((TOKENS, Y), Words, epochs=1, parent=runs[0].path.parent)
    assert made.preparation.arrays == runs[0].preparation.arrays
    numbers = fitted((TOKENS, Y), nn.Sequential(nn.Linear(T, 2)))  # a table's columns
    assert numbers.data.kind == "table"
    assert not numbers.preparation.arrays


def test_rows_of_one_array_go_to_forward_in_their_shape(fitted: Any) -> None:
    run = fitted((X, Y), nn.Sequential(nn.Flatten(), nn.Linear(T * 3, 2)))
    assert run.data.item_shape == (T, 3)
    assert run.predict(X).shape == (N,)
    assert run.module(torch.zeros(2, T, 3)).shape == (2, 2)


def test_rows_of_a_split_and_weights_are_given_as_arrays_too(fitted: Any) -> None:
    weights = random.random(N) + 0.5
    held = {name: array[:20] for name, array in PANEL.items()}
    run = fitted((PANEL, Y, weights), Panel, validation=(held, Y[:20]), test=(held, Y[:20]))
    assert run.facts.rows == {"train": N, "validation": 20, "test": 20}
    assert torch.equal(run.data.train.weight, torch.from_numpy(weights).float())


def test_an_estimator_takes_arrays_of_any_axes_for_a_network_of_ones_own() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(T * 3, 2))
    made = tr.Classifier(net=net, epochs=3, random_state=0).fit(X, Y)
    assert made.predict(X).shape == Y.shape
    words = tr.Classifier(net=Words(), epochs=3, random_state=0).fit(TOKENS, Y, sample_weight=Y + 1)
    assert np.array_equal(words.predict(TOKENS), words.run_.predict(TOKENS))
    with pytest.raises(ValueError, match="dict of arrays"):
        tr.Classifier(net=Panel()).fit(PANEL, Y)


@pytest.mark.slow
def test_folds_and_seeds_are_drawn_of_arrays(tmp_path: Path) -> None:
    tested = torch.cat([tr.load((PANEL, Y), fold=f"{k}/5").test.index for k in range(1, 6)])
    assert tested.sort().values.tolist() == list(range(N))
    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.out = nn.LazyLinear(2)\n"
        "    def forward(self, x, lengths):\n"
        "        return self.out(x.sum(1) / lengths[:, None])\n"
    )
    given = {"net": f"{tmp_path}/net.py:Net", "epochs": 2, "parent": tmp_path / "runs"}
    assert len(tr.fit((PANEL, Y), folds=3, **given).figures)
    swept = tr.sweep((PANEL, Y), space="lr=0.001..0.1", members=3, **given)
    best = tr.open(swept.path, trust=True).best
    assert best.predict({"x": X, "lengths": LENGTHS}).shape == (N,)


# ---- targets with axes


def test_metrics_are_those_of_positions_that_are_not_left_out(fitted: Any) -> None:
    run = fitted((TAGGED, TAGS), Tagger)
    rows, known = run.data.test.index, ~PAD[run.data.test.index]
    said, true = run.predict(TAGGED)[rows][known], TAGS[rows][known]
    test = run.metrics["test"]
    assert test["accuracy"] == pytest.approx(accuracy_score(true, said))
    assert test["f1_macro"] == pytest.approx(f1_score(true, said, average="macro"))
    with torch.no_grad():
        out = run.module(torch.from_numpy(TOKENS[rows]), torch.from_numpy(PAD[rows])).double()
    assert test["loss"] == pytest.approx(F.cross_entropy(out, torch.from_numpy(TAGS[rows])).item())
    low, high = run.document["intervals"]["test"]["accuracy"]
    assert low < test["accuracy"] < high


def test_an_interval_draws_whole_rows() -> None:
    y_N = torch.from_numpy(random.integers(0, 3, 60))
    output_NC = torch.from_numpy(random.normal(size=(60, 3)))
    alike = y_N[:, None].expand(-1, 4), output_NC[..., None].expand(-1, -1, 4).flatten(1)
    apart = intervals(alike[1], alike[0], Loss("cross_entropy", axes=(4,)))
    each = intervals(output_NC, y_N, Loss("cross_entropy"))
    assert apart["loss"] == pytest.approx(each["loss"])


def test_rows_without_a_known_position_are_left_out(fitted: Any) -> None:
    tags = TAGS.copy()
    tags[:5] = -100
    run = fitted((TAGGED, tags), Tagger)
    assert sum(run.facts.rows.values()) == N - 5
    assert any("-100: 5" in note for note in run.document["notes"])


def test_weights_of_rows_and_of_classes_reach_every_position(fitted: Any) -> None:
    weight_N, weight_C = random.random(N) + 0.5, (1.0, 2.0, 3.0)
    run = fitted((TAGGED, TAGS, weight_N), Tagger, class_weights=weight_C, epochs=1, batch_size="full")
    row_N = run.data.train.index
    with torch.no_grad():
        out = run.at(0).net(torch.from_numpy(TOKENS[row_N]), torch.from_numpy(PAD[row_N]))
    tags = torch.from_numpy(TAGS[row_N])
    each = F.cross_entropy(out, tags, torch.tensor(weight_C), reduction="none")
    mass = torch.tensor([*weight_C, 0.0])[tags.clamp(min=-1)] * torch.from_numpy(weight_N[row_N])[:, None]
    share = torch.from_numpy(weight_N[row_N])[:, None]
    assert run.losses[0] == pytest.approx(float((each * share).sum() / mass.sum()), rel=1e-5)


# ---- exports


@pytest.mark.slow
@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", CASES)
def test_an_exported_program_takes_the_arguments_of_forward(name: str, fitted: Any) -> None:
    source, make = CASES[name]
    run = fitted(source, make)
    if name == "panel":  # torch can't trace packed sequences with lengths
        assert refusal_of(lambda: exported(run, "pt2")).rule == "pt2_network"
        return
    made: Any = exported(run, "pt2")
    assert made.apart < 1e-5
    program = torch.export.load(made.paths[0]).module()
    x = run.data.test.x[:3]
    given = arguments(name, x)
    names = [array.name for array in run.preparation.arrays]
    answer = program(**dict(zip(names, given, strict=True))) if names and names[0] else program(*given)
    assert torch.allclose(answer, run.module(*given), atol=1e-5)
    if run.preparation.apart or run.preparation.target_shape:
        assert refusal_of(lambda: exported(run, "onnx")).rule == "onnx_arrays"


# ---- what is refused, by a sentence

PADDED = np.array([[1, 2], [3]], dtype=object)
WRONG: dict[str, tuple[str, Any, type[nn.Module]]] = {
    "a length of 0": ("array_length", ({"x": X, "lengths": LENGTHS * 0}, Y), Panel),
    "a length beyond T": ("array_length", ({"x": X, "lengths": LENGTHS + T}, Y), Panel),
    "another name": ("net_arguments", ({"words": TOKENS}, Y), Words),
    "an argument too much": ("net_arguments", ({"tokens": TOKENS, "mask": PAD}, Y), Words),
    "an argument too few": ("net_arguments", ({"x": X}, Y), Panel),
    "a tuple too long": ("net_arguments", ((X, LENGTHS, TOKENS), Y), Panel),
    "different N": ("arrays_rows", ({"x": X[1:], "lengths": LENGTHS}, Y), Panel),
    "y of another N": ("arrays_rows", (PANEL, Y[1:]), Panel),
    "a ragged list": ("arrays_shape", ({"tokens": [[1, 2], [3]]}, Y[:2]), Words),
    "an object array": ("arrays_shape", ({"tokens": PADDED}, Y[:2]), Words),
    "words": ("array_values", ({"tokens": np.array([["a", "b"]] * N)}, Y), Words),
    "complex numbers": ("array_values", ({"tokens": TOKENS * 1j}, Y), Words),
    "NaN": ("array_not_finite", ({"x": np.where(X > 9, np.nan, X), "lengths": LENGTHS}, Y), Panel),
    "an axis of length 0": ("array_empty", (X[:, :0], Y), Panel),
    "no rows": ("array_empty", ({"x": X[:0], "lengths": LENGTHS[:0]}, Y[:0]), Panel),
    "huge numbers": ("array_large", ({"tokens": TOKENS * 10**8}, Y), Words),
    "no array": ("arrays_pair", ({}, Y), Words),
    "no y": ("arrays_pair", (PANEL, None), Panel),
    "a weight of 0": ("array_weights", (PANEL, Y, Y * 0), Panel),
    "targets of another shape": ("net_output", (TAGGED, TAGS[:, :4]), Tagger),
    "only positions left out": ("target_all_ignored", (TAGGED, TAGS * 0 - 100), Tagger),
    "a class below 0": ("target_number", (TAGGED, TAGS - 1), Tagger),
    "one class": ("target_one_class", (TAGGED, TAGS * 0), Tagger),
    "one answer per row": ("net_output", ({"tokens": TOKENS}, TAGS), Words),
}


@pytest.mark.parametrize("what", WRONG)
def test_bad_arrays_are_refused_by_a_sentence(what: str, fitted: Any) -> None:
    rule, source, make = WRONG[what]
    assert refusal_of(lambda: fitted(source, make)).rule == rule


def test_a_new_row_beyond_the_embedding_is_named(fitted: Any) -> None:
    run = fitted(({"tokens": TOKENS}, Y), Words)
    size = next(layer.num_embeddings for layer in run.module.modules() if isinstance(layer, nn.Embedding))
    for number in size, -1, 10**6:
        new = TOKENS.copy()
        new[7, 1] = number
        told = f"Row 7, tokens[1], gives the number {number}, and"
        assert told in str(refusal_of(run.predict, {"tokens": new}))
    many = np.concatenate([TOKENS] * (5000 // N + 1))
    many[4200, 0] = size  # rows are predicted in pieces
    assert "Row 4200, tokens[0], gives" in str(refusal_of(run.predict, {"tokens": many}))


@pytest.mark.parametrize("door", ["dict", "tuple", "array", "items", "own validation"])
@pytest.mark.parametrize("row", [3, N - 1])
def test_a_row_of_a_training_beyond_the_embedding_is_named(fitted: Any, door: str, row: int) -> None:
    """Whichever part of the split it is in, before anything is trained; and by which column."""
    tokens = TOKENS.copy()
    tokens[row, 2] = WORDS
    items = TensorDataset(torch.from_numpy(tokens), torch.from_numpy(Y))
    sources: dict[str, Any] = {"tuple": ((tokens,), Y), "array": (tokens, Y), "items": items}
    sources |= {"dict": ({"tokens": tokens}, Y), "own validation": ({"tokens": TOKENS}, Y)}
    more = {"validation": sources["dict"]} if door == "own validation" else {"test": 0.0}
    refused = refusal_of(lambda: fitted(sources[door], Words, **more))
    column = "tokens[2]" if door in ("dict", "own validation") else "x[2]"
    assert (refused.rule, f"Row {row}, {column}, gives the number {WORDS}," in refused.message) == (
        "net_forward",
        True,
    )


LISTS: dict[str, tuple[Any, int]] = {
    "ragged": ([[1, 2, 3], [1, 2, 3], [1, 2]], 2),
    "nested in one row": ([[1, 2], [1, [2, 3]]], 1),
    "nested in the first": ([[1, [2]], [1, 2]], 0),
    "dicts": ([{"a": 1}, {"a": 2}], 0),
    "a dict among numbers": ([[1, 2, 3], [1, 2, {"a": 1}]], 1),
    "an array of lists": (PADDED, 1),
}


@pytest.mark.parametrize("what", LISTS)
def test_the_row_of_a_list_that_is_unlike_the_others_is_named(what: str, tmp_path: Path) -> None:
    rows, row = LISTS[what]
    run = tr.fit((np.eye(3)[np.arange(60) % 3], np.arange(60) % 3), epochs=1, parent=tmp_path)
    for refusal in (
        refusal_of(run.predict, rows),
        refusal_of(tr.fit, (rows, [0] * len(rows)), parent=tmp_path),
    ):
        assert (refusal.rule, f"see row {row}." in str(refusal)) == ("arrays_shape", True)


def test_what_needs_one_answer_per_row_is_refused(fitted: Any) -> None:
    for asked in ({"ensemble": 2}, {"coverage": 0.8}, {"loss": "bce"}):
        assert refusal_of(lambda asked=asked: fitted((TAGGED, TAGS), Tagger, **asked)).rule == "axes_setting"
    assert refusal_of(lambda: tr.fit((X, TAGS), epochs=1)).rule == "axes_net"
    assert refusal_of(lambda: tr.fit((PANEL, Y), epochs=1)).rule == "arrays_net"


@pytest.mark.slow
def test_pictures_of_one_answer_per_row_are_refused_for_targets_with_axes(fitted: Any) -> None:
    run = fitted(*CASES["tags"])
    for what in ("confusion", "mistakes", "calibration", "network", "boundary", "importance"):
        assert refusal_of(lambda what=what: draw(run, [what])).rule == "answers_with_axes"
    assert refusal_of(run.rows).rule == "answers_with_axes"
    assert draw(run, ["curves"])


def test_new_rows_of_other_arrays_are_refused(fitted: Any) -> None:
    run = fitted((PANEL, Y), Panel)
    for x in ({"x": X}, X, (X, LENGTHS), {"x": X[:, :3], "lengths": LENGTHS.clip(max=3)}):
        assert refusal_of(lambda x=x: run.predict(x)).rule == "arrays_differ"
    tagged = fitted((TAGGED, TAGS), Tagger)
    assert refusal_of(lambda: predict(tagged, (TAGGED, TAGS + 3))).rule == "target_number"
    assert refusal_of(lambda: predict(tagged, (TAGGED, TAGS[:, :2]))).rule == "target_axes"


# ---- any shapes

SHAPES = st.lists(st.integers(1, 4), max_size=3)
ARRAYS = st.lists(st.tuples(SHAPES, st.sampled_from(["float32", "int64", "bool"])), min_size=1, max_size=4)


class Looking(nn.Module):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(1, 2)

    def forward(self, **arrays: Tensor) -> Any:
        self.seen = {name: array.detach().clone() for name, array in arrays.items()}
        first = next(iter(arrays.values()))
        return self.out(torch.ones(len(first), 1))


@settings(max_examples=25, deadline=None)
@given(ARRAYS, st.integers(0, 1000))
def test_forward_gets_arrays_of_any_shape_and_type_as_they_were_given(arrays: Any, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    x = {
        f"a{n}": (drawn.normal(size=(12, *shape)) * 9).astype(dtype)
        for n, (shape, dtype) in enumerate(arrays)
    }
    source = x, np.arange(12) % 2
    data = tr.load(source, normalise=False, validation=0, test=0)
    training = tr.train(data, Looking(), steps=1, batch_size=None, shuffle="off")
    list(training)
    net: Any = copy.deepcopy(training.net())
    net(data.train.x)
    assert list(net.seen) == list(x)
    for name, array in x.items():
        assert net.seen[name].dtype == getattr(torch, array.dtype.name)
        assert np.array_equal(net.seen[name].numpy(), array)


@pytest.mark.parametrize("name", ["lengths", "x_len"])
@pytest.mark.parametrize("wrong", [0, -1, 13])
def test_lengths_that_no_sequence_has_are_refused(name: str, wrong: int, tmp_path: Path) -> None:
    """Also where the network would take them, as one with a mask does."""

    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(3, 2)

        def forward(self, **arrays: torch.Tensor) -> torch.Tensor:
            x, length = arrays["x"], arrays[name]
            answer: torch.Tensor = self.out((x * (torch.arange(12) < length[:, None])[..., None]).sum(1))
            return answer

    rng = np.random.default_rng(0)
    x, lengths, y = rng.normal(size=(60, 12, 3)), rng.integers(1, 13, 60), rng.integers(0, 2, 60)
    lengths[7] = wrong
    how: dict[str, Any] = {"epochs": 1, "parent": tmp_path / "runs"}
    refusal = refusal_of(tr.fit, ({"x": x, name: lengths}, y), Masked(), **how)
    assert (refusal.rule, str(wrong) in refusal.message) == ("array_length", True)
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_sweeps_and_studies_read_tokens_as_fit_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole numbers [N, T] are an argument of a network that looks them up, in many networks too."""
    monkeypatch.chdir(tmp_path)
    Path("words.py").write_text(
        "from torch import nn\n\nclass Words(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.words, self.out = nn.EmbeddingBag(20, 8), nn.Linear(8, 2)\n\n"
        "    def forward(self, tokens):\n        return self.out(self.words(tokens))\n"
    )
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 20, (80, 6))
    data = (tokens, (tokens == 7).any(1))
    run = tr.fit(data, net="words.py:Words", epochs=1)
    sweep = tr.sweep(data, {"lr": [0.01, 0.1]}, net="words.py:Words", epochs=1, fresh=0)
    study = tr.study(data, net="words.py:Words", batch_sizes=[20], epochs=1)
    own = run.folder.read_json("preparation.json")["arrays"]
    assert own[0]["dtype"] == "int64"
    assert sweep.folder.read_json("preparation.json")["arrays"] == own
    assert len(study.rows) == 1
