"""Training: resumed from any saved state bit for bit; members diverge, stop, change hyper-parameters."""

import json
import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from oracles import ENGINES, FLOAT64, sample
from safetensors.torch import load_file, save_file
from test_equality import HARD, assert_same, bits
from tests.conftest import refusal_of

from treino.base.errors import TreinoError
from treino.engine import SCHEDULES, mlp, train
from treino.engine.schedules import scale

RELEASE = pytest.mark.release
X, Y = sample(rows=33)
DATA = ((X, Y), (X[:16] + 0.1, Y[:16]))
NET = mlp(33, 16, activation="silu", dropout=0.2)
ARGUMENTS = {k: v for k, v in HARD.items() if k not in ("hidden", "activation", "dropout")}


def finished(training):
    losses = [tick.loss_SP for tick in training]
    return training, torch.cat(losses)


@pytest.mark.parametrize("fault", [(), ("missing_zero_grad", "softmax_before_cross_entropy")])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.sampled(7)
def test_saved_at_any_step_it_goes_on_bit_for_bit(engine, optimizer, fault, tmp_path):
    path = tmp_path / "state.safetensors"
    arguments = ARGUMENTS | {"engine": engine, "optimizer": optimizer, "fault": fault, "every": 1000}
    arguments |= {"momentum": 0.9, "nesterov": True} if optimizer == "sgd" else {}

    def make():
        training = train(DATA, NET, **arguments)
        training.set("lr", [0.01, 1e30, 0.03], step=22)  # one of three diverges later on
        return training

    whole, loss_SP = finished(make())
    for step in [step for step in (1, 13, 21, 22) if step < whole.step]:
        first = make()
        while first.step < step:
            first.advance(0.0, until=step)
        tensors, meta = first.save()
        save_file(tensors, path)
        second = train(DATA, NET, **arguments)
        second.load(load_file(path), json.loads(json.dumps(meta, allow_nan=False)))
        assert second.step == step
        second, rest_SP = finished(second)
        assert_same(whole, second)
        assert torch.equal(bits(loss_SP[step:].nan_to_num(7e7)), bits(rest_SP.nan_to_num(7e7)))
        assert second.status_P == whole.status_P
        for which in ("kept", "last"):
            for one, other in zip(
                whole.net(2, which).parameters(), second.net(2, which).parameters(), strict=True
            ):
                assert torch.equal(one, other)


def test_what_is_saved_shares_nothing_with_the_training():
    training = train(DATA, NET, **ARGUMENTS)
    training.advance(0.0)
    tensors, meta = training.save()
    copies = {name: t.clone() for name, t in tensors.items()}
    finished(training)
    for name, t in tensors.items():
        assert torch.equal(t.nan_to_num(7e7), copies[name].nan_to_num(7e7)), name
    assert meta["step"] == 1


def test_loading_copies_into_aligned_memory():
    """What comes from a file may start anywhere, and results depend on where operands start."""
    training = train(DATA, NET, **ARGUMENTS)
    training.advance(0.0)
    tensors, meta = training.save()
    askew = {name: torch.cat([t.flatten()[:1], t.flatten()])[1:].view(t.shape) for name, t in tensors.items()}
    second = train(DATA, NET, **ARGUMENTS)
    before = [t.data_ptr() for t in second.state.tensors().values()]
    second.load(askew, meta)
    assert [t.data_ptr() for t in second.state.tensors().values()] == before
    assert second.state.population.params.data_ptr() % 64 == 0
    assert_same(training, second)


@pytest.mark.parametrize(
    "change",
    [
        {"lr": 0.5, "seeds": (5, 6, 7)},
        {"batch_size": 9},
        {"steps": 41},
        {"optimizer": "sgd"},
        {"engine": "module"},
    ],
)
def test_a_state_saved_by_another_training_is_refused(change):
    training = train(DATA, NET, **ARGUMENTS)
    training.advance(0.0)
    other = train(DATA, NET, **ARGUMENTS | change)
    before = {name: t.nan_to_num(7e7) for name, t in other.save()[0].items()}
    assert refusal_of(other.load, *training.save()).rule == "saved_by_another"
    assert all(torch.equal(t.nan_to_num(7e7), before[name]) for name, t in other.save()[0].items())


@pytest.mark.parametrize("saved", [(None, None), ({}, None), ({}, {})])
def test_what_is_no_saved_state_is_refused(saved):
    refused = refusal_of(train(DATA, NET, **ARGUMENTS).load, *saved)
    assert refused.rule == ("saved_by_another" if saved == ({}, {}) else "saved_type")


