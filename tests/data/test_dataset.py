"""The object that ``load`` returns: its summary, its splits, their batches."""

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader

from treino.data import load
from treino.data.rows import order


def test_rows_are_a_dataset_and_come_in_batches() -> None:
    rows = load("wine").train
    x_D, y = rows[3]
    assert torch.equal(x_D, rows.x[3])
    assert y == rows.y[3]
    assert len(rows[2:7]) == 5
    assert torch.equal(rows[torch.tensor([4, 1])].index, rows.index[[4, 1]])
    plain = list(rows.batches(50))
    assert [len(y) for _x, y in plain] == [50, 50, len(rows) - 100]
    assert torch.equal(torch.cat([x for x, _y in plain]), rows.x)
    shuffled = torch.cat([x for x, _y in rows.batches(50, shuffle=True, seed=3, epoch=2)])
    assert torch.equal(shuffled, rows.x[order(len(rows), 3, 2)])
    loaded = torch.cat([x for x, _y in DataLoader(rows, batch_size=32)])
    assert torch.equal(loaded, rows.x)


def test_the_summary_says_what_it_is() -> None:
    frame = pd.DataFrame({"<b>": np.random.RandomState(0).rand(60), "c": ["x", "z", "w"] * 20})
    data = load(frame.assign(y=["yes", "no"] * 30), target="y", validation=0)
    text = repr(data)
    assert text.startswith("frame: 2 classes of y: no, yes")
    assert "52 training, 0 validation, 8 test rows" in text
    assert "2 columns, 4 inputs: <b>, c" in text
    assert all(f"· {note}" in text for note in data.notes)
    html = data._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b></td>" not in html
    assert "c=w, c=x, c=z" in html
    assert "the number target" in repr(load("diabetes"))
