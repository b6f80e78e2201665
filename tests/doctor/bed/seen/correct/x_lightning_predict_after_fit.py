# needs: lightning
# expect: nothing
# looks suspicious: rows of a table as they come (unscaled, sorted by class), one optimizer with two groups
# and two of their own; predictions in an own loop after the training, with eval and no_grad.
"""Two towers with an optimizer each (manual), one objective; then an own loop over the held-out rows."""

import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class TwoTowers(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.left = nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 16), nn.ReLU())
        self.right = nn.Sequential(nn.BatchNorm1d(7), nn.Linear(7, 16), nn.ReLU())
        self.join = nn.Sequential(nn.Dropout(0.1), nn.Linear(32, 3))

    def forward(self, x):
        return self.join(torch.cat([self.left(x[:, :6]), self.right(x[:, 6:])], dim=1))

    def training_step(self, batch, batch_idx):
        towers, top = self.optimizers()
        decay_towers, decay_top = self.lr_schedulers()
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        towers.zero_grad()
        top.zero_grad()
        self.manual_backward(loss)
        towers.step()
        top.step()
        if self.trainer.is_last_batch:
            decay_towers.step()
            decay_top.step()
        self.log("loss", loss, on_epoch=True)

    def configure_optimizers(self):
        towers = torch.optim.SGD(
            [{"params": self.left.parameters()}, {"params": self.right.parameters(), "lr": 0.05}], lr=0.02
        )
        top = torch.optim.Adam(self.join.parameters(), lr=0.01)
        decay = torch.optim.lr_scheduler.ExponentialLR
        return [towers, top], [decay(towers, 0.95), decay(top, 0.95)]


L.seed_everything(21, verbose=False)
X, y = load_wine(return_X_y=True)
dataset = TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y))
train, held = random_split(dataset, [130, 48])
model = TwoTowers()
trainer = L.Trainer(
    max_epochs=15,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(model, DataLoader(train, batch_size=16, shuffle=True, drop_last=True))
print("loss", round(trainer.callback_metrics["loss_epoch"].item(), 4))
model.eval()
right = 0
with torch.no_grad():
    for a, b in DataLoader(held, batch_size=16):
        right += (model(a).argmax(dim=1) == b).sum().item()
print("held-out accuracy", right / len(held))
