"""Where a number, or an activation, is given to the function that hands it on."""

from pathlib import Path

import pytest

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.choices import chosen_on_test
from treino.diagnosis.reading.handed import handed_line, handed_word
from treino.diagnosis.reading.source import refresh


def _place(tmp_path: Path, source: str) -> tuple[Site, int]:
    """The line marked ``# seen``, and the number of the one marked ``# edit``."""
    path = tmp_path / "script.py"
    path.write_text(source)
    refresh()
    lines = source.splitlines()
    seen, edit = (next(i for i, line in enumerate(lines, 1) if mark in line) for mark in ("# seen", "# edit"))
    return Site(str(path), seen), edit


@pytest.mark.parametrize(
    "source",
    [
        "def make(p, rate):\n    return SGD(p, lr=rate)  # seen\n\nopt = make(p, 9.0)  # edit\n",
        "def make(p, **kw):\n    return SGD(p, **kw)  # seen\n\nopt = make(p, lr=9.0)  # edit\n",
        "def make(p, rate=9.0):  # edit\n    return SGD(p, lr=rate)  # seen\n\nopt = make(p)\n",
        "class T:\n    def __init__(self, rate):\n        self.rate = rate\n\n    def fit(self, p):\n"
        "        self.opt = SGD(p, lr=self.rate)  # seen\n\nT(9.0).fit(p)  # edit\n",
        "def inner(p, r):\n    return SGD(p, lr=r)  # seen\n\ndef outer(p, q):\n    return inner(p, q)\n\n"
        "outer(p, q=-9.0)  # edit\n",
        # a table of settings, looked up or handed on as it is
        "CFG = dict(lr=9.0)  # edit\nopt = SGD(p, lr=CFG['lr'])  # seen\n",
        "CFG = {'optim': {'lr': 9.0}}  # edit\n\ndef make(p, o):\n    return SGD(p, **o)  # seen\n\n"
        "make(p, CFG['optim'])\n",
        "def make(p, r):\n    return SGD([{'params': p, 'lr': r}])  # seen\n\nmake(p, 9.0)  # edit\n",
        # a computed rate, and several calls leave the line as it is
        "def make(p, r):\n    r = r * 2\n    return SGD(p, lr=r)  # seen # edit\n\nmake(p, 9.0)\n",
        "def make(p, r):\n    return SGD(p, lr=r)  # seen # edit\n\nmake(p, 9.0)\nmake(p, 0.1)\n",
    ],
)
def test_a_number_is_found_where_a_person_gives_it(tmp_path: Path, source: str) -> None:
    seen, edit = _place(tmp_path, source)
    found = handed_line(seen, "lr")
    assert found is not None
    assert found.line == edit


def test_an_activation_is_found_where_it_is_chosen(tmp_path: Path) -> None:
    seen, edit = _place(
        tmp_path,
        "def deep(n, act):\n    return [ACTS[act]() for _ in n]  # seen\n\ndeep(9, act='sigmoid')  # edit\n",
    )
    found = handed_word(seen, "sigmoid", "Sigmoid")
    assert found is not None
    assert found.line == edit


def test_a_choice_may_be_one_expression(tmp_path: Path) -> None:
    seen, edit = _place(
        tmp_path,
        "best, kept = -1, None\nfor lr in rates:\n    test_acc = accuracy(x_test)  # seen # edit\n"
        "    best, kept = (test_acc, lr) if test_acc > best else (best, kept)\n",
    )
    found = chosen_on_test(seen.file, {seen.line})
    assert found is not None
    assert found.line == edit


@pytest.mark.parametrize(
    ("keyword", "source"),
    [
        (
            "max_norm",
            "CFG = {'max_norm': 1.0, 'min_delta': 1e-4}\n\n\n"
            "def step(p, c):\n    limit = c['min_delta']  # edit\n"
            "    clip_grad_norm_(p, max_norm=limit)  # seen\n\n\nstep(p, CFG)\n",
        ),
        (
            "max_norm",
            "class C:\n    clip: float = 1.0\n    tolerance: float = 1e-4\n\n\nclass T:\n"
            "    def __init__(self, c):\n        self.clip = float(c.tolerance)  # edit\n\n"
            "    def step(self, p):\n        clip_(p, max_norm=self.clip)  # seen\n\n\nT(C()).step(p)\n",
        ),
        (
            "lr",
            "class C:\n    lr = 0.1\n    min_lr = 1e-7\n\n\nopt = SGD(p, lr=C.min_lr)  # seen # edit\n",
        ),
        ("lr", "CFG = dict(dropout_rate=0.5)\n\n\nopt = SGD(p, lr=CFG.get('dropout_rate'))  # seen # edit\n"),
        (
            "weight_decay",
            "parser.add_argument('--lr-decay', default=0.9)\nargs = parser.parse_args()\n\n\n"
            "decay = args.lr_decay  # edit\nopt = SGD(p, weight_decay=decay)  # seen\n",
        ),
        # the setting's own name: where it is written
        (
            "max_norm",
            "class C:\n    max_grad: float = 1e-4  # edit\n\n\nclip_(p, max_norm=C.max_grad)  # seen\n",
        ),
        ("lr", "CFG = {'step_size': 9.0}  # edit\nopt = SGD(p, lr=CFG['step_size'])  # seen\n"),
    ],
)
def test_a_setting_of_another_name_is_wrong_where_it_is_used(
    tmp_path: Path, keyword: str, source: str
) -> None:
    seen, edit = _place(tmp_path, source)
    found = handed_line(seen, keyword)
    assert found is not None
    assert found.line == edit
