# expect: lr_too_high @ 18
# mend: 17 → opt = torch.optim.Adam(net.parameters(), lr=5e-3)
"""Words of two kinds by their ids, with a rate far too high."""
import torch
from torch import nn
torch.manual_seed(2)
ids = torch.randint(1, 900, (1200, 10))
y = (ids < 300).sum(1).clamp(2, 5) - 2
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.EmbeddingBag(900, 24)
        self.head = nn.Sequential(nn.Linear(24, 32), nn.Tanh(), nn.LayerNorm(32), nn.Linear(32, 4))
    def forward(self, ids):
        return self.head(self.emb(ids))
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1.5)
for epoch in range(10):
    for rows in torch.randperm(1000).split(50):
        loss = nn.functional.cross_entropy(net(ids[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
