# expect: scheduler_misuse @ 23
# allowed: lr_too_low @ 14
"""StepLR(step_size=2) was meant in epochs; called per batch it brings the rate to nothing."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


def train(net, loader, epochs):
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.02)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.3)
    for epoch in range(epochs):
        total = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(net(xb), yb)
            loss.backward()
            optimizer.step()
            scheduler.step()
            total += loss.item()
        print(f"epoch {epoch} loss {total / len(loader):.4f} lr {scheduler.get_last_lr()[0]:.2e}")


torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
x = torch.tensor(StandardScaler().fit_transform(X), dtype=torch.float32)
loader = DataLoader(TensorDataset(x, torch.tensor(y)), batch_size=20, shuffle=True)
train(nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 2)), loader, epochs=6)
