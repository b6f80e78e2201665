# needs: lightning
# expect: nothing
# looks suspicious: rows that validate in one fold train in another; the metric objects live across steps.
"""Five folds over iris, a fresh LightningModule and Trainer for each, figures by torchmetrics."""

import logging
import warnings

import lightning as L
import numpy as np
import torch
import torchmetrics
from sklearn.datasets import load_iris
from sklearn.model_selection import StratifiedKFold
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class LitIris(L.LightningModule):
    def __init__(self, centre, spread):
        super().__init__()
        self.register_buffer("centre", centre)
        self.register_buffer("spread", spread)
        self.layers = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 3))
        self.criterion = nn.CrossEntropyLoss()
        self.train_acc = torchmetrics.Accuracy(task="multiclass", num_classes=3)
        self.val_acc = torchmetrics.Accuracy(task="multiclass", num_classes=3)
        self.val_f1 = torchmetrics.F1Score(task="multiclass", num_classes=3, average="macro")

    def forward(self, x):
        return self.layers((x - self.centre) / self.spread)

    def training_step(self, batch, _):
        x, y = batch
        out = self(x)
        self.train_acc(out, y)
        self.log("train_acc", self.train_acc, on_epoch=True, on_step=False)
        return self.criterion(out, y)

    def validation_step(self, batch, _):
        x, y = batch
        out = self(x).softmax(dim=-1)
        self.val_acc.update(out, y)
        self.val_f1.update(out, y)

    def on_validation_epoch_end(self):
        self.log_dict({"val_acc": self.val_acc.compute(), "val_f1": self.val_f1.compute()})
        self.val_acc.reset()
        self.val_f1.reset()

    def configure_optimizers(self):
        return torch.optim.Adam(self.layers.parameters(), lr=0.02)


L.seed_everything(0, verbose=False)
X, y = load_iris(return_X_y=True)
full = TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y))
scores = []
for fold, (tr, va) in enumerate(StratifiedKFold(5, shuffle=True, random_state=1).split(X, y)):
    rows = full.tensors[0][tr]
    model = LitIris(rows.mean(0), rows.std(0))
    trainer = L.Trainer(
        max_epochs=5,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(model, DataLoader(Subset(full, tr), 16, shuffle=True), DataLoader(Subset(full, va), 30))
    result = trainer.validate(model, DataLoader(Subset(full, va), 30), verbose=False)[0]
    scores.append(result["val_acc"])
    print(f"fold {fold} accuracy {result['val_acc']:.3f} f1 {result['val_f1']:.3f}")
print("mean", round(float(np.mean(scores)), 3))
