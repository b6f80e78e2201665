"""Translation: ``_`` looks a sentence up in the reader's language, ``numeral`` writes a number.

The language is chosen once, before the first sentence is looked up: ``--lang`` on the command line, else
``TREINO_LANG``, else the locale (the first of ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` that is set). In
Python: ``use("pt_BR")``. English needs no catalogue; a sentence that has no translation stays English. Names
of flags, rules and JSON keys are the same in all languages; so are numbers in JSON.

A package that builds on this one adds its own catalogue by ``add_catalogue``, and shares the language.
"""

import gettext
import math
import numbers
import os
import re
import shlex
import string
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

ENGLISH = "en"
VARIABLE = "TREINO_LANG"
LOCALES = "LC_ALL", "LC_MESSAGES", "LANG"
THOUSANDS = "\u202f"  # a narrow no-break space: Brazilians would read 2,080 as about two
_catalogues = {"treino_doctor": Path(__file__).parents[1] / "locale"}  # domain -> the folder of its languages


def _(sentence: str) -> str:
    """The sentence in the reader's language; in English if the catalogue has no translation.

    Fill in values after the look-up: ``_("{n:,} {n:row|rows}").format(n=3)``, never in an f-string. A number
    with a format in the sentence is written as ``numeral`` does; ``{n:row|rows}`` is the word for n: one, or
    another number. Call ``_`` inside functions only: a look-up at import ignores a later choice of language;
    mark such sentences with ``N_``.
    """
    return Sentence(translation(sentence), {"sentence": str(sentence)}) if sentence else Sentence(sentence)


def translation(sentence: str) -> str:
    """The text that the newest catalogue with this sentence has for it."""
    return _chosen[1].gettext(sentence)


def quoted_in_python(text: str) -> str:
    """The text escaped for single quotes in Python."""
    return text.replace("\\", r"\\").replace("'", r"\'")


class Sentence(str):
    """A text in the reader's language, with its source, so that it can be stored for readers of any language.

    source: ``{"sentence": English, "values": {...}}`` of a look-up, ``{"number": 0.5, "format": ".2f"}`` of a
    number, ``{"parts": [...], "between": ", "}`` of joined texts, ``{"capitalised": ...}``. A value or part
    is a source, a text or a number. source is None if unknown.
    """

    __slots__ = ("source",)
    source: Mapping[str, Any] | None

    def __new__(cls, text: str, source: Mapping[str, Any] | None = None) -> "Sentence":
        sentence = super().__new__(cls, text)
        sentence.source = source
        return sentence

    def format(self, *args: Any, **kwargs: Any) -> str:
        """``str.format``, with numbers in the form of the reader's language."""
        text = _FORMATTER.vformat(self, args, kwargs)
        if args or self.source is None:
            return Sentence(text)
        return Sentence(text, {**self.source, "values": {k: _source(v) for k, v in kwargs.items()}})


def _source(value: Any) -> Any:
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        # JSON has no NaN or infinity
        return float(value) if math.isfinite(value) else {"float": str(float(value))}
    text = value if isinstance(value, str) else str(value)  # the str of a TreinoError is a Sentence
    return text if getattr(text, "source", None) is None else text.source  # type: ignore[attr-defined]


def joined(parts: Iterable[str], between: str = "") -> str:
    """The texts joined, as by ``between.join(parts)``, with their sources."""
    parts = [*parts]
    source = {"parts": [_source(part) for part in parts], "between": between}
    return Sentence(between.join(parts), source)


def capitalised(text: str) -> str:
    """The text with an upper-case first letter, and its source."""
    return Sentence(text[:1].upper() + text[1:], {"capitalised": _source(text)})


class _Formatter(string.Formatter):
    def convert_field(self, value: Any, conversion: Any) -> Any:
        """Convert settings' values: ``q`` quotes them for a shell, ``e`` escapes them for Python's quotes."""
        quoted = {"q": shlex.quote, "e": quoted_in_python}.get(conversion)
        return super().convert_field(value, conversion) if quoted is None else quoted(str(value))

    def format_field(self, value: Any, format_spec: str) -> str:
        """Write the first or the second word of ``{n:row|rows}``, a number as ``numeral`` does."""
        one, either, many = format_spec.partition("|")
        if either:
            return one if value == 1 else many
        as_numeral = format_spec and isinstance(value, numbers.Real)
        return numeral(value, format_spec) if as_numeral else format(value, format_spec)


_FORMATTER = _Formatter()


def numeral(value: Any, spec: str = "") -> str:
    """A number in the form of the reader's language: 0.926 is 0,926 in Portuguese.

    value: an int, a float or a number of NumPy. spec: Python's format, where ``,`` groups thousands by a
    narrow space; a nonzero value is never written as 0, nor a share below 1 as 1: 5.4e-5 by ``.3f``,
    99.98 % by ``.1%``. Without a spec: four significant digits, no needless exponent, U+2212 as minus:
    0.9259, 54.31, 12 345, 1.2e-7, −1.
    """
    text = localised(_by_format(value, spec) if spec else _significant(float(value)))
    text = f"{text[:-1]} %" if spec.endswith("%") else text
    return Sentence(text, {"number": _source(value), "format": spec})


def localised(digits: str) -> str:
    """Convert a number's text from Python's form, such as ``1,234.5``, to the reader's form."""
    point = _("0.5")[1]  # its translation contains the decimal sign
    return digits.translate({ord(","): THOUSANDS, ord("."): point})


MOST_PLACES = 6  # maximum decimals of a share, so that it isn't written as 1


