# expect: nothing
# needs: lightning
import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import EarlyStopping
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", ".*does not have many workers.*")

MOVES = ["rest", "walk", "run", "jump"]


def fake_imu(n, steps=40):
    """three-axis signals of four movements, about zero mean and unit size"""
    y = torch.arange(n) % len(MOVES)
    t = torch.linspace(0, 4, steps)
    freq = torch.tensor([0.3, 1.0, 2.2, 1.5])[y] * (1 + 0.1 * torch.randn(n))
    amp = torch.tensor([0.6, 1.0, 1.2, 1.4])[y]
    phase = 6.28 * torch.rand(n, 1)
    base = torch.sin(6.28 * freq[:, None] * t + phase)
    axes = [amp[:, None] * base, amp[:, None] * base.roll(3, 1), torch.sign(base) * (y == 3)[:, None]]
    x = torch.stack(axes, dim=2)
    return TensorDataset(x + 0.5 * torch.randn_like(x), y)


class MovementData(L.LightningDataModule):
    def __init__(self, batch_size=32):
        super().__init__()
        self.batch_size = batch_size

    def setup(self, stage):
        if not hasattr(self, "parts"):
            full = fake_imu(1200)
            self.parts = random_split(full, [800, 200, 200], generator=torch.Generator().manual_seed(8))

    def train_dataloader(self):
        return DataLoader(self.parts[0], batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.parts[1], batch_size=100)

    def test_dataloader(self):
        return DataLoader(self.parts[2], batch_size=100)


class LSTMClassifier(L.LightningModule):
    def __init__(self, hidden=32, lr=4e-3):
        super().__init__()
        self.save_hyperparameters()
        self.lstm = nn.LSTM(3, hidden, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * hidden, len(MOVES)))

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out.mean(dim=1))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        return loss

    def _shared_eval(self, batch, prefix):
        x, y = batch
        logits = self(x)
        self.log(f"{prefix}_loss", F.cross_entropy(logits, y))
        self.log(f"{prefix}_acc", (logits.argmax(dim=1) == y).float().mean())

    def validation_step(self, batch, batch_idx):
        self._shared_eval(batch, "val")

    def test_step(self, batch, batch_idx):
        self._shared_eval(batch, "test")

    def on_validation_epoch_end(self):
        m = self.trainer.callback_metrics
        print(f"epoch {self.current_epoch}: val_loss {m['val_loss']:.3f} val_acc {m['val_acc']:.3f}")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


if __name__ == "__main__":
    L.seed_everything(123, verbose=False)
    trainer = L.Trainer(
        max_epochs=8,
        accelerator="cpu",
        gradient_clip_val=1.0,
        callbacks=[EarlyStopping("val_loss", patience=3)],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
    )
    model, dm = LSTMClassifier(), MovementData()
    trainer.fit(model, datamodule=dm)
    result = trainer.test(model, datamodule=dm, verbose=False)[0]
    print(f"test_loss {result['test_loss']:.3f}  test_acc {result['test_acc']:.3f}")
