"""Where the source puts rows and labels into different orders, or parts of a table that share rows."""

import pytest
import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.collating import torn_batch, unrestored
from treino.diagnosis.reading.order_flow import text_order
from treino.diagnosis.reading.sharing import within_helper
from treino.diagnosis.watch.batches import rows_and_labels
from treino.diagnosis.watch.tables import Told, hash_rows

COLLATES = {
    "def f(items):\n    y = [i[1] for i in items]\n    x = sorted((i[0] for i in items), key=len)\n"
    "    return x, y\n": 3,
    "def f(items):\n    x, y = zip(*items)\n    n = torch.tensor([len(a) for a in x])\n"
    "    n, order = n.sort(descending=True)\n    return [x[i] for i in order], n, torch.tensor(y)\n": 5,
    "def f(items):\n    order = np.argsort([-len(i[0]) for i in items])\n"
    "    x = [items[i][0] for i in order]\n"
    "    y = torch.tensor([i[1] for i in items])\n    return {'x': x, 'y': y}\n": 4,
    "def f(items):\n    items = sorted(items, key=lambda i: -len(i[0]))\n    x, y = zip(*items)\n"
    "    return pad_sequence(x), torch.tensor(y)\n": None,
    "def f(items):\n    x, y = zip(*items)\n    n, order = torch.tensor([len(a) for a in x]).sort()\n"
    "    return pad_sequence(x)[order], n, torch.tensor(y)[order]\n": None,
}


@pytest.mark.parametrize(("source", "line"), COLLATES.items())
@pytest.mark.parametrize("given", ["f", "partial(f)", "lambda items: f(items)"])
def test_a_collate_function_that_puts_only_a_part_of_the_batch_into_order(source, line, given, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(source + f"loader = DataLoader(rows, collate_fn={given})\n")
    found = torn_batch(Site(str(script), source.count("\n") + 1))
    assert (None if found is None else found.line) == line


FORWARDS = {
    "lengths, order = lengths.sort()\n  h = self.rnn(pack(x[order], lengths))\n  return self.out(h)": 5,
    "order = lengths.argsort()\n  h = self.rnn(x.index_select(0, order))\n  return self.out(h)": 5,
    "lengths, order = lengths.sort()\n  h = self.rnn(x[order])\n  return h[order.argsort()]": None,
    "lengths, order = lengths.sort()\n  y = x * 0\n  y[order] = self.rnn(x[order])\n  return y": None,
    "_, order = x.sort(dim=1)\n  h = self.rnn(x[order])\n  return self.out(h)": None,
}


@pytest.mark.parametrize(("body", "line"), FORWARDS.items())
def test_a_net_that_sorts_its_rows_and_never_puts_them_back(body, line, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"class Net(nn.Module):\n def forward(self, x, lengths):\n  {body}\n")
    found = unrestored(str(script))
    assert (None if found is None else found.line) == line


TEXTS = {
    "names = sorted(runs)\nx = torch.stack([runs[n] for n in names])\ny = torch.tensor(table['y'])\n"
    "ds = TensorDataset(x, y)\nf'run{i}'\n": 1,
    "names = sorted(runs)\nx = torch.stack([runs[n] for n in names])\ny = [kind[n] for n in names]\n"
    "ds = TensorDataset(x, y)\nf'run{i}'\n": None,
    "names = sorted(runs)\nx = torch.stack([runs[n] for n in names])\ny = torch.tensor(table['y'])\n"
    "ds = TensorDataset(x, y)\nf'run{i:03d}'\n": None,
    "names = sorted(runs, key=number)\nx = torch.stack([runs[n] for n in names])\n"
    "y = torch.tensor(table['y'])\n"
    "ds = TensorDataset(x, y)\nf'run{i}'\n": None,
}


@pytest.mark.parametrize(("source", "line"), TEXTS.items())
def test_names_with_bare_numbers_that_are_sorted_as_texts(source, line, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(source)
    found = text_order(str(script))
    assert (None if found is None else found.line) == line


def test_the_helper_that_makes_both_parts_is_where_a_split_is_mended(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "def parts(df):\n    test = df.sample(frac=0.2).reset_index()\n"
        "    train = df.drop(index=test.index)\n"
        "    return train, test\n\n\ntrain, test = parts(table)\ntrain, test = read(table)\n"
    )
    assert within_helper(Site(str(script), 7)).line == 3
    assert within_helper(Site(str(script), 8)).line == 8


def test_rows_are_equal_however_far_they_are_filled_with_zeros():
    x_ND = torch.randint(1, 50, (20, 7)).numpy()
    wider = torch.nn.functional.pad(torch.from_numpy(x_ND), (0, 6)).numpy()
    assert (hash_rows(x_ND) == hash_rows(wider)).all()


def test_lengths_that_a_batch_brings_along_are_no_labels():
    x, lengths, labels = torch.ones(4, 9), torch.tensor([9, 3, 5, 1]), torch.tensor([0, 1, 1, 0])
    assert rows_and_labels((x, lengths, labels))[1] is labels
    assert rows_and_labels({"x": x, "labels": labels, "weights": x[:, 0]})[1] is labels
    assert rows_and_labels((x, lengths))[1] is lengths


def test_batches_with_the_same_labels_each_time_are_tasks():
    told, tasks = Told(), Told()
    for i in range(9):
        told.add([4 * i, 4 * i + 1], [0.0, float(i % 2)], {})
        tasks.add([4 * i, 4 * i + 1], [0.0, 1.0], {4 * i: 1.0})
    assert not told.alike
    assert tasks.alike
    assert (tasks.again, tasks.other) == (9, 9)
