"""Marks of options: what an option may reach beyond its command's own work.

Every option of every verb bears one in its table. ``treino.toml``, which nobody named, sets only what reaches
nothing; an option without a mark counts as reaching everything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from treino.base.words import N_

WORDS: dict[str, str] = {
    "code": N_("run code"),
    "read": N_("read files"),
    "write": N_("write files"),
    "network": N_("reach other machines"),
    "identity": N_("say who acts"),
}


@dataclass(frozen=True)
class OptionMark:
    """What an option may reach. plain: whether a text, as typed, reaches nothing of it, as ``mse`` does for
    the option of a loss, which is code as ``FILE.py:NAME``."""

    reach: tuple[str, ...] = ()
    plain: Callable[[str], bool] | None = None

    def __or__(self, other: "OptionMark") -> "OptionMark":
        return replace(self, reach=(*self.reach, *other.reach))

    def unless(self, plain: Callable[[str], bool]) -> "OptionMark":
        """The mark of an option some of whose texts reach nothing."""
        return replace(self, plain=plain)

    def of(self, texts: Sequence[str]) -> tuple[str, ...]:
        """What the option reaches with these texts."""
        return () if self.plain is not None and all(map(self.plain, texts)) else self.reach

    def holds(self, value: object) -> bool:
        """Whether a setting's value, as its table reads it, names what the mark says."""
        return isinstance(value, str) and bool(self.of([value]))


PLAIN = OptionMark()
CODE, READ, WRITE, NETWORK, IDENTITY = (OptionMark((reach,)) for reach in WORDS)
UNMARKED = OptionMark(tuple(WORDS))


def mark_in(annotation: Any) -> OptionMark | None:
    """The mark in an annotation, of a parameter or a setting; None if it bears none."""
    parts = (*getattr(annotation, "__metadata__", ()), *get_args(annotation))
    marks = (part if isinstance(part, OptionMark) else mark_in(part) for part in parts)
    return next((mark for mark in marks if mark is not None), None)
