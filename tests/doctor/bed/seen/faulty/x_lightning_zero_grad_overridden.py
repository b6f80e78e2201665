# needs: lightning
# expect: missing_zero_grad @ 35
# allowed: missing_zero_grad @ 52
"""optimizer_zero_grad is overridden for set_to_none, and does nothing any more."""

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
        return torch.optim.SGD(self.parameters(), lr=0.01)

    def optimizer_zero_grad(self, epoch, batch_idx, optimizer):
        if batch_idx < 0:
            optimizer.zero_grad(set_to_none=True)


L.seed_everything(0, verbose=False)
images, labels = load_digits(return_X_y=True)
data = TensorDataset(torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels))
train, val = torch.utils.data.random_split(data, [1500, 297])
trainer = L.Trainer(
    max_epochs=4,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)

trainer.fit(Net(), DataLoader(train, batch_size=50, shuffle=True))
print("loss", round(trainer.callback_metrics["loss"].item(), 4))
