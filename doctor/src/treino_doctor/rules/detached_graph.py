"""A part of the network that is cut off from the loss."""

from treino_doctor.base.words import _, joined
from treino_doctor.record.log import (
    Backward,
    Graph,
    LossCall,
    NetMade,
    Operation,
    OptimizerEnded,
    OptimizerMade,
    Stepped,
)
from treino_doctor.record.outcomes import FLAT, Cut
from treino_doctor.rules.graphs import calls_by_number
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, Site, by_line, script
from treino_doctor.rules.turns import used_by

Key = tuple[str, Site | None]
Owner = tuple[OptimizerMade, int]  # an optimizer and its steps

LEAST = 3  # minimum number of steps without a gradient for the same parameters


def decide(log: Log) -> Faults:
    """Backward never reached parameters behind a line that leaves the graph or whose derivative is zero; or
    one of several losses only reached parameters whose gradients were thrown away."""
    yield from _wasted_losses(log)
    missing, owner = parameters_without(log)
    flat, owners = parameters_without(log, zeros=True)
    owner = owners | owner
    behind: dict[Key, set[int]] = {}
    led: dict[Key, int] = {}
    newest: dict[Key, Cut] = {}
    waiting: list[Cut] = []
    for event in log.events:
        if isinstance(event, Cut):
            key = event.how, event.site
            behind[key] = behind.get(key, set()) | set(event.parameters)
            newest[key] = event
            waiting.append(event)
        elif isinstance(event, Stepped):
            held = {p for p in owner if owner[p][0].optimizer == event.optimizer}
            for cut in waiting:
                led[cut.how, cut.site] = led.get((cut.how, cut.site), 0) + bool(held & set(cut.parameters))
            waiting = []
    # A value outside the graph passes no gradient at all; an operation with derivative zero passes zeros.
    lost_by = {k: behind[k] & (flat if k[0] in FLAT else missing) for k in behind}
    loaded = {p for n in log.of(NetMade) if n.loaded for p in n.parameters}
    for key in [k for k in behind if k[0] in ("no_grad", "detach")]:
        lost_by[key] -= loaded  # what gives features to a head keeps its weights on purpose
    for key in [k for k in behind if k[0] == "no_grad"]:
        if behind[key] - missing or not led.get(key):  # no_grad may only serve evaluations
            lost_by[key] = set()
    if not any(lost_by.values()):
        return
    losing = [k for k in behind if lost_by[k]]
    best = max(losing, key=lambda k: (len(lost_by[k]), led.get(k, 0) > 0, k[0] != "no_grad", -len(behind[k])))
    cut, lost = newest[best], lost_by[best]
    made, steps = owner[min(lost)]
    numbers = {"how": cut.how, "parameters": len(lost), "steps": steps, "of": ""}
    yield Evidence(made.site, numbers, at=cut.site, stack=cut.stack)


def _wasted_losses(log: Log) -> Faults:
    """A term of a loss that cuts off what is stepped next, and reaches only what is cleared unused."""
    calls, nets = calls_by_number(log), {n.net: set(n.parameters) for n in log.of(NetMade)}
    held = {o.optimizer: o.parameters for o in log.of(OptimizerMade)}
    losses, used = {c.loss: c for c in log.of(LossCall)}, used_by(log)
    wasted: dict[tuple[str, Site | None], list[tuple[Backward, str, set[int]]]] = {}
    for b in (b for b in log.of(Backward) if len(b.losses) and id(b) in used):
        for c in (losses[n] for n in b.losses if n in losses):
            cut, behind, reached = _cut_off(c.graph)
            own, lost = (
                {p for f in some if f in calls for p in nets[calls[f].net]} for some in (reached, behind)
            )
            reaches = {o for o in b.filled if held[o] & own}
            stepped = {o for o in b.filled if o in used[id(b)]}
            if cut is not None and reaches and not reaches & stepped and any(held[o] & lost for o in stepped):
                wasted.setdefault((cut.name, cut.site), []).append((b, c.name, lost))
    for (how, site), found in wasted.items():
        if len(found) >= LEAST:
            (b, _name, lost), of = found[-1], joined(["", _("from {loss}")], " ").format(loss=found[-1][1])
            numbers = {"how": how, "parameters": len(lost), "steps": len(found), "of": of}
            yield Evidence(b.site, numbers, at=site)


def _cut_off(graph: Graph) -> tuple[Operation | None, set[int], set[int]]:
    """(what cuts a loss's way, the calls of nets behind it, the calls that a gradient goes back to)."""
    learned = [graph.root] if graph.root is not None and graph.root.grad else []
    for one in learned:
        learned += [p for p in graph.parents(one) if p.grad and p not in learned]
    cuts = {id(p): p for one in learned for p in graph.parents(one) if not p.grad and p.forwards}
    cut = next(iter(cuts.values())) if len(cuts) == 1 else None
    behind = set(cut.forwards) if cut is not None and cut.name in ("detach", "data") else set()
    for one in learned:  # the answer of a call behind the cut, which a gradient goes back to another way
        if behind.intersection(one.forwards) and not any(behind & {*p.forwards} for p in graph.parents(one)):
            return None, set(), set()
    return cut if behind else None, behind, {f for one in learned for f in one.forwards} - behind


def parameters_without(log: Log, zeros: bool = False) -> tuple[set[int], dict[int, Owner]]:
    """Parameters without a gradient, or with zeros, at all steps of their optimizers; and the steps."""
    made = {o.optimizer: o for o in log.of(OptimizerMade)}
    ends = {e.optimizer: e for e in log.of(OptimizerEnded)}
    candidates: set[int] = set()
    moved: set[int] = set()
    owner: dict[int, Owner] = {}
    stepped = by_line((s for s in log.of(Stepped) if s.gradients), lambda s: s.optimizer)
    for optimizer, one in made.items():
        steps = stepped.get(optimizer, [])
        without = [set(s.missing) | set(s.still if zeros else ()) for s in steps]
        never = set.intersection(*without) if without else set()
        moved |= one.parameters - never if steps else set()
        if len(steps) >= LEAST and optimizer in ends:
            candidates |= never
            owner |= dict.fromkeys(never, (one, ends[optimizer].steps))
    return candidates - moved, owner


HEAD = "head = nn.Linear(16, 3)\n"
HEAD += script("nn.Linear(8, 16)", "F.cross_entropy(head(torch.relu(net(x)).detach()), y)")

RULE = Rule(
    group="gradients",
    unless=("detached_loss", "grad_cleared_before_step"),
    message="""In {steps} {steps:step|steps} {parameters} of the network's weights got no gradient{of}: this
    {how} cuts their way.""",
    why="""A value that leaves the graph here has no history, so that backward can't go on to the layers that
    made it. The optimizer holds them, but they learn nothing from what comes after.""",
    fix="""Pass the tensor on as it is: no detach, .data, numpy or torch.tensor between layers that should
    learn, and rsample() in place of sample().""",
    safety="Training changes: more weights learn, so look at the learning rate anew.",
    limits="""Operations that cut a value off are seen in the steps that are recorded; writes to `.data` are
    not seen. A cut is told only if an optimizer holds the weights behind it: a target network or a frozen
    part, which no optimizer holds, is left alone.""",
    wrong=HEAD.replace("net.parameters()", "[*net.parameters(), *head.parameters()]"),
    mend={".detach()": ""},
)
