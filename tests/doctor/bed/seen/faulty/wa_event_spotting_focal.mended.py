# expect: nothing
"""Spotting of bursts in 1-d sensor traces: a point-wise Conv1d tagger trained with focal loss (RetinaNet style)."""
import argparse
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Traces(Dataset):
    """Traces of unequal length with short oscillating bursts; the label marks each burst sample."""

    def __init__(self, n, gen):
        self.items = []
        for _ in range(n):
            length = int(torch.randint(80, 121, (1,), generator=gen))
            x, y = torch.randn(length, generator=gen), torch.zeros(length)
            for _ in range(2):
                start = int(torch.randint(0, length - 20, (1,), generator=gen))
                t = torch.arange(16.0)
                x[start:start + 16] += 1.8 * torch.sin(2 * math.pi * t / 5)
                y[start:start + 16] = 1.0
            self.items.append((x, y))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        x, y = self.items[i]
        return (x - x.mean()) / x.std(), y


def pad_collate(batch):
    xs, ys = zip(*batch)
    pad = nn.utils.rnn.pad_sequence
    valid = pad([torch.ones_like(y) for y in ys], batch_first=True)
    return pad(xs, batch_first=True).unsqueeze(1), pad(ys, batch_first=True), valid


def focal_init(module, pi):
    """He weights; biases as in the focal loss paper, so that p = pi at the start."""
    for m in module.modules():
        if isinstance(m, nn.Conv1d):
            nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
            nn.init.zeros_(m.bias)
    nn.init.constant_(module.head.bias, -math.log((1 - pi) / pi))
    nn.init.normal_(module.head.weight, std=0.01)


class Tagger(nn.Module):
    def __init__(self, width, pi):
        super().__init__()
        self.c1 = nn.Conv1d(1, width, 9, padding=4)
        self.c2 = nn.Conv1d(width, width, 9, padding=4)
        self.c3 = nn.Conv1d(width, width, 5, padding=2)
        self.head = nn.Conv1d(width, 1, 1)
        focal_init(self, pi)

    def forward(self, x):
        x = F.relu(self.c1(x))
        x = F.relu(self.c2(x))
        x = F.relu(self.c3(x))
        return self.head(x).squeeze(1)


def focal_loss(logits, y, valid, gamma=1.5):
    ce = F.binary_cross_entropy_with_logits(logits, y, reduction="none")
    p_true = torch.exp(-ce)
    return (((1 - p_true) ** gamma) * ce * valid).sum() / valid.sum()


def point_f1(net, loader):
    net.eval()
    tp = fp = fn = 0.0
    with torch.no_grad():
        for x, y, valid in loader:
            hit = (net(x) > 0).float() * valid
            tp += (hit * y).sum().item()
            fp += (hit * (1 - y)).sum().item()
            fn += ((1 - hit) * y).sum().item()
    return 2 * tp / max(2 * tp + fp + fn, 1.0)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=8)
    ap.add_argument("--batch", type=int, default=16)
    ap.add_argument("--width", type=int, default=16)
    ap.add_argument("--lr", type=float, default=3e-3)
    ap.add_argument("--prior", type=float, default=0.01)
    args = ap.parse_args()

    torch.manual_seed(29)
    gen = torch.Generator().manual_seed(29)
    train = DataLoader(Traces(240, gen), args.batch, shuffle=True, collate_fn=pad_collate)
    test = DataLoader(Traces(60, gen), 30, collate_fn=pad_collate)
    net = Tagger(args.width, args.prior)
    opt = torch.optim.Adam(net.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        net.train()
        total = 0.0
        for x, y, valid in train:
            loss = focal_loss(net(x), y, valid)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch}: focal loss {total / len(train):.4f}")
    print(f"point-wise F1 on test traces {point_f1(net, test):.3f}")


if __name__ == "__main__":
    main()
