# expect: seed_reset_each_epoch @ 52
# allowed: seed_reset_each_epoch @ 53
# allowed: seed_reset_each_epoch @ 54
# allowed: seed_reset_each_epoch @ 90
"""Gasgemisch aus einem Sensorarray schätzen (Regression), Curriculum: erst saubere, dann verrauschte Messungen."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset


@dataclass(frozen=True)
class Config:
    n_train: int = 900
    n_val: int = 200
    n_sensors: int = 10
    epochs: int = 10
    batch_size: int = 32
    lr: float = 3e-3
    seed: int = 2024


def measure(cfg):
    rng = np.random.default_rng(cfg.seed)
    n = cfg.n_train + cfg.n_val
    conc = rng.uniform(0, 1, (n, 2))
    gain = rng.normal(0, 1, (2, cfg.n_sensors))
    noise_level = rng.uniform(0.02, 0.3, n)
    signal = np.log1p(np.exp(conc @ gain)) + 0.3 * np.sqrt(conc[:, :1] * conc[:, 1:])
    signal = signal + noise_level[:, None] * rng.normal(size=signal.shape)
    cut = cfg.n_train
    mu, sd = signal[:cut].mean(0), signal[:cut].std(0)
    x = torch.tensor((signal - mu) / sd, dtype=torch.float32)
    y = torch.tensor(conc, dtype=torch.float32)
    return TensorDataset(x[:cut], y[:cut]), TensorDataset(x[cut:], y[cut:]), noise_level[:cut]


class Curriculum:
    """Gives for each epoch a loader over the cleanest share of the training rows."""

    def __init__(self, dataset, difficulty, cfg):
        self.dataset, self.cfg = dataset, cfg
        self.order = np.argsort(difficulty)

    def share(self, epoch):
        return min(1.0, 0.5 + 0.5 * epoch / (self.cfg.epochs // 3))

    def loader(self, epoch):
        keep = self.order[: int(len(self.order) * self.share(epoch))]
        gen = torch.Generator().manual_seed(self.cfg.seed)
        return DataLoader(Subset(self.dataset, keep.tolist()), batch_size=self.cfg.batch_size,
                          shuffle=True, generator=gen, drop_last=True)


class GasNet(nn.Module):
    def __init__(self, n_in, width=48):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_in, width), nn.BatchNorm1d(width), nn.LeakyReLU(),
            nn.Linear(width, width), nn.LeakyReLU(), nn.Linear(width, 2),
        )

    def forward(self, x):
        return self.layers(x)

    def training_step(self, batch):
        x, y = batch
        return nn.functional.smooth_l1_loss(self(x), y, beta=0.1)

    @torch.no_grad()
    def validate(self, loader):
        self.eval()
        err = [(self(x) - y).abs().mean(dim=1) for x, y in loader]
        return torch.cat(err).mean().item()


def main(cfg=Config()):
    torch.manual_seed(cfg.seed)
    train_set, val_set, difficulty = measure(cfg)
    curriculum = Curriculum(train_set, difficulty, cfg)
    val_loader = DataLoader(val_set, batch_size=100)
    net = GasNet(cfg.n_sensors)
    optimizer = torch.optim.Adam(net.parameters(), lr=cfg.lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=cfg.epochs)
    for epoch in range(cfg.epochs):
        net.train()
        running, batches = 0.0, 0
        for batch in curriculum.loader(epoch):
            optimizer.zero_grad()
            loss = net.training_step(batch)
            loss.backward()
            optimizer.step()
            running, batches = running + loss.item(), batches + 1
        scheduler.step()
        print(f"Epoche {epoch}: Anteil {curriculum.share(epoch):.2f}  Verlust {running / batches:.4f}  MAE val {net.validate(val_loader):.4f}")


if __name__ == "__main__":
    main()
