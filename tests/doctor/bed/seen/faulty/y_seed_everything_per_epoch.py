# expect: seed_reset_each_epoch @ 23
# allowed: seed_reset_each_epoch @ 19
"""seed_everything is called where an epoch begins."""

import os
import random

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def seed_everything(seed):
    random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def train_fn(model, loader, optimizer):
    seed_everything(42)
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


def eval_fn(model, x, y):
    model.eval()
    with torch.no_grad():
        return ((model(x) > 0).float() == y).float().mean().item()


def main():
    np.random.seed(42)
    torch.manual_seed(42)
    X, y = load_breast_cancer(return_X_y=True)
    rows = np.random.permutation(len(X))
    fit, hold = rows[:450], rows[450:]
    X = (X - X[fit].mean(0)) / X[fit].std(0)
    X, y = torch.tensor(X).float(), torch.tensor(y).float().unsqueeze(1)
    loader = DataLoader(TensorDataset(X[fit], y[fit]), batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(6):
        loss = train_fn(model, loader, optimizer)
        print(f"epoch={epoch}, train_loss={loss:.4f}, valid_acc={eval_fn(model, X[hold], y[hold]):.4f}")


if __name__ == "__main__":
    main()
