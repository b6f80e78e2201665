"""Find the rows of tables that are equal in all features, or in a long text but for a few words.

Such texts differ in some words, in punctuation, in markup, or in the text around them. A text is the set of
its runs of three words. Two texts are near copies if half of the runs of the shorter one are in the other.
Runs that many texts share, as those of a greeting or a form, don't count.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html.entities import html5

import numpy as np
from numpy.typing import NDArray

from treino.base.words import N_
from treino.data.preparation.column_cells import number_cells, second_cells
from treino.data.preparation.column_kinds import ColumnRole, by_value, level_cells
from treino.data.preparation.texts import unspaced
from treino.data.splits import EqualRows, first_equal, first_equal_columns, joined_rows
from treino.data.table import Numbers, Table

LONG_TEXT = 50  # characters; shorter texts may be alike by chance
EQUAL_TEXTS = (
    N_("Rows equal to an earlier one in all features, or almost in a long text: {n}; they are never parted."),
    N_("in all features, or almost in a long text"),
)


def equal_rows(
    tables: Sequence[Table],
    chosen: Mapping[str, ColumnRole],
    answer_N: NDArray[np.int64],
    cells_ND: Numbers | None = None,
) -> EqualRows:
    """The equal rows of tables, in order. answer_N: equal for rows of equal targets. cells_ND: the cells as
    ``comparable`` returns them; None: the columns are read one after the other."""
    rows = sum(table.rows for table in tables)

    def columns() -> Iterator[Numbers]:
        return comparable_columns(tables, chosen) if cells_ND is None else iter(cells_ND.T)

    first_N = first_equal_columns(columns(), rows) if cells_ND is None else first_equal(cells_ND)
    equal = EqualRows.of(first_N, answer_N, columns())
    first_N, unit_N = equal.first_N, equal.unit_N
    for name in (name for name, role in chosen.items() if role.way == "text"):
        cells = (cell for table in tables for cell in level_cells(table.column(name), False))
        same_N, near_N = near_texts(cells, LONG_TEXT)
        first_N = joined_rows(first_N, near_N)
        for text_N in (same_N, near_N):  # copies stay together even where near ones return by nature
            unit_N = joined_rows(unit_N, EqualRows.of(text_N, answer_N).unit_N)
    return EqualRows(first_N, unit_N)


def answer_codes(
    tables: Sequence[Table], targets: Sequence[str], labels: Sequence[Sequence[NDArray[np.int64]]]
) -> NDArray[np.int64]:
    """``[N]``: equal for rows that are equal in all targets. labels: each table's codes of each target."""
    answers = []
    for table, of_table in zip(tables, labels, strict=True):
        numbers = [table.column(name).numbers for name in targets]
        answers.append(np.stack([c if n is None else n for n, c in zip(numbers, of_table, strict=True)], 1))
    answer_NK = np.concatenate(answers).astype(np.float64)
    return np.asarray(np.unique(answer_NK, axis=0, return_inverse=True)[1]).reshape(-1)


def comparable(tables: Sequence[Table], chosen: Mapping[str, ColumnRole]) -> Numbers:
    """``[N, D]``: the cells of the features as numbers or codes; equal cells have equal codes."""
    if tables[0].matrix is not None and len(tables) == 1:
        return feature_matrix(tables[0], tuple(chosen))
    raw_ND = np.empty((sum(t.rows for t in tables), len(chosen)))
    for j, value_N in enumerate(comparable_columns(tables, chosen)):
        raw_ND[:, j] = value_N
    return raw_ND


def comparable_columns(
    tables: Sequence[Table], chosen: Mapping[str, ColumnRole]
) -> Iterator[NDArray[np.float64]]:
    """Yields the columns of ``comparable``, each ``[N]``."""
    for name, choice in chosen.items():
        if choice.way == "number":
            cells = [number_cells(t.column(name), t.place) for t in tables]
        elif choice.way in ("date", "time"):
            clock = choice.way == "time"
            cells = [second_cells(t.column(name), t.place, clock=clock) for t in tables]
        else:
            code, numeric = dict[str, int](), by_value(tables[0].column(name))
            cells = [
                np.array([code.setdefault(w, len(code)) for w in level_cells(t.column(name), numeric)], float)
                for t in tables
            ]
        yield np.concatenate(cells) if len(cells) > 1 else cells[0]


def feature_matrix(table: Table, names: Sequence[str]) -> Numbers:
    """``[N, D]``: the named columns, from the table's matrix if it has one, else from their numbers."""
    if table.matrix is not None:
        positions = {name: j for j, name in enumerate(table.names)}
        if tuple(names) == table.names[: table.matrix.shape[1]]:
            return table.matrix
        return np.ascontiguousarray(table.matrix[:, [positions[name] for name in names]])
    return np.stack([number_cells(table.column(name), table.place) for name in names], axis=1)


# ---- texts that are copies of each other but for some words

