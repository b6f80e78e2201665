"""Rows in a mapped file: the same bits as in memory, read ahead in a thread, never in memory whole."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import sample
from tests.conftest import refusal_of

from treino.data.mapped_rows import MappedRows, as_mapped, parts
from treino.data.rows import BLOCK_ROWS, WINDOW_ROWS, order
from treino.engine import batch_sources, mlp, train

X, Y = sample(rows=70)


def mapped(x: torch.Tensor, path: Path) -> np.memmap:
    array = np.memmap(path, x.numpy().dtype, "w+", shape=tuple(x.shape))
    array[:] = x.numpy()
    array.flush()
    return np.memmap(path, x.numpy().dtype, "r", shape=tuple(x.shape))


@pytest.fixture
def x_map(tmp_path: Path) -> np.memmap:
    return mapped(X, tmp_path / "x")


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks, parts and pages of a few rows, so that borders are met everywhere."""
    row = X.shape[1] * 4
    monkeypatch.setattr(batch_sources, "BLOCK_BYTES", 33 * row)
    monkeypatch.setattr("treino.data.mapped_rows.TOUCHED_BYTES", 9 * row)
    monkeypatch.setattr("treino.data.mapped_rows.AROUND_BYTES", 2 * row)
    monkeypatch.setattr("treino.data.mapped_rows.BLOCK_ROWS", 4)


def trained(x, engine, batch, shuffle, seeds=(1,), **more):
    training = train(
        ((x, Y), (x[:20], Y[:20])),
        mlp(7, dropout=0.2),
        batch_size=batch,
        epochs=12,
        engine=engine,
        shuffle=shuffle,
        seeds=seeds,
        **more,
    )
    return training, torch.cat([tick.loss_SP for tick in training])


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    ("engine", "batch", "shuffle"),
    [("batched", 8, "each"), ("module", 70, "blocks"), ("batched", 9, "once"), ("batched", None, "off")],
)
def test_the_same_order_gives_the_same_bits(engine, batch, shuffle, x_map) -> None:
    seeds = (1, 2, 3) if batch == 9 else (1,)
    (held, loss_SP), (read, same_SP) = (trained(x, engine, batch, shuffle, seeds) for x in (X, x_map))
    assert isinstance(read.setup.train.x, MappedRows)
    assert isinstance(read.setup.validation.rows.x, MappedRows)
    assert torch.equal(loss_SP, same_SP)
    for name, tensor in held.save()[0].items():
        assert torch.equal(tensor.nan_to_num(), read.save()[0][name].nan_to_num()), name
    assert held.waited == 0 < read.waited


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("step", [1, 30])
def test_saved_it_goes_on_bit_for_bit(step, x_map) -> None:
    whole, loss_SP = trained(x_map, "batched", 8, "each")
    how = {"batch_size": 8, "epochs": 12, "seeds": 1, "engine": "batched"}
    first = train(((x_map, Y), (x_map[:20], Y[:20])), mlp(7, dropout=0.2), **how)
    while first.step < step:
        first.advance(0.0, until=step)
    for second in (
        train(((X, Y), (X[:20], Y[:20])), mlp(7, dropout=0.2), **how),
        first,
    ):
        second.load(*first.save())
        assert torch.equal(torch.cat([t.loss_SP for t in second]), loss_SP[step:])
        assert torch.equal(second.state.population.params, whole.state.population.params)


@given(
    rows=st.lists(st.integers(0, 69), max_size=90),
    touched=st.integers(1, 5000),
    around=st.integers(1, 900),
    chunk=st.integers(1, 100),
    skipped=st.integers(0, 5),
)
@settings(max_examples=30)
def test_rows_are_what_a_tensor_gives(rows, touched, around, chunk, skipped, tmp_path_factory) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("treino.data.mapped_rows.TOUCHED_BYTES", touched)
        patch.setattr("treino.data.mapped_rows.AROUND_BYTES", around)
        patch.setattr("treino.data.mapped_rows.BLOCK_ROWS", chunk)
        whole = mapped(torch.cat([X[:skipped], X]), tmp_path_factory.mktemp("map") / "x")
        x = MappedRows(whole[skipped:])
        index = torch.tensor(rows, dtype=torch.int64)
        for part in (index, *index.split(20), index.flip(0)):
            assert torch.equal(x.index_select(0, part), X.index_select(0, part))
        assert torch.equal(x[3:60:7], X[3:60:7])
        assert torch.equal(x[Y > 0], X[Y > 0])
        assert torch.equal(x[-2], X[-2])
        assert torch.equal(torch.cat([part for part, _y in parts(x, Y, 9)]), X)


