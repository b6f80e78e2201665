"""Sentences in stored JSON are read in the reader's language, whatever language they were written in."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treino.base import words
from treino.base.encoding import json_bytes, json_value, signed, signed_value
from treino.base.errors import TreinoError
from treino.base.words import _, capitalised, joined, numeral

FILE = Path("document.json")


@pytest.fixture(autouse=True)
def _back_to_english() -> Iterator[None]:
    with words.speaking("en"):
        yield


def told(rows: int, share: float, name: str) -> dict[str, Any]:
    """A document as treino writes them: sentences in lists, with numbers, names and sentences in them."""
    error = TreinoError("rule", _("{n} inputs").format(n=rows), _("Leave it out."))
    parts = [_("{n} inputs").format(n=rows), name, numeral(share, ".3f")]
    return {
        "figure": share if math.isfinite(share) else None,
        "notes": [
            _("Leave it out."),
            _("The column '{name}' is empty: nothing to compare with.").format(name=name),
            _("Training waited for its data {share:.0%} of the time. More num_workers read ahead; items"
              " that are always the same and fit in memory are not waited for.").format(share=share),
            _("A fresh split could not be trained on: {why}").format(why=error),
        ],
        "inner": {"deeper": [{"said": capitalised(joined(parts, "; ")), "name": name}]},
    }  # fmt: skip


@pytest.mark.slow
@given(
    st.integers(0, 10**9),
    st.floats(allow_nan=True),
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.permutations(["en", "pt_BR"]),
)
def test_a_document_reads_as_if_it_had_been_written_in_the_readers_language(
    rows: int, share: float, name: str, languages: list[str]
) -> None:
    written, read = languages
    with words.speaking(written):
        data, sealed = json_bytes(told(rows, share, name)), signed(told(rows, share, name))
    with words.speaking(read):
        expected = told(rows, share, name)
        assert json_value(data, FILE) == expected
        assert signed_value(sealed, FILE) == expected
        again = json_bytes(json_value(data, FILE))  # as a branch takes its run's notes along
    with words.speaking(written):
        assert again == json_bytes(told(rows, share, name)) or read != written
        assert json_value(again, FILE) == told(rows, share, name)


FORGED: list[Any] = [
    {"sentence": "No sentence of treino's: {n}", "values": {"n": 1}},
    {"sentence": "{n} inputs", "values": {}},
    {"sentence": "{n} inputs", "values": {"n": {"sentence": "nothing of treino's"}}},
    {"sentence": "{n} inputs", "values": [1]},
    {"sentence": 5},
    {"number": 1.0, "format": "999999999d"},
    {"number": "1", "format": ".2f"},
    {"number": None, "format": ""},
    {"float": "1e9"},
    {"parts": ["a"] * 3, "between": "x" * 5},
    {"parts": "abc", "between": ""},
    {"parts": ["x" * 9000] * 3, "between": ""},
    {"capitalised": None},
    {"capitalised": {"capitalised": {}}},
    [],
    None,
]


@pytest.mark.parametrize("source", FORGED)
def test_a_forged_source_leaves_the_text_as_it_is(source: Any) -> None:
    document = {"notes": ["as stored", 5], "sentences": [{"place": ["notes", 0], "source": source}]}
    assert json_value(json.dumps(document).encode(), FILE) == {"notes": ["as stored", 5]}


@pytest.mark.parametrize("place", [[], ["notes"], ["notes", 1], ["notes", 9], ["gone", 0], "notes", 5, None])
def test_a_forged_place_changes_nothing(place: Any) -> None:
    source = {"sentence": "Leave it out."}
    document = {"notes": ["as stored", 5], "sentences": [{"place": place, "source": source}]}
    assert json_value(json.dumps(document).encode(), FILE) == {"notes": ["as stored", 5]}
    for sentences in ({}, [None], [[]], [{}], "x"):
        found = json_value(json.dumps({"notes": [], "sentences": sentences}).encode(), FILE)
        assert found == {"notes": []}


def test_sources_within_each_other_end() -> None:
    source: Any = "x"
    for _level in range(200):
        source = {"parts": [source, source], "between": ""} if _level < 6 else {"capitalised": source}
    document = {"note": "as stored", "sentences": [{"place": ["note"], "source": source}]}
    assert json_value(json.dumps(document).encode(), FILE) == {"note": "as stored"}
