"""Training that continues in eval mode after an evaluation, or begins in it."""

from treino_doctor.record.log import EvalSet, Forward, Log, NetMade
from treino_doctor.rules.rule import JUDGED, ON_PART, WITH_DROPOUT, Evidence, Faults, Rule, by_line, script
from treino_doctor.rules.turns import trained_forwards

LEAST = 3  # minimum number of steps; one or two may only inspect gradients


def decide(log: Log) -> Faults:
    """A net was trained in eval mode, its dropout and batch norms included: after an evaluation, or from the
    first step on if the net was not loaded."""
    used = trained_forwards(log)
    calls_of = by_line((f for f in log.of(Forward) if f.forward in used), lambda f: f.net)
    for net in log.of(NetMade):
        calls = calls_of.get(net.net, [])
        still = [f for f in calls if f.grad and f.resting and not (f.training or f.active or f.dropping)]
        first = bool(calls) and not calls[0].training
        if len(still) < LEAST or (net.loaded and first):
            continue
        before = [m for m in log.of(EvalSet) if m.net == net.net and m.turn <= still[0].turn]
        if before and not first and not _looked(log, net.net, before[-1], still[0], used):
            continue  # eval mode is intended for training: batch norms stay frozen
        site = before[-1].site if before else still[0].site
        numbers = {"steps": len(still), "net": net.kind, "layers": ", ".join(net.modal)}
        yield Evidence(still[-1].site, numbers, at=site, stack=still[-1].stack)


def _looked(log: Log, net: int, since: EvalSet, until: Forward, used: set[int]) -> bool:
    """Whether a net was evaluated between these events. used: the calls that trained."""
    at = {id(event): place for place, event in enumerate(log.events)}
    between = log.events[at[id(since)] : at[id(until)]]
    return any(isinstance(e, Forward) and e.net == net and e.forward not in used for e in between)


RULE = Rule(
    group="modes",
    message="""{net} was set to eval, and {steps} {steps:step was|steps were} then trained in eval mode
    ({layers}).""",
    why="""In eval mode dropout is off and batch norm uses its stored statistics, which no longer follow the
    weights. What is trained so is another network than the one that was written.""",
    fix="Call model.train() at the head of every epoch (or right after the evaluation).",
    safety="""Safe: dropout and batch norm work again, so the loss of training may look worse and that of
    evaluation better.""",
    limits="A net that was loaded and is tuned in eval mode from the first step on is left alone.",
    wrong=script(WITH_DROPOUT, ON_PART) + "    net.eval()\n" + JUDGED,
    mend={"    optimizer.zero_grad()": "    net.train()\n    optimizer.zero_grad()"},
)
