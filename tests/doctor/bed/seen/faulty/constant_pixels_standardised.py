# expect: nan_inputs @ 14
# allowed: non_finite_loss @ 23
# allowed: nan_inputs @ 23
"""Digits standardised per pixel; pixels that never change give 0/0."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32)
X = (X - X.mean(dim=0)) / X.std(dim=0)
loader = DataLoader(TensorDataset(X, torch.tensor(y)), batch_size=100, shuffle=True)
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(3):
    running = 0.0
    for images, labels in loader:
        opt.zero_grad()
        loss = criterion(net(images), labels)
        loss.backward()
        opt.step()
        running += loss.item()
    print(f"epoch {epoch + 1} loss {running / len(loader):.4f}")
