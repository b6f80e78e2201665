"""Near copies of a text are found, whatever changed a little, and are on one side of a split."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from treino.data import load
from treino.data.preparation.equal_rows import near_texts

RNG = np.random.default_rng(0)
WORDS = np.array(["".join(RNG.choice(list("abcdefghijklmnop"), RNG.integers(2, 9))) for _ in range(3000)])
FOOTER = "this message and what is attached to it is meant for the person that it was sent to and nobody else"


def text(words: int, vocabulary: int = 3000) -> str:
    return " ".join(RNG.choice(WORDS[:vocabulary], words))


def with_another_word(t: str) -> str:
    words = t.split()
    words[RNG.integers(len(words))] = "changed"
    return " ".join(words)


def as_chinese(t: str) -> str:
    return "".join(chr(0x4E00 + hash(word) % 3000) for word in t.split())


CHANGES: dict[str, Callable[[str], str]] = {
    "a word": with_another_word,
    "punctuation": lambda t: ", ".join(t.split()) + "!!",
    "case": str.upper,
    "a sentence in front": lambda t: "I wrote this some days ago. " + t,
    "a sentence behind": lambda t: t + ". Nothing more has to be said about it now.",
    "markup": lambda t: "<div class='x'><p>" + t.replace(" ", "&nbsp;", 3) + "</p><br/></div>",
    "blanks": lambda t: "\n\t ".join(t.split(" ")),
}


@pytest.mark.parametrize("words", [12, 25, 90, 600])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("footer", ["", FOOTER])
def test_a_text_that_changed_a_little_is_found(change: str, words: int, footer: str) -> None:
    base = [f"{text(words)} {footer}" for _ in range(120)]
    changed = [f"{CHANGES[change](t.removesuffix(footer))} {footer}" for t in base[:40]]
    _same_N, near_N = near_texts([*base, *changed], 50)
    assert near_N[:120].tolist() == list(range(120))  # a footer of all makes no copies
    assert near_N[120:].tolist() == list(range(40))


def test_texts_without_blanks_between_words_and_of_few_words_are_compared_too() -> None:
    base = ["".join(map(chr, RNG.integers(0x4E00, 0x6E00, 60))) for _ in range(50)]
    changed = [t[:20] + "新" + t[21:] + "。" for t in base[:10]]
    assert near_texts([*base, *changed], 50)[1][50:].tolist() == list(range(10))
    entities = {"&eacute;": "é", "&atilde;": "ã", "&ccedil;": "ç"}
    accents = [
        " ".join(f"{word}&eacute; {word}&atilde;&ccedil;o" for word in text(9).split()) for _ in range(9)
    ]
    plain = accents.copy()
    for entity, letter in entities.items():
        plain = [t.replace(entity, letter) for t in plain]
    assert near_texts([*accents, *plain], 50)[0].tolist() == [*range(9), *range(9)]
    few = [f"ticket {k} {text(22, 20)}" for k in range(300)]
    again = [t.replace("ticket ", "ticket 9") + " please" for t in few[:100]]
    assert near_texts([*few, *again], 50)[1].tolist() == [*range(300), *range(100)]


def test_short_texts_and_texts_without_words_are_left_alone() -> None:
    texts = ["good", "good", "", "", "?!" * 40, "?!" * 40, "!?" * 40]
    same_N, near_N = near_texts(texts, 50)
    assert same_N.tolist() == near_N.tolist() == [0, 1, 2, 3, 4, 4, 6]


@pytest.mark.parametrize("change", ["a word", "a sentence behind", "markup"])
def test_labels_drawn_by_chance_are_not_told_from_near_copies(change: str) -> None:
    base = [text(20) for _ in range(100)]
    texts = [t for b in base for t in (b, CHANGES[change](b), CHANGES["case"](b))]
    label = np.repeat(RNG.permutation(100) % 2, 3)
    data = load(pd.DataFrame({"t": texts, "y": label}), target="y", kinds={"t": "text"})
    owners = [{int(i) // 3 for i in rows.index} for rows in data.splits.values()]
    assert sum(map(len, owners)) == 100
    assert any("almost in a long text: 200; they are never parted" in note for note in data.notes)


def test_forms_with_few_words_of_their_own_are_no_copies_and_their_copies_are() -> None:
    """A form that hundreds fill in returns by nature; the same filled-in form twice is a copy."""
    form = (
        "dear support team , my order {} to {} has not arrived yet and i would like to know where it is now"
    )
    texts = [form.format(text(1), text(1)) for _ in range(300)]
    texts[200:] = texts[:100]
    frame = pd.DataFrame({"t": texts, "p": RNG.normal(size=300), "y": RNG.permutation(300) % 2})
    data = load(frame, target="y", kinds={"t": "text"})
    assert abs(len(data.test) - 45) <= 5
    part = pd.concat(pd.Series(name, rows.index.numpy()) for name, rows in data.splits.items())
    assert (frame.assign(part=part).groupby("t")["part"].nunique() == 1).all()
