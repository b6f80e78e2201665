# needs: lightning
# expect: nothing
# looks suspicious: dropout is switched on in predict_step, many answers for the same rows are averaged.
"""Monte-Carlo dropout in predict_step, beside an ordinary validation; also the rates of a Tuner."""

import logging
import tempfile
import warnings

import lightning as L
import torch
from lightning.pytorch.tuner import Tuner
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class MCDropout(L.LightningModule):
    def __init__(self, samples=20, lr=1e-3):
        super().__init__()
        self.save_hyperparameters()
        self.body = nn.Sequential(nn.Linear(30, 32), nn.ReLU())
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(32, 1)
        self.loss = nn.BCEWithLogitsLoss()

    def forward(self, x):
        return self.head(self.dropout(self.body(x))).squeeze(-1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return self.loss(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        self.log("val_loss", self.loss(logits, y))
        self.log("val_acc", ((logits > 0) == y.bool()).float().mean())

    def predict_step(self, batch, batch_idx):
        self.dropout.train()
        answers = torch.stack([self(batch[0]).sigmoid() for _ in range(self.hparams.samples)])
        return answers.mean(0), answers.std(0)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


L.seed_everything(1, verbose=False)
X, y = load_breast_cancer(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, random_state=0)
scaler = StandardScaler().fit(X_train)


def data(a, b):
    return TensorDataset(torch.tensor(scaler.transform(a)).float(), torch.tensor(b).float())


train = DataLoader(data(X_train, y_train), batch_size=32, shuffle=True)
val = DataLoader(data(X_val, y_val), batch_size=64)
model = MCDropout()
with tempfile.TemporaryDirectory() as folder:
    trainer = L.Trainer(
        max_epochs=8,
        accelerator="cpu",
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    found = Tuner(trainer).lr_find(model, train, val, min_lr=1e-5, max_lr=1.0, num_training=40)
    model.hparams.lr = min(max(found.suggestion() or 1e-3, 1e-3), 1e-2)
    trainer.fit(model, train, val)
    print({k: round(v.item(), 4) for k, v in trainer.callback_metrics.items()})
    means, deviations = zip(*trainer.predict(model, val), strict=True)
print("mean deviation", round(torch.cat(deviations).mean().item(), 4), len(torch.cat(means)))
