"""A change of a run's settings, as the table ``changes`` keeps it, and in words."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from treino.base.words import N_, _

SENDERS = {"": N_("by a person"), "agent": N_("by an agent"), "alert": N_("by an alert")}
"""Who changes settings and begins segments, in words for a reader."""
CONSEQUENCE = "consequence"
"""The sender of changes that nobody asked for: they follow from others."""


class Change(NamedTuple):
    """Settings changed in ``segment``, by name. step: the updates before the first one for which they hold.
    sender: as for a command, or ``CONSEQUENCE``."""

    segment: int
    step: int
    settings: Mapping[str, Any]
    sender: str = ""

    def __str__(self) -> str:
        sender = _(SENDERS.get(self.sender, self.sender))
        if not self.settings:
            return _("From step {step:,} on: the same settings again ({sender}).").format(
                step=self.step, sender=sender
            )
        return _("From step {step:,} on: {changes} ({sender}).").format(
            step=self.step, changes=settings_text(self.settings), sender=sender
        )


def settings_text(settings: Mapping[str, Any], apart: str = ", ") -> str:
    """Settings with their values, as they are typed: ``lr 0.001, hidden 8,6``."""
    return apart.join(f"{name} {_value_text(value)}" for name, value in settings.items())


def _value_text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or _("none")
    return _("none") if value is None else str(value)
