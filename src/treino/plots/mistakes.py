"""The worst mistakes (the most confident wrong classes, or the largest errors), and pictures of the rows of
a confusion matrix's cells."""

import math
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from treino.base.text import tail, that_hold
from treino.base.words import _, numeral
from treino.data.splits import split_name
from treino.inspection.input_planes import Cell
from treino.inspection.outputs import ConfusionCell, ConfusionCells, Mistakes
from treino.plots import style
from treino.plots.captions import learnt_from
from treino.plots.pixels import framed, photograph

PICTURES = 24
LINES = 15
LINE, LETTER = 0.27, 0.083  # inches: line height, and width of a character
FIRST = 4  # leading columns: row, true, predicted, and confidence or error


@style.look()
def mistakes_figure(shown: Mistakes, columns: Sequence[str] = ()) -> "style.Figure":
    """Draw thumbnails of images, or a table's rows with as many columns as fit.

    columns: names to show, most important first; default: all, in their order.
    """
    if not len(shown):
        return _nothing(shown)
    if shown.items is not None:
        return _thumbnails(shown, shown.items)
    return _rows(shown, columns or shown.features, bool(columns))


def _title(shown: Mistakes) -> str:
    return _("Most confident mistakes: {name}") if shown.classes else _("Largest residuals: {name}")


def _warnings(shown: Mistakes) -> list[str]:
    line = _("On {n:,} rows the output is not finite.")
    if shown.classes:
        line = _("On {n:,} rows the outputs are not finite: no class is predicted there.")
    return learnt_from(shown.split) + that_hold({line: shown.unsaid}, n=shown.unsaid)


def _sentence(shown: Mistakes, drawn: int) -> str:
    split = split_name(shown.split)
    if not shown.classes:
        return _("The {k} of {n:,} {split} rows that lie furthest from what the network says.").format(
            k=drawn, n=shown.rows, split=split
        )
    sentence = _("Wrong: {wrong:,} of {n:,} {split} rows.").format(
        wrong=shown.wrong, n=shown.rows, split=split
    )
    if drawn < shown.wrong:
        return sentence + " " + _("The {k} with the highest probability.").format(k=drawn)
    return sentence + " " + _("The highest probability comes first.")


def _nothing(shown: Mistakes) -> "style.Figure":
    sentence = _("None: all {n:,} {split} rows are right.")
    if shown.unsaid:
        sentence = _("None: all that can be compared of {n:,} {split} rows are right.")
    if shown.unsaid == shown.rows:
        sentence = _("None: nothing can be compared on {n:,} {split} rows.")
    said = [sentence.format(n=shown.rows, split=split_name(shown.split))]
    return style.titled(_title(shown), shown.name, said, _warnings(shown), height=1.6)[0]


def _thumbnails(shown: Mistakes, items: np.ndarray) -> "style.Figure":
    drawn, warnings = min(PICTURES, len(shown)), _warnings(shown)
    names = style.class_labels(shown.classes, 11)
    words = []
    for k in range(drawn):
        answer, true = numeral(float(shown.said_K[k])), numeral(float(shown.true_K[k]))
        how = _place(shown, k)
        if shown.classes:
            answer, true = names[int(shown.said_K[k])], names[int(shown.true_K[k])]
            how = f"{style.percent(float(shown.sure_K[k]))} · {how}"
        said, is_true = _("says {said}").format(said=answer), _("is {true}").format(true=true)
        words.append(((said, style.ALARM, 9.0), (is_true, style.INK, 9.0), (how, style.SOFT, 8.0)))
    below, sentences = 0.2 + picture_lines(items[:drawn], 3), [_sentence(shown, drawn)]
    figure, top, _height = style.titled(_title(shown), shown.name, sentences, warnings, below=below)
    pictures_with_words(figure, top, items[:drawn], words)
    return figure


def _place(shown: Mistakes | ConfusionCell, k: int) -> str:
    """Return a short name of the row: the end of its file's name, else its number."""
    if not shown.files:
        return _("row {n}").format(n=shown.index_K[k])
    return style.label(tail(PurePosixPath(shown.files[k]).stem, 13), 13)


