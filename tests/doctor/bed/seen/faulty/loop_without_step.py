# expect: no_step @ 20
"""Iris in the shortest loop."""

import torch
from sklearn.datasets import load_iris
from torch import nn

torch.manual_seed(0)
iris = load_iris()
x = torch.tensor((iris.data - iris.data.mean(0)) / iris.data.std(0)).float()
t = torch.tensor(iris.target)
model = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)

for epoch in range(60):
    optimizer.zero_grad()
    output = model(x)
    loss = criterion(output, t)
    loss.backward()
    if epoch % 15 == 0:
        print("Epoch", epoch, "Loss", loss.item())
with torch.no_grad():
    print("train accuracy", (model(x).argmax(1) == t).float().mean().item())
