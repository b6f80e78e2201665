# expect: lr_too_high @ 30
# needs: lightning
# allowed: lr_too_high @ 44
# allowed: lr_too_high @ 85
"""Digits: a convolutional encoder, first as part of an auto-encoder, then under a frozen-encoder classifier."""
import logging
import warnings

import lightning as L
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


def encoder():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.LeakyReLU(0.1),
        nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.LeakyReLU(0.1),
        nn.Flatten(), nn.Linear(32 * 4, 32),
    )


class Reconstruct(L.LightningModule):
    def __init__(self, lr=0.2):
        super().__init__()
        self.save_hyperparameters()
        self.enc = encoder()
        self.dec = nn.Sequential(nn.LeakyReLU(0.1), nn.Linear(32, 64))
        self.track = []

    def training_step(self, batch, _):
        x, _y = batch
        loss = F.mse_loss(self.dec(self.enc(x)), x.flatten(1))
        self.track.append(loss.item())
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


class Probe(L.LightningModule):
    def __init__(self, enc, lr=1e-2):
        super().__init__()
        self.enc = enc.eval().requires_grad_(False)
        self.head = nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 10))
        self.lr = lr
        self.track, self.hits, self.seen = [], 0, 0

    def training_step(self, batch, _):
        x, y = batch
        loss = F.cross_entropy(self.head(self.enc(x)), y)
        self.track.append(loss.item())
        return loss

    def test_step(self, batch, _):
        x, y = batch
        self.hits += (self.head(self.enc(x)).argmax(1) == y).sum().item()
        self.seen += len(y)

    def configure_optimizers(self):
        return torch.optim.Adam(self.head.parameters(), lr=self.lr)


def trainer(epochs):
    return L.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )


def main():
    L.seed_everything(19, verbose=False)
    d = load_digits()
    xa, xb, ya, yb = train_test_split(d.images / 16, d.target, test_size=0.3, stratify=d.target, random_state=5)
    prep = lambda x, y: TensorDataset(torch.tensor(x, dtype=torch.float32).unsqueeze(1), torch.tensor(y))
    train = DataLoader(prep(xa, ya), batch_size=64, shuffle=True)
    test = DataLoader(prep(xb, yb), batch_size=180)

    auto = Reconstruct()
    trainer(8).fit(auto, train)
    steps = len(train)
    for e in range(0, 8, 2):
        part = auto.track[e * steps:(e + 1) * steps]
        print(f"reconstruction, epoch {e}: mean {sum(part) / steps:.4f}  max {max(part):.4f}")

    probe = Probe(auto.enc)
    tr = trainer(6)
    tr.fit(probe, train)
    print(f"probe loss, last epoch {sum(probe.track[-steps:]) / steps:.4f}")
    tr.test(probe, test, verbose=False)
    print(f"probe accuracy on held-out digits {probe.hits / probe.seen:.3f}")


main()
