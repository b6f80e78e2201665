# expect: no_step @ 34
"""Handwritten digits, gradients accumulated over four small batches before each update."""
import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def parse():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=12)
    ap.add_argument("--batch", type=int, default=16)
    ap.add_argument("--accumulate", type=int, default=4)
    ap.add_argument("--lr", type=float, default=4e-3)
    return ap.parse_args()


def arrays():
    X, y = load_digits(return_X_y=True)
    a, b, c, d = train_test_split(X / 16.0, y, test_size=0.25, stratify=y, random_state=0)
    return (torch.tensor(a, dtype=torch.float32), torch.tensor(c)), (torch.tensor(b, dtype=torch.float32), torch.tensor(d))


def run_epoch(net, opt, x, y, batch, accumulate):
    net.train()
    total = 0.0
    opt.zero_grad()
    blocks = torch.randperm(len(x)).split(batch)
    for k, idx in enumerate(blocks):
        loss = nn.functional.cross_entropy(net(x[idx]), y[idx])
        (loss / accumulate).backward()
        total += loss.item()
        if k % accumulate == accumulate:
            opt.step()
            opt.zero_grad()
    return total / len(blocks)


def main():
    args = parse()
    torch.manual_seed(0)
    (x, y), (xt, yt) = arrays()
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    opt = torch.optim.Adam(net.parameters(), lr=args.lr)
    for e in range(args.epochs):
        mean_loss = run_epoch(net, opt, x, y, args.batch, args.accumulate)
        if e % 4 == 3:
            print(f"epoch {e + 1} loss {mean_loss:.4f}")
    net.eval()
    with torch.no_grad():
        print(f"test accuracy {(net(xt).argmax(1) == yt).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
