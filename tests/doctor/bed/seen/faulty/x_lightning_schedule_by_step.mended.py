# needs: lightning
# expect: nothing
"""A schedule that was meant to fall once an epoch; its interval is the step."""

import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Scheduled(L.LightningModule):
    def __init__(self, lr, step_size, gamma):
        super().__init__()
        self.save_hyperparameters()
        self.model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self.model(x), y)
        self.log("loss", loss, on_epoch=True, on_step=False)
        return loss

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=self.hparams.lr, momentum=0.9)
        scheduler = StepLR(optimizer, self.hparams.step_size, self.hparams.gamma)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "epoch"},
        }


L.seed_everything(6, verbose=False)
images, labels = load_digits(return_X_y=True)
train = TensorDataset(torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels))
trainer = L.Trainer(
    max_epochs=4,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Scheduled(lr=0.05, step_size=2, gamma=0.5), DataLoader(train, batch_size=64, shuffle=True))
print("loss", round(trainer.callback_metrics["loss"].item(), 4))
