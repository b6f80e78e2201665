"""The page of rows: a table to sort and filter, with predictions by networks that didn't train on the row."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from markupsafe import Markup
from numpy.typing import NDArray

from treino.base.words import _, numeral
from treino.engine import is_picture
from treino.inspection import ALL, cells, pictures
from treino.plots import html_page
from treino.plots.pixels import data_uri, photograph
from treino_doctor.base.markup import script_json, tag, verbatim
from treino_xray.row_xray import RowXray

SCRIPT = Path(__file__).with_name("rows_page.js")
MOST_ROWS = 2000  # maximum on the page: rows with doubtful labels first, then hard ones
MOST_COLUMNS = 12  # maximum number of the data's own columns
STYLE = """
th { cursor: pointer; } th[aria-sort=ascending]::after { content: " ▲"; } th[aria-sort=descending]::after { content: " ▼"; }
tr.suspect td { background: var(--warn); } tr[hidden] { display: none; } td img { height: 56px; image-rendering: pixelated; }
.filter { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .8rem 0; }
select, input { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--faint); border-radius: 4px; padding: .2rem .4rem; }
@media print { .filter { display: none; } }
"""  # noqa: E501


def rows_page(x: RowXray) -> Markup:
    """Return the page."""
    order_K = np.lexsort((-x.doubt_M, ~x.hard_M, ~x.suspect_M))[:MOST_ROWS]
    heads, columns = zip(*_columns(x, order_K), strict=True)
    lines = [
        tag("tr", *row, class_="suspect" if x.suspect_M[place] else None)
        for place, row in zip(order_K, zip(*columns, strict=True), strict=True)
    ]
    title = _("Rows of {name}").format(name=x.data.name)
    head = tag("thead", tag("tr", *(tag("th", head, scope="col", tabindex="0") for head in heads)))
    words = script_json({"shown": _("{n} of {of} rows")})
    return html_page(
        title,
        tag("h1", title),
        *(tag("p", sentence, class_="soft") for sentence in _sentences(x, len(order_K))),
        _filter(heads),
        tag("div", tag("table", head, tag("tbody", *lines), id="rows"), class_="scroll"),
        verbatim("script", f"const WORDS = {words};\n{SCRIPT.read_text(encoding='utf-8')}"),
        style=STYLE,
    )


def _filter(heads: Sequence[str]) -> Markup:
    """Return the controls that choose rows by a column's value."""
    options = (tag("option", head, value=n) for n, head in enumerate(heads))
    column = tag("label", _("Show rows whose"), " ", tag("select", *options, id="column"))
    wanted = tag("input", id="wanted", size="16", placeholder=">0.9")
    value = tag("label", _("is, or contains"), " ", wanted)
    return tag("div", column, value, tag("output", id="shown", class_="soft"), class_="filter")


def _sentences(x: RowXray, shown: int) -> list[str]:
    sentences = [
        _(
            "{n} networks each learned a random half of {rows:,} training rows; of each row, those speak that"
            " did not see it."
        ).format(n=x.networks, rows=len(x.halves.x_ND)),
        _("{n:,} of {of:,} labels are doubted.").format(n=int(x.suspect_M.sum()), of=len(x)),
    ]
    if shown < len(x):
        text = _("{n:,} rows are on this page, the most doubted; a file ending in .csv has all of them.")
        sentences.append(text.format(n=shown))
    return [*x.notes, *sentences]


def _columns(x: RowXray, order_K: NDArray[np.int64]) -> list[tuple[str, list[Markup]]]:
    """Return each column's heading, and its cells in HTML."""
    data, classes = x.data, bool(x.data.classes)
    labels, answers = (x.written(v[order_K]) for v in (x.label_M, x.answer_M))
    rows_K = x.index_M[order_K].tolist()
    input_KD = x.input_MD[torch.from_numpy(order_K)]
    place_K = [_text(data.place(row)) if data.file_names else _number(row, "d") for row in rows_K]
    made = [(_("row"), place_K)]
    if is_picture(data.item_shape):
        drawn = (data_uri(photograph(each)) for each in pictures(data, input_KD))
        made.append((_("picture"), [tag("td", tag("img", src=uri, alt="")) for uri in drawn]))
    for head, values in ((data.target, labels), (_("they would say"), answers)):
        made.append((head, [_text(v) if classes else _number(v) for v in values]))
    if classes:
        made.append((_("probability"), [_number(v, ".3f") for v in x.sure_M[order_K]]))
    for head, value_M in (
        (_("disagree") if classes else _("deviations off"), x.disagreement_M),
        (_("those that saw it"), x.seen_disagreement_M),
    ):
        made.append((head, [_number(v, ".2f") for v in value_M[order_K]]))
    for head, flag_M in ((_("doubted"), x.suspect_M), (_("not learned"), x.hard_M)):
        made.append((head, [_text(_("yes") if v else "") for v in flag_M[order_K]]))
    twins = x.twin_M[order_K].tolist()
    made += [
        (_("equal row"), [_number(v, "d") if v >= 0 else tag("td") for v in twins]),
        (_("split"), [_text(_(ALL[s])) for s in x.split_M[order_K]]),
    ]
    if data.kind == "table":
        for name, column in list(zip(data.features, cells(data, input_KD), strict=True))[:MOST_COLUMNS]:
            cell_K = [_text(v or "") if isinstance(v, str | None) else _number(v) for v in column]
            made.append((name, cell_K))
    return made


def _text(value: str) -> Markup:
    return tag("td", value)


def _number(value: float, spec: str = ".6g") -> Markup:
    """Return a cell with the value that the script sorts by."""
    if value != value:
        return tag("td")
    return tag("td", numeral(value, spec), class_="number", data_value=repr(float(value)))
