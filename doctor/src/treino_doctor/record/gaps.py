"""Record columns whose gaps were filled by their own mean or median; find them again among nets' inputs."""

from collections.abc import Iterator
from typing import Any

from treino_doctor.record.arrays import np
from treino_doctor.record.scalers import FEW, MOST, Fit

GAPS = 50  # maximum number of filled columns
TRIED = 16  # rows by which columns are ruled out
ROUNDING = 1e-5  # times a column's range
SAME = 0.98  # share of a column's distinct values that a scaler's rounding may leave


class Gap:
    """A filled column. fit: what learned the fill. values: its distinct values, in order."""

    def __init__(self, fit: Fit, values: np.ndarray, fill: float) -> None:
        self.fit, self.values, self.fill = fit, values, fill
        self.slack = ROUNDING * (values[-1] - values[0])

    def among(self, train_ND: np.ndarray, held_out_ND: np.ndarray) -> bool:
        """Whether a column of these rows is this one, as it was or scaled, and its fill is in both parts."""
        both = np.concatenate([train_ND, held_out_ND]).astype(np.float64)
        low, high = both.min(0), both.max(0)
        scale = (self.values[-1] - self.values[0]) / np.where(high > low, high - low, np.inf)
        as_it_was = np.ones_like(low), np.zeros_like(low), False
        for size, shift, whole in (as_it_was, (scale, self.values[0] - low * scale, True)):
            for column in np.flatnonzero(self._known(both[:TRIED] * size + shift).all(0)):
                x = both[:, column] * size[column] + shift[column]
                filled = np.abs(x - self.fill) <= self.slack
                again = not whole or len(np.unique(both[:, column])) >= SAME * len(self.values)
                in_both = filled[: len(train_ND)].any() and filled[len(train_ND) :].any()
                if again and in_both and self._known(x).all():
                    return True
        return False

    def _known(self, x: np.ndarray) -> np.ndarray:
        """Which numbers are values of this column."""
        right = np.searchsorted(self.values, x).clip(1, len(self.values) - 1)
        near = np.minimum(np.abs(self.values[right] - x), np.abs(self.values[right - 1] - x))
        return np.asarray(near <= self.slack)


class Gaps:
    """All filled columns of a program."""

    def __init__(self) -> None:
        self._gaps: list[Gap] = []

    def filled(self, fit: Fit, column: Any, fill: Any) -> None:
        """Note that gaps of a column got a number: a new gap's, if that is its mean or its median."""
        x = np.asarray(column)
        if x.ndim != 1 or x.dtype.kind != "f" or len(x) > MOST or not isinstance(fill, (int, float)):
            return
        known = x[np.isfinite(x)].astype(np.float64)
        if len(known) == len(x) or len(known) < FEW or len(self._gaps) >= GAPS:
            return
        fill, values = np.float64(np.float32(fill)), np.unique(known.astype(np.float32)).astype(np.float64)
        if len(values) >= FEW and any(np.isclose(fill, m(known), rtol=1e-6) for m in (np.mean, np.median)):
            self._gaps.append(Gap(fit, np.union1d(values, fill), float(fill)))
        for before in self._gaps:
            if before.fit is not fit and before.fill == fill and before.fit.rows != fit.rows:
                before.fit.others += fit.rows  # a part is filled as another part was

    def of(self, t: Any, e: Any) -> Iterator[dict[str, Any]]:
        """Yield the fills whose columns are in the rows of both a training and an evaluation."""
        train, held_out = t.sample.rows(), e.sample.rows()
        if not t.flat or not len(held_out) or train.shape[1:] != held_out.shape[1:]:
            return
        for gap in self._gaps:
            fit, rows = gap.fit, len(e.fresh)
            if fit.rows >= len(t.rows) + rows and fit.others < FEW and gap.among(train, held_out):
                fields = {"kind": fit.kind, "site": fit.site, "fitted": fit.rows, "rows": rows}
                yield fields | {"evaluated": 1.0, "trained": 1.0}
                return
