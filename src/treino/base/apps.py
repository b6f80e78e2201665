"""What apps add to treino, found by entry points: verbs of the command line and names for Python."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, Literal

from treino.base.errors import Refusal

APP_MISSING = Refusal(
    "'{name}' belongs to the app {app}, which is not installed here.", "Install the whole of treino."
)

Group = Literal["treino.verbs", "treino.names", "treino.entries"]


@cache
def entries(group: Group) -> dict[str, EntryPoint]:
    """The entry points of a group by their names; reading them takes some hundredths of a second."""
    return {entry.name: entry for entry in entry_points(group=group)}


def installed(name: str) -> bool:
    """Whether the app that adds the verb of this name is installed."""
    return find_spec(entries("treino.verbs")[name].module.partition(".")[0]) is not None


def brought(group: Group, name: str) -> Any:
    """The object that an installed app registers under this name.

    Raises:
        TreinoError: the app is not installed.
    """
    entry = entries(group)[name]
    package = entry.module.partition(".")[0]
    try:
        return entry.load()
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise APP_MISSING(name=name, app=package) from None


def of_packages(kind: str, name: str) -> Any:
    """What an installed package registers as ``kind.name``, such as ``loss.focal``, in the group
    ``treino.entries``; None if none does."""
    entry = entries("treino.entries").get(f"{kind}.{name}")
    return None if entry is None else entry.load()
