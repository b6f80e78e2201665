# expect: nothing
#!/usr/bin/env python3
"""Compact image classification training loop with mixup, warmup-cosine schedule and weight EMA."""
import copy
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

EPOCHS, WARMUP, LR, BATCH = 9, 2, 4e-3, 64
MIXUP_ALPHA, SMOOTHING, EMA_DECAY = 0.2, 0.1, 0.98


class ResBlock(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.short = nn.Identity() if stride == 1 and cin == cout else nn.Conv2d(cin, cout, 1, stride=stride)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.short(x))


def create_model(num_classes):
    return nn.Sequential(ResBlock(1, 8, 1), ResBlock(8, 16, 2), ResBlock(16, 32, 2),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, num_classes))


class ModelEma:
    def __init__(self, model, decay):
        self.module = copy.deepcopy(model).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, model):
        for e, m in zip(self.module.state_dict().values(), model.state_dict().values()):
            if e.dtype.is_floating_point:
                e.mul_(self.decay).add_(m, alpha=1 - self.decay)
            else:
                e.copy_(m)


def mixup(x, y, num_classes):
    lam = float(np.random.beta(MIXUP_ALPHA, MIXUP_ALPHA))
    perm = torch.randperm(len(x))
    off = SMOOTHING / num_classes
    t = F.one_hot(y, num_classes).float() * (1 - SMOOTHING) + off
    return lam * x + (1 - lam) * x[perm], lam * t + (1 - lam) * t[perm]


def train_one_epoch(model, loader, optimizer, scheduler, ema):
    model.train()
    total = 0.0
    for x, y in loader:
        x, t = mixup(x, y, 10)
        loss = F.cross_entropy(model(x), t)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        scheduler.step()
        ema.update(model)
        total += loss.item() * len(x)
    return total / len(loader.dataset)


@torch.inference_mode()
def validate(model, loader):
    model.eval()
    top1 = top3 = 0
    for x, y in loader:
        rank = model(x).topk(3, dim=1).indices
        hit = rank == y[:, None]
        top1 += hit[:, 0].sum().item()
        top3 += hit.any(dim=1).sum().item()
    n = len(loader.dataset)
    return 100 * top1 / n, 100 * top3 / n


def main():
    torch.manual_seed(42)
    np.random.seed(42)
    d = load_digits()
    xtr, xva, ytr, yva = train_test_split(d.images, d.target, test_size=0.25, stratify=d.target, random_state=42)
    mean, std = xtr.mean(), xtr.std()

    def dataset(x, y):
        return TensorDataset(torch.tensor((x - mean) / std, dtype=torch.float32)[:, None], torch.tensor(y))

    loader_train = DataLoader(dataset(xtr, ytr), batch_size=BATCH, shuffle=True)
    loader_eval = DataLoader(dataset(xva, yva), batch_size=225)
    model = create_model(10)
    ema = ModelEma(model, EMA_DECAY)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.02)
    total, warm = EPOCHS * len(loader_train), WARMUP * len(loader_train)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: (s + 1) / warm if s < warm else 0.5 * (1 + math.cos(math.pi * (s - warm) / (total - warm))))
    for epoch in range(EPOCHS):
        loss = train_one_epoch(model, loader_train, optimizer, scheduler, ema)
        if epoch % 3 == 2:
            print(f"Train: {epoch:2d} loss {loss:.4f} lr {optimizer.param_groups[0]['lr']:.2e}")
    print("model  acc@1 %.2f acc@3 %.2f" % validate(model, loader_eval))
    print("ema    acc@1 %.2f acc@3 %.2f" % validate(ema.module, loader_eval))


if __name__ == "__main__":
    main()
