"""Layers that are made, given to an optimizer, and never called."""

from treino_doctor.record.outcomes import LayerUnreached
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, by_line, script


def decide(log: Log) -> Faults:
    """No call of the net reached the layer, and none of the losses gave it a gradient."""
    known = [layer for layer in log.of(LayerUnreached) if layer.made_at is not None]
    for made_at, layers in by_line(known, lambda layer: layer.made_at).items():
        numbers = {"layer": layers[0].kind, "backwards": layers[0].looks}
        numbers |= {"parameters": sum(layer.parameters for layer in layers)}
        yield Evidence(made_at, numbers, at=made_at)


RULE = Rule(
    group="gradients",
    severity="waste",
    unless=("no_step", "detached_loss", "detached_graph"),
    message="""This {layer} ({parameters} {parameters:weight|weights}) was never called, and got no gradient
    in {backwards} backward {backwards:pass|passes}.""",
    why="""The optimizer holds it, but forward does not use it: it keeps its random values. If it was meant to
    work, the network is another one than you think.""",
    fix="Call the layer in forward, or remove it.",
    safety="""To call the layer makes another network, which has to be trained anew; to remove it changes
    nothing.""",
    limits="""Only recorded backward passes count. Layers of a library's classes, and layers whose weights
    were loaded, are left alone.""",
    wrong="""\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 3)
        self.middle = nn.Linear(16, 16)

    def forward(self, rows):
        hidden = torch.relu(self.first(rows))
        return self.last(hidden)


"""
    + script("Net()"),
    mend={"        return self.last(hidden)": "        return self.last(torch.relu(self.middle(hidden)))"},
)
