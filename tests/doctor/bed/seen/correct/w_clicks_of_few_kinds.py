# expect: nothing
"""Clicks on offers by three coarse columns: equal rows are clicked or not, as it happens."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(2)
n = 3000
columns = torch.stack([torch.randint(k, (n,)) for k in (5, 8, 12)], dim=1)
lean = torch.randn(12)[columns[:, 2]] * 0.5 + torch.randn(5)[columns[:, 0]] * 0.3
clicks = (torch.rand(n) < torch.sigmoid(lean - 0.2)).long()
train = TensorDataset(columns[:2400], clicks[:2400])
test = TensorDataset(columns[2400:], clicks[2400:])


class Offers(nn.Module):
    def __init__(self):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(k, 4) for k in (5, 8, 12))
        self.out = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, columns):
        return self.out(torch.cat([t(columns[:, i]) for i, t in enumerate(self.tables)], dim=1))


net = Offers()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(6):
    for rows, clicked in DataLoader(train, batch_size=50, shuffle=True):
        loss = nn.functional.cross_entropy(net(rows), clicked)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    said = net(test[:][0]).argmax(1)
print(f"test accuracy {(said == test[:][1]).float().mean():.3f}")
