"""One line that computes a loss: what its input is made of, what it learned on, and how it went."""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.watch import constants
from treino.diagnosis.watch.targets import Targets
from treino.diagnosis.watch.where import Spot

CLASSES = {"cross_entropy", "nll_loss"}
SIGNED = {"soft_margin_loss", "hinge_embedding_loss", "margin_ranking_loss", "cosine_embedding_loss"}
TARGET_AT = {"margin_ranking_loss": 2, "cosine_embedding_loss": 2}  # of the others it is the second argument
NEWEST = 16  # trained calls whose answers are kept


@dataclass
class LossSeen:
    """One line that computes a loss function."""

    name: str
    site: Site | None
    callers: tuple[Site, ...] = ()  # the line and those that led to it
    calls: int = 0
    trained: int = 0
    softmax: int = 0  # input comes from a softmax over the class axis (or an unknown one)
    softmax_at: Site | None = None
    sigmoid: int = 0
    sigmoid_at: Site | None = None
    rectified: int = 0  # input comes from a ReLU
    rectified_at: Site | None = None
    wrong_dim: int = 0  # (log-)softmax over another axis than that of the classes
    wrong_dim_at: Site | None = None
    wrong_dims: tuple[int, int] | None = None
    unnormalised: int = 0  # nll: not log-probabilities, by value and by graph
    figure: bool = False  # ... where no gradients were recorded
    source: str = ""
    source_at: Site | None = None  # the line that made the input
    largest: float = 0.0  # of logsumexp
    broadcast: int = 0
    shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    axis_at: Site | None = None  # where the input got, or lost, the axis that doesn't fit
    bad_labels: int = 0
    bad_label: str = ""
    bad_range: tuple[float, float] | None = None  # the lowest and the highest of them
    bad_calls: tuple[tuple[Site, Spot], ...] = ()  # the calls that led there, innermost first
    sums: int = 0  # reduction "sum"
    first_sum: float = 0.0  # what the first of these gave
    rows: int = 0
    entries: int = 0  # of the target of one call
    weighted: bool = False
    weights: np.ndarray | None = None  # of the classes, or pos_weight
    smoothing: float = 0.0
    knee: float = 1.0  # beta or delta of an absolute error that is rounded at zero
    classes: int = 0
    counts: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # of labels in trained calls
    targets: Targets = field(default_factory=Targets)  # real-valued ones of trained calls
    values: list[float] = field(default_factory=list)  # of trained calls
    newest: deque[tuple[np.ndarray, np.ndarray]] = field(
        default_factory=lambda: deque(maxlen=NEWEST)
    )  # (labels, what was said) of the newest trained calls with few classes
    runs: list[tuple[int, int]] = field(default_factory=list)  # (commonest label, its share in ‰) by batch
    widest: int = 0  # how many rows the largest of these batches has
    uneven: bool = False  # losses one by one, of which no plain mean is taken
    sorted: bool = False  # batches of one class each at first: followed without a gap
    made_at: Site | None = None  # of the loss module
    loader: Site | None = None  # the DataLoader that was last read

    @property
    def confusion(self) -> np.ndarray:
        """[label, said] of the newest trained calls."""
        return self.said(NEWEST)

    def said(self, calls: int) -> np.ndarray:
        """[label, said] of so many of the newest trained calls."""
        c = self.classes
        found = np.zeros((c, c), np.int64)
        for labels, said in list(self.newest)[-calls:]:
            if max(labels.max(), said.max()) < c:
                found += np.bincount(labels * c + said, minlength=c * c).reshape(c, c)
        return found

    def add(self, counts: np.ndarray) -> None:
        """How often each label came in one more batch."""
        more = len(counts) - len(self.counts)
        if more > 0:
            self.counts = np.concatenate([self.counts, np.zeros(more, np.int64)])
        self.counts[: len(counts)] += counts

    def spread(self, grads: tuple[torch.Tensor | None, ...]) -> None:
        """The gradients of losses that were worked out one by one: all alike for a mean of them."""
        g = grads[0]
        if g is None or self.uneven:
            return
        low, high = (float(v) for v in torch.aminmax(g.detach()))
        if not (0 < high <= 1.01 / g.numel() and high - low <= 1e-5 * high):
            self.uneven = True
            self.values.clear()
            self.runs.clear()

    def follow(self, counts: np.ndarray) -> None:
        """The commonest label of the batch that comes next, and its share."""
        top, rows = int(counts.argmax()), int(counts.sum())
        self.widest = max(self.widest, rows)
        self.runs.append((top, round(1000 * int(counts[top]) / rows)))

    @property
    def labels(self) -> dict[int, int]:
        """Label → how often."""
        return {k: int(n) for k, n in enumerate(self.counts) if n}

    def baseline(self) -> float:
        """The loss of the best constant answer on the labels that were seen; NaN where that isn't known."""
        if self.name.startswith("binary_cross_entropy"):  # soft targets leave a loss that none gets below
            known = self.targets.binary and (self.weights is not None or not self.weighted)
            return (
                constants.of_shares(self.targets.sums / self.targets.rows, self.weights)
                if known
                else math.nan
            )
        if self.counts.any():
            return constants.of_classes(self.counts, self.weights, self.smoothing, self.classes)
        return self.targets.constant(self.name, self.knee)

    def last(self) -> float:
        """The mean of the last quarter of the watched values; NaN where there are too few."""
        n = len(self.values) // 4
        return sum(self.values[-n:]) / n if n >= 2 else math.nan

    def stuck(self, share: float) -> bool:
        """Whether the loss ends above this share of what the best constant answer gets (or is not finite)."""
        return len(self.values) >= 12 and not self.last() < share * self.baseline() and self.baseline() > 0
