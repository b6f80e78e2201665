# needs: lightning
# expect: nothing
"""A figure on fresh rows during training, in evaluation mode, from which nobody goes back."""

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
    def __init__(self, probe):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(64, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.3), nn.Linear(48, 10)
        )
        self.probe = probe

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        if batch_idx % 10 == 9:
            self.report()
        return loss

    def report(self):
        self.eval()
        with torch.no_grad():
            x, y = self.probe
            print(f"step {self.global_step} accuracy {(self(x).argmax(1) == y).float().mean():.3f}")
        self.train()

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)


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

probe = next(iter(DataLoader(val, batch_size=297)))
trainer.fit(Net(probe), DataLoader(train, batch_size=50, shuffle=True))
