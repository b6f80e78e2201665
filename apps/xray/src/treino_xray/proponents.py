"""The training rows that support predictions most, as a report and the studio show them: a table for each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from treino.base.text import cell_words
from treino.base.words import _, numeral
from treino.folders import StoredRun
from treino.inspection import cells, pictures
from treino.plots import Folded, TableBlock, TableCell
from treino.plots.pixels import data_uri, photograph
from treino_xray.row_influence import Proponents, proponents, quick_xray
from treino_xray.row_xray import RowXray

COLUMNS = 6  # maximum number of the data's own columns shown
SIDE = 96  # side of a picture, in pixels


@dataclass(frozen=True, eq=False)
class Support:
    """The training rows that support the answers for some rows most, by an x-ray. about: a sentence on all of
    them. tables: one for each row, whose title says the answer and the true value."""

    xray: RowXray
    about: str
    tables: Sequence[Folded]


def support(
    run: StoredRun, rows: Sequence[int], answers: Sequence[float], xray: RowXray | None = None
) -> Support:
    """Estimate which training rows support the answers for these rows most. rows: their numbers. answers:
    class numbers, or values in the target's own units. xray: an earlier one, which may hold these rows.

    Raises:
        TreinoError: as ``quick_xray``; there is no such row.
    """
    if xray is None or not np.isin(rows, xray.index_M).all():  # a sample may lack it
        xray = quick_xray(run.data, run.typed, rows)
    text = _(
        "Behind an answer: the training rows that speak most for it, as {n} small networks of the x-ray of "
        "rows estimate it, not this network. To measure it: treino rows {run} [[of={row}]]"
    )
    about = " ".join([text.format(n=xray.networks, run=run.typed, row=rows[0]), *xray.notes])
    return Support(xray, about, [_folded(xray, shown) for shown in proponents(xray, rows, answers)])


def _folded(x: RowXray, shown: Proponents) -> Folded:
    """Return a table with a line for each row, and the prediction and the true value as its title."""
    said, true = map(cell_words, x.written(np.array([shown.answer, x.label_M[shown.place]])))
    title = _("Row {row}: says {said}, is {true}")
    return Folded(title.format(row=x.index_M[shown.place], said=said, true=true), _lines(x, shown))


def _lines(x: RowXray, shown: Proponents) -> TableBlock:
    """Return a line for the predicted row, and below it one for each training row: with thumbnails for
    pictures, with the first columns for a table."""
    data, place_L = x.data, np.array([shown.place, *shown.place_K])
    input_LD = x.input_MD[torch.from_numpy(place_L)]
    names = [x.name(place) for place in place_L]
    labels = [cell_words(label) for label in x.written(x.label_M[place_L])]
    effects = ["", *(numeral(effect, "+.3g") for effect in shown.effect_K)]
    columns = [(_("row"), names), (data.target, labels)]
    columns.append((_("log-odds") if data.classes else _("effect"), effects))
    if data.kind == "image":
        drawn = (data_uri(photograph(each), side=SIDE) for each in pictures(data, input_LD))
        made = [TableCell(name, picture=uri) for name, uri in zip(names, drawn, strict=True)]
        return _table([(_("row"), names), (_("picture"), made), *columns[1:]])
    own = list(zip(data.features, cells(data, input_LD), strict=True))[:COLUMNS]
    return _table([*columns, *((name, [cell_words(value) for value in column]) for name, column in own)])


def _table(columns: Sequence[tuple[str, Sequence[str | TableCell]]]) -> TableBlock:
    heads, values = zip(*columns, strict=True)
    return TableBlock(heads, tuple(zip(*values, strict=True)), left=None)
