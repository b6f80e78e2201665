"""``Registry``: treino's entries by name, and further ones, made of others' objects when they are named."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Generic, TypeVar

from treino.base.apps import of_packages
from treino.base.errors import TreinoError, nearest
from treino.base.own_objects import is_kept, is_own, kept
from treino.base.words import _

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class OwnKind(Generic[Entry]):
    """How a registry makes entries of objects that aren't treino's.

    kind: an installed package registers an object as ``kind.name``. entry(name, object): makes the entry; the
    object is None for a name of the user's own that this program doesn't have. of_library(name): the object
    of torch or scikit-learn, or None. alias(name): treino's entry, by the name of its class in torch.
    of_users: whether a user's own object may be one. hint: what else than treino's names may be given.
    """

    kind: str
    entry: Callable[[str, Any], Entry]
    of_library: Callable[[str], Any] = lambda name: None
    alias: Callable[[str], Entry | None] = lambda name: None
    of_users: bool = True
    hint: str = ""


def own_entry(own: OwnKind[Entry], name: str) -> Entry | None:
    """The entry of this name that isn't treino's; None if nobody has one.

    Raises:
        TreinoError: a package's object can't be imported; the entry can't be made of the object.
    """
    if own.of_users and is_own(name):
        return own.entry(name, kept(name) if is_kept(name) else None)
    if (known := own.alias(name)) is not None:
        return known
    value = own.of_library(name)
    value = of_packages(own.kind, name) if value is None else value
    return None if value is None else own.entry(name, value)


def registered(what: str, name: object, names: Iterable[str], others: str = "") -> str:
    """Return the name if it is one of these, else raise an error with the nearest one. others: what else may
    be given."""
    if not isinstance(name, str) or name not in names:
        raise TreinoError(
            f"{what}_unknown",
            _("There is no {what} {name!r}.").format(what=what, name=name),
            " ".join(filter(None, [nearest(str(name), names), others])),
        )
    return name


class Registry(dict[str, Entry]):
    """treino's own entries, which are what it iterates over, counts and contains. ``registry[name]`` has
    further ones too.

    source: the module whose constant ``OWN`` says how they are made; it is imported when one is looked up.
    None: there are no further ones.
    """

    def __init__(self, entries: dict[str, Entry], source: str | None = None) -> None:
        super().__init__(entries)
        self._source = source
        self._further: dict[str, Entry] = {}

    @property
    def _own(self) -> OwnKind[Entry] | None:
        own: OwnKind[Entry] | None = import_module(self._source).OWN if self._source else None
        return own

    def __missing__(self, name: str) -> Entry:
        if name not in self._further:
            entry = own_entry(self._own, name) if self._own else None
            if entry is None:
                raise KeyError(name)
            if is_own(name) and not is_kept(name):
                return entry  # until the user gives it
            self._further[name] = entry
        return self._further[name]

    def find(self, name: object) -> Entry | None:
        """The entry of this name, treino's or one that ``own_entry`` makes; None if there is none."""
        try:
            return self[name] if isinstance(name, str) else None
        except KeyError:
            return None

    def key(self, what: str, name: object) -> str:
        """Return the name if there is an entry of it, else raise an error with the nearest one."""
        if self.find(name) is not None:
            return str(name)
        return registered(what, name, self, _(self._own.hint) if self._own else "")
