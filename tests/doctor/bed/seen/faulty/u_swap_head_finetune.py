# expect: params_not_in_optimizer @ 64
# allowed: params_not_in_optimizer @ 65
"""Pretrain on coarse shapes of digits (few or many strokes), then swap the head and fine-tune the whole net for the ten digits."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class Body(nn.Module):
    def __init__(self, n_out):
        super().__init__()
        self.features = nn.Sequential(
            nn.Linear(64, 64), nn.ReLU(),
            nn.Linear(64, 32), nn.ReLU(),
        )
        self.head = nn.Linear(32, n_out)

    def forward(self, x):
        return self.head(self.features(x))


def make_optimizer(model, lr):
    return torch.optim.AdamW([
        {"params": model.features.parameters(), "lr": lr * 0.3},
        {"params": model.head.parameters(), "lr": lr},
    ])


def fit(model, optimizer, x, y, epochs, tag, batch=64):
    for epoch in range(epochs):
        model.train()
        order = torch.randperm(len(x))
        total = 0.0
        for rows in order.split(batch):
            loss = F.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
    print(f"{tag}: loss after {epochs} epochs {total / len(x):.4f}")


@torch.no_grad()
def accuracy(model, x, y):
    model.eval()
    return (model(x).argmax(dim=1) == y).float().mean().item()


torch.manual_seed(4)
X, digit = load_digits(return_X_y=True)
X_tr, X_te, d_tr, d_te = train_test_split(X, digit, test_size=0.25, stratify=digit, random_state=4)
X_tr = torch.tensor(X_tr / 8.0 - 1.0, dtype=torch.float32)
X_te = torch.tensor(X_te / 8.0 - 1.0, dtype=torch.float32)
d_tr, d_te = torch.tensor(d_tr), torch.tensor(d_te)
ROUND = torch.tensor([1, 0, 0, 0, 0, 0, 1, 0, 1, 1])

model = Body(n_out=2)
fit(model, make_optimizer(model, 3e-3), X_tr, ROUND[d_tr], 5, "round or not")
print(f"round or not, test accuracy {accuracy(model, X_te, ROUND[d_te]):.3f}")

optimizer = make_optimizer(model, 5e-3)
model.head = nn.Linear(32, 10)
fit(model, optimizer, X_tr, d_tr, 12, "ten digits")
print(f"ten digits, test accuracy {accuracy(model, X_te, d_te):.3f}")
