"""A rare class that the net has given up."""

import ast
import re
from collections.abc import Iterable

import numpy as np

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.places import told_line
from treino.diagnosis.reading.source import called, enclosing, names_in, statement_at, tree
from treino.diagnosis.reading.weighing import (
    class_weights_line,
    draw_weights_line,
    drawn_by_counts,
    sampler_weights_line,
    share_drawn,
    unused_weights,
)
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.loss_seen import NEWEST, LossSeen
from treino.diagnosis.watch.seen import Seen
from treino.words import N_

RANKS = re.compile(
    r"(^|_)(roc|aucs?|auroc|auprc|ndcg|mrr|brier|ranking)(_|$)|rocauc|average_?precision|"
    r"precision_recall_curve|calibration_curve",
    re.IGNORECASE,
)
# Where nothing is learned at all, no class is found.
STANDSTILL = (
    *("weight_decay_too_high", "lr_too_high", "lr_too_low", "clip_too_small", "dead_relu"),
    *("vanishing_gradient", "symmetric_init", "exploding_sum_loss", "params_not_in_optimizer"),
)
FOUND = {"recall_score", "f1_score", "fbeta_score", "balanced_accuracy_score", "classification_report"}
FOUND |= {"confusion_matrix", "recall", "sensitivity", "f1"}


def decide(seen: Seen) -> Iterable[Evidence]:
    """A class is rare, nothing favours it, and the newest batches' predictions never find it."""
    for loss in seen.losses.values():
        total = sum(loss.labels.values())
        weights = _weights(loss)
        if (
            (loss.weighted and weights is None)
            or not 2 <= loss.classes <= 20
            or total < 100
            or loss.trained < 20
            or len(loss.labels) < 2
            or not (
                loss.values or loss.sums
            )  # one loss for each row: weighted afterwards, as in a focal loss
        ):
            continue
        rare = _rare(loss, weights)
        if not rare or max(rare) >= len(loss.confusion):
            continue
        rarest = min(rare, key=lambda k: rare[k])
        given_up = next((k for k in rare if _given_up(loss, k, 4 if k == rarest else 12)), None)
        if given_up is None or (_went_on(loss, seen) and not _by_share(loss, weights)):
            continue
        place = class_weights_line(loss.made_at or loss.site) if loss.weighted else None
        against = weights is not None and weights.min() < weights.max()
        if _ranked(loss.site) and not against and not (place is not None and _meant(place)):
            continue
        found, there = _found(loss, given_up, NEWEST)
        numbers = {"label": given_up, "share": rare[given_up], "found": found, "there": there}
        place = place or _unused_sampler(loss) or sampler_weights_line(loss.loader)
        place = place or (draw_weights_line(loss.site.file) if loss.site is not None else None)
        place = place or told_line(loss.made_at or loss.site, "weight", "pos_weight")
        yield Evidence(place, loss.site, numbers)
        return
    yield from _drawn_away(seen)
    yield from _drawn_by_share(seen)


def _drawn_away(seen: Seen) -> Iterable[Evidence]:
    """The weights of a sampler make a class that is rare among the rows of an evaluation rarer by far in
    training, so that it is not found.
    """
    data = seen.data
    for loss in seen.losses.values():
        place = sampler_weights_line(loss.loader)
        total = sum(loss.labels.values())
        if place is None or loss.weighted or not 2 <= loss.classes <= 20 or loss.trained < 20 or total < 500:
            continue
        for key, e in data.evals.items() if data is not None else ():
            rows = sum(e.labels.values())
            train = data.trains.get(key[0])
            if not e.judged or rows < 100 or train is None or train.loader != loss.loader:
                continue
            for label, there in e.labels.items():
                share, drawn = there / rows, loss.labels.get(int(label), 0)
                rare = there >= 8 and label == int(label) >= 0 and share < 0.6 / loss.classes
                said = len(loss.confusion) > label and loss.confusion[:, int(label)].any()
                if rare and share * total >= 12 and drawn < 0.25 * share * total and not said:
                    found, seen_of = _found(loss, int(label), NEWEST)
                    numbers = {"label": int(label), "share": share, "found": found, "there": seen_of}
                    yield Evidence(place, loss.site, numbers)
                    return


def _drawn_by_share(seen: Seen) -> Iterable[Evidence]:
    """Rows are drawn by the counts of their classes, and not the other way round, so that hardly any of a
    class come, and the net says it no more.
    """
    for loss in seen.losses.values():
        total = sum(loss.labels.values())
        if loss.weighted or not 2 <= loss.classes <= 20 or loss.trained < 20 or total < 500:
            continue
        if max(loss.labels.values()) <= 0.75 * total:
            continue
        for label in range(min(loss.classes, len(loss.confusion))):
            drawn, (found, there) = loss.labels.get(label, 0), _found(loss, label, NEWEST)
            rare = drawn < 0.02 * total and (drawn > 0 or loss.classes == 2)
            if rare and not loss.confusion[:, label].any() and drawn_by_counts(loss.loader, loss.site):
                line = sampler_weights_line(loss.loader) or share_drawn(loss.site, loss.loader)
                numbers = {"label": label, "share": drawn / total, "found": found, "there": there}
                yield Evidence(line, loss.site, numbers)
                return


def _weights(loss: LossSeen) -> np.ndarray | None:
    """[C] what each class counts; None where that isn't known."""
    w = loss.weights
    if w is not None and len(w) == 1 and loss.classes == 2:
        return np.array([1.0, w[0]])
    fits = w is not None and len(w) == loss.classes > max(loss.labels, default=0)
    return w if fits else None


