"""A split by position of rows that are sorted by class."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.reading import split_line
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.examples import HELD_OUT, SPLIT
from treino.diagnosis.watch.seen import Seen
from treino.words import _


def decide(seen: Seen) -> Iterable[Evidence]:
    """Classes in the evaluation rows that training never saw, and an evaluation that fails on them."""
    for e in seen.data.evals.values() if seen.data is not None else ():
        train = next((t for t in seen.data.trains.values() if t.net is e.net), None)
        total, known = sum(e.labels.values()), set(train.labels_first) if train is not None else set()
        if train is None or total < 10 or len(known) < 1 or not e.judged or train.judged < 20:
            continue
        strange = sum(n for label, n in e.labels.items() if label not in known)
        trained = max(1, sum(e.learned.values()))
        shift = sum(abs(e.labels[k] / total - e.learned[k] / trained) for k in known | set(e.labels)) / 2
        worse = e.right / e.judged < 0.75 * train.right / train.judged
        if worse and len(e.labels) <= 50 and (strange > 0.2 * total or (shift > 0.5 and trained >= 50)):
            numbers = {
                "unseen": strange / total,
                "shift": shift,
                "training": train.right / train.judged,
                "evaluation": e.right / e.judged,
            }
            cut = next((s for s, shuffled in seen.data.splits if not shuffled), None)
            fold = next((f.site for f in seen.data.folds), None)
            place = cut or fold or (split_line(e.names[0].file) if e.names else None)
            yield Evidence(
                place or (e.names[0] if e.names else None), e.names[0] if e.names else None, numbers
            )
            return


RULE = Rule(
    id="sorted_split",
    group="data",
    severity="wrong",
    certain=False,
    watches=("data",),
    decide=decide,
    unless=("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs"),
    message=_(
        "{unseen} of the evaluation rows are of classes that training never saw; accuracy {evaluation} "
        "there, {training} in training."
    ),
    why=_(
        "The rows were sorted by class when they were cut, so that the two parts hold different classes. "
        "The figure measures nothing that the net could have learned."
    ),
    fix=_("Shuffle before splitting, or use train_test_split(..., stratify=y)."),
    wrong="""\
x, y = x[y.argsort()], y.sort().values
x_train, y_train, x_test, y_test = x[:160], y[:160], x[160:], y[160:]
"""
    + HELD_OUT,
    right=SPLIT + HELD_OUT,
    cost=_("counts labels in training and evaluation"),
)
