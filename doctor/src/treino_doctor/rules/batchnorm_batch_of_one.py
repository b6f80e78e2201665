"""Batch norm that learns from a batch of one row."""

import math

from treino_doctor.base.words import _, joined
from treino_doctor.places.placement import batches
from treino_doctor.places.settings import setting
from treino_doctor.record.log import Backward, Ended, Forward, Read
from treino_doctor.record.outcomes import Normed
from treino_doctor.rules import missing_eval
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, Site, script

WIDE = 64  # values of a row in each channel that suffice for statistics
SELDOM = 8  # at most one batch in this many
LEAST = 3  # batches of one row, if there are no larger ones


def decide(log: Log) -> Faults:
    """Torch refused a batch of one row; or some such came between larger batches; or all had one row, and the
    running averages were used in eval mode."""
    steps = max((e.step for e in log.of(Ended)), default=0)
    for norm in log.of(Normed):
        drop = norm.larger and math.prod(norm.shape[2:]) >= WIDE and norm.ones * SELDOM <= steps
        used = norm.larger or (norm.evaluated and norm.ones >= LEAST)
        if norm.crashed or (used and not drop):
            numbers = {"ones": norm.ones, "larger": norm.larger, "shape": str(list(norm.shape)), "use": ""}
            sites, at = {"loader": norm.loader, "acts": None}, norm.loader
            if answers(log) and any(True for _ in missing_eval.decide(log)):
                return  # rows that are judged one by one in training mode: that is the fault
            if answers(log) or (norm.crashed and not norm.graph):
                said = _("No backward went through them: they are only answered.")
                numbers["use"] = joined(["", said], " ")
                sites["acts"] = at = norm.called_at
            yield Evidence(norm.made_at, numbers, at=at, stack=norm.stack, sites=sites)
            return  # the other layers of the net got the same batch


def answers(log: Log) -> bool:
    """Whether single rows were read, as an agent's action is, and no backward went through any of them."""
    ones = {f.forward for f in log.of(Forward) if f.rows == 1 and f.norming}
    learned = any(not ones.isdisjoint(b.forwards) for b in log.of(Backward))
    return not learned and any(not ones.isdisjoint(r.forwards) for r in log.of(Read))


def place(evidence: Evidence) -> Site | None:
    """The call that only answers; else the line that sets the batch size, of the loader or of the loop."""
    acts, loader = evidence.sites["acts"], evidence.sites["loader"]
    head = loader or batches(evidence.stack) or evidence.seen
    return acts or setting(head, "batch_size", 1 if loader is not None else None, 1.0)


RULE = Rule(
    group="modes",
    severity="risk",
    message="""A batch-norm layer in training mode got batches of one row (shape {shape}): {ones}, and larger
    ones: {larger}.{use}""",
    why="""The mean and deviation of one row say nothing of the data: the row is normalised by itself, and the
    running averages are pulled towards it. With one value per channel PyTorch refuses.""",
    fix="""Where a row is only answered, as an agent's state, call eval() before and train() after that call;
    where it is learned from, use drop_last=True, another batch size, or group norm.""",
    safety="""`drop_last=True` leaves out the rows of the last, smaller batch: other rows in each epoch, if
    they are shuffled.""",
    limits="""Every call of a net in training mode with a single row is looked at; other calls only in the
    steps that are recorded.""",
    wrong=script(
        "nn.Sequential(nn.Unflatten(1, (2, 4)), nn.BatchNorm1d(2), nn.Flatten(), nn.Linear(8, 3))",
        "F.cross_entropy(net(x[rows]), y[rows])",
    ).replace("step in range(10)", "rows in torch.arange(61).split(20)"),
    mend={"torch.arange(61)": "torch.arange(60)"},
)