# ---- pictures with words above each

Words = tuple[str, str, float]  # a line, its colour and its size
SMALL, WORD_LINE = 72, 0.155  # largest side in pixels for six pictures side by side; inches per line of words


def across(items: np.ndarray) -> int:
    """Return how many pictures ``[K, C, H, W]`` lie side by side: fewer if they are large and detailed."""
    return 6 if max(items.shape[-2:]) <= SMALL else 4


def _pitch(items: np.ndarray, lines: int) -> tuple[float, float, float]:
    """Return the inches from picture to picture, a picture's side, and the inches from line to line."""
    pitch = (style.WIDTH - 0.3) / across(items)
    side = pitch - 0.13
    tall = side * min(1.0, items.shape[-2] / items.shape[-1])
    return pitch, side, tall + lines * WORD_LINE + 0.2


def picture_lines(items: np.ndarray, lines: int) -> float:
    """Return the height of the pictures in inches, with ``lines`` lines of words above each."""
    return math.ceil(len(items) / across(items)) * _pitch(items, lines)[2]


def pictures_with_words(
    figure: "style.Figure", top: float, items: np.ndarray, words: Sequence[Sequence[Words]]
) -> None:
    """Draw pictures ``[K, C, H, W]`` from 0 to 1 below ``top`` (0 to 1), each with its lines above it."""
    width, height = figure.get_size_inches()
    for k, (item, lines) in enumerate(zip(items, words, strict=True)):
        pitch, side, down = _pitch(items, len(lines))
        row, column = divmod(k, across(items))
        tall = down - len(lines) * WORD_LINE - 0.2
        x, y = 0.15 + column * pitch + (pitch - side) / 2, top * height - (row + 1) * down + 0.1
        framed(style.axes_at(figure, x, y, side, tall), photograph(item))
        for line, (text, ink, size) in enumerate(lines, 1):
            up = (y + tall + 0.06 + WORD_LINE * (len(lines) - line)) / height
            figure.text((x + side / 2) / width, up, text, color=ink, fontsize=size, ha="center")


# ---- cells of a confusion matrix


def cells_figure(shown: ConfusionCells) -> "style.Figure":
    """Draw the pictures of each cell below its name: all for a chosen cell, else as many as fit on a line."""
    split, names = split_name(shown.split), style.class_labels(shown.classes, 30)
    title = _("Confused pictures: {name}")
    sentence = _("One cell of the confusion matrix of {split} rows.")
    if not shown.chosen:
        sentence = _("No class is taken for another on these rows.")
        if shown.cells:
            sentence = _("The cells of the confusion matrix with most mistakes on {split} rows.")
    sentences = [sentence.format(split=split)]
    warned = learnt_from(shown.split)
    blocks = [cell.picture_KCHW for cell in shown.cells]
    if not shown.chosen:
        blocks = [items[: across(items)] for items in blocks]
    heights = [0.32 + (picture_lines(items, 1) if len(items) else 0.0) for items in blocks]
    with style.look():
        below = 0.2 + sum(heights)
        figure, top, height = style.titled(title, shown.name, sentences, warned, below=below)
        for cell, items, inches in zip(shown.cells, blocks, heights, strict=True):
            heading = _cell_heading(cell, names, len(items))
            figure.text(0.02, top - 0.08 / height, heading, weight="bold", va="top", color=style.INK)
            words = [
                ((f"{style.percent(float(share))} · {_place(cell, k)}", style.SOFT, 8.0),)
                for k, share in enumerate(cell.share_K[: len(items)])
            ]
            if words:
                pictures_with_words(figure, top - 0.25 / height, items, words)
            top -= inches / height
        return figure


def _cell_heading(cell: ConfusionCell, names: Sequence[str], drawn: int) -> str:
    heading, which = _("{true} taken for {said}: {n:,} of {of:,} rows"), _("the {k} of which it is surest")
    if cell.true == cell.predicted:
        heading, which = _("{true}, rightly: {n:,} of {of:,} rows"), _("the {k} of which it is least sure")
    facts = {"true": names[cell.true], "said": names[cell.predicted], "n": cell.rows, "of": cell.of}
    return "; ".join([heading.format(**facts), *that_hold({which: drawn < cell.rows}, k=drawn)])


