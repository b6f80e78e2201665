"""Samples of rows: a seeded draw, with their cells in the units of the source."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from treino.data.dataset import Data
from treino.data.preparation.encoders import (
    DAY,
    DateEncoder,
    Encoder,
    HashingEncoder,
    NumberEncoder,
    OneHotEncoder,
    RankEncoder,
)
from treino.data.rows import Rows
from treino.inspection.input_planes import Floats, Split
from treino.words import _

Cell = float | str | None
ALL: tuple[Split, ...] = ("train", "validation", "test")


def held_out(data: Data, splits: Sequence[Split] = ALL) -> tuple[Split, Rows]:
    """The rows to measure a network on: test rows, else validation rows, else training rows.

    splits: the splits that may be used; without ``test`` for a run that will be resumed.
    """
    names: tuple[Split, ...] = ("test", "validation", "train")
    split: Split = next((s for s in names if s in splits and len(data.splits[s])), "train")
    return split, data.splits[split]


def draw(rows: Rows, most: int) -> Rows:
    """At most ``most`` of the rows, by a seeded draw, in their own order."""
    if len(rows) <= most:
        return rows
    row_K = np.sort(np.random.RandomState(0).choice(len(rows), most, replace=False))
    pick = torch.from_numpy(row_K)
    return Rows(rows.x[pick], rows.y[pick], rows.index[pick])


def cells(data: Data, x_ND: torch.Tensor) -> list[list[Cell]]:
    """``[columns][N]``: the cells of each column, restored from prepared rows: numbers in their own units,
    classes and dates as text, None for missing cells. Hashed columns can't be restored."""
    raw_ND = data.preparation.inverse(x_ND)
    made = data.preparation.encoders or [None] * len(data.features)
    groups = data.preparation.groups
    mean_D = np.broadcast_to(data.preparation.mean, raw_ND.shape[1])
    return [_decoded(e, raw_ND[:, list(g)], mean_D[g[0]]) for e, g in zip(made, groups, strict=True)]


def cells_of(data: Data, x_ND: torch.Tensor, column: int) -> list[Cell]:
    """The cells of one column, restored from prepared rows."""
    raw_ND, group = data.preparation.inverse(x_ND), list(data.preparation.groups[column])
    made, mean_D = data.preparation.encoders, np.broadcast_to(data.preparation.mean, raw_ND.shape[1])
    return _decoded(made[column] if made else None, raw_ND[:, group], mean_D[group[0]])


def _decoded(encoder: Encoder | None, raw_NG: Floats, mean: float) -> list[Cell]:
    absent_N = raw_NG[:, -1] > 0.5 if encoder is not None and encoder.flag else np.zeros(len(raw_NG), bool)
    if encoder is None or isinstance(encoder, NumberEncoder):
        cells: list[Cell] = [_number(float(value), mean) for value in raw_NG[:, 0]]
    else:
        cells = [_cell(encoder, raw_G) for raw_G in raw_NG]
    return [None if absent else cell for absent, cell in zip(absent_N, cells, strict=True)]


def _number(value: float, mean: float) -> float:
    """A value without the digits of float32's rounding: 0 instead of -3e-9, 12.86 instead of
    12.8599999965."""
    doubt = abs(value - mean) * 2.0**-22
    return float(f"{round(value, math.floor(-math.log10(doubt))) if doubt > 0 else value:.7g}") + 0.0


def _cell(encoder: Encoder, raw_G: Floats) -> Cell:
    if isinstance(encoder, RankEncoder):
        return encoder.levels[int(np.clip(round(float(raw_G[0])), 0, len(encoder.levels) - 1))]
    if isinstance(encoder, OneHotEncoder):
        best = int(raw_G.argmax())
        return (encoder.levels[best] or None) if raw_G[best] > 0.5 else _("unknown")
    if isinstance(encoder, HashingEncoder):
        return _("(hashed)") if np.abs(raw_G).max() > 0.5 else None
    if isinstance(encoder, DateEncoder):
        second = encoder.origin + float(raw_G[0]) * DAY
        if "hour" in encoder.parts:
            return str(np.datetime64(round(second / 60), "m")).replace("T", " ")
        return str(np.datetime64(round(second / DAY), "D"))
    minute = round(float(np.arctan2(raw_G[0], raw_G[1])) / (2 * np.pi) * 1440) % 1440
    return f"{minute // 60:02d}:{minute % 60:02d}"
