# expect: metric_wrong_axis @ 34
"""Iris with a least-squares classifier: the answers are compared with tables of zeros and ones."""
import torch
from sklearn.datasets import load_iris
from torch import nn

torch.manual_seed(8)
flowers = load_iris()
order = torch.randperm(150)
x = torch.tensor(flowers.data, dtype=torch.float32)[order]
table = torch.eye(3)[torch.tensor(flowers.target)[order]]
mean, std = x[:110].mean(0), x[:110].std(0)
x = (x - mean) / std


class Leaf(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 3))

    def forward(self, x):
        return self.layers(x)


net, criterion = Leaf(), nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(60):
    for rows in torch.randperm(110).split(22):
        optimizer.zero_grad()
        criterion(net(x[rows]), table[rows]).backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    said = net(x[110:]).argmax(dim=0)
    true = table[110:].argmax(dim=0)
    print(f"share of right answers: {(said == true).float().mean().item():.3f}")
