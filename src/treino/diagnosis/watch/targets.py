"""Real-valued targets as they come by: what the best constant answer would lose on them."""

import math
from dataclasses import dataclass, field

import numpy as np
import torch

TARGET = "treino: target"  # of a difference, in its node's metadata
OUTPUTS = 4096  # of a row that are told apart
KEPT = 1 << 14  # numbers that are kept as they are


@dataclass
class Targets:
    """Sums over rows of targets, output by output as long as their number stays the same."""

    rows: int = 0
    sums: np.ndarray = field(default_factory=lambda: np.zeros(1))
    squares: np.ndarray = field(default_factory=lambda: np.zeros(1))
    kept: list[np.ndarray] = field(default_factory=list)

    def add(self, t: torch.Tensor) -> None:
        """The targets of one call, the first axis that of the rows."""
        width = math.prod(t.shape[1:])
        t_NO = t.detach().double().reshape(-1, width if 0 < width <= OUTPUTS else 1)
        if self.rows and t_NO.shape[1] != len(self.sums):
            self.rows *= len(self.sums)
            self.sums, self.squares = self.sums.sum(keepdims=True), self.squares.sum(keepdims=True)
            t_NO = t_NO.reshape(-1, 1)
            self.kept = [k.reshape(-1, 1) for k in self.kept]
        if sum(k.size for k in self.kept) < KEPT:
            self.kept.append(t_NO[: 1 + KEPT // t_NO.shape[1]].cpu().numpy().copy())
        self.rows += len(t_NO)
        self.sums = self.sums + t_NO.sum(0).cpu().numpy()
        self.squares = self.squares + (t_NO * t_NO).sum(0).cpu().numpy()

    @property
    def outputs(self) -> int:
        """How many numbers are told apart in a row."""
        return len(self.sums)

    @property
    def below(self) -> float:
        """The share of targets below zero, of those that were kept."""
        t = np.concatenate([k.ravel() for k in self.kept]) if self.kept else np.zeros(1)
        return float((t < 0).mean())

    @property
    def binary(self) -> bool:
        """Whether all of them are 0 or 1."""
        return self.rows > 0 and float(np.abs(self.squares - self.sums).max()) < 1e-6 * self.rows

    def constant(self, loss: str, knee: float) -> float:
        """What the best constant loses of this loss; NaN where that isn't known."""
        if loss == "mse_loss" or not self.rows:
            return self.variance() if loss == "mse_loss" else math.nan
        t_NO = np.concatenate(self.kept)
        if loss == "gaussian_nll_loss":
            return float(np.log(np.maximum(t_NO.var(0), 1e-6)).mean() / 2 + 0.5)
        d_NO = np.abs(t_NO - np.median(t_NO, 0))
        if loss == "l1_loss":
            return float(d_NO.mean())
        if loss not in ("smooth_l1_loss", "huber_loss") or knee <= 0:
            return math.nan
        rounded = np.where(d_NO < knee, d_NO**2 / (2 * knee), d_NO - knee / 2).mean()
        return float(rounded * (knee if loss == "huber_loss" else 1.0))

    def variance(self) -> float:
        """The mean squared error of the best constant, one for each output; NaN without any targets."""
        if not self.rows:
            return math.nan
        each = float((self.squares / self.rows - (self.sums / self.rows) ** 2).mean())
        n = self.rows * len(self.sums)
        whole = float(self.squares.sum() / n - (self.sums.sum() / n) ** 2)
        return each if each > 1e-6 * whole else whole  # one picture that is learned by heart: no rows differ
