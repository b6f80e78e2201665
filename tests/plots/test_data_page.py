"""The page about a table: whole in one file, escaped, and read by a real browser."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import Treino
from tests.plots.browser import looked_at
from treino.base.words import interface
from treino.data import describe
from treino.data.summaries.measures import BINS, NumberHistogram, WordCounts, shape
from treino.data.table import Column
from treino.plots.data_page import data_page, data_sections, picture, said_of
from treino.plots.report.blocks import Note, TableBlock, cell_text

NASTY = "<script>alert('x')</script>&\"quoted\""


class Tags(HTMLParser):
    """Which tags are opened, and whether each is closed in its turn."""

    VOID = {"meta", "!doctype", "rect"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    return tags


@pytest.fixture
def nasty() -> str:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            NASTY: rng.normal(size=60),
            "when": pd.date_range("2024-01-01", periods=60),
            "class": [NASTY, "b", "c"] * 20,
            "gaps": [np.nan if i % 7 == 0 else i / 3 for i in range(60)],
        }
    )
    return data_page(describe(frame, "class"))


def test_texts_from_data_are_escaped_and_nothing_is_loaded(nasty: str) -> None:
    tags = parsed(nasty)
    assert "script" not in [tag for tag, _attributes in tags.seen]
    rows = [a for t, a in tags.seen if t == "th" and a.get("scope") == "row"]
    assert len(rows) == 3 + 4  # classes, columns
    assert "(15.0 %)" in nasty  # gaps: 9 of 60
    assert "&lt;script&gt;" in nasty
    assert not [a for _tag, a in tags.seen if "src" in a or not (a.get("href") or "#").startswith("#")]
    assert "url(" not in nasty
    assert "@import" not in nasty


def test_pictures_have_the_columns_own_counts() -> None:
    values = np.random.default_rng(0).normal(size=500)
    spread = shape(Column("x", values))
    assert isinstance(spread, NumberHistogram)
    counts, edges = np.histogram(values, bins=BINS)
    assert spread == NumberHistogram(tuple(edges.tolist()), tuple(counts.tolist()))
    assert spread.to_json() == {"edges": edges.tolist(), "counts": counts.tolist()}
    heights = [float(h) for h in re.findall(r"height='([\d.]+)'><title>", picture("x", spread))]
    assert np.argmax(heights) == np.argmax(counts)
    assert heights[int(np.argmax(counts))] == 36


TEXTS = np.array(["b", "a", "b", ""], object)
ODD: list[tuple[Column, WordCounts | None]] = [
    (Column("x", np.array([1.0, 2.0, 2.0, np.nan])), WordCounts(("1", "2"), (1, 2), 0)),
    (Column("x", None, TEXTS), WordCounts(("b", "a"), (2, 1), 0)),
    (Column("x", np.full(3, np.nan)), None),
    (Column("x", np.array([-1e308, 1e308] + [float(i) for i in range(20)])), None),
]


@pytest.mark.parametrize(("column", "expected"), ODD)
def test_odd_columns_have_a_shape_or_none(column: Column, expected: WordCounts | None) -> None:
    assert shape(column) == expected
    assert ("<svg" in picture("x", expected)) is (expected is not None)


@pytest.mark.parametrize(
    ("clock", "unit", "first"), [(False, "dates", "1970-01-01"), (True, "times", "00:00")]
)
def test_dates_and_times_of_day_are_named_as_such(clock: bool, unit: str, first: str) -> None:
    spread = shape(Column("x", seconds=np.arange(0.0, 86400.0, 3600.0), clock=clock))
    assert isinstance(spread, NumberHistogram)
    assert list(spread.to_json()) == ["edges", "counts", unit]
    assert f"<title>{first} – " in picture("x", spread)


@pytest.mark.slow
def test_a_browser_shows_it_without_a_word_of_complaint(nasty: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(nasty)
    found = looked_at(tmp_path / "page.html")
    assert found.said == found.asked == []
    assert found.text.count("alert('x')") >= 2


def test_the_terminal_shows_the_page_s_tables_and_sentences(tmp_path: Path, treino: Treino) -> None:
    frame = pd.DataFrame({"a": [None, 4.0, 9.0, 16.0] * 20, "same": 1, "kind": ["x", "y"] * 40})
    frame.to_csv(tmp_path / "t.csv", index=False)
    with interface("flag"):
        described = describe(str(tmp_path / "t.csv"), "kind")
        blocks = [block for section in data_sections(described) for block in section.blocks]
    said = treino("data", str(tmp_path / "t.csv"), "--target", "kind").out
    rows = [row for block in blocks if isinstance(block, TableBlock) for row in block.rows]
    warnings = [text for block in blocks if isinstance(block, Note) for text in (block.title, *block.lines)]
    texts = [*(cell_text(cell) for row in rows for cell in row), *warnings, *described.notes]
    assert [text for text in (*texts, said_of(described)) if text not in said] == []
    assert len(warnings) > 1
    assert "values" not in said  # a column of charts
