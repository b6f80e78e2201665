# expect: class_imbalance @ 25
"""Two percent of parts are broken; weighted by nothing, with a trainer function and BCELoss."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(1500, 6)
score = x[:, 0] + x[:, 1] + 0.8 * torch.randn(1500)
y = (score > score.quantile(0.97)).float().unsqueeze(1)
loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 1), nn.Sigmoid())

    def forward(self, x):
        return self.layers(x)


def train(model, loader, epochs):
    criterion = nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for epoch in range(epochs):
        for xb, yb in loader:
            loss = criterion(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(epoch, loss.item())


model = Net()
train(model, loader, 5)
with torch.no_grad():
    print("accuracy", ((model(x) > 0.5) == y.bool()).float().mean().item())
