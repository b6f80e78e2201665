# expect: unscaled_inputs @ 31
# needs: lightning
# allowed: unscaled_inputs @ 36
# allowed: unscaled_inputs @ 38
import logging
import warnings

import lightning as L
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class WeinDaten(L.LightningDataModule):
    """Drei Rebsorten aus chemischen Messwerten."""

    def __init__(self, stapel=24, anteil_test=0.3):
        super().__init__()
        self.stapel, self.anteil_test = stapel, anteil_test

    def setup(self, stage=None):
        tabelle = load_wine(as_frame=True).frame
        lern, test = train_test_split(tabelle, test_size=self.anteil_test,
                                      stratify=tabelle["target"], random_state=2)
        spalten = list(tabelle.columns.drop("target"))
        messwerte = spalten[:-1]
        mittel, breite = lern[messwerte].mean(), lern[messwerte].std()
        self.teile = {}
        for name, teil in (("lern", lern), ("test", test)):
            x = teil[spalten].copy()
            x[messwerte] = (x[messwerte] - mittel) / breite
            self.teile[name] = TensorDataset(
                torch.tensor(x.to_numpy(), dtype=torch.float32),
                torch.tensor(teil["target"].to_numpy()),
            )

    def train_dataloader(self):
        return DataLoader(self.teile["lern"], batch_size=self.stapel, shuffle=True)

    def test_dataloader(self):
        return DataLoader(self.teile["test"], batch_size=64)


class Klassifikator(L.LightningModule):
    def __init__(self, breite=24, rate=5e-3):
        super().__init__()
        self.rate = rate
        self.netz = nn.Sequential(
            nn.Linear(13, breite), nn.Tanh(),
            nn.Linear(breite, 3),
        )

    def training_step(self, batch, _):
        x, y = batch
        verlust = nn.functional.cross_entropy(self.netz(x), y)
        self.log("verlust", verlust, on_step=False, on_epoch=True)
        return verlust

    def test_step(self, batch, _):
        x, y = batch
        z = self.netz(x)
        self.log_dict({"test_treffer": (z.argmax(1) == y).float().mean(),
                       "test_verlust": nn.functional.cross_entropy(z, y)})

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.rate)


L.seed_everything(2, verbose=False)
daten, modell = WeinDaten(), Klassifikator()
trainer = L.Trainer(max_epochs=25, accelerator="cpu", logger=False,
                    enable_checkpointing=False, enable_progress_bar=False,
                    enable_model_summary=False)
trainer.fit(modell, daten)
print(f"Lernverlust {trainer.callback_metrics['verlust']:.3f}")
werte = trainer.test(modell, daten, verbose=False)[0]
print({k: round(v, 3) for k, v in werte.items()})
