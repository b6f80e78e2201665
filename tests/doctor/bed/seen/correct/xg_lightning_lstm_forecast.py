# expect: nothing
# needs: lightning
# Vorhersage einer Temperaturreihe mit LSTM, LightningModule und DataModule
import logging
import warnings

import lightning as L
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class TemperaturDaten(L.LightningDataModule):
    def __init__(self, rueckblick=20, batch_size=50):
        super().__init__()
        self.rueckblick, self.batch_size = rueckblick, batch_size

    def setup(self, stage=None):
        rng = np.random.default_rng(9)
        t = np.arange(1800)
        rauschen = np.zeros(len(t))
        for i in range(1, len(t)):
            rauschen[i] = 0.7 * rauschen[i - 1] + rng.normal(0, 0.6)
        reihe = 12 + 6 * np.sin(2 * np.pi * t / 24) + 3 * np.sin(2 * np.pi * t / 73) + rauschen
        teile = reihe[:1100], reihe[1100:1450], reihe[1450:]
        self.mittel, self.streuung = float(teile[0].mean()), float(teile[0].std())
        self.train, self.val, self.test = (self._fenster((s - self.mittel) / self.streuung) for s in teile)

    def _fenster(self, s):
        k = self.rueckblick
        x = np.stack([s[i:i + k] for i in range(len(s) - k)])
        return TensorDataset(torch.tensor(x, dtype=torch.float32).unsqueeze(-1),
                             torch.tensor(s[k:], dtype=torch.float32))

    def train_dataloader(self):
        return DataLoader(self.train, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val, batch_size=200)

    def test_dataloader(self):
        return DataLoader(self.test, batch_size=200)


class Vorhersage(L.LightningModule):
    def __init__(self, breite=24, lr=5e-3):
        super().__init__()
        self.save_hyperparameters()
        self.lstm = nn.LSTM(1, breite, batch_first=True)
        self.kopf = nn.Linear(breite, 1)
        self.verlust = nn.MSELoss()

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.kopf(out[:, -1]).squeeze(-1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = self.verlust(self(x), y)
        self.log("train_mse", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_mse", self.verlust(self(x), y))

    def test_step(self, batch, batch_idx):
        x, y = batch
        self.log("test_mse", self.verlust(self(x), y))
        self.log("naiv_mse", self.verlust(x[:, -1, 0], y))

    def configure_optimizers(self):
        opt = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
        plan = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=self.trainer.max_epochs)
        return {"optimizer": opt, "lr_scheduler": {"scheduler": plan, "interval": "epoch"}}


if __name__ == "__main__":
    L.seed_everything(9, verbose=False)
    daten = TemperaturDaten()
    modell = Vorhersage()
    trainer = L.Trainer(max_epochs=5, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False,
                        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0)
    trainer.fit(modell, datamodule=daten)
    print("Validierung MSE", round(trainer.callback_metrics["val_mse"].item(), 4))
    werte = trainer.test(modell, datamodule=daten, verbose=False)[0]
    print({k: round(v, 4) for k, v in werte.items()})
