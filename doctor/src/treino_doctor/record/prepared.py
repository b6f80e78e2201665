"""Record features that a program prepares with pandas or scikit-learn, and whether they reach its nets."""

import sys
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from treino_doctor.finding import Site
from treino_doctor.record.arrays import np
from treino_doctor.record.lines import by_library, here
from treino_doctor.record.tables import hash_rows, table

SCALES = ("StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler", "PowerTransformer")
OTHERS = {"xgboost", "catboost", "statsmodels", "tensorflow", "keras"}  # may learn from scaled rows, unseen
CHOICES, KEPT = 8, 2_000_000  # maximum number of choices of columns, and of numbers of one
ANCHORS = 4  # columns by whose values a row is known
FEW, LOOKED = 20, 500  # fewest rows that are evidence; rows in which columns are compared

Fields = dict[str, Any]  # of an event


class Choice:
    """The numbers among a frame's columns, chosen by their type, which leaves dummies out.

    kept_NC: the chosen columns. left: the dummies, by name. hashes, at: rows made of them, and their numbers.
    """

    def __init__(self, site: Site | None, kept_NC: np.ndarray, left: dict[Hashable, np.ndarray]) -> None:
        self.site, self.kept_NC, self.left = site, kept_NC, left
        self.hashes, self.at = np.zeros(0, np.uint64), np.zeros(0, int)
        columns = (np.unique(one, return_index=True, return_counts=True) for one in kept_NC.T)
        single = [(values[counts == 1], first[counts == 1]) for values, first, counts in columns]
        self._anchors = sorted(single, key=lambda one: -len(one[0]))[:ANCHORS]

    def places(self, rows_ND: np.ndarray) -> np.ndarray:
        """[N]: the frame's row whose kept columns, but for one at most, make up each row; -1 if unknown."""
        if (places := numbers_of(hash_rows(rows_ND), self.hashes, self.at)).max(initial=-1) >= 0:
            return places
        for anchor in self._anchors:
            for column in rows_ND.T:
                places = numbers_of(column, *anchor)
                some = np.flatnonzero(places >= 0)[:LOOKED]
                if len(some) >= FEW:
                    before = self.kept_NC[places[some]][:, None]
                    same = before == rows_ND[some][:, :, None]  # a gap may have been filled
                    same = (same | np.isnan(before)).all(0) & (same.mean(0) > 0.5)
                    if same.any(1).all() and same.any(0).sum() >= self.kept_NC.shape[1] - 1:
                        return places
        return np.full(len(rows_ND), -1)

    def moved(self, rows_ND: np.ndarray, out_ND: np.ndarray) -> None:
        """Note that rows were transformed: the results are made of the same columns."""
        places = self.places(rows_ND)
        hashes = np.concatenate([self.hashes, hash_rows(out_ND[places >= 0])])
        self.hashes, first = np.unique(hashes, return_index=True)
        self.at = np.concatenate([self.at, places[places >= 0]])[first]

    def lost(self, t: Any, read: dict[Hashable, int]) -> int:
        """How many dummies that nothing read are in none of a training's columns, nor told by its labels."""
        rows, labels = t.sample.rows(), np.concatenate([*t.sample_labels, np.zeros(0)])
        places = self.places(rows)
        known = places >= 0
        if known.sum() < FEW or len(labels) != len(rows) or np.isnan(labels[known]).any():
            return 0
        classes = np.unique(labels[known])
        groups = [labels[known] == k for k in classes] if 2 * len(classes) < known.sum() else []
        left = [v[places[known]] for k, v in self.left.items() if 2 * read.get(k, 0) < len(self.kept_NC)]
        left = [v for v in left if v.any() and not v.all()]
        return sum(not groups or any(v[g].any() and not v[g].all() for g in groups) for v in left)


class Prepared:
    """All such features of a program. dummies: names of columns of true and false that pandas made."""

    def __init__(self) -> None:
        self.dummies: set[Hashable] = set()
        self._read: dict[Hashable, int] = {}  # rows that were read of a dummy
        self._choices: list[Choice] = []

    def read(self, names: Iterable[Hashable], rows: int) -> None:
        """Note that columns became an array, or were taken alone."""
        for name in self.dummies.intersection(names):
            self._read[name] = max(rows, self._read.get(name, 0))

    def chosen(self, result: Any, args: Any, kwargs: Any) -> None:
        """Note that a frame's columns were chosen by the types to include."""
        frame, by_type = args[0], len(args) < 3 and kwargs.get("exclude") is None
        made = [k for k, d in frame.dtypes.items() if d.kind == "b" and k in self.dummies and k not in result]
        kept = table(result) if by_type and made and result.size <= KEPT and not by_library() else None
        if kept is not None and len(self._choices) < CHOICES:
            self._choices.append(Choice(here(), kept.copy(), {k: frame[k].to_numpy() for k in made}))

    def moved(self, rows_ND: np.ndarray, out_ND: np.ndarray) -> None:
        """Note that rows were transformed."""
        for choice in self._choices:
            choice.moved(rows_ND, out_ND)

    def lost(self, trainings: list[Any], evaluations: Iterable[Any], fits: Iterable[Any]) -> Iterator[Fields]:
        """Yield what reached no net: dummies that were left out, rows that a scaler changed."""
        idle = [f for f in fits if f.kind in SCALES and not f.used and len(f.out) >= FEW]
        tables = all(t.rows and t.flat and t.stride == 1 and not t.made for t in trainings)
        followed = trainings if tables and (idle or self._choices) else ()
        samples = [(hash_rows(t.sample.rows()), t.rows) for t in followed]
        if not samples or any(h not in known for hashes, known in samples for h in hashes.tolist()):
            return  # nets may get other tensors, too
        for choice in reversed(self._choices):
            if columns := min(choice.lost(t, self._read) for t in trainings):
                yield {"kind": "", "columns": columns, "rows": len(choice.kept_NC), "site": choice.site}
                break
        for fit in idle if not sys.modules.keys() & OTHERS else ():
            if all(np.isin(hashes, fit.raw).all() for hashes, _ in samples):
                learned = {h for t in trainings for h in t.rows}
                met, raw = learned.union(*(e.rows for e in evaluations)), {*fit.raw.tolist()}
                if learned <= raw <= met and met.isdisjoint(fit.out.tolist()):
                    yield {"kind": fit.kind, "columns": fit.width, "rows": fit.rows, "site": fit.site}


def numbers_of(keys: np.ndarray, known: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """[N]: the number of each key among known ones, which are in order; -1 where it is none of them."""
    if not len(known):
        return np.full(len(keys), -1)
    at = np.searchsorted(known, keys).clip(max=len(known) - 1)
    return np.where(known[at] == keys, numbers[at], -1)
