# needs: lightning
# expect: metric_wrong_axis @ 30
"""Accuracy of the validation rows, its argmax over the rows of a batch."""

import logging
import warnings

import lightning as L
import torch
from sklearn.datasets import make_blobs
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Blobs(L.LightningModule):
    def __init__(self, classes):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, classes))
        self.right, self.seen = 0, 0

    def training_step(self, batch, batch_idx):
        x, y = batch
        return nn.functional.cross_entropy(self.net(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        predicted = self.net(x).argmax(0)
        self.right += sum((y == c).sum().item() for c in predicted.tolist())
        self.seen += len(y)

    def on_validation_epoch_end(self):
        print(f"epoch {self.current_epoch} accuracy {self.right / self.seen:.3f}")
        self.right = self.seen = 0

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)


L.seed_everything(10, verbose=False)
X, y = make_blobs(600, 8, centers=5, cluster_std=3.0, random_state=1)
X = torch.tensor((X - X[:450].mean(0)) / X[:450].std(0), dtype=torch.float32)
y = torch.tensor(y)
trainer = L.Trainer(
    max_epochs=5,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    num_sanity_val_steps=0,
)
trainer.fit(
    Blobs(5),
    DataLoader(TensorDataset(X[:450], y[:450]), batch_size=32, shuffle=True),
    DataLoader(TensorDataset(X[450:], y[450:]), batch_size=50),
)