def _by_format(value: Any, spec: str) -> str:
    """``format`` that never writes 0 for a nonzero value, nor 1 for a share below 1."""
    text, parts = format(value, spec), re.fullmatch(r"(.*\.)(\d+)([f%])", spec)
    if parts is None or not math.isfinite(value) or value == round(value):
        return text
    percent = 100 if parts[3] == "%" else 1
    if not text.strip("-0.%"):
        return _significant(float(f"{value * percent:.2g}")) + spec[-1].strip("f")
    if abs(value) < 1 < percent + int(parts[2]):
        return _less_than_one(value, int(parts[2]), f"{parts[1]}{{}}{parts[3]}", percent)
    return text


def _less_than_one(value: Any, places: int, form: str = ".{}f", percent: int = 1) -> str:
    texts = [format(value, form.format(more)) for more in range(places, MOST_PLACES + 1)]
    fewer = (text for text in texts if abs(float(text.rstrip("%"))) != percent)
    return next(fewer, format(value, form.format(places)))


def _significant(value: float) -> str:
    size = abs(value)
    if value < 0:
        return f"−{_significant(size)}"
    if size == 0 or not math.isfinite(value):
        return f"{value:g}"
    if not 1e-3 <= size < 1e7:
        digits, exponent = f"{value:.2e}".split("e")
        return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"
    places = max(0, 3 - math.floor(math.log10(size)))
    if places:
        text = _less_than_one(value, places) if size < 1 else f"{value:.{places}f}"
        return text.rstrip("0").rstrip(".")
    return f"{value:,.0f}" if size >= 1e4 else f"{value:.0f}"


def N_(sentence: str) -> str:
    """Mark a constant sentence for the catalogue; ``_`` looks it up when it is shown."""
    return sentence


def placeholders(text: str) -> str:
    """The text with its words in capitals, such as FILE, in the reader's language where they have one."""
    return re.sub(r"[A-Z]{3,}", lambda word: _(word[0]), text)


def add_catalogue(domain: str, folder: Path) -> None:
    """Look sentences up in ``folder/LANGUAGE/LC_MESSAGES/domain.mo`` first, from now on."""
    _catalogues[domain] = folder
    _set(_chosen[0])


def languages() -> list[str]:
    """The available languages: ``en``, and each language that has a compiled catalogue."""
    compiled = {name for catalogue in _catalogues.items() for name in _compiled(*catalogue)}
    return [ENGLISH, *sorted(compiled)]


def _compiled(domain: str, folder: Path) -> list[str]:
    return [path.parts[-3] for path in folder.glob(f"*/LC_MESSAGES/{domain}.mo")]


@cache
def _catalogue_sentences(domain: str, folder: Path) -> frozenset[str]:
    catalogues = [gettext.translation(domain, folder, [name]) for name in _compiled(domain, folder)]
    return frozenset(s for each in catalogues for s in each._catalog)  # type: ignore[attr-defined]


def known_sentences() -> frozenset[str]:
    """All translated sentences, in English."""
    return frozenset().union(*(_catalogue_sentences(*catalogue) for catalogue in _catalogues.items()))


def named(name: str) -> str | None:
    """The language's code: ``pt``, ``pt-BR`` and ``pt_BR.UTF-8`` give ``pt_BR``; ``C`` gives ``en``.

    None for an unknown language.
    """
    plain = name.strip().split(".")[0].split("@")[0].replace("-", "_").lower()
    known = {language.lower(): language for language in languages()} | {"c": ENGLISH, "posix": ENGLISH}
    same = [known[k] for k in known if plain and k.split("_")[0] == plain.split("_")[0]]
    return known.get(plain) or (same[0] if same else None)


def language() -> str:
    """The language in use, as ``en`` or ``pt_BR``."""
    return _chosen[0]


def use(name: str) -> None:
    """Use this language from now on, in child processes too (through ``TREINO_LANG``).

    Raises:
        ValueError: there is no such language; the message names the available ones.
    """
    if (code := named(name)) is None:
        message = _("There is no language {name!r}; there are: {known}.")
        raise ValueError(message.format(name=name, known=", ".join(languages())))
    _set(code)
    os.environ[VARIABLE] = code


@contextmanager
def speaking(name: str | None) -> Iterator[None]:
    """Use a language within the block. name=None: the current language.

    Raises:
        ValueError: as ``use``, for ``TREINO_LANG`` as well.
    """
    global _chosen
    before, variable = _chosen, os.environ.get(VARIABLE)
    try:
        if name is not None or variable:
            use(name if name is not None else str(variable))
        yield
    finally:
        _chosen = before
        os.environ.pop(VARIABLE, None)
        if variable is not None:
            os.environ[VARIABLE] = variable


def _set(code: str) -> None:
    global _chosen
    texts = gettext.NullTranslations()
    for domain, folder in _catalogues.items():
        newer = gettext.translation(domain, folder, [code], fallback=True)
        newer.add_fallback(texts)
        texts = newer
    _chosen = code, texts


def _of_the_machine() -> str:
    """The language that ``TREINO_LANG`` or the locale names; English if that language isn't available."""
    variable = os.environ.get(VARIABLE)
    if variable and named(variable) is None:
        warnings.warn(f"{VARIABLE} is {variable!r}; there are: {', '.join(languages())}.", stacklevel=2)
    locale = next((os.environ[v] for v in LOCALES if os.environ.get(v)), "")
    return (named(variable) if variable else named(locale)) or ENGLISH


_chosen: tuple[str, gettext.NullTranslations]
_set(_of_the_machine())
