"""Scalers that were fitted, and what became of the rows that they were fitted on."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.tables import DataSeen, FitSeen, hash_rows

NONE = np.zeros(0, np.uint64)
MOST = 200_000  # rows of one fit
LARGE = 5_000_000  # numbers of a table that is kept
TRIED = 16  # rows by which the place of a scaler's columns among the net's is found


class Scalers:
    """Follows rows through fits and transforms into nets."""

    def __init__(self, data: DataSeen) -> None:
        self.data = data
        self._fits: dict[int, tuple[Any, FitSeen]] = {}  # the scaler is held: its id stays its own
        self._given: dict[int, np.ndarray] = {}  # the rows of a selector's fit
        self._places: dict[tuple[int, int], int | None] = {}  # (fit, width of the net's rows) -> first column

    def fitted(self, scaler: Any, x: Any, kind: str = "", *, more: bool = False) -> None:
        """A scaler's fit: remember the rows. more: add them to those of the fits before."""
        rows = table(x)
        if len(self.data.fits) > 50:
            return
        if rows is None:  # of texts, or of a sparse table: their number alone is known
            number = x.shape[0] if hasattr(x, "shape") and x.shape else len(x) if isinstance(x, list) else 0
            if number and not more:
                self.data.fits.append(FitSeen(here(), kind or type(scaler).__name__, number, 0, NONE))
            return
        if len(rows) > MOST:
            return
        raw = np.unique(hash_rows(rows))
        known = self._fits.get(id(scaler))
        if more and known is not None and known[0] is scaler and known[1].width == rows.shape[1]:
            known[1].raw = np.union1d(known[1].raw, raw)
            known[1].rows = max(known[1].rows, len(known[1].raw))
            return
        fit = FitSeen(here(), kind or type(scaler).__name__, len(rows), rows.shape[1], raw)
        self.data.fits.append(fit)
        self._fits[id(scaler)] = (scaler, fit)
        if hasattr(scaler, "get_support") and rows.size <= LARGE:
            self._given[id(scaler)] = rows

    def transformed(self, scaler: Any, x: Any, result: Any) -> None:
        """A scaler's transform: what the rows that it was fitted on have become."""
        known, rows, out = self._fits.get(id(scaler)), table(x), table(result)
        if known is None or known[0] is not scaler or rows is None or out is None or len(rows) != len(out):
            return
        fit = known[1]
        if len(fit.out) > MOST:
            return
        fit.width = out.shape[1]
        given, made = hash_rows(rows), hash_rows(out)
        seen = np.isin(given, fit.raw)
        fit.out = np.union1d(fit.out, made[seen])
        twice = table(np.asarray(result) * 2 - 1) if fit.kind == "MinMaxScaler" else None
        if twice is not None:  # of 0 to 1 many make -1 to 1, by the next line
            fit.out = np.union1d(fit.out, hash_rows(twice)[seen])
        others = [f for f in self.data.fits if f is not fit and len(f.out) <= MOST]
        newest = {(f.site, f.kind): f for f in self.data.fits}
        for before in others if rows.shape[1] == out.shape[1] else ():  # columns are chosen, then scaled
            if before.width == rows.shape[1]:
                # Rows that an imputer left as they were tell nothing of which fold's it was: of the newest.
                own = (
                    before.out
                    if newest[before.site, before.kind] is before
                    else np.setdiff1d(before.out, before.raw)
                )
                before.out = np.union1d(before.out, made[np.isin(given, own)])

    def chosen(self, selector: Any, columns: Any) -> None:
        """The columns that a selector tells: its rows may be taken from the table by them."""
        known, rows = self._fits.get(id(selector)), self._given.pop(id(selector), None)
        if known is None or known[0] is not selector or rows is None or len(known[1].out):
            return
        part = np.ascontiguousarray(rows[:, columns])
        known[1].out, known[1].width = np.unique(hash_rows(part)), part.shape[1]

    def entered(self, flat_ND: np.ndarray, hashes_N: np.ndarray, counts: Counter[int]) -> None:
        """Count the rows of a batch that each fit had seen: whole rows, or a block of their columns (a
        window's last step, the numbers beside encoded categories).
        """
        for number, fit in enumerate(self.data.fits):
            if not len(fit.out):
                continue
            width = flat_ND.shape[1]
            if fit.width == width:
                counts[number] += int(np.isin(hashes_N, fit.out).sum())
            elif fit.width < width:
                start = self._place(number, fit, flat_ND)
                if start is not None:
                    block = hash_rows(flat_ND[:, start : start + fit.width])
                    counts[number] += int(np.isin(block, fit.out).sum())

    def _place(self, number: int, fit: FitSeen, flat_ND: np.ndarray) -> int | None:
        width = flat_ND.shape[1]
        key = (number, width)
        if self._places.get(key) is None:
            last = width - fit.width
            few = fit.width < 2 or last > 64
            starts = [last, 0] if few else [last, *range(last)]
            some = flat_ND[:TRIED]
            self._places[key] = next(
                (s for s in starts if np.isin(hash_rows(some[:, s : s + fit.width]), fit.out).mean() > 0.5),
                None,
            )
        return self._places[key]


def table(x: Any) -> np.ndarray | None:
    """[N, D] float32 of an array or a frame of numbers; None where it is none, or too large."""
    array = np.asarray(x)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or array.dtype.kind not in "fiu" or array.size > 20_000_000:
        return None
    return array.astype(np.float32)


def held_numbers(nets: Mapping[nn.Module, Any], net: Any, x: torch.Tensor) -> list[np.ndarray]:
    """Numbers for each column of a batch's rows that a person's own layers hold and don't learn."""
    width = x.numel() // max(1, len(x))
    owner = next((o for o, n in nets.items() if n is net), None)
    found: list[np.ndarray] = []
    for layer in owner.modules() if owner is not None else ():
        if len(found) < 16 and not type(layer).__module__.startswith("torch."):
            held = [*layer._buffers.values(), *(v for k, v in vars(layer).items() if k[:1] != "_")]
            tensors = (t.detach() for t in held if isinstance(t, torch.Tensor) and t.is_floating_point())
            found += [t.cpu().double().flatten().numpy() for t in tensors if t.numel() == width > 1]
    return found
