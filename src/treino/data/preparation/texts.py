"""Make inputs of free text: how often it holds telling words and pieces of words, weighted by TF-IDF.

A text is read as letters of the training texts' alphabet in lower case, with one blank for each other
character. A term is a piece of that: " good " is a word, " not good " two words in a row, "ing " the end of a
word, and of scripts without blanks between words a letter or two. So one search for pieces finds all terms in
any script, here, in an exported script and in ONNX.
"""

import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from treino.data.preparation.target_means import TargetFolds

Floats = NDArray[np.float64]

LEAST_TEXTS = 3  # a term occurs in at least so many training texts
CANDIDATES = 20_000  # the commonest words, pairs of words and pieces of words, so many of each
MOST_TERMS = 20_000  # the commonest ones of these are kept
MOST_SLOPES = 400_000  # numbers of a linear model; of more targets it has fewer terms
MOST_SUMMED = 2_000  # of the terms, by how much they tell of the target
MOST_SHOWN = 300  # of these, the most telling ones are inputs of their own
MOST_SUMS = 64  # inputs that are sums of the telling terms
FEWEST_SHOWN, FEWEST_SUMS = 20, 8  # beside a linear model
ROWS_SHOWN, ROWS_SUMS = 100, 200  # beside a linear model: so many texts for each
STRENGTH, ROUNDS = 1.0, 12  # of the linear model: its ridge, and the rounds of conjugate gradients
PREDICTED = 8.0  # the deviation of the targets that it learns: networks find large inputs first
PARTS = 5  # a training row's linear prediction is that of a model of the other parts' rows
MOST_LETTERS = 5_000  # of an alphabet
PIECES = (3, 4, 5)  # lengths of pieces, with the blanks before and after a word
MOST_TEXTS, MOST_CHARACTERS = 50_000, 5_000_000  # of the training texts by which terms are chosen
MOST_LEARNT = 10_000_000  # characters of the texts that the linear model learns from
AT_ONCE = 1_000  # texts whose terms are in memory, beside these

TINY = np.finfo(float).tiny


# ---- from texts to inputs


def letter_table(letters: str) -> dict[str, str]:
    """The letter of an alphabet for each letter that may stand in a text: itself, or its capital."""
    letter_of = {letter: letter for letter in letters}
    for letter in letters:
        capital = letter.upper()
        if len(capital) == 1 and capital.lower() == letter:
            letter_of.setdefault(capital, letter)
    return letter_of


def words_in(text: str, letter_of: dict[str, str]) -> list[str]:
    """The words of a text in the letters of an alphabet; "" between two characters that are none of them."""
    return text.translate({ord(sign): letter_of.get(sign, " ") for sign in set(text)}).split(" ")


def terms_in(texts: Iterable[str], terms: Sequence[str], letters: str) -> Iterator[list[int]]:
    """Yields for each text the places of its terms, each as often as the text holds it."""
    letter_of, place = letter_table(letters), {term: k for k, term in enumerate(terms)}
    sizes = sorted({len(term) for term in terms if " " not in term[1:-1]})
    inside: dict[str, list[int]] = {}
    for text in texts:
        words = words_in(text, letter_of)
        places = list[int]()
        for word in words:
            if word not in inside:
                piece = f" {word} " if word else ""
                found = (piece[k : k + size] for size in sizes for k in range(len(piece) - size + 1))
                inside[word] = [place[term] for term in found if term in place]
            places += inside[word]
        pairs = (f" {words[k]} {words[k + 1]} " for k in range(len(words) - 1))
        places += [place[pair] for pair in pairs if pair in place]
        yield places


# ---- from training texts to terms


class TextTerms(NamedTuple):
    """What is known of training texts.

    letters: the alphabet. terms: pieces of texts. weights: what each counts. shown: how many, from the
    first on, are inputs. summed: how many, from the first on, are in the sums. sums: for each of these,
    what it adds to each sum. slopes: for each term, what it adds to each linear prediction of the target.
    """

    letters: str
    terms: tuple[str, ...]
    weights: tuple[float, ...]
    shown: int
    summed: int
    sums: tuple[float, ...]
    slopes: tuple[float, ...]


