# expect: nothing
"""Wine cultivars with dropout, a validation set and early stopping."""
from types import SimpleNamespace

import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

CFG = SimpleNamespace(hidden=48, dropout=0.5, lr=5e-3, epochs=40, batch=16, patience=8, seed=13)


def split():
    x, y = load_wine(return_X_y=True)
    x, xt, y, yt = train_test_split(x, y, test_size=0.25, stratify=y, random_state=CFG.seed)
    x, xv, y, yv = train_test_split(x, y, test_size=0.25, stratify=y, random_state=CFG.seed)
    sc = StandardScaler().fit(x)
    pack = lambda a, b: TensorDataset(torch.tensor(sc.transform(a), dtype=torch.float32), torch.tensor(b))
    return pack(x, y), pack(xv, yv), pack(xt, yt)


class EarlyStopping:
    def __init__(self, patience):
        self.patience, self.best, self.bad, self.state = patience, float("inf"), 0, None

    def update(self, value, model):
        if value < self.best - 1e-4:
            self.best, self.bad = value, 0
            self.state = {k: v.clone() for k, v in model.state_dict().items()}
        else:
            self.bad += 1
        return self.bad >= self.patience


def assess(model, loader, criterion):
    model.eval()
    loss, right, n = 0.0, 0, 0
    with torch.no_grad():
        for xb, yb in loader:
            out = model(xb)
            loss += criterion(out, yb).item() * len(yb)
            right += (out.argmax(1) == yb).sum().item()
            n += len(yb)
    return loss / n, right / n


def main():
    torch.manual_seed(CFG.seed)
    train_set, val_set, test_set = split()
    train_loader = DataLoader(train_set, batch_size=CFG.batch, shuffle=True)
    val_loader, test_loader = DataLoader(val_set, 64), DataLoader(test_set, 64)
    model = nn.Sequential(
        nn.Linear(13, CFG.hidden), nn.ReLU(), nn.Dropout(CFG.dropout),
        nn.Linear(CFG.hidden, CFG.hidden), nn.ReLU(), nn.Dropout(CFG.dropout), nn.Linear(CFG.hidden, 3),
    )
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=CFG.lr)
    stopper = EarlyStopping(CFG.patience)

    for epoch in range(1, CFG.epochs + 1):
        model.train()
        for xb, yb in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
        val_loss, val_acc = assess(model, val_loader, criterion)
        if stopper.update(val_loss, model):
            print(f"stopped after epoch {epoch}")
            break

    model.load_state_dict(stopper.state)
    test_loss, test_acc = assess(model, test_loader, criterion)
    print(f"validation loss {stopper.best:.4f}; test loss {test_loss:.4f}, accuracy {test_acc:.3f}")


if __name__ == "__main__":
    main()
