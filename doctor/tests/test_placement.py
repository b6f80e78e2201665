"""Placement policies: which line a person would edit, from the line that was seen."""

from pathlib import Path

import pytest

from treino_doctor.finding import Site
from treino_doctor.places import placement
from treino_doctor.places.ignores import ignored
from treino_doctor.places.settings import setting, word
from treino_doctor.places.source import refresh
from written import marked, script

# the rate 0.3 of an optimizer that is made on the line "here" is written on the line "made"
RATES = {
    "on the line": "SGD(p, lr=0.3)  # here made",
    "by position": "SGD(p, 0.3)  # here made",
    "in the only call of a maker": "def make(lr=0.1):\n    return SGD(p, lr=lr)  # here\nmake(0.3)  # made",
    "in one of two calls": "def make(lr):\n    SGD(p, lr=lr)  # here\nmake(0.1)\nmake(0.3)  # made",
    "in a spread table": "C = {'lr': 0.3}  # made\nSGD(p, **C)  # here",
    "in a group": "SGD([{'params': p, 'lr': 0.3}])  # here made",
    "worked out": "B = 3\nSGD(p, lr=0.1 * B)  # here made",
    "worked out elsewhere": "B = 3\nrate = 0.1 * B  # made\nSGD(p, lr=rate)  # here",
}


@pytest.mark.parametrize("name", RATES)
def test_the_line_of_a_setting(name: str, tmp_path: Path) -> None:
    text = RATES[name].replace("# here made", "# here")
    path = script(tmp_path, text)
    lines = RATES[name].splitlines()
    made = next((i for i, line in enumerate(lines, 1) if line.endswith("made")), 2)
    site = setting(marked(path, "here"), "lr", 1, 0.3)
    assert site == Site(path, made, site.function if site is not None else "")


def test_a_number_that_two_lines_may_mean_stays_where_it_is_used(tmp_path: Path) -> None:
    path = script(tmp_path, "def make(lr):\n    SGD(p, lr=lr)  # here\nmake(0.1)\nmake(0.2)")
    assert setting(marked(path, "here"), "lr", 1) == marked(path, "here")


# the line that is to be mended where "softmax" on the line "here" is wrong
WORDS = {
    "on the line": "y = x.softmax(1)  # here made",
    "in an argument": "def net(x, act):\n    return act(x)  # here\nnet(x, torch.softmax)  # made",
    "in a layer": "class N:\n    def __init__(self, act):\n        self.act = act\n"
    "    def forward(self, x):\n        return self.act(x)  # here\nnet = N(nn.Softmax(1))  # made",
    "by a key": "T = {'a': nn.ReLU, 's': nn.Softmax}\nkind = 's'  # made\ny = T[kind]()(x)  # here",
}


@pytest.mark.parametrize("name", WORDS)
def test_the_line_of_a_word(name: str, tmp_path: Path) -> None:
    path = script(tmp_path, WORDS[name].replace("# here made", "# here"))
    made = next(i for i, line in enumerate(WORDS[name].splitlines(), 1) if line.endswith("made"))
    site = word(marked(path, "here"), "softmax")
    assert site == Site(path, made, site.function if site is not None else "")


def test_the_nearest_maker_of_rows(tmp_path: Path) -> None:
    text = """
        table = read()
        x = table / table.std()  # scaled
        x_train, x_test = x[:80], x[80:]  # cut
        def evaluate(rows):
            return net(rows)  # here
        evaluate(x_test)
    """
    path = script(tmp_path, text)
    here = marked(path, "here")
    assert placement.maker(here, placement.cuts) == marked(path, "cut")
    assert placement.maker(here, placement.scales) == marked(path, "scaled")
    assert placement.maker(here, placement.joins) is None


def test_who_called_a_helper(tmp_path: Path) -> None:
    text = """
        def loss_of(a, b):
            return (a - b).abs().mean()  # inner
        def run():
            return loss_of(net(x), y)  # outer
        run()
    """
    path = script(tmp_path, text)
    inner, outer = marked(path, "inner"), marked(path, "outer")
    assert placement.caller((inner, outer)) == outer
    assert placement.only_caller(inner) == outer


def test_a_line_is_told_to_ignore_a_rule(tmp_path: Path) -> None:
    path = script(tmp_path, "a = 1  # doctor: ignore lr_too_high no_step\nb = 2")
    assert ignored(Site(path, 1), "no_step")
    assert not ignored(Site(path, 1), "no_grad")
    assert not ignored(Site(path, 2), "no_step")


def test_a_file_that_was_changed_is_read_again(tmp_path: Path) -> None:
    path = script(tmp_path, "lr = 0.3\nSGD(p, lr=lr)  # here")
    assert setting(Site(path, 2), "lr").line == 1
    Path(path).write_text("n = 1\nm = 2\nlr = 0.25\nSGD(p, lr=lr)  # here\n")
    refresh()
    assert setting(Site(path, 4), "lr").line == 3
