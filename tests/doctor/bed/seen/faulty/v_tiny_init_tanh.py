# expect: vanishing_gradient @ 23
# allowed: vanishing_gradient @ 19
# allowed: vanishing_gradient @ 24
"""Deep tanh network that learns a radial function; weights drawn by a custom initialiser."""
import torch
from torch import nn

torch.manual_seed(5)
P = torch.randn(900, 2)
r = (P.norm(dim=1) > 1.18).long()


class DeepTanh(nn.Module):
    def __init__(self, depth=7, width=32):
        super().__init__()
        dims = [2] + [width] * depth
        self.hidden = nn.ModuleList(nn.Linear(i, o) for i, o in zip(dims, dims[1:]))
        self.readout = nn.Linear(width, 2)
        self.reset()

    def reset(self):
        for lin in self.hidden:
            nn.init.normal_(lin.weight, std=0.01)
            nn.init.zeros_(lin.bias)

    def forward(self, x):
        for lin in self.hidden:
            x = torch.tanh(lin(x))
        return self.readout(x)


net = DeepTanh()
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(20):
    net.train()
    for idx in torch.randperm(700).split(50):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(P[idx]), r[idx])
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    print("loss", loss.item(), "acc", (net(P[700:]).argmax(1) == r[700:]).float().mean().item())
