# expect: unshuffled_sorted @ 57
# allowed: unshuffled_sorted @ 48
# needs: lightning
# mend: 57 →         return DataLoader(self.train_ds, batch_size=20, shuffle=True)
# Reconnaître l'état d'une machine (5 régimes) à partir d'une courte mesure vibratoire.
import logging
import warnings

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")
L.seed_everything(3, verbose=False)

REGIMES = ["normal", "balourd", "roulement", "jeu", "frottement"]
PAR_REGIME = 260
LONGUEUR = 48


def mesurer(regime, n, rng):
    t = np.linspace(0, 1, LONGUEUR)
    f = rng.uniform(4.0, 5.0, (n, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    base = np.sin(2 * np.pi * f * t + phase)
    if regime == "balourd":
        base = 1.5 * base
    elif regime == "roulement":
        base = base + 0.6 * np.sin(2 * np.pi * 4.6 * f * t + phase)
    elif regime == "jeu":
        base = base + 0.6 * np.sin(4 * np.pi * f * t + phase)
    elif regime == "frottement":
        base = np.clip(base, -0.6, 0.6)
    return base + 0.3 * rng.standard_normal((n, LONGUEUR))


class Mesures(L.LightningDataModule):
    def setup(self, stage=None):
        rng = np.random.default_rng(0)
        blocs = [mesurer(r, PAR_REGIME, rng) for r in REGIMES]
        train = np.concatenate([b[:200] for b in blocs])
        test = np.concatenate([b[200:] for b in blocs])
        k = len(REGIMES)
        self.train_ds = self.emballer(train, np.repeat(np.arange(k), 200))
        self.test_ds = self.emballer(test, np.repeat(np.arange(k), PAR_REGIME - 200))

    @staticmethod
    def emballer(x, y):
        x = torch.tensor(x, dtype=torch.float32).unsqueeze(1)
        return TensorDataset(x, torch.tensor(y))

    def train_dataloader(self):
        return DataLoader(self.train_ds, batch_size=20)

    def test_dataloader(self):
        return DataLoader(self.test_ds, batch_size=100)


class Classeur(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.reseau = nn.Sequential(
            nn.Conv1d(1, 16, 7, padding=3), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(16, 32, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool1d(4),
            nn.Flatten(), nn.Linear(128, len(REGIMES)),
        )

    def training_step(self, lot, i):
        x, y = lot
        perte = F.cross_entropy(self.reseau(x), y)
        self.log("perte", perte, on_step=False, on_epoch=True)
        return perte

    def test_step(self, lot, i):
        x, y = lot
        sortie = self.reseau(x)
        self.log("test_perte", F.cross_entropy(sortie, y))
        self.log("test_exactitude", (sortie.argmax(1) == y).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)


if __name__ == "__main__":
    donnees, modele = Mesures(), Classeur()
    entraineur = L.Trainer(
        max_epochs=5, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )
    entraineur.fit(modele, datamodule=donnees)
    print(f"perte d'apprentissage : {entraineur.callback_metrics['perte'].item():.3f}")
    bilan = entraineur.test(modele, datamodule=donnees, verbose=False)[0]
    print(f"test : perte {bilan['test_perte']:.3f}, exactitude {bilan['test_exactitude']:.3f}")
