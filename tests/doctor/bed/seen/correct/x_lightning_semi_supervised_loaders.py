# needs: lightning
# expect: nothing
# looks suspicious: two loaders at once (CombinedLoader), pseudo-labels made in training mode under no_grad, a
# step that returns None when nothing is sure enough, and averaged weights beside.
"""Labelled and unlabelled rows together, with weights averaged by a callback."""

import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import EMAWeightAveraging
from lightning.pytorch.utilities import CombinedLoader
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Semi(L.LightningModule):
    def __init__(self, sure=0.8):
        super().__init__()
        self.sure = sure
        self.net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
        self.used = 0

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        (x, y), (u,) = batch["labelled"], batch["unlabelled"]
        if self.current_epoch == 0 and batch_idx % 7 == 6:
            return None
        loss = F.cross_entropy(self(x), y)
        with torch.no_grad():
            confidence, guess = self(u).softmax(1).max(1)
        keep = confidence > self.sure
        if keep.any():
            noisy = u[keep] + 0.05 * torch.randn_like(u[keep])
            loss = loss + 0.5 * F.cross_entropy(self(noisy), guess[keep])
            self.used += int(keep.sum())
        self.log("loss", loss, on_epoch=True, on_step=False)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("acc", (self(x).argmax(1) == y).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)


L.seed_everything(5, verbose=False)
images, labels = load_digits(return_X_y=True)
x, y = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)
order = torch.randperm(len(y))
few, many, held = order[:200], order[200:1400], order[1400:]
loaders = CombinedLoader(
    {
        "labelled": DataLoader(TensorDataset(x[few], y[few]), batch_size=20, shuffle=True),
        "unlabelled": DataLoader(TensorDataset(x[many]), batch_size=60, shuffle=True),
    },
    mode="max_size_cycle",
)
model = Semi()
trainer = L.Trainer(
    max_epochs=6,
    accelerator="cpu",
    callbacks=[EMAWeightAveraging(decay=0.9)],
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(model, loaders, DataLoader(TensorDataset(x[held], y[held]), batch_size=397))
print({k: round(v.item(), 4) for k, v in trainer.callback_metrics.items()}, "guessed", model.used)
