"""Two linear layers without a nonlinearity between them: together they are one linear layer."""

from collections import Counter
from collections.abc import Iterator

from treino_doctor.record.log import Backward, Graph, Operation, Read
from treino_doctor.record.values import VIEWS
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, Site, script

STRAIGHT = VIEWS | {"dropout", "batch_norm", "transpose", "permute"}  # they keep a chain of layers linear
LOSSES = 2  # minimum number of losses behind such a pair


def decide(log: Log) -> Faults:
    """A linear layer gets another's output without a nonlinearity, and the middle is not narrower than both.

    A narrow middle is intended: a low-rank factor, or a linear autoencoder. So is a value that is also used
    elsewhere, as by a residual connection.
    """
    backwards = log.of(Backward)
    cut = bool(backwards) and all(b.root == "leaf" for b in backwards)  # only the answers have a graph
    pairs: dict[Site | None, list[tuple[Backward | Read, Operation, dict[str, int]]]] = {}
    for event in log.of(Read) if cut else backwards:
        for first, second, widths in straight_pairs(event.graph):
            at = second.written if first.site == second.site else second.site  # one line: ``nn.Sequential``
            pairs.setdefault(at, []).append((event, second, widths))
    for at, found in pairs.items():
        event, second, widths = found[-1]
        if cut or len({one.turn for one, *_ in found}) >= LOSSES:
            yield Evidence(second.site or event.site, widths, at=at)


def straight_pairs(graph: Graph) -> Iterator[tuple[Operation, Operation, dict[str, int]]]:
    """Yield (first, second, widths) of two linear layers in a chain, as the rule judges them."""
    users = Counter(place for operation in graph.operations for place in operation.parents)
    for second in graph.operations:
        matrix = weight(graph, second)
        value = source(graph, second)
        while matrix is not None and value is not None and users[value] == 1:
            before = graph.operations[value]
            inner = weight(graph, before)
            if inner is not None:
                (hidden, inputs), outputs = inner.shape, matrix.shape[0]
                if hidden > 1 and hidden >= min(inputs, outputs):
                    yield before, second, {"inputs": inputs, "hidden": hidden, "outputs": outputs}
                break
            value = source(graph, before) if before.name in STRAIGHT else None


def weight(graph: Graph, layer: Operation) -> Operation | None:
    """The matrix of a linear layer that is trained here, not under no_grad; None for any other operation."""
    trained = (p for p in graph.parents(layer) if p.name == "parameter" and p.grad and layer.grad)
    return next((p for p in trained if len(p.shape) == 2), None) if layer.name == "linear" else None


def source(graph: Graph, operation: Operation) -> int | None:
    """The index in the graph of the value that an operation is applied to."""
    return next((p for p in operation.parents if graph.operations[p].name != "parameter"), None)


RULE = Rule(
    group="losses",
    severity="risk",
    message="""A linear layer ({inputs} to {hidden}) is followed by another one ({hidden} to {outputs})
    without an activation between them.""",
    why="""Two linear layers in a row can compute no more than one linear layer from {inputs} to {outputs}:
    the {hidden} {hidden:unit|units} between them {hidden:adds|add} weights, but no bends.""",
    fix="Put an activation, such as nn.ReLU(), between the two layers, or leave one of them out.",
    safety="The network becomes another one, and has to be trained anew.",
    limits="""A middle that is narrower than both sides is taken to be meant, and so is a middle that is used
    elsewhere as well. Convolutions and products with a program's own matrices are not looked at.""",
    wrong=script("nn.Sequential(nn.Linear(8, 16), nn.Linear(16, 3))"),
    mend={"nn.Linear(8, 16), nn": "nn.Linear(8, 16), nn.ReLU(), nn"},
)
