"""All registries whose entries are values of settings; checks, help and docs take the names from here."""

from collections.abc import Mapping
from typing import Protocol

from treino.data.builtins import BUILTINS
from treino.engine.activations import ACTIVATIONS
from treino.engine.augmentation import kinds_table
from treino.engine.init import INITS
from treino.engine.losses import LOSSES
from treino.engine.metrics import METRICS
from treino.engine.optim import OPTIMIZERS, readers
from treino.engine.schedules import SCHEDULES
from treino.settings.spec import FLAGS, OF_SOME, settings_table


class Entry(Protocol):
    """An entry of any registry. about: its description in English."""

    @property
    def about(self) -> str: ...


REGISTRIES: Mapping[str, Mapping[str, Entry]] = {
    "activation": ACTIVATIONS,
    "init": INITS,
    "loss": LOSSES,
    "metric": METRICS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}


def names(setting: str) -> list[str]:
    """The names in a setting's registry; for a setting that only some optimizers use, these optimizers; else
    empty."""
    if setting in REGISTRIES:
        return list(REGISTRIES[setting])
    return readers(setting) if setting in OF_SOME else []


def names_table() -> str:
    """The entries of every registry as Markdown, for the end of ``docs/settings.md``."""
    lines = ["## Names", "", "| `DATA` | rows | features | what it is |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {b.rows:,} | {b.features} | {b.about} |" for name, b in BUILTINS.items()]
    lines.append("")
    for setting, registry in REGISTRIES.items():
        lines += [f"| `{FLAGS[setting]}` | what it is |", "|---|---|"]
        lines += [f"| `{name}` | {entry.about} |" for name, entry in registry.items()]
        lines.append("")
    lines += [kinds_table(), ""]
    lines += [f"`{FLAGS[name]}` is read by {', '.join(readers(name))}." for name in OF_SOME]
    return "\n".join(lines)


def settings_page() -> str:
    """The text of ``docs/settings.md``."""
    return f"{settings_table()}\n{names_table()}\n"
