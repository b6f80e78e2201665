"""What the data rules are made of: hashes of rows, exact statistics, and what the source says."""

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.choices import chosen_on_test
from treino.diagnosis.reading.drawn_apart import drawn_apart
from treino.diagnosis.reading.keeping import keeper
from treino.diagnosis.reading.order_flow import other_order
from treino.diagnosis.reading.orders import filtered_alone, lonely_order
from treino.diagnosis.reading.provenance import calling_line, origins
from treino.diagnosis.rules.scaler_leakage import exact
from treino.diagnosis.watch.columns import Columns
from treino.diagnosis.watch.eval_seen import EvalSeen, Phase
from treino.diagnosis.watch.tables import hash_rows


@pytest.mark.parametrize("width", [1, 7, 64, 301])
def test_equal_rows_have_equal_hashes_wherever_they_stand(width):
    rng = np.random.default_rng(0)
    x_ND = rng.normal(size=(200, width)).astype(np.float32)
    order = rng.permutation(200)
    assert (hash_rows(x_ND)[order] == hash_rows(x_ND[order][:, :])).all()
    assert (hash_rows(x_ND[::2]) == hash_rows(x_ND)[::2]).all()
    assert len(np.unique(hash_rows(x_ND))) == 200


def test_columns_add_up_to_those_of_all_rows():
    x_ND = np.random.default_rng(1).normal(2, 3, size=(90, 5))
    first, second = Columns(), Columns()
    for part in (x_ND[:20], x_ND[20:50]):
        first.add(part)
    second.add(x_ND[50:])
    for part in (first, second):
        part.settle()
    both = first + second
    np.testing.assert_allclose(both.mean(), x_ND.mean(0))
    np.testing.assert_allclose(both.variance(), x_ND.var(0))
    np.testing.assert_allclose([both.low, both.high], [x_ND.min(0), x_ND.max(0)])


@pytest.mark.parametrize(("scaler", "kind"), [(StandardScaler(), "mean"), (MinMaxScaler(), "min and max")])
def test_a_scaler_is_known_by_the_exact_statistics_of_the_rows_that_it_saw(scaler, kind):
    x_ND = np.random.default_rng(2).normal(1, 2, size=(300, 6))
    whole, part = Columns(), Columns()
    scaled = scaler.fit_transform(x_ND).astype(np.float32)
    whole.add(scaled)
    part.add(scaled[:200])
    for columns in (whole, part):
        columns.settle()
    assert kind in set(exact(whole))
    assert kind not in set(exact(part))


def test_equal_counts_of_labels_are_luck_in_few_rows_of_two_classes_and_none_in_many_of_ten():
    few, many = Phase(0, rows=20), Phase(0, rows=400)
    few.labels.update([0.0, 1.0] * 10)
    many.labels.update([float(i % 10) for i in range(400)])
    drawn = np.random.default_rng(0).binomial(20, 0.5, size=(20_000, 2))
    assert few.luck() == pytest.approx((drawn[:, 0] == drawn[:, 1]).mean(), rel=0.1)
    assert many.luck() < 1e-6


def phase(step: int, digest: int, labels: list[float]) -> Phase:
    now = Phase(step, rows=len(labels), fresh=len(labels), digest=digest, labelled=len(labels))
    now.labels.update(labels)
    return now


def test_an_evaluation_whose_rows_change_under_the_same_labels():
    labels = [float(i % 4) for i in range(80)]
    e = EvalSeen(net=None, names=())
    for step, digest in enumerate([1, 2, 2, 3]):
        e.now = phase(step, digest, labels)
        e.close()
    e.now = phase(9, 4, [*labels[1:], 9.0])
    e.close()
    assert (e.changed, e.stable, e.other) == (2, 1, 1)


def test_rows_that_are_drawn_anew_of_a_few_are_not_changed():
    labels = [float(i % 4) for i in range(80)]
    e = EvalSeen(net=None, names=())
    for step, fresh in enumerate([50, 20, 6]):
        e.now = phase(step, step, labels)
        e.now.fresh = fresh
        e.close()
    assert (e.changed, e.stable) == (0, 0)


CHOICES = {
    "if test_acc > best:\n    best = test_acc\n": 1,
    "if test_acc > best:\n    print('better')\n": None,
    "val_acc = evaluate(val_loader)\nif val_acc > best:\n    best, kept = val_acc, test_acc\n": None,
    "figures = []\nfigures.append(test_acc)\nbest = max(figures)\n": 4,
    "results = {}\nresults[3] = test_acc\nbest_size = max(results, key=results.get)\n": 4,
    "if stopper(test_acc):\n    stop = True\nscheduler.step(test_acc)\n": 2,
    "ranking = [test_acc]\nranking.sort()\nbest = ranking[0]\n": 4,
    "print(max([test_acc]))\n": None,
}


