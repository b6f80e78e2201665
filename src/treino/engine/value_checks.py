"""Checks of single values: known names, whole numbers, ranges; errors come with a hint."""

from collections.abc import Iterable
from numbers import Integral, Real

from treino.errors import TreinoError, nearest
from treino.words import _, setting

LARGEST_WHOLE = 2**63 - 1


def known(what: str, name: object, names: Iterable[str]) -> str:
    """The name, if the registry has it; else raises an error with the nearest name."""
    if not isinstance(name, str) or name not in names:
        raise TreinoError(
            f"{what}_unknown",
            _("There is no {what} {name!r}.").format(what=what, name=name),
            nearest(str(name), names),
        )
    return name


def whole(name: str, value: object, least: int, most: int = LARGEST_WHOLE, text: str | None = None) -> int:
    """Check a whole number and its range. text: the name in the error, if it is no setting."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) <= most:
        raise TreinoError(
            f"{name}_range",
            _("{what} is {value!r}, not a whole number from {least} to {most}.").format(
                what=text or setting(name), value=value, least=least, most=most
            ),
            _("Use e.g. {example}.").format(example=max(least, 10)),
        )
    return int(value)


def in_range(name: str, value: object, low: float, high: float) -> float:
    """Check that a number is in [low, high)."""
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= float(value) < high:
        raise TreinoError(
            f"{name}_range",
            _("{name} is {value!r}, not a number from {low} to below {high}.").format(
                name=setting(name), value=value, low=low, high=high
            ),
            _("Leave it out for the usual value."),
        )
    return float(value)
