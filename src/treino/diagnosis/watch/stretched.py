"""Differences of answers in a column and targets in a row, of which an evaluation makes its figures."""

import weakref

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.figure_axes import pairs_on_purpose
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.output import Output
from treino.diagnosis.watch.seen import Seen, StretchedSeen
from treino.diagnosis.watch.where import stack


class Stretched:
    """Is told of differences whose sides have other shapes."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._purpose: dict[Site, bool] = {}
        self.columns: list[weakref.ref[torch.Tensor]] = []  # answers in a column, one below the other

    def apart(
        self, one: torch.Tensor, other: torch.Tensor, result: torch.Tensor, output: Output | None
    ) -> None:
        """``net(x) - y`` outside of training: each answer of the one less each target of the other."""
        n = other.shape[0]
        if n < 2 or tuple(one.shape) != (n, 1) or tuple(result.shape) != (n, n):
            return
        if result.grad_fn is not None and (output is None or output.training):
            return  # it may be a loss, which has its own look
        if output is None:
            known = any(column() is one for column in self.columns)
        else:
            known = output.shape == (n, 1) and output.net.supervised
        same = one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
        site = here() if known and not same else None
        if site is None:
            return
        if site not in self._purpose:
            self._purpose[site] = pairs_on_purpose(site)
        if not self._purpose[site]:
            self.note(site, n)

    def note(self, site: Site, rows: int) -> None:
        """Answers of so many rows were stretched here."""
        facts = self._seen.stretched.get(site)
        if facts is None:
            facts = self._seen.stretched[site] = StretchedSeen(site, rows, stack())
        facts.calls += 1
