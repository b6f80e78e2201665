# expect: scheduler_misuse @ 42
# allowed: scheduler_misuse @ 43
# mend: 42 →     steps = hp.epochs * updates_per_epoch(loader)
"""Wine cultivars by a small residual net, with accumulated gradients and a one-cycle schedule."""
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset

hp = SimpleNamespace(epochs=12, micro_batch=4, accumulate=4, max_lr=4e-3, width=16, seed=1)


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc = nn.Linear(width, width)

    def forward(self, x):
        return x + F.relu(self.fc(self.norm(x)))


def load():
    x, y = load_wine(return_X_y=True)
    xtr, xte, ytr, yte = train_test_split(x, y, test_size=0.3, stratify=y, random_state=hp.seed)
    mu, sd = xtr.mean(0), xtr.std(0)
    pack = lambda a, b: TensorDataset(torch.tensor((a - mu) / sd, dtype=torch.float32), torch.tensor(b))
    return pack(xtr, ytr), pack(xte, yte)


def updates_per_epoch(loader):
    return -(-len(loader) // hp.accumulate)


def fit(model, loader):
    optimizer = torch.optim.AdamW(model.parameters(), lr=hp.max_lr, weight_decay=1e-2)
    steps = hp.epochs * len(loader)
    schedule = OneCycleLR(optimizer, max_lr=hp.max_lr, total_steps=steps, pct_start=0.3)
    for epoch in range(1, hp.epochs + 1):
        model.train()
        total, seen, n_updates = 0.0, 0, 0
        optimizer.zero_grad()
        for i, (x, y) in enumerate(loader, start=1):
            group = min(hp.accumulate, len(loader) - (i - 1) // hp.accumulate * hp.accumulate)
            loss = F.cross_entropy(model(x), y)
            (loss / group).backward()
            total, seen = total + loss.item() * len(y), seen + len(y)
            if i % hp.accumulate == 0 or i == len(loader):
                nn.utils.clip_grad_norm_(model.parameters(), 5.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                n_updates += 1
        assert n_updates == updates_per_epoch(loader)
        if epoch % 3 == 0:
            print(f"epoch {epoch:2d}  loss {total / seen:.4f}  lr {optimizer.param_groups[0]['lr']:.2e}")


@torch.no_grad()
def score(model, data):
    model.eval()
    x, y = data.tensors
    return (model(x).argmax(dim=1) == y).float().mean().item()


def main():
    torch.manual_seed(hp.seed)
    train_set, test_set = load()
    loader = DataLoader(train_set, batch_size=hp.micro_batch, shuffle=True)
    model = nn.Sequential(nn.Linear(13, hp.width), Residual(hp.width), nn.Linear(hp.width, 3))
    fit(model, loader)
    print(f"test accuracy {score(model, test_set):.3f}")


if __name__ == "__main__":
    main()