RUN = 3  # words
MOST_WORDS = 160  # of a text that are read
LEAST_RUNS = 3  # that two near copies share
NEAR = 0.5  # the least share of runs of the shorter text
LEAST_PLACES = 2  # runs in whose lists of texts two near copies are neighbours
AT_ONCE = 4096  # texts that are read at a time
PAIRS_AT_ONCE = 1 << 16  # pairs of texts that are compared at a time

_WORD = re.compile(r"[^\W_]+")
_ENTITY = re.compile(r"&(#?\w{1,30};)")
_TAG = re.compile(r"<[^<>]{1,1000}>")
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_HASH, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)

Keys = NDArray[np.uint64]
"""Runs, each as the number of its text times 2^32, plus its hash; sorted."""


def near_texts(texts: Iterable[str], least: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """``[N]`` each: for each text the first of the same words; and the first that it is linked to by a chain
    of near copies. least: the characters of a text; shorter ones may be alike by chance and are linked to
    none."""
    first: dict[object, int] = {}
    first_N, vocabulary, blocks = list[int](), dict[str, int](), list[Keys]()
    rest = iter(texts)
    while block := list(itertools.islice(rest, AT_ONCE)):
        read, distinct = [words_of(text) if len(text) >= least else None for text in block], list[int]()
        for words, text in zip(read, block, strict=True):
            row = len(first_N)
            key = row if words is None else hash(tuple(words)) if words else text
            first_N.append(first.setdefault((words is None, key), row))
            if words and first_N[-1] == row:
                distinct.append(row)
        started = len(first_N) - len(block)
        words_T = [read[row - started] or () for row in distinct]
        number_T = [[vocabulary.setdefault(word, len(vocabulary)) for word in words] for words in words_T]
        blocks.append(_runs(np.array(distinct, dtype=np.uint64), number_T))
    linked_N = np.array(first_N, dtype=np.int64)
    if not blocks:
        return linked_N, linked_N
    return linked_N, joined_rows(linked_N, *_near_pairs(np.concatenate(blocks), len(linked_N)))


def words_of(text: str) -> list[str]:
    """The words of a text in lower case without markup, at most ``MOST_WORDS``; of scripts without blanks
    between words, the letters."""
    if "&" in text:
        text = _ENTITY.sub(lambda found: html5.get(found[1], " "), text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    if text.isascii():
        return _WORD.findall(text.lower())[:MOST_WORDS]
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return [part for word in words for part in (word if unspaced(word[0]) else (word,))][:MOST_WORDS]


def _runs(row_T: Keys, number_T: list[list[int]]) -> Keys:
    """The runs of texts given as numbers of words."""
    length_T = np.array([len(words) for words in number_T], dtype=np.int64)
    word_W = np.fromiter(itertools.chain.from_iterable(number_T), np.uint64, int(length_T.sum()))
    if len(word_W) < RUN:
        return np.zeros(0, np.uint64)
    hash_W = np.zeros(len(word_W) - RUN + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for place in range(RUN):
            hash_W = (hash_W + word_W[place : place + len(hash_W)] + np.uint64(1)) * _FACTOR
            hash_W ^= hash_W >> np.uint64(29)
    text_W = np.repeat(np.arange(len(number_T)), length_T)
    whole_W = text_W[: len(hash_W)] == text_W[RUN - 1 :]
    return np.unique(row_T[text_W[: len(hash_W)][whole_W]] << _HASH | hash_W[whole_W] & _LOW)


def _near_pairs(key_K: Keys, texts: int) -> NDArray[np.int64]:
    """``[2, P]``: near copies, enough of them to link all. Texts are compared with their neighbours in the
    list of each run, so that the cost grows with the runs and not with the pairs."""
    from scipy.sparse import csr_matrix

    _hash, run_K, count_R = np.unique(key_K & _LOW, return_inverse=True, return_counts=True)
    rare_K = count_R[run_K.reshape(-1)] <= max(LEAST_RUNS, min(texts // 4, int(texts**0.5)))
    text_K, run_K = (key_K[rare_K] >> _HASH).astype(np.int64), run_K.reshape(-1)[rare_K]
    runs_TR = csr_matrix((np.ones(len(run_K), np.int32), (text_K, run_K)), (texts, len(count_R)))
    order_K = np.argsort(run_K, kind="stable")
    beside_K = np.diff(run_K[order_K]) == 0
    pair_K = text_K[order_K][:-1][beside_K] * texts + text_K[order_K][1:][beside_K]
    pair_P, places_P = np.unique(pair_K, return_counts=True)
    near = [np.zeros((2, 0), dtype=np.int64)]
    size_T, pair_P = runs_TR.getnnz(1), pair_P[places_P >= LEAST_PLACES]
    for start in range(0, len(pair_P), PAIRS_AT_ONCE):
        a_B, b_B = np.divmod(pair_P[start : start + PAIRS_AT_ONCE], texts)
        shared_B = np.asarray(runs_TR[a_B].multiply(runs_TR[b_B]).sum(1)).reshape(-1)
        enough_B = np.maximum(LEAST_RUNS, NEAR * np.minimum(size_T[a_B], size_T[b_B]))
        near.append(np.stack([a_B, b_B])[:, shared_B >= enough_B])
    return np.concatenate(near, axis=1)
