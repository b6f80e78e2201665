"""What test_in_train and duplicate_leakage share: evaluation rows that training had seen."""

from collections.abc import Iterable
from dataclasses import dataclass

from treino.diagnosis.finding import Site
from treino.diagnosis.reading import names_of_evaluation, says_test, says_train, says_validation
from treino.diagnosis.source import called, tree
from treino.diagnosis.watch.rows import TrainSeen, chance
from treino.diagnosis.watch.seen import Seen

JOINS = (
    "concat",
    "concatenate",
    "cat",
    "vstack",
    "resample",
    "repeat",
    "tile",
    "repeat_interleave",
    "ConcatDataset",
)


@dataclass(frozen=True)
class Overlap:
    """An evaluation whose rows were trained on."""

    names: tuple[Site, ...]
    rows: int
    trained: int
    copies: bool  # the training rows themselves hold copies
    place: Site | None


def overlaps(seen: Seen) -> Iterable[Overlap]:
    """Evaluations that speak of test or validation rows of which more were trained on than chance allows."""
    data = seen.data
    for key, e in data.evals.items() if data is not None else ():
        train = data.trains.get(key[0])
        if train is None or not e.names or len(e.rows) < 10 or train.adversarial:
            continue
        names = names_of_evaluation(e.names)
        trained = len(e.trained_before)
        if not (says_test(names) or says_validation(names)) or trained < 0.02 * len(e.rows) or trained < 3:
            continue
        if chance(train) > 0.01 or (says_train(names) and trained > 0.9 * len(e.rows)):
            continue
        same = trained >= 0.98 * len(e.rows) and len(e.rows) >= 0.98 * len(train.rows)
        if same and e.calls <= len(e.phases):
            continue  # one table in one piece, for training and evaluation alike, as for graphs with masks
        copies = train.twice > 0.01 * max(1, train.first_epoch)
        yield Overlap(
            e.names,
            len(e.rows),
            trained,
            copies,
            _joined(e.names[0]) if copies else _place(train, e.names[0]),
        )


def _joined(site: Site) -> Site | None:
    module = tree(site.file)
    calls = called(module, *JOINS) if module is not None else []
    return Site(site.file, calls[0].lineno) if calls else site


def _place(train: TrainSeen, site: Site) -> Site | None:
    """The second of two draws of the same split, or where the training rows are read."""
    module = tree(site.file)
    draws = called(module, "random_split", "train_test_split") if module is not None else []
    if len(draws) >= 2:
        return Site(site.file, draws[1].lineno)
    return train.loader or train.site
