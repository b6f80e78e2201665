"""Drawn tables whose columns are of every kind, new rows for them, and settings for a training on them."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

Cell = Any  # None where there is none, a truth value, a number, a text, a date
Random = np.random.Generator
NAMES = 300  # classes of a column from which each row draws one
ROWS, NEW_ROWS, ROWS_FOR_TREES = 120, 24, 1600
DAY = datetime(2023, 11, 5, 21, 40)


# ---- kinds of columns


def _rare(r: Random, rows: int) -> list[int]:
    """Numbers of classes of which many are in one training row or in none."""
    return [int(k) for k in NAMES * r.random(rows) ** 3]


def _texts(r: Random, rows: int) -> list[Cell]:
    words = ["flat", "quiet", "noisy", "new", "old", "é", "são", "garden:", "street.", "12", "👍", "não"]
    return [" ".join(r.choice(words, size)) for size in r.integers(1, 9, rows)]


WORDS = ["flat", "hüt;te", "São  Paulo", "a|b", "x.y*"]
ODD_TEXTS = (
    "  não gostei, péssimo ", "这个电影很好看 👍", "<b>QUIET</b> flat\tnew  old;NEW OLD",
    "zzz ??? Ж", "👎👎👎", "veio quebrado, 'e' caro; não gostei", "\u00c9ra \u0301 ótimo PRODUTO",
)  # fmt: skip
ODD_NAMES = [
    "prediction", "low", "rows", 'a"b', "it's", "END", "$(touch x)", "</script>", "á\\n", "constant_0",
    "cast_1", 'q"b\\n$x', "c'{}\u202e", "a, b", "é é", "set", "${x}", "row", "%s", "high", "probabilities",
]  # fmt: skip
FAR = (1e12, -1e12, 0.0, 1e-12)


@dataclass(frozen=True)
class Kind:
    """A kind of column.

    draw: the cells of so many rows. odd: cells that only new rows have. wrong: cells that are none of the
    kind; () if every cell may be one. No word is wrong among dates: treino takes it as missing, and a service
    refuses it. told: the value of ``kinds``. mark: what stands before its numbers. tab: whether a page learns
    from it.
    """

    draw: Callable[[Random, int], Sequence[Cell]]
    odd: tuple[Cell, ...] = ()
    wrong: tuple[str, ...] = ()
    told: str = ""
    mark: str = ""
    tab: bool = False


NO_NUMBER = ("oops", "12.5.6,7", "2023-01-01")
KINDS: dict[str, Kind] = {
    "number": Kind(lambda r, n: r.normal(50, 20, n).round(2).tolist(), FAR, NO_NUMBER, tab=True),
    "count": Kind(lambda r, n: (r.integers(0, 12, n) * 1.5).tolist(), (333.0, *FAR), NO_NUMBER, tab=True),
    "amount": Kind(lambda r, n: r.normal(900, 99, n).round(2).tolist(), FAR[:2], NO_NUMBER, mark="R$ "),
    "truth": Kind(lambda r, n: (r.random(n) > 0.4).tolist(), (), ("maybe", "2023-01-01"), tab=True),
    "truth of classes": Kind(lambda r, n: (r.random(n) > 0.4).tolist(), told="one-hot", tab=True),
    "truth hashed": Kind(lambda r, n: (r.random(n) > 0.4).tolist(), told="hashed"),
    "word": Kind(
        lambda r, n: r.choice(WORDS, n).tolist(), ("ruin", "FLAT", "3.5"), told="category", tab=True
    ),
    "rank": Kind(lambda r, n: r.choice(WORDS, n).tolist(), ("ruin", "FLAT"), told="<".join(WORDS), tab=True),
    "few codes": Kind(lambda r, n: (r.integers(0, 9, n) * 1.5).tolist(), (77.0, -0.25), told="category"),
    "rank of numbers": Kind(
        lambda r, n: r.choice([7.5, 0.1, -0.25, 1101.12], n).tolist(),
        (12345.0,),
        told="1101.12<-0.25<0.1<7.5",
    ),
    "name": Kind(lambda r, n: [f"Ana {'é' * (k % 3)} {k}" for k in _rare(r, n)], ("nobody",), told="hashed"),
    "many": Kind(lambda r, n: [f"n{k}" for k in _rare(r, n)], ("nobody",), told="category"),
    "each name": Kind(lambda r, n: [f"n{k}" for k in _rare(r, n)], ("nobody",), told="one-hot"),
    "code": Kind(lambda r, n: [1000 + k for k in _rare(r, n)], (77, 10**12), told="hashed"),
    "half": Kind(lambda r, n: [k / 2 - 7 for k in _rare(r, n)], (-3.25,), told="hashed"),
    "date": Kind(
        lambda r, n: [DAY + timedelta(minutes=k) for k in r.integers(0, 500_000, n).tolist()],
        (datetime(1969, 12, 31, 23, 59), datetime(2400, 2, 29, 0, 1)),
        ("2023-02-30 10:00",),
    ),
    "clock": Kind(
        lambda r, n: [f"{k // 60:02d}:{k % 60:02d}" for k in r.integers(0, 1440, n)],
        ("00:00", "23:59"),
        ("25:00",),
    ),
    "same text": Kind(lambda r, n: ["o mesmo texto em todas as linhas"] * n, ("não gostei",), told="text"),
    "no text": Kind(lambda r, n: [None] * n, ("não gostei",), told="text"),
    "text": Kind(_texts, ODD_TEXTS, told="text"),
}
LEFT_OUT: dict[str, Kind] = {
    "row id": Kind(lambda r, n: (r.permutation(9 * n)[:n] + 1000).tolist()),
    "same": Kind(lambda r, n: [7.5] * n),
    "empty": Kind(lambda r, n: [None] * n),
}
"""Columns that are no inputs: identifiers, constants, and such without a value."""


# ---- how cells are written


@dataclass(frozen=True)
class Writing:
    """How a file writes cells. truth: its words for true and false."""

    delimiter: str = ","
    comma: bool = False
    brazilian_dates: bool = False
    truth: tuple[str, str] = ("true", "false")

    def text(self, cell: Cell, mark: str = "") -> str:
        if cell is None:
            return ""
        if isinstance(cell, bool):
            return self.truth[not cell]
        if isinstance(cell, datetime):
            return cell.strftime("%d/%m/%Y %H:%M" if self.brazilian_dates else "%Y-%m-%d %H:%M")
        text = cell if isinstance(cell, str) else mark + repr(cell).removesuffix(".0")
        return text.replace(".", ",") if self.comma and not isinstance(cell, str) else text


Columns = Mapping[str, Sequence[Cell]]


@dataclass(frozen=True, repr=False)
class DrawnTable:
    """Rows to train on, new rows, and the settings of a training.

    kinds: of the columns that are inputs. rows: all columns, the targets last. new: columns in another order,
    with others among them, and without the targets. asked: keywords of ``fit``. held: whether it is given the
    cells in memory, and no file. wrong: pairs of a column and a cell that it can't hold.
    """

    kinds: Mapping[str, Kind]
    rows: Columns
    new: Columns
    targets: tuple[str, ...]
    asked: Mapping[str, Any]
    writing: Writing
    held: bool
    wrong: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"{sorted(self.kinds)}: {self.asked}, {self.writing}, {self.held}, {self.wrong}"

    def texts(self, columns: Columns) -> dict[str, list[str]]:
        """The cells as a file has them."""
        marks = {name: kind.mark for name, kind in self.kinds.items()}
        text = self.writing.text
        return {name: [text(cell, marks.get(name, "")) for cell in own] for name, own in columns.items()}

    def write(self, path: Path, columns: Columns) -> Path:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=self.writing.delimiter)
            writer.writerow(columns)
            writer.writerows(zip(*self.texts(columns).values(), strict=True))
        return path


def frame_of(columns: Columns) -> pd.DataFrame:
    """The columns as pandas holds them; truth values with gaps are objects."""
    return pd.DataFrame({name: pd.Series(list(cells)) for name, cells in columns.items()})


# ---- drawing


@st.composite
def drawn_tables(draw: st.DrawFn, most_classes: int = 30, every: bool = False) -> DrawnTable:
    """most_classes: of a target. every: tables with columns of all kinds; else of some."""
    comma = draw(st.booleans())
    # with a decimal comma, ranks that are numbers are sometimes read as words, and no level is any of them
    chosen = sorted({*KINDS} - ({"rank of numbers"} if comma else set()))
    if not every:
        chosen = draw(st.lists(st.sampled_from(chosen), min_size=2, max_size=6, unique=True))
    held = not comma and "amount" not in chosen and draw(st.booleans())
    odd = draw(st.permutations(ODD_NAMES))
    kinds = {
        draw(st.sampled_from([kind, name])): KINDS[kind] for kind, name in zip(chosen, odd, strict=False)
    }
    others = draw(st.lists(st.sampled_from(sorted(LEFT_OUT)), unique=True))
    asked = draw(switches())
    r = np.random.default_rng(draw(st.integers(0, 9999)))
    count = draw(st.sampled_from([0, 0, 0, 2, 2, 3, most_classes]))
    if count > 3:  # so rare classes are in training rows alone, and nothing is left to add
        asked.pop("refit", None)
    rows = max(ROWS_FOR_TREES if asked.get("trees") else ROWS, 3 * count)
    drawn = kinds | {name: LEFT_OUT[name] for name in others}
    table: dict[str, Sequence[Cell]] = {name: kind.draw(r, rows) for name, kind in drawn.items()}
    for name in draw(st.sets(st.sampled_from(list(kinds)))):
        table[name] = with_gaps(r, table[name], 0.15)
    own, more = draw(targets(r, [table[name] for name in kinds], count))
    if draw(st.booleans()) and len(own) == 1:
        table["weight"] = r.integers(0, 4, rows).astype(float).tolist()
        more |= {"row_weights": "weight"}
    truth = draw(st.sampled_from([("true", "false"), ("sim", "não"), ("Yes", "No")]))
    writing = Writing(draw(st.sampled_from(";\t" if comma else ",;\t")), comma, draw(st.booleans()), truth)
    if held:  # what a script takes a file for
        writing = Writing()
    new = {}
    for name, kind in kinds.items():
        new[name] = with_gaps(r, [*kind.odd, *kind.draw(r, NEW_ROWS)][:NEW_ROWS], 0.1)
    for name in [name for name, kind in kinds.items() if kind.told]:
        # classes are words, also those of truth values, and of numbers with a decimal comma
        for columns in (new, table):
            written = {cell: writing.text(cell) for cell in columns[name] if isinstance(cell, bool) or comma}
            columns[name] = [None if cell is None else written.get(cell, cell) for cell in columns[name]]
    new |= {"more": r.normal(size=NEW_ROWS).tolist(), "note": ["a note"] * NEW_ROWS}
    told = {name: kind.told for name, kind in kinds.items() if kind.told}
    faults = [(name, cell) for name, kind in kinds.items() for cell in kind.wrong]
    wrong = draw(st.lists(st.sampled_from(faults), min_size=1, max_size=2, unique=True)) if faults else []
    return DrawnTable(
        kinds, table | own, {name: new[name] for name in draw(st.permutations(sorted(new)))}, tuple(own),
        asked | more | {"kinds": told, "target": list(own)}, writing, held, tuple(wrong),
    )  # fmt: skip


def with_gaps(r: Random, cells: Sequence[Cell], share: float) -> list[Cell]:
    return [None if gone else cell for cell, gone in zip(cells, r.random(len(cells)) < share, strict=True)]


@st.composite
def switches(draw: st.DrawFn) -> dict[str, Any]:
    """What of the preparation a recipe, or a setting of its own, turns on and off."""
    if draw(st.booleans()):
        trees = draw(st.sampled_from([0, 0, 8]))
        own = {
            "trees": trees,
            "bins": draw(st.sampled_from([3, 16])),
            "ensemble": draw(st.sampled_from([1, 4])),
        }
        return {"recipe": "table", "refit": draw(st.booleans())} | own
    asked = {
        "recipe": "plain",
        "normalise": draw(st.booleans()),
        "impute": draw(st.sampled_from(["median", "mean"])),
        "target_means": draw(st.booleans()),
    }
    if draw(st.booleans()):
        asked |= {"inputs": "bins", "bins": draw(st.sampled_from([2, 5]))}
    if draw(st.booleans()):
        asked |= {"clip_inputs": draw(st.sampled_from([1.5, 5.0]))}
    return asked


@st.composite
def targets(
    draw: st.DrawFn, r: Random, columns: list[Sequence[Cell]], count: int
) -> tuple[dict[str, list[Cell]], dict[str, Any]]:
    """Targets that depend on the columns, and their settings. count: of classes; 0: numbers are learnt."""
    known = sum(pd.factorize(pd.Series(list(cells)))[0] % 7 for cells in columns)
    value = (known + r.normal(size=len(known))).round(3)
    if not count:
        if draw(st.booleans()):
            return {"y": value.tolist(), "z": (value * 3 - 1).round(3).tolist()}, {}
        if draw(st.booleans()):
            positive = [{"loss": name} for name in ("poisson", "gamma", "tweedie")]
            how = draw(st.sampled_from([{"log_target": True}, *positive]))
            return {"y": np.exp(value / 9).round(3).tolist()}, how
        several = [{"loss": "gaussian"}, {"loss": "quantile", "quantiles": (0.2, 0.5, 0.75)}]
        return {"y": value.tolist()}, draw(st.sampled_from([{}, {"coverage": 0.8}, *several]))
    code = value.argsort().argsort() * count // len(value)
    words = [f"class {k:03d}" for k in range(count)]
    if count == 2:
        words = draw(st.sampled_from([["no", "yes"], ["Ção", 'a "b", c'], ['"""', "\\"], words]))
    own = {"y": [words[k] for k in code]}
    if draw(st.booleans()) and count < 9:
        own["z"] = ["less" if k else "more" for k in code > 0]
        return own, {}
    two = [{}, {"threshold": "cost=1:9"}, {"loss": "bce"}, {"loss": "bce", "coverage": 0.8}]
    return own, draw(st.sampled_from(two)) if count == 2 else {}
