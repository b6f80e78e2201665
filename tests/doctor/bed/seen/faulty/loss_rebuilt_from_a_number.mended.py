# expect: nothing
# mends: loss_rebuilt_from_a_number.py
"""Two losses averaged by way of Python numbers."""

import torch
from sklearn.datasets import load_iris
from torch import nn

torch.manual_seed(0)
iris = load_iris()
x = torch.tensor(iris.data, dtype=torch.float32)
x = (x - x.mean(0)) / x.std(0)
y = torch.tensor(iris.target)
model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
ce, margin = nn.CrossEntropyLoss(), nn.MultiMarginLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for epoch in range(50):
    logits = model(x)
    parts = [ce(logits, y), margin(logits, y)]
    loss = sum(parts) / 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
