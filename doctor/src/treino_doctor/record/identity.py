"""A map from objects that may be deleted at any time, each known by its identity alone.

``weakref.WeakKeyDictionary`` calls an object's own hash, which may change, or fail before its ``__init__``,
as the hash of a torchmetrics module does.
"""

import weakref
from collections.abc import Iterator, MutableMapping
from typing import Any, TypeVar

V = TypeVar("V")


class Ref(weakref.ref[V]):
    """The record's own weak reference to a tensor."""

    __slots__ = ()


class OthersReferences:
    """Stands for the module ``weakref`` where torch refuses tensors that anything refers to weakly."""

    @staticmethod
    def getweakrefs(one: Any) -> list[Any]:
        """All weak references to an object but the record's."""
        return [ref for ref in weakref.getweakrefs(one) if type(ref) is not Ref]


class ByIdentity(MutableMapping[Any, V]):
    """Values by object; an object that is deleted leaves the map. entries: by ``id`` of the object."""

    def __init__(self) -> None:
        self.entries: dict[int, tuple[weakref.ref[Any], V]] = {}

    def __getitem__(self, one: Any) -> V:
        return self.entries[id(one)][1]

    def __setitem__(self, one: Any, value: V) -> None:
        entries, key = self.entries, id(one)
        entries[key] = weakref.ref(one, lambda _: entries.pop(key, None)), value

    def __delitem__(self, one: Any) -> None:
        del self.entries[id(one)]

    def __contains__(self, one: object) -> bool:
        return id(one) in self.entries

    def __iter__(self) -> Iterator[Any]:
        return iter([one for ref, _ in list(self.entries.values()) if (one := ref()) is not None])

    def __len__(self) -> int:
        return len(self.entries)
