# expect: nothing
"""Noisy digits with a regularised MLP; prints a validation curve."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

SEED = 5
torch.manual_seed(SEED)
np.random.seed(SEED)


def build(p):
    return nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), nn.Dropout(p),
        nn.Linear(256, 256), nn.ReLU(), nn.Dropout(p),
        nn.Linear(256, 10),
    )


def get_loaders():
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype(np.float32)
    x = x + np.random.normal(0, 0.35, x.shape).astype(np.float32)
    xtr, xva, ytr, yva = train_test_split(x, y, train_size=400, random_state=SEED, stratify=y)
    mk = lambda a, b: TensorDataset(torch.from_numpy(a), torch.from_numpy(b))
    return DataLoader(mk(xtr, ytr), batch_size=50, shuffle=True), DataLoader(mk(xva, yva), batch_size=500)


def validate(model, loader, criterion):
    model.eval()
    total, correct, n = 0.0, 0, 0
    with torch.no_grad():
        for xb, yb in loader:
            logits = model(xb)
            total += criterion(logits, yb).item() * len(yb)
            correct += (logits.argmax(1) == yb).sum().item()
            n += len(yb)
    return total / n, correct / n


def fit(model, train_loader, valid_loader, epochs):
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(epochs):
        model.train()
        running = 0.0
        for xb, yb in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            running += loss.item() * len(yb)
        val_loss, val_acc = validate(model, valid_loader, criterion)
        if epoch % 5 == 4:
            print(f"[{epoch + 1:02d}] train {running / len(train_loader.dataset):.3f} "
                  f"valid {val_loss:.3f} acc {val_acc:.3f}")


train_loader, valid_loader = get_loaders()
fit(build(0.5), train_loader, valid_loader, epochs=30)
