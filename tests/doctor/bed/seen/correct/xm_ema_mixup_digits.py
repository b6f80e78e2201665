# expect: nothing
"""Kleines Trainingsskript im timm-Stil: Mixup, EMA der Gewichte, Warmup + Cosinus pro Schritt."""
import copy
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

cfg = dict(seed=99, epochs=11, batch=64, lr=4e-3, warmup_lr=1e-4, min_lr=1e-5, warmup_epochs=2,
           wd=0.05, smoothing=0.1, mixup=0.2, ema_decay=0.97, drop_path=0.1)


class DropPath(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if self.p == 0.0 or not self.training:
            return x
        keep = 1 - self.p
        return x * x.new_empty((x.shape[0], 1, 1)).bernoulli_(keep) / keep


class MixerBlock(nn.Module):
    def __init__(self, tokens, dim, drop_path):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.token_mlp = nn.Sequential(nn.Linear(tokens, 32), nn.GELU(), nn.Linear(32, tokens))
        self.channel_mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))
        self.drop_path = DropPath(drop_path)

    def forward(self, x):
        x = x + self.drop_path(self.token_mlp(self.norm1(x).transpose(1, 2)).transpose(1, 2))
        return x + self.drop_path(self.channel_mlp(self.norm2(x)))


class Mixer(nn.Module):
    def __init__(self, dim=48, depth=2, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(1, dim, kernel_size=2, stride=2)
        self.blocks = nn.Sequential(*[MixerBlock(16, dim, cfg["drop_path"]) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        x = self.stem(x).flatten(2).transpose(1, 2)
        return self.head(self.norm(self.blocks(x)).mean(dim=1))


class ModelEma:
    def __init__(self, model, decay):
        self.module = copy.deepcopy(model).eval()
        self.decay = decay
        for p in self.module.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for e, p in zip(self.module.state_dict().values(), model.state_dict().values()):
            e.mul_(self.decay).add_(p, alpha=1 - self.decay)


def mixup(x, y, alpha, classes=10):
    soft = F.one_hot(y, classes).float()
    soft = soft * (1 - cfg["smoothing"]) + cfg["smoothing"] / classes
    lam = torch.distributions.Beta(alpha, alpha).sample()
    return lam * x + (1 - lam) * x.flip(0), lam * soft + (1 - lam) * soft.flip(0)


def lr_at(step, per_epoch):
    warm, total = cfg["warmup_epochs"] * per_epoch, cfg["epochs"] * per_epoch
    if step < warm:
        return cfg["warmup_lr"] + (cfg["lr"] - cfg["warmup_lr"]) * step / warm
    return cfg["min_lr"] + 0.5 * (cfg["lr"] - cfg["min_lr"]) * (1 + math.cos(math.pi * (step - warm) / (total - warm)))


@torch.no_grad()
def validate(model, x, y):
    model.eval()
    logits = model(x)
    return F.cross_entropy(logits, y).item(), 100 * (logits.argmax(dim=1) == y).float().mean().item()


def main():
    torch.manual_seed(cfg["seed"])
    d = load_digits()
    x, y = torch.tensor(d.images, dtype=torch.float32)[:, None] / 16, torch.tensor(d.target)
    idx, te = train_test_split(torch.arange(len(y)), test_size=360, stratify=y, random_state=0)
    tr, va = train_test_split(idx, test_size=240, stratify=y[idx], random_state=0)
    mean, std = x[tr].mean(), x[tr].std()
    x = (x - mean) / std

    model = Mixer()
    ema = ModelEma(model, cfg["ema_decay"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg["warmup_lr"], weight_decay=cfg["wd"])
    per_epoch, step = len(tr) // cfg["batch"], 0
    for epoch in range(cfg["epochs"]):
        model.train()
        mittel = 0.0
        order = tr[torch.randperm(len(tr))]
        for b in range(per_epoch):
            ids = order[b * cfg["batch"]:(b + 1) * cfg["batch"]]
            for g in optimizer.param_groups:
                g["lr"] = lr_at(step, per_epoch)
            xb, yb = mixup(x[ids], y[ids], cfg["mixup"])
            loss = torch.sum(-yb * F.log_softmax(model(xb), dim=-1), dim=-1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            ema.update(model)
            mittel += loss.item() / per_epoch
            step += 1
        if epoch % 3 == 1:
            (_, roh), (_, geglaettet) = validate(model, x[va], y[va]), validate(ema.module, x[va], y[va])
            print(f"Epoche {epoch:2d}: Verlust {mittel:.3f}  val Top-1 {roh:.2f}  EMA {geglaettet:.2f}  lr {optimizer.param_groups[0]['lr']:.2e}")
    print("Test (EMA): Verlust {:.4f}, Top-1 {:.2f} %".format(*validate(ema.module, x[te], y[te])))


if __name__ == "__main__":
    main()
