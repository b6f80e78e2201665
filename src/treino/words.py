"""The one place where sentences that people read are looked up, so that a translation is a catalogue."""

import gettext
from pathlib import Path

_catalogue = gettext.translation("treino", Path(__file__).parent / "locale", fallback=True)


def _(sentence: str) -> str:
    """The sentence in the reader's language; English where the catalogue has none.

    Fill in values after the look-up: ``_("{n} rows").format(n=3)``, never in an f-string.
    """
    return _catalogue.gettext(sentence)
