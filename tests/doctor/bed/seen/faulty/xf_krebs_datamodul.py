# expect: test_in_train @ 36
# needs: lightning
# allowed: test_in_train @ 82
# allowed: test_in_train @ 83
"""Klassifikation mit einem DataModule (Lightning): Brustkrebsdaten, verrauschte Etiketten."""
import logging
import warnings

import lightning as L
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class KrebsDaten(L.LightningDataModule):
    def __init__(self, anteil=0.3, stapel=32, rauschen=0.15):
        super().__init__()
        self.anteil, self.stapel, self.rauschen = anteil, stapel, rauschen
        self.x = self.y = None

    def prepare_data(self):
        if self.x is not None:
            return
        roh = load_breast_cancer()
        self.x = torch.tensor(roh.data, dtype=torch.float32)
        y = torch.tensor(roh.target)
        self.y = torch.where(torch.rand(len(y)) < self.rauschen, 1 - y, y)

    def setup(self, stage):
        n = len(self.x)
        grenze = int(n * self.anteil)
        folge = torch.randperm(n)
        pruef, lern = folge[:grenze], folge[grenze:]
        if stage == "fit":
            self.mitte, self.streu = self.x[lern].mean(0), self.x[lern].std(0)
        alles = TensorDataset((self.x - self.mitte) / self.streu, self.y)
        self.lern, self.pruef = Subset(alles, lern.tolist()), Subset(alles, pruef.tolist())

    def train_dataloader(self):
        return DataLoader(self.lern, batch_size=self.stapel, shuffle=True)

    def test_dataloader(self):
        return DataLoader(self.pruef, batch_size=256)


class Modell(L.LightningModule):
    def __init__(self, breit=128, rate=2e-3):
        super().__init__()
        self.rate = rate
        self.netz = nn.Sequential(
            nn.Linear(30, breit), nn.ReLU(), nn.Linear(breit, breit), nn.ReLU(), nn.Linear(breit, 2)
        )
        self.lernverlust = []
        self.treffer = self.gesehen = 0

    def training_step(self, batch, batch_idx):
        x, y = batch
        verlust = nn.functional.cross_entropy(self.netz(x), y)
        self.lernverlust.append(verlust.item())
        return verlust

    def test_step(self, batch, batch_idx):
        x, y = batch
        self.treffer += (self.netz(x).argmax(1) == y).sum().item()
        self.gesehen += len(y)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.rate)


def main():
    L.seed_everything(31, verbose=False)
    daten, modell = KrebsDaten(), Modell()
    trainer = L.Trainer(
        max_epochs=25, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )
    trainer.fit(modell, datamodule=daten)
    trainer.test(modell, datamodule=daten, verbose=False)
    letzte = modell.lernverlust[-12:]
    print(f"Lernverlust zuletzt {sum(letzte) / len(letzte):.4f}")
    print(f"Test: {modell.treffer / modell.gesehen:.3f} von {modell.gesehen} Zeilen")


if __name__ == "__main__":
    main()
