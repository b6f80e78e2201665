# expect: detached_graph @ 22
"""Two views of a signal are projected by one matrix; the projection is written as a function."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(4)
base = torch.randn(512, 5)
mix_a, mix_b = torch.randn(5, 14), torch.randn(5, 14)
left, right = torch.tanh(base @ mix_a), torch.tanh(base @ mix_b)


class Projector(nn.Module):
    def __init__(self):
        super().__init__()
        self.towers = nn.ModuleList(nn.Sequential(nn.Linear(14, 32), nn.Tanh()) for _ in range(2))
        self.shared = nn.Parameter(torch.randn(32, 8) * 0.2)
        self.temperature = nn.Parameter(torch.tensor(2.0))

    def project(self, hidden):
        # the same matrix for both
        return F.normalize(hidden @ self.shared.detach(), dim=1)

    def forward(self, a, b):
        one, two = (self.project(tower(x)) for tower, x in zip(self.towers, (a, b), strict=True))
        return self.temperature.exp() * one @ two.T


net = Projector()
optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.0)
for step in range(120):
    rows = torch.randperm(512)[:64]
    scores = net(left[rows], right[rows])
    loss = F.cross_entropy(scores, torch.arange(64))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 40 == 0:
        print(step, round(loss.item(), 4))
