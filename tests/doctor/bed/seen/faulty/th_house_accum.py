# expect: no_step @ 16
# allowed: no_step @ 57
"""House price regression from the command line, with a large effective batch."""
import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=60)
    p.add_argument("--batch-size", type=int, default=32)
    p.add_argument("--accum-steps", type=int, default=32)
    p.add_argument("--lr", type=float, default=5e-3)
    p.add_argument("--hidden", type=int, default=48)
    p.add_argument("--seed", type=int, default=7)
    return p.parse_args()


def make_houses(n, rng):
    area = rng.gamma(6.0, 18.0, n)
    rooms = np.clip(np.round(area / 28 + rng.normal(0, 0.8, n)), 1, 9)
    age = rng.uniform(0, 90, n)
    dist = rng.exponential(6.0, n)
    price = 40 + 1.9 * area + 8 * rooms - 0.5 * age - 60 * np.log1p(dist) + rng.normal(0, 15, n)
    return np.stack([area, rooms, age, dist], 1).astype(np.float32), price.astype(np.float32)


def main():
    args = get_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    X, y = make_houses(1024, rng)
    n_train = 768
    mu, sd = X[:n_train].mean(0), X[:n_train].std(0)
    y_mu, y_sd = y[:n_train].mean(), y[:n_train].std()
    X = torch.from_numpy((X - mu) / sd)
    t = torch.from_numpy((y - y_mu) / y_sd).unsqueeze(1)

    train_loader = DataLoader(TensorDataset(X[:n_train], t[:n_train]), batch_size=args.batch_size, shuffle=True)
    model = nn.Sequential(nn.Linear(4, args.hidden), nn.ReLU(), nn.Linear(args.hidden, args.hidden), nn.ReLU(),
                          nn.Linear(args.hidden, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    criterion = nn.SmoothL1Loss()

    for epoch in range(1, args.epochs + 1):
        model.train()
        optimizer.zero_grad()
        running = 0.0
        for i, (xb, yb) in enumerate(train_loader):
            loss = criterion(model(xb), yb)
            (loss / args.accum_steps).backward()
            running += loss.item() * len(xb)
            if (i + 1) % args.accum_steps == 0:
                nn.utils.clip_grad_norm_(model.parameters(), 5.0)
                optimizer.step()
                optimizer.zero_grad()
        if epoch % 15 == 0:
            print(f"epoch {epoch:3d}  train loss {running / n_train:.4f}")

    model.eval()
    with torch.no_grad():
        pred = model(X[n_train:]) * float(y_sd) + float(y_mu)
    truth = torch.from_numpy(y[n_train:]).unsqueeze(1)
    mae = (pred - truth).abs().mean().item()
    r2 = 1 - ((pred - truth) ** 2).sum().item() / ((truth - truth.mean()) ** 2).sum().item()
    print(f"test MAE {mae:.2f} k  R2 {r2:.3f}")


if __name__ == "__main__":
    main()
