"""``Registry``: entries by name; further ones are made when they are named."""

from importlib import import_module
from typing import TypeVar

from treino.base.own_objects import is_kept, is_own

Entry = TypeVar("Entry")


class Registry(dict[str, Entry]):
    """treino's own entries, which are what it iterates over.

    source: the module whose function ``entry(name)`` makes further ones (torch's and scikit-learn's, those of
    other packages, the user's own), or returns None; it is imported when an unknown name is looked up.
    """

    def __init__(self, entries: dict[str, Entry], source: str) -> None:
        super().__init__(entries)
        self._source = source
        self._further: dict[str, Entry] = {}

    def __missing__(self, name: str) -> Entry:
        if name not in self._further:
            entry: Entry | None = import_module(self._source).entry(name)
            if entry is None:
                raise KeyError(name)
            if is_own(name) and not is_kept(name):
                return entry  # until the user gives it
            self._further[name] = entry
        return self._further[name]

    def __contains__(self, name: object) -> bool:
        try:
            return isinstance(name, str) and (super().__contains__(name) or self[name] is not None)
        except KeyError:
            return False
