# expect: non_finite_loss @ 31
# allowed: lr_too_high @ 27
# mend: 27 → opt = torch.optim.SGD(net.parameters(), lr=0.01)
"""Counts by a Poisson regression whose rate is exp of an unbounded output."""

import torch
from torch import nn

torch.manual_seed(0)
x = torch.rand(400, 3) * 4
rate = torch.exp(0.4 * x[:, 0] + 0.3 * x[:, 1])
counts = torch.poisson(rate)


class PoissonNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin1 = nn.Linear(3, 16)
        self.lin2 = nn.Linear(16, 1)

    def forward(self, x):
        return self.lin2(torch.relu(self.lin1(x))).squeeze(1)


net = PoissonNet()
loss_fn = nn.PoissonNLLLoss(log_input=True)
opt = torch.optim.SGD(net.parameters(), lr=0.5)
for epoch in range(5):
    for idx in torch.randperm(400).split(50):
        opt.zero_grad()
        loss = loss_fn(net(x[idx]), counts[idx])
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
