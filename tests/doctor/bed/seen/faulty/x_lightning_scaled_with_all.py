# needs: lightning
# expect: scaler_leakage @ 29
"""A DataModule that scales before it splits."""

import logging
import warnings

import lightning as L
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class WineData(L.LightningDataModule):
    def __init__(self, batch_size: int = 16):
        super().__init__()
        self.batch_size = batch_size

    def prepare_data(self):
        self.features, self.labels = load_wine(return_X_y=True)

    def setup(self, stage: str):
        features = StandardScaler().fit_transform(self.features)
        x_train, x_val, y_train, y_val = train_test_split(
            features, self.labels, test_size=0.3, stratify=self.labels, random_state=0
        )
        self.train = TensorDataset(torch.tensor(x_train).float(), torch.tensor(y_train))
        self.val = TensorDataset(torch.tensor(x_val).float(), torch.tensor(y_val))

    def train_dataloader(self):
        return DataLoader(self.train, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val, batch_size=self.batch_size)


class WineNet(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.l1, self.l2 = nn.Linear(13, 24), nn.Linear(24, 3)

    def forward(self, x):
        return self.l2(torch.relu(self.l1(x)))

    def training_step(self, batch, batch_idx):
        x, y = batch
        return nn.functional.cross_entropy(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_acc", (self(x).argmax(1) == y).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=5e-3)


L.seed_everything(9, verbose=False)
trainer = L.Trainer(
    max_epochs=8,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(WineNet(), datamodule=WineData())
print("validation accuracy", round(trainer.callback_metrics["val_acc"].item(), 4))