def _rare(loss: LossSeen, weights: np.ndarray | None) -> dict[int, float]:
    """Classes with few rows, and their shares of all: if they weigh as much as the others, only beside a very
    common one; or else those that weigh less than the common class.
    """
    total, common = sum(loss.labels.values()), max(loss.labels, key=lambda k: loss.labels[k])
    few = {k: n / total for k, n in loss.labels.items() if n / total < 0.6 / loss.classes}
    if weights is None or weights.min() == weights.max():
        alone = loss.labels[common] > 0.75 * total
        meant = not alone and loss.site is not None and unused_weights(loss.site.file)
        meant = meant or (not alone and drawn_by_counts(loss.loader))
        return {k: share for k, share in few.items() if (alone or meant) and share < 0.3 / loss.classes}
    return {k: share for k, share in few.items() if 0 < 1.5 * weights[k] <= weights[common]}


def _by_share(loss: LossSeen, weights: np.ndarray | None) -> bool:
    """Whether each class weighs as much as it has rows, so that a rare one's errors hardly count twice over,
    and a loss that falls says nothing of it.
    """
    rows = np.array([loss.labels.get(k, 0) for k in range(loss.classes)], dtype=float)
    if weights is None or not rows.all() or rows.max() < 3 * rows.min():
        return False
    ratio = weights / rows
    return bool(weights.max() >= 2 * weights.min() and ratio.max() <= 1.5 * ratio.min())


def _given_up(loss: LossSeen, rare: int, least: int) -> bool:
    """Whether the newest batches, with so many rows of a class at least, never or hardly ever find it."""
    found, there = _found(loss, rare, NEWEST // 4)
    if there >= 20 and found >= 0.1 * there:
        return False  # places of a map are many, so that a few calls tell where it has come to
    found, there = _found(loss, rare, NEWEST)
    if there >= least and found < 0.1 * there:
        return True
    found, there = _found(loss, rare, NEWEST // 2)  # a short training's go back to where it still guessed
    return there >= 12 and found < 0.05 * there


def _found(loss: LossSeen, rare: int, calls: int) -> tuple[int, int]:
    """How many rows of a class were found in so many of the newest batches, and how many there were."""
    said = loss.said(calls)
    return int(said[rare, rare]), int(said[rare].sum())


def _went_on(loss: LossSeen, seen: Seen) -> bool:
    """Whether the training fell far below where its answers were seen last, and below any constant."""
    course = seen.loss_values()
    if len(loss.values) < 8 or not len(course) > 1.1 * len(loss.values):
        return False  # or nothing came after them
    n = max(4, len(course) // 8)
    end = sum(course[-n:]) / n
    return end < 0.6 * sum(loss.values[-8:]) / 8 and end < 0.7 * loss.baseline()


def _ranked(site: Site | None) -> bool:
    """Whether the script judges probabilities or an order, and not the class that is said at one half."""
    module = tree(site.file) if site is not None else None
    return module is not None and any(RANKS.search(name) for name in names_in(module))


def _meant(place: Site) -> bool:
    """Whether weights that make no difference were computed, by no choice, and what they are for is judged:
    which classes are found.
    """
    statement, module = statement_at(place), tree(place.file)
    computed = statement is not None and any(
        isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div) for n in ast.walk(statement)
    )
    chosen = any(
        isinstance(n, (ast.If, ast.IfExp)) for n in (*enclosing(place), *ast.walk(statement or ast.Pass()))
    )
    return computed and not chosen and bool(names_in(module) & FOUND)


def _unused_sampler(loss: LossSeen) -> Site | None:
    """The loader, where a sampler was made that would draw the classes evenly and no loader was given it."""
    module = tree(loss.loader.file) if loss.loader is not None else None
    if module is None or not called(module, "WeightedRandomSampler"):
        return None
    loaders = called(module, "DataLoader")
    given = any(k.arg in ("sampler", "batch_sampler") for c in loaders for k in c.keywords)
    return None if given else loss.loader


RULE = Rule(
    id="class_imbalance",
    group="data",
    severity="risk",
    certain=False,
    watches=("losses", "data"),
    decide=decide,
    unless=(
        "missing_zero_grad",
        "no_step",
        "grad_cleared_before_step",
        "detached_loss",
        "nan_inputs",
        "bad_label_values",
        "softmax_before_cross_entropy",  # a loss that can't fall further, nor lead to what is rare
        "sigmoid_before_bce_with_logits",
        *STANDSTILL,
    ),
    message=N_(
        "Class {label} is {share} of the rows, and the net finds {found} of {there} of them in its newest "
        "batches."
    ),
    why=N_(
        "Saying the common class always is nearly right on average, so the loss hardly rewards finding "
        "the rare one. A high accuracy hides that it is never found."
    ),
    fix=N_(
        "Weight the classes in the loss (weight=, pos_weight=) or sample them evenly, and look at recall "
        "or F1."
    ),
    wrong="""\
y = (x[:, 0] * x[:, 1] > 1.2).long()
net = nn.Linear(8, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
y = (x[:, 0] * x[:, 1] > 1.2).long()
weight = len(y) / (2 * y.bincount().float())
net = nn.Linear(8, 2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y, weight=weight)
    loss.backward()
    optimizer.step()
""",
    cost=N_("counts labels and predictions of the watched batches"),
)
