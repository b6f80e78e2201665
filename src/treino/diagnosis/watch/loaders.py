"""What DataLoaders give: where they were made, the newest batch of theirs, and the numbers of its rows."""

import ast
import functools
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.source import call_name, statement_at
from treino.diagnosis.record.hooks import unseen
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.batches import rows_and_labels
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.reads import BATCHES, ReadSeen, read

Batch = tuple[Any, Any, Any]  # (rows, labels, (loader, what it drew)): the tensors as weak references


class Loaders:
    """Wraps DataLoaders.

    loader: where the one was made that was read last.
    starts: called with a DataLoader and what it is read by, when a reading begins.
    newest_listeners: called with a batch and what it was read by, once a net is called after it.
    """

    def __init__(self, patches: Patches) -> None:
        self.patches = patches
        self.loader: Site | None = None
        self.starts: list[Callable[[Any, Any], None]] = []
        self.newest_listeners: list[Callable[[Any, Any], None]] = []
        self._made: dict[int, tuple[weakref.ref[Any], Site | None]] = {}  # by their datasets
        self._batch: Batch = (None, None, None)
        self._newest: tuple[Any, Any] | None = None  # (batch, its loader's iterator), not yet looked into

    def install(self) -> None:
        from torch.utils.data import DataLoader
        from torch.utils.data.dataloader import _BaseDataLoaderIter

        self.patches.after(DataLoader, "__iter__", self._loading)
        self.patches.after(DataLoader, "__init__", self._loader_made)
        self.patches.replace(_BaseDataLoaderIter, "__next__", self._next(_BaseDataLoaderIter.__next__))

    def _loader_made(self, result: Any, args: Any, kwargs: Any) -> None:
        loader, site = args[0], here()
        dataset = getattr(loader, "dataset", None)
        before, made = self._made.get(id(dataset), (None, None))
        if before is not None and before() is not None and not _makes_loader(site):
            site = made  # a library makes it anew, for the same rows
        self._made[id(dataset)] = weakref.ref(loader), site
        loader.__dict__["_treino_site"] = site

    def _loading(self, result: Any, args: Any, kwargs: Any) -> None:
        self.loader = args[0].__dict__.get("_treino_site")
        result.__dict__["_treino_site"] = self.loader
        if not args[0].num_workers:
            result.__dict__["_treino_reads"] = args[0].__dict__.setdefault("_treino_reads", ReadSeen())
        for listener in self.starts:
            listener(args[0], result)

    def _next(self, original: Any) -> Any:
        """A loader's next batch, noted as it is; it is looked into where a net is."""
        patches, ident, main = self.patches, threading.get_ident, self.patches.thread

        @functools.wraps(original)
        def following(loading: Any) -> Any:
            if not patches.on or ident() != main:
                return original(loading)
            reads = loading.__dict__.get("_treino_reads")
            fresh = reads is not None and reads.batches < BATCHES and sys.getprofile() is None
            batch = read(reads, original, loading) if fresh else original(loading)
            self._newest = batch, loading
            return batch

        return unseen(following)

    def batch(self) -> Batch:
        """The newest batch: which of its tensors are rows, which labels."""
        if self._newest is not None:
            batch, loading = self._newest
            self._newest = None
            first, second = rows_and_labels(batch)
            if first is not None:
                self._batch = (
                    weakref.ref(first),
                    None if second is None else weakref.ref(second),
                    (loading.__dict__.get("_treino_site"), loading.__dict__.get("_treino_reads")),
                )
            for listener in self.newest_listeners:
                listener(batch, loading)
        return self._batch

    def finish(self) -> None:
        """Let go of the newest batch."""
        self._newest = None


def _makes_loader(site: Site | None) -> bool:
    """Whether a line says itself that it makes a loader."""
    statement = statement_at(site) if site is not None else None
    calls = (n for n in ast.walk(statement) if isinstance(n, ast.Call)) if statement is not None else ()
    return statement is None or any("loader" in call_name(c).lower() for c in calls)


def tensors_in(batch: Any, most: int = 8) -> list[torch.Tensor]:
    """The tensors in a batch, in lists and dictionaries too."""
    found: list[torch.Tensor] = []
    todo = [batch]
    while todo and len(found) < most:
        part = todo.pop(0)
        if isinstance(part, torch.Tensor):
            found.append(part)
        elif isinstance(part, PackedSequence):
            found.append(part.data)
        elif isinstance(part, dict):
            todo += list(part.values())[:most]
        elif isinstance(part, (list, tuple)):
            todo += part[:most]
    return found
