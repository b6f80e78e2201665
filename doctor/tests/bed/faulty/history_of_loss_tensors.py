# expect: graph_kept_alive @ 22
# mend: 22 →         self.history["loss"].append(loss.detach())
"""Every step's loss is kept in a list for a plot at the end."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn


class Experiment:
    def __init__(self, model, lr=0.01):
        self.model = model
        self.opt = torch.optim.Adam(model.parameters(), lr=lr)
        self.history = {"loss": [], "mae": []}

    def step(self, x, y):
        pred = self.model(x)
        loss = nn.functional.mse_loss(pred, y)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.history["loss"].append(loss)
        self.history["mae"].append((pred - y).abs().mean().item())

    def summary(self, last=20):
        tail = torch.stack(self.history["loss"][-last:])
        return f"loss {tail.mean():.4f} mae {sum(self.history['mae'][-last:]) / last:.4f}"


torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True)
X = torch.tensor(X * 20, dtype=torch.float32)
y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)[:, None]
experiment = Experiment(nn.Sequential(nn.Linear(10, 32), nn.SiLU(), nn.Linear(32, 1)))
for epoch in range(6):
    for idx in torch.randperm(len(X)).split(44):
        experiment.step(X[idx], y[idx])
    print("epoch", epoch, experiment.summary(last=10))