def fit_texts(texts: Sequence[str], folds: TargetFolds, linear: bool) -> TextTerms:
    """What is known of the training texts.

    folds: the training rows' targets, by which the terms are put in order. linear: whether a linear model is
    fitted.
    """
    row_T = _read_rows(texts, MOST_CHARACTERS)
    read, target_TK = [texts[row] for row in row_T], folds.target_TK[row_T]
    letters = _alphabet(read)
    letter_of = letter_table(letters)
    terms, count_TV = _candidates(words_in(text, letter_of) for text in read)
    present_V = np.bincount(count_TV.indices, minlength=len(terms))
    weight_V = np.log((1 + len(read)) / (1 + present_V)) + 1
    own_V, most = _of_own_texts(count_TV), min(MOST_TERMS, MOST_SLOPES // target_TK.shape[1])
    often_V = own_V[np.argsort(-present_V[own_V], kind="stable")][:most]
    told_V = _telling(_weighted(count_TV, weight_V)[:, often_V], target_TK)
    order_V = often_V[np.argsort(-told_V, kind="stable")]
    shown, sums = MOST_SHOWN, MOST_SUMS
    if linear:  # the more inputs beside its predictions, the more is learnt by heart
        shown = min(shown, max(FEWEST_SHOWN, len(texts) // ROWS_SHOWN))
        sums = min(sums, max(FEWEST_SUMS, len(texts) // ROWS_SUMS))
    weights, summed = _rounded(weight_V[order_V]), min(MOST_SUMMED, len(order_V))
    value_TV = _weighted(count_TV[:, order_V], weight_V[order_V])[:, :summed]
    own, slopes = tuple(terms[k] for k in order_V), tuple[float, ...]()
    summed_slopes = _rounded(_sums(value_TV, sums).ravel())
    del count_TV, value_TV
    if linear and own:
        _rows, *learnt = _learnt(texts, folds, letters, own, weights)
        slopes = _rounded(_slopes(*learnt).ravel())
    return TextTerms(letters, own, weights, min(shown, len(own)), summed, summed_slopes, slopes)


def held_out_predictions(
    texts: Sequence[str],
    folds: TargetFolds,
    letters: str,
    terms: Sequence[str],
    weights: Sequence[float],
    slopes: Sequence[float],
) -> Floats:
    """``[T, K]``: the linear predictions of the training rows, each by a model of the other parts' rows; of
    rows that no model learns from, by these slopes."""
    row_R, value_RV, target_RK, weight_R = _learnt(texts, folds, letters, terms, weights)
    part_R = folds.fold_T[row_R] % PARTS
    held_TK, slope_VK = np.zeros((len(texts), target_RK.shape[1])), np.array(slopes).reshape(len(terms), -1)
    others = np.setdiff1d(np.arange(len(texts)), row_R)
    for start in range(0, len(others), AT_ONCE):
        some = others[start : start + AT_ONCE].tolist()
        held_TK[some] = _values([texts[row] for row in some], letters, terms, weights) @ slope_VK
    for part in range(PARTS):
        here, there = np.flatnonzero(part_R == part), np.flatnonzero(part_R != part)
        slope_VK = _slopes(value_RV[there], target_RK[there], weight_R[there])
        held_TK[row_R[here]] = value_RV[here] @ slope_VK
    return np.round(held_TK, 5)


def _learnt(
    texts: Sequence[str], folds: TargetFolds, letters: str, terms: Sequence[str], weights: Sequence[float]
) -> tuple[NDArray[np.int64], Any, Floats, Floats]:
    """What the linear model learns from: (the rows, the sparse TF-IDF of their terms, their targets scaled to
    deviation ``PREDICTED``, their weights)."""
    row_R = _read_rows(texts, MOST_LEARNT)
    deviation = max(float(np.sqrt(np.square(folds.target_TK).mean())), 1e-12)
    target_RK = folds.target_TK[row_R] * (PREDICTED / deviation)
    weight_R = np.ones(len(row_R)) if folds.weight_T is None else folds.weight_T[row_R]
    return row_R, _values([texts[row] for row in row_R], letters, terms, weights), target_RK, weight_R


def _values(texts: Sequence[str], letters: str, terms: Sequence[str], weights: Sequence[float]) -> Any:
    """The sparse TF-IDF ``[T, V]`` of texts."""
    columns, ends = array("q"), [0]
    for places in terms_in(texts, terms, letters):
        columns.extend(places)
        ends.append(len(columns))
    row_K = np.repeat(np.arange(len(texts)), np.diff(ends))
    count_TV = _counts(row_K, np.array(columns, dtype=np.int64), len(texts), len(terms))
    return _weighted(count_TV, np.array(weights))


def _slopes(value_TV: Any, target_TK: Floats, weight_T: Floats) -> Floats:
    """``[V, K]``: the coefficients of ridge regressions of the targets on the terms, without intercepts, by
    conjugate gradients of all of them at once."""
    from scipy.sparse import diags

    root_T = np.sqrt(weight_T / max(weight_T.mean(), TINY))
    rows_TV = (diags(root_T) @ value_TV).tocsr()
    rows_VT = rows_TV.T.tocsr()
    slope_VK = np.zeros((value_TV.shape[1], target_TK.shape[1]))
    left_VK = rows_VT @ (root_T[:, None] * target_TK)
    way_VK, size_K = left_VK.copy(), (left_VK**2).sum(axis=0)
    for _round in range(ROUNDS):
        bent_VK = rows_VT @ (rows_TV @ way_VK) + STRENGTH * way_VK
        step_K = size_K / np.maximum((way_VK * bent_VK).sum(axis=0), TINY)
        slope_VK += step_K * way_VK
        left_VK -= step_K * bent_VK
        before_K, size_K = size_K, (left_VK**2).sum(axis=0)
        way_VK = left_VK + size_K / np.maximum(before_K, TINY) * way_VK
    return slope_VK


def _rounded(values: Floats) -> tuple[float, ...]:
    """The numbers with five digits, which are the same wherever they are computed."""
    return tuple(float(f"{value:.5g}") for value in values)


def _read_rows(texts: Sequence[str], most: int = MOST_CHARACTERS) -> NDArray[np.int64]:
    """Evenly spread row numbers of texts with about so many characters in all."""
    characters = max(1, sum(map(len, texts)))
    most = min(len(texts), MOST_TEXTS, max(1, len(texts) * most // characters))
    return np.linspace(0, len(texts) - 1, most).astype(np.int64)


def _alphabet(texts: Iterable[str]) -> str:
    """The commonest letters, digits, marks and pictures of the texts, those with two cases in lower case."""
    signs: Counter[str] = Counter()
    for text in texts:
        signs.update(text)
    letters: Counter[str] = Counter()
    for sign, count in signs.items():
        if unicodedata.category(sign)[0] in "LMN" or unicodedata.category(sign) in ("So", "Sk"):
            small = sign.lower()
            letters[small if len(small) == 1 and small.upper() == sign else sign] += count
    return "".join(sorted(letter for letter, _count in letters.most_common(MOST_LETTERS)))


def _candidates(words: Iterable[Sequence[str]]) -> tuple[list[str], Any]:
    """The commonest terms of the texts, and a sparse ``[T, V]``: how often each text holds each of them.

    words: each text's.
    """
    from scipy.sparse import hstack  # slow to import

    place: dict[str, int] = {}
    code, ends = array("q"), [0]  # the number of each word; -1 where no word follows the one before
    for each in words:
        code.extend(place.setdefault(word, len(place)) if word else -1 for word in each)
        code.append(-1)
        ends.append(len(code))
    known, code_K = list(place), np.array(code, dtype=np.int64)
    text_K, here_K = np.repeat(np.arange(len(ends) - 1), np.diff(ends)), code_K >= 0
    word_TW = _counts(text_K[here_K], code_K[here_K], len(ends) - 1, len(known))
    often_W = np.append(np.bincount(word_TW.indices, minlength=len(known)) >= LEAST_TEXTS, False)
    pair_K = np.flatnonzero(often_W[code_K[:-1]] & often_W[code_K[1:]])  # others are rare themselves
    key, first, place_K = np.unique(
        code_K[pair_K] * len(known) + code_K[pair_K + 1], return_index=True, return_inverse=True
    )
    order = np.argsort(first)  # as the texts hold them
    pair_TV = _counts(text_K[pair_K], np.argsort(order)[place_K.reshape(-1)], len(ends) - 1, len(key))
    piece, piece_WV = _counted(map(pieces_of, known))
    often = np.sort(np.argsort(-(word_TW.sum(axis=0).A1 @ piece_WV), kind="stable")[:CANDIDATES])
    parts: list[tuple[Callable[[int], str], Any]] = [
        (lambda k: f" {known[k]} ", word_TW),
        (lambda k: f" {known[key[order[k]] // len(known)]} {known[key[order[k]] % len(known)]} ", pair_TV),
        (lambda k: piece[often[k]], word_TW @ piece_WV[:, often]),
    ]
    terms, blocks = list[str](), []
    for name, count_TV in parts:
        present_V = np.bincount(count_TV.indices, minlength=count_TV.shape[1])
        best = np.argsort(-present_V, kind="stable")[:CANDIDATES]
        kept = np.sort(best[present_V[best] >= LEAST_TEXTS])
        terms += map(name, kept.tolist())
        blocks.append(count_TV[:, kept])
    return terms, hstack(blocks, format="csr")


def commonest_words(texts: Sequence[str]) -> tuple[NDArray[np.int64], Counter[str]]:
    """``[N]``: the number of words of each text; and in how many texts each word is, of scripts without
    blanks each two letters in a row. At most ``MOST_TEXTS`` texts are read."""
    texts = [texts[row] for row in _read_rows(texts)]
    letter_of = letter_table(_alphabet(texts))
    words = [list(filter(None, words_in(text, letter_of))) for text in texts]
    count: Counter[str] = Counter()
    for each in words:
        pairs = ([f"{a}{b}" for a, b in pairwise(word) if unspaced(a) and unspaced(b)] for word in each)
        count.update({term for word, own in zip(each, pairs, strict=True) for term in own or [word]})
    return np.array(list(map(len, words)), dtype=np.int64), count


def _counted(each: Iterable[Iterable[str]]) -> tuple[list[str], Any]:
    """The different names that these hold, and a sparse matrix: how often each (a row) holds each name."""
    place: dict[str, int] = {}
    columns, ends = array("q"), [0]
    for names in each:
        columns.extend(place.setdefault(name, len(place)) for name in names)
        ends.append(len(columns))
    row_K = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
    return list(place), _counts(row_K, np.array(columns, dtype=np.int64), len(ends) - 1, len(place))


def _counts(row_K: NDArray[Any], column_K: NDArray[Any], rows: int, columns: int) -> Any:
    """A sparse matrix: how often each place is named."""
    from scipy.sparse import csr_matrix

    return csr_matrix((np.ones(len(row_K)), (row_K, column_K)), (rows, columns))


def pieces_of(word: str) -> Iterable[str]:
    """The pieces of a word, with a blank before and after it; of scripts without blanks also single letters,
    and two in a row."""
    padded = f" {word} "
    for size in PIECES:
        yield from (padded[k : k + size] for k in range(len(padded) - size + 1) if size < len(padded))
    for size in (1, 2):
        found = (word[k : k + size] for k in range(len(word) - size + 1))
        yield from (piece for piece in found if unspaced(piece[0]))


def unspaced(letter: str) -> bool:
    """Whether a letter is a picture, or of a script that writes no blanks between words."""
    return letter > "\u0e00" and unicodedata.category(letter) in ("Lo", "So")


def _weighted(count_TV: Any, weight_V: Floats) -> Any:
    """The sparse TF-IDF ``[T, V]`` of counts, each row of length 1."""
    value_TV = count_TV.copy()
    value_TV.data = (1 + np.log(value_TV.data)) * weight_V[value_TV.indices]
    rows = np.repeat(np.arange(value_TV.shape[0]), np.diff(value_TV.indptr))
    value_TV.data /= np.sqrt(np.bincount(rows, value_TV.data**2))[rows]
    return value_TV


def _of_own_texts(count_TV: Any) -> NDArray[np.int64]:
    """The terms, without those that occur in just the texts of an earlier one, as pieces of one word do."""
    key_T = np.random.default_rng(0).integers(1 << 40, size=count_TV.shape[0])
    _keys, first = np.unique((count_TV > 0).astype(np.int64).T @ key_T, return_index=True)
    return np.sort(first)


def _telling(value_TV: Any, target_TK: Floats) -> Floats:
    """``[V]``: the squared correlations of each term with the targets, added up."""
    together_VK = value_TV.T @ (target_TK - target_TK.mean(axis=0))
    return np.asarray((together_VK**2).sum(axis=1) / np.maximum(_deviations(value_TV) ** 2, 1e-12))


def _deviations(value_TV: Any) -> Floats:
    """``[V]``: the deviation of each column of a sparse matrix."""
    texts, terms = value_TV.shape
    sum_V, square_V = (np.bincount(value_TV.indices, value_TV.data**power, terms) for power in (1, 2))
    return np.asarray(np.sqrt(np.maximum(square_V / texts - (sum_V / texts) ** 2, 0)))


def _sums(value_TV: Any, most: int) -> Floats:
    """``[V, K]``: what each term adds to each sum: the main axes of the texts (latent semantic analysis), at
    most so many, scaled to deviation 1."""
    from sklearn.utils.extmath import randomized_svd

    axes = min(most, min(value_TV.shape) - 1)
    if axes < 1:
        return np.zeros((value_TV.shape[1], 0))
    _left, _size, axis_KV = randomized_svd(value_TV, axes, n_iter=4, random_state=0)
    return np.asarray(axis_KV.T / np.maximum((value_TV @ axis_KV.T).std(axis=0), 1e-6))
