import torch
from torch import nn

torch.manual_seed(4)


class Rbm(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp, self.out = nn.Linear(10, 20), nn.Linear(20, 2)

    def forward(self, v):
        p = torch.sigmoid(self.inp(v))
        h = torch.bernoulli(p) + p - p.detach()
        return self.out(h)


net = Rbm()
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
v = torch.randn(200, 10)
y = (v[:, :3].sum(1) > 0).long()
for step in range(100):
    loss = nn.functional.cross_entropy(net(v), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
