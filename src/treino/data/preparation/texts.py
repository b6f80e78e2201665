"""Make inputs of free text: how often it holds telling words and pieces of words, weighted by TF-IDF.

A text is read as letters of the training texts' alphabet in lower case, with one blank for each other
character. A term is a piece of that: " good " is a word, " not good " two words in a row, "ing " the end of a
word, and of scripts without blanks between words a letter or two. So one search for pieces finds all terms in
any script, here, in an exported script and in ONNX.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_TEXTS = 3  # a term occurs in at least so many training texts
CANDIDATES = 20_000  # the commonest words, pairs of words and pieces of words, so many of each
MOST_TERMS = 2_000  # kept of these, by how much they tell of the target
MOST_SHOWN = 300  # of these, the most telling ones are inputs of their own
MOST_SUMS = 64  # inputs that are sums of all terms
MOST_LETTERS = 5_000  # of an alphabet
PIECES = (3, 4, 5)  # lengths of pieces, with the blanks before and after a word
MOST_TEXTS, MOST_CHARACTERS = 50_000, 5_000_000  # of the training texts by which terms are chosen

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


def count_terms(texts: Sequence[str], terms: Sequence[str], letters: str) -> tuple[Floats, Floats]:
    """``[N, V]``: how often each text holds each term; and ``[N]``: how many letters it has."""
    letter_of, place = letter_table(letters), {term: k for k, term in enumerate(terms)}
    sizes = sorted({len(term) for term in terms if " " not in term[1:-1]})
    count_NV, letter_N, inside = np.zeros((len(texts), len(terms))), np.zeros(len(texts)), {}
    for row, text in enumerate(texts):
        words = words_in(text, letter_of)
        letter_N[row] = sum(map(len, words))
        for word in words:
            if word not in inside:
                piece = f" {word} " if word else ""
                found = (piece[k : k + size] for size in sizes for k in range(len(piece) - size + 1))
                inside[word] = [place[term] for term in found if term in place]
            for k in inside[word]:
                count_NV[row, k] += 1
        for k in range(len(words) - 1):
            pair = f" {words[k]} {words[k + 1]} "
            if pair in place:
                count_NV[row, place[pair]] += 1
    return count_NV, letter_N


def text_inputs(
    texts: Sequence[str],
    letters: str,
    terms: Sequence[str],
    weights: Sequence[float],
    shown: int,
    sums: Sequence[float],
    scale: float,
) -> Floats:
    """``[N, K]``: the logarithm of each text's length, its first terms, and sums of all its terms.

    weights: what a term counts; the rarer it is, the more. shown: so many terms are inputs, each times
    ``scale``. sums: for each term, what it adds to each of the sums.
    """
    weight_V, sum_VK = np.array(weights), np.array(sums).reshape(len(terms), -1 if len(sums) else 0)
    inputs = [np.zeros((0, 1 + shown + sum_VK.shape[1]))]
    for start in range(0, len(texts), 500):  # some at once, because the counts of all terms take much memory
        count_NV, letter_N = count_terms(texts[start : start + 500], terms, letters)
        value_NV = np.where(count_NV > 0, 1 + np.log(np.maximum(count_NV, 1)), 0) * weight_V
        length_N = np.sqrt((value_NV**2).sum(axis=1))
        value_NV /= np.where(length_N > 0, length_N, 1)[:, None]
        shown_NK = scale * value_NV[:, :shown]
        inputs.append(np.column_stack([np.log1p(letter_N), shown_NK, value_NV @ sum_VK]))
    return np.concatenate(inputs)


# ---- from training texts to terms


def fit_texts(texts: Sequence[str], target_TK: Floats) -> dict[str, Any]:
    """What an encoder holds of the training texts: letters, terms, weights, shown, sums.

    target_TK: each training row's targets, with mean 0. Terms are chosen by their correlation with these.
    """
    row_T = _read_rows(texts)
    texts, target_TK = [texts[row] for row in row_T], target_TK[row_T]
    letters = _alphabet(texts)
    letter_of = letter_table(letters)
    terms, count_TV = _candidates([words_in(text, letter_of) for text in texts])
    present_V = np.bincount(count_TV.indices, minlength=len(terms))
    weight_V = np.log((1 + len(texts)) / (1 + present_V)) + 1
    told_V, own_V = _telling(_weighted(count_TV, weight_V), target_TK), _of_own_texts(count_TV)
    order_V = own_V[np.argsort(-told_V[own_V], kind="stable")][:MOST_TERMS]
    value_TV = _weighted(count_TV[:, order_V], weight_V[order_V])
    return {
        "letters": letters,
        "terms": tuple(terms[k] for k in order_V),
        "weights": _rounded(weight_V[order_V]),
        "shown": min(MOST_SHOWN, len(order_V)),
        "sums": _rounded(_sums(value_TV).ravel()),
    }


def _rounded(values: Floats) -> tuple[float, ...]:
    """The numbers with five digits, which are the same wherever they are computed."""
    return tuple(float(f"{value:.5g}") for value in values)


def _read_rows(texts: Sequence[str]) -> NDArray[np.int64]:
    """Evenly spread row numbers, as many as there is time and memory to read."""
    characters = max(1, sum(map(len, texts)))
    most = min(len(texts), MOST_TEXTS, max(1, len(texts) * MOST_CHARACTERS // characters))
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


def _candidates(words: Sequence[Sequence[str]]) -> tuple[list[str], Any]:
    """The commonest terms of the texts, and a sparse ``[T, V]``: how often each text holds each of them.

    words: each text's.
    """
    from scipy.sparse import hstack  # slow to import

    known, word_TW = _counted([filter(None, each) for each in words])
    pairs, pair_TV = _counted([f" {a} {b} " for a, b in pairwise(each) if a and b] for each in words)
    pieces, piece_WV = _counted(map(pieces_of, known))
    often = np.sort(np.argsort(-(word_TW.sum(axis=0).A1 @ piece_WV), kind="stable")[:CANDIDATES])
    parts = [
        ([f" {word} " for word in known], word_TW),
        (pairs, pair_TV),
        ([pieces[k] for k in often], word_TW @ piece_WV[:, often]),
    ]
    terms, blocks = list[str](), []
    for names, count_TV in parts:
        present_V = np.bincount(count_TV.indices, minlength=len(names))
        best = np.argsort(-present_V, kind="stable")[:CANDIDATES]
        kept = np.sort(best[present_V[best] >= LEAST_TEXTS])
        terms += [names[k] for k in kept]
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
        count.update({term for word in each for term in _pairs_or_word(word)})
    return np.array(list(map(len, words)), dtype=np.int64), count


def _pairs_or_word(word: str) -> list[str]:
    pairs = [f"{a}{b}" for a, b in pairwise(word) if unspaced(a) and unspaced(b)]
    return pairs or [word]


def _counted(each: Iterable[Iterable[str]]) -> tuple[list[str], Any]:
    """The different names that these hold, and a sparse matrix: how often each (a row) holds each name."""
    from scipy.sparse import csr_matrix

    place: dict[str, int] = {}
    columns, ends = list[int](), [0]
    for names in each:
        columns += [place.setdefault(name, len(place)) for name in names]
        ends.append(len(columns))
    counted = csr_matrix((np.ones(len(columns)), columns, ends), (len(ends) - 1, len(place)))
    counted.sum_duplicates()
    return list(place), counted


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


def _sums(value_TV: Any) -> Floats:
    """``[V, K]``: what each term adds to each sum: the main axes of the texts (latent semantic analysis),
    scaled to deviation 1."""
    from sklearn.utils.extmath import randomized_svd

    axes = min(MOST_SUMS, min(value_TV.shape) - 1)
    if axes < 1:
        return np.zeros((value_TV.shape[1], 0))
    _left, _size, axis_KV = randomized_svd(value_TV, axes, n_iter=4, random_state=0)
    return np.asarray(axis_KV.T / np.maximum((value_TV @ axis_KV.T).std(axis=0), 1e-6))
