# expect: missing_eval @ 18
# allowed: missing_eval @ 14
# allowed: missing_eval @ 15
# allowed: missing_eval @ 16
# allowed: missing_eval @ 55
# mend: 14 +     model.eval()
"""Friedman regression with heavy dropout, scored by a helper every ten epochs."""
import torch
import torch.nn as nn
from sklearn.datasets import make_friedman1
from torch.utils.data import DataLoader, TensorDataset, random_split


def rmse(model, loader):
    se, n = 0.0, 0
    with torch.no_grad():
        for x, y in loader:
            out = model(x).squeeze(1)
            se += ((out - y) ** 2).sum().item()
            n += len(y)
    return (se / n) ** 0.5


def get_loaders(seed):
    X, y = make_friedman1(1200, n_features=8, noise=0.3, random_state=seed)
    X = torch.tensor(X, dtype=torch.float32) * 2 - 1
    y = torch.tensor(y, dtype=torch.float32)
    y = (y - 14.4) / 5.0
    tr, va = random_split(TensorDataset(X, y), [900, 300], generator=torch.Generator().manual_seed(seed))
    return DataLoader(tr, batch_size=45, shuffle=True), DataLoader(va, batch_size=150)


def build():
    return nn.Sequential(
        nn.Linear(8, 64), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(64, 1))


def main():
    torch.manual_seed(42)
    train_loader, val_loader = get_loaders(42)
    model = build()
    opt = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    for epoch in range(30):
        model.train()
        running = 0.0
        for x, y in train_loader:
            opt.zero_grad()
            loss = nn.functional.huber_loss(model(x).squeeze(1), y)
            loss.backward()
            opt.step()
            running += loss.item()
        if epoch % 10 == 9:
            score = rmse(model, val_loader)
            print(f"epoch {epoch + 1} huber {running / len(train_loader):.4f} val rmse {score:.4f}")


if __name__ == "__main__":
    main()
