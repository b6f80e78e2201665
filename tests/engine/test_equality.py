"""A member of a population equals, bit for bit, the same member trained alone, in chunks of any size."""

import itertools

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracles import ENGINES, for_draws, sample

from treino.engine import ACTIVATIONS, mlp, train
from treino.engine.kernels.lanes_library import why_missing
from treino.engine.kernels.selection import WORKERS
from treino.engine.kernels.workers import WorkerCount
from treino.engine.training_state import EpochLoss

LOOSE = {"suppress_health_check": list(HealthCheck), "derandomize": True}


def bits(t):
    return t.contiguous().view(torch.int32 if t.dtype == torch.float32 else torch.int64)


def state(training):
    """Everything a member is, as bits, with the number of the member first."""
    tensors, _meta = training.save()
    # sums of a running epoch mean nothing to a member that stopped while others went on
    left_out = ("epoch.sums", "hp.")
    return {
        name: bits(t) if t.is_floating_point() else t
        for name, t in tensors.items()
        if not name.startswith(left_out)
    }


def assert_same(a, b, rows_a=slice(None), rows_b=slice(None)):
    one, other = state(a), state(b)
    averages = {"average"}  # kept by a member that has none, too, where a neighbour has one
    assert one.keys() - averages == other.keys() - averages
    for name in one.keys() & other.keys():
        assert torch.equal(one[name][rows_a], other[name][rows_b]), name


