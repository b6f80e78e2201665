"""Sigmoid twice: once by hand, once inside binary_cross_entropy_with_logits."""

from treino_doctor.places.settings import word
from treino_doctor.record.log import Graph, LossCall, Operation
from treino_doctor.rules.graphs import PASSED, made_by
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, script, shown

LOSS = "binary_cross_entropy_with_logits"


def decide(log: Log) -> Faults:
    """The input of binary_cross_entropy_with_logits comes straight from a sigmoid (or a softmax), or was
    rounded to 0 and 1."""
    looked_at = [c for c in log.of(LossCall) if c.name == LOSS and c.graph.root is not None]
    for call, made, counts in shown(looked_at, lambda c: _probability(c.graph)):
        yield Evidence(call.site, counts, at=made.written, stack=call.stack)


def _probability(graph: Graph) -> Operation | None:
    """The sigmoid or softmax that made a value, also if it was rounded, or a threshold on a net's answers."""
    made = made_by(graph, "sigmoid", "softmax", through=PASSED | {"round"})
    compared = made_by(graph, "gt", "ge")
    return made or (compared if compared is not None and compared.forwards else None)


RULE = Rule(
    group="losses",
    early=True,
    place=lambda e: word(e.at or e.seen, "sigmoid", "softmax"),  # its line, or where it was chosen
    message="""The input of binary_cross_entropy_with_logits is already a probability ({calls} of {looked}
    {looked:call|calls} looked at).""",
    why="""The loss applies the sigmoid itself: applied twice, an output between 0 and 1 becomes 0.50 to 0.73,
    so that the network can never say no, and its loss stays above 0.31.""",
    fix="Give it the raw output, or use binary_cross_entropy (BCELoss) with the sigmoid.",
    safety="Safe for training. Where the output is read as a probability elsewhere, apply the sigmoid there.",
    limits="A sigmoid inside a compiled part is not seen.",
    wrong=script("nn.Linear(8, 1)", f"F.{LOSS}(torch.sigmoid(net(x)).squeeze(1), (y > 0).float())"),
    mend={"torch.sigmoid(net(x))": "net(x)"},
)
