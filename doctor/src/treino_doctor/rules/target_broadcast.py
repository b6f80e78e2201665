"""A prediction [N, 1] and a target [N]: every row is combined with every other."""

import math

from treino_doctor.places.placement import caller, only_caller, passes_on
from treino_doctor.record.log import Backward, Graph, LossCall, Operation
from treino_doctor.rules.graphs import REGRESSIONS, is_column
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, Site, script, shown

Shape = tuple[int, ...]
PAIRED = (*REGRESSIONS, "gaussian_nll_loss", "poisson_nll_loss")


def decide(log: Log) -> Faults:
    """The loss's shapes broadcast to more elements than either has; or those of a difference or product."""
    paired = (c for c in log.of(LossCall) if c.name in PAIRED)
    for call, _wide, counts in shown(paired, lambda c: stretched(c.input_shape, c.target_shape)):
        yield Evidence(call.site, counts | _shapes(call.input_shape, call.target_shape), stack=call.stack)
    by_hand = (b for b in log.of(Backward) if not b.losses)
    for b, made, counts in shown(by_hand, lambda b: _pair(b.graph)):
        numbers = counts | {"looked": counts["calls"]} | _shapes(*made[1:])
        yield Evidence(b.site, numbers, made[0].site, b.stack)


def stretched(one: Shape, two: Shape) -> bool:
    """Whether both shapes grow when broadcast together, as [N, 1] and [N] do."""
    if len(one) == len(two) or not one or not two:
        return False
    wide = max(len(one), len(two))
    pairs = [*zip((1,) * (wide - len(one)) + one, (1,) * (wide - len(two)) + two, strict=True)]
    fit = all(a == b or 1 in (a, b) for a, b in pairs)
    return fit and math.prod(map(max, pairs)) > max(math.prod(one), math.prod(two))


def _pair(graph: Graph) -> tuple[Operation, Shape, Shape] | None:
    """A difference, or a product that is summed whole, of a learned value, [N, 1] or [N], and one that isn't
    learned, broadcast to [N, N]."""
    summed = {p for o in graph.operations if o.name in ("sum", "mean") and not o.shape for p in o.parents}
    summed |= {p for at in summed if graph.operations[at].name == "neg" for p in graph.operations[at].parents}
    for at, operation in enumerate(graph.operations):
        parents = graph.parents(operation)
        weighted = operation.name == "mul" and at in summed
        if not (operation.name == "sub" or weighted) or len(parents) != 2:
            continue
        learned, others = [p for p in parents if p.grad], [p for p in parents if not p.grad]
        answers = len(learned) == 1 and (
            learned[0].forwards or any(not o.grad for o in graph.walk(learned[0]))
        )
        if answers and is_column(learned[0].shape, others[0].shape):
            return operation, learned[0].shape, others[0].shape
    return None


def _shapes(prediction: Shape, target: Shape) -> dict[str, str]:
    return {"prediction": str(list(prediction)), "target": str(list(target))}


def place(evidence: Evidence) -> Site | None:
    """The line of the difference, or of the only caller, which chose the shapes."""
    if evidence.at is not None:
        return (passes_on(evidence.at, most=2) and only_caller(evidence.at)) or evidence.at
    return caller(evidence.stack)


QUIET = 'import warnings\nwarnings.simplefilter("ignore")\n'

RULE = Rule(
    group="losses",
    early=True,
    message="""A prediction of shape {prediction} is combined with a target of shape {target}, and PyTorch
    stretches both ({calls} of {looked} {looked:call|calls} looked at).""",
    why="""Every prediction is combined with every target of the batch. In a difference, the best answer is
    then the mean of all targets, and the loss stops at their variance; in a product, every answer is weighted
    by the sum of all targets.""",
    fix="Give both the same shape: squeeze(1) on the prediction, or unsqueeze(1) on the target.",
    safety="Safe: the loss then compares each row with its own target.",
    limits="""A broadcast in a loss by hand is told where a prediction and a target, both with a row each,
    meet in a difference, or in a product that is summed or averaged whole.""",
    wrong=QUIET + script("nn.Linear(8, 1)", "F.mse_loss(net(x), x[:, 0])"),
    mend={QUIET: "", "net(x)": "net(x).squeeze(1)"},
)
