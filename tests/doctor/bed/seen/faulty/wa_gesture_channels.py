# expect: scaler_leakage @ 95
# allowed: scaler_leakage @ 94
# allowed: scaler_leakage @ 96
"""
Gesture recognition from a wearable: 8 time steps x 500 channels, few recordings.
First keep the channels that separate the gestures best, then run a GRU over them.
"""
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn as nn
from sklearn.feature_selection import f_classif
from sklearn.model_selection import StratifiedShuffleSplit


@dataclass
class Settings:
    n_recordings: int = 160
    n_steps: int = 8
    n_channels: int = 500
    keep: int = 20
    hidden: int = 24
    epochs: int = 16
    lr: float = 3e-3
    weight_decay: float = 1e-3
    seeds: list = field(default_factory=lambda: [0, 1])


def record(cfg, seed):
    """Only three channels carry a (weak) trace of the gesture; every channel has its own gain."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(cfg.n_recordings) % 2)
    x = rng.normal(size=(cfg.n_recordings, cfg.n_steps, cfg.n_channels))
    x += rng.normal(0, 0.6, size=(cfg.n_recordings, 1, cfg.n_channels))
    x[:, :, :3] += 0.3 * (2 * y[:, None, None] - 1)
    return (x * rng.uniform(0.5, 3.0, cfg.n_channels)).astype(np.float32), y


class Preparation:
    """Channel choice and standardisation."""

    def __init__(self, keep):
        self.keep = keep

    def fit(self, x, y):
        score, _ = f_classif(x.mean(axis=1), y)
        self.channels = np.sort(np.argsort(score)[-self.keep:])
        chosen = x[:, :, self.channels]
        self.mean = chosen.mean(axis=(0, 1))
        self.std = chosen.std(axis=(0, 1))
        return self

    def transform(self, x):
        return torch.from_numpy((x[:, :, self.channels] - self.mean) / self.std)


class GestureGRU(nn.Module):
    def __init__(self, n_in, hidden):
        super().__init__()
        self.gru = nn.GRU(n_in, hidden, batch_first=True)
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(hidden, 2)

    def forward(self, x):
        h, _ = self.gru(x)
        return self.out(self.drop(h.mean(dim=1)))


def train(net, x, y, cfg):
    opt = torch.optim.AdamW(net.parameters(), lr=cfg.lr, weight_decay=cfg.weight_decay)
    for _ in range(cfg.epochs):
        net.train()
        epoch_loss = 0.0
        for idx in torch.randperm(len(x)).split(16):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
            epoch_loss += loss.item() * len(idx)
    return epoch_loss / len(x)


@torch.no_grad()
def score(net, x, y):
    net.eval()
    return (net(x).argmax(dim=1) == y).float().mean().item()


def run(cfg, seed):
    torch.manual_seed(seed)
    x, y = record(cfg, seed)
    splitter = StratifiedShuffleSplit(n_splits=1, test_size=0.3, random_state=seed)
    tr, te = next(splitter.split(x, y))
    prep = Preparation(cfg.keep).fit(x, y)
    x_tr, x_te = prep.transform(x[tr]), prep.transform(x[te])
    y_tr, y_te = torch.from_numpy(y[tr]), torch.from_numpy(y[te])
    net = GestureGRU(cfg.keep, cfg.hidden)
    last = train(net, x_tr, y_tr, cfg)
    acc = score(net, x_te, y_te)
    print(f"seed {seed}: last training loss {last:.3f}, accuracy on held-out recordings {acc:.3f}")
    return acc


if __name__ == "__main__":
    cfg = Settings()
    accs = [run(cfg, s) for s in cfg.seeds]
    print(f"mean {np.mean(accs):.3f} +- {np.std(accs):.3f}")
