# expect: nothing
"""Diabetes progression regression, parameters grouped by a helper that makes the optimizer."""
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(14)
X, y = load_diabetes(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.2, random_state=14)
mx, sx, my, sy = X_tr.mean(0), X_tr.std(0), y_tr.mean(), y_tr.std()


def prep(a, b):
    return torch.tensor((a - mx) / sx, dtype=torch.float32), torch.tensor((b - my) / sy, dtype=torch.float32).view(-1, 1)


train_ds, test_ds = TensorDataset(*prep(X_tr, y_tr)), TensorDataset(*prep(X_te, y_te))
train_dl = DataLoader(train_ds, batch_size=32, shuffle=True)


class Regressor(nn.Module):
    def __init__(self, n_in, n_hidden=32):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(n_in, n_hidden), nn.ReLU())
        self.head = nn.Linear(n_hidden, 1)

    def forward(self, x):
        return self.head(self.backbone(x))


def make_optimizer(model, base_lr):
    groups = [{"params": model.backbone.parameters(), "lr": base_lr}, {"params": model.head.parameters(), "lr": base_lr}]
    return torch.optim.SGD(groups, lr=base_lr)


model = Regressor(X.shape[1])
optimizer = make_optimizer(model, base_lr=1e-2)
mse = nn.MSELoss()

for epoch in range(30):
    model.train()
    total = 0.0
    for xb, yb in train_dl:
        optimizer.zero_grad()
        loss = mse(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    if (epoch + 1) % 5 == 0:
        print(f"Epoch {epoch + 1:3d} | train MSE {total / len(train_ds):.5f}")

model.eval()
with torch.no_grad():
    xt, yt = test_ds.tensors
    print(f"test MSE {mse(model(xt), yt).item():.4f} (variance of target {yt.var().item():.4f})")