@pytest.mark.parametrize(("source", "line"), CHOICES.items())
def test_a_choice_is_followed_from_the_line_that_computes_the_figure(source, line, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("test_acc = evaluate(test_loader)\n" + source)
    found = chosen_on_test(str(script), {1})
    assert (None if found is None else found.line) == line


ORDERS = {
    "np.random.shuffle(x)\nds = TensorDataset(x, y)\n": 1,
    "rng.shuffle(index)\na, b = x[index], y[index]\n": None,
    "i = torch.randperm(9)\nx = x[i]\nds = TensorDataset(x, y)\n": 2,
    "i = torch.randperm(9)\nx, y = x[i], y[i]\nds = TensorDataset(x, y)\n": None,
    "i = torch.randperm(9)[:3]\nreal = data[i]\n": None,
    "y = np.sort(y)\nds = TensorDataset(x, y)\n": 1,
    "x = x[torch.randperm(9)]\nloss = mse(net(x), y)\n": 1,
    "rng.shuffle(x)\nds = TensorDataset(torch.tensor(x), torch.tensor(y))\n": 1,
    "y = np.roll(y, 1)\nds = TensorDataset(x, y)\n": 1,
    "df['y'] = df['y'].sample(frac=1).values\n": 1,
    "df['y'] = df['z'].sample(frac=1).values\n": None,
}


@pytest.mark.parametrize(("source", "line"), ORDERS.items())
def test_one_of_two_arrays_is_reordered_alone(source, line, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(source)
    found = lonely_order(str(script))
    assert (None if found is None else found.line) == line


APART = {
    "a, b = train_test_split(x)\nc, d = train_test_split(y)\n": 1,
    "a, b = train_test_split(x, random_state=3)\nc, d = train_test_split(y, random_state=3)\n": None,
    "a, b = train_test_split(x)\nc, d = train_test_split(a)\n": None,
    "for a in (x, y):\n    rng.shuffle(a)\n": 2,
    "for a in (x, y):\n    np.random.seed(3)\n    rng.shuffle(a)\n": None,
    "a = DataLoader(x, shuffle=True)\nb = DataLoader(y, shuffle=True)\nfor u, v in zip(a, b): pass\n": 1,
    "a = DataLoader(x, shuffle=True)\nb = DataLoader(y)\nfor u, v in zip(a, b): pass\n": None,
    "def mixed(a):\n    return a[torch.randperm(len(a))]\n"
    "x = mixed(x)\ny = mixed(y)\nds = TensorDataset(x, y)\n": 3,
    "def mixed(a, seed):\n    return a[torch.randperm(len(a))]\nx = mixed(x, 1)\ny = mixed(y, 1)\n"
    "ds = TensorDataset(x, y)\n": None,
}


@pytest.mark.parametrize(("source", "line"), APART.items())
def test_an_order_is_drawn_for_each_of_two_arrays(source, line, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(source)
    found = drawn_apart(str(script))
    assert (None if found is None else found.line) == line


FILTERED = {
    "x = x.dropna()\ny = y[:len(x)]\n": 2,
    "ok = x > 0\nx = x[ok]\ny = y[: len(x)]\n": 3,
    "ok = x > 0\nx, y = x[ok], y[ok]\nz = z[:9]\n": None,
    "ok = x > 0\nx, y = x[ok], y[ok]\ny = y[: len(x)]\n": None,
    "x = [a for a in x if a]\ny = list(y)\nfor u, v in zip(x, y): pass\n": 1,
    "x = [a for a in x if a]\ny = [b for b in y if b]\nfor u, v in zip(x, y): pass\n": None,
}


@pytest.mark.parametrize(("source", "line"), FILTERED.items())
def test_rows_are_left_out_without_their_labels(source, line, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(source)
    found = filtered_alone(str(script))
    assert (None if found is None else found.line) == line


FLOWS = {
    "s = log.sort_values('t')\nx = s[C]\ny = log['k']\nds = TensorDataset(x, y)\n": 3,
    "s = log.sort_values('t')\nx = s[C]\ny = s['k']\nds = TensorDataset(x, y)\n": None,
    "s = log.sort_values('t')\nx = s[C]\ny = log['k'].loc[s.index]\nds = TensorDataset(x, y)\n": None,
    "o = x.argsort()\na = x[o]\nds = TensorDataset(a, y)\n": 3,
    "o = x.argsort()\na, b = x[o], y[o]\nds = TensorDataset(a, b)\n": None,
    "def __getitem__(self, i):\n    j = self.order[i]\n    return self.x[j], self.y[i]\n"
    "def __init__(self, x):\n    self.order = x.argsort()\n": 3,
    "def __getitem__(self, i):\n    j = self.order[i]\n    return self.x[j], self.y[j]\n"
    "def __init__(self, x):\n    self.order = x.argsort()\n": None,
    "def load(df):\n    a, b = split(df)\n    a = a.sort_values('k')\n    return a, b\n": None,
}


@pytest.mark.parametrize(("source", "line"), FLOWS.items())
def test_one_of_two_arrays_is_taken_without_the_others_order(source, line, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(source)
    found = other_order(str(script))
    assert (None if found is None else found.line) == line


KEPT = {
    "loss.backward()\nlog.append(loss.item())\ntotal += loss\n": 3,
    "loss.backward()\nprint(loss)\nseen['a'].append((loss, 1))\n": 3,
    "loss.backward()\nmeter.update(loss, 9)\n"
    + "class M:\n    def update(self, v, n):\n        self.s += v * n\n": 2,
    "loss.backward()\nshow(loss)\n" + "def show(v):\n    print(v)\n": 1,
    "loss.backward()\ntotal += loss.detach()\n": 1,
}


@pytest.mark.parametrize(("source", "line"), KEPT.items())
def test_what_keeps_a_loss_is_found_from_its_backward(source, line, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(source)
    found = keeper(Site(str(script), 1))
    assert found is not None
    assert found.line == line


def test_names_are_followed_to_what_they_were_made_of(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("a, b = tensors(X_test), tensors(X_train)\nc = a * 2\nprint(net(c))\n")
    assert "X_test" in origins(Site(str(script), 3), {"c"})
    assert "X_train" not in origins(Site(str(script), 3), {"c"})


def test_a_helper_that_is_called_once_is_mended_where_it_is_called(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("def scale(x):\n    return x / x.std()\n\n\nx = scale(x)\n")
    assert calling_line(Site(str(script), 2)).line == 5
