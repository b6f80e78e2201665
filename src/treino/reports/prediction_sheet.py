"""A contact sheet of predicted pictures: by predicted class, the least sure first."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from treino.base.errors import Refusal
from treino.base.text import that_hold
from treino.base.words import _, numeral
from treino.folders.prediction import Prediction, Predictions
from treino.folders.store.output_files import PAGE, PNG
from treino.folders.stored_run import StoredRun
from treino.plots.contact_sheet import Tile, TileGroup, sheet_page, sheet_png
from treino.plots.style import percent

SHEET_OF_ROWS = Refusal(
    "A contact sheet shows pictures, and {run} learnt from other rows.",
    "Name a file that ends in .csv.",
    rule="sheet_of_table",
)

SHEETS = (*PNG, *PAGE)
SHOWN = {True: 1000, False: 160}  # maximum number of pictures: on a page (True), in an image (False)


def check_sheet(run: StoredRun) -> None:
    """Raise TreinoError if the run's rows are no pictures that could be shown."""
    shape = run.preparation.item_shape
    if (
        run.preparation.kind != "image"
        or len(shape) not in (2, 3)
        or (len(shape) == 3 and shape[0] not in (1, 3))
    ):
        raise SHEET_OF_ROWS(run=run.name)


def prediction_sheet(run: StoredRun, source: str, predictions: Predictions, ending: str) -> bytes:
    """Return the sheet as a file with this ending. source: what was predicted, as typed."""
    each, most = predictions.each, SHOWN[ending in PAGE]
    rows_of = _by_class(run, each) if run.spec.classes else _by_number(each)
    room = _room([len(rows) for rows in rows_of.values()], most)
    true_of = _targets(run, predictions)
    groups = []
    for heading, rows in rows_of.items():
        some = rows[:room] if run.spec.classes else _spread(rows, room)
        item_K = _items(run, predictions.prepared.x[torch.tensor(some)])
        tiles = [_tile(each[row], true_of.get(row), item) for row, item in zip(some, item_K, strict=True)]
        groups.append(TileGroup(heading, len(rows), tiles))
    sentences = [
        _("By predicted class; in each the pictures come first that the network is least sure of.")
        if run.spec.classes
        else _("By predicted number, from the lowest to the highest.")
    ]
    shown, part = sum(len(group.tiles) for group in groups), _("{n:,} of {of:,} pictures are shown.")
    sentences += that_hold({part: shown < len(each)}, n=shown, of=len(each))
    framed = _("Framed are those whose label is another class: {n:,} of {of:,} with a label.")
    n = sum(each[row].value != true for row, true in true_of.items())
    sentences += that_hold({framed: true_of and run.spec.classes}, n=n, of=len(true_of))
    title = _("{run} on {source}").format(run=run.name, source=source)
    if ending in PAGE:
        return sheet_page(title, sentences, groups).encode()
    return sheet_png(title, sentences, groups)


def _by_class(run: StoredRun, each: Sequence[Prediction]) -> dict[str, list[int]]:
    """Return the rows by predicted class, the least sure first; those without a prediction come last."""
    rows_of: dict[str | float | None, list[int]] = {name: [] for name in (*run.spec.classes, None)}
    for row in sorted(range(len(each)), key=lambda row: _share(each[row]) or 0.0):
        rows_of[each[row].value].append(row)
    named = {_("no prediction") if name is None else str(name): rows for name, rows in rows_of.items()}
    return {name: rows for name, rows in named.items() if rows}


def _by_number(each: Sequence[Prediction]) -> dict[str, list[int]]:
    known = [row for row, prediction in enumerate(each) if prediction.value is not None]
    known.sort(key=lambda row: float(each[row].value or 0.0))
    lacking = [row for row, prediction in enumerate(each) if prediction.value is None]
    return {name: rows for name, rows in ((_("pictures"), known), (_("no prediction"), lacking)) if rows}


def _room(counts: Sequence[int], most: int) -> int:
    """Return how many of each group fit if ``most`` are shown in all; at least one."""
    room = 1
    while room < max(counts, default=0) and sum(min(count, room + 1) for count in counts) <= most:
        room += 1
    return room


def _spread(rows: Sequence[int], room: int) -> list[int]:
    """Return ``room`` of the rows, evenly from the first to the last."""
    places = np.linspace(0, len(rows) - 1, min(room, len(rows))).round().astype(int)
    return [rows[place] for place in places.tolist()]


def _share(prediction: Prediction) -> float | None:
    """Return the probability of the predicted class."""
    if prediction.probabilities is None or prediction.value is None:
        return None
    return prediction.probabilities[str(prediction.value)]


def _targets(run: StoredRun, predictions: Predictions) -> Mapping[int, str | float]:
    """Return the true class or number of each row where it is known."""
    prepared = predictions.prepared
    if prepared.y is None or prepared.with_target is None:
        return {}
    rows, y = prepared.with_target.tolist(), prepared.y.flatten()
    if run.spec.classes:
        return {row: run.spec.classes[int(c)] for row, c in zip(rows, y.tolist(), strict=True)}
    number_K = run.preparation.values(y.double())
    return dict(zip(rows, number_K.tolist(), strict=True))


def _items(run: StoredRun, x_KD: torch.Tensor) -> np.ndarray:
    """Return the pictures as the network sees them: ``[K, H, W]`` or ``[K, H, W, 3]``, 0 to 255."""
    raw_KD = run.preparation.inverse(x_KD)
    if run.preparation.divisor == 255:
        raw_KD = raw_KD / 255
    elif len(raw_KD):
        raw_KD = (raw_KD - raw_KD.min()) / ((raw_KD.max() - raw_KD.min()) or 1.0)
    item_K = np.rint(255 * raw_KD.clip(0, 1)).astype(np.uint8).reshape(-1, *run.preparation.item_shape)
    if item_K.ndim == 4:
        item_K = item_K[:, 0] if item_K.shape[1] == 1 else np.moveaxis(item_K, 1, -1)
    return np.asarray(item_K)


def _tile(prediction: Prediction, true: str | float | None, item: np.ndarray) -> Tile:
    name = prediction.file or _("row {n}").format(n=prediction.row)
    share = _share(prediction)
    if prediction.probabilities is not None:
        alarm = "" if true is None or true == prediction.value else _("is {true}").format(true=true)
        return Tile(item, (percent(share) if share is not None else "–", name), alarm)
    value = "–" if prediction.value is None else numeral(float(prediction.value))
    more = () if true is None else (_("is {true}").format(true=numeral(float(true))),)
    return Tile(item, (value, *more, name))
