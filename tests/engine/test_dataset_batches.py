"""A Dataset or DataLoader of the user's own, trained on: the bits of a plain loop over the same batches."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from oracles import sample
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from treino.data import load
from treino.engine import mlp, train

X, Y = sample(rows=60)
DEVIATION = 0.3


class Own(Dataset):
    """seconds: which chance the items take: none, torch's, or a generator of the Dataset's own."""

    def __init__(self, chance: str = "none") -> None:
        self.chance, self.own = chance, np.random.default_rng(0)

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        noise = {
            "none": 0.0,
            "torch": torch.randn(()),
            "numpy": np.random.standard_normal(),
            "random": random.gauss(0, 1),
            "own": self.own.standard_normal(),
        }[self.chance]
        return X[i] + DEVIATION * noise, int(Y[i])


class Coming(IterableDataset):
    def __iter__(self) -> Iterator[tuple[torch.Tensor, int]]:
        return ((X[i], int(Y[i])) for i in range(len(X)))


def net() -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(X.shape[1], 9), nn.Tanh(), nn.Linear(9, int(Y.max()) + 1))


def losses(training) -> torch.Tensor:
    return torch.cat([tick.loss_SP for tick in training])


def by_hand(batches, module, lr=0.01) -> tuple[list[float], nn.Module]:
    optimizer, found = torch.optim.Adam(module.parameters(), lr=lr), []
    for x, y in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(module(x), y)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found, module


@pytest.mark.parametrize("drop_last", [False, True])
def test_a_loader_is_trained_on_as_a_plain_loop_does(drop_last) -> None:
    def loader() -> DataLoader:
        return DataLoader(
            TensorDataset(X, Y),
            8,
            shuffle=True,
            drop_last=drop_last,
            generator=torch.Generator().manual_seed(1),
        )

    plain = loader()
    list(plain)  # the first look
    wanted, module = by_hand((batch for _epoch in range(3) for batch in plain), net())
    training = train(load(loader()), net(), lr=0.01, epochs=3, keep="last")
    assert training.steps_per_epoch == len(plain)
    assert losses(training)[:, 0].tolist() == wanted
    for p, q in zip(training.net().parameters(), module.parameters(), strict=True):
        assert torch.equal(p, q)


def test_collate_and_sampler_are_the_loaders_own() -> None:
    def collate(items: list) -> dict[str, torch.Tensor]:
        x, y = zip(*items, strict=True)
        return {"signal": torch.stack(x) * 2, "label": torch.tensor(y)}

    loader = DataLoader(Own(), batch_sampler=[[1, 2, 3], [9], list(range(20, 40))], collate_fn=collate)
    rows = [[1, 2, 3], [9], list(range(20, 40))]
    data = load(loader)
    assert len(data.train) == 24
    kept = torch.tensor([int(name) for name in data.classes])
    place = {int(c): i for i, c in enumerate(kept)}
    batches = [(X[r] * 2, torch.tensor([place[int(c)] for c in Y[r]])) for r in rows] * 2
    wanted, _module = by_hand(batches, nn.Sequential(nn.Linear(X.shape[1], len(kept))).requires_grad_())
    training = train(data, lambda: nn.Sequential(nn.Linear(X.shape[1], len(kept))), lr=0.01, epochs=2)
    assert training.steps == len(wanted)
    assert [len(x) for x, _y in data.train.x.parts(data.train.y, 1)] == [3, 1, 20]


@pytest.mark.parametrize("batch", [7, 60, 64])
def test_items_that_come_one_by_one_are_put_together(batch) -> None:
    training = train(load(Coming()), net(), lr=0.01, epochs=3, batch_size=batch, keep="last")
    order = [torch.arange(60).split(batch)] * 3
    wanted, _module = by_hand(((X[i], Y[i]) for epoch in order for i in epoch), net())
    assert losses(training)[:, 0].tolist() == wanted


@pytest.mark.slow
@pytest.mark.parametrize("chance", ["torch", "numpy", "random"])
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.sampled(3)
def test_items_whose_chance_is_seeded_are_reproducible(chance, workers) -> None:
    data = load(Own(chance), num_workers=workers)
    assert data.train.x.chance == "seeded"
    assert not data.train.x.why
    whole = train(data, mlp(5), epochs=4, batch_size=9)
    wanted = losses(whole)
    random.seed(3)
    torch.manual_seed(9)
    np.random.seed(4)
    again = train(load(Own(chance)), mlp(5), epochs=4, batch_size=9)
    for _step in range(7):
        again.advance(0.0, until=again.step + 1)
    saved = again.save()
    third = train(load(Own(chance), num_workers=workers), mlp(5), epochs=4, batch_size=9)
    third.load(*saved)
    assert torch.equal(losses(third), wanted[again.step :])
    epochs = wanted.view(4, -1)
    assert not torch.equal(epochs[0], epochs[1])
    assert third.waited > 0


@pytest.mark.parametrize("engine", ["batched", "module"])
def test_items_read_for_every_batch_give_the_bits_of_items_in_memory(engine, monkeypatch) -> None:
    held = load(Own())
    monkeypatch.setattr("treino.data.torch_datasets.first_pass.memory", lambda: 100)
    read = load(Own())
    assert isinstance(held.train.x, torch.Tensor)
    for rows in read.splits.values():
        assert not isinstance(rows.x, torch.Tensor)
    seeds = (1, 2) if engine == "batched" else (1,)
    one, other = (train(d, mlp(6, dropout=0.1), epochs=5, seeds=seeds, engine=engine) for d in (held, read))
    assert torch.equal(losses(one), losses(other))
    for name, tensor in one.save()[0].items():
        assert torch.equal(tensor.nan_to_num(), other.save()[0][name].nan_to_num()), name


@pytest.mark.parametrize("source", ["loader", "items"])
def test_the_last_good_step_is_found_without_reading_again(source) -> None:
    data = load(
        DataLoader(TensorDataset(X, Y), 8, shuffle=True) if source == "loader" else Own("own"),
        validation=0,
        test=0,
    )
    training = train(data, mlp(5), lr=0.01, epochs=9, batch_size=8, engine="batched")
    training.set("lr", 1e30, 20)
    after = {}
    while not training.done:
        tick = training.advance(0.0, until=training.step + 1)
        if training.status_P[0] == "running":
            after[tick.step] = training.state.population.params.clone()
    assert training.status_P[0] == "diverged"
    last = int(training.last_step_P[0])
    assert last >= 20
    assert torch.equal(training.state.population.params, after[last])
