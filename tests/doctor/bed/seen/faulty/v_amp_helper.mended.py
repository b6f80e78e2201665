# expect: nothing
"""Trains a digit classifier under CPU autocast with a GradScaler and a small helper that applies the update."""
import argparse

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


def apply_update(scaler, optimizer, params, max_norm):
    scaler.unscale_(optimizer)
    nn.utils.clip_grad_norm_(params, max_norm)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=8)
    ap.add_argument("--lr", type=float, default=3e-3)
    args = ap.parse_args([])
    torch.manual_seed(0)
    X, Y = load_digits(return_X_y=True)
    a, b, c, d = train_test_split(X / 16.0, Y, test_size=0.25, random_state=0, stratify=Y)
    a, b = torch.tensor(a).float(), torch.tensor(b).float()
    c, d = torch.tensor(c), torch.tensor(d)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=args.lr)
    scaler = torch.amp.GradScaler("cpu")
    for epoch in range(args.epochs):
        net.train()
        for idx in torch.randperm(len(a)).split(64):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = nn.functional.cross_entropy(net(a[idx]), c[idx])
            scaler.scale(loss).backward()
            apply_update(scaler, optimizer, net.parameters(), 5.0)
        net.eval()
        with torch.inference_mode():
            acc = (net(b).argmax(1) == d).float().mean().item()
        print(f"{epoch}: loss {loss.item():.3f} acc {acc:.3f}")


if __name__ == "__main__":
    main()
