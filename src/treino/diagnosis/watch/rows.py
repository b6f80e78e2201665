"""The rows that enter a net's first layer: hashed, so that the same row is known again wherever it
came from.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.output import Net, Output
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import NetSeen, Seen
from treino.diagnosis.watch.where import here, offset, stack

WIDE = 256  # columns that are hashed of a wider row
FEW = 512  # rows that came again after the first epoch: then training rows are known well enough
MOST = 200_000  # rows that are remembered
_weights: dict[int, np.ndarray] = {}
Names = tuple[Site, ...]


def hash_rows(x_ND: np.ndarray) -> np.ndarray:
    """[N] one 64-bit number for each row of float32 [N, D]; equal rows have equal numbers."""
    rows = np.ascontiguousarray(x_ND, dtype=np.float32)
    if rows.shape[1] > WIDE:
        rows = np.ascontiguousarray(rows[:, :: -(-rows.shape[1] // WIDE)])
    width = rows.shape[1]
    w = _weights.get(width)
    if w is None:
        drawn = np.random.RandomState(width).randint(1, 2**62, size=width)
        w = _weights[width] = np.asarray(drawn).astype(np.uint64) | np.uint64(1)
    bits = rows.view(np.uint32).astype(np.uint64)
    mixed: np.ndarray = (bits * w).sum(axis=1, dtype=np.uint64)
    return mixed


@dataclass
class EvalSeen:
    """One place from which a net is evaluated: its rows, labels and predictions."""

    net: NetSeen
    names: Names
    calls: int = 0
    phases: set[int] = field(default_factory=set)  # step counts at which it happened
    rows: set[int] = field(default_factory=set)
    total: int = 0
    trained_before: set[int] = field(default_factory=set)  # its rows that this net had been trained on
    labels: Counter[int] = field(default_factory=Counter)
    learned: Counter[int] = field(
        default_factory=Counter
    )  # labels that training had seen at the first evaluation
    right: int = 0
    judged: int = 0
    changed: int = 0  # the same labels came with other rows
    stable: int = 0
    by_labels: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    leaked: Counter[int] = field(default_factory=Counter)  # fit number -> rows that it was fitted on
    sums: np.ndarray | None = None
    squares: np.ndarray | None = None


@dataclass
class TrainSeen:
    """The rows that a net was trained on."""

    net: NetSeen
    rows: dict[int, int] = field(default_factory=dict)  # hash -> label of the first time (or 0)
    epoch: set[int] = field(default_factory=set)
    twice: int = 0  # rows seen twice before the first epoch was over
    first_epoch: int = 0
    over: bool = False
    done: bool = False
    relabelled: int = 0
    repeated: int = 0
    sample: list[np.ndarray] = field(default_factory=list)
    sums: np.ndarray | None = None
    squares: np.ndarray | None = None
    leaked: Counter[int] = field(default_factory=Counter)
    largest: float = 0.0
    column_std: np.ndarray | None = None
    adversarial: bool = False
    right: int = 0
    judged: int = 0
    loader: Site | None = None
    site: Site | None = None
    labels_first: Counter[int] = field(default_factory=Counter)
    labels_later: Counter[int] = field(default_factory=Counter)


@dataclass
class FitSeen:
    """One fit of a scaler: what its rows became."""

    site: Site | None
    kind: str
    rows: int
    width: int
    raw: set[int] = field(default_factory=set)
    out: set[int] = field(default_factory=set)


@dataclass
class DataSeen:
    """Everything about rows."""

    evals: dict[tuple[int, int, Names], EvalSeen] = field(default_factory=dict)
    trains: dict[int, TrainSeen] = field(default_factory=dict)
    fits: list[FitSeen] = field(default_factory=list)
    nan_calls: int = 0
    nan_rows: int = 0
    nan_site: Site | None = None
    nan_made: Site | None = None
    nan_hurt: int = 0  # ... and the loss was not finite
    splits: list[tuple[Site | None, bool]] = field(default_factory=list)  # (line, shuffled)
    shuffles: list[tuple[Site | None, int]] = field(default_factory=list)  # arrays shuffled on their own


class Rows:
    """Listens to the calls of nets."""

    def __init__(self, seen: Seen, patches: Patches, nets: Nets) -> None:
        self.seen, self.patches, self.nets = seen, patches, nets
        self.data: DataSeen = DataSeen()
        seen.data = self.data
        self.loader: Site | None = None
        self._fits: dict[int, FitSeen] = {}
        self._resets: dict[int, bool] = {}
        nets.row_listeners.append(self._entered)
        nets.finished_listeners.append(self._settled)
        nets.bad_listeners.append(self.not_finite)

    def install(self) -> None:
        from torch import nn
        from torch.utils.data import DataLoader

        self.patches.before(DataLoader, "__iter__", self._loading)
        self.patches.after(DataLoader, "__init__", self._loader_made)
        for name in ("tensor", "as_tensor", "from_numpy"):
            self.patches.after(torch, name, self._tensor_made)
        self.patches.before(nn.Module, "load_state_dict", lambda a, k: self._reset(a[0]))
        for kind in (nn.Linear, nn.Conv2d, nn.Conv1d, nn.BatchNorm1d, nn.BatchNorm2d):
            self.patches.before(kind, "reset_parameters", lambda a, k: self._reset(a[0]))

    def _loader_made(self, result: Any, args: Any, kwargs: Any) -> None:
        args[0].__dict__["_treino_site"] = here()

    def _loading(self, args: Any, kwargs: Any) -> None:
        self.loader = args[0].__dict__.get("_treino_site")

    def _tensor_made(self, result: Any, args: Any, kwargs: Any) -> None:
        plain = result.is_floating_point() and result.dim() >= 1 and not result.is_cuda
        if self.data.nan_made is None and plain and not bool(torch.isfinite(result.detach().sum())):
            self.data.nan_made = here()

    def _reset(self, module: Any) -> None:
        for owner, net in list(self.nets.nets.items()):
            if owner is module or any(m is module for m in owner.modules()):
                self._resets[net.number] = True

    # --- a net was called -----------------------------------------------------------------------------------
    def _entered(self, output: Output, net: Net, x: torch.Tensor | None) -> None:
        if x is None or not x.is_floating_point() or x.dim() < 2 or x.device.type != "cpu":
            return
        train = self.data.trains.get(net.number)
        if train is None:
            train = self.data.trains[net.number] = TrainSeen(net.seen)
        if x.requires_grad:
            train.adversarial = train.adversarial or x.grad_fn is None
            return
        looking = not output.grad or not output.training
        if x.numel() > 4_000_000 or (train.done and not looking):
            return
        if looking and net.looks > 64 and net.looks % 16:
            net.looks += 1
            return
        net.looks += looking
        if x.dtype is not torch.float32:
            return
        flat = x.detach().reshape(x.shape[0], -1).numpy()
        output.flat_width = flat.shape[1]
        output.flat = flat if len(flat) <= 4096 else None
        output.hashes = hash_rows(flat)
        if not np.isfinite(flat.sum()):
            output.bad_rows = int((~np.isfinite(flat)).any(axis=1).sum())
            self.data.nan_calls += 1
            self.data.nan_rows += output.bad_rows
            self.data.nan_site = output.call.site
        if looking:
            output.names, output.offset = stack(), offset()
        else:
            train.loader, train.site = self.loader, output.call.site
        if self.data.fits and x.dim() == 3:
            output.windows = x.detach()

    def not_finite(self, output: Output) -> None:
        """A loss of this output is NaN."""
        if output.bad_rows:
            self.data.nan_hurt += 1

    # --- what the call was for ------------------------------------------------------------------------------
    def _settled(self, output: Output, net: Net) -> None:
        if output.hashes is None:
            return
        if output.reached:
            self._trained(output, net)
        elif output.names and not output.target:
            self._evaluated(output, net)

    def _trained(self, output: Output, net: Net) -> None:
        train = self.data.trains[net.number]
        if self._resets.pop(net.number, False):
            train.rows.clear()
            train.done = False
        hashes = output.hashes.tolist()  # type: ignore[union-attr]
        labels = output.labels
        given = labels.tolist() if labels is not None and len(labels) == len(hashes) else [0] * len(hashes)
        batch = dict(zip(hashes, given, strict=True))
        again = train.rows.keys() & batch.keys()
        if again:
            train.repeated += len(again)
            later = [batch[h] for h in again]
            train.labels_later.update(later)
            train.relabelled += sum(train.rows[h] != batch[h] for h in again)
        if len(again) < len(batch):
            train.labels_first.update(v for h, v in batch.items() if h not in again)
            if len(train.rows) < MOST:
                for h, label in batch.items():
                    train.rows.setdefault(h, label)  # the first label of a row stays
        train.done = train.over and (train.repeated >= min(FEW, len(train.rows)))
        train.done = train.done or len(train.rows) >= MOST or train.first_epoch > 100_000
        if not train.over:
            fresh = set(hashes) - train.epoch
            if train.first_epoch and len(fresh) < 0.3 * len(hashes):
                train.over = True
            else:
                train.twice += len(hashes) - len(fresh)
                train.first_epoch += len(hashes)
                train.epoch |= fresh
                if output.flat is not None:
                    self._statistics(train, output.flat, set(), hashes)
                    if len(train.sample) < 16:
                        train.sample.append(output.flat[:32, :64].copy())
                    if train.column_std is None and len(output.flat) >= 4:
                        finite = np.nan_to_num(output.flat)
                        train.column_std = finite.std(axis=0)
                    train.largest = max(
                        train.largest, float(np.abs(np.nan_to_num(output.flat)).max(initial=0.0))
                    )
        self._fitted(output, train.leaked)
        if output.predicted is not None and labels is not None and len(output.predicted) == len(labels):
            train.right += int((output.predicted == labels).sum())
            train.judged += len(labels)

    def _evaluated(self, output: Output, net: Net) -> None:
        key = (net.number, output.offset, output.names)
        seen = self.data.evals.get(key)
        if seen is None:
            if len(self.data.evals) > 200:
                return
            seen = self.data.evals[key] = EvalSeen(net.seen, output.names)
            seen.learned.update(self.data.trains[net.number].labels_first)
        seen.calls += 1
        seen.phases.add(output.step)
        hashes = output.hashes.tolist()  # type: ignore[union-attr]
        train = self.data.trains[net.number]
        known = set(hashes) - seen.rows
        if len(seen.rows) < MOST:
            if known and output.flat is not None:
                self._statistics(seen, output.flat, seen.rows, hashes)
            seen.rows |= known
        seen.total += len(hashes)
        seen.trained_before.update(h for h in hashes if h in train.rows)
        labels = output.labels
        if labels is not None:
            if len(seen.phases) == 1:
                seen.labels.update(labels.tolist())
            if output.predicted is not None and len(output.predicted) == len(labels):
                seen.right += int((output.predicted == labels).sum())
                seen.judged += len(labels)
            if len(labels) >= 16 and len(labels) == len(hashes) and len(set(labels.tolist())) > 1:
                digest = hash(tuple(hashes))
                before = seen.by_labels.get(labels.tobytes())
                if before is not None and before[1] != output.step:
                    if before[0] == digest:
                        seen.stable += 1
                    else:
                        seen.changed += 1
                if len(seen.by_labels) < 256:
                    seen.by_labels[labels.tobytes()] = (digest, output.step)
        if known:
            self._fitted(output, seen.leaked)

    @staticmethod
    def _statistics(table: Any, flat: np.ndarray, known: set[int], hashes: list[int]) -> None:
        new = [i for i, h in enumerate(hashes) if h not in known]
        if not new or flat.shape[1] > 512:
            return
        rows = flat[new].astype(np.float64)
        if table.sums is None or table.sums.shape != rows.shape[1:]:
            table.sums, table.squares = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
        table.sums += rows.sum(axis=0)
        table.squares += (rows * rows).sum(axis=0)

    # --- scalers --------------------------------------------------------------------------------------------
    def _fitted(self, output: Output, counts: Counter[int]) -> None:
        for number, fit in enumerate(self.data.fits):
            if not fit.out:
                continue
            if fit.width == output.flat_width:
                counts[number] += sum(h in fit.out for h in output.hashes.tolist())  # type: ignore[union-attr]
            elif output.windows is not None and output.windows.shape[-1] == fit.width:
                last = output.windows[:, -1, :].numpy()
                counts[number] += sum(h in fit.out for h in hash_rows(last).tolist())
            elif fit.width == 1 and output.flat is not None:
                counts[number] += sum(h in fit.out for h in hash_rows(output.flat[:, -1:]).tolist())

    def fitted(self, scaler: Any, x: Any) -> None:
        """A scaler's fit: remember the rows."""
        rows = _table(x)
        if rows is None or len(self.data.fits) > 50:
            return
        fit = FitSeen(here(), type(scaler).__name__, len(rows), rows.shape[1], set(hash_rows(rows).tolist()))
        self.data.fits.append(fit)
        self._fits[id(scaler)] = fit

    def transformed(self, scaler: Any, x: Any, result: Any) -> None:
        """A scaler's transform: what the rows that it was fitted on have become."""
        fit, rows, out = self._fits.get(id(scaler)), _table(x), _table(result)
        if fit is None or rows is None or out is None or len(rows) != len(out) or len(fit.out) > MOST:
            return
        fit.width = out.shape[1]
        for raw, made in zip(hash_rows(rows).tolist(), hash_rows(out).tolist(), strict=True):
            if raw in fit.raw:
                fit.out.add(made)


def _table(x: Any) -> np.ndarray | None:
    array = np.asarray(x)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or array.dtype.kind not in "fiu" or array.size > 20_000_000:
        return None
    return array.astype(np.float32)


def chance(train: TrainSeen) -> float:
    """How likely two rows are to be equal by chance, from the columns' values, times the rows there are."""
    if not train.sample:
        return 0.0
    width = min(s.shape[1] for s in train.sample)
    rows = np.concatenate([s[:, :width] for s in train.sample])
    p = 1.0
    for column in rows.T:
        _, counts = np.unique(column, return_counts=True)
        p *= float(((counts / len(rows)) ** 2).sum())
    return p * max(1, len(train.rows))
