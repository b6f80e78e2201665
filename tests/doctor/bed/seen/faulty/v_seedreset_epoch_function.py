# expect: seed_reset_each_epoch @ 24
# allowed: seed_reset_each_epoch @ 52
"""Binary classifier on moons with input jitter and dropout, one function per epoch."""
import random
import numpy as np
import torch
from sklearn.datasets import make_moons
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def moons(n, seed):
    X, y = make_moons(n, noise=0.2, random_state=seed)
    return torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


def train_epoch(model, loader, opt, loss_fn, seed):
    set_seed(seed)
    model.train()
    total = 0.0
    for x, y in loader:
        x = x + 0.05 * torch.randn_like(x)
        opt.zero_grad()
        loss = loss_fn(model(x).squeeze(1), y)
        loss.backward()
        opt.step()
        total += loss.item() * len(x)
    return total / len(loader.dataset)


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        return ((model(x).squeeze(1) > 0).float() == y).float().mean().item()


def main(seed=123, epochs=15):
    set_seed(seed)
    x, y = moons(800, 0)
    xt, yt = moons(300, 1)
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(epochs):
        loss = train_epoch(model, loader, opt, loss_fn, seed)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} loss {loss:.4f} test acc {evaluate(model, xt, yt):.4f}")


if __name__ == "__main__":
    main()
