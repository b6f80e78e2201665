# expect: nothing
# needs: lightning
"""Remaining useful life of bearings, LightningModule + DataModule with early stopping."""
import logging
import tempfile
import warnings

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


def bearing(rng, window=20):
    life = int(rng.integers(120, 200))
    age = np.arange(life) / life
    rms = 0.5 + 2.0 * age ** 3 + rng.normal(0, 0.08, life)
    kurt = 3.0 + 4.0 * np.clip(age - 0.6, 0, None) + rng.normal(0, 0.2, life)
    temp = 40 + 10 * age + rng.normal(0, 1.0, life)
    obs = np.stack([rms, kurt, temp], 1)
    x = np.stack([obs[i:i + window] for i in range(life - window)])
    return x, 1.0 - age[window - 1:-1]


class BearingData(L.LightningDataModule):
    def __init__(self, batch_size=64):
        super().__init__()
        self.batch_size = batch_size

    def setup(self, stage=None):
        rng = np.random.default_rng(0)
        groups = [[bearing(rng) for _ in range(k)] for k in (14, 4, 4)]
        arrays = [(np.concatenate([x for x, _ in g]), np.concatenate([y for _, y in g])) for g in groups]
        mean, std = arrays[0][0].mean((0, 1)), arrays[0][0].std((0, 1))
        self.sets = [TensorDataset(torch.tensor((x - mean) / std, dtype=torch.float32),
                                   torch.tensor(y, dtype=torch.float32)) for x, y in arrays]

    def train_dataloader(self):
        return DataLoader(self.sets[0], self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.sets[1], 512)

    def test_dataloader(self):
        return DataLoader(self.sets[2], 512)


class LitRUL(L.LightningModule):
    def __init__(self, hidden=24, lr=5e-3):
        super().__init__()
        self.save_hyperparameters()
        self.gru = nn.GRU(3, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.head(out[:, -1]).squeeze(-1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = nn.functional.mse_loss(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", nn.functional.mse_loss(self(x), y))

    def test_step(self, batch, batch_idx):
        x, y = batch
        self.log("test_mae", (self(x) - y).abs().mean())

    def on_validation_epoch_end(self):
        m = self.trainer.callback_metrics
        print(f"epoch {self.current_epoch}: val_loss {m['val_loss']:.5f}")

    def configure_optimizers(self):
        opt = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, mode="min", factor=0.3, patience=1)
        return {"optimizer": opt, "lr_scheduler": {"scheduler": plateau, "monitor": "val_loss", "interval": "epoch"}}


if __name__ == "__main__":
    L.seed_everything(0, verbose=False)
    with tempfile.TemporaryDirectory() as folder:
        best = ModelCheckpoint(dirpath=folder, monitor="val_loss", mode="min", save_top_k=1)
        stop = EarlyStopping(monitor="val_loss", mode="min", patience=4)
        trainer = L.Trainer(max_epochs=10, callbacks=[best, stop], logger=False, accelerator="cpu",
                            enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
                            gradient_clip_val=1.0)
        data, model = BearingData(), LitRUL()
        trainer.fit(model, data)
        result = trainer.test(model, data, ckpt_path="best", verbose=False)
    print(f"test MAE {result[0]['test_mae']:.4f} of the life span")