# ---- rows of tables


def _rows(shown: Mistakes, columns: Sequence[str], by_cost: bool) -> "style.Figure":
    """Draw text lines: the row's number, true and predicted value, and its columns."""
    from matplotlib.lines import Line2D

    drawn = min(LINES, len(shown))
    lines = _lines(shown, columns, drawn)
    widths = [max(max(map(len, column[0].split("\n"))), *map(len, column[1:])) for column in lines]
    inches = [LETTER * letters + 0.22 for letters in widths]
    room = np.cumsum(inches) <= style.WIDTH - 0.3
    lines, inches = [c for c, fits in zip(lines, room, strict=True) if fits], inches[: int(room.sum())]
    sentences = [_sentence(shown, drawn)]
    kept = len(lines) - FIRST
    some = _("The first {k} of {n} columns.")
    if by_cost:
        some = _("{k} of {n} columns, those that cost most when they are shuffled.")
    sentences += that_hold({some: kept < len(shown.features)}, k=kept, n=len(shown.features))
    warnings = _warnings(shown)
    height = 1.25 + 0.205 * (len(warnings) + len(sentences)) + drawn * LINE
    figure, top, height = style.titled(_title(shown), shown.name, sentences, warnings, height=height)
    right_of = np.cumsum(inches) + 0.12
    for number_of, column in enumerate(lines):
        left = number_of in (1, 2) and bool(shown.classes)
        x = (right_of[number_of] - (inches[number_of] - 0.22 if left else 0)) / style.WIDTH
        marked = number_of == (2 if shown.classes else 3)
        for k, text in enumerate(column):
            y = (top * height - 0.42 - k * LINE) / height
            ink = style.SOFT if k == 0 else style.ALARM if marked else style.INK
            weight = "bold" if marked and k else "normal"
            side = "left" if left else "right"
            figure.text(x, y, text, fontsize=9.5, color=ink, weight=weight, ha=side, linespacing=1.1)
    for k in range(1, drawn + 1):
        y = (top * height - 0.42 - (k - 0.68) * LINE) / height
        figure.add_artist(Line2D([0.02, 0.98], [y, y], color=style.FAINT, linewidth=0.8))
    return figure


def _lines(shown: Mistakes, columns: Sequence[str], drawn: int) -> list[list[str]]:
    """Return the table by column, each with its heading first."""
    names = style.class_labels(shown.classes, 16)
    lines = [[_("row"), *(f"{i}" for i in shown.index_K[:drawn])]]
    true, answers = shown.true_K[:drawn].tolist(), shown.said_K[:drawn].tolist()
    if shown.classes:
        lines.append([_("true"), *(names[int(c)] for c in true)])
        lines.append([_("predicted"), *(names[int(c)] for c in answers)])
        lines.append([_("sure"), *(style.percent(float(p)) for p in shown.sure_K[:drawn])])
    else:
        lines.append([_("true"), *map(numeral, true)])
        lines.append([_("predicted"), *map(numeral, answers)])
        off = (f"{'+' if s > t else '−'}{numeral(abs(s - t))}" for t, s in zip(true, answers, strict=True))
        lines.append([_("off by"), *off])
    for name in columns:
        j = shown.features.index(name)
        lines.append([_heading(name), *map(_value, shown.cells[j][:drawn])])
    return lines


def _heading(name: str) -> str:
    """Return a column's name, broken at a word's end into two lines if long."""
    text = style.label(name, 26)
    if len(text) <= 9:
        return text
    middle = max((text.rfind(c, 0, len(text) // 2 + 3) + 1 for c in "_- /"), default=0) or len(text) // 2
    return text[:middle] + "\n" + text[middle:]


def _value(cell: Cell) -> str:
    if cell is None:
        return "–"
    return numeral(cell) if isinstance(cell, float) else style.label(cell, 16)
