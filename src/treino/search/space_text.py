"""The text form of a space of settings, parsed.

``lr=1e-4..1e-1:log``, ``hidden=16|64|64,32``, ``dropout=0..0.5:4`` (four levels for a grid),
``momentum=0..0.95 if optimizer=sgd``; as a dict of such texts, lists and single values in Python; or as a
TOML file of the same.
"""

import math
import re
from collections.abc import Container, Mapping, Sequence
from typing import Any

from treino.errors import TreinoError, nearest
from treino.search.space import Choice, Dimension, Range, Space, checked_domain, in_order
from treino.spec import Settings
from treino.words import _

_RANGE = re.compile(r"(?P<low>[^|:]+?)\.\.(?P<high>[^|:]+)(?P<options>(?::\w+)*)")
_CONDITION = re.compile(r"\s+if\s+(?P<name>\w[\w-]*)\s*=\s*(?P<values>.+)$")
_WHOLE = re.compile(r"[+-]?\d+")


def read_space(
    domains: Mapping[str, Any] | Sequence[str], whole: Mapping[str, bool], single: Container[str] = ()
) -> Space:
    """Parse a space; see the beginning of this file.

    domains: texts ``name=domain``, or a mapping of names to texts, lists, single values, Range or Choice.
    whole: all settings, and whether each is an integer. single: settings whose values contain no comma.

    Raises:
        TreinoError: an empty space, an unknown name (with the nearest), a repeated name, bounds out of order,
            a logarithmic range that isn't positive, a condition that can't hold, commas in place of |.
    """
    pairs = list(domains.items()) if isinstance(domains, Mapping) else [_pair(text) for text in domains]
    if not pairs:
        raise TreinoError("space_empty", _("The space is empty."), _("Say what to try: lr=1e-4..1e-1:log"))
    dimensions: dict[str, Dimension] = {}
    for written, value in pairs:
        name = str(written).strip().replace("-", "_")
        if name == "data_seed":
            raise TreinoError(
                "space_data_seed",
                _("Every data_seed parts the rows anew, and figures on different rows can't be compared."),
                _("Use [[folds]] to see how much the split matters; seed can be in a space."),
            )
        if name in Settings.model_fields and name not in whole:
            raise TreinoError(
                "space_shared",
                _("{name} is the same for all networks of a sweep.").format(name=name),
                _("Leave it out of the space. What can be in one: {names}.").format(names=", ".join(whole)),
            )
        if name not in whole:
            raise TreinoError(
                "space_unknown", _("There is no setting {name!r}.").format(name=name), nearest(name, whole)
            )
        if name in dimensions:
            raise TreinoError(
                "space_twice",
                _("{name} is twice in the space.").format(name=name),
                _("Say all its values at once: {name}=a|b").format(name=name),
            )
        dimensions[name] = _dimension(name, value, whole, single)
    return Space(tuple(in_order(dimensions)))


def domain_text(d: Mapping[str, Any]) -> str:
    """A domain of ``Space.to_json`` in the form of the command line."""

    def value(v: Any) -> str:
        return (",".join(map(str, v)) or "none") if isinstance(v, (list, tuple)) else str(v)

    if "values" in d:
        text = "|".join(map(value, d["values"]))
    else:
        text = f"{d['low']:g}..{d['high']:g}" + (":log" if d["log"] else "")
        text += f":{d['levels']}" if d["levels"] else ""
    return text + (f" if {d['if']}={'|'.join(map(value, d['among']))}" if "if" in d else "")


def _pair(text: str) -> tuple[str, str]:
    name, equals, domain = text.partition("=")
    if not equals or not name.strip() or not domain.strip():
        raise TreinoError(
            "space_syntax",
            _("{text!r} doesn't say what to try.").format(text=text),
            _("Write name=values: lr=1e-4..1e-1:log or hidden=16|64|64,32"),
        )
    return name, domain


def _refuse_commas(name: str, text: str, whole: Mapping[str, bool], single: Container[str]) -> None:
    """Refuse commas between values (``lr=0.01,0.1``) and a second setting in the text (``lr=0.1 seed=3``)."""
    other = re.search(r"[\s,;]([\w-]+)\s*=", text)
    if other and other[1].replace("-", "_") in whole:
        raise TreinoError(
            "space_syntax",
            _("{text!r} holds more than the values of {name}.").format(text=text, name=name),
            _("Give {other} by itself: a [[space]] for each, or a dict of them in Python.").format(
                other=other[1]
            ),
        )
    if name in single and "," in text:
        choices = re.sub(r"\s*,\s*", "|", text.strip())
        hint = _("Separate values by a |, in quotes: '{name}={several}'.").format(name=name, several=choices)
        if not whole[name] and re.fullmatch(r"\d+,\d+", text.strip()):
            decimal = text.strip().replace(",", ".")
            hint += _(" Or write a decimal with a point: {name}={decimal}.").format(
                name=name, decimal=decimal
            )
        raise TreinoError(
            "space_comma",
            _("A value of {name} holds no comma, and {text!r} does.").format(name=name, text=text),
            hint,
        )


def _dimension(name: str, value: Any, whole: Mapping[str, bool], single: Container[str]) -> Dimension:
    if isinstance(value, (Range, Choice)):
        return Dimension(name, checked_domain(name, value, whole[name]))
    if not isinstance(value, str):
        value = value.tolist() if hasattr(value, "tolist") else value  # of an array
        is_list = isinstance(value, (list, range, set, frozenset))
        values = tuple(v.tolist() if hasattr(v, "tolist") else v for v in (value if is_list else (value,)))
        for text in values:
            if isinstance(text, str):
                _refuse_commas(name, text, whole, single)
        return Dimension(name, checked_domain(name, Choice(values), whole[name]))
    when, among = None, ()
    condition = _CONDITION.search(value)
    if condition:
        value = value[: condition.start()]
        when = condition["name"].replace("-", "_")
        among = tuple(_value(v) for v in condition["values"].split("|"))
        if when not in whole:
            raise TreinoError(
                "space_condition",
                _("{name} asks about {other!r}, and there is no such setting.").format(name=name, other=when),
                nearest(when, whole),
            )
        _refuse_commas(when, condition["values"], whole, single)
    _refuse_commas(name, value, whole, single)
    match = _RANGE.fullmatch(value.strip())
    domain = _range(name, match, whole[name]) if match else Choice(tuple(map(_value, value.split("|"))))
    return Dimension(name, checked_domain(name, domain, whole[name]), when, among)


def _range(name: str, match: re.Match[str], whole: bool) -> Range:
    log, levels = False, None
    for option in match["options"].split(":")[1:]:
        if option == "log":
            log = True
        elif option.isdigit():
            levels = int(option)
        else:
            raise TreinoError(
                "space_syntax",
                _("{name}: there is no {option!r}.").format(name=name, option=option),
                _("A range may end in :log and in a number of levels, e.g. 1e-4..1e-1:log:7"),
            )
    ends = []
    for text in (match["low"], match["high"]):
        number = _value(text)
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
            raise TreinoError(
                "space_syntax",
                _("{name}: {text!r} is no number.").format(name=name, text=text.strip()),
                _("A range is written low..high; several values are separated by |"),
            )
        ends.append(number)
    return Range(ends[0], ends[1], log, whole, levels)


def _value(text: str) -> Any:
    """The value of a text on a command line: an integer, a number, a truth value, or the text."""
    text = text.strip()
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text
