"""What apps add to treino, found by entry points: verbs, names, formats, schemas, pictures, functions."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, Literal

from treino.base.errors import Refusal, cause

APP_MISSING = Refusal(
    "'{name}' belongs to the app {app}, which is not installed here.", "Install the whole of treino."
)

ENTRY_BROKEN = Refusal(
    "The entry {name} of an installed package can't be imported from {value}: {cause}",
    "Mend that package, or uninstall it.",
)

Group = Literal[
    "treino.verbs",
    "treino.names",
    "treino.formats",
    "treino.schemas",
    "treino.pictures",
    "treino.pictures_together",
    "treino.functions",
    "treino.entries",
]


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
    ``treino.entries``; None if none does.

    Raises:
        TreinoError: the package can't be imported, or has no such object.
    """
    entry = entries("treino.entries").get(f"{kind}.{name}")
    if entry is None:
        return None
    try:
        return entry.load()
    except (Exception, SystemExit) as error:
        raise ENTRY_BROKEN(name=f"{kind}.{name}", value=entry.value, cause=cause(error)) from error


def names_of_packages(kind: str) -> dict[str, str]:
    """``{name: package}``: the entries of this kind that installed packages bring."""
    found = {name.partition("."): entry for name, entry in entries("treino.entries").items()}
    return {
        name: str(entry.dist and entry.dist.name) for (of, _dot, name), entry in found.items() if of == kind
    }
