"""Network files of a sweep: those that its settings name, and their copies in its folder."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from treino.search.space import Choice, Config, Dimension, Space
from treino.tuning.populations import settings_of


def network_words(base: Mapping[str, Any], space: Space, configs: Iterable[Config] = ()) -> list[str | None]:
    """Every word by which these settings name a network's file; None where they name none.

    base: what all members share. configs: settings of single members.
    """
    choices = [d.domain.values or () for d in space.dimensions if d.name == "net"]
    values: list[Any] = [value for values in choices for value in values]
    own = [settings_of(config, base, n).net for n, config in enumerate(configs) if "net" in config]
    return [settings_of({}, base, 0).net, *(None if v is None else str(v) for v in values), *own]


def renamed_space(space: Space, words: Mapping[str, str]) -> Space:
    """The space in which each network is named by another word."""

    def other(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(words.get(str(value), value) for value in values)

    def renamed(d: Dimension) -> Dimension:
        if d.name == "net" and isinstance(d.domain, Choice):
            d = replace(d, domain=Choice(other(d.domain.values)))
        return replace(d, among=other(d.among)) if d.when == "net" else d

    return Space(tuple(renamed(d) for d in space.dimensions))
