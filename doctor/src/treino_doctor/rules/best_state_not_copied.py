"""A state that was kept without a copy, so that it holds the newest weights when it is used."""

from treino_doctor.record.outcomes import StateUsed
from treino_doctor.rules.rule import VALIDATED, Evidence, Faults, Log, Rule, by_line

KEPT = 2  # minimum number of states that a line took, if one is saved: a single one may be meant to change


def decide(log: Log) -> Faults:
    """A state that shares the net's memory was loaded into the net, or saved, after more steps."""
    used = [s for s in log.of(StateUsed) if s.how == "load_state_dict" or s.times >= KEPT]
    for uses in by_line(used, lambda s: s.taken_at).values():
        last = uses[-1]
        yield Evidence(last.site, {"how": last.how, "steps": last.steps}, at=last.taken_at, stack=last.stack)


RULE = Rule(
    group="settings",
    early=True,
    message="""The state that was kept is no copy: {steps} more {steps:step has|steps have} changed it before
    {how} was called.""",
    why="""state_dict() returns the net's own tensors, which every step changes in place. What was kept as the
    best is the newest state, and loading it restores nothing.""",
    fix="Keep a copy: copy.deepcopy(net.state_dict()).",
    safety="The figures of the restored net become those of the best epoch.",
    limits="A net that is kept under a second name (`best = net`) is not seen.",
    wrong=VALIDATED
    + """\
    if step < 6 and validation_loss < lowest:
        lowest, best = validation_loss, net.state_dict()
net.load_state_dict(best)
""",
    mend={"net.state_dict()": "{k: v.clone() for k, v in net.state_dict().items()}"},
)
