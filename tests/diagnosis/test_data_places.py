"""Where scales, weights, orders and copies come from, as the source and the rows say it."""

from pathlib import Path

import numpy as np
import pytest

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.copies import noisy_join
from treino.diagnosis.reading.dropped import dropped_scaling, dropped_shuffle
from treino.diagnosis.reading.provenance import method_call
from treino.diagnosis.reading.scaling import scaling_line
from treino.diagnosis.reading.source import refresh
from treino.diagnosis.reading.weighing import class_weights_line, draw_weights_line, sampler_weights_line
from treino.diagnosis.rules.nearness import near_copies, of_groups, shifted_windows
from treino.diagnosis.rules.unshuffled_sorted import _long_blocks
from treino.diagnosis.watch.answers import in_one_piece
from treino.diagnosis.watch.eval_seen import EvalSeen
from treino.diagnosis.watch.seen import NetSeen
from treino.diagnosis.watch.tables import TrainSeen


def _written(tmp_path: Path, source: str) -> tuple[Site, Site | None]:
    """The lines marked ``# seen`` and ``# edit``."""
    path = tmp_path / "script.py"
    path.write_text(source)
    refresh()
    marked = {
        m: i for i, line in enumerate(source.splitlines(), 1) for m in ("# seen", "# edit") if m in line
    }
    edit = Site(str(path), marked["# edit"]) if "# edit" in marked else None
    return Site(str(path), marked.get("# seen", 1)), edit


def _same(found: Site | None, edit: Site | None) -> bool:
    return (found and found.line) == (edit and edit.line)


@pytest.mark.parametrize(
    "source",
    [
        "def w(y):\n    n = y.bincount()\n    return n / n.sum()  # edit\n\n"
        "f = CrossEntropyLoss(w(y))  # seen\n",
        "shares = [0.9, 0.1]  # edit\nloss = cross_entropy(a, b, weight=tensor(shares))  # seen\n",
        "class L(Module):\n    def __init__(self, w):\n        self.register_buffer('w', w)\n\n"
        "    def forward(self, a, b):\n        return cross_entropy(a, b, self.w)  # seen\n\n"
        "f = L(tensor([9.0, 1.0]))  # edit\n",
        "def p(y):\n    return y.sum() / (1 - y).sum()  # edit\n\n"
        "f = BCEWithLogitsLoss(pos_weight=p(y))  # seen\n",
    ],
)
def test_class_weights_are_found_where_they_are_computed(tmp_path: Path, source: str) -> None:
    seen, edit = _written(tmp_path, source)
    assert _same(class_weights_line(seen), edit)


def test_weights_of_draws_are_found_where_they_are_computed(tmp_path: Path) -> None:
    sampled = (
        "def drawn(y):\n    each = y.bincount() / len(y)  # edit\n"
        "    return WeightedRandomSampler(each[y], len(y))\n\n"
        "train = DataLoader(data, 8, sampler=drawn(y))  # seen\n"
    )
    seen, edit = _written(tmp_path, sampled)
    assert _same(sampler_weights_line(seen), edit)
    seen, edit = _written(
        tmp_path, "n = np.bincount(y)\np = n[y] / 9  # edit\nrows = rng.choice(9, 4, p=p)\n"
    )
    assert _same(draw_weights_line(seen.file), edit)
    seen, _ = _written(tmp_path, "p = softmax(logits / t)\ntoken = multinomial(p, 1)\n")
    assert draw_weights_line(seen.file) is None


@pytest.mark.parametrize(
    ("source", "dropped"),
    [
        ("for part in (a, b):\n    scaler.transform(part)  # edit\n", dropped_scaling),
        ("def z(x):\n    return (x - x.mean(0)) / x.std(0)\n\nz(rows)  # edit\n", dropped_scaling),
        (
            "def score(x):\n    with no_grad():\n        return (net(x) - y) / 9\n\nscore(rows)\n",
            dropped_scaling,
        ),
        (
            "class S:\n    def fit(self, x):\n        self.m = (x - 1) / 2\n"
            "        return self\n\nS().fit(x)\n",
            dropped_scaling,
        ),
        ("rng.permutation(order)  # edit\n", dropped_shuffle),
        ("frame.sample(frac=1)  # edit\n", dropped_shuffle),
        ("random.shuffle(list(rows))  # edit\n", dropped_shuffle),
        ("rng.shuffle(order)\nrows = frame.sample(frac=1)\n", dropped_shuffle),
    ],
)
def test_a_result_that_nobody_takes_is_found(tmp_path: Path, source: str, dropped) -> None:
    seen, edit = _written(tmp_path, source)
    assert _same(dropped(seen.file), edit)


@pytest.mark.parametrize(
    "source",
    [
        "class S:\n    def fit(self, x):\n        self.m = x.mean(0)  # seen\n\n"
        "s = S()\ns.fit(rows)  # edit\nfit(net)\n",
        "class S:\n    def __init__(self, x):\n        self.m = x.mean(0)  # seen\n\ns = S(rows)  # edit\n",
        "class D:\n    def setup(self):\n        self.m = self._mean(self.x)  # edit\n\n    @staticmethod\n"
        "    def _mean(x):\n        return x.mean(0)  # seen\n",
        "class D:\n    def setup(self):\n        self.m = self.x.mean(0)  # seen # edit\n\nD().setup()\n",
        "class S:\n    def fit(self, x):\n        self.m = x.mean(0)  # seen # edit\n\na, b = S(), S()\n"
        "a.fit(one)\nb.fit(two)\n",
    ],
)
def test_a_method_is_mended_where_it_is_handed_the_rows(tmp_path: Path, source: str) -> None:
    seen, edit = _written(tmp_path, source)
    assert _same(method_call(seen), edit)


