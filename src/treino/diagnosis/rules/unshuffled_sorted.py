"""Training rows sorted by class, read in order."""

import ast
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.ancestry import arguments, made_by, parameters
from treino.diagnosis.reading.dropped import dropped_shuffle
from treino.diagnosis.reading.places import told_line
from treino.diagnosis.reading.shuffling import filled_labels, in_turn, left_out
from treino.diagnosis.reading.source import called, function_of, loop_around
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.loss_seen import LossSeen
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Batches of one class each, or of mostly one, come in the same order again and again, and the loss jumps
    at every change; labels that are filled in for a batch, as of real rows and of made ones, are no order.
    """
    by_hand = [b.picks for b in seen.backwards.values() if b.picks is not None]
    for loss in (*seen.losses.values(), *by_hand):
        runs = loss.runs
        if len(runs) < 8 or len(loss.labels) < 2:
            continue
        share = sum(share for _, share in runs) / 1000 / len(runs)
        blocks = [(label, i) for i, (label, _) in enumerate(runs) if not i or label != runs[i - 1][0]]
        if len(runs) < 2 * len(blocks) and loss.widest == 1:
            continue  # a row each, as the words of a text: every batch is of one class, none is sorted
        rises = _rises(loss.values, blocks, 0) if share >= 0.8 and _returns(blocks) else []
        if len({label for label, _ in blocks}) == 2 and (share <= 0.95 or len(runs) < 4 * len(blocks)):
            rises = []
        if not rises and share >= 0.6:  # classes run into each other, as behind a small buffer
            blocks = _long_blocks(loss.runs)
            many = len({label for label, _ in blocks}) > 2
            rises = _rises(loss.values, blocks, 5) if many and _returns(blocks) else []
            low = sum(rises) < 0.1 * loss.baseline() * len(rises)
            rises = [] if low or sum(r > 0 for r in rises) < 0.75 * len(rises) else rises
        jump = sum(rises) / len(rises) if rises else 0.0
        jumps = jump > 0.02 and sum(r > 0 for r in rises) > 0.5 * len(rises)
        late = loss.values[-(len(loss.values) // 4) :]
        # Where nothing is learned of it, there is not even anything to unlearn.
        stuck = (
            share >= 0.9 and len(blocks) >= 9 and loss.baseline() > 0 and _mean(late) > 0.6 * loss.baseline()
        )
        if len(rises) >= 3 and (jumps or stuck):
            if _made_up(loss):
                continue
            numbers = {"share": share, "classes": len({label for label, _ in blocks}), "jump": jump}
            place = dropped_shuffle(loss.site.file) if loss.site is not None else None
            place = place or left_out(loss.site, loss.loader) or in_turn(loss.loader)
            yield Evidence(
                place or told_line(loss.loader or _source(loss) or _loop(loss.site)), loss.site, numbers
            )


def _made_up(loss: LossSeen) -> bool:
    """Whether the labels are filled in for each batch; a net that learns one of many classes after the other
    in a loop may say them so, too.
    """
    loop = loop_around(loss.site) if loss.site is not None else None
    in_turn = len(loss.labels) > 2 and loop is not None and bool(called(loop, "step"))
    return loss.site is not None and not in_turn and filled_labels(loss.site)


Blocks = list[tuple[int, int]]  # (class, first batch)


def _returns(blocks: Blocks) -> bool:
    """Whether the classes come one after the other, and then again in the same order; of many rounds, not
    all that are between two need have been seen.
    """
    order = [label for label, _ in blocks]
    kinds = len(set(order))
    period = order[:kinds]
    again = kinds >= 2 and len(set(period)) == kinds and len(order) >= 2 * kinds - 1
    if again and all(label == period[i % kinds] for i, label in enumerate(order)):
        return True
    after = Counter(pairwise(order))
    usual = sum(max(n for (one, _), n in after.items() if one == label) for label in set(order[:-1]))
    return kinds >= 3 and len(order) > 3 * kinds and usual >= 0.85 * (len(order) - 1)


def _long_blocks(runs: list[tuple[int, int]]) -> Blocks:
    """The blocks without what is short between two of them; none where much is short."""
    found: Blocks = []
    start = short = 0
    for i in range(1, len(runs) + 1):
        if i < len(runs) and runs[i][0] == runs[start][0]:
            continue
        if i - start < 4:
            short += i - start
        elif not found or found[-1][0] != runs[start][0]:
            found.append((runs[start][0], start))
        start = i
    return found if short < 0.15 * len(runs) and len(runs) >= 8 * len(found) else []


def _rises(values: list[float], blocks: Blocks, wide: int) -> list[float]:
    """How the loss rises at each change of class; wide: over so many batches before and after it."""
    v = values
    starts = [i for _, i in blocks[1:] if i + 1 < len(v)]
    if wide:
        return [_mean(v[i - 2 : i + wide]) - _mean(v[i - 2 - wide : i - 2]) for i in starts if i > 2 + wide]
    return [max(v[i : i + 2]) - v[i - 1] for i in starts]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _source(loss: LossSeen) -> Site | None:
    """The only line that hands the batches to the function which runs over them, for a loss that is worked
    out in a method: ``fit(model, Batches(x, y), epochs=16)``.
    """
    if loss.site is None or loop_around(loss.site) is not None:
        return None
    for site in loss.callers[1:]:
        loop, around = loop_around(site), function_of(site)
        if not isinstance(loop, ast.For):
            continue
        of = loop.iter.args[0] if isinstance(loop.iter, ast.Call) and loop.iter.args else loop.iter
        if isinstance(of, ast.Name) and isinstance(around, ast.FunctionDef) and of.id in parameters(around):
            given = {getattr(v, "lineno", c.lineno) for c, v in arguments(site.file, around, of.id)}
            return Site(site.file, given.pop()) if len(given) == 1 else None
        return Site(site.file, loop.lineno)
    return None


def _loop(site: Site | None) -> Site | None:
    """The loop over the batches; where a generator of the file makes them, the loop in there."""
    loop = loop_around(site) if site is not None else None
    if site is None or loop is None:
        return site
    made = made_by(site.file, loop.iter) if isinstance(loop, ast.For) else []
    inner = next((around for step in made if (around := loop_around(step.site)) is not None), loop)
    return Site(site.file, inner.lineno)


RULE = Rule(
    id="unshuffled_sorted",
    group="data",
    severity="wrong",
    certain=False,
    watches=("losses",),
    decide=decide,
    unless=("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs"),
    message=N_(
        "Batches hold {share} of one class and come sorted; the loss rises by {jump} at each change of class."
    ),
    why=N_(
        "The net learns the class of the moment and unlearns the others, over and over. What it knows at "
        "the end depends on which class came last."
    ),
    fix=N_("Shuffle the training rows in every epoch (DataLoader(..., shuffle=True), or a new permutation)."),
    wrong="""\
x, y = x[y.argsort()], y.sort().values
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for epoch in range(4):
    for rows in torch.arange(240).split(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
""",
    right="""\
x, y = x[y.argsort()], y.sort().values
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for epoch in range(4):
    for rows in torch.randperm(240).split(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
""",
    cost=N_("counts the labels of the watched batches"),
)
