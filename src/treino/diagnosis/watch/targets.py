"""Real-valued targets as they come by: what the best constant answer would lose on them."""

import math
from dataclasses import dataclass, field

import numpy as np
import torch

OUTPUTS = 4096  # of a row that are told apart


@dataclass
class Targets:
    """Sums over rows of targets, output by output as long as their number stays the same."""

    rows: int = 0
    sums: np.ndarray = field(default_factory=lambda: np.zeros(1))
    squares: np.ndarray = field(default_factory=lambda: np.zeros(1))

    def add(self, t: torch.Tensor) -> None:
        """The targets of one call, the first axis that of the rows."""
        width = math.prod(t.shape[1:])
        t_NO = t.detach().double().reshape(-1, width if 0 < width <= OUTPUTS else 1)
        if self.rows and t_NO.shape[1] != len(self.sums):
            self.rows *= len(self.sums)
            self.sums, self.squares = self.sums.sum(keepdims=True), self.squares.sum(keepdims=True)
            t_NO = t_NO.reshape(-1, 1)
        self.rows += len(t_NO)
        self.sums = self.sums + t_NO.sum(0).cpu().numpy()
        self.squares = self.squares + (t_NO * t_NO).sum(0).cpu().numpy()

    @property
    def outputs(self) -> int:
        """How many numbers are told apart in a row."""
        return len(self.sums)

    def variance(self) -> float:
        """The mean squared error of the best constant, one for each output; NaN without any targets."""
        if not self.rows:
            return math.nan
        each = float((self.squares / self.rows - (self.sums / self.rows) ** 2).mean())
        n = self.rows * len(self.sums)
        whole = float(self.squares.sum() / n - (self.sums.sum() / n) ** 2)
        return each if each > 1e-6 * whole else whole  # one picture that is learned by heart: no rows differ
