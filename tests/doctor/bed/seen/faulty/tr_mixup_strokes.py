# expect: metric_wrong_axis @ 57
"""Mixup training of a small conv net on 8x8 handwritten digits, command-line style."""
import argparse

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def get_args(argv=None):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--batch-size", type=int, default=64)
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--alpha", type=float, default=0.2, help="mixup Beta(alpha, alpha)")
    p.add_argument("--smoothing", type=float, default=0.05)
    p.add_argument("--seed", type=int, default=17)
    return p.parse_args(argv)


def prepare(seed):
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 8.0 - 1.0
    y = F.one_hot(torch.tensor(digits.target), 10).float()
    tr, te = train_test_split(np.arange(len(x)), test_size=0.25, random_state=seed, stratify=digits.target)
    return (x[tr], y[tr]), (x[te], y[te])


def build():
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 12, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(12, 24, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(),
        torch.nn.Linear(24 * 16, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))


def minibatches(n, size, rng):
    order = torch.from_numpy(rng.permutation(n))
    for i in range(0, n, size):
        yield order[i:i + size]


def mix(x, y, alpha, rng):
    lam = float(rng.beta(alpha, alpha))
    partner = torch.from_numpy(rng.permutation(len(x)))
    return lam * x + (1 - lam) * x[partner], lam * y + (1 - lam) * y[partner]


def soft_cross_entropy(logits, targets, smoothing):
    targets = targets * (1 - smoothing) + smoothing / targets.shape[1]
    return -(targets * F.log_softmax(logits, dim=1)).sum(dim=1).mean()


def top1(logits, targets):
    """Share of rows where the net's first choice is the label's class."""
    return (logits.argmax(0) == targets.argmax(0)).float().mean().item()


def run_epoch(net, optimizer, data, args, rng):
    net.train()
    x, y = data
    total = 0.0
    for idx in minibatches(len(x), args.batch_size, rng):
        xb, yb = mix(x[idx], y[idx], args.alpha, rng)
        loss = soft_cross_entropy(net(xb), yb, args.smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    return total / len(x)


@torch.inference_mode()
def report(net, data, smoothing):
    net.eval()
    x, y = data
    logits = net(x)
    return soft_cross_entropy(logits, y, smoothing).item(), top1(logits, y)


def main():
    args = get_args([])
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    train, test = prepare(args.seed)
    net = build()
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.lr, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)
    for epoch in range(args.epochs):
        loss = run_epoch(net, optimizer, train, args, rng)
        scheduler.step()
        print(f"epoch {epoch + 1:2d}  mixup loss {loss:.3f}")
    print("test loss %.3f  top-1 %.3f" % report(net, test, args.smoothing))


if __name__ == "__main__":
    main()
