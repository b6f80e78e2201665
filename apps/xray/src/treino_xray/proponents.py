"""Tables of the training rows that support a prediction most, and sentences about all of these tables."""

from collections.abc import Sequence

import numpy as np
import torch

from treino.base.text import cell_words
from treino.base.words import _, numeral
from treino.inspection.input_planes import cells, pictures
from treino.inspection.row_influence import Proponents
from treino.inspection.row_xray import RowXray
from treino.plots.pixels import data_uri, photograph
from treino.plots.report.blocks import Folded, TableBlock, TableCell

COLUMNS = 6  # maximum number of the data's own columns shown
SIDE = 96  # side of a picture, in pixels


def about_proponents(x: RowXray, run: str, row: int) -> str:
    """Return what is estimated, by which method, of which rows, and how it is measured. run: the run's name
    as typed. row: the row's number, or that of the first of several."""
    text = _(
        "Behind an answer: the training rows that speak most for it, as {n} small networks of the x-ray of "
        "rows estimate it, not this network. To measure it: treino rows {run} [[of={row}]]"
    )
    return " ".join([text.format(n=x.networks, run=run, row=row), *x.notes])


def folded(x: RowXray, shown: Proponents) -> Folded:
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
