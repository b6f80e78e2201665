"""Inputs of very different or very large scales."""

import ast
import itertools
import math
from collections.abc import Iterable

import numpy as np

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.ancestry import ancestry, converts, first, floats, hands_out
from treino.diagnosis.reading.dropped import dropped_scaling
from treino.diagnosis.reading.scaling import passed_through, scaled_by_one, scaling_line, switched_off
from treino.diagnosis.reading.source import called, function_of, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules import lr_too_high
from treino.diagnosis.rules.curves import curve
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.tables import TrainSeen
from treino.words import N_

ABSURD = 0.3  # a rate, where each step has its size whatever the gradient


def decide(seen: Seen) -> Iterable[Evidence]:
    """Columns in the hundreds or worse beside small ones, and a loss that ends no better than a constant."""
    main = curve(seen)
    if seen.data is None or main is None:
        return
    absurd = any(o.adaptive and o.top_lr >= ABSURD for o in seen.optimizers)
    if absurd and any(lr_too_high.decide(seen)):
        return  # inputs of any scale are lost by it
    if not math.isfinite(main.values[0]):
        return  # before anything was learned: no scale does this
    itself = seen.data.normed or seen.data.multiplied > 0  # the net scales its rows, as far as that is seen
    if itself and seen.data.multiplied <= 100:
        return
    for t in seen.data.trains.values():
        if (
            t.column_std is None or (t.net.trained or len(main.values)) < 12
        ):  # none counts those of plain tensors
            continue
        if not t.floating and seen.data.multiplied <= 20:
            continue  # tokens, that choose their rows of a table
        moving = t.column_std[t.column_std > 0]
        spread = float(moving.max() / moving.min()) if len(moving) else 1.0
        bytes_like = t.largest > 100 and len(moving) > 0 and float(np.median(moving)) > 20
        uneven = (t.largest > 100 and spread > 50) or t.largest > 1000
        # A rate that adapts learns something of any columns, but not what the small ones say.
        extreme = not main.by_hand and t.largest > 1e4 and spread > 1e3 and main.stuck(0.5)
        # ... and less where the columns meet weights as they are.
        raw = max(seen.data.multiplied, seen.data.stretched) > 1e3 and t.largest > 1e3 and spread > 1e4
        extreme = extreme or (raw and not main.by_hand and main.stuck(0.4))
        # ... and long has answers that are far worse than a constant.
        loud = not main.by_hand and main.first() > main.constant and max(main.values) > 4 * main.constant
        loud = loud and seen.data.multiplied > 1e3 and t.largest > 1e3
        extreme = extreme or (loud and spread > 1e3 and main.stuck(0.3 if spread > 1e4 else 0.45))
        # ... and one of its tasks is not learned at all.
        extreme = extreme or (uneven and not main.by_hand and main.stuck(0.5) and _unlearned(seen))
        # What the source scales and then leaves as it was is no choice.
        forgotten = uneven and main.stuck(0.5) and t.site is not None and dropped_scaling(t.site.file)
        if forgotten or extreme or (uneven and main.stuck(0.8)) or (bytes_like and main.stuck(0.95)):
            yield Evidence(
                _made(t),
                t.site,
                {"largest": t.largest, "spread": spread, "loss": main.last(), "constant": main.constant},
            )


def _unlearned(seen: Seen) -> bool:
    """Whether one of several losses that are learned ends where a constant would."""
    several = [loss for loss in seen.losses.values() if loss.trained >= 12 and len(loss.values) >= 12]
    return len(several) > 1 and any(0 < 0.9 * loss.baseline() < loss.last() for loss in several)


def _made(t: TrainSeen) -> Site | None:
    """Where they were to be scaled; or where the rows became numbers for a net, or else the first tensor of
    the file; or the net's call.
    """
    if t.site is None:
        return None
    meant = dropped_scaling(t.site.file) or switched_off(t.site.file) or scaling_line(t.site, t.loader)
    meant = meant or scaled_by_one(t.site.file) or passed_through(t.site.file)
    if meant is not None:
        return meant
    made = [step.site for step in ancestry(t.site, t.loader) if converts(step.value)]
    if made:
        return _given_parts(next((site for site in made if not hands_out(site)), made[0]))
    module = tree(t.site.file)
    calls = (
        called(module, "tensor", "as_tensor", "from_numpy", "FloatTensor", "Tensor", "stack")
        if module is not None
        else []
    )
    if calls:
        return Site(t.site.file, calls[0].lineno)
    made_of = first(ancestry(t.site, t.loader), floats)  # a library makes the tensors
    splits = [c.lineno for c in called(module, "train_test_split")] if module is not None else []
    before = made_of is not None and any(made_of.line < n <= t.site.line for n in splits)
    return t.site if before or made_of is None else made_of  # what is scaled before a split is a leak


def _given_parts(site: Site) -> Site:
    """Where a function is called for one part after the other, as for windows of each, the first such call:
    what it is given was to be scaled.
    """
    around, module = function_of(site), tree(site.file)
    if not isinstance(around, ast.FunctionDef) or module is None:
        return site
    lines = sorted(c.lineno for c in called(module, around.name) if isinstance(c.func, ast.Name))
    return next((Site(site.file, a) for a, b in itertools.pairwise(lines) if b - a <= 1), site)


RULE = Rule(
    id="unscaled_inputs",
    group="data",
    severity="wrong",
    certain=False,
    watches=("data", "losses"),
    decide=decide,
    unless=("nan_inputs", "missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss"),
    message=N_(
        "Inputs reach {largest} and their columns differ {spread} times in scale; the loss ends at "
        "{loss}, a constant gets {constant}."
    ),
    why=N_(
        "The largest column decides the output and the gradient, and the others hardly count. A rate that "
        "suits one column is wildly wrong for another."
    ),
    fix=N_("Standardise each column with the training rows' mean and deviation."),
    wrong="""\
x = x * torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 3000.0])
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("the deviation of the columns of one batch"),
)