def test_what_was_changed_in_a_copy_of_the_map_is_what_is_read(x_map) -> None:
    copy = np.memmap(x_map.filename, np.float32, "c", shape=X.shape)
    copy[7] = 5
    assert torch.equal(MappedRows(copy)[6:9], torch.stack([X[6], torch.full_like(X[7], 5), X[8]]))
    shared = np.memmap(x_map.filename, np.float32, "r+", shape=X.shape)
    shared[7] = 6
    assert torch.equal(MappedRows(shared)[:][7], torch.full_like(X[7], 6))
    Path(x_map.filename).unlink()
    assert torch.equal(MappedRows(shared)[8:], X[8:])
    mapped(X + 1, Path(x_map.filename))
    assert torch.equal(MappedRows(shared)[8:], X[8:])


def test_what_is_not_mapped_in_rows_is_read_whole(x_map) -> None:
    for other in (X, X.numpy(), x_map[:, ::2], x_map.astype(">f4")):
        assert not isinstance(as_mapped(other), MappedRows)


@pytest.mark.parametrize("kind", ["uint8", "float64", "int16"])
def test_other_numbers_are_converted_as_they_are_read(kind, tmp_path) -> None:
    whole = (X * 10).abs().numpy().astype(kind)
    x = mapped(torch.from_numpy(whole), tmp_path / "other")
    assert torch.equal(
        trained(x, "batched", 8, "each")[1], trained(torch.from_numpy(whole), "batched", 8, "each")[1]
    )


@pytest.mark.usefixtures("_small")
def test_the_first_number_that_is_none_is_named(tmp_path) -> None:
    x = X.clone()
    x[41, 2] = torch.nan
    assert "row 41, column 2" in str(refusal_of(train, (mapped(x, tmp_path / "nan"), Y), mlp(4)))


@pytest.mark.parametrize("n", [1, BLOCK_ROWS - 1, WINDOW_ROWS + 3 * BLOCK_ROWS + 17])
def test_an_order_by_blocks_visits_each_row_once_and_stays_near(n) -> None:
    order_N = order(n, 3, 1, "blocks")
    assert torch.equal(order_N.sort().values, torch.arange(n))
    for window in order_N.split(WINDOW_ROWS):
        assert len((window // BLOCK_ROWS).unique()) <= WINDOW_ROWS // BLOCK_ROWS + 1
    if n > BLOCK_ROWS:
        assert not torch.equal(order_N, order(n, 3, 2, "blocks"))


FRUGAL = """
import resource, sys, numpy as np, torch
from treino.engine import mlp, train
torch.set_num_threads(1)
path, rows = sys.argv[1], int(sys.argv[2])
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
x = np.memmap(path, np.float32, "r", shape=(rows, 100))
small = np.array(x[:2000])
y = torch.arange(rows) % 3
for t in train(((small, y[:2000]), (small, y[:2000])), mlp(8), batch_size=500, epochs=2): pass
before = peak()
training = train(((x, y), (x, y)), mlp(8), batch_size=500, epochs=2, shuffle=sys.argv[3])
for t in training: pass
print(peak() - before, training.step, t.evaluation["validation"]["loss"][0].isfinite().item())
"""


@pytest.mark.parametrize("shuffle", ["each", "blocks"])
@pytest.mark.release
def test_a_table_of_several_times_the_memory_is_never_held(shuffle, tmp_path) -> None:
    rows = 1_500_000  # 600 MB
    array = np.memmap(tmp_path / "big", np.float32, "w+", shape=(rows, 100))
    for start in range(0, rows, 100_000):
        array[start : start + 100_000] = np.random.default_rng(start).standard_normal(
            (100_000, 100), np.float32
        )
    array.flush()
    said = subprocess.run(
        [sys.executable, "-c", FRUGAL, tmp_path / "big", str(rows), shuffle],
        capture_output=True,
        text=True,
        check=True,
    )
    grown, steps, fine = said.stdout.split()
    assert int(steps) == 2 * 3000
    assert fine == "True"
    assert int(grown) < 250e6
