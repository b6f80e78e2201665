# expect: lr_too_low @ 87
# needs: lightning
# allowed: lr_too_low @ 67
"""Transfer learning with Lightning: body trained on digits 0-4, new head for 5-9."""
import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


def loaders(first, last, seed=0):
    X, y = load_digits(return_X_y=True)
    keep = (y >= first) & (y <= last)
    X, y = X[keep] / 16.0, y[keep] - first
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, stratify=y,
                                              random_state=seed)
    tr, te = (TensorDataset(torch.tensor(a, dtype=torch.float32).view(-1, 1, 8, 8),
                            torch.tensor(b)) for a, b in ((X_tr, y_tr), (X_te, y_te)))
    return DataLoader(tr, batch_size=32, shuffle=True), DataLoader(te, batch_size=128)


def make_body():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten())


class DigitModule(L.LightningModule):
    def __init__(self, body, n_classes=5, lr=1e-3, freeze=False):
        super().__init__()
        self.body = body
        self.head = nn.Linear(32 * 16, n_classes)
        self.lr = lr
        self.freeze = freeze
        if freeze:
            self.body.requires_grad_(False)

    def on_train_epoch_start(self):
        if self.freeze:
            self.body.eval()

    def forward(self, x):
        return self.head(self.body(x))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def test_step(self, batch, batch_idx):
        x, y = batch
        self.log("test_acc", (self(x).argmax(1) == y).float().mean())

    def configure_optimizers(self):
        params = [p for p in self.parameters() if p.requires_grad]
        return torch.optim.Adam(params, lr=self.lr)


def fit_and_test(module, train_loader, test_loader, epochs):
    trainer = L.Trainer(max_epochs=epochs, accelerator="cpu", logger=False,
                        enable_checkpointing=False, enable_progress_bar=False,
                        enable_model_summary=False)
    trainer.fit(module, train_loader)
    loss = trainer.callback_metrics["train_loss"].item()
    acc = trainer.test(module, test_loader, verbose=False)[0]["test_acc"]
    return loss, acc


L.seed_everything(42, verbose=False)
body = make_body()

source = DigitModule(body)
loss, acc = fit_and_test(source, *loaders(0, 4), epochs=4)
print(f"source digits 0-4: loss {loss:.3f} test acc {acc:.3f}")

target = DigitModule(body, lr=1e-6, freeze=True)
loss, acc = fit_and_test(target, *loaders(5, 9), epochs=8)
print(f"target digits 5-9: loss {loss:.3f} test acc {acc:.3f}")
