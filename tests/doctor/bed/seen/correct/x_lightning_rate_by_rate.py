# needs: lightning
# expect: nothing
# looks suspicious: a loop over rates that ends with one that is far too high, then over decays.
"""What a rate does: a small net trained anew for each, and for each weight decay."""

import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Net(L.LightningModule):
    def __init__(self, lr, weight_decay):
        super().__init__()
        self.save_hyperparameters()
        self.layers = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self.layers(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("acc", (self.layers(x).argmax(1) == y).float().mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr, weight_decay=self.hparams.weight_decay)


images, labels = load_digits(return_X_y=True)
data = TensorDataset(torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels))
train, val = random_split(data, [1500, 297], torch.Generator().manual_seed(0))
settings = [(lr, 0.0) for lr in (1e-6, 0.1, 30.0)] + [(0.1, decay) for decay in (1e-4, 3.0)]
for lr, decay in settings:
    L.seed_everything(0, verbose=False)
    trainer = L.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(
        Net(lr, decay), DataLoader(train, batch_size=50, shuffle=True), DataLoader(val, batch_size=297)
    )
    print(f"lr {lr} decay {decay} accuracy {trainer.callback_metrics['acc']:.3f}")
