"""The writers of reports: escaping, tables, ticks, for any text."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plots.test_data_page import NASTY, Tags, parsed
from treino.plots.report.blocks import (
    Code,
    ListBlock,
    Note,
    Paragraph,
    Picture,
    Section,
    TableBlock,
    TableCell,
    markdown,
)
from treino.plots.report.html import html
from treino.plots.svg import rectangle, svg, text, title, upright_text
from treino.plots.svg_charts import Estimate, Series, interval_chart, line_chart, ticks


def sections(text: str) -> list[Section]:
    table = TableBlock((text, text), ((text, TableCell(text, 0.5)), (text, text)), text)
    picture = Picture("a.png", b"\x89PNG", text, text)
    blocks = (Paragraph(text, "alarm"), Note(text, (text,)), table, ListBlock((text,)), Code(text), picture)
    return [Section(text, blocks, (Section(text, (Paragraph(text),)),)), Section("b", (Paragraph("c"),))]


def test_nothing_of_a_text_becomes_markup() -> None:
    nasty = NASTY + "' onerror='x"
    tags = Tags()
    tags.feed(
        str(html(nasty, nasty, sections(nasty))).replace("<img", "<meta data-img")
    )  # which isn't closed
    assert tags.open == []
    names = {tag for tag, _attributes in tags.seen}
    assert "script" not in names
    attributes = [a for _tag, of in tags.seen for a in of]
    assert not [a for a in attributes if a.startswith("on")]
    images = [of["src"] or "" for tag, of in tags.seen if "data-img" in of]
    assert images
    assert all(source.startswith("data:image/png;base64,") for source in images)
    heads = [of.get("scope") for tag, of in tags.seen if tag == "th"]
    assert set(heads) == {"col", "row"}
    ids = {of["id"] for tag, of in tags.seen if tag == "section" and "id" in of}
    links = {(of["href"] or "")[1:] for tag, of in tags.seen if tag == "a"}
    assert links == ids
    assert len(ids) == 2


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30))
def test_markdown_keeps_its_tables_and_takes_no_orders(text: str) -> None:
    said = markdown("t", "s", [Section("h", (TableBlock(("", "x"), (("n", text),)),))])
    (row,) = [line for line in said.splitlines() if line.startswith("| n |")]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 3  # bars that part cells
    assert not re.search(r"(?<![\\])<", row)
    assert not re.search(r"@\w", row)
    assert "://" not in row


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1))
def test_every_text_in_an_svg_is_read_as_it_was(words: str) -> None:
    part = rectangle(0, 0, 1, 1, title(words), class_=words)
    root = ElementTree.fromstring(svg(2, 2, text(0, 0, words), upright_text(0, 0, words), part, alt=words))
    assert root.get("aria-label") == root[2].get("class") == words
    assert [root[0].text, root[1].text, root[2][0].text] == [words] * 3


@settings(max_examples=60)
@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(3, 9))
def test_ticks_are_round_few_and_inside(low: float, span: float, most: int) -> None:
    found = ticks(low, low + span, most)
    assert 1 <= len(found) <= most + 1 or span < 1e-9 * abs(low)
    assert all(low - 1e-6 * span <= t <= low + span * (1 + 1e-6) for t in found) or span < 1e-7 * abs(low)


def places(drawn: str, path: str) -> tuple[list[float], list[float]]:
    """Where the points of the first such path lie."""
    found = re.search(path, drawn)
    assert found
    points = [tuple(map(float, point.split())) for point in found[1].split("L")]
    return [x for x, _y in points], [y for _x, y in points]


def test_a_thinned_line_keeps_its_peaks_and_a_chart_its_gaps() -> None:
    y_N = np.sin(np.arange(50_000) / 700.0)
    y_N[31_234], y_N[40_000:41_000] = 9.0, np.nan
    for log_x in (False, True):
        series = Series(NASTY, np.arange(50_000.0) + log_x, y_N)
        drawn = line_chart([series], x_label="x", y_label=NASTY, alt=NASTY, log_x=log_x)
        parsed(drawn)
        assert "nan" not in drawn
        assert "<script" not in drawn
        assert ("x, logarithmic" in drawn) == log_x
        across, down = places(drawn, r"<path d='M([^'Z]*)'")
        assert len(across) <= 300
        assert across == sorted(across)
        apart = sorted(down)[1] - min(down), max(down) - sorted(down)[1]
        assert apart == pytest.approx((8.0 / 10 * sum(apart), 2.0 / 10 * sum(apart)), rel=0.01)
    wide = Series("a", np.arange(1.0, 4), np.array([1.0, 0.5, 0.4]), 0, np.array([0.1, 0.4, 0.9]))
    _across, down = places(line_chart([wide], x_label="", y_label="", alt=""), r"<path d='M([^']*)Z'")
    assert 0 < min(down) < max(down) <= 260, "a band stays above its axis"
    empty = line_chart([], x_label="", y_label="", alt="")
    assert empty.startswith("<svg")
    assert "nan" not in interval_chart([Estimate("a", float("nan")), Estimate("b", 0.5)], label="", alt="")