@pytest.mark.slow
@pytest.mark.parametrize("engine", [*(pytest.param(e, marks=RELEASE) for e in ENGINES[:-1]), ENGINES[-1]])
def test_memory_is_flat_over_steps(engine):
    import psutil

    process, sizes = psutil.Process(), {}
    steps = 1_000 if engine == "module" else 4_000
    arguments = ARGUMENTS | {"engine": engine, "steps": steps, "patience": 0, "every": 100}
    training = train(DATA, NET, **arguments)
    for tick in training:
        sizes[tick.step] = process.memory_info().rss
    assert sizes[steps] - sizes[steps // 2] < 4_000_000


# ---- diverging


@pytest.mark.parametrize("engine", ENGINES)
def test_a_member_that_diverges_keeps_its_last_finite_weights_and_the_others_go_on(engine):
    calm = train(DATA, mlp(7), engine=engine, lr=0.01, steps=60, seeds=range(3), every=100)
    finished(calm)
    for every in (1, 100):
        training = train(
            DATA,
            mlp(7),
            engine=engine,
            lr=0.01,
            steps=60,
            seeds=range(3),
            every=every,
            keep="last",
            patience=0,
        )
        training.set("lr", [0.01, 1e30, 0.01], step=25)
        _training, loss_SP = finished(training)
        assert training.status_P == ("finished", "diverged", "finished")
        params = training.state.population.params
        assert params.isfinite().all()
        assert torch.equal(bits(params[::2]), bits(calm.state.population.params[::2]))
        kept = int(training.kept_step_P[1])
        assert 25 <= kept < 30
        last = torch.nonzero(~loss_SP[:, 1].isnan()).max().item()
        assert loss_SP[: last + 1, 1].isfinite().sum() >= kept
        assert loss_SP[kept + 1 :, 1].isnan().all()
        for p in training.net(1).parameters():
            assert p.isfinite().all()


def test_the_last_good_weights_are_those_of_a_plain_loop():
    """By hand: SGD with a huge rate on a quadratic; weights grow until float32 has no number for them."""
    x, y = torch.ones(1, 1), torch.zeros(1, 1)
    lr = 1e12
    training = train(
        (x, y), mlp(), optimizer="sgd", lr=lr, batch_size="full", steps=50, loss="mse", keep="last"
    )
    net = training.net()
    _training, loss_SP = finished(training)
    w, b = net[0].weight.detach().double().item(), net[0].bias.detach().double().item()
    steps, largest = 0, torch.finfo(torch.float32).max
    while (w + b) ** 2 < largest:
        g = 2 * (w + b)
        if max(abs(w - lr * g), abs(b - lr * g)) > largest:
            break
        w, b, steps = w - lr * g, b - lr * g, steps + 1
    assert training.status_P == ("diverged",)
    assert training.kept_step_P.tolist() == [steps]
    assert loss_SP[:steps].isfinite().all()
    assert loss_SP[steps].isinf()
    assert loss_SP[steps + 1 :].isnan().all()
    assert training.net()[0].weight.item() == pytest.approx(w, rel=1e-5)


def test_a_loss_ten_times_that_of_the_best_constant_is_divergence_too():
    y = torch.randn(33, generator=torch.Generator().manual_seed(0))
    # one step far away, then nothing moves
    training = train((X, y), mlp(), optimizer="sgd", lr=30.0, batch_size="full", steps=30, seeds=(0, 1))
    training.set("lr", 0.0, step=1)
    finished(training)
    assert training.status_P == ("diverged", "diverged")
    assert training.state.population.params.isfinite().all()
    assert training.kept_step_P.tolist() == [30, 30]
    fine = train((X, y), mlp(), optimizer="sgd", lr=0.1, batch_size="full", steps=30)
    finished(fine)
    assert fine.status_P == ("finished",)


@pytest.mark.parametrize(
    "y", [torch.full((33,), 3.5), torch.full((33,), 0.1), Y * 0], ids=["3.5", "0.1", "class"]
)
def test_a_target_of_one_value_is_no_divergence(y):
    """The best constant's loss is 0, and everything is more than ten times that."""
    training, _loss = finished(train((X, y[:33]), mlp(4), epochs=2))
    assert training.status_P == ("finished",)


def test_when_all_members_have_diverged_the_training_is_over():
    training, loss_SP = finished(train(DATA, mlp(7), lr=1e30, optimizer="sgd", steps=1000, seeds=(1, 2)))
    assert training.done
    assert training.step < 1000
    assert training.status_P == ("diverged", "diverged")
    assert len(loss_SP) == training.step
    assert "over" in str(refusal_of(training.advance))


# ---- choosing by validation


def test_early_stopping_keeps_the_best_weights_and_counts_epochs():
    training = train(DATA, mlp(64), lr=0.05, batch_size=8, epochs=200, patience=6, seeds=(0, 1, 2), every=5)
    seen = {0: [], 1: [], 2: []}
    nets = {}
    for tick in training:
        for epoch in tick.epochs:
            if epoch.evaluation:
                for member, value in enumerate(epoch.evaluation["validation"]["loss"].tolist()):
                    seen[member].append((epoch.number, value))
                    nets[member, epoch.number] = training.state.population.params[member].clone()
    for member in range(3):
        finite = [(number, value) for number, value in seen[member] if not np.isnan(value)]
        best = min(finite, key=lambda pair: pair[1])[0]
        assert int(training.kept_epoch_P[member]) == best
        assert int(training.kept_step_P[member]) == best * 5
        last = finite[-1][0]
        assert training.status_P[member] == ("stopped" if last - best >= 6 else "finished")
        assert last - best < 6 + 4  # evaluations are four epochs apart
        kept = training.net(member)
        wanted = training.model.layout.views(nets[member, best])
        for ours, theirs in zip(kept.parameters(), wanted, strict=True):
            assert torch.equal(ours, theirs)
    assert "stopped" in training.status_P


def test_validation_is_measured_at_epoch_ends_twenty_steps_apart_and_at_the_very_end():
    training = train(DATA, mlp(4), batch_size=5, steps=60, every=3)  # 7 steps an epoch
    steps = [e.step for tick in training for e in tick.epochs if e.evaluation]
    assert steps == [21, 42, 60]
    training = train(DATA, mlp(4), batch_size=5, steps=60, every=1000)
    epochs = [e for tick in training for e in tick.epochs]
    assert [e.number for e in epochs] == list(range(1, 10))
    assert [e.step for e in epochs] == [7, 14, 21, 28, 35, 42, 49, 56, 60]
    assert all(a.ended <= b.ended for a, b in pairwise(epochs))


@pytest.mark.parametrize(("metric", "better"), [("accuracy", max), ("f1_macro", max), ("loss", min)])
def test_the_metric_that_decides_is_the_one_asked_for(metric, better):
    training = train(DATA, mlp(16), lr=0.05, epochs=60, batch_size=8, metric=metric, seeds=(3,))
    seen = [
        (e.evaluation["validation"][metric].item(), e.number)
        for t in training
        for e in t.epochs
        if e.evaluation
    ]
    best = better(value for value, _number in seen)
    assert int(training.kept_epoch_P[0]) == next(number for value, number in seen if value == best)


def test_test_rows_are_never_looked_at():
    from treino.data import load

    data = load("iris")
    data.test.x.fill_(torch.nan)
    data.test.y.fill_(-1)
    training, _loss = finished(train(data, epochs=3))
    assert training.status_P == ("finished",)


# ---- steering


@pytest.mark.parametrize("engine", ENGINES)
def test_a_command_holds_from_its_step_on_however_the_work_is_cut(engine):
    runs = []
    for every in (1, 100):
        training = train(DATA, NET, **ARGUMENTS | {"engine": engine, "every": every})
        training.set("lr", 0.1, step=13)
        training.set("dropout", [0.5, 0.0, 0.3], step=17)
        training.set("clip", 0.1, step=17)
        training.set("weight_decay", 0.2, step=21)
        finished(training)
        runs.append(training)
    assert_same(*runs)
    untouched, _loss = finished(train(DATA, NET, **ARGUMENTS | {"engine": engine}))
    assert not torch.equal(runs[0].state.population.params, untouched.state.population.params)


def test_momentum_switched_on_off_and_on_again_is_torchs():
    values = {0: 0.0, 5: 0.9, 12: 0.0, 18: 0.5}
    x, y = X.double(), Y
    for engine in FLOAT64:
        training = train(
            (x, y),
            mlp(5),
            optimizer="sgd",
            lr=0.1,
            batch_size="full",
            steps=25,
            engine=engine,
            dtype=torch.float64,
        )
        net = training.net()
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for step, value in values.items():
            training.set("momentum", value, step=step)
        finished(training)
        for step in range(25):
            opt.param_groups[0]["momentum"] = values.get(step, opt.param_groups[0]["momentum"])
            opt.zero_grad()
            torch.nn.functional.cross_entropy(net(x), y).backward()
            opt.step()
        for ours, theirs in zip(training.net().parameters(), net.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def test_commands_that_can_not_be_obeyed_are_refused():
    training = train(DATA, mlp(5), steps=50)
    training.advance(0.0)
    for arguments, rule in [
        (("lrr", 0.1), "hyper-parameter_unknown"),
        (("lr", -1), "lr_range"),
        (("lr", [0.1, 0.2]), "lr_count"),
        (("lr", "fast"), "lr_type"),
        (("lr", float("nan")), "lr_range"),
        (("lr", 0.1, 0), "set_step_passed"),
        (("dropout", 0.5), "dropout_without_layer"),
        (("lr", 0.1, "soon"), "step_range"),
        (("lr", 0.1, 2.5), "step_range"),
        (("lr", True), "lr_type"),
        (([], 0.1), "hyper-parameter_unknown"),
        (("momentum", 0.9), "momentum_with_adam"),
        (("betas", 0.9), "betas_type"),
        (("betas", (0.9, 2.0)), "betas_range"),
    ]:
        assert refusal_of(training.set, *arguments).rule == rule


def test_schedules_are_those_of_their_papers():
    assert [scale("constant", 0, t, 10) for t in (0, 9)] == [1.0, 1.0]
    assert scale("cosine", 0, 5, 10) == pytest.approx(0.5)
    assert [scale("step", 0, t, 100) for t in (0, 49, 50, 74, 75, 99)] == [1, 1, 0.1, 0.1, 0.01, 0.01]
    assert [scale("cosine", 4, t, 10) for t in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    for name in SCHEDULES:
        assert all(0 <= scale(name, 3, t, 50) <= 1 for t in range(50))


# ---- ticks and handles


def test_a_stale_population_refuses_and_a_snapshot_stays():
    training = train(DATA, mlp(5), seeds=(0, 1), every=5, steps=20)
    ticks = iter(training)
    tick = next(ticks)
    params = tick.population.params.clone()
    copy = tick.population.snapshot()
    next(ticks)
    with pytest.raises(TreinoError, match="snapshot"):
        _ = tick.population.params
    with pytest.raises(TreinoError):
        tick.population.net(0)
    assert torch.equal(copy.params, params)
    with pytest.raises(TreinoError, match=r"population.net"):
        _ = tick.net


@pytest.mark.parametrize("member", [-1, 1, "a", 0.0])
def test_members_that_are_not_there_are_refused(member):
    assert refusal_of(train(DATA, mlp(5)).net, member).rule == "member_range"


# ---- the caller's torch


@pytest.mark.parametrize("engine", ENGINES)  # two intra-op threads of the others wait for each other
def test_the_callers_global_state_is_untouched(engine):
    torch.manual_seed(123)
    random.seed(5)
    np.random.seed(6)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    threads = torch.get_num_threads()
    training = train(DATA, NET, **ARGUMENTS | {"engine": engine, "threads": 2, "steps": 3, "every": 2})
    for tick in training:
        assert torch.is_grad_enabled()
        assert torch.get_num_threads() == threads
        tick.population.net(0)
    training.save()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert (np.random.get_state()[1] == before[2]).all()
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled()
    with torch.no_grad():
        train(DATA, mlp(3), engine=engine, steps=2).advance()
        assert not torch.is_grad_enabled()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_callers_random_state_has_no_say(engine):
    runs = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        runs.append(finished(train(DATA, NET, **ARGUMENTS | {"engine": engine, "steps": 10}))[0])
    assert_same(*runs)


@pytest.mark.parametrize("engine", ENGINES)
def test_broken_off_in_a_chunk_it_is_what_the_chunk_began_with(engine, monkeypatch):
    whole, _loss = finished(train(DATA, NET, **ARGUMENTS | {"engine": engine, "every": 100}))
    training = train(DATA, NET, **ARGUMENTS | {"engine": engine, "every": 100})
    training.advance(0.0, until=3)
    first, run = training.step, training.setup.kernel.run

    def interrupted(population, rows, chunk):
        if chunk.steps > 3:
            factors = [of[:3] for of in chunk.factors]
            run(population, rows, replace(chunk, batches=chunk.batches[:3], factors=factors))
            raise KeyboardInterrupt
        return run(population, rows, chunk)

    monkeypatch.setattr(training.setup.kernel, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.advance(10.0)
    monkeypatch.undo()
    assert training.step == first
    finished(training)
    assert_same(whole, training)


def test_what_is_slow_to_copy_is_copied_seldom(monkeypatch):
    """A copy to begin again from must not take as long as the steps between two copies."""
    training, ages = train(DATA, NET, **ARGUMENTS, every=1000), []
    monkeypatch.setattr(training._rewind, "remember", lambda _p, _m, _first, oldest: ages.append(oldest))
    for seconds in (0.0, 0.0101):
        training._seconds_per_step, training._rewind.seconds = 0.049, seconds
        training.advance(None, until=training.step + 1)
    assert ages == [2, 4]
