"""A loss that is NaN or infinite."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.source import called, function_of, loss_line, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.studies import RATE, studied
from treino.diagnosis.watch.seen import BackwardSeen, Seen
from treino.words import N_, _

DOMAINS = ("log", "sqrt", "division")  # operations that a larger rate alone doesn't make fail
CALLS = {"log": ("log", "log2", "log10"), "sqrt": ("sqrt", "norm"), "exp": ("exp",), "pow": ("pow",)}


def decide(seen: Seen) -> Iterable[Evidence]:
    """An optimizer stepped on a loss that was not finite (a scaler that skips such steps is right)."""
    tried = studied(seen, RATE)  # a rate that blows up is an answer, too
    bad = [b for b in seen.backwards.values() if b.first_bad is not None and b.bad_steps]
    bad = [b for b in bad if b.bad_operation in CALLS or not tried]
    for b in sorted(bad, key=lambda b: b.bad_since)[:1]:  # the others may follow from it
        yield Evidence(_culprit(b), b.site, _numbers(b))
    lost = [b for b in seen.functional if b.bad_steps > 2 and not tried]
    for b in [b for b in lost if b.bad_at is not None or b.first_bad != 1][:1]:  # else the rows are bad
        yield Evidence(_culprit(b), b.site, _numbers(b))
        return
    found = seen.guarded
    if found is not None and not any(b.first_bad for b in seen.backwards.values()) and _stops(seen, found):
        numbers = {"first": found.first_bad or 1, "steps": 0, "operation": found.bad_operation}
        yield Evidence(_culprit(found), found.site, numbers)


def _numbers(b: BackwardSeen) -> dict[str, int | str]:
    operation = b.bad_operation or _("not known")
    return {"first": b.first_bad or 1, "steps": b.bad_steps, "operation": operation}


def _stops(seen: Seen, found: BackwardSeen) -> bool:
    """Whether a check of the script's own ended its training, or kept it from many of its steps, for an
    operation outside of its domain while the loss hadn't grown.
    """
    earlier = [abs(v) for v in found.loss[:-1]]
    grew = bool(earlier) and max(earlier) > 10 * earlier[0]
    trained = sum(b.calls for b in seen.backwards.values())
    often = (found.first_bad or 1) > trained or 4 * found.calls >= trained
    return found.bad_operation in DOMAINS and not grew and often and not studied(seen, RATE)


def _culprit(b: BackwardSeen) -> Site | None:
    """The line of the guilty operation: as it was seen, or by its name in the function of the backward."""
    if b.bad_at is not None:
        return b.bad_at
    if b.site is not None and b.bad_operation in CALLS:
        for where in (function_of(b.site), tree(b.site.file)):
            calls = called(where, *CALLS[b.bad_operation]) if where is not None else []
            if calls and (where is not tree(b.site.file) or len({c.lineno for c in calls}) == 1):
                nearest = min(calls, key=lambda c: abs(c.lineno - b.site.line))  # type: ignore[union-attr]
                return Site(b.site.file, nearest.lineno)
    return loss_line(b.site)


RULE = Rule(
    id="non_finite_loss",
    group="gradients",
    severity="wrong",
    certain=True,
    watches=("backwards",),
    decide=decide,
    early=True,
    unless=("exploding_sum_loss", "missing_zero_grad", "nan_inputs", "nll_without_log_softmax"),
    message=N_("The loss is NaN or infinite from backward {first} on; {steps} steps used it."),
    why=N_(
        "One such step makes every parameter NaN, and nothing can be learned after it. Operation that "
        "made it: "
        "{operation}."
    ),
    fix=N_(
        "Keep arguments inside the function's domain (log and sqrt of zero, division by zero), or lower lr."
    ),
    wrong="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    p = torch.relu(net(x)).squeeze(1)
    loss = -torch.log(p).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    loss = -F.logsigmoid(net(x)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    cost=N_("reads the loss of each backward (one number)"),
)
