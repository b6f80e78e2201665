"""What a figure was made of, and where a script decides by one."""

import ast
from pathlib import Path

import pytest

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.deciding import decisions
from treino.diagnosis.reading.figures import Figures
from treino.diagnosis.reading.rates import another_setting, moved_by_hand
from treino.diagnosis.reading.source import call_name, refresh


def _looked_at(source: str) -> set[str]:
    """The words that the evaluations are given by whose figures decide: ``score("test")``."""
    module = ast.parse(source)
    scores = [n for n in ast.walk(module) if isinstance(n, ast.Call) and call_name(n) == "score"]
    figures = Figures(module, {id(n) for n in scores}, set())
    leaves = {leaf for d in decisions(figures) for by in d.by for leaf in figures.leaves(*by)}
    calls = [leaf.node for leaf in leaves if isinstance(leaf.node, ast.Call)]
    return {ast.unparse(call.args[0]).strip("'") for call in calls}


@pytest.mark.parametrize(
    "source",
    [
        "table = {k: (score('val'), score('test')) for k in grid}\n"
        "best = max(table, key=lambda k: table[k][-1])\n",
        "rows = []\nfor k in grid:\n    rows.append({'val': score('val'), 'test': score('test')})\n"
        "rows.sort(key=lambda row: row['test'])\nbest = rows[0]\n",
        "class Run:\n    val: float\n    test: float\n\n"
        "runs = [Run(score('val'), score('test')) for k in grid]\n"
        "best = max(runs, key=attrgetter('test'))\n",
        "def both():\n    return score('val'), score('test')\n\nbest = 0\nfor k in grid:\n    a, b = both()\n"
        "    if b > best:\n        best = b\n",
        "class Keeper:\n    def offer(self, value):\n"
        "        if value > self.mark:\n            self.mark = value\n\n"
        "other = score('val')\nkeeper = Keeper()\nkeeper.offer(score('test'))\n",
        "history = {'val': [], 'test': []}\nhistory['val'].append(score('val'))\n"
        "history['test'].append(score('test'))\nbest_epoch = int(np.argmax(history['test']))\n",
        "now = score('test')\nbetter = now < lowest\nif better:\n    lowest = now\nlast = score('val')\n",
        "scores = [score('test') for k in grid]\nbest, k = max(zip(scores, [score('val') for k in grid]))\n",
    ],
)
def test_only_the_figure_that_decides_is_followed(source: str) -> None:
    assert _looked_at(source) == {"test"}


def test_what_is_said_of_a_class_is_no_choice() -> None:
    assert not _looked_at(
        "said = net(score('test')).argmax(1)\nworst = min(score('test') for k in classes)\n"
    )


@pytest.mark.parametrize(
    ("line", "keyword", "mistaken"),
    [
        ("opt = Adam(p, weight_decay=cfg.dropout)", "weight_decay", True),
        ("groups = [{'params': p, 'weight_decay': cfg['lr']}]", "weight_decay", True),
        ("opt = SGD(p, lr=args.momentum)", "lr", True),
        ("opt = Adam(p, weight_decay=cfg.l2)", "weight_decay", False),
        ("opt = Adam(p, lr=cfg.learning_rate)", "lr", False),
        ("opt = Adam(p, lr=0.1)", "lr", False),
    ],
)
def test_a_setting_may_bear_another_ones_name(
    tmp_path: Path, line: str, keyword: str, mistaken: bool
) -> None:
    path = tmp_path / "script.py"
    path.write_text(line + "\n")
    refresh()
    assert another_setting(Site(str(path), 1), keyword) is mistaken


def test_the_rate_of_a_step_by_hand_is_found(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("eta = 1e-7\nloss.backward()\nwith no_grad():\n    w -= eta * w.grad\n")
    refresh()
    found = moved_by_hand(Site(str(path), 2))
    assert found is not None
    assert found.line == 1
