"""Types of settings, their text forms on a command line, in JSON and in Python, and their errors."""

import csv
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator, Field, WrapValidator

from treino.base.document_fields import LIMITS, expected
from treino.base.errors import TreinoError, nearest
from treino.base.option_marks import CODE, PLAIN, READ, WRITE, OptionMark, mark_in
from treino.base.own_objects import keep
from treino.base.words import _, setting

LARGEST_LR, LARGEST_DECAY = 1e30, 1e6  # far above useful values, but products stay within float32
LARGEST_LAYER = 1_000_000  # units of one layer
MOST_LAYERS = 500  # a change of 10,000 layers would pause training for half a minute
MOST_STEPS = 1000  # steps or epochs of one command to a training
SLOWEST, FASTEST = 0.01, 1e6  # steps per second of a training that is watched


SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]I?)?B?", re.IGNORECASE | re.ASCII)  # of memory

CLOSED = {bool, int, float, NoneType, tuple, Literal}
"""Types of numbers, switches and choices."""


def marks_of(table: type[BaseModel]) -> dict[str, OptionMark | None]:
    """What each setting of a table may reach: the mark of its type. Numbers, switches and choices reach
    nothing; None: a text whose type doesn't say."""
    hints = get_type_hints(table, include_extras=True)
    closed = {name: PLAIN if types_in(hints[name]) <= CLOSED else None for name in table.model_fields}
    return {name: mark_in(hints[name]) or mark for name, mark in closed.items()}


def types_in(annotation: Any) -> set[Any]:
    """The types of which a setting's type is made: ``{tuple, int, NoneType}`` for layers that may be left
    open; Literal for a choice."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal or not parts:
        return {origin or annotation}
    inner = [types_in(part) for part in parts if isinstance(part, type) or get_args(part)]
    return set().union({origin} & {tuple}, *inner)


class SettingGuess(ValueError):  # noqa: N818
    """A value that can't be parsed. Its argument is the value that was probably meant."""


def number(value: object) -> object:
    """Convert a number of NumPy or torch to a Python number. Refuses some values with a better message than
    pydantic's."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, bool):
        raise SettingGuess(int(value))
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?-\d+", value.strip()):
        raise SettingGuess(value.strip().replace("-", "e-"))
    if isinstance(value, str) and re.fullmatch(r"\d+,\d+", value.strip()):
        raise SettingGuess(value.strip().replace(",", "."))
    return value


def items(value: object) -> object:
    """A tuple from '64,32', a list or an array; 'none' is the empty tuple. A part that contains a comma is
    in double quotes: ``"a, b"=text``."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, str):
        text = value.strip()
        parts = next(csv.reader([text], skipinitialspace=True)) if '"' in text else text.split(",")
        return () if text.lower() in ("", "none") else tuple(part.strip() for part in parts)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (value,)
    return value


def as_item(text: str) -> str:
    """A name as a list item: in double quotes if it has a comma."""
    return '"' + text.replace('"', '""') + '"' if "," in text or text.startswith('"') else text


def as_items(names: Sequence[str]) -> str:
    """A name as it is, or several names as a list."""
    return names[0] if len(names) == 1 else ",".join(map(as_item, names))


def weights(value: object) -> object:
    return value if isinstance(value, str) and value == "balanced" else items(value)


def padding(value: object) -> object:
    return value if isinstance(value, str) and value == "same" else items(value)


def joined(value: object) -> object:
    """Convert ``{"rotate": 10}`` or a list to ``"rotate=10"``, the text of the command line."""
    parts = pairs(value) if isinstance(value, (Mapping, list, tuple)) else value
    return ",".join(map(str, parts)) or "none" if isinstance(parts, (list, tuple)) else parts


def pairs(value: object) -> object:
    """Convert ``{"cep": "text"}`` to ``("cep=text",)``, the form of the command line."""
    return tuple(f"{k}={v}" for k, v in value.items()) if isinstance(value, Mapping) else items(value)


def share(value: object) -> object:
    """A share as a number; any other text, a file's name, stays unchanged."""
    value = number(value)
    _no_percentage(value)
    try:
        return float(value) if isinstance(value, str) else str(value) if hasattr(value, "parts") else value
    except ValueError:
        return value


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def yes(value: object) -> object:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def threshold(value: object) -> object:
    """``auto`` or ``cost=FP:FN``; a space instead of the equals sign is accepted."""
    text = re.sub(r"\s+", "=", str(value).strip().lower(), count=1)
    number = r"\d+(\.\d+)?"
    costs = re.fullmatch(rf"cost=({number}):({number})", text)
    if value is None or text == "auto" or (costs and float(costs[1]) + float(costs[3]) > 0):
        return value if value is None else text
    raise SettingGuess("auto" if text[:1] == "a" else "cost=1:5")


def coverage(value: object) -> object:
    """A share, whose limits the table of settings checks; for a percentage, the error suggests the share."""
    value = number(value)
    _no_percentage(value)
    try:
        percentage = float(str(value))
    except ValueError:
        return value
    if 50 <= percentage < 100:  # nobody means less than half
        raise SettingGuess(float(f"{percentage / 100:.10g}"))
    return value


