"""Check the options that the user sets for a file (delimiter, encoding, header …)."""

import codecs
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal, get_args

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import _, setting
from treino.settings.setting_types import items

DELIMITER_FORM = Refusal("The delimiter is '{value}'; it must be one character.", "Usual: , ; | tab space.")
QUOTE_FORM = Refusal("The quote is '{value}'; it must be one character, or none.", "Usual: the double quote.")
SKIP_RANGE = Refusal(
    "{name} must be a whole number of lines, at least 0; it is {value!r}.",
    "Count the lines above the header.",
)
ENCODING_CHOICE = Refusal("There is no encoding '{name}'.", "{hint}")

Dates = Literal["day/month", "month/day", "year/month/day", "year/day/month"]
_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_DECIMALS = {"point": ".", "dot": ".", ".": ".", "comma": ",", ",": ","}
_HEADERS = {"yes": True, "true": True, "no": False, "none": False, "false": False}
_DATES: dict[str, Dates] = {order: order for order in get_args(Dates)}
_DATES |= {"day/month/year": "day/month", "month/day/year": "month/day"}


@dataclass(frozen=True)
class ReaderOptions:
    """Format of a text file. An option that is None is detected; an ambiguous file is refused.

    delimiter, quote: one character ("" for a file without quotes). decimal: ``.`` or ``,``; the other
    character, or a blank, may separate thousands. encoding: Python's name of an encoding. header: whether the
    first line names the columns. dates: the order of day, month and year. text: columns that stay text,
    whatever their cells look like. missing: words beside the usual ones (NA, ?, …) that mean a missing value,
    and which of the usual ones do in text columns; detected: the words in columns of numbers, dates and
    booleans. like: the format of the rows that trained a network, used if the file is ambiguous; only its
    words mean missing. sheet: a workbook sheet, by name or by number from 1. skip: the number of lines, or
    rows of a sheet, above the header. forms: pairs of a column and what it holds: numbers, dates, truth,
    words, or ``levels`` (classes as they are written). grouped: detected: the columns of numbers in which the
    other decimal character separates thousands. keep_empty: whether a record without any cell is a row, as
    among rows to predict; otherwise it is left out.
    """

    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: bool | None = None
    quote: str | None = None
    dates: Dates | None = None
    text: tuple[str, ...] = ()
    missing: tuple[str, ...] | None = None
    like: "ReaderOptions | None" = None
    sheet: str | None = None
    skip: int | None = None
    forms: tuple[tuple[str, str], ...] = ()
    grouped: tuple[str, ...] = ()
    keep_empty: bool = False

    def __post_init__(self) -> None:
        delimiter = _DELIMITERS.get(self.delimiter or "", self.delimiter)
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '\r\n\0"'):
            raise DELIMITER_FORM(value=self.delimiter)
        if self.quote is not None and (len(self.quote) > 1 or (self.quote and self.quote in "\r\n\0")):
            raise QUOTE_FORM(value=self.quote)
        if self.skip is not None and (
            isinstance(self.skip, bool) or int(self.skip) != self.skip or self.skip < 0
        ):
            raise SKIP_RANGE(name=setting("skip"), value=self.skip)
        object.__setattr__(self, "delimiter", delimiter)
        object.__setattr__(self, "decimal", _choice("decimal", self.decimal, _DECIMALS))
        object.__setattr__(self, "header", _choice("header", self.header, _HEADERS))
        object.__setattr__(self, "dates", _choice("dates", self.dates, _DATES))
        object.__setattr__(self, "encoding", _encoding(self.encoding))
        object.__setattr__(self, "missing", items(self.missing))

    @cached_property
    def wanted(self) -> dict[str, str]:
        """What columns hold, by name."""
        return dict((self.like.forms if self.like else ()) + self.forms)

    def to_json(self) -> dict[str, Any]:
        """The options that are set."""
        own = asdict(self).items()
        options = {n: v for n, v in own if v not in (None, ()) and n not in ("forms", "keep_empty")}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in options.items()}


def as_reading(
    options: ReaderOptions | Mapping[str, Any] | None, more: Mapping[str, Any] | None = None
) -> ReaderOptions | None:
    """The reader options, built from JSON values if they are given as such. more: further ones, by name."""
    if options is None and not more:
        return None
    if options is None or isinstance(options, Mapping):
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in (options or {}).items()
        }
        values["forms"] = tuple(dict(values.get("forms") or ()).items())
        return ReaderOptions(**values | dict(more or {}))
    return replace(options, **more) if more else options


def as_text(reading: ReaderOptions | None, names: Iterable[str]) -> ReaderOptions | None:
    """The options with further columns that stay text; ``reading`` itself if there are none."""
    text = tuple(dict.fromkeys([*(reading.text if reading else ()), *names]))
    return replace(reading or ReaderOptions(), text=text) if text else reading


def _choice(name: str, value: object, known: Mapping[str, object]) -> object:
    if value is None or isinstance(value, bool):
        return value
    if str(value).lower() in known:
        return known[str(value).lower()]
    raise TreinoError(
        f"{name}_choice",
        _("'{value}' is no value of {name}.").format(value=value, name=name),
        nearest(str(value), known),
    )


def _encoding(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        "".encode(codecs.lookup(name).name)
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise ENCODING_CHOICE(
            name=name, hint=nearest(name, ["utf-8", "utf-16", "latin-1", "windows-1252"])
        ) from None
