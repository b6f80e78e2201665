"""Shorten texts and lists of names for narrow places; write letters in one way."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from treino.base.words import numeral


def shortened(text: str, most: int = 40) -> str:
    """Return the text on one line of at most ``most`` characters; if it was cut, the last one is ….

    A sentence that fits comes back as it is, with its source in all languages.
    """
    line = " ".join(text.split())
    fitting = text if line == text else line
    return fitting if len(line) <= most else line[: most - 1].rstrip() + "…"


def composed(text: str) -> str:
    """Return the text with each letter and its accents as one character (NFC), as most programs write it."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def that_hold(sentences: Mapping[str, object], **facts: Any) -> list[str]:
    """Return the sentences whose condition holds, with the facts in their places."""
    return [sentence.format(**facts) for sentence, holds in sentences.items() if holds]


def listed(names: Sequence[object], most: int) -> str:
    """Return the first names, followed by dots if there are more."""
    return ", ".join(map(str, names[:most])) + (", …" if len(names) > most else "")


def cell_words(cell: float | str | None) -> str:
    """Return a table's cell for readers: words as they are, a number with six digits, "" for none."""
    return "" if cell is None else cell if isinstance(cell, str) else numeral(cell, ".6g")


def tail(text: str, most: int) -> str:
    """Return the end of a long text, such as the part of a file's name that distinguishes it from others."""
    return text if len(text) <= most else "…" + text[1 - most :]


def whole_number(text: str) -> int | None:
    """The number that a text of at most 18 digits is; None for others, such as "²", which is a digit too."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None
