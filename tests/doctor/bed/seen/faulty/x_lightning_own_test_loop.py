# needs: lightning
# expect: missing_eval @ 64
"""Fit by the Trainer, figures by an own loop over the held-out rows afterwards."""

import logging
import warnings

import lightning as L
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Cancer(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.stack = nn.Sequential(
            nn.Linear(30, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 16), nn.ReLU(), nn.Dropout(0.5)
        )
        self.out = nn.Linear(16, 2)

    def forward(self, x):
        return self.out(self.stack(x))

    def training_step(self, batch, batch_idx):
        features, target = batch
        return nn.functional.cross_entropy(self(features), target)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)


L.seed_everything(4, verbose=False)
X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=4)
scaler = StandardScaler().fit(X_train)


def dataset(a, b):
    return TensorDataset(torch.from_numpy(scaler.transform(a)).float(), torch.from_numpy(b))


model = Cancer()
trainer = L.Trainer(
    max_epochs=6,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(model, DataLoader(dataset(X_train, y_train), batch_size=32, shuffle=True))

answers = []
with torch.no_grad():
    for features, _ in DataLoader(dataset(X_test, y_test), batch_size=32):
        answers.append(model(features).argmax(dim=1).numpy())
print("test accuracy", round(float((np.concatenate(answers) == y_test).mean()), 4))