def run(
    x, y, hidden, *, activation="relu", dropout=0.0, gates=0.0, every=1000, block=None, held=True, **arguments
):
    data = ((x, y), (x[: len(x) // 2] + 0.1, y[: len(y) // 2])) if held else (x, y)
    training = train(
        data, mlp(*hidden, activation=activation, dropout=dropout, gates=gates), every=every, **arguments
    )
    if block is not None:
        training.setup.kernel.block = block
    loss_SP = torch.cat([tick.loss_SP for tick in training])
    return training, loss_SP


def members(P, seed):
    """Hyper-parameters of their own for every member, one neighbour of which explodes at once."""
    g = torch.Generator().manual_seed(seed)
    lr = torch.rand(P, generator=g, dtype=torch.float64) * 0.05
    decay = torch.rand(P, generator=g, dtype=torch.float64) * 0.1 * (torch.rand(P, generator=g) > 0.5)
    clip = torch.where(torch.rand(P, generator=g) > 0.5, 0.5, torch.inf).double()
    drop = torch.rand(P, generator=g, dtype=torch.float64) * 0.6 * (torch.rand(P, generator=g) > 0.4)
    momentum = 0.9 * (torch.rand(P, generator=g) > 0.5).double()
    ema = 0.9 * (torch.rand(P, generator=g) > 0.5).double()
    if P > 1:
        lr[P // 3] = 1e30
    return {"lr": lr, "weight_decay": decay, "clip": clip, "momentum": momentum, "ema": ema}, drop.clamp(
        min=0
    )


def alone_is_in_company(P, *, seed, dropout, rows, threads, blocks, **common):
    x, y = sample(rows=rows, seed=seed)
    hp, drop = members(P, seed)
    if common["optimizer"] != "sgd":
        del hp["momentum"]
    seeds = [7 * i + 3 for i in range(P)]
    common = {"steps": 25, "schedule": "cosine", "warmup": 3, "data_seed": 1, "patience": 3} | common
    batched = common["engine"] == "batched"
    rate = (lambda r: tuple(r.tolist())) if dropout else (lambda r: 0.0)
    if dropout:
        drop[drop.argmax()] = 0.5
    crowd, loss_SP = run(
        x,
        y,
        seeds=seeds,
        dropout=rate(drop),
        threads=threads[0],
        block=blocks[0] if batched else None,
        **hp,
        **common,
    )
    for i in sorted({0, P // 3, P // 2, P - 1}):
        one = slice(i, i + 1)
        dropped = (float(drop[i]) or 1e-9) if dropout else 0.0  # 1e-9: layers there, nothing dropped
        if dropout and not drop[i]:
            continue
        single, loss_S = run(
            x,
            y,
            seeds=seeds[one],
            dropout=dropped,
            threads=threads[1],
            block=blocks[1] if batched else None,
            **{k: v[one] for k, v in hp.items()},
            **common,
        )
        assert_same(crowd, single, one)
        steps = len(loss_S)
        assert torch.equal(bits(loss_SP[:steps, one].nan_to_num(7e7)), bits(loss_S.nan_to_num(7e7)))
        assert loss_SP[steps:, i].isnan().all()


DRAWN = {
    "seed": st.integers(0, 99),
    "hidden": st.lists(st.sampled_from([1, 2, 3, 7, 16, 17, 33]), max_size=3),
    "activation": st.sampled_from(sorted(ACTIVATIONS)),
    "optimizer": st.sampled_from(["sgd", "adam", "adamw"]),
    "dropout": st.booleans(),
    "fault": st.sampled_from([(), ("missing_zero_grad",), ("softmax_before_cross_entropy",)]),
    "batch_size": st.sampled_from([None, 1, 5, 20]),
    "rows": st.integers(4, 41),
    "gates": st.sampled_from([0.0, 6.0]),
}
RELEASE = pytest.mark.release
BLOCKS = st.tuples(st.sampled_from([2, 4, 6, 64, 128, None]), st.sampled_from([2, 16, None]))


@pytest.mark.parametrize(
    ("engine", "draws", "few", "steps"),
    [
        ("module", 1, [2, 5], 8),
        ("batched", 4, [2, 5], 8),
        ("lanes", 20, [2, 5], 8),
        pytest.param("module", 5, [2, 3, 8], 25, marks=RELEASE),
        pytest.param("batched", 60, [2, 3, 8], 25, marks=RELEASE),
        pytest.param("lanes", 20, [2, 3, 8], 25, marks=RELEASE),
    ],
)
def test_alone_is_in_company(engine, draws, few, steps):
    if engine not in ENGINES:
        pytest.skip(f"needs lanes: {why_missing()}")

    def check(P, blocks, threads, **drawn):
        pair = (threads, 3 - threads) if engine in WORKERS else (threads, threads)
        alone_is_in_company(P, engine=engine, threads=pair, blocks=blocks, steps=steps, **drawn)

    threads = st.sampled_from([1, 2] if engine in WORKERS or steps > 8 else [1])
    for_draws(check, draws, P=st.sampled_from(few), blocks=BLOCKS, threads=threads, **DRAWN)


@pytest.mark.parametrize(
    ("P", "draws"), [(64, 4), *(pytest.param(*n, marks=RELEASE) for n in [(64, 20), (1000, 5)])]
)
def test_alone_is_in_a_crowd(P, draws):
    def check(blocks, workers, **drawn):
        alone_is_in_company(P, engine="batched", threads=(workers, 1), blocks=blocks, **drawn)

    for_draws(check, draws, blocks=BLOCKS, workers=st.sampled_from([1, 2, 3]), **DRAWN)


def test_a_large_network_alone_is_in_company():
    """Its blocks are of one member, whoever trains beside it."""
    hidden = (230, 230)
    assert train(sample(), mlp(*hidden), engine="batched").setup.kernel.size(5, 2) == 1
    alone_is_in_company(
        5,
        engine="batched",
        seed=2,
        hidden=hidden,
        activation="gelu",
        optimizer="adam",
        dropout=True,
        batch_size=9,
        rows=33,
        threads=(2, 1),
        blocks=(None, None),
        steps=5,
    )


HARD = {
    "hidden": (33, 16),
    "activation": "silu",
    "dropout": 0.2,
    "lr": 0.02,
    "clip": 0.5,
    "weight_decay": 0.01,
    "batch_size": 10,
    "steps": 40,
    "patience": 4,
    "schedule": "cosine",
    "seeds": range(3),
}


@pytest.mark.parametrize("fault", [(), ("missing_zero_grad",)])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.sampled(2)
def test_the_cut_into_ticks_changes_nothing(engine, fault):
    x, y = sample(rows=33)
    common = {"engine": engine, "fault": fault, **HARD, "lr": [0.02, 1e30, 0.02]}
    whole, loss_SP = run(x, y, **common)
    for every in (1, 7):
        cut, other_SP = run(x, y, every=every, **common)
        assert_same(whole, cut)
        assert torch.equal(loss_SP.nan_to_num(7e7), other_SP.nan_to_num(7e7))


@settings(max_examples=15, **LOOSE)
@given(
    per=st.integers(1, 700),
    steps=st.integers(1, 2000),
    cut=st.integers(1, 800),
    members=st.sampled_from([1, 33]),
)
def test_sums_over_epochs_do_not_depend_on_cuts(per, steps, cut, members):
    loss_SP = torch.rand(steps, members, generator=torch.Generator().manual_seed(steps))
    whole, other = EpochLoss(members), EpochLoss(members)
    wanted = whole.add(loss_SP, per, over=True)
    parts = loss_SP.split(cut)
    found = [other.add(part, per, over=i == len(parts) - 1) for i, part in enumerate(parts)]
    for place in (0, 1):
        assert torch.equal(torch.cat([pair[place] for pair in found]), wanted[place])
    assert torch.equal(whole.last, other.last)
    last = loss_SP[(steps - 1) // per * per :].double().numpy()
    assert wanted[0][-1].numpy() == pytest.approx(last.mean(0), rel=1e-12)
    assert wanted[1][-1].numpy() == pytest.approx(last.std(0), rel=1e-7, abs=1e-9)


def test_a_neighbours_momentum_is_not_mine():
    x, y = sample(rows=33)
    momentum = [0.0, 0.9, 0.5, 0.0]

    def trained(which):
        rates = {"momentum": [momentum[i] for i in which], "optimizer": "sgd", "lr": 0.1, "seeds": which}
        training = train((x, y), mlp(7), engine="batched", steps=20, data_seed=0, **rates)
        training.set("momentum", 0.9, step=12)  # who had none has no velocity yet
        list(training)
        return training

    crowd = trained(range(4))
    for i in range(4):
        assert_same(crowd, trained([i]), slice(i, i + 1))


SOME = [(1, None), (2, 2), (3, 6), (1, 16), (2, 128)]
ALL = list(itertools.product((1, 2, 3), (2, 6, 16, 64, 128, None)))


@pytest.mark.parametrize(
    ("ways", "steps"), [(SOME, 12), pytest.param(ALL, 40, marks=RELEASE)], ids=["some", "all"]
)
def test_neither_workers_nor_blocks_change_a_bit(ways, steps):
    x, y = sample(rows=33)
    first = None
    for workers, block in ways:
        training, _loss = run(
            x,
            y,
            engine="batched",
            threads=workers,
            block=block,
            **HARD | {"seeds": range(21), "steps": steps},
        )
        if first is not None:
            assert_same(first, training)
        first = first or training


def test_the_pace_is_that_of_the_fastest_so_far():
    pace = WorkerCount(4)
    took = {4: 0.3, 1: 0.1}

    def runs(count):
        chosen = []
        for _run in range(count):
            chosen.append(pace.workers())
            pace.seconds[chosen[-1]].append(took[chosen[-1]])
        return chosen

    assert runs(8) == [4, 1, 4, 1, 1, 1, 1, 1]
    pace.seconds[1].append(9.9)
    assert runs(3) == [1, 1, 1]  # something else delayed that run
    took = {4: 0.1, 1: 0.3}
    assert 4 in runs(32)  # tried again, and found to be faster now
    assert runs(10).count(4) >= 9
    assert WorkerCount(1).workers() == 1
