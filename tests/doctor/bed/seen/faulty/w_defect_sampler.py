# expect: class_imbalance @ 35
# allowed: class_imbalance @ 70
"""Weld seams from four sensors over time: sound, porous, cracked. A weighted sampler and a 1-d convolution."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

CLASSES = ["sound", "porous", "cracked"]


def weld(kind, rng, length=40):
    t = np.arange(length)
    base = np.stack([np.sin(0.3 * t + rng.uniform(0, 6.28)) for _ in range(4)])
    s = 0.5 * base + 0.6 * rng.normal(size=(4, length))
    at = rng.integers(6, length - 8)
    if kind == 1:
        s[1] += 0.7 * np.sin(1.6 * t)
    elif kind == 2:
        s[2, at:at + 5] += 1.3
        s[3, at:at + 5] -= 1.1
    return s


def make_split(counts, seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(3), counts))
    x = np.stack([weld(k, rng) for k in y])
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


def balanced_sampler(labels, generator):
    counts = torch.bincount(labels, minlength=len(CLASSES)).float()
    per_class = counts / counts.sum()
    return WeightedRandomSampler(per_class[labels], num_samples=len(labels), replacement=True, generator=generator)


class SeamNet(nn.Module):
    def __init__(self, channels=4, width=16):
        super().__init__()
        self.c1 = nn.Conv1d(channels, width, 5, padding=2)
        self.c2 = nn.Conv1d(width, 2 * width, 5, padding=2)
        self.out = nn.Linear(2 * width, len(CLASSES))

    def forward(self, x):
        h = F.max_pool1d(F.relu(self.c1(x)), 2)
        h = F.relu(self.c2(h))
        return self.out(h.amax(dim=-1))


def recalls(net, x, y):
    net.eval()
    with torch.inference_mode():
        guess = net(x).argmax(dim=1)
    table = torch.zeros(3, 3, dtype=torch.long)
    table.index_put_((y, guess), torch.ones_like(y), accumulate=True)
    return table, table.diag() / table.sum(dim=1)


def main():
    torch.manual_seed(23)
    xtr, ytr = make_split([900, 130, 60], seed=1)
    xte, yte = make_split([450, 65, 40], seed=2)
    mean = xtr.mean(dim=(0, 2), keepdim=True)
    std = xtr.std(dim=(0, 2), keepdim=True)
    xtr, xte = (xtr - mean) / std, (xte - mean) / std

    sampler = balanced_sampler(ytr, torch.Generator().manual_seed(23))
    loader = DataLoader(TensorDataset(xtr, ytr), batch_size=32, sampler=sampler)
    net = SeamNet()
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    for epoch in range(1, 13):
        net.train()
        losses = []
        for x, y in loader:
            loss = F.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 4 == 0:
            print(f"epoch {epoch:2d}  loss {np.mean(losses):.4f}")
    table, recall = recalls(net, xte, yte)
    for name, row, r in zip(CLASSES, table.tolist(), recall.tolist()):
        print(f"{name:8s} {row}  recall {r:.2f}")
    print(f"balanced accuracy {recall.mean().item():.3f}")


if __name__ == "__main__":
    main()
