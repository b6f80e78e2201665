"""Labels that the loss can't mean."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.label_lines import labels_line, target_given
from treino.diagnosis.reading.nan_lines import nan_line
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.loss_seen import LossSeen
from treino.diagnosis.watch.seen import Seen
from treino.words import N_, _


def decide(seen: Seen) -> Iterable[Evidence]:
    """Labels outside the loss's range: classes, [0, 1], or ±1."""
    hurt = seen.data is not None and seen.data.nan_hurt > 0
    for loss in seen.losses.values():
        if hurt and loss.bad_range is None:
            continue  # of the same table as the rows, of which nan_inputs speaks
        if loss.bad_labels:
            yield Evidence(
                _place(loss),
                loss.site,
                {"loss": loss.name, "values": _(loss.bad_label), "calls": loss.bad_labels},
            )


def _place(loss: LossSeen) -> Site | None:
    made = labels_line(loss) if loss.bad_range is not None else nan_line(target_given(loss))
    return made or loss.site


RULE = Rule(
    id="bad_label_values",
    group="losses",
    severity="wrong",
    certain=True,
    watches=("losses",),
    decide=decide,
    early=True,
    message=N_("{loss} got labels that it can't mean: {values} ({calls} of {looked} calls looked at)."),
    why=N_(
        "Classes count from 0 to C − 1, binary cross-entropy wants labels between 0 and 1, margin "
        "losses want −1 "
        "and 1. Outside their range the losses raise, or silently reward the wrong answer without bound."
    ),
    fix=N_("Map the labels to the range that this loss expects before training."),
    wrong="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.binary_cross_entropy_with_logits(net(x).squeeze(1), y.float())
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.binary_cross_entropy_with_logits(net(x).squeeze(1), (y > 0).float())
    loss.backward()
    optimizer.step()
""",
    cost=N_("the smallest and largest label of the first calls of a loss, then of a quarter"),
)
