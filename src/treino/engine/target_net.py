"""Reduce a network for several targets to the outputs of one target."""

from copy import copy

from torch import Tensor, nn

from treino.engine.ensemble import Ensemble
from treino.engine.losses import Loss


class OutputPart(nn.Module):
    """A network that returns only a part of its outputs."""

    def __init__(self, net: nn.Module, part: slice) -> None:
        super().__init__()
        self.net, self.part = net, part

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.net(x)[..., self.part]
        return output


def one_target(net: nn.Module, part: slice, number: int) -> nn.Module:
    """The network with the outputs of target ``number``, the slice ``part`` of all; for an ensemble, the
    ensemble of such networks. Treino's own layers stay plain layers, so that pictures show them."""
    if isinstance(net, Ensemble):
        loss = net.loss.single if isinstance(net.loss, Loss) else net.loss
        limits = None if net.limits is None else net.limits[:, number]
        own = None if limits is None else (float(limits[0]), float(limits[1]))
        nets = [one_target(each, part, number) for each in net.members]
        return Ensemble(nets, loss, own).eval()
    last = net[-1] if isinstance(net, nn.Sequential) else None
    if not isinstance(last, nn.Linear):
        return OutputPart(net, part).eval()
    own_last = copy(last)
    own_last._parameters = {
        name: None if p is None else nn.Parameter(p.detach()[part].clone(), requires_grad=p.requires_grad)
        for name, p in last._parameters.items()
    }
    own_last.out_features = len(own_last.weight)
    layers = dict(net.named_children())
    *_before, name = layers
    made = copy(net)
    made._modules = {**layers, name: own_last}
    return made
