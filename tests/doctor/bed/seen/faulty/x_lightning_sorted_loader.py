# needs: lightning
# expect: unshuffled_sorted @ 28
"""train_dataloader of a DataModule without shuffle, its rows in the order of folders, one class each."""

import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Folders(L.LightningDataModule):
    def setup(self, stage):
        images, labels = load_digits(return_X_y=True)
        parts = [images[labels == c] for c in range(10)]
        x = torch.cat([torch.tensor(p / 16, dtype=torch.float32) for p in parts])
        y = torch.cat([torch.full((len(p),), c) for c, p in enumerate(parts)])
        self.data = TensorDataset(x, y)

    def train_dataloader(self):
        return DataLoader(self.data, batch_size=20)


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self.net(x), y)
        self.log("loss", loss, on_epoch=True, on_step=False)
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)


L.seed_everything(0, verbose=False)
trainer = L.Trainer(
    max_epochs=4,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)

trainer.fit(Net(), datamodule=Folders())
print("loss", round(trainer.callback_metrics["loss"].item(), 4))
