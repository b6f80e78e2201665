# expect: nothing
# needs: lightning
import logging
import warnings

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
L.seed_everything(42, verbose=False)


class HousingData(L.LightningDataModule):
    """Synthetic block-level housing table (income, rooms, age, location)."""

    def __init__(self, n=1000, batch_size=50):
        super().__init__()
        self.n, self.batch_size = n, batch_size

    def setup(self, stage=None):
        rng = np.random.default_rng(42)
        inc, rooms = rng.gamma(4, 1, self.n), rng.normal(5, 1, self.n)
        age, lat, lon = rng.uniform(1, 52, self.n), rng.uniform(32, 42, self.n), rng.uniform(-124, -114, self.n)
        y = 0.45 * inc + 0.1 * rooms * (lat < 36) + np.cos(lon) * 0.6 - 0.01 * age + rng.normal(0, 0.15, self.n)
        X = np.c_[inc, rooms, age, lat, lon]
        order = rng.permutation(self.n)
        tr, va = order[self.n // 5:], order[:self.n // 5]
        mu, sd = X[tr].mean(0), X[tr].std(0)
        m, s = y[tr].mean(), y[tr].std()

        def pack(i):
            return TensorDataset(torch.tensor((X[i] - mu) / sd, dtype=torch.float32),
                                 torch.tensor((y[i] - m) / s, dtype=torch.float32))

        self.train_set, self.val_set = pack(tr), pack(va)

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_set, batch_size=256)


class Regressor(L.LightningModule):
    def __init__(self, hidden=32, lr=0.05):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(5, hidden), nn.ReLU(),
                                 nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.mse_loss(self.net(x).squeeze(-1), y)
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.mse_loss(self.net(x).squeeze(-1), y))

    def on_train_epoch_end(self):
        m = self.trainer.callback_metrics
        if self.current_epoch % 2 == 0:
            print(f"epoch {self.current_epoch}: val {m['val_loss']:.4f}")

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr, momentum=0.9)


trainer = L.Trainer(
    max_epochs=5,
    accelerator="cpu",
    gradient_clip_val=1.0,
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    num_sanity_val_steps=0,
)
trainer.fit(Regressor(), datamodule=HousingData())
print({k: round(v.item(), 4) for k, v in trainer.callback_metrics.items()})
