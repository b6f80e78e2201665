"""The interpreter of a column's program: for each operation one function, in NumPy.

A function gets the result of the step that it takes, for all rows, and what the operation holds. Exported
scripts have copies of those that they need, so these know nothing of treino.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.data.preparation.texts import letter_table, terms_in

Floats = NDArray[np.float64]
Weights = Sequence[tuple[NDArray[np.int64], Floats]]
"""For each text, the places of its terms, and their weights."""


def fill(value_N: Floats, value: float) -> Floats:
    """The numbers, with this value where they are missing."""
    return np.where(np.isnan(value_N), value, value_N)


def days(value_N: Floats, origin: float) -> Floats:
    """Seconds as days since the origin."""
    return (value_N - origin) / 86400


def passed_share(value_N: Floats, part: str) -> Floats:
    """The share of the year, week or day that has passed at these seconds since 1970-01-01."""
    second_N = np.where(np.isnan(value_N), 0.0, value_N)
    if part == "month":
        months_N = np.floor(second_N).astype("int64").astype("datetime64[s]").astype("datetime64[M]")
        share_N = months_N.astype(np.int64) % 12 / 12
    elif part == "weekday":
        share_N = (np.floor(second_N / 86400) + 3) % 7 / 7  # 1970-01-01 was a Thursday
    else:
        share_N = second_N % 86400 / 86400
    return np.where(np.isnan(value_N), np.nan, share_N)


def place(value_N: NDArray[Any], values: Sequence[Any]) -> Floats:
    """The place of each word or number among the known ones; NaN for any other. Known numbers ascend."""
    if value_N.dtype == object:
        known = {value: float(k) for k, value in enumerate(values)}
        places = map(known.get, value_N, itertools.repeat(np.nan))
        return np.fromiter(places, np.float64, len(value_N))
    if not len(values):
        return np.full(len(value_N), np.nan)
    known_L = np.array(values, dtype=np.float64)
    place_N = np.minimum(np.searchsorted(known_L, value_N), len(known_L) - 1)
    return np.where(known_L[place_N] == value_N, place_N, np.nan)


def bins(value_N: Floats, edges: Sequence[float]) -> Floats:
    """The share of each bin below each number: 0 up to its start, 1 from its end."""
    share_KN = np.empty((len(edges) - 1, len(value_N)))
    for k, (low, high) in enumerate(itertools.pairwise(edges)):
        share_KN[k] = (np.clip(value_N, low, high) - low) / (high - low)
    return share_KN.T


def circle(value_N: Floats, period: float) -> Floats:
    """The points of a circle that these numbers are; its centre for a missing one."""
    angle_N = 2 * np.pi * value_N / period
    return np.asarray(np.nan_to_num(np.stack([np.sin(angle_N), np.cos(angle_N)], axis=1)))


def one_hot(value_N: Floats, count: int) -> Floats:
    """An input for each place: 1 at the number's, else 0."""
    input_NK = np.zeros((len(value_N), count))
    known = np.flatnonzero(~np.isnan(value_N))
    input_NK[known, value_N[known].astype(np.int64)] = 1.0
    return input_NK


def in_buckets(value_N: Floats, count: int, slots: Sequence[int]) -> Floats:
    """+1 or -1 in the bucket of the word at each place, and 0 in the others."""
    slot_L = np.array([*slots, 0])
    slot_N = slot_L[np.where(np.isnan(value_N), len(slots), value_N).astype(np.int64)]
    input_NK = np.zeros((len(value_N), count))
    known = np.flatnonzero(slot_N)
    input_NK[known, np.abs(slot_N[known]) - 1] = np.sign(slot_N[known])
    return input_NK


def target_means(value_N: Floats, means: Sequence[float], prior: float, count: int) -> Floats:
    """The target's means at each place; 0, the overall mean, for a missing one."""
    mean_LK, known_N = np.array(means).reshape(-1, count), ~np.isnan(value_N)
    input_NK = np.zeros((len(value_N), count))
    input_NK[known_N] = mean_LK[value_N[known_N].astype(np.int64)]
    return input_NK


def flag(value_N: NDArray[Any]) -> Floats:
    """1 where a number or a word is missing, else 0."""
    missing_N = value_N == "" if value_N.dtype == object else np.isnan(value_N)
    return np.asarray(missing_N, dtype=np.float64)[:, None]


def text_length(value_N: NDArray[Any], letters: str) -> Floats:
    """The logarithm of how many letters of the alphabet each text has."""
    letter_of = letter_table(letters)
    count_N = [sum(sign in letter_of for sign in text) for text in value_N]
    return np.log1p(np.array(count_N, dtype=np.float64))[:, None]


