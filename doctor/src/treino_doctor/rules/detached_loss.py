"""A loss that has lost its graph before backward."""

from treino_doctor.record.log import Backward, OptimizerEnded, Stepped
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, Site, by_line, script

LEAST = 2  # steps without any gradient
ANEW = ("tensor", "as_tensor", "from_numpy", "FloatTensor", "detach", "data")


def decide(log: Log) -> Faults:
    """Backward ran from a fresh leaf, or through a graph without parameters, though there is an optimizer."""
    ends = log.of(OptimizerEnded)
    if not any(e.steps or not e.filled for e in ends):
        return
    idle = {e.optimizer for e in ends if not e.filled}
    empty = [s for s in log.of(Stepped) if s.optimizer in idle and not s.gradients]
    for backwards in by_line(log.of(Backward), lambda b: b.site).values():
        site = backwards[0].site
        leaves = [b for b in backwards if b.root == "leaf"]
        cut = [b for b in backwards if b.root == "detached" and not b.unowned]
        if leaves and 2 * len(leaves) > len(backwards):
            yield Evidence(site, {"backwards": len(leaves)}, at=made_at(leaves), stack=leaves[0].stack)
        elif len(cut) >= LEAST and len(cut) == len(backwards) and len(empty) >= LEAST:
            yield Evidence(site, {"backwards": len(cut)}, at=made_at(cut), stack=cut[0].stack)


def made_at(backwards: list[Backward]) -> Site | None:
    """The line where a loss's graph ends: an operation that made a new value or detached one."""
    for graph in (b.graph for b in backwards):
        known = [o for o in graph.walk() if o.site is not None]
        anew = [o for o in known if o.name in ANEW and o.grad]
        cut = [o for o in known if not o.grad and any(p.grad for p in graph.parents(o))]
        if ends := anew or cut or [o for o in known if o.name in ANEW or not o.grad]:
            return ends[0].site
    return None


FROM_A_NUMBER = "    loss = torch.tensor(loss.item(), requires_grad=True)\n"

RULE = Rule(
    group="gradients",
    early=True,
    message="""{backwards} backward {backwards:pass|passes} started from a tensor that knows nothing of the
    network.""",
    why="""A tensor made anew from a number (torch.tensor, .item(), .data, requires_grad=True) has no history,
    so that backward ends there and the parameters get no gradient. requires_grad only silences the error.""",
    fix="Compute the loss from the network's output with torch functions, and leave its history alone.",
    safety="Safe: before, nothing was learned.",
    limits="A program that has no optimizer of torch and reads the gradients itself is left alone.",
    wrong=script().replace("    loss.back", FROM_A_NUMBER + "    loss.back"),
    mend={FROM_A_NUMBER: ""},
)
