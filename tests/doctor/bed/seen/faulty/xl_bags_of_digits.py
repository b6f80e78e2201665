# expect: softmax_wrong_dim @ 45
"""Attention-based multiple instance learning: does a bag of digits contain a '9'?"""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(5)
rng = np.random.default_rng(5)
BAG = 8
TARGET = 9


def make_bags(images, labels, n_bags):
    pos = np.flatnonzero(labels == TARGET)
    neg = np.flatnonzero(labels != TARGET)
    bags, ys = [], []
    for k in range(n_bags):
        idx = rng.choice(neg, BAG)
        if k % 2:
            idx[rng.integers(BAG)] = rng.choice(pos)
        bags.append(images[idx])
        ys.append(k % 2)
    x = torch.tensor(np.stack(bags), dtype=torch.float32)
    return TensorDataset(x, torch.tensor(ys, dtype=torch.float32))


class AttentionMIL(nn.Module):
    def __init__(self, hidden=48, att=24):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(16 * 16, hidden), nn.ReLU())
        self.attention = nn.Sequential(
            nn.Linear(hidden, att), nn.Tanh(), nn.Linear(att, 1))
        self.classifier = nn.Linear(hidden, 1)

    def forward(self, bags):
        b, n = bags.shape[:2]
        h = self.features(bags.reshape(b * n, 1, 8, 8)).view(b, n, -1)
        a = self.attention(h).squeeze(-1)              # b x n
        a = torch.softmax(a, dim=0)
        z = torch.bmm(a.unsqueeze(1), h).squeeze(1)    # b x hidden
        return self.classifier(z).squeeze(-1), a


def run_epoch(model, loader, criterion, optimizer):
    model.train()
    total = 0.0
    for bags, y in loader:
        logits, _ = model(bags)
        loss = criterion(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    return total / len(loader.dataset)


@torch.no_grad()
def test(model, loader):
    model.eval()
    hits = 0
    for bags, y in loader:
        logits, _ = model(bags)
        hits += ((logits > 0).float() == y).sum().item()
    return hits / len(loader.dataset)


if __name__ == "__main__":
    X, y = load_digits(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(X / 16.0, y, test_size=0.4,
                                              stratify=y, random_state=5)
    train_loader = DataLoader(make_bags(X_tr, y_tr, 400), batch_size=20, shuffle=True)
    test_loader = DataLoader(make_bags(X_te, y_te, 300), batch_size=1)

    model = AttentionMIL()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(15):
        loss = run_epoch(model, train_loader, criterion, optimizer)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}: loss {loss:.4f}")
    print(f"bag accuracy (test): {test(model, test_loader):.3f}")
