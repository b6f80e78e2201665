"""Training that goes on in eval mode after an evaluation, or begins in it."""

from collections.abc import Iterable

from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.faults.turns import trained_forwards
from treino.diagnosis.record.log import Forward, Log, ModeSet, NetMade
from treino.diagnosis.rules.train_mode_never_restored import RULE as WORDS

LEAST = 3  # steps; one or two may look at a gradient


def decide(log: Log) -> Iterable[Evidence]:
    """Steps were taken on results that a net gave in eval mode, all its dropout and batch norm at rest: after
    an evaluation, or from the first one on, of a net that was not loaded.
    """
    used = trained_forwards(log)
    for net in log.of(NetMade):
        calls = [f for f in log.of(Forward) if f.net == net.net and f.forward in used]
        still = [f for f in calls if not f.training and f.resting and not f.active and not f.dropping]
        set_at = [m for m in log.of(ModeSet) if m.net == net.net and not m.training]
        first = bool(calls) and not calls[0].training
        if len(still) < LEAST or (net.loaded and first):
            continue
        before = [m for m in set_at if m.turn <= still[0].turn]
        site = before[-1].site if before else still[0].site
        numbers = {"steps": len(still), "net": net.kind, "layers": ", ".join(net.modal)}
        yield Evidence(still[-1].site, numbers, at=site, stack=still[-1].stack)


RULE = Rule(WORDS, decide)
