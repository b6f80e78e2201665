# needs: lightning
# expect: nothing
# looks suspicious: self.log keeps the loss of every step, and the validation runs without an eval in sight.
"""A LightningModule with validation, early stopping and a checkpoint of the best epoch in a folder."""

import logging
import tempfile
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class LitDigits(L.LightningModule):
    def __init__(self, hidden=64, lr=3e-3):
        super().__init__()
        self.save_hyperparameters()
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(64, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(0.2)
        )
        self.head = nn.Linear(hidden, 10)

    def forward(self, x):
        return self.head(self.body(x))

    def _shared(self, batch, stage):
        x, y = batch
        logits = self(x)
        loss = F.cross_entropy(logits, y)
        accuracy = (logits.argmax(dim=1) == y).float().mean()
        self.log(f"{stage}_loss", loss, on_step=False, on_epoch=True)
        self.log(f"{stage}_acc", accuracy, on_step=False, on_epoch=True)
        return loss

    def training_step(self, batch, batch_idx):
        return self._shared(batch, "train")

    def validation_step(self, batch, batch_idx):
        self._shared(batch, "val")

    def test_step(self, batch, batch_idx):
        self._shared(batch, "test")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


L.seed_everything(3, verbose=False)
digits = load_digits()
x = torch.tensor(digits.images / 16.0, dtype=torch.float32).unsqueeze(1)
y = torch.tensor(digits.target)
rest, test = train_test_split(range(len(y)), test_size=0.2, random_state=0, stratify=y)
fit, val = train_test_split(rest, test_size=0.2, random_state=0, stratify=y[rest])


def loader(rows, shuffle=False):
    return DataLoader(TensorDataset(x[rows], y[rows]), batch_size=64, shuffle=shuffle)


with tempfile.TemporaryDirectory() as folder:
    best = ModelCheckpoint(dirpath=folder, monitor="val_loss", mode="min", save_top_k=1)
    trainer = L.Trainer(
        max_epochs=6,
        accelerator="cpu",
        callbacks=[EarlyStopping(monitor="val_loss", patience=3), best],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    model = LitDigits()
    trainer.fit(model, loader(fit, shuffle=True), loader(val))
    (figures,) = trainer.test(model, loader(test), ckpt_path="best", verbose=False, weights_only=False)
    print({k: round(v, 4) for k, v in figures.items()}, "best", round(best.best_model_score.item(), 4))
