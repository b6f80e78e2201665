# expect: missing_no_grad @ 51
# allowed: missing_no_grad @ 47
# allowed: missing_no_grad @ 50
"""Quantile regression of daily demand with a pinball loss and a separate validation function."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

QUANTILES = torch.tensor([0.1, 0.5, 0.9])


def pinball(pred, y):
    diff = y.unsqueeze(1) - pred
    return torch.maximum(QUANTILES * diff, (QUANTILES - 1) * diff).mean()


def demand(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)).astype(np.float32)
    noise = rng.normal(size=n) * (0.2 + 0.3 * np.abs(x[:, 2]))
    y = 1.5 * x[:, 0] - np.sin(2 * x[:, 1]) + noise
    return TensorDataset(torch.from_numpy(x), torch.tensor(y, dtype=torch.float32))


class QuantileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 48), nn.ELU(), nn.Linear(48, 48), nn.ELU())
        self.low = nn.Linear(48, 1)
        self.steps = nn.Linear(48, 2)

    def forward(self, x):
        h = self.body(x)
        low = self.low(h)
        return torch.cat([low, low + nn.functional.softplus(self.steps(h)).cumsum(1)], 1)


def train_epoch(model, loader, optimizer):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        pinball(model(x), y).backward()
        optimizer.step()


def validate(model, loader):
    model.eval()
    losses, inside = [], []
    for x, y in loader:
        pred = model(x)
        losses.append(pinball(pred, y).item())
        inside.append(((y >= pred[:, 0]) & (y <= pred[:, 2])).float().mean().item())
    return np.mean(losses), np.mean(inside)


torch.manual_seed(3)
train_loader = DataLoader(demand(1500, 1), batch_size=50, shuffle=True)
valid_loader = DataLoader(demand(400, 2), batch_size=100)
model = QuantileNet()
optimizer = torch.optim.NAdam(model.parameters(), lr=3e-3)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2, factor=0.5)
for epoch in range(12):
    train_epoch(model, train_loader, optimizer)
    loss, cover = validate(model, valid_loader)
    scheduler.step(loss)
    if epoch % 4 == 3:
        print(f"epoch {epoch} pinball {loss:.4f} coverage {cover:.3f}")
