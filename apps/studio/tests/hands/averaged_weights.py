import copy

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel


class Ema:
    def __init__(self, model, decay=0.95):
        self.module, self.decay = copy.deepcopy(model), decay

    @torch.no_grad()
    def update(self, model):
        for average, weight in zip(self.module.parameters(), model.parameters(), strict=True):
            average.lerp_(weight, 1 - self.decay)


torch.manual_seed(8)
net = nn.Sequential(nn.Linear(2, 12), nn.Sigmoid(), nn.Linear(12, 1))
ema, swa = Ema(net), AveragedModel(net)
optimizer = torch.optim.Adagrad(net.parameters(), lr=0.1)
for step in range(40):
    x = torch.rand(16, 2)
    loss = (net(x) - x.prod(1, keepdim=True)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    ema.update(net)
    if step % 4 == 3:
        swa.update_parameters(net)
        probe = torch.tensor([[0.5, 0.5]])
        print(step, loss.item(), *(each(probe).item() for each in (net, ema.module, swa)))
