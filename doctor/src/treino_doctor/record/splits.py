"""Record where rows come from: parts of splits, slices of tables, and fits of scalers."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch

from treino_doctor.finding import Site
from treino_doctor.record.arrays import np
from treino_doctor.record.gaps import Gaps
from treino_doctor.record.identity import Ref
from treino_doctor.record.lines import here
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.row_log import Blocks, Folded
from treino_doctor.record.scalers import Fits
from treino_doctor.record.tables import as_array, class_by_class, counted, hash_rows, table
from treino_doctor.record.values import Node

LEAST = 10  # minimum number of rows of a part
MOST_ROWS = 50_000
MOST_PARTS = 128
MOST_BLOCKS = 64
STATISTICS = ("mean", "std", "std_mean", "var_mean", "var", "amax", "amin", "max", "min")


class Part:
    """One part of a split: its rows as hashes, and its labels, as far as they are known."""

    def __init__(self, split: int, at: int, site: Site | None, shuffled: bool) -> None:
        self.split, self.at, self.site, self.shuffled = split, at, site, shuffled
        self.rows: np.ndarray = np.zeros(0, np.uint64)
        self.span = at, at + 1  # row range in the whole table; parts may overlap
        self.labels: list[dict[str, int]] = []
        self.size = 0

    def add(self, piece: Any) -> None:
        """Add rows of a table, or labels."""
        array = as_array(piece) if isinstance(piece, torch.Tensor) else np.asarray(piece)
        if array.size == len(array):
            self.labels.append(counted(array.reshape(-1)) if array.dtype.kind in "fiubOUS" else {})
        elif len(array) <= MOST_ROWS and (rows := table(array)) is not None:
            self.rows = np.union1d(self.rows, hash_rows(rows))


class Splits(Observer):
    """Watches everything that splits rows."""

    def __init__(self, of: Recording) -> None:
        super().__init__(of)
        self.parts: list[Part] = []
        self.scalers, self.gaps = Fits(self.moved, self.is_part), Gaps()
        self.tensors: list[Any] = []  # called with each tensor made from an array
        self._splits, self._left = 0, MOST_BLOCKS
        self._bases: list[tuple[Any, int]] = []  # (table that was sliced, number of the split)
        self._known_cuts: set[Any] = set()
        self._folded: dict[Site | None, Any] = {}  # line -> training rows of the previous fold

    def install(self) -> None:
        self._tape.observe(self._sliced, "getitem")
        self._tape.observe(self._tensor, "tensor", "as_tensor")
        self._tape.observe(self._statistic, *STATISTICS)
        self._hooks.observe(torch, "from_numpy", after=lambda r, a, k: self._tensor(r, a, k, None))

    def _statistic(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        x = args[0] if args else None
        rows = x.shape[0] if isinstance(x, torch.Tensor) and x.dim() else 0
        plain = node is not None and not node.forwards and not node.grad
        if rows >= 20 and plain and node is not None and len(self.scalers.statistics) < 64:
            self.scalers.statistics.append((rows, node.site))

    def _sliced(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if len(args) < 2 or node is None or node.forwards or not isinstance(result, torch.Tensor):
            return
        cut = args[1][0] if isinstance(args[1], tuple) and args[1] else args[1]
        if isinstance(cut, torch.Tensor) and not node.step:  # the rows were selected by index
            self._blocks(result)
        if not isinstance(cut, slice) or cut.step is not None or (cut.start is None) == (cut.stop is None):
            return
        whole = args[0]
        if not whole.dim() or len(whole) == len(result) or len(self.parts) >= MOST_PARTS:
            return
        self._blocks(result)
        start, stop, _ = cut.indices(len(whole))
        self._cut(whole, start, stop, result)

    def _tensor(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        array = args[0] if args else kwargs.get("data")
        for observe in self.tensors:
            observe(result)
        if isinstance(result, torch.Tensor):
            self._blocks(result)
        if not isinstance(array, np.ndarray) or not array.ndim or len(self.parts) >= MOST_PARTS:
            return
        base = array.base
        while isinstance(base, np.ndarray) and isinstance(base.base, np.ndarray):
            base = base.base
        if not isinstance(base, np.ndarray) or not base.ndim or base.dtype != array.dtype:
            return
        row, plain = array.strides[0], base.flags.c_contiguous and array.flags.c_contiguous
        step = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
        if not plain or row <= 0 or base.nbytes % row or step % row:
            return
        rows, start = base.nbytes // row, step // row
        if LEAST <= len(array) < rows and (start == 0 or start + len(array) == rows):
            if base.ndim == 1:  # the rest of the labels may never become a tensor
                self._blocks(base[len(array) :] if start == 0 else base[:start])
            self._cut(base, start, start + len(array), array)

    def _cut(self, base: Any, start: int, stop: int, rows: Any) -> None:
        """Note that rows start to stop of a table or of labels were sliced."""
        if len(rows) < LEAST or len(rows) > MOST_ROWS or (id(base), start, stop) in self._known_cuts:
            return
        self._known_cuts.add((id(base), start, stop))
        split = next((n for held, n in self._bases if held() is base), None)
        if split is None:
            split = self._splits = self._splits + 1
            self._bases.append((Ref(base), split))
        part = Part(split, int(start > 0), here(), False)
        part.size, part.span = len(rows), (start, stop)
        part.add(rows)
        self.parts.append(part)

    def _blocks(self, labels: Any) -> None:
        """Log labels that are sorted class by class."""
        rows = len(labels) if getattr(labels, "ndim", 0) else 0
        if not LEAST <= rows <= MOST_ROWS or self._left <= 0:
            return
        flat = as_array(labels) if isinstance(labels, torch.Tensor) else np.asarray(labels)
        if flat.size == rows and flat.dtype.kind in "fiubOUS" and class_by_class(flat.reshape(-1)):
            self._left -= 1
            self._log.tell_here(Blocks, labels=counted(flat.reshape(-1)))

    def parted(self, arrays: list[list[Any]], *, shuffled: bool, site: Site | None = None) -> None:
        """Note a split by a library. arrays: for each table or array of labels, its parts in order."""
        self._splits += 1
        count, at = len(arrays[0]) if arrays and hasattr(arrays[0][0], "__len__") else 0, site or here()
        parts = [Part(self._splits, i, at, shuffled) for i in range(count)]
        for pieces in arrays:
            for part, piece in zip(parts, pieces, strict=True):
                part.size = part.size or len(piece)
                part.add(piece)
            for piece in () if shuffled else pieces:
                self._blocks(piece)
        if len(self.parts) < MOST_PARTS:
            self.parts += parts

    def folds(self, site: Site | None, x: Any, y: Any, train: Any, test: Any, shuffled: bool) -> None:
        """Note one fold of a cross-validation."""
        if len(self.parts) >= MOST_PARTS:
            return
        again = len(np.intersect1d(test, self._folded.get(site, [])))
        self._folded[site] = train
        self._log.tell(Folded, site=site, rows=len(test), again=again)
        known = [np.asarray(a) for a in (x, y) if hasattr(a, "__array__")]
        whole = [a for a in known if a.ndim and len(a) == len(train) + len(test) <= MOST_ROWS]
        self.parted([[a[train], a[test]] for a in whole], shuffled=shuffled, site=site)

    def moved(self, old: np.ndarray, made: np.ndarray) -> None:
        """Note that rows were transformed: the results belong to the same parts."""
        for part in self.parts:
            if len(part.rows) and len(part.rows) < 4 * MOST_ROWS:
                inside = np.isin(old, part.rows)
                if inside.any():
                    part.rows = np.union1d(part.rows, made[inside])

    def part(self, e: Any, parts: list[tuple[int, np.ndarray, Site | None]]) -> dict[str, Any]:
        """Return the part of a split that an evaluation's rows belong to, and how that is known."""
        origin = e.reading.origin if e.reading is not None else None
        if origin is not None and origin.numbers is not None:
            own = [(n, s) for root, n, s in parts if root == origin.root]
            mine = origin.all()
            others = [n for n, _ in own if not len(np.intersect1d(n, mine))]
            if others:
                at = next((i for i, (n, _) in enumerate(own) if np.array_equal(n, mine)), -1)
                site = own[at][1] if at >= 0 else None
                shuffled = len(mine) <= int(mine[-1] - mine[0])
                return {"part": at, "how": "numbers", "cut": site, "shuffled": shuffled}
        rows = e.fresh if len(e.fresh) >= LEAST and not e.mixed else e.rows
        hashes = np.fromiter(rows, np.uint64, len(rows))
        best: Part | None = None
        how = ""
        for one in self.parts:
            smaller = best is None or len(one.rows) < len(best.rows)
            if len(one.rows) and len(hashes) and smaller and np.isin(hashes, one.rows).mean() > 0.98:
                best, how = one, "rows"
        if best is None and e.labels:
            own_labels = counted(np.repeat(list(e.labels), list(e.labels.values())))
            same = (o for o in self.parts if o.size == e.seen and own_labels and own_labels in o.labels)
            best, how = next(same, None), "labels"
        if best is None:
            return {}
        others = [o.rows for o in self.beside(best)]
        both = np.isin(hashes, np.concatenate(others)).mean() if others and how == "rows" else 0.0
        trained = np.fromiter(e.trained, np.uint64, len(e.trained))
        inside = np.isin(trained, best.rows) if how == "rows" else np.ones(len(trained))
        fields = {"part": best.at, "how": how, "cut": best.site, "shuffled": best.shuffled}
        return fields | {"leaked": int(inside.sum()), "shared": float(both)}

    def beside(self, part: Part) -> list[Part]:
        """The other parts of the same split that have known rows and don't overlap ``part``."""
        known = (o for o in self.parts if o.split == part.split and len(o.rows))
        return [o for o in known if o.span[0] >= part.span[1] or o.span[1] <= part.span[0]]

    def is_part(self, rows: np.ndarray) -> bool:
        """Whether these rows belong to one part of a split that has other parts."""
        own = (p for p in self.parts if len(p.rows) and bool(np.isin(rows, p.rows).all()))
        return any(map(self.beside, own))

    def fits(self, t: Any, e: Any, every: Iterable[Any]) -> Iterator[dict[str, Any]]:
        """Yield the fits that scaled the rows of a training and an evaluation."""
        every, written = list(every), self.scalers.written
        known = list(self.scalers.of(t, e, sum(len(o.rows) for o in every if o.predicted(written))))
        yield from known
        yield from self.gaps.of(t, e)
        if not any(fit["apart"] for fit in known):
            yield from self.scalers.by_hand(t, e, [o for o in every if o.net == e.net])
