# expect: nothing
"""Early stopping with checkpoints on the diabetes table, in a small trainer class."""
import os
import tempfile

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def splits(seed):
    X, y = load_diabetes(return_X_y=True, scaled=False)
    order = np.random.default_rng(seed).permutation(len(y))
    rows = {"train": order[:250], "val": order[250:330], "test": order[330:]}
    mx, sx = X[rows["train"]].mean(0), X[rows["train"]].std(0)
    my, sy = y[rows["train"]].mean(), y[rows["train"]].std()
    make = lambda r: TensorDataset(torch.tensor((X[r] - mx) / sx, dtype=torch.float32),
                                   torch.tensor((y[r] - my) / sy, dtype=torch.float32))
    return {k: make(r) for k, r in rows.items()}, float(sy)


class EarlyStopping:
    def __init__(self, path, patience=8):
        self.path, self.patience = path, patience
        self.best, self.bad_epochs, self.best_epoch = float("inf"), 0, None

    def update(self, score, model, epoch):
        if score < self.best:
            self.best, self.bad_epochs, self.best_epoch = score, 0, epoch
            torch.save(model.state_dict(), self.path)
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience


class Trainer:
    def __init__(self, model, data, lr):
        self.model = model
        self.loaders = {k: DataLoader(d, batch_size=25, shuffle=k == "train") for k, d in data.items()}
        self.opt = torch.optim.Adam(model.parameters(), lr=lr)
        self.mse = nn.MSELoss()

    def run_epoch(self):
        self.model.train()
        for x, y in self.loaders["train"]:
            self.opt.zero_grad()
            self.mse(self.model(x).squeeze(1), y).backward()
            self.opt.step()

    @torch.no_grad()
    def rmse(self, part):
        self.model.eval()
        sq = [(self.model(x).squeeze(1) - y) ** 2 for x, y in self.loaders[part]]
        return torch.cat(sq).mean().sqrt().item()

    def fit(self, epochs, stopper):
        for epoch in range(epochs):
            self.run_epoch()
            if stopper.update(self.rmse("val"), self.model, epoch):
                break
        self.model.load_state_dict(torch.load(stopper.path))


torch.manual_seed(3)
data, y_scale = splits(seed=3)
model = nn.Sequential(nn.Linear(10, 48), nn.ReLU(), nn.Dropout(0.1), nn.Linear(48, 1))
trainer = Trainer(model, data, lr=3e-3)
with tempfile.TemporaryDirectory() as folder:
    stopper = EarlyStopping(os.path.join(folder, "best.pt"))
    trainer.fit(60, stopper)
print(f"best epoch {stopper.best_epoch}, validation RMSE {trainer.rmse('val') * y_scale:.2f}")
print(f"test RMSE {trainer.rmse('test') * y_scale:.2f}")
