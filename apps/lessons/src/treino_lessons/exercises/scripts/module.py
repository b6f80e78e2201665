# hint: In __init__: super().__init__(), and then self.features = nn.Sequential(...).
# hint: The layers: nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, classes). No softmax: the loss does it.
# hint: In forward: return self.features(x.view(len(x), -1)), which makes one long row of each picture.
"""A network as a class

Write the class MLP with __init__(self, inputs, hidden, classes) and forward(self, x). Its layers stand in
self.features: a linear one to hidden units, ReLU, a linear one to the classes. forward takes pictures such as
(5, 1, 28, 28), makes one row of each, and returns the logits.
"""

from torch import nn


class MLP(nn.Module):
    def __init__(self, inputs, hidden, classes):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def forward(self, x):
        return self.features(x.view(len(x), -1))


class InAList(nn.Module):
    """A plain list hides the layers: the optimizer would get no weights. Put them into nn.Sequential."""

    def __init__(self, inputs, hidden, classes):
        super().__init__()
        self.features = [nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, classes)]

    def forward(self, x):
        x = x.view(len(x), -1)
        for layer in self.features:
            x = layer(x)
        return x


class MadeInForward(nn.Module):
    """A layer that is made in forward is another one at each call, and what it learned is lost: make it in __init__."""

    def __init__(self, inputs, hidden, classes):
        super().__init__()
        self.inputs, self.hidden, self.out = inputs, hidden, nn.Linear(hidden, classes)

    def forward(self, x):
        return self.out(nn.Linear(self.inputs, self.hidden)(x.view(len(x), -1)).relu())


class EndsInSoftmax(MLP):
    """It ends in softmax, and CrossEntropyLoss does softmax itself: leave it out."""

    def forward(self, x):
        return super().forward(x).softmax(1)


class WithoutReLU(nn.Module):
    """Without ReLU between them two linear layers are no more than one."""

    def __init__(self, inputs, hidden, classes):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(inputs, hidden), nn.Linear(hidden, classes))

    def forward(self, x):
        return self.features(x.view(len(x), -1))


def use(function, inputs, hidden, classes, shape):
    import torch

    net = function(inputs, hidden, classes)
    x = torch.rand(shape)
    one, two = (net(x * scale) - net(x * 0) for scale in (1, -1))
    return {
        "weights and biases": sum(p.numel() for p in net.parameters()),
        "shape of the answer": list(net(x).shape),
        "ends in softmax": bool((net(x).sum(1) - 1).abs().max() < 1e-4),
        "bent": bool((one + two).abs().max() > 1e-6),
    }


def cases():
    yield 784, 32, 10, (5, 1, 28, 28)
    yield 2, 16, 3, (4, 2)
