# expect: nothing
# needs: lightning
"""Tumour table with Lightning: wide-and-narrow net, plain SGD."""
import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class TumourData(L.LightningDataModule):
    def __init__(self, batch_size=32, seed=5):
        super().__init__()
        self.batch_size, self.seed = batch_size, seed

    def setup(self, stage=None):
        x, y = load_breast_cancer(return_X_y=True)
        x_tr, x_te, y_tr, y_te = train_test_split(
            x, y, test_size=0.3, stratify=y, random_state=self.seed
        )
        scaler = StandardScaler().fit(x_tr)
        self.train_set = self._pack(scaler.transform(x_tr), y_tr)
        self.test_set = self._pack(scaler.transform(x_te), y_te)

    @staticmethod
    def _pack(x, y):
        return TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=self.batch_size, shuffle=True)

    def test_dataloader(self):
        return DataLoader(self.test_set, batch_size=200)


class TumourNet(L.LightningModule):
    def __init__(self, n_in=30, hidden=20, lr=0.05):
        super().__init__()
        self.lr = lr
        self.wide = nn.Linear(n_in, 1)
        self.deep = nn.Sequential(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, x):
        return (self.wide(x) + self.deep(x)).squeeze(1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.binary_cross_entropy_with_logits(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def test_step(self, batch, batch_idx):
        x, y = batch
        logit = self(x)
        self.log("test_loss", F.binary_cross_entropy_with_logits(logit, y), on_epoch=True)
        self.log("test_acc", ((logit > 0) == (y > 0.5)).float().mean(), on_epoch=True)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


def make_trainer(epochs, **extra):
    quiet = dict(logger=False, enable_checkpointing=False, enable_progress_bar=False,
                 enable_model_summary=False)
    return L.Trainer(
        max_epochs=epochs, accelerator="cpu", devices=1,
        gradient_clip_val=1.0,
        **quiet, **extra,
    )


if __name__ == "__main__":
    L.seed_everything(5, verbose=False)
    data, net = TumourData(), TumourNet()
    trainer = make_trainer(epochs=10)
    trainer.fit(net, data)
    print(f"last train loss {trainer.callback_metrics['train_loss']:.4f}")
    result = trainer.test(net, data, verbose=False)[0]
    print({k: round(v, 4) for k, v in result.items()})
