# expect: nothing
# needs: lightning
import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
L.seed_everything(7, verbose=False)


def make_table(n=1000):
    g = torch.Generator().manual_seed(7)
    x = torch.randn(n, 6, generator=g)
    noise = 0.3 * torch.randn(n, generator=g)
    ring = x[:, 0] ** 2 + x[:, 1] ** 2 - 0.8 * x[:, 2] + noise
    lo, hi = ring.quantile(1 / 3), ring.quantile(2 / 3)
    return TensorDataset(x, (ring > lo).long() + (ring > hi).long())


class LitTabular(L.LightningModule):
    def __init__(self, in_features=6, hidden=48, n_classes=3, lr=1e-2):
        super().__init__()
        self.save_hyperparameters()
        self.model = nn.Sequential(
            nn.Linear(in_features, hidden), nn.ReLU(),
            nn.Linear(hidden, hidden), nn.ReLU(),
            nn.Linear(hidden, n_classes),
        )

    def forward(self, x):
        return self.model(x)

    def _shared_eval(self, batch, prefix):
        x, y = batch
        logits = self(x)
        self.log(f"{prefix}_loss", F.cross_entropy(logits, y))
        self.log(f"{prefix}_acc", (logits.argmax(dim=-1) == y).float().mean())

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self._shared_eval(batch, "val")

    def test_step(self, batch, batch_idx):
        self._shared_eval(batch, "test")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


train_set, val_set, test_set = random_split(make_table(), [700, 150, 150],
                                            generator=torch.Generator().manual_seed(7))
trainer = L.Trainer(max_epochs=6, accelerator="cpu", logger=False, enable_checkpointing=False,
                    enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0)
model = LitTabular()
trainer.fit(model, DataLoader(train_set, batch_size=50, shuffle=True), DataLoader(val_set, batch_size=150))
print({k: round(v.item(), 4) for k, v in trainer.callback_metrics.items()})
result = trainer.test(model, DataLoader(test_set, batch_size=150), verbose=False)
print({k: round(v, 4) for k, v in result[0].items()})
