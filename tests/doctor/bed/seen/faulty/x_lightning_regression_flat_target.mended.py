# needs: lightning
# expect: nothing
"""Regression in a LightningModule; a DataModule gives the target in one dimension."""

import logging
import warnings

import lightning as L
import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class DiabetesData(L.LightningDataModule):
    def setup(self, stage):
        x, y = load_diabetes(return_X_y=True)
        x, y = torch.tensor(x * 20, dtype=torch.float32), torch.tensor((y - 150) / 77, dtype=torch.float32)
        data = TensorDataset(x, y.unsqueeze(1))
        self.train, self.val = random_split(data, [342, 100], torch.Generator().manual_seed(0))

    def train_dataloader(self):
        return DataLoader(self.train, batch_size=32, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val, batch_size=50)


class LitRegressor(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(10, 24), nn.SiLU(), nn.Linear(24, 1))
        self.loss = nn.MSELoss()

    def forward(self, x):
        return self.mlp(x)

    def _step(self, batch, name):
        x, y = batch
        loss = self.loss(self(x), y)
        self.log(name, loss, on_step=False, on_epoch=True)
        return loss

    def training_step(self, batch, _):
        return self._step(batch, "train_loss")

    def validation_step(self, batch, _):
        self._step(batch, "val_loss")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=5e-3)


L.seed_everything(5, verbose=False)
trainer = L.Trainer(
    max_epochs=10,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(LitRegressor(), datamodule=DiabetesData())
print({k: round(v.item(), 4) for k, v in trainer.callback_metrics.items()})
