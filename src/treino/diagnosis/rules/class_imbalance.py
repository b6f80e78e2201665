"""A rare class that the net has given up."""

import re
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.source import called, names_in, tree
from treino.diagnosis.watch.seen import NEWEST, LossSeen, Seen
from treino.words import N_

RANKS = re.compile(
    r"(^|_)(roc|aucs?|auroc|auprc|ndcg|mrr|brier|ranking)(_|$)|rocauc|average_?precision|"
    r"precision_recall_curve|calibration_curve",
    re.IGNORECASE,
)


def decide(seen: Seen) -> Iterable[Evidence]:
    """A class is rare, nothing weights it, and the newest batches' predictions never find it."""
    for loss in seen.losses.values():
        total = sum(loss.labels.values())
        if (
            loss.weighted
            or not 2 <= loss.classes <= 20
            or total < 100
            or loss.trained < 20
            or len(loss.labels) < 2
        ):
            continue
        rare, count = min(loss.labels.items(), key=lambda item: item[1])
        common = max(loss.labels.values()) / total
        if rare >= len(loss.confusion):
            continue
        newest = loss.confusion
        seen_now, found = int(newest[rare].sum()), int(newest[rare, rare])
        given_up = seen_now >= 4 and found < 0.1 * seen_now
        if not given_up:  # a short training's batches reach back to where it still guessed
            newest = loss.said(NEWEST // 2)
            seen_now, found = int(newest[rare].sum()), int(newest[rare, rare])
            given_up = seen_now >= 12 and found < 0.05 * seen_now
        if _ranked(loss.site):
            continue
        if count / total < 0.3 / loss.classes and common > 0.75 and given_up:
            numbers = {"label": rare, "share": count / total, "found": found, "there": seen_now}
            yield Evidence(_unused_sampler(loss) or loss.made_at or loss.site, loss.site, numbers)
            return


def _ranked(site: Site | None) -> bool:
    """Whether the script judges probabilities or an order, and not the class that is said at one half."""
    module = tree(site.file) if site is not None else None
    return module is not None and any(RANKS.search(name) for name in names_in(module))


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
    watches=("losses",),
    decide=decide,
    unless=("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs"),
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
