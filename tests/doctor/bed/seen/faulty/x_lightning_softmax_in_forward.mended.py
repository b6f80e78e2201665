# needs: lightning
# expect: nothing
"""A LightningModule whose forward ends in probabilities, as the predictions need them."""

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


class WineModel(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(13, 32), nn.ReLU())
        self.decide = nn.Linear(32, 3)
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, x):
        return self.decide(self.encode(x))

    def step(self, batch):
        x, y = batch
        y_hat = self(x)
        return self.criterion(y_hat, y), (y_hat.argmax(1) == y).float().mean()

    def training_step(self, batch, batch_idx):
        loss, _ = self.step(batch)
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        return loss

    def validation_step(self, batch, batch_idx):
        loss, acc = self.step(batch)
        self.log_dict({"val_loss": loss, "val_acc": acc})

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.005)


L.seed_everything(0, verbose=False)
X, y = load_wine(return_X_y=True)
X_tr, X_va, y_tr, y_va = train_test_split(X, y, stratify=y, test_size=0.3, random_state=0)
mu, sd = X_tr.mean(axis=0), X_tr.std(axis=0)


def loader(a, b, **options):
    data = TensorDataset(torch.tensor((a - mu) / sd).float(), torch.tensor(b))
    return DataLoader(data, batch_size=16, **options)


trainer = L.Trainer(
    max_epochs=8,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(WineModel(), loader(X_tr, y_tr, shuffle=True), loader(X_va, y_va))
print({k: round(v.item(), 4) for k, v in trainer.callback_metrics.items()})
