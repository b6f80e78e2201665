"""A threshold of 0.5 on logits, for which even odds are at 0."""

import math
from collections.abc import Iterator

from treino_doctor.base.words import _
from treino_doctor.record.log import Graph, LossCall, Operation, Read
from treino_doctor.rules.graphs import PASSED, argument, calls_by_number
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, script

OF_LOGITS = ("binary_cross_entropy_with_logits", "soft_margin_loss", "multilabel_soft_margin_loss")
COMPARED = ("gt", "ge", "lt", "le")
EVEN = 0.5


def decide(log: Log) -> Faults:
    """A net's output that a loss took as logits is compared with 0.5, or rounded, without a sigmoid; or a
    softmax of it is, although a row may have several labels."""
    nets = {number: call.net for number, call in calls_by_number(log).items()}
    known: dict[tuple[object, ...], str] = {}
    several: dict[object, str] = {}
    for call in log.of(LossCall):
        several |= {nets[n]: call.name for n in call.forwards if call.several and n in nets}
        if call.name in OF_LOGITS:
            for made in origins(call.graph, call.graph.root):
                if "sigmoid" not in made.name or not any(p.forwards for p in call.graph.parents(made)):
                    known |= {(nets.get(n), made.name, made.written): call.name for n in made.forwards[-1:]}
    sites, tried = set(), {t for r in log.of(Read) for t in thresholds(r)}
    if len(tried - {0.0, EVEN}) > 1:
        return  # the best threshold is looked for, and may be 0.5
    for read in log.of(Read):
        for met in cuts(read):
            of = read.graph.parents(met)[:1]
            raw = [o for one in of for o in origins(read.graph, one) if o.forwards[-1:]]
            keys = [(nets.get(o.forwards[-1]), o.name, o.written) for o in raw]
            if not raw or met.site in sites:
                continue
            if all(o.name == "softmax" and k[0] in several for o, k in zip(raw, keys, strict=True)):
                loss = several[keys[0][0]]
                what = _("compared with 0.5 after a softmax, by which at most one of several labels can pass")
            elif all(key in known for key in keys):
                loss = known[keys[0]]
                what = _("compared with 0.5, a chance of {share:.0%}").format(share=1 / (1 + math.exp(-EVEN)))
                what = _("rounded, which gives numbers that are no class") if met.name == "round" else what
            else:
                continue
            sites.add(met.site)
            yield Evidence(met.site, {"loss": loss, "what": what}, stack=read.stack)


def thresholds(read: Read) -> set[float]:
    """The number that a net's outputs are compared with, if one is."""
    root = read.graph.root if read.how == "compared" else None
    other = argument(root, "other", 1) if root is not None and root.name in COMPARED else None
    return {float(other)} if isinstance(other, (int, float)) else set()


def cuts(read: Read) -> Iterator[Operation]:
    """The comparisons with 0.5 in a metric, and roundings that are compared with labels."""
    if read.how != "compared" or read.graph.root is None:
        return
    root = read.graph.root
    if root.name in COMPARED and EVEN in (argument(root, "other", 1), argument(root, "other", 0)):
        yield root
    if root.name in ("eq", "ne"):
        for side in read.graph.parents(root):
            yield from (o for o in origins(read.graph, side) if o.name == "round")


def origins(graph: Graph, start: Operation | None) -> list[Operation]:
    """The operations that computed a value, before views and copies."""
    passed = graph.walk(start, through=PASSED) if start is not None and start.name in PASSED else [start]
    return [o for o in passed if o is not None and o.name not in PASSED]


RULE = Rule(
    group="settings",
    message="Logits are {what}: the net's outputs are taken as logits by {loss}.",
    why="""The loss puts a sigmoid on these outputs, so that a logit of 0, not of 0.5, is an even chance. Rows
    between the two get the other class, and the figure is not that of the net. A softmax makes labels share
    what each should have for itself.""",
    fix="Compare with 0, or take torch.sigmoid of the outputs first and compare that with 0.5.",
    safety="Safe: only the answers change.",
    limits="Seen where torch makes the comparison, not where NumPy does.",
    wrong="labels = (y > 0).float()[:, None]\n"
    + script("nn.Linear(8, 1)", "F.binary_cross_entropy_with_logits(net(x), labels)", "lr=0.5", 40)
    + """\
with torch.no_grad():
    accuracy = ((net(x) > 0.5).float() == labels).float().mean()
""",
    mend={"net(x) > 0.5": "net(x) > 0"},
)
