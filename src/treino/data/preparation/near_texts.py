"""Find texts that are copies of each other but for some words, punctuation, markup, or text around them.

A text is the set of its runs of three words. Two texts are near copies if half of the runs of the shorter
one are in the other. Runs that many texts share, as those of a greeting or a form, don't count.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable
from html.entities import html5

import numpy as np
from numpy.typing import NDArray

from treino.data.preparation.texts import unspaced
from treino.data.splits import joined_rows

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
