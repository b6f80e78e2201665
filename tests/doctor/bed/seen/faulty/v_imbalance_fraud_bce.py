# expect: class_imbalance @ 47
# allowed: class_imbalance @ 44
# allowed: class_imbalance @ 53
"""Fraud detection on a table where one payment in fifty is fraudulent."""
import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def payments(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.02).astype("float32")
    x = rng.normal(size=(n, 8)).astype("float32")
    x[:, 0] += 1.3 * y
    x[:, 1] -= 1.0 * y
    x[:, 2] += 0.9 * y
    return x, y


class FraudNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x):
        return self.net(x).squeeze(-1)


def report(model, x, y, name):
    model.eval()
    with torch.no_grad():
        pred = (torch.sigmoid(model(x)) > 0.5).int().numpy()
    print(f"{name}: accuracy {(pred == y.numpy()).mean():.3f} recall {recall_score(y, pred):.3f} "
          f"balanced {balanced_accuracy_score(y, pred):.3f}")


def main():
    torch.manual_seed(0)
    x, y = payments()
    x_tr, x_te, y_tr, y_te = map(torch.from_numpy, train_test_split(x, y, test_size=0.3, stratify=y, random_state=0))
    loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=64, shuffle=True)
    model = FraudNet()
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(10):
        model.train()
        total = 0.0
        for xb, yb in loader:
            opt.zero_grad()
            loss = loss_fn(model(xb), yb)
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch + 1} loss {total / len(loader):.4f}")
    report(model, x_te, y_te, "test")


if __name__ == "__main__":
    main()
