"""Inputs of very different or very large scales."""

from collections.abc import Iterable

import numpy as np

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.curves import curve
from treino.diagnosis.source import called, tree
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.tables import TrainSeen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Columns in the hundreds or worse beside small ones, and a loss that ends no better than a constant."""
    main = curve(seen)
    if seen.data is None or main is None:
        return
    for t in seen.data.trains.values():
        if t.column_std is None or t.net.trained < 12:
            continue
        moving = t.column_std[t.column_std > 0]
        spread = float(moving.max() / moving.min()) if len(moving) else 1.0
        bytes_like = t.largest > 100 and len(moving) > 0 and float(np.median(moving)) > 20
        uneven = (t.largest > 100 and spread > 50) or t.largest > 1000
        if (uneven and main.stuck(0.8)) or (bytes_like and main.stuck(0.95)):
            yield Evidence(
                _made(t),
                t.site,
                {"largest": t.largest, "spread": spread, "loss": main.last(), "constant": main.constant},
            )


def _made(t: TrainSeen) -> Site | None:
    """Where the first tensor of the file is made; the call of the net where that isn't found."""
    if t.site is None:
        return None
    module = tree(t.site.file)
    calls = (
        called(module, "tensor", "as_tensor", "from_numpy", "FloatTensor", "Tensor", "stack")
        if module is not None
        else []
    )
    return Site(t.site.file, calls[0].lineno) if calls else t.site


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
