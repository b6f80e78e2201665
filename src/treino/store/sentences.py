"""Sentences in stored JSON: stored with their sources, so that each reader gets them in their language.

A document with sentences has an additional key ``sentences``: for each the place of its text, and its source
(see ``treino.words.Sentence``). On reading, the text is made again from the source. If this version doesn't
know the sentence, or the source is invalid, the stored text stays.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from treino.words import Sentence, _, capitalised, joined, known_sentences, numeral

KEY = "sentences"
DEEPEST = 16  # nested sources
LONGEST = 20_000  # letters
SEPARATOR = 4  # letters
FORMATS = re.compile(r"\+?,?(\.\d{1,2})?[defg%]?")


def with_sources(value: Any) -> Any:
    """The JSON value, with the sources of its sentences if it is an object that contains some."""
    if not isinstance(value, Mapping):
        return value
    sources = [{"place": place, "source": source} for place, source in _sources(value, [])]
    return {**value, KEY: sources} if sources else value


def _sources(value: Any, place: list[str | int]) -> Iterator[tuple[list[str | int], Any]]:
    if isinstance(value, Sentence):
        if value.source is not None:
            yield place, value.source
        return
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, item in items:
        if isinstance(item, Sentence | Mapping | list | tuple):
            yield from _sources(item, [*place, key])


def without_sources(value: Any) -> Any:
    """The value before ``with_sources``, with its sentences in the reader's language. Changes the value in
    place."""
    stored = value.pop(KEY, None) if isinstance(value, dict) else None
    for entry in stored if isinstance(stored, list) else ():
        try:
            *way, last = entry["place"]
            inner = value
            for key in way:
                inner = inner[key]
            if type(inner[last]) is str:
                inner[last] = _made(entry["source"], DEEPEST)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            continue
    return value


def _made(source: Any, levels: int) -> Any:
    """The text of a source in the reader's language, or a number for a nested one.

    Raises:
        ArithmeticError, AttributeError, LookupError, TypeError, ValueError: the source is invalid.
    """
    made = source if isinstance(source, str | int | float) else _text(source, levels)
    if levels == 0 or (isinstance(made, str) and len(made) > LONGEST):
        raise ValueError(source)
    return made


def _text(source: Any, levels: int) -> Any:
    match source:
        case {"sentence": str(text), "values": dict(values)} if text in known_sentences():
            return _(text).format(**{name: _made(each, levels - 1) for name, each in values.items()})
        case {"sentence": str(text), **others} if text in known_sentences() and not others:
            return _(text)
        case {"number": number, "format": str(spec)} if FORMATS.fullmatch(spec):
            return numeral(_made(number, levels - 1), spec)
        case {"float": "nan" | "inf" | "-inf" as text}:
            return float(text)
        case {"capitalised": text}:
            return capitalised(_part(text, levels))
        case {"parts": list(parts), "between": str(between)} if len(between) <= SEPARATOR:
            return joined([_part(part, levels) for part in parts], between)
    raise ValueError(source)


def _part(source: Any, levels: int) -> str:
    made = _made(source, levels - 1)
    return made if isinstance(made, str) else str(made)
