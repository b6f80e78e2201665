# expect: nothing
# mends: trainer_validate_forgets_eval.py
"""A trainer with hooks for metrics; validate() never switches the mode."""

import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Trainer:
    def __init__(self, model, train_dl, val_dl, lr):
        self.model, self.train_dl, self.val_dl = model, train_dl, val_dl
        self.opt = torch.optim.AdamW(model.parameters(), lr=lr)
        self.loss = nn.MSELoss()
        self.log = []

    def train_epoch(self):
        self.model.train()
        for x, y in self.train_dl:
            self.opt.zero_grad()
            loss = self.loss(self.model(x), y)
            loss.backward()
            self.opt.step()

    def validate(self):
        self.model.eval()
        losses = []
        with torch.inference_mode():
            for x, y in self.val_dl:
                losses.append(self.loss(self.model(x), y).item())
        return sum(losses) / len(losses)

    def fit(self, epochs):
        for epoch in range(epochs):
            self.train_epoch()
            self.log.append(self.validate())
            print(f"epoch {epoch:2d} validation mse {self.log[-1]:.4f}")


torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True, scaled=False)
X_tr, X_va, y_tr, y_va = train_test_split(X, y, test_size=0.25, random_state=0)
X_tr, X_va = (X_tr - X_tr.mean(0)) / X_tr.std(0), (X_va - X_tr.mean(0)) / X_tr.std(0)
mean, std = y_tr.mean(), y_tr.std()


def dataset(x, t):
    t = torch.tensor((t - mean) / std, dtype=torch.float32).unsqueeze(1)
    return TensorDataset(torch.tensor(x, dtype=torch.float32), t)


net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Dropout(0.4), nn.Linear(64, 1))
Trainer(
    net,
    DataLoader(dataset(X_tr, y_tr), batch_size=32, shuffle=True),
    DataLoader(dataset(X_va, y_va), batch_size=111),
    lr=3e-3,
).fit(6)
