# expect: nothing
"""Friedman regression with a OneCycleLR policy."""
import torch
from sklearn.datasets import make_friedman1
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset

EPOCHS, BATCH = 15, 32
X, y = make_friedman1(1000, n_features=8, noise=0.5, random_state=9)
X, y = torch.tensor(X).float() * 2 - 1, torch.tensor(y).float()
mu, sd = y[:800].mean(), y[:800].std()
y = (y - mu) / sd
train = DataLoader(TensorDataset(X[:800], y[:800]), BATCH, shuffle=True)
torch.manual_seed(9)
net = nn.Sequential(nn.Linear(8, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
scheduler = OneCycleLR(optimizer, max_lr=0.1, epochs=EPOCHS, steps_per_epoch=len(train))

for epoch in range(EPOCHS):
    net.train()
    running = 0.0
    for xb, yb in train:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(xb).flatten(), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        running += loss.item() * len(xb)
    print(f"{epoch:2d} mse {running / 800:.4f} lr {scheduler.get_last_lr()[0]:.5f}")

net.eval()
with torch.no_grad():
    print("test mse", nn.functional.mse_loss(net(X[800:]).flatten(), y[800:]).item())
