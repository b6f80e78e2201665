"""Translation: ``_`` looks a sentence up in the reader's language, ``numeral`` writes a number.

The language is chosen once, before the first sentence is looked up: ``--lang`` on the command line, else
``TREINO_LANG``, else the locale (the first of ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` that is set). In
Python: ``treino.base.words.use("pt_BR")``. English needs no catalogue; a sentence that has no translation
stays English. Names of settings, flags, rules and JSON keys are the same in all languages. So are numbers in
JSON, in CSV files, in commands and in values of settings: they have a decimal point and no grouping.

How a sentence writes a setting depends on the reader's interface (``interface``): the command line reads
``--patience 5`` where Python reads ``patience=5``. A sentence names a setting in double brackets, ``_("Leave
[[patience]] out, or use [[validation=0.15]].")``, or has it as a value that is filled in later: ``_("{what}
needs validation rows.").format(what=setting("patience", 5))``.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Literal

from treino_doctor.base.words import ENGLISH as ENGLISH
from treino_doctor.base.words import LOCALES as LOCALES
from treino_doctor.base.words import N_ as N_
from treino_doctor.base.words import VARIABLE as VARIABLE
from treino_doctor.base.words import Sentence as Sentence
from treino_doctor.base.words import add_catalogue as add_catalogue
from treino_doctor.base.words import capitalised as capitalised
from treino_doctor.base.words import joined as joined
from treino_doctor.base.words import known_sentences as known_sentences
from treino_doctor.base.words import language as language
from treino_doctor.base.words import languages as languages
from treino_doctor.base.words import localised as localised
from treino_doctor.base.words import named as named
from treino_doctor.base.words import numeral as numeral
from treino_doctor.base.words import placeholders as placeholders
from treino_doctor.base.words import quoted_in_python
from treino_doctor.base.words import speaking as speaking
from treino_doctor.base.words import translation as translation
from treino_doctor.base.words import use as use

LOCALE = Path(__file__).parents[1] / "locale"
MARK = re.compile(r"\[\[(?P<name>\w+)(?:=(?P<value>[^\]]*))?\]\]")
IN_COMMAND = re.compile(r"treino [a-z]+ [^.;:]*$")  # precedes a setting in a command line
PLAIN_VALUE = re.compile(r"[\d.e-]+|True|False")  # values without quotes in Python
NUMBERS = "every", "lr", "momentum"  # numeric settings whose value is filled into a sentence
BARE: dict[str | None, list[str]] = {None: [], "True": []}  # values that a flag leaves out
FIELD = re.compile(r"\{\w+\}")  # a field in a setting's value; filled in and quoted later
Interface = Literal["flag", "keyword", "plain"]


def _(sentence: str) -> str:
    """The sentence in the reader's language; in English if the catalogue has no translation.

    Fill in values after the look-up: ``_("{n:,} rows").format(n=3)``, never in an f-string. A number with a
    format in the sentence is written as ``numeral`` does; for text to be typed (``--lr {lr}``) pass a str.
    Call ``_`` inside functions only: a look-up at import ignores a later choice of language; mark such
    sentences with ``N_``.
    """
    if not sentence:
        return Sentence(sentence)
    return Sentence(_typed(translation(sentence)), {"sentence": str(sentence)})


def _typed(sentence: str) -> str:
    """The sentence with its ``[[settings]]`` as the reader types them."""

    def written(mark: re.Match[str]) -> str:
        name, value = mark["name"], mark["value"]
        if _interface.get() == "flag" or IN_COMMAND.search(sentence[: mark.start()]):
            if value == "False":
                return flag(f"no_{name}")
            return " ".join([flag(name), *BARE.get(value, [_parts(value, "q", shlex.quote)])])
        if value is None or _interface.get() == "plain":
            return " ".join([name, *([] if value is None else [value])])
        if name in NUMBERS or PLAIN_VALUE.fullmatch(value):
            return f"{name}={value}"
        return f"{name}='{_parts(value, 'e', quoted_in_python)}'"

    return MARK.sub(written, sentence) if "[[" in sentence else sentence


def _parts(value: str | None, conversion: str, quoted: Callable[[str], str]) -> str:
    """A setting's value with its fixed texts quoted; fields are quoted when they are filled in."""
    texts = [quoted(text) if text else "" for text in FIELD.split(value or "")]
    fields = [f"{field[:-1]}!{conversion}}}" for field in FIELD.findall(value or "")]
    return "".join(text + field for text, field in zip(texts, [*fields, ""], strict=True))


@contextmanager
def interface(kind: Interface) -> Iterator[None]:
    """Choose the form of settings in sentences within the block: ``flag``, ``--patience 5``, for the command
    line; ``keyword`` (default), ``patience=5``, for Python; ``plain``, ``patience 5``, for other readers.
    """
    before = _interface.set(kind)
    try:
        yield
    finally:
        _interface.reset(before)


def setting(name: str, *value: object) -> str:
    """A setting as the reader types it: ``--patience``, or with a value ``--patience 5`` or ``patience=5``.

    name: with underscores, as in ``treino.settings.spec``. value: at most one.
    """
    kind = _interface.get()
    if not value:
        return flag(name) if kind == "flag" else name
    if kind == "keyword":
        return f"{name}={value[0]!r}"
    if kind == "flag" and isinstance(value[0], bool):
        return flag(name if value[0] else f"no_{name}")
    several = isinstance(value[0], Sequence) and not isinstance(value[0], str)
    text = (",".join(map(str, value[0])) or "none") if several else str(value[0])  # type: ignore[call-overload]
    return f"{flag(name)} {shlex.quote(text)}" if kind == "flag" else f"{name} {text}"


def flag(name: str) -> str:
    """The flag of a setting: ``--batch-size`` for ``batch_size``."""
    return "--" + name.replace("_", "-")


_interface: ContextVar[Interface] = ContextVar("interface", default="keyword")
add_catalogue("treino", LOCALE)
