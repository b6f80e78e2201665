# expect: non_finite_loss @ 47
# allowed: non_finite_loss @ 21
# allowed: non_finite_loss @ 46
# allowed: non_finite_loss @ 48
#!/usr/bin/env python
"""Supervised contrastive learning (Khosla et al. 2020) on 8x8 digits, nearest-centroid evaluation."""
import argparse

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional as F


def get_args():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--batch-size", type=int, default=100)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--tau", type=float, default=0.01)
    p.add_argument("--dim", type=int, default=16)
    p.add_argument("--seed", type=int, default=0)
    return p.parse_args()


class Encoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(),
        )
        self.head = nn.Linear(32 * 4 * 4, dim)

    def forward(self, x):
        return F.normalize(self.head(self.conv(x)), dim=1)


def supcon_loss(z, y, tau):
    """Mean over anchors of -log p(positive | anchor), averaged over that anchor's positives."""
    n = z.shape[0]
    self_mask = torch.eye(n, dtype=torch.bool, device=z.device)
    positives = ((y[:, None] == y[None, :]) & ~self_mask).float()
    sim = z @ z.T / tau
    exp_sim = torch.exp(sim) * ~self_mask
    log_p = sim - torch.log(exp_sim.sum(1, keepdim=True))
    has_pos = positives.sum(1) > 0
    per_anchor = -(positives * log_p).sum(1)[has_pos] / positives.sum(1)[has_pos]
    return per_anchor.mean()


def load(seed):
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16.0
    y = torch.tensor(digits.target)
    tr, te = train_test_split(range(len(y)), test_size=0.25, stratify=digits.target, random_state=seed)
    return (x[tr], y[tr]), (x[te], y[te])


def shift(x):
    """Random one-pixel translation of the whole batch."""
    dy, dx = torch.randint(-1, 2, (2,)).tolist()
    padded = F.pad(x, (1, 1, 1, 1))
    return padded[:, :, 1 + dy:9 + dy, 1 + dx:9 + dx]


@torch.no_grad()
def centroid_accuracy(net, train, test):
    net.eval()
    z, y = net(train[0]), train[1]
    centroids = torch.stack([z[y == c].mean(0) for c in range(10)])
    guess = (net(test[0]) @ F.normalize(centroids, dim=1).T).argmax(1)
    return (guess == test[1]).float().mean().item()


def main():
    args = get_args()
    torch.manual_seed(args.seed)
    train, test = load(args.seed)
    net = Encoder(args.dim)
    opt = torch.optim.Adam(net.parameters(), lr=args.lr)

    for epoch in range(1, args.epochs + 1):
        net.train()
        total = 0.0
        batches = torch.randperm(len(train[1])).split(args.batch_size)
        for idx in batches:
            opt.zero_grad()
            loss = supcon_loss(net(shift(train[0][idx])), train[1][idx], args.tau)
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"[{epoch:02d}/{args.epochs}] supcon {total / len(batches):.4f}")

    print(f"nearest-centroid accuracy, held-out: {centroid_accuracy(net, train, test):.3f}")


if __name__ == "__main__":
    main()
