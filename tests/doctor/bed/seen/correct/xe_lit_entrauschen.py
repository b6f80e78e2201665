# expect: nothing
# needs: lightning
"""Entrauschender Autoencoder: das Rauschen ist die Aufgabe, im Test ist es einmal fest gezogen."""
import logging
import warnings

import lightning as L
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")
STAERKE = 0.35


class Rauschpaare(Dataset):
    """Liefert (verrauscht, sauber). Mit fester Saat ist das Rauschen für jede Zeile immer gleich."""

    def __init__(self, bilder, saat=None):
        self.bilder = bilder
        self.fest = None
        if saat is not None:
            g = torch.Generator().manual_seed(saat)
            self.fest = torch.randn(bilder.shape, generator=g)

    def __len__(self):
        return len(self.bilder)

    def __getitem__(self, i):
        sauber = self.bilder[i]
        rausch = torch.randn_like(sauber) if self.fest is None else self.fest[i]
        return sauber + STAERKE * rausch, sauber


class Entrauscher(L.LightningModule):
    def __init__(self, eng=24):
        super().__init__()
        self.automatic_optimization = False
        self.hin = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, eng), nn.ReLU())
        self.zurueck = nn.Sequential(nn.Linear(eng, 96), nn.ReLU(), nn.Linear(96, 64))

    def forward(self, x):
        return torch.sigmoid(self.zurueck(self.hin(x)))

    def training_step(self, paar, _):
        verrauscht, sauber = paar
        verlust = F.binary_cross_entropy(self(verrauscht), sauber)
        for opt in self.optimizers():
            opt.zero_grad()
        self.manual_backward(verlust)
        for opt in self.optimizers():
            opt.step()

    def test_step(self, paar, _):
        verrauscht, sauber = paar
        n = len(sauber)
        self.log("eqf_netz", F.mse_loss(self(verrauscht), sauber), batch_size=n)
        self.log("eqf_roh", F.mse_loss(verrauscht.clamp(0, 1), sauber), batch_size=n)

    def configure_optimizers(self):
        return [
            torch.optim.Adam(self.hin.parameters(), lr=2e-3),
            torch.optim.Adam(self.zurueck.parameters(), lr=2e-3),
        ]


L.seed_everything(9, verbose=False)
bilder = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
lern, test = train_test_split(bilder, test_size=0.25, random_state=9)
trainer = L.Trainer(
    max_epochs=12, accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False,
)
netz = Entrauscher()
trainer.fit(netz, DataLoader(Rauschpaare(lern), batch_size=64, shuffle=True))
werte = trainer.test(netz, DataLoader(Rauschpaare(test, saat=123), batch_size=128), verbose=False)[0]
print(f"Test: EQF roh {werte['eqf_roh']:.4f}, entrauscht {werte['eqf_netz']:.4f}")
