# expect: lr_too_high @ 18
# allowed: lr_too_high @ 38
"""Breast-cancer table with a three-layer network, argparse main and a cosine schedule."""
import argparse

import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=15)
    p.add_argument("--batch-size", type=int, default=32)
    p.add_argument("--lr", type=float, default=1.0)
    p.add_argument("--hidden", type=int, default=64)
    return p.parse_args([])


def get_data():
    X, y = load_breast_cancer(return_X_y=True)
    Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, random_state=1, stratify=y)
    sc = StandardScaler().fit(Xa)
    f = lambda v: torch.tensor(sc.transform(v), dtype=torch.float32)
    return TensorDataset(f(Xa), torch.tensor(ya)), TensorDataset(f(Xb), torch.tensor(yb))


def main():
    args = get_args()
    torch.manual_seed(1)
    train_set, test_set = get_data()
    loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True)
    h = args.hidden
    net = nn.Sequential(nn.Linear(30, h), nn.Tanh(), nn.Linear(h, h), nn.Tanh(), nn.Linear(h, h), nn.Tanh(), nn.Linear(h, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=args.lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(args.epochs):
        net.train()
        total = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(net(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item()
        scheduler.step()
        print(f"epoch {epoch:2d} loss {total / len(loader):.4f}")
    net.eval()
    with torch.no_grad():
        x, y = test_set.tensors
        print("test accuracy", round((net(x).argmax(1) == y).float().mean().item(), 3))


if __name__ == "__main__":
    main()
