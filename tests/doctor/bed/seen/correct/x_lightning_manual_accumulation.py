# needs: lightning
# expect: nothing
# looks suspicious: manual optimisation that steps every second batch only, a schedule stepped by hand at the
# end of an epoch, and gradients clipped by hand.
"""Manual optimisation with accumulation, clipping and ReduceLROnPlateau, all by hand."""

import logging
import warnings

import lightning as L
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Manual(L.LightningModule):
    every = 2

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.model = nn.Sequential(nn.Linear(30, 16), nn.GELU(), nn.Linear(16, 1))
        self.bce = nn.BCEWithLogitsLoss()
        self.total, self.count = 0.0, 0

    def training_step(self, batch, batch_idx):
        optimizer = self.optimizers()
        x, y = batch
        loss = self.bce(self.model(x).squeeze(1), y)
        self.manual_backward(loss / self.every)
        self.total += loss.item()
        self.count += 1
        if (batch_idx + 1) % self.every == 0 or self.trainer.is_last_batch:
            self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")
            optimizer.step()
            optimizer.zero_grad()

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", self.bce(self.model(x).squeeze(1), y))

    def on_train_epoch_end(self):
        plateau = self.lr_schedulers()
        plateau.step(self.trainer.callback_metrics["val_loss"])
        print(f"epoch {self.current_epoch} train {self.total / self.count:.4f} "
              f"val {self.trainer.callback_metrics['val_loss']:.4f}")  # fmt: skip
        self.total, self.count = 0.0, 0

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-2)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
        return [optimizer], [{"scheduler": plateau, "monitor": "val_loss"}]


L.seed_everything(2, verbose=False)
X, Y = load_breast_cancer(return_X_y=True)
X_train, X_val, Y_train, Y_val = train_test_split(X, Y, test_size=0.3, random_state=0, stratify=Y)
mean, std = X_train.mean(0), X_train.std(0)


def dataset(a, b):
    return TensorDataset(torch.tensor((a - mean) / std).float(), torch.tensor(b).float())


L.Trainer(
    max_epochs=8,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
).fit(
    Manual(),
    DataLoader(dataset(X_train, Y_train), batch_size=32, shuffle=True),
    DataLoader(dataset(X_val, Y_val), batch_size=64),
)
