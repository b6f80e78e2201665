"""A recurrent or attention layer that reads the rows of a batch as the steps of a sequence."""

from treino_doctor.record.log import Backward, Forward, Graph, LossCall, Operation
from treino_doctor.rules.graphs import argument, calls_by_number
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, Site, by_line, script

RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")
BATCH_FIRST = 8  # its position among the arguments of these functions
ATTENTION = "multi_head_attention_forward"  # its first axis is always the steps


def decide(log: Log) -> Faults:
    """A net's rows are the steps of its layer, and what follows has one output for each row, taken or
    averaged along the axis that the layer takes for the batch."""
    calls = calls_by_number(log)
    trained = [c for c in log.of(LossCall) if c.trained] + [b for b in log.of(Backward) if not b.losses]
    told: set[Site | None] = set()
    for events in by_line(trained, lambda e: e.site).values():
        for event in (e for e in events if e.graph.root is not None and e.forwards):
            layer = crossed(event.graph, calls.get(max(event.forwards)))
            if layer is not None and layer.written not in told:
                told.add(layer.written)
                numbers = {"layer": layer.name, "rows": layer.shape[0], "steps": layer.shape[1]}
                yield Evidence(event.site, numbers, at=layer.written, stack=event.stack)
                break


def crossed(graph: Graph, call: Forward | None) -> Operation | None:
    """The layer whose steps are a net's rows; None if there is none."""
    for layer in graph.operations if call is not None else ():
        attends = layer.name == ATTENTION
        steps_first = layer.name in RECURRENT and argument(layer, "batch_first", BATCH_FIRST) is False
        if not (attends or steps_first) or len(layer.shape) != 3 or call is None:
            continue
        rows, steps = both = layer.shape[:2]
        if rows != steps and min(both) > 1 and call.shape[:2] == both:
            for one in graph.operations:
                whole = [p for p in graph.parents(one) if len(p.shape) == 3 and p.shape[:2] == both]
                wide = [p for p in whole if one.shape == (rows, p.shape[2]) and p.shape[2] != steps]
                if any(layer in graph.walk(p) for p in wide):
                    return layer
    return None


RULE = Rule(
    group="data",
    certain=False,
    message="""A layer ({layer}) reads the {rows} rows of a batch as steps in time, and their {steps} steps as
    rows.""",
    why="""Without batch_first=True the first axis is time. The layer then mixes the rows of a batch: each
    sees other rows and none of its own earlier steps, so that its answer is not made of its own sequence.""",
    fix="Make the layer with batch_first=True, or swap the two axes before it and after it.",
    safety="Safe: each row then is a sequence of its own.",
    limits="""Told where a net is given [rows, steps, ...] and one value is taken, or averaged, along the
    steps. Where all steps have an answer, or there is one step or row, both orders look alike and nothing is
    told.""",
    wrong="""\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.last = nn.LSTM(2, 8), nn.Linear(8, 3)

    def forward(self, rows):
        return self.last(self.lstm(rows)[0][:, -1])


x = x.reshape(240, 4, 2)
"""
    + script("Net()"),
    mend={"nn.LSTM(2, 8)": "nn.LSTM(2, 8, batch_first=True)"},
)
