"""Tables of rows as arrays: a hash for each row, statistics of columns, samples of rows."""

from typing import Any

import torch

from treino_doctor.record.arrays import NoNumPyError, np, there

MOST_NUMBERS = 20_000_000  # maximum number of values of one table
WIDE = 256  # columns sampled from wider rows
_RANDOM: Any = np.random.RandomState(0).randint(1, 2**62, size=WIDE) if there else ()
_WEIGHTS = _RANDOM.astype(np.uint64) | np.uint64(1) if there else ()
_PLAIN = (torch.float32, torch.float64)
MOST_LABELS = 200  # maximum number of distinct values for numbers to count as labels


def flat_rows(t: torch.Tensor) -> np.ndarray | None:
    """Return rows as float32 [N, D], D at most ``WIDE``; None if they can't be read."""
    plain = t.device.type == "cpu" and t.layout == torch.strided and not t.is_complex()
    return table(as_array(t)) if t.dim() >= 2 and t.numel() and plain else None


def as_array(t: torch.Tensor) -> np.ndarray:
    """A tensor's values, detached; float32 if NumPy lacks the dtype."""
    if not there:
        raise NoNumPyError("NumPy is not installed")
    t = t.detach()
    array: np.ndarray = (t.float() if t.is_floating_point() and t.dtype not in _PLAIN else t).numpy()
    return array


def table(x: Any) -> np.ndarray | None:
    """Return a numeric array or data frame as float32 [N, D], D at most ``WIDE``; None otherwise."""
    array = np.asarray(x)
    if array.dtype.kind == "O" and hasattr(x, "columns") and {d.kind for d in x.dtypes} <= set("fiub"):
        array = np.asarray(x, np.float32)  # a frame whose columns are numbers, and true or false
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim < 2 or array.dtype.kind not in "fiub" or not array.size:
        return None
    array = array.reshape(len(array), -1)
    array = array[:, :: -(-array.shape[1] // WIDE)]
    return np.ascontiguousarray(array, dtype=np.float32) if array.size <= MOST_NUMBERS else None


def hash_rows(rows_ND: np.ndarray) -> np.ndarray:
    """[N]: a 64-bit hash for each row of float32 [N, D]; equal rows have equal hashes."""
    with np.errstate(invalid="ignore"):  # memory that nobody filled may hold any NaN
        rows = rows_ND + np.float32(0)  # turns negative zeros into zeros
    if rows.shape[1] % 2:
        rows = np.concatenate([rows, np.zeros((len(rows), 1), np.float32)], axis=1)
    pairs = np.ascontiguousarray(rows).view(np.uint64)  # two floats at once: half the work
    mixed: np.ndarray = pairs @ _WEIGHTS[: pairs.shape[1]]
    return mixed


def labels_of(target: torch.Tensor, rows: int) -> np.ndarray | None:
    """[N]: one label for each row of a target: its value, or the index of its largest entry."""
    if target.device.type != "cpu" or not target.dim() or target.shape[0] != rows or target.is_complex():
        return None
    t = as_array(target)
    if t.size == rows:
        return t.reshape(rows).astype(np.float64)
    shares = t.ndim == 2 and t.dtype.kind == "f" and np.allclose(t.sum(1), 1, atol=1e-3) and (t >= 0).all()
    return t.argmax(1).astype(np.float64) if shares else None


class Columns:
    """Running sums, squares and minima and maxima of columns."""

    def __init__(self) -> None:
        self.n = 0
        self.sums = self.squares = self.low = self.high = np.zeros(0)

    def add(self, rows_ND: np.ndarray) -> None:
        """Add rows; rows of another width are skipped."""
        if not len(rows_ND) or (self.n and rows_ND.shape[1] != len(self.sums)):
            return
        rows = rows_ND.astype(np.float64)
        if not self.n:
            width = rows.shape[1]
            self.sums, self.squares = np.zeros(width), np.zeros(width)
            self.low, self.high = np.full(width, np.inf), np.full(width, -np.inf)
        with np.errstate(all="ignore"):
            self.n += len(rows)
            self.sums = self.sums + rows.sum(0)
            self.squares = self.squares + (rows**2).sum(0)
            self.low, self.high = np.minimum(self.low, rows.min(0)), np.maximum(self.high, rows.max(0))

    def joined(self, other: "Columns") -> "Columns":
        """The statistics of both tables' rows together."""
        both = Columns()
        both.n, both.sums = self.n + other.n, self.sums + other.sums
        both.squares = self.squares + other.squares
        both.low, both.high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        return both

    @property
    def mean(self) -> np.ndarray:
        """[D]: means."""
        return self.sums / max(1, self.n)

    @property
    def deviation(self) -> np.ndarray:
        """[D]: standard deviations."""
        with np.errstate(all="ignore"):
            deviation: np.ndarray = np.sqrt(np.maximum(self.squares / max(1, self.n) - self.mean**2, 0))
        return deviation


class RowSample:
    """A sample of whole rows, spread over the first batches."""

    def __init__(self, most: int) -> None:
        self.most, self.count = most, 0
        self._parts: list[np.ndarray] = []

    def add(self, rows_ND: np.ndarray) -> None:
        """Add rows of the same width, until there are enough."""
        room = self.most - self.count
        if room <= 0 or not len(rows_ND) or (self._parts and self._parts[0].shape[1] != rows_ND.shape[1]):
            return
        some = rows_ND[:: -(-len(rows_ND) // room)].copy()
        self._parts.append(some)
        self.count += len(some)

    def rows(self) -> np.ndarray:
        """The sampled rows, [N, D]; [0, 0] if there are none."""
        return np.concatenate(self._parts) if self._parts else np.zeros((0, 0), np.float32)


def class_by_class(labels: np.ndarray) -> bool:
    """Whether labels are in blocks of one class each, or all equal."""
    flat = labels.reshape(-1)
    if not sortable(flat) or (flat.dtype.kind == "f" and not bool((flat == flat.round()).all())):
        return False
    blocks = 1 + int(np.count_nonzero(flat[1:] != flat[:-1]))
    return blocks <= min(50, len(flat) // 5) and len(np.unique(flat)) == blocks


def sortable(labels: np.ndarray) -> bool:
    """Whether labels can be sorted, unlike a program's own objects."""
    kinds = {type(value) for value in labels.tolist()} if labels.dtype.kind == "O" else {str}
    return len(kinds) == 1 and kinds <= {str, int, float, bool}


def counted(labels: np.ndarray) -> dict[str, int]:
    """The count of each label, by its name; empty if the labels are numbers on a scale."""
    if not sortable(labels):
        return {}
    finite = labels[np.isfinite(labels)] if labels.dtype.kind == "f" else labels
    values, counts = np.unique(finite, return_counts=True)
    pairs = zip(values, counts, strict=True)
    return {name_of(v): int(n) for v, n in pairs} if len(values) <= MOST_LABELS else {}


def name_of(value: Any) -> str:
    """A label as text: 1.0 and 1 are the same."""
    return f"{value:g}" if isinstance(value, (int, float, np.number)) else str(value)


def chance(rows_ND: np.ndarray) -> float:
    """The probability that two rows are equal if columns are independent."""
    p = 1.0
    for column in rows_ND.T:
        counts = np.unique(column, return_counts=True)[1]
        p *= float(((counts / len(rows_ND)) ** 2).sum())
    return p