def _no_percentage(value: object) -> None:
    """Raise SettingGuess for a text such as "20%", with the share that it means."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", value.strip()) if isinstance(value, str) else None
    if match is not None and 0 < float(match[1]) < 100:
        raise SettingGuess(float(f"{float(match[1]) / 100:.10g}"))


def size(value: object) -> object:
    """Check an amount of memory and return it as text: 2GB, 500MB, 2GiB, or bytes."""
    text = str(value).strip()
    if value is None or isinstance(value, bool) or SIZE.fullmatch(text):
        return value if value is None or isinstance(value, bool) else text
    raise SettingGuess("2GB")


def image_size(value: object) -> object:
    """The size of pictures as (height, width). As text: ``64`` for squares, or width x height, ``96x64``."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (value, value)
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+)\s*(?:[x×X*]\s*(\d+)\s*)?", value)
    if match is None:
        raise SettingGuess("64")
    return int(match[2] or match[1]), int(match[1])


def limit(value: object) -> object:
    """A limit; None for infinity, which means no limit."""
    return None if value in (math.inf, "inf") else value


def own(value: object) -> object:
    """A name; a function, class or other object of the user's own is kept under one."""
    return keep(value) if callable(value) else value


def seconds(value: object) -> object:
    """A duration in seconds, from a number or a text such as ``90``, ``90s`` or ``1h1m30s``."""
    if not isinstance(value, str):
        return number(value)
    part = r"(?:(\d+(?:\.\d+)?)\s*{unit}\s*)?"
    units = {"h": 3600, "m(?:in)?": 60, "s?": 1}
    match = re.fullmatch("".join(part.format(unit=unit) for unit in units), value.strip().lower())
    if match is None:
        return number(value)
    return sum(float(text) * size for text, size in zip(match.groups(), units.values(), strict=True) if text)


def path(value: object) -> object:
    """A path as text; what is neither a text nor a path stays, and is refused."""
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def same_path(value: object, check: Callable[[object], object]) -> object:
    """A path as text. A text of another class, such as ``AlbumTable``, stays one."""
    check(text := path(value))
    return text


def name(value: object) -> object:
    """The name of a column as text; a frame's columns may be named by integers. A list of names is joined."""
    if isinstance(value, (list, tuple)):
        return as_items([str(each) for each in value])
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Float = Annotated[float, BeforeValidator(number), Field(allow_inf_nan=False)]
Word = Annotated[str, PLAIN]
OwnName = Annotated[str, BeforeValidator(own), (CODE | READ).unless(lambda text: ":" not in text)]
"""The name of a loss, metric, optimizer or schedule: of a registry's entry, FILE.py:NAME, or of an object."""
Seconds = Annotated[float, BeforeValidator(seconds), Field(allow_inf_nan=False)]
Int = Annotated[int, BeforeValidator(number)]
LISTED = Field(strict=False)  # lets a strict model accept JSON's lists as tuples
Layers = Annotated[
    tuple[Annotated[Int, Field(ge=1, le=LARGEST_LAYER)], ...],
    Field(max_length=MOST_LAYERS),
    LISTED,
    BeforeValidator(items),
]
ImageSize = Annotated[
    tuple[Annotated[int, Field(ge=1, le=4096)], Annotated[int, Field(ge=1, le=4096)]],
    LISTED,
    BeforeValidator(image_size),
]
Counts = Annotated[tuple[Annotated[int, Field(ge=0)], ...], LISTED, BeforeValidator(items)]
Floats = Annotated[tuple[Float, ...], LISTED, BeforeValidator(items)]
Decay = Annotated[Float, Field(ge=0, lt=1)]
Speed = Annotated[float, Field(ge=SLOWEST, le=FASTEST, allow_inf_nan=False)]
StepCount = Annotated[int, Field(ge=1, le=MOST_STEPS)]
Betas = Annotated[tuple[Decay, Decay], LISTED, BeforeValidator(items)]
Strings = Annotated[tuple[str, ...], LISTED, BeforeValidator(items), PLAIN]
Pairs = Annotated[tuple[str, ...], LISTED, BeforeValidator(pairs), PLAIN]
FilePath = Annotated[str, WrapValidator(same_path), READ]
OutPath = Annotated[str, WrapValidator(same_path), WRITE]
Share = Annotated[
    Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] | str,
    BeforeValidator(share),
    READ.unless(_is_number),
]
Name = Annotated[str | None, BeforeValidator(name), PLAIN]


def explained(
    error: Any, values: Mapping[str, Any], table: type[BaseModel], unknown: str = "choice"
) -> TreinoError:
    """Convert an error of pydantic to a TreinoError. table: the table that refused one of the values.

    unknown: the end of the rule of a value that is none of its choices.
    """
    name = str(error["loc"][0])
    value, kind, context = values[name], error["type"], error.get("ctx", {})
    about = _("{name} is: {about}.").format(
        name=setting(name), about=_(table.model_fields[name].description or name)
    )
    options = re.findall(r"'([^']+)'", context.get("expected", ""))
    if kind in LIMITS:
        rule, message = "range", _("{name} must be {wanted}; it is {value}.")
        message = message.format(name=setting(name), wanted=expected(error), value=value)
    elif kind == "too_long":
        most, n, rule = context["max_length"], context["actual_length"], "range"
        message = _("{name} must have at most {most} parts; it has {n}.")
        message = message.format(name=setting(name), most=most, n=n)
    elif len(options) > 1:
        rule, message = (
            unknown,
            _("{name} can't be {value!r}: it is one of {options}.").format(
                name=setting(name), value=value, options=", ".join(map(repr, options))
            ),
        )
        about = nearest(str(value), options)
    else:
        rule = "type"
        message = _("{name} can't be {value!r}.").format(name=setting(name), value=value)
        if isinstance(context.get("error"), SettingGuess):
            about = _("Did you mean {guess}?").format(guess=context["error"])
    return TreinoError(f"{name}_{rule}", message, about)
