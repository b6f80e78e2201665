"""Parameters that get gradients and belong to no optimizer."""

from treino_doctor.base.words import _, joined
from treino_doctor.record.log import LossCall, NetMade, OptimizerEnded, OptimizerMade
from treino_doctor.record.outcomes import Unowned
from treino_doctor.rules.graphs import calls_by_number
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, Site, by_line, script

STEPS = 3  # steps of an optimizer that learns from the same losses
ANEW = 3  # parameters of layers that were gone after their loss
LOSSES = 2  # losses that reached the parameter


def decide(log: Log) -> Faults:
    """Random parameters of nets in training mode never moved, though an optimizer learned from their losses.

    A net whose readout alone the optimizer got (random features) is intended. Loaded, copied, averaged or
    hand-trained parameters, and nets in eval mode, are left alone. If no optimizer holds any parameter of a
    loss, and no optimizer got gradients elsewhere, it steps something else.
    """
    made = {o.optimizer: o for o in log.of(OptimizerMade)}
    ends = {e.optimizer: e for e in log.of(OptimizerEnded)}
    working = [o for o in made if o in ends and ends[o].steps >= STEPS]
    blind = [o for o in working if not ends[o].filled]
    groups: dict[Site | None, list[tuple[Unowned, int]]] = {}
    anew = made_anew(log)
    aims = aimed_at(log)
    for stray in (s for s in log.of(Unowned) if s.parameter not in aims):
        once = stray.losses < LOSSES and stray.made_at not in anew
        if stray.moved or stray.held or stray.grad_input or not stray.training or once:
            continue
        # A parameter before the only part of the net that an optimizer holds may be frozen on purpose.
        frozen = stray.upstream and stray.apart and stray.shape not in ((), (1,))
        if not stray.opened and (stray.copied or frozen):
            continue
        own = [o for o in stray.optimizers if o in working]
        own = own or (blind if stray.alone and blind == working else [])
        if own:
            late = stray.late or not stray.listed or stray.made_at in anew
            place = stray.made_at if late and stray.made_at is not None else made[own[0]].site
            groups.setdefault(place, []).append((stray, own[0]))
    for place, members in groups.items():
        stray, optimizer = members[0]
        numbers = {"optimizer": made[optimizer].kind, "steps": ends[optimizer].steps}
        numbers |= {"parameters": len(members), "shape": "×".join(map(str, stray.shape)) or "1"}
        said = _("Each call makes new ones.") if stray.made_at in anew else ""
        numbers |= {"anew": joined(["", said], " ") if said else ""}
        yield Evidence(made[optimizer].site, numbers, at=place)


def made_anew(log: Log) -> set[Site | None]:
    """The lines that made layers of which each was in one loss alone and was gone after it."""
    made = by_line((s for s in log.of(Unowned) if s.gone and s.made_at is not None), lambda s: s.made_at)
    once = {at: [s for s in own if s.losses == 1] for at, own in made.items()}
    return {at for at, own in once.items() if len(own) >= ANEW and len(own) == len(made[at])}


def aimed_at(log: Log) -> set[int]:
    """The parameters of nets whose answers other nets learn to give: random ones are fixed on purpose."""
    calls, own = calls_by_number(log), {n.net: set(n.parameters) for n in log.of(NetMade)}
    aims = set[int]()
    for c in (c for c in log.of(LossCall) if c.trained and c.bootstrapped and c.target_graph.root):
        roots = (g.root for g in (c.graph, c.target_graph) if g.root is not None)
        learner, aim = ({p for f in one.forwards if f in calls for p in own[calls[f].net]} for one in roots)
        aims |= aim - learner
    return aims


RULE = Rule(
    group="gradients",
    message="""{parameters} of the network's weight tensors (the first of shape {shape}) {parameters:gets|get}
    gradients, but no optimizer holds {parameters:it|them}.{anew}""",
    why="""{optimizer} took {steps} {steps:step|steps} on the same loss, and what it lacks kept its first
    random values. What the optimizer does hold has to learn around a part that never learns.""",
    fix="""Give their parameters to the optimizer (and make every layer before it, in __init__ and not in
    forward), or freeze them on purpose.""",
    safety="Training changes: more weights learn. Check that they were not meant to be frozen.",
    limits="""Weights that were loaded, copied or frozen on purpose (`requires_grad=False`) are left alone,
    and so are weights that several optimizers move in turns.""",
    wrong="head = nn.Linear(16, 3)\n"
    + script("nn.Linear(8, 16)", "F.cross_entropy(head(torch.relu(net(x))), y)"),
    mend={"net.parameters()": "[*net.parameters(), *head.parameters()]"},
)
