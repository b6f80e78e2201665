"""Words for nothing: those of a file's columns of numbers are such in its texts too, but in the target."""

import numpy as np
import pandas as pd
import pytest

from tests.data.conftest import Write
from treino.data import describe, load
from treino.data.readers import ReaderOptions, read_file

N = 60
RNG = np.random.default_rng(0)


def table(number_gap: str = "NA", text_gap: str = "NA") -> pd.DataFrame:
    height = RNG.normal(size=N).round(3).astype(object)
    height[[4, 9]] = number_gap
    country = np.resize(["BR", "PT", "AO"], N).astype(object)
    country[[4, 20, 21]] = text_gap
    return pd.DataFrame({"height": height, "country": country, "y": np.resize(["a", "b"], N)})


def words_of(path: object, reading: ReaderOptions | None = None) -> list[str]:
    words = read_file(str(path), reading).by_name["country"].words
    return words.tolist()


@pytest.mark.parametrize("word", ["NA", "?", "-", "None", "null", "N/A"])
def test_a_word_that_a_column_of_numbers_has_means_nothing_in_text(write: Write, word: str) -> None:
    written = table(word, word)
    found = read_file(write(written.to_csv(index=False)))
    column = found.by_name["country"]
    assert column.words.tolist() == written["country"].replace(word, "").tolist()
    assert np.flatnonzero(column.missing_N).tolist() == [4, 20, 21]
    assert found.reading.missing == (word,)
    assert f"{word} for no value, in columns of text too (country)" in found.notes[0]


@pytest.mark.parametrize(("numbers", "text"), [("", "NA"), ("?", "NA"), ("NA", "na"), ("NA", "None")])
def test_without_that_it_is_a_class_as_it_is_written(write: Write, numbers: str, text: str) -> None:
    """Namibia's code; nothing but the very word is taken."""
    written = table(numbers, text)
    path = write(written.to_csv(index=False))
    assert words_of(path) == written["country"].tolist()
    assert not read_file(path).notes
    data = load(path, target="y")
    assert f"country={text}" in [name for e in data.preparation.programs for name in e.inputs]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("column", "at"), [("number", 3), ("number", 50_000), ("date", 50_000), ("truth", 50_000)]
)
def test_the_word_is_found_wherever_it_stands(write: Write, at: int, column: str) -> None:
    """Also behind the first rows, by which columns of numbers are read at once."""
    n = 60_000
    cells = {
        "number": [f"{i}.5" for i in range(n)],
        "date": [f"2024-01-{i % 28 + 1:02}" for i in range(n)],
        "truth": ["true", "false"] * (n // 2),
    }[column]
    cells[at] = "NA"
    cells[n - 1] = ""
    country = ["NA" if i % 9 == 0 else "BR" for i in range(n)]
    path = write(pd.DataFrame({"p": cells, "country": country}).to_csv(index=False))
    assert set(words_of(path)) == {"", "BR"}
    cells[at] = ""
    plain = write(pd.DataFrame({"p": cells, "country": country}).to_csv(index=False), "plain.csv")
    assert set(words_of(plain)) == {"NA", "BR"}


def test_a_target_keeps_its_classes(write: Write) -> None:
    written = table()
    path = write(written.to_csv(index=False))
    data = load(path, target="country", kinds={"y": "category"})
    assert data.classes == ("AO", "BR", "NA", "PT")
    assert sum(len(rows) for rows in data.splits.values()) == N
    found = describe(str(path), "country").target
    assert dict(zip(found.classes, found.class_rows, strict=True))["NA"] == 3
    assert {c.name: c.missing for c in describe(str(path), "y").columns} == {
        "height": 2,
        "country": 3,
        "y": 0,
    }
    numbers = load(path, target="height", task="regression")
    assert sum(len(rows) for rows in numbers.splits.values()) == N - 2


def test_a_further_file_is_read_by_the_words_of_the_first(write: Write) -> None:
    path = write(table().to_csv(index=False))
    without = write(table(text_gap="NA").iloc[10:40].to_csv(index=False), "test.csv")  # no gap in its numbers
    assert "NA" in words_of(without)
    data = load(path, target="y", test=str(without))
    assert not any("no training row has" in note for note in data.notes)
    plain = write(table(number_gap="").to_csv(index=False), "plain.csv")
    with_gaps = load(plain, target="y", test=str(write(table().to_csv(index=False), "gaps.csv")))
    assert not any("country (" in note and "Missing classes" in note for note in with_gaps.notes)
    countries = load(path, target="country", test=str(without), kinds={"y": "category"})
    assert len(countries.test) == 30


def test_a_table_larger_than_memory_has_the_same_words(write: Write) -> None:
    big = pd.concat([table()] * 30)
    big[[f"p{j}" for j in range(12)]] = RNG.normal(size=(len(big), 12))
    path = write(big.to_csv(index=False))
    plain, small = load(path, target="y"), load(path, target="y", max_memory=200_000)
    assert any("temporary" in note for note in small.notes)
    assert plain.preparation.programs == small.preparation.programs
    assert [n for n in small.notes if "temporary" not in n] == list(plain.notes)
