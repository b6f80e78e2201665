# expect: seed_reset_each_epoch @ 54
"""Denoising autoencoder for the spectra of pumps; the bottleneck feeds a nearest-centroid check of the pump type."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass(frozen=True)
class Settings:
    seed: int = 17
    bins: int = 40
    code: int = 6
    noise: float = 0.5
    epochs: int = 15
    batch: int = 50
    lr: float = 3e-3


def spectra(n, bins, seed):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, n)
    axis = np.arange(bins)
    centre = np.array([8, 15, 24, 32])[kind] + rng.normal(0, 0.8, n)
    peak = np.exp(-0.5 * ((axis - centre[:, None]) / 2.0) ** 2)
    side = 0.5 * np.exp(-0.5 * ((axis - (bins - centre)[:, None]) / 3.0) ** 2)
    return (peak + side + rng.normal(0, 0.05, (n, bins))).astype("float32"), kind


class Denoiser(nn.Module):
    def __init__(self, bins, code):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(bins, 64), nn.Tanh(), nn.Linear(64, code))
        self.decode = nn.Sequential(nn.Linear(code, 64), nn.Tanh(), nn.Linear(64, bins))

    def forward(self, x):
        return self.decode(self.encode(x))


class Experiment:
    def __init__(self, cfg):
        self.cfg = cfg
        torch.manual_seed(cfg.seed)
        x, self.kind = spectra(1000, cfg.bins, cfg.seed)
        x_test, self.kind_test = spectra(300, cfg.bins, cfg.seed + 1)
        mean, std = x.mean(0), x.std(0)
        self.x, self.x_test = torch.tensor((x - mean) / std), torch.tensor((x_test - mean) / std)
        self.net = Denoiser(cfg.bins, cfg.code)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=cfg.lr)

    def batches(self, epoch):
        source = torch.Generator().manual_seed(self.cfg.seed)
        loader = DataLoader(TensorDataset(self.x), self.cfg.batch, shuffle=True, generator=source)
        for (clean,) in loader:
            yield clean + self.cfg.noise * torch.randn(clean.shape, generator=source), clean

    def train(self):
        for epoch in range(self.cfg.epochs):
            losses = []
            for noisy, clean in self.batches(epoch):
                loss = nn.functional.mse_loss(self.net(noisy), clean)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                losses.append(loss.item())
            if epoch % 5 == 4:
                print(f"epoch {epoch + 1}: reconstruction {np.mean(losses):.4f}")

    @torch.no_grad()
    def report(self):
        self.net.eval()
        code, code_test = self.net.encode(self.x).numpy(), self.net.encode(self.x_test).numpy()
        centres = np.stack([code[self.kind == k].mean(0) for k in range(4)])
        nearest = ((code_test[:, None] - centres) ** 2).sum(-1).argmin(1)
        error = nn.functional.mse_loss(self.net(self.x_test), self.x_test).item()
        print(f"test reconstruction {error:.4f}, pump type right {np.mean(nearest == self.kind_test):.3f}")


if __name__ == "__main__":
    experiment = Experiment(Settings())
    experiment.train()
    experiment.report()
