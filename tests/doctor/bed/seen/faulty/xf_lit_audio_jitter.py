# expect: duplicate_leakage @ 41
# needs: lightning
# allowed: duplicate_leakage @ 43
import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
L.seed_everything(40, verbose=False)


def record(n=240, d=30):
    """Two kinds of call, recorded in the field; one call in four has a wrong annotation."""
    y = torch.arange(n) % 2
    x = torch.randn(n, d)
    x[:, :3] += 0.8 * (2 * y[:, None] - 1)
    wrong = torch.rand(n) < 0.25
    return x, torch.where(wrong, 1 - y, y)


class Calls(L.LightningDataModule):
    def __init__(self, copies=5, sigma=0.1):
        super().__init__()
        self.copies, self.sigma = copies, sigma

    def more(self, ds):
        x, y = (torch.stack(c) for c in zip(*ds))
        x = x.repeat(self.copies, 1)
        x = x + self.sigma * torch.randn_like(x)
        return TensorDataset(x, y.repeat(self.copies))

    def setup(self, stage):
        if hasattr(self, "train_set"):
            return
        full = self.more(TensorDataset(*record()))
        n_train = int(0.75 * len(full))
        self.train_set, self.test_set = random_split(full, [n_train, len(full) - n_train])

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=60, shuffle=True)

    def test_dataloader(self):
        return DataLoader(self.test_set, batch_size=300)


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x):
        return self.body(x)

    def training_step(self, batch, i):
        x, y = batch
        out = self(x)
        self.log("train_acc", (out.argmax(-1) == y).float().mean(), on_epoch=True, on_step=False)
        return F.cross_entropy(out, y)

    def test_step(self, batch, i):
        x, y = batch
        self.log("test_acc", (self(x).argmax(-1) == y).float().mean())

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=3e-3)


net, calls = Net(), Calls()
trainer = L.Trainer(max_epochs=20, accelerator="cpu", logger=False, enable_checkpointing=False,
                    enable_progress_bar=False, enable_model_summary=False)
trainer.fit(net, datamodule=calls)
print(f"train {trainer.callback_metrics['train_acc']:.3f}")
print(f"test  {trainer.test(net, datamodule=calls, verbose=False)[0]['test_acc']:.3f}")
