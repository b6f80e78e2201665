# expect: nothing
# needs: lightning
"""LightningModule with train / validation / test steps on the digits."""
import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")


class DigitsDataModule(L.LightningDataModule):
    def __init__(self, batch_size=64, seed=0):
        super().__init__()
        self.batch_size, self.seed = batch_size, seed

    def setup(self, stage=None):
        X, y = load_digits(return_X_y=True)
        X_fit, X_test, y_fit, y_test = train_test_split(X / 16.0, y, test_size=0.2, stratify=y, random_state=self.seed)
        X_tr, X_val, y_tr, y_val = train_test_split(X_fit, y_fit, test_size=0.2, stratify=y_fit, random_state=self.seed)
        make = lambda a, b: TensorDataset(torch.tensor(a, dtype=torch.float32), torch.tensor(b))
        self.train_ds, self.val_ds, self.test_ds = make(X_tr, y_tr), make(X_val, y_val), make(X_test, y_test)

    def train_dataloader(self):
        return DataLoader(self.train_ds, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_ds, batch_size=256)

    def test_dataloader(self):
        return DataLoader(self.test_ds, batch_size=256)


class LitClassifier(L.LightningModule):
    def __init__(self, hidden=64, lr=3e-3):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Dropout(0.1), nn.Linear(hidden, 10))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def _shared_eval(self, batch, prefix):
        x, y = batch
        logits = self(x)
        self.log(f"{prefix}_loss", F.cross_entropy(logits, y), batch_size=len(y))
        self.log(f"{prefix}_acc", (logits.argmax(1) == y).float().mean(), batch_size=len(y))

    def validation_step(self, batch, batch_idx):
        self._shared_eval(batch, "val")

    def test_step(self, batch, batch_idx):
        self._shared_eval(batch, "test")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


class PrintMetrics(L.Callback):
    def on_validation_epoch_end(self, trainer, pl_module):
        if not trainer.sanity_checking and trainer.current_epoch % 5 == 4:
            m = trainer.callback_metrics
            print(f"epoch {trainer.current_epoch}: val_loss {m['val_loss']:.4f} val_acc {m['val_acc']:.3f}")


if __name__ == "__main__":
    L.seed_everything(0, verbose=False)
    dm = DigitsDataModule()
    model = LitClassifier()
    trainer = L.Trainer(max_epochs=10, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False,
                        enable_progress_bar=False, enable_model_summary=False, callbacks=[PrintMetrics()])
    trainer.fit(model, datamodule=dm)
    result = trainer.test(model, datamodule=dm, verbose=False)[0]
    print(f"test_loss {result['test_loss']:.4f} test_acc {result['test_acc']:.3f}")
