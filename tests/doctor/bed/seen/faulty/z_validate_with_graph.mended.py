# expect: nothing
# mends: z_validate_with_graph.py
"""Research-like train.py: a config, a loop, a validation pass."""

from types import SimpleNamespace

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

cfg = SimpleNamespace(seed=3, lr=0.05, epochs=5, batch_size=64, hidden=40)


def build_data():
    g = torch.Generator().manual_seed(cfg.seed)
    x = torch.randn(1000, 10, generator=g)
    y = (x[:, :5].sum(1) > x[:, 5:].abs().sum(1) - 3).long()
    return TensorDataset(x[:800], y[:800]), TensorDataset(x[800:], y[800:])


def train_epoch(model, loader, optimizer, criterion):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()


def validate(model, loader, criterion):
    model.eval()
    losses, correct = [], 0
    with torch.no_grad():
        for x, y in loader:
            logits = model(x)
            losses.append(criterion(logits, y).item())
            correct += (logits.argmax(1) == y).sum().item()
    return sum(losses) / len(losses), correct / len(loader.dataset)


def main():
    torch.manual_seed(cfg.seed)
    train_set, val_set = build_data()
    model = nn.Sequential(nn.Linear(10, cfg.hidden), nn.ReLU(), nn.Dropout(0.1), nn.Linear(cfg.hidden, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=cfg.lr, momentum=0.9, nesterov=True)
    criterion = nn.CrossEntropyLoss()
    train_loader = DataLoader(train_set, cfg.batch_size, shuffle=True)
    val_loader = DataLoader(val_set, cfg.batch_size)
    for epoch in range(cfg.epochs):
        train_epoch(model, train_loader, optimizer, criterion)
        loss, acc = validate(model, val_loader, criterion)
        print(f"epoch {epoch}: val_loss={loss:.4f} val_acc={acc:.4f}")


if __name__ == "__main__":
    main()