@pytest.mark.parametrize(
    "source",
    [
        "s = x.std(0)\nx = x - x.mean(0) / s  # edit\nnet(x)  # seen\n",
        "class N:\n    def __init__(self, x):\n        std = x.std(0)\n"
        "        self.s = where(std < 1, std, 1)  # edit\n\n"
        "    def forward(self, x):\n        return (x - 1) / self.s\n\nn = N(a)\na = n(a)\nnet(a)  # seen\n",
        "x = stack([debt / income, years])\nnet(x)  # seen\n",
    ],
)
def test_a_scale_is_found_where_it_is_made(tmp_path: Path, source: str) -> None:
    seen, edit = _written(tmp_path, source)
    assert _same(scaling_line(seen, None), edit)


def _tables(train: np.ndarray, test: np.ndarray, *names: Site) -> tuple[TrainSeen, EvalSeen]:
    net = NetSeen("Net", None, modal=False)
    return TrainSeen(net, some=[train]), EvalSeen(net, names, some=[test])


@pytest.mark.parametrize("columns", [5, 20])
def test_noisy_copies_are_told_from_neighbours(columns: int) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(900, columns)).astype(np.float32)
    plain = _tables(rows[:600], rows[600:])
    copies = rows[400:700] + 0.02 * rng.normal(size=(300, columns)).astype(np.float32)
    assert near_copies(*plain)[0] < 0.05 * 256
    assert near_copies(*_tables(rows[:700], copies))[0] > 250


def test_frames_of_the_same_films_are_nearly_one() -> None:
    rng = np.random.default_rng(3)
    films = rng.normal(size=(60, 1, 20)) + 0.01 * rng.normal(size=(60, 12, 20))
    rows = films.reshape(-1, 20).astype(np.float32)
    mixed = rows[rng.permutation(len(rows))]
    assert of_groups(*_tables(mixed[:600], mixed[600:])) == (120, 120)
    assert of_groups(*_tables(rows[:600], rows[600:]))[0] == 0


@pytest.mark.parametrize(("channels", "stride"), [(1, 1), (1, 9), (3, 2)])
def test_windows_that_overlap_are_told_from_windows_of_another_time(channels: int, stride: int) -> None:
    rng = np.random.default_rng(4)
    series = np.cumsum(rng.normal(size=(3000, channels)), axis=0).astype(np.float32)
    windows = np.stack([series[i : i + 20].ravel() for i in range(0, 2900, stride)])
    mixed = windows[rng.permutation(len(windows))]
    cut = int(0.8 * len(windows))
    found, rows = shifted_windows(*_tables(mixed[:cut], mixed[cut : cut + 256]))
    assert found > 0.9 * rows
    after = shifted_windows(*_tables(windows[:cut], windows[cut : cut + 256]))
    assert after[0] <= 10
    same = np.repeat(np.arange(400, dtype=np.float32)[:, None] % 5, 20, axis=1)  # one number in each row
    assert shifted_windows(*_tables(same[:300], same[300:]))[0] == 0


@pytest.mark.parametrize(
    "source",
    [
        "def more(x):\n    return cat([x, x + 0.1 * randn_like(x)])\n\n"
        "x = more(x)  # edit\na, b = x[:9], x[9:]\nnet(b)  # seen\n",
        "def more(x):\n    parts = [x]\n    parts.append(x + 0.1 * randn(9))\n    return cat(parts)\n\n"
        "x = more(x)  # edit\na, b = x[:9], x[9:]\nnet(b)  # seen\n",
        "x = x.repeat(4, 1) + 0.1 * randn(36, 2)  # edit\na, b = x[:9], x[9:]\nnet(b)  # seen\n",
        "a, b = x[:9], x[9:]\na = cat([a, a + 0.1 * randn_like(a)])\n"
        "a, b = (tensor(t) for t in (a, b))\nnet(b)  # seen\n",
        "x = cat([x, other])\na, b = x[:9], x[9:]\nnet(b)  # seen\n",
    ],
)
def test_noisy_copies_before_the_split_are_found(tmp_path: Path, source: str) -> None:
    seen, edit = _written(tmp_path, source)
    rows = np.zeros((9, 2), np.float32)
    assert _same(noisy_join(_tables(rows, rows, seen)[1]), edit)


def test_a_piece_of_a_sorted_table_is_known() -> None:
    table = np.repeat([0, 1, 2], [59, 71, 48])
    rng = np.random.default_rng(0)
    assert in_one_piece(table[:60], [table]) > 0.9
    assert in_one_piece(table[-45:], [table]) > 0.9
    assert in_one_piece(table[50:90], [table]) > 0.4
    assert in_one_piece(rng.permutation(table)[:45], [table]) == 0
    assert in_one_piece(np.sort(rng.permutation(table)[:45]), [table]) == 0
    assert in_one_piece(table, [table]) == 0


def test_blocks_of_classes_are_seen_through_a_small_buffer() -> None:
    order = [0] * 20 + [1, 0, 0] + [1] * 20 + [2, 1] + [2] * 20
    blocks = _long_blocks([(label, 700) for label in order])
    assert [label for label, _ in blocks] == [0, 1, 2]
    assert not _long_blocks([(label, 700) for label in np.random.default_rng(0).integers(0, 3, 90).tolist()])
