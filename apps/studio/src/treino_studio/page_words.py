"""The texts of the studio's pages: ``page/words.json`` has them in English, by the keys that the modules use.

The page replaces names in braces by values.
"""

import json
from pathlib import Path

from treino.base.words import ENGLISH, speaking, translation

_PARTS = json.loads(Path(__file__).with_name("page").joinpath("words.json").read_text("utf-8"))
WORDS: dict[str, str] = {key: text for part in _PARTS.values() for key, text in part.items()}


def page_words(language: str) -> dict[str, str]:
    """All texts in a language: ``en``, or one that has a catalogue."""
    if language == ENGLISH:
        return WORDS
    with speaking(language):  # some words are in the doctor's catalogue
        return {key: translation(text) for key, text in WORDS.items()}
