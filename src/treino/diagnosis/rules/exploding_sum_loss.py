"""A summed loss whose steps are as large as the batch."""

import math
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.configured import chosen
from treino.diagnosis.reading.names import words
from treino.diagnosis.reading.places import told_line
from treino.diagnosis.reading.source import loss_line, names_in, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules import lr_too_high
from treino.diagnosis.watch.seen import Seen
from treino.words import N_

DIVIDED = 0.15  # of a sum, that is left of one that was divided by the rows before it was run backward
REWARDED = {"reward", "rewards", "advantage", "advantages", "episode", "episodes", "bandit"}


def decide(seen: Seen) -> Iterable[Evidence]:
    """reduction="sum" over many rows, and a training that ends no better than a constant, or not finite."""
    if any(b.first_bad == 1 for b in seen.backwards.values()):
        return  # no step of any size had been taken
    for loss in seen.losses.values():
        if not loss.sums or loss.rows < 8 or loss.trained < 8 or _rewarded(loss.site):
            continue
        values = next((b.loss for b in seen.backwards.values() if len(b.loss) >= 8), [])
        n = max(2, len(values) // 4)
        last = sum(values[-n:]) / n if values else 0.0
        limit = 0.8 * loss.baseline() * loss.entries
        first = values[0] if values else 0.0
        wild = _typical(seen) > 0.02
        if abs(first) < DIVIDED * abs(loss.first_sum):
            continue
        if (
            not math.isfinite(last)
            or (first > 0 and last > 3 * first)
            or (wild and limit > 0 and last > limit)
            or _too_large(seen)
        ):
            place = told_line(loss.made_at or loss.site, "reduction")
            yield Evidence(chosen(place, "sum"), loss.site, {"rows": loss.rows, "first": first, "last": last})
            return
    for b in seen.backwards.values():
        if b.summed_rows < 8 or len(b.loss) < 8 or _rewarded(b.site):
            continue
        n = max(2, len(b.loss) // 4)
        first, last = b.loss[0], sum(b.loss[-n:]) / n
        most = max(v for v in b.loss if math.isfinite(v)) if math.isfinite(first) else first
        thrown = most > 10 * first and not any(o.adaptive for o in seen.optimizers)
        wild = _typical(seen) > 0.1 or thrown
        high = not last <= 3 * first and (most > 100 * first or not b.bad_operation)
        if first > 0 and (high or (wild and last > 0.9 * first) or _too_large(seen)):
            numbers = {"rows": b.summed_rows, "first": first, "last": last}
            yield Evidence(chosen(b.summed_at or _told(seen) or loss_line(b.site), "sum"), b.site, numbers)
            return


def _told(seen: Seen) -> Site | None:
    """Where the only loss that is told to sum is told so: one of several that were added up."""
    sums = [f for f in seen.losses.values() if f.sums and f.trained]
    return told_line(sums[0].made_at or sums[0].site, "reduction") if len(sums) == 1 else None


def _rewarded(site: Site | None) -> bool:
    """Whether an agent learns: its loss follows the rewards and the lengths of episodes, up and down."""
    module = tree(site.file) if site is not None else None
    return module is not None and any(REWARDED & {*words(name)} for name in names_in(module))


def _too_large(seen: Seen) -> bool:
    """Whether steps that are as large as the gradient is would be called too large."""
    return not any(o.adaptive for o in seen.optimizers) and any(lr_too_high.decide(seen))


def _typical(seen: Seen) -> float:
    """The share of the weights that a typical step moves, of the optimizer, or line, that moves them most."""
    every = (*seen.optimizers, *seen.by_hand)
    ratios = (sorted(o.update_ratio) for o in every if o.update_ratio)
    return max((r[len(r) // 2] for r in ratios), default=0.0)


RULE = Rule(
    id="exploding_sum_loss",
    group="losses",
    severity="wrong",
    certain=False,
    watches=("losses", "backwards", "optimizers"),
    decide=decide,
    unless=("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs"),
    message=N_(
        "The loss is a sum over {rows} rows and training does not converge: {first} at first, {last} at "
        "the end."
    ),
    why=N_(
        "Summed over the batch, the gradient is as many times larger as there are rows, and so is every "
        "step: lr that suits a mean is far too large. It also changes with the batch size."
    ),
    fix=N_("Use reduction='mean' (the default), or divide lr by the batch size."),
    wrong="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(20):
    optimizer.zero_grad()
    loss = F.mse_loss(net(x), x[:, :1], reduction="sum")
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(20):
    optimizer.zero_grad()
    loss = F.mse_loss(net(x), x[:, :1])
    loss.backward()
    optimizer.step()
""",
    cost=N_("shares the losses' numbers"),
)
