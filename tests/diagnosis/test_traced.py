"""What a value is made of, followed through loops, loaders, datasets and functions, part by part."""

import ast
from pathlib import Path

import pytest

from tests.diagnosis.test_handed import _place
from treino.diagnosis.finding import Site
from treino.diagnosis.reading.label_lines import labels_line
from treino.diagnosis.reading.nan_lines import nan_line
from treino.diagnosis.reading.source import called, tree
from treino.diagnosis.reading.traced import Value, traced
from treino.diagnosis.watch.loss_seen import LossSeen


def _given(site: Site, at: int) -> Value:
    """An argument of the call of ``loss`` (or of ``net``) on a line."""
    module = tree(site.file)
    assert module is not None
    call = next(c for c in called(module, "loss", "net") if c.lineno == site.line)
    return Value(site, call.args[at])


def _numbers(source: str, tmp_path: Path, at: int = 1) -> set[object]:
    """The numbers that the target on the line ``# seen`` is made of."""
    seen, _ = _place(tmp_path, source)
    return {v.node.value for v in traced(_given(seen, at)) if isinstance(v.node, ast.Constant)}


@pytest.mark.parametrize(
    "source",
    [
        "x, y = f(1), f(2)  # edit\nloss(x, y)  # seen\n",
        "def make():\n    return one(1), two(2)  # edit\n\nx, y = make()\nloss(x, y)  # seen\n",
        "x, y = a(1), b(2)  # edit\nd = TensorDataset(x, y)\nfor i, (u, v) in enumerate(DataLoader(d, 9)):\n"
        "    loss(u, v)  # seen\n",
        "class D:\n    def __init__(self):\n        self.x, self.y = a(1), b(2)  # edit\n\n"
        "    def __getitem__(self, i):\n        return self.x[i], self.y[i]\n\n\n"
        "train, test = random_split(D(), parts)\nfor u, v in DataLoader(train):\n    loss(u, v)  # seen\n",
        "def batches():\n    x, y = a(1), b(2)  # edit\n    yield {'x': x, 'y': y}\n\n\n"
        "for batch in batches():\n"
        "    loss(batch['x'], batch['y'])  # seen\n",
        "x, y = a(1), b(2)  # edit\nxa, xb, ya, yb = train_test_split(x, y)\n\n\ndef fit(u, v):\n"
        "    for rows in order:\n        loss(u[rows], v[rows])  # seen\n\n\nfit(xa, ya)\n",
        "def rows(got):\n    return stack([g[0] for g in got]), stack([g[1] for g in got])\n\n\n"
        "d = TensorDataset(a(1), b(2))  # edit\nfor u, v in DataLoader(d, collate_fn=rows):\n"
        "    loss(u, v)  # seen\n",
    ],
)
def test_one_part_of_a_batch_is_followed_alone(tmp_path: Path, source: str) -> None:
    assert _numbers(source, tmp_path) == {2}
    assert _numbers(source, tmp_path, 0) == {1}


BCE = "binary_cross_entropy_with_logits"


@pytest.mark.parametrize(
    ("span", "source"),
    [
        ((-1, 1), "y = np.where(kind == 1, 1.0, -1.0)  # edit\n\n\nt = torch.tensor(y[:9])\n"
         "loss(o, t)  # seen\n"),
        ((-1, 1), "t = torch.tensor(y).float()\nt = 2 * t - 1  # edit\nfor i in n:\n"
         "    loss(o, t[i])  # seen\n"),
        ((1, 5), "t = torch.tensor(frame['stars'].values)  # edit\n\n\nloss(o, t)  # seen\n"),
        ((0, 1.2), "TOP = 1.2  # edit\n\n\ny = torch.full((9,), TOP)\nloss(o, y)  # seen\n"),
        ((0, 1.1), "def soft(n, real):\n    if real:\n        a, b = 0.8, 1.1  # edit\n    else:\n"
         "        a, b = 0, 0.2\n"
         "    return torch.empty(n).uniform_(a, b)\n\n\nloss(o, soft(9, True))  # seen\n"),
        ((-1, 1), "y = frame.kind.map({'good': 1, 'bad': -1})  # edit\n\n\nt = torch.tensor(y.values)\n"
         "loss(o, t)  # seen\n"),
        ((1, 2), "y = code + 1  # edit\n\n\nt = torch.as_tensor(y)\nloss(o, t)  # seen\n"),
        # bytes of a picture are divided where they are read
        ((0, 255), "m = (inside * 255).astype('uint8')\n\n\nt = torch.from_numpy(m)  # edit\n\n\n"
         "loss(o, t)  # seen\n"),
    ],
)  # fmt: skip
def test_labels_are_found_where_they_get_out_of_range(
    tmp_path: Path, span: tuple[float, float], source: str
) -> None:
    seen, edit = _place(tmp_path, source)
    module = tree(seen.file)
    assert module is not None
    call = next(c for c in called(module, "loss") if c.lineno == seen.line)
    spot = (call.lineno, call.end_lineno, call.col_offset, call.end_col_offset)
    facts = LossSeen(BCE, seen, bad_range=span, bad_calls=((seen, spot),))
    found = labels_line(facts)
    assert found is not None
    assert found.line == edit


@pytest.mark.parametrize(
    "source",
    [
        "t['a'] = np.log(t['rain'])  # edit\n\n\nx = ((t - t.mean()) / t.std()).values\nnet(x)  # seen\n",
        "def add(t):\n    t['r'] = t['hits'] / t['shots']  # edit\n    return t\n\n\n"
        "x = tensor(add(t).values)\nnet(x)  # seen\n",
        "t['b'] = t['a'].shift(3)  # edit\n\n\nx = tensor(t.values)\nnet(x)  # seen\n",
        "x = torch.sqrt(x - 1)  # edit\n\n\nfor i in order:\n    net(x[i])  # seen\n",
    ],
)
def test_what_makes_nan_is_found(tmp_path: Path, source: str) -> None:
    seen, edit = _place(tmp_path, source)
    found = nan_line(_given(seen, 0))
    assert found is not None
    assert found.line == edit


@pytest.mark.parametrize(
    "source",
    [
        "t = pd.read_csv(path)\nt['a'] = np.log(t['rain'])\nnet(t)  # seen # edit\n"
        "",  # gaps of the file itself
        "t['a'] = np.log(t['rain'] + 1)\nnet(t)  # seen # edit\n",
        "t['a'] = t['hits'] / t['shots'].clip(lower=1)\nnet(t)  # seen # edit\n",
        "t['b'] = t['a'].shift(3)\nt = t.dropna()\nnet(t)  # seen # edit\n",
        "x = (x - x.mean(0)) / x.std(0)\nnet(x)  # seen # edit\n",
        "a = np.log(u)\n\n\n\n\n\nb = v / w\nnet(stack([a, b]))  # seen # edit\n",  # either of them
    ],
)
def test_what_is_kept_from_nan_is_not_blamed(tmp_path: Path, source: str) -> None:
    seen, _ = _place(tmp_path, source)
    assert nan_line(_given(seen, 0)) is None
