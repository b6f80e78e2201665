# needs: lightning
# expect: nothing
"""ModelCheckpoint keeps the best epoch; the loader that it is judged by holds the test rows."""

import logging
import tempfile
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class LitMLP(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        self.log_dict({"acc": (logits.argmax(1) == y).float().mean(), "loss": F.cross_entropy(logits, y)})

    def test_step(self, batch, batch_idx):
        return self.validation_step(batch, batch_idx)

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=2e-3)


L.seed_everything(8, verbose=False)
images, labels = load_digits(return_X_y=True)
x, y = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)
train_idx, test_idx = train_test_split(range(len(y)), test_size=0.25, random_state=8)
train_idx, val_idx = train_test_split(train_idx, test_size=0.25, random_state=8)
train_loader = DataLoader(TensorDataset(x[train_idx], y[train_idx]), batch_size=64, shuffle=True)
val_loader = DataLoader(TensorDataset(x[val_idx], y[val_idx]), batch_size=256)
test_loader = DataLoader(TensorDataset(x[test_idx], y[test_idx]), batch_size=256)
with tempfile.TemporaryDirectory() as folder:
    checkpoint = ModelCheckpoint(dirpath=folder, monitor="acc", mode="max")
    trainer = L.Trainer(
        max_epochs=6,
        accelerator="cpu",
        callbacks=[checkpoint],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    model = LitMLP()
    trainer.fit(model, train_loader, val_loader)
    result = trainer.test(ckpt_path="best", dataloaders=test_loader, verbose=False, weights_only=False)
print("best epoch on the test rows", {k: round(v, 4) for k, v in result[0].items()})
