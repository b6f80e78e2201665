"""Where a setting is written that a line reads by name."""

from pathlib import Path

import pytest

from tests.diagnosis.test_handed import _place
from treino.diagnosis.reading.configured import chosen, set_number
from treino.diagnosis.reading.picked import gives_both

TABLE = "ACTS = {'relu': nn.ReLU, 'softmax': nn.Softmax}\n"


@pytest.mark.parametrize(
    "source",
    [
        TABLE
        + "cfg = {\n'inner': 'relu',\n'outer': 'softmax'}  # edit\n\nlast = ACTS[cfg['outer']](1)  # seen\n",
        TABLE + "class C:\n    inner: str = 'relu'\n    outer: str = 'softmax'  # edit\n\n\n"
        "def net(c):\n    return Sequential(Linear(3), ACTS[c.outer](1))  # seen\n",
        "def make(name):\n    if name == 'relu':\n        return ReLU()\n    if name == 'softmax':\n"
        "        return nn.Softmax(1)  # seen\n\n\nlayers = [make('relu'), Linear(3, 3)]\n"
        "layers.append(make('softmax'))  # edit\n",
        "p.add_argument('--last-layer', default='Softmax')  # edit\na = p.parse_args()\n\n\n"
        "last = getattr(nn, a.last_layer)(dim=1)  # seen\n",
        'text = """\n{"inner": "relu",\n "outer": "softmax"}  # edit\n"""\ncfg = json.loads(text)\n'
        "last = make(cfg['outer'])  # seen\n",
        "class Net:\n    def __init__(self, probabilities=False):\n        self.on = probabilities\n\n"
        "    def forward(self, x):\n        return softmax(x, 1) if self.on else x  # seen\n\n\n"
        "net = Net(probabilities=True)  # edit\n",
        "class Net:\n    def __init__(self, act):\n        self.act = ACTS[act]\n\n"
        "    def forward(self, x):\n"
        "        return self.act(self.fc(x))  # seen\n\n\nnet = Net(act='softmax')  # edit\n",
        # said plainly, or by two who disagree: the line itself
        "last = nn.Softmax(1)  # seen # edit\n",
        TABLE + "last = ACTS[name](1)  # seen # edit\n",
        "def make(name):\n    return ACTS[name]()  # seen # edit\n\n\none = make('softmax')\n"
        "other = make('softmax')\n",
        "def last(x, mask):\n    if mask is not None:\n        return softmax(x, 1)  # seen # edit\n",
    ],
)
def test_a_layer_is_found_where_its_name_is_chosen(tmp_path: Path, source: str) -> None:
    seen, edit = _place(tmp_path, source)
    found = chosen(seen, "softmax")
    assert found is not None
    assert found.line == edit


@pytest.mark.parametrize(
    "source",
    [
        "class C:\n    rows: int = 1  # edit\n    lr: float = 1\n\n\n"
        "loader = DataLoader(d, batch_size=c.rows)  # seen\n",
        "ROWS = 1  # edit\n\n\nfor x in order.split(ROWS):  # seen\n    pass\n",
        "def load(d, size=1):  # edit\n    return DataLoader(d, size)  # seen\n\nload(d)\n",
        "def load(d, size):\n    return DataLoader(d, batch_size=size)  # seen\n\n"
        "load(train, 1)  # edit\nload(test, 64)\n",
        "p.add_argument('--rows', type=int, default=1)  # edit\n\na = p.parse_args()\n\n"
        "for i in range(0, n, a.rows):  # seen\n    pass\n",
        "d = dict(rows=1)  # edit\n\nfor x in stream(t, batch_size=int(d.get('rows', 8))):  # seen\n"
        "    pass\n",
    ],
)
def test_a_batch_size_is_found_where_it_is_set(tmp_path: Path, source: str) -> None:
    seen, edit = _place(tmp_path, source)
    found = set_number(seen, "batch_size", lambda n: n == 1)
    assert found is not None
    assert found.line == edit


def test_a_batch_size_of_another_number_is_not_meant(tmp_path: Path) -> None:
    seen, _ = _place(tmp_path, "ROWS = 64  # edit\nloader = DataLoader(d, batch_size=ROWS)  # seen\n")
    assert set_number(seen, "batch_size", lambda n: n == 1) is None


@pytest.mark.parametrize(
    ("both", "source"),
    [
        (True, "def forward(self, x):\n    z = self.fc(x)\n    return z, z.softmax(-1)  # seen # edit\n"),
        (True, "def forward(self, x):\n    z = self.fc(x)\n    p = F.softmax(z, 1)  # seen # edit\n"
         "    return dict(z=z, p=p)\n"),
        (True, "def forward(self, x):\n    z = self.fc(x)\n"
         "    return {'z': z, 'p': self.softmax(z)}  # seen # edit\n"),
        (False, "def forward(self, x):\n    z = self.fc(x)\n"
         "    return z.softmax(-1), self.other(x)  # seen # edit\n"),
        (False, "def forward(self, x):\n    return F.softmax(self.fc(x), 1)  # seen # edit\n"),
    ],
)  # fmt: skip
def test_a_net_may_hand_out_scores_and_probabilities(tmp_path: Path, both: bool, source: str) -> None:
    seen, _ = _place(tmp_path, source)
    assert gives_both(seen, "softmax") is both
