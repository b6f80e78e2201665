"""The doctor's log as JSON and back: it holds plain values alone, by the types of its events' fields."""

import dataclasses
import json
import math
import types
import typing
from functools import cache
from typing import Any

from treino_doctor.record import learning, outcomes, row_log  # noqa: F401  their events are kinds, too
from treino_doctor.record.log import Event, Log

KIND = "event"  # the key that names an event's type


def written(log: Log) -> str:
    """Its events, one table each."""
    return json.dumps([encoded(event) for event in log.events])


def read(text: str) -> Log:
    """The log that gave this text."""
    kinds: dict[str, type] = {}
    todo: list[type[Event]] = [Event]
    for kind in todo:
        kinds[kind.__name__] = kind
        todo += kind.__subclasses__()
    return Log([_object(table, kinds[table[KIND]]) for table in json.loads(text)])


def encoded(value: Any) -> Any:
    """Plain values for JSON; a float that JSON has no word for is a string."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        table = {KIND: type(value).__name__}
        return table | {f.name: encoded(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [encoded(v) for v in value]
    if isinstance(value, dict):
        return {str(k): encoded(v) for k, v in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value


def _object(table: dict[str, Any], kind: type) -> Any:
    hints = _hints(kind)
    return kind(**{name: _value(table[name], hint) for name, hint in hints.items() if name in table})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _value(value: Any, hint: Any) -> Any:
    """A plain value as the type that a field has."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return None if value is None else _value(value, next(a for a in arguments if a is not type(None)))
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_value(v, arguments[0]) for v in value)
        return tuple(_value(v, a) for v, a in zip(value, arguments, strict=True))
    if origin is list:
        return [_value(v, arguments[0]) for v in value]
    if origin is dict:
        return {arguments[0](k): _value(v, arguments[1]) for k, v in value.items()}
    if hint is float:
        return float(value)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _object(value, hint)
    if hint is Any and isinstance(value, list):
        return tuple(_value(v, Any) for v in value)
    return value
