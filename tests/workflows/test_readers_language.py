"""Folders trained in one language are shown in another: no sentence of the first is left."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import matplotlib.text
import pytest
from tools import words as catalogues

from tests.base.test_words import latin, turn
from tests.conftest import Treino
from treino.base import words
from treino_doctor.base import words as base

TRAINED = """
train houses.csv --target price --name one --epochs 2 --lr 1e6 --optimizer sgd --fault missing_zero_grad
sweep houses.csv --target kind --space lr=1e-3..1e-1:log --members 4 --epochs 2 --fresh 2 --name many
study houses.csv --target kind --batch-sizes 20,5 --epochs 2 --until accuracy=0.5 --as-taught --name both
"""
READ = """
show one
show many
show both
show many:1
report one --to one.html
report many --to many.html
plot many --what slices,parallel
plot both
"""
NAMES = "houses kind age day log one many both red blue old new lanes plain crop half"


@pytest.fixture
def turned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A language beside English: every sentence of the catalogue in Cyrillic letters."""
    sentences = words.known_sentences()
    monkeypatch.setitem(catalogues.LOCALES, "treino", tmp_path / "locale")
    catalogues.compile_into("treino", "xx", {sentence: turn(sentence) for sentence in sentences if sentence})
    with words.speaking("en"):
        monkeypatch.setitem(base._catalogues, "treino", tmp_path / "locale")
        yield


DRAWN = pytest.mark.release


@pytest.mark.parametrize(
    ("written", "read", "drawn_too"),
    [
        pytest.param("xx", "en", False, marks=pytest.mark.slow),
        pytest.param("xx", "en", True, marks=DRAWN),
        pytest.param("en", "xx", True, marks=DRAWN),
    ],
)
def test_what_was_trained_in_another_language_is_shown_in_the_readers(
    written: str,
    read: str,
    drawn_too: bool,
    request: pytest.FixtureRequest,
    treino: Treino,
    turned: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [
        f"{i % 5};{i},5;2024-0{1 + i % 9}-1{i % 9};{['old', 'new'][i % 3 > 0]};R$ {3 * i % 71},50;"
        f"{'red' if (i * 7) % 11 > 4 else 'blue'}"
        for i in range(80)
    ]
    (tmp_path / "houses.csv").write_text("\n".join(["rooms;size;day;age;price;kind", *rows, rows[3]]))
    for command in TRAINED.strip().split("\n"):
        said = treino("--lang", written, *command.split())
        assert said.status == (4 if "--lr 1e6" in command else 0), said.err
    drawn = set[str]()
    draw = matplotlib.text.Text.draw
    monkeypatch.setattr("matplotlib.text.Text.draw", lambda t, *a: (drawn.add(t.get_text()), draw(t, *a))[1])
    if not drawn_too:
        request.getfixturevalue("undrawn")
    for command in READ.strip().split("\n")[: None if drawn_too else -2]:
        drawn.clear()
        said = treino("--lang", read, *command.split())
        assert said.status == 0, said.err
        shown = said.out + said.err + "\n".join(drawn)
        for page in tmp_path.glob("*.html"):
            shown += re.sub(r"(?s)<(script|style|math).*?</\1>|<[^>]*>", " ", unescape(page.read_text()))
            page.unlink()
        left = re.findall("[Ѐ-ӿ]{2,}", shown) if read == "en" else set(latin(shown)) - {*NAMES.split()}
        assert not left, (command, left)
