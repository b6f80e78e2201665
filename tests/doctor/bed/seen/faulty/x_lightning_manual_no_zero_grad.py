# needs: lightning
# expect: missing_zero_grad @ 29
"""Manual optimisation in a LightningModule, as the page on it shows, one line short."""

import logging
import warnings

import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class ByHand(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.net = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))

    def training_step(self, batch, batch_idx):
        x, y = batch
        opt = self.optimizers()
        loss = F.cross_entropy(self.net(x), y)
        self.manual_backward(loss)
        opt.step()
        self.log("loss", loss, on_epoch=True, on_step=False)

    def configure_optimizers(self):
        return torch.optim.SGD(self.net.parameters(), lr=0.05)


pl.seed_everything(1, verbose=False)
images, labels = load_digits(return_X_y=True)
data = TensorDataset(torch.tensor(images, dtype=torch.float32) / 16, torch.tensor(labels))
trainer = pl.Trainer(
    max_epochs=4,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(ByHand(), DataLoader(data, batch_size=64, shuffle=True))
print("loss", round(trainer.callback_metrics["loss"].item(), 4))
