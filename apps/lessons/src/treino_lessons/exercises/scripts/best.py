# hint: state_dict() gives the network's own tensors, which the next step moves.
# hint: In see: if the loss is lower than the lowest so far, keep copy.deepcopy(net.state_dict()).
# hint: In restore: net.load_state_dict(self.state), with the state that see has kept.
"""Keep the best network

Write the class Best with three methods. __init__(self) begins with no loss seen. see(self, net, loss) keeps the
weights of net if the loss is lower than all before. restore(self, net) puts the kept weights back into net.
"""

import copy


class Best:
    def __init__(self):
        self.lowest = float("inf")

    def see(self, net, loss):
        if loss < self.lowest:
            self.lowest = loss
            self.state = copy.deepcopy(net.state_dict())

    def restore(self, net):
        net.load_state_dict(self.state)


class NotCopied(Best):
    """What is kept is the network's own tensors, and each step moves them: keep a copy, by copy.deepcopy."""

    def see(self, net, loss):
        if loss < self.lowest:
            self.lowest, self.state = loss, net.state_dict()


class TheFirst(Best):
    """It keeps the first network only: remember the lowest loss anew each time."""

    def see(self, net, loss):
        if not hasattr(self, "state"):
            self.state = copy.deepcopy(net.state_dict())


class TheLargest(Best):
    """That keeps the network of the largest loss; the lowest is the best."""

    def see(self, net, loss):
        super().see(net, -loss)


def use(function, losses):
    import torch

    net, best = torch.nn.Linear(1, 1), function()
    for step, loss in enumerate(losses):
        with torch.no_grad():
            net.weight.fill_(step)
        best.see(net, loss)
    best.restore(net)
    return {"the step whose weights are back": net.weight.item()}


def cases():
    yield ([0.5, 0.9, 0.4, 0.6, 0.7],)
    yield ([0.3, 0.2, 0.1],)