def weighed(count_U: NDArray[np.int64], weight_U: Floats) -> Floats:
    """The weights of terms that a text holds so often, with length 1 in all."""
    value_U = (1 + np.log(count_U)) * weight_U
    length = np.sqrt((value_U**2).sum()) or 1.0
    return np.asarray(value_U / length)


def term_weights(
    value_N: NDArray[Any], letters: str, terms: Sequence[str], weights: Sequence[float]
) -> Weights:
    """The terms of each text, by their places, and their weights, with length 1 in all."""
    weight_V = np.array(weights)
    counted = (
        np.unique(np.array(places, dtype=np.int64), return_counts=True)
        for places in terms_in(value_N, terms, letters)
    )
    return [(term_U, weighed(count_U, weight_V[term_U])) for term_U, count_U in counted]


def first_terms(value_N: Weights, count: int, scale: float) -> Floats:
    """The weights of the first terms in each text, times ``scale``."""
    input_NK = np.zeros((len(value_N), count))
    for row, (term_U, value_U) in enumerate(value_N):
        first = np.searchsorted(term_U, count)
        input_NK[row, term_U[:first]] = scale * value_U[:first]
    return input_NK


def linear(value_N: Weights, terms: int, slopes: Sequence[float], of_target: bool) -> Floats:
    """Sums of the weights of the first terms in each text, by their slopes."""
    slope_VK = np.array(slopes).reshape(terms, -1)
    input_NK = np.zeros((len(value_N), slope_VK.shape[1]))
    for row, (term_U, value_U) in enumerate(value_N):
        some = np.searchsorted(term_U, terms)
        input_NK[row] = value_U[:some] @ slope_VK[term_U[:some]]
    return input_NK


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "fill": fill,
    "days": days,
    "part": passed_share,
    "place": place,
    "bins": bins,
    "circle": circle,
    "one-hot": one_hot,
    "hash": in_buckets,
    "means": target_means,
    "flag": flag,
    "length": text_length,
    "terms": term_weights,
    "select": first_terms,
    "linear": linear,
}


# ---- from inputs back to what was read


def _from_place(value_N: Floats, step: Mapping[str, Any], known: Sequence[Any]) -> NDArray[Any]:
    place_N = np.where(np.isnan(value_N), len(known), np.clip(np.round(value_N), 0, len(known) - 1))
    return np.array([*known, UNKNOWN], dtype=object)[place_N.astype(np.int64)]


def _from_one_hot(value_NK: Floats, step: Mapping[str, Any], known: Sequence[Any]) -> Floats:
    return np.where(value_NK.max(axis=1) > 0.5, value_NK.argmax(axis=1), np.nan)


def _from_buckets(value_NK: Floats, step: Mapping[str, Any], known: Sequence[Any]) -> Floats:
    """The first place whose word has the same bucket."""
    bucket_N = np.abs(value_NK).argmax(axis=1)
    sign_N = np.round(np.take_along_axis(value_NK, bucket_N[:, None], 1)[:, 0])
    first: dict[float, int] = {}
    for k, slot in enumerate(step["slots"]):
        first.setdefault(slot, k)
    return np.array([first.get(slot, np.nan) for slot in (bucket_N + 1) * sign_N], dtype=np.float64)


def _from_circle(value_NK: Floats, step: Mapping[str, Any], known: Sequence[Any]) -> Floats:
    turn_N = np.arctan2(value_NK[:, 0], value_NK[:, 1]) / (2 * np.pi) % 1
    return np.asarray(turn_N * step["period"])


UNKNOWN = "\0"  # a word that isn't known
BACK: dict[str, Callable[..., Any]] = {
    "fill": lambda value_N, step, known: value_N,
    "days": lambda value_N, step, known: value_N * 86400 + step["origin"],
    "place": _from_place,
    "one-hot": _from_one_hot,
    "hash": _from_buckets,
    "circle": _from_circle,
}
"""For each operation that can be reversed, the function from its result to what it took. known: the values of
the places."""


# ---- a program


def result(step: Mapping[str, Any], value_N: Any, functions: Mapping[str, Callable[..., Any]]) -> Any:
    """What a step gives for what it takes."""
    held = {name: value for name, value in step.items() if name not in ("do", "of")}
    return functions[step["do"]](value_N, **held)


def results(
    cells_N: NDArray[Any], steps: Sequence[Mapping[str, Any]], functions: Mapping[str, Callable[..., Any]]
) -> list[Any]:
    """What each step of a program gives for all rows. cells_N: what the first step reads in the cells:
    numbers, NaN where they are missing, or words, "" where they are missing."""
    made = [cells_N]
    for step in steps[1:]:
        made.append(result(step, made[step["of"]], functions))
    return made


def side_by_side(made: Sequence[Any], shown: Sequence[int]) -> Floats:
    """``[N, K]``: the inputs of these steps, side by side."""
    return np.hstack([made[k][:, None] if made[k].ndim == 1 else made[k] for k in shown])
