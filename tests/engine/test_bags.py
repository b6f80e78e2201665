"""Weights of rows, for each member its own: equal to repeated rows, and to a loop in torch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from oracles import ENGINES, sample
from tests.conftest import refusal_of
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data import Dataset as TorchDataset

from treino.data import load
from treino.data.mapped_rows import MappedRows
from treino.data.rows import order
from treino.engine import Bags, batch_sources, measure, mlp, train
from treino.engine.kernels.lanes import LanesKernel
from treino.engine.nets import cnn

ROWS = 24
VARIANTS = {
    "cross_entropy": {},
    "class weights": {"class_weights": [0.5, 2.0, 1.0]},
    "label smoothing": {"class_weights": [0.5, 2.0, 1.0], "label_smoothing": 0.2},
    "balanced": {"class_weights": "balanced"},
    "softmax first": {"fault": "softmax_before_cross_entropy"},
    "summed": {"fault": "missing_zero_grad"},
    "bce": {"loss": "bce"},
    "mse": {"loss": "mse"},
    "l1": {"loss": "l1"},
    "huber": {"loss": "huber"},
}
WAYS = [e for e in ENGINES if e != "lanes"] + ["members", "units"] * ("lanes" in ENGINES)


def drawn(*shape, seed=3, most=4):
    return torch.randint(most, shape, generator=torch.Generator().manual_seed(seed))


def problem(variant):
    x, y = sample(rows=ROWS)
    if variant in ("mse", "l1", "huber"):
        return x, torch.stack([x.sum(1), x[:, 0] * 2 - 0.3], 1)
    return x, y.clamp(max=1) if variant == "bce" else y


def started(data, bags=None, *, way="batched", net=None, **arguments):
    """way: an engine, or what the lanes of ``lanes`` hold."""
    usual = {"lr": 0.05, "optimizer": "sgd", "seeds": 1, "steps": 6, "batch_size": "full", "every": 1000}
    engine = "lanes" if way in ("members", "units") else way
    training = train(data, net or mlp(7, 6), bags=bags, engine=engine, **usual | arguments)
    if isinstance(training.setup.kernel, LanesKernel):
        training.setup.kernel.layout = way
    return training


def trained(data, bags=None, **arguments):
    return run(started(data, bags, **arguments))


def assert_close(one, other, tolerance=2e-5):
    for a, b in zip(one.net().parameters(), other.net().parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.sampled(3)
def test_a_weight_is_how_often_a_row_is_there(way, variant):
    (x, y), count = problem(variant), drawn(ROWS)
    again = torch.arange(ROWS).repeat_interleave(count)
    arguments = {"way": way, **VARIANTS[variant]}
    weighed, loss_S = trained((x, y), Bags(count[None]), **arguments)
    repeated, wanted_S = trained((x[again], y[again]), **arguments)
    torch.testing.assert_close(loss_S, wanted_S, rtol=2e-5, atol=1e-6)
    assert_close(weighed, repeated)
    torch.testing.assert_close(weighed.threshold_P, repeated.threshold_P)


def row_loss(variant, z, y):
    if variant == "bce":
        return F.binary_cross_entropy_with_logits(z, y.unsqueeze(-1).to(z.dtype), reduction="none").mean(1)
    if variant in ("mse", "l1", "huber"):
        kinds = {"mse": F.mse_loss, "l1": F.l1_loss, "huber": F.huber_loss}
        return kinds[variant](z, y.to(z.dtype), reduction="none").mean(1)
    settings = VARIANTS[variant]
    weight_C = torch.tensor(settings.get("class_weights", [1.0] * 3), dtype=z.dtype)
    z = z.softmax(1) if variant == "softmax first" else z
    smoothing = settings.get("label_smoothing", 0.0)
    return F.cross_entropy(z, y, weight_C, label_smoothing=smoothing, reduction="none")


def plain_loop(training, member, data, weight_N, variant, *, adam, batch, steps):
    """The losses of a training loop in torch, in float64, and the parameters it ends with."""
    net = training.net(member).double().train()
    x, y = data[0].double(), data[1]
    class_C = torch.tensor(VARIANTS[variant].get("class_weights", [1.0] * 3), dtype=torch.float64)
    kind = torch.optim.AdamW if adam else torch.optim.SGD
    optimizer, losses, epoch = kind(net.parameters(), lr=0.05, weight_decay=0.01), [], 0
    while len(losses) < steps:
        for row_B in order(len(x), 1, epoch).split(batch):
            if variant != "summed":
                optimizer.zero_grad()
            w_B, z = weight_N[row_B].double(), net(x[row_B])
            share_B = w_B if y.is_floating_point() or variant == "bce" else w_B * class_C[y[row_B]]
            loss = (w_B * row_loss(variant, z, y[row_B])).sum() / share_B.sum()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        epoch += 1
    return torch.tensor(losses[:steps]), list(net.parameters())


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "balanced"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.sampled(5)
def test_each_member_learns_its_own_bag_as_a_loop_in_torch_does(way, variant):
    data, weight_GN, adam = (
        problem(variant),
        torch.rand(3, ROWS, generator=torch.manual_seed(2)),
        variant == "mse",
    )
    arguments = {
        "seeds": range(5),
        "batch_size": 8,
        "steps": 9,
        "data_seed": 1,
        "weight_decay": 0.01,
        "optimizer": "adamw" if adam else "sgd",
        "way": way,
        **VARIANTS[variant],
    }
    bag_P = [2, 0, 1, 1, 2]
    begun = started(data, Bags(weight_GN, bag_P=bag_P), **arguments)
    training, loss_SP = trained(data, Bags(weight_GN, bag_P=bag_P), **arguments)
    for member in (0, 3, 4):
        weight_N = weight_GN[bag_P[member]]
        wanted_S, wanted = plain_loop(begun, member, data, weight_N, variant, adam=adam, batch=8, steps=9)
        torch.testing.assert_close(loss_SP[:, member], wanted_S.float(), rtol=3e-4, atol=3e-5)
        for p, q in zip(training.net(member).parameters(), wanted, strict=True):
            torch.testing.assert_close(p, q.float(), rtol=3e-3, atol=3e-4)


@pytest.mark.parametrize("way", WAYS)
def test_equal_weights_of_any_size_are_none(way):
    data = problem("cross_entropy")
    plain, loss_S = trained(data, way=way)
    for size in (1, 3e-38, 2e38):
        weighed, other_S = trained(data, Bags(torch.full((1, ROWS), size)), way=way)
        torch.testing.assert_close(other_S, loss_S, rtol=2e-6, atol=1e-6)
        assert_close(weighed, plain)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("variant", ["class weights", "mse"])
def test_a_batch_without_weight_has_no_loss_and_no_gradient(way, variant):
    data = problem(variant)
    weight = torch.zeros(2, ROWS)
    weight[0, -1] = weight[1, 0] = 2
    arguments = {"batch_size": 1, "shuffle": "off", "steps": ROWS - 1, "way": way, **VARIANTS[variant]}
    begun = started(data, Bags(weight), seeds=(1, 2), **arguments)
    training, loss_SP = trained(data, Bags(weight), seeds=(1, 2), **arguments)
    assert torch.equal(loss_SP[:, 0], torch.zeros(ROWS - 1))
    assert loss_SP[0, 1] > 0
    assert torch.equal(training.state.population.params[0], begun.state.population.params[0])
    assert not torch.equal(training.state.population.params[1], begun.state.population.params[1])


HARD = {
    "optimizer": "adamw",
    "weight_decay": 0.01,
    "clip": 0.5,
    "batch_size": 7,
    "steps": 30,
    "patience": 3,
    "schedule": "cosine",
    "lr": [0.02, 1e30, 0.02, 0.03, 0.02],
    "ema": [0.9, 0.0, 0.0, 0.9, 0.0],
    "data_seed": 1,
    "class_weights": [0.5, 2.0, 1.0],
}
BAGS = [3, 1, 0, 3, 2]


def hard(members, weight_GN, held_GM, way, bag_P=None, x=None):
    """Members with everything that a training may have, the second of which diverges."""
    x0, y = problem("cross_entropy")
    x = x0 if x is None else x
    bags = Bags(weight_GN, held_GM, bag_P)
    chosen = {
        name: [v[i] for i in members] if isinstance(v, list) and name in ("lr", "ema") else v
        for name, v in HARD.items()
    }
    seeds = [11 + i for i in members]
    net = mlp(7, 6, dropout=0.2, gates=3.0)
    return started(((x, y), (x0 + 0.1, y)), bags, way=way, net=net, seeds=seeds, **chosen)


def run(training):
    return training, torch.cat([tick.loss_SP for tick in training])


WEIGHTS = torch.rand(4, ROWS, generator=torch.manual_seed(5)) * (drawn(4, ROWS) > 0)
HELD = drawn(4, ROWS, seed=8).float()


def whole(training, row=None):
    """All of a member, or of all members, as it is saved."""
    return {
        name: t if row is None else t[row : row + 1]
        for name, t in training.save()[0].items()
        if name != "epoch.sums"
    }


def same(one, other):
    assert one.keys() - {"average"} == other.keys() - {"average"}
    return all(
        torch.equal(one[n].nan_to_num(7e7), other[n].nan_to_num(7e7)) for n in one.keys() & other.keys()
    )


@pytest.mark.parametrize("way", WAYS)
def test_a_member_alone_has_the_bits_it_has_among_other_bags(way):
    together, loss_SP = run(hard(range(5), WEIGHTS, HELD, way, BAGS))
    assert together.status_P[1] == "diverged"
    for member, bag in list(enumerate(BAGS))[: 2 if way == "module" else 5]:
        alone, loss_S = run(hard([member], WEIGHTS[bag : bag + 1], HELD[bag : bag + 1], way))
        assert torch.equal(loss_S[:, 0].nan_to_num(7e7), loss_SP[: len(loss_S), member].nan_to_num(7e7))
        assert same(whole(together, member), whole(alone))


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_training_that_is_cut_and_resumed_has_the_same_bits(way):
    straight, loss_SP = run(hard(range(5), WEIGHTS, HELD, way, BAGS))
    cut, parts = hard(range(5), WEIGHTS, HELD, way, BAGS), []
    while not cut.done:
        parts.append(cut.advance(None, until=cut.step + 3).loss_SP)
        saved, cut = cut.save(), hard(range(5), WEIGHTS, HELD, way, BAGS)
        cut.load(*saved)
    assert torch.equal(torch.cat(parts).nan_to_num(7e7), loss_SP.nan_to_num(7e7))
    assert same(whole(cut), whole(straight))
    assert "bags" in str(refusal_of(hard(range(5), WEIGHTS * 2 + 1, HELD, way, BAGS).load, *saved))


class Numbered(TorchDataset):
    def __len__(self):
        return ROWS

    def __getitem__(self, i):
        x, y = problem("cross_entropy")
        return x[i], int(y[i])


def test_rows_on_disk_and_of_a_dataset_have_the_weights_of_their_numbers(tmp_path, monkeypatch):
    x, y = problem("cross_entropy")
    monkeypatch.setattr(batch_sources, "BLOCK_BYTES", 33 * 4 * x.shape[1])
    array = np.memmap(tmp_path / "x", np.float32, "w+", shape=tuple(x.shape))
    array[:] = x.numpy()
    array.flush()
    on_disk = np.memmap(tmp_path / "x", np.float32, "r", shape=tuple(x.shape))
    held, loss_SP = run(hard(range(5), WEIGHTS, HELD, "batched", BAGS))
    read, same_SP = run(hard(range(5), WEIGHTS, HELD, "batched", BAGS, x=on_disk))
    assert isinstance(read.setup.train.x, MappedRows)
    assert torch.equal(loss_SP.nan_to_num(7e7), same_SP.nan_to_num(7e7))
    assert same(whole(held), whole(read))
    arguments = {"batch_size": 7, "steps": 15, "data_seed": 1}
    data = load(Numbered())
    index, bags = data.train.index, Bags(WEIGHTS[:1, : len(data.train)])
    _held, loss_SP = trained((x[index], y[index]), bags, **arguments)
    _streamed, same_SP = trained(data, bags, **arguments)
    assert torch.equal(loss_SP, same_SP)


def test_batches_without_row_numbers_are_refused():
    x, y = problem("cross_entropy")
    refused = refusal_of(train, DataLoader(TensorDataset(x, y), 8), mlp(3), bags=Bags(torch.ones(1, ROWS)))
    assert refused.rule == "weights_rows"


@pytest.mark.parametrize("way", WAYS)
def test_figures_count_validation_rows_by_each_members_weights(way):
    training, _loss = run(hard(range(5), WEIGHTS, HELD, way, BAGS))
    x, y = problem("cross_entropy")
    validation, population = training.setup.validation, training.state.population
    figures, _deviation = validation.measure(population, torch.tensor([0, 2, 4]))
    for member in (0, 2, 4):
        again = torch.arange(ROWS).repeat_interleave(HELD[BAGS[member]].long())
        output = validation.kernel.outputs(population, torch.tensor([member]), x + 0.1)[:, again]
        wanted = measure(output, y[again], training.loss_function)
        for name, value in wanted.items():
            torch.testing.assert_close(figures[name][member], value[0])
    assert figures["loss"][1].isnan()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("variant", ["class weights", "mse"])
@pytest.mark.sampled(3)
def test_bags_with_rows_of_their_own_are_trainings_of_these_rows(way, variant):
    x, y = problem(variant)
    shift = torch.tensor([0.0, 0.5, -0.5])
    own = [(x + s, y + s if y.is_floating_point() else y) for s in shift]
    weight, held = WEIGHTS[:3], HELD[:3]
    arguments = {
        "way": way,
        "batch_size": 7,
        "steps": 15,
        "optimizer": "adam",
        "data_seed": 1,
        **VARIANTS[variant],
    }
    bags = Bags(weight, held, [2, 0, 1, 1], own, own, [(1.0,), (2.0,), (3.0,)])
    together, loss_SP = trained(((x, y), (x, y)), bags, seeds=range(4), **arguments)
    figures = together.setup.validation.measure(together.state.population, torch.arange(4))[0]
    for member, bag in enumerate([2, 0, 1, 1]):
        one = Bags(weight[bag : bag + 1], held[bag : bag + 1], scale_G=[(bag + 1.0,)])
        alone, loss_S = trained((own[bag], own[bag]), one, seeds=[member], **arguments)
        assert torch.equal(loss_S[:, 0], loss_SP[:, member])
        assert same(whole(together, member), whole(alone))
        for name, value in alone.setup.validation.measure(alone.state.population, torch.tensor([0]))[
            0
        ].items():
            assert torch.equal(value[0], figures[name][member])


@pytest.mark.slow
def test_a_network_of_ones_own_and_convolutions_weigh_rows_too():
    (x, y), count = problem("cross_entropy"), drawn(ROWS)
    again = torch.arange(ROWS).repeat_interleave(count)
    torch.manual_seed(4)
    own = nn.Sequential(nn.Linear(x.shape[1], 5), nn.Tanh(), nn.Linear(5, 3))
    picture = torch.randn(ROWS, 1, 6, 6, generator=torch.manual_seed(6))
    for rows, net, way in (
        (x, own, "module"),
        *((picture, cnn(3, 4), e) for e in WAYS if e in ("units", "module")),
    ):
        weighed, loss_S = trained((rows, y), Bags(count[None]), way=way, net=net, augment="none")
        repeated, wanted_S = trained((rows[again], y[again]), way=way, net=net, augment="none")
        torch.testing.assert_close(loss_S, wanted_S, rtol=2e-5, atol=1e-6)
        assert_close(weighed, repeated, 1e-4)


WRONG = {
    "negative": ({"weight_GN": torch.tensor([[1.0, -1.0, *[1.0] * 22]])}, "weights_range", "row 1 is -1"),
    "beyond float32": ({"weight_GN": [[1e300] * ROWS]}, "weights_range", "inf"),
    "a bag of zeros": ({"weight_GN": torch.tensor([[1.0], [0.0]]).expand(2, ROWS)}, "bag_empty", "bag 1"),
    "all zero": ({"weight_GN": torch.zeros(1, ROWS)}, "bag_empty", "training rows"),
    "no held-out row": (
        {"weight_GN": torch.ones(1, ROWS), "validation_GM": torch.zeros(1, ROWS)},
        "bag_empty",
        "validation rows",
    ),
    "too few": ({"weight_GN": torch.ones(1, ROWS - 1)}, "weights_shape", "24"),
    "no bag": ({"weight_GN": torch.ones(0, ROWS)}, "bag_unknown", "0 bags"),
    "words": ({"weight_GN": [["a"] * ROWS]}, "data_type", "weight_GN"),
    "a bag that isn't there": ({"weight_GN": torch.ones(2, ROWS), "bag_P": [0, 2]}, "bag_unknown", "2 bags"),
    "too few bags": ({"weight_GN": torch.ones(3, ROWS)}, "bag_unknown", "3 bags"),
    "other rows": (
        {"weight_GN": torch.ones(2, ROWS), "train_G": [problem("cross_entropy")] * 3},
        "bag_rows",
        "3 bags",
    ),
    "other columns": (
        {"weight_GN": torch.ones(1, ROWS), "train_G": [(torch.ones(ROWS, 4), problem("bce")[1])]},
        "bag_rows",
        "4",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_bad_weights_are_refused_with_what_is_wrong(wrong):
    content, rule, words = WRONG[wrong]
    data = problem("cross_entropy")
    seeds = range(2) if len(np.shape(content["weight_GN"])) == 2 and len(content["weight_GN"]) > 1 else 1
    refused = refusal_of(started, (data, data), Bags(**content), seeds=seeds)
    assert refused.rule == rule
    assert words in str(refused)
